"""The loss of a Siamese network, which tells whether two images show the same class."""

from .. import checks
from ..arrays import get_array_module
from .base import Loss, in_work_dtype
from .binary import binary_cross_entropy, probability


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
            Rows of length 1, as `convbook.layers.UnitLength` makes them.
        labels : array (N,) of ints
        """
        return super().forward(features, labels)

    def check(self, features, labels, name="labels"):
        """Return both as arrays, after checking them; see `Loss.check`."""
        return super().check(features, labels, name)

    def _check(self, features, labels, name):
        checks.axes("features", features, "NL")
        checks.shape(name, labels, features.shape[:1])
        if labels.dtype.kind not in "iu":
            raise TypeError(f"{name} must be integers, got dtype {labels.dtype}")

    def measure(self, features, labels):
        """Return the loss as an array without axes; see `Loss.measure`."""
        xp, (dtype, features) = get_array_module(features), in_work_dtype(features)[:2]
        scores = self.scale * (features @ features.T)
        same = labels[:, None] == labels
        pairs = ~xp.eye(len(labels), dtype=bool)  # nobody is a pair with himself
        alike, different = same & pairs, ~same
        weights = (
            alike / (2 * xp.maximum(alike.sum(), 1))
            + different / (2 * xp.maximum(different.sum(), 1))
        ).astype(features.dtype)
        self._remembered = features, weights * (probability(scores) - same), dtype
        return (weights * binary_cross_entropy(scores, same)).sum()

    def backward(self):
        """Return the gradient of the features, (N, L)."""
        features, dscores, dtype = self._recall()
        # Both members of a pair feed its score, and each pair stands in the matrix twice.
        gradient = 2 * self.scale * (dscores @ features)
        return gradient.astype(dtype, copy=False)
