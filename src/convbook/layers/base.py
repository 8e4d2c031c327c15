"""What all layers share: parameters and their state, training or not, checks of their input.

`Layer` is the base of every layer, `Container` that of a layer made of other layers.
"""

import inspect
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np

from .. import checks
from ..arrays import get_array_module, to_gpu, to_numpy
from . import states
from .summary import Summary


class Layer:
    """The base of all layers; by itself it is the identity.

    A layer of your own defines `forward(x)` and `backward(dy)`; if it has parameters, it puts them
    into `self.params`, their gradients into `self.grads`, and its backward is
    `backward(dy, need_dx=True)`. A layer remembers one forward pass, the last, and keeps its arrays
    without copying them: leave them as they are until backward is done.

    Attributes
    ----------
    params, grads : dict, name -> array
    buffers : dict, name -> array
        What belongs to the state but is not learned by gradients (running statistics).
    children : dict, name -> Layer
        The layers that this one is made of.
    training : bool
    hands_over : bool
        True if neither the output nor the input's gradient is looked at again once it is returned,
        so that a neighbour in a `Sequential` may write over it.
    elementwise : bool
        True if `forward(x, out=None)` and `backward(dy, out=None)` can write over their input.
    """

    hands_over = False
    elementwise = False

    def __init__(self):
        self.params, self.grads, self.buffers, self.children = {}, {}, {}, {}
        self.training = True
        self._output_kind = None  # shape and dtype of the last output, once there is one

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        """Return the output for the mini-batch x."""
        with errors_of(self):
            return self._output(self._input(x))

    def backward(self, dy):
        """Return the gradient of x, given dy, the gradient of the last output."""
        return self._gradient(dy)

    def train(self, training=True):
        """Switch to training behaviour (dropout, statistics of the batch); return the layer."""
        for layer in self.walk():
            layer.training = training
        return self

    def eval(self):
        """Switch to the behaviour for use after training; return the layer."""
        return self.train(False)

    def walk(self):
        """Yield this layer and all layers inside it."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def astype(self, dtype):
        """Convert all parameters and buffers to a floating-point dtype; return the layer."""
        return self._convert(lambda array: array.astype(dtype))

    def to_gpu(self):
        """Move all parameters and buffers to the GPU (CuPy); return the layer."""
        return self._convert(to_gpu)

    def to_cpu(self):
        """Move all parameters and buffers back to NumPy; return the layer."""
        return self._convert(to_numpy)

    def _convert(self, function):
        for layer in self.walk():
            if not isinstance(layer, Container):
                layer.params = {name: function(a) for name, a in layer.params.items()}
                layer.buffers = {name: function(a) for name, a in layer.buffers.items()}
                layer.grads = {}
        return self

    def state(self):
        """Return copies of all parameters and buffers as NumPy arrays, in a dict by name."""
        return {name: to_numpy(a).copy() for name, a in {**self.params, **self.buffers}.items()}

    def load_state(self, state):
        """Copy a dict like `state()` returns into the parameters and buffers.

        Floats of another precision are converted. Raises ValueError, and changes nothing, if an
        array is missing, unknown, of another shape or not floating point.
        """
        states.copy_into(state, {**self.params, **self.buffers}, owner=type(self).__name__)

    def save(self, path):
        """Write the state to `path`, an .npz file; one there is replaced only when all is well."""
        states.write(path, self.state())

    def load(self, path):
        """Read the state from a file that `save` wrote; raises as `load_state` does."""
        self.load_state(states.read(path))

    def summary(self, input_shape):
        """Print a table of all layers: output shapes, parameters and multiplications.

        `input_shape` is that of one image, such as (C, H, W). To compute with the numbers, take
        `convbook.layers.summary.Summary`.
        """
        print(Summary(self, input_shape))

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y."""
        return 0

    def __repr__(self):
        """Return the call that makes this layer, without what is at its default."""
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            if parameter.default is parameter.empty:
                shown.append(repr(value))
            elif repr(value) != repr(parameter.default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _input(self, x, axes=None, channels=None):
        """Check x and return it as a floating-point array, of the parameters' dtype if any."""
        _, x = checks.numeric_arrays(x=x)
        if axes is not None:
            checks.axes("x", x, axes, may_be_empty="N")
            if channels is not None and x.shape[1] != channels:
                raise ValueError(f"x must have {axes[1]} = {channels}, got {x.shape[1]}, "
                                 f"shape {x.shape}")
        get_array_module(x=x, **self.params)  # says so if one is on the GPU and the other is not
        for parameter in self.params.values():
            return x.astype(parameter.dtype, copy=False)
        return x if x.dtype.kind == "f" else x.astype(np.float32)

    def _output(self, y):
        """Remember the shape and dtype that dy must have, and return y."""
        self._output_kind = y.shape, y.dtype
        return y

    def _gradient(self, dy):
        """Check dy and return it in the dtype of the output."""
        if self._output_kind is None:
            raise RuntimeError(f"{self}: backward was called before forward; "
                               "it needs what forward remembers")
        shape, dtype = self._output_kind
        with errors_of(self):
            _, dy = checks.numeric_arrays(dy=dy)
            if dy.shape != shape:
                raise ValueError(f"dy must have the shape of the last output, {shape}, "
                                 f"got {dy.shape}")
        return dy.astype(dtype, copy=False)


class Container(Layer):
    """The base of layers that are made of others.

    `params`, `grads` and `buffers` are those of all layers inside, each under its layer's name, a
    dot and its own name: "0.f". They can be read but not replaced here; write into their arrays
    (`params["0.f"][...] = f`), or replace them in the layer itself.

    Parameters
    ----------
    children : dict, name -> Layer
    """

    params = property(lambda self: self._collect("params"))
    grads = property(lambda self: self._collect("grads"))
    buffers = property(lambda self: self._collect("buffers"))

    def __init__(self, children):
        seen = {}
        for name, child in children.items():
            if not isinstance(child, Layer):
                raise TypeError(f"layer {name} of a {type(self).__name__} must be a Layer, got "
                                f"{child!r} of type {type(child).__name__}")
            for layer in child.walk():
                if seen.setdefault(id(layer), name) != name:
                    raise ValueError(
                        f"{layer} stands at {seen[id(layer)]} and at {name} of a "
                        f"{type(self).__name__}; a layer remembers one forward pass, so make two")
        # Not Layer's own __init__: params, grads and buffers are collected, not stored.
        self.children, self.training, self._output_kind = dict(children), True, None

    def _collect(self, kind):
        return MappingProxyType({
            f"{name}.{key}": array
            for name, child in self.children.items() for key, array in getattr(child, kind).items()
        })


@contextmanager
def evaluating(model):
    """Use the model as after `eval()`; every layer gets its own mode back afterwards."""
    modes = [(layer, layer.training) for layer in model.walk()]
    model.eval()
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


@contextmanager
def errors_of(layer):
    """Name the layer in what a check inside finds wrong."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{layer}: {error}") from error
