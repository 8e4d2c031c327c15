"""`make record CHAPTER=…`: every record that a page reads has its recorder; wrong names, a list."""

import json
import re
import runpy
import subprocess
import sys

import pytest

from helpers import ROOT

SCRIPT = ROOT / "benchmarks" / "record.py"
RECORDERS = runpy.run_path(str(SCRIPT))["RECORDERS"]


def page(chapter):
    (path,) = (ROOT / "book").glob(f"{chapter}*.ipynb" if chapter == "speed" else f"{chapter}_*")
    return path


@pytest.mark.parametrize("chapter", RECORDERS)
def test_a_chapter_reads_what_its_recorders_write(chapter):
    cells = json.loads(page(chapter).read_text(encoding="utf-8"))["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    read = set(re.findall(r'"data/(\w+\.json)"', code))
    written = set()
    for script, *_ in RECORDERS[chapter]:
        text = (ROOT / "benchmarks" / script).read_text(encoding="utf-8")
        written |= set(re.findall(r'DATA / "(\w+\.json)"', text))
    assert read == written


def test_every_record_has_a_recorder():
    scripts = {script for commands in RECORDERS.values() for script, *_ in commands}
    assert {path.name for path in (ROOT / "benchmarks").glob("record_*.py")} <= scripts
    text = "".join((ROOT / "benchmarks" / script).read_text(encoding="utf-8") for script in scripts)
    for path in (ROOT / "book" / "data").glob("*.json"):
        assert f'"{path.name}"' in text


@pytest.mark.parametrize("arguments", [[], [""], ["3-2"], ["3-1", "3-6"]])
def test_a_wrong_chapter_gets_the_list(arguments):
    command = [sys.executable, SCRIPT, *arguments]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert result.returncode == 2 and result.stdout == ""
    assert all(f"  {chapter} " in result.stderr for chapter in RECORDERS)
