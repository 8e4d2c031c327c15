"""Record what chapter 3-5-2 plots, in book/data/gpu.json: NumPy on the CPU, CuPy on a GPU.

    python benchmarks/record_gpu.py [--repeats 11] [--target book/data/gpu.json]

Needs, for the GPU's part, an NVIDIA GPU and the extra convbook[cuda12] or convbook[cuda13]; for
PyTorch beside it, a PyTorch built for CUDA. Where there is no GPU the CPU's part is recorded, and
in place of the GPU's part the reason; figures of a GPU that the file holds already are never
overwritten in this way. Where PyTorch or its CUDA is missing, the file says so too.

How it is measured:

- On the CPU: one thread, its processor time. The C library is asked to keep freed memory
  (`convbook.kernels.memory`), as CuPy does with the GPU's.
- On the GPU: the time on the clock from an idle device to an idle device again. A GPU works on its
  own while Python goes on, so the clock is read only after `synchronize`. The first calls, which
  compile, are not counted; what they cost is recorded by itself, in fresh processes.
- Calls that take less than a millisecond are made several times in a row, and the time is divided.
  Of all repetitions the median counts.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from timing import DATA, arrays, machine, torch, write  # one thread: first
from workloads import (
    PACKAGE_LAYERS,
    SGD_SETTINGS,
    by,
    mini_batch,
    resnet8,
    torch_layers,
    torch_network,
)

import numpy as np

from convbook import functional, layers, plain
from convbook.arrays import NO_GPU, get_array_module, gpu_available, to_gpu, to_numpy
from convbook.kernels.memory import keep_memory
from convbook.layers.summary import named_leaves
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.digits import digit_cnn
from convbook.optimizers import SGD

TARGET = DATA / "gpu.json"
IMAGE = {"digit_cnn": (1, 28, 28), "resnet8": (3, 32, 32)}
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
LAYER_BATCH = {"digit_cnn": 100, "resnet8": 64}
ELEMENTS = tuple(10**k for k in range(1, 9))
SIDES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
TRANSFERS = tuple(4**k for k in range(5, 15))  # bytes: 1 kB to 256 MB
NAIVE = (32, 8, 5)  # images of a digit's size, filters, filter size
LIMIT = 20  # seconds for the repetitions of one measurement
LEAST = 1e-3  # seconds: shorter calls are made several times in a row
TOO_LONG = 5  # seconds: no larger size is tried after a call that took so long


# --- Clocks --------------------------------------------------------------------------------------


class Clock:
    """Medians of the time of calls.

    Parameters
    ----------
    repeats : int
        How many times count; fewer if that would take more than `LIMIT` seconds.
    now : function
        Returns the time in seconds.
    synchronize : function
        Waits until the device has done all that was begun.
    put : function
        Takes a NumPy array to the device.
    tidy : function
        Gives memory back that is not in use.
    """

    def __init__(
        self,
        repeats,
        now=time.perf_counter,
        synchronize=lambda: None,
        put=np.asarray,
        tidy=lambda: None,
    ):
        self.repeats, self.now = repeats, now
        self.synchronize, self.put, self.tidy = synchronize, put, tidy

    def once(self, function, calls=1):
        """Return the seconds of one call, of so many in a row."""
        self.synchronize()
        start = self.now()
        for _ in range(calls):
            function()
        self.synchronize()
        return (self.now() - start) / calls

    def median(self, function):
        """Return the median of the seconds of one call, after a warm-up."""
        self.once(function)  # compiles, allocates, wakes the device up
        warm = self.once(function)
        calls = int(min(1000, max(1, LEAST / max(warm, 1e-9))))
        repeats = int(max(1, min(self.repeats, LIMIT / max(calls * warm, 1e-9))))
        return median(self.once(function, calls) for _ in range(repeats))


def cpu_clock(repeats):
    """Return the clock for NumPy."""
    return Clock(repeats, time.process_time)


def cupy_clock(repeats):
    """Return the clock for CuPy."""
    import cupy

    return Clock(
        repeats,
        synchronize=lambda: cupy.cuda.Device().synchronize(),
        put=to_gpu,
        tidy=lambda: cupy.get_default_memory_pool().free_all_blocks(),
    )


def growing(sizes, measure, clock, too_long=TOO_LONG):
    """Return the seconds for each size, None from where it takes too long or does not fit."""
    results = []
    for size in sizes:
        if results and (results[-1] is None or results[-1] > too_long):
            results.append(None)
            continue
        try:
            results.append(measure(size))
        except Exception as error:
            if "memory" not in f"{type(error).__name__} {error}".lower():
                raise
            results.append(None)
        clock.tidy()
    return results


# --- What is measured ----------------------------------------------------------------------------


def networks():
    """Return the functions that make the networks, by name."""
    return {"digit_cnn": lambda: digit_cnn(rng=0), "resnet8": lambda: resnet8(PACKAGE_LAYERS)}


def training_step(model, x, labels):
    """Return a function that makes one training step, where the model is."""
    loss, optimizer = SoftmaxCrossEntropy(), SGD(model, **SGD_SETTINGS)

    def step():
        loss(model(x), labels)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()

    return step


def steps(clock, batches, make_step):
    """Time training steps over the batch sizes; `make_step(name, build, shape)` returns a step."""
    results = {}
    for name, build in networks().items():

        def measure(n, name=name, build=build):
            return clock.median(make_step(name, build, (n, *IMAGE[name])))

        results[name] = {"batch": list(batches), "seconds": growing(batches, measure, clock)}
    return results


def package_step(clock):
    """Return how a step of the package is made for this clock."""

    def make(name, build, shape):
        x, labels = mini_batch(shape)
        model = build()
        if clock.put is to_gpu:
            model.to_gpu()
        return training_step(model, clock.put(x), clock.put(labels))

    return make


def time_layers(clock, batches=LAYER_BATCH):
    """Time forward and backward of every layer by itself, as in a step of training."""
    results = {}
    for name, build in networks().items():
        model, (x, _) = build(), mini_batch((batches[name], *IMAGE[name]))
        if clock.put is to_gpu:
            model.to_gpu()
        rows = []
        for leaf_name, layer, given, dy in passes(model, clock.put(x)):
            # A training step asks the first layer for no dX, and so does this.
            options = {} if rows else {"need_dx": False}

            def forward(layer=layer, given=given):
                layer.forward(given)

            def backward(layer=layer, dy=dy, options=options):
                layer.backward(dy, **options)

            rows.append(
                {
                    "layer": leaf_name,
                    "is": repr(layer),
                    "output": by(dy.shape[1:]),
                    "forward": clock.median(forward),
                    "backward": clock.median(backward),
                }
            )
        results[name] = {"batch": batches[name], "rows": rows}
        clock.tidy()
    return results


def passes(model, x):
    """Return (name, layer, its input, a gradient of its output) for every leaf of the model."""
    seen = []
    for name, layer in named_leaves(model):

        def recorded(given, layer=layer, name=name, original=layer.forward, **options):
            y = original(given)  # without `out`, so that every input stays as it was
            seen.append((name, layer, given, y))
            return y

        layer.forward = recorded
    model.forward(x)
    for _, layer in named_leaves(model):
        del layer.forward  # the class's own again
    return [
        (name, layer, given, get_array_module(y).ones_like(y)) for name, layer, given, y in seen
    ]


def time_elementwise(clock, elements=ELEMENTS):
    """Time y = 2x + 1 over the number of elements: two operations, 16 bytes for each element."""

    def measure(n):
        x, y = clock.put(np.ones(n, np.float32)), clock.put(np.ones(n, np.float32))
        xp = get_array_module(x)

        def twice_plus_one():  # into an array that is there, so that no memory is asked for
            xp.multiply(x, 2, out=y)
            xp.add(y, 1, out=y)

        return clock.median(twice_plus_one)

    return {"elements": list(elements), "seconds": growing(elements, measure, clock)}


def time_matmul(clock, sides=SIDES, dtype=np.float32):
    """Time the product of two square matrices over their side: 2n³ operations."""

    def measure(n):
        a, b = (clock.put(m.astype(dtype)) for m in arrays((n, n), (n, n)))
        return clock.median(lambda: a @ b)

    return {"side": list(sides), "seconds": growing(sides, measure, clock)}


NAIVE_WAYS = {
    "image by image": plain.conv2d_image_by_image,
    "weight by weight": plain.conv2d_weight_by_weight,
    "the package": functional.conv2d,
}


def time_naive(clock, sizes=NAIVE):
    """Time the same convolution as many small operations, as some large ones, and the package's."""
    n, oc, size = sizes
    x, f = (clock.put(a) for a in arrays((n, 1, 28, 28), (oc, 1, size, size)))
    expected = to_numpy(functional.conv2d(x, f))
    for function in NAIVE_WAYS.values():
        np.testing.assert_allclose(to_numpy(function(x, f)), expected, atol=1e-4)
    return {
        "images": n,
        "filters": oc,
        "filter_size": size,
        "small_operations": {"image by image": n * oc * size**2, "weight by weight": size**2},
        "seconds": {
            name: clock.median(lambda function=function: function(x, f))
            for name, function in NAIVE_WAYS.items()
        },
    }


