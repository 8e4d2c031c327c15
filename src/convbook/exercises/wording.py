"""How numbers, arrays, calls and paragraphs look in a message: short lines of plain text."""

from __future__ import annotations

import textwrap

import numpy as np

WIDTH = 72
SHOWN = 30  # a matrix of up to so many elements is written out, a larger one named by its shape


def paragraph(text: str) -> str:
    """Break a text into lines of at most ``WIDTH`` characters."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def number(value) -> str:
    """Write a number as a person would: 3 and not 3.0, six digits at most of a fraction."""
    value = np.asarray(value).item()
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def position(index) -> str:
    """Write an index as it stands behind an array's name: (0, 2) becomes [0, 2]."""
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def call(name: str, parameters, inputs) -> str:
    """Write a call: arrays by their name, everything else by its value."""
    arguments = [parameter if isinstance(value, np.ndarray) else str(value)
                 for parameter, value in zip(parameters, inputs)]
    return f"{name}({', '.join(arguments)})"


def arrays(parameters, inputs) -> str:
    """Write out the arrays among the inputs, one below the other (text, possibly empty)."""
    lines = []
    for parameter, value in zip(parameters, inputs):
        if not isinstance(value, np.ndarray):
            continue
        if value.ndim <= 2 and value.size <= SHOWN:
            prefix = f"    {parameter} = "
            lines.append(prefix + np.array2string(value, separator=", ", prefix=prefix))
        else:
            lines.append(f"    {parameter}: an array of shape {value.shape}")
    return "\n".join(lines)


def side_by_side(**matrices) -> str:
    """Write matrices of the same height next to each other, each under its name."""
    blocks = []
    for name, matrix in matrices.items():
        cells = [[number(value) for value in row] for row in matrix]
        width = max(len(cell) for row in cells for cell in row)
        rows = [" ".join(cell.rjust(width) for cell in row) for row in cells]
        lines = [name, *rows]
        block_width = max(map(len, lines))
        blocks.append([line.ljust(block_width) for line in lines])
    return "\n".join(("    " + "     ".join(line)).rstrip() for line in zip(*blocks))
