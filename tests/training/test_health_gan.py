"""The checks for GANs: each finds its fault, is silent where all is well, and changes nothing."""

import numpy as np
import pytest

from convbook.datasets import plane
from convbook.layers import BatchNorm2d, call
from convbook.models.gan import (
    conditional_discriminator,
    conditional_generator,
    digit_generator,
    plane_discriminator,
    plane_generator,
)
from convbook.optimizers import Adam
from convbook.training import generated, health, health_gan
from convbook.training.adversarial import discriminator_step, generator_loss, generator_step

RNG = np.random.default_rng
Z = RNG(0).standard_normal((40, 2))


def players():
    generator, discriminator = plane_generator(hidden=8, rng=0), plane_discriminator(8, rng=1)
    return generator, discriminator


@pytest.mark.parametrize(
    ("bias", "saturating", "fine"),
    [(0, True, True), (0, False, True), (-20, True, False), (-20, False, True), (20, False, False)],
)
def test_a_generator_that_hears_nothing(bias, saturating, fine):
    generator, discriminator = players()
    discriminator.params["4.b"][...] = bias
    before = generator.state(), discriminator.state()
    found = health_gan.generator_hears(generator, discriminator, Z, saturating=saturating)
    assert bool(found) is fine
    assert ("hears nothing" in str(found)) is not fine
    for model, state in zip((generator, discriminator), before, strict=True):
        assert all(np.array_equal(state[name], a) for name, a in model.state().items())
        assert not model.grads


def test_a_generator_with_a_condition_hears_too():
    generator = conditional_generator(noise=3, channels=2, rng=0)
    discriminator = conditional_discriminator(channels=2, rng=1)
    z = RNG(0).standard_normal((10, 3))
    assert health_gan.generator_hears(generator, discriminator, z, (np.arange(10),))


def test_collapse_is_seen_in_the_variety():
    real, labels = RNG(0).random((60, 1, 5, 5)), np.arange(60) % 3
    assert health_gan.still_various(RNG(1).random((30, 1, 5, 5)), np.arange(30) % 3, real, labels)
    same = np.repeat(real[:3], 10, axis=0)
    found = health_gan.still_various(same, np.repeat(np.arange(3), 10), real, labels)
    assert not found and "varies 0.00 times" in str(found) and "collapse" in str(found)


def test_collapse_onto_a_few_far_places_is_seen_in_what_is_covered():
    real, as_many = plane.ring(200, RNG(0)), plane.ring(200, RNG(1))
    few = as_many[(as_many[:, 0] > 1.5) | (as_many[:, 0] < -1.5)]  # two of eight, far apart
    one = np.zeros(200, int)
    assert health_gan.still_various(few, one[: len(few)], real, one)  # which is why
    found = health_gan.covers(few, real)
    assert not found and "left out: collapse" in str(found)
    found = health_gan.covers(as_many, real)
    assert found and "collapse" not in str(found)
    pictures = RNG(0).random((30, 1, 5, 5))
    assert health_gan.covers(pictures, pictures[::-1])
    for made, data in ((real[:0], real), (real, real[:5])):
        with pytest.raises(ValueError, match="real more than 5"):
            health_gan.covers(made, data)


@pytest.mark.parametrize("neighbours", [1, 2, 4])
def test_new_data_of_the_same_source_cover_nearly_all(neighbours):
    """One real piece in 2**neighbours stays uncovered, as the paper derives."""
    made, real = RNG(0).random((2, 2000, 3))
    found = generated.coverage(made, real, neighbours)
    assert found == pytest.approx(1 - 0.5**neighbours, abs=0.03)


def test_steps_keep_to_themselves():
    generator, discriminator = players()
    of_g, of_d = Adam(generator), Adam(discriminator)
    real = plane.banana(40, RNG(0))

    def d_step():
        discriminator_step(discriminator, of_d, real, generator(Z))

    def g_step():
        generator_step(generator, discriminator, of_g, Z)

    def forgetful():
        fake, g_back = call(generator, Z)
        scores, d_back = call(discriminator, fake)
        g_back(d_back(generator_loss(scores)[1]), need_dx=False)
        of_g.step()

    def both():
        forgetful()
        of_d.step()

    before = generator.state(), discriminator.state()
    assert health_gan.keeps_to_itself(d_step, discriminator, generator)
    assert health_gan.keeps_to_itself(g_step, generator, [discriminator])
    found = health_gan.keeps_to_itself(forgetful, generator, discriminator)
    assert not found and "left gradients in the other network" in str(found)
    found = health_gan.keeps_to_itself(both, generator, discriminator)
    assert not found and "moved the other network" in str(found)
    assert not health_gan.keeps_to_itself(lambda: None, generator, discriminator)
    for model, state in zip((generator, discriminator), before, strict=True):
        assert all(np.array_equal(state[name], a) for name, a in model.state().items())


def test_ranges():
    x = RNG(0).random((5, 1, 20, 20))
    assert health_gan.same_range(2 * x - 1, np.tanh(9 * RNG(1).standard_normal(x.shape)))
    for real in (x, 255 * x):
        found = health_gan.same_range(real, 2 * x - 1)
        assert not found and "scale the data" in str(found)
    with pytest.raises(ValueError, match="generated must hold at least one number"):
        health_gan.same_range(x, np.zeros((0, 1, 2, 2)))


def test_a_discriminator_that_is_sure():
    fair = {"D(x)": [0.9, 0.6], "D(G(z))": [0.0, 0.4]}
    assert health_gan.discriminator_stays_fair(fair)
    found = health_gan.discriminator_stays_fair({"D(x)": [0.98], "D(G(z))": [0.03]})
    assert not found and "0.98" in str(found) and "too strong" in str(found)


def test_the_checkerboard_is_seen_before_any_training():
    assert health_gan.even_overlap(digit_generator(channels=2, rng=0))
    assert health_gan.even_overlap(digit_generator(channels=2, rng=0, upsample=True))
    for size in (3, 5):
        found = health_gan.even_overlap(conditional_generator(channels=2, rng=0, kernel_size=size))
        assert not found and f"kernel {size}, stride 2" in str(found)


def test_batch_normalisation_in_the_wrong_mode_is_found_by_company():
    generator = conditional_generator(noise=3, channels=2, rng=0)
    assert any(isinstance(layer, BatchNorm2d) for layer in generator.walk())
    rows = np.concatenate([RNG(0).standard_normal((8, 3)), np.eye(10)[np.arange(8)]], axis=1)
    assert not health.company(generator.body.train(), rows)
    assert health.company(generator.body.eval(), rows)
