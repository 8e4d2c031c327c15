"""Convolution and its gradients as matrix products, in blocks.

Arguments have been checked and are in full: kernel (FH, FW), stride (SH, SW), padding
((top, bottom), (left, right)), dilation (DH, DW), counts (OH, OW). "Pixels" are the rows of a
matrix (N*OH*OW, K); see `layouts`.
"""

import math

import numpy as np

from . import blocks, winograd
from .blocks import windows
from .layouts import copy_channels_last, images_of


# With so many times more filters than channels it is less work to lay dY·F down than to copy dY.
MANY_FILTERS = 16
FEW_CHANNELS = 8  # with fewer, a run of pixels is the longer piece to copy than a run of channels


def correlate(xp, x, f, bias, dtype, stride, padding, dilation, groups, counts, block_bytes=None):
    """Return the correlation of x: (N, C, H, W) and the filters f, (N, OC, OH, OW) of this dtype.

    The product is columns @ filters: pixels are its rows, output channels its columns.
    """
    if xp is np and block_bytes is None and winograd.pays(len(x), f.shape, dtype, stride, dilation,
                                                          groups, counts):
        return winograd.correlate(x, f, bias, padding, counts).transpose(0, 3, 1, 2)
    y, oc = xp.empty((x.shape[0] * counts[0] * counts[1], f.shape[0]), dtype), f.shape[0] // groups
    matrices, ones = _matrices(xp, f.astype(dtype, copy=False), groups), False
    if bias is not None:
        bias = bias.astype(dtype)
        ones = groups == 1 and f.shape[1] < FEW_CHANNELS and f.shape[2:] != (1, 1)
        if ones:  # one more column, of ones, costs less than a walk over the output
            matrices, bias = xp.concatenate((matrices, bias.reshape(1, 1, oc)), axis=1), None
        else:  # tiled, to be added to a whole row of the output at a time
            bias = xp.tile(bias, counts[1])
    for rows, g, cols in _columns(xp, x, f.shape, dtype, stride, padding, dilation, groups, counts,
                                  block_bytes, ones):
        xp.matmul(cols, matrices[g], out=y[rows, g * oc:(g + 1) * oc])
        if bias is not None and g == groups - 1:
            block = y[rows].reshape(-1, bias.size)
            block += bias
    return images_of(y, x.shape[0], counts)


def filter_gradient(xp, dy, x, f_shape, stride, padding, dilation, groups, counts):
    """Return dF: (OC, C // groups, FH, FW) from dy: pixels (N*OH*OW, OC).

    Y = columns @ F, so dF = columnsᵀ @ dY; what the blocks give adds up.
    """
    if xp is np and winograd.pays(len(x), f_shape, dy.dtype, stride, dilation, groups, counts):
        return winograd.filter_gradient(dy.reshape(len(x), *counts, -1), x, padding)
    oc, c, fh, fw = f_shape[0] // groups, *f_shape[1:]
    df = xp.zeros((groups, c * fh * fw, oc), dy.dtype)
    for rows, g, cols in _columns(xp, x, f_shape, dy.dtype, stride, padding, dilation, groups,
                                  counts):
        df[g] += cols.T @ dy[rows, g * oc:(g + 1) * oc]
    if c < FEW_CHANNELS:
        df = df.reshape(groups, c, fh, fw, oc).transpose(0, 4, 1, 2, 3)
    else:
        df = df.reshape(groups, fh, fw, c, oc).transpose(0, 4, 3, 1, 2)
    return xp.ascontiguousarray(df).reshape(f_shape)


