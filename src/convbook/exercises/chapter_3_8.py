"""The exercises of chapter 3-8, the U-Net."""

from __future__ import annotations

import numpy as np

from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def dice_of_each(found, truth):
    return _dice(found, truth)


def pixel_loss(scores, labels):
    return _per_pixel(scores, labels).mean()


def skip_backward(dy, a):
    past, through = np.split(dy, 2, axis=1)
    return past + a[:, None, None] * through


def test_images(patient, chosen):
    return np.isin(patient, chosen)


def padded(x, multiple):
    return _padded(x, multiple)


def _dice(found, truth, factor=2, axes=(1, 2), empty=1.0, less=0.0):
    both = (found & truth).sum(axis=axes)
    sizes = found.sum(axis=axes) + truth.sum(axis=axes) - less * both
    return np.where(sizes == 0, empty, factor * both / np.maximum(sizes, 1))


def _per_pixel(scores, labels, axis=1):
    """Return the cross entropy of each pixel, (N, H, W): the logarithm of softmax's denominator."""
    scores = scores - scores.max(axis=axis, keepdims=True)
    logs = np.log(np.exp(scores).sum(axis=axis, keepdims=True)) - scores
    return np.take_along_axis(logs, labels[:, None], axis=1)[:, 0]


def _padded(x, multiple, before=False, missing=None, mode="constant", axes=(2, 3)):
    missing = missing or (lambda size: -size % multiple)
    widths = [(0, 0)] * 4
    for axis in axes:
        more = missing(x.shape[axis])
        widths[axis] = (more, 0) if before else (0, more)
    return np.pad(x, widths, mode=mode)


def _widths(x, multiple):
    """Return how many zeros are missing on each axis, before and behind."""
    return [(0, 0), (0, 0), *((0, -size % multiple) for size in x.shape[2:])]


# --- material ------------------------------------------------------------------------------------

# 3-8.1: a U-Net of depth 2 with base 4 and three classes, on an image of 48 × 32.
SHAPES = np.array(
    [
        [4, 48, 32],  # the highest level, on the way down
        [8, 24, 16],  # the level below it
        [16, 12, 8],  # the bottom
        [8, 24, 16],  # after the first transposed convolution
        [16, 24, 16],  # after the skip has joined it
        [3, 48, 32],  # the scores
    ]
)


def _shapes(**changed):
    """Return the shapes with some rows replaced: a= to f=."""
    shapes = SHAPES.copy()
    for letter, row in changed.items():
        shapes["abcdef".index(letter)] = row
    return shapes


# 3-8.5: areas in pixels, of three slices, at end-diastole and at end-systole.
PIXEL, DISTANCE = 2.0, 10.0  # millimetres
WIDE, NARROW = np.array([450, 500, 300]), np.array([250, 160, 50])
_ML = PIXEL**2 * DISTANCE / 1000
VOLUMES = np.array([_ML * WIDE.sum(), _ML * NARROW.sum(), 1 - NARROW.sum() / WIDE.sum()])


def _volumes(factor=1.0, fraction=None):
    """Return the answers with another factor of the volumes, or another fraction."""
    found = VOLUMES * [factor, factor, 1]
    return found if fraction is None else np.array([*found[:2], fraction])


def _areas(*rows):
    return np.array(rows, bool)


