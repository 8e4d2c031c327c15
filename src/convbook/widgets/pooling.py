"""PoolingExplorer: the largest or the average number of every window, channel by channel."""

import numpy as np
import traitlets

from convbook.functional import avg_pool2d, max_pool2d

from .base import BookWidget, Numbers, Whole, table

# The course's example, and a second channel with a tie and a window of negative numbers.
COURSE = [[1, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]]
SECOND = [[0, 2, -1, 3], [4, 1, 3, 0], [-2, 5, -3, -4], [1, 0, -1, -2]]


class Channels(Numbers):
    """A trait that holds a stack of matrices; a single matrix is taken as a stack of one."""

    def validate(self, obj, value):
        try:
            single = np.ndim(value) == 2
        except ValueError:  # rows of unequal lengths: reported by the line below
            single = False
        return super().validate(obj, [value] if single else value)


class PoolingExplorer(BookWidget, module="pooling.js"):
    """Slide a window over every channel and keep its largest number, or its average.

    Parameters
    ----------
    x : array_like, shape (C, H, W) or (H, W)
        Input, at most 3 channels of 8 × 8.
    kind : {"max", "average"}
        What becomes of a window.
    kernel_size, stride : int
        As in `convbook.functional.max_pool2d`, the same along both axes; from 1 to 4.
    channel, row, col : int
        The output cell whose window is shown.

    Examples
    --------
    >>> w = PoolingExplorer(kind="average")
    >>> w.stride = 1
    >>> w.output[0]
    array([[ 3.5,  4.5,  5.5],
           [10.5, 10.5, 10.5],
           [13.5, 12.5, 11.5]])
    """

    x = Channels([COURSE, SECOND], ndim=3, largest=(3, 8, 8)).tag(sync=True)
    kind = traitlets.Enum(["max", "average"], "max").tag(sync=True)
    kernel_size = Whole(2, 1, 4).tag(sync=True)
    stride = Whole(2, 1, 4).tag(sync=True)
    channel = Whole(0, 0, 2).tag(sync=True)
    row = Whole(0, 0, 7).tag(sync=True)
    col = Whole(0, 0, 7).tag(sync=True)

    @property
    def output(self):
        """ndarray, shape (C, OH, OW) : the pooled channels that the figure shows.

        Raises
        ------
        ValueError
            If the window does not fit into the input.
        """
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return pool(np.asarray(self.x)[None], self.kernel_size, self.stride)[0]

    def plain(self):
        window = f"{self.kernel_size} × {self.kernel_size}"
        settings = f"{self.kind} pooling, window {window}, stride {self.stride}"
        try:
            output = self.output
        except ValueError as error:
            inputs = "".join(table(f"X[{c}]", x) for c, x in enumerate(self.x))
            return f"{inputs}<p>{settings}: {error}</p>"
        channels = "".join(
            f"{table(f'X[{c}]', x)} → {table(f'Y[{c}]', output[c])}" for c, x in enumerate(self.x)
        )
        return f"{channels}<p>{settings}</p>"
