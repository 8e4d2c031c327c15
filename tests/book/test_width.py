"""What a page 1280 pixels wide shows without scrolling sideways: 77 columns of a code box."""

import pytest

from convbook.site.notebooks import is_code, read
from helpers import ROOT
from helpers.pages import listed_in_toc

COLUMNS = 77
HIDDEN, SOLUTION = 74, 72  # columns of narrower boxes, which a reader unfolds
NOTEBOOKS = [name for name in listed_in_toc() if (ROOT / f"{name}.ipynb").exists()]


def cells(name):
    """Return the code cells of a notebook."""
    return [cell for cell in read(ROOT / f"{name}.ipynb").cells if is_code(cell)]


def too_wide(text, columns=COLUMNS):
    """Return the lines that would be scrolled."""
    return [line for line in text.splitlines() if len(line) > columns]


def folded(name):
    """Yield the code cells of a notebook that a reader unfolds, and their columns."""
    inside = False
    for cell in read(ROOT / f"{name}.ipynb").cells:
        inside = (inside or "{solution-start}" in cell.source) and (
            "{solution-end}" not in cell.source
        )
        tags = cell.metadata.get("tags", [])
        if is_code(cell) and "remove-input" not in tags and (inside or "hide-input" in tags):
            yield cell, SOLUTION if inside else HIDDEN


def printed(cell):
    """Return what a cell shows as text: what it prints, and values that have no other form."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif set(output.get("data", {})) == {"text/plain"}:
            yield output.data["text/plain"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_is_no_wider_than_its_box(name):
    shown = [cell for cell in cells(name) if "remove-input" not in cell.metadata.get("tags", [])]
    assert shown
    assert [line for cell in shown for line in too_wide(cell.source)] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_a_cell_prints_is_no_wider_than_its_box(name):
    texts = [text for cell in cells(name) for text in printed(cell)]
    assert texts
    assert [line for text in texts for line in too_wide(text)] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_that_is_unfolded_is_no_wider_than_its_box(name):
    assert [line for cell, columns in folded(name) for line in too_wide(cell.source, columns)] == []
