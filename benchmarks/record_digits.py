"""Record how well the network of chapter 3-5-1 reads digits, and in what time.

    python benchmarks/record_digits.py [--only settings|trainings] [--folder FOLDER] [--seeds 5]
                                       [--target digits.json]

First the settings: learning rate and weight decay are tried on a small grid, trained on the first
4,500 of the embedded digits and compared on the other 500. No test digit has a part in that.

Then the trainings with the settings below: `convbook.models.digits.digit_cnn` learns from all 5,000
embedded digits: for 10 epochs, for 20, and for 20 with shifted digits; each several times, with
other initial weights and another order of the digits. Every network is tested on the 1,000 embedded
test digits, and on the 10,000 of the full set if it is at hand: FOLDER, or the environment variable
CONVBOOK_DATA, names a folder with the original files or a mirror of them. Measured is the processor
time of `fit`, on one thread.

With --only, the other part stays as it was recorded.
"""

import argparse
import json
import os
from itertools import product
from pathlib import Path
from statistics import median

from timing import DATA, machine, print_table, write  # sets one thread: first

from convbook.datasets import mnist
from convbook.images.augment import Shift
from convbook.kernels.memory import keep_memory
from convbook.models.digits import digit_cnn
from convbook.optimizers import AdamW, CosineSchedule
from convbook.timing import timed
from convbook.training import evaluate, fit

LR, WEIGHT_DECAY, BATCH_SIZE = 0.006, 0.2, 50
HELD_OUT = 500  # the last of the training digits, to compare settings on
RATES, DECAYS = (0.002, 0.006, 0.018), (0, 0.2, 0.6)
TRAININGS = {  # epochs, and by how many pixels the digits are shifted
    "10 epochs": (10, 0),
    "20 epochs": (20, 0),
    "20 epochs, shifted digits": (20, 2),
}


def train(x, y, epochs, seed, most=0, lr=LR, weight_decay=WEIGHT_DECAY):
    """Return a trained network and the processor time that it took, in seconds."""
    model = digit_cnn(seed)
    optimizer = AdamW(model, lr=lr, weight_decay=weight_decay)
    steps = epochs * -(-len(x) // BATCH_SIZE)
    augment = Shift(most) if most else None
    _, seconds = timed(
        fit,
        model,
        x,
        y,
        epochs,
        BATCH_SIZE,
        augment=augment,
        seed=seed,
        schedule=CosineSchedule(optimizer, steps),
        progress=False,
    )
    return model, seconds


def try_settings(digits, seeds):
    """Compare learning rates and weight decays on training digits that are held out."""
    epochs, _ = TRAININGS["10 epochs"]
    kept, held_out = slice(0, -HELD_OUT), slice(-HELD_OUT, None)
    x, y = digits.x_train[held_out], digits.y_train[held_out]
    tried = []
    for lr, weight_decay in product(RATES, DECAYS):
        runs = [
            evaluate(
                train(
                    digits.x_train[kept],
                    digits.y_train[kept],
                    epochs,
                    seed,
                    lr=lr,
                    weight_decay=weight_decay,
                )[0],
                x,
                y,
            )
            for seed in range(seeds)
        ]
        tried.append(
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "accuracy": [run["accuracy"] for run in runs],
                "loss": [run["loss"] for run in runs],
                "median_loss": median(run["loss"] for run in runs),
            }
        )
        print(tried[-1], flush=True)
    return {
        "digits": len(digits.x_train) - HELD_OUT,
        "held_out": HELD_OUT,
        "epochs": epochs,
        "tried": tried,
    }


def record(digits, full, epochs, most, seeds):
    """Train once for each seed; return the accuracies and times, and their medians."""
    row = {
        "epochs": epochs,
        "shifted_by": most,
        "accuracy_1000": [],
        "accuracy_10000": [],
        "cpu_seconds": [],
    }
    for seed in range(seeds):
        model, seconds = train(digits.x_train, digits.y_train, epochs, seed, most)
        row["cpu_seconds"].append(seconds)
        row["accuracy_1000"].append(evaluate(model, digits.x_test, digits.y_test)["accuracy"])
        if full is not None:
            row["accuracy_10000"].append(evaluate(model, full.x_test, full.y_test)["accuracy"])
    return row | {
        f"median_{name}": median(row[name]) if row[name] else None
        for name in ("accuracy_1000", "accuracy_10000", "cpu_seconds")
    }


def full_set(folder):
    """Return the full set if it is known where it is, else None."""
    if folder is None and not os.environ.get("CONVBOOK_DATA"):
        return None
    return mnist(full=True, folder=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("settings", "trainings"), help="record this part anew")
    parser.add_argument("--folder", help="where the original files of MNIST are")
    parser.add_argument("--seeds", type=int, default=5, help="how often each is trained (5)")
    parser.add_argument(
        "--target", type=Path, default=DATA / "digits.json", help="the file to write"
    )
    arguments = parser.parse_args()
    keep_memory()
    digits = mnist()
    result = {
        "parameters": sum(a.size for a in digit_cnn(0).params.values()),
        "optimizer": f"AdamW, lr={LR}, weight_decay={WEIGHT_DECAY}, cosine schedule to 0",
        "batch_size": BATCH_SIZE,
    }
    if arguments.only:
        result = json.loads(arguments.target.read_text(encoding="utf-8")) | result
    if arguments.only != "trainings":
        result["settings"] = try_settings(digits, arguments.seeds)
    if arguments.only != "settings":
        result |= {"machine": machine(), "trainings": {}}
        full = full_set(arguments.folder)
        for name, (epochs, most) in TRAININGS.items():
            result["trainings"][name] = record(digits, full, epochs, most, arguments.seeds)
        print_table(
            ["", "epochs", "of 1,000", "of 10,000", "CPU seconds"],
            [
                [
                    name,
                    str(row["epochs"]),
                    f"{row['median_accuracy_1000']:.3f}",
                    f"{row['median_accuracy_10000']:.4f}" if full is not None else "–",
                    f"{row['median_cpu_seconds']:.1f}",
                ]
                for name, row in result["trainings"].items()
            ],
        )
    write(result, arguments.target)
    print(f"Wrote {arguments.target}")


if __name__ == "__main__":
    main()
