"""The exercises on GANs: their answers against the package and numerical differentiation."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.functional import conv_transpose2d
from convbook.layers.gradcheck import numerical_gradient
from convbook.losses import probability
from convbook.models.gan import ConditionalDiscriminator, digit_discriminator
from convbook.training import generated
from convbook.training.adversarial import generator_loss
from helpers.answers import ANSWERS, answer_to


def trials(number):
    return [inputs for _, inputs in EXERCISES[f"3-9-1.{number}"].trials]


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def test_the_best_discriminator_is_the_best():
    """Nothing else that was tried has a larger value."""
    best = EXERCISES["3-9-1.1"].reference
    real, fake = np.array([0.4, 0.3, 0.2, 0.1, 0]), np.array([0.1, 0.3, 0.3, 0, 0.3])

    def v(d):
        d = np.clip(d, 1e-9, 1 - 1e-9)
        return (real * np.log(d) + fake * np.log(1 - d)).sum()

    rng = np.random.default_rng(0)
    assert all(v(best) > v(best + 0.1 * rng.standard_normal(5)) for _ in range(50))
    assert v(best) == pytest.approx(-1.00, abs=0.01)  # the page says so


@pytest.mark.parametrize("trial", range(6))
def test_the_generators_gradient_is_the_packages(trial):
    scores, saturating = trials(3)[trial]
    error, slope = generator_loss(scores[:, None], saturating)
    expected = numerical_gradient(lambda s: generator_loss(s[:, None], saturating)[0], scores)
    found = EXERCISES["3-9-1.3"].reference(scores, saturating)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    np.testing.assert_allclose(found, slope[:, 0], atol=1e-12)


@pytest.mark.parametrize("trial", range(5))
def test_a_turn_goes_up_and_down_the_value(trial):
    w, theta, real, rate = trials(4)[trial]

    def v(w):
        return np.log(sigmoid(w * real)) + np.log(1 - sigmoid(w * theta))

    moved = w + rate * float(numerical_gradient(lambda a: v(a[0]), np.array([w]))[0])
    push = numerical_gradient(lambda a: -np.log(sigmoid(moved * a[0])), np.array([theta]))[0]
    found = EXERCISES["3-9-1.4"].reference(w, theta, real, rate)
    np.testing.assert_allclose(found, [moved, theta - rate * push], atol=1e-7)


def test_claimed_scores_are_those_of_the_package():
    body = digit_discriminator(11, channels=2, rng=0)
    x, labels = np.random.default_rng(0).random((5, 1, 28, 28)), np.array([3, 3, 0, 9, 1])
    expected = ConditionalDiscriminator(body)(x, labels)[:, 0]
    found = EXERCISES["3-9-1.5"].reference(body(x), labels)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("trial", range(4))
def test_variety_is_that_of_the_package(trial):
    (pictures,) = trials(6)[trial]
    expected = generated.variety(pictures[:, None], np.zeros(len(pictures), int))
    assert EXERCISES["3-9-1.6"].reference(pictures) == pytest.approx(expected, abs=1e-6)


def test_products_of_a_pixel_are_counted_by_ones():
    for row, size in zip(EXERCISES["3-9-1.7"].reference, (2, 3, 4, 5), strict=True):
        y = conv_transpose2d(np.ones((1, 1, 1, 12)), np.ones((1, 1, 1, size)), stride=(1, 2))
        assert y[0, 0, 0, 8:10].tolist() == row.tolist()


def test_the_trap_of_the_gradients_left_in_is_named():
    wrong, explanation = EXERCISES["3-9-1.4"].mistakes["gradient left in"]
    assert explanation in " ".join(answer_to("3-9-1.4", wrong).split())
    assert ANSWERS["3-9-1.1"][0] == pytest.approx(0.8)
    assert probability(np.zeros(1)) == 0.5
