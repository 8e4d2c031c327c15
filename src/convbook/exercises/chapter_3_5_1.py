"""The exercises of chapter 3-5-1, a network that reads digits."""

from __future__ import annotations

import copy
import functools

import numpy as np

from ..datasets import mnist
from ..images import affine
from ..layers import Conv2d, Flatten, Linear, ReLU, Sequential
from ..losses import SoftmaxCrossEntropy
from .checking import Exercise
from .diagnosis import advice, as_numbers
from .wording import paragraph

# --- reference solutions -------------------------------------------------------------------------


def confusion(labels, predicted, classes):
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def centre(image):
    return _moved(image, *_way_to_the_middle(image))


def train(model, x, labels, lr, steps):
    return _descent(model, x, labels, lr, steps)


def dropout(x, u, p):
    return x * (u >= p) / (1 - p)


def _moved(image, down, right):
    return np.roll(image, (down, right), axis=(0, 1))


def _way_to_the_middle(image, weights=None, middle=0.5, whole=np.rint):
    """Return how many pixels down and to the right the weights' centre of mass must go."""
    weights = image if weights is None else weights
    middles = [middle * n if middle else (n - 1) / 2 for n in image.shape]
    means = [np.average(np.indices(image.shape)[axis], weights=weights) for axis in (0, 1)]
    return [int(whole(m - mean)) for m, mean in zip(middles, means)]


def _descent(model, x, labels, lr, steps, change=None):
    """Return the losses of training steps, each before its update.

    ``change(params, grads)``, if given, returns what is subtracted, by name, in place of
    lr times the gradient.
    """
    loss, losses = SoftmaxCrossEntropy(), []
    for _ in range(steps):
        losses.append(loss(model(x), labels))
        model.backward(loss.backward(), need_dx=False)
        grads = dict(model.grads)
        steps_of = change(grads) if change else {name: lr * g for name, g in grads.items()}
        for name, param in model.params.items():
            param -= steps_of[name]
    return losses


def _parameters(model):
    """Return all numbers of a model, one after the other."""
    return np.concatenate([param.ravel() for param in model.params.values()])


# --- wrong solutions that take more than a line --------------------------------------------------


def _ones_only(labels, predicted, classes):
    counts = np.zeros((classes, classes), int)
    counts[labels, predicted] = 1
    return counts


def _as_many_classes_as_seen(labels, predicted, classes):
    return confusion(labels, predicted, max(labels.max(), predicted.max()) + 1)


def _without(counts, diagonal):
    """Return the matrix without its diagonal, or with nothing else."""
    return counts * (np.eye(len(counts), dtype=int) == (0 if diagonal else 1))


def _box_centred(image):
    """Move the middle of the smallest box around the ink to the middle of the picture."""
    rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
    middles = [(r[0] + r[-1]) / 2 for r in (rows, columns)]
    return _moved(image, *(int(np.rint(n / 2 - m)) for n, m in zip(image.shape, middles)))


