"""The loops of `plain` and the fast functions say the same."""

import numpy as np
import pytest

from convbook import functional, plain

RNG = np.random.default_rng(0)
SETTINGS = [(1, 0), (2, 1), (3, 2)]  # stride and padding


def whole_numbers(*shape):
    """Return whole numbers as floats: sums are exact in any order."""
    return RNG.integers(-9, 10, shape).astype(float)


X, F, B = whole_numbers(2, 3, 7, 8), whole_numbers(4, 3, 3, 2), whole_numbers(4)


def same(ours, theirs):
    if not isinstance(ours, tuple):
        ours, theirs = (ours,), (theirs,)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("stride, padding", SETTINGS)
def test_convolution(stride, padding):
    y = functional.conv2d(X, F, B, stride, padding)
    dy = whole_numbers(*y.shape)
    gradients = functional.conv2d_backward(dy, X, F, stride, padding)
    same(plain.conv2d(X, F, B, stride, padding), y)
    same(plain.conv2d_backward(dy, X, F, stride, padding), gradients)
    by_columns, cols = plain.conv2d_by_columns(X, F, B, stride, padding)
    same(by_columns, y)
    same(plain.conv2d_by_columns_backward(dy, cols, X.shape, F, stride, padding), gradients)
    same(plain.im2col(X, (3, 2), stride, padding), cols)
    same(functional.im2col(X, (3, 2), stride, padding), cols)
    same(
        plain.col2im(cols, X.shape, (3, 2), stride, padding),
        functional.col2im(cols, X.shape, (3, 2), stride, padding),
    )


def test_other_loops_give_the_same_convolution():
    y = functional.conv2d(X, F)
    same(plain.conv2d_number_by_number(X, F, B), y + B[:, None, None])
    same(plain.conv2d_image_by_image(X, F), y)
    same(plain.conv2d_weight_by_weight(X, F), y)


@pytest.mark.parametrize("kernel, stride", [(2, None), (3, 2), ((2, 4), 1)])
def test_pooling(kernel, stride):
    for name in ("max_pool2d", "avg_pool2d"):
        y = getattr(functional, name)(X, kernel, stride or kernel)
        np.testing.assert_allclose(getattr(plain, name)(X, kernel, stride), y, atol=1e-14)
        dy, backward = whole_numbers(*y.shape), f"{name}_backward"
        np.testing.assert_allclose(
            getattr(plain, backward)(dy, X, kernel, stride),
            getattr(functional, backward)(dy, X, kernel, stride or kernel),
            atol=1e-14,
        )


def test_gradients_of_integers_are_not_cut():
    x, f = X.astype(int), F.astype(int)
    dy = 0.7 * np.ones(functional.conv2d(x, f).shape)
    same(plain.conv2d_backward(dy, x, f), plain.conv2d_backward(dy, X, F))
    dy = 0.7 * np.ones((2, 3, 3, 4))
    for backward in (plain.max_pool2d_backward, plain.avg_pool2d_backward):
        assert backward(dy, x, 2).sum() == pytest.approx(0.7 * 72)
        assert backward(dy.astype(int), x, 2).dtype == float
    assert plain.avg_pool2d(x, 2).dtype == float
    x32 = X.astype(np.float32)
    assert plain.max_pool2d_backward(dy.astype(np.float32), x32, 2).dtype == np.float32
