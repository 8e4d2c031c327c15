"""ColourExplorer: the page colours and judges as the package does, and how it is used."""

import base64
import html
import json
import re
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.layers import Conv2d, Sequential
from convbook.losses import probability
from convbook.models.pix2pix import PairDiscriminator, patch_discriminator, picture_generator
from convbook.models.unet import unet
from convbook.widgets import ColourExplorer
from convbook.widgets.stored_unet import for_page, from_page, rounded, run, steps_of
from helpers.figures import COLOURS, colour_arguments, small_unet
from helpers.pages import NARROW, open_widgets

WAYS = ("alone", "GAN", "truth")
STROKE = {"shade": 30, "size": 7, "cells": [[3, 4], [4, 4], [5, 20]]}


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


# --- In Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [small_unet, lambda: picture_generator(1, base=3, depth=1, rng=0)])
def test_a_stored_network_comes_back(make):
    steps = rounded(steps_of(make()), 5)
    back = from_page(json.loads(json.dumps(for_page(steps))))
    x = np.random.default_rng(0).standard_normal((2, 1, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(run(back, x), run(steps, x))
    assert for_page(back) == for_page(steps)


def test_a_stored_network_that_was_cut_is_refused():
    stored = for_page(rounded(steps_of(small_unet()), 5))
    fewer = stored | {"sizes": base64.b64encode(base64.b64decode(stored["sizes"])[:-4]).decode()}
    with pytest.raises(ValueError, match="fewer numbers than its shapes tell"):
        from_page(fewer)
    with pytest.raises(ValueError, match="more numbers than its shapes tell"):
        from_page(stored | {"steps": stored["steps"][:-1]})


def test_rounding_changes_hardly_anything():
    arguments = colour_arguments(3)
    widget = ColourExplorer(**arguments, chosen=1, weight=2, strokes=[STROKE])
    generator = arguments["generators"][100].eval()
    np.testing.assert_allclose(widget.made(100.0), generator(widget.input), atol=0.02)
    assert widget.error() < 0.005
    judge = arguments["discriminator"]
    for name, colours in widget.colours.items():
        grey = widget.grey[1][None] if name == "truth" else widget.input
        np.testing.assert_allclose(
            widget.judgements[name], probability(judge(colours, grey))[0, 0], atol=0.01
        )


def test_the_networks_of_the_chapter_are_packed_small():
    stored = for_page(rounded(steps_of(picture_generator(rng=0)), 6))
    assert len(base64.b64decode(stored["codes"])) < 50_000


def test_stored_networks_are_taken_too():
    arguments = colour_arguments(1, bits=5)
    stored = {
        name: json.loads(json.dumps(for_page(rounded(steps_of(network), 5))))
        for name, network in {"alone": arguments["alone"], **arguments["generators"]}.items()
    }
    again = ColourExplorer(
        stored.pop("alone"), stored, arguments["discriminator"], arguments["photographs"]
    )
    first = ColourExplorer(**arguments)
    for name in WAYS:
        np.testing.assert_array_equal(again.pictures[name], first.pictures[name])
    assert again.state["networks"] == first.state["networks"]


def test_paint_covers_discs():
    widget = ColourExplorer(**COLOURS)
    clean = widget.painted
    widget.strokes = [{"shade": 255, "size": 3, "cells": [[0, 0], [10, 10]]}]
    changed = np.argwhere(widget.painted != clean).tolist()
    disc = [[r, c] for r in range(9, 12) for c in range(9, 12)]
    corner = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert changed == corner + disc
    assert (widget.painted[10, 9:12] == 1).all()
    np.testing.assert_array_equal(widget.input[0, :, 5, 5], widget.painted[10:12, 10:12].ravel())
    np.testing.assert_allclose(widget.pictures["truth"], widget.bytes[0] / 255, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chosen", 3),
        ("weight", 3),
        ("shade", 256),
        ("pen", 0),
        ("strokes", [{"shade": 0, "size": 3}]),
        ("strokes", [STROKE | {"cells": [[32, 0]]}]),
        ("strokes", [STROKE | {"cells": [[0.5, 0]]}]),
        ("strokes", [STROKE | {"shade": 300}]),
        ("strokes", [STROKE] * 201),
    ],
)
def test_refuses_what_it_cannot_show(name, value):
    widget = ColourExplorer(**COLOURS)
    before = widget.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert widget.state == before


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"alone": unet(4, 3, 2, 1, rng=0)}, ValueError, r"generator alone must make \(2, 16, 16"),
        ({"generators": {8: unet(4, 1, 2, 1)}}, ValueError, "of λ = 8 must make"),
        ({"generators": {}}, TypeError, "generators must be a dict with 1 to 6 networks"),
        ({"alone": Sequential(Conv2d(4, 2, 5, padding=2))}, ValueError, "model may be made of"),
        ({"discriminator": unet(3, 1, 2, 1)}, TypeError, "discriminator must be a PairDisc"),
        (
            {"discriminator": patch_discriminator(channels=2, batch_norm=True)},
            ValueError,
            "discriminator may be made of Conv2d and LeakyReLU",
        ),
        (
            {"discriminator": PairDiscriminator(Sequential(Conv2d(6, 2, 3, padding=1)))},
            ValueError,
            r"discriminator must make \(1, 16, 16\)",
        ),
        ({"photographs": np.zeros((2, 1, 32, 32))}, ValueError, "photographs must be 1 to 16"),
        ({"photographs": np.full((1, 3, 32, 32), 2.0)}, ValueError, "photographs must be 1 to"),
        ({"names": ["one"]}, ValueError, "names must be 3, one for each photograph, got 1"),
        ({"bits": 9}, ValueError, "bits must be from 2 to 8"),
    ],
)
def test_what_does_not_fit_is_named(change, error, said):
    with pytest.raises(error, match=said):
        ColourExplorer(**(COLOURS | change))


