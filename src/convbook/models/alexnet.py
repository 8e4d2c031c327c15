"""AlexNet, which won the ImageNet competition of 2012 by ten points and turned a field around.

Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks",
NeurIPS 2012.
"""

from .. import checks
from ..layers import (
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sequential,
)

ALPHA = 5e-4  # the paper's 0.0001, times its 5 channels: the layer takes their average


def alexnet(classes=1000, hidden=4096, rng=None):
    """Return an untrained AlexNet for pictures (N, 3, 224, 224), in its edition for one GPU.

    Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014: without
    groups and without local response normalisation. It is the AlexNet that torchvision has.

    Parameters
    ----------
    classes : int
    hidden : int
        How many numbers each of the first two linear layers gives.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        61,100,840 parameters.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Conv2d(3, 64, 11, stride=4, padding=2, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2),
        Conv2d(64, 192, 5, padding=2, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2),
        Conv2d(192, 384, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(384, 256, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(256, 256, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2),
        Flatten(),
        Dropout(rng=rng),
        Linear(256 * 6 * 6, hidden, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(hidden, hidden, rng=rng),
        ReLU(),
        Linear(hidden, classes, rng=rng),
    )


def alexnet_2012(classes=1000, rng=None):
    """Return an untrained AlexNet as the paper has it, for pictures (N, 3, 227, 227).

    The groups are the two GPUs on which it was trained: each saw its own half of the channels,
    except in the third convolution. (The paper says 224 × 224, but its own sizes fit 227.)

    Parameters
    ----------
    classes : int
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        60,965,224 parameters.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Conv2d(3, 96, 11, stride=4, rng=rng),
        ReLU(),
        LocalResponseNorm(5, ALPHA, k=2),
        MaxPool2d(3, stride=2),
        Conv2d(96, 256, 5, padding=2, groups=2, rng=rng),
        ReLU(),
        LocalResponseNorm(5, ALPHA, k=2),
        MaxPool2d(3, stride=2),
        Conv2d(256, 384, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(384, 384, 3, padding=1, groups=2, rng=rng),
        ReLU(),
        Conv2d(384, 256, 3, padding=1, groups=2, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2),
        Flatten(),
        Linear(256 * 6 * 6, 4096, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(4096, 4096, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(4096, classes, rng=rng),
    )


def small_alexnet(classes=10, width=16, rng=None):
    """Return an untrained AlexNet for pictures (N, 3, 32, 32).

    The order of its layers is AlexNet's; the windows and strides are those of a picture that is
    seven times smaller.

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
        Conv2d(3, w, 5, padding=2, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2, padding=1),
        Conv2d(w, 3 * w, 5, padding=2, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2, padding=1),
        Conv2d(3 * w, 4 * w, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(4 * w, 3 * w, 3, padding=1, rng=rng),
        ReLU(),
        Conv2d(3 * w, 3 * w, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2d(3, stride=2, padding=1),
        Flatten(),
        Dropout(rng=rng),
        Linear(3 * w * 4 * 4, 128, rng=rng),
        ReLU(),
        Dropout(rng=rng),
        Linear(128, 128, rng=rng),
        ReLU(),
        Linear(128, classes, rng=rng),
    )
