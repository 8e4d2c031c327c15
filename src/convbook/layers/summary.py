"""A table of a model: what comes out of each layer, and what it costs."""

import copy
from typing import NamedTuple

import numpy as np

from ..arrays import as_tuple, one_or_all


class Row(NamedTuple):
    """One layer of a model, at work on one image.

    `name` is its place in the model ("" if it is the model), `layer` the call that makes it, and
    `output_shape` is without the batch axis; a layer with several outputs has a tuple of shapes.
    """

    name: str
    layer: str
    output_shape: tuple
    parameters: int
    multiplications: int


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
    parameters, multiplications : int
        The totals.
    """

    def __init__(self, model, *input_shapes):
        model = copy.deepcopy(model).to_cpu().eval()  # running it leaves no trace in the original
        self.input_shapes = [tuple(shape) for shape in input_shapes]
        self.rows = []
        for name, layer in named_leaves(model):
            layer.forward = self._recorded(name, layer)  # the copy's own, before its class's
        model.forward(*(np.zeros((1, *shape), np.float32) for shape in self.input_shapes))
        self.parameters = sum(a.size for a in model.params.values())
        self.multiplications = sum(row.multiplications for row in self.rows)

    def _recorded(self, name, layer):
        """Return the layer's forward, which also writes a row."""
        forward, parameters = layer.forward, sum(a.size for a in layer.params.values())

        def recorded(*xs, **options):
            nonlocal parameters
            y = forward(*xs, **options)
            x_shapes, y_shapes = ([a.shape for a in arrays] for arrays in (xs, as_tuple(y)))
            self.rows.append(
                Row(
                    name,
                    repr(layer),
                    one_or_all([shape[1:] for shape in y_shapes]),
                    parameters,
                    layer.multiplications(one_or_all(x_shapes), one_or_all(y_shapes)),
                )
            )
            parameters = 0  # a second row of the same layer brings no more of them
            return y

        return recorded

    def __str__(self):
        table = [
            ("", "layer", "output", "parameters", "multiplications"),
            *(("", "input", by(shape), "", "") for shape in self.input_shapes),
        ]
        table += [
            (
                row.name,
                row.layer,
                by(row.output_shape),
                f"{row.parameters:,}",
                f"{row.multiplications:,}",
            )
            for row in self.rows
        ]
        table.append(("", "total", "", f"{self.parameters:,}", f"{self.multiplications:,}"))
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = [
            "  ".join(
                (
                    row[0].ljust(widths[0]),
                    row[1].ljust(widths[1]),
                    *(cell.rjust(w) for cell, w in zip(row[2:], widths[2:])),
                )
            )
            for row in table
        ]
        rule = "─" * len(lines[0])
        lines.insert(1, rule)
        lines.insert(-1, rule)
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__


def named_leaves(layer, name=""):
    """Yield (name, layer) for every layer that is not made of others; names are like "2.body.0"."""
    if not layer.children:
        yield name, layer
    for child_name, child in layer.children.items():
        yield from named_leaves(child, f"{name}.{child_name}" if name else child_name)


def by(shape):
    """Return a shape as people write it: 3 × 32 × 32; several with commas between them."""
    if shape and isinstance(shape[0], tuple):
        return ", ".join(map(by, shape))
    return " × ".join(map(str, shape))
