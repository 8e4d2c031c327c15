"""Training in turns: whose gradients go where, PyTorch's step, and measures of pictures."""

import re

import numpy as np
import pytest

from convbook.datasets import plane
from convbook.layers import Layer
from convbook.losses import probability
from convbook.models.gan import (
    conditional_discriminator,
    conditional_generator,
    plane_discriminator,
    plane_generator,
)
from convbook.optimizers import SGD, Adam, CosineSchedule
from convbook.training import generated, run
from convbook.training.adversarial import (
    adversarial_step,
    discriminator_step,
    generator_loss,
    generator_step,
    normal_noise,
    value,
)
from helpers.gradients import numerical_gradient

RNG = np.random.default_rng


def players(seed=0, hidden=16, optimizer=Adam, lr=0.002):
    generator = plane_generator(hidden=hidden, rng=seed)
    discriminator = plane_discriminator(hidden, rng=seed + 1)
    return generator, discriminator, optimizer(generator, lr), optimizer(discriminator, lr)


def same(state, other):
    return all(np.array_equal(state[name], other[name]) for name in state)


# --- Whose gradients go where --------------------------------------------------------------------


def test_a_step_of_the_discriminator_leaves_the_generator_alone():
    generator, discriminator, _, of_d = players()
    before, was = generator.state(), discriminator.state()
    found = discriminator_step(
        discriminator, of_d, plane.banana(32, RNG(0)), generator(RNG(1).standard_normal((32, 2)))
    )
    assert same(before, generator.state()) and not generator.grads
    assert not same(was, discriminator.state())
    assert 0 < found["D(x)"] < 1 and 0 < found["D(G(z))"] < 1
    assert found["V"] == pytest.approx(-found["D loss"])


def test_a_step_of_the_generator_leaves_the_discriminator_alone():
    generator, discriminator, of_g, _ = players()
    before, was = discriminator.state(), generator.state()
    generator_step(generator, discriminator, of_g, RNG(1).standard_normal((32, 2)))
    assert same(before, discriminator.state()) and not same(was, generator.state())
    assert not discriminator.grads  # what the way through has left there is gone


def test_either_step_makes_its_own_loss_smaller():
    generator, discriminator, of_g, of_d = players(optimizer=SGD, lr=0.05)
    z, real = RNG(1).standard_normal((200, 2)), plane.banana(200, RNG(0))
    before = value(discriminator, real, generator(z))
    discriminator_step(discriminator, of_d, real, generator(z))
    after = value(discriminator, real, generator(z))
    assert after > before  # the discriminator makes V larger
    for saturating in (False, True):
        before = value(discriminator, real, generator(z))
        generator_step(generator, discriminator, of_g, z, saturating=saturating)
        assert value(discriminator, real, generator(z)) < before  # the generator makes it smaller


@pytest.mark.parametrize("saturating", [False, True])
def test_the_gradient_of_the_generators_loss(saturating):
    scores = RNG(0).normal(0, 3, (6, 1))
    _, slope = generator_loss(scores, saturating)
    expected = numerical_gradient(
        lambda: np.array(generator_loss(scores, saturating)[0]), scores, np.ones(())
    )
    np.testing.assert_allclose(slope, expected, atol=1e-8)
    d = probability(scores)
    np.testing.assert_allclose(slope, (-d if saturating else d - 1) / 6, atol=1e-12)


