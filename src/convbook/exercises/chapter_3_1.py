"""The exercises of chapter 3-1, the convolution operation."""

from __future__ import annotations

import math

import numpy as np

from .. import functional
from .checking import Exercise, numbers
from .wording import paragraph, side_by_side

# --- reference solutions -------------------------------------------------------------------------


def correlate(x, f):
    return _correlate(x, f)


def output_length(size, kernel_size, stride, padding):
    return functional.output_size(size, kernel_size, stride, padding)


def correlate_strided(x, f, b, stride, padding):
    return _correlate(x, f, stride, padding) + b


def conv_batch(x, f, b):
    return functional.conv2d(x, f, b)


def windows(x, FH, FW):
    x_tilde = np.empty((x.shape[0] - FH + 1, x.shape[1] - FW + 1, FH, FW), x.dtype)
    for fh, fw in np.ndindex(FH, FW):
        x_tilde[:, :, fh, fw] = x[fh : fh + x_tilde.shape[0], fw : fw + x_tilde.shape[1]]
    return x_tilde


def _correlate(x, f, stride=1, padding=0):
    return functional.conv2d(x[None, None], f[None, None], None, stride, padding)[0, 0]


# --- wrong solutions that take more than a line --------------------------------------------------


def _output_shape_swapped(x, f):
    FH, FW = f.shape
    OH, OW = x.shape[0] - FH + 1, x.shape[1] - FW + 1
    y = np.zeros((OW, OH))
    for oh in range(OH):
        for ow in range(OW):
            y[oh, ow] = np.sum(x[oh : oh + FH, ow : ow + FW] * f)
    return y


def _loops_swapped(x, f):
    FH, FW = f.shape
    OH, OW = x.shape[0] - FH + 1, x.shape[1] - FW + 1
    y = np.zeros((OH, OW))
    for oh in range(OW):
        for ow in range(OH):
            y[oh, ow] = np.sum(x[oh : oh + FH, ow : ow + FW] * f)
    return y


def _slice_ends_at_filter_size(x, f):
    FH, FW = f.shape
    OH, OW = x.shape[0] - FH + 1, x.shape[1] - FW + 1
    y = np.zeros((OH, OW))
    for oh in range(OH):
        for ow in range(OW):
            y[oh, ow] = np.sum(x[oh:FH, ow:FW] * f)
    return y


def _matrix_product(x, f):
    FH, FW = f.shape
    return np.sum(windows(x, FH, FW) @ f, axis=(2, 3))


def _last_weight_only(f):
    """Return a filter that does what is left of f where each product overwrites the one before."""
    last = np.zeros(f.shape[-2:])
    last[-1, -1] = 1
    return f * last


def _columns_reshaped(x, f, b):
    """Give the product of columns and filters, (N * OH * OW, OC), the right shape in one step."""
    y = functional.conv2d(x, f, b)
    return y.transpose(0, 2, 3, 1).reshape(y.shape)


def _one_channel_each(x, f):
    """Return the products summed over each window, but not over the channels (5 axes)."""
    C = x.shape[1]
    single = [functional.conv2d(x[:, c : c + 1], f[:, c : c + 1]) for c in range(C)]
    return np.stack(single, axis=2)


# --- material ------------------------------------------------------------------------------------

PENCIL_X = np.array([[2, 0, 1, 3], [1, 1, 0, 2], [0, 3, 1, 1]])
PENCIL_F = np.array([[1, -1], [0, 2]])

