"""UnpoolExplorer: max pooling with its positions, and back."""

import numpy as np
import traitlets

from convbook.functional import max_pool2d, max_pool2d_indices, max_unpool2d, upsample2d

from .base import BookWidget, Numbers, Whole, output_shape, refit, table
from .pooling import COURSE


class UnpoolExplorer(BookWidget, module="unpool.js"):
    """Pool a map, keep where each maximum was, and put numbers back to these places.

    SegNet's decoder gets the positions instead of the whole map. Beside it stands what can be done
    without them: every number repeated over its window.

    Parameters
    ----------
    x : array_like, shape (H, W)
        Input, one channel, at most 8 × 8.
    kernel_size, stride : int
        As in `convbook.functional.max_pool2d`, the same along both axes; from 1 to 4.
    same : bool
        Whether what is put back is Y itself.
    z : array_like, shape (OH, OW)
        What is put back otherwise, such as what a decoder has made of Y; cut, or filled up with
        ones, when it has another shape.
    row, col : int
        The window that is followed.

    Examples
    --------
    >>> w = UnpoolExplorer(x=[[1, 5], [3, 2]])
    >>> w.indices.tolist(), w.unpooled.tolist()
    ([[1]], [[0, 5], [0, 0]])
    """

    x = Numbers(COURSE).tag(sync=True)
    kernel_size = Whole(2, 1, 4).tag(sync=True)
    stride = Whole(2, 1, 4).tag(sync=True)
    same = traitlets.Bool(True).tag(sync=True)
    z = Numbers([[1, 2], [3, 4]]).tag(sync=True)
    row = Whole(0, 0, 7).tag(sync=True)
    col = Whole(0, 0, 7).tag(sync=True)

    @traitlets.validate("z")
    def _fit_z(self, proposal):
        kernel = (self.kernel_size, self.kernel_size)
        return refit(proposal["value"], output_shape(np.shape(self.x), kernel, self.stride))

    @traitlets.observe("x", "kernel_size", "stride")
    def _refit_z(self, change):
        self.z = self.z

    def _input(self):
        return np.asarray(self.x)[None, None]

    @property
    def pooled(self):
        """ndarray, shape (OH, OW) : the maximum of each window.

        Raises
        ------
        ValueError
            If the window does not fit into the input.
        """
        return max_pool2d(self._input(), self.kernel_size, self.stride)[0, 0]

    @property
    def indices(self):
        """ndarray, shape (OH, OW) : where each maximum was, row · W + column."""
        return max_pool2d_indices(self._input(), self.kernel_size, self.stride)[0, 0]

    @property
    def unpooled(self):
        """ndarray, shape (H, W) : the numbers at their places, zeros elsewhere."""
        numbers = self.pooled if self.same else np.asarray(self.z)
        places = self.indices[None, None]
        return max_unpool2d(numbers[None, None], places, np.shape(self.x))[0, 0]

    @property
    def repeated(self):
        """ndarray, shape (K·OH, K·OW) : each number all over a window, as without positions."""
        numbers = self.pooled if self.same else np.asarray(self.z)
        return upsample2d(numbers[None, None], self.kernel_size)[0, 0]

    def plain(self):
        settings = f"window {self.kernel_size} × {self.kernel_size}, stride {self.stride}"
        try:
            parts = table("Y", self.pooled), table("positions", self.indices)
        except ValueError as error:
            return f"{table('X', self.x)}<p>{settings}: {error}</p>"
        back = table("put back", self.unpooled)
        return f"{table('X', self.x)} → {' '.join(parts)} → {back}<p>{settings}</p>"
