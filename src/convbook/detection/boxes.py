"""Boxes: their overlap, what is left of them inside a picture, and their code beside an anchor.

A box is (y0, x0, y1, x1): its upper, left, lower and right *edge*, in pixels. Edges lie between
pixels: a box around the pixel in row 3 and column 5 alone is (3, 5, 4, 6), and its area is 1. A box
whose edges meet or have changed places is empty, its area 0.
"""

import math

import numpy as np

from .. import checks
from ..arrays import cast, float_and_work_dtype, get_array_module

HUGE = 2.0**60  # beyond it an area may be more than a float32 can hold
LIMIT = 1000 / 16  # a code stretches an anchor, and moves it by its own size, so many times at most
SPREAD = (0.1, 0.1, 0.2, 0.2)  # what codes are divided by, so that they spread about as widely as 1


# --- Overlap -------------------------------------------------------------------------------------


def area(boxes):
    """Return the area of every box: an array (R,) for (R, 4), a number's array for (4,)."""
    _, boxes = box_arrays(boxes=boxes)
    return _area(boxes)


def iou(a, b):
    """Return the intersection over union of every box of `a` with every box of `b`.

    The area that two boxes have in common, divided by the area that they cover together: 1 if they
    are the same, 0 if they are apart or only touch. With an empty box it is 0.

    Parameters
    ----------
    a : array (A, 4), or (4,) for one box
    b : array (B, 4), or (4,) for one box

    Returns
    -------
    array (A, B)
        Without the axis of what was one box. Floats keep their dtype; integers give float64.

    Raises
    ------
    TypeError, ValueError
        If these are no boxes. Infinity and NaN are refused where boxes are chosen, not here.
    """
    xp, a, b = box_arrays(a=a, b=b)
    result, work = float_and_work_dtype(a, b)
    a, b = cast(work, a, b)
    single = a.shape[:-1], b.shape[:-1]
    a, b = a.reshape(-1, 4), b.reshape(-1, 4)
    largest = max((float(abs(boxes).max()) for boxes in (a, b) if boxes.size), default=0.0)
    if HUGE < largest < math.inf:  # shares do not depend on the unit, and areas overflow
        a, b = a / largest, b / largest
    both = xp.ones((len(a), len(b)), work)
    for low, high in ((0, 2), (1, 3)):
        ends = xp.minimum(a[:, None, high], b[None, :, high])
        both *= xp.maximum(ends - xp.maximum(a[:, None, low], b[None, :, low]), 0)
    return _shares(xp, both, _area(a), _area(b)).astype(result, copy=False).reshape(sum(single, ()))


def mask_iou(a, b):
    """Return the intersection over union of every mask of `a` with every mask of `b`.

    Parameters
    ----------
    a : array (A, H, W) of booleans, or of numbers that are not 0 inside
    b : array (B, H, W)

    Returns
    -------
    array (A, B) of float64
        0 where both masks are empty.
    """
    xp, a, b = checks.numeric_arrays(a=a, b=b)
    for name, masks in (("a", a), ("b", b)):
        checks.axes(name, masks, ("count", "H", "W"), may_be_empty=("count",))
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"a and b must have masks of one size, got {a.shape} and {b.shape}")
    pixels = a.shape[1] * a.shape[2]
    a, b = ((masks != 0).reshape(len(masks), pixels).astype(np.float64) for masks in (a, b))
    return _shares(xp, a @ b.T, a.sum(axis=1), b.sum(axis=1))


def _area(boxes):
    xp = get_array_module(boxes)
    height, width = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return xp.maximum(height, 0) * xp.maximum(width, 0)


def _shares(xp, both, of_a, of_b):
    """Return what is common as a share of the union; of nothing, 0."""
    union = of_a[:, None] + of_b[None, :] - both
    return both / xp.where(union > 0, union, 1)


# --- In a picture --------------------------------------------------------------------------------


def clip_boxes(boxes, size):
    """Return the part of every box that lies inside a picture; one outside it becomes empty.

    Parameters
    ----------
    boxes : array (R, 4)
    size : (H, W), or an int for a square
    """
    xp, boxes = box_arrays(boxes=boxes)
    height, width = checks.pair("size", size)
    largest = xp.asarray([height, width, height, width], boxes.dtype)
    return xp.minimum(xp.maximum(boxes, 0), largest)


def boxes_of_masks(masks):
    """Return the smallest box around each mask: (R, H, W) becomes (R, 4), float32.

    An empty mask has the empty box (0, 0, 0, 0).
    """
    xp, masks = checks.numeric_arrays(masks=masks)
    checks.axes("masks", masks, ("count", "H", "W"), may_be_empty=("count",))
    masks, edges = masks != 0, []
    for axis in (2, 1):  # rows, then columns
        seen = masks.any(axis=axis)
        first, beyond = seen.argmax(axis=1), seen.shape[1] - seen[:, ::-1].argmax(axis=1)
        edges.append((first, beyond * seen.any(axis=1)))
    (y0, y1), (x0, x1) = edges
    return xp.stack([y0, x0, y1, x1], axis=1).astype(np.float32)


def flip_boxes(boxes, width):
    """Return the boxes in a picture whose left and right have changed places."""
    xp, boxes = box_arrays(boxes=boxes)
    width = checks.number("width", width, least=0)
    y0, x0, y1, x1 = (boxes[..., i] for i in range(4))
    return xp.stack([y0, width - x1, y1, width - x0], axis=-1)


# --- The code of a box beside an anchor ----------------------------------------------------------


