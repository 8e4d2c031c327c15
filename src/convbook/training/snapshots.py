"""What a network looks like before its training and after each epoch.

snapshots = Snapshots(model, x_test[:4], y_test[:4])
fit(model, x_train, y_train, after_epoch=snapshots)
TrainingExplorer(**snapshots.arrays())
"""

import numpy as np

from .. import checks, functional as F
from ..arrays import to_numpy
from ..layers import Conv2d, ReLU, Sequential
from ..layers.base import evaluating
from .use import mover

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


class Snapshots:
    """Keep what a few images look like inside a network while it is trained.

    The first snapshot, of epoch 0, is taken when the object is made; another one each time it is
    called, which `convbook.training.fit` does after every epoch if it is given as `after_epoch`.

    Parameters
    ----------
    model : Sequential
        A network that ends in the scores of K classes; its first convolution's filters are kept.
    images : array (n, C, H, W)
        The images to follow, a handful.
    labels : array (n,) of ints
    layers : dict, name -> position in the model, or sequence of positions, optional
        The layers whose outputs, the feature maps, are kept. Default: every ReLU whose output is
        made of maps, called "ReLU 1", "ReLU 2" and so on.
    epochs : sequence of int, optional
        The epochs to keep, 0 being the time before the training. Default: all.
    channels : int
        At most so many maps of a layer are kept, the first ones.

    Raises
    ------
    TypeError, ValueError
        If the arguments don't fit each other.
    """

    def __init__(self, model, images, labels, layers=None, epochs=None, channels=16):
        if not isinstance(model, Sequential):
            raise TypeError(f"model must be a Sequential, got {type(model).__name__}")
        _, images, labels = checks.numeric_arrays(images=to_numpy(images), labels=to_numpy(labels))
        checks.axes("images", images, "NCHW")
        checks.shape("labels", labels, images.shape[:1])
        self.channels = checks.integer("channels", channels, least=1)
        self.epochs = (
            None
            if epochs is None
            else {checks.integer("epochs", epoch, least=0, given=epochs) for epoch in epochs}
        )
        self.images, self.labels = np.array(images, np.float32), np.array(labels, np.intp)
        self.layers = _maps_of(model, self._outputs(model)) if layers is None else _named(layers)
        for position in self.layers.values():
            if not 0 <= position < len(model):
                raise ValueError(
                    f"layers must hold positions from 0 to {len(model) - 1}, got {position}"
                )
        self._convolution = next(
            (layer for layer in model.walk() if isinstance(layer, Conv2d)), None
        )
        if self._convolution is None:
            raise ValueError("model must have a Conv2d, whose filters can be shown")
        self._seen = 0
        self._kept, self._snapshots, self._history = [], [], {}
        self._keep(model)

    def __call__(self, model, history):
        """Take a snapshot after an epoch; `history` is the training's `History` so far."""
        self._seen += 1
        for name in CURVES:
            if name in history:
                self._history.setdefault(name, []).append(float(history[name][-1]))
        self._keep(model)

    def __len__(self):
        return len(self._kept)

    def __repr__(self):
        return f"Snapshots({len(self)} of {len(self.images)} images)"

    def arrays(self):
        """Return all snapshots as the keyword arguments of `convbook.widgets.TrainingExplorer`.

        Returns
        -------
        dict
            filters : ndarray (T, OC, C, FH, FW), float32; T snapshots of the first convolution
            images : ndarray (n, C, H, W), float32
            labels : ndarray (n,), ints
            maps : dict, name -> ndarray (T, n, M, OH, OW), float32; the outputs of each layer
            probabilities : ndarray (T, n, K), float32
            epochs : ndarray (T,), ints; when each snapshot was taken
            history : dict, name -> list with one number for each epoch
        """
        if not self._snapshots:
            raise ValueError(
                f"no snapshot was kept: none of the epochs {sorted(self.epochs)} has come yet"
            )
        filters, maps, probabilities = zip(*self._snapshots, strict=True)
        return {
            "filters": np.stack(filters),
            "images": self.images.copy(),
            "labels": self.labels.copy(),
            "maps": {name: np.stack([taken[name] for taken in maps]) for name in self.layers},
            "probabilities": np.stack(probabilities),
            "epochs": np.array(self._kept),
            "history": {name: list(values) for name, values in self._history.items()},
        }

    def _keep(self, model):
        if self.epochs is not None and self._seen not in self.epochs:
            return
        outputs = self._outputs(model)
        maps = {}
        for name, position in self.layers.items():
            if outputs[position].ndim != 4:
                raise ValueError(
                    f"layers: {name!r} is layer {position}, {model[position]}, whose "
                    f"output has shape {outputs[position].shape}; feature maps have "
                    "shape (N, C, H, W)"
                )
            maps[name] = outputs[position][:, : self.channels].copy()
        filters = np.array(to_numpy(self._convolution.params["f"]), np.float32)
        self._snapshots.append((filters, maps, F.softmax(outputs[-1])))
        self._kept.append(self._seen)

    def _outputs(self, model):
        """Return the outputs of all layers of the model for the images, as NumPy arrays."""
        x, outputs = mover(model)(self.images), []
        with evaluating(model):
            for layer in model.layers:
                x = layer.forward(x)
                outputs.append(to_numpy(x))
        return outputs


def _maps_of(model, outputs):
    """Return the positions of the ReLU layers that give feature maps, by their names here."""
    positions = [
        i
        for i, layer in enumerate(model.layers)
        if isinstance(layer, ReLU) and outputs[i].ndim == 4
    ]
    return {f"ReLU {number}": position for number, position in enumerate(positions, start=1)}


def _named(layers):
    """Return a dict name -> position of the layers asked for."""
    if not isinstance(layers, dict):
        layers = {f"layer {position}": position for position in layers}
    if not layers:
        raise ValueError("layers must name at least one layer, got none")
    return {
        str(name): checks.integer("layers", position, least=0, given=layers)
        for name, position in layers.items()
    }
