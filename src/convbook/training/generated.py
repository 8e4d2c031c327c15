"""How good are generated pictures? A judge network, their variety, and what they were copied from.

A discriminator's score is of no use for that: it says how the two networks compare. What follows
needs other eyes. All pictures are (N, 1, H, W) with numbers from 0 to 1, as the data; a generator
that ends in tanh gives -1 to 1, and `as_pictures` takes that there.
"""

import numpy as np

from .. import checks
from ..functional import softmax
from ..layers.base import evaluating
from .nearest import distances
from .use import predict


def as_pictures(generated):
    """Return what a tanh has made, from -1 to 1, as pictures from 0 to 1."""
    return (generated + 1) / 2


def generate(generator, noise, labels=None, batch_size=100):
    """Return what a generator makes of noise (N, Z), in the mode of use, as pictures from 0 to 1.

    Parameters
    ----------
    generator : Layer
        Ends in tanh.
    noise : array (N, Z)
    labels : array (N,) of ints, optional
        For a conditional generator.
    batch_size : int
    """
    inputs = (noise,) if labels is None else (noise, labels)
    with evaluating(generator):
        parts = [
            generator(*(array[i : i + batch_size] for array in inputs))
            for i in range(0, len(noise), batch_size)
        ]
    return as_pictures(np.concatenate(parts))


def judged(judge, pictures):
    """Return the judge's probabilities (N, K) for pictures."""
    return softmax(predict(judge, pictures))


def agreement(judge, pictures, labels):
    """Return the share of pictures that the judge takes for what they were meant to be."""
    return float((judged(judge, pictures).argmax(axis=1) == labels).mean())


def confidence(judge, pictures):
    """Return how sure the judge is of what it sees: the mean of its largest probability."""
    return float(judged(judge, pictures).max(axis=1).mean())


def kinds(judge, pictures):
    """Return how many classes pictures are spread over: e to the entropy of the judge's answers.

    K if all K classes come equally often, and 1 if there is only one.
    """
    probabilities = judged(judge, pictures)
    share = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    share = share[share > 0] / len(pictures)
    return float(np.exp(-(share * np.log(share)).sum()))


def variety(pictures, labels):
    """Return the mean distance of two pictures of one class, over all pairs and classes."""
    found = []
    for label in np.unique(labels):
        of_class = pictures[labels == label].reshape((labels == label).sum(), -1)
        n = len(of_class)
        if n > 1:
            found.append(distances(of_class, of_class).sum() / (n * (n - 1)))
    return float(np.mean(found))


def coverage(made, real, neighbours=5):
    """Return the share of real data that have something generated in their neighbourhood.

    The neighbourhood of a real piece reaches as far as its `neighbours`-th nearest real piece. As
    many new data from the same source as there are real ones cover all but 1 / 2**neighbours of
    them (Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020).

    Parameters
    ----------
    made : array (M, …)
    real : array (N, …)
        More than `neighbours`.
    neighbours : int

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there are too few real data, or none that are generated.
    """
    neighbours = checks.integer("neighbours", neighbours, least=1)
    if len(real) <= neighbours or len(made) == 0:
        raise ValueError(
            f"made must hold at least one piece and real more than {neighbours}, "
            f"got {len(made)} and {len(real)}"
        )
    made, real = (array.reshape(len(array), -1) for array in (made, real))
    reach = np.sort(distances(real, real), axis=1)[:, neighbours]  # 0 is the piece itself
    return float((distances(real, made).min(axis=1) <= reach).mean())


def nearest(pictures, training):
    """Return for each picture the place of the nearest training picture, and its distance.

    Returns
    -------
    places : array (N,) of ints
    distances : array (N,)
    """
    flat = [array.reshape(len(array), -1) for array in (pictures, training)]
    between = distances(*flat)
    return between.argmin(axis=1), between.min(axis=1)


def blots(pictures, threshold=0.5):
    """Return how many spots of ink a picture has beside its largest connected piece, on average.

    Parameters
    ----------
    pictures : array (N, 1, H, W)
    threshold : float
        From here on a pixel is ink. Ink belongs together at a side or at a corner.
    """
    ink = pictures[:, 0] > threshold
    n, h, w = ink.shape
    names = np.where(ink, np.arange(1, h * w + 1).reshape(h, w), 0)
    while True:  # the largest name of a piece spreads over it
        padded = np.pad(names, ((0, 0), (1, 1), (1, 1)))
        around = [padded[:, r : r + h, c : c + w] for r in range(3) for c in range(3)]
        spread = np.where(ink, np.max(around, axis=0), 0)
        if (spread == names).all():
            break
        names = spread
    pieces = sum(len(np.unique(picture[picture > 0])) for picture in names)
    empty = (~ink.any(axis=(1, 2))).sum()
    return float((pieces - (n - empty)) / n)


def checkerboard(pictures):
    """Return how unequally the four sorts of pixels are inked, rows and columns even or odd.

    A transposed convolution of stride 2 whose kernel size is odd makes each sort from another
    number of products, and a pattern of squares remains (Odena, Dumoulin and Olah, "Deconvolution
    and checkerboard artifacts", Distill 2016).

    Returns
    -------
    float
        The standard deviation of the four mean values, divided by their mean.
    """
    means = [pictures[..., r::2, c::2].mean() for r in (0, 1) for c in (0, 1)]
    return float(np.std(means) / max(np.mean(means), 1e-12))


def energy_distance(a, b):
    """Return how far two clouds of points are apart as a whole; 0 if they are the same.

    It is twice the mean distance between a point of either, less the mean distances within each
    (Székely and Rizzo, "Energy statistics", 2013).

    Parameters
    ----------
    a : array (N, L)
    b : array (M, L)
    """
    return float(2 * distances(a, b).mean() - distances(a, a).mean() - distances(b, b).mean())
