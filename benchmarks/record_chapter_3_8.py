"""Record what chapter 3-8 shows and is too long to run in it.

    python benchmarks/record_chapter_3_8.py [--only skips|empty]
    python benchmarks/record_chapter_3_8.py --hearts FILE [--only few|leak]

Some ten minutes of processor time, on one thread. Writes book/data/chapter_3_8.json after each
training; what is there already is not computed again, unless it is named by `--only`. What needs
real hearts is recorded where FILE names them (`convbook.datasets.heart`); only figures are kept.
"""

import argparse
import json
import os
from dataclasses import replace

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.datasets import heart
from convbook.functional import avg_pool2d
from convbook.images import phantom
from convbook.losses import BCEWithLogitsLoss, SoftmaxCrossEntropy
from convbook.models.unet import standardised, unet
from convbook.optimizers import Adam
from convbook.training import dice, fit, predict
from hearts import BATCH_SIZE, RATE, drawn_at_random, measured, scores_of, train, yes_or_no

TARGET = DATA / "chapter_3_8.json"
SEEDS = (0, 1, 2)
EPOCHS, EPOCHS_OF_FEW, EPOCHS_OF_LEAK = 4, 16, 8
ON_PHANTOMS = ("skips", "empty")
ON_HEARTS = ("few", "leak")


def phantoms():
    """Return drawn hearts to learn from, 480 pictures, and those of other people to test with."""
    return heart(patients=60, slices=4, rng=1), heart(patients=20, slices=4, rng=2)


def by_seed(record, part, name, seed, measure):
    """Measure unless that was done, keep what comes out, and show it."""
    runs = record.setdefault(part, {}).setdefault(name, [])
    if len(runs) > seed:
        return
    runs.append(measure(seed))
    write(record, TARGET)
    shown = {key: value for key, value in runs[-1].items() if not isinstance(value, list)}
    print(f"{part}, {name}, seed {seed}: {shown}", flush=True)


# --- On drawn hearts -----------------------------------------------------------------------------


def record_skips(record):
    """Train with and without skips for three classes: the roundish cavity and the thin muscle."""
    learn, test = phantoms()

    def measure(seed, skips):
        model, seconds = train(
            learn.x,
            learn.classes,
            EPOCHS,
            seed,
            loss=SoftmaxCrossEntropy(),
            classes=3,
            skips=skips,
        )
        found = scores_of(model, test.x).argmax(axis=1)
        return {
            "cavity": float(dice(found == 1, test.classes == 1).mean()),
            "muscle": float(dice(found == 2, test.classes == 2).mean()),
            "seconds": seconds,
        }

    for seed in SEEDS:
        for name, skips in (("with", True), ("without", False)):
            by_seed(record, "skips", name, seed, lambda s, skips=skips: measure(s, skips))


def wide_field(count, rng):
    """Return drawn hearts, half as large, in a wide field: pictures and masks (N, 1, 64, 64)."""
    pictures, masks = [], []
    for _ in range(count):
        image, cavity, _ = phantom.frame(
            phantom.patient(rng), rng.random(), rng.uniform(-0.9, 0.8), rng, size=32
        )
        pictures.append(np.pad(image, 16, mode="edge"))
        masks.append(np.pad(cavity, 16))
    return standardised(np.array(pictures)[:, None]), np.array(masks, np.float32)[:, None]


def record_empty(record, epochs=4):
    """Hearts that fill a hundredth of the picture: what helps a network that marks nothing."""
    x, y = wide_field(200, np.random.default_rng(1))
    ways = {
        "cross entropy": (4, 1e-3, BCEWithLogitsLoss),
        "cross entropy + Dice": (4, 1e-3, yes_or_no),
        "cross entropy, larger": (8, 3e-3, BCEWithLogitsLoss),
        "cross entropy + Dice, larger": (8, 3e-3, yes_or_no),
    }

    def measure(seed, base, lr, loss):
        model = unet(base=base, rng=seed)
        fit(
            model, x[:160], y[:160], epochs, BATCH_SIZE, loss=loss(), seed=seed, metrics={},
            optimizer=Adam(model, lr=lr), progress=False,
        )  # fmt: skip
        found = predict(model, x[160:]) > 0
        return {"dice": float(dice(found, y[160:]).mean()), "marked": float(found.mean())}

    for seed in SEEDS:
        for name, way in ways.items():
            by_seed(record, "empty", name, seed, lambda s, way=way: measure(s, *way))


