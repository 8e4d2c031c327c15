"""From the files of the figures to what a page or a notebook is sent: each once, if it is imported.

A figure is an ES module, which imports others, and the sheets that style what it draws. The modules
become functions in one script, in the order of their imports: browsers import nothing on file://,
and real modules would be fetched one after the other.
"""

import posixpath
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

# What the modules use of the syntax of ES modules, besides `export default`.
IMPORT = re.compile(r'^import (\{[^}]*\}) from "(\.{1,2}/[\w./]+\.js)";', re.MULTILINE)
SHEET = re.compile(r'^import "(\.{1,2}/[\w./]+\.css)";\n', re.MULTILINE)
# Comments that stand on lines of their own; a page can do without them.
COMMENT = re.compile(r"^ *(?://.*|/\*\*?(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
EXPORT = re.compile(r"^export (const|function|class) (\w+)", re.MULTILINE)


@cache
def source(name):
    """Return the text of a file in this folder, such as ``"kit/matrix.js"``."""
    return (FOLDER / name).read_text(encoding="utf-8")


def path_from(name, target):
    """Return the name of the module that module `name` calls `target`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def with_imports(*names, source=source):
    """Return modules and all that they import, each once and behind those that it imports.

    Parameters
    ----------
    *names : str
        Modules, such as ``"convolution.js"``.
    source : callable
        Returns the text of the module of a name.

    Raises
    ------
    ValueError
        If modules import each other in a circle.
    """
    order, open_ones = [], []

    def visit(name):
        if name in open_ones:
            raise ValueError(f"{' imports '.join([*open_ones, name])}: a circle")
        if name not in order:
            open_ones.append(name)
            for _, target in IMPORT.findall(source(name)):
                visit(path_from(name, target))
            open_ones.pop()
            order.append(name)

    for name in names:
        visit(name)
    return order


def as_function(name, text):
    """Return a module as a function that puts the module's exports into ``modules[name]``.

    Raises
    ------
    ValueError
        If the module imports or exports in another form than those of this package's modules.
    """
    exported = [exported_name for _, exported_name in EXPORT.findall(text)]
    text = IMPORT.sub(
        lambda found: f'const {found[1]} = modules["{path_from(name, found[2])}"];', text
    )
    text = EXPORT.sub(r"\1 \2", SHEET.sub("", COMMENT.sub("", text)))
    text = text.replace("export default ", "exports.default = ")
    unknown = re.search(r"^(import|export)\b.*", text, re.MULTILINE)
    if unknown:
        raise ValueError(f"{name}: cannot take this into a script: {unknown.group()}")
    return (
        f'modules["{name}"] = ((exports) => {{\n{text}'
        f"return Object.assign(exports, {{ {', '.join(exported)} }});\n}})({{}});\n"
    )


def sheets(modules):
    """Return the names of the sheets that modules import, each once, in the modules' order."""
    found = (path_from(name, target) for name in modules for target in SHEET.findall(source(name)))
    return list(dict.fromkeys(found))


@cache
def part(name):
    """Return a module as a function, or a sheet, without the comments that fill whole lines."""
    text = source(name)
    return as_function(name, text) if name.endswith(".js") else COMMENT.sub("", text)


def script(*names):
    """Return a script that defines ``modules``, with the given ones and all that they import."""
    return "const modules = {};\n" + "".join(part(name) for name in with_imports(*names))


def style(*names):
    """Return the style of the given modules and of all that they import."""
    return "".join(part(name) for name in sheets(with_imports(*names)))


def figures():
    """Return the names of all modules that are figures."""
    return sorted(path.name for path in FOLDER.glob("*.js"))
