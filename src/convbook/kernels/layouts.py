"""How the numbers of an array (N, C, H, W) lie in memory, and how to see them as a matrix.

In NCHW memory one channel follows the other; in channels-last memory the channels of each pixel lie
side by side. The "pixels" of an array are the matrix (N*H*W, C): one row for each position in each
image.
"""

import numpy as np

CACHE_PERIOD = 4096  # numbers so many bytes apart compete for the same few places in the L1 cache


def copy_channels_last(x, out):
    """Copy x: (N, C, H, W) into out: (N, H, W, C).

    If a channel of x takes a multiple of 4096 bytes, as with 32×32, the cache of a CPU has room for
    only 8 channels of a pixel; more at a time would drive out the neighbours they came with.
    """
    step = 8 if _is_crowded(x) else max(1, x.shape[1])
    x = x.transpose(0, 2, 3, 1)
    for c in range(0, x.shape[3], step):
        out[..., c : c + step] = x[..., c : c + step]


def _is_crowded(x):
    return isinstance(x, np.ndarray) and x.strides[1] % CACHE_PERIOD == 0


def pixels_of(xp, x, dtype):
    """Return x: (N, K, H, W) as pixels (N*H*W, K); a view if x is channels-last in memory."""
    n, k, h, w = x.shape
    pixels = x.astype(dtype, copy=False).transpose(0, 2, 3, 1)
    if not pixels.flags.c_contiguous:
        pixels = xp.empty((n, h, w, k), dtype)
        if _is_crowded(x):  # then one image after the other
            for i in range(n):
                copy_channels_last(x[i : i + 1], pixels[i : i + 1])
        else:
            pixels[...] = x.transpose(0, 2, 3, 1)
    return pixels.reshape(n * h * w, k)


def images_of(pixels, n, counts):
    """Return pixels (N*OH*OW, K) as an array (N, K, OH, OW), channels-last in memory."""
    return pixels.reshape(n, *counts, pixels.shape[1]).transpose(0, 3, 1, 2)


def sum_of_pixels(xp, pixels):
    """Return the sum over all pixels, (K,); a product with ones is the fastest way to it."""
    return xp.ones(len(pixels), pixels.dtype) @ pixels


def is_finite(x):
    """Return whether no number is infinite or NaN; False too if their sum is too large."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.isfinite(x.sum(dtype=np.result_type(x.dtype, np.float32))))


class LongRows:
    """Arrays of the shape (N, C, H, W) of x as matrices with long rows, in NCHW order if x is.

    A row is an image in NCHW memory, (N, C*H*W), and a row of pixels in channels-last memory,
    (N*H, W*C). Repeated to such a row, values per channel are combined with it at full speed.
    """

    def __init__(self, xp, x):
        self.xp, self.shape, self.nchw = xp, x.shape, x.flags.c_contiguous
        self.count = x.size // x.shape[1]  # values per channel

    def of(self, x, dtype):
        """Return x as such a matrix; a view if it is in that order."""
        n, c, h, w = self.shape
        if self.nchw:
            return self.xp.ascontiguousarray(x, dtype).reshape(n, c * h * w)
        return pixels_of(self.xp, x, dtype).reshape(n * h, w * c)

    def images(self, rows):
        """Return the array (N, C, H, W) whose rows these are."""
        n, c, h, w = self.shape
        return rows.reshape(self.shape) if self.nchw else images_of(rows.reshape(-1, c), n, (h, w))

    def spread(self, values):
        """Return values per channel, (C,), repeated as long as a row."""
        _, _, h, w = self.shape
        return self.xp.repeat(values, h * w) if self.nchw else self.xp.tile(values, w)

    def sums(self, rows, factor=None):
        """Return the sum of the rows, times an equal matrix if given, per channel: (C,)."""
        total = (
            sum_of_pixels(self.xp, rows)
            if factor is None
            else self.xp.einsum("rk,rk->k", rows, factor)
        )
        c = self.shape[1]
        return total.reshape(c, -1).sum(axis=1) if self.nchw else total.reshape(-1, c).sum(axis=0)
