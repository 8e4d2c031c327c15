"""The loss functions against PyTorch, numerical differentiation, and bad input."""

import copy
import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook import losses
from convbook.arrays import is_cupy
from convbook.layers.gradcheck import numerical_gradient, relative_error
from convbook.losses import (
    BCEWithLogitsLoss,
    JointLoss,
    L1Loss,
    MeanSquaredError,
    PairLoss,
    SigmoidCrossEntropy,
    SmoothL1Loss,
    SoftDiceLoss,
    SoftmaxCrossEntropy,
    SumLoss,
    probability,
)
from convbook.stand_in import pretended_gpu
from helpers.drawing import examples

drawn = examples(50)


@st.composite
def classifications(draw):
    """Draw scores (N, K), and labels either as numbers or as probabilities."""
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from((np.float32, np.float64)))
    scores = (draw(st.sampled_from((1, 10, 1000))) * rng.standard_normal((n, k))).astype(dtype)
    if draw(st.booleans()):
        return scores, rng.integers(0, k, n)
    return scores, rng.dirichlet(np.ones(k), n).astype(dtype)


@given(classifications())
@drawn
def test_softmax_cross_entropy_is_pytorchs(arguments):
    torch = pytest.importorskip("torch")
    scores, labels = arguments
    tensor = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels))
    expected.backward()
    loss = SoftmaxCrossEntropy()
    result = loss(scores, labels)
    tolerance = 1e-5 if scores.dtype == np.float32 else 1e-12
    assert type(result) is float
    assert result == pytest.approx(expected.item(), rel=tolerance, abs=tolerance)
    gradient = loss.backward()
    assert gradient.dtype == scores.dtype
    np.testing.assert_allclose(gradient, tensor.grad, rtol=tolerance, atol=tolerance)


@given(
    st.integers(0, 100),
    st.sampled_from(((3,), (4, 2), (2, 3, 4, 5))),
    st.sampled_from((np.float32, np.float64)),
)
@drawn
def test_mean_squared_error_is_pytorchs(seed, shape, dtype):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    predictions, targets = rng.standard_normal((2, *shape)).astype(dtype)
    tensor = torch.tensor(predictions, requires_grad=True)
    expected = torch.nn.functional.mse_loss(tensor, torch.tensor(targets))
    expected.backward()
    loss = MeanSquaredError()
    result = loss(predictions, targets.astype(np.float64))  # the predictions' dtype decides
    assert type(result) is float
    assert result == pytest.approx(expected.item(), rel=1e-5)
    assert loss.backward().dtype == dtype
    np.testing.assert_allclose(loss.backward(), tensor.grad, rtol=1e-5, atol=1e-7)


# --- The table -----------------------------------------------------------------------------------

RNG = np.random.default_rng
PIXELS = (3, 4, 5, 2)  # N, K, H, W
CLASSES = RNG(1).integers(0, 4, (3, 5, 2))
SHARES = RNG(2).dirichlet(np.ones(4), (3, 5, 2)).transpose(0, 3, 1, 2)
MASK = (RNG(3).random(PIXELS) < 0.3).astype(int)
WEIGHT = (0.5, 2.0, 0.0, 1.0)


def soft_dice(smooth):
    """PyTorch has none: written with its functions."""

    def theirs(F, scores, targets):
        p = F.sigmoid(scores)
        common, both = (p * targets).sum((2, 3)), (p + targets).sum((2, 3))
        return (1 - (2 * common + smooth) / (both + smooth)).mean()

    return theirs


def all_pairs(F, features, labels):
    i, j = np.triu_indices(len(labels), 1)
    same = (labels[i] == labels[j]).to(features.dtype)
    costs = F.binary_cross_entropy_with_logits(
        4 * (features[i] * features[j]).sum(dim=1), same, reduction="none"
    )
    return (costs[same == 1].mean() + costs[same == 0].mean()) / 2


