"""A U-Net on its way into a page: batch normalisation folded in, weights in few bits."""

import base64
import zlib

import numpy as np

from convbook.arrays import to_numpy
from convbook.checks import integer, padding_2d, pair
from convbook.functional import conv2d, conv_transpose2d, max_pool2d
from convbook.layers import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    MaxPool2d,
    ReLU,
    Sequential,
    Skip,
    Tanh,
)

from .stored_network import text_of

KNOWN = "Conv2d of 3 × 3 and 1 × 1, BatchNorm2d behind them, ReLU, Tanh, MaxPool2d(2), "
KNOWN += "ConvTranspose2d of 2 × 2 with stride 2, Skip and Sequential"
PLAIN = {ReLU: "relu", Tanh: "tanh"}  # layers of which there is nothing more to say


def steps_of(model):
    """Return what a U-Net does after training, step by step, as dicts.

    "keep" remembers what is there, "join" lays it before what is there by then; the others are
    "conv" and "up", which have "weights" and "bias", "relu", "tanh" and "pool".

    Parameters
    ----------
    model : convbook.layers.Sequential
        As `convbook.models.unet.unet` makes it.

    Raises
    ------
    ValueError
        If there is a layer in it that the page cannot compute.
    """
    steps = []
    for layer in model:
        if isinstance(layer, Sequential):
            steps += steps_of(layer)
        elif isinstance(layer, Skip):
            body = layer.body if isinstance(layer.body, Sequential) else [layer.body]
            steps += [{"kind": "keep"}, *steps_of(body), {"kind": "join"}]
        elif isinstance(layer, BatchNorm2d):
            if not steps or steps[-1]["kind"] != "conv":
                raise ValueError(f"model may be made of {KNOWN}; got {layer!r} in another place")
            steps[-1] |= folded(steps[-1], layer)
        else:
            steps.append(step_of(layer))
    return steps


