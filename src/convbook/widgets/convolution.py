"""ConvolutionExplorer: a filter slides over a matrix."""

import numpy as np

from convbook.functional import conv2d

from .base import BookWidget, Numbers, Real, Whole, table


class ConvolutionExplorer(BookWidget, module="convolution.js"):
    """Slide a filter over a matrix and see every sum written out.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, at most 8 × 8.
    f : array_like, shape (FH, FW)
        Filter, at most 5 × 5.
    bias : float
        Added to every output.
    stride, padding, dilation : int
        As in `convbook.functional.conv2d`, the same along both axes.
    row, col : int
        The output cell whose window is shown.

    Examples
    --------
    >>> w = ConvolutionExplorer(stride=2)
    >>> w.padding = 1
    >>> w.output
    array([[-3, -5],
           [ 8, 24]])
    """

    x = Numbers(np.arange(1, 17).reshape(4, 4)).tag(sync=True)
    f = Numbers([[1, 1, 1], [2, 0, 1], [-1, -1, 0]], largest=(5, 5)).tag(sync=True)
    bias = Real(0).tag(sync=True)
    stride = Whole(1, 1, 8).tag(sync=True)
    padding = Whole(0, 0, 4).tag(sync=True)
    dilation = Whole(1, 1, 7).tag(sync=True)
    row = Whole(0, 0, 15).tag(sync=True)
    col = Whole(0, 0, 15).tag(sync=True)

    @property
    def output(self):
        """ndarray, shape (OH, OW) : the matrix Y that the figure shows.

        Raises
        ------
        ValueError
            If the filter does not fit into the padded input.
        """
        x, f = np.asarray(self.x)[None, None], np.asarray(self.f)[None, None]
        bias = np.asarray([int(self.bias) if float(self.bias).is_integer() else self.bias])
        return conv2d(x, f, bias, self.stride, self.padding, self.dilation)[0, 0]

    def plain(self):
        try:
            output = table("Y", self.output)
        except ValueError as error:
            output = f"<p>{error}</p>"
        settings = f"stride {self.stride}, padding {self.padding}, dilation {self.dilation}"
        settings += f", bias {self.bias:g}"
        return f"{table('X', self.x)} ⊛ {table('F', self.f)} = {output}<p>{settings}</p>"