# The loss, the shape of the predictions, targets, and what PyTorch calls it.
LOSSES = {
    "classes": (
        SoftmaxCrossEntropy(),
        (4, 3),
        np.array([2, 0, 1, 1]),
        lambda F, s, t: F.cross_entropy(s, t),
    ),
    "probabilities": (
        SoftmaxCrossEntropy(),
        (4, 3),
        RNG(1).dirichlet(np.ones(3), 4),
        lambda F, s, t: F.cross_entropy(s, t),
    ),
    "weighted classes": (
        SoftmaxCrossEntropy((2, 0, 0.5)),
        (4, 3),
        np.array([2, 0, 1, 1]),
        lambda F, s, t: F.cross_entropy(s, t, s.new_tensor((2, 0, 0.5))),
    ),
    "pixels": (SoftmaxCrossEntropy(), PIXELS, CLASSES, lambda F, s, t: F.cross_entropy(s, t)),
    "weighted pixels": (
        SoftmaxCrossEntropy(WEIGHT),
        PIXELS,
        CLASSES,
        lambda F, s, t: F.cross_entropy(s, t, s.new_tensor(WEIGHT)),
    ),
    "unknown pixels": (
        SoftmaxCrossEntropy(WEIGHT, ignore_index=255),
        PIXELS,
        np.where(CLASSES == 1, 255, CLASSES).astype(np.int64),
        lambda F, s, t: F.cross_entropy(s, t, s.new_tensor(WEIGHT), ignore_index=255),
    ),
    "weighted probabilities": (
        SoftmaxCrossEntropy(WEIGHT),
        PIXELS,
        SHARES,
        lambda F, s, t: F.cross_entropy(s, t, s.new_tensor(WEIGHT)),
    ),
    "binary": (
        BCEWithLogitsLoss(),
        PIXELS,
        MASK,
        lambda F, s, t: F.binary_cross_entropy_with_logits(s, t),
    ),
    "binary, shares": (
        BCEWithLogitsLoss(),
        (5, 1),
        RNG(4).random((5, 1)),
        lambda F, s, t: F.binary_cross_entropy_with_logits(s, t),
    ),
    "binary, yes is rare": (
        BCEWithLogitsLoss(pos_weight=7.5),
        PIXELS,
        MASK,
        lambda F, s, t: F.binary_cross_entropy_with_logits(s, t, pos_weight=s.new_tensor(7.5)),
    ),
    "attributes": (
        SigmoidCrossEntropy(),
        (6, 3),
        RNG(5).integers(0, 2, (6, 3)),
        lambda F, s, t: F.binary_cross_entropy_with_logits(s, t, reduction="sum") / 6,
    ),
    "Dice": (SoftDiceLoss(), PIXELS, MASK, soft_dice(1.0)),
    "Dice, not smooth": (SoftDiceLoss(smooth=0), PIXELS, MASK, soft_dice(0)),
    "squares": (
        MeanSquaredError(),
        PIXELS,
        RNG(6).standard_normal(PIXELS),
        lambda F, y, t: F.mse_loss(y, t),
    ),
    "L1": (L1Loss(), PIXELS, RNG(6).standard_normal(PIXELS), lambda F, y, t: F.l1_loss(y, t)),
    "smooth L1": (
        SmoothL1Loss(),
        PIXELS,
        RNG(6).standard_normal(PIXELS),
        lambda F, y, t: F.smooth_l1_loss(y, t),
    ),
    "smooth L1, early": (
        SmoothL1Loss(beta=0.3),
        PIXELS,
        RNG(6).standard_normal(PIXELS),
        lambda F, y, t: F.smooth_l1_loss(y, t, beta=0.3),
    ),
    "smooth L1, at once": (
        SmoothL1Loss(beta=0),
        PIXELS,
        RNG(6).standard_normal(PIXELS),
        lambda F, y, t: F.smooth_l1_loss(y, t, beta=0),
    ),
    "pairs": (PairLoss(), (9, 4), RNG(7).integers(0, 3, 9), all_pairs),
}
every_loss = pytest.mark.parametrize("loss, shape, targets, theirs", LOSSES.values(), ids=LOSSES)


