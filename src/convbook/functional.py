"""Convolution, pooling, normalisation and their gradients: the mathematics, without state.

Shapes: input ``X: (N, C, H, W)``, filters ``F: (OC, C, FH, FW)``, output ``Y: (N, OC, OH, OW)``;
dx, df, dy are the gradients ∂E/∂X, ∂E/∂F, ∂E/∂Y of one number E, each of the shape of its array.
Every function takes NumPy or CuPy arrays (nested lists become arrays) and returns the same kind;
inputs are never changed, and results never share memory with them. `kernel_size`, `stride` and
`dilation` are an int or a pair (vertical, horizontal); `padding` is an int, such a pair, or
((top, bottom), (left, right)). Wrong types raise TypeError, wrong values ValueError.
"""

import numpy as np

from . import checks
from .arrays import cast, float_and_work_dtype, result_and_work_dtype
from .kernels import blocks, convolution, entropy, layouts, pooling
from .kernels.input_gradient import input_gradient
from .normalisation import (
    instance_norm2d,
    instance_norm2d_backward,
    local_response_norm,
    local_response_norm_backward,
)
from .resampling import (
    max_pool2d_indices,
    max_unpool2d,
    max_unpool2d_backward,
    upsample2d,
    upsample2d_backward,
)

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_norm2d",
    "batch_norm2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "im2col",
    "instance_norm2d",
    "instance_norm2d_backward",
    "local_response_norm",
    "local_response_norm_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_indices",
    "max_unpool2d",
    "max_unpool2d_backward",
    "output_size",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "upsample2d",
    "upsample2d_backward",
]


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
    xp, x, geometry = checks.sliding_windows(x, kernel_size, stride, padding)
    n, c, (fh, fw), (oh, ow) = *x.shape[:2], geometry.kernel, geometry.counts
    windows = blocks.windows(xp, blocks.pad(xp, x, geometry.padding), geometry)
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
            x[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] += cols[:, :, i, j]
    return x[:, :, top : top + h, left : left + w].astype(result, copy=False)


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

    Notes
    -----
    In float32, 3×3 filters with many channels go the shorter way of Winograd's algorithm, here and
    in the gradients. Its error is about 3e-6 of the *largest* output near by, in tiles of 4×4, not
    of each (the direct way: 5e-7): beside an outlier of 1e8, outputs up to four pixels away are off
    by one or two hundred. Where that matters, give x as float64. Infinities and NaNs reach only the
    outputs that see them, in whatever company an image comes.
    """
    xp, x, f, b, geometry = checks.convolution(x, f, b, stride, padding, dilation, groups)
    result, work = result_and_work_dtype(x, f, b)
    y = convolution.correlate(xp, x, f, b, work, geometry)
    return y.astype(result, copy=False)


def conv2d_backward(
    dy, x, f, stride=1, padding=0, dilation=1, groups=1, need_dx=True, need_df=True
):
    """Return the gradients of `conv2d`, given dy = ∂E/∂Y.

    Parameters
    ----------
    dy : array (N, OC, OH, OW)
    x, f, stride, padding, dilation, groups
        As they were given to `conv2d`.
    need_dx : bool
        False saves the work for dx, which a first layer has no use for; dx is None then.
    need_df : bool
        False saves the work for df and db, which a frozen layer has no use for; they are None.

    Returns
    -------
    dx (N, C, H, W), df (OC, C // groups, FH, FW), db (OC,)
        All of the dtype that `conv2d` gives for dy, x and f; dx is channels-last in memory.
    """
    xp, dy, x, f = checks.numeric_arrays(dy=dy, x=x, f=f)
    xp, x, f, _, geometry = checks.convolution(x, f, None, stride, padding, dilation, groups)
    checks.shape("dy", dy, (x.shape[0], f.shape[0], *geometry.counts))
    result, work = result_and_work_dtype(dy, x, f)
    dy = layouts.pixels_of(xp, dy, work)
    dx = input_gradient(xp, dy, f, x.shape, geometry) if need_dx else None
    df = convolution.filter_gradient(xp, dy, x, f.shape, geometry) if need_df else None
    db = layouts.sum_of_pixels(xp, dy) if need_df else None
    return cast(result, dx, df, db)


def conv_transpose2d(x, f, b=None, stride=1, padding=0, output_padding=0, groups=1):
    """Lay the filter down at every pixel of x, times the pixel, and add up what overlaps.

    So `conv2d` with the same filters hands dY back to dX: the padding is cut off, and the stride
    is the distance from one filter to the next.

    Parameters
    ----------
    x : array (N, C, H, W)
    f : array (C, OC // groups, FH, FW)
    b : array (OC,), optional
    stride, padding, groups
        As in `conv2d`.
    output_padding : int or pair
        Rows and columns that the output gets in addition, at the bottom and on the right; less
        than the stride. They tell apart the input sizes that `conv2d` maps to H and W.

    Returns
    -------
    array (N, OC, OH, OW)
        OH = (H - 1)·stride - top - bottom + FH + output_padding. Dtypes as in `conv2d`.
    """
    xp, x, f, b, geometry, shape = checks.transposed_convolution(
        x, f, b, stride, padding, output_padding, groups
    )
    result, work = result_and_work_dtype(x, f, b)
    y = input_gradient(xp, layouts.pixels_of(xp, x, work), f, shape, geometry)
    if b is not None:
        y += b.astype(work)[:, None, None]
    return y.astype(result, copy=False)


def conv_transpose2d_backward(
    dy, x, f, stride=1, padding=0, output_padding=0, groups=1, need_dx=True, need_df=True
):
    """Return the gradients dx, df and db of `conv_transpose2d`, given dy: (N, OC, OH, OW).

    Here dx is the convolution of dy with f, and x and dy have changed places in df. What is not
    needed is None, as in `conv2d_backward`.
    """
    xp, dy, x, f = checks.numeric_arrays(dy=dy, x=x, f=f)
    xp, x, f, _, geometry, shape = checks.transposed_convolution(
        x, f, None, stride, padding, output_padding, groups
    )
    checks.shape("dy", dy, shape)
    result, work = result_and_work_dtype(dy, x, f)
    dx = convolution.correlate(xp, dy, f, None, work, geometry) if need_dx else None
    df = db = None
    if need_df:
        df = convolution.filter_gradient(xp, layouts.pixels_of(xp, x, work), dy, f.shape, geometry)
        db = layouts.sum_of_pixels(xp, layouts.pixels_of(xp, dy, work))
    return cast(result, dx, df, db)


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
    xp, x, geometry = checks.sliding_windows(x, kernel_size, stride, padding)
    checks.at_most_half(geometry.padding, geometry.kernel)
    smallest = -np.inf if x.dtype.kind == "f" else 0 if x.dtype == bool else np.iinfo(x.dtype).min
    return pooling.fold(xp.maximum, blocks.pad(xp, x, geometry.padding, smallest), geometry)


def max_pool2d_backward(dy, x, kernel_size, stride=None, padding=0):
    """Hand every element of dy: (N, C, OH, OW) to the cell of x that was its window's maximum.

    Of equal maxima the first takes it all, row by row as we read; of several NaNs the last, which
    is PyTorch's rule too.

    Returns
    -------
    array (N, C, H, W)
        In the memory layout of x. Floats keep the dtype of dy (float16 is added up in float32);
        integers give int64.
    """
    xp, dy, x, geometry = checks.pooling_gradient(dy, x, kernel_size, stride, padding)
    checks.at_most_half(geometry.padding, geometry.kernel)
    result, work = result_and_work_dtype(dy)
    dx = pooling.max_pool_gradient(xp, *cast(work, dy), x, geometry)
    return dx.astype(result, copy=False)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Return the average of every window of x: (N, C, H, W), for each channel by itself.

    The stride is the kernel size if not given. Padded cells are zeros and count in the average.

    Returns
    -------
    array (N, C, OH, OW)
        Floats keep their dtype (float16 is added up in float32); integers give float64.
    """
    stride = kernel_size if stride is None else stride
    xp, x, geometry = checks.sliding_windows(x, kernel_size, stride, padding)
    result, work = float_and_work_dtype(x)
    x = blocks.pad(xp, x.astype(work, copy=False), geometry.padding)
    y = pooling.fold(xp.add, x, geometry)
    y /= geometry.kernel[0] * geometry.kernel[1]
    return y.astype(result, copy=False)


def avg_pool2d_backward(dy, x, kernel_size, stride=None, padding=0):
    """Share every element of dy: (N, C, OH, OW) out evenly among the cells of its window of x.

    Returns
    -------
    array (N, C, H, W)
        In the memory layout of x. Floats keep the dtype of dy (float16 is added up in float32);
        integers give float64.
    """
    xp, dy, x, geometry = checks.pooling_gradient(dy, x, kernel_size, stride, padding)
    result, work = float_and_work_dtype(dy)
    dy = dy.astype(work, copy=False) / (geometry.kernel[0] * geometry.kernel[1])
    dx = pooling.avg_pool_gradient(xp, dy, x, geometry)
    return dx.astype(result, copy=False)


def batch_norm2d(x, gamma, beta, eps=1e-5):
    """Give every channel of x: (N, C, H, W) the mean beta and the standard deviation gamma.

    y = gamma · (x - mean) / √(var + eps) + beta, with the mean and the variance (divided by N·H·W)
    of the channel in this mini-batch: Ioffe and Szegedy, "Batch normalization", ICML 2015.

    Returns
    -------
    y (N, C, H, W), mean (C,), var (C,)
        y in the memory order of x, if that is NCHW, else channels-last. Floats keep their dtype
        (but mean and var of float16 are float32); integers give float64.
    """
    xp, x, gamma, beta = checks.normalisation(eps, x=x, gamma=gamma, beta=beta)
    result, work = float_and_work_dtype(x, gamma, beta)
    rows = layouts.LongRows(xp, x)
    x = rows.of(x, work)
    mean = rows.sums(x) / rows.count
    y = x - rows.spread(mean)
    var = rows.sums(y, y) / rows.count
    y *= rows.spread((gamma / xp.sqrt(var + eps)).astype(work))
    y += rows.spread(beta.astype(work))
    return *cast(result, rows.images(y)), mean, var


def batch_norm2d_backward(dy, x, gamma, mean, var, eps=1e-5, need_dx=True):
    """Return the gradients dx, dgamma, dbeta of `batch_norm2d`, given dy: (N, C, H, W).

    mean and var are those of the forward call. They depend on x too, which brings in the two terms
    that are subtracted from dy: dx = γ/σ · (dy - average of dy - x̂ · average of dy·x̂). Without
    `need_dx`, dx is None, and half of the time is saved.
    """
    xp, dy, x, gamma, mean, var = checks.normalisation(
        eps, dy=dy, x=x, gamma=gamma, mean=mean, var=var
    )
    result, work = float_and_work_dtype(dy, x, gamma)
    slope = 1 / xp.sqrt(var.astype(work) + eps)
    rows = layouts.LongRows(xp, x)
    dy = rows.of(dy, work)
    dx = rows.of(x, work) - rows.spread(mean.astype(work))
    dbeta = rows.sums(dy)
    dgamma = rows.sums(dx, dy) * slope
    if not need_dx:
        return cast(result, None, dgamma, dbeta)
    dx *= rows.spread(-dgamma * slope / rows.count)
    dx += dy
    dx -= rows.spread(dbeta / rows.count)
    dx *= rows.spread((gamma * slope).astype(work))
    return cast(result, rows.images(dx), dgamma, dbeta)


def softmax(scores):
    """Turn every row of scores: (N, K) into probabilities: exp(score), divided by the row's sum.

    Subtracting the row's largest score first changes nothing but keeps exp from overflowing.
    """
    xp, scores = checks.numeric_arrays(scores=scores)
    checks.axes("scores", scores, "NK", may_be_empty="N")
    result, work = float_and_work_dtype(scores)
    return entropy.softmax(xp, scores.astype(work, copy=False)).astype(result, copy=False)


def softmax_cross_entropy(scores, labels):
    """Return the cross entropy -Σ label · log(softmax(scores)), averaged over the mini-batch.

    Parameters
    ----------
    scores : array (N, K)
    labels : array (N,) of ints from 0 to K - 1, or (N, K) of probabilities

    log(softmax) is computed as score - log Σ exp(score), so that no probability becomes 0.
    """
    _, scores, labels = checks.classification(scores, labels)
    return entropy.cross_entropy(scores, labels)


def softmax_cross_entropy_backward(scores, labels):
    """Return the gradient of `softmax_cross_entropy`, (N, K): (softmax(scores) - label) / N."""
    _, scores, labels = checks.classification(scores, labels)
    return entropy.cross_entropy_gradient(scores, labels)
