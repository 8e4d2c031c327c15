"""Checks for a network that names the class of every pixel, where it goes wrong without an error.

    print(every_class_called(y_test, found, names))
    print(as_large_as_the_image(model, (3, 60, 60)))

Each looks for one known fault and returns a `Finding`, as those in `convbook.training.health` do.
Classes are named by a list of words, background first, or by their number.
"""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..layers.base import Layer, evaluating
from ..losses import SoftmaxCrossEntropy
from .checks import instance
from .health import Finding, listed
from .metrics import class_ious, confusion_matrix


def every_class_called(labels, found, classes):
    """Check that each class that is there is called somewhere.

    Parameters
    ----------
    labels, found : array of ints, of one shape
        The true class of every pixel, and the one that the network names.
    classes : list of str, or int
        The classes' names, or how many there are.

    Returns
    -------
    Finding
        Not fine if of some class fewer than a hundredth of the pixels are found.
    """
    names, counts = names_and_counts(labels, found, classes)
    there, right = counts.sum(axis=1), np.diag(counts)
    missing = np.flatnonzero((there > 0) & (right < 0.01 * there))
    accuracy = right.sum() / counts.sum()
    if not len(missing):
        return Finding(True, f"every class that is there is found; accuracy {accuracy:.3f}")
    share = there[missing].sum() / counts.sum()
    return Finding(
        False,
        f"never found: {listed([names[k] for k in missing])}, {share:.1%} of the pixels, so that "
        f"accuracy ({accuracy:.3f}) hardly shows it; look at the IoU of each class, weigh the "
        "classes (balanced_weights), or train longer",
    )


def no_class_overdone(labels, found, classes, most=1.5):
    """Check that no class is called for far more pixels than it has.

    Parameters
    ----------
    labels, found, classes
        As in `every_class_called`.
    most : float
        Not fine if a class is called for more than so many times its pixels.

    Returns
    -------
    Finding
    """
    most = checks.number("most", most, least=1)
    names, counts = names_and_counts(labels, found, classes)
    there, called = counts.sum(axis=1), counts.sum(axis=0)
    times = called / np.maximum(there, 1)
    overdone = [k for k in np.argsort(-times) if called[k] > most * there[k]]
    if not overdone:
        return Finding(True, f"no class is called for more than {times.max():.2f} × its pixels")
    shown = [f"{names[k]} ({times[k]:.1f} ×)" if there[k] else names[k] for k in overdone]
    return Finding(
        False,
        f"called for more pixels than there are: {listed(shown)}; weights that make a class dear "
        "make it cheap to call it in vain: take their root (balanced_weights, power 0.5)",
    )


def more_than_background(labels, found, classes, least=0.5):
    """Check that a good accuracy is not that of the most frequent class alone.

    Parameters
    ----------
    labels, found, classes
        As in `every_class_called`.
    least : float
        The mIoU below which a network is looked at more closely.

    Returns
    -------
    Finding
        Its sentence sets the accuracy beside that of naming one class everywhere, and beside mIoU.
    """
    names, counts = names_and_counts(labels, found, classes)
    there = counts.sum(axis=1)
    accuracy, most = np.diag(counts).sum() / counts.sum(), there.max() / counts.sum()
    mean = float(np.nanmean(class_ious(counts)))
    says = (
        f"accuracy {accuracy:.3f}, where {names[int(there.argmax())]} everywhere would have "
        f"{most:.3f}; mIoU {mean:.3f}"
    )
    if mean < least:
        return Finding(False, f"{says}: the accuracy is that of the largest class; judge by mIoU")
    return Finding(True, says)


