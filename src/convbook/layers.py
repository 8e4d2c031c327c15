"""Layers: each computes its output, remembers what it needs, and hands the gradient back.

    y = layer.forward(x)        # or layer(x)
    dx = layer.backward(dy)     # dy = ∂E/∂y, the gradient of the error; fills layer.grads

`layer.params` holds the weights by name, `layer.grads` the gradients of the last backward pass
under the same names. Shapes are those of `convbook.functional`, which does the mathematics.
Layers with parameters compute in their parameters' dtype (float32 by default) and convert what
they are given; the others keep the dtype of a float array. Arrays may be NumPy or CuPy.
"""

import math

import numpy as np

from . import checks
from . import functional as F
from .arrays import get_array_module
from .base import Container, Layer, errors_of
from .checks import float_dtype, number
from .initializers import he_normal


# --- Layers with weights -------------------------------------------------------------------------


class Convolution(Layer):
    """What `Conv2d` and `ConvTranspose2d` share: the filters, and their gradients."""

    hands_over = True

    def _settings(self, in_channels, out_channels, kernel_size, stride, padding, groups, bias):
        """Keep what both take, checked; return the filters' height and width."""
        self.in_channels = checks.integer("in_channels", in_channels, least=1)
        self.out_channels = checks.integer("out_channels", out_channels, least=1)
        self.groups = checks.integer("groups", groups, least=1)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"groups must divide in_channels = {in_channels} and "
                             f"out_channels = {out_channels}, got {groups}")
        checks.pair("stride", stride)
        checks.padding_2d(padding)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.bias = bool(bias)
        return checks.pair("kernel_size", kernel_size)

    def _make_params(self, f, dtype):
        self.params["f"] = f.astype(float_dtype(dtype))
        if self.bias:
            self.params["b"] = np.zeros(self.out_channels, dtype)

    def _keep_grads(self, dx, df, db):
        self.grads = {"f": df, "b": db} if self.bias else {"f": df}
        return dx


class Conv2d(Convolution):
    """Convolution of x: (N, C, H, W) with OC filters; see `convbook.functional.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
        C and OC.
    kernel_size, stride, padding, dilation, groups
        As in `convbook.functional.conv2d`.
    bias : bool
        Whether a number is added to each output channel; it begins at zero.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    init : function
        One of `convbook.initializers`.

    Attributes
    ----------
    params : f (OC, C // groups, FH, FW) and b (OC,)
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1,
                 groups=1, bias=True, dtype=np.float32, rng=None, init=he_normal):
        super().__init__()
        fh, fw = self._settings(
            in_channels, out_channels, kernel_size, stride, padding, groups, bias)
        checks.pair("dilation", dilation)
        self.dilation = dilation
        c, oc = in_channels // groups, out_channels // groups
        f = init(np.random.default_rng(rng), (out_channels, c, fh, fw), c * fh * fw, oc * fh * fw)
        self._make_params(f, dtype)

    def forward(self, x):
        """Return y: (N, OC, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.in_channels)
            y = F.conv2d(x, self.params["f"], self.params.get("b"), self.stride, self.padding,
                         self.dilation, self.groups)
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        return self._keep_grads(*F.conv2d_backward(
            dy, self._x, self.params["f"], self.stride, self.padding, self.dilation, self.groups,
            need_dx))

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape) * self.params["f"][0].size  # one filter for each output


