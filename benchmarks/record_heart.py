"""Train a U-Net on some patients' hearts, and measure it on others'.

    python benchmarks/record_heart.py --train FILE --test FILE [--seeds 3] [--save]
    python benchmarks/record_heart.py --train FILE --splits 3       # within one file, patient-wise
    python benchmarks/record_heart.py --train FILE --folds 3        # every patient is tested once

FILE is an .npz file of hearts, or a folder as the Sunnybrook data were published; see
`convbook.datasets.heart`. Printed are Dice's coefficient and the ejection fraction of each patient,
the worst cases, and the medians over the seeds. A training takes less than a minute of one
processor. With --save the figures go into book/data/heart.json, no picture with them; what the
other ways of testing have put there stays.
"""

import argparse
import json
import os
import sys
from statistics import median

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.datasets import heart
from hearts import PART, areas_found, drawn_at_random, epochs_within, measured, train

TARGET = DATA / "heart.json"
EPOCHS, SECONDS = 18, 50  # or as many epochs as fit into so much processor time
# Each picture is looked at five times, a little moved, and the scores are averaged.
MOVES = ((0, 0), (0, 4), (4, 0), (0, -4), (-4, 0))
WORST, SMALL = 5, 100
MULTIPLE = 8  # the network halves three times


def at_least_one(text):
    """Return the number that an argument gives."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return int(text)


def record(train_set, test_set, seed):
    """Train from a seed and measure on the other patients; return a dict of numbers."""
    shared = set(names_of(train_set)) & set(names_of(test_set))
    if shared:
        raise SystemExit(
            f"{len(shared)} patients are in both files, such as {min(shared)}: what is measured "
            "on them would look too good"
        )
    augment = drawn_at_random()
    epochs = epochs_within(SECONDS, train_set.x, train_set.cavity, EPOCHS, augment)
    model, seconds = train(train_set.x, train_set.cavity, epochs, seed, augment)
    return {"seed": seed, "epochs": epochs, "seconds": seconds} | measured(
        test_set, areas_found(model, test_set, MOVES)
    )


def names_of(hearts):
    """Return the names of the patients that there are pictures of."""
    return [hearts.names[patient] for patient in hearts.patients]


def report(run, test_set):
    """Print one training's figures."""
    print(f"\nseed {run['seed']}, trained in {run['seconds']:.0f} s of processor time")
    print(f"{'patient':14}{'Dice':>7}{'EF':>7}{'truly':>7}{'off':>7}")
    rows = zip(names_of(test_set), run["by_patient"], run["fractions"], run["true_fractions"])
    for name, of_patient, found, true in rows:
        print(f"{name:14}{of_patient:7.3f}{found:7.2f}{true:7.2f}{found - true:+7.2f}")
    known = int(np.isfinite(np.subtract(run["fractions"], run["true_fractions"])).sum())
    of_whom = "" if known == len(run["fractions"]) else f", of {known} patients who have one"
    print(f"mean over pictures {run['dice']:.3f}, EF off by {run['fraction_error']:.3f}{of_whom}")
    print("worst pictures:")
    for i in np.argsort(run["of_picture"])[:WORST]:
        print(f"  {run['of_picture'][i]:.2f}  {described(test_set, i)}")


def described(hearts, i):
    """Return in words where a picture lies in its patient's heart."""
    his = hearts.patient == hearts.patient[i]
    slices = np.unique(hearts.slice[his])
    place = {slices[0]: "slice at the base", slices[-1]: "slice at the apex"}
    where = place.get(hearts.slice[i], f"slice {int(np.searchsorted(slices, hearts.slice[i])) + 1}")
    moment = "end-diastole" if hearts.diastole[i] else "end-systole"
    return (
        f"{hearts.names[hearts.patient[i]]}, {where} of {len(slices)}, {moment}, a cavity of "
        f"{int(hearts.areas()[i])} pixels"
    )


def places(hearts, of_picture):
    """Return the mean Dice at the base, at the apex and between, and where the cavity is small."""
    of_picture, first, last = np.array(of_picture), [], []
    for i in range(len(hearts)):
        slices = hearts.slice[hearts.patient == hearts.patient[i]]
        first.append(hearts.slice[i] == slices.min())
        last.append(hearts.slice[i] == slices.max())
    first, last, small = np.array(first), np.array(last), hearts.areas() < SMALL
    return {
        "slice at the base": float(of_picture[first].mean()),
        "slices between": float(of_picture[~first & ~last].mean()),
        "slice at the apex": float(of_picture[last].mean()),
        "larger cavity": float(of_picture[~small].mean()),
        "smaller cavity": float(of_picture[small].mean()),
    }


