"""From what a network says to regions worth a look, to things, and to their masks: two stages.

Ren et al., "Faster R-CNN", NIPS 2015, and He et al., "Mask R-CNN", ICCV 2017. Nothing here has a
gradient: boxes are chosen, and the network learns from what it says about them.
"""

from typing import NamedTuple

import numpy as np

from .. import checks
from .anchors import NEGATIVE, POSITIVE, sample_matches
from .boxes import as_boxes, clip_boxes, decode_boxes, encode_boxes, finite, in_order, iou
from .roi import roi_align
from .suppression import best_boxes, nms


class Regions(NamedTuple):
    """Regions of one picture that a step of training asks about, those on a thing first.

    Attributes
    ----------
    boxes : array (R, 4)
    classes : array (R,) of ints
        0 where nothing is, k + 1 for a thing of class k.
    codes : array (P, 4)
        Of the P regions on a thing, how to make the thing's box of them.
    things : array (P,) of ints
        Which thing each of these is on.
    """

    boxes: np.ndarray
    classes: np.ndarray
    codes: np.ndarray
    things: np.ndarray


def propose(anchors, scores, codes, size, before=120, after=30, threshold=0.7, least=2.0):
    """Return the boxes of a picture in which the first stage expects things.

    Parameters
    ----------
    anchors : array (A, 4)
    scores : array (A,)
        How sure the network is that there is something.
    codes : array (A, 4)
        What box it makes of each anchor; see `decode_boxes`.
    size : (H, W), or an int
        Of the picture.
    before, after : int
        How many are looked at, those with the highest scores, and how many are returned at most.
    threshold : float
        As in `nms`.
    least : float
        What is lower or narrower, in pixels, is left out.

    Returns
    -------
    boxes : array (P, 4)
    scores : array (P,)
    """
    xp, anchors, scores, codes = checks.numeric_arrays(anchors=anchors, scores=scores, codes=codes)
    least = checks.number("least", least, least=0)
    after = checks.integer("after", after, least=0)
    before = checks.integer("before", before, least=0)
    anchors, codes = as_boxes("anchors", anchors, True), as_boxes("codes", codes, True)
    checks.shape("codes", codes, anchors.shape)
    best = best_boxes(anchors, scores, before)
    boxes, scores = clip_boxes(decode_boxes(codes[best], anchors[best]), size), scores[best]
    large = (boxes[:, 2:] - boxes[:, :2] >= max(least, 1e-6)).all(axis=1)
    boxes, scores = boxes[large], scores[large]
    kept = nms(boxes, scores, threshold)[:after]
    return boxes[kept], scores[kept]


def sample_regions(proposals, truth, labels, count=24, most_positive=1 / 3, positive=0.5, rng=None):
    """Choose regions of one picture for the second stage to learn from.

    The things' own boxes are among them, so that there is something to learn from the first step
    on. A region is on the thing that it overlaps most, if it does so by `positive` or more, else on
    nothing.

    Parameters
    ----------
    proposals : array (P, 4)
    truth : array (T, 4)
        The boxes of the things; there may be none.
    labels : array (T,) of ints
        Their classes, from 0 on.
    count : int
        How many regions, or as many as there are.
    most_positive : float
        The largest share of them on a thing.
    positive : float
    rng : int or numpy.random.Generator

    Returns
    -------
    Regions
    """
    xp, proposals, truth, labels = checks.numeric_arrays(
        proposals=proposals, truth=truth, labels=labels
    )
    proposals, truth = as_boxes("proposals", proposals, True), as_boxes("truth", truth, True)
    checks.given("labels", labels)
    labels = labels.reshape(0).astype(np.intp) if labels.size == 0 else labels
    checks.shape("labels", labels, (len(truth),))
    checks.class_numbers("labels", labels)
    finite("proposals", proposals)
    finite("truth", truth)
    in_order("truth", truth)
    positive = checks.number("positive", positive, least=0, most=1)
    boxes = xp.concatenate([proposals, truth.astype(proposals.dtype, copy=False)])
    overlap = iou(boxes, truth)
    if len(truth):
        best, things = overlap.max(axis=1), overlap.argmax(axis=1)
    else:
        best, things = xp.zeros(len(boxes)), xp.zeros(len(boxes), np.intp)
    kinds = xp.where((best >= positive) & (best > 0), POSITIVE, NEGATIVE)
    chosen = xp.asarray(sample_matches(kinds, count, most_positive, rng))
    on = chosen[kinds[chosen] == POSITIVE]
    classes = xp.zeros(len(chosen), np.intp)
    classes[: len(on)] = labels[things[on]] + 1
    codes = encode_boxes(truth[things[on]], boxes[on])
    return Regions(boxes[chosen], classes, codes, things[on])


