"""A turn of pix2pix: both terms of the loss, whose gradients go where, one mini-batch or two."""

import numpy as np
import pytest

from convbook.images.colour import grey_and_colours
from convbook.layers import call
from convbook.losses import BCEWithLogitsLoss, L1Loss
from convbook.models.pix2pix import patch_discriminator, picture_generator
from convbook.optimizers import SGD, Adam
from convbook.training import MiniBatches, health_colours, health_gan, run
from convbook.training.adversarial import discriminator_step
from convbook.training.paired import convincing, flipped_at_random, paired_step

RNG = np.random.default_rng


def players(batch_norm=False, seed=0):
    generator = picture_generator(1, base=2, depth=1, rng=seed).astype(np.float64)
    discriminator = patch_discriminator(1, channels=2, rng=seed + 1, batch_norm=batch_norm)
    return generator, discriminator.astype(np.float64)


def some(n=6, size=8):
    return RNG(0).uniform(-1, 1, (n, 1, size, size)), RNG(1).uniform(-1, 1, (n, 2, size, size))


def same(state, other):
    return all(np.array_equal(state[name], other[name]) for name in state)


def test_the_generators_step_is_that_of_both_losses():
    """Against plain code, with gradient descent: θ - η (λ dL1 + dGAN)."""
    (x, t), (generator, discriminator) = some(), players()
    twin, judge = players()
    step = paired_step(generator, discriminator, (SGD(generator, 0.1), SGD(discriminator, 0)), 7.0)
    found = step(x, t)

    twin.clear_grads()
    made, back = call(twin, x)
    l1, bce = L1Loss(), BCEWithLogitsLoss()
    assert found["L1 loss"] == pytest.approx(l1(made, t))
    scores, d_back = call(judge, made, x)
    assert found["G loss"] == pytest.approx(bce(scores, np.ones_like(scores)))
    back(7 * l1.backward() + d_back(bce.backward())[0])
    for name, array in generator.params.items():
        np.testing.assert_allclose(array, twin.params[name] - 0.1 * twin.grads[name], rtol=1e-9)
    assert not discriminator.grads


def test_l1_alone_is_plain_training():
    (x, t), (generator, _) = some(), players()
    before = generator.state()
    step = paired_step(generator, None, SGD(generator, 0.1))
    errors = [step(x, t)["L1 loss"] for _ in range(20)]
    assert errors[-1] < errors[0] and not same(before, generator.state())
    assert set(step(x, t)) == {"L1 loss"}


def test_each_step_keeps_to_itself():
    (x, t), (generator, discriminator) = some(), players()
    of_d = Adam(discriminator)
    made = generator(x)
    assert health_gan.keeps_to_itself(
        lambda: discriminator_step(discriminator, of_d, t, made, (x,)), discriminator, generator
    )
    before = generator.state(), discriminator.state()
    convincing(discriminator, made, x)
    assert same(before[0], generator.state()) and same(before[1], discriminator.state())
    assert not discriminator.grads


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_mini_batch_or_two_differ_by_batch_normalisation_alone(batch_norm):
    x, t = some()
    states = []
    for together in (False, True):
        generator, discriminator = players(batch_norm)
        step = paired_step(
            generator, discriminator, (SGD(generator, 0.1), SGD(discriminator, 0.1)),
            together=together,
        )  # fmt: skip
        step(x, t)
        states.append(generator.state() | {f"d.{k}": v for k, v in discriminator.state().items()})
    close = all(np.allclose(states[0][k], states[1][k], atol=1e-12) for k in states[0])
    assert close is not batch_norm


def test_it_runs_in_the_loop():
    (x, t), (generator, discriminator) = some(12), players()
    pair = Adam(generator, 0.002), Adam(discriminator, 0.001)
    batches = MiniBatches(x, t, 4, seed=0, augment=flipped_at_random)
    history = run(paired_step(generator, discriminator, pair), batches, 2, pair, progress=False)
    assert {"L1 loss", "G loss", "D loss", "D(x)", "D(G(z))"} <= set(history.keys())


