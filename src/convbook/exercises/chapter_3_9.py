"""The exercises of the chapter on pix2pix."""

from __future__ import annotations

import numpy as np

from .checking import Exercise

# --- reference solutions -------------------------------------------------------------------------


def best_colours(colours):
    return np.stack([np.median(colours, axis=0), colours.mean(axis=0)])


def brightness_and_differences(x):
    y = _brightness(x)
    return np.stack([y, (x[:, 2] - y) / 1.772, (x[:, 0] - y) / 1.402], axis=1)


def patch_loss(scores, real):
    return np.logaddexp(0, -scores if real else scores).mean()


def generator_turn(theta, w, x, target, weight, rate):
    return np.array([theta - rate * _slope(theta, w, x, target, weight), *w])


def _brightness(x, weights=(0.299, 0.587, 0.114)):
    return np.einsum("c,nchw->nhw", np.array(weights), x)


def _sigmoid(scores):
    return (1 + np.tanh(np.asarray(scores, float) / 2)) / 2


def _slope(
    theta, w, x, target, weight,
    by_score=lambda d: d - 1, near=np.sign, through=True, total=np.mean,
):  # fmt: skip
    """Return the derivative of the generator's loss by theta; further arguments spoil a part."""
    made = theta * x
    d = _sigmoid(w[0] * made + w[1] * x)
    seen = w[0] if through else 1.0
    return total((by_score(d) * seen + weight * near(made - target)) * x)


# --- wrong solutions that take more than a line --------------------------------------------------


def _also_moves_d(theta, w, x, target, weight, rate):
    """The gradient that the way through has left in the discriminator is used."""
    made = theta * x
    d = _sigmoid(w[0] * made + w[1] * x)
    left = np.array([(-(1 - d) * made).mean(), (-(1 - d) * x).mean()])
    return np.array([theta - rate * _slope(theta, w, x, target, weight), *(w - rate * left)])


def _blind(theta, w, x, target, weight, rate):
    """The discriminator does not see what the picture was made of."""
    slope = _slope(theta, np.array([w[0], 0.0]), x, target, weight)
    return np.array([theta - rate * slope, *w])


def _spoiled_turn(weight_of=lambda weight: weight, **spoil):
    def turn(theta, w, x, target, weight, rate):
        slope = _slope(theta, w, x, target, weight_of(weight), **spoil)
        return np.array([theta - rate * slope, *w])

    return turn


def _overflowing(scores, real):
    """The formula as it stands, which takes the logarithm of a rounded D."""
    with np.errstate(divide="ignore"):
        return -np.log(_sigmoid(scores) if real else 1 - _sigmoid(scores)).mean()


def _mode(colours):
    """The most frequent number of each channel, the least if there are several."""
    found = []
    for channel in colours.T:
        values, counts = np.unique(channel, return_counts=True)
        found.append(values[counts.argmax()])
    return np.stack([found, colours.mean(axis=0)])


# --- material ------------------------------------------------------------------------------------

# How many pixels a score sees each way: of a convolution of 4 × 4 with stride 2 and one of 3 × 3;
# with another one of 3 × 3, as in the chapter; of two of 4 × 4 with stride 2 and two of 3 × 3; and
# in the paper, of three of 4 × 4 with stride 2 and two with stride 1.
FIELDS = np.array([8, 12, 26, 70])

# The weights of the chapter's discriminator: of each of its three convolutions, and of all.
COUNTS = np.array([2328, 10416, 433, 13177])


def _draw(seed, *shape):
    return np.random.default_rng(seed).normal(0, 0.2, shape).round(2)


def _pictures(seed, *shape):
    return np.random.default_rng(seed).uniform(0, 1, shape).round(2)


def _turn(seed, n, weight, rate):
    """Return the inputs of a turn with n pictures of one number each, none of them hit exactly."""
    rng = np.random.default_rng(seed)
    x, target = rng.uniform(0.3, 1.5, n).round(2), rng.normal(0, 1, n).round(2)
    return round(float(rng.normal()), 2), rng.normal(0, 1, 2).round(2), x, target, weight, rate


