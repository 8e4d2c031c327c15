"""The networks of the GANs: shapes, gradients, labels, and rules that are left out."""

import re

import numpy as np
import pytest

from convbook.layers import LeakyReLU, Sigmoid, call
from convbook.models.gan import (
    ConditionalDiscriminator,
    conditional_discriminator,
    conditional_generator,
    digit_discriminator,
    digit_generator,
    plane_discriminator,
    plane_generator,
)
from helpers.gradients import numerical_gradient, relative_error

RNG = np.random.default_rng


def noise(n, size=16, seed=0):
    return RNG(seed).standard_normal((n, size))


def small_pair(planes=False):
    """A conditional generator and discriminator in float64, of few channels."""
    generator = conditional_generator(noise=3, channels=2, rng=0).astype(np.float64)
    discriminator = conditional_discriminator(channels=2, rng=1, planes=planes)
    return generator, discriminator.astype(np.float64)


def test_shapes_in_the_plane():
    points = plane_generator(noise=5, hidden=8, rng=0)(noise(7, 5))
    assert points.shape == (7, 2)
    assert plane_discriminator(8, rng=0)(points).shape == (7, 1)
    assert plane_discriminator(8, inputs=4, rng=0)(points[:6].reshape(3, 4)).shape == (3, 1)


@pytest.mark.parametrize(
    "left_out",
    [
        {},
        {"batch_norm": False},
        {"upsample": True},
        {"activation": lambda: LeakyReLU(0.2)},
        {"output": Sigmoid},
        *({"kernel_size": size} for size in (2, 3, 5, 6)),
    ],
)
def test_generators_of_digits_make_digits(left_out):
    y = digit_generator(channels=3, rng=0, **left_out)(noise(4))
    assert y.shape == (4, 1, 28, 28) and y.dtype == np.float32
    low = 0 if "output" in left_out else -1
    assert low <= y.min() < y.max() <= 1


@pytest.mark.parametrize(
    "left_out", [{}, {"batch_norm": True}, {"pooling": True}, {"slope": 0}, {"hidden": 7}]
)
def test_discriminators_of_digits_give_scores(left_out):
    model = digit_discriminator(channels=3, rng=0, **left_out)
    assert model(RNG(0).random((4, 1, 28, 28))).shape == (4, 1)
    assert ("BatchNorm" in repr(model)) == ("batch_norm" in left_out)
    assert ("MaxPool" in repr(model)) == ("pooling" in left_out)


def test_numbers_of_weights():
    """What the book says of them."""
    counts = [
        sum(p.size for p in model.params.values())
        for model in (conditional_generator(rng=0), conditional_discriminator(rng=0))
    ]
    assert counts == [80_113, 44_771]


def test_the_same_seed_draws_the_same_weights():
    for make in (plane_generator, plane_discriminator, digit_generator, conditional_generator):
        one, same, other = make(rng=3).state(), make(rng=3).state(), make(rng=4).state()
        assert all(np.array_equal(one[name], same[name]) for name in one)
        assert any(not np.array_equal(one[name], other[name]) for name in one)


# --- Labels --------------------------------------------------------------------------------------


def test_the_generator_makes_something_else_for_another_label():
    generator = conditional_generator(channels=4, rng=0)
    generator.eval()
    z = np.repeat(noise(1), 10, axis=0)
    y = generator(z, np.arange(10))
    assert all(abs(y[i] - y[j]).max() > 1e-3 for i in range(10) for j in range(i))


def test_the_discriminator_adds_the_score_of_the_label_to_the_first():
    model = conditional_discriminator(channels=3, rng=0)
    x, labels = RNG(0).standard_normal((5, 1, 28, 28)), np.array([0, 9, 3, 3, 5])
    scores = model.body(x)
    expected = [[scores[i, 0] + scores[i, 1 + label]] for i, label in enumerate(labels)]
    np.testing.assert_allclose(model(x, labels), expected, rtol=1e-5)


def test_planes_are_ones_for_the_label_and_zeros_elsewhere():
    model = conditional_discriminator(channels=3, rng=0, planes=True)
    x, labels = RNG(0).standard_normal((3, 1, 28, 28)).astype(np.float32), np.array([2, 0, 9])
    planes = np.zeros((3, 10, 28, 28), np.float32)
    for i, label in enumerate(labels):
        planes[i, label] = 1
    np.testing.assert_allclose(
        model(x, labels), model.body(np.concatenate([x, planes], axis=1)), rtol=1e-6
    )


@pytest.mark.parametrize("planes", [False, True])
def test_gradients_flow_through_both_networks(planes):
    """From the score through the discriminator and the generator to the noise."""
    generator, discriminator = small_pair(planes)
    z, labels = noise(2, 3), np.array([4, 7])
    dy = RNG(3).standard_normal((2, 1))

    def score():
        return discriminator(generator(z, labels), labels)

    fake, g_back = call(generator, z, labels)
    _, d_back = call(discriminator, fake, labels)
    d_fake, none = d_back(dy)
    dz, also_none = g_back(d_fake)
    assert none is None and also_none is None
    assert relative_error(dz, numerical_gradient(score, z, dy)) < 1e-5
    bias = generator.params["body.6.b" if "body.6.b" in generator.params else "body.7.b"]
    found = next(generator.grads[name] for name, p in generator.params.items() if p is bias)
    assert relative_error(found, numerical_gradient(score, bias, dy)) < 1e-5


def test_without_need_of_dx_there_is_none():
    for network, x in (
        (small_pair()[0], noise(2, 3)),
        (small_pair()[1], np.zeros((2, 1, 28, 28))),
        (small_pair(planes=True)[1], np.zeros((2, 1, 28, 28))),
    ):
        y = network(x, np.array([1, 2]))
        assert network.backward(np.ones_like(y), need_dx=False) is None
        assert set(network.grads) == set(network.params)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([1], "labels must be 2 integers, one for each input, got shape (1,)"),
        ([1.0, 2.0], "labels must be 2 integers, one for each input, got shape (2,), dtype float"),
        ([0, 10], "labels must be from 0 to 9, got 0 to 10"),
        ([-1, 3], "labels must be from 0 to 9, got -1 to 3"),
    ],
)
def test_wrong_labels(labels, said):
    generator, discriminator = small_pair()
    for network, x in ((generator, noise(2, 3)), (discriminator, np.zeros((2, 1, 28, 28)))):
        with pytest.raises(ValueError, match=re.escape(said)):
            network(x, np.array(labels))


def test_a_body_with_a_wrong_number_of_scores():
    model = ConditionalDiscriminator(digit_discriminator(10, channels=2, rng=0))
    with pytest.raises(ValueError, match=r"scores must have shape \(2, 11\)"):
        model(np.zeros((2, 1, 28, 28)), np.array([0, 1]))
