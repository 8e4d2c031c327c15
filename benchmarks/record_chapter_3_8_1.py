"""Record what chapter 3-8-1 shows of autoencoders: anomalies, denoising, and what they cost.

    python benchmarks/record_chapter_3_8_1.py [--only endings sizes anomalies denoising …]

writes book/data/chapter_3_8_1.json (some 8 minutes on one core); among it are the weights of a
network whose code has two numbers. All is done with the 6,000 digits that come with the package.
Of those to learn from, 500 are held out for thresholds and for whatever has to be chosen; the
figures are those of the test digits. With --only, the other parts stay as they were recorded.
"""

import argparse
import json

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.datasets import mnist
from convbook.functional import conv2d
from convbook.kernels.memory import keep_memory
from convbook.layers import Conv2d, ConvTranspose2d, ReLU, Sequential, Sigmoid, Upsample
from convbook.layers.summary import Summary
from convbook.losses import BCEWithLogitsLoss, MeanSquaredError, probability
from convbook.models.autoencoder import (
    convolutional_autoencoder,
    dense_autoencoder,
    digit_autoencoder,
    digit_cleaner,
)
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import fit, predict
from convbook.training.anomalies import ink, restoration_errors
from convbook.training.metrics import auroc, psnr
from convbook.widgets.packed import packed

TARGET = DATA / "chapter_3_8_1.json"
SEEDS = (0, 1, 2)
BATCH_SIZE, HELD_OUT = 50, 500
SIZES = (2, 16, 128)  # of the code, for anomalies
SHOWN = 16  # the size that all digits are left out with, and whose scores are stored
FEW = (0, 1, 2, 8)  # the digits that are left out with the other sizes
FALSE_ALARMS = 0.05
NOISE = 0.4
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


def train(model, x, targets, epochs, lr, seed, loss=None, augment=None):
    """Train with Adam; return the processor time."""
    return timed(
        fit,
        model,
        x,
        targets,
        epochs,
        BATCH_SIZE,
        loss=MeanSquaredError() if loss is None else loss,
        optimizer=Adam(model, lr=lr),
        augment=augment,
        seed=seed,
        progress=False,
    )[1]


def split(digits):
    """Return images and labels to learn from, and those that are held out."""
    order = np.random.default_rng(0).permutation(len(digits.x_train))
    held, kept = order[:HELD_OUT], order[HELD_OUT:]
    x, y = digits.x_train, digits.y_train
    return (x[kept], y[kept]), (x[held], y[held])


# --- The end of the decoder, and the loss --------------------------------------------------------


def record_endings(digits, epochs=6):
    """Identity or sigmoid at the end, squares or cross entropy."""
    (x, _), _ = split(digits)
    record = {"epochs": epochs}
    for name, sigmoid, loss in (
        ("identity, squares", False, MeanSquaredError()),
        ("sigmoid, squares", True, MeanSquaredError()),
        ("sigmoid, cross entropy", False, BCEWithLogitsLoss()),  # has a sigmoid of its own
    ):
        rows = []
        for seed in SEEDS:
            encoder, decoder = dense_autoencoder(SHOWN, rng=seed)
            end = [*decoder[:-2], *([Sigmoid()] if sigmoid else []), *decoder[-1:]]
            model = Sequential(encoder, Sequential(*end))
            train(model, x, x, epochs, 2e-3, seed, loss)
            y = predict(model, digits.x_test)
            y = probability(y) if "entropy" in name else y
            outside = float(((y < 0) | (y > 1)).mean())
            rows.append([float(((y - digits.x_test) ** 2).mean()), outside, float(y.min())])
        record[name] = dict(zip(("error", "outside", "least"), map(list, zip(*rows))))
        print(name, record[name], flush=True)
    return record


# --- How many numbers ----------------------------------------------------------------------------


