"""Convolution and pooling against naive loops, against PyTorch and against their own laws.

A result may differ from the exact one by 1e-5 (float32) or 1e-10 (float64) of its magnitude: of
what the same sum gives when no term cancels another, the sum over |x|·|f| plus |b|.
"""

from unittest import mock

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.functional import avg_pool2d, col2im, conv2d, im2col, max_pool2d, output_size
from convbook.kernels import blocks
from helpers.drawing import (
    FLOATS,
    INTEGERS,
    ORDERS,
    TOLERANCE,
    arranged,
    convolutions,
    examples,
    poolings,
    random_array,
    sides,
)

drawn = examples(150)
fewer = examples(60)


# --- Naive loops ---------------------------------------------------------------------------------


def padded(x, padding, value=0):
    return np.pad(x, ((0, 0), (0, 0), *padding), constant_values=value)


def naive_windows(x, kernel, stride, dilation=(1, 1)):
    """Yield oh, ow and the window there, (N, C, FH, FW), for every position of the kernel."""
    (fh, fw), (sh, sw), (dh, dw) = kernel, stride, dilation
    for oh, top in enumerate(range(0, x.shape[2] - dh * (fh - 1), sh)):
        for ow, left in enumerate(range(0, x.shape[3] - dw * (fw - 1), sw)):
            yield (
                oh,
                ow,
                x[:, :, top : top + dh * (fh - 1) + 1 : dh, left : left + dw * (fw - 1) + 1 : dw],
            )


def counts(size, kernel, stride, padding, dilation=(1, 1)):
    return tuple(
        (s + sum(p) - d * (k - 1) - 1) // t + 1
        for s, k, t, p, d in zip(size, kernel, stride, padding, dilation)
    )


def naive_conv2d(x, f, b, stride, padding, dilation, groups, exact):
    """Convolve with loops; `exact` is the type to count in, float or Python's own integers."""
    x, f = padded(x.astype(exact), padding), f.astype(exact)
    shape = counts(x.shape[2:], f.shape[2:], stride, ((0, 0), (0, 0)), dilation)
    y = np.zeros((x.shape[0], f.shape[0], *shape), exact)
    oc, c = f.shape[0] // groups, f.shape[1]
    for o in range(f.shape[0]):
        group = o // oc
        channels = x[:, group * c : (group + 1) * c]
        for oh, ow, window in naive_windows(channels, f.shape[2:], stride, dilation):
            y[:, o, oh, ow] = (window * f[o]).sum(axis=(1, 2, 3))
        if b is not None:
            y[:, o] += exact(b[o])
    return y


def magnitude(x, f, b, arguments):
    absolute = [None if a is None else np.abs(a.astype(float)) for a in (x, f, b)]
    return naive_conv2d(*absolute, **arguments, exact=float)


def assert_close(y, expected, scale, dtype):
    assert y.shape == expected.shape
    assert y.dtype == dtype
    error = np.abs(y.astype(float) - expected.astype(float))
    assert (error <= TOLERANCE[np.dtype(dtype).name] * scale).all()


# --- Convolution ---------------------------------------------------------------------------------

X = np.arange(1, 17).reshape(1, 1, 4, 4)
F = np.array([[1, 1, 1], [2, 0, 1], [-1, -1, 0]]).reshape(1, 1, 3, 3)


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({}, [[4, 8], [20, 24]]),
        ({"padding": 1}, [[-3, -6, -5, -9], [0, 4, 8, -2], [8, 20, 24, 6], [33, 71, 77, 53]]),
        ({"padding": 1, "stride": 2}, [[-3, -5], [8, 24]]),
        ({"b": [100]}, [[104, 108], [120, 124]]),
    ],
)
def test_conv2d_gives_the_worked_examples(arguments, expected):
    y = conv2d(X, F, **arguments)
    assert y.dtype == np.int64
    assert y.tolist() == [[expected]]


