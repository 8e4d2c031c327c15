"""Faster and Mask R-CNN: five losses whose gradients add up, nothing to be found, and learning."""

import copy

import numpy as np
import pytest

from convbook.detection import average_precision, paste_masks
from convbook.images.scenes import street_scenes
from convbook.models import rcnn
from convbook.models.rcnn import RCNN
from convbook.optimizers import Adam

IMAGES, BOXES, LABELS, MASKS = street_scenes(4, rng=0, most=2)
NAMES = ["something", "proposals", "which", "boxes", "masks"]
small = {"base": 2, "hidden": 8, "rng": 0}


def nothing(count):
    return [np.zeros((0, 4))] * count, [np.zeros(0, int)] * count, [np.zeros((0, 64, 64))] * count


@pytest.mark.parametrize("roi", ["align", "max"])
def test_losses_and_gradients_of_all_parts(roi):
    model = RCNN(roi=roi, **small)
    losses = model.step(IMAGES, BOXES, LABELS, MASKS, rng=0)
    assert list(losses) == NAMES
    assert all(isinstance(v, float) and np.isfinite(v) and v > 0 for v in losses.values())
    assert set(model.grads) == set(model.params)
    assert all(gradient.any() and np.isfinite(gradient).all() for gradient in model.grads.values())
    again = RCNN(roi=roi, **small).step(IMAGES, BOXES, LABELS, MASKS, rng=0)
    assert again == losses


def test_without_masks_it_is_a_faster_rcnn():
    model = RCNN(masks=False, **small)
    losses = model.step(IMAGES, BOXES, LABELS, rng=0)
    assert list(losses) == NAMES[:4]
    assert all(len(entry) == 3 for entry in model.detect(IMAGES))
    with pytest.raises(TypeError, match="masks must be given"):
        RCNN(**small).step(IMAGES, BOXES, LABELS)


@pytest.mark.slow
def test_the_gradients_are_the_numerical_ones(monkeypatch):
    """With fixed proposals, as boxes are chosen and not differentiated by."""
    fixed = np.array([[5, 5, 30, 30], [20, 10, 60, 40], [1, 30, 20, 60], [30, 30, 62, 62]], float)
    monkeypatch.setattr(rcnn, "propose", lambda *_, **__: (fixed, None))
    model = RCNN(base=1, hidden=3, rng=0, shapes=[(16, 16), (20, 30)]).astype(np.float64)
    for array in model.params.values():  # away from the kinks at zero
        array += 0.3 * np.random.default_rng(array.size).standard_normal(array.shape)
    arguments = IMAGES[:2].astype(np.float64), BOXES[:2], LABELS[:2], MASKS[:2]
    model.step(*arguments, rng=1)
    gradients = {name: gradient.copy() for name, gradient in model.grads.items()}
    rng, checked = np.random.default_rng(0), 0
    for name, array in model.params.items():
        index = tuple(rng.integers(n) for n in array.shape)
        ends = []
        for shift in (1e-6, -1e-6):
            before = array[index]
            array[index] = before + shift
            ends.append(sum(model.step(*arguments, rng=1).values()))
            array[index] = before
        numerical = (ends[0] - ends[1]) / 2e-6
        assert gradients[name][index] == pytest.approx(numerical, rel=2e-3, abs=2e-5), name
        checked += 1
    assert checked == len(model.params)


def test_pictures_with_nothing_in_them():
    """Losses of boxes and masks are 0, never NaN, and training goes on."""
    model = RCNN(**small)
    optimizer = Adam(model, lr=1e-2)
    with np.errstate(invalid="raise", divide="raise"):
        losses = model.step(IMAGES, *nothing(4), rng=0)
        optimizer.step()
        mixed = [list(part) for part in (BOXES, LABELS, MASKS)]
        for part, empty in zip(mixed, nothing(1)):
            part[2] = empty[0]
        after = model.step(IMAGES, *mixed, rng=0)
    assert losses["proposals"] == losses["boxes"] == losses["masks"] == 0
    assert losses["something"] > 0 and losses["which"] > 0
    assert all(np.isfinite(v) for v in after.values()) and after["masks"] > 0
    assert all(np.isfinite(p).all() for p in model.params.values())


