"""A layer called several times in one step, and the way back through all calls: the chain rule.

A layer remembers one forward pass, the last. `call` keeps the memory of each:

    a, a_back = call(head, f)           # one head reads two feature maps
    b, b_back = call(head, g)
    df, dg = a_back(da), b_back(db)     # head.grads holds the sum of both

A `Tape` does the bookkeeping: it notes the calls of a step, and plays their backward passes from
the last to the first, adding where ways meet:

    tape = Tape(body, head)             # a step begins: their gradients are cleared
    f = tape(body, x)
    a, b = tape(head, f), tape(head, tape(shrink, f))
    tape.backward((a, da), (b, db))     # now body.grads and head.grads are filled

Layers are written as ever. What forward and backward leave behind in a layer is the memory of that
call; only parameters, gradients and `buffers` outlive it. So the running statistics of a
`BatchNorm2d` move at every call, and a `Dropout` draws another mask at every call; both hold for
PyTorch's too. Parameters have to stay as they are from a call to its way back.
"""

from contextlib import contextmanager
from typing import NamedTuple

from .. import checks
from ..arrays import as_tuple, get_array_module, one_or_all
from .base import Layer, run_backward

OUTLIVE_A_CALL = {"params", "grads", "buffers", "children", "training", "learning"}


def call(layer, *inputs):
    """Run a layer, and return the way back of this very call along with its output.

    Parameters
    ----------
    layer : Layer
    *inputs : arrays
        What `layer.forward` takes.

    Returns
    -------
    y : array, or a tuple of several
    back : function of the gradients of y
        ``dx = back(dy)`` is ``layer.backward(dy)``, whatever the layer was called with since, but
        *adds* to `grads` what other calls have put there; so begin a step with
        `layer.clear_grads()`. ``back(dy, need_dx=False)`` leaves out dx. It can be run once.
    """
    y = layer.forward(*inputs)
    return y, Back(layer)


class Back:
    """The backward pass of a layer's last call, to be run later; see `call`."""

    def __init__(self, layer):
        self.layer = layer
        self._memory = [
            (part, {name: kept(value) for name, value in memory_of(part).items()})
            for part in parts_of(layer)
        ]

    def __call__(self, *dys, need_dx=True):
        if self._memory is None:
            raise RuntimeError(
                f"{title(self.layer)}: the backward pass of this call was run "
                "before. Add up the gradients of its output, and run it once"
            )
        with remembering(self._memory), adding_gradients(self.layer):
            dx = run_backward(self.layer, *dys, need_dx=need_dx)
        self._memory = None  # let go of the arrays
        return dx


class Call(NamedTuple):
    """What a tape notes of a call."""

    layer: Layer
    inputs: tuple
    outputs: tuple
    back: Back


