"""Runs in a page's Python: puts it back to what it is after a start.

A start of Python, and of Matplotlib in it, takes as long as many a chapter: tests of several
chapters share one. Names, figures and settings go, warnings are given once more, and of the data
that come with the package a page finds those that its own cells have asked for.
"""

import gc
import os
import sys
import warnings
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy

import convbook.datasets
from convbook.in_page.widgets import Widgets

MAIN = vars(sys.modules["__main__"])
NAMES = {name: value for name, value in MAIN.items() if name not in ("sys", "types")}
SETTINGS, PRINTING = dict(matplotlib.rcParams), numpy.get_printoptions()
FILTERS = list(warnings.filters)
DATA = Path(convbook.datasets.__file__).parent / "data"
HIDDEN = DATA.parent / "hidden"
FILES = {"convbook-mnist": "mnist*", "convbook-cifar10": "cifar10*"}


def as_after_a_start():
    """Forget what a page has done."""
    plt.close("all")
    matplotlib.rcParams.update(SETTINGS)
    numpy.set_printoptions(**PRINTING)
    warnings.filters[:] = FILTERS
    for module in list(sys.modules.values()):
        getattr(module, "__warningregistry__", {}).clear()
    os.chdir("/home/pyodide")
    HIDDEN.mkdir(exist_ok=True)
    for pattern in FILES.values():
        move(DATA, HIDDEN, pattern)
    MAIN.clear()
    MAIN.update(NAMES)
    gc.collect()
    for each in gc.get_objects():
        if isinstance(each, Widgets):  # another page has no script of a figure yet
            each.known.clear()
            each.shown.clear()


def show_data(packages):
    """Put the files of packages, of those that hold data, where they are looked for."""
    for package in set(packages) & set(FILES):
        move(HIDDEN, DATA, FILES[package])


def move(source, target, pattern):
    """Move files from one folder into another."""
    for path in source.glob(pattern):
        path.rename(target / path.name)
