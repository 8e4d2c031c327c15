"""What all layers share: parameters and their state, training or not, checks of their input.

`Layer` is the base of every layer, `Container` that of a layer made of other layers.
"""

import inspect
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from .. import checks
from ..arrays import get_array_module, one_or_all, to_gpu, to_numpy
from . import states
from .receptive import Window
from .summary import Summary


class Layer:
    """The base of all layers; by itself it is the identity.

    The contract: ``y = forward(x)`` and ``dx = backward(dy, need_dx=True)``. A layer with several
    inputs takes them all, ``forward(*xs)``, and hands back a gradient for each, in a tuple; one
    with several outputs returns a tuple, and ``backward(*dys)`` takes a gradient for each. With
    ``need_dx=False`` nobody asks for dx: backward returns None, and does only what the gradients of
    the parameters need. An input to which no gradient belongs, such as an index, gets None.

    A layer of your own defines `forward(x)` and `backward(dy)`, and `need_dx` if that saves work;
    if it has parameters, it puts them into `self.params`, and backward puts their gradients, made
    anew, into `self.grads`. It remembers one forward pass, the last, in attributes of its own, and
    keeps its arrays without copying them: leave them as they are until backward is done. What
    outlives a pass belongs into `buffers`. `convbook.layers.tape` looks after several passes.

    Attributes
    ----------
    params, grads : dict, name -> array
    buffers : dict, name -> array
        What belongs to the state but is not learned by gradients (running statistics).
    children : dict, name -> Layer
        The layers that this one is made of.
    training : bool
    learning : bool
        False while a frozen layer hands a gradient on: backward may leave out those of `params`.
    hands_over : bool
        True if neither the output nor the input's gradient is looked at again once it is returned,
        so that a neighbour in a `Sequential` may write over it.
    elementwise : bool
        True if `forward(x, out=None)` and `backward(dy, need_dx=True, out=None)` can write over
        their input. Only `Sequential` makes use of it.
    convolves : bool
        True if the shape of the output follows from an empty mini-batch, which saves a `Summary`
        most of its work.
    """

    learning = True
    hands_over = False
    elementwise = False
    convolves = False

    def __init__(self):
        self.params, self.grads, self.buffers, self.children = {}, {}, {}, {}
        self.training = True
        self._output_kinds = None  # shape and dtype of the last outputs, once there are any

    def __call__(self, *xs):
        return self.forward(*xs)

    def forward(self, *xs):
        """Return the output for the mini-batch x; a tuple if there are several."""
        with errors_of(self):
            return self._output(*(self._input(x) for x in xs))

    def backward(self, *dys, need_dx=True):
        """Return the gradient of x, given dy, the gradient of the last output."""
        dys = self._gradient(*dys)
        return dys if need_dx else None

    def train(self, training=True):
        """Switch to training behaviour (dropout, statistics of the batch); return the layer."""
        self.training = training
        for child in self.children.values():
            child.train(training)
        return self

    def eval(self):
        """Switch to the behaviour for use after training; return the layer."""
        return self.train(False)

    def walk(self):
        """Yield this layer and all layers inside it."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def clear_grads(self):
        """Forget all gradients, as a step of training begins; return the layer.

        A parameter that takes no part in the step then has none, and `Optimizer.step` says so.
        """
        if "grads" in vars(self):  # those of a container are collected, not its own
            self.grads = {}
        for child in self.children.values():
            child.clear_grads()
        return self

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

    def summary(self, *input_shapes):
        """Print a table of all layers: output shapes, parameters and multiplications.

        The input's shape is that of one image, such as (C, H, W); a model with several inputs takes
        one for each. To compute with the numbers, take `convbook.layers.summary.Summary`.
        """
        print(Summary(self, *input_shapes))

    def multiplications(self, x_shape, y_shape):
        """Return how many multiplications by a parameter turn x into y; several have tuples."""
        return 0

    def window(self, axis):
        """Return which positions of x each position of y reads, along the height (0) or width (1).

        A `receptive.Window`, or `receptive.WHOLE` if all of them. None, which is what a layer of
        your own says, if it is not known; the receptive fields behind it are not known then.
        """
        return Window() if self.elementwise or type(self) is Layer else None

    def __repr__(self):
        """Return the call that makes this layer, without what is at its default."""
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            if parameter.kind is parameter.VAR_POSITIONAL:
                shown.extend(map(repr, value))
            elif parameter.default is parameter.empty:
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
                raise ValueError(
                    f"x must have {axes[1]} = {channels}, got {x.shape[1]}, shape {x.shape}"
                )
        get_array_module(x=x, **self.params)  # says so if one is on the GPU and the other is not
        for parameter in self.params.values():
            return x.astype(parameter.dtype, copy=False)
        return x if x.dtype.kind == "f" else x.astype(np.float32)

    def _output(self, *ys):
        """Remember the shape and dtype that dy must have, and return y; several as a tuple."""
        self._output_kinds = [(y.shape, y.dtype) for y in ys]
        return one_or_all(ys)

    def _gradient(self, *dys):
        """Check dy and return it in the dtype of the output; several as a tuple."""
        if self._output_kinds is None:
            raise RuntimeError(
                f"{self}: backward was called before forward; it needs what forward remembers"
            )
        if len(dys) != len(self._output_kinds):
            raise TypeError(
                f"{self}: backward needs a gradient for each output of forward, "
                f"{len(self._output_kinds)}, got {len(dys)}"
            )
        if len(dys) == 1:
            return self._checked_gradient("dy", dys[0], *self._output_kinds[0])
        return tuple(
            self._checked_gradient(f"dys[{i}]", dy, *kind)
            for i, (dy, kind) in enumerate(zip(dys, self._output_kinds))
        )

    def _checked_gradient(self, name, dy, shape, dtype):
        if dtype.kind != "f":
            return None  # nothing to differentiate by
        with errors_of(self):
            _, dy = checks.numeric_arrays(**{name: dy})
            if dy is None or dy.shape != shape:
                raise ValueError(
                    f"{name} must have the shape of the last output, {shape}, "
                    f"got {None if dy is None else dy.shape}"
                )
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
                raise TypeError(
                    f"layer {name} of a {type(self).__name__} must be a Layer, got "
                    f"{child!r} of type {type(child).__name__}"
                )
            if not hasattr(child, "children"):
                raise TypeError(
                    f"layer {name} of a {type(self).__name__} is not complete: "
                    f"{type(child).__name__}.__init__ must begin with "
                    "super().__init__()"
                )
            for layer in child.walk():
                if seen.setdefault(id(layer), name) != name:
                    raise ValueError(
                        f"{layer} stands at {seen[id(layer)]} and at {name} of a "
                        f"{type(self).__name__}; a layer remembers one forward pass, so make two, "
                        "or let a Tape call it twice"
                    )
        # Not Layer's own __init__: params, grads and buffers are collected, not stored.
        self.children, self.training, self._output_kinds = dict(children), True, None

    def _collect(self, kind):
        return MappingProxyType(
            {
                f"{name}.{key}": array
                for name, child in self.children.items()
                for key, array in getattr(child, kind).items()
            }
        )


def run_backward(layer, *dys, need_dx=True):
    """Return `layer.backward`'s result; a layer whose backward takes dy alone computes dx always.

    So a reader's own ``backward(dy)`` may stand wherever a gradient is asked for or not.
    """
    if need_dx:
        return layer.backward(*dys)
    backward = layer.backward
    if takes_need_dx(getattr(backward, "__func__", backward)):
        backward(*dys, need_dx=False)
    elif layer.params:
        backward(*dys)
    return None


@lru_cache(maxsize=256)
def takes_need_dx(backward):
    """Whether a backward can be told that nobody needs dx."""
    parameters = inspect.signature(backward).parameters.values()
    return any(p.name == "need_dx" or p.kind is p.VAR_KEYWORD for p in parameters)


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
