"""Checks for networks that colour pictures, and judge them: each looks for one known fault.

    print(still_colourful(colours, truth))
    print(same_opinion(discriminator, truth, colours, grey))

They belong to those of `convbook.training.health`, and return the same `Finding`. No model is
changed by them.
"""

import copy

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..images.colour import coloured, colourfulness, stray_steps, with_channels
from ..layers.base import Layer
from ..losses import probability
from .checks import instance
from .health import Finding


def still_colourful(colours, truth, least=0.6, most=1.5):
    """Check that what was made is about as colourful as the truth, neither grey nor gaudy.

    Parameters
    ----------
    colours, truth : array (N, 2, H, W)
        As `convbook.images.colour.grey_and_colours` has them.
    least, most : float
        Not fine below or above so many times the truth's colourfulness.

    Returns
    -------
    Finding
    """
    real = colourfulness(truth)
    if real == 0:
        raise ValueError("truth must have some colour, got pictures that are grey everywhere")
    share = colourfulness(colours) / real
    says = f"the colours are {share:.2f} times as strong as the true ones"
    if share < least:
        says += "; a distance alone asks for the middle of all that is possible, which is greyish"
    elif share > most:
        says += "; nothing holds the generator near the truth, let the distance weigh more"
    return Finding(least <= share <= most, says)


def without_blotches(colours, truth, grey, most=1.2):
    """Check that colours do not change much where the grey picture hardly does.

    Parameters
    ----------
    colours, truth : array (N, 2, H, W)
    grey : array (N, 4, H, W)
        As `convbook.images.colour.grey_and_colours` has them.
    most : float
        Not fine if they change more than so many times as much as the true colours.

    Returns
    -------
    Finding
    """
    real = stray_steps(grey, truth)
    if real == 0:
        raise ValueError("truth must change somewhere, got one colour for each picture")
    share = stray_steps(grey, colours) / real
    says = (
        f"where the grey pictures are smooth, colours change {share:.2f} times as much as true ones"
    )
    if share > most:
        says += ": blotches; let the distance weigh more, or the discriminator learn more slowly"
    return Finding(share <= most, says)


def same_opinion(discriminator, real, made, origins, apart=0.1):
    """Check that a discriminator says the same of generated pictures, whoever is beside them.

    In the mode of training, batch normalisation takes its statistics from the mini-batch. If the
    discriminator learns with real and generated pictures in one mini-batch, and the generator with
    generated ones alone, it gets an answer that was never trained.

    Parameters
    ----------
    discriminator : Layer
        From pictures and their origins to scores. It is looked at in the mode of training.
    real, made, origins : array (n, …)
    apart : float
        Not fine if the mean of D differs by more.

    Returns
    -------
    Finding
    """
    instance("discriminator", discriminator, Layer)
    _, real, made, origins = checks.numeric_arrays(real=real, made=made, origins=origins)
    if not len(real) == len(made) == len(origins):
        raise ValueError(
            "real, made and origins must be of the same pictures, got "
            f"{len(real)}, {len(made)} and {len(origins)} of them"
        )
    watched, n = copy.deepcopy(discriminator).train(), len(real)
    together = watched(np.concatenate([real, made]), np.concatenate([origins, origins]))[n:]
    among, alone = (
        float(to_numpy(probability(scores)).mean()) for scores in (together, watched(made, origins))
    )
    fine = abs(among - alone) <= apart
    says = (
        f"D says {among:.2f} of generated pictures among real ones, and {alone:.2f} of the same "
        "ones by themselves"
    )
    return Finding(
        fine,
        says
        + (
            ""
            if fine
            else "; leave batch normalisation out, or give it the same company in both steps"
        ),
    )


def same_photographs(x, grey, colours, tolerance=0.02):
    """Check that grey pictures and colours, put together, are the photographs that they came from.

    Parameters
    ----------
    x : array (N, 3, H, W)
        Photographs, red, green and blue, from 0 to 1.
    grey : array (N, 4, H / 2, W / 2)
    colours : array (N, 2, H / 2, W / 2)
        As `convbook.images.colour.grey_and_colours` has them.
    tolerance : float
        By how much a pixel may be off, on average.

    Returns
    -------
    Finding
        Says so if Cb and Cr, or red and blue, have changed places.
    """
    x = with_channels("x", x, 3)

    def off(pictures):
        return float(abs(pictures - x).mean())

    found = off(coloured(grey, colours))
    if found <= tolerance:
        return Finding(True, f"together they are the photographs, off by {found:.2g} on average")
    says = f"together they are not the photographs, off by {found:.2g} on average"
    swapped = off(coloured(grey, colours[:, ::-1]))
    mirrored = off(coloured(grey, colours)[:, ::-1])
    if swapped <= tolerance:
        says += "; Cb and Cr have changed places"
    elif mirrored <= tolerance:
        says += "; red and blue have changed places: some libraries read blue first"
    else:
        says += "; is grey from -1 to 1, and are the colours Cb and Cr, times 4?"
    return Finding(False, says)
