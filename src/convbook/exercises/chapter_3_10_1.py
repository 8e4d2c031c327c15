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


def _parts_of(
    a, b, clip=lambda sides: np.maximum(sides, 0), low=np.maximum, high=np.minimum, size=np.prod
):
    """Return common part and areas of all pairs; the further arguments spoil a part of them."""
    a, b = np.asarray(a)[:, None], np.asarray(b)[None]
    sides = clip(high(a[..., 2:], b[..., 2:]) - low(a[..., :2], b[..., :2]))
    areas = [size(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b)]
    return size(sides, axis=-1), *areas


def _wide(boxes):
    """Return boxes of the same rows, all of the same columns."""
    return np.concatenate([boxes[:, :1], 0 * boxes[:, :1], boxes[:, 2:3], 0 * boxes[:, :1] + 1], 1)


def _kept(boxes, scores, threshold, order=None, removes=np.greater, by=None, overlap=_overlaps):
    """Return what suppression keeps; the further arguments spoil a part of it."""
    overlap = overlap(boxes, boxes)
    order = np.argsort(-np.asarray(scores), kind="stable") if order is None else order
    kept = []
    for n, i in enumerate(order):
        better = kept if by is None else by(order[:n])
        if not any(removes(overlap[i, j], threshold) for j in better):
            kept.append(int(i))
    return kept


def _best_first(scores):
    return np.argsort(-np.asarray(scores), kind="stable")


def _against(boxes, scores, threshold, others):
    """Keep each box that overlaps none of some others, which are chosen by its number."""
    overlap = _overlaps(boxes, boxes)
    return [int(i) for i in _best_first(scores) if not (overlap[i, others(i)] > threshold).any()]


def _beside_last(boxes, scores, threshold):
    """Compare each box with the one alone that was kept last."""
    overlap, kept = _overlaps(boxes, boxes), []
    for i in _best_first(scores):
        if not kept or overlap[i, kept[-1]] <= threshold:
            kept.append(int(i))
    return kept


def _fits_one(boxes, scores, threshold):
    """Keep a box if one of the kept ones does not remove it."""
    overlap, kept = _overlaps(boxes, boxes), []
    for i in _best_first(scores):
        if not kept or (overlap[i, kept] <= threshold).any():
            kept.append(int(i))
    return kept


def _places_for_rows(boxes, scores):
    """Return overlaps whose rows are read by the place in the sorted list."""
    rows = np.empty((len(boxes), len(boxes)))
    rows[_best_first(scores)] = _overlaps(boxes, boxes)
    return rows


def _removed_on_the_way(boxes, scores, threshold):
    """Take boxes out of a list while going through it, which skips the next one."""
    overlap, left, kept = _overlaps(boxes, boxes), _best_first(scores).tolist(), []
    while left:
        kept.append(left.pop(0))
        for j in left:
            if overlap[kept[-1], j] > threshold:
                left.remove(j)
    return kept


def _as_corner_and_size(boxes):
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def _cell(edge):
    return int(np.floor(edge + 0.5))


def _pooled(
    x, box, size, scale, cell=_cell, further=1, largest=np.max, first=None, parts=None, of=None
):
    """Return RoI max pooling of one box; the further arguments spoil a part of it."""
    y0, x0, y1, x1 = (cell(edge * scale) for edge in box)
    first, parts, of = first or _first, parts or _last, of or _of
    rows, columns = (
        [slice(low + first(i, n, size), low + parts(i, n, size)) for i in range(size)]
        for low, n in ((y0, max(y1 - y0 + further, 1)), (x0, max(x1 - x0 + further, 1)))
    )
    y = [[of(largest, x[row, column]) for column in columns] for row in rows]
    return np.array(y)


def _first(i, n, size):
    return i * n // size


