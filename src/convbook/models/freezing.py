"""Networks that were trained before, used again: cut off their head, and keep the rest as it is."""

import numpy as np

from ..layers.base import Container
from ..layers import Linear, ReLU, Sequential
from .digits import convolutional_part


def digit_body(features=64, rng=None):
    """Return the network of chapter 3-5-1 without its last layer: a network that ends in features.

    Parameters
    ----------
    features : int
        How many numbers stand for a digit.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
        From images (N, 1, 28, 28) to features (N, features), none of them negative.
    """
    rng = np.random.default_rng(rng)
    return Sequential(
        *convolutional_part(rng),
        Linear(16 * 4 * 4, features, rng=rng), ReLU(),
    )


class Frozen(Container):
    """A layer that computes but does not learn.

    It has no `params`, so no optimizer changes it, and ``Sequential.backward(dy, need_dx=False)``
    ends behind it. Its arrays count as `buffers`: they are stored and moved to the GPU with the
    model. It always works as after ``eval()``, so that running statistics rest too.

    Parameters
    ----------
    body : Layer
        Is kept, not copied: what trains it elsewhere changes it here.
    """

    params = grads = property(lambda self: {})
    buffers = property(lambda self: {**self._collect("params"), **self._collect("buffers")})

    def __init__(self, body):
        super().__init__({"body": body})
        self.body = body

    def forward(self, x):
        """Return the body's output."""
        return self.body.eval().forward(x)

    def backward(self, dy):
        """Return the gradient of x; it passes through, though nothing here follows it."""
        return self.body.backward(dy)
