"""Making maps larger: upsampling, and putting maxima back where they were; with their gradients.

Part of `convbook.functional`, which says what shapes, arrays and errors are like.
"""

import numpy as np

from . import checks
from .arrays import float_and_work_dtype, result_and_work_dtype
from .kernels import blocks

MODES = ("nearest", "bilinear")


def upsample2d(x, factor, mode="nearest"):
    """Enlarge every image of x: (N, C, H, W) by a whole factor.

    Parameters
    ----------
    x : array (N, C, H, W)
    factor : int or pair
        How many rows and columns each becomes.
    mode : {"nearest", "bilinear"}
        "nearest" repeats every pixel. "bilinear" takes a pixel's value at its centre and goes
        straight from one centre to the next; beyond the outermost, their values go on. (In PyTorch:
        `align_corners=False`.)

    Returns
    -------
    array (N, C, factor·H, factor·W)
        In the memory layout of x. "nearest" keeps the dtype; "bilinear" keeps that of floats
        (float16 is computed in float32), and integers give float64.
    """
    xp, x, factors = _upsampling(x, factor, mode)
    result, work = (x.dtype, x.dtype) if mode == "nearest" else float_and_work_dtype(x)
    y = x.astype(work, copy=False)
    for axis, factor_here in zip((2, 3), factors):
        y = _stretched(xp, y, axis, factor_here, mode)
    return y.astype(result, copy=False)


def upsample2d_backward(dy, x, factor, mode="nearest"):
    """Return the gradient of `upsample2d`: each pixel of x gets back what it has given.

    Returns
    -------
    array (N, C, H, W)
        In the memory layout of x. Floats keep the dtype of dy (float16 is added up in float32);
        integers give int64, or float64 if `mode` is "bilinear".
    """
    xp, x, factors = _upsampling(x, factor, mode)
    xp, dy, _ = checks.numeric_arrays(dy=dy, x=x)
    n, c, h, w = x.shape
    checks.shape("dy", dy, (n, c, h * factors[0], w * factors[1]))
    types = result_and_work_dtype if mode == "nearest" else float_and_work_dtype
    result, work = types(dy)
    gathered = dy.astype(work, copy=False)
    for axis, factor_here in zip((3, 2), reversed(factors)):
        gathered = _gathered(xp, gathered, axis, factor_here, mode)
    dx = xp.empty_like(x, dtype=result)
    dx[...] = gathered
    return dx


def max_pool2d_indices(x, kernel_size, stride=None, padding=0):
    """Return where `max_pool2d` finds the maximum of each window.

    Parameters
    ----------
    x, kernel_size, stride, padding
        As in `max_pool2d`.

    Returns
    -------
    array (N, C, OH, OW) of ints
        The position in the image, counted row by row: row · W + column. Of equal maxima it is the
        first, of several NaNs the last, as for the gradient.
    """
    stride = kernel_size if stride is None else stride
    xp, x, geometry = checks.sliding_windows(x, kernel_size, stride, padding)
    checks.at_most_half(geometry.padding, geometry.kernel)
    (fh, fw), (oh, ow), (sh, sw), ((top, _), (left, _)) = geometry[:4]
    first_row, first_column = sh * xp.arange(oh)[:, None] - top, sw * xp.arange(ow) - left
    # The cells of a window are numbered row by row. One of the padding is never chosen: it is not
    # above what the first cell inside begins with.
    number = fw * xp.maximum(-first_row, 0) + xp.maximum(-first_column, 0)
    least = -np.inf if x.dtype.kind == "f" else 0 if x.dtype == bool else np.iinfo(x.dtype).min
    indices = xp.empty_like(x, dtype=np.intp, shape=(*x.shape[:2], oh, ow))
    for block in blocks.blocks(xp, x):
        framed = blocks.pad(xp, x[block], geometry.padding, least)
        best = xp.full_like(framed, least, shape=indices[block].shape)
        chosen = xp.empty_like(best, dtype=np.min_scalar_type(fh * fw))
        chosen[...] = number
        for k in range(fh * fw):
            i, j = divmod(k, fw)
            cell = framed[:, :, i : i + sh * (oh - 1) + 1 : sh, j : j + sw * (ow - 1) + 1 : sw]
            better = cell > best
            if x.dtype.kind == "f":
                better |= cell != cell  # the last NaN
            chosen = xp.where(better, chosen.dtype.type(k), chosen)
            xp.maximum(best, cell, out=best)
        rows, columns = chosen // fw, chosen % fw
        indices[block] = (rows + first_row) * x.shape[3] + (columns + first_column)
    return indices


def max_unpool2d(x, indices, output_size):
    """Put every number of x at its position in a larger image that is zero elsewhere.

    With the `max_pool2d_indices` of a pooling, each goes to where the maximum of its window was
    (Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014).

    Parameters
    ----------
    x : array (N, C, OH, OW)
    indices : array (N, C, OH, OW) of ints
        Positions in the image, row · W + column. If several are equal, as they may be if the
        windows of the pooling overlap, the last number is kept, row by row.
    output_size : (H, W)

    Returns
    -------
    array (N, C, H, W), dtype of x
        Channels-last in memory if x is, else NCHW.
    """
    xp, x, large = _unpooling(x, indices, output_size)
    numbers = xp.zeros(large.size, x.dtype)
    numbers[large.places] = x
    return large.images(numbers)


