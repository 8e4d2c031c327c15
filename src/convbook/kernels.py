"""The machinery inside `functional`: convolution and its gradients as matrix products in blocks,
pooling as operations on whole arrays.

Arguments have been checked and are in full: kernel (FH, FW), stride (SH, SW), padding
((top, bottom), (left, right)), dilation (DH, DW), counts (OH, OW). "Pixels" are the rows of a
matrix (N*OH*OW, K); see `layouts`.
"""

import math

import numpy as np

from . import winograd
from .arrays import float_and_work_dtype, get_array_module
from .layouts import copy_channels_last, images_of, pixels_of

# Windows of a few images at a time are copied out and multiplied while they are still in the
# processor's cache; the columns of a whole batch would travel to main memory and back.
BLOCK_BYTES = 800_000
# With so many times more filters than channels it is less work to lay dY·F down than to copy dY.
MANY_FILTERS = 16
FEW_CHANNELS = 8  # with fewer, a run of pixels is the longer piece to copy than a run of channels


# --- Memory --------------------------------------------------------------------------------------


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


def blocks(xp, x):
    """Yield slices of the first axis of x whose part fits into the cache; on a GPU, all at once."""
    length = max(1, len(x))
    if xp is np and x.size:
        length = max(1, BLOCK_BYTES * len(x) // (3 * x.nbytes))  # room for two more of its kind
    for first in range(0, len(x), length):
        yield slice(first, first + length)


# --- Convolution ---------------------------------------------------------------------------------


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
    block_bytes = BLOCK_BYTES if xp is np else float("inf")
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
        block_bytes = BLOCK_BYTES if xp is np else float("inf")
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


def _both_axes(x, dy, kernel, stride, padding):
    """Return, for H and for W, the list of `cells`, and whether windows overlap or leave gaps."""
    axes = []
    for i, (size, count) in enumerate(zip(x.shape[2:], dy.shape[2:])):
        found = list(cells(size, kernel[i], stride[i], padding[i][0], count))
        tiled = stride[i] == kernel[i] and size == stride[i] * count and padding[i][0] == 0
        axes.append((found, not tiled))
    return axes


def max_pool_gradient(xp, dy, x, kernel, stride, padding):
    """Return dX: every element of dy at the first maximum of its window, in x's memory layout.

    Of NaNs, which count as the maximum, PyTorch chooses the last of the window. So do we.
    """
    down, across = _both_axes(x, dy, kernel, stride, padding)
    dx = xp.empty_like(x, dtype=dy.dtype)
    for block in blocks(xp, x):
        x_, dy_ = x[block], dy[block]
        nan = _to_maxima(xp, dy_, x_, dx[block], down, across)
        if nan is not None:  # windows without a NaN, then those with one, from behind
            _to_maxima(xp, xp.where(nan, 0, dy_), xp.where(xp.isnan(x_), -np.inf, x_), dx[block],
                       down, across)
            rest = xp.empty_like(dx[block])
            _to_maxima(xp, xp.where(nan, dy_, 0), xp.isnan(x_), rest,
                       (down[0][::-1], down[1]), (across[0][::-1], across[1]))
            dx[block] += rest
    return dx


def _to_maxima(xp, dy, x, dx, down, across):
    """Fill dx with dy at the first maximum of each window; stop and return which are NaN, if any.

    The first row that holds the maximum decides, and in it the first cell. So the maxima of all
    rows are found first, then those of the windows, and dy goes back the same two steps.
    """
    # Copies, because arithmetic with every S-th column takes longer than copying them out once.
    columns = [x[..., inside].copy(order="K") for inside, _ in across[0]]
    of_rows = _maxima(xp, columns, across[0], dy.shape[3])
    rows = [of_rows.swapaxes(2, 3)[..., inside] for inside, _ in down[0]]
    best = _maxima(xp, rows, down[0], dy.shape[2])
    if x.dtype.kind == "f" and (nan := xp.isnan(best)).any():
        return nan.swapaxes(2, 3)
    d = xp.empty_like(of_rows, dtype=dy.dtype)
    _to_first(xp, dy.swapaxes(2, 3), best, rows, d.swapaxes(2, 3), *down)
    _to_first(xp, d, of_rows, columns, dx, *across)


def _maxima(xp, parts, cells, count):
    """Return the largest of the given cells, along the last axis, of each of `count` windows."""
    if len(cells) > 1 and all(window == slice(0, count) for _, window in cells):
        best = xp.maximum(parts[0], parts[1])
        parts, cells = parts[2:], cells[2:]
    else:
        kind = parts[0].dtype
        least = -np.inf if kind.kind == "f" else 0 if kind == bool else np.iinfo(kind).min
        best = xp.full_like(parts[0], least, shape=(*parts[0].shape[:3], count))
    for part, (_, window) in zip(parts, cells):
        xp.maximum(best[..., window], part, out=best[..., window])
    return best


def _to_first(xp, dy, best, parts, dx, cells, irregular):
    """Fill dx with each element of dy at the first of the cells whose part equals `best`."""
    if irregular:
        dx[...] = 0
    rest = dy.copy(order="K")  # what has not found its place yet
    for i, (inside, window) in enumerate(cells):
        part = rest[..., window]
        if i < len(cells) - 1:  # what is left at the last cell can belong nowhere else
            part = part * (parts[i] == best[..., window])
            rest[..., window] -= part
        if irregular:
            dx[..., inside] += part
        else:
            dx[..., inside] = part


def avg_pool_gradient(xp, dy, x, kernel, stride, padding):
    """Return dX: every element of dy added to all cells of its window, in x's memory layout."""
    down, across = _both_axes(x, dy, kernel, stride, padding)
    dx = xp.empty_like(x, dtype=dy.dtype)
    for block in blocks(xp, x):
        d = xp.empty_like(dx[block], shape=(*dx[block].shape[:3], dy.shape[3]))
        _to_all(dy[block].swapaxes(2, 3), d.swapaxes(2, 3), *down)
        _to_all(d, dx[block], *across)
    return dx


def _to_all(dy, dx, cells, irregular):
    """Fill dx with each element of dy at all of the cells."""
    if irregular:
        dx[...] = 0
    for inside, window in cells:
        if irregular:
            dx[..., inside] += dy[..., window]
        else:
            dx[..., inside] = dy[..., window]


# --- Softmax and cross entropy, of arrays that were looked at before ------------------------------
# Looking at labels makes the CPU wait for a GPU: a training loop looks once, not in every step.


def softmax(xp, scores):
    """Return the probabilities (N, K) of scores (N, K)."""
    p = xp.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def cross_entropy(scores, labels):
    """Return the mean cross entropy of softmax(scores): (N, K), with labels (N,) or (N, K)."""
    xp, (result, work) = get_array_module(scores), float_and_work_dtype(scores)
    logs = scores.astype(work, copy=False) - scores.max(axis=1, keepdims=True)
    logs -= xp.log(xp.exp(logs).sum(axis=1, keepdims=True))
    if labels.ndim == 1:
        return -logs[xp.arange(len(logs)), labels].mean().astype(result)
    return -(logs * labels).sum(axis=1).mean().astype(result)


def cross_entropy_gradient(scores, labels):
    """Return the gradient of `cross_entropy`, (N, K)."""
    xp, (result, work) = get_array_module(scores), float_and_work_dtype(scores)
    d = softmax(xp, scores.astype(work, copy=False))
    if labels.ndim == 1:
        d[xp.arange(len(labels)), labels] -= 1
    else:
        d *= labels.sum(axis=1, keepdims=True)
        d -= labels
    d /= len(d)
    return d.astype(result, copy=False)
