"""Checks for a network that trains without an error, and badly: each looks for one known fault.

    print(input_scale(x_train))
    print(weights_fit(model, "weights.npz"))

Each check returns a `Finding`: a sentence, and whether all is well. None of them changes the model.
"""

import copy
import math
import textwrap
from dataclasses import dataclass

import numpy as np

from .. import checks
from ..arrays import as_tuple, to_numpy
from ..layers import states
from ..layers.base import Layer, evaluating
from ..layers.containers import Residual
from ..layers.elementwise import Dropout
from ..layers.normalisation import BatchNorm2d
from ..layers.summary import named_layers
from .checks import instance
from .flow import root_mean_square, signal_flow
from .use import mover

WIDTH = 76  # of a sentence as it is printed
MOST_NAMED = 3  # so many layers or arrays are named in a sentence, the others are counted


@dataclass(frozen=True)
class Finding:
    """What a check has found; true if all is well.

    Attributes
    ----------
    fine : bool
    sentence : str
    """

    fine: bool
    sentence: str

    def __bool__(self):
        return self.fine

    def __str__(self):
        text = f"{'fine' if self.fine else 'LOOK'}: {self.sentence}"
        return textwrap.fill(text, WIDTH, subsequent_indent=" " * 6)

    __repr__ = __str__


# --- The data ------------------------------------------------------------------------------------


def input_scale(x, like=None):
    """Check that inputs are of about the size that initial weights and learning rates are made for.

    Parameters
    ----------
    x : array (N, C, ...)
        What the network is given.
    like : array (N, C, ...), optional
        What it was trained with: x must have about the same mean and deviation then.

    Returns
    -------
    Finding
        Without `like`, not fine if the standard deviation lies outside 0.1 to 3, or the mean is
        farther from 0 than 3.
    """
    mean, deviation = mean_and_deviation("x", x)
    is_ = f"the inputs have mean {mean:.3g} and standard deviation {deviation:.3g}"
    if like is not None:
        its_mean, its_deviation = mean_and_deviation("like", like)
        ratio = deviation / max(its_deviation, 1e-12)
        fine = abs(mean - its_mean) < its_deviation / 2 and 0.5 < ratio < 2
        return Finding(
            fine,
            f"{is_}, those of the training {its_mean:.3g} and {its_deviation:.3g}"
            + ("" if fine else "; prepare both in the same way, with the numbers of the training"),
        )
    fine = 0.1 <= deviation <= 3 and abs(mean) <= 3
    return Finding(
        fine,
        is_
        + (
            ""
            if fine
            else "; subtract the mean of the training data and divide by their standard deviation"
        ),
    )


def mean_and_deviation(name, x):
    """Return the mean and the standard deviation of all numbers of an array."""
    _, x = checks.numeric_arrays(**{name: x})
    if x.size == 0:
        raise ValueError(f"{name} must hold at least one number, got shape {x.shape}")
    x = to_numpy(x)
    mean, deviation = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
    return (0.0 if abs(mean) < 1e-3 * deviation else mean), deviation  # 0 but for rounding is 0


def last_batch(count, batch_size):
    """Check that no mini-batch of an epoch holds a single input, whose statistics are its own.

    Parameters
    ----------
    count : int
        How many inputs there are.
    batch_size : int

    Returns
    -------
    Finding
    """
    count = checks.integer("count", count, least=1)
    batch_size = checks.integer("batch_size", batch_size, least=1)
    alone = "and batch normalisation takes its statistics for those of all"
    if batch_size == 1:
        return Finding(False, f"each mini-batch holds a single input, {alone}; take more")
    rest = count % batch_size
    if rest == 1:
        return Finding(
            False,
            f"{count:,} inputs in mini-batches of {batch_size}: the last one holds a single "
            f"input, {alone}; leave that one out of each epoch, or take another batch_size",
        )
    return Finding(
        True,
        f"{count:,} inputs in mini-batches of {batch_size}: the last one holds "
        f"{rest or batch_size}",
    )


# --- The mode of the network ---------------------------------------------------------------------


def evaluation_mode(model):
    """Check that batch normalisation and dropout work as after ``eval()``, which use needs.

    Parameters
    ----------
    model : Layer

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    training = [
        name
        for name, layer in named_layers(model)
        if isinstance(layer, (BatchNorm2d, Dropout)) and layer.training
    ]
    if training:
        return Finding(
            False,
            f"still in the mode of training: {listed(training)}; a score then depends on the other "
            "inputs of its mini-batch, or on chance; call model.eval()",
        )
    return Finding(True, "batch normalisation and dropout work as after eval()")


def company(model, x, tolerance=1e-3):
    """Check that an input's scores don't depend on its company, in the mode that the model is in.

    Parameters
    ----------
    model : Layer
    x : array (N, ...)
        Some inputs, two at least.
    tolerance : float
        By how much of the largest score a score may differ.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, x = checks.numeric_arrays(x=x)
    if x.ndim == 0 or len(x) < 2:
        raise ValueError(f"x must hold at least 2 inputs, got shape {x.shape}")
    x, model = mover(model)(x), copy.deepcopy(model)  # running statistics move in training mode
    together = to_numpy(as_tuple(model.forward(x))[0])
    try:
        alone = [to_numpy(as_tuple(model.forward(x[i : i + 1]))[0])[0] for i in range(len(x))]
    except ValueError as error:
        return Finding(False, f"an input by itself cannot be computed ({error}); see model.eval()")
    apart = float(np.abs(together - np.stack(alone)).max())
    fine = apart <= tolerance * max(1.0, float(np.abs(together).max()))
    by = f"scores of an input alone and among {len(x)} differ by {apart:.2g} at most"
    return Finding(fine, by + ("" if fine else "; is the model in the mode of eval()?"))


