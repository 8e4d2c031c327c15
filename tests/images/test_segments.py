"""What is known about digits: how they lean, and which strokes of a display they light."""

import numpy as np
import pytest

from convbook.images.digit import slant
from convbook.images.segments import NUMBER_SEGMENTS, SEGMENTS, number_order, two_digit_numbers


def test_the_slant_of_a_stroke():
    strokes = np.zeros((3, 1, 9, 9))
    rows = np.arange(9)
    for stroke, lean in zip(strokes, (0, 1, -1)):
        stroke[0, rows, 4 + lean * (4 - rows)] = 1
    np.testing.assert_allclose(slant(strokes), [0, 1, -1], atol=1e-12)


def test_the_segments_of_a_display():
    assert SEGMENTS.sum(axis=1).tolist() == [6, 2, 5, 5, 4, 5, 6, 3, 7, 6]
    assert len(np.unique(SEGMENTS, axis=0)) == 10
    assert NUMBER_SEGMENTS.shape == (100, 14)
    np.testing.assert_array_equal(NUMBER_SEGMENTS[47], [*SEGMENTS[4], *SEGMENTS[7]])


def test_two_digit_numbers():
    y = np.repeat(np.arange(10), 3)
    x = np.zeros((30, 1, 28, 28), np.float32)
    x += y[:, None, None, None]  # each picture is filled with its label
    images, labels = two_digit_numbers(x, y, [7, 42, 99], 50, rng=0)
    assert images.shape == (50, 1, 28, 40) and set(labels) == {7, 42, 99}
    np.testing.assert_array_equal(10 * images[:, 0, 5, 3] + images[:, 0, 5, 30], labels)


@pytest.mark.parametrize("seed", range(3))
def test_each_ten_numbers_show_every_digit_in_each_place(seed):
    order = number_order(seed)
    assert sorted(order) == list(range(100))
    for ten in order.reshape(10, 10):
        for digits in np.divmod(ten, 10):
            assert sorted(digits) == list(range(10))
