"""The exercises of chapter 3-10-2: FCN, SegNet, and how well classes of pixels are found."""

from __future__ import annotations

import numpy as np

from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def unpool(y, indices, height, width):
    return _unpooled(y, indices, height, width)


def mean_iou(labels, found, classes):
    ious = _ious(labels, found, classes)
    return ious.sum() / max(1, len(ious))


def dense_everywhere(x, u, b):
    return _dense(x, u) + b[:, None, None]


def _unpooled(y, indices, height, width, fill=0, place=None, add=False):
    n, c, oh, ow = y.shape
    x = np.full((n, c, height, width), fill, y.dtype)
    for i, k, row, column in np.ndindex(y.shape):
        where = indices[i, k, row, column]
        where = divmod(where, width) if place is None else place(where, row, column)
        if 0 <= where[0] < height and 0 <= where[1] < width:
            x[(i, k, *where)] = x[(i, k, *where)] * add + y[i, k, row, column]
    return x


def _to_all(y, indices, height, width):
    """Write the numbers of each channel into all of them."""
    x = np.zeros((*y.shape[:2], height * width), y.dtype)
    for i, k in np.ndindex(y.shape[:2]):
        x[:, :, indices[i, k].ravel()] = y[i, k].ravel()
    return x.reshape(*y.shape[:2], height, width)


def _in_one_row(y, indices, height, width):
    """Take positions for those in all images and channels together."""
    x = np.zeros(y.shape[0] * y.shape[1] * height * width, y.dtype)
    x[indices.ravel()] = y.ravel()
    return x.reshape(*y.shape[:2], height, width)


def _last_alone(y, indices, height, width):
    """Forget all numbers but the last one."""
    x = np.zeros((*y.shape[:2], height, width), y.dtype)
    x[(-1, -1, *divmod(indices.flat[-1], width))] = y.flat[-1]
    return x


def _ious(labels, found, classes, among=None, below=None):
    """Return the IoU of each class that occurs; `among` says what counts as occurring."""
    values = []
    for k in range(classes):
        a, b = labels == k, found == k
        both, either = (a & b).sum(), (a | b).sum()
        if (either if among is None else among(a, b)) or among is True:
            values.append(both / max(1, either if below is None else below(a, b)))
    return np.array(values, float)


def _mean_of(values):
    return float(np.mean(values)) if values else 0.0


def _dense(x, u):
    n, c, h, w = x.shape
    y = u @ x.reshape(n, c, h * w)
    return y.reshape(n, len(u), h, w)


def _softmax(scores):
    parts = np.exp(scores)
    return parts / parts.sum(axis=1, keepdims=True)


# --- material ------------------------------------------------------------------------------------

# 3-10-2.1: the page's FCN, with 16 channels on its first level and 5 classes, on 96 × 160.
SIZES = np.array(
    [
        [16, 48, 80],  # after the first pooling
        [32, 24, 40],  # after the second
        [64, 12, 20],  # after the third
        [5, 12, 20],  # the scores, from 96 channels
        [5, 24, 40],  # doubled once
        [5, 96, 160],  # at the end
    ]
)


def _sizes(**changed):
    """Return the sizes with some rows replaced: a= to f=."""
    sizes = SIZES.copy()
    for letter, row in changed.items():
        sizes["abcdef".index(letter)] = row
    return sizes


