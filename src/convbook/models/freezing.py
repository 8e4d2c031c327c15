"""A network that was trained before, used again: cut off its head, and keep the rest as it is."""

import numpy as np

from ..layers import Linear, ReLU, Sequential
from .digits import convolutional_part


def digit_body(features=64, rng=None):
    """Return the network of chapter 3-5-1 without its last layer: a network that ends in features.

    Parameters
    ----------
    features : int
        How many numbers stand for a digit.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        From images (N, 1, 28, 28) to features (N, features), none of them negative.
    """
    rng = np.random.default_rng(rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 4, features, rng=rng), ReLU(),
    )
