"""The explorers of gradients in Python: their gradients, their checks, and the error curves."""

import numpy as np
import pytest
import traitlets

from convbook.functional import avg_pool2d_backward, conv2d_backward, max_pool2d_backward
from convbook.layers.gradcheck import numerical_gradient
from convbook.widgets import ConvGradientExplorer, GradientCheckFigure, PoolGradientExplorer
from convbook.widgets.gradient_check import FUNCTIONS


class TestConvGradientExplorer:
    def test_gradients_are_the_packages(self):
        w = ConvGradientExplorer(x=np.arange(30).reshape(5, 6), f=[[1, -2, 3]], stride=2, padding=1)
        dy, x, f = (np.asarray(value)[None, None] for value in (w.dy, w.x, w.f))
        dx, df, db = conv2d_backward(dy, x, f, 2, 1)
        np.testing.assert_array_equal(w.dx, dx[0, 0])
        np.testing.assert_array_equal(w.df, df[0, 0])
        assert w.db == db[0] == np.sum(w.dy)

    def test_one_element_by_hand(self):
        w = ConvGradientExplorer()
        x, f, dy = np.asarray(w.x), np.asarray(w.f), np.asarray(w.dy)
        assert (x.shape, f.shape, dy.shape) == ((4, 4), (2, 2), (3, 3))
        by_hand = dy[0, 0] * f[1, 1] + dy[0, 1] * f[1, 0] + dy[1, 0] * f[0, 1] + dy[1, 1] * f[0, 0]
        assert w.dx[1, 1] == by_hand
        assert w.df[0, 0] == (dy * x[:3, :3]).sum()

    def test_dy_takes_the_shape_of_the_output(self):
        w = ConvGradientExplorer(dy=[[5, 6], [7, 8]])
        assert w.dy == [[5, 6, 1], [7, 8, 1], [1, 1, 1]]
        w.stride = 2
        assert w.dy == [[5, 6], [7, 8]]
        w.padding = 1
        assert np.shape(w.dy) == (3, 3)
        w.f = np.ones((4, 4))
        assert np.shape(w.dy) == (2, 2)
        w.x = np.ones((6, 5))
        assert np.shape(w.dy) == (3, 2)

    def test_dy_waits_while_the_filter_does_not_fit(self):
        w = ConvGradientExplorer(x=[[1, 2]], f=np.ones((3, 3)), dy=[[4]])
        assert w.dy == [[4]]
        with pytest.raises(ValueError):
            w.dx
        assert "dX" not in w.plain()
        w.padding = 1
        assert w.dy == [[4, 1]]
        assert "dX" in w.plain()

    @pytest.mark.parametrize(
        ("name", "value"),
        [("x", np.ones((7, 2))), ("f", np.ones((5, 1))), ("dy", [[np.nan]]), ("stride", 0),
         ("padding", 3), ("mode", "y"), ("view", "two"), ("row", 6), ("step", -1)],
    )  # fmt: skip
    def test_refuses_what_it_cannot_show(self, name, value):
        w = ConvGradientExplorer()
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(w, name, value)
        assert w.state == ConvGradientExplorer().state