def record_sizes(digits, epochs=8, sizes=(2, 4, 8, 16, 32, 128)):
    """The error over the size of the code: networks, and principal components."""
    (x, _), _ = split(digits)
    record = {"sizes": sizes, "epochs": epochs, "dense": [], "components": []}
    for size in sizes:
        errors = []
        for seed in SEEDS:
            model = dense_autoencoder(size, rng=seed)
            train(model, x, x, epochs, 2e-3, seed)
            errors.append(float(restoration_errors(model, digits.x_test).mean()))
        record["dense"].append(errors)
        restored = projected(x, digits.x_test, size)
        record["components"].append(float(((restored - digits.x_test) ** 2).mean()))
        print(size, errors, record["components"][-1], flush=True)
    return record


def projected(x, images, size):
    """Return what `size` principal components of x leave of images: the best linear code."""
    rows, mean = x.reshape(len(x), -1), x.mean(axis=0).reshape(-1)
    axes = np.linalg.eigh((rows - mean).T @ (rows - mean))[1][:, -size:]
    codes = (images.reshape(len(images), -1) - mean) @ axes
    return (codes @ axes.T + mean).reshape(images.shape)


# --- Anomalies -----------------------------------------------------------------------------------


def record_anomalies(digits, epochs=8):
    """Leave one digit out in training, and see whether it stands out in the test."""
    (x, y), (held, held_labels) = split(digits)
    tests, labels = digits.x_test, digits.y_test
    amount = ink(tests)
    distances = pixel_distances(tests, x)
    record = {"sizes": SIZES, "epochs": epochs, "ink": amount_of_ink(digits)}
    record["dense"] = {size: {} for size in SIZES}
    record["components"] = {size: {} for size in SIZES}
    record["nearest"], record["ink alone"], shown = [], [], []
    for digit in range(10):
        known, strange = y != digit, labels == digit
        record["ink alone"].append(auroc(amount, strange))
        record["nearest"].append(auroc(distances[:, known].min(axis=1), strange))
        for size in SIZES if digit in FEW else (SHOWN,):
            left = tests - projected(x[known], tests, size)
            errors = (left**2).mean(axis=(1, 2, 3))
            record["components"][size][digit] = both(errors, amount, strange)
            runs = []
            for seed in SEEDS:
                model = dense_autoencoder(size, rng=seed)
                train(model, x[known], x[known], epochs, 2e-3, seed)
                errors = restoration_errors(model, tests)
                usual = restoration_errors(model, held[held_labels != digit])
                limit = np.quantile(usual, 1 - FALSE_ALARMS)
                runs.append(
                    both(errors, amount, strange)
                    | {
                        "known": float(errors[~strange].mean()),
                        "strange": float(errors[strange].mean()),
                        "false alarms": float((errors[~strange] > limit).mean()),
                        "found": float((errors[strange] > limit).mean()),
                    }
                )
                if size == SHOWN and seed == 0:
                    shown.append(errors)
            record["dense"][size][digit] = {key: [run[key] for run in runs] for key in runs[0]}
        areas = {k: runs[digit]["error"] for k, runs in record["dense"].items() if digit in runs}
        print(digit, areas, flush=True)
    record["scores"] = {
        "labels": labels.tolist(),
        "errors": packed(np.array(shown)),
        "ink": packed(amount),
    }
    return record


def both(errors, amount, strange):
    """Return the AUROC of the errors, and of the errors divided by the ink."""
    return {"error": auroc(errors, strange), "relative": auroc(errors / amount, strange)}


def amount_of_ink(digits):
    """Return the mean ink of each digit in the test."""
    amount = ink(digits.x_test)
    return [float(amount[digits.y_test == digit].mean()) for digit in range(10)]


