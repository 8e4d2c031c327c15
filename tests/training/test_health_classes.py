"""The checks of a network that names the class of every pixel: each finds its own fault."""

import numpy as np
import pytest

from convbook.functional import avg_pool2d
from convbook.images.scenes import CLASSES, class_maps, street_scenes
from convbook.layers import Conv2d, ConvTranspose2d, Flatten, Linear, MaxPool2d, Sequential
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy
from convbook.models.segmenting import fcn, segnet
from convbook.models.unet import unet
from convbook.training.health_classes import (
    as_large_as_the_image,
    classes_kept,
    every_class_called,
    more_than_background,
    no_class_overdone,
    unknown_left_out,
)
from convbook.training.metrics import near_edges
from helpers.refusing import refused

NAMES = ["background", *CLASSES]


@pytest.fixture(scope="module")
def labels():
    _, _, things, masks = street_scenes(30, rng=0, size=32)
    return class_maps(things, masks)


def test_every_class_called(labels):
    assert every_class_called(labels, labels, NAMES)
    no_dogs = every_class_called(labels, np.where(labels == 4, 0, labels), NAMES)
    assert not no_dogs and "never found: dog, " in no_dogs.sentence
    assert "accuracy (0.9" in no_dogs.sentence and "balanced_weights" in no_dogs.sentence
    numbered = every_class_called(labels, np.where(labels > 2, 0, labels), 5)
    assert "never found: class 3, class 4" in numbered.sentence
    # Called, but always in the wrong place.
    moved = np.where(labels == 4, 3, np.where(labels == 3, 4, labels))
    assert "never found: person, dog" in every_class_called(labels, moved, NAMES).sentence
    # A class that is not there need not be called.
    without = np.where(labels == 1, 0, labels)
    assert every_class_called(without, without, NAMES)


def test_no_class_overdone(labels):
    assert no_class_overdone(labels, labels, NAMES)
    wide = np.where(near_edges(labels, 2) & (labels == 0), 4, labels)
    found = no_class_overdone(labels, wide, NAMES)
    assert not found and "dog (" in found.sentence and "person" not in found.sentence
    assert no_class_overdone(labels, wide, NAMES, most=100)
    without = np.where(labels == 4, 0, labels)
    assert "there are: dog; weights" in no_class_overdone(without, labels, NAMES).sentence


def test_more_than_background(labels):
    assert more_than_background(labels, labels, NAMES)
    nothing = more_than_background(labels, 0 * labels, NAMES)
    assert not nothing and "where background everywhere would have 0." in nothing.sentence
    assert "mIoU 0.1" in nothing.sentence


def test_unknown_left_out(labels):
    spoiled = np.where(near_edges(labels), 255, labels)
    assert unknown_left_out(labels, NAMES, SoftmaxCrossEntropy())
    assert unknown_left_out(spoiled, NAMES, SoftmaxCrossEntropy(ignore_index=255))
    found = unknown_left_out(spoiled, NAMES, SoftmaxCrossEntropy())
    assert not found and "of the pixels hold 255, which is no class" in found.sentence
    assert "SoftmaxCrossEntropy(ignore_index=255)" in found.sentence
    other = unknown_left_out(spoiled, NAMES, SoftmaxCrossEntropy(ignore_index=-100))
    assert not other and "(ignore_index=-100)" in other.sentence
    spoiled[0, 0] = -1
    two = unknown_left_out(spoiled, NAMES, SoftmaxCrossEntropy(ignore_index=255))
    assert not two and "more than one value" in two.sentence


@pytest.mark.parametrize(
    ("make", "any_size"),
    # An unpooling knows what size its pooling has seen.
    [(fcn, False), (segnet, True), (lambda **to: unet(3, 5, **to), False)],
    ids=["FCN", "SegNet", "U-Net"],
)
def test_networks_of_the_package_are_as_large_as_the_image(make, any_size):
    model = make(base=2, rng=0)
    before = model.state()
    assert as_large_as_the_image(model, (3, 24, 40)).sentence.startswith("24 × 40 go in, scores")
    assert bool(as_large_as_the_image(model, (3, 30, 40))) == any_size
    assert model.training
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_an_output_that_is_off_is_found():
    def doubling(**settings):
        return Sequential(
            MaxPool2d(2), Conv2d(3, 5, 1, rng=0), ConvTranspose2d(5, 5, stride=2, rng=0, **settings)
        )

    off = as_large_as_the_image(doubling(kernel_size=3, padding=1), (3, 16, 20))
    assert not off and "16 × 20 go in, scores for 15 × 19 come out" in off.sentence
    for settings in (
        {"kernel_size": 2},
        {"kernel_size": 4, "padding": 1},
        {"kernel_size": 3, "padding": 1, "output_padding": 1},
    ):
        assert as_large_as_the_image(doubling(**settings), (3, 16, 20))
    silent = as_large_as_the_image(fcn(base=2, skips=0, rng=0), (3, 20, 20))
    assert not silent and "scores for 16 × 16" in silent.sentence
    dense = Sequential(Flatten(), Linear(3 * 8 * 8, 5, rng=0))
    assert "the output has shape (1, 5)" in as_large_as_the_image(dense, (3, 8, 8)).sentence
    assert "16 × 8 does not go through" in as_large_as_the_image(dense, (3, 16, 8)).sentence


def test_classes_kept(labels):
    nearest = labels[:, ::2, ::2]
    assert classes_kept(labels, labels) and classes_kept(labels, nearest)
    averaged = np.rint(avg_pool2d(labels[:, None].astype(float), 2))[:, 0].astype(int)
    found = classes_kept(labels, averaged)
    assert not found and "numbers of classes were averaged" in found.sentence
    halves = classes_kept([np.array([[0, 1]])], [np.array([[0.5]])])
    assert "in 1 of 1 maps there are classes that were not (0.5, 1 pixels)" in halves.sentence


def test_bad_input(labels):
    refused(ValueError, ["found must have shape", "(30, 32, 32)"], every_class_called,
            labels, labels[0], NAMES)  # fmt: skip
    refused(ValueError, ["labels must be from 0 to 3", "4"], more_than_background,
            labels, labels, 4)  # fmt: skip
    refused(ValueError, ["labels must hold at least one pixel"], no_class_overdone,
            labels[:0], labels[:0], 5)  # fmt: skip
    refused(ValueError, ["most", "at least 1"], no_class_overdone, labels, labels, 5, 0.5)
    refused(ValueError, ["classes must name at least one"], every_class_called, labels, labels, [])
    refused(TypeError, ["loss", "SoftmaxCrossEntropy"], unknown_left_out,
            labels, 5, MeanSquaredError())  # fmt: skip
    refused(ValueError, ["maps of the same images", "30 and 29"], classes_kept, labels, labels[1:])
    refused(TypeError, ["model"], as_large_as_the_image, "fcn", (3, 8, 8))
