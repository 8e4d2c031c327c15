"""How a figure reaches a notebook: its parts travel once, however many figures are made of them."""

import os
from functools import cache

import anywidget
import ipywidgets
import traitlets
from IPython.display import display

from . import bundle

VIEW = "application/vnd.jupyter.widget-view+json"

# A notebook is opened again, and its kernel is gone: JupyterLab prefers the view of the widget to
# all else in an output, and writes "model not found" where it would be. So the static form is an
# output of its own behind it. One of the two is seen: the form, unless the figure is there.
ONE_OF_TWO = """<style>
.jp-OutputArea-child:has(.convbook-widget > .cb) + .jp-OutputArea-child:has(.cb-plain),
.output_area:has(.convbook-widget > .cb) + .output_area:has(.cb-plain),
.jp-OutputArea-child:has(> .jupyter-widgets):not(:has(> .jupyter-widgets > *)):has(+ * .cb-plain)
{ display: none; }
.cb-plain { display: flex; flex-wrap: wrap; gap: 0.8rem 1.2rem; align-items: center; }
</style>
"""


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

    _esm = bundle.COMMENT.sub("", bundle.source("kit/loader.js"))
    _parts = traitlets.List(traitlets.Instance(Part)).tag(
        sync=True, **ipywidgets.widget_serialization
    )

    @traitlets.default("_parts")
    def _find_parts(self):
        return parts(self.module)

    def in_two(self, data):
        """Return what stands for the figure in an output, its live view in an output before it.

        Under a Jupyter server only, whose pages have the places that `ONE_OF_TWO` names; elsewhere
        all stays in one output.
        """
        if "JPY_SESSION_NAME" not in os.environ or VIEW not in data:
            return data
        display({VIEW: data[VIEW], "text/plain": ""}, raw=True)
        rest = {kind: value for kind, value in data.items() if kind != VIEW}
        return rest | {"text/html": ONE_OF_TWO + rest["text/html"]}