def test_boxes_of_no_size_do_not_ruin_the_weights():
    model, boxes = RCNN(**small), [b.copy() for b in BOXES]
    boxes[0][0, 2:] = boxes[0][0, :2]
    losses = model.step(IMAGES, boxes, LABELS, MASKS, rng=0)
    assert all(np.isfinite(v) for v in losses.values())
    assert all(np.isfinite(g).all() for g in model.grads.values())


def test_what_is_found_has_its_shapes():
    model = RCNN(**small)
    before = model.state()
    for boxes, scores, labels, masks in model.detect(IMAGES, least=0):
        k = len(boxes)
        assert boxes.shape == (k, 4) and scores.shape == labels.shape == (k,)
        assert masks.shape == (k, 64, 64) and masks.dtype == bool
        assert boxes.min() >= 0 and boxes.max() <= 64 and 0 <= labels.min() <= labels.max() < 4
        assert (np.diff(scores) <= 0).all()
    for boxes, *_, masks in model.detect(IMAGES, least=1):
        assert boxes.shape == (0, 4) and masks.shape == (0, 64, 64)
    assert model.training and all(np.array_equal(before[k], v) for k, v in model.state().items())
    wide = street_scenes(2, rng=1, size=(48, 96))
    assert model.detect(wide[0])[0][3].shape[1:] == (48, 96)
    model.step(*wide, rng=0)
    copy.deepcopy(model).detect(IMAGES[:1])


def test_masks_that_are_not_pasted():
    """Their cells, of what is found without suppression; pasted later they are the same."""
    model = RCNN(**small)
    plain = model.detect(IMAGES[:2], least=0, threshold=1, most=400)
    cells = model.detect(IMAGES[:2], least=0, threshold=1, most=400, paste=False)
    for (boxes, *_, masks), (same, _, _, scores) in zip(plain, cells):
        np.testing.assert_array_equal(boxes, same)
        assert scores.shape == (len(boxes), 14, 14)
        np.testing.assert_array_equal(paste_masks(scores, boxes, 64), masks)
    assert sum(len(entry[0]) for entry in plain) > sum(
        len(entry[0]) for entry in model.detect(IMAGES[:2], least=0, most=400)
    )


def test_weights_are_saved_and_read(tmp_path):
    model = RCNN(**small)
    model.save(tmp_path / "rcnn.npz")
    other = RCNN(**{**small, "rng": 5})
    other.load(tmp_path / "rcnn.npz")
    for ours, theirs in zip(model.detect(IMAGES[:1])[0], other.detect(IMAGES[:1])[0]):
        np.testing.assert_array_equal(ours, theirs)
    assert repr(model) == "RCNN(classes=4, masks=True, roi='align')"


@pytest.mark.slow
def test_it_learns_two_scenes():
    images, boxes, labels, masks = (part[:2] for part in (IMAGES, BOXES, LABELS, MASKS))
    model, rng = RCNN(base=8, hidden=32, rng=0), np.random.default_rng(0)
    optimizer, totals = Adam(model, lr=3e-3), []
    for _ in range(70):
        totals.append(sum(model.step(images, boxes, labels, masks, rng).values()))
        optimizer.step()
    assert totals[-1] < 0.3 * totals[0]
    # The statistics of two pictures alone are what it was trained with.
    found = [entry[:3] for entry in model.detect(images, least=0.3)]
    assert average_precision(found, list(zip(boxes, labels)), 0.5) > 0.5


@pytest.mark.parametrize(("name", "value"), [("classes", 0), ("roi", "mean"), ("base", 0)])
def test_bad_input(name, value):
    with pytest.raises(ValueError, match=name):
        RCNN(**{name: value})