class ConvTranspose2d(Convolution):
    """Transposed convolution; see `convbook.functional.conv_transpose2d`.

    Parameters
    ----------
    in_channels, out_channels : int
        C and OC.
    kernel_size, stride, padding, output_padding, groups
        As in `convbook.functional.conv_transpose2d`.
    bias, dtype, rng, init
        As in `Conv2d`.

    Attributes
    ----------
    params : f (C, OC // groups, FH, FW) and b (OC,)
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0,
                 output_padding=0, groups=1, bias=True, dtype=np.float32, rng=None, init=he_normal):
        super().__init__()
        fh, fw = self._settings(
            in_channels, out_channels, kernel_size, stride, padding, groups, bias)
        self.output_padding = output_padding
        c, oc = in_channels // groups, out_channels // groups
        # With stride S only every S-th cell of a filter meets an input, along each axis.
        fan_in = max(1, c * fh * fw / math.prod(checks.pair("stride", stride)))
        f = init(np.random.default_rng(rng), (in_channels, oc, fh, fw), fan_in, oc * fh * fw)
        self._make_params(f, dtype)

    def forward(self, x):
        """Return y: (N, OC, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.in_channels)
            y = F.conv_transpose2d(x, self.params["f"], self.params.get("b"), self.stride,
                                   self.padding, self.output_padding, self.groups)
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        return self._keep_grads(*F.conv_transpose2d_backward(
            dy, self._x, self.params["f"], self.stride, self.padding, self.output_padding,
            self.groups, need_dx))

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(x_shape) * self.params["f"][0].size  # one filter for each input


class Linear(Layer):
    """Fully connected layer: y = x wᵀ + b for x: (N, in_features).

    Parameters
    ----------
    in_features, out_features : int
    bias, dtype, rng, init
        As in `Conv2d`.

    Attributes
    ----------
    params : w (out_features, in_features) and b (out_features,)
    """

    hands_over = True

    def __init__(self, in_features, out_features, bias=True, dtype=np.float32, rng=None,
                 init=he_normal):
        super().__init__()
        self.in_features = checks.integer("in_features", in_features, least=1)
        self.out_features = checks.integer("out_features", out_features, least=1)
        self.bias = bool(bias)
        shape = (out_features, in_features)
        w = init(np.random.default_rng(rng), shape, in_features, out_features)
        self.params["w"] = w.astype(float_dtype(dtype))
        if bias:
            self.params["b"] = np.zeros(out_features, dtype)

    def forward(self, x):
        """Return y: (N, out_features)."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim > 2:
                raise ValueError("x must have 2 axes (N, in_features), "
                                 f"got shape {x.shape}; put a Flatten layer before this one")
            x = self._input(x, ("N", "in_features"), self.in_features)
        y = x @ self.params["w"].T
        if self.bias:
            y += self.params["b"]
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, in_features), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        self.grads = {"w": dy.T @ self._x}
        if self.bias:
            self.grads["b"] = dy.sum(axis=0)
        return dy @ self.params["w"] if need_dx else None

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape) * self.in_features


class BatchNorm2d(Layer):
    """Batch normalisation of each channel of x: (N, C, H, W).

    Ioffe and Szegedy, "Batch normalization", ICML 2015. In training a channel is normalised with
    the mean and the variance of the mini-batch, and these go into the running statistics:
    running = (1 - momentum) · running + momentum · batch, with the unbiased variance (divided by
    N·H·W - 1), as in PyTorch. After `eval()` the running statistics normalise.

    Parameters
    ----------
    channels : int
    momentum : float
        From 0 to 1. Keras counts the other way: its momentum is 1 minus this one.
    eps : float
        Added to the variance.

    Attributes
    ----------
    params : gamma (C,), which begins at 1, and beta (C,), at 0
    buffers : running_mean (C,), which begins at 0, and running_var (C,), at 1
    """

    hands_over = True

    def __init__(self, channels, momentum=0.1, eps=1e-5, dtype=np.float32):
        super().__init__()
        self.channels = checks.integer("channels", channels, least=1)
        self.momentum = number("momentum", momentum, least=0, most=1)
        self.eps = number("eps", eps, least=0)
        dtype = float_dtype(dtype)
        self.params = {"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)}
        self.buffers = {"running_mean": np.zeros(channels, dtype),
                        "running_var": np.ones(channels, dtype)}

    def forward(self, x):
        """Return y: (N, C, H, W)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.channels)
            count = x.size // self.channels
            if self.training and count < 2:
                raise ValueError("the variance of a batch needs at least 2 values per channel "
                                 f"in training, got shape {x.shape}")
        gamma, beta = self.params["gamma"], self.params["beta"]
        if self.training:
            y, mean, var = F.batch_norm2d(x, gamma, beta, self.eps)
            self._average("running_mean", mean)
            self._average("running_var", var * (count / (count - 1)))
        else:
            mean = self.buffers["running_mean"].copy()
            var = self.buffers["running_var"].copy()
            scale = gamma / (var + self.eps) ** 0.5
            y = x * along_channels(scale)
            y += along_channels(beta - mean * scale)
        self._remembered = x, mean, var, self.training
        return self._output(y)

    def _average(self, name, value):
        running = self.buffers[name]
        running *= 1 - self.momentum
        running += self.momentum * value

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        x, mean, var, batch_statistics = self._remembered
        gamma = self.params["gamma"]
        if batch_statistics:
            dx, dgamma, dbeta = F.batch_norm2d_backward(dy, x, gamma, mean, var, self.eps)
        else:  # the statistics are constants
            xp = get_array_module(dy)
            slope = 1 / (var + self.eps) ** 0.5
            dbeta = xp.einsum("nchw->c", dy)
            dgamma = (xp.einsum("nchw,nchw->c", dy, x) - mean * dbeta) * slope
            dx = dy * along_channels(gamma * slope)
        self.grads = {"gamma": dgamma, "beta": dbeta}
        return dx if need_dx else None

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape)


