"""Layers that treat every number by itself.

`out` may be the input itself, which is then overwritten: a pass over memory less. All remember
their output, not their input, and can tell the derivative from it.
"""

import math

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..kernels import masks
from .base import Layer, errors_of


class Elementwise(Layer):
    """The base of the layers y = f(x); float16 is computed in float32.

    A subclass defines ``_function(xp, x, out)`` and ``_times_derivative(xp, dy, y, out)``.
    """

    elementwise = True

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        if x.dtype == np.float16:
            y = self._function(get_array_module(x), x.astype(np.float32), None).astype(x.dtype)
        else:
            y = self._function(get_array_module(x), x, out)
        self._y = y
        return self._output(y)

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx = dy · f'(x), or None if it is not needed."""
        dy, xp = self._gradient(dy), get_array_module(self._y)
        if not need_dx:
            return None
        if dy.dtype == np.float16:
            dx = self._times_derivative(xp, dy.astype(np.float32), self._y.astype(np.float32), None)
            return dx.astype(dy.dtype)
        return self._times_derivative(xp, dy, self._y, out)


class ReLU(Elementwise):
    """y = max(x, 0). The derivative at 0 is taken as 0, as in PyTorch."""

    def _function(self, xp, x, out):
        return xp.maximum(x, 0, out=out)

    def _times_derivative(self, xp, dy, y, out):
        return masks.kept(xp, dy, y != 0, out)  # y is positive, 0 or NaN


class LeakyReLU(Elementwise):
    """y = x where x is positive, else slope · x, with a slope between 0 and 1.

    With the slope 0 it is `ReLU`.
    """

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = checks.number("slope", slope, least=0, most=1, open_end=True)

    def _function(self, xp, x, out):
        below = x * self.slope if self.slope else 0  # 0 times an infinity would be NaN
        return xp.maximum(x, below, out=out)

    def _times_derivative(self, xp, dy, y, out):
        if not self.slope:
            return masks.kept(xp, dy, y != 0, out)
        derivative = (y > 0).astype(dy.dtype)  # 1 or 0
        xp.maximum(derivative, self.slope, out=derivative)
        return xp.multiply(dy, derivative, out=out)


class Sigmoid(Elementwise):
    """y = 1 / (1 + exp(-x)); the derivative is y · (1 - y)."""

    def _function(self, xp, x, out):
        y = xp.negative(x, out=out)
        with np.errstate(over="ignore"):  # exp(-x) may become infinite: then y is 0, as it should
            xp.exp(y, out=y)
        y += 1
        return xp.reciprocal(y, out=y)

    def _times_derivative(self, xp, dy, y, out):
        derivative = 1 - y
        derivative *= y
        return xp.multiply(dy, derivative, out=out)


class Tanh(Elementwise):
    """y = tanh(x); the derivative is 1 - y²."""

    def _function(self, xp, x, out):
        return xp.tanh(x, out=out)

    def _times_derivative(self, xp, dy, y, out):
        derivative = y * y
        xp.subtract(1, derivative, out=derivative)
        return xp.multiply(dy, derivative, out=out)


class Dropout(Layer):
    """In training, zero each element with probability p and divide the others by 1 - p.

    The division keeps the expected value, so that after `eval()` the layer is the identity.
    Srivastava et al., "Dropout", JMLR 2014.

    Parameters
    ----------
    p : float
        At least 0, below 1.
    rng : int or numpy.random.Generator, optional
        Draws what is dropped; the same for the same seed and shape, whatever the memory layout. (On
        a GPU it only seeds CuPy's own generator.)
    """

    elementwise = True

    def __init__(self, p=0.5, rng=None):
        super().__init__()
        self.p = checks.number("p", p, least=0, most=1, open_end=True)
        self.reseed(rng)

    def reseed(self, rng):
        """Draw from this int or numpy.random.Generator from now on."""
        self._rng = checks.generator("rng", rng)
        self._gpu_rng = None

    def __getstate__(self):
        """Copy everything but CuPy's generator, which cannot be copied; a new one is drawn."""
        return {**self.__dict__, "_gpu_rng": None}

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        if not self.training or self.p == 0:
            self._kept = None
            return self._output(x)
        xp = get_array_module(x)
        self._kept = xp.empty_like(x, dtype=bool)  # in memory like x
        xp.greater_equal(*self._drawn(xp, x.shape), out=self._kept)
        return self._output(self._mask(x, out))

    def _drawn(self, xp, shape):
        """Return random numbers, and a limit that is above one of them with probability p."""
        if xp is not np:
            if self._gpu_rng is None:
                self._gpu_rng = xp.random.default_rng(int(self._rng.integers(2**63)))
            return self._gpu_rng.random(shape, dtype=np.float32), self.p
        # Whole numbers of 16 bits, four of each word that is drawn: a third of the time of floats.
        words = self._rng.integers(0, 2**64, -(-math.prod(shape) // 4), np.uint64)
        numbers = words.astype("<u8", copy=False).view("<u2")[: math.prod(shape)].reshape(shape)
        # The limit is rounded up or down at random, so that p is met exactly on average.
        return numbers, int(self.p * 2**16 + self._rng.random())

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx: dy / (1 - p) where x was kept, else 0; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return dy if self._kept is None else self._mask(dy, out)

    def _mask(self, a, out):
        result = masks.kept(get_array_module(a), a, self._kept, out)
        result *= 1 / (1 - self.p)
        return result
