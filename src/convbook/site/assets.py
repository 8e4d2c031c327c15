"""The files that the site needs beside its pages."""

import importlib.util
import re
import shutil
from pathlib import Path

from convbook.widgets.base import FOLDER as WIDGETS

HERE = Path(__file__).parent
SCRIPT = "convbook-widgets.js"
STYLE = "convbook-widgets.css"
SITE_SCRIPT = "convbook-site.js"
SITE_STYLE = "convbook-site.css"

# What the widgets' modules use of the syntax of ES modules, besides `export default`.
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w-]+\.js)";', re.MULTILINE)
EXPORT = re.compile(r"^export (const|function|class) (\w+)", re.MULTILINE)


def widget_script():
    """Return the script that holds all widget modules and brings those of a page to life."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(WIDGETS.glob("*.js"))}
    modules = "".join(as_function(name, sources[name]) for name in imported_first(sources))
    runtime = (HERE / "runtime.js").read_text(encoding="utf-8")
    return f'(() => {{\n"use strict";\nconst modules = {{}};\n{modules}{runtime}}})();\n'


def imported_first(sources):
    """Return the names of modules in an order in which each follows those that it imports."""
    order = []

    def visit(name):
        for _, imported in IMPORT.findall(sources[name]):
            visit(imported)
        if name not in order:
            order.append(name)

    for name in sources:
        visit(name)
    return order


def as_function(name, source):
    """Return an ES module as a function that puts the module's exports into ``modules[name]``.

    Real modules would be imported one after the other while the theme's scripts and MathJax keep
    the browser busy: on a long page the figures would come to life a second later. Besides,
    browsers refuse to import files on file://.

    Raises
    ------
    ValueError
        If the module imports or exports in another form than those of this package's modules.
    """
    exported = EXPORT.findall(source)
    source = IMPORT.sub(r'const \1 = modules["\2"];', source)
    source = EXPORT.sub(r"\1 \2", source).replace("export default ", "exports.default = ")
    unknown = re.search(r"^(import|export)\b.*", source, re.MULTILINE)
    if unknown:
        raise ValueError(f"{name}: cannot take this into a page's script: {unknown.group()}")
    names = ", ".join(exported_name for _, exported_name in exported)
    return (
        f'modules["{name}"] = ((exports) => {{\n{source}'
        f"return Object.assign(exports, {{ {names} }});\n}})({{}});\n"
    )


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
    shutil.copy2(WIDGETS / "kit.css", static / STYLE)
    shutil.copy2(HERE / "site.js", static / SITE_SCRIPT)
    shutil.copy2(HERE / "site.css", static / SITE_STYLE)
    copy_mathjax(static / "mathjax")