def test_conv2d_gives_the_strides_example_with_a_border_of_ones():
    framed = np.pad(np.pad(X[0, 0], 1), ((0, 1), (0, 1)), constant_values=1)
    y = conv2d(framed[None, None], F, stride=2)
    assert y.tolist() == [[[[-3, -5, 2], [8, 24, 18], [25, 43, 16]]]]


@drawn
@given(convolutions())
def test_conv2d_equals_naive_loop(drawing):
    x, f, b, arguments, block_bytes = drawing
    before = x.tobytes(), f.tobytes()
    with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes):
        y = conv2d(x, f, b, **arguments)
    dtype = np.result_type(*(a for a in (x, f, b) if a is not None))
    expected = naive_conv2d(x, f, b, **arguments, exact=float)
    assert_close(y, expected, magnitude(x, f, b, arguments), dtype)
    assert (x.tobytes(), f.tobytes()) == before
    assert not np.shares_memory(x, y)


@fewer
@given(convolutions(dtypes=INTEGERS))
def test_conv2d_of_integers_is_exact(drawing):
    x, f, b, arguments, block_bytes = drawing
    with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes):
        y = conv2d(x, f, b, **arguments)
    assert y.dtype == np.int64
    assert (y == naive_conv2d(x, f, b, **arguments, exact=int)).all()


