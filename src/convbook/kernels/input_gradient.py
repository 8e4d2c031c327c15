"""The gradient of a convolution's input, which is what a transposed convolution computes forward.

With stride 1 the input cell h reached the output cells oh = h + P - D·fh, so dX is again a
correlation, of dY with the flipped filters. With stride S only every S-th of these oh exists: the
cells of X fall into S² phases, by (h + P) and (w + P) modulo S, and each is a correlation of dY
with the filter cells that fit.
"""

import math

import numpy as np

from . import blocks, depthwise
from .columns import of_group
from .convolution import correlate
from .geometry import Geometry
from .layouts import images_of, is_finite

# With so many times more filters than channels it is less work to lay dY·F down than to copy dY.
MANY_FILTERS = 16
# Up to so many filters, copying dY once for all phases gains more than zeros in the filters cost.
FEW_FILTERS = 16


def input_gradient(xp, dy, f, shape, geometry):
    """Return dX of the given shape (N, C, H, W) from dy: pixels (N*OH*OW, OC)."""
    (oc, c, fh, fw), groups = f.shape, geometry.groups
    if oc // groups > MANY_FILTERS * c:
        return _laid_down(xp, dy, f, shape, geometry)
    if depthwise.fits(f.shape, geometry) and oc > groups:  # several filters for each channel
        several = oc // groups
        return sum(
            input_gradient(xp, dy[:, i::several], f[i::several], shape, geometry)
            for i in range(several)
        )
    images = images_of(dy, shape[0], geometry.counts)
    f = f.reshape(groups, oc // groups, c, fh, fw).swapaxes(1, 2)
    f = f.reshape(shape[1], oc // groups, fh, fw)  # channels and filters have changed places
    if geometry.stride != (1, 1) and geometry.dilation == (1, 1) and min(fh, fw) > 1:
        even = fh % geometry.stride[0] == fw % geometry.stride[1] == 0
        if even:
            return _phases_at_once(xp, images, f, shape, geometry)
        if xp is np and oc // groups <= FEW_FILTERS and groups == 1:
            dx = _phases_at_once(xp, images, f, shape, geometry)
            # Zeros that fill up filters turn an infinity into NaN, in all channels of its group.
            if is_finite(dx[:, ::c]):
                return dx
    return _phase_by_phase(xp, images, f, shape, geometry)


def _phase_by_phase(xp, images, f, shape, geometry):
    """Return dX, one correlation of dY with the flipped filters f: (C, OC, FH, FW) for each phase.

    With stride 1 there is only one phase, dX itself.
    """
    n, channels, h, w = shape
    down, across = (list(_phases(shape[2 + i], i, geometry)) for i in (0, 1))
    dx = None
    if geometry.stride != (1, 1):  # cells that no filter cell reached stay 0
        dx = xp.zeros((n, h, w, channels), images.dtype).transpose(0, 3, 1, 2)
    for rows, cells_v, cut_v, frame_v, dilation_v, count_v in down:
        for columns, cells_h, cut_h, frame_h, dilation_h, count_h in across:
            cells = f[:, :, cells_v, cells_h][..., ::-1, ::-1]
            part = correlate(
                xp,
                images[:, :, cut_v, cut_h],
                cells,
                None,
                images.dtype,
                Geometry(
                    cells.shape[2:],
                    (count_v, count_h),
                    padding=(frame_v, frame_h),
                    dilation=(dilation_v, dilation_h),
                    groups=geometry.groups,
                ),
            )
            if dx is None:
                return part
            dx[:, :, rows, columns] = part
    return dx


def _phases(size, axis, geometry):
    """Yield, along one axis, the phases of dX that a filter cell reaches; the others are zero.

    Cell h of X, framed at h + P = q·S + r, was used by filter cell k for output cell
    (h + P - k·D) / S, if that is whole. For one r these k are S / gcd(S, D) apart, and q + 1
    takes us to the next output cell: a correlation with stride 1 and dilation D / gcd(S, D).

    Yields
    ------
    rows : slice, where the phase lies in X
    cells : slice, its filter cells, which are to be flipped
    cut, frame : slice and (before, after), the part of dY to use and the zeros to put around it
    dilation, count : int, of the correlation
    """
    kernel, count, stride, (before, _), dilation = (value[axis] for value in geometry[:5])
    common = math.gcd(stride, dilation)
    for r in range(stride):
        cells = [k for k in range(kernel) if (r - k * dilation) % stride == 0]
        q = -((r - before) // stride)  # the first that is not in the padding
        first = q * stride + r - before
        if not cells or first >= size:
            continue
        start = q + (r - cells[-1] * dilation) // stride  # the first cell of dY that is seen
        number = (size - 1 - first) // stride + 1
        stop = start + number + (len(cells) - 1) * dilation // common
        yield (
            slice(first, size, stride),
            slice(cells[0], None, stride // common),
            *_cut(start, stop, count),
            dilation // common,
            number,
        )


def _cut(start, stop, count):
    """Return cells start to stop of an axis as a slice of its `count`, and zeros around them."""
    return slice(max(0, start), max(0, stop)), (max(0, -start), max(0, stop - count))


def _phases_at_once(xp, images, f, shape, geometry):
    """Return dX by correlating dY once, with the filters f: (C, OC, FH, FW) of all phases.

    Rows q·S to q·S + S - 1 of the padded X were seen by the same cells q, q - 1, … of dY: row
    q·S + r by filter cell r for output q, by filter cell r + S for output q - 1, and so on. So the
    S·S phases of C channels are S·S·C channels of one correlation, whose pixels are then spread
    over S × S cells of dX. Phases with fewer filter cells are filled up with zeros.
    """
    (n, channels, h, w), (sh, sw), groups = shape, geometry.stride, geometry.groups
    c, oc = channels // groups, f.shape[1]
    jh, jw = (-(-k // s) for k, s in zip(geometry.kernel, geometry.stride))
    filters = xp.zeros((groups, sh, sw, c, oc, jh, jw), f.dtype)
    for r in range(sh):
        for s in range(sw):
            cells = f[:, :, r::sh, s::sw][..., ::-1, ::-1]
            down, across = jh - cells.shape[2], jw - cells.shape[3]
            filters[:, r, s, :, :, down:, across:] = cells.reshape(groups, c, *cells.shape[1:])
    (top, _), (left, _) = geometry.padding
    first_v, first_h = top // sh, left // sw
    number_v, number_h = (top + h - 1) // sh - first_v + 1, (left + w - 1) // sw - first_h + 1
    cut_v, frame_v = _cut(first_v - jh + 1, first_v + number_v, geometry.counts[0])
    cut_h, frame_h = _cut(first_h - jw + 1, first_h + number_h, geometry.counts[1])
    once = Geometry((jh, jw), (number_v, number_h), padding=(frame_v, frame_h), groups=groups)
    images, filters = images[:, :, cut_v, cut_h], filters.reshape(-1, oc, jh, jw)
    dx = xp.empty((n, h, w, channels), images.dtype)
    row_bytes = 2 * number_h * sh * sw * channels * dx.itemsize
    step, _ = blocks.block_size(xp, n, number_v, row_bytes)
    down, across = top - first_v * sh, left - first_h * sw
    for part in (slice(i, i + step) for i in range(0, n, step)):
        y = correlate(xp, images[part], filters, None, images.dtype, once).transpose(0, 2, 3, 1)
        y = y.reshape(-1, number_v, number_h, groups, sh, sw, c).transpose(0, 1, 4, 2, 5, 3, 6)
        y = xp.ascontiguousarray(y).reshape(-1, number_v * sh, number_h * sw, channels)
        dx[part] = y[:, down : down + h, across : across + w]
    return dx.transpose(0, 3, 1, 2)


def _laid_down(xp, dy, f, shape, geometry):
    """Return dX as the filters times dY, laid down and added up.

    Every pixel of dY gives C·FH·FW products; cell (fh, fw) of all of them is one slice of dX.
    """
    (n, channels, h, w), (oc, c, fh, fw), groups = shape, f.shape, geometry.groups
    oh, ow = geometry.counts
    matrices = f.reshape(groups, oc // groups, -1).transpose(0, 2, 1)
    dy = dy.reshape(n, oh, ow, oc)
    size = blocks.block_size(xp, n, oh, ow * (c * fh * fw + oc) * dy.itemsize)
    dx = xp.empty((n, h, w, channels), dy.dtype).transpose(0, 3, 1, 2)
    inside = (slice(None), slice(None), *geometry.inside((h, w)))
    for images, rows in blocks.parts(n, oh, size):
        m, r = images.stop - images.start, rows.stop - rows.start
        if rows.start == 0:
            frame = xp.zeros((channels, m, *geometry.padded((h, w))), dy.dtype)
        for g in range(groups):
            part = dy[images, rows, :, of_group(g, groups, oc)]
            products = matrices[g] @ part.reshape(m * r * ow, -1).T
            products = products.reshape(c, fh, fw, m, r, ow)
            below = frame[of_group(g, groups, channels), :, geometry.stride[0] * rows.start :]
            seen = blocks.windows(xp, below, geometry._replace(counts=(r, ow)))
            for i in range(fh):
                for j in range(fw):
                    seen[:, :, i, j] += products[:, i, j]
        if rows.stop == oh:
            dx[images] = frame[inside].swapaxes(0, 1)
    return dx
