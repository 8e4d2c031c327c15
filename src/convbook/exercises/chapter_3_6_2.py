"""The exercises of the page on transfer of features."""

from __future__ import annotations

import numpy as np

from .checking import Exercise

# --- reference solutions -------------------------------------------------------------------------


def fork_gradient(dy1, dy2, w1, w2, weight):
    return dy1 @ w1 + weight * dy2 @ w2


def nearest_class(features, references):
    return _distances(features, references).argmin(axis=1)


def contrastive(a, b, same, margin):
    return _contrastive(a, b, same, margin)


def read_unseen(answers, table, classes):
    return classes[_differences(answers, table[classes]).argmin(axis=1)]


def _distances(a, b):
    return np.sqrt(((a[:, None] - b) ** 2).sum(axis=2))


def _cosines(a, b):
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    return a @ b.T / np.maximum(lengths, 1e-12)


def _differences(answers, rows):
    return abs(answers[:, None] - rows).sum(axis=2)


def _contrastive(
    a, b, same, margin, pull=lambda d: 2 * d, push=lambda gap: -2 * gap, unit=True, scale=1
):
    """Return the gradient of a; the further arguments spoil a part of it."""
    d = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    gap = np.maximum(margin - d, 0)
    slope = np.where(same[:, None] == 1, pull(d), push(gap))
    direction = (a - b) / d if unit else a - b
    return scale * slope * direction / len(a)


# --- wrong solutions that take more than a line --------------------------------------------------


def _without_clip(a, b, same, margin):
    d = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    slope = np.where(same[:, None] == 1, 2 * d, -2 * (margin - d))
    return slope * (a - b) / d / len(a)


# --- material ------------------------------------------------------------------------------------

# Conv2d(1, 8, 5), ReLU, MaxPool2d(2), Conv2d(8, 16, 5), ReLU, MaxPool2d(2), Flatten,
# Linear(256, 64), ReLU, Linear(64, 10)
_PARAMETERS = (8 * 25 + 8, 16 * 8 * 25 + 16, 256 * 64 + 64, 64 * 10 + 10)
# All is trained; the convolutions are frozen; all but the last layer is frozen. Columns: parameters
# that learn, parameters that rest.
LEARNING = np.array([[sum(_PARAMETERS[i:]), sum(_PARAMETERS[:i])] for i in (0, 2, 3)])


def _counted(*parameters):
    """Return LEARNING for other counts of the four layers."""
    return np.array([[sum(parameters[i:]), sum(parameters[:i])] for i in (0, 2, 3)])


def _draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape) for shape in shapes]


def _quarters(arrays, *which):
    """Return arrays of whole numbers, some of them divided by 4."""
    return [array / 4 if i in which else array for i, array in enumerate(arrays)]


def _pairs(seed, n, m, same):
    a, b = _draw(seed, (n, m), (n, m))
    return a / 2, (b + 0.5) / 2, np.array(same)


def _whole_pairs(seed, n, m, same):
    a, b = _draw(seed, (n, m), (n, m))
    return a, b + 9, np.array(same)


_TABLE = np.array(
    [[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 0, 1]]
)
_ANSWERS = np.random.default_rng(3).random((7, 4)).round(2)

