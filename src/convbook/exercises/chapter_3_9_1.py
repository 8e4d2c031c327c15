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
    w, theta, real, rate, old=False, also=False, sign_d=1, sign_g=1,
    of_real=lambda d: 1 - d, of_fake=lambda d: -d, of_g=lambda d: 1 - d,
    by_w=lambda number: number, by_theta=lambda w, theta: w, squash=_sigmoid,
):  # fmt: skip
    """Return (w, theta) after a turn; the further arguments spoil a part of it."""
    uphill = of_real(squash(w * real)) * by_w(real) + of_fake(squash(w * theta)) * by_w(theta)
    moved = w + sign_d * rate * uphill
    seen = w if old else moved
    push = of_g(squash(seen * theta))
    if also:  # the generator's gradient, in the discriminator's weight
        moved = moved + rate * push * theta
    return moved, theta + sign_g * rate * push * by_theta(seen, theta)


def _spoiled_turn(**spoil):
    return lambda w, theta, real, rate: np.array(_turn(w, theta, real, rate, **spoil))


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


def _half_new(new_d):
    """Return a turn whose generator meets the new D with the old w, or the other way round."""

    def turn(w, theta, real, rate):
        moved = _turn(w, theta, real, rate)[0]
        answer, slope = (moved, w) if new_d else (w, moved)
        return np.array([moved, theta + rate * (1 - _sigmoid(answer * theta)) * slope])

    return turn


def _half_value(w, theta, real, rate):
    """The discriminator makes the mean of both logarithms larger, and not their sum."""
    moved = _turn(w, theta, real, rate / 2)[0]
    return np.array([moved, theta + rate * (1 - _sigmoid(moved * theta)) * moved])


def _gradients(w, theta, real, rate):
    """The two derivatives, and no step with them."""
    moved, last = _turn(w, theta, real, rate)
    return np.array([moved - w, theta - last]) / rate


