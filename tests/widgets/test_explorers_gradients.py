"""The gradients that the explorers show on a page are those that `convbook.functional` computes."""

import json
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import expect

from convbook import functional as F
from convbook.widgets import ConvGradientExplorer, GradientCheckFigure, PoolGradientExplorer
from convbook.widgets.base import output_shape
from convbook.widgets.gradient_check import FUNCTIONS, STEPS, TYPES
from helpers.explorers import (
    assert_partly_same,
    assert_same,
    drawn,
    numbers,
    reached,
    show_on_pages,
)
from helpers.pages import NARROW, marked, number, read, settle, values, write_widget_page


@pytest.fixture
def show(tmp_path, serve, open_page):
    """A function that puts widgets on pages of their own and returns what each of them shows."""
    return partial(show_on_pages, tmp_path, serve, open_page)


# --- Convolution ---------------------------------------------------------------------------------

PADDED_X = "Input X with its padding"
PADDED_DX = "Gradient dX with what falls on the padding"


def draw_convolution(rng):
    """Draw the arguments of a ConvGradientExplorer over all that it allows."""
    case = {
        "x": numbers(rng, *rng.integers(1, 7, 2)),
        "f": numbers(rng, *rng.integers(1, 5, 2)),
        "stride": int(rng.choice([1, 1, 2, 3, 4])),
        "padding": int(rng.integers(3)),
        "mode": str(rng.choice(["x", "f"])),
        "view": str(rng.choice(["one", "all"])),
        "row": int(rng.integers(6)),
        "col": int(rng.integers(6)),
        "step": int(rng.choice([0, 1, 2, 3, 5, 8, 12, 99])),
    }
    shape = output_shape(case["x"].shape, case["f"].shape, case["stride"], case["padding"])
    return case | {"dy": numbers(rng, *np.maximum(shape, 1))}


def convolution_fits(case):
    """Whether the filter fits into the padded input."""
    return min(output_shape(case["x"].shape, case["f"].shape, case["stride"], case["padding"])) > 0


def as_batch(array):
    return np.asarray(array, float)[None, None]


def gradients_with_ring(w, dy):
    """Return dX of the padded input, ring included, and dF."""
    padded = np.pad(np.asarray(w.x, float), w.padding)
    dx, df, _ = F.conv2d_backward(as_batch(dy), as_batch(padded), as_batch(w.f), w.stride)
    return dx[0, 0], df[0, 0]


def inner(matrix, w):
    """Return the part of an array, or of a matrix that was read, that lies inside the padding."""
    height, width = np.shape(w.x)
    return np.asarray(matrix)[w.padding :, w.padding :][:height, :width]


def test_conv_gradient_explorer(show):
    cases = drawn(draw_convolution, convolution_fits)
    widgets = [ConvGradientExplorer(**case) for case in cases]
    kinds = set()
    for case, w, shown in zip(cases, widgets, show(widgets), strict=True):
        matrices = shown["matrices"]
        if not convolution_fits(case):
            assert "does not fit" in shown["message"]
            assert not any(label.startswith("Gradient") for label in matrices)
            continue
        assert shown["message"] == ""
        kinds.add((w.mode, w.view))
        padded = np.pad(np.asarray(w.x, float), w.padding)
        unread = ~reached(padded.shape, np.shape(w.f), w.stride, 1)
        assert_same(matrices["Gradient dY"], w.dy)
        if PADDED_X in matrices:
            assert_same(matrices[PADDED_X], padded)
            np.testing.assert_array_equal(marked(matrices[PADDED_X], "unreached"), unread)
        if "Filter F" in matrices:
            assert_same(matrices["Filter F"], w.f)
        assert number(shown["formula"][0].rpartition("= ")[2]) == printed(w.db)
        check = {"one": check_one_element, "all": check_whole_array}[w.view]
        check(w, shown, matrices)
    assert len(kinds) == 4