def running_statistics(model, x, factor=4.0):
    """Check that the statistics batch normalisation has kept are about those of the inputs.

    They are not if the network was never trained, if its `buffers` were not saved with its
    weights, if there were too few steps for its momentum, or if x is prepared in another way.

    Parameters
    ----------
    model : Layer
    x : array (N, ...)
        Some inputs, such as a hundred of the training.
    factor : float
        Not fine where a variance is so many times too large or too small, or where the means
        lie apart by so many standard deviations, in the middle of a layer's channels.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    worst, names = 1.0, []
    watched = copy.deepcopy(model).eval()
    layers = [
        (name, layer) for name, layer in named_layers(watched) if isinstance(layer, BatchNorm2d)
    ]
    if not layers:
        return Finding(True, "there is no batch normalisation")
    seen = {name: kept_inputs(layer) for name, layer in layers}
    watched.forward(mover(watched)(x))
    for name, layer in layers:
        x_in = to_numpy(seen[name][0]).astype(np.float64)
        mean, var = (to_numpy(layer.buffers[f"running_{k}"]) for k in ("mean", "var"))
        ratio = (x_in.var(axis=(0, 2, 3)) + layer.eps) / (var + layer.eps)
        apart = np.abs(x_in.mean(axis=(0, 2, 3)) - mean) / np.sqrt(var + layer.eps)
        off = max(float(np.median(np.maximum(ratio, 1 / ratio))), float(np.median(apart)))
        worst = max(worst, off)
        if off > factor:
            names.append(name)
    if names:
        by = f"up to {worst:.2g}" if worst < 1000 else "a thousand and more"
        return Finding(
            False,
            f"the running statistics of {listed(names)} are not those of these inputs, off by a "
            f"factor of {by}; was the network trained, were its buffers saved and loaded, are the "
            "inputs prepared as in training?",
        )
    return Finding(True, f"running statistics are those of the inputs, to a factor of {worst:.2g}")


def kept_inputs(layer):
    """Let a layer keep what it is given, in the list that is returned."""
    forward, kept = layer.forward, []

    def forward_and_keep(x):
        kept.append(x)
        return forward(x)

    layer.forward = forward_and_keep
    return kept


# --- Shapes and weights --------------------------------------------------------------------------


def shortcuts(model, input_shape):
    """Check that in each residual block body and shortcut give the same shape.

    Parameters
    ----------
    model : Layer
    input_shape : tuple of int
        The shape of one input, such as (C, H, W).

    Returns
    -------
    Finding
        Names the first block where they don't, and what the shortcut would need.
    """
    instance("model", model, Layer)
    tried, faults = copy.deepcopy(model).to_cpu().eval(), []
    blocks = [(name, b) for name, b in named_layers(tried) if isinstance(b, Residual)]
    for name, block in blocks:
        block.forward = compared(name, block, faults)
    try:
        tried.forward(np.zeros((1, *input_shape), np.float32))
    except ShapesDiffer:
        name, x, body, short = faults[0]
        return Finding(
            False,
            f"the residual block {name} is given {by(x)}; its body makes {by(body)} of it, its "
            f"shortcut {by(short)}{what_is_missing(x, body, short)}",
        )
    return Finding(True, f"all {len(blocks)} shortcuts give the shapes of their bodies")


class ShapesDiffer(Exception):
    """Body and shortcut of a block give different shapes."""


def compared(name, block, faults):
    """Return a forward of a block that notes its shapes where they differ."""

    def forward(x):
        y, short = block.body.forward(x), block.shortcut.forward(x)
        if y.shape != short.shape:
            faults.append((name, x.shape[1:], y.shape[1:], short.shape[1:]))
            raise ShapesDiffer
        return y + short

    return forward


def what_is_missing(x, body, short):
    """Say what a shortcut (C, H, W) would need to give what the body gives."""
    if len(x) != 3 or len(body) != 3 or len(short) != 3:
        return ""
    needs = []
    if short[1:] != body[1:] and body[1] and short[1] % body[1] == 0:
        needs.append(f"stride {short[1] // body[1]}")
    if short[0] != body[0]:
        needs.append(f"{body[0]} channels")
    return f": it needs {' and '.join(needs)}" if needs else ""


def weights_fit(model, state):
    """Check whether a state has the names and shapes of a model's, without loading it.

    Parameters
    ----------
    model : Layer
    state : dict, name -> array; or path
        As `Layer.state` returns it, or a file that `Layer.save` wrote.

    Returns
    -------
    Finding
        Fine says nothing about strides, paddings, activations, or the order of layers without
        weights: see `same_scores`.
    """
    instance("model", model, Layer)
    if not hasattr(state, "keys"):
        state = states.read(state)
    own = {**model.params, **model.buffers}
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    wrong = [
        f"{name} ({by(np.shape(state[name]))} in place of {by(own[name].shape)})"
        for name in own
        if name in state and np.shape(state[name]) != own[name].shape
    ]
    faults = [
        f"{what}: {listed(names)}"
        for what, names in (("missing", missing), ("unknown", unknown), ("of another shape", wrong))
        if names
    ]
    if faults:
        return Finding(False, f"the state is one of another network; {'; '.join(faults)}")
    return Finding(True, f"all {len(own)} arrays are there, and of the right shapes")


def same_scores(model, x, scores, tolerance=1e-4):
    """Check that a model gives the scores that were noted down when its weights were saved.

    Two networks can have the same names and shapes, and compute different things: a stride in
    another place, another activation. Then weights load without a word.

    Parameters
    ----------
    model : Layer
    x : array (N, ...)
        A few inputs, kept with the weights.
    scores : array (N, K)
        What the model gave for them, in the mode of ``eval()``.
    tolerance : float
        By how much of the largest score they may differ.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    with evaluating(model):
        now = to_numpy(model.forward(mover(model)(x)))
    scores = to_numpy(scores)
    if now.shape != scores.shape:
        return Finding(False, f"the scores have shape {now.shape}, the ones kept {scores.shape}")
    apart = float(np.abs(now - scores).max())
    fine = apart <= tolerance * max(1.0, float(np.abs(scores).max()))
    return Finding(
        fine,
        f"the scores differ from the ones kept by {apart:.2g} at most"
        + ("" if fine else "; this network computes something else with these weights"),
    )