EXERCISES = {
    "3-6-2.1": Exercise(
        title="What learns, and what rests, with the pencil",
        reference=LEARNING,
        start="count the parameters of each of the four layers that have some. A filter reads all "
        "channels of its input and has one bias.",
        praise="Three quarters of the parameters stand in the first linear layer; the last one, "
        "which is all that frozen features leave to learn, has 3 of 100.",
        hints=(
            "A convolution has OC · C · FH · FW weights and OC biases; a linear layer has in · out "
            "weights and out biases.",
            "Two windows of 5 and two poolings: 28, 24, 12, 8, 4. So the first linear layer reads "
            "16 pictures of 4 by 4.",
            "Frozen parameters are simply not counted: subtract them, layer by layer.",
        ),
        mistakes={
            "biases forgotten": (
                _counted(200, 3200, 16384, 640),
                "the biases are left out. Every filter and every output of a linear layer has one.",
            ),
            "columns swapped": (
                LEARNING[:, ::-1],
                "the columns have changed places: first what learns, then what rests.",
            ),
            "all learn": (
                np.array([[sum(_PARAMETERS), 0]] * 3),
                "that is the whole network three times. What is frozen does not learn.",
            ),
            "one channel": (
                _counted(208, 416, 16448, 650),
                "the second convolution's filters read 8 channels each, not one.",
            ),
            "one layer too few frozen": (
                np.array([[sum(_PARAMETERS[i:]), sum(_PARAMETERS[:i])] for i in (0, 1, 2)]),
                "one layer too few is frozen in the second and the third case. Both convolutions "
                "rest, then all but the last layer.",
            ),
            "eight classes": (
                _counted(208, 3216, 16448, 520),
                "the new last layer has ten outputs, not eight.",
            ),
            "no second pooling": (
                _counted(208, 3216, 16 * 64 * 64 + 64, 650),
                "the first linear layer reads what the second pooling leaves: 16 "
                "pictures of 4 by 4, not of 8 by 8.",
            ),
            "one bias per layer": (
                _counted(201, 3201, 16385, 641),
                "each layer has only one bias. There is one for every filter, "
                "and one for every output of a linear layer.",
            ),
        },
    ),
    "3-6-2.2": Exercise(
        title="The gradient at a fork",
        reference=fork_gradient,
        start="a linear layer gives y = x wᵀ. What gradient does the first head alone hand back to "
        "the features?",
        praise="Where a path forks in the forward pass, gradients are added in the backward pass, "
        "and the weight of a task's loss scales all that comes from it.",
        hints=(
            "Backward through y = x wᵀ: the gradient of x is the product of dy with w. Check the "
            "shapes: (N, K) times (K, L).",
            "Both heads read the same features, so E depends on them along two paths.",
            "The second loss is multiplied by weight, and so is its gradient.",
        ),
        mistakes={
            "weight forgotten": (
                lambda dy1, dy2, w1, w2, weight: dy1 @ w1 + dy2 @ w2,
                "the weight is left out. It multiplies the second loss, so it "
                "multiplies that loss's gradient.",
            ),
            "weight on the first": (
                lambda dy1, dy2, w1, w2, weight: weight * dy1 @ w1 + dy2 @ w2,
                "the weight belongs to the second task.",
            ),
            "weight on both": (
                lambda dy1, dy2, w1, w2, weight: weight * (dy1 @ w1 + dy2 @ w2),
                "both gradients are weighted. Only the second loss has a weight.",
            ),
            "first head only": (
                lambda dy1, dy2, w1, w2, weight: dy1 @ w1,
                "the second head is forgotten. It reads the same features.",
            ),
            "second head only": (
                lambda dy1, dy2, w1, w2, weight: weight * dy2 @ w2,
                "the first head is forgotten. Paths are added; the later one does "
                "not replace the earlier.",
            ),
            "averaged": (
                lambda dy1, dy2, w1, w2, weight: (dy1 @ w1 + weight * dy2 @ w2) / 2,
                "the paths are averaged. The chain rule adds them.",
            ),
            "convex": (
                lambda dy1, dy2, w1, w2, weight: (1 - weight) * dy1 @ w1 + weight * dy2 @ w2,
                "the first loss is weighted with 1 - weight. Here the loss is the first "
                "loss plus weight times the second.",
            ),
            "multiplied": (
                lambda dy1, dy2, w1, w2, weight: dy1 @ w1 * (weight * dy2 @ w2),
                "the gradients of the two paths are multiplied. They are added.",
            ),
            "divided by N": (
                lambda dy1, dy2, w1, w2, weight: (dy1 @ w1 + weight * dy2 @ w2) / len(dy1),
                "divided by N once more. The average over the mini-batch is in dy already.",
            ),
        },
        trials=(
            ("two heads, weight 1", (*_draw(1, (2, 3), (2, 1), (3, 4), (1, 4)), 1.0)),
            ("weight 0.5", (*_draw(2, (2, 3), (2, 2), (3, 5), (2, 5)), 0.5)),
            (
                "weight 3, more images, fractions in dy1 and w2",
                (*_quarters(_draw(4, (5, 4), (5, 2), (4, 6), (2, 6)), 0, 3), 3.0),
            ),
            (
                "weight 2, fractions in dy2 and w1",
                (*_quarters(_draw(6, (4, 2), (4, 3), (2, 5), (3, 5)), 1, 2), 2.0),
            ),
            ("weight 0", (*_draw(5, (3, 2), (3, 3), (2, 4), (3, 4)), 0.0)),
        ),
    ),
    "3-6-2.3": Exercise(
        title="The nearest reference",
        reference=nearest_class,
        start="how far is the first image from each reference? Then for all images at once.",
        praise="That is all of one-shot learning, once somebody has learned good features.",
        hints=(
            "features[:, None] has the shape (N, 1, L); minus references, of shape (K, L), it "
            "becomes (N, K, L).",
            "Square, add up along the last axis, and you have N times K squared distances. The "
            "root changes nothing about which is the smallest.",
        ),
        mistakes={
            "farthest": (
                lambda features, references: _distances(features, references).argmax(1),
                "the farthest reference is taken.",
            ),
            "distance itself": (
                lambda features, references: _distances(features, references).min(axis=1),
                "those are the distances of the nearest references. Asked for is which one it is.",
            ),
            "signed sum": (
                lambda features, references: (
                    (features[:, None] - references).sum(axis=2).argmin(axis=1)
                ),
                "differences of opposite signs cancel out. Square them before adding.",
            ),
            "absolute sum": (
                lambda features, references: abs(
                    (features[:, None] - references).sum(axis=2)
                ).argmin(axis=1),
                "the differences are added first, and signs cancel out. Square each, then add.",
            ),
            "wrong axis": (
                lambda features, references: _distances(features, references).argmin(axis=0),
                "for each reference the nearest image is found. Asked for is the "
                "nearest reference of each image.",
            ),
            "inner product": (
                lambda features, references: (features @ references.T).argmax(axis=1),
                "the largest inner product is taken. That is the nearest one only if "
                "all rows have the same length.",
            ),
            "cosine": (
                lambda features, references: _cosines(features, references).argmax(axis=1),
                "the angle between the rows is compared (the cosine), not their distance. "
                "Two rows of the same direction may lie far from each other.",
            ),
            "least cosine": (
                lambda features, references: _cosines(features, references).argmin(axis=1),
                "the smallest cosine belongs to the row that points the other way. Distances are "
                "asked for.",
            ),
            "largest coordinate": (
                lambda features, references: (
                    abs(features[:, None] - references).max(axis=2).argmin(axis=1)
                ),
                "only the largest difference of a coordinate counts. All of "
                "them belong to the distance.",
            ),
            "counted from 1": (
                lambda features, references: nearest_class(features, references) + 1,
                "classes are counted from 1. Here they count from 0, as in all of Python.",
            ),
        },
        trials=(
            (
                "two references on a line",
                (np.array([[0.0], [1], [5], [9]]), np.array([[1.0], [6]])),
            ),
            (
                "three in the plane",
                (_draw(6, (6, 2))[0] + 0.3, np.array([[3.0, -3], [-1, 2], [4, 4]])),
            ),
            ("many coordinates", tuple(_draw(7, (8, 9), (4, 9)))),
            ("small differences", (_draw(9, (6, 3))[0] / 16, _draw(10, (5, 3))[0] / 16 + 0.01)),
            (
                "references of very different lengths",
                (_draw(8, (7, 3))[0] + 0.2, np.array([[9.0, 9, 9], [0, 0, 0], [-1, 1, 0]])),
            ),
        ),
        dtype=int,
    ),
    "3-6-2.4": Exercise(
        title="The gradient of the contrastive loss",
        reference=contrastive,
        start="what is the derivative of d² by d, and in which direction does d grow fastest when "
        "a moves?",
        praise="Pairs of one class attract each other, the more the farther they are apart; others "
        "repel each other, but only inside the margin.",
        hints=(
            "d is the length of a - b, and its gradient is the unit vector (a - b) / d.",
            "For a pair of one class, d² has the derivative 2d. For the others, (margin - d)² has "
            "the derivative -2 (margin - d), as long as d is below the margin, and 0 beyond.",
            "The loss is a mean over N pairs, so each gradient is divided by N.",
        ),
        mistakes={
            "no margin": (
                _without_clip,
                "pairs beyond the margin are pulled back to it. There the loss is 0, and "
                "so is its gradient.",
            ),
            "sign": (
                lambda a, b, same, margin: _contrastive(a, b, same, margin, scale=-1),
                "all signs are turned round. The gradient points to where the loss grows (and "
                "that of b would be its opposite).",
            ),
            "same and different swapped": (
                lambda a, b, same, margin: _contrastive(a, b, 1 - same, margin),
                "the two kinds of pairs have changed places. same is 1 where both images show one "
                "class.",
            ),
            "not divided by N": (
                lambda a, b, same, margin: _contrastive(a, b, same, margin, scale=len(a)),
                "the gradients are N times too large: the loss is the mean over the pairs.",
            ),
            "without the 2": (
                lambda a, b, same, margin: _contrastive(a, b, same, margin, scale=0.5),
                "all is half as large as it should be: the derivative of a square has a factor 2.",
            ),
            "direction not of length 1": (
                lambda a, b, same, margin: _contrastive(a, b, same, margin, unit=False),
                "the derivative by d is multiplied with a - b, not with (a - b) / d: by the chain "
                "rule it is multiplied with the gradient of d, which has length 1.",
            ),
            "repulsion without square": (
                lambda a, b, same, margin: _contrastive(
                    a, b, same, margin, push=lambda gap: -1.0 * (gap > 0)
                ),
                "pairs of two classes repel each other with the same strength everywhere. Their "
                "loss is the square of what is missing to the margin.",
            ),
            "attraction only": (
                lambda a, b, same, margin: _contrastive(a, b, same, margin, push=lambda gap: 0),
                "pairs of two classes do not repel each other. So all features could become "
                "equal, and the loss 0.",
            ),
        },
        trials=(
            ("pairs of one class", (*_pairs(11, 2, 3, [1, 1]), 1.0)),
            ("pairs of two classes, inside the margin", (*_pairs(12, 3, 2, [0, 0, 0]), 9.0)),
            ("some beyond the margin", (*_pairs(13, 5, 3, [0, 0, 0, 0, 0]), 1.8)),
            ("whole numbers", (*_whole_pairs(15, 3, 2, [1, 0, 0]), 14.0)),
            ("both kinds", (*_pairs(14, 6, 4, [1, 0, 0, 1, 0, 1]), 2.5)),
        ),
        harmless={
            "same cut to integers": "same holds 0 and 1",
            "same with the sign lost": "same holds 0 and 1",
            "same with negative numbers set to 0": "same holds 0 and 1",
        },
    ),
    "3-6-2.5": Exercise(
        title="Reading a class by its description",
        reference=read_unseen,
        start="take the descriptions of the classes in question out of the table. How much does "
        "the first image's row differ from each of them?",
        praise="No image of these classes was ever needed, only their rows in the table.",
        hints=(
            "table[classes] has a row for each class in question; answers[:, None] - table[classes]"
            " has the shape (N, classes, attributes).",
            "Absolute values, summed over the attributes, then the place of the smallest.",
            "That place counts within classes. Which class stands there?",
        ),
        mistakes={
            "place instead of class": (
                lambda answers, table, classes: _differences(answers, table[classes]).argmin(
                    axis=1
                ),
                "those are places within the list of classes. Asked for are the classes that stand "
                "there.",
            ),
            "all classes": (
                lambda answers, table, classes: _differences(answers, table).argmin(axis=1),
                "all rows of the table compete. Only those of the given classes come "
                "into question.",
            ),
            "most different": (
                lambda answers, table, classes: classes[
                    _differences(answers, table[classes]).argmax(axis=1)
                ],
                "the description that differs most is taken.",
            ),
            "signs cancel": (
                lambda answers, table, classes: classes[
                    (answers[:, None] - table[classes]).sum(2).argmin(axis=1)
                ],
                "differences of opposite signs cancel out: take absolute values before adding.",
            ),
            "only what is there": (
                lambda answers, table, classes: classes[
                    (answers @ table[classes].T).argmax(axis=1)
                ],
                "only the attributes that a class has are counted. What it must "
                "not have counts as well.",
            ),
            "wrong axis": (
                lambda answers, table, classes: classes[
                    _differences(answers, table[classes]).argmin(axis=0) % len(classes)
                ],
                "for each class the best image is found. Asked for is the best class of "
                "each image.",
            ),
        },
        trials=(
            (
                "two classes, sure answers",
                (np.array([[1.0, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]]), _TABLE, np.array([0, 2])),
            ),
            ("two classes, doubtful answers", (_ANSWERS, _TABLE, np.array([1, 3]))),
            ("in another order", (_ANSWERS, _TABLE, np.array([5, 0, 2]))),
            ("one has many attributes", (_ANSWERS, _TABLE, np.array([4, 5, 3]))),
        ),
        dtype=int,
        harmless={
            "answers with the sign lost": "probabilities are not negative",
            "answers with negative numbers set to 0": "probabilities are not negative",
            "table cut to integers": "the table holds 0 and 1",
            "table with the sign lost": "the table holds 0 and 1",
            "table with negative numbers set to 0": "the table holds 0 and 1",
            "classes cut to integers": "classes are numbers of rows",
            "classes with the sign lost": "classes are numbers of rows",
            "classes with negative numbers set to 0": "classes are numbers of rows",
            "classes reversed along axis 0": "the same classes in another order are as good",
            "classes rolled along axis 0": "the same classes in another order are as good",
        },
    ),
}
