"""A table of a model: what comes out of each layer, what it costs, and how far it sees."""

import copy
import functools
import math
import textwrap
from typing import NamedTuple

import numpy as np

from ..arrays import as_tuple, one_or_all
from . import receptive

WIDTH = 77  # columns that a page or a notebook of usual width shows
LEAST_LAYER = 30  # columns that a layer is written in, however long the table is


class Row(NamedTuple):
    """One layer of a model, at work on one image.

    `name` is its place in the model ("" if it is the model), `layer` the call that makes it, and
    `output_shape` is without the batch axis; a layer with several outputs has a tuple of shapes.
    `receptive_field` is (height, width) in pixels of the image, both infinite where a number
    depends on all of it, and None where that is not known.
    """

    name: str
    layer: str
    output_shape: tuple
    parameters: int
    multiplications: int
    receptive_field: tuple | None

    @property
    def rows(self):
        """list of Row : the row itself, so that it may stand for a block of one layer."""
        return [self]


class Block(NamedTuple):
    """A part of a model that is made of others, as a container is; the fields are those of `Row`.

    `layer` is the name of its class, `parts` are the blocks and rows inside, in the order in which
    they run; parameters and multiplications are their sums.
    """

    name: str
    layer: str
    output_shape: tuple
    parameters: int
    multiplications: int
    receptive_field: tuple | None
    parts: tuple

    @property
    def rows(self):
        """list of Row : all layers inside."""
        return [row for part in self.parts for row in part.rows]


class Summary:
    """The layers of a model in the order in which they run; displays itself as a table.

    Multiplications are those by a parameter, for one image, forward, as after ``eval()``: the
    products of convolutions and linear layers, and one for each output of a batch normalisation.
    A layer that runs twice has two rows; its parameters count once.

    Parameters
    ----------
    model : Layer
    *input_shapes : tuples of int
        The shape of one image, such as (C, H, W); for a model with several inputs, one for each.

    Attributes
    ----------
    rows : list of Row
        All layers that are not made of others.
    tree : Block or Row
        The same as the model is built: containers with what is inside them.
    parameters, multiplications : int
        The totals.
    """

    def __init__(self, model, *input_shapes):
        # A copy, so that running it leaves no trace in the original. Its arrays are only read.
        arrays = [a for kind in (model.params, model.grads, model.buffers) for a in kind.values()]
        model = copy.deepcopy(model, {id(a): a for a in arrays}).to_cpu().eval()
        self.input_shapes = [tuple(shape) for shape in input_shapes]
        self._reach = {}  # id -> array, held so that the id stays its own, and its reach
        self._open = [Inside()]
        for name, layer in named_layers(model):
            layer.forward = self._recorded(name, layer)  # the copy's own, before its class's
        xs = [np.zeros((1, *shape), np.float32) for shape in self.input_shapes]
        for x in xs:
            self._reach[id(x)] = x, receptive.of_picture(x.shape[1:])
        model.forward(*xs)
        (self.tree,) = self._open.pop().parts
        del self._reach, self._open
        self.rows = self.tree.rows
        self.parameters = sum(a.size for a in model.params.values())
        self.multiplications = self.tree.multiplications

    def _recorded(self, name, layer):
        """Return the layer's forward, which also writes a row, or a block for a container."""
        forward, made_of_others = layer.forward, bool(layer.children)
        if layer.convolves:
            forward = without_work(forward)
        parameters = 0 if made_of_others else sum(a.size for a in layer.params.values())

        @functools.wraps(forward)
        def recorded(*xs, **options):
            nonlocal parameters
            reaches = [self._reach_of(x) for x in xs]
            if made_of_others:
                self._open.append(Inside())
            y = forward(*xs, **options)
            ys = as_tuple(y)
            x_shapes, y_shapes = ([a.shape for a in arrays] for arrays in (xs, ys))
            output_shape = one_or_all([shape[1:] for shape in y_shapes])
            if made_of_others:
                inside = self._open.pop()
                self._keep_reach(ys, inside)
                field = receptive.field(receptive.together(map(self._reach_of, ys)))
                counts = (sum(part.parameters for part in inside.parts),
                          sum(part.multiplications for part in inside.parts))  # fmt: skip
                kind, parts = type(layer).__name__, tuple(inside.parts)
                part = Block(name, kind, output_shape, *counts, field, parts)
            else:
                reach = receptive.after(layer, reaches)
                for a in ys:
                    self._reach[id(a)] = a, reach
                count = layer.multiplications(one_or_all(x_shapes), one_or_all(y_shapes))
                field = receptive.field(reach)
                part = Row(name, repr(layer), output_shape, parameters, count, field)
                parameters = 0  # a second row of the same layer brings no more of them
            self._open[-1].add(part, xs, ys)
            return y

        return recorded

    def _reach_of(self, array):
        return self._reach.get(id(array), (None, None))[1]

    def _keep_reach(self, ys, inside):
        """Note the reach of a container's output, which it may have made itself, by an addition."""
        if len(ys) == 1:
            loose = receptive.together(self._reach_of(a) for a in inside.loose.values())
            self._reach[id(ys[0])] = ys[0], loose

    def outline(self, depth=1):
        """Return a table, as text, in which blocks are opened `depth` times and then one line.

        With the receptive fields; a block's is that of its output.
        """
        lines = []

        def add(part, level):
            parts = getattr(part, "parts", ())
            opened = bool(parts) and level < depth
            if level or not opened:
                layer = f"{part.layer} of {len(part.rows)} layers" if parts else part.layer
                sees = "" if opened else written(part.receptive_field)
                counts = ("", "") if opened else counted(part)
                shape = "" if opened else by(part.output_shape)
                lines.append(("  " * (level - 1) + part.name, layer, shape, *counts, sees))
            for inner in parts if opened else ():
                add(inner, level + 1)

        add(self.tree, 0)
        return self._table(("sees",), lines)

    def __str__(self):
        rows = [(row.name, row.layer, by(row.output_shape), *counted(row)) for row in self.rows]
        return self._table((), rows)

    __repr__ = __str__

    def _table(self, more, rows):
        """Return rows of text with a head, the inputs and the totals around them."""
        none = [""] * len(more)
        head = [("", "layer", "output", "parameters", "multiplications", *more)]
        body = [
            *(("", "input", by(shape), "", "", *none) for shape in self.input_shapes),
            *rows,
            ("", "total", "", *counted(self), *none),
        ]
        if sum(_widths([*head, *body])) > WIDTH:
            head, body = _narrowed(body, more)
        widths = _widths([*head, *body])
        lines = [
            row[0].ljust(widths[0])
            + row[1].ljust(widths[1])
            + "".join(cell.rjust(width) for cell, width in zip(row[2:], widths[2:]))
            for row in [*head, *body]
        ]
        rule = "─" * sum(widths)
        lines.insert(len(head), rule)
        lines.insert(-1, rule)
        return "\n".join(line.rstrip() for line in lines)


