"""Execute the notebooks and store them in one normal form.

The chapters are stored with their outputs: the site shows those outputs, and the tests compare
them with what the code gives today. For both, a notebook has to be written the same way every
time, so that a difference between two versions of the file is a difference in what a reader sees.

Run ``python -m convbook.site.notebooks`` to execute and store every notebook in ``book/``, or name
the notebooks or folders; with ``--check`` nothing is executed and the stored files are only looked
at. A cell tagged ``nbval-ignore-output`` holds a measurement (a timing, say), which no two runs
share: it keeps its stored output as long as the code up to it has not changed. ``--measure``
takes the measurements again.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat.reader import NotJSONError

COMMAND = "make notebooks"
MEASUREMENT = "nbval-ignore-output"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
# What the site and this module read, beside the kernel; the rest is the trace of one editor or run.
NOTEBOOK_METADATA = ("myst", "mystnb")
CELL_METADATA = ("measured", "mystnb", "tags")

ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ExecutionError(Exception):
    """A cell of a notebook failed; the message names the notebook, the cell and the reason."""


# --- The normal form -----------------------------------------------------------------------------


def normalise(notebook):
    """Return the notebook in normal form; the one given is left as it was.

    Cells get ids and execution counts by their position, metadata is cut down to what the site
    reads, memory addresses are blanked, streams are joined, and the view of a widget goes where a
    ``text/html`` form of it is stored. A cell that was never executed stays recognisable: it has
    no execution count.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A notebook in format 4.

    Returns
    -------
    nbformat.NotebookNode
    """
    metadata = chosen(notebook.metadata, NOTEBOOK_METADATA)
    metadata |= {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    cells = []
    executed = 0
    for position, cell in enumerate(notebook.cells, start=1):
        normal = {
            "cell_type": cell.cell_type,
            "id": f"cell-{position:03d}",
            "metadata": chosen(cell.metadata, CELL_METADATA),
            "source": cell.source,
        }
        if cell.get("attachments"):
            normal["attachments"] = cell.attachments
        if cell.cell_type == "code":
            count = None
            if is_code(cell) and cell.get("execution_count") is not None:
                executed += 1
                count = executed
            normal["execution_count"] = count
            normal["outputs"] = normal_outputs(cell.outputs, count) if is_code(cell) else []
        cells.append(normal)
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def chosen(metadata, keys):
    """Return the entries of the metadata that are named and not empty."""
    return {key: metadata[key] for key in keys if metadata.get(key)}


def is_code(cell):
    """Whether a cell holds something to execute."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def normal_outputs(outputs, count):
    """Return the outputs of one code cell in normal form."""
    normal = []
    for streams, group in groupby(outputs, key=lambda output: output.output_type == "stream"):
        if streams:
            normal += joined_streams(group)
        else:
            normal += [normal_output(output, count) for output in group]
    return normal


def joined_streams(outputs):
    """Join neighbouring streams: where one message ends and the next begins is an accident."""
    text = {"stdout": "", "stderr": ""}
    for output in outputs:
        text[output.name] += output.text
    return [
        {"name": name, "output_type": "stream", "text": without_addresses(written)}
        for name, written in text.items()
        if written
    ]


def normal_output(output, count):
    """Return one output that is not a stream in normal form."""
    normal = dict(output)
    if "execution_count" in normal:
        normal["execution_count"] = count
    if "data" in normal:
        data = {mime: without_addresses(value) for mime, value in output.data.items()}
        if "text/html" in data:
            data.pop(WIDGET_VIEW, None)
        normal["data"] = data
    return normal


def without_addresses(value):
    """Blank memory addresses, as in ``<object at 0x7f…>``, in a text."""
    return ADDRESS.sub("at 0x0", value) if isinstance(value, str) else value


# --- Files ---------------------------------------------------------------------------------------


