"""Convolution with 3×3 filters in a quarter of the multiplications: Winograd's algorithm.

Two polynomials can be multiplied by their values: evaluate both at as many points as their product
has coefficients, multiply value by value, and find the polynomial through the results. With 3 and
4 coefficients that takes six points, so six multiplications instead of 12. Transposed, the same
matrices give four outputs of a *correlation*, from a tile x of six inputs and three filter cells f:

    y = Aᵀ (G f · Bᵀ x)      G and A evaluate at the six points, B comes from the way back

Along both axes of an image: 36 multiplications for 4×4 outputs instead of 144. Bᵀ and Aᵀ are matrix
products too, but small, and they serve all filters; and the 36 values of all tiles, channels and
filters are 36 matrix products (tiles, C) @ (C, OC).

The detour costs some accuracy: in float32 the error is about 3e-6 of the largest output, without
it 5e-7. So float64 never comes here. And a NaN or an infinity in x reaches all outputs of its tile,
so that what `is_sound` refuses is to be computed in another way.

Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016. Their points are
0, ±1, ±2 and ∞; 1/2 in place of one 2 halves the error (Barabasz et al., "Error analysis and
improving the accuracy of Winograd convolution", ACM TOMS 2020).
"""

import numpy as np

from . import blocks
from .layouts import copy_channels_last, is_finite

POINTS = (0, 1, -1, 1 / 2, -2)  # and ∞, where the highest coefficient is the value


def evaluation(n):
    """Return the matrix (6, n) that turns n coefficients into the values at the six points."""
    return np.vstack([np.vander(POINTS, n, increasing=True), np.eye(n)[-1]])


G, A = evaluation(3), evaluation(4).astype(np.float32)
G_BOTH = np.kron(G, G).astype(np.float32)  # (36, 9): along H and W at once
B = np.linalg.inv(evaluation(6)).astype(np.float32)


