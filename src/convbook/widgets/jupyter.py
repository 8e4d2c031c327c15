"""How a figure reaches a notebook: its parts travel once, however many figures are made of them."""

from functools import cache

import anywidget
import ipywidgets
import traitlets

from . import bundle


class Part(ipywidgets.Widget):
    """One module or one sheet, kept in the browser for all figures of a kernel that need it."""

    name = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)


@cache
def part(name):
    """Return the part for a file, such as ``"kit/matrix.js"``."""
    return Part(name=name, text=bundle.part(name))


def parts(module):
    """Return the parts of a figure: its sheets, and its modules behind those that they import."""
    modules = bundle.with_imports(module)
    found = [part(name) for name in [*bundle.sheets(modules), *modules]]
    for each in found:
        if each.comm is None:  # `Widget.close_all` has closed it
            each.open()
    return found


class SharedWidget(anywidget.AnyWidget):
    """An anywidget that carries the way to its parts only, as references to their models.

    A subclass has the name of its ES module in ``module``.
    """

    _esm = (bundle.FOLDER / "kit" / "loader.js").read_text(encoding="utf-8")
    _parts = traitlets.List(traitlets.Instance(Part)).tag(
        sync=True, **ipywidgets.widget_serialization
    )

    @traitlets.default("_parts")
    def _find_parts(self):
        return parts(self.module)