def along_channels(a):
    """Return a: (C,) with the axes it needs to be combined with (N, C, H, W)."""
    return a[:, None, None]


# --- Pooling and reshaping -----------------------------------------------------------------------


class Pool2d(Layer):
    """The base of the pooling layers, which name the function of `convbook.functional`.

    Parameters
    ----------
    kernel_size, stride, padding
        As in that function; the stride is the kernel size if not given.
    """

    hands_over = True
    function = function_backward = None

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        with errors_of(self):  # found out now, not at the first forward
            checks.pair("kernel_size", kernel_size)
            checks.pair("stride", kernel_size if stride is None else stride)
            checks.padding_2d(padding)

    def forward(self, x):
        """Return y: (N, C, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
            y = self.function(x, self.kernel_size, self.stride, self.padding)
        self._x = x
        return self._output(y)

    def backward(self, dy):
        """Return dx: (N, C, H, W)."""
        dy = self._gradient(dy)
        return self.function_backward(dy, self._x, self.kernel_size, self.stride, self.padding)


class MaxPool2d(Pool2d):
    """The largest value of every window; of several equal ones the first gets the gradient.

    See `Pool2d` for the arguments; the padding is at most half the kernel size.
    """

    function = staticmethod(F.max_pool2d)
    function_backward = staticmethod(F.max_pool2d_backward)

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(kernel_size, stride, padding)
        with errors_of(self):
            checks.at_most_half(checks.padding_2d(padding), checks.pair("kernel_size", kernel_size))


class AvgPool2d(Pool2d):
    """The average of every window, in which padded cells count as zeros.

    See `Pool2d` for the arguments.
    """

    function = staticmethod(F.avg_pool2d)
    function_backward = staticmethod(F.avg_pool2d_backward)


class GlobalAvgPool2d(Layer):
    """The average of every channel: (N, C, H, W) becomes (N, C), ready for a `Linear` layer."""

    hands_over = True

    def forward(self, x):
        """Return y: (N, C)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
        xp, (n, c, h, w) = get_array_module(x), x.shape
        work = np.result_type(x.dtype, np.float32)  # float16 is added up in float32
        # As a matrix product: `mean` is ten times slower over channels-last memory.
        y = xp.matmul(x.astype(work, copy=False).reshape(n, c, h * w),
                      xp.full(h * w, 1 / (h * w), work))
        self._x = x
        return self._output(y.astype(x.dtype, copy=False))

    def backward(self, dy):
        """Return dx: (N, C, H, W)."""
        dy = self._gradient(dy)
        _, _, h, w = self._x.shape
        dx = get_array_module(dy).empty_like(self._x)
        dx[...] = (dy / (h * w))[:, :, None, None]
        return dx


