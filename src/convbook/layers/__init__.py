"""Layers: each computes its output, remembers what it needs, and hands the gradient back.

    y = layer.forward(x)        # or layer(x)
    dx = layer.backward(dy)     # dy = ∂E/∂y, the gradient of the error; fills layer.grads

`layer.params` holds the weights by name, `layer.grads` the gradients of the last backward pass
under the same names. Shapes are those of `convbook.functional`, which does the mathematics.
Layers with parameters compute in their parameters' dtype (float32 by default) and convert what
they are given; the others keep the dtype of a float array. Arrays may be NumPy or CuPy.

A layer with several inputs or outputs takes and returns them all; `Layer` has the contract. What
is more than a chain, or calls a layer twice, goes over a `Tape`.
"""

from .base import Container, Layer
from .containers import Branches, Frozen, Residual, Sequential, SharedBody, Skip
from .elementwise import Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from .joining import Add, Concat
from .normalisation import BatchNorm2d, InstanceNorm2d, LocalResponseNorm, UnitLength
from .pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d, MaxUnpool2d
from .shaping import Flatten, Reshape, Shrink, Upsample
from .summary import Summary
from .tape import Tape, call
from .weights import Conv2d, ConvTranspose2d, Linear

__all__ = [
    "Add",
    "AvgPool2d",
    "BatchNorm2d",
    "Branches",
    "Concat",
    "Container",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Flatten",
    "Frozen",
    "GlobalAvgPool2d",
    "InstanceNorm2d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "MaxUnpool2d",
    "ReLU",
    "Reshape",
    "Residual",
    "Sequential",
    "SharedBody",
    "Shrink",
    "Sigmoid",
    "Skip",
    "Summary",
    "Tanh",
    "Tape",
    "UnitLength",
    "Upsample",
    "call",
]
