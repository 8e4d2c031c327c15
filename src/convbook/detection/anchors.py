"""Anchors: boxes laid out over a picture beforehand, and which of them are on a thing."""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from .boxes import box_arrays, finite, iou

POSITIVE, NEGATIVE, NEITHER = 1, 0, -1


def anchor_boxes(size, stride, shapes):
    """Return boxes of several shapes around the centre of each cell of a feature map.

    Parameters
    ----------
    size : (FH, FW), or an int for a square
        Cells of the feature map.
    stride : int or pair
        Pixels of the picture for each cell.
    shapes : sequence of A pairs (height, width)
        In pixels, above 0.

    Returns
    -------
    array (FH·FW·A, 4), float32
        In the order (row, column, shape). Those at the border reach over it.
    """
    rows, columns = checks.pair("size", size)
    vertical, horizontal = checks.pair("stride", stride)
    shapes = checks.numpy_array("shapes", shapes)
    if shapes.ndim != 2 or shapes.shape[1] != 2 or not (np.isfinite(shapes) & (shapes > 0)).all():
        raise ValueError(
            "shapes must be pairs (height, width) of numbers above 0, got "
            f"{np.array2string(shapes, threshold=12, separator=', ')}"
        )
    y, x = np.meshgrid(
        (np.arange(rows) + 0.5) * vertical, (np.arange(columns) + 0.5) * horizontal, indexing="ij"
    )
    centres, shapes = np.stack([y, x], axis=-1)[:, :, None], shapes.astype(np.float64)
    return (
        np.concatenate([centres - shapes / 2, centres + shapes / 2], axis=-1)
        .reshape(-1, 4)
        .astype(np.float32)
    )


def match_anchors(anchors, truth, positive=0.7, negative=0.3, own_anchor=False):
    """Say of each anchor whether it is on a thing, on none, or neither of the two.

    An anchor is positive if it overlaps a thing by `positive` or more, or if no other overlaps some
    thing better (all of several equals are), so that every thing that any anchor touches has one.
    It is negative if it overlaps every thing by less than `negative`. What is neither is not asked:
    Ren et al., "Faster R-CNN", NIPS 2015.

    Parameters
    ----------
    anchors : array (A, 4)
    truth : array (T, 4)
        The boxes of the things; none at all make every anchor negative.
    positive, negative : float
        Overlaps from 0 to 1; `negative` is not above `positive`.
    own_anchor : bool
        The best anchor of a thing (the first of several equals) belongs to this thing even if it
        overlaps another one better, as in SSD. The last of several things has it, if they share
        their best one.

    Returns
    -------
    kinds : array (A,) of ints
        1 positive, 0 negative, -1 neither.
    things : array (A,) of ints
        The thing that each overlaps most, the first of several equals; 0 if there is none.
    """
    xp, anchors, truth = box_arrays(anchors=anchors, truth=truth)
    anchors, truth = anchors.reshape(-1, 4), truth.reshape(-1, 4)
    finite("anchors", anchors)
    finite("truth", truth)
    own_anchor = checks.flag("own_anchor", own_anchor)
    positive = checks.number("positive", positive, least=0, most=1)
    negative = checks.number("negative", negative, least=0, most=1)
    if negative > positive:
        raise ValueError(
            f"negative must not be above positive, got {negative:g} above {positive:g}"
        )
    kinds = xp.full(len(anchors), NEITHER, np.intp)
    things = xp.zeros(len(anchors), np.intp)
    if len(truth) == 0 or len(anchors) == 0:
        kinds[...] = NEGATIVE
        return kinds, things
    overlap = iou(anchors, truth)
    best, things = overlap.max(axis=1), overlap.argmax(axis=1)
    of_thing = overlap.max(axis=0)
    kinds = xp.where(best < negative, NEGATIVE, kinds)
    is_best = (overlap == of_thing) & (of_thing > 0)
    kinds = xp.where((best >= positive) & (best > 0) | is_best.any(axis=1), POSITIVE, kinds)
    if own_anchor:
        first = xp.arange(len(anchors))[:, None] == overlap.argmax(axis=0)
        own = xp.where(first & is_best, xp.arange(len(truth)), -1).max(axis=1)
        things = xp.where(own >= 0, own, things)
    return kinds, things


def sample_matches(kinds, count, most_positive=0.5, rng=None):
    """Choose at random which anchors a step of training asks, so that few are on nothing.

    Parameters
    ----------
    kinds : array (A,) of ints
        As `match_anchors` returns them.
    count : int
        How many in all, or as many as there are.
    most_positive : float
        The largest share of positive ones. If there are fewer, or none, negative ones take their
        place.
    rng : int or numpy.random.Generator

    Returns
    -------
    numpy.ndarray of ints
        Positions, the positive ones first, each part in rising order.
    """
    rng = checks.generator("rng", rng)
    count = checks.integer("count", count, least=0)
    most = int(count * checks.number("most_positive", most_positive, least=0, most=1))
    _, kinds = checks.numeric_arrays(kinds=kinds)
    checks.axes("kinds", kinds, ("A",), may_be_empty=("A",))
    checks.whole_numbers("kinds", kinds)
    kinds, chosen = to_numpy(kinds), []
    for kind, room in ((POSITIVE, most), (NEGATIVE, count)):
        there = np.flatnonzero(kinds == kind)
        room = min(room, count - sum(map(len, chosen)), len(there))
        chosen.append(np.sort(rng.choice(there, room, replace=False)))
    return np.concatenate(chosen)
