"""Normalisation within one image: of each channel, and of each pixel among neighbouring channels.

Part of `convbook.functional`, which says what shapes, arrays and errors are like and has
`batch_norm2d`.
"""

from . import checks
from .arrays import cast, float_and_work_dtype, get_array_module
from .kernels import layouts

# --- Instance normalisation ----------------------------------------------------------------------


def instance_norm2d(x, gamma, beta, eps=1e-5):
    """Give every channel of every image of x: (N, C, H, W) the mean beta and the deviation gamma.

    y = gamma · (x - mean) / √(var + eps) + beta as in `batch_norm2d`, but with the mean and the
    variance (divided by H·W) of the channel in this image alone: Ulyanov, Vedaldi and Lempitsky,
    "Instance normalization: the missing ingredient for fast stylization", 2016.

    Parameters
    ----------
    x : array (N, C, H, W)
    gamma, beta : array (C,)
    eps : float

    Returns
    -------
    array (N, C, H, W)
        In the memory order of x, if that is NCHW, else channels-last. Floats keep their dtype
        (float16 is computed in float32); integers give float64.
    """
    xp, x, gamma, beta = _instances(eps, x=x, gamma=gamma, beta=beta)
    result, work = float_and_work_dtype(x, gamma, beta)
    pixels = _Pixels(xp, x)
    y, slope = pixels.standardised(x, work, eps)
    y *= slope * pixels.spread(gamma.astype(work))
    y += pixels.spread(beta.astype(work))
    return pixels.images(y).astype(result, copy=False)


def instance_norm2d_backward(dy, x, gamma, eps=1e-5, need_dx=True):
    """Return the gradients dx, dgamma, dbeta of `instance_norm2d`, given dy: (N, C, H, W).

    The mean and the variance are computed anew. They depend on x too, as in
    `batch_norm2d_backward`: dx = γ/σ · (dy - average of dy - x̂ · average of dy·x̂). Without
    `need_dx`, dx is None.
    """
    xp, dy, x, gamma = _instances(eps, dy=dy, x=x, gamma=gamma)
    result, work = float_and_work_dtype(dy, x, gamma)
    pixels = _Pixels(xp, x)
    normal, slope = pixels.standardised(x, work, eps)
    normal *= slope
    dy = pixels.of(dy, work)
    average, along = pixels.mean(dy), pixels.mean(dy * normal)
    dbeta, dgamma = (pixels.count * a.sum(axis=0).reshape(-1) for a in (average, along))
    if not need_dx:
        return cast(result, None, dgamma, dbeta)
    normal *= -along
    normal += dy
    normal -= average
    normal *= slope * pixels.spread(gamma.astype(work))
    return cast(result, pixels.images(normal), dgamma, dbeta)


class _Pixels:
    """Arrays of the shape of x with the pixels of an image along one axis.

    (N, C, H*W) if x is NCHW in memory, otherwise (N, H*W, C), so that memory keeps its order.
    """

    def __init__(self, xp, x):
        self.xp, self.shape, self.nchw = xp, x.shape, x.flags.c_contiguous
        self.count = x.shape[2] * x.shape[3]

    def of(self, x, dtype):
        """Return x in this form; a view if it is in that order."""
        n, c, _, _ = self.shape
        if self.nchw:
            return self.xp.ascontiguousarray(x, dtype).reshape(n, c, self.count)
        return layouts.pixels_of(self.xp, x, dtype).reshape(n, self.count, c)

    def images(self, pixels):
        """Return the array (N, C, H, W) whose pixels these are."""
        n, c, h, w = self.shape
        return (
            pixels.reshape(self.shape)
            if self.nchw
            else layouts.images_of(pixels.reshape(-1, c), n, (h, w))
        )

    def spread(self, values):
        """Return values per channel, (C,), with the axes to be combined with pixels."""
        return values[:, None] if self.nchw else values

    def mean(self, pixels):
        """Return the average over the pixels, an axis of length 1; a product is the fastest way."""
        ones = self.xp.ones((self.count, 1), pixels.dtype)
        return (pixels @ ones if self.nchw else ones.T @ pixels) / self.count

    def standardised(self, x, dtype, eps):
        """Return x less its mean, and 1 / √(var + eps)."""
        x = self.of(x, dtype)
        centred = x - self.mean(x)
        return centred, 1 / self.xp.sqrt(self.mean(centred * centred) + eps)


