"""What a training checks before it begins, so that its steps need not look again."""

from functools import partial

from .. import checks
from ..losses import SoftmaxCrossEntropy
from ..optimizers import Adam, Optimizer, Schedule
from .metrics import mean_hits


def instance(name, value, kind):
    """Check that an argument is a Layer, an Optimizer, or whatever kind it must be of."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} must be of the kind convbook.{kind.__module__.split('.')[1]}."
            f"{kind.__name__}, got {value!r} of type {type(value).__name__}"
        )


def held_out(validation):
    """Return held-out data as a pair of arrays."""
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(
            f"validation must be a pair (x, y) of arrays, got {type(validation).__name__}"
        )
    return data("validation[0]", validation[0], "validation[1]", validation[1])


def data(x_name, x, y_name, y):
    """Return inputs and targets as arrays: equally many, at least one, and finite."""
    xp, x = checks.numeric_arrays(**{x_name: x})
    _, y = checks.numeric_arrays(**{y_name: y})  # apart: the two may be of different kinds
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"{x_name} must hold at least one input, got shape {x.shape}")
    if y.ndim == 0 or len(x) != len(y):
        raise ValueError(
            f"{y_name} must hold as many entries as {x_name}, {len(x)}, got shape {y.shape}"
        )
    if not xp.isfinite(x).all():
        raise ValueError(f"{x_name} must hold finite numbers, got infinite ones or NaN")
    return x, y


def are_labels(y, scores):
    """Whether y are classes, one for each place with scores (N, K) or (N, K, H, W)."""
    return y.dtype.kind in "iu" and y.shape[1:] == scores.shape[2:] and scores.ndim > 1


def chosen_metrics(metrics, y, scores, loss):
    """Return the metrics to measure: those given, or the accuracy where it makes sense."""
    if metrics is None:
        classifies = isinstance(loss, SoftmaxCrossEntropy) or are_labels(y, scores)
        ignore = getattr(loss, "ignore_index", None)
        return {"accuracy": partial(mean_hits, ignore=ignore)} if classifies else {}
    if not hasattr(metrics, "items"):
        raise TypeError(
            f"metrics must be a dict name -> function(scores, y), got {type(metrics).__name__}"
        )
    for name, metric in metrics.items():
        if not callable(metric):
            raise TypeError(f"metrics[{name!r}] must be a function of (scores, y), got {metric!r}")
    return dict(metrics)


def chosen_optimizer(model, optimizer, schedule):
    """Return the optimizer, which must be of this model, and the one that the schedule changes."""
    if schedule is not None:
        instance("schedule", schedule, Schedule)
    if optimizer is None:
        optimizer = Adam(model) if schedule is None else schedule.optimizer
    instance("optimizer", optimizer, Optimizer)
    if optimizer.model is not model:
        raise ValueError("optimizer must have been made for this model, got one of another model")
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError(
            "schedule must change the optimizer that is given with it, "
            "got one for another optimizer"
        )
    return optimizer
