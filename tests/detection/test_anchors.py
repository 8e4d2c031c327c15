"""Anchors: where they lie, which are on a thing, which are asked; the grid of YOLO."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.detection import (
    anchor_boxes,
    answered_for,
    cells_of,
    iou,
    match_anchors,
    sample_matches,
)
from helpers.detection import boxes_between
from helpers.drawing import examples
from helpers.refusing import refused
from helpers.torch_vision import torchvision_models

drawn = examples(60)


# --- Where they lie ------------------------------------------------------------------------------


def test_anchor_boxes_by_hand():
    boxes = anchor_boxes((1, 2), 8, [(4, 8), (10, 2)])
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[2, 0, 6, 8], [-1, 3, 9, 5], [2, 8, 6, 16], [-1, 11, 9, 13]]


def test_anchor_boxes_have_their_order():
    boxes = anchor_boxes((3, 5), (4, 2), [(1, 1), (3, 5)]).reshape(3, 5, 2, 4)
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    assert (centres[..., 0] == np.array([2, 6, 10])[:, None, None]).all()
    assert (centres[..., 1] == np.array([1, 3, 5, 7, 9])[:, None]).all()
    sizes = boxes[..., 2:] - boxes[..., :2]
    assert (sizes == [[1, 1], [3, 5]]).all()


def test_anchor_boxes_bad_input():
    refused(ValueError, ["shapes must be pairs", "above 0"], anchor_boxes, 4, 8, [(1, 0)])
    refused(ValueError, ["shapes must be pairs"], anchor_boxes, 4, 8, [1, 2])
    refused(ValueError, ["shapes must be pairs"], anchor_boxes, 4, 8, [(1, np.nan)])
    refused(ValueError, ["stride", "at least 1"], anchor_boxes, 4, 0, [(1, 1)])


# --- Which are on a thing ------------------------------------------------------------------------


def test_match_by_hand():
    truth = [[0, 0, 10, 10], [50, 50, 60, 60]]
    anchors = [
        [0, 0, 10, 10],  # the thing itself
        [0, 0, 10, 8],  # .8: above the threshold as well
        [0, 0, 10, 5],  # .5: neither
        [0, 0, 10, 2],  # .2: on none
        [50, 50, 60, 54],  # .4, but no other overlaps the second thing better
        [50, 56, 60, 60],  # .4 too
        [80, 80, 90, 90],
    ]
    kinds, things = match_anchors(anchors, truth)
    assert kinds.tolist() == [1, 1, -1, 0, 1, 1, 0]
    assert things[:6].tolist() == [0, 0, 0, 0, 1, 1]
    assert kinds.dtype == things.dtype == np.int64


def test_without_things_all_anchors_are_negative():
    for truth in ([], np.zeros((0, 4))):
        kinds, things = match_anchors(np.ones((3, 4)), truth)
        assert kinds.tolist() == [0, 0, 0] and things.tolist() == [0, 0, 0]
    kinds, things = match_anchors([], [[0, 0, 1, 1]])
    assert kinds.shape == things.shape == (0,)


def test_a_thing_that_no_anchor_touches_makes_none_positive():
    kinds, _ = match_anchors([[0, 0, 5, 5], [5, 5, 9, 9]], [[50, 50, 60, 60], [3, 3, 3, 8]])
    assert kinds.tolist() == [0, 0]


def test_a_thing_can_have_an_anchor_of_its_own():
    truth = [[0, 0, 10, 10], [0, 0, 10, 6]]
    anchors = [[0, 0, 10, 9]]  # .9 and .67
    assert match_anchors(anchors, truth)[1].tolist() == [0]
    anchors = [[0, 0, 10, 9], [0, 0, 10, 8.2]]  # best for the first: 0, for the second: 1 (.73)
    assert match_anchors(anchors, truth)[1].tolist() == [0, 0]
    kinds, things = match_anchors(anchors, truth, own_anchor=True)
    assert kinds.tolist() == [1, 1] and things.tolist() == [0, 1]


@drawn
@given(st.integers(1, 12), st.integers(1, 4), st.data())
def test_match_is_torchvisions(n, things, data):
    torchvision_models()
    import torch
    from torchvision.models.detection._utils import Matcher, SSDMatcher

    anchors = data.draw(boxes_between(0, 12, n))
    truth = data.draw(boxes_between(0, 12, things))
    overlap = iou(anchors, truth)
    if (overlap.max(axis=0) == 0).any():
        return  # torchvision then takes every anchor for a match of what none touches
    theirs = Matcher(0.7, 0.3, allow_low_quality_matches=True)(torch.tensor(overlap.T)).numpy()
    kinds, found = match_anchors(anchors, truth)
    np.testing.assert_array_equal(kinds, np.where(theirs >= 0, 1, np.where(theirs == -1, 0, -1)))
    np.testing.assert_array_equal(found[kinds == 1], theirs[theirs >= 0])
    theirs = SSDMatcher(0.5)(torch.tensor(overlap.T)).numpy()
    kinds, found = match_anchors(anchors, truth, 0.5, 0.5, own_anchor=True)
    # There only the first of equally good anchors is a thing's own, here all are positive.
    np.testing.assert_array_equal(found[theirs >= 0], theirs[theirs >= 0])
    assert (kinds[theirs >= 0] == 1).all()


def test_match_bad_input():
    boxes = np.ones((2, 4))
    refused(
        ValueError, ["negative must not be above positive"], match_anchors, boxes, boxes, 0.3, 0.5
    )
    refused(ValueError, ["positive", "at most 1"], match_anchors, boxes, boxes, 7)
    refused(ValueError, ["truth must hold finite"], match_anchors, boxes, boxes * np.nan)


# --- Which are asked -----------------------------------------------------------------------------


def test_sample():
    kinds = np.array([1] * 5 + [0] * 50 + [-1] * 20)
    chosen = sample_matches(kinds, 20, rng=0)
    assert (kinds[chosen] == 1).sum() == 5 and (kinds[chosen] == 0).sum() == 15
    assert len(set(chosen.tolist())) == 20
    chosen = sample_matches(kinds, 20, most_positive=0.1, rng=0)
    assert (kinds[chosen[:2]] == 1).all() and (kinds[chosen[2:]] == 0).all()
    assert sample_matches(kinds, 20, rng=3).tolist() == sample_matches(kinds, 20, rng=3).tolist()
    assert len(sample_matches(kinds, 500, 1.0, rng=0)) == 55  # all that there are


@pytest.mark.parametrize("kinds", [[], [-1, -1], [0, 0, 0], [1, 1]])
def test_sample_where_a_kind_is_missing(kinds):
    chosen = sample_matches(np.array(kinds, int), 4, rng=0)
    assert (np.array(kinds, int)[chosen] >= 0).all()
    assert len(chosen) == (2 if kinds == [1, 1] else kinds.count(0))


# --- The grid ------------------------------------------------------------------------------------


def test_cells_by_hand():
    boxes = [[0, 0, 10, 10], [30, 60, 34, 64], [31, 31, 33, 33], [-90, 90, -80, 100]]
    rows, columns = cells_of(boxes, 4, 64)
    assert rows.tolist() == [0, 2, 2, 0] and columns.tolist() == [0, 3, 2, 3]
    rows, columns = cells_of(boxes, (1, 8), (64, 128))
    assert rows.tolist() == [0, 0, 0, 0] and columns.tolist() == [0, 3, 2, 5]
    assert [part.shape for part in cells_of([], 4, 64)] == [(0,), (0,)]


def test_the_largest_thing_has_the_cell():
    boxes = [[0, 0, 4, 4], [0, 0, 10, 10], [0, 0, 10, 10], [0, 40, 2, 42], [2, 2, 2, 9]]
    assert answered_for(boxes, 4, 64).tolist() == [False, True, False, True, False]
    assert answered_for(boxes, 1, 64).tolist() == [False, True, False, False, False]
    assert answered_for([], 4, 64).shape == (0,)


def test_a_finer_grid_loses_fewer_things():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (30, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(2, 12, (30, 2))], axis=1)
    kept = [answered_for(boxes, grid, 64).sum() for grid in (1, 2, 4, 8, 16, 64)]
    assert kept == sorted(kept) and kept[0] == 1 and kept[-1] >= 28
    for grid in (1, 3, 8):  # one for each cell that holds a centre
        assert answered_for(boxes, grid, 64).sum() == len(
            set(zip(*map(list, cells_of(boxes, grid, 64))))
        )
