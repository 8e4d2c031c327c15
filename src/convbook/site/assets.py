"""The files that the site needs beside its pages."""

import importlib.util
import re
import shutil
from pathlib import Path

from convbook.widgets import bundle

HERE = Path(__file__).parent
SCRIPTS = "convbook-widgets"  # a folder: each page has a script of its own, with its figures
STYLE = "convbook-widgets.css"
SITE_SCRIPT = "convbook-site.js"
SITE_STYLE = "convbook-site.css"


FIGURE = re.compile(r'class="convbook-widget" data-module="([\w/]+\.js)"')


def figures_in(body):
    """Return the names of the modules of a page's figures, each once."""
    return sorted(set(FIGURE.findall(body)))


def widget_script(*figures):
    """Return the script that holds these figures and brings those of a page to life.

    Its first line names them, so that `write` can make it anew.
    """
    runtime = (HERE / "runtime.js").read_text(encoding="utf-8")
    return (
        f'// {" ".join(figures)}\n(() => {{\n"use strict";\n'
        f"{bundle.script(*figures)}{runtime}}})();\n"
    )


def write_page_script(static, page, figures):
    """Write the script of a page's figures into ``_static``; return its name there."""
    name = f"{SCRIPTS}/{page.replace('/', '-')}.js"
    path = static / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(widget_script(*figures), encoding="utf-8")
    return name


def renew_page_scripts(static):
    """Write the scripts of an earlier build anew: pages that have not changed keep theirs."""
    for path in (static / SCRIPTS).glob("*.js"):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        path.write_text(widget_script(*first.split()[1:]), encoding="utf-8")


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
    renew_page_scripts(static)
    (static / STYLE).write_text(widget_style(), encoding="utf-8")
    shutil.copy2(HERE / "site.js", static / SITE_SCRIPT)
    shutil.copy2(HERE / "site.css", static / SITE_STYLE)
    copy_mathjax(static / "mathjax")
