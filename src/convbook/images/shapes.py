"""Shapes that are drawn into a picture at any size, with smooth edges.

A shape lives in a frame of its own: (0, 0) is the frame's upper left corner, (1, 1) its lower
right one. It is a function of the frame's size in pixels that returns how much of each pixel it
covers, from 0 to 1.
"""

import math
from typing import NamedTuple

import numpy as np


class Grid(NamedTuple):
    """The pixels that a frame touches, in coordinates of the frame.

    Attributes
    ----------
    y : array (h, 1)
        The middle of each row, in pixels from the upper edge of the frame.
    x : array (1, w)
        The middle of each column, in pixels from its left edge.
    high, wide : float
        The size of the frame, in pixels.
    """

    y: np.ndarray
    x: np.ndarray
    high: float
    wide: float


def rectangle(x0, y0, x1, y1):
    """Return a rectangle; what it covers of each pixel is exact."""

    def covered(grid):
        across = _overlap(grid.x, x0 * grid.wide, x1 * grid.wide)
        return across * _overlap(grid.y, y0 * grid.high, y1 * grid.high)

    return covered


def _overlap(middle, start, stop):
    shared = np.minimum(middle + 0.5, stop) - np.maximum(middle - 0.5, start)
    return np.minimum(np.maximum(shared, 0), 1)


def ellipse(x, y, radius_x, radius_y):
    """Return an ellipse around (x, y)."""

    def covered(grid):
        across, down = max(radius_x * grid.wide, 1e-6), max(radius_y * grid.high, 1e-6)
        along_x = (grid.x - x * grid.wide) / across
        along_y = (grid.y - y * grid.high) / down
        return _inside((1 - np.sqrt(along_x**2 + along_y**2)) * min(across, down))

    return covered


def polygon(*points):
    """Return a polygon without dents, through points (x, y) in either direction."""
    points = np.array(points, float)

    def covered(grid):
        start = points * (grid.wide, grid.high)
        side = np.concatenate([start[1:], start[:1]]) - start
        length = np.maximum(np.hypot(*side.T), 1e-9)
        turn = math.copysign(1, (start[:, 0] * side[:, 1] - start[:, 1] * side[:, 0]).sum())
        along_x, along_y = (turn * side / length[:, None]).T[:, :, None, None]
        # How far each pixel lies inside of each side.
        beside = along_x * (grid.y - start[:, 1, None, None])
        beside = beside - along_y * (grid.x - start[:, 0, None, None])
        return _inside(beside).prod(axis=0)

    return covered


def _inside(distance):
    """Return how much of a pixel is covered whose middle lies so far inside of an edge."""
    return np.minimum(np.maximum(distance + 0.5, 0), 1)


class Cover(NamedTuple):
    """How much of each pixel some shapes cover together.

    Attributes
    ----------
    alpha : array (h, w)
        In all the pixels that their frame touches, also those outside the picture.
    top, left : int
        Where these begin in the picture.
    """

    alpha: np.ndarray
    top: int
    left: int

    def slices(self, image):
        """Return which part of a picture (H, W, ...) they lie in, and which part of them."""
        height, width = self.alpha.shape
        rows = max(0, self.top), min(len(image), self.top + height)
        columns = max(0, self.left), min(image.shape[1], self.left + width)
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return (slice(0, 0), slice(0, 0)), (slice(0, 0), slice(0, 0))
        there = slice(*rows), slice(*columns)
        return there, tuple(
            slice(s.start - first, s.stop - first) for s, first in zip(there, (self.top, self.left))
        )

    def inside(self, image):
        """Return how much of each pixel of a picture they cover, (H, W)."""
        cover = np.zeros(image.shape[:2])
        there, here = self.slices(image)
        cover[there] = self.alpha[here]
        return cover


def paint(image, shapes, frame, flipped=False, strength=1.0):
    """Draw shapes over a picture, the first at the back.

    Parameters
    ----------
    image : array (H, W, 3)
        Is changed.
    shapes : list of (shape, colour)
    frame : (top, left, height, width)
        Where in the picture their frame lies, in pixels; it may reach over the border.
    flipped : bool
        Left and right change places.
    strength : float
        1 for paint that hides what is behind it.

    Returns
    -------
    Cover
    """
    top, left, high, wide = frame
    first_row, first_column = math.floor(top), math.floor(left)
    rows = np.arange(first_row, math.ceil(top + high) + 1)[:, None] + 0.5 - top
    columns = np.arange(first_column, math.ceil(left + wide) + 1)[None, :] + 0.5 - left
    grid = Grid(rows, wide - columns if flipped else columns, high, wide)
    covers = np.stack([shape(grid) for shape, _ in shapes])
    # What is left of each pixel behind a shape and all that are drawn over it.
    left_over = np.cumprod(1 - covers[::-1], axis=0)[::-1]
    covers[:-1] *= left_over[1:]  # the part of each shape that is seen
    alpha = 1 - left_over[0]
    colours = np.tensordot(covers, np.array([colour for _, colour in shapes]), ([0], [0]))
    covered = Cover(alpha, first_row, first_column)
    there, here = covered.slices(image)
    image[there] *= 1 - strength * alpha[here][..., None]
    image[there] += strength * colours[here]
    return covered
