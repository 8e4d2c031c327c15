"""VGG: the same small convolution again and again, and depth does the rest.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR
2015.
"""

from .. import checks
from ..layers import Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential
from .blocks import conv_relu

# Table 1 of the paper, columns A, B, D and E: how many convolutions of 3×3 stand in each stage.
# A pooling of 2×2 ends a stage.
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


def vgg(depth=16, classes=1000, hidden=4096, rng=None):
    """Return an untrained VGG for pictures (N, 3, 224, 224), with a score for each class.

    Parameters
    ----------
    depth : int
        How many layers have weights: 11, 13, 16 or 19.
    classes : int
    hidden : int
        How many numbers each of the first two linear layers gives.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        VGG-16 has 138,357,544 parameters, nine tenths of them in the linear layers.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        stages(CONVOLUTIONS[checks.one_of("depth", depth, CONVOLUTIONS)], CHANNELS, 3, rng),
        Flatten(),
        Linear(512 * 7 * 7, hidden, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(hidden, hidden, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(hidden, classes, rng=rng),
    )


def small_vgg(classes=10, width=12, norm=False, rng=None):
    """Return an untrained VGG for pictures (N, 3, 32, 32): three stages, two small linear layers.

    Parameters
    ----------
    classes : int
    width : int
        The first stage's channels, which double from stage to stage.
    norm : bool
        True puts a batch normalisation behind every convolution, which the paper does not know yet.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        stages((2, 2, 2), (width, 2 * width, 4 * width), 3, rng, norm),
        Flatten(),
        Linear(4 * width * 4 * 4, 128, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(128, classes, rng=rng),
    )


def stages(convolutions, channels, in_channels, rng, norm=False):
    """Return the stages: in each, so many convolutions of 3×3 with ReLU, and a pooling of 2×2."""
    made = []
    for count, out_channels in zip(convolutions, channels, strict=True):
        stage = []
        for _ in range(count):
            stage += conv_relu(in_channels, out_channels, rng, norm)
            in_channels = out_channels
        made.append(Sequential(*stage, MaxPool2d(2)))
    return Sequential(*made)