def check_one_element(w, shown, matrices):
    """One element is written out, and what it is made of is lit."""
    x, f, dy = (np.asarray(value, float) for value in (w.x, w.f, w.dy))
    row, col = np.minimum([w.row, w.col], np.array((x if w.mode == "x" else f).shape) - 1)
    alone = np.zeros((x if w.mode == "x" else f).shape)
    alone[row, col] = 1
    lit = {name: np.array(marked(m, "window")) for name, m in matrices.items()}
    if w.mode == "x":
        dx, _ = gradients_with_ring(w, dy)
        assert_close(matrices[PADDED_DX], dx)
        assert_inside(matrices[PADDED_DX], w)
        assert np.argwhere(inner(marked(matrices[PADDED_DX], "picked"), w)).tolist() == [[row, col]]
        assert number(shown["result"]) == printed(w.dx[row, col])
        # The outputs that change with this element, whatever the weights are.
        feeds = F.conv2d(as_batch(alone), np.ones((1, 1, *f.shape)), None, w.stride, w.padding)[
            0, 0
        ]
        np.testing.assert_array_equal(lit["Gradient dY"], feeds != 0)
        assert lit["Filter F"].sum() == np.count_nonzero(feeds)
    else:
        assert_close(matrices["Gradient dF"], w.df)
        assert np.argwhere(marked(matrices["Gradient dF"], "picked")).tolist() == [[row, col]]
        assert number(shown["result"]) == printed(w.df[row, col])
        met = np.zeros(np.add(x.shape, 2 * w.padding), bool)
        met[row :: w.stride, col :: w.stride][: dy.shape[0], : dy.shape[1]] = True
        np.testing.assert_array_equal(lit[PADDED_X], met)


def check_whole_array(w, shown, matrices):
    """After so many steps, so many blocks are there, and the gradient has grown so far."""
    x, f, dy = (np.asarray(value, float) for value in (w.x, w.f, w.dy))
    outer = dy.shape if w.mode == "x" else f.shape
    steps = min(w.step + 1, outer[0] * outer[1])
    filled = (np.arange(outer[0] * outer[1]) < steps).reshape(outer)
    if w.mode == "x":
        assert PADDED_X not in matrices
        dx, _ = gradients_with_ring(w, np.where(filled, dy, 0))
        assert_close(matrices[PADDED_DX], dx)
        blocks, name = dy[:, :, None, None] * f, "dX̃"
        if filled.all():
            assert_inside(matrices[PADDED_DX], w)
    else:
        assert "Filter F" not in matrices
        assert_partly_same(matrices["Gradient dF"], w.df, filled)
        cols = F.im2col(as_batch(x), f.shape, w.stride, w.padding).reshape(*dy.shape, *f.shape)
        blocks, name = cols.transpose(2, 3, 0, 1), "X̂"
        (last,) = np.argwhere(filled)[-1:]
        assert number(shown["result"]) == printed(w.df[tuple(last)])
    for i, j in np.ndindex(outer):
        whole = np.full(blocks.shape[2:], filled[i, j])
        assert_partly_same(matrices[f"{name}[{i}, {j}]"], blocks[i, j], whole)


def printed(value):
    """What a number that was printed with two decimals may be."""
    return pytest.approx(value, rel=1e-9, abs=0.0051)


def assert_inside(matrix, w):
    """What is left of dX without the padding is the package's."""
    np.testing.assert_allclose(inner(values(matrix), w), w.dx, rtol=1e-10, atol=1e-10)


def assert_close(matrix, expected):
    """A matrix on the page holds the expected sums, apart from the rounding of another order."""
    scale = max(1, np.abs(expected).max())
    np.testing.assert_allclose(values(matrix), expected, rtol=1e-12, atol=1e-11 * scale)


# --- Pooling -------------------------------------------------------------------------------------


def draw_pooling(rng):
    """Draw the arguments of a PoolGradientExplorer; every other input has many ties."""
    size = rng.integers(1, 9, 2)
    case = {
        "x": rng.integers(0, 3, size) if rng.integers(2) else numbers(rng, *size),
        "kind": str(rng.choice(["max", "average"])),
        "kernel_size": int(rng.integers(1, 5)),
        "stride": int(rng.integers(1, 5)),
        "row": int(rng.integers(8)),
        "col": int(rng.integers(8)),
    }
    shape = output_shape(size, (case["kernel_size"],) * 2, case["stride"])
    return case | {"dy": numbers(rng, *np.maximum(shape, 1))}


def pooling_fits(case):
    """Whether the window fits into the input."""
    return bool(case["kernel_size"] <= min(case["x"].shape))


