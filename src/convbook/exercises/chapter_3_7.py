"""The exercises of chapter 3-7, residual networks."""

from __future__ import annotations

import math

import numpy as np

from .. import functional
from .checking import Exercise, numbers

# --- reference solutions -------------------------------------------------------------------------


def residual_block(x, f1, f2, stride):
    h = np.maximum(functional.conv2d(x.astype(float), f1, stride=stride, padding=1), 0)
    z = functional.conv2d(h, f2, padding=1)
    return np.maximum(z + option_a(x, len(f1), stride), 0)


def option_a(x, channels, stride):
    """Return every S-th pixel, and channels of zeros behind the others."""
    kept = x[:, :, ::stride, ::stride]
    short = np.zeros((len(x), channels, *kept.shape[2:]))
    short[:, : x.shape[1]] = kept
    return short


def residual_grad(dy, x, w1, w2):
    a = x @ w1.T
    z = x + np.maximum(a, 0) @ w2.T
    dz = dy * (z > 0)
    return dz + (dz @ w2 * (a > 0)) @ w1


def shortcut_grad(dy, x_shape, stride):
    dx = np.zeros(x_shape)
    dx[:, :, ::stride, ::stride] = dy[:, : x_shape[1]]
    return dx


def load_checked(params, state):
    faults = _faults(params, state)
    if not any(faults):
        _copy(params, state)
    return faults


def _faults(params, state):
    """Return how many names are missing, how many unknown, and how many shapes differ."""
    missing = [name for name in params if name not in state]
    unknown = [name for name in state if name not in params]
    shapes = [name for name in params if name in state and params[name].shape != state[name].shape]
    return [len(missing), len(unknown), len(shapes)]


def _copy(params, state):
    """Copy what there is of the right name and shape."""
    for name, array in params.items():
        if name in state and array.shape == state[name].shape:
            array[...] = state[name]


# --- wrong solutions that take more than a line --------------------------------------------------


def _block(shortcut=option_a, first=True, last=True, after=True, second_stride=False, twice=False):
    """Return a residual block that is wrong in one way."""

    def block(x, f1, f2, stride):
        strides = (1, stride) if second_stride else (stride, 1)
        h = functional.conv2d(x.astype(float), f1, stride=strides[0], padding=1)
        h = np.maximum(h, 0) if first else h
        z = functional.conv2d(h, f2, stride=strides[1], padding=1)
        z = z if after else np.maximum(z, 0)
        z = z + (2 if twice else 1) * shortcut(x, len(f1), stride)
        return np.maximum(z, 0) if last else z

    return block


def _zeros_in_front(x, channels, stride):
    kept = option_a(x, channels, stride)
    return np.roll(kept, channels - x.shape[1], axis=1)


def _averaged(x, channels, stride):
    padded = [(0, 0), (0, 0)] + [(0, -n % stride) for n in x.shape[2:]]
    return option_a(functional.avg_pool2d(np.pad(x, padded).astype(float), stride), channels, 1)


def _repeated(x, channels, stride):
    kept = x[:, :, ::stride, ::stride]
    return np.resize(kept.swapaxes(0, 1), (channels, *kept.swapaxes(0, 1).shape[1:])).swapaxes(0, 1)


def _nothing(x, channels, stride):
    return 0.0


def _grad(past=True, through=True, inner=True, outer=True, of_x=False, dy_in_body=False):
    """Return a gradient of the block that is wrong in one way."""

    def grad(dy, x, w1, w2):
        a = x @ w1.T
        z = x + np.maximum(a, 0) @ w2.T
        dz = dy * (z > 0) if outer else dy
        da = (dy if dy_in_body else dz) @ w2
        da = da * (a > 0) if inner else da
        return (dz if past else 0) + (da @ w1 if through else 0) * ((x > 0) if of_x else 1)

    return grad


def _joined(join):
    """Return a residual block whose two ways are joined otherwise, given x, h and z."""

    def block(x, f1, f2, stride):
        h = np.maximum(functional.conv2d(x.astype(float), f1, stride=stride, padding=1), 0)
        return np.maximum(join(x, h, functional.conv2d(h, f2, padding=1)), 0)

    return block


