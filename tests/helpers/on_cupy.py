"""The tests of the mathematics, on CuPy arrays: ``pytest --cupy``.

The tests themselves know nothing of it. Before they are imported, the public functions of
`convbook.functional` and `convbook.detection`, the layers, the losses, the optimizers and the
training are wrapped: what comes as NumPy arrays is moved to the GPU, computed there, and the
results are moved back. What is on the GPU already, such as the arrays that a network hands from
layer to layer, passes unchanged.
"""

import functools
import inspect
import sys
from contextlib import contextmanager

import numpy as np

from convbook import detection, functional, layers, losses, optimizers
from convbook.arrays import is_cupy, to_gpu
from convbook.layers.base import Container, Layer
from convbook.stand_in import StandIn

FILES = {
    "test_anchors.py",
    "test_boxes.py",
    "test_functional.py",
    "test_functional_backward.py",
    "test_functional_normalisation.py",
    "test_functional_resampling.py",
    "test_functional_within_images.py",
    "test_layers.py",
    "test_losses.py",
    "test_optimizers.py",
    "test_proposals.py",
    "test_roi.py",
    "test_several_losses.py",
    "test_suppression.py",
    "test_training.py",
    "test_training_like_pytorch.py",
}
NO_CUPY = (
    "The tests on CuPy arrays were left out: no GPU that CuPy can use was found "
    "(pytest --cupy-stand-in rehearses them without one)."
)
# About which array of NumPy it is, about the CPU's cache, or with a stand-in of their own.
LEFT_OUT = {
    "test_a_gradient_of_the_wrong_shape_says_so_and_changes_nothing",
    "test_a_sequential_of_nothing_is_the_identity",
    "test_a_sequential_saves_the_elementwise_layers_an_array",
    "test_columns_of_a_block_stay_small",
    "test_dropout_is_drawn_from_its_seed",
    "test_dropout_keeps_the_expected_value",
    "test_on_cupy_arrays_everything_stays_on_the_gpu",
}

# The arguments that are arrays; `kernel_size` and the like may be NumPy arrays too, but stay.
ARRAYS = {
    "a",
    "anchors",
    "boxes",
    "chosen",
    "codes",
    "image_index",
    "kinds",
    "masks",
    "probabilities",
    "proposals",
    "truth",
    "x",
    "y",
    "f",
    "b",
    "dy",
    "cols",
    "gamma",
    "beta",
    "mean",
    "var",
    "scores",
    "labels",
    "answers",
    "features",
    "indices",
    "predictions",
    "targets",
}


def use_stand_in():
    """Take the stand-in for CuPy in this process."""
    sys.modules["cupy"] = StandIn()


def says_nothing(item):
    """Whether a test is about something else than what is computed on the GPU."""
    return (
        item.function.__name__ in LEFT_OUT
        or "cupy" in item.fixturenames
        or "pretended_gpu" in inspect.getsource(item.function)
    )


# --- Moving --------------------------------------------------------------------------------------


def movable(value):
    """Whether this is a NumPy array of a type that CuPy has."""
    return type(value) is np.ndarray and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8


def there(value):
    """Return a NumPy array on the GPU, in the same order in memory; all else as it is."""
    if not movable(value):
        return value
    if value.ndim == 0:
        return to_gpu(value)
    order = np.argsort([-abs(stride) for stride in value.strides], kind="stable")
    return to_gpu(np.ascontiguousarray(value.transpose(order))).transpose(np.argsort(order))


def back(value):
    """Return what lives on the GPU as NumPy arrays, in the same order in memory."""
    if isinstance(value, tuple):
        parts = map(back, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, dict):
        return {name: back(v) for name, v in value.items()}
    if not is_cupy(value):
        return value
    order = np.argsort([-abs(stride) for stride in value.strides], kind="stable")
    moved = sys.modules["cupy"].asnumpy(value.transpose(order)).transpose(np.argsort(order))
    return moved if moved.ndim else moved[()]


def moved(function, arguments, options):
    """Return arguments and options on the GPU, or None where nothing is to be moved."""
    names = list(inspect.signature(function).parameters)
    arrays = [
        a
        for name, a in [*zip(names, arguments), *options.items()]
        if name in ARRAYS and isinstance(a, np.ndarray) and not is_cupy(a)
    ]
    if not arrays or not all(map(movable, arrays)) or any(map(is_cupy, arguments)):
        return None
    return (
        [there(a) if name in ARRAYS else a for name, a in zip(names, arguments)],
        {name: there(a) if name in ARRAYS else a for name, a in options.items()},
    )