def _instances(eps, **arrays):
    """Check x and dy (N, C, H, W), all others (C,), and eps; return the module and the arrays."""
    xp, *checked = checks.numeric_arrays(**arrays)
    arrays = dict(zip(arrays, checked))
    x = arrays["x"]
    checks.axes("x", x, "NCHW", may_be_empty="N")
    for name, array in arrays.items():
        checks.shape(name, array, x.shape if name in ("x", "dy") else x.shape[1:2])
    checks.number("eps", eps, least=0)
    return xp, *checked


# --- Local response normalisation ----------------------------------------------------------------


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divide every number by the strength of its neighbours: the same pixel of nearby channels.

    y = x / (k + alpha/size · Σ x²)^beta, where the sum goes over `size` channels around the own
    (those that exist): Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012. As in PyTorch, alpha is divided by the size; the paper's
    size is 5, its alpha (not divided) 1e-4, beta .75 and k 2.

    Parameters
    ----------
    x : array (N, C, H, W)
    size : int
        How many channels; if even, one more before the own than after it.
    alpha, beta : float
        At least 0.
    k : float
        Above 0.

    Returns
    -------
    array (N, C, H, W)
        In the memory layout of x. Floats keep their dtype (float16 is computed in float32);
        integers give float64.
    """
    _, x = checks.numeric_arrays(x=x)
    size, alpha, beta, k = _response(x, size, alpha, beta, k)
    result, work = float_and_work_dtype(x)
    x = x.astype(work, copy=False)
    strength = k + alpha / size * _channel_sums(x * x, size // 2, size)
    return (x * strength**-beta).astype(result, copy=False)


def local_response_norm_backward(dy, x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Return the gradient of `local_response_norm`, (N, C, H, W).

    A number also weakens its neighbours, which is the second term: with D = k + alpha/size · Σ x²,
    dx = dy · D^-beta - 2·alpha·beta/size · x · Σ dy·x·D^(-beta - 1), where this sum goes over the
    channels that have the own one as their neighbour.
    """
    _, dy, x = checks.numeric_arrays(dy=dy, x=x)
    size, alpha, beta, k = _response(x, size, alpha, beta, k)
    checks.shape("dy", dy, x.shape)
    result, work = float_and_work_dtype(dy, x)
    dy, x = cast(work, dy, x)
    strength = k + alpha / size * _channel_sums(x * x, size // 2, size)
    power = strength**-beta
    weakened = _channel_sums(x * dy * power / strength, (size - 1) // 2, size)
    dx = power * dy - 2 * alpha * beta / size * x * weakened
    return dx.astype(result, copy=False)


def _response(x, size, alpha, beta, k):
    """Check x and the settings, and return these as numbers."""
    checks.axes("x", x, "NCHW", may_be_empty="N")
    size = checks.integer("size", size, least=1)
    alpha, beta, k = (
        checks.number(name, value, least=0)
        for name, value in (("alpha", alpha), ("beta", beta), ("k", k))
    )
    if k == 0:
        raise ValueError("k must be a number above 0, got 0: nothing could be divided by it")
    return size, alpha, beta, k


def _channel_sums(a, before, size):
    """Return, for every channel, the sum of `size` channels, the first of them so many before."""
    c, total = a.shape[1], get_array_module(a).zeros_like(a)
    for shift in range(-before, size - before):
        if abs(shift) < c:
            to = slice(max(0, -shift), c - max(0, shift))
            of = slice(max(0, shift), c - max(0, -shift))
            total[:, to] += a[:, of]
    return total
