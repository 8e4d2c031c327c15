"""From a drawing to a picture of 28 × 28 pixels as those of MNIST are.

MNIST's digits were scaled to fit into 20 × 20 pixels, with their proportions kept and grey values
from averaging, and then moved so that their centre of mass lies in the middle of 28 × 28 pixels
(LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; LeCun et al.,
"Gradient-based learning applied to document recognition", 1998). A network that learned from such
pictures expects no others.

Here pictures are matrices (H, W) of floats: 0 is paper, 1 is ink. (`slant` takes many at once.)
"""

import numpy as np

from .. import checks
from ..arrays import get_array_module

PAD = 280  # cells along each side of the drawing pad: ten for each pixel of the result
BOX = 20
SIDE = 28
MIDDLE = 14  # the row and column where MNIST puts the centre of mass, counted from 0


def draw(strokes, size=PAD):
    """Return a picture of lines drawn with a round pen.

    Parameters
    ----------
    strokes : sequence of dict
        Each with "points", a sequence of (x, y), and "width", both in cells; x runs to the right
        and y downwards.
    size : int
        Height and width of the picture.

    Returns
    -------
    ndarray (size, size) of float64
        1 where the pen was, 0 elsewhere, and something between in the cells at a line's edge.
    """
    size = checks.integer("size", size, least=1)
    drawing = np.zeros((size, size))
    y, x = np.mgrid[:size, :size] + 0.5  # the cells' middles
    for stroke in strokes:
        points = np.asarray(stroke["points"], float)
        for start, end in zip(points, points[[*range(1, len(points)), -1]]):
            distance = distance_to_segment(x, y, start, end)
            np.maximum(drawing, np.clip(stroke["width"] / 2 - distance + 0.5, 0, 1), out=drawing)
    return drawing


def distance_to_segment(x, y, start, end):
    """Return how far the points (x, y) are from a straight line that ends at both its ends."""
    step = end - start
    length = max(step @ step, 1e-12)
    # Where on the line the nearest point is: 0 at its start, 1 at its end.
    along = np.clip(((x - start[0]) * step[0] + (y - start[1]) * step[1]) / length, 0, 1)
    return np.hypot(x - start[0] - along * step[0], y - start[1] - along * step[1])


def crop(image):
    """Return the smallest part of an image (H, W) that holds all its ink, and where it begins.

    Returns
    -------
    part : ndarray, a view
    top, left : int

    Raises
    ------
    ValueError
        If there is no ink.
    """
    image = matrix(image)
    rows, cols = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not len(rows):
        raise ValueError("image must have some ink, got one that is zero everywhere")
    return image[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1], int(rows[0]), int(cols[0])


def resize(image, shape):
    """Return an image (H, W) in another shape: each new pixel is the average of what it covers."""
    image = matrix(image)
    return shares(len(image), shape[0]) @ image @ shares(image.shape[1], shape[1]).T


def shares(size, new_size):
    """Return the part (new_size, size) that each old cell has in each new one, along one axis."""
    edges = np.arange(new_size + 1) * (size / new_size)  # of the new cells, in old ones
    old = np.arange(size)
    covered = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.maximum(covered, 0) * (new_size / size)


def fit_to_box(image, size=BOX):
    """Return the ink of an image (H, W), scaled so that its longer side has `size` pixels."""
    part, _, _ = crop(image)
    longest = max(part.shape)
    return resize(part, [max(1, rounded(n * size / longest)) for n in part.shape])


def centre_by_mass(image, size=SIDE, middle=MIDDLE):
    """Return an image (H, W) in one of size × size, its centre of mass at (middle, middle).

    It is moved by whole pixels, as in MNIST, and never beyond the edge.
    """
    image = matrix(image)
    mass = image.sum()
    if mass == 0:
        raise ValueError("image must have some ink, got one that is zero everywhere")
    row = (image.sum(axis=1) @ np.arange(image.shape[0])) / mass
    col = (image.sum(axis=0) @ np.arange(image.shape[1])) / mass
    return place(image, rounded(middle - row), rounded(middle - col), size)


def place(image, top, left, size=SIDE):
    """Return an image (H, W) in an empty one of size × size, moved inside where it sticks out."""
    image = matrix(image)
    h, w = image.shape
    if max(h, w) > size:
        raise ValueError(f"image must not be larger than {size} × {size}, got {h} × {w}")
    top, left = np.clip([top, left], 0, [size - h, size - w])
    placed = np.zeros((size, size))
    placed[top : top + h, left : left + w] = image
    return placed


def prepare(drawing, scale=True, centre=True):
    """Return a drawing as a picture of 28 × 28 pixels.

    Parameters
    ----------
    drawing : array_like (H, W)
        Ink on paper, from 0 to 1, square.
    scale : bool
        Whether the ink is scaled to fit into 20 × 20 pixels, as in MNIST; if not, the whole
        drawing is made smaller.
    centre : bool
        Whether its centre of mass is put in the middle, as in MNIST; if not, it stays where it was
        drawn.

    Returns
    -------
    ndarray (28, 28) of uint8
        0 is paper, 255 is ink.
    """
    drawing = matrix(drawing)
    if not drawing.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    if scale:
        picture = fit_to_box(drawing)
        part, top, left = crop(drawing)
        # The middle of the ink, in pixels of the result.
        middle = (np.array([top, left]) + np.array(part.shape) / 2) * SIDE / drawing.shape
        top, left = (rounded(m - n / 2) for m, n in zip(middle, picture.shape))
    else:
        picture, top, left = crop(resize(drawing, (SIDE, SIDE)))
    picture = centre_by_mass(picture) if centre else place(picture, top, left)
    return np.floor(255 * picture + 0.5).astype(np.uint8)


def rounded(value):
    """Return the nearest int, the larger one of two; Python's own `round` would take the even."""
    return int(np.floor(value + 0.5))


def matrix(image):
    """Return an image as a float64 array with two axes."""
    _, image = checks.numeric_arrays(image=image)
    checks.axes("image", image, "HW")
    return image.astype(np.float64, copy=False)


def slant(images):
    """Return how far each digit leans: columns to the left per row downwards, fitted to its ink.

    Parameters
    ----------
    images : array (N, 1, H, W)
        Bright on black.

    Returns
    -------
    array (N,) of the images' dtype
        0 for an upright digit, positive for one that leans to the right, as handwriting mostly
        does.
    """
    xp = get_array_module(images)
    ink = images[:, 0] / images[:, 0].sum(axis=(1, 2), keepdims=True)
    rows, columns = xp.indices(images.shape[2:]).astype(images.dtype)
    down = rows - (ink * rows).sum(axis=(1, 2))[:, None, None]
    right = columns - (ink * columns).sum(axis=(1, 2))[:, None, None]
    return -(ink * down * right).sum(axis=(1, 2)) / (ink * down * down).sum(axis=(1, 2))
