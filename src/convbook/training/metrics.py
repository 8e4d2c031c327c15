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
    numpy.ndarray (K, K) of int64
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
