"""Matplotlib's list of fonts, made here: a browser would make it anew at each visit.

Pyodide's Matplotlib comes with one, but of another machine's fonts, and so does not take it.
"""

import io
import json
import re
import zipfile

FOLDER = "matplotlib/mpl-data/"


def font_list(matplotlib_wheel):
    """Return the list's text, as the Matplotlib in the wheel reads it.

    Pyodide's Matplotlib looks for it beside its own modules, in ``fontlist.json``.

    Parameters
    ----------
    matplotlib_wheel : bytes
    """
    from matplotlib.font_manager import ttfFontProperty
    from matplotlib.ft2font import FT2Font

    with zipfile.ZipFile(io.BytesIO(matplotlib_wheel)) as wheel:
        source = wheel.read("matplotlib/font_manager.py").decode()
        names = sorted(
            name for name in wheel.namelist() if name.startswith(FOLDER) and name.endswith(".ttf")
        )
        fonts = [
            (name.removeprefix(FOLDER), FT2Font(io.BytesIO(wheel.read(name)))) for name in names
        ]
    version = re.search(r"__version__ = ['\"]?([\w.]+)", source)[1]
    entries = []
    for name, font in fonts:
        found = ttfFontProperty(font)
        entries.append(
            {
                "fname": name,
                "name": found.name,
                "style": found.style,
                "variant": found.variant,
                "weight": found.weight,
                "stretch": found.stretch,
                "size": found.size,
                "__class__": "FontEntry",
            }
        )
    manager = {
        "_version": int(version) if version.isdigit() else version,
        "_FontManager__default_weight": "normal",
        "default_size": None,
        "defaultFamily": {"ttf": "DejaVu Sans", "afm": "Helvetica"},
        "afmlist": [],
        "ttflist": entries,
        "__class__": "FontManager",
    }
    return json.dumps(manager)
