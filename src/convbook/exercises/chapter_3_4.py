"""The exercises of chapter 3-4, the pooling layer and its gradient."""

from __future__ import annotations

import numpy as np

from .. import functional
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def max_pool_grad(dy, x, size):
    return max_pool_grad_overlap(dy, x, size, size)


def avg_pool_grad(dy, x_shape, size):
    return functional.avg_pool2d_backward(dy, np.zeros(x_shape), size)


def max_pool_grad_overlap(dy, x, size, stride):
    return functional.max_pool2d_backward(dy[None, None], x[None, None], size, stride)[0, 0]


# --- wrong solutions that take more than a line --------------------------------------------------


def _sent(dy, x, size, stride, share, merge=np.add):
    """Send dy[oh, ow] * share(window) to the cells of each window of x.

    ``merge(old, new)`` says what a cell keeps that several windows send something.
    """
    dx = np.zeros(x.shape)
    for oh, ow in np.ndindex(dy.shape):
        place = np.s_[stride * oh : stride * oh + size, stride * ow : stride * ow + size]
        dx[place] = merge(dx[place], dy[oh, ow] * share(x[place]))
    return dx


def _the_later(old, new):
    return np.where(new == 0, old, new)


def _the_earlier(old, new):
    return np.where(old == 0, new, old)


def _all(window):
    return window == window.max()


def _equal_shares(window):
    return _all(window) / np.sum(_all(window))


def _at(window, place, order="C"):
    """Return zeros in the shape of a window, with a 1 at a place counted in reading order."""
    share = np.zeros(window.size)
    share[place] = 1
    return share.reshape(window.shape, order=order)


def _first(window):
    return _at(window, np.argmax(window))


def _last(window):
    return _at(window, window.size - 1 - np.argmax(window.ravel()[::-1]))


def _spread(window):
    return np.ones(window.shape)


def _rescaled(share):
    """Return a `share` that hands on the largest number of the window besides."""
    return lambda window: share(window) * window.max()


def _places_of_windows(dy, x, size, stride):
    """Return for each window the place of its first maximum, counted inside the window."""
    places = [
        np.argmax(x[stride * oh : stride * oh + size, stride * ow : stride * ow + size])
        for oh, ow in np.ndindex(dy.shape)
    ]
    return np.array(places).reshape(dy.shape)


def _place_in_window_as_place_in_x(dy, x, size, stride):
    """Take the number that argmax gives for an index of the whole matrix."""
    dx = np.zeros(x.shape)
    np.add.at(dx.ravel(), _places_of_windows(dy, x, size, stride), dy)
    return dx


def _corner_of_window_forgotten(dy, x, size, stride):
    dx = np.zeros(x.shape)
    np.add.at(dx, np.divmod(_places_of_windows(dy, x, size, stride), size), dy)
    return dx


def _places_divided_by(width, dy, x, size, stride):
    """Divide the place in the window by another number than the window's width."""
    dx = np.zeros(x.shape)
    places = _places_of_windows(dy, x, size, stride)
    for oh, ow in np.ndindex(dy.shape):
        row, column = divmod(places[oh, ow], width)
        dx[stride * oh + row, stride * ow + column] += dy[oh, ow]
    return dx


def _all_to_the_largest_of_x(dy, x):
    return (_at(x, np.argmax(x)) * dy.sum()).reshape(x.shape)


def _only_the_windows(dy, size):
    """Return the part of an input's shape that windows of stride = size cover, as slices."""
    return tuple(slice(size * n) for n in dy.shape[-2:])


def _tiled(dy, x_shape, size):
    """Lay copies of dy side by side, in place of copies of each of its elements."""
    return _filled(np.tile(dy, (size, size)), x_shape)


def _filled(part, x_shape, mode="constant"):
    """Extend the part that windows cover to the whole of the input."""
    missing = [(0, n - m) for n, m in zip(x_shape, part.shape)]
    return np.pad(part, missing, mode=mode)


def _covered(dy, size):
    return dy.repeat(size, axis=2).repeat(size, axis=3) / size**2


# --- material ------------------------------------------------------------------------------------

PENCIL_X = np.array([[1, 4, 2, 2], [3, 0, 2, 1], [0, 4, 7, 3], [6, 2, 5, 8]])
PENCIL_DY = np.array([[3, -1], [2, 5]])

