"""SignalExplorer and SlicesExplorer: what they compute, in Python and on a page, and their use."""

import html
import re
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.widgets import SignalExplorer, SlicesExplorer
from convbook.widgets.signal import heartbeat
from convbook.widgets.slices import ball_and_rod
from helpers.pages import NARROW, open_widgets


def signal_by_hand(x, f, bias, stride, padding):
    x = np.pad(np.array(x, float), padding)
    return [
        sum(x[i + k] * f[k] for k in range(len(f))) + bias
        for i in range(0, len(x) - len(f) + 1, stride)
    ]


def slices_by_hand(x, f):
    sizes = [n - k + 1 for n, k in zip(x.shape, f.shape)]
    y = np.zeros(sizes)
    for t, h, w in np.ndindex(*sizes):
        y[t, h, w] = (x[t : t + f.shape[0], h : h + f.shape[1], w : w + f.shape[2]] * f).sum()
    return y


def drawn_signal(rng):
    """Return a SignalExplorer in some setting in which the filter fits."""
    taps, padding = int(rng.integers(1, 10)), int(rng.integers(0, 4))
    length = int(rng.integers(max(1, taps - 2 * padding), 97))
    fraction = 4 if rng.integers(2) else 1
    return SignalExplorer(
        x=rng.integers(-9, 10, length) / fraction,
        f=rng.integers(-5, 6, taps) / fraction,
        bias=float(rng.integers(-3, 4)),
        stride=int(rng.integers(1, 5)),
        padding=padding,
        step=int(rng.integers(0, 100)),
    )


def drawn_slices(rng):
    """Return a SlicesExplorer in some setting in which the filter fits."""
    kernel = rng.integers(1, 6, 3)
    shape = [int(rng.integers(k, 11)) for k in kernel]
    x = rng.normal(size=shape) if rng.integers(2) else rng.integers(0, 4, shape)
    return SlicesExplorer(
        x,
        f=rng.integers(-4, 5, kernel),
        axis=("depth", "time")[int(rng.integers(2))],
        **{name: int(rng.integers(0, 12)) for name in ("step", "row", "col")},
    )


def clamped(widget):
    """Return the output cell that a SlicesExplorer shows."""
    return tuple(
        min(i, n - 1) for i, n in zip((widget.step, widget.row, widget.col), widget.output.shape)
    )


# --- In Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_outputs_are_sums_of_products(seed):
    rng = np.random.default_rng(seed)
    w = drawn_signal(rng)
    np.testing.assert_allclose(
        w.output, signal_by_hand(w.x, w.f, w.bias, w.stride, w.padding), atol=1e-12
    )
    w = drawn_slices(rng)
    np.testing.assert_allclose(w.output, slices_by_hand(w.x, np.array(w.f)), atol=1e-12)


def test_pytorch_gives_the_same():
    torch = pytest.importorskip("torch")
    for seed in range(10):
        rng = np.random.default_rng(seed)
        w = drawn_signal(rng)
        x, f = (torch.tensor(np.array(v, float))[None, None] for v in (w.x, w.f))
        theirs = torch.conv1d(x, f, stride=w.stride, padding=w.padding)[0, 0] + w.bias
        np.testing.assert_allclose(w.output, theirs, atol=1e-12)
        w = drawn_slices(rng)
        x, f = (torch.tensor(np.array(v, float))[None, None] for v in (w.x, w.f))
        np.testing.assert_allclose(w.output, torch.conv3d(x, f)[0, 0], atol=1e-12)


def test_the_first_examples():
    w = SignalExplorer()
    assert len(w.x) == 64 and np.array_equal(w.x, heartbeat())
    top = np.argsort(w.output)[-3:] + 2  # the three beats, in the middle of their windows
    assert sorted(top.tolist()) == [12, 33, 52]
    w = SlicesExplorer()
    assert w.output[4, 2, 2] == w.output[4, 7, 7] == 9  # a single slice cannot tell them apart
    w.f = np.array([-1, 2, -1])[:, None, None] * np.ones((3, 3))
    assert w.output[3, 2, 2] == 8 and w.output[3, 7, 7] == 0


