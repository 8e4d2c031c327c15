"""Record what the page on GANs shows and is too long to run in it.

    python benchmarks/record_chapter_3_9_1.py [--only PART …]

writes book/data/chapter_3_9_1.json after each part (some half an hour of processor time, on one
thread). What is there already is not computed again, unless it is named by `--only`. Three seeds
each: they draw the initial weights, the noise and the order of the data.
"""

import argparse
import base64
import functools
import io
import json
import time

from timing import DATA, machine, write  # sets one thread: first

import numpy as np
from PIL import Image

from convbook.arrays import as_tuple
from convbook.datasets import mnist, plane
from convbook.kernels.memory import keep_memory
from convbook.layers import Layer, Sequential, Sigmoid, call
from convbook.losses import BCEWithLogitsLoss, probability
from convbook.models.digits import digit_cnn
from convbook.models.gan import (
    conditional_discriminator,
    conditional_generator,
    digit_discriminator,
    digit_generator,
    plane_discriminator,
    plane_generator,
)
from convbook.optimizers import SGD, Adam, CosineSchedule
from convbook.training import MiniBatches, evaluate, fit, generated, run
from convbook.training.adversarial import (
    adversarial_step,
    discriminator_step,
    generator_loss,
    generator_step,
    normal_noise,
    value,
)

TARGET = DATA / "chapter_3_9_1.json"
SEEDS = (0, 1, 2)
PLANE_RATE, PLANE_BATCH, BETAS = 1e-3, 128, (0.5, 0.999)
BANANA_TURNS = 1000
AHEAD_RATE, AHEAD_TURNS = 0.004, 400  # of a discriminator that gets ahead of its generator
# Found by trying with the seeds 10, 11 and 12, and other noise for the judge.
DIGIT_RATE, DIGIT_BATCH, REAL_TARGET, NOISE = 4e-3, 32, 0.9, 8
EPOCHS = 6  # of the conditional GAN, and of each training in which one thing is changed


def rounded(array, digits=3):
    """Return numbers as nested lists, short."""
    return np.round(np.asarray(array, float), digits).tolist()


# --- In the plane --------------------------------------------------------------------------------


class Pairs(Layer):
    """Lay every two points side by side, (2N, 2) to (N, 4), so that they are judged together."""

    def forward(self, x):
        """Return (N, 4)."""
        return self._output(self._input(x).reshape(-1, 4))

    def backward(self, dy, need_dx=True):
        """Return the gradient of the points."""
        dy = self._gradient(dy)
        return dy.reshape(-1, 2) if need_dx else None


def train_plane(
    cloud,
    seed,
    steps,
    every,
    pairs=False,
    g_rate=PLANE_RATE,
    d_rate=PLANE_RATE,
    make_step=adversarial_step,
    **options,
):
    """Train in the plane; return the generator, the discriminator and what was noted."""
    rng = np.random.default_rng(seed)
    generator = plane_generator(rng=rng)
    discriminator = plane_discriminator(inputs=4 if pairs else 2, rng=rng)
    if pairs:
        discriminator = Sequential(Pairs(), *discriminator)
    optimizers = Adam(generator, g_rate, BETAS), Adam(discriminator, d_rate, BETAS)
    step = make_step(generator, discriminator, optimizers, normal_noise(2, rng), **options)
    size = PLANE_BATCH * options.get("d_steps", 1)
    real = cloud(4000, np.random.default_rng(99))
    z = np.random.default_rng(98).standard_normal((4000, 2), np.float32)
    noted = {"step": [], "V": [], "D(x)": [], "D(G(z))": [], "D loss": [], "G loss": []}

    def note(history):
        fake = generator(z)
        noted["step"].append(len(history) * every)
        noted["V"].append(value(discriminator, real, fake))
        for name, points in (("D(x)", real), ("D(G(z))", fake)):
            noted[name].append(float(probability(discriminator(points)).mean()))
        for name in ("D loss", "G loss"):
            noted[name].append(history[name][-1])

    start = time.process_time()
    run(
        step,
        lambda: (cloud(size, rng) for _ in range(every)),
        steps // every,
        optimizers,
        [CosineSchedule(optimizer, steps) for optimizer in optimizers],
        after_epoch=note,
        progress=False,
    )
    noted["seconds"] = time.process_time() - start
    return generator, discriminator, {name: rounded(values) for name, values in noted.items()}


