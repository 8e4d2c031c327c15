"""UnpoolExplorer: positions, what is put back, and what it costs are the package's."""

import numpy as np
import pytest
import traitlets

from convbook.functional import (
    max_pool2d,
    max_pool2d_indices,
    max_unpool2d,
    output_size,
    upsample2d,
)
from convbook.widgets import UnpoolExplorer
from helpers.explorers import assert_same, numbers, show_on_pages
from helpers.pages import NARROW, open_widgets, read, values

EDGE = [[0, 0, 9, 0], [0, 0, 0, 9], [0, 0, 0, 9], [0, 0, 0, 0]]


# --- In Python -----------------------------------------------------------------------------------


def test_values_are_the_packages():
    w = UnpoolExplorer(x=numbers(np.random.default_rng(0), 6, 7), kernel_size=3, stride=2)
    x = np.asarray(w.x)[None, None]
    np.testing.assert_array_equal(w.pooled, max_pool2d(x, 3, 2)[0, 0])
    indices = max_pool2d_indices(x, 3, 2)
    np.testing.assert_array_equal(w.indices, indices[0, 0])
    back = max_unpool2d(w.pooled[None, None], indices, (6, 7))[0, 0]
    np.testing.assert_array_equal(w.unpooled, back)
    np.testing.assert_array_equal(w.repeated, upsample2d(w.pooled[None, None], 3)[0, 0])
    w.same, w.z = False, [[1, 2, 3], [4, 5, 6]]
    back = max_unpool2d(np.array(w.z)[None, None], indices, (6, 7))[0, 0]
    np.testing.assert_array_equal(w.unpooled, back)


def test_maxima_come_back_to_their_places():
    w = UnpoolExplorer(x=EDGE)
    assert w.unpooled.tolist() == [[0, 0, 9, 0], [0, 0, 0, 0], [0, 0, 0, 9], [0, 0, 0, 0]]
    assert w.repeated.tolist() == np.kron([[0, 9], [0, 9]], np.ones((2, 2))).tolist()


def test_z_takes_the_shape_of_the_output():
    w = UnpoolExplorer(z=[[5]])
    assert w.z == [[5, 1], [1, 1]]
    w.kernel_size = 4
    assert w.z == [[5]] and w.indices.shape == (1, 1)


def test_a_window_that_does_not_fit_is_said():
    w = UnpoolExplorer(x=[[1, 2]])
    assert "positions" not in w.plain() and "window 2 × 2" in w.plain()
    with pytest.raises(ValueError):
        w.pooled
    assert UnpoolExplorer().plain().count("<table>") == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", np.ones((9, 1))), ("kernel_size", 5), ("stride", 0), ("same", 2), ("z", [[np.inf]]),
     ("row", 8)],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = UnpoolExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == UnpoolExplorer().state


# --- On a page -----------------------------------------------------------------------------------


def draw(rng):
    """Draw the arguments of an explorer."""
    return {
        "x": numbers(rng, *rng.integers(1, 9, 2)),
        "kernel_size": int(rng.integers(1, 5)),
        "stride": int(rng.integers(1, 5)),
        "same": bool(rng.integers(2)),
        "z": numbers(rng, *rng.integers(1, 9, 2)),
        "row": int(rng.integers(8)),
        "col": int(rng.integers(8)),
    }


def test_shows_what_the_package_computes(tmp_path, serve, open_page):
    rng = np.random.default_rng(2)
    widgets = [UnpoolExplorer(**draw(rng)) for _ in range(75)]
    fitting = 0
    for w, page in zip(widgets, show_on_pages(tmp_path, serve, open_page, widgets), strict=True):
        assert_same(page["matrices"]["Input X"], w.x)
        if min(np.shape(w.x)) < w.kernel_size:
            assert "does not fit" in page["message"] and "Pooled Y" not in page["matrices"]
            continue
        fitting += 1
        assert_same(page["matrices"]["Pooled Y"], w.pooled)
        assert_same(page["matrices"]["Positions"], w.indices)
        assert_same(page["matrices"]["Numbers Z that are put back"], w.pooled if w.same else w.z)
        assert_same(page["matrices"]["Unpooled U"], w.unpooled)
        if w.stride == w.kernel_size:
            assert_same(page["matrices"]["Repeated R"], w.repeated)
        else:
            assert "Repeated R" not in page["matrices"]
        oh, ow = w.pooled.shape
        assert (oh, ow) == tuple(output_size(n, w.kernel_size, w.stride) for n in np.shape(w.x))
        row, col = min(w.row, oh - 1), min(w.col, ow - 1)
        assert f"= {w.indices[row, col]}" in page["sum"]
        bits = int(np.ceil(np.log2(w.kernel_size**2)))
        assert f"together {int(np.ceil(oh * ow * bits / 8))} byte" in page["formula"][0]
        assert f"{np.size(w.x) * 4} bytes" in page["formula"][0]
    assert fitting > 40


def test_editing_and_stepping(tmp_path, open_page):
    seen = open_widgets(tmp_path, open_page, [UnpoolExplorer(x=EDGE)])
    page, place = seen.page, seen.page.locator(".convbook-widget")
    w = UnpoolExplorer(x=EDGE)
    page.get_by_label("X row 3, column 0").fill("4")
    w.x = [*EDGE[:3], [4, 0, 0, 0]]
    assert_same(read(place)["matrices"]["Unpooled U"], w.unpooled)
    assert place.locator("input[type=checkbox]").is_checked()
    page.get_by_label("Z row 0, column 1").fill("-2")
    assert not place.locator("input[type=checkbox]").is_checked()
    w.same, w.z = False, [[0, -2], [4, 9]]
    assert_same(read(place)["matrices"]["Unpooled U"], w.unpooled)
    page.get_by_label("X row 3, column 0").fill("7")  # Z keeps the numbers of its own
    assert values(read(place)["matrices"]["Numbers Z that are put back"]) == [[0, -2], [4, 9]]
    place.locator("input[type=checkbox]").check()
    assert values(read(place)["matrices"]["Numbers Z that are put back"]) == [[0, 9], [7, 9]]
    page.get_by_role(
        "button", name="One step forward"
    ).click()  # the cell typed in was row 0, col 1
    assert "at position 3 · 4 + 0 = 12" in read(place)["sum"]
    page.locator("select").select_option("overlap")
    assert "the last one's number stays" in place.locator(".cb-remark").inner_text()
    page.get_by_role("slider", name="window").fill("4")
    page.get_by_role("slider", name="stride").fill("4")
    assert np.shape(values(read(place)["matrices"]["Positions"])) == (1, 1)
    assert seen.errors == []


def test_narrow_screen(tmp_path, open_page):
    page = open_widgets(
        tmp_path, open_page, [UnpoolExplorer(x=np.ones((8, 8)))], viewport=NARROW, has_touch=True
    ).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("table[aria-label='Positions'] td").nth(5).tap()
    assert "position 2 · 8 + 2 = 18" in page.locator(".cb-sum").inner_text()