# --- The training --------------------------------------------------------------------------------


def schedule_length(schedule, count, batch_size, epochs):
    """Check that a schedule ends when the training does.

    Parameters
    ----------
    schedule : CosineSchedule, or another with `steps`
        It must count steps, as `fit` does.
    count : int
        How many inputs there are.
    batch_size, epochs : int
        Those of the training.

    Returns
    -------
    Finding
    """
    if not hasattr(schedule, "steps"):
        raise TypeError(
            f"schedule must be one that ends after `steps`, got {type(schedule).__name__}"
        )
    count, batch_size, epochs = (
        checks.integer(name, value, least=1)
        for name, value in (("count", count), ("batch_size", batch_size), ("epochs", epochs))
    )
    steps = epochs * math.ceil(count / batch_size)
    made_for = f"the schedule is made for {schedule.steps:,} steps, the training has {steps:,}"
    if schedule.steps == steps:
        return Finding(True, made_for)
    if schedule.steps < steps:
        rest = (
            f"{steps - schedule.steps:,} of them with the last learning rate, "
            f"{schedule.lr_after(schedule.steps):.3g}"
        )
    else:
        rest = f"which ends at a learning rate of {schedule.lr_after(steps):.3g}"
    return Finding(False, f"{made_for}, {rest}")


def gradients_arrive(model, x, y, loss=None, least=2e-3, most=20.0, apart=100.0):
    """Check that, before the training, all layers get gradients of a useful size.

    A gradient is measured by the weights that it belongs to: both as root mean squares. Its size
    alone says little, since each layer's gradient is its signal times what comes back to it.

    Parameters
    ----------
    model, x, y, loss
        As in `signal_flow`.
    least, most : float
        Not fine if a layer's gradient is less than `least` of its weights, or more than `most`.
    apart : float
        Nor if it is so many times as large in one layer as in another.

    Returns
    -------
    Finding
    """
    rows = signal_flow(model, x, y, loss)
    if not rows:
        raise ValueError("model must have a convolution or a linear layer that learns, got none")
    shares = [row.weights / max(root_mean_square(weights_of(row.layer)), 1e-30) for row in rows]
    if not all(map(math.isfinite, shares)):
        return Finding(False, "the gradients are infinite or NaN")
    (low, lowest), (high, highest) = (
        (shares[i], rows[i].name) for i in (np.argmin(shares), np.argmax(shares))
    )
    says = f"gradients are from {low:.2g} of the weights ({lowest}) to {high:.2g} ({highest})"
    if low < least:
        why = "; the small ones hardly move anything: normalise, or look at the initial weights"
    elif high > most:
        why = "; the large ones throw the weights about: normalise, or scale the initial weights"
    elif high > apart * low:
        why = "; no learning rate suits both: shortcuts help"
    else:
        return Finding(True, says)
    return Finding(False, says + why)


def weights_of(layer):
    """Return the filters of a convolution, or the matrix of a linear layer."""
    return next(iter(layer.params.values()))


# --- Words ---------------------------------------------------------------------------------------


def listed(names):
    """Return some names in a row: the first ones, and how many there are besides."""
    shown = [name or "the model" for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def by(shape):
    """Return a shape as people write it: 3 × 32 × 32."""
    return " × ".join(map(str, shape)) or "one number"
