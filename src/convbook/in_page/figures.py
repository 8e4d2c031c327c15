"""Matplotlib's backend on a page: draws as Agg does, and ``plt.show()`` sends the figures."""

from matplotlib.backend_bases import FigureManagerBase as FigureManager
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from . import standing

__all__ = ["FigureCanvas", "FigureManager", "show"]


def show(*args, **keywords):
    """Show the open figures on the page."""
    standing.display.figures()
