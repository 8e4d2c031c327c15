"""DenseNet: every layer sees the outputs of all layers before it, laid side by side.

Huang et al., "Densely connected convolutional networks", CVPR 2017.
"""

from .. import checks
from ..layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    Skip,
)
from .blocks import conv_bn_relu

# Table 1 of the paper: the layers of the four blocks, and the growth rate.
BLOCKS = {
    121: ((6, 12, 24, 16), 32),
    161: ((6, 12, 36, 24), 48),
    169: ((6, 12, 32, 32), 32),
    201: ((6, 12, 48, 32), 32),
}
BOTTLENECK = 4  # a layer's 1×1 leaves so many times as many channels as its 3×3 then adds


def densenet(depth=121, classes=1000, rng=None):
    """Return an untrained DenseNet for pictures (N, 3, 224, 224), or of any other size.

    Parameters
    ----------
    depth : int
        121, 161, 169 or 201.
    classes : int
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        DenseNet-121 has 7,978,856 parameters.
    """
    rng = checks.generator("rng", rng)
    counts, growth = BLOCKS[checks.one_of("depth", depth, BLOCKS)]
    channels = 2 * growth
    stem = Sequential(
        *conv_bn_relu(3, channels, 7, rng, stride=2), MaxPool2d(3, stride=2, padding=1)
    )
    return dense(stem, channels, counts, growth, classes, rng)


def small_densenet(classes=10, growth=12, layers=4, rng=None):
    """Return an untrained DenseNet for pictures (N, 3, 32, 32): three blocks.

    Parameters
    ----------
    classes : int
    growth : int
        The channels that each layer adds.
    layers : int
        How many a block has.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng, channels = checks.generator("rng", rng), 2 * growth
    stem = Conv2d(3, channels, 3, padding=1, bias=False, rng=rng)
    return dense(stem, channels, (layers,) * 3, growth, classes, rng)


def dense(stem, channels, counts, growth, classes, rng):
    """Return stem, blocks with a transition between them, and the head."""
    parts = [stem]
    for i, count in enumerate(counts):
        parts.append(
            Sequential(
                *(Skip(dense_layer(channels + k * growth, growth, rng)) for k in range(count))
            )
        )
        channels += count * growth
        if i < len(counts) - 1:
            parts.append(transition(channels, channels // 2, rng))
            channels //= 2
    return Sequential(
        *parts, BatchNorm2d(channels), ReLU(), GlobalAvgPool2d(), Linear(channels, classes, rng=rng)
    )


def dense_layer(in_channels, growth, rng):
    """Return what a layer adds: normalised first, then 1×1 and 3×3 ("pre-activation")."""
    inner = BOTTLENECK * growth
    return Sequential(
        BatchNorm2d(in_channels),
        ReLU(),
        Conv2d(in_channels, inner, 1, bias=False, rng=rng),
        BatchNorm2d(inner),
        ReLU(),
        Conv2d(inner, growth, 3, padding=1, bias=False, rng=rng),
    )


def transition(in_channels, out_channels, rng):
    """Return what stands between two blocks: half the channels, half the size."""
    return Sequential(
        BatchNorm2d(in_channels),
        ReLU(),
        Conv2d(in_channels, out_channels, 1, bias=False, rng=rng),
        AvgPool2d(2),
    )
