"""The gradients of convolution and pooling: PyTorch, numerical differentiation, their own laws.

A gradient may differ from the exact one by 1e-5 (float32) or 1e-10 (float64) of its magnitude: of
what it is when no term cancels another, the gradient for |dy|, |x| and |f|.
"""

from unittest import mock

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook import functional
from convbook.arrays import is_cupy, to_numpy
from convbook.functional import (
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    conv_transpose2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from convbook.kernels import blocks, input_gradient
from helpers.drawing import (
    FLOATS,
    INTEGERS,
    ORDERS,
    TOLERANCE,
    arranged,
    convolutions,
    examples,
    pairs,
    poolings,
    random_array,
    small,
)
from helpers.gradients import numerical_gradient, relative_error, torch_gradients
from helpers.refusing import refused

drawn = examples(100)
fewer = examples(50)
POOLS = {max_pool2d: max_pool2d_backward, avg_pool2d: avg_pool2d_backward}


def gradient_like(y, dtype, seed=0):
    return random_array(np.random.default_rng(seed), y.shape, dtype)


def assert_close(arrays, expected, scales, dtype):
    for a, b, scale in zip(arrays, expected, scales, strict=True):
        assert a.shape == b.shape
        assert a.dtype == dtype
        error = np.abs(a.astype(float) - np.asarray(b, float))
        assert (error <= TOLERANCE[np.dtype(dtype).name] * scale + 1e-300).all()


def absolute(*arrays):
    return [np.abs(a.astype(float)) for a in arrays]


# --- Convolution ---------------------------------------------------------------------------------


def torch_conv2d(x, f, b, stride, padding, dilation, groups):
    torch = pytest.importorskip("torch")
    x = torch.nn.functional.pad(x, (*padding[1], *padding[0]))
    return torch.nn.functional.conv2d(x, f, b, stride, 0, dilation, groups)


def test_the_worked_example_of_one_filter():
    x = np.arange(1, 17).reshape(1, 1, 4, 4)
    f = np.array([[[[1, 2], [3, 4]]]])
    dx, df, db = conv2d_backward(np.array([[[[1, 0, 0], [0, 0, 0], [0, 0, -1]]]]), x, f)
    assert dx.tolist() == [[[[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, -1, -2], [0, 0, -3, -4]]]]
    assert df.tolist() == [[[[1 - 11, 2 - 12], [5 - 15, 6 - 16]]]]
    assert db.tolist() == [0]
    assert dx.dtype == df.dtype == db.dtype == np.int64


# With 0 in place of MANY_FILTERS, dX is always made of filters laid down, and with 1000 never.
MANY = st.sampled_from((0, 1000))


@drawn
@given(convolutions(), st.sampled_from(ORDERS), MANY)
def test_conv2d_backward_equals_pytorch(drawing, order, many):
    x, f, _, arguments, block_bytes = drawing
    x = x if len(x) else np.ones((1, *x.shape[1:]), x.dtype)
    dtype = np.result_type(x, f)
    dy = arranged(gradient_like(conv2d(x, f, **arguments), dtype), order)
    before = [a.tobytes() for a in (dy, x, f)]
    with (
        mock.patch.object(blocks, "BLOCK_BYTES", block_bytes),
        mock.patch.object(input_gradient, "MANY_FILTERS", many),
    ):
        gradients = conv2d_backward(dy, x, f, **arguments)
    assert [a.tobytes() for a in (dy, x, f)] == before
    assert not any(np.shares_memory(g, a) for g in gradients for a in (dy, x, f))
    _, expected = torch_gradients(
        lambda *a: torch_conv2d(*a, **arguments),
        [a.astype(dtype) for a in (x, f, np.zeros(len(f)))],
        dy,
    )
    scales = conv2d_backward(*absolute(dy, x, f), **arguments)
    assert_close(gradients, expected, scales, dtype)
    without = conv2d_backward(dy, x, f, **arguments, need_dx=False)
    assert without[0] is None
    assert_close(without[1:], expected[1:], scales[1:], dtype)
    without = conv2d_backward(dy, x, f, **arguments, need_df=False)
    assert without[1:] == (None, None)
    assert_close(without[:1], expected[:1], scales[:1], dtype)


@fewer
@given(convolutions(dtypes=INTEGERS), MANY)
def test_gradients_of_integers_are_exact(drawing, many):
    x, f, _, arguments, _ = drawing
    x, f = (np.clip(a.astype(np.int64), -(2**20), 2**20) for a in (x, f))
    y = conv2d(x, f, **arguments)
    dy = np.random.default_rng(0).integers(-9, 10, y.shape)
    with mock.patch.object(input_gradient, "MANY_FILTERS", many):
        dx, df, db = conv2d_backward(dy, x, f, **arguments)
    assert dx.dtype == df.dtype == db.dtype == np.int64
    # Y is linear in X and in F: E = Σ dY·Y = Σ dX·X = Σ dF·F, to the last digit.
    total = int((dy.astype(object) * y).sum())
    assert total == (dx.astype(object) * x).sum() == (df.astype(object) * f).sum()
    assert (db == dy.sum((0, 2, 3))).all()


@fewer
@given(convolutions(dtypes=("float64",)))
def test_conv2d_backward_is_the_adjoint(drawing):
    x, f, _, arguments, _ = drawing
    y = conv2d(x, f, **arguments)
    dy = gradient_like(y, float)
    dx, df, _ = conv2d_backward(dy, x, f, **arguments)
    scale = (np.abs(dy) * conv2d(*absolute(x, f), **arguments)).sum()
    for a, gradient in ((x, dx), (f, df)):
        assert abs((dy * y).sum() - (a * gradient).sum()) <= 1e-10 * scale


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"stride": 2, "padding": ((1, 0), (2, 1))},
        {"stride": (3, 2), "dilation": 2, "padding": 2},
        {"stride": (2, 4), "dilation": (4, 2), "padding": 3},
        {"stride": 2, "padding": 1, "groups": 2},
    ],
)
def test_conv2d_backward_equals_numerical_differentiation(arguments):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 4, 6, 7))
    f = rng.standard_normal((4, 4 // arguments.get("groups", 1), 3, 2))
    b = rng.standard_normal(4)
    dy = gradient_like(conv2d(x, f, b, **arguments), float)
    for a, gradient in zip((x, f, b), conv2d_backward(dy, x, f, **arguments)):
        numerical = numerical_gradient(lambda: conv2d(x, f, b, **arguments), a, dy)
        assert relative_error(gradient, numerical) < 1e-6


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "c, kernel, arguments",
    [
        (3, 3, {"padding": 1}),
        (16, 3, {"padding": 1}),
        (16, 3, {"stride": 2, "padding": 1}),
        (40, 1, {}),
        (40, 1, {"stride": 2}),
        (40, 1, {"padding": 2}),
        (40, 1, {"groups": 2}),
        (16, 2, {"padding": 3}),
        (16, 5, {"dilation": 2, "groups": 2}),
        (8, 3, {"stride": 4}),
        (8, 3, {"stride": 2, "dilation": 2, "padding": ((29, 0), (0, 30))}),
    ],
)
def test_conv2d_backward_equals_pytorch_on_larger_batches(order, c, kernel, arguments):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, c, 30, 31), np.float32)
    f = rng.standard_normal((10, c // arguments.get("groups", 1), kernel, kernel), np.float32)
    dy = gradient_like(conv2d(x, f, **arguments), np.float32)
    given_ = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | arguments
    padding = given_["padding"]
    full = given_ | {"padding": padding if isinstance(padding, tuple) else ((padding,) * 2,) * 2}
    _, expected = torch_gradients(
        lambda *a: torch_conv2d(*a, **full), (x, f, np.zeros(10, np.float32)), dy
    )
    gradients = conv2d_backward(*(arranged(a, order) for a in (dy, x, f)), **arguments)
    assert_close(gradients, expected, [np.abs(e).max() for e in expected], np.float32)
    assert gradients[0].transpose(0, 2, 3, 1).flags.c_contiguous  # channels-last in memory


def test_cells_that_no_window_reaches_get_zero():
    dx, _, _ = conv2d_backward(
        np.ones((1, 1, 2, 2)), np.ones((1, 1, 6, 6)), np.ones((1, 1, 2, 2)), stride=3
    )
    reached = np.array([1, 1, 0, 1, 1, 0])
    assert (dx[0, 0] == np.outer(reached, reached)).all()


def test_half_precision_is_computed_in_single():
    rng = np.random.default_rng(2)
    x, f, dy = (
        rng.standard_normal(shape).astype(np.float16)
        for shape in ((2, 16, 9, 9), (5, 16, 3, 3), (2, 5, 9, 9))
    )
    half = conv2d_backward(dy, x, f, padding=1)
    wide = conv2d_backward(*(a.astype(np.float32) for a in (dy, x, f)), padding=1)
    for a, b in zip(half, wide):
        assert a.dtype == np.float16
        assert (a == b.astype(np.float16)).all()


def test_lists_and_an_empty_batch():
    dx, df, db = conv2d_backward([[[[1.0]]]], [[[[1, 2], [3, 4]]]], [[[[5, 6], [7, 8]]]])
    assert (dx.tolist(), df.tolist(), db.tolist()) == (
        [[[[5, 6], [7, 8]]]],
        [[[[1, 2], [3, 4]]]],
        [1],
    )
    f = np.ones((4, 9, 3, 3), np.float32)
    for stride in (1, 2):
        x = np.zeros((0, 9, 6, 6), np.float32)
        y = conv2d(x, f, stride=stride)
        dx, df, db = conv2d_backward(y, x, f, stride)
        assert dx.shape == x.shape and not df.any() and not db.any()
    up = conv_transpose2d(np.zeros((0, 4, 3, 3)), f, np.ones(9), 2)
    assert up.shape == (0, 9, 7, 7)
    assert conv_transpose2d_backward(up, np.zeros((0, 4, 3, 3)), f, 2)[1].shape == f.shape
    for pool, backward in POOLS.items():
        assert backward(pool(x, 2), x, 2).shape == x.shape


@pytest.mark.parametrize("channels", [12, 16])
def test_columns_of_a_block_stay_small(channels):
    sizes = []

    def noting(shape, *arguments):
        sizes.append(np.prod(shape) * 4)
        return np.ndarray(shape, *arguments)

    f = np.ones((channels, channels, 3, 3), np.float32)
    x = np.ones((40, 32, 32, channels), np.float32).transpose(0, 3, 1, 2)
    with mock.patch.object(np, "empty", noting):
        dx, _, _ = conv2d_backward(x, x, f, padding=1)
    sizes.remove(dx.nbytes)
    assert 0 < max(sizes) <= blocks.BLOCK_BYTES


# --- Transposed convolution ----------------------------------------------------------------------


@st.composite
def transposed_convolutions(draw, dtypes=FLOATS):
    """Draw the arguments of conv_transpose2d."""
    kernel, stride, groups = draw(pairs), draw(pairs), draw(st.integers(1, 3))
    extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
    size, padding = [], []
    for k, s, e in zip(kernel, stride, extra):
        size.append(draw(st.integers(1, 5)))
        full = (size[-1] - 1) * s + k + e
        before = draw(st.integers(0, min(3, full - 1)))
        padding.append((before, draw(st.integers(0, min(3, full - 1 - before)))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    c, oc = groups * draw(st.sampled_from((1, 2, 9))), draw(st.sampled_from((1, 2, 9)))
    x = random_array(rng, (draw(st.integers(1, 3)), c, *size), draw(st.sampled_from(dtypes)))
    f = random_array(rng, (c, oc, *kernel), draw(st.sampled_from(dtypes)))
    x, f = (arranged(a, draw(st.sampled_from(ORDERS))) for a in (x, f))
    b = random_array(rng, oc * groups, x.dtype)
    return (
        x,
        f,
        b,
        {"stride": stride, "padding": tuple(padding), "output_padding": extra, "groups": groups},
    )


def torch_transposed(x, f, b, stride, padding, output_padding, groups):
    """PyTorch pads both sides alike: so compute without padding, and cut."""
    torch = pytest.importorskip("torch")
    y = torch.nn.functional.conv_transpose2d(x, f, None, stride, 0, output_padding, groups)
    (top, bottom), (left, right) = padding
    return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right] + b[:, None, None]


@drawn
@given(transposed_convolutions(), st.sampled_from(ORDERS))
def test_conv_transpose2d_and_its_gradients_equal_pytorch(drawing, order):
    x, f, b, arguments = drawing
    dtype = np.result_type(x, f)
    before = x.tobytes(), f.tobytes()
    y = conv_transpose2d(x, f, b, **arguments)
    dy = arranged(gradient_like(y, dtype), order)
    expected, gradients = torch_gradients(
        lambda *a: torch_transposed(*a, **arguments), [a.astype(dtype) for a in (x, f, b)], dy
    )
    assert_close([y], [expected], [conv_transpose2d(*absolute(x, f, b), **arguments)], dtype)
    ours = conv_transpose2d_backward(dy, x, f, **arguments)
    scales = conv_transpose2d_backward(*absolute(dy, x, f), **arguments)
    assert_close(ours, gradients, scales, dtype)
    without = conv_transpose2d_backward(dy, x, f, **arguments, need_dx=False)
    assert without[0] is None and (without[1] == ours[1]).all() and (without[2] == ours[2]).all()
    without = conv_transpose2d_backward(dy, x, f, **arguments, need_df=False)
    assert (without[0] == ours[0]).all() and without[1:] == (None, None)
    assert (x.tobytes(), f.tobytes()) == before
    assert not any(np.shares_memory(g, a) for g in (y, *ours) for a in (dy, x, f))


def test_conv_transpose2d_backward_equals_numerical_differentiation():
    rng = np.random.default_rng(4)
    x, f, b = (rng.standard_normal(shape) for shape in ((2, 4, 3, 4), (4, 3, 3, 2), (6,)))
    arguments = {
        "stride": (2, 3),
        "padding": ((1, 0), (0, 2)),
        "output_padding": (1, 2),
        "groups": 2,
    }
    dy = gradient_like(conv_transpose2d(x, f, b, **arguments), float)
    for a, gradient in zip((x, f, b), conv_transpose2d_backward(dy, x, f, **arguments)):
        numerical = numerical_gradient(lambda: conv_transpose2d(x, f, b, **arguments), a, dy)
        assert relative_error(gradient, numerical) < 1e-6


@fewer
@given(transposed_convolutions(dtypes=("int8", "int64")))
def test_transposed_convolution_is_the_gradient_of_convolution(drawing):
    x, f, _, arguments = drawing
    y = conv_transpose2d(x, f, None, **arguments)
    del arguments["output_padding"]  # the size of y holds it
    dx, _, _ = conv2d_backward(x, np.zeros_like(y), f, **arguments)
    assert y.dtype == np.int64
    assert (y == dx).all()


# --- Pooling -------------------------------------------------------------------------------------


def check_pooling(pool, drawing, x):
    _, kernel, stride, padding = drawing
    y = pool(x, kernel, stride, padding)
    dy = gradient_like(y, x.dtype if x.dtype.kind == "f" else float)
    before = dy.tobytes(), x.tobytes()
    dx = POOLS[pool](dy, x, kernel, stride, padding)
    assert (dy.tobytes(), x.tobytes()) == before
    assert not np.shares_memory(dx, x) and not np.shares_memory(dx, dy)
    frame = [(0, 0), (0, 0), *padding]
    wide = np.pad(x.astype(float), frame, constant_values=-np.inf if pool is max_pool2d else 0)
    torch = pytest.importorskip("torch")
    _, (expected,) = torch_gradients(
        lambda t: getattr(torch.nn.functional, pool.__name__)(t, kernel, stride),
        [wide],
        dy.astype(float),
    )
    h, w = x.shape[2:]
    (top, _), (left, _) = padding
    expected = expected[:, :, top : top + h, left : left + w]
    assert_close([dx], [expected], [np.abs(dy).sum()], dy.dtype)


@drawn
@given(
    poolings(half=True).filter(lambda drawing: len(drawing[0])), st.integers(1, 3), st.booleans()
)
def test_max_pool2d_backward_equals_pytorch_with_ties(drawing, values, with_nan):
    x = drawing[0]
    tied = np.random.default_rng(values).integers(0, values, x.shape).astype(x.dtype)
    if with_nan:
        tied[tied == 1] = np.nan
        tied[tied == 2] = np.inf
    check_pooling(max_pool2d, drawing, tied)
    check_pooling(max_pool2d, drawing, x)


@drawn
@given(poolings().filter(lambda drawing: len(drawing[0])))
def test_avg_pool2d_backward_equals_pytorch(drawing):
    check_pooling(avg_pool2d, drawing, drawing[0])


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(
    "kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (2, 3, 0), ((3, 1), 1, 0)]
)
def test_pooling_backward_equals_numerical_differentiation(pool, kernel, stride, padding):
    x = np.random.default_rng(5).permutation(2 * 3 * 7 * 8).reshape(2, 3, 7, 8) / 100.0
    dy = gradient_like(pool(x, kernel, stride, padding), float)
    numerical = numerical_gradient(lambda: pool(x, kernel, stride, padding), x, dy)
    assert relative_error(POOLS[pool](dy, x, kernel, stride, padding), numerical) < 1e-6


@fewer
@given(poolings(dtypes=INTEGERS, half=True))
def test_pooling_backward_conserves_integers(drawing):
    x, kernel, stride, padding = drawing
    y = max_pool2d(x, kernel, stride, padding)
    dy = np.random.default_rng(0).integers(-9, 10, y.shape)
    dx = max_pool2d_backward(dy, x, kernel, stride, padding)
    assert dx.dtype == np.int64 and dx.sum() == dy.sum()
    assert avg_pool2d_backward(dy, x, kernel, stride, padding).dtype == np.float64


def test_the_first_of_equal_maxima_takes_all():
    x = [[[[1, 2, 2], [2, 2, 1], [0, 2, 2]]]]
    assert max_pool2d_backward([[[[10]]]], x, 3).tolist() == [[[[0, 10, 0], [0, 0, 0], [0, 0, 0]]]]
    assert max_pool2d_backward([[[[1, 20], [300, 4000]]]], x, 2, 1).tolist() == [
        [[[0, 21, 0], [300, 4000, 0], [0, 0, 0]]]
    ]


@pytest.mark.parametrize("pool", POOLS)
def test_pooling_gradients_keep_layout_and_halves(pool):
    x = arranged(np.random.default_rng(0).standard_normal((2, 3, 8, 8)), "channels-last")
    for arguments in ((2,), (3, 2, 1), (2, 3)):
        dy = pool(x, *arguments)
        assert POOLS[pool](dy, x, *arguments).transpose(0, 2, 3, 1).flags.c_contiguous
        assert POOLS[pool](dy, x.copy("C"), *arguments).flags.c_contiguous
    half = POOLS[pool](np.full((1, 1, 1, 1), 60_000, np.float16), np.ones((1, 1, 4, 4)), 4)
    assert half.dtype == np.float16 and half.sum(dtype=float) == 60_000


# --- CuPy ----------------------------------------------------------------------------------------

IMAGE = small((5, 3, 6, 7))
CHANNEL = small(3)
CALLS = [
    ("conv2d_backward", [small((5, 4, 6, 8)), IMAGE, small((4, 3, 3, 2))], {"padding": 1}),
    (
        "conv2d_backward",
        [small((5, 2, 3, 3)), small((5, 18, 6, 7)), small((2, 9, 3, 3))],
        {"stride": (2, 3), "padding": ((1, 0), (2, 0)), "groups": 2},
    ),
    ("conv2d_backward", [small((5, 4, 6, 7)), small((5, 9, 6, 7)), small((4, 9, 1, 1))], {}),
    ("conv2d_backward", [small((5, 17, 4, 5)), small((5, 1, 6, 7)), small((17, 1, 3, 3))], {}),
    (
        "conv_transpose2d",
        [IMAGE, small((3, 4, 3, 2)), small(4)],
        {"stride": 2, "output_padding": 1},
    ),
    (
        "conv_transpose2d_backward",
        [small((5, 4, 14, 15)), IMAGE, small((3, 4, 3, 2))],
        {"stride": 2, "output_padding": 1},
    ),
    ("max_pool2d_backward", [small((5, 3, 3, 4)), IMAGE], {"kernel_size": 2, "padding": (0, 1)}),
    (
        "max_pool2d_backward",
        [small((5, 3, 3, 4)), np.where(IMAGE > 1, np.nan, IMAGE)],
        {"kernel_size": 2, "padding": (0, 1)},
    ),
    ("avg_pool2d_backward", [small((5, 3, 3, 3)), IMAGE], {"kernel_size": 2}),
    ("batch_norm2d", [IMAGE, CHANNEL, CHANNEL], {}),
    ("batch_norm2d_backward", [IMAGE, IMAGE + 1, CHANNEL, CHANNEL, CHANNEL**2], {}),
    ("softmax", [small((5, 3))], {}),
    ("softmax_cross_entropy", [small((3, 4)), np.array([1, 0, 3])], {}),
    ("softmax_cross_entropy_backward", [small((3, 4)), np.array([1, 0, 3])], {}),
    ("softmax_cross_entropy_backward", [small((3, 4)), np.abs(small((3, 4)))], {}),
]


@pytest.mark.parametrize("name, inputs, options", CALLS)
def test_cupy_arrays_give_cupy_arrays_by_cupy(cupy, name, inputs, options):
    function = getattr(functional, name)
    results, expected = (
        function(*map(cupy.asarray, inputs), **options),
        function(*inputs, **options),
    )
    if not isinstance(expected, tuple):
        results, expected = [results], [expected]
    for a, b in zip(results, expected, strict=True):
        assert is_cupy(a) or a.ndim == 0
        assert a.dtype == b.dtype
        np.testing.assert_allclose(to_numpy(a), b, rtol=1e-4, atol=1e-5)


def test_mixing_is_refused(cupy):
    with pytest.raises(TypeError, match="x, f in NumPy and dy in CuPy"):
        functional.conv2d_backward(cupy.asarray(IMAGE), IMAGE, IMAGE)


# --- Bad input -----------------------------------------------------------------------------------


def test_gradients_of_a_wrong_shape():
    x, f = np.zeros((2, 4, 6, 6)), np.zeros((3, 4, 3, 3))
    refused(
        ValueError,
        ["dy must have shape (2, 3, 4, 4)", "got (2, 3, 6, 6)"],
        conv2d_backward,
        np.zeros((2, 3, 6, 6)),
        x,
        f,
    )
    refused(
        ValueError,
        ["dy must have shape (2, 3, 6, 6)", "got (3, 3)"],
        conv2d_backward,
        np.zeros((3, 3)),
        x,
        f,
        padding=1,
    )
    refused(
        ValueError,
        ["dy must have shape (2, 3, 14, 14)", "got (2, 3, 13, 13)"],
        conv_transpose2d_backward,
        np.zeros((2, 3, 13, 13)),
        x,
        np.zeros((4, 3, 3, 3)),
        2,
        0,
        1,
    )
    for backward in POOLS.values():
        refused(
            ValueError, ["dy must have shape (2, 4, 3, 3)", "got (2, 4, 6, 6)"], backward, x, x, 2
        )
        refused(ValueError, ["x must have 4 axes", "got 2"], backward, x, np.zeros((6, 6)), 2)
    refused(TypeError, ["dy must hold", "complex128"], conv2d_backward, x * 1j, x, f)


def test_arguments_of_transposed_convolution():
    x, f = np.zeros((2, 4, 6, 6)), np.zeros((4, 3, 3, 3))
    call = conv_transpose2d
    refused(
        ValueError,
        ["output_padding must be less than the stride (2, 1)", "got (1, 1)"],
        call,
        x,
        f,
        None,
        (2, 1),
        0,
        1,
    )
    refused(ValueError, ["output_padding", "at least 0", "got -1"], call, x, f, None, 2, 0, -1)
    refused(TypeError, ["output_padding", "got 0.5"], call, x, f, None, 2, 0, 0.5)
    refused(ValueError, ["f must have", "4", "got 3"], call, x, np.zeros((3, 4, 3, 3)))
    refused(ValueError, ["groups must divide", "4 channels", "got 3"], call, x, f, groups=3)
    refused(ValueError, ["b must have shape (6,)", "got (3,)"], call, x, f, np.zeros(3), groups=2)
    refused(
        ValueError,
        ["padding must leave", "((4, 4), (0, 0))", "0 × 8"],
        call,
        x,
        f,
        padding=((4, 4), (0, 0)),
    )


@pytest.mark.parametrize("padding", [2, (0, 2)])
def test_max_pooling_padding_is_at_most_half(padding):
    refused(
        ValueError,
        ["at most half of kernel_size"],
        max_pool2d_backward,
        np.zeros((1, 1, 1, 1)),
        np.zeros((1, 1, 6, 6)),
        2,
        9,
        padding,
    )