def test_the_plain_form_tells_the_same():
    widget = ColourExplorer(**COLOURS, weight=1)
    text = html.unescape(re.sub("<[^>]*>", " ", widget.plain()))
    assert "and with λ = 30" in text
    for measure in widget.measures.values():
        assert all(f"{v:.4f}".rstrip("0")[:5] in text for v in measure.values())


# --- On a page -----------------------------------------------------------------------------------

SEEN = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) =>
  Object.fromEntries([...place.querySelectorAll(".cb-colour-view")].map((view) => {
    const canvas = view.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 32, 32);
    const rgb = [0, 1, 2].map((c) => Array.from({ length: 1024 }, (_, i) => data[4 * i + c] / 255));
    return [view.dataset.way, { rgb, ...view.dataset }];
  }))))
"""


def agrees(seen, widget):
    """Check what a page shows against what Python computes."""
    for way in WAYS:
        found, expected = seen[way], widget.pictures[way]
        np.testing.assert_allclose(
            np.array(found["rgb"]).reshape(3, 32, 32), expected, atol=4e-3, err_msg=way
        )
        assert float(found["d"]) == pytest.approx(widget.judgements[way].mean(), abs=1e-4)
        if way != "truth":
            for key, value in widget.measures[way].items():
                assert float(found[key]) == pytest.approx(value, abs=1e-4)


def test_the_page_colours_and_judges_as_the_package(show):
    rng = np.random.default_rng(5)
    widgets = [
        ColourExplorer(
            **colour_arguments(seed),
            chosen=int(rng.integers(3)),
            weight=int(rng.integers(3)),
            patches=bool(rng.integers(2)),
            strokes=[
                {
                    "shade": int(rng.integers(256)),
                    "size": int(rng.integers(1, 16)),
                    "cells": rng.integers(0, 32, (4, 2)).tolist(),
                }
                for _ in range(seed % 3)
            ],
        )
        for seed in range(8)
    ]
    visit = show(widgets)
    found = json.loads(visit.page.evaluate(SEEN))
    assert visit.errors == [] and len(found) == 8
    for seen, widget in zip(found, widgets, strict=True):
        agrees(seen, widget)


def test_photograph_weight_paint_and_keys(show):
    widget = ColourExplorer(**COLOURS)
    visit = show([widget])
    page = visit.page

    def seen():
        return json.loads(page.evaluate(SEEN))[0]

    page.get_by_role("button", name="Photograph: photograph 3").click()
    widget.chosen = 2
    agrees(seen(), widget)
    page.get_by_role("slider", name="λ").fill("2")
    widget.weight = 2
    agrees(seen(), widget)
    assert "λ = 100" in page.locator(".cb-colour").text_content()

    pad = page.get_by_label("The grey picture.")
    page.get_by_role("slider", name="shade").fill("10")
    box = pad.bounding_box()
    at = [
        (box["x"] + (c + 0.5) * box["width"] / 32, box["y"] + 16.5 * box["height"] / 32)
        for c in (5, 12)
    ]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1])
    page.mouse.up()
    widget.strokes = [{"shade": 10, "size": 5, "cells": [[16, c] for c in range(5, 13)]}]
    agrees(seen(), widget)

    pad.focus()
    for key in ("ArrowUp", "Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    widget.strokes = [
        *widget.strokes, {"shade": 10, "size": 5, "cells": [[15, 16], [15, 17], [15, 18]]},
    ]  # fmt: skip
    agrees(seen(), widget)
    page.keyboard.press("Backspace")
    widget.strokes = widget.strokes[:1]
    agrees(seen(), widget)
    page.get_by_role("button", name="Remove all that was painted").click()
    widget.strokes = []
    agrees(seen(), widget)

    page.get_by_label("what D says of each patch").check()
    veil = page.locator(".cb-colour-veil").first
    assert veil.is_visible() and veil.evaluate("(c) => [c.width, c.height]") == [8, 8]
    page.get_by_role("button", name="Back to the start").click()
    widget = ColourExplorer(**COLOURS)
    agrees(seen(), widget)
    assert not veil.is_visible() and visit.errors == []


def test_on_a_telephone(show):
    visit = show([ColourExplorer(**COLOURS)], viewport=NARROW, is_mobile=True, has_touch=True)
    page = visit.page
    page.get_by_role("button", name="Photograph: photograph 2").tap()
    page.get_by_label("The grey picture.").tap()
    assert page.locator(".cb-paint").get_attribute("data-strokes") == "1"
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    small = page.locator("button").evaluate_all(
        "(all) => all.filter((b) => { const r = b.getBoundingClientRect();"
        " return b.checkVisibility() && (r.width < 24 || r.height < 24); }).length"
    )
    assert small == 0 and visit.errors == []