def _brightest_centred(image):
    place = np.unravel_index(image.argmax(), image.shape)
    return _moved(image, *(n // 2 - i for n, i in zip(image.shape, place)))


def _axes_of_the_way(image, order):
    """Move by the right numbers in another order or with other signs."""
    return _moved(image, *order(*_way_to_the_middle(image)))


def _gradients_added_up(model, x, labels, lr, steps):
    total = {}

    def change(grads):
        for name, g in grads.items():
            total[name] = total.get(name, 0) + g
        return {name: lr * g for name, g in total.items()}

    return _descent(model, x, labels, lr, steps, change)


def _changed(scale):
    """Return a wrong training whose updates are the right ones times ``scale(lr, N, name)``."""

    def train(model, x, labels, lr, steps):
        return _descent(
            model,
            x,
            labels,
            lr,
            steps,
            lambda grads: {name: scale(lr, len(x), name) * lr * g for name, g in grads.items()},
        )

    return train


def _update_before_backward(model, x, labels, lr, steps):
    loss, losses = SoftmaxCrossEntropy(), []
    for _ in range(steps):
        losses.append(loss(model(x), labels))
        for name, param in model.params.items():
            param -= lr * model.grads[name]
        model.backward(loss.backward())
    return losses


# --- material ------------------------------------------------------------------------------------


# Conv2d(1, 12, 3, padding=1), ReLU, MaxPool2d(3), Conv2d(12, 20, 4, padding=1), ReLU,
# MaxPool2d(2), Flatten, Linear(320, 10), for one digit of 28 x 28.
SHAPES = np.array([[12, 28, 28], [12, 9, 9], [20, 8, 8], [20, 4, 4]])
COSTS = np.array(
    [
        [12 * 9 + 12, 12 * 28 * 28 * 9],
        [20 * 12 * 16 + 20, 20 * 8 * 8 * 12 * 16],
        [320 * 10 + 10, 320 * 10],
    ]
)

_BIASES = np.array([12, 20, 10])
_PLACES = np.array([28 * 28, 8 * 8, 1])  # where each filter is laid


def _costs(parameters=None, multiplications=None):
    """Return COSTS with one of its columns replaced."""
    columns = zip((parameters, multiplications), COSTS.T)
    return np.stack([own if own is not None else right for own, right in columns], axis=1)


def _picture(*strokes, shape=(12, 16)):
    """Return a small picture with rectangles of ink: (top, left, bottom, right, grey value)."""
    image = np.zeros(shape)
    for top, left, bottom, right, grey in strokes:
        image[top:bottom, left:right] = grey
    return image


def _linear(features, classes, rng=3):
    """Return a layer in float64, so that losses can be compared to many digits."""
    return Linear(features, classes, rng=rng, dtype=np.float64)


def _batch(*shape, classes, seed=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.integers(0, classes, shape[0])


def _network():
    """Return a small network for pictures of 4 x 6."""
    rng = np.random.default_rng(2)
    return Sequential(
        Conv2d(1, 2, 3, dtype=np.float64, rng=rng),
        ReLU(),
        Flatten(),
        Linear(16, 3, dtype=np.float64, rng=rng),
    )


_U = np.random.default_rng(4).random((6, 8)).round(2)
_X = np.random.default_rng(6).standard_normal((6, 8)).round(1) + 0.05

# --- the open problem ----------------------------------------------------------------------------

MOST_PARAMETERS = 10_000
WANTED = 0.98
# A network that was trained on the training digits reads the unseen ones, which were made of these,
# as well as the test digits or better: so much less would be more than three standard deviations.
_LESS = 0.012
_TOO_GOOD = 0.999  # with 993 right, as the solution has, that many come out in 7 of 1,000 trainings
_CHANCE = 0.2  # an accuracy below it is hardly better than guessing


@functools.cache
def unseen_digits():
    """Return digits that nobody has at hand, and their labels: 1,000 training digits, changed.

    Each is turned by up to 4 degrees, sheared, made larger or smaller and moved, always the same
    ones in the same way. That is little enough for any network that reads, and too much for one
    that compares pictures with those that it has learned by heart.
    """
    digits, rng = mnist(), np.random.default_rng(1998)
    chosen = rng.permutation(len(digits.x_train))[:1000]
    turn, slant, grow, right, down = rng.uniform(-1, 1, (5, len(chosen)))
    matrices = (
        affine.shift(0.5 * right, 0.5 * down)
        @ affine.rotation(4 * turn)
        @ affine.shear(0.05 * slant)
        @ affine.zoom(1 + 0.04 * grow)
    )
    return affine.transform(digits.x_train[chosen], matrices), digits.y_train[chosen]


def small_reader(model):
    """Judge a trained network by the test digits and unseen ones; see ``Exercise.verdict``."""
    params = getattr(model, "params", None)
    if isinstance(model, type) or not callable(model) or not hasattr(params, "values"):
        return _not_yet(
            f"a trained network is asked for, but a value of type "
            f"{type(model).__name__} was given.",
            "hand over the model itself, such as Sequential(...), and not its scores "
            "or its accuracy.",
        )
    parameters = sum(array.size for array in params.values())
    if parameters >= MOST_PARAMETERS:
        return _not_yet(
            f"the network has {parameters:,} parameters, and only fewer than "
            f"{MOST_PARAMETERS:,} are allowed.",
            "nearly all parameters of such a network stand in one layer. "
            "model.summary((1, 28, 28)) tells in which one.",
        )
    digits = mnist()
    x, labels = digits.x_test, digits.y_test
    x_unseen, labels_unseen = unseen_digits()
    try:
        model.eval()
        scores, scores_unseen = _scores(model, x), _scores(model, x_unseen)
    except Exception as error:  # whatever a learner's network raises becomes part of the answer
        return _not_yet(
            f"the network raised {type(error).__name__}: {error}",
            advice(error) or "it must take digits as they are, in arrays of shape (N, 1, 28, 28).",
        )
    if scores is None or scores.shape != (len(x), 10):
        given = "no array of numbers" if scores is None else f"shape {scores.shape}"
        return _not_yet(
            f"for {len(x)} digits the network should give scores of shape "
            f"({len(x)}, 10), but gave {given}.",
            "the last layer has one output for each of the ten classes, and nothing "
            "follows it: no argmax.",
        )
    right, unseen = _accuracy(scores, labels), _accuracy(scores_unseen, labels_unseen)
    read = f"{round(right * len(x))} of {len(x):,} test digits"
    read_unseen = f"{round(unseen * len(x_unseen))} of {len(x_unseen):,} that nobody has at hand"
    if right < WANTED:
        return _not_yet(
            f"{parameters:,} parameters are few enough, but the network reads {read} "
            f"rightly; {WANTED:.0%} are asked for.",
            _why_it_reads_badly(model, x, labels, scores, right),
        )
    if unseen < max(WANTED, right - _LESS):
        return _not_yet(
            f"the network reads {read} rightly, but only {read_unseen}: training "
            "digits, each turned, sheared and moved a little.",
            "the test digits themselves were learned, and not how to read. They must "
            "not take part in the training: that is what the training digits are for.",
        )
    if right >= _TOO_GOOD:
        return _not_yet(
            f"the network reads {read} rightly, and that is too good to be true. Of "
            "digits that it has never seen, a network as small as this misreads more.",
            "the test digits took part in the training. Train anew, without them. (If "
            "they did not, it was luck: other first weights will not repeat it.)",
        )
    return [
        "Correct.",
        paragraph(
            f"{parameters:,} parameters, and {read} are read rightly, and "
            f"{read_unseen}. How small can you make it?"
        ),
    ]


def _not_yet(what, why):
    return [paragraph(f"Not quite: {what}"), paragraph(f"Likely cause: {why}")]


def _scores(model, x):
    """Return the scores of all images as an array, or None if they are no such thing."""
    parts = [as_numbers(model(x[n : n + 250])) for n in range(0, len(x), 250)]
    if any(part is None or part.ndim == 0 for part in parts):
        return None
    return np.concatenate(parts)


def _accuracy(scores, labels):
    return float(np.mean(scores.argmax(axis=1) == labels))


def _why_it_reads_badly(model, x, labels, scores, right):
    if not np.isfinite(scores).all():
        return (
            "there is NaN or infinity among its scores, so the training has run away. Most "
            "often the learning rate is too large."
        )
    other_inputs = {
        "the network reads them if their pixels go from 0 to 255, so it was trained on those. "
        "Train it on numbers from 0 to 1, as mnist() hands them out.": 255 * x,
        "the network reads them in dark ink on white, so it was trained on such pictures. The "
        "digits of mnist() are bright on black.": 1 - x,
        "the network reads them if rows and columns are swapped, so it was trained on such "
        "pictures.": x.swapaxes(2, 3),
    }
    for why, other in other_inputs.items():
        if _accuracy(_scores(model, other.astype(x.dtype)), labels) > max(2 * right, 0.5):
            return why
    if right < _CHANCE:
        return (
            "that is what guessing gives. Is this the network that was trained, or one that "
            "was made anew after the training? And did the loss fall?"
        )
    if right < 0.95:
        return (
            "it has learned, but not enough. More epochs, or another learning rate; the loss "
            "curve shows which."
        )
    return (
        "nearly there. Look at the accuracy on the training digits. If it is close to 1, the "
        "network overfits, and shifted digits help; if it is not, more epochs with a learning "
        "rate that falls towards the end, or some more filters."
    )


# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-5-1.1": Exercise(
        title="Shapes through another network, with the pencil",
        reference=SHAPES,
        start="a convolution has as many output channels as filters. Its height follows from "
        "floor((H + 2P - FH) / S) + 1.",
        praise="Channels are the number of filters, pooling leaves them alone, and the floor drops "
        "the 28th row. How many numbers does Flatten hand on? Exercise 3-5-1.2 needs it.",
        hints=(
            "Go layer by layer: the output of each is the input of the next. ReLU changes no "
            "shape.",
            "Padding 1 adds a row at the top and a row at the bottom: 28 + 2 rows for a filter "
            "of 3.",
            "Windows of 3, side by side, in 28 rows: nine fit, and one row is left over.",
        ),
        mistakes={
            "padding ignored": (
                [[12, 26, 26], [12, 8, 8], [20, 5, 5], [20, 2, 2]],
                "the padding is left out. Both convolutions have a ring of zeros "
                "around their input.",
            ),
            "padding on one side": (
                [[12, 27, 27], [12, 9, 9], [20, 7, 7], [20, 3, 3]],
                "the padding is counted once. It adds a row at the top and one at the bottom.",
            ),
            "rounded up": (
                [[12, 28, 28], [12, 10, 10], [20, 9, 9], [20, 5, 5]],
                "the pooling is rounded up. A window that hangs over the edge gives no "
                "output: the floor counts.",
            ),
            "pooled by two": (
                [[12, 28, 28], [12, 14, 14], [20, 13, 13], [20, 6, 6]],
                "the first pooling has windows of 3, not of 2.",
            ),
            "pooling with stride 1": (
                [[12, 28, 28], [12, 26, 26], [20, 25, 25], [20, 24, 24]],
                "the pooling windows stand side by side: without another "
                "word, their stride is their size.",
            ),
            "same size": (
                [[12, 28, 28], [12, 9, 9], [20, 9, 9], [20, 4, 4]],
                "the second convolution does not keep the size: padding 1 makes up for a "
                "filter of 3, and this one is of 4.",
            ),
            "no floor for the filter": (
                [[12, 28, 28], [12, 9, 9], [20, 7, 7], [20, 3, 3]],
                "in the second convolution the + 1 is missing: 7 steps "
                "from the first place to the last are 8 places.",
            ),
            "channels multiplied": (
                [[12, 28, 28], [12, 9, 9], [240, 8, 8], [240, 4, 4]],
                "the channels are multiplied. Each of the 20 filters reads all "
                "12 channels and gives one.",
            ),
            "channels of the input": (
                [[1, 28, 28], [1, 9, 9], [12, 8, 8], [12, 4, 4]],
                "those are the channels that go in. The number of filters says how many come out.",
            ),
            "channels last": (
                SHAPES[:, [1, 2, 0]],
                "the channels stand last. The order in this book is channels, height, width.",
            ),
        },
    ),
    "3-5-1.2": Exercise(
        title="Parameters and multiplications, with the pencil",
        reference=COSTS,
        start="how many weights has one filter, over all the channels that it reads? Each filter "
        "has a bias besides.",
        praise="The parameters of a convolution do not depend on the size of the picture, its "
        "multiplications do.",
        hints=(
            "A filter of the second convolution has 12 channels of 4 x 4 weights, and one bias.",
            "Each weight of a filter is used once for each output pixel. Biases are added, not "
            "multiplied.",
            "Flatten hands on 20 channels of 4 x 4. In the linear layer each weight is used once.",
        ),
        mistakes={
            "without biases": (
                _costs(parameters=COSTS[:, 0] - _BIASES),
                "the biases are missing among the parameters: one for each filter, "
                "and one for each output of the linear layer.",
            ),
            "one bias": (
                _costs(parameters=COSTS[:, 0] - _BIASES + 1),
                "each filter has a bias of its own, and so has each output of the linear layer.",
            ),
            "one channel": (
                _costs([120, 340, 3210], [84672, 20480, 3200]),
                "a filter of the second convolution reads all 12 channels, with "
                "weights of its own for each.",
            ),
            "biases multiplied": (
                _costs(multiplications=COSTS[:, 0] * _PLACES),
                "the biases are counted among the multiplications. They are only added.",
            ),
            "one place": (
                _costs(multiplications=COSTS[:, 0] - _BIASES),
                "that many multiplications make one output pixel of each channel. "
                "The filters are laid at every place of the picture.",
            ),
            "places of the pooled": (
                _costs(multiplications=[12 * 81 * 9, 20 * 16 * 192, 3200]),
                "the convolution works before the pooling: count the pixels of its own output.",
            ),
            "places of the input": (
                _costs(multiplications=[84672, 20 * 81 * 192, 3200]),
                "in the second convolution the pixels of the input were "
                "counted. A filter is multiplied once for each pixel of the "
                "output.",
            ),
            "one filter": (
                _costs(multiplications=[84672 // 12, 245760 // 20, 3200]),
                "that is what one filter of each convolution does. There are 12 and 20.",
            ),
            "columns swapped": (
                COSTS[:, ::-1],
                "the columns have changed places: the parameters come first.",
            ),
        },
    ),
    "3-5-1.3": Exercise(
        title="The confusion matrix",
        reference=confusion,
        start="make a matrix of zeros with a row and a column for each class, and go through the "
        "pairs of label and prediction.",
        praise="The rows add up to the class counts. The accuracy is the sum of the diagonal over "
        "the sum of everything.",
        hints=(
            "Begin with integer zeros of shape (classes, classes).",
            "For each image, one cell grows by 1: the row is the true class, the column the "
            "predicted one.",
            "A loop over zip(labels, predicted) does. Without a loop, remember chapter 3-4: with "
            "arrays as indices, += counts a cell only once, and np.add.at counts it every time.",
        ),
        mistakes={
            "transposed": (
                lambda labels, predicted, classes: confusion(predicted, labels, classes),
                "rows and columns have changed places. The row says what is written, "
                "the column what was read.",
            ),
            "ones only": (
                _ones_only,
                "no cell gets beyond 1. With arrays as indices, counts[i, j] += 1 reads "
                "all old values first: a pair that comes several times is counted once.",
            ),
            "as many classes as seen": (
                _as_many_classes_as_seen,
                "the matrix is only as large as the largest class that "
                "comes up. A class that is never seen has its row and "
                "column of zeros.",
            ),
            "classes counted from 1": (
                lambda labels, predicted, classes: confusion(
                    (labels - 1) % classes, (predicted - 1) % classes, classes
                ),
                "everything stands one row too high and one column too far to the left: class 0 "
                "belongs in row 0.",
            ),
            "fractions of the rows": (
                lambda labels, predicted, classes: (
                    confusion(labels, predicted, classes)
                    / np.maximum(np.bincount(labels.astype(np.intp), minlength=classes), 1)[:, None]
                ),
                "each row is divided by its sum. Counts are asked for.",
            ),
            "fractions of all": (
                lambda labels, predicted, classes: (
                    confusion(labels, predicted, classes) / len(labels)
                ),
                "the counts are divided by the number of images. Counts are asked for.",
            ),
            "mistakes only": (
                lambda labels, predicted, classes: _without(
                    confusion(labels, predicted, classes), diagonal=True
                ),
                "the diagonal is empty. The images that were read rightly are counted too.",
            ),
            "right ones only": (
                lambda labels, predicted, classes: _without(
                    confusion(labels, predicted, classes), diagonal=False
                ),
                "only the images that were read rightly are counted. The others go into the cells "
                "beside the diagonal.",
            ),
        },
        trials=(
            ("three classes, no pair twice", (np.array([0, 1, 2, 1]), np.array([0, 2, 2, 1]), 3)),
            (
                "two classes, the same pairs again",
                (np.array([0, 0, 1, 1, 1, 0]), np.array([0, 0, 1, 0, 0, 1]), 2),
            ),
            ("a class that is never seen", (np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), 4)),
            (
                "bytes as labels, and more of a kind than a byte can count",
                (
                    np.repeat(np.uint8([0, 1]), 300),
                    np.repeat(np.uint8([0, 1, 0]), (300, 280, 20)),
                    2,
                ),
            ),
            (
                "a hundred digits",
                (
                    (np.arange(100) * 7) % 10,
                    (np.arange(100) * 7 + (np.arange(100) % 9 == 0)) % 10,
                    10,
                ),
            ),
        ),
        harmless={
            "result cut to integers": "counts are whole",
            "result rounded": "counts are whole",
            "result with the sign lost": "counts are not negative",
            "result with negative numbers set to 0": "counts are not negative",
            "labels cut to integers": "labels are numbers of classes",
            "labels with the sign lost": "labels are numbers of classes",
            "labels with negative numbers set to 0": "labels are numbers of classes",
            "predicted cut to integers": "predictions are numbers of classes",
            "predicted with the sign lost": "predictions are numbers of classes",
            "predicted with negative numbers set to 0": "predictions are numbers of classes",
        },
    ),
    "3-5-1.4": Exercise(
        title="The centre of mass to the middle",
        reference=centre,
        start="the centre of mass lies in the row that is the average of all row numbers, each "
        "counted as heavily as there is ink in that row.",
        praise="This is the last step that every digit of MNIST has gone through, and one that "
        "a drawing needs before the network sees it.",
        hints=(
            "How much ink has each row? The average of the row numbers, weighted with that, is "
            "the row of the centre of mass. np.average takes weights.",
            "It should lie in row H / 2: so the picture goes down by H / 2 minus the average, "
            "rounded to whole pixels. The columns likewise.",
            "np.roll moves a picture along an axis. Nothing but black comes round the edge here.",
        ),
        mistakes={
            "box": (
                _box_centred,
                "the box around the ink is centred. Asked for is the centre of mass, which "
                "lies where most of the ink is.",
            ),
            "brightest pixel": (
                _brightest_centred,
                "the brightest pixel goes to the middle. All pixels count, each "
                "with its grey value.",
            ),
            "opposite": (
                lambda image: _axes_of_the_way(image, lambda down, right: (-down, -right)),
                "the picture goes the wrong way: if its ink lies too far down, it must go "
                "up. The way is middle minus centre.",
            ),
            "axes swapped": (
                lambda image: _axes_of_the_way(image, lambda down, right: (right, down)),
                "the ways down and to the right have changed places. Axis 0 goes down the rows.",
            ),
            "rows only": (
                lambda image: _axes_of_the_way(image, lambda down, right: (down, 0)),
                "the rows are right, the columns were not moved.",
            ),
            "columns only": (
                lambda image: _axes_of_the_way(image, lambda down, right: (0, right)),
                "the columns are right, the rows were not moved.",
            ),
            "ink counted as 0 or 1": (
                lambda image: _moved(image, *_way_to_the_middle(image, weights=image > 0)),
                "every pixel with ink counts alike. A pixel has as much mass as its grey value.",
            ),
            "rounded down": (
                lambda image: _moved(image, *_way_to_the_middle(image, whole=np.floor)),
                "the way is rounded down. Round it to the nearest whole number.",
            ),
            "fraction cut off": (
                lambda image: _moved(image, *_way_to_the_middle(image, whole=np.trunc)),
                "the fraction of the way is cut off: int() rounds towards zero. Round it to the "
                "nearest whole number.",
            ),
            "middle of the indices": (
                lambda image: _moved(image, *_way_to_the_middle(image, middle=None)),
                "the middle is taken as (H - 1) / 2. The digits themselves say otherwise: their "
                "centre of mass lies in row and column 14 of 28, which is H / 2.",
            ),
            "not moved": (
                lambda image: image * 1,
                "the picture has not moved. np.roll returns the moved picture and leaves "
                "its argument as it is.",
            ),
        },
        trials=(
            ("a dot in the corner", (_picture((1, 2, 2, 3, 1)),)),
            ("a bar on the right", (_picture((2, 11, 9, 12, 1)),)),
            ("a heavy foot", (_picture((4, 2, 9, 3, 0.5), (9, 2, 10, 8, 1)),)),
            ("grey and white", (_picture((3, 3, 5, 6, 0.2), (6, 9, 8, 10, 1), (5, 3, 6, 7, 0.6)),)),
            ("a tall picture", (_picture((7, 2, 9, 6, 1), (3, 2, 7, 4, 0.3), shape=(20, 10)),)),
            ("in the middle already", (_picture((5, 7, 8, 10, 1)),)),
            ("grey values from 0 to 255", (_picture((3, 2, 6, 5, 255), (6, 4, 7, 10, 120)),)),
        ),
        harmless={
            "result kept in the type of image": "the pixels are those of the image",
            "result with the sign lost": "ink is not negative",
            "result with negative numbers set to 0": "ink is not negative",
            "image with the sign lost": "ink is not negative",
            "image with negative numbers set to 0": "ink is not negative",
            "image with its last element forgotten": "the corners are empty paper",
            "image rolled along axis [01]": "wherever the picture was, its centre comes to the "
            "middle",
        },
    ),
    "3-5-1.5": Exercise(
        title="Training steps",
        reference=train,
        start="one step: the scores of all images, the loss, its gradient back through the "
        "network, and only then the change of every parameter.",
        praise="Four lines in the right order, and they train every network in this book. What "
        "else there is in fit chooses the batches and keeps the books.",
        hints=(
            "Make one SoftmaxCrossEntropy before the loop. loss(scores, labels) gives the loss as "
            "a number, loss.backward() the gradient of the scores.",
            "model.backward takes that gradient and fills model.grads, under the names of "
            "model.params.",
            "A parameter must change in place: param -= change. With param = param - change a new "
            "array gets the name, and the model keeps the old one.",
        ),
        mistakes={
            "never updated": (
                _changed(lambda lr, n, name: 0),
                "the loss stays the same, so the parameters never change. Either "
                "there is no update, or param = param - ... makes new arrays, of "
                "which the model knows nothing: write param -= ... instead.",
            ),
            "uphill": (
                _changed(lambda lr, n, name: -1),
                "the parameters go up the slope, and the loss grows. The gradient is subtracted.",
            ),
            "a copy is trained": (
                lambda model, x, labels, lr, steps: _descent(
                    copy.deepcopy(model), x, labels, lr, steps
                ),
                "the losses are right, but the model handed over is as it was: a copy was trained. "
                "Whoever calls the function wants the model itself to have learned.",
            ),
            "update before backward": (
                _update_before_backward,
                "model.grads is read before the first backward has filled "
                "it. The order is forward, loss, backward, update.",
            ),
            "losses after the update": (
                lambda model, x, labels, lr, steps: _descent(model, x, labels, lr, steps + 1)[1:],
                "the losses are those after the updates: each stands one place too early. The "
                "first one is the loss before any training.",
            ),
            "one loss more": (
                lambda model, x, labels, lr, steps: _descent(model, x, labels, lr, steps + 1),
                "there is one loss too many: one for each step, taken before its update.",
            ),
            "without the learning rate": (
                _changed(lambda lr, n, name: 1 / lr),
                "the whole gradient is subtracted. The learning rate lr says how much of it.",
            ),
            "divided by N": (
                _changed(lambda lr, n, name: 1 / n),
                "the steps are too small by a factor N. The loss is an average "
                "already, so the 1/N is in its gradient.",
            ),
            "summed over N": (
                _changed(lambda lr, n, name: n),
                "the steps are too large by a factor N: the loss is the average over "
                "the images, not the sum.",
            ),
            "weights only": (
                _changed(lambda lr, n, name: name.endswith(("w", "f"))),
                "only the weights change. The biases are parameters too: go through "
                "all of model.params.",
            ),
            "gradients added up": (
                _gradients_added_up,
                "each step uses the gradients of all steps before as well. In "
                "this book backward makes them anew; nothing has to be added.",
            ),
            "twice per step": (
                lambda model, x, labels, lr, steps: _descent(model, x, labels, lr, 2 * steps)[::2],
                "two updates are made for each loss.",
            ),
        },
        trials=(
            (
                "one linear layer, two classes",
                (
                    _linear(3, 2),
                    np.array([[1, 2, 0], [0, -1, 1], [2, 0, 1], [-1, 1, 1]]),
                    np.array([0, 1, 1, 0]),
                    0.5,
                    3,
                ),
            ),
            ("one linear layer, four classes", (_linear(5, 4), *_batch(12, 5, classes=4), 0.1, 6)),
            ("a convolutional network", (_network(), *_batch(8, 1, 4, 6, classes=3), 0.05, 5)),
        ),
        lists=True,
        changes={"model": _parameters},
        harmless={
            "result with the sign lost": "the loss is not negative",
            "result with negative numbers set to 0": "the loss is not negative",
            "labels cut to integers": "labels are numbers of classes",
            "labels with the sign lost": "labels are numbers of classes",
            "labels with negative numbers set to 0": "labels are numbers of classes",
        },
    ),
    "3-5-1.6": Exercise(
        title="Dropout",
        reference=dropout,
        start="which elements stay? Those whose random number is at least p: on average a share "
        "of 1 - p.",
        praise="On average over the random numbers the output is x, so that after training the "
        "layer can simply be left out.",
        hints=(
            "u >= p is an array of True and False. Multiplied with x, it keeps or deletes.",
            "If a share 1 - p is left, the sum is on average 1 - p times what it was. What makes "
            "up for it?",
        ),
        mistakes={
            "not scaled": (
                lambda x, u, p: x * (u >= p),
                "what is left is not made larger. On average the output is now too "
                "small, by the share that was deleted.",
            ),
            "kept and deleted swapped": (
                lambda x, u, p: x * (u < p) / (1 - p),
                "the kept and the deleted ones have changed places: p is "
                "the probability of being deleted.",
            ),
            "kept share p": (
                lambda x, u, p: x * (u < p) / max(p, 1e-9),
                "a share p is kept. Here p is the probability of being deleted.",
            ),
            "divided by p": (
                lambda x, u, p: x * (u >= p) / max(p, 1e-9),
                "divided by p. A share of 1 - p is kept, and that must be made up for.",
            ),
            "multiplied": (
                lambda x, u, p: x * (u >= p) * (1 - p),
                "multiplied by 1 - p, which makes the output smaller once more. What is "
                "left must become larger.",
            ),
            "all scaled": (lambda x, u, p: x / (1 - p), "nothing is deleted."),
            "as after training": (
                lambda x, u, p: x * (1 - p),
                "nothing is deleted; every element is only made smaller.",
            ),
            "noise added": (
                lambda x, u, p: x * u / (1 - p),
                "x is multiplied with the random numbers themselves. They only decide: "
                "an element stays whole or goes.",
            ),
            "more than p": (
                lambda x, u, p: x * (u > p) / (1 - p),
                "an element whose random number is exactly p is deleted. It stays "
                "where u is at least p.",
            ),
            "rows deleted": (
                lambda x, u, p: x * (u[:, :1] >= p) / (1 - p),
                "whole rows stay or go together. Every element has a random number of its own.",
            ),
            "sum kept": (
                lambda x, u, p: x * (u >= p) / max(np.mean(u >= p), 1e-9),
                "divided by the share that happened to be kept. The share expected, "
                "1 - p, is the same for every batch.",
            ),
        },
        trials=(
            ("half of them", (_X[:3, :4], _U[:3, :4], 0.5)),
            (
                "random numbers that are exactly p",
                (_X[:2, :3], np.array([[0.25, 0.1, 0.5], [0.75, 0.25, 0.0]]), 0.25),
            ),
            ("whole numbers", (np.array([[3, -5], [7, 1], [-2, 4]]), _U[:3, :2], 0.4)),
            ("a fifth", (_X, _U, 0.2)),
            ("most of them", (_X[:4], _U[:4], 0.75)),
            ("none", (_X[:2, :3], np.array([[0.3, 0.0, 0.7], [0.9, 0.2, 0.5]]), 0.0)),
        ),
        harmless={
            "result kept in the type of u": "u holds fractions, so its type can hold the result",
            "u with the sign lost": "u holds numbers from 0 to 1",
            "u with negative numbers set to 0": "u holds numbers from 0 to 1",
        },
    ),
    "3-5-1.7": Exercise(
        title="A small network that reads 98 of 100 digits",
        reference=None,
        start="build a Sequential with fewer than 10,000 parameters, train it with fit, and hand "
        "it over.",
        praise="",
        hints=(
            "Where are the parameters of the network of this chapter? Nearly all stand between "
            "Flatten and the first ReLU behind it. Does it need that layer?",
            "With so few parameters, the training digits are not learned by heart soon. Random "
            "shifts and twice as many epochs go well together.",
            "A learning rate that falls to zero along half a cosine lets the network settle: fit "
            "takes a schedule.",
        ),
        mistakes={},
        verdict=small_reader,
    ),
}
