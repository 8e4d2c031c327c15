"""Where the time of a training step goes, layer by layer, in the package and in PyTorch.

A stamp, a name and the processor time, is taken before and after each layer; the time from one
stamp to the next belongs to the first one's name. Layers of one kind and output shape are added up.
"""

import time
from statistics import median

from workloads import torch  # noqa: F401 - first: it sets the number of threads

from convbook.layers.summary import named_leaves

KINDS = {
    "Conv2d": "convolution",
    "BatchNorm2d": "batch norm",
    "ReLU": "ReLU",
    "MaxPool2d": "pooling",
    "GlobalAvgPool2d": "pooling",
    "Linear": "linear",
}
REST = "the rest"


class Stamps:
    """The stamps of one training step."""

    def __init__(self):
        self.taken = []

    def __call__(self, name, start=None):
        """Note that what follows belongs to `name`, from now on or from an earlier start."""
        self.taken.append((name, time.process_time() if start is None else start))

    def sums(self):
        """Return the seconds that belong to each name, and begin again."""
        self(REST)
        totals = {}
        for (name, start), (_, end) in zip(self.taken, self.taken[1:]):
            totals[name] = totals.get(name, 0) + end - start
        self.taken.clear()
        return totals


def label(layer, y):
    """Return the name under which a layer's time is added up."""
    kind = KINDS.get(type(layer).__name__, REST)
    if kind in ("convolution", "linear"):
        size = getattr(layer, "kernel_size", None)
        size = size[0] if isinstance(size, tuple) else size
        kind += f" {size}×{size}" if size else ""
    return kind if kind == REST else f"{kind}, {'×'.join(map(str, y.shape[1:]))}"


def watch_package(model, stamp):
    """Take stamps around forward and backward of every layer of the package's model."""
    for _, layer in named_leaves(model):

        def forward(x, layer=layer, original=layer.forward, **options):
            start = time.process_time()
            y = original(x, **options)
            layer.label = label(layer, y)
            stamp(layer.label, start)
            stamp(REST)
            return y

        def backward(dy, layer=layer, original=layer.backward, **options):
            stamp(layer.label)
            dx = original(dy, **options)
            stamp(REST)
            return dx

        layer.forward, layer.backward = forward, backward


def watch_torch(network, stamp):
    """Take stamps around forward of every layer in PyTorch, and at the start of its backward.

    There its end is the start of the next one's, so adding up gradients where the network forks
    belongs to the layer before.
    """

    def before(layer, inputs):
        layer.start = time.process_time()

    def after(layer, inputs, y):
        name = label(layer, y)
        stamp(name, layer.start)
        if y is not inputs[0]:  # an identity has nothing to do
            y.register_hook(lambda gradient: stamp(name))
        stamp(REST)

    for layer in network.modules():
        if not list(layer.children()):
            layer.register_forward_pre_hook(before)
            layer.register_forward_hook(after)


def race_parts(steps, repeats):
    """Run the training steps in turn; return the median seconds of each part, by side and name.

    Parameters
    ----------
    steps : dict, side -> (step, stamps)
        `step()` makes one training step, whose network takes those stamps.
    """
    collected = {side: [] for side in steps}
    for i in range(repeats + 2):  # the first two warm up
        for side, (step, stamps) in steps.items():
            stamps.taken.clear()
            stamps(REST)
            step()
            if i >= 2:
                collected[side].append(stamps.sums())
    return {
        side: {name: median(sums[name] for sums in all_sums) for name in all_sums[0]}
        for side, all_sums in collected.items()
    }
