"""Convolution and pooling: the mathematics, as functions without state.

Shapes: input ``X: (N, C, H, W)``, filters ``F: (OC, C, FH, FW)``, output ``Y: (N, OC, OH, OW)``.
Every function takes NumPy or CuPy arrays (nested lists become arrays) and returns the same kind;
inputs are never changed, and results never share memory with them. `kernel_size`, `stride` and
`dilation` are an int or a pair (vertical, horizontal); `padding` is an int, such a pair, or
((top, bottom), (left, right)). Wrong types raise TypeError, wrong values ValueError.
"""

import numpy as np

from . import checks
from .arrays import result_and_work_dtype

# Windows of a few images at a time are copied out and multiplied while they are still in the
# processor's cache; the columns of a whole batch would travel to main memory and back.
BLOCK_BYTES = 500_000
FEW_CHANNELS = 8  # with fewer, a run of pixels is the longer piece to copy than a run of channels


def output_size(size, kernel_size, stride=1, padding=0):
    """Return the number of windows along one axis, floor((size + 2P - kernel_size) / S) + 1.

    All are ints; padding may also be a pair (before, after).
    """
    size = checks.integer("size", size, least=1)
    kernel_size = checks.integer("kernel_size", kernel_size, least=1)
    stride = checks.integer("stride", stride, least=1)
    return checks.window_counts([size], [kernel_size], [stride], [checks.padding_1d(padding)])[0]


def im2col(x, kernel_size, stride=1, padding=0):
    """Copy every window of x: (N, C, H, W) into one row of a matrix, its channels side by side.

    Returns
    -------
    array (N*OH*OW, C*FH*FW), dtype of x
        Rows in (n, oh, ow) order, columns in (c, fh, fw) order, so that
        ``im2col(x, (FH, FW)) @ f.reshape(OC, -1).T`` is the convolution of x with f.
    """
    xp, x, kernel, stride, padding, (oh, ow) = checks.sliding_windows(
        x, kernel_size, stride, padding)
    n, c, (fh, fw) = *x.shape[:2], kernel
    windows = _windows(xp, _pad(xp, x, padding), kernel, stride, (1, 1), (oh, ow))
    cols = xp.empty((n, oh, ow, c, fh, fw), x.dtype)
    cols[...] = windows.transpose(0, 4, 5, 1, 2, 3)
    return cols.reshape(n * oh * ow, c * fh * fw)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    """Add every row of `cols` back to where `im2col` took it from: the adjoint of `im2col`.

    For all x and cols, ``(im2col(x, ...) * cols).sum() == (x * col2im(cols, ...)).sum()``.

    Parameters
    ----------
    cols : array (N*OH*OW, C*FH*FW)
    x_shape : (N, C, H, W)

    Returns
    -------
    array (N, C, H, W)
        Floats keep their dtype (float16 is added up in float32); integers give int64.
    """
    xp, cols = checks.numeric_arrays(cols=cols)
    n, c, h, w = checks.image_shape("x_shape", x_shape)
    kernel, stride = checks.pair("kernel_size", kernel_size), checks.pair("stride", stride)
    padding = checks.padding_2d(padding)
    oh, ow = checks.window_counts((h, w), kernel, stride, padding)
    (fh, fw), (sh, sw), ((top, bottom), (left, right)) = kernel, stride, padding
    checks.shape("cols", cols, (n * oh * ow, c * fh * fw))
    result, work = result_and_work_dtype(cols)
    x = xp.zeros((n, c, top + h + bottom, left + w + right), work)
    cols = cols.reshape(n, oh, ow, c, fh, fw).transpose(0, 3, 4, 5, 1, 2)
    for i in range(fh):
        for j in range(fw):
            x[:, :, i:i + sh * oh:sh, j:j + sw * ow:sw] += cols[:, :, i, j]
    return x[:, :, top:top + h, left:left + w].astype(result, copy=False)