@drawn
@given(convolutions())
def test_conv2d_equals_pytorch(drawing):
    torch = pytest.importorskip("torch")
    x, f, b, arguments, _ = drawing
    dtype = np.result_type(*(a for a in (x, f, b) if a is not None))
    x, f = x.astype(dtype), f.astype(dtype)
    b = None if b is None else b.astype(dtype)
    framed = padded(x, arguments["padding"])
    expected = torch.nn.functional.conv2d(
        torch.tensor(framed),
        torch.tensor(f),
        None if b is None else torch.tensor(b),
        stride=arguments["stride"],
        dilation=arguments["dilation"],
        groups=arguments["groups"],
    )
    y = conv2d(x, f, b, **arguments)
    assert_close(y, expected.numpy(), magnitude(x, f, b, arguments), dtype)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "c, kernel, arguments",
    [
        (3, (3, 3), {"padding": 1}),
        (16, (3, 3), {"padding": 1}),
        (16, (3, 3), {"stride": 2, "padding": ((0, 1), (0, 1))}),
        (40, (1, 1), {}),
        (40, (1, 1), {"stride": 2}),
        (40, (1, 1), {"padding": 1}),
        (40, (1, 1), {"groups": 2}),
        (40, (1, 1), {"stride": 2, "padding": ((29, 0), (30, 0))}),  # output as large as the input
        (16, (5, 2), {"dilation": 2, "groups": 2}),
    ],
)
def test_conv2d_equals_pytorch_on_larger_batches(order, c, kernel, arguments):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    groups = arguments.get("groups", 1)
    x = rng.standard_normal((9, c, 30, 31), np.float32)
    f = rng.standard_normal((10, c // groups, *kernel), np.float32)
    b = rng.standard_normal(10, np.float32)
    y = conv2d(arranged(x, order), arranged(f, order), b, **arguments)
    padding = arguments.get("padding", 0)
    framed = padded(x, padding if isinstance(padding, tuple) else ((padding,) * 2,) * 2)
    expected = torch.nn.functional.conv2d(
        *map(torch.tensor, (framed, f, b)),
        stride=arguments.get("stride", 1),
        dilation=arguments.get("dilation", 1),
        groups=groups,
    ).numpy()
    assert_close(y, expected, np.abs(expected).max(), np.float32)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous  # channels-last in memory


def test_conv2d_takes_padding_and_stride_in_all_forms():
    rng = np.random.default_rng(1)
    x, f = rng.integers(-9, 9, (2, 3, 6, 7)), rng.integers(-9, 9, (4, 3, 3, 2))
    assert (conv2d(x, f, padding=2) == conv2d(x, f, padding=((2, 2), (2, 2)))).all()
    assert (conv2d(x, f, padding=(2, 1)) == conv2d(x, f, padding=((2, 2), (1, 1)))).all()
    assert (conv2d(x, f, stride=2) == conv2d(x, f, stride=[2, 2])).all()
    assert (conv2d(x, f, dilation=2) == conv2d(x, f, dilation=np.array([2, 2]))).all()
    assert (conv2d(x, f, None, np.int64(2), np.uint8(1)) == conv2d(x, f, None, 2, 1)).all()


def test_conv2d_in_half_precision_is_computed_in_single():
    rng = np.random.default_rng(2)
    x, f = rng.standard_normal((2, 16, 9, 9)), rng.standard_normal((5, 16, 3, 3))
    x, f = x.astype(np.float16), f.astype(np.float16)
    y = conv2d(x, f, padding=1)
    wide = conv2d(x.astype(np.float32), f.astype(np.float32), padding=1)
    assert y.dtype == np.float16
    assert (y == wide.astype(np.float16)).all()


@pytest.mark.parametrize(
    "x, f, expected",
    [
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        ("float32", "int8", "float32"),
        ("int32", "float32", "float64"),
        ("bool", "bool", "int64"),
        ("uint8", "int8", "int64"),
        ("uint64", "uint8", "uint64"),
        ("uint64", "int8", "int64"),
    ],
)
def test_conv2d_promotes_dtypes(x, f, expected):
    y = conv2d(np.ones((1, 2, 3, 3), x), np.ones((1, 2, 3, 3), f))
    assert y.dtype == expected
    assert y.item() == 18


def test_conv2d_counts_in_unsigned_64_bits_where_all_is_unsigned():
    x = np.full((1, 1, 1, 1), 2**64 - 2, np.uint64)
    assert conv2d(x, np.ones((1, 1, 1, 1), np.uint8), np.ones(1, np.uint8)).item() == 2**64 - 1


def test_conv2d_takes_lists():
    y = conv2d([[[[1, 2], [3, 4]]]], [[[[1.0, 0.0], [0.0, 1.0]]]], [0.5])
    assert y.tolist() == [[[[5.5]]]]


@pytest.mark.parametrize("c", [1, 16])
@pytest.mark.parametrize("kernel", [1, 3])
def test_conv2d_lets_nan_through_where_it_is_seen(c, kernel):
    x = np.zeros((1, c, 7, 7), np.float32)
    x[0, 0, 3, 3] = np.nan
    y = conv2d(x, np.ones((2, c, kernel, kernel), np.float32), padding=kernel // 2)
    seen = np.zeros((7, 7), bool)
    seen[3 - kernel // 2 : 4 + kernel // 2, 3 - kernel // 2 : 4 + kernel // 2] = True
    assert (np.isnan(y[0]) == seen).all()


@pytest.mark.parametrize("kernel, padding", [((1, 1), 0), ((3, 2), 1)])
def test_empty_batch_gives_empty_batch(kernel, padding):
    x = np.zeros((0, 9, 6, 6), np.float32)
    assert conv2d(x, np.zeros((4, 9, *kernel)), np.zeros(4), 1, padding).shape[:2] == (0, 4)
    assert im2col(x, kernel, 1, padding).shape == (0, 9 * kernel[0] * kernel[1])
    assert col2im(im2col(x, kernel, 1, padding), x.shape, kernel, 1, padding).shape == x.shape
    assert max_pool2d(x, 2).shape == avg_pool2d(x, 2).shape == (0, 9, 3, 3)


@pytest.mark.parametrize("channels", [12, 16])
def test_columns_of_a_block_stay_small(channels):
    sizes = []

    def noting(shape, *arguments):
        sizes.append(np.prod(shape) * 4)
        return np.ndarray(shape, *arguments)

    x = np.zeros((40, channels, 32, 32), np.float32)
    f = np.zeros((channels, channels, 3, 3), np.float32)
    with mock.patch.object(np, "empty", noting):
        y = conv2d(x, f, padding=1)
    sizes.remove(y.nbytes)
    assert 0 < max(sizes) <= blocks.BLOCK_BYTES < 1_000_000


# --- Output size, im2col and col2im --------------------------------------------------------------


@drawn
@given(
    st.integers(1, 20), st.integers(1, 6), st.integers(1, 5), st.one_of(st.integers(0, 4), sides)
)
def test_output_size_counts_the_positions(size, kernel_size, stride, padding):
    before, after = padding if isinstance(padding, tuple) else (padding, padding)
    positions = range(0, size + before + after - kernel_size + 1, stride)
    if len(positions):
        assert output_size(size, kernel_size, stride, padding) == len(positions)
    else:
        with pytest.raises(ValueError, match="kernel_size"):
            output_size(size, kernel_size, stride, padding)


@drawn
@given(poolings(dtypes=FLOATS + INTEGERS))
def test_im2col_has_one_window_in_each_row(drawing):
    x, kernel, stride, padding = drawing
    cols = im2col(x, kernel, stride, padding)
    framed = padded(x, padding)
    oh, ow = counts(x.shape[2:], kernel, stride, padding)
    expected = np.zeros((x.shape[0], oh, ow, x.shape[1] * kernel[0] * kernel[1]), x.dtype)
    for i, j, window in naive_windows(framed, kernel, stride):
        expected[:, i, j] = window.reshape(x.shape[0], expected.shape[3])
    assert cols.dtype == x.dtype
    assert cols.shape == (expected.size // expected.shape[3], expected.shape[3])
    assert (cols == expected.reshape(cols.shape)).all()
    assert not np.shares_memory(x, cols)


@fewer
@given(poolings(dtypes=("int8", "int64")), st.integers(1, 4))
def test_im2col_times_filters_is_the_convolution(drawing, oc):
    x, kernel, stride, padding = drawing
    f = np.random.default_rng(0).integers(-9, 9, (oc, x.shape[1], *kernel))
    y = conv2d(x, f, stride=stride, padding=padding)
    product = im2col(x, kernel, stride, padding) @ f.reshape(oc, -1).T
    assert (product.reshape(y.transpose(0, 2, 3, 1).shape) == y.transpose(0, 2, 3, 1)).all()


@drawn
@given(poolings(dtypes=("float32", "float64", "int32")))
def test_col2im_is_the_adjoint_of_im2col(drawing):
    x, kernel, stride, padding = drawing
    cols = im2col(x, kernel, stride, padding)
    g = random_array(np.random.default_rng(0), cols.shape, x.dtype)
    before = g.copy()
    back = col2im(g, x.shape, kernel, stride, padding)
    assert back.shape == x.shape
    assert back.dtype == (x.dtype if x.dtype.kind == "f" else np.int64)
    assert (g == before).all() and not np.shares_memory(g, back)
    if x.dtype.kind == "f":
        left = (cols.astype(float) * g).sum()
        right = (x.astype(float) * back).sum()
        scale = np.abs(cols.astype(float) * g).sum()
        assert abs(left - right) <= TOLERANCE[x.dtype.name] * scale
    else:
        assert (cols.astype(object) * g).sum() == (x.astype(object) * back).sum()


# --- Pooling -------------------------------------------------------------------------------------


def naive_pool(x, kernel, stride, padding, combine, value=0):
    y = np.zeros((*x.shape[:2], *counts(x.shape[2:], kernel, stride, padding)), x.dtype)
    for oh, ow, window in naive_windows(padded(x, padding, value), kernel, stride):
        y[:, :, oh, ow] = combine(window, axis=(2, 3))
    return y


def test_max_pool2d_gives_the_worked_example():
    x = [[[[1, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]]]]
    assert max_pool2d(x, 2).tolist() == [[[[6, 8], [16, 14]]]]


@drawn
@given(poolings(dtypes=FLOATS + INTEGERS + ("float16",), half=True))
def test_max_pool2d_equals_naive_loop(drawing):
    x, kernel, stride, padding = drawing
    before = x.tobytes()
    y = max_pool2d(x, kernel, stride, padding)
    kind = x.dtype.kind
    value = -np.inf if kind == "f" else False if kind == "b" else np.iinfo(x.dtype).min
    expected = naive_pool(x, kernel, stride, padding, np.max, value)
    assert y.dtype == x.dtype and y.shape == expected.shape
    assert (y == expected).all()
    assert x.tobytes() == before and not np.shares_memory(x, y)


@drawn
@given(poolings())
def test_avg_pool2d_equals_naive_loop(drawing):
    x, kernel, stride, padding = drawing
    before = x.tobytes()
    y = avg_pool2d(x, kernel, stride, padding)
    wide = x.astype(float)
    expected = naive_pool(wide, kernel, stride, padding, np.mean)
    scale = naive_pool(np.abs(wide), kernel, stride, padding, np.mean)
    assert_close(y, expected, scale + 1e-300, x.dtype)
    assert x.tobytes() == before and not np.shares_memory(x, y)


@fewer
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 1),
    st.sampled_from(ORDERS),
    st.integers(3, 12),
    st.integers(3, 12),
)
def test_pooling_equals_pytorch(kernel_size, stride, padding, order, h, w):
    torch = pytest.importorskip("torch")
    padding = min(padding, kernel_size // 2)
    x = np.random.default_rng(h).standard_normal((2, 3, h, w), np.float32)
    t, x = torch.tensor(x), arranged(x, order)
    expected = torch.nn.functional.max_pool2d(t, kernel_size, stride, padding).numpy()
    assert (max_pool2d(x, kernel_size, stride, padding) == expected).all()
    expected = torch.nn.functional.avg_pool2d(t, kernel_size, stride, padding).numpy()
    y = avg_pool2d(x, kernel_size, stride, padding)
    assert_close(y, expected, np.abs(x).max(), np.float32)


@pytest.mark.parametrize(
    "dtype, expected",
    [
        ("bool", "float64"),
        ("uint8", "float64"),
        ("int64", "float64"),
        ("float16", "float16"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_avg_pool2d_dtypes(dtype, expected):
    y = avg_pool2d(np.array([[[[1, 1], [1, 0]]]], dtype), 2)
    assert y.dtype == expected
    assert y.item() == 0.75


def test_avg_pool2d_counts_padding_as_zeros():
    assert avg_pool2d(np.ones((1, 1, 2, 2)), 2, 2, 1).tolist() == [[[[0.25] * 2] * 2]]
    assert avg_pool2d(np.ones((1, 1, 1, 1)), 3, 1, ((4, 0), (1, 1))).tolist() == [
        [[[0.0], [0.0], [1 / 9]]]
    ]


def test_avg_pool2d_of_halves_does_not_overflow_on_the_way():
    assert avg_pool2d(np.full((1, 1, 4, 4), 60_000, np.float16), 4).item() == 60_000


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_pooling_strides_by_the_kernel_size_unless_told(pool):
    x = np.arange(2 * 7 * 9.0).reshape(1, 2, 7, 9)
    assert (pool(x, (2, 3)) == pool(x, (2, 3), (2, 3))).all()


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize("position", range(4))
def test_pooling_lets_nan_through(pool, position):
    x = np.ones((1, 1, 2, 4))
    x[0, 0].flat[(0, 1, 4, 5)[position]] = np.nan
    assert np.isnan(pool(x, 2)).tolist() == [[[[True, False]]]]


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_max_pool2d_never_chooses_the_padding(dtype):
    x = np.full((1, 1, 2, 2), -100, dtype)
    assert (max_pool2d(x, 3, 1, 1) == -100).all()


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_pooling_with_windows_of_one_cell_copies(pool):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    y = pool(x, 1)
    assert (y == x).all() and not np.shares_memory(x, y)


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_pooling_keeps_the_memory_layout(pool):
    x = arranged(np.zeros((2, 3, 8, 8)), "channels-last")
    assert pool(x, 2).transpose(0, 2, 3, 1).flags.c_contiguous
    assert pool(x, 3, 2, 1).transpose(0, 2, 3, 1).flags.c_contiguous
    assert pool(np.zeros((2, 3, 8, 8)), 2).flags.c_contiguous