def step_of(layer):
    """Return a single layer as a step."""
    if type(layer) in PLAIN:
        return {"kind": PLAIN[type(layer)]}
    size = pair("kernel_size", getattr(layer, "kernel_size", 1))
    stride = getattr(layer, "stride", None)
    stride = size if stride is None else pair("stride", stride)
    padding = np.array(padding_2d(getattr(layer, "padding", 0)))
    if isinstance(layer, MaxPool2d) and size == stride == (2, 2) and not padding.any():
        return {"kind": "pool"}
    kinds = {Conv2d: "conv", ConvTranspose2d: "up"}
    kind = kinds.get(type(layer))
    fits = {
        "conv": size in ((1, 1), (3, 3)) and stride == (1, 1) and (padding == size[0] // 2).all(),
        "up": size == stride == (2, 2) and not padding.any(),
        None: False,
    }[kind]
    plain = pair("dilation", getattr(layer, "dilation", 1)) == (1, 1)
    if not fits or getattr(layer, "groups", 1) != 1 or not plain:
        raise ValueError(f"model may be made of {KNOWN}; got {layer!r}")
    params = {name: to_numpy(array).astype(np.float32) for name, array in layer.params.items()}
    outputs = params["f"].shape[0 if kind == "conv" else 1]
    bias = params.get("b", np.zeros(outputs, np.float32))
    return {"kind": kind, "weights": params["f"], "bias": bias}


def folded(step, normalisation):
    """Return weights and bias of a convolution that does what the normalisation behind it does."""
    gamma, beta = (to_numpy(normalisation.params[name]) for name in ("gamma", "beta"))
    mean, var = (to_numpy(normalisation.buffers[f"running_{name}"]) for name in ("mean", "var"))
    factor = gamma / np.sqrt(var + normalisation.eps)
    return {
        "weights": (step["weights"] * factor[:, None, None, None]).astype(np.float32),
        "bias": (beta + factor * (step["bias"] - mean)).astype(np.float32),
    }


def rounded(steps, bits):
    """Return the steps with weights that are whole numbers of steps, "codes" and "sizes".

    Parameters
    ----------
    bits : int
        From 2 to 8. With b bits the whole numbers run from -(2^(b-1) - 1) to 2^(b-1) - 1; the
        largest weight of each output channel, by absolute value, is the largest of them.
    """
    most = 2 ** (bits - 1) - 1
    result = []
    for step in steps:
        if "weights" in step:
            channel = 0 if step["kind"] == "conv" else 1
            others = tuple(axis for axis in range(4) if axis != channel)
            largest = np.abs(step["weights"]).max(axis=others, keepdims=True)
            sizes = (np.where(largest > 0, largest, 1) / most).astype(np.float32)
            codes = np.rint(step["weights"] / sizes).astype(np.int8)
            step = step | {
                "codes": codes, "sizes": sizes.ravel(), "weights": codes.astype(np.float32) * sizes,
            }  # fmt: skip
        result.append(step)
    return result


def run(steps, x):
    """Return the scores (N, K, H, W) of images (N, C, H, W), as the page computes them."""
    kept = []
    for step in steps:
        kind = step["kind"]
        if kind == "conv":
            x = conv2d(x, step["weights"], step["bias"], padding=step["weights"].shape[2] // 2)
        elif kind == "up":
            x = conv_transpose2d(x, step["weights"], step["bias"], stride=2)
        elif kind == "relu":
            x = np.maximum(x, 0)
        elif kind == "tanh":
            x = np.tanh(x)
        elif kind == "pool":
            x = max_pool2d(x, 2)
        elif kind == "keep":
            kept.append(x)
        else:
            x = np.concatenate([kept.pop(), x], axis=1)
    return x


def for_page(steps):
    """Return rounded steps as a dict that JSON can hold.

    All codes stand one after the other, as bytes, deflated; sizes and biases as float32. (Weights
    hardly ever repeat: a search for repetitions makes what is stored longer, by a tenth.)
    """
    learned = [step for step in steps if "codes" in step]
    codes = np.concatenate([step["codes"].ravel() for step in learned])
    numbers = {name: np.concatenate([step[name] for step in learned]) for name in ("sizes", "bias")}
    return {
        "steps": [
            {"kind": step["kind"]} | ({"shape": step["codes"].shape} if "codes" in step else {})
            for step in steps
        ],
        "count": int(codes.size),
        "codes": base64.b64encode(deflated(codes.tobytes())).decode(),
        **{name: text_of(array) for name, array in numbers.items()},
    }


def deflated(data):
    """Return bytes as zlib stores them if it looks at how often each occurs, and no further."""
    compressor = zlib.compressobj(9, strategy=zlib.Z_FILTERED)
    return compressor.compress(data) + compressor.flush()


def from_page(stored):
    """Return rounded steps from the dict that `for_page` made of them, as after JSON.

    Raises
    ------
    ValueError
        If there are more numbers in it than its shapes tell, or fewer.
    """
    whole = np.frombuffer(zlib.decompress(base64.b64decode(stored["codes"])), np.int8)
    sizes, bias = (
        np.frombuffer(base64.b64decode(stored[name]), "<f4") for name in ("sizes", "bias")
    )
    steps, first, channel = [], 0, 0
    for step in stored["steps"]:
        if "shape" not in step:
            steps.append({"kind": step["kind"]})
            continue
        shape, axis = tuple(step["shape"]), 0 if step["kind"] == "conv" else 1
        last, end = first + int(np.prod(shape)), channel + shape[axis]
        if last > whole.size or end > min(sizes.size, bias.size):
            raise ValueError("a stored network holds fewer numbers than its shapes tell")
        codes, of_step = whole[first:last].reshape(shape), sizes[channel:end]
        by_channel = of_step.reshape([-1 if i == axis else 1 for i in range(4)])
        steps.append(
            {
                "kind": step["kind"],
                "codes": codes,
                "sizes": of_step,
                "weights": codes.astype(np.float32) * by_channel,
                "bias": bias[channel:end],
            }
        )
        first, channel = last, end
    if first != whole.size or not channel == sizes.size == bias.size:
        raise ValueError("a stored network holds more numbers than its shapes tell")
    return steps


def checked_bits(bits):
    """Return the number of bits of a weight."""
    bits = integer("bits", bits, least=2)
    if bits > 8:
        raise ValueError(f"bits must be from 2 to 8, got {bits}")
    return bits