TIED = np.array([[5, 5], [5, 1]])
_TIED_DY = 6

_TIES = np.array([[2, 2, 1, 0], [1, 2, 3, 3], [0, 0, -4, -7], [0, 0, -4, -4]])
_SHARED = np.array(
    [
        [1, 0, 2, 1, 0, 1],
        [0, 3, 1, 4, 2, 0],
        [2, 1, 9, 0, 1, 2],
        [1, 5, 0, 6, 3, 1],
        [0, 2, 1, 3, 8, 4],
    ]
)

_TIE = "The first one, in reading order, gets all of it and the others nothing, as in PyTorch."
_DIVMOD = (
    "np.argmax counts in reading order: place 2 of a 2 x 2 window is in row 1 and "
    "column 0, divmod(2, 2)."
)

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-4.1": Exercise(
        title="The gradient of max pooling with the pencil",
        reference=max_pool_grad(PENCIL_DY, PENCIL_X, 2),
        start="draw the lines that cut X into blocks of 2 x 2 and circle the largest number of "
        "each. dX has the shape of X.",
        praise="Four numbers went out and four came in, each where its maximum was; the other "
        "twelve are 0. The same as a function: exercise 3-4.2.",
        hints=(
            "dX is zero nearly everywhere: only the cell that won its block gets something, "
            "namely the dy of that block.",
            "The winner of the upper left block is the 4 in element [0, 1]. In the upper right "
            "block three cells share the largest number: the first one wins.",
        ),
        mistakes={
            "every tied cell": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, _all),
                "in the upper right block each of the tied cells got the whole dy. " + _TIE,
            ),
            "tied cells share": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, _equal_shares),
                "in the upper right block dy was divided among the tied cells. " + _TIE,
            ),
            "last tied cell": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, _last),
                "in the upper right block the last of the tied cells got dy. " + _TIE,
            ),
            "average": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, lambda w: _spread(w) / 4),
                "each dy was shared out among its block. That is average pooling; here the "
                "largest number gets it all.",
            ),
            "whole block": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, _spread),
                "all four cells of a block got its dy. Three of them can change a "
                "little without any effect on y, so their gradient is 0.",
            ),
            "times the maximum": (
                _sent(PENCIL_DY, PENCIL_X, 2, 2, _rescaled(_first)),
                "each dy was multiplied with the largest number. If that grows "
                "by 1, y grows by 1, whatever its size: dy is passed on as it "
                "is.",
            ),
            "the maximum itself": (
                _sent(np.ones((2, 2)), PENCIL_X, 2, 2, _rescaled(_first)),
                "the largest numbers themselves stand in their places. What belongs there is dy.",
            ),
            "ones": (
                _sent(np.ones((2, 2)), PENCIL_X, 2, 2, _first),
                "the places are right, but a 1 stands in them: the derivative of y. By the "
                "chain rule it is multiplied with dy.",
            ),
            "minimum": (
                _sent(PENCIL_DY, -PENCIL_X, 2, 2, _first),
                "each dy went to the smallest number of its block, not to the largest.",
            ),
            "dy transposed": (
                _sent(PENCIL_DY.T, PENCIL_X, 2, 2, _first),
                "the places are right, but dy01 and dy10 are swapped: dy01 belongs "
                "to the block on the upper right.",
            ),
            "transposed": (
                max_pool_grad(PENCIL_DY, PENCIL_X, 2).T,
                "rows and columns have changed places: element [0, 1] is in the first row.",
            ),
        },
    ),
    "3-4.2": Exercise(
        title="The gradient of max pooling, one matrix",
        reference=max_pool_grad,
        start="make zeros of the shape of x. Which cell of the first window gets dy[0, 0]?",
        praise="It is the forward loop once more, with an argmax in place of the max: what counts "
        "now is where the largest number was. Windows that overlap: exercise 3-4.4.",
        hints=(
            "Go through the windows as in the forward pass: that of (oh, ow) begins at row "
            "size * oh and column size * ow.",
            "np.argmax(window) counts the cells of the window in reading order; "
            "divmod(place, size) turns that number into a row and a column inside the window.",
            "Inside the window is not inside x: add the corner, "
            "dx[size * oh + row, size * ow + column].",
        ),
        mistakes={
            "every tied cell": (
                lambda dy, x, size: _sent(dy, x, size, size, _all),
                "every cell that equals the maximum gets the whole dy. At a tie "
                "that is more than there is. " + _TIE,
            ),
            "tied cells share": (
                lambda dy, x, size: _sent(dy, x, size, size, _equal_shares),
                "tied cells share dy. " + _TIE,
            ),
            "last tied cell": (
                lambda dy, x, size: _sent(dy, x, size, size, _last),
                "of tied cells the last one gets dy (a search with >= goes on to it). " + _TIE,
            ),
            "largest of x": (
                lambda dy, x, size: _all_to_the_largest_of_x(dy, x),
                "argmax is taken of the whole of x, so one cell gets everything. Each "
                "window has a maximum of its own.",
            ),
            "place in window as place in x": (
                lambda dy, x, size: _place_in_window_as_place_in_x(dy, x, size, size),
                "the number that argmax gives counts the cells of the window, not those of x. "
                + _DIVMOD
                + " Then add the window's corner.",
            ),
            "corner forgotten": (
                lambda dy, x, size: _corner_of_window_forgotten(dy, x, size, size),
                "the row and the column inside the window are used as if the window began at "
                "[0, 0] of x. Add its corner.",
            ),
            "divided by the width of x": (
                lambda dy, x, size: _places_divided_by(x.shape[1], dy, x, size, size),
                "the place is divided by the width of x. " + _DIVMOD + " It is the width of the "
                "window that counts.",
            ),
            "row and column swapped": (
                lambda dy, x, size: _sent(
                    dy, x, size, size, lambda w: _at(w, np.argmax(w), order="F")
                ),
                "row and column inside the window have changed places. " + _DIVMOD,
            ),
            "upper left cell": (
                lambda dy, x, size: _sent(dy, x, size, size, lambda w: _at(w, 0)),
                "dy always goes to the upper left cell of its window, not to where "
                "the maximum was.",
            ),
            "whole window": (
                lambda dy, x, size: _sent(dy, x, size, size, _spread),
                "all cells of a window get its dy. Only the maximum had an effect on y.",
            ),
            "average": (
                lambda dy, x, size: _sent(dy, x, size, size, lambda w: _spread(w) / w.size),
                "dy is shared out among the window. That is average pooling; here the "
                "maximum gets it all.",
            ),
            "minimum": (
                lambda dy, x, size: _sent(dy, -x, size, size, _first),
                "dy goes to the smallest number of each window, not to the largest.",
            ),
            "largest absolute value": (
                lambda dy, x, size: _sent(dy, abs(x), size, size, _first),
                "dy goes to the largest absolute value. The maximum of -7 and 2 is 2.",
            ),
            "times the maximum": (
                lambda dy, x, size: _sent(dy, x, size, size, _rescaled(_first)),
                "dy is multiplied with the largest number. If that grows by 1, y grows by 1, "
                "whatever its size: dy is passed on as it is.",
            ),
            "the maximum itself": (
                lambda dy, x, size: _sent(np.ones(dy.shape), x, size, size, _rescaled(_first)),
                "the largest numbers themselves stand in their places. What belongs there is dy.",
            ),
            "ones": (
                lambda dy, x, size: _sent(np.ones(dy.shape), x, size, size, _first),
                "the places are right, but a 1 stands in them. By the chain rule it is "
                "multiplied with dy.",
            ),
            "without the rest": (
                lambda dy, x, size: max_pool_grad(dy, x, size)[_only_the_windows(dy, size)],
                "the rows and columns that no window reaches are missing. dX has the shape of x; "
                "there it is 0.",
            ),
        },
        trials=(
            (
                "four windows, no ties",
                (
                    np.array([[3, -1], [2, 5]]),
                    np.array([[1, 4, 2, 0], [3, 0, 1, 5], [0, 4, 7, 3], [6, -7, 5, 8]]),
                    2,
                ),
            ),
            ("a wide matrix, fractions in dY", (numbers(2, 3) / 4 + 1, numbers(4, 6), 2)),
            ("ties", (np.array([[4, 8], [-4, 2]]), _TIES, 2)),
            (
                "a row and a column left over, small differences in x",
                (numbers(2, 3) - 2, numbers(5, 7) / 8, 2),
            ),
            ("3 x 3 windows, tall", (numbers(3, 2) + 3, numbers(9, 6) - 20, 3)),
        ),
        harmless={
            "result kept in the type of dy": "dX holds the numbers of dY, and sums of them",
        },
    ),
    "3-4.3": Exercise(
        title="The gradient of average pooling, mini-batch",
        reference=avg_pool_grad,
        start="how many cells does a window have, and which part of dy does each of them get?",
        praise="x itself is not needed, only its shape: average pooling is linear, and its "
        "gradient is the same wherever you are.",
        hints=(
            "All cells of a window get the same part of its dy: the parts add up to dy. Where no "
            "window reaches, dX is 0.",
            "dy.repeat(size, axis=2).repeat(size, axis=3) writes each element of dy into a block "
            "of size x size.",
            "Make zeros of shape x_shape and fill their part [:, :, :size * OH, :size * OW].",
        ),
        mistakes={
            "not divided": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size) * size**2,
                "each cell gets the whole dy. It is only one of the numbers that the "
                "average is made of: how many are they in a window?",
            ),
            "divided by size": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size) * size,
                "divided by size. How many cells does a window have?",
            ),
            "divided by H * W": (
                lambda dy, x_shape, size: (
                    avg_pool_grad(dy, x_shape, size) * size**2 / (x_shape[2] * x_shape[3])
                ),
                "divided by H * W. That is global average pooling; here the average runs over a "
                "window.",
            ),
            "floor division": (
                lambda dy, x_shape, size: _filled(
                    dy.repeat(size, 2).repeat(size, 3) // size**2, x_shape
                ),
                "the quotients are rounded down: // drops the fraction, / keeps it.",
            ),
            "tiled": (
                lambda dy, x_shape, size: _tiled(dy, x_shape, size) / size**2,
                "copies of the whole dy lie side by side (np.tile). The four copies of each "
                "single element belong side by side (np.repeat).",
            ),
            "without the rest": (
                lambda dy, x_shape, size: _covered(dy, size),
                "the rows and columns that no window reaches are missing. dX has the shape of x; "
                "there it is 0.",
            ),
            "rest filled": (
                lambda dy, x_shape, size: _filled(_covered(dy, size), x_shape, "edge"),
                "the rows and columns that no window reaches have got something too. They had no "
                "effect on Y: their gradient is 0.",
            ),
            "one cell only": (
                lambda dy, x_shape, size: (
                    avg_pool_grad(dy, x_shape, size)
                    * (np.indices(x_shape)[2:] % size == 0).all(axis=0)
                ),
                "only the upper left cell of each window gets its part. All of them count in the "
                "average.",
            ),
            "all to one cell": (
                lambda dy, x_shape, size: (
                    avg_pool_grad(dy, x_shape, size)
                    * size**2
                    * (np.indices(x_shape)[2:] % size == 0).all(axis=0)
                ),
                "the upper left cell of each window gets all of dy. All cells count in the average "
                "alike.",
            ),
            "channels summed": (
                lambda dy, x_shape, size: (
                    np.zeros(x_shape) + avg_pool_grad(dy, x_shape, size).sum(axis=1, keepdims=True)
                ),
                "the channels are added up. That belongs to a convolution; in pooling each channel "
                "keeps its gradient for itself.",
            ),
            "channels in the average": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size) / x_shape[1],
                "divided by the number of channels as well. The average runs over one window of "
                "one channel.",
            ),
            "images in the average": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size) / x_shape[0],
                "divided by the number of images. The average of a mini-batch, if there is one, is "
                "in dy already.",
            ),
            "H and W swapped": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size).swapaxes(2, 3),
                "H and W have changed places: dX has the shape (N, C, H, W).",
            ),
            "N and C swapped": (
                lambda dy, x_shape, size: avg_pool_grad(dy, x_shape, size).swapaxes(0, 1),
                "N and C have changed places: dX has the shape (N, C, H, W).",
            ),
        },
        trials=(
            ("one image, one channel", (4 * numbers(1, 1, 2, 2), (1, 1, 4, 4), 2)),
            ("fractions in dY", (numbers(1, 2, 2, 1) / 2, (1, 2, 4, 2), 2)),
            ("three channels, wide", (numbers(1, 3, 2, 3), (1, 3, 4, 6), 2)),
            ("two images, three channels, tall", (numbers(2, 3, 3, 2), (2, 3, 6, 4), 2)),
            ("sizes that do not divide", (numbers(3, 4, 3, 2) + 1, (3, 4, 7, 5), 2)),
            ("3 x 3 windows", (numbers(2, 2, 2, 3), (2, 2, 6, 9), 3)),
        ),
    ),
    "3-4.4": Exercise(
        title="The gradient of max pooling, windows that overlap",
        reference=max_pool_grad_overlap,
        start="what changes in your max_pool_grad if the window of (oh, ow) begins at row "
        "stride * oh, and one cell may win several windows?",
        praise="A number that wins several windows has several effects on E, and by the chain rule "
        "they add up. It is the sum that col2im makes.",
        hints=(
            "In your function of exercise 3-4.2, the corner of the window is now "
            "(stride * oh, stride * ow); its size is still size.",
            "A cell can be the maximum of up to four windows of 3 x 3 with stride 2. What should "
            "be in dX then, the last dy or their sum?",
            "dx[row, column] += dy[oh, ow] in a loop adds. dx[rows, columns] += dy with arrays "
            "of indices does not, if a place occurs twice: np.add.at(dx, (rows, columns), dy) "
            "does.",
        ),
        mistakes={
            "assigned": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _first, _the_later),
                "a cell that wins several windows keeps only the last dy. Their effects add up: += "
                "in place of =. (dx[rows, columns] += dy with arrays of indices loses them too; "
                "np.add.at does not.)",
            ),
            "first window only": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _first, _the_earlier),
                "a cell that wins several windows keeps only the first dy. Their effects add up.",
            ),
            "averaged": (
                lambda dy, x, size, stride: (
                    max_pool_grad_overlap(dy, x, size, stride)
                    / np.maximum(max_pool_grad_overlap(np.ones_like(dy), x, size, stride), 1)
                ),
                "the dy of several windows are averaged in the cell that wins them all. They are "
                "added.",
            ),
            "every tied cell": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _all),
                "every cell that equals the maximum gets the whole dy. At a tie "
                "that is more than there is. " + _TIE,
            ),
            "tied cells share": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _equal_shares),
                "tied cells share dy. " + _TIE,
            ),
            "last tied cell": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _last),
                "of tied cells the last one gets dy. " + _TIE,
            ),
            "place in window as place in x": (
                _place_in_window_as_place_in_x,
                "the number that argmax gives counts the cells of the window, not those of x. "
                "divmod(place, size) makes a row and a column of it; then add the corner.",
            ),
            "corner forgotten": (
                _corner_of_window_forgotten,
                "the row and the column inside the window are used as if the window began at "
                "[0, 0] of x. Add its corner.",
            ),
            "divided by the stride": (
                lambda dy, x, size, stride: _places_divided_by(stride, dy, x, size, stride),
                "the place is divided by the stride. np.argmax counts the cells of the window, and "
                "a row of the window has size cells: divmod(place, size).",
            ),
            "divided by the width of x": (
                lambda dy, x, size, stride: _places_divided_by(x.shape[1], dy, x, size, stride),
                "the place is divided by the width of x. np.argmax counts the cells of the window, "
                "and a row of the window has size cells: divmod(place, size).",
            ),
            "row and column swapped": (
                lambda dy, x, size, stride: _sent(
                    dy, x, size, stride, lambda w: _at(w, np.argmax(w), order="F")
                ),
                "row and column inside the window have changed places. divmod(place, size) gives "
                "the row first.",
            ),
            "stride 1": (
                lambda dy, x, size, stride: _sent(dy, x, size, 1, _first),
                "the stride is not used: the window of (oh, ow) begins at "
                "[stride * oh, stride * ow].",
            ),
            "window as long as stride": (
                lambda dy, x, size, stride: _sent(dy, x, stride, stride, _first),
                "the window is as long as the stride. Its length is size; the stride says where "
                "the next one begins.",
            ),
            "whole window": (
                lambda dy, x, size, stride: _sent(dy, x, size, stride, _spread),
                "all cells of a window get its dy. Only the maximum had an effect on y.",
            ),
            "average": (
                lambda dy, x, size, stride: _sent(
                    dy, x, size, stride, lambda w: _spread(w) / size**2
                ),
                "dy is shared out among the window. That is average pooling; here the "
                "maximum gets it all.",
            ),
            "minimum": (
                lambda dy, x, size, stride: _sent(dy, -x, size, stride, _first),
                "dy goes to the smallest number of each window, not to the largest.",
            ),
        },
        trials=(
            ("one number wins four windows", (np.array([[1, 2], [3, 5]]), _SHARED[:, :5], 3, 2)),
            ("a column left over, wide", (np.array([[1, 2], [3, 5]]), _SHARED, 3, 2)),
            ("stride 1, ties", (numbers(3, 3) - 5, _TIES, 2, 1)),
            ("tall, fractions in dY", (numbers(3, 2) / 4 + 2, numbers(7, 5), 3, 2)),
            (
                "a stride wider than the window, small differences in x",
                (numbers(2, 3) + 1, numbers(5, 8) / 8 - 3, 2, 3),
            ),
            ("windows that do not overlap", (numbers(2, 3) + 7, numbers(4, 6), 2, 2)),
        ),
        harmless={
            "result kept in the type of dy": "dX holds the numbers of dY, and sums of them",
        },
    ),
    "3-4.5": Exercise(
        title="How much of dX is not zero",
        reference=8 * 16 * 14 * 14,
        start="what is the shape of Y? And how many cells of X does each element of dY go to?",
        praise="Each element of dY goes to one cell, so dX has at most as many numbers that are "
        "not zero as Y has numbers: a quarter of X. (Fewer, if some dy are 0 themselves.)",
        hints=(
            "28 x 28 cells make 14 x 14 windows. Each of them has one winner.",
            "Every image and every channel has its own windows.",
        ),
        mistakes={
            "all": (
                8 * 16 * 28 * 28,
                "that is all of dX. In each window only one cell of four gets something.",
            ),
            "the zeros": (
                8 * 16 * (28 * 28 - 14 * 14),
                "those are the zeros. The others are asked for.",
            ),
            "one image": (16 * 14 * 14, "that is one image. There are 8 of them."),
            "one channel": (8 * 14 * 14, "that is one channel of every image. There are 16."),
            "one matrix": (
                14 * 14,
                "that is one channel of one image. Each channel of each image "
                "has windows of its own.",
            ),
            "stride 1": (
                8 * 16 * 27 * 27,
                "that is the number of windows if they move by one. Here the stride is the size.",
            ),
            "half": (
                8 * 16 * 14 * 28,
                "half is too many: a window is 2 cells wide and 2 cells high.",
            ),
            "25 percent": (25, "that is the percentage. How many numbers are that?"),
            "a quarter": (0.25, "that is the fraction. How many numbers are that?"),
        },
    ),
    "3-4.6": Exercise(
        title="What numerical differentiation finds at a tie",
        reference=np.where(TIED == 5, _TIED_DY / 2, 0),
        start="raise the upper left 5 by a little, by δ. What is the maximum then? And if you "
        "lower it by δ instead?",
        praise="Half of dy in each tied cell, together 9, though dy is only 6: no error of yours "
        "and none of the layer. Where there is no derivative, the quotient does not find "
        "one.",
        hints=(
            "With 5 + δ in one cell the maximum is 5 + δ. With 5 - δ in it the maximum is still 5, "
            "because of the other two.",
            "The central difference of y is ((5 + δ) - 5) / 2δ for a tied cell. E changes dy times "
            "as much as y.",
        ),
        mistakes={
            "first one": (
                np.array([[6, 0], [0, 0]]),
                "that is what backward gives by its rule. The difference quotient knows "
                "no rule: it looks at every cell by itself.",
            ),
            "shared": (
                np.array([[2, 2], [2, 0]]),
                "the gradient was divided among the three. The quotient looks at every "
                "cell by itself and does not know how many are tied with it.",
            ),
            "whole": (
                np.array([[6, 6], [6, 0]]),
                "that is the forward difference, (E(x + δ) - E(x)) / δ. The central one "
                "divides by 2h, and on the other side nothing moves.",
            ),
            "nothing": (
                np.zeros((2, 2)),
                "lowering one of them changes nothing, but raising it does.",
            ),
            "without dy": (
                np.array([[0.5, 0.5], [0.5, 0]]),
                "that is the quotient of y. E changes dy = 6 times as much.",
            ),
            "average": (
                np.full((2, 2), 1.5),
                "that is average pooling. Changing the 1 a little does not move the maximum.",
            ),
            "all four": (
                np.full((2, 2), 3.0),
                "the 1 has no effect: it can be raised by δ and is still far from 5.",
            ),
        },
    ),
}
