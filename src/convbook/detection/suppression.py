"""Non-maximum suppression: of boxes that say the same thing, the best alone is kept."""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from .boxes import as_boxes, finite, iou

BLOCK = 256  # so many candidates are compared with each other at a time


def nms(boxes, scores, threshold, labels=None):
    """Return which boxes are left when each has removed the worse ones that overlap it.

    The box with the highest score is kept, and all that overlap it by more than the threshold are
    removed; then the same with the best of what is left, until nothing is. Of equal scores the box
    that comes first in the list is the better one. An empty box overlaps nothing: it removes
    none, and none removes it.

    Parameters
    ----------
    boxes : array (R, 4)
    scores : array (R,)
        Finite, or infinite; not NaN.
    threshold : float
        The largest intersection over union, from 0 to 1, at which both boxes stay.
    labels : array (R,) of ints, optional
        Then boxes of different classes leave each other in peace.

    Returns
    -------
    array (K,) of ints
        Positions in the list, the highest score first.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not go together, or a box or a score is no number.
    """
    xp, boxes, scores, labels = checks.numeric_arrays(boxes=boxes, scores=scores, labels=labels)
    boxes = as_boxes("boxes", boxes, several=True)
    count = len(boxes)
    scores = _of_boxes("scores", scores, count)
    threshold = checks.number("threshold", threshold, least=0, most=1)
    finite("boxes", boxes)
    scores = scores.astype(np.float64) if scores.dtype.kind != "f" else scores
    checks.no_nan("scores", scores)
    if labels is not None:
        labels = _of_boxes("labels", labels, count)
        checks.whole_numbers("labels", labels)
    return _kept(xp, boxes, xp.argsort(-scores, kind="stable"), threshold, labels)


def _of_boxes(name, values, count):
    """Return an array with a number for each box; an empty one may have any shape."""
    checks.given(name, values)
    values = values.reshape(0) if values.size == 0 else values
    checks.shape(name, values, (count,))
    return values


def _kept(xp, boxes, order, threshold, labels):
    """Return what is left of the boxes in this order, the best first.

    A block of candidates is compared with itself at once, and what it keeps with all that come
    later: so there are few operations, and no table of all boxes against all.
    """

    def removes(better, worse):
        over = iou(boxes[better], boxes[worse]) > threshold
        return over if labels is None else over & (labels[better][:, None] == labels[worse])

    kept = [order[:0]]
    while len(order):
        block, order = order[:BLOCK], order[BLOCK:]
        best = block[xp.asarray(_survivors(to_numpy(removes(block, block))))]
        kept.append(best)
        order = order[~removes(best, order).any(axis=0)]
    return xp.concatenate(kept).astype(np.intp, copy=False)


def _survivors(removes):
    """Return which of the candidates stay, if ``removes[i, j]`` says that i removes a later j."""
    alive = np.ones(len(removes), bool)
    for i in range(len(removes)):
        if alive[i]:
            alive[i + 1 :] &= ~removes[i, i + 1 :]
    return np.flatnonzero(alive)


def best_boxes(boxes, scores, count):
    """Return the positions of the `count` highest scores, the highest first; ties by position."""
    xp, boxes, scores = checks.numeric_arrays(boxes=boxes, scores=scores)
    boxes = as_boxes("boxes", boxes, several=True)
    scores = _of_boxes("scores", scores, len(boxes))
    checks.no_nan("scores", scores)
    count = checks.integer("count", count, least=0)
    return xp.argsort(-scores.astype(np.float64), kind="stable")[:count]