def input_gradient(xp, dy, f, shape, stride, padding, dilation, groups, counts):
    """Return dX of the given shape (N, C, H, W) from dy: pixels (N*OH*OW, OC).

    With stride 1 the input cell h reached the output cells oh = h + P - D·fh, so dX is again a
    correlation, of dY with the flipped filters. With stride S only every S-th of these oh exists:
    the cells of X fall into S² phases, each a correlation of dY with the filter cells that fit.
    """
    (n, channels, h, w), (oc, c, fh, fw) = shape, f.shape
    if oc // groups > MANY_FILTERS * c:
        return _laid_down(xp, dy, f, shape, stride, padding, dilation, groups, counts)
    f = f.reshape(groups, oc // groups, c, fh, fw).swapaxes(1, 2)
    f = f.reshape(channels, oc // groups, fh, fw)
    images = images_of(dy, n, counts)
    vertical, horizontal = (
        list(_phases(shape[2 + i], f.shape[2 + i], stride[i], padding[i][0], dilation[i],
                     counts[i])) for i in (0, 1))
    dx = None
    if stride != (1, 1):
        dx = xp.zeros((n, h, w, channels), dy.dtype).transpose(0, 3, 1, 2)
    for rows, cells_v, cut_v, frame_v, dilation_v, count_v in vertical:
        for columns, cells_h, cut_h, frame_h, dilation_h, count_h in horizontal:
            cells = f[:, :, cells_v, cells_h][..., ::-1, ::-1]
            part = correlate(xp, images[:, :, cut_v, cut_h], cells, None, dy.dtype, (1, 1),
                             (frame_v, frame_h), (dilation_v, dilation_h), groups,
                             (count_v, count_h))
            if dx is None:
                return part
            dx[:, :, rows, columns] = part
    return dx


def _laid_down(xp, dy, f, shape, stride, padding, dilation, groups, counts):
    """Return dX like `input_gradient`, as the filters times dY, laid down and added up.

    Every pixel of dY gives C·FH·FW products; cell (fh, fw) of all of them is one slice of dX.
    A block is a few images, or some rows of dY in one image if that is large.
    """
    (n, channels, h, w), (oc, c, fh, fw), (oh, ow) = shape, f.shape, counts
    ((top, bottom), (left, right)), sh = padding, stride[0]
    matrices = f.reshape(groups, oc // groups, -1).transpose(0, 2, 1)
    dy = dy.reshape(n, oh, ow, groups, oc // groups)
    block_bytes = blocks.BLOCK_BYTES if xp is np else float("inf")
    rows = block_bytes / (ow * (c * fh * fw + oc) * dy.itemsize)
    images, rows = int(max(1, min(n, rows / oh))), int(max(1, min(oh, rows)))
    dx = xp.empty((n, h, w, channels), dy.dtype).transpose(0, 3, 1, 2)
    for first in range(0, n, images):
        m = min(images, n - first)
        frame = xp.zeros((channels, m, top + h + bottom, left + w + right), dy.dtype)
        for row in range(0, oh, rows):
            part = dy[first:first + m, row:row + rows]
            r = part.shape[1]
            for g in range(groups):
                products = matrices[g] @ part[:, :, :, g].reshape(m * r * ow, -1).T
                products = products.reshape(c, fh, fw, m, r, ow)
                seen = windows(xp, frame[g * c:(g + 1) * c, :, sh * row:], (fh, fw), stride,
                               dilation, (r, ow))  # (C, M, FH, FW, R, OW)
                for i in range(fh):
                    for j in range(fw):
                        seen[:, :, i, j] += products[:, i, j]
        dx[first:first + m] = frame[:, :, top:top + h, left:left + w].swapaxes(0, 1)
    return dx


def _phases(size, kernel, stride, before, dilation, count):
    """Yield, along one axis, the phases of dX that a filter cell reaches; the others are zero.

    Cell h of X, framed at h + P = q·S + r, was used by filter cell k for output cell
    (h + P - k·D) / S, if that is whole. For one r these k are S / gcd(S, D) apart, and q + 1
    takes us to the next output cell: a correlation with stride 1 and dilation D / gcd(S, D).

    Yields
    ------
    rows : slice, where the phase lies in X
    cells : slice, its filter cells, which are to be flipped
    cut, frame : slice and (before, after), the part of dY to use and the zeros to put around it
    dilation, count : int, of the correlation
    """
    common = math.gcd(stride, dilation)
    for r in range(stride):
        cells = [k for k in range(kernel) if (r - k * dilation) % stride == 0]
        q = -((r - before) // stride)  # the first that is not in the padding
        first = q * stride + r - before
        if not cells or first >= size:
            continue
        start = q + (r - cells[-1] * dilation) // stride  # the first cell of dY that is seen
        number = (size - 1 - first) // stride + 1
        stop = start + number + (len(cells) - 1) * dilation // common
        yield (slice(first, size, stride), slice(cells[0], None, stride // common),
               slice(max(0, start), max(0, stop)), (max(0, -start), max(0, stop - count)),
               dilation // common, number)


def _matrices(xp, f, groups):
    """Return f as one matrix (C // groups * FH * FW, OC // groups) for each group."""
    order = (0, 1, 2, 3) if f.shape[1] < FEW_CHANNELS else (0, 2, 3, 1)
    f = f.transpose(order).reshape(groups, f.shape[0] // groups, -1)
    return xp.ascontiguousarray(f.transpose(0, 2, 1))


def _columns(xp, x, f_shape, dtype, stride, padding, dilation, groups, counts, block_bytes=None,
             ones=False):
    """Yield the windows of x as columns, a block at a time.

    A block is a few images, or some rows of the output of one image if that is large; on a GPU it
    is the whole batch.

    Yields
    ------
    rows : slice of the N*OH*OW pixels
    g : int, the group
    cols : (rows, C // groups * FH * FW), in the order of `_matrices`; good until the next block.
        With `ones`, which is for one group of few channels, there is one more column, of ones.
    """
    (n, channels, h, w), (oc, c, fh, fw), (oh, ow) = x.shape, f_shape, counts
    (top, bottom), (left, right) = padding
    if (fh, fw) == stride == (1, 1) and (oh, ow) == (h, w):  # the pixels are the columns
        x = x.astype(dtype, copy=False).transpose(0, 2, 3, 1)
        images = max(1, n) if x.flags.c_contiguous or xp is not np else 1
        for first in range(0, n, images):
            pixels = x[first:first + images].reshape(-1, channels)
            rows = slice(first * h * w, first * h * w + len(pixels))
            for g in range(groups):
                yield rows, g, pixels[:, g * c:(g + 1) * c]
        return

    few, k = c < FEW_CHANNELS, c * fh * fw
    if block_bytes is None:
        block_bytes = blocks.BLOCK_BYTES if xp is np else float("inf")
    rows = block_bytes / (ow * (k + oc) * np.dtype(dtype).itemsize)  # columns and products per row
    images, rows = int(max(1, min(n, rows / oh))), int(max(1, min(oh, rows)))
    framed = (channels, top + h + bottom, left + w + right)
    if few:  # columns (C*FH*FW, pixels), transposed
        frame = xp.zeros((images, *framed), dtype)
    else:  # columns (pixels, FH*FW*C): channels last, in the padded images too
        frame = xp.zeros((images, *framed[1:], channels), dtype).transpose(0, 3, 1, 2)
    order = (1, 2, 3, 0, 4, 5) if few else (0, 4, 5, 2, 3, 1)
    seen = windows(xp, frame, (fh, fw), stride, dilation, counts).transpose(order)
    memory = xp.empty(images * rows * ow * (k + ones), dtype)
    done = 0
    for first in range(0, n, images):
        m = min(images, n - first)
        inside = frame[:m, :, top:top + h, left:left + w]
        if few:
            inside[...] = x[first:first + m]
        else:
            copy_channels_last(x[first:first + m], inside.transpose(0, 2, 3, 1))
        for row in range(0, oh, rows):
            pixels = m * min(rows, oh - row) * ow
            for g in range(groups):
                group = slice(g * c, (g + 1) * c)
                part = (seen[group, :, :, :m, row:row + rows] if few
                        else seen[:m, row:row + rows, :, :, :, group])
                cols = memory[:pixels * k].reshape(part.shape)
                cols[...] = part
                cols = memory[:pixels * (k + ones)]
                cols[pixels * k:] = 1
                yield (slice(done, done + pixels), g,
                       cols.reshape(-1, pixels).T if few else cols.reshape(pixels, k))
            done += pixels
