"""PoolGradientExplorer: which inputs of a pooling window get its gradient, and how much of it."""

import numpy as np
import traitlets

from convbook.functional import avg_pool2d_backward, max_pool2d_backward

from .base import BookWidget, Numbers, Whole, output_shape, refit, table
from .pooling import COURSE


class PoolGradientExplorer(BookWidget, module="pool_gradient.js"):
    """Send the gradient of every pooling window back to the cells that it came from.

    The gradient of max pooling goes to the maximum of the window alone (to the first one, if there
    are several), that of average pooling to all cells of the window in equal parts.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, one channel, at most 8 × 8.
    dy : array_like, shape (OH, OW)
        Gradient of E with respect to Y; cut, or filled up with ones, when it has another shape.
    kind : {"max", "average"}
        The pooling whose gradient is written out, and that `dx` belongs to; the figure shows both.
    kernel_size, stride : int
        As in `convbook.functional.max_pool2d`, the same along both axes; from 1 to 4.
    row, col : int
        The output cell whose gradient is followed.

    Examples
    --------
    >>> w = PoolGradientExplorer(dy=[[1, 2], [3, 4]])
    >>> w.dx
    array([[0, 0, 0, 0],
           [0, 1, 0, 2],
           [3, 0, 4, 0],
           [0, 0, 0, 0]])
    """

    x = Numbers(COURSE).tag(sync=True)
    dy = Numbers([[1, 2], [3, 4]]).tag(sync=True)
    kind = traitlets.Enum(["max", "average"], "max").tag(sync=True)
    kernel_size = Whole(2, 1, 4).tag(sync=True)
    stride = Whole(2, 1, 4).tag(sync=True)
    row = Whole(0, 0, 7).tag(sync=True)
    col = Whole(0, 0, 7).tag(sync=True)

    @traitlets.validate("dy")
    def _fit_dy(self, proposal):
        kernel = (self.kernel_size, self.kernel_size)
        return refit(proposal["value"], output_shape(np.shape(self.x), kernel, self.stride))

    @traitlets.observe("x", "kernel_size", "stride")
    def _refit_dy(self, change):
        self.dy = self.dy

    def gradient(self, kind):
        """Return ∂E/∂X of one kind of pooling.

        Parameters
        ----------
        kind : {"max", "average"}

        Returns
        -------
        ndarray, shape (H, W)

        Raises
        ------
        ValueError
            If the window does not fit into the input.
        """
        backward = max_pool2d_backward if kind == "max" else avg_pool2d_backward
        dy, x = np.asarray(self.dy)[None, None], np.asarray(self.x)[None, None]
        return backward(dy, x, self.kernel_size, self.stride)[0, 0]

    @property
    def dx(self):
        """ndarray, shape (H, W) : the gradient that belongs to `kind`."""
        return self.gradient(self.kind)

    def plain(self):
        settings = f"window {self.kernel_size} × {self.kernel_size}, stride {self.stride}"
        try:
            gradients = self.gradient("max"), self.gradient("average")
        except ValueError as error:
            return f"{table('X', self.x)}<p>{settings}: {error}</p>"
        both = table("dX, max pooling", gradients[0]) + table("dX, average pooling", gradients[1])
        return f"{table('X', self.x)}{table('dY', self.dy)} → {both}<p>{settings}</p>"
