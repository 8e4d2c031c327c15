"""Several tasks at once: one loss made of theirs, for a `SharedBody` with a head for each task."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..losses import Loss, SoftmaxCrossEntropy


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

    def _checked(self, predictions, targets):
        _, predictions, targets = checks.numeric_arrays(predictions=predictions, targets=targets)
        checks.shape("predictions", predictions, (len(targets), self.columns[-1].stop))
        checks.shape("targets", targets, (len(targets), len(self.losses)))
        for loss, y, t in self._parts(predictions, targets):
            loss._checked(y, t)
        return predictions, targets

    def _parts(self, predictions, targets):
        """Yield for each task its loss, its columns of the predictions, and its targets."""
        for i, (loss, columns) in enumerate(zip(self.losses, self.columns)):
            t = targets[:, i]
            yield loss, predictions[:, columns], (
                t.astype(int) if isinstance(loss, SoftmaxCrossEntropy) else t[:, None])

    def measure(self, predictions, targets):
        """Return the weighted sum as an array without axes; see `Loss.measure`."""
        measured = [loss.measure(y, t) for loss, y, t in self._parts(predictions, targets)]
        return sum(weight * value for weight, value in zip(self.weights, measured))

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        parts = [weight * loss.backward() for weight, loss in zip(self.weights, self.losses)]
        return get_array_module(*parts).concatenate(parts, axis=1)


def slant(images):
    """Return how far each digit leans: columns to the left per row downwards, fitted to its ink.

    Parameters
    ----------
    images : array (N, 1, H, W)
        Bright on black.

    Returns
    -------
    array (N,) of the images' dtype
        0 for an upright digit, positive for one that leans to the right, as handwriting mostly
        does.
    """
    xp = get_array_module(images)
    ink = images[:, 0] / images[:, 0].sum(axis=(1, 2), keepdims=True)
    rows, columns = xp.indices(images.shape[2:]).astype(images.dtype)
    down = rows - (ink * rows).sum(axis=(1, 2))[:, None, None]
    right = columns - (ink * columns).sum(axis=(1, 2))[:, None, None]
    return -(ink * down * right).sum(axis=(1, 2)) / (ink * down * down).sum(axis=(1, 2))
