"""Layers of detectors: those that look at regions of interest, and one that sorts by anchors."""

from .. import checks
from ..layers.base import Layer, errors_of
from . import roi


class RegionLayer(Layer):
    """The base of `RoIMaxPool` and `RoIAlign`.

    ``regions = layer(features, boxes, image_index)``; ``backward(dy)`` returns a gradient for each
    input, which for the boxes and their images is None: a box is chosen, not learnt from here.

    Parameters
    ----------
    size : (OH, OW), or an int for both
    scale : float
        Cells of the features per pixel: 1 / 4 where four pixels made one cell.
    """

    hands_over = True

    def __init__(self, size, scale):
        super().__init__()
        self.size, self.scale = size, scale
        with errors_of(self):  # found out now, not at the first forward
            checks.pair("size", size)
            roi.positive_scale(scale)

    def backward(self, dy, need_dx=True):
        """Return dx: (N, C, H, W) and None twice; None alone if dx is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        return self._regions.backward(dy), None, None


class RoIMaxPool(RegionLayer):
    """The largest value of each part of a region, whole cells only; see `detection.roi_max_pool`.

    See `RegionLayer` for the arguments.
    """

    def forward(self, features, boxes, image_index):
        """Return the regions, (R, C, OH, OW)."""
        with errors_of(self):
            features = self._input(features, "NCHW")
            checked = roi.checked_regions(features, boxes, image_index, self.size, self.scale)
        self._regions = roi.MaxRegions(*checked)
        return self._output(self._regions.forward())


class RoIAlign(RegionLayer):
    """Bilinear samples of a region, nothing rounded; see `detection.roi_align`.

    Parameters
    ----------
    size, scale
        See `RegionLayer`.
    samples : int
        Points along each side of a part.
    aligned : bool
        False forgets the half cell between edges and centres.
    """

    def __init__(self, size, scale, samples=2, aligned=True):
        super().__init__(size, scale)
        self.samples, self.aligned = samples, aligned
        with errors_of(self):
            checks.integer("samples", samples, least=1)
            checks.flag("aligned", aligned)

    def forward(self, features, boxes, image_index):
        """Return the regions, (R, C, OH, OW)."""
        with errors_of(self):
            features = self._input(features, "NCHW")
            checked = roi.checked_regions(features, boxes, image_index, self.size, self.scale)
        self._regions = roi.AlignedRegions(*checked, self.samples, self.aligned)
        return self._output(self._regions.forward())


class PerAnchor(Layer):
    """Sort what a convolution says by anchors: (N, A·K, H, W) becomes (N, H·W·A, K).

    The order is that of `anchor_boxes`: row, column, shape.

    Parameters
    ----------
    numbers : int
        K, how many numbers belong to an anchor.
    """

    hands_over = True

    def __init__(self, numbers):
        super().__init__()
        with errors_of(self):
            self.numbers = checks.integer("numbers", numbers, least=1)

    def forward(self, x):
        """Return y: (N, H·W·A, K)."""
        with errors_of(self):
            x = self._input(x, "NCHW")
            n, c, h, w = self._shape = x.shape
            if c % self.numbers:
                raise ValueError(f"x must have a multiple of {self.numbers} channels, got {c}")
        y = x.reshape(n, c // self.numbers, self.numbers, h, w).transpose(0, 3, 4, 1, 2)
        return self._output(y.reshape(n, h * w * (c // self.numbers), self.numbers))

    def backward(self, dy, need_dx=True):
        """Return dx: (N, A·K, H, W), or None if it is not needed."""
        dy = self._gradient(dy)
        if not need_dx:
            return None
        n, c, h, w = self._shape
        dy = dy.reshape(n, h, w, c // self.numbers, self.numbers).transpose(0, 3, 4, 1, 2)
        return dy.reshape(n, c, h, w)
