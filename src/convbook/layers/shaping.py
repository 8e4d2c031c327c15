"""Layers that keep the numbers and change the shape they stand in."""

import math

from ..arrays import get_array_module
from .base import Layer, errors_of


class Flatten(Layer):
    """Lay all axes but the first side by side: (N, C, H, W) becomes (N, C·H·W)."""

    def forward(self, x):
        """Return y: (N, product of the other axes), in the order (c, h, w)."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim < 2:
                raise ValueError(f"x must have at least 2 axes, got shape {x.shape}")
        self._x = x
        return self._output(x.reshape(len(x), math.prod(x.shape[1:])))

    def backward(self, dy, need_dx=True):
        """Return dx in the shape of x, and laid out in memory as x is; None if not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        dy = dy.reshape(self._x.shape)
        if self._x.flags.c_contiguous:
            return dy
        dx = get_array_module(dy).empty_like(self._x)
        dx[...] = dy
        return dx
