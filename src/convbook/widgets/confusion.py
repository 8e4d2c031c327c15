"""ConfusionExplorer: which class is taken for which, with the pictures behind each count."""

import html

import numpy as np
import traitlets

from convbook import checks
from convbook.training.metrics import confusion_matrix

from .base import BookWidget, Whole
from .packed import picture_url
from .training_explorer import MOST_CLASSES, class_names

ACROSS = 16  # pictures in a row of the sheet that carries them
JPEG_QUALITY = 85
MOST_PIXELS = 64  # along an edge
FEW = 2  # so many pictures of a kind are there in any case


class ConfusionExplorer(BookWidget, module="confusion.js"):
    """A confusion matrix whose cells open: behind each count are the pictures it counts.

    A page cannot carry all pictures. Of mistakes it has those made with the highest probability, of
    what was read rightly those with the lowest; without probabilities, the first ones.

    Parameters
    ----------
    labels : array_like (N,) of ints
        The truth, from 0 to K - 1.
    predictions : array_like (N,) of ints
        What the network takes the images for.
    images : array_like (N, C, H, W)
        C = 1 or 3, at most 64 × 64; floats from 0 to 1, or bytes. Grey ones travel unchanged, as
        PNG, coloured ones as JPEG.
    probabilities : array_like (N, K), optional
        From which the predictions were made.
    classes : sequence of str, optional
        The names of the K classes, K from 2 to 10. Default: "0", "1", …, with K from the
        probabilities or else from the largest number among labels and predictions.
    row, col : int, optional
        The cell that is open, true class and predicted class. Default: the most frequent mistake.
    errors_only : bool
        Leave out what was read rightly.
    examples : int
        So many pictures of each kind of mistake at most, and half as many of each class read
        rightly.
    pictures : int
        About so many pictures in all. If that is too few for all of them, two of each kind are
        taken, and then those of the most frequent mistakes.

    Raises
    ------
    TypeError, ValueError
        If the arrays don't fit each other.

    Examples
    --------
    >>> images = np.zeros((3, 1, 8, 8))
    >>> ConfusionExplorer([0, 1, 1], [0, 1, 0], images, classes=["cat", "dog"]).output
    array([[1, 0],
           [1, 1]])
    """

    data = traitlets.Dict().tag(sync=True)
    row = Whole(0, 0, MOST_CLASSES - 1).tag(sync=True)
    col = Whole(0, 0, MOST_CLASSES - 1).tag(sync=True)
    errors_only = traitlets.Bool(False).tag(sync=True)
    picture = Whole(0, 0, 999).tag(sync=True)  # which picture of the open cell is explained

    def __init__(
        self,
        labels,
        predictions,
        images,
        probabilities=None,
        classes=None,
        row=None,
        col=None,
        errors_only=False,
        examples=12,
        pictures=200,
    ):
        images = _pixels(images)
        n = len(images)
        labels, predictions = np.asarray(labels), np.asarray(predictions)
        for name, values in (("labels", labels), ("predictions", predictions)):
            checks.shape(name, values, (n,))
        p = None if probabilities is None else _probabilities(probabilities, n)
        k = (
            len(classes)
            if classes is not None
            else (p.shape[1] if p is not None else int(max(labels.max(), predictions.max())) + 1)
        )
        if not 2 <= k <= MOST_CLASSES:
            raise ValueError(f"classes must be 2 to {MOST_CLASSES}, got {k}")
        if p is not None:
            checks.shape("probabilities", p, (n, k))
        examples = checks.integer("examples", examples, least=1)
        pictures = checks.integer("pictures", pictures, least=1)
        for name, values in (("labels", labels), ("predictions", predictions)):
            checks.class_numbers(name, values, k)
        counts = confusion_matrix(labels, predictions, k)

        chosen = _choose(labels, predictions, p, k, examples, pictures)
        shown = [i for cell in chosen.values() for i in cell]
        position = {i: place for place, i in enumerate(shown)}
        if row is None or col is None:
            row, col = _largest_mistake(counts)
        self._check_cell(row, col, k)
        super().__init__(
            data={
                "classes": class_names(classes, k),
                "counts": counts.tolist(),
                "cells": {
                    f"{r},{c}": [position[i] for i in cell] for (r, c), cell in chosen.items()
                },
                "numbers": shown,
                "permille": None if p is None else np.rint(1000 * p[shown]).astype(int).tolist(),
                "sheet": _sheet(images[shown]),
                "size": [*images.shape[2:], images.shape[1]],
                "across": ACROSS,
            },
            row=row,
            col=col,
            errors_only=errors_only,
        )

    @traitlets.validate("row", "col")
    def _within_the_classes(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        k = len(self.data["classes"]) if self.data else MOST_CLASSES
        if value >= k:
            raise traitlets.TraitError(f"{name} must be from 0 to {k - 1}; got {value}.")
        return value

    @staticmethod
    def _check_cell(row, col, k):
        for name, value in (("row", row), ("col", col)):
            if checks.integer(name, value, least=0) >= k:
                raise ValueError(f"{name} must be from 0 to {k - 1}, got {value}")

    @property
    def output(self):
        """ndarray (K, K) of ints : the counts; row: the truth, column: what it was taken for."""
        return np.array(self.data["counts"])

    def plain(self):
        counts, names = self.output, [html.escape(name) for name in self.data["classes"]]
        head = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            f"<tr><th>{name}</th>"
            + "".join(f"<td>{count}</td>" for count in line)
            + f"<td>{_share(counts[i, i], line.sum())}</td></tr>"
            for i, (name, line) in enumerate(zip(names, counts, strict=True))
        )
        precision = "".join(
            f"<td>{_share(counts[i, i], total)}</td>" for i, total in enumerate(counts.sum(axis=0))
        )
        right, total = int(np.trace(counts)), int(counts.sum())
        return (
            f"<div><table><thead><tr><th>truth \\ reading</th>{head}<th>recall</th></tr></thead>"
            f"<tbody>{rows}<tr><th>precision</th>{precision}<td>{_share(right, total)}</td></tr>"
            f"</tbody></table></div><p>{right:,} of {total:,} are right.</p>"
        )


