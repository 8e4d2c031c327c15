"""The class that explorers derive from: anywidget's, or a stand-in of a few lines without it.

In a browser's Python there is no Jupyter, and so no anywidget. There a widget is an object with
traits; the page that shows it watches the traits that are tagged ``sync=True``, and sets them when
its reader moves something.
"""

import itertools

import traitlets

try:
    from anywidget.widget import repr_mimebundle

    from .jupyter import SharedWidget as AnyWidget
except ImportError:
    numbers = itertools.count(1)

    class AnyWidget(traitlets.HasTraits):
        """A widget without Jupyter: its state, and a number that a page knows it by."""

        def __init__(self, **keywords):
            super().__init__(**keywords)
            self.model_id = f"widget-{next(numbers)}"

        def in_two(self, data):
            """Return what stands for the figure in an output."""
            return data

    def repr_mimebundle(model_id, repr_text):
        """Return what stands for a widget where nothing but text is shown."""
        return {"text/plain": repr_text}


__all__ = ["AnyWidget", "repr_mimebundle"]
