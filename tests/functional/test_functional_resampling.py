"""Upsampling and unpooling against PyTorch, numerical differentiation and their adjoints."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.functional import (
    max_pool2d,
    max_pool2d_indices,
    max_unpool2d,
    max_unpool2d_backward,
    upsample2d,
    upsample2d_backward,
)
from helpers.drawing import ORDERS, arranged, examples
from helpers.gradients import numerical_gradient, relative_error, torch_gradients
from helpers.refusing import refused

drawn = examples(60)
MODES = ("nearest", "bilinear")
sizes = st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))


def in_memory_like(a, x):
    """Whether the axes of a lie in memory in the order of those of x, without gaps."""
    expected = np.empty_like(x, dtype=a.dtype, shape=a.shape).strides
    return all(
        size <= 1 or stride == other for size, stride, other in zip(a.shape, a.strides, expected)
    )


# --- Upsampling ----------------------------------------------------------------------------------


@drawn
@given(
    sizes,
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(MODES),
    st.sampled_from(("float32", "float64")),
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
)
def test_upsample2d_is_pytorchs(shape, factor, mode, dtype, order, order_of_dy, seed):
    torch = pytest.importorskip("torch")
    shape = (max(1, shape[0]), *shape[1:])
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    dy = rng.standard_normal((*shape[:2], factor[0] * shape[2], factor[1] * shape[3]))
    dy = dy.astype(dtype)
    options = {"align_corners": False} if mode == "bilinear" else {}
    expected, (gradient,) = torch_gradients(
        lambda t: torch.nn.functional.interpolate(t, scale_factor=factor, mode=mode, **options),
        [x],
        dy,
    )
    x, dy = arranged(x, order), arranged(dy, order_of_dy)
    before = x.tobytes(), dy.tobytes()
    y, dx = upsample2d(x, factor, mode), upsample2d_backward(dy, x, factor, mode)
    assert (x.tobytes(), dy.tobytes()) == before
    assert not np.shares_memory(y, x) and not np.shares_memory(dx, dy)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for ours, theirs in ((y, expected), (dx, gradient)):
        assert ours.dtype == dtype and in_memory_like(ours, x)
        np.testing.assert_allclose(ours, theirs, atol=tolerance * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("factor", [1, 2, 3, (2, 5)])
def test_upsampling_and_its_gradient_are_adjoint(mode, factor):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 4, 5))
    y = upsample2d(x, factor, mode)
    dy = rng.standard_normal(y.shape)
    dx = upsample2d_backward(dy, x, factor, mode)
    assert (y * dy).sum() == pytest.approx((x * dx).sum())
    numerical = numerical_gradient(lambda: upsample2d(x, factor, mode), x, dy)
    assert relative_error(dx, numerical) < 1e-6


def test_upsample2d_by_hand():
    x = [[[[0, 4], [8, 12]]]]
    assert upsample2d(x, (1, 2)).tolist() == [[[[0, 0, 4, 4], [8, 8, 12, 12]]]]
    assert upsample2d(x, (1, 2), "bilinear").tolist() == [[[[0, 1, 3, 4], [8, 9, 11, 12]]]]
    assert upsample2d_backward([[[[1, 2, 3, 4]]]], [[[[0, 0]]]], (1, 2)).tolist() == [[[[3, 7]]]]


def test_upsample2d_dtypes_and_empty_batches():
    x = np.arange(12).reshape(1, 1, 3, 4)
    assert upsample2d(x, 2).dtype == np.int64
    assert upsample2d(x % 2 == 1, 2).dtype == bool
    assert upsample2d(x, 2, "bilinear").dtype == np.float64
    assert upsample2d_backward(np.ones((1, 1, 6, 8), np.uint8), x, 2).dtype == np.int64
    assert upsample2d_backward(np.ones((1, 1, 6, 8), int), x, 2, "bilinear").dtype == np.float64
    half = np.full((1, 1, 64, 64), 100, np.float16)
    for mode in MODES:
        y = upsample2d(half, 2, mode)
        assert y.dtype == np.float16 and (y == 100).all()
        dx = upsample2d_backward(y, half, 2, mode)
        assert dx.dtype == np.float16
        np.testing.assert_allclose(dx, 400, rtol=1e-3)
        empty = upsample2d(half[:0], 3, mode)
        assert empty.shape == (0, 1, 192, 192)
        assert upsample2d_backward(empty, half[:0], 3, mode).shape == (0, 1, 64, 64)
    with np.errstate(all="raise"):  # neighbours that are infinite stay where they are
        far = upsample2d(np.array([[[[np.inf, 1.0, 2.0]]]]), (1, 3), "nearest")
    assert far[0, 0, 0].tolist() == [np.inf] * 3 + [1.0] * 3 + [2.0] * 3


def test_upsample2d_bad_input():
    x = np.zeros((1, 2, 3, 4))
    refused(ValueError, ["x must have 4 axes (N, C, H, W)", "got 2"], upsample2d, x[0, 0], 2)
    refused(ValueError, ["factor", "at least 1", "got 0"], upsample2d, x, 0)
    refused(TypeError, ["factor", "integer", "got 1.5"], upsample2d, x, 1.5)
    refused(ValueError, ["factor", "pair", "(1, 2, 3)"], upsample2d, x, (1, 2, 3))
    refused(ValueError, ["mode", "'nearest', 'bilinear'", "got 'cubic'"], upsample2d, x, 2, "cubic")
    refused(
        ValueError,
        ["dy must have shape (1, 2, 6, 8)", "got (1, 2, 3, 4)"],
        upsample2d_backward,
        x,
        x,
        2,
    )


# --- Where the maxima are, and back to there -----------------------------------------------------


@drawn
@given(
    sizes,
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
)
def test_max_pool2d_indices_are_pytorchs(shape, kernel, stride, pad, order, seed):
    torch = pytest.importorskip("torch")
    shape = (max(1, shape[0]), shape[1], kernel[0] + shape[2], kernel[1] + shape[3])
    padding = tuple(k // 2 * pad for k in kernel)
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, shape).astype(np.float32)  # many ties
    x[rng.random(shape) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
    expected = torch.nn.functional.max_pool2d(
        torch.tensor(x), kernel, stride, padding, return_indices=True
    )[1].numpy()
    x = arranged(x, order)
    indices = max_pool2d_indices(x, kernel, stride, padding)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, expected)


@drawn
@given(
    sizes,
    st.integers(1, 3),
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
)
def test_max_unpool2d_is_pytorchs(shape, kernel, order, order_of_dy, seed):
    torch = pytest.importorskip("torch")
    n, c, rows, columns = max(1, shape[0]), *shape[1:]
    size = kernel * rows + kernel - 1, kernel * columns
    rng = np.random.default_rng(seed)
    large = rng.standard_normal((n, c, *size)).astype(np.float32)
    indices = max_pool2d_indices(large, kernel)
    x, dy = max_pool2d(large, kernel), rng.standard_normal(large.shape).astype(np.float32)
    expected, (gradient,) = torch_gradients(
        lambda t: torch.nn.functional.max_unpool2d(
            t, torch.tensor(indices), kernel, output_size=size
        ),
        [x],
        dy,
    )
    x, dy = arranged(x, order), arranged(dy, order_of_dy)
    before = x.tobytes(), dy.tobytes()
    y, dx = max_unpool2d(x, indices, size), max_unpool2d_backward(dy, x, indices, size)
    assert (x.tobytes(), dy.tobytes()) == before
    for ours, theirs in ((y, expected), (dx, gradient)):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("order", ["C", "channels-last"])
def test_unpooling_keeps_the_layout(order):
    x = arranged(np.random.default_rng(0).standard_normal((2, 3, 2, 3)), order)
    where = max_pool2d_indices(upsample2d(x, 2), 2)
    y = max_unpool2d(x, where, (4, 6))
    dx = max_unpool2d_backward(np.ones(y.shape), x, where, (4, 6))
    assert all(in_memory_like(a, x) for a in (where, y, dx))


def test_where_windows_overlap_the_last_number_is_kept_and_gets_the_gradient():
    large = np.array([[[[1.0, 9.0, 3.0, 4.0]]]])
    indices = max_pool2d_indices(large, (1, 2), (1, 1))
    assert indices.tolist() == [[[[1, 1, 3]]]]
    x = np.array([[[[5.0, 6.0, 7.0]]]])
    assert max_unpool2d(x, indices, (1, 4)).tolist() == [[[[0, 6, 0, 7]]]]
    dy = np.array([[[[1.0, 2.0, 3.0, 4.0]]]])
    assert max_unpool2d_backward(dy, x, indices, (1, 4)).tolist() == [[[[0, 2, 4]]]]


def test_unpooling_dtypes_and_empty_batches():
    x = np.arange(1, 5).reshape(1, 1, 2, 2)
    indices = [[[[0, 3], [8, 15]]]]
    y = max_unpool2d(x, indices, 4)
    assert y.dtype == x.dtype and y[0, 0].ravel().nonzero()[0].tolist() == [0, 3, 8, 15]
    assert max_unpool2d(x.astype(np.float16), indices, 4).dtype == np.float16
    assert max_unpool2d_backward(np.ones((1, 1, 4, 4), np.float16), x, indices, 4).dtype == (
        np.float16
    )
    empty = np.zeros((0, 3, 2, 2))
    where = max_pool2d_indices(np.zeros((0, 3, 4, 4)), 2)
    assert where.shape == empty.shape
    assert max_unpool2d(empty, where, (4, 4)).shape == (0, 3, 4, 4)
    assert max_unpool2d_backward(np.zeros((0, 3, 4, 4)), empty, where, (4, 4)).shape == empty.shape
    for dtype in (bool, np.uint8, np.int16):
        large = np.array([[[[0, 0, 0, 1]]]], dtype)
        assert max_pool2d_indices(large, (1, 2)).tolist() == [[[[0, 3]]]]
        assert max_pool2d_indices(large, (1, 3), (1, 2), (0, 1)).tolist() == [[[[0, 3]]]]


def test_unpooling_bad_input():
    x, where = np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2, 2), int)
    refused(ValueError, ["x must have 4 axes"], max_unpool2d, x[0], where[0], (4, 4))
    refused(
        ValueError,
        ["indices must have shape (1, 2, 2, 2)", "got (1, 2, 2, 1)"],
        max_unpool2d,
        x,
        where[..., :1],
        (4, 4),
    )
    outside = where.copy()
    outside[0, 1, 0, 1] = 16
    refused(
        ValueError,
        ["indices must be from 0 to 15", "got 0 to 16"],
        max_unpool2d,
        x,
        outside,
        (4, 4),
    )
    refused(ValueError, ["indices", "got -1 to 0"], max_unpool2d, x, where - (outside > 0), (4, 4))
    refused(TypeError, ["indices must be integers", "float64"], max_unpool2d, x, x, (4, 4))
    refused(
        ValueError, ["output_size", "at least 1", "got 0 in (0, 4)"], max_unpool2d, x, where, (0, 4)
    )
    refused(
        ValueError,
        ["dy must have shape (1, 2, 4, 4)", "got (1, 2, 2, 2)"],
        max_unpool2d_backward,
        x,
        x,
        where,
        (4, 4),
    )
    refused(
        ValueError,
        ["padding of max pooling must be at most half"],
        max_pool2d_indices,
        np.zeros((1, 1, 4, 4)),
        2,
        2,
        2,
    )
