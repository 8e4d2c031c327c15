"""SlicesExplorer: a filter with three axes slides through a volume or a video."""

import numpy as np
import traitlets

from convbook import checks
from convbook.functional import conv2d

from .base import BookWidget, Numbers, Whole, table
from .packed import packed, unpacked

LONGEST = 32


def ball_and_rod():
    """Return the first example: a small ball, and a rod through all slices, (9, 12, 12)."""
    t, h, w = np.indices((9, 12, 12)) - np.array([4, 3, 3])[:, None, None, None]
    ball = t**2 + h**2 + w**2 <= 2
    rod = np.maximum(abs(h - 5), abs(w - 5)) <= 1
    return (ball | rod).astype(float)


class SlicesExplorer(BookWidget, module="slices.js"):
    """Go through a volume slice by slice, or through a video frame by frame: input beside output.

    Parameters
    ----------
    x : array_like, shape (T, H, W), optional
        The input, at most 32 along each axis. It travels in 255 steps, so `x` and `output` are
        those of the rounded numbers; the error is half a step.
    f : array_like, shape (FT, FH, FW)
        The filter, at most 5 × 5 × 5.
    axis : "depth" or "time"
        What the first axis is: slices of a volume or frames of a video.
    step, row, col : int
        The output cell whose window is shown.

    Raises
    ------
    TypeError, ValueError
        If `x` does not hold finite numbers with three axes of 1 to 32.

    Examples
    --------
    >>> w = SlicesExplorer(np.eye(3).reshape(3, 1, 3), f=[[[1, -1]], [[-1, 1]]], axis="time")
    >>> w.output[:, 0].round(6)
    array([[ 2., -1.],
           [-1.,  2.]])
    """

    data = traitlets.Dict().tag(sync=True)
    f = Numbers(np.ones((1, 3, 3)), ndim=3, largest=(5, 5, 5)).tag(sync=True)
    axis = traitlets.Enum(("depth", "time"), "depth").tag(sync=True)
    step = Whole(0, 0, LONGEST - 1).tag(sync=True)
    row = Whole(0, 0, LONGEST - 1).tag(sync=True)
    col = Whole(0, 0, LONGEST - 1).tag(sync=True)

    def __init__(self, x=None, **kwargs):
        _, x = checks.numeric_arrays(x=ball_and_rod() if x is None else x)
        checks.axes("x", x, "THW")
        if max(x.shape) > LONGEST or not np.isfinite(x).all():
            raise ValueError(
                f"x must hold finite numbers, at most {LONGEST} along each axis, got "
                f"an array of shape {x.shape}"
            )
        super().__init__(data=packed(x, 255), **kwargs)

    @property
    def x(self):
        """ndarray, shape (T, H, W) : the input as it travels, rounded."""
        return unpacked(self.data)

    @property
    def output(self):
        """ndarray, shape (OT, OH, OW) : the numbers Y that the figure shows.

        Raises
        ------
        ValueError
            If the filter does not fit into the input.
        """
        x, f = self.x[:, None], np.asarray(self.f, float)
        ot = len(x) - len(f) + 1
        if ot < 1:
            raise ValueError(f"f must not be longer than the {len(x)} slices of x, got {len(f)}")
        return sum(conv2d(x[k : k + ot], f[None, None, k])[:, 0] for k in range(len(f)))

    def plain(self):
        name = "slice" if self.axis == "depth" else "frame"
        filters = "".join(table(f"F, {name} {k}", part) for k, part in enumerate(self.f))
        try:
            y = self.output
        except ValueError as error:
            return f"{filters}<p>{error}</p>"
        step = min(self.step, len(y) - 1)
        return f"{filters} = {table(f'Y, {name} {step} of {len(y)}', y[step])}"
