"""Take the solutions out of a page, for the edition that students get.

A solution stands between two gates, as sphinx-exercise has them: a ``solution-start`` directive
and a ``solution-end`` directive, each in a markdown cell (or both in one, or in a markdown page).
Whatever is between them goes, code and outputs included. A cell tagged ``solution`` goes too, and
so does a solution written as a single ``solution`` directive.
"""

import json
import re
from pathlib import Path

SOLUTION_TAG = "solution"

# An opening fence such as ```{solution-start} label, made of three or more `, ~ or :.
OPENING = re.compile(r"\s*(?P<fence>`{3,}|~{3,}|:{3,})\s*\{(?P<name>solution(-start|-end)?)\}")


class GateError(ValueError):
    """The gates around a solution do not come in pairs; the message says where."""


def strip_solutions(text, name="page"):
    """Return the source of a page without its solutions.

    Parameters
    ----------
    text : str
        The source: a notebook's JSON, or markdown.
    name : str
        What to call the page in an error.

    Returns
    -------
    str
        The source without solutions; the very text given when it holds none.

    Raises
    ------
    GateError
        A gate has no partner.
    """
    notebook = parse_notebook(text)
    if notebook is None:
        return strip_markdown(text, name)
    return strip_notebook(notebook, text, name)


def parse_notebook(text):
    """Return the notebook that the text holds, or None if it is no notebook."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError:
        return None
    return notebook if "cells" in notebook else None


def strip_markdown(text, name):
    """Return a markdown page without its solutions."""
    gates = Gates(name)
    stripped = gates.outside(text, "the page")
    gates.finish()
    return stripped


def strip_notebook(notebook, text, name):
    """Return a notebook's text without its solutions."""
    gates = Gates(name)
    kept = []
    changed = False
    for position, cell in enumerate(notebook["cells"], start=1):
        source = "".join(cell["source"])
        stripped = source
        drop = gates.inside
        if cell["cell_type"] == "markdown":
            stripped = gates.outside(source, f"cell {position}")
            # A cell that holds the end of one solution may go on with text that stays.
            drop = (drop or stripped != source) and not stripped.strip()
        drop = drop or SOLUTION_TAG in cell["metadata"].get("tags", [])
        if not drop and stripped != source:
            cell["source"] = stripped.strip("\n").splitlines(keepends=True)
        if not drop:
            kept.append(cell)
        changed = changed or drop or stripped != source
    gates.finish()
    if not changed:
        return text
    notebook["cells"] = kept
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


class Gates:
    """Reads a page from top to bottom and remembers whether it is between two gates.

    Parameters
    ----------
    name : str
        The page's name, for errors.
    """

    def __init__(self, name):
        self.name = name
        self.opened = None  # where the solution being read began

    @property
    def inside(self):
        """Whether a solution has begun and not yet ended."""
        return self.opened is not None

    def outside(self, text, place):
        """Return the lines of the text that belong to no solution."""
        kept = []
        fence = None  # the fence of the directive that has to be read to its end
        for line in text.splitlines(keepends=True):
            if fence:
                if closes(line, fence):
                    fence = None
                continue
            opening = OPENING.match(line)
            if opening:
                fence = opening["fence"]
                self.pass_gate(opening["name"], place)
            elif not self.inside:
                kept.append(line)
        if fence:
            raise GateError(f"{self.name}, {place}: a solution's directive is not closed")
        return "".join(kept)

    def pass_gate(self, gate, place):
        """Note a gate; raises GateError when it is not the one that has to come next."""
        if gate == "solution-start":
            if self.inside:
                raise GateError(
                    f"{self.name}, {place}: a solution starts inside the one that started in "
                    f"{self.opened}"
                )
            self.opened = place
        elif gate == "solution-end":
            if not self.inside:
                raise GateError(f"{self.name}, {place}: a solution ends that never started")
            self.opened = None

    def finish(self):
        """Raise GateError when the page ended inside a solution."""
        if self.inside:
            raise GateError(f"{self.name}: the solution that starts in {self.opened} never ends")


def closes(line, fence):
    """Whether the line closes a directive opened by the fence."""
    line = line.strip()
    return len(line) >= len(fence) and set(line) == {fence[0]}


def strip_tree(folder):
    """Strip every page source below a folder in place, such as a site's ``_sources``.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of pathlib.Path
        The files that held solutions.
    """
    changed = []
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file() or not {".ipynb", ".md"} & set(path.suffixes):
            continue
        text = path.read_text(encoding="utf-8")
        stripped = strip_solutions(text, name=str(path.relative_to(folder)))
        if stripped != text:
            path.write_text(stripped, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed
