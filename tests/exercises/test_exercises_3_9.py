"""The exercises on pix2pix: their answers against the package and numerical differentiation."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.images.colour import to_ycbcr
from convbook.layers import Conv2d, Sequential
from convbook.layers.gradcheck import numerical_gradient
from convbook.layers.summary import Summary
from convbook.losses import BCEWithLogitsLoss, L1Loss, MeanSquaredError
from convbook.models.pix2pix import patch_discriminator


def trials(number):
    return [inputs for _, inputs in EXERCISES[f"3-9.{number}"].trials]


def reference(number):
    return EXERCISES[f"3-9.{number}"].reference


def test_the_patches_are_those_of_the_package():
    shape = (6, 256, 256)
    bodies = [patch_discriminator(channels=6, halvings=k, rng=0).body for k in (1, 2)]
    first = Sequential(Conv2d(6, 6, 4, stride=2, padding=1), Conv2d(6, 6, 3, padding=1))
    papers = Sequential(*(Conv2d(6, 6, 4, stride=s, padding=1) for s in (2, 2, 2, 1, 1)))
    found = [Summary(body, shape).rows[-1].receptive_field[0] for body in (first, *bodies, papers)]
    np.testing.assert_array_equal(found, reference(1))


@pytest.mark.parametrize("trial", range(5))
def test_no_other_answer_is_better(trial):
    (colours,) = trials(2)[trial]
    best = reference(2)(colours)
    rng = np.random.default_rng(trial)
    for row, loss in zip(best, (L1Loss(), MeanSquaredError()), strict=True):
        least = loss(np.broadcast_to(row, colours.shape), colours)
        for _ in range(30):
            other = row + rng.normal(0, 0.1, row.shape)
            assert loss(np.broadcast_to(other, colours.shape), colours) >= least - 1e-12


@pytest.mark.parametrize("trial", range(4))
def test_brightness_and_differences_are_the_packages(trial):
    (x,) = trials(3)[trial]
    np.testing.assert_allclose(reference(3)(x), to_ycbcr(x), atol=2e-6)


@pytest.mark.parametrize("trial", range(5))
def test_the_loss_of_patches_is_the_packages(trial):
    scores, real = trials(4)[trial]
    expected = BCEWithLogitsLoss()(scores, np.full_like(scores, float(real)))
    assert reference(4)(scores, real) == pytest.approx(expected)


@pytest.mark.parametrize("trial", range(6))
def test_a_step_goes_down_the_sum_of_both_losses(trial):
    theta, w, x, target, weight, rate = trials(5)[trial]

    def loss(theta):
        made = theta * x
        return (np.logaddexp(0, -(w[0] * made + w[1] * x)) + weight * abs(made - target)).mean()

    slope = float(numerical_gradient(lambda a: loss(a[0]), np.array([theta]))[0])
    expected = [theta - rate * slope, *w]
    np.testing.assert_allclose(reference(5)(theta, w, x, target, weight, rate), expected, atol=1e-6)


def test_the_weights_are_those_of_the_package():
    convolutions = [layer for layer in patch_discriminator(rng=0).body if layer.params]
    counts = [sum(a.size for a in layer.params.values()) for layer in convolutions]
    np.testing.assert_array_equal([*counts, sum(counts)], reference(6))
