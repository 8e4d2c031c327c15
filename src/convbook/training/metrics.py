"""How good predictions are, as numbers a person can judge."""

import numpy as np

from .. import checks
from ..arrays import get_array_module, to_numpy


def accuracy(scores, labels):
    """Return the share of images whose highest score stands at the right class.

    Parameters
    ----------
    scores : array (N, K) or (N, K, H, W)
    labels : array (N,) or (N, H, W) of ints, or of the shape of `scores`: probabilities

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is nothing to count.
    """
    return float(mean_hits(scores, labels))


def mean_hits(scores, labels, ignore=None):
    """Return the accuracy as an array without axes, which may still be in the making on a GPU.

    Labels of the value `ignore` are not counted.
    """
    _, scores, labels = checks.numeric_arrays(scores=scores, labels=labels)
    if scores.ndim < 2 or scores.size == 0:
        raise ValueError(
            f"scores must have at least 2 axes (N, K), none of them empty, got shape {scores.shape}"
        )
    if labels.shape == scores.shape:
        labels = labels.argmax(axis=1)
    checks.shape("labels", labels, scores.shape[:1] + scores.shape[2:])
    hits = scores.argmax(axis=1) == labels
    if ignore is None:
        return hits.mean()
    known = labels != ignore
    return (hits & known).sum() / get_array_module(known).maximum(known.sum(), 1)


def confusion_matrix(labels, predicted, classes=10):
    """Count how often each class was taken for each class.

    Parameters
    ----------
    labels : array (N,) of ints from 0 to classes - 1
        The truth.
    predicted : array (N,) of ints from 0 to classes - 1
        What the model says, ``predict(model, x).argmax(axis=1)``.
    classes : int
        K, how many classes there are.

    Returns
    -------
    numpy.ndarray (K, K) of ints
        Row: the true class; column: the predicted one. The diagonal counts what is right.

    Raises
    ------
    TypeError, ValueError
        If these are not two equally long lists of classes.
    """
    classes = checks.integer("classes", classes, least=1)
    _, labels, predicted = checks.numeric_arrays(
        labels=to_numpy(labels), predicted=to_numpy(predicted)
    )
    for name, values in (("labels", labels), ("predicted", predicted)):
        if values.ndim != 1:
            raise ValueError(
                f"{name} must have shape (N,), one class for each image, got "
                f"{values.shape}; scores become classes by .argmax(axis=1)"
            )
        checks.class_numbers(name, values, classes)
    checks.shape("predicted", predicted, labels.shape)
    pairs = labels.astype(np.intp) * classes + predicted.astype(np.intp)  # what bincount takes
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_ious(counts):
    """Return for each class the intersection over union of its pixels.

    What is of the class and called so, divided by all that is of it or called so: Long, Shelhamer
    and Darrell, "Fully convolutional networks for semantic segmentation", CVPR 2015. Their mean,
    ``np.nanmean``, is mIoU.

    Parameters
    ----------
    counts : array (K, K) of ints
        A `confusion_matrix` of all pixels, ``confusion_matrix(labels.ravel(), predicted.ravel(),
        K)``.

    Returns
    -------
    numpy.ndarray (K,), float64
        NaN for a class that neither occurs nor is called.

    Raises
    ------
    ValueError
        If this is no square of counts.
    """
    counts = to_numpy(counts)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or (counts < 0).any():
        raise ValueError(f"counts must be a confusion matrix (K, K), got shape {counts.shape}")
    right = np.diag(counts).astype(np.float64)
    union = counts.sum(axis=0) + counts.sum(axis=1) - right
    return np.where(union > 0, right / np.maximum(union, 1), np.nan)


def near_edges(labels, reach=1):
    """Return which pixels have a pixel of another class near them.

    How well edges are found is seen where only these are counted, as in the trimaps of Kohli,
    Ladicky and Torr, "Robust higher order potentials for enforcing label consistency", IJCV 2009.

    Parameters
    ----------
    labels : array (N, H, W) of ints
        The class of every pixel.
    reach : int
        How many rows and columns away is near, at least 1.

    Returns
    -------
    numpy.ndarray (N, H, W) of bool
    """
    reach = checks.integer("reach", reach, least=1)
    labels = to_numpy(labels)
    if labels.ndim != 3:
        raise ValueError(f"labels must have shape (N, H, W), got {labels.shape}")
    around = []
    for pick in (np.maximum, np.minimum):  # of a square: along the rows, and then along the columns
        found = labels
        for axis in (1, 2):
            widths = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
            padded = np.moveaxis(np.pad(found, widths, mode="edge"), axis, 0)
            steps = [padded[i : i + labels.shape[axis]] for i in range(2 * reach + 1)]
            found = np.moveaxis(pick.reduce(steps), 0, axis)
        around.append(found)
    return around[0] != around[1]