def read(path):
    """Read a notebook; raises ValueError with the file's name when it is not one."""
    try:
        return nbformat.reads(Path(path).read_text(encoding="utf-8"), as_version=4)
    except (NotJSONError, nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a Jupyter notebook: {error}") from error


def dumps(notebook):
    """Return the text of the notebook's file: sorted keys, indent 1, a newline at the end."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write(path, text):
    """Write the whole file or nothing: first beside it, then in its place."""
    path = Path(path)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def find(paths):
    """Return the notebooks among files and folders, sorted, without an editor's checkpoints."""
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(p for p in path.rglob("*.ipynb") if not is_hidden(p, path))
        elif path.suffix == ".ipynb" and path.is_file():
            found.append(path)
        else:
            raise ValueError(f"{path} is neither a folder nor a notebook (a file ending in .ipynb)")
    return found


def is_hidden(path, folder):
    """Whether the path goes through a name with a leading dot below the folder."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def problems(path):
    """Return what keeps a stored notebook from being in normal form, as sentences.

    Nothing is executed. An empty list means that the file is as ``make notebooks`` writes it.
    """
    try:
        notebook = read(path)
    except ValueError as error:
        return [str(error)]
    found = [
        f"{path}: cell {position} has not been executed"
        for position, cell in enumerate(notebook.cells, start=1)
        if is_code(cell) and cell.execution_count is None
    ]
    if Path(path).read_bytes() != dumps(normalise(notebook)).encode():
        found.append(f"{path}: not in the form in which notebooks are stored")
    return found


# --- Execution -----------------------------------------------------------------------------------


def execute(path, measure=False, timeout=600):
    """Execute one notebook and store it in normal form.

    Parameters
    ----------
    path : path-like
        The notebook; its code runs in the notebook's own folder.
    measure : bool
        Take the measurements again even where the code has not changed.
    timeout : float
        Seconds that one cell may take.

    Returns
    -------
    bool
        Whether the file changed.

    Raises
    ------
    ExecutionError
        A cell failed. The file is as it was.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = Path(path)
    stored = read(path)
    notebook = nbformat.from_dict(stored)
    begun = []  # the cells' indices
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(path.parent.resolve())}},
        store_widget_state=False,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no advice on how it is connected
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
    )
    with tempfile.TemporaryDirectory() as profile:
        try:
            client.execute(env=kernel_environment(profile))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise ExecutionError(failure(path, notebook, begun, error)) from None
    keep_measurements(stored, notebook, measure)
    text = dumps(normalise(notebook))
    if path.read_bytes() == text.encode():
        return False
    write(path, text)
    return True


def kernel_environment(profile):
    """Return the kernel's environment: one BLAS thread, and nothing of the user's own set-up.

    The last digit of a sum depends on the number of threads, the look of a figure on the backend,
    the order of a set on the hash seed, and a start-up file may do anything at all. A progress bar
    would be stored as it was at its last moment.
    """
    environment = os.environ | {
        "IPYTHONDIR": profile,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "CONVBOOK_QUIET": "1",
    }
    environment.pop("MPLBACKEND", None)
    return environment


def keep_measurements(stored, executed, measure):
    """Put stored measurements back into the executed notebook, where the code is the same.

    Beside each measurement stands a checksum of the code up to it, taken when it was measured.
    """
    code = hashlib.sha256()
    for old, new in zip(stored.cells, executed.cells, strict=True):
        if not is_code(new):
            continue
        code.update(new.source.encode() + b"\0")
        if MEASUREMENT not in new.metadata.get("tags", []):
            continue
        if old.metadata.get("measured") == code.hexdigest() and not measure:
            new.outputs = old.outputs
        new.metadata["measured"] = code.hexdigest()


def failure(path, notebook, begun, error):
    """Describe an execution that failed: the notebook, the cell, its code and the reason."""
    reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    if not begun:
        return f"{path}: the kernel did not start. {reason}"
    cell = notebook.cells[begun[-1]]
    for output in cell.outputs:
        if output.output_type == "error":
            reason = f"{output.ename}: {output.evalue}"
    code = "\n".join(f"    {line}" for line in cell.source.splitlines())
    position = begun[-1] + 1
    return f"{path}, cell {position}: {ANSI.sub('', reason)}\n{code}\n  The file is as it was."


# --- Command line --------------------------------------------------------------------------------


def attempt(path, measure, timeout):
    """Execute one notebook; return whether it changed, or the error's message."""
    try:
        return execute(path, measure, timeout)
    except (ExecutionError, ValueError) as error:
        return str(error)


def execute_all(paths, measure, timeout, jobs):
    """Execute notebooks side by side, print what became of each; return how many failed."""
    # The first import of the plotting library may build a font cache and say so: not in a chapter.
    import matplotlib.font_manager  # noqa: F401

    # A measurement wants the machine for itself.
    jobs = 1 if measure else max(1, min(jobs, len(paths)))
    failures = 0
    with ProcessPoolExecutor(jobs) as pool:
        results = pool.map(partial(attempt, measure=measure, timeout=timeout), paths)
        for path, result in zip(paths, results, strict=True):
            if isinstance(result, str):
                failures += 1
                print(result, file=sys.stderr, flush=True)
            else:
                print(f"{path}: {'stored' if result else 'unchanged'}", flush=True)
    return failures


def check_all(paths):
    """Print what is wrong with stored notebooks and the command that mends it; return how much."""
    found = [problem for path in paths for problem in problems(path)]
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"Run `{COMMAND}` and commit what it changes.", file=sys.stderr)
    return len(found)


def main(arguments=None):
    """Execute and store notebooks, or check the stored ones; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m convbook.site.notebooks",
        description="Execute the notebooks and store them in one normal form.",
    )
    parser.add_argument("paths", nargs="*", default=["book"], help="notebooks or folders (book)")
    parser.add_argument("--check", action="store_true", help="execute nothing, check the files")
    parser.add_argument("--measure", action="store_true", help="take stored measurements again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a cell may take (600)")
    options = parser.parse_args(arguments)
    try:
        paths = find(options.paths)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        return int(check_all(paths) > 0)
    return int(execute_all(paths, options.measure, options.timeout, options.jobs) > 0)


if __name__ == "__main__":
    sys.exit(main())