def everything(clock, small):
    """Time all that runs on the CPU and on the GPU alike; `small` holds sizes in place of usual."""
    return {
        "elementwise": time_elementwise(clock, small.get("elements", ELEMENTS)),
        "matmul": time_matmul(clock, small.get("sides", SIDES)),
        "naive": time_naive(clock, small.get("naive", NAIVE)),
        "layers": time_layers(clock, small.get("layer_batch", LAYER_BATCH)),
        "steps": steps(clock, small.get("batches", BATCHES), package_step(clock)),
    }


# --- Only on a GPU -------------------------------------------------------------------------------


def device():
    """Describe the GPU and what drives it."""
    import cupy

    number = cupy.cuda.Device().id
    properties = cupy.cuda.runtime.getDeviceProperties(number)
    return {
        "name": properties["name"].decode(),
        "multiprocessors": properties["multiProcessorCount"],
        "memory_bytes": int(cupy.cuda.Device().mem_info[1]),
        "compute_capability": cupy.cuda.Device().compute_capability,
        "cupy": cupy.__version__,
        "cuda_runtime": cupy.cuda.runtime.runtimeGetVersion(),
        "cuda_driver": cupy.cuda.runtime.driverGetVersion(),
        "date": datetime.date.today().isoformat(),
    }


def time_transfers(clock, sizes=TRANSFERS):
    """Time moving arrays to the GPU and back, over their bytes."""

    def to_device(n):
        x = np.ones(n, np.uint8)
        return clock.median(lambda: to_gpu(x))

    def to_host(n):
        x = to_gpu(np.ones(n, np.uint8))
        return clock.median(lambda: to_numpy(x))

    return {
        "bytes": list(sizes),
        "to_device": growing(sizes, to_device, clock),
        "to_host": growing(sizes, to_host, clock),
    }


