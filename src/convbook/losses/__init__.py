"""Loss functions: how wrong the predictions of a mini-batch are, as one number, and its gradient.

    error = loss(predictions, targets)    # a Python float
    dy = loss.backward()                  # ∂E/∂predictions, where model.backward begins

Those that PyTorch has too bear its names and agree with it, but for `SoftmaxCrossEntropy` (there
`CrossEntropyLoss`) and `MeanSquaredError` (`MSELoss`). Predictions called "scores" are numbers
from -∞ to ∞: the loss makes probabilities of them itself. Give it what the last convolution or
linear layer says; a Sigmoid or softmax at the end of the network would be one too many, which no
loss can see, as numbers from 0 to 1 are scores, too.

Every loss refuses targets that cannot be, such as masks with 0 and 255. float16 is computed in
float32; the gradient has the predictions' dtype.
"""

from .base import Loss
from .binary import BCEWithLogitsLoss, SigmoidCrossEntropy, SoftDiceLoss, probability
from .classes import SoftmaxCrossEntropy
from .distances import L1Loss, MeanSquaredError, SmoothL1Loss
from .pairs import PairLoss
from .several import JointLoss, SumLoss

__all__ = [
    "BCEWithLogitsLoss",
    "JointLoss",
    "L1Loss",
    "Loss",
    "MeanSquaredError",
    "PairLoss",
    "SigmoidCrossEntropy",
    "SmoothL1Loss",
    "SoftDiceLoss",
    "SoftmaxCrossEntropy",
    "SumLoss",
    "probability",
]
