"""The exercises of the page on GANs."""

from __future__ import annotations

import numpy as np

from .checking import Exercise

# --- reference solutions -------------------------------------------------------------------------


def value_of(d_real, d_fake):
    return np.log(d_real).mean() + np.log(1 - d_fake).mean()


def generator_gradient(scores, saturating):
    d = _sigmoid(scores)
    return (-d if saturating else d - 1) / len(scores)


def one_turn(w, theta, real, rate):
    return np.array(_turn(w, theta, real, rate))


def claimed_scores(scores, labels):
    return scores[:, 0] + scores[np.arange(len(labels)), 1 + labels]


def variety(pictures):
    n = len(pictures)
    return _distances(pictures).sum() / (n * (n - 1))


def _sigmoid(scores):
    return 1 / (1 + np.exp(-np.asarray(scores, float)))


def _turn(
    w, theta, real, rate, old=False, also=False, sign_d=1, sign_g=1, saturating=False,
    of_fake=lambda d: -d,
):  # fmt: skip
    """Return (w, theta) after a turn; the further arguments spoil a part of it."""
    uphill = (1 - _sigmoid(w * real)) * real + of_fake(_sigmoid(w * theta)) * theta
    moved = w + sign_d * rate * uphill
    seen = w if old else moved
    push = _sigmoid(seen * theta) if saturating else 1 - _sigmoid(seen * theta)
    if also:  # the generator's gradient, in the discriminator's weight
        moved = moved + rate * push * theta
    return moved, theta + sign_g * rate * push * seen


def _distances(pictures):
    flat = pictures.reshape(len(pictures), -1)
    return np.sqrt(((flat[:, None] - flat) ** 2).sum(axis=2))


# --- wrong solutions that take more than a line --------------------------------------------------


def _generator_first(w, theta, real, rate):
    theta = theta + rate * (1 - _sigmoid(w * theta)) * w
    w = w + rate * ((1 - _sigmoid(w * real)) * real - _sigmoid(w * theta) * theta)
    return np.array([w, theta])


def _discriminator_through(w, theta, real, rate):
    """The discriminator's step moves the generator as well."""
    moved = _turn(w, theta, real, rate)[0]
    theta = theta - rate * _sigmoid(w * theta) * w
    return np.array([moved, theta + rate * (1 - _sigmoid(moved * theta)) * moved])


# --- material ------------------------------------------------------------------------------------

# At five places: how often real data come, and how often generated ones.
REAL = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
FAKE = np.array([0.1, 0.3, 0.3, 0.0, 0.3])
BEST = REAL / (REAL + FAKE)

# How many products make a pixel of an even row and of an odd one, far from the edge, if a
# transposed convolution of stride 2 has a kernel of size 2, 3, 4, 5: a row for each.
PRODUCTS = np.array([[1, 1], [2, 1], [2, 2], [3, 2]])


def _draw(seed, *shape):
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape).round(2)


def _scores(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape).round(2)


def _pictures(seed, n, *shape):
    return np.random.default_rng(seed).integers(0, 9, (n, *shape)) / 4


