"""Detectors that look once: the targets, the losses and the answers of YOLO and of SSD.

Redmon et al., "You Only Look Once", CVPR 2016: a grid, each cell of which answers for one thing.
Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016: anchors on several feature maps, each
of which says a class and a code. Targets are arrays, so that both train with
`convbook.training.fit`.
"""

import numpy as np

from .. import checks
from ..arrays import get_array_module, to_numpy
from ..functional import softmax
from ..losses.base import Loss, in_work_dtype
from .anchors import POSITIVE, match_anchors
from .boxes import SPREAD, as_boxes, clip_boxes, encode_boxes, finite
from .grid import answered_for, cells_of
from .proposals import things_found
from .suppression import nms

# --- YOLO ----------------------------------------------------------------------------------------


def yolo_targets(boxes, labels, grid, size, classes):
    """Return what the cells of a grid should say.

    Parameters
    ----------
    boxes, labels : lists with an entry for each picture
        (T, 4), and (T,) ints from 0 to classes - 1.
    grid : int
        S, cells along each side.
    size : (H, W), or an int
        Of the pictures.
    classes : int
        K.

    Returns
    -------
    array (N, 5 + K, S, S), float32
        Of each cell that answers for a thing: how far down and across in the cell its centre lies,
        the roots of its height and width as shares of the picture, 1, and the class as a one among
        zeros. Zeros elsewhere. Things that no cell answers for (see `answered_for`) are missing.
    """
    grid, classes = checks.integer("grid", grid, 1), checks.integer("classes", classes, 1)
    size = checks.pair("size", size)
    boxes, labels = checks.entries("boxes", boxes), checks.entries("labels", labels)
    if len(boxes) != len(labels):
        raise ValueError(
            f"boxes and labels must be of as many pictures, got {len(boxes)} and {len(labels)}"
        )
    targets = np.zeros((len(boxes), 5 + classes, grid, grid), np.float32)
    for target, own, kinds in zip(targets, boxes, labels):
        own = as_boxes("boxes", to_numpy(np.asarray(own)), several=True)
        kinds = to_numpy(np.asarray(kinds)).reshape(-1)
        checks.shape("labels", kinds, (len(own),))
        checks.class_numbers("labels", kinds, classes)
        rows, columns = cells_of(own, grid, size)
        sides = own / np.tile(size, 2)
        middles = (sides[:, :2] + sides[:, 2:]) / 2 * grid
        roots = np.sqrt(np.maximum(sides[:, 2:] - sides[:, :2], 0))
        for i in np.flatnonzero(answered_for(own, grid, size)):
            row, column = rows[i], columns[i]
            target[:5, row, column] = *(middles[i] - (row, column)), *roots[i], 1
            target[5 + kinds[i], row, column] = 1
    return targets


def cell_boxes(numbers, size):
    """Return the boxes that cells say: numbers (N, 4 or more, S, S) become (N, S, S, 4), in pixels.

    The numbers are those of `yolo_targets`.
    """
    xp, numbers = checks.numeric_arrays(numbers=numbers)
    height, width = checks.pair("size", size)
    grid = numbers.shape[-1]
    places = xp.arange(grid)
    y = (numbers[:, 0] + places[:, None]) / grid * height
    x = (numbers[:, 1] + places) / grid * width
    high, wide = numbers[:, 2] ** 2 * height / 2, numbers[:, 3] ** 2 * width / 2
    return xp.stack([y - high, x - wide, y + high, x + wide], axis=-1)