class Tape:
    """Note the calls of layers in a step of training, and play their backward passes in reverse.

    ``y = tape(layer, *inputs)`` is ``layer(*inputs)``. What goes from one layer into the next has
    to be the array that the tape returned: slicing, reshaping or adding is done by layers, too
    (`Reshape`, `Concat`, `Add`). Nothing is noted, and nothing computed on the way back, for calls
    that no parameter depends on: of `Frozen` layers at the beginning, for instance.

    Parameters
    ----------
    *models : Layer
        Their gradients are cleared: a parameter that takes no part in this step then has none, and
        `Optimizer.step` refuses to change it.
    """

    def __init__(self, *models):
        for model in models:
            model.clear_grads()
        self._calls, self._watched, self._played = [], [], False
        self._flowing = {}  # id -> array, held so that the id stays its own: what gets a gradient

    def watch(self, x):
        """Return x as an array whose gradient `backward` returns: an image's, for example."""
        x = get_array_module(x).asarray(x).view()  # an array of its own, on the same memory
        self._flowing[id(x)] = x
        self._watched.append(x)
        return x

    def __call__(self, layer, *inputs):
        """Return the output of `layer.forward(*inputs)`, a tuple if there are several."""
        self._check(layer, inputs)
        if not layer.params and not any(id(x) in self._flowing for x in inputs):
            return layer.forward(*inputs)  # a constant of this step
        y, back = call(layer, *inputs)
        outputs = tuple(self._noted(y, inputs) for y in as_tuple(y))
        self._calls.append(Call(layer, inputs, outputs, back))
        return one_or_all(outputs)

    def _check(self, layer, inputs):
        if self._played:
            raise RuntimeError("this tape was played; every step begins with a new one")
        if not isinstance(layer, Layer):
            raise TypeError(f"a tape calls layers, got {layer!r} of type {type(layer).__name__}")
        for x in inputs:
            if id(x) not in self._flowing and is_part_of(x, self._flowing.values()):
                raise RuntimeError(
                    f"{title(layer)}: its input is a part or another shape of an array on this "
                    "tape, made outside it, so no gradient could find its way back. Let a layer "
                    "do it: tape(Reshape(…), y), for example"
                )

    def _noted(self, y, inputs):
        """Return an output as an array that is no other on this tape."""
        if not is_float(y):
            return y  # an index, say: nothing to differentiate by
        if id(y) in self._flowing or any(y is x for x in inputs):
            y = y.view()  # the layer has handed on what it was given
        self._flowing[id(y)] = y
        return y

    def backward(self, *ends):
        """Fill the gradients of all layers on the tape.

        Parameters
        ----------
        *ends : pairs (y, dy)
            Outputs with the gradients that losses have given for them; one output may come twice.
            ``(y, None)`` says that y is not used, on purpose.

        Returns
        -------
        The gradient of what was watched, several as a tuple; None if nothing was.

        Raises
        ------
        RuntimeError
            If an output on the tape gets no gradient: something was made of it outside the tape.
            Nothing was changed then.
        """
        gradients = self._gradients_of(ends)
        self._check_reached({id(y) for y, _ in ends})
        self._played = True
        for layer, *_ in self._calls:
            layer.clear_grads()
        layers = [layer for layer, *_ in self._calls]
        try:
            while self._calls:  # the last first; what is done is let go
                self._play(self._calls.pop(), gradients)
        except BaseException:
            for layer in layers:
                layer.clear_grads()  # half a gradient is none
            raise
        found = [gradients.get(id(x)) for x in self._watched]
        self._watched, self._flowing = [], {}
        return one_or_all(found) if found else None

    def _gradients_of(self, ends):
        """Return id -> gradient for the ends, checked."""
        makers = {id(y): layer for layer, _, outputs, _ in self._calls for y in outputs}
        gradients = {}
        if self._played:
            raise RuntimeError("this tape was played; every step begins with a new one")
        for end in ends:
            if not isinstance(end, tuple) or len(end) != 2:
                raise TypeError(
                    "backward takes pairs (y, dy), an output and its gradient, "
                    f"got {type(end).__name__}"
                )
            y, dy = end
            if id(y) not in makers:
                raise RuntimeError(
                    "backward was given an array that is no output of a layer on "
                    "this tape: take what the tape has returned, unchanged"
                )
            add_gradient(gradients, makers[id(y)], "dy", y, dy)
        return gradients

    def _check_reached(self, reached):
        """Check that a gradient will come to every output, before anything is computed."""
        for layer, inputs, outputs, _ in reversed(self._calls):
            for i, y in enumerate(outputs):
                if is_float(y) and id(y) not in reached:
                    which = "its output" if len(outputs) == 1 else f"output {i} of {len(outputs)}"
                    raise RuntimeError(
                        f"{title(layer)}: no gradient reaches {which}, of shape {y.shape}. What "
                        "was made of it outside the tape? Let layers do it (Reshape, Concat, Add, "
                        "…); or, if it is not used on purpose, give backward (output, None)"
                    )
            reached.update(map(id, inputs))

    def _play(self, noted, gradients):
        """Run one backward pass, and add its gradients to those of its inputs."""
        layer, inputs, outputs, back = noted
        dys = [gradients.pop(id(y), None) for y in outputs]
        if all(dy is None for dy in dys):
            return  # not used on purpose
        dys = [
            get_array_module(y).zeros_like(y) if dy is None and is_float(y) else dy
            for y, dy in zip(outputs, dys)
        ]
        need_dx = any(id(x) in self._flowing for x in inputs)
        dxs = back(*dys, need_dx=need_dx)
        for y in outputs:
            self._flowing.pop(id(y), None)
        if need_dx:
            dxs = as_tuple(dxs)
            if len(dxs) != len(inputs):
                raise ValueError(
                    f"{title(layer)}: backward must return a gradient for each of "
                    f"its {len(inputs)} inputs (None for a constant), got {len(dxs)}"
                )
            for x, dx in zip(inputs, dxs):
                if id(x) in self._flowing:
                    add_gradient(gradients, layer, "dx", x, dx)

    def __getstate__(self):
        """Copy without the ids, which belong to this very tape's arrays."""
        return {**vars(self), "_flowing": list(self._flowing.values())}

    def __setstate__(self, state):
        vars(self).update(state)
        self._flowing = {id(array): array for array in state["_flowing"]}