EXERCISES = {
    "3-9-1.1": Exercise(
        title="The best discriminator, with the pencil",
        reference=BEST,
        start="at the first place, of 5 pieces of data that turn up there, how many are real?",
        praise="Where only one side ever turns up, D* is 1 or 0; where both come equally often, "
        "it can do no better than toss a coin.",
        hints=(
            "At one place x the discriminator chooses a single number D, to make "
            "p log D + q log(1 - D) as large as possible.",
            "The derivative p / D - q / (1 - D) is 0 where D (p + q) = p.",
        ),
        mistakes={
            "generated share": (
                FAKE / (REAL + FAKE),
                "that is how likely a piece is generated. D says how likely it is real.",
            ),
            "real shares": (
                REAL,
                "those are the shares p themselves. D compares p with q, place by place.",
            ),
            "difference": (
                (1 + REAL - FAKE) / 2,
                "the difference of p and q decides here. It is their ratio that counts: 0.02 "
                "against 0.01 is as telling as 0.4 against 0.2.",
            ),
            "a coin everywhere": (
                np.full(5, 0.5),
                "1/2 is the answer at places where p = q, as at the end of a perfect training.",
            ),
            "surely": (
                np.array([1, 0.5, 0, 1, 0]),
                "D takes the likelier side for certain. Then a wrong guess would cost log 0; "
                "the best D says how likely each side is.",
            ),
            "of all data": (
                REAL / 2,
                "that is p over all that turns up anywhere. Only what turns up at this place "
                "counts: p + q of the same place.",
            ),
            "plus one": (
                REAL / (1 + FAKE),
                "the denominator is p + q, not 1 + q.",
            ),
            "product": (
                REAL * FAKE,
                "p and q are multiplied. D is a share: p of all that turns up there, p + q.",
            ),
            "plain difference": (
                REAL - FAKE,
                "that is p - q. D is a share: p of all that turns up there, p + q.",
            ),
        },
    ),
    "3-9-1.2": Exercise(
        title="The value of the game",
        reference=value_of,
        start="what does the discriminator gain on average by real data, the mean of log D(x)?",
        praise="That is the curve of this page. A D that says 1/2 to everything has -1.386.",
        hints=(
            "Two expectations are two means: over the real batch, and over the generated one.",
            "For generated data the discriminator is right if D is near 0: log(1 - D).",
        ),
        mistakes={
            "log of D for both": (
                lambda d_real, d_fake: np.log(d_real).mean() + np.log(d_fake).mean(),
                "for generated data the right answer is 0, so it is log(1 - D) that counts.",
            ),
            "sums": (
                lambda d_real, d_fake: np.log(d_real).sum() + np.log(1 - d_fake).sum(),
                "the logarithms are added up. An expectation is a mean.",
            ),
            "one mean": (
                lambda d_real, d_fake: np.concatenate([np.log(d_real), np.log(1 - d_fake)]).mean(),
                "all logarithms went into one mean. V has a mean for each kind of data.",
            ),
            "the loss": (
                lambda d_real, d_fake: -value_of(d_real, d_fake),
                "the sign is turned round: that is the discriminator's loss, which it makes small. "
                "V is what it makes large.",
            ),
            "log of the mean": (
                lambda d_real, d_fake: np.log(d_real.mean()) + np.log(1 - d_fake.mean()),
                "the means are taken before the logarithm. A single sure mistake must cost much, "
                "so every piece has its own logarithm.",
            ),
            "base 2": (
                lambda d_real, d_fake: value_of(d_real, d_fake) / np.log(2),
                "the logarithms are to the base 2. Here log is the natural one.",
            ),
            "halved": (
                lambda d_real, d_fake: value_of(d_real, d_fake) / 2,
                "that is half of V: the mean log likelihood. V is the sum of both means.",
            ),
            "without one minus for real": (
                lambda d_real, d_fake: np.log(1 - d_real).mean() + np.log(d_fake).mean(),
                "real and generated have changed places.",
            ),
            "minus for generated": (
                lambda d_real, d_fake: np.log(d_real).mean() - np.log(d_fake).mean(),
                "-log D of generated data is not log(1 - D): near D = 0 one is large and the "
                "other 0.",
            ),
            "difference": (
                lambda d_real, d_fake: np.log(d_real).mean() - np.log(1 - d_fake).mean(),
                "the second mean is subtracted. The discriminator gains by both: V is their sum.",
            ),
            "base 10": (
                lambda d_real, d_fake: value_of(d_real, d_fake) / np.log(10),
                "the logarithms are to the base 10. Here log is the natural one.",
            ),
            "no logarithm": (
                lambda d_real, d_fake: d_real.mean() + (1 - d_fake).mean(),
                "the logarithms are missing: V is made of log D and log(1 - D).",
            ),
            "real data only": (
                lambda d_real, d_fake: np.log(d_real).mean(),
                "that is the mean over real data. The generated ones are missing: log(1 - D).",
            ),
        },
        trials=(
            ("always one half", (np.full(4, 0.5), np.full(4, 0.5))),
            ("different answers", (_draw(1, 4), _draw(2, 4))),
            ("more real data than generated", (_draw(3, 7), _draw(4, 3))),
            ("a discriminator that is rather sure", (np.array([0.99, 0.97]), _draw(5, 2) / 9)),
        ),
        harmless={
            "result at most 1": "V is at most 0",
            "result kept in the type of d_*": "probabilities are fractions",
            "d_* with the sign lost": "probabilities are not negative",
            "d_* with negative numbers set to 0": "probabilities are not negative",
            "d_* reversed along axis 0": "a mean does not depend on the order",
            "d_* rolled along axis 0": "a mean does not depend on the order",
        },
    ),
    "3-9-1.3": Exercise(
        title="The gradient of both losses of the generator",
        reference=generator_gradient,
        start="what is the derivative of log(1 - D) by the score s, if D is the sigmoid of s?",
        praise="Where D is near 0, one of them is near 0 as well, and the other near -1: that is "
        "the whole difference between starving and learning.",
        hints=(
            "The derivative of the sigmoid D by its score is D (1 - D).",
            "log(1 - D) has the derivative -1 / (1 - D) by D, and -log D has -1 / D. Multiply.",
            "The loss is the mean over n scores, so each is divided by n.",
        ),
        mistakes={
            "changed places": (
                lambda scores, saturating: generator_gradient(scores, not saturating),
                "the two losses have changed places. The saturating one is log(1 - D).",
            ),
            "by D": (
                lambda scores, saturating: (
                    -1 / ((1 - _sigmoid(scores)) if saturating else _sigmoid(scores)) / len(scores)
                ),
                "that is the derivative by D. By the score there is another factor, D (1 - D).",
            ),
            "not divided by n": (
                lambda scores, saturating: generator_gradient(scores, saturating) * len(scores),
                "not divided by the number of scores: the loss is their mean.",
            ),
            "sign": (
                lambda scores, saturating: -generator_gradient(scores, saturating),
                "all signs are turned round. Both losses fall when a score grows.",
            ),
            "always -log D": (
                lambda scores, saturating: generator_gradient(scores, False),
                "that is the gradient of -log D in both cases.",
            ),
            "always log(1 - D)": (
                lambda scores, saturating: generator_gradient(scores, True),
                "that is the gradient of log(1 - D) in both cases.",
            ),
            "only the sigmoid": (
                lambda scores, saturating: -_sigmoid(scores) * (1 - _sigmoid(scores)) / len(scores),
                "the derivative of the logarithm is left out; what stands there is that of D.",
            ),
            "the discriminator's": (
                lambda scores, saturating: _sigmoid(scores) / len(scores),
                "that is how the discriminator's loss changes. The generator wants the opposite.",
            ),
            "losses": (
                lambda scores, saturating: (
                    np.log(1 - _sigmoid(scores)) if saturating else -np.log(_sigmoid(scores))
                ),
                "those are the losses themselves. Asked for is how they change with each score.",
            ),
            "scores for D": (
                lambda scores, saturating: (-scores if saturating else scores - 1) / len(scores),
                "the scores are taken for D. D is their sigmoid.",
            ),
        },
        trials=(
            ("-log D of a single score 0", (np.array([0.0]), False)),
            ("log(1 - D) of a single score 0", (np.array([0.0]), True)),
            ("-log D of several scores", (_scores(1, 5), False)),
            ("log(1 - D) of several scores", (_scores(2, 6), True)),
            ("a discriminator that is sure, -log D", (np.array([-6.0, -4, -8]), False)),
            ("a discriminator that is sure, log(1 - D)", (np.array([-6.0, -4, -8]), True)),
        ),
        harmless={
            "result at most 1": "both losses fall when a score grows",
            "result kept in the type of scores": "scores are fractions",
        },
    ),
    "3-9-1.4": Exercise(
        title="A turn, and whose gradients go where",
        reference=one_turn,
        start="the discriminator first: how does V change with w, while theta stays?",
        praise="With both at 0 nothing moves any more; but try 100 turns from w = 0, theta = 1 and "
        "real = 0: the two circle around that point for ever. The oscillation of GANs, in two "
        "numbers.",
        hints=(
            "By w, log D(real) has the derivative (1 - D(real)) · real, and log(1 - D(theta)) has "
            "-D(theta) · theta. The discriminator goes uphill.",
            "Then the generator: -log D(theta) has the derivative -(1 - D(theta)) · w by theta; it "
            "goes downhill, with the w that the discriminator has just got.",
            "By w, the generator's loss has a derivative, too. Nobody uses it.",
        ),
        mistakes={
            "both at once": (
                lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, old=True)),
                "the generator has looked at the old w. In a turn the discriminator moves first, "
                "and the generator meets the new one.",
            ),
            "gradient left in": (
                lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, also=True)),
                "the generator's gradient has moved w as well: a discriminator that helps to "
                "deceive itself. What its way through has left in w must be cleared.",
            ),
            "generator moved by the discriminator's step": (
                _discriminator_through,
                "the discriminator's step has moved theta, too. What is generated is data there, "
                "and no gradient goes back into the generator.",
            ),
            "generator first": (
                _generator_first,
                "the generator moves first. Here the discriminator does.",
            ),
            "discriminator downhill": (
                lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, sign_d=-1)),
                "the discriminator makes V smaller. It is the one that makes V large.",
            ),
            "generator uphill": (
                lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, sign_g=-1)),
                "the generator goes away from what the discriminator takes for real.",
            ),
            "saturating": (
                lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, saturating=True)),
                "the generator minimises log(1 - D). Asked for is -log D.",
            ),
            "real data only": (
                lambda w, theta, real, rate: np.array(
                    _turn(w, theta, real, rate, of_fake=lambda d: 0 * d)
                ),
                "the discriminator has looked at real data only. Half of what it sees is "
                "generated.",
            ),
            "generated taken for real": (
                lambda w, theta, real, rate: np.array(
                    _turn(w, theta, real, rate, of_fake=lambda d: 1 - d)
                ),
                "the discriminator learns to call the generated data real. Its derivative for "
                "them is -D(theta) · theta.",
            ),
            "nothing moved": (
                lambda w, theta, real, rate: np.array([w, theta]),
                "nothing has moved: the steps, rate times a derivative, are missing.",
            ),
            "other order": (
                lambda w, theta, real, rate: one_turn(w, theta, real, rate)[::-1],
                "the results have changed places: first w, then theta.",
            ),
        },
        trials=(
            ("a discriminator that knows nothing", (0.0, 1.0, 0.5, 0.1)),
            ("real data at 0", (0.8, 1.0, 0.0, 0.5)),
            ("real data elsewhere", (0.5, -1.5, 2.0, 0.25)),
            ("a negative w", (-1.25, 0.75, 1.5, 1.0)),
            ("large steps", (0.3, 2.0, -1.0, 3.0)),
        ),
    ),
    "3-9-1.5": Exercise(
        title="How real for what it claims to be",
        reference=claimed_scores,
        start="which two of the 1 + K scores of the first picture count?",
        praise="A fine 3 that claims to be a 7 now gets a bad score, and the generator has to "
        "listen to its label.",
        hints=(
            "Column 0 is the score for any picture; that of label k stands in column 1 + k.",
            "Two lists of indices, of rows and of columns, take one number out of each row.",
        ),
        mistakes={
            "a column too few": (
                lambda scores, labels: scores[:, 0] + scores[np.arange(len(labels)), labels],
                "column 0 is the score of all pictures, so label k stands in column 1 + k.",
            ),
            "label alone": (
                lambda scores, labels: scores[np.arange(len(labels)), 1 + labels],
                "the first score is missing: how real the picture looks, whatever it shows.",
            ),
            "first alone": (
                lambda scores, labels: scores[:, 0],
                "the label's score is missing. Without it the discriminator does not hear the "
                "label, and the generator need not listen to it.",
            ),
            "best label": (
                lambda scores, labels: scores[:, 0] + scores[:, 1:].max(axis=1),
                "the best of all labels counts. It is the one that the picture claims.",
            ),
            "all labels": (
                lambda scores, labels: scores.sum(axis=1),
                "all scores are added. Those of the other labels say nothing here.",
            ),
            "product": (
                lambda scores, labels: scores[:, 0] * scores[np.arange(len(labels)), 1 + labels],
                "the two scores are multiplied. They are added: logits are logarithms of ratios.",
            ),
            "mean": (
                lambda scores, labels: claimed_scores(scores, labels) / 2,
                "that is the mean of the two scores, not their sum.",
            ),
            "all pairs": (
                lambda scores, labels: scores[:, :1] + scores[:, 1 + labels],
                "every picture meets every label: scores[:, 1 + labels] takes whole columns.",
            ),
        },
        trials=(
            ("one picture, two labels", (np.array([[0.5, 2.0, -1.0]]), np.array([1]))),
            ("three pictures, four labels", (_scores(3, 3, 5), np.array([0, 3, 1]))),
            ("the same label twice", (_scores(4, 4, 8), np.array([6, 2, 2, 0]))),
            ("ten labels", (_scores(5, 6, 11), np.array([9, 0, 5, 5, 3, 7]))),
        ),
        harmless={
            "result kept in the type of scores": "scores are fractions",
            "labels cut to integers": "labels are whole numbers",
            "labels with the sign lost": "labels are not negative",
            "labels with negative numbers set to 0": "labels are not negative",
        },
    ),
    "3-9-1.6": Exercise(
        title="Variety",
        reference=variety,
        start="how far are the first two pictures from each other, as rows of pixels?",
        praise="A generator that makes one perfect 3 for ever has variety 0, and a judge that "
        "praises every single picture.",
        hints=(
            "Flatten the pictures first: (n, pixels).",
            "flat[:, None] - flat has the shape (n, n, pixels); its squares, added up and rooted, "
            "are all distances, each of them twice, and n zeros.",
            "There are n (n - 1) ordered pairs of two different pictures.",
        ),
        mistakes={
            "with itself": (
                lambda pictures: _distances(pictures).mean(),
                "the distance of each picture from itself, 0, is counted, too. Divide by "
                "n (n - 1), not by n².",
            ),
            "squared": (
                lambda pictures: (
                    (_distances(pictures) ** 2).sum() / (len(pictures) * (len(pictures) - 1))
                ),
                "those are squared distances. The root is missing.",
            ),
            "from the mean": (
                lambda pictures: np.sqrt(
                    ((pictures - pictures.mean(axis=0)) ** 2).reshape(len(pictures), -1).sum(axis=1)
                ).mean(),
                "that is the mean distance from the average picture. Asked for are pairs.",
            ),
            "neighbours": (
                lambda pictures: np.sqrt(
                    ((pictures[1:] - pictures[:-1]) ** 2).reshape(len(pictures) - 1, -1).sum(axis=1)
                ).mean(),
                "only pictures that follow each other are compared. All pairs count.",
            ),
            "once too often": (
                lambda pictures: 2 * variety(pictures),
                "each pair is counted twice, but divided by the number of pairs once.",
            ),
            "sum": (
                lambda pictures: _distances(pictures).sum(),
                "that is the sum over all pairs. Asked for is their mean.",
            ),
            "per pixel": (
                lambda pictures: pictures.std(axis=0).mean(),
                "that is the mean deviation of a pixel. It is related, but no distance.",
            ),
            "absolute": (
                lambda pictures: (
                    abs(
                        pictures.reshape(len(pictures), 1, -1)
                        - pictures.reshape(1, len(pictures), -1)
                    ).sum()
                    / (len(pictures) * (len(pictures) - 1))
                ),
                "absolute differences are added. A distance is the root of the sum of squares.",
            ),
        },
        trials=(
            ("two pictures of one pixel", (np.array([[[1.0]], [[4.0]]]),)),
            ("three pictures of 2 by 3", (_pictures(1, 3, 2, 3),)),
            ("one picture, four times", (np.repeat(_pictures(2, 1, 2, 4), 4, axis=0),)),
            ("six pictures of 3 by 4", (_pictures(3, 6, 3, 4),)),
        ),
        harmless={
            "result with the sign lost": "a distance is not negative",
            "result with negative numbers set to 0": "a distance is not negative",
            "result kept in the type of pictures": "the pictures are of fractions",
            "pictures with the sign lost": "ink is not negative",
            "pictures with negative numbers set to 0": "ink is not negative",
            "pictures reversed along axis *": "distances don't depend on the order",
            "pictures rolled along axis *": "distances don't depend on the order",
            "pictures with axes * swapped": "turning all pictures keeps their distances",
        },
    ),
    "3-9-1.7": Exercise(
        title="Where the checkerboard comes from",
        reference=PRODUCTS,
        start="draw one axis: each input lays down the whole kernel, and two neighbours are two "
        "pixels apart.",
        praise="With a kernel size that the stride divides, every pixel is made of equally many "
        "products. With 3, some pixels along an axis get twice as many as their neighbours, and "
        "in the plane four times as many.",
        hints=(
            "Input i lays its kernel on pixels 2i, 2i + 1, …, 2i + k - 1.",
            "An even pixel meets the taps 0, 2, 4, … of the kernel, an odd one the taps 1, 3, 5, …",
        ),
        mistakes={
            "columns swapped": (
                PRODUCTS[:, ::-1],
                "even and odd have changed places. An even pixel meets the taps 0, 2, 4, …",
            ),
            "all taps": (
                np.array([[2, 2], [3, 3], [4, 4], [5, 5]]),
                "a pixel meets only every second tap of the kernel, since the stride is 2.",
            ),
            "halves": (
                np.array([[1, 1], [1.5, 1.5], [2, 2], [2.5, 2.5]]),
                "that is the average of even and odd pixels.",
            ),
            "rounded down": (
                np.array([[1, 1], [1, 1], [2, 2], [2, 2]]),
                "an odd kernel size has one tap more at the even places: 0, 2 are two of three.",
            ),
            "in the plane": (
                PRODUCTS**2,
                "those are the numbers in the plane, for rows and columns together. Asked for is "
                "one axis.",
            ),
            "rounded up": (
                np.array([[1, 1], [2, 2], [2, 2], [3, 3]]),
                "odd pixels meet the taps 1, 3, …: of three taps that is one.",
            ),
        },
    ),
}
