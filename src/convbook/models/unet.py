"""The U-Net: a class for every pixel of an image."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..layers import Conv2d, ConvTranspose2d, MaxPool2d, Sequential, Skip
from .blocks import conv_bn_relu


def unet(in_channels=1, classes=1, base=8, depth=3, rng=None, skips=True):
    """Return an untrained U-Net, from images (N, in_channels, H, W) to scores (N, classes, H, W).

    On the way down each level has two convolutions of 3 × 3 and a pooling, which halves height and
    width; the next level has twice as many channels. On the way up a transposed convolution doubles
    height and width, what the level had before its pooling is laid beside, and two convolutions
    follow. Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image
    segmentation", MICCAI 2015; there base 64, depth 4, without padding and without batch
    normalisation.

    Parameters
    ----------
    in_channels, classes : int
        Channels of the image, and of the scores: 1 for a yes or no in each pixel
        (`BCEWithLogitsLoss`, `SoftDiceLoss`), K for one of K classes (`SoftmaxCrossEntropy`).
    base : int
        Channels of the highest level.
    depth : int
        How often the image is halved. H and W must be multiples of 2^depth, or the halves of a
        `Skip` do not fit; `pad_to_multiple` makes them so.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    skips : bool
        Without them the way up sees only what comes from below: an autoencoder.

    Returns
    -------
    Sequential

    Raises
    ------
    TypeError, ValueError
        If a number is none of these.
    """
    for name, number in (("in_channels", in_channels), ("classes", classes), ("base", base)):
        checks.integer(name, number, least=1)
    checks.integer("depth", depth, least=0)
    rng = checks.generator("rng", rng)
    return Sequential(
        *_level(in_channels, base, depth, rng, skips), Conv2d(base, classes, 1, rng=rng)
    )


def _level(in_channels, channels, depth, rng, skips):
    """Return the layers of a level, and of all that lies below it."""
    down = _two_convolutions(in_channels, channels, rng)
    if depth == 0:
        return down
    below = [
        MaxPool2d(2),
        *_level(channels, 2 * channels, depth - 1, rng, skips),
        ConvTranspose2d(2 * channels, channels, 2, stride=2, rng=rng),
    ]
    if skips:
        return [*down, Skip(Sequential(*below)), *_two_convolutions(2 * channels, channels, rng)]
    return [*down, *below, *_two_convolutions(channels, channels, rng)]


def _two_convolutions(in_channels, channels, rng):
    return [
        *conv_bn_relu(in_channels, channels, 3, rng),
        *conv_bn_relu(channels, channels, 3, rng),
    ]


def pad_to_multiple(x, multiple):
    """Return images with zeros at the bottom and on the right, so that their sizes are multiples.

    The scores of what was there before are ``scores[..., :H, :W]``.

    Parameters
    ----------
    x : array (N, C, H, W)
    multiple : int
        2^depth for a U-Net.

    Returns
    -------
    array (N, C, H + fewer than multiple, W + fewer than multiple)
    """
    _, x = checks.numeric_arrays(x=x)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    multiple = checks.integer("multiple", multiple, least=1)
    missing = [(0, -size % multiple) for size in x.shape[2:]]
    return get_array_module(x).pad(x, [(0, 0), (0, 0), *missing])


def standardised(x):
    """Return every image with mean 0 and standard deviation 1 over its own pixels.

    What the scanner's gain and the window of grey values have done to an image is thereby undone.

    Parameters
    ----------
    x : array (N, C, H, W)

    Returns
    -------
    array (N, C, H, W), float32
        An image of one single grey becomes zeros.
    """
    _, x = checks.numeric_arrays(x=x)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    x = x.astype(np.float32)
    x -= x.mean(axis=(1, 2, 3), keepdims=True)
    return x / (x.std(axis=(1, 2, 3), keepdims=True) + 1e-3)
