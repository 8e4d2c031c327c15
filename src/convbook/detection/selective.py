"""Selective search: regions worth a look, from colours alone, without anything learnt.

What R-CNN's regions came from before networks proposed them: Uijlings et al., "Selective search for
object recognition", IJCV 2013. There it begins with segments of like colour and compares colours,
textures, sizes and how well two segments fit into each other; here it begins with square blocks,
and leaves textures out.
"""

import heapq

import numpy as np

from .. import checks
from ..arrays import to_numpy
from .boxes import finite

# How much size and fit count beside colour. What one order of joining misses, another may find.
WAYS = ((0.5, 0.5), (0.5, 4.0), (10.0, 10.0))


def selective_search(image, block=3, least=5.0, most=0.85, ways=WAYS):
    """Return boxes of regions that may be things.

    The picture is cut into blocks. Of all neighbours the two that are most alike are joined, again
    and again, until one region is left; the box of every region that there was on the way is
    returned. Two regions are alike if their colours are; small ones are joined first, and those
    that fill their common box. The whole is done several times, with other weights for these.

    Parameters
    ----------
    image : array (3, H, W), values from 0 to 1
    block : int
        Side of the blocks, in pixels.
    least : float
        What is lower or narrower, in pixels, is left out.
    most : float
        And what is higher or wider than this share of the picture.
    ways : sequence of pairs
        How much the size of two regions counts, and the empty part of their common box, both as
        shares of the picture, beside the differences of their colours.

    Returns
    -------
    numpy.ndarray (R, 4), float32
        No box twice; sorted by y0, x0, y1, x1.
    """
    _, image = checks.numeric_arrays(image=to_numpy(image))
    checks.axes("image", image, ("3", "H", "W"))
    checks.shape("image", image, (3, *image.shape[1:]))
    finite("image", image)
    block = checks.integer("block", block, least=1)
    least = checks.number("least", least, least=0)
    most = checks.number("most", most, least=0, most=1)
    ways = [tuple(checks.number("ways", v, least=0) for v in way) for way in ways]
    found = [_boxes_on_the_way(image.astype(np.float64), block, *way) for way in ways]
    boxes = np.unique(np.concatenate([np.zeros((0, 4), np.float32), *found]), axis=0)
    sizes = boxes[:, 2:] - boxes[:, :2]
    largest = most * np.array(image.shape[1:])
    return boxes[((sizes >= least) & (sizes <= largest)).all(axis=1)]


def _boxes_on_the_way(image, block, of_size, of_fit):
    """Join neighbours until one region is left; return the boxes of all regions, (R, 4)."""
    regions, neighbours = _blocks(image, block)
    area = image.shape[1] * image.shape[2]

    def unlike(i, j):
        a, b = regions[i], regions[j]
        joined = a.size + b.size
        empty = _extent(_around(a.box, b.box)) - joined
        return np.abs(a.colour - b.colour).sum() + (of_size * joined + of_fit * empty) / area

    queue = [(unlike(i, j), i, j) for i in neighbours for j in neighbours[i] if i < j]
    heapq.heapify(queue)
    while queue:
        _, i, j = heapq.heappop(queue)
        if i not in neighbours or j not in neighbours:
            continue  # one of them has become part of another region
        new = len(regions)
        regions.append(regions[i].joined(regions[j]))
        around = (neighbours.pop(i) | neighbours.pop(j)) - {i, j}
        neighbours[new] = around
        for k in around:
            neighbours[k] = (neighbours[k] - {i, j}) | {new}
            heapq.heappush(queue, (unlike(k, new), k, new))
    return np.array([region.box for region in regions], np.float32)


class Region:
    """A part of the picture.

    Attributes
    ----------
    box : (y0, x0, y1, x1)
    size : float
        In pixels.
    colour : array (3,)
        Its mean.
    """

    def __init__(self, box, size, colour):
        self.box, self.size, self.colour = box, size, colour

    def joined(self, other):
        """Return both as one."""
        size = self.size + other.size
        colour = (self.size * self.colour + other.size * other.colour) / size
        return Region(_around(self.box, other.box), size, colour)


def _blocks(image, block):
    """Return the blocks of a picture as regions, and a dict of the neighbours of each."""
    _, h, w = image.shape
    tops, lefts = range(0, h, block), range(0, w, block)
    regions, neighbours = [], {}
    for r, top in enumerate(tops):
        for c, left in enumerate(lefts):
            part = image[:, top : top + block, left : left + block].reshape(3, -1)
            box = top, left, min(top + block, h), min(left + block, w)
            regions.append(Region(box, float(part.shape[1]), part.mean(axis=1)))
            beside = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
            neighbours[r * len(lefts) + c] = {
                a * len(lefts) + b for a, b in beside if 0 <= a < len(tops) and 0 <= b < len(lefts)
            }
    return regions, neighbours


def _around(a, b):
    """Return the smallest box around two."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _extent(box):
    return (box[2] - box[0]) * (box[3] - box[1])
