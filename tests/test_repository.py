"""The repository keeps what its README promises."""

import re
import subprocess
import tomllib

import pytest

from helpers import ROOT

TARGETS = (
    "book",
    "live",
    "student",
    "serve",
    "test",
    "check",
    "format",
    "test-gpu",
    "notebooks",
    "lab",
    "widget W=ConvolutionExplorer",
    "bench",
    "record CHAPTER=3-5-1",
    "clean",
)
# Written in parts, so that this file does not find itself.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "ana" + "conda.org"]
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:root|work|Users/\w+|home/(?!jovyan\b)\w+)/")


def text_of(name):
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def tracked_files():
    """The repository's files: what git knows or would add, or all but what is built."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        names = listing.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # a downloaded archive
        names = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*"))
        built = (".venv", "_build", ".hypothesis", ".pytest_cache", "__pycache__")
        names = (name for name in names if not any(part in name for part in built))
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_extras_of_the_package():
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    assert {"dev", "test", "torch", "tensorflow", "cuda12", "cuda13"} <= set(extras)
    assert extras["torch"] == ["torch==2.13.0"]
    assert project["license"] == "MIT"


def test_requirements_are_pinned():
    for name in ("requirements.txt", "constraints.txt"):
        for line in text_of(name).splitlines():
            if line and line not in ("-c constraints.txt", "-e ."):
                assert re.match(r"[\w.-]+==[\w.]+( ;.*)?$", line), f"{name}: {line}"


def test_requirements_agree_with_their_constraints():
    pins = set(text_of("constraints.txt").splitlines())
    for line in text_of("requirements.txt").splitlines():
        if "==" in line:
            assert line in pins, line


def test_the_book_needs_no_deep_learning_framework():
    # constraints.txt pins them for whoever installs an extra; it installs nothing itself.
    required = tomllib.loads(text_of("pyproject.toml"))["project"]["dependencies"]
    required += text_of("requirements.txt").splitlines()
    named = {re.match(r"[\w-]*", line)[0] for line in required}
    assert "numpy" in named
    assert not {"torch", "tensorflow", "tensorflow-cpu", "keras", "cupy"} & named


@pytest.mark.parametrize("target", TARGETS)
def test_readme_names_every_command(target):
    assert f"| `make {target}` |" in text_of("README.md")
    name = target.partition(" ")[0]
    assert re.search(rf"^{name}:", text_of("Makefile"), flags=re.MULTILINE)
    assert f'echo "make {name} ' in text_of("Makefile")


def test_licences_are_named():
    licence = text_of("LICENSE")
    assert "MIT License" in licence and "WITHOUT WARRANTY OF ANY KIND" in licence
    assert "https://creativecommons.org/licenses/by/4.0/" in licence
    for name in ("README.md", "_config.yml"):
        assert "MIT" in text_of(name) and "CC BY 4.0" in text_of(name), name


def test_a_fresh_clone_ignores_what_is_built():
    ignored = text_of(".gitignore").splitlines()
    assert {"/.venv/", "/_build/", ".ipynb_checkpoints/"} <= set(ignored)


def test_no_machine_and_no_registry_is_named():
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        named = [host for host in REGISTRIES if host in text] + MACHINE_PATH.findall(text)
        assert named == [], path.relative_to(ROOT)
