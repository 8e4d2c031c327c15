"""The exercises of chapter 3-2, pooling."""

from __future__ import annotations

import numpy as np

from .. import functional
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def max_pool(x, size, stride):
    return functional.max_pool2d(x[None, None], size, stride)[0, 0]


def max_pool_batch(x, size):
    return functional.max_pool2d(x, size)


def average_filter(channels, size):
    return _filter(np.eye(channels), size) / size**2


def shift_agreement(x, size):
    return _agreement(x, np.roll(x, 1, axis=1), size)


def _filter(weights, size):
    """Return the (OC, C, size, size) filter whose windows are constant: one weight each."""
    return weights[:, :, None, None] * np.ones((size, size))


def _agreement(a, b, size):
    return np.mean(max_pool(a, size, size) == max_pool(b, size, size))


# --- wrong solutions that take more than a line --------------------------------------------------


def _mean_pool(x, size, stride):
    return functional.avg_pool2d(x[None, None].astype(float), size, stride)[0, 0]


def _incomplete_windows(x, size, stride, fill=-np.inf):
    """Pool as if the matrix went on: a last window that hangs over the border counts as well."""
    missing = [-(n - size) % stride for n in x.shape]
    padded = np.pad(x.astype(float), [(0, missing[0]), (0, missing[1])], constant_values=fill)
    return max_pool(padded, size, stride)


def _output_shape_swapped(x, size, stride):
    OH, OW = (functional.output_size(n, size, stride) for n in x.shape)
    y = np.zeros((OW, OH))
    for oh in range(OH):
        for ow in range(OW):
            y[oh, ow] = np.max(
                x[oh * stride : oh * stride + size, ow * stride : ow * stride + size]
            )
    return y


def _window_at_output_index(x, size, stride):
    OH, OW = (functional.output_size(n, size, stride) for n in x.shape)
    return max_pool(x, size, 1)[:OH, :OW]


def _corners_a_size_apart(x, size, stride):
    OH, OW = (functional.output_size(n, size, stride) for n in x.shape)
    return np.array(
        [
            [
                x[oh * size : oh * size + size, ow * size : ow * size + size].max()
                for ow in range(OW)
            ]
            for oh in range(OH)
        ]
    )


def _blocks_of_the_memory(x, size, cut=True):
    """Reshape to (N, C, OH, OW, size, size), which takes size * size neighbours of a row."""
    N, C, H, W = x.shape
    OH, OW = H // size, W // size
    x = x[:, :, : OH * size, : OW * size] if cut else x
    return x.reshape(N, C, OH, OW, size, size).max(axis=(4, 5))


def _reshape_uncut(x, size):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // size, size, W // size, size).max(axis=(3, 5))


