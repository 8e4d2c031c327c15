"""The exercises of "Kinds of data", section 3.1 of the course."""

from __future__ import annotations

import numpy as np

from .. import functional
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def conv1d(x, f, stride):
    starts = range(0, x.shape[1] - f.shape[2] + 1, stride)
    return np.stack([np.tensordot(f, x[:, i : i + f.shape[2]], 2) for i in starts], axis=1)


def conv3d(x, f, stride, padding):
    return _sum_of_slices(_pad_ends(x, padding), f, stride, padding)


def _pad_ends(x, padding):
    """Add `padding` slices of zeros at both ends of the axis T."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0), (0, 0)))


def _sum_of_slices(x, f, stride, padding, along=None):
    """Sum `conv2d` over the slices of the filter; `along` is the stride along T, if another one."""
    along = along or stride
    n, c, t, h, w = x.shape
    ot = (t - f.shape[2]) // along + 1
    y = 0
    for ft in range(f.shape[2]):
        slices = x[:, :, ft : ft + along * (ot - 1) + 1 : along]
        images = slices.swapaxes(1, 2).reshape(n * ot, c, h, w)
        y = y + functional.conv2d(images, f[:, :, ft], stride=stride, padding=padding)
    return y.reshape(n, ot, *y.shape[1:]).swapaxes(1, 2)


# --- wrong solutions that take more than a line --------------------------------------------------


def _window_at_output_index(x, f, stride):
    ow = conv1d(x, f, stride).shape[1]
    return conv1d(x, f, 1)[:, :ow]


def _channels_apart(x, f, stride):
    """Return (OC, C, OW): the sum over the channels is missing."""
    return np.stack([conv1d(x[c : c + 1], f[:, c : c + 1], stride) for c in range(len(x))], axis=1)


def _images_not_swapped(x, f, stride, padding):
    """Return outputs (N, OT, OC, OH, OW) of images made without swapping C and T first."""
    x = _pad_ends(x, padding)
    n, c, t, h, w = x.shape
    ot = (t - f.shape[2]) // stride + 1
    y = 0
    for ft in range(f.shape[2]):
        slices = x[:, :, ft : ft + stride * (ot - 1) + 1 : stride]
        y = y + functional.conv2d(
            slices.reshape(n * ot, c, h, w), f[:, :, ft], stride=stride, padding=padding
        )
    return y.reshape(n, ot, *y.shape[1:])


def _reshaped_for_swapped(y):
    """Return (N, OT, OC, OH, OW) in the shape (N, OC, OT, OH, OW), the numbers in the old order."""
    n, ot, oc, oh, ow = y.shape
    return y.reshape(n, oc, ot, oh, ow)


_MIXED = (
    "channels and slices are mixed up. reshape keeps the order of the numbers, so N and OT "
    "must stand side by side before it: swap C and T first, and back at the end."
)


# --- material ------------------------------------------------------------------------------------

PENCIL_X = np.array([[3, 0, 0, 0, 2], [0, 3, 0, 0, 2], [0, 0, 3, 0, 2]])
PENCIL_F = np.array([[1, -1], [-1, 1]])


def _correlate(x, f):
    return functional.conv2d(x[None, None], f[None, None])[0, 0]


def _counts(weights, outputs):
    return np.array([weights, outputs]).T


WEIGHTS = [16 * 2 * 3, 16 * 3 * 3 * 3, 16 * 3 * 3 * 3 * 3]
OUTPUTS = [16 * 998, 16 * 30 * 30, 16 * 14 * 30 * 30]

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-6-1.1": Exercise(
        title="Who moves?",
        reference=_correlate(PENCIL_X, PENCIL_F),
        start="lay the filter on the upper left 2 x 2 cells: two frames, two columns. Which sum "
        "do you get?",
        praise="The 3 moves to the right and gives 6 where the window holds both of its places; "
        "the 2 stays, and its plus and minus cancel.",
        hints=(
            "Time goes down the rows here. The window holds two columns of one frame and the same "
            "two columns of the next.",
            "The first sum is 3·1 + 0·(-1) + 0·(-1) + 3·1.",
        ),
        mistakes={
            "filter turned": (
                _correlate(PENCIL_X, PENCIL_F[:, ::-1]),
                "the filter is turned left to right, so it looks for motion to the "
                "left. Upper left weight to upper left cell.",
            ),
            "absolute values": (
                abs(_correlate(PENCIL_X, PENCIL_F)),
                "the signs are lost. A window that holds one end of the motion "
                "gives a negative number.",
            ),
            "ReLU": (
                np.maximum(_correlate(PENCIL_X, PENCIL_F), 0),
                "negative sums are set to zero. That would be a ReLU after the convolution.",
            ),
            "all weights 1": (
                _correlate(PENCIL_X, abs(PENCIL_F)),
                "all four cells are added. Two of the weights are -1.",
            ),
            "difference of frames": (
                _correlate(PENCIL_X, np.array([[-1, 0], [1, 0]])),
                "only the two frames are subtracted. The filter has a second "
                "column, with opposite signs.",
            ),
            "difference in the frame": (
                _correlate(PENCIL_X, np.array([[1, -1], [0, 0]])),
                "only the first frame of each window is used. The second row of the filter "
                "belongs to the next frame.",
            ),
            "transposed": (
                _correlate(PENCIL_X, PENCIL_F).T,
                "rows and columns have changed places. A row for each moment, as in X.",
            ),
            "stride 2": (
                functional.conv2d(PENCIL_X[None, None], PENCIL_F[None, None], stride=(1, 2))[0, 0],
                "the window moves on by two columns. If nothing else is said, the stride is 1.",
            ),
        },
        windows=True,
    ),
    "3-6-1.2": Exercise(
        title="Along one axis, by hand",
        reference=conv1d,
        start="how many windows of FW places fit into W, with this stride? That is OW, with its "
        "floor.",
        praise="One axis to slide along, and a sum over taps and channels. With a second axis, "
        "another loop would be all that is new.",
        hints=(
            "The result has the shape (OC, OW), and OW = (W - FW) // stride + 1.",
            "The window of place ow is x[:, stride * ow : stride * ow + FW], with all channels; "
            "f * window has the shape (OC, C, FW).",
            "Sum that product over axes 1 and 2, and write it to y[:, ow].",
        ),
        mistakes={
            "stride 1": (
                lambda x, f, stride: conv1d(x, f, 1),
                "the stride is not used: the window moves by one.",
            ),
            "window at output index": (
                _window_at_output_index,
                "the output has the right length, but its windows begin "
                "one beside the other: the stride also belongs where the "
                "window begins.",
            ),
            "turned filter": (
                lambda x, f, stride: conv1d(x, f[:, :, ::-1], stride),
                "the filter is turned round, as mathematicians do (np.convolve, "
                "too). Here the first weight meets the first number of the "
                "window.",
            ),
            "overwritten": (
                lambda x, f, stride: conv1d(
                    x, f * (np.arange(f.shape[2]) == f.shape[2] - 1), stride
                ),
                "of all the products of an output only those of the last tap are left: a loop "
                "writes with = where it should add with +=.",
            ),
            "last channel only": (
                lambda x, f, stride: conv1d(x[-1:], f[:, -1:], stride),
                "only the last channel counts: does a loop over the channels write with = where it "
                "should add with +=?",
            ),
            "channels not summed": (
                _channels_apart,
                "the result has an axis for the channels. Each filter sums over all of them.",
            ),
            "first channel only": (
                lambda x, f, stride: conv1d(x[:1], f[:, :1], stride),
                "only channel 0 is used. A filter has weights for every "
                "channel, and the sum runs over all of them.",
            ),
            "mean over channels": (
                lambda x, f, stride: conv1d(x, f, stride) / len(x),
                "the channels are averaged. They are summed.",
            ),
            "same weights for all channels": (
                lambda x, f, stride: conv1d(x, np.broadcast_to(f[:, :1], f.shape), stride),
                "the weights of channel 0 are used for all channels. Each has its own.",
            ),
            "transposed": (
                lambda x, f, stride: conv1d(x, f, stride).T,
                "the result is transposed: output channels come first, then places.",
            ),
            "forgot +1": (
                lambda x, f, stride: conv1d(x, f, stride)[:, :-1],
                "the last place is missing. A window that fits in exactly still has "
                "one place, so the number of places is the number of steps + 1.",
            ),
        },
        trials=(
            ("one channel, one filter", (numbers(1, 6), numbers(1, 1, 3), 1)),
            ("several filters", (numbers(1, 7), numbers(3, 1, 2), 1)),
            ("several channels, fractions in x", (numbers(3, 8) / 4, numbers(2, 3, 3), 1)),
            ("a stride, fractions in f", (numbers(2, 9), numbers(2, 2, 3) / 4, 2)),
            ("a stride that leaves a rest", (numbers(2, 12), numbers(3, 2, 4), 3)),
            ("a filter as long as the signal", (numbers(2, 5), numbers(2, 2, 5), 2)),
        ),
        windows=True,
        without=(functional.conv2d,),
    ),
    "3-6-1.3": Exercise(
        title="Weights and outputs",
        reference=_counts(WEIGHTS, OUTPUTS),
        start="write down the shape of F and of Y for the stereo sound. What is C?",
        praise="Each axis multiplies the weights by 3 and the outputs by its length: sliding makes "
        "weights cheap and outputs dear.",
        hints=(
            "Stereo is C = 2, colour is C = 3; films have three axes besides: T, H and W.",
            "For the sound F has the shape (16, 2, 3) and Y the shape (16, 998).",
            "For the film F has the shape (16, 3, 3, 3, 3): OC, C, FT, FH, FW. And OT = 14.",
        ),
        mistakes={
            "channels forgotten": (
                _counts([16 * 3, 16 * 9, 16 * 27], OUTPUTS),
                "the weights of one channel were counted. Each filter has "
                "weights for every channel of the input.",
            ),
            "with bias": (
                _counts([w + 16 for w in WEIGHTS], OUTPUTS),
                "the biases were counted too. This layer has none.",
            ),
            "one filter": (
                _counts([w // 16 for w in WEIGHTS], [n // 16 for n in OUTPUTS]),
                "that is a single filter. There are 16.",
            ),
            "padded": (
                _counts(WEIGHTS, [16 * 1000, 16 * 32 * 32, 16 * 16 * 32 * 32]),
                "the outputs are as long as the inputs. Without padding a window of 3 "
                "begins in 2 places fewer along every axis.",
            ),
            "forgot +1": (
                _counts(WEIGHTS, [16 * 997, 16 * 29 * 29, 16 * 13 * 29 * 29]),
                "the outputs are one too short along every axis: places are steps + 1.",
            ),
            "outputs per input channel": (
                _counts(WEIGHTS, [n * c for n, c in zip(OUTPUTS, (2, 3, 3))]),
                "the outputs were counted for every channel of the input. A filter sums over "
                "them and gives one number per place.",
            ),
            "output of one filter": (
                _counts(WEIGHTS, [n // 16 for n in OUTPUTS]),
                "those are the places of one filter. Each of the 16 gives a number there.",
            ),
            "a flat filter for the film": (
                _counts([*WEIGHTS[:2], WEIGHTS[1]], [*OUTPUTS[:2], 16 * 16 * 30 * 30]),
                "for the film the filter was taken as 3 x 3. It has width 3 along time, too.",
            ),
            "columns swapped": (
                _counts(OUTPUTS, WEIGHTS),
                "weights and outputs have changed places.",
            ),
        },
    ),
    "3-6-1.4": Exercise(
        title="Stride and padding in three dimensions",
        reference=conv3d,
        start="take the page's conv3d, and hand stride and padding to conv2d. Which axis is "
        "still without them?",
        praise="Two axes for conv2d, one for you. In the same way conv2d could be made of conv1d: "
        "each further axis is one more sum.",
        hints=(
            "conv2d takes stride and padding for H and W. The axis T needs both from you.",
            "np.pad with ((0, 0), (0, 0), (padding, padding), (0, 0), (0, 0)) adds slices of "
            "zeros at both ends of T. Then OT = (T + 2 * padding - FT) // stride + 1.",
            "Slice ft of the filter meets x[:, :, ft : ft + stride * (OT - 1) + 1 : stride].",
        ),
        mistakes={
            "no padding along T": (
                lambda x, f, stride, padding: _sum_of_slices(x, f, stride, padding),
                "the axis T is not padded. conv2d pads H and W only; the slices of zeros "
                "before and behind are up to you.",
            ),
            "no padding of H and W": (
                lambda x, f, stride, padding: _sum_of_slices(_pad_ends(x, padding), f, stride, 0),
                "only T is padded. H and W get their padding from conv2d.",
            ),
            "padded twice": (
                lambda x, f, stride, padding: conv3d(
                    np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding), (padding, padding))),
                    f,
                    stride,
                    padding,
                ),
                "H and W are padded twice: once by np.pad and once more by conv2d.",
            ),
            "no stride along T": (
                lambda x, f, stride, padding: _sum_of_slices(
                    _pad_ends(x, padding), f, stride, padding, along=1
                ),
                "along T the window moves by one. The stride holds for all three axes.",
            ),
            "no stride in H and W": (
                lambda x, f, stride, padding: conv3d(x, f, 1, padding)[:, :, ::stride],
                "only T has the stride. H and W get theirs from conv2d.",
            ),
            "stride ignored": (
                lambda x, f, stride, padding: conv3d(x, f, 1, padding),
                "the stride is not used at all.",
            ),
            "filter turned along T": (
                lambda x, f, stride, padding: conv3d(x, f[:, :, ::-1], stride, padding),
                "the filter's slices are used from the last to the first. Its slice 0 meets the "
                "first slice of the window.",
            ),
            "mean over slices": (
                lambda x, f, stride, padding: conv3d(x, f, stride, padding) / f.shape[2],
                "the slices are averaged. They are summed.",
            ),
            "last slice only": (
                lambda x, f, stride, padding: conv3d(
                    x, f * (np.arange(f.shape[2]) == f.shape[2] - 1)[:, None, None], stride, padding
                ),
                "only the last slice of the filter counts: does the loop write over y instead "
                "of adding to it?",
            ),
            "swapped at the end only": (
                lambda x, f, stride, padding: _images_not_swapped(x, f, stride, padding).swapaxes(
                    1, 2
                ),
                _MIXED,
            ),
            "never swapped": (_images_not_swapped, _MIXED),
            "never swapped, reshaped": (
                lambda x, f, stride, padding: _reshaped_for_swapped(
                    _images_not_swapped(x, f, stride, padding)
                ),
                _MIXED,
            ),
            "reshaped at the end": (
                lambda x, f, stride, padding: _reshaped_for_swapped(
                    conv3d(x, f, stride, padding).swapaxes(1, 2)
                ),
                "at the end the result is reshaped to (N, OC, OT, OH, OW). That keeps the order of "
                "the numbers, which is (N, OT, OC, OH, OW): reshape to that, then swap OC and "
                "OT.",
            ),
            "axes left swapped": (
                lambda x, f, stride, padding: conv3d(x, f, stride, padding).swapaxes(1, 2),
                "OC and OT have changed places in the result: swap them back at the end.",
            ),
        },
        trials=(
            ("one channel, no padding", (numbers(1, 1, 3, 4, 5), numbers(1, 1, 2, 2, 3), 1, 0)),
            (
                "channels, filters, a mini-batch",
                (numbers(2, 3, 4, 4, 5), numbers(2, 3, 3, 2, 2), 1, 0),
            ),
            ("padding, fractions in x", (numbers(1, 2, 3, 4, 5) / 4, numbers(3, 2, 3, 3, 3), 1, 1)),
            (
                "a stride, fractions in f",
                (numbers(2, 2, 6, 5, 7), numbers(2, 2, 2, 3, 3) / 4, 2, 0),
            ),
            ("both, and a rest", (numbers(2, 2, 6, 5, 8), numbers(3, 2, 3, 3, 2), 2, 1)),
        ),
        windows=True,
    ),
}
