"""Regions of interest: a part of a feature map, of any size, as a small map of one size.

Boxes are (y0, x0, y1, x1) in pixels of the picture; `scale` turns pixels into cells of the feature
map: 1 / 4 where four pixels made one cell. `image_index` says which image of the mini-batch each
box lies in. `roi_max_pool` rounds to whole cells, twice; `roi_align` rounds nothing.
"""

import math

import numpy as np

from .. import checks
from ..arrays import cast, float_and_work_dtype, get_array_module, to_numpy
from ..kernels import layouts
from .boxes import as_boxes, finite, in_order


def roi_max_pool(features, boxes, image_index, size, scale):
    """Return the largest value in each of OH × OW parts of every box, for each channel.

    An edge at p pixels belongs to the cell round(scale · p), halves away from zero; the cells from
    the first to the last *including both* are the region (of at least one cell), a rule from the
    days when a box named its last pixel. Part i of the n parts along a side of L cells goes from
    floor(i · L / n) to ceil((i + 1) · L / n), so that neighbours may share cells. What lies outside
    the map is left out; a part with nothing left is 0. Girshick, "Fast R-CNN", ICCV 2015.

    Parameters
    ----------
    features : array (N, C, H, W)
    boxes : array (R, 4)
        May reach over the border, be empty or lie outside; no box at all is fine.
    image_index : array (R,) of ints from 0 to N - 1
    size : (OH, OW), or an int for both
    scale : float
        Cells per pixel.

    Returns
    -------
    array (R, C, OH, OW), dtype of features
        Channels-last in memory. A part that holds a NaN gives NaN.

    Raises
    ------
    TypeError, ValueError
        If arguments do not fit each other, or a box is no box: infinite, NaN, or edges in the wrong
        order.
    """
    return MaxRegions(*checked_regions(features, boxes, image_index, size, scale)).forward()


def roi_max_pool_backward(dy, features, boxes, image_index, size, scale):
    """Hand every element of dy: (R, C, OH, OW) to the cell of the features that was the maximum.

    Of equal maxima, and of NaNs, the first takes it, row by row. Where boxes share a cell, it gets
    the sum.

    Returns
    -------
    array (N, C, H, W)
        Channels-last in memory. Floats keep the dtype of dy; integers give float64.
    """
    return MaxRegions(*checked_regions(features, boxes, image_index, size, scale)).backward(dy)


def roi_align(features, boxes, image_index, size, scale, samples=2, aligned=True):
    """Return the average of bilinear samples in each of OH × OW parts of every box.

    Each part is sampled at `samples` × `samples` points, spread evenly, with nothing rounded. A
    cell's value stands at its centre: the point p pixels from the edge of the picture lies at
    scale · p - 1/2, if cells are counted from the centre of the first. From one centre to the next
    values go over evenly; beyond the outermost, their values go on for the length of a cell; a
    point further out is 0. He et al., "Mask R-CNN", ICCV 2017.

    Parameters
    ----------
    features, boxes, image_index, size, scale
        As in `roi_max_pool`.
    samples : int
        Points along each side of a part.
    aligned : bool
        False is the paper's own first version: it forgets the 1/2, which moves everything by half
        a cell, and makes regions at least one cell large.

    Returns
    -------
    array (R, C, OH, OW)
        Channels-last in memory. Floats keep the dtype of the features (float16 is computed in
        float32); integers give float64.

    Notes
    -----
    A sample's weight is one number for its row times one for its column. So the whole of a region
    is a product of three matrices, Y = A_y · X · A_xᵀ, for each channel; the gradient is
    dX = A_yᵀ · dY · A_x.
    """
    checked = checked_regions(features, boxes, image_index, size, scale)
    return AlignedRegions(*checked, samples, aligned).forward()


def roi_align_backward(dy, features, boxes, image_index, size, scale, samples=2, aligned=True):
    """Return the gradient of `roi_align`: each cell gets back what it has given, times its weight.

    Returns
    -------
    array (N, C, H, W)
        Channels-last in memory. Floats keep the dtype of dy; integers give float64.
    """
    checked = checked_regions(features, boxes, image_index, size, scale)
    return AlignedRegions(*checked, samples, aligned).backward(dy)


# --- The largest of each part --------------------------------------------------------------------


