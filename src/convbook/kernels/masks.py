"""Keeping numbers by a mask, so that what is dropped is 0 even if it was infinite or NaN.

Times 0, an infinity would be NaN, and choosing (`where`, or a boolean index) takes several times as
long as a product. So the product is taken of the numbers' bits, read as whole numbers: times 1 they
stay, and a number all of whose bits are 0 is 0.
"""

import numpy as np

BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def as_bits(a):
    """Return a view of a as whole numbers with the same bits (long doubles have no such type)."""
    return a.view(BITS.get(a.itemsize, a.dtype))


def kept(xp, a, mask, out=None):
    """Return a where the mask, an array of booleans, is True, else 0; `out` may be a itself."""
    if a.itemsize not in BITS:
        kept_numbers = xp.where(mask, a, a.dtype.type(0))
        if out is None:
            return kept_numbers
        out[...] = kept_numbers
        return out
    ones = mask.view(np.int8)  # a small whole number turns into a's type faster than a boolean does
    if out is None:
        return xp.multiply(as_bits(a), ones).view(a.dtype)
    xp.multiply(as_bits(a), ones, out=as_bits(out))
    return out


def weighted(xp, a, weight):
    """Return a · weight, a number or an array that broadcasts; 0 where the weight is 0."""
    return kept(xp, a, xp.asarray(weight != 0)) * weight
