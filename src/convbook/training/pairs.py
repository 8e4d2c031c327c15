"""Training a Siamese network, whose features of one class shall lie close together.

Both images of a pair go through the same network, as twins do. So there is no need for two: a
mini-batch goes through once, and the loss looks at all pairs that can be made of it.
"""

import numpy as np

from .. import checks
from ..losses import PairLoss
from ..optimizers import Adam
from .loop import run


def train_pairs(model, x, labels, steps, each=8, lr=0.001, seed=0):
    """Train a network of features with `PairLoss` and Adam; return the losses of all steps.

    Parameters
    ----------
    model : Layer
        From images to features of length 1, such as `siamese_body()`; afterwards as after eval().
    x : array (N, C, H, W)
    labels : array (N,) of ints
    steps, each, seed
        As in `class_batches`.
    lr : float
    """
    loss, optimizer, losses = PairLoss(), Adam(model, lr=lr), []

    def step(batch):
        losses.append(loss(model(x[batch]), labels[batch]))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        return losses[-1]

    run(step, class_batches(labels, steps, each, seed), 1, optimizer, progress=False)
    return losses


def class_batches(labels, steps, each=8, seed=0):
    """Yield indices of mini-batches that hold `each` images of every class, so that pairs abound.

    Parameters
    ----------
    labels : array (N,) of ints
    steps : int
        How many mini-batches.
    each : int
        Images of a class, drawn without repetition within the batch.
    seed : int or numpy.random.Generator
    """
    steps, each = (
        checks.integer(name, value, least=1) for name, value in (("steps", steps), ("each", each))
    )
    rng, labels = checks.generator("seed", seed), np.asarray(labels)
    places = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    fewest = min(map(len, places), default=0)
    if fewest < each:
        raise ValueError(
            f"each must be at most the number of images of the rarest class, {fewest}, got {each}"
        )
    for _ in range(steps):
        yield np.concatenate([rng.choice(of_class, each, replace=False) for of_class in places])
