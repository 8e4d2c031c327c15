"""Loss functions: how wrong the predictions of a mini-batch are, as one number, and its gradient.

    error = loss(predictions, targets)    # a Python float
    dy = loss.backward()                  # ∂E/∂predictions, where model.backward begins
"""

from . import checks
from .kernels import entropy
from .layers.base import errors_of


class Loss:
    """The base of the loss functions; each remembers its last call of `forward` or `measure`."""

    def __init__(self):
        self._remembered = None

    def forward(self, predictions, targets):
        """Check both arrays, and return the mean loss as a float."""
        with errors_of(self):
            return float(self.measure(*self._checked(predictions, targets)))

    def measure(self, predictions, targets):
        """Return the mean loss as an array without axes, of arrays that are known to be right.

        For training loops: looking at labels, or reading a number, makes the CPU wait for the GPU.
        """
        raise NotImplementedError

    def _checked(self, predictions, targets):
        raise NotImplementedError

    def __call__(self, predictions, targets):
        return self.forward(predictions, targets)

    def __repr__(self):
        return f"{type(self).__name__}()"

    def _recall(self):
        if self._remembered is None:
            raise RuntimeError(f"{self}: backward was called before forward; "
                               "it needs what forward remembers")
        return self._remembered


class SoftmaxCrossEntropy(Loss):
    """Softmax, then cross entropy, averaged over the mini-batch.

    Together, because the gradient of the two is simply (softmax(scores) - one-hot label) / N, and
    because neither overflow nor the logarithm of zero can then occur.
    """

    def forward(self, scores, labels):
        """Return the mean loss as a float.

        Parameters
        ----------
        scores : array (N, K)
        labels : array (N,) of ints from 0 to K - 1, or (N, K) of probabilities
        """
        return super().forward(scores, labels)

    def _checked(self, scores, labels):
        return checks.classification(scores, labels)[1:]

    def measure(self, scores, labels):
        """Return the mean loss as an array without axes; see `Loss.measure`."""
        self._remembered = scores, labels
        return entropy.cross_entropy(scores, labels)

    def backward(self):
        """Return the gradient of the scores, (N, K)."""
        return entropy.cross_entropy_gradient(*self._recall())


class MeanSquaredError(Loss):
    """The mean of (prediction - target)² over all elements of the mini-batch."""

    def forward(self, predictions, targets):
        """Return the mean squared error as a float; both arrays have the same shape."""
        return super().forward(predictions, targets)

    def _checked(self, predictions, targets):
        _, predictions, targets = checks.numeric_arrays(predictions=predictions, targets=targets)
        checks.shape("targets", targets, predictions.shape)
        if predictions.size == 0:
            raise ValueError(f"predictions must not be empty, got shape {predictions.shape}")
        return predictions, targets

    def measure(self, predictions, targets):
        """Return the mean squared error as an array without axes; see `Loss.measure`."""
        if predictions.dtype.kind != "f":
            predictions = predictions.astype("float64")
        # The predictions' dtype decides: float64 targets must not turn a float32 model to float64.
        difference = predictions - targets.astype(predictions.dtype, copy=False)
        self._remembered = difference
        return (difference * difference).mean()

    def backward(self):
        """Return the gradient of the predictions, in their shape."""
        difference = self._recall()
        return difference * (2 / difference.size)
