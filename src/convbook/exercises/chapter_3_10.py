"""The exercises of chapter 3-10, Mask R-CNN."""

from __future__ import annotations

import numpy as np

from ..detection import iou
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def sample(x, r, c):
    return _sampled(x, r, c)


def mask_loss(scores, targets, classes):
    return _mean(_per_cell(_of_class(scores, classes), targets))


def paste(mask, box, size):
    return _pasted(mask, box, size)


def link(before, now, least):
    return _linked(before, now, least)


def crossings(x, seen, line):
    return _crossed(x[seen], line)


def _sampled(x, r, c, clip=True, weights=lambda t: t):
    """Return the value of x between the centres of its cells."""
    h, w = x.shape
    if clip:
        r, c = min(max(r, 0), h - 1), min(max(c, 0), w - 1)
    top, left = min(int(np.floor(r)), h - 2), min(int(np.floor(c)), w - 2)
    down, along = weights(r - top), weights(c - left)
    upper = (1 - along) * x[top, left] + along * x[top, left + 1]
    lower = (1 - along) * x[top + 1, left] + along * x[top + 1, left + 1]
    return (1 - down) * upper + down * lower


def _of_class(scores, classes):
    return scores[np.arange(len(scores)), classes]


def _per_cell(z, t):
    return np.logaddexp(0, z) - t * z


def _mean(values):
    return values.mean() if values.size else 0.0


def _pasted(mask, box, size, middle=0.5, last=0, swapped=False, rounding=np.floor, outside=False):
    (height, width), (m, n) = size, mask.shape
    y0, x0, y1, x1 = (box[i] for i in ((1, 0, 3, 2) if swapped else (0, 1, 2, 3)))
    y1, x1 = y1 + last, x1 + last
    rows = rounding((np.arange(height) + middle - y0) / (y1 - y0) * m)
    columns = rounding((np.arange(width) + middle - x0) / (x1 - x0) * n)
    inside = ((rows >= 0) & (rows < m))[:, None] & ((columns >= 0) & (columns < n))
    rows, columns = (np.clip(v, 0, k - 1).astype(int) for v, k in ((rows, m), (columns, n)))
    return mask[rows[:, None], columns] & (inside | outside)


def _linked(before, now, least, once=True, column=True, measure=iou, equal=True):
    """Return which of the boxes before each box of now is: the pair that fits best first."""
    overlap, found = measure(before, now).copy(), np.full(len(now), -1)
    while overlap.size:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        if not (overlap[i, j] >= least if equal else overlap[i, j] > least) or overlap[i, j] <= 0:
            break
        found[j] = i
        overlap[i, j] = -1
        if column:
            overlap[:, j] = -1
        if once:
            overlap[i] = -1
    return found


def _in_turn(before, now, least):
    """Link each box with the best one that is left, in the order of the list."""
    overlap, found = iou(before, now).copy(), np.full(len(now), -1)
    for j in range(len(now)):
        if len(before) and overlap[:, j].max() >= max(least, 1e-9):
            found[j] = overlap[:, j].argmax()
            overlap[found[j]] = -1
    return found


def _nearness(a, b):
    """Return how near the middles of boxes are: 1 where they are the same."""
    middles = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (a, b)]
    return 1 / (1 + np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2))


def _other_way(before, now, least):
    found = _linked(before, now, least)
    back = np.full(len(before), -1)
    back[found[found >= 0]] = np.flatnonzero(found >= 0)
    return back


def _crossed(x, line, right=lambda x, line: x >= line):
    """Return how often the places x change sides, to the right and to the left."""
    steps = np.diff(right(x, line).astype(int))
    return [int((steps > 0).sum()), int((steps < 0).sum())]


def _only_neighbours(x, seen, line):
    """Count only where a thing is seen in both of two neighbouring frames."""
    steps = np.diff((x >= line).astype(int))[seen[1:] & seen[:-1]]
    return [int((steps > 0).sum()), int((steps < 0).sum())]


# --- material ------------------------------------------------------------------------------------

# 3-10.1: a row of a feature map, a box from 5 to 17 pixels, four pixels a cell, two parts with two
# points each.
ROW = np.array([2.0, 4.0, 0.0, 6.0, 8.0, 2.0])
LOW, HIGH, CELL = 5.0, 17.0, 4.0


def _read(points, value=None, join=np.mean):
    """Return the points of a box along a row, and what its two parts are."""
    value = value or (lambda p: np.interp(p, np.arange(len(ROW)), ROW))
    points = np.asarray(points)
    return np.array([*points, join(value(points[:2])), join(value(points[2:]))])