class TestPoolGradientExplorer:
    @pytest.mark.parametrize(
        ("kind", "backward"), [("max", max_pool2d_backward), ("average", avg_pool2d_backward)]
    )
    def test_gradient_is_the_packages(self, kind, backward):
        w = PoolGradientExplorer(
            x=np.arange(35).reshape(5, 7) % 4, dy=[[1, 2, 3], [4, 5, 6]],
            kind=kind, kernel_size=3, stride=2,
        )  # fmt: skip
        dy, x = np.asarray(w.dy)[None, None], np.asarray(w.x)[None, None]
        np.testing.assert_array_equal(w.dx, backward(dy, x, 3, 2)[0, 0])

    def test_the_first_of_equal_maxima_gets_all(self):
        w = PoolGradientExplorer(x=np.ones((2, 2)), dy=[[8]])
        assert w.dx.tolist() == [[8, 0], [0, 0]]
        w.kind = "average"
        assert w.dx.tolist() == [[2, 2], [2, 2]]

    def test_overlapping_windows_add(self):
        w = PoolGradientExplorer(x=[[0, 9, 0]], kernel_size=1, stride=1)
        assert w.dy == [[1, 2, 1]]
        w = PoolGradientExplorer(x=np.diag([0, 9, 0]), stride=1, dy=[[1, 2], [3, 4]])
        assert w.dx.tolist() == [[0, 0, 0], [0, 10, 0], [0, 0, 0]]

    def test_dy_takes_the_shape_of_the_output(self):
        w = PoolGradientExplorer()
        w.stride = 1
        assert w.dy == [[1, 2, 1], [3, 4, 1], [1, 1, 1]]
        w.kernel_size = 4
        assert w.dy == [[1]]

    def test_a_window_that_does_not_fit_is_said_on_the_page(self):
        w = PoolGradientExplorer(x=[[1, 2]])
        assert "dX" not in w.plain()
        with pytest.raises(ValueError):
            w.dx

    @pytest.mark.parametrize(
        ("name", "value"),
        [("kind", "sum"), ("kernel_size", 5), ("stride", 0), ("x", [[1], [2, 3]])],
    )
    def test_refuses_what_it_cannot_show(self, name, value):
        with pytest.raises(traitlets.TraitError, match=name):
            PoolGradientExplorer(**{name: value})


class TestGradientCheckFigure:
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_derivative(self, function):
        f, x, derivative, _ = FUNCTIONS[function]
        numerical = numerical_gradient(lambda at: f(at[0], np.float64), np.array([x]))
        assert numerical[0] == pytest.approx(derivative, rel=1e-9)
        assert GradientCheckFigure(function=function).derivative == derivative

    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_errors_fall_and_rise(self, function, precision):
        w = GradientCheckFigure(function=function, precision=precision)
        errors = w.errors
        steps = errors["step"]
        epsilon = np.finfo(precision).eps
        for name, order in [("forward", 1), ("central", 2)]:
            best = epsilon ** (1 / (order + 1))  # where both parts of the error are about equal
            large = (steps > 10 * best) & (steps <= 0.5)
            slope = np.polyfit(np.log(steps[large]), np.log(errors[name][large]), 1)[0]
            assert slope == pytest.approx(order, abs=0.2)
            small = (steps < best / 30) & (steps > 3 * epsilon)
            assert (errors[name][small] < 20 * epsilon / steps[small]).all()
            assert errors[name][small].max() > 1e-2
            assert errors[name].min() < 20 * best**order
            assert best / 30 < steps[errors[name].argmin()] < 30 * best
        if function != "softplus":  # at 1 and at 1.5, x + 1e-16 is rounded to x
            assert errors["forward"][-1] == 1

    def test_quotients_are_computed_in_the_precision(self):
        w = GradientCheckFigure(function="sin", precision="float32", step=1e-2)
        for quotient in w.quotients:
            assert quotient == np.float32(quotient)
        h, x = np.float32(1e-2), np.float32(1)
        assert w.quotients[0] == pytest.approx(float((np.sin(x + h) - np.sin(x)) / h), rel=1e-4)

    def test_chosen_step_lies_on_the_curve(self):
        w = GradientCheckFigure(function="exp", step=1e-5)
        errors = w.errors
        k = errors["step"].tolist().index(1e-5)
        for quotient, name in zip(w.quotients, ["forward", "central"], strict=True):
            assert abs(quotient - w.derivative) / w.derivative == errors[name][k]

    @pytest.mark.parametrize("step", [0, 2, -1e-3, float("nan"), 1e-17])
    def test_refuses_other_steps(self, step):
        with pytest.raises(traitlets.TraitError, match="from 1e-16 to 1"):
            GradientCheckFigure(step=step)
