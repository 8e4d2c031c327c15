"""Using a model: its scores, and how good they are."""

import numpy as np

from .. import checks
from ..arrays import get_array_module, is_cupy, to_gpu, to_numpy
from ..layers.base import evaluating
from ..losses import SoftmaxCrossEntropy
from .checks import are_labels, chosen_metrics, data


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
        name: float(metric(scores, y)) for name, metric in metrics.items()}


def all_scores(model, x, batch_size):
    """Return the model's scores for x, where the model is."""
    batch_size = checks.integer("batch_size", batch_size, least=1)
    xp, x = checks.numeric_arrays(x=x)
    if x.ndim == 0:
        raise ValueError("x must have an axis for the inputs, got a single number")
    move = mover(model)
    with evaluating(model):
        scores = [model.forward(move(x[start:start + batch_size]))
                  for start in range(0, max(len(x), 1), batch_size)]
    return get_array_module(*scores).concatenate(scores)


def first_scores(model, x, y_name, y, loss):
    """Return the scores of the first input, after checking that x, model, loss and y go together.

    What does not fit is found out before training, and the steps need not look again.
    """
    if not callable(loss) or not hasattr(loss, "backward"):
        raise TypeError("loss must be a Loss, which has a backward, got "
                        f"{loss!r} of type {type(loss).__name__}")
    scores = all_scores(model, x[:1], batch_size=1)
    if isinstance(loss, SoftmaxCrossEntropy) and are_labels(y, scores):
        checks.class_numbers(y_name, y, scores.shape[1])
    loss(scores, mover(model)(y[:1]))
    return scores


def mover(model):
    """Return the function that takes an array to where the parameters of the model are."""
    return to_numpy if get_array_module(**model.params) is np else to_gpu
