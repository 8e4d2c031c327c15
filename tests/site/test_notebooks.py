"""The stored notebooks are in normal form, and the tool that writes them does so every time."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from convbook.site import notebooks
from helpers import ROOT

WIDGET_VIEW = notebooks.WIDGET_VIEW
STORED = sorted((ROOT / "book").rglob("[!.]*.ipynb"))


def as_run_by_an_editor():
    """A notebook as an editor leaves it: odd counts, a kernel's version, a widget's view."""
    widget = {
        WIDGET_VIEW: {"model_id": "5f1c", "version_major": 2, "version_minor": 1},
        "text/html": "<div>3</div>",
        "text/plain": "Explorer()",
    }
    view_only = {WIDGET_VIEW: {"model_id": "77aa"}, "text/plain": "Slider()"}
    return new_notebook(
        metadata={
            "kernelspec": {"name": "mine", "display_name": "Mine", "language": "python"},
            "language_info": {"name": "python", "version": "3.12.1"},
            "widgets": {"state": {}},
        },
        cells=[
            new_markdown_cell("# A title", metadata={"collapsed": True, "tags": ["wide"]}),
            new_code_cell(
                "print(1)\nprint(2)\nthing",
                execution_count=41,
                metadata={"tags": ["hide-input"], "execution": {"iopub.status": "2030-01-01"}},
                outputs=[
                    new_output("stream", name="stdout", text="1\n"),
                    new_output("stream", name="stderr", text="careful\n"),
                    new_output("stream", name="stdout", text="2\n"),
                    new_output(
                        "execute_result",
                        execution_count=41,
                        data={"text/plain": "<Thing at 0x7f3a2b>"},
                    ),
                ],
            ),
            new_code_cell(
                "explorer",
                execution_count=43,
                outputs=[
                    new_output("execute_result", execution_count=43, data=widget),
                    new_output("display_data", data=view_only),
                ],
            ),
            new_code_cell("  \n"),
        ],
    )


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_stored_notebook_is_in_normal_form(path):
    found = notebooks.problems(path)
    assert not found, "\n".join([*found, f"Run `{notebooks.COMMAND}` and commit what it changes."])


def test_normal_form():
    title, printing, widget, empty = notebooks.normalise(as_run_by_an_editor()).cells
    assert [cell.id for cell in (title, printing, widget, empty)] == [
        "cell-001",
        "cell-002",
        "cell-003",
        "cell-004",
    ]
    assert title.metadata == {"tags": ["wide"]}
    assert printing.metadata == {"tags": ["hide-input"]}
    assert [cell.execution_count for cell in (printing, widget, empty)] == [1, 2, None]
    assert [(o.output_type, o.get("name"), o.get("text")) for o in printing.outputs] == [
        ("stream", "stdout", "1\n2\n"),
        ("stream", "stderr", "careful\n"),
        ("execute_result", None, None),
    ]
    assert printing.outputs[2].data == {"text/plain": "<Thing at 0x0>"}
    assert printing.outputs[2].execution_count == 1


def test_normal_form_keeps_only_what_the_site_reads():
    metadata = notebooks.normalise(as_run_by_an_editor()).metadata
    assert metadata == {
        "kernelspec": notebooks.KERNELSPEC,
        "language_info": notebooks.LANGUAGE_INFO,
    }


def test_normal_form_drops_a_widget_view_only_where_html_stands_in_for_it():
    widget = notebooks.normalise(as_run_by_an_editor()).cells[2]
    with_html, without_html = widget.outputs
    assert set(with_html.data) == {"text/html", "text/plain"}
    assert set(without_html.data) == {WIDGET_VIEW, "text/plain"}


def test_normalise_leaves_its_argument_alone_and_is_idempotent():
    given = as_run_by_an_editor()
    before = json.dumps(given, sort_keys=True)
    once = notebooks.normalise(given)
    assert json.dumps(given, sort_keys=True) == before
    text = notebooks.dumps(once)
    again = notebooks.normalise(nbformat.reads(text, as_version=4))
    assert notebooks.dumps(again) == text
    assert text.endswith("}\n") and not text.endswith("\n\n")


def test_check_refuses_what_is_not_in_normal_form(tmp_path, capsys):
    path = tmp_path / "chapter.ipynb"
    nbformat.write(as_run_by_an_editor(), path)
    before = path.read_bytes()
    assert notebooks.main(["--check", str(path)]) == 1
    message = capsys.readouterr().err
    assert "chapter.ipynb" in message and "make notebooks" in message
    assert path.read_bytes() == before

    notebooks.write(path, notebooks.dumps(notebooks.normalise(notebooks.read(path))))
    assert notebooks.main(["--check", str(tmp_path)]) == 0


def test_check_refuses_a_cell_that_was_not_executed(tmp_path, capsys):
    path = tmp_path / "chapter.ipynb"
    notebook = new_notebook(cells=[new_markdown_cell("A title"), new_code_cell("1 + 1")])
    notebooks.write(path, notebooks.dumps(notebooks.normalise(notebook)))
    assert notebooks.main(["--check", str(path)]) == 1
    assert "cell 2 has not been executed" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "{}", '{"cells": 3, "nbformat": 4}', "# A page"])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"broken\.ipynb is not a Jupyter notebook"):
        notebooks.read(path)


def test_paths_that_are_no_notebooks_are_refused(tmp_path, capsys):
    assert notebooks.main([str(tmp_path / "nowhere")]) == 2
    assert "neither a folder nor a notebook" in capsys.readouterr().err


def test_checkpoints_of_an_editor_are_no_chapters(tmp_path):
    for name in ("b.ipynb", "a.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assert [path.name for path in notebooks.find([tmp_path])] == ["a.ipynb", "b.ipynb"]


PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('A line')\nplt.show()"
TIMING = "import time\ntime.perf_counter_ns()"


def small_chapter(path, *sources, measurement=None):
    """Write an unexecuted notebook with a cell for each source, and one for a measurement."""
    cells = [new_markdown_cell("# A chapter"), *map(new_code_cell, sources)]
    if measurement:
        cells.append(new_code_cell(measurement, metadata={"tags": ["nbval-ignore-output"]}))
    nbformat.write(new_notebook(cells=cells), path)


@pytest.mark.slow
def test_two_executions_are_byte_identical(tmp_path, capsys):
    path = tmp_path / "chapter.ipynb"
    source = "print({'b', 'a', 'c'}, hash('text'))\nobject()"
    small_chapter(path, PLOT, source, measurement=TIMING)
    assert notebooks.main([str(path)]) == 0
    first = path.read_bytes()
    assert b"image/png" in first
    assert notebooks.problems(path) == []
    assert notebooks.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert capsys.readouterr().out.splitlines() == [f"{path}: stored", f"{path}: unchanged"]

    # The measurement is taken again when asked for, and when the code before it changed.
    assert notebooks.main(["--measure", str(path)]) == 0
    measured = path.read_bytes()
    assert measured != first
    notebook = notebooks.read(path)
    notebook.cells[2].source = "4"
    nbformat.write(notebook, path)
    assert notebooks.main([str(path)]) == 0
    stored, fresh = (
        nbformat.reads(text.decode(), as_version=4).cells[-1].outputs
        for text in (measured, path.read_bytes())
    )
    assert stored != fresh


@pytest.mark.slow
def test_a_failing_cell_is_named_and_the_file_stays(tmp_path, capsys):
    failing, sound = tmp_path / "failing.ipynb", tmp_path / "sound.ipynb"
    small_chapter(failing, "x = 1", "x / 0", "x")
    small_chapter(sound, "2 + 2")
    before = failing.read_bytes()
    assert notebooks.main([str(failing), str(sound)]) == 1
    output = capsys.readouterr()
    assert "failing.ipynb, cell 3: ZeroDivisionError: division by zero" in output.err
    assert failing.read_bytes() == before
    assert f"{sound}: stored" in output.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["failing.ipynb", "sound.ipynb"]


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "chapter.ipynb"
    path.write_text("as it was")

    def out_of_space(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(notebooks.os, "replace", out_of_space)
    with pytest.raises(OSError, match="no space left"):
        notebooks.write(path, "new")
    assert path.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == ["chapter.ipynb"]
