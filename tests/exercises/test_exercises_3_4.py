"""The exercises of chapter 3-4: their answers against the package and against numerical
differentiation, and what is said to mistakes that only ties and overlaps bring to light."""

import numpy as np
import pytest

from convbook import functional
from convbook.exercises import EXERCISES
from convbook.exercises.chapter_3_4 import PENCIL_DY, PENCIL_X, TIED
from convbook.layers.gradcheck import numerical_gradient
from helpers.answers import (
    ANSWERS,
    answer_to,
    avg_pool_grad,
    max_pool,
    max_pool_grad,
    max_pool_grad_overlap,
)

CASES = [
    (h, w, size, stride)
    for h, w in [(4, 4), (5, 8), (9, 6)]
    for size, stride in [(2, 2), (3, 3), (3, 2), (3, 1), (2, 3)]
]


def drawn(case, ties):
    """Return dy and x of one case; x is full of ties, or without any and nowhere near one."""
    h, w, size, stride = case
    rng = np.random.default_rng(11)
    x = rng.integers(0, 3, (h, w)) if ties else rng.permutation(h * w).reshape(h, w)
    return rng.standard_normal(max_pool(x, size, stride).shape), x


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answers_are_the_gradients_of_the_pooling(case, ties):
    *_, size, stride = case
    dy, x = drawn(case, ties)
    dx = functional.max_pool2d_backward(dy[None, None], x[None, None], size, stride)[0, 0]
    np.testing.assert_allclose(max_pool_grad_overlap(dy, x, size, stride), dx)
    np.testing.assert_allclose(EXERCISES["3-4.4"].reference(dy, x, size, stride), dx)
    if size == stride:
        np.testing.assert_allclose(max_pool_grad(dy, x, size), dx)
        np.testing.assert_allclose(EXERCISES["3-4.2"].reference(dy, x, size), dx)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_references_agree_with_numerical_differentiation(case):
    *_, size, stride = case
    dy, x = drawn(case, ties=False)
    numerical = numerical_gradient(lambda x: (max_pool(x, size, stride) * dy).sum(), x)
    np.testing.assert_allclose(
        EXERCISES["3-4.4"].reference(dy, x, size, stride), numerical, atol=1e-8
    )


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 3, 7, 5)])
def test_the_average_hands_out_equal_parts(shape):
    rng = np.random.default_rng(12)
    dy = rng.standard_normal((*shape[:2], shape[2] // 2, shape[3] // 2))
    numerical = numerical_gradient(
        lambda x: (functional.avg_pool2d(x, 2) * dy).sum(), np.zeros(shape)
    )
    for function in (avg_pool_grad, EXERCISES["3-4.3"].reference):
        np.testing.assert_allclose(function(dy, shape, 2), numerical, atol=1e-8)


def test_the_pencil_answers():
    assert np.array_equal(max_pool_grad(PENCIL_DY, PENCIL_X, 2), ANSWERS["3-4.1"])
    dx = functional.max_pool2d_backward(
        np.ones((8, 16, 14, 14)), np.random.default_rng(13).random((8, 16, 28, 28)), 2
    )
    assert np.count_nonzero(dx) == ANSWERS["3-4.5"]
    found = numerical_gradient(lambda x: 6 * x.max(), TIED, step=0.1)
    np.testing.assert_allclose(found, ANSWERS["3-4.6"])


# --- what the trials must show -------------------------------------------------------------------


@pytest.mark.parametrize("key", ["3-4.2", "3-4.4"])
def test_some_trial_has_ties_some_leaves_cells_over_and_none_sends_only_zeros(key):
    tied = left_over = False
    for _, (dy, x, size, *stride) in EXERCISES[key].trials:
        stride = stride[0] if stride else size
        y = max_pool(x, size, stride)
        assert dy.shape == y.shape and np.any(dy)
        windows = functional.im2col(x[None, None], size, stride)
        tied |= bool(np.any(np.sum(windows == windows.max(axis=1, keepdims=True), axis=1) > 1))
        left_over |= any(stride * (n - 1) + size < m for n, m in zip(y.shape, x.shape))
    assert tied and left_over


def test_some_trial_of_overlapping_windows_has_a_number_that_wins_several():
    wins = [
        EXERCISES["3-4.4"].reference(np.ones(dy.shape), x, size, stride).max()
        for _, (dy, x, size, stride) in EXERCISES["3-4.4"].trials
    ]
    assert max(wins) == 4


# --- what is said --------------------------------------------------------------------------------


def spread(dy, size):
    return dy.repeat(size, axis=0).repeat(size, axis=1)


def test_the_mask_is_right_without_ties_and_explained_with_them():
    def max_pool_grad(dy, x, size):
        dx = np.zeros(x.shape)
        h, w = size * dy.shape[0], size * dy.shape[1]
        mask = x[:h, :w] == spread(max_pool(x, size, size), size)
        dx[:h, :w] = mask * spread(dy, size)
        return dx

    message = answer_to("3-4.2", max_pool_grad)
    assert "+ four windows, no ties" in message and "x ties" in message
    assert "every cell that equals the maximum gets the whole dy" in message


def test_arrays_of_indices_lose_what_a_loop_adds():
    def max_pool_grad_overlap(dy, x, size, stride):
        dx = np.zeros(x.shape)
        oh, ow = np.indices(dy.shape)
        places = functional.im2col(x[None, None], size, stride).argmax(axis=1).reshape(dy.shape)
        dx[stride * oh + places // size, stride * ow + places % size] += dy
        return dx

    message = answer_to("3-4.4", max_pool_grad_overlap)
    assert "+ windows that do not overlap" in message
    assert "np.add.at does not" in message


def test_a_matrix_wide_argmax_is_named():
    def max_pool_grad(dy, x, size):
        dx = np.zeros(x.shape)
        dx[np.unravel_index(np.argmax(x), x.shape)] = dy.sum()
        return dx

    assert "Each window has a maximum of its own" in answer_to("3-4.2", max_pool_grad)


def test_a_gradient_in_the_shape_of_dy_is_not_taken_for_right():
    message = answer_to("3-4.2", lambda dy, x, size: dy)
    assert "should return an array of shape (4, 4), but gave shape (2, 2)" in message


def test_an_average_that_forgets_to_divide_is_told_its_share():
    def avg_pool_grad(dy, x_shape, size):
        dx = np.zeros(x_shape)
        large = dy.repeat(size, axis=2).repeat(size, axis=3)
        dx[:, :, : large.shape[2], : large.shape[3]] = large
        return dx

    assert "each cell gets the whole dy" in answer_to("3-4.3", avg_pool_grad)