# --- Memory and gradients ------------------------------------------------------------------------


def parts_of(layer):
    """Return a layer and all layers in its attributes, whether they are its `children` or not."""
    found, new = {}, [layer]
    while new:
        part = new.pop()
        if id(part) not in found:
            found[id(part)] = part
            for value in vars(part).values():
                values = (
                    value.values()
                    if isinstance(value, dict)
                    else value
                    if isinstance(value, (list, tuple))
                    else (value,)
                )
                new.extend(v for v in values if isinstance(v, Layer))
    return found.values()


def kept(value):
    """Return a list or dict of arrays as a copy: the next call may fill the same one anew."""
    arrays = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)) and any(hasattr(a, "dtype") for a in arrays):
        return value.copy()
    return value


def memory_of(part):
    """Return what the last call has left in a layer, by name; its settings come along."""
    return {name: value for name, value in vars(part).items() if name not in OUTLIVE_A_CALL}


@contextmanager
def remembering(memory):
    """Give layers the memory of an earlier call; afterwards they get back that of their last."""
    last = [memory_of(part) for part, _ in memory]
    for part, then in memory:
        vars(part).update(then)
    try:
        yield
    finally:
        for (part, then), now in zip(memory, last):
            vars(part).update(
                {
                    name: value
                    for name, value in now.items()
                    # What backward itself has written there is newer than both.
                    if name in then and vars(part).get(name) is then[name]
                }
            )


@contextmanager
def adding_gradients(layer):
    """Add what a backward pass puts into `grads` to what was there before; all of it or nothing."""
    parts = {id(part): part for part in layer.walk()}.values()
    before = [(part, part.grads) for part in parts if "grads" in vars(part)]
    for part, _ in before:
        part.grads = {}
    try:
        yield
    except BaseException:
        for part, grads in before:
            part.grads = grads
        raise
    for part, grads in before:
        # a + b, not +=: the arrays may be someone else's, too
        part.grads = grads | {
            name: grads[name] + new if name in grads else new for name, new in part.grads.items()
        }


def add_gradient(gradients, layer, name, array, gradient):
    """Add to the gradient of an array, kept under its id; None tells that nothing comes."""
    if gradient is not None:
        xp, gradient, _ = checks.numeric_arrays(**{name: gradient, "its array": array})
        if gradient.shape != array.shape:
            raise ValueError(
                f"{title(layer)}: {name} must have the shape of "
                f"{'the output' if name == 'dy' else 'the input'}, {array.shape}, "
                f"got {gradient.shape}"
            )
        gradient = gradient.astype(array.dtype, copy=False)
    before = gradients.get(id(array))
    if before is not None and gradient is not None:
        gradient = before + gradient
    gradients[id(array)] = before if gradient is None else gradient


def is_float(array):
    """Whether this is an array that can be differentiated by."""
    return getattr(getattr(array, "dtype", None), "kind", None) == "f"


def is_part_of(x, arrays):
    """Whether an array shares memory with one of the arrays."""
    return is_float(x) and any(
        type(x) is type(array) and get_array_module(x).may_share_memory(x, array)
        for array in arrays
    )


def title(layer):
    """Return a layer in one line: a container by its first layers."""
    if not layer.children:
        return repr(layer)
    first = title(next(iter(layer.children.values())))
    return f"{type(layer).__name__}({first}{', …' if len(layer.children) > 1 else ''})"
