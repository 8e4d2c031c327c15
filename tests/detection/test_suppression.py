"""Non-maximum suppression: by hand, against loops, and where libraries have gone wrong."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.detection import best_boxes, iou, nms, plain, suppression
from helpers.detection import boxes_between, random_boxes
from helpers.drawing import examples
from helpers.refusing import refused

drawn = examples(60)
ROW = np.array([[0, 0, 10, 10], [0, 2, 10, 12], [0, 4, 10, 14], [30, 30, 40, 40]], float)


def test_by_hand():
    # Neighbours in the row overlap by 8/12 = .67, the first and the third by 6/14 = .43.
    assert nms(ROW, [0.9, 0.8, 0.7, 0.6], 0.5).tolist() == [0, 2, 3]
    assert nms(ROW, [0.9, 0.8, 0.7, 0.6], 0.4).tolist() == [0, 3]
    assert nms(ROW, [0.8, 0.9, 0.7, 0.6], 0.5).tolist() == [1, 3]  # it removes both neighbours
    assert nms(ROW, [0.1, 0.2, 0.3, 0.4], 0.7).tolist() == [3, 2, 1, 0]


def test_what_was_removed_removes_nothing():
    """The middle box, removed by the first, must not take the third along."""
    assert nms(ROW[:3], [3, 2, 1], 0.5).tolist() == [0, 2]


def test_empty_lists_and_one_box():
    for boxes in ([], np.zeros((0, 4)), np.zeros((0, 4), np.float32)):
        kept = nms(boxes, [], 0.5)
        assert kept.shape == (0,) and kept.dtype == np.int64
        assert np.zeros((0, 4))[kept].shape == (0, 4)
        assert nms(boxes, np.zeros(0), 0.5, labels=[]).shape == (0,)
    for score in (0.9, 0, -3, np.inf, -np.inf):
        assert nms([[1, 2, 3, 4]], [score], 0).tolist() == [0]


def test_equal_boxes():
    same = np.tile([[0, 0, 5, 5]], (10, 1))
    assert nms(same, np.arange(10), 0.5).tolist() == [9]
    assert nms(same, np.ones(10), 0.5).tolist() == [0]  # the first of equal scores
    assert nms(same, np.arange(10), 1).tolist() == list(range(9, -1, -1))  # 1 is not above 1
    assert nms(same, np.arange(10), 0).tolist() == [9]


def test_equal_scores_keep_the_order_of_the_list():
    apart = np.array([[0, 10 * i, 5, 10 * i + 5] for i in range(300)], float)
    assert nms(apart, np.zeros(300), 0.5).tolist() == list(range(300))
    scores = np.repeat([1, 3, 2], 100)
    expected = [*range(100, 200), *range(200, 300), *range(100)]
    assert nms(apart, scores, 0.5).tolist() == expected


def test_the_threshold_itself_stays():
    half = np.array([[0, 0, 2, 2], [0, 0, 2, 1]], float)  # an overlap of exactly 1/2
    assert nms(half, [2, 1], 0.5).tolist() == [0, 1]
    assert nms(half, [2, 1], 0.4999).tolist() == [0]
    touching = np.array([[0, 0, 2, 2], [0, 2, 2, 4]], float)
    assert nms(touching, [2, 1], 0).tolist() == [0, 1]


def test_empty_boxes_neither_remove_nor_are_removed():
    boxes = np.array([[0, 0, 9, 9], [3, 3, 3, 6], [4, 4, 4, 4], [4, 4, 4, 4], [7, 7, 2, 2]], float)
    assert nms(boxes, [1, 2, 3, 4, 5], 0).tolist() == [4, 3, 2, 1, 0]


def test_integers_and_their_scores():
    boxes = np.array([[250, 0, 255, 5], [0, 0, 5, 5], [250, 0, 255, 5]], np.uint8)
    assert nms(boxes, np.array([1, 2, 3], np.uint8), 0.5).tolist() == [2, 1]
    assert nms(boxes, np.array([False, True, True]), 0.5).tolist() == [1, 2]


def test_classes_leave_each_other_in_peace():
    labels = [0, 1, 0, 1]
    assert nms(ROW, [4, 3, 2, 1], 0.4, labels=labels).tolist() == [0, 1, 3]
    assert (
        nms(ROW, [4, 3, 2, 1], 0.4, labels=[7] * 4).tolist() == nms(ROW, [4, 3, 2, 1], 0.4).tolist()
    )


@pytest.mark.parametrize("block", [1, 2, 7, 256])
@drawn
@given(
    st.integers(0, 30),
    st.sampled_from((0, 0.1, 0.3, 0.5, 0.75, 1)),
    st.sampled_from(("float32", "float64")),
    st.booleans(),
    st.integers(0, 2**32),
    st.data(),
)
def test_is_the_loops(block, n, threshold, dtype, some_ties, seed, data):
    rng = np.random.default_rng(seed)
    boxes = data.draw(boxes_between(0, 20, n)).astype(dtype)
    scores = rng.integers(0, 4, n).astype(dtype) if some_ties else rng.random(n).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suppression, "BLOCK", block)
        kept = nms(boxes, scores, threshold)
        labels = rng.integers(0, 3, n)
        by_class = nms(boxes, scores, threshold, labels=labels)
    wide = boxes.astype(float)
    assert kept.tolist() == plain.nms(wide.tolist(), scores.tolist(), np.float32(threshold))
    # Class by class gives the same as all at once.
    single = [np.flatnonzero(labels == k)[nms(boxes[labels == k], scores[labels == k], threshold)]
              for k in range(3)]  # fmt: skip
    assert sorted(by_class.tolist()) == sorted(np.concatenate(single).tolist())
    assert (np.diff(scores[by_class]) <= 0).all()


def test_many_boxes_in_several_blocks():
    boxes, scores = random_boxes(1500, least=3), np.random.default_rng(1).random(1500)
    kept = nms(boxes, scores, 0.4)
    overlap = iou(boxes, boxes)
    assert (overlap[np.ix_(kept, kept)] - np.eye(len(kept)) <= 0.4).all()
    better = scores[kept] >= scores[:, None]  # everything else was removed by something better
    assert ((overlap[:, kept] > 0.4) & better).any(axis=1)[np.setdiff1d(range(1500), kept)].all()


def test_best_boxes():
    assert best_boxes(ROW, [1, 3, 3, 2], 3).tolist() == [1, 2, 3]
    assert best_boxes(ROW, [1, 3, 3, 2], 99).tolist() == [1, 2, 3, 0]
    assert best_boxes([], [], 5).tolist() == []


def test_bad_input():
    refused(ValueError, ["scores must have shape (4,)", "got (3,)"], nms, ROW, [1, 2, 3], 0.5)
    refused(
        ValueError, ["boxes must have shape (R, 4)", "got (4, 3)"], nms, ROW[:, :3], [1] * 4, 0.5
    )
    refused(ValueError, ["boxes must have shape (R, 4)", "got (4,)"], nms, ROW[0], [1], 0.5)
    refused(ValueError, ["threshold", "at most 1", "got 50"], nms, ROW, [1, 2, 3, 4], 50)
    refused(ValueError, ["labels must have shape (4,)"], nms, ROW, [1, 2, 3, 4], 0.5, [0])
    refused(
        ValueError, ["scores must be numbers, got NaN in 1 of 4"], nms, ROW, [1, np.nan, 3, 4], 0.5
    )
    bad = ROW.copy()
    bad[1, 2] = np.nan
    refused(ValueError, ["boxes must hold finite", "1 of 4"], nms, bad, [1, 2, 3, 4], 0.5)