class YoloLoss(Loss):
    """The loss of YOLO: squares of everything, summed over the cells; the mini-batch is averaged.

    Each cell says B boxes of five numbers, and the classes. Of a cell with a thing, the box that
    overlaps it most answers for it: its place and size should be the thing's, and its confidence
    the overlap that it has reached. The confidence of all other boxes should be 0, and counts less,
    for they are many. Classes count in cells with a thing.

    Parameters
    ----------
    boxes : int
        B, how many boxes each cell says.
    place, nothing : float
        How much more the places count, and how much the confidence of boxes on nothing.

    Attributes
    ----------
    terms : dict of name -> float
        The parts of the last loss: "place", "size", "thing", "nothing", "class".
    """

    def __init__(self, boxes=2, place=5.0, nothing=0.5):
        super().__init__()
        self.boxes = checks.integer("boxes", boxes, least=1)
        self.place = checks.number("place", place, least=0)
        self.nothing = checks.number("nothing", nothing, least=0)
        self.terms = {}

    def _check(self, predictions, targets, name):
        checks.axes("predictions", predictions, "NKHW")
        n, _, h, w = predictions.shape
        checks.axes(name, targets, "NKHW")
        classes = targets.shape[1] - 5
        if classes < 1 or h != w:
            raise ValueError(f"{name} must have shape (N, 5 + K, S, S), got {targets.shape}")
        checks.shape(name, targets, (n, 5 + classes, h, w))
        checks.shape("predictions", predictions, (n, 5 * self.boxes + classes, h, w))

    def measure(self, predictions, targets):
        """Return the loss as an array without axes; see `Loss.measure`."""
        dtype, y, t = in_work_dtype(predictions, targets)
        xp, n, last = get_array_module(y), len(y), 5 * self.boxes
        has = t[:, 4]
        said = [y[:, 5 * b : 5 * b + 5] for b in range(self.boxes)]
        there = cell_boxes(t, 1)
        overlaps = xp.stack([_pairwise(xp, cell_boxes(part, 1), there) for part in said])
        answers = has * (xp.arange(self.boxes)[:, None, None, None] == overlaps.argmax(axis=0))
        slope, terms = xp.zeros_like(y), dict.fromkeys(("place", "size", "thing", "nothing"), 0.0)
        for b, part in enumerate(said):
            own = answers[b]
            error = part - t[:, :5]
            error[:, 4] = part[:, 4] - own * overlaps[b]
            weight = xp.stack([self.place * own] * 4 + [own + self.nothing * (1 - own)], axis=1)
            slope[:, 5 * b : 5 * b + 5] = 2 * weight * error
            costs = weight * error * error
            terms["place"] += costs[:, :2].sum()
            terms["size"] += costs[:, 2:4].sum()
            terms["thing"] += (costs[:, 4] * own).sum()
            terms["nothing"] += (costs[:, 4] * (1 - own)).sum()
        error = (y[:, last:] - t[:, 5:]) * has[:, None]
        slope[:, last:] = 2 * error
        terms["class"] = (error * error).sum()
        self.terms = {name: float(value) / n for name, value in terms.items()}
        self._remembered = (slope / n).astype(dtype, copy=False)
        return sum(terms.values()) / n

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        return self._recall()


def _pairwise(xp, a, b):
    """Return the overlap of boxes with those at the same place: (..., 4) and (..., 4) to (...)."""
    low, high = xp.maximum(a[..., :2], b[..., :2]), xp.minimum(a[..., 2:], b[..., 2:])
    both = xp.maximum(high - low, 0).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1) - both
    return both / xp.where(union > 0, union, 1)


def yolo_found(predictions, size, boxes=2, least=0.05, threshold=0.5, most=50):
    """Return the things that the cells of a grid have found.

    A score is the confidence of a box times what its cell says of the class.

    Parameters
    ----------
    predictions : array (N, 5·B + K, S, S)
    size : (H, W), or an int
    boxes : int
        B.
    least, threshold, most
        As in `things_found`.

    Returns
    -------
    list of (boxes, scores, labels), one for each picture
    """
    predictions, size = to_numpy(predictions), checks.pair("size", size)
    boxes = checks.integer("boxes", boxes, least=1)
    least = checks.number("least", least, least=0)
    checks.axes("predictions", predictions, "NKHW", may_be_empty="N")
    if predictions.shape[1] <= 5 * boxes:
        raise ValueError(
            f"predictions must have more than 5 · {boxes} channels, got {predictions.shape[1]}"
        )
    classes = np.clip(predictions[:, 5 * boxes :], 0, 1)
    parts = [predictions[:, 5 * b : 5 * b + 5] for b in range(boxes)]
    places = np.stack([cell_boxes(part, size) for part in parts], axis=1)  # (N, B, S, S, 4)
    scores = np.stack([part[:, 4, None] * classes for part in parts], axis=1)  # (N, B, K, S, S)
    found = []
    for where, score in zip(places, scores):
        b, label, row, column = np.nonzero(score >= least)
        own, values = clip_boxes(where[b, row, column], size), score[b, label, row, column]
        kept = nms(own, values, threshold, label)[:most]
        found.append((own[kept], values[kept], label[kept]))
    return found


# --- SSD -----------------------------------------------------------------------------------------


