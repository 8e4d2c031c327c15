"""Affine transformations of images: their 3 × 3 matrices, and one fast sampling with any of them.

A point of an image is written (x, y, 1): x to the right and y down, in pixels, from the centre of
the image. A matrix says where a point of the old image goes in the new one. What is done later
stands further to the left: ``shift(2, 0) @ rotation(30) @ zoom(1.5)`` zooms first.

The makers of matrices take numbers, and return one matrix (3, 3), or arrays (N,) and return
(N, 3, 3), float64.
"""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..kernels import blocks, layouts, masks
from ..kernels.geometry import Geometry

MODES = ("zero", "edge", "reflect")


# --- Matrices ------------------------------------------------------------------------------------


def flip(horizontal=False, vertical=False):
    """Return the matrices that swap left and right, above and below, or both."""
    return _matrices(
        1 - 2 * np.asarray(horizontal, float), 0, 0, 0, 1 - 2 * np.asarray(vertical, float), 0
    )


def zoom(factor):
    """Return the matrices that make everything `factor` times as large."""
    return _matrices(factor, 0, 0, 0, factor, 0)


def rotation(degrees):
    """Return the matrices that turn counterclockwise, as seen on the screen."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _matrices(cos, sin, 0, -sin, cos, 0)  # y points down


def shear(horizontal=0.0, vertical=0.0):
    """Return the matrices that move x by horizontal · y, and y by vertical · x."""
    return _matrices(1, horizontal, 0, vertical, 1, 0)


def shift(horizontal=0.0, vertical=0.0):
    """Return the matrices that move by so many pixels to the right and down."""
    return _matrices(1, 0, horizontal, 0, 1, vertical)


def _matrices(*two_rows):
    """Return matrices of these two rows, given entry by entry, and a last row of 0, 0, 1."""
    entries = np.stack(np.broadcast_arrays(*two_rows, 0.0, 0.0, 1.0), axis=-1)
    return entries.reshape(*entries.shape[:-1], 3, 3)


# --- Sampling ------------------------------------------------------------------------------------


def transform(x, matrices, mode="zero", size=None):
    """Move the pixels of every image with a matrix, and sample bilinearly where they were.

    Every pixel of the result asks the inverse matrix where in x it came from, and mixes the four
    pixels around that place. After flips and shifts by whole pixels alone, pixels are only copied,
    which is faster and rounds nothing.

    Parameters
    ----------
    x : array (N, C, H, W)
        Floating point or uint8.
    matrices : array (N, 3, 3) or (3, 3)
        One for each image, or one for all.
    mode : {"zero", "edge", "reflect"}
        What lies outside x: zeros, the nearest pixel of the edge, or the image mirrored at the
        centres of the pixels of its edge (as "edge" and "reflect" of `numpy.pad`).
    size : pair of int (OH, OW), optional
        The size of the result, by default that of x; its centre is the centre of x.

    Returns
    -------
    array (N, C, OH, OW), dtype of x
        uint8 is rounded to the nearest; float16 is computed in float32.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these, or a matrix has no inverse.
    """
    xp, x = images(x)
    check_mode(mode)
    (n, _, h, w), (oh, ow) = x.shape, x.shape[2:] if size is None else checks.pair("size", size)
    sources = _sources(matrices, n, (h, w), (oh, ow))
    straight = _straight(sources, (h, w), (oh, ow), mode)
    if straight is None:
        return _sample(xp, x, sources, mode, (oh, ow))
    return _copy(xp, x, *straight, mode, (oh, ow))


def images(x):
    """Return the array module and x, if it is (N, C, H, W) of a floating dtype or uint8."""
    xp, x = checks.numeric_arrays(x=x)
    checks.axes("x", x, "NCHW", may_be_empty="N")
    if x.dtype.kind != "f" and x.dtype != np.uint8:
        raise TypeError(
            f"x must be floating point or uint8, got dtype {x.dtype}: convert it with "
            "x.astype(numpy.float32)"
        )
    return xp, x


def check_mode(mode):
    """Check the name of an edge mode."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")


def _sources(matrices, n, size, new_size):
    """Return (N, 2, 3): from (column, row, 1) of the result to column and row of x.

    What is whole but for rounding is made whole.
    """
    matrices = np.asarray(matrices, np.float64)
    if matrices.shape not in ((3, 3), (n, 3, 3)):
        raise ValueError(
            f"matrices must have shape (3, 3) or (N, 3, 3) = {(n, 3, 3)}, got {matrices.shape}"
        )
    if not np.isfinite(matrices).all() or (matrices[..., 2, :] != [0, 0, 1]).any():
        raise ValueError("matrices must hold finite numbers, and 0, 0, 1 in their last row")
    matrices = np.broadcast_to(matrices, (n, 3, 3))
    a, b, c, d = matrices[:, :2, :2].reshape(n, 4).T
    determinant = a * d - b * c
    if (np.abs(determinant) < 1e-12).any():
        raise ValueError("matrices must have an inverse, got one that presses the image flat")
    inverse = (np.stack([d, -b, -c, a]) / determinant).T.reshape(n, 2, 2)
    # Rows and columns are counted from the first pixel, not from the centre.
    old_centre, new_centre = ((np.array(s[::-1]) - 1) / 2 for s in (size, new_size))
    place = (matrices[:, :2, 2] + new_centre)[:, :, None]
    sources = np.concatenate([inverse, old_centre[:, None] - inverse @ place], axis=2)
    nearest = np.rint(sources)
    return np.where(np.abs(sources - nearest) < 1e-9, nearest, sources)


