"""Checks for networks that shall give back pictures; see `convbook.training.health`.

    print(targets_in_reach(model, targets))
    print(shape_returns(model, x))
    print(answers_differ(model, x))

Each returns a `Finding`: a sentence, and whether all is well. None of them changes the model.
"""

import copy

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..layers import Dropout, Flatten, ReLU, Reshape, Sigmoid, Tanh
from ..layers.base import Container, Layer
from .checks import instance
from .health import Finding
from .use import predict

# What a last layer can give.
REACH = {Sigmoid: (0, 1), Tanh: (-1, 1), ReLU: (0, np.inf)}


def targets_in_reach(model, targets):
    """Check that the last activation can give what is asked for: a sigmoid gives 0 to 1, no bytes.

    Parameters
    ----------
    model : Layer
    targets : array (N, ...)

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, targets = checks.numeric_arrays(targets=targets)
    if targets.size == 0:
        raise ValueError(f"targets must hold at least one number, got shape {targets.shape}")
    targets, last = to_numpy(targets), _last(model)
    low, high = float(targets.min()), float(targets.max())
    are = f"the targets lie between {low:.3g} and {high:.3g}"
    if type(last) not in REACH:
        return Finding(True, f"{are}, and the network ends in {last!r}, which can give any number")
    least, most = REACH[type(last)]
    outside = float(((targets < least) | (targets > most)).mean())
    ends = f"the network ends in {last!r}, which gives numbers "
    ends += f"from {least} to {most}" if np.isfinite(most) else f"from {least} on"
    if outside:
        return Finding(
            False,
            f"{are}, but {ends}: {100 * outside:.0f} % of them are out of reach; scale the images, "
            "or let the network end in its last weights",
        )
    return Finding(True, f"{are}, and {ends}")


def _last(model):
    """Return the last layer that computes something of the numbers."""
    if not isinstance(model, Container):
        return model
    children = list(model.children.values())
    while children and isinstance(children[-1], (Flatten, Reshape, Dropout)):
        children.pop()
    return _last(children[-1]) if children else model


def shape_returns(model, x):
    """Check that what comes out has the shape of what went in.

    Parameters
    ----------
    model : Layer
    x : array (N, C, H, W)
        One image is enough.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, x = checks.numeric_arrays(x=x)
    y = predict(copy.deepcopy(model), x[:1])
    went, came = x.shape[1:], y.shape[1:]
    if went == came:
        return Finding(True, f"{_by(went)} go in, and {_by(came)} come out")
    advice = "the loss will not compare them"
    if len(went) == len(came) == 3 and went[1:] != came[1:]:
        advice += (
            "; where a size is odd, halving and doubling do not return to it: choose filter, "
            "padding and output padding so that (H - 1) · S - 2P + FH + J is the size before"
        )
    return Finding(False, f"{_by(went)} go in, but {_by(came)} come out: {advice}")


def _by(shape):
    return " × ".join(map(str, shape))


def answers_differ(model, x, least=0.05):
    """Check that different images get different answers, and not all the same mean picture.

    Parameters
    ----------
    model : Layer
        Gives arrays of the shape of x.
    x : array (N, ...)
        Some images that differ, two at least.
    least : float
        Not fine if the answers vary less than this share of what the images vary, by variance.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, x = checks.numeric_arrays(x=x)
    if x.ndim == 0 or len(x) < 2:
        raise ValueError(f"x must hold at least 2 images, got shape {x.shape}")
    y = to_numpy(predict(copy.deepcopy(model), x)).astype(np.float64)
    if not np.isfinite(y).all():
        return Finding(False, "the answers hold NaN or infinity; was the learning rate too large?")
    varies = float(to_numpy(x).astype(np.float64).var(axis=0).mean())
    if varies == 0:
        raise ValueError("x must hold images that differ, got equal ones")
    share = float(y.var(axis=0).mean()) / varies
    says = f"the answers vary {share:.2g} times as much as the images"
    if share < least:
        return Finding(
            False,
            f"{says}: all images get nearly the same; was the learning rate so large that ReLUs or "
            "sigmoids let no gradient through any more, or is the code too narrow?",
        )
    return Finding(True, says)
