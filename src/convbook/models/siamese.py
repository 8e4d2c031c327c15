"""Features in which the images of one class lie close together: a Siamese network.

Both images of a pair go through the same network, as twins do. So there is no need for two: a
mini-batch goes through once, and the loss looks at all pairs that can be made of it.
"""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..layers.base import Layer, errors_of
from ..layers import Sequential
from ..losses import Loss
from ..optimizers import Adam
from .attributes import binary_cross_entropy, probability
from .freezing import digit_body

SMALLEST = 1e-6  # the length by which nothing shorter is divided


def siamese_body(features=64, rng=None):
    """Return a network from digits (N, 1, 28, 28) to features (N, features) of length 1."""
    return Sequential(*digit_body(features, rng).layers[:-1], UnitLength())


class UnitLength(Layer):
    """Divide every row of x: (N, L) by its length, so that only its direction is left."""

    hands_over = True

    def forward(self, x):
        """Return y: (N, L), rows of length 1."""
        with errors_of(self):
            x = self._input(x, "NM")
        xp = get_array_module(x)
        self._length = xp.maximum(xp.sqrt((x * x).sum(axis=1, keepdims=True)), SMALLEST)
        self._y = x / self._length
        return self._output(self._y)

    def backward(self, dy, need_dx=True):
        """Return dx: of dy, the part across y, divided by the length; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        along = (dy * self._y).sum(axis=1, keepdims=True)
        return (dy - along * self._y) / self._length


class PairLoss(Loss):
    """Cross entropy for all pairs of a mini-batch, for whether both show the same class.

    The probability of "yes" is sigmoid(scale · cosine), where the cosine of two features of length
    1 is their inner product. Pairs of one class and pairs of two classes count one half each.
    Koch, Zemel and Salakhutdinov, "Siamese neural networks for one-shot image recognition", ICML
    Deep Learning Workshop 2015, with the cosine in place of learned weights for |difference|.

    Parameters
    ----------
    scale : float
        How sure the network can be: the largest probability is sigmoid(scale).
    """

    def __init__(self, scale=4.0):
        super().__init__()
        self.scale = checks.number("scale", scale, least=0)

    def __repr__(self):
        return f"PairLoss(scale={self.scale!r})"

    def forward(self, features, labels):
        """Return the loss as a float.

        Parameters
        ----------
        features : array (N, L)
            Rows of length 1, as `UnitLength` makes them.
        labels : array (N,) of ints
        """
        return super().forward(features, labels)

    def _checked(self, features, labels):
        _, features = checks.numeric_arrays(features=features)
        _, labels = checks.numeric_arrays(labels=labels)
        checks.axes("features", features, "NM")
        checks.shape("labels", labels, features.shape[:1])
        return features, labels

    def measure(self, features, labels):
        """Return the loss as an array without axes; see `Loss.measure`."""
        xp = get_array_module(features)
        scores = self.scale * (features @ features.T)
        same = labels[:, None] == labels
        pairs = ~xp.eye(len(labels), dtype=bool)  # nobody is a pair with himself
        alike, different = same & pairs, ~same
        weights = (alike / (2 * xp.maximum(alike.sum(), 1))
                   + different / (2 * xp.maximum(different.sum(), 1))).astype(features.dtype)
        self._remembered = features, weights * (probability(scores) - same)
        return (weights * binary_cross_entropy(scores, same)).sum()

    def backward(self):
        """Return the gradient of the features, (N, L)."""
        features, dscores = self._recall()
        # Both members of a pair feed its score, and each pair stands in the matrix twice.
        gradient = 2 * self.scale * (dscores @ features)
        return gradient.astype(features.dtype, copy=False)


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


def distances(a, b):
    """Return the distance of every row of a: (N, L) from every row of b: (K, L), as (N, K)."""
    xp = get_array_module(a, b)
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return xp.sqrt(xp.maximum(squares, 0))


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
    features = features.reshape(len(features), -1)
    rng = np.random.default_rng(seed)
    classes, truth = np.unique(labels, return_inverse=True)
    right = 0.0
    for _ in range(draws):
        chosen = np.stack([rng.choice(np.flatnonzero(truth == k), shots, replace=False)
                           for k in range(len(classes))])
        asked = np.setdiff1d(np.arange(len(truth)), chosen)
        answers = distances(features[asked], features[chosen].mean(axis=1)).argmin(axis=1)
        right += (answers == truth[asked]).mean()
    return float(right / draws)
