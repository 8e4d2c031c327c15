"""Record what chapter 3-7-1 shows and is too long to run in it.

    python benchmarks/record_chapter_3_7_1.py [--only counts|separable|trained]

Ten minutes of processor time, on one thread. Writes book/data/chapter_3_7_1.json after each
training; what is there already is not computed again, unless it is named by `--only`.

All small networks see the same photographs equally often, with the same settings, which were fixed
before the first training and have not been changed by what came out.
"""

import argparse
import json
import time

from timing import DATA, machine, race, torch, write  # sets one thread: first

import numpy as np

from convbook.datasets import cifar10
from convbook.images.augment import Compose, Flip, Shift
from convbook.layers import Conv2d, Sequential, Summary
from convbook.models.evolution import FULL, SMALL
from convbook.optimizers import Adam, CosineSchedule
from convbook.training import evaluate, fit

TARGET = DATA / "chapter_3_7_1.json"
PARTS = ("counts", "separable", "trained")

IMAGES, EPOCHS, BATCH_SIZE, SEEDS, RATE = 2000, 4, 40, 3, 0.002
AUGMENT = Compose(Flip(), Shift(3, mode="edge"))
TRAINED = [name for name in SMALL if name != "small Wide ResNet-14"]  # it belongs to chapter 3-7


# --- Counts --------------------------------------------------------------------------------------


def record_counts(record):
    """Count the parameters and multiplications of all networks that are not counted yet."""
    done = record.setdefault("counts", {})
    for name, (make, shape) in {**FULL, **SMALL}.items():
        if name in done:
            continue
        summary = Summary(make(rng=0), shape)
        linear = [row for row in summary.rows if row.layer.startswith("Linear(")]
        done[name] = {
            "input": shape,
            "parameters": summary.parameters,
            "multiplications": summary.multiplications,
            "of_linear_layers": {
                "parameters": sum(row.parameters for row in linear),
                "multiplications": sum(row.multiplications for row in linear),
            },
        }
    write(record, TARGET)


# --- Trainings -----------------------------------------------------------------------------------


def train(model, images, labels, epochs, seed, after_epoch=None):
    """Train as all networks are trained here."""
    optimizer = Adam(model, lr=RATE)
    fit(
        model,
        images,
        labels,
        epochs,
        BATCH_SIZE,
        optimizer=optimizer,
        schedule=CosineSchedule(optimizer, epochs * len(images) // BATCH_SIZE),
        augment=AUGMENT,
        after_epoch=after_epoch,
        seed=seed,
    )


def record_trained(record):
    """Train the small networks from several seeds, in turn."""
    data = cifar10()
    x, y = data.x_train[:IMAGES], data.y_train[:IMAGES]
    test = data.x_test, data.y_test
    part = record.setdefault("trained", {})
    part |= {"images": IMAGES, "test_images": len(test[0]), "epochs": EPOCHS}
    part |= {"batch_size": BATCH_SIZE, "lr": RATE, "augmentation": repr(AUGMENT)}
    done_before = part.get("runs", {})
    runs = part["runs"] = {name: done_before.get(name, {"seeds": []}) for name in TRAINED}
    for seed in range(SEEDS):
        for name in TRAINED:
            done = runs[name]["seeds"]
            if len(done) > seed:
                continue
            done.append(trained(SMALL[name][0](rng=seed), x, y, test, seed))
            write(record, TARGET)
            last = done[-1]
            print(
                f"{name}, seed {seed}: test {last['accuracy'][-1]:.3f}, "
                f"training {last['training_accuracy']:.3f}, {last['seconds'][-1]:.0f} s",
                flush=True,
            )


def trained(model, x, y, test, seed):
    """Train; return the test accuracy and the processor time of training after every epoch."""
    accuracy, seconds = [], []
    start, measuring = time.process_time(), 0.0

    def look(model, history):
        nonlocal measuring
        begin = time.process_time()
        seconds.append(begin - start - measuring)
        accuracy.append(evaluate(model, *test)["accuracy"])
        measuring += time.process_time() - begin

    train(model, x, y, EPOCHS, seed, look)
    return {
        "accuracy": accuracy,
        "seconds": seconds,
        "training_accuracy": evaluate(model, x, y)["accuracy"],  # of unchanged photographs
    }


# --- Depthwise separable -------------------------------------------------------------------------

SHAPES = ((16, 32, 32), (32, 64, 16), (64, 64, 16), (64, 128, 8), (128, 128, 8))
PICTURES = 50


def record_separable(record, repeats=15):
    """Count and time a convolution of 3×3 and its depthwise separable form, forward and back."""
    rows = []
    for c, oc, size in SHAPES:
        whole = Conv2d(c, oc, 3, padding=1, rng=0)
        apart = Sequential(Conv2d(c, c, 3, padding=1, groups=c, rng=0), Conv2d(c, oc, 1, rng=0))
        rng = np.random.default_rng(0)
        x = rng.standard_normal((PICTURES, c, size, size), np.float32)
        dy = rng.standard_normal((PICTURES, oc, size, size), np.float32)
        sides = {"standard": step(whole, x, dy), "separable": step(apart, x, dy)}
        if torch:
            sides |= {
                "standard, PyTorch": torch_step(x, dy, torch.nn.Conv2d(c, oc, 3, padding=1)),
                "separable, PyTorch": torch_step(
                    x,
                    dy,
                    torch.nn.Conv2d(c, c, 3, padding=1, groups=c),
                    torch.nn.Conv2d(c, oc, 1),
                ),
            }
        counts = [Summary(layer, (c, size, size)).multiplications for layer in (whole, apart)]
        rows.append(
            {
                "channels": [c, oc],
                "size": size,
                "multiplications": counts,
                "seconds": race(sides, repeats),
            }
        )
        print(rows[-1], flush=True)
    record["separable"] = {"pictures": PICTURES, "rows": rows}
    write(record, TARGET)


def step(layer, x, dy):
    """Return a function that runs a layer forwards and backwards."""

    def run():
        layer(x)
        layer.backward(dy)

    return run


def torch_step(x, dy, *layers):
    """Return the same for layers of PyTorch."""
    net = torch.nn.Sequential(*layers)
    x, dy = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dy)

    def run():
        net.zero_grad()
        x.grad = None
        net(x).backward(dy)

    return run


# --- All of it -----------------------------------------------------------------------------------


def main(only):
    """Record all parts that are not there yet, or one of them anew."""
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    if only:
        record.pop(only, None)
    record["machine"] = machine()
    for part in [only] if only else PARTS:
        if part in ("counts", "trained") or part not in record:  # these go on where they ended
            globals()[f"record_{part}"](record)
    write(record, TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=PARTS, help="record this part anew, and no other")
    main(parser.parse_args().only)