def balanced_weights(labels, classes, power=0.5):
    """Return weights for `SoftmaxCrossEntropy` that let rare classes count more.

    The frequency in the middle, divided by that of the class, to some power; a class that does not
    occur has weight 1. With power 1 it is SegNet's median frequency balancing (Eigen and Fergus,
    ICCV 2015, who count only the images in which a class occurs); 0 leaves all weights at 1.

    Parameters
    ----------
    labels : array of ints from 0 to classes - 1, any shape
    classes : int
    power : float
        From 0 to 1.

    Returns
    -------
    numpy.ndarray (classes,), float64
    """
    classes = checks.integer("classes", classes, least=1)
    power = checks.number("power", power, least=0, most=1)
    _, labels = checks.numeric_arrays(labels=to_numpy(labels))
    checks.class_numbers("labels", labels, classes)
    labels = labels.reshape(-1).astype(np.intp)  # what bincount takes
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    there = counts > 0
    weights = np.ones(classes)
    if there.any():
        weights[there] = (np.median(counts[there]) / counts[there]) ** power
    return weights


def dice(found, truth):
    """Return for each image how well two areas agree: Dice's coefficient, from 0 to 1.

    It is 2 · |both| / (|found| + |truth|), counted in pixels; 1 where both are empty. L. R. Dice,
    "Measures of the amount of ecologic association between species", Ecology 26, 1945.

    Parameters
    ----------
    found, truth : array (N, ...) of bool, or of 0 and 1
        Of one shape, such as (N, 1, H, W); ``scores > 0`` of a network for yes or no.

    Returns
    -------
    numpy.ndarray (N,), float64

    Raises
    ------
    ValueError
        If the shapes differ, or there is anything but 0 and 1, such as probabilities or bytes.
    """
    both, found, truth = _overlap(found, truth)
    return np.where(found + truth == 0, 1.0, 2 * both / np.maximum(found + truth, 1))


def area_iou(found, truth):
    """Return for each image the area of the intersection divided by that of the union.

    It is d / (2 - d) where `dice` is d, and puts images into the same order. (The overlap of boxes
    is `convbook.detection.iou`.)

    Parameters
    ----------
    found, truth : array (N, ...) of bool, or of 0 and 1
        As in `dice`.

    Returns
    -------
    numpy.ndarray (N,), float64
    """
    both, found, truth = _overlap(found, truth)
    union = found + truth - both
    return np.where(union == 0, 1.0, both / np.maximum(union, 1))


def _overlap(found, truth):
    """Return how many pixels of each image are in both areas, in the first, and in the second."""
    arrays = []
    for name, area in (("found", found), ("truth", truth)):
        area = to_numpy(area) if not isinstance(area, list) else np.array(area)
        if area.ndim < 2:
            raise ValueError(f"{name} must have an axis for images and more, got {area.shape}")
        if area.dtype.kind != "b" and not ((area == 0) | (area == 1)).all():
            raise ValueError(
                f"{name} must be True or 1 inside and False or 0 outside, got {area.dtype} from "
                f"{area.min():g} to {area.max():g}: scores become an area by > 0, probabilities by "
                "> 0.5, a mask of 0 and 255 by > 127"
            )
        arrays.append(area.astype(bool))
    found, truth = arrays
    checks.shape("found", found, truth.shape)
    axes = tuple(range(1, found.ndim))
    return (found & truth).sum(axis=axes), found.sum(axis=axes), truth.sum(axis=axes)


def auroc(scores, positive):
    """Return how well scores tell two kinds apart: the area under the ROC curve.

    It is the share of all pairs, one of each kind, in which the positive one has the higher score;
    a tie counts half (Hanley and McNeil, Radiology 1982). 1 is perfect, 0.5 is guessing, and below
    that the scores point the wrong way.

    Parameters
    ----------
    scores : array (N,)
    positive : array (N,) of bool, or of 0 and 1
        Which are of the kind that is looked for. Both kinds must be there.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, a score is NaN, or one of the kinds is missing.
    """
    scores, positive = to_numpy(scores), to_numpy(positive)
    if scores.ndim != 1:
        raise ValueError(f"scores must have shape (N,), got {scores.shape}")
    checks.shape("positive", positive, scores.shape)
    if np.isnan(scores).any():
        raise ValueError("scores must be numbers, got NaN")
    if not np.isin(positive, (0, 1)).all():
        raise ValueError("positive must hold True and False, or 1 and 0")
    positive = positive.astype(bool)
    count = int(positive.sum())
    if not 0 < count < len(positive):
        raise ValueError(
            f"positive must name some of each kind, got {count} of {len(positive)} positive"
        )
    # For each positive one: how many of the others lie below it, and how many not above it.
    ordered = np.sort(scores[~positive])
    below = np.searchsorted(ordered, scores[positive], "left")
    up_to = np.searchsorted(ordered, scores[positive], "right")
    return float((below + up_to).sum() / (2 * count * len(ordered)))


def psnr(images, clean):
    """Return the peak signal-to-noise ratio in decibels, for pixels from 0 to 1.

    It is -10 · log10(mean squared error), where the mean is taken over all images: ten decibels
    more are a tenth of the error.

    Parameters
    ----------
    images, clean : arrays of the same shape

    Returns
    -------
    float
        Infinite where both are the same.
    """
    images, clean = to_numpy(images), to_numpy(clean)
    checks.shape("images", images, clean.shape)
    error = np.mean((images.astype(float) - clean) ** 2)
    return float(-10 * np.log10(error)) if error else float("inf")
