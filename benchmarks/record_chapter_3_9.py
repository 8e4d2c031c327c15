"""Record what chapter 3-9 shows of colouring: L1 alone, with a discriminator, and what goes wrong.

    python benchmarks/record_chapter_3_9.py [--only weights long] [--seeds 0 1]

Some fourteen minutes of processor time, on one thread. Writes book/data/chapter_3_9.json after each
training; what is there already is not computed again, unless the file is deleted. Some networks
are stored in it with rounded weights, for the page; all figures are of the exact ones. The
pictures are the aeroplanes, deer, frogs, horses and ships that come with the package: 2,500 to
learn from, and 500 others that every figure is measured with.
"""

import argparse
import copy
import functools
import json

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.datasets import cifar10
from convbook.images.colour import (
    CHROMA_SCALE,
    colour_error,
    coloured,
    colourfulness,
    grey_and_colours,
    stray_steps,
)
from convbook.kernels.memory import keep_memory
from convbook.layers import call
from convbook.losses import BCEWithLogitsLoss, L1Loss, probability
from convbook.models.pix2pix import patch_discriminator, picture_generator
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import MiniBatches, predict, run
from convbook.training.adversarial import generator_loss
from convbook.training.metrics import psnr
from convbook.training.paired import flipped_at_random, paired_step
from convbook.widgets.packed import packed
from convbook.widgets.stored_unet import for_page, rounded, steps_of

TARGET = DATA / "chapter_3_9.json"
SEEDS = (0, 1, 2)
KINDS = ("airplane", "deer", "frog", "horse", "ship")
EPOCHS, LONG, BATCH_SIZE = 3, 6, 16  # of three seeds each; and of what the page shows
RATES = (3e-3, 1e-3)  # of generator and discriminator; chosen on a part of the training pictures
BITS = 6  # of a stored weight
SHOWN = (95, 110, 223, 367, 416, 420)  # test pictures that are stored after each of the stages
STAGES = (1, 6)  # epochs of a long training
WEIGHTS = {"L1 alone": None, "100": 100.0, "30": 30.0, "8": 8.0}
# Where colours point to: Cb and Cr of blue, red, yellow, green; a pixel counts to the nearest.
HUES = {"blue": (1, 0), "red": (0, 1), "yellow": (-1, 0), "green": (0, -1)}
STRONG = 0.05  # from this length of (Cb, Cr) on, a colour has a hue


def pictures():
    """Return grey pictures and colours to learn from; those to test with, and their kinds."""
    everything = cifar10()
    wanted = [everything.classes.index(kind) for kind in KINDS]

    def of(x, y):
        chosen = np.isin(y, wanted)
        order = np.argsort(y[chosen], kind="stable")  # kind after kind
        return (*grey_and_colours(x[chosen][order]), y[chosen][order])

    return of(everything.x_train, everything.y_train), of(everything.x_test, everything.y_test)


# --- Training and measuring ----------------------------------------------------------------------


def unchanged(colours):
    return colours


def to_shares(colours):
    """Return numbers from -1 to 1 as numbers from 0 to 1."""
    return (colours + 1) / 2


def from_shares(colours):
    return 2 * colours - 1


