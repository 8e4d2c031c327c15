"""Measuring hearts: pieces of areas, numbers of patients, and files that do not do."""

import subprocess
import sys

import numpy as np
import pytest

from convbook.datasets import heart
from helpers import ROOT

FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def hearts_module():
    """The module benchmarks/hearts.py, as the recorders import it."""
    sys.path.insert(0, str(FOLDER))
    try:
        import hearts

        yield hearts
    finally:
        sys.path.remove(str(FOLDER))


def test_pieces_of_an_area(hearts_module):
    area = np.zeros((7, 9), bool)
    area[1:3, 1:4] = area[5, 2:8] = area[3, 7] = area[4, 6] = True  # corners do not connect
    parts = hearts_module.pieces(area)
    assert sorted(part.sum() for part in parts) == [1, 6, 7]
    np.testing.assert_array_equal(np.any(parts, axis=0), area)
    assert hearts_module.pieces(np.zeros((3, 3), bool)) == []


def test_a_heart_has_one_place(hearts_module, monkeypatch):
    """In one slice, something else is marked that is larger than the cavity."""
    drawn = heart(patients=1, slices=3, rng=0)
    marked = drawn.cavity.astype(float) - 0.5
    marked[0] = -1
    marked[0, 0, 30:33, 30:33] = 1
    marked[0, 0, :8, :8] = 1
    monkeypatch.setattr(hearts_module, "scores_of", lambda model, x, moves: marked)
    found = hearts_module.areas_found(None, drawn)
    assert found[0, 0, 30:33, 30:33].all() and found[0].sum() == 9
    assert found.shape == drawn.cavity.shape and found.dtype == bool


def test_what_is_measured(hearts_module):
    drawn = heart(patients=2, slices=2, rng=0)
    perfect = hearts_module.measured(drawn, drawn.cavity > 0)
    assert perfect["dice"] == 1 and perfect["fraction_error"] == 0
    assert perfect["by_patient"] == [1, 1] and len(perfect["of_picture"]) == 8
    nothing = hearts_module.measured(drawn, drawn.cavity > 1)
    assert nothing["dice"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "nowhere.npz", "--splits", "1"], "folder must be an existing folder or an"),
        (["--train", "x.npz"], "give either --test FILE or --splits NUMBER or --folds"),
        (["--train", "{file}", "--test", "{file}"], "patients are in both files, such as a"),
    ],
)
def test_files_that_do_not_do(tmp_path, arguments, said):
    drawn = heart(patients=2, slices=1, rng=0)
    file = tmp_path / "hearts.npz"
    packed = np.packbits(drawn.cavity[:, 0], axis=-1)
    np.savez(
        file, x=(255 * drawn.x[:, 0]).astype(np.uint8), endo=packed, epi=packed,
        patient=drawn.patient, slice=drawn.slice, frame=drawn.frame,
        ed=drawn.diastole.astype(np.uint8), names=np.array(["a", "b"]),
    )  # fmt: skip
    command = [sys.executable, FOLDER / "record_heart.py"]
    command += [argument.format(file=file) for argument in arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr
