"""Classes described in words: attributes that can be seen, and a table of who has which."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..layers import Linear, ReLU, Sequential
from ..losses import Loss
from .digits import convolutional_part

SEGMENT_NAMES = ("top bar", "upper right", "lower right", "bottom bar", "lower left",
                 "upper left", "middle bar")
# Which strokes of a calculator's display are lit for 0, 1, … 9, in the order of the names.
SEGMENTS = np.array([[int(lit) for lit in row] for row in (
    "1111110", "0110000", "1101101", "1111001", "0110011",
    "1011011", "1011111", "1110000", "1111111", "1111011")])
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
    rng = np.random.default_rng(rng)
    labels = rng.choice(np.asarray(numbers), n)
    places = [np.flatnonzero(y == k) for k in range(10)]
    tens, units = ([rng.choice(places[digit]) for digit in digits]
                   for digits in np.divmod(labels, 10))
    return np.concatenate([x[tens][..., 4:24], x[units][..., 4:24]], axis=3), labels


def number_cnn(outputs=14, rng=None):
    """Return an untrained network for images (N, 1, 28, 40), made like that of chapter 3-5-1."""
    rng = np.random.default_rng(rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 7, 64, rng=rng), ReLU(),
        Linear(64, outputs, rng=rng),
    )


def number_order(rng):
    """Return the numbers 0 to 99 in a random order: each ten show every digit in each place.

    So with the first 10, 20, … numbers, all digits occur equally often as tens and as units.
    """
    rng = np.random.default_rng(rng)
    tens, units, turns = (rng.permutation(10) for _ in range(3))
    return np.concatenate([10 * tens + np.roll(units, turn) for turn in turns])


class SigmoidCrossEntropy(Loss):
    """Sigmoid, then binary cross entropy for each of several yes-or-no questions.

    The loss of an image is the sum over the questions; the mini-batch is averaged. Together,
    because the gradient of the two is simply (sigmoid(scores) - answers) / N, and because neither
    overflow nor the logarithm of zero can then occur.
    """

    def forward(self, scores, answers):
        """Return the loss as a float.

        Parameters
        ----------
        scores : array (N, K)
        answers : array (N, K)
            1 for yes and 0 for no, or probabilities.
        """
        return super().forward(scores, answers)

    def _checked(self, scores, answers):
        _, scores, answers = checks.numeric_arrays(scores=scores, answers=answers)
        checks.axes("scores", scores, "NK")
        checks.shape("answers", answers, scores.shape)
        return scores, answers

    def measure(self, scores, answers):
        """Return the loss as an array without axes; see `Loss.measure`."""
        self._remembered = scores, answers.astype(scores.dtype, copy=False)
        return binary_cross_entropy(scores, answers).sum() / len(scores)

    def backward(self):
        """Return the gradient of the scores, (N, K)."""
        scores, answers = self._recall()
        return (probability(scores) - answers) / len(scores)


def probability(scores):
    """Return the sigmoid of each score, without overflow."""
    xp = get_array_module(scores)
    return (1 + xp.tanh(scores / 2)) / 2


def binary_cross_entropy(scores, answers):
    """Return the cost of each sigmoid(score) where `answers` has 1 for yes and 0 for no.

    It is log(1 + exp(score)) - score · answer, in a form that cannot overflow.
    """
    xp = get_array_module(scores)
    return xp.maximum(scores, 0) - scores * answers + xp.log1p(xp.exp(-abs(scores)))


def nearest_description(answers, table, classes):
    """Return the class whose description differs least from what was seen.

    Parameters
    ----------
    answers : array (N, K)
        Probabilities of "yes" for each image and attribute.
    table : array (classes in all, K)
        The descriptions, rows of 0 and 1.
    classes : sequence of int
        The classes that come into question.

    Returns
    -------
    numpy.ndarray (N,)
        Of equally near ones, the first.
    """
    classes = np.asarray(classes)
    differences = abs(answers[:, None] - table[classes]).sum(axis=2)
    return classes[differences.argmin(axis=1)]
