"""Record what chapter 3-5-1 draws: other networks, fewer digits, and where the time goes.

    python benchmarks/record_chapter_3_5_1.py [--only variants|sizes|times] [--folder FOLDER]

writes book/data/chapter_3_5_1.json (some 10 minutes on one core). All networks learn from the 5,000
embedded digits, as the chapter trains and with one thing changed. Each learns three times, with
other initial weights and another order of the digits, and is tested on all 10,000 test digits of
MNIST: 1,000 would not be enough to tell the variants apart. `mnist(full=True)` gets them, or reads
them in FOLDER. With --only, the other parts stay as they were recorded.
"""

import argparse
import json

from timing import DATA, machine, race, torch, write  # sets one thread: first

import numpy as np

from convbook import functional, plain
from convbook.datasets import mnist
from convbook.images.augment import Shift
from convbook.kernels.memory import keep_memory
from convbook.layers import AvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential
from convbook.layers.summary import Summary
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.digits import digit_cnn
from convbook.optimizers import SGD, AdamW, CosineSchedule
from convbook.timing import timed
from convbook.training import evaluate, fit
from record_digits import BATCH_SIZE, LR, TRAININGS, WEIGHT_DECAY

TARGET = DATA / "chapter_3_5_1.json"
SEEDS = (0, 1, 2)
EPOCHS, _ = TRAININGS["10 epochs"]  # as the chapter trains
INPUT = (1, 28, 28)
SIZES = (100, 200, 500, 1000, 2000, 5000)
BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


# --- Other networks, other trainings -------------------------------------------------------------


def network(
    seed, filters=(8, 16), size=5, pool=MaxPool2d, stride=1, hidden=64, dropout=0, activation=ReLU
):
    """Return the chapter's network with one thing changed."""
    rng = np.random.default_rng(seed)
    layers, channels, side = [], INPUT[0], INPUT[1]
    for out_channels in filters:
        layers += [Conv2d(channels, out_channels, size, stride, rng=rng)]
        layers += [activation()] if activation else []
        side = functional.output_size(side, size, stride)
        if pool:
            layers.append(pool(2))
            side = side // 2
        channels = out_channels
    layers += [Flatten(), Linear(channels * side * side, hidden, rng=rng)]
    layers += [activation()] if activation else []
    layers += [Dropout(dropout)] if dropout else []
    return Sequential(*layers, Linear(hidden, 10, rng=rng))


# name: how the network differs, how the training differs
VARIANTS = {
    "as in the chapter": ({}, {}),
    "no convolution": ({"filters": ()}, {}),
    "one convolution": ({"filters": (8,)}, {}),
    "half the filters": ({"filters": (4, 8)}, {}),
    "twice the filters": ({"filters": (16, 32)}, {}),
    "filters of 3×3": ({"size": 3}, {}),
    "no pooling": ({"pool": None}, {}),
    "average pooling": ({"pool": AvgPool2d}, {}),
    "stride 2, no pooling": ({"pool": None, "stride": 2}, {}),
    "no ReLU": ({"activation": None}, {}),
    "dropout 0.5": ({"dropout": 0.5}, {}),
    "random shifts": ({}, {"augment": Shift(2)}),
    "learning rate ×10": ({}, {"lr": 10 * LR}),
    "learning rate ÷10": ({}, {"lr": LR / 10}),
    "constant learning rate": ({}, {"cosine": False}),
    "no weight decay": ({}, {"weight_decay": 0}),
    "mini-batches of 500": ({}, {"batch_size": 500}),
    "plain SGD, rate 0.1": ({}, {"lr": 0.1, "weight_decay": 0, "optimizer": SGD}),
    "pixels 0 to 255": ({}, {"scale": 255}),
}


def record_variants(digits, test):
    records = {}
    for name, (changes, training) in VARIANTS.items():
        summary = Summary(network(0, **changes), INPUT)
        runs = [
            train_and_test(network(seed, **changes), digits, test, seed, **training)
            for seed in SEEDS
        ]
        records[name] = {
            "parameters": summary.parameters,
            "multiplications": summary.multiplications,
            "test_accuracy": [run[0] for run in runs],
            "train_accuracy": [run[1] for run in runs],
        }
        print(name, records[name]["test_accuracy"], flush=True)
    return {
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "learning_rate": LR,
        "weight_decay": WEIGHT_DECAY,
        "test_digits": len(test[0]),
        "runs": records,
    }


