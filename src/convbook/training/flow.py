"""How large signal and gradient are along the layers of a network, in one step."""

import copy
from typing import NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..layers.base import Layer
from ..layers.summary import named_layers
from ..layers.weights import Convolution, Linear
from ..losses import SoftmaxCrossEntropy
from .checks import instance
from .use import mover


class Flow(NamedTuple):
    """How large numbers are at a layer with weights: root mean squares.

    `signal` is of its output, `gradient` of the loss by this output, `weights` of the loss by the
    filters, or by the matrix of a linear layer.
    """

    name: str
    layer: Layer
    signal: float
    gradient: float
    weights: float


def signal_flow(model, x, y, loss=None):
    """Measure how large signal and gradient are at each layer, in a step that changes nothing.

    Parameters
    ----------
    model : Layer
        Is run in the mode of training, as a copy.
    x : array (N, ...)
    y : array (N, ...)
    loss : Loss, optional
        Softmax with cross entropy if not given.

    Returns
    -------
    list of Flow
        One for each convolution and linear layer that learns, in the order of their names.
    """
    instance("model", model, Layer)
    loss = SoftmaxCrossEntropy() if loss is None else loss
    watched = copy.deepcopy(model).train()
    layers = [
        (name, layer)
        for name, layer in named_layers(watched)
        if isinstance(layer, (Convolution, Linear))
    ]
    sizes = {name: watch(layer) for name, layer in layers}
    move = mover(model)
    with np.errstate(over="ignore", invalid="ignore"):
        loss(watched.forward(move(x)), move(y))
        watched.backward(loss.backward(), need_dx=False)
    return [
        Flow(name, layer, *sizes[name], root_mean_square(next(iter(layer.grads.values()))))
        for name, layer in layers
        if layer.grads
    ]


def watch(layer):
    """Let a layer note how large its output is, and the gradient that comes back to it."""
    forward, backward, sizes = layer.forward, layer.backward, []

    def noted_forward(x):
        y = forward(x)
        sizes.append(root_mean_square(y))
        return y

    def noted_backward(dy, need_dx=True):
        sizes.append(root_mean_square(dy))
        return backward(dy, need_dx=need_dx)

    layer.forward, layer.backward = noted_forward, noted_backward
    return sizes


def root_mean_square(array):
    """Return the root of the mean of the squares, computed in float64."""
    return float(np.sqrt(np.mean(np.square(to_numpy(array).astype(np.float64)))))
