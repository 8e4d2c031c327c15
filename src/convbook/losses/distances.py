"""Losses of numbers: how far the predictions are from the targets."""

from .. import checks
from ..arrays import get_array_module
from .base import Loss, finite, in_work_dtype, same_shape


class Distance(Loss):
    """The base of the losses that are a mean over all elements of some function of y - t."""

    def forward(self, predictions, targets):
        """Return the mean loss as a float; both arrays have the same shape."""
        return super().forward(predictions, targets)

    def _check(self, predictions, targets, name):
        same_shape(predictions, targets, name)
        finite(name, targets)

    def measure(self, predictions, targets):
        """Return the mean loss as an array without axes; see `Loss.measure`."""
        dtype, predictions, targets = in_work_dtype(predictions, targets)
        difference = predictions - targets
        self._remembered = difference, dtype
        return self._cost(get_array_module(difference), difference).mean()

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        difference, dtype = self._recall()
        slope = self._slope(get_array_module(difference), difference)
        return (slope * (1 / difference.size)).astype(dtype, copy=False)

    def _cost(self, xp, difference):
        raise NotImplementedError

    def _slope(self, xp, difference):
        raise NotImplementedError


class MeanSquaredError(Distance):
    """The mean of (prediction - target)² over all elements of the mini-batch."""

    def _cost(self, xp, difference):
        return difference * difference

    def _slope(self, xp, difference):
        return 2 * difference


class L1Loss(Distance):
    """The mean of |prediction - target|; where they are equal, the derivative is taken as 0.

    Every wrong element pulls with the same force, so a few that are far off count less than with
    squares, and pictures become sharper.
    """

    def _cost(self, xp, difference):
        return abs(difference)

    def _slope(self, xp, difference):
        return xp.sign(difference)


class SmoothL1Loss(Distance):
    """Squares near the target and absolute values far from it: the mean over all elements.

    With d = |prediction - target|: d² / (2 · beta) where d is less than beta, else d - beta / 2.
    Girshick, "Fast R-CNN", ICCV 2015.

    Parameters
    ----------
    beta : float
        Where the two meet, at least 0. With 0 it is `L1Loss`.
    """

    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = checks.number("beta", beta, least=0)

    def _cost(self, xp, difference):
        distance = abs(difference)
        if self.beta == 0:
            return distance
        near = xp.minimum(distance, self.beta)  # what lies beyond counts singly
        return near * near / (2 * self.beta) + (distance - near)

    def _slope(self, xp, difference):
        if self.beta == 0:
            return xp.sign(difference)
        return xp.clip(difference, -self.beta, self.beta) / self.beta
