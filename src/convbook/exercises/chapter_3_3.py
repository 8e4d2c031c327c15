"""The exercises of chapter 3-3, the convolution layer and its gradients."""

from __future__ import annotations

import numpy as np

from .. import functional
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def grad_filter(dy, x):
    return functional.conv2d(x[None, None], dy[None, None])[0, 0]


def grad_input(dy, f):
    return _blocks(dy, f, [n + k - 1 for n, k in zip(dy.shape, f.shape)])


def grad_input_strided(dy, f, x_shape, stride, padding):
    return grad_images(dy[None, None], f[None, None], (1, 1, *x_shape), stride, padding)[0, 0]


def grad_bias(dy):
    return dy.sum(axis=(0, 2, 3))


def grad_filters(dy, x, FH, FW):
    f = np.zeros((dy.shape[1], x.shape[1], FH, FW), dy.dtype)
    return functional.conv2d_backward(dy, x, f, need_dx=False)[1]


def grad_images(dy, f, x_shape, stride, padding):
    return functional.conv2d_backward(dy, np.zeros(x_shape, dy.dtype), f, stride, padding)[0]


def _blocks(dy, f, shape, stride=1, add=True):
    """Lay dy[oh, ow] * f down at (stride * oh, stride * ow) on zeros of a shape, and add."""
    dx = np.zeros(shape, np.result_type(dy, f))
    for oh, ow in np.ndindex(dy.shape):
        place = dx[stride * oh : stride * oh + f.shape[0], stride * ow : stride * ow + f.shape[1]]
        place[...] = place * add + dy[oh, ow] * f
    return dx


# --- wrong solutions that take more than a line --------------------------------------------------


def _divided_by_the_overlaps(dy, f):
    return grad_input(dy, f) / grad_input(np.ones(dy.shape), np.ones(f.shape))


def _copies_overwritten(dy, f):
    """Lay shifted copies of dy down, one for each weight, each on top of those before."""
    (OH, OW), dx = dy.shape, np.zeros(grad_input(dy, f).shape)
    for fh, fw in np.ndindex(f.shape):
        dx[fh : fh + OH, fw : fw + OW] = f[fh, fw] * dy
    return dx


def _whole_frame(dy, f, x_shape, stride, padding, **settings):
    """Return the gradient of the padded input, padding included."""
    return _blocks(dy, f, [n + 2 * padding for n in x_shape], stride, **settings)


def _cut(dx, x_shape, padding):
    return dx[padding : padding + x_shape[0], padding : padding + x_shape[1]]


def _cut_with_a_negative_end(dy, f, x_shape, stride, padding):
    return _whole_frame(dy, f, x_shape, stride, padding)[padding:-padding, padding:-padding]


def _blocks_on_unpadded_zeros(dy, f, x_shape, stride, padding):
    return _blocks(dy, f, x_shape, stride)


def _only_as_far_as_windows_reach(dy, f, x_shape, stride, padding):
    read = [stride * (n - 1) + k for n, k in zip(dy.shape, f.shape)]
    return _blocks(dy, f, read, stride)[padding : read[0] - padding, padding : read[1] - padding]


def _gaps_filled_with_copies(dy, f, x_shape, stride, padding):
    copies = np.repeat(np.repeat(dy, stride, 0), stride, 1)
    frame = [max(n + 2 * padding, m + k - 1) for n, m, k in zip(x_shape, copies.shape, f.shape)]
    return _cut(_blocks(copies, f, frame), x_shape, padding)


def _rows_without_moving_the_channels(dy):
    """Return dy with the right shape (N, OC, OH, OW) and the order of a bare reshape(-1, OC)."""
    N, OC, OH, OW = dy.shape
    return dy.reshape(N, OH, OW, OC).transpose(0, 3, 1, 2)


def _columns_without_moving_the_channels(dy):
    """Return dy with the right shape (N, OC, OH, OW) and the order of a bare reshape(OC, -1)."""
    N, OC, OH, OW = dy.shape
    return dy.reshape(OC, N, OH, OW).transpose(1, 0, 2, 3)