def max_unpool2d_backward(dy, x, indices, output_size):
    """Return the gradient of `max_unpool2d`: dy at the position of each number that was kept.

    Returns
    -------
    array (N, C, OH, OW), dtype of dy
        In the memory layout of x.
    """
    xp, x, large = _unpooling(x, indices, output_size)
    xp, dy, _ = checks.numeric_arrays(dy=dy, x=x)
    checks.shape("dy", dy, large.shape)
    names = xp.empty_like(x, dtype=np.min_scalar_type(-1 - x.size))
    names[...] = xp.arange(x.size).reshape(x.shape)
    kept = xp.empty(large.size, names.dtype)
    kept[large.places] = names  # whose number stands at each position
    dx = xp.empty_like(x, dtype=dy.dtype)
    xp.multiply(large.numbers(dy)[large.places], kept[large.places] == names, out=dx)
    return dx


# --- Upsampling, axis by axis --------------------------------------------------------------------


def _upsampling(x, factor, mode):
    """Check what upsampling takes; return the module, x and the pair of factors."""
    xp, x = checks.numeric_arrays(x=x)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    upsampling_mode(mode)
    return xp, x, checks.pair("factor", factor)


def upsampling_mode(mode):
    """Check that this is a mode of `upsample2d`."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")


def _along(axis, *slices):
    """Return the index that takes this slice of an axis, and all of the axes before it."""
    return (*(slice(None),) * axis, slice(*slices))


def _phases(factor):
    """Yield, for each of the new pixels within an old one, how far it lies from the old centre."""
    for phase in range(factor):
        yield phase, (phase + 0.5) / factor - 0.5  # in old pixels; negative: towards the one before


def _stretched(xp, x, axis, factor, mode):
    """Return x with `factor` times as many pixels along one axis."""
    y = xp.empty_like(x, shape=(*x.shape[:axis], factor * x.shape[axis], *x.shape[axis + 1 :]))
    for phase, offset in _phases(factor):
        part = y[_along(axis, phase, None, factor)]
        if mode == "nearest" or offset == 0:
            part[...] = x
            continue
        xp.multiply(x, 1 - abs(offset), out=part)
        for to, of in _neighbours(axis, offset):
            part[to] += abs(offset) * x[of]
    return y


def _gathered(xp, dy, axis, factor, mode):
    """Return what `_stretched` hands back: the same weights, from the new pixels to the old."""
    shape = (*dy.shape[:axis], dy.shape[axis] // factor, *dy.shape[axis + 1 :])
    dx = xp.empty_like(dy, shape=shape)
    dx[...] = 0
    for phase, offset in _phases(factor):
        part = dy[_along(axis, phase, None, factor)]
        if mode == "nearest" or offset == 0:
            dx += part
            continue
        dx += (1 - abs(offset)) * part
        for to, of in _neighbours(axis, offset):
            dx[of] += abs(offset) * part[to]
    return dx


def _neighbours(axis, offset):
    """Return which pixels look at which neighbour; at the edge, at themselves."""
    if offset < 0:
        return (
            (_along(axis, 1, None), _along(axis, 0, -1)),
            (_along(axis, 0, 1), _along(axis, 0, 1)),
        )
    return (
        (_along(axis, 0, -1), _along(axis, 1, None)),
        (_along(axis, -1, None), _along(axis, -1, None)),
    )


# --- Unpooling -----------------------------------------------------------------------------------


class _Large:
    """The larger images of an unpooling, as one row of numbers in the order of memory.

    Attributes
    ----------
    shape : (N, C, H, W)
    size : int
    places : array of ints
        Where in the row each number of x belongs.
    """

    def __init__(self, xp, x, indices, size):
        (n, c), (h, w) = x.shape[:2], size
        self.xp, self.shape, self.size = xp, (n, c, h, w), n * c * h * w
        self.last = x.transpose(0, 2, 3, 1).flags.c_contiguous and not x.flags.c_contiguous
        of_image, of_channel = xp.arange(n)[:, None, None, None], xp.arange(c)[:, None, None]
        self.places = (
            of_image * (h * w * c) + indices * c + of_channel
            if self.last
            else (of_image * c + of_channel) * (h * w) + indices
        )

    def images(self, numbers):
        """Return the row as an array (N, C, H, W)."""
        n, c, h, w = self.shape
        return (
            numbers.reshape(n, h, w, c).transpose(0, 3, 1, 2)
            if self.last
            else numbers.reshape(self.shape)
        )

    def numbers(self, images):
        """Return an array (N, C, H, W) as a row."""
        if self.last:
            images = images.transpose(0, 2, 3, 1)
        return self.xp.ascontiguousarray(images).reshape(-1)


def _unpooling(x, indices, output_size):
    """Check what unpooling takes; return the module, x and its larger images."""
    xp, x, indices = checks.numeric_arrays(x=x, indices=indices)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    checks.shape("indices", indices, x.shape)
    size = h, w = checks.pair("output_size", output_size)
    checks.class_numbers("indices", indices, h * w)
    return xp, x, _Large(xp, x, indices.astype(np.intp, copy=False), size)
