"""The whole benchmark: the package beside PyTorch and beside other from-scratch packages.

    python benchmarks/run.py [--repeats 21] [--target book/data/speed.json]

All compute in float32 on one thread. Measured is the processor time, all sides take turns, and the
median is kept. PyTorch is raced in two environments, each in a process of its own:

- "machine": as the machine is; NumPy and PyTorch each choose their instructions;
- "same": NumPy, its OpenBLAS and PyTorch are all held to AVX2 (on other processors than x86-64
  nothing is changed).

The from-scratch packages run as the machine is. The C library is asked to keep freed memory, for
all sides; `training.py` says why. The tables are printed, and everything goes into a
JSON file with a description of the machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from timing import DATA, machine, print_table, race, write  # sets one thread: first
from workloads import CONVOLUTIONS, PACKAGE_LAYERS, STEPS, describe, mini_batch

import numpy as np

import peers
import training
from convbook.kernels.memory import keep_memory

ENVIRONMENTS = {"machine": "as the machine is", "same": "same instruction set (AVX2)"}
MNIST = "MNIST CNN, batch 100"
PEER_SECONDS = 4  # of repetitions for each peer and workload: some are a thousand times slower


# --- Beside PyTorch ------------------------------------------------------------------------------


def environment(name):
    """Return the environment variables of a process that measures."""
    variables = dict(os.environ)
    if name == "same" and platform.machine().lower() in ("x86_64", "amd64"):
        from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched

        wider = [f for f in dispatched if f.startswith("AVX512") or f == "X86_V4"]
        variables |= {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(wider),
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        }
    return variables


def measure_in(name, repeats):
    """Return the results of `training.py` in a process with that environment."""
    command = [sys.executable, training.__file__, "--json", "--repeats", str(repeats)]
    done = subprocess.run(
        command, env=environment(name), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


# --- Beside from-scratch packages ----------------------------------------------------------------


def time_peers(repeats):
    """Race the peers, PyTorch and the package; what a peer cannot do is kept with its reason."""
    keep_memory()
    running, absent = peers.load()
    packages = {
        name: {"version": peer.version, "needs": peers.NEEDS[name]}
        for name, peer in running.items()
    }
    rows = {}
    for name, settings in CONVOLUTIONS.items():
        arrays = training.convolution_arrays(name)
        sides = {
            "torch": training.torch_convolution(*arrays),
            "package": lambda: training.package_convolution(*arrays),
        }
        expected = training.package_convolution(*arrays)[:3]
        rows[name] = {"title": describe(*settings)} | race_peers(
            running, lambda peer: checked_convolution(peer, arrays, expected), sides, repeats
        )
    rows[MNIST] = time_peers_mnist(running, repeats)
    return {"packages": packages, "not_running": absent, "workloads": rows}


def race_peers(running, prepare, sides, repeats):
    """Prepare every peer, race those that could be prepared, and return times and reasons."""
    reasons = {}
    for name, peer in running.items():
        try:
            sides[name] = prepare(peer)
        except Exception as error:  # a peer may fail in any way; the table says how
            reasons[name] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return {"seconds": race(sides, repeats, PEER_SECONDS), "reasons": reasons}


def checked_convolution(peer, arrays, expected):
    """Return the peer's convolution, forward and backward, once its results equal the package's."""
    run = peer.convolution(*arrays)
    for theirs, ours in zip(run(), expected, strict=True):
        theirs = theirs.numpy() if hasattr(theirs, "numpy") else theirs
        np.testing.assert_allclose(theirs, ours, atol=1e-4 * np.abs(ours).max())
    return run


def time_peers_mnist(running, repeats):
    """Race training steps of the MNIST network; the first losses of all must be equal."""
    build, shape = STEPS[MNIST]
    x, labels = mini_batch(shape)
    model = build(PACKAGE_LAYERS)
    weights = [a.copy() for a in model.params.values()]
    sides = {
        side: step
        for side, step in training.step_sides(build, shape).items()
        if side != "torch_last"
    }
    step = training.package_step(model, x, labels)
    expected = [step(), step()]

    def prepare(peer):
        run = peer.mnist_step(x, labels, weights)
        np.testing.assert_allclose([run(), run()], expected, rtol=1e-3)
        return run

    return race_peers(running, prepare, sides, repeats)


def report_peers(results):
    """Print the peers' times as multiples of the package's."""
    names = list(results["packages"])
    print("--- From-scratch packages: times as multiples of the package's\n")
    rows = []
    for name, row in results["workloads"].items():
        seconds = row["seconds"]
        rows.append(
            [
                training.titled(name, row),
                f"{1e3 * seconds['package']:.2f}",
                *(
                    f"{seconds[peer] / seconds['package']:.1f}×" if peer in seconds else "–"
                    for peer in ("torch", *names)
                ),
            ]
        )
    versions = (f"{name} {results['packages'][name]['version']}" for name in names)
    print_table(["", "package ms", "PyTorch", *versions], rows)
    for name, package in results["packages"].items():
        print(f"{name} needs {package['needs']}.")
    for name, reason in results["not_running"].items():
        print(f"{name} does not run: {reason}")
    for name, row in results["workloads"].items():
        for peer, reason in row["reasons"].items():
            print(f"{peer} cannot do {name}: {reason}")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21, help="how often each side runs")
    parser.add_argument(
        "--target", type=Path, default=DATA / "speed.json", help="the file to write"
    )
    arguments = parser.parse_args()
    record = {"machine": machine(), "repeats": arguments.repeats, "environments": {}}
    about = record["machine"]
    print(
        f"{about['processor']}, Python {about['python']}, NumPy {about['numpy']}, "
        f"PyTorch {about['torch']}; float32, one thread, medians of {arguments.repeats}.\n"
        "Forward and backward, as multiples of PyTorch's time on NCHW arrays; 'last' means "
        "channels-last arrays;\n'extra' is memory beside the results.\n"
    )
    for name, title in ENVIRONMENTS.items():
        results = measure_in(name, arguments.repeats)
        print(f"--- {title}\n")
        training.report(results)
        record["environments"][name] = {"title": title, **results}
    record["peers"] = time_peers(arguments.repeats)
    report_peers(record["peers"])
    write(record, arguments.target)
    print(f"Wrote {arguments.target}")


if __name__ == "__main__":
    main()
