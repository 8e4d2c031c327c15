"""Checks for a detector that trains without an error, and finds nothing, or the wrong things.

    print(boxes_fit(boxes, size=64))
    print(anchors_reach(anchors, boxes))
    print(found_as_meant(found, truth))

Each check looks for faults that are known, and returns a `Finding` of `convbook.training.health`:
a sentence, and whether all is well.
"""

import math

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..training.health import Finding
from .anchors import POSITIVE, match_anchors
from .boxes import LIMIT, SPREAD, as_boxes, boxes_of_masks, iou
from .metrics import average_precision

# --- Before the training -------------------------------------------------------------------------


def boxes_fit(boxes, size, masks=None):
    """Check that boxes lie in their picture, and that they are (y0, x0, y1, x1) in pixels.

    Parameters
    ----------
    boxes : array (R, 4), or a list of such for several pictures of one size
    size : (H, W), or an int for a square
    masks : array (R, H, W), or a list of such, optional
        Of the same things: then boxes whose axes have changed places are known for certain.

    Returns
    -------
    Finding
        Not fine if a box is no number, empty, in the wrong order or outside; if all coordinates
        are shares of the picture; or if the boxes fit as (x0, y0, x1, y1).
    """
    boxes, (height, width) = _one_array("boxes", boxes), checks.pair("size", size)
    if len(boxes) == 0:
        return Finding(True, "there are no boxes")
    bad = ~np.isfinite(boxes).all(axis=1)
    if bad.any():
        return Finding(
            False, f"{_of(bad)} boxes hold infinity or NaN, the first is number {_first(bad)}"
        )
    if masks is not None:
        around = np.concatenate(
            [to_numpy(boxes_of_masks(m)) for m in (masks if isinstance(masks, list) else [masks])]
        )
        if len(around) != len(boxes):
            raise ValueError(f"masks must be as many as boxes, {len(boxes)}, got {len(around)}")
        own, swapped = (_mean_overlap(b, around) for b in (boxes, boxes[:, [1, 0, 3, 2]]))
        if swapped > own + 0.1:
            return Finding(
                False,
                f"the boxes overlap their masks by {own:.2f} on average, and by {swapped:.2f} if "
                "they are read as (x0, y0, x1, y1); here a box is (y0, x0, y1, x1)",
            )
    wrong = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    if wrong.any():
        return Finding(
            False,
            f"{_of(wrong)} boxes have y1 < y0 or x1 < x0, the first is number {_first(wrong)}; a "
            "box is two corners, not a corner and a size",
        )
    empty = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if empty.any():
        return Finding(False, f"{_of(empty)} boxes are empty, the first is number {_first(empty)}")
    if 0 <= boxes.min() and boxes.max() <= 1 and max(height, width) > 2:
        return Finding(
            False, f"all coordinates are from 0 to 1; in pixels they are times {height} and {width}"
        )
    outside = _outside(boxes, height, width)
    if outside.any():
        if not _outside(boxes[:, [1, 0, 3, 2]], height, width).any():
            return Finding(
                False,
                f"{_of(outside)} boxes reach out of a picture of {height} × {width}, and none does "
                "if they are read as (x0, y0, x1, y1); here a box is (y0, x0, y1, x1)",
            )
        return Finding(
            False,
            f"{_of(outside)} boxes reach out of a picture of {height} × {width}, the first is "
            f"number {_first(outside)}; see clip_boxes",
        )
    return Finding(True, f"all {len(boxes)} boxes lie in a picture of {height} × {width}")


def anchors_reach(anchors, truth, positive=0.7, negative=0.3):
    """Check that the things of a mini-batch have anchors that can learn them.

    Parameters
    ----------
    anchors : array (A, 4)
    truth : array (T, 4), or a list with one for each picture
    positive, negative : float
        As in `match_anchors`.

    Returns
    -------
    Finding
        Not fine if no anchor at all is positive, or if for more than a quarter of the things the
        best one overlaps by less than `positive`. Says which height and width would help.
    """
    pictures = truth if isinstance(truth, list) else [truth]
    pictures = [_one_array("truth", boxes) for boxes in pictures]
    anchors = _one_array("anchors", anchors)
    kinds = [to_numpy(match_anchors(anchors, b, positive, negative)[0]) for b in pictures]
    count = sum(int((k == POSITIVE).sum()) for k in kinds)
    without = sum(not (k == POSITIVE).any() for k in kinds)
    things = np.concatenate(pictures) if pictures else np.zeros((0, 4))
    if len(things) == 0:
        return Finding(
            True,
            "there is nothing in these pictures, so no anchor is positive; the losses of boxes are "
            "then of nothing: see ChosenLoss",
        )
    best = to_numpy(iou(anchors, things)).max(axis=0, initial=0)
    poor = best < positive
    says = (
        f"{count} anchors are positive, {without} of {len(pictures)} pictures have none; the best "
        f"ones overlap their things by {np.median(best):.2f} in the middle"
    )
    if count == 0 or poor.mean() > 0.25:
        sizes = np.median(things[poor][:, 2:] - things[poor][:, :2], axis=0)
        return Finding(
            False,
            f"{says}, and {_of(poor)} things by less than {positive:g}; an anchor of about "
            f"{sizes[0]:.0f} × {sizes[1]:.0f} would help, or a smaller stride",
        )
    return Finding(True, says)


