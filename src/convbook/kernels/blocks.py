"""Windows as a view, padding, and blocks of a batch that fit into the processor's cache."""

import numpy as np

# Windows of a few images at a time are copied out and multiplied while they are still in the
# processor's cache; the columns of a whole batch would travel to main memory and back.
BLOCK_BYTES = 800_000


def windows(xp, x, geometry):
    """Return all windows of x as a view of shape (N, C, FH, FW, OH, OW), without copying.

    Element [n, c, fh, fw, oh, ow] is x[n, c, oh*SH + fh*DH, ow*SW + fw*DW]: one step along fh is
    DH rows further in memory, one step along oh is SH rows, and likewise for columns. x has its
    padding already.
    """
    n, c, row, column = x.strides
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    strides = (n, c, row * dh, column * dw, row * sh, column * sw)
    shape = (*x.shape[:2], *geometry.kernel, *geometry.counts)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def pad(xp, x, padding, value=0):
    """Return x with its images framed by `value`; x itself if there is nothing to add."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    framed = xp.full_like(x, value, shape=(n, c, top + h + bottom, left + w + right))
    framed[:, :, top : top + h, left : left + w] = x
    return framed


def blocks(xp, x):
    """Yield slices of the first axis of x whose part fits into the cache; on a GPU, all at once."""
    length = max(1, len(x))
    if xp is np and x.size:
        length = max(1, BLOCK_BYTES * len(x) // (3 * x.nbytes))  # room for two more of its kind
    for first in range(0, len(x), length):
        yield slice(first, first + length)


def block_size(xp, n, height, row_bytes):
    """Return how many images, and how many of their rows, make a block.

    A block is a few whole images or, if one is too large, some rows of one; on a GPU it is the
    whole batch.

    Parameters
    ----------
    n, height : int
        Images, and rows of each.
    row_bytes : int
        What the work on one row needs.
    """
    if xp is not np:
        return max(1, n), height
    fit = BLOCK_BYTES // row_bytes
    return max(1, min(n, fit // height)), max(1, min(height, fit))


def parts(n, height, size):
    """Yield the slices (images, rows) of all blocks of this size, which `block_size` gave."""
    images, rows = size
    for first in range(0, n, images):
        for row in range(0, height, rows):
            yield slice(first, min(first + images, n)), slice(row, min(row + rows, height))
