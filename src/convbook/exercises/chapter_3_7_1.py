"""The exercises of chapter 3-7-1, how the networks grew."""

from __future__ import annotations

import numpy as np

from ..functional import conv2d
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def receptive_field(sizes, strides):
    return _field(sizes, strides)


def concat_backward(dy, channels, i):
    begin = sum(channels[:i])
    return dy[:, begin : begin + channels[i]].copy()


def depthwise(x, f, stride):
    return _depthwise(x, f, stride)


def _field(sizes, strides, less=1, first=1, early=False, product=True, growing=True):
    """Return a receptive field, with one of the usual mistakes if asked for."""
    field, step = first, 1
    for size, stride in zip(sizes, strides):
        if early:
            step *= stride
        field += (size - less) * (step if growing else 1)
        if not early:
            step = step * stride if product else stride
    return int(field)


def _strides_added(sizes, strides):
    field, step = 1, 1
    for size, stride in zip(sizes, strides):
        field += (size - 1) * step
        step += stride
    return int(field)


def _from_the_front(sizes, strides):
    field = 1
    for size, stride in zip(sizes, strides):
        field = field * stride + size - 1
    return int(field)


def _depthwise(x, f, stride):
    (C, FH, FW), (N, _, H, W) = f.shape, x.shape
    OH, OW = (H - FH) // stride + 1, (W - FW) // stride + 1
    y = np.zeros((N, C, OH, OW))
    for fh in range(FH):
        for fw in range(FW):
            window = x[:, :, fh : fh + stride * OH : stride, fw : fw + stride * OW : stride]
            y += f[:, fh, fw, None, None] * window
    return y


# --- material ------------------------------------------------------------------------------------

# 3-7-1.1: a convolution of 3×3 without bias, from 32 to 64 channels, 10×10 outputs.
C, OC, SIZE, PLACES = 32, 64, 3, 10 * 10
_WHOLE, _DEPTH, _POINT = C * OC * SIZE**2, C * SIZE**2, C * OC
SEPARABLE = np.array(
    [_WHOLE, _DEPTH, _POINT, (_DEPTH + _POINT) * PLACES, (_DEPTH + _POINT) / _WHOLE]
)


def _separable(**changed):
    """Return the five numbers with some replaced: a=, b=, c=, d=, e=."""
    answer = SEPARABLE.copy()
    for letter, value in changed.items():
        answer["abcde".index(letter)] = value
    return answer


# 3-7-1.2: the stages of VGG-16, so many convolutions of 3×3 and a pooling of 2×2 in each.
STAGES = (2, 2, 3, 3, 3)


def _vgg(stages=STAGES, conv=3, pool=2, behind_the_pooling=True, **mistake):
    """Return the receptive field at the end of every stage."""
    sizes, strides, fields = [], [], []
    for count in stages:
        sizes += [conv] * count
        strides += [1] * count
        if not behind_the_pooling:
            fields.append(_field(sizes, strides, **mistake))
        sizes.append(pool)
        strides.append(2)
        if behind_the_pooling:
            fields.append(_field(sizes, strides, **mistake))
    return np.array(fields)


# 3-7-1.4: a dense block of four layers, each adding 12 channels, that begins with 24.
DENSE = np.array([24, 36, 48, 60, 72, 10])