@every_loss
@pytest.mark.parametrize("scale", (1, 30))
@pytest.mark.parametrize(
    "dtype, tolerance", [(np.float64, 1e-10), (np.float32, 2e-5), (np.float16, 2e-3)]
)
def test_it_is_pytorchs(loss, shape, targets, theirs, dtype, tolerance, scale):
    """float16 is compared with float64 of the same numbers: it is computed in float32."""
    torch = pytest.importorskip("torch")
    predictions = (scale * RNG(0).standard_normal(shape)).astype(dtype)
    wide = np.float64 if dtype == np.float16 else dtype
    tensor = torch.tensor(predictions.astype(wide), requires_grad=True)
    as_index = targets.dtype.kind in "iu" and targets.shape != shape
    expected = theirs(
        torch.nn.functional, tensor, torch.tensor(targets if as_index else targets.astype(wide))
    )
    expected.backward()
    value = loss(predictions, targets)
    assert type(value) is float
    assert value == pytest.approx(expected.item(), rel=tolerance, abs=tolerance)
    gradient = loss.backward()
    assert gradient.dtype == dtype and gradient.shape == shape
    limit = tolerance * float(abs(tensor.grad).max())
    np.testing.assert_allclose(gradient, tensor.grad, rtol=tolerance, atol=limit)
    np.testing.assert_array_equal(loss.backward(), gradient)  # nothing was spoiled


@every_loss
def test_gradients_agree_with_numerical_differentiation(loss, shape, targets, theirs):
    predictions = RNG(0).standard_normal(shape)
    loss(predictions, targets)
    gradient = loss.backward()
    numerical = numerical_gradient(lambda p: loss(p, targets), predictions)
    assert relative_error(gradient, numerical)[0] < 1e-6


@every_loss
def test_measure_is_forward_without_the_checks(loss, shape, targets, theirs):
    predictions = RNG(0).standard_normal(shape).astype(np.float32)
    kept, kept_targets = predictions.copy(), targets.copy()
    value, gradient = loss(predictions, targets), loss.backward()
    measured = loss.measure(predictions, targets)
    assert measured.shape == () and float(measured) == value
    np.testing.assert_array_equal(loss.backward(), gradient)
    np.testing.assert_array_equal(predictions, kept)
    np.testing.assert_array_equal(targets, kept_targets)


@every_loss
def test_a_loss_stays_on_the_gpu(loss, shape, targets, theirs):
    predictions = RNG(0).standard_normal(shape).astype(np.float32)
    value, gradient = loss(predictions, targets), loss.backward()
    with pretended_gpu() as cupy:
        there = cupy.asarray(predictions), cupy.asarray(targets)
        assert loss(*there) == pytest.approx(value, rel=1e-6)
        assert is_cupy(loss.measure(*there)) and is_cupy(loss.backward())
        np.testing.assert_allclose(cupy.asnumpy(loss.backward()), gradient, rtol=1e-5, atol=1e-7)


@every_loss
def test_backward_before_forward_says_so(loss, shape, targets, theirs):
    fresh = copy.deepcopy(loss)
    fresh._remembered = None
    with pytest.raises(RuntimeError, match=re.escape(f"{loss}: backward was called before")):
        fresh.backward()


def test_every_loss_is_in_the_table():
    tested = {type(loss) for loss, *_ in LOSSES.values()} | {JointLoss, SumLoss}
    exported = {getattr(losses, name) for name in losses.__all__} - {losses.Loss, probability}
    assert tested == exported


# --- At the edges --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    (SoftmaxCrossEntropy((1, 3)), SoftmaxCrossEntropy(), SoftmaxCrossEntropy(ignore_index=9)),
)
def test_a_score_beyond_all_others_costs_nothing_where_it_is_right(loss):
    scores = np.array([[1e30, -1e30], [-1e30, 1e30]], np.float32)
    assert loss(scores, [0, 1]) == 0
    assert not loss.backward().any()
    assert loss(scores, [1, 0]) > 1e29
    assert np.isfinite(loss.backward()).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("loss", (BCEWithLogitsLoss(), BCEWithLogitsLoss(2), SigmoidCrossEntropy()))
