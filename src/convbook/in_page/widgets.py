"""Widgets on a page: Python and the page hold their state, and hear of each other's changes."""

import traitlets

from convbook.widgets import bundle
from convbook.widgets.host import AnyWidget


def is_widget(value):
    """Whether a value is a widget that a page can bring to life."""
    return isinstance(value, AnyWidget) and hasattr(value, "module")


class Widgets:
    """The widgets that a page shows.

    Parameters
    ----------
    send : function(dict)
    """

    def __init__(self, send):
        self.send = send
        self.shown = {}  # by number
        self.known = set()  # the modules that the page has
        self.setting = None  # (number, trait, value) that the page is setting at the moment

    def show(self, widget):
        """Send a widget to the page, and from then on every change of its state."""
        module = widget.module
        if module not in self.known:
            self.known.add(module)
            self.send({"module": module, "esm": script_of(module), "css": bundle.style(module)})
        if widget.model_id not in self.shown:
            self.shown[widget.model_id] = widget
            widget.observe(self.tell, list(widget.state))
        self.send(
            {
                "widget": widget.model_id,
                "module": module,
                "state": widget.state,
                "html": widget.static_html(),
            }
        )

    def tell(self, change):
        """Send a changed value to the page, unless it is the one that the page has just set."""
        widget, name, value = change["owner"], change["name"], change["new"]
        if (widget.model_id, name, value) != self.setting:
            self.send({"widget": widget.model_id, "set": {name: value}})

    def set_state(self, number, name, value):
        """Set a trait as the page has it; what the widget refuses is put right on the page."""
        widget = self.shown.get(number)
        if widget is None or name not in widget.state:
            return
        self.setting = number, name, value
        try:
            setattr(widget, name, value)
        except traitlets.TraitError:
            self.send({"widget": number, "set": {name: getattr(widget, name)}})
        finally:
            self.setting = None


def script_of(module):
    """Return a figure's module as one that imports nothing."""
    return f'{bundle.script(module)}export default modules["{module}"].default;\n'