def codes_in_range(codes, spread=SPREAD):
    """Check that the codes of boxes are of a size that can be learnt, and none was cut off.

    Parameters
    ----------
    codes : array (R, 4)
        As `encode_boxes` returns them, or as a network says them.
    spread : four floats
        As in `encode_boxes`.

    Returns
    -------
    Finding
        Not fine if one is NaN, or was or will be cut off; or if they spread less than 0.1 or more
        than 10.
    """
    codes = _one_array("codes", codes)
    if len(codes) == 0:
        return Finding(True, "there are no codes")
    bad = np.isnan(codes).any(axis=1)
    if bad.any():
        return Finding(False, f"{_of(bad)} codes hold NaN: look at the inputs and at the weights")
    most = np.array([LIMIT, LIMIT, math.log(LIMIT), math.log(LIMIT)]) * (1 - 1e-6)
    wild = (np.abs(codes * np.asarray(spread)) >= most).any(axis=1)
    if wild.any():
        return Finding(
            False,
            f"{_of(wild)} codes are beyond what a box can be stretched or moved, the first is "
            f"number {_first(wild)}: an empty box, or a network that has not learnt yet; they are "
            "cut off there",
        )
    width = float(codes.std())
    if len(codes) > 3 and not 0.1 <= width <= 10:
        return Finding(
            False, f"codes have a standard deviation of {width:.2g}; about 1 learns well"
        )
    return Finding(
        True, f"all {len(codes)} codes are within bounds, their deviation is {width:.2g}"
    )


def classes_taught(labels, classes, least=10):
    """Check that every class occurs in what a detector learns from.

    Parameters
    ----------
    labels : array (R,) of ints, or a list of such
        Of all things in the training pictures.
    classes : sequence of str, or int
        The names of the classes, or how many there are.
    least : int
        How often each must occur.

    Returns
    -------
    Finding
    """
    names = [str(k) for k in range(classes)] if isinstance(classes, int) else list(classes)
    parts = labels if isinstance(labels, list) else [labels]
    labels = np.concatenate([to_numpy(np.asarray(part)).reshape(-1) for part in parts] or [[]])
    if len(labels) and (labels.min() < 0 or labels.max() >= len(names)):
        return Finding(
            False,
            f"labels are from {int(labels.min())} to {int(labels.max())}, those of {len(names)} "
            f"classes from 0 to {len(names) - 1}; is the background one of them here, not there?",
        )
    counts = np.bincount(labels.astype(np.intp), minlength=len(names))
    rare = [f"{name} ({n} times)" for name, n in zip(names, counts) if n < least]
    if rare:
        return Finding(
            False, f"hardly anything to learn from: {', '.join(rare)}; it cannot be found"
        )
    return Finding(True, ", ".join(f"{name} {n}" for name, n in zip(names, counts)))


# --- After the training --------------------------------------------------------------------------


def scores_pass(found, least):
    """Check that the threshold for scores leaves something.

    Parameters
    ----------
    found : list of (boxes, scores, ...), one for each picture
        Before anything was left out because of its score.
    least : float
        The score from which on something counts as found.

    Returns
    -------
    Finding
        Not fine if in more than half of the pictures nothing is left, or more than 50 boxes are.
    """
    least = checks.number("least", least, least=0)
    scores = [_as_floats("scores", entry[1]) for entry in checks.entries("found", found, "picture")]
    for i, values in enumerate(scores):
        checks.no_nan(f"scores of found[{i}]", values)
    every = np.concatenate(scores) if scores else np.zeros(0)
    if len(every) == 0:
        return Finding(False, "nothing was found at all, with any score")
    left = np.array([(s >= least).sum() for s in scores])
    if (left == 0).mean() > 0.5:
        return Finding(
            False,
            f"with scores from {least:g} on, nothing is left in {(left == 0).sum()} of {len(left)} "
            f"pictures; the highest score is {every.max():.2g}: lower the threshold, train longer",
        )
    if np.median(left) > 50:
        return Finding(
            False,
            f"with scores from {least:g} on, {np.median(left):.0f} boxes are left in a picture: "
            "raise the threshold, or suppress what is not the best",
        )
    return Finding(
        True, f"{left.mean():.1f} boxes are left in a picture, scores up to {every.max():.2g}"
    )


