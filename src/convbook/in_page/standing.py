"""Stand-ins for what surrounds a notebook: ``IPython.display``, the inline backend, ``input``."""

import importlib.util
import sys
import time
import types
from pathlib import Path

display = None


def install(shown):
    """Put the stand-ins where imports find them.

    Parameters
    ----------
    shown : output.Display
    """
    global display  # noqa: PLW0603 (Matplotlib calls the backend without saying for whom)
    display = shown
    if sys.platform == "emscripten":  # its clock of processor time stands still
        time.process_time, time.process_time_ns = time.perf_counter, time.perf_counter_ns
    if importlib.util.find_spec("IPython") is None:
        shell = module("IPython", get_ipython=lambda: None)
        shell.display = module(
            "IPython.display",
            display=shown,
            HTML=HTML,
            Image=Image,
            SVG=SVG,
            clear_output=clear_output,
        )
    if importlib.util.find_spec("matplotlib_inline") is None:
        inline = module("matplotlib_inline")
        inline.backend_inline = module(
            "matplotlib_inline.backend_inline", set_matplotlib_formats=shown.use_formats
        )


def module(name, **contents):
    """Make a module known by its name, and return it."""
    made = sys.modules[name] = types.ModuleType(name)
    made.__dict__.update(contents)
    return made


class HTML:
    """HTML that is shown as it is."""

    def __init__(self, data):
        self.data = data

    def _repr_html_(self):
        return self.data


class Image:
    """A picture in PNG, its bytes or the file that holds them, that is shown as it is.

    Parameters
    ----------
    data : bytes, str or Path, optional
        The bytes of the file, or its name.
    filename : str or Path, optional
    """

    def __init__(self, data=None, filename=None):
        if isinstance(data, (str, Path)):
            data, filename = None, data
        self.data = Path(filename).read_bytes() if data is None else bytes(data)

    def _repr_png_(self):
        return self.data


class SVG(HTML):
    """A drawing that is shown as it is."""

    def _repr_svg_(self):
        return self.data

    _repr_html_ = None


def clear_output(wait=False):
    """Clear what the cell has shown so far."""
    display.writer.send({"clear": True})


def no_input(prompt=""):
    """Say why a question cannot be asked here."""
    raise EOFError(
        "input() cannot ask anything on this page: write the answer into the code, "
        'such as name = "Ada"'
    )
