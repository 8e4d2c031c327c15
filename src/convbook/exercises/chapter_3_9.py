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
    by_score=lambda d: d - 1, near=np.sign, total=np.mean,
    score=lambda theta, w, x, target: w[0] * theta * x + w[1] * x, squash=_sigmoid,
    by_made=lambda w: w[0], of_gan=lambda x: x, of_l1=lambda x: x,
):  # fmt: skip
    """Return the derivative of the generator's loss by theta; further arguments spoil a part."""
    made = theta * x
    d = squash(score(theta, w, x, target))
    far = weight * near(made - target)
    return total(by_score(d) * by_made(w) * of_gan(x) + far * of_l1(x))


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


def _moving_d(change):
    """Return a step that is right, and moves the discriminator by `rate` times `change`, too."""

    def turn(theta, w, x, target, weight, rate):
        made = theta * x
        d = _sigmoid(w[0] * made + w[1] * x)
        moved = w + rate * change(d, made, x)
        return np.array([theta - rate * _slope(theta, w, x, target, weight), *moved])

    return turn


def _means_multiplied(theta, w, x, target, weight, rate):
    """The mean of the derivatives times the mean of the pictures."""
    ones = {"of_gan": np.ones_like, "of_l1": np.ones_like}
    slope = _slope(theta, w, x, target, weight, **ones) * x.mean()
    return np.array([theta - rate * slope, *w])


def _cut_off(eps):
    """Return the formula as it stands, with D kept `eps` away from 0 and 1."""

    def loss(scores, real):
        d = np.clip(_sigmoid(scores), eps, 1 - eps)
        return -np.log(d if real else 1 - d).mean()

    return loss


def _with_weights(weights):
    """Return the exercise's function with other weights of red, green and blue."""

    def differences(x):
        y = _brightness(x, weights)
        return np.stack([y, (x[:, 2] - y) / 1.772, (x[:, 0] - y) / 1.402], axis=1)

    return differences


def _costs_as_written(scores, real):
    """The formula as it stands, which takes the logarithm of a rounded D."""
    with np.errstate(divide="ignore"):
        return -np.log(_sigmoid(scores) if real else 1 - _sigmoid(scores))


