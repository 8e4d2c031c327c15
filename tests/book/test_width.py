"""What a page 1280 pixels wide shows without scrolling sideways: 77 columns of a code box."""

import pytest

from convbook.site.notebooks import is_code, read
from helpers import ROOT
from helpers.pages import listed_in_toc

COLUMNS = 77
UNDER_WORK = {"book/3-9-1_gan", "book/3-9_pix2pix"}  # their lines are wrapped next
NOTEBOOKS = [
    name for name in listed_in_toc() if (ROOT / f"{name}.ipynb").exists() and name not in UNDER_WORK
]


def too_wide(text, columns=COLUMNS):
    """Return the lines that would be scrolled."""
    return [line for line in text.splitlines() if len(line) > columns]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_is_no_wider_than_its_box(name):
    cells = [
        cell
        for cell in read(ROOT / f"{name}.ipynb").cells
        if is_code(cell) and "remove-input" not in cell.metadata.get("tags", [])
    ]
    assert cells
    assert [line for cell in cells for line in too_wide(cell.source)] == []
