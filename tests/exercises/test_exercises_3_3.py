"""The exercises of chapter 3-3: their references against the package and against numerical
differentiation, and what is said to mistakes that only a gradient knows."""

import numpy as np
import pytest

from convbook import functional
from convbook.exercises import EXERCISES
from convbook.exercises.chapter_3_3 import PENCIL_DY, PENCIL_F, PENCIL_X
from convbook.layers.gradcheck import numerical_gradient
from helpers.answers import ANSWERS, answer_to, grad_filter, grad_filters, grad_images, grad_input

CASES = [
    (n, c, oc, h, w, fh, fw, stride, padding)
    for n, c, oc in [(1, 1, 1), (2, 3, 2)]
    for h, w, fh, fw in [(4, 4, 2, 2), (5, 7, 3, 2), (6, 5, 2, 3)]
    for stride, padding in [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)]
]


def drawn(case):
    """Return dy, x, f, stride and padding of one case."""
    n, c, oc, h, w, fh, fw, stride, padding = case
    rng = np.random.default_rng(7)
    x, f = rng.standard_normal((n, c, h, w)), rng.standard_normal((oc, c, fh, fw))
    dy = rng.standard_normal(functional.conv2d(x, f, None, stride, padding).shape)
    return dy, x, f, stride, padding


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answers_are_the_gradients_of_the_convolution(case):
    dy, x, f, stride, padding = drawn(case)
    dx, df, db = functional.conv2d_backward(dy, x, f, stride, padding)
    np.testing.assert_allclose(grad_images(dy, f, x.shape, stride, padding), dx)
    np.testing.assert_allclose(EXERCISES["3-3.7"].reference(dy, f, x.shape, stride, padding), dx)
    np.testing.assert_allclose(EXERCISES["3-3.5"].reference(dy), db)
    if (stride, padding) == (1, 0):
        np.testing.assert_allclose(grad_filters(dy, x, *f.shape[2:]), df)
        np.testing.assert_allclose(EXERCISES["3-3.6"].reference(dy, x, *f.shape[2:]), df)


def test_the_references_agree_with_numerical_differentiation():
    dy, x, f, *_ = drawn((1, 1, 1, 4, 6, 2, 3, 1, 0))
    dy, x, f = dy[0, 0], x[0, 0], f[0, 0]

    def error(x, f):
        return (functional.conv2d(x[None, None], f[None, None]) * dy).sum()

    by_input = numerical_gradient(lambda x: error(x, f), x)
    by_filter = numerical_gradient(lambda f: error(x, f), f)
    np.testing.assert_allclose(EXERCISES["3-3.3"].reference(dy, f), by_input, atol=1e-9)
    np.testing.assert_allclose(EXERCISES["3-3.2"].reference(dy, x), by_filter, atol=1e-9)


def test_the_pencil_answer_is_the_gradient():
    y = functional.conv2d(PENCIL_X[None, None], PENCIL_F[None, None])
    assert y.shape[2:] == PENCIL_DY.shape
    assert np.array_equal(grad_input(PENCIL_DY, PENCIL_F), ANSWERS["3-3.1"])


def test_a_symmetric_filter_does_not_hide_a_flip():
    """A flip shows in every trial in which the filter has more than one cell."""
    for key in ("3-3.3", "3-3.4"):
        for label, inputs in EXERCISES[key].trials:
            f = inputs[1]
            assert not np.array_equal(f, f[::-1, ::-1]), label


def test_the_input_in_place_of_the_gradient():
    message = answer_to("3-3.1", PENCIL_X)
    assert message.startswith("Not quite")


def test_a_full_correlation_with_the_turned_filter_is_right():
    def grad_input(dy, f):
        FH, FW = f.shape
        return grad_filter(f[::-1, ::-1], np.pad(dy, ((FH - 1, FH - 1), (FW - 1, FW - 1))))

    assert answer_to("3-3.3", grad_input).startswith("Correct.")


def test_the_turn_forgotten_in_the_full_correlation_is_named():
    def grad_input(dy, f):
        FH, FW = f.shape
        return grad_filter(f, np.pad(dy, ((FH - 1, FH - 1), (FW - 1, FW - 1))))

    message = answer_to("3-3.3", grad_input)
    assert "turned by half a turn" in message and "+ one output only" not in message


def test_the_gradient_that_ends_with_the_last_window():
    def grad_input_strided(dy, f, x_shape, stride, padding):
        H, W = (stride * (n - 1) + k for n, k in zip(dy.shape, f.shape))
        dx = np.zeros((H, W))
        for oh, ow in np.ndindex(dy.shape):
            dx[stride * oh : stride * oh + f.shape[0], stride * ow : stride * ow + f.shape[1]] += (
                dy[oh, ow] * f
            )
        return dx[padding : H - padding, padding : W - padding]

    message = answer_to("3-3.4", grad_input_strided)
    assert "+ stride 2" in message and "x a row and a column that no window reads" in message
    assert "which no window has read: their gradient is 0" in message


def test_a_bare_reshape_is_told_to_move_the_axis():
    def grad_filters(dy, x, FH, FW):
        rows = dy.reshape(-1, dy.shape[1])
        df = rows.T @ functional.im2col(x, (FH, FW))
        return df.reshape(dy.shape[1], x.shape[1], FH, FW)

    message = answer_to("3-3.6", grad_filters)
    assert "+ one image, one channel, one filter" in message
    assert "first move the axis OC, then reshape" in message


def test_a_result_of_the_shape_of_dy_is_not_taken_for_that_of_the_input():
    message = answer_to("3-3.3", lambda dy, f: dy * 1000)
    assert "should return an array of shape (2, 2), but gave shape (1, 1)" in message
    assert "the shape of the input itself" not in message
