"""What all benchmarks share: one thread, the race, memory, the machine, tables.

Import this module before NumPy and PyTorch: they read the number of threads when they are imported.
"""

import datetime
import json
import os
import platform
import tracemalloc
from pathlib import Path
from statistics import median

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUM_CPU_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from convbook.timing import timed  # noqa: E402

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

DATA = Path(__file__).resolve().parent.parent / "book" / "data"


# --- Measuring -----------------------------------------------------------------------------------


def race(sides, repeats, limit=float("inf")):
    """Call all functions in turn, `repeats` times; return each one's median time in seconds.

    Measured is the processor time of this process, so that other work on the machine disturbs as
    little as possible, and nobody gains by a second thread. A function that takes so long that it
    would need more than `limit` seconds in all is called less often, but once at least.
    """
    times, rounds = {name: [] for name in sides}, {}
    for name, function in sides.items():
        warm_up = seconds(function)
        rounds[name] = int(max(1, min(repeats, limit / max(warm_up, 1e-9))))
    for i in range(repeats):
        for name, function in sides.items():
            if i < rounds[name]:
                times[name].append(seconds(function))
    return {name: median(values) for name, values in times.items()}


def seconds(function):
    """Return the processor time of one call."""
    return timed(function)[1]


def extra_memory(function):
    """Return the bytes that NumPy held at the peak of a call beside all the arrays it returns."""
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    arrays_returned = result if isinstance(result, tuple) else (result,)
    return peak - sum(a.nbytes for a in arrays_returned if a is not None)


def arrays(*shapes, seed=0):
    """Return float32 arrays of normally distributed numbers, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def channels_last(x):
    """Return an array equal to x whose channels lie side by side in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


# --- The machine ---------------------------------------------------------------------------------


def machine():
    """Describe what the timings were taken on, without the machine's name."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads_used": 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__ if torch else None,
        "date": datetime.date.today().isoformat(),
    }


def processor():
    """Return the processor's name; Linux keeps it in a file, other systems tell Python."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


# --- Reporting -----------------------------------------------------------------------------------


def write(record, target):
    """Write what was measured as JSON, for a page to read."""
    target.write_text(
        json.dumps(rounded(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def rounded(value):
    """Keep four significant digits: more would be noise."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def print_table(header, rows):
    """Print rows of text under a header, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    for row in [header, ["-" * width for width in widths], *rows]:
        print(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths))
            )
        )
    print()
