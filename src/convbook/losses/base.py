"""What all losses share: checks, what is remembered for the way back, dtypes."""

import inspect
import math

from .. import checks
from ..arrays import float_and_work_dtype
from ..layers.base import errors_of


class Loss:
    """The base of the loss functions; each remembers its last call of `forward` or `measure`.

    A loss of your own defines `measure` and `backward`, and `_check` if something can be wrong.
    """

    def __init__(self):
        self._remembered = None

    def forward(self, predictions, targets):
        """Check both arrays, and return the mean loss as a float."""
        with errors_of(self):
            return float(self.measure(*self.check(predictions, targets)))

    def check(self, predictions, targets, name="targets"):
        """Return both as arrays, after checking that they go together and that targets can be.

        Parameters
        ----------
        predictions, targets : array
        name : str
            What the targets are called in the message of an error.

        Raises
        ------
        TypeError, ValueError
        """
        _, predictions, targets = checks.numeric_arrays(
            **{"predictions": predictions, name: targets}
        )
        self._check(predictions, targets, name)
        return predictions, targets

    def _check(self, predictions, targets, name):
        """Raise TypeError or ValueError if these arrays don't go together."""

    def measure(self, predictions, targets):
        """Return the mean loss as an array without axes, of arrays that are known to be right.

        For training loops: looking at labels, or reading a number, makes the CPU wait for the GPU.
        """
        raise NotImplementedError

    def backward(self):
        """Return the gradient of the predictions, in their shape and dtype."""
        raise NotImplementedError

    def __call__(self, predictions, targets):
        return self.forward(predictions, targets)

    def __repr__(self):
        """Return the call that makes this loss, without what is at its default."""
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            if repr(value) != repr(parameter.default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _recall(self):
        if self._remembered is None:
            raise RuntimeError(
                f"{self}: backward was called before forward; it needs what forward remembers"
            )
        return self._remembered


# --- Checks --------------------------------------------------------------------------------------


def same_shape(predictions, targets, name):
    """Check that both arrays have the same shape, and hold something."""
    cure = reshaping(predictions.shape, targets.shape, name)
    if cure:
        raise ValueError(f"{name} must have shape {predictions.shape}, got {targets.shape}; {cure}")
    checks.shape(name, targets, predictions.shape)
    if predictions.size == 0:
        raise ValueError(f"predictions must not be empty, got shape {predictions.shape}")


def reshaping(wanted, got, name):
    """Return how targets get the shape of the predictions, if that can be seen, or ""."""
    if wanted == got:
        return ""
    if len(wanted) == 4:
        n, c, h, w = wanted
        if got == (n, h, w) and c == 1:
            return f"an axis for the channel is added by {name}[:, None]"
        if got == (n, h, w, c):
            return f"channels come before height and width: {name}.transpose(0, 3, 1, 2)"
        if c == 1 and got in [(n, 3, h, w), (n, 4, h, w), (n, h, w, 3), (n, h, w, 4)]:
            return (
                "these seem to be colours, of which a mask of 0 and 1 is made by comparing them "
                "with the colour that marks what is looked for"
            )
    if math.prod(wanted) == math.prod(got):
        return "bring both into the same shape with reshape"
    return ""


def finite(name, values):
    """Check that an array holds no infinity and no NaN."""
    if values.dtype.kind == "f" and not -math.inf < values.min() <= values.max() < math.inf:
        raise ValueError(f"{name} must hold finite numbers, got infinite ones or NaN")


def shares(name, values, meaning="1 for yes, 0 for no, or a probability between them"):
    """Check that all numbers are from 0 to 1."""
    if values.dtype.kind == "b":
        return
    low, high = values.min().item(), values.max().item()
    if not (low >= 0 and high <= 1):  # this way round, NaN is refused as well
        raise ValueError(
            f"{name} must be from 0 to 1 ({meaning}), got {low:g} to {high:g}"
            f"{of_picture(name, low, high)}"
        )


def of_picture(name, low, high):
    """Return how targets that were read from a picture's bytes become shares, or ""."""
    if low < 0 or high > 255:
        return ""
    if high == 255:
        return (
            f"; a picture's bytes become shares by {name} / 255, and a mask of 0 and 255 one of 0 "
            f"and 1 by {name} > 127"
        )
    return f"; numbers of classes become a mask of one class by {name} == its number"


# --- dtypes --------------------------------------------------------------------------------------


def in_work_dtype(predictions, targets=None):
    """Return the gradient's dtype, and both arrays in the dtype that the loss is computed in.

    The predictions' dtype decides: float64 targets must not turn a float32 model to float64.
    """
    result, work = float_and_work_dtype(predictions)
    return result, *(a if a is None else a.astype(work, copy=False) for a in (predictions, targets))
