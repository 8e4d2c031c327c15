"""Measuring hearts: pieces of areas, numbers of patients, and files that do not do."""

import json
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


# --- The recorder as a command -------------------------------------------------------------------


def write_hearts(file, names, seed, **changed):
    """Write drawn hearts as a file of the format in which real ones are given."""
    drawn = heart(patients=len(names), slices=2, rng=seed)
    cavity, muscle = drawn.cavity[:, 0] > 0, drawn.muscle[:, 0] > 0
    arrays = {
        "x": (255 * drawn.x[:, 0]).astype(np.uint8),
        "endo": np.packbits(cavity, axis=-1),
        "epi": np.packbits(cavity | muscle, axis=-1),
        "patient": drawn.patient,
        "slice": drawn.slice,
        "frame": drawn.frame,
        "ed": drawn.diastole.astype(np.uint8),
        "names": np.array(names),
    }
    np.savez(file, **(arrays | changed))
    return drawn


def recorded(folder, *arguments):
    """Run the recorder in a folder, with two epochs, its figures kept there."""
    program = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r})\n"
        "import pathlib, record_heart\n"
        "record_heart.TARGET, record_heart.EPOCHS = pathlib.Path('heart.json').resolve(), 2\n"
        "record_heart.main()"
    )
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
def test_some_patients_to_learn_from_and_others_to_test(tmp_path):
    write_hearts(tmp_path / "some.npz", ["a", "b", "c"], 0)
    truth = write_hearts(tmp_path / "others.npz", ["d", "e"], 1)
    done = recorded(
        tmp_path, "--train", "some.npz", "--test", "others.npz", "--seeds", "2", "--save"
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads((tmp_path / "heart.json").read_text(encoding="utf-8"))["runs"]
    assert [run["seed"] for run in runs] == [0, 1]
    for run in runs:
        assert run["patients"] == ["d", "e"] and run["trained_on"] == 3
        assert len(run["of_picture"]) == len(truth) == 8
        assert run["dice"] == pytest.approx(np.mean(run["of_picture"]), abs=1e-4)
        np.testing.assert_allclose(run["true_fractions"], truth.ejection_fractions(), atol=1e-4)
        assert f"mean over pictures {run['dice']:.3f}" in done.stdout
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("d ", "e "))] == ["d", "e"] * 2
    assert "median over 2 trainings: Dice" in done.stdout
    assert "mean over all 16 pictures tested" in lines[-1]


@pytest.mark.slow
def test_every_patient_is_tested_once(tmp_path):
    write_hearts(tmp_path / "all.npz", ["a", "b", "c"], 0)
    done = recorded(tmp_path, "--train", "all.npz", "--folds", "3")
    assert done.returncode == 0, done.stderr
    rows = [line.split()[0] for line in done.stdout.splitlines() if line[:2] in ("a ", "b ", "c ")]
    assert sorted(rows) == ["a", "b", "c"] and not (tmp_path / "heart.json").exists()


@pytest.mark.slow
def test_patients_without_an_ejection_fraction_are_counted(tmp_path):
    write_hearts(tmp_path / "some.npz", ["a", "b"], 0)
    ends = np.array([1, 1, 1, 1, 0, 1, 0, 1], np.uint8)  # of the first patient no systole
    write_hearts(tmp_path / "others.npz", ["d", "e"], 1, ed=ends)
    done = recorded(tmp_path, "--train", "some.npz", "--test", "others.npz", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert ", of 1 patients who have one" in done.stdout


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    """A folder with hearts, an array that is no archive, and hearts of another size."""
    folder = tmp_path_factory.mktemp("bad")
    write_hearts(folder / "hearts.npz", ["a", "b"], 0)
    with open(folder / "array.npz", "wb") as file:
        np.save(file, np.zeros(3))
    no_heart = np.zeros((8, 44, 6), np.uint8)
    pictures = np.zeros((8, 44, 48), np.uint8)
    write_hearts(folder / "small.npz", ["c", "d"], 0, x=pictures, endo=no_heart, epi=no_heart)
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "nowhere.npz", "--splits", "1"], "folder must be an existing folder or an"),
        (["--train", "x.npz"], "give either --test FILE or --splits NUMBER or --folds"),
        (
            ["--train", "hearts.npz", "--test", "hearts.npz"],
            "2 patients are in both files, such",
        ),
        (["--train", "hearts.npz", "--test", "array.npz"], "it is no .npz file"),
        (["--train", "hearts.npz", "--test", "small.npz"], "holds pictures of 44×48; the network"),
        (["--train", "hearts.npz", "--folds", "3"], "from 2 to the number of patients, 2, got 3"),
        (["--train", "hearts.npz", "--splits", "1"], "test must be fewer than the 2 patients"),
        (["--train", "hearts.npz", "--test", "x", "--seeds", "0"], "must be 1 or more, got 0"),
    ],
)
def test_files_that_do_not_do(bad_files, hearts_module, monkeypatch, capsys, arguments, said):
    import record_heart

    monkeypatch.chdir(bad_files)
    monkeypatch.setattr(sys, "argv", ["record_heart.py", *arguments])
    with pytest.raises(SystemExit) as left:
        record_heart.main()
    assert left.value.code  # a text is what Python prints as it ends
    assert said in f"{left.value.code} {capsys.readouterr().err}"
