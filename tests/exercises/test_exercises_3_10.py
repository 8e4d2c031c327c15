"""The exercises of chapter 3-10: RoIAlign, losses of masks, pasting, linking, crossings."""

import numpy as np
import pytest

from convbook.detection import ChosenLoss, roi_align
from convbook.detection.tracking import Tracker, count_crossings
from convbook.exercises import EXERCISES, chapter_3_10
from convbook.losses import BCEWithLogitsLoss
from helpers.answers import answer_to


def test_the_row_by_hand_is_that_of_the_package():
    row = chapter_3_10.ROW
    features = np.tile(row, (8, 1))[None, None]
    box = np.array([[4.0, 5.0, 20.0, 17.0]])
    parts = roi_align(features, box, [0], (1, 2), 1 / 4)[0, 0, 0]
    np.testing.assert_allclose(chapter_3_10.SAMPLES[4:], parts)
    np.testing.assert_allclose(chapter_3_10.SAMPLES, [1.125, 1.875, 2.625, 3.375, 2, 5.25])


def test_a_value_between_cells_is_a_part_of_roi_align():
    x, rng = np.random.default_rng(0).normal(size=(6, 7)), np.random.default_rng(1)
    for _ in range(20):
        r, c = rng.uniform(-0.5, 5.5), rng.uniform(-0.5, 6.5)
        box = np.array([[r, c, r + 1, c + 1]])  # a part with a single point, in its middle
        y = roi_align(x[None, None], box, [0], 1, 1, samples=1)
        assert chapter_3_10.sample(x, r, c) == pytest.approx(y.item())


def test_the_loss_is_the_one_of_the_network():
    rng = np.random.default_rng(0)
    scores, classes = rng.normal(size=(5, 3, 14, 14)), rng.integers(0, 3, 5)
    targets = (rng.random((5, 14, 14)) < 0.5).astype(float)
    loss = ChosenLoss(BCEWithLogitsLoss())(scores, targets, (np.arange(5), classes))
    assert chapter_3_10.mask_loss(scores, targets, classes) == pytest.approx(loss)
    assert chapter_3_10.mask_loss(scores[:0], targets[:0], classes[:0]) == 0.0


def test_the_counts_are_those_of_a_step():
    assert chapter_3_10.COUNTS.tolist() == [64, 20, 120, 32, 1568]


def test_linking_and_crossing_are_those_of_the_tracker():
    rng = np.random.default_rng(0)
    for _ in range(10):
        corners = rng.uniform(0, 40, (2, 5, 2))
        before, now = np.concatenate([corners, corners + 18], axis=2)
        tracker = Tracker(least=0.3)
        tracker.update(before)
        ids = tracker.update(now)
        linked = chapter_3_10.link(before, now, 0.3)
        np.testing.assert_array_equal(np.where(ids < 5, ids, -1), linked)
    x = np.array([10, 40, 0, 20, 50.0])
    seen = np.array([1, 1, 0, 1, 1], bool)
    path = [(f, np.array([0, v - 2, 4, v + 2])) for f, v in enumerate(x) if seen[f]]
    sides = count_crossings({0: path}, 32)
    assert chapter_3_10.crossings(x, seen, 32) == [len(side) for side in sides] == [2, 1]


def test_other_ways_to_the_same():
    def sample(x, r, c):
        h, w = x.shape
        rows = np.maximum(1 - abs(np.clip(r, 0, h - 1) - np.arange(h)), 0)
        columns = np.maximum(1 - abs(np.clip(c, 0, w - 1) - np.arange(w)), 0)
        return rows @ x @ columns

    def mask_loss(scores, targets, classes):
        losses = [0.0]
        for own, t, k in zip(scores, targets, classes):
            losses = losses if len(losses) > 1 else []
            losses += (np.logaddexp(0, own[k]) - t * own[k]).ravel().tolist()
        return np.mean(losses)

    def paste(mask, box, size):
        y0, x0, y1, x1 = box
        out = np.zeros(size, bool)
        for r in range(size[0]):
            for c in range(size[1]):
                if y0 <= r + 0.5 < y1 and x0 <= c + 0.5 < x1:
                    i = int((r + 0.5 - y0) / (y1 - y0) * mask.shape[0])
                    j = int((c + 0.5 - x0) / (x1 - x0) * mask.shape[1])
                    out[r, c] = mask[i, j]
        return out

    def crossings(x, seen, line):
        found, side = [0, 0], None
        for place, there in zip(x, seen):
            if there:
                if side is not None and (place >= line) != side:
                    found[side] += 1
                side = bool(place >= line)
        return found

    for key, answer in (("3-10.3", sample), ("3-10.4", mask_loss), ("3-10.5", paste),
                        ("3-10.7", crossings)):  # fmt: skip
        assert answer_to(key, answer).startswith("Correct"), answer_to(key, answer)


def test_each_exercise_has_six_mistakes_and_three_hints():
    for key in (f"3-10.{n}" for n in range(1, 8)):
        exercise = EXERCISES[key]
        assert len(exercise.mistakes) >= 6 and len(exercise.hints) == 3
