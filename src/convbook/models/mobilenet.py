"""MobileNet: a convolution taken apart, one filter for each channel and then 1×1 across them.

Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications",
2017.
"""

from .. import checks
from ..layers import GlobalAvgPool2d, Linear, Sequential
from .blocks import conv_bn_relu

# Table 1 of the paper: the output channels and the stride of the 13 separable convolutions.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet(classes=1000, width=1.0, rng=None):
    """Return an untrained MobileNet for pictures (N, 3, 224, 224), or of any other size.

    Parameters
    ----------
    classes : int
    width : float
        The paper's α, which multiplies the channels of all layers; above 0.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        4,231,976 parameters.
    """
    rng = checks.generator("rng", rng)
    width = checks.number("width", width, least=0)
    channels = max(1, int(32 * width))
    layers = [Sequential(*conv_bn_relu(3, channels, 3, rng, stride=2))]
    for out_channels, stride in BLOCKS:
        out_channels = max(1, int(out_channels * width))
        layers.append(separable(channels, out_channels, stride, rng))
        channels = out_channels
    return Sequential(*layers, GlobalAvgPool2d(), Linear(channels, classes, rng=rng))


def small_mobilenet(classes=10, width=16, rng=None):
    """Return an untrained MobileNet for pictures (N, 3, 32, 32).

    Parameters
    ----------
    classes : int
    width : int
        The first convolution's channels.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng, w = checks.generator("rng", rng), width
    return Sequential(
        Sequential(*conv_bn_relu(3, w, 3, rng)),
        separable(w, 2 * w, 1, rng),
        separable(2 * w, 4 * w, 2, rng),
        separable(4 * w, 4 * w, 1, rng),
        separable(4 * w, 8 * w, 2, rng),
        separable(8 * w, 8 * w, 1, rng),
        GlobalAvgPool2d(),
        Linear(8 * w, classes, rng=rng),
    )


def separable(in_channels, out_channels, stride, rng):
    """Return a depthwise separable convolution: 3×3 in each channel by itself, then 1×1 across.

    With filters of K × K and OC outputs it multiplies 1/OC + 1/K² times as often as a convolution.
    """
    return Sequential(
        *conv_bn_relu(in_channels, in_channels, 3, rng, stride=stride, groups=in_channels),
        *conv_bn_relu(in_channels, out_channels, 1, rng),
    )