def memory_of_steps(batches):
    """Return the bytes that CuPy's memory pool needs for one training step, over batch sizes."""
    import cupy

    pool, results = cupy.get_default_memory_pool(), []
    for n in batches:
        pool.free_all_blocks()
        x, labels = mini_batch((n, *IMAGE["digit_cnn"]))
        training_step(digit_cnn(rng=0).to_gpu(), to_gpu(x), to_gpu(labels))()
        results.append(int(pool.total_bytes()))
    return {"batch": list(batches), "bytes": results}


def first_calls():
    """Return the seconds of the first training steps in this process, and of a usual one later."""
    start = time.perf_counter()
    x, labels = (to_gpu(a) for a in mini_batch((64, *IMAGE["digit_cnn"])))
    step, clock = training_step(digit_cnn(rng=0).to_gpu(), x, labels), cupy_clock(21)
    clock.synchronize()
    ready = time.perf_counter() - start
    return {
        "ready": ready,
        "first": clock.once(step),
        "second": clock.once(step),
        "usual": clock.median(step),
    }


def in_fresh_process(part, **environment):
    """Return what a function of this module gives in a Python of its own, as JSON can hold it."""
    done = subprocess.run(
        [sys.executable, __file__, "--part", part],
        text=True,
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


def matmul_now():
    """Time large float32 products as this process is set."""
    return time_matmul(cupy_clock(11), SIDES[-3:])


def time_first_calls(run=in_fresh_process):
    """Time the first step with nothing compiled yet, and once more with what the disk remembers."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "nothing compiled": run("first_calls", CUPY_CACHE_DIR=folder),
            "compiled before": run("first_calls", CUPY_CACHE_DIR=folder),
        }


def time_precisions(clock, sides=SIDES[-3:], run=in_fresh_process):
    """Time large products in float16 and in TF32, which CuPy reads from the environment."""
    return {
        "float16": time_matmul(clock, sides, np.float16),
        "tf32": run("matmul_now", CUPY_TF32="1"),
    }


PARTS = {"first_calls": first_calls, "matmul_now": matmul_now}


# --- PyTorch on the same GPU ---------------------------------------------------------------------


def why_no_torch():
    """Return why PyTorch cannot be timed on the GPU, or an empty text."""
    if torch is None:
        return "PyTorch is not installed"
    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} was built without CUDA, or finds no GPU"
    return ""


def torch_twin(model):
    """Return a network of PyTorch with the layers and the weights of a Sequential."""
    kinds = torch_layers()
    makers = {
        layers.Conv2d: lambda own: kinds.conv(
            own.in_channels,
            own.out_channels,
            own.kernel_size,
            own.stride,
            own.padding,
            bias=own.bias,
        ),
        layers.Linear: lambda own: kinds.linear(own.in_features, own.out_features, bias=own.bias),
        layers.MaxPool2d: lambda own: kinds.pool(own.kernel_size, own.stride, own.padding),
        layers.ReLU: lambda own: kinds.relu(),
        layers.Flatten: lambda own: kinds.flatten(),
    }
    return torch_network(
        lambda k: kinds.sequential(*(makers[type(layer)](layer) for layer in model.layers)), model
    )


def time_torch(repeats, batches, device="cuda"):
    """Time PyTorch's training steps on the same networks, from the same weights."""
    on_gpu = device == "cuda"
    clock = Clock(
        repeats,
        synchronize=torch.cuda.synchronize if on_gpu else lambda: None,
        put=lambda array: torch.from_numpy(array).to(device),
        tidy=torch.cuda.empty_cache if on_gpu else lambda: None,
    )

    def make(name, build, shape):
        network = torch_twin(build()) if name == "digit_cnn" else torch_network(resnet8, build())
        network.to(device)
        x, labels = (clock.put(a) for a in mini_batch(shape))
        optimizer = torch.optim.SGD(network.parameters(), **SGD_SETTINGS)

        def step():
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x), labels).backward()
            optimizer.step()

        return step

    return {"version": torch.__version__, "steps": steps(clock, batches, make)}