class Flatten(Layer):
    """Lay all axes but the first side by side: (N, C, H, W) becomes (N, C·H·W)."""

    def forward(self, x):
        """Return y: (N, product of the other axes), in the order (c, h, w)."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim < 2:
                raise ValueError(f"x must have at least 2 axes, got shape {x.shape}")
        self._x = x
        return self._output(x.reshape(len(x), math.prod(x.shape[1:])))

    def backward(self, dy):
        """Return dx in the shape of x, and laid out in memory as x is."""
        dy = self._gradient(dy).reshape(self._x.shape)
        if self._x.flags.c_contiguous:
            return dy
        dx = get_array_module(dy).empty_like(self._x)
        dx[...] = dy
        return dx


# --- Elementwise layers --------------------------------------------------------------------------
# `out` may be the input itself, which is then overwritten: a pass over memory less. All remember
# their output, not their input, and can tell the derivative from it.


class ReLU(Layer):
    """y = max(x, 0). The derivative at 0 is taken as 0, as in PyTorch."""

    elementwise = True

    def forward(self, x, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).maximum(x, 0, out=out)
        return self._output(self._y)

    def backward(self, dy, out=None):
        """Return dx = dy where y is positive, else 0."""
        dy = self._gradient(dy)
        # A product, because choosing by `where` or by an index is ten times slower.
        return get_array_module(dy).multiply(dy, self._y > 0, out=out)


class LeakyReLU(Layer):
    """y = x where x is positive, else slope · x, with a slope between 0 and 1."""

    elementwise = True

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = number("slope", slope, least=0, most=1, open_end=True)

    def forward(self, x, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).maximum(x, x * self.slope, out=out)
        return self._output(self._y)

    def backward(self, dy, out=None):
        """Return dx = dy where y is positive, else slope · dy."""
        dy = self._gradient(dy)
        xp = get_array_module(dy)
        derivative = (self._y > 0).astype(dy.dtype)  # 1 or 0
        xp.maximum(derivative, self.slope, out=derivative)
        return xp.multiply(dy, derivative, out=out)


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x))."""

    elementwise = True

    def forward(self, x, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        xp = get_array_module(x)
        y = xp.negative(x, out=out)
        with np.errstate(over="ignore"):  # exp(-x) may become infinite: then y is 0, as it should
            xp.exp(y, out=y)
        y += 1
        self._y = xp.reciprocal(y, out=y)
        return self._output(y)

    def backward(self, dy, out=None):
        """Return dx = dy · y · (1 - y)."""
        dy = self._gradient(dy)
        derivative = 1 - self._y
        derivative *= self._y
        return get_array_module(dy).multiply(dy, derivative, out=out)


class Tanh(Layer):
    """y = tanh(x)."""

    elementwise = True

    def forward(self, x, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        self._y = get_array_module(x).tanh(x, out=out)
        return self._output(self._y)

    def backward(self, dy, out=None):
        """Return dx = dy · (1 - y²)."""
        dy = self._gradient(dy)
        derivative = self._y * self._y
        get_array_module(dy).subtract(1, derivative, out=derivative)
        return get_array_module(dy).multiply(dy, derivative, out=out)


class Dropout(Layer):
    """In training, zero each element with probability p and divide the others by 1 - p.

    The division keeps the expected value, so that after `eval()` the layer is the identity.
    Srivastava et al., "Dropout", JMLR 2014.

    Parameters
    ----------
    p : float
        At least 0, below 1.
    rng : int or numpy.random.Generator, optional
        Draws what is kept. (On a GPU it only seeds CuPy's own generator.)
    """

    elementwise = True

    def __init__(self, p=0.5, rng=None):
        super().__init__()
        self.p = number("p", p, least=0, most=1, open_end=True)
        self.reseed(rng)

    def reseed(self, rng):
        """Draw from this int or numpy.random.Generator from now on."""
        self._rng = np.random.default_rng(rng)
        self._gpu_rng = None

    def __getstate__(self):
        """Copy everything but CuPy's generator, which cannot be copied; a new one is drawn."""
        return {**self.__dict__, "_gpu_rng": None}

    def forward(self, x, out=None):
        """Return y, of the shape of x."""
        with errors_of(self):
            x = self._input(x)
        if not self.training or self.p == 0:
            self._kept = None
            return self._output(x)
        xp = get_array_module(x)
        if xp is not np and self._gpu_rng is None:
            self._gpu_rng = xp.random.default_rng(int(self._rng.integers(2**63)))
        rng = self._rng if xp is np else self._gpu_rng
        self._kept = xp.empty_like(x, dtype=bool)  # in memory like x
        xp.greater_equal(rng.random(x.shape, dtype=np.float32), self.p, out=self._kept)
        return self._output(self._mask(x, out))

    def backward(self, dy, out=None):
        """Return dx: dy / (1 - p) where x was kept, else 0."""
        dy = self._gradient(dy)
        return dy if self._kept is None else self._mask(dy, out)

    def _mask(self, a, out):
        result = get_array_module(a).multiply(a, self._kept, out=out)
        result *= 1 / (1 - self.p)
        return result


# --- Layers made of layers -----------------------------------------------------------------------


class Sequential(Container):
    """Layers one after the other: the output of each is the input of the next.

    ``model[i]`` is the i-th layer, and its parameters are called "i.f", "i.b" and so on.
    """

    def __init__(self, *layers):
        super().__init__({str(i): layer for i, layer in enumerate(layers)})
        self.layers = layers

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def forward(self, x):
        """Return the output of the last layer."""
        before = None
        for layer in self.layers:
            x = layer.forward(x, out=x) if may_overwrite(before, layer) else layer.forward(x)
            before = layer
        return x

    def backward(self, dy, need_dx=True):
        """Return the gradient of the first layer's input, or None if it is not needed.

        Without it, which is what training needs, the first layer with parameters is the last one
        that anything is computed for.
        """
        first = 0
        if not need_dx:
            first = next((i for i, layer in enumerate(self.layers) if layer.params), len(self))
        before = None
        for i in reversed(range(first, len(self))):
            layer = self.layers[i]
            if i == first and not need_dx:
                return layer.backward(dy, need_dx=False)
            dy = layer.backward(dy, out=dy) if may_overwrite(before, layer) else layer.backward(dy)
            before = layer
        return dy if need_dx else None

    @property
    def hands_over(self):
        """Whether the layers at both ends do; see `Layer`."""
        return len(self) > 0 and self[0].hands_over and self[-1].hands_over

    def __repr__(self):
        return listing(self)


class Residual(Container):
    """What the body makes of x, added to x itself: y = body(x) + shortcut(x).

    The body has to learn only what to change, and the gradient reaches x along two ways, one of
    them short. He et al., "Deep residual learning for image recognition", CVPR 2016.

    Parameters
    ----------
    body : Layer
    shortcut : Layer, optional
        x itself if not given. Where the body changes the shape, a layer that changes it likewise,
        such as a convolution of 1×1 with the same stride.
    """

    hands_over = True

    def __init__(self, body, shortcut=None):
        super().__init__({"body": body, "shortcut": Layer() if shortcut is None else shortcut})
        self.body, self.shortcut = self.children.values()

    def forward(self, x):
        """Return body(x) + shortcut(x)."""
        y, short = self.body.forward(x), self.shortcut.forward(x)
        if y.shape != short.shape:
            raise ValueError("a Residual adds its body's output to its shortcut's, so their shapes "
                             f"must be equal, got {y.shape} and {short.shape} for x of shape "
                             f"{x.shape}")
        return self._add(y, short)

    def backward(self, dy, need_dx=True):
        """Return dx, the sum of what body and shortcut hand back, or None if it is not needed."""
        if need_dx:
            return self._add(self.body.backward(dy), self.shortcut.backward(dy))
        for child in self.children.values():
            if child.params:
                child.backward(dy, need_dx=False)
        return None

    def _add(self, of_body, of_shortcut):
        """Return the sum, in the body's array if the body looks at it no more."""
        if not self.body.hands_over:
            return of_body + of_shortcut
        of_body += of_shortcut
        return of_body

    def __repr__(self):
        return listing(self)


def may_overwrite(giver, taker):
    """Whether `taker` may write over the array that `giver` has just returned."""
    return giver is not None and giver.hands_over and taker.elementwise


def listing(container):
    """Return the container with its layers, each by its name and on a line of its own."""
    lines = [f"  {name}: {layer!r}".replace("\n", "\n  ")
             for name, layer in container.children.items()]
    return "\n".join([f"{type(container).__name__}(", *lines, ")"])
