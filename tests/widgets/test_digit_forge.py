"""DigitForge: the page makes and judges what the package's networks do, and how it is used."""

import copy
import html
import json
import re
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.datasets import mnist
from convbook.layers import Flatten, Linear, ReLU, Sequential, UnitLength
from convbook.losses import probability
from convbook.models.gan import (
    ConditionalGenerator,
    conditional_discriminator,
    conditional_generator,
)
from convbook.widgets import DigitForge, bundle
from helpers.figures import FORGE, forge_networks
from helpers.pages import NARROW, open_widgets

LABELS = np.arange(10)


def draw(rng, **arguments):
    """Return a DigitForge in some state."""
    size = 5
    return DigitForge(
        **(arguments or forge_networks(int(rng.integers(100)))),
        digit=int(rng.integers(10)),
        other=int(rng.integers(10)),
        mix=float(rng.choice([0, 1, rng.random()])),
        first=rng.standard_normal(size).tolist(),
        second=rng.standard_normal(size).tolist(),
        walk=rng.uniform(-3, 3, 2).tolist(),
        pixels=rng.integers(0, 256, (28, 28)),
    )


def by_package(networks, widget):
    """Return the picture, and what D says of the pixels, with the networks as they were given."""
    generator, discriminator = networks["generator"], networks["discriminator"]
    generator.eval()
    x = widget.input_at(widget.mix)[None].astype(np.float32)
    picture = (generator.body(x)[0, 0] + 1) / 2
    generator.train()
    pixels = 2 * np.array(widget.pixels)[None, None] / 255 - 1
    scores = discriminator(np.repeat(pixels, 10, axis=0), LABELS)
    return picture, probability(scores)[:, 0]


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


# --- In Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"batch_norm": False}, {"upsample": False}])
def test_rounding_and_folding_change_hardly_anything(options):
    networks = forge_networks(3)
    if "batch_norm" in options:
        networks["generator"] = conditional_generator(5, 3, rng=1, batch_norm=False)
    for seed in range(5):
        widget = draw(np.random.default_rng(seed), **networks)
        picture, says = by_package(networks, widget)
        np.testing.assert_allclose(widget.output, picture, atol=1e-2)
        np.testing.assert_allclose(widget.judgement, says, atol=1e-2)


def test_the_networks_given_keep_their_weights():
    networks = forge_networks(1)
    before = {name: copy.deepcopy(network.state()) for name, network in networks.items()}
    DigitForge(**networks)
    for name, network in networks.items():
        assert all(
            np.array_equal(before[name][key], array) for key, array in network.state().items()
        )


def test_a_mixture_ends_at_both_digits():
    widget = draw(np.random.default_rng(0))
    widget.walk = [0, 0]
    at = {0: (widget.first, widget.digit), 1: (widget.second, widget.other)}
    for mix, (noise, digit) in at.items():
        expected = np.concatenate([noise, np.eye(10)[digit]])
        np.testing.assert_allclose(widget.input_at(mix), expected)
    middle = widget.input_at(0.5)
    np.testing.assert_allclose(middle, (widget.input_at(0) + widget.input_at(1)) / 2)
    widget.walk = [3, 0]
    moved = widget.input_at(0) - np.concatenate([widget.first, np.eye(10)[widget.digit]])
    assert np.linalg.norm(moved) == pytest.approx(3, abs=1e-3)


def test_a_generator_of_the_book_is_packed_small():
    widget = DigitForge(conditional_generator(rng=0), conditional_discriminator(rng=0))
    assert widget.packed_bytes["generator"] <= 150_000
    assert widget.packed_bytes["discriminator"] <= 75_000


def test_examples_are_test_digits_by_default():
    widget = DigitForge(**FORGE)
    digits = mnist()
    first = digits.x_test[int(np.argmax(digits.y_test == 0))]
    assert len(widget.examples) == 10
    np.testing.assert_array_equal(widget.pixels, np.rint(255 * first[0]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("digit", 10),
        ("other", -1),
        ("mix", 1.5),
        ("first", [0.0] * 4),
        ("second", [float("nan")] * 5),
        ("walk", [0.0, 4.0]),
        ("walk", [0.0]),
        ("pixels", np.full((28, 28), 300)),
        ("pen", 5),
    ],
)
def test_refuses_what_it_cannot_show(name, value):
    widget = DigitForge(**FORGE)
    before = widget.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert widget.state == before


def test_networks_that_the_page_cannot_compute():
    generator, discriminator = FORGE["generator"], FORGE["discriminator"]
    with pytest.raises(TypeError, match="generator must be a ConditionalGenerator"):
        DigitForge(discriminator, discriminator)
    with pytest.raises(TypeError, match="discriminator must be a ConditionalDiscriminator"):
        DigitForge(generator, conditional_discriminator(planes=True))
    with pytest.raises(ValueError, match="bits must be from 2 to 16"):
        DigitForge(generator, discriminator, bits=17)
    odd = ConditionalGenerator(Sequential(Linear(15, 4), UnitLength(), Linear(4, 784)))
    with pytest.raises(ValueError, match="generator: model may be made of Conv2d"):
        DigitForge(odd, discriminator)
    flat = ConditionalGenerator(Sequential(Linear(15, 784), ReLU(), Flatten()))
    with pytest.raises(ValueError, match=re.escape("generator must make (1, 28, 28)")):
        DigitForge(flat, discriminator)
    with pytest.raises(ValueError, match="examples must be up to 10 pictures"):
        DigitForge(generator, discriminator, examples=np.zeros((11, 28, 28)))