def _points(half=0.5, shares=(0.125, 0.375, 0.625, 0.875), low=LOW, high=HIGH):
    low, high = low / CELL - half, high / CELL - half
    return low + np.array(shares) * (high - low)


SAMPLES = _read(_points())

# 3-10.2: what a step of training asks of one picture.
ASKED, ON, REGIONS, ON_THINGS, CLASSES, CELLS = 64, 5, 24, 8, 4, 14
COUNTS = np.array([ASKED, 4 * ON, REGIONS * (CLASSES + 1), 4 * ON_THINGS, ON_THINGS * CELLS**2])


def _counts(**changed):
    counts = COUNTS.copy()
    for letter, value in changed.items():
        counts["abcde".index(letter)] = value
    return counts


_MAP = np.array([[1.0, 5.0, 2.0], [3.0, 0.0, 4.0]])
_LARGER = np.random.default_rng(3).normal(0, 3, (5, 4))
_SCORES = np.random.default_rng(0).normal(0, 2, (5, 3, 3, 4))
_TARGETS = (np.random.default_rng(1).random((5, 3, 4)) < 0.4).astype(float)
_CLASSES = np.array([2, 0, 1, 1, 2])
_CORNER = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
_RANDOM_MASK = np.random.default_rng(5).random((4, 5)) < 0.5
_RANDOM_MASK[0, -1] = _RANDOM_MASK[-1, 0] = _RANDOM_MASK[-1, -1] = True
_BEFORE = np.array([[0, 0, 10, 10], [0, 6, 10, 16], [20, 20, 30, 40]], float)
_TWICE = np.array([[0, 0, 20, 10]], float)  # overlaps the first of them by 1/2
_NOW = np.array([[0, 5, 10, 15], [0, 7, 10, 17], [21, 22, 31, 42], [50, 50, 60, 60]], float)


def _seen(frames, *hidden):
    """Return in which of so many frames a thing is seen."""
    seen = np.ones(frames, bool)
    seen[list(hidden)] = False
    return seen


# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-10.1": Exercise(
        title="RoIAlign by hand",
        reference=SAMPLES,
        start="turn the edges of the box into cells: 5 / 4 and 17 / 4. The centre of the first "
        "cell lies half a cell behind the edge of the picture, so take 1/2 away from both.",
        praise="Nothing was rounded: the four points lie between the centres of cells, each part "
        "is the mean of its two points, and half a pixel more or less would be seen.",
        hints=(
            "Counted from the centre of the first cell, the box goes from 0.75 to 3.75. Four equal "
            "stretches fit in; a point stands in the middle of each.",
            "The first point is 0.75 + 3 · 1/8 = 1.125, the next ones are 0.75 further each time.",
            "At 1.125 the value is 0.875 of cell 1 and 0.125 of cell 2. The first part is the mean "
            "of the values at its two points.",
        ),
        mistakes={
            "half a cell forgotten": (
                _read(_points(half=0)),
                "the half cell is missing: a value stands at the centre of its cell, which is half "
                "a cell behind the cell's edge. Everything is read half a cell too far.",
            ),
            "half a cell the other way": (
                _read(_points(half=-0.5)),
                "half a cell was added. The centre of the first cell is at 0, the picture's edge "
                "therefore at -1/2.",
            ),
            "rounded": (
                _read(_points(half=0, low=4.0, high=16.0)),
                "the edges were rounded to whole cells first, as RoI max pooling does. RoIAlign "
                "rounds nothing.",
            ),
            "points at the ends": (
                _read(_points(shares=(0, 1 / 3, 2 / 3, 1))),
                "the points go from edge to edge. Each stands in the middle of its stretch.",
            ),
            "points at the beginning": (
                _read(_points(shares=(0, 0.25, 0.5, 0.75))),
                "each point stands at the beginning of its stretch. It belongs in the middle.",
            ),
            "largest": (
                _read(_points(), join=np.max),
                "the larger value of each part was taken. RoIAlign takes the mean.",
            ),
            "added up": (
                _read(_points(), join=np.sum),
                "the two values of each part were added up. RoIAlign takes the mean.",
            ),
            "nearest cell": (
                _read(_points(), value=lambda p: ROW[np.rint(p).astype(int)]),
                "the value of the nearest cell was taken. Between two centres the values go over "
                "evenly into each other.",
            ),
            "in pixels": (
                np.array([*(CELL * _points(half=0)), *SAMPLES[4:]]),
                "the points are told in pixels. Asked for are cells, counted from the centre of "
                "the first.",
            ),
            "weights exchanged": (
                _read(
                    _points(),
                    value=lambda p: np.interp(2 * np.floor(p) + 1 - p, np.arange(len(ROW)), ROW),
                ),
                "the two weights have changed places: the nearer centre counts more.",
            ),
            "from the edge": (
                np.array([*(_points() - LOW / CELL + 0.5), *SAMPLES[4:]]),
                "the points are counted from the edge of the box. They are asked for from the "
                "centre of the first cell.",
            ),
            "values for points": (
                np.array([*np.interp(_points(), np.arange(len(ROW)), ROW), *SAMPLES[4:]]),
                "the first four numbers are the values at the points. Asked for is where they are.",
            ),
            "cell before": (
                _read(_points(), value=lambda p: ROW[np.floor(p).astype(int)]),
                "the value of the cell before each point was taken. Between two centres the values "
                "go over evenly into each other.",
            ),
            "ends of stretches": (
                _read(_points(shares=(0.25, 0.5, 0.75, 1))),
                "each point stands at the end of its stretch. It belongs in the middle.",
            ),
        },
    ),
    "3-10.2": Exercise(
        title="What five losses ask",
        reference=COUNTS,
        dtype=int,
        start="the first loss asks 64 anchors, and each says one number: 64.",
        praise="Most numbers that the network says in a step are asked by nobody, and have no "
        "gradient; a mask's cells are by far the most that are.",
        hints=(
            "A box is told by four numbers, and asked for only where there is a thing.",
            "Each of 24 regions says a score for every class, and one for nothing.",
            "Of the masks, and of the boxes of the second stage, only that of the true class is "
            "asked for.",
        ),
        mistakes={
            "boxes of every anchor": (
                _counts(b=4 * ASKED),
                "a box is asked of each of the 64 anchors. An anchor on nothing has none to tell: "
                "only the 5 positive ones are asked.",
            ),
            "one number for a proposal": (
                _counts(b=ON),
                "the box of a proposal is counted as one number. It is told by four.",
            ),
            "one number for a box": (
                _counts(b=ON, d=ON_THINGS),
                "a box is counted as one number. It is told by four.",
            ),
            "nothing is no class": (
                _counts(c=REGIONS * CLASSES),
                "there are only 4 scores for each region. One for nothing comes with them.",
            ),
            "one score a region": (
                _counts(c=REGIONS),
                "a single score is counted for each region. Softmax looks at all of them.",
            ),
            "boxes of all regions": (
                _counts(d=4 * REGIONS),
                "boxes are asked of all 24 regions. On nothing there is no box to ask for.",
            ),
            "boxes of all classes": (
                _counts(d=4 * ON_THINGS * CLASSES),
                "the boxes of all classes are counted. Asked is that of the true class alone.",
            ),
            "masks of all classes": (
                _counts(e=ON_THINGS * CELLS**2 * CLASSES),
                "the masks of all classes are counted. Asked is that of the true class alone; "
                "so classes don't compete for cells.",
            ),
            "masks of all regions": (
                _counts(e=REGIONS * CELLS**2),
                "masks are asked of all 24 regions. A region on nothing has none.",
            ),
            "a side of a mask": (
                _counts(e=ON_THINGS * CELLS),
                "a mask is counted with 14 cells. It is 14 cells high and 14 wide.",
            ),
            "positive anchors alone": (
                _counts(a=ON),
                "only the anchors on a thing are counted for the first loss. Those on nothing are "
                "asked as well, and should say no.",
            ),
            "regions on things alone": (
                _counts(c=ON_THINGS * (CLASSES + 1)),
                "only the regions on a thing are counted. The others are asked for their class as "
                "well: nothing.",
            ),
            "regions for anchors": (
                _counts(b=4 * ON_THINGS),
                "the regions of the second stage were taken. The proposals are those of the first: "
                "5 anchors lie on a thing.",
            ),
            "a box for nothing": (
                _counts(d=4 * ON_THINGS * (CLASSES + 1)),
                "the boxes of all classes are counted, and one for nothing. Asked is that of the "
                "true class alone.",
            ),
            "one number for a mask": (
                _counts(e=ON_THINGS),
                "a mask is counted as one number. It says a yes or no in each of its cells.",
            ),
        },
    ),
    "3-10.3": Exercise(
        title="A value between the cells",
        reference=sample,
        start="top = int(r) and left = int(c) are the cell above and to the left of the point; "
        "r - top and c - left say how far it is from there.",
        praise="Four neighbours, each the heavier the nearer it is. The weights are one number for "
        "the row times one for the column, which is why RoIAlign is two matrix products.",
        hints=(
            "Go along the upper row first, then along the lower one, then from one to the other.",
            "A point beyond the outermost centres takes the value at the border: bring r into the "
            "range from 0 to H - 1, and c into that from 0 to W - 1, first.",
            "On the last row top + 1 does not exist: let top be at most H - 2, then r - top is 1.",
        ),
        mistakes={
            "nearest": (
                lambda x, r, c: _sampled(x, r, c, weights=np.round),
                "the value of the nearest cell is returned. In between the values go over evenly.",
            ),
            "upper left": (
                lambda x, r, c: _sampled(x, r, c, weights=lambda t: np.floor(t)),
                "the cell above and to the left alone counts. All four neighbours do.",
            ),
            "mean": (
                lambda x, r, c: _sampled(x, r, c, weights=lambda t: 0.5 if 0 < t < 1 else t),
                "the four neighbours count alike. The nearer ones count more.",
            ),
            "weights exchanged": (
                lambda x, r, c: _sampled(x, r, c, weights=lambda t: 1 - t),
                "the weights have changed places: the nearer a cell, the more it counts.",
            ),
            "rows alone": (
                lambda x, r, c: _sampled(x, r, np.round(c)),
                "between the rows it is right; between the columns the nearest one is taken.",
            ),
            "row and column exchanged": (
                lambda x, r, c: _sampled(x, min(c, x.shape[0] - 1), min(r, x.shape[1] - 1)),
                "r and c have changed places: r counts rows, from top to bottom.",
            ),
            "beyond the border": (
                lambda x, r, c: _sampled(
                    x, max(r, -1) if r < 0 else r, max(c, -1) if c < 0 else c, clip=False
                ),
                "beyond the outermost centres the slope goes on. The value at the border shall.",
            ),
            "half a cell": (
                lambda x, r, c: _sampled(x, r - 0.5, c - 0.5),
                "half a cell was taken away. r and c are counted from the centre of the first cell "
                "already.",
            ),
            "half a cell more": (
                lambda x, r, c: _sampled(x, r + 0.5, c + 0.5),
                "half a cell was added. r and c are counted from the centre of the first cell "
                "already.",
            ),
            "nothing beyond": (
                lambda x, r, c: (
                    _sampled(x, r, c)
                    if 0 <= r <= x.shape[0] - 1 and 0 <= c <= x.shape[1] - 1
                    else 0.0
                ),
                "beyond the outermost centres it is 0. The value at the border shall go on.",
            ),
            "columns alone": (
                lambda x, r, c: _sampled(x, np.round(r), c),
                "between the columns it is right; between the rows the nearest one is taken.",
            ),
            "last row left out": (
                lambda x, r, c: _sampled(
                    x, min(max(r, 0), x.shape[0] - 2), min(max(c, 0), x.shape[1] - 2)
                ),
                "the point was brought into the range up to H - 2 and W - 2. Only top and left end "
                "there: the point itself may lie on the last row.",
            ),
            "weights to the next whole number": (
                lambda x, r, c: (
                    _sampled(x, r, c, weights=lambda t: t)
                    * (np.ceil(r) - np.floor(r))
                    * (np.ceil(c) - np.floor(c))
                ),
                "on a whole row or column all weights are 0: np.ceil of a whole number is itself. "
                "The next row is top + 1.",
            ),
        },
        trials=(
            ("a map of 2 x 3 cells, in the middle of four", (_MAP, 0.5, 0.5)),
            ("nearer to the right, on the upper row", (_MAP, 0.0, 1.75)),
            ("a map of 5 x 4 cells, somewhere", (_LARGER, 2.7, 1.2)),
            ("on the last row, and on the last column", (_LARGER, 4.0, 3.0)),
            ("beyond the border on the lower right", (_LARGER, 4.4, 3.3)),
            ("beyond the border on the upper left", (_LARGER, -0.5, -0.25)),
        ),
        harmless={
            "result kept in the type of x": "a map of floats has values of floats",
        },
    ),
    "3-10.4": Exercise(
        title="The loss of the masks",
        reference=mask_loss,
        start="two lists of indices, those of the regions and their classes, pick each region's "
        "own mask, in the shape of targets.",
        praise="Each region's own class alone is asked, a yes or no in every cell: so the masks of "
        "different classes never compete, and no region means no loss, not NaN.",
        hints=(
            "Of the K masks of a region only one has a gradient: that of the class that is there.",
            "The loss of a cell with score z and target t is log(1 + exp(z)) - t · z. "
            "np.logaddexp(0, z) is log(1 + exp(z)) and does not run over.",
            "Take the mean over all cells of all regions; where there is no region, return 0.0.",
        ),
        mistakes={
            "all classes": (
                lambda scores, targets, classes: _mean(_per_cell(scores, targets[:, None])),
                "the masks of all classes are asked. Only that of the true class is: the others "
                "have nothing to learn from this region.",
            ),
            "softmax": (
                lambda scores, targets, classes: _mean(
                    -(
                        targets
                        * _of_class(scores - np.log(np.exp(scores).sum(1, keepdims=True)), classes)
                    )
                ),
                "softmax makes the classes compete in each cell. Each class says yes or no for "
                "itself.",
            ),
            "every region's class": (
                lambda scores, targets, classes: _mean(
                    _per_cell(scores[:, classes], targets[:, None])
                ),
                "scores[:, classes] picks the classes of all regions for every region. Two lists "
                "of indices, of the regions and of their classes, pick one mask for each.",
            ),
            "first class": (
                lambda scores, targets, classes: _mean(_per_cell(scores[:, 0], targets)),
                "the mask of class 0 is taken for every region. Each has a class of its own.",
            ),
            "sum": (
                lambda scores, targets, classes: _per_cell(
                    _of_class(scores, classes), targets
                ).sum(),
                "the losses of all cells were added up. Their mean is asked for.",
            ),
            "cells added up": (
                lambda scores, targets, classes: _mean(
                    _per_cell(_of_class(scores, classes), targets).sum(axis=(1, 2))
                ),
                "the losses of a region's cells were added up, and only the regions averaged.",
            ),
            "inside alone": (
                lambda scores, targets, classes: _mean(
                    targets * _per_cell(_of_class(scores, classes), targets)
                ),
                "only the cells inside count. A cell outside that says yes is wrong, too.",
            ),
            "targets exchanged": (
                lambda scores, targets, classes: _mean(
                    _per_cell(_of_class(scores, classes), 1 - targets)
                ),
                "inside and outside have changed places.",
            ),
            "no minus": (
                lambda scores, targets, classes: (
                    -_mean(_per_cell(_of_class(scores, classes), targets))
                ),
                "the sign is wrong: a loss is not below 0.",
            ),
            "nan of nothing": (
                lambda scores, targets, classes: (
                    _per_cell(_of_class(scores, classes), targets).mean() if len(scores) else np.nan
                ),
                "without a region the mean of nothing is NaN, and one step with it ruins all "
                "weights. No region is no loss: 0.",
            ),
            "probabilities": (
                lambda scores, targets, classes: _mean(
                    abs(1 / (1 + np.exp(-_of_class(scores, classes))) - targets)
                ),
                "that is how far the probabilities are off. Asked for is the cross entropy: minus "
                "the logarithm of the right answer's probability.",
            ),
            "best class": (
                lambda scores, targets, classes: _mean(
                    _per_cell(scores.max(axis=1), targets) if len(scores) else scores
                ),
                "the largest score of all classes is taken in each cell. Asked is the mask of the "
                "true class.",
            ),
            "class before": (
                lambda scores, targets, classes: _mean(
                    _per_cell(_of_class(scores, classes - 1), targets)
                ),
                "the mask of class k - 1 is taken. Classes are counted from 0 here, as masks are.",
            ),
            "added": (
                lambda scores, targets, classes: _mean(
                    _per_cell(_of_class(scores, classes), -targets)
                ),
                "target times score is added. It is taken away.",
            ),
            "without targets": (
                lambda scores, targets, classes: _mean(
                    _per_cell(_of_class(scores, classes), 0 * targets)
                ),
                "the targets are not used: every cell is taken to be outside.",
            ),
            "wrong cells": (
                lambda scores, targets, classes: _mean((_of_class(scores, classes) > 0) != targets),
                "that is the share of cells that are wrong. Asked for is the cross entropy.",
            ),
            "squares": (
                lambda scores, targets, classes: _mean(
                    (1 / (1 + np.exp(-_of_class(scores, classes))) - targets) ** 2
                ),
                "that is the squared error of the probabilities. Asked for is the cross entropy.",
            ),
        },
        trials=(
            (
                "one region of class 1, masks of 2 x 2 cells",
                (
                    numbers(1, 2, 2, 2) / 4,
                    np.array([[[1.0, 0.0], [1.0, 1.0]]]),
                    np.array([1]),
                ),
            ),
            ("five regions of three classes", (_SCORES, _TARGETS, _CLASSES)),
            (
                "no region at all",
                (_SCORES[:0], _TARGETS[:0], _CLASSES[:0]),
            ),
            ("scores whose exponential overflows", (500 * _SCORES, _TARGETS, _CLASSES)),
        ),
        harmless={
            "targets with the sign lost": "targets are 0 or 1",
            "targets with negative numbers set to 0": "targets are 0 or 1",
            "targets cut to integers": "targets are 0 or 1",
            "classes with the sign lost": "classes are not negative",
            "classes with negative numbers set to 0": "classes are not negative",
            "classes cut to integers": "classes are whole numbers",
            "result with the sign lost": "a loss is not negative",
            "result with negative numbers set to 0": "a loss is not negative",
            "result kept in the type of scores": "scores are floats, and so is their loss",
            "result kept in the type of targets": "targets are floats, and so is the loss",
        },
    ),
    "3-10.5": Exercise(
        title="A mask into its box",
        reference=paste,
        start="for each row of the picture, its middle is at r + 0.5. How far is that from the "
        "upper edge of the box, as a share of the box's height?",
        praise="The middle of each pixel decides, and edges lie between pixels. Whoever asks the "
        "pixel's edge instead moves every mask by half a pixel.",
        hints=(
            "The middle of row r of the picture is at r + 0.5. How far is that from the upper "
            "edge, as a share of the box's height? That share of the mask's rows, rounded down, is "
            "the number of the row to take.",
            "Rows below 0, and from the mask's height on, are outside of the box. The same holds "
            "for columns.",
            "mask[rows[:, None], columns] reads the mask for all pixels at once, if rows and "
            "columns were brought into the mask's range before; then set to False what is "
            "outside.",
        ),
        mistakes={
            "edge for middle": (
                lambda mask, box, size: _pasted(mask, box, size, middle=0.0),
                "the upper left corner of each pixel decides. Its middle shall: half a pixel "
                "further down and to the right.",
            ),
            "other edge": (
                lambda mask, box, size: _pasted(mask, box, size, middle=1.0),
                "the lower right corner of each pixel decides. Its middle shall.",
            ),
            "last pixel": (
                lambda mask, box, size: _pasted(mask, box, size, last=1),
                "the box is one pixel too large: y1 and x1 are edges, not the last pixels.",
            ),
            "rounded": (
                lambda mask, box, size: _pasted(mask, np.round(box), size, middle=0.0),
                "the edges of the box were rounded to whole pixels. Leave them as they are, and "
                "ask where the middle of each pixel lies.",
            ),
            "exchanged": (
                lambda mask, box, size: _pasted(mask, box, size, swapped=True),
                "the box was read as (x0, y0, x1, y1). Here it is (y0, x0, y1, x1).",
            ),
            "transposed": (
                lambda mask, box, size: _pasted(mask.T, box, size),
                "rows and columns of the mask have changed places.",
            ),
            "whole box": (
                lambda mask, box, size: _pasted(np.ones_like(mask), box, size),
                "the whole box is filled. What the mask says is missing.",
            ),
            "whole picture": (
                lambda mask, box, size: _pasted(mask, (0, 0, *size), size),
                "the mask was stretched over the whole picture. It belongs into its box.",
            ),
            "upside down": (
                lambda mask, box, size: _pasted(mask[::-1], box, size),
                "the mask stands on its head: its row 0 is the upper one.",
            ),
            "nearest": (
                lambda mask, box, size: _pasted(mask, box, size, rounding=np.round),
                "the number of the cell was rounded to the nearest. A place from 0 to 1 lies in "
                "cell 0: round down.",
            ),
            "not cut off": (
                lambda mask, box, size: _pasted(mask, box, size, outside=True),
                "outside of the box the mask's border goes on. Pixels whose middle lies outside "
                "are False.",
            ),
            "towards zero": (
                lambda mask, box, size: _pasted(mask, box, size, rounding=np.trunc),
                "a place a little above or to the left of the box is rounded to cell 0, as int and "
                "astype(int) do. Round down, so that it becomes -1.",
            ),
            "rounded up": (
                lambda mask, box, size: _pasted(mask, box, size, rounding=np.ceil),
                "the number of the cell was rounded up. A place from 0 to 1 lies in cell 0: round "
                "down.",
            ),
            "edges rounded down": (
                lambda mask, box, size: _pasted(mask, np.floor(box), size),
                "the edges of the box were rounded down. Leave them as they are.",
            ),
            "box cut at the picture": (
                lambda mask, box, size: _pasted(mask, np.clip(box, 0, [*size, *size]), size),
                "the box was cut off at the border of the picture first, and the whole mask "
                "pressed into the rest. What lies outside of the picture is not seen.",
            ),
            "corner and size": (
                lambda mask, box, size: _pasted(
                    mask, (box[0], box[1], box[0] + box[2], box[1] + box[3]), size
                ),
                "the last two numbers were read as height and width. They are edges.",
            ),
            "inside out": (
                lambda mask, box, size: ~_pasted(mask, box, size),
                "True and False have changed places.",
            ),
            "mirrored": (
                lambda mask, box, size: _pasted(mask[:, ::-1], box, size),
                "left and right have changed places: column 0 is the left one.",
            ),
        },
        trials=(
            ("a mask of 3 x 3 cells, a box of 3 x 3 pixels", (_CORNER, (1, 2, 4, 5), (6, 7))),
            ("a box of 6 x 9 pixels", (_CORNER, (2, 1, 8, 10), (9, 12))),
            ("edges between pixels", (_RANDOM_MASK, (1.4, 2.7, 8.9, 7.2), (10, 9))),
            ("a box that reaches out of the picture", (_RANDOM_MASK, (-3, 4, 5, 14), (7, 10))),
            ("a box smaller than its mask", (_RANDOM_MASK, (1, 1, 3, 4), (5, 5))),
        ),
        dtype=bool,
        harmless={
            "mask with the sign lost": "True and False have no sign",
        },
    ),
    "3-10.6": Exercise(
        title="Who is who in the next frame",
        reference=link,
        dtype=int,
        start="iou(before, now) is a table with a row for each box before, and a column for each "
        "box now. Where is its largest number?",
        praise="The pair that overlaps most is linked first, and neither of the two is there for "
        "anybody else: so each thing keeps one number, and no number is given twice.",
        hints=(
            "np.unravel_index(overlap.argmax(), overlap.shape) is row and column of the largest.",
            "Once a pair is linked, set its row and its column to -1; then look for the next.",
            "Stop when the largest number is below least. What was not linked stays -1: it is new.",
        ),
        mistakes={
            "each for itself": (
                lambda before, now, least: _linked(before, now, least, once=False),
                "two boxes are linked with the same one: each took its best by itself. A thing "
                "is at one place.",
            ),
            "in the order of the list": (
                _in_turn,
                "the boxes chose in the order of the list, and an early one took what belongs to a "
                "later one. The pair with the largest overlap comes first.",
            ),
            "no threshold": (
                lambda before, now, least: _linked(before, now, 0),
                "boxes are linked that overlap by less than least.",
            ),
            "above least": (
                lambda before, now, least: _linked(before, now, least, equal=False),
                "an overlap of exactly least was not enough. It shall be.",
            ),
            "the other way": (
                _other_way,
                "there is a number for each box before. Asked for is one for each box now.",
            ),
            "middles": (
                lambda before, now, least: _linked(before, now, least / 4, measure=_nearness),
                "the distance of the middles was taken. The overlap decides.",
            ),
            "same place in the list": (
                lambda before, now, least: np.where(
                    np.arange(len(now)) < len(before), np.arange(len(now)), -1
                ),
                "boxes at the same place of both lists were linked. A network tells its boxes in "
                "any order.",
            ),
            "all new": (
                lambda before, now, least: np.full(len(now), -1),
                "nothing is linked: every box would be a new thing in every frame.",
            ),
            "column stays": (
                lambda before, now, least: _linked(before, now, least, column=False),
                "a box of now is linked twice, and the second time counts. Take its column out of "
                "the table as well.",
            ),
            "0 for none": (
                lambda before, now, least: np.maximum(_linked(before, now, least), 0),
                "a new box gets 0, which is the first box before. It gets -1.",
            ),
            "numbers for new ones": (
                lambda before, now, least: np.where(
                    _linked(before, now, least) < 0, len(before), _linked(before, now, least)
                ),
                "a new box gets a number of its own. Here it gets -1.",
            ),
            "counted from 1": (
                lambda before, now, least: _linked(before, now, least) + 1,
                "boxes are counted from 1. The first one is 0, and none is -1.",
            ),
        },
        trials=(
            ("two boxes that have hardly moved", (_BEFORE[:2], _BEFORE[1::-1] + 1, 0.3)),
            ("three before, four now", (_BEFORE, _NOW, 0.3)),
            ("the same the other way round", (_NOW, _BEFORE, 0.3)),
            ("a threshold that is just reached", (_BEFORE[:1], _TWICE, 0.5)),
            ("a high threshold", (_BEFORE, _NOW, 0.75)),
            ("nothing before", (_BEFORE[:0], _NOW, 0.3)),
            ("nothing now", (_BEFORE, _NOW[:0], 0.3)),
        ),
        harmless={
            "before cut to integers": "a trial's boxes lie on whole pixels, as most pictures' do",
            "now cut to integers": "a trial's boxes lie on whole pixels, as most pictures' do",
            "before with the sign lost": "boxes lie inside the picture",
            "now with the sign lost": "boxes lie inside the picture",
            "before with negative numbers set to 0": "boxes lie inside the picture",
            "now with negative numbers set to 0": "boxes lie inside the picture",
        },
    ),
    "3-10.7": Exercise(
        title="Who crosses the line",
        reference=crossings,
        dtype=int,
        lists=True,
        start="leave out the frames in which the thing is not seen, x[seen], and ask of each that "
        "is left on which side of the line it is: >= line.",
        praise="Only a change of sides counts, also over frames in which nothing was seen. Whoever "
        "turns round on the line has crossed it twice.",
        hints=(
            "sides = x[seen] >= line is True on the right. Two neighbours that differ are a "
            "crossing.",
            "np.diff(sides.astype(int)) is 1 where it goes to the right, and -1 to the left.",
            "Count both: the steps above 0, and those below.",
        ),
        mistakes={
            "ends alone": (
                lambda x, seen, line: _crossed(x[seen][[0, -1]] if seen.any() else x[:0], line),
                "only the first and the last frame were compared. A thing may cross the line and "
                "come back.",
            ),
            "not seen counts": (
                lambda x, seen, line: _crossed(x, line),
                "frames in which the thing is not seen count as well. What stands in x there means "
                "nothing.",
            ),
            "gaps": (
                _only_neighbours,
                "a crossing during frames in which the thing was hidden is missed. Leave those "
                "frames out, and compare what is left.",
            ),
            "frames on either side": (
                lambda x, seen, line: [int((x[seen] >= line).sum()), int((x[seen] < line).sum())],
                "the frames on either side were counted. A crossing is a change of sides.",
            ),
            "exchanged": (
                lambda x, seen, line: _crossed(x[seen], line)[::-1],
                "right and left have changed places: x grows to the right.",
            ),
            "both together": (
                lambda x, seen, line: [sum(_crossed(x[seen], line))] * 2,
                "crossings to both sides were added up. They are told apart.",
            ),
            "directions": (
                lambda x, seen, line: _crossed(np.diff(x[seen]), 0),
                "changes of direction were counted. What matters is the side of the line.",
            ),
            "on the line": (
                lambda x, seen, line: _crossed(x[seen], line, right=lambda x, line: x > line),
                "a middle that lies exactly on the line counts as left here. It shall be on the "
                "right.",
            ),
            "left where hidden": (
                lambda x, seen, line: _crossed(np.where(seen, x, line - 1), line),
                "where the thing is not seen, it counts as left of the line. (NaN does so, and 0.) "
                "Leave those frames out.",
            ),
            "hidden ones": (
                lambda x, seen, line: _crossed(x[~seen], line),
                "the frames are taken in which the thing is not seen.",
            ),
            "steps": (
                lambda x, seen, line: [
                    int((np.diff(x[seen]) > 0).sum()),
                    int((np.diff(x[seen]) < 0).sum()),
                ],
                "steps to the right and to the left are counted, wherever they are. What matters "
                "is the side of the line.",
            ),
            "once at most": (
                lambda x, seen, line: [min(1, n) for n in _crossed(x[seen], line)],
                "each way counts once at most. A thing may cross the line several times.",
            ),
        },
        trials=(
            ("a car drives to the right", (np.array([10.0, 20, 30, 40, 50]), _seen(5), 32.0)),
            (
                "a dog turns round twice",
                (np.array([40.0, 36, 30, 25, 33, 38, 31, 20]), _seen(8), 32.0),
            ),
            ("a person stops on the line", (np.array([28.0, 30, 32, 32, 31]), _seen(5), 32.0)),
            (
                "a bus is hidden for some frames",
                (np.array([50.0, 44, 0, 0, 25, 20, 99]), _seen(7, 2, 3, 6), 32.0),
            ),
            (
                "a car is hidden now and then",
                (np.array([0.0, 20, 99, 35, 0, 40.7, 40.2, 0]), _seen(8, 0, 2, 4, 7), 40.5),
            ),
            (
                "a dog is hidden, on the right of the line",
                (np.array([50.0, 0, 48, 40, 0, 20, 36]), _seen(7, 1, 4), 32.0),
            ),
            ("never seen", (np.array([0.0, 50, 0, 50]), _seen(4, 0, 1, 2, 3), 10.0)),
        ),
        harmless={
            "x with the sign lost": "places lie inside the picture",
            "x with negative numbers set to 0": "places lie inside the picture",
            "seen with the sign lost": "True and False have no sign",
        },
    ),
}
