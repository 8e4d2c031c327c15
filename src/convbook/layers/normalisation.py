"""Layers that bring numbers to a common size: of a channel, of its neighbours, of a row."""

import math

import numpy as np

from .. import checks, functional as F
from ..arrays import cast, get_array_module
from ..checks import float_dtype, number
from .base import Layer, errors_of
from .receptive import WHOLE, Window

SMALLEST = 1e-6  # the length by which nothing shorter is divided


class BatchNorm2d(Layer):
    """Batch normalisation of each channel of x: (N, C, H, W).

    Ioffe and Szegedy, "Batch normalization", ICML 2015. In training a channel is normalised with
    the mean and the variance of the mini-batch, and these go into the running statistics:
    running = (1 - momentum) · running + momentum · batch, with the unbiased variance (divided by
    N·H·W - 1), as in PyTorch. After `eval()` the running statistics normalise.

    Parameters
    ----------
    channels : int
    momentum : float
        From 0 to 1. Keras counts the other way: its momentum is 1 minus this one.
    eps : float
        Added to the variance.

    Attributes
    ----------
    params : gamma (C,), which begins at 1, and beta (C,), at 0
    buffers : running_mean (C,), which begins at 0, and running_var (C,), at 1
    """

    hands_over = True

    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        super().__init__()
        self.channels = checks.integer("channels", channels, least=1)
        self.momentum = number("momentum", momentum, least=0, most=1)
        self.eps = number("eps", eps, least=0)
        dtype = float_dtype(dtype)
        self.params = {"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)}
        self.buffers = {
            "running_mean": np.zeros(channels, dtype),
            "running_var": np.ones(channels, dtype),
        }

    def forward(self, x):
        """Return y: (N, C, H, W)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.channels)
            count = x.size // self.channels
            if self.training and count < 2:
                raise ValueError(
                    "the variance of a batch needs at least 2 values per channel "
                    f"in training, got shape {x.shape}"
                )
        gamma, beta = self.params["gamma"], self.params["beta"]
        if self.training:
            y, mean, var = F.batch_norm2d(x, gamma, beta, self.eps)
            self._average("running_mean", mean)
            self._average("running_var", var * (count / (count - 1)))
        else:
            work = np.result_type(x.dtype, np.float32)  # float16 is computed in float32
            mean = self.buffers["running_mean"].astype(work)
            var = self.buffers["running_var"].astype(work)
            scale = gamma / (var + self.eps) ** 0.5
            y = x * along_channels(scale)
            y += along_channels(beta - mean * scale)
            y = y.astype(x.dtype, copy=False)
        self._remembered = x, mean, var, self.training
        return self._output(y)

    def _average(self, name, value):
        """Add the batch's value to the running average; what has no weight adds no infinity."""
        running = self.buffers[name]
        if self.momentum == 1:
            running[...] = value
        elif self.momentum > 0:  # in the dtype of the value, which is float32 for float16
            running[...] = (1 - self.momentum) * running.astype(value.dtype) + self.momentum * value

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        x, mean, var, batch_statistics = self._remembered
        gamma = self.params["gamma"]
        if batch_statistics:
            dx, dgamma, dbeta = F.batch_norm2d_backward(dy, x, gamma, mean, var, self.eps, need_dx)
        else:  # the statistics are constants
            xp, wide = get_array_module(dy), dy.astype(mean.dtype, copy=False)
            slope = 1 / (var + self.eps) ** 0.5
            dbeta = xp.einsum("nchw->c", wide)
            of_x = xp.einsum("nchw,nchw->c", wide, x.astype(mean.dtype, copy=False))
            dgamma = (of_x - mean * dbeta) * slope
            dx = wide * along_channels(gamma * slope) if need_dx else None
            dx, dgamma, dbeta = cast(dy.dtype, dx, dgamma, dbeta)
        self.grads = {"gamma": dgamma, "beta": dbeta}
        return dx

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape)

    def window(self, axis):
        """Return that positions stay by themselves, as after ``eval()``; see `Layer.window`."""
        return Window()


class InstanceNorm2d(Layer):
    """Normalise each channel of each image of x: (N, C, H, W) by itself; see `instance_norm2d`.

    So an image's contrast does not depend on its company in the mini-batch, neither in training
    nor after `eval()`, and there are no running statistics.

    Parameters
    ----------
    channels : int
    eps : float
        Added to the variance.

    Attributes
    ----------
    params : gamma (C,), which begins at 1, and beta (C,), at 0
    """

    hands_over = True

    def __init__(self, channels, eps=1e-5, dtype=np.float32):
        super().__init__()
        self.channels = checks.integer("channels", channels, least=1)
        self.eps = number("eps", eps, least=0)
        dtype = float_dtype(dtype)
        self.params = {"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)}

    def forward(self, x):
        """Return y: (N, C, H, W)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.channels)
            if x.shape[2] * x.shape[3] < 2:
                raise ValueError(
                    f"the variance of a channel needs at least 2 pixels, got shape {x.shape}"
                )
        self._x = x
        return self._output(
            F.instance_norm2d(x, self.params["gamma"], self.params["beta"], self.eps)
        )

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        dx, dgamma, dbeta = F.instance_norm2d_backward(
            dy, self._x, self.params["gamma"], self.eps, need_dx
        )
        self.grads = {"gamma": dgamma, "beta": dbeta}
        return dx

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape)

    def window(self, axis):
        """Return that a channel's statistics are of all positions; see `Layer.window`."""
        return WHOLE


class LocalResponseNorm(Layer):
    """Divide each number by the strength of nearby channels, as AlexNet does.

    Parameters
    ----------
    size, alpha, beta, k
        As in `convbook.functional.local_response_norm`.
    """

    hands_over = True

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size = checks.integer("size", size, least=1)
        self.alpha = number("alpha", alpha, least=0)
        self.beta = number("beta", beta, least=0)
        self.k = number("k", k, least=0)
        if self.k == 0:
            raise ValueError("k must be a number above 0, got 0")

    def forward(self, x):
        """Return y: (N, C, H, W)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
        self._x = x
        return self._output(F.local_response_norm(x, self.size, self.alpha, self.beta, self.k))

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return F.local_response_norm_backward(dy, self._x, self.size, self.alpha, self.beta, self.k)

    def window(self, axis):
        """Return that its neighbours are channels, not positions; see `Layer.window`."""
        return Window()


def along_channels(a):
    """Return a: (C,) with the axes it needs to be combined with (N, C, H, W)."""
    return a[:, None, None]


class UnitLength(Layer):
    """Divide every row of x: (N, L) by its length, so that only its direction is left."""

    hands_over = True

    def forward(self, x):
        """Return y: (N, L), rows of length 1."""
        with errors_of(self):
            x = self._input(x, "NL")
        xp = get_array_module(x)
        self._length = xp.maximum(xp.sqrt((x * x).sum(axis=1, keepdims=True)), SMALLEST)
        self._y = x / self._length
        return self._output(self._y)

    def backward(self, dy, need_dx=True):
        """Return dx: of dy, the part across y, divided by the length; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        along = (dy * self._y).sum(axis=1, keepdims=True)
        return (dy - along * self._y) / self._length

    def window(self, axis):
        """Return that the length is one of all numbers; see `Layer.window`."""
        return WHOLE