def _of_pairs(pictures):
    return len(pictures) * (len(pictures) - 1)


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
            "sum": (
                REAL + FAKE,
                "that is p + q, how often anything turns up there. D* is the real part of it.",
            ),
            "of the difference": (
                1 / (1 + np.exp(FAKE - REAL)),
                "that is the sigmoid of p - q. Shares are no scores: D* is p / (p + q).",
            ),
            "excess": (
                (REAL - FAKE) / (REAL + FAKE),
                "that is (p - q) / (p + q), which is 0 for a coin and -1 where all is generated. D "
                "is a probability: p / (p + q).",
            ),
            "a coin where no data are": (
                np.array([0.8, 0.5, 0.4, 1, 0.5]),
                "at the last place there are no data. All that turns up there is generated, so "
                "the best D is sure of that.",
            ),
            "sure the other way": (
                np.array([0.8, 0.5, 0.4, 0, 1]),
                "the last two have changed places. D is the share of real data: 1 where nothing "
                "generated ever turns up.",
            ),
            "as a value": (
                np.array(
                    [
                        0.4 * np.log(0.8) + 0.1 * np.log(0.2),
                        0.6 * np.log(0.5),
                        0.2 * np.log(0.4) + 0.3 * np.log(0.6),
                        0,
                        0,
                    ]
                ),
                "that is what each place adds to V. Asked for is the D for which V is largest.",
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
            "piece by piece": (
                lambda d_real, d_fake: np.mean(np.log(d_real) + np.log(1 - d_fake)),
                "real and generated data are added piece by piece. The batches may be of different "
                "lengths: each has a mean of its own, and the two means are added.",
            ),
            "shorter batch": (
                lambda d_real, d_fake: np.mean(
                    [np.log(a) + np.log(1 - b) for a, b in zip(d_real, d_fake)]
                ),
                "zip stops where the shorter batch ends, and the rest of the longer one is lost.",
            ),
            "one length": (
                lambda d_real, d_fake: (
                    (np.log(d_real).sum() + np.log(1 - d_fake).sum()) / len(d_real)
                ),
                "both sums are divided by the number of real data. Each batch has its own length.",
            ),
            "one mean, twice": (
                lambda d_real, d_fake: (
                    2 * np.concatenate([np.log(d_real), np.log(1 - d_fake)]).mean()
                ),
                "that would be so for batches of equal length. V has a mean for each kind of data, "
                "however many there are of it.",
            ),
            "generated data only": (
                lambda d_real, d_fake: np.log(1 - d_fake).mean(),
                "that is the mean over generated data. The real ones are missing: log D.",
            ),
            "no logarithm for generated": (
                lambda d_real, d_fake: np.log(d_real).mean() + (1 - d_fake).mean(),
                "1 - D of the generated data is there, but not its logarithm.",
            ),
            "sigmoid again": (
                lambda d_real, d_fake: value_of(_sigmoid(d_real), _sigmoid(d_fake)),
                "a sigmoid is taken of them. They are probabilities already.",
            ),
            "real data twice": (
                lambda d_real, d_fake: np.log(d_real).mean() + np.log(1 - d_real).mean(),
                "both means are over the real batch; the generated one is not used.",
            ),
            "weighted by D": (
                lambda d_real, d_fake: (
                    (d_real * np.log(d_real)).mean() + ((1 - d_fake) * np.log(1 - d_fake)).mean()
                ),
                "each logarithm is multiplied by its own probability, as in an entropy. A mean of "
                "the batch counts every piece alike.",
            ),
            "product": (
                lambda d_real, d_fake: np.log(d_real).mean() * np.log(1 - d_fake).mean(),
                "the two means are multiplied. V is their sum.",
            ),
            "squares": (
                lambda d_real, d_fake: ((d_real - 1) ** 2).mean() + (d_fake**2).mean(),
                "those are squares. There are GANs with squares; this one has logarithms.",
            ),
            "the balance": (
                lambda d_real, d_fake: -2 * np.log(2),
                "-2 log 2 is V at the balance, for a D that says 1/2 to everything. Here it says "
                "what the two batches hold.",
            ),
            "likelihood": (
                lambda d_real, d_fake: np.exp(value_of(d_real, d_fake)),
                "that is the exponential of V. The value of the game is made of logarithms.",
            ),
            "log of one mean": (
                lambda d_real, d_fake: np.log(d_real).mean() + np.log(1 - d_fake.mean()),
                "the mean over the generated data is taken before the logarithm. Every piece has "
                "its own logarithm.",
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
                "the two losses have changed places. The saturating one is log(1 - D). (A sigmoid "
                "without the minus in exp(-s) looks the same.)",
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
            "by D, not divided": (
                lambda scores, saturating: (
                    -1 / ((1 - _sigmoid(scores)) if saturating else _sigmoid(scores))
                ),
                "that is the derivative by D. By the score there is another factor, D (1 - D), and "
                "the mean divides by the number of scores.",
            ),
            "scores for D, by D": (
                lambda scores, saturating: (
                    -1 / ((1 - scores) if saturating else scores) / len(scores)
                ),
                "the scores are taken for D. D is their sigmoid, and the gradient is asked for by "
                "the scores.",
            ),
            "factor twice": (
                lambda scores, saturating: (
                    generator_gradient(scores, saturating)
                    * _sigmoid(scores)
                    * (1 - _sigmoid(scores))
                ),
                "the factor D (1 - D) is there once too often: -D and -(1 - D) have it already.",
            ),
            "divided twice": (
                lambda scores, saturating: generator_gradient(scores, saturating) / len(scores),
                "divided by the number of scores twice.",
            ),
            "one divided": (
                lambda scores, saturating: (
                    -_sigmoid(scores) / len(scores)
                    if saturating
                    else _sigmoid(scores) - 1 / len(scores)
                ),
                "in D - 1 / N only the 1 is divided by N. Brackets around D - 1 are missing.",
            ),
            "opposite": (
                lambda scores, saturating: (
                    (1 - _sigmoid(scores) if saturating else _sigmoid(scores) - 1) / len(scores)
                ),
                "for log(1 - D) that is the derivative of log D. The one of log(1 - D) is -D.",
            ),
            "wrong way for one": (
                lambda scores, saturating: (
                    (-_sigmoid(scores) if saturating else 1 - _sigmoid(scores)) / len(scores)
                ),
                "for -log D that is the derivative of log D. The minus of the loss is missing.",
            ),
            "wrong way for the other": (
                lambda scores, saturating: (
                    (_sigmoid(scores) if saturating else _sigmoid(scores) - 1) / len(scores)
                ),
                "log(1 - D) falls when the score grows: its derivative is -D, not D.",
            ),
            "tanh": (
                lambda scores, saturating: (
                    (-np.tanh(scores) if saturating else np.tanh(scores) - 1) / len(scores)
                ),
                "D is the sigmoid of the score, from 0 to 1; tanh goes from -1 to 1.",
            ),
            "mean": (
                lambda scores, saturating: generator_gradient(scores, saturating).sum(),
                "all are added up to one number. A gradient has a number for each score.",
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
                _spoiled_turn(old=True),
                "the generator has looked at the old w. In a turn the discriminator moves first, "
                "and the generator meets the new one.",
            ),
            "gradient left in": (
                _spoiled_turn(also=True),
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
                _spoiled_turn(sign_d=-1),
                "the discriminator makes V smaller. It is the one that makes V large.",
            ),
            "generator uphill": (
                _spoiled_turn(sign_g=-1),
                "the generator goes away from what the discriminator takes for real.",
            ),
            "saturating": (
                _spoiled_turn(of_g=lambda d: d),
                "the generator minimises log(1 - D). Asked for is -log D.",
            ),
            "real data only": (
                _spoiled_turn(of_fake=lambda d: 0 * d),
                "the discriminator has looked at real data only. Half of what it sees is "
                "generated.",
            ),
            "generated taken for real": (
                _spoiled_turn(of_fake=lambda d: 1 - d),
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
            "sign of the generated": (
                _spoiled_turn(of_fake=lambda d: d),
                "the part of log(1 - D(theta)) has the wrong sign: its derivative by the score is "
                "-D(theta).",
            ),
            "D of the real": (
                _spoiled_turn(of_real=lambda d: d),
                "the part of log D(real) has the derivative 1 - D(real) by the score, not D(real).",
            ),
            "without the numbers": (
                _spoiled_turn(by_w=lambda number: 1.0),
                "those are derivatives by the scores. A score is w times a number, so by w each "
                "has that number as a factor: real, or theta.",
            ),
            "without w": (
                _spoiled_turn(by_theta=lambda w, theta: 1.0),
                "the gradient stops at the score. By theta, the score w · theta has the derivative "
                "w.",
            ),
            "times theta": (
                _spoiled_turn(by_theta=lambda w, theta: theta),
                "theta was moved by the derivative by w. By theta, the score w · theta has the "
                "derivative w.",
            ),
            "old answer": (
                _half_new(False),
                "D(theta) was computed with the old w. The generator meets the new discriminator.",
            ),
            "old slope": (
                _half_new(True),
                "D(theta) is that of the new w, but the factor w behind it is the old one.",
            ),
            "by D": (
                _spoiled_turn(
                    of_real=lambda d: 1 / d, of_fake=lambda d: -1 / (1 - d), of_g=lambda d: 1 / d
                ),
                "1 / D and -1 / (1 - D) are derivatives by D. By the score they are 1 - D and -D.",
            ),
            "without the rate": (
                lambda w, theta, real, rate: one_turn(w, theta, real, 1.0),
                "the derivatives are not multiplied by the learning rate.",
            ),
            "gradients": (
                _gradients,
                "those are the derivatives. Asked for are w and theta after their steps.",
            ),
            "discriminator alone": (
                lambda w, theta, real, rate: np.array([_turn(w, theta, real, rate)[0], theta]),
                "theta stands where it stood: the generator's step is missing.",
            ),
            "generator alone": (
                lambda w, theta, real, rate: np.array(
                    [w, theta + rate * (1 - _sigmoid(w * theta)) * w]
                ),
                "w stands where it stood: the discriminator's step is missing.",
            ),
            "both the wrong way": (
                _spoiled_turn(sign_d=-1, sign_g=-1),
                "both steps go the wrong way: the discriminator makes V larger, and the generator "
                "its own loss smaller.",
            ),
            "half of V": (
                _half_value,
                "V is the sum of the two logarithms, not their mean.",
            ),
            "without the sigmoid": (
                _spoiled_turn(squash=lambda score: score),
                "the scores are taken for D. D is their sigmoid.",
            ),
            "sigmoid of the negative": (
                _spoiled_turn(squash=lambda score: _sigmoid(-score)),
                "the sigmoid is 1 / (1 + exp(-s)), with a minus. Without it, it falls.",
            ),
            "towards the data": (
                lambda w, theta, real, rate: np.array(
                    [_turn(w, theta, real, rate)[0], theta + rate * (real - theta)]
                ),
                "theta was moved straight to real. The generator never sees the data: all that it "
                "hears comes through the discriminator.",
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
            "two columns too few": (
                lambda scores, labels: scores[:, 0] + scores[np.arange(len(labels)), labels - 1],
                "the labels begin with 0, so label k stands in column 1 + k, not in k - 1.",
            ),
            "difference": (
                lambda scores, labels: scores[:, 0] - scores[np.arange(len(labels)), 1 + labels],
                "the label's score is subtracted. It is added.",
            ),
            "the first picture's label": (
                lambda scores, labels: scores[:, 0] + scores[:, 1 + labels[0]],
                "the label of the first picture was taken for all. Each has its own.",
            ),
            "rows by labels": (
                lambda scores, labels: scores[:, 0] + scores[labels % len(scores), 1 + labels],
                "the labels choose rows, too. Rows are the pictures, one after the other.",
            ),
            "the first picture's scores": (
                lambda scores, labels: scores[:, 0] + scores[0, 1 + labels],
                "all label scores are those of the first picture. Take each from its own row.",
            ),
            "all claimed columns": (
                lambda scores, labels: scores[:, 0] + scores[:, 1 + labels].sum(axis=1),
                "each picture got the scores of all labels in the batch. Its own one counts.",
            ),
            "probabilities": (
                lambda scores, labels: _sigmoid(claimed_scores(scores, labels)),
                "that is D, the sigmoid of the score. Asked for are the scores.",
            ),
            "softmax": (
                lambda scores, labels: (
                    scores[:, 0]
                    + np.log(
                        np.exp(scores[np.arange(len(labels)), 1 + labels])
                        / np.exp(scores[:, 1:]).sum(axis=1)
                    )
                ),
                "a softmax was taken over the labels. That would make it a classifier; here the "
                "score of the label is added as it is.",
            ),
            "one by one": (
                lambda scores, labels: (
                    scores[:, 0] + np.resize(np.diag(scores[:, 1:]), len(labels))
                ),
                "the diagonal was taken, as if picture i had the label i.",
            ),
            "largest two": (
                lambda scores, labels: scores.max(axis=1),
                "that is the largest score of each row. Column 0 and the label's own count.",
            ),
            "whether it is read": (
                lambda scores, labels: scores[:, 0] + (scores[:, 1:].argmax(axis=1) == labels),
                "it was asked whether the label has the largest score. The score itself is added.",
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
            "half": (
                lambda pictures: variety(pictures) / 2,
                "each pair is counted once, but divided by n (n - 1), which counts it twice.",
            ),
            "sum of pairs": (
                lambda pictures: _distances(pictures).sum() / 2,
                "that is the sum over all pairs, each once. Asked for is their mean.",
            ),
            "per picture": (
                lambda pictures: _distances(pictures).sum() / len(pictures),
                "that is how far a picture is from all others together. Divide by n - 1, too.",
            ),
            "divided by n - 1": (
                lambda pictures: _distances(pictures).sum() / (len(pictures) - 1),
                "divided by n - 1 only. There are n (n - 1) ordered pairs.",
            ),
            "root of the mean": (
                lambda pictures: np.sqrt((_distances(pictures) ** 2).sum() / _of_pairs(pictures)),
                "the squares of all pairs are averaged before the root. Each pair has a distance "
                "of its own; then comes the mean.",
            ),
            "mean of the pixels": (
                lambda pictures: variety(pictures) / np.sqrt(pictures[0].size),
                "the squared differences of the pixels are averaged. A distance has their sum.",
            ),
            "root of the sum": (
                lambda pictures: np.sqrt((_distances(pictures) ** 2).sum()) / _of_pairs(pictures),
                "one root was taken of all pairs together. Each pair has a root of its own.",
            ),
            "differences added first": (
                lambda pictures: (
                    abs(
                        pictures.reshape(len(pictures), -1).sum(axis=1)[:, None]
                        - pictures.reshape(len(pictures), -1).sum(axis=1)
                    ).sum()
                    / _of_pairs(pictures)
                ),
                "the differences of all pixels are added before they are squared, and more ink "
                "here makes up for less ink there. Square first.",
            ),
            "farthest": (
                lambda pictures: _distances(pictures).max(),
                "that is the largest distance. Asked for is the mean.",
            ),
            "from the first": (
                lambda pictures: _distances(pictures)[0, 1:].mean(),
                "only distances from the first picture count. All pairs do.",
            ),
            "nearest": (
                lambda pictures: np.sort(_distances(pictures), axis=1)[:, 1].mean(),
                "that is how far the nearest other picture is. All pairs count.",
            ),
            "median": (
                lambda pictures: np.median(_distances(pictures)[np.triu_indices(len(pictures), 1)]),
                "that is the median of all pairs. Asked for is the mean.",
            ),
            "with itself, each pair once": (
                lambda pictures: _distances(pictures)[np.triu_indices(len(pictures))].mean(),
                "the diagonal is counted, too: the distance of each picture from itself, 0.",
            ),
            "equal ones left out": (
                lambda pictures: (
                    _distances(pictures).sum() / max((_distances(pictures) > 0).sum(), 1)
                    if _distances(pictures).any()
                    else np.nan
                ),
                "pairs of equal pictures are left out. They are pairs, too, of distance 0, and "
                "just what gives a generator away that repeats itself.",
            ),
            "spread": (
                lambda pictures: np.sqrt(pictures.var(axis=0).sum()),
                "that is the root of the pixels' variances, how far pictures are from their mean. "
                "Asked for are distances of pairs.",
            ),
            "rows": (
                lambda pictures: np.sqrt(((pictures[:, None] - pictures) ** 2).sum(axis=3)).mean(),
                "only one axis of a picture is added up, and the distances are those of rows. "
                "Flatten the pictures first.",
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
            "overlap": (
                np.array([[1, 1], [2, 2], [3, 3], [4, 4]]),
                "those are k - 1. A pixel meets every second tap of the kernel, and an even one "
                "other taps than an odd one.",
            ),
            "without one": (
                PRODUCTS - 1,
                "one too few everywhere: with kernel 2 each pixel is met by one product.",
            ),
            "one more": (
                PRODUCTS + 1,
                "one too many everywhere: with kernel 2 the kernels stand side by side, and each "
                "pixel is met by one product.",
            ),
            "all in the even ones": (
                np.array([[2, 0], [3, 0], [4, 0], [5, 0]]),
                "the kernels begin at even pixels, but they reach over odd ones, too: tap 1 falls "
                "on an odd pixel.",
            ),
            "at the edge": (
                np.ones((4, 2)),
                "that is so for the first two pixels. Far from the edge, kernels overlap.",
            ),
            "stride taken off": (
                np.array([[0, 0], [1, 1], [2, 2], [3, 3]]),
                "those are k minus the stride, by how much two neighbours overlap. Asked for is "
                "how many products meet in a pixel.",
            ),
            "size and half": (
                np.array([[2, 1], [3, 1], [4, 2], [5, 2]]),
                "an even pixel does not meet the whole kernel, but its taps 0, 2, 4, …",
            ),
            "other order of rows": (
                PRODUCTS[::-1],
                "the rows are in the wrong order: first kernel size 2, last 5.",
            ),
        },
    ),
}