def _overflowing(scores, real):
    return _costs_as_written(scores, real).mean()


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
            "kernel sizes in steps": (
                np.array([10, 16, 36, 94]),
                "a kernel of size k widens the patch by k - 1 steps, not by k: between k pixels "
                "there are k - 1 steps.",
            ),
            "in the photograph": (
                2 * FIELDS,
                "twice as many: those are pixels of the photograph, which was folded. Asked for "
                "are pixels of what the discriminator is given.",
            ),
            "from the end": (
                np.array([6, 8, 14, 28]),
                "that went from the last layer to the first. A stride spreads what the layers "
                "behind it see, not what those before it see.",
            ),
            "one stride for all": (
                np.array([8, 12, 18, 28]),
                "behind the second stride of 2, neighbours lie 4 pixels apart, and behind the "
                "third 8: the strides are multiplied.",
            ),
            "strides added": (
                np.array([8, 12, 26, 58]),
                "the strides were added up: 2, 4, 6. They are multiplied: 2, 4, 8.",
            ),
            "stride of the last ones": (
                np.array([8, 12, 26, 142]),
                "the last two layers of d have stride 1. Only the first three double the distance.",
            ),
            "one more": (
                FIELDS + 1,
                "one too many: the patch begins with 1 pixel, and each layer adds (k - 1) times "
                "the distance of neighbours.",
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
            "mean of everything": (
                lambda colours: np.stack(
                    [np.median(colours, axis=0), np.full(colours.shape[1], colours.mean())]
                ),
                "the mean was taken of all channels together. Each channel has its own.",
            ),
            "one for all channels": (
                lambda colours: np.stack(
                    [
                        np.full(colours.shape[1], np.median(colours)),
                        np.full(colours.shape[1], colours.mean()),
                    ]
                ),
                "both were taken of all channels together. Each channel has its own: axis 0.",
            ),
            "below the middle": (
                lambda colours: np.stack(
                    [np.sort(colours, axis=0)[len(colours) // 2 - 1], colours.mean(axis=0)]
                ),
                "that is the number before the middle one. Of N sorted numbers, N odd, the middle "
                "one has the index N // 2.",
            ),
            "above the middle": (
                lambda colours: np.stack(
                    [np.sort(colours, axis=0)[len(colours) // 2 + 1], colours.mean(axis=0)]
                ),
                "that is the number behind the middle one. Of N sorted numbers, N odd, the middle "
                "one has the index N // 2.",
            ),
            "sorted channels": (
                lambda colours: np.stack(
                    [np.sort(colours)[len(colours) // 2], colours.mean(axis=0)]
                ),
                "np.sort goes over the last axis, the channels, unless it is told axis=0.",
            ),
            "sum": (
                lambda colours: np.stack([np.median(colours, axis=0), colours.sum(axis=0)]),
                "the second row is a sum. The sum of squares is least at the mean.",
            ),
            "root of the squares": (
                lambda colours: np.stack(
                    [np.median(colours, axis=0), np.sqrt((colours**2).mean(axis=0))]
                ),
                "that is the root of the mean square of the colours. The answer with the least "
                "squares of differences is their mean.",
            ),
            "absolute colours": (
                lambda colours: best_colours(abs(colours)),
                "the signs of the colours are lost. Absolute are the differences, not the colours.",
            ),
            "losses": (
                lambda colours: np.stack(
                    [
                        abs(colours - np.median(colours, axis=0)).mean(axis=0),
                        colours.var(axis=0),
                    ]
                ),
                "those are the losses of the best answers. Asked for are the answers.",
            ),
            "mean and deviation": (
                lambda colours: np.stack([colours.mean(axis=0), colours.std(axis=0)]),
                "those are mean and standard deviation. Asked for are two answers, the best for "
                "either loss.",
            ),
            "nearest to the mean": (
                lambda colours: np.stack(
                    [
                        np.median(colours, axis=0),
                        colours[((colours - colours.mean(axis=0)) ** 2).sum(axis=1).argmin()],
                    ]
                ),
                "the second row is the colour of one of the pixels. The answer may be any colour, "
                "and squares are least at the mean.",
            ),
            "one of the pixels": (
                lambda colours: np.stack(
                    [
                        colours[abs(colours[:, None] - colours).sum(axis=(1, 2)).argmin()],
                        colours.mean(axis=0),
                    ]
                ),
                "the first row is the colour of one of the pixels, all channels from the same one. "
                "The best answer takes each channel's own median.",
            ),
            "grey": (
                lambda colours: np.zeros((2, colours.shape[1])),
                "that is grey, whatever the colours were. It is the best answer only if as many "
                "colours lie on one side of it as on the other.",
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
            "multiplied": (
                lambda x: (
                    brightness_and_differences(x)
                    * np.array([1, 1.772**2, 1.402**2]).reshape(3, 1, 1)
                ),
                "the differences are multiplied by 1.772 and 1.402. They are divided by them.",
            ),
            "brackets": (
                lambda x: np.stack(
                    [
                        _brightness(x),
                        x[:, 2] - _brightness(x) / 1.772,
                        x[:, 0] - _brightness(x) / 1.402,
                    ],
                    axis=1,
                ),
                "only the brightness was divided. Brackets around the difference are missing.",
            ),
            "weights of green and blue": (
                _with_weights((0.299, 0.114, 0.587)),
                "the weights of green and blue have changed places: green has 0.587.",
            ),
            "weights of red and green": (
                _with_weights((0.587, 0.299, 0.114)),
                "the weights of red and green have changed places: green has 0.587.",
            ),
            "weights reversed": (
                _with_weights((0.114, 0.587, 0.299)),
                "the weights of red and blue have changed places: red has 0.299.",
            ),
            "weights of another standard": (
                _with_weights((0.2126, 0.7152, 0.0722)),
                "those are the weights of high definition television. Here red has 0.299, green "
                "0.587 and blue 0.114.",
            ),
            "all added": (
                _with_weights((1, 1, 1)),
                "the three channels were added without their weights.",
            ),
            "largest channel": (
                lambda x: np.stack(
                    [
                        x.max(axis=1),
                        (x[:, 2] - x.max(axis=1)) / 1.772,
                        (x[:, 0] - x.max(axis=1)) / 1.402,
                    ],
                    axis=1,
                ),
                "the brightness is the largest of the three. Here it is their weighted sum.",
            ),
            "one divisor": (
                lambda x: (
                    brightness_and_differences(x) * np.array([1, 1, 1.402 / 1.772]).reshape(3, 1, 1)
                ),
                "both differences are divided by 1.772. The one of red has 1.402.",
            ),
            "red's divisor": (
                lambda x: (
                    brightness_and_differences(x) * np.array([1, 1.772 / 1.402, 1]).reshape(3, 1, 1)
                ),
                "both differences are divided by 1.402. The one of blue has 1.772.",
            ),
            "green": (
                lambda x: np.stack(
                    [
                        _brightness(x),
                        (x[:, 1] - _brightness(x)) / 1.772,
                        (x[:, 0] - _brightness(x)) / 1.402,
                    ],
                    axis=1,
                ),
                "Cb was made of green, channel 1. Blue is channel 2.",
            ),
            "brightness last": (
                lambda x: brightness_and_differences(x)[:, [1, 2, 0]],
                "the brightness comes last. It is the first of the three.",
            ),
            "absolute": (
                lambda x: abs(brightness_and_differences(x)),
                "the signs are lost: what is less blue than grey has a negative Cb.",
            ),
            "cut off": (
                lambda x: np.clip(brightness_and_differences(x), 0, 1),
                "the result was cut off at 0. What is less blue than grey has a negative Cb.",
            ),
            "of the network": (
                lambda x: brightness_and_differences(x) * np.array([1, 4, 4]).reshape(3, 1, 1),
                "the differences are four times as large, as the network of this chapter gets "
                "them. Here they go from -0.5 to 0.5.",
            ),
            "from -1": (
                lambda x: (
                    brightness_and_differences(x) * np.array([2, 1, 1]).reshape(3, 1, 1)
                    - np.array([1, 0, 0]).reshape(3, 1, 1)
                ),
                "the brightness goes from -1 to 1, as the network of this chapter gets it. Here it "
                "goes from 0 to 1.",
            ),
            "mean brightness": (
                lambda x: np.stack(
                    [
                        _brightness(x),
                        (x[:, 2] - _brightness(x).mean()) / 1.772,
                        (x[:, 0] - _brightness(x).mean()) / 1.402,
                    ],
                    axis=1,
                ),
                "the mean brightness of all pixels was subtracted. Each pixel has its own.",
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
            **{
                f"D at least {eps:g}": (
                    _cut_off(eps),
                    "D was kept away from 0 and 1 by a tiny number. Then all scores that are sure "
                    "enough cost the same, however wrong they are, and have no gradient. "
                    "np.logaddexp(0, a) is log(1 + exp(a)) and needs no such thing.",
                )
                for eps in (*10.0 ** -np.arange(3, 17), 1e-30, 1e-100, 1e-300)
            },
            **{
                f"scores within {most}": (
                    lambda scores, real, most=most: patch_loss(np.clip(scores, -most, most), real),
                    "the scores were cut off. Then all beyond that cost the same, however wrong "
                    "they are. np.logaddexp(0, a) is log(1 + exp(a)) for scores of any size.",
                )
                for most in (10, 15, 16, 20, 30, 32, 40, 50, 60, 80, 88, 100, 200, 500, 700, 709)
            },
            "infinity replaced": (
                lambda scores, real: np.nan_to_num(_costs_as_written(scores, real)).mean(),
                "the infinite cost of a very sure score was replaced. Its real cost is about the "
                "size of the score: np.logaddexp(0, a) is log(1 + exp(a)).",
            ),
            "smoothed": (
                lambda scores, real: (
                    0.9 * patch_loss(scores, True) + 0.1 * patch_loss(scores, False)
                    if real
                    else patch_loss(scores, False)
                ),
                "for real pictures that asks for 0.9. So do the trainings of this chapter; here "
                "the loss is -log D.",
            ),
            "hinge": (
                lambda scores, real: np.maximum(0, 1 - scores if real else 1 + scores).mean(),
                "that is a hinge loss. There are GANs with it; this one has -log D.",
            ),
            "score itself": (
                lambda scores, real: (-scores if real else scores).mean(),
                "that is the mean score. There are GANs with it; this one has -log D.",
            ),
            "both": (
                lambda scores, real: patch_loss(scores, True) + patch_loss(scores, False),
                "both terms are there for all pictures. It is -log D for real ones, and "
                "-log(1 - D) for made ones.",
            ),
            "doubled": (
                lambda scores, real: 2 * patch_loss(scores, real),
                "twice too large. Both kinds of pairs together cost the sum of two such means.",
            ),
            "worst patch": (
                lambda scores, real: np.logaddexp(0, -scores if real else scores).max(),
                "that is the cost of the worst patch. Asked for is the mean of all.",
            ),
            "median": (
                lambda scores, real: np.median(np.logaddexp(0, -scores if real else scores)),
                "that is the median of all patches. Asked for is the mean.",
            ),
            "columns": (
                lambda scores, real: (
                    np.logaddexp(0, -scores if real else scores).sum(axis=2).mean()
                ),
                "the costs of a column are added up, and then averaged. Average over all axes.",
            ),
            "rows": (
                lambda scores, real: (
                    np.logaddexp(0, -scores if real else scores).sum(axis=3).mean()
                ),
                "the costs of a row are added up, and then averaged. Average over all axes.",
            ),
            "always made": (
                lambda scores, real: patch_loss(scores, False),
                "what is real is treated as if it were made.",
            ),
            "1 minus the logarithm": (
                lambda scores, real: (
                    patch_loss(scores, True) if real else 1 - patch_loss(scores, True)
                ),
                "that is 1 minus the loss. The 1 belongs into the logarithm: -log(1 - D).",
            ),
            "from 1": (
                lambda scores, real: np.logaddexp(1, -scores if real else scores).mean(),
                "np.logaddexp(0, a) is log(exp(0) + exp(a)), and exp(0) is the 1 that is wanted.",
            ),
            "absolute score": (
                lambda scores, real: np.logaddexp(0, abs(scores)).mean(),
                "the sign of the scores is lost, and with it on which side they are wrong.",
            ),
            "scores for D": (
                lambda scores, real: (
                    -np.log(np.maximum(scores if real else 1 - scores, 1e-300)).mean()
                ),
                "the scores are taken for D. D is their sigmoid.",
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
                _spoiled_turn(by_made=lambda w: 1.0),
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
                "the generator minimises log(1 - D). Asked for is -log D. (A sigmoid without the "
                "minus in exp(-s) looks the same.)",
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
            "L1 without x": (
                _spoiled_turn(of_l1=np.ones_like),
                "the part of L1 stops at what was made. By theta, made has the derivative x.",
            ),
            "GAN without x": (
                _spoiled_turn(of_gan=np.ones_like),
                "the part of the discriminator stops at what was made. By theta, made has the "
                "derivative x.",
            ),
            "without x": (
                _spoiled_turn(of_gan=np.ones_like, of_l1=np.ones_like),
                "both parts stop at what was made. By theta, made has the derivative x.",
            ),
            "means multiplied": (
                _means_multiplied,
                "the derivatives were averaged before they were multiplied by x. Each picture has "
                "its own product; then comes the mean.",
            ),
            "weight of both": (
                lambda theta, w, x, target, weight, rate: np.array(
                    [theta - rate * weight * _slope(theta, w, x, target, 1.0), *w]
                ),
                "both parts are multiplied by the weight. It belongs to L1 alone.",
            ),
            "weight of the other": (
                lambda theta, w, x, target, weight, rate: np.array(
                    [theta - rate * weight * _slope(theta, w, x, target, 1 / weight), *w]
                ),
                "the part of the discriminator is multiplied by the weight. It belongs to L1.",
            ),
            "by w[1]": (
                _spoiled_turn(by_made=lambda w: w[1]),
                "the score has the factor w[0] by made. w[1] belongs to the picture x, which does "
                "not move.",
            ),
            "by both": (
                _spoiled_turn(by_made=lambda w: w[0] + w[1]),
                "w[1] · x is a part of the score, but does not depend on theta. By made the score "
                "has the derivative w[0] alone.",
            ),
            "D of the target": (
                _spoiled_turn(score=lambda theta, w, x, target: w[0] * target + w[1] * x),
                "the discriminator was shown the target. The generator learns by what it says of "
                "what was made.",
            ),
            "theta for made": (
                _spoiled_turn(score=lambda theta, w, x, target: w[0] * theta + w[1] * x),
                "theta was shown to the discriminator. What was made is theta times x.",
            ),
            "w[1] alone": (
                _spoiled_turn(score=lambda theta, w, x, target: w[0] * theta * x + w[1]),
                "w[1] is no bias: the score has w[1] times the picture x.",
            ),
            "uphill": (
                lambda theta, w, x, target, weight, rate: np.array(
                    [theta + rate * _slope(theta, w, x, target, weight), *w]
                ),
                "theta went uphill. The generator makes its loss smaller: subtract.",
            ),
            "distance for its slope": (
                _spoiled_turn(near=abs),
                "|made - target| is the loss itself. Its derivative by made is a sign.",
            ),
            "half squares": (
                _spoiled_turn(near=lambda distance: distance),
                "that is the derivative of half the squares. The one of |made - target| is a sign.",
            ),
            "gradient": (
                lambda theta, w, x, target, weight, rate: np.array(
                    [_slope(theta, w, x, target, weight), *w]
                ),
                "that is the derivative. Asked for is theta after the step.",
            ),
            "without the rate": (
                lambda theta, w, x, target, weight, rate: np.array(
                    [theta - _slope(theta, w, x, target, weight), *w]
                ),
                "the derivative is not multiplied by the rate.",
            ),
            "derivative of D": (
                _spoiled_turn(by_score=lambda d: -d * (1 - d)),
                "that is the derivative of D. The logarithm takes the factor D away: -(1 - D).",
            ),
            "without the sigmoid": (
                _spoiled_turn(squash=lambda score: score),
                "the score was taken for D. D is its sigmoid.",
            ),
            "discriminator against it": (
                _moving_d(lambda d, made, x: -np.array([(d * made).mean(), (d * x).mean()])),
                "the discriminator made a step of its own. This is the generator's turn.",
            ),
            "one weight moved": (
                _moving_d(lambda d, made, x: np.array([((1 - d) * made).mean(), 0])),
                "w[0] was moved as well. In the generator's step the discriminator stands still.",
            ),
            "other order": (
                lambda theta, w, x, target, weight, rate: np.roll(
                    generator_turn(theta, w, x, target, weight, rate), -1
                ),
                "theta comes first, then w[0] and w[1].",
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
            "multiplications": (
                np.array([147456, 663552, 27648, 838656]),
                "those are the multiplications of one picture. A filter has the same weights at "
                "all places.",
            ),
            "pair to the second": (
                np.array([2328, 48 * (6 * 9 + 1), 433, 2328 + 48 * 55 + 433]),
                "6 channels arrive in your second convolution, too. There arrive the 24 maps of "
                "the first.",
            ),
            "first to the third": (
                np.array([2328, 10416, 24 * 9 + 1, 2328 + 10416 + 24 * 9 + 1]),
                "24 channels arrive in your third convolution. There arrive the 48 maps of the "
                "second.",
            ),
            "third of 4 by 4": (
                np.array([2328, 10416, 48 * 16 + 1, 2328 + 10416 + 769]),
                "the third convolution has a filter of 3 × 3.",
            ),
            "third as wide": (
                np.array([2328, 10416, 48 * 433, 2328 + 10416 + 48 * 433]),
                "your third convolution has 48 filters. It has one, which makes the scores.",
            ),
            "last without bias": (
                np.array([2328, 10416, 432, 13176]),
                "the third convolution has a bias, too.",
            ),
            "both kinds of pairs": (
                np.array([24 * (12 * 16 + 1), 10416, 433, 24 * 193 + 10416 + 433]),
                "12 channels arrive in your first convolution. Real and made pairs are looked at "
                "one after the other: 4 channels of grey and 2 of colours each.",
            ),
            "one filter each": (
                np.array([97, 217, 433, 747]),
                "those are the weights of a single filter. The first convolution has 24 of them, "
                "the second 48.",
            ),
            "filters alone": (
                np.array([16 * 24, 9 * 48, 9, 16 * 24 + 9 * 48 + 9]),
                "a filter has weights for each of the arriving channels, and a bias.",
            ),
        },
    ),
}
