"""How long the sections of a chapter take, for teachers who plan with it, judged by their length.

Under a heading of a notebook stands a line such as

    <span class="lesson core">15 minutes · core · course 1.1</span>

Whoever writes it chooses `core` or `optional` and names the course's section; the minutes are
counted here. A section without such a line counts to the one around it. Under the title stand the
sums, and in the table of the first page, whose rows name the notebooks. Run
``python -m convbook.site.lessons`` to write all minutes anew; with ``--check`` nothing is written.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .notebooks import dumps, find, read, write

# Estimates, said to be so on the first page. Nobody has taken the time of readers.
WORDS_PER_MINUTE = 120  # with formulas to be followed
CODE_LINES_PER_MINUTE = 8
FIGURE, PLAY, GRID, EXERCISE = (
    0.5,
    2,
    2,
    8,
)  # minutes: a picture, a live figure, a grid, an exercise
ROUND = 5  # a section takes 5 minutes, 10, 15 …

HEADING = re.compile(r"^(#{1,3}) .+$", re.MULTILINE)
SECTION = re.compile(r'<span class="lesson (core|optional)">(?:(\d+) minutes · )?\1(.*?)</span>')
TOTAL = re.compile(r'<span class="lesson">(.*?) · (.*?)</span>')
PLAN = re.compile(r"^(\| \[.*?\]\((\S+\.ipynb)\) \| .*? \|) .*? \| .*? \| .*? \|$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HINT = re.compile(r"^```\{admonition\} Hint.*?^```", re.DOTALL | re.MULTILINE)


@dataclass
class Section:
    """A part of a chapter that has a line of its own.

    Attributes
    ----------
    title : str
    kind : str
        "core", "optional" or, for the exercises, "exercises".
    said : int or None
        The minutes that the notebook names.
    minutes : float
        The estimate, not rounded.
    """

    title: str
    kind: str
    said: int | None
    minutes: float = 0.0

    @property
    def rounded(self):
        """int : the estimate in steps of five minutes, at least five."""
        return max(ROUND, ROUND * round(self.minutes / ROUND))


def sections(notebook):
    """Return the sections of a chapter that have a line, with the minutes they are estimated at.

    What stands before the first of them, and the parts without a line behind the exercises, are
    for reading over and count to nothing.
    """
    found, current, inside_solution = [], None, False
    for cell in notebook.cells:
        if "{solution-start}" in cell.source:
            inside_solution = True
        if cell.cell_type == "markdown" and not inside_solution:
            for part in parts(cell.source):
                heading = HEADING.match(part)
                line = SECTION.search(part)
                if heading and line:
                    title = heading[0].lstrip("# ")
                    kind = "exercises" if title == "Exercises" else line[1]
                    current = Section(title, kind, int(line[2]) if line[2] else None)
                    found.append(current)
                elif heading and len(heading[1]) < 3:
                    current = None
                if current:
                    current.minutes += of_text(part)
        elif current and not inside_solution:
            current.minutes += of_code(cell)
        if "{solution-end}" in cell.source:
            inside_solution = False
    return found


def parts(source):
    """Return a text cut before each of its headings."""
    starts = [0, *(heading.start() for heading in HEADING.finditer(source) if heading.start())]
    return [source[start:end] for start, end in zip(starts, [*starts[1:], len(source)])]


def of_text(text):
    """Return the minutes that a text takes; an exercise counts as a whole."""
    if "{exercise-start}" in text:
        return EXERCISE
    words = len(FENCE.sub("", HINT.sub("", text)).split())
    return words / WORDS_PER_MINUTE


def of_code(cell):
    """Return the minutes for a code cell: its lines, if they are shown, and what it shows."""
    tags = cell.metadata.get("tags", [])
    if "AnswerGrid(" in cell.source or "pencil(" in cell.source:
        return GRID
    shown = [line for line in cell.source.splitlines() if line.strip()]
    minutes = (
        0 if {"hide-input", "remove-input"} & set(tags) else len(shown) / CODE_LINES_PER_MINUTE
    )
    for output in cell.outputs:
        html = output.get("data", {}).get("text/html", "")
        pictures = {"image/png", "image/svg+xml"} & set(output.get("data", {}))
        minutes += PLAY if "convbook-widget" in html else FIGURE if pictures else 0
    return minutes


def total(found):
    """Return the chapter's minutes by kind, as its first line says them."""
    said = ", ".join(f"{kind} {minutes}" for kind, minutes in sums(found).items() if minutes)
    return f"{said} minutes".capitalize()


def sums(found):
    """Return the chapter's minutes by kind."""
    return {
        kind: sum(s.rounded for s in found if s.kind == kind)
        for kind in ("core", "optional", "exercises")
    }


def plan(text, folder):
    """Return the first page's text with the minutes of the notebooks that its table names."""

    def row(found):
        minutes = sums(sections(read(folder / found[2]))).values()
        return f"{found[1]} " + " | ".join(str(m) if m else "–" for m in minutes) + " |"

    return PLAN.sub(row, text)


def with_minutes(notebook):
    """Return the notebook with its lines brought up to date; it is changed."""
    found = sections(notebook)
    waiting = iter(found)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = SECTION.sub(
                lambda line: (
                    f'<span class="lesson {line[1]}">{next(waiting).rounded} minutes · '
                    f"{line[1]}{line[3]}</span>"
                ),
                cell.source,
            )
            cell.source = TOTAL.sub(
                lambda line: f'<span class="lesson">{total(found)} · {line[2]}</span>', cell.source
            )
    return notebook


def main(arguments=None):
    """Write the minutes, or say which notebooks have others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("book")])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    differing = 0
    for path in find(options.paths):
        notebook = read(path)
        before, after = dumps(notebook), dumps(with_minutes(notebook))
        if after != before:
            differing += 1
            print(f"{path}: {'other minutes' if options.check else 'minutes written'}")
            if not options.check:
                write(path, after)
        first = path.with_name("index.md")
        if first.exists() and not options.check:
            write(first, plan(first.read_text(encoding="utf-8"), first.parent))
    return int(options.check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
