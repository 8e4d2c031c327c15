"""A trained network on its way into a page: its layers, and its weights in few bits."""

import base64
import copy

import numpy as np

from convbook.arrays import to_numpy
from convbook.checks import integer, padding_2d, pair
from convbook.layers import (
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Tanh,
)

# What kit/network.js can compute, and what it calls it.
KINDS = {
    Conv2d: "conv", ConvTranspose2d: "transposed", Linear: "linear", ReLU: "relu",
    Sigmoid: "sigmoid", MaxPool2d: "max", AvgPool2d: "average", Flatten: "flatten",
    Reshape: "reshape", LeakyReLU: "leaky", Tanh: "tanh",
}  # fmt: skip


def text_of(array):
    """Return the bytes of an array, lowest byte first, as base64 text."""
    array = np.ascontiguousarray(array)
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def quantise(weights, bits):
    """Return weights as whole numbers of so many bits, and what one step is worth in each filter.

    Parameters
    ----------
    weights : ndarray (filters, …)
    bits : int
        With b bits the whole numbers run from -(2^(b-1) - 1) to 2^(b-1) - 1.

    Returns
    -------
    codes : ndarray of int32, of the weights' shape
    steps : ndarray (filters,) of float32
        The largest weight of a filter, by absolute value, is the largest whole number of steps.
    """
    rows = weights.reshape(len(weights), -1).astype(np.float64)
    most = 2 ** (bits - 1) - 1
    steps = (np.abs(rows).max(axis=1) / most).astype(np.float32)
    codes = np.rint(rows / np.where(steps > 0, steps, 1)[:, None])
    return np.clip(codes, -most, most).astype(np.int32).reshape(weights.shape), steps


def dequantise(codes, steps):
    """Return the weights (float32) that `quantise` has made whole numbers of."""
    steps = steps.reshape(-1, *[1] * (codes.ndim - 1))
    return codes.astype(np.float32) * steps


def pack(codes, bits):
    """Return whole numbers as base64 text, `bits` bits each, one right after the other.

    What is written is the number plus 2^(bits-1), so that none is negative, highest bit first.
    """
    unsigned = codes.reshape(-1, 1) + 2 ** (bits - 1)
    ones_and_zeros = (unsigned >> np.arange(bits)[::-1]) & 1
    return text_of(np.packbits(ones_and_zeros.astype(np.uint8)))


def layers_of(model):
    """Yield the layers of a network in order, also those of a `Sequential` inside it."""
    for layer in model:
        if isinstance(layer, Sequential):
            yield from layers_of(layer)
        elif not isinstance(layer, Dropout):  # after training it lets everything pass
            yield layer


def check_layers(model, kinds=KINDS):
    """Raise if the model is not one that the page can compute, of layers of these kinds."""
    if not isinstance(model, Sequential):
        raise TypeError(f"model must be a convbook.layers.Sequential, got {type(model).__name__}")
    for layer in layers_of(model):
        if type(layer) not in kinds:
            known = ", ".join(kind.__name__ for kind in (*kinds, Dropout))
            raise ValueError(f"model may be made of {known}; got {layer!r}")
        if getattr(layer, "groups", 1) != 1:
            raise ValueError(f"model may have convolutions with groups = 1 only; got {layer!r}")


def copy_with(layer, params):
    """Return a layer with the same settings and other parameters; the layer keeps its own."""
    twin = copy.copy(layer)
    twin.params, twin.grads = params, {}
    return twin


def describe(layer, y_shape, codes, bits):
    """Return what the page needs to know of a layer, as a dict that JSON can hold."""
    known = {"kind": KINDS[type(layer)], "name": repr(layer), "shape": list(y_shape)}
    if isinstance(layer, (Conv2d, ConvTranspose2d, MaxPool2d, AvgPool2d)):
        stride = layer.kernel_size if layer.stride is None else layer.stride
        known |= {
            "kernel": pair("kernel_size", layer.kernel_size),
            "stride": pair("stride", stride),
            "dilation": pair("dilation", getattr(layer, "dilation", 1)),
            "padding": padding_2d(layer.padding),
        }
    if isinstance(layer, LeakyReLU):
        known["slope"] = layer.slope
    if codes:
        whole, steps = codes
        known["weights"] = {
            "bits": bits,
            "shape": whole.shape,
            "codes": pack(whole, bits),
            "steps": text_of(steps),
        }
        if layer.bias:
            known["bias"] = text_of(to_numpy(layer.params["b"]).astype(np.float32))
    return known


def stored(model, x, bits):
    """Return a network as it travels in a page, its weights as whole numbers of so many bits.

    Parameters
    ----------
    model : convbook.layers.Sequential
        Of layers that `check_layers` has nothing against. It is left as it is.
    x : ndarray (1, ...)
        An input, for the shapes.
    bits : int
        From 2 to 16.

    Returns
    -------
    original, network : convbook.layers.Sequential
        Without `Dropout`, in float32; the second with the rounded weights.
    described : list of dict
        What the page knows of each layer.
    y : ndarray
        What the network makes of x.
    """
    bits = integer("bits", bits, least=2)
    if bits > 16:
        raise ValueError(f"bits must be from 2 to 16, got {bits}")
    originals, rounded, described = [], [], []
    for layer in layers_of(model):
        params = {name: to_numpy(a).astype(np.float32) for name, a in layer.params.items()}
        originals.append(copy_with(layer, params))
        codes = None
        for name in {"f", "w"} & set(params):
            codes = quantise(params[name], bits)
            params = params | {name: dequantise(*codes)}
        rounded.append(copy_with(layer, params))
        x = rounded[-1].forward(x)
        described.append(describe(layer, x.shape[1:], codes, bits))
    return Sequential(*originals), Sequential(*rounded), described, x
