"""Digits described by the strokes of a calculator's display, and two-digit numbers made of them."""

import numpy as np

from .. import checks

SEGMENT_NAMES = (
    "top bar",
    "upper right",
    "lower right",
    "bottom bar",
    "lower left",
    "upper left",
    "middle bar",
)
# Which strokes of a calculator's display are lit for 0, 1, … 9, in the order of the names.
SEGMENTS = np.array(
    [
        [int(lit) for lit in row]
        for row in (
            "1111110",
            "0110000",
            "1101101",
            "1111001",
            "0110011",
            "1011011",
            "1011111",
            "1110000",
            "1111111",
            "1111011",
        )
    ]
)
# The same for the numbers 00, 01, … 99: two displays side by side.
NUMBER_SEGMENTS = np.hstack([SEGMENTS.repeat(10, axis=0), np.tile(SEGMENTS, (10, 1))])


def two_digit_numbers(x, y, numbers, n, rng):
    """Return images of two-digit numbers, put together from pictures of digits.

    Parameters
    ----------
    x : array (M, 1, 28, 28)
        Digits; their four empty columns on either side are cut off.
    y : array (M,) of ints
        Their labels.
    numbers : sequence of int
        Which numbers from 0 to 99 may occur.
    n : int
        How many images to make.
    rng : int or numpy.random.Generator

    Returns
    -------
    images : array (n, 1, 28, 40)
    labels : numpy.ndarray (n,) of ints
        The number in each image.
    """
    rng = checks.generator("rng", rng)
    labels = rng.choice(np.asarray(numbers), n)
    places = [np.flatnonzero(y == k) for k in range(10)]
    tens, units = (
        [rng.choice(places[digit]) for digit in digits] for digits in np.divmod(labels, 10)
    )
    return np.concatenate([x[tens][..., 4:24], x[units][..., 4:24]], axis=3), labels


def number_order(rng):
    """Return the numbers 0 to 99 in a random order: each ten show every digit in each place.

    So with the first 10, 20, … numbers, all digits occur equally often as tens and as units.
    """
    rng = checks.generator("rng", rng)
    tens, units, turns = (rng.permutation(10) for _ in range(3))
    return np.concatenate([10 * tens + np.roll(units, turn) for turn in turns])
