"""Boxes: overlaps by hand, against loops and torchvision; masks; the code beside an anchor."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.detection import (
    area,
    boxes_of_masks,
    clip_boxes,
    decode_boxes,
    encode_boxes,
    flip_boxes,
    iou,
    mask_iou,
    plain,
)
from convbook.detection.boxes import LIMIT
from helpers.detection import boxes_between, random_boxes
from helpers.drawing import examples
from helpers.refusing import refused
from helpers.torch_vision import torchvision_models

drawn = examples(60)
BY_HAND = [
    ([0, 0, 2, 2], [0, 0, 2, 2], 1),
    ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7),
    ([0, 0, 2, 2], [0, 1, 2, 3], 1 / 3),
    ([0, 0, 4, 4], [1, 1, 3, 3], 1 / 4),  # one inside the other
    ([0, 0, 2, 2], [0, 2, 2, 4], 0),  # only touching
    ([0, 0, 2, 2], [2, 2, 4, 4], 0),
    ([0, 0, 2, 2], [5, 5, 6, 6], 0),
    ([-3, -3, -1, -1], [-2, -2, 0, 0], 1 / 7),
    ([1, 1, 1, 3], [0, 0, 4, 4], 0),  # no height
    ([1, 1, 1, 1], [1, 1, 1, 1], 0),  # a point is not even like itself
    ([2, 2, 0, 0], [0, 0, 2, 2], 0),  # edges in the wrong order
    ([0, 0, 1, 8], [0, 0, 8, 1], 1 / 15),
]


# --- Overlap -------------------------------------------------------------------------------------


@pytest.mark.parametrize("a, b, expected", BY_HAND)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8"])
def test_iou_by_hand(a, b, expected, dtype):
    a, b = np.array(a, dtype), np.array(b, dtype)
    assert iou(a, b) == pytest.approx(expected, rel=1e-6)
    assert iou(b, a) == pytest.approx(expected, rel=1e-6)
    assert plain.iou(a.tolist(), b.tolist()) == pytest.approx(expected)


def test_iou_of_unsigned_integers_does_not_begin_anew_at_zero():
    a = np.array([[200, 0, 250, 50]], np.uint8)
    assert iou(a, a) == 1 and area(a) == 2500
    assert iou(a, np.array([[0, 0, 50, 50]], np.uint8)) == 0


@drawn
@given(st.integers(0, 7), st.integers(0, 7), st.sampled_from(("float32", "float64")), st.data())
def test_iou_is_the_loops_and_torchvisions(n, m, dtype, data):
    torchvision_models()
    import torch
    from torchvision.ops import boxes as theirs

    a, b = (data.draw(boxes_between(-5, 30, count)).astype(dtype) for count in (n, m))
    found = iou(a, b)
    assert found.shape == (n, m) and found.dtype == dtype
    assert (found >= 0).all() and (found <= 1).all()
    expected = np.array([[plain.iou(x, y) for y in b] for x in a]).reshape(n, m)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(iou(b, a).T, found, atol=1e-6)
    both = theirs.box_iou(torch.tensor(a), torch.tensor(b)).numpy()  # knows no order of axes
    np.testing.assert_allclose(found, np.nan_to_num(both), atol=1e-6)


def test_iou_of_one_box_and_of_none():
    a = [[0, 0, 2, 2], [0, 0, 1, 2]]
    assert iou(a, a[0]).tolist() == [1, 0.5]
    assert iou(a[0], a).tolist() == [1, 0.5]
    assert iou(a[0], a[1]).shape == ()
    for none in ([], np.zeros((0, 4)), np.zeros(0)):
        assert iou(none, a).shape == (0, 2) and iou(a, none).shape == (2, 0)
        assert iou(none, none).shape == (0, 0)
        assert area(none).shape == (0,)


def test_iou_does_not_change_its_arguments():
    a = random_boxes(5)
    before = a.copy()
    iou(a, a)
    np.testing.assert_array_equal(a, before)


def test_small_and_large_boxes_have_no_nan():
    for scale in (1e-30, 1e-15, 1e15):
        overlap = iou(np.array([[0, 0, 1, 1]]) * scale, np.array([[0, 0, 1, 2]]) * scale)
        assert np.isfinite(overlap).all()
    assert iou(np.float32([0, 0, 1e-30, 1e-30]), np.float32([0, 0, 1e-30, 1e-30])) == 0


def test_boxes_bad_input():
    a = np.zeros((2, 4))
    refused(ValueError, ["b must have shape (R, 4)", "got (2, 5)"], iou, a, np.zeros((2, 5)))
    refused(ValueError, ["a must have shape (R, 4)", "(1, 2, 4)"], iou, a[None], a)
    refused(TypeError, ["a must hold", "complex"], iou, a + 1j, a)
    refused(ValueError, ["size", "at least 1", "got 0"], clip_boxes, a, 0)
    refused(ValueError, ["masks must have 3 axes", "got 2"], boxes_of_masks, a)
    refused(ValueError, ["of one size"], mask_iou, np.ones((1, 2, 2)), np.ones((1, 2, 3)))


# --- Masks, and boxes in a picture ---------------------------------------------------------------


def test_mask_iou_by_hand():
    masks = np.zeros((3, 4, 5), bool)
    masks[0, :2, :2], masks[1, 1:3, 1:3] = True, True
    expected = [[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(mask_iou(masks, masks), expected)
    np.testing.assert_allclose(mask_iou(masks * 255, masks), expected)
    assert mask_iou(masks[:0], masks).shape == (0, 3)


def test_the_masks_of_boxes_overlap_as_the_boxes_do():
    rng = np.random.default_rng(0)
    boxes = np.array([[*np.sort(rng.choice(9, 2, False)), *np.sort(rng.choice(9, 2, False))]
                      for _ in range(20)])[:, [0, 2, 1, 3]]  # fmt: skip
    masks = np.zeros((20, 8, 8), bool)
    for mask, (y0, x0, y1, x1) in zip(masks, boxes):
        mask[y0:y1, x0:x1] = True
    np.testing.assert_array_equal(boxes_of_masks(masks), boxes)
    np.testing.assert_allclose(mask_iou(masks, masks), iou(boxes, boxes))


def test_boxes_of_masks():
    masks = np.zeros((2, 6, 7), np.uint8)
    masks[0, 2, 3] = 1
    assert boxes_of_masks(masks).tolist() == [[2, 3, 3, 4], [0, 0, 0, 0]]
    assert boxes_of_masks(masks[:0]).shape == (0, 4)


def test_clip_and_flip():
    boxes = np.array([[-2, 1, 3, 9], [5, 7, 12, 8], [20, 20, 30, 30], [1, 2, 3, 4]], float)
    clipped = clip_boxes(boxes, (10, 8))
    assert clipped.tolist() == [[0, 1, 3, 8], [5, 7, 10, 8], [10, 8, 10, 8], [1, 2, 3, 4]]
    assert area(clipped).tolist() == [21, 5, 0, 4]
    flipped = flip_boxes(boxes[3:], 8)
    assert flipped.tolist() == [[1, 4, 3, 6]]
    assert flip_boxes(flipped, 8).tolist() == boxes[3:].tolist()
    assert clip_boxes([], 5).shape == flip_boxes([], 5).shape == (0, 4)


# --- The code of a box ---------------------------------------------------------------------------


def test_codes_by_hand():
    anchor = [[0, 0, 10, 20]]
    same = encode_boxes(anchor, anchor)
    np.testing.assert_array_equal(same, np.zeros((1, 4)))
    moved = encode_boxes([[1, 4, 11, 24]], anchor)
    np.testing.assert_allclose(moved, [[1, 2, 0, 0]], atol=1e-12)  # a tenth of height, a fifth
    stretched = encode_boxes([[-5, 0, 15, 20]], anchor, spread=(1, 1, 1, 1))
    np.testing.assert_allclose(stretched, [[0, 0, np.log(2), 0]], atol=1e-12)


@drawn
@given(st.integers(0, 6), st.sampled_from(("float32", "float64")), st.integers(0, 2**32))
def test_codes_are_torchvisions_and_lead_back(n, dtype, seed):
    torchvision_models()
    import torch
    from torchvision.models.detection._utils import BoxCoder

    rng = np.random.default_rng(seed)
    anchors = random_boxes(n, least=2, seed=rng).astype(dtype)
    boxes = random_boxes(n, least=2, seed=rng).astype(dtype)
    codes = encode_boxes(boxes, anchors)
    assert codes.dtype == dtype and codes.shape == (n, 4)
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(decode_boxes(codes, anchors), boxes, atol=tolerance)
    theirs, swap = BoxCoder((10.0, 10.0, 5.0, 5.0)), [1, 0, 3, 2]  # (x0, y0, x1, y1)
    expected = theirs.encode_single(
        torch.tensor(boxes[:, swap]), torch.tensor(anchors[:, swap])
    ).numpy()[:, swap]
    np.testing.assert_allclose(codes, expected, atol=tolerance)
    if n:
        wild = (rng.normal(size=(n, 4)) * 3).astype(dtype)
        expected = theirs.decode_single(
            torch.tensor(wild[:, swap]), torch.tensor(anchors[:, swap])
        ).numpy()[:, swap]
        np.testing.assert_allclose(decode_boxes(wild, anchors), expected, rtol=1e-3, atol=1e-3)


def test_an_empty_box_has_a_finite_code_and_training_goes_on():
    anchors = np.array([[0, 0, 10, 10]] * 3, np.float32)
    boxes = np.array([[5, 5, 5, 5], [2, 3, 2, 9], [0, 0, 1e-30, 10]], np.float32)
    with np.errstate(all="raise"):
        codes = encode_boxes(boxes, anchors)
        back = decode_boxes(codes, anchors)
    assert np.isfinite(codes).all() and abs(codes).max() < 25
    assert (back[:, 2:] >= back[:, :2]).all()
    assert (area(back) < 2).all()


@pytest.mark.parametrize("code", [1e3, -1e3, 1e30, -1e30, np.inf, -np.inf])
def test_a_wild_code_is_cut_off(code):
    anchors = np.array([[0, 0, 10, 20]] * 4, np.float32)
    codes = np.where(np.eye(4, dtype=bool), np.float32(code), np.float32(0))  # one wild number each
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        boxes = decode_boxes(codes, anchors)
    assert np.isfinite(boxes).all()
    sizes = boxes[:, 2:] - boxes[:, :2]
    assert (sizes <= 20 * LIMIT * 1.001).all() and (sizes > 0).all()
    assert abs(boxes).max() <= 20 * (LIMIT + 1)
    assert np.isfinite(iou(boxes, anchors)).all()


def test_coding_refuses_what_it_cannot_mend():
    good = np.array([[0, 0, 2, 2]], float)
    refused(ValueError, ["boxes must have y0 <= y1", "(3, 0, 2, 2)", "1 such of 1"],
            encode_boxes, [[3, 0, 2, 2]], good)  # fmt: skip
    refused(ValueError, ["anchors must have a height", "1 empty of 1"],
            encode_boxes, good, [[0, 0, 0, 2]])  # fmt: skip
    for bad in (np.nan, np.inf):
        refused(ValueError, ["boxes must hold finite", "1 of 1"],
                encode_boxes, np.full((1, 4), bad), good)  # fmt: skip
    refused(ValueError, ["codes must be numbers, got NaN in 1 of 1"],
            decode_boxes, good * np.nan, good)  # fmt: skip
    refused(ValueError, ["codes and anchors must have one shape", "(1, 4) and (2, 4)"],
            decode_boxes, good, np.repeat(good, 2, 0))  # fmt: skip
    refused(ValueError, ["spread must hold four"], encode_boxes, good, good, (1, 2))
    assert encode_boxes([], []).shape == decode_boxes([], []).shape == (0, 4)


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 1e25), ("float64", 1e250)])
def test_boxes_of_any_size_overlap_as_small_ones_do(dtype, unit):
    boxes = np.array([[0, 0, 8, 8], [0, 4, 8, 12], [2, 2, 6, 6]], dtype)
    with np.errstate(all="raise"):
        huge = iou(boxes * np.dtype(dtype).type(unit), boxes * np.dtype(dtype).type(unit))
    assert huge.dtype == dtype
    np.testing.assert_allclose(huge, iou(boxes, boxes), rtol=1e-6)
