"""Using a model: its scores, and how good they are."""

import re

import numpy as np

from .. import checks
from ..arrays import get_array_module, is_cupy, to_gpu, to_numpy
from ..layers.base import errors_of, evaluating
from ..losses import Loss, SoftmaxCrossEntropy
from .checks import chosen_metrics, data


def predict(model, x, batch_size=500):
    """Return the scores that the model gives, in the mode of `model.eval()`.

    Parameters
    ----------
    model : Layer
        Its mode is put back afterwards.
    x : array (N, ...)
    batch_size : int
        How many inputs go through the model at once.

    Returns
    -------
    array (N, K), or whatever the model makes of N inputs
        NumPy or CuPy, as x is.
    """
    scores = all_scores(model, x, batch_size)
    return to_gpu(scores) if is_cupy(x) else to_numpy(scores)


def evaluate(model, x, y, loss=None, metrics=None, batch_size=500):
    """Measure the model, in the mode of `model.eval()`, on data with known answers.

    Parameters
    ----------
    model, x, y, loss, metrics
        As in `fit`.
    batch_size : int
        How many inputs go through the model at once.

    Returns
    -------
    dict, name -> float
        "loss" and each of the metrics.
    """
    x, y = data("x", x, "y", y)
    loss = SoftmaxCrossEntropy() if loss is None else loss
    scores, y = all_scores(model, x, batch_size), mover(model)(y)
    metrics = chosen_metrics(metrics, y, scores, loss)
    return {"loss": float(loss(scores, y))} | {
        name: float(metric(scores, y)) for name, metric in metrics.items()
    }


def all_scores(model, x, batch_size):
    """Return the model's scores for x, where the model is."""
    batch_size = checks.integer("batch_size", batch_size, least=1)
    _, x = checks.numeric_arrays(x=x)
    if x.ndim == 0:
        raise ValueError("x must have an axis for the inputs, got a single number")
    move = mover(model)
    with evaluating(model):
        try:
            scores = [
                model.forward(move(x[start : start + batch_size]))
                for start in range(0, max(len(x), 1), batch_size)
            ]
        except (TypeError, ValueError) as error:
            raise of_all(model, x, error) from error
    return get_array_module(*scores).concatenate(scores)


def of_all(model, x, error):
    """Return an error that some of the inputs have met as all N would have met it.

    A message that speaks of 1 or of 500 inputs where the caller has given 60,000 would not help.
    Which of its numbers count inputs is seen when one goes through the model, and then two: those
    change from 1 to 2.
    """

    def message(count):
        try:
            with evaluating(model):
                model.forward(mover(model)(x[[0] * count]))
        except type(error) as met:
            return re.split(r"(\d+)", str(met))
        return []

    if type(error) not in (TypeError, ValueError) or len(x) == 0:
        return error
    one, two = message(1), message(2)
    if not one or len(one) != len(two):
        return error
    return type(error)(
        "".join(str(len(x)) if (a, b) == ("1", "2") else a for a, b in zip(one, two, strict=True))
    )


def first_scores(model, x, y_name, y, loss):
    """Return the scores of the first input, after checking that x, model, loss and y go together.

    What does not fit is found out before training, and the steps need not look again.
    """
    if not callable(loss) or not hasattr(loss, "backward"):
        raise TypeError(
            f"loss must be a Loss, which has a backward, got {loss!r} of type {type(loss).__name__}"
        )
    try:
        scores = all_scores(model, x[:1], batch_size=1)
    except (TypeError, ValueError) as error:
        raise of_all(model, x, error) from error
    if isinstance(loss, Loss):  # the first scores stand for all, so that all targets are looked at
        first = to_gpu(scores) if is_cupy(y) else to_numpy(scores)
        like_all = get_array_module(first).broadcast_to(first, (len(y), *first.shape[1:]))
        with errors_of(loss):
            loss.check(like_all, y, y_name)
    loss(scores, mover(model)(y[:1]))
    return scores


def mover(model):
    """Return the function that takes an array to where the model is, its `Frozen` parts too."""
    return to_numpy if get_array_module(**model.params | model.buffers) is np else to_gpu
