"""The build of the live site: what it takes and checks, what it writes and leaves alone."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sphinx.errors import ConfigError

from conftest import NO_PYODIDE
from convbook.site import live
from convbook.site.live import PLAIN_NOTE, fonts, runtime, wheels
from convbook.site.live.write import EDITOR, FOLDER, NEEDS, SCRIPT, STYLE, write
from helpers import ROOT
from helpers.pages import CHAPTERS

LIVE = ROOT / "src" / "convbook" / "site" / "live"


@pytest.fixture(scope="module")
def pyodide():
    """The folder with Pyodide's files."""
    folder = os.environ.get(runtime.VARIABLE)
    if not folder:
        pytest.skip(NO_PYODIDE)
    return folder


@pytest.fixture
def copy(pyodide, tmp_path):
    """A copy of that folder, to spoil."""
    folder = tmp_path / "pyodide"
    shutil.copytree(pyodide, folder)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


# --- Where the runtime comes from ----------------------------------------------------------------


def command(folder, tmp_path):
    """Run the command that fetches the runtime; return its exit status and what it says."""
    environment = os.environ | {
        runtime.VARIABLE: str(folder),
        "XDG_CACHE_HOME": str(tmp_path / "no"),
    }
    result = subprocess.run(
        [sys.executable, "-m", "convbook.site.live"],
        env=environment,
        capture_output=True,
        text=True,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.slow
def test_a_missing_folder_is_said_in_one_sentence(tmp_path):
    status, said = command(tmp_path / "nowhere", tmp_path)
    assert status == 1 and said.count("\n") == 1
    assert "CONVBOOK_PYODIDE must name an existing folder" in said and "nowhere" in said


def test_an_incomplete_folder_names_the_file(copy, tmp_path):
    (copy / "python_stdlib.zip").unlink()
    assert command(copy, tmp_path) == (
        1,
        f"There is no python_stdlib.zip in {str(copy)!r}, which CONVBOOK_PYODIDE names.\n",
    )


@pytest.mark.parametrize("pattern", ["pyodide.asm.js", "numpy-*.whl", "pyodide-lock.json"])
def test_a_file_that_was_changed_is_refused_and_nothing_is_written(copy, tmp_path, pattern):
    (path,) = copy.glob(pattern)
    path.write_bytes(path.read_bytes() + b" ")
    static = tmp_path / "_static"
    static.mkdir()
    with pytest.raises(runtime.RuntimeMissing, match="its SHA-256 must be"):
        write(static, ROOT / "book", copy)
    assert list(static.iterdir()) == []


def test_without_folder_and_network_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    nowhere = replace(runtime.pinned(), address="http://127.0.0.1:9/")
    with pytest.raises(runtime.RuntimeMissing) as caught:
        runtime.collect(nowhere, cache=tmp_path)
    said = str(caught.value)
    assert (
        "connect to the network, or set CONVBOOK_PYODIDE to a folder" in said and "\n" not in said
    )
    assert list(tmp_path.iterdir()) == []


def test_the_release_is_downloaded_once_and_checked(pyodide, serve, tmp_path, monkeypatch):
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    release = replace(runtime.pinned(), address=f"{serve(pyodide)}/")
    core, packages = runtime.collect(release, cache=tmp_path)
    assert core["pyodide.js"].parent == tmp_path and "numpy" in packages
    away = replace(release, address="http://127.0.0.1:9/")
    assert runtime.collect(away, cache=tmp_path) == (core, packages)  # from the cache
    core["pyodide.js"].write_bytes(b"spoilt")
    with pytest.raises(runtime.RuntimeMissing):
        runtime.collect(away, cache=tmp_path)


def test_the_build_says_the_sentence_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(runtime.VARIABLE, str(tmp_path / "nowhere"))
    app = SimpleNamespace(
        builder=SimpleNamespace(format="html"),
        outdir=tmp_path / "html",
        srcdir=ROOT,
        config=SimpleNamespace(convbook_live=True),
    )
    with pytest.raises(ConfigError, match="existing folder"):
        live.write_files(app)
    assert not (tmp_path / "html").exists()


# --- What is written -----------------------------------------------------------------------------


def test_the_runtime_is_written_alike_twice_with_a_lock_that_fits(pyodide, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, ROOT / "book", pyodide)
    (first,), (second,) = (list((tmp_path / name / FOLDER).iterdir()) for name in "ab")
    assert first.name == second.name  # a checksum of all that is in it
    assert {STYLE, SCRIPT, EDITOR, FOLDER} == {path.name for path in (tmp_path / "a").iterdir()}

    lock = json.loads(gzip.decompress((first / "pyodide-lock.json.packed").read_bytes()))
    for entry in lock["packages"].values():
        data = (first / entry["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert set(entry["depends"]) <= set(lock["packages"])
    assert {"numpy", "matplotlib", "pillow", "convbook", "traitlets", "tqdm"} <= set(
        lock["packages"]
    )
    for packages in NEEDS.values():
        assert set(packages) <= set(lock["packages"])
    for path in first.iterdir():
        if path.is_file():
            assert (first / "scripts" / f"{path.name.removesuffix('.packed')}.js").is_file()


def test_the_package_travels_without_its_builder_and_its_data_apart():
    made = wheels.own_wheels()
    names = {name: zipfile.ZipFile(io.BytesIO(data)).namelist() for name, (_, data) in made.items()}
    assert "convbook/in_page/session.py" in names["convbook"]
    assert "convbook/widgets/convolution.js" in names["convbook"]
    assert not [name for name in names["convbook"] if "/site/" in name or "__pycache__" in name]
    assert "convbook/datasets/data/mnist_sample.npz" in names["convbook-mnist"]
    assert len(made["convbook"][1]) < 1_000_000  # what every first Run loads


def test_installed_packages_become_wheels_of_pure_python():
    version, data = wheels.installed_wheel("tqdm")
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert "tqdm/std.py" in names and f"tqdm-{version}.dist-info/RECORD" in names
    assert all(name.startswith("tqdm") for name in names)


def test_the_fonts_are_listed_for_the_wheels_matplotlib(pyodide):
    _, packages = runtime.collect(runtime.pinned(), pyodide)
    listed = json.loads(fonts.font_list(packages["matplotlib"][1].read_bytes()))
    assert listed["_version"] == 330  # Matplotlib 3.8's
    found = {entry["name"] for entry in listed["ttflist"]}
    assert {"DejaVu Sans", "DejaVu Sans Mono", "STIXGeneral"} <= found


def test_the_editor_was_built_from_what_lies_beside_it():
    """`make editor` notes in the bundle what it was built from."""
    first = (LIVE / EDITOR).read_text(encoding="utf-8").partition("\n")[0]
    sums = hashlib.sha256()
    for name in ("editor.js", "package-lock.json", "package.json"):
        sums.update((LIVE / "editor" / name).read_bytes())
    assert first == f"/* Built by `make editor` from sources with SHA-256 {sums.hexdigest()} */"


# --- The site that is not live -------------------------------------------------------------------


def test_the_plain_site_says_how_to_run_the_code_and_carries_nothing_of_it(site):
    for name in CHAPTERS:
        text = (site / name).read_text(encoding="utf-8")
        assert text.count(PLAIN_NOTE) == 1 and SCRIPT not in text
    assert not list((site / "_static").glob("convbook-live*"))
    assert PLAIN_NOTE not in (site / "book" / "notation.html").read_text(encoding="utf-8")
