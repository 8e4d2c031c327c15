"""README's recipe for Colab: one cell, in a live kernel, in an environment without the book."""

import os
import re
import subprocess
import sys
import sysconfig

import pytest
from jupyter_client.manager import KernelManager

from helpers import ROOT

USES = """
import json
from pathlib import Path
import numpy as np
from convbook.functional import conv2d
from convbook.exercises import check
assert conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).tolist() == [[[[4, 4], [4, 4]]]]
assert json.loads(Path("data/speed.json").read_text())
import convbook
print(convbook.__file__)
"""
SECONDS = 180


def recipe():
    """Return the cell that README shows for Colab."""
    (cell,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    return cell


@pytest.fixture
def environment(tmp_path):
    """The Python of a fresh environment, which finds this one's packages but not the book's.

    As in Colab, most of what the book needs is there; nothing is downloaded.
    """
    folder = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.rglob("site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.fixture
def run(environment, tmp_path, monkeypatch):
    """A function that runs a cell in the environment's kernel, and returns what it printed."""
    # pip downloads nothing, and builds with the setuptools that is there.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip's way to say: no isolation
    monkeypatch.delenv("PYTHONPATH", raising=False)
    kernels = KernelManager()
    kernels.kernel_spec.argv[0] = str(environment)
    (tmp_path / "content").mkdir()
    kernels.start_kernel(cwd=tmp_path / "content")
    client = kernels.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)

    def answer(message):
        client.input(ROOT.as_uri())

    def execute(code):
        printed = []

        def note(message):
            content = message["content"]
            printed.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

        reply = client.execute_interactive(
            code, allow_stdin=True, timeout=SECONDS, output_hook=note, stdin_hook=answer
        )
        text = "".join(printed)
        assert reply["content"]["status"] == "ok", text
        return text

    yield execute
    client.stop_channels()
    kernels.shutdown_kernel(now=True)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
@pytest.mark.slow
def test_one_cell_is_enough(run, environment):
    with pytest.raises(AssertionError, match="No module named 'convbook'"):
        run("import convbook.functional")
    said = run(recipe())
    found = run(USES)
    assert str(environment.parents[1]) in found, said