_SIZES = [
    (np.array([5]), np.array([1])),
    (np.array([3, 3]), np.array([1, 1])),
    (np.array([3, 2, 3]), np.array([1, 2, 1])),
    (np.array([7, 3, 3, 1, 5]), np.array([2, 2, 1, 1, 3])),
    (np.array([2, 4, 3, 5]), np.array([3, 1, 2, 2])),
]
_DY = numbers(2, 10, 3, 4) / 2 + 0.25
_WIDE, _TALL = numbers(2, 3, 5, 7) / 2, numbers(3, 2, 6, 4) / 4 - 1
_F3, _F2 = numbers(3, 3, 2) - 0.5, numbers(2, 2, 3) / 2 + 1

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-7-1.1": Exercise(
        title="A convolution taken apart",
        reference=SEPARABLE,
        start="how many numbers has one filter of the whole convolution, and how many filters are "
        "there?",
        praise="A filter for each channel, then one number for each pair of channels: together a "
        "fraction of 1/64 + 1/9 of what the whole convolution needs.",
        hints=(
            "A filter of the whole convolution has 32 · 3 · 3 numbers, and there are 64. In the "
            "depthwise one each of the 32 channels has a single filter of 3 · 3.",
            "The convolution of 1×1 has 64 filters of 32 numbers. Without biases every parameter "
            "is used once at each of the 100 places.",
            "e is (b + c) / a: the number of places is the same above and below.",
        ),
        mistakes={
            "depthwise as a whole convolution": (
                _separable(b=C * C * SIZE**2),
                "b is that of a convolution from 32 to 32 channels. In a depthwise one, a filter "
                "sees a single channel.",
            ),
            "one filter for all": (
                _separable(b=SIZE**2),
                "b is a single filter. Each of the 32 channels has one of its own.",
            ),
            "a filter for each output": (
                _separable(b=OC * SIZE**2),
                "b counts a filter for each of the 64 outputs. The depthwise part has as many "
                "channels behind it as before it, 32.",
            ),
            "1×1 as 3×3": (
                _separable(c=_WHOLE),
                "c is that of a 3×3 convolution. The second part only mixes channels, with a "
                "window of 1×1.",
            ),
            "no places": (
                _separable(d=_DEPTH + _POINT),
                "d is the number of parameters. Each is used at all 100 places of the output.",
            ),
            "one after the other multiplied": (
                _separable(d=_DEPTH * _POINT * PLACES),
                "d multiplies the two parts. They run one after the other, so their numbers add.",
            ),
            "upside down": (
                _separable(e=_WHOLE / (_DEPTH + _POINT)),
                "e is upside down: asked for is the share of the whole convolution's "
                "multiplications, a number below 1.",
            ),
            "1/3 instead of 1/9": (
                _separable(e=1 / OC + 1 / SIZE),
                "e has the side of the window where its area belongs: 1/OC + 1/(FH · FW).",
            ),
            "only the depthwise part": (
                _separable(e=_DEPTH / _WHOLE),
                "e counts the depthwise part alone. The convolution of 1×1 costs more.",
            ),
            "only the 1×1": (
                _separable(e=_POINT / _WHOLE),
                "e counts the convolution of 1×1 alone. The depthwise part belongs to it.",
            ),
            "only depthwise in d": (
                [18_432, 288, 2_048, 28_800, 28_800 / 1_843_200],
                "d is the depthwise part alone. The 1×1 multiplies, too.",
            ),
            "only 1 x 1 in d": (
                [18_432, 288, 2_048, 204_800, 204_800 / 1_843_200],
                "d is the 1×1 alone. The depthwise part multiplies, too.",
            ),
            "with biases": (
                [18_496, 320, 2_112, 233_600, 233_600 / 1_843_200],
                "there are no biases in this exercise.",
            ),
            "what is saved": (
                [18_432, 288, 2_048, 233_600, 1 - 233_600 / 1_843_200],
                "that is the share that is saved. Asked for is the share that is left.",
            ),
            "in per cent": (
                [18_432, 288, 2_048, 233_600, 100 * 233_600 / 1_843_200],
                "e is in per cent. Give a share from 0 to 1.",
            ),
        },
    ),
    "3-7-1.2": Exercise(
        title="How far VGG sees",
        reference=_vgg(),
        start="begin with a window of 1 pixel. What does a convolution of 3×3 add to it, and what "
        "a second one?",
        praise="In the first stages the field grows by a few pixels, in the last one by more than "
        "a hundred: each pooling doubles what every later window adds.",
        hints=(
            "A window of 3 adds 2 steps, one of 2 adds 1 step. How many pixels is a step? One at "
            "first, and twice as many behind every pooling.",
            "Stage 1: 1 + 2 + 2 + 1 = 6, and from then on a step is 2 pixels. Stage 2: "
            "6 + 2 · 2 + 2 · 2 + 2.",
            "The steps are 1, 2, 4, 8 and 16 pixels. A stage of three convolutions adds "
            "(2 + 2 + 2 + 1) steps.",
        ),
        mistakes={
            "before the pooling": (
                _vgg(behind_the_pooling=False),
                "these are the fields before the poolings. A pooling of 2×2 sees one step more.",
            ),
            "steps stay": (
                _vgg(growing=False),
                "a step is taken to be one pixel everywhere. Behind a pooling, neighbours stand "
                "for places that are twice as far apart.",
            ),
            "step too early": (
                _vgg(early=True),
                "each pooling was counted with the step that holds behind it (or as a window of 3, "
                "which comes to the same). Its window of 2 still reads neighbours at the old "
                "distance.",
            ),
            "two in every stage": (
                _vgg(stages=(2, 2, 2, 2, 2)),
                "that is VGG-13, with two convolutions in every stage. VGG-16 has three in the "
                "last three stages.",
            ),
            "poolings alone": (
                _vgg(conv=1),
                "only the poolings were counted. The convolutions see their neighbours, too.",
            ),
            "begins at 0": (
                _vgg(first=0),
                "all are one too small. Before the first layer a pixel sees itself: begin with 1.",
            ),
            "3 for each": (
                _vgg(less=0),
                "a window of 3 was counted as 3 more, one of 2 as 2 more. One of its cells is the "
                "place itself: it adds one less than its size.",
            ),
            "poolings see nothing more": (
                [5, 13, 37, 85, 181],
                "a pooling's window of 2×2 sees one step more, too.",
            ),
        },
    ),
    "3-7-1.3": Exercise(
        title="The receptive field of a chain",
        reference=receptive_field,
        dtype=int,
        start="keep two numbers, the field, which begins at 1, and the step, which begins at 1. "
        "What does a layer do to each of them?",
        praise="Two numbers are carried along: the field grows by (size - 1) steps, and only then "
        "the step is multiplied by the stride.",
        hints=(
            "The step is how many pixels lie between neighbours at this point of the chain: the "
            "product of all strides so far.",
            "A window of size k reads k neighbours; between the first and the last lie k - 1 "
            "steps.",
            "for size, stride in zip(sizes, strides): field += (size - 1) * step; step *= stride",
        ),
        mistakes={
            "strides forgotten": (
                lambda sizes, strides: _field(sizes, strides, growing=False),
                "the strides play no part. Behind a stride of 2, neighbours are 2 pixels apart.",
            ),
            "its own stride": (
                lambda sizes, strides: _field(sizes, strides, early=True),
                "a layer's own stride was multiplied in before its window was counted. Its window "
                "reads what stands before it; the stride matters to the layers behind.",
            ),
            "last stride only": (
                lambda sizes, strides: _field(sizes, strides, product=False),
                "only the stride of the layer before counts. The step is the product of all "
                "strides so far.",
            ),
            "size instead of size - 1": (
                lambda sizes, strides: _field(sizes, strides, less=0),
                "a window of size k was counted as k steps more. Between its first and its last "
                "cell lie k - 1.",
            ),
            "begins at 0": (
                lambda sizes, strides: _field(sizes, strides, first=0),
                "it is one too small: before the first layer a pixel sees itself.",
            ),
            "sizes added": (
                lambda sizes, strides: int(np.sum(sizes)),
                "the sizes were added up. Windows one after the other overlap: a second one of "
                "size 3 adds only 2.",
            ),
            "sizes multiplied": (
                lambda sizes, strides: int(np.prod(sizes)),
                "the sizes were multiplied. Two windows of 3 see 5 pixels, not 9: they overlap.",
            ),
            "backwards": (
                lambda sizes, strides: _field(sizes[::-1], strides[::-1]),
                "the layers were taken in the wrong order: the strides that count for a layer are "
                "those before it.",
            ),
            "strides added": (
                _strides_added,
                "the strides are added up. A stride multiplies the step.",
            ),
            "from the front, backwards' rule": (
                _from_the_front,
                "the rule field · stride + size - 1 holds from the last layer to the first; here "
                "it runs from the front.",
            ),
            "half windows": (
                lambda sizes, strides: _field([size // 2 + 1 for size in sizes], strides),
                "only one half of each window is counted. It reaches to both sides.",
            ),
        },
        trials=(
            ("one layer", _SIZES[0]),
            ("two convolutions of 3×3", _SIZES[1]),
            ("a pooling in between", _SIZES[2]),
            ("five layers", _SIZES[3]),
            ("strides at once", _SIZES[4]),
        ),
        harmless={
            "sizes cut to integers": "they are whole numbers",
            "sizes with the sign lost": "sizes are positive",
            "sizes with negative numbers set to 0": "sizes are positive",
            "strides cut to integers": "they are whole numbers",
            "strides with the sign lost": "strides are positive",
            "strides with negative numbers set to 0": "strides are positive",
            "strides with its last element forgotten": "nothing stands behind the last stride",
        },
    ),
    "3-7-1.4": Exercise(
        title="Who reads whom in a dense block",
        reference=DENSE,
        start="the first layer reads the block's 24 channels. What lies before the second one?",
        praise="What is concatenated stays: every layer reads all before it, so the channels grow "
        "by 12 from layer to layer, and the connections like the square of the depth.",
        hints=(
            "The second layer reads the 24 channels and the 12 of the first layer.",
            "At the end of the block lie the 24 channels and 4 · 12.",
            "Connections: the first layer reads one array, the second two, and so on.",
        ),
        mistakes={
            "added": (
                np.array([24, 24, 24, 24, 24, 10]),
                "that is a residual block: adding leaves the number of channels as it is. Here "
                "they are laid behind each other.",
            ),
            "only the layer before": (
                np.array([24, 12, 12, 12, 12, 4]),
                "that is a plain chain. In a dense block a layer reads all that came before.",
            ),
            "doubling": (
                np.array([24, 48, 96, 192, 384, 10]),
                "the channels were doubled. A layer adds 12, however many it reads.",
            ),
            "its own already": (
                np.array([36, 48, 60, 72, 84, 10]),
                "each layer's own 12 channels were counted among those that it reads.",
            ),
            "the input forgotten": (
                np.array([24, 12, 24, 36, 48, 10]),
                "the block's own 24 channels are missing behind the first layer; they are kept to "
                "the end.",
            ),
            "the end without the input": (
                np.array([24, 36, 48, 60, 48, 10]),
                "the block's output holds its input, too.",
            ),
            "both directions": (
                np.array([24, 36, 48, 60, 72, 20]),
                "each connection was counted twice. They lead forwards only.",
            ),
            "layers only": (
                np.array([24, 36, 48, 60, 72, 6]),
                "the connections from the block's input were left out: every layer reads it.",
            ),
            "one each": (
                np.array([24, 36, 48, 60, 72, 4]),
                "four connections would be a chain. The second layer reads two arrays, the third "
                "three.",
            ),
            "the last layer's input at the end": (
                [24, 36, 48, 60, 60, 10],
                "the block's output also has what the last layer has added.",
            ),
            "the output as a reader": (
                [24, 36, 48, 60, 72, 15],
                "the block's output was counted as a reader. Only the four layers read.",
            ),
            "growth as the input": (
                [24, 48, 72, 96, 120, 10],
                "each layer adds 12 channels, the growth rate, not another 24.",
            ),
        },
    ),
    "3-7-1.5": Exercise(
        title="The way back through a concatenation",
        reference=concat_backward,
        start="where in dy do the channels of array i begin? Before them lie those of the arrays "
        "0 to i - 1.",
        praise="Nothing is computed on the way back: each array gets the part of dy that it has "
        "become, and no two parts overlap. An addition would hand all of dy to both.",
        hints=(
            "The forward pass laid the arrays behind each other along the channels, axis 1.",
            "Array i begins at channel sum(channels[:i]) and has channels[i] of them.",
            "begin = sum(channels[:i]), then dy[:, begin : begin + channels[i]].copy()",
        ),
        mistakes={
            "all of it": (
                lambda dy, channels, i: dy.copy(),
                "all of dy was handed back. That is the way back through an addition; in a "
                "concatenation each array gets its own part.",
            ),
            "one channel": (
                lambda dy, channels, i: dy[:, i : i + 1].copy(),
                "i was taken for a channel. It is the number of an array, which has channels[i] "
                "channels.",
            ),
            "equal parts": (
                lambda dy, channels, i: np.array_split(dy, len(channels), axis=1)[i].copy(),
                "dy was cut into equal parts. The arrays may have different numbers of channels.",
            ),
            "from the beginning": (
                lambda dy, channels, i: dy[:, : channels[i]].copy(),
                "the part always begins at channel 0. Before array i lie the channels of those "
                "before it.",
            ),
            "begins too late": (
                lambda dy, channels, i: dy[
                    :, sum(channels[: i + 1]) : sum(channels[: i + 1]) + channels[i]
                ].copy(),
                "the part begins behind array i, where the next one does: its own channels were "
                "counted among those before it.",
            ),
            "from the end": (
                lambda dy, channels, i: dy[
                    :, sum(channels[i + 1 :]) : sum(channels[i + 1 :]) + channels[i]
                ].copy(),
                "the arrays were counted from the end: what lies before array i are the channels "
                "of the arrays 0 to i - 1.",
            ),
            "equal sizes before": (
                lambda dy, channels, i: dy[:, i * channels[i] : (i + 1) * channels[i]].copy(),
                "the part begins at i times its own number of channels. Those before it may have "
                "more or fewer.",
            ),
            "too long": (
                lambda dy, channels, i: dy[:, sum(channels[:i]) :].copy(),
                "the part goes on to the end of dy. It has channels[i] channels.",
            ),
            "divided": (
                lambda dy, channels, i: concat_backward(dy, channels, i) / len(channels),
                "the gradient was divided by the number of arrays. Each number of dy belongs to "
                "one array, all of it.",
            ),
        },
        trials=(
            ("the first of two arrays", (_DY, [6, 4], 0)),
            ("the second of two arrays", (_DY[:, ::-1] + 1, [6, 4], 1)),
            ("one array alone", (_DY[:, :3], [3], 0)),
            ("three arrays, the one in the middle", (_DY[::-1], [2, 5, 3], 1)),
            ("three arrays, the last", (2 * _DY, [2, 5, 3], 2)),
            ("four arrays", (_DY[:, ::-1], [1, 2, 3, 4], 2)),
        ),
        harmless={"result kept in the type of dy": "the parts of dy are of its type anyway"},
    ),
    "3-7-1.6": Exercise(
        title="A depthwise convolution",
        reference=depthwise,
        windows=True,
        without=(conv2d,),
        start="y has as many channels as x. Loop over the cells of the filter, as in exercise "
        "3-1.9, or over the outputs: channel c of y is channel c of x with filter c.",
        praise="No sum over the channels: each is convolved with a filter of its own. That is what "
        "makes it cheap, and why a convolution of 1×1 has to mix the channels afterwards.",
        hints=(
            "f has the shape (C, FH, FW): filter c belongs to channel c of x alone.",
            "f[:, fh, fw, None, None] is a number for each channel, ready to be multiplied with a "
            "part of x of the shape (N, C, OH, OW).",
            "y += f[:, fh, fw, None, None] * x[:, :, fh : fh + stride * OH : stride, "
            "fw : fw + stride * OW : stride]",
        ),
        mistakes={
            "summed over the channels": (
                lambda x, f, stride: np.repeat(
                    _depthwise(x, f, stride).sum(axis=1, keepdims=True), len(f), axis=1
                ),
                "the products were summed over the channels, as in an ordinary convolution. Here "
                "channel c of y depends on channel c of x only.",
            ),
            "one channel": (
                lambda x, f, stride: _depthwise(x, f, stride).sum(axis=1, keepdims=True),
                "the products were summed over the channels, and one channel is left. Here each "
                "channel stays by itself.",
            ),
            "first filter for all": (
                lambda x, f, stride: _depthwise(x, np.broadcast_to(f[:1], f.shape), stride),
                "all channels were convolved with filter 0. Channel c has filter c.",
            ),
            "stride forgotten": (
                lambda x, f, stride: _depthwise(x, f, 1),
                "the windows move by 1 always, and not by stride.",
            ),
            "corner of the whole": (
                lambda x, f, stride: _depthwise(x, f, 1)[
                    :,
                    :,
                    : (x.shape[2] - f.shape[1]) // stride + 1,
                    : (x.shape[3] - f.shape[2]) // stride + 1,
                ],
                "the shape is right, but the windows move by 1: output (oh, ow) reads from row "
                "stride * oh and column stride * ow on.",
            ),
            "flipped": (
                lambda x, f, stride: _depthwise(x, f[:, ::-1, ::-1], stride),
                "the filters were turned by 180°. Convolution in this book is without that.",
            ),
            "channels reversed": (
                lambda x, f, stride: _depthwise(x, f, stride)[:, ::-1],
                "the channels come out in the reverse order.",
            ),
            "last cell only": (
                lambda x, f, stride: _depthwise(
                    x, f * (np.indices(f.shape)[1:].sum(axis=0) == sum(f.shape[1:]) - 2), stride
                ),
                "only the last cell of the filters counts: was y written anew in every round, in "
                "place of +=?",
            ),
            "mean": (
                lambda x, f, stride: _depthwise(x, f, stride) / f[0].size,
                "the sums were divided by the size of the window. A convolution is a sum of "
                "products.",
            ),
        },
        trials=(
            ("wide images with three channels", (_WIDE, _F3, 1)),
            ("tall images with two channels", (_TALL, _F2, 1)),
            ("stride 2", (_WIDE, _F3, 2)),
            ("stride 2 and a remainder", (_TALL, _F2, 2)),
            ("stride 3, one image", (_WIDE[:1], _F3, 3)),
            ("one channel", (_WIDE[:, :1], _F3[:1], 1)),
            ("whole numbers in x", (numbers(1, 2, 4, 5), _F2, 1)),
            ("whole numbers in f", (_TALL, numbers(2, 2, 3), 2)),
        ),
    ),
}
