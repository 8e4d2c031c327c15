"""Time what training needs, forward and backward, beside PyTorch: convolutions, layers, steps.

    python benchmarks/training.py [--repeats 21] [--json]

measures in the environment that it finds and prints tables, or JSON; `run.py` calls it in two
environments. PyTorch gets NCHW arrays, as usual, and channels-last ones ("torch_last"), and so does
the package. All sides are compared before they are timed: a fast wrong answer is worth nothing.

The steps are timed twice: in the fresh process, and again, like everything else, after the C
library was asked to keep freed memory (`convbook.kernels.memory`), for PyTorch too. Only then do
the times not depend on what ran before: otherwise it is a matter of the heap's history whether the
system must clear new pages for a result, and that can double a convolution's time.
"""

import argparse
import json

from timing import (
    arrays,
    channels_last,
    extra_memory,
    print_table,
    race,
    torch,  # sets one thread: first
)
from workloads import (
    CONVOLUTIONS,
    FIRST_LAYERS,
    PACKAGE_LAYERS,
    POOLINGS,
    RESNET,
    SGD_SETTINGS,
    STEPS,
    TENSOR_SHAPE,
    by,
    describe,
    mini_batch,
    torch_network,
)

import numpy as np
import torch.nn.functional as torch_functional
from threadpoolctl import threadpool_info

from breakdown import REST, Stamps, race_parts, watch_package, watch_torch
from convbook import functional as F, layers as L, plain
from convbook.kernels.memory import keep_memory
from convbook.losses import SoftmaxCrossEntropy
from convbook.optimizers import SGD

LAST = torch.channels_last
NAMES = {
    "torch_last": "PyTorch, last",
    "textbook": "im2col in full",
    "package": "package",
    "package_last": "package, last",
}


# --- Convolutions --------------------------------------------------------------------------------


def textbook_conv2d(x, f, b, dy, stride, padding, need_dx):
    """Return Y, dX if needed, dF and db, by the columns of the whole batch."""
    y, cols = plain.conv2d_by_columns(x, f, b, stride, padding)
    return y, *plain.conv2d_by_columns_backward(dy, cols, x.shape, f, stride, padding, need_dx)


def convolution_arrays(name):
    """Return x, f, b and dy of a workload, and its stride and padding."""
    shape, (oc, size), stride, padding = CONVOLUTIONS[name]
    x, f, b = arrays(shape, (oc, shape[1], size, size), (oc,))
    (dy,) = arrays(F.conv2d(x, f, b, stride, padding).shape, seed=1)
    return x, f, b, dy, stride, padding


def package_convolution(x, f, b, dy, stride, padding, need_dx=True):
    """Return Y, dX if needed, dF and db."""
    y = F.conv2d(x, f, b, stride, padding)
    return y, *F.conv2d_backward(dy, x, f, stride, padding, need_dx=need_dx)


def torch_convolution(x, f, b, dy, stride, padding, need_dx=True):
    """Return a function that computes Y, dX if needed, dF and db; the layout is that of x."""
    tf, tb = torch.tensor(f, requires_grad=True), torch.tensor(b, requires_grad=True)
    x = torch.from_numpy(x).requires_grad_(need_dx)
    dy = torch.from_numpy(dy)
    wanted = [x, tf, tb] if need_dx else [tf, tb]

    def run():
        y = torch_functional.conv2d(x, tf, tb, stride, padding)
        gradients = torch.autograd.grad(y, wanted, dy)
        return y, *([] if need_dx else [None]), *gradients

    return run


def convolution_sides(x, f, b, dy, stride, padding, need_dx):
    """Return the functions to race; each computes Y, dX if needed, dF and db."""
    last, dy_last = channels_last(x), channels_last(dy)
    rest = stride, padding, need_dx
    return {
        "torch": torch_convolution(x, f, b, dy, *rest),
        "torch_last": torch_convolution(last, f, b, dy_last, *rest),
        "textbook": lambda: textbook_conv2d(x, f, b, dy, *rest),
        "package": lambda: package_convolution(x, f, b, dy, *rest),
        "package_last": lambda: package_convolution(last, f, b, dy_last, *rest),
    }


def time_convolutions(repeats):
    """Race the convolutions; those of first layers also without the gradient of the input."""
    results = {}
    for name, settings in CONVOLUTIONS.items():
        for need_dx in (True, False) if name in FIRST_LAYERS else (True,):
            sides = convolution_sides(*convolution_arrays(name), need_dx)
            check_gradients({side: function()[1:] for side, function in sides.items()})
            results[name if need_dx else f"{name}, no dX"] = {
                "title": describe(*settings),
                "seconds": race(sides, repeats),
                "extra_bytes": {
                    side: extra_memory(sides[side]) for side in ("textbook", "package_last")
                },
            }
    return results