EXERCISES = {
    "3-9.1": Exercise(
        title="The patch that a score sees",
        reference=FIELDS,
        start="a score of the last convolution, of 3 × 3, sees 3 numbers each way of the maps "
        "before it. How many pixels do these three see together?",
        praise="70 is the PatchGAN of the paper, for pictures of 256 × 256. b is ours, of maps of "
        "16 × 16, for which c would be more than the whole.",
        hints=(
            "Go forwards, layer by layer: a kernel of size k widens the patch by (k - 1) times the "
            "distance, in pixels, of two neighbours of the map that it looks at.",
            "That distance is 1 in the picture, and each stride of 2 doubles it: for c, the patch "
            "grows as 4, 4 + 3 · 2 = 10, 10 + 2 · 4 = 18, 18 + 2 · 4 = 26.",
        ),
        mistakes={
            "without strides": (
                np.array([6, 8, 11, 16]),
                "that would be so if all strides were 1. After a stride of 2, neighbours of a map "
                "lie 2 pixels apart, and a kernel reaches twice as far.",
            ),
            "own stride": (
                np.array([11, 15, 35, 118]),
                "each kernel was widened by its own stride, too. What counts are the strides of "
                "the layers before it.",
            ),
            "without the last": (
                np.array([4, 8, 18, 46]),
                "the last convolution is left out. It looks at several neighbours of the map, too.",
            ),
            "products of kernels": (
                np.array([12, 36, 144, 1024]),
                "kernel sizes are not multiplied: neighbouring patches overlap.",
            ),
            "sums of kernels": (
                np.array([7, 10, 14, 20]),
                "kernel sizes are not added: a kernel of size k widens by k - 1, times the "
                "distance of the neighbours that it looks at.",
            ),
            "one too few": (
                np.array([7, 11, 25, 69]),
                "one too few: from the first to the last pixel, both are counted.",
            ),
            "squared": (
                np.array([64, 144, 676, 4900]),
                "those are the pixels of the whole patch. Asked for is its width.",
            ),
        },
    ),
    "3-9.2": Exercise(
        title="The best single answer",
        reference=best_colours,
        start="for one channel: which of its numbers has as many below it as above it?",
        praise="Of seven horses that look alike in grey, five brown ones and two black ones, L1 "
        "makes brown. Where green and brown come equally often, anything between is as good: grey.",
        hints=(
            "Move the answer a little: |answer - colour| grows by as much for each colour below it "
            "as it shrinks for each above it. In balance is the median.",
            "The sum of squares is least at the mean. Both are asked for channel by channel.",
        ),
        mistakes={
            "means": (
                lambda colours: np.stack([colours.mean(axis=0)] * 2),
                "the mean is the best answer for squares. For absolute values it is the median.",
            ),
            "medians": (
                lambda colours: np.stack([np.median(colours, axis=0)] * 2),
                "the median is the best answer for absolute values. For squares it is the mean.",
            ),
            "other order": (
                lambda colours: best_colours(colours)[::-1],
                "the rows have changed places: first for L1, then for squares.",
            ),
            "over everything": (
                lambda colours: np.stack(
                    [np.full(colours.shape[1], np.median(colours)), colours.mean(axis=0)]
                ),
                "the median was taken of all channels together. Each channel has its own.",
            ),
            "over channels": (
                lambda colours: np.stack([np.median(colours, axis=1), colours.mean(axis=1)]),
                "that goes over the channels of each picture. Go over the pictures: axis 0.",
            ),
            "unsorted": (
                lambda colours: np.stack([colours[len(colours) // 2], colours.mean(axis=0)]),
                "that is the picture in the middle of the list. The median is in the middle of the "
                "sorted numbers.",
            ),
            "middle of the range": (
                lambda colours: np.stack(
                    [(colours.max(axis=0) + colours.min(axis=0)) / 2, colours.mean(axis=0)]
                ),
                "that is halfway between the least and the largest. How many lie on each side "
                "counts, not how far the farthest is.",
            ),
            "most frequent": (
                _mode,
                "that is the most frequent number. A loss that only asks right or wrong would "
                "choose it; L1 asks how far.",
            ),
        },
        trials=(
            ("three pictures, one channel", (np.array([[0.1], [0.1], [0.7]]),)),
            ("one far away", (np.array([[0.0, 1.0], [0.2, 1.1], [9.0, 1.2]]),)),
            ("five pictures, two channels", (_draw(1, 5, 2),)),
            ("seven pictures, three channels", (_draw(2, 7, 3),)),
            ("five pictures, more channels", (_draw(4, 5, 8),)),
        ),
        harmless={
            "colours reversed along axis 0": "neither depends on the order of the pictures",
            "colours rolled along axis 0": "neither depends on the order of the pictures",
            "result kept in the type of colours": "colours are fractions",
        },
    ),
    "3-9.3": Exercise(
        title="Brightness and two differences",
        reference=brightness_and_differences,
        start="what is Y of a single white pixel, and of a pure red one?",
        praise="That is how JPEG stores colours. Grey has neither difference, whatever its "
        "brightness, so a network that only adds them cannot blur anything.",
        hints=(
            "x[:, 0] is red in all pictures, of shape (N, H, W).",
            "Cb = (blue - Y) / 1.772, Cr = (red - Y) / 1.402; np.stack with axis=1 lays the three "
            "beside each other.",
        ),
        mistakes={
            "blue first": (
                lambda x: brightness_and_differences(x[:, ::-1]),
                "red and blue have changed places. Some libraries read blue first; here red is "
                "channel 0.",
            ),
            "mean": (
                lambda x: np.stack(
                    [
                        x.mean(axis=1),
                        (x[:, 2] - x.mean(axis=1)) / 1.772,
                        (x[:, 0] - x.mean(axis=1)) / 1.402,
                    ],
                    axis=1,
                ),
                "the three channels weigh alike. To the eye green is brighter than red, and much "
                "brighter than blue.",
            ),
            "swapped": (
                lambda x: brightness_and_differences(x)[:, [0, 2, 1]],
                "Cb and Cr have changed places: first blue, then red.",
            ),
            "not divided": (
                lambda x: np.stack(
                    [_brightness(x), x[:, 2] - _brightness(x), x[:, 0] - _brightness(x)], axis=1
                ),
                "the differences are not divided by 1.772 and 1.402, which bring them to -0.5 to "
                "0.5.",
            ),
            "sign": (
                lambda x: brightness_and_differences(x) * np.array([1, -1, -1]).reshape(3, 1, 1),
                "the differences have the wrong sign: blue minus brightness.",
            ),
            "shifted": (
                lambda x: brightness_and_differences(x) + np.array([0, 0.5, 0.5]).reshape(3, 1, 1),
                "the differences are moved up by 0.5, as files have them. Here grey is 0.",
            ),
            "of the other": (
                lambda x: np.stack(
                    [
                        _brightness(x),
                        (x[:, 2] - x[:, 1]) / 1.772,
                        (x[:, 0] - x[:, 1]) / 1.402,
                    ],
                    axis=1,
                ),
                "green was subtracted. It is the brightness that is subtracted.",
            ),
            "divisors swapped": (
                lambda x: (
                    brightness_and_differences(x)
                    * np.array([1, 1.772 / 1.402, 1.402 / 1.772]).reshape(3, 1, 1)
                ),
                "the divisors have changed places: 1.772 is that of blue.",
            ),
            "nothing subtracted": (
                lambda x: np.stack([_brightness(x), x[:, 2] / 1.772, x[:, 0] / 1.402], axis=1),
                "blue and red are divided as they are. First the brightness is subtracted.",
            ),
        },
        trials=(
            ("one white pixel", (np.ones((1, 3, 1, 1)),)),
            ("one red pixel", (np.array([1.0, 0, 0]).reshape(1, 3, 1, 1),)),
            ("a wide picture", (_pictures(1, 1, 3, 2, 4),)),
            ("three pictures", (_pictures(2, 3, 3, 3, 5),)),
        ),
        harmless={
            "x with the sign lost": "pixels are not negative",
            "x with negative numbers set to 0": "pixels are not negative",
            "result kept in the type of x": "pixels are fractions",
            "result at most 1": "no brightness is above 1",
        },
    ),
    "3-9.4": Exercise(
        title="Many small judgements",
        reference=patch_loss,
        start="for a single score s and a real picture: what is -log D, if D is the sigmoid of s?",
        praise="A picture of which one patch in ten looks false gets a gradient there, and is left "
        "alone elsewhere.",
        hints=(
            "For a real picture each patch costs -log D, for a made one -log(1 - D). Take the mean "
            "of these costs.",
            "-log D is log(1 + exp(-s)). np.logaddexp(0, a) is log(1 + exp(a)) without overflow.",
        ),
        mistakes={
            "one score": (
                lambda scores, real: np.logaddexp(0, (-1 if real else 1) * scores.mean()),
                "the scores were averaged before they were judged. One patch that is surely false "
                "must not be made up for by others that are surely right.",
            ),
            "mean probability": (
                lambda scores, real: (
                    -np.log(
                        np.maximum((_sigmoid(scores) if real else _sigmoid(-scores)).mean(), 1e-300)
                    )
                ),
                "that is the logarithm of a mean. Every patch has a logarithm of its own.",
            ),
            "sum": (
                lambda scores, real: np.logaddexp(0, -scores if real else scores).sum(),
                "the costs of all patches are added up. Asked for is their mean.",
            ),
            "sum in a picture": (
                lambda scores, real: (
                    np.logaddexp(0, -scores if real else scores).sum() / len(scores)
                ),
                "divided by the number of pictures only. Asked for is the mean over all patches.",
            ),
            "changed places": (
                lambda scores, real: patch_loss(scores, not real),
                "real and made have changed places.",
            ),
            "always real": (
                lambda scores, real: patch_loss(scores, True),
                "what is made is treated as if it were real.",
            ),
            "base 2": (
                lambda scores, real: patch_loss(scores, real) / np.log(2),
                "the logarithm is to the base 2. Here log is the natural one.",
            ),
            "sign": (
                lambda scores, real: -patch_loss(scores, real),
                "a loss of this kind is never negative: the sign is turned round.",
            ),
            "overflow": (
                _overflowing,
                "right as a formula, but D of a very sure score is rounded to 0 or 1, and log 0 is "
                "minus infinity. np.logaddexp(0, a) is log(1 + exp(a)) without that.",
            ),
            "squares": (
                lambda scores, real: ((scores - real) ** 2).mean(),
                "those are squares. There are GANs with squares; this one has -log D.",
            ),
            "probability": (
                lambda scores, real: _sigmoid(-scores if real else scores).mean(),
                "that is 1 - D, or D: how wrong the discriminator is. The logarithm is missing.",
            ),
        },
        trials=(
            ("one patch, real", (np.zeros((1, 1, 1, 1)), True)),
            ("one patch, made", (np.ones((1, 1, 1, 1)), False)),
            ("two pictures of wide maps, real", (4 * _draw(1, 2, 1, 2, 3), True)),
            ("three pictures, made", (9 * _draw(2, 3, 1, 3, 4), False)),
            ("very sure scores", (np.array([-800.0, 3, 900, 0]).reshape(1, 1, 1, 4), True)),
        ),
        harmless={
            "result with the sign lost": "the loss is not negative",
            "result with negative numbers set to 0": "the loss is not negative",
            "result kept in the type of scores": "scores are fractions",
            "scores reversed along axis *": "a mean does not depend on the order",
            "scores rolled along axis *": "a mean does not depend on the order",
            "scores with the first of axis 1 everywhere": "there is one channel",
            "scores with axes * swapped": "a mean does not depend on the order",
        },
    ),
    "3-9.5": Exercise(
        title="A step of the generator, and nobody else's",
        reference=generator_turn,
        start="what is the derivative of |made - target| by theta, if made is theta times x?",
        praise="Two ways lead to theta: straight from L1, and through the discriminator, which is "
        "left as it was.",
        hints=(
            "made = theta · x, so whatever the derivative by made is, theta gets it times x.",
            "-log D has the derivative -(1 - D) by the score, and the score has w[0] by made. L1 "
            "has the sign of made - target, times the weight.",
            "Average over the pictures, go downhill with theta, and return w as it was.",
        ),
        mistakes={
            "gradient left in": (
                _also_moves_d,
                "the discriminator was moved as well, by what the way through has left in it: it "
                "now helps to be deceived. Its gradients must be cleared.",
            ),
            "L1 alone": (
                _spoiled_turn(by_score=lambda d: 0 * d),
                "the discriminator is not heard: only L1 has moved theta.",
            ),
            "GAN alone": (
                _spoiled_turn(weight_of=lambda weight: 0.0),
                "the distance from the target is missing.",
            ),
            "weight left out": (
                _spoiled_turn(weight_of=lambda weight: 1.0),
                "the L1 part is not multiplied by its weight.",
            ),
            "squares": (
                _spoiled_turn(near=lambda distance: 2 * distance),
                "that is the derivative of squares. The one of |made - target| is a sign.",
            ),
            "not through D": (
                _spoiled_turn(through=False),
                "the gradient stops at the score. From there it goes on to made: times w[0].",
            ),
            "helps the discriminator": (
                _spoiled_turn(by_score=lambda d: 1 - d),
                "the generator moves to where the discriminator finds it out.",
            ),
            "sum": (
                _spoiled_turn(total=np.sum),
                "the pictures are added up. The loss is their mean.",
            ),
            "saturating": (
                _spoiled_turn(by_score=lambda d: -d),
                "the generator minimises log(1 - D). Asked for is -log D.",
            ),
            "blind": (
                _blind,
                "the discriminator does not see x. It judges pairs: the score has w[1] · x, too.",
            ),
            "away from the target": (
                _spoiled_turn(near=lambda distance: -np.sign(distance)),
                "L1 has pushed theta away from the target: its derivative by made is the sign of "
                "made - target.",
            ),
            "by D": (
                _spoiled_turn(by_score=lambda d: -1 / d),
                "-1 / D is the derivative of -log D by D. By the score it is -(1 - D).",
            ),
            "nothing moved": (
                lambda theta, w, x, target, weight, rate: np.array([theta, *w]),
                "theta stands where it stood: the step, rate times the derivative, is missing.",
            ),
        },
        trials=(
            (
                "one picture",
                (0.5, np.array([1.0, 0.0]), np.array([1.0]), np.array([2.0]), 1.0, 0.1),
            ),
            ("one picture, a large weight", _turn(1, 1, 30.0, 0.01)),
            ("three pictures", _turn(2, 3, 2.0, 0.5)),
            (
                "a large theta",
                (2.5, np.array([1.5, -3.0]), np.array([1.2, 0.4]), np.array([3.5, 0.2]), 1.5, 0.5),
            ),
            ("a small weight", _turn(3, 5, 0.25, 1.0)),
            (
                "a discriminator that is sure",
                (1.2, np.array([-6.0, 1.0]), *_turn(4, 4, 3.0, 0.2)[2:]),
            ),
        ),
        harmless={
            "x with the sign lost": "the pictures are positive here",
            "x with negative numbers set to 0": "the pictures are positive here",
            "result kept in the type of *": "all of them are fractions",
        },
    ),
    "3-9.6": Exercise(
        title="The weights of a discriminator",
        reference=COUNTS,
        start="how many channels arrive at the first convolution, if pairs are judged?",
        praise="A fully connected score of the whole pair would have 1537 weights by itself, for "
        "this size of picture only. These work at any size.",
        hints=(
            "A filter has a weight for each arriving channel at each of its places, and one bias.",
            "A pair is four channels of grey and two of colour: 6 arrive. The first convolution "
            "has 24 filters of 4 × 4.",
        ),
        mistakes={
            "colours alone": (
                np.array([792, 10416, 433, 11641]),
                "two channels arrive in your first convolution. The discriminator sees the grey "
                "picture as well, or it could not tell whether they fit.",
            ),
            "grey alone": (
                np.array([1560, 10416, 433, 12409]),
                "four channels arrive in your first convolution, those of the grey picture. The "
                "two of the colours, which are to be judged, come as well.",
            ),
            "one bias in a layer": (
                np.array([2305, 10369, 433, 13107]),
                "each convolution has a single bias. There is one for each filter.",
            ),
            "grey as one channel": (
                np.array([1176, 10416, 433, 12025]),
                "three channels arrive in your first convolution. The grey picture is folded: the "
                "four pixels of a square are four channels.",
            ),
            "without biases": (
                np.array([2304, 10368, 432, 13104]),
                "the biases are missing: one for each filter.",
            ),
            "all of 3 by 3": (
                np.array([1320, 10416, 433, 12169]),
                "the first convolution has filters of 4 × 4.",
            ),
            "all of 4 by 4": (
                np.array([2328, 18480, 769, 21577]),
                "the second and the third convolution have filters of 3 × 3.",
            ),
            "one channel": (
                np.array([408, 480, 10, 898]),
                "every filter was given one channel. It has weights for all that arrive.",
            ),
            "with positions": (
                np.array([2328 * 64, 10416 * 64, 433 * 64, 13177 * 64]),
                "multiplied by the places that a filter visits. It has the same weights at each.",
            ),
        },
    ),
}