def _straight(sources, size, new_size, mode):
    """Return which part of x each result is, if there are only flips and shifts by whole pixels.

    Returns
    -------
    firsts : array (N, 2) of int
        The smallest row and column of x that are seen; below 0 outside x.
    flips : array (N, 2) of bool
        Whether rows, and columns, are then taken in reverse.

    None is returned in place of both if it is not so simple.
    """
    signs, offsets = sources[:, [1, 0], [1, 0]], sources[:, ::-1, 2]
    if (
        sources[:, [1, 0], [0, 1]].any()
        or (np.abs(signs) != 1).any()
        or (offsets != np.rint(offsets)).any()
    ):
        return None
    flips = signs < 0
    firsts = offsets - flips * (np.array(new_size) - 1)
    if mode == "reflect" and (np.abs(firsts) >= size).any():
        return None  # the image would be mirrored several times
    # All that is further away looks the same.
    return np.clip(firsts, -np.array(new_size), size).astype(int), flips


def _copy(xp, x, firsts, flips, mode, new_size):
    """Return parts of x, which is padded as far as they reach outside."""
    lowest, highest = firsts.min(axis=0, initial=0), firsts.max(axis=0, initial=0)
    padding = [
        (-int(low), max(0, int(high) + new - old))
        for low, high, new, old in zip(lowest, highest, new_size, x.shape[2:])
    ]
    if mode == "zero":
        padded = blocks.pad(xp, x, padding)
    else:
        padded = xp.pad(x, [(0, 0), (0, 0), *padding], mode)
    counts = [old - new + 1 for old, new in zip(padded.shape[2:], new_size)]
    # Element [n, c, top, left] of the windows is a whole part: (OH, OW).
    parts = blocks.windows(xp, padded, Geometry(counts, new_size))
    top, left = xp.asarray((firsts - lowest).T)
    y = parts[xp.arange(len(x)), :, top, left]
    for axis, flipped in zip((2, 3), flips.T):
        chosen = xp.asarray(np.flatnonzero(flipped))
        y[chosen] = xp.flip(y[chosen], axis)
    return y


def _sample(xp, x, sources, mode, new_size):
    """Return what lies between the pixels of x."""
    n, c, h, w = x.shape
    # An index into an image must be exact; float32 counts to 2²⁴.
    large = (h + 3) * (w + 3) >= 2**24
    dtype = np.float64 if large or x.dtype == np.float64 else np.float32
    sources = xp.asarray(sources, dtype)
    rows, cols = xp.indices(new_size, dtype).reshape(2, -1)
    grid = xp.stack([cols, rows, xp.ones_like(rows)])  # (3, OH*OW)
    y, frame = xp.empty((n, c, *new_size), x.dtype), None
    between = _between if x.dtype.kind != "f" or layouts.is_finite(x) else _between_infinities
    for part in blocks.blocks(xp, x):
        m = len(x[part])
        if frame is None:
            # One ring of zeros, and one more behind: the neighbours of a pixel beyond the edge.
            # The channels come first, so that one set of indices serves all of them.
            frame = xp.zeros((c, m, h + 3, w + 3), x.dtype if x.dtype == np.float64 else np.float32)
        frame[:, :m, 1 : h + 1, 1 : w + 1] = x[part].transpose(1, 0, 2, 3)
        firsts = (xp.arange(m) * ((h + 3) * (w + 3)) + (w + 3) + 1)[:, None]
        places = sources[part] @ grid  # (m, 2, OH*OW)
        right, down = _inside(xp, places[:, 0], w, mode), _inside(xp, places[:, 1], h, mode)
        mixed = _bilinear(xp, frame.reshape(c, -1), firsts, down, right, w + 3, between)
        if x.dtype == np.uint8:
            xp.rint(mixed, out=mixed)
        y[part] = mixed.reshape(c, m, *new_size).transpose(1, 0, 2, 3)
    return y


def _inside(xp, places, length, mode):
    """Bring places along one axis into the image or, for zeros, at most one pixel beyond it.

    Changes `places`, an array, and returns it.
    """
    last = length - 1
    if mode == "zero":
        return xp.clip(places, -1, length, out=places)
    if mode == "reflect" and last:
        places -= 2 * last * xp.floor(places / (2 * last))  # the mirrored image repeats itself
        places -= last
        xp.abs(places, out=places)
        xp.subtract(last, places, out=places)
    return xp.clip(places, 0, last, out=places)


def _bilinear(xp, flat, firsts, down, right, width, between):
    """Return the mixtures (C, M, P) of the four pixels around each place.

    Parameters
    ----------
    flat : array (C, pixels)
        Frames of this width, one after the other.
    firsts : array (M, 1)
        Where in `flat` the pixel in row 0 and column 0 of each image is.
    down, right : arrays (M, P)
        The places in each image, in pixels; they are changed.
    between : function
        `_between`, or `_between_infinities` where a pixel is infinite or NaN.
    """
    above, left = xp.floor(down), xp.floor(right)
    down -= above
    right -= left
    above *= width
    above += left
    index = above.astype(np.intp)
    index += firsts
    down, right = down.astype(flat.dtype, copy=False), right.astype(flat.dtype, copy=False)
    # In place: every new array of this size costs more time than the arithmetic on it.
    upper = between(flat.take(index, axis=1), flat.take(index + 1, axis=1), right)
    index += width
    lower = between(flat.take(index, axis=1), flat.take(index + 1, axis=1), right)
    return between(upper, lower, down)


def _between(first, second, share):
    """Return first + share · (second - first), in the array `first`."""
    second -= first
    second *= share
    first += second
    return first


def _between_infinities(first, second, share):
    """Return the same where no share of an infinity is none of it, in the array `first`."""
    xp = get_array_module(first)
    masks.kept(xp, first, share != 1, out=first)
    first *= 1 - share
    second = masks.kept(xp, second, share != 0)
    second *= share
    first += second
    return first
