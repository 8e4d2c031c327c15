"""SignalExplorer: a filter slides along a row of numbers."""

import numpy as np

from convbook.functional import conv2d

from .base import BookWidget, Numbers, Real, Whole, table

LONGEST, MOST_TAPS = 96, 9
# The waves of one heartbeat: samples from its peak, height and width of a bell curve.
WAVES = ((-6, 0.15, 1.6), (-1.6, -0.15, 0.7), (0, 1, 0.8), (1.7, -0.25, 0.8), (8, 0.3, 2.5))
BEATS = (12, 33, 52)


def heartbeat():
    """Return the first example: three heartbeats drawn with bell curves, on a slow wave, (64,)."""
    i = np.arange(64)
    x = 0.4 * np.sin(2 * np.pi * i / 64)
    for beat in BEATS:
        for place, height, width in WAVES:
            x += height * np.exp(-(((i - beat - place) / width) ** 2) / 2)
    return x.round(2)


class SignalExplorer(BookWidget, module="signal.js"):
    """Slide a filter along a signal: one axis, one channel.

    Parameters
    ----------
    x : array_like, shape (W,)
        The signal, at most 96 numbers.
    f : array_like, shape (FW,)
        The filter, at most 9 numbers.
    bias : float
        Added to every output.
    stride, padding : int
        As in `convbook.functional.conv2d`, along the only axis.
    step : int
        The output whose window is shown.

    Examples
    --------
    >>> w = SignalExplorer(x=[1, 2, 4, 8, 16], f=[-1, 1])
    >>> w.output
    array([1, 2, 4, 8])
    >>> w.stride = 2
    >>> w.output
    array([1, 4])
    """

    x = Numbers(heartbeat(), ndim=1, largest=(LONGEST,)).tag(sync=True)
    f = Numbers([-1, -1, 4, -1, -1], ndim=1, largest=(MOST_TAPS,)).tag(sync=True)
    bias = Real(0).tag(sync=True)
    stride = Whole(1, 1, 8).tag(sync=True)
    padding = Whole(0, 0, 8).tag(sync=True)
    step = Whole(0, 0, LONGEST + 15).tag(sync=True)

    @property
    def output(self):
        """ndarray, shape (OW,) : the numbers Y that the figure shows.

        Raises
        ------
        ValueError
            If the filter does not fit into the padded signal.
        """
        x, f = np.asarray(self.x)[None, None, None], np.asarray(self.f)[None, None, None]
        bias = np.asarray([int(self.bias) if float(self.bias).is_integer() else self.bias])
        return conv2d(x, f, bias, (1, self.stride), (0, self.padding))[0, 0, 0]

    def plain(self):
        try:
            output = table("Y", self.output)
        except ValueError as error:
            output = f"<p>{error}</p>"
        settings = f"stride {self.stride}, padding {self.padding}, bias {self.bias:g}"
        return f"{table('X', self.x)} ⊛ {table('F', self.f)} = {output}<p>{settings}</p>"