def _short(x, z):
    """Return what the shortcut brings to z."""
    return option_a(x, z.shape[1], -(-x.shape[2] // z.shape[2]))


def _cut_out(x, channels, stride):
    """Return a corner of x, as large as the body's output."""
    height, width = (-(-n // stride) for n in x.shape[2:])
    return option_a(x[:, :, :height, :width], channels, 1)


def _mask_without_x(dy, x, w1, w2):
    a = x @ w1.T
    dz = dy * (np.maximum(a, 0) @ w2.T > 0)
    return dz + (dz @ w2 * (a > 0)) @ w1


def _last_of_each_window(dy, x_shape, stride):
    height, width = (stride * n for n in dy.shape[2:])
    dx = np.zeros((*x_shape[:2], height, width))
    dx[:, :, stride - 1 :: stride, stride - 1 :: stride] = dy[:, : x_shape[1]]
    return dx[:, :, : x_shape[2], : x_shape[3]]


def _enlarged(dy, x_shape, stride):
    kept = dy[:, : x_shape[1]].repeat(stride, axis=2).repeat(stride, axis=3)
    return kept[:, :, : x_shape[2], : x_shape[3]]


def _last_channels(dy, x_shape, stride):
    dx = np.zeros(x_shape)
    dx[:, :, ::stride, ::stride] = dy[:, -x_shape[1] :]
    return dx


def _in_the_corner(dy, x_shape, stride):
    dx = np.zeros(x_shape)
    dx[:, :, : dy.shape[2], : dy.shape[3]] = dy[:, : x_shape[1]]
    return dx


def _from_one_on(dy, x_shape, stride):
    first = min(1, stride - 1)
    dx = np.zeros(x_shape)
    place = dx[:, :, first::stride, first::stride]
    place[...] = dy[:, : x_shape[1], : place.shape[2], : place.shape[3]]
    return dx


def _channels_added(dy, x_shape, stride):
    dx = shortcut_grad(dy, x_shape, stride)
    dx[:, 0, ::stride, ::stride] += dy[:, x_shape[1] :].sum(axis=1)
    return dx


def _counts_and_copies(params, state):
    _copy(params, state)
    return _faults(params, state)


def _counts_only(params, state):
    return _faults(params, state)


def _loader(change):
    """Return a loader that takes other faults for the faults."""

    def load(params, state):
        faults = change(params, state)
        if not any(faults):
            _copy(params, state)
        return faults

    return load


def _with_sizes(params, state):
    missing, unknown, _ = _faults(params, state)
    both = [name for name in params if name in state]
    return [missing, unknown, sum(params[name].size != state[name].size for name in both)]


def _missing_as_shapes(params, state):
    missing, unknown, shapes = _faults(params, state)
    return [missing, unknown, shapes + missing]


# --- material ------------------------------------------------------------------------------------

FORK_X = np.array([[1, -2, 0.25], [3, 0.75, -1]])
FORK_DZ = np.array([[2, 1, 4], [-1, 3, 5]])
_OPEN = 2 * FORK_X > 1

_BASIC = 2 * 9 * 256**2
_BOTTLENECK = 256 * 64 + 9 * 64 * 64 + 64 * 256
_NORMS = (2 * 256, 64 + 64 + 256)  # channels that are normalised, in each of the two
_PIXELS = 14 * 14


def _counted(basic=_BASIC, bottleneck=_BOTTLENECK, each=2, products=_BOTTLENECK * _PIXELS):
    """Return the answer to the question about parameters, or a wrong one."""
    return [basic + each * _NORMS[0], bottleneck + each * _NORMS[1], products]


def _averages(gap=512, flat=512 * 49, gradient=98 / 49, larger=512, bias=1000):
    return [1000 * gap + bias, 1000 * flat + bias, gradient, 1000 * larger + bias]


_RNG = np.random.default_rng(7)


def _drawn(*shape):
    return np.round(_RNG.normal(0, 1, shape), 2)


def _arrays_in_a_row(params):
    return np.concatenate([params[name].ravel() for name in sorted(params)])


def _small(**shapes):
    """Return arrays by name, each of other numbers."""
    return {
        name: numbers(*shape) + 0.5 * i for i, (name, shape) in enumerate(sorted(shapes.items()))
    }


_NET = {"f": (2, 1, 3, 3), "gamma": (2,), "w": (3, 2)}

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-7.1": Exercise(
        title="A fork and a sum, with the pencil",
        reference=(FORK_DZ * (1 + 2 * _OPEN)).tolist(),
        start="two ways lead from each x to its y. What does y change by when x grows a little, "
        "along the first way, and along the second?",
        praise="Along the shortcut all comes back unchanged; the other way adds what it has.",
        hints=(
            "The sum hands dY to both of its inputs as it is. The fork adds what comes back.",
            "The body's derivative is 2 where 2x - 1 is above 0, and 0 elsewhere. That of the "
            "shortcut is 1.",
        ),
        mistakes={
            "shortcut forgotten": (
                (FORK_DZ * 2 * _OPEN).tolist(),
                "only what comes through the body stands there. The shortcut brings dY besides.",
            ),
            "body forgotten": (
                FORK_DZ.tolist(),
                "that is dY itself, what the shortcut brings. The body brings something besides.",
            ),
            "factor forgotten": (
                (FORK_DZ * (1 + _OPEN)).tolist(),
                "the body's slope is 2 where its ReLU is open, not 1.",
            ),
            "no ReLU": (
                (FORK_DZ * 3).tolist(),
                "where 2x - 1 is negative the body's ReLU is shut, and nothing comes through it.",
            ),
            "sign of x": (
                (FORK_DZ * (1 + 2 * (FORK_X > 0))).tolist(),
                "whether the ReLU is open depends on what it is given, 2x - 1, not on x.",
            ),
            "a ReLU behind the sum": (
                (FORK_DZ * (1 + 2 * _OPEN) * (FORK_X > 0)).tolist(),
                "behind the sum there is no ReLU in this exercise: y may be negative.",
            ),
            "mean of both ways": (
                (FORK_DZ * (1 + 2 * _OPEN) / 2).tolist(),
                "what comes back along the two ways is added, not averaged.",
            ),
            "without dY": (
                (1 + 2 * _OPEN).tolist(),
                "that is the derivative of y by x. By the chain rule it is multiplied with dY.",
            ),
            "times x": (
                (FORK_DZ * (1 + 2 * _OPEN * FORK_X)).tolist(),
                "the derivative of 2x - 1 by x is 2, whatever x is.",
            ),
            "the body's value": (
                (FORK_DZ * (1 + np.maximum(2 * FORK_X - 1, 0))).tolist(),
                "the body's value, ReLU(2x - 1), stands there in place of its slope.",
            ),
            "0.75 shut": (
                np.where(FORK_X == 0.75, FORK_DZ, FORK_DZ * (1 + 2 * _OPEN)).tolist(),
                "at x = 0.75 the ReLU is open: 2x - 1 is 0.5, above 0.",
            ),
        },
    ),
    "3-7.2": Exercise(
        title="What a bottleneck saves",
        reference=_counted(),
        start="a convolution from C to OC channels has OC times C filters of FH times FW numbers.",
        praise="A seventeenth of the parameters, for the same 256 channels in and out.",
        hints=(
            "The basic block has two convolutions of 3 x 3, each from 256 to 256 channels.",
            "The bottleneck: 1 x 1 from 256 to 64, 3 x 3 from 64 to 64, 1 x 1 from 64 to 256.",
            "Each normalised channel has a gamma and a beta. And each weight of a filter is used "
            "once at each of the 14 x 14 places.",
        ),
        mistakes={
            "without normalisation": (
                _counted(each=0),
                "the gammas and betas of the batch normalisations are missing: two for each "
                "channel that a convolution gives.",
            ),
            "with biases": (
                _counted(each=3),
                "each channel has one parameter too many: before a batch normalisation there is no "
                "bias, its beta does that.",
            ),
            "with running statistics": (
                _counted(each=4),
                "each channel has two too many: running means and variances are not learned by "
                "gradients, and so are no parameters.",
            ),
            "one convolution": (
                _counted(basic=_BASIC // 2),
                "the basic block has two convolutions.",
            ),
            "all 3 x 3": (
                _counted(
                    bottleneck=9 * (256 * 64 + 64 * 64 + 64 * 256),
                    products=9 * (256 * 64 + 64 * 64 + 64 * 256) * _PIXELS,
                ),
                "the first and the last convolution of the bottleneck are 1 x 1, not 3 x 3.",
            ),
            "once for the picture": (
                _counted(products=_BOTTLENECK),
                "the third number counts each weight once. It is used at each of 196 places.",
            ),
            "one row of places": (
                _counted(products=_BOTTLENECK * 14),
                "14 x 14 places, not 14.",
            ),
            "products of the basic block": (
                _counted(products=_BASIC * _PIXELS),
                "the third number is that of the basic block; asked for is the bottleneck's.",
            ),
            "normalisation multiplied": (
                _counted(products=(_BOTTLENECK + _NORMS[1]) * _PIXELS),
                "the multiplications of the normalisations are counted too; asked for are those of "
                "the convolutions.",
            ),
            "one for each channel": (
                [1_180_160, 70_016, 13_647_872],
                "a normalisation has two parameters for each channel, one to multiply and one to "
                "add.",
            ),
            "additions, too": (
                [1_180_672, 70_400, 27_295_744],
                "the additions are counted as well. Asked for are the multiplications.",
            ),
            "normalisation at every place": (
                [1_180_672, 70_400, 13_798_400],
                "the parameters of the normalisations are multiplied by the places, too. Asked for"
                " are the three convolutions.",
            ),
        },
    ),
    "3-7.3": Exercise(
        title="Global average pooling",
        reference=_averages(),
        start="what does the linear layer see of a picture: how many numbers?",
        praise="One number for each channel, whatever the size of the picture.",
        hints=(
            "After the average a picture is 512 numbers, after Flatten 512 times 7 times 7.",
            "An average of 49 numbers: if one of them grows by 1, the average grows by 1/49.",
            "With 9 x 9 pixels, each channel still gives one average.",
        ),
        mistakes={
            "without biases": (
                _averages(bias=0),
                "the 1000 biases of the linear layer are missing.",
            ),
            "gradient undivided": (
                _averages(gradient=98),
                "each of the 49 pixels gets its share of 98, not all of it.",
            ),
            "gradient multiplied": (
                _averages(gradient=98 * 49),
                "the gradient is divided by 49, as the sum is in the average.",
            ),
            "divided by the channels": (
                _averages(gradient=98 / 512),
                "the average is over the 49 pixels of a channel, not over the channels.",
            ),
            "larger picture, more parameters": (
                _averages(larger=512 * 81),
                "with Flatten it would be so. Each channel still gives a single average.",
            ),
            "average over channels": (
                _averages(gap=49, larger=81),
                "averaged are the pixels of each channel, so that 512 numbers are left.",
            ),
            "a side in place of the area": (
                _averages(flat=512 * 7),
                "7 x 7 pixels are 49, not 7.",
            ),
            "channels forgotten": (
                _averages(flat=49),
                "Flatten lays all pixels of all 512 channels in a row.",
            ),
            "a bias for each input": (
                [512_512, 25_113_088, 2.0, 512_512],
                "there is a bias for each class, not for each of the numbers that are read.",
            ),
            "divided by a side": (
                [513_000, 25_089_000, 14.0, 513_000],
                "98 is divided by 7. A channel has 7 times 7 pixels.",
            ),
            "no bias with Flatten": (
                [513_000, 25_088_000, 2.0, 513_000],
                "the second layer has biases as well.",
            ),
        },
    ),
    "3-7.4": Exercise(
        title="Ways through a residual network",
        reference=[2**10, math.comb(10, 3), 5, 2**9],
        start="at each block a way goes either through the body or past it.",
        praise="Removing a block halves the ways; of VGG's single way nothing would be left.",
        hints=(
            "Ten times two possibilities, each combined with each.",
            "Through exactly three bodies: which three of the ten? The order does not count.",
            "As many ways go through a given body as past it, so that on average it is half of "
            "the bodies.",
        ),
        mistakes={
            "added": (
                [20, math.comb(10, 3), 5, 18],
                "the possibilities of the blocks are multiplied, not added: each choice at one "
                "block can be followed by each at the next.",
            ),
            "one way for each block": (
                [10, math.comb(10, 3), 5, 9],
                "there are two ways at each block, and each choice can be combined with each.",
            ),
            "in order": (
                [2**10, 10 * 9 * 8, 5, 2**9],
                "the second number counts the same three bodies six times, in each order. A way "
                "goes through them in one order only.",
            ),
            "at most three": (
                [2**10, sum(math.comb(10, k) for k in range(4)), 5, 2**9],
                "the second number counts the ways through at most three bodies; asked for are "
                "exactly three.",
            ),
            "all bodies": (
                [2**10, math.comb(10, 3), 10, 2**9],
                "only one of all the ways goes through all ten bodies.",
            ),
            "one way less": (
                [2**10, math.comb(10, 3), 5, 2**10 - 1],
                "with a body, all ways through it are gone, and those are half of them.",
            ),
            "a tenth less": (
                [2**10, math.comb(10, 3), 5, round(2**10 * 0.9)],
                "not a tenth of the ways goes through a given body, but half of them.",
            ),
            "the ways that are gone with two": (
                [2**10, math.comb(10, 3), 5, 2**8],
                "one body is taken out, not two.",
            ),
            "squares": (
                [100, 120, 5, 81],
                "that is 10². There are two possibilities at each of ten blocks: 2, ten times as a"
                " factor.",
            ),
            "mean of 1 to 10": (
                [1024, 120, 5.5, 512],
                "that is the mean of 1 to 10. A way may also go through no body at all.",
            ),
            "nothing left": (
                [1024, 120, 5, 0],
                "without shortcuts it would be so. Here the ways past that body are left.",
            ),
            "three times ten": (
                [1024, 30, 5, 512],
                "three out of ten can be chosen in more than 30 ways: 10 · 9 · 8, divided by the "
                "orders of the three.",
            ),
        },
    ),
    "3-7.5": Exercise(
        title="A residual block",
        reference=residual_block,
        start="h = ReLU of conv2d(x, f1, stride=stride, padding=1), then conv2d of h and f2, then "
        "what the shortcut brings, then ReLU.",
        praise="What is added has the same shape as the body's output, and no parameter.",
        hints=(
            "The body makes the picture smaller by its first convolution only, the shortcut by "
            "taking every stride-th pixel: x[:, :, ::stride, ::stride].",
            "The new channels get zeros from the shortcut: it is enough to add the kept pixels to "
            "the first C channels, z[:, :C] += …",
            "The last ReLU stands behind the sum.",
        ),
        mistakes={
            "no shortcut": (
                _block(_nothing),
                "nothing is added: that is the plain block.",
            ),
            "no ReLU inside": (
                _block(first=False),
                "the ReLU between the two convolutions is missing.",
            ),
            "no ReLU at the end": (
                _block(last=False),
                "the ReLU behind the sum is missing.",
            ),
            "ReLU before the sum": (
                _block(after=False, last=False),
                "the last ReLU stands before the sum. It stands behind it.",
            ),
            "ReLU before and behind": (
                _block(after=False),
                "there is a ReLU too many, between the second convolution and the sum.",
            ),
            "stride in the second convolution": (
                _block(second_stride=True),
                "the stride is that of the first convolution.",
            ),
            "new channels in front": (
                _block(_zeros_in_front),
                "x is added to the last channels. It belongs to the first ones, and zeros to the "
                "others.",
            ),
            "averages": (
                _block(_averaged),
                "the shortcut takes averages. Asked for is every stride-th pixel, as it is.",
            ),
            "channels repeated": (
                _block(_repeated),
                "the shortcut repeats x in the new channels. They get zeros.",
            ),
            "twice": (
                _block(twice=True),
                "x is added twice.",
            ),
            "shortcut from inside": (
                _joined(lambda x, h, z: z + h),
                "what is added is the output of the first convolution. The shortcut begins before "
                "it, at x.",
            ),
            "a corner of x": (
                _block(_cut_out),
                "the shortcut takes a corner of x. It takes every stride-th pixel.",
            ),
            "one convolution": (
                _joined(lambda x, h, z: h + _short(x, h)),
                "the second convolution is missing.",
            ),
            "multiplied": (
                _joined(lambda x, h, z: z * _short(x, z)),
                "the shortcut is multiplied with the body's output. It is added.",
            ),
            "subtracted": (
                _joined(lambda x, h, z: z - _short(x, z)),
                "the shortcut is subtracted. It is added.",
            ),
        },
        trials=(
            (
                "stride 1, as many channels",
                (numbers(1, 2, 4, 5) / 4, numbers(2, 2, 3, 3), numbers(2, 2, 3, 3)[::-1], 1),
            ),
            (
                "stride 2, more channels",
                (numbers(2, 2, 6, 8), numbers(5, 2, 3, 3) / 8, numbers(5, 5, 3, 3) / 16, 2),
            ),
            (
                "stride 2, odd sizes",
                (_drawn(2, 1, 5, 7), _drawn(3, 1, 3, 3), _drawn(3, 3, 3, 3), 2),
            ),
            ("stride 3", (_drawn(1, 3, 7, 10), _drawn(4, 3, 3, 3), _drawn(4, 4, 3, 3), 3)),
        ),
        harmless={
            "result with the sign lost": "behind a ReLU nothing is negative",
            "result with negative numbers set to 0": "behind a ReLU nothing is negative",
        },
    ),
    "3-7.6": Exercise(
        title="The way back through a residual block",
        reference=residual_grad,
        start="compute a and z as in the forward pass; then dz = dy where z is above 0.",
        praise="Checked against differences in the tests: the shortcut is a single plus sign.",
        hints=(
            "From the end: through the last ReLU, dz = dy * (z > 0).",
            "The sum hands dz to both ways. Past the body it reaches x as it is.",
            "Through the body: dz @ w2, then the inner ReLU with a > 0, then @ w1.",
        ),
        mistakes={
            "shortcut forgotten": (
                _grad(past=False),
                "only what comes through the body is returned. The shortcut brings dz besides.",
            ),
            "body forgotten": (
                _grad(through=False),
                "only what comes past the body is returned.",
            ),
            "inner ReLU forgotten": (
                _grad(inner=False),
                "the ReLU inside the body lets nothing through where a is not above 0.",
            ),
            "last ReLU forgotten": (
                _grad(outer=False),
                "the ReLU behind the sum lets nothing through where z is not above 0.",
            ),
            "both ReLUs forgotten": (
                _grad(outer=False, inner=False),
                "both ReLUs let nothing through where their input is not above 0.",
            ),
            "dy into the body": (
                _grad(dy_in_body=True),
                "the body gets dy. What reaches it has come through the last ReLU: dz.",
            ),
            "mask by x": (
                _grad(inner=False, of_x=True),
                "the inner ReLU's input is a = x @ w1.T, not x: that is what its mask is made of.",
            ),
            "multiplied": (
                lambda dy, x, w1, w2: (
                    _grad(through=False)(dy, x, w1, w2) * _grad(past=False)(dy, x, w1, w2)
                ),
                "what comes back along the two ways is multiplied. At a fork it is added.",
            ),
            "subtracted": (
                lambda dy, x, w1, w2: (
                    _grad(through=False)(dy, x, w1, w2) - _grad(past=False)(dy, x, w1, w2)
                ),
                "one way is subtracted from the other. At a fork they are added.",
            ),
            "shortcut before the ReLU": (
                lambda dy, x, w1, w2: dy + _grad(past=False)(dy, x, w1, w2),
                "dy goes along the shortcut. Both ways begin behind the last ReLU, with dz.",
            ),
            "mask without x": (
                _mask_without_x,
                "the last ReLU's input is the whole sum, with x in it: z > 0.",
            ),
            "negative gradients lost": (
                lambda dy, x, w1, w2: residual_grad(np.maximum(dy, 0), x, w1, w2),
                "a ReLU was applied to the gradient. Backwards it only asks which of its inputs "
                "were above 0.",
            ),
            "forward": (
                lambda dy, x, w1, w2: np.maximum(x + np.maximum(x @ w1.T, 0) @ w2.T, 0),
                "that is y, the forward pass.",
            ),
        },
        trials=(
            (
                "one input, whole numbers",
                (
                    np.array([[1, 2, -3]]),
                    np.array([[3, -1, 2]]),
                    np.array([[1, 2, 1], [0, -1, -1]]),
                    np.array([[0.25, 0.0], [0.5, 2.0], [0.5, -1.0]]),
                ),
            ),
            (
                "two inputs",
                (
                    np.array([[0.5, 1.5], [2.5, -1.5]]),
                    np.array([[1.5, -0.5], [0.25, 1.25]]),
                    np.array([[1.5, 0.5], [-0.5, 0.75]]),
                    np.array([[1, 2], [3, -1]]),
                ),
            ),
            ("several inputs", (_drawn(4, 3), _drawn(4, 3), _drawn(5, 3), _drawn(3, 5))),
            ("more inputs than numbers", (_drawn(9, 4), _drawn(9, 4), _drawn(2, 4), _drawn(4, 2))),
            ("many numbers", (_drawn(6, 12), _drawn(6, 12), _drawn(8, 12), _drawn(12, 8))),
        ),
    ),
    "3-7.7": Exercise(
        title="The way back through a shortcut that shrinks",
        reference=shortcut_grad,
        start="dx begins as zeros of the shape of x. Which pixel of x became y[0, 0, 0, 0]?",
        praise="Pixels that were dropped had no effect, and channels of zeros have nobody to tell.",
        hints=(
            "Forward: y[:, :C] = x[:, :, ::stride, ::stride], and zeros in the other channels.",
            "Backward the same places, the other way round: dx[:, :, ::stride, ::stride] = …",
            "Only the first C channels of dy belong to x.",
        ),
        mistakes={
            "enlarged": (
                _enlarged,
                "each dy is repeated in stride x stride pixels. Only one of them was taken.",
            ),
            "averaged": (
                lambda dy, x_shape, stride: _enlarged(dy, x_shape, stride) / stride**2,
                "each dy is shared out among stride x stride pixels. That is average pooling; here "
                "one of them was taken, and gets it all.",
            ),
            "the last channels": (
                _last_channels,
                "dy's last channels are taken. x stood in the first ones.",
            ),
            "in the corner": (
                _in_the_corner,
                "dy is laid into the upper left corner as it is. Its pixels belong stride apart.",
            ),
            "from 1 on": (
                _from_one_on,
                "the pixels begin at 1. Taken were 0, stride, 2 · stride, …",
            ),
            "all channels": (
                _channels_added,
                "the new channels' gradient is added to that of a channel of x. Zeros are "
                "constants: it goes nowhere.",
            ),
            "a projection": (
                lambda dy, x_shape, stride: shortcut_grad(
                    np.broadcast_to(dy.sum(axis=1, keepdims=True), dy.shape), x_shape, stride
                ),
                "all channels of dy are added up for each channel of x. That belongs to a "
                "convolution of ones; here each channel goes its own way.",
            ),
            "not enlarged": (
                lambda dy, x_shape, stride: dy[:, : x_shape[1]].copy(),
                "that is the part of dy that belongs to x, not yet at the places of x from which "
                "it came.",
            ),
            "last of each window": (
                _last_of_each_window,
                "the numbers go to the last pixel of each window. The forward pass took the first:"
                " rows and columns 0, stride, 2 · stride …",
            ),
            "mean of the channels": (
                lambda dy, x_shape, stride: shortcut_grad(
                    dy[:, : x_shape[1]].mean(axis=1, keepdims=True).repeat(x_shape[1], 1),
                    x_shape,
                    stride,
                ),
                "all channels get the same mean. Each gets its own gradient.",
            ),
        },
        trials=(
            ("stride 2, twice the channels", (numbers(1, 4, 2, 3), (1, 2, 4, 6), 2)),
            ("odd sizes", (numbers(2, 3, 3, 4) / 2, (2, 2, 5, 7), 2)),
            ("stride 3", (_drawn(2, 5, 2, 4), (2, 3, 5, 12), 3)),
            ("stride 1", (_drawn(2, 4, 3, 5), (2, 2, 3, 5), 1)),
            ("as many channels", (_drawn(1, 2, 2, 3), (1, 2, 3, 5), 2)),
        ),
        harmless={"result kept in the type of dy": "the numbers are dy's own, or 0"},
    ),
    "3-7.8": Exercise(
        title="Loading with a check",
        reference=load_checked,
        start="count first, and copy only if all three counts are 0.",
        praise="All or nothing: a network that is half another one is worse than an error.",
        hints=(
            "Missing are the names of params that state lacks; unknown, the other way round.",
            "Compare shapes only of names that both have.",
            "params[name][...] = state[name] writes into the array that the network uses.",
        ),
        mistakes={
            "copies in any case": (
                _counts_and_copies,
                "the counts are right, but what fits was copied in spite of the faults. The "
                "network is then half one and half another.",
            ),
            "never copies": (
                _counts_only,
                "the counts are right, but nothing is copied when all is well.",
            ),
            "missing not counted": (
                _loader(lambda params, state: [0, *_faults(params, state)[1:]]),
                "names of params that the state lacks are not counted.",
            ),
            "unknown not counted": (
                _loader(lambda p, s: [_faults(p, s)[0], 0, _faults(p, s)[2]]),
                "names of the state that params lacks are not counted: then weights of a larger "
                "network load without a word.",
            ),
            "shapes not compared": (
                _loader(lambda params, state: [*_faults(params, state)[:2], 0]),
                "shapes are not compared. NumPy stretches an array of one number over a whole row "
                "without a word.",
            ),
            "sizes in place of shapes": (
                _loader(_with_sizes),
                "sizes are compared, not shapes: (2, 3) and (3, 2) have as many numbers.",
            ),
            "missing and unknown swapped": (
                _loader(lambda p, s: [_faults(p, s)[1], _faults(p, s)[0], _faults(p, s)[2]]),
                "the first two counts have changed places: missing is what params has and the "
                "state lacks.",
            ),
            "missing counted as shapes": (
                _loader(_missing_as_shapes),
                "a name that is missing is counted as a wrong shape as well.",
            ),
            "yes or no": (
                _loader(lambda params, state: [min(n, 1) for n in _faults(params, state)]),
                "1 stands there for any number of faults. Asked for is how many.",
            ),
        },
        trials=(
            (
                "all fits",
                (_small(**_NET), {name: array + 7 for name, array in _small(**_NET).items()}),
            ),
            ("two are missing", (_small(**_NET), {"gamma": np.array([4.0, 5.0])})),
            (
                "three are unknown",
                (
                    _small(gamma=(2,)),
                    {
                        "gamma": np.array([4.0, 5.0]),
                        "b": np.ones(2),
                        "c": np.ones((1, 2)),
                        "d": np.ones(3),
                    },
                ),
            ),
            (
                "a shape is another",
                (
                    _small(**_NET),
                    {name: array + 1 for name, array in _small(**(_NET | {"w": (2, 3)})).items()},
                ),
            ),
            (
                "a shape that NumPy would stretch",
                (
                    _small(**_NET),
                    {
                        name: array + 1
                        for name, array in _small(**(_NET | {"gamma": (1,), "w": (1, 2)})).items()
                    },
                ),
            ),
            (
                "of each a fault",
                (_small(**_NET), {"gamma": np.ones(3), "w": np.ones((3, 2)), "b": np.ones(2)}),
            ),
        ),
        dtype=int,
        lists=True,
        changes={"params": _arrays_in_a_row},
    ),
}
