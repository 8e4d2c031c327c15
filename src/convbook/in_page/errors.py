"""An exception as a learner needs it: own lines, the message, and a sentence on what to do."""

import ast
import re
import traceback

CELL = "<cell "  # the file name of a cell's code begins so
LAST_FRAMES = 12  # of a long recursion
LONGEST = 20_000  # characters of a message

PACKAGES = "NumPy, Matplotlib, Pillow, tqdm and the book's own package"
# Why a module is not here. Others get the sentence with the list of packages.
MISSING = {
    ("torch", "torchvision"): "PyTorch does not run in a browser. In Jupyter this code does.",
    ("tensorflow", "keras"): "Keras does not run in a browser. In Jupyter this code does.",
    ("cupy",): "A browser's Python has no GPU. In Jupyter, on a machine with one, this code runs.",
    (
        "pooch",
        "requests",
        "urllib3",
    ): "Python on a page does not download anything: take the embedded sample (without full=True).",
    (
        "joblib",
        "multiprocessing",
        "_multiprocessing",
    ): "A browser's Python is one process and cannot start others. In Jupyter this code runs.",
    ("ssl", "_ssl"): "Python on a page has no network: what it needs must be in the code.",
    (
        "tkinter",
        "curses",
    ): "A browser's Python has no windows of its own: Matplotlib draws on the page.",
}
NO_NETWORK = "Python on a page has no network: what it needs must be in the code or on the page."
NO_THREADS = "A browser's Python has one thread and one process. In Jupyter this code runs."
NO_FILES = (
    "Python on a page sees no files of your computer. It has a small file system of its own, in "
    "memory: what a cell writes, another can read, until the page is closed; the folder data holds "
    "the book's measurements."
)


def parse(code, name):
    """Return a cell's syntax tree; refuse with a sentence a line that only Jupyter understands."""
    try:
        return ast.parse(code, name)
    except SyntaxError:
        for number, line in enumerate(code.splitlines(), start=1):
            if re.match(r"\s*[%!]\s*\w", line):
                raise SyntaxError(
                    "lines that begin with % or ! are Jupyter's, not Python's, and do not run "
                    "on a page",
                    (name, number, 1, line),
                ) from None
        raise


def describe(error):
    """Return what the page shows of an exception.

    Returns
    -------
    dict
        text: the traceback, only with the reader's own lines; cell, line: where it happened,
        numbers from 1 or None; kind: the exception's name; name: the name that is not defined, of
        a NameError; advice: a sentence or "".
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(CELL)
    ]
    cell, line = (number_of(frames[-1].filename), frames[-1].lineno) if frames else (None, None)
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(CELL):
        frames, cell, line = [], number_of(error.filename), error.lineno
    return {
        "text": as_text(error, frames),
        "cell": cell,
        "line": line,
        "kind": type(error).__name__,
        "name": getattr(error, "name", None) if isinstance(error, NameError) else None,
        "advice": advice(error),
    }


def number_of(filename):
    """Return the number of the cell that a file name stands for."""
    return int(filename[len(CELL) : -1])


def as_text(error, frames):
    """Return the traceback as text."""
    lines = []
    left_out = len(frames) - LAST_FRAMES
    for frame in frames[-LAST_FRAMES:]:
        inside = f", in {frame.name}" if frame.name != "<module>" else ""
        lines.append(f"Cell {number_of(frame.filename)}, line {frame.lineno}{inside}:")
        lines.append(f"    {frame.line}")
    if left_out > 0:
        lines.insert(0, f"… {left_out} more calls above these")
    if isinstance(error, KeyboardInterrupt):
        return "\n".join([*lines, "Stopped."])
    message = "".join(traceback.format_exception_only(error)).rstrip()
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]} … (a message of {len(message):,} characters)"
    if isinstance(error, SyntaxError):
        message = re.sub(
            rf'^  File "{CELL}(\d+)>", line (\d+)$',
            r"Cell \1, line \2:",
            message,
            flags=re.MULTILINE,
        )
    return "\n".join([*lines, message])


def advice(error):
    """Return a sentence if a browser's Python cannot do what raised the exception; else ""."""
    if isinstance(error, ImportError):
        name = (error.name or "").partition(".")[0]
        for names, sentence in MISSING.items():
            if name in names:
                return sentence
        return (
            f"The packages on this page are {PACKAGES}."
            if isinstance(error, ModuleNotFoundError)
            else ""
        )
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
        return NO_FILES
    too_big = isinstance(error, ValueError) and "array is too big" in str(error)  # for 32 bits
    if isinstance(error, MemoryError) or too_big:
        return "A browser gives Python at most 2 GB of memory. Restart begins with an empty one."
    text = str(error)
    if isinstance(error, RuntimeError) and "thread" in text:
        return NO_THREADS
    if isinstance(error, OSError):
        if "process" in text or error.errno in (52, 138):  # what Emscripten answers to fork
            return NO_THREADS
        if (
            type(error).__name__ in ("URLError", "gaierror", "herror")
            or "urlopen" in text
            or error.errno in (23, 26, 43, 50, 53)
        ):
            return NO_NETWORK
        if isinstance(error, ConnectionError | TimeoutError | BlockingIOError):
            return NO_NETWORK
    return ""
