"""Convolution as a matrix product: the windows as the rows of one matrix, the filters as another.

The windows are copied out a block at a time; see `blocks`. Pixels are the rows of the matrices, as
`layouts` explains: columns (N*OH*OW, C*FH*FW) times filters (C*FH*FW, OC) are pixels (N*OH*OW, OC).
"""

import numpy as np

from . import blocks
from .layouts import copy_channels_last, images_of

FEW_CHANNELS = 8  # with fewer, a run of pixels is the longer piece to copy than a run of channels


def correlate(xp, x, f, bias, dtype, geometry):
    """Return the correlation of x: (N, C, H, W) and f: (OC, C // groups, FH, FW); Y = columns @ F.

    Y is (N, OC, OH, OW), of this dtype, and channels-last in memory.
    """
    n, (oc, c), groups = len(x), f.shape[:2], geometry.groups
    y = xp.empty((n * geometry.counts[0] * geometry.counts[1], oc), dtype)
    matrices, ones = as_matrices(xp, f.astype(dtype, copy=False), groups), False
    if bias is not None:
        bias = bias.astype(dtype)
        ones = groups == 1 and c < FEW_CHANNELS and geometry.kernel != (1, 1)
        if ones:  # one more column, of ones, costs less than a walk over the output
            matrices, bias = xp.concatenate((matrices, bias.reshape(1, 1, oc)), axis=1), None
        else:  # tiled, to be added to a whole row of the output at a time
            bias = xp.tile(bias, geometry.counts[1])
    for pixels, g, cols in columns(xp, x, oc, dtype, geometry, ones):
        xp.matmul(cols, matrices[g], out=y[pixels, of_group(g, groups, oc)])
        if bias is not None and g == groups - 1:
            block = y[pixels].reshape(-1, bias.size)
            block += bias
    return images_of(y, n, geometry.counts)


