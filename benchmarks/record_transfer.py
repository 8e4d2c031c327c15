"""Record the curves of the page on transfer: what a network learns from few images of new classes.

    python benchmarks/record_transfer.py [--only few multitask autoencoder one_shot zero_shot]

writes book/data/transfer.json (some 5 minutes on one core). All is done with the 6,000 digits that
come with the package; "seeds" draw the initial weights and which few images are taken. With --only,
the other parts stay as they were recorded.
"""

import argparse
import json

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.datasets import mnist
from convbook.images.digit import slant
from convbook.images.segments import NUMBER_SEGMENTS, SEGMENTS, number_order, two_digit_numbers
from convbook.kernels.memory import keep_memory
from convbook.layers import Linear, Sequential, SharedBody
from convbook.losses import (
    JointLoss,
    MeanSquaredError,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    probability,
)
from convbook.models.autoencoder import digit_autoencoder
from convbook.models.digits import digit_body, number_cnn
from convbook.models.siamese import siamese_body
from convbook.optimizers import Adam
from convbook.timing import timed
from convbook.training import fit, predict
from convbook.training.nearest import nearest_description, one_shot_accuracy
from convbook.training.pairs import class_batches, train_pairs

TARGET = DATA / "transfer.json"
SEEDS = (0, 1, 2)
NUMBERS = (1, 2, 5, 10, 20, 50, 100)  # images of a class
BATCH_SIZE, RATE = 50, 0.002
OLD, NEW = range(8), (8, 9)
UNSEEN = ((7, 8, 9), (0, 1, 2), (3, 4, 5))  # for one-shot learning
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))  # for zero-shot learning


def train(model, x, y, steps, lr=RATE, loss=None, seed=0):
    """Train for so many mini-batches, however few images there are; return the seconds."""
    size = min(BATCH_SIZE, len(x))
    return timed(
        fit,
        model,
        x,
        y,
        max(1, round(steps * size / len(x))),
        size,
        loss=loss,
        optimizer=Adam(model, lr=lr),
        metrics={},
        seed=seed,
        progress=False,
    )[1]


def some_of_each(labels, n, seed, classes=(*OLD, *NEW)):
    """Return the places of n images of each class."""
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels == k), n, replace=False) for k in classes]
    )


def shares(model, digits):
    """Return the accuracy on all test digits, and on those of the new classes alone."""
    right = predict(model, digits.x_test).argmax(axis=1) == digits.y_test
    return [right.mean(), right[np.isin(digits.y_test, NEW)].mean()]


# --- Two new classes -----------------------------------------------------------------------------


def record_few(digits):
    """Ten classes from n images of each, and from n of the two new ones beside all old images."""
    x, y = digits.x_train, digits.y_train
    old = np.flatnonzero(np.isin(y, OLD))
    body = digit_body(rng=0)
    first = Sequential(body, Linear(64, len(OLD), rng=1))
    train(first, x[old], y[old], steps=320)
    features, state = predict(body, x), body.state()
    chances = {
        "only few": lambda n, seed: some_of_each(y, n, seed),
        "old ones too": lambda n, seed: balanced(y, old, n, seed),
    }
    steps = {"only few": 150, "old ones too": 240}
    record = {"steps": steps, "numbers": NUMBERS}
    for chance, chosen in chances.items():
        record[chance] = runs = {way: [] for way in ("scratch", "frozen", "fine-tuned")}
        for n in NUMBERS:
            rows = [
                three_ways(digits, features, state, chosen(n, seed), steps[chance], seed)
                for seed in SEEDS
            ]
            for way in runs:
                runs[way].append(
                    {
                        key: [row[way][i] for row in rows]
                        for i, key in enumerate(("all", "new", "seconds"))
                    }
                )
            print(
                chance,
                n,
                {way: np.median(runs[way][-1]["all"]).round(3) for way in runs},
                flush=True,
            )
    return record


def balanced(y, old, n, seed):
    """Return the places of all old images, and n of each new class as often as 500 of an old one.

    Otherwise a network does well that never says 8 or 9.
    """
    few = some_of_each(y, n, seed, NEW).reshape(len(NEW), n)
    return np.concatenate([old, np.resize(few[0], 500), np.resize(few[1], 500)])


