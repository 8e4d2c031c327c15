"""Networks that learn from images alone: they squeeze a digit and restore it, or clean it."""

from .. import checks
from ..layers import (
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Skip,
)
from .blocks import conv_relu


def digit_autoencoder(channels=8, rng=None):
    """Return an untrained autoencoder for images (N, 1, 28, 28): ``Sequential(encoder, decoder)``.

    Three convolutions of stride 2 take 28 × 28 pixels to 14 × 14, 7 × 7 and 4 × 4 places; three
    transposed convolutions take them back (Hinton and Salakhutdinov, "Reducing the dimensionality
    of data with neural networks", Science 2006, for the idea, there with linear layers).

    Parameters
    ----------
    channels : int
        Of the code, (N, channels, 4, 4).
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng = checks.generator("rng", rng)
    encoder = Sequential(
        Conv2d(1, 8, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        Conv2d(8, 16, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        Conv2d(16, channels, 3, stride=2, padding=1, rng=rng),
    )
    decoder = Sequential(
        ReLU(),
        ConvTranspose2d(channels, 16, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        ConvTranspose2d(16, 8, 4, stride=2, padding=1, rng=rng),
        ReLU(),
        ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=rng),
        Sigmoid(),
    )
    return Sequential(encoder, decoder)


def dense_autoencoder(features=16, hidden=128, rng=None):
    """Return an untrained autoencoder of fully connected layers: ``Sequential(encoder, decoder)``.

    For images (N, 1, 28, 28); the code is (N, features), any numbers (Hinton and Salakhutdinov,
    Science 2006, with fewer and smaller layers).

    Parameters
    ----------
    features, hidden : int
        Of the code, and of the layer before and after it.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    features = checks.integer("features", features, least=1)
    rng = checks.generator("rng", rng)
    encoder = Sequential(
        Flatten(), Linear(784, hidden, rng=rng), ReLU(), Linear(hidden, features, rng=rng)
    )
    decoder = Sequential(
        Linear(features, hidden, rng=rng),
        ReLU(),
        Linear(hidden, 784, rng=rng),
        Sigmoid(),
        Reshape(1, 28, 28),
    )
    return Sequential(encoder, decoder)


def convolutional_autoencoder(features=2, rng=None):
    """Return an untrained autoencoder with convolutions and few weights (some 38,000).

    For images (N, 1, 28, 28); as in `dense_autoencoder` the code is (N, features), any numbers.
    Three convolutions of stride 2 leave 16 pictures of 4 × 4, two linear layers make the code of
    them. On the way back linear layers make 8 pictures of 7 × 7, which two transposed convolutions
    enlarge.

    Parameters
    ----------
    features : int
        Of the code.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    features = checks.integer("features", features, least=1)
    rng = checks.generator("rng", rng)
    encoder = Sequential(
        Conv2d(1, 8, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        Conv2d(8, 16, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        Conv2d(16, 16, 3, stride=2, padding=1, rng=rng),
        ReLU(),
        Flatten(),
        Linear(256, 32, rng=rng),
        ReLU(),
        Linear(32, features, rng=rng),
    )
    decoder = Sequential(
        Linear(features, 64, rng=rng),
        ReLU(),
        Linear(64, 8 * 7 * 7, rng=rng),
        ReLU(),
        Reshape(8, 7, 7),
        ConvTranspose2d(8, 8, 4, stride=2, padding=1, rng=rng),
        ReLU(),
        ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=rng),
        Sigmoid(),
    )
    return Sequential(encoder, decoder)


def digit_cleaner(channels=8, norm=True, rng=None):
    """Return an untrained network that makes a clean digit (N, 1, 28, 28) of a noisy one.

    It is an autoencoder whose halves are joined twice by `Skip`: what the narrow places lose goes
    past them (Ronneberger et al., "U-Net", MICCAI 2015; there without batch normalisation).

    Parameters
    ----------
    channels : int
        At full size; twice and four times as many at half and at a quarter of it.
    norm : bool
        False leaves the batch normalisation out.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    c = checks.integer("channels", channels, least=1)
    rng = checks.generator("rng", rng)
    quarter = Sequential(
        MaxPool2d(2),
        *conv_relu(2 * c, 4 * c, rng, norm),
        ConvTranspose2d(4 * c, 2 * c, 2, stride=2, rng=rng),
    )
    half = Sequential(
        MaxPool2d(2),
        *conv_relu(c, 2 * c, rng, norm),
        Skip(quarter),
        *conv_relu(4 * c, 2 * c, rng, norm),
        ConvTranspose2d(2 * c, c, 2, stride=2, rng=rng),
    )
    return Sequential(
        *conv_relu(1, c, rng, norm),
        Skip(half),
        *conv_relu(2 * c, c, rng, norm),
        Conv2d(c, 1, 1, rng=rng),
        Sigmoid(),
    )