def said_once(found, overlap=0.6):
    """Check that a thing is found once, and not under the names of several classes.

    Parameters
    ----------
    found : list of (boxes, scores, labels), one for each picture
        After suppression.
    overlap : float
        From which on two boxes mean the same thing.

    Returns
    -------
    Finding
        Not fine if more than a tenth of the boxes lie on a better one.
    """
    overlap = checks.number("overlap", overlap, least=0, most=1)
    same = others = count = 0
    for boxes, scores, labels in _three_of_each(found):
        order = np.argsort(-scores, kind="stable")
        on = np.triu(to_numpy(iou(boxes[order], boxes[order])) >= overlap, 1)
        alike = labels[order][:, None] == labels[order]
        same += int((on & alike).any(axis=0).sum())
        others += int(((on & ~alike).any(axis=0) & ~(on & alike).any(axis=0)).sum())
        count += len(boxes)
    if count and same > 0.1 * count:
        return Finding(
            False,
            f"{same} of {count} boxes lie on a better one of their class: suppress them (nms), or "
            "with a lower threshold",
        )
    if count and others > 0.1 * count:
        return Finding(
            False,
            f"{others} of {count} boxes lie on a better one of another class: class by class, each "
            "is the best; suppress across classes once more (nms without labels)",
        )
    return Finding(True, f"{same + others} of {count} boxes lie on a better one")


def masks_apart(found, truth):
    """Return how far the middles of masks lie beside those of their things, on average.

    Parameters
    ----------
    found, truth : array (R, H, W)
        Masks of the same things, in the same order. Empty ones are left out.

    Returns
    -------
    mean, error : array (2,)
        Down and across, in pixels, and the uncertainty of both; infinite for fewer than 3 masks.
    """
    found, truth = (to_numpy(np.asarray(masks)) != 0 for masks in (found, truth))
    if found.shape != truth.shape or found.ndim != 3:
        raise ValueError(
            f"found and truth must have one shape (R, H, W), got {found.shape} and {truth.shape}"
        )
    used = found.any(axis=(1, 2)) & truth.any(axis=(1, 2))
    if used.sum() < 3:
        return np.zeros(2), np.full(2, np.inf)
    apart = _middles(found[used]) - _middles(truth[used])
    return apart.mean(axis=0), apart.std(axis=0) / math.sqrt(len(apart))


def masks_aligned(found, truth, size=1.0):
    """Check that masks do not all sit beside their things by the same part of a cell.

    Parameters
    ----------
    found, truth : array (R, H, W)
        Masks of the same things, in the same order.
    size : float, optional
        Pixels for each cell of the features that masks are made from; 1 if not given.

    Returns
    -------
    Finding
        Not fine if the middles lie apart by 0.15 of a cell or more, and the same way throughout:
        by more than three times the uncertainty of their mean. (A little is usual, as thin parts
        get lost, such as legs; and half a cell shows as a quarter, where a box cuts off the rest.)
    """
    mean, error = masks_apart(found, truth)
    if not np.isfinite(error).all():
        return Finding(True, "too few masks to say: fewer than 3")
    cells = mean / checks.number("size", size, least=1e-6)
    says = (
        f"masks lie {mean[0]:+.2f} pixels down and {mean[1]:+.2f} across from their things, "
        f"{cells[0]:+.2f} and {cells[1]:+.2f} cells"
    )
    if ((np.abs(cells) >= 0.15) & (np.abs(mean) > 3 * error)).any():
        return Finding(
            False,
            f"{says}, all alike: is a box rounded on the way (RoI max pooling), or are edges taken "
            "for the centres of pixels (half a cell)?",
        )
    return Finding(True, says)


