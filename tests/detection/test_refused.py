"""What is no box, no score, no label and no threshold: each is refused, and the argument named."""

import math

import numpy as np
import pytest

from convbook import detection
from convbook.detection import health, tracking

RNG = np.random.default_rng(0)
BOXES = np.array([[0, 0, 8, 8], [1, 1, 8, 9], [20, 20, 30, 30], [4, 8, 12, 16]], float)
SCORES, KINDS, CODES = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 0, 0]), np.ones((4, 4))
FEATURES, MASKS = RNG.normal(size=(2, 3, 8, 8)), np.ones((4, 32, 32), bool)
SAID, MOVES = np.full((4, 3), 1 / 3), np.zeros((4, 2, 4))


def spoiled(array, value):
    array = np.array(array, float)
    array.flat[1] = value
    return array


NO_NUMBERS = {"None": None, "text": np.full((4, 4), "a"), "complex": BOXES + 0j}
NO_BOXES = NO_NUMBERS | {
    "three edges": BOXES[:, :3],
    "five": np.c_[BOXES, SCORES],
    "an axis more": BOXES[None],
    "a number": np.array(3.0),
    "ragged": [[1, 2, 3, 4], [1, 2]],
}
NOT_FINITE = {"NaN": spoiled(BOXES, np.nan), "infinite": spoiled(BOXES, np.inf)}
TURNED = {"edges in the wrong order": BOXES[:, [2, 3, 0, 1]]}
ONE = {"a single box": BOXES[0]}
NO_SCORES = {"None": None, "too few": SCORES[:3], "NaN": spoiled(SCORES, np.nan)}
NO_LABELS = {"fractions": KINDS + 0.5, "NaN": spoiled(KINDS, np.nan), "too few": KINDS[:3]}
NO_CLASSES = NO_LABELS | {"None": None, "below 0": KINDS - 1}
NO_SHARES = {
    "text": "a",
    "None": None,
    "NaN": math.nan,
    "below 0": -0.1,
    "above 1": 1.5,
    "True": True,
}
NO_COUNTS = {"text": "a", "None": None, "a fraction": 1.5, "below 0": -1, "True": True}
NO_FLAGS = {"text": "a", "None": None, "a number": 0.3, "2": 2}
NO_MASKS = {"None": None, "one mask": MASKS[0]}

REGIONS = {"features": FEATURES, "boxes": BOXES, "image_index": KINDS, "size": 2, "scale": 0.25}
FOUND, TRUTH = [(BOXES, SCORES, KINDS)], [(BOXES, KINDS)]
OTHER_FOUND = {
    "None": None,
    "NaN for an edge": [(NOT_FINITE["NaN"], SCORES, KINDS)],
    "NaN for a score": [(BOXES, NO_SCORES["NaN"], KINDS)],
    "fractions for classes": [(BOXES, SCORES, KINDS + 0.5)],
    "too few scores": [(BOXES, SCORES[:3], KINDS)],
}
ROI = {
    "features": {"None": None, "three axes": FEATURES[0]},
    "boxes": NO_BOXES | NOT_FINITE | TURNED | ONE,
    "image_index": NO_CLASSES | {"no such image": KINDS + 1},
    "size": {"0": 0, "None": None},
    "scale": {"0": 0, "NaN": math.nan, "infinite": math.inf, "text": "a"},
}

