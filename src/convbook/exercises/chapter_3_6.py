"""The exercises of chapter 3-6, data augmentation."""

from __future__ import annotations

import numpy as np

from ..images.affine import flip, rotation, shear, shift, transform
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def flip_some(x, chosen):
    return _flipped(x, chosen)


def cutout(x, rows, columns, size):
    return _covered(x, rows, columns, size)


def brighten(x, factors):
    return np.clip(np.rint(_multiplied(x, factors)), 0, 255).astype(np.uint8)


def normalise(train, test):
    return _normalised(test, train)


def _flipped(x, chosen, axis=3):
    y = x.copy()
    y[chosen] = np.flip(x[chosen], axis)
    return y


def _covered(x, rows, columns, size, clip=True, channels=slice(None), height=None, value=0):
    y = x.copy()
    for n, (row, column) in enumerate(zip(rows, columns)):
        rows_covered, columns_covered = (
            slice(*(max(0, end) if clip else end for end in (begin, begin + length)))
            for begin, length in ((row, height or size), (column, size))
        )
        y[n, channels, rows_covered, columns_covered] = value
    return y


def _end_not_clipped(x, rows, columns, size):
    y = x.copy()
    for n, (row, column) in enumerate(zip(rows, columns)):
        y[n, :, max(0, row) : row + size, max(0, column) : column + size] = 0
    return y


def _multiplied(x, factors):
    return x * factors[:, None, None, None]


def _normalised(x, of, axes=(0, 2, 3), power=1, ddof=0):
    mean, std = of.mean(axis=axes, keepdims=True), of.std(axis=axes, keepdims=True, ddof=ddof)
    return (x - mean) / std**power


# --- material ------------------------------------------------------------------------------------

# 3-6.1: a flip, a rotation by 90 degrees, a shift.
FLIP, QUARTER, MOVE = flip(True), np.rint(rotation(90)), shift(3, -1)
COMPOSED = MOVE @ QUARTER @ FLIP

# 3-6.4: the picture, the shear, and the pixel asked for, in row 4 and column 3.
PICTURE = np.array(
    [
        [1, 2, 3, 4, 5],
        [2, 4, 6, 8, 1],
        [9, 7, 5, 3, 1],
        [0, 3, 6, 9, 2],
        [8, 2, 6, 4, 5],
    ]
)
SLANT, ROW, COLUMN = 0.25, 4, 3
_X, _Y = COLUMN - 2, ROW - 2


def _sheared(horizontal=0.0, vertical=0.0):
    """Return the value of the pixel asked for after a shear."""
    moved = transform(PICTURE[None, None].astype(float), shear(horizontal, vertical))
    return float(moved[0, 0, ROW, COLUMN])


SOURCE = np.array([_X - SLANT * _Y, _Y, _sheared(SLANT)])

# 3-6.5: rows are data, columns are changes.
DATA = ("handwritten digits", "photographs of cars and animals", "pictures of galaxies")
CHANGES = (
    "left and right swapped",
    "above and below swapped",
    "turned by 10°",
    "turned by 180°",
    "moved by 2 pixels",
)
SUITS = np.array(
    [
        [0, 0, 1, 0, 1],
        [1, 0, 1, 0, 1],
        [1, 1, 1, 1, 1],
    ]
)


def _suits(*changed):
    """Return the table with some of its entries turned over."""
    table = SUITS.copy()
    for place in changed:
        table[place] ^= 1
    return table


# 3-6.8: microseconds for each image.
CONVOLUTION, OTHER, AUGMENTATION = 200, 100, 900
_TRAINING = CONVOLUTION + OTHER
_TOTAL = _TRAINING + AUGMENTATION
GAINS = np.array(
    [
        _TOTAL / (CONVOLUTION / 10 + OTHER + AUGMENTATION),
        _TOTAL / (_TRAINING + AUGMENTATION / 30),
        _TOTAL / max(_TRAINING, AUGMENTATION),
        _TOTAL / max(_TRAINING, AUGMENTATION / 3),
        _TOTAL / max(_TRAINING, AUGMENTATION / 9),
    ]
)


def _gains(**changed):
    """Return the gains with some entries replaced: a=, b=, c=, d=, e=."""
    gains = GAINS.copy()
    for letter, gain in changed.items():
        gains["abcde".index(letter)] = gain
    return gains


