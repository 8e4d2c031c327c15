"""YOLO and SSD: targets and losses by hand, against loops and differences; nothing to be found."""

import numpy as np
import pytest

from convbook.detection import anchor_boxes, answered_for, average_precision, encode_boxes
from convbook.detection.one_stage import (
    MultiBoxLoss,
    YoloLoss,
    cell_boxes,
    ssd_found,
    ssd_targets,
    yolo_found,
    yolo_targets,
)
from convbook.detection.plain import iou
from convbook.functional import softmax
from convbook.images.scenes import street_queue, street_scenes
from helpers.gradients import numerical_gradient, relative_error
from helpers.refusing import refused

_, BOXES, LABELS, _ = street_scenes(10, rng=0)
TRUTH = list(zip(BOXES, LABELS))
ANCHORS = np.concatenate(
    [
        anchor_boxes(16, 4, [(8, 9), (9, 18), (17, 8), (20, 14)]),
        anchor_boxes(8, 8, [(14, 26), (28, 13), (19, 32), (30, 24), (27, 44)]),
    ]
)


# --- YOLO ----------------------------------------------------------------------------------------


def test_yolo_targets_by_hand():
    boxes = [[[8, 16, 24, 48], [14, 30, 22, 38]], []]  # both centres in the same cell: one is lost
    t = yolo_targets(boxes, [[2, 0], []], grid=4, size=64, classes=3)
    assert t.shape == (2, 8, 4, 4) and t.dtype == np.float32 and not t[1].any()
    assert (t[0, 4] > 0).sum() == 1
    np.testing.assert_allclose(t[0, :, 1, 2], [0, 0, 0.5, np.sqrt(0.5), 1, 0, 0, 1])
    other = yolo_targets([[[10, 18, 14, 22]]], [[0]], 4, 64, 3)
    np.testing.assert_allclose(other[0, :, 0, 1], [0.75, 0.25, 0.25, 0.25, 1, 1, 0, 0])


@pytest.mark.parametrize("grid", [4, 8])
def test_targets_read_as_answers_are_the_things(grid):
    t = yolo_targets(BOXES, LABELS, grid, 64, 4)
    said = np.concatenate([t[:, :5], np.zeros_like(t[:, :5]), t[:, 5:]], axis=1)
    found = yolo_found(said, 64)
    for (boxes, scores, labels), own, kinds in zip(found, BOXES, LABELS):
        kept = answered_for(own, grid, 64)
        assert len(boxes) == kept.sum() and (scores == 1).all()
        order, expected = np.lexsort(boxes.round(2).T), np.lexsort(own[kept].round(2).T)
        np.testing.assert_allclose(boxes[order], own[kept][expected], atol=1e-4)
        assert labels[order].tolist() == kinds[kept][expected].tolist()
    every = np.concatenate([answered_for(b, grid, 64) for b in BOXES])
    if every.all():
        assert average_precision(found, TRUTH) == 1


def yolo_loss_by_loops(y, t, boxes, place=5.0, nothing=0.5):
    """The loss of the paper, cell by cell."""
    total, (n, _, s, _) = 0.0, y.shape
    for k, r, c in np.ndindex(n, s, s):
        said = [y[k, 5 * b : 5 * b + 5, r, c] for b in range(boxes)]
        own = t[k, :, r, c]

        def box(v, r=r, c=c):
            y0, x0 = (v[0] + r) / s, (v[1] + c) / s
            return [y0 - v[2] ** 2 / 2, x0 - v[3] ** 2 / 2, y0 + v[2] ** 2 / 2, x0 + v[3] ** 2 / 2]

        overlaps = [iou(box(v), box(own)) for v in said]
        best = int(np.argmax(overlaps)) if own[4] else -1
        for b, v in enumerate(said):
            if b == best:
                total += place * ((v[:4] - own[:4]) ** 2).sum() + (v[4] - overlaps[b]) ** 2
            else:
                total += nothing * v[4] ** 2
        if own[4]:
            total += ((y[k, 5 * boxes :, r, c] - own[5:]) ** 2).sum()
    return total / n


@pytest.mark.slow
@pytest.mark.parametrize("boxes", [1, 2, 3])
def test_yolo_loss_is_the_papers(boxes):
    rng = np.random.default_rng(boxes)
    t = yolo_targets(BOXES[:3], LABELS[:3], 4, 64, 4).astype(float)
    y = rng.normal(0.4, 0.4, (3, 5 * boxes + 4, 4, 4))
    loss = YoloLoss(boxes)
    assert loss(y, t) == pytest.approx(yolo_loss_by_loops(y, t, boxes))
    assert set(loss.terms) == {"place", "size", "thing", "nothing", "class"}
    assert sum(loss.terms.values()) == pytest.approx(loss(y, t))
    # The overlap that the confidence should reach is a target: no gradient goes through it. So
    # differences are taken in all numbers but the places and sizes of cells with a thing.
    dy = loss.backward()
    numerical = numerical_gradient(lambda: np.array(loss(y, t)), y, 1.0)
    free = np.ones(y.shape, bool)
    for b in range(boxes):
        free[:, 5 * b : 5 * b + 4] = t[:, 4:5] == 0
    assert relative_error(dy[free], numerical[free]) < 1e-6
    # And these are the slopes of the squares themselves.
    for b in range(boxes):
        part = dy[:, 5 * b : 5 * b + 4]
        assert ((part == 0) | np.isclose(part, 10 * (y[:, 5 * b : 5 * b + 4] - t[:, :4]) / 3)).all()