def _reshape_wrong_axes(x, size):
    N, C, H, W = x.shape
    return x.reshape(N, C, size, H // size, size, W // size).max(axis=(2, 4))


def _ceil_batch(x, size):
    return np.stack(
        [[_incomplete_windows(channel, size, size) for channel in image] for image in x]
    )


# --- material ------------------------------------------------------------------------------------

PENCIL_X = np.array([[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]])

_PLUS_ONE = (
    "one output row and column are missing. A window that fits in exactly still has one "
    "place, so the number of places is the number of steps + 1."
)

_OF_THE_NUMBERS_OF_X = {
    "result kept in the type of x": "each number of the result is a number of x",
}
_BLOCKS = (
    "the reshape to (..., OH, OW, size, size) puts numbers into one window that follow each "
    "other in memory, which are neighbours in a row. The axes must stand in the order of "
    "the memory, (OH, size, OW, size); the maximum is taken over the second and the "
    "fourth."
)

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-2.1": Exercise(
        title="Max pooling with the pencil",
        reference=max_pool(PENCIL_X, 2, 2),
        start="draw the lines that cut the matrix into blocks of 2 x 2. How many are there?",
        praise="Each block of four is spoken for by its largest number: a quarter of the numbers "
        "is left. The same as a function: exercise 3-2.2.",
        hints=(
            "Windows of 2 x 2 with stride 2 do not overlap: they cut the matrix into four blocks.",
            "The largest number of the upper left block is element [0, 0]; the block on its right "
            "gives element [0, 1].",
        ),
        mistakes={
            "average": (
                _mean_pool(PENCIL_X, 2, 2),
                "the blocks are averaged. Max pooling takes the largest of the four.",
            ),
            "minimum": (
                -max_pool(-PENCIL_X, 2, 2),
                "the smallest of the four was taken, not the largest.",
            ),
            "sum": (
                _mean_pool(PENCIL_X, 2, 2) * 4,
                "the four were added up. Max pooling takes the largest of them.",
            ),
            "stride 1": (
                max_pool(PENCIL_X, 2, 1),
                "the window moved on by one. In pooling it moves by its own length, "
                "if nothing else is said, so the windows do not overlap.",
            ),
            "transposed": (
                max_pool(PENCIL_X, 2, 2).T,
                "rows and columns have changed places: the block on the upper right "
                "belongs to the upper right.",
            ),
            "upper left elements": (
                PENCIL_X[::2, ::2],
                "the upper left element of each block was taken, not its largest.",
            ),
            "row maxima": (
                max_pool(PENCIL_X, (1, 2), (1, 2)),
                "pairs in a row were compared. A window of 2 x 2 has two rows too.",
            ),
        },
        windows=True,
    ),
    "3-2.2": Exercise(
        title="Max pooling of one matrix",
        reference=max_pool,
        start="work out the shape (OH, OW) of the result: the formula is that of the convolution, "
        "with size in place of FH and FW.",
        praise="The window slides as in a convolution; only what is done with it is different, and "
        "there is nothing to learn. Channels and mini-batch: exercise 3-2.3.",
        hints=(
            "Take your function for the convolution with a stride and ask what changes: no "
            "filter, no bias, no padding.",
            "The window of (oh, ow) begins at row oh * stride and column ow * stride and is size "
            "long in both directions.",
            "np.max of a slice gives its largest element. A window that does not fit in "
            "completely is left out: that is the floor.",
        ),
        mistakes={
            "stride = size": (
                lambda x, size, stride: max_pool(x, size, size),
                "the window moves by its size. Often the two are the same, but here "
                "the stride is an argument of its own.",
            ),
            "stride 1": (
                lambda x, size, stride: max_pool(x, size, 1),
                "the stride is not used: the window moves by one.",
            ),
            "window at output index": (
                _window_at_output_index,
                "the output has the right size, but its windows begin one "
                "beside the other: the stride also belongs where the "
                "window begins.",
            ),
            "corners a size apart": (
                _corners_a_size_apart,
                "the window of (oh, ow) begins at row size * oh. From one "
                "window to the next it is a stride, so it begins at row "
                "stride * oh; size is only how long it is.",
            ),
            "window as long as stride": (
                lambda x, size, stride: max_pool(x, stride, stride),
                "the window is as long as the stride. Its length is size; the stride says where "
                "the next one begins.",
            ),
            "minimum": (
                lambda x, size, stride: -max_pool(-x, size, stride),
                "the smallest element of each window is taken, not the largest.",
            ),
            "average": (
                _mean_pool,
                "the windows are averaged. Max pooling takes the largest element.",
            ),
            "sum": (
                lambda x, size, stride: _mean_pool(x, size, stride) * size**2,
                "the windows are added up. Max pooling takes the largest element.",
            ),
            "never below zero": (
                lambda x, size, stride: np.maximum(max_pool(x, size, stride), 0),
                "no result is ever below 0: does the search for the largest begin "
                "with 0? In a window of negative numbers 0 wins, though "
                "it is not there.",
            ),
            "absolute value": (
                lambda x, size, stride: max_pool(abs(x), size, stride),
                "the signs are lost: the largest number is asked for, not the "
                "largest absolute value.",
            ),
            "incomplete windows": (
                _incomplete_windows,
                "a window that hangs over the border is counted too (its "
                "slice is silently cut off). Without padding only whole windows "
                "count: that is the floor in the formula.",
            ),
            "output shape swapped": (
                _output_shape_swapped,
                "OH and OW are swapped in the shape of the result. As long as "
                "the input is square nobody notices; the first length is "
                "the number of rows.",
            ),
            "output transposed": (
                lambda x, size, stride: max_pool(x, size, stride).T,
                "the result is transposed: its first index goes down the rows of x.",
            ),
            "forgot +1": (lambda x, size, stride: max_pool(x, size, stride)[:-1, :-1], _PLUS_ONE),
        },
        trials=(
            ("2 x 2 windows that cut a square", (numbers(4, 4), 2, 2)),
            ("a wide matrix", (numbers(4, 6), 2, 2)),
            ("a row and a column left over", (numbers(5, 7), 2, 2)),
            ("overlapping windows, tall", (numbers(7, 5), 3, 2)),
            ("windows with gaps between them", (numbers(5, 8), 2, 3)),
            ("negative numbers only, with fractions", (numbers(4, 4) / 4 - 15, 2, 2)),
            ("windows of a single cell", (numbers(2, 3) / 2, 1, 1)),
        ),
        harmless=_OF_THE_NUMBERS_OF_X,
        windows=True,
    ),
    "3-2.3": Exercise(
        title="Max pooling of a mini-batch",
        reference=max_pool_batch,
        start="which of the four axes N, C, H, W keep their length, and which become shorter?",
        praise="Every channel of every image is pooled for itself: N and C come out as they went "
        "in. A convolution would have summed over the channels.",
        hints=(
            "The result has the shape (N, C, OH, OW). One loop over oh and one over ow is enough: "
            "a slice may keep all of N and C.",
            "np.max has an argument axis: it takes the maximum along the axes named, and leaves "
            "the others alone. Which two are the window's?",
            "If H or W does not divide by size, the rows and columns left over at the end do "
            "not count.",
        ),
        mistakes={
            "maximum over channels": (
                lambda x, size: max_pool_batch(x, size).max(axis=1),
                "the maximum runs over the channels too, so the axis C is "
                "gone. Each channel is pooled for itself.",
            ),
            "maximum over channels kept": (
                lambda x, size: max_pool_batch(x, size).max(axis=1, keepdims=True),
                "the maximum runs over the channels too. Each channel is pooled for itself, and "
                "C stays as it was.",
            ),
            "maximum over images": (
                lambda x, size: max_pool_batch(x, size).max(axis=0),
                "the maximum runs over the images too. They do not meet.",
            ),
            "one maximum for all": (
                lambda x, size: functional.max_pool2d(x, size).max(axis=(0, 1)),
                "one maximum is taken over all images and channels: np.max without an axis takes "
                "in everything. The window's axes are the last two.",
            ),
            "maximum repeated": (
                lambda x, size: np.broadcast_to(
                    max_pool_batch(x, size).max(axis=(0, 1)), max_pool_batch(x, size).shape
                ),
                "all images and channels come out the same: np.max without an axis takes in "
                "all of them. The window's axes are the last two.",
            ),
            "pooled over N and C": (
                lambda x, size: max_pool_batch(x.transpose(2, 3, 0, 1), size).transpose(2, 3, 0, 1),
                "the first two axes, N and C, are pooled. The picture lies in the last two.",
            ),
            "first channel only": (
                lambda x, size: max_pool_batch(x[:, :1], size),
                "only the first channel is there. All of them are pooled.",
            ),
            "first image only": (
                lambda x, size: max_pool_batch(x[:1], size),
                "only the first image is there. All of them are pooled.",
            ),
            "global": (
                lambda x, size: x.max(axis=(2, 3)),
                "one number is left of each channel. That is global pooling; here "
                "each window gives a number.",
            ),
            "stride 1": (
                lambda x, size: functional.max_pool2d(x, size, 1),
                "the window moves by one. Here the stride is the size, so the windows do "
                "not overlap.",
            ),
            "average": (
                lambda x, size: functional.avg_pool2d(x.astype(float), size),
                "the windows are averaged. Max pooling takes the largest element.",
            ),
            "never below zero": (
                lambda x, size: np.maximum(max_pool_batch(x, size), 0),
                "no result is ever below 0: does the search for the largest begin "
                "with 0? In a window of negative numbers 0 wins, though "
                "it is not there.",
            ),
            "reshape without cutting": (
                _reshape_uncut,
                "the reshape works only as long as size divides H and W. "
                "Cut the rows and columns left over off first.",
            ),
            "reshape, wrong axes": (
                _reshape_wrong_axes,
                "the reshape splits H into (size, OH), which puts far-apart "
                "rows into one window. The rows of one window are "
                "neighbours: they must end up in the inner of the two axes.",
            ),
            "blocks of the memory": (_blocks_of_the_memory, _BLOCKS),
            "blocks of the memory, without cutting": (
                lambda x, size: _blocks_of_the_memory(x, size, cut=False),
                _BLOCKS,
            ),
            "incomplete windows": (
                _ceil_batch,
                "a window that hangs over the border is counted too. Only "
                "whole windows count: that is the floor in the formula.",
            ),
            "OH and OW swapped": (
                lambda x, size: max_pool_batch(x, size).swapaxes(2, 3),
                "OH and OW have changed places: the output is (N, C, OH, OW).",
            ),
            "N and C swapped": (
                lambda x, size: max_pool_batch(x, size).swapaxes(0, 1),
                "N and C have changed places: the output is (N, C, OH, OW).",
            ),
        },
        trials=(
            ("one image, one channel", (numbers(1, 1, 4, 4), 2)),
            ("three channels, wide", (numbers(1, 3, 4, 6), 2)),
            ("two images, three channels, tall", (numbers(2, 3, 6, 4), 2)),
            ("sizes that do not divide", (numbers(3, 4, 7, 5), 2)),
            ("negative numbers only, with fractions", (numbers(2, 2, 6, 9) / 4 - 15, 3)),
        ),
        harmless=_OF_THE_NUMBERS_OF_X,
        windows=True,
    ),
    "3-2.4": Exercise(
        title="Average pooling is a convolution",
        reference=average_filter,
        start="make an array of zeros of shape (C, C, size, size). Which of its C * C windows must "
        "not stay zero?",
        praise="With this filter and stride = size a convolution is average pooling. Average "
        "pooling is a convolution whose weights nobody learns; max pooling is none.",
        hints=(
            "An average is a sum with equal weights. How many numbers are in the window, and what "
            "is the weight of each?",
            "F[oc, c] says what output channel oc takes from input channel c. In pooling, from "
            "which single c does it take anything?",
            "As a C x C matrix of blocks, the filter has its weights on the diagonal only.",
        ),
        mistakes={
            "ones": (
                lambda C, size: _filter(np.eye(C), size),
                "all weights are 1: that adds the window up. For an average the weights of "
                "one window sum to 1.",
            ),
            "all pairs": (
                lambda C, size: _filter(np.ones((C, C)), size) / size**2,
                "every output channel sums up all input channels. In pooling the "
                "channels do not mix: F[oc, c] is zero unless oc and c are the same.",
            ),
            "all pairs, averaged": (
                lambda C, size: _filter(np.ones((C, C)), size) / (C * size**2),
                "every output channel averages over all input channels. In "
                "pooling the channels do not mix.",
            ),
            "all pairs, ones": (
                lambda C, size: _filter(np.ones((C, C)), size),
                "all weights of all channels are 1. The channels must not mix, "
                "and the weights of a window sum to 1.",
            ),
            "grouped": (
                lambda C, size: np.ones((C, 1, size, size)) / size**2,
                "this is the filter of a convolution with groups, one group per channel "
                "(conv2d with groups=C would take it). The plain convolution needs "
                "(C, C, size, size).",
            ),
            "one channel": (
                lambda C, size: np.ones((size, size)) / size**2,
                "this is the window of one channel. It has to be put in the right "
                "places of a (C, C, size, size) array.",
            ),
            "divided by size": (
                lambda C, size: _filter(np.eye(C), size) / size,
                "divided by size only. How many numbers are in a window?",
            ),
            "divided by channels": (
                lambda C, size: _filter(np.eye(C), size) / (C * size**2),
                "divided by the number of channels as well. The average runs "
                "over one window of one channel.",
            ),
            "antidiagonal": (
                lambda C, size: _filter(np.eye(C)[::-1], size) / size**2,
                "the channels come out in reversed order: output channel oc takes "
                "from input channel oc.",
            ),
            "one element": (
                lambda C, size: (
                    np.eye(C)[:, :, None, None] * np.pad([[1]], ((0, size - 1), (0, size - 1)))
                ),
                "one element of each window is picked out. An average takes them all, with equal "
                "weights.",
            ),
            "diagonal in the window": (
                lambda C, size: np.ones((C, C, 1, 1)) * np.eye(size) / size,
                "the diagonal lies inside the windows, in the axes FH and "
                "FW. It belongs to the axes of the channels.",
            ),
        },
        trials=(
            ("one channel, 2 x 2", (1, 2)),
            ("two channels, 2 x 2", (2, 2)),
            ("three channels, 2 x 2", (3, 2)),
            ("two channels, 3 x 3", (2, 3)),
            ("windows of one element", (4, 1)),
        ),
        harmless={
            "result with the sign lost": "no weight is negative",
            "result with negative numbers set to 0": "no weight is negative",
            "result at most 1": "no weight is larger than 1",
            "result with axes 0 and 1 swapped": "channels that do not mix do not do so either way",
            "result reshaped as if axes 0 and 1 were swapped": "as many channels in as out",
            "result reversed along axis [23]": "all weights of a window are equal",
            "result rolled along axis [23]": "all weights of a window are equal",
            "result with the first of axis [23] everywhere": "all weights of a window are equal",
            "result with the mean over axis [23] everywhere": "all weights of a window are equal",
            "result with axes 2 and 3 swapped": "all weights of a window are equal",
            "result reshaped as if axes 2 and 3 were swapped": "all weights of a window are equal",
        },
    ),
    "3-2.5": Exercise(
        title="What a strided convolution costs",
        reference=64 * 64 * 2 * 2 + 64,
        start="what is the shape (OC, C, FH, FW) of this layer's filter?",
        praise="Max pooling makes the picture as small with no parameter at all. The convolution "
        "pays for what it can do besides: learn what to keep, and mix the channels.",
        hints=(
            "Neither the picture's size nor the stride comes into it: weights are shared.",
            "Each of the 64 filters looks at all 64 input channels, in a window of 2 x 2, and has "
            "one bias.",
        ),
        mistakes={
            "no bias": (64 * 64 * 4, "the biases are missing: one for each output channel."),
            "one bias": (
                64 * 64 * 4 + 1,
                "there is one bias for each output channel, not one for the layer.",
            ),
            "one window": (
                4,
                "that is one window of one filter. A filter has such a window for "
                "each input channel, and there is a filter for each output channel.",
            ),
            "one window with bias": (
                5,
                "that is one window and a bias. A filter has such a window "
                "for each input channel, and there is a filter for each "
                "output channel.",
            ),
            "per channel": (
                64 * 4,
                "one window for each channel is what a convolution with 64 "
                "groups has. Here every filter looks at all input channels.",
            ),
            "per channel with bias": (
                64 * 4 + 64,
                "one window for each channel is what a "
                "convolution with 64 groups has. Here every "
                "filter looks at all input channels.",
            ),
            "one filter": (
                64 * 4 + 1,
                "that is one filter with its bias. There are as many as output channels.",
            ),
            "3 x 3": (64 * 64 * 9 + 64, "that is a window of 3 x 3. Here it is 2 x 2."),
            "none": (0, "that is true of max pooling. A convolution has weights."),
            "multiplications": (
                64 * 64 * 4 * 28 * 28,
                "those are the multiplications. The same "
                "weights serve at each place, so as "
                "parameters they count once.",
            ),
            "bias for every weight window": (
                64 * 64 * 4 + 64 * 64,
                "a bias for each pair of channels is too many: it is "
                "added after the sum over the input channels.",
            ),
        },
    ),
    "3-2.6": Exercise(
        title="How much pooling forgives a small shift",
        reference=shift_agreement,
        start="pool x, pool the rolled x, and lay the two results on each other.",
        praise="A maximum survives the shift as long as it stays in its window: pooling makes a "
        "network a little indifferent to where exactly something is.",
        hints=(
            "Two matrices are pooled: x itself, and x rolled to the right. Your max_pool of "
            "exercise 3-2.2 does it.",
            "Comparing two arrays with == gives an array of True and False, element by element.",
            "True counts as 1 and False as 0: their mean is the fraction of True.",
        ),
        mistakes={
            "not pooled": (
                lambda x, size: np.mean(x == np.roll(x, 1, axis=1)),
                "the matrices are compared before they are pooled.",
            ),
            "pooled, then rolled": (
                lambda x, size: np.mean(
                    max_pool(x, size, size) == np.roll(max_pool(x, size, size), 1, axis=1)
                ),
                "the pooled matrix is rolled. The picture moves first, by one column; then it is "
                "pooled.",
            ),
            "rolled down": (
                lambda x, size: _agreement(x, np.roll(x, 1, axis=0), size),
                "the picture is rolled down: axis 0 is the rows. To the right is along axis 1.",
            ),
            "rolled without axis": (
                lambda x, size: _agreement(x, np.roll(x, 1), size),
                "np.roll without an axis rolls the matrix as one long line, "
                "so the last element of a row goes to the next row.",
            ),
            "rolled left": (
                lambda x, size: _agreement(x, np.roll(x, -1, axis=1), size),
                "the picture is rolled to the left. To the right is the positive direction.",
            ),
            "count": (
                lambda x, size: shift_agreement(x, size) * max_pool(x, size, size).size,
                "that is the number of elements that stay the same. As a fraction it lies "
                "between 0 and 1.",
            ),
            "divided by x.size": (
                lambda x, size: shift_agreement(x, size) * max_pool(x, size, size).size / x.size,
                "divided by the number of elements of x. The pooled matrix has fewer.",
            ),
            "disagreement": (
                lambda x, size: 1 - shift_agreement(x, size),
                "that is the fraction that changes. Asked for is the one that stays the same.",
            ),
            "percent": (
                lambda x, size: 100 * shift_agreement(x, size),
                "that is in percent. A fraction lies between 0 and 1.",
            ),
            "stride 1": (
                lambda x, size: np.mean(
                    max_pool(x, size, 1) == max_pool(np.roll(x, 1, axis=1), size, 1)
                ),
                "the window moves by one. Here the stride is the size.",
            ),
            "all or nothing": (
                lambda x, size: float(shift_agreement(x, size) == 1),
                "only 0 or 1 comes out: the matrices are compared as a whole. "
                "Compare them element by element.",
            ),
            "comparison not averaged": (
                lambda x, size: (
                    max_pool(x, size, size) == max_pool(np.roll(x, 1, axis=1), size, size)
                ),
                "the comparison is there, element by element. What fraction of it is True?",
            ),
        },
        trials=(
            (
                "2 x 2 windows, square",
                (np.array([[1, 9, 2, 3], [4, 0, 8, 1], [7, 2, 5, 5], [3, 6, 4, 2]]), 2),
            ),
            ("a wide matrix", (numbers(4, 6), 2)),
            ("sizes that do not divide", (numbers(5, 9), 2)),
            ("3 x 3 windows", (numbers(6, 9), 3)),
            ("a picture with little in it", (np.eye(6, dtype=int) * 5, 2)),
            ("negative numbers, small differences", (numbers(6, 8) / 8 - 2, 2)),
        ),
        harmless={
            "result with the sign lost": "a fraction from 0 to 1",
            "result with negative numbers set to 0": "a fraction from 0 to 1",
            "result at most 1": "a fraction from 0 to 1",
        },
    ),
}