def lives_on_gpu(model):
    return any(map(is_cupy, model.params.values()))


@contextmanager
def on_gpu(model):
    """The parameters, buffers and gradients of a model on the GPU; afterwards in NumPy again.

    The model gets its own arrays back, with what was written into those on the GPU: a test may hold
    on to them.
    """
    leaves = [layer for layer in model.walk() if not isinstance(layer, Container)]
    kept = [(layer, layer.params, layer.buffers) for layer in leaves]
    for layer, params, buffers in kept:
        layer.params = {name: there(a) for name, a in params.items()}
        layer.buffers = {name: there(a) for name, a in buffers.items()}
        layer.grads = {name: there(a) for name, a in layer.grads.items()}
    try:
        yield
    finally:
        for layer, params, buffers in kept:
            for own, on_device in ((params, layer.params), (buffers, layer.buffers)):
                for name, array in on_device.items():
                    own[name][...] = back(array)
            layer.params, layer.buffers, layer.grads = params, buffers, back(layer.grads)


# --- Wrapping ------------------------------------------------------------------------------------


def wrapped_function(function):
    @functools.wraps(function)
    def wrapper(*arguments, **options):
        on_device = moved(function, arguments, options)
        if on_device is None:
            return function(*arguments, **options)
        return back(function(*on_device[0], **on_device[1]))

    return wrapper


def wrapped_pass(function):
    """Wrap `forward` or `backward` of a layer."""

    @functools.wraps(function)
    def wrapper(layer, *arrays, **options):
        out = options.get("out")
        if not any(map(movable, arrays)) or lives_on_gpu(layer):
            return function(layer, *arrays, **options)
        arrays = [there(array) for array in arrays]
        if out is not None:
            options["out"] = arrays[0]
        with on_gpu(layer):
            result = back(function(layer, *arrays, **options))
        if out is None:
            return result
        out[...] = result
        return out

    return wrapper


def wrapped_method(function):
    """Wrap a method of a loss; `backward` gives back the kind of arrays that came before."""

    @functools.wraps(function)
    def wrapper(self, *arguments):
        on_device = moved(function, (self, *arguments), {})
        result = function(*(on_device[0] if on_device else (self, *arguments)))
        if arguments:
            self.came_from_numpy = not any(map(is_cupy, arguments))
        return back(result) if getattr(self, "came_from_numpy", False) else result

    return wrapper


def wrapped_step(step):
    @functools.wraps(step)
    def wrapper(self):
        if lives_on_gpu(self.model):
            return step(self)
        with on_gpu(self.model):
            return step(self)

    return wrapper


def wrap_everything():
    """Wrap the package; for the rest of the process."""
    for module in (functional, detection):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name in module.__all__ and name != "output_size":
                setattr(module, name, wrapped_function(function))

    def rooms(package):
        return [
            module
            for _, module in inspect.getmembers(package, inspect.ismodule)
            if module.__name__.startswith(package.__name__)
        ]

    for module, methods, wrap in (
        *((room, ("forward", "backward"), wrapped_pass) for room in rooms(layers)),
        (detection.layers, ("forward", "backward"), wrapped_pass),
        *((room, ("forward", "measure", "backward"), wrapped_method) for room in rooms(losses)),
        (detection.losses, ("forward", "backward"), wrapped_method),
        (optimizers, ("step",), wrapped_step),
    ):
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and not issubclass(cls, optimizers.Schedule):
                for method in methods:
                    if method in vars(cls):
                        setattr(cls, method, wrap(vars(cls)[method]))
    wrap_training()


def wrap_training():
    """Wrap `fit`, which then trains a model that lives on the GPU."""
    from convbook import training

    def wrap(function):
        @functools.wraps(function)
        def wrapper(model, *arguments, **options):
            if not isinstance(model, Layer) or lives_on_gpu(model):
                return function(model, *arguments, **options)
            with on_gpu(model):
                return back(function(model, *arguments, **options))

        return wrapper

    for name in ("fit", "predict", "evaluate"):
        setattr(training, name, wrap(getattr(training, name)))
