"""Training a Siamese network, whose features of one class shall lie close together.

Both images of a pair go through the same network, as twins do. So there is no need for two: a
mini-batch goes through once, and the loss looks at all pairs that can be made of it.
"""

import numpy as np

from ..losses import PairLoss
from ..optimizers import Adam


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
    model.train()
    for batch in class_batches(labels, steps, each, seed):
        losses.append(loss(model(x[batch]), labels[batch]))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
    model.eval()
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
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    for _ in range(steps):
        yield np.concatenate([rng.choice(of_class, each, replace=False) for of_class in places])
