"""TrainingExplorer: what a network looks like before its training and after each epoch."""

import html

import numpy as np
import traitlets

from convbook import checks

from .base import BookWidget, Whole, table
from .packed import packed

CURVES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "loss, held out",
    "val_accuracy": "accuracy, held out",
}
MOST_SNAPSHOTS, MOST_IMAGES, MOST_LAYERS, MOST_CLASSES = 33, 8, 6, 10
MAP_LEVELS = 63  # six bits for each number of a feature map: finer than the eye tells greys apart


class TrainingExplorer(BookWidget, module="training_explorer.js"):
    """Go through a training, snapshot by snapshot: filters, feature maps, probabilities, loss.

    `convbook.training.snapshots.Snapshots` collects the arrays while `fit` trains. They travel in
    the page rounded: feature maps to 63 steps from 0 to the largest number of their layer, filters
    and probabilities to 65,535.

    Parameters
    ----------
    filters : array_like (T, OC, C, FH, FW) or (T, OC, FH, FW)
        The filters of one convolution in T snapshots, C = 1 or 3; at most 33 snapshots.
    images : array_like (n, C, H, W)
        Up to eight images, C = 1 or 3, with numbers from 0 to 1.
    labels : array_like (n,) of ints
        What they are, from 0 to K - 1.
    maps : dict, name -> array_like (T, n, M, OH, OW)
        What up to six layers make of the images.
    probabilities : array_like (T, n, K)
        What the network takes them for; K is at most 10.
    epochs : array_like (T,) of ints, optional
        When the snapshots were taken, rising; 0 is before the training. Default: 0, 1, … T - 1.
    history : mapping, name -> sequence, optional
        "loss", "accuracy", "val_loss", "val_accuracy", as far as known: one number for each epoch.
        Other names are left out.
    before : mapping, name -> number, optional
        The same before the training.
    classes : sequence of str, optional
        The names of the K classes. Default: "0", "1", …
    step, image, layer : int
        Which snapshot, image and layer are shown, by position.

    Raises
    ------
    TypeError, ValueError
        If the arrays don't fit each other.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w = TrainingExplorer(
    ...     filters=rng.normal(size=(2, 4, 3, 3)), images=rng.random((1, 1, 6, 6)), labels=[1],
    ...     maps={"ReLU": rng.random((2, 1, 4, 4, 4))},
    ...     probabilities=[[[0.5, 0.5]], [[0.25, 0.75]]])
    >>> w.step = 1
    >>> w.output
    array([0.25, 0.75])
    """

    data = traitlets.Dict().tag(sync=True)
    step = Whole(0, 0, MOST_SNAPSHOTS - 1).tag(sync=True)
    image = Whole(0, 0, MOST_IMAGES - 1).tag(sync=True)
    layer = Whole(0, 0, MOST_LAYERS - 1).tag(sync=True)

    def __init__(
        self,
        filters,
        images,
        labels,
        maps,
        probabilities,
        epochs=None,
        history=None,
        before=None,
        classes=None,
        step=0,
        image=0,
        layer=0,
    ):
        images = _array("images", images, "nCHW")
        n, c = images.shape[:2]
        if n > MOST_IMAGES or c not in (1, 3) or images.min() < 0 or images.max() > 1:
            raise ValueError(
                f"images must be up to {MOST_IMAGES} images of 1 or 3 channels with numbers from "
                f"0 to 1, got shape {images.shape}, numbers from {images.min()} to {images.max()}"
            )
        filters = np.asarray(filters, dtype=float)
        if filters.ndim == 4:
            filters = filters[:, :, None]
        filters = _array("filters", filters, ("T", "OC", "C", "FH", "FW"))
        t = len(filters)
        if t > MOST_SNAPSHOTS or filters.shape[2] not in (1, 3):
            raise ValueError(
                f"filters must be those of 1 to {MOST_SNAPSHOTS} snapshots with 1 or 3 channels, "
                f"got shape {filters.shape}"
            )
        self._probabilities = _array("probabilities", probabilities, "TnK")
        k = self._probabilities.shape[2]
        if not 2 <= k <= MOST_CLASSES:
            raise ValueError(f"probabilities must be of 2 to {MOST_CLASSES} classes, got K = {k}")
        checks.shape("probabilities", self._probabilities, (t, n, k))
        if self._probabilities.min() < 0 or self._probabilities.max() > 1 + 1e-6:
            raise ValueError(
                "probabilities must be numbers from 0 to 1, got "
                f"{self._probabilities.min()} to {self._probabilities.max()}"
            )
        self._filters = filters
        maps = {str(name): _array(f"maps[{name!r}]", m, ("T", "n", "M", "OH", "OW"))
                for name, m in maps.items()}  # fmt: skip
        if not 1 <= len(maps) <= MOST_LAYERS:
            raise ValueError(f"maps must be of 1 to {MOST_LAYERS} layers, got {len(maps)}")
        for name, values in maps.items():
            checks.shape(f"maps[{name!r}]", values, (t, n, *values.shape[2:]))
        epochs = _whole("epochs", range(t) if epochs is None else epochs, t)
        if min(epochs) < 0 or sorted(set(epochs)) != epochs:
            raise ValueError(f"epochs must rise and not be negative, got {epochs}")
        labels = _whole("labels", labels, n)
        if min(labels) < 0 or max(labels) >= k:
            raise ValueError(f"labels must be from 0 to {k - 1}, got {labels}")
        self._curves = _curves(history or {}, before or {}, max(epochs))
        super().__init__(
            data={
                "filters": packed(filters),
                "images": packed(images, 255),
                "labels": labels,
                "maps": [
                    {"name": name, "values": packed(m, MAP_LEVELS)} for name, m in maps.items()
                ],
                "probabilities": packed(self._probabilities),
                "epochs": epochs,
                "curves": self._curves,
                "classes": class_names(classes, k),
            },
            step=step,
            image=image,
            layer=layer,
        )

    @traitlets.validate("step", "image", "layer")
    def _within_the_data(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        t, n, _ = self._probabilities.shape
        layers = len(self.data["maps"]) if self.data else MOST_LAYERS
        count = {"step": t, "image": n, "layer": layers}[name]
        if value >= count:
            raise traitlets.TraitError(f"{name} must be from 0 to {count - 1}; got {value}.")
        return value

    @property
    def output(self):
        """ndarray (K,) : the probabilities that the figure shows."""
        return self._probabilities[self.step, self.image]

    def plain(self):
        data = self.data
        shown = [name for name in CURVES if name in data["curves"]]
        head = "".join(f"<th>{title}</th>" for title in [
            "Epoch", *(CURVES[name] for name in shown),
            *(f"reads the {html.escape(data['classes'][label])} as" for label in data["labels"]),
        ])  # fmt: skip
        rows = ""
        for epoch, probabilities in zip(data["epochs"], self._probabilities, strict=True):
            numbers = [data["curves"][name][epoch] for name in shown]
            cells = ["–" if number is None else f"{number:.3f}" for number in numbers]
            cells += [f"{html.escape(data['classes'][p.argmax()])} ({p.max():.2f})"
                      for p in probabilities]  # fmt: skip
            rows += f"<tr><th>{epoch or 'before'}</th>"
            rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        epoch = data["epochs"][self.step]
        when = f"after epoch {epoch}" if epoch else "before the training"
        filters = "".join(
            table(f"Filter {i}" + (f", channel {c}" if len(f) > 1 else ""), np.round(channel, 2))
            for i, f in enumerate(self._filters[self.step]) for c, channel in enumerate(f)
        )  # fmt: skip
        return (
            f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            f"<p>The filters {when}:</p>{filters}"
        )


def class_names(classes, k):
    """Return the names of k classes as a list of str; their numbers if none are given."""
    names = [str(name) for name in (range(k) if classes is None else classes)]
    if len(names) != k:
        raise ValueError(f"classes must be {k} names, got {len(names)}: {', '.join(names)}")
    return names


def _array(name, values, letters):
    """Return finite numbers with these axes as float64."""
    _, array = checks.numeric_arrays(**{name: values})
    checks.axes(name, array, letters)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers, got NaN or infinity")
    return array.astype(float)


def _whole(name, values, count):
    """Return `count` whole numbers as a list of int."""
    array = np.asarray(values)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be {count} whole numbers, got {values!r}")
    return array.tolist()


def _curves(history, before, last):
    """Return, for each name that is known, the values of epochs 0, 1, …; None where unknown."""
    curves = {}
    for name in CURVES:
        if name not in history:
            continue
        values = [float(v) for v in history[name]]
        if len(values) < last or not np.isfinite(values).all():
            raise ValueError(
                f"history[{name!r}] must hold a finite number for each of {last} epochs, "
                f"got {values}"
            )
        first = float(before[name]) if name in before else None
        curves[name] = [v if v is None else float(f"{v:.5g}") for v in [first, *values]]
    return curves