def three_ways(digits, features, state, chosen, steps, seed):
    """Return for each way the two accuracies and the seconds of training."""
    y = digits.y_train[chosen]
    x = digits.x_train[chosen]
    results = {}

    scratch = Sequential(digit_body(rng=seed), Linear(64, 10, rng=seed))
    seconds = train(scratch, x, y, steps, seed=seed)
    results["scratch"] = [*shares(scratch, digits), seconds]

    head = Linear(64, 10, rng=seed)
    seconds = train(head, features[chosen], y, steps, lr=5 * RATE, seed=seed)
    body = digit_body(rng=0)
    body.load_state(state)
    results["frozen"] = [*shares(Sequential(body, head), digits), seconds]

    # The head is ready: with one of random numbers, the first steps would spoil the features.
    both = Sequential(body, head)
    seconds += train(both, x, y, steps, lr=RATE / 4, seed=seed)
    results["fine-tuned"] = [*shares(both, digits), seconds]
    return results


# --- Two tasks -----------------------------------------------------------------------------------


def record_multitask(digits, n=1000, steps=240, weights=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)):
    """Digit and slant from one body, for several weights of the second loss, and from two."""
    mean, std = slant(digits.x_train).mean(), slant(digits.x_train).std()
    targets = (slant(digits.x_train) - mean) / std
    truth = (slant(digits.x_test) - mean) / std
    record = {"images": n, "weights": weights, "shared": [], "alone": []}
    pairs = [(1, weight) for weight in weights] + [(1, 0), (0, 1)]
    for first, second in pairs:
        rows = []
        for seed in SEEDS:
            chosen = np.random.default_rng(seed).permutation(len(targets))[:n]
            model = SharedBody(
                digit_body(rng=seed), Linear(64, 10, rng=seed), Linear(64, 1, rng=seed)
            )
            loss = JointLoss((SoftmaxCrossEntropy(), 10, first), (MeanSquaredError(), 1, second))
            train(
                model,
                digits.x_train[chosen],
                np.stack([digits.y_train, targets], axis=1)[chosen],
                steps,
                loss=loss,
                seed=seed,
            )
            scores = predict(model, digits.x_test)
            rows.append(
                [
                    (scores[:, :10].argmax(axis=1) == digits.y_test).mean(),
                    float(((scores[:, 10] - truth) ** 2).mean()),
                ]
            )
        right, error = zip(*rows)
        if first and second:
            record["shared"].append({"accuracy": right, "slant_error": error})
        elif first:
            record["alone"].append({"accuracy": right})
        else:
            record["alone"].append({"slant_error": error})
        print("multitask", first, second, np.median(rows, axis=0).round(3), flush=True)
    record["alone"] = record["alone"][0] | record["alone"][1]
    return record


# --- Features without labels ---------------------------------------------------------------------


def record_autoencoder(digits, epochs=8):
    """A linear classifier on pixels, and on what encoders make of them, over the labels."""
    record = {"epochs": epochs, "numbers": NUMBERS}
    model = digit_autoencoder(rng=0)
    encoder, _ = model
    ways = {"pixels": (digits.x_train, digits.x_test)}
    ways["random encoder, code"] = [predict(encoder, x) for x in ways["pixels"]]
    before = Sequential(*encoder[:-1])
    ways["random encoder, layer before"] = [predict(before, x) for x in ways["pixels"]]
    history, seconds = timed(
        fit,
        model,
        digits.x_train,
        digits.x_train,
        epochs,
        BATCH_SIZE,
        loss=MeanSquaredError(),
        optimizer=Adam(model, lr=0.003),
        progress=False,
    )
    record |= {"seconds": seconds, "loss": history["loss"]}
    ways["autoencoder, code"] = [predict(encoder, x) for x in ways["pixels"]]
    ways["autoencoder, layer before"] = [predict(before, x) for x in ways["pixels"]]
    record["accuracy"] = {}
    for name, (inputs, tests) in ways.items():
        inputs, tests = standardised(inputs, tests)
        record["accuracy"][name] = [
            [linear_accuracy(inputs, tests, digits, n, seed) for seed in SEEDS] for n in NUMBERS
        ]
        print(name, np.median(record["accuracy"][name], axis=1).round(3), flush=True)
    return record


def standardised(inputs, tests):
    """Return both as rows, shifted and scaled with the numbers of the first."""
    inputs, tests = (a.reshape(len(a), -1) for a in (inputs, tests))
    mean, std = inputs.mean(axis=0), inputs.std()
    return (inputs - mean) / std, (tests - mean) / std


def linear_accuracy(inputs, tests, digits, n, seed):
    """Return the test accuracy of one linear layer that has seen n labels of each class."""
    chosen = some_of_each(digits.y_train, n, seed)
    head = Linear(inputs.shape[1], 10, rng=seed)
    head.params["w"][...] = 0  # what no label speaks of shall count nothing
    train(head, inputs[chosen], digits.y_train[chosen], steps=200, lr=0.01, seed=seed)
    return (predict(head, tests).argmax(axis=1) == digits.y_test).mean()


