"""How windows lie on an image: all that a convolution or a pooling knows beside the numbers."""

from typing import NamedTuple


class Geometry(NamedTuple):
    """The windows of a kernel on an image, checked and in full.

    Window (oh, ow) begins at row oh·SH and column ow·SW of the padded image, and its cell (fh, fw)
    lies fh·DH rows and fw·DW columns further.

    Attributes
    ----------
    kernel : (FH, FW)
    counts : (OH, OW)
        How many windows there are, along each axis.
    stride : (SH, SW)
    padding : ((top, bottom), (left, right))
    dilation : (DH, DW)
    groups : int
        Into so many groups channels and filters are split, which do not see each other.
    """

    kernel: tuple
    counts: tuple
    stride: tuple = (1, 1)
    padding: tuple = ((0, 0), (0, 0))
    dilation: tuple = (1, 1)
    groups: int = 1

    def padded(self, size):
        """Return the height and width of an image of size (H, W) with its padding."""
        return tuple(n + sum(sides) for n, sides in zip(size, self.padding))

    def inside(self, size):
        """Return the slices of a padded image that hold the image itself, of size (H, W)."""
        return tuple(slice(before, before + n) for n, (before, _) in zip(size, self.padding))
