"""TransposeExplorer: all three views show what the package computes, and it is used by hand."""

from functools import partial

import numpy as np
import pytest
import traitlets

from convbook import functional as F
from convbook.widgets import TransposeExplorer, bundle
from helpers.explorers import assert_partly_same, assert_same, drawn, numbers, show_on_pages
from helpers.pages import NARROW, marked, number, open_widgets, read, values


def draw(rng):
    """Draw the arguments of a TransposeExplorer over all that it allows."""
    stride = int(rng.integers(1, 4))
    return {
        "x": numbers(rng, *rng.integers(1, 5, 2)),
        "f": numbers(rng, *rng.integers(1, 5, 2)),
        "stride": stride,
        "padding": int(rng.choice([0, 0, 1, 1, 2, 3])),
        "output_padding": int(rng.integers(stride)),
        "view": str(rng.choice(["dilate", "lay", "matrix"])),
        "row": int(rng.integers(15)),
        "col": int(rng.integers(15)),
        "step": int(rng.integers(16)),
    }


def fits(case):
    """Whether the padding leaves something of the output."""
    size = (np.array(case["x"].shape) - 1) * case["stride"] + case["f"].shape
    return bool((size - 2 * case["padding"] + case["output_padding"] > 0).all())


# --- In Python -----------------------------------------------------------------------------------


def test_the_matrix_is_the_convolutions_and_transposed_it_gives_the_output():
    rng = np.random.default_rng(1)
    for _ in range(40):
        case = draw(rng)
        if not fits(case):
            continue
        w = TransposeExplorer(**case)
        phi, x = w.matrix, np.asarray(w.x, float)
        np.testing.assert_allclose((phi.T @ x.ravel()).reshape(w.output.shape), w.output)
        y = rng.normal(size=w.output.shape)
        there = F.conv2d(y[None, None], np.asarray(w.f, float)[None, None],
                         stride=w.stride, padding=w.padding)[0, 0]  # fmt: skip
        np.testing.assert_allclose((phi @ y.ravel()).reshape(x.shape), there)


def test_a_smaller_stride_makes_the_output_padding_smaller():
    w = TransposeExplorer(stride=3, output_padding=2)
    w.stride = 2
    assert w.output_padding == 1
    w.stride = 1
    assert w.output_padding == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", np.ones((5, 1))), ("f", [[np.nan]]), ("stride", 4), ("stride", 0), ("padding", 4),
     ("output_padding", 1), ("output_padding", 3), ("view", "slide"), ("row", 15), ("step", -1)],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = TransposeExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == TransposeExplorer().state


def test_the_plain_form():
    assert "<b>Y</b> 4 × 4" in TransposeExplorer().plain()
    w = TransposeExplorer(x=[[1]], f=[[1]], padding=1)
    assert "leaves" in w.plain() and "<b>Y</b>" not in w.plain()


# --- On a page -----------------------------------------------------------------------------------


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


def test_the_kit_computes_it(visit, tmp_path):
    (tmp_path / "blank.html").write_text('<!doctype html><html lang="en"><title>Kit</title></html>')
    page = visit((tmp_path / "blank.html").as_uri()).page
    page.evaluate(
        """async (source) => {
          const { default: modules } = await import(URL.createObjectURL(
            new Blob([source], { type: "text/javascript" })));
          window.kit = Object.assign({}, ...Object.values(modules));
        }""",
        bundle.script("kit/arithmetic.js") + "export default modules;",
    )
    cases = drawn(draw, fits)
    results = page.evaluate(
        """(cases) => cases.map((c) => kit.convTranspose2d(
          c.x, c.f, { stride: c.stride, padding: c.padding, outputPadding: c.output_padding }))""",
        [case | {"x": case["x"].tolist(), "f": case["f"].tolist()} for case in cases],
    )
    for case, result in zip(cases, results, strict=True):
        if fits(case):
            y = TransposeExplorer(**case).output
            np.testing.assert_allclose(result, y, rtol=1e-12, atol=1e-11)
        else:
            assert result is None