def test_a_turn_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    generator, discriminator, of_g, of_d = (
        part.astype(np.float64) if isinstance(part, Layer) else part for part in players()
    )
    nn = torch.nn
    theirs = (
        nn.Sequential(
            nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)
        ).double(),
        nn.Sequential(
            nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2),
            nn.Linear(16, 1),
        ).double(),
    )  # fmt: skip
    for ours, their in zip((generator, discriminator), theirs, strict=True):
        for tensor, array in zip(their.parameters(), ours.params.values(), strict=True):
            tensor.data = torch.tensor(array.copy())
    their_g, their_d = theirs
    adams = [torch.optim.Adam(model.parameters(), 0.002) for model in theirs]
    loss = nn.BCEWithLogitsLoss()
    rng = RNG(5)
    step = adversarial_step(
        generator,
        discriminator,
        (of_g, of_d),
        lambda n: rng.standard_normal((n, 2)),
        d_steps=2,
        real_target=0.9,
    )
    twin = RNG(5)
    for turn in range(4):
        real = plane.ring(16, RNG(turn)).astype(np.float64)
        step(real)
        for part in (real[:8], real[8:]):
            x, z = torch.tensor(part), torch.tensor(twin.standard_normal((8, 2)))
            adams[1].zero_grad()
            error = loss(their_d(x), torch.full((8, 1), 0.9).double())
            (error + loss(their_d(their_g(z).detach()), torch.zeros(8, 1).double())).backward()
            adams[1].step()
        adams[0].zero_grad()
        z = torch.tensor(twin.standard_normal((8, 2)))
        loss(their_d(their_g(z)), torch.ones(8, 1).double()).backward()
        adams[0].step()
    for ours, their in zip((generator, discriminator), theirs, strict=True):
        for tensor, array in zip(their.parameters(), ours.params.values(), strict=True):
            np.testing.assert_allclose(array, tensor.detach().numpy(), atol=1e-8)


def test_a_conditional_pair_learns_with_run():
    rng, digits = RNG(0), RNG(1).uniform(-1, 1, (24, 1, 28, 28)).astype(np.float32)
    generator = conditional_generator(noise=4, channels=2, rng=rng)
    discriminator = conditional_discriminator(channels=2, rng=rng)
    optimizers = Adam(generator), Adam(discriminator)
    step = adversarial_step(generator, discriminator, optimizers, normal_noise(4, rng))
    batches = [(digits[i : i + 8], np.arange(8)) for i in (0, 8, 16)]
    history = run(step, batches, 2, optimizers)
    assert {"D loss", "G loss", "V", "D(x)", "D(G(z))"} <= set(history.keys())
    assert [optimizer.steps for optimizer in optimizers] == [6, 6]


@pytest.mark.slow
def test_two_clouds_become_one_and_the_discriminator_can_tell_no_more():
    generator, discriminator, of_g, of_d = players(hidden=32, lr=0.004)
    of_g.betas = of_d.betas = (0.5, 0.999)
    rng, z, real = RNG(2), RNG(8).standard_normal((500, 2)), plane.banana(500, RNG(9))
    step = adversarial_step(generator, discriminator, (of_g, of_d), normal_noise(2, rng))
    before = generated.energy_distance(generator(z), real)
    schedules = [CosineSchedule(optimizer, 600) for optimizer in (of_g, of_d)]
    run(step, lambda: (plane.banana(64, rng) for _ in range(600)), 1, (of_g, of_d), schedules)
    assert generated.energy_distance(generator(z), real) < before / 20
    assert abs(value(discriminator, real, generator(z)) + 2 * np.log(2)) < 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"d_steps": 0}, "d_steps must be an integer of at least 1, got 0"),
        ({"g_steps": 1.5}, "g_steps must be an integer"),
        ({"real_target": 1.2}, "real_target must be"),
        ({"swapped": True}, "optimizers must be a pair: the generator's, and the discriminator's"),
    ],
)
def test_wrong_arguments(options, said):
    generator, discriminator, of_g, of_d = players()
    pair = (of_d, of_g) if options.pop("swapped", False) else (of_g, of_d)
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        adversarial_step(generator, discriminator, pair, normal_noise(2, RNG(0)), **options)


def test_more_steps_than_data():
    generator, discriminator, of_g, of_d = players()
    step = adversarial_step(
        generator, discriminator, (of_g, of_d), normal_noise(2, RNG(0)), d_steps=5
    )
    with pytest.raises(ValueError, match="d_steps must be at most the batch's length, 4"):
        step(plane.banana(4, RNG(0)))


# --- Clouds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plane.CLOUDS)
def test_clouds_are_points_of_the_plane(name):
    points = plane.CLOUDS[name](500, RNG(0))
    assert points.shape == (500, 2) and points.dtype == np.float32
    assert 0.9 < np.sqrt((points**2).sum(axis=1)).mean() < 2.5
    np.testing.assert_array_equal(points, plane.CLOUDS[name](500, RNG(0)))