SMALL_PICTURE = np.array(
    [
        [0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
)


# 3-1.6: the steps by their numbers on the page, in the order of the proof; 2 and 8 are false.
PROOF = np.array([3, 5, 6, 1, 7, 4])
_STEPS = 8


def _proof(with_, in_place_of):
    return np.where(PROOF == in_place_of, with_, PROOF)


def _show_proof(steps):
    if not set(steps.tolist()) <= set(range(1, _STEPS + 1)):
        return paragraph(f"The steps have the numbers 1 to {_STEPS}.")
    if len(set(steps.tolist())) < len(steps):
        return paragraph("A step stands there twice. Each is needed once at most.")
    right = int(np.argmin(np.append(steps == PROOF, False)))
    so_far = (
        f"the first {right} steps follow from each other"
        if right > 1
        else ("the first step is a good beginning" if right else "the proof does not begin there")
    )
    return paragraph(
        f"As far as it can be read: {so_far}. Look again at step {steps[right]:g}, in "
        f"place {right + 1}."
    )


def _one_at(row, column):
    f = np.zeros((3, 3), dtype=int)
    f[row, column] = 1
    return f


def _show_shift(f):
    wanted, yours = (_correlate(SMALL_PICTURE, g, 1, 1) for g in (_one_at(1, 0), f))
    return side_by_side(picture=SMALL_PICTURE, wanted=wanted, yours=yours)


_FLIPPED = (
    "the filter is flipped. That is the mathematician's convolution; here the filter is "
    "laid on as it is, F[0, 0] on the upper left element of the window."
)
_PLUS_ONE = (
    "one output row and column are missing. A window that fits in exactly still has one "
    "place, so the number of places is the number of steps + 1."
)
_OVERWRITTEN = (
    "of all the products of an output element only the last is left: each turn of the "
    "loop overwrites what the turns before have written. They are added up: += in "
    "place of =, on a result that begins with zeros."
)
_NO_BIAS = "the bias is missing: b is added to every output element, once."

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-1.1": Exercise(
        title="A convolution with the pencil",
        reference=_correlate(PENCIL_X, PENCIL_F),
        start="how many places has a 2 x 2 window on 3 rows and on 4 columns? That is the shape.",
        praise="Each element is the sum of one window times the filter, and a 3 x 4 input has "
        "2 x 3 windows of 2 x 2. The same as a function: exercise 3-1.2.",
        hints=(
            "Draw an empty matrix for the output: as many rows as the window has places going "
            "down, as many columns as it has places going right.",
            "Lay the filter on the upper left corner. Multiply the four pairs of numbers lying on "
            "each other and add the four products: that is element [0, 0].",
            "Element [1, 2] belongs to the window whose upper left corner is row 1, column 2 of "
            "the input. Mind the signs: one of the four weights is negative and one is 0.",
        ),
        mistakes={
            "flipped filter": (_correlate(PENCIL_X, PENCIL_F[::-1, ::-1]), _FLIPPED),
            "transposed": (
                _correlate(PENCIL_X, PENCIL_F).T,
                "rows and columns of the output have changed places. Going down in the "
                "input goes down in the output.",
            ),
            "transposed filter": (
                _correlate(PENCIL_X, PENCIL_F.T),
                "rows and columns of the filter have changed places.",
            ),
            "sign lost": (
                _correlate(PENCIL_X, abs(PENCIL_F)),
                "the minus sign in the filter was overlooked.",
            ),
            "first row only": (
                _correlate(PENCIL_X, PENCIL_F * [[1], [0]]),
                "only the first row of the filter was used; the 2 below it counts as well.",
            ),
            "stride 2": (
                _correlate(PENCIL_X, PENCIL_F, 2),
                "the window moved on by two. Without a stride being named it moves by "
                "one, so the windows overlap.",
            ),
            "padded": (
                _correlate(PENCIL_X, PENCIL_F, 1, 1),
                "zeros were laid around the input. No padding is asked for: the window "
                "stays inside.",
            ),
            "matrix product": (
                _matrix_product(PENCIL_X, PENCIL_F),
                "window and filter were multiplied as matrices. Here each element "
                "of the window is multiplied by the one weight lying on it.",
            ),
        },
        windows=True,
    ),
    "3-1.2": Exercise(
        title="The convolution of one matrix with one filter",
        reference=correlate,
        start="read H, W from the shape of x and FH, FW from that of f, work out the shape "
        "(OH, OW) of the result, and begin with zeros of that shape.",
        praise="Slide, multiply, add: that is the whole operation, for any shape. What stride, "
        "padding and bias add to it is exercise 3-1.5.",
        hints=(
            "Make an array of zeros for the result first. Its shape is that of the places of the "
            "window: OH = H - FH + 1, and OW likewise.",
            "Loop over the weights: fh from 0 to FH - 1 and fw from 0 to FW - 1. While the filter "
            "slides, the weight (fh, fw) meets one number of x for each output element.",
            "The numbers that the weight (fh, fw) meets are a slice of x: it begins at row fh and "
            "column fw and has the shape (OH, OW) of the result. That slice, times the weight, is "
            "added to the whole result.",
        ),
        mistakes={
            "flipped": (lambda x, f: _correlate(x, f[::-1, ::-1]), _FLIPPED),
            "filter transposed": (
                lambda x, f: _correlate(x, f.T),
                "the filter is transposed: its rows belong to the rows of x.",
            ),
            "output transposed": (
                lambda x, f: _correlate(x, f).T,
                "the result is transposed: the first index, oh, goes down the "
                "rows of x, the second, ow, along its columns.",
            ),
            "forgot +1": (lambda x, f: _correlate(x, f)[:-1, :-1], _PLUS_ONE),
            "output shape swapped": (
                _output_shape_swapped,
                "OH and OW are swapped in the shape of the result. As long as "
                "the input is square nobody notices; the first length is "
                "the number of rows.",
            ),
            "loops swapped": (
                _loops_swapped,
                "the loops run over the wrong axes: oh runs over OH values, ow over "
                "OW. As long as the input is square nobody notices.",
            ),
            "window start swapped": (
                lambda x, f: _correlate(x.T, f),
                "the window begins at (ow, oh) and not at (oh, ow): the first index is the row.",
            ),
            "overwritten": (lambda x, f: _correlate(x, _last_weight_only(f)), _OVERWRITTEN),
            "no sum": (
                lambda x, f: windows(x, *f.shape) * f,
                "the products are not added up. Each window, multiplied by the filter, "
                "becomes one single number.",
            ),
            "mean": (
                lambda x, f: _correlate(x, f) / f.size,
                "the products are averaged. They are to be added up; an average is the "
                "business of the filter's weights.",
            ),
            "slice to filter size": (
                _slice_ends_at_filter_size,
                "the slice always ends at the filter's size. The window "
                "moves, so its end must move along with its start.",
            ),
            "matrix product": (
                _matrix_product,
                "window and filter are multiplied as matrices. Wanted is the "
                "product element by element.",
            ),
            "same size": (
                lambda x, f: _correlate(x, f, 1, ((0, f.shape[0] - 1), (0, f.shape[1] - 1))),
                "the result has the shape of x: the window also stands where part of it "
                "hangs out at the right or at the bottom.",
            ),
        },
        trials=(
            ("a square input and filter", (numbers(3, 3), np.array([[1, 2], [0, -1]]))),
            ("a wide input", (numbers(3, 5), np.array([[1, 2], [3, -1]]))),
            ("a tall input", (numbers(5, 3), np.array([[2, -1], [1, 3]]))),
            (
                "a filter with 3 rows and 2 columns",
                (numbers(4, 5), np.array([[1, 0], [2, -1], [3, 1]])),
            ),
            ("a filter with fractions", (numbers(4, 4), np.array([[0.5, -1.0], [0.25, 1.5]]))),
            ("an input with fractions", (numbers(3, 4) / 4, np.array([[1, 2], [3, -1]]))),
            ("a filter as large as the input", (numbers(2, 3), numbers(2, 3) + 1)),
        ),
        windows=True,
    ),
    "3-1.3": Exercise(
        title="The parameters of a convolution layer",
        reference=448,
        start="how many weights does one single filter have, if it looks at all channels?",
        praise="The size of the picture does not come into it: the same weights serve at every "
        "place. That is parameter sharing.",
        hints=(
            "RGB means 3 input channels, and each filter spans all of them: its shape is (C, FH, "
            "FW).",
            "Count the weights of one filter, add its bias, and only then multiply by the number "
            "of filters.",
        ),
        mistakes={
            "no biases": (432, "the biases are missing: every filter has one."),
            "one bias": (433, "there is one bias for each filter, not one for the layer."),
            "one channel": (
                160,
                "each filter looks at all three colours, so it has weights for each of them.",
            ),
            "one channel, no biases": (
                144,
                "each filter looks at all three colours, and has a bias besides.",
            ),
            "bias per channel": (
                480,
                "a bias for each pair of filter and channel is too many: "
                "it is added after the sum over the channels.",
            ),
            "one filter": (28, "that is one filter with its bias. How many are there?"),
            "one filter, no bias": (27, "that is one filter without its bias. How many are there?"),
        },
    ),
    "3-1.4": Exercise(
        title="The length of the output",
        reference=output_length,
        start="try it with a window of length 3 on a line of 7 that moves by 2: on how many places "
        "does it stand?",
        praise="The floor is where the stride does not divide: what is left over at the end "
        "is never seen. How much that can be is exercise 3-1.6.",
        hints=(
            "Padding lengthens the line at both ends. How long is it then?",
            "The window's first place is free. How far can its start still move to the right, and "
            "how many whole steps is that?",
            "Python's operator for a division that is rounded down is //; it gives an int when "
            "both sides are int.",
        ),
        mistakes={
            "true division": (
                lambda n, k, s, p: (n + 2 * p - k) / s + 1,
                "a true division, /, gives a float. Half a place is no place: "
                "the fraction must go, and the result be an int.",
            ),
            "float floor": (
                lambda n, k, s, p: float((n + 2 * p - k) // s + 1),
                "the values are right but floats (np.floor gives one too). A length "
                "has to be an int.",
            ),
            "rounded": (
                lambda n, k, s, p: round((n + 2 * p - k) / s) + 1,
                "the number of steps is rounded. Three quarters of a step would already "
                "push the window over the end: cut the fraction off.",
            ),
            "ceil": (
                lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1,
                "the number of steps is rounded up, so the last window hangs over the end.",
            ),
            "forgot +1": (
                lambda n, k, s, p: (n + 2 * p - k) // s,
                "the steps are counted, not the places. Before the first step the "
                "window already stands somewhere: one more.",
            ),
            "one-sided padding": (
                lambda n, k, s, p: (n + p - k) // s + 1,
                "the padding is counted once. It lies at both ends.",
            ),
            "no padding": (
                lambda n, k, s, p: (n - k) // s + 1,
                "the padding is not counted. It makes the line longer at both ends.",
            ),
            "+1 inside": (
                lambda n, k, s, p: (n + 2 * p - k + 1) // s,
                "the + 1 stands inside the division. It counts the first place of the "
                "window, which costs no step, so it is added afterwards.",
            ),
            "stride ignored": (
                lambda n, k, s, p: n + 2 * p - k + 1,
                "the stride is not used: the window moves by more than one.",
            ),
            "filter not subtracted": (
                lambda n, k, s, p: (n + 2 * p) // s + 1,
                "the length of the window is not taken into account: its "
                "start cannot move up to the end of the line.",
            ),
        },
        trials=(
            ("stride 1, no padding", (5, 3, 1, 0)),
            ("a stride that divides", (7, 3, 2, 0)),
            ("padding that keeps the size", (28, 5, 1, 2)),
            ("a stride that leaves half a step", (4, 3, 2, 1)),
            ("a stride that leaves two thirds of a step", (9, 4, 3, 0)),
            ("a stride that leaves a third of a step", (9, 4, 3, 1)),
            ("a window as long as the line", (6, 6, 4, 0)),
        ),
        dtype=int,
        windows=True,
    ),
    "3-1.5": Exercise(
        title="Bias, stride and padding",
        reference=correlate_strided,
        start="lay the zeros around x: the padded array has 2 * padding rows and columns more.",
        praise="Padding, window, stride, bias: for one picture and one filter, this is all that a "
        "convolution layer does. Channels and the mini-batch follow in exercise 3-1.7.",
        hints=(
            "Do the padding first and forget about it: from there on, work with the padded array "
            "and its height and width. np.pad may help.",
            "The number of output rows is what your output_length of exercise 3-1.4 gives.",
            "The output element (oh, ow) belongs to the window that begins at row oh * stride of "
            "the padded array, and likewise for the column. The bias is added to the sum.",
        ),
        mistakes={
            "forgot bias": (lambda x, f, b, s, p: _correlate(x, f, s, p), _NO_BIAS),
            "overwritten": (
                lambda x, f, b, s, p: _correlate(x, _last_weight_only(f), s, p) + b,
                _OVERWRITTEN,
            ),
            "overwritten, bias as well": (
                lambda x, f, b, s, p: _correlate(x, _last_weight_only(f), s, p),
                _OVERWRITTEN,
            ),
            "bias per product": (
                lambda x, f, b, s, p: _correlate(x, f, s, p) + b * f.size,
                "the bias is added to each product before the sum, and so counts "
                "as often as the filter has weights. It is added once.",
            ),
            "stride ignored": (
                lambda x, f, b, s, p: _correlate(x, f, 1, p) + b,
                "the stride is not used: the window moves by one.",
            ),
            "start without stride": (
                lambda x, f, b, s, p: (
                    _correlate(x, f, 1, p)[
                        : output_length(x.shape[0], f.shape[0], s, p),
                        : output_length(x.shape[1], f.shape[1], s, p),
                    ]
                    + b
                ),
                "the output has the right size, but its windows still begin one beside the other. "
                "The stride also belongs where the window begins.",
            ),
            "stride on rows only": (
                lambda x, f, b, s, p: _correlate(x, f, (s, 1), p) + b,
                "the stride is used going down, not going right.",
            ),
            "padding ignored": (
                lambda x, f, b, s, p: _correlate(x, f, s, 0) + b,
                "the padding is not used.",
            ),
            "padding in front only": (
                lambda x, f, b, s, p: _correlate(x, f, s, ((p, 0), (p, 0))) + b,
                "the zeros lie at the top and at the left only. They go all around.",
            ),
            "padding behind only": (
                lambda x, f, b, s, p: _correlate(x, f, s, ((0, p), (0, p))) + b,
                "the zeros lie at the bottom and at the right only. They go all around.",
            ),
            "padded filter": (
                lambda x, f, b, s, p: _correlate(x, np.pad(f, p), s, 0) + b,
                "the zeros are laid around the filter. They go around the input.",
            ),
            "bias before padding": (
                lambda x, f, b, s, p: _correlate(x + b, f, s, p),
                "the bias is added to the input, and so is multiplied by the "
                "weights. It is added to the output.",
            ),
            "bias after padding": (
                lambda x, f, b, s, p: _correlate(np.pad(x, p) + b, f, s, 0),
                "the bias is added to the padded input, and so is multiplied "
                "by the weights. It is added to the output.",
            ),
            "padded with the bias": (
                lambda x, f, b, s, p: _correlate(np.pad(x, p, constant_values=b), f, s, 0) + b,
                "the ring around the input is filled with b. It is filled with zeros.",
            ),
            "flipped": (lambda x, f, b, s, p: _correlate(x, f[::-1, ::-1], s, p) + b, _FLIPPED),
            "output transposed": (
                lambda x, f, b, s, p: (_correlate(x, f, s, p) + b).T,
                "the result is transposed: its first index goes down the rows of x.",
            ),
            "forgot +1": (lambda x, f, b, s, p: _correlate(x, f, s, p)[:-1, :-1] + b, _PLUS_ONE),
        },
        trials=(
            ("bias only", (numbers(4, 4), np.array([[1, -1], [2, 0]]), 5, 1, 0)),
            ("stride 2, fractions in x", (numbers(6, 5) / 4, np.array([[1, 2], [0, -1]]), 1, 2, 0)),
            (
                "padding 1, fractions in f",
                (numbers(3, 4), np.array([[1, 0, 2], [1, 3, -1], [2.5, 1, 1]]), -2, 1, 1),
            ),
            ("stride 2, padding 1, wide", (numbers(4, 7), numbers(3, 3) + 1, 3, 2, 1)),
            (
                "stride 3, padding 2, tall",
                (numbers(8, 5), np.array([[1, 2, -1], [3, 1, 2]]), 0.5, 3, 2),
            ),
        ),
        windows=True,
    ),
    "3-1.6": Exercise(
        title="The proof of the output size, step by step",
        reference=PROOF,
        start="which of the steps only says what the words of the exercise mean? It comes first.",
        praise="Each step says the same as the one before in another way, so no place is lost and "
        "none is invented. What the stride leaves over is the remainder of the division: "
        "between 0 and S - 1 rows, which the floor throws away.",
        hints=(
            "Begin with the rows: which ones are there, and which does the window number oh cover?",
            "Two of the steps say when a window fits. One of them is off by a row: try it with a "
            "window that ends exactly in the last row.",
            "Then the condition is solved for oh: first everything but S · oh goes to the other "
            "side, then S is divided by. At the very end the integers are counted.",
        ),
        mistakes={
            "off by a row": (
                _proof(with_=8, in_place_of=5),
                "step 8 asks for a row more than is needed. The window's last row is "
                "S · oh + FH - 1, and the input's last row H + 2P - 1: they may be "
                "the same.",
            ),
            "rounded up": (
                _proof(with_=2, in_place_of=7),
                "step 2 rounds up. An integer that is at most 2.5 is at most 2.",
            ),
            "divided too early": (
                [3, 5, 1, 6, 7, 4],
                "step 1 divides what step 6 has to find first: in step 5 there "
                "is more than S · oh on the left.",
            ),
            "condition first": (
                [5, 3, 6, 1, 7, 4],
                "step 5 speaks of the window's last row. Which one that is stands in step 3.",
            ),
            "counted too early": (
                [3, 5, 6, 1, 4, 7],
                "step 4 counts integers up to a floor. That oh is at most the "
                "floor stands in step 7.",
            ),
            "backwards": (
                PROOF[::-1],
                "that is the proof from its end to its beginning. It begins "
                "with what is given and ends with the formula.",
            ),
            "as listed": (
                [1, 2, 3, 4, 5, 6],
                "those are the steps as they are listed. Which one can be said without any other?",
            ),
        },
        demonstrate=_show_proof,
    ),
    "3-1.7": Exercise(
        title="Channels and mini-batch",
        reference=conv_batch,
        start="write the three shapes down, x: (N, C, H, W), f: (OC, C, FH, FW) and the output: "
        "(N, OC, OH, OW). Which axis of the inputs is not in the output?",
        praise="That is the forward pass of a convolution layer. The channels are summed over, "
        "the filters stand side by side, the images do not meet.",
        hints=(
            "Make the output array first: (N, OC, OH, OW), with OH and OW as before.",
            "Loop over n and oc. What is left is a (C, H, W) image and a (C, FH, FW) filter.",
            "At one place the window has the shape (C, FH, FW), as the filter has: one sum over "
            "all three axes gives one number. Then add b of this oc.",
        ),
        mistakes={
            "channels not summed": (
                lambda x, f, b: _one_channel_each(x, f) + b[:, None, None, None],
                "the channels are kept apart. One output element is the sum "
                "over all channels of the window.",
            ),
            "first channel only": (
                lambda x, f, b: functional.conv2d(x[:, :1], f[:, :1], b),
                "only the first channel of x is used. The sum runs over all of them.",
            ),
            "channels averaged": (
                lambda x, f, b: functional.conv2d(x, f) / x.shape[1] + b[:, None, None],
                "the channels are averaged. They are added up.",
            ),
            "last channel only": (
                lambda x, f, b: functional.conv2d(x[:, -1:], f[:, -1:], b),
                "only the last channel of x counts: does a loop over the channels write with = "
                "where it should add with +=?",
            ),
            "overwritten": (
                lambda x, f, b: functional.conv2d(x, _last_weight_only(f), b),
                _OVERWRITTEN,
            ),
            "columns reshaped": (
                _columns_reshaped,
                "the numbers are right but stand in other places: the product with the columns has "
                "a row for each place of the window and a column for each filter. A reshape moves "
                "nothing; reshape to (N, OH, OW, OC) first, then transpose.",
            ),
            "forgot bias": (
                lambda x, f, b: functional.conv2d(x, f),
                "the bias is missing: b[oc] is added to the whole output channel oc.",
            ),
            "one bias for all": (
                lambda x, f, b: functional.conv2d(x, f) + b[0],
                "b[0] is added everywhere. Every output channel has its own bias.",
            ),
            "all biases": (
                lambda x, f, b: functional.conv2d(x, f) + b.sum(),
                "all biases are added to every channel. Each has its own.",
            ),
            "bias per channel of x": (
                lambda x, f, b: functional.conv2d(x, f, b * x.shape[1]),
                "the bias is added once for every input channel. It is added once, after the sum "
                "over the channels.",
            ),
            "bias along the columns": (
                lambda x, f, b: functional.conv2d(x, f) + b,
                "the bias runs along the wrong axis: NumPy lines up shapes from the right, so "
                "b lies along the columns. It belongs to the axis OC.",
            ),
            "bias along the rows": (
                lambda x, f, b: functional.conv2d(x, f) + b[:, None],
                "the bias runs along the rows. It belongs to the axis OC, two axes further to the "
                "left than the last.",
            ),
            "OC and C swapped": (
                lambda x, f, b: functional.conv2d(x, f.transpose(1, 0, 2, 3), b),
                "OC and C of the filter are swapped: its first axis is the output "
                "channel. With as many of the one as of the other nobody "
                "notices by the shape.",
            ),
            "N and OC swapped": (
                lambda x, f, b: functional.conv2d(x, f, b).transpose(1, 0, 2, 3),
                "the images and the output channels have changed places: the "
                "output is (N, OC, OH, OW).",
            ),
            "channels last": (
                lambda x, f, b: functional.conv2d(x, f, b).transpose(0, 2, 3, 1),
                "the output channels are the last axis: the output is (N, OC, OH, OW).",
            ),
            "OH and OW swapped": (
                lambda x, f, b: functional.conv2d(x, f, b).swapaxes(2, 3),
                "OH and OW have changed places: the output is (N, OC, OH, OW).",
            ),
            "first image only": (
                lambda x, f, b: functional.conv2d(x[:1], f, b),
                "only the first image is there. Every image of the mini-batch has its own output.",
            ),
            "flipped": (lambda x, f, b: functional.conv2d(x, f[:, :, ::-1, ::-1], b), _FLIPPED),
            "forgot +1": (lambda x, f, b: functional.conv2d(x, f, b)[:, :, :-1, :-1], _PLUS_ONE),
        },
        trials=(
            (
                "one image, one channel, one filter",
                (numbers(1, 1, 3, 4), numbers(1, 1, 2, 2) + 1, np.array([2])),
            ),
            (
                "three channels, one filter, fractions in x",
                (numbers(1, 3, 4, 3) / 4, numbers(1, 3, 2, 2), np.array([-1])),
            ),
            (
                "as many filters as channels, columns and rows",
                (numbers(2, 2, 3, 3), numbers(2, 2, 2, 2), np.array([1, -4])),
            ),
            (
                "two images, three channels, four filters, wide, fractions in b",
                (numbers(2, 3, 4, 6), numbers(4, 3, 3, 2), np.array([3, 0, -2.5, 1])),
            ),
            ("fractions in f", (numbers(2, 2, 3, 5), numbers(3, 2, 2, 3) / 4, np.array([1, 0, 2]))),
        ),
        windows=True,
    ),
    "3-1.8": Exercise(
        title="All windows by few slices",
        reference=windows,
        start="make an empty array of shape (OH, OW, FH, FW). Which part of it belongs to the pair "
        "fh = 0, fw = 0, and which slice of x goes there?",
        praise="FH * FW slices in place of OH * OW: for a 3 x 3 filter nine turns of the loop, "
        "however large the picture. This is the heart of im2col.",
        hints=(
            "Fix fh and fw. The elements that lie under the weight (fh, fw), one for every place "
            "of the window, form a rectangle in x.",
            "That rectangle has the shape (OH, OW) and begins at row fh, column fw.",
            "In the result these elements have the indices [oh, ow, fh, fw], for all oh and all "
            "ow: two colons and two numbers. The rectangle can be written there at once.",
        ),
        mistakes={
            "not transposed": (
                lambda x, FH, FW: windows(x, FH, FW).transpose(2, 3, 0, 1),
                "this is X̂: its axes are (fh, fw, oh, ow), and (oh, ow, fh, fw) is "
                "asked for. Write each slice to where it belongs in that order.",
            ),
            "reshaped": (
                lambda x, FH, FW: (
                    windows(x, FH, FW).transpose(2, 3, 0, 1).reshape(windows(x, FH, FW).shape)
                ),
                "X̂ was reshaped. That gives the right shape but leaves the numbers in their "
                "old order. Write each slice to where it belongs.",
            ),
            "places swapped": (
                lambda x, FH, FW: windows(x, FH, FW).transpose(1, 0, 2, 3),
                "oh and ow have changed places: the axes are (oh, ow, fh, fw).",
            ),
            "windows transposed": (
                lambda x, FH, FW: windows(x, FH, FW).transpose(0, 1, 3, 2),
                "each single window is transposed: the axes are (oh, ow, fh, fw).",
            ),
            "all reversed": (
                lambda x, FH, FW: windows(x, FH, FW).transpose(1, 0, 3, 2),
                "the axes are in the order (ow, oh, fw, fh), which is what .T of "
                "X̂ makes. Both pairs are to be the other way round.",
            ),
            "forgot +1": (lambda x, FH, FW: windows(x, FH, FW)[:-1, :-1], _PLUS_ONE),
            "no overlap": (
                lambda x, FH, FW: windows(x, FH, FW)[::FH, ::FW],
                "the windows stand side by side. They move by one and overlap.",
            ),
            "flattened": (
                lambda x, FH, FW: windows(x, FH, FW).reshape(
                    x.shape[0] - FH + 1, x.shape[1] - FW + 1, FH * FW
                ),
                "the windows are flattened. Here each keeps its two axes, fh and fw.",
            ),
            "columns": (
                lambda x, FH, FW: windows(x, FH, FW).reshape(-1, FH * FW),
                "this is already the matrix of im2col, a row for each window. Asked for "
                "are the four axes (oh, ow, fh, fw).",
            ),
            "flipped": (
                lambda x, FH, FW: windows(x, FH, FW)[:, :, ::-1, ::-1],
                "each window stands upside down and back to front.",
            ),
        },
        trials=(
            ("3 x 3 with 2 x 2 windows", (numbers(3, 3), 2, 2)),
            ("a wide matrix, with fractions", (numbers(3, 6) / 4, 2, 2)),
            ("windows with 2 rows and 3 columns", (numbers(5, 4), 2, 3)),
            ("one window as large as the matrix", (numbers(3, 2), 3, 2)),
        ),
        windows=True,
        in_order=True,
        harmless={
            "result kept in the type of x": "the windows hold the numbers of x, as they are",
        },
    ),
    "3-1.9": Exercise(
        title="A filter that moves the picture to the right",
        reference=_one_at(1, 0),
        start="think of a filter that changes nothing. Where is its only 1?",
        praise="The output takes, at every place, its left neighbour: so everything moves to the "
        "right. A filter looks where the picture comes from.",
        hints=(
            "A filter with a single 1 copies: each output element is one element of its window.",
            "If the picture moves to the right, what does an output element hold: the element "
            "that was on its left, or the one on its right?",
        ),
        mistakes={
            "moves left": (
                _one_at(1, 2),
                "this moves the picture to the left: each output element takes what "
                "lies on its right. (The mathematician's convolution, which flips "
                "the filter, would move it to the right.)",
            ),
            "moves down": (
                _one_at(0, 1),
                "this moves the picture down: each output element takes what lies above it.",
            ),
            "moves up": (
                _one_at(2, 1),
                "this moves the picture up: each output element takes what lies below it.",
            ),
            "identity": (
                _one_at(1, 1),
                "this filter changes nothing: each output element takes the one at its own place.",
            ),
            "keeps the centre": (
                _one_at(1, 0) + _one_at(1, 1),
                "the moved picture is there, but the old one as well: each "
                "output element is the sum of two.",
            ),
            "difference": (
                _one_at(1, 0) - _one_at(1, 1),
                "the old picture is subtracted from the moved one. That finds edges; "
                "here nothing but the moved picture is wanted.",
            ),
            "column of ones": (
                np.array([[1, 0, 0]] * 3),
                "each output element is the sum of three, so the picture is also "
                "smeared up and down.",
            ),
            "column of ones at the right": (
                np.array([[0, 0, 1]] * 3),
                "each output element is the sum of three that lie on "
                "its right: moved to the left, and smeared.",
            ),
            "diagonal": (_one_at(0, 0), "this moves the picture to the right and down as well."),
            "all ones": (
                np.ones((3, 3), dtype=int),
                "each output element is the sum of its whole neighbourhood: the picture "
                "is blurred and does not move.",
            ),
        },
        demonstrate=_show_shift,
    ),
}
