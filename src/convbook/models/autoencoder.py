"""A network that learns from images alone: it squeezes a digit and restores it."""

import numpy as np

from ..layers import Conv2d, ConvTranspose2d, ReLU, Sequential, Sigmoid


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
    rng = np.random.default_rng(rng)
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