def run_of(train_set, test_set, seed):
    """Train, print and return what is kept of one training."""
    print(f"\n{train_set} to learn from, {test_set} to test", flush=True)
    run = record(train_set, test_set, seed)
    report(run, test_set)
    return run | {
        "patients": names_of(test_set),
        "trained_on": len(train_set.patients),
        "places": places(test_set, run["of_picture"]),
        "worst": [
            [run["of_picture"][i], described(test_set, i)]
            for i in np.argsort(run["of_picture"])[:WORST]
        ],
    }


# --- Who is tested -------------------------------------------------------------------------------


def read(file):
    """Return the hearts of a file or folder; raise ValueError if the network cannot take them."""
    hearts = heart(folder=file)
    height, width = hearts.x.shape[2:]
    if min(height, width) < PART or height % MULTIPLE or width % MULTIPLE:
        raise ValueError(
            f"{file!r} holds pictures of {height}×{width}; the network takes such whose height and "
            f"width are multiples of {MULTIPLE}, and {PART} at least"
        )
    return hearts


def splits_of(hearts, options):
    """Return pairs of what to learn from and what to test, each of other patients drawn."""
    return [hearts.split(options.held_out, rng=100 + i) for i in range(options.splits)]


def folds_of(hearts, count, seed=0):
    """Return such pairs in which every patient is tested once."""
    if not 2 <= count <= len(hearts.patients):
        raise ValueError(
            f"--folds must be from 2 to the number of patients, {len(hearts.patients)}, got {count}"
        )
    parts = np.array_split(np.random.default_rng(seed).permutation(hearts.patients), count)
    return [(hearts.of(np.setdiff1d(hearts.patients, part)), hearts.of(part)) for part in parts]


def record_runs(pairs, save, done=()):
    """Train once for each pair (and its place in the list as the seed); go on after `done`."""
    runs = list(done)
    for seed, (train_set, test_set) in list(enumerate(pairs))[len(runs) :]:
        runs.append(run_of(train_set, test_set, seed))
        save(runs)
    print(
        f"\nmedian over {len(runs)} trainings: Dice {median(r['dice'] for r in runs):.3f}, "
        f"EF off by {median(r['fraction_error'] for r in runs):.3f}, "
        f"{median(r['seconds'] for r in runs):.0f} s"
    )
    pictures = np.concatenate([run["of_picture"] for run in runs])
    print(f"mean over all {len(pictures)} pictures tested: Dice {pictures.mean():.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--train",
        metavar="FILE",
        default=os.environ.get("CONVBOOK_HEARTS"),
        help="if not given, what CONVBOOK_HEARTS names",
    )
    parser.add_argument("--test", metavar="FILE", help="other patients")
    parser.add_argument(
        "--splits", type=at_least_one, default=0, help="in place of --test: so many splits"
    )
    parser.add_argument(
        "--folds", type=at_least_one, default=0, help="or so many parts, each tested once"
    )
    parser.add_argument(
        "--held-out", type=at_least_one, default=10, help="patients kept for each split's test"
    )
    parser.add_argument("--seeds", type=at_least_one, default=3)
    parser.add_argument("--save", action="store_true", help=f"write {TARGET.name}")
    options = parser.parse_args()
    if not options.train:
        print("No real hearts are named: book/data/heart.json stays as it was recorded.")
        return
    if sum(map(bool, (options.test, options.splits, options.folds))) != 1:
        parser.error("give either --test FILE or --splits NUMBER or --folds NUMBER")
    try:
        hearts = read(options.train)
        if options.test:
            pairs = [(hearts, read(options.test))] * options.seeds
        elif options.folds:
            pairs = folds_of(hearts, options.folds)
        else:
            pairs = splits_of(hearts, options)
    except (OSError, ValueError, ImportError) as error:
        sys.exit(str(error))
    part = "folds" if options.folds else "runs"

    def kept():
        return json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}

    def save(rows):
        if options.save:
            write(kept() | {"machine": machine(), part: rows}, TARGET)

    if options.folds and options.save:  # folds that broke off go on where they ended
        done = kept().get("folds", [])
        record_runs(pairs, save, done if len(done) < options.folds else ())
    else:
        record_runs(pairs, save)


if __name__ == "__main__":
    main()