def _product_not_transposed(dy, x, FH, FW):
    """Return the matrix product (C * FH * FW, OC), reshaped as if it were (OC, C * FH * FW)."""
    df = grad_filters(dy, x, FH, FW)
    return df.reshape(len(df), -1).T.reshape(df.shape)


def _images_padding_kept(dy, f, x_shape, stride, padding):
    N, C, H, W = x_shape
    return grad_images(dy, f, (N, C, H + 2 * padding, W + 2 * padding), stride, 0)


def _images_overwritten(dy, f, x_shape, stride, padding):
    """Let a later block cover an earlier one in place of adding to it."""
    N, C, H, W = x_shape
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for oh, ow in np.ndindex(dy.shape[2:]):
        blocks = np.einsum("no,ochw->nchw", dy[:, :, oh, ow], f)
        dx[:, :, stride * oh : stride * oh + f.shape[2], stride * ow : stride * ow + f.shape[3]] = (
            blocks
        )
    return dx[:, :, padding : padding + H, padding : padding + W]


def _image_copies_overwritten(dy, f, x_shape, stride, padding):
    """Let what a later weight writes cover what an earlier one has written."""
    (N, C, H, W), (OH, OW) = x_shape, dy.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for fh, fw in np.ndindex(f.shape[2:]):
        dx[:, :, fh : fh + stride * OH : stride, fw : fw + stride * OW : stride] = np.einsum(
            "oc,nohw->nchw", f[:, :, fh, fw], dy
        )
    return dx[:, :, padding : padding + H, padding : padding + W]


def _images_stride_ignored(dy, f, x_shape, stride, padding):
    N, C, H, W = x_shape
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for oh, ow in np.ndindex(dy.shape[2:]):
        dx[:, :, oh : oh + f.shape[2], ow : ow + f.shape[3]] += np.einsum(
            "no,ochw->nchw", dy[:, :, oh, ow], f
        )
    return dx[:, :, padding : padding + H, padding : padding + W]


# --- material ------------------------------------------------------------------------------------

PENCIL_X = np.array([[1, 0, 2], [3, 1, 0], [0, 2, 1]])
PENCIL_F = np.array([[1, 2], [-1, 3]])
PENCIL_DY = np.array([[2, 1], [-1, 4]])