# 3-10-2.2: a pooling of 2 × 2 on 64 channels of 120 × 160.
NUMBERS = 64 * 60 * 80  # that come out of it
BYTES = np.array([4 * NUMBERS, 4 * 4 * NUMBERS, 4 * NUMBERS, NUMBERS // 4])

# 3-10-2.3: how many pixels there are of each of three classes.
PIXELS = np.array([640, 160, 40])
BALANCED = np.median(PIXELS) / PIXELS
WEIGHTS = np.array([BALANCED, np.sqrt(BALANCED)])

# 3-10-2.4: rows are the true classes, columns the called ones.
COUNTS = np.array([[75, 5, 10], [10, 10, 0], [0, 0, 10]])
_RIGHT, _THERE, _CALLED = np.diag(COUNTS), COUNTS.sum(axis=1), COUNTS.sum(axis=0)


def _with_mean(ious):
    return np.array([*ious, np.mean(ious)])


OVERLAPS = _with_mean(_RIGHT / (_THERE + _CALLED - _RIGHT))

_RNG = np.random.default_rng(3)
_LABELS = _RNG.choice(4, (2, 4, 6), p=(0.5, 0.3, 0.1, 0.1))
_FOUND = np.where(_RNG.random(_LABELS.shape) < 0.7, _LABELS, _RNG.integers(0, 4, _LABELS.shape))

# 3-10-2.5: positions in windows of 2 × 2, of two images with two channels.
_Y = 1 + np.abs(numbers(2, 2, 2, 3))
_WITHIN = numbers(2, 2, 2, 3) % 4
_ROWS = 2 * np.arange(2)[:, None] + _WITHIN // 2
_COLUMNS = 2 * np.arange(3) + _WITHIN % 2
_PLACES = 6 * _ROWS + _COLUMNS

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-10-2.1": Exercise(
        title="The sizes in an FCN",
        reference=SIZES,
        start="the first convolution makes 16 channels of the picture, and the pooling behind it "
        "halves height and width: (16, 48, 80).",
        praise="The body makes the picture smaller and the channels more, as a classifier's does; "
        "from the scores on there is one channel for each class, and only the size grows.",
        hints=(
            "Each level pools once and has twice as many channels as the one above it.",
            "The convolution of 1 × 1 changes the channels and nothing else: one for each class.",
            "Three poolings have made an eighth of the size, so three doublings are needed.",
        ),
        mistakes={
            "height and width swapped": (
                SIZES[:, [0, 2, 1]],
                "height and width have changed places: 96 rows, 160 columns.",
            ),
            "channels stay": (
                _sizes(b=[16, 24, 40], c=[16, 12, 20]),
                "the channels do not grow. Each level has twice as many as the one above it.",
            ),
            "features for scores": (
                _sizes(d=[96, 12, 20]),
                "those are still the features. The convolution of 1 × 1 makes of them one score "
                "for each class.",
            ),
            "one score for the picture": (
                _sizes(d=[5, 1, 1]),
                "that would be a classifier: five scores for the whole picture. An FCN has them at "
                "every place that the last pooling has left.",
            ),
            "doubling halves the channels": (
                _sizes(e=[2, 24, 40], f=[5, 96, 160]),
                "the doubling was taken for one of a U-Net, which halves the channels. Here they "
                "are scores, one for each class, before and after it.",
            ),
            "one doubling": (
                _sizes(f=[5, 24, 40]),
                "the scores are as large as after one doubling. Three poolings need three of them.",
            ),
            "classes without background": (
                _sizes(d=[4, 12, 20], e=[4, 24, 40], f=[4, 96, 160]),
                "background is a class as well: there are five scores.",
            ),
            "sizes quartered": (
                _sizes(b=[32, 12, 20], c=[64, 3, 5], d=[5, 3, 5], e=[5, 6, 10]),
                "height and width were quartered by one pooling. A window of 2 × 2 halves each of "
                "them; the number of pixels becomes a quarter.",
            ),
            "padding forgotten": (
                _sizes(a=[16, 47, 79]),
                "the convolution has made its picture smaller. Here all are padded and keep height "
                "and width.",
            ),
            "before the pooling": (
                _sizes(a=[16, 96, 160], b=[32, 48, 80], c=[64, 24, 40]),
                "those are the sizes before each pooling. Asked are the ones after it.",
            ),
            "colours for channels": (
                _sizes(a=[3, 48, 80], b=[16, 24, 40], c=[32, 12, 20]),
                "the channels are those that go into each convolution. What comes out of the first "
                "level has 16.",
            ),
            "four times the channels": (
                _sizes(b=[64, 24, 40], c=[256, 12, 20]),
                "the channels grow fourfold. Each level has twice as many as the one above it.",
            ),
            "as many more": (
                _sizes(c=[48, 12, 20]),
                "16 channels were added each time. Each level has twice as many as the one above "
                "it.",
            ),
            "features doubled": (
                _sizes(d=[96, 12, 20], e=[96, 24, 40]),
                "the features were doubled, and scores come at the end alone. In this FCN the "
                "convolution of 1 × 1 comes first, and scores are what is doubled.",
            ),
            "pooled once more": (
                _sizes(d=[5, 6, 10], e=[5, 12, 20], f=[5, 48, 80]),
                "height and width were halved once more for the scores. A convolution of 1 × 1 "
                "leaves them as they are.",
            ),
            "all at once": (
                _sizes(e=[5, 96, 160]),
                "after one doubling the scores are not yet as large as the picture. Three "
                "poolings need three of them.",
            ),
            "a picture of three colours": (
                _sizes(f=[3, 96, 160]),
                "at the end there are not the three colours of a picture. There is a score for "
                "each class.",
            ),
            "one class for each pixel": (
                _sizes(f=[1, 96, 160]),
                "that would be the class of each pixel, found by argmax. The network itself says a "
                "score for each class.",
            ),
            "maps laid beside each other": (
                _sizes(e=[10, 24, 40]),
                "the scores from the side were laid beside the others, as in a U-Net. The FCN adds "
                "them.",
            ),
            "channels last": (
                SIZES[:, [1, 2, 0]],
                "the channels stand last. In this book they come first: (C, H, W).",
            ),
            "picture of the page": (
                [[16, 32, 32], [32, 16, 16], [64, 8, 8], [5, 8, 8], [5, 16, 16], [5, 64, 64]],
                "those are the sizes for the pictures of the page, 64 × 64. Here it is 96 × 160.",
            ),
        },
    ),
    "3-10-2.2": Exercise(
        title="Bytes that are handed on",
        reference=BYTES,
        start="the pooling makes 64 channels of 60 × 80. How many numbers are that?",
        praise="A position as an int32 is as large as the number that it belongs to: what makes "
        "SegNet's decoder cheap is that two bits are enough.",
        hints=(
            "A float32 and an int32 have four bytes each.",
            "The U-Net hands on the map that it had before the pooling, of 120 × 160.",
            "There are four places in a window, which two bits tell apart; eight bits are a byte.",
        ),
        mistakes={
            "bits for bytes": (
                [*BYTES[:3], 2 * NUMBERS],
                "those are two for each window, but bits. Eight of them are a byte.",
            ),
            "numbers for bytes": (
                [NUMBERS, 4 * NUMBERS, NUMBERS, BYTES[3]],
                "those are numbers. Each of them, as a float32 or an int32, has four bytes.",
            ),
            "a byte a place": (
                [*BYTES[:3], NUMBERS],
                "that is a byte for each window. Two bits are enough for one of four places.",
            ),
            "one bit": (
                [*BYTES[:3], NUMBERS // 8],
                "one bit tells two places apart. A window has four.",
            ),
            "four bits": (
                [*BYTES[:3], NUMBERS // 2],
                "four bits would tell sixteen places apart. A window has four.",
            ),
            "pooled for the U-Net": (
                [BYTES[0], BYTES[0], *BYTES[2:]],
                "the U-Net hands on what it had before the pooling, four times as many numbers.",
            ),
            "all before the pooling": (
                4 * BYTES,
                "everything was counted for 120 × 160. What FCN and SegNet hand on has a number or "
                "a position for each window.",
            ),
            "one channel": (
                BYTES / 64,
                "that is one channel. There are 64, each with maxima of its own.",
            ),
            "doubles": (
                [*(2 * BYTES[:3]), BYTES[3]],
                "eight bytes were taken for a number. A float32 and an int32 have four.",
            ),
            "positions before the pooling": (
                [*BYTES[:2], 4 * BYTES[2], BYTES[3]],
                "a position was counted for each number before the pooling. There is one for each "
                "window.",
            ),
            "row and column": (
                [*BYTES[:2], 2 * BYTES[2], BYTES[3]],
                "row and column were counted as two numbers. A position is one, row times width "
                "plus column.",
            ),
            "map and positions": (
                [*BYTES[:2], BYTES[0] + BYTES[2], BYTES[0] + BYTES[3]],
                "the map was counted beside its positions. A SegNet hands on the positions alone.",
            ),
            "both maps": (
                [BYTES[0], BYTES[0] + BYTES[1], *BYTES[2:]],
                "the map after the pooling was counted as well. A U-Net hands on the one before "
                "it.",
            ),
            "before and after": (
                [BYTES[1], BYTES[0], *BYTES[2:]],
                "FCN and U-Net have changed places: the FCN hands on what is behind the pooling.",
            ),
            "halved in one direction": (
                [2 * BYTES[0], BYTES[1], 2 * BYTES[2], 2 * BYTES[3]],
                "only one of the two directions was halved. A window of 2 × 2 halves height and "
                "width, so a quarter of the numbers is left.",
            ),
            "quartered twice": (
                [BYTES[0] // 4, BYTES[1], BYTES[2] // 4, BYTES[3] // 4],
                "what is left is a quarter of a quarter. 120 × 160 becomes 60 × 80.",
            ),
            "in bits": (
                8 * BYTES,
                "those are bits. Eight of them are a byte.",
            ),
            "kilobytes": (
                BYTES / 1000,
                "those are kilobytes. Give the number of bytes.",
            ),
            "kibibytes": (
                BYTES / 1024,
                "those are units of 1024 bytes. Give the number of bytes.",
            ),
        },
    ),
    "3-10-2.3": Exercise(
        title="Class weights by hand",
        reference=WEIGHTS,
        start="sort the three numbers of pixels. Which one stands in the middle?",
        praise="The class in the middle keeps the weight 1; the root pulls all others halfway "
        "towards it.",
        hints=(
            "The class in the middle has 160 pixels: that is the median.",
            "A weight is the median divided by the class's own number of pixels: a rare class gets "
            "a large one.",
            "For the second row, take the square root of each number of the first.",
        ),
        mistakes={
            "upside down": (
                [1 / BALANCED, np.sqrt(1 / BALANCED)],
                "the fraction stands on its head: the most frequent class has got the largest "
                "weight.",
            ),
            "mean": (
                [PIXELS.mean() / PIXELS, np.sqrt(PIXELS.mean() / PIXELS)],
                "the mean was taken. The median is the number in the middle.",
            ),
            "shares": (
                [PIXELS / PIXELS.sum(), np.sqrt(PIXELS / PIXELS.sum())],
                "those are the classes' shares of the pixels. The weights go the other way.",
            ),
            "inverse shares": (
                [PIXELS.sum() / PIXELS, np.sqrt(PIXELS.sum() / PIXELS)],
                "that is one over each share. The median belongs above the fraction, so that the "
                "class in the middle has weight 1.",
            ),
            "largest": (
                [PIXELS.max() / PIXELS, np.sqrt(PIXELS.max() / PIXELS)],
                "the largest class was put above the fraction. It is the median that belongs "
                "there.",
            ),
            "half for the root": (
                [BALANCED, BALANCED / 2],
                "the second row is half of the first. The square root is asked for.",
            ),
            "rows swapped": (
                WEIGHTS[::-1],
                "the rows have changed places: the full weights first, and then their roots.",
            ),
            "sum of one": (
                [BALANCED / BALANCED.sum(), np.sqrt(BALANCED) / np.sqrt(BALANCED).sum()],
                "the weights were divided by their sum. They stay as they are.",
            ),
            "smallest": (
                [PIXELS.min() / PIXELS, np.sqrt(PIXELS.min() / PIXELS)],
                "the rarest class was put above the fraction. It is the median that belongs there.",
            ),
            "one over the pixels": (
                [1 / PIXELS, np.sqrt(1 / PIXELS)],
                "that is one over the number of pixels. The median belongs above the fraction.",
            ),
            "mean of one": (
                [BALANCED / BALANCED.mean(),
                 np.sqrt(BALANCED / BALANCED.mean())],
                "the weights were divided by their mean. They stay as they are.",
            ),
            "without background": (
                [100 / PIXELS, np.sqrt(100 / PIXELS)],
                "background was left out of the median. It is a class like the others.",
            ),
            "what is left": (
                [1 - PIXELS / PIXELS.sum(), np.sqrt(1 - PIXELS / PIXELS.sum())],
                "that is 1 less a class's share of the pixels. Divide the median by the number of "
                "pixels.",
            ),
            "squared": (
                [BALANCED, BALANCED**2],
                "the second row is the square of the first. The square root is asked for.",
            ),
            "root below alone": (
                [BALANCED, np.median(PIXELS) / np.sqrt(PIXELS)],
                "only the number below the fraction has its root taken. Take that of the whole "
                "weight.",
            ),
            "root above alone": (
                [BALANCED, np.sqrt(np.median(PIXELS)) / PIXELS],
                "only the median has its root taken. Take that of the whole weight.",
            ),
            "same twice": (
                [BALANCED, BALANCED],
                "the second row is the first once more. It is to hold its square roots.",
            ),
        },
    ),
    "3-10-2.4": Exercise(
        title="mIoU by hand",
        reference=OVERLAPS,
        start="of class 0, 75 pixels are right. How many are of class 0 or called so?",
        praise="Two small classes pull the mean down, although four pixels of five are right: each "
        "class counts the same, however many pixels it has.",
        hints=(
            "The diagonal holds what is right. A row's sum is how many there are of a class, a "
            "column's sum, how many are called so.",
            "Union: row and column together, less the diagonal, which is in both of them.",
            "The last number is the mean of the other three.",
        ),
        mistakes={
            "recall": (
                _with_mean(_RIGHT / _THERE),
                "the diagonal was divided by the rows' sums: that is the share of a class that is "
                "found. What is called so by mistake must count as well.",
            ),
            "precision": (
                _with_mean(_RIGHT / _CALLED),
                "the diagonal was divided by the columns' sums. What is there and was not found "
                "must count as well.",
            ),
            "diagonal twice": (
                _with_mean(_RIGHT / (_THERE + _CALLED)),
                "what is right was counted twice below the fraction: it is in the row and in the "
                "column.",
            ),
            "dice": (
                _with_mean(2 * _RIGHT / (_THERE + _CALLED)),
                "that is Dice's coefficient: twice what is right, by row and column. The union "
                "holds what is right only once.",
            ),
            "accuracy": (
                [*OVERLAPS[:3], _RIGHT.sum() / COUNTS.sum()],
                "the last number is the accuracy, in which each pixel counts the same. In the mean "
                "of the IoUs each class does.",
            ),
            "weighted": (
                [*OVERLAPS[:3], (OVERLAPS[:3] * _THERE).sum() / COUNTS.sum()],
                "the mean was weighted by how many pixels the classes have. In mIoU they count the "
                "same.",
            ),
            "all pixels": (
                _with_mean(_RIGHT / COUNTS.sum()),
                "all pixels stand below the fraction. Only those of the class, or called so, "
                "belong there.",
            ),
            "no background": (
                [*OVERLAPS[:3], OVERLAPS[1:3].mean()],
                "background was left out of the mean. It is a class like the others.",
            ),
            "sum": (
                [*OVERLAPS[:3], OVERLAPS[:3].sum()],
                "the last number is the sum of the other three. Their mean is asked for.",
            ),
            "diagonal taken off twice": (
                _with_mean(_RIGHT / (_THERE + _CALLED - 2 * _RIGHT)),
                "what is right was taken off twice, so that it is not in the union at all. It is "
                "in row and column: once is enough.",
            ),
            "larger of the two": (
                _with_mean(_RIGHT / np.maximum(_THERE, _CALLED)),
                "the larger of row and column was taken for the union. Both together are the "
                "union, less the diagonal.",
            ),
            "pixels right and wrong": (
                _with_mean((120 - _THERE - _CALLED + 2 * _RIGHT) / 120),
                "pixels that are rightly called something else count here. In IoU they are "
                "neither above nor below the fraction.",
            ),
            "wrong": (
                _with_mean(1 - _RIGHT / (_THERE + _CALLED - _RIGHT)),
                "that is 1 less each IoU.",
            ),
            "all together": (
                [*OVERLAPS[:3], _RIGHT.sum() / (_THERE + _CALLED - _RIGHT).sum()],
                "for the last number all pixels that are right were divided by all unions "
                "together. In the mean of the IoUs each class counts the same.",
            ),
            "mean over four": (
                [*OVERLAPS[:3], OVERLAPS[:3].sum() / 4],
                "the sum was divided by 4. There are three classes.",
            ),
            "median": (
                [*OVERLAPS[:3], np.median(OVERLAPS[:3])],
                "the last number is the median of the other three. Their mean is asked for.",
            ),
            "mean first": (
                [OVERLAPS[3], *OVERLAPS[:3]],
                "the mean stands first. It comes last.",
            ),
            "unions": (
                _with_mean(_THERE + _CALLED - _RIGHT),
                "those are the unions. What is right is to be divided by them.",
            ),
            "percent": (
                100 * OVERLAPS,
                "those are in percent. Give them as shares, from 0 to 1.",
            ),
        },
    ),
    "3-10-2.5": Exercise(
        title="Back to where the maxima were",
        reference=unpool,
        start="zeros of the shape (N, C, height, width), and every number of y at its place in "
        "them.",
        praise="Three cells of four stay zero; what makes a picture of it again are the "
        "convolutions behind.",
        hints=(
            "A position is row · width + column, so that it counts the cells of one channel, row "
            "by row.",
            "With height and width as one axis, of length height · width, the position is an index "
            "along that axis.",
            "NumPy's put_along_axis writes along an axis; reshape afterwards.",
        ),
        mistakes={
            "positions within the window": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, height, width,
                    place=lambda where, row, column: (
                        2 * row + where % 4 // 2, 2 * column + where % 2
                    ),
                ),
                "the positions were read as one of four places in a window. They count the cells "
                "of the whole channel.",
            ),
            "width of the small map": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, height, width,
                    place=lambda where, row, column: divmod(where, y.shape[3]),
                ),
                "the positions were divided by the width of y. They count along the rows of the "
                "large map, which are longer.",
            ),
            "height for width": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, height, width,
                    place=lambda where, row, column: divmod(where, height),
                ),
                "the positions were divided by the height. A row is as long as the map is wide.",
            ),
            "rows and columns swapped": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, height, width,
                    place=lambda where, row, column: divmod(where, width)[::-1],
                ),
                "row and column have changed places: the quotient is the row, the remainder the "
                "column.",
            ),
            "upper left": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, height, width,
                    place=lambda where, row, column: (
                        row * height // y.shape[2], column * width // y.shape[3]
                    ),
                ),
                "every number stands at the upper left of its window. The positions were not used.",
            ),
            "repeated": (
                lambda y, indices, height, width: (
                    y.repeat(-(-height // y.shape[2]), axis=2)
                    .repeat(-(-width // y.shape[3]), axis=3)[:, :, :height, :width]
                    .copy()
                ),
                "every number was repeated all over its window. Only the place of the maximum gets "
                "it; the others stay zero.",
            ),
            "first image": (
                lambda y, indices, height, width: _unpooled(
                    y, np.broadcast_to(indices[:1], indices.shape), height, width
                ),
                "the positions of the first image were used for all of them.",
            ),
            "first channel": (
                lambda y, indices, height, width: _unpooled(
                    y, np.broadcast_to(indices[:, :1], indices.shape), height, width
                ),
                "the positions of the first channel were used for all of them.",
            ),
            "positions written": (
                lambda y, indices, height, width: _unpooled(indices, indices, height, width),
                "the positions themselves were written down. The numbers of y belong there.",
            ),
            "nothing written": (
                lambda y, indices, height, width: np.zeros((*y.shape[:2], height, width), y.dtype),
                "everything is 0: nothing was written, or into a copy. A reshape or a transposed "
                "array may be one.",
            ),
            "written to all": (
                _to_all,
                "each image's and channel's numbers were written into all of them. A position "
                "counts the cells of its own channel.",
            ),
            "one long row": (
                lambda y, indices, height, width: _in_one_row(y, indices, height, width),
                "all channels were laid in one long row, in which the positions begin anew for "
                "none. A position counts within its own channel.",
            ),
            "added": (
                lambda y, indices, height, width: _unpooled(y, indices, height, width, add=True),
                "where two windows have their maximum in common, its number was added twice. It "
                "is written.",
            ),
            "counted from 1": (
                lambda y, indices, height, width: _unpooled(y, indices - 1, height, width),
                "1 was taken away from the positions. They are counted from 0.",
            ),
            "twice as large": (
                lambda y, indices, height, width: _unpooled(
                    y, indices, 2 * y.shape[2], 2 * y.shape[3]
                ),
                "the map is twice as large as y. Its size is given: there may be a row or a column "
                "that no window reached.",
            ),
            "the last one alone": (
                _last_alone,
                "only one number is there. The zeros were made anew inside of the loop: make them "
                "once, in front of it.",
            ),
            "read": (
                lambda y, indices, height, width: np.take_along_axis(
                    y.reshape(*y.shape[:2], -1), indices.reshape(*y.shape[:2], -1), axis=2
                ).reshape(y.shape),
                "numbers of y were read at the positions. These are places in the large map, at "
                "which y is to be written.",
            ),
        },
        trials=(
            (
                "one window of 2 x 2, whose maximum was its third cell",
                (np.array([[[[7]]]]), np.array([[[[2]]]]), 2, 2),
            ),
            (
                "two windows in a row, a map of 2 x 4",
                (np.array([[[[5, -3]]]]), np.array([[[[4, 3]]]]), 2, 4),
            ),
            ("two images, two channels, 4 x 6", (_Y / 4, _PLACES, 4, 6)),
            (
                "a map of 5 x 7, whose last row and column no window reached",
                (_Y[:1] / 2, 7 * _ROWS[:1] + _COLUMNS[:1], 5, 7),
            ),
            (
                "windows that overlap and have a maximum in common",
                (np.array([[[[6.5, 6.5, 2]]]]), np.array([[[[1, 1, 7]]]]), 2, 4),
            ),
        ),
        harmless={
            "indices with the sign lost": "positions are not negative",
            "indices with negative numbers set to 0": "positions are not negative",
            "indices cut to integers": "positions are whole numbers",
            "result kept in the type of y": "the numbers are those of y, or 0",
        },
    ),
    "3-10-2.6": Exercise(
        title="Mean IoU",
        reference=mean_iou,
        start="for a single class k: labels == k is where it is, found == k where it is called. "
        "How many pixels are in both, and how many in one or the other?",
        praise="All pixels of all images were counted before anything was divided, and a class "
        "that is nowhere counted nothing.",
        hints=(
            "Between arrays of True and False, & is and, | is or; their sums count pixels.",
            "Go through the classes and keep the quotient of each, unless its union is empty.",
            "The mean of what was kept is the answer.",
        ),
        mistakes={
            "accuracy": (
                lambda labels, found, classes: (labels == found).mean(),
                "that is the accuracy, in which every pixel counts the same. Here every class "
                "does.",
            ),
            "absent classes are 0": (
                lambda labels, found, classes: (
                    _ious(labels, found, classes).sum() / classes
                ),
                "a class that neither occurs nor is called was counted as 0. It has no IoU, and "
                "does not belong into the mean.",
            ),
            "absent classes are 1": (
                lambda labels, found, classes: (
                    (_ious(labels, found, classes).sum()
                     + classes - len(_ious(labels, found, classes))) / classes
                ),
                "a class that neither occurs nor is called was counted as 1. It has no IoU, and "
                "does not belong into the mean.",
            ),
            "only classes that occur": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, among=lambda a, b: a.any()
                ).mean(),
                "a class that is called and is nowhere was left out. It was called in vain, and "
                "its IoU is 0.",
            ),
            "only classes that are called": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, among=lambda a, b: b.any()
                ).mean(),
                "a class that is there and never called was left out. Its IoU is 0.",
            ),
            "mean over images": (
                lambda labels, found, classes: np.mean(
                    [_ious(t, f, classes).mean() for t, f in zip(labels, found)]
                ),
                "each image has got an mIoU of its own, and then the mean was taken. Count the "
                "pixels of all images first.",
            ),
            "recall": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, below=lambda a, b: a.sum()
                ).mean(),
                "that is the share of each class that is found. What is called so by mistake must "
                "stand below the fraction as well.",
            ),
            "precision": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, below=lambda a, b: b.sum()
                ).mean(),
                "that is the share of what is called so and is right. What was not found must "
                "stand below the fraction as well.",
            ),
            "dice": (
                lambda labels, found, classes: (
                    2 * _ious(labels, found, classes, below=lambda a, b: a.sum() + b.sum())
                ).mean(),
                "that is Dice's coefficient. The intersection is divided by the union.",
            ),
            "no background": (
                lambda labels, found, classes: _ious(labels, found, classes)[1:].mean(),
                "class 0 was left out. Background is a class like the others.",
            ),
            "each class": (
                lambda labels, found, classes: _ious(labels, found, classes),
                "those are the IoUs of the classes. Their mean is asked for.",
            ),
            "sum": (
                lambda labels, found, classes: _ious(labels, found, classes).sum(),
                "the IoUs of the classes were added up. Their mean is asked for.",
            ),
            "nan": (
                lambda labels, found, classes: (
                    mean_iou(labels, found, classes)
                    if len(_ious(labels, found, classes)) == classes else np.nan
                ),
                "a class that is nowhere has 0 / 0, and its NaN makes the mean NaN. Leave it out "
                "(np.nanmean does).",
            ),
            "absent classes, a little added": (
                lambda labels, found, classes: (
                    _ious(labels, found, classes, below=lambda a, b: (a | b).sum() + 1).sum()
                    / classes
                ),
                "1 was added below the fraction, so that it is never 0. All IoUs become smaller, "
                "and a class that is nowhere counts as 0.",
            ),
            "all together": (
                lambda labels, found, classes: (
                    (labels == found).sum() / (2 * labels.size - (labels == found).sum())
                ),
                "everything right was divided by all unions together. Divide for each class by "
                "itself, and then take the mean.",
            ),
            "diagonal twice": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, below=lambda a, b: a.sum() + b.sum()
                ).mean(),
                "pixels that are in both were counted twice below the fraction. In the union they "
                "are once.",
            ),
            "larger of the two": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, below=lambda a, b: max(a.sum(), b.sum())
                ).mean(),
                "the larger of the two areas was taken for the union. What is in one or the other "
                "belongs to it.",
            ),
            "all pixels": (
                lambda labels, found, classes: _ious(
                    labels, found, classes, below=lambda a, b: a.size
                ).mean(),
                "all pixels stand below the fraction. Only those of the class, or called so, "
                "belong there.",
            ),
            "right about not being it": (
                lambda labels, found, classes: np.mean(
                    [((labels == k) == (found == k)).mean() for k in range(classes)]
                ),
                "pixels that are rightly called something else count as right. An intersection "
                "holds only what is of the class and called so.",
            ),
            "zeros dropped": (
                lambda labels, found, classes: _mean_of(
                    [value for value in _ious(labels, found, classes) if value]
                ),
                "classes with an IoU of 0 were left out. Only one that is nowhere has none.",
            ),
            "last class left out": (
                lambda labels, found, classes: _ious(labels, found, classes - 1).mean(),
                "the last class was left out: they are numbered from 0 to classes - 1.",
            ),
            "first image": (
                lambda labels, found, classes: _ious(labels[:1], found[:1], classes).mean(),
                "only the first image was counted. Count the pixels of all of them.",
            ),
            "weighted": (
                lambda labels, found, classes: sum(
                    (labels == k).mean() * ((labels == k) & (found == k)).sum()
                    / max(1, ((labels == k) | (found == k)).sum())
                    for k in range(classes)
                ),
                "the classes count by how many pixels they have. In mIoU they count the same.",
            ),
            "what is wrong": (
                lambda labels, found, classes: 1 - mean_iou(labels, found, classes),
                "that is 1 less the mean IoU.",
            ),
            "cut off": (
                lambda labels, found, classes: _ious(labels, found, classes).astype(int).mean(),
                "the fractions were cut off: // gives whole numbers. Divide by /.",
            ),
            "rounded": (
                lambda labels, found, classes: mean_iou(labels, found, classes).round(2),
                "the result was rounded. Return it as it is.",
            ),
        },
        trials=(
            (
                "one image of 2 x 3, two classes",
                (np.array([[[0, 0, 1], [0, 1, 1]]]), np.array([[[0, 1, 1], [0, 0, 1]]]), 2),
            ),
            ("two images of 4 x 6, four classes", (_LABELS, _FOUND, 4)),
            (
                "a class that is nowhere",
                (np.array([[[0, 2, 2]]]), np.array([[[0, 2, 0]]]), 4),
            ),
            (
                "two classes called in vain, and one never called",
                (np.array([[[0, 0, 0, 1, 2]]]), np.array([[[0, 3, 4, 1, 1]]]), 6),
            ),
        ),
        harmless={
            "labels with the sign lost": "classes are not negative",
            "labels with negative numbers set to 0": "classes are not negative",
            "labels cut to integers": "classes are whole numbers",
            "found with the sign lost": "classes are not negative",
            "found with negative numbers set to 0": "classes are not negative",
            "found cut to integers": "classes are whole numbers",
            "result with the sign lost": "an IoU is not negative",
            "result with negative numbers set to 0": "an IoU is not negative",
            "result at most 1": "an IoU is at most 1",
            "classes one larger": "a class more that is nowhere counts nothing",
        },
    ),
    "3-10-2.7": Exercise(
        title="A dense layer at every pixel",
        reference=dense_everywhere,
        start="a single pixel, x[0, :, 0, 0], has C numbers. What does the dense layer make of "
        "them?",
        praise="The same weights at every pixel, and no size that anything is tied to: that is a "
        "convolution of 1 × 1.",
        hints=(
            "A dense layer makes of a row z of C numbers u @ z + b, which are K.",
            "With height and width as one axis, x is (N, C, H · W), and u @ x does it for all "
            "pixels at once.",
            "b has one number for each of the K maps: b[:, None, None] fits (N, K, H, W).",
        ),
        mistakes={
            "bias forgotten": (
                lambda x, u, b: _dense(x, u),
                "the bias is missing: each of the K maps gets its number of b.",
            ),
            "bias per column": (
                lambda x, u, b: _dense(x, u) + b,
                "b was added along the columns. It has a number for each of the K maps.",
            ),
            "summed over pixels": (
                lambda x, u, b: np.broadcast_to(
                    _dense(x.sum(axis=(2, 3), keepdims=True), u) + b[:, None, None],
                    (len(x), len(u), *x.shape[2:]),
                ).copy(),
                "all pixels have got the scores of their sum. Each pixel has scores of its own.",
            ),
            "mean over pixels": (
                lambda x, u, b: (
                    _dense(x.mean(axis=(2, 3), keepdims=True), u) + b[:, None, None]
                )[:, :, 0, 0],
                "those are scores for whole pictures, from the mean of their pixels. Each pixel "
                "has scores of its own.",
            ),
            "weights backwards": (
                lambda x, u, b: _dense(x, u[:, ::-1]) + b[:, None, None],
                "the weights have met the channels from behind: the first of them belongs to "
                "channel 0.",
            ),
            "channels last": (
                lambda x, u, b: (x.transpose(0, 2, 3, 1) @ u.T + b).copy(),
                "the scores stand last. In this book the channels come first: (N, K, H, W).",
            ),
            "axes mixed up": (
                lambda x, u, b: (
                    (x.transpose(0, 2, 3, 1) @ u.T + b).reshape(len(x), len(u), *x.shape[2:])
                ),
                "the numbers are right, and stand at other places: a reshape does not swap axes. "
                "The scores must come before height and width by a transpose.",
            ),
            "bias times pixels": (
                lambda x, u, b: _dense(x, u) + x.shape[1] * b[:, None, None],
                "the bias was added once for each channel of x. It is added once.",
            ),
            "relu": (
                lambda x, u, b: np.maximum(_dense(x, u) + b[:, None, None], 0),
                "numbers below zero were set to 0. Scores may be negative: no ReLU here.",
            ),
            "bias per row": (
                lambda x, u, b: _dense(x, u) + b[:, None],
                "b was added along the rows. It has a number for each of the K maps: b[:, None, "
                "None] fits (N, K, H, W).",
            ),
            "bias taken away": (
                lambda x, u, b: _dense(x, u) - b[:, None, None],
                "the bias was taken away. It is added.",
            ),
            "bias of class 0": (
                lambda x, u, b: _dense(x, u) + b[0],
                "all maps have got the bias of class 0. Each of them has its own.",
            ),
            "classes backwards": (
                lambda x, u, b: _dense(x, u[::-1]) + b[:, None, None],
                "the classes come from behind: the first row of u makes the scores of class 0.",
            ),
            "last channel": (
                lambda x, u, b: _dense(x[:, -1:], u[:, -1:]) + b[:, None, None],
                "only the last channel counts. Do its products overwrite those of the others? They "
                "are added.",
            ),
            "first image": (
                lambda x, u, b: (_dense(x, u) + b[:, None, None])[0],
                "only the scores of the first image are there. All N are asked for.",
            ),
            "first pixel": (
                lambda x, u, b: np.broadcast_to(
                    (_dense(x, u) + b[:, None, None])[:, :, :1, :1], (len(x), len(u), *x.shape[2:])
                ).copy(),
                "all pixels have got the scores of the first one.",
            ),
            "channels by a reshape": (
                lambda x, u, b: (
                    (x.reshape(len(x), -1, x.shape[1]) @ u.T).transpose(0, 2, 1)
                    .reshape(len(x), len(u), *x.shape[2:]) + b[:, None, None]
                ),
                "the channels were brought to the end by a reshape, which mixes them with the "
                "pixels. A transpose moves an axis.",
            ),
            "images mixed": (
                lambda x, u, b: (
                    (u @ x.reshape(x.shape[1], -1)).reshape(len(u), len(x), *x.shape[2:])
                    .transpose(1, 0, 2, 3) + b[:, None, None]
                ),
                "images and channels were merged in the wrong order: a reshape to C rows is right "
                "for one image alone.",
            ),
            "softmax": (
                lambda x, u, b: _softmax(_dense(x, u) + b[:, None, None]),
                "those are probabilities, after softmax. The scores themselves are asked for.",
            ),
            "named": (
                lambda x, u, b: (_dense(x, u) + b[:, None, None]).argmax(axis=1),
                "those are the classes with the largest score. The scores themselves are asked "
                "for.",
            ),
            "in one row": (
                lambda x, u, b: (
                    _dense(x, u).reshape(len(x), len(u), -1) + b[:, None]
                ),
                "height and width are still one axis. Give them back at the end: (N, K, H, W).",
            ),
            "every column by itself": (
                lambda x, u, b: u @ x + b[:, None, None],
                "u @ x multiplies along the last two axes, height and width. Make those one axis, "
                "so that the channels come last but one.",
            ),
        },
        trials=(
            (
                "one pixel, two channels, one class",
                (np.array([3.0, -2]).reshape(1, 2, 1, 1), np.array([[1.5, 2]]), np.array([0.5])),
            ),
            (
                "one image of 2 x 3, two channels, three classes",
                (numbers(1, 2, 2, 3) / 2, numbers(3, 2) / 4, np.array([1.0, -2, 0.25])),
            ),
            (
                "two images of 3 x 4, three channels, two classes",
                (numbers(2, 3, 3, 4) / 4, numbers(2, 3) / 2, np.array([-0.5, 3])),
            ),
        ),
        harmless={
            "result kept in the type of x": "scores are floats, as the features are",
            "result kept in the type of u": "scores are floats, as the weights are",
            "result kept in the type of b": "scores are floats, as the bias is",
        },
    ),
}  # fmt: skip
