"""Record the trainings and measurements of chapter 3-7, which are too long to run in it.

    python benchmarks/record_chapter_3_7.py [--only start|depth|wide|vgg|pace]

Some twenty-five minutes of processor time, on one thread. Writes book/data/chapter_3_7.json after
each training; what is there already is not computed again, unless it is named by `--only`.

The pictures are CIFAR-10's sample at 16 × 16 pixels. The settings are those of He et al. (2016),
section 4.2: SGD with a learning rate of 0.1, momentum 0.9 and weight decay 0.0001, pictures flipped
at random; the rate falls along a cosine to 0. None of them was chosen by looking at test pictures.
"""

import argparse
import json
import os
from statistics import median

from timing import DATA, machine, torch, write  # sets one thread: first

import numpy as np

from convbook.datasets import cifar10
from convbook.frameworks import cifar_keras, cifar_torch, import_keras, keras_model
from convbook.images.augment import Compose, Flip
from convbook.kernels.memory import keep_memory
from convbook.layers import Sequential
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.resnet import small_resnet
from convbook.models.vgg import small_vgg
from convbook.optimizers import SGD, CosineSchedule
from convbook.timing import timed
from convbook.training import evaluate, fit
from convbook.training.flow import signal_flow

TARGET = DATA / "chapter_3_7.json"
PARTS = ("start", "depth", "wide", "vgg", "pace")
SEEDS, BATCH_SIZE, RATE, MOMENTUM, DECAY = 3, 100, 0.1, 0.9, 1e-4
EPOCHS, VGG_EPOCHS = 3, 3
KINDS = {
    "plain-20": {"depth": 20, "residual": False},
    "residual-20": {"depth": 20},
    "plain-38": {"depth": 38, "residual": False},
    "residual-38": {"depth": 38},
}
# Name: what `small_resnet` is told, and the epochs: so many need about the time of the network
# "residual-38" in `EPOCHS` epochs.
WIDE = {
    "depth 20, twice as wide": ({"depth": 20, "widen": 2}, 3),
}


def photographs():
    """Return (x, y) to learn from and (x, y) to test with: 16 × 16 pixels, standardised."""
    data = cifar10()
    x, x_test = (
        images.reshape(len(images), 3, 16, 2, 16, 2).mean(axis=(3, 5))
        for images in (data.x_train, data.x_test)
    )
    mean, deviation = x.mean(axis=(0, 2, 3), keepdims=True), x.std(axis=(0, 2, 3), keepdims=True)
    return ((x - mean) / deviation, data.y_train), ((x_test - mean) / deviation, data.y_test)


