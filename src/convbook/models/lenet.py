"""LeNet-5, the network from which the others have grown.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE, 1998.
"""

from .. import checks
from ..layers import AvgPool2d, Conv2d, Flatten, Linear, Sequential, Tanh


def lenet(channels=1, classes=10, rng=None):
    """Return an untrained LeNet-5 for pictures (N, channels, 32, 32), with a score for each class.

    Its second convolution sees all channels of the first (in the paper, a chosen few each), its
    pooling has no weights of its own, and its last layer is linear.

    Parameters
    ----------
    channels : int
        Of the pictures: 1 for digits framed to 32 × 32 pixels, 3 for colour photographs.
    classes : int
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        61,706 parameters for 1 channel and 10 classes.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Conv2d(channels, 6, 5, rng=rng),
        Tanh(),
        AvgPool2d(2),
        Conv2d(6, 16, 5, rng=rng),
        Tanh(),
        AvgPool2d(2),
        Flatten(),
        Linear(16 * 5 * 5, 120, rng=rng),
        Tanh(),
        Linear(120, 84, rng=rng),
        Tanh(),
        Linear(84, classes, rng=rng),
    )
