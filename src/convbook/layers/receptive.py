"""How far a number in the middle of a network sees: its receptive field in the picture.

Along each axis, position i of a layer's output reads some positions of its input, from a first one
to a last one; `Layer.window` says which. One after the other, these windows lead back to the pixels
of the picture. The picture is taken to go on beyond its edges, so that the field of a number at the
edge is as large as any other, and may be larger than the picture.

Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill,
2019, have the formulas for layers that do not enlarge; here the positions are followed one by one,
which also tells what happens behind a layer that does.
"""

import math
from typing import NamedTuple


class Window(NamedTuple):
    """How positions of an output read those of the input, along one axis.

    Attributes
    ----------
    size, stride, padding, dilation : int
        As in `convbook.functional.conv2d`; of the padding, what lies before the first position.
    up : int
        By how much the output is larger: the stride of a transposed convolution, whose `stride`
        here is 1.
    """

    size: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    up: int = 1

    def span(self, position):
        """Return the first and the last position of the input that one of the output reads."""
        if self.up == 1:
            first = position * self.stride - self.padding
            return first, first + self.dilation * (self.size - 1)
        # Input i is laid down on the outputs i·up - padding and the `size` - 1 that follow.
        last = (position + self.padding) // self.up
        return min(last, -((self.size - 1 - self.padding - position) // self.up)), last


class Reach:
    """Which pixels the positions along an axis depend on.

    Parameters
    ----------
    spans : list of (first, last)
        The pixels of positions 0, 1, …, P - 1.
    shift : int
        By how many pixels those of position i + P lie further than those of position i.
    """

    def __init__(self, spans=((0, 0),), shift=1):
        self.spans, self.shift = list(spans), shift

    def at(self, position):
        """Return the first and the last pixel that a position depends on."""
        turns, phase = divmod(position, len(self.spans))
        first, last = self.spans[phase]
        return first + turns * self.shift, last + turns * self.shift

    def through(self, window):
        """Return the reach of what reads these positions through a window."""
        period, read = len(self.spans), window.stride
        repeats = period // math.gcd(period, read)  # so many steps until the phase is the same
        spans = []
        for position in range(window.up * repeats):
            first, last = window.span(position)
            spans.append((self.at(first)[0], self.at(last)[1]))
        return Reach(spans, self.shift * (read * repeats // period))

    def joined(self, other):
        """Return the reach of what reads both; None if their positions do not lie side by side."""
        period = math.lcm(len(self.spans), len(other.spans))
        mine, theirs = ([reach.at(i) for i in range(period + 1)] for reach in (self, other))
        shift, its_shift = (spans[-1][0] - spans[0][0] for spans in (mine, theirs))
        if shift != its_shift:
            return None
        pairs = zip(mine[:-1], theirs[:-1])
        return Reach([(min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs], shift)

    @property
    def size(self):
        """int : how many pixels a position sees, where it is most."""
        return max(last - first + 1 for first, last in self.spans)


# The reach of an array: a `Reach` for each axis, WHOLE, or None if it is not known.
WHOLE = "whole"


def of_picture(shape):
    """Return the reach of an input (C, H, W), whose every pixel sees itself; else None."""
    return (Reach(), Reach()) if len(shape) == 3 else None


def after(layer, reaches):
    """Return the reach of a layer's output, given those of its inputs."""
    reach = together(reaches)
    windows = [layer.window(axis) for axis in (0, 1)]
    if WHOLE in windows or reach == WHOLE:
        return WHOLE
    if reach is None or None in windows:
        return None
    return tuple(map(Reach.through, reach, windows))


def together(reaches):
    """Return the reach of what depends on all of them."""
    reaches = list(reaches)
    if not reaches or None in reaches:
        return None
    if WHOLE in reaches:
        return WHOLE
    (height, width), *others = reaches
    for other in others:
        height, width = height and height.joined(other[0]), width and width.joined(other[1])
    return None if height is None or width is None else (height, width)


def field(reach):
    """Return the receptive field as (height, width): infinite if it is all, None if unknown."""
    if reach == WHOLE:
        return math.inf, math.inf
    return None if reach is None else (reach[0].size, reach[1].size)
