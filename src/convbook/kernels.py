"""The machinery inside `functional`: convolution and its gradients as matrix products in blocks,
pooling as operations on whole arrays.

Arguments have been checked and are in full: kernel (FH, FW), stride (SH, SW), padding
((top, bottom), (left, right)), dilation (DH, DW), counts (OH, OW). The "pixels" of an array
(N, K, OH, OW) are the matrix (N*OH*OW, K): one row for each position in each image.
"""

import math

import numpy as np

# Windows of a few images at a time are copied out and multiplied while they are still in the
# processor's cache; the columns of a whole batch would travel to main memory and back.
BLOCK_BYTES = 500_000
FEW_CHANNELS = 8  # with fewer, a run of pixels is the longer piece to copy than a run of channels


# --- Memory --------------------------------------------------------------------------------------


def pixels_of(xp, x, dtype):
    """Return x: (N, K, H, W) as pixels (N*H*W, K); a view if x is channels-last in memory."""
    return xp.ascontiguousarray(x.transpose(0, 2, 3, 1), dtype).reshape(-1, x.shape[1])


def images_of(pixels, n, counts):
    """Return pixels (N*OH*OW, K) as an array (N, K, OH, OW), channels-last in memory."""
    return pixels.reshape(n, *counts, pixels.shape[1]).transpose(0, 3, 1, 2)


def sum_of_pixels(xp, pixels):
    """Return the sum over all pixels, (K,); a product with ones is the fastest way to it."""
    return xp.ones(len(pixels), pixels.dtype) @ pixels


def windows(xp, x, kernel, stride, dilation, counts):
    """Return all windows of x as a view of shape (N, C, FH, FW, OH, OW), without copying.

    Element [n, c, fh, fw, oh, ow] is x[n, c, oh*SH + fh*DH, ow*SW + fw*DW]: one step along fh is
    DH rows further in memory, one step along oh is SH rows, and likewise for columns.
    """
    n, c, row, column = x.strides
    strides = (n, c, row * dilation[0], column * dilation[1], row * stride[0], column * stride[1])
    return xp.lib.stride_tricks.as_strided(x, (*x.shape[:2], *kernel, *counts), strides)


