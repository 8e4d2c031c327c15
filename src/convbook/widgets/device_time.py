"""DeviceTimeExplorer: how long a GPU should take, by a model of three numbers, beside a CPU."""

import traitlets

from .base import BookWidget, Real, Whole

LARGEST_BATCH = 4096
BATCHES = tuple(2**k for k in range(13))  # 1 to 4096

# Published specifications. Peak: float32 without tensor cores; link: one direction of the PCI
# Express bus, from the standard's gigatransfers: lanes · rate · 128/130 / 8.
# T4: "NVIDIA Turing GPU Architecture" (2018); A100 40 GB: "NVIDIA A100 Tensor Core GPU
# Architecture" (2020).
DEVICES = {
    "T4": {"name": "NVIDIA T4 (2018)", "peak": 8.1e12, "bandwidth": 320e9, "link": 15.75e9},
    "A100": {"name": "NVIDIA A100 40 GB (2020)", "peak": 19.5e12, "bandwidth": 1555e9,
             "link": 31.5e9},
}  # fmt: skip

# What one digit of 28×28 costs: operations, bytes of GPU memory read and written, bytes that are
# moved to the GPU; `calls` is the number of kernels, whatever the batch.
_PIXELS, _BYTES = 28 * 28, 4
_CONVOLUTION = {"flops": 2 * 8 * 8 * 16 * 200, "bytes": _BYTES * (8 * 144 + 2 * 64 * 200 + 16 * 64)}
_FORWARD_PRODUCTS = 24 * 24 * 8 * 25 + 8 * 8 * 16 * 200 + 256 * 64 + 64 * 10
_OUTPUTS, _COLUMNS = 8 * 576 + 8 * 144 + 16 * 64 + 16 * 16 + 64 + 10, 576 * 25 + 64 * 200
WORKLOADS = {
    "add": {"name": "y = 2x + 1 on every pixel", "calls": 2, "flops": 2 * _PIXELS,
            "bytes": 2 * 2 * _BYTES * _PIXELS, "moved": _BYTES * _PIXELS},
    "convolution": {"name": "the second convolution of the digit network", "calls": 6,
                    **_CONVOLUTION, "moved": _BYTES * 8 * 144},
    "step": {"name": "a training step of the digit network", "calls": 220,
             "flops": 3 * 2 * _FORWARD_PRODUCTS, "bytes": 3 * 2 * _BYTES * (_OUTPUTS + _COLUMNS),
             "moved": _BYTES * _PIXELS},
}  # fmt: skip


class DeviceTimeExplorer(BookWidget, module="device_time.js"):
    """See from which batch size on a GPU is worth it, by a model of its time.

    Each kernel costs a fixed time, the overhead. Then the device works, and either its memory or
    its arithmetic is what takes long: time = calls · overhead + max(bytes / bandwidth,
    operations / peak), as in the roofline model of Williams, Waterman and Patterson,
    Communications of the ACM 52(4), 2009. A model, not a measurement: no device reaches its peak.

    Parameters
    ----------
    workload : {"step", "convolution", "add"}
        What is computed for every digit.
    device : {"T4", "A100"}
        Whose published specifications are taken.
    batch : int
        Digits in a mini-batch, 1 to 4096.
    overhead : float
        Microseconds that each kernel costs before it begins, 1 to 100: an assumption to play with.
    mode : {"batch", "loop"}
        The whole mini-batch in one call, or a loop over its images with the same calls for each.
    moving : bool
        Whether the mini-batch must be moved over the bus to the GPU first.
    cpu_overhead, cpu_bandwidth, cpu_peak : float
        The CPU's three numbers: microseconds, GB/s and GFLOP/s.

    Examples
    --------
    >>> w = DeviceTimeExplorer(workload="add", batch=1)
    >>> round(1e6 * w.seconds["gpu"])  # two kernels
    20
    """

    workload = traitlets.Enum(list(WORKLOADS), "step").tag(sync=True)
    device = traitlets.Enum(list(DEVICES), "T4").tag(sync=True)
    batch = Whole(64, 1, LARGEST_BATCH).tag(sync=True)
    overhead = Real(10, 1, 100).tag(sync=True)
    mode = traitlets.Enum(["batch", "loop"], "batch").tag(sync=True)
    moving = traitlets.Bool(False).tag(sync=True)
    cpu_overhead = Real(0.5, 0.01, 100).tag(sync=True)
    cpu_bandwidth = Real(10, 0.1, 10_000).tag(sync=True)
    cpu_peak = Real(100, 0.1, 100_000).tag(sync=True)
    workloads = traitlets.Dict(WORKLOADS).tag(sync=True)
    devices = traitlets.Dict(DEVICES).tag(sync=True)

    def parts(self, batch=None):
        """Return what the GPU's time is made of, in seconds.

        Returns
        -------
        dict : "launches", "memory", "arithmetic", "moving", and their sum "total", in which of
        memory and arithmetic only the longer counts.
        """
        batch = self.batch if batch is None else batch
        work, device = WORKLOADS[self.workload], DEVICES[self.device]
        calls = work["calls"] * (batch if self.mode == "loop" else 1)
        parts = {
            "launches": calls * self.overhead * 1e-6,
            "memory": batch * work["bytes"] / device["bandwidth"],
            "arithmetic": batch * work["flops"] / device["peak"],
            "moving": batch * work["moved"] / device["link"] if self.moving else 0.0,
        }
        longer = max(parts["memory"], parts["arithmetic"])
        return parts | {"total": parts["launches"] + longer + parts["moving"]}

    def cpu(self, batch=None):
        """Return the CPU's time in seconds, by the same model with its own three numbers."""
        batch = self.batch if batch is None else batch
        work = WORKLOADS[self.workload]
        calls = work["calls"] * (batch if self.mode == "loop" else 1)
        memory = batch * work["bytes"] / (self.cpu_bandwidth * 1e9)
        arithmetic = batch * work["flops"] / (self.cpu_peak * 1e9)
        return calls * self.cpu_overhead * 1e-6 + max(memory, arithmetic)

    @property
    def seconds(self):
        """dict : the time of the GPU and of the CPU at this batch size, "gpu" and "cpu"."""
        return {"gpu": self.parts()["total"], "cpu": self.cpu()}

    @property
    def crossover(self):
        """int or None : the smallest power of two from which on the GPU is faster."""
        return next((n for n in BATCHES if self.parts(n)["total"] < self.cpu(n)), None)

    def plain(self):
        work, device = WORKLOADS[self.workload], DEVICES[self.device]
        rows = "".join(
            f"<tr><td>{n}</td><td>{1e3 * self.parts(n)['total']:.3g}</td>"
            f"<td>{1e3 * self.cpu(n):.3g}</td></tr>"
            for n in BATCHES[::2]
        )
        head = "<tr><th>batch</th><th>GPU, ms</th><th>CPU, ms</th></tr>"
        return (
            f"<div>{work['name'].capitalize()}: the model's time on {device['name']}, "
            f"{self.overhead:g} µs for each kernel"
            f"<table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"
        )