def unknown_left_out(labels, classes, loss):
    """Check that pixels of no known class are left out of the loss.

    Parameters
    ----------
    labels : array of ints
        As they were read; a value such as 255 stands for "unknown".
    classes : list of str, or int
    loss : SoftmaxCrossEntropy

    Returns
    -------
    Finding
    """
    instance("loss", loss, SoftmaxCrossEntropy)
    _, labels = checks.numeric_arrays(labels=to_numpy(labels))
    values, times = np.unique(labels, return_counts=True)
    outside = (values < 0) | (values >= len(names_of(classes)))
    if not outside.any():
        return Finding(True, "all pixels are of a known class")
    share = times[outside].sum() / labels.size
    says = f"{share:.1%} of the pixels hold {listed([str(value) for value in values[outside]])}"
    if outside.sum() > 1:
        return Finding(False, f"{says}: more than one value that is no class")
    (value,) = values[outside]
    if loss.ignore_index != value:
        return Finding(
            False,
            f"{says}, which is no class, and the loss does not leave it out "
            f"(ignore_index={loss.ignore_index}): SoftmaxCrossEntropy(ignore_index={value}); it "
            "must not become background, either",
        )
    return Finding(True, f"{says}, which the loss leaves out; leave it out of mIoU as well")


def as_large_as_the_image(model, shape):
    """Check that a network names a class for every pixel of an image, no more and no fewer.

    Parameters
    ----------
    model : Layer
    shape : (C, H, W)
        Of an image.

    Returns
    -------
    Finding
    """
    instance("model", model, Layer)
    _, height, width = shape = tuple(checks.integer("shape", size, least=1) for size in shape)
    try:
        with evaluating(model):
            y = model.forward(np.zeros((1, *shape), np.float32))
    except ValueError as error:
        return Finding(False, f"{height} × {width} does not go through: {error}")
    if y.ndim != 4:
        return Finding(False, f"the output has shape {y.shape}, not (N, K, {height}, {width})")
    h, w = y.shape[2:]
    says = f"{height} × {width} go in, scores for {h} × {w} come out"
    if (h, w) == (height, width):
        return Finding(True, says)
    return Finding(
        False,
        f"{says}: either the size cannot be halved as often as the network does (pad it: "
        "convbook.models.unet.pad_to_multiple), or a layer that doubles does not: a transposed "
        "convolution of stride 2 needs filter 2, filter 4 with padding 1, or filter 3 with padding "
        "1 and output padding 1",
    )


def classes_kept(before, after):
    """Check that maps of classes that were resized, turned or saved hold no class that was not.

    Parameters
    ----------
    before, after : sequence of arrays (H, W) of ints
        The maps of the same images, of any sizes.

    Returns
    -------
    Finding
    """
    if len(before) != len(after):
        raise ValueError(
            f"before and after must be maps of the same images, got {len(before)} and {len(after)}"
        )
    new, pixels, images = set(), 0, 0
    for old, changed in zip(map(to_numpy, before), map(to_numpy, after)):
        appeared = ~np.isin(changed, old)
        new |= set(np.unique(changed[appeared]).tolist())
        pixels += int(appeared.sum())
        images += bool(appeared.any())
    if not new:
        return Finding(True, "no class has appeared that was not there")
    return Finding(
        False,
        f"in {images} of {len(after)} maps there are classes that were not ("
        f"{listed([f'{value:g}' for value in sorted(new)])}, {pixels} pixels): numbers of classes "
        "were averaged; resize maps by repeating or dropping pixels (nearest neighbour)",
    )


def names_of(classes):
    """Return the names of the classes, which are their numbers if only how many is given."""
    if isinstance(classes, (list, tuple)):
        if not classes:
            raise ValueError("classes must name at least one class, got none")
        return [str(name) for name in classes]
    return [f"class {k}" for k in range(checks.integer("classes", classes, least=1))]


def names_and_counts(labels, found, classes):
    """Return the names of the classes, and the confusion matrix of all pixels."""
    names = names_of(classes)
    _, labels, found = checks.numeric_arrays(labels=to_numpy(labels), found=to_numpy(found))
    checks.shape("found", found, labels.shape)
    if not labels.size:
        raise ValueError(f"labels must hold at least one pixel, got shape {labels.shape}")
    return names, confusion_matrix(labels.reshape(-1), found.reshape(-1), len(names))