def record_balance(record):
    """The banana, until D can tell no more."""
    record["balance"] = {
        "steps": BANANA_TURNS,
        "batch_size": PLANE_BATCH,
        "lr": PLANE_RATE,
        "runs": [],
    }
    for seed in SEEDS:
        *_, noted = train_plane(plane.banana, seed, steps=BANANA_TURNS, every=50)
        record["balance"]["runs"].append(noted)
        print("balance", seed, {k: v[-1] if isinstance(v, list) else v for k, v in noted.items()})


# How the generator learns, and what holds the discriminator back that has trained ahead of it.
AHEAD = {
    "log(1 - D), SGD": {"saturating": True},
    "-log D, SGD": {},
    "log(1 - D), Adam": {"saturating": True, "adam": True},
    "-log D, Adam": {"adam": True},
    "log(1 - D), SGD, real is .9": {"saturating": True, "real_target": 0.9},
    "log(1 - D), SGD, D less far ahead": {"saturating": True, "ahead": AHEAD_TURNS // 10},
}


def record_losses(record, steps=400, every=20):
    """Let a generator begin far away, before a discriminator that is sure."""
    part = record.setdefault("losses", {"runs": {}})
    part |= {"steps": steps, "ahead": AHEAD_TURNS}
    for name, options in AHEAD.items():
        done = part["runs"].setdefault(name, [])
        for seed in SEEDS[len(done) :]:
            noted = from_far_away(seed, steps, every, **options)
            done.append({key: rounded(values, 9) for key, values in noted.items()})
            last = {key: values[-1] for key, values in done[-1].items()}
            print("losses", name, seed, "first", noted["gradient"][0], "last", last, flush=True)
        write(record, TARGET)


def from_far_away(
    seed, steps, every, saturating=False, adam=False, real_target=1.0, ahead=AHEAD_TURNS
):
    """Train the discriminator ahead, then both; return what was noted of the generator."""
    rng = np.random.default_rng(seed)
    generator, discriminator = plane_generator(rng=rng), plane_discriminator(rng=rng)
    generator.params["4.w"][...] *= 0.1
    generator.params["4.b"][...] = 3  # all in one place, far from the data
    of_g = Adam(generator, PLANE_RATE, BETAS) if adam else SGD(generator, lr=0.01)
    of_d = Adam(discriminator, AHEAD_RATE, BETAS)
    z = rng.standard_normal((1000, 2), np.float32)
    noise = normal_noise(2, rng)
    for _ in range(ahead):
        real, fake = plane.two_clouds(PLANE_BATCH, rng), generator(noise(PLANE_BATCH))
        discriminator_step(discriminator, of_d, real, fake, real_target=real_target)
    of_d.lr = PLANE_RATE
    noted = {"step": [], "D(G(z))": [], "gradient": [], "distance": []}
    for t in range(steps + 1):
        if t % every == 0:
            fake, scores, d_fake = pull(generator, discriminator, z, saturating)
            noted["step"].append(t)
            noted["D(G(z))"].append(float(probability(scores).mean()))
            noted["gradient"].append(float(np.linalg.norm(d_fake, axis=1).mean()))
            noted["distance"].append(float(np.linalg.norm(fake.mean(axis=0))))
        real, fake = plane.two_clouds(PLANE_BATCH, rng), generator(noise(PLANE_BATCH))
        discriminator_step(discriminator, of_d, real, fake, real_target=real_target)
        generator_step(generator, discriminator, of_g, noise(PLANE_BATCH), saturating=saturating)
    return noted


def pull(generator, discriminator, z, saturating):
    """Return generated points, their scores, and the gradient of each point's own loss."""
    fake = generator(z)
    scores, back = call(discriminator, fake)
    _, d_scores = generator_loss(scores, saturating)
    d_fake = as_tuple(back(d_scores * len(z)))[0]
    discriminator.clear_grads()
    return fake, scores, d_fake


RING = {
    "1 : 1": {},
    "1 : 10": {"g_steps": 10},
    "1 : 10, G a tenth as fast": {"g_steps": 10, "g_rate": PLANE_RATE / 10},
    "10 : 10": {"g_steps": 10, "d_steps": 10},
    "1 : 10, pairs": {"g_steps": 10, "pairs": True},
}
RING_TURNS, ONE_TO_ONE_TURNS = 500, 5000  # ten steps in a turn count ten times as much


def record_ring(record):
    """The ring of eight: what is left out, and what helps."""
    part = record.setdefault("ring", {"runs": {}})
    part |= {"turns": RING_TURNS, "turns 1 : 1": ONE_TO_ONE_TURNS}
    for name, options in RING.items():
        done = part["runs"].setdefault(name, [])
        turns = RING_TURNS if options else ONE_TO_ONE_TURNS
        for seed in SEEDS[len(done) :]:
            generator, _, noted = train_plane(plane.ring, seed, turns, 100, **options)
            z = np.random.default_rng(8).standard_normal((2000, 2), np.float32)
            found, inside = plane.ring_modes(generator(z))
            run_ = {"modes": found, "inside": round(inside, 3), "seconds": noted["seconds"]}
            run_ |= {key: noted[key][-1] for key in ("V", "D loss", "G loss")}
            if seed == SEEDS[0]:
                run_["points"] = rounded(generator(z[:250]), 2)
            done.append(run_)
            print("ring", name, seed, without_pictures(run_), flush=True)
            write(record, TARGET)


def left_in(where):
    """Return an alternating step in which gradients of the other player are left in `where`."""

    def make(generator, discriminator, optimizers, noise):
        of_g, of_d = optimizers
        loss = BCEWithLogitsLoss()

        def step(real):
            on_real, real_back = call(discriminator, real)
            of_real = loss(on_real, np.ones_like(on_real))
            real_back(loss.backward(), need_dx=False)
            fake, back = call(generator, noise(len(real)))
            on_fake, fake_back = call(discriminator, fake)
            of_fake = loss(on_fake, np.zeros_like(on_fake))
            d_fake = fake_back(loss.backward())
            if where == "G":
                back(d_fake, need_dx=False)  # the discriminator's loss, in the generator
            if where != "D":
                of_d.step()
                discriminator.clear_grads()
            fake, back = call(generator, noise(len(real)))
            on_fake, fake_back = call(discriminator, fake)
            error, d_scores = generator_loss(on_fake)
            back(fake_back(d_scores), need_dx=False)
            of_g.step()
            if where == "D":
                of_d.step()  # with the generator's loss, too
            return {"D loss": of_real + of_fake, "G loss": error}

        return step

    return make


def record_left_in(record, turns=600):
    """The banana, with the gradients of the other player left in."""
    part = record["left_in"] = {"turns": turns, "runs": {}}
    for name in ("none", "D", "G"):
        part["runs"][name] = []
        for seed in SEEDS:
            generator, discriminator, noted = train_plane(
                plane.banana, seed, turns, 100, make_step=left_in(name)
            )
            z = np.random.default_rng(8).standard_normal((1000, 2), np.float32)
            real = plane.banana(1000, np.random.default_rng(9))
            run_ = {
                "V": noted["V"][-1],
                "D(x)": noted["D(x)"][-1],
                "D(G(z))": noted["D(G(z))"][-1],
                "energy": round(generated.energy_distance(generator(z), real), 4),
            }
            if seed == 0:
                run_["points"] = rounded(generator(z[:250]), 2)
            part["runs"][name].append(run_)
            print("left in", name, seed, without_pictures(run_), flush=True)
    write(record, TARGET)


# --- Digits --------------------------------------------------------------------------------------


class Digits:
    """The digits, the judge, and what it says of real ones."""

    def __init__(self):
        self.data = mnist()
        self.x, self.y = 2 * self.data.x_train - 1, self.data.y_train
        self.judge = digit_cnn(0)
        fit(
            self.judge,
            self.data.x_train,
            self.y,
            epochs=5,
            batch_size=50,
            optimizer=Adam(self.judge, lr=0.002),
            progress=False,
        )
        self.real_variety = generated.variety(self.data.x_train[:1000], self.y[:1000])

    def of_real(self):
        """Return the same measures for the test digits."""
        x, y = self.data.x_test, self.data.y_test
        return {
            "accuracy": evaluate(self.judge, x, y)["accuracy"],
            "confidence": generated.confidence(self.judge, x),
            "kinds": generated.kinds(self.judge, x),
            "variety": generated.variety(x, y) / self.real_variety,
            "blots": generated.blots(x),
            "checkerboard": generated.checkerboard(x),
        }

    def measured(self, pictures, labels=None):
        """Return the measures of generated digits; without labels, those that the judge reads."""
        if labels is None:
            found, read = {}, generated.judged(self.judge, pictures).argmax(axis=1)
        else:
            found, read = {"agreement": generated.agreement(self.judge, pictures, labels)}, labels
        found |= {
            "confidence": generated.confidence(self.judge, pictures),
            "kinds": generated.kinds(self.judge, pictures),
            "variety": generated.variety(pictures, read) / self.real_variety,
            "blots": generated.blots(pictures),
            "checkerboard": generated.checkerboard(pictures),
        }
        return {name: round(number, 3) for name, number in found.items()}


@functools.cache
def with_judge():
    """Return the digits and their judge, who is trained once."""
    return Digits()


def train_digits(
    digits,
    seed,
    conditional=True,
    g_options=None,
    d_options=None,
    g_rate=DIGIT_RATE,
    d_rate=DIGIT_RATE,
    betas=BETAS,
    real_target=REAL_TARGET,
    scale=lambda x: x,
    step=None,
    after_epoch=None,
    batch_size=DIGIT_BATCH,
):
    """Train a GAN on digits; return both networks and the history."""
    rng = np.random.default_rng(seed)
    if conditional:
        generator = conditional_generator(NOISE, rng=rng, **g_options or {})
        discriminator = conditional_discriminator(rng=rng, **d_options or {})
    else:
        generator = digit_generator(NOISE, rng=rng, **g_options or {})
        discriminator = digit_discriminator(rng=rng, **d_options or {})
    optimizers = Adam(generator, g_rate, betas), Adam(discriminator, d_rate, betas)
    noise = normal_noise(NOISE, rng)
    step = (step or adversarial_step)(
        generator, discriminator, optimizers, noise, real_target=real_target
    )
    batches = MiniBatches(scale(digits.x), digits.y, batch_size, seed)
    start = time.process_time()
    history = run(
        step if conditional else lambda x, y: step(x),
        batches,
        EPOCHS,
        optimizers,
        [CosineSchedule(optimizer, EPOCHS * len(batches)) for optimizer in optimizers],
        after_epoch=after_epoch and (lambda history: after_epoch(generator, discriminator)),
        progress=False,
    )
    return generator, discriminator, history, time.process_time() - start


def some(generator, conditional=True, each=50, seed=7):
    """Return generated digits, `each` of every label, and the labels (None without)."""
    noise = np.random.default_rng(seed).standard_normal((10 * each, NOISE), np.float32)
    labels = np.repeat(np.arange(10), each) if conditional else None
    return generated.generate(generator, noise, labels), labels


def strip(pictures, labels):
    """Return a row of digits, the first of each label, as text that holds a PNG.

    Without labels, every fiftieth.
    """
    every = range(0, 500, 50) if labels is None else [np.argmax(labels == k) for k in range(10)]
    row = np.concatenate([pictures[i, 0] for i in every], axis=1)
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * (1 - row)).astype(np.uint8)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def to_shares(x):
    """Return pictures from -1 to 1 as pictures from 0 to 1."""
    return (x + 1) / 2