def test_an_infinite_score_costs_nothing_where_it_is_right(loss):
    scores = np.array([[np.inf, -np.inf, 0]])
    assert loss(scores, [[1, 0, 0.5]]) == pytest.approx(
        loss(np.array([[1e9, -1e9, 0]]), [[1, 0, 0.5]])
    )
    assert np.isfinite(loss.backward()).all()
    assert loss(scores, [[0, 1, 0]]) == np.inf
    assert np.isfinite(loss.backward()).all()


def test_probabilities_of_scores_beyond_all_measure():
    np.testing.assert_allclose(probability(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_a_class_of_weight_0_takes_an_infinity_with_it():
    scores = np.array([[0.0, 1.0], [0.0, -np.inf]])
    loss = SoftmaxCrossEntropy((1, 0))
    assert loss(scores, [0, 1]) == pytest.approx(np.log(1 + np.e))
    assert np.isfinite(loss.backward()).all() and not loss.backward()[1].any()


def test_a_mini_batch_of_unknown_pixels_teaches_nothing():
    loss = SoftmaxCrossEntropy(ignore_index=255)
    assert loss(np.ones((1, 3, 2, 2)), np.full((1, 2, 2), 255)) == 0
    assert not loss.backward().any()


def test_dice_of_two_empty_areas_is_1_and_of_strangers_0():
    nothing, one = np.full((1, 1, 2, 2), -1e9), np.array([[[[1e9, -1e9], [-1e9, -1e9]]]])
    empty, there, elsewhere = np.zeros((3, 1, 1, 2, 2))
    there[0, 0, 0, 0], elsewhere[0, 0, 1, 1] = 1, 1
    for smooth in (0, 1):
        loss = SoftDiceLoss(smooth)
        assert loss(nothing, empty) == 0 and np.isfinite(loss.backward()).all()
        assert loss(one, there) == 0
    assert SoftDiceLoss(0)(one, elsewhere) == 1


def test_half_precision_is_computed_in_single():
    """The squares and the number of pixels are beyond float16, the mean is not."""
    y, t = np.full((1, 1, 300, 300), 300, np.float16), np.zeros((1, 1, 300, 300), np.float16)
    for loss, value, slope in (
        (MeanSquaredError(), 9e4, 600),
        (L1Loss(), 300, 1),
        (SmoothL1Loss(), 299.5, 1),
        (BCEWithLogitsLoss(), 300, 1),
    ):
        assert loss(y, t) == pytest.approx(value)
        assert loss.backward().dtype == np.float16
        np.testing.assert_allclose(loss.backward(), np.full_like(y, slope / y.size), rtol=1e-3)


def test_the_representation_is_the_call():
    for loss, shown in (
        (SoftmaxCrossEntropy(), "SoftmaxCrossEntropy()"),
        (SoftmaxCrossEntropy((1, 2)), "SoftmaxCrossEntropy(weight=(1.0, 2.0))"),
        (SmoothL1Loss(0.5), "SmoothL1Loss(beta=0.5)"),
        (BCEWithLogitsLoss(), "BCEWithLogitsLoss()"),
        (JointLoss((L1Loss(), 2, 0.5)), "JointLoss((L1Loss(), 2, 0.5))"),
    ):
        assert repr(loss) == shown


def test_integers_have_a_mean_squared_error_too():
    loss = MeanSquaredError()
    assert loss([1, 2, 3], [1, 2, 5]) == pytest.approx(4 / 3)
    np.testing.assert_allclose(loss.backward(), [0, 0, -4 / 3])


# --- Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss, predictions, targets, error, said",
    [
        (
            MeanSquaredError(),
            (4, 1),
            (4,),
            ValueError,
            r"MeanSquaredError\(\): targets must have shape \(4, 1\), got \(4,\)",
        ),
        (MeanSquaredError(), (0, 3), (0, 3), ValueError, r"MeanSquaredError\(\): .*empty"),
        (SoftmaxCrossEntropy(), (4, 3), (5,), ValueError, r"SoftmaxCrossEntropy\(\): "),
        (SoftmaxCrossEntropy(), (4,), (4,), ValueError, r"SoftmaxCrossEntropy\(\): "),
    ],
)
def test_shapes_that_do_not_fit_are_refused(loss, predictions, targets, error, said):
    with pytest.raises(error, match=said):
        loss(np.zeros(predictions), np.zeros(targets, int))
    with pytest.raises(RuntimeError, match="before forward"):
        loss.backward()  # what was refused is not remembered


@pytest.mark.parametrize("labels", ([0, 3], [-1, 0]))
def test_labels_outside_the_classes_are_refused(labels):
    with pytest.raises(ValueError, match=r"SoftmaxCrossEntropy\(\): labels"):
        SoftmaxCrossEntropy()(np.zeros((2, 3)), labels)


BYTES = 255 * MASK
BAD_TARGETS = {
    "a mask of bytes": (
        BCEWithLogitsLoss(),
        PIXELS,
        BYTES,
        "targets must be from 0 to 1 (1 for yes, 0 for no, or a probability "
        "between them), got 0 to 255; a picture's bytes become shares by targets / "
        "255",
    ),
    "a mask of bytes for Dice": (
        SoftDiceLoss(),
        PIXELS,
        BYTES.astype(np.uint8),
        "got 0 to 255; a picture's bytes",
    ),
    "-1 for no": (BCEWithLogitsLoss(), PIXELS, 2 * MASK - 1, "targets must be from 0 to 1"),
    "an unknown answer": (
        SigmoidCrossEntropy(),
        (2, 2),
        [[0, 1], [np.nan, 1]],
        "answers must be from 0 to 1 (1 for yes",
    ),
    "a colour mask": (
        BCEWithLogitsLoss(),
        (2, 1, 4, 4),
        np.zeros((2, 3, 4, 4)),
        "targets must have shape (2, 1, 4, 4), got (2, 3, 4, 4)",
    ),
    "a mask without its channel": (
        SoftDiceLoss(),
        (2, 1, 4, 4),
        np.zeros((2, 4, 4)),
        "must have shape (2, 1, 4, 4), got (2, 4, 4); an axis for the channel is added by "
        "targets[:, None]",
    ),
    "a mask whose channel stands last": (
        BCEWithLogitsLoss(),
        (2, 1, 4, 4),
        np.zeros((2, 4, 4, 1)),
        "channels come before height and width: targets.transpose(0, 3, 1, 2)",
    ),
    "a mask in colours": (
        SumLoss(BCEWithLogitsLoss(), SoftDiceLoss()),
        (2, 1, 4, 4),
        np.zeros((2, 4, 4, 3), np.uint8),
        "targets must have shape (2, 1, 4, 4), got (2, 4, 4, 3); these seem to be colours",
    ),
    "numbers of classes as a mask": (
        SoftDiceLoss(),
        PIXELS,
        2 * MASK,
        "got 0 to 2; numbers of classes become a mask of one class by targets == its number",
    ),
    "Dice of rows": (SoftDiceLoss(), (2, 3), np.zeros((2, 3)), "scores must have 4 axes"),
    "a mask of bytes as classes": (
        SoftmaxCrossEntropy(),
        (3, 2, 5, 2),
        255 * (CLASSES > 1),
        "labels must be from 0 to 1, got 0 to 255; a mask of 0 and 255 "
        "becomes classes by labels // 255",
    ),
    "a mask of bytes as three classes": (
        SoftmaxCrossEntropy(),
        (1, 3, 1, 3),
        np.array([[[0, 127, 255]]]),
        "labels must be from 0 to 2, got 0 to 255; grey values become classes by giving each its "
        "number; if 255 stands for unknown, ignore_index=255",
    ),
    "classes for a single channel": (
        SoftmaxCrossEntropy(),
        (2, 1, 4, 4),
        np.ones((2, 4, 4), int),
        "scores of a single channel are a yes or no, for which BCEWithLogitsLoss is made",
    ),
    "classes counted from 1": (
        SoftmaxCrossEntropy(),
        (2, 3),
        [1, 3],
        "labels must be from 0 to 2, got 1 to 3; classes are counted from 0, and the scores have 3",
    ),
    "classes with their channel": (
        SoftmaxCrossEntropy(),
        (2, 3, 4, 4),
        np.zeros((2, 1, 4, 4), int),
        "got (2, 1, 4, 4); the axis of the channel is dropped by labels[:, 0]",
    ),
    "booleans as classes": (
        SoftmaxCrossEntropy(),
        (2, 2, 4, 4),
        np.zeros((2, 4, 4), bool),
        "must be integers, got dtype bool; convert with labels.astype(int)",
    ),
    "colours as shares": (
        SoftmaxCrossEntropy(),
        (2, 3, 4, 4),
        np.full((2, 3, 4, 4), 0.8),
        "got sums from 2.4 to 2.4; colours become classes by giving each colour its number",
    ),
    "colours as classes": (
        SoftmaxCrossEntropy(),
        (2, 5, 4, 4),
        np.zeros((2, 3, 4, 4), np.uint8),
        "labels must have shape (2, 4, 4) (ints) or (2, 5, 4, 4) "
        "(probabilities), got (2, 3, 4, 4); colours become classes by giving",
    ),
    "colours as probabilities": (
        SoftmaxCrossEntropy(),
        (2, 3, 4, 4),
        np.full((2, 3, 4, 4), 200, np.uint8),
        "labels must be from 0 to 1 (probabilities of the classes), got 200 to 200",
    ),
    "several classes at once": (
        SoftmaxCrossEntropy(),
        (2, 3),
        [[1, 1, 0], [0, 0, 1]],
        "labels must be probabilities of the classes, whose sum over axis "
        "1 is 1, got sums from 1 to 2",
    ),
    "classes as floats": (
        SoftmaxCrossEntropy(),
        (2, 3),
        [0.0, 1.0],
        "labels of shape (2,) must be integers, got dtype float64",
    ),
    "a label that is unknown": (
        SoftmaxCrossEntropy(ignore_index=255),
        (2, 3),
        [3, 255],
        "labels must be from 0 to 2, got 3 to 3",
    ),
    "a weight too few": (
        SoftmaxCrossEntropy((1, 2)),
        (2, 3),
        [0, 1],
        "weight must hold 3 numbers, one for each class of scores, got 2",
    ),
    "five axes": (
        SoftmaxCrossEntropy(),
        (2, 3, 1, 1, 1),
        np.zeros((2, 1, 1, 1), int),
        "scores must have 2 axes",
    ),
    "infinite targets": (
        L1Loss(),
        (2, 2),
        [[0, 1], [np.inf, 0]],
        "targets must hold finite numbers, got infinite ones or NaN",
    ),
    "NaN as a target": (SmoothL1Loss(), (1, 1), [[np.nan]], "targets must hold finite numbers"),
    "nothing": (BCEWithLogitsLoss(), (0, 1), np.zeros((0, 1)), "predictions must not be empty"),
    "pairs of scores": (PairLoss(), (3, 2), np.eye(3)[:, :2], "labels must have shape (3,)"),
    "pairs of names": (PairLoss(), (2, 2), [0.5, 1], "labels must be integers"),
    "pairs of nothing": (PairLoss(), (0, 2), np.zeros(0, int), "features must have 2 axes (N, L)"),
}


@pytest.mark.parametrize("loss, shape, targets, said", BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_targets_that_cannot_be_are_refused(loss, shape, targets, said):
    with pytest.raises((TypeError, ValueError)) as caught:
        loss(np.zeros(shape), targets)
    assert str(caught.value).startswith(f"{loss}: ") and said in str(caught.value)


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: SmoothL1Loss(-1), "beta must be a number of at least 0, got -1"),
        (lambda: SoftDiceLoss("x"), "smooth must be a number of at least 0, got 'x'"),
        (lambda: BCEWithLogitsLoss(-0.5), "pos_weight must be a number of at least 0, got -0.5"),
        (lambda: SoftmaxCrossEntropy((1, -1)), "weight must be a number of at least 0, got -1"),
        (lambda: SoftmaxCrossEntropy((0, 0)), "weight must hold a number above 0, got (0.0, 0.0)"),
        (lambda: SoftmaxCrossEntropy(ignore_index=0.5), "ignore_index must be an integer"),
    ],
)
def test_wrong_settings_are_refused(make, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        make()
