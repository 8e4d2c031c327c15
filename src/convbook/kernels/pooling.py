"""Pooling and its gradients as operations on whole arrays."""

import numpy as np

from . import masks
from .blocks import blocks


def fold(combine, x, geometry):
    """Combine the cells of every window with `combine`, first along H, then along W.

    The slice that begins at cell i and steps by the stride holds cell i of every window, so each
    of the FH + FW slices is one whole-array operation. H comes first because a whole row is one
    piece of memory in either layout.
    """
    for axis in (0, 1):
        stride = geometry.stride[axis]
        stop = stride * (geometry.counts[axis] - 1) + 1
        slices = [slice(i, i + stop, stride) for i in range(geometry.kernel[axis])]
        cells = [x[..., s] if axis == 1 else x[..., s, :] for s in slices]
        x = cells[0].copy(order="K")
        for cell in cells[1:]:
            combine(x, cell, out=x)
    return x


def cells(size, kernel, stride, before, count):
    """Yield where cell 0, 1, … of the windows along one axis lies, outside the padding.

    Yields
    ------
    inside, window : slices
        ``x[inside]`` is that cell of the windows ``y[window]``; the other windows have it in the
        padding.
    """
    for i in range(kernel):
        first = max(0, -((i - before) // stride))
        last = min(count, (size - 1 - i + before) // stride + 1)
        start = first * stride + i - before
        if last > first:
            yield slice(start, start + (last - first - 1) * stride + 1, stride), slice(first, last)


def _both_axes(x, geometry):
    """Return, for H and for W, the list of `cells`, and whether windows overlap or leave gaps."""
    axes = []
    for i, size in enumerate(x.shape[2:]):
        kernel, count, stride, (before, _) = (value[i] for value in geometry[:4])
        found = list(cells(size, kernel, stride, before, count))
        tiled = stride == kernel and size == stride * count and before == 0
        axes.append((found, not tiled))
    return axes


def max_pool_gradient(xp, dy, x, geometry):
    """Return dX: every element of dy at the first maximum of its window, in x's memory layout.

    Of NaNs, which count as the maximum, PyTorch chooses the last of the window. So do we.
    """
    down, across = _both_axes(x, geometry)
    dx = xp.empty_like(x, dtype=dy.dtype)
    for block in blocks(xp, x):
        x_, dy_ = x[block], dy[block]
        nan = _to_maxima(xp, dy_, x_, dx[block], down, across)
        if nan is not None:  # windows without a NaN, then those with one, from behind
            _to_maxima(
                xp,
                xp.where(nan, 0, dy_),
                xp.where(xp.isnan(x_), -np.inf, x_),
                dx[block],
                down,
                across,
            )
            rest = xp.empty_like(dx[block])
            _to_maxima(
                xp,
                xp.where(nan, dy_, 0),
                xp.isnan(x_),
                rest,
                (down[0][::-1], down[1]),
                (across[0][::-1], across[1]),
            )
            dx[block] += rest
    return dx


def _to_maxima(xp, dy, x, dx, down, across):
    """Fill dx with dy at the first maximum of each window; stop and return which are NaN, if any.

    The first row that holds the maximum decides, and in it the first cell. So the maxima of all
    rows are found first, then those of the windows, and dy goes back the same two steps.
    """
    # Copies, because arithmetic with every S-th column takes longer than copying them out once.
    columns = [x[..., inside].copy(order="K") for inside, _ in across[0]]
    of_rows = _maxima(xp, columns, across[0], dy.shape[3])
    rows = [of_rows.swapaxes(2, 3)[..., inside] for inside, _ in down[0]]
    best = _maxima(xp, rows, down[0], dy.shape[2])
    if x.dtype.kind == "f" and (nan := xp.isnan(best)).any():
        return nan.swapaxes(2, 3)
    d = xp.empty_like(of_rows, dtype=dy.dtype)
    _to_first(xp, dy.copy(order="K").swapaxes(2, 3), best, rows, d.swapaxes(2, 3), *down)
    _to_first(xp, d, of_rows, columns, dx, *across)


def _maxima(xp, parts, cells, count):
    """Return the largest of the given cells, along the last axis, of each of `count` windows."""
    if len(cells) > 1 and all(window == slice(0, count) for _, window in cells):
        best = xp.maximum(parts[0], parts[1])
        parts, cells = parts[2:], cells[2:]
    else:
        kind = parts[0].dtype
        least = -np.inf if kind.kind == "f" else 0 if kind.kind == "b" else np.iinfo(kind).min
        best = xp.full_like(parts[0], least, shape=(*parts[0].shape[:3], count))
    for part, (_, window) in zip(parts, cells):
        xp.maximum(best[..., window], part, out=best[..., window])
    return best


def _to_first(xp, dy, best, parts, dx, cells, irregular):
    """Fill dx with each element of dy at the first of the cells whose part equals `best`.

    dy holds what has not found its place yet, and is used up.
    """
    if irregular:
        dx[...] = 0
    bits = masks.as_bits(dy)  # so that what is taken out is gone, if it was infinite too
    for i, (inside, window) in enumerate(cells):
        part = bits[..., window]
        if i < len(cells) - 1:  # what is left at the last cell can belong nowhere else
            part = part * (parts[i] == best[..., window])
            bits[..., window] -= part
        part = part.view(dy.dtype)
        if irregular:
            dx[..., inside] += part
        else:
            dx[..., inside] = part


def avg_pool_gradient(xp, dy, x, geometry):
    """Return dX: every element of dy added to all cells of its window, in x's memory layout."""
    down, across = _both_axes(x, geometry)
    dx = xp.empty_like(x, dtype=dy.dtype)
    for block in blocks(xp, x):
        d = xp.empty_like(dx[block], shape=(*dx[block].shape[:3], dy.shape[3]))
        _to_all(dy[block].swapaxes(2, 3), d.swapaxes(2, 3), *down)
        _to_all(d, dx[block], *across)
    return dx


def _to_all(dy, dx, cells, irregular):
    """Fill dx with each element of dy at all of the cells."""
    if irregular:
        dx[...] = 0
    for inside, window in cells:
        if irregular:
            dx[..., inside] += dy[..., window]
        else:
            dx[..., inside] = dy[..., window]