def test_200_drawn_settings(tmp_path, serve, open_page):
    cases = drawn(draw, fits)
    widgets = [TransposeExplorer(**case) for case in cases]
    for case, w, shown in zip(
        cases, widgets, show_on_pages(tmp_path, serve, open_page, widgets), strict=True
    ):
        matrices = shown["matrices"]
        assert_same(matrices["Input X"], w.x)
        assert_same(matrices["Filter F"], w.f)
        if not fits(case):
            assert "nothing is left" in shown["message"] and "Output Y" not in matrices
            continue
        assert shown["message"] == ""
        x, f, y = np.asarray(w.x, float), np.asarray(w.f, float), w.output.astype(float)
        for (name, size), line in zip((("OH", y.shape[0]), ("OW", y.shape[1])), shown["formula"]):
            assert line.startswith(f"{name} = ") and line.endswith(f" = {size}")
        {"dilate": see_dilated, "lay": see_laid, "matrix": see_matrix}[w.view](
            w, matrices, shown, x, f, y
        )


def cell(w, y):
    return min(w.row, y.shape[0] - 1), min(w.col, y.shape[1] - 1)


def see_dilated(w, matrices, shown, x, f, y):
    """The input pulled apart, padded or cut, convolved with the turned filter, is the output."""
    stretched = np.zeros([(n - 1) * w.stride + 1 for n in x.shape])
    stretched[:: w.stride, :: w.stride] = x
    for axis, size in enumerate(f.shape):
        ring = size - 1 - w.padding
        stretched = np.moveaxis(stretched, axis, 0)
        pad = [(max(ring, 0), max(ring, 0) + w.output_padding), (0, 0)]
        stretched = np.pad(stretched, pad)
        if ring < 0:
            stretched = stretched[-ring : len(stretched) + ring]
        stretched = np.moveaxis(stretched, 0, axis)
    wide = matrices["Input X with zeros between and around"]
    assert_same(wide, stretched)
    assert_same(matrices["Filter F turned"], f[::-1, ::-1])
    again = F.conv2d(stretched[None, None], f[None, None, ::-1, ::-1])[0, 0]
    np.testing.assert_allclose(again, y, atol=1e-9)
    assert_same(matrices["Output Y"], y)
    row, col = cell(w, y)
    assert np.argwhere(marked(matrices["Output Y"], "picked")).tolist() == [[row, col]]
    window = np.zeros(stretched.shape, bool)
    window[row : row + f.shape[0], col : col + f.shape[1]] = True
    np.testing.assert_array_equal(marked(wide, "window"), window)
    assert number(shown["result"]) == pytest.approx(y[row, col], rel=1e-9, abs=0.0051)


def see_laid(w, matrices, shown, x, f, y):
    """After so many steps, so many filters lie there; in the end, the output."""
    step = min(w.step, x.size - 1)
    so_far = np.where(np.arange(x.size).reshape(x.shape) <= step, x, 0)
    ones = np.where(np.arange(x.size).reshape(x.shape) <= step, 1.0, 0)

    def laid(x, f):
        settings = {"stride": w.stride, "output_padding": w.output_padding}
        return F.conv_transpose2d(x[None, None], f[None, None], **settings)[0, 0]

    last = step == x.size - 1
    filled = np.full_like(laid(ones, f), True, bool) if last else laid(ones, np.ones_like(f)) > 0
    canvas = matrices["Filters laid down and added"]
    rows, cols = np.shape(values(canvas))
    all_laid = laid(so_far, f)
    assert all(0 <= a - b <= w.output_padding for a, b in zip(all_laid.shape, (rows, cols)))
    assert_partly_same(canvas, all_laid[:rows, :cols], filled[:rows, :cols])
    p, (oh, ow) = w.padding, y.shape
    part = slice(p, p + oh), slice(p, p + ow)
    assert_partly_same(matrices["Output Y"], all_laid[part], filled[part])
    kept = np.zeros((rows, cols), bool)
    kept[part] = True
    np.testing.assert_array_equal(marked(canvas, "padding"), ~kept)
    if last:
        assert_same(matrices["Output Y"], y)


