"""RoiExplorer: a box on a feature map, pooled with two roundings and sampled with none."""

import numpy as np
import traitlets

from convbook.detection import roi_align, roi_max_pool

from .base import BookWidget, Numbers, Whole, table
from .street import Box

LARGEST = 8


def blob():
    """Return the first example: a hill on a map of 6 × 8 cells, its top beside the middle."""
    rows, columns = np.indices((6, 8))
    return np.round(9 * np.exp(-(((rows - 2.6) / 1.3) ** 2) - ((columns - 3.8) / 1.7) ** 2), 1)


class RoiExplorer(BookWidget, module="roi.js"):
    """Drag a box over a feature map: what RoI max pooling makes of it, and what RoIAlign.

    Max pooling rounds the box to whole cells, and its parts once more; RoIAlign samples between
    the cells. The figure shows both, the cells or the points of one part, and how far the
    roundings have moved the box.

    Parameters
    ----------
    x : array_like, shape (H, W)
        The feature map, one channel, at most 8 × 8.
    box : (y0, x0, y1, x1)
        In pixels of the picture.
    stride : int
        Pixels of the picture for each cell, from 1 to 32; the scale is 1 / stride.
    size : int
        The box becomes size × size numbers; from 1 to 4.
    samples : int
        Points along each side of a part, from 1 to 3.
    kind : {"max", "align"}
        Which of the two is drawn on the map and written out.
    row, col : int
        The part that is written out.

    Examples
    --------
    >>> w = RoiExplorer(x=np.tile(np.arange(8), (6, 1)), box=(16, 20, 80, 84))
    >>> w.pooled.tolist()
    [[3.0, 5.0], [3.0, 5.0]]
    >>> w.aligned.tolist()
    [[1.75, 3.75], [1.75, 3.75]]
    """

    x = Numbers(blob(), largest=(LARGEST, LARGEST)).tag(sync=True)
    box = Box((20, 23, 75, 96), most=512).tag(sync=True)
    stride = Whole(16, 1, 32).tag(sync=True)
    size = Whole(2, 1, 4).tag(sync=True)
    samples = Whole(2, 1, 3).tag(sync=True)
    kind = traitlets.Enum(["max", "align"], "max").tag(sync=True)
    row = Whole(0, 0, 3).tag(sync=True)
    col = Whole(0, 0, 3).tag(sync=True)

    def _arguments(self):
        x = np.asarray(self.x, float)[None, None]
        return x, np.array([self.box], float), [0], self.size, 1 / self.stride

    @property
    def pooled(self):
        """ndarray (size, size) : what `convbook.detection.roi_max_pool` makes of the box."""
        return roi_max_pool(*self._arguments())[0, 0]

    @property
    def aligned(self):
        """ndarray (size, size) : what `convbook.detection.roi_align` makes of the box."""
        return roi_align(*self._arguments(), self.samples)[0, 0]

    def plain(self):
        box = ", ".join(f"{v:g}" for v in self.box)
        return (
            f"{table('X', self.x)} → {table('RoI max pooling', self.pooled)}"
            f"{table('RoIAlign', self.aligned)}<p>box ({box}), {self.stride} pixels for each cell, "
            f"{self.samples} × {self.samples} samples in each part</p>"
        )