def _last(i, n, size):
    return -(-(i + 1) * n // size)


def _of(function, part):
    return function(part) if part.size else 0


def _in_cells(box, scale):
    return [_cell(edge * scale) for edge in box]


def _rounded_once(x, box, size, scale):
    """Divide the region before its edges are rounded to cells."""
    y0, x0, y1, x1 = (edge * scale for edge in box)

    def parts(low, high):
        step = (high - low + 1) / size
        return [
            slice(int(np.floor(low + i * step)), int(np.ceil(low + (i + 1) * step)))
            for i in range(size)
        ]

    return np.array([[_of(np.max, x[r, c]) for c in parts(x0, x1)] for r in parts(y0, y1)])


def _apart(x, box, size, scale):
    """Divide the region as NumPy's array_split does, into parts that share nothing."""
    y0, x0, y1, x1 = _in_cells(box, scale)
    rows = np.array_split(x[y0 : y1 + 1, x0 : x1 + 1], size, axis=0)
    return np.array([[part.max() for part in np.array_split(r, size, axis=1)] for r in rows])


def _exchanged(x, box, size, scale):
    """Divide the rows of the region by its width, and its columns by its height."""
    y0, x0, y1, x1 = _in_cells(box, scale)
    return _pooled(x, (y0, x0, y0 + x1 - x0, x0 + y1 - y0), size, 1)


def _even_if_empty(function, part):
    """Ask an empty part as well, which NumPy refuses."""
    return function(part)


def _mean_precision(right, things, best=True, count=None):
    right = np.asarray(right, bool)
    precision = _best(right) if best else np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / (things if count is None else count(right)))


def _best(right):
    """Return the best precision from each answer on."""
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return np.maximum.accumulate(precision[::-1])[::-1]


