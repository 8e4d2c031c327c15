"""The exercises of the page on detection: boxes, regions, and how good a detector is."""

from __future__ import annotations

import numpy as np

from .checking import Exercise

# --- reference solutions -------------------------------------------------------------------------


def overlaps(a, b):
    return _overlaps(a, b)


def suppress(boxes, scores, threshold):
    return _kept(boxes, scores, threshold)


def pool_region(x, box, size, scale):
    return _pooled(x, box, size, scale)


def average_precision_of(right, things):
    return _mean_precision(right, things)


def lost_things(boxes, cells, size):
    return len(boxes) - len(np.unique(_cells(boxes, cells, size), axis=0))


def _overlaps(a, b, one=0, clip=True, union=lambda both, a, b: a + b - both):
    """Return IoU (A, B); the further arguments spoil a part of it."""
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]) + one
    both = (np.maximum(sides, 0) if clip else sides).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2] + one).prod(axis=-1) for box in (a, b)]
    return both / union(both, *areas)


def _kept(boxes, scores, threshold, order=None, removes=np.greater, by=None):
    """Return what suppression keeps; the further arguments spoil a part of it."""
    overlap = _overlaps(boxes, boxes)
    order = np.argsort(-np.asarray(scores), kind="stable") if order is None else order
    kept = []
    for n, i in enumerate(order):
        better = kept if by is None else by(order[:n])
        if not any(removes(overlap[i, j], threshold) for j in better):
            kept.append(int(i))
    return kept


def _cell(edge):
    return int(np.floor(edge + 0.5))


