"""The exercises on transfer: their answers against the package and numerical differentiation."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.layers import Linear
from convbook.layers.gradcheck import numerical_gradient
from convbook.models.digits import digit_body
from convbook.training.nearest import distances, nearest_description
from helpers.answers import ANSWERS, answer_to, contrastive, fork_gradient, nearest_class


def contrastive_loss(a, b, same, margin):
    d = np.sqrt(((a - b) ** 2).sum(axis=1))
    return np.where(same == 1, d**2, np.maximum(margin - d, 0) ** 2).mean()


@pytest.mark.parametrize("trial", range(4))
def test_the_contrastive_gradient(trial):
    a, b, same, margin = EXERCISES["3-6-2.4"].trials[trial][1]
    numerical = numerical_gradient(lambda a: contrastive_loss(a, b, same, margin), a)
    for function in (contrastive, EXERCISES["3-6-2.4"].reference):
        np.testing.assert_allclose(function(a, b, same, margin), numerical, atol=1e-7)


@pytest.mark.parametrize("trial", range(4))
def test_the_gradient_at_a_fork(trial):
    dy1, dy2, w1, w2, weight = EXERCISES["3-6-2.2"].trials[trial][1]
    x = np.random.default_rng(0).standard_normal((len(dy1), w1.shape[1]))
    numerical = numerical_gradient(
        lambda x: (dy1 * (x @ w1.T)).sum() + weight * (dy2 * (x @ w2.T)).sum(), x
    )
    for function in (fork_gradient, EXERCISES["3-6-2.2"].reference):
        np.testing.assert_allclose(function(dy1, dy2, w1, w2, weight), numerical, atol=1e-6)


def test_what_learns():
    body, head = digit_body(), Linear(64, 10)
    sizes = {name: a.size for name, a in body.params.items()}
    convolutions = sum(size for name, size in sizes.items() if name[0] in "03")
    linear = sum(size for name, size in sizes.items() if name[0] == "7")
    last = sum(a.size for a in head.params.values())
    assert ANSWERS["3-6-2.1"] == [
        [convolutions + linear + last, 0],
        [linear + last, convolutions],
        [last, convolutions + linear],
    ]


@pytest.mark.parametrize("trial", range(4))
def test_nearest_class_and_description_are_the_packages(trial):
    features, references = EXERCISES["3-6-2.3"].trials[trial][1]
    assert (
        nearest_class(features, references)
        == distances(features, references).argmin(axis=1).tolist()
    )
    answers, table, classes = EXERCISES["3-6-2.5"].trials[trial][1]
    np.testing.assert_array_equal(
        EXERCISES["3-6-2.5"].reference(answers, table, classes),
        nearest_description(answers, table, classes),
    )


def test_no_trial_is_decided_by_a_tie():
    for _, (features, references) in EXERCISES["3-6-2.3"].trials:
        d = np.sort(distances(features, references), axis=1)
        assert (d[:, 1] - d[:, 0] > 1e-6).all()
    for _, (answers, table, classes) in EXERCISES["3-6-2.5"].trials:
        d = np.sort(abs(answers[:, None] - table[classes]).sum(axis=2), axis=1)
        assert (d[:, 1] - d[:, 0] > 1e-6).all()


def test_a_missing_margin_shows_only_beyond_it():
    wrong, explanation = EXERCISES["3-6-2.4"].mistakes["no margin"]
    message = answer_to("3-6-2.4", wrong)
    assert "+ pairs of two classes, inside the margin" in message
    assert "x some beyond the margin" in message and explanation in message
