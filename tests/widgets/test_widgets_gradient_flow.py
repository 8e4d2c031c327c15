"""GradientFlowExplorer: the same network in Python and on a page, what it shows, and its use."""

import math

import numpy as np
import pytest
import traitlets

from convbook.layers import BatchNorm2d, Residual
from convbook.widgets import GradientFlowExplorer
from convbook.widgets.gradient_flow import KINDS, MOST_LAYERS, normal_number, seeded_random
from helpers.pages import NARROW, open_widgets

SHOWN = """
(place) => {
  const shown = (plot, kind) => [...plot.querySelectorAll(`[data-kind=${kind}]`)];
  const read = (plot) => Object.fromEntries(["plain", "residual"].map((kind) =>
    [kind, shown(plot, kind).map((p) => Number(p.dataset.value))]));
  return Object.fromEntries([...place.querySelectorAll("svg[data-quantity]")].map((plot) =>
    [plot.dataset.quantity, read(plot)]));
}
"""


def drawn_explorer(rng):
    return GradientFlowExplorer(
        depth=2 * int(rng.integers(2, 31)),
        norm=bool(rng.integers(2)),
        scale=float(np.exp(rng.uniform(np.log(0.25), np.log(4)))),
        seed=int(rng.integers(1000)),
        show=("both", *KINDS)[int(rng.integers(3))],
        layer=int(rng.integers(59)),
    )


def assert_shown(shown, w):
    """The plots hold what Python computes."""
    for kind in KINDS:
        there = w.show in ("both", kind)
        rows = w.sizes(kind) if there else []
        for quantity, curves in shown.items():
            np.testing.assert_allclose(curves[kind], [row[quantity] for row in rows], rtol=1e-7)


# --- In Python -----------------------------------------------------------------------------------


def test_the_networks_are_those_of_the_words():
    w = GradientFlowExplorer(depth=20)
    plain, x, labels = w.network("plain")
    residual, x_too, _ = w.network("residual")
    assert np.array_equal(x, x_too) and x.shape == (8, 6, 6, 6) and set(labels) <= set(range(4))
    pairs = list(zip(plain.params.values(), residual.params.values()))
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert len([a for a, _ in pairs if a.ndim > 1]) == 20
    assert not any(isinstance(layer, Residual) for layer in plain.walk())
    assert sum(isinstance(layer, Residual) for layer in residual.walk()) == 9
    assert len(w.sizes("plain")) == 19
    w.norm = False
    bare = w.network("plain")[0]
    assert not any(isinstance(layer, BatchNorm2d) for layer in bare.walk())
    assert np.array_equal(bare.params["0.f"], plain.params["0.f"])
    w.scale = 2
    assert np.allclose(w.network("plain")[0].params["0.f"], 2 * plain.params["0.f"])


def test_the_random_numbers_are_normal():
    random = seeded_random(5)
    numbers = np.array([normal_number(random) for _ in range(20_000)])
    assert abs(numbers.mean()) < 0.03 and abs(numbers.std() - 1) < 0.02
    assert abs((numbers**3).mean()) < 0.1 and abs((numbers**4).mean() - 3) < 0.2


@pytest.mark.slow
def test_what_the_chapter_says_of_it():
    w = GradientFlowExplorer(depth=38)
    for seed in range(3):
        w.seed = seed
        ratios = {}
        for kind in KINDS:
            rows = w.sizes(kind)
            ratios[kind] = rows[0]["weights"] / rows[-1]["weights"]
        assert ratios["plain"] > 5 * ratios["residual"] > 15
    w.norm, w.scale = False, 0.5
    rows = w.sizes("plain")
    assert rows[-1]["signal"] < rows[0]["signal"] / 2**20
    # Whatever the signal loses, its gradient lacks at the other end: their product stays.
    products = [row["weights"] for row in rows]
    assert max(products) < 100 * min(products)


def test_batch_norm_takes_the_scale_out():
    w = GradientFlowExplorer(depth=12, scale=1)
    ones = w.sizes("plain")
    w.scale = 2
    for one, two in zip(ones, w.sizes("plain")):
        assert two["signal"] == pytest.approx(2 * one["signal"], rel=1e-3)
        assert two["weights"] == pytest.approx(one["weights"] / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", 2),
        ("depth", 62),
        ("depth", 21),
        ("depth", 20.0),
        ("show", "deep"),
        ("norm", "yes"),
        ("scale", 0),
        ("scale", 5),
        ("scale", math.nan),
        ("seed", -1),
        ("layer", MOST_LAYERS - 1),
    ],
)
def test_refuses_what_it_cannot_show(name, value):
    with pytest.raises(traitlets.TraitError):
        GradientFlowExplorer(**{name: value})


