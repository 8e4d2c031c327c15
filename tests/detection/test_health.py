"""Checks of a detector: each fault, made on purpose, is found, and what is right is left alone."""

import numpy as np
import pytest

from convbook.detection import (
    ChosenLoss,
    anchor_boxes,
    encode_boxes,
    match_anchors,
    nms,
    roi_align,
    roi_max_pool,
)
from convbook.detection.health import (
    anchors_reach,
    boxes_fit,
    classes_taught,
    codes_in_range,
    found_as_meant,
    masks_aligned,
    said_once,
    scores_pass,
)
from convbook.images.scenes import CLASSES, street_scenes
from convbook.losses import BCEWithLogitsLoss, SmoothL1Loss
from helpers.findings import fault, fine

IMAGES, BOXES, LABELS, MASKS = street_scenes(30, rng=0)
WIDE = street_scenes(12, rng=1, size=(48, 96))
SHAPES = [(10, 10), (11, 19), (20, 9), (18, 32), (30, 14), (26, 26), (12, 28)]
ANCHORS = anchor_boxes(16, 4, SHAPES)


# --- Boxes of the training -----------------------------------------------------------------------


def test_good_boxes():
    fine(boxes_fit(BOXES, 64))
    fine(boxes_fit(BOXES, 64, MASKS))
    fine(boxes_fit(WIDE[1], (48, 96), WIDE[3]))
    fine(boxes_fit([], 64))
    fine(boxes_fit(BOXES[0], (64, 64), MASKS[0]))


def swapped(boxes):
    return [b[:, [1, 0, 3, 2]] for b in boxes]


def test_axes_that_have_changed_places():
    fault(boxes_fit(swapped(BOXES), 64, MASKS), "(x0, y0, x1, y1)")
    fault(boxes_fit(swapped(WIDE[1]), (48, 96), WIDE[3]), "(x0, y0, x1, y1)")
    fault(boxes_fit(swapped(WIDE[1]), (48, 96)), "if they are read as (x0, y0, x1, y1)")


def test_boxes_that_are_none():
    boxes = BOXES[0].copy()
    boxes[0, 2:] = boxes[0, :2]
    fault(boxes_fit(boxes, 64), "1 of", "empty")
    boxes[0, 3] -= 1
    fault(boxes_fit(boxes, 64), "y1 < y0 or x1 < x0")
    boxes[0, 3] = np.nan
    fault(boxes_fit(boxes, 64), "NaN")
    fault(boxes_fit([b / 64 for b in BOXES], 64), "from 0 to 1", "times 64")
    fault(boxes_fit([b + 20 for b in BOXES], 64), "reach out", "clip_boxes")
    size = [np.concatenate([b[:, :2], b[:, 2:] - b[:, :2]], axis=1) for b in BOXES]
    fault(boxes_fit(size, 64), "a corner and a size")


def test_classes():
    fine(classes_taught(LABELS, CLASSES, least=5))
    fault(classes_taught([k[k != 3] for k in LABELS], CLASSES), "dog (0 times)")
    fault(classes_taught([k + 1 for k in LABELS], CLASSES), "from 1 to 4", "background")
    fine(classes_taught(np.arange(40) % 4, 4))
    fault(classes_taught([], 2), "0 (0 times), 1 (0 times)")


# --- Anchors and codes ---------------------------------------------------------------------------


def test_anchors():
    fine(anchors_reach(ANCHORS, BOXES, 0.6))
    tiny = anchor_boxes(16, 4, [(3, 3)])
    fault(anchors_reach(tiny, BOXES), "would help")
    fine(anchors_reach(ANCHORS, [np.zeros((0, 4))] * 3))
    assert "see ChosenLoss" in anchors_reach(ANCHORS, []).sentence


def test_a_step_without_a_positive_anchor_has_losses_of_zero():
    """A mini-batch of empty streets: no NaN, and the next step goes on."""
    kinds, things = match_anchors(ANCHORS, np.zeros((0, 4)))
    positive = np.flatnonzero(kinds == 1)
    scores, codes = np.zeros(len(ANCHORS), np.float32), np.ones((len(ANCHORS), 4), np.float32)
    loss = ChosenLoss(SmoothL1Loss())
    assert loss(codes, np.zeros((0, 4)), positive) == 0 and not loss.backward().any()
    asked = ChosenLoss(BCEWithLogitsLoss())
    chosen = np.arange(64)
    assert asked(scores, np.zeros(64), chosen) == pytest.approx(np.log(2))
    assert np.isfinite(asked.backward()).all() and things.max() == 0


def test_codes():
    kinds, things = match_anchors(ANCHORS, BOXES[0], 0.6)
    positive = kinds == 1
    boxes = BOXES[0][things[positive]]
    codes = encode_boxes(boxes, ANCHORS[positive])
    fine(codes_in_range(codes))
    boxes[0, 2:] = boxes[0, :2]  # a thing of no size, as annotations have them
    fault(codes_in_range(encode_boxes(boxes, ANCHORS[positive])), "an empty box", "cut off")
    fault(codes_in_range(codes * np.float32(1e4)), "not learnt yet")
    fault(codes_in_range(codes * np.nan), "NaN")
    fault(codes_in_range(np.random.default_rng(0).normal(0, 0.01, (9, 4))), "standard deviation")
    fine(codes_in_range([]))


# --- What was found ------------------------------------------------------------------------------