def _share(part, whole):
    """Return a share as text, a dash where there is nothing to share."""
    return f"{part / whole:.1%}" if whole else "–"


def _pixels(images):
    """Return images as bytes (N, C, H, W)."""
    _, images = checks.numeric_arrays(images=images)
    checks.axes("images", images, "NCHW")
    highest = 1 if images.dtype.kind == "f" else 255
    low, high = images.min(), images.max()
    fits = images.shape[1] in (1, 3) and max(images.shape[2:]) <= MOST_PIXELS
    if not fits or not 0 <= low <= high <= highest:  # false for NaN as well
        raise ValueError(
            f"images must have 1 or 3 channels, at most {MOST_PIXELS} × {MOST_PIXELS} pixels, and "
            f"floats from 0 to 1 or bytes, got shape {images.shape}, {images.dtype}, "
            f"{low} to {high}"
        )
    return np.rint(images * (255 / highest)).astype(np.uint8)


def _probabilities(values, n):
    """Return probabilities as float64 (n, K)."""
    _, p = checks.numeric_arrays(probabilities=values)
    checks.axes("probabilities", p, "NK")
    if len(p) != n or not (p.min() >= 0 and p.max() <= 1 + 1e-6):
        raise ValueError(
            f"probabilities must be {n} rows of numbers from 0 to 1, got shape {p.shape}, numbers "
            f"from {p.min()} to {p.max()}"
        )
    return p.astype(float)


def _largest_mistake(counts):
    """Return (row, col) of the largest count off the diagonal, or (0, 0) if all are right."""
    mistakes = counts - np.diag(np.diag(counts))
    return tuple(int(i) for i in np.unravel_index(mistakes.argmax(), counts.shape))


def _choose(labels, predictions, p, k, examples, pictures):
    """Return a dict (row, col) -> indices of the images to show, in the order to show them."""
    cells = {}
    for row, col in np.ndindex(k, k):
        found = np.flatnonzero((labels == row) & (predictions == col))
        if p is not None:
            sureness = p[found, col]
            found = found[np.argsort(sureness if row == col else -sureness, kind="stable")]
        cells[row, col] = found.tolist()

    wanted = {(row, col): min(len(found), examples if row != col else -(-examples // 2))
              for (row, col), found in cells.items()}  # fmt: skip
    take = {cell: min(most, FEW) for cell, most in wanted.items()}
    by_count = sorted(cells, key=lambda cell: (cell[0] == cell[1], -len(cells[cell])))
    for cell in by_count:  # mistakes before what is right, frequent ones before rare ones
        left = max(0, pictures - sum(take.values()))
        take[cell] += min(left, wanted[cell] - take[cell])
    return {cell: found[: take[cell]] for cell, found in cells.items() if found}


def _sheet(pixels):
    """Return images (n, C, H, W) side by side in one picture, as the text of a data: address."""
    n, c, h, w = pixels.shape
    down = -(-n // ACROSS)
    filled = np.zeros((down * ACROSS, c, h, w), np.uint8)
    filled[:n] = pixels
    sheet = filled.reshape(down, ACROSS, c, h, w).transpose(0, 3, 1, 4, 2)
    sheet = sheet.reshape(down * h, ACROSS * w, c)
    if c == 1:
        return picture_url(sheet[:, :, 0], "PNG", optimize=True)
    return picture_url(sheet, "JPEG", quality=JPEG_QUALITY)