def test_pairs_are_mirrored_together():
    x, t = some(40)
    flipped, target = flipped_at_random(x, t, RNG(0))
    turned = [not np.array_equal(a, b) for a, b in zip(x, flipped, strict=True)]
    assert 8 < sum(turned) < 32
    for i, is_turned in enumerate(turned):
        np.testing.assert_array_equal(flipped[i], x[i, ..., ::-1] if is_turned else x[i])
        np.testing.assert_array_equal(target[i], t[i, ..., ::-1] if is_turned else t[i])


def test_wrong_arguments_are_named():
    generator, discriminator = players()
    with pytest.raises(ValueError, match="optimizers must be a pair"):
        paired_step(generator, discriminator, (Adam(discriminator), Adam(generator)))
    with pytest.raises(ValueError, match="weight must be"):
        paired_step(generator, None, Adam(generator), weight=-1)


# --- What goes wrong -----------------------------------------------------------------------------


def test_grey_and_gaudy_colours_are_found():
    truth = RNG(0).uniform(-1, 1, (3, 2, 4, 4))
    assert health_colours.still_colourful(truth[::-1], truth)
    found = health_colours.still_colourful(0.3 * truth, truth)
    assert not found and "0.30 times" in str(found) and "greyish" in str(found)
    found = health_colours.still_colourful(2 * truth, truth)
    assert not found and "weigh more" in str(found)
    with pytest.raises(ValueError, match="truth must have some colour"):
        health_colours.still_colourful(truth, 0 * truth)


def test_blotches_are_found():
    # To the left a dark half, to the right a light one: true colours change between them only.
    side = np.where(np.arange(8) < 4, -1.0, 1.0)
    grey = np.ones((2, 4, 8, 1)) * side
    truth = np.ones((2, 2, 8, 1)) * 0.3 * side + RNG(0).normal(0, 0.01, (2, 2, 8, 8))
    assert health_colours.without_blotches(truth[::-1], truth, grey)
    assert health_colours.without_blotches(0 * truth, truth, grey)
    blotched = truth.copy()
    blotched[:, 0, 2:5, 1:3] += 0.5
    found = health_colours.without_blotches(blotched, truth, grey)
    assert not found and "blotches" in str(found)
    strong = truth.copy()
    strong[:, :, :, 4:] += 0.5  # where the picture itself changes, colours may
    assert health_colours.without_blotches(strong, truth, grey)
    with pytest.raises(ValueError, match="truth must change somewhere"):
        health_colours.without_blotches(truth, 0 * truth, grey)


def test_a_discriminator_that_depends_on_the_company_is_found():
    x, t = some()
    grey = 0.05 * t  # easily told from t by its size, which batch normalisation takes away
    assert health_colours.same_opinion(players()[1], t, grey, x)
    discriminator = players(batch_norm=True)[1]
    discriminator.params["body.5.f"][...] *= 5
    before = discriminator.state()
    found = health_colours.same_opinion(discriminator.eval(), t, grey, x, apart=0.02)
    assert not found and "by themselves" in str(found)
    assert same(before, discriminator.state()) and not discriminator.body[3].training
    with pytest.raises(ValueError, match="must be of the same pictures, got 6, 5 and 6"):
        health_colours.same_opinion(discriminator, t, grey[1:], x)


def test_channels_in_the_wrong_place_are_found():
    ramp = np.linspace(0.2, 1, 8, dtype=np.float32).reshape(2, 1, 4, 1) * np.ones(4, np.float32)
    x = ramp * np.array([1, 0.6, 0.2], np.float32).reshape(3, 1, 1)
    grey, colours = grey_and_colours(x)
    assert health_colours.same_photographs(x, grey, colours)
    for spoiled, says in (
        ((grey, colours[:, ::-1]), "Cb and Cr have changed places"),
        (grey_and_colours(x[:, ::-1]), "red and blue have changed places"),
        ((grey, 0.2 * colours), "times 4"),
        (((grey + 1) / 2, colours), "from -1 to 1"),
    ):
        found = health_colours.same_photographs(x, *spoiled)
        assert not found and says in str(found).replace("\n      ", " ")