def train(model, training, test, epochs, seed, rate=RATE):
    """Train a network; return what is recorded of it."""
    optimizer = SGD(model, lr=rate, momentum=MOMENTUM, weight_decay=DECAY)
    schedule = CosineSchedule(optimizer, epochs * -(-len(training[0]) // BATCH_SIZE))
    history, seconds = timed(
        fit,
        model,
        *training,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        schedule=schedule,
        augment=Compose(Flip()),
        seed=seed,
        progress=False,
    )
    return {
        "seed": seed,
        "loss": history["loss"],
        "accuracy": history["accuracy"],
        "unchanged": evaluate(model, *training),
        "test": evaluate(model, *test),
        "seconds": seconds,
    }


def record_runs(part, name, options, epochs, training, test, save, more=None):
    """Train from several seeds; what is recorded already is kept."""
    row = part.setdefault(name, {"options": options, "epochs": epochs, "runs": []})
    for seed in range(len(row["runs"]), SEEDS):
        model = small_resnet(**options, rng=seed)
        row["parameters"] = sum(array.size for array in model.params.values())
        run = train(model, training, test, epochs, seed)
        if more is not None:
            run |= more(model, seed)
        row["runs"].append(run)
        save()
        print(
            f"{name}, seed {seed}: training {run['unchanged']['accuracy']:.3f}, test "
            f"{run['test']['accuracy']:.3f}, {run['seconds']:.0f} s",
            flush=True,
        )


def record_depth(record, training, test, save):
    """Train plain and residual networks of two depths, and look at what has been learned.

    Single blocks are taken out; and of the deep ones the loss around one network is measured.
    """
    part = record.setdefault("depth", {})
    for name, options in KINDS.items():
        layers_of_a_block = 2 if options.get("residual", True) else 6

        def more(model, seed, name=name, layers_of_a_block=layers_of_a_block):
            if seed == 0 and name.endswith("38"):
                record.setdefault("surface", {})[name] = surface(model, *training)
            return {"without": without_each_block(model, test, layers_of_a_block)}

        record_runs(part, name, options, EPOCHS, training, test, save, more)


def record_wide(record, training, test, save):
    """Train deep and wide networks for about the same time."""
    part = record.setdefault("wide", {})
    for name, (options, epochs) in WIDE.items():
        record_runs(part, name, options, epochs, training, test, save)


# --- Signals and gradients before the first step -------------------------------------------------


def at_the_start(model, x, y):
    """Return how large signal and gradient are at each convolution of 3×3, before any step."""
    rows = [row for row in signal_flow(model, x, y) if getattr(row.layer, "kernel_size", 1) == 3]
    return {
        name: [getattr(row, name) for row in rows] for name in ("signal", "gradient", "weights")
    }


def record_start(record, training, test, save):
    """Measure all four kinds of networks of depth 38, from several seeds."""
    x, y = training[0][:200], training[1][:200]
    part = record.setdefault("start", {})
    for residual in (False, True):
        for norm in (False, True):
            name = f"{'residual' if residual else 'plain'}, {'with' if norm else 'without'} norm"
            part[name] = [
                at_the_start(small_resnet(38, residual=residual, norm=norm, rng=seed), x, y)
                for seed in range(SEEDS)
            ]
    save()


# --- Removing a block after training -------------------------------------------------------------


def without_each_block(model, test, count):
    """Return the test accuracy without each block in turn that keeps its input's shape.

    Veit, Wilber and Belongie, "Residual networks behave like ensembles of relatively shallow
    networks", NeurIPS 2016, section 4.1. Of a residual block the shortcut stays, which is all that
    the next block then sees; of a plain one nothing.
    """
    accuracies = []
    for place, stage in enumerate(model.layers):
        if isinstance(stage, Sequential):
            halves = stage is not next(s for s in model.layers if isinstance(s, Sequential))
            for first in range(count if halves else 0, len(stage), count):
                accuracies.append(evaluate(shorter(model, place, first, count), *test)["accuracy"])
    return accuracies


def shorter(model, place, first, count):
    """Return the model, with the same layers, without `count` of those in one of its stages."""
    layers = list(model.layers)
    of_stage = list(layers[place].layers)
    del of_stage[first : first + count]
    layers[place] = Sequential(*of_stage)
    return Sequential(*layers)


def record_vgg(record, training, test, save):
    """Train a small VGG, and take out each convolution that keeps its input's shape."""
    (x, y), (x_test, y_test) = training, test
    x, x_test = (np.repeat(np.repeat(a, 2, axis=2), 2, axis=3) for a in (x, x_test))
    runs = record.setdefault("vgg", {"epochs": VGG_EPOCHS, "runs": []})["runs"]
    for seed in range(len(runs), SEEDS):
        model = small_vgg(rng=seed)
        run = train(model, (x, y), (x_test, y_test), VGG_EPOCHS, seed, rate=0.02)
        head = list(model.layers[1:])
        run["without"] = [
            evaluate(Sequential(shorter(model.layers[0], stage, 2, 2), *head), x_test, y_test)[
                "accuracy"
            ]
            for stage in range(3)
        ]
        runs.append(run)
        save()
        print(f"VGG, seed {seed}: {run['test']['accuracy']:.3f}, {run['without']}", flush=True)


# --- The loss around a trained network -----------------------------------------------------------


def surface(model, x, y, steps=11, reach=1.0, images=300):
    """Return the training loss on a random plane through a trained network.

    Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018: the two directions
    are random, and each filter of them is as long as the network's filter. Batch normalisation
    takes the statistics of the images at hand, as in training.
    """
    x, y, rng, kept = x[:images], y[:images], np.random.default_rng(1), model.state()
    directions = [filterwise(model, rng) for _ in range(2)]
    offsets, loss, losses = np.linspace(-reach, reach, steps), SoftmaxCrossEntropy(), []
    model.train()
    for a in offsets:
        for b in offsets:
            for key, array in model.params.items():
                array[...] = kept[key] + a * directions[0][key] + b * directions[1][key]
            losses.append(float(loss(model(x), y)))
    model.eval().load_state(kept)
    return {
        "offsets": offsets.tolist(),
        "images": images,
        "loss": np.reshape(losses, (steps, steps)).tolist(),
    }


def filterwise(model, rng):
    """Return a random direction whose filters are as long as the network's; 0 for the rest."""
    direction = {}
    for name, array in model.params.items():
        d = np.zeros_like(array)
        if array.ndim > 1:
            d = rng.standard_normal(array.shape).astype(array.dtype)
            axes = tuple(range(1, array.ndim))
            length = np.sqrt(np.square(array).sum(axis=axes, keepdims=True))
            d *= length / np.sqrt(np.square(d).sum(axis=axes, keepdims=True))
        direction[name] = d
    return direction


# --- Three implementations -----------------------------------------------------------------------


def torch_resnet(depth, widen, width=8, classes=10):
    """Return `small_resnet` in PyTorch, as one would write it there."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, channels, out_channels, stride):
            super().__init__()
            self.stride, self.more = stride, out_channels - channels
            self.body = nn.Sequential(
                nn.Conv2d(channels, out_channels, 3, stride, 1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
                nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )
            self.projection = None
            if stride == 1 and self.more:
                self.projection = nn.Sequential(
                    nn.Conv2d(channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
                )

        def forward(self, x):
            if self.projection is not None:
                short = self.projection(x)
            else:
                short = x[:, :, :: self.stride, :: self.stride]
                short = nn.functional.pad(short, (0, 0, 0, 0, 0, self.more))
            return torch.relu(self.body(x) + short)

    layers, channels = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)], width
    layers.append(nn.ReLU())
    for stage in range(3):
        for i in range((depth - 2) // 6):
            out_channels = width * widen * 2**stage
            layers.append(Block(channels, out_channels, 2 if stage and i == 0 else 1))
            channels = out_channels
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)
    )


def copy_to_torch(model, net):
    """Copy our weights; both have them in the same order, body before shortcut."""
    ours = [layer for layer in model.walk() if layer.params and not layer.children]
    theirs = [m for m in net.modules() if any(True for _ in m.parameters(recurse=False))]
    with torch.no_grad():
        for layer, module in zip(ours, theirs, strict=True):
            for array, parameter in zip(layer.params.values(), module.parameters(), strict=True):
                parameter.copy_(torch.from_numpy(array))
    return net


def record_pace(record, training, test, save, rounds=5, steps=4):
    """Train for some steps in all three, in turn; what disturbs one disturbs all."""
    keras, (x, y) = import_keras(), training
    batches = [
        (x[i * BATCH_SIZE : (i + 1) * BATCH_SIZE], y[i * BATCH_SIZE : (i + 1) * BATCH_SIZE])
        for i in range(steps)
    ]
    part = record["pace"] = {"load": os.getloadavg()[0], "images": len(x), "networks": {}}
    for name, depth, widen in (("residual, 20 layers", 20, 1),):
        model = small_resnet(depth, widen=widen, rng=0)
        net = copy_to_torch(model, torch_resnet(depth, widen))
        built = keras_model.build(model, (3, 16, 16))
        built.compile(
            keras.optimizers.SGD(RATE, momentum=MOMENTUM, weight_decay=DECAY),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )
        optimizer = SGD(model, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
        torch_optimizer = torch.optim.SGD(
            net.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY
        )
        sides = {
            "ours": lambda: train_ours(model, optimizer, batches),
            "Keras": lambda: cifar_keras.train(built, batches),
            "PyTorch": lambda: cifar_torch.train(net, torch_optimizer, batches),
        }
        times, first = {side: [] for side in sides}, {}
        for _ in range(1 + rounds):  # the first pays for what is made only once
            for side, run in sides.items():
                losses, seconds = timed(run)
                times[side].append(seconds)
                first.setdefault(side, losses[0])
        if np.ptp(list(first.values())) > 1e-4:
            raise RuntimeError(f"the three do not begin alike: {first}")
        epoch = len(x) / (steps * BATCH_SIZE)
        part["networks"][name] = {
            "seconds_per_epoch": {side: epoch * median(t[1:]) for side, t in times.items()},
            "first_loss": first,
        }
        print(name, part["networks"][name], flush=True)
        save()


def train_ours(model, optimizer, batches):
    """Make one step for each mini-batch; return the losses."""
    loss, losses = SoftmaxCrossEntropy(), []
    model.train()
    for x, y in batches:
        losses.append(float(loss(model(x), y)))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
    return losses


# --- Running -------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="compute this part, and no other")
    only = parser.parse_args().only
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    record["machine"] = machine()
    record["settings"] = {
        "batch_size": BATCH_SIZE,
        "lr": RATE,
        "momentum": MOMENTUM,
        "weight_decay": DECAY,
        "size": 16,
    }
    training, test = photographs()

    def save():
        write(record, TARGET)

    growing = ("depth", "wide", "vgg")  # they find out by themselves what is missing
    for part in [only] if only else [p for p in PARTS if p in growing or p not in record]:
        globals()[f"record_{part}"](record, training, test, save)
    save()
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
