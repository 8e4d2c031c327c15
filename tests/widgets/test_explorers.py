"""What the explorers show on a page is what `convbook.functional` computes."""

from functools import partial

import numpy as np
import pytest

from convbook import functional as F
from convbook.widgets import (
    AnswerGrid,
    ChannelExplorer,
    ConvolutionExplorer,
    Im2colExplorer,
    PoolingExplorer,
    bundle,
)
from helpers.explorers import (
    assert_partly_same,
    assert_same,
    drawn,
    numbers,
    reached,
    show_on_pages,
)
from helpers.pages import marked, number


@pytest.fixture
def show(tmp_path, serve, open_page):
    """A function that puts widgets on pages of their own and returns what each of them shows."""
    return partial(show_on_pages, tmp_path, serve, open_page)


def draw_convolution(rng):
    """Draw the arguments of a ConvolutionExplorer over all that it allows."""
    return {
        "x": numbers(rng, *rng.integers(1, 9, 2)),
        "f": numbers(rng, *rng.integers(1, 6, 2)),
        "bias": float(numbers(rng)) if rng.integers(2) else 0.0,
        "stride": int(rng.choice([1, 1, 2, 2, 3, 4, 6, 8])),
        "padding": int(rng.integers(5)),
        "dilation": int(rng.choice([1, 1, 1, 2, 2, 3, 5, 7])),
        "row": int(rng.integers(16)),
        "col": int(rng.integers(16)),
    }


def draw_pooling(rng):
    """Draw the arguments of a PoolingExplorer over all that it allows."""
    return {
        "x": numbers(rng, int(rng.integers(1, 4)), *rng.integers(1, 9, 2)),
        "kind": str(rng.choice(["max", "average"])),
        "kernel_size": int(rng.integers(1, 5)),
        "stride": int(rng.integers(1, 5)),
        "channel": int(rng.integers(3)),
        "row": int(rng.integers(8)),
        "col": int(rng.integers(8)),
    }


def convolution_fits(case):
    """Whether the filter, spread by its dilation, fits into the padded input."""
    taps = case["dilation"] * (np.array(case["f"].shape) - 1) + 1
    return bool((taps <= np.array(case["x"].shape) + 2 * case["padding"]).all())


def pooling_fits(case):
    """Whether the window fits into the input."""
    return bool(case["kernel_size"] <= min(case["x"].shape[-2:]))


# --- The shared arithmetic -----------------------------------------------------------------------


@pytest.fixture
def in_kit(visit, tmp_path):
    """A function that evaluates a JavaScript function of (kit, argument) in a browser."""
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
    return lambda function, given: page.evaluate(f"(given) => ({function})(kit, given)", given)


def test_conv2d(in_kit):
    cases = drawn(draw_convolution, convolution_fits)
    results = in_kit(
        "(kit, cases) => cases.map((c) => kit.conv2d(c.x, c.f, c))",
        [case | {"x": case["x"].tolist(), "f": case["f"].tolist()} for case in cases],
    )
    for case, result in zip(cases, results, strict=True):
        if convolution_fits(case):
            x, f, bias = case["x"][None, None], case["f"][None, None], np.array([case["bias"]])
            y = F.conv2d(x, f, bias, case["stride"], case["padding"], case["dilation"])[0, 0]
            np.testing.assert_allclose(result, y, rtol=1e-12, atol=1e-11)
        else:
            assert result is None


