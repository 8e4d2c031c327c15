"""The style that the linter has no rule for: rulers, and types in docstrings only."""

import ast
import re

import pytest

from helpers import ROOT

FOLDERS = ("benchmarks", "scripts", "src", "tests")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
COLUMN = 99


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_rulers_are_alike(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"# ?[-=#*_]{3,}", line):
            assert re.fullmatch(r"# --- \S.* -+", line) and len(line) == COLUMN, line


@pytest.mark.parametrize("path", FILES, ids=name)
def test_signatures_have_no_annotations(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = function.args
            named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            named += [part for part in (given.vararg, given.kwarg) if part]
            annotated = [argument.arg for argument in named if argument.annotation]
            place = f"{function.name}, line {function.lineno}"
            assert not annotated and not function.returns, place
