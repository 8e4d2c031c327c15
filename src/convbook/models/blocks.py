"""What the networks are built of: convolution, batch normalisation and ReLU in a row, and so on.

These are lists, not layers, so that a network stays one readable `Sequential`.
"""

from ..layers import BatchNorm2d, Conv2d, MaxPool2d, ReLU


def conv_bn(
    in_channels, out_channels, kernel_size, rng, stride=1, padding=None, groups=1, eps=1e-5
):
    """Return a convolution without bias and a batch normalisation, whose beta takes its place.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, groups
        As in `convbook.layers.Conv2d`.
    rng : numpy.random.Generator
        Draws the initial weights.
    padding : int, optional
        (kernel_size - 1) // 2 if not given: with stride 1 the size stays.
    eps : float
        Of the normalisation.

    Returns
    -------
    list of Layer
    """
    padding = (kernel_size - 1) // 2 if padding is None else padding
    return [
        Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=groups,
            bias=False,
            rng=rng,
        ),
        BatchNorm2d(out_channels, eps=eps),
    ]


def conv_bn_relu(*arguments, **options):
    """Return the layers of `conv_bn`, with the same arguments, and a ReLU."""
    return [*conv_bn(*arguments, **options), ReLU()]


def conv_relu(in_channels, out_channels, rng, norm):
    """Return a convolution of 3 × 3 and a ReLU, with a batch normalisation between if `norm`."""
    if norm:
        return conv_bn_relu(in_channels, out_channels, 3, rng)
    return [Conv2d(in_channels, out_channels, 3, padding=1, rng=rng), ReLU()]


def features(base, rng):
    """Return what the detectors of small pictures begin with: four convolutions, two poolings.

    Pictures (N, 3, H, W) become a feature map (N, 4 * base, H / 4, W / 4).
    """
    return [
        *conv_bn_relu(3, base, 3, rng), MaxPool2d(2),
        *conv_bn_relu(base, 2 * base, 3, rng), MaxPool2d(2),
        *conv_bn_relu(2 * base, 4 * base, 3, rng),
        *conv_bn_relu(4 * base, 4 * base, 3, rng),
    ]  # fmt: skip
