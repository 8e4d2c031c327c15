"""Training a generator that makes a picture of a picture: near to the right one, and convincing.

    step = paired_step(generator, discriminator, (of_g, of_d), weight=30)
    run(step, MiniBatches(x, targets, 16), epochs, (of_g, of_d))

It is a turn of `convbook.training.adversarial`, in which the condition is a picture, and the
generator's loss has a second term. Without a discriminator, that second term is all there is.
"""

import numpy as np

from .. import checks
from ..layers import call
from ..losses import L1Loss
from .adversarial import convincing, discriminator_step


def paired_step(generator, discriminator, optimizers, weight=30.0, real_target=0.9, together=True):
    """Return a step that trains first the discriminator, then the generator.

    The generator makes its pictures once; both steps use them.

    Parameters
    ----------
    generator : Layer
        From pictures (n, C, H, W) to pictures.
    discriminator : Layer or None
        From pictures and their origins to scores, such as `PairDiscriminator`. None trains with L1
        alone.
    optimizers : pair of Optimizer
        The generator's and the discriminator's; without a discriminator, the generator's alone.
    weight : float
        Of the L1 loss beside -log D, the λ of the paper; without a discriminator it changes
        nothing but the size of the gradient.
    real_target : float
        What the discriminator shall say of real pictures.
    together : bool
        Whether the discriminator sees real and generated pictures in one mini-batch, which is
        quicker; see `discriminator_step`.

    Returns
    -------
    function(x, targets)
        It returns "L1 loss", and with a discriminator "D loss", "G loss" (without L1), "D(x)" and
        "D(G(z))" as well, where z stands for the picture that is given.
    """
    of_g, of_d = optimizers if discriminator is not None else (optimizers, None)
    if of_g.model is not generator or (of_d and of_d.model is not discriminator):
        raise ValueError("optimizers must be a pair: the generator's, and the discriminator's")
    weight, l1 = checks.number("weight", weight, least=0), L1Loss()

    def step(x, targets):
        generator.clear_grads()
        made, g_back = call(generator, x)
        found = {"L1 loss": l1(made, targets)}
        d_made = weight * l1.backward()
        if discriminator is not None:
            seen = discriminator_step(
                discriminator, of_d, targets, made, (x,), real_target, together
            )
            found |= {name: value for name, value in seen.items() if name != "V"}
            found["G loss"], d_convincing = convincing(discriminator, made, x)
            d_made = d_made + d_convincing
        g_back(d_made, need_dx=False)
        of_g.step()
        return found

    return step


def flipped_at_random(x, targets, rng):
    """Return pictures and what belongs to them, half of the pairs mirrored left to right."""
    turned = rng.random(len(x)) < 0.5
    shown = turned[:, None, None, None]
    return tuple(np.where(shown, array[..., ::-1], array) for array in (x, targets))
