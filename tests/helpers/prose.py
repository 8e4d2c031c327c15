"""What the pages say: their text between the code, without what it is made of."""

import re
from functools import cache

import nbformat

from . import ROOT
from .pages import listed_in_toc

FENCED = re.compile(r"^(```+|~~~+).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+?)\$", re.DOTALL)


@cache
def texts(name):
    """Return the markdown of a page, such as ``book/index``: one text for each cell or file."""
    path = ROOT / f"{name}.md"
    if path.exists():
        return (path.read_text(encoding="utf-8"),)
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    return tuple(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def formulas(text):
    """Return the formulas of a text, without the dollars around them."""
    text = CODE.sub("", FENCED.sub("", text))
    return [display or inline for display, inline in FORMULA.findall(text)]


def tables(text):
    """Return the tables of a text as lists of rows, each a list of cells; the head comes first."""
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            found.append([rows[0], *rows[2:]])  # without the line below the head
            rows = []
    return found


CHAPTERS = [name for name in listed_in_toc() if (ROOT / f"{name}.ipynb").exists()]