# Function, right arguments, and what is refused in the place of each.
CASES = {
    "nms": (
        detection.nms,
        {"boxes": BOXES, "scores": SCORES, "threshold": 0.5, "labels": KINDS},
        {
            "boxes": NO_BOXES | NOT_FINITE | ONE,
            "scores": NO_SCORES,
            "threshold": NO_SHARES,
            "labels": NO_LABELS,
        },
    ),
    "best_boxes": (
        detection.best_boxes,
        {"boxes": BOXES, "scores": SCORES, "count": 2},
        {"boxes": NO_BOXES | ONE, "scores": NO_SCORES, "count": NO_COUNTS},
    ),
    "iou": (detection.iou, {"a": BOXES, "b": BOXES}, {"a": NO_BOXES, "b": NO_BOXES}),
    "mask_iou": (detection.mask_iou, {"a": MASKS, "b": MASKS}, {"a": NO_MASKS, "b": NO_MASKS}),
    "encode_boxes": (
        detection.encode_boxes,
        {"boxes": BOXES, "anchors": BOXES, "spread": (1, 1, 1, 1)},
        {
            "boxes": NO_BOXES | NOT_FINITE | TURNED,
            "anchors": NO_BOXES | NOT_FINITE,
            "spread": {"None": None, "a number": 0.1, "a zero": (0, 1, 1, 1), "three": (1, 1, 1)},
        },
    ),
    "anchor_boxes": (
        detection.anchor_boxes,
        {"size": 4, "stride": 8, "shapes": [(8, 8)]},
        {
            "shapes": {
                "None": None,
                "text": "a",
                "ragged": [(1, 2), (3,)],
                "complex": [(1j, 2)],
                "below 0": [(-1, 8)],
                "one pair alone": (8, 8),
            },
        },
    ),
    "match_anchors": (
        detection.match_anchors,
        {"anchors": BOXES, "truth": BOXES, "positive": 0.7, "negative": 0.3, "own_anchor": False},
        {
            "anchors": NO_BOXES | NOT_FINITE,
            "truth": NO_BOXES | NOT_FINITE,
            "positive": NO_SHARES,
            "negative": NO_SHARES,
            "own_anchor": NO_FLAGS,
        },
    ),
    "sample_matches": (
        detection.sample_matches,
        {"kinds": KINDS, "count": 2, "most_positive": 0.5},
        {
            "kinds": {"None": None, "fractions": KINDS + 0.5, "two axes": KINDS[None]},
            "count": NO_COUNTS,
            "most_positive": NO_SHARES,
        },
    ),
    "roi_max_pool": (detection.roi_max_pool, REGIONS, ROI),
    "roi_align": (
        detection.roi_align,
        REGIONS | {"samples": 2, "aligned": True},
        ROI | {"samples": NO_COUNTS | {"0": 0}, "aligned": NO_FLAGS},
    ),
    "RoIAlign": (
        detection.RoIAlign,
        {"size": 2, "scale": 0.25, "aligned": True},
        {"aligned": NO_FLAGS},
    ),
    "roi_max_pool_backward": (
        detection.roi_max_pool_backward,
        {"dy": np.ones((4, 3, 2, 2)), **REGIONS},
        {"dy": {"None": None, "too few": np.ones((3, 3, 2, 2))}},
    ),
    "propose": (
        detection.propose,
        {"anchors": BOXES, "scores": SCORES, "codes": CODES, "size": 32, "before": 9, "after": 9},
        {
            "anchors": NO_BOXES | NOT_FINITE | ONE,
            "scores": NO_SCORES,
            "codes": NO_BOXES | {"too few": CODES[:3], "NaN": spoiled(CODES, np.nan)},
            "before": NO_COUNTS,
            "after": NO_COUNTS,
        },
    ),
    "sample_regions": (
        detection.sample_regions,
        {"proposals": BOXES, "truth": BOXES, "labels": KINDS, "count": 4, "rng": 0},
        {
            "proposals": NO_BOXES | NOT_FINITE,
            "truth": NO_BOXES | NOT_FINITE | TURNED,
            "labels": NO_CLASSES,
            "count": NO_COUNTS,
        },
    ),
    "things_found": (
        detection.things_found,
        {"probabilities": SAID, "codes": MOVES, "boxes": BOXES, "size": 32},
        {
            "probabilities": {"NaN": spoiled(SAID, np.nan), "too few": SAID[:3], "None": None},
            "codes": {"NaN": spoiled(MOVES, np.nan), "too few": MOVES[:3], "None": None},
            "boxes": NO_BOXES | NOT_FINITE | TURNED,
        },
    ),
    "crop_masks": (
        detection.crop_masks,
        {"masks": MASKS, "boxes": BOXES},
        {"masks": NO_MASKS, "boxes": NO_BOXES | NOT_FINITE | TURNED | {"too few": BOXES[:3]}},
    ),
    "paste_masks": (
        detection.paste_masks,
        {"scores": np.ones((4, 14, 14)), "boxes": BOXES, "size": 32},
        {
            "scores": NO_MASKS | {"NaN": spoiled(np.ones((4, 2, 2)), np.nan)},
            "boxes": NO_BOXES | NOT_FINITE | TURNED | {"too few": BOXES[:3]},
        },
    ),
    "average_precision": (
        detection.average_precision,
        {"found": FOUND, "truth": TRUTH, "threshold": 0.5, "interpolation": "voc"},
        {
            "found": OTHER_FOUND,
            "truth": {
                "None": None,
                "NaN": [(NOT_FINITE["NaN"], KINDS)],
                "fractions": [(BOXES, KINDS + 0.5)],
            },
            "threshold": NO_SHARES,
            "interpolation": {"another": "area", "None": None},
        },
    ),
    "match_found": (
        detection.match_found,
        {"things": BOXES, "scores": SCORES, "true": BOXES, "threshold": 0.5},
        {
            "things": NO_NUMBERS | NOT_FINITE,
            "scores": NO_SCORES,
            "true": NO_NUMBERS | NOT_FINITE | ONE,
            "threshold": NO_SHARES,
        },
    ),
    "ssd_targets": (
        detection.ssd_targets,
        {"anchors": BOXES, "boxes": [BOXES], "labels": [KINDS]},
        {
            "anchors": NO_BOXES | NOT_FINITE,
            "boxes": {"None": None, "NaN": [NOT_FINITE["NaN"]]},
            "labels": {"None": None, "below 0": [KINDS - 1], "fractions": [KINDS + 0.5]},
        },
    ),
    "selective_search": (
        detection.selective_search,
        {"image": FEATURES[0]},
        {"image": {"None": None, "grey": FEATURES[0, :1], "NaN": spoiled(FEATURES[0], np.nan)}},
    ),
    "said_once": (
        health.said_once,
        {"found": FOUND, "overlap": 0.6},
        {
            "found": {
                "None": None,
                "without labels": [(BOXES, SCORES)],
                "too few scores": [(BOXES, SCORES[:3], KINDS)],
                "NaN for a score": [(BOXES, NO_SCORES["NaN"], KINDS)],
            },
            "overlap": NO_SHARES,
        },
    ),
    "update": (
        tracking.Tracker().update,
        {"boxes": BOXES, "labels": KINDS},
        {"boxes": NO_BOXES | NOT_FINITE | TURNED | ONE, "labels": NO_LABELS},
    ),
    "follow": (
        tracking.follow,
        {"found": FOUND, "least": 0.5, "threshold": 0.4, "across": 0.6},
        {
            "found": {
                "None": None,
                "without labels": [(BOXES, SCORES)],
                "too few scores": [(BOXES, SCORES[:3], KINDS)],
            },
            "least": NO_SHARES,
            "threshold": NO_SHARES,
            "across": NO_SHARES,
        },
    ),
    "count_crossings": (
        tracking.count_crossings,
        {"paths": {0: [(0, BOXES[0])]}, "x": 4, "least": 3},
        {
            "paths": {"None": None, "a list": [BOXES]},
            "x": {"text": "a", "None": None, "NaN": math.nan},
            "least": NO_COUNTS,
        },
    ),
    "identity_switches": (
        tracking.identity_switches,
        {"found": [(BOXES, KINDS, KINDS)], "truth": [(BOXES, KINDS, KINDS)], "threshold": 0.5},
        {"found": {"None": None, "without ids": [(BOXES, KINDS)]}, "threshold": NO_SHARES},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_refused_is_named(name):
    function, right, wrong = CASES[name]
    function(**right)
    for argument, cases in wrong.items():
        for what, value in cases.items():
            with pytest.raises((TypeError, ValueError)) as caught:
                function(**right | {argument: value})
            message = str(caught.value)
            assert argument in message and "got" in message, (argument, what, message)


WHOLE = BOXES.astype(int)


@pytest.mark.parametrize(
    "boxes", [WHOLE, WHOLE.astype(np.uint8), WHOLE.tolist(), BOXES.astype(np.float16)], ids=repr
)
def test_boxes_in_any_dress_are_the_same_boxes(boxes):
    assert detection.nms(boxes, SCORES, 0.5).tolist() == detection.nms(BOXES, SCORES, 0.5).tolist()
    for pool in (detection.roi_align, detection.roi_max_pool):
        y = pool(FEATURES, boxes, KINDS, 2, 0.25)
        np.testing.assert_array_equal(y, pool(FEATURES, BOXES, KINDS, 2, 0.25))


def test_none_at_all_is_asked_for():
    """Counts of 0 are no mistake: nothing is proposed, found or drawn, and nothing breaks."""
    assert len(detection.best_boxes(BOXES, SCORES, 0)) == 0
    boxes, scores = detection.propose(BOXES, SCORES, CODES, 32, before=0)
    assert boxes.shape == (0, 4) and scores.shape == (0,)
    assert detection.propose(BOXES, SCORES, CODES, 32, after=0)[0].shape == (0, 4)
    assert len(detection.sample_matches(KINDS, 0)) == 0
    assert detection.sample_regions(BOXES, BOXES, KINDS, count=0).boxes.shape == (0, 4)
    found = detection.things_found(SAID, MOVES, BOXES, 32, most=0)
    assert [part.shape for part in found] == [(0, 4), (0,), (0,)]
    none = np.zeros((0, 4))
    for array in (none, [], np.zeros((0, 5))):  # what an empty list of boxes may look like
        assert detection.iou(array, BOXES).shape == (0, 4)
        assert detection.crop_masks(MASKS[:0], array).shape == (0, 14, 14)
        assert detection.paste_masks(np.ones((0, 14, 14)), array, 32).shape == (0, 32, 32)
        assert len(tracking.Tracker().update(array, [])) == 0


def test_regions_of_no_image():
    with pytest.raises(ValueError, match="image_index must be empty"):
        detection.roi_align(FEATURES[:0], BOXES, KINDS, 2, 0.25)
