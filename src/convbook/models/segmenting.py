"""Networks that name the class of every pixel: FCN and SegNet; for the U-Net see `unet`."""

import math

import numpy as np

from .. import checks
from ..layers import (
    Conv2d,
    ConvTranspose2d,
    MaxPool2d,
    MaxUnpool2d,
    Residual,
    Sequential,
    Skip,
)
from ..layers.base import evaluating
from .blocks import conv_bn_relu


def fcn(in_channels=3, classes=5, base=16, skips=2, rng=None):
    """Return an untrained FCN, from images (N, in_channels, H, W) to scores (N, classes, H, W).

    A network for classification whose fully connected layers have become convolutions of 1 × 1, so
    that it takes a picture of any size and returns a small map of scores, here at an eighth of
    the size. Transposed convolutions double it three times; they begin as bilinear interpolation,
    and learn. With skips, scores made from finer features are added on the way. Long, Shelhamer and
    Darrell, "Fully convolutional networks for semantic segmentation", CVPR 2015; there on top of
    VGG, and from a 32nd of the size.

    Parameters
    ----------
    in_channels, classes : int
    base : int
        Channels of the first level; the others have 2, 4 and 6 times as many.
    skips : int
        How many levels hand on scores of their own: 0, 1 (that at a quarter) or 2 (that at half
        the size as well).
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        For images whose height and width are multiples of 8.

    Raises
    ------
    TypeError, ValueError
        If a number is none of these.
    """
    for name, number in (("in_channels", in_channels), ("classes", classes), ("base", base)):
        checks.integer(name, number, least=1)
    checks.one_of("skips", skips, (0, 1, 2))
    rng = checks.generator("rng", rng)

    def level(inputs, outputs):
        return [*conv_bn_relu(inputs, outputs, 3, rng), MaxPool2d(2)]

    def scores(inputs):
        return Conv2d(inputs, classes, 1, rng=rng)

    def beside(body, inputs, wanted):
        """Return the way through the body, with scores of the finer features added if wanted."""
        return [Residual(Sequential(*body), scores(inputs))] if wanted else body

    eighth = [
        *level(2 * base, 4 * base),
        *conv_bn_relu(4 * base, 6 * base, 3, rng),
        *conv_bn_relu(6 * base, 6 * base, 3, rng),
        scores(6 * base),
        doubling(classes, rng),
    ]
    quarter = [*level(base, 2 * base), *beside(eighth, 2 * base, skips > 0), doubling(classes, rng)]
    half = beside(quarter, base, skips > 1)
    return Sequential(*level(in_channels, base), *half, doubling(classes, rng))


def doubling(channels, rng=None):
    """Return a transposed convolution that doubles height and width, at first by interpolation."""
    layer = ConvTranspose2d(channels, channels, 4, stride=2, padding=1, bias=False, rng=rng)
    side = np.array([0.25, 0.75, 0.75, 0.25])
    layer.params["f"][...] = np.eye(channels)[:, :, None, None] * np.outer(side, side)
    return layer


def segnet(in_channels=3, classes=5, base=16, depth=3, rng=None):
    """Return an untrained SegNet, from images (N, in_channels, H, W) to scores (N, classes, H, W).

    What was pooled is put back to where its maxima were, and convolutions fill the gaps; nothing
    but these positions goes from the way down to the way up beside the last map. Badrinarayanan,
    Kendall and Cipolla, "SegNet", TPAMI 2017; there depth 5, with the 13 convolutions of VGG-16.

    Parameters
    ----------
    in_channels, classes : int
    base : int
        Channels of the first level; each further one has twice as many.
    depth : int
        How often the image is halved, at least 1.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        For images whose height and width are multiples of 2^depth.

    Raises
    ------
    TypeError, ValueError
        If a number is none of these.
    """
    for name, number in (("in_channels", in_channels), ("classes", classes), ("base", base)):
        checks.integer(name, number, least=1)
    depth, rng = checks.integer("depth", depth, least=1), checks.generator("rng", rng)
    widths = [base * 2**i for i in range(depth)]
    pools = [MaxPool2d(2) for _ in widths]
    layers = []
    for inputs, outputs, pool in zip([in_channels, *widths], widths, pools):
        layers += [*conv_bn_relu(inputs, outputs, 3, rng), pool]
    layers += conv_bn_relu(widths[-1], widths[-1], 3, rng)
    for inputs, outputs, pool in zip(widths[::-1], [*widths[-2::-1], widths[0]], pools[::-1]):
        layers += [MaxUnpool2d(pool), *conv_bn_relu(inputs, outputs, 3, rng)]
    return Sequential(*layers, Conv2d(widths[0], classes, 1, rng=rng))


def handed_on(model, input_shape, bits=32):
    """Return how many bytes a network hands past its body, for one image.

    Parameters
    ----------
    model : Layer
        An `fcn` or a `unet`, whose skips hand on feature maps (4 bytes a number), or a `segnet`,
        whose pooling layers hand on positions.
    input_shape : (C, H, W)
    bits : int
        For each position: 32 as an int32, 2 for one of the four places of a window of 2 × 2.

    Returns
    -------
    int
    """
    bits, numbers, positions = checks.integer("bits", bits, least=1), 0, 0
    with evaluating(model):
        model.forward(np.zeros((1, *input_shape), np.float32))
    for layer in model.walk():
        if isinstance(layer, Residual):
            (_, _, h, w), _ = layer.shortcut._output_kinds[0]  # made from the map that is handed on
            numbers += layer.shortcut.params["f"].shape[1] * h * w
        elif isinstance(layer, Skip):
            (_, _, h, w), _ = layer.join._output_kinds[0]
            numbers += layer.join._lengths[0] * h * w  # the map comes first, and then the body's
        elif isinstance(layer, MaxUnpool2d):
            shape, _ = layer.kernel_size._output_kinds[0]  # of the pooling that it undoes
            positions += math.prod(shape)
    return 4 * numbers + -(-positions * bits // 8)
