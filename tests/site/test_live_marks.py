"""The tags by which the live site knows what a browser cannot run."""

import json
import re

import pytest

from convbook.site.live.marks import MARKS
from helpers import ROOT
from helpers.live import tags
from helpers.pages import CHAPTERS

# What Jupyter Book and nbval know; a tag that nobody knows is a slip of the pen.
OTHERS = {"hide-input", "remove-input", "hide-output", "remove-output", "nbval-ignore-output"}
MISSING = r"^(?:import|from) (?:torch|torchvision|keras|tensorflow|joblib|multiprocessing)\b"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_tag_is_known(name):
    assert {tag for each in tags(name) for tag in each} <= {*OTHERS, *MARKS}


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_a_browser_lacks_is_imported_in_marked_cells(name):
    cells = json.loads((ROOT / name).with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    for each in cells:
        marked = set(MARKS) & set(each["metadata"].get("tags", []))
        if each["cell_type"] == "code" and not marked:
            code = "".join(each["source"])
            assert not re.search(MISSING, code, re.MULTILINE), code


def test_every_mark_says_something():
    for tag, mark in MARKS.items():
        assert ("cannot" in mark) != ("warning" in mark), tag
