"""Checks for a network that marks pixels, where data and training go wrong without an error.

    print(mask_values(masks))
    print(marks_something(scores > 0, masks))

Each looks for one known fault and returns a `Finding`, as those in `convbook.training.health` do.
"""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..layers.base import Layer
from ..layers.containers import Skip
from ..layers.elementwise import Sigmoid
from ..layers.pooling import AvgPool2d, MaxPool2d
from ..layers.summary import named_layers
from .batches import augmented, changes_targets
from .checks import instance
from .health import Finding, listed
from .metrics import dice


def mask_values(masks):
    """Check that masks hold 0 and 1 only, each of them somewhere.

    Parameters
    ----------
    masks : array (N, 1, H, W), or of any shape

    Returns
    -------
    Finding
    """
    _, masks = checks.numeric_arrays(masks=masks)
    values = np.unique(to_numpy(masks))
    if not len(values):
        raise ValueError(f"masks must hold at least one pixel, got shape {masks.shape}")
    shown = listed([f"{value:g}" for value in values.astype(float)])
    if not np.isin(values, (0, 1)).all():
        grey = values.min() >= 0 and values.max() == 255
        cure = "read as bytes, they become masks by > 127" if grey else "make it 0 and 1"
        return Finding(False, f"the masks hold {shown}; {cure}")
    if len(values) == 1:
        what = "everything" if values[0] else "nothing"
        return Finding(False, f"the masks hold {shown} only: {what} is marked in any of them")
    share = float(to_numpy(masks).mean(dtype=np.float64))
    return Finding(True, f"the masks hold 0 and 1, and {share:.1%} of their pixels are 1")


def marks_something(found, truth, least=0.3):
    """Check that a network does not call all pixels background, and that accuracy says so.

    Parameters
    ----------
    found, truth : array (N, 1, H, W) of bool, or of 0 and 1
        What the network marks, ``scores > 0``, and what is there.
    least : float
        Not fine if fewer pixels are marked than this share of those that should be, or if more are
        than ``1 / least`` times as many.

    Returns
    -------
    Finding
        Its sentence sets the accuracy beside Dice's coefficient.
    """
    agreement = dice(found, truth).mean()
    found, truth = to_numpy(found).astype(bool), to_numpy(truth).astype(bool)
    marked, there = float(found.mean()), float(truth.mean())
    accuracy = float((found == truth).mean())
    says = (
        f"{marked:.1%} of the pixels are marked, {there:.1%} should be; accuracy {accuracy:.3f}, "
        f"Dice {agreement:.3f}"
    )
    if there == 0:
        return Finding(marked == 0, f"{says}; there is nothing to be marked in these images")
    if marked < least * there:
        return Finding(
            False,
            f"{says}; it sees nearly nothing but background, which accuracy does not show: add a "
            "loss of areas (SoftDiceLoss), weigh the pixels, or go on with a larger learning rate",
        )
    if marked > there / least:
        return Finding(False, f"{says}; it marks far too much")
    return Finding(True, says)