# --- All of it -----------------------------------------------------------------------------------


def record(repeats, small=None, run=in_fresh_process):
    """Return the record: machine, the CPU's figures, and the GPU's or why there are none.

    `small` holds other sizes than the usual, and `run` stands for `in_fresh_process`, in tests.
    """
    small = {} if small is None else small
    result = {
        "machine": machine(),
        "repeats": repeats,
        "image": {name: list(shape) for name, shape in IMAGE.items()},
        "memory_kept": keep_memory(),
        "cpu": everything(cpu_clock(repeats), small),
        "gpu": None,
    }
    if not gpu_available():
        return result | {"why_no_gpu": NO_GPU}
    clock, batches = cupy_clock(repeats), small.get("batches", BATCHES)
    result["gpu"] = {
        "device": device(),
        **everything(clock, small),
        "transfer": time_transfers(clock, small.get("transfers", TRANSFERS)),
        "memory": memory_of_steps(batches),
        "precision": time_precisions(clock, small.get("sides", SIDES)[-3:], run),
        "first_calls": time_first_calls(run),
    }
    reason = why_no_torch()
    if reason:
        return result | {"torch": None, "why_no_torch": reason}
    return result | {"torch": time_torch(repeats, batches)}


def holds_gpu_figures(target):
    """Whether the file has figures of a GPU, which must not be lost."""
    return target.exists() and json.loads(target.read_text(encoding="utf-8"))["gpu"] is not None


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11, help="how often each call is timed")
    parser.add_argument("--target", type=Path, default=TARGET, help="the file to write")
    parser.add_argument(
        "--layers", action="store_true", help="record only the CPU's time for each layer anew"
    )
    parser.add_argument("--part", choices=PARTS, help="print one part as JSON and write nothing")
    options = parser.parse_args(arguments)
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return
    if options.layers:
        keep_memory()
        result = json.loads(options.target.read_text(encoding="utf-8"))
        result["cpu"]["layers"] = time_layers(cpu_clock(options.repeats))
        write(result, options.target)
        print(f"Wrote the layers of {options.target}.")
        return
    if not gpu_available() and holds_gpu_figures(options.target):
        print(f"{options.target} is left as it is: it holds figures of a GPU, and {NO_GPU}.")
        return
    result = record(options.repeats)
    options.target.parent.mkdir(exist_ok=True)
    write(result, options.target)
    print(
        f"Wrote {options.target}, "
        + (
            f"with {result['gpu']['device']['name']}."
            if result["gpu"]
            else f"with the CPU's part only: {result['why_no_gpu']}."
        )
    )


if __name__ == "__main__":
    main()
