"""GridExplorer: which cell of a grid answers for which thing, and what gets lost."""

import html

import numpy as np
import traitlets

from convbook.detection import answered_for, cells_of

from .base import BookWidget, Whole
from .street import SIDE, OnScenes

FINEST = 16


class Boxes(traitlets.TraitType):
    """A trait that holds boxes (y0, x0, y1, x1), at most 12, or none for those of the scene."""

    most = 12

    def __init__(self, **kwargs):
        super().__init__(default_value=[], **kwargs)

    def make_dynamic_default(self):
        return []

    def validate(self, obj, value):
        try:
            boxes = np.asarray(value, float)
            boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
        except (TypeError, ValueError):
            boxes = np.zeros(0)
        if (
            boxes.ndim != 2
            or boxes.shape[1] != 4
            or len(boxes) > self.most
            or not (np.abs(boxes) <= 512).all()
            or (boxes[:, 2:] <= boxes[:, :2]).any()
        ):
            raise traitlets.TraitError(
                f"{self.name} must be at most {self.most} boxes (y0, x0, y1, x1) with y0 < y1 and "
                f"x0 < x1, within ± 512; got {value!r}."
            )
        return boxes.tolist()


class GridExplorer(OnScenes, BookWidget, module="grid.js"):
    """Lay a grid over a street scene: the cell that holds a thing's centre answers for it.

    A cell answers for one thing only. Where the centres of several lie in one cell, all but the
    largest are lost; the figure counts them for every grid, and the boxes can be drawn about.

    Parameters
    ----------
    scenes : dict of name -> convbook.images.scenes.Scene, optional
        Pictures to choose from; three of the book's own if not given.
    scene : str
        The name of the one that is shown.
    grid : int
        Cells along each side, from 1 to 16.
    thing : int
        The thing whose target is written out.
    moved : list of boxes (y0, x0, y1, x1)
        Where the things are, if not where they are in the picture; in pixels of a picture 64
        pixels high. At most 12.

    Examples
    --------
    >>> w = GridExplorer(moved=[[0, 0, 10, 10], [2, 2, 8, 8], [40, 40, 50, 50]], grid=4)
    >>> w.answered.tolist()
    [True, False, True]
    """

    grid = Whole(4, 1, FINEST).tag(sync=True)
    thing = Whole(0, 0, 99).tag(sync=True)
    moved = Boxes().tag(sync=True)

    def __init__(self, scenes=None, **keywords):
        self.set_scenes(scenes)
        usual = "a queue" if "a queue" in self.scenes else next(iter(self.scenes))
        super().__init__(**{"scene": usual} | keywords)

    @property
    def boxes(self):
        """ndarray (T, 4) : the boxes of the things."""
        return np.array(self.moved or self.scenes[self.scene]["boxes"], float)

    @property
    def size(self):
        """(height, width) of the picture, as the boxes are told."""
        return SIDE, self.scenes[self.scene]["width"]

    @property
    def cells(self):
        """ndarray (T, 2) of ints : row and column of the cell of each thing."""
        return np.stack(self._places(self.grid), axis=1)

    @property
    def answered(self):
        """ndarray (T,) of booleans : whether the cell of each thing answers for it."""
        return answered_for(self._unit_boxes(), self.grid, 1)

    @property
    def shares(self):
        """ndarray (16,) : for each grid, 1 × 1 to 16 × 16, the share of things not lost."""
        boxes = self._unit_boxes()
        return np.array([answered_for(boxes, n, 1).mean() for n in range(1, FINEST + 1)])

    @property
    def target(self):
        """ndarray (4,) : the place in its cell, down and across, √height and √width of a thing."""
        y0, x0, y1, x1 = self._unit_boxes()[min(self.thing, len(self.boxes) - 1)]
        centre = np.array([y0 + y1, x0 + x1]) / 2 * self.grid
        cell = np.clip(np.floor(centre), 0, self.grid - 1)
        return np.array([*(centre - cell), np.sqrt(y1 - y0), np.sqrt(x1 - x0)])

    def _places(self, grid):
        return cells_of(self._unit_boxes(), grid, 1)

    def _unit_boxes(self):
        """Return the boxes as shares of the picture's sides."""
        return self.boxes / np.tile(self.size, 2)

    def plain(self):
        scene = self.scenes[self.scene]
        names = scene["names"] if not self.moved else ["thing"] * len(self.moved)
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>row {row}, column {col}</td>"
            f"<td>{'found' if found else 'lost'}</td></tr>"
            for name, (row, col), found in zip(names, self.cells, self.answered)
        )
        return (
            f'<img alt="{html.escape(self.scene)}" width="192" src="{scene["url"]}">'
            "<div><table><thead><tr><th>thing</th><th>its cell</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>{self.grid} × {self.grid} cells: "
            f"{int(self.answered.sum())} of {len(self.boxes)} things can be found.</p></div>"
        )