def _at_recalls(right, things, recalls):
    """Return the mean of the best precisions at so many recalls, as others define AP."""
    found = np.cumsum(right) / things
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    asked = np.linspace(0, 1, recalls)[:, None]
    return float(np.where(found >= asked - 1e-9, precision, 0).max(axis=1).mean())


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
     [7, 4, 1, 0, 5, 7, 1],
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
            "added": (
                9 / 93,
                "the common part was added to the two areas once more. It is in both of them: it "
                "has to be taken off their sum.",
            ),
            "taken off twice": (
                9 / 66,
                "the common part was taken off twice. Then it is counted nowhere; once is right.",
            ),
            "corner and size": (
                9 / (48 + 99 - 9),
                "the last two numbers were read as height and width. They are the lower and the "
                "right edge.",
            ),
            "last pixel of the common part": (
                16 / 68,
                "the sides of the common part are one too long. An edge lies between two pixels: "
                "from 3 to 6 there are three rows.",
            ),
            "union alone": (75.0, "that is what both cover together. IoU is the share of it."),
            "rows alone": (1 / 3, "only the rows were compared. The columns count as well."),
            "columns alone": (3 / 11, "only the columns were compared. The rows count as well."),
            "apart": (
                0.0,
                "these boxes have something in common: rows from 3 to 6, and some columns.",
            ),
            "what is not shared": (
                1 - _pencil(),
                "that is what is not in common, 1 less IoU.",
            ),
            "percent": (
                100 * _pencil(),
                "that is in percent. Give it as a share, from 0 to 1.",
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
            "last one forgotten": (
                [1, 0, 2],
                "box 5 is missing. It overlaps box 0, which is kept, by less than 0.5, and box 3 "
                "was removed itself.",
            ),
            "box 4 stays": (
                [1, 0, 4, 5],
                "box 4 is here. It overlaps box 0, which is kept, by more than 0.5.",
            ),
            "box 3 stays": (
                [1, 3, 4],
                "box 3 is here. It overlaps box 1, which is kept, by more than 0.5; and then it "
                "has removed others.",
            ),
            "nobody removed": (
                [1, 3, 0, 4, 2, 5],
                "these are all six in the order of their scores. Nobody was removed.",
            ),
            "scores": ([0.9, 0.75, 0.3, 0.2], "these are scores. Asked are the boxes' numbers."),
            "numbered from 1": (
                [2, 1, 3, 6],
                "the boxes were numbered from 1. The first one is box 0.",
            ),
            "yes or no": (
                [1, 1, 1, 0, 0, 1],
                "these say of each box whether it is kept. Asked are the numbers of those that "
                "are, in their order.",
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
            "two kinds, without the best": (
                [1, 0, 0, 0, 0, 0, 1],
                "what does not reach 0.7 was taken for negative. Anchor 3 is the best of the "
                "second thing; and between 0.3 and 0.7 an anchor is neither.",
            ),
            "one bound": (
                [1, 1, 0, 1, 0, 0, 1],
                "one bound, 0.5, was taken for everything. There are two: 0.7 and 0.3.",
            ),
            "anchor 4 neither": (
                [1, -1, -1, 1, -1, -1, 1],
                "anchor 4 overlaps both things by less than 0.3: it is negative.",
            ),
            "anchor 5 negative, without the best": (
                [1, -1, -1, -1, 0, 0, 1],
                "anchor 3 is the best of the second thing, and so positive; and 0.3 is not less "
                "than 0.3.",
            ),
            "numbers of things": (
                [1, -1, -1, 2, 0, -1, 1],
                "these are numbers of things. A positive anchor is 1, whichever thing it lies on.",
            ),
            "which thing": (
                [0, -1, -1, 1, -1, -1, 0],
                "these say which thing an anchor lies on. Asked is what kind of anchor it is.",
            ),
            "positive ones": (
                [0, 3, 6],
                "these are the numbers of the positive anchors. Asked is a number for each of the "
                "seven.",
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
            "rounded up": (
                _pooled(*_REGION, cell=lambda edge: int(np.ceil(edge))),
                "the edges were rounded up. 18/16 is 1.125, and becomes 1.",
            ),
            "middle row to the first part": (
                _pooled(*_REGION, first=lambda i, n, size: -(-i * n // size)),
                "the middle row was given to the first part alone. The second part begins at half "
                "of the cells rounded down, so it has this row as well.",
            ),
            "middle row left out": (
                _pooled(
                    *_REGION,
                    first=lambda i, n, size: -(-i * n // size),
                    parts=lambda i, n, size: (i + 1) * n // size,
                ),
                "the middle row is in neither of the two parts. It belongs to both.",
            ),
            "counted from 1": (
                _pooled(REGION_MAP, (2, 14, 34, 69), 2, 1 / 16),
                "rows and columns were counted from 1. The upper one is row 0.",
            ),
            "corner and size": (
                _pooled(REGION_MAP, (18, 30, 66, 96), 2, 1 / 16),
                "the last two numbers were read as height and width. They are the lower and the "
                "right edge.",
            ),
            "added up": (
                _pooled(*_REGION, largest=np.sum),
                "the numbers of each part were added up. It is the largest of them.",
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
            "eleven recalls": (
                _at_recalls([1, 0, 1, 1, 0, 0], 4, 11),
                "that is the mean at eleven recalls, as PASCAL VOC took it at first. On this page "
                "it is the area: each thing that is found adds one part in four.",
            ),
            "101 recalls": (
                _at_recalls([1, 0, 1, 1, 0, 0], 4, 101),
                "that is the mean at 101 recalls, as COCO takes it. On this page it is the area: "
                "each thing that is found adds one part in four.",
            ),
            "of those found, as they are": (
                _mean_precision([1, 0, 1, 1, 0, 0], 3, best=False),
                "it was divided by the things that were found, and at the third the best precision "
                "from there on is 3/4.",
            ),
            "sum, as they are": (
                _mean_precision([1, 0, 1, 1, 0, 0], 1, best=False),
                "divide by the number of things; and at the third the best precision from there on "
                "is 3/4.",
            ),
            "all six": (
                float(np.sum([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5, 1 / 2]) / 4),
                "the precisions of all six were added up. Those at wrong ones do not count.",
            ),
            "percent": (
                100 * _mean_precision([1, 0, 1, 1, 0, 0], 4),
                "that is in percent. Give it as a number from 0 to 1.",
            ),
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
            "taken off twice": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: a + b - 2 * both),
                "the common part is taken off twice. It is in both areas, so take it off their sum "
                "once.",
            ),
            "share of b": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: b),
                "that is the common part as a share of the box of b.",
            ),
            "share of the larger": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: np.maximum(a, b)),
                "that is the common part as a share of the larger box.",
            ),
            "common part alone": (
                lambda a, b: _overlaps(a, b, union=lambda both, a, b: 1),
                "that is the common area. IoU is its share of what both cover together.",
            ),
            "box around both": (
                lambda a, b: (
                    _overlaps(a, b, union=lambda both, a, b: 1)
                    / (
                        np.maximum(a[:, None], b)[..., 2:] - np.minimum(a[:, None], b)[..., :2]
                    ).prod(-1)
                ),
                "it is divided by the box around both. Only what one or the other covers counts.",
            ),
            "what is not shared": (
                lambda a, b: 1 - _overlaps(a, b),
                "that is 1 less IoU: what the two boxes do not have in common.",
            ),
            "upside down": (
                lambda a, b: 1 / _overlaps(a, b),
                "numerator and denominator have changed places: a share is at most 1.",
            ),
            "without the sign": (
                lambda a, b: (lambda both, a, b: both / (a + b - both))(*_parts_of(a, b, abs)),
                "the sides of the common part have lost their sign. A side below 0 says that the "
                "boxes lie apart: it becomes 0.",
            ),
            "last pixel of the common part": (
                lambda a, b: (lambda both, a, b: both / (a + b - both))(
                    *_parts_of(a, b, lambda sides: np.maximum(sides + 1, 0))
                ),
                "the sides of the common part are one too long. Edges lie between pixels.",
            ),
            "larger and smaller exchanged": (
                lambda a, b: (lambda both, a, b: both / (a + b - both))(
                    *_parts_of(a, b, np.asarray, np.minimum, np.maximum)
                ),
                "smaller and larger have changed places: that is the box around both. The common "
                "part begins at the larger of the upper edges.",
            ),
            "sides added": (
                lambda a, b: (lambda both, a, b: both / (a + b - both))(
                    *_parts_of(a, b, size=np.sum)
                ),
                "height and width are added. An area is their product.",
            ),
            "rows alone": (
                lambda a, b: _overlaps(_wide(a), _wide(b)),
                "only the rows are compared. The columns count as well.",
            ),
            "columns alone": (
                lambda a, b: _overlaps(_wide(a[:, [1, 0, 3, 2]]), _wide(b[:, [1, 0, 3, 2]])),
                "only the columns are compared. The rows count as well.",
            ),
            "other order of edges": (
                lambda a, b: _overlaps(a[:, [0, 2, 1, 3]], b[:, [0, 2, 1, 3]]),
                "the edges are read as (y0, y1, x0, x1). They are (y0, x0, y1, x1).",
            ),
            "corner and size": (
                lambda a, b: _overlaps(_as_corner_and_size(a), _as_corner_and_size(b)),
                "the last two numbers are read as height and width. They are edges.",
            ),
            "edges for sides": (
                lambda a, b: (
                    lambda both, *_: (
                        both / ((a[:, 2] * a[:, 3])[:, None] + b[:, 2] * b[:, 3] - both)
                    )
                )(*_parts_of(a, b)),
                "the areas are products of edges, y1 and x1. A side is the difference of "
                "two edges.",
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
            "nobody removed": (
                lambda boxes, scores, threshold: _best_first(scores).tolist(),
                "all boxes are kept, the best first. Where is a box left out?",
            ),
            "of the sorted list": (
                lambda boxes, scores, threshold: [
                    _best_first(scores).tolist().index(i) for i in _kept(boxes, scores, threshold)
                ],
                "these are places in the sorted list. Asked are the positions in boxes.",
            ),
            "scores": (
                lambda boxes, scores, threshold: [
                    float(scores[i]) for i in _kept(boxes, scores, threshold)
                ],
                "these are the scores of what is kept. Asked are positions.",
            ),
            "boxes": (
                lambda boxes, scores, threshold: boxes[_kept(boxes, scores, threshold)],
                "these are the boxes that are kept. Asked are their positions.",
            ),
            "yes or no": (
                lambda boxes, scores, threshold: [
                    i in _kept(boxes, scores, threshold) for i in range(len(boxes))
                ],
                "these say of each box whether it is kept. Asked are the positions of those that "
                "are.",
            ),
            "the best alone": (
                lambda boxes, scores, threshold: _kept(boxes, scores, threshold)[:1],
                "only the best box is there. Boxes that it leaves in peace are kept as well.",
            ),
            "beside the last alone": (
                _beside_last,
                "each box is compared with the one alone that was kept last. It must overlap none "
                "of all that are kept.",
            ),
            "one that fits": (
                _fits_one,
                "a box is kept as soon as one of the kept ones leaves it in peace. All of them "
                "must.",
            ),
            "overlaps itself": (
                lambda boxes, scores, threshold: [],
                "nothing is kept. Does a box meet itself, which it overlaps by 1? Or is the first "
                "one compared with an empty list, of which any is False?",
            ),
            "everybody removes": (
                lambda boxes, scores, threshold: _against(
                    boxes, scores, threshold, lambda i: np.arange(len(boxes)) != i
                ),
                "a box goes as soon as it overlaps any other. Only a better one that is kept "
                "removes it.",
            ),
            "no threshold": (
                lambda boxes, scores, threshold: _kept(boxes, scores, 0),
                "a box goes that overlaps another at all. It has to be by more than the threshold.",
            ),
            "threshold of its own": (
                lambda boxes, scores, threshold: _kept(boxes, scores, 0.5),
                "the threshold is always 0.5. It is an argument.",
            ),
            "the other way round": (
                lambda boxes, scores, threshold: _kept(boxes, scores, threshold, removes=np.less),
                "boxes are removed that overlap by less than the threshold, and the others stay.",
            ),
            "by score": (
                lambda boxes, scores, threshold: [
                    int(i) for i in _best_first(scores) if scores[i] > threshold
                ],
                "the threshold is compared with the scores. It is one for overlaps.",
            ),
            "and by score": (
                lambda boxes, scores, threshold: [
                    i for i in _kept(boxes, scores, threshold) if scores[i] > threshold
                ],
                "boxes with a low score are left out as well. A low score alone removes nobody.",
            ),
            "above 0": (
                lambda boxes, scores, threshold: [
                    i for i in _kept(boxes, scores, threshold) if scores[i] > 0
                ],
                "boxes with a score of 0 or below are left out. A low score alone removes nobody.",
            ),
            "removed on the way": (
                _removed_on_the_way,
                "boxes are taken out of a list while a loop goes through it, and so the loop skips "
                "the next one. Make a new list of what is left.",
            ),
            "place for position": (
                lambda boxes, scores, threshold: _kept(
                    boxes, scores, threshold, overlap=lambda a, b: _places_for_rows(a, scores)
                ),
                "the place in the sorted list is used as a row of the overlaps. The row of a box "
                "is its position in boxes.",
            ),
            "share of the smaller": (
                lambda boxes, scores, threshold: _kept(
                    boxes,
                    scores,
                    threshold,
                    overlap=lambda a, b: _overlaps(a, b, union=lambda both, a, b: np.minimum(a, b)),
                ),
                "the overlap is the common part as a share of the smaller box. Suppression asks "
                "for IoU.",
            ),
            "worst of the kept first": (
                lambda boxes, scores, threshold: _kept(boxes, scores, threshold)[::-1],
                "the right boxes are kept, but the lowest score comes first.",
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
            "rounded up": (
                lambda x, box, size, scale: _pooled(
                    x, box, size, scale, cell=lambda edge: int(np.ceil(edge))
                ),
                "the edges are rounded up. Round them to the nearest cell.",
            ),
            "halves to even": (
                lambda x, box, size, scale: _pooled(
                    x, box, size, scale, cell=lambda edge: round(float(edge))
                ),
                "halves are rounded to the nearest even number, as round and np.rint do. Here they "
                "are rounded up: 2.5 becomes 3.",
            ),
            "rounded before": (
                lambda x, box, size, scale: _pooled(
                    x, np.floor(np.asarray(box) + 0.5), size, scale
                ),
                "the edges are rounded in pixels first, and then once more in cells. Multiply by "
                "scale before you round.",
            ),
            "rounded once": (
                _rounded_once,
                "only the parts are rounded. The edges of the region are rounded to cells as well, "
                "before it is divided.",
            ),
            "scale forgotten": (
                lambda x, box, size, scale: _pooled(x, box, size, 1, of=_even_if_empty),
                "scale is not used: the box is in pixels, and x in cells.",
            ),
            "divided by scale": (
                lambda x, box, size, scale: _pooled(x, box, size, 1 / scale, of=_even_if_empty),
                "the edges are divided by scale. Multiply: scale is a quarter if a cell has four "
                "pixels.",
            ),
            "parts that share nothing": (
                _apart,
                "no cell belongs to two parts. Where the cells cannot be divided evenly, "
                "neighbours share one: the beginning is rounded down, and the end up.",
            ),
            "end of a part rounded down, empty parts": (
                lambda x, box, size, scale: _pooled(
                    x,
                    box,
                    size,
                    scale,
                    parts=lambda i, n, size: (i + 1) * n // size,
                    of=_even_if_empty,
                ),
                "the end of each part is rounded down, so that some parts are empty. It is rounded "
                "up.",
            ),
            "parts of one size": (
                lambda x, box, size, scale: _pooled(
                    x,
                    box,
                    size,
                    scale,
                    first=lambda i, n, size: i * (n // size),
                    parts=lambda i, n, size: (i + 1) * (n // size),
                    of=_even_if_empty,
                ),
                "all parts have the same number of cells, the height by the number of parts "
                "rounded down, so that the last cells are left over, or nothing is in a part.",
            ),
            "beginning left out": (
                lambda x, box, size, scale: _pooled(
                    x, np.subtract(_in_cells(box, scale), [*_in_cells(box, scale)[:2]] * 2), size, 1
                ),
                "every part is read at the upper left of x. The region begins at its own row and "
                "column.",
            ),
            "height and width exchanged": (
                _exchanged,
                "height and width of the region have changed places: rows are divided by its "
                "height.",
            ),
            "region as a whole": (
                lambda x, box, size, scale: np.full((size, size), _pooled(x, box, 1, scale)[0, 0]),
                "every number is the largest of the whole region. Each part has one of its own.",
            ),
            "smallest": (
                lambda x, box, size, scale: _pooled(x, box, size, scale, largest=np.min),
                "the smallest number of each part is taken. It is the largest.",
            ),
            "added up": (
                lambda x, box, size, scale: _pooled(x, box, size, scale, largest=np.sum),
                "the numbers of each part are added up. It is the largest of them.",
            ),
            "one too many": (
                lambda x, box, size, scale: _pooled(x, box, size, scale, further=2),
                "the region has a row and a column too many. From the first to the last there are "
                "y1 - y0 + 1 rows.",
            ),
            "part one too long": (
                lambda x, box, size, scale: _pooled(
                    x, box, size, scale, parts=lambda i, n, size: (i + 1) * n // size + 1
                ),
                "each part is longer by one than its end rounded down. Where the cells divide "
                "evenly, the end needs no rounding, and no 1 either.",
            ),
            "ends added last": (
                lambda x, box, size, scale: _pooled(
                    x,
                    box,
                    size,
                    scale,
                    further=0,
                    parts=lambda i, n, size: 1 + _last(i, n, size),
                ),
                "the 1 of the last row is added to the end of every part. It belongs to the height "
                "of the region, before that is divided.",
            ),
        },
        trials=(
            ("a cell for each part", (_map(1, 4, 5), np.array([0, 0, 1, 1]), 2, 1.0)),
            ("two cells for each part", (_map(2, 4, 6), np.array([0, 2, 3, 5]), 2, 1.0)),
            ("pixels and cells", (_map(3, 5, 7), np.array([18, 30, 50, 85]), 2, 1 / 16)),
            ("three parts", (_map(4, 8, 9), np.array([4, 6, 27, 33]), 3, 1 / 4)),
            ("more parts than cells", (_map(5, 5, 6), np.array([9, 9, 18, 23]), 4, 1 / 8)),
            ("one part", (_map(6, 6, 8) / 4, np.array([3.5, 2.5, 9.5, 12.5]), 1, 1 / 2)),
            ("edges between cells", (_map(10, 7, 8), np.array([4, 20, 28, 44]), 2, 1 / 8)),
            (
                "edges between two pixels",
                (_map(11, 7, 8), np.array([3.5, 2.5, 9.5, 12.5]), 2, 1 / 2),
            ),
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
            "eleven recalls": (
                lambda right, things: _at_recalls(right, things, 11),
                "that is the mean at eleven recalls, as PASCAL VOC took it at first. Here it is "
                "the area.",
            ),
            "101 recalls": (
                lambda right, things: _at_recalls(right, things, 101),
                "that is the mean at 101 recalls, as COCO takes it. Here it is the area.",
            ),
            "trapezoids": (
                lambda right, things: float(np.trapezoid(_best(right), np.cumsum(right) / things)),
                "the area is taken below slanted lines, from the first answer on. Each right one "
                "adds a rectangle, one thing wide and as high as its precision.",
            ),
            "trapezoids, as they are": (
                lambda right, things: float(
                    np.trapezoid(
                        np.cumsum(right) / np.arange(1, len(right) + 1), np.cumsum(right) / things
                    )
                ),
                "the area is taken below slanted lines, and the teeth are not filled. Each right "
                "one adds a rectangle as high as the best precision from there on.",
            ),
            "all added": (
                lambda right, things: float(_best(right).sum() / things),
                "the precisions at all answers are added up. Only the right ones count.",
            ),
            "wrong ones": (
                lambda right, things: float(_best(right)[~np.asarray(right, bool)].sum() / things),
                "the precisions at the wrong answers are added up. Those at the right ones count.",
            ),
            "not divided": (
                lambda right, things: _mean_precision(right, 1),
                "the precisions are added up. Divide by the number of things.",
            ),
            "mean of those found": (
                lambda right, things: float(_best(right)[np.asarray(right, bool)].mean()),
                "it is divided by the things that were found: if there is none, that is 0 by 0. "
                "All things count.",
            ),
            "counted from 0": (
                lambda right, things: float(
                    (np.cumsum(right) / np.arange(len(right)))[np.asarray(right, bool)].sum()
                    / things
                ),
                "the first answer is divided by 0: after the first one there is 1 answer.",
            ),
            "by the length": (
                lambda right, things: float(
                    (np.cumsum(right) / len(right))[np.asarray(right, bool)].sum() / things
                ),
                "the right ones so far are divided by the length of the whole list. Divide by how "
                "many answers there are so far.",
            ),
            "recall for precision": (
                lambda right, things: float(
                    np.maximum.accumulate((np.cumsum(right) / things)[::-1])[::-1][
                        np.asarray(right, bool)
                    ].sum()
                    / things
                ),
                "the right ones so far are divided by the number of things. That is recall; "
                "precision divides by the answers so far.",
            ),
            "not turned back": (
                lambda right, things: float(
                    np.maximum.accumulate((np.cumsum(right) / np.arange(1, len(right) + 1))[::-1])[
                        np.asarray(right, bool)
                    ].sum()
                    / things
                ),
                "the running maximum goes from behind, and was not turned round again: it belongs "
                "to other answers.",
            ),
            "before it": (
                lambda right, things: float(
                    ((np.cumsum(right) - right) / np.arange(1, len(right) + 1))[
                        np.asarray(right, bool)
                    ].sum()
                    / things
                ),
                "a right answer is not counted for its own precision. After the first one, if it "
                "is right, precision is 1.",
            ),
            "of each": (
                lambda right, things: _best(right)[np.asarray(right, bool)] / things,
                "these are the parts that the right answers add. Add them up.",
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
            "not halved": (
                lambda boxes, cells, size: len(boxes) - _distinct(_cells(boxes, 2 * cells, size)),
                "two edges are added and not halved. The middle is half of their sum.",
            ),
            "half of the size": (
                lambda boxes, cells, size: (
                    len(boxes)
                    - _distinct(
                        _cells(boxes, cells, size, lambda box: (box[:, 2:] - box[:, :2]) / 2)
                    )
                ),
                "that is half of the size of a box. The middle is half of the sum of two edges.",
            ),
            "lower right": (
                lambda boxes, cells, size: (
                    len(boxes) - _distinct(_cells(boxes, cells, size, lambda box: box[:, 2:]))
                ),
                "the cells of the lower right corners are counted. It is the middle that counts.",
            ),
            "rows and columns mixed": (
                lambda boxes, cells, size: (
                    len(boxes)
                    - _distinct(
                        _cells(boxes, cells, size, lambda box: (box[:, ::2] + box[:, 1::2]) / 2)
                    )
                ),
                "y0 and x0 are added, and y1 and x1. The middle of the rows is half of y0 + y1.",
            ),
            "last pixel": (
                lambda boxes, cells, size: (
                    len(boxes)
                    - _distinct(
                        _cells(boxes, cells, size, lambda box: (box[:, :2] + box[:, 2:] - 1) / 2)
                    )
                ),
                "the middle is half a pixel too far up and to the left: y1 and x1 are edges, not "
                "the last pixels.",
            ),
            "not rounded": (
                lambda boxes, cells, size: len(boxes) - _distinct(_cells(boxes, 1e9, size)),
                "different middles are counted, not different cells: are they multiplied by the "
                "number of cells, divided by the size, and rounded down?",
            ),
            "whole cells of pixels": (
                lambda boxes, cells, size: len(boxes) - _distinct(_cells(boxes, 1, size // cells)),
                "a cell is taken to be a whole number of pixels wide. A picture of 16 pixels in 3 "
                "cells has cells of 16/3.",
            ),
            "cells for pixels": (
                lambda boxes, cells, size: len(boxes) - _distinct(_cells(boxes, 1, cells)),
                "the middle is divided by the number of cells. Divide it by the size of a cell, "
                "which is size by cells.",
            ),
            "in pixels": (
                lambda boxes, cells, size: len(boxes) - _distinct(_cells(boxes, size, size)),
                "different pixels are counted. How many cells lie before the middle?",
            ),
            "numbers for rows": (
                lambda boxes, cells, size: len(boxes) - len(np.unique(_cells(boxes, cells, size))),
                "different numbers are counted, rows and columns together. np.unique needs axis=0 "
                "to compare whole rows of an array.",
            ),
            "row and column added": (
                lambda boxes, cells, size: (
                    len(boxes) - len(np.unique(_cells(boxes, cells, size).sum(axis=1)))
                ),
                "row and column are added, so that row 0, column 1 is the same as row 1, column 0.",
            ),
            "pairs": (
                lambda boxes, cells, size: int(
                    (lambda times: (times * (times - 1) // 2).sum())(
                        np.unique(_cells(boxes, cells, size), axis=0, return_counts=True)[1]
                    )
                ),
                "pairs of things in one cell are counted. Of three in a cell two are lost, and "
                "there are three pairs.",
            ),
            "neighbours in the list": (
                lambda boxes, cells, size: int(
                    (np.diff(_cells(boxes, cells, size), axis=0) == 0).all(axis=1).sum()
                ),
                "each thing is compared with the one before it in the list. It may share a cell "
                "with any other.",
            ),
            "more than cells": (
                lambda boxes, cells, size: max(0, len(boxes) - cells**2),
                "the number of cells is taken off. Things can share a cell while others are empty.",
            ),
            "a share": (
                lambda boxes, cells, size: 1 - _distinct(_cells(boxes, cells, size)) / len(boxes),
                "that is the share of things that are lost. Asked is how many.",
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
            (
                "cells that end within a pixel",
                (np.array([[4, 0, 6, 4], [5, 0, 6, 4], [9, 9, 12, 15]]), 3, 16),
            ),
        ),
        dtype=int,
        harmless={
            "boxes r* along axis 0": "the order of the things does not matter",
            "boxes r* along axis 1": "rows and columns of cells change places, and as many differ",
        },
    ),
}
