"""Making maps larger: upsampling, and putting maxima back where they were; with their gradients.

Part of `convbook.functional`, which says what shapes, arrays and errors are like.
"""

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
    array (N, C, OH, OW) of int64
        The position in the image, counted row by row: row · W + column. Of equal maxima it is the
        first, of several NaNs the last, as for the gradient.
    """
    stride = kernel_size if stride is None else stride
    xp, x, geometry = checks.sliding_windows(x, kernel_size, stride, padding)
    checks.at_most_half(geometry.padding, geometry.kernel)
    (fh, fw), (oh, ow), (sh, sw), ((top, _), (left, _)) = geometry[:4]
    (h, w), framed = x.shape[2:], blocks.pad(xp, x, geometry.padding)
    first_row, first_column = sh * xp.arange(oh)[:, None] - top, sw * xp.arange(ow) - left
    best = indices = None
    for i in range(fh):
        for j in range(fw):
            cell = framed[:, :, i:i + sh * (oh - 1) + 1:sh, j:j + sw * (ow - 1) + 1:sw]
            row, column = first_row + i, first_column + j
            inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
            here = xp.where(inside, row * w + column, -1)
            if best is None:
                best, indices = cell.copy(order="K"), xp.empty_like(cell, dtype=here.dtype)
                indices[...] = here
                continue
            # A cell of the padding is never chosen, and gives way to the first that is none.
            better = ((cell > best) | (cell != cell) | (indices < 0)) & inside
            indices += better * (here - indices)
            best[...] = xp.where(better, cell, best)
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
    array (N, C, H, W), dtype and memory layout of x
    """
    xp, x, places, (h, w) = _unpooling(x, indices, output_size)
    y = xp.empty_like(x, shape=(*x.shape[:2], h, w))
    y[...] = 0
    y[places] = x
    return y


def max_unpool2d_backward(dy, x, indices, output_size):
    """Return the gradient of `max_unpool2d`: dy at the position of each number that was kept.

    Returns
    -------
    array (N, C, OH, OW), dtype of dy and memory layout of x
    """
    xp, x, places, (h, w) = _unpooling(x, indices, output_size)
    xp, dy, _ = checks.numeric_arrays(dy=dy, x=x)
    checks.shape("dy", dy, (*x.shape[:2], h, w))
    numbers = xp.arange(x.size).reshape(x.shape)
    kept = xp.empty_like(dy, dtype=numbers.dtype)  # which number stands at each position
    kept[places] = numbers
    dx = xp.empty_like(x, dtype=dy.dtype)
    dx[...] = dy[places] * (kept[places] == numbers)
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
    y = xp.empty_like(x, shape=(*x.shape[:axis], factor * x.shape[axis], *x.shape[axis + 1:]))
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
    shape = (*dy.shape[:axis], dy.shape[axis] // factor, *dy.shape[axis + 1:])
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
        return ((_along(axis, 1, None), _along(axis, 0, -1)),
                (_along(axis, 0, 1), _along(axis, 0, 1)))
    return ((_along(axis, 0, -1), _along(axis, 1, None)),
            (_along(axis, -1, None), _along(axis, -1, None)))


# --- Unpooling -----------------------------------------------------------------------------------


def _unpooling(x, indices, output_size):
    """Check what unpooling takes; return the module, x, an index for all positions, and (H, W)."""
    xp, x, indices = checks.numeric_arrays(x=x, indices=indices)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    checks.shape("indices", indices, x.shape)
    h, w = checks.pair("output_size", output_size)
    checks.class_numbers("indices", indices, h * w)
    n, c, indices = *x.shape[:2], indices.astype(int, copy=False)
    images, channels = xp.arange(n)[:, None, None, None], xp.arange(c)[:, None, None]
    return xp, x, (images, channels, indices // w, indices % w), (h, w)