def test_what_travels_is_rounded_to_half_a_step():
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    assert abs(SlicesExplorer(x).x - x).max() <= abs(x).max() / 254 + 1e-9
    assert np.array_equal(SlicesExplorer().x, ball_and_rod())


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (SignalExplorer, "x", np.zeros((2, 3))),
        (SignalExplorer, "x", np.zeros(97)),
        (SignalExplorer, "x", []),
        (SignalExplorer, "f", np.zeros(10)),
        (SignalExplorer, "f", [1, float("inf")]),
        (SignalExplorer, "stride", 0),
        (SignalExplorer, "padding", 9),
        (SignalExplorer, "step", -1),
        (SlicesExplorer, "f", np.zeros((3, 3))),
        (SlicesExplorer, "f", np.zeros((6, 1, 1))),
        (SlicesExplorer, "axis", "width"),
        (SlicesExplorer, "step", 32),
        (SlicesExplorer, "row", 1.5),
    ],
)
def test_refuses_what_it_cannot_show(cls, name, value):
    w = cls()
    before = w.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == before


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        (np.zeros((3, 3)), ValueError, "3 axes"),
        (np.zeros((33, 2, 2)), ValueError, "at most 32"),
        (np.full((2, 2, 2), np.nan), ValueError, "finite"),
        (np.zeros((2, 0, 2)), ValueError, "x"),
        (np.array([[["a"]]]), TypeError, "x must hold"),
    ],
)
def test_volumes_that_cannot_be_shown(x, error, said):
    with pytest.raises(error, match=said):
        SlicesExplorer(x)


@pytest.mark.parametrize(
    "widget",
    [
        SignalExplorer(x=[1, 2], f=[1, 2, 3]),
        SlicesExplorer(np.ones((2, 5, 5)), f=np.ones((3, 1, 1))),
        SlicesExplorer(np.ones((5, 2, 5)), f=np.ones((1, 3, 1))),
    ],
)
def test_a_filter_that_does_not_fit_is_said(widget):
    with pytest.raises(ValueError):
        _ = widget.output
    assert "<p>" in widget.plain()


def test_the_plain_form_holds_the_output():
    w = SignalExplorer(x=[1, 2, 4, 8, 16], f=[-1, 1], stride=2)
    text = html.unescape(re.sub("<[^>]*>", " ", w.plain()))
    assert re.search(r"Y\s+1 × 2\s+1\s+4\s", text) and "stride 2" in text
    w = SlicesExplorer(step=20)
    assert "slice 8 of 9" in html.unescape(w.plain())


# --- On a page -----------------------------------------------------------------------------------

SIGNALS = """
() => [...document.querySelectorAll(".convbook-widget")].map((place) => ({
  values: [...place.querySelectorAll("[data-output]")].map((e) => Number(e.dataset.value)),
  result: Number(place.querySelector(".cb-result").dataset.value),
}))
"""
SLICES = """
() => [...document.querySelectorAll(".convbook-widget")].map((place) => ({
  values: [...place.querySelector(".cb-slice-out canvas").values],
  result: Number(place.querySelector(".cb-result").dataset.value),
}))
"""


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


def test_the_page_computes_the_same_signals(show):
    rng = np.random.default_rng(1)
    widgets = [drawn_signal(rng) for _ in range(120)]
    visit = show(widgets)
    for widget, seen in zip(widgets, visit.page.evaluate(SIGNALS), strict=True):
        y = widget.output
        np.testing.assert_allclose(seen["values"], y, atol=1e-9)
        assert seen["result"] == pytest.approx(y[min(widget.step, len(y) - 1)], abs=1e-9)
    assert visit.errors == []