# --- One image -----------------------------------------------------------------------------------


def record_one_shot(digits, steps=200, shots=(1, 2, 5, 10)):
    """Digits never seen: nearest reference in pixels, a classifier's features, Siamese ones."""
    record = {"steps": steps, "shots": shots, "unseen": UNSEEN, "accuracy": {}}
    for unseen in UNSEEN:
        seen = ~np.isin(digits.y_train, unseen)
        asked = np.isin(digits.y_test, unseen)
        x, labels = digits.x_train[seen], digits.y_train[seen]
        tests, truth = digits.x_test[asked], digits.y_test[asked]
        features = {"pixels": [tests], "classifier": [], "Siamese": [], "untrained": []}
        for seed in SEEDS:
            model = siamese_body(rng=seed)
            features["untrained"].append(predict(model, tests))
            train_pairs(model, x, labels, steps, seed=seed)
            features["Siamese"].append(predict(model, tests))

            # The same network and the same mini-batches, but with a head that names the classes.
            body = siamese_body(rng=seed)
            named = np.unique(labels, return_inverse=True)[1]
            model = Sequential(*body[:-1], Linear(64, named.max() + 1, rng=seed))
            loss, optimizer = SoftmaxCrossEntropy(), Adam(model)
            for batch in class_batches(labels, steps, seed=seed):
                loss(model(x[batch]), named[batch])
                model.backward(loss.backward(), need_dx=False)
                optimizer.step()
            features["classifier"].append(predict(body, tests))
        for way, networks in features.items():
            record["accuracy"].setdefault(way, []).append(
                [[one_shot_accuracy(f, truth, n, draws=100) for f in networks] for n in shots]
            )
            print(unseen, way, np.median(record["accuracy"][way][-1], axis=1).round(3), flush=True)
    return record


# --- No image ------------------------------------------------------------------------------------


def record_zero_shot(digits, steps=180, seen=(10, 20, 30, 40, 50, 60, 80)):
    """Classes that are known by the segments of a display alone: digits, and two-digit numbers."""
    pairs = [[unseen_pair(digits, pair, steps, seed) for seed in SEEDS] for pair in PAIRS]
    print("pairs", np.median(pairs, axis=1).round(3), flush=True)
    rows = [[unseen_numbers(digits, count, seed) for seed in SEEDS] for count in seen]
    names = ("unseen", "all", "segments")
    record = {name: [[run[i] for run in row] for row in rows] for i, name in enumerate(names)}
    print("numbers", np.median(rows, axis=1).round(3), flush=True)
    return {"pairs": PAIRS, "pair_accuracy": pairs, "seen": seen, "left": 100 - max(seen), **record}


def unseen_pair(digits, pair, steps, seed):
    """Train on eight digits; return how well the other two are told apart."""
    known, asked = ~np.isin(digits.y_train, pair), np.isin(digits.y_test, pair)
    model = Sequential(digit_body(rng=seed), Linear(64, SEGMENTS.shape[1], rng=seed))
    train(
        model,
        digits.x_train[known],
        SEGMENTS[digits.y_train[known]],
        steps,
        loss=SigmoidCrossEntropy(),
        seed=seed,
    )
    answers = probability(predict(model, digits.x_test[asked]))
    return (nearest_description(answers, SEGMENTS, pair) == digits.y_test[asked]).mean()


def unseen_numbers(digits, count, seed, n=4000, steps=320, tests=1000):
    """Train on so many two-digit numbers; test on the last twenty of the order."""
    rng = np.random.default_rng(seed)
    order = number_order(rng)
    unseen = order[80:]
    x, labels = two_digit_numbers(digits.x_train, digits.y_train, order[:count], n, rng)
    model = number_cnn(rng=seed)
    train(model, x, NUMBER_SEGMENTS[labels], steps, loss=SigmoidCrossEntropy(), seed=seed)
    x, labels = two_digit_numbers(digits.x_test, digits.y_test, unseen, tests, rng)
    answers = probability(predict(model, x))
    return [
        (nearest_description(answers, NUMBER_SEGMENTS, classes) == labels).mean()
        for classes in (unseen, range(100))
    ] + [((answers > 0.5) == NUMBER_SEGMENTS[labels]).mean()]


# --- Running -------------------------------------------------------------------------------------

PARTS = {
    "few": record_few,
    "multitask": record_multitask,
    "autoencoder": record_autoencoder,
    "one_shot": record_one_shot,
    "zero_shot": record_zero_shot,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, nargs="+")
    only = parser.parse_args().only
    keep_memory()
    record = json.loads(TARGET.read_text(encoding="utf-8")) if only and TARGET.exists() else {}
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
