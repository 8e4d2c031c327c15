"""Time what training needs, forward and backward, beside PyTorch: convolutions, layers, whole steps.

    python benchmarks/training.py [--repeats 21] [--target book/data/speed.json]

All compute in float32 on one thread; measured is that thread's processor time, all sides in turn,
and the median is kept. Everything is timed in two environments, each in a process of its own:

- "machine": as the machine is; NumPy and PyTorch each choose their instructions.
- "same": NumPy, its OpenBLAS and PyTorch are all held to AVX2 (on other processors than x86-64
  nothing is changed).

The times, as PyTorch's milliseconds and every side's multiple of them, are printed and written to
a JSON file together with a description of the machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from forward import (CONVOLUTIONS, POOLINGS, arrays, by, channels_last, describe, extra_memory,
                     print_table, race, torch, torch_functional)  # sets one thread: first

import numpy as np
from record_chapter_3_1 import machine, rounded

from convbook import functional as F
from convbook import layers as L
from convbook.losses import SoftmaxCrossEntropy
from convbook.memory import keep_memory
from convbook.optimizers import SGD

TARGET = Path(__file__).resolve().parent.parent / "book" / "data" / "speed.json"
ENVIRONMENTS = {"machine": "as the machine is", "same": "same instruction set (AVX2)"}
FIRST_LAYERS = "ab"  # they are also timed without the gradient of their input
TENSOR_SHAPE = (64, 32, 32, 32)  # for the layers that are not convolutions


# --- Convolutions --------------------------------------------------------------------------------


def textbook_conv2d(x, f, b, dy, stride, padding, need_dx):
    """Forward and backward as textbooks do it: the columns of the whole batch, and col2im."""
    oc, size = f.shape[0], f.shape[2:]
    columns = F.im2col(x, size, stride, padding)
    y = columns @ f.reshape(oc, -1).T + b
    g = dy.transpose(0, 2, 3, 1).reshape(-1, oc)
    df, db, dx = (g.T @ columns).reshape(f.shape), g.sum(axis=0), None
    if need_dx:
        dx = F.col2im(g @ f.reshape(oc, -1), x.shape, size, stride, padding)
    return y, dx, df, db


def convolution_sides(x, f, b, dy, stride, padding, need_dx):
    """Return the functions to race; each computes Y, dX if needed, dF and db."""
    def package(x, dy):
        y = F.conv2d(x, f, b, stride, padding)
        return y, *F.conv2d_backward(dy, x, f, stride, padding, need_dx=need_dx)

    def pytorch(x, dy):
        y = torch_functional.conv2d(x, tf, tb, stride, padding)
        return y, *torch.autograd.grad(y, [x, tf, tb] if need_dx else [tf, tb], dy)

    tf, tb = torch.tensor(f, requires_grad=True), torch.tensor(b, requires_grad=True)
    tx, tdy = torch.tensor(x, requires_grad=need_dx), torch.tensor(dy)
    form = torch.channels_last
    tx_last, tdy_last = tx.detach().to(memory_format=form), tdy.to(memory_format=form)
    tx_last.requires_grad_(need_dx)
    last, dy_last = channels_last(x), channels_last(dy)
    sides = {
        "torch": lambda: pytorch(tx, tdy),
        "torch_last": lambda: pytorch(tx_last, tdy_last),
        "textbook": lambda: textbook_conv2d(x, f, b, dy, stride, padding, need_dx),
        "package": lambda: package(x, dy),
        "package_last": lambda: package(last, dy_last),
    }
    gradients = {name: [a for a in function()[1:] if a is not None]
                 for name, function in sides.items()}
    for name in ("textbook", "package", "package_last"):
        for mine, theirs in zip(gradients[name], gradients["torch"], strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-4 * float(theirs.abs().max()))
    return sides


def time_convolutions(repeats):
    results = {}
    for name, (shape, (oc, size), stride, padding) in CONVOLUTIONS.items():
        x, f, b = arrays(shape, (oc, shape[1], size, size), (oc,))
        dy, = arrays(F.conv2d(x, f, b, stride, padding).shape)
        for need_dx in (False, True) if name in FIRST_LAYERS else (True,):
            sides = convolution_sides(x, f, b, dy, stride, padding, need_dx)
            label = describe(name, shape, oc, size, stride, padding)
            results[label + ("" if need_dx else ", no dX")] = {
                "seconds": race(sides, repeats),
                "extra_bytes": {side: extra_memory_of_gradients(sides[side])
                                for side in ("textbook", "package_last")},
            }
    return results


def extra_memory_of_gradients(function):
    """Return the bytes that NumPy held at the peak beside all the results."""
    results = []

    def first():
        results[:] = [a for a in function() if a is not None]
        return results[0]

    return extra_memory(first) - sum(a.nbytes for a in results[1:])


# --- Other layers --------------------------------------------------------------------------------


def layer_sides(layer, torch_layer, x):
    """Return the functions to race, forward and backward of one layer."""
    def package(x, dy):
        layer.forward(x)
        return layer.backward(dy)

    def pytorch(x, dy):
        y = torch_layer(x)
        return torch.autograd.grad(y, [x, *torch_layer.parameters()], dy)[0]

    dy, = arrays(layer.forward(x).shape)
    last, dy_last = channels_last(x), channels_last(dy)
    form = torch.channels_last
    tx, tdy = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    tx_last = tx.detach().to(memory_format=form).requires_grad_()
    tdy_last = tdy.to(memory_format=form)
    sides = {
        "torch": lambda: pytorch(tx, tdy),
        "torch_last": lambda: pytorch(tx_last, tdy_last),
        "package": lambda: package(x, dy),
        "package_last": lambda: package(last, dy_last),
    }
    for name in ("package", "package_last"):
        np.testing.assert_allclose(sides[name](), sides["torch"](), atol=1e-4)
    return sides


def time_layers(repeats):
    kinds = {"max_pool2d": (L.MaxPool2d, torch.nn.MaxPool2d),
             "avg_pool2d": (L.AvgPool2d, torch.nn.AvgPool2d)}
    cases = {f"{name}, {by(shape)}": (*(kind(size, stride) for kind in kinds[function]), shape)
             for name, (function, shape, size, stride) in POOLINGS.items()}
    channels = TENSOR_SHAPE[1]
    cases |= {
        f"batch norm, {by(TENSOR_SHAPE)}":
            (L.BatchNorm2d(channels), torch.nn.BatchNorm2d(channels), TENSOR_SHAPE),
        f"ReLU, {by(TENSOR_SHAPE)}": (L.ReLU(), torch.nn.ReLU(), TENSOR_SHAPE),
    }
    return {name: {"seconds": race(layer_sides(layer, torch_layer, *arrays(shape)), repeats)}
            for name, (layer, torch_layer, shape) in cases.items()}


# --- Whole training steps ------------------------------------------------------------------------


def mnist_cnn(conv, relu, pool, flatten, linear, **_):
    """Conv 30 of 5×5, ReLU, pooling, linear 100, ReLU, linear 10."""
    return conv(1, 30, 5), relu(), pool(2), flatten(), linear(4320, 100), relu(), linear(100, 10)


def resnet8_like(conv, relu, flatten, linear, norm, avg, **_):
    """The convolutions of a ResNet-8 in a row, without the shortcuts: 16, 32 and 64 channels."""
    layers, before = [], 3
    for channels, stride in ((16, 1), (16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        layers += [conv(before, channels, 3, stride, 1), norm(channels), relu()]
        before = channels
    return *layers, avg(8), flatten(), linear(64, 10)


STEPS = {"MNIST CNN, batch 100": (mnist_cnn, (100, 1, 28, 28)),
         "ResNet-8-like, batch 64": (resnet8_like, (64, 3, 32, 32))}


def step_sides(build, shape):
    """Return the functions to race: a training step each, from the same weights."""
    nn = torch.nn
    kinds = dict(conv=nn.Conv2d, relu=nn.ReLU, pool=nn.MaxPool2d, flatten=nn.Flatten,
                 linear=nn.Linear, norm=nn.BatchNorm2d, avg=nn.AvgPool2d)
    mine = dict(conv=L.Conv2d, relu=L.ReLU, pool=L.MaxPool2d, flatten=L.Flatten,
                linear=L.Linear, norm=L.BatchNorm2d, avg=L.AvgPool2d)
    x, labels = *arrays(shape), np.random.default_rng(1).integers(0, 10, shape[0])
    tx, tlabels = torch.from_numpy(x), torch.from_numpy(labels)
    model = L.Sequential(*build(**mine))
    networks = {"torch": nn.Sequential(*build(**kinds)), "torch_last": nn.Sequential(*build(**kinds))}
    inputs = {"torch": tx, "torch_last": tx.to(memory_format=torch.channels_last)}
    networks["torch_last"].to(memory_format=torch.channels_last)
    for network in networks.values():
        for parameter, weights in zip(network.parameters(), model.params.values(), strict=True):
            parameter.data.copy_(torch.from_numpy(weights))
    loss, optimizer = SoftmaxCrossEntropy(), SGD(model, lr=0.01, momentum=0.9)

    def package():
        value = loss(model(x), labels)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        return value

    def pytorch(name):
        network, inp = networks[name], inputs[name]
        torch_optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

        def step():
            torch_optimizer.zero_grad()
            value = torch_functional.cross_entropy(network(inp), tlabels)
            value.backward()
            torch_optimizer.step()
            return value.item()
        return step

    sides = {name: pytorch(name) for name in networks} | {"package": package}
    for _ in range(3):  # the same losses, step after step
        values = [side() for side in sides.values()]
        np.testing.assert_allclose(values, values[0], rtol=1e-3)
    return sides


def time_steps(repeats):
    """Time the steps, before and after the memory allocator is asked to keep freed memory."""
    sides = {name: step_sides(*step) for name, step in STEPS.items()}
    results = {name: {"seconds": race(sides[name], repeats)} for name in sides}
    if keep_memory():
        for name in sides:
            kept = race(sides[name], repeats)
            results[name]["seconds"]["package_kept"] = kept["package"]
            results[name]["seconds_kept"] = kept
    return results


# --- Running and reporting -----------------------------------------------------------------------


def environment(name):
    """Return the environment variables of a process that measures."""
    variables = dict(os.environ)
    if name == "same" and platform.machine().lower() in ("x86_64", "amd64"):
        from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched
        wider = [f for f in dispatched if f.startswith("AVX512") or f == "X86_V4"]
        variables |= {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": " ".join(wider),
                      "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    return variables


def measure(repeats):
    """Time everything in this process and return it as JSON can hold it."""
    return {"convolution": time_convolutions(repeats), "layers": time_layers(repeats),
            "steps": time_steps(repeats)}


def report(results):
    names = {"torch_last": "PyTorch, last", "textbook": "im2col in full", "package": "package",
             "package_last": "package, last", "package_kept": "package, memory kept"}
    for kind in ("convolution", "layers", "steps"):
        rows = results[kind]
        sides = [side for side in names if side in next(iter(rows.values()))["seconds"]]
        header = ["", "PyTorch ms", *(names[side] for side in sides)]
        if kind == "convolution":
            header += ["extra MB in full", "extra MB package"]
        print_table(header, [
            [name, f"{1e3 * row['seconds']['torch']:.2f}",
             *(f"{row['seconds'][side] / row['seconds']['torch']:.2f}×" for side in sides),
             *(f"{size / 1e6:.1f}" for size in row.get("extra_bytes", {}).values())]
            for name, row in rows.items()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21, help="how often each side runs")
    parser.add_argument("--target", type=Path, default=TARGET, help="the JSON file to write")
    parser.add_argument("--measure", action="store_true", help="print one process's JSON and stop")
    arguments = parser.parse_args()
    if torch is None:
        sys.exit("benchmarks/training.py compares with PyTorch: install convbook[torch]")
    if arguments.measure:
        print(json.dumps(measure(arguments.repeats)))
        return
    record = {"machine": machine(), "repeats": arguments.repeats, "environments": {}}
    print(f"{record['machine']['processor']}, NumPy {np.__version__}, PyTorch {torch.__version__}; "
          f"forward and backward in float32, one thread, medians of {arguments.repeats}.\n"
          "Times as multiples of PyTorch's on NCHW arrays; 'last' is channels-last arrays; "
          "'extra' is memory beside the results.\n")
    for name, title in ENVIRONMENTS.items():
        command = [sys.executable, __file__, "--measure", "--repeats", str(arguments.repeats)]
        done = subprocess.run(command, env=environment(name), stdout=subprocess.PIPE, text=True,
                              check=True)
        results = json.loads(done.stdout)
        print(f"--- {title}\n")
        report(results)
        record["environments"][name] = {"title": title, **results}
    arguments.target.write_text(json.dumps(rounded(record), indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {arguments.target}")


if __name__ == "__main__":
    main()
