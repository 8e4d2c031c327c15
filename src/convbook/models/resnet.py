"""Residual networks: what a block learns is added to what it is given.

He et al., "Deep residual learning for image recognition", CVPR 2016; Zagoruyko and Komodakis, "Wide
residual networks", BMVC 2016.
"""

from .. import checks
from ..layers import Conv2d, GlobalAvgPool2d, Linear, MaxPool2d, ReLU, Residual, Sequential, Shrink
from .blocks import conv_bn, conv_bn_relu

# Table 1 of the paper: the blocks of the four stages, and whether they are bottlenecks.
STAGES = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}
WIDER = 4  # a bottleneck's output has so many times the channels that it computes with


def resnet(depth, classes=1000, width=64, rng=None):
    """Return an untrained residual network for pictures (N, 3, 224, 224), or of any other size.

    Parameters
    ----------
    depth : int
        How many layers have weights: 18, 34, 50, 101 or 152.
    classes : int
    width : int
        The first stage's channels, which double from stage to stage.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        The stem, four stages, the average of every channel, and a linear layer: with 64 channels
        11,689,512, 21,797,672, 25,557,032, 44,549,160 or 60,192,808 parameters.
    """
    counts, bottleneck = STAGES[checks.one_of("depth", depth, STAGES)]
    width = checks.integer("width", width, least=1)
    return staged(
        counts,
        bottleneck_block if bottleneck else basic_block,
        classes,
        width,
        width,
        checks.generator("rng", rng),
    )


def wide_resnet(depth=50, classes=1000, widen=2, rng=None):
    """Return an untrained residual network of bottlenecks that are `widen` times as wide inside.

    Parameters
    ----------
    depth : int
        50, 101 or 152.
    classes : int
    widen : int
        How many times as many channels the middle convolution of a block has; its output has as
        many as in `resnet`.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        Wide ResNet-50-2 has 68,883,240 parameters.
    """
    counts, _ = STAGES[checks.one_of("depth", depth, (50, 101, 152))]
    widen = checks.integer("widen", widen, least=1)
    return staged(counts, bottleneck_block, classes, 64, 64 * widen, checks.generator("rng", rng))


def staged(counts, block, classes, width, inner, rng):
    """Return stem, stages and head; `inner` is the first stage's width inside its blocks."""
    stages, channels = [], width
    for stage, count in enumerate(counts):
        blocks = []
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            layers, channels = block(channels, width * 2**stage, inner * 2**stage, stride, rng)
            blocks += layers
        stages.append(Sequential(*blocks))
    return Sequential(
        Sequential(*conv_bn_relu(3, width, 7, rng, stride=2), MaxPool2d(3, stride=2, padding=1)),
        *stages,
        GlobalAvgPool2d(),
        Linear(channels, classes, rng=rng),
    )


def basic_block(in_channels, width, inner, stride, rng):
    """Return a block of two convolutions of 3×3, and how many channels it gives."""
    body = Sequential(
        *conv_bn_relu(in_channels, inner, 3, rng, stride=stride), *conv_bn(inner, width, 3, rng)
    )
    return [Residual(body, projection(in_channels, width, stride, rng)), ReLU()], width


def bottleneck_block(in_channels, width, inner, stride, rng):
    """Return a block of 1×1, 3×3 and 1×1, and how many channels it gives.

    As torchvision has it since its version 1.5, the stride is in the 3×3, not in the first 1×1.
    """
    out_channels = WIDER * width
    body = Sequential(
        *conv_bn_relu(in_channels, inner, 1, rng),
        *conv_bn_relu(inner, inner, 3, rng, stride=stride),
        *conv_bn(inner, out_channels, 1, rng),
    )
    shortcut = projection(in_channels, out_channels, stride, rng)
    return [Residual(body, shortcut), ReLU()], out_channels


def projection(in_channels, out_channels, stride, rng):
    """Return the shortcut's convolution of 1×1, or None where the shape stays (option B)."""
    if stride == 1 and in_channels == out_channels:
        return None
    return Sequential(*conv_bn(in_channels, out_channels, 1, rng, stride=stride))


# --- For small pictures --------------------------------------------------------------------------


def small_resnet(
    depth=20, classes=10, width=8, widen=1, residual=True, norm=True, bottleneck=False, rng=None
):
    """Return an untrained residual network for small pictures, as in section 4.2 of the paper.

    A convolution, three stages of n blocks whose channels double while the size is halved, the
    average of every channel and a linear layer.

    Parameters
    ----------
    depth : int
        6n + 2, as 20 or 38 (9n + 2, as 29, for bottlenecks).
    classes : int
    width : int
        The channels of the first convolution.
    widen : int
        How many times as many the stages have (the k of the paper on wide residual networks).
    residual : bool
        False leaves the shortcuts out: the "plain" network beside it, with the same parameters.
    norm : bool
        False leaves the batch normalisation out.
    bottleneck : bool
        Blocks of 1×1, 3×3 and 1×1.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    each = 3 if bottleneck else 2
    blocks, rest = divmod(checks.integer("depth", depth, least=3 * each + 2) - 2, 3 * each)
    if rest:
        raise ValueError(
            f"depth must be {3 * each}n + 2, such as {3 * each + 2}, "
            f"{6 * each + 2} or {9 * each + 2}, got {depth}"
        )
    rng = checks.generator("rng", rng)
    layers, channels = [*convolution(3, width, 3, norm, rng), ReLU()], width
    for stage in range(3):
        stage_layers = []
        for i in range(blocks):
            stride, inner = 2 if stage > 0 and i == 0 else 1, width * widen * 2**stage
            out_channels = inner * WIDER if bottleneck else inner
            body = small_body(channels, inner, out_channels, stride, norm, bottleneck, rng)
            if residual:
                body = [
                    Residual(
                        Sequential(*body), small_shortcut(channels, out_channels, stride, norm, rng)
                    )
                ]
            stage_layers += [*body, ReLU()]
            channels = out_channels
        layers.append(Sequential(*stage_layers))
    return Sequential(*layers, GlobalAvgPool2d(), Linear(channels, classes, rng=rng))


def small_body(in_channels, inner, out_channels, stride, norm, bottleneck, rng):
    """Return what a block learns: the layers beside its shortcut, without the last ReLU."""
    if bottleneck:
        return [
            *convolution(in_channels, inner, 1, norm, rng),
            ReLU(),
            *convolution(inner, inner, 3, norm, rng, stride),
            ReLU(),
            *convolution(inner, out_channels, 1, norm, rng),
        ]
    return [
        *convolution(in_channels, inner, 3, norm, rng, stride),
        ReLU(),
        *convolution(inner, out_channels, 3, norm, rng),
    ]


def small_shortcut(in_channels, out_channels, stride, norm, rng):
    """Return the shortcut: nothing, every second pixel and zeros (option A), or a 1×1."""
    if stride == 1 and in_channels == out_channels:
        return None
    if stride == 1:
        return Sequential(*convolution(in_channels, out_channels, 1, norm, rng))
    return Shrink(stride, out_channels)


def convolution(in_channels, out_channels, kernel_size, norm, rng, stride=1):
    """Return a convolution, with batch normalisation or, without it, with a bias."""
    if norm:
        return conv_bn(in_channels, out_channels, kernel_size, rng, stride=stride)
    return [
        Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=(kernel_size - 1) // 2,
            rng=rng,
        )
    ]