def test_the_page_computes_the_same_slices(show):
    rng = np.random.default_rng(2)
    widgets = [drawn_slices(rng) for _ in range(120)]
    visit = show(widgets)
    for widget, seen in zip(widgets, visit.page.evaluate(SLICES), strict=True):
        step, row, col = clamped(widget)
        np.testing.assert_allclose(seen["values"], widget.output[step].ravel(), atol=1e-4)
        assert seen["result"] == pytest.approx(widget.output[step, row, col], abs=1e-4)
    assert visit.errors == []


def chosen(page):
    return page.locator("select").evaluate_all("(all) => all.map((e) => e.value)")


def slider(page, label):
    return page.locator(f"label:has-text('{label}') input[type=range]")


def test_a_signal_by_mouse_and_keyboard(show):
    widget = SignalExplorer()
    page = show([widget]).page
    assert chosen(page) == ["heart", "peak"]

    plot = page.locator(".cb-signal")
    dot = page.locator("[data-output='31']").bounding_box()
    plot_box = plot.bounding_box()
    page.mouse.move(dot["x"] + dot["width"] / 2, plot_box["y"] + 60)
    page.mouse.down()
    assert page.evaluate(SIGNALS)[0]["result"] == pytest.approx(widget.output[31])
    dot = page.locator("[data-output='10']").bounding_box()
    page.mouse.move(dot["x"] + dot["width"] / 2, plot_box["y"] + 60, steps=4)
    page.mouse.up()
    assert page.evaluate(SIGNALS)[0]["result"] == pytest.approx(widget.output[10])

    plot.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate(SIGNALS)[0]["result"] == pytest.approx(widget.output[11])
    slider(page, "output").press("Home")
    assert page.evaluate(SIGNALS)[0]["result"] == pytest.approx(widget.output[0])


def test_a_filter_is_typed_in_and_lengthened(show):
    widget = SignalExplorer()
    page = show([widget]).page
    page.get_by_label("F row 0, column 2").fill("−2,5")
    page.get_by_role("button", name="FW: one more").click()
    widget.f = [-1, -1, -2.5, -1, -1, 0]
    np.testing.assert_allclose(page.evaluate(SIGNALS)[0]["values"], widget.output)
    assert chosen(page) == ["heart", "own"]
    slider(page, "stride S").press("ArrowRight")
    widget.stride = 2
    np.testing.assert_allclose(page.evaluate(SIGNALS)[0]["values"], widget.output)
    page.get_by_role("button", name="Back to the start").click()
    shown = page.evaluate(SIGNALS)[0]["values"]
    np.testing.assert_allclose(shown, SignalExplorer().output, atol=1e-12)


def test_every_signal_and_filter_can_be_chosen(show):
    page = show([SignalExplorer(stride=2, padding=1)]).page
    for signal in ("tone", "steps", "click", "heart"):
        page.locator("select").nth(0).select_option(signal)
        for name in ("step", "change", "average", "wave", "copy", "peak"):
            page.locator("select").nth(1).select_option(name)
            assert page.locator(".cb-message").text_content() == ""
            assert chosen(page) == [signal, name]


def test_a_signal_too_short_for_its_filter(show):
    visit = show([SignalExplorer(x=[1, 2], f=[1, 2, 3])])
    message = visit.page.locator(".cb-message")
    assert "does not fit" in message.text_content()
    slider(visit.page, "padding P").press("ArrowRight")
    assert message.text_content() == ""
    assert visit.page.evaluate(SIGNALS)[0]["values"] == [8, 5]
    assert visit.errors == []


