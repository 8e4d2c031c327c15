"""The exercises of page 3-10-2: sizes, bytes, weights and overlaps, and their way back."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES, chapter_3_10_2
from convbook.functional import max_pool2d, max_pool2d_indices, max_unpool2d
from convbook.layers import Conv2d, MaxPool2d, MaxUnpool2d, Sequential, Skip
from convbook.layers.summary import Summary
from convbook.models.segmenting import fcn, handed_on
from convbook.training import balanced_weights, class_ious, confusion_matrix
from helpers.answers import ANSWERS, answer_to


def test_the_sizes_are_those_of_the_network():
    rows = Summary(fcn(rng=0), (3, 96, 160)).rows
    kinds = ("MaxPool2d", "Conv2d(96, 5", "ConvTranspose2d")
    shapes = [list(row.output_shape) for row in rows if row.layer.startswith(kinds)]
    assert shapes[:5] + shapes[6:] == ANSWERS["3-10-2.1"]


def test_the_bytes_are_what_networks_hand_on():
    shape = (64, 120, 160)
    _, before, whole, bits = ANSWERS["3-10-2.2"]
    pool = MaxPool2d(2)
    there_and_back = Sequential(pool, MaxUnpool2d(pool))
    assert handed_on(there_and_back, shape, 32) == whole
    assert handed_on(there_and_back, shape, 2) == bits
    past = Skip(Sequential(MaxPool2d(1), Conv2d(64, 1, 1, rng=0)))
    assert handed_on(past, shape) == before
    assert 4 * max_pool2d(np.zeros((1, *shape)), 2).size == ANSWERS["3-10-2.2"][0]


def test_weights_and_overlaps_are_the_packages():
    labels = np.repeat([0, 1, 2], chapter_3_10_2.PIXELS)
    for row, power in zip(ANSWERS["3-10-2.3"], (1, 0.5)):
        np.testing.assert_allclose(row, balanced_weights(labels, 3, power))
    ious = class_ious(chapter_3_10_2.COUNTS)
    np.testing.assert_allclose(ANSWERS["3-10-2.4"], [*ious, ious.mean()])


@pytest.mark.parametrize("shape", [(2, 3, 4, 6), (1, 2, 5, 7)])
def test_unpooling_is_the_packages(shape):
    x = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape)
    y, indices = max_pool2d(x, 2), max_pool2d_indices(x, 2)
    for answer in (ANSWERS["3-10-2.5"], chapter_3_10_2.unpool):
        np.testing.assert_array_equal(
            answer(y, indices, *shape[2:]), max_unpool2d(y, indices, shape[2:])
        )


def test_mean_iou_and_the_dense_layer_are_the_packages():
    rng = np.random.default_rng(1)
    labels, found = rng.integers(0, 4, (2, 3, 4, 5)) % 3
    counts = confusion_matrix(labels.ravel(), found.ravel(), 5)
    assert ANSWERS["3-10-2.6"](labels, found, 5) == pytest.approx(np.nanmean(class_ious(counts)))
    layer, x = Conv2d(3, 4, 1, rng=0), rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    layer.params["b"][...] = rng.normal(size=4)
    scores = ANSWERS["3-10-2.7"](x, layer.params["f"][:, :, 0, 0], layer.params["b"])
    np.testing.assert_allclose(scores, layer(x), atol=1e-5)


def test_scores_that_only_look_right_are_found_out():
    wrong, explanation = EXERCISES["3-10-2.7"].mistakes["axes mixed up"]
    message = answer_to("3-10-2.7", wrong)
    assert "+ one pixel" in message and explanation in message


def test_each_exercise_has_six_mistakes_and_three_hints():
    for key in (f"3-10-2.{n}" for n in range(1, 8)):
        exercise = EXERCISES[key]
        assert len(exercise.mistakes) >= 6 and len(exercise.hints) == 3
