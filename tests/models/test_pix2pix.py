"""The networks of pix2pix: shapes, patches, gradients of both inputs."""

import numpy as np
import pytest

from convbook.layers import BatchNorm2d, Tanh
from convbook.layers.summary import Summary
from convbook.models.pix2pix import patch_discriminator, picture_generator
from helpers.gradients import numerical_gradient, relative_error

RNG = np.random.default_rng


def test_numbers_of_weights():
    """What the book says of them."""
    counts = [
        sum(p.size for p in model.params.values())
        for model in (picture_generator(rng=0), patch_discriminator(rng=0))
    ]
    assert counts == [66_350, 13_177]


def test_the_generator_makes_a_picture_of_the_same_size():
    model = picture_generator(in_channels=3, out_channels=1, base=2, depth=2, rng=0)
    y = model(RNG(0).standard_normal((2, 3, 12, 8)))
    assert y.shape == (2, 1, 12, 8) and -1 <= y.min() <= y.max() <= 1
    assert isinstance(model[-1], Tanh)


@pytest.mark.parametrize(("halvings", "field"), [(1, 12), (2, 26), (3, 54)])
def test_patches(halvings, field):
    model = patch_discriminator(1, 2, channels=2, halvings=halvings, rng=0)
    scores = model(np.zeros((1, 2, 64, 64)), np.zeros((1, 1, 64, 64)))
    assert scores.shape == (1, 1, 64 >> halvings, 64 >> halvings)
    assert Summary(model.body, (3, 64, 64)).rows[-1].receptive_field == (field, field)
    # What a score does not see, it does not depend on.
    x = np.zeros((1, 2, 64, 64))
    x[..., :16, :] = 1
    moved = model(x, np.zeros((1, 1, 64, 64))) - scores
    rows = np.flatnonzero(moved[0, 0].any(axis=1))
    assert rows.max() * 2**halvings < 16 + field


def test_batch_normalisation_stands_between():
    names = [type(layer).__name__ for layer in patch_discriminator(batch_norm=True, rng=0).body]
    assert names == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU", "Conv2d"]
    assert not any(isinstance(layer, BatchNorm2d) for layer in patch_discriminator(rng=0).walk())


@pytest.mark.slow
def test_both_inputs_get_their_gradients():
    model = patch_discriminator(channels=2, rng=0).astype(np.float64)
    picture, origin = RNG(1).standard_normal((2, 2, 8, 8)), RNG(2).standard_normal((2, 4, 8, 8))
    dy = RNG(3).standard_normal(model(picture, origin).shape)
    d_picture, d_origin = model.backward(dy)
    for array, gradient in ((picture, d_picture), (origin, d_origin)):
        expected = numerical_gradient(lambda: model(picture, origin), array, dy)
        assert relative_error(gradient, expected) < 1e-6
    assert model.backward(dy, need_dx=False) is None


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="halvings must be an integer of at least 1"):
        patch_discriminator(halvings=0)
    with pytest.raises(ValueError, match="all axes but 1 must agree"):
        patch_discriminator(channels=2)(np.zeros((1, 2, 8, 8)), np.zeros((1, 4, 8, 4)))