def test_pool_gradient_explorer(show):
    cases = drawn(draw_pooling, pooling_fits)
    widgets = [PoolGradientExplorer(**case) for case in cases]
    for case, w, shown in zip(cases, widgets, show(widgets), strict=True):
        matrices = shown["matrices"]
        assert_same(matrices["Input X"], w.x)
        if not pooling_fits(case):
            assert "does not fit" in shown["message"]
            assert not any(label.startswith("Gradient") for label in matrices)
            continue
        assert shown["message"] == ""
        assert_same(matrices["Gradient dY"], w.dy)
        x, k, s = np.asarray(w.x, float), w.kernel_size, w.stride
        row, col = np.minimum([w.row, w.col], np.array(np.shape(w.dy)) - 1)
        for kind, backward in [("max", F.max_pool2d_backward), ("average", F.avg_pool2d_backward)]:
            dx = backward(as_batch(w.dy), as_batch(x), k, s)[0, 0]
            assert_close(matrices[f"Gradient dX of {kind} pooling"], dx)
            if kind == w.kind:
                np.testing.assert_allclose(w.dx, dx)
        window = np.zeros(x.shape, bool)
        window[row * s :, col * s :][:k, :k] = True
        np.testing.assert_array_equal(marked(matrices["Input X"], "window"), window)
        np.testing.assert_array_equal(
            marked(matrices["Gradient dX of average pooling"], "window"), window
        )
        first = np.argmax(np.where(window, x, -np.inf))  # of equal ones the first
        for label in ("Input X", "Gradient dX of max pooling"):
            assert np.flatnonzero(marked(matrices[label], "best")).tolist() == [first]
        taker = first if w.kind == "max" else np.flatnonzero(window)[0]
        assert number(shown["result"]) == printed(w.dx.ravel()[taker])


# --- Numerical differentiation -------------------------------------------------------------------

CURVES = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) =>
  Object.fromEntries(["forward", "central"].map((name) => [
    name, [...place.querySelectorAll(`.cb-point.${name}[data-step]`)].map(
      (point) => [Number(point.dataset.step), Number(point.dataset.value)])]))))
"""


def test_gradient_check_figure(tmp_path, open_page):
    """The curves on the page and in NumPy differ at most by the last bits of the functions."""
    widgets = [
        GradientCheckFigure(function=function, precision=precision)
        for function in FUNCTIONS for precision in TYPES
    ]  # fmt: skip
    write_widget_page(tmp_path, widgets)
    seen = open_page()
    seen.page.goto((tmp_path / "widgets.html").as_uri())
    settle(seen.page)
    curves = json.loads(seen.page.evaluate(CURVES))
    assert seen.errors == []
    for w, curve in zip(widgets, curves, strict=True):
        expected = w.errors
        f, x, derivative, _ = FUNCTIONS[w.function]
        one_bit = np.finfo(w.precision).eps * abs(f(x, float)) / STEPS / abs(derivative)
        for name in ("forward", "central"):
            h, error = np.array(curve[name]).T
            np.testing.assert_array_equal(h, STEPS)
            if w.function == "cube":  # products only: the same bits everywhere
                np.testing.assert_array_equal(error, expected[name])
            assert (np.abs(error - expected[name]) <= 4 * one_bit).all()
            truncation = expected[name] > 100 * one_bit
            assert truncation.sum() >= 3
            np.testing.assert_allclose(error[truncation], expected[name][truncation], rtol=0.05)


# --- In use --------------------------------------------------------------------------------------


@pytest.fixture
def put(tmp_path, open_page):
    """A function that puts one widget on a page and returns the page and the widget's locator."""

    def start(widget, **options):
        write_widget_page(tmp_path, [widget])
        page = open_page(**options).page
        page.goto((tmp_path / "widgets.html").as_uri())
        settle(page)
        return page, page.locator(".convbook-widget")

    return start


def cell(place, label, row, col):
    grid = place.get_by_role("grid", name=label, exact=True)
    return grid.locator("tr").nth(row).locator("td").nth(col)


