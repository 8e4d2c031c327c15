"""Regions of interest: by hand, against loops, torchvision and differences; borders and layers."""

import copy
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.detection import (
    ChosenLoss,
    RoIAlign,
    RoIMaxPool,
    plain,
    roi_align,
    roi_align_backward,
    roi_max_pool,
    roi_max_pool_backward,
)
from convbook.detection.roi import MaxRegions, checked_regions
from convbook.layers import Conv2d, Flatten, Linear, ReLU, Sequential, Tape, call
from convbook.losses import BCEWithLogitsLoss, SmoothL1Loss, SoftmaxCrossEntropy
from helpers.detection import boxes_between, random_boxes
from helpers.drawing import arranged, examples
from helpers.gradients import numerical_gradient, relative_error
from helpers.refusing import refused
from helpers.torch_vision import torchvision_models

drawn = examples(50)
RAMP = np.arange(16.0).reshape(1, 1, 4, 4)
POOLS = [(roi_max_pool, roi_max_pool_backward), (roi_align, roi_align_backward)]


def normal(shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@st.composite
def regions(draw):
    """Draw features, boxes that may reach over the border, their images, a size and a scale."""
    n, c, h, w = (draw(st.integers(1, most)) for most in (3, 3, 7, 7))
    scale = draw(st.sampled_from((1, 0.5, 0.25, 0.3)))
    count = draw(st.integers(0, 6))
    boxes = draw(boxes_between(-2 / scale, 9 / scale, count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    features = np.round(rng.normal(size=(n, c, h, w)), draw(st.sampled_from((0, 3))))  # with ties
    return features, boxes, rng.integers(0, n, count), draw(st.integers(1, 4)), scale


# --- Max pooling ---------------------------------------------------------------------------------


def test_max_pool_by_hand():
    # From cell round(0.5 · 0) to cell round(0.5 · 6) = 3, all four of them; halves of two cells.
    assert roi_max_pool(RAMP, [[0, 0, 6, 6]], [0], 2, 0.5).tolist() == [[[[5, 7], [13, 15]]]]
    # Cells 1 to 3: parts of three cells in two, which share the middle one.
    assert roi_max_pool(RAMP, [[2, 2, 6, 6]], [0], 2, 0.5).tolist() == [[[[10, 11], [14, 15]]]]
    # round(.5 · 1) = 1 and round(.5 · 2.9) = 1: a single cell, which all parts share.
    assert roi_max_pool(RAMP, [[1, 1, 2.9, 2.9]], [0], 2, 0.5).tolist() == [[[[5, 5], [5, 5]]]]
    assert roi_max_pool(RAMP, [[0, 0, 3, 3]], [0], (1, 4), 1).tolist() == [[[[12, 13, 14, 15]]]]


def test_rounding_is_away_from_zero_and_moves_the_box():
    same = [[0.5, 0.5, 1.5, 1.5], [0.6, 1.4, 2.4, 1.6]]
    # 0.5 -> 1 and 1.5 -> 2; NumPy's own rounding would make 0 of the first.
    assert roi_max_pool(RAMP, same[:1], [0], 1, 1).item() == 10
    assert roi_max_pool(RAMP, same[1:], [0], 1, 1).item() == 10
    # -0.5 -> -1: a region of cells -1 to 0, in two parts; the first has nothing in it.
    assert roi_max_pool(RAMP + 1, [[-0.5, 0, 0, 0]], [0], (2, 1), 1)[0, 0, :, 0].tolist() == [0, 1]


def test_max_pool_gradient_by_hand():
    dy = [[[[1, 2], [4, 8]]]]
    dx = roi_max_pool_backward(dy, RAMP, [[2, 2, 6, 6]], [0], 2, 0.5)
    assert dx[0, 0].tolist() == [[0] * 4, [0] * 4, [0, 0, 1, 2], [0, 0, 4, 8]]
    ties = roi_max_pool_backward(dy, np.zeros((1, 1, 4, 4)), [[0, 0, 3, 3]], [0], 2, 1)
    assert ties[0, 0].tolist() == [[1, 0, 2, 0], [0] * 4, [4, 0, 8, 0], [0] * 4]  # the first wins
    twice = roi_max_pool_backward(
        np.tile(dy, (2, 1, 1, 1)), RAMP, [[2, 2, 6, 6]] * 2, [0, 0], 2, 0.5
    )
    np.testing.assert_array_equal(twice, 2 * dx)


@drawn
@given(regions())
def test_max_pool_is_the_loops(drawn_regions):
    features, boxes, index, size, scale = drawn_regions
    y = roi_max_pool(features, boxes, index, size, scale)
    np.testing.assert_array_equal(y, plain.roi_max_pool(features, boxes, index, size, scale))
    dy = normal(y.shape)
    dx = roi_max_pool_backward(dy, features, boxes, index, size, scale)
    # Each dy arrives at a cell of the value that it belongs to, in its own image and channel.
    assert dx.shape == features.shape
    regions = MaxRegions(*checked_regions(features, boxes, index, size, scale))
    parts = np.concatenate([np.zeros(0, int), *(parts for parts, _ in regions.groups)])
    cells, places = features.transpose(0, 2, 3, 1).reshape(-1), regions.places()
    values, gradients = (a.transpose(0, 2, 3, 1).reshape(-1, a.shape[1]) for a in (y, dy))
    np.testing.assert_array_equal(values[parts], cells[places])
    assert (np.delete(values, parts, axis=0) == 0).all()
    expected = np.zeros(cells.shape)
    np.add.at(expected, places, gradients[parts])
    np.testing.assert_allclose(dx.transpose(0, 2, 3, 1).reshape(-1), expected, atol=1e-12)


# --- RoIAlign ------------------------------------------------------------------------------------


def test_align_by_hand():
    # The whole map: each sample of a ramp is exact, and so is their average, until the border,
    # beyond which values go on.
    assert roi_align(RAMP, [[1, 1, 3, 3]], [0], 1, 1).item() == 7.5
    assert roi_align(RAMP, [[1, 1, 2, 2]], [0], 1, 1).item() == 5  # one cell, its centre
    assert roi_align(RAMP, [[1, 1, 3, 3]], [0], 2, 1).tolist() == [[[[5, 6], [9, 10]]]]
    moved = roi_align(RAMP, [[1.25, 1, 3.25, 3]], [0], 2, 1)
    assert moved.tolist() == [[[[6, 7], [10, 11]]]]  # a quarter of a cell down is a quarter of 4
    assert roi_align(RAMP, [[4, 4, 12, 12]], [0], 2, 0.25).tolist() == [[[[5, 6], [9, 10]]]]


def test_without_the_half_everything_sits_half_a_cell_aside():
    boxes = [[0.5, 0.5, 2.5, 2.5]]
    there = roi_align(RAMP, boxes, [0], 2, 1, aligned=False)
    np.testing.assert_allclose(there - roi_align(RAMP, boxes, [0], 2, 1), (4 + 1) / 2)


@drawn
@given(regions(), st.integers(1, 3))
def test_align_is_the_loops(drawn_regions, samples):
    features, boxes, index, size, scale = drawn_regions
    y = roi_align(features, boxes, index, size, scale, samples)
    expected = plain.roi_align(features, boxes, index, size, scale, samples)
    np.testing.assert_allclose(y, expected, atol=1e-9)
    half = roi_align(features.astype(np.float32), boxes, index, size, scale, samples)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, expected, atol=2e-5)


@drawn
@given(regions(), st.integers(1, 3), st.booleans())
def test_align_is_torchvisions(drawn_regions, samples, aligned):
    torchvision_models()
    import torch
    from torchvision.ops.roi_align import _roi_align

    features, boxes, index, size, scale = drawn_regions
    boxes = np.clip(boxes, 0, np.tile(features.shape[2:], 2) / scale)  # its Python forgets outside
    rois = np.concatenate([index[:, None], boxes[:, [1, 0, 3, 2]]], axis=1)
    x = torch.tensor(features, requires_grad=True)
    expected = _roi_align.__wrapped__(x, torch.tensor(rois), scale, size, size, samples, aligned)
    y = roi_align(features, boxes, index, size, scale, samples, aligned)
    if not aligned:  # regions are made a cell large, and may then reach outside
        inside = (boxes[:, 2:] - boxes[:, :2] >= 1 / scale).all(axis=1)
        y, expected = y[inside], expected[torch.tensor(inside)]
        boxes, index = boxes[inside], index[inside]
    np.testing.assert_allclose(y, expected.detach().numpy(), atol=1e-9)
    dy = normal(y.shape)
    expected.backward(torch.tensor(dy))
    dx = roi_align_backward(dy, features, boxes, index, size, scale, samples, aligned)
    np.testing.assert_allclose(dx, x.grad.numpy(), atol=1e-9)


# --- Both ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool, backward", POOLS)
def test_gradients_are_the_numerical_ones(pool, backward):
    features = normal((2, 2, 5, 6))
    boxes, index = random_boxes(7, -4, 26), np.array([0, 1, 1, 0, 1, 0, 0])
    y = pool(features, boxes, index, (2, 3), 0.25)
    dy = normal(y.shape, seed=1)
    dx = backward(dy, features, boxes, index, (2, 3), 0.25)
    numerical = numerical_gradient(lambda: pool(features, boxes, index, (2, 3), 0.25), features, dy)
    assert relative_error(dx, numerical) < 1e-6


@pytest.mark.parametrize("pool, backward", POOLS)
def test_no_boxes(pool, backward):
    for n in (0, 2):
        features = normal((n, 3, 4, 5))
        for boxes, index in (([], []), (np.zeros((0, 4)), np.zeros(0, int))):
            y = pool(features, boxes, index, (2, 3), 0.5)
            assert y.shape == (0, 3, 2, 3)
            dx = backward(y, features, boxes, index, (2, 3), 0.5)
            assert dx.shape == features.shape and not dx.any()


@pytest.mark.parametrize("pool, backward", POOLS)
def test_images_without_a_box_and_boxes_in_any_order(pool, backward):
    features = normal((4, 2, 5, 5))
    boxes, index = random_boxes(6, 0, 20), np.array([3, 0, 3, 2, 0, 3])
    together = pool(features, boxes, index, 3, 0.25)
    for r, i in enumerate(index):
        alone = pool(features[i : i + 1], boxes[r : r + 1], [0], 3, 0.25)
        np.testing.assert_allclose(together[r], alone[0], atol=1e-12)
    dx = backward(together, features, boxes, index, 3, 0.25)
    assert not dx[1].any() and all(dx[i].any() for i in (0, 2, 3))


@pytest.mark.parametrize("pool, backward", POOLS)
def test_boxes_outside_and_of_no_size(pool, backward):
    features = np.abs(normal((1, 2, 4, 4))) + 1
    outside = [[-90, -90, -50, -50], [0, 80, 10, 90], [1e6, 1e6, 2e6, 2e6], [-1e300, 0, 1e300, 16]]
    y = pool(features, outside, [0] * 4, 2, 0.25)
    assert not y[:3].any() and np.isfinite(y).all()
    dx = backward(np.ones_like(y[:3]), features, outside[:3], [0] * 3, 2, 0.25)
    assert not dx.any()
    point = pool(features, [[8, 8, 8, 8]], [0], 3, 0.25)
    assert (point == point[:, :, :1, :1]).all() and (point > 0).all()
    corner = pool(features, [[-8, -8, 8, 8]], [0], 2, 0.25)  # its upper left quarter is outside
    assert (corner[0, :, 1, 1] > 0).all()


@pytest.mark.parametrize("pool, backward", POOLS)
@pytest.mark.parametrize("order", ["F", "channels-last", "every other", "reversed", "read-only"])
def test_any_order_in_memory(pool, backward, order):
    features, boxes, index = normal((2, 3, 5, 4)), random_boxes(4, 0, 20), [1, 0, 0, 1]
    y = pool(features, boxes, index, 2, 0.25)
    dy = normal(y.shape)
    dx = backward(dy, features, boxes, index, 2, 0.25)
    moved, moved_dy = arranged(features, order), arranged(dy, order)
    np.testing.assert_allclose(pool(moved, boxes, index, 2, 0.25), y, atol=1e-12)
    np.testing.assert_allclose(backward(moved_dy, moved, boxes, index, 2, 0.25), dx, atol=1e-12)
    np.testing.assert_array_equal(moved, features)


def test_dtypes():
    boxes, index = random_boxes(3, 0, 16), [0, 0, 0]
    whole = np.arange(16).reshape(1, 1, 4, 4)
    assert roi_max_pool(whole, boxes, index, 2, 0.25).dtype == whole.dtype
    assert roi_max_pool(whole > 7, boxes, index, 2, 0.25).dtype == bool
    assert roi_align(whole, boxes, index, 2, 0.25).dtype == np.float64
    for dtype in (np.float16, np.float32):
        y = roi_align(whole.astype(dtype), boxes, index, 2, 0.25)
        assert y.dtype == dtype
        for backward in (roi_align_backward, roi_max_pool_backward):
            assert backward(y, whole.astype(dtype), boxes, index, 2, 0.25).dtype == dtype
        boxes = boxes.astype(dtype)
    assert roi_align(whole, boxes.astype(int), index, 2, 0.25).dtype == np.float64


def test_infinity_and_nan_reach_only_the_boxes_that_see_them():
    features = normal((1, 1, 8, 8))
    bad = features.copy()
    bad[0, 0, 6, 6], bad[0, 0, 0, 7], bad[0, 0, 7, 0] = np.inf, np.nan, -np.inf
    boxes = [[0, 0, 4, 4], [5, 5, 8, 8], [0, 6, 2, 8], [5, 0, 8, 2]]
    with np.errstate(invalid="raise"):
        y, clean = (roi_align(x, boxes, [0] * 4, 2, 1) for x in (bad, features))
        dy = y.copy()
        dy[0] = 1
        dx = roi_align_backward(dy, features, boxes, [0] * 4, 2, 1)
    np.testing.assert_array_equal(y[0], clean[0])
    assert (y[1] == np.inf).any() and np.isnan(y[2]).any() and (y[3] == -np.inf).any()
    assert np.isfinite(dx[0, 0, :4, :4]).all() and not np.isfinite(dx).all()
    pooled = roi_max_pool(bad, boxes, [0] * 4, 2, 1)
    assert np.isfinite(pooled[0]).all() and np.isnan(pooled[2]).any() and np.isinf(pooled[1]).any()


@pytest.mark.parametrize("pool, backward", POOLS)
def test_bad_input(pool, backward):
    x, box = np.zeros((2, 1, 4, 4)), [[0, 0, 4, 4]]
    refused(ValueError, ["features must have 4 axes", "got 3"], pool, x[0], box, [0], 2, 1)
    refused(ValueError, ["boxes must have shape (R, 4)"], pool, x, [[0, 0, 4]], [0], 2, 1)
    refused(ValueError, ["boxes must have shape (R, 4)"], pool, x, box[0], [0], 2, 1)
    refused(ValueError, ["image_index must have shape (1,)", "(2,)"], pool, x, box, [0, 1], 2, 1)
    refused(ValueError, ["image_index must be from 0 to 1", "2"], pool, x, box, [2], 2, 1)
    refused(ValueError, ["image_index must be from 0 to 1", "-1"], pool, x, box, [-1], 2, 1)
    refused(TypeError, ["image_index must be integers"], pool, x, box, [0.0], 2, 1)
    refused(ValueError, ["size", "at least 1", "got 0"], pool, x, box, [0], 0, 1)
    for scale in (0, math.inf):
        refused(ValueError, ["scale must be a finite number above 0"], pool, x, box, [0], 2, scale)
    refused(ValueError, ["boxes must have y0 <= y1"], pool, x, [[3, 0, 2, 2]], [0], 2, 1)
    refused(ValueError, ["boxes must hold finite"], pool, x, [[0, 0, np.nan, 2]], [0], 2, 1)
    refused(
        ValueError,
        ["dy must have shape (1, 1, 2, 2)"],
        backward,
        np.zeros((1, 1, 3, 3)),
        x,
        box,
        [0],
        2,
        1,
    )
    if pool is roi_align:
        refused(ValueError, ["samples", "at least 1"], pool, x, box, [0], 2, 1, 0)


# --- Layers --------------------------------------------------------------------------------------

LAYERS = [RoIMaxPool(3, 0.25), RoIAlign(3, 0.25), RoIAlign((2, 4), 0.5, samples=1, aligned=False)]
every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


@every_layer
def test_layers_are_the_functions(layer):
    features, boxes, index = normal((2, 3, 6, 6)), random_boxes(5, 0, 20), np.array([0, 1, 1, 0, 1])
    y = layer(features, boxes, index)
    dy = normal(y.shape, seed=1)
    dx, *others = layer.backward(dy)
    if isinstance(layer, RoIAlign):
        more = (layer.size, layer.scale, layer.samples, layer.aligned)
        forward, backward = roi_align, roi_align_backward
    else:
        more, forward, backward = (layer.size, layer.scale), roi_max_pool, roi_max_pool_backward
    np.testing.assert_array_equal(y, forward(features, boxes, index, *more))
    np.testing.assert_array_equal(dx, backward(dy, features, boxes, index, *more))
    assert others == [None, None]
    assert layer.backward(dy, need_dx=False) is None
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(twin.backward(dy)[0], dx)


@every_layer
def test_layers_say_what_is_wrong(layer):
    with pytest.raises(ValueError, match="RoI.*image_index must be from 0 to 0"):
        layer(normal((1, 2, 4, 4)), [[0, 0, 4, 4]], [3])
    with pytest.raises(RuntimeError, match="before forward"):
        type(layer)(2, 0.5).backward(np.zeros((1, 1, 2, 2)))
    with pytest.raises(ValueError, match="scale"):
        type(layer)(2, 0)
    with pytest.raises(ValueError, match="size"):
        type(layer)(0, 1)


@every_layer
def test_two_calls_and_a_tape_give_the_sum(layer):
    """A head reads the boxes of two steps from one feature map: the gradient is a sum."""
    body = Sequential(Conv2d(2, 3, 3, padding=1, rng=0), ReLU()).astype(np.float64)
    oh, ow = layer.size if isinstance(layer.size, tuple) else (layer.size, layer.size)
    head = Sequential(Flatten(), Linear(3 * oh * ow, 2, rng=1)).astype(np.float64)
    x, index = normal((2, 2, 6, 6)), np.array([0, 1, 1])
    first, second = random_boxes(3, 0, 20, seed=1), random_boxes(3, 0, 20, seed=2)

    f, body_back = call(body.clear_grads(), x)
    (r, r_back), (s, s_back) = call(layer, f, first, index), call(layer, f, second, index)
    (a, a_back), (b, b_back) = call(head.clear_grads(), r), call(head, s)
    da, db = normal(a.shape, seed=3), normal(b.shape, seed=4)
    df = r_back(a_back(da))[0] + s_back(b_back(db))[0]
    body_back(df)
    by_hand = {name: g.copy() for name, g in {**body.grads, **head.grads}.items()}

    tape = Tape(body, head)
    f = tape(body, x)
    a, b = tape(head, tape(layer, f, first, index)), tape(head, tape(layer, f, second, index))
    tape.backward((a, da), (b, db))
    for name, gradient in {**body.grads, **head.grads}.items():
        np.testing.assert_allclose(gradient, by_hand[name], atol=1e-12)


@every_layer
def test_a_step_without_a_box(layer):
    body = Conv2d(1, 2, 3, padding=1, rng=0)
    tape = Tape(body)
    f = tape(body, normal((2, 1, 6, 6)))
    y = tape(layer, f, np.zeros((0, 4)), np.zeros(0, int))
    tape.backward((y, np.zeros_like(y)))
    assert not body.grads["f"].any() and np.isfinite(body.grads["f"]).all()


# --- Losses of what was chosen -------------------------------------------------------------------


def test_a_chosen_loss_is_that_of_the_chosen_part():
    predictions, targets = normal((6, 4)), normal((2, 4), seed=1)
    loss, own = ChosenLoss(SmoothL1Loss()), SmoothL1Loss()
    for chosen in (np.array([4, 1]), [4, 1]):
        assert loss(predictions, targets, chosen) == own(predictions[[4, 1]], targets)
        dy = loss.backward()
        np.testing.assert_array_equal(dy[[4, 1]], own.backward())
        assert not dy[[0, 2, 3, 5]].any()
    mask = np.array([0, 1, 0, 0, 1, 0], bool)
    assert loss(predictions, targets[::-1], mask) == pytest.approx(
        own(predictions[[4, 1]], targets)
    )
    # One mask of each region, that of its class.
    masks, answers = normal((3, 2, 4, 4)), (normal((2, 4, 4)) > 0).astype(float)
    loss, own = ChosenLoss(BCEWithLogitsLoss()), BCEWithLogitsLoss()
    chosen = np.array([0, 2]), np.array([1, 0])
    assert loss(masks, answers, chosen) == own(masks[chosen], answers)
    assert np.count_nonzero(loss.backward()) == 32


@pytest.mark.parametrize(
    "own", [SmoothL1Loss(), BCEWithLogitsLoss(), SoftmaxCrossEntropy()], ids=repr
)
@pytest.mark.parametrize(
    "chosen", [[], np.zeros(5, bool), np.zeros(0, int)], ids=["list", "mask", "ints"]
)
def test_nothing_chosen_is_a_loss_of_zero_and_never_nan(own, chosen):
    loss = ChosenLoss(own)
    targets = np.zeros(0, int) if isinstance(own, SoftmaxCrossEntropy) else np.zeros((0, 4))
    predictions = normal((5, 4), dtype=np.float32)
    with np.errstate(all="raise"):
        assert loss(predictions, targets, chosen) == 0
        dy = loss.backward()
    assert dy.shape == (5, 4) and dy.dtype == np.float32 and not dy.any()


def test_a_chosen_loss_says_what_is_wrong():
    loss = ChosenLoss(SmoothL1Loss())
    assert repr(loss) == "ChosenLoss(loss=SmoothL1Loss())"
    with pytest.raises(RuntimeError, match="before forward"):
        loss.backward()
    with pytest.raises(ValueError, match="ChosenLoss.*targets must have shape"):
        loss(normal((5, 4)), normal((3, 4)), [0, 1])
