"""Batch normalisation, softmax and cross entropy against PyTorch and numerical differentiation."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.functional import (
    batch_norm2d,
    batch_norm2d_backward,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from helpers.drawing import ORDERS, arranged, examples
from helpers.gradients import numerical_gradient, relative_error, torch_gradients
from helpers.refusing import refused

fewer = examples(60)


# --- Batch normalisation -------------------------------------------------------------------------


@fewer
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 6), st.integers(1, 6)),
    st.sampled_from(("float32", "float64")),
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
    st.sampled_from((0.0, 3.0, -1000.0)),
)
def test_batch_norm2d_equals_pytorch(shape, dtype, order, order_of_dy, seed, offset):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal(shape) + offset).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[1])).astype(dtype)
    dy = rng.standard_normal(shape).astype(dtype)
    wide = [a.astype(float) for a in (x, gamma, beta)]
    expected, gradients = torch_gradients(
        lambda x, g, b: torch.nn.functional.batch_norm(x, None, None, g, b, True), wide, dy
    )
    x, dy = arranged(x, order), arranged(dy, order_of_dy)
    before = [a.tobytes() for a in (x, gamma, beta, dy)]
    y, mean, var = batch_norm2d(x, gamma, beta)
    ours = batch_norm2d_backward(dy, x, gamma, mean, var)
    assert [a.tobytes() for a in (x, gamma, beta, dy)] == before
    assert not any(np.shares_memory(a, b) for a in (y, ours[0]) for b in (x, dy))
    # The rounding of the mean counts in units of the deviation, of which little may be there.
    deviation = np.sqrt(wide[0].var((0, 2, 3)) + 1e-5).min()
    digits = 1e-5 if dtype == "float32" else 1e-12
    tolerance = 20 * digits * (1 + abs(offset) * (0.1 + 1 / deviation)) / min(1, deviation) ** 2
    for a, b in zip((y, *ours), (expected, *gradients), strict=True):
        assert a.dtype == dtype and a.shape == b.shape
        assert np.abs(a - b).max() <= tolerance * (1 + np.abs(b).max())
    np.testing.assert_allclose(mean, wide[0].mean((0, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_batch_norm2d_gives_mean_beta_and_deviation_gamma(axes):
    x = np.random.default_rng(0).standard_normal((8, 3, 5, 6)) * 7 + 50
    x = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
    gamma, beta = np.array([1.0, 2.0, -3.0]), np.array([0.0, 10.0, -5.0])
    y, mean, var = batch_norm2d(x, gamma, beta, eps=0)
    np.testing.assert_allclose(mean, x.mean((0, 2, 3)))
    np.testing.assert_allclose(var, x.var((0, 2, 3)))
    np.testing.assert_allclose(y.mean((0, 2, 3)), beta, atol=1e-12)
    np.testing.assert_allclose(y.std((0, 2, 3)), abs(gamma))
    assert y.transpose(axes).flags.c_contiguous  # in memory as x is


def test_batch_norm2d_backward_equals_numerical_differentiation():
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 3, 2, 4, 5))
    gamma, beta = rng.standard_normal((2, 2))
    x, dy = x[:, :2], dy[:, :2]
    _, mean, var = batch_norm2d(x, gamma, beta)
    gradients = batch_norm2d_backward(dy, x, gamma, mean, var)
    for a, gradient in zip((x, gamma, beta), gradients):
        numerical = numerical_gradient(lambda: batch_norm2d(x, gamma, beta)[0], a, dy)
        assert relative_error(gradient, numerical) < 1e-6


def test_batch_norm2d_dtypes_and_lists():
    y, mean, var = batch_norm2d([[[[1, 3]]]], [1], [0], eps=0)
    assert (y.tolist(), mean.tolist(), var.tolist()) == ([[[[-1, 1]]]], [2], [1])
    x = (np.arange(24).reshape(2, 2, 2, 3) * 2000).astype(np.float16)  # the squares overflow it
    half = np.ones(2, np.float16)
    y, mean, var = batch_norm2d(x, half, half)
    assert y.dtype == np.float16 and mean.dtype == var.dtype == np.float32
    np.testing.assert_allclose(y.mean((0, 2, 3), dtype=float), 1, atol=1e-3)
    gradients = batch_norm2d_backward(y, x, half, mean, var)
    assert all(g.dtype == np.float16 and np.isfinite(g).all() for g in gradients)


def test_batch_norm2d_bad_input():
    x, c = np.zeros((2, 3, 4, 4)), np.ones(3)
    refused(ValueError, ["x must have 4 axes", "got 2"], batch_norm2d, c[:, None], c, c)
    refused(ValueError, ["N = 0"], batch_norm2d, x[:0], c, c)
    refused(ValueError, ["gamma must have shape (3,)", "got (4,)"], batch_norm2d, x, np.ones(4), c)
    refused(ValueError, ["beta must have shape (3,)", "got (3, 1)"], batch_norm2d, x, c, c[:, None])
    refused(ValueError, ["eps", "at least 0", "got -1"], batch_norm2d, x, c, c, -1)
    refused(TypeError, ["eps", "got '1'", "str"], batch_norm2d, x, c, c, "1")
    refused(
        ValueError,
        ["dy must have shape (2, 3, 4, 4)", "got (2, 3, 4, 5)"],
        batch_norm2d_backward,
        np.zeros((2, 3, 4, 5)),
        x,
        c,
        c,
        c,
    )
    refused(
        ValueError, ["var must have shape (3,)", "got ()"], batch_norm2d_backward, x, x, c, c, 1.0
    )


# --- Softmax and cross entropy -------------------------------------------------------------------


@fewer
@given(
    st.integers(1, 6),
    st.integers(1, 7),
    st.sampled_from(("float32", "float64")),
    st.sampled_from((1.0, 100.0, 1e4)),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_softmax_cross_entropy_equals_pytorch(n, k, dtype, size, ints, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    scores = (rng.standard_normal((n, k)) * size).astype(dtype)
    labels = rng.integers(0, k, n) if ints else rng.dirichlet(np.ones(k), n).astype(dtype)
    before = scores.tobytes(), labels.tobytes()
    loss, (expected,) = torch_gradients(
        lambda s: torch.nn.functional.cross_entropy(s, torch.tensor(labels)),
        [scores],
        np.ones((), dtype),
    )
    tolerance = {"rtol": 1e-5, "atol": 1e-6 * size} if dtype == "float32" else {"rtol": 1e-10}
    ours = softmax_cross_entropy(scores, labels)
    gradient = softmax_cross_entropy_backward(scores, labels)
    np.testing.assert_allclose(ours, loss, **tolerance)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(softmax(scores), torch.softmax(torch.tensor(scores), 1), rtol=1e-4)
    assert ours.dtype == gradient.dtype == softmax(scores).dtype == dtype
    assert ours.shape == ()
    assert (scores.tobytes(), labels.tobytes()) == before


@pytest.mark.parametrize(
    "labels", [np.array([0, 2, 1]), np.array([[0.2, 0.3, 0.5], [1, 0, 0], [0, 2, 1]])]
)
def test_cross_entropy_backward_equals_numerical_differentiation(labels):
    scores = np.random.default_rng(2).standard_normal((3, 3))
    numerical = numerical_gradient(lambda: softmax_cross_entropy(scores, labels), scores, 1)
    gradient = softmax_cross_entropy_backward(scores, labels)
    assert relative_error(gradient, numerical) < 1e-6


def test_large_scores_neither_overflow_nor_give_infinite_loss():
    scores = np.array([[1e30, 0.0], [-1e30, 0.0]], np.float32)
    assert softmax(scores).tolist() == [[1, 0], [0, 1]]
    assert softmax_cross_entropy(scores, [0, 1]) == 0
    assert softmax_cross_entropy([[1000.0, 0.0]], [1]) == 1000
    assert softmax_cross_entropy_backward(scores, [0, 1]).tolist() == [[0, 0], [0, 0]]
    half = np.array([[60_000, -60_000]], np.float16)
    assert softmax(half).dtype == np.float16 and softmax(half).tolist() == [[1, 0]]


def test_softmax_takes_integers_and_an_empty_batch():
    assert softmax([[3, 3]]).tolist() == [[0.5, 0.5]]
    assert softmax(np.zeros((0, 3))).shape == (0, 3)


def test_cross_entropy_bad_input():
    scores = np.zeros((2, 3))
    for function in (softmax_cross_entropy, softmax_cross_entropy_backward):
        refused(ValueError, ["scores must have 2 axes", "got 1"], function, np.zeros(3), [0])
        refused(
            ValueError,
            ["labels must have shape (2,)", "(2, 3)", "got (3,)"],
            function,
            scores,
            [0, 1, 2],
        )
        refused(ValueError, ["labels must be from 0 to 2", "got 0 to 3"], function, scores, [0, 3])
        refused(
            ValueError, ["labels must be from 0 to 2", "got -1 to 1"], function, scores, [-1, 1]
        )
        refused(TypeError, ["labels", "must be integers", "float64"], function, scores, [0.0, 1.0])
        refused(ValueError, ["N = 0"], function, np.zeros((0, 3)), np.zeros(0, int))
