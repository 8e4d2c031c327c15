"""Layers that make one array of several."""

import numpy as np

from .. import checks
from ..arrays import get_array_module, one_or_all
from .base import Layer, errors_of
from .receptive import Window


class Joining(Layer):
    """The base of layers with any number of inputs, at least one."""

    def _inputs(self, xs):
        """Check the inputs and return them as arrays of one floating-point dtype."""
        if not xs:
            raise TypeError("at least one input is needed, got none")
        xs = [self._input(x) for x in xs]
        get_array_module(*xs)  # says so if some are on the GPU and some are not
        dtype = np.result_type(*(x.dtype for x in xs))
        return [x.astype(dtype, copy=False) for x in xs]

    def window(self, axis):
        """Return that a position of y is made of the same one of each x; see `Layer.window`."""
        return Window()


class Concat(Joining):
    """Lay arrays one after the other along an axis: of (N, C, H, W), the channels.

    Parameters
    ----------
    axis : int
        All other axes must agree. The batch, axis 0, cannot be lengthened.
    """

    def __init__(self, axis=1):
        super().__init__()
        self.axis = checks.integer("axis", axis, least=1)

    def forward(self, *xs):
        """Return one array of all, in the memory order of the first."""
        with errors_of(self):
            xs = self._inputs(xs)
            for x in xs:
                if x.ndim <= self.axis or self._others(x) != self._others(xs[0]):
                    raise ValueError(
                        f"all axes but {self.axis} must agree, got shapes "
                        + ", ".join(str(x.shape) for x in xs)
                    )
        self._lengths = [x.shape[self.axis] for x in xs]
        shape = list(xs[0].shape)
        shape[self.axis] = sum(self._lengths)
        y = get_array_module(*xs).empty_like(xs[0], shape=tuple(shape))
        for x, part in zip(xs, self._parts(y)):
            part[...] = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return the part of dy that belongs to each input, as a tuple; None if not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return one_or_all(tuple(self._parts(dy)))

    def window(self, axis):
        """Return that positions stay by themselves, if they are not what is laid end to end."""
        return Window() if self.axis == 1 else None

    def _others(self, x):
        return x.shape[: self.axis] + x.shape[self.axis + 1 :]

    def _parts(self, array):
        """Yield the part of each input as a view."""
        before, end = (slice(None),) * self.axis, 0
        for length in self._lengths:
            yield array[(*before, slice(end, end + length))]
            end += length


class Add(Joining):
    """The sum of arrays of one shape."""

    def forward(self, *xs):
        """Return the sum."""
        with errors_of(self):
            xs = self._inputs(xs)
            if any(x.shape != xs[0].shape for x in xs):
                raise ValueError(
                    "the shapes must be equal, got " + ", ".join(str(x.shape) for x in xs)
                )
        self._count, y = len(xs), xs[0]
        for x in xs[1:]:
            y = y + x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dy for each input, as a tuple: the very same array; None if not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return one_or_all((dy,) * self._count)
