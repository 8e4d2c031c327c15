"""Convolution with filters that see one channel each, as in MobileNets: no matrix product at all.

With groups = C there is nothing to sum over the channels: each window is multiplied by its filter,
number by number, and added up over the filter's FH·FW cells. `einsum` does both in one walk, which
is fast where the numbers lie in long runs. With stride 1, channels-last, what one cell of the
filter sees of all windows in a row of the output is such a run. With stride S every S-th column
would be skipped; so the columns are sorted into S phases first, and each phase has its cells.
"""

import math

import numpy as np

from . import blocks
from .layouts import copy_channels_last


def fits(f_shape, geometry):
    """Return whether every filter sees a single channel of several."""
    return f_shape[1] == 1 and geometry.groups > 1


def correlate(x, f, bias, dtype, geometry):
    """Return the correlation of x: (N, C, H, W) and f: (OC, 1, FH, FW), plus the bias."""
    oc, (oh, ow) = len(f), geometry.counts
    y = np.empty((len(x), oh, ow * oc), dtype)
    weights = np.tile(f[:, 0].astype(dtype).transpose(1, 2, 0), ow)  # (FH, FW, OW*OC)
    bias = None if bias is None else np.tile(bias.astype(dtype), ow)
    for images, rows, phases in _windows(x, oc, dtype, geometry):
        part = y[images, rows]
        for i, (cells, seen) in enumerate(phases):
            if i == 0:
                np.einsum("nhabk,abk->nhk", seen, weights[:, cells], out=part)
            else:
                part += np.einsum("nhabk,abk->nhk", seen, weights[:, cells])
        if bias is not None:
            part += bias
    return y.reshape(len(x), oh, ow, oc).transpose(0, 3, 1, 2)


def filter_gradient(dy, x, f_shape, geometry):
    """Return dF: (OC, 1, FH, FW) from dy: pixels (N*OH*OW, OC)."""
    oc, (oh, ow) = f_shape[0], geometry.counts
    dy = dy.reshape(len(x), oh, ow * oc)
    df = np.zeros((*geometry.kernel, ow * oc), dy.dtype)
    for images, rows, phases in _windows(x, oc, dy.dtype, geometry):
        for cells, seen in phases:
            part = df[:, cells]
            for cell in np.ndindex(part.shape[:2]):  # one at a time, its sum stays in the cache
                part[cell] += np.einsum("nhk,nhk->k", seen[:, :, *cell], dy[images, rows])
    df = df.reshape(*geometry.kernel, ow, oc).sum(axis=2)
    return np.ascontiguousarray(df.transpose(2, 0, 1)).reshape(f_shape)


def _windows(x, oc, dtype, geometry):
    """Yield what the filters see of a few images at a time, or of some rows of a large image.

    Yields
    ------
    images, rows : slices of the output (N, OH, OW*OC)
    phases : list of (cells, seen)
        Which columns of the filters the phase holds, and a view (images, rows, FH, cells, OW*OC);
        good until the next block.
    """
    (n, c, h, w), (fh, fw), (oh, ow) = x.shape, geometry.kernel, geometry.counts
    (sh, sw), (dh, dw), several = geometry.stride, geometry.dilation, oc // c
    height, width = geometry.padded((h, w))
    left, inside = geometry.padding[1][0], geometry.inside((h, w))[0]
    row_bytes = (sh * width + ow) * oc * np.dtype(dtype).itemsize
    # Four times the usual block: a walk is cheap, its beginning is not.
    size = blocks.block_size(np, n, oh, max(1, row_bytes // 4))
    # Column p of the padded image is column p // S of phase p modulo S.
    frame = np.zeros((size[0], height, sw, -(-width // sw), c, several), dtype)
    image, row, _, column, _, number = frame.strides
    phases, copies = [], []
    for phase in range(sw):
        first = (phase - left) % sw  # of x's own columns
        start = (first + left) // sw
        copies.append((phase, start, first))
        cells = [k for k in range(fw) if k * dw % sw == phase]
        if cells:
            step = sw // math.gcd(sw, dw)
            seen = np.lib.stride_tricks.as_strided(
                frame[:, :, phase, cells[0] * dw // sw :],
                (size[0], oh, fh, len(cells), ow * oc),
                (image, sh * row, dh * row, step * dw // sw * column, number),
            )
            phases.append((slice(cells[0], None, step), seen))
    for images, rows in blocks.parts(n, oh, size):
        m = images.stop - images.start
        if rows.start == 0:
            for phase, start, first in copies:
                part = x[images, :, :, first::sw]
                into = frame[:m, inside, phase, start : start + part.shape[3]]
                for i in range(several):  # OC // C filters see a channel
                    copy_channels_last(part, into[..., i])
        yield images, rows, [(cells, seen[:m, rows]) for cells, seen in phases]