def pays(n, f_shape, dtype, geometry):
    """Return whether a convolution is one for this module, and faster by it."""
    (oc, c, *size), counts = f_shape, geometry.counts
    tiles = -(-counts[0] // 4) * -(-counts[1] // 4)
    return (
        size == [3, 3]
        and geometry.stride == geometry.dilation == (1, 1)
        and geometry.groups == 1
        and dtype == np.float32
        and 16 <= min(c, oc)
        and max(c, oc) <= 128  # else transforms, or filters, weigh more
        and n * tiles >= 64
        and 12 * tiles <= counts[0] * counts[1]
    )  # tiles 3/4 full


def correlate(x, f, bias, geometry):
    """Return the correlation of x: (N, C, H, W) with f: (OC, C, 3, 3), as (N, OH, OW, OC)."""
    oc, c = f.shape[:2]
    y = np.empty((x.shape[0], *geometry.counts, oc), np.float32)
    filters = f.astype(np.float32, copy=False).transpose(2, 3, 1, 0).reshape(9, c * oc)
    filters = (G_BOTH @ filters).reshape(36, c, oc)
    for images, rows, values, memory, spare in _blocks(x, oc, geometry):
        number = values.shape[1]
        products = memory[: 36 * number * oc].reshape(36, number, oc)
        np.matmul(values, filters, out=products)
        if bias is not None:  # all powers of 1 are 1: so it is added to each of the 4×4 outputs
            products[6 * POINTS.index(1) + POINTS.index(1)] += bias
        part = y[images, rows]
        whole = _in_fours(part)
        tiles = _as_tiles(whole)
        tiles[...] = _both_axes(A.T, memory, spare, number * oc).reshape(tiles.shape)
        if whole is not part:
            part[...] = whole[:, : part.shape[1], : part.shape[2]]
    return y


def is_sound(y, f):
    """Return whether all of `correlate`'s result is finite; y is (N, OH, OW, OC).

    Whatever is not finite in a tile of x, in any channel, makes all outputs of that tile so. So it
    is enough to look at the first of each tile, and at the filters.
    """
    return is_finite(y[:, ::4, ::4, 0]) and is_finite(f)


def filter_gradient(dy, x, geometry):
    """Return dF: (OC, C, 3, 3) from dy: (N, OH, OW, OC).

    y depends on G f by Aᵀ (G f · Bᵀ x), so the gradient is Gᵀ (A dy · Bᵀ x), summed over all tiles.
    """
    oc, c = dy.shape[3], x.shape[1]
    df = np.zeros((36, c, oc), np.float32)
    for images, rows, values, memory, spare in _blocks(x, oc, geometry):
        number = values.shape[1]
        tiles = _as_tiles(_in_fours(dy[images, rows]))
        memory[: 16 * number * oc].reshape(tiles.shape)[...] = tiles
        slopes = _both_axes(A, memory, spare, number * oc).reshape(36, number, oc)
        df += values.transpose(0, 2, 1) @ slopes
    df = G_BOTH.T @ df.reshape(36, c * oc)
    return np.ascontiguousarray(df.reshape(3, 3, c, oc).transpose(3, 2, 0, 1))


def _blocks(x, oc, geometry):
    """Yield Bᵀ x of a few images at a time, or of some rows of tiles if an image is large.

    Yields
    ------
    images, rows : slices of the output (N, OH, OW, OC)
    values : (36, tiles, C); good until the next block, as is what follows
    memory, spare : room for (36, tiles, OC)
    """
    (n, c, h, w), counts = x.shape, geometry.counts
    down, across = -(-counts[0] // 4), -(-counts[1] // 4)  # tiles of 4×4 outputs
    block = blocks.block_size(np, n, down, 36 * (c + oc) * across * 4)
    number = block[0] * block[1] * across
    values = np.empty(36 * number * c, np.float32)
    memory = np.empty(36 * number * oc, np.float32)
    spare = np.empty(36 * number * max(c, oc), np.float32)
    frame = np.zeros((block[0], 4 * down + 2, 4 * across + 2, c), np.float32)
    inside = (slice(None), *geometry.inside((h, w)))
    seen = np.lib.stride_tricks.sliding_window_view(frame, (6, 6), (1, 2))[:, ::4, ::4]
    seen = seen.transpose(4, 5, 0, 1, 2, 3)  # (6, 6, images, down, across, C)
    for images, rows in blocks.parts(n, down, block):
        m = images.stop - images.start
        if rows.start == 0:
            copy_channels_last(x[images], frame[:m][inside])
        tiles = seen[:, :, :m, rows]
        size = tiles[0, 0].size
        values[: 36 * size].reshape(tiles.shape)[...] = tiles
        yield (
            images,
            slice(4 * rows.start, 4 * rows.stop),
            _both_axes(B.T, values, spare, size).reshape(36, -1, c),
            memory,
            spare,
        )


def _both_axes(matrix, memory, spare, size):
    """Turn each of the tiles (P, P, size) in memory into matrix · tile · matrixᵀ, (Q, Q, size)."""
    q, p = matrix.shape
    half = spare[: q * p * size].reshape(q, p * size)
    np.matmul(matrix, memory[: p * p * size].reshape(p, p * size), out=half)
    result = memory[: q * q * size].reshape(q, q, size)
    return np.matmul(matrix, half.reshape(q, p, size), out=result)


def _in_fours(a):
    """Return a: (M, H, W, K) if H and W are multiples of 4, else a copy with zeros up to them."""
    m, h, w, k = a.shape
    if h % 4 == w % 4 == 0:
        return a
    whole = np.zeros((m, h + -h % 4, w + -w % 4, k), a.dtype)
    whole[:, :h, :w] = a
    return whole


def _as_tiles(a):
    """Return a: (M, 4R, 4T, K) as a view (4, 4, M, R, T, K), the cells of its tiles first."""
    m, h, w, k = a.shape
    return a.reshape(m, h // 4, 4, w // 4, 4, k).transpose(2, 4, 0, 1, 3, 5)
