"""The loss of classification: an image, or each of its pixels, is of one of K classes."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..kernels import entropy
from .base import Loss, in_work_dtype, shares


class SoftmaxCrossEntropy(Loss):
    """Softmax, then cross entropy, averaged over the mini-batch, and over pixels if there are any.

    Together, because the gradient of the two is simply (softmax(scores) - one-hot label) / N, and
    because neither overflow nor the logarithm of zero can then occur. The network must not end in a
    softmax of its own: it would be a second one.

    Parameters
    ----------
    weight : sequence of K floats, optional
        How much each class counts, at least 0. The mean over labels is then a weighted one, as in
        PyTorch. (With probabilities, each class's term is weighted, and the mean is not.)
    ignore_index : int, optional
        A label that stands for "unknown", such as 255: it counts nothing. If no other label occurs
        in a mini-batch, loss and gradient are 0.
    """

    def __init__(self, weight=None, ignore_index=None):
        super().__init__()
        self.weight = None if weight is None else class_weights(weight)
        self.ignore_index = None
        if ignore_index is not None:
            # Any integer will do; -100 is PyTorch's.
            self.ignore_index = checks.integer("ignore_index", ignore_index, least=-(2**31))

    def forward(self, scores, labels):
        """Return the mean loss as a float.

        Parameters
        ----------
        scores : array (N, K) or (N, K, H, W)
        labels : array (N,) or (N, H, W) of ints from 0 to K - 1, or probabilities
            Probabilities have the shape of `scores`, and their sum over the K classes is 1.
        """
        return super().forward(scores, labels)

    def check(self, scores, labels, name="labels"):
        """Return both as arrays, after checking them; see `Loss.check`."""
        return super().check(scores, labels, name)

    def _check(self, scores, labels, name):
        pixels = scores.ndim == 4
        checks.axes("scores", scores, "NKHW" if pixels else "NK")
        if self.weight is not None and len(self.weight) != scores.shape[1]:
            raise ValueError(
                f"weight must hold {scores.shape[1]} numbers, one for each class of "
                f"scores, got {len(self.weight)}"
            )
        if labels.shape == scores.shape:
            probabilities(name, labels)
            return
        wanted = scores.shape[:1] + scores.shape[2:]
        if labels.shape != wanted:
            cure = ""
            if pixels and labels.shape == (wanted[0], 1, *wanted[1:]):
                cure = f"; the axis of the channel is dropped by {name}[:, 0]"
            elif pixels and labels.ndim == 4:
                cure = f"; {OF_COLOURS}"
            raise ValueError(
                f"{name} must have shape {wanted} (ints) or {scores.shape} "
                f"(probabilities), got {labels.shape}{cure}"
            )
        if labels.dtype.kind not in "iu":
            raise TypeError(
                f"{name} of shape {wanted} must be integers, got dtype {labels.dtype}; convert "
                f"with {name}.astype(int)"
            )
        if self.ignore_index is not None:
            labels = labels[labels != self.ignore_index]
        try:
            checks.class_numbers(name, labels, scores.shape[1])
        except ValueError as error:
            cure = of_grey(name, labels, scores.shape[1])
            raise ValueError(f"{error}; {cure}") from None

    def measure(self, scores, labels):
        """Return the mean loss as an array without axes; see `Loss.measure`."""
        rows = as_rows(scores)
        labels = as_rows(labels) if labels.ndim == scores.ndim else labels.reshape(-1)
        self._remembered = scores, rows, labels
        if self.weight is None and self.ignore_index is None:
            return entropy.cross_entropy(rows, labels)
        return self._weighted(rows, labels)[0]

    def backward(self):
        """Return the gradient of the scores, in their shape."""
        scores, rows, labels = self._recall()
        if self.weight is None and self.ignore_index is None:
            gradient = entropy.cross_entropy_gradient(rows, labels)
        else:
            gradient = self._weighted(rows, labels)[1]
        if scores.ndim == 2:
            return gradient
        n, k, h, w = scores.shape
        return gradient.reshape(n, h, w, k).transpose(0, 3, 1, 2)

    def _weighted(self, rows, labels):
        """Return the loss and its gradient for rows of scores, each label with its weight."""
        xp = get_array_module(rows)
        dtype, rows = in_work_dtype(rows)[:2]
        k = rows.shape[1]
        weight = (
            xp.ones(k, rows.dtype) if self.weight is None else xp.asarray(self.weight, rows.dtype)
        )
        if labels.ndim == 1:
            known = (
                xp.ones(len(labels), bool)
                if self.ignore_index is None
                else labels != self.ignore_index
            )
            labels = xp.where(known, labels, 0)  # any class: it counts nothing
            shares = (xp.arange(k) == labels[:, None]) * (weight[labels] * known)[:, None]
            whole = shares.sum()
        else:
            shares, whole = labels * weight, len(rows)
        shares = shares.astype(rows.dtype, copy=False)
        logs = rows - rows.max(axis=1, keepdims=True)
        logs -= xp.log(xp.exp(logs).sum(axis=1, keepdims=True))
        whole = xp.maximum(xp.asarray(whole, rows.dtype), xp.finfo(rows.dtype).tiny)
        # Chosen, and not only weighted: a weight of 0 must also remove an infinity.
        loss = -(shares * xp.where(shares > 0, logs, 0)).sum() / whole
        of_row = shares.sum(axis=1, keepdims=True)
        gradient = xp.where(of_row > 0, of_row * xp.exp(logs) - shares, 0) / whole
        return loss, gradient.astype(dtype, copy=False)


OF_COLOURS = "colours become classes by giving each colour its number"


def of_grey(name, labels, classes):
    """Return how labels become classes that are too large for them."""
    if classes == 1:
        return "scores of a single channel are a yes or no, for which BCEWithLogitsLoss is made"
    if int(labels.max()) != 255:
        return f"classes are counted from 0, and the scores have {classes}"
    if classes == 2:
        return f"a mask of 0 and 255 becomes classes by {name} // 255"
    return (
        "grey values become classes by giving each its number; if 255 stands for unknown, "
        "ignore_index=255 leaves it out"
    )


def class_weights(weight):
    """Return the weights of the classes as a tuple of floats."""
    weight = tuple(
        checks.number("weight", getattr(w, "item", lambda w=w: w)(), least=0) for w in weight
    )
    if not any(weight):
        raise ValueError(f"weight must hold a number above 0, got {weight!r}")
    return weight


def probabilities(name, labels):
    """Check that every row of labels (N, K, ...) is made of probabilities."""
    meaning = "probabilities of the classes"
    colours = f"; {OF_COLOURS}" if labels.ndim == 4 and labels.shape[1] in (3, 4) else ""
    try:
        shares(name, labels, meaning)
    except ValueError as error:
        raise ValueError(f"{error}{colours}") from None
    sums = labels.sum(axis=1, dtype=np.float64)
    if bool(abs(sums - 1).max() > 0.01):
        raise ValueError(
            f"{name} must be {meaning}, whose sum over axis 1 is 1, got sums from "
            f"{sums.min().item():g} to {sums.max().item():g}{colours}"
        )


def as_rows(array):
    """Return (N, K, H, W) as (N · H · W, K): a row for each pixel; (N, K) stays."""
    return array if array.ndim == 2 else array.transpose(0, 2, 3, 1).reshape(-1, array.shape[1])
