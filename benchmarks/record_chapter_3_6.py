"""Record what chapter 3-6 shows and is too long to run in it.

    python benchmarks/record_chapter_3_6.py [--only curves|frameworks|defaults|feeding]

About a quarter of an hour of processor time, on one thread. Writes book/data/chapter_3_6.json after
each training; what is there already is not computed again, unless it is named by `--only`.
"""

import argparse
import json
import pickle
import time
from statistics import median

from timing import DATA, machine, torch, write  # sets one thread: first

import numpy as np

from augmentation import augment_one_by_one
from convbook.datasets import cifar10
from convbook.frameworks import cifar_keras, cifar_torch, import_keras
from convbook.images.augment import Brightness, Compose, Flip, Rotate, Shift, Zoom
from convbook.layers import Conv2d, MaxPool2d
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.cifar import cifar_cnn
from convbook.optimizers import SGD, Adam
from convbook.timing import timed
from convbook.training import evaluate, feeding, fit

TARGET = DATA / "chapter_3_6.json"
PARTS = ("curves", "frameworks", "defaults", "feeding")
IMAGES, BATCH_SIZE, EPOCHS, SEEDS, RATE = 2000, 50, 60, 3, 0.001

AUGMENTED = (Flip(), Zoom((0.85, 1.2)), Rotate(10), Shift(3, whole=False))
VARIANTS = {
    "none": None,
    "flip and shift": Compose(Flip(), Shift(3, mode="edge")),
    "all": Compose(*AUGMENTED, Brightness((0.8, 1.2)), mode="edge"),
    "all, and upside down": Compose(
        Flip(0.5, 0.5), *AUGMENTED[1:], Brightness((0.8, 1.2)), mode="edge"
    ),
}


def training_images():
    """Return the images and labels that all trainings of the chapter begin with, and the test."""
    data = cifar10()
    return (data.x_train[:IMAGES], data.y_train[:IMAGES]), (data.x_test, data.y_test)


# --- With and without augmentation ---------------------------------------------------------------


def record_curves(record):
    """Train with every kind of augmentation, from several seeds."""
    (x, y), test = training_images()
    part = record.setdefault("curves", {})
    part |= {
        "images": IMAGES,
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "lr": RATE,
        "test_images": len(test[0]),
    }
    runs = part.setdefault("runs", {})
    for seed in range(SEEDS):
        for name, augment in VARIANTS.items():
            done = runs.setdefault(name, {"augmentation": repr(augment), "seeds": []})["seeds"]
            if len(done) > seed:
                continue
            model = cifar_cnn(seed)
            start = time.process_time()
            history = fit(
                model,
                x,
                y,
                EPOCHS,
                BATCH_SIZE,
                optimizer=Adam(model, lr=RATE),
                augment=augment,
                validation=test,
                seed=seed,
            )
            done.append(
                {
                    "accuracy": history["accuracy"],
                    "val_accuracy": history["val_accuracy"],
                    "loss": history["loss"],
                    "val_loss": history["val_loss"],
                    "clean_accuracy": evaluate(model, x, y)["accuracy"],  # of unchanged images
                    "seconds": time.process_time() - start,
                }
            )
            write(record, TARGET)
            print(
                f"{name}, seed {seed}: training {history['accuracy'][-1]:.3f}, unchanged "
                f"{done[-1]['clean_accuracy']:.3f}, test {history['val_accuracy'][-1]:.3f}, "
                f"{done[-1]['seconds']:.0f} s",
                flush=True,
            )


# --- Three implementations -----------------------------------------------------------------------


def keras_net(keras, weights, optimizer, jit_compile=False):
    """Return the network in Keras, ready to train, with these weights or its own."""
    net = cifar_keras.cifar_cnn()
    if weights is not None:
        cifar_keras.copy_weights(weights, net)
    net.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit_compile,
    )
    return net


def train_ours(model, optimizer, batches):
    """Make one step for each mini-batch; return the losses."""
    loss, losses = SoftmaxCrossEntropy(), []
    model.train()
    for x, labels in batches:
        losses.append(float(loss(model(x), labels)))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
    return losses


def batches_of(x, y, epochs, seed=0):
    """Return the mini-batches that everybody gets."""
    return [
        (x[job.indices], y[job.indices]) for job in feeding.plan(len(x), BATCH_SIZE, epochs, seed)
    ]


