"""The definitions of this wing as loops: slow enough to be read.

`convbook.detection` gives the same results, and is what everything else computes with. Nothing is
checked here. Boxes are (y0, x0, y1, x1).
"""

import math

import numpy as np


def iou(a, b):
    """Return what two boxes have in common as a share of what they cover together."""
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    both = max(height, 0) * max(width, 0)
    union = area(a) + area(b) - both
    return both / union if union > 0 else 0.0


def area(box):
    """Return the area of a box; if edges meet or have changed places, 0."""
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def nms(boxes, scores, threshold):
    """Return the boxes that are kept: each in turn, unless a kept one overlaps it too much."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(iou(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


def roi_max_pool(features, boxes, image_index, size, scale):
    """Round the box to cells, and its size × size parts to cells; the largest of each."""

    def to_cell(edge):
        return int(math.copysign(math.floor(abs(edge * scale) + 0.5), edge))

    y = np.zeros((len(boxes), features.shape[1], size, size), features.dtype)
    for r, (y0, x0, y1, x1) in enumerate(boxes):
        top, left = to_cell(y0), to_cell(x0)
        high, wide = max(to_cell(y1) - top + 1, 1), max(to_cell(x1) - left + 1, 1)
        for i, j in np.ndindex(size, size):
            rows = range(top + i * high // size, top + math.ceil((i + 1) * high / size))
            columns = range(left + j * wide // size, left + math.ceil((j + 1) * wide / size))
            rows = [row for row in rows if 0 <= row < features.shape[2]]
            columns = [column for column in columns if 0 <= column < features.shape[3]]
            if rows and columns:
                part = features[image_index[r]][:, rows][:, :, columns]
                y[r, :, i, j] = part.max(axis=(1, 2))
    return y


def roi_align(features, boxes, image_index, size, scale, samples=2):
    """Divide the box into size × size parts, and each into points; the mean of what is there."""
    y = np.zeros((len(boxes), features.shape[1], size, size))
    for r, (y0, x0, y1, x1) in enumerate(boxes):
        for i, j in np.ndindex(size, size):
            for a, b in np.ndindex(samples, samples):
                down = (i + (a + 0.5) / samples) / size * (y1 - y0) + y0
                right = (j + (b + 0.5) / samples) / size * (x1 - x0) + x0
                point = down * scale - 0.5, right * scale - 0.5  # counted from a cell's centre
                y[r, :, i, j] += sample(features[image_index[r]], *point) / samples**2
    return y


def sample(x, row, column):
    """Return the values of x: (C, H, W) at a point between the centres of its cells."""
    _, h, w = x.shape
    if not (-1 <= row <= h and -1 <= column <= w):
        return np.zeros(len(x))
    row, column = min(max(row, 0), h - 1), min(max(column, 0), w - 1)
    top, left = min(int(row), max(h - 2, 0)), min(int(column), max(w - 2, 0))
    bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
    down, along = row - top, column - left
    upper = (1 - along) * x[:, top, left] + along * x[:, top, right]
    lower = (1 - along) * x[:, bottom, left] + along * x[:, bottom, right]
    return (1 - down) * upper + down * lower


def average_precision(found, truth, threshold=0.5):
    """Return the area under precision and recall; for each image boxes and scores, and boxes."""
    answers, things = [], sum(len(boxes) for boxes in truth)
    for (boxes, scores), true in zip(found, truth):
        free = list(range(len(true)))
        for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
            best = max(free, key=lambda j: iou(boxes[i], true[j]), default=None)
            right = best is not None and iou(boxes[i], true[best]) >= threshold
            if right:
                free.remove(best)
            answers.append((scores[i], right))
    answers.sort(key=lambda answer: -answer[0])
    precisions, hits = [], 0
    for n, (_, right) in enumerate(answers, start=1):
        hits += right
        precisions.append(hits / n)
    # Every thing that is found adds 1 / things of recall, at the best precision from there on.
    steps = [max(precisions[n:]) for n, (_, right) in enumerate(answers) if right]
    return sum(steps) / things