def test_yolo_with_nothing_in_the_pictures():
    t = yolo_targets([[], []], [[], []], 4, 64, 3)
    y = np.zeros((2, 13, 4, 4), np.float32)
    loss = YoloLoss()
    with np.errstate(all="raise"):
        assert loss(y, t) == 0 and not loss.backward().any()
    assert loss.backward().dtype == np.float32
    for found in yolo_found(y, 64):
        assert [part.shape for part in found] == [(0, 4), (0,), (0,)]
    assert yolo_found(y[:0], 64) == []


def test_wild_answers_are_cut_to_the_picture():
    wild = np.full((1, 9, 2, 2), 1e3, np.float32)
    ((boxes, scores, labels),) = yolo_found(wild, 64, boxes=1)
    assert np.isfinite(boxes).all() and boxes.min() >= 0 and boxes.max() <= 64
    assert np.isfinite(cell_boxes(wild, 64)).all()


def test_a_queue_is_too_much_for_a_grid():
    boxes = [street_queue(seed).boxes for seed in range(20)]
    kept = [
        np.concatenate([answered_for(b, grid, 64) for b in boxes]).mean() for grid in (4, 8, 16)
    ]
    assert kept[0] < 0.65 and kept[2] > 0.9 and kept == sorted(kept)


# --- SSD -----------------------------------------------------------------------------------------


def test_ssd_targets():
    t = ssd_targets(ANCHORS, [*BOXES, []], [*LABELS, []])
    assert t.shape == (11, len(ANCHORS), 5) and not t[-1].any()
    for target, boxes, labels in zip(t, BOXES, LABELS):
        on = target[:, 0] > 0
        assert set(target[on, 0]) <= set(labels + 1.0)
        assert on.sum() >= len(boxes)
    perfect = np.zeros((10, len(ANCHORS), 9))
    for n, target in enumerate(t[:10]):
        perfect[n, np.arange(len(ANCHORS)), target[:, 0].astype(int)] = 20
        perfect[n, :, 5:] = target[:, 1:]
    assert average_precision(ssd_found(perfect, ANCHORS, 64), TRUTH) > 0.95


def multibox_by_loops(y, t, ratio):
    """The loss of SSD, picture by picture."""
    classes, total = y.shape[2] - 4, 0.0
    count = (t[..., 0] > 0).sum()
    for scores, target in zip(y, t):
        costs = -np.log(softmax(scores[:, :classes]))[range(len(target)), target[:, 0].astype(int)]
        on = target[:, 0] > 0
        hard = sorted(np.flatnonzero(~on), key=lambda i: -costs[i])[: int(ratio * on.sum())]
        total += costs[on].sum() + costs[hard].sum()
        for error in np.abs(scores[on, classes:] - target[on, 1:]).ravel():
            total += error**2 / 2 if error < 1 else error - 0.5
    return total / count


@pytest.mark.parametrize("ratio", [0, 1.0, 3.0, 1000.0])
def test_multibox_loss(ratio):
    rng = np.random.default_rng(0)
    anchors = anchor_boxes(4, 16, [(14, 22), (24, 12)])
    t = ssd_targets(anchors, BOXES[:3], LABELS[:3], 0.4).astype(float)
    y = rng.normal(0, 1, (3, len(anchors), 9))
    loss = MultiBoxLoss(ratio)
    assert loss(y, t) == pytest.approx(multibox_by_loops(y, t, ratio))
    numerical = numerical_gradient(lambda: np.array(loss(y, t)), y, 1.0)
    loss(y, t)
    assert relative_error(loss.backward(), numerical) < 1e-5


def test_ssd_with_nothing_in_the_pictures():
    t = ssd_targets(ANCHORS, [[], []], [[], []])
    y = np.random.default_rng(0).normal(size=(*t.shape[:2], 9)).astype(np.float32)
    loss = MultiBoxLoss()
    assert loss(y, t) == 0 and not loss.backward().any() and loss.backward().dtype == np.float32
    far = np.full_like(y, -1000)
    far[..., 0] = 1000
    for found in ssd_found(far, ANCHORS, 64):
        assert [part.shape for part in found] == [(0, 4), (0,), (0,)]


def test_bad_input():
    refused(
        ValueError,
        ["labels must be from 0 to 1", "2"],
        yolo_targets,
        [[[0, 0, 1, 1]]],
        [[2]],
        4,
        64,
        2,
    )
    refused(ValueError, ["as many pictures", "1 and 2"], yolo_targets, [[]], [[], []], 4, 64, 2)
    refused(
        ValueError,
        ["labels must have shape (1,)"],
        ssd_targets,
        ANCHORS,
        [[[0, 0, 1, 1]]],
        [[1, 2]],
    )
    refused(ValueError, ["YoloLoss", "predictions must have shape (1, 12, 4, 4)", "(1, 11, 4, 4)"],
            YoloLoss(), np.zeros((1, 11, 4, 4)), np.zeros((1, 7, 4, 4)))  # fmt: skip
    refused(ValueError, ["targets[..., 0] must be from 0 to 4", "0 to 7"],
            MultiBoxLoss(), np.zeros((1, 2, 9)), np.array([[[7.0] * 5, [0.0] * 5]]))  # fmt: skip
    refused(ValueError, ["more than 5 · 2 channels"], yolo_found, np.zeros((1, 10, 4, 4)), 64)
    assert encode_boxes([[0, 0, 1, 1]], [[0, 0, 1, 1]]).shape == (1, 4)