def filter_gradient(xp, dy, x, f_shape, geometry):
    """Return dF: (OC, C // groups, FH, FW) from dy: pixels (N*OH*OW, OC).

    Y = columns @ F, so dF = columnsᵀ @ dY; what the blocks give adds up.
    """
    (oc, c, fh, fw), groups = f_shape, geometry.groups
    df = xp.zeros((groups, c * fh * fw, oc // groups), dy.dtype)
    for pixels, g, cols in columns(xp, x, oc, dy.dtype, geometry):
        df[g] += cols.T @ dy[pixels, of_group(g, groups, oc)]
    if c < FEW_CHANNELS:
        df = df.reshape(groups, c, fh, fw, oc // groups).transpose(0, 4, 1, 2, 3)
    else:
        df = df.reshape(groups, fh, fw, c, oc // groups).transpose(0, 4, 3, 1, 2)
    return xp.ascontiguousarray(df).reshape(f_shape)


def as_matrices(xp, f, groups):
    """Return f as one matrix (C // groups * FH * FW, OC // groups) for each group."""
    order = (0, 1, 2, 3) if f.shape[1] < FEW_CHANNELS else (0, 2, 3, 1)
    f = f.transpose(order).reshape(groups, f.shape[0] // groups, -1)
    return xp.ascontiguousarray(f.transpose(0, 2, 1))


def of_group(g, groups, channels):
    """Return the slice of the channels that belong to group g."""
    size = channels // groups
    return slice(g * size, (g + 1) * size)


def columns(xp, x, oc, dtype, geometry, ones=False):
    """Yield the windows of x as columns, a block at a time.

    Yields
    ------
    pixels : slice of the N*OH*OW pixels of the output
    g : int, the group
    cols : (pixels, C // groups * FH * FW), in the order of `as_matrices`; good until the next block
        With `ones`, which is for one group of few channels, there is one more column, of ones.
    """
    if geometry.kernel == geometry.stride == (1, 1) and geometry.counts == x.shape[2:]:
        yield from _pixels_as_columns(xp, x, dtype, geometry.groups)
    elif x.shape[1] // geometry.groups < FEW_CHANNELS:
        yield from _columns_of_few_channels(xp, x, oc, dtype, geometry, ones)
    else:
        yield from _columns_of_channels(xp, x, oc, dtype, geometry)


def _pixels_as_columns(xp, x, dtype, groups):
    """Yield the pixels themselves: they are the windows of a 1×1 filter."""
    n, channels, h, w = x.shape
    x = x.astype(dtype, copy=False).transpose(0, 2, 3, 1)
    images = max(1, n) if x.flags.c_contiguous or xp is not np else 1
    for first in range(0, n, images):
        pixels = x[first : first + images].reshape(-1, channels)
        rows = slice(first * h * w, first * h * w + len(pixels))
        for g in range(groups):
            yield rows, g, pixels[:, of_group(g, groups, channels)]


def _columns_of_channels(xp, x, oc, dtype, geometry):
    """Yield columns (pixels, FH*FW*C): they are copied in runs of C numbers, channels last."""
    (n, channels, h, w), (oh, ow), groups = x.shape, geometry.counts, geometry.groups
    k = channels // groups * geometry.kernel[0] * geometry.kernel[1]
    size = blocks.block_size(xp, n, oh, ow * (k + oc) * np.dtype(dtype).itemsize)
    frame = xp.zeros((size[0], *geometry.padded((h, w)), channels), dtype)
    inside = (slice(None), *geometry.inside((h, w)))
    seen = blocks.windows(xp, frame.transpose(0, 3, 1, 2), geometry)
    seen = seen.transpose(0, 4, 5, 2, 3, 1)  # (images, OH, OW, FH, FW, C)
    memory = xp.empty(size[0] * size[1] * ow * k, dtype)
    for images, rows, pixels in _blocks(n, geometry.counts, size):
        m = images.stop - images.start
        if rows.start == 0:
            copy_channels_last(x[images], frame[:m][inside])
        for g in range(groups):
            part = seen[:m, rows, ..., of_group(g, groups, channels)]
            cols = memory[: part.size].reshape(part.shape)
            cols[...] = part
            yield pixels, g, cols.reshape(-1, k)


def _columns_of_few_channels(xp, x, oc, dtype, geometry, ones):
    """Yield columns (pixels, C*FH*FW), transposed: they are copied in runs of OW pixels."""
    (n, channels, h, w), (oh, ow), groups = x.shape, geometry.counts, geometry.groups
    k = channels // groups * geometry.kernel[0] * geometry.kernel[1]
    size = blocks.block_size(xp, n, oh, ow * (k + oc) * np.dtype(dtype).itemsize)
    frame = xp.zeros((size[0], channels, *geometry.padded((h, w))), dtype)
    inside = (slice(None), slice(None), *geometry.inside((h, w)))
    seen = blocks.windows(xp, frame, geometry).transpose(1, 2, 3, 0, 4, 5)  # (C, FH, FW, images, …)
    memory = xp.empty(size[0] * size[1] * ow * (k + ones), dtype)
    for images, rows, pixels in _blocks(n, geometry.counts, size):
        m = images.stop - images.start
        if rows.start == 0:
            frame[:m][inside] = x[images]
        for g in range(groups):
            part = seen[of_group(g, groups, channels), :, :, :m, rows]
            memory[: part.size].reshape(part.shape)[...] = part
            cols = memory[: part.size // k * (k + ones)]
            cols[part.size :] = 1
            yield pixels, g, cols.reshape(k + ones, -1).T


def _blocks(n, counts, size):
    """Yield the slices (images, rows) of each block, and that of its pixels among N*OH*OW."""
    oh, ow = counts
    for images, rows in blocks.parts(n, oh, size):
        # Either all rows of some images, or some rows of one.
        first = (images.start * oh + rows.start) * ow
        number = (images.stop - images.start) * (rows.stop - rows.start) * ow
        yield images, rows, slice(first, first + number)