def things_found(probabilities, codes, boxes, size, least=0.05, threshold=0.5, most=100):
    """Return the things that the second stage finds in one picture.

    Parameters
    ----------
    probabilities : array (R, K + 1)
        Of nothing, and of each class, for every region.
    codes : array (R, K, 4)
        How each class would move and stretch the region.
    boxes : array (R, 4)
        The regions.
    size : (H, W), or an int
    least : float
        The least probability that counts.
    threshold : float
        As in `nms`, within a class.
    most : int
        So many are returned at most, those with the highest scores.

    Returns
    -------
    boxes : array (F, 4)
    scores : array (F,)
    labels : array (F,) of ints
        From 0 to K - 1.
    """
    xp, probabilities, codes, boxes = checks.numeric_arrays(
        probabilities=probabilities, codes=codes, boxes=boxes
    )
    boxes = as_boxes("boxes", boxes, several=True)
    checks.axes("probabilities", probabilities, ("R", "K + 1"), may_be_empty="R")
    classes = probabilities.shape[1] - 1
    checks.shape("probabilities", probabilities, (len(boxes), classes + 1))
    checks.shape("codes", codes, (len(boxes), classes, 4))
    checks.no_nan("probabilities", probabilities)
    finite("boxes", boxes)
    in_order("boxes", boxes)
    least = checks.number("least", least, least=0, most=1)
    most = checks.integer("most", most, least=0)
    likely = xp.flatnonzero(probabilities[:, 1:].reshape(-1) >= least)
    regions, labels = likely // classes, likely % classes
    scores = probabilities[regions, labels + 1]
    found = clip_boxes(decode_boxes(codes[regions, labels], boxes[regions]), size)
    large = (found[:, 2:] > found[:, :2]).all(axis=1)
    found, scores, labels = found[large], scores[large], labels[large]
    kept = nms(found, scores, threshold, labels)[:most]
    return found[kept], scores[kept], labels[kept].astype(np.intp, copy=False)


# --- Masks ---------------------------------------------------------------------------------------


def crop_masks(masks, boxes, size=14):
    """Return the part of each mask that lies in its box, in size × size cells.

    Parameters
    ----------
    masks : array (R, H, W)
    boxes : array (R, 4)
        In pixels of the masks.
    size : int

    Returns
    -------
    array (R, size, size) of booleans
        Where half of a cell or more is inside: what a network is to say.
    """
    xp, masks, boxes = checks.numeric_arrays(masks=masks, boxes=boxes)
    checks.axes("masks", masks, ("R", "H", "W"), may_be_empty="R")
    boxes = as_boxes("boxes", boxes, several=True)
    checks.shape("boxes", boxes, (len(masks), 4))
    inside = (masks != 0).astype(np.float32)[:, None]
    return roi_align(inside, boxes, xp.arange(len(masks)), size, 1.0)[:, 0] >= 0.5


def paste_masks(scores, boxes, size):
    """Return masks of the whole picture: the way back of `crop_masks`.

    Parameters
    ----------
    scores : array (R, M, M)
        Above 0 inside; the boxes are divided into M × M cells, and scores go over evenly from the
        middle of one to that of the next.
    boxes : array (R, 4)
    size : (H, W), or an int

    Returns
    -------
    array (R, H, W) of booleans
        A pixel is inside if its middle is, and lies in the box.
    """
    xp, scores, boxes = checks.numeric_arrays(scores=scores, boxes=boxes)
    checks.axes("scores", scores, ("R", "M", "M"), may_be_empty="R")
    boxes = as_boxes("boxes", boxes, several=True).astype(np.float64)
    checks.shape("boxes", boxes, (len(scores), 4))
    finite("scores", scores)
    finite("boxes", boxes)
    in_order("boxes", boxes)
    size = checks.pair("size", size)
    rows, columns = (
        _between(xp, boxes[:, i], boxes[:, i + 2], scores.shape[i + 1], size[i]) for i in range(2)
    )
    spread = xp.matmul(xp.matmul(rows, scores.astype(np.float64)), columns.transpose(0, 2, 1))
    return spread > 0


def _between(xp, low, high, cells, pixels):
    """Return how much each cell of a box counts in each pixel: (R, pixels, cells)."""
    middles = xp.arange(pixels) + 0.5
    length = xp.maximum(high - low, 1e-9)[:, None]
    places = (middles - low[:, None]) / length * cells  # in cells, from the edge of the box
    inside = (places >= 0) & (places < cells)
    places = xp.clip(places - 0.5, 0, cells - 1)
    weights = xp.maximum(1 - abs(places[:, :, None] - xp.arange(cells)), 0)
    return weights * inside[:, :, None]