def see_matrix(w, matrices, shown, x, f, y):
    """The transposed matrix of the convolution, times the input as a column."""
    assert_same(matrices["Transposed matrix"], w.matrix.T)
    assert_same(matrices["Input X as one column"], x.reshape(-1, 1))
    assert_same(matrices["Output Y as one column"], y.reshape(-1, 1))
    assert_same(matrices["Output Y"], y)
    row, col = cell(w, y)
    at = np.zeros((y.size, x.size), bool)
    at[row * y.shape[1] + col] = True
    np.testing.assert_array_equal(marked(matrices["Transposed matrix"], "window"), at)
    assert number(shown["result"]) == pytest.approx(y[row, col], rel=1e-9, abs=0.0051)


def widget_on(page):
    return read(page.locator(".convbook-widget"))


def test_three_views_of_the_same_numbers(show):
    page = show([TransposeExplorer(stride=2, padding=1, output_padding=1, step=15)]).page
    seen = []
    for name in ("dilate and slide", "lay down and add", "transposed matrix"):
        page.get_by_text(name, exact=True).click()
        seen.append(values(widget_on(page)["matrices"]["Output Y"]))
    assert seen[0] == seen[1] == seen[2]


def test_numbers_and_sizes_are_changed_by_hand(show):
    page = show([TransposeExplorer()]).page
    w = TransposeExplorer()
    page.get_by_label("X row 0, column 1").fill("-7.5")
    w.x = [[1, -7.5], [3, 4]]
    assert_same(widget_on(page)["matrices"]["Output Y"], w.output)
    page.get_by_role("button", name="FH: one less").click()
    w.f = w.f[:2]
    assert_same(widget_on(page)["matrices"]["Output Y"], w.output)
    page.get_by_role("slider", name="stride S").fill("3")
    page.get_by_role("slider", name="output padding J").fill("2")
    w.stride, w.output_padding = 3, 2
    assert_same(widget_on(page)["matrices"]["Output Y"], w.output)
    page.get_by_role("slider", name="stride S").fill("1")
    w.stride = 1
    assert_same(widget_on(page)["matrices"]["Output Y"], w.output)
    assert page.get_by_role("slider", name="output padding J").is_disabled()


def test_the_buttons_for_a_size_stand_in_one_line(show):
    page = show([TransposeExplorer()]).page
    assert page.locator(".cb-stepper").evaluate_all(
        "(all) => all.map((each) => new Set([...each.querySelectorAll('button')]"
        ".map((button) => button.offsetTop)).size)"
    ) == [1, 1, 1, 1]


def test_steps_lead_through_each_view(show):
    page = show([TransposeExplorer(view="lay")]).page
    forward = page.get_by_role("button", name="One step forward")
    for step in range(1, 4):
        forward.click()
        see_laid(
            TransposeExplorer(view="lay", step=step), widget_on(page)["matrices"], None,
            np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 1, 1], [2, 0, 1], [-1, -1, 0]]),
            TransposeExplorer().output.astype(float),
        )  # fmt: skip
    page.get_by_text("dilate and slide", exact=True).click()
    for _ in range(5):
        forward.click()
    picked = np.argwhere(marked(widget_on(page)["matrices"]["Output Y"], "picked"))
    assert picked.tolist() == [[1, 1]]
    page.get_by_role("button", name="Back to the start").click()
    assert page.get_by_text("lay down and add", exact=True).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("view", ["dilate", "lay", "matrix"])
def test_on_a_telephone_nothing_sticks_out(show, view):
    w = TransposeExplorer(x=np.ones((4, 4)), f=np.ones((4, 4)), stride=3, view=view)
    page = show([w], viewport=NARROW, is_mobile=True, has_touch=True).page
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
