"""The files that the site needs beside its pages."""

import importlib.util
import shutil
from pathlib import Path

from convbook.widgets import bundle

HERE = Path(__file__).parent
SCRIPT = "convbook-widgets.js"
STYLE = "convbook-widgets.css"
SITE_SCRIPT = "convbook-site.js"
SITE_STYLE = "convbook-site.css"


def widget_script():
    """Return the script that holds all figures and brings those of a page to life."""
    runtime = (HERE / "runtime.js").read_text(encoding="utf-8")
    return f'(() => {{\n"use strict";\n{bundle.script(*bundle.figures())}{runtime}}})();\n'


def widget_style():
    """Return the style of all figures."""
    return bundle.style(*bundle.figures())


def head_script():
    """Return the script that stands in each page, in front of those that it loads."""
    text = (HERE / "head.js").read_text(encoding="utf-8")
    return f"<script>\n{bundle.COMMENT.sub('', text)}</script>"


def copy_mathjax(target):
    """Copy from the offline distribution of MathJax what the pages use: 1.5 MB of 20."""
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(found.submodule_search_locations[0]) / "static" / "mathjax"
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "tex-chtml.js", target)
    shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)


def write(static):
    """Write all assets into the folder ``static`` of a site.

    Parameters
    ----------
    static : pathlib.Path
        The ``_static`` folder; made when missing.
    """
    static.mkdir(parents=True, exist_ok=True)
    (static / SCRIPT).write_text(widget_script(), encoding="utf-8")
    (static / STYLE).write_text(widget_style(), encoding="utf-8")
    shutil.copy2(HERE / "site.js", static / SITE_SCRIPT)
    shutil.copy2(HERE / "site.css", static / SITE_STYLE)
    copy_mathjax(static / "mathjax")