def mean_distance(digits, pictures):
    """Return how far pictures are from the nearest training digit, on average."""
    return float(generated.nearest(pictures, digits.data.x_train)[1].mean())


def watched(digits, noted):
    """Return a function to call after each epoch: it notes how often the judge agrees by then.

    Beside it stands the processor time of the training so far, without that of the judge.
    """
    noted |= {"seconds": [], "agreement": []}
    began, judging = time.process_time(), 0.0

    def look(generator, discriminator):
        nonlocal judging
        now = time.process_time()
        noted["seconds"].append(round(now - began - judging, 1))
        noted["agreement"].append(generated.agreement(digits.judge, *some(generator)))
        judging += time.process_time() - now

    return look


def record_conditional(record):
    """The conditional GAN, and what batches do to its generator."""
    digits = with_judge()
    part = record["conditional"] = {
        "epochs": EPOCHS,
        "batch_size": DIGIT_BATCH,
        "lr": DIGIT_RATE,
        "noise": NOISE,
        "real": digits.of_real(),
        "runs": [],
        "modes": [],
    }
    part["real"]["nearest"] = mean_distance(digits, digits.data.x_test[:500])
    for seed in SEEDS:
        noted = {}
        generator, _, history, _ = train_digits(digits, seed, after_epoch=watched(digits, noted))
        pictures, labels = some(generator)
        found = digits.measured(pictures, labels)
        found["nearest"] = round(mean_distance(digits, pictures), 3)
        found["by epoch"] = noted
        found |= last_of(history)
        part["runs"].append(found)
        part["modes"].append(in_batches(digits, generator))
        print("conditional", seed, found, part["modes"][-1], flush=True)
        write(record, TARGET)