RNG = np.random.default_rng(2)
TRUTH = list(zip(BOXES, LABELS))


def answers(noise=0.03):
    """Return what a good detector says: boxes near the truth, and high scores."""
    found = []
    for boxes, labels in TRUTH:
        size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        found.append(
            (
                boxes + RNG.normal(0, noise, boxes.shape) * size,
                RNG.uniform(0.6, 1, len(boxes)),
                labels,
            )
        )
    return found


def test_thresholds_of_scores():
    fine(scores_pass(answers(), 0.5))
    low = [(b, 0.2 * s, k) for b, s, k in answers()]
    fault(scores_pass(low, 0.5), "nothing is left in 30 of 30", "lower the threshold")
    fine(scores_pass(low, 0.1))
    fault(scores_pass([([], [], [])] * 3, 0.1), "nothing was found at all")
    many = [(ANCHORS, np.full(len(ANCHORS), 0.3), np.zeros(len(ANCHORS), int))] * 2
    fault(scores_pass(many, 0.05), "boxes are left in a picture", "suppress")


def test_things_that_are_said_twice():
    fine(said_once(answers()))
    twice = [tuple(np.concatenate([part, part]) for part in entry) for entry in answers()]
    fault(said_once(twice), "of their class", "nms")
    classes = [
        (np.tile(b, (2, 1)), np.concatenate([s, s / 2]), np.concatenate([k, (k + 1) % 4]))
        for b, s, k in answers()
    ]
    by_class = []
    for boxes, scores, labels in classes:
        kept = nms(boxes, scores, 0.5, labels)
        by_class.append((boxes[kept], scores[kept], labels[kept]))
    fault(said_once(by_class), "of another class", "across classes")
    across = [tuple(part[nms(b, s, 0.5)] for part in (b, s, k)) for b, s, k in classes]
    fine(said_once(across))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda b, k: (b[:, [1, 0, 3, 2]], k), "(x0, y0, x1, y1)"),
        (lambda b, k: (b / 64, k), "shares of the picture"),
        (lambda b, k: (b / 4, k), "cells of 4 pixels"),
        (lambda b, k: (b, k + 1), "labels one too high"),
        (lambda b, k: (b, k - 1), "labels one too low"),
        (lambda b, k: (np.hstack([(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]]), k), "centre"),
        (lambda b, k: (np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]), k), "a corner and the size"),
        (lambda b, k: (b, np.array([2, 3, 1, 0])[k]), "names are not"),
    ],
)
def test_a_loss_that_falls_while_nothing_is_right(spoil, words):
    good = answers()
    assert "no other reading" in fine(found_as_meant(good, TRUTH, 64))
    read = [(spoil(b, k)[0], s, spoil(b, k)[1]) for b, s, k in good]
    fault(found_as_meant(read, TRUTH, 64), words)


def test_a_detector_that_has_learnt_nothing_is_no_misunderstanding():
    nothing = [(RNG.uniform(0, 60, b.shape), s, k) for b, s, k in answers()]
    nothing = [(np.sort(b.reshape(-1, 2, 2), axis=1).reshape(-1, 4), s, k) for b, s, k in nothing]
    fine(found_as_meant(nothing, TRUTH, 64))
    fine(found_as_meant([([], [], [])], [(np.zeros((0, 4)), np.zeros(0, int))]))


def test_masks_half_a_cell_aside():
    masks = np.concatenate(MASKS)
    assert "+0.00" in fine(masks_aligned(masks, masks))
    moved = np.roll(masks, (1, 1), axis=(1, 2))
    fault(masks_aligned(moved, masks, 2), "pixels down", "+0.50 and ", "half a cell")
    # Noise that has no direction is no displacement.
    rng = np.random.default_rng(0)
    shaken = np.stack([np.roll(m, rng.integers(-1, 2, 2), axis=(0, 1)) for m in masks])
    fine(masks_aligned(shaken, masks))
    assert "too few" in masks_aligned(masks[:2], moved[:2]).sentence


def test_the_fault_of_rounding_is_found_in_pooled_masks():
    """What each of the two makes of true masks, laid back into their boxes."""
    masks = np.concatenate(MASKS).astype(np.float32)[:, None]
    boxes, index, size, cell = np.concatenate(BOXES), np.arange(len(masks)), 14, 4
    coarse = masks.reshape(len(masks), 1, 16, cell, 16, cell).mean(axis=(3, 5))

    def laid_back(parts):
        """Return parts (R, 1, 14, 14) as masks (R, 64, 64)."""
        places = (np.arange(64) + 0.5)[None]
        rows, columns = (
            np.clip((places - boxes[:, i, None]) / (boxes[:, i + 2] - boxes[:, i])[:, None] * size,
                    -1, size)
            for i in (0, 1)
        )  # fmt: skip
        inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[
            :, None
        ]
        rows, columns = (np.clip(v, 0, size - 1).astype(int) for v in (rows, columns))
        picked = parts[index[:, None, None], 0, rows[:, :, None], columns[:, None]]
        return inside & (picked >= 0.5)

    aligned = laid_back(roi_align(coarse, boxes, index, size, 1 / cell))
    pooled = laid_back(roi_max_pool(coarse, boxes, index, size, 1 / cell))
    fine(masks_aligned(aligned, masks[:, 0], cell))
    fault(masks_aligned(pooled, masks[:, 0], cell), "rounded on the way")