def found_as_meant(found, truth, size=None, threshold=0.5):
    """Check whether a detector would be right if its boxes or labels were read in another way.

    For a loss that falls while the average precision stays near 0: then the network has learnt
    something, and what it says is told, or read, in another form.

    Parameters
    ----------
    found, truth
        As in `average_precision`, with labels.
    size : (H, W), or an int, optional
        Of the pictures; then shares of it in the place of pixels are recognised as well.
    threshold : float
        As in `average_precision`.

    Returns
    -------
    Finding
        Not fine if some other reading has an average precision at least 0.1 higher.
    """
    readings = {
        "(x0, y0, x1, y1)": lambda b, k: (b[:, [1, 0, 3, 2]], k),
        "centre and size, (y, x, h, w)": lambda b, k: (_from_centres(b), k),
        "a corner and the size, (y0, x0, h, w)": lambda b, k: (_from_corner(b), k),
        "boxes with labels one too high": lambda b, k: (b, k - 1),
        "boxes with labels one too low": lambda b, k: (b, k + 1),
    }
    if size is not None:
        sides = np.tile(checks.pair("size", size), 2)
        readings["shares of the picture"] = lambda b, k: (b * sides, k)
        readings["pixels where shares were meant"] = lambda b, k: (b / sides, k)
    for stride in (2, 4, 8, 16, 32):
        readings[f"cells of {stride} pixels"] = lambda b, k, s=stride: (b * s, k)
    plain = list(_three_of_each(found))
    now = average_precision(plain, truth, threshold)
    if math.isnan(now):
        return Finding(True, "there is nothing to be found in these pictures")
    best, words = now, None
    for name, read in readings.items():
        again = [(*read(b, k), s) for b, s, k in plain]
        value = average_precision([(b, s, k) for b, k, s in again], truth, threshold)
        if value > best + (0.1 if words is None else 0):
            best, words = value, name
    classless = average_precision(
        [(b, s) for b, s, _ in plain], [boxes for boxes, _ in truth], threshold
    )
    if classless > best + 0.3:
        return Finding(
            False,
            f"the average precision is {now:.2f}, and {classless:.2f} if classes are left out: the "
            "places are right, the names are not",
        )
    if words is not None:
        return Finding(
            False,
            f"the average precision is {now:.2f}, and would be {best:.2f} if these were {words}",
        )
    return Finding(
        True, f"the average precision is {now:.2f}, and no other reading would be better"
    )


# --- Helpers -------------------------------------------------------------------------------------


def _one_array(name, boxes):
    """Return boxes, or a list with some for each picture, as one NumPy array (R, 4)."""
    if isinstance(boxes, list) and boxes and all(np.ndim(b) == 2 or np.size(b) == 0 for b in boxes):
        boxes = np.concatenate([_as_floats(name, b).reshape(-1, 4) for b in boxes])
    return as_boxes(name, _as_floats(name, boxes), several=True)


def _as_floats(name, values):
    """Return numbers as a NumPy array of floats."""
    return checks.numpy_array(name, values).astype(float)


def _three_of_each(found):
    """Yield boxes, scores and labels of each picture, checked."""
    for i, entry in enumerate(checks.entries("found", found, "picture")):
        if not hasattr(entry, "__len__") or len(entry) < 3:
            raise ValueError(f"found[{i}] must be (boxes, scores, labels), got {entry!r}")
        boxes = _one_array("boxes", entry[0])
        scores = _as_floats("scores", entry[1]).reshape(-1)
        labels = checks.numpy_array("labels", entry[2]).reshape(-1)
        for name, part in (("scores", scores), ("labels", labels)):
            checks.shape(f"{name} of found[{i}]", part, (len(boxes),))
        checks.no_nan(f"scores of found[{i}]", scores)
        yield boxes, scores, labels


def _of(which):
    """Return how many of all, in words."""
    return f"{int(which.sum())} of {len(which)}"


def _first(which):
    return int(which.argmax())


def _outside(boxes, height, width):
    """Return which boxes reach over the border by more than a hundredth of a pixel."""
    return ((boxes < -0.01) | (boxes > np.array([height, width, height, width]) + 0.01)).any(axis=1)


def _mean_overlap(a, b):
    """Return the mean overlap of boxes with those at the same places in the list."""
    return float(np.mean([to_numpy(iou(x, y)) for x, y in zip(a, b)]))


def _middles(masks):
    """Return the centre of gravity of each mask, (R, 2)."""
    count = masks.sum(axis=(1, 2))
    down = (masks.sum(axis=2) @ (np.arange(masks.shape[1]) + 0.5)) / count
    across = (masks.sum(axis=1) @ (np.arange(masks.shape[2]) + 0.5)) / count
    return np.stack([down, across], axis=1)


def _from_centres(boxes):
    return np.concatenate(
        [boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1
    )


def _from_corner(boxes):
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