def _widths(table):
    """Return the widths of a table's columns, with two blanks between them."""
    name, layer, *numbers = (max(map(len, column)) for column in zip(*table))
    return [name + 2, layer, *(width + 2 for width in numbers)]


def _narrowed(body, more):
    """Return head and body of a table that needs less room.

    There is no space around ×, and the head and long layers go on in a second line.
    """
    head = [
        ("", "layer", "output", "para-", "multipli-", *more),
        ("", "", "", "meters", "cations", *[""] * len(more)),
    ]
    body = [(*row[:2], *(cell.replace(" × ", "×") for cell in row[2:])) for row in body]
    widths = _widths([*head, *body])
    room = max(LEAST_LAYER, WIDTH - sum(widths) + widths[1])
    return head, [line for row in body for line in _folded(row, room)]


def _folded(row, room):
    """Return a row of a table as rows whose second cell, the layer, is no longer than that."""
    first, *others = textwrap.wrap(row[1], room, subsequent_indent="  ", break_on_hyphens=False)
    return [(row[0], first, *row[2:]), *(("", more, *[""] * len(row[2:])) for more in others)]


class Inside:
    """What has run inside a container so far.

    Attributes
    ----------
    parts : list of Block and Row
    loose : dict, id -> array
        The outputs that nothing inside has read: what the container's own output is made of.
    """

    def __init__(self):
        self.parts, self.loose = [], {}

    def add(self, part, xs, ys):
        self.parts.append(part)
        for x in xs:
            self.loose.pop(id(x), None)
        self.loose |= {id(y): y for y in ys}


def named_layers(layer, name=""):
    """Yield (name, layer) for a layer and all inside it; names are like "2.body.0"."""
    yield name, layer
    for child_name, child in layer.children.items():
        yield from named_layers(child, f"{name}.{child_name}" if name else child_name)


def without_work(forward):
    """Return a convolution's forward whose outputs have the right shape, and are all zero.

    Nothing but the shape is wanted, and no mini-batch is convolved as quickly as an empty one: a
    ResNet-50 has its table after a fraction of a second, in a browser too.
    """

    @functools.wraps(forward)
    def of_no_image(x):
        try:
            y = forward(x[:0])
        except ValueError:
            return forward(x)  # which says what is wrong with the shape of x
        return np.zeros((len(x), *y.shape[1:]), y.dtype)

    return of_no_image


def named_leaves(layer):
    """Yield (name, layer) for every layer that is not made of others."""
    return ((name, part) for name, part in named_layers(layer) if not part.children)


def counted(part):
    """Return parameters and multiplications as people write them."""
    return f"{part.parameters:,}", f"{part.multiplications:,}"


def written(field):
    """Return a receptive field as people write it."""
    if field is None:
        return "?"
    return "everything" if math.inf in field else by(field)


def by(shape):
    """Return a shape as people write it: 3 × 32 × 32; several with commas between them."""
    if shape and isinstance(shape[0], tuple):
        return ", ".join(map(by, shape))
    return " × ".join(map(str, shape))
