"""Layers that make one number of each window, or of a whole channel; and the way back."""

import numpy as np

from .. import checks, functional as F
from ..arrays import get_array_module
from .base import Layer, errors_of
from .receptive import WHOLE, Window


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

    def window(self, axis):
        """Return the window that slides over x along an axis; see `Layer.window`."""
        size, stride, padding = settings(self)
        return Window(size[axis], stride[axis], padding[axis][0])


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


class MaxUnpool2d(Layer):
    """Put each number where a max pooling has found its maximum, and zeros elsewhere.

    In a chain it is made with the pooling layer itself, ``MaxUnpool2d(pool)``, and takes the
    positions and the size from that layer's last forward pass, the one before in the chain. Where
    the pooling runs several times in between, or has no layer, the positions are an input:
    ``unpool(x, indices)`` with `convbook.functional.max_pool2d_indices`. See
    `convbook.functional.max_unpool2d`; Badrinarayanan, Kendall and Cipolla, "SegNet", TPAMI 2017.

    Parameters
    ----------
    kernel_size : MaxPool2d, or an int or a pair
        The pooling whose windows are undone (it is not a part of this layer), or its `kernel_size`.
    stride, padding
        Those of the pooling, if it is not given as a layer.
    """

    hands_over = True

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        if isinstance(kernel_size, MaxPool2d):
            if stride is not None or padding != 0:
                raise TypeError(
                    "stride and padding are those of the pooling layer, got "
                    f"stride={stride!r} and padding={padding!r} beside it"
                )
            self._pool = kernel_size
        else:
            self._pool = None
            MaxPool2d(kernel_size, stride, padding)  # checks them
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x, indices=None, output_size=None):
        """Return y: (N, C, H, W).

        Parameters
        ----------
        x : array (N, C, OH, OW)
        indices : array (N, C, OH, OW) of ints, optional
            The positions, row · W + column in the larger image; those of the pooling layer's last
            forward pass if not given.
        output_size : (H, W), optional
            The size of the larger image, if there are indices; the least that the windows need if
            not given.
        """
        with errors_of(self):
            x = self._input(x, "NCHW")
            if indices is None:
                indices, size = self._of_the_pool(x)
                self._inputs = 1
            else:
                size = self._least_size(x) if output_size is None else output_size
                self._inputs = 2
            y = F.max_unpool2d(x, indices, size)
        self._remembered = x, indices, size
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, OH, OW), and None for the indices if they were an input."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        dx = F.max_unpool2d_backward(dy, *self._remembered)
        return dx if self._inputs == 1 else (dx, None)

    def _of_the_pool(self, x):
        """Return positions and size from what the pooling layer remembers."""
        pool = self._pool
        if pool is None:
            raise TypeError(
                "indices must be given, or the pooling layer when this one is made: "
                "MaxUnpool2d(pool)"
            )
        if pool._output_kinds is None:
            raise ValueError(f"the pooling layer, {pool}, must run before; it knows the positions")
        pooled = pool._output_kinds[0][0]
        if x.shape != pooled:
            raise ValueError(
                f"x must have the shape that the pooling layer has returned, {pooled},"
                f" got {x.shape}"
            )
        where = F.max_pool2d_indices(pool._x, pool.kernel_size, pool.stride, pool.padding)
        return where, pool._x.shape[2:]

    def _least_size(self, x):
        """Return the size of the smallest image with as many windows as x has pixels."""
        return tuple(
            (n - 1) * s + k - sum(p)
            for n, k, s, p in zip(x.shape[2:], *settings(self._pool or self))
        )

    def window(self, axis):
        """Return which windows of the pooling hold a position of y; see `Layer.window`."""
        size, stride, padding = settings(self._pool or self)
        return Window(size[axis], padding=padding[axis][0], up=stride[axis])


def settings(pool):
    """Return kernel size, stride and padding of a pooling, each for both axes."""
    kernel = checks.pair("kernel_size", pool.kernel_size)
    stride = kernel if pool.stride is None else checks.pair("stride", pool.stride)
    return kernel, stride, checks.padding_2d(pool.padding)


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
        y = xp.matmul(
            x.astype(work, copy=False).reshape(n, c, h * w), xp.full(h * w, 1 / (h * w), work)
        )
        self._x = x
        return self._output(y.astype(x.dtype, copy=False))

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        _, _, h, w = self._x.shape
        dx = get_array_module(dy).empty_like(self._x)
        dy = dy.astype(np.result_type(dy.dtype, np.float32), copy=False)  # h·w may be too large
        dx[...] = (dy / (h * w))[:, :, None, None]
        return dx

    def window(self, axis):
        """Return that a channel's average is one of all positions; see `Layer.window`."""
        return WHOLE