@pytest.mark.parametrize("kind, pool", [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_pool2d(in_kit, kind, pool):
    cases = drawn(draw_pooling, pooling_fits)
    results = in_kit(
        f"(kit, cases) => cases.map((c) => kit.pool2d(c.x[0], c.kernel_size, c.stride, '{kind}'))",
        [case | {"x": case["x"].tolist()} for case in cases],
    )
    for case, result in zip(cases, results, strict=True):
        if pooling_fits(case):
            y = pool(case["x"][None], case["kernel_size"], case["stride"])[0, 0]
            np.testing.assert_allclose(result, y, rtol=1e-12, atol=1e-12)
        else:
            assert result is None


def test_output_size(in_kit):
    cases = [
        (size, kernel, stride, padding)
        for size in range(1, 9) for kernel in range(1, 6)
        for stride in range(1, 5) for padding in range(4)
    ]  # fmt: skip
    results = in_kit("(kit, cases) => cases.map((case_) => kit.outputSize(...case_))", cases)
    for case, result in zip(cases, results, strict=True):
        try:
            assert result == F.output_size(*case)
        except ValueError:
            assert result <= 0


def test_padding_and_reached_cells(in_kit):
    rng = np.random.default_rng(3)
    for _ in range(40):
        x = numbers(rng, *rng.integers(1, 9, 2))
        fh, fw, stride, padding, dilation = map(int, rng.integers(1, 4, 5))
        result = in_kit(
            """(kit, { x, fh, fw, stride, padding, dilation }) => {
              const padded = kit.pad2d(x, padding);
              return [padded, kit.reached(...kit.shapeOf(padded), fh, fw, stride, dilation)];
            }""",
            {"x": x.tolist(), "fh": fh, "fw": fw,
             "stride": stride, "padding": padding, "dilation": dilation},
        )  # fmt: skip
        padded = np.pad(x, padding)
        np.testing.assert_array_equal(result[0], padded)
        np.testing.assert_array_equal(result[1], reached(padded.shape, (fh, fw), stride, dilation))


# --- Drawn settings ------------------------------------------------------------------------------


def test_convolution_explorer(show):
    cases = drawn(draw_convolution, convolution_fits)
    widgets = [ConvolutionExplorer(**case) for case in cases]
    for case, w, shown in zip(cases, widgets, show(widgets), strict=True):
        matrices = shown["matrices"]
        X = matrices["Input X with its padding"]
        padded = np.pad(np.asarray(w.x, float), w.padding)
        kernel = np.shape(w.f)
        assert_same(X, padded)
        assert_same(matrices["Filter F"], w.f)
        unread = ~reached(padded.shape, kernel, w.stride, w.dilation)
        np.testing.assert_array_equal(marked(X, "unreached"), unread)
        if not convolution_fits(case):
            assert "does not fit" in shown["message"]
            assert ("Output Y" in matrices, shown["result"]) == (False, "")
            continue
        y = w.output
        assert shown["message"] == ""
        assert_same(matrices["Output Y"], y)
        assert_formula(shown, y.shape)
        row, col = min(w.row, y.shape[0] - 1), min(w.col, y.shape[1] - 1)
        assert np.argwhere(marked(matrices["Output Y"], "picked")).tolist() == [[row, col]]
        assert number(shown["result"]) == pytest.approx(y[row, col], rel=1e-9, abs=0.0051)
        taps = [np.arange(size) * w.dilation for size in kernel]
        window = np.zeros(padded.shape, bool)
        window[np.ix_(row * w.stride + taps[0], col * w.stride + taps[1])] = True
        np.testing.assert_array_equal(marked(X, "window"), window)


def test_pooling_explorer(show):
    cases = drawn(draw_pooling, pooling_fits)
    widgets = [PoolingExplorer(**case) for case in cases]
    for case, w, shown in zip(cases, widgets, show(widgets), strict=True):
        matrices = shown["matrices"]
        inputs = [matrices[f"Input X, channel {c}"] for c in range(len(w.x))]
        for X, x in zip(inputs, w.x, strict=True):
            assert_same(X, x)
        if not pooling_fits(case):
            assert "does not fit" in shown["message"]
            assert not any(label.startswith("Output") for label in matrices)
            continue
        y = w.output
        assert shown["message"] == ""
        assert len(matrices) == 2 * len(y)
        for c, pooled in enumerate(y):
            assert_same(matrices[f"Output Y, channel {c}"], pooled)
        assert_formula(shown, y.shape[1:])
        channel, row, col = np.minimum([w.channel, w.row, w.col], np.array(y.shape) - 1)
        for c in range(len(y)):
            picked = np.argwhere(marked(matrices[f"Output Y, channel {c}"], "picked"))
            assert picked.tolist() == ([[row, col]] if c == channel else [])
        assert number(shown["result"]) == pytest.approx(y[channel, row, col], rel=1e-9, abs=0.0051)
        k = w.kernel_size
        window = np.zeros(np.shape(w.x)[1:], bool)
        window[row * w.stride :, col * w.stride :][:k, :k] = True
        np.testing.assert_array_equal(marked(inputs[channel], "window"), window)
        if w.kind == "max":  # the first of the largest numbers is marked
            first = np.argmax(np.where(window, w.x[channel], -np.inf))
            assert np.flatnonzero(marked(inputs[channel], "best")).tolist() == [first]


@pytest.mark.parametrize("method", ["output", "filter"])
def test_im2col_explorer(show, method):
    rng = np.random.default_rng(6)
    widgets = []
    for k in range(40):
        kernel = tuple(map(int, rng.integers(1, 5, 2)))
        w = Im2colExplorer(
            x=numbers(rng, *rng.integers(1, 7, 2)), f=numbers(rng, *kernel), kernel_size=kernel,
            stride=int(rng.integers(1, 5)), padding=int(rng.integers(3)), method=method,
            step=99 if k % 2 else int(rng.integers(6)),
            row=int(rng.integers(10)), col=int(rng.integers(10)),
        )  # fmt: skip
        widgets.append(w)
    built = 0
    for w, shown in zip(widgets, show(widgets), strict=True):
        matrices = shown["matrices"]
        x, f = np.asarray(w.x, float), np.asarray(w.f, float)
        assert_same(matrices["Input X with its padding"], np.pad(x, w.padding))
        assert_same(matrices["Filter F"], f)
        try:
            cols = w.output
        except ValueError:
            assert "does not fit" in shown["message"]
            assert "Columns" not in matrices
            continue
        built += 1
        y = F.conv2d(x[None, None], f[None, None], stride=w.stride, padding=w.padding)[0, 0]
        # After so many turns, so many rows or columns are filled in.
        turns = min(w.step + 1, y.size if method == "output" else f.size)
        filled = np.zeros(cols.shape, bool)
        filled[slice(turns) if method == "output" else (slice(None), slice(turns))] = True
        assert_partly_same(matrices["Columns"], cols, filled)
        done = filled.all(1)
        assert_partly_same(matrices["Output Y"], y, done.reshape(y.shape))
        assert_partly_same(matrices["Output Y as one column"], y.reshape(-1, 1), done[:, None])
        assert_same(matrices["Filter F as one column"], f.reshape(-1, 1))
        blocks = {"output": "X̃", "filter": "X̂"}[method]
        array = cols.reshape(*y.shape, *f.shape)  # X̃[oh, ow, fh, fw]
        array = array if method == "output" else array.transpose(2, 3, 0, 1)
        for turn, (i, j) in enumerate(np.ndindex(array.shape[:2])):
            full = np.full(array.shape[2:], turn < turns)
            assert_partly_same(matrices[f"{blocks}[{i}, {j}]"], array[i, j], full)
    assert built > 20


def test_channel_explorer(show):
    rng = np.random.default_rng(7)
    limits = {
        "n": (1, 4), "c": (1, 6), "h": (3, 16), "w": (3, 16), "oc": (1, 8),
        "fh": (1, 5), "fw": (1, 5), "stride": (1, 3), "padding": (0, 2),
    }  # fmt: skip
    widgets = [
        ChannelExplorer(**{k: int(rng.integers(low, top + 1)) for k, (low, top) in limits.items()})
        for _ in range(50)
    ]
    widgets += [  # few of the drawn ones have filters that don't fit
        ChannelExplorer(h=3, fh=5),
        ChannelExplorer(w=4, fw=5),
        ChannelExplorer(h=3, fh=5, padding=1),
    ]
    for w, shown in zip(widgets, show(widgets), strict=True):
        shapes = {symbol: text.rpartition("= ")[2] for symbol, text in shown["shapes"].items()}
        assert shapes["X"] == str((w.n, w.c, w.h, w.w))
        assert shapes["F"] == str((w.oc, w.c, w.fh, w.fw))
        try:
            y = F.conv2d(
                np.zeros((w.n, w.c, w.h, w.w)), np.zeros((w.oc, w.c, w.fh, w.fw)),
                stride=w.stride, padding=w.padding,
            )  # fmt: skip
        except ValueError:
            assert "does not fit" in shown["message"]
            assert (shown["counts"], shapes["Y"]) == ([], "")
            continue
        assert shown["message"] == ""
        assert shapes["Y"] == str(y.shape)
        assert_formula(shown, y.shape[2:])
        counts = [w.parameters, w.multiplications, w.dense_parameters, w.dense_multiplications]
        assert [number(count) for count in shown["counts"]] == counts


def assert_formula(shown, shape):
    """The formulas of the output's size end with its height and its width."""
    assert [number(line.rpartition("= ")[2]) for line in shown["formula"]] == list(shape)


def test_answer_grid_marks_what_python_marks(show):
    rng = np.random.default_rng(5)
    widgets = []
    for _ in range(75):
        answer = numbers(rng, *rng.integers(1, 7, rng.integers(3)))
        tried = np.round(answer + rng.choice([0, 0, 1e-4, 0.01, 1], answer.shape), 4)
        filled = np.where(rng.random(answer.shape) < 0.2, None, tried)
        widgets.append(AnswerGrid(answer, values=filled.tolist()))
    for w, shown in zip(widgets, show(widgets), strict=True):
        (grid,) = shown["matrices"].values()
        correct = np.atleast_2d(w.correct)
        filled = np.atleast_2d(np.not_equal(np.array(w.values, dtype=object), None))
        np.testing.assert_array_equal(marked(grid, "right"), correct)
        np.testing.assert_array_equal(marked(grid, "wrong"), filled & ~correct)
