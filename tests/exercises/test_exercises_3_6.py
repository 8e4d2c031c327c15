"""The exercises of chapter 3-6: one matrix, whole batches, honest preparation, the bottleneck."""

import numpy as np
import pytest

from convbook.datasets import cifar10
from convbook.exercises import chapter_3_6
from convbook.images import affine
from convbook.images.augment import Brightness, Flip
from helpers.answers import ANSWERS, answer_to, brighten, flip_some


def test_the_composed_matrix_moves_a_picture_as_the_three_steps_do():
    x = np.random.default_rng(0).random((1, 3, 9, 9))
    moved = affine.transform(x, ANSWERS["3-6.1"])
    by_hand = np.rot90(x[..., ::-1], axes=(2, 3))
    np.testing.assert_allclose(moved, affine.transform(by_hand, affine.shift(3, -1)), atol=1e-12)


def test_the_sheared_pixel_is_what_the_package_samples():
    picture = chapter_3_6.PICTURE[None, None].astype(float)
    moved = affine.transform(picture, affine.shear(0.25))[0, 0]
    x, y, value = ANSWERS["3-6.4"]
    assert moved[4, 3] == pytest.approx(value)
    np.testing.assert_allclose(affine.shear(0.25) @ [x, y, 1], [3 - 2, 4 - 2, 1])


def test_flip_and_brightness_agree_with_the_package():
    x = cifar10(dtype=np.uint8).x_test[:6]
    everything = flip_some(x, np.full(6, True))
    assert np.array_equal(everything, Flip(horizontal=1)(x, np.random.default_rng(0)))
    brighter = Brightness((1.5, 1.5))(x, np.random.default_rng(0))
    assert np.abs(brighten(x, np.full(6, 1.5)).astype(int) - brighter).max() <= 1  # 0.5 either way


def test_flipping_in_place_is_noticed():
    def flip_some(x, chosen):
        x[chosen] = x[chosen][..., ::-1].copy()
        return x

    assert "changes its input x" in answer_to("3-6.2", flip_some)


def test_bytes_that_run_over():
    def brighten(x, factors):
        return (x * factors[:, None, None, None]).astype(int).astype(np.uint8)

    message = answer_to("3-6.6", brighten)
    assert message.startswith("Not quite")


def test_a_cutout_that_forgets_the_upper_edge():
    def cutout(x, rows, columns, size):
        y = x.copy()
        for n, (row, column) in enumerate(zip(rows, columns)):
            y[n, :, row : row + size, column : column + size] = 0
        return y

    message = answer_to("3-6.3", cutout)
    assert "right (+) in 3 of 5 trials" in message
    assert "counts from the end" in message


def test_the_gains_are_those_of_amdahl():
    a, b, c, d, e = ANSWERS["3-6.8"]
    total, convolution, augmentation = 1200, 200, 900
    assert a == pytest.approx(total / (total - convolution + convolution / 10))
    assert b == pytest.approx(total / (total - augmentation + augmentation / 30))
    assert c < b < d == e
