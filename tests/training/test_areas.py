"""How well two areas agree: Dice's coefficient and the intersection over the union."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from convbook.losses import SoftDiceLoss
from convbook.training import area_iou, dice

drawn = settings(deadline=None, derandomize=True, max_examples=60)


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