_SQUARE = _areas([[1, 1, 0], [1, 1, 0], [0, 0, 0]])[0]
_SHIFTED = _areas([[0, 1, 1], [0, 1, 1], [0, 0, 0]])[0]
_NOTHING = np.zeros((3, 3), bool)
_SCATTERED = np.random.default_rng(4).random((2, 4, 4, 5)) < 0.45
_SCATTERED[:, -1, -1, -1] = True
_SCORES = np.random.default_rng(1).normal(0, 2, (2, 3, 2, 4))
_LABELS = np.random.default_rng(2).integers(0, 3, (2, 2, 4))

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-8.1": Exercise(
        title="The shapes in a U-Net",
        reference=SHAPES,
        start="the image is (1, 48, 32). The two convolutions of the highest level keep height and "
        "width, and make 4 channels of it: that is the first row.",
        praise="Down, height and width halve while channels double; up, the other way round; and "
        "the skip doubles the channels once more, because two arrays stand side by side.",
        hints=(
            "Each pooling halves height and width. Each level below has twice as many channels.",
            "The transposed convolution doubles height and width and halves the channels, so that "
            "its output has the shape of what comes past.",
            "The skip lays both side by side along the channels: 8 and 8 are 16. The two "
            "convolutions behind it make 8 of them again.",
        ),
        mistakes={
            "skip adds": (
                _shapes(e=[8, 24, 16]),
                "after the skip there are as many channels as before it. It lays two arrays side "
                "by side; that would be the sum of a residual block.",
            ),
            "channels stay": (
                [[4, h, w] for _, h, w in SHAPES[:3]]
                + [[4, 24, 16], [8, 24, 16], [3, 48, 32]],
                "the channels do not grow. Each level below has twice as many.",
            ),
            "transposed keeps channels": (
                _shapes(d=[16, 24, 16], e=[24, 24, 16]),
                "the transposed convolution keeps 16 channels. It halves them, so that its output "
                "has the shape of what comes past.",
            ),
            "one class more": (
                _shapes(f=[4, 48, 32]),
                "the scores have 4 channels. There is one for each of the three classes.",
            ),
            "one score": (
                _shapes(f=[1, 48, 32]),
                "the scores have a single channel, as for a yes or no. Here one of three classes "
                "is asked for.",
            ),
            "height and width swapped": (
                SHAPES[:, [0, 2, 1]],
                "height and width have changed places: 48 rows, 32 columns.",
            ),
            "channels last": (
                SHAPES[:, [1, 2, 0]],
                "the channels stand last, as in Keras. Here they come first: (C, H, W).",
            ),
            "too deep": (
                _shapes(c=[16, 6, 4], d=[8, 12, 8], e=[16, 12, 8]),
                "the bottom was halved three times. At depth 2 it is halved twice.",
            ),
            "padding forgotten": (
                _shapes(a=[4, 44, 28], f=[3, 44, 28]),
                "each convolution has made its image smaller, as in the original paper. Here they "
                "are padded and keep height and width.",
            ),
            "after the pooling": (
                [[4, 24, 16], [8, 12, 8], [16, 12, 8], [8, 24, 16], [16, 24, 16], [3, 48, 32]],
                "a and b are the sizes behind the pooling. The convolutions of a level come before"
                " it.",
            ),
            "bottom beside it": (
                [[4, 48, 32], [8, 24, 16], [16, 12, 8], [8, 24, 16], [24, 24, 16], [3, 48, 32]],
                "the skip lays the 8 channels of the way down beside the 8 that the transposed "
                "convolution gives, not the 16 of the bottom.",
            ),
            "as small as a level": (
                [[4, 48, 32], [8, 24, 16], [16, 12, 8], [8, 24, 16], [16, 24, 16], [3, 24, 16]],
                "the scores are as high and wide as the image: another transposed convolution "
                "comes before them.",
            ),
            "quarter": (
                [[4, 48, 32], [8, 12, 8], [16, 3, 2], [8, 12, 8], [16, 12, 8], [3, 48, 32]],
                "height and width are divided by 4 at each pooling. Each of them is halved.",
            ),
            "from one channel": (
                [[1, 48, 32], [2, 24, 16], [4, 12, 8], [2, 24, 16], [4, 24, 16], [3, 48, 32]],
                "the doubling begins with the image's one channel. It begins with the base, 4.",
            ),
        },
    ),
    "3-8.2": Exercise(
        title="Dice's coefficient of each image",
        reference=dice_of_each,
        start="found & truth is where both are. Sum it over height and width, axes 1 and 2.",
        praise="One number for each image, also where nothing is to be found: then finding nothing "
        "is right.",
        hints=(
            "Count three things for each image: the pixels in both areas, those in found, and "
            "those in truth.",
            "2 · both / (found + truth). Where both areas are empty, that is 0 / 0; the answer "
            "shall be 1.",
            "np.where(sizes == 0, 1.0, 2 * both / np.maximum(sizes, 1)) never divides by 0.",
        ),
        mistakes={
            "intersection over union": (
                lambda found, truth: _dice(found, truth, factor=1, less=1),
                "that is the intersection over the union. Dice divides twice the intersection by "
                "the sum of both areas.",
            ),
            "no factor": (
                lambda found, truth: _dice(found, truth, factor=1),
                "two equal areas give 0.5. The pixels in both count twice, once for each area.",
            ),
            "whole batch": (
                lambda found, truth: _dice(found, truth, axes=(0, 1, 2)),
                "all images were counted together. Each has a coefficient of its own.",
            ),
            "mean": (
                lambda found, truth: _dice(found, truth).mean(),
                "the mean over the images is returned. A coefficient for each image is asked for.",
            ),
            "accuracy": (
                lambda found, truth: (found == truth).mean(axis=(1, 2)),
                "that is the accuracy: the background counts as well, and hides everything else.",
            ),
            "nothing is zero": (
                lambda found, truth: _dice(found, truth, empty=0.0),
                "where nothing is to be found and nothing was found, all is right: 1.",
            ),
            "nothing is nan": (
                lambda found, truth: (
                    2 * (found & truth).sum((1, 2))
                    / np.where(s := found.sum((1, 2)) + truth.sum((1, 2)), s, np.nan)
                ),
                "two empty areas give 0 / 0. They agree, so the answer is 1.",
            ),
            "share of the truth": (
                lambda found, truth: np.where(
                    truth.sum((1, 2)) == 0,
                    1.0,
                    (found & truth).sum((1, 2)) / np.maximum(truth.sum((1, 2)), 1),
                ),
                "that is how much of the truth was found. Whoever marks everything would get 1.",
            ),
            "share of what was found": (
                lambda found, truth: np.where(
                    found.sum((1, 2)) + truth.sum((1, 2)) == 0,
                    1.0,
                    (found & truth).sum((1, 2)) / np.maximum(found.sum((1, 2)), 1),
                ),
                "that is how much of what was found is right. Whoever marks a single right pixel "
                "would get 1.",
            ),
            "twice the IoU": (
                lambda found, truth: np.where(
                    (found | truth).sum((1, 2)) == 0,
                    1.0,
                    2 * _dice(found, truth, factor=1, less=1),
                ),
                "twice the intersection is divided by the union, where pixels in both count once. "
                "Divide by the sum of both areas.",
            ),
            "of the background": (
                lambda found, truth: _dice(~found, ~truth),
                "that is the coefficient of the background.",
            ),
            "turned round": (
                lambda found, truth: 1 - _dice(found, truth),
                "that is 1 - Dice, the loss.",
            ),
            "nothing found is right": (
                lambda found, truth: np.where(found.sum((1, 2)) == 0, 1.0, _dice(found, truth)),
                "where nothing was found, but something is there, the coefficient is 0.",
            ),
            "a little added": (
                lambda found, truth: (
                    (2 * (found & truth).sum((1, 2)) + 1)
                    / (found.sum((1, 2)) + truth.sum((1, 2)) + 1)
                ),
                "a 1 is added above and below the line, which changes all coefficients. Take care "
                "of the empty areas alone.",
            ),
        },
        trials=(
            (
                "a square, and the same shifted by one",
                (np.array([_SQUARE, _SQUARE]), np.array([_SHIFTED, _SQUARE])),
            ),
            ("areas at random, four images", (_SCATTERED[0], _SCATTERED[1])),
            (
                "nothing found, nothing there, and both",
                (
                    np.array([_NOTHING, _SQUARE, _NOTHING]),
                    np.array([_SQUARE, _NOTHING, _NOTHING]),
                ),
            ),
        ),
        harmless={
            "found with the sign lost": "True and False have no sign",
            "truth with the sign lost": "True and False have no sign",
            "found with negative numbers set to 0": "True and False have no sign",
            "truth with negative numbers set to 0": "True and False have no sign",
            "result with the sign lost": "a coefficient is from 0 to 1",
            "result with negative numbers set to 0": "a coefficient is from 0 to 1",
            "result at most 1": "a coefficient is from 0 to 1",
            "found cut to integers": "True and False are whole numbers",
            "truth cut to integers": "True and False are whole numbers",
        },
    ),
    "3-8.3": Exercise(
        title="Cross entropy of pixels",
        reference=pixel_loss,
        start="softmax along axis 1, the classes: then every pixel has K probabilities.",
        praise="The same loss as for images, asked N · H · W times; softmax along the classes, the "
        "mean over all pixels.",
        hints=(
            "np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) is softmax along the "
            "classes, in each pixel for itself.",
            "np.take_along_axis(p, labels[:, None], axis=1) picks out of every pixel the "
            "probability of its true class.",
            "The loss is the mean of -np.log of those, over images, rows and columns.",
        ),
        mistakes={
            "sum over pixels": (
                lambda scores, labels: _per_pixel(scores, labels).sum(axis=(1, 2)).mean(),
                "summed over the pixels of an image, and only the images were averaged. The mean "
                "goes over all pixels.",
            ),
            "sum": (
                lambda scores, labels: _per_pixel(scores, labels).sum(),
                "the losses of all pixels were added up. Their mean is asked for.",
            ),
            "softmax over images": (
                lambda scores, labels: _per_pixel(scores, labels, axis=0).mean(),
                "softmax went along axis 0, the images. The classes lie along axis 1.",
            ),
            "softmax over rows": (
                lambda scores, labels: _per_pixel(scores, labels, axis=2).mean(),
                "softmax went along axis 2, the rows. The classes lie along axis 1.",
            ),
            "no softmax": (
                lambda scores, labels: (
                    -np.take_along_axis(scores, labels[:, None], axis=1).mean()
                ),
                "the scores themselves were taken. They become probabilities by softmax first, "
                "and then the logarithm follows.",
            ),
            "no minus": (
                lambda scores, labels: -_per_pixel(scores, labels).mean(),
                "the sign is missing: logarithms of probabilities are negative, a loss is not.",
            ),
            "log of the mean": (
                lambda scores, labels: -np.log(np.exp(-_per_pixel(scores, labels)).mean()),
                "the logarithm was taken of the mean probability. Each pixel has a loss of its "
                "own; their mean is taken last.",
            ),
            "base 2": (
                lambda scores, labels: _per_pixel(scores, labels).mean() / np.log(2),
                "that is the logarithm to base 2. The natural one, np.log, is meant.",
            ),
            "first class": (
                lambda scores, labels: _per_pixel(scores, 0 * labels).mean(),
                "the probability of class 0 was taken in every pixel, whatever its label is.",
            ),
            "divided by the classes": (
                lambda scores, labels: pixel_loss(scores, labels) / scores.shape[1],
                "the mean is over pixels and classes. It is over the pixels alone.",
            ),
            "base 10": (
                lambda scores, labels: pixel_loss(scores, labels) / np.log(10),
                "that is the logarithm to the base 10. The natural one is asked for.",
            ),
            "missing probability": (
                lambda scores, labels: (1 - np.exp(-_per_pixel(scores, labels))).mean(),
                "that is how much the probability of the right class lacks to 1, on average; the "
                "logarithm is missing.",
            ),
            "error rate": (
                lambda scores, labels: (scores.argmax(axis=1) != labels).mean(),
                "that is the share of the pixels whose class is wrong.",
            ),
            "a little added": (
                lambda scores, labels: -np.log(np.exp(-_per_pixel(scores, labels)) + 1e-3).mean(),
                "something was added to the probabilities, and the loss comes out too small. "
                "Subtracting the largest score does without.",
            ),
        },
        trials=(
            (
                "one image of 2 x 2 pixels, two classes",
                (numbers(1, 2, 2, 2) / 4, np.array([[[0, 1], [1, 1]]])),
            ),
            ("two images of 2 x 4 pixels, three classes", (_SCORES, _LABELS)),
            ("scores whose exponential overflows", (_SCORES * 500, _SCORES.argmax(axis=1))),
        ),
        harmless={
            "labels with the sign lost": "classes are not negative",
            "labels with negative numbers set to 0": "classes are not negative",
            "result with the sign lost": "a loss is not negative",
            "result with negative numbers set to 0": "a loss is not negative",
            "result kept in the type of scores": "scores are floats, and so is their loss",
            "labels cut to integers": "classes are whole numbers",
        },
    ),
    "3-8.4": Exercise(
        title="Backwards through a skip",
        reference=skip_backward,
        start="np.split(dy, 2, axis=1) are the gradient of what came past, and that of what came "
        "through the body.",
        praise="Two ways lead from x to y, so two gradients come back, and they are added; one of "
        "them has passed no layer at all.",
        hints=(
            "y = [x, a · x] along the channels: the first C channels of dy belong to x itself, the "
            "others to a · x.",
            "The way back through a product with a is a product with a. a has one number for each "
            "channel: a[:, None, None] fits (N, C, H, W).",
            "dx = past + a[:, None, None] * through.",
        ),
        mistakes={
            "only past": (
                lambda dy, a: dy[:, : len(a)].copy(),
                "only what came past was kept. The body hands back a gradient as well.",
            ),
            "only through": (
                lambda dy, a: a[:, None, None] * dy[:, len(a) :],
                "only what came through the body was kept. x itself is in y as well.",
            ),
            "halves swapped": (
                lambda dy, a: a[:, None, None] * dy[:, : len(a)] + dy[:, len(a) :],
                "the halves have changed places: x comes first in y, and the body behind it.",
            ),
            "mean": (
                lambda dy, a: (dy[:, : len(a)] + a[:, None, None] * dy[:, len(a) :]) / 2,
                "the mean of both was taken. Gradients along several ways are added.",
            ),
            "a forgotten": (
                lambda dy, a: dy[:, : len(a)] + dy[:, len(a) :],
                "the body multiplies by a, and so does its way back.",
            ),
            "divided": (
                lambda dy, a: dy[:, : len(a)] + dy[:, len(a) :] / a[:, None, None],
                "the body's way back is a product with a, not a quotient: it is the derivative of "
                "a · x, not its inverse.",
            ),
            "side by side": (
                lambda dy, a: np.concatenate(
                    [dy[:, : len(a)], a[:, None, None] * dy[:, len(a) :]], axis=1
                ),
                "both stand side by side. dx has the shape of x, so they are added.",
            ),
            "everything scaled": (
                lambda dy, a: a[:, None, None] * (dy[:, : len(a)] + dy[:, len(a) :]),
                "what came past was multiplied by a, too. Nothing happens to it on its way.",
            ),
            "every second channel": (
                lambda dy, a: dy[:, ::2] + dy[:, 1::2] * a[:, None, None],
                "every second channel is taken for X. They lie behind one another: first all of X,"
                " then all of the body.",
            ),
            "multiplied": (
                lambda dy, a: dy[:, : len(a)] * dy[:, len(a) :] * a[:, None, None],
                "what comes back along the two ways is multiplied. It is added.",
            ),
            "subtracted": (
                lambda dy, a: dy[:, : len(a)] - dy[:, len(a) :] * a[:, None, None],
                "the one way is subtracted from the other. They are added.",
            ),
            "a squared": (
                lambda dy, a: dy[:, : len(a)] + dy[:, len(a) :] * a[:, None, None] ** 2,
                "a is multiplied twice. A product with a hands back dy times a.",
            ),
            "one dy for both": (
                lambda dy, a: dy[:, : len(a)] * (1 + a[:, None, None]),
                "both ways get the gradient of the first half. The body's is the second half.",
            ),
        },
        trials=(
            ("one image, one channel, 1 x 2 pixels", (numbers(1, 2, 1, 2), np.array([3.0]))),
            ("two channels", (numbers(1, 4, 2, 2), np.array([2.0, -0.5]))),
            (
                "two images, three channels, 2 x 3",
                (numbers(2, 6, 2, 3) / 4, np.array([0.5, -1, 4])),
            ),
        ),
        harmless={"result kept in the type of a": "a holds floats, and so does dx"},
    ),
    "3-8.5": Exercise(
        title="An ejection fraction by hand",
        reference=VOLUMES,
        start="the areas at end-diastole are 450 + 500 + 300 pixels together. How large is a pixel "
        "in square millimetres?",
        praise="The pixel's size and the slices' distance have cancelled out in the fraction, but "
        "not in the volumes.",
        hints=(
            "A pixel has 2 · 2 = 4 square millimetres. A slice stands for 10 millimetres.",
            "Volume in millilitres: pixels · 4 · 10 / 1000.",
            "The ejection fraction is (wide - narrow) / wide.",
        ),
        mistakes={
            "length for area": (
                _volumes(1 / PIXEL),
                "a pixel of 2 millimetres has an area of 4 square millimetres.",
            ),
            "pixels only": (
                _volumes(1 / PIXEL**2),
                "the size of a pixel is missing: each has 4 square millimetres.",
            ),
            "no distance": (
                _volumes(1 / DISTANCE),
                "the slices' distance is missing: each stands for 10 millimetres.",
            ),
            "cubic millimetres": (
                _volumes(1000.0),
                "those are cubic millimetres. A millilitre has 1000 of them.",
            ),
            "what stays": (
                _volumes(fraction=NARROW.sum() / WIDE.sum()),
                "that is the share of the blood that stays. What is pushed out is asked for.",
            ),
            "of the narrow": (
                _volumes(fraction=(WIDE.sum() - NARROW.sum()) / NARROW.sum()),
                "the share is taken of the wide volume, not of the narrow one.",
            ),
            "mean of slices": (
                _volumes(fraction=float((1 - NARROW / WIDE).mean())),
                "that is the mean of the slices' fractions. The volumes are added first; a small "
                "slice counts less then.",
            ),
            "percent": (
                _volumes(fraction=100 * VOLUMES[2]),
                "the fraction is given in percent. As a number from 0 to 1 it is a hundredth.",
            ),
            "middle slice": (
                _volumes(fraction=float(1 - NARROW[1] / WIDE[1])),
                "that is the middle slice alone. All three belong to the volume.",
            ),
            "the other way round": (
                [18.4, 50.0, 0.632],
                "the two volumes have changed places. First end-diastole, when the heart is "
                "widest.",
            ),
            "what is pushed out": (
                [50.0, 18.4, 31.6],
                "that is the volume that is pushed out, in millilitres. The fraction is its share "
                "of the first volume.",
            ),
            "between the slices": (
                [100 / 3, 18.4 * 2 / 3, 0.632],
                "three slices, 10 mm apart, stand for 10 mm each, three times; here two were "
                "counted.",
            ),
            "negative": (
                [50.0, 18.4, -0.632],
                "the volumes of the difference have changed places: wide minus narrow.",
            ),
            "30 mm": (
                [150.0, 55.2, 0.632],
                "each slice is taken to be 30 mm thick. All three together are.",
            ),
        },
    ),
    "3-8.6": Exercise(
        title="Whose images are the test?",
        reference=test_images,
        start="patient has a number for each image. Which of them are among the chosen ones?",
        praise="All images of a patient go to the same side, however they are ordered. That is the "
        "only test that says something about patients who are still to come.",
        hints=(
            "For a single patient it would be patient == number.",
            "np.isin(patient, chosen) asks for each element whether it is one of several.",
            "The result has a True or False for each image, in the images' order.",
        ),
        mistakes={
            "by image": (
                lambda patient, chosen: np.isin(np.arange(len(patient)), chosen),
                "the chosen numbers were taken as numbers of images. They are patients, each with "
                "several images.",
            ),
            "the others": (
                lambda patient, chosen: ~np.isin(patient, chosen),
                "those are the images to learn from. The chosen patients' images are asked for.",
            ),
            "first one": (
                lambda patient, chosen: patient == chosen[0],
                "only the first of the chosen patients was looked for.",
            ),
            "last images": (
                lambda patient, chosen: np.arange(len(patient)) >= len(patient) - len(chosen),
                "the last images were taken, as many as patients are chosen. The images of a "
                "patient may lie anywhere.",
            ),
            "one of each": (
                lambda patient, chosen: np.isin(
                    np.arange(len(patient)), np.unique(patient, return_index=True)[1]
                )
                & np.isin(patient, chosen),
                "one image of each chosen patient was taken. The others of the same patient must "
                "not be learnt from, either.",
            ),
            "indices": (
                lambda patient, chosen: np.flatnonzero(np.isin(patient, chosen)),
                "those are the places of the images. A True or False for each image is asked for.",
            ),
            "everything up to": (
                lambda patient, chosen: patient <= np.max(chosen),
                "all patients up to the highest number were taken.",
            ),
            "the images themselves": (
                lambda patient, chosen: patient[np.isin(patient, chosen)],
                "those are the patients' numbers of the test images. Asked for is a True or False "
                "for each image.",
            ),
            "all of them": (
                lambda patient, chosen: (patient[:, None] == chosen).all(axis=1),
                "an image would have to be of all the chosen patients at once. One of them is "
                "enough.",
            ),
            "is each chosen there": (
                lambda patient, chosen: np.isin(chosen, patient),
                "it was asked for each chosen patient whether there are images. Ask for each image"
                " whether its patient is chosen.",
            ),
            "last one": (
                lambda patient, chosen: patient == chosen[-1],
                "only the last of the chosen patients is found.",
            ),
        },
        trials=(
            ("six images of three patients", (np.array([0, 0, 1, 1, 2, 2]), np.array([1]))),
            (
                "in any order, two patients chosen",
                (np.array([3, 7, 3, 5, 7, 7, 0, 5]), np.array([7, 0])),
            ),
            (
                "a chosen patient without images",
                (np.array([2, 2, 4, 9, 4]), np.array([4, 6, 2])),
            ),
        ),
        dtype=bool,
        harmless={
            "patient with the sign lost": "numbers of patients are not negative",
            "chosen with the sign lost": "numbers of patients are not negative",
            "patient with negative numbers set to 0": "numbers of patients are not negative",
            "chosen with negative numbers set to 0": "numbers of patients are not negative",
            "chosen reversed along axis 0": "whom one asks for first makes no difference",
            "chosen rolled along axis 0": "whom one asks for first makes no difference",
            "patient cut to integers": "numbers of patients are whole",
            "chosen cut to integers": "numbers of patients are whole",
        },
    ),
    "3-8.7": Exercise(
        title="Sizes that fit",
        reference=padded,
        start="how many rows are missing to the next multiple? For 60 and 8 it is 4, for 64 none.",
        praise="What fits already stays as it is, and what was there is found again in the upper "
        "left corner.",
        hints=(
            "60 % 8 is 4: so much is too much. What is missing is 8 - 4, but for 64 nothing is "
            "missing, and not 8.",
            "-size % multiple is what is missing; in Python the result is never negative.",
            "np.pad takes a pair for each axis: (0, 3) adds three zeros behind, and none before.",
        ),
        mistakes={
            "always more": (
                lambda x, multiple: _padded(
                    x, multiple, missing=lambda size: multiple - size % multiple
                ),
                "a size that fits already gets a whole multiple more. It should stay.",
            ),
            "remainder": (
                lambda x, multiple: _padded(x, multiple, missing=lambda size: size % multiple),
                "the remainder was added. What is missing to the next multiple is needed.",
            ),
            "in front": (
                lambda x, multiple: _padded(x, multiple, before=True),
                "the zeros stand above and on the left. They belong at the bottom and on the "
                "right.",
            ),
            "edge": (
                lambda x, multiple: _padded(x, multiple, mode="edge"),
                "the last row and column are repeated. Zeros are asked for.",
            ),
            "only height": (
                lambda x, multiple: _padded(x, multiple, axes=(2,)),
                "only the height was changed. The width must fit as well.",
            ),
            "only width": (
                lambda x, multiple: _padded(x, multiple, axes=(3,)),
                "only the width was changed. The height must fit as well.",
            ),
            "channels too": (
                lambda x, multiple: _padded(x, multiple, axes=(1, 2, 3)),
                "channels were added as well. Only height and width are halved.",
            ),
            "cut": (
                lambda x, multiple: x[
                    :, :, : x.shape[2] // multiple * multiple, : x.shape[3] // multiple * multiple
                ].copy(),
                "the image was cut to a smaller size. Whatever is at its edge would have no class.",
            ),
            "to a square": (
                lambda x, multiple: _padded(
                    x, multiple,
                    missing=lambda size: -(-max(x.shape[2:]) // multiple) * multiple - size,
                ),
                "the image was made square. Height and width need not be equal.",
            ),
            "around": (
                lambda x, multiple: np.pad(
                    x, [(more // 2, more - more // 2) for _, more in _widths(x, multiple)]
                ),
                "the zeros are shared between both sides. They belong at the bottom and on the "
                "right.",
            ),
            "ones": (
                lambda x, multiple: np.pad(x, _widths(x, multiple), constant_values=1),
                "ones are added. Zeros are asked for.",
            ),
            "height and width swapped": (
                lambda x, multiple: np.pad(
                    x, [*_widths(x, multiple)[:2], *_widths(x, multiple)[:1:-1]]
                ),
                "the rows that are missing are added as columns, and the columns as rows.",
            ),
            "as many on both": (
                lambda x, multiple: _padded(
                    x, multiple, missing=lambda size: max(-n % multiple for n in x.shape[2:])
                ),
                "both axes get as many zeros as the one that lacks more. Each gets its own.",
            ),
        },
        trials=(
            ("one image of 3 x 5, multiples of 4", (numbers(1, 1, 3, 5), 4)),
            ("two channels, and a height that fits", (numbers(1, 2, 4, 6), 4)),
            ("two images of 6 x 3, multiples of 3", (numbers(2, 1, 6, 3), 3)),
            (
                "two images of 5 x 4 with three channels, multiples of 4",
                (numbers(2, 3, 5, 4) / 4, 4),
            ),
        ),
        harmless={"result kept in the type of x": "the pixels are those of x, or 0"},
    ),
}  # fmt: skip
