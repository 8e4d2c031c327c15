"""Losses made of losses, and the loss of pairs."""

import numpy as np
import pytest

from convbook.layers.gradcheck import numerical_gradient
from convbook.losses import (
    BCEWithLogitsLoss,
    JointLoss,
    MeanSquaredError,
    PairLoss,
    SoftDiceLoss,
    SoftmaxCrossEntropy,
    SumLoss,
)

RNG = np.random.default_rng


# --- Several tasks -------------------------------------------------------------------------------


def test_a_joint_loss_is_the_sum_of_its_parts():
    rng = RNG(6)
    y, targets = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))
    targets[:, 0] = rng.integers(0, 3, 7)
    first, second = SoftmaxCrossEntropy(), MeanSquaredError()
    joint = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 0.25))
    expected = first(y[:, :3], targets[:, 0].astype(int)) + 0.25 * second(y[:, 3:], targets[:, 1:])
    assert joint(y, targets) == pytest.approx(expected)
    np.testing.assert_allclose(
        joint.backward(), np.concatenate([first.backward(), 0.25 * second.backward()], axis=1)
    )


@pytest.mark.parametrize(
    ("predictions", "targets", "said"),
    [
        (np.zeros((2, 5)), np.zeros((2, 2)), "predictions"),
        (np.zeros((2, 4)), np.zeros((2, 3)), "targets"),
        (np.zeros((2, 4)), np.full((2, 2), 7.0), r"targets\[:, 0\] must be from 0 to 2"),
    ],
)
def test_a_joint_loss_says_what_does_not_fit(predictions, targets, said):
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 1))
    with pytest.raises(ValueError, match=said):
        loss(predictions, targets)


def test_a_class_of_a_joint_loss_is_a_whole_number():
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 1))
    with pytest.raises(ValueError, match=r"targets\[:, 0\] must be whole numbers"):
        loss(np.zeros((2, 4)), np.array([[0.5, 1], [1, 1]]))
    with pytest.raises(ValueError, match=r"targets\[:, 0\] must be from 0 to 2, got 0 to 3"):
        loss(np.zeros((2, 4)), np.array([[0, 1], [3, 1]]))


def test_a_sum_of_losses():
    rng = RNG(3)
    scores = rng.standard_normal((2, 1, 4, 3))
    targets = (rng.random(scores.shape) < 0.4).astype(float)
    parts = BCEWithLogitsLoss(), SoftDiceLoss()
    loss = SumLoss(BCEWithLogitsLoss(), SoftDiceLoss(), weights=(0.5, 2))
    assert loss(scores, targets) == pytest.approx(
        0.5 * parts[0](scores, targets) + 2 * parts[1](scores, targets)
    )
    np.testing.assert_allclose(loss.backward(), 0.5 * parts[0].backward() + 2 * parts[1].backward())
    assert repr(loss) == "SumLoss(0.5 · BCEWithLogitsLoss(), 2 · SoftDiceLoss())"
    with pytest.raises(ValueError, match=r"SumLoss\(.*BCEWithLogitsLoss\(\): targets must be from"):
        loss(scores, 255 * targets)
    with pytest.raises(ValueError, match="losses must be at least one, and weights as many, got 1"):
        SumLoss(SoftDiceLoss(), weights=(1, 2))


# --- Pairs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_pairs_of_one_kind_alone(labels):
    features = RNG(2).standard_normal((3, 2))
    loss = PairLoss()
    assert np.isfinite(loss(features, np.array(labels)))
    numerical = numerical_gradient(lambda f: loss(f, np.array(labels)), features)
    loss(features, np.array(labels))
    np.testing.assert_allclose(loss.backward(), numerical, atol=1e-8)
