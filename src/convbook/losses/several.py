"""Losses made of losses."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..kernels.masks import weighted
from ..layers.base import errors_of
from .base import Loss
from .classes import SoftmaxCrossEntropy


class SumLoss(Loss):
    """The weighted sum of several losses of the same predictions and targets.

    Parameters
    ----------
    *losses : Loss
    weights : sequence of floats, optional
        One for each loss, at least 0; 1 if not given.
    """

    def __init__(self, *losses, weights=None):
        super().__init__()
        self.losses = losses
        self.weights = (
            [1.0] * len(losses)
            if weights is None
            else [checks.number("weights", weight, least=0) for weight in weights]
        )
        if not losses or len(self.weights) != len(losses):
            raise ValueError(
                "losses must be at least one, and weights as many, got "
                f"{len(losses)} and {len(self.weights)}"
            )

    def __repr__(self):
        return (
            "SumLoss("
            + ", ".join(f"{weight:g} · {loss!r}" for weight, loss in zip(self.weights, self.losses))
            + ")"
        )

    def _check(self, predictions, targets, name):
        for loss in self.losses:
            with errors_of(loss):
                loss.check(predictions, targets, name)

    def measure(self, predictions, targets):
        """Return the weighted sum as an array without axes; see `Loss.measure`."""
        measured = [loss.measure(predictions, targets) for loss in self.losses]
        return sum(_weighted(measured, self.weights))

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        return sum(_weighted([loss.backward() for loss in self.losses], self.weights))


class JointLoss(Loss):
    """The weighted sum of the losses of several tasks.

    Parameters
    ----------
    *tasks : (loss, columns, weight)
        A loss, how many columns of the predictions belong to it, and its weight, at least 0.
        Targets are an array (N, number of tasks): one number for each image and task, a class for
        `SoftmaxCrossEntropy`, and otherwise a number that one column predicts.
    """

    def __init__(self, *tasks):
        super().__init__()
        self.losses = [loss for loss, _, _ in tasks]
        self.weights = [checks.number("weight", weight, least=0) for _, _, weight in tasks]
        ends = np.cumsum([checks.integer("columns", columns, least=1) for _, columns, _ in tasks])
        self.columns = [slice(start, end) for start, end in zip((0, *ends[:-1]), ends)]

    def __repr__(self):
        return (
            "JointLoss("
            + ", ".join(
                f"({loss!r}, {columns.stop - columns.start}, {weight:g})"
                for loss, columns, weight in zip(self.losses, self.columns, self.weights)
            )
            + ")"
        )

    def _check(self, predictions, targets, name):
        checks.shape("predictions", predictions, (len(targets), self.columns[-1].stop))
        checks.shape(name, targets, (len(targets), len(self.losses)))
        for i, (loss, y, t) in enumerate(self._parts(predictions, targets)):
            with errors_of(loss):
                if isinstance(loss, SoftmaxCrossEntropy) and bool((t != targets[:, i]).any()):
                    raise ValueError(f"{name}[:, {i}] must be whole numbers, the classes")
                loss.check(y, t, f"{name}[:, {i}]")

    def _parts(self, predictions, targets):
        """Yield for each task its loss, its columns of the predictions, and its targets."""
        for i, (loss, columns) in enumerate(zip(self.losses, self.columns)):
            t = targets[:, i]
            yield (
                loss,
                predictions[:, columns],
                (t.astype(int) if isinstance(loss, SoftmaxCrossEntropy) else t[:, None]),
            )

    def measure(self, predictions, targets):
        """Return the weighted sum as an array without axes; see `Loss.measure`."""
        measured = [loss.measure(y, t) for loss, y, t in self._parts(predictions, targets)]
        return sum(_weighted(measured, self.weights))

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        parts = _weighted([loss.backward() for loss in self.losses], self.weights)
        return get_array_module(*parts).concatenate(parts, axis=1)


def _weighted(arrays, weights):
    """Return each array times its weight; a weight of 0 removes an infinity too."""
    return [weighted(get_array_module(a), a, weight) for a, weight in zip(arrays, weights)]
