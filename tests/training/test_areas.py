"""How well two areas agree: Dice's coefficient and the intersection over the union."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.losses import SoftDiceLoss
from convbook.training import (
    area_iou,
    balanced_weights,
    class_ious,
    confusion_matrix,
    dice,
)
from convbook.training.metrics import near_edges
from helpers.drawing import examples
from helpers.refusing import refused

drawn = examples(60)


@given(st.integers(0, 1000), st.floats(0, 1), st.floats(0, 1))
@drawn
def test_both_are_what_sets_of_pixels_say(seed, many, few):
    rng = np.random.default_rng(seed)
    found, truth = rng.random((3, 1, 5, 4)) < many, rng.random((3, 1, 5, 4)) < few
    for f, t, d, j in zip(found, truth, dice(found, truth), area_iou(found, truth), strict=True):
        f, t = (set(np.flatnonzero(area)) for area in (f, t))
        assert d == (2 * len(f & t) / (len(f) + len(t)) if f or t else 1)
        assert j == (len(f & t) / len(f | t) if f or t else 1)
        assert j == pytest.approx(d / (2 - d))


def test_zeros_and_ones_of_any_dtype():
    found, truth = [[[1, 1], [0, 0]]], [[[1, 0], [0, 0]]]
    for dtype in (bool, np.uint8, int, np.float32):
        assert dice(np.array(found, dtype), np.array(truth)).tolist() == [2 / 3]
    assert dice(found, truth).tolist() == [2 / 3] and area_iou(found, truth).tolist() == [0.5]


def test_the_loss_of_certain_scores_is_what_is_missing_to_one():
    rng = np.random.default_rng(0)
    found, truth = rng.random((2, 4, 1, 6, 6)) < 0.4
    loss = SoftDiceLoss(smooth=0)(np.where(found, 50.0, -50.0), truth)
    assert loss == pytest.approx(1 - dice(found, truth).mean())


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (np.full((2, 1, 3, 3), 255, np.uint8), "found must be True or 1.*a mask of 0 and 255"),
        (np.full((2, 1, 3, 3), 0.3), "found must be .* from 0.3 to 0.3: scores become an area by"),
        (np.full((2, 1, 3, 3), np.nan), "found must be True or 1"),
        (np.zeros((2, 3, 3), bool), r"found must have shape \(2, 1, 3, 3\), got \(2, 3, 3\)"),
        (np.zeros(2, bool), "found must have an axis for images and more"),
    ],
)
def test_what_is_no_area_is_refused(found, said):
    with pytest.raises(ValueError, match=said):
        dice(found, np.zeros((2, 1, 3, 3), bool))
    with pytest.raises(ValueError, match="truth"):
        area_iou(np.zeros((2, 1, 3, 3), bool), 2 + np.zeros((2, 1, 3, 3)))


# --- Classes of pixels ---------------------------------------------------------------------------


def test_class_ious_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = np.array([0, 0, 1, 1, 1, 1])
    ious = class_ious(confusion_matrix(labels, found, 4))
    np.testing.assert_allclose(ious, [2 / 3, 2 / 4, 0, np.nan])
    assert np.nanmean(ious) == pytest.approx((2 / 3 + 1 / 2) / 3)


@given(st.integers(0, 1000), st.integers(1, 5))
@drawn
def test_class_ious_are_those_of_areas(seed, classes):
    rng = np.random.default_rng(seed)
    labels, found = rng.integers(0, classes, (2, 30))
    ious = class_ious(confusion_matrix(labels, found, classes))
    for k, iou in enumerate(ious):
        area = area_iou((found == k)[None], (labels == k)[None])[0]
        there = (found == k).any() or (labels == k).any()
        assert iou == pytest.approx(area) if there else np.isnan(iou)


def test_balanced_weights():
    labels = np.repeat([0, 1, 2], [80, 16, 4]).reshape(10, 10)
    np.testing.assert_allclose(balanced_weights(labels, 3, 1), [1 / 5, 1, 4])
    np.testing.assert_allclose(balanced_weights(labels, 3), np.sqrt([1 / 5, 1, 4]))
    assert balanced_weights(labels, 3, 0).tolist() == [1, 1, 1]
    assert balanced_weights(labels, 4)[3] == 1  # a class that does not occur
    assert balanced_weights(np.zeros(0, int), 2).tolist() == [1, 1]


@given(st.integers(0, 1000), st.integers(1, 3))
@drawn
def test_near_edges_are_pixels_with_another_class_in_the_square_around_them(seed, reach):
    labels = np.random.default_rng(seed).integers(0, 3, (2, 5, 7)) // 2
    near = near_edges(labels, reach)
    for n, i, j in np.ndindex(labels.shape):
        around = labels[n, max(0, i - reach) : i + reach + 1, max(0, j - reach) : j + reach + 1]
        assert near[n, i, j] == (around != labels[n, i, j]).any()


def test_classes_of_pixels_bad_input():
    refused(
        ValueError, ["counts must be a confusion matrix", "(2, 3)"], class_ious, np.ones((2, 3))
    )
    refused(ValueError, ["labels must be from 0 to 1", "2"], balanced_weights, [0, 2], 2)
    refused(ValueError, ["labels must have shape (N, H, W)", "(2, 2)"], near_edges, np.eye(2))
    refused(ValueError, ["reach must be an integer of at least 1"], near_edges, [[[0]]], 0)
    refused(ValueError, ["power", "at most 1"], balanced_weights, [0], 2, 2)