def encode_boxes(boxes, anchors, spread=SPREAD):
    """Return how to move and stretch each anchor so that it becomes its box.

    With the centre (y, x), the height h and the width w of the box, and the same with an index a
    for the anchor, the code is (y - y_a) / h_a, (x - x_a) / w_a, log(h / h_a), log(w / w_a), each
    divided by its number in `spread`: Ren et al., "Faster R-CNN", NIPS 2015. What lies beyond
    `LIMIT` is cut off there, so that an empty box has a finite code and training goes on.

    Parameters
    ----------
    boxes, anchors : array (R, 4)
    spread : four floats

    Returns
    -------
    array (R, 4)
        Floats keep their dtype; integers give float64.

    Raises
    ------
    ValueError
        If an anchor is empty, a box has upper and lower (or left and right) edge in the wrong
        order, or a number is infinite or NaN.
    """
    xp, boxes, anchors, spread = _coding(spread, boxes=boxes, anchors=anchors)
    result, work = float_and_work_dtype(boxes, anchors)
    boxes, anchors = cast(work, boxes, anchors)
    finite("boxes", boxes)
    in_order("boxes", boxes)
    (centres, sizes), (own_centres, own_sizes) = _halves(boxes), _halves(anchors)
    moves = xp.clip((centres - own_centres) / own_sizes, -LIMIT, LIMIT)
    stretches = xp.log(xp.clip(sizes / own_sizes, 1 / LIMIT, LIMIT))
    codes = xp.concatenate([moves, stretches], axis=1) / xp.asarray(spread, work)
    return codes.astype(result, copy=False)


def decode_boxes(codes, anchors, spread=SPREAD):
    """Return the boxes that these codes make of the anchors: the way back of `encode_boxes`.

    A network that has learnt little says wild things: exp(100) is more than a float32 can hold.
    Each stretch is therefore cut off at `LIMIT`, 62.5 times, and so is each move.

    Parameters
    ----------
    codes : array (R, 4)
    anchors : array (R, 4)
    spread : four floats

    Returns
    -------
    array (R, 4)

    Raises
    ------
    ValueError
        If an anchor is empty, or a code is NaN: then the network's weights are ruined already.
    """
    xp, codes, anchors, spread = _coding(spread, codes=codes, anchors=anchors)
    result, work = float_and_work_dtype(codes, anchors)
    codes, anchors = cast(work, codes, anchors)
    if bool(xp.isnan(codes).any()):
        raise ValueError(
            f"codes must be numbers, got NaN in {int(xp.isnan(codes).any(axis=1).sum())} of "
            f"{len(codes)}: the network that said so has NaN among its weights or its inputs"
        )
    codes, (centres, sizes) = codes * xp.asarray(spread, work), _halves(anchors)
    centres = centres + xp.clip(codes[:, :2], -LIMIT, LIMIT) * sizes
    half = sizes * xp.exp(xp.clip(codes[:, 2:], -math.log(LIMIT), math.log(LIMIT))) / 2
    return xp.concatenate([centres - half, centres + half], axis=1).astype(result, copy=False)


def _halves(boxes):
    """Return centres (R, 2) and sizes (R, 2), vertical first."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]


def _coding(spread, **named):
    """Check what coding takes; return the module, both arrays, and the spread."""
    xp, first, anchors = box_arrays(**named)
    name = next(iter(named))
    if first.ndim != 2 or first.shape != anchors.shape:
        raise ValueError(
            f"{name} and anchors must have one shape (R, 4), got {first.shape} and {anchors.shape}"
        )
    finite("anchors", anchors)
    sizes = anchors[:, 2:] > anchors[:, :2]
    if not bool(sizes.all()):
        raise ValueError(
            "anchors must have a height and a width above 0, got "
            f"{int((~sizes.all(axis=1)).sum())} empty of {len(anchors)}"
        )
    if not hasattr(spread, "__len__") or len(spread) != 4:
        raise ValueError(f"spread must hold four numbers, got {spread!r}")
    spread = tuple(checks.number("spread", s, least=1e-6, most=1e6) for s in spread)
    return xp, first, anchors, spread


# --- Checks --------------------------------------------------------------------------------------


def box_arrays(**named):
    """Return the array module and the boxes as arrays (..., 4); an empty list is no boxes."""
    xp, *arrays = checks.numeric_arrays(**named)
    return xp, *(as_boxes(name, array) for name, array in zip(named, arrays))


def as_boxes(name, array, several=False):
    """Return an array as boxes (R, 4), or (4,) unless there must be `several`; floats."""
    one = "" if several else ", or (4,) for one"
    if array is None or array.ndim not in (1, 2) or (array.shape[-1] != 4 and array.size):
        raise ValueError(
            f"{name} must have shape (R, 4){one}, got {None if array is None else array.shape}"
        )
    if array.size == 0:
        array = array.reshape(0, 4)
    if several and array.ndim != 2:
        raise ValueError(f"{name} must have shape (R, 4), got {array.shape}")
    # Differences of unsigned integers would begin anew at zero.
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def finite(name, array):
    """Check that an array (R, ...) holds no infinity and no NaN."""
    xp = get_array_module(array)
    good = xp.isfinite(array)
    if not bool(good.all()):
        wrong = int((~good.reshape(len(array), -1).all(axis=1)).sum())
        raise ValueError(
            f"{name} must hold finite numbers, got infinity or NaN in {wrong} of {len(array)}"
        )


def in_order(name, boxes):
    """Check that no box has its edges in the wrong order; they may meet."""
    wrong = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    if bool(wrong.any()):
        first = boxes[int(wrong.argmax())]
        raise ValueError(
            f"{name} must have y0 <= y1 and x0 <= x1, as (y0, x0, y1, x1), got "
            f"({', '.join(f'{float(v):g}' for v in first)}), and {int(wrong.sum())} such "
            f"of {len(boxes)}"
        )
