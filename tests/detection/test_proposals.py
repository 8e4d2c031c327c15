"""Two stages: what is proposed, asked, found and masked; and what happens when there is nothing."""

import numpy as np
import pytest

from convbook.detection import (
    ChosenLoss,
    PerAnchor,
    anchor_boxes,
    boxes_of_masks,
    crop_masks,
    decode_boxes,
    encode_boxes,
    iou,
    mask_iou,
    match_anchors,
    paste_masks,
    propose,
    sample_regions,
    things_found,
)
from convbook.images.scenes import street_scenes
from convbook.layers import Conv2d, ReLU, Sequential, Tape
from convbook.layers.gradcheck import check_layer
from convbook.losses import BCEWithLogitsLoss, SmoothL1Loss
from convbook.optimizers import Adam
from helpers.refusing import refused

SHAPES = [(10, 10), (11, 19), (20, 9), (18, 32), (30, 14), (26, 26), (12, 28)]
ANCHORS = anchor_boxes(16, 4, SHAPES)
IMAGES, BOXES, LABELS, MASKS = street_scenes(8, rng=0)


# --- Proposals -----------------------------------------------------------------------------------


def test_a_network_that_knows_proposes_the_things():
    for truth in BOXES:
        kinds, things = match_anchors(ANCHORS, truth, 0.5, 0.3)
        codes = encode_boxes(truth[things], ANCHORS)
        boxes, scores = propose(ANCHORS, np.where(kinds == 1, 0.9, 0.1), codes, 64)
        assert (iou(boxes, truth).max(axis=0) > 0.99).all()
        assert (np.diff(scores) <= 0).all() and len(boxes) <= 30
        assert boxes.min() >= 0 and boxes.max() <= 64


def test_proposals_are_few_and_large_enough():
    rng = np.random.default_rng(0)
    scores, codes = rng.random(len(ANCHORS)), rng.normal(0, 1, (len(ANCHORS), 4))
    boxes, _ = propose(ANCHORS, scores, codes, 64, before=50, after=7)
    assert len(boxes) <= 7
    boxes, _ = propose(ANCHORS, scores, codes, 64, after=500, least=8)
    assert (boxes[:, 2:] - boxes[:, :2] >= 8).all()
    overlap = iou(*[propose(ANCHORS, scores, codes, 64, after=500, threshold=0.4)[0]] * 2)
    assert (overlap - np.eye(len(overlap)) <= 0.4).all()
    outside = propose(ANCHORS + 1000, scores, codes * 0, 64)
    assert [part.shape for part in outside] == [(0, 4), (0,)]
    assert propose(ANCHORS, scores, codes, 64, before=0)[0].shape == (0, 4)
    assert propose(ANCHORS, scores, np.full_like(codes, 1e30), 64)[0].shape[1] == 4  # wild codes


# --- Regions that are asked ----------------------------------------------------------------------


def test_regions_by_hand():
    truth = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], float)
    proposals = np.array([[0, 0, 10, 9], [21, 20, 40, 40], [50, 50, 60, 60], [0, 0, 3, 3]], float)
    regions = sample_regions(proposals, truth, [3, 0], count=6, most_positive=1, rng=0)
    assert regions.classes.tolist() == [4, 1, 4, 1, 0, 0]
    assert regions.things.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(decode_boxes(regions.codes, regions.boxes[:4]), truth[[0, 1, 0, 1]])
    fewer = sample_regions(proposals, truth, [3, 0], count=6, most_positive=1 / 3, rng=0)
    assert (fewer.classes > 0).sum() == 2 and (fewer.classes == 0).sum() == 2


def test_a_picture_with_nothing_in_it():
    regions = sample_regions(ANCHORS[:50], [], [], count=8, rng=0)
    assert regions.boxes.shape == (8, 4) and not regions.classes.any()
    assert regions.codes.shape == (0, 4) and regions.things.shape == (0,)
    nothing = sample_regions([], [], [], rng=0)
    assert nothing.boxes.shape == (0, 4) and nothing.classes.shape == (0,)
    own = sample_regions([], BOXES[0], LABELS[0], most_positive=1, rng=0)
    assert len(own.boxes) == len(BOXES[0])  # the things' own boxes are always there
    np.testing.assert_allclose(own.codes, 0, atol=1e-6)


# --- Things that are found -----------------------------------------------------------------------


def test_found_by_hand():
    boxes = np.array([[0, 0, 10, 10], [0, 1, 10, 11], [30, 30, 50, 50]], float)
    codes = np.zeros((3, 2, 4))
    codes[2, 1] = [1, 0, 0, 0]  # class 1 would move the last one a tenth of its height down
    probabilities = np.array([[0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.3, 0.04, 0.66]])
    found, scores, labels = things_found(probabilities, codes, boxes, 64, least=0.05)
    assert labels.tolist() == [0, 1, 1] and scores.tolist() == [0.8, 0.66, 0.1]
    np.testing.assert_allclose(found[1], [32, 30, 52, 50])
    assert len(things_found(probabilities, codes, boxes, 64, least=0.05, most=1)[0]) == 1
    assert len(things_found(probabilities, codes, boxes, 64, least=0.9)[0]) == 0
    empty = things_found(np.zeros((0, 3)), np.zeros((0, 2, 4)), [], 64)
    assert [part.shape for part in empty] == [(0, 4), (0,), (0,)]


# --- Masks ---------------------------------------------------------------------------------------


