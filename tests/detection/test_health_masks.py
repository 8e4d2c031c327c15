"""Checks of masks and tracks: faults made on purpose are found; what is right is left alone."""

import numpy as np
import pytest

from convbook.detection import crop_masks
from convbook.detection.health_masks import edges_fit, right_channel, tracks_hold
from convbook.detection.tracking import Tracker
from convbook.images.scenes import street_scenes, street_video
from helpers.findings import fault, fine

_, BOXES, LABELS, MASKS = street_scenes(12, rng=0)


def test_edges():
    assert "+0.00" in fine(edges_fit(BOXES, MASKS))
    fine(edges_fit(BOXES[0], MASKS[0]))
    fine(edges_fit([], []))
    fine(edges_fit(np.zeros((1, 4)), np.zeros((1, 8, 8))))
    fault(edges_fit([b - [0, 0, 1, 1] for b in BOXES], MASKS), "last pixels", "add 1")
    fault(edges_fit([b + 2 for b in BOXES], MASKS), "+2.00", "scaled")
    fine(edges_fit([b + 0.3 for b in BOXES], MASKS))
    with pytest.raises(ValueError, match="masks must be as many as boxes"):
        edges_fit(BOXES[0], MASKS[0][:0])


def test_the_channel_of_a_mask():
    boxes, labels, masks = BOXES[1], LABELS[1], MASKS[1]
    targets = crop_masks(masks, boxes)
    scores = np.full((len(labels), 4, 14, 14), -3.0)
    scores[np.arange(len(labels)), labels] = np.where(targets, 3, -3)
    assert "1.00" in fine(right_channel(scores, labels, targets))
    for move, sign in ((1, "-"), (-1, "+")):
        fault(right_channel(scores, (labels + move) % 4, targets), f"class k {sign} 1", "nothing")
    fine(right_channel(scores[:0], labels[:0], targets[:0]))
    with pytest.raises(ValueError, match="targets"):
        right_channel(scores, labels, targets[:, :3])
    with pytest.raises(ValueError, match="scores"):
        right_channel(scores[0], labels, targets)


def test_tracks():
    scenes = street_video(0, 20)

    def followed(keep, patience=8):
        tracker, rng = Tracker(patience=patience), np.random.default_rng(0)
        for scene in scenes:
            seen = rng.random(len(scene.labels)) < keep
            tracker.update(scene.boxes[seen], scene.labels[seen])
        return tracker

    fine(tracks_hold(followed(1)))
    fault(tracks_hold(followed(0.6)), "are missing", "lower the score")
    fault(tracks_hold(followed(0.4, patience=0)), "fewer than 3 frames", "raise the score")
    fault(tracks_hold(Tracker()), "no track")
    with pytest.raises(ValueError, match="least"):
        tracks_hold(followed(1), 0)
