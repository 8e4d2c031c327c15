"""The exercises as they stand on the pages: their cells, and the right answers of the solutions."""

import ast
import contextlib
import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

BOOK = Path(__file__).resolve().parent.parent.parent / "book"


@dataclass
class OnPage:
    """One exercise on its page."""

    notebook: str
    texts: list = field(default_factory=list)  # markdown cells, exercise and solution
    asked: list = field(default_factory=list)  # code cells between the exercise and its solution
    solved: list = field(default_factory=list)  # code cells of the solution


@functools.cache
def on_pages():
    """Return a dict from the id of each exercise that stands on a page to its `OnPage`."""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        now, solving = None, False
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            begins = re.match(r"```\{exercise-start\} (\S+)", source)
            if begins:
                now, solving = found.setdefault(begins[1], OnPage(path.name)), False
            elif source.startswith("```{solution-start}"):
                solving = True
            elif source.startswith("```{solution-end}"):
                now = None
            elif now and cell["cell_type"] == "code":
                (now.solved if solving else now.asked).append(cell)
            elif now:
                now.texts.append(source)
    return found


def output(cell):
    """Return what a code cell has printed."""
    return "".join("".join(out.get("text", "")) for out in cell["outputs"])


@functools.cache
def solutions():
    """Return a dict from ids to the answers that the pages' solutions hand to `check`.

    The page is not run: of its cells only imports and definitions are, and of a solution what it
    defines, what it assigns, and its calls of `check`. Solutions that take long are left out.
    """
    answers = {}
    for key, exercise in on_pages().items():
        names = dict(page_names(exercise.notebook))
        names["check"] = lambda key, answer: answers.setdefault(key, []).append(answer)
        for cell in exercise.solved:
            if "nbval-ignore-output" in cell["metadata"].get("tags", []):
                continue
            for statement in ast.parse("".join(cell["source"])).body:
                checks = isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(
                    "check("
                )
                if checks or isinstance(statement, (ast.FunctionDef, ast.Assign)):
                    run(statement, names)
    return answers


@functools.cache
def page_names(notebook):
    """Return what the cells of a page import and define."""
    names = {}
    for cell in page_cells(notebook):
        for statement in ast.parse(cell).body:
            if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef)):
                run(statement, names)
    return names


def page_cells(notebook):
    """Return the code of a page, cell by cell."""
    cells = json.loads((BOOK / notebook).read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(statement, names):
    """Run a statement; one that needs more of its page than there is here does nothing."""
    with contextlib.suppress(NameError, ImportError):
        exec(compile(ast.Module([statement], []), "<page>", "exec"), names)
