"""The network of chapter 3-5-1, which reads handwritten digits, and those made of its parts."""

from .. import checks
from ..layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential


def convolutional_part(rng):
    """Return the seven layers that turn pictures of one channel into a row of features each.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    list of Layer
        From (N, 1, H, W) to 16 features for each 4 × 4 pixels, less the edges: (N, 256) from
        28 × 28.
    """
    return [
        Conv2d(1, 8, 5, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Conv2d(8, 16, 5, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
    ]


def digit_cnn(rng=None):
    """Return an untrained network for images (N, 1, 28, 28), with 10 scores for each.

    Twice convolution, ReLU and pooling, then two linear layers, as in LeNet-5 (LeCun et al.,
    "Gradient-based learning applied to document recognition", 1998), with ReLU and max pooling.

    Parameters
    ----------
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 4, 64, rng=rng),
        ReLU(),
        Linear(64, 10, rng=rng),
    )


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
    rng = checks.generator("rng", rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 4, features, rng=rng),
        ReLU(),
    )


def number_cnn(outputs=14, rng=None):
    """Return an untrained network for images (N, 1, 28, 40), made like that of chapter 3-5-1."""
    rng = checks.generator("rng", rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 7, 64, rng=rng),
        ReLU(),
        Linear(64, outputs, rng=rng),
    )
