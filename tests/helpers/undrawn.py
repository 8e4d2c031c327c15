"""Networks whose weights nobody looks at: made without drawing a hundred million numbers."""

import numpy as np


class Undrawn(np.ndarray):
    """Numbers that were not drawn: scaled they are the same, and as an array they are zeros.

    Such zeros take no memory before something is written there.
    """

    def __mul__(self, other):
        return self

    def astype(self, dtype, **options):
        """Return zeros of the same shape."""
        return np.zeros(self.shape, dtype)


class Blank(np.random.Generator):
    """A generator that draws nothing, for tests of shapes and counts alone."""

    def standard_normal(self, size=None, **options):
        """Return numbers that were not drawn."""
        return np.broadcast_to(np.float32(0), size).view(Undrawn)


def blank():
    """Return a generator that draws nothing."""
    return Blank(np.random.PCG64(0))