def conv2d(x, f, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve a mini-batch x with the filters f and add the bias b.

    As in every deep-learning library this is the cross-correlation: the filter is not flipped.

    Parameters
    ----------
    x : array (N, C, H, W)
    f : array (OC, C // groups, FH, FW)
    b : array (OC,), optional
    stride, padding, dilation
        As at the top of this module; the padding holds zeros.
    groups : int
        Channels and filters are split into so many groups, which do not see each other.

    Returns
    -------
    array (N, OC, OH, OW)
        Channels-last in memory. Floats are promoted as NumPy does (float16 is computed in
        float32). Integers and booleans give int64 (uint64 if all are unsigned and one is uint64),
        exact as long as the result fits.
    """
    xp, x, f, b, stride, padding, dilation, groups, counts = checks.convolution(
        x, f, b, stride, padding, dilation, groups)
    result, work = result_and_work_dtype(x, f, b)
    # Pixels are the rows of the matrix product and output channels its columns.
    y = xp.empty((x.shape[0] * counts[0] * counts[1], f.shape[0]), work)
    f = f.astype(work, copy=False)
    bias = None if b is None else xp.tile(b.astype(work), counts[1])  # one row of the output
    _correlate(xp, x, f, bias, y, stride, padding, dilation, groups, counts)
    y = y.reshape(x.shape[0], *counts, f.shape[0]).transpose(0, 3, 1, 2)
    return y.astype(result, copy=False)


def _correlate(xp, x, f, bias, y, stride, padding, dilation, groups, counts, block_bytes=None):
    """Fill y: (N*OH*OW, OC), a block at a time: copy its windows into columns, then multiply.

    A block is a few images, or some rows of the output of one image if that is large; on a GPU it
    is the whole batch.
    """
    (n, channels, h, w), (oc, c, fh, fw), (oh, ow) = x.shape, f.shape, counts
    (top, bottom), (left, right) = padding
    if (fh, fw) == stride == (1, 1) and (oh, ow) == (h, w) and groups == 1:  # no patches needed
        pixels = x.astype(y.dtype, copy=False).transpose(0, 2, 3, 1).reshape(n, h * w, c)
        xp.matmul(pixels, f.reshape(oc, c).T, out=y.reshape(n, h * w, oc))
        return _add_bias(y, bias)
    k, group_oc = c * fh * fw, oc // groups
    if block_bytes is None:
        block_bytes = BLOCK_BYTES if xp is np else float("inf")
    rows = block_bytes / (ow * (k + oc) * y.itemsize)  # columns and their products, per row
    images, rows = int(max(1, min(n, rows / oh))), int(max(1, min(oh, rows)))

    few = c < FEW_CHANNELS
    if few:  # columns (C*FH*FW, pixels)
        image = xp.zeros((images, channels, top + h + bottom, left + w + right), y.dtype)
        order, f = (1, 2, 3, 0, 4, 5), f.reshape(groups, group_oc, k)
    else:  # columns (pixels, FH*FW*C): channels last, in the padded images too
        image = xp.zeros((images, top + h + bottom, left + w + right, channels), y.dtype)
        image = image.transpose(0, 3, 1, 2)
        order, f = (0, 4, 5, 2, 3, 1), f.transpose(0, 2, 3, 1).reshape(groups, group_oc, k)
    f = xp.ascontiguousarray(f.transpose(0, 2, 1))
    windows = _windows(xp, image, (fh, fw), stride, dilation, counts)
    memory = xp.empty(images * rows * ow * k, y.dtype)

    done = 0
    for first in range(0, n, images):
        m = min(images, n - first)
        for ch in range(0, channels, 16):  # as many as fill a cache line
            image[:m, ch:ch + 16, top:top + h, left:left + w] = x[first:first + m, ch:ch + 16]
        for row in range(0, oh, rows):
            pixels = m * min(rows, oh - row) * ow
            for g in range(groups):
                part = windows[:m, g * c:(g + 1) * c, :, :, row:row + rows].transpose(order)
                cols = memory[:pixels * k].reshape(part.shape)
                cols[...] = part
                cols = cols.reshape(k, pixels).T if few else cols.reshape(pixels, k)
                out = y[done:done + pixels, g * group_oc:(g + 1) * group_oc]
                xp.matmul(cols, f[g], out=out)
            _add_bias(y[done:done + pixels], bias)
            done += pixels


def _add_bias(y, bias):
    """Add the bias to y: (pixels, OC) in place, a whole row of pixels at a time."""
    if bias is not None:
        y = y.reshape(-1, bias.size)
        y += bias


def _windows(xp, x, kernel, stride, dilation, counts):
    """Return all windows of x as a view of shape (N, C, FH, FW, OH, OW), without copying.

    Element [n, c, fh, fw, oh, ow] is x[n, c, oh*SH + fh*DH, ow*SW + fw*DW]: one step along fh is
    DH rows further in memory, one step along oh is SH rows, and likewise for columns.
    """
    n, c, row, column = x.strides
    strides = (n, c, row * dilation[0], column * dilation[1], row * stride[0], column * stride[1])
    return xp.lib.stride_tricks.as_strided(x, (*x.shape[:2], *kernel, *counts), strides)


def _pad(xp, x, padding, value=0):
    """Return x with its images framed by `value`; x itself if there is nothing to add."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    framed = xp.full_like(x, value, shape=(n, c, top + h + bottom, left + w + right))
    framed[:, :, top:top + h, left:left + w] = x
    return framed


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Return the largest value of every window of x: (N, C, H, W), for each channel by itself.

    The stride is the kernel size if not given. The padding is at most half the kernel size, and
    padded cells are never chosen.

    Returns
    -------
    array (N, C, OH, OW), dtype of x
        A window that holds a NaN gives NaN.
    """
    stride = kernel_size if stride is None else stride
    xp, x, kernel, stride, padding, counts = checks.sliding_windows(
        x, kernel_size, stride, padding)
    checks.at_most_half(padding, kernel)
    smallest = -np.inf if x.dtype.kind == "f" else 0 if x.dtype == bool else np.iinfo(x.dtype).min
    return _fold(xp.maximum, _pad(xp, x, padding, smallest), kernel, stride, counts)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Return the average of every window of x: (N, C, H, W), for each channel by itself.

    The stride is the kernel size if not given. Padded cells are zeros and count in the average.

    Returns
    -------
    array (N, C, OH, OW)
        Floats keep their dtype (float16 is added up in float32); integers give float64.
    """
    stride = kernel_size if stride is None else stride
    xp, x, kernel, stride, padding, counts = checks.sliding_windows(
        x, kernel_size, stride, padding)
    result = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    work = np.dtype(np.float32) if result == np.float16 else result
    y = _fold(xp.add, _pad(xp, x.astype(work, copy=False), padding), kernel, stride, counts)
    y /= kernel[0] * kernel[1]
    return y.astype(result, copy=False)


def _fold(combine, x, kernel, stride, counts):
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