def train(
    data,
    weight,
    seed,
    epochs=EPOCHS,
    make_step=paired_step,
    rates=RATES,
    scaled=(unchanged, unchanged),
    **options,
):
    """Train a generator, with a discriminator (and its options) unless `weight` is None.

    `scaled` is what is done to the colours before they are learned, and its inverse.

    Returns
    -------
    generator, discriminator (or None) : Layer
    found : dict
        What is recorded of the training.
    stages : list of array
        The colours of some test pictures, after some of the epochs.
    made : array
        The colours of all test pictures in the end.
    """
    (x, colours, _), (test, truth, kinds) = data
    before, after = scaled
    generator = picture_generator(rng=seed)
    discriminator = None if weight is None else patch_discriminator(rng=seed + 100, **options)
    models = [model for model in (generator, discriminator) if model is not None]
    of_all = [Adam(model, lr, betas=(0.5, 0.999)) for model, lr in zip(models, rates)]
    step = make_step(
        generator,
        discriminator,
        of_all if discriminator else of_all[0],
        1.0 if weight is None else weight,
    )
    batches = MiniBatches(x, before(colours), BATCH_SIZE, seed, augment=flipped_at_random)
    progress, stages = {"error": [], "colourfulness": []}, []

    def look(history):
        made = after(predict(generator, test, 100))
        progress["error"].append(colour_error(made, truth))
        progress["colourfulness"].append(colourfulness(made) / colourfulness(truth))
        if len(history) in STAGES:
            stages.append(made[list(SHOWN)])

    history, seconds = timed(
        run, step, batches, epochs, of_all,
        [CosineSchedule(optimizer, epochs * len(batches)) for optimizer in of_all],
        after_epoch=look, progress=False,
    )  # fmt: skip
    made = after(predict(generator, test, 100))
    found = measured(made, test, truth, kinds) | {"seconds": seconds, "progress": progress}
    if scaled == (unchanged, unchanged):
        found["error alone"] = error_alone(generator, test, truth)
    names = [name for name in ("D loss", "G loss", "D(x)", "D(G(z))") if name in history]
    found |= {name: history[name] for name in names}
    return generator, discriminator, found, stages, made


def error_alone(generator, test, truth):
    """Return the error in the mode of training, where each picture has statistics of its own."""
    watched = copy.deepcopy(generator).train()
    made = [watched(test[i : i + 1]) for i in range(len(test))]
    return colour_error(np.concatenate(made), truth)


def measured(made, grey, truth, kinds):
    """Return how good the colours of the test pictures are, all and kind by kind."""
    each = [kinds == kind for kind in np.unique(kinds)]
    return {
        "error": colour_error(made, truth),
        "colourfulness": colourfulness(made) / colourfulness(truth),
        "stray steps": stray_steps(grey, made) / stray_steps(grey, truth),
        "psnr": psnr(coloured(grey, made), coloured(grey, truth)),
        "by kind": [
            [colour_error(made[k], truth[k]), colourfulness(made[k]) / colourfulness(truth[k])]
            for k in each
        ],
        "recovered": recovered(made, truth),
    }


def recovered(made, truth):
    """Return for each hue how much of the true colour was made: 1 is all of it, 0 none."""
    made, truth = (np.moveaxis(c, 1, -1).reshape(-1, 2) / CHROMA_SCALE for c in (made, truth))
    nearest = (truth @ np.array(list(HUES.values()), np.float32).T).argmax(axis=1)
    strong = np.hypot(*truth.T) > STRONG
    result = {}
    for k, hue in enumerate(HUES):
        at = strong & (nearest == k)
        result[hue] = float((made[at] * truth[at]).sum() / (truth[at] ** 2).sum())
    return result


def as_text(model):
    """Return the weights of a model in half precision, as they travel in a file."""
    return {name: packed(array.astype(np.float16)) for name, array in model.state().items()}


# --- The parts -----------------------------------------------------------------------------------


def by_seed(record, part, name, seed, measure):
    """Measure unless that was done, keep what comes out, and show it.

    The file is read anew before it is written, so that two parts may be recorded side by side.
    """
    if len(record.get(part, {}).get(name, [])) > seed:
        return
    found, more = measure()
    if TARGET.exists():
        record.clear()
        record.update(json.loads(TARGET.read_text(encoding="utf-8")))
    runs = record.setdefault(part, {}).setdefault(name, [])
    runs.append(found)
    for key, values in more.items():
        record.setdefault(key, {}).update(values)
    write(record, TARGET)
    shown = {k: round(v, 4) for k, v in found.items() if isinstance(v, float)}
    print(f"{part}, {name}, seed {seed}: {shown}", flush=True)


def with_pictures(data, weight, seed, **options):
    """Train; return what is recorded, with some pictures of the first seed, and nothing more."""
    *_, found, _, made = train(data, weight, seed, **options)
    if seed == SEEDS[0]:
        found["pictures"] = packed(made[list(SHOWN)], 127)
    return found, {}


def record_weights(record, data, seeds):
    """L1 alone, and λ from much to little."""
    for seed in seeds:
        for name in ("30", "L1 alone", "8", "100"):
            by_seed(
                record, "weights", name, seed,
                lambda n=name, s=seed: with_pictures(data, WEIGHTS[n], s),
            )  # fmt: skip


