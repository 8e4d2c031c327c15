"""One figure of each kind, for the tests that look at all of them."""

import numpy as np

from convbook import functional as F, widgets
from convbook.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from convbook.models.autoencoder import convolutional_autoencoder
from convbook.models.gan import conditional_discriminator, conditional_generator
from convbook.models.pix2pix import patch_discriminator, picture_generator
from convbook.models.unet import unet


def small_model(rng=0):
    """A network that is made in no time."""
    return Sequential(
        Conv2d(1, 2, 5, rng=rng), ReLU(), MaxPool2d(4), Flatten(), Linear(72, 10, rng=rng)
    )


def training_arrays(seed=0, t=4, n=3, oc=4, c=1, k=5, epochs=None):
    """Arguments of a TrainingExplorer, drawn at random: filters, two layers, one of them signed."""
    rng = np.random.default_rng(seed)
    probabilities = rng.random((t, n, k))
    epochs = list(range(t)) if epochs is None else epochs
    return {
        "filters": rng.normal(size=(t, oc, c, 3, 4)),
        "images": rng.random((n, c, 7, 6)),
        "labels": rng.integers(0, k, n),
        "maps": {
            "ReLU": np.maximum(0, rng.normal(size=(t, n, 5, 6, 4))),
            "convolution": rng.normal(size=(t, n, 10, 3, 3)),
        },
        "probabilities": probabilities / probabilities.sum(axis=2, keepdims=True),
        "epochs": epochs,
        "history": {
            "loss": rng.random(epochs[-1]).tolist(),
            "val_loss": rng.random(epochs[-1]).tolist(),
            "accuracy": rng.random(epochs[-1]).tolist(),
            "seconds": rng.random(epochs[-1]).tolist(),
        },
        "before": {"val_loss": 2.5},
    }


def confusion_arrays(seed=0, n=120, c=1, k=5):
    """Arguments of a ConfusionExplorer, drawn at random: about two in three are right."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k)) + 2 * np.eye(k)[labels]
    # Blocks of one brightness survive JPEG, so that each picture is known again.
    images = np.repeat(np.repeat(rng.random((n, c, 2, 2)), 8, axis=2), 8, axis=3)
    return {
        "labels": labels,
        "predictions": scores.argmax(axis=1),
        "images": images,
        "probabilities": F.softmax(scores),
    }


def one_shot_arrays(seed=0, classes=(7, 8, 9), each=4, features=5, size=(6, 5)):
    """Arguments of an OneShotExplorer, drawn at random."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(classes, each))
    return {
        "images": rng.integers(0, 256, (len(labels), 1, *size)) / 255,
        "labels": labels,
        "features": rng.normal(size=(len(labels), features)),
    }


def code_arguments(seed=0, n=40):
    """Arguments of a CodeExplorer: an untrained network and pictures with blots."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 28, 28))
    for image in images:
        row, col = rng.integers(3, 16, 2)
        image[row : row + 9, col : col + 7] = rng.random()
    return {
        "model": convolutional_autoencoder(2, rng=seed),
        "images": images,
        "labels": np.arange(n) % 10,
    }


def anomaly_arrays(seed=0, n=60, k=5):
    """Arguments of an AnomalyExplorer, drawn at random: the class left out lies higher."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % k)
    higher = labels == np.arange(k)[:, None]
    return {
        "errors": rng.gamma(3, 0.01, (k, n)) * (1 + higher * rng.random((k, 1))),
        "ink": 0.05 + rng.random(n) / 8,
        "labels": labels,
    }


def small_unet(rng=0, skips=True):
    """A U-Net for three classes with statistics of its own, made in no time."""
    return with_statistics(unet(1, 3, base=2, depth=2, rng=rng, skips=skips), rng)


def forge_networks(seed=0, noise=5, channels=3):
    """Arguments of a DigitForge: networks whose batch normalisation has seen some noise."""
    generator = conditional_generator(noise, channels, rng=seed)
    rng = np.random.default_rng(seed)
    for layer in generator.walk():
        for name, array in layer.buffers.items():
            array[...] = rng.uniform(0.5, 1.5, array.shape) - (name == "running_mean")
    return {
        "generator": generator,
        "discriminator": conditional_discriminator(channels, rng=seed),
    }


def with_statistics(model, rng=0):
    """Return a network whose batch normalisation has statistics of its own."""
    rng = np.random.default_rng(rng)
    for layer in model.walk():
        for name, array in layer.buffers.items() if not layer.children else ():
            low, high = (0.3, 2) if name == "running_var" else (-0.3, 0.3)
            array[...] = rng.uniform(low, high, array.shape)
    return model


def colour_arguments(seed=0, photographs=3, weights=(8, 30, 100), bits=8):
    """Arguments of a ColourExplorer: small untrained networks and pictures of blocks."""
    rng = np.random.default_rng(seed)
    networks = [
        with_statistics(picture_generator(base=2, depth=1, rng=seed + i), seed + i)
        for i in range(1 + len(weights))
    ]
    return {
        "alone": networks[0],
        "generators": dict(zip(weights, networks[1:])),
        "discriminator": patch_discriminator(channels=3, rng=seed),
        "photographs": np.repeat(
            np.repeat(rng.integers(0, 256, (photographs, 3, 8, 8), np.uint8), 4, 2), 4, 3
        ),
        "bits": bits,
    }


PLAYGROUND = {"model": small_model(), "examples": ([np.eye(28)], [1])}
TRAINING = training_arrays()
CODE = code_arguments()
COLOURS = colour_arguments()
ANOMALIES = anomaly_arrays()
CONFUSION = confusion_arrays()
ONE_SHOT = one_shot_arrays()
FORGE = forge_networks()
ARGUMENTS = {
    "AnomalyExplorer": ANOMALIES,
    "AnswerGrid": {"answer": [[1, 2], [3, 4]]},
    "CodeExplorer": CODE,
    "ColourExplorer": COLOURS,
    "ConfusionExplorer": CONFUSION,
    "DigitForge": FORGE,
    "DigitPlayground": PLAYGROUND,
    "HeartExplorer": {"model": small_unet(), "without": small_unet(skips=False)},
    "OneShotExplorer": ONE_SHOT,
    "TrainingExplorer": TRAINING,
}
ALL = [getattr(widgets, name) for name in widgets.__all__]


def make(cls, **more):
    """Return a figure of a class, with the arguments that it needs."""
    return cls(**ARGUMENTS.get(cls.__name__, {}), **more)
