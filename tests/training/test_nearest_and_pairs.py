"""Siamese networks: mini-batches full of pairs, and the nearest reference as an answer."""

import numpy as np
import pytest

from convbook.images.segments import SEGMENTS
from convbook.models.siamese import siamese_body
from convbook.training import predict
from convbook.training.nearest import distances, nearest_description, one_shot_accuracy
from convbook.training.pairs import class_batches, train_pairs

RNG = np.random.default_rng


def test_batches_hold_so_many_of_every_class():
    labels = RNG(0).integers(0, 4, 100)
    batches = list(class_batches(labels, steps=5, each=3))
    assert len(batches) == 5
    for batch in batches:
        assert len(set(batch)) == 12
        np.testing.assert_array_equal(np.bincount(labels[batch]), [3, 3, 3, 3])
    np.testing.assert_array_equal(next(class_batches(labels, 1, 3)), batches[0])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="each must be at most .* the rarest class, 2, got 3"):
        next(class_batches([0, 0, 1, 1, 1], steps=1, each=3))
    features = np.eye(4)
    for labels, shots, said in (
        ([0, 0, 1, 1], 3, "of the rarest class, 2, got 3"),
        ([0, 0, 1, 1], 2, "shots must leave an image to ask for"),
        ([0, 1], 1, "labels must be as many as features, 4, got 2"),
    ):
        with pytest.raises(ValueError, match=said):
            one_shot_accuracy(features, labels, shots=shots)


def test_distances():
    a, b = RNG(0).standard_normal((4, 3)), RNG(1).standard_normal((5, 3))
    expected = [[np.linalg.norm(x - y) for y in b] for x in a]
    np.testing.assert_allclose(distances(a, b), expected)


def test_one_shot_accuracy_of_perfect_and_of_useless_features():
    labels = np.repeat([3, 5, 8], 10)
    assert one_shot_accuracy(np.eye(9)[labels], labels) == 1
    useless = one_shot_accuracy(RNG(0).standard_normal((300, 2)), np.repeat([3, 5, 8], 100))
    assert useless == pytest.approx(1 / 3, abs=0.05)


def test_pairs_teach_features():
    rng = RNG(0)
    labels = np.repeat([0, 1, 2], 30)
    prototypes = rng.random((3, 1, 28, 28))
    x = (0.5 * prototypes[labels] + 0.5 * rng.random((90, 1, 28, 28))).astype(np.float32)
    model = siamese_body(features=8, rng=0)
    losses = train_pairs(model, x, labels, steps=40)
    assert np.mean(losses[-5:]) < 0.8 * losses[0]
    assert one_shot_accuracy(predict(model, x), labels) > 0.95


def test_nearest_description():
    noisy = SEGMENTS[[3, 8, 1]] * 0.8 + 0.1
    assert nearest_description(noisy, SEGMENTS, range(10)).tolist() == [3, 8, 1]
    assert nearest_description(noisy, SEGMENTS, [2, 7]).tolist() == [2, 2, 7]