_FLIPPED = (
    "the filter is turned by half a turn. The block that is laid down is the filter as it "
    "is; the turned filter appears only when the same sum is written as a correlation of "
    "the padded dY."
)
_OVERWRITTEN = (
    "where contributions overlap, the later one covers the earlier one. An input that "
    "feeds several outputs gets a contribution from each of them: they are added up."
)
_UNMOVED = (
    "the numbers of different output channels are mixed. A reshape keeps the order in "
    "memory, in which the channels of one pixel do not lie side by side: first move the "
    "axis OC, then reshape."
)
_NEGATIVE_END = (
    "a slice that ends at -padding is empty if the padding is 0, since -0 is 0. Say "
    "from the front where it ends: at padding plus the length of x."
)
_LAST_IMAGE = (
    "only the last image counts: does a loop over the images write with = where it "
    "should add with +=?"
)
_AVERAGED = (
    "the gradient is averaged over the mini-batch. A layer adds up; if an average is "
    "wanted, the loss has divided by N already and dY has it inside."
)

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-3.1": Exercise(
        title="The gradient of the input with the pencil",
        reference=grad_input(PENCIL_DY, PENCIL_F),
        start="dX has the shape of X. Draw an empty 3 x 3 matrix; how many blocks of 2 x 2 will "
        "be laid on it?",
        praise="Four blocks, one for each output, added where they overlap. X itself was not "
        "needed. The same as a function: exercise 3-3.3.",
        hints=(
            "Each of the four outputs lays down one block: its dy times the whole filter, where "
            "its window was.",
            "The element in the middle lies in all four windows, so it is a sum of four products; "
            "the corners lie in one window each.",
            "For the middle: the window of y00 has it at its lower right weight, that of y11 at "
            "its upper left one.",
        ),
        mistakes={
            "flipped": (grad_input(PENCIL_DY, PENCIL_F[::-1, ::-1]), _FLIPPED),
            "overwritten": (_blocks(PENCIL_DY, PENCIL_F, (3, 3), add=False), _OVERWRITTEN),
            "transposed": (
                grad_input(PENCIL_DY, PENCIL_F).T,
                "rows and columns have changed places. The block of dy01 lies one "
                "column to the right, that of dy10 one row down.",
            ),
            "filter transposed": (
                grad_input(PENCIL_DY, PENCIL_F.T),
                "rows and columns of the filter have changed places.",
            ),
            "dy transposed": (
                grad_input(PENCIL_DY.T, PENCIL_F),
                "dy01 and dy10 have changed places.",
            ),
            "sign lost": (
                grad_input(abs(PENCIL_DY), abs(PENCIL_F)),
                "the minus signs were overlooked: one is in the filter, one in dY.",
            ),
            "dy of ones": (
                grad_input(np.ones((2, 2), int), PENCIL_F),
                "that is the gradient for a dY of ones. Each block is multiplied by its own dy.",
            ),
            "times x": (
                grad_input(PENCIL_DY, PENCIL_F) * PENCIL_X,
                "the elements are multiplied by those of X as well. The derivative of a "
                "product w·x with respect to x is w; x does not appear in it.",
            ),
            "gradient of the filter": (
                grad_filter(PENCIL_DY, PENCIL_X),
                "that is dF, the gradient with respect to the filter. Asked "
                "for is dX, which has the shape of X.",
            ),
        },
    ),
    "3-3.2": Exercise(
        title="The gradient of the filter, for single matrices",
        reference=grad_filter,
        start="work out the shape of the result: dF has the shape (FH, FW) of the filter, and "
        "OH = H - FH + 1. What is FH then?",
        praise="The gradient of a convolution is a convolution again, this time with dY in the "
        "place of the filter. With channels and mini-batch: exercise 3-3.6.",
        hints=(
            "The shape first: FH = H - OH + 1, and FW likewise.",
            "Each output hands its window back: the window of x, of shape (FH, FW), times the dy "
            "of that output. Begin with zeros and add.",
            "Or element by element: the weight (fh, fw) meets a slice of x that has the shape of "
            "dy. Multiply the two and add everything up.",
        ),
        mistakes={
            "dy flipped": (
                lambda dy, x: grad_filter(dy[::-1, ::-1], x),
                "dY is turned by half a turn. For dF it is laid on x as it is.",
            ),
            "result flipped": (
                lambda dy, x: grad_filter(dy, x)[::-1, ::-1],
                "the result is turned by half a turn: the weight [0, 0] meets the "
                "slice of x that begins in its upper left corner.",
            ),
            "both flipped": (
                lambda dy, x: grad_filter(dy, x[::-1, ::-1]),
                "x is turned by half a turn. It is used as it is.",
            ),
            "transposed": (
                lambda dy, x: grad_filter(dy, x).T,
                "the result is transposed: the first index, fh, goes down the rows.",
            ),
            "dy transposed": (
                lambda dy, x: grad_filter(dy.T, x),
                "dY is transposed: its rows belong to the rows of x.",
            ),
            "averaged": (
                lambda dy, x: grad_filter(dy, x) / dy.size,
                "the products are averaged. Every output adds its whole contribution.",
            ),
            "overwritten": (
                lambda dy, x: dy[-1, -1] * x[dy.shape[0] - 1 :, dy.shape[1] - 1 :],
                "only the last output counts: the contributions of the others are "
                "overwritten. They are added up.",
            ),
            "dy left out": (
                lambda dy, x: grad_filter(np.ones_like(dy), x),
                "the windows of x are added up without their dy. Each is multiplied by "
                "the dy of its output.",
            ),
            "no sum": (
                lambda dy, x: np.lib.stride_tricks.sliding_window_view(x, dy.shape) * dy,
                "the products are not added up. All products of one weight become one number.",
            ),
            "forgot +1": (
                lambda dy, x: grad_filter(dy, x)[:-1, :-1],
                "a row and a column are missing. From OH = H - FH + 1 follows FH = H - OH + 1.",
            ),
        },
        trials=(
            ("a square input and dY", (np.array([[1, 2], [0, -1]]), numbers(3, 3))),
            ("a wide input", (np.array([[1, 2, 0], [3, -1, 1]]), numbers(3, 6))),
            ("a tall input", (np.array([[2, -1], [1, 3], [0, 2]]), numbers(5, 3))),
            ("a dY with fractions", (np.array([[0.5, -1.0], [0.25, 1.5]]), numbers(4, 4))),
            ("an input with fractions", (np.array([[1, 2], [3, -1]]), numbers(3, 4) / 4)),
            ("a 1 x 1 filter", (numbers(2, 3) + 1, numbers(2, 3))),
        ),
    ),
    "3-3.3": Exercise(
        title="The gradient of the input, for single matrices",
        reference=grad_input,
        start="dX has the shape of x, which you know from OH = H - FH + 1 and "
        "OW = W - FW + 1. Begin with zeros of this shape.",
        praise="Whichever loop you chose: blocks of the filter or shifted copies of dY, the same "
        "products are added up. Stride and padding follow in exercise 3-3.4.",
        hints=(
            "The shape: H = OH + FH - 1, and W likewise.",
            "Each dy[oh, ow], times the whole filter, is a block of shape (FH, FW). It is added "
            "where the window of that output was.",
            "With fewer turns of a loop: each weight, times the whole of dY, is added to the slice "
            "of dX that this weight met on its way. The slice begins at (fh, fw).",
        ),
        mistakes={
            "flipped": (lambda dy, f: grad_input(dy, f[::-1, ::-1]), _FLIPPED),
            "overwritten": (
                lambda dy, f: _blocks(dy, f, grad_input(dy, f).shape, add=False),
                _OVERWRITTEN,
            ),
            "copies overwritten": (_copies_overwritten, _OVERWRITTEN),
            "side by side": (
                lambda dy, f: np.kron(dy, f),
                "the blocks are laid side by side. Neighbouring windows overlap, and "
                "so do the blocks: the next one begins one column further on.",
            ),
            "divided by the overlaps": (
                _divided_by_the_overlaps,
                "the sums are divided by the number of blocks that "
                "overlap. They are sums, not averages.",
            ),
            "shape of dy": (
                lambda dy, f: grad_input(dy, f)[: dy.shape[0], : dy.shape[1]],
                "the result has the shape of dY. dX has the shape of x, which is "
                "larger: H = OH + FH - 1.",
            ),
            "shape too large": (
                lambda dy, f: np.pad(grad_input(dy, f), ((0, 1), (0, 1))),
                "one row and one column too many. From OH = H - FH + 1 follows H = OH + FH - 1.",
            ),
            "transposed": (
                lambda dy, f: grad_input(dy, f).T,
                "the result is transposed: the first index goes down the rows.",
            ),
            "filter transposed": (
                lambda dy, f: grad_input(dy, f.T),
                "the filter is transposed. (It is flipped for a full "
                "correlation, along both axes, but never transposed.)",
            ),
            "everything flipped": (
                lambda dy, f: grad_input(dy, f)[::-1, ::-1],
                "the result is turned by half a turn. When dX is written as a "
                "correlation, only the filter is turned, not dY.",
            ),
            "rows flipped": (
                lambda dy, f: grad_input(dy, f[::-1]),
                "the order of the filter's rows is reversed.",
            ),
            "columns flipped": (
                lambda dy, f: grad_input(dy, f[:, ::-1]),
                "the order of the filter's columns is reversed.",
            ),
        },
        trials=(
            ("one output only", (np.array([[2]]), np.array([[1, 2], [3, -1]]))),
            ("two outputs side by side", (np.array([[1, 10]]), np.array([[1, 2], [3, -1]]))),
            ("a square dY", (numbers(2, 2), np.array([[1, 2], [0, -1]]))),
            ("a wide dY", (numbers(2, 5), np.array([[2, -1], [1, 3]]))),
            (
                "a filter with 3 rows and 2 columns",
                (numbers(4, 3), np.array([[1, 0], [2, -1], [3, 1]])),
            ),
            ("a dY with fractions", (numbers(3, 4) / 4, np.array([[2, -1], [1, 3]]))),
            ("a filter with fractions", (numbers(3, 4), np.array([[0.5, -1.0], [0.25, 1.5]]))),
        ),
    ),
    "3-3.4": Exercise(
        title="The gradient of the input, with stride and padding",
        reference=grad_input_strided,
        start="make zeros for the gradient of the padded input. Which shape has it?",
        praise="Blocks a stride apart, on the padded input, and the frame cut off at the end: this "
        "is a transposed convolution.",
        hints=(
            "The padded input has 2 * padding rows and columns more than x_shape says, and its "
            "gradient likewise.",
            "The block of dy[oh, ow] lies where the window of that output was: it begins at row "
            "stride * oh of the padded input, and likewise for the column.",
            "At the end the frame is cut away: it begins at row padding and has as many rows as "
            "x has. What no window has read is still 0, and rightly so.",
        ),
        mistakes={
            "stride ignored": (
                lambda dy, f, x, s, p: _cut(_whole_frame(dy, f, x, 1, p), x, p),
                "the blocks lie one cell apart. The windows were a stride apart, and so are the "
                "blocks.",
            ),
            "padding kept": (
                _whole_frame,
                "the padding is still there. Its zeros are nobody's input: their "
                "gradient is cut away, on all four sides.",
            ),
            "padding cut at the end only": (
                lambda dy, f, x, s, p: _whole_frame(dy, f, x, s, p)[: x[0], : x[1]],
                "the shape is right but everything has moved: the rows and columns of the padding "
                "were cut off at the bottom and at the right only.",
            ),
            "padding cut at the start only": (
                lambda dy, f, x, s, p: _whole_frame(dy, f, x, s, p)[p:, p:],
                "the padding is cut off at the top and at the left only. It lies on all four "
                "sides.",
            ),
            "cut with a negative end": (_cut_with_a_negative_end, _NEGATIVE_END),
            "padding ignored": (
                _blocks_on_unpadded_zeros,
                "the padding is not used: the first window begins on it, so the "
                "first block does, too.",
            ),
            "unread rows missing": (
                _only_as_far_as_windows_reach,
                "the result ends where the last window ends. x_shape may have "
                "more rows or columns, which no window has read: their "
                "gradient is 0.",
            ),
            "gaps filled with copies": (
                _gaps_filled_with_copies,
                "the gaps of the stride are filled with copies of dY. "
                "Nobody has looked there, so there are zeros between.",
            ),
            "flipped": (
                lambda dy, f, x, s, p: grad_input_strided(dy, f[::-1, ::-1], x, s, p),
                _FLIPPED,
            ),
            "overwritten": (
                lambda dy, f, x, s, p: _cut(_whole_frame(dy, f, x, s, p, add=False), x, p),
                _OVERWRITTEN,
            ),
            "transposed": (
                lambda dy, f, x, s, p: grad_input_strided(dy, f, x, s, p).T,
                "the result is transposed: the first index goes down the rows.",
            ),
        },
        trials=(
            ("stride 1, no padding", (numbers(2, 3), np.array([[1, 2], [0, -1]]), (3, 4), 1, 0)),
            (
                "stride 2, fractions in dY",
                (numbers(2, 2) / 4, np.array([[1, 2, -1], [3, 1, 2]]), (4, 5), 2, 0),
            ),
            (
                "padding 1, fractions in f",
                (numbers(3, 4), np.array([[1, 0, 2], [1, 3, -1], [2.5, 1, 1]]), (3, 4), 1, 1),
            ),
            (
                "a row and a column that no window reads",
                (numbers(2, 2), np.array([[1, 2], [3, -1]]), (5, 5), 2, 0),
            ),
            ("stride 2, padding 1, wide", (numbers(2, 4), numbers(3, 3) + 1, (4, 7), 2, 1)),
            (
                "a stride larger than the filter",
                (numbers(3, 2), np.array([[1, 2], [3, -1]]), (9, 6), 3, 0),
            ),
        ),
    ),
    "3-3.5": Exercise(
        title="The gradient of the bias",
        reference=grad_bias,
        start="the bias has the shape (OC,), and so has its gradient. Which of the four axes of dY "
        "must stay?",
        praise="What was handed out to all images and all places is collected from all of them. "
        "This rule holds for every broadcast in a network.",
        hints=(
            "b[o] is added to every element of the output channel o: in all images, in all rows "
            "and in all columns.",
            "So its derivative is the sum of dy over everything but the channel. A sum takes a "
            "tuple of axes.",
        ),
        mistakes={
            "mean": (
                lambda dy: dy.mean(axis=(0, 2, 3)),
                "the elements are averaged. They are added up: the bias takes part in each "
                "of them with its full weight.",
            ),
            "averaged over the batch": (lambda dy: dy.sum(axis=(0, 2, 3)) / len(dy), _AVERAGED),
            "everything": (
                lambda dy: dy.sum(),
                "everything is added up. There is one bias for each output channel, so "
                "the axis OC stays.",
            ),
            "wrong axis kept": (
                lambda dy: dy.sum(axis=(1, 2, 3)),
                "the axis of the images is kept, not that of the channels. When "
                "there are as many images as channels, the shape does not tell.",
            ),
            "per image": (
                lambda dy: dy.sum(axis=(2, 3)),
                "the images are kept apart. All images use the same bias, so they are "
                "added up as well.",
            ),
            "over the batch only": (
                lambda dy: dy.sum(axis=0),
                "only the images are added up. The same bias serves at every place, too.",
            ),
            "axes of length 1 kept": (
                lambda dy: dy.sum(axis=(0, 2, 3), keepdims=True),
                "the numbers are right, but the axes summed over are still "
                "there with length 1. The bias has the shape (OC,).",
            ),
            "first image only": (
                lambda dy: dy[0].sum(axis=(1, 2)),
                "only the first image is counted. All of them use the bias.",
            ),
            "last image only": (lambda dy: dy[-1].sum(axis=(1, 2)), _LAST_IMAGE),
            "dy left out": (
                lambda dy: np.full(dy.shape[1], dy[:, 0].size),
                "that is how often each bias is used. Each use counts with its own dy.",
            ),
        },
        trials=(
            ("one image, one channel", (numbers(1, 1, 2, 3),)),
            ("one image, three channels, fractions", (numbers(1, 3, 2, 2) / 4,)),
            ("as many images as channels", (numbers(2, 2, 3, 2),)),
            ("four images, three channels", (numbers(4, 3, 2, 5),)),
        ),
        harmless={
            "result kept in the type of dy": "a sum of numbers has their type",
            "dy reversed along axis [023]": "a sum does not depend on the order",
            "dy rolled along axis [023]": "a sum does not depend on the order",
            "dy with axes 0 and [23] swapped": "a sum does not depend on the order",
            "dy with axes 2 and 3 swapped": "a sum does not depend on the order",
        },
    ),
    "3-3.6": Exercise(
        title="The gradient of the filters, with channels and mini-batch",
        reference=grad_filters,
        start="write the shapes down: dy: (N, OC, OH, OW), x: (N, C, H, W), and the result: "
        "(OC, C, FH, FW). Which axes of dy are summed over?",
        praise="Every weight is used for all images and at all places, so its gradient is a sum "
        "over all of them: one matrix product.",
        hints=(
            "The weight f[o, c, fh, fw] connects channel c of x with channel o of the output. For "
            "this one pair you have exercise 3-3.2; all images are added up.",
            "With im2col: the rows of the columns are the windows, in the order (n, oh, ow). Bring "
            "dy to the shape (N * OH * OW, OC) in the same order: the axis OC must go to the "
            "end before the reshape.",
            "The product of the one, transposed, with the other is (OC, C * FH * FW). Its numbers "
            "stand in the order of the filters: a reshape is enough.",
        ),
        mistakes={
            "averaged over the batch": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW) / len(x),
                _AVERAGED,
            ),
            "first image only": (
                lambda dy, x, FH, FW: grad_filters(dy[:1], x[:1], FH, FW),
                "only the first image is counted. All images use the same filters.",
            ),
            "last image only": (
                lambda dy, x, FH, FW: grad_filters(dy[-1:], x[-1:], FH, FW),
                _LAST_IMAGE,
            ),
            "axis not moved": (
                lambda dy, x, FH, FW: grad_filters(
                    _rows_without_moving_the_channels(dy), x, FH, FW
                ),
                _UNMOVED,
            ),
            "images and channels mixed": (
                lambda dy, x, FH, FW: grad_filters(
                    _columns_without_moving_the_channels(dy), x, FH, FW
                ),
                "images and output channels are mixed. With a mini-batch, a reshape to (OC, ...) "
                "does not bring the axis OC to the front: move the axes first.",
            ),
            "product not transposed": (
                _product_not_transposed,
                "the product has the shape (C * FH * FW, OC), and a reshape "
                "does not make the right order of it. Transpose it, or "
                "multiply the other way round.",
            ),
            "OC and C swapped": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW).transpose(1, 0, 2, 3),
                "OC and C have changed places: the filters are (OC, C, FH, FW).",
            ),
            "FH and FW swapped": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW).swapaxes(2, 3),
                "FH and FW have changed places: the filters are (OC, C, FH, FW).",
            ),
            "channels summed": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW).sum(axis=1),
                "the channels of x are added up. Each filter has weights of its own for each "
                "channel.",
            ),
            "still a matrix": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW).reshape(dy.shape[1], -1),
                "the numbers are right but still a matrix (OC, C * FH * FW). Give it the shape of "
                "the filters.",
            ),
            "flipped": (
                lambda dy, x, FH, FW: grad_filters(dy, x, FH, FW)[:, :, ::-1, ::-1],
                "each filter is turned by half a turn. The turn belongs to dX alone.",
            ),
        },
        trials=(
            (
                "one image, one channel, one filter",
                (numbers(1, 1, 2, 2), numbers(1, 1, 3, 4), 2, 3),
            ),
            (
                "one image, three channels, two filters, fractions in dY",
                (numbers(1, 2, 1, 3) / 4, numbers(1, 3, 3, 5), 3, 3),
            ),
            (
                "as many filters as channels, columns and rows",
                (numbers(2, 2, 3, 3), numbers(2, 2, 4, 4) + 1, 2, 2),
            ),
            (
                "three images, two channels, four filters, fractions in x",
                (numbers(3, 4, 3, 2), numbers(3, 2, 4, 4) / 4, 2, 3),
            ),
        ),
    ),
    "3-3.7": Exercise(
        title="The gradient of the input, with everything",
        reference=grad_images,
        start="begin with zeros for the gradient of the padded mini-batch. One weight f[o, c, fh, "
        "fw]: which slice of it did this weight meet?",
        praise="This is the whole backward pass with respect to the input. Run the other way round "
        "it is the transposed convolution, with which networks make pictures larger.",
        hints=(
            "dx[n, c] gets contributions from all output channels o: the sum over the filters "
            "stands where the sum over the channels stood in the forward pass.",
            "For one pair (fh, fw) the weights are a matrix (OC, C). At each place it takes the "
            "OC numbers of dy to C numbers, which are added to a slice with the step stride.",
            "Or with columns: dy as rows (N * OH * OW, OC), times the filters as (OC, C * FH * "
            "FW), gives the gradient of the columns; col2im adds it up.",
        ),
        mistakes={
            "flipped": (
                lambda dy, f, x, s, p: grad_images(dy, f[:, :, ::-1, ::-1], x, s, p),
                _FLIPPED,
            ),
            "overwritten": (_images_overwritten, _OVERWRITTEN),
            "copies overwritten": (_image_copies_overwritten, _OVERWRITTEN),
            "stride ignored": (
                _images_stride_ignored,
                "the blocks lie one cell apart. The windows were a stride apart, "
                "and so are the blocks.",
            ),
            "cut with a negative end": (
                lambda dy, f, x, s, p: _images_padding_kept(dy, f, x, s, p)[..., p:-p, p:-p],
                _NEGATIVE_END,
            ),
            "padding kept": (
                _images_padding_kept,
                "the padding is still there. Its zeros are nobody's input: their "
                "gradient is cut away, on all four sides.",
            ),
            "first filter only": (
                lambda dy, f, x, s, p: grad_images(dy[:, :1], f[:1], x, s, p),
                "only the first filter is counted. An input feeds the outputs of all filters.",
            ),
            "last filter only": (
                lambda dy, f, x, s, p: grad_images(dy[:, -1:], f[-1:], x, s, p),
                "only the last filter counts: does a loop over the filters write with = where it "
                "should add with +=?",
            ),
            "filters averaged": (
                lambda dy, f, x, s, p: grad_images(dy, f, x, s, p) / len(f),
                "the contributions of the filters are averaged. They are added up.",
            ),
            "averaged over the batch": (
                lambda dy, f, x, s, p: grad_images(dy, f, x, s, p) / len(dy),
                "the gradient is divided by the number of images. Images do not meet in dX: there "
                "is nothing to add up and nothing to average over them.",
            ),
            "axis not moved": (
                lambda dy, f, x, s, p: grad_images(
                    _rows_without_moving_the_channels(dy), f, x, s, p
                ),
                _UNMOVED,
            ),
            "images summed": (
                lambda dy, f, x, s, p: np.broadcast_to(grad_images(dy, f, x, s, p).sum(axis=0), x),
                "the images are added up. Each image has an input of its own, and so a gradient "
                "of its own.",
            ),
            "channels summed": (
                lambda dy, f, x, s, p: np.broadcast_to(
                    grad_images(dy, f, x, s, p).sum(axis=1, keepdims=True), x
                ),
                "all input channels got the same gradient: the filters were added up over their "
                "channels. Each channel has weights of its own.",
            ),
        },
        trials=(
            (
                "one image, one channel, one filter",
                (numbers(1, 1, 2, 3), numbers(1, 1, 2, 2) + 1, (1, 1, 3, 4), 1, 0),
            ),
            (
                "three channels, two filters, fractions in dY",
                (numbers(1, 2, 3, 2) / 4, numbers(2, 3, 2, 2), (1, 3, 4, 3), 1, 0),
            ),
            (
                "two images, with padding, fractions in f",
                (numbers(2, 2, 3, 4), numbers(2, 2, 3, 3) / 4, (2, 2, 3, 4), 1, 1),
            ),
            (
                "stride 2, a column that no window reads",
                (numbers(2, 3, 2, 2), numbers(3, 2, 2, 3), (2, 2, 4, 6), 2, 0),
            ),
            (
                "stride 2, padding 1, three images",
                (numbers(3, 2, 2, 3), numbers(2, 3, 3, 3), (3, 3, 4, 5), 2, 1),
            ),
        ),
    ),
}
