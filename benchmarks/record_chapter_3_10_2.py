"""Record what chapter 3-10-2 shows of FCN, SegNet and the U-Net on street scenes.

    python benchmarks/record_chapter_3_10_2.py [--only networks weights]

Some ten minutes of processor time, on one thread: seven trainings from each of three seeds. Writes
book/data/chapter_3_10_2.json after each of them; what is there already is not computed again,
unless its part is named by `--only`. Mini-batches of 8 took the place of 16 after the test of one
seed, in which the U-Net found no people. The class weights are compared on scenes of half the size,
in a smaller network.
"""

import argparse
import json

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.images.scenes import CLASSES, class_maps, street_scenes
from convbook.kernels.memory import keep_memory
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.segmenting import fcn, segnet
from convbook.models.unet import unet
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import balanced_weights, class_ious, confusion_matrix, fit, predict
from convbook.training.metrics import near_edges

TARGET = DATA / "chapter_3_10_2.json"
SEEDS = (0, 1, 2)
K = 1 + len(CLASSES)
LEARN, TEST, LARGE = 960, 400, 100  # scenes
SIZE, LARGE_SIZE, SMALL_SIZE = 64, 96, 32  # their height and width
EPOCHS, BATCH_SIZE, RATE = 4, 8, 3e-3
SHOWN = (1, 7, 12, 21)  # of the test scenes, of the first seed
NETWORKS = {
    "FCN": lambda seed: fcn(rng=seed),
    "SegNet": lambda seed: segnet(rng=seed),
    "U-Net": lambda seed: unet(3, K, rng=seed),
    "FCN without skips": lambda seed: fcn(skips=0, rng=seed),
}
POWERS = {"none": 0.0, "root": 0.5, "all": 1.0}  # of the class weights; "networks" have the root


def small_segnet(seed):
    """Return the network that the class weights are compared on."""
    return segnet(base=8, depth=2, rng=seed)


def scenes(count, rng, size=SIZE):
    """Return drawn scenes and the class of each of their pixels."""
    images, _, labels, masks = street_scenes(count, rng=rng, size=size)
    return images, class_maps(labels, masks)


def measure(make, data, seed, power=0.5):
    """Train a network from one seed; return what it is worth in the test, as a dict."""
    (x, y), (x_test, y_test), *larger = data
    model, weights = make(seed), balanced_weights(y, K, power)
    optimizer = Adam(model, lr=RATE)
    seconds = timed(
        fit,
        model,
        x,
        y,
        EPOCHS,
        BATCH_SIZE,
        loss=SoftmaxCrossEntropy(weight=weights),
        optimizer=optimizer,
        schedule=CosineSchedule(optimizer, EPOCHS * -(-len(x) // BATCH_SIZE)),
        metrics={},
        seed=seed,
        progress=False,
    )[1]
    found, edge = predict(model, x_test, 50).argmax(axis=1), near_edges(y_test)
    run = {
        "counts": counted(y_test, found),
        "at edges": counted(y_test[edge], found[edge]),
        "seconds": seconds,
    }
    for x_large, y_large in larger:
        run["large"] = counted(y_large, predict(model, x_large, 50).argmax(axis=1))
        if seed == SEEDS[0]:
            run["maps"] = [run_lengths(found[i]) for i in SHOWN]
    return run


def counted(labels, found):
    """Return the confusion matrix of all pixels, as JSON can hold it."""
    return confusion_matrix(labels.ravel(), found.ravel(), K).tolist()


def run_lengths(classes):
    """Return a map of classes as text: class*times, one after the other, row by row."""
    row = classes.ravel()
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    times = np.diff(starts, append=len(row))
    return " ".join(f"{k}*{n}" for k, n in zip(row[starts], times))


def add(record, part, name, seed, make, data, power=0.5):
    """Measure unless that was done, keep what comes out, and show it."""
    runs = record.setdefault(part, {}).setdefault(name, [])
    if len(runs) > seed:
        return
    runs.append(measure(make, data, seed, power))
    write(record, TARGET)
    ious = class_ious(np.array(runs[-1]["counts"]))
    print(
        f"{part}, {name}, seed {seed}: mIoU {ious.mean():.3f}, {np.round(ious, 2)}, "
        f"{runs[-1]['seconds']:.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("networks", "weights"), nargs="+", help="anew")
    only = parser.parse_args().only
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    for part in only or ():
        record.pop(part, None)
    record["machine"] = machine()
    record["settings"] = {
        "learn": LEARN,
        "test": TEST,
        "large": LARGE,
        "sizes": [SIZE, LARGE_SIZE, SMALL_SIZE],
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "lr": RATE,
        "shown": SHOWN,
    }
    if not only or "networks" in only:
        data = scenes(LEARN, 1), scenes(TEST, 2), scenes(LARGE, 3, LARGE_SIZE)
        for seed in SEEDS:
            for name, make in NETWORKS.items():
                add(record, "networks", name, seed, make, data)
    if not only or "weights" in only:
        data = scenes(LEARN, 4, SMALL_SIZE), scenes(TEST, 5, SMALL_SIZE)
        for seed in SEEDS:
            for name, power in POWERS.items():
                add(record, "weights", name, seed, small_segnet, data, power)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
