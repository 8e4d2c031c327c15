"""Our networks in Keras, and weights from one to the other, both ways. Needs Keras, TensorFlow.

    net = build(model, (3, 32, 32))       # a functional keras.Model, with the weights of `model`
    copy_to_keras(model, net)             # later: ours into Keras
    copy_from_keras(net, model)           # and back

Layers are matched by their names: the convolution that we call "3.0.body.0" has this name in Keras
too, also in a model that was written by hand. Where the two libraries differ, Keras does as we do:
padding on all sides (Keras's "same" with a stride of 2 pads below and to the right only), epsilon
and momentum of batch normalisation, numbers laid out in a row channel by channel.
"""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..layers import (
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    Shrink,
    Sigmoid,
    Skip,
    Tanh,
)
from ..layers.summary import named_layers
from .available import import_keras, quiet_errors

LOWEST = -1e30  # what a maximum never takes


def build(model, input_shape):
    """Return our network as a functional keras.Model that computes the same.

    Parameters
    ----------
    model : Layer
        Of the layers that `convbook.models` uses for pictures.
    input_shape : tuple of int
        (C, H, W). The Keras model takes (N, H, W, C).

    Returns
    -------
    keras.Model

    Raises
    ------
    TypeError
        If there is a layer in it that has no counterpart here.
    """
    keras = import_keras()
    c, h, w = (checks.integer("input_shape", size, least=1) for size in input_shape)
    with quiet_errors():
        x = keras.Input((h, w, c))
        net = keras.Model(x, built(keras, model, "", x))
    return copy_to_keras(model, net)


def built(keras, layer, name, x):
    """Return what Keras's counterpart of a layer makes of x; of several inputs, x is a list."""
    if isinstance(layer, Sequential):
        for child_name, child in layer.children.items():
            x = built(keras, child, f"{name}.{child_name}" if name else child_name, x)
        return x
    if isinstance(layer, Residual):
        ways = [built(keras, layer.children[way], f"{name}.{way}", x) for way in layer.children]
        return keras.layers.Add(name=f"{name}.add" if name else None)(ways)
    if isinstance(layer, Branches):
        return [
            built(keras, branch, f"{name}.{i}" if name else i, x)
            for i, branch in layer.children.items()
        ]
    if isinstance(layer, Skip):
        body = built(keras, layer.body, f"{name}.body" if name else "body", x)
        return keras.layers.Concatenate()([x, body])
    if type(layer) is Layer:
        return x
    for kind, make in MAKERS.items():
        if isinstance(layer, kind):
            return make(keras, layer, name or None, x)
    raise TypeError(f"{layer!r} ({name or 'the model'}) has no counterpart in Keras here")


# --- One layer each ------------------------------------------------------------------------------


def convolution(keras, layer, name, x):
    """Pad on all sides alike, then convolve."""
    if any(map(any, checks.padding_2d(layer.padding))):
        x = keras.layers.ZeroPadding2D(checks.padding_2d(layer.padding))(x)
    return keras.layers.Conv2D(
        layer.out_channels,
        checks.pair("kernel_size", layer.kernel_size),
        strides=checks.pair("stride", layer.stride),
        dilation_rate=checks.pair("dilation", layer.dilation),
        groups=layer.groups,
        use_bias=layer.bias,
        name=name,
    )(x)


def transposed(keras, layer, name, x):
    """Unfold with the whole filter, then cut off what our padding cuts off."""
    if layer.groups != 1:
        raise TypeError(f"{layer!r} ({name}) has groups, which Keras's Conv2DTranspose has not")
    stride = checks.pair("stride", layer.stride)
    extra = checks.pair("output_padding", layer.output_padding, least=0)
    # Keras's "valid" ends where the last filter does, or a stride behind its beginning.
    size = checks.pair("kernel_size", layer.kernel_size)
    y = keras.layers.Conv2DTranspose(
        layer.out_channels, size, strides=stride, use_bias=layer.bias, name=name
    )(x)
    ends = []
    for axis, (before, after) in enumerate(checks.padding_2d(layer.padding)):
        full = max(size[axis], stride[axis]) - size[axis]  # rows that Keras has and we have not
        ends.append((before, after - extra[axis] + full))
    if any(end < 0 for _, end in ends):
        raise TypeError(f"{layer!r} ({name}) has an output_padding that Keras cannot give")
    return keras.layers.Cropping2D(ends)(y) if any(map(any, ends)) else y


def normalisation(keras, layer, name, x):
    """Keras's momentum says how much of the old average stays, ours how much of the new comes."""
    return keras.layers.BatchNormalization(
        epsilon=layer.eps, momentum=1 - layer.momentum, name=name
    )(x)


def pooling(keras, layer, name, x):
    """Pad with what neither a maximum nor, as zeros, an average of ours would notice."""
    padding, of_maximum = checks.padding_2d(layer.padding), isinstance(layer, MaxPool2d)
    if any(map(any, padding)):
        fill = LOWEST if of_maximum else 0.0
        x = keras.ops.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)
    kind = keras.layers.MaxPooling2D if of_maximum else keras.layers.AveragePooling2D
    size = checks.pair("kernel_size", layer.kernel_size)
    stride = size if layer.stride is None else checks.pair("stride", layer.stride)
    return kind(size, strides=stride)(x)


