"""ArchitectureExplorer: networks drawn to scale, block by block, at any size of the picture."""

import base64
import html
import json
import math
import zlib
from functools import cache
from pathlib import Path

import traitlets

from .. import checks
from ..layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Frozen,
    GlobalAvgPool2d,
    InstanceNorm2d,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    MaxUnpool2d,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    SharedBody,
    Shrink,
    Sigmoid,
    Skip,
    Summary,
    Tanh,
    UnitLength,
    Upsample,
)
from ..layers.pooling import settings
from ..layers.summary import Row, by, written
from .base import BookWidget, Whole

LARGEST = 1024  # pixels
FILE = Path(__file__).with_name("networks.json")
CONTAINERS = (Sequential, Residual, Branches, Skip, SharedBody, Frozen)
UNCHANGED = (Layer, ReLU, LeakyReLU, Sigmoid, Tanh, Dropout, LocalResponseNorm, UnitLength)


class ArchitectureExplorer(BookWidget, module="architecture.js"):
    """Look into networks: blocks to scale, and of each layer its shape, costs and receptive field.

    Blocks are folded and unfolded; a second network may stand beside the first; the size of the
    picture is a slider, and where it does not fit the network, the figure says which layer refuses
    it and why. Shapes and multiplications are computed in the page; the tests compare them with
    `convbook.layers.Summary`.

    Parameters
    ----------
    network : str or Layer
        The name of a network of the book, as "VGG-16" (see `convbook.models.evolution`), one of
        the names in `networks`, or a model of your own.
    input_shape : (C, H, W) or (L,), optional
        The shape of its pictures, if it is a model of your own, or how many numbers it takes; of
        other networks, (H, W) or one number is the size that they are shown at first.
    beside : str, optional
        The name of a second network.
    networks : dict, name -> (model, input_shape), optional
        Models of your own that can be chosen by name.
    known : bool
        Whether the book's networks can be chosen, too.

    Raises
    ------
    TypeError, ValueError
        If a name is not known, or a model does not take one input of the given shape.

    Examples
    --------
    >>> w = ArchitectureExplorer("VGG-16", beside="MobileNet")
    >>> w.size = 192
    >>> mine = Sequential(Conv2d(3, 8, 3), Flatten(), Linear(7200, 10))
    >>> ArchitectureExplorer(mine, (3, 32, 32)).network
    'your network'
    """

    networks = traitlets.Dict().tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    beside = traitlets.Unicode("").tag(sync=True)
    size = Whole(224, 1, LARGEST).tag(sync=True)
    beside_size = Whole(224, 1, LARGEST).tag(sync=True)
    opened = traitlets.List(traitlets.Unicode()).tag(sync=True)
    beside_opened = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picked = traitlets.Unicode("").tag(sync=True)
    beside_picked = traitlets.Unicode("").tag(sync=True)
    rebuild = traitlets.Bool(False).tag(sync=True)

    def __init__(self, network="VGG-16", input_shape=None, beside="", networks=None, known=True):
        own = dict(networks or {})
        if isinstance(network, Layer):
            if input_shape is None:
                raise TypeError("input_shape must be given beside a model: that of its pictures")
            own, network, input_shape = (
                {"your network": (network, input_shape), **own},
                "your network",
                None,
            )
        self._described = {name: described(*pair) for name, pair in own.items()}
        if known:
            self._described = {**stored(), **self._described}
        for argument, name in (("network", network), ("beside", beside)):
            if name not in self._described and (name or argument == "network"):
                raise ValueError(
                    f"{argument} must be a model or one of {', '.join(self._described)}; "
                    f"got {name!r}"
                )
        size = self._first_size(network)
        if input_shape is not None:
            size = checks.integer("input_shape", _height(input_shape), 1, given=input_shape)
        super().__init__(
            networks=_packed(self._described),
            network=network,
            beside=beside,
            size=size,
            beside_size=self._first_size(beside) if beside else size,
            opened=first_opened(self._described[network]["tree"]),
            beside_opened=first_opened(self._described[beside]["tree"]) if beside else [],
        )

    def _first_size(self, name):
        shape = self._described[name]["input"]
        return shape[1] if len(shape) == 3 else 1

    @traitlets.validate("network", "beside")
    def _known(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if value not in self._described and (value or name == "network"):
            raise traitlets.TraitError(
                f"{name} must be one of {', '.join(self._described)}; got {value!r}."
            )
        return value

    def plain(self):
        shown = [name for name in (self.network, self.beside) if name]
        return "".join(_plain(name, self._described[name]) for name in shown)


def _plain(name, network):
    """Return a network's blocks, at the size that it is made for, as an HTML table."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in network["rows"]
    )
    head = (
        "<tr><th></th><th>output</th><th>parameters</th><th>multiplications</th><th>sees</th></tr>"
    )
    return (
        f"<div><b>{html.escape(name)}</b>, input {by(network['input'])}"
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"
    )


def _height(shape):
    return shape[-2] if isinstance(shape, (tuple, list)) and len(shape) > 1 else shape


# --- Networks as they travel ---------------------------------------------------------------------


def described(model, input_shape):
    """Return a network as plain data: enough to compute its shapes again for another size.

    Parameters
    ----------
    model : Layer
    input_shape : (C, H, W) or (L,)

    Returns
    -------
    dict
        `input`; `tree`, the layers, nested as the model is; `fixed`, why shapes can be computed
        for no other size ("" if they can); `rows`, a table of the blocks for where no script runs.
    """
    if not isinstance(model, Layer):
        raise TypeError(
            f"the network must be a Layer, got {model!r} of type {type(model).__name__}"
        )
    input_shape = tuple(checks.integer("input_shape", n, 1, given=input_shape) for n in input_shape)
    if len(input_shape) not in (1, 3):
        raise ValueError(f"input_shape must be (C, H, W) or (L,), got {input_shape}")
    try:
        summary = Summary(model, input_shape)
    except TypeError as error:
        raise TypeError(f"the network must take one input, an array; {error}") from error
    layers = dict(_named(model))
    fixed = _why_fixed(summary.tree, layers)
    tree = _node(summary.tree, layers, bool(fixed))
    return {"input": list(input_shape), "tree": tree, "fixed": fixed, "rows": _rows(summary, tree)}


def _named(layer, name=""):
    yield name, layer
    for child_name, child in layer.children.items():
        yield from _named(child, f"{name}.{child_name}" if name else child_name)


def _why_fixed(part, layers):
    """Return a sentence on why the shapes are known for one size only, or "" if they are not."""
    layer = layers[part.name]
    if isinstance(part, Row):
        return "" if _operation(layer, layers) else f"{type(layer).__name__} is a layer of its own"
    known = type(layer) in CONTAINERS
    if not known or len(part.parts) != len(layer.children):
        return f"{part.layer} runs its layers in a way of its own"
    return next(filter(None, (_why_fixed(inner, layers) for inner in part.parts)), "")


def _node(part, layers, with_shapes):
    """Return a block or a row of a summary, as nested lists: short in JSON."""
    layer, last = layers[part.name], part.name.rpartition(".")[2]
    field = _field(part.receptive_field)
    if not isinstance(part, Row):
        inside = [_node(inner, layers, with_shapes) for inner in part.parts]
        more = [_shape(part.output_shape)] if with_shapes else []
        return [last, part.layer, inside, field, *more]
    operation = _operation(layer, layers) or ["other", type(layer).__name__]
    more = [_shape(part.output_shape), part.parameters, part.multiplications]
    return [last, operation, field, *(more if with_shapes else ())]


def _shape(shape):
    """Return one shape as a list; of several, the first (they are told apart where they go on)."""
    return list(shape[0] if shape and isinstance(shape[0], tuple) else shape)


def _field(field):
    """Return a receptive field: one number if it is square, -1 for everything, 0 if unknown."""
    if field is None:
        return 0
    if math.inf in field:
        return -1
    return field[0] if field[0] == field[1] else list(field)


def _operation(layer, layers):
    """Return what a layer does to shapes, and what it costs, as a list; None if unknown."""
    kind = type(layer)
    if kind is Conv2d:
        counts = [layer.in_channels, layer.out_channels, layer.groups, int(layer.bias)]
        return ["conv", *counts, *map(_pair, (layer.kernel_size, layer.stride)),
                _padding(layer.padding), _pair(layer.dilation)]  # fmt: skip
    if kind is ConvTranspose2d:
        counts = [layer.in_channels, layer.out_channels, layer.groups, int(layer.bias)]
        return ["up", *counts, *map(_pair, (layer.kernel_size, layer.stride)),
                _padding(layer.padding), _pair(layer.output_padding)]  # fmt: skip
    if kind in (MaxPool2d, AvgPool2d):
        size, stride, padding = settings(layer)
        return ["max" if kind is MaxPool2d else "average", _pair(size), _pair(stride),
                _padding(padding)]  # fmt: skip
    if kind is MaxUnpool2d and layer._pool is not None:
        return ["unpool", next(name for name, other in layers.items() if other is layer._pool)]
    if kind is Linear:
        return ["linear", layer.in_features, layer.out_features, int(layer.bias)]
    if kind in (BatchNorm2d, InstanceNorm2d):
        return ["norm", kind.__name__, layer.channels]
    if kind is Upsample:
        return ["enlarge", _pair(layer.factor), layer.mode]
    if kind is Shrink:
        return ["shrink", layer.stride, layer.channels]
    if kind is Reshape:
        return ["reshape", list(layer.shape)]
    if kind is Concat and layer.axis == 1:
        return ["concat"]
    if kind is Add:
        return ["add"]
    if kind is Flatten:
        return ["flatten"]
    if kind is GlobalAvgPool2d:
        return ["global"]
    return ["same", kind.__name__] if kind in UNCHANGED else None


def _pair(value):
    """Return one number for both axes, or a list of two."""
    first, second = (value, value) if isinstance(value, int) else value
    return int(first) if first == second else [int(first), int(second)]


def _padding(padding):
    """Return one number for all four sides, or [[top, bottom], [left, right]]."""
    sides = [[int(n) for n in pair] for pair in checks.padding_2d(padding)]
    numbers = {n for pair in sides for n in pair}
    return numbers.pop() if len(numbers) == 1 else sides


# --- What is folded at first ---------------------------------------------------------------------

MOST_ROWS = 16  # that are shown at first


def parts_of(node):
    """Return what a container of a description holds; nothing, if the node is a layer."""
    return node[2] if isinstance(node[1], str) else []


def first_opened(tree):
    """Return the places of the blocks that are open at first: as many as give a short table."""
    if not parts_of(tree):
        return []
    opened, count = [""], len(parts_of(tree))
    for node in parts_of(tree):
        inside = len(parts_of(node))
        if inside and count + inside <= MOST_ROWS:
            opened.append(node[0])
            count += inside
    return opened


def _rows(summary, tree):
    """Return the table of the blocks that are open at first, as text."""
    opened, rows = set(first_opened(tree)), []

    def add(part):
        inside = getattr(part, "parts", ())
        if inside and part.name in opened:
            for inner in inside:
                add(inner)
            return
        layer = f"{part.layer} of {len(part.rows)} layers" if inside else part.layer
        counts = f"{part.parameters:,}", f"{part.multiplications:,}"
        sees = written(part.receptive_field)
        rows.append([f"{part.name} {layer}".strip(), by(part.output_shape), *counts, sees])

    add(summary.tree)
    total = ["total", "", f"{summary.parameters:,}", f"{summary.multiplications:,}", ""]
    return [*rows, total]


# --- The networks of the book --------------------------------------------------------------------


@cache
def stored():
    """Return the descriptions of all networks of the book; `scripts/describe_networks.py` made it.

    To make the networks themselves would take seconds, and gigabytes of weights.
    """
    return json.loads(FILE.read_text(encoding="utf-8"))


def _packed(networks):
    """Return descriptions as a page gets them: deflated, without the tables."""
    sent = {
        name: {key: value for key, value in network.items() if key != "rows"}
        for name, network in networks.items()
    }
    text = json.dumps(sent, separators=(",", ":"))
    return {
        "names": list(sent),
        "length": len(text),
        "data": base64.b64encode(zlib.compress(text.encode(), 9)).decode(),
    }
