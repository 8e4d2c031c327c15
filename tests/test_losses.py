"""The loss functions against PyTorch, numerical differentiation, and bad input."""

import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from convbook.layers.gradcheck import numerical_gradient, relative_error
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy

drawn = settings(deadline=None, derandomize=True, max_examples=50)


@st.composite
def classifications(draw):
    """Draw scores (N, K), and labels either as numbers or as probabilities."""
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from((np.float32, np.float64)))
    scores = (draw(st.sampled_from((1, 10, 1000))) * rng.standard_normal((n, k))).astype(dtype)
    if draw(st.booleans()):
        return scores, rng.integers(0, k, n)
    return scores, rng.dirichlet(np.ones(k), n).astype(dtype)


@given(classifications())
@drawn
def test_softmax_cross_entropy_is_pytorchs(arguments):
    torch = pytest.importorskip("torch")
    scores, labels = arguments
    tensor = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels))
    expected.backward()
    loss = SoftmaxCrossEntropy()
    result = loss(scores, labels)
    tolerance = 1e-5 if scores.dtype == np.float32 else 1e-12
    assert type(result) is float
    assert result == pytest.approx(expected.item(), rel=tolerance, abs=tolerance)
    gradient = loss.backward()
    assert gradient.dtype == scores.dtype
    np.testing.assert_allclose(gradient, tensor.grad, rtol=tolerance, atol=tolerance)


@given(st.integers(0, 100), st.sampled_from(((3,), (4, 2), (2, 3, 4, 5))),
       st.sampled_from((np.float32, np.float64)))
@drawn
def test_mean_squared_error_is_pytorchs(seed, shape, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    predictions, targets = rng.standard_normal((2, *shape)).astype(dtype)
    tensor = torch.tensor(predictions, requires_grad=True)
    expected = torch.nn.functional.mse_loss(tensor, torch.tensor(targets))
    expected.backward()
    loss = MeanSquaredError()
    result = loss(predictions, targets.astype(np.float64))  # the predictions' dtype decides
    assert type(result) is float
    assert result == pytest.approx(expected.item(), rel=1e-5)
    assert loss.backward().dtype == dtype
    np.testing.assert_allclose(loss.backward(), tensor.grad, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss, targets", [
    (SoftmaxCrossEntropy(), [2, 0, 1, 1]),
    (SoftmaxCrossEntropy(), np.random.default_rng(1).dirichlet(np.ones(3), 4)),
    (MeanSquaredError(), np.random.default_rng(1).standard_normal((4, 3))),
])
def test_gradients_agree_with_numerical_differentiation(loss, targets):
    predictions = np.random.default_rng(0).standard_normal((4, 3))
    loss(predictions, targets)
    numerical = numerical_gradient(lambda p: type(loss)()(p, targets), predictions)
    assert relative_error(loss.backward(), numerical)[0] < 1e-6


def test_integers_have_a_mean_squared_error_too():
    loss = MeanSquaredError()
    assert loss([1, 2, 3], [1, 2, 5]) == pytest.approx(4 / 3)
    np.testing.assert_allclose(loss.backward(), [0, 0, -4 / 3])


@pytest.mark.parametrize("loss", (SoftmaxCrossEntropy(), MeanSquaredError()))
def test_backward_before_forward_says_so(loss):
    with pytest.raises(RuntimeError, match=re.escape(f"{loss}: backward was called before")):
        loss.backward()


@pytest.mark.parametrize("loss, predictions, targets, error, said", [
    (MeanSquaredError(), (4, 1), (4,), ValueError,
     r"MeanSquaredError\(\): targets must have shape \(4, 1\), got \(4,\)"),
    (MeanSquaredError(), (0, 3), (0, 3), ValueError, r"MeanSquaredError\(\): .*empty"),
    (SoftmaxCrossEntropy(), (4, 3), (5,), ValueError, r"SoftmaxCrossEntropy\(\): "),
    (SoftmaxCrossEntropy(), (4,), (4,), ValueError, r"SoftmaxCrossEntropy\(\): "),
])
def test_shapes_that_do_not_fit_are_refused(loss, predictions, targets, error, said):
    with pytest.raises(error, match=said):
        loss(np.zeros(predictions), np.zeros(targets, int))
    with pytest.raises(RuntimeError, match="before forward"):
        loss.backward()


@pytest.mark.parametrize("labels", ([0, 3], [-1, 0]))
def test_labels_outside_the_classes_are_refused(labels):
    with pytest.raises(ValueError, match=r"SoftmaxCrossEntropy\(\): labels"):
        SoftmaxCrossEntropy()(np.zeros((2, 3)), labels)
