"""Checks for a GAN that trains without an error, and badly: each looks for one known fault.

    print(same_range(real, generator(z)))
    print(even_overlap(generator))

They belong to those of `convbook.training.health`, and return the same `Finding`. No model is
changed by them. Batch normalisation in the wrong mode is found by `health.company`.
"""

import numpy as np

from .. import checks
from ..arrays import as_tuple, to_numpy
from ..layers import ConvTranspose2d, call
from ..layers.base import Layer
from ..layers.summary import named_layers
from ..losses import probability
from .adversarial import generator_loss
from .checks import instance
from .generated import coverage, variety
from .health import Finding, listed


def generator_hears(generator, discriminator, z, condition=(), saturating=False, least=0.01):
    """Check that the discriminator's gradient reaches what the generator has made.

    Parameters
    ----------
    generator, discriminator : Layer
    z : array (n, Z)
        Noise.
    condition : sequence of arrays (n, …)
        Further inputs of both.
    saturating : bool
        Whether the generator minimises log(1 - D), not -log D.
    least : float
        Not fine if the gradient of a score, 1 - D or D, is less on average.

    Returns
    -------
    Finding
    """
    fake = generator(z, *condition)
    scores, back = call(discriminator, fake, *condition)
    _, slope = generator_loss(scores, saturating)
    d_fake = to_numpy(as_tuple(back(slope * len(scores)))[0]).reshape(len(scores), -1)
    generator.clear_grads()
    discriminator.clear_grads()
    d = float(probability(scores).mean())
    size = float(np.linalg.norm(d_fake, axis=1).mean())
    heard = float(abs(slope).sum())
    says = f"D says {d:.2g} of what is generated, and a gradient of {size:.2g} comes back"
    if heard >= least:
        return Finding(True, says)
    cure = (
        "let the generator minimise -log D"
        if saturating
        else "everything passes; train the discriminator more"
    )
    return Finding(False, f"{says}: the generator hears nothing; {cure}")


def still_various(pictures, labels, real, real_labels, least=0.6):
    """Check that what is generated varies about as much as the data, within each class.

    Parameters
    ----------
    pictures, real : array (n, …)
    labels, real_labels : array (n,) of ints
        All 0 if there are no classes.
    least : float
        Not fine below this share of the data's variety.

    Returns
    -------
    Finding
    """
    share = variety(pictures, np.asarray(labels)) / variety(real, np.asarray(real_labels))
    says = f"within a class, what is generated varies {share:.2f} times as much as the data"
    fine = share >= least
    return Finding(fine, says + ("" if fine else "; a part of the data is left out: collapse"))


def covers(made, real, neighbours=5, least=0.5):
    """Check that what is generated turns up wherever the data are.

    `still_various` finds a generator that makes one thing; this one finds also a generator that
    makes a few very different things, and leaves out what lies between.

    Parameters
    ----------
    made, real : array (n, …)
        About as many of both; see `convbook.training.generated.coverage`.
    neighbours : int
    least : float
        Not fine if a smaller share of the real data is covered.

    Returns
    -------
    Finding
    """
    share = coverage(made, real, neighbours)
    says = f"{share:.2f} of the real data have something generated in their neighbourhood"
    fine = share >= least
    return Finding(fine, says + ("" if fine else "; the others are left out: collapse"))


def keeps_to_itself(step, own, others):
    """Check that a step moves its own network alone, and leaves no gradient in the others.

    Parameters
    ----------
    step : function()
        Makes one step of training. The networks get their weights back afterwards; optimizers
        and random numbers have moved on.
    own : Layer
        Whose step it is.
    others : Layer or sequence of them

    Returns
    -------
    Finding
    """
    others = others if isinstance(others, (tuple, list)) else [others]
    for model in (own, *others):
        instance("own and others", model, Layer)
        model.clear_grads()
    kept = [model.state() for model in (own, *others)]
    try:
        step()
        moved = [
            any(not np.array_equal(before[name], now) for name, now in model.state().items())
            for model, before in zip((own, *others), kept, strict=True)
        ]
        left = any(any(g is not None for g in model.grads.values()) for model in others)
    finally:
        for model, state in zip((own, *others), kept, strict=True):
            model.load_state(state)
            model.clear_grads()
    if any(moved[1:]):
        return Finding(False, "the step has moved the other network, too; leave its optimizer out")
    if left:
        return Finding(
            False,
            "the step has left gradients in the other network, and its next step would use them; "
            "clear them",
        )
    if not moved[0]:
        return Finding(False, "the step has moved nothing")
    return Finding(True, "the step has moved its own network alone, and left nothing behind")


def same_range(real, generated):
    """Check that real and generated data lie between about the same limits.

    Parameters
    ----------
    real, generated : array

    Returns
    -------
    Finding
        Not fine if one reaches from -1 to 1 and the other from 0 to 1 (or to 255).
    """
    limits = []
    for name, array in (("real", real), ("generated", generated)):
        _, array = checks.numeric_arrays(**{name: array})
        if array.size == 0:
            raise ValueError(f"{name} must hold at least one number, got shape {array.shape}")
        limits.append([float(v) for v in np.percentile(to_numpy(array), [0.1, 99.9])])
    (low, high), (fake_low, fake_high) = limits
    width = max(high - low, 1e-12)
    fine = abs(low - fake_low) < 0.25 * width and abs(high - fake_high) < 0.25 * width
    says = (
        f"real data lie between {low:.3g} and {high:.3g}, generated ones between "
        f"{fake_low:.3g} and {fake_high:.3g}"
    )
    return Finding(
        fine, says + ("" if fine else "; scale the data to what the generator's last layer makes")
    )


def discriminator_stays_fair(history, apart=0.8):
    """Check that in the last epoch the discriminator was not sure of everything.

    Parameters
    ----------
    history : mapping
        With "D(x)" and "D(G(z))", as `adversarial_step` makes it.
    apart : float
        Not fine if the two lie farther apart.

    Returns
    -------
    Finding
    """
    real, fake = history["D(x)"][-1], history["D(G(z))"][-1]
    says = f"D says {real:.2f} of real data and {fake:.2f} of generated ones"
    fine = real - fake <= apart
    return Finding(
        fine,
        says
        + (
            ""
            if fine
            else ": it is too strong; lower its learning rate, or ask for .9 where data are real"
        ),
    )


def even_overlap(model):
    """Check that in each transposed convolution every pixel is made of equally many products.

    Parameters
    ----------
    model : Layer

    Returns
    -------
    Finding
        Names the layers whose kernel size is no multiple of their stride.
    """
    instance("model", model, Layer)
    odd = [
        f"{name} (kernel {layer.kernel_size}, stride {layer.stride})"
        for name, layer in named_layers(model)
        if isinstance(layer, ConvTranspose2d)
        and any(
            k % s
            for k, s in zip(
                checks.pair("kernel_size", layer.kernel_size),
                checks.pair("stride", layer.stride),
                strict=True,
            )
        )
    ]
    if odd:
        return Finding(
            False,
            f"unequally many products make a pixel in {listed(odd)}: a checkerboard; "
            "take a kernel size that the stride divides",
        )
    return Finding(True, "every pixel is made of equally many products")
