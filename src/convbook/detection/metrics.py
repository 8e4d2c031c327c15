"""How good a detector is: precision, recall, and the area under their curve."""

from typing import NamedTuple

import numpy as np

from .. import checks
from ..arrays import to_numpy
from .boxes import finite, iou

INTERPOLATIONS = ("voc", "voc2007", "coco")


class Curve(NamedTuple):
    """Precision and recall at every score of a detector, the highest first.

    Attributes
    ----------
    scores : array (F,)
    right : array (F,) of booleans
        Whether what was found with this score is a thing that nothing better had found.
    precision : array (F,)
        Of what was found with this score or a higher one, the share that is right.
    recall : array (F,)
        Of all things, the share that was found so.
    things : int
    """

    scores: np.ndarray
    right: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    things: int


def average_precision(found, truth, threshold=0.5, interpolation="voc", overlap=iou):
    """Return the average precision of one class, or its mean over the classes, as a float.

    What was found is gone through from the highest score of all images to the lowest. It is right
    if it overlaps a thing of its image and class by `threshold` or more that nothing better has
    found; of several it takes the one that it overlaps most. The precision reached at each recall,
    averaged over all recalls from 0 to 1, is the average precision.

    Parameters
    ----------
    found : sequence with an entry for each image: (boxes, scores) or (boxes, scores, labels)
        Boxes (F, 4), scores (F,), and labels (F,) of ints if there are several classes.
    truth : sequence with an entry for each image: boxes, or (boxes, labels)
        Boxes (T, 4), and labels (T,) if `found` has them.
    threshold : float
        The least overlap, from 0 to 1. AP50 has 0.5.
    interpolation : {"voc", "voc2007", "coco"}
        At a recall counts the best precision at this recall or a higher one. "voc" takes the mean
        over all recalls, which is the area under that curve (PASCAL VOC from 2010 on); "voc2007"
        over 0, 0.1, …, 1; "coco" over 0, 0.01, …, 1. COCO's own AP is the mean of ten such, with
        thresholds from 0.5 to 0.95.
    overlap : function
        `mask_iou` if there are masks in the place of boxes.

    Returns
    -------
    float
        With labels, the mean over the classes that occur in `truth`. NaN if there is nothing to be
        found.

    Raises
    ------
    TypeError, ValueError
        If the entries are not like that, or not one for each image.
    """
    averages = average_precisions(found, truth, threshold, interpolation, overlap)
    return float(np.mean(list(averages.values()))) if averages else float("nan")


def average_precisions(found, truth, threshold=0.5, interpolation="voc", overlap=iou):
    """Return the average precision of each class that occurs in `truth`, in a dict by class.

    Parameters are those of `average_precision`; without labels the only class is 0.
    """
    checks.one_of("interpolation", interpolation, INTERPOLATIONS)
    images = _images(found, truth)
    classes = sorted({int(k) for *_, labels in images for k in np.unique(labels)})
    curves = {k: _curve(images, k, threshold, overlap) for k in classes}
    return {k: _mean_precision(curve, interpolation) for k, curve in curves.items()}


def precision_recall(found, truth, threshold=0.5, label=None, overlap=iou):
    """Return the curve of precision and recall of one class, as a `Curve`.

    Parameters
    ----------
    found, truth, threshold, overlap
        As in `average_precision`.
    label : int, optional
        The class; all things are of one class if it is not given.
    """
    images = _images(found, truth)
    label = label if label is None else checks.integer("label", label, least=0)
    if label is None:
        images = [
            (things, scores, np.zeros(len(scores), int), true, np.zeros(len(true), int))
            for things, scores, _, true, _ in images
        ]
    return _curve(images, 0 if label is None else label, threshold, overlap)


# --- Matching ------------------------------------------------------------------------------------


def match_found(things, scores, true, threshold, overlap=iou):
    """Return which thing each found one is, -1 for none: the best chooses first.

    Parameters
    ----------
    things : array (F, ...)
        Boxes or masks that were found in one image.
    scores : array (F,)
    true : array (T, ...)
        The boxes or masks that are there.
    threshold : float
        The least overlap.
    overlap : function

    Returns
    -------
    numpy.ndarray (F,) of ints
        Each number from 0 to T - 1 occurs once at most.
    """
    threshold = checks.number("threshold", threshold, least=0, most=1)
    things, scores, true = (
        checks.numpy_array(name, value)
        for name, value in (("things", things), ("scores", scores), ("true", true))
    )
    _one_for_each(things, scores, true)
    match = np.full(len(scores), -1, np.intp)
    if len(scores) and len(true):
        shares = to_numpy(overlap(things, true)).copy()
        for i in np.argsort(-np.asarray(scores, np.float64), kind="stable"):
            best = shares[i].argmax()
            if shares[i, best] >= max(threshold, np.finfo(np.float32).tiny):
                match[i] = best
                shares[:, best] = -1  # is taken
    return match


