"""Convolution and the gradient of its filters: which way to compute them.

There are three. `columns` serves every convolution; `winograd` takes fewer multiplications for 3×3
filters and many channels; `depthwise` is for filters that see one channel each. Arguments have been
checked and are in full, in a `Geometry`. The gradient of the input, which is a convolution as well,
has a file of its own.
"""

import numpy as np

from . import columns, depthwise, winograd


def correlate(xp, x, f, bias, dtype, geometry):
    """Return the correlation of x: (N, C, H, W) and f: (OC, C // groups, FH, FW), plus the bias.

    The result is (N, OC, OH, OW), of this dtype, and channels-last in memory.
    """
    if xp is np and depthwise.fits(f.shape, geometry):
        return depthwise.correlate(x, f, bias, dtype, geometry)
    if xp is np and winograd.pays(len(x), f.shape, dtype, geometry):
        y = winograd.correlate(x, f, bias, geometry)
        if winograd.is_sound(y, f):
            return y.transpose(0, 3, 1, 2)
    return columns.correlate(xp, x, f, bias, dtype, geometry)


def filter_gradient(xp, dy, x, f_shape, geometry):
    """Return dF: (OC, C // groups, FH, FW) from dy: pixels (N*OH*OW, OC)."""
    if xp is np and depthwise.fits(f_shape, geometry):
        return depthwise.filter_gradient(dy, x, f_shape, geometry)
    if xp is np and winograd.pays(len(x), f_shape, dy.dtype, geometry):
        df = winograd.filter_gradient(dy.reshape(len(x), *geometry.counts, -1), x, geometry)
        if np.isfinite(df).all():
            return df
    return columns.filter_gradient(xp, dy, x, f_shape, geometry)