def test_choosing_an_element(put):
    page, place = put(ConvGradientExplorer(padding=1))
    cell(place, PADDED_X, 2, 2).hover()  # x11, inside the ring
    assert "∂E/∂x11 =" in read(place)["sum"]
    cell(place, PADDED_X, 3, 2).locator("input").click()
    assert "∂E/∂x21 =" in read(place)["sum"]
    page.keyboard.press("ArrowRight")
    assert "∂E/∂x22 =" in read(place)["sum"]
    for _ in range(5):  # stops in front of the padding
        page.keyboard.press("ArrowRight")
    assert "∂E/∂x23 =" in read(place)["sum"]
    page.keyboard.type("50")
    cell(place, PADDED_DX, 0, 0).click()  # the ring is never chosen
    shown = read(place)
    assert "∂E/∂x23 =" in shown["sum"]
    assert values(shown["matrices"][PADDED_X])[3][4] == 50
    place.get_by_role("button", name="gradient: dF").click()
    cell(place, "Gradient dF", 1, 0).hover()
    assert "∂E/∂f10 =" in read(place)["sum"]


def test_the_padded_input_is_reached_by_keyboard(put):
    page, place = put(ConvGradientExplorer(padding=2))
    cell(place, PADDED_X, 2, 2).locator("input[tabindex='0']").focus()
    page.keyboard.press("ArrowUp")
    first = cell(place, PADDED_X, 2, 2).locator("input")
    expect(first).to_be_focused()


@pytest.mark.parametrize("make", [ConvGradientExplorer, PoolGradientExplorer])
def test_dy_follows_the_output(put, make):
    page, place = put(make())
    cell(place, "Gradient dY", 0, 1).locator("input").fill("-2.5")
    place.get_by_label("stride S").fill("1" if make is PoolGradientExplorer else "2")
    dy = read(place)["matrices"]["Gradient dY"]
    size = 3 if make is PoolGradientExplorer else 2
    assert np.shape(values(dy)) == (size, size)
    assert values(dy)[0][1] == -2.5
    if make is PoolGradientExplorer:
        assert values(dy)[2] == [1, 1, 1]
    place.get_by_role("button", name="Back to the start").click()
    assert_same(read(place)["matrices"]["Gradient dY"], make().dy)


def test_building_the_whole_array(put):
    page, place = put(ConvGradientExplorer())
    place.get_by_role("button", name="show: whole array").click()
    for _ in range(8):
        place.get_by_role("button", name="One step forward").click()
    assert_same(read(place)["matrices"][PADDED_DX], ConvGradientExplorer().dx)


@pytest.mark.parametrize("mode", ["x", "f"])
@pytest.mark.parametrize("view", ["one", "all"])
def test_every_example_draws(put, mode, view):
    page, place = put(ConvGradientExplorer(mode=mode, view=view))
    examples = place.get_by_label("Example")
    for name in examples.locator("option").evaluate_all("all => all.map((o) => o.value)")[1:]:
        examples.select_option(name)
        assert examples.input_value() == name
        assert read(place)["message"] == ""


def test_a_tie_is_said(put):
    page, place = put(PoolGradientExplorer())
    examples = place.get_by_label("Example")
    for name in examples.locator("option").evaluate_all("all => all.map((o) => o.value)")[1:]:
        examples.select_option(name)
        assert examples.input_value() == name
        assert ("A tie: 5 stands in the window 4 times." in place.inner_text()) == (name == "ties")
        assert ("The windows overlap" in place.inner_text()) == (name == "overlap")
    page, place = put(PoolGradientExplorer(x=np.zeros((2, 2)), kind="average"))
    assert "A tie" not in place.inner_text()


def test_tapping(put):
    page, place = put(ConvGradientExplorer(), viewport=NARROW, has_touch=True, is_mobile=True)
    cell(place, PADDED_DX, 1, 2).tap()
    assert "∂E/∂x12 =" in read(place)["sum"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_choosing_a_step(put):
    page, place = put(GradientCheckFigure(step=1e-3))
    slider = place.get_by_role("slider", name="step δ")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "5·10⁻⁴"
    picture = place.locator("svg.cb-plot")
    assert picture.get_attribute("role") == "img"
    assert "in proportion to δ squared" in picture.get_attribute("aria-label")
    box = picture.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 13, box["y"] + 100)
    assert slider.get_attribute("aria-valuetext") == "1"
    place.get_by_role("button", name="Compute in float32").click()
    w = GradientCheckFigure(precision="float32", step=1)
    printed = place.locator(".cb-digits").all_inner_texts()
    for text, quotient in zip(printed[3:5], w.quotients, strict=True):
        assert float(text) == pytest.approx(quotient, rel=1e-8)
