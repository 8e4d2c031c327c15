"""ConvGradientExplorer: where the gradients of a convolution come from."""

import numpy as np
import traitlets

from convbook.functional import conv2d_backward

from .base import BookWidget, Numbers, Whole, output_shape, refit, table


class ConvGradientExplorer(BookWidget, module="conv_gradient.js"):
    """Follow the gradient of a convolution back to every element of X and of F.

    The loss E depends on Y = X ⊛ F + b. Given dY, which holds ∂E/∂y for each output, the figure
    shows dX, dF and db, one element at a time or as the array operations that give all of them.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, at most 6 × 6.
    f : array_like, shape (FH, FW)
        Filter, at most 4 × 4.
    dy : array_like, shape (OH, OW)
        Gradient of E with respect to Y; cut, or filled up with ones, when it has another shape.
    stride, padding : int
        As in `convbook.functional.conv2d`, the same along both axes.
    mode : {"x", "f"}
        Whether dX or dF is shown.
    view : {"one", "all"}
        The sum behind one element, or the whole array built step by step.
    row, col : int
        The element of X or of F whose sum is written out.
    step : int
        How many blocks were added (view "all"), counted from 0.

    Examples
    --------
    >>> w = ConvGradientExplorer(dy=[[1, 0, 0], [0, 0, 0], [0, 0, 2]])
    >>> w.dx
    array([[1, 2, 0, 0],
           [3, 4, 0, 0],
           [0, 0, 2, 4],
           [0, 0, 6, 8]])
    """

    x = Numbers(np.arange(1, 17).reshape(4, 4), largest=(6, 6)).tag(sync=True)
    f = Numbers([[1, 2], [3, 4]], largest=(4, 4)).tag(sync=True)
    dy = Numbers([[1, 2, -1], [0, 3, 1], [2, -2, 1]], largest=(10, 10)).tag(sync=True)
    stride = Whole(1, 1, 4).tag(sync=True)
    padding = Whole(0, 0, 2).tag(sync=True)
    mode = traitlets.Enum(["x", "f"], "x").tag(sync=True)
    view = traitlets.Enum(["one", "all"], "one").tag(sync=True)
    row = Whole(0, 0, 5).tag(sync=True)
    col = Whole(0, 0, 5).tag(sync=True)
    step = Whole(0, 0, 99).tag(sync=True)

    @traitlets.validate("dy")
    def _fit_dy(self, proposal):
        shapes = np.shape(self.x), np.shape(self.f)
        return refit(proposal["value"], output_shape(*shapes, self.stride, self.padding))

    @traitlets.observe("x", "f", "stride", "padding")
    def _refit_dy(self, change):
        self.dy = self.dy

    @property
    def gradients(self):
        """tuple : dX (H, W), dF (FH, FW) and db (a number), as `conv2d_backward` gives them.

        Raises
        ------
        ValueError
            If the filter does not fit into the padded input.
        """
        dy, x, f = (np.asarray(value)[None, None] for value in (self.dy, self.x, self.f))
        dx, df, db = conv2d_backward(dy, x, f, self.stride, self.padding)
        return dx[0, 0], df[0, 0], db[0]

    @property
    def dx(self):
        """ndarray, shape (H, W) : ∂E/∂X."""
        return self.gradients[0]

    @property
    def df(self):
        """ndarray, shape (FH, FW) : ∂E/∂F."""
        return self.gradients[1]

    @property
    def db(self):
        """number : ∂E/∂b, the sum of dY."""
        return self.gradients[2]

    def plain(self):
        settings = f"stride {self.stride}, padding {self.padding}"
        given = table("X", self.x) + table("F", self.f)
        try:
            dx, df, db = self.gradients
        except ValueError as error:
            return f"{given}<p>{settings}: {error}</p>"
        gradients = table("dX", dx) + table("dF", df) + table("db", db)
        return f"{given}{table('dY', self.dy)} → {gradients}<p>{settings}</p>"
