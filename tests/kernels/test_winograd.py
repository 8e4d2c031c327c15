"""Winograd's algorithm for 3×3 filters against PyTorch and against the direct way."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, strategies as st

from convbook.functional import conv2d, conv2d_backward, conv_transpose2d, conv_transpose2d_backward
from convbook.kernels import blocks, columns, winograd
from convbook.kernels.geometry import Geometry
from helpers.drawing import examples

ORDERS = {"NCHW": (0, 1, 2, 3), "channels-last": (0, 2, 3, 1), "last axis first": (3, 2, 1, 0)}


def arranged(a, order):
    """Return an array equal to a whose axes lie in memory in this order."""
    axes = ORDERS[order]
    return np.ascontiguousarray(a.transpose(axes)).transpose(np.argsort(axes))


def normal(rng, *shape):
    return rng.standard_normal(shape, np.float32)


def directly():
    """Make everything take the direct way."""
    return mock.patch.object(winograd, "pays", lambda *arguments: False)


def assert_close(actual, expected, tolerance=1e-5):
    """Compare with the largest element, which is what the error grows with."""
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_the_matrices_give_a_correlation():
    rng = np.random.default_rng(0)
    x, f = rng.standard_normal(6), rng.standard_normal(3)
    b, a = np.linalg.inv(winograd.evaluation(6)), winograd.evaluation(4)
    y = a.T @ ((winograd.G @ f) * (b.T @ x))
    np.testing.assert_allclose(y, np.correlate(x, f, "valid"), rtol=1e-12, atol=1e-13)


padding = st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2)


@examples(150)
@given(
    st.integers(1, 4),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 19),
    st.integers(1, 19),
    padding,
    st.sampled_from(list(ORDERS)),
    st.sampled_from([1, 20_000, blocks.BLOCK_BYTES]),
    st.integers(0, 2**32),
)
def test_any_size_padding_and_memory_order(n, c, oc, h, w, padding, order, block_bytes, seed):
    counts = (h + sum(padding[0]) - 2, w + sum(padding[1]) - 2)
    if min(counts) < 1:
        return
    rng = np.random.default_rng(seed)
    x, f, b = arranged(normal(rng, n, c, h, w), order), normal(rng, oc, c, 3, 3), normal(rng, oc)
    dy = normal(rng, n, *counts, oc)
    wide = x.astype(float), f.astype(float), b.astype(float)
    before = [a.tobytes() for a in (x, f, b, dy)]
    geometry = Geometry((3, 3), counts, padding=padding)
    with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes):
        y = winograd.correlate(x, f, b, geometry)
        df = winograd.filter_gradient(dy, x, geometry)
    assert [a.tobytes() for a in (x, f, b, dy)] == before
    assert y.flags.c_contiguous and y.dtype == df.dtype == np.float32
    scale = columns.correlate(np, *map(abs, wide), np.dtype(float), geometry).max()
    expected = columns.correlate(np, *wide, np.dtype(float), geometry)
    np.testing.assert_allclose(y.transpose(0, 3, 1, 2), expected, rtol=0, atol=1e-5 * scale)
    pixels = dy.reshape(-1, oc).astype(float)
    scale = columns.filter_gradient(np, abs(pixels), abs(wide[0]), f.shape, geometry).max()
    expected = columns.filter_gradient(np, pixels, wide[0], f.shape, geometry)
    np.testing.assert_allclose(df, expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("order", ["NCHW", "channels-last"])
@pytest.mark.parametrize(
    "n, c, oc, size, padding",
    [
        (8, 16, 16, (32, 32), ((1, 1), (1, 1))),
        (16, 64, 32, (8, 8), ((1, 1), (1, 1))),
        (5, 17, 30, (21, 30), ((0, 2), (1, 0))),
        (40, 32, 16, (6, 4), ((1, 1), (1, 1))),
        (4, 16, 128, (17, 23), ((0, 0), (0, 0))),
        (1, 32, 48, (70, 61), ((2, 1), (0, 3))),
    ],
)
def test_convolutions_and_gradients_equal_pytorch(order, n, c, oc, size, padding):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    x, f, b = normal(rng, n, c, *size), normal(rng, oc, c, 3, 3), normal(rng, oc)
    leaves = [torch.tensor(a.astype(float), requires_grad=True) for a in (x, f, b)]
    (top, bottom), (left, right) = padding
    framed = torch.nn.functional.pad(leaves[0], (left, right, top, bottom))
    expected = torch.nn.functional.conv2d(framed, *leaves[1:])
    dy = normal(rng, *expected.shape)
    gradients = torch.autograd.grad(expected, leaves, torch.tensor(dy.astype(float)))
    with (
        mock.patch.object(winograd, "correlate", wraps=winograd.correlate) as used,
        mock.patch.object(winograd, "filter_gradient", wraps=winograd.filter_gradient) as too,
    ):
        y = conv2d(arranged(x, order), f, b, padding=padding)
        ours = conv2d_backward(arranged(dy, order), arranged(x, order), f, padding=padding)
    assert used.call_count == 2 and too.call_count == 1  # Y and dX, dF
    assert_close(y, expected.detach().numpy())
    for mine, theirs in zip(ours, gradients, strict=True):
        assert_close(mine, theirs.numpy())
    for a in (y, ours[0]):
        assert a.transpose(0, 2, 3, 1).flags.c_contiguous  # channels-last in memory


def test_transposed_convolution_takes_it_too():
    rng = np.random.default_rng(2)
    x, f, b = normal(rng, 4, 16, 15, 19), normal(rng, 16, 24, 3, 3), normal(rng, 24)
    dy = normal(rng, 4, 24, 15, 19)
    y, gradients = (
        conv_transpose2d(x, f, b, padding=1),
        conv_transpose2d_backward(dy, x, f, padding=1),
    )
    with directly():
        assert_close(y, conv_transpose2d(x, f, b, padding=1))
        for mine, direct in zip(
            gradients, conv_transpose2d_backward(dy, x, f, padding=1), strict=True
        ):
            assert_close(mine, direct)


@pytest.mark.parametrize("dtype", [np.float64, np.int32])
def test_other_precisions_go_the_direct_way(dtype):
    rng = np.random.default_rng(3)
    x = rng.integers(-99, 99, (16, 16, 8, 8)).astype(dtype)
    f = rng.integers(-99, 99, (16, 16, 3, 3)).astype(dtype)
    y, gradients = conv2d(x, f, padding=1), conv2d_backward(x, x, f, padding=1)
    with directly():
        assert (y == conv2d(x, f, padding=1)).all()
        for mine, direct in zip(gradients, conv2d_backward(x, x, f, padding=1), strict=True):
            assert (mine == direct).all()


@pytest.mark.parametrize(
    "different",
    [
        {"f_shape": (16, 16, 3, 1)},
        {"f_shape": (15, 16, 3, 3)},
        {"f_shape": (16, 15, 3, 3)},
        {"f_shape": (129, 16, 3, 3)},
        {"stride": (1, 2)},
        {"dilation": (2, 1)},
        {"groups": 2},
        {"dtype": "float64"},
        {"dtype": "int64"},
        {"counts": (5, 5)},
        {"counts": (6, 6)},
        {"n": 0},
        {"n": 15},
    ],
)
def test_it_is_taken_only_where_it_pays(different):
    def pays(n=16, f_shape=(16, 16, 3, 3), dtype="float32", counts=(8, 8), **geometry):
        return winograd.pays(n, f_shape, np.dtype(dtype), Geometry(f_shape[2:], counts, **geometry))

    assert pays()
    assert not pays(**different)


def test_the_error_stays_small():
    rng = np.random.default_rng(4)
    for c in (16, 128):
        x, f = normal(rng, 8, c, 16, 16), normal(rng, 16, c, 3, 3)
        assert_close(conv2d(x, f, padding=1), conv2d(x.astype(float), f, padding=1), 6e-6)


def test_an_outlier_disturbs_its_neighbours_and_nobody_else():
    rng = np.random.default_rng(5)
    x, f = normal(rng, 8, 16, 16, 16), normal(rng, 16, 16, 3, 3)
    x[3, 0, 6, 7] = 1e8
    exact = conv2d(x.astype(float), f, padding=1)
    error = np.abs(conv2d(x, f, padding=1) - exact)
    assert error[3].max() < 3e-6 * np.abs(exact).max()  # so says the docstring of conv2d
    near = np.zeros(error.shape, bool)
    near[3, :, 2:11, 3:12] = True  # up to four pixels away
    assert error[~near].max() < 1e-3 < error[near].max()
