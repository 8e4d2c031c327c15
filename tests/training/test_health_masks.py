"""The checks of a network that marks pixels: each finds its own fault, and nothing else."""

import numpy as np
import pytest

from convbook.datasets import heart
from convbook.images.augment import Brightness, Compose, Flip, Rotate, Shift, Together
from convbook.layers import Conv2d, Sequential, Sigmoid
from convbook.models.unet import unet
from convbook.training.health_masks import (
    marks_something,
    mask_values,
    moved_together,
    nobody_in_both,
    scores_not_probabilities,
    size_fits,
)


@pytest.fixture(scope="module")
def hearts():
    return heart(patients=4, slices=2, rng=0)


def test_mask_values(hearts):
    assert mask_values(hearts.cavity) and mask_values(hearts.cavity.astype(bool))
    for spoiled, said in (
        (255 * hearts.cavity, "the masks hold 0, 255; read as bytes, they become masks by > 127"),
        (hearts.cavity * 2, "the masks hold 0, 2; make it 0 and 1"),
        (hearts.cavity * 0.5, "the masks hold 0, 0.5"),
        (2.0 * hearts.cavity - 1, "the masks hold -1, 1"),
        (0 * hearts.cavity, "the masks hold 0 only: nothing is marked in any of them"),
        (0 * hearts.cavity + 1, "the masks hold 1 only: everything"),
        (np.arange(256)[:, None], "and 253 more"),
    ):
        finding = mask_values(spoiled)
        assert not finding and said in finding.sentence
    with pytest.raises(ValueError, match="masks must hold at least one pixel"):
        mask_values(hearts.cavity[:0])


def test_marks_something(hearts):
    truth = hearts.cavity
    assert marks_something(truth, truth).sentence.endswith("accuracy 1.000, Dice 1.000")
    nothing = marks_something(np.zeros_like(truth), truth)
    assert not nothing and "it sees nearly nothing but background" in nothing.sentence
    assert "accuracy 0.9" in nothing.sentence and "Dice 0.000" in nothing.sentence
    assert not marks_something(np.ones_like(truth), truth)
    assert marks_something(np.zeros_like(truth), np.zeros_like(truth))
    assert "nothing to be marked" in marks_something(truth, 0 * truth).sentence


def test_scores_not_probabilities(hearts):
    x = hearts.x[:2]
    model = unet(base=2, depth=1, rng=0).eval()
    assert scores_not_probabilities(model, model(x))
    spoiled = Sequential(*model, Sigmoid()).eval()
    finding = scores_not_probabilities(spoiled, spoiled(x))
    assert not finding and "is a Sigmoid" in finding.sentence and "two squeeze" in finding.sentence
    elsewhere = scores_not_probabilities(model, 1 / (1 + np.exp(-model(x))))
    assert not elsewhere and "is there a sigmoid?" in elsewhere.sentence
    e = np.exp(np.random.default_rng(0).standard_normal((2, 3, 4, 4)))
    finding = scores_not_probabilities(model, e / e.sum(axis=1, keepdims=True))
    assert not finding and "there is a softmax already" in finding.sentence


@pytest.mark.parametrize(
    "augment",
    [
        Together(Rotate(30), Shift(5), Flip(0.5, 0.5)),
        Together(Brightness((0.5, 1.5))),
        Compose(Brightness((0.7, 1.3))),
        lambda x, y, rng: (x[..., ::-1], y[..., ::-1]),
        lambda x, rng: 0.5 * x + 1,
    ],
)
def test_masks_that_move_with_their_images(augment):
    assert moved_together(augment)
    assert moved_together(augment, shape=(3, 32, 48))


@pytest.mark.parametrize(
    ("augment", "cure"),
    [
        (Shift(8), "it is a function of (x, rng) and leaves the masks where they were"),
        (Flip(1, 1), "leaves the masks where they were"),
        (lambda x, y, rng: (Shift(9)(x, rng), Shift(9)(y, rng)), "draw one matrix for both"),
        (lambda x, y, rng: (x[..., ::-1], y), "draw one matrix for both"),
    ],
)
def test_masks_that_are_moved_apart(augment, cure):
    finding = moved_together(augment)
    assert not finding and cure in finding.sentence


def test_an_augmentation_that_leaves_nothing():
    with pytest.raises(ValueError, match="augment must leave something of the images"):
        moved_together(lambda x, rng: 0 * x)


def test_size_fits():
    model = unet(base=1, depth=3, rng=0)
    assert size_fits(model, 64, 72)
    finding = size_fits(model, 60, 64)
    assert not finding and "pad to 64 × 64" in finding.sentence
    assert "the two halves of a Skip will not fit" in finding.sentence
    assert "smaller" in size_fits(unet(base=1, depth=2, skips=False), 10, 10).sentence
    assert size_fits(Sequential(Conv2d(1, 1, 3)), 5, 7)


def test_size_fits_says_what_the_network_says():
    model = unet(base=1, depth=2, rng=0)
    for height in range(6, 18):
        fits = size_fits(model, height, 8)
        try:
            model(np.zeros((1, 1, height, 8), np.float32))
        except ValueError:
            assert not fits
        else:
            assert fits


def test_nobody_in_both(hearts):
    train, test = hearts.split(1)
    assert nobody_in_both(train.patient, test.patient, train.x, test.x)
    order = np.random.default_rng(0).permutation(len(hearts))
    finding = nobody_in_both(hearts.patient[order[:12]], hearts.patient[order[12:]])
    assert not finding and "split by patients, not by images" in finding.sentence
    renamed = nobody_in_both(
        ["a"] * len(train), ["b"] * 3, train.x, np.concatenate([train.x[:2], test.x[:1]])
    )
    assert not renamed and "2 test images are in the training as well" in renamed.sentence