def gap(losses, expected):
    """Return how far two lists of losses are apart, step by step."""
    return np.abs(np.subtract(losses, expected)).tolist()


def record_frameworks(record, epochs=7, compared=3):
    """Train in all three from the same weights; compare the losses and the seconds."""
    keras = import_keras()
    (x, y), _ = training_images()
    first = cifar_cnn(0)
    sides, model = {}, cifar_cnn(0)
    adam = Adam(model, lr=RATE)
    sides["ours"] = lambda batches: train_ours(model, adam, batches)
    net = cifar_torch.copy_weights(first, cifar_torch.cifar_cnn())
    torch_adam = torch.optim.Adam(net.parameters(), lr=RATE)
    sides["torch"] = lambda batches: cifar_torch.train(net, torch_adam, batches)
    for name, jit in (("keras", False), ("keras, compiled", True)):
        built = keras_net(keras, first, keras.optimizers.Adam(RATE, epsilon=1e-8), jit)
        sides[name] = lambda batches, built=built: cifar_keras.train(built, batches)

    losses, cpu, wall = ({name: [] for name in sides} for _ in range(3))
    for epoch in range(epochs):
        batches = batches_of(x, y, epochs)[epoch * len(x) // BATCH_SIZE :][: len(x) // BATCH_SIZE]
        for name, train in sides.items():  # in turn: what disturbs one disturbs all
            cpu_start, wall_start = time.process_time(), time.perf_counter()
            losses[name] += train(batches)
            cpu[name].append(time.process_time() - cpu_start)
            wall[name].append(time.perf_counter() - wall_start)
            print(
                f"epoch {epoch + 1}, {name}: {cpu[name][-1]:.2f} s, loss {losses[name][-1]:.3f}",
                flush=True,
            )
    steps = compared * len(x) // BATCH_SIZE
    record["frameworks"] = {
        "images": len(x),
        "batch_size": BATCH_SIZE,
        # The first epoch pays for what is made only once.
        "seconds_per_epoch": {name: median(t[1:]) for name, t in cpu.items()},
        "first_epoch": {name: t[0] for name, t in cpu.items()},
        "wall_seconds_per_epoch": {name: median(t[1:]) for name, t in wall.items()},
        "losses": {
            name: values[:steps] for name, values in losses.items() if name != "keras, compiled"
        },
        "versions": {
            "numpy": np.__version__,
            "torch": torch.__version__,
            "keras": keras.__version__,
        },
    }
    write(record, TARGET)


class AdamAsInKeras(Adam):
    """Adam with epsilon where Keras has it, and with its corrections, whose betas are float32."""

    def step(self):
        """Make a step with another epsilon and another learning rate."""
        eps, lr, count = self.eps, self.lr, self.steps + 1
        first, second = (1 - beta**count for beta in self.betas)
        its_first, its_second = (1 - float(np.float32(beta)) ** count for beta in self.betas)
        self.eps = eps / second**0.5
        self.lr = lr * (its_second / second) ** 0.5 * first / its_first
        super().step()
        self.eps, self.lr = eps, lr


def gaps_in_double(keras, batches):
    """Return the distances from our losses in float64, where rounding hardly counts."""
    batches = [(x.astype(np.float64), labels) for x, labels in batches]
    first, expected = cifar_cnn(0).astype(np.float64), {}
    for name, optimizer in (
        ("SGD", lambda m: SGD(m, lr=0.02)),
        ("Adam", lambda m: Adam(m, lr=RATE)),
    ):
        ours = cifar_cnn(0).astype(np.float64)
        expected[name] = train_ours(ours, optimizer(ours), batches)

    def with_torch(optimizer):
        net = cifar_torch.copy_weights(first, cifar_torch.cifar_cnn().double())
        return cifar_torch.train(net, optimizer(net.parameters()), batches)

    gaps = {
        "PyTorch, SGD": gap(with_torch(lambda p: torch.optim.SGD(p, lr=0.02)), expected["SGD"]),
        "PyTorch, Adam": gap(with_torch(lambda p: torch.optim.Adam(p, lr=RATE)), expected["Adam"]),
    }
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        gaps["Keras, SGD"] = gap(
            cifar_keras.train(keras_net(keras, first, keras.optimizers.SGD(0.02)), batches),
            expected["SGD"],
        )
        for epsilon, name in ((1e-8, "Keras, Adam"), (1e-7, "Keras, Adam, its own epsilon")):
            found = cifar_keras.train(
                keras_net(keras, first, keras.optimizers.Adam(RATE, epsilon=epsilon)), batches
            )
            gaps[name] = gap(found, expected["Adam"])
        ours = cifar_cnn(0).astype(np.float64)
        gaps["Keras, Adam, and ours changed likewise"] = gap(
            train_ours(ours, AdamAsInKeras(ours, lr=RATE, eps=1e-7), batches), found
        )
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    return gaps


def record_defaults(record, epochs=3):
    """Change one setting at a time, and measure what becomes of the losses."""
    keras = import_keras()
    (x, y), _ = training_images()
    first, batches = cifar_cnn(0), batches_of(x, y, epochs)
    ours = cifar_cnn(0)
    adam = train_ours(ours, Adam(ours, lr=RATE), batches)
    ours = cifar_cnn(0)
    sgd = train_ours(ours, SGD(ours, lr=0.02), batches)

    def with_keras(optimizer, weights=first):
        return cifar_keras.train(keras_net(keras, weights, optimizer), batches)

    def with_torch(optimizer, weights=first):
        net = cifar_torch.cifar_cnn()
        if weights is not None:
            cifar_torch.copy_weights(weights, net)
        return cifar_torch.train(net, optimizer(net.parameters()), batches)

    gaps = {
        "PyTorch, SGD": gap(with_torch(lambda p: torch.optim.SGD(p, lr=0.02)), sgd),
        "Keras, SGD": gap(with_keras(keras.optimizers.SGD(0.02)), sgd),
        "PyTorch, Adam": gap(with_torch(lambda p: torch.optim.Adam(p, lr=RATE)), adam),
        "Keras, Adam": gap(with_keras(keras.optimizers.Adam(RATE, epsilon=1e-8)), adam),
    }
    order = np.random.default_rng(0).permutation(BATCH_SIZE)  # the same images in another order
    ours = cifar_cnn(0)
    gaps["ours, each mini-batch in another order"] = gap(
        train_ours(ours, Adam(ours, lr=RATE), [(a[order], b[order]) for a, b in batches]), adam
    )
    precise = gaps_in_double(keras, batches)
    for rows in (gaps, precise):
        print(
            {
                name: (f"{g[0]:.1e}", f"{max(g[:20]):.1e}", f"{max(g):.1e}")
                for name, g in rows.items()
            },
            flush=True,
        )
    starts = {"ours": [], "torch": [], "keras": []}
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        keras.utils.set_random_seed(seed)
        own = cifar_cnn(seed)
        starts["ours"].append(train_ours(own, Adam(own, lr=RATE), batches))
        starts["torch"].append(with_torch(lambda p: torch.optim.Adam(p, lr=RATE), None))
        starts["keras"].append(with_keras(keras.optimizers.Adam(RATE), None))
    step = len(x) // BATCH_SIZE
    record["defaults"] = {
        "epochs": epochs,
        "gaps": gaps,
        "gaps_in_double": precise,
        "own_weights": {
            name: {
                "first_loss": median(run[0] for run in runs),
                "first_epoch": median(float(np.mean(run[:step])) for run in runs),
                "last_epoch": median(float(np.mean(run[-step:])) for run in runs),
            }
            for name, runs in starts.items()
        },
    }
    print(record["defaults"]["own_weights"])
    write(record, TARGET)


# --- Where the time goes -------------------------------------------------------------------------


def step_seconds(x, y, jobs):
    """Return the processor time of all parts of our training, in seconds per image."""
    model, loss = cifar_cnn(0), SoftmaxCrossEntropy()
    optimizer, augment = Adam(model, lr=RATE), VARIANTS["all"]
    seconds = dict.fromkeys(
        (
            "take out",
            "augment, by batch",
            "augment, image by image",
            "to another process",
            "convolution",
            "pooling",
            "other layers",
            "loss and optimiser",
        ),
        0.0,
    )

    def added(name, function, *args):
        result, took = timed(function, *args)
        seconds[name] += took
        return result

    def kind(layer):
        return {Conv2d: "convolution", MaxPool2d: "pooling"}.get(type(layer), "other layers")

    layers = list(model.children.values())
    for job in jobs:
        rng = np.random.default_rng(job.key)
        images, labels = added("take out", lambda: (x[job.indices], y[job.indices]))
        added("augment, image by image", augment_one_by_one, images, rng)
        h = added("augment, by batch", augment, images, rng)
        h = added("to another process", lambda: pickle.loads(pickle.dumps(h, 5)))
        for layer in layers:
            h = added(kind(layer), layer.forward, h)
        added("loss and optimiser", loss, h, labels)
        dh = added("loss and optimiser", loss.backward)
        for layer in layers[:0:-1]:
            dh = added(kind(layer), layer.backward, dh)
        added("convolution", layers[0].backward, dh, False)
        added("loss and optimiser", optimizer.step)
    return {name: t / sum(len(job.indices) for job in jobs) for name, t in seconds.items()}


def record_feeding(record, repeats=8, shown=20):
    """Time the parts of a step; feed a training in several ways, and keep who worked when."""
    (x, y), _ = training_images()
    jobs = feeding.plan(len(x), BATCH_SIZE)
    step_seconds(x, y, jobs[:4])
    parts = [step_seconds(x, y, jobs) for _ in range(3)]
    parts = {name: median(p[name] for p in parts) for name in parts[0]}
    print({name: f"{1e6 * t:.1f} µs" for name, t in parts.items()}, flush=True)

    ways = {
        "image by image, in turn": lambda: feeding.in_turn(x, y, jobs, augment_one_by_one),
        "image by image, 2 workers": lambda: feeding.in_parallel(x, y, jobs, augment_one_by_one),
        "by batch, in turn": lambda: feeding.in_turn(x, y, jobs, VARIANTS["all"]),
        "by batch, 2 workers": lambda: feeding.in_parallel(x, y, jobs, VARIANTS["all"]),
        "by batch, beforehand": lambda: feeding.beforehand(x, y, jobs, VARIANTS["all"]),
        "not augmented": lambda: feeding.in_turn(x, y, jobs),
    }
    list(ways["image by image, 2 workers"]())  # starts the workers
    runs = {name: [] for name in ways}
    for _ in range(repeats):
        for name, batches in ways.items():
            model, loss = cifar_cnn(0), SoftmaxCrossEntropy()
            optimizer = Adam(model, lr=RATE)

            def step(images, labels):
                loss(model(images), labels)
                model.backward(loss.backward(), need_dx=False)
                optimizer.step()

            start = time.time()
            made = batches()
            waited = time.time() - start
            spans = feeding.watched(made, step)
            runs[name].append((time.time() - start, waited, spans, start))
    record["feeding"] = {
        "images": len(x),
        "batch_size": BATCH_SIZE,
        "seconds_per_image": parts,
        "ways": {},
    }
    for name, repeated in runs.items():
        # Other work on the machine only makes it slower: the quickest was disturbed the least.
        total, waited, spans, _ = min(repeated, key=lambda run: run[0])
        ids = {
            span.who: i
            for i, span in enumerate(
                sorted(spans, key=lambda span: (span.what == "augment", span.start))
            )
        }
        me = next(span.who for span in spans if span.what == "train")
        workers = sorted(set(ids) - {me})
        record["feeding"]["ways"][name] = {
            "seconds": total,
            "median_seconds": median(run[0] for run in repeated),
            "seconds_before": waited,
            "spans": [
                [
                    0 if s.who == me else 1 + workers.index(s.who),
                    s.what,
                    round(s.start + waited, 4),
                    round(s.end + waited, 4),
                ]
                for s in spans
                if s.end > s.start + 2e-4
            ][: 3 * shown],
        }
        print(
            f"{name}: {total:.2f} s "
            f"(median {record['feeding']['ways'][name]['median_seconds']:.2f})",
            flush=True,
        )
    write(record, TARGET)


# --- Running -------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="record this part anew")
    only = parser.parse_args().only
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    record["machine"] = machine()
    if only:
        record.pop(only, None)
    for part in PARTS:
        if part == only or (not only and (part == "curves" or part not in record)):
            globals()[f"record_{part}"](record)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
