"""Numerical differentiation, and that the check of a layer finds what is wrong, and where."""

import numpy as np
import pytest

from convbook.layers import BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d, ReLU, Sequential
from convbook.layers.base import Layer
from convbook.layers.gradcheck import check_layer, numerical_gradient, relative_error


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_numerical_gradients_of_known_functions():
    x = normal((3, 4))
    weights = normal((3, 4), seed=1)
    for f, gradient in [
        (lambda a: (weights * a).sum(), weights),
        (lambda a: (a**3).sum(), 3 * x**2),
        (lambda a: np.exp(a[0]).sum() * a[2, 1], None),
    ]:
        if gradient is None:
            gradient = np.zeros((3, 4))
            gradient[0] = np.exp(x[0]) * x[2, 1]
            gradient[2, 1] = np.exp(x[0]).sum()
        numerical = numerical_gradient(f, x)
        assert numerical.dtype == np.float64 and numerical.shape == x.shape
        assert relative_error(gradient, numerical)[0] < 1e-9


def test_numerical_gradients_are_taken_in_float64_of_a_copy():
    x = np.arange(3, dtype=np.float32)
    kept = x.copy()
    kinds = set()

    def f(a):
        kinds.add(a.dtype)
        return (a**2).sum()

    np.testing.assert_allclose(numerical_gradient(f, x), 2 * kept, atol=1e-9)
    assert kinds == {np.dtype(np.float64)}
    np.testing.assert_array_equal(x, kept)
    assert numerical_gradient(lambda a: a**2, 3) == pytest.approx(6)
    assert numerical_gradient(lambda a: a[0] * a[1], [2, 5]) == pytest.approx([5, 2])


def test_the_step_h_is_the_one_asked_for():
    # The error of central differences for x³ is exactly h².
    assert numerical_gradient(lambda a: a**3, 0.0, step=0.1) == pytest.approx(0.01)


def test_relative_error_is_relative_to_the_largest_element():
    a = np.array([[1e-9, 100.0], [3.0, 4.0]])
    b = np.array([[0, 100.0], [3.0, 5.0]])
    error, index = relative_error(a, b)
    assert error == pytest.approx(1 / 200) and index == (1, 1)
    assert relative_error(a, a) == (0, (0, 0))
    assert relative_error(np.zeros(2), np.array([0, 1e-11])) == (pytest.approx(1e-8), (1,))
    assert np.isnan(relative_error(np.array([1, np.nan]), np.ones(2))[0])


class Wrong(Linear):
    """A linear layer whose gradients are wrong in one place."""

    def __init__(self, name, index, factor):
        super().__init__(4, 3, rng=0)
        self.wrong = name, index, factor

    def backward(self, dy, need_dx=True):
        dx = super().backward(dy, need_dx)
        name, index, factor = self.wrong
        (dx if name == "x" else self.grads[name])[index] *= factor
        return dx


@pytest.mark.parametrize("name, index", [("x", (1, 2)), ("w", (2, 0)), ("b", (1,))])
@pytest.mark.parametrize("factor", (1.001, -1, 0, np.nan))
def test_a_wrong_gradient_is_found_and_located(name, index, factor):
    report = check_layer(Wrong(name, index, factor), normal((2, 4)))
    assert not report.ok
    comparison = report[name]
    assert comparison.index == index
    np.testing.assert_allclose(comparison.backward, factor * comparison.numerical, rtol=1e-6)
    assert not comparison.kink
    assert all(c.error < 1e-8 for c in report.comparisons if c.name != name)
    text = str(report)
    assert "DIFFERS from numerical differentiation" in text
    assert str(list(index)) in text and f"{comparison.numerical:.6g}" in text
    assert "kink" not in text


def test_a_report_is_a_readable_table():
    report = check_layer(Conv2d(1, 2, 3, rng=0), normal((1, 1, 4, 5)))
    assert report.ok
    lines = repr(report).splitlines()
    assert lines[0] == (
        "Conv2d(1, 2, 3): backward agrees with numerical differentiation "
        "(step 1e-05, tolerance 1e-06)"
    )
    assert lines[1].split("  ")[0] == "array"
    assert [line.split()[0] for line in lines[2:]] == ["x", "f", "b"]
    assert "(2, 1, 3, 3)" in lines[3]


def test_the_layer_is_left_as_it_was():
    layer = Sequential(Conv2d(2, 2, 2, rng=0), BatchNorm2d(2), Dropout(rng=0))
    x = normal((2, 2, 3, 3)).astype(np.float32)
    y = layer(x)
    layer.backward(y)
    state, grads, next_mask = layer.state(), dict(layer.grads), layer[2]._rng.bit_generator.state
    assert check_layer(layer, x).ok
    for name, array in layer.state().items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, state[name])
    assert all(layer.grads[name] is grad for name, grad in grads.items())
    assert layer[2]._rng.bit_generator.state == next_mask


def test_a_kink_is_named_and_not_called_an_error_of_the_layer():
    report = check_layer(ReLU(), [[1.0, 0.0, -1.0]], dy=[[2.0, 2.0, 2.0]])
    comparison = report["x"]
    assert not report.ok and comparison.kink
    assert comparison.index == (0, 1)
    assert (comparison.left, comparison.right) == pytest.approx((0, 2))
    assert (comparison.backward, comparison.numerical) == pytest.approx((0, 1))
    assert "At [0, 1] of x is a kink: the slope is 0 on the left and 2 on the right" in str(report)
    ties = check_layer(MaxPool2d(2), np.ones((1, 1, 2, 2)))
    assert ties["x"].kink and not ties.ok
    assert check_layer(ReLU(), [[1.0, 0.1, -1.0]]).ok


def test_the_gradient_of_the_output_can_be_given():
    report = check_layer(Linear(2, 1, rng=0), [[3.0, 4.0]], dy=[[10.0]])
    assert report["b"].backward == pytest.approx(10)
    with pytest.raises(ValueError, match="dy must have the shape of the last output"):
        check_layer(Linear(2, 1), [[3.0, 4.0]], dy=[10.0])


class Noise(Layer):
    def forward(self, x):
        return x + np.random.default_rng().standard_normal(x.shape)


class Forgetful(Linear):
    def backward(self, dy, need_dx=True):
        dx = super().backward(dy)
        del self.grads["b"]
        return dx


class Misshapen(Linear):
    def backward(self, dy, need_dx=True):
        dx = super().backward(dy)
        self.grads["b"] = self.grads["b"][None]
        return dx


@pytest.mark.parametrize(
    "layer, said",
    [
        (Noise(), "gives another result each time; its random numbers must come from a generator"),
        (Forgetful(2, 2), r"must give a gradient of b of shape \(2,\), got none"),
        (Misshapen(2, 2), r"must give a gradient of b of shape \(2,\), got \(1, 2\)"),
    ],
)
def test_what_cannot_be_checked_says_why(layer, said):
    with pytest.raises(ValueError, match=said):
        check_layer(layer, np.ones((3, 2)))


def test_an_empty_input_is_refused():
    with pytest.raises(ValueError, match=r"x must not be empty, got shape \(0, 2\)"):
        check_layer(Linear(2, 2), np.ones((0, 2)))