def test_the_plain_form_tells_the_same():
    widget = DigitForge(**FORGE, digit=4, mix=0.25)
    text = html.unescape(re.sub("<[^>]*>", " ", widget.plain()))
    assert "The generator's 4, mixed with 0.25 of a 8" in text
    assert all(f"{value:.4f}".rstrip("0")[:5] in text for value in widget.judgement)


# --- On a page -----------------------------------------------------------------------------------

INK = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) => ({
  ink: (() => {
    const canvas = place.querySelector(".cb-forge-result canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i + 3] / 255);
  })(),
  d: Number(place.querySelector(".cb-forge-result canvas").dataset.d),
  answers: [...place.querySelectorAll(".cb-chance")].map((row) => Number(row.dataset.value)),
})))
"""


def test_the_page_makes_and_judges_what_the_package_does(show):
    rng = np.random.default_rng(3)
    networks = [forge_networks(seed) for seed in range(12)]
    widgets = [draw(rng, **pair) for pair in networks]
    visit = show(widgets)
    seen = json.loads(visit.page.evaluate(INK))
    assert visit.errors == [] and len(seen) == 12
    for pair, widget, found in zip(networks, widgets, seen, strict=True):
        picture, says = by_package(pair, widget)
        np.testing.assert_allclose(found["ink"], picture.ravel(), atol=1e-2)
        np.testing.assert_allclose(found["ink"], widget.output.ravel(), atol=4e-3)
        np.testing.assert_allclose(found["answers"], says, atol=1e-2)
        np.testing.assert_allclose(found["answers"], widget.judgement, atol=1e-5)
        label = widget.digit if widget.mix < 0.5 else widget.other
        assert found["d"] == pytest.approx(widget.judge(widget.output)[label], abs=1e-4)


def test_layers_of_the_page_are_those_of_the_package(open_page):
    """Every layer by itself, with numbers that are not rounded."""
    widget = DigitForge(**forge_networks(5), bits=16)
    page = open_page().page
    page.add_script_tag(content=bundle.script("digit_forge.js"))
    x = widget.input_at(0.4).astype(np.float32)
    found = page.evaluate(
        """([layers, x]) => {
          const { readLayers, runLayers } = modules["kit/network.js"];
          return runLayers(readLayers(layers, [x.length]), Float32Array.from(x)).map((y) => [...y]);
        }""",
        [widget.networks["generator"], x.tolist()],
    )
    y = x[None]
    for layer, shown in zip(widget.generator, found[1:], strict=True):
        y = layer(y)
        np.testing.assert_allclose(shown, y.ravel(), atol=1e-4)


def test_digits_noise_walk_and_mixture_are_chosen(show):
    widget = DigitForge(**FORGE)
    visit = show([widget])
    page = visit.page

    def ink():
        return np.array(json.loads(page.evaluate(INK))[0]["ink"])

    page.get_by_role("button", name="First digit: make a 7").click()
    widget.digit = 7
    np.testing.assert_allclose(ink(), widget.output.ravel(), atol=4e-3)
    page.get_by_label("Walk through the noise").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    widget.walk = [0.5, -0.25]
    np.testing.assert_allclose(ink(), widget.output.ravel(), atol=4e-3)
    page.get_by_role("button", name="50 % of the way").click()
    widget.mix = 0.5
    np.testing.assert_allclose(ink(), widget.output.ravel(), atol=4e-3)
    page.get_by_role("slider", name="from the first to the second").fill("1")
    widget.mix = 1.0
    np.testing.assert_allclose(ink(), widget.output.ravel(), atol=4e-3)
    before = ink()
    page.get_by_role("button", name="Second digit: draw another noise").click()
    assert abs(ink() - before).max() > 0.01
    page.get_by_role("button", name="Back to the start").click()
    first = DigitForge(**FORGE)
    np.testing.assert_allclose(ink(), first.output.ravel(), atol=4e-3)
    box = page.locator(".cb-walk").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    first.walk = [1.5, 0]
    np.testing.assert_allclose(ink(), first.output.ravel(), atol=2e-2)
    assert visit.errors == []


def test_a_drawing_is_judged(show):
    visit = show([DigitForge(**FORGE)])
    page = visit.page

    def answers():
        return json.loads(page.evaluate(INK))[0]["answers"]

    start = answers()
    box = page.locator(".cb-pad").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=10)
    page.mouse.up()
    assert answers() != start
    page.get_by_role("button", name="Clear the pad").click()
    assert answers() == [0] * 10
    assert "Draw a digit" in page.locator(".cb-judged").text_content()
    page.get_by_role("button", name="Real digit 3").click()
    digits = mnist()
    third = digits.x_test[int(np.argmax(digits.y_test == 3))]
    widget = DigitForge(**FORGE, pixels=third)
    np.testing.assert_allclose(answers(), widget.judgement, atol=1e-5)
    page.get_by_role("button", name="Let the discriminator judge this picture below").click()
    widget.pixels = np.rint(255 * widget.output).astype(int)
    np.testing.assert_allclose(answers(), widget.judgement, atol=1e-3)
    assert visit.errors == []


def test_on_a_telephone(show):
    visit = show([DigitForge(**FORGE)], viewport=NARROW, is_mobile=True, has_touch=True)
    page = visit.page
    page.get_by_role("button", name="First digit: make a 5").tap()
    assert page.locator(".cb-forge-result canvas").get_attribute("data-label") == "5"
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    small = page.locator("button").evaluate_all(
        "(all) => all.filter((b) => { const r = b.getBoundingClientRect();"
        " return b.checkVisibility() && (r.width < 24 || r.height < 24); }).length"
    )
    assert small == 0