def test_slices_by_mouse_and_keyboard(show):
    widget = SlicesExplorer(step=4)
    page = show([widget]).page
    canvas = page.locator(".cb-slice-out canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 2.5 * box["width"] / 10, box["y"] + 3.5 * box["height"] / 10)
    assert page.evaluate(SLICES)[0]["result"] == pytest.approx(widget.output[4, 3, 2])
    assert "row 3, column 2" in canvas.get_attribute("aria-label")
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate(SLICES)[0]["result"] == pytest.approx(widget.output[4, 1, 3])
    slider(page, "depth").press("ArrowRight")
    assert page.evaluate(SLICES)[0]["result"] == pytest.approx(widget.output[5, 1, 3])
    # A point of an input is the middle of the window.
    box = page.locator(".cb-slices canvas").first.bounding_box()
    page.mouse.move(box["x"] + 3.5 * box["width"] / 12, box["y"] + 3.5 * box["height"] / 12)
    assert page.evaluate(SLICES)[0]["result"] == pytest.approx(widget.output[5, 2, 2])


@pytest.mark.parametrize("axis", ["depth", "time"])
def test_every_filter_of_slices_can_be_chosen(show, axis):
    widget = SlicesExplorer(axis=axis)
    visit = show([widget])
    for name in visit.page.locator("option").evaluate_all(
        "(all) => all.map((o) => o.value).filter((v) => v !== 'own')"
    ):
        visit.page.locator("select").select_option(name)
        assert chosen(visit.page) == [name]
        widget.f = visit.page.evaluate(
            "() => [...document.querySelectorAll('.cb-slice:not([hidden]) table')].map((t) =>"
            " [...t.rows].map((r) => [...r.cells].map((c) => Number(c.dataset.value))))"
        )
        np.testing.assert_allclose(
            visit.page.evaluate(SLICES)[0]["values"], widget.output[0].ravel(), atol=1e-4
        )
    assert visit.errors == []


def test_a_filter_for_slices_is_typed_in_and_grows(show):
    widget = SlicesExplorer()
    page = show([widget]).page
    page.get_by_label("F[0] row 1, column 1").fill("-8")
    page.get_by_role("button", name="FT: one more").click()
    page.get_by_label("F[1] row 0, column 2").fill("3")
    f = np.ones((2, 3, 3))
    f[1] = 0
    f[0, 1, 1], f[1, 0, 2] = -8, 3
    widget.f = f
    np.testing.assert_allclose(
        page.evaluate(SLICES)[0]["values"], widget.output[0].ravel(), atol=1e-4
    )
    shapes = page.locator(".cb-shapes").text_content()
    assert shapes == "X: 9 × 12 × 12 · F: 2 × 3 × 3 · Y: 8 × 10 × 10"


def test_slices_too_few_for_the_filter(show):
    visit = show([SlicesExplorer(np.ones((2, 5, 5)), f=np.ones((2, 1, 1)))])
    visit.page.get_by_role("button", name="FT: one more").click()
    assert "does not fit" in visit.page.locator(".cb-message").text_content()
    visit.page.get_by_role("button", name="FT: one less").click()
    assert visit.page.locator(".cb-message").text_content() == ""
    assert visit.errors == []


def test_playing_goes_through_the_film(show):
    page = show([SlicesExplorer(axis="time")]).page
    page.get_by_role("button", name="Play all steps").click()
    page.wait_for_function("() => document.querySelector('.cb-slice-out b').textContent === 'Y[2]'")
    page.get_by_role("button", name="Play all steps").click()


def test_on_a_telephone(show):
    widgets = [
        SignalExplorer(),
        SlicesExplorer(f=np.ones((3, 3, 3))),
        SlicesExplorer(f=np.ones((5, 5, 5)), axis="time"),
    ]
    page = show(widgets, viewport=NARROW, is_mobile=True, has_touch=True).page
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    small = page.locator("button, td, select, input[type=range]").evaluate_all(
        "(all) => all.filter((e) => { const r = e.getBoundingClientRect();"
        " return r.width && (r.width < 24 || r.height < 24); }).length"
    )
    assert small == 0
    canvas = page.locator(".cb-slice-out canvas").first
    box = canvas.bounding_box()
    canvas.tap(position={"x": 5.5 * box["width"] / 10, "y": 2.5 * box["height"] / 10})
    assert "row 2, column 5" in canvas.get_attribute("aria-label")
