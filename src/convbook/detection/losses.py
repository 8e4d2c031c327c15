"""The losses of a detector, which ask some of its answers only, and sometimes none."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..layers.base import errors_of
from ..losses.base import Loss


class ChosenLoss(Loss):
    """A loss of some of the predictions; all others have no gradient.

    A detector answers for every anchor, and is asked about few: a box only where there is a thing,
    a mask only of the right class. Where nothing is asked (a mini-batch without a thing in it), the
    mean of nothing would be NaN, and one step with it ruins every weight. Here loss and gradient
    are 0 then.

    Parameters
    ----------
    loss : Loss
        Of what was chosen.
    """

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, predictions, targets, chosen):
        """Return the loss of the chosen predictions as a float.

        Parameters
        ----------
        predictions : array
        targets : array
            What the chosen ones should be, in the shape that ``predictions[chosen]`` asks for.
        chosen : array of booleans or ints, or a tuple of such
            As in ``predictions[chosen]``. No element may be chosen twice.
        """
        with errors_of(self):
            xp, predictions = checks.numeric_arrays(predictions=predictions)
            chosen = tuple(map(xp.asarray, chosen if isinstance(chosen, tuple) else (chosen,)))
            if chosen[0].size == 0:  # an empty list has no dtype to choose with
                chosen = tuple(index.astype(np.intp) for index in chosen)
            part = predictions[chosen]
            if part.size == 0:
                self._remembered = predictions, None
                return 0.0
            value = self.loss.forward(part, targets)
        self._remembered = predictions, chosen
        return value

    def __call__(self, predictions, targets, chosen):
        return self.forward(predictions, targets, chosen)

    def backward(self):
        """Return the gradient of all predictions, in their shape."""
        predictions, chosen = self._recall()
        gradient = get_array_module(predictions).zeros_like(predictions)
        if chosen is not None:
            gradient[chosen] = self.loss.backward()
        return gradient
