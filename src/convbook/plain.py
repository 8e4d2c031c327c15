"""The definitions as loops: what the chapters write first, slow enough to be read.

`convbook.functional` gives the same results, and is what everything else computes with; benchmarks
and pages compare it with these. Shapes and names are those of that module; kernels may be oblong,
strides and paddings are ints here, and nothing is checked. Gradients are floats, for integers too.
"""

import numpy as np

from . import functional
from .arrays import float_and_work_dtype, get_array_module


def _framed(x, padding):
    """Return x: (N, C, H, W) with zeros around height and width."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _unframed(x, padding):
    """Return x: (N, C, H, W) without its frame."""
    return x[:, :, padding : x.shape[2] - padding, padding : x.shape[3] - padding]


def _windows(x, kernel_size, stride):
    """Yield (oh, ow) and the window there, in all images and channels: (N, C, FH, FW).

    A window is a view: what is added to it is added to x.
    """
    fh, fw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    for oh, top in enumerate(range(0, x.shape[2] - fh + 1, stride)):
        for ow, left in enumerate(range(0, x.shape[3] - fw + 1, stride)):
            yield oh, ow, x[:, :, top : top + fh, left : left + fw]


def _counts(x, kernel_size, stride):
    """Return OH and OW, how many windows fit into a framed x."""
    fh, fw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    return (x.shape[2] - fh) // stride + 1, (x.shape[3] - fw) // stride + 1


# --- Convolution ---------------------------------------------------------------------------------


def conv2d(x, f, b=None, stride=1, padding=0):
    """Convolve x: (N, C, H, W) with f: (OC, C, FH, FW): every output is a window times a filter."""
    x = _framed(x, padding)
    y = np.zeros((len(x), len(f), *_counts(x, f.shape[2:], stride)), np.result_type(x, f))
    for oh, ow, window in _windows(x, f.shape[2:], stride):
        for n in range(len(x)):
            for oc in range(len(f)):
                y[n, oc, oh, ow] = np.sum(window[n] * f[oc])
    return y if b is None else y + b[:, None, None]


def conv2d_backward(dy, x, f, stride=1, padding=0):
    """Return dx, df and db: every dy lays its filter down on dx, and its window on df."""
    dtype, _ = float_and_work_dtype(dy, x, f)
    x = _framed(x, padding)
    dx, df = np.zeros(x.shape, dtype), np.zeros(f.shape, dtype)
    for (oh, ow, window), (_, _, dwindow) in zip(
        _windows(x, f.shape[2:], stride), _windows(dx, f.shape[2:], stride)
    ):
        for n in range(len(x)):
            for oc in range(len(f)):
                dwindow[n] += dy[n, oc, oh, ow] * f[oc]
                df[oc] += dy[n, oc, oh, ow] * window[n]
    return _unframed(dx, padding), df, dy.sum(axis=(0, 2, 3), dtype=dtype)


def conv2d_number_by_number(x, f, b=None):
    """Convolve with seven loops, one for each letter of the formula (stride 1, no padding)."""
    y = np.zeros((len(x), len(f), *_counts(x, f.shape[2:], 1)), np.result_type(x, f))
    for n, oc, oh, ow in np.ndindex(y.shape):
        for c, fh, fw in np.ndindex(f.shape[1:]):
            y[n, oc, oh, ow] += x[n, c, oh + fh, ow + fw] * f[oc, c, fh, fw]
    return y if b is None else y + b[:, None, None]


def conv2d_image_by_image(x, f):
    """Convolve with N·OC·C·FH·FW small operations, each on one image (NumPy or CuPy)."""
    oh, ow = _counts(x, f.shape[2:], 1)
    y = get_array_module(x).zeros((len(x), len(f), oh, ow), x.dtype)
    for n in range(len(x)):
        for oc, c, fh, fw in np.ndindex(f.shape):
            y[n, oc] += x[n, c, fh : fh + oh, fw : fw + ow] * f[oc, c, fh, fw]
    return y


def conv2d_weight_by_weight(x, f):
    """Convolve with C·FH·FW operations, each on the whole batch (NumPy or CuPy)."""
    oh, ow = _counts(x, f.shape[2:], 1)
    y = get_array_module(x).zeros((len(x), len(f), oh, ow), x.dtype)
    for c, fh, fw in np.ndindex(f.shape[1:]):
        y += x[:, c : c + 1, fh : fh + oh, fw : fw + ow] * f[:, c, fh, fw][:, None, None]
    return y


# --- Convolution by columns ----------------------------------------------------------------------


def im2col(x, kernel_size, stride=1, padding=0):
    """Return every window of x as a row: (N·OH·OW, C·FH·FW), in the order (n, oh, ow)."""
    x = _framed(x, padding)
    rows = [window.reshape(len(x), -1) for _, _, window in _windows(x, kernel_size, stride)]
    return np.stack(rows, axis=1).reshape(len(x) * len(rows), -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    """Add every row back to where `im2col` took it from; returns an array of shape x_shape."""
    dtype, _ = float_and_work_dtype(cols)
    x = _framed(np.zeros(x_shape, dtype), padding)
    rows = cols.reshape(len(x), -1, cols.shape[1])
    for i, (_, _, window) in enumerate(_windows(x, kernel_size, stride)):
        window += rows[:, i].reshape(window.shape)
    return _unframed(x, padding)


def conv2d_by_columns(x, f, b=None, stride=1, padding=0):
    """Convolve as textbooks do: the columns of the whole batch, and one matrix product.

    Returns
    -------
    y (N, OC, OH, OW), and the columns, for the way back
    """
    cols = functional.im2col(x, f.shape[2:], stride, padding)
    y = cols @ f.reshape(len(f), -1).T
    if b is not None:
        y += b
    counts = _counts(_framed(x[:1], padding), f.shape[2:], stride)
    return y.reshape(len(x), *counts, len(f)).transpose(0, 3, 1, 2), cols


def conv2d_by_columns_backward(dy, cols, x_shape, f, stride=1, padding=0, need_dx=True):
    """Return dx (or None), df and db from the columns of `conv2d_by_columns`."""
    g = dy.transpose(0, 2, 3, 1).reshape(-1, len(f))
    dx = (
        functional.col2im(g @ f.reshape(len(f), -1), x_shape, f.shape[2:], stride, padding)
        if need_dx
        else None
    )
    return dx, (g.T @ cols).reshape(f.shape), g.sum(axis=0)


# --- Pooling -------------------------------------------------------------------------------------


def max_pool2d(x, kernel_size, stride=None):
    """Return the largest number of every window; the stride is the kernel size if not given."""
    stride = kernel_size if stride is None else stride
    y = np.zeros((*x.shape[:2], *_counts(x, kernel_size, stride)), x.dtype)
    for oh, ow, window in _windows(x, kernel_size, stride):
        y[:, :, oh, ow] = window.max(axis=(2, 3))
    return y


def max_pool2d_backward(dy, x, kernel_size, stride=None):
    """Return dx: every dy goes to the first of the largest numbers of its window."""
    stride = kernel_size if stride is None else stride
    dx = np.zeros(x.shape, float_and_work_dtype(dy)[0])
    for (oh, ow, window), (_, _, dwindow) in zip(
        _windows(x, kernel_size, stride), _windows(dx, kernel_size, stride)
    ):
        for n, c in np.ndindex(x.shape[:2]):
            place = np.unravel_index(np.argmax(window[n, c]), window.shape[2:])
            dwindow[(n, c, *place)] += dy[n, c, oh, ow]
    return dx


def avg_pool2d(x, kernel_size, stride=None):
    """Return the average of every window; the stride is the kernel size if not given."""
    stride = kernel_size if stride is None else stride
    y = np.zeros((*x.shape[:2], *_counts(x, kernel_size, stride)), float_and_work_dtype(x)[0])
    for oh, ow, window in _windows(x, kernel_size, stride):
        y[:, :, oh, ow] = window.mean(axis=(2, 3))
    return y


def avg_pool2d_backward(dy, x, kernel_size, stride=None):
    """Return dx: every dy is shared out evenly among its window."""
    stride = kernel_size if stride is None else stride
    dx = np.zeros(x.shape, float_and_work_dtype(dy)[0])
    for oh, ow, dwindow in _windows(dx, kernel_size, stride):
        dwindow += dy[:, :, oh : oh + 1, ow : ow + 1] / (dwindow.shape[2] * dwindow.shape[3])
    return dx
