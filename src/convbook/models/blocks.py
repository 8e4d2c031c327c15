"""What the networks are built of: a convolution, batch normalisation and ReLU in a row.

These are lists, not layers, so that a network stays one readable `Sequential`.
"""

from ..layers import BatchNorm2d, Conv2d, ReLU


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
