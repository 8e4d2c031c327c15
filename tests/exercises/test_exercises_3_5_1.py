"""The exercises of chapter 3-5-1: their answers against the package, what the trials must show,
and how the open problem finds out why a network reads badly."""

import copy

import numpy as np
import pytest

from convbook import layers
from convbook.datasets import mnist
from convbook.exercises import EXERCISES
from convbook.exercises.chapter_3_5_1 import MOST_PARAMETERS, unseen_digits
from convbook.images.digit import centre_by_mass
from convbook.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from convbook.layers.summary import Summary
from convbook.losses import SoftmaxCrossEntropy
from convbook.optimizers import SGD, AdamW
from convbook.training import confusion_matrix, evaluate, fit
from helpers.answers import ANSWERS, KnowsByHeart, answer_to, centre, confusion, dropout, train
from helpers.solutions import page_cells, page_names

# --- the answers against the package -------------------------------------------------------------


def test_the_pencil_answers_are_those_of_the_summary():
    network = Sequential(
        Conv2d(1, 12, 3, padding=1),
        ReLU(),
        MaxPool2d(3),
        Conv2d(12, 20, 4, padding=1),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(320, 10),
    )
    rows = Summary(network, (1, 28, 28)).rows
    assert [list(rows[i].output_shape) for i in (0, 2, 3, 5)] == ANSWERS["3-5-1.1"]
    assert [[rows[i].parameters, rows[i].multiplications] for i in (0, 3, 7)] == ANSWERS["3-5-1.2"]


def test_the_confusion_matrix_is_the_packages():
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 10, (2, 500))
    for function in (confusion, EXERCISES["3-5-1.3"].reference):
        np.testing.assert_array_equal(
            function(labels, predicted, 10), confusion_matrix(labels, predicted)
        )


def test_digits_that_were_moved_come_back():
    for picture in mnist().x_test[:50, 0]:
        moved = np.roll(np.pad(picture, 8), (-3, 4), axis=(0, 1))
        for function in (centre, EXERCISES["3-5-1.4"].reference):
            np.testing.assert_array_equal(function(moved)[8:-8, 8:-8], picture)
        np.testing.assert_array_equal(centre_by_mass(picture).astype(np.float32), picture)


@pytest.mark.parametrize("number", range(3))
def test_the_training_is_that_of_the_packages_optimizer(number):
    _, (model, x, labels, lr, steps) = EXERCISES["3-5-1.5"].trials[number]
    theirs, loss, losses = copy.deepcopy(model), SoftmaxCrossEntropy(), []
    optimizer = SGD(theirs, lr=lr)
    for _ in range(steps):
        losses.append(loss(theirs(x), labels))
        theirs.backward(loss.backward())
        optimizer.step()
    for function in (train, EXERCISES["3-5-1.5"].reference):
        np.testing.assert_allclose(function(copy.deepcopy(model), x, labels, lr, steps), losses)


def test_dropout_is_the_packages():
    x = np.random.default_rng(1).standard_normal((30, 40))
    expected = layers.Dropout(0.3, rng=7).forward(x)
    u = np.where(expected == 0, 0.1, 0.8)
    for function in (dropout, EXERCISES["3-5-1.6"].reference):
        np.testing.assert_allclose(function(x, u, 0.3), expected)


# --- what the trials must show -------------------------------------------------------------------


def test_a_trial_leaves_the_models_as_they_were():
    models = [inputs[0] for _, inputs in EXERCISES["3-5-1.5"].trials]
    before = [model.state() for model in models]
    assert answer_to("3-5-1.5", train).startswith("Correct.")
    for model, state in zip(models, before):
        assert all(np.array_equal(state[name], array) for name, array in model.state().items())


def test_no_way_to_the_middle_is_half_a_pixel():
    """Whichever way somebody rounds a half, the answer must be the same."""
    for label, (image,) in EXERCISES["3-5-1.4"].trials:
        for axis in (0, 1):
            mean = np.average(np.indices(image.shape)[axis], weights=image)
            way = image.shape[axis] / 2 - mean
            assert abs(way % 1 - 0.5) > 0.01 or label == "in the middle already", (label, way)


def test_nothing_is_pushed_over_the_edge():
    for label, (image,) in EXERCISES["3-5-1.4"].trials:
        on_wide_paper = np.pad(image, 30)
        np.testing.assert_array_equal(centre(on_wide_paper)[30:-30, 30:-30], centre(image), label)


# --- what is said --------------------------------------------------------------------------------


def test_new_arrays_in_place_of_changed_ones():
    def train(model, x, labels, lr, steps):
        loss, losses = SoftmaxCrossEntropy(), []
        for _ in range(steps):
            losses.append(loss(model(x), labels))
            model.backward(loss.backward())
            for name, parameter in model.params.items():
                parameter = parameter - lr * model.grads[name]
        return losses

    assert "of which the model knows nothing" in answer_to("3-5-1.5", train)


def test_indices_as_arrays_count_once():
    def confusion(labels, predicted, classes):
        counts = np.zeros((classes, classes), int)
        counts[labels, predicted] += 1
        return counts

    message = answer_to("3-5-1.3", confusion)
    assert "+ three classes, no pair twice" in message and "counted once" in message