def _pooled(x, box, size, scale, cell=_cell, further=1, largest=np.max, parts=None):
    """Return RoI max pooling of one box; the further arguments spoil a part of it."""
    y0, x0, y1, x1 = (cell(edge * scale) for edge in box)
    rows, columns = (
        [slice(low + i * n // size, low + (parts or _last)(i, n, size)) for i in range(size)]
        for low, n in ((y0, max(y1 - y0 + further, 1)), (x0, max(x1 - x0 + further, 1)))
    )
    y = [[_of(largest, x[row, column]) for column in columns] for row in rows]
    return np.array(y)


def _last(i, n, size):
    return -(-(i + 1) * n // size)


def _of(function, part):
    return function(part) if part.size else 0


def _mean_precision(right, things, best=True, count=None):
    right = np.asarray(right, bool)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    if best:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(precision[right].sum() / (things if count is None else count(right)))


def _cells(boxes, cells, size, place=lambda box: (box[:, :2] + box[:, 2:]) / 2):
    return np.floor(place(np.asarray(boxes, float)) * cells / size).astype(int)


def _distinct(rows):
    return len(np.unique(rows, axis=0))


# --- material ------------------------------------------------------------------------------------


def _boxes(seed, count, most=30):
    """Boxes of whole numbers, higher and wider than 2, some over the border."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(-4, most - 8, (count, 2))
    return np.concatenate([corners, corners + rng.integers(3, 14, (count, 2))], axis=1)


def _crowd(seed, count):
    """Boxes around two places, and scores without order, with fractions, some below 0."""
    rng = np.random.default_rng(seed)
    middles = np.array([[10, 12], [16, 30]])[rng.integers(2, size=count)]
    corners = middles + rng.integers(-3, 4, (count, 2)) / 2
    boxes = np.concatenate([corners, corners + np.array([8, 12])], axis=1)
    return boxes, rng.permutation(count) / 4 - 1


def _map(seed, h, w):
    return np.random.default_rng(seed).permutation(h * w).reshape(h, w) - h * w // 3


_A, _B = np.array([[0, 0, 6, 8]]), np.array([[3, 5, 9, 11]])


def _pencil(**spoiled):
    return float(_overlaps(_A, _B, **spoiled)[0, 0])


# A feature map of 5 × 7 cells, and a box on it: rows 1 to 3, columns 2 to 5.
REGION_MAP = np.array(
    [[3, 1, 0, 2, 4, 1, 0],
     [0, 6, 2, 1, 3, 2, 5],
     [7, 4, 1, 0, 5, 4, 1],
     [1, 2, 3, 9, 1, 6, 8],
     [2, 0, 4, 1, 3, 0, 2]]
)  # fmt: skip
REGION_BOX = (18, 30, 50, 85)
_REGION = (REGION_MAP, REGION_BOX, 2, 1 / 16)


EXERCISES = {
    "3-10-1.1": Exercise(
        title="An overlap, with the pencil",
        reference=_pencil(),
        start="which rows do both boxes cover, and which columns? The common part is a box, too.",
        praise="9 pixels in common, 75 covered by one or the other.",
        hints=(
            "The common part begins at the larger of the two upper edges and ends at the smaller "
            "of the two lower ones: from 3 to 6. The same for the columns.",
            "The areas are 48 and 36, the common part is 3 by 3.",
            "What both cover together is 48 + 36 - 9.",
        ),
        mistakes={
            "not subtracted": (
                _pencil(union=lambda both, a, b: a + b),
                "the common part was counted twice: it is in both areas, so it has to be taken off "
                "their sum once.",
            ),
            "Dice": (
                _pencil(union=lambda both, a, b: (a + b) / 2),
                "that is Dice's coefficient, twice the common part divided by the sum of the "
                "areas.",
            ),
            "share of the first": (
                _pencil(union=lambda both, a, b: a),
                "that is the common part as a share of the first box alone.",
            ),
            "share of the second": (
                _pencil(union=lambda both, a, b: b),
                "that is the common part as a share of the second box alone.",
            ),
            "last pixel counted": (
                _pencil(one=1),
                "each side is one too long. An edge lies between two pixels: from 3 to 6 there are "
                "three rows.",
            ),
            "box around both": (
                9 / 99,
                "it was divided by the box around both. Only what one or the other covers counts.",
            ),
            "common part alone": (9.0, "that is the common area. IoU is a share."),
            "upside down": (
                75 / 9,
                "numerator and denominator have changed places: a share is at most 1.",
            ),
        },
    ),
    "3-10-1.2": Exercise(
        title="Who is kept, with the pencil",
        reference=[1, 0, 2, 5],
        start="box 1 has the highest score: it is kept. Which boxes does it overlap by more than "
        "0.5?",
        praise="Box 3 would have removed box 0, and was removed before it could.",
        hints=(
            "Box 1 removes box 3, and nothing else: it overlaps box 2 by 0.5, not by more.",
            "The best of what is left is box 0. A box that was removed removes nothing.",
            "Box 0 removes box 4. Boxes 2 and 5 are left, and overlap nothing that is kept by "
            "more than 0.5.",
        ),
        mistakes={
            "removed ones remove": (
                [1],
                "boxes that were removed have removed others. Only a box that is kept removes.",
            ),
            "at the threshold": (
                [1, 0, 5],
                "box 2 was removed: it overlaps box 1 by exactly 0.5. Removed is what overlaps by "
                "more.",
            ),
            "not by score": (
                [0, 1, 2, 5],
                "these are the right boxes in the order of their numbers. The highest score comes "
                "first.",
            ),
            "worst first": (
                [5, 2, 0, 1],
                "these are the right boxes with the lowest score first. The highest comes first.",
            ),
            "only by the best": (
                [1, 0, 4, 2, 5],
                "only the best box has removed others. After it, the best of what is left does the "
                "same.",
            ),
            "the removed": ([3, 4], "these are the boxes that are removed. Asked is who stays."),
            "at most one for each": (
                [1, 0],
                "boxes 2 and 5 are missing: a low score alone removes nobody.",
            ),
        },
    ),
    "3-10-1.3": Exercise(
        title="Which anchors are positive, with the pencil",
        reference=[1, -1, -1, 1, 0, -1, 1],
        start="which anchors overlap a thing by 0.7 or more? They are positive, 1.",
        praise="Without the second rule nothing would ever be learned about the second thing.",
        hints=(
            "Anchors 0 and 6 overlap the first thing by 0.7 or more.",
            "No anchor reaches 0.7 with the second thing: its best one, anchor 3, is positive all "
            "the same.",
            "Negative is what overlaps every thing by less than 0.3: anchor 4 alone. The others "
            "are neither.",
        ),
        mistakes={
            "without the best": (
                [1, -1, -1, -1, 0, -1, 1],
                "anchor 3 is positive: no other overlaps the second thing better.",
            ),
            "the best alone": (
                [1, -1, -1, 1, 0, -1, -1],
                "anchor 6 overlaps the first thing by more than 0.7: a thing may have several "
                "positive anchors.",
            ),
            "no third kind": (
                [1, 0, 0, 1, 0, 0, 1],
                "what is not positive was taken for negative. An anchor that is half on a thing "
                "is neither, and not asked.",
            ),
            "at 0.3": (
                [1, -1, -1, 1, 0, 0, 1],
                "anchor 5 overlaps a thing by 0.3: negative is what overlaps all by less.",
            ),
            "from a half on": (
                [1, 1, -1, 1, 0, -1, 1],
                "anchor 1 overlaps the first thing by 0.5, and the bound is 0.7.",
            ),
            "0 and -1 changed": (
                [1, 0, 0, 1, -1, 0, 1],
                "0 and -1 have changed places: 0 is negative, -1 is neither.",
            ),
            "second thing left out": (
                [1, -1, 0, 0, 0, -1, 1],
                "the second thing was left out.",
            ),
        },
    ),
    "3-10-1.4": Exercise(
        title="A region on a feature map, with the pencil",
        reference=_pooled(*_REGION),
        start="divide the box's edges by 16, and round them: which rows and columns of cells are "
        "the region?",
        praise="Two roundings: of the box to cells, and of its halves to cells, which therefore "
        "share the middle row.",
        hints=(
            "18/16, 30/16, 50/16 and 85/16 become 1, 2, 3 and 5: rows 1 to 3 and columns 2 to 5, "
            "both ends included.",
            "Three rows in two parts: the first is rows 1 and 2, the second rows 2 and 3. Four "
            "columns: 2 and 3, 4 and 5.",
            "Take the largest number of each part.",
        ),
        mistakes={
            "rounded down": (
                _pooled(*_REGION, cell=lambda edge: int(np.floor(edge))),
                "the edges were rounded down. 30/16 is 1.875, and becomes 2.",
            ),
            "end left out": (
                _pooled(*_REGION, further=0),
                "the last row and column are missing: the cell of the lower edge belongs to the "
                "region, and that of the right edge, too.",
            ),
            "average": (
                _pooled(*_REGION, largest=np.mean),
                "the mean of each part was taken. It is the largest number.",
            ),
            "smallest": (
                _pooled(*_REGION, largest=np.min),
                "the smallest number of each part was taken.",
            ),
            "(x, y)": (
                _pooled(REGION_MAP, (30, 18, 85, 50), 2, 1 / 16),
                "the box was read as (x0, y0, x1, y1). Here the rows come first.",
            ),
            "middle row once": (
                _pooled(*_REGION, parts=lambda i, n, size: (i + 1) * n // size),
                "the middle row was given to the second part alone. The end of a part is rounded "
                "up, so that neighbours share it.",
            ),
            "all of the map": (
                _pooled(REGION_MAP, (0, 0, 64, 96), 2, 1 / 16),
                "that is the whole map. The box covers a part of it.",
            ),
        },
    ),
    "3-10-1.5": Exercise(
        title="The average precision of a short list, with the pencil",
        reference=_mean_precision([1, 0, 1, 1, 0, 0], 4),
        start="after each of the six, which share of what was found so far is right? That is the "
        "precision.",
        praise="Three of four things were found, and the fourth counts with nothing.",
        hints=(
            "The precisions are 1, 1/2, 2/3, 3/4, 3/5 and 1/2.",
            "The right ones are the first, the third and the fourth. At the third counts the best "
            "precision from there on, the 3/4 of the fourth.",
            "(1 + 3/4 + 3/4) / 4.",
        ),
        mistakes={
            "precision itself": (
                _mean_precision([1, 0, 1, 1, 0, 0], 4, best=False),
                "the precision at each right one was taken as it is. What counts is the best one "
                "from there on: the third gets 3/4 in place of 2/3.",
            ),
            "of those found": (
                _mean_precision([1, 0, 1, 1, 0, 0], 3),
                "it was divided by the things that were found. The one that was not found counts, "
                "too: divide by 4.",
            ),
            "of the list": (
                _mean_precision([1, 0, 1, 1, 0, 0], 6),
                "it was divided by the length of the list. Divide by the number of things.",
            ),
            "precision of all": (
                0.5,
                "that is the precision of the whole list: half of what was found is right.",
            ),
            "recall": (0.75, "that is the recall of the whole list: three of four things."),
            "mean of all six": (
                float(np.mean([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5, 1 / 2])),
                "that is the mean of all six precisions. Those at wrong ones do not count, and a "
                "thing that was not found counts with 0.",
            ),
            "sum": (2.5, "divide by the number of things."),
        },
    ),
    "3-10-1.6": Exercise(
        title="IoU for arrays",
        reference=overlaps,
        start="take one box of each. Where do the common rows begin, and where do they end?",
        praise="All pairs at once, without a loop.",
        hints=(
            "a[:, None] has shape (A, 1, 4) and b[None] has (1, B, 4): what is computed of both "
            "has shape (A, B, …).",
            "The common part goes from np.maximum of the upper left corners, [..., :2], to "
            "np.minimum of the lower right ones, [..., 2:].",
            "Where boxes lie apart, a side comes out below 0. np.maximum(sides, 0) before the "
            "product makes it 0.",
        ),
        mistakes={
            "not clipped": (
                lambda a, b: _overlaps(a, b, clip=False),
                "where boxes lie apart, a side of the common part is below 0, and two such sides "
                "have a product above 0. Clip them at 0 first.",
            ),
            "product clipped": (
                lambda a, b: np.maximum(_overlaps(a, b, clip=False), 0),
                "the product is clipped at 0. Clip both sides before: two sides below 0 have a "
                "product above 0.",
            ),
            "not subtracted": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: a + b),
                "the common part is counted twice. Take it off the sum of the areas once.",
            ),
            "Dice": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: (a + b) / 2),
                "that is Dice's coefficient.",
            ),
            "share of a": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: a),
                "that is the common part as a share of the box of a.",
            ),
            "share of the smaller": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: np.minimum(a, b)),
                "that is the common part as a share of the smaller box.",
            ),
            "last pixel counted": (
                lambda a, b: _overlaps(a, b, one=1),
                "each side is one too long. Edges lie between pixels: a side is y1 - y0.",
            ),
            "transposed": (
                lambda a, b: _overlaps(b, a),
                "rows and columns have changed places: a row belongs to a box of a.",
            ),
            "pairs at the same place": (
                lambda a, b: np.diagonal(_overlaps(a, b)),
                "each box of a is compared with one box of b only. Every pair is asked for.",
            ),
        },
        trials=(
            ("one box with itself", (np.array([[2, 3, 6, 9]]), np.array([[2, 3, 6, 9]]))),
            ("one inside the other", (np.array([[0, 0, 8, 10]]), np.array([[2, 3, 4, 9]]))),
            (
                "two boxes apart, down and across",
                (np.array([[0, 0, 3, 4]]), np.array([[5, 6, 9, 8]])),
            ),
            ("boxes that touch", (np.array([[0, 0, 3, 4]]), np.array([[3, 0, 6, 4]]))),
            ("several with several", (_boxes(1, 3), _boxes(2, 5))),
            ("fractions", (_boxes(3, 2) + 0.25, _boxes(4, 4) / 2)),
            ("many", (_boxes(5, 9), _boxes(6, 7))),
        ),
        harmless={
            "result with the sign lost": "a share is not negative",
            "result with negative numbers set to 0": "a share is not negative",
            "result at most 1": "a share is at most 1",
        },
    ),
    "3-10-1.7": Exercise(
        title="Non-maximum suppression",
        reference=suppress,
        start="in which order are the boxes looked at? np.argsort(-scores, kind='stable') says it.",
        praise="Each box asks those that were kept before it, and nobody else.",
        hints=(
            "Go through the boxes from the highest score to the lowest, with an empty list of "
            "those that are kept.",
            "A box is kept if it overlaps none of the kept ones by more than the threshold. Its "
            "overlaps with all kept ones are overlap[i, kept].",
            "The list holds positions in boxes, ints, the highest score first.",
        ),
        mistakes={
            "in the order of the list": (
                lambda boxes, scores, threshold: _kept(boxes, scores, threshold, range(len(boxes))),
                "the boxes are looked at in the order of the list. The highest score comes first.",
            ),
            "worst first": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, np.argsort(scores, kind="stable")
                ),
                "the lowest score comes first. np.argsort sorts upwards: sort -scores.",
            ),
            "removed ones remove": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, by=lambda before: before
                ),
                "a box that was removed removes others. Compare with the kept ones only.",
            ),
            "at the threshold": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, removes=np.greater_equal
                ),
                "a box is removed that overlaps by just the threshold. Removed is what overlaps by "
                "more.",
            ),
            "only by the best": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, by=lambda before: before[:1]
                ),
                "only the best box removes others. Every box that is kept does.",
            ),
            "in the order of positions": (
                lambda boxes, scores, threshold: sorted(_kept(boxes, scores, threshold)),
                "the right boxes are kept, but in the order of the list. The highest score comes "
                "first.",
            ),
            "the removed": (
                lambda boxes, scores, threshold: [
                    i for i in range(len(boxes)) if i not in _kept(boxes, scores, threshold)
                ],
                "these are the boxes that are removed. Asked is who stays.",
            ),
            "of equals the last": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, np.argsort(scores, kind="stable")[::-1]
                ),
                "of equal scores the later box comes first. kind='stable' with -scores keeps the "
                "order of the list.",
            ),
        },
        trials=(
            (
                "two boxes apart",
                (np.array([[0, 0, 4, 5], [8, 9, 14, 12]]), np.array([0.3, 0.8]), 0.5),
            ),
            (
                "two on one thing",
                (np.array([[0, 0, 4, 5], [1, 0, 4, 5]]), np.array([0.3, 0.8]), 0.5),
            ),
            (
                "a chain",
                (
                    np.array([[0, 0, 10, 4], [3, 0, 13, 4], [6, 0, 16, 4]]),
                    np.array([0.9, 0.8, 0.7]),
                    0.4,
                ),
            ),
            (
                "just the threshold",
                (
                    np.array([[0, 0, 4, 8], [0, 0, 4, 4], [20, 0, 24, 9]]),
                    np.array([0.9, 0.8, 0.95]),
                    0.5,
                ),
            ),
            (
                "equal scores",
                (
                    np.array([[0, 0, 4, 9], [1, 0, 4, 9], [9, 9, 12, 15]]),
                    np.array([0.5, 0.5, 0.5]),
                    0.3,
                ),
            ),
            (
                "over the border",
                (
                    np.array([[-4, 0, 6, 6], [-3, 0, 6, 6], [-4, 20, 2, 26], [0, 20, 2, 26]]),
                    np.array([0.9, 0.8, 0.7, 0.6]),
                    0.8,
                ),
            ),
            ("two crowds", (*_crowd(1, 9), 0.5)),
            ("a low threshold", (*_crowd(2, 12), 0.25)),
            ("a high threshold", (*_crowd(3, 12), 0.8)),
        ),
        dtype=int,
        lists=True,
    ),
    "3-10-1.8": Exercise(
        title="RoI max pooling",
        reference=pool_region,
        start="which rows and columns of cells are the region? Multiply the edges by scale, and "
        "round.",
        praise="With a loop over images, boxes and channels around it, it is the layer.",
        hints=(
            "int(np.floor(edge * scale + 0.5)) rounds halves up. Rows go from the first to the "
            "last, both included: y1 - y0 + 1 of them.",
            "Part i goes from row i times the height by the number of parts, rounded down, to the "
            "same for i + 1, rounded up.",
            "Each number of the output is the largest of the rows of one part and the columns of "
            "one part.",
        ),
        mistakes={
            "rounded down": (
                lambda x, box, size, scale: _pooled(
                    x, box, size, scale, cell=lambda edge: int(np.floor(edge))
                ),
                "the edges are rounded down. Round them to the nearest cell.",
            ),
            "end left out": (
                lambda x, box, size, scale: _pooled(x, box, size, scale, further=0),
                "the last row and column of the region are missing. Both ends belong to it.",
            ),
            "end of a part rounded down": (
                lambda x, box, size, scale: _pooled(
                    x, box, size, scale, parts=lambda i, n, size: (i + 1) * n // size
                ),
                "the end of each part is rounded down. It is rounded up, so that neighbours may "
                "share cells, and no part is empty.",
            ),
            "mean": (
                lambda x, box, size, scale: _pooled(x, box, size, scale, largest=np.mean),
                "the mean of each part is taken. It is the largest number.",
            ),
            "(x, y)": (
                lambda x, box, size, scale: _pooled(x.T, box, size, scale),
                "rows and columns have changed places: the box is (y0, x0, y1, x1).",
            ),
            "no scale": (
                lambda x, box, size, scale: _pooled(x, box, size, min(1.0, 2 * scale)),
                "the box is too large: its edges are in pixels, and scale makes cells of them.",
            ),
            "at least 0": (
                lambda x, box, size, scale: np.maximum(_pooled(x, box, size, scale), 0),
                "numbers below 0 have become 0. Begin with the first cell, or with -np.inf, not "
                "with 0.",
            ),
            "transposed": (
                lambda x, box, size, scale: _pooled(x, box, size, scale).T.copy(),
                "the result is transposed: y[i, j] belongs to part i of the rows.",
            ),
        },
        trials=(
            ("a cell for each part", (_map(1, 4, 5), np.array([0, 0, 1, 1]), 2, 1.0)),
            ("two cells for each part", (_map(2, 4, 6), np.array([0, 2, 3, 5]), 2, 1.0)),
            ("pixels and cells", (_map(3, 5, 7), np.array([18, 30, 50, 85]), 2, 1 / 16)),
            ("three parts", (_map(4, 8, 9), np.array([4, 6, 27, 33]), 3, 1 / 4)),
            ("more parts than cells", (_map(5, 5, 6), np.array([9, 9, 18, 23]), 4, 1 / 8)),
            ("one part", (_map(6, 6, 8) / 4, np.array([3.5, 2.5, 9.5, 12.5]), 1, 1 / 2)),
            ("numbers below 0", (_map(7, 6, 8) - 40, np.array([8, 16, 40, 44]), 2, 1 / 8)),
            ("fractions", (_map(8, 6, 8) / 8 + 0.125, np.array([8, 16, 40, 44]), 2, 1 / 8)),
            ("edges between pixels", (_map(9, 6, 8), np.array([0.6, 1.6, 3.4, 4.7]), 2, 1.0)),
            ("the last cell", (np.arange(30).reshape(5, 6), np.array([4, 8, 16, 20]), 2, 1 / 4)),
        ),
        harmless={
            "result kept in the type of x": "it holds numbers of x",
            "box with the sign lost": "the box lies on the matrix",
            "box with negative numbers set to 0": "the box lies on the matrix",
        },
    ),
    "3-10-1.9": Exercise(
        title="Average precision",
        reference=average_precision_of,
        start="what is the precision after each answer? np.cumsum(right) counts the right ones so "
        "far.",
        praise="Sorting, matching and this: that is all of AP.",
        hints=(
            "The precision after k answers is the number of right ones among them by k; "
            "np.cumsum counts the right ones.",
            "At each answer counts the best precision from there on: the running maximum, "
            "np.maximum.accumulate, from behind.",
            "Add those at the right answers, and divide by things.",
        ),
        mistakes={
            "precision itself": (
                lambda right, things: _mean_precision(right, things, best=False),
                "the precision at each right answer is taken as it is. What counts is the best one "
                "from there on.",
            ),
            "best so far": (
                lambda right, things: float(
                    np.maximum.accumulate(np.cumsum(right) / np.arange(1, len(right) + 1))[
                        np.asarray(right, bool)
                    ].sum()
                    / things
                ),
                "the best precision up to an answer is taken. It is the best from there on: turn "
                "the array round before np.maximum.accumulate, and again after it.",
            ),
            "of those found": (
                lambda right, things: _mean_precision(
                    right, things, count=lambda right: max(right.sum(), 1)
                ),
                "it is divided by the things that were found. All things count.",
            ),
            "of the list": (
                lambda right, things: _mean_precision(right, things, count=len),
                "it is divided by the number of answers. Divide by the number of things.",
            ),
            "precision": (
                lambda right, things: float(np.mean(right)),
                "that is the precision of all answers together.",
            ),
            "recall": (
                lambda right, things: float(np.sum(right) / things),
                "that is the recall, the share of things that were found.",
            ),
            "mean of all": (
                lambda right, things: float(
                    (np.cumsum(right) / np.arange(1, len(right) + 1)).mean()
                ),
                "that is the mean precision over all answers. Only the right ones count, and "
                "things that were not found count with 0.",
            ),
        },
        trials=(
            ("all right", (np.array([True, True, True]), 3)),
            ("the first wrong", (np.array([False, True, True]), 2)),
            ("the short list of the page", (np.array([True, False, True, True, False, False]), 4)),
            ("one of many", (np.array([False, False, True]), 5)),
            ("nothing right", (np.array([False, False]), 3)),
            ("a long list", (np.arange(20) * 7 % 11 < 5, 14)),
        ),
        harmless={
            "result with the sign lost": "an average precision is not negative",
            "result with negative numbers set to 0": "an average precision is not negative",
            "result at most 1": "an average precision is at most 1",
            "right cut to integers": "right and wrong are 1 and 0",
            "right with the sign lost": "right and wrong are 1 and 0",
            "right with negative numbers set to 0": "right and wrong are 1 and 0",
        },
    ),
    "3-10-1.10": Exercise(
        title="Things that a grid loses",
        reference=lost_things,
        start="in which cell does the middle of the first box lie, which row and which column?",
        praise="And that many cannot be found, however long the network learns.",
        hints=(
            "The middle is half of the sum of two edges. How many cells lie before it? A "
            "picture is as wide as all cells together; round down.",
            "Two things in one cell: one is lost. Three: two are. So the lost ones are all things "
            "less the different cells.",
            "len(np.unique(places, axis=0)) counts different rows of an array (R, 2).",
        ),
        mistakes={
            "corners": (
                lambda boxes, cells, size: (
                    len(boxes) - _distinct(_cells(boxes, cells, size, lambda box: box[:, :2]))
                ),
                "the cells of the upper left corners are counted. It is the middle that counts.",
            ),
            "rows alone": (
                lambda boxes, cells, size: (
                    len(boxes) - _distinct(_cells(boxes, cells, size)[:, :1])
                ),
                "two things in one row of cells lose nothing if their columns differ.",
            ),
            "columns alone": (
                lambda boxes, cells, size: (
                    len(boxes) - _distinct(_cells(boxes, cells, size)[:, 1:])
                ),
                "two things in one column of cells lose nothing if their rows differ.",
            ),
            "not lost": (
                lambda boxes, cells, size: _distinct(_cells(boxes, cells, size)),
                "these are the things that a cell answers for. Asked is how many are lost.",
            ),
            "all of a full cell": (
                lambda boxes, cells, size: int(
                    (np.unique(_cells(boxes, cells, size), axis=0, return_counts=True)[1] - 1)
                    .astype(bool)
                    .dot(np.unique(_cells(boxes, cells, size), axis=0, return_counts=True)[1])
                ),
                "all things of a cell with several are counted. One of them is answered for.",
            ),
            "cells with several": (
                lambda boxes, cells, size: int(
                    (np.unique(_cells(boxes, cells, size), axis=0, return_counts=True)[1] > 1).sum()
                ),
                "the cells with several things are counted. A cell with three loses two.",
            ),
            "rounded": (
                lambda boxes, cells, size: (
                    len(boxes) - _distinct(np.rint(_cells(boxes, 64 * cells, size) / 64))
                ),
                "the cell's number is rounded to the nearest. It is rounded down: cell 0 goes from "
                "0 to 1.",
            ),
        },
        trials=(
            ("one thing", (np.array([[2, 3, 6, 9]]), 4, 16)),
            ("two in one cell", (np.array([[1, 1, 3, 3], [0, 0, 4, 7]]), 2, 16)),
            ("two in a row of cells", (np.array([[1, 1, 3, 3], [0, 9, 4, 15]]), 2, 16)),
            ("two in a column of cells", (np.array([[1, 1, 3, 3], [9, 0, 15, 4]]), 2, 16)),
            (
                "three in one cell",
                (np.array([[1, 1, 3, 3], [0, 0, 4, 7], [4, 4, 6, 7], [9, 9, 12, 12]]), 2, 16),
            ),
            (
                "beside the border of cells",
                (np.array([[5, 0, 9, 4], [8, 0, 10, 4], [5.5, 1, 12, 4]]), 2, 16),
            ),
            ("edges between pixels", (np.array([[8, 0, 10, 4], [6.5, 0, 9.5, 4]]), 2, 16)),
            ("over the border", (np.array([[-6, 0, 8, 4], [0, 0, 4, 4]]), 4, 16)),
            ("many", (abs(_boxes(8, 14, 40)), 4, 48)),
            ("few cells", (abs(_boxes(9, 20, 40)), 3, 48)),
            ("half pixels", (abs(_boxes(11, 16, 60)) / 2, 5, 30)),
        ),
        dtype=int,
        harmless={
            "boxes r* along axis 0": "the order of the things does not matter",
            "boxes r* along axis 1": "rows and columns of cells change places, and as many differ",
        },
    ),
}
