"""The network of chapter 3-6 in Keras, with the same weights as ours. Needs Keras, TensorFlow.

Keras keeps the channels last: images (N, H, W, C), filters (FH, FW, C, OC), and the matrices of
linear layers (in_features, out_features). All functions here take images as ours, (N, C, H, W).
"""

import numpy as np

from ..arrays import to_numpy
from ..layers import Conv2d, Flatten, Linear
from .available import import_keras, quiet_errors


def cifar_cnn():
    """Return the network, a keras.Sequential, with Keras's own initial weights."""
    keras = import_keras()
    layers = keras.layers
    with quiet_errors():
        return keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                layers.Conv2D(16, 3, padding="same"),
                layers.ReLU(),
                layers.MaxPooling2D(2),
                layers.Conv2D(32, 3, padding="same"),
                layers.ReLU(),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(64),
                layers.ReLU(),
                layers.Dense(10),
            ]
        )


def copy_weights(model, net):
    """Copy the weights of our network into that of Keras, whose layers stand in the same places.

    Parameters
    ----------
    model : Sequential
    net : keras.Sequential
        Is changed, and returned.
    """
    flattened = None  # height and width of what the last Flatten has laid out in a row
    for ours, theirs in zip(model.children.values(), net.layers, strict=True):
        params = [to_numpy(array) for array in ours.params.values()]
        if isinstance(ours, Flatten):
            flattened = theirs.input.shape[1:3]
        elif isinstance(ours, Conv2d):
            theirs.set_weights([params[0].transpose(2, 3, 1, 0), *params[1:]])
        elif isinstance(ours, Linear):
            theirs.set_weights([_columns_by_place(params[0], flattened).T, *params[1:]])
            flattened = None
    return net


def _columns_by_place(w, size, back=False):
    """Return w: (out, C·H·W) with its columns in the order (h, w, c), or back from there."""
    if size is None:
        return w
    height, width = size
    if back:
        return w.reshape(len(w), height, width, -1).transpose(0, 3, 1, 2).reshape(w.shape)
    return w.reshape(len(w), -1, height, width).transpose(0, 2, 3, 1).reshape(w.shape)


def loss_and_gradients(model, net, x, labels):
    """Return the loss of a mini-batch and its gradients, under our names and in our shapes.

    Parameters
    ----------
    model : Sequential
        Ours; says which layers have parameters.
    net : keras.Sequential
    x : ndarray (N, C, H, W), float32
    labels : ndarray (N,), int64

    Returns
    -------
    loss : float
    gradients : dict, name -> ndarray
    """
    keras = import_keras()
    import tensorflow

    measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with quiet_errors(), tensorflow.GradientTape() as tape:
        loss = measure(labels, net(channels_last(x), training=True))
    found = iter(tape.gradient(loss, [v.value for v in net.trainable_variables]))
    gradients, flattened = {}, None
    for (place, ours), theirs in zip(model.children.items(), net.layers, strict=True):
        if isinstance(ours, Flatten):
            flattened = theirs.input.shape[1:3]
        for name in ours.params:
            gradient = next(found).numpy()
            if name == "f":
                gradient = gradient.transpose(3, 2, 0, 1)
            elif name == "w":
                gradient = _columns_by_place(gradient.T, flattened, back=True)
                flattened = None
            gradients[f"{place}.{name}"] = gradient
    return float(loss), gradients


def train(net, batches):
    """Make one step for each mini-batch (x, labels) of NumPy arrays; return the losses.

    The network has been compiled with its optimizer and its loss, and with no other metrics.
    """
    losses = []
    with quiet_errors():
        for x, labels in batches:
            net.reset_metrics()  # otherwise the loss is an average over all steps so far
            losses.append(float(net.train_on_batch(channels_last(x), labels)))
    return losses


def scores(net, x):
    """Return the scores (N, K) of images (N, C, H, W), as NumPy arrays."""
    with quiet_errors():
        return np.asarray(net(channels_last(x), training=False))


def channels_last(x):
    """Return images (N, C, H, W) as (N, H, W, C), also in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
