"""RoiExplorer: what it makes of a box is the package's, cell by cell and sample by sample."""

import json

import numpy as np
import pytest
import traitlets

from convbook.detection import roi_align, roi_max_pool
from convbook.widgets import RoiExplorer
from helpers.explorers import PER_PAGE, assert_same, numbers
from helpers.pages import NARROW, open_widgets, read_all, values

RAMP = np.tile(np.arange(8), (6, 1))


# --- In Python -----------------------------------------------------------------------------------


def test_values_are_the_packages():
    w = RoiExplorer(
        x=numbers(np.random.default_rng(0), 5, 7), box=(-9, 3, 41, 60), stride=8, size=3
    )
    arguments = np.asarray(w.x, float)[None, None], [w.box], [0], 3, 1 / 8
    np.testing.assert_array_equal(w.pooled, roi_max_pool(*arguments)[0, 0])
    np.testing.assert_array_equal(w.aligned, roi_align(*arguments)[0, 0])
    w.samples = 3
    np.testing.assert_array_equal(w.aligned, roi_align(*arguments, 3)[0, 0])


def test_a_ramp_says_where_it_was_read():
    for shift in range(16):
        w = RoiExplorer(x=RAMP, box=(16, 16 + shift, 80, 80 + shift), size=4)
        np.testing.assert_allclose(w.aligned, np.tile(np.arange(4) + 1 + shift / 16, (4, 1)))
        assert (w.pooled == np.round(w.pooled)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", np.zeros((9, 2))), ("box", (5, 5, 5, 9)), ("box", (0, 0, 600, 9)), ("box", [1]),
     ("stride", 0), ("stride", 33), ("size", 5), ("samples", 4), ("kind", "mean"), ("row", 4),
     ("col", -1)],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = RoiExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == RoiExplorer().state


def test_plain_form():
    plain = RoiExplorer().plain()
    assert "RoI max pooling" in plain and "RoIAlign" in plain and plain.count("<table>") == 3


# --- On a page -----------------------------------------------------------------------------------

MAP = """
(places) => JSON.stringify(places.map((place) => ({
  cells: [...place.querySelectorAll("[data-cell]")].map((cell) => cell.dataset.cell),
  result: Number(place.querySelector(".cb-result").dataset.value),
  away: Number(place.querySelector(".cb-roi-away").dataset.away),
  points: [...place.querySelectorAll(".cb-roi-point.mine")].length,
  region: (() => {
    const r = place.querySelector(".cb-roi-region");
    return r && ["y", "x", "height", "width"].map((name) => Number(r.getAttribute(name)));
  })(),
})))
"""


def draw(rng):
    """Draw the arguments of an explorer: any map, and boxes that may reach over its border."""
    shape, stride = rng.integers(1, 9, 2), int(rng.integers(1, 33))
    corner = rng.integers(-stride, max(shape) * stride, 2)
    size = rng.integers(1, 5 * stride + 1, 2)
    return {
        "x": numbers(rng, *shape),
        "box": [int(v) for v in (*corner, *(corner + size))],
        "stride": stride,
        "size": int(rng.integers(1, 5)),
        "samples": int(rng.integers(1, 4)),
        "kind": ["max", "align"][rng.integers(2)],
        "row": int(rng.integers(4)),
        "col": int(rng.integers(4)),
    }


def test_shows_what_the_package_computes(tmp_path, open_page):
    rng = np.random.default_rng(7)
    widgets = [RoiExplorer(**draw(rng)) for _ in range(PER_PAGE)]
    seen = open_widgets(tmp_path, open_page, widgets)
    maps = json.loads(seen.page.locator(".convbook-widget").evaluate_all(MAP))
    for w, page, drawn in zip(widgets, read_all(seen.page), maps, strict=True):
        assert_same(page["matrices"]["RoI max pooling"], w.pooled)
        np.testing.assert_allclose(values(page["matrices"]["RoIAlign"]), w.aligned, atol=1e-9)
        at = min(w.row, w.size - 1), min(w.col, w.size - 1)
        expected = (w.pooled if w.kind == "max" else w.aligned)[at]
        assert drawn["result"] == pytest.approx(expected, abs=1e-9)
        assert set(drawn["cells"]) == cells_with_a_share(w, at), w.state
        assert drawn["points"] == (0 if w.kind == "max" else w.samples**2)
    assert seen.errors == []


