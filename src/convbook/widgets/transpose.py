"""TransposeExplorer: a transposed convolution, seen in three ways."""

import numpy as np
import traitlets

from convbook.functional import conv2d, conv_transpose2d

from .base import BookWidget, Numbers, Whole, table


class TransposeExplorer(BookWidget, module="transpose.js"):
    """See one transposed convolution in three ways, step by step.

    The same numbers come from sliding the turned filter over the dilated input, from laying the
    filter down once for each pixel, and from the transposed matrix of a convolution.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, at most 4 × 4.
    f : array_like, shape (FH, FW)
        Filter, at most 4 × 4.
    stride, padding, output_padding : int
        As in `convbook.functional.conv_transpose2d`, the same along both axes. A stride that is
        not larger than the output padding makes that smaller.
    view : {"dilate", "lay", "matrix"}
    row, col : int
        The output cell whose sum is written out (views "dilate" and "matrix").
    step : int
        How many filters have been laid down (view "lay"), counted from 0.

    Examples
    --------
    >>> w = TransposeExplorer(x=[[1, 2], [3, 4]], f=[[1, 1], [1, 1]], stride=2)
    >>> w.output
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [3, 3, 4, 4],
           [3, 3, 4, 4]])
    """

    x = Numbers([[1, 2], [3, 4]], largest=(4, 4)).tag(sync=True)
    f = Numbers([[1, 1, 1], [2, 0, 1], [-1, -1, 0]], largest=(4, 4)).tag(sync=True)
    stride = Whole(1, 1, 3).tag(sync=True)
    padding = Whole(0, 0, 3).tag(sync=True)
    output_padding = Whole(0, 0, 2).tag(sync=True)
    view = traitlets.Enum(["dilate", "lay", "matrix"], "dilate").tag(sync=True)
    row = Whole(0, 0, 14).tag(sync=True)
    col = Whole(0, 0, 14).tag(sync=True)
    step = Whole(0, 0, 15).tag(sync=True)

    @traitlets.validate("output_padding")
    def _below_the_stride(self, proposal):
        if proposal["value"] >= self.stride:
            raise traitlets.TraitError(
                f"output_padding must be less than the stride, {self.stride}; "
                f"got {proposal['value']}."
            )
        return proposal["value"]

    @traitlets.observe("stride")
    def _keep_below(self, change):
        self.output_padding = min(self.output_padding, self.stride - 1)

    @property
    def output(self):
        """ndarray, shape (OH, OW) : the matrix Y that the figure shows.

        Raises
        ------
        ValueError
            If the padding leaves nothing of the output.
        """
        x, f = np.asarray(self.x)[None, None], np.asarray(self.f)[None, None]
        return conv_transpose2d(
            x, f, stride=self.stride, padding=self.padding, output_padding=self.output_padding
        )[0, 0]

    @property
    def matrix(self):
        """ndarray, shape (H·W, OH·OW) : the convolution that takes an array of Y's shape to X's.

        Its transposed matrix times X, written as one column, is Y.
        """
        y = self.output
        units = np.eye(y.size, dtype=int).reshape(-1, 1, *y.shape)
        rows = conv2d(units, np.asarray(self.f)[None, None], None, self.stride, self.padding)
        return rows.reshape(y.size, -1).T

    def plain(self):
        settings = f"stride {self.stride}, padding {self.padding}, output padding "
        settings += f"{self.output_padding}"
        given = f"{table('X', self.x)}{table('F', self.f)}"
        try:
            return f"{given} → {table('Y', self.output)}<p>{settings}</p>"
        except ValueError as error:
            return f"{given}<p>{settings}: {error}</p>"