def _pictures(n, c, h, w):
    return numbers(n, c, h, w) / 2 + 0.25  # no zeros, so that a cut can be seen


_BYTES = np.array(
    [
        [[[0, 10, 101, 200, 255], [3, 77, 128, 129, 254]]],
        [[[255, 33, 47, 61, 99], [1, 2, 3, 5, 250]]],
    ],
    np.uint8,
)
_TRAIN = np.random.default_rng(0).random((6, 3, 4, 5)) * [[[[1]], [[3]], [[0.5]]]] - 0.2
_TEST = np.random.default_rng(1).random((4, 3, 4, 5)) * 2 - 0.5

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-6.1": Exercise(
        title="Three changes, one matrix",
        reference=COMPOSED,
        start="write down the three matrices. The flip is diag(-1, 1, 1). Which of them stands at "
        "the right end of the product?",
        praise="What happens first stands on the right. In this product x and y have changed "
        "places: a flip and a quarter turn are a reflection in the diagonal.",
        hints=(
            "Follow two points through the three steps: where does (1, 0) go, where (0, 1)? And "
            "where does the centre (0, 0) end up?",
            "y points down. A counterclockwise quarter turn takes a point on the right, (1, 0), "
            "up to (0, -1).",
            "The product is shift · rotation · flip. The columns of the upper left 2 x 2 block are "
            "where (1, 0) and (0, 1) go; the third column is the shift.",
        ),
        mistakes={
            "reversed": (
                FLIP @ QUARTER @ MOVE,
                "the product is the wrong way round: flip · rotation · shift would shift "
                "first. What is done first stands on the right.",
            ),
            "shift before the rotation": (
                QUARTER @ MOVE @ FLIP,
                "the shift was turned as well: it comes last, so it stands on the far left.",
            ),
            "shift first": (
                QUARTER @ FLIP @ MOVE,
                "the shift was flipped and turned as well: it comes last, so it stands "
                "on the far left.",
            ),
            "clockwise": (
                MOVE @ QUARTER.T @ FLIP,
                "that is a clockwise turn, or above and below were swapped, or the flip "
                "came after the rotation: all three give the same. The flip changes x; "
                "then what is on the right, (1, 0), goes up, to (0, -1).",
            ),
            "no flip": (MOVE @ QUARTER, "the flip is missing."),
            "no shift": (QUARTER @ FLIP, "the shift is missing: it fills the third column."),
            "shift upwards positive": (
                shift(3, 1) @ QUARTER @ FLIP,
                "the shift goes up by 1. y points down, so up is -1.",
            ),
            "added": (
                FLIP + QUARTER + MOVE,
                "the matrices were added. One after the other is a product.",
            ),
        },
    ),
    "3-6.2": Exercise(
        title="Flip some images of a batch",
        reference=flip_some,
        start="make a copy of x. Then y[chosen] are the images to be mirrored, an array of their "
        "own.",
        praise="No loop over images: a boolean index picks them, and a step of -1 reads their rows "
        "backwards.",
        hints=(
            "An image is mirrored by reading every row backwards: which axis of (N, C, H, W) is "
            "that?",
            "x[..., ::-1] is all of them mirrored. Only the chosen ones are wanted.",
            "y = x.copy(), then y[chosen] = x[chosen][..., ::-1].",
        ),
        mistakes={
            "upside down": (
                lambda x, chosen: _flipped(x, chosen, 2),
                "the images are upside down: the axis H was reversed. Left and right "
                "lie along W, the last axis.",
            ),
            "channels": (
                lambda x, chosen: _flipped(x, chosen, 1),
                "the channels were reversed, so that red became blue. Left and right lie "
                "along W, the last axis.",
            ),
            "turned": (
                lambda x, chosen: _flipped(x, chosen, (2, 3)),
                "both H and W were reversed: that turns the images by 180 degrees.",
            ),
            "order of images": (
                lambda x, chosen: _flipped(x, chosen, 0),
                "the order of the images was reversed, and with it their labels "
                "would be wrong. Mirror each image in itself.",
            ),
            "all": (
                lambda x, chosen: x[..., ::-1].copy(),
                "all images were mirrored, and not only the chosen ones.",
            ),
            "the others": (
                lambda x, chosen: _flipped(x, ~chosen),
                "exactly the wrong ones were mirrored.",
            ),
            "only the chosen": (
                lambda x, chosen: x[chosen][..., ::-1],
                "only the mirrored images are returned. The others belong to the "
                "batch as well, each in its place.",
            ),
            "none": (lambda x, chosen: x.copy(), "nothing was mirrored."),
        },
        trials=(
            (
                "four wide images with one channel",
                (_pictures(4, 1, 2, 3), np.array([True, False, True, False])),
            ),
            (
                "tall images with three channels",
                (_pictures(3, 3, 4, 2), np.array([False, False, True])),
            ),
            ("none chosen", (_pictures(2, 2, 3, 3), np.array([False, False]))),
            ("all chosen", (_pictures(2, 3, 3, 5), np.array([True, True]))),
        ),
        harmless={
            "result kept in the type of x": "the pixels are those of x",
            "chosen with the sign lost": "True and False have no sign",
        },
    ),
    "3-6.3": Exercise(
        title="Cutout",
        reference=cutout,
        start="copy x, then go through the images: y[n, :, top:bottom, left:right] = 0.",
        praise="At the edges it took care: a slice that begins or ends at a negative number would "
        "count from the other end.",
        hints=(
            "The square of image n has the rows rows[n] to rows[n] + size - 1, and likewise its "
            "columns. It covers all channels.",
            "Beyond the right and the lower edge, slices end by themselves. A negative number, "
            "however, counts from the end of the axis, at the beginning of a slice as at its end.",
            "top = max(0, rows[n]), and bottom = max(0, rows[n] + size): that of a square wholly "
            "above the image is 0, and nothing is covered.",
        ),
        mistakes={
            "negative": (
                lambda x, rows, columns, size: _covered(x, rows, columns, size, clip=False),
                "a square that begins above or left of the image is lost: a negative number in a "
                "slice counts from the end. Take max(0, ...).",
            ),
            "negative end": (
                _end_not_clipped,
                "a square that lies wholly above or left of the image covers "
                "something. Its end is negative, too, and counts from the other end: "
                "take max(0, ...) for the end as well.",
            ),
            "one channel": (
                lambda x, rows, columns, size: _covered(x, rows, columns, size, channels=0),
                "only the first channel is covered. The square hides all of them.",
            ),
            "swapped": (
                lambda x, rows, columns, size: _covered(x, columns, rows, size),
                "rows and columns have changed places.",
            ),
            "one more": (
                lambda x, rows, columns, size: _covered(x, rows, columns, size + 1),
                "the square is one pixel too large. A slice ends before its second number.",
            ),
            "one less": (
                lambda x, rows, columns, size: _covered(x, rows, columns, size - 1),
                "the square is one pixel too small. A slice ends before its second number.",
            ),
            "pushed inside": (
                lambda x, rows, columns, size: _covered(
                    x, np.maximum(rows, 0), np.maximum(columns, 0), size
                ),
                "a square that begins outside was pushed into the image. Only the part of it that "
                "lies inside is covered.",
            ),
            "same place": (
                lambda x, rows, columns, size: _covered(
                    x, 0 * rows + rows[0], 0 * columns + columns[0], size
                ),
                "all images are covered in the same place. Each has its own.",
            ),
            "ones": (
                lambda x, rows, columns, size: _covered(x, rows, columns, size, value=1),
                "the square is filled with ones. Zeros are asked for.",
            ),
            "centred": (
                lambda x, rows, columns, size: _covered(
                    x, rows - size // 2, columns - size // 2, size
                ),
                "rows and columns are taken for the centre of the square. They say where it "
                "begins, its upper left pixel.",
            ),
        },
        trials=(
            (
                "two wide images, squares inside",
                (_pictures(2, 1, 5, 8), np.array([1, 2]), np.array([4, 2]), 3),
            ),
            ("three channels", (_pictures(2, 3, 6, 7), np.array([0, 3]), np.array([3, 1]), 2)),
            (
                "over the lower and the right edge",
                (_pictures(2, 2, 5, 6), np.array([3, 1]), np.array([1, 4]), 4),
            ),
            (
                "over the upper and the left edge",
                (_pictures(3, 2, 6, 5), np.array([-2, 2, -1]), np.array([1, -1, -3]), 4),
            ),
            (
                "wholly outside, on all four sides",
                (_pictures(4, 1, 6, 5), np.array([-5, 1, 6, 2]), np.array([1, -4, 2, 7]), 3),
            ),
        ),
        harmless={
            "result kept in the type of x": "the pixels are those of x, or 0",
            "rows cut to integers": "rows are whole numbers",
            "columns cut to integers": "columns are whole numbers",
        },
    ),
    "3-6.4": Exercise(
        title="One pixel of a sheared picture",
        reference=SOURCE,
        start="row 4, column 3 of a 5 x 5 picture: how far is that from the centre, in x and in y?",
        praise="Every pixel of the result asks where it came from. That way there are no holes.",
        hints=(
            "The centre is row 2, column 2. The pixel asked for has x = 1 and y = 2.",
            "The shear takes a point (x, y) to (x + 0.25 y, y). Which point is taken to (1, 2)?",
            "x = 0.5 lies halfway between two pixels of the row y = 2, the lowest row.",
        ),
        mistakes={
            "forwards": (
                [_X + SLANT * _Y, _Y, 4.5],
                "that is where the pixel would go. Asked for is where it comes from: the "
                "inverse subtracts.",
            ),
            "counted from the corner": (
                [COLUMN - SLANT * ROW, ROW, PICTURE[4, 2]],
                "x and y are counted from the corner. They are counted "
                "from the centre, row 2, column 2.",
            ),
            "row and column": (
                SOURCE + np.array([2, 2, 0]),
                "column and row are given in place of x and y, which are counted "
                "from the centre. The value is right.",
            ),
            "vertical": (
                [_X, _Y - SLANT * _X, _sheared(0, SLANT)],
                "that is a vertical shear. The rows move to the side, so y stays.",
            ),
            "left pixel": (
                [*SOURCE[:2], PICTURE[4, 2]],
                "x = 0.5 lies between two pixels. The value of the left one alone was "
                "taken; bilinear sampling mixes both.",
            ),
            "right pixel": (
                [*SOURCE[:2], PICTURE[4, 3]],
                "x = 0.5 lies between two pixels. The value of the right one alone was "
                "taken; bilinear sampling mixes both.",
            ),
            "swapped": (
                SOURCE[[1, 0, 2]],
                "x and y have changed places: x is to the right, y down.",
            ),
            "y upwards": (
                [_X + SLANT * _Y, -_Y, 3.5],
                "y was taken upwards. It points down: row 4 has y = 2.",
            ),
        },
    ),
    "3-6.5": Exercise(
        title="Is it still from the same distribution?",
        reference=SUITS,
        start="one row for each kind of data, one column for each change; 1 if the changed picture "
        "could have come from the same source with the same label, 0 if not.",
        praise="There is no list of good augmentations, only the question, put to each set of data "
        "anew.",
        hints=(
            "For the digits, think of 2, 4 and 7 in a mirror, and of 6 and 9.",
            "A car photographed in a mirror is a car that one might have met. A car on its roof is "
            "still a car, but how often will the test set show one?",
            "A galaxy has no above and no below, and no left and right.",
        ),
        mistakes={
            "mirrored digits": (
                _suits((0, 0)),
                "a mirrored 2 or 7 is no digit that anybody writes.",
            ),
            "digits upside down": (
                _suits((0, 1)),
                "swap above and below in a 4 or a 7: nobody writes so.",
            ),
            "turned digits": (
                _suits((0, 3)),
                "turned by 180 degrees, a 6 is a 9: its label would be wrong.",
            ),
            "cars upside down": (
                _suits((1, 1)),
                "the label of a car on its roof is true, but such photographs "
                "hardly occur in the data that are to be recognised.",
            ),
            "cars turned over": (
                _suits((1, 3)),
                "turned by 180 degrees, cars drive on their roofs. Such "
                "photographs hardly occur in the data.",
            ),
            "cars upside down twice": (
                _suits((1, 1), (1, 3)),
                "cars on their roofs: their label is true, but such "
                "photographs hardly occur in the data.",
            ),
            "mirrored cars": (
                _suits((1, 0)),
                "a mirrored photograph of a car or a cat is one that might have been "
                "taken from the other side.",
            ),
            "galaxies": (
                _suits((2, 1), (2, 3)),
                "in space there is no above and below: the telescope might as well have "
                "stood on its head.",
            ),
            "small changes": (
                _suits((0, 2), (0, 4)),
                "everybody writes a little slanted and not quite in the middle.",
            ),
            "all": (
                np.ones_like(SUITS),
                "some of these changes make another digit, or a picture that does not occur.",
            ),
        },
    ),
    "3-6.6": Exercise(
        title="Brighter, without running over",
        reference=brighten,
        start="factors has shape (N,). With three new axes, factors[:, None, None, None], it "
        "multiplies each image by its own number.",
        praise="Computed in floating point, rounded, cut off at 255, and only then made bytes.",
        hints=(
            "A byte holds 0 to 255. What becomes of 200 · 1.5?",
            "uint8 times float64 gives float64, which holds 300 without trouble. Trouble begins "
            "when it is made a byte again.",
            "np.rint rounds, np.clip(…, 0, 255) cuts off, .astype(np.uint8) comes last.",
        ),
        mistakes={
            "runs over": (
                lambda x, factors: np.rint(_multiplied(x, factors)).astype(int) % 256,
                "bright pixels became dark ones: 300 as a byte is 300 - 256 = 44. Cut "
                "off at 255 before making bytes.",
            ),
            "truncated": (
                lambda x, factors: np.clip(_multiplied(x, factors), 0, 255).astype(np.uint8),
                "the numbers are cut down, not rounded: astype drops what stands behind the point.",
            ),
            "not rounded": (
                lambda x, factors: np.clip(_multiplied(x, factors), 0, 255),
                "the numbers are not whole. Bytes are.",
            ),
            "clipped at 1": (
                lambda x, factors: np.clip(_multiplied(x, factors), 0, 1),
                "it is cut off at 1. White is 255 in bytes, 1 only in floats.",
            ),
            "not clipped": (
                lambda x, factors: np.rint(_multiplied(x, factors)),
                "there are numbers above 255, which no byte holds.",
            ),
            "scaled down": (
                lambda x, factors: np.rint(
                    _multiplied(x, factors) * np.minimum(1, 255 / _multiplied(x, factors).max())
                ),
                "all pixels were made darker so that the largest fits. That takes the brightness "
                "away again; cut off what is above 255 instead.",
            ),
            "added": (
                lambda x, factors: np.clip(
                    np.rint(x + 255 * (factors - 1)[:, None, None, None]), 0, 255
                ),
                "something was added. A factor multiplies: black stays black.",
            ),
            "first factor": (
                lambda x, factors: brighten(x, 0 * factors + factors[0]),
                "all images have got the factor of the first one.",
            ),
        },
        trials=(
            ("two wide images, darker", (_BYTES, np.array([0.613, 0.787]))),
            ("brighter", (_BYTES, np.array([1.493, 1.217]))),
            ("one darker, one brighter", (_BYTES, np.array([0.311, 2.389]))),
            ("one as it was", (_BYTES, np.array([1.0, 1.373]))),
            (
                "three channels, tall",
                (
                    np.concatenate([_BYTES, 255 - _BYTES, _BYTES[..., ::-1]], axis=1).swapaxes(
                        2, 3
                    ),
                    np.array([1.103, 0.907]),
                ),
            ),
        ),
        dtype=np.uint8,
        harmless={
            "x cut to integers": "bytes are whole",
            "x with the sign lost": "bytes are not negative",
            "x with negative numbers set to 0": "bytes are not negative",
            "factors with the sign lost": "factors of brightness are not negative",
            "factors with negative numbers set to 0": "factors of brightness are not negative",
        },
    ),
    "3-6.7": Exercise(
        title="Normalise, without looking at the test data",
        reference=normalise,
        start="mean and standard deviation of each channel: over which axes of (N, C, H, W)?",
        praise="The test data are treated as any picture that is still to come: with numbers that "
        "were known before.",
        hints=(
            "The numbers come from train alone, over all its images and pixels: one mean and one "
            "standard deviation for each channel.",
            "train.mean(axis=(0, 2, 3), keepdims=True) has shape (1, C, 1, 1) and fits to test.",
            "Return (test - mean) / std.",
        ),
        mistakes={
            "test statistics": (
                lambda train, test: _normalised(test, test),
                "mean and deviation are those of the test data. A single picture "
                "that is to be recognised tomorrow has none; take those of train.",
            ),
            "both": (
                lambda train, test: _normalised(test, np.concatenate([train, test])),
                "mean and deviation are those of both together. So the test data take part in "
                "the preparation; take those of train alone.",
            ),
            "one number": (
                lambda train, test: _normalised(test, train, (0, 1, 2, 3)),
                "there is one mean for all channels. Each channel has its own.",
            ),
            "per pixel": (
                lambda train, test: _normalised(test, train, 0),
                "every pixel has a mean of its own. One for each channel is asked for, "
                "over all images and all pixels.",
            ),
            "each image": (
                lambda train, test: _normalised(test, test, (1, 2, 3)),
                "every image was normalised by itself. Asked for are the numbers of the "
                "training data.",
            ),
            "variance": (
                lambda train, test: _normalised(test, train, power=2),
                "it is divided by the variance. The standard deviation is its root.",
            ),
            "not divided": (
                lambda train, test: _normalised(test, train, power=0),
                "the mean is taken away, but nothing is divided.",
            ),
            "training data": (
                lambda train, test: _normalised(train, train),
                "those are the training data, normalised. The test data are asked for.",
            ),
            "n - 1": (
                lambda train, test: _normalised(test, train, ddof=1),
                "the variance is divided by n - 1. Take NumPy's std as it is.",
            ),
        },
        trials=(
            ("wide images with three channels", (_TRAIN, _TEST)),
            ("a single test image", (_TRAIN, _TEST[:1])),
            ("bytes", ((60 * _TRAIN + 20).astype(np.uint8), (60 * _TEST + 40).astype(np.uint8))),
            (
                "one channel, tall images",
                (_TRAIN[:4, :1].swapaxes(2, 3), _TEST[:, :1].swapaxes(2, 3)),
            ),
        ),
        harmless={
            "train reversed along axis [023]": "a mean does not depend on the order",
            "train rolled along axis [023]": "a mean does not depend on the order",
            "train with axes 0 and [23] swapped": "a mean does not depend on the order",
            "train with axes 2 and 3 swapped": "a mean does not depend on the order",
        },
    ),
    "3-6.8": Exercise(
        title="Where is the bottleneck?",
        reference=GAINS,
        start="one image takes 200 + 100 + 900 = 1200 µs as it is. What are the three parts in "
        "case a?",
        praise="The largest part decides. And once it has shrunk, another one is the bottleneck.",
        hints=(
            "How many times as fast: the old time divided by the new one.",
            "In a and b one part shrinks and the others stay: add up again.",
            "In c, d and e two things go on at the same time: the longer of them counts. Workers "
            "share the images: k of them need 900 / k µs for each.",
        ),
        mistakes={
            "fractions": (
                1 / GAINS,
                "those are the new times as fractions of the old one. How "
                "many times as fast: the other way round.",
            ),
            "factors": (
                _gains(a=10, b=30),
                "a part that becomes 10 times as fast makes the whole 10 times as fast "
                "only if there is nothing else.",
            ),
            "parts only": (
                _gains(a=_TOTAL / (_TOTAL - CONVOLUTION), b=_TOTAL / _TRAINING),
                "in a and b the part was taken away altogether. A tenth and a thirtieth "
                "of it are left.",
            ),
            "in turn": (
                _gains(c=1, d=_TOTAL / (_TRAINING + 300), e=_TOTAL / (_TRAINING + 100)),
                "training and augmentation were added up in c, d and e. They go on at the "
                "same time: the longer of the two counts.",
            ),
            "never waits": (
                _gains(c=4),
                "in c the training would have to be fed every 300 µs, but "
                "one worker needs 900 µs for an image.",
            ),
            "nine workers": (
                _gains(e=12),
                "with nine workers an image is ready every 100 µs, but the training "
                "still takes 300 µs for each.",
            ),
            "microseconds": (
                _TOTAL / GAINS,
                "those are microseconds. How many times as fast is it?",
            ),
            "shorter": (
                _gains(c=4, e=12),
                "the shorter of the two was taken. Who is ready first waits for the other.",
            ),
        },
    ),
}