def pad(xp, x, padding, value=0):
    """Return x with its images framed by `value`; x itself if there is nothing to add."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    framed = xp.full_like(x, value, shape=(n, c, top + h + bottom, left + w + right))
    framed[:, :, top:top + h, left:left + w] = x
    return framed


def _frame(xp, images, channels, height, width, few, dtype):
    """Return zeros (images, channels, height, width), channels-last in memory unless few."""
    if few:
        return xp.zeros((images, channels, height, width), dtype)
    return xp.zeros((images, height, width, channels), dtype).transpose(0, 3, 1, 2)


def _block(xp, n, counts, bytes_per_pixel, block_bytes=None):
    """Return how many images, and how many rows of their output, make one block.

    A few images, or some rows of one image if that is large; on a GPU the whole batch.
    """
    if block_bytes is None:
        block_bytes = BLOCK_BYTES if xp is np else float("inf")
    rows = block_bytes / (counts[1] * bytes_per_pixel)
    return int(max(1, min(n, rows / counts[0]))), int(max(1, min(counts[0], rows)))


# --- Convolution ---------------------------------------------------------------------------------


def correlate(xp, x, f, bias, y, stride, padding, dilation, groups, counts, block_bytes=None):
    """Fill y: pixels (N*OH*OW, OC) with the correlation of x: (N, C, H, W) and the filters f.

    The product is columns @ filters: pixels are its rows, output channels its columns.
    """
    oc = f.shape[0] // groups
    if bias is not None:  # tiled, to be added to a whole row of the output at a time
        bias = xp.tile(bias.astype(y.dtype), counts[1])
    matrices = _matrices(xp, f.astype(y.dtype, copy=False), groups)
    for rows, g, cols in _columns(xp, x, f.shape, y.dtype, stride, padding, dilation, groups,
                                  counts, block_bytes):
        xp.matmul(cols, matrices[g], out=y[rows, g * oc:(g + 1) * oc])
        if bias is not None and g == groups - 1:
            block = y[rows].reshape(-1, bias.size)
            block += bias


def filter_gradient(xp, dy, x, f_shape, stride, padding, dilation, groups, counts):
    """Return dF: (OC, C // groups, FH, FW) from dy: pixels (N*OH*OW, OC).

    Y = columns @ F, so dF = columnsᵀ @ dY; what the blocks give adds up.
    """
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
    f = f.reshape(groups, oc // groups, c, fh, fw).swapaxes(1, 2)
    f = f.reshape(channels, oc // groups, fh, fw)
    images = images_of(dy, n, counts)
    vertical, horizontal = (
        list(_phases(shape[2 + i], f.shape[2 + i], stride[i], padding[i][0], dilation[i],
                     counts[i])) for i in (0, 1))
    dx = xp.zeros((n, h, w, channels), dy.dtype).transpose(0, 3, 1, 2)
    for rows, cells_v, cut_v, frame_v, dilation_v, count_v in vertical:
        for columns, cells_h, cut_h, frame_h, dilation_h, count_h in horizontal:
            part = xp.empty((n * count_v * count_h, channels), dy.dtype)
            correlate(xp, images[:, :, cut_v, cut_h], f[:, :, cells_v, cells_h][..., ::-1, ::-1],
                      None, part, (1, 1), (frame_v, frame_h), (dilation_v, dilation_h), groups,
                      (count_v, count_h))
            part = images_of(part, n, (count_v, count_h))
            if stride == (1, 1):
                return part
            dx[:, :, rows, columns] = part
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


def _columns(xp, x, f_shape, dtype, stride, padding, dilation, groups, counts, block_bytes=None):
    """Yield the windows of x as columns, a block at a time.

    Yields
    ------
    rows : slice of the N*OH*OW pixels
    g : int, the group
    cols : (rows, C // groups * FH * FW), in the order of `_matrices`; good until the next block
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
    images, rows = _block(xp, n, counts, (k + oc) * np.dtype(dtype).itemsize, block_bytes)
    frame = _frame(xp, images, channels, top + h + bottom, left + w + right, few, dtype)
    order = (1, 2, 3, 0, 4, 5) if few else (0, 4, 5, 2, 3, 1)
    seen = windows(xp, frame, (fh, fw), stride, dilation, counts).transpose(order)
    memory = xp.empty(images * rows * ow * k, dtype)
    done = 0
    for first in range(0, n, images):
        m = min(images, n - first)
        for ch in range(0, channels, 16):  # as many as fill a cache line
            frame[:m, ch:ch + 16, top:top + h, left:left + w] = x[first:first + m, ch:ch + 16]
        for row in range(0, oh, rows):
            pixels = m * min(rows, oh - row) * ow
            for g in range(groups):
                group = slice(g * c, (g + 1) * c)
                part = (seen[group, :, :, :m, row:row + rows] if few
                        else seen[:m, row:row + rows, :, :, :, group])
                cols = memory[:pixels * k].reshape(part.shape)
                cols[...] = part
                cols = cols.reshape(k, pixels).T if few else cols.reshape(pixels, k)
                yield slice(done, done + pixels), g, cols
            done += pixels


# --- Pooling -------------------------------------------------------------------------------------


def fold(combine, x, kernel, stride, counts):
    """Combine the cells of every window with `combine`, first along H, then along W.

    The slice that begins at cell i and steps by the stride holds cell i of every window, so each
    of the FH + FW slices is one whole-array operation. H comes first because a whole row is one
    piece of memory in either layout.
    """
    for axis in (0, 1):
        stop = stride[axis] * (counts[axis] - 1) + 1
        slices = [slice(i, i + stop, stride[axis]) for i in range(kernel[axis])]
        cells = [x[..., s] if axis == 1 else x[..., s, :] for s in slices]
        x = cells[0].copy(order="K")
        for cell in cells[1:]:
            combine(x, cell, out=x)
    return x


def cells(size, kernel, stride, before, count):
    """Yield where cell 0, 1, … of the windows along one axis lies, outside the padding.

    Yields
    ------
    inside, window : slices
        ``x[inside]`` is that cell of the windows ``y[window]``; the other windows have it in the
        padding.
    """
    for i in range(kernel):
        first = max(0, -((i - before) // stride))
        last = min(count, (size - 1 - i + before) // stride + 1)
        start = first * stride + i - before
        if last > first:
            yield slice(start, start + (last - first - 1) * stride + 1, stride), slice(first, last)


def max_pool_gradient(xp, dy, x, kernel, stride, padding):
    """Return dX: every element of dy at the first maximum of its window, in x's memory layout.

    The first of the rows with the maximum holds it, and in that row the first of its cells: so
    the maxima of the rows are taken first, and dY goes back in two steps.
    """
    across = list(cells(x.shape[3], kernel[1], stride[1], padding[1][0], dy.shape[3]))
    down = list(cells(x.shape[2], kernel[0], stride[0], padding[0][0], dy.shape[2]))
    best_of_rows = _maxima(xp, x, across, dy.shape[3])
    best = _maxima(xp, best_of_rows.swapaxes(2, 3), down, dy.shape[2])
    d = _to_first(xp, dy.swapaxes(2, 3), best, best_of_rows.swapaxes(2, 3), down)
    return _to_first(xp, d.swapaxes(2, 3), best_of_rows, x, across)


def _maxima(xp, x, cells, count):
    """Return the largest of the given cells, along the last axis, of each of `count` windows."""
    best = xp.empty_like(x, shape=(*x.shape[:3], count))
    best[...] = -np.inf if x.dtype.kind == "f" else 0 if x.dtype == bool else np.iinfo(x.dtype).min
    for inside, window in cells:
        xp.maximum(best[..., window], x[..., inside], out=best[..., window])
    return best


def _to_first(xp, dy, best, x, cells):
    """Return zeros like x with each element of dy added where x first equals `best`."""
    dx = xp.zeros_like(x, dy.dtype)
    free = xp.ones_like(best, bool)
    for inside, window in cells:
        hit = x[..., inside] == best[..., window]
        hit &= free[..., window]
        free[..., window] ^= hit
        dx[..., inside] += dy[..., window] * hit
    return dx


def avg_pool_gradient(xp, dy, x, kernel, stride, padding):
    """Return dX: every element of dy added to all cells of its window, in x's memory layout."""
    n, c, h, w = x.shape
    d = xp.zeros_like(x, dy.dtype, shape=(n, c, h, dy.shape[3]))
    for inside, window in cells(h, kernel[0], stride[0], padding[0][0], dy.shape[2]):
        d[:, :, inside] += dy[:, :, window]
    dx = xp.zeros_like(x, dy.dtype)
    for inside, window in cells(w, kernel[1], stride[1], padding[1][0], dy.shape[3]):
        dx[..., inside] += d[..., window]
    return dx
