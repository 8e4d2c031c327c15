"""Losses of yes-or-no questions: a stroke is there, a pixel is muscle, an image is real."""

from .. import checks
from ..arrays import get_array_module
from .base import Loss, in_work_dtype, same_shape, shares


def probability(scores):
    """Return the sigmoid of each score, without overflow."""
    xp = get_array_module(scores)
    return (1 + xp.tanh(scores / 2)) / 2


def binary_cross_entropy(scores, answers, pos_weight=1.0):
    """Return the cost of each sigmoid(score) where `answers` has 1 for yes and 0 for no.

    It is log(1 + exp(-score)) where the answer is yes, log(1 + exp(score)) where it is no, and in
    between the mean of the two, weighted with the answer; in a form that cannot overflow.
    """
    xp = get_array_module(scores)
    rest = xp.log1p(xp.exp(-abs(scores)))
    # Chosen, and not only weighted: a weight of 0 must also remove an infinity.
    if_yes = xp.where(answers > 0, xp.maximum(-scores, 0) + rest, 0)
    if_no = xp.where(answers < 1, xp.maximum(scores, 0) + rest, 0)
    return pos_weight * answers * if_yes + (1 - answers) * if_no


class BCEWithLogitsLoss(Loss):
    """Sigmoid, then binary cross entropy: the mean over all elements.

    Together, because the gradient of the two is simply (sigmoid(scores) - targets) / (number of
    elements), and because neither overflow nor the logarithm of zero can then occur. The network
    must not end in a Sigmoid of its own: it would be a second one.

    Parameters
    ----------
    pos_weight : float
        How much more a "yes" counts than a "no", where one of the two is rare; at least 0.
    """

    def __init__(self, pos_weight=1.0):
        super().__init__()
        self.pos_weight = checks.number("pos_weight", pos_weight, least=0)

    def forward(self, scores, targets):
        """Return the mean loss as a float.

        Parameters
        ----------
        scores : array, such as (N, 1) or (N, 1, H, W)
        targets : array of the same shape
            1 for yes and 0 for no, or probabilities.
        """
        return super().forward(scores, targets)

    def _check(self, scores, targets, name):
        same_shape(scores, targets, name)
        shares(name, targets)

    def measure(self, scores, targets):
        """Return the mean loss as an array without axes; see `Loss.measure`."""
        dtype, scores, targets = in_work_dtype(scores, targets)
        self._remembered = scores, targets, dtype
        costs = binary_cross_entropy(scores, targets, self.pos_weight)
        return costs.sum() / self._counted(scores)

    def backward(self):
        """Return the gradient of the scores, in their shape."""
        scores, targets, dtype = self._recall()
        p = probability(scores)
        if self.pos_weight == 1:
            slope = p - targets
        else:
            slope = (1 - targets) * p - self.pos_weight * targets * (1 - p)
        return (slope / self._counted(scores)).astype(dtype, copy=False)

    def _counted(self, scores):
        """Return the number that the sum of all costs is divided by."""
        return scores.size


class SigmoidCrossEntropy(BCEWithLogitsLoss):
    """Sigmoid, then binary cross entropy for each of several yes-or-no questions about an image.

    The loss of an image is the sum over the questions; the mini-batch is averaged. (The mean over
    both is `BCEWithLogitsLoss`: K times less.)
    """

    def __init__(self):
        super().__init__()

    def forward(self, scores, answers):
        """Return the loss as a float.

        Parameters
        ----------
        scores : array (N, K)
        answers : array (N, K)
            1 for yes and 0 for no, or probabilities.
        """
        return super().forward(scores, answers)

    def check(self, scores, answers, name="answers"):
        """Return both as arrays, after checking them; see `Loss.check`."""
        return super().check(scores, answers, name)

    def _check(self, scores, answers, name):
        checks.axes("scores", scores, "NK")
        super()._check(scores, answers, name)

    def _counted(self, scores):
        return len(scores)


class SoftDiceLoss(Loss):
    """Sigmoid, then 1 - Dice coefficient, which asks how far two areas lie upon each other.

    With p = sigmoid(scores), the coefficient of one image and channel is
    (2 · Σ p · t + smooth) / (Σ p + Σ t + smooth), summed over its pixels: 1 if both areas are the
    same, near 0 if they have nothing in common. The mean over images and channels is taken. Unlike
    cross entropy it does not care how large the background is. Milletari, Navab and Ahmadi,
    "V-Net", 3DV 2016 (there with squares in the denominator).

    Parameters
    ----------
    smooth : float
        At least 0. More than 0 makes the coefficient of an empty area and an empty target 1.
    """

    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = checks.number("smooth", smooth, least=0)

    def forward(self, scores, targets):
        """Return the mean loss as a float.

        Parameters
        ----------
        scores : array (N, C, H, W)
        targets : array (N, C, H, W)
            1 inside and 0 outside, or shares.
        """
        return super().forward(scores, targets)

    def _check(self, scores, targets, name):
        checks.axes("scores", scores, "NCHW")
        same_shape(scores, targets, name)
        shares(name, targets, "1 inside, 0 outside, or a share between them")

    def measure(self, scores, targets):
        """Return the mean loss as an array without axes; see `Loss.measure`."""
        dtype, scores, targets = in_work_dtype(scores, targets)
        p = probability(scores)
        common = 2 * (p * targets).sum(axis=(2, 3), keepdims=True) + self.smooth
        both = (p + targets).sum(axis=(2, 3), keepdims=True) + self.smooth
        if self.smooth == 0:  # nothing in the target and nothing found: all is right
            common, both = common + (both == 0), both + (both == 0)
        self._remembered = p, targets, common, both, dtype
        return 1 - (common / both).mean()

    def backward(self):
        """Return the gradient of the scores, (N, C, H, W)."""
        p, targets, common, both, dtype = self._recall()
        dp = (common / both - 2 * targets) / (both * common.size)
        return (dp * p * (1 - p)).astype(dtype, copy=False)