def scores_not_probabilities(model, scores):
    """Check that a network ends in scores, as losses with a sigmoid or softmax of their own need.

    Parameters
    ----------
    model : Layer
    scores : array (N, K, H, W)
        What it makes of a few images.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, scores = checks.numeric_arrays(scores=scores)
    scores = to_numpy(scores)
    leaves = [(name, layer) for name, layer in named_layers(model) if not layer.children]
    if leaves and isinstance(leaves[-1][1], Sigmoid):
        return Finding(
            False,
            f"the last layer ({leaves[-1][0]}) is a Sigmoid, and BCEWithLogitsLoss and "
            "SoftDiceLoss have one of their own: two squeeze every probability into 0.5 to 0.73; "
            "take the last layer away",
        )
    low, high = float(scores.min()), float(scores.max())
    sums = scores.sum(axis=1)
    if low >= 0 and high <= 1 and scores.shape[1] > 1 and np.abs(sums - 1).max() < 1e-3:
        return Finding(False, "the scores of each pixel have the sum 1: there is a softmax already")
    if 0 < low and high < 1:
        return Finding(False, f"all scores are from {low:.2g} to {high:.2g}: is there a sigmoid?")
    return Finding(True, f"scores run from {low:.3g} to {high:.3g}")


def moved_together(augment, shape=(1, 64, 64), rng=0, count=16):
    """Check that an augmentation moves masks as it moves their images.

    A soft spot is drawn and marked in every image. After the augmentation it must be marked where
    it is.

    Parameters
    ----------
    augment : function(x, rng) or function(x, masks, rng)
        As `fit` takes it.
    shape : tuple (C, H, W)
        Of the images.
    rng : int
        Draws the spots and what is done to them.
    count : int
        How many images are tried.

    Returns
    -------
    Finding
    """
    channels, height, width = (checks.integer("shape", size, least=1) for size in shape)
    rng = checks.generator("rng", rng)
    side = min(height, width)
    rows, columns = np.mgrid[0:height, 0:width]
    centres = rng.uniform(0.35, 0.65, (count, 2, 1, 1))
    distance = np.hypot(rows - height * centres[:, 0], columns - width * centres[:, 1])
    spots = np.exp(-((distance / (side / 8)) ** 2))[:, None].astype(np.float32)
    x, masks = np.repeat(spots, channels, axis=1), (spots > 0.5).astype(np.float32)
    both = changes_targets(augment)
    new_x, new_masks = augmented(augment, both, x, masks, rng)
    brightest = new_x[:, :1].max(axis=(2, 3), keepdims=True)
    darkest = new_x[:, :1].min(axis=(2, 3), keepdims=True)
    seen = new_x[:, :1] > (brightest + darkest) / 2
    there = seen.any(axis=(1, 2, 3)) & (brightest - darkest > 0.2)[:, 0, 0, 0]
    if not there.any():
        raise ValueError("augment must leave something of the images: nothing was left of a spot")
    agreement = float(dice(seen[there], np.asarray(new_masks[there]) > 0.5).mean())
    says = f"after the augmentation, masks and images agree with Dice {agreement:.2f}"
    if agreement > 0.8:
        return Finding(True, says)
    cure = (
        "draw one matrix for both (convbook.images.augment.Together)"
        if both
        else "it is a function of (x, rng) and leaves the masks where they were: "
        "convbook.images.augment.Together moves both"
    )
    return Finding(False, f"{says}; {cure}")


def size_fits(model, height, width):
    """Check that a U-Net can halve images of a size as often as it does.

    Parameters
    ----------
    model : Layer
    height, width : int
        Of the images.

    Returns
    -------
    Finding
        Not fine if they are no multiples of 2 to the power of the number of halvings.
    """
    instance("model", model, Layer)
    sizes = [checks.integer(name, n, least=1) for name, n in (("height", height), ("width", width))]
    halving = [layer for layer in model.walk() if isinstance(layer, (MaxPool2d, AvgPool2d))]
    skips = any(isinstance(layer, Skip) for layer in model.walk())
    multiple = 2 ** len(halving)
    wrong = [size for size in sizes if size % multiple]
    says = f"the network halves {len(halving)} times, and {height} × {width}"
    if not wrong:
        return Finding(True, f"{says} are multiples of {multiple}")
    padded = " × ".join(str(size + -size % multiple) for size in sizes)
    happens = "the two halves of a Skip will not fit" if skips else "the output will be smaller"
    return Finding(
        False,
        f"{says} are no multiples of {multiple}: {happens}; pad to {padded} "
        "(convbook.models.unet.pad_to_multiple)",
    )


def nobody_in_both(train, test, x_train=None, x_test=None):
    """Check that no patient (or other source) is in the training and in the test.

    Parameters
    ----------
    train, test : sequence
        Whose each image is: names, or numbers.
    x_train, x_test : arrays (N, ...), optional
        The images themselves, of which the very same must not be in both, whatever they are called.

    Returns
    -------
    Finding
    """
    train_names, test_names = (
        list(map(str, np.asarray(to_numpy(a)).ravel())) for a in (train, test)
    )
    shared = sorted(set(train_names) & set(test_names))
    if shared:
        count = sum(name in set(shared) for name in test_names)
        return Finding(
            False,
            f"{len(shared)} of those in the test are in the training as well ({listed(shared)}), "
            f"with {count} of {len(test_names)} test images; split by patients, not by images",
        )
    if x_train is not None and x_test is not None:
        known = {row.tobytes() for row in to_numpy(x_train)}
        twice = sum(row.tobytes() in known for row in to_numpy(x_test))
        if twice:
            return Finding(
                False, f"{twice} test images are in the training as well, under another name"
            )
    return Finding(
        True, f"{len(set(train_names))} in the training, {len(set(test_names))} others in the test"
    )