def ssd_targets(anchors, boxes, labels, positive=0.5):
    """Return what the anchors should say: their class, and the code of the thing.

    An anchor is on a thing that it overlaps by `positive` or more; and the best anchor of each
    thing is its own, however little it overlaps it.

    Parameters
    ----------
    anchors : array (A, 4)
        Those of all maps, one after the other.
    boxes, labels : lists with an entry for each picture
    positive : float

    Returns
    -------
    array (N, A, 5), float32
        The class, 0 where nothing is and k + 1 for class k; and the code, zeros where nothing is.
    """
    boxes, labels = checks.entries("boxes", boxes), checks.entries("labels", labels)
    if len(boxes) != len(labels):
        raise ValueError(
            f"boxes and labels must be of as many pictures, got {len(boxes)} and {len(labels)}"
        )
    _, anchors = checks.numeric_arrays(anchors=anchors)
    anchors = to_numpy(as_boxes("anchors", anchors, several=True))
    targets = np.zeros((len(boxes), len(anchors), 5), np.float32)
    for target, own, kinds in zip(targets, boxes, labels):
        own = as_boxes("boxes", to_numpy(np.asarray(own)), several=True)
        kinds = to_numpy(np.asarray(kinds)).reshape(-1)
        checks.shape("labels", kinds, (len(own),))
        checks.class_numbers("labels", kinds)
        finite("boxes", own)
        match, things = match_anchors(anchors, own, positive, positive, own_anchor=True)
        on = match == POSITIVE
        target[on, 0] = kinds[things[on]] + 1
        target[on, 1:] = encode_boxes(own[things[on]], anchors[on], SPREAD)
    return targets


class MultiBoxLoss(Loss):
    """The loss of SSD: cross entropy of the classes and smooth L1 of the codes, per thing found.

    Nearly all anchors are on nothing, and soon easily told. So of these only the ones count that
    are taken for something most decidedly, `ratio` for each that is on a thing: the hard negatives.
    The sum is divided by the number of anchors on things; without any, loss and gradient are 0.

    Parameters
    ----------
    ratio : float
        How many hard negatives for each positive one.
    """

    def __init__(self, ratio=3.0):
        super().__init__()
        self.ratio = checks.number("ratio", ratio, least=0)

    def _check(self, predictions, targets, name):
        checks.axes("predictions", predictions, ("N", "A", "K + 5"))
        checks.axes(name, targets, ("N", "A", "5"))
        checks.shape(name, targets, (*predictions.shape[:2], 5))
        classes = predictions.shape[2] - 4
        if targets[..., 0].min() < 0 or targets[..., 0].max() >= classes:
            raise ValueError(
                f"{name}[..., 0] must be from 0 to {classes - 1}, got "
                f"{float(targets[..., 0].min()):g} to {float(targets[..., 0].max()):g}"
            )

    def measure(self, predictions, targets):
        """Return the loss as an array without axes; see `Loss.measure`."""
        dtype, y, t = in_work_dtype(predictions, targets)
        xp, classes = get_array_module(y), y.shape[2] - 4
        labels = t[..., 0].astype(np.intp)
        on = labels > 0
        count = xp.maximum(on.sum(), 1)
        logs = y[..., :classes] - y[..., :classes].max(axis=2, keepdims=True)
        logs = logs - xp.log(xp.exp(logs).sum(axis=2, keepdims=True))
        right = labels[..., None] == xp.arange(classes)
        costs = -xp.where(right, logs, 0).sum(axis=2)
        asked = (on | self.hard(xp, costs, on)) / count
        error = (y[..., classes:] - t[..., 1:]) * on[..., None]
        near = xp.minimum(abs(error), 1)
        smooth = near * near / 2 + (abs(error) - near)
        slope = xp.zeros_like(y)
        slope[..., :classes] = (xp.exp(logs) - right) * asked[..., None]
        slope[..., classes:] = xp.clip(error, -1, 1) / count
        self._remembered = slope.astype(dtype, copy=False)
        return (costs * asked).sum() + smooth.sum() / count

    def hard(self, xp, costs, on):
        """Return which anchors on nothing count: in each picture, those with the highest costs."""
        wanted = (self.ratio * on.sum(axis=1, keepdims=True)).astype(np.intp)
        order = xp.argsort(xp.where(on, np.inf, -costs), axis=1)
        rank = xp.argsort(order, axis=1)
        return ~on & (rank < wanted)

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        return self._recall()


def ssd_found(predictions, anchors, size, least=0.05, threshold=0.5, most=50):
    """Return the things that anchors have found.

    Parameters
    ----------
    predictions : array (N, A, K + 5)
        The scores of nothing and of K classes, and a code.
    anchors : array (A, 4)
    size, least, threshold, most
        As in `things_found`.

    Returns
    -------
    list of (boxes, scores, labels), one for each picture
    """
    predictions, anchors = to_numpy(predictions), to_numpy(np.asarray(anchors))
    checks.axes("predictions", predictions, ("N", "A", "K + 5"), may_be_empty="N")
    classes, found = predictions.shape[2] - 5, []
    for picture in predictions:
        probabilities = softmax(picture[:, : classes + 1])
        codes = np.repeat(picture[:, None, classes + 1 :], classes, axis=1)
        found.append(things_found(probabilities, codes, anchors, size, least, threshold, most))
    return found