def check_gradients(results):
    """Stop if the arrays of two sides differ by more than the rounding of long sums."""
    expected = results["torch"]
    for side, gradients in results.items():
        for mine, theirs in zip(gradients, expected, strict=True):
            if theirs is not None:
                np.testing.assert_allclose(
                    mine, theirs, atol=1e-4 * float(theirs.abs().max()), err_msg=side
                )


# --- Other layers --------------------------------------------------------------------------------


def layer_sides(layer, torch_layer, x):
    """Return the functions to race, forward and backward of one layer."""

    def package(x, dy):
        layer.forward(x)
        return layer.backward(dy)

    def pytorch(x, dy):
        x = torch.from_numpy(x).requires_grad_()
        dy, wanted = torch.from_numpy(dy), [x, *torch_layer.parameters()]
        return lambda: torch.autograd.grad(torch_layer(x), wanted, dy)[0]

    (dy,) = arrays(layer.forward(x).shape, seed=1)
    last, dy_last = channels_last(x), channels_last(dy)
    sides = {
        "torch": pytorch(x, dy),
        "torch_last": pytorch(last, dy_last),
        "package": lambda: package(x, dy),
        "package_last": lambda: package(last, dy_last),
    }
    check_gradients({side: [function()] for side, function in sides.items()})
    return sides


def time_layers(repeats):
    """Race pooling, batch norm, ReLU, and convolutions with one filter per channel."""
    kinds = {
        "max_pool2d": (L.MaxPool2d, torch.nn.MaxPool2d),
        "avg_pool2d": (L.AvgPool2d, torch.nn.AvgPool2d),
    }
    cases = {
        f"{name}, {by(shape)}": (*(kind(size, stride) for kind in kinds[function]), shape)
        for name, (function, shape, size, stride) in POOLINGS.items()
    }
    channels = TENSOR_SHAPE[1]
    cases |= {
        f"batch norm, {by(TENSOR_SHAPE)}": (
            L.BatchNorm2d(channels),
            torch.nn.BatchNorm2d(channels),
            TENSOR_SHAPE,
        ),
        f"ReLU, {by(TENSOR_SHAPE)}": (L.ReLU(), torch.nn.ReLU(), TENSOR_SHAPE),
    }
    for stride in (1, 2):
        layer = L.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        torch_layer = torch.nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        torch_layer.weight.data.copy_(torch.from_numpy(layer.params["f"]))
        cases[f"depthwise 3×3 S{stride}, {by(TENSOR_SHAPE)}"] = layer, torch_layer, TENSOR_SHAPE
    return {
        name: {"seconds": race(layer_sides(layer, torch_layer, *arrays(shape)), repeats)}
        for name, (layer, torch_layer, shape) in cases.items()
    }


# --- Whole training steps ------------------------------------------------------------------------


def package_step(model, x, labels, stamp=lambda name: None):
    """Return a function that makes a training step and returns the loss."""
    loss, optimizer = SoftmaxCrossEntropy(), SGD(model, **SGD_SETTINGS)

    def step():
        scores = model(x)
        stamp("loss")
        value = loss(scores, labels)
        dy = loss.backward()
        stamp(REST)
        model.backward(dy, need_dx=False)
        stamp("optimizer")
        optimizer.step()
        return value

    return step


def torch_step(network, x, labels, stamp=lambda name: None):
    """Return a function that makes a training step and returns the loss."""
    optimizer = torch.optim.SGD(network.parameters(), **SGD_SETTINGS)
    labels = torch.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        scores = network(x)
        stamp("loss")
        value = torch_functional.cross_entropy(scores, labels)
        value.backward()
        stamp("optimizer")
        optimizer.step()
        return value.item()

    return step


def step_sides(build, shape, watched=False):
    """Return the functions to race: a training step each, from the same weights.

    With `watched`, return pairs: the function, and the stamps that it takes.
    """
    (x, labels), model = mini_batch(shape), build(PACKAGE_LAYERS)
    networks = {side: torch_network(build, model) for side in ("torch", "torch_last")}
    networks["torch_last"].to(memory_format=LAST)
    tx = torch.from_numpy(x)
    inputs = {"torch": tx, "torch_last": tx.to(memory_format=LAST)}
    stamps = {side: Stamps() for side in (*networks, "package")}
    if watched:
        watch_package(model, stamps["package"])
        for side, network in networks.items():
            watch_torch(network, stamps[side])
    take = stamps if watched else dict.fromkeys(stamps, lambda name: None)
    sides = {
        side: torch_step(network, inputs[side], labels, take[side])
        for side, network in networks.items()
    }
    sides["package"] = package_step(model, x, labels, take["package"])
    for _ in range(3):  # the same losses, step after step
        losses = {side: step() for side, step in sides.items()}
        np.testing.assert_allclose([*losses.values()], losses["torch"], rtol=1e-3)
    return {side: (step, stamps[side]) for side, step in sides.items()} if watched else sides


def time_steps(repeats):
    """Race the training steps."""
    return {name: {"seconds": race(step_sides(*step), repeats)} for name, step in STEPS.items()}