# --- On real ones --------------------------------------------------------------------------------


def record_few(record, hearts, patients=3):
    """Learn from three patients, from nothing and from phantoms; and not at all."""
    learn, _ = phantoms()
    drawn, _ = train(learn.x, learn.cavity, EPOCHS, seed=0, augment=drawn_at_random())
    state = drawn.state()

    def measure(seed, way):
        rest, test = hearts.split(10, rng=100 + seed)
        few = rest.split(patients, rng=seed)[1]
        model, seconds = unet(rng=seed), 0.0
        if way != "from nothing":
            model.load_state(state)
        if way != "phantoms alone":
            model, seconds = train(
                few.x, few.cavity, EPOCHS_OF_FEW, seed, drawn_at_random(), model,
                lr=RATE if way == "from nothing" else RATE / 3,
            )  # fmt: skip
        return {
            "dice": measured(test, scores_of(model, test.x) > 0)["dice"],
            "pictures": len(few),
            "seconds": seconds,
        }

    for seed in SEEDS:
        for way in ("phantoms alone", "from nothing", "from phantoms"):
            by_seed(record, "few", way, seed, lambda s, way=way: measure(s, way))


def record_leak(record, hearts):
    """Test on pictures of other patients, and on other pictures of the same patients.

    At half the resolution, which is learnt in a fifth of the time.
    """
    hearts = replace(
        hearts,
        x=avg_pool2d(hearts.x, 2),
        cavity=(avg_pool2d(hearts.cavity.astype(np.float32), 2) >= 0.5).astype(np.uint8),
    )

    def measure(seed, apart):
        learn, test = hearts.split(10, rng=100 + seed)
        if not apart:  # as many pictures of each kind, drawn from all patients
            order = np.random.default_rng(seed).permutation(len(hearts))
            learn, test = hearts.take(order[: len(learn)]), hearts.take(order[len(learn) :])
        model, seconds = train(learn.x, learn.cavity, EPOCHS_OF_LEAK, seed, depth=2)
        found = measured(test, scores_of(model, test.x) > 0)
        return {"dice": found["dice"], "pictures": len(learn), "seconds": seconds}

    for seed in SEEDS:
        for name, apart in (("other patients", True), ("the same patients", False)):
            by_seed(record, "leak", name, seed, lambda s, apart=apart: measure(s, apart))


# --- Running -------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=ON_PHANTOMS + ON_HEARTS, help="record this part anew")
    parser.add_argument(
        "--hearts",
        metavar="FILE",
        default=os.environ.get("CONVBOOK_HEARTS"),
        help="real hearts; if not given, what CONVBOOK_HEARTS names",
    )
    options = parser.parse_args()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    record["machine"] = machine()
    record["settings"] = {
        "batch_size": BATCH_SIZE,
        "lr": RATE,
        "epochs": EPOCHS,
        "epochs_of_few": EPOCHS_OF_FEW,
        "epochs_of_leak": EPOCHS_OF_LEAK,
        "loss": repr(yes_or_no()),
    }
    if options.only:
        record.pop(options.only, None)
    for part in ON_PHANTOMS:
        if options.only in (None, part):
            globals()[f"record_{part}"](record)
    if not options.hearts:
        print("No real hearts are named: what needs them stays as it was recorded.")
    else:
        hearts = heart(folder=options.hearts)
        for part in ON_HEARTS:
            if options.only in (None, part):
                globals()[f"record_{part}"](record, hearts)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
