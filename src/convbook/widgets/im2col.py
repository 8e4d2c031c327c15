"""Im2colExplorer: two ways of copying all windows of a matrix side by side."""

import numpy as np
import traitlets

from convbook.functional import im2col

from .base import BookWidget, Numbers, Whole, refit, table


class KernelSize(traitlets.TraitType):
    """A trait that holds [FH, FW], whole numbers from 1 to ``high``; an int stands for both."""

    def __init__(self, default, high, **kwargs):
        self.high = high
        super().__init__(default_value=default, **kwargs)

    def make_dynamic_default(self):
        return list(self.default_value)  # a fresh list for each widget

    def validate(self, obj, value):
        pair = list(value) if isinstance(value, (list, tuple)) else [value, value]
        whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in pair)
        if len(pair) != 2 or not whole or not all(1 <= v <= self.high for v in pair):
            raise traitlets.TraitError(
                f"{self.name} must be a whole number from 1 to {self.high}, or a pair of them "
                f"(FH, FW); got {value!r}."
            )
        return [int(v) for v in pair]


class Im2colExplorer(BookWidget, module="im2col.js"):
    """Build the columns of a convolution turn by turn, and multiply them with the filter.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, at most 6 × 6.
    f : array_like, shape (FH, FW)
        Filter; cut, or filled up with ones, when it has not the shape `kernel_size`.
    kernel_size : int or pair of int
        (FH, FW), each from 1 to 4.
    stride, padding : int
        As in `convbook.functional.im2col`, the same along both axes.
    method : {"output", "filter"}
        The loop that is shown: over the output positions, which copies one window in each turn, or
        over the filter positions, which copies one strided slice in each turn.
    step : int
        The turn of the loop that is shown, from 0.
    row, col : int
        The output cell whose row of the matrix product is shown.

    Examples
    --------
    >>> w = Im2colExplorer(kernel_size=2, stride=2)
    >>> w.output
    array([[ 1,  2,  5,  6],
           [ 3,  4,  7,  8],
           [ 9, 10, 13, 14],
           [11, 12, 15, 16]])
    """

    x = Numbers(np.arange(1, 17).reshape(4, 4), largest=(6, 6)).tag(sync=True)
    f = Numbers([[1, 1, 1], [2, 0, 1], [-1, -1, 0]], largest=(4, 4)).tag(sync=True)
    kernel_size = KernelSize([3, 3], high=4).tag(sync=True)
    stride = Whole(1, 1, 4).tag(sync=True)
    padding = Whole(0, 0, 2).tag(sync=True)
    method = traitlets.Enum(["output", "filter"], "output").tag(sync=True)
    step = Whole(0, 0, 99).tag(sync=True)
    row = Whole(0, 0, 9).tag(sync=True)
    col = Whole(0, 0, 9).tag(sync=True)

    @traitlets.validate("f")
    def _fit_filter(self, proposal):
        return refit(proposal["value"], self.kernel_size)

    @traitlets.observe("kernel_size")
    def _refit_filter(self, change):
        self.f = self.f

    @property
    def output(self):
        """ndarray, shape (OH*OW, FH*FW) : the columns that the figure builds.

        Raises
        ------
        ValueError
            If the filter does not fit into the padded input.
        """
        x = np.asarray(self.x)[None, None]
        return im2col(x, tuple(self.kernel_size), self.stride, self.padding)

    def plain(self):
        settings = f"stride {self.stride}, padding {self.padding}"
        x, f = table("X", self.x), table("F", self.f)
        try:
            columns = self.output
        except ValueError as error:
            return f"{x}{f}<p>{settings}: {error}</p>"
        weights = np.asarray(self.f).reshape(-1, 1)
        columns_by_weights = f"{table('columns', columns)} @ {table('F', weights)}"
        return f"{x}{f} → {columns_by_weights} = {table('Y', columns @ weights)}<p>{settings}</p>"