def pixel_distances(a, b):
    """Return the squared distance of every image of a from every one of b."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T


# --- Denoising -----------------------------------------------------------------------------------


def noisy(x, level, rng):
    """Return images with normally distributed noise, kept between 0 and 1."""
    noise = rng.standard_normal(x.shape, np.float32)
    return np.clip(x + np.float32(level) * noise, 0, 1)


def record_denoising(digits):
    """Networks that get noisy digits and shall give clean ones, and a blur.

    Each has as many epochs as take about the time of the dense one, and the rate of all trainings
    here. With it those without linear layers and without batch normalisation end, from most seeds,
    at empty paper.
    """
    (x, _), (held, _) = split(digits)
    tests = digits.x_test
    inputs = [noisy(tests, level, np.random.default_rng(7)) for level in LEVELS]
    at = LEVELS.index(NOISE)
    record = {"noise": NOISE, "levels": LEVELS, "noisy": [psnr(i, tests) for i in inputs]}
    record["blur"] = [psnr(blurred(i, best_blur(held, level)), tests)
                      for i, level in zip(inputs, LEVELS)]  # fmt: skip
    ways = {
        "dense": (lambda seed: dense_autoencoder(32, rng=seed), 2e-3, 25),
        "convolutional": (lambda seed: convolutional_autoencoder(32, rng=seed), 2e-3, 8),
        "all convolutions": (lambda seed: digit_autoencoder(8, rng=seed), 2e-3, 8),
        "U-shaped": (lambda seed: digit_cleaner(8, rng=seed), 2e-3, 2),
        "U-shaped, not normalised": (lambda seed: digit_cleaner(8, norm=False, rng=seed), 2e-3, 2),
    }

    def with_noise(images, targets, rng):
        return noisy(images, NOISE, rng), targets

    for name, (make, lr, epochs) in ways.items():
        rows, seconds = [], []
        for seed in SEEDS:
            model = make(seed)
            seconds.append(train(model, x, x, epochs, lr, seed, augment=with_noise))
            rows.append([psnr(predict(model, i), tests) for i in inputs])
        record[name] = {
            "epochs": epochs,
            "parameters": sum(a.size for a in model.params.values()),
            "seconds": seconds,
            "psnr": rows,
        }
        print(name, [round(row[at], 2) for row in rows], np.median(seconds).round(1), flush=True)
    return record


def gaussian(sigma):
    """Return a filter (1, 1, 7, 7) that blurs."""
    weights = np.exp(-(np.arange(-3, 4) ** 2) / (2 * sigma**2))
    f = np.outer(weights, weights)
    return (f / f.sum()).astype(np.float32)[None, None]


def blurred(images, sigma):
    return conv2d(images, gaussian(sigma), padding=3)


def best_blur(images, level):
    """Return the width of the blur that cleans the held-out digits best."""
    spoiled = noisy(images, level, np.random.default_rng(8))
    return max(np.arange(0.3, 2, 0.05), key=lambda sigma: psnr(blurred(spoiled, sigma), images))


# --- Convolutional or dense ----------------------------------------------------------------------


def record_comparison(digits, epochs=8, digits_left_out=(0,)):
    """Codes of one size: what they cost, how well they restore, and digits that have moved."""
    (x, y), _ = split(digits)
    tests, labels = digits.x_test, digits.y_test
    moved = np.roll(tests, 3, axis=3)
    record = {"features": SHOWN, "epochs": epochs, "left out": digits_left_out}
    makers = {"dense": dense_autoencoder, "convolutional": convolutional_autoencoder}
    for name, make in makers.items():
        rows = []
        for seed in SEEDS:
            model = make(SHOWN, rng=seed)
            seconds = train(model, x, x, epochs, 2e-3, seed)
            rows.append(
                {
                    "seconds": seconds / epochs,
                    "error": float(restoration_errors(model, tests).mean()),
                    "learned": float(restoration_errors(model, x).mean()),
                    "moved": float(restoration_errors(model, moved).mean()),
                    "auroc": [],
                }
            )
            for digit in digits_left_out:
                model = make(SHOWN, rng=seed)
                train(model, x[y != digit], x[y != digit], epochs, 2e-3, seed)
                found = auroc(restoration_errors(model, tests), labels == digit)
                rows[-1]["auroc"].append(found)
            print(name, rows[-1], flush=True)
        costs = Summary(model, (1, 28, 28))
        record[name] = {
            "parameters": costs.parameters,
            "multiplications": costs.multiplications,
        } | {key: [row[key] for row in rows] for key in rows[0]}
    return record


# --- The checkerboard ----------------------------------------------------------------------------


def checkerboard(images):
    """Return how much of an image changes sign from pixel to pixel: the root mean square.

    The patterns are stripes across, stripes down, and a checkerboard, over all of the image.
    """
    rows, cols = (np.where(np.arange(n) % 2, -1, 1) for n in images.shape[2:])
    patterns = (rows[:, None] + 0 * cols, 0 * rows[:, None] + cols, rows[:, None] * cols)
    parts = [(images * pattern).mean(axis=(1, 2, 3)) for pattern in patterns]
    return float(np.sqrt(np.mean(np.square(parts).sum(axis=0))))


def record_checkerboard(digits, epochs=(0, 1, 5)):
    """Three ways to enlarge, before, at the beginning and at the end of training."""
    (x, _), _ = split(digits)
    ways = {
        "filter 3, stride 2": lambda c, o, rng: [
            ConvTranspose2d(c, o, 3, stride=2, padding=1, output_padding=1, rng=rng)
        ],
        "filter 4, stride 2": lambda c, o, rng: [
            ConvTranspose2d(c, o, 4, stride=2, padding=1, rng=rng)
        ],
        "upsample, then convolve": lambda c, o, rng: [
            Upsample(2), Conv2d(c, o, 3, padding=1, rng=rng)
        ],
    }  # fmt: skip
    record = {"epochs": epochs, "digits": checkerboard(digits.x_test)}
    for name, enlarge in ways.items():
        record[name] = {"pattern": [], "error": [], "seconds": []}
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            encoder, decoder = convolutional_autoencoder(SHOWN, rng=rng)
            end = [*enlarge(8, 8, rng), ReLU(), *enlarge(8, 1, rng), Sigmoid()]
            model = Sequential(encoder, Sequential(*decoder[:5], *end))
            patterns, errors, done, seconds = [], [], 0, 0.0
            for upto in epochs:
                if upto > done:
                    seconds += train(model, x, x, upto - done, 2e-3, seed)
                    done = upto
                y = predict(model, digits.x_test)
                patterns.append(checkerboard(y))
                errors.append(float(((y - digits.x_test) ** 2).mean()))
            record[name]["pattern"].append(patterns)
            record[name]["error"].append(errors)
            record[name]["seconds"].append(seconds / done)
        print(name, record[name], flush=True)
    return record


# --- Two numbers ---------------------------------------------------------------------------------


def record_plane(digits, epochs=20):
    """A code of two numbers; the weights of the seed that does best on the held-out digits."""
    (x, _), (held, _) = split(digits)
    tests = digits.x_test
    record = {"epochs": epochs, "error": [], "held out": [], "seconds": []}
    states_of = []
    for seed in SEEDS:
        model = convolutional_autoencoder(2, rng=seed)
        optimizer = Adam(model, lr=3e-3)
        steps = epochs * -(-len(x) // BATCH_SIZE)
        seconds = timed(
            fit, model, x, x, epochs, BATCH_SIZE, loss=MeanSquaredError(), optimizer=optimizer,
            schedule=CosineSchedule(optimizer, steps), seed=seed, progress=False,
        )[1]  # fmt: skip
        record["seconds"].append(seconds)
        record["error"].append(float(restoration_errors(model, tests).mean()))
        record["held out"].append(float(restoration_errors(model, held).mean()))
        states_of.append(model.state())
        print("plane", seed, record["error"][-1], round(seconds, 1), flush=True)
    best = states_of[int(np.argmin(record["held out"]))]
    record["weights"] = {name: packed(array.astype(np.float16)) for name, array in best.items()}
    record["components"] = float(((projected(x, tests, 2) - tests) ** 2).mean())
    return record


# --- Running -------------------------------------------------------------------------------------

PARTS = {
    "plane": record_plane,
    "anomalies": record_anomalies,
    "endings": record_endings,
    "denoising": record_denoising,
    "comparison": record_comparison,
    "sizes": record_sizes,
    "checkerboard": record_checkerboard,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, nargs="+")
    only = parser.parse_args().only
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    digits = mnist()
    record["machine"] = machine()
    for name, part in PARTS.items():
        if not only or name in only:
            record[name], seconds = timed(part, digits)
            print(f"{name}: {seconds:.0f} s", flush=True)
            write(record, TARGET)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
