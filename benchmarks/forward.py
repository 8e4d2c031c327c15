"""Time the forward convolution and pooling of the package beside other ways to compute them.

    python benchmarks/forward.py [--repeats 21]

Compared are the naive loop (on one image, it is slow), the textbook's im2col with the columns of
the whole batch in memory, the package, and PyTorch if it is installed. All compute in float32 on
one thread; measured is that thread's processor time, all sides in turn, and the median is kept, so
that other work on the machine disturbs as little as possible. Inputs come in both memory layouts:
NCHW, as data sets do, and channels-last, as the package's own layers hand them on.
"""

import argparse
import os

from timing import (
    arrays,
    channels_last,
    extra_memory,
    print_table,
    race,
    torch,  # sets one thread: first
)
from workloads import CONVOLUTIONS, POOLINGS, by, describe

import numpy as np

from convbook import plain
from convbook.functional import avg_pool2d, conv2d, max_pool2d

if torch:
    import torch.nn.functional as torch_functional


def convolution_table(repeats):
    header = [
        "",
        "PyTorch ms",
        "im2col in full",
        "package",
        "PyTorch, last",
        "package, last",
        "extra MB in full",
        "extra MB package",
    ]
    rows = []
    for name, (shape, (oc, size), stride, padding) in CONVOLUTIONS.items():
        x, f, b = arrays(shape, (oc, shape[1], size, size), (oc,))
        last = channels_last(x)
        sides = {
            "full": lambda: plain.conv2d_by_columns(x, f, b, stride, padding)[0],
            "package": lambda: conv2d(x, f, b, stride, padding),
            "package last": lambda: conv2d(last, f, b, stride, padding),
        }
        if torch:
            tx, tf, tb = (torch.from_numpy(a) for a in (x, f, b))
            tlast = tx.to(memory_format=torch.channels_last)
            sides["torch"] = lambda: torch_functional.conv2d(tx, tf, tb, stride, padding)
            sides["torch last"] = lambda: torch_functional.conv2d(tlast, tf, tb, stride, padding)
        check_equal(sides)
        t = race(sides, repeats)
        memory = [f"{extra_memory(sides[side]) / 1e6:.1f}" for side in ("full", "package")]
        rows.append(
            [
                f"{name}: {describe(shape, (oc, size), stride, padding)}",
                *ratios(t, ["full", "package", "torch last", "package last"]),
                *memory,
            ]
        )
    print_table(header, rows)


def naive_table():
    rows = []
    for name, (shape, (oc, size), stride, padding) in CONVOLUTIONS.items():
        x, f, b = arrays((1, *shape[1:]), (oc, shape[1], size, size), (oc,))
        sides = {
            "naive": lambda: plain.conv2d(x, f, b, stride, padding),
            "package": lambda: conv2d(x, f, b, stride, padding),
        }
        check_equal(sides)
        # Apart from each other: the naive loop takes so long that the other would find cold caches.
        t = race({"naive": sides["naive"]}, 3) | race({"package": sides["package"]}, 51)
        rows.append(
            [
                f"{name}: {describe(x.shape, (oc, size), stride, padding)}",
                f"{t['naive'] * 1e3:.1f}",
                f"{t['package'] * 1e3:.3f}",
                f"{t['naive'] / t['package']:.0f}",
            ]
        )
    print_table(["one image", "naive loop ms", "package ms", "times faster"], rows)


def pooling_table(repeats):
    pools = {"max_pool2d": max_pool2d, "avg_pool2d": avg_pool2d}
    rows = []
    for name, (function, shape, size, stride) in POOLINGS.items():
        (x,) = arrays(shape)
        last = channels_last(x)
        sides = {
            "package": lambda: pools[function](x, size, stride),
            "package last": lambda: pools[function](last, size, stride),
        }
        if torch:
            tx, pool = torch.from_numpy(x), getattr(torch_functional, function)
            tlast = tx.to(memory_format=torch.channels_last)
            sides["torch"] = lambda: pool(tx, size, stride)
            sides["torch last"] = lambda: pool(tlast, size, stride)
        check_equal(sides)
        t = race(sides, repeats)
        rows.append([f"{name}, {by(shape)}", *ratios(t, ["package", "torch last", "package last"])])
    print_table(["", "PyTorch ms", "package", "PyTorch, last", "package, last"], rows)


def check_equal(sides):
    """Stop if two sides disagree: a fast wrong answer is worth nothing."""
    results = [np.asarray(function()) for function in sides.values()]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-4 * np.abs(results[0]).max())


def ratios(t, names):
    """Return the PyTorch time in ms, and each side's time as a multiple of it (or in ms)."""
    if torch:
        return [f"{t['torch'] * 1e3:.2f}", *(f"{t[name] / t['torch']:.2f}×" for name in names)]
    return ["–", *(f"{t[name] * 1e3:.2f} ms" if name in t else "–" for name in names)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21, help="how often each side runs")
    repeats = parser.parse_args().repeats
    beside = f"PyTorch {torch.__version__}" if torch else "PyTorch is not installed"
    core = os.environ.get("OPENBLAS_CORETYPE")
    print(
        f"NumPy {np.__version__}{f' (OPENBLAS_CORETYPE={core})' if core else ''}, {beside}; "
        f"one thread, float32, medians of {repeats}"
    )
    print(
        "Times as multiples of PyTorch's on NCHW input; 'last' is channels-last input; "
        "'extra' is memory beside the result.\n"
    )
    convolution_table(repeats)
    pooling_table(repeats)
    naive_table()


if __name__ == "__main__":
    main()