def test_modes_of_the_ring_are_counted():
    points = plane.ring(800, RNG(0))
    found, inside = plane.ring_modes(points)
    assert found == 8 and inside > 0.99
    right = points[points[:, 0] > 0.5]  # three of them
    assert plane.ring_modes(right)[0] == 3
    assert plane.ring_modes(np.zeros((10, 2))) == (0, 0.0)
    mixed = np.concatenate([np.zeros((99, 2)), plane.ring_centres()[:1]])
    assert plane.ring_modes(mixed) == (0, 0.01)  # a single point is no cloud


# --- Measures ------------------------------------------------------------------------------------


class Judge(Layer):
    """Takes a picture for the class that its first pixel names, and is quite sure."""

    def forward(self, x):
        return self._output(10.0 * np.eye(4)[x[:, 0, 0, 0].astype(int)])


def pictures(*classes):
    x = np.zeros((len(classes), 1, 3, 3))
    x[:, 0, 0, 0] = classes
    return x


def test_a_judge_agrees_and_counts_kinds():
    found = pictures(0, 1, 2, 3, 3, 3)
    assert generated.agreement(Judge(), found, np.array([0, 1, 2, 3, 0, 0])) == pytest.approx(4 / 6)
    assert generated.confidence(Judge(), found) > 0.99
    assert generated.kinds(Judge(), pictures(0, 1, 2, 3)) == pytest.approx(4)
    assert generated.kinds(Judge(), pictures(2, 2, 2)) == pytest.approx(1)
    assert generated.kinds(Judge(), pictures(0, 0, 1, 1)) == pytest.approx(2)


def test_variety_is_the_mean_distance_within_a_class():
    x = np.array([0.0, 3.0, 1.0, 1.0, 9.0]).reshape(5, 1, 1, 1)
    assert generated.variety(x, np.array([0, 0, 1, 1, 2])) == pytest.approx((3 + 0) / 2)
    assert generated.variety(np.repeat(x[:1], 4, axis=0), np.zeros(4, int)) == 0


def test_the_nearest_training_picture():
    training = RNG(0).random((20, 1, 5, 5))
    places, distances = generated.nearest(training[[7, 3]] + 0.001, training)
    assert places.tolist() == [7, 3]
    np.testing.assert_allclose(distances, 0.005, atol=1e-6)


def test_blots_are_pieces_of_ink_beside_the_largest():
    x = np.zeros((3, 1, 9, 9))
    x[0, 0, 1:4, 2] = 1  # a stroke, and a pixel that touches it at a corner
    x[0, 0, 4, 3] = 1
    x[1, 0, 0, 0] = x[1, 0, 8, 8] = x[1, 0, 4, 4:7] = 1  # a stroke and two spots
    assert generated.blots(x[:1]) == 0
    assert generated.blots(x[1:2]) == 2
    assert generated.blots(x) == pytest.approx(2 / 3)  # the third is empty
    snake = np.zeros((1, 1, 9, 9))
    snake[0, 0, ::2] = 1
    snake[0, 0, 1::4, 8] = snake[0, 0, 3::4, 0] = 1
    assert generated.blots(snake) == 0


def test_a_checkerboard_is_seen_in_the_four_sorts_of_pixels():
    flat, board = np.full((2, 1, 8, 8), 0.3), np.zeros((1, 1, 8, 8))
    board[..., ::2, ::2] = 1
    assert generated.checkerboard(flat) == pytest.approx(0)
    assert generated.checkerboard(board) == pytest.approx(3**0.5)
    assert generated.checkerboard(np.zeros((1, 1, 4, 4))) == 0


def test_the_energy_distance_is_zero_for_the_same_cloud_alone():
    a, b = RNG(0).standard_normal((400, 2)), RNG(1).standard_normal((400, 2))
    assert generated.energy_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert abs(generated.energy_distance(a, b)) < 0.02
    assert generated.energy_distance(a, b + 3) > 1


def test_pictures_are_generated_in_the_mode_of_use():
    generator = conditional_generator(noise=4, channels=2, rng=0)
    z, labels = RNG(0).standard_normal((7, 4)), np.arange(7)
    one, again = (generated.generate(generator, z, labels, batch_size=size) for size in (7, 2))
    np.testing.assert_allclose(one, again, atol=1e-6)  # no statistics of the batch
    assert 0 <= one.min() < one.max() <= 1 and generator.training
