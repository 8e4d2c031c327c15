"""Convolution with filters that see one channel each, as in MobileNets: no matrix product at all.

With groups = C there is nothing to sum over the channels: each window is multiplied by its filter,
number by number, and added up over the filter's FH·FW cells. `einsum` does both in one walk, which
is fast where the numbers lie in long runs: the channels of a pixel or, with stride 1, all pixels of
a row of the output, because the cells that they see lie side by side as well.
"""

import numpy as np

from . import blocks


def fits(f_shape, geometry):
    """Return whether every filter sees a single channel of several."""
    return f_shape[1] == 1 and geometry.groups > 1


def correlate(x, f, bias, dtype, geometry):
    """Return the correlation of x: (N, C, H, W) and f: (OC, 1, FH, FW), plus the bias."""
    oc, y = len(f), np.empty((len(x), *geometry.counts, len(f)), dtype)
    times = _run(oc, geometry) // oc
    weights = np.tile(f[:, 0].astype(dtype).transpose(1, 2, 0), times)  # (FH, FW, run)
    bias = None if bias is None else np.tile(bias.astype(dtype), times)
    for images, rows, seen in _windows(x, oc, dtype, geometry):
        part = y[images, rows].reshape(*seen.shape[:3], -1)
        np.einsum("nhwabk,abk->nhwk", seen, weights, out=part)
        if bias is not None:
            part += bias
    return y.transpose(0, 3, 1, 2)


def filter_gradient(dy, x, f_shape, geometry):
    """Return dF: (OC, 1, FH, FW) from dy: pixels (N*OH*OW, OC)."""
    oc, dy = dy.shape[1], dy.reshape(len(x), *geometry.counts, -1)
    df = np.zeros((*geometry.kernel, _run(oc, geometry)), dy.dtype)
    for images, rows, seen in _windows(x, oc, dy.dtype, geometry):
        part = dy[images, rows].reshape(*seen.shape[:3], -1)
        df += np.einsum("nhwabk,nhwk->abk", seen, part)
    df = df.reshape(*geometry.kernel, -1, oc).sum(axis=2)
    return np.ascontiguousarray(df.transpose(2, 0, 1)).reshape(f_shape)


def _run(oc, geometry):
    """Return how many numbers a run has: a row of the output if it is seen side by side."""
    return geometry.counts[1] * oc if geometry.stride[1] == 1 else oc


def _windows(x, oc, dtype, geometry):
    """Yield the windows of a few images at a time, or of some rows if an image is large.

    Yields
    ------
    images, rows : slices of the output (N, OH, OW, OC)
    seen : view (images, rows, OW, FH, FW, OC), or (images, rows, 1, FH, FW, OW*OC) if that is a run
        What each filter sees, channels-last; good until the next block.
    """
    (n, c, h, w), (oh, ow), run = x.shape, geometry.counts, _run(oc, geometry)
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    height, width = geometry.padded((h, w))
    size = blocks.block_size(np, n, oh, (sh * width + ow) * oc * np.dtype(dtype).itemsize)
    frame = np.zeros((size[0], height, width, c, oc // c), dtype)  # OC // C filters see a channel
    inside = (slice(None), *geometry.inside((h, w)))
    image, row, column, _, number = frame.strides
    seen = np.lib.stride_tricks.as_strided(
        frame, (size[0], oh, ow * oc // run, *geometry.kernel, run),
        (image, sh * row, sw * column, dh * row, dw * column, number))
    for images, rows in blocks.parts(n, oh, size):
        m = images.stop - images.start
        if rows.start == 0:
            frame[:m][inside] = x[images].transpose(0, 2, 3, 1)[..., None]
        yield images, rows, seen[:m, rows]
