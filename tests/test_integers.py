"""Labels and indices may be integers of any width.

A browser's Python has indices of 32 bits, into which NumPy casts no int64 by itself: `np.bincount`
and others then raise. Here indices have 64 bits, into which it casts no uint64: what takes these
takes int64 there.
"""

import numpy as np
import pytest

from convbook import detection
from convbook.detection import health as detection_health
from convbook.images.scenes import class_maps
from convbook.losses import SoftmaxCrossEntropy
from convbook.resampling import max_pool2d_indices, max_unpool2d, max_unpool2d_backward
from convbook.training import health_classes, metrics
from convbook.training.generated import variety
from convbook.training.nearest import one_shot_accuracy
from convbook.widgets import OneShotExplorer

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 2, 0, 1])
FOUND = np.array([0, 2, 2, 2, 1, 1])
SCORES = RNG.normal(size=(6, 3))
PICTURES = RNG.random((6, 1, 8, 8))
BOXES = np.array([[0, 0, 8, 8], [1, 1, 8, 9], [20, 20, 30, 30], [4, 8, 12, 16]], float)
ANSWERS = np.array([0.9, 0.8, 0.7, 0.6])
KINDS = np.array([0, 1, 0, 0])
MASKS = [RNG.random((4, 8, 8)) > 0.5]
NAMES = ["background", "car", "bus"]


def cross_entropy(labels):
    loss = SoftmaxCrossEntropy()
    return loss(SCORES, labels), loss.backward()


def unpooled(indices):
    x = PICTURES[:, :, ::2, ::2]
    return max_unpool2d(x, indices, (8, 8)), max_unpool2d_backward(PICTURES, x, indices, (8, 8))


def regions(index):
    features, dy = PICTURES[:2, :, :6, :6], np.ones((4, 1, 2, 2))
    settings = features, BOXES, index, 2, 0.2
    return (
        detection.roi_align(*settings),
        detection.roi_max_pool(*settings),
        detection.roi_align_backward(dy, *settings),
        detection.roi_max_pool_backward(dy, *settings),
    )


def precisions(kinds):
    found, truth = [(BOXES, ANSWERS, kinds)], [(BOXES[:3], kinds[:3])]
    return detection.average_precision(found, truth), detection.average_precisions(found, truth)


TAKE_LABELS = {
    "accuracy": (LABELS, lambda labels: metrics.accuracy(SCORES, labels)),
    "confusion_matrix": (LABELS, lambda labels: metrics.confusion_matrix(labels, FOUND, 3)),
    "confusion_matrix of answers": (FOUND, lambda f: metrics.confusion_matrix(LABELS, f, 3)),
    "balanced_weights": (LABELS, lambda labels: metrics.balanced_weights(labels, 3)),
    "mean_hits": (LABELS, lambda labels: metrics.mean_hits(SCORES, labels)),
    "SoftmaxCrossEntropy": (LABELS, cross_entropy),
    "variety": (LABELS, lambda labels: variety(PICTURES, labels)),
    "one_shot_accuracy": (LABELS, lambda labels: one_shot_accuracy(PICTURES, labels, draws=5)),
    "OneShotExplorer": (LABELS, lambda k: OneShotExplorer(PICTURES, k, SCORES).references),
    "every_class_called": (
        LABELS,
        lambda labels: str(health_classes.every_class_called(labels, FOUND, NAMES)),
    ),
    "no_class_overdone": (
        LABELS,
        lambda labels: str(health_classes.no_class_overdone(labels, FOUND, NAMES)),
    ),
    "class_maps": (KINDS[None], lambda k: class_maps(k, MASKS)),
    "max_unpool2d": (max_pool2d_indices(PICTURES, 2), unpooled),
    "regions": (KINDS, regions),
    "nms": (KINDS, lambda kinds: detection.nms(BOXES, ANSWERS, 0.5, kinds)),
    "average_precision": (KINDS, precisions),
    "sample_regions": (
        KINDS,
        lambda kinds: detection.sample_regions(BOXES, BOXES, kinds, count=4, rng=0),
    ),
    "ssd_targets": (KINDS, lambda kinds: detection.ssd_targets(BOXES, [BOXES], [kinds])),
    "yolo_targets": (KINDS, lambda kinds: detection.yolo_targets([BOXES], [kinds], 4, 32, 3)),
    "classes_taught": (KINDS, lambda k: str(detection_health.classes_taught(k, NAMES))),
    "said_once": (KINDS, lambda k: str(detection_health.said_once([(BOXES, ANSWERS, k)]))),
}


@pytest.mark.parametrize("name", TAKE_LABELS)
def test_integers_of_any_width_are_labels_and_indices(name):
    values, function = TAKE_LABELS[name]
    expected = function(values)
    for kind in (np.uint8, np.int32, np.uint64):
        np.testing.assert_equal(function(values.astype(kind)), expected)
