"""YOLO and SSD: shapes, gradients, and learning; R-CNN and Fast R-CNN on given regions."""

import numpy as np
import pytest

from convbook.detection import (
    MultiBoxLoss,
    YoloLoss,
    average_precision,
    ssd_found,
    ssd_targets,
    yolo_found,
    yolo_targets,
)
from convbook.functional import softmax
from convbook.images.scenes import street_scenes
from convbook.models.one_stage import MAPS, SSD, yolo
from convbook.models.rcnn import RCNN
from convbook.models.region_cnn import fast_found, rcnn_found, region_cnn, warped
from convbook.optimizers import Adam
from convbook.training import fit, predict
from helpers.refusing import refused

IMAGES, BOXES, LABELS, _ = street_scenes(8, rng=0, most=2, size=64)


@pytest.mark.parametrize("grid", [4, 8, 16])
def test_a_yolo_says_what_its_loss_wants(grid):
    model = yolo(grid=grid, base=2, rng=0)
    y = model(IMAGES)
    assert y.shape == (8, 14, grid, grid)
    loss = YoloLoss()
    assert loss(y, yolo_targets(BOXES, LABELS, grid, 64, 4)) > 0
    assert model.backward(loss.backward()).shape == IMAGES.shape
    assert yolo(grid=grid, classes=3, boxes=1, base=2)(IMAGES).shape == (8, 8, grid, grid)


def test_an_ssd_says_something_of_every_anchor():
    model = SSD(base=2, rng=0)
    anchors = model.anchors(64)
    y = model(IMAGES)
    assert y.shape == (8, len(anchors), 9)
    # The anchors are in the order of the answers: a bright spot changes those that lie around it.
    spot = np.zeros((1, 3, 64, 64), np.float32)
    spot[:, :, 40:44, 8:12] = 5
    model.eval()
    changed = abs(model(spot) - model(0 * spot)).max(axis=2)[0]
    middles = (anchors[:, :2] + anchors[:, 2:]) / 2
    away = abs(middles - (42, 10)).max(axis=1)
    for part in (slice(0, 1024), slice(1024, None)):
        assert away[part][changed[part] > 1e-6].max() < 45
        assert away[part][changed[part].argmax()] < 16
    assert model.anchors((32, 64)).shape == (8 * 16 * 4 + 4 * 8 * 5, 4)


def test_gradients_are_the_numerical_ones():
    """Along a random direction of everything at once: both ways to the fine map count."""
    model, rng = SSD(base=2, rng=0).astype(np.float64), np.random.default_rng(0)
    for array in model.params.values():
        array += 0.2 * rng.standard_normal(array.shape)
    x = rng.standard_normal((2, 3, 16, 16))
    dy = rng.standard_normal(model(x).shape)
    gradients = {"x": model.backward(dy), **model.grads}
    arrays = {"x": x, **model.params}
    for name, array in arrays.items():
        way, before, ends = rng.standard_normal(array.shape), array.copy(), []
        for shift in (1e-6, -1e-6):
            array[...] = before + shift * way
            ends.append((model(x) * dy).sum())
        array[...] = before
        numerical = (ends[0] - ends[1]) / 2e-6
        assert (gradients[name] * way).sum() == pytest.approx(numerical, rel=1e-4, abs=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["yolo", "ssd"])
def test_they_learn_a_few_scenes_by_heart(kind):
    if kind == "yolo":
        model, loss = yolo(base=8, rng=0), YoloLoss()
        targets = yolo_targets(BOXES, LABELS, 8, 64, 4)
        find = lambda: yolo_found(predict(model, IMAGES), 64)  # noqa: E731
    else:
        model, loss = SSD(base=8, rng=0), MultiBoxLoss()
        anchors = model.anchors(64)
        targets = ssd_targets(anchors, BOXES, LABELS)
        find = lambda: ssd_found(predict(model, IMAGES), anchors, 64)  # noqa: E731
    fit(
        model, IMAGES, targets, epochs=60, batch_size=8, loss=loss,
        optimizer=Adam(model, lr=4e-3), metrics={}, progress=False,
    )  # fmt: skip
    assert average_precision(find(), list(zip(BOXES, LABELS))) > 0.8


def test_the_same_seed_makes_the_same_network():
    for make in (yolo, SSD, region_cnn):
        a, b = make(base=2, rng=3).state(), make(base=2, rng=3).state()
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_bad_input():
    refused(ValueError, ["grid must be one of 4, 8, 16", "got 7"], yolo, grid=7)
    refused(ValueError, ["boxes must be an integer of at least 1", "got 0"], yolo, boxes=0)
    refused(ValueError, ["maps must be two, with strides 4 and 8"], SSD, maps=MAPS[:1])
    refused(ValueError, ["classes"], SSD, classes=0)
    refused(ValueError, ["hidden"], region_cnn, hidden=0)
    refused(ValueError, ["image must have 3 axes (3, H, W), got 4"], warped, IMAGES, BOXES[0])


# --- Regions from elsewhere ----------------------------------------------------------------------


def test_a_region_of_the_networks_size_is_the_part_of_the_picture():
    parts = warped(IMAGES[0], np.array([[10, 20, 42, 52], [0, 0, 64, 64]]))
    assert parts.shape == (2, 3, 32, 32)
    np.testing.assert_allclose(parts[0], IMAGES[0, :, 10:42, 20:52], atol=1e-6)
    np.testing.assert_allclose(
        parts[1], IMAGES[0].reshape(3, 32, 2, 32, 2).mean(axis=(2, 4)), atol=1e-6
    )


def test_what_rcnn_finds_are_regions_with_their_scores():
    model, boxes = region_cnn(base=2, hidden=8, rng=0), np.array([[5, 5, 30, 30], [20, 10, 60, 40]])
    boxes = boxes.astype(np.float32)
    chances = softmax(model.eval()(warped(IMAGES[0], boxes)))
    found, scores, labels = rcnn_found(model, IMAGES[0], boxes, least=0, threshold=1)
    assert len(found) == 8
    for box, score, label in zip(found, scores, labels):
        region = int((boxes != box).any(axis=1).argmin())
        assert score == pytest.approx(chances[region, label + 1])
    assert len(rcnn_found(model, IMAGES[0], boxes, least=1)[0]) == 0


def test_a_fast_rcnn_with_the_own_proposals_is_a_faster_rcnn(monkeypatch):
    from convbook.models import rcnn

    model = RCNN(masks=False, base=2, hidden=8, rng=0)
    boxes = np.array([[5, 5, 30, 30], [20, 10, 60, 40]], np.float32)
    monkeypatch.setattr(rcnn, "propose", lambda *_, **__: (boxes, None))
    expected = model.detect(IMAGES[:1])[0]
    for ours, theirs in zip(fast_found(model, IMAGES[0], boxes), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