def record_batch_norm(record, data, seeds):
    """Batch normalisation in the discriminator, to which both go in one mini-batch."""
    for seed in seeds:
        by_seed(
            record, "batch_norm", "30", seed,
            lambda s=seed: with_pictures(data, WEIGHTS["30"], s, batch_norm=True),
        )  # fmt: skip


def with_gradients_left(generator, discriminator, optimizers, weight):
    """Return a step of pix2pix that forgets to clear what the way through D has left there."""
    of_g, of_d = optimizers
    cross_entropy, distance = BCEWithLogitsLoss(), L1Loss()

    def step(x, targets):
        generator.clear_grads()
        discriminator.clear_grads()
        made, g_back = call(generator, x)
        both, n = np.concatenate([targets, made]), len(x)
        scores, d_back = call(discriminator, both, np.concatenate([x, x]))
        wanted = np.zeros_like(scores)
        wanted[:n] = 0.9
        of_both = 2 * cross_entropy(scores, wanted)
        d_back(2 * cross_entropy.backward(), need_dx=False)
        on_made, d_back = call(discriminator, made, x)
        error, d_scores = generator_loss(on_made)
        far = distance(made, targets)
        d_made = d_back(d_scores)[0] + weight * distance.backward()
        g_back(d_made, need_dx=False)
        of_g.step()
        of_d.step()  # with the generator's loss, too
        seen = probability(scores)
        answers = {"D(x)": float(seen[:n].mean()), "D(G(z))": float(seen[n:].mean())}
        return {"L1 loss": far, "D loss": of_both, "G loss": error} | answers

    return step


# What each training of the gallery does otherwise: its weight of L1, and its options.
GALLERY = {
    "gradients left in": (30.0, {"make_step": with_gradients_left}),
    "batch norm, two mini-batches": (
        30.0, {"batch_norm": True, "make_step": functools.partial(paired_step, together=False)},
    ),
    "8, D a third as fast": (8.0, {"rates": (RATES[0], RATES[1] / 3)}),
    "targets from 0 to 1": (30.0, {"scaled": (to_shares, from_shares)}),
    "targets from 0 to 1, 60": (60.0, {"scaled": (to_shares, from_shares)}),
}  # fmt: skip


def record_gallery(record, data, seeds):
    """What goes wrong on purpose, and cures; pictures of the first seed."""
    for name, of_this in GALLERY.items():
        for seed in seeds:
            by_seed(
                record, "gallery", name, seed,
                lambda s=seed, w=of_this[0], o=of_this[1]: with_pictures(data, w, s, **o),
            )  # fmt: skip


def record_long(record, data, _):
    """Train longer, once: the networks that the page runs, and pictures on the way."""

    def measure(name):
        generator, discriminator, found, stages, _ = train(data, WEIGHTS[name], 0, LONG)
        more = {"networks": {name: for_page(rounded(steps_of(generator), BITS))}}
        if name in ("L1 alone", "30"):
            kept = {"pictures": SHOWN, "epochs": STAGES, name: packed(np.array(stages), 127)}
            more["stages"] = kept
        if name == "30":
            more["discriminator"] = as_text(discriminator)
        return found, more

    for name in ("30", "L1 alone", "8", "100"):
        by_seed(record, "long", name, 0, lambda n=name: measure(n))


# --- Running -------------------------------------------------------------------------------------

PARTS = {
    "weights": record_weights,
    "batch_norm": record_batch_norm,
    "gallery": record_gallery,
    "long": record_long,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--seeds", type=int, choices=SEEDS, nargs="+", default=list(SEEDS))
    options = parser.parse_args()
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    record["machine"] = machine()
    record["settings"] = {
        "kinds": KINDS, "epochs": EPOCHS, "long": LONG, "batch_size": BATCH_SIZE, "rates": RATES,
        "bits": BITS,
    }  # fmt: skip
    data = pictures()
    record["grey error"] = colour_error(0 * data[1][1], data[1][1])
    write(record, TARGET)
    for name in options.only:
        PARTS[name](record, data, options.seeds)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