class MaxRegions:
    """`roi_max_pool` of some boxes, and its way back.

    Attributes
    ----------
    groups : list of (array (P,), array (P, K))
        Parts with equally many cells: which they are, in the order (box, row, column), and the
        numbers of their cells, row by row. Parts without a cell are in none.
    """

    def __init__(self, xp, features, boxes, index, size, scale):
        self.features, self.shape = features, (len(boxes), features.shape[1], *size)
        _, _, h, w = features.shape
        top, high = (a[:, :, None] for a in _parts(xp, boxes[:, 0], boxes[:, 2], h, size[0], scale))
        left, wide = (a[:, None] for a in _parts(xp, boxes[:, 1], boxes[:, 3], w, size[1], scale))
        first = ((index[:, None, None] * h + top) * w + left).reshape(-1)
        kinds = (high * (w + 1) + wide).reshape(-1)  # a number for each height and width
        self.groups = []
        for kind in np.unique(to_numpy(kinds)).tolist():
            rows, columns = divmod(kind, w + 1)
            cells = (xp.arange(rows)[:, None] * w + xp.arange(columns)).reshape(-1)
            if rows and columns:
                parts = xp.flatnonzero(kinds == kind)
                at = (first[parts][:, None] + cells).astype(np.intp, copy=False)  # for bincount
                self.groups.append((parts, at))

    @property
    def xp(self):
        """NumPy or CuPy; not kept, as a layer that remembers this can then be copied."""
        return get_array_module(self.features)

    def _cells(self):
        """Return the features with a row for each cell, (N·H·W, C)."""
        return layouts.pixels_of(self.xp, self.features, self.features.dtype)

    def forward(self):
        """Return the largest value of each part, (R, C, OH, OW)."""
        (count, c, oh, ow), cells = self.shape, self._cells()
        y = self.xp.zeros((count * oh * ow, c), cells.dtype)
        for parts, at in self.groups:
            y[parts] = cells[at].max(axis=1)
        return y.reshape(count, oh, ow, c).transpose(0, 3, 1, 2)

    def places(self):
        """Return where the largest values stand, cell · C + channel: (parts of all groups, C)."""
        xp, cells = self.xp, self._cells()
        channels = xp.arange(self.shape[1])
        found = [xp.zeros((0, self.shape[1]), np.intp)]
        for _, at in self.groups:
            best = cells[at].argmax(axis=1)  # the first of several
            found.append(xp.take_along_axis(at, best, axis=1) * len(channels) + channels)
        return xp.concatenate(found)

    def backward(self, dy):
        """Return the gradient of the features, (N, C, H, W)."""
        xp, (n, c, h, w) = self.xp, self.features.shape
        _, dy, _ = checks.numeric_arrays(dy=dy, features=self.features)
        checks.shape("dy", dy, self.shape)
        result, _ = float_and_work_dtype(dy)
        dy = dy.transpose(0, 2, 3, 1).reshape(-1, c).astype(np.float64)
        parts = xp.concatenate([xp.zeros(0, np.intp), *(parts for parts, _ in self.groups)])
        sums = xp.bincount(self.places().reshape(-1), dy[parts].reshape(-1), n * h * w * c)
        return sums.reshape(n, h, w, c).transpose(0, 3, 1, 2).astype(result)