def test_refuses_another_kind_of_network():
    with pytest.raises(ValueError, match="kind must be one of"):
        GradientFlowExplorer().sizes("dense")


def test_the_plain_form_has_the_numbers():
    w = GradientFlowExplorer(depth=20)
    plain = w.plain()
    assert plain.count("<tr>") == 8 and "residual: signal" in plain
    assert f"<td>{w.sizes('plain')[0]['signal']:.1e}</td>" in plain
    w.show = "residual"
    assert "plain: signal" not in w.plain()


# --- On a page -----------------------------------------------------------------------------------


def test_the_page_shows_what_python_computes(tmp_path, open_page):
    rng = np.random.default_rng(7)
    widgets = [GradientFlowExplorer(), *(drawn_explorer(rng) for _ in range(24))]
    visit = open_widgets(tmp_path, open_page, widgets)
    places = visit.page.locator(".convbook-widget")
    for k, w in enumerate(widgets):
        assert_shown(places.nth(k).evaluate(SHOWN), w)
    assert (visit.errors, visit.outside) == ([], [])


def test_by_hand_on_the_page(tmp_path, open_page):
    visit = open_widgets(tmp_path, open_page, [GradientFlowExplorer()])
    page, place = visit.page, visit.page.locator(".convbook-widget")
    place.get_by_role("slider", name="depth").press("End")
    w = GradientFlowExplorer(depth=60)
    assert_shown(place.evaluate(SHOWN), w)
    place.get_by_label("batch normalisation").uncheck()
    place.get_by_role("slider", name="initial filters").press("ArrowLeft")
    place.get_by_role("button", name="Draw other pictures").click()
    w = GradientFlowExplorer(depth=60, norm=False, scale=0.9, seed=1)
    assert_shown(place.evaluate(SHOWN), w)
    place.get_by_role("button", name="Show the plain network alone").click()
    w.show = "plain"
    assert_shown(place.evaluate(SHOWN), w)
    verdict = place.locator("[data-verdict]").all_inner_texts()
    assert len(verdict) == 1 and verdict[0].startswith("Plain: from the first layer")
    place.get_by_role("slider", name="layer").press("End")
    assert "Layer 59, plain: signal" in place.locator(".cb-remark").inner_text()
    plot = place.locator("svg[data-quantity]").first.bounding_box()
    page.mouse.click(plot["x"] + 43, plot["y"] + 60)
    assert "Layer 1, plain: signal" in place.locator(".cb-remark").inner_text()
    place.get_by_role("button", name="Back to the start").click()
    assert_shown(place.evaluate(SHOWN), GradientFlowExplorer())
    assert (visit.errors, visit.outside) == ([], [])


def test_the_numbers_written_out(tmp_path, open_page):
    w = GradientFlowExplorer(depth=60, norm=False, scale=0.25, show="plain", layer=58)
    visit = open_widgets(tmp_path, open_page, [w])
    row = w.sizes("plain")[58]
    said = visit.page.locator(".cb-remark").inner_text()
    digits = f"{row['signal']:.1e}".split("e")[0].removesuffix(".0")
    assert f"signal {digits}·10⁻" in said
    label = visit.page.locator("svg[data-quantity=gradient]").get_attribute("aria-label")
    assert label.startswith("Gradient by the signal over the layers, logarithmic. plain: ")


@pytest.mark.parametrize("width", [390, 1280])
def test_fits_the_page_and_a_finger(tmp_path, open_page, width):
    options = {"viewport": NARROW | {"width": width}, "has_touch": width < 500}
    visit = open_widgets(tmp_path, open_page, [GradientFlowExplorer()], **options)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for target in page.locator(".convbook-widget :is(button, input)").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 17
    if width < 500:
        plot = page.locator("svg[data-quantity]").first
        box = plot.bounding_box()
        plot.tap(position={"x": box["width"] - 10, "y": 50})
        assert "Layer 37, plain" in page.locator(".cb-remark").inner_text()