def train_and_test(
    model,
    digits,
    test,
    seed,
    lr=LR,
    weight_decay=WEIGHT_DECAY,
    optimizer=AdamW,
    cosine=True,
    scale=1,
    augment=None,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
):
    """Return the accuracies on the test and on the training digits."""
    x, y = digits
    optimizer = optimizer(model, lr=lr, weight_decay=weight_decay)
    schedule = CosineSchedule(optimizer, epochs * len(x) // batch_size) if cosine else None
    fit(
        model,
        scale * x,
        y,
        epochs,
        batch_size,
        optimizer=optimizer,
        schedule=schedule,
        augment=augment,
        seed=seed,
        progress=False,
    )
    return [
        evaluate(model, scale * images, labels)["accuracy"] for images, labels in (test, digits)
    ]


# --- Fewer digits --------------------------------------------------------------------------------


def record_sizes(digits, test, whole):
    """Train on the first so many digits, with and without shifts, always with as many steps.

    With all digits these are trainings that are among the variants, `whole`.
    """
    x, y = digits
    records = {"none": [], "shift": []}
    for n in SIZES[:-1]:
        epochs = EPOCHS * len(x) // n
        for name, augment in (("none", None), ("shift", Shift(2))):
            runs = [
                train_and_test(
                    digit_cnn(seed), (x[:n], y[:n]), test, seed, augment=augment, epochs=epochs
                )
                for seed in SEEDS
            ]
            records[name].append(
                {
                    "test_accuracy": [run[0] for run in runs],
                    "train_accuracy": [run[1] for run in runs],
                }
            )
            print(n, name, records[name][-1], flush=True)
    for name, variant in (("none", "as in the chapter"), ("shift", "random shifts")):
        records[name].append(
            {part: whole[variant][part] for part in ("test_accuracy", "train_accuracy")}
        )
    return {"digits": SIZES, "steps": EPOCHS * len(x) // BATCH_SIZE, **records}


# --- Where the time goes -------------------------------------------------------------------------


def record_times(digits):
    return {
        "machine": machine(),
        "layers": record_layers(digits, batch_size=100),
        "batches": record_batches(digits),
        "ways": record_ways(digits),
    }


def record_layers(digits, batch_size, repeats=101):
    """Time forward and backward of every layer within training steps."""
    x, labels = (array[:batch_size] for array in digits)
    model, loss = digit_cnn(0), SoftmaxCrossEntropy()
    rows = [
        {"layer": row.layer, "multiplications": row.multiplications, "forward": [], "backward": []}
        for row in Summary(model, INPUT).rows
    ]
    for _ in range(repeats):
        y = x
        for layer, row in zip(model, rows):
            y, time = timed(layer.forward, y)
            row["forward"].append(time)
        loss(y, labels)
        dy = loss.backward()
        for i in reversed(range(len(model))):
            options = {"need_dx": False} if i == 0 else {}
            dy, time = timed(model[i].backward, dy, **options)
            rows[i]["backward"].append(time)
    for row in rows:
        row |= {way: float(np.median(row[way])) for way in ("forward", "backward")}
    return {"batch_size": batch_size, "rows": rows}


def record_batches(digits):
    """Time a training step for mini-batches of several sizes, in seconds per digit."""
    x, labels = digits
    rows = []
    for size in BATCH_SIZES:
        model, loss = digit_cnn(0), SoftmaxCrossEntropy()
        optimizer = AdamW(model, lr=LR, weight_decay=WEIGHT_DECAY)

        def step():
            loss(model(x[:size]), labels[:size])
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()

        time = race({"step": step}, repeats=max(9, min(201, 2000 // size)))["step"]
        rows.append({"batch_size": size, "seconds_per_digit": time / size})
    return rows


def record_ways(digits, batch_size=100):
    """Time the second convolution, forward, computed in several ways; in seconds per digit."""
    model = digit_cnn(0)
    x = digits[0][:batch_size]
    for layer in (model[0], model[1], model[2]):
        x = layer.forward(x)
    x = np.ascontiguousarray(x)
    f, b = model[3].params["f"], model[3].params["b"]
    ways = {
        "loops over every number": (plain.conv2d_number_by_number, 1, 1),
        "loops over the output": (plain.conv2d, 2, 3),
        "im2col in full": (lambda *arrays: plain.conv2d_by_columns(*arrays)[0], batch_size, 21),
        "the package": (functional.conv2d, batch_size, 21),
    }
    expected = functional.conv2d(x, f, b)
    rows = {}
    for name, (function, n, repeats) in ways.items():
        np.testing.assert_allclose(function(x[:n], f, b), expected[:n], atol=1e-4)
        time = race({name: lambda: function(x[:n], f, b)}, repeats)[name]
        rows[name] = time / n
    if torch:
        tx, tf, tb = (torch.from_numpy(array) for array in (x, f, b))
        rows["PyTorch"] = (
            race({"torch": lambda: torch.nn.functional.conv2d(tx, tf, tb)}, 21)["torch"]
            / batch_size
        )
    return {"layer": repr(model[3]), "batch_size": batch_size, "seconds_per_digit": rows}


# --- Running -------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("variants", "sizes", "times"))
    parser.add_argument("--folder", help="where the original files of MNIST are")
    arguments = parser.parse_args()
    only = arguments.only
    keep_memory()  # as a program that trains does, see the page on speed
    record = json.loads(TARGET.read_text(encoding="utf-8")) if only and TARGET.exists() else {}
    sample = mnist()
    digits = sample.x_train, sample.y_train
    if only != "times":
        full = mnist(full=True, folder=arguments.folder)
        test = full.x_test, full.y_test
        if only != "sizes":
            record["variants"] = record_variants(digits, test)
        if only != "variants":
            record["sizes"] = record_sizes(digits, test, record["variants"]["runs"])
    if only in (None, "times"):
        record["times"] = record_times(digits)
    write(record, TARGET)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
