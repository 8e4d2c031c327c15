"""The exercises on detection: their answers against the package."""

import numpy as np
import pytest

from convbook.detection import (
    answered_for,
    average_precision,
    iou,
    match_anchors,
    nms,
    roi_max_pool,
)
from convbook.exercises import EXERCISES
from helpers.answers import ANSWERS


def trials(key):
    return [inputs for _, inputs in EXERCISES[key].trials]


def test_the_pencil_exercises_are_the_packages():
    a, b = np.array([0, 0, 6, 8]), np.array([3, 5, 9, 11])
    assert ANSWERS["3-10-1.1"] == pytest.approx(float(iou(a, b)))
    page = [[3, 1, 0, 2, 4, 1, 0], [0, 6, 2, 1, 3, 2, 5], [7, 4, 1, 0, 5, 7, 1],
            [1, 2, 3, 9, 1, 6, 8], [2, 0, 4, 1, 3, 0, 2]]  # fmt: skip
    pooled = roi_max_pool(np.array(page)[None, None], [[18, 30, 50, 85]], [0], 2, 1 / 16)
    assert pooled[0, 0].tolist() == ANSWERS["3-10-1.4"]
    true = np.array([[20 * i, 0, 20 * i + 9, 9] for i in range(4)])
    found = np.stack([true[0], true[0] + 50, true[1], true[2], true[0] + 60, true[0] + 70])
    found[[1, 4, 5], 1::2] += 100
    scores = np.linspace(0.9, 0.2, 6)
    assert ANSWERS["3-10-1.5"] == pytest.approx(average_precision([(found, scores)], [true]))


def test_who_is_kept_if_overlaps_are_those_of_the_page(monkeypatch):
    overlap = np.eye(6)
    for i, j, value in ((1, 3, 0.6), (3, 0, 0.7), (0, 4, 0.55), (5, 0, 0.45), (4, 2, 0.8),
                        (1, 2, 0.5), (1, 0, 0.3), (5, 3, 0.65)):  # fmt: skip
        overlap[i, j] = overlap[j, i] = value
    scores, left, kept = np.array([0.75, 0.9, 0.3, 0.8, 0.6, 0.2]), set(range(6)), []
    while left:
        best = max(left, key=lambda i: scores[i])
        kept.append(best)
        left = {i for i in left if overlap[best, i] <= 0.5 and i != best}
    assert kept == ANSWERS["3-10-1.2"]


def test_which_anchors_are_positive_if_overlaps_are_those_of_the_page(monkeypatch):
    overlap = np.array([[0.75, 0.1], [0.5, 0.2], [0.1, 0.45], [0.2, 0.6], [0.05, 0.25], [0.3, 0],
                        [0.72, 0.1]])  # fmt: skip
    monkeypatch.setattr("convbook.detection.anchors.iou", lambda *_: overlap)
    kinds, _ = match_anchors(np.zeros((7, 4)), np.zeros((2, 4)))
    assert kinds.tolist() == ANSWERS["3-10-1.3"]


def test_overlaps_and_suppression_are_the_packages():
    for a, b in trials("3-10-1.6"):
        np.testing.assert_allclose(ANSWERS["3-10-1.6"](a, b), iou(a, b))
    for boxes, scores, threshold in trials("3-10-1.7"):
        assert ANSWERS["3-10-1.7"](boxes, scores, threshold) == list(nms(boxes, scores, threshold))


def test_pooling_is_the_packages():
    for x, box, size, scale in trials("3-10-1.8"):
        y = roi_max_pool(x[None, None], box[None], [0], size, scale)[0, 0]
        np.testing.assert_array_equal(ANSWERS["3-10-1.8"](x, box, size, scale), y)


def test_average_precision_is_the_packages():
    for right, things in trials("3-10-1.9"):
        true = np.array([[20 * i, 0, 20 * i + 9, 9] for i in range(things)])
        found = true[0] + np.array([0, 100, 0, 100]) + np.zeros((len(right), 1), int)
        found[right] = true[: right.sum()]
        scores = -np.arange(len(right))
        expected = average_precision([(found, scores)], [true])
        assert ANSWERS["3-10-1.9"](right, things) == pytest.approx(expected)


def test_what_a_grid_loses_is_the_packages():
    for boxes, cells, size in trials("3-10-1.10"):
        lost = int((~answered_for(boxes, cells, size)).sum())
        assert ANSWERS["3-10-1.10"](boxes, cells, size) == lost
