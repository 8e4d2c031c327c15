"""GoogLeNet: windows of several sizes side by side, made affordable by convolutions of 1×1.

Szegedy et al., "Going deeper with convolutions", CVPR 2015. The networks here are its second
edition, with batch normalisation (Ioffe and Szegedy, ICML 2015), and without the two auxiliary
classifiers, which only helped the training of the first.
"""

from .. import checks
from ..layers import (
    Branches,
    Concat,
    Dropout,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    Sequential,
)
from .blocks import conv_bn_relu

# Table 1 of the paper: 1×1; 3×3 after its 1×1 ("reduce"); 5×5 after its 1×1; 1×1 after pooling.
INCEPTIONS = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
EPS = 1e-3  # added to the variances, as in the original
ONE_MORE = ((0, 1), (0, 1))  # so that the last row and column are pooled too where one is left over


def googlenet(classes=1000, largest=5, rng=None):
    """Return an untrained GoogLeNet for pictures (N, 3, 224, 224), or of any other size.

    Parameters
    ----------
    classes : int
    largest : int
        The size of the third branch's filters: 5 as in the paper. torchvision's network has 3
        there, by an oversight that its trained weights have made permanent.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        7,005,832 parameters, or 6,624,904 with filters of 3×3 in the third branch.
    """
    rng = checks.generator("rng", rng)
    largest = checks.one_of("largest", largest, (3, 5))
    layers, channels = (
        [
            *conv_bn_relu(3, 64, 7, rng, stride=2, eps=EPS),
            MaxPool2d(3, stride=2, padding=ONE_MORE),
            *conv_bn_relu(64, 64, 1, rng, eps=EPS),
            *conv_bn_relu(64, 192, 3, rng, eps=EPS),
            MaxPool2d(3, stride=2, padding=ONE_MORE),
        ],
        192,
    )
    layers = [Sequential(*layers)]
    for stage, modules in enumerate(INCEPTIONS):
        if stage == 1:
            layers.append(MaxPool2d(3, stride=2, padding=ONE_MORE))
        elif stage == 2:
            layers.append(MaxPool2d(2, stride=2))
        for widths in modules:
            layers.append(inception(channels, widths, largest, rng))
            channels = widths[0] + widths[2] + widths[4] + widths[5]
    return Sequential(
        *layers, GlobalAvgPool2d(), Dropout(0.2, rng=rng), Linear(channels, classes, rng=rng)
    )


def small_googlenet(classes=10, width=8, rng=None):
    """Return an untrained GoogLeNet for pictures (N, 3, 32, 32): a stem and four inceptions.

    Parameters
    ----------
    classes : int
    width : int
        A measure of all channels: the first inception gives 8 times as many.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng, w = checks.generator("rng", rng), width
    narrow = (2 * w, 2 * w, 4 * w, w, w, w)
    wide = (4 * w, 4 * w, 8 * w, 2 * w, 2 * w, 2 * w)
    return Sequential(
        Sequential(*conv_bn_relu(3, 2 * w, 3, rng), MaxPool2d(2)),
        inception(2 * w, narrow, 5, rng),
        inception(8 * w, narrow, 5, rng),
        MaxPool2d(2),
        inception(8 * w, wide, 5, rng),
        inception(16 * w, wide, 5, rng),
        GlobalAvgPool2d(),
        Linear(16 * w, classes, rng=rng),
    )


def inception(in_channels, widths, largest, rng):
    """Return an inception module: four branches that read the same x, side by side.

    The convolutions of 1×1 before the large ones are bottlenecks: they leave few channels for the
    many multiplications. `widths` are a row of the paper's table.
    """
    one, reduce3, three, reduce5, five, pooled = widths
    return Sequential(
        Branches(
            Sequential(*conv_bn_relu(in_channels, one, 1, rng, eps=EPS)),
            Sequential(
                *conv_bn_relu(in_channels, reduce3, 1, rng, eps=EPS),
                *conv_bn_relu(reduce3, three, 3, rng, eps=EPS),
            ),
            Sequential(
                *conv_bn_relu(in_channels, reduce5, 1, rng, eps=EPS),
                *conv_bn_relu(reduce5, five, largest, rng, eps=EPS),
            ),
            Sequential(
                MaxPool2d(3, stride=1, padding=1),
                *conv_bn_relu(in_channels, pooled, 1, rng, eps=EPS),
            ),
        ),
        Concat(),
    )
