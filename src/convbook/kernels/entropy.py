"""Softmax and cross entropy, of arrays that were looked at before.

Looking at labels makes the CPU wait for a GPU: a training loop looks once, not in every step.
"""

from ..arrays import float_and_work_dtype, get_array_module
from . import masks


def softmax(xp, scores):
    """Return the probabilities (N, K) of scores (N, K)."""
    p = xp.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def cross_entropy(scores, labels):
    """Return the mean cross entropy of softmax(scores): (N, K), with labels (N,) or (N, K)."""
    xp, (result, work) = get_array_module(scores), float_and_work_dtype(scores)
    logs = scores.astype(work, copy=False) - scores.max(axis=1, keepdims=True)
    logs -= xp.log(xp.exp(logs).sum(axis=1, keepdims=True))
    if labels.ndim == 1:
        return -logs[xp.arange(len(logs)), labels].mean().astype(result)
    # The logarithm of a probability of 0 is infinite; where the label is 0 too, it adds nothing.
    return -masks.weighted(xp, logs, labels).sum(axis=1).mean().astype(result)


def cross_entropy_gradient(scores, labels):
    """Return the gradient of `cross_entropy`, (N, K)."""
    xp, (result, work) = get_array_module(scores), float_and_work_dtype(scores)
    d = softmax(xp, scores.astype(work, copy=False))
    if labels.ndim == 1:
        d[xp.arange(len(labels)), labels] -= 1
    else:
        d *= labels.sum(axis=1, keepdims=True)
        d -= labels
    d /= len(d)
    return d.astype(result, copy=False)
