"""The network of chapter 3-6, which names what a small photograph shows."""

from .. import checks
from ..layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential


def cifar_cnn(rng=None):
    """Return an untrained network for images (N, 3, 32, 32), with 10 scores for each.

    Twice convolution, ReLU and pooling, then two linear layers. `frameworks.cifar_torch` and
    `frameworks.cifar_keras` hold the same network in PyTorch and in Keras.

    Parameters
    ----------
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Conv2d(3, 16, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Conv2d(16, 32, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(32 * 8 * 8, 64, rng=rng),
        ReLU(),
        Linear(64, 10, rng=rng),
    )
