"""The checks for networks that give back pictures: what each finds, and what it lets pass."""

import numpy as np
import pytest

from convbook.layers import (
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Tanh,
)
from convbook.models.autoencoder import dense_autoencoder, digit_autoencoder, digit_cleaner
from convbook.training.health_images import answers_differ, shape_returns, targets_in_reach


def images(n=6, high=1, seed=0):
    return np.random.default_rng(seed).random((n, 1, 28, 28)).astype(np.float32) * high


@pytest.mark.parametrize(
    ("model", "targets", "fine", "said"),
    [
        (Sequential(Sigmoid()), images(), True, "from 0 to 1"),
        (Sequential(Sigmoid()), images(high=255), False, "100 % of them are out of reach"),
        (dense_autoencoder(4, rng=0), images(high=255), False, "ends in Sigmoid"),
        (dense_autoencoder(4, rng=0), images(), True, "ends in Sigmoid"),
        (Sequential(Sequential(Tanh(), Flatten()), Reshape(4), Dropout()), images() - 0.5, True,
         "from -1 to 1"),
        (Sequential(Tanh()), images() * 3 - 1.5, False, "out of reach"),
        (Sequential(ReLU()), images(high=255), True, "from 0 on"),
        (Sequential(ReLU()), images() - 0.5, False, "50 % of them"),
        (Sequential(Conv2d(1, 1, 1)), images(high=255), True, "any number"),
        (Sequential(LeakyReLU()), images() - 5, True, "any number"),
    ],
)  # fmt: skip
def test_targets_in_reach(model, targets, fine, said):
    found = targets_in_reach(model, targets)
    assert bool(found) == fine and said in found.sentence


def test_shape_returns():
    assert shape_returns(digit_autoencoder(rng=0), images())
    assert shape_returns(digit_cleaner(rng=0), images())
    wrong = Sequential(
        Conv2d(1, 2, 3, stride=2, padding=1, rng=0),
        ConvTranspose2d(2, 1, 3, stride=2, padding=1, rng=0),
    )
    found = shape_returns(wrong, images())
    assert not found and "1 × 28 × 28 go in, but 1 × 27 × 27 come out" in found.sentence
    assert "output padding" in found.sentence
    found = shape_returns(Sequential(Conv2d(1, 2, 1)), images())
    assert not found and "output padding" not in found.sentence


def test_answers_differ():
    x = images()
    same = Sequential(Conv2d(1, 1, 1, rng=0))
    same[0].params["f"][...] = 1
    assert answers_differ(same, x) and "1 times" in answers_differ(same, x).sentence
    dead = Sequential(Flatten(), Linear(784, 8, rng=0), ReLU(), Linear(8, 784, rng=0))
    dead[1].params["b"][...] = -1e6
    found = answers_differ(Sequential(dead, Reshape(1, 28, 28)), x)
    assert not found and "nearly the same" in found.sentence
    broken = Sequential(Conv2d(1, 1, 1, rng=0))
    broken[0].params["f"][...] = np.nan
    assert "NaN" in answers_differ(broken, x).sentence


def test_no_check_changes_the_model():
    model = digit_autoencoder(rng=0)
    model.train()
    before = model.state()
    for found in (targets_in_reach(model, images()), shape_returns(model, images()),
                  answers_differ(model, images())):  # fmt: skip
        assert isinstance(found.sentence, str)
    assert all(np.array_equal(before[name], now) for name, now in model.state().items())
    assert model.training


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda: targets_in_reach("model", images()), "model must be"),
        (lambda: targets_in_reach(Sequential(ReLU()), np.zeros((0, 1))), "at least one number"),
        (lambda: answers_differ(Sequential(ReLU()), images(1)), "at least 2 images"),
        (lambda: answers_differ(Sequential(ReLU()), np.ones((3, 1, 2, 2))), "images that differ"),
    ],
)
def test_bad_input(check, said):
    with pytest.raises((TypeError, ValueError), match=said):
        check()
