"""Naming an image by what it is nearest to: a reference image, or a description in words."""

import numpy as np

from .. import checks
from ..arrays import get_array_module


def distances(a, b):
    """Return the distance of every row of a: (N, L) from every row of b: (K, L), as (N, K)."""
    xp = get_array_module(a, b)
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return xp.sqrt(xp.maximum(squares, 0))


def one_shot_accuracy(features, labels, shots=1, draws=200, seed=0):
    """Measure how often the class of the nearest references is right.

    In each draw, `shots` images of every class are the references, and their mean stands for the
    class; all other images are asked for.

    Parameters
    ----------
    features : array (N, L)
        With images (N, C, H, W) as features, it is the nearest neighbour in pixels.
    labels : array (N,) of ints
    shots, draws : int
    seed : int or numpy.random.Generator

    Returns
    -------
    float
        The share of right answers over all draws.
    """
    shots, draws = (
        checks.integer(name, value, least=1) for name, value in (("shots", shots), ("draws", draws))
    )
    features = features.reshape(len(features), -1)
    rng = checks.generator("seed", seed)
    classes, truth = np.unique(labels, return_inverse=True)
    if len(truth) != len(features):
        raise ValueError(f"labels must be as many as features, {len(features)}, got {len(truth)}")
    fewest = np.bincount(truth).min(initial=len(truth))
    if fewest < shots or len(truth) == shots * len(classes):
        raise ValueError(
            "shots must leave an image to ask for, and be at most the number of "
            f"images of the rarest class, {fewest}, got {shots}"
        )
    right = 0.0
    for _ in range(draws):
        chosen = np.stack(
            [
                rng.choice(np.flatnonzero(truth == k), shots, replace=False)
                for k in range(len(classes))
            ]
        )
        asked = np.setdiff1d(np.arange(len(truth)), chosen)
        answers = distances(features[asked], features[chosen].mean(axis=1)).argmin(axis=1)
        right += (answers == truth[asked]).mean()
    return float(right / draws)


def nearest_description(answers, table, classes):
    """Return the class whose description differs least from what was seen.

    Parameters
    ----------
    answers : array (N, K)
        Probabilities of "yes" for each image and attribute.
    table : array (classes in all, K)
        The descriptions, rows of 0 and 1.
    classes : sequence of int
        The classes that come into question.

    Returns
    -------
    numpy.ndarray (N,)
        Of equally near ones, the first.
    """
    classes = np.asarray(classes)
    differences = abs(answers[:, None] - table[classes]).sum(axis=2)
    return classes[differences.argmin(axis=1)]