def cells_with_a_share(w, at):
    """Return the cells on which one part depends, found by changing each of them alone."""
    x, found = np.asarray(w.x, float), set()
    for r, c in np.ndindex(x.shape):
        changed = np.zeros_like(x)
        changed[r, c] = 1
        one = RoiExplorer(**{**w.state, "x": changed})
        if (one.pooled if w.kind == "max" else one.aligned)[at] > 0:
            found.add(f"{r},{c}")
    return found


def test_the_displacement_is_told(tmp_path, open_page):
    # Cells 1 to 6 in place of 1.25 to 5.25, and 1 to 6 in place of 1 to 5: (0.5, 0.25) cells.
    seen = open_widgets(tmp_path, open_page, [RoiExplorer(x=RAMP, box=(16, 20, 80, 84))])
    (drawn,) = json.loads(seen.page.locator(".convbook-widget").evaluate_all(MAP))
    assert drawn["away"] == pytest.approx(16 * np.hypot(0.5, 0.25))
    assert drawn["region"] == [8, 8, 40, 40]  # eight units of the drawing for a cell
    text = seen.page.locator(".cb-formula").inner_text()
    assert "0.5 lower and 0.25 further right" in text and "8.9 pixels" in text


def test_controls_and_keys(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [RoiExplorer(box=(20, 20, 60, 80))]).page
    state = RoiExplorer(box=(20, 20, 60, 80))

    def shown():
        (matrices,) = [widget["matrices"] for widget in read_all(page)]
        return np.array(values(matrices["RoIAlign"]))

    page.locator(".cb-board").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft", "Shift+ArrowRight"):
        page.keyboard.press(key)
    state.box = (22, 19, 62, 80)
    np.testing.assert_allclose(shown(), state.aligned, atol=1e-9)
    page.get_by_role("slider", name="parts").fill("3")
    page.get_by_role("slider", name="samples").fill("1")
    state.size, state.samples = 3, 1
    np.testing.assert_allclose(shown(), state.aligned, atol=1e-9)
    page.get_by_role("button", name="Draw where RoIAlign samples").click()
    for _ in range(4):
        page.get_by_role("button", name="One step forward").click()
    (drawn,) = json.loads(page.locator(".convbook-widget").evaluate_all(MAP))
    assert drawn["result"] == pytest.approx(state.aligned[1, 1])
    page.locator("table[aria-label='RoI max pooling'] td").nth(2).click()
    (drawn,) = json.loads(page.locator(".convbook-widget").evaluate_all(MAP))
    assert drawn["result"] == state.pooled[0, 2] and drawn["points"] == 0
    page.locator("select").select_option("ramp")
    np.testing.assert_allclose(
        shown(), RoiExplorer(x=RAMP, box=(16, 20, 80, 84), size=3, samples=1).aligned, atol=1e-9
    )
    # A coarser picture, the same place on the map.
    page.get_by_role("slider", name="pixels a cell").fill("4")
    np.testing.assert_allclose(
        shown(),
        RoiExplorer(x=RAMP, box=(4, 5, 20, 21), stride=4, size=3, samples=1).aligned,
        atol=1e-9,
    )


def test_the_box_is_dragged(tmp_path, open_page):
    page = open_widgets(
        tmp_path, open_page, [RoiExplorer(x=RAMP, box=(16, 16, 80, 80))], viewport=NARROW
    ).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    board = page.locator(".cb-board").bounding_box()
    pixel = board["width"] / 128
    x, y = board["x"] + 48 * pixel, board["y"] + 48 * pixel
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 9 * pixel, y - 8 * pixel)
    page.mouse.up()
    (matrices,) = [widget["matrices"] for widget in read_all(page)]
    np.testing.assert_allclose(
        values(matrices["RoIAlign"]), RoiExplorer(x=RAMP, box=(8, 25, 72, 89)).aligned, atol=1e-9
    )
