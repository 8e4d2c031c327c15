"""A picture cut into a grid, in which each cell answers for one thing: YOLO."""

import numpy as np

from .. import checks
from ..arrays import get_array_module
from .boxes import area, box_arrays, finite


def cells_of(boxes, grid, size):
    """Return the cell of the grid that the centre of each box lies in: rows (R,), columns (R,).

    Parameters
    ----------
    boxes : array (R, 4)
        A centre on the border of two cells belongs to the second; one outside the picture to the
        nearest cell.
    grid : (GH, GW), or an int for both
        How many cells.
    size : (H, W), or an int for both
        Of the picture, in pixels.
    """
    xp, boxes = box_arrays(boxes=boxes)
    boxes = boxes.reshape(-1, 4)
    finite("boxes", boxes)
    grid, size = checks.pair("grid", grid), checks.pair("size", size)
    centres = (boxes[:, :2].astype(np.float64) + boxes[:, 2:]) / 2
    return tuple(
        xp.clip(xp.floor(centres[:, i] * grid[i] / size[i]), 0, grid[i] - 1).astype(np.intp)
        for i in range(2)
    )


def answered_for(boxes, grid, size):
    """Say of each thing whether its cell answers for it: an array (R,) of booleans.

    A cell answers for one thing. If the centres of several lie in it, it is the largest, and of
    equally large ones the first; the others cannot be found, however well the network has learnt.
    (The paper doesn't say which; its own program takes the first in a list that it shuffles.)
    Redmon et al., "You Only Look Once", CVPR 2016.

    Parameters are those of `cells_of`.
    """
    rows, columns = cells_of(boxes, grid, size)
    _, boxes = box_arrays(boxes=boxes)
    boxes = boxes.reshape(-1, 4)
    xp, areas = get_array_module(boxes), area(boxes)
    same = (rows[:, None] == rows) & (columns[:, None] == columns)
    place = xp.arange(len(boxes))
    before = (areas > areas[:, None]) | (areas == areas[:, None]) & (place < place[:, None])
    return ~(same & before).any(axis=1)
