"""Training a generator and a discriminator in turns: a step for `convbook.training.run`.

    step = adversarial_step(generator, discriminator, (of_g, of_d), noise=normal_noise(2, rng))
    run(step, batches, epochs, optimizers=(of_g, of_d))

Two networks, two optimizers, and the question of whose gradients go where:

- A step of the discriminator sees what the generator has made as plain data. No gradient goes back
  into the generator.
- A step of the generator sends its gradient *through* the discriminator, which stays as it is. A
  backward pass would leave something in the discriminator's `grads`: how it would have to change to
  be fooled more easily. Nobody may use that, so it is not even computed.
"""

import numpy as np

from .. import checks
from ..arrays import as_tuple
from ..layers import Tape, call
from ..layers.containers import only_handing_on
from ..losses import BCEWithLogitsLoss
from ..losses.binary import probability


def normal_noise(size, rng):
    """Return a function of n that draws noise (n, size), normal with variance 1, in float32."""
    size = checks.integer("size", size, least=1)
    return lambda n: rng.standard_normal((n, size), np.float32)


def adversarial_step(
    generator,
    discriminator,
    optimizers,
    noise,
    d_steps=1,
    g_steps=1,
    saturating=False,
    real_target=1.0,
):
    """Return a step that trains first the discriminator, then the generator.

    Parameters
    ----------
    generator : Layer
        From noise (n, Z) to data; a conditional one has further inputs.
    discriminator : Layer
        From data to scores (n, 1), and the same further inputs.
    optimizers : pair of Optimizer
        The generator's and the discriminator's.
    noise : function(n)
        Returns noise for n pieces of data, such as `normal_noise` makes.
    d_steps : int
        How many steps the discriminator makes in a turn. They divide the batch among themselves.
    g_steps : int
        How many steps the generator makes in a turn, each with as much new noise as one of the
        discriminator's.
    saturating : bool
        Whether the generator minimises log(1 - D(G(z))), as the game has it, and not -log D(G(z)),
        which has the same optimum and a gradient also where D is sure.
    real_target : float
        What the discriminator shall say of real data; .9 keeps it from ever being quite sure.

    Returns
    -------
    function(real, *condition)
        It returns "D loss", "G loss", "V" (of the mini-batch), "D(x)" and "D(G(z))". The condition
        is that of the real data; what is generated gets the same.
    """
    of_g, of_d = optimizers
    if of_g.model is not generator or of_d.model is not discriminator:
        raise ValueError("optimizers must be a pair: the generator's, and the discriminator's")
    d_steps, g_steps = (
        checks.integer(name, value, least=1)
        for name, value in (("d_steps", d_steps), ("g_steps", g_steps))
    )
    real_target = checks.number("real_target", real_target, least=0, most=1)

    def step(real, *condition):
        if len(real) < d_steps:
            raise ValueError(f"d_steps must be at most the batch's length, {len(real)}")
        for k in range(d_steps):
            part = slice(k * len(real) // d_steps, (k + 1) * len(real) // d_steps)
            x, *given = (array[part] for array in (real, *condition))
            fake = generator(noise(len(x)), *given)
            found = discriminator_step(discriminator, of_d, x, fake, given, real_target)
        for _ in range(g_steps):
            found["G loss"] = generator_step(
                generator, discriminator, of_g, noise(len(x)), given, saturating
            )
        return found

    return step


def discriminator_step(
    discriminator, optimizer, real, fake, condition=(), real_target=1.0, together=False
):
    """Make the discriminator tell real data from generated data a little better.

    Parameters
    ----------
    discriminator : Layer
    optimizer : Optimizer
    real, fake : array (n, …)
    condition : sequence of arrays (n, …)
        Further inputs, the same for both.
    real_target : float
    together : bool
        Whether both go through the discriminator as one mini-batch. With batch normalisation they
        then share their statistics, and it matters; without, it does not.

    Returns
    -------
    dict
        "D loss", "V", "D(x)" and "D(G(z))" as they were before the step.
    """
    loss, tape, n = BCEWithLogitsLoss(), Tape(discriminator), len(real)
    if together:
        pairs = (np.concatenate(pair) for pair in zip((real, *condition), (fake, *condition)))
        both = tape(discriminator, *pairs)
        on_real, on_fake = both[:n], both[n:]
    else:
        on_real, on_fake = (
            tape(discriminator, real, *condition),
            tape(discriminator, fake, *condition),
        )
    v = -loss(on_real, np.ones_like(on_real))
    of_real = loss(on_real, np.full_like(on_real, real_target))
    d_real = loss.backward()
    of_fake = loss(on_fake, np.zeros_like(on_fake))
    d_fake = loss.backward()
    if together:
        tape.backward((both, np.concatenate([d_real, d_fake])))
    else:
        tape.backward((on_real, d_real), (on_fake, d_fake))
    optimizer.step()
    return {
        "D loss": of_real + of_fake,
        "V": v - of_fake,
        "D(x)": float(probability(on_real).mean()),
        "D(G(z))": float(probability(on_fake).mean()),
    }


def generator_step(generator, discriminator, optimizer, z, condition=(), saturating=False):
    """Make what the generator makes look a little more real to the discriminator.

    Parameters
    ----------
    generator, discriminator : Layer
    optimizer : Optimizer
        The generator's.
    z : array (n, Z)
    condition : sequence of arrays (n, …)
    saturating : bool

    Returns
    -------
    float
        The generator's loss before the step.
    """
    generator.clear_grads()
    fake, g_back = call(generator, z, *condition)
    error, d_fake = convincing(discriminator, fake, *condition, saturating=saturating)
    g_back(d_fake, need_dx=False)
    optimizer.step()
    return error


def convincing(discriminator, fake, *condition, saturating=False):
    """Return the generator's loss, and its gradient by what was generated.

    The gradient comes through the discriminator, which keeps nothing of it.

    Parameters
    ----------
    discriminator : Layer
    fake, *condition : array (n, …)
        What the discriminator is given.
    saturating : bool

    Returns
    -------
    error : float
    d_fake : array (n, …)
    """
    scores, d_back = call(discriminator, fake, *condition)
    error, d_scores = generator_loss(scores, saturating)
    with only_handing_on(discriminator):
        d_fake = as_tuple(d_back(d_scores))[0]
    discriminator.clear_grads()  # what its own step has left there
    return error, d_fake


def generator_loss(scores, saturating=False):
    """Return the generator's loss and its gradient, for the discriminator's scores (n, 1).

    Returns
    -------
    error : float
        The mean of -log D, or of log(1 - D).
    d_scores : array (n, 1)
        -(1 - D) / n, or -D / n.
    """
    loss = BCEWithLogitsLoss()
    if saturating:
        return -loss(scores, np.zeros_like(scores)), -loss.backward()
    return loss(scores, np.ones_like(scores)), loss.backward()


def value(discriminator, real, fake):
    """Return V, the mean of log D(x) plus the mean of log(1 - D(G(z))).

    Parameters
    ----------
    discriminator : Layer
        From data to scores (n, 1), without a condition.
    real, fake : array (n, …)

    Returns
    -------
    float
        At most 0; at the optimum -2 log 2 = -1.386.
    """
    loss, on_real, on_fake = BCEWithLogitsLoss(), discriminator(real), discriminator(fake)
    return -loss(on_real, np.ones_like(on_real)) - loss(on_fake, np.zeros_like(on_fake))
