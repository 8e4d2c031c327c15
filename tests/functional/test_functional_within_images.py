"""Instance and local response normalisation against PyTorch and numerical differentiation."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.functional import (
    instance_norm2d,
    instance_norm2d_backward,
    local_response_norm,
    local_response_norm_backward,
)
from helpers.drawing import ORDERS, arranged, examples
from helpers.gradients import numerical_gradient, relative_error, torch_gradients
from helpers.refusing import refused

drawn = examples(60)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(2, 6), st.integers(1, 6))
both = st.sampled_from(("float32", "float64"))


# --- Instance normalisation ----------------------------------------------------------------------


@drawn
@given(
    shapes,
    both,
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
    st.sampled_from((0.0, 3.0, -100.0)),
)
def test_instance_norm2d_is_pytorchs(shape, dtype, order, order_of_dy, seed, offset):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal(shape) + offset).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[1])).astype(dtype)
    dy = rng.standard_normal(shape).astype(dtype)
    wide = [a.astype(float) for a in (x, gamma, beta)]
    expected, gradients = torch_gradients(
        lambda x, g, b: torch.nn.functional.instance_norm(x, weight=g, bias=b), wide, dy
    )
    x, dy = arranged(x, order), arranged(dy, order_of_dy)
    before = [a.tobytes() for a in (x, gamma, beta, dy)]
    y, ours = instance_norm2d(x, gamma, beta), instance_norm2d_backward(dy, x, gamma)
    assert [a.tobytes() for a in (x, gamma, beta, dy)] == before
    assert not any(np.shares_memory(a, b) for a in (y, ours[0]) for b in (x, dy))
    # The rounding of the mean counts in units of the deviation, of which little may be there.
    deviation = np.sqrt(wide[0].var((2, 3)) + 1e-5).min()
    digits = 1e-5 if dtype == "float32" else 1e-12
    tolerance = 20 * digits * (1 + abs(offset) * (0.1 + 1 / deviation)) / min(1, deviation) ** 2
    for a, b in zip((y, *ours), (expected, *gradients), strict=True):
        assert a.dtype == dtype and a.shape == b.shape
        assert np.abs(a - b).max() <= tolerance * (1 + np.abs(b).max())


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_every_channel_of_every_image_gets_mean_beta_and_deviation_gamma(axes):
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 6))
    x *= np.arange(1, 5)[:, None, None, None]
    x = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
    gamma, beta = np.array([1.0, 2.0, -3.0]), np.array([0.0, 10.0, -5.0])
    y = instance_norm2d(x, gamma, beta, eps=0)
    np.testing.assert_allclose(y.mean((2, 3)), np.tile(beta, (4, 1)), atol=1e-12)
    np.testing.assert_allclose(y.std((2, 3)), np.tile(abs(gamma), (4, 1)))
    assert y.transpose(axes).flags.c_contiguous  # in memory as x is
    for i in range(4):  # nobody's company matters
        np.testing.assert_allclose(y[i : i + 1], instance_norm2d(x[i : i + 1], gamma, beta, eps=0))


def test_instance_norm2d_backward_is_numerical_differentiation():
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 3, 2, 4, 5))
    gamma, beta = rng.standard_normal((2, 2))
    gradients = instance_norm2d_backward(dy, x, gamma, 0.1)
    for a, gradient in zip((x, gamma, beta), gradients):
        numerical = numerical_gradient(lambda: instance_norm2d(x, gamma, beta, 0.1), a, dy)
        assert relative_error(gradient, numerical) < 1e-6


def test_instance_norm2d_dtypes_lists_and_empty_batches():
    assert instance_norm2d([[[[1, 3]]]], [1], [0], eps=0).tolist() == [[[[-1, 1]]]]
    x = (np.arange(24).reshape(2, 2, 2, 3) * 2000).astype(np.float16)  # the squares overflow it
    ones = np.ones(2, np.float16)
    y = instance_norm2d(x, ones, ones)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.mean((2, 3), dtype=float), 1, atol=1e-3)
    gradients = instance_norm2d_backward(y, x, ones)
    assert all(g.dtype == np.float16 and np.isfinite(g).all() for g in gradients)
    empty = np.zeros((0, 2, 4, 4))
    assert instance_norm2d(empty, ones, ones).shape == empty.shape
    dx, dgamma, dbeta = instance_norm2d_backward(empty, empty, ones)
    assert dx.shape == empty.shape and dgamma.tolist() == dbeta.tolist() == [0, 0]


def test_instance_norm2d_bad_input():
    x, c = np.zeros((2, 3, 4, 4)), np.ones(3)
    refused(ValueError, ["x must have 4 axes", "got 2"], instance_norm2d, c[:, None], c, c)
    refused(
        ValueError, ["gamma must have shape (3,)", "got (4,)"], instance_norm2d, x, np.ones(4), c
    )
    refused(ValueError, ["eps", "at least 0", "got -1"], instance_norm2d, x, c, c, -1)
    refused(
        ValueError,
        ["dy must have shape (2, 3, 4, 4)", "got (2, 3, 4, 5)"],
        instance_norm2d_backward,
        np.zeros((2, 3, 4, 5)),
        x,
        c,
    )


# --- Local response normalisation ----------------------------------------------------------------


@drawn
@given(
    shapes,
    st.integers(1, 8),
    both,
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.sampled_from(((1e-4, 0.75, 1.0), (2.0, 0.5, 0.3), (0.5, 0.0, 2.0), (0.0, 1.0, 2.0))),
    st.integers(0, 2**32),
)
def test_local_response_norm_is_pytorchs(shape, size, dtype, order, order_of_dy, settings, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, *shape)).astype(dtype)
    expected, (gradient,) = torch_gradients(
        lambda x: torch.nn.functional.local_response_norm(x, size, *settings), [x.astype(float)], dy
    )
    x, dy = arranged(x, order), arranged(dy, order_of_dy)
    before = x.tobytes(), dy.tobytes()
    y, dx = (
        local_response_norm(x, size, *settings),
        local_response_norm_backward(dy, x, size, *settings),
    )
    assert (x.tobytes(), dy.tobytes()) == before
    assert not np.shares_memory(y, x) and not np.shares_memory(dx, dy)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for ours, theirs in ((y, expected), (dx, gradient)):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, atol=tolerance * max(1, np.abs(theirs).max()))


def test_local_response_norm_by_hand():
    x = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    y = local_response_norm(x, 3, alpha=3, beta=1, k=1)
    np.testing.assert_allclose(y.ravel(), [1 / (1 + 5), 2 / (1 + 14), 3 / (1 + 13)])
    y = local_response_norm(x, 2, alpha=2, beta=1, k=1)  # an even size: one more before
    np.testing.assert_allclose(y.ravel(), [1 / (1 + 1), 2 / (1 + 5), 3 / (1 + 13)])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_local_response_norm_backward_is_numerical_differentiation(size):
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 2, 4, 2, 3))
    dx = local_response_norm_backward(dy, x, size, 2.0, 0.6, 0.5)
    numerical = numerical_gradient(lambda: local_response_norm(x, size, 2.0, 0.6, 0.5), x, dy)
    assert relative_error(dx, numerical) < 1e-6


def test_local_response_norm_dtypes_and_empty_batches():
    x = np.full((1, 4, 2, 2), 1000, np.float16)  # the squares overflow it
    y = local_response_norm(x, 5)
    assert y.dtype == np.float16 and np.isfinite(y).all()
    assert local_response_norm_backward(y, x, 5).dtype == np.float16
    assert local_response_norm(np.ones((1, 2, 2, 2), int), 3).dtype == np.float64
    empty = np.zeros((0, 2, 4, 4))
    assert local_response_norm(empty, 3).shape == empty.shape
    assert local_response_norm_backward(empty, empty, 3).shape == empty.shape
    lonely = np.zeros((1, 3, 1, 1))  # an infinite number far away changes nothing
    lonely[0, 2] = np.inf
    with np.errstate(invalid="ignore"):
        assert local_response_norm(lonely, 1)[0, :2].ravel().tolist() == [0, 0]


def test_local_response_norm_bad_input():
    x = np.zeros((2, 3, 4, 4))
    refused(ValueError, ["x must have 4 axes", "got 3"], local_response_norm, x[0], 3)
    refused(ValueError, ["size", "at least 1", "got 0"], local_response_norm, x, 0)
    refused(ValueError, ["alpha", "at least 0", "got -1"], local_response_norm, x, 3, -1)
    refused(ValueError, ["k must be a number above 0"], local_response_norm, x, 3, k=0)
    refused(TypeError, ["beta", "got '1'"], local_response_norm, x, 3, beta="1")
    refused(
        ValueError,
        ["dy must have shape (2, 3, 4, 4)", "got (2, 3, 4, 5)"],
        local_response_norm_backward,
        np.zeros((2, 3, 4, 5)),
        x,
        3,
    )