def test_masks_go_into_their_boxes_and_come_back():
    masks, boxes = np.concatenate(MASKS), np.concatenate(BOXES)
    parts = crop_masks(masks, boxes, 28)
    assert parts.shape == (len(masks), 28, 28) and parts.dtype == bool
    back = paste_masks(np.where(parts, 1.0, -1.0), boxes, 64)
    agree = np.diag(mask_iou(back, masks))
    assert agree.min() > 0.75 and agree.mean() > 0.9
    around = boxes_of_masks(back)
    assert abs(around - boxes).max() <= 1.01
    assert not (back & ~np.stack([inside(b) for b in boxes])).any()


def inside(box):
    """Return the mask of a box of whole pixels."""
    mask = np.zeros((64, 64), bool)
    y0, x0, y1, x1 = box.astype(int)
    mask[y0:y1, x0:x1] = True
    return mask


def test_masks_by_hand():
    mask = np.zeros((1, 8, 8))
    mask[0, 2:6, 4:8] = 1
    assert crop_masks(mask, [[2, 4, 6, 8]], 2).tolist() == [[[True, True], [True, True]]]
    assert crop_masks(mask, [[2, 0, 6, 8]], 2).tolist() == [[[False, True], [False, True]]]
    whole = paste_masks(np.ones((1, 3, 3)), [[1, 2, 4, 7]], (6, 9))
    expected = np.zeros((6, 9), bool)
    expected[1:4, 2:7] = True
    np.testing.assert_array_equal(whole[0], expected)
    assert paste_masks(np.ones((1, 3, 3)), [[-4, -4, 2, 2]], 5).sum() == 4  # over the border
    assert not paste_masks(np.ones((1, 3, 3)), [[2, 2, 2, 2]], 5).any()  # an empty box
    assert crop_masks(mask[:0], np.zeros((0, 4))).shape == (0, 14, 14)
    assert paste_masks(np.zeros((0, 14, 14)), [], 9).shape == (0, 9, 9)


def test_bad_input():
    refused(ValueError, ["scores must have shape"], propose, ANCHORS, [1], ANCHORS, 64)
    refused(ValueError, ["labels must have shape (1,)"], sample_regions, [], [[0, 0, 1, 1]], [1, 2])
    refused(ValueError, ["codes must have shape (1, 2, 4)"],
            things_found, np.ones((1, 3)), np.ones((1, 3, 4)), [[0, 0, 1, 1]], 9)  # fmt: skip
    refused(ValueError, ["masks must have 3 axes"], crop_masks, np.ones((2, 2)), [[0, 0, 1, 1]])
    refused(ValueError, ["boxes must have shape (1, 4)"], paste_masks, np.ones((1, 2, 2)), [], 9)


# --- Sorted by anchors ---------------------------------------------------------------------------


def test_per_anchor_has_the_order_of_the_anchors():
    layer = PerAnchor(4)
    shapes = [(4, 8), (6, 6)]
    anchors = anchor_boxes((2, 3), 8, shapes)
    # A map whose channels hold the anchors themselves comes out as the list of anchors.
    x = anchors.reshape(2, 3, 8).transpose(2, 0, 1)[None]
    np.testing.assert_array_equal(layer(x)[0], anchors)
    assert check_layer(layer, np.random.default_rng(0).normal(size=(2, 8, 2, 3))).ok
    with pytest.raises(ValueError, match="multiple of 4 channels, got 6"):
        layer(np.zeros((1, 6, 2, 2)))


@pytest.mark.slow
def test_a_first_stage_learns_where_things_are():
    """A small network with two heads over a tape; its proposals come to lie on the things."""
    rng = np.random.default_rng(0)
    images, boxes, *_ = street_scenes(4, rng=1, most=2)
    body = Sequential(
        Conv2d(3, 16, 5, stride=2, padding=2, rng=rng), ReLU(),
        Conv2d(16, 32, 5, stride=2, padding=2, rng=rng), ReLU(),
        Conv2d(32, 32, 3, padding=1, rng=rng), ReLU(),
    )  # fmt: skip
    score = Sequential(Conv2d(32, len(SHAPES), 1, rng=rng), PerAnchor(1))
    shift = Sequential(Conv2d(32, 4 * len(SHAPES), 1, rng=rng), PerAnchor(4))
    both = Sequential(body, score, shift)  # to be moved by one optimiser
    optimizer = Adam(both, lr=3e-3)
    matches = [match_anchors(ANCHORS, b, 0.5, 0.3) for b in boxes]
    kinds, things = (np.stack(part) for part in zip(*matches))
    codes = np.stack([encode_boxes(b[t], ANCHORS) for b, t in zip(boxes, things)])
    asked, on = np.nonzero(kinds >= 0), np.nonzero(kinds == 1)
    bce, smooth = ChosenLoss(BCEWithLogitsLoss(pos_weight=20)), ChosenLoss(SmoothL1Loss())
    losses = []
    for _ in range(60):
        tape = Tape(both)
        f = tape(body, images)
        s, t = tape(score, f), tape(shift, f)
        losses.append(
            bce(s[..., 0], (kinds[asked] == 1).astype(float), asked) + smooth(t, codes[on], on)
        )
        tape.backward((s, bce.backward()[..., None]), (t, smooth.backward()))
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
    overlaps = [
        iou(propose(ANCHORS, s[i, :, 0], t[i], 64)[0], boxes[i]).max(axis=0, initial=0)
        for i in range(4)
    ]
    assert np.mean(np.concatenate(overlaps)) > 0.5
