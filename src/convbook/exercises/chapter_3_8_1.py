"""The exercises of the page on autoencoders and transposed convolution."""

from __future__ import annotations

import numpy as np

from .checking import Exercise

# --- reference solutions -------------------------------------------------------------------------


def larger_length(size, kernel_size, stride, padding, output_padding):
    return (size - 1) * stride - 2 * padding + kernel_size + output_padding


def pull_apart(x, stride, ring):
    return _pulled(x, stride, ring)


def lay_down(x, f, stride):
    return _laid(x, f, stride)


def strangeness(x, restored):
    return _per_image((restored - x) ** 2) / _per_image(x**2)


def share_of_pairs(known, strange):
    return _pairs(known, strange)


def _pulled(x, stride, ring, behind=None, between=None):
    """Return x with zeros between and around; the further arguments spoil a part of it."""
    (h, w), between = x.shape, stride if between is None else between
    y = np.zeros(((h - 1) * between + 1, (w - 1) * between + 1), x.dtype)
    y[::between, ::between] = x
    return np.pad(y, ((ring, ring if behind is None else behind),) * 2)


def _laid(x, f, stride, add=np.add):
    (h, w), (fh, fw) = x.shape, f.shape
    y = np.zeros(((h - 1) * stride + fh, (w - 1) * stride + fw), np.result_type(x, f))
    for i, j in np.ndindex(h, w):
        part = y[i * stride : i * stride + fh, j * stride : j * stride + fw]
        part[...] = add(part, x[i, j] * f)
    return y


def _per_image(values):
    return values.reshape(len(values), -1).mean(axis=1)


def _pairs(known, strange, tie=0.5):
    above = strange[:, None] > known
    return float((above + tie * (strange[:, None] == known)).mean())


# --- wrong solutions that take more than a line --------------------------------------------------


