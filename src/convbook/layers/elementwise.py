"""Layers that treat every number by itself.

`out` may be the input itself, which is then overwritten: a pass over memory less. All remember
their output, not their input, and can tell the derivative from it.
"""

import numpy as np

from ..arrays import get_array_module
from ..checks import number
from .base import Layer, errors_of


class ReLU(Layer):
    """y = max(x, 0). The derivative at 0 is taken as 0, as in PyTorch."""

    elementwise = True

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).maximum(x, 0, out=out)
        return self._output(self._y)

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx = dy where y is positive, else 0; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        # A product, because choosing by `where` or by an index is ten times slower.
        return get_array_module(dy).multiply(dy, self._y > 0, out=out)


class LeakyReLU(Layer):
    """y = x where x is positive, else slope · x, with a slope between 0 and 1."""

    elementwise = True

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = number("slope", slope, least=0, most=1, open_end=True)

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).maximum(x, x * self.slope, out=out)
        return self._output(self._y)

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx = dy where y is positive, else slope · dy; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        xp = get_array_module(dy)
        derivative = (self._y > 0).astype(dy.dtype)  # 1 or 0
        xp.maximum(derivative, self.slope, out=derivative)
        return xp.multiply(dy, derivative, out=out)


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x))."""

    elementwise = True

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        xp = get_array_module(x)
        y = xp.negative(x, out=out)
        with np.errstate(over="ignore"):  # exp(-x) may become infinite: then y is 0, as it should
            xp.exp(y, out=y)
        y += 1
        self._y = xp.reciprocal(y, out=y)
        return self._output(y)

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx = dy · y · (1 - y); None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        derivative = 1 - self._y
        derivative *= self._y
        return get_array_module(dy).multiply(dy, derivative, out=out)


class Tanh(Layer):
    """y = tanh(x)."""

    elementwise = True

    def forward(self, x, *, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).tanh(x, out=out)
        return self._output(self._y)

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx = dy · (1 - y²); None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        derivative = self._y * self._y
        get_array_module(dy).subtract(1, derivative, out=derivative)
        return get_array_module(dy).multiply(dy, derivative, out=out)


class Dropout(Layer):
    """In training, zero each element with probability p and divide the others by 1 - p.

    The division keeps the expected value, so that after `eval()` the layer is the identity.
    Srivastava et al., "Dropout", JMLR 2014.

    Parameters
    ----------
    p : float
        At least 0, below 1.
    rng : int or numpy.random.Generator, optional
        Draws what is kept. (On a GPU it only seeds CuPy's own generator.)
    """

    elementwise = True

    def __init__(self, p=0.5, rng=None):
        super().__init__()
        self.p = number("p", p, least=0, most=1, open_end=True)
        self.reseed(rng)

    def reseed(self, rng):
        """Draw from this int or numpy.random.Generator from now on."""
        self._rng = np.random.default_rng(rng)
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
        if xp is not np and self._gpu_rng is None:
            self._gpu_rng = xp.random.default_rng(int(self._rng.integers(2**63)))
        rng = self._rng if xp is np else self._gpu_rng
        self._kept = xp.empty_like(x, dtype=bool)  # in memory like x
        xp.greater_equal(rng.random(x.shape, dtype=np.float32), self.p, out=self._kept)
        return self._output(self._mask(x, out))

    def backward(self, dy, need_dx=True, *, out=None):
        """Return dx: dy / (1 - p) where x was kept, else 0; None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return dy if self._kept is None else self._mask(dy, out)

    def _mask(self, a, out):
        result = get_array_module(a).multiply(a, self._kept, out=out)
        result *= 1 / (1 - self.p)
        return result