def _curve(images, label, threshold, overlap):
    """Return the `Curve` of one class."""
    threshold = checks.number("threshold", threshold, least=0, most=1)
    scores, right, count = [np.zeros(0)], [np.zeros(0, bool)], 0
    for things, of_things, labels, true, true_labels in images:
        mine, there = np.flatnonzero(labels == label), np.flatnonzero(true_labels == label)
        match = match_found(things[mine], of_things[mine], true[there], threshold, overlap)
        scores.append(of_things[mine])
        right.append(match >= 0)
        count += len(there)
    scores, right = np.concatenate(scores), np.concatenate(right)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], right[order]
    hits = np.cumsum(right)
    recall = hits / count if count else np.full(len(hits), np.nan)
    return Curve(scores, right, hits / np.arange(1, len(hits) + 1), recall, count)


def _mean_precision(curve, interpolation):
    """Return the mean over recalls of the best precision at this recall or a higher one."""
    best = np.maximum.accumulate(curve.precision[::-1])[::-1]
    if interpolation == "voc":
        return float((np.diff(curve.recall, prepend=0.0) * best).sum())
    points = {"voc2007": 10, "coco": 100}[interpolation]
    # Counted in things, not in shares: 3 of 10 things are a recall of 0.3, and not a little less.
    needed = -(-np.arange(points + 1) * curve.things // points)  # rounded up
    first = np.searchsorted(np.cumsum(curve.right), needed)
    return float(np.append(best, 0.0)[first].mean())


# --- Checks --------------------------------------------------------------------------------------


def _images(found, truth):
    """Return for each image (things, scores, labels, true things, true labels), checked."""
    found, truth = checks.entries("found", found), checks.entries("truth", truth)
    if len(found) != len(truth):
        raise ValueError(
            f"found and truth must have an entry for each image, got {len(found)} and {len(truth)}"
        )
    labelled = bool(found) and hasattr(found[0], "__len__") and len(found[0]) == 3
    names = ("boxes", "scores", "labels")[: 3 if labelled else 2]
    images = []
    for i, (entry, true) in enumerate(zip(found, truth)):
        entry = _parts(f"found[{i}]", entry, names)
        true = _parts(
            f"truth[{i}]", true if labelled else (true,), ("boxes", "labels")[: len(names) - 1]
        )
        for name, parts in ((f"found[{i}]", entry), (f"truth[{i}]", true)):
            for part in parts[1:]:
                checks.shape(f"each part of {name}", part, parts[0].shape[:1])
        for name, parts in ((f"found[{i}]", entry), (f"truth[{i}]", true)):
            finite(f"the boxes of {name}", parts[0])
        checks.no_nan(f"the scores of found[{i}]", entry[1])
        if labelled:
            checks.whole_numbers(f"the labels of found[{i}]", entry[2])
            checks.whole_numbers(f"the labels of truth[{i}]", true[1])
        if not labelled:
            entry, true = ((*parts, np.zeros(len(parts[0]), np.intp)) for parts in (entry, true))
        images.append((*entry, *true))
    return images


def _one_for_each(things, scores, true):
    """Check what is matched: as many scores as things, and things as they are there."""
    checks.shape("scores", scores.reshape(0) if scores.size == 0 else scores, things.shape[:1])
    checks.no_nan("scores", scores)
    for name, array in (("things", things), ("true", true)):
        if array.ndim == 0 or (array.ndim == 1 and array.size):
            raise ValueError(f"{name} must be several boxes or masks, got shape {array.shape}")
        finite(name, array)


def _parts(name, entry, names):
    """Return the parts of what was found, or is there, in an image as NumPy arrays."""
    if isinstance(entry, np.ndarray) or not hasattr(entry, "__len__") or len(entry) != len(names):
        raise TypeError(
            f"{name} must be ({', '.join(names)}), as found[0] is, got "
            f"{len(entry) if hasattr(entry, '__len__') else entry!r} of type {type(entry).__name__}"
        )
    parts = []
    for part, value in zip(names, entry):
        value = to_numpy(value) if hasattr(value, "dtype") else value
        try:
            parts.append(checks.numeric_arrays(**{f"{name}, {part}": value})[1])
        except ValueError as error:
            labels = "" if "labels" in names else "; labels are looked at if found has them too"
            raise ValueError(f"{error}{labels}") from None
    if parts[0].size == 0 and parts[0].ndim < 2:
        parts[0] = parts[0].reshape(0, 4)
    return parts