def shrinking(keras, layer, name, x):
    """Keep every S-th pixel, and put channels of zeros behind the others."""
    x = keras.layers.AveragePooling2D(1, strides=layer.stride)(x)
    more = layer.channels - x.shape[-1]
    return keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, more))) if more else x


def flattening(keras, layer, name, x):
    """Lay the numbers in a row as we do, one channel after the other."""
    if len(x.shape) == 4:
        x = keras.layers.Permute((3, 1, 2))(x)
    return keras.layers.Flatten()(x)


def joining(keras, layer, name, xs):
    """Lay channels one behind the other."""
    if layer.axis != 1:
        raise TypeError(f"{layer!r} ({name}) joins along another axis than that of the channels")
    return keras.layers.Concatenate(name=name)(xs)


MAKERS = {
    Conv2d: convolution,
    ConvTranspose2d: transposed,
    BatchNorm2d: normalisation,
    Linear: lambda keras, layer, name, x: keras.layers.Dense(
        layer.params["w"].shape[0], use_bias="b" in layer.params, name=name
    )(x),
    ReLU: lambda keras, layer, name, x: keras.layers.ReLU()(x),
    LeakyReLU: lambda keras, layer, name, x: keras.layers.LeakyReLU(layer.slope)(x),
    Sigmoid: lambda keras, layer, name, x: keras.layers.Activation("sigmoid")(x),
    Tanh: lambda keras, layer, name, x: keras.layers.Activation("tanh")(x),
    Dropout: lambda keras, layer, name, x: keras.layers.Dropout(layer.p)(x),
    MaxPool2d: pooling,
    AvgPool2d: pooling,
    GlobalAvgPool2d: lambda keras, layer, name, x: keras.layers.GlobalAveragePooling2D()(x),
    Flatten: flattening,
    Shrink: shrinking,
    Concat: joining,
}


# --- Weights, both ways --------------------------------------------------------------------------


def to_theirs(name, array):
    """Return one of our arrays with the axes as Keras has them."""
    return array.transpose(2, 3, 1, 0) if name == "f" else array.T if name == "w" else array


def to_ours(name, array):
    """Return one of Keras's arrays with the axes as we have them."""
    return array.transpose(3, 2, 0, 1) if name == "f" else array.T if name == "w" else array


def pairs(model, net):
    """Return (name, our layer, Keras's layer) for each layer of ours that holds arrays.

    Raises
    ------
    ValueError
        If Keras's model lacks one of them, holds others, or has another shape; all are named.
    """
    ours = {
        name: layer
        for name, layer in named_layers(model)
        if not layer.children and (layer.params or layer.buffers)
    }
    theirs = {layer.name: layer for layer in net.layers if layer.weights}
    faults = [f"{name} is missing in Keras's model" for name in ours if name not in theirs]
    faults += [f"{name} is unknown to ours" for name in theirs if name not in ours]
    for name in ours:
        if name in theirs:
            own = [to_theirs(key, a).shape for key, a in arrays_of(ours[name]).items()]
            its = [tuple(weight.shape) for weight in theirs[name].get_weights()]
            if own != its:
                faults.append(f"{name} has shapes {own}, in Keras {its}")
    if faults:
        raise ValueError(
            "the two models do not fit, and both are left unchanged: " + "; ".join(faults)
        )
    return [(name, layer, theirs[name]) for name, layer in ours.items()]


def arrays_of(layer):
    """Return a layer's parameters and buffers as NumPy arrays, in the order that Keras has."""
    return {name: to_numpy(a) for name, a in {**layer.params, **layer.buffers}.items()}


def copy_to_keras(model, net):
    """Copy all weights, and the statistics of batch normalisation, into Keras's model.

    Parameters
    ----------
    model : Layer
    net : keras.Model
        Its layers with weights have the names of ours. Is changed, and returned.

    Raises
    ------
    ValueError
        If names or shapes differ; nothing was changed then.
    """
    for _, ours, theirs in pairs(model, net):
        theirs.set_weights([to_theirs(name, a) for name, a in arrays_of(ours).items()])
    return net


def copy_from_keras(net, model):
    """Copy all weights, and the statistics of batch normalisation, from Keras's model into ours.

    Parameters
    ----------
    net : keras.Model
        Its layers with weights have the names of ours.
    model : Layer
        Is changed, and returned.

    Raises
    ------
    ValueError
        If names or shapes differ; nothing was changed then.
    """
    state = {}
    for name, ours, theirs in pairs(model, net):
        for key, array in zip(arrays_of(ours), theirs.get_weights(), strict=True):
            state[f"{name}.{key}" if name else key] = np.ascontiguousarray(to_ours(key, array))
    model.load_state(state)
    return model
