"""Layers that make one number of each window, or of a whole channel."""

import numpy as np

from .. import checks
from .. import functional as F
from ..arrays import get_array_module
from .base import Layer, errors_of


class Pool2d(Layer):
    """The base of the pooling layers, which name the function of `convbook.functional`.

    Parameters
    ----------
    kernel_size, stride, padding
        As in that function; the stride is the kernel size if not given.
    """

    hands_over = True
    function = function_backward = None

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        with errors_of(self):  # found out now, not at the first forward
            checks.pair("kernel_size", kernel_size)
            checks.pair("stride", kernel_size if stride is None else stride)
            checks.padding_2d(padding)

    def forward(self, x):
        """Return y: (N, C, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
            y = self.function(x, self.kernel_size, self.stride, self.padding)
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return self.function_backward(dy, self._x, self.kernel_size, self.stride, self.padding)


class MaxPool2d(Pool2d):
    """The largest value of every window; of several equal ones the first gets the gradient.

    See `Pool2d` for the arguments; the padding is at most half the kernel size.
    """

    function = staticmethod(F.max_pool2d)
    function_backward = staticmethod(F.max_pool2d_backward)

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(kernel_size, stride, padding)
        with errors_of(self):
            checks.at_most_half(checks.padding_2d(padding), checks.pair("kernel_size", kernel_size))


class AvgPool2d(Pool2d):
    """The average of every window, in which padded cells count as zeros.

    See `Pool2d` for the arguments.
    """

    function = staticmethod(F.avg_pool2d)
    function_backward = staticmethod(F.avg_pool2d_backward)


class GlobalAvgPool2d(Layer):
    """The average of every channel: (N, C, H, W) becomes (N, C), ready for a `Linear` layer."""

    hands_over = True

    def forward(self, x):
        """Return y: (N, C)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
        xp, (n, c, h, w) = get_array_module(x), x.shape
        work = np.result_type(x.dtype, np.float32)  # float16 is added up in float32
        # As a matrix product: `mean` is ten times slower over channels-last memory.
        y = xp.matmul(x.astype(work, copy=False).reshape(n, c, h * w),
                      xp.full(h * w, 1 / (h * w), work))
        self._x = x
        return self._output(y.astype(x.dtype, copy=False))

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        _, _, h, w = self._x.shape
        dx = get_array_module(dy).empty_like(self._x)
        dx[...] = (dy / (h * w))[:, :, None, None]
        return dx
