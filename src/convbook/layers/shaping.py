"""Layers that keep the numbers and change the shape they stand in, or how often."""

import math

from .. import checks, functional as F
from ..arrays import get_array_module
from ..resampling import upsampling_mode
from .base import Layer, errors_of
from .receptive import Window


class Reshaping(Layer):
    """The base of layers that only give the numbers of each image another shape."""

    def _reshaped(self, x, shape):
        self._x = x
        return self._output(x.reshape(len(x), *shape))

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


class Flatten(Reshaping):
    """Lay all axes but the first side by side: (N, C, H, W) becomes (N, C·H·W)."""

    def forward(self, x):
        """Return y: (N, product of the other axes), in the order (c, h, w)."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim < 2:
                raise ValueError(f"x must have at least 2 axes, got shape {x.shape}")
        return self._reshaped(x, [math.prod(x.shape[1:])])

    def window(self, axis):
        """Return that each number sees what it saw before; see `Layer.window`."""
        return Window()


class Reshape(Reshaping):
    """Give each image a new shape: ``Reshape(48, 7, 7)`` makes (N, 48, 7, 7) of (N, 2352).

    Parameters
    ----------
    *shape : int
        The new axes behind N. One of them may be -1: as much as is left.
    """

    def __init__(self, *shape):
        super().__init__()
        if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
            shape = shape[0]
        self.shape = tuple(
            size if size == -1 else checks.integer("shape", size, 1, given=shape) for size in shape
        )
        if not self.shape or self.shape.count(-1) > 1:
            raise ValueError(
                f"shape must have at least one axis and at most one -1, got {self.shape}"
            )

    def forward(self, x):
        """Return y: (N, *shape), in the order of x's axes."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim == 0:
                raise ValueError("x must have at least 1 axis, got a single number")
            size, known = math.prod(x.shape[1:]), math.prod(n for n in self.shape if n != -1)
            if size != known and (-1 not in self.shape or size == 0 or size % known):
                raise ValueError(
                    f"each image must have {known} numbers"
                    f"{', or a multiple,' if -1 in self.shape else ''} for the shape "
                    f"{self.shape}, got {size}, shape {x.shape}"
                )
        return self._reshaped(x, [size // known if n == -1 else n for n in self.shape])


class Upsample(Layer):
    """Enlarge images (N, C, H, W) by a whole factor; see `convbook.functional.upsample2d`.

    Parameters
    ----------
    factor : int or pair
    mode : {"nearest", "bilinear"}
    """

    hands_over = True

    def __init__(self, factor, mode="nearest"):
        super().__init__()
        checks.pair("factor", factor)
        upsampling_mode(mode)
        self.factor, self.mode = factor, mode

    def forward(self, x):
        """Return y: (N, C, factor·H, factor·W)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
        self._x = x
        return self._output(F.upsample2d(x, self.factor, self.mode))

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return F.upsample2d_backward(dy, self._x, self.factor, self.mode)

    def window(self, axis):
        """Return which positions a position of y is made of; see `Layer.window`."""
        factor = checks.pair("factor", self.factor)[axis]
        if self.mode == "nearest":
            return Window(factor, up=factor)
        odd = factor % 2  # the two nearest ones, but in the middle of an odd factor one alone
        return Window(2 * factor - odd, padding=(factor - odd) // 2, up=factor)


class Shrink(Layer):
    """Keep every S-th pixel along both axes, and put channels of zeros behind the others.

    The shortcut without parameters of He et al., "Deep residual learning", CVPR 2016, section 3.3
    (option A), for where a block makes the picture smaller and its channels more.

    Parameters
    ----------
    stride : int
        S.
    channels : int
        How many the output has; at least as many as the input.
    """

    hands_over = True

    def __init__(self, stride, channels):
        super().__init__()
        self.stride = checks.integer("stride", stride, least=1)
        self.channels = checks.integer("channels", channels, least=1)

    def forward(self, x):
        """Return y: (N, channels, ⌈H / S⌉, ⌈W / S⌉)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
            if x.shape[1] > self.channels:
                raise ValueError(
                    f"x must have at most C = {self.channels}, got {x.shape[1]}, shape {x.shape}"
                )
        self._shape = x.shape
        kept = x[:, :, :: self.stride, :: self.stride]
        y = get_array_module(x).zeros_like(kept, shape=(len(x), self.channels, *kept.shape[2:]))
        y[:, : x.shape[1]] = kept
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), zero where no pixel was kept; or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        dx = get_array_module(dy).zeros_like(dy, shape=self._shape)
        dx[:, :, :: self.stride, :: self.stride] = dy[:, : self._shape[1]]
        return dx

    def window(self, axis):
        """Return which position is kept for one of y; see `Layer.window`."""
        return Window(stride=self.stride)