def last_of(history):
    """Return what the last epoch said of the game."""
    return {name: round(history[name][-1], 3) for name in ("D loss", "G loss", "D(x)", "D(G(z))")}


def in_batches(digits, generator):
    """Return the agreement for a generator in use, and in training mode in batches of some kind."""
    noise = np.random.default_rng(3).standard_normal((200, NOISE), np.float32)
    labels = np.arange(200) % 10
    order = np.argsort(labels, kind="stable")
    kept = generator.state()

    def agreement(order, size):
        generator.train()
        pictures = np.concatenate(
            [generator(noise[i], labels[i]) for i in np.split(order, 200 // size)]
        )
        generator.load_state(kept)  # its running statistics have moved
        generator.eval()
        pictures = generated.as_pictures(pictures)
        return {
            "agreement": generated.agreement(digits.judge, pictures, labels[order]),
            "ink": float(pictures.mean()),
        }

    in_use = generated.generate(generator, noise, labels)
    return {
        "eval": {
            "agreement": generated.agreement(digits.judge, in_use, labels),
            "ink": float(in_use.mean()),
        },
        "train, 50 mixed": agreement(np.arange(200), 50),
        "train, 20 of one label": agreement(order, 20),
        "train, 1": agreement(np.arange(200), 1),
    }


# What each training does otherwise. Pictures are from 0 to 1 where the data are.
CHANGES = {
    "all as here": {},
    "D: max pooling, not stride 2": {"d_options": {"pooling": True}},
    "G: no batch norm": {"g_options": {"batch_norm": False}},
    "D: batch norm, as in the paper": {"d_options": {"batch_norm": True}},
    "D: ReLU": {"d_options": {"slope": 0}},
    "D: a hidden layer of 64": {"d_options": {"hidden": 64}},
    "G: copied pixels, not transposed": {"g_options": {"upsample": True}},
    "G: sigmoid, and data from 0 to 1": {"g_options": {"output": Sigmoid}, "scale": to_shares},
    "Adam with β₁ = .9": {"betas": (0.9, 0.999)},
    "label as ten planes": {"d_options": {"planes": True}},
    "no label": {"conditional": False},
    "data from 0 to 1, and tanh": {"scale": to_shares},
    "D four times as fast, real is 1": {"d_rate": 4 * DIGIT_RATE, "real_target": 1.0},
    "kernel size 3": {"g_options": {"kernel_size": 3}},
}


def record_changes(record):
    """The same training with one thing changed at a time: rules left out, and faults."""
    digits = with_judge()
    part = record.setdefault("changes", {"runs": {}})
    part["epochs"] = EPOCHS
    for name, options in CHANGES.items():
        done = part["runs"].setdefault(name, [])
        for seed in SEEDS[len(done) :]:
            done.append(changed(digits, seed, options))
            print("change", name, seed, without_pictures(done[-1]), flush=True)
            write(record, TARGET)


def changed(digits, seed, options):
    """Train with what `options` say otherwise; return measures, and pictures for the first seed."""
    conditional = options.get("conditional", True)
    before = conditional_generator(NOISE, rng=seed, **options.get("g_options", {}))
    generator, _, history, seconds = train_digits(digits, seed, **options)
    pictures, labels = some(generator, conditional)
    if "scale" in options:
        pictures = np.clip(2 * pictures - 1, 0, 1)  # what the generator itself has made
    found = digits.measured(pictures, labels) | last_of(history)
    found["untrained checkerboard"] = round(generated.checkerboard(some(before)[0]), 3)
    found["seconds"] = round(seconds, 1)
    if seed == SEEDS[0]:
        found["pictures"] = strip(pictures, labels)
    return found


def without_pictures(found):
    return {key: value for key, value in found.items() if key not in ("points", "pictures")}


PARTS = ("balance", "left_in", "losses", "ring", "conditional", "changes")
# What a recording that was broken off goes on with.
GROWING = ("losses", "ring", "changes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, help="record these parts anew")
    only = parser.parse_args().only
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    record["machine"] = machine()
    for part in only or ():
        record.pop(part, None)
    for part in PARTS:
        if part in (only or ()) or (not only and (part in GROWING or part not in record)):
            globals()[f"record_{part}"](record)
            write(record, TARGET)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