def test_whole_numbers_cut_off():
    def centre(image):
        H, W = image.shape
        row = np.average(np.arange(H), weights=image.sum(axis=1))
        column = np.average(np.arange(W), weights=image.sum(axis=0))
        return np.roll(image, (int(H / 2 - row), int(W / 2 - column)), axis=(0, 1))

    assert "the fraction of the way is cut off" in answer_to("3-5-1.4", centre)


# --- the open problem ----------------------------------------------------------------------------


class Sees(KnowsByHeart):
    """Knows the test digits by heart, but only as they look after a change."""

    def __init__(self, change):
        super().__init__()
        self.known = {
            change(image).astype(np.float32).tobytes(): label
            for image, label in zip(mnist().x_test, mnist().y_test)
        }


class Says(KnowsByHeart):
    """Knows the test digits by heart, and says it in another form."""

    def __init__(self, form):
        super().__init__()
        self.form = form

    def __call__(self, x):
        return self.form(super().__call__(x))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (KnowsByHeart(size=MOST_PARAMETERS), "has 10,000 parameters"),
        (KnowsByHeart(right=970), "nearly there"),
        (KnowsByHeart(right=979), "979 of 1,000 test digits rightly; 98% are asked for"),
        (KnowsByHeart(right=980, unseen=979), "but only 979 of 1,000 that nobody has at hand"),
        (KnowsByHeart(right=1000, unseen=0), "the test digits themselves were learned"),
        (KnowsByHeart(right=1000, unseen=1000), "too good to be true"),
        (KnowsByHeart(right=999, unseen=995), "too good to be true"),
        (KnowsByHeart(right=998, unseen=985), "the test digits themselves were learned"),
        (KnowsByHeart(right=800), "it has learned, but not enough"),
        (KnowsByHeart(right=0), "that is what guessing gives"),
        (Sees(lambda image: 255 * image), "trained on those"),
        (Sees(lambda image: 1 - image), "dark ink on white"),
        (Sees(lambda image: image.swapaxes(1, 2)), "rows and columns are swapped"),
        (Says(lambda scores: scores.argmax(axis=1)), "but gave shape (1000,)"),
        (Says(lambda scores: scores.argmax()), "gave no array of numbers"),
        (Says(lambda scores: ["a"] * len(scores)), "gave no array of numbers"),
        (Says(lambda scores: scores * np.nan), "the learning rate is too large"),
        (Says(lambda scores: scores.reshape(3, 3)), "raised ValueError"),
        (Sequential(Flatten(), Linear(784, 10)), "that is what guessing gives"),
        (Sequential, "hand over the model itself"),
        (0.98, "a value of type float was given"),
        (lambda x: x, "a value of type function was given"),
    ],
)
def test_why_a_network_reads_badly(network, said):
    message = answer_to("3-5-1.7", network)
    assert message.startswith("Not quite:") and said in message
    assert "Likely cause:" in message and 'hint("3-5-1.7")' in message


def test_exactly_the_share_asked_for_is_enough():
    network = KnowsByHeart(size=MOST_PARAMETERS - 1, right=980, unseen=980)
    message = answer_to("3-5-1.7", network)
    assert message.startswith("Correct. 9,999 parameters, and 980 of 1,000 test digits are read")
    assert "980 of 1,000 that nobody has at hand" in message


def test_a_network_that_has_learned_only_the_test_digits_is_found_out():
    digits, network = mnist(), Sequential(Flatten(), Linear(784, 10, rng=0))
    fit(
        network,
        digits.x_test,
        digits.y_test,
        epochs=40,
        batch_size=50,
        optimizer=AdamW(network, lr=0.01),
    )
    assert evaluate(network, digits.x_test, digits.y_test)["accuracy"] > 0.99
    message = answer_to("3-5-1.7", network)
    assert message.startswith("Not quite") and "not how to read" in message


def test_the_unseen_digits_are_other_ones_but_look_alike():
    x, labels = unseen_digits()
    digits = mnist()
    at_hand = {image.tobytes() for image in (*digits.x_train, *digits.x_test)}
    assert x.shape == (1000, 1, 28, 28) and x.dtype == np.float32 and len(labels) == 1000
    assert not any(image.tobytes() in at_hand for image in x)
    nearest = [
        abs(digits.x_train[digits.y_train == label] - image).mean(axis=(1, 2, 3)).min()
        for image, label in zip(x[:40], labels)
    ]
    assert max(nearest) < 0.08  # of 1; two digits of a class are about 0.14 apart
    assert unseen_digits()[0] is x  # always the same ones


@pytest.mark.parametrize("filters", [(8, 16, 32), (8, 16, 32, 64, 64), (8,), ()])
@pytest.mark.parametrize(
    "settings",
    [{}, {"kernel_size": 3}, {"kernel_size": 2}, {"kernel_size": 28}, {"pooling": False}],
)
def test_the_network_to_try_takes_any_number_of_convolutions(filters, settings):
    (cell,) = (cell for cell in page_cells("3-5-1_cnn.ipynb") if cell.startswith("filters = ("))
    names = dict(page_names("3-5-1_cnn.ipynb"), np=np)
    build = cell[cell.index("trial_rng") : cell.index("trial_optimizer")]
    exec(cell[: cell.index("trial_rng")], names)
    exec(build, names | {"filters": filters} | settings, built := {})
    assert built["trial"].forward(np.zeros((2, 1, 28, 28), np.float32)).shape == (2, 10)
