"""Layers whose weights are filters or a matrix: convolution, its transpose, fully connected."""

import math

import numpy as np

from .. import checks, functional as F
from ..arrays import cast
from ..checks import float_dtype
from .base import Layer, errors_of
from .initializers import he_normal
from .receptive import WHOLE, Window


class Convolution(Layer):
    """What `Conv2d` and `ConvTranspose2d` share: the filters, and their gradients."""

    hands_over = convolves = True

    def _settings(self, in_channels, out_channels, kernel_size, stride, padding, groups, bias):
        """Keep what both take, checked; return the filters' height and width."""
        self.in_channels = checks.integer("in_channels", in_channels, least=1)
        self.out_channels = checks.integer("out_channels", out_channels, least=1)
        self.groups = checks.integer("groups", groups, least=1)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"groups must divide in_channels = {in_channels} and "
                f"out_channels = {out_channels}, got {groups}"
            )
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
        if self.learning:
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
        One of `convbook.layers.initializers`.

    Attributes
    ----------
    params : f (OC, C // groups, FH, FW) and b (OC,)
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        dtype=np.float32,
        rng=None,
        init=he_normal,
    ):
        super().__init__()
        fh, fw = self._settings(
            in_channels, out_channels, kernel_size, stride, padding, groups, bias
        )
        checks.pair("dilation", dilation)
        self.dilation = dilation
        c, oc = in_channels // groups, out_channels // groups
        f = init(checks.generator("rng", rng), (out_channels, c, fh, fw), c * fh * fw, oc * fh * fw)
        self._make_params(f, dtype)

    def forward(self, x):
        """Return y: (N, OC, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.in_channels)
            y = F.conv2d(
                x,
                self.params["f"],
                self.params.get("b"),
                self.stride,
                self.padding,
                self.dilation,
                self.groups,
            )
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        return self._keep_grads(
            *F.conv2d_backward(
                dy,
                self._x,
                self.params["f"],
                self.stride,
                self.padding,
                self.dilation,
                self.groups,
                need_dx,
                need_df=self.learning,
            )
        )

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape) * self.params["f"][0].size  # one filter for each output

    def window(self, axis):
        """Return the window that slides over x along an axis; see `Layer.window`."""
        size, stride, dilation = (
            checks.pair(name, getattr(self, name))[axis]
            for name in ("kernel_size", "stride", "dilation")
        )
        return Window(size, stride, checks.padding_2d(self.padding)[axis][0], dilation)


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

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dtype=np.float32,
        rng=None,
        init=he_normal,
    ):
        super().__init__()
        fh, fw = self._settings(
            in_channels, out_channels, kernel_size, stride, padding, groups, bias
        )
        self.output_padding = output_padding
        c, oc = in_channels // groups, out_channels // groups
        # With stride S only every S-th cell of a filter meets an input, along each axis.
        fan_in = max(1, c * fh * fw / math.prod(checks.pair("stride", stride)))
        f = init(checks.generator("rng", rng), (in_channels, oc, fh, fw), fan_in, oc * fh * fw)
        self._make_params(f, dtype)

    def forward(self, x):
        """Return y: (N, OC, OH, OW)."""
        with errors_of(self):
            x = self._input(x, "NCHW", self.in_channels)
            y = F.conv_transpose2d(
                x,
                self.params["f"],
                self.params.get("b"),
                self.stride,
                self.padding,
                self.output_padding,
                self.groups,
            )
        self._x = x
        return self._output(y)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W), or None if it is not needed; fill grads."""
        dy = self._gradient(dy)
        return self._keep_grads(
            *F.conv_transpose2d_backward(
                dy,
                self._x,
                self.params["f"],
                self.stride,
                self.padding,
                self.output_padding,
                self.groups,
                need_dx,
                need_df=self.learning,
            )
        )

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(x_shape) * self.params["f"][0].size  # one filter for each input

    def window(self, axis):
        """Return which positions lay a filter on those of y; see `Layer.window`."""
        size, stride = (
            checks.pair(name, getattr(self, name))[axis] for name in ("kernel_size", "stride")
        )
        return Window(size, padding=checks.padding_2d(self.padding)[axis][0], up=stride)


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

    def __init__(
        self, in_features, out_features, bias=True, dtype=np.float32, rng=None, init=he_normal
    ):
        super().__init__()
        self.in_features = checks.integer("in_features", in_features, least=1)
        self.out_features = checks.integer("out_features", out_features, least=1)
        self.bias = bool(bias)
        shape = (out_features, in_features)
        w = init(checks.generator("rng", rng), shape, in_features, out_features)
        self.params["w"] = w.astype(float_dtype(dtype))
        if bias:
            self.params["b"] = np.zeros(out_features, dtype)

    def forward(self, x):
        """Return y: (N, out_features)."""
        with errors_of(self):
            x = self._input(x)
            if x.ndim > 2:
                raise ValueError(
                    "x must have 2 axes (N, in_features), "
                    f"got shape {x.shape}; put a Flatten layer before this one"
                )
            x = self._input(x, ("N", "in_features"), self.in_features)
        wide, w, b = self._wide(x, self.params["w"], self.params.get("b"))
        y = wide @ w.T
        if self.bias:
            y += b
        self._x = x
        return self._output(y.astype(x.dtype, copy=False))

    def _wide(self, *arrays):
        """Return the arrays in the dtype to compute in: float32 for float16."""
        return cast(np.result_type(self.params["w"].dtype, np.float32), *arrays)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, in_features), or None if it is not needed; fill grads."""
        dtype = self.params["w"].dtype
        dy, x, w = self._wide(self._gradient(dy), self._x, self.params["w"])
        if self.learning:
            self.grads = {"w": (dy.T @ x).astype(dtype, copy=False)}
            if self.bias:
                self.grads["b"] = dy.sum(axis=0).astype(dtype, copy=False)
        return (dy @ w).astype(dtype, copy=False) if need_dx else None

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return math.prod(y_shape) * self.in_features

    def window(self, axis):
        """Return that every output reads all inputs; see `Layer.window`."""
        return WHOLE
