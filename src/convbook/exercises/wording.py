"""How numbers, arrays, calls and paragraphs look in a message: short lines of plain text."""

from __future__ import annotations

import textwrap

import numpy as np

from ..stand_in import StandInArray

WIDTH = 72
SHOWN = 100  # an array of up to so many elements is written out, a larger one named by its shape


def paragraph(text):
    """Break a text into lines of at most ``WIDTH`` characters."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def number(value):
    """Write a number as a person would: 3 and not 3.0, six digits at most of a fraction."""
    value = np.asarray(value).item()
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def position(index):
    """Write an index as it stands behind an array's name: (0, 2) becomes [0, 2]."""
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def call(name, parameters, inputs):
    """Write a call: numbers and tuples by their value, everything else by its name."""
    arguments = [
        parameter if _needs_a_line(value) else str(value)
        for parameter, value in zip(parameters, inputs)
    ]
    return f"{name}({', '.join(arguments)})"


def arrays(parameters, inputs):
    """Write out what the call names, one below the other (text, possibly empty).

    Small arrays are written as Python reads them, so that a trial can be copied and tried again.
    """
    return "\n".join(
        _line(parameter, value)
        for parameter, value in zip(parameters, inputs)
        if _needs_a_line(value) and repr(value) != parameter
    )


def written_out(inputs):
    """Tell whether a call with these inputs can be copied from a message."""
    return all(not _needs_a_line(value) or _is_small(value) for value in inputs)


def _needs_a_line(value):
    return not isinstance(value, (int, float, tuple, list, str))


def _is_small(value):
    return (
        isinstance(value, np.ndarray)
        and not isinstance(value, StandInArray)
        and value.size <= SHOWN
    )


def _line(parameter, value):
    if _is_small(value):
        usual = value.dtype in (np.dtype(int), np.dtype(float), np.dtype(bool))
        prefix = f"    {parameter} = np.array("
        text = np.array2string(value, WIDTH, separator=", ", prefix=prefix, floatmode="unique")
        return f"{prefix}{text})" if usual else f"{prefix}{text}, np.{value.dtype})"
    if isinstance(value, np.ndarray):
        place = " on the GPU" if isinstance(value, StandInArray) else ""
        return f"    {parameter}: an array of shape {value.shape}{place}"
    return textwrap.shorten(
        f"{parameter}: {value!r}", WIDTH, placeholder=" ...", initial_indent="    "
    )


def side_by_side(**matrices):
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