def tape_sides(build, shape):
    """Return the functions to race: a training step as a chain, and with its calls on a tape."""
    (x, labels), model = mini_batch(shape), build(PACKAGE_LAYERS)
    loss, optimizer = SoftmaxCrossEntropy(), SGD(model, **SGD_SETTINGS)

    def chain():
        loss(model(x), labels)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()

    def on_tape(layers):
        tape, y = L.Tape(model), x
        for layer in layers:
            y = tape(layer, y)
        loss(y, labels)
        tape.backward((y, loss.backward()))
        optimizer.step()

    sides = {
        "chain": chain,
        "one call": lambda: on_tape([model]),
        "a call for each layer": lambda: on_tape(model.layers),
    }
    first, grads = model.state(), {}
    for name, step in sides.items():  # the same gradients, from the same weights
        model.load_state(first)
        step()
        grads[name] = model.grads
    for name, found in grads.items():
        for key, expected in grads["chain"].items():
            np.testing.assert_allclose(
                found[key], expected, atol=1e-4 * abs(expected).max(), err_msg=name
            )
    return sides


def time_tape(repeats):
    """Race a step of the ResNet as a chain against the same step on a tape."""
    build, shape = STEPS[RESNET]
    return {
        RESNET: {
            "calls": len(build(PACKAGE_LAYERS)),
            "seconds": race(tape_sides(build, shape), repeats),
        }
    }


def time_parts(repeats):
    """Return where the time of the training steps goes; see `breakdown`."""
    return {
        name: race_parts(step_sides(*step, watched=True), repeats) for name, step in STEPS.items()
    }


# --- Running and reporting -----------------------------------------------------------------------


def instructions():
    """Return which instructions NumPy's matrix product and PyTorch chose."""
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return {
        "numpy": " ".join(f"{b['internal_api']} {b.get('architecture', '')}" for b in blas[:1]),
        "torch": torch.backends.cpu.get_cpu_capability(),
    }


def measure(repeats):
    """Time everything in this process and return it as JSON can hold it."""
    usual = time_steps(repeats)  # first, in a fresh process, as a program that trains is
    results = {"instructions": instructions(), "memory_kept": keep_memory()}  # cannot be undone
    results |= {
        "convolution": time_convolutions(repeats),
        "layers": time_layers(repeats),
        "steps": time_steps(repeats),
        "tape": time_tape(repeats),
    }
    parts = time_parts(repeats)
    for name, row in results["steps"].items():
        row |= {"seconds_usual": usual[name]["seconds"], "parts": parts[name]}
    return results


def report(results):
    """Print the tables."""
    print(
        f"NumPy: {results['instructions']['numpy']}; PyTorch: {results['instructions']['torch']}\n"
    )
    for kind in ("convolution", "layers", "steps"):
        rows = results[kind]
        sides = [side for side in NAMES if side in next(iter(rows.values()))["seconds"]]
        header = ["", "PyTorch ms", *(NAMES[side] for side in sides)]
        if kind == "convolution":
            header += ["extra MB in full", "extra MB package"]
        print_table(
            header,
            [
                [
                    titled(name, row),
                    *ratios(row["seconds"], sides),
                    *(f"{size / 1e6:.1f}" for size in row.get("extra_bytes", {}).values()),
                ]
                for name, row in rows.items()
            ],
        )
    sides = ["torch_last", "package"]
    print_table(
        ["without keeping memory", "PyTorch ms", *(NAMES[side] for side in sides)],
        [[name, *ratios(row["seconds_usual"], sides)] for name, row in results["steps"].items()],
    )
    for name, row in results["tape"].items():
        chain, *others = row["seconds"].values()
        print_table(
            ["a step, forward and backward", "chain ms", *list(row["seconds"])[1:]],
            [
                [
                    f"{name}, {row['calls']} layers",
                    f"{1e3 * chain:.2f}",
                    *(f"{seconds / chain:.3f}×" for seconds in others),
                ]
            ],
        )
    for name, row in results["steps"].items():
        report_parts(name, row["parts"])


def titled(name, row):
    """Return a row's name with the shapes, if it has any."""
    return f"{name}: {row['title']}" if "title" in row else name


def ratios(seconds, sides):
    """Return PyTorch's time in ms, and each side's as a multiple of it."""
    return [
        f"{1e3 * seconds['torch']:.2f}",
        *(f"{seconds[side] / seconds['torch']:.2f}×" for side in sides),
    ]


def report_parts(name, parts):
    """Print the milliseconds of each part of a training step."""
    sides = {"torch": "PyTorch", "torch_last": "PyTorch, last", "package": "package"}
    names = list(dict.fromkeys(part for side in sides for part in parts[side]))
    print_table(
        [f"{name}, ms", *sides.values()],
        [[part, *(f"{1e3 * parts[side].get(part, 0):.2f}" for side in sides)] for part in names],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21, help="how often each side runs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    results = measure(arguments.repeats)
    print(json.dumps(results)) if arguments.json else report(results)


if __name__ == "__main__":
    main()