def _on_a_grid_of_the_stride(x, f, stride):
    """Blocks of the stride's size, the rest of the filter cut off."""
    (h, w), (fh, fw) = x.shape, f.shape
    y = np.zeros(((h - 1) * stride + fh, (w - 1) * stride + fw), np.result_type(x, f))
    for i, j in np.ndindex(h, w):
        part = y[i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
        part[...] = x[i, j] * f[: part.shape[0], : part.shape[1]]
    return y


def _averaged(x, f, stride):
    counts = _laid(np.ones_like(x), np.ones_like(f), stride)
    return _laid(x, f, stride) / np.maximum(counts, 1)


def _repeated(x, stride, ring):
    y = np.repeat(np.repeat(x, stride, axis=0), stride, axis=1)
    return np.pad(y[: (len(x) - 1) * stride + 1, : (x.shape[1] - 1) * stride + 1], ring)


def _zeros_behind_each(x, stride, ring):
    y = np.zeros((x.shape[0] * stride, x.shape[1] * stride), x.dtype)
    y[::stride, ::stride] = x
    return np.pad(y, ring)


# --- material ------------------------------------------------------------------------------------

# X and F of the first exercise, and the transposed convolution with stride 1.
_X, _F = np.array([[2, 1, 0], [-1, 0, 3]]), np.array([[1, -1], [2, 3]])
_LAID = _laid(_X, _F, 1)


def _draw(seed, *shape, low=-4, high=5):
    return np.random.default_rng(seed).integers(low, high, shape)


def _pictures(seed, *shape):
    """Pixels and what came out, with fractions, none of them 0."""
    rng = np.random.default_rng(seed)
    return (rng.random(shape) + 0.1).round(2), (rng.random(shape) + 0.1).round(2)


EXERCISES = {
    "3-8-1.1": Exercise(
        title="Filters laid down, with the pencil",
        reference=_LAID,
        start="the result has 3 rows and 4 columns. Lay F down with its upper left corner at the "
        "first pixel's place, every number times 2.",
        praise="Each pixel has left its trace, and where traces overlap they are added.",
        hints=(
            "Six filters are laid down, one for each pixel: 2·F at the upper left, 1·F one column "
            "to the right, 0·F beside it, and so on.",
            "The first row gets traces of the first row of pixels alone, the last row those of "
            "the second row alone, the middle row both.",
            "The first row is 2·1, 2·(-1) + 1·1, 1·(-1) + 0·1, 0·(-1).",
        ),
        mistakes={
            "turned": (
                _laid(_X, _F[::-1, ::-1], 1),
                "the filter is laid down turned by 180°. It is turned in the view with the zeros, "
                "where it slides; to lay it down, take it as it is.",
            ),
            "overwritten": (
                _laid(_X, _F, 1, add=lambda old, new: new),
                "where filters overlap, the later one covers the earlier. They are added.",
            ),
            "averaged": (
                _averaged(_X.astype(float), _F, 1),
                "where filters overlap, their mean is taken. They are added.",
            ),
            "filter transposed": (
                _laid(_X, _F.T, 1),
                "rows and columns of the filter have changed places. What is transposed is "
                "the large matrix, not F.",
            ),
            "signs lost": (
                _laid(_X, abs(_F), 1),
                "the minus sign of the filter is lost.",
            ),
            "signs of the pixels lost": (
                _laid(abs(_X), _F, 1),
                "the pixel in the lower left corner is -1: its filter is subtracted.",
            ),
            "maximum": (
                _laid(_X, _F, 1, add=np.maximum),
                "where filters overlap, the larger number is kept. They are added.",
            ),
            "mirrored left and right": (
                _laid(_X, _F[:, ::-1], 1),
                "the filter's columns are mirrored. It is laid down as it is.",
            ),
            "mirrored up and down": (
                _laid(_X, _F[::-1], 1),
                "the filter's rows are mirrored. It is laid down as it is.",
            ),
        },
    ),
    "3-8-1.2": Exercise(
        title="The length of the output",
        reference=larger_length,
        start="from the first filter to the last there are size - 1 steps. Where does the last "
        "one end?",
        praise="It is the formula of the convolution, solved for the input; the output padding is "
        "what the floor has swallowed.",
        hints=(
            "Without padding: the first filter begins at 0, the last at (size - 1) · stride, and "
            "it is kernel_size long.",
            "The padding is cut off at both ends. The output padding is added once.",
        ),
        mistakes={
            "forwards": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size + 2 * padding - kernel_size) // stride + 1 + output_padding
                ),
                "that is the length of an ordinary convolution. This one goes the other way.",
            ),
            "size steps": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    size * stride - 2 * padding + kernel_size + output_padding
                ),
                "from the first of size filters to the last there are size - 1 steps, not size.",
            ),
            "padding added": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride + 2 * padding + kernel_size + output_padding
                ),
                "the padding is added. It is cut off here, since a convolution would add it on the "
                "way back.",
            ),
            "padding once": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride - padding + kernel_size + output_padding
                ),
                "the padding is cut off at one end only.",
            ),
            "output padding twice": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride - 2 * padding + kernel_size + 2 * output_padding
                ),
                "the output padding is added at both ends. It is added at the far end only.",
            ),
            "no output padding": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride - 2 * padding + kernel_size
                ),
                "the output padding is forgotten.",
            ),
            "no padding": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride + kernel_size + output_padding
                ),
                "the padding is not cut off.",
            ),
            "kernel - 1": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride - 2 * padding + kernel_size - 1 + output_padding
                ),
                "one is missing: the last filter covers kernel_size cells, not kernel_size - 1.",
            ),
            "times stride": (
                lambda size, kernel_size, stride, padding, output_padding: size * stride,
                "size times stride is right for some settings only. Filter and padding count too.",
            ),
            "one step too many": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size + 1) * stride + kernel_size - 2 * padding + output_padding
                ),
                "between the first filter and the last are size - 1 steps, one fewer than there "
                "are rows, not one more.",
            ),
            "size times stride": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    size * stride + output_padding
                ),
                "that holds only where the filter and the padding fit the stride. Begin with where"
                " the last filter ends.",
            ),
            "output padding subtracted": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride + kernel_size - 2 * padding - output_padding
                ),
                "the output padding adds rows; it takes none away.",
            ),
            "padding times stride": (
                lambda size, kernel_size, stride, padding, output_padding: (
                    (size - 1) * stride + kernel_size - 2 * padding * stride + output_padding
                ),
                "the padding is multiplied by the stride. It is counted in rows of the output.",
            ),
        },
        trials=(
            ("stride 1", (4, 3, 1, 0, 0)),
            ("stride 2", (5, 4, 2, 0, 0)),
            ("with padding", (7, 4, 2, 1, 0)),
            ("with output padding", (7, 3, 2, 1, 1)),
            ("a large stride", (3, 6, 5, 2, 3)),
            ("one pixel", (1, 5, 3, 0, 2)),
        ),
        dtype=int,
    ),
    "3-8-1.3": Exercise(
        title="Zeros between and around",
        reference=pull_apart,
        start="how long is a row with stride 2 and ring 0? Make an array of zeros of that size.",
        praise="Now a convolution with the turned filter, stride 1, does the rest.",
        hints=(
            "Between the first pixel and the last there are size - 1 steps of stride cells: "
            "(size - 1) · stride + 1 cells in all.",
            "y[::stride, ::stride] = x puts all pixels into their places at once.",
            "np.pad lays zeros around y.",
        ),
        mistakes={
            "zeros behind the last": (
                _zeros_behind_each,
                "there are zeros behind the last pixel as well. Zeros come between "
                "neighbours only; what comes around is the ring.",
            ),
            "stride zeros": (
                lambda x, stride, ring: _pulled(x, stride, ring, between=stride + 1),
                "there are stride zeros between two pixels. There are stride - 1: the pixels "
                "stand stride cells apart.",
            ),
            "repeated": (
                _repeated,
                "the pixels are repeated. Between them there are zeros.",
            ),
            "ring in front only": (
                lambda x, stride, ring: _pulled(x, stride, ring, behind=0),
                "the ring is missing below and on the right.",
            ),
            "no ring": (
                lambda x, stride, ring: _pulled(x, stride, 0),
                "there is no ring.",
            ),
            "ring of stride": (
                lambda x, stride, ring: _pulled(x, stride, stride),
                "the ring is as wide as the stride. Its width is ring.",
            ),
            "not pulled apart": (
                lambda x, stride, ring: np.pad(x, ring),
                "there are no zeros between the pixels.",
            ),
            "one ring": (
                lambda x, stride, ring: _pulled(x, stride, min(ring, 1)),
                "there is one ring of zeros at most, whatever ring says.",
            ),
            "ring pulled apart, too": (
                lambda x, stride, ring: pull_apart(np.pad(x, ring), stride, 0),
                "the ring was laid first, and then pulled apart as well. It comes last.",
            ),
            "ones": (
                lambda x, stride, ring: (
                    _pulled(x, stride, ring) + (1 - _pulled(np.ones_like(x), stride, ring))
                ),
                "the gaps hold ones. Zeros are asked for.",
            ),
            "zeros in front of each": (
                lambda x, stride, ring: np.pad(
                    pull_apart(x, stride, 0), ((stride - 1 + ring, ring), (stride - 1 + ring, ring))
                ),
                "there are zeros before the first element, too. They are between neighbours only.",
            ),
            "ring at left and right only": (
                lambda x, stride, ring: np.pad(pull_apart(x, stride, 0), ((0, 0), (ring, ring))),
                "the ring is missing above and below.",
            ),
        },
        trials=(
            ("stride 2, no ring", (_draw(1, 2, 3), 2, 0)),
            ("stride 1, a ring", (_draw(2, 3, 2), 1, 1)),
            ("stride 3, two rings", (_draw(3, 2, 4), 3, 2)),
            ("one row, three rings", (_draw(4, 1, 5), 2, 3)),
            ("fractions", (_draw(5, 3, 4) / 4, 2, 1)),
            ("one pixel", (np.array([[3]]), 4, 2)),
        ),
        harmless={"result kept in the type of x": "it holds pixels of x, and zeros"},
    ),
    "3-8-1.4": Exercise(
        title="A transposed convolution",
        reference=lay_down,
        start="make an array of zeros that is large enough. Then the first pixel alone: x[0, 0] "
        "times f, in the upper left corner.",
        praise="That is all of it. Padding would cut a ring off, channels would be one more sum.",
        hints=(
            "The filter of pixel (i, j) begins in row stride · i and column stride · j, and is "
            "as large as f.",
            "Add with +=, since filters overlap when f is larger than the stride.",
            "y[i * stride : i * stride + FH, j * stride : j * stride + FW] += x[i, j] * f",
        ),
        mistakes={
            "overwritten": (
                lambda x, f, stride: _laid(x, f, stride, add=lambda old, new: new),
                "where filters overlap, the later one covers the earlier. Add with +=.",
            ),
            "turned": (
                lambda x, f, stride: _laid(x, f[::-1, ::-1], stride),
                "the filter is turned by 180°. It is turned where it slides over the dilated "
                "input; to lay it down, take it as it is.",
            ),
            "cut to the stride": (
                _on_a_grid_of_the_stride,
                "only the part of the filter is laid down that is as large as the stride. The "
                "whole filter is, and neighbours overlap.",
            ),
            "averaged": (
                _averaged,
                "where filters overlap, their mean is taken. They are added.",
            ),
            "maximum": (
                lambda x, f, stride: _laid(x, f, stride, add=np.maximum),
                "where filters overlap, the larger number is kept. They are added.",
            ),
            "stride 1": (
                lambda x, f, stride: _laid(x, f, 1),
                "the filters are laid down side by side. They are stride cells apart.",
            ),
            "filter alone": (
                lambda x, f, stride: _laid(np.ones_like(x), f, stride),
                "the filters are not multiplied by the pixels.",
            ),
            "filter transposed": (
                lambda x, f, stride: _laid(x, f.T, stride),
                "rows and columns of the filter have changed places.",
            ),
            "mirrored left and right": (
                lambda x, f, stride: lay_down(x, f[:, ::-1], stride),
                "the filter's columns are mirrored. It is laid down as it is.",
            ),
            "mirrored up and down": (
                lambda x, f, stride: lay_down(x, f[::-1], stride),
                "the filter's rows are mirrored. It is laid down as it is.",
            ),
            "side by side": (
                lambda x, f, stride: np.kron(x, f),
                "the filters lie side by side. Their distance is the stride, whatever their size, "
                "and where they overlap, they add.",
            ),
        },
        trials=(
            ("filters side by side", (_draw(6, 2, 3), _draw(7, 2, 2), 2)),
            ("stride 1", (_draw(8, 2, 3), _draw(9, 3, 2), 1)),
            ("stride 2, overlapping", (_draw(10, 3, 2), _draw(11, 3, 4), 2)),
            ("fractions in the filter", (_draw(12, 2, 4), _draw(13, 3, 3) / 8, 2)),
            ("fractions in the pixels", (_draw(12, 2, 3) / 4, _draw(13, 2, 3), 1)),
            ("a stride larger than the filter", (_draw(14, 3, 4), _draw(15, 1, 2), 3)),
            ("one pixel", (np.array([[-2]]), _draw(16, 2, 3), 2)),
        ),
    ),
    "3-8-1.5": Exercise(
        title="How strange an image is",
        reference=strangeness,
        start="what is the mean squared difference of the first image from what came out?",
        praise="With the ink in the denominator, a 1 has no advantage from having few strokes.",
        hints=(
            "(restored - x) ** 2 has the shape of x. The mean over all axes but the first "
            "leaves one number for each image.",
            ".mean(axis=(1, 2, 3)) is that mean, and x**2 gets the same.",
        ),
        mistakes={
            "not divided": (
                lambda x, restored: _per_image((restored - x) ** 2),
                "that is the error alone. Divide it by the ink of the image.",
            ),
            "absolute": (
                lambda x, restored: _per_image(abs(restored - x)) / _per_image(x**2),
                "the differences are not squared.",
            ),
            "ink of what came out": (
                lambda x, restored: _per_image((restored - x) ** 2) / _per_image(restored**2),
                "it is divided by the ink of what came out. A network that answers with "
                "an empty picture would divide by 0.",
            ),
            "ink not squared": (
                lambda x, restored: _per_image((restored - x) ** 2) / _per_image(x),
                "the ink is the mean of the pixels themselves. It is the mean of their squares.",
            ),
            "whole batch": (
                lambda x, restored: _per_image((restored - x) ** 2) / (x**2).mean(),
                "all images are divided by the ink of all of them together. Each has its own.",
            ),
            "root": (
                lambda x, restored: np.sqrt(_per_image((restored - x) ** 2) / _per_image(x**2)),
                "a root was taken.",
            ),
            "sum of errors": (
                lambda x, restored: (
                    ((restored - x) ** 2).reshape(len(x), -1).sum(axis=1) / _per_image(x**2)
                ),
                "the errors are summed and the ink is averaged. Take the same of both.",
            ),
            "turned over": (
                lambda x, restored: _per_image(x**2) / _per_image((restored - x) ** 2),
                "numerator and denominator have changed places.",
            ),
            "mean of quotients": (
                lambda x, restored: _per_image((restored - x) ** 2 / np.where(x == 0, 1e-9, x**2)),
                "each pixel is divided by its own ink, and the mean taken of that. Divide the one "
                "mean by the other.",
            ),
            "square of the mean": (
                lambda x, restored: _per_image(restored - x) ** 2 / _per_image(x**2),
                "the mean difference was squared. Square each difference, and take the mean of the"
                " squares.",
            ),
            "variance for ink": (
                lambda x, restored: (
                    _per_image((restored - x) ** 2) / x.reshape(len(x), -1).var(axis=1)
                ),
                "it is divided by the variance of the pixels. The ink is the mean of their "
                "squares.",
            ),
            "difference of squares": (
                lambda x, restored: _per_image(x**2 - restored**2) / _per_image(x**2),
                "that is the difference of the squares. Asked for is the square of the "
                "differences.",
            ),
        },
        trials=(
            ("two small images", _pictures(1, 2, 1, 2, 3)),
            (
                "images of very different ink",
                tuple(
                    np.array([1, 0.1, 3])[:, None, None, None] * a for a in _pictures(2, 3, 1, 3, 4)
                ),
            ),
            ("two channels", _pictures(3, 3, 2, 3, 5)),
            ("whole numbers", (_draw(4, 2, 1, 3, 4, low=1), _draw(5, 2, 1, 3, 4, low=0))),
            ("numbers below zero", (_draw(6, 4, 1, 2, 3) + 0.5, _draw(7, 4, 1, 2, 3) / 4)),
        ),
        harmless={
            "result with the sign lost": "squares are not negative",
            "result with negative numbers set to 0": "squares are not negative",
        },
    ),
    "3-8-1.6": Exercise(
        title="The share of pairs",
        reference=share_of_pairs,
        start="with one known and one strange image there is one pair. When does it count?",
        praise="That is the area under the ROC curve, without a curve and without a threshold.",
        hints=(
            "strange[:, None] > known is a table of all pairs, True where the strange one has "
            "the higher score.",
            "The mean of that table is the share. A tie is half a pair: add half of the mean of "
            "strange[:, None] == known.",
        ),
        mistakes={
            "wrong way round": (
                lambda known, strange: _pairs(strange, known),
                "that is the share of pairs in which the known one has the higher score.",
            ),
            "ties lost": (
                lambda known, strange: _pairs(known, strange, tie=0),
                "ties count nothing. Each of them counts half.",
            ),
            "ties won": (
                lambda known, strange: _pairs(known, strange, tie=1),
                "ties count as if they were won. Each of them counts half.",
            ),
            "number of pairs": (
                lambda known, strange: _pairs(known, strange) * known.size * strange.size,
                "that is the number of pairs. Divide it by the number of all.",
            ),
            "against the mean": (
                lambda known, strange: float((strange > known.mean()).mean()),
                "the strange ones are compared with the mean of the known ones. Compare each "
                "with each.",
            ),
            "against the largest": (
                lambda known, strange: float((strange > known.max()).mean()),
                "the strange ones are compared with the largest of the known ones. Compare each "
                "with each.",
            ),
            "only pairs of one place": (
                lambda known, strange: float(
                    (strange[: len(known)] > known[: len(strange)]).mean()
                    + (strange[: len(known)] == known[: len(strange)]).mean() / 2
                ),
                "the first is compared with the first, the second with the second. Compare each "
                "with each.",
            ),
            "ties left out": (
                lambda known, strange: float(
                    (strange[:, None] > known).sum() / max((strange[:, None] != known).sum(), 1)
                ),
                "ties are left out of the count of pairs. Each of them is a pair, and counts half.",
            ),
            "over the number of scores": (
                lambda known, strange: (
                    _pairs(known, strange) * known.size * strange.size / (known.size + strange.size)
                ),
                "it is divided by the number of scores. There are as many pairs as the product of "
                "the two lengths.",
            ),
            "won minus lost": (
                lambda known, strange: 2 * _pairs(known, strange) - 1,
                "that is the share of pairs won minus that of pairs lost.",
            ),
            "against the median": (
                lambda known, strange: float((strange > np.median(known)).mean()),
                "the strange ones are compared with the median of the known ones. Compare each "
                "with each.",
            ),
        },
        trials=(
            ("one pair", (np.array([1.0]), np.array([2.0]))),
            ("no ties", (np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.3, 0.9]))),
            ("more strange than known", (np.array([0.5, -0.2]), np.array([0.1, 0.7, 0.6, -0.4]))),
            ("a tie", (np.array([1.0, 2, 3]), np.array([2.0, 4]))),
            ("many ties", (_draw(8, 9, low=0, high=4), _draw(9, 6, low=1, high=5))),
            ("all alike", (np.array([0.25, 0.25]), np.array([0.25]))),
            ("below zero", (np.array([-0.5, -0.25, -1]), np.array([-0.3, -2.0, -0.75, -0.1]))),
        ),
        harmless={
            "result with the sign lost": "a share is not negative",
            "result with negative numbers set to 0": "a share is not negative",
            "result at most 1": "a share is at most 1",
            "* reversed along axis 0": "the order of the scores makes no difference",
            "* rolled along axis 0": "the order of the scores makes no difference",
        },
    ),
}