def _parts(xp, low, high, cells, count, scale):
    """Return the first cell of each part along one axis, and how many it has: (R, count) both."""
    low, high = (_rounded(xp, edge.astype(np.float64) * scale) for edge in (low, high))
    length = xp.maximum(high - low + 1, 1)[:, None]
    i = xp.arange(count)
    first = xp.clip(i * length // count + low[:, None], 0, cells)
    beyond = xp.clip(-(-(i + 1) * length // count) + low[:, None], 0, cells)
    return first, xp.maximum(beyond - first, 0)


def _rounded(xp, values):
    """Return whole numbers, halves away from zero; far outside any map they stay countable."""
    values = xp.clip(values, -(2.0**31), 2.0**31)
    return (xp.sign(values) * xp.floor(abs(values) + 0.5)).astype(np.intp)


# --- Samples in between --------------------------------------------------------------------------


class AlignedRegions:
    """`roi_align` of some boxes, and its way back, with the weights of all samples.

    Attributes
    ----------
    weights : (array (R, OH, H), array (R, OW, W))
        A_y and A_x of each box: how much each row counts in a row of parts, and so the columns.
    """

    def __init__(self, xp, features, boxes, index, size, scale, samples, aligned):
        self.features, self.size = features, size
        self.samples = checks.integer("samples", samples, least=1)
        aligned = checks.flag("aligned", aligned)
        self.result, self.work = float_and_work_dtype(features)
        h, w = features.shape[2:]
        self.weights = [
            self._weights(boxes[:, i], boxes[:, i + 2], cells, size[i], scale, aligned)
            for i, cells in enumerate((h, w))
        ]
        index = to_numpy(index)
        self.boxes_of = {int(i): xp.asarray(np.flatnonzero(index == i)) for i in np.unique(index)}
        self.shape = (len(boxes), features.shape[1], *size)

    @property
    def xp(self):
        """NumPy or CuPy; not kept, as a layer that remembers this can then be copied."""
        return get_array_module(self.features)

    def _weights(self, low, high, cells, parts, scale, aligned):
        """Return how much each cell counts in each part along one axis: (R, parts, cells)."""
        xp, count = self.xp, parts * self.samples
        low, high = (edge.astype(np.float64) * scale - aligned * 0.5 for edge in (low, high))
        if not aligned:
            high = xp.maximum(high, low + 1)
        points = low[:, None] + (xp.arange(count) + 0.5) / count * (high - low)[:, None]
        inside = (points >= -1) & (points <= cells)
        points = xp.clip(points, 0, cells - 1)
        weights = xp.maximum(1 - abs(points[:, :, None] - xp.arange(cells)), 0)
        weights = weights * inside[:, :, None]
        weights = weights.reshape(len(low), parts, self.samples, cells).mean(axis=2)
        return weights.astype(self.work)

    def forward(self):
        """Return the regions, (R, C, OH, OW)."""
        n, c, h, w = self.features.shape
        x = layouts.pixels_of(self.xp, self.features, self.work).reshape(n, h, w, c)
        y = contained(self.xp, self._gather, x)
        return y.transpose(0, 3, 1, 2).astype(self.result, copy=False)

    def backward(self, dy):
        """Return the gradient of the features, (N, C, H, W)."""
        _, dy, _ = checks.numeric_arrays(dy=dy, features=self.features)
        checks.shape("dy", dy, self.shape)
        result, work = float_and_work_dtype(dy)
        dx = contained(self.xp, self._spread, dy.transpose(0, 2, 3, 1).astype(work, copy=False))
        return dx.transpose(0, 3, 1, 2).astype(result, copy=False)

    def _gather(self, x):
        """Return A_y · X · A_xᵀ for each box and channel; from (N, H, W, C) to (R, OH, OW, C)."""
        xp, (_, h, w, c) = self.xp, x.shape
        rows_of, columns_of = cast(x.dtype, *self.weights)
        y = xp.empty((self.shape[0], *self.size, c), x.dtype)
        for i, boxes in self.boxes_of.items():  # so that no image is copied for each of its boxes
            tall = rows_of[boxes].reshape(-1, h) @ x[i].reshape(h, w * c)
            tall = tall.reshape(len(boxes), self.size[0], w, c)
            y[boxes] = xp.matmul(columns_of[boxes][:, None], tall)
        return y

    def _spread(self, dy):
        """Return the sum of A_yᵀ · dY · A_x over the boxes: from (R, OH, OW, C) to (N, H, W, C)."""
        xp, (n, c, h, w) = self.xp, self.features.shape
        rows_of, columns_of = cast(dy.dtype, *self.weights)
        dx = xp.zeros((n, h, w, c), dy.dtype)
        for i, boxes in self.boxes_of.items():
            wide = xp.matmul(columns_of[boxes].transpose(0, 2, 1)[:, None], dy[boxes])
            rows = rows_of[boxes].reshape(-1, h)
            dx[i] = (rows.T @ wide.reshape(len(rows), w * c)).reshape(h, w, c)
        return dx


def contained(xp, weighing, x):
    """Return a weighted sum of x, whose weights are not below 0; a weight of 0 leaves out infinity.

    In a matrix product, 0 · ∞ is NaN: one infinite cell would ruin every box of its image.
    """
    if layouts.is_finite(x):
        return weighing(x)
    up, down, unknown = (
        weighing(kind.astype(x.dtype)) > 0 for kind in (x == np.inf, x == -np.inf, xp.isnan(x))
    )
    y = weighing(xp.where(xp.isfinite(x), x, 0))
    y = xp.where(up, y.dtype.type(np.inf), xp.where(down, y.dtype.type(-np.inf), y))
    return xp.where(unknown | up & down, y.dtype.type(np.nan), y)


# --- Checks --------------------------------------------------------------------------------------


def checked_regions(features, boxes, image_index, size, scale):
    """Check what both layers take; return the module, the arrays, the size and the scale."""
    xp, features, boxes, index = checks.numeric_arrays(
        features=features, boxes=boxes, image_index=image_index
    )
    checks.axes("features", features, "NCHW", may_be_empty="N")
    checks.given("image_index", index)
    boxes = as_boxes("boxes", boxes, several=True)
    index = index.reshape(0).astype(np.intp) if index.size == 0 else index
    checks.shape("image_index", index, (len(boxes),))
    checks.class_numbers("image_index", index, len(features))
    finite("boxes", boxes)
    in_order("boxes", boxes)
    size = checks.pair("size", size)
    return xp, features, boxes, index.astype(np.intp, copy=False), size, positive_scale(scale)


def positive_scale(scale):
    """Return the cells per pixel as a float."""
    scale = checks.number("scale", scale, least=0)
    if not 0 < scale < math.inf:
        raise ValueError(f"scale must be a finite number above 0, got {scale:g}")
    return scale
