"""What the page on transfer is built of: frozen bodies, several heads, pairs, attributes."""

import numpy as np
import pytest
import torch

from convbook.layers import (
    BatchNorm2d,
    Conv2d,
    Flatten,
    Frozen,
    Linear,
    ReLU,
    Sequential,
    SharedBody,
    Tanh,
)
from convbook.layers.gradcheck import check_layer, numerical_gradient
from convbook.layers.summary import Summary
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy
from convbook.models.attributes import (
    NUMBER_SEGMENTS,
    SEGMENTS,
    SigmoidCrossEntropy,
    nearest_description,
    number_cnn,
    number_order,
    probability,
    two_digit_numbers,
)
from convbook.models.autoencoder import digit_autoencoder
from convbook.models.digits import digit_cnn
from convbook.models.freezing import digit_body
from convbook.models.multitask import JointLoss, slant
from convbook.models.siamese import (
    PairLoss,
    UnitLength,
    class_batches,
    distances,
    one_shot_accuracy,
    siamese_body,
    train_pairs,
)
from convbook.optimizers import Adam
from convbook.training import evaluate, fit, predict

RNG = np.random.default_rng


def small_body(seed=0, dtype=np.float32):
    rng = RNG(seed)
    return Sequential(Conv2d(1, 3, 3, rng=rng, dtype=dtype), BatchNorm2d(3, dtype=dtype), ReLU(),
                      Flatten(), Linear(3 * 16, 5, rng=rng, dtype=dtype), Tanh())


def some_data(n=40, seed=1):
    rng = RNG(seed)
    return rng.random((n, 1, 6, 6), dtype=np.float32), rng.integers(0, 3, n)


# --- Frozen --------------------------------------------------------------------------------------


def test_a_frozen_body_computes_but_does_not_learn():
    x, y = some_data()
    body = small_body()
    body(x)  # so that the running statistics are no longer those of the start
    before, expected = body.state(), predict(body, x)
    model = Sequential(Frozen(body), Linear(5, 3, rng=0))
    assert set(model.params) == {"1.w", "1.b"}
    first = model.params["1.w"].copy()
    fit(model, x, y, epochs=3, batch_size=10)
    assert not np.array_equal(first, model.params["1.w"])
    for name, array in body.state().items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(predict(model[0], x), expected)
    assert Summary(model, (1, 6, 6)).parameters == 5 * 3 + 3


def test_the_way_back_ends_behind_a_frozen_body(monkeypatch):
    x, y = some_data()
    body = small_body()
    monkeypatch.setattr(body, "backward", lambda *_, **__: pytest.fail("went into the body"))
    fit(Sequential(Frozen(body), Linear(5, 3)), x, y, epochs=1, batch_size=10)


def test_a_frozen_body_is_stored_and_converted_with_the_model(tmp_path):
    x, _ = some_data()
    model = Sequential(Frozen(small_body(0)), Linear(5, 3, rng=0))
    other = Sequential(Frozen(small_body(1)), Linear(5, 3, rng=1))
    model.save(tmp_path / "model.npz")
    other.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(predict(other, x), predict(model, x))
    assert predict(model.astype(np.float64), x).dtype == np.float64


def test_the_gradient_passes_through_a_frozen_body():
    x = some_data()[0][:2].astype(float)
    model = Frozen(small_body(dtype=np.float64).eval())
    dy = RNG(3).standard_normal(model(x).shape)
    numerical = numerical_gradient(lambda x: (model(x) * dy).sum(), x)
    model(x)
    np.testing.assert_allclose(model.backward(dy), numerical, atol=1e-6)


def test_a_frozen_body_is_left_alone():
    """Its mode and its gradients are those of whoever trains it elsewhere."""
    x, y = some_data()
    body = small_body()
    features = body.train()(x)
    body.backward(features)
    grads, state = dict(body.grads), body.state()
    model = Sequential(Frozen(body), Linear(5, 3, rng=0))
    fit(model, x, y, epochs=1, batch_size=10)
    model.train().clear_grads()
    model.backward(model(x))  # through the body, this time
    assert all(layer.training for layer in body.walk())
    body.eval()
    model.train()(x)
    assert not any(layer.training for layer in body.walk())
    assert all(body.grads[name] is grad for name, grad in grads.items())
    for name, array in body.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_heads_learn_on_a_frozen_body(monkeypatch):
    x, y = some_data()
    body = small_body()
    monkeypatch.setattr(body, "backward", lambda *_, **__: pytest.fail("went into the body"))
    model = SharedBody(Frozen(body), Linear(5, 3, rng=1), Linear(5, 1, rng=2))
    first = {name: param.copy() for name, param in model.params.items()}
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 1))
    fit(model, x, np.stack([y, y / 2], axis=1), 1, 10, loss=loss, metrics={})
    assert set(first) == {"head0.w", "head0.b", "head1.w", "head1.b"}
    assert all((model.params[name] != param).any() for name, param in first.items())


def test_the_body_is_the_network_of_chapter_3_5_1_without_its_last_layer():
    x = RNG(0).random((3, 1, 28, 28), dtype=np.float32)
    np.testing.assert_array_equal(
        digit_body(rng=4)(x), Sequential(*digit_cnn(rng=4)[:-1])(x))


# --- Two heads -----------------------------------------------------------------------------------


def two_heads(dtype=np.float64):
    return SharedBody(small_body(dtype=dtype), Linear(5, 3, rng=1, dtype=dtype),
                      Linear(5, 1, rng=2, dtype=dtype))


def test_the_gradients_of_two_heads():
    x, y = some_data(4)
    x, model = x.astype(float), two_heads()
    targets = np.stack([y, RNG(5).standard_normal(4)], axis=1)
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 2.0), (MeanSquaredError(), 1, 0.5))
    loss(model(x), targets)
    dx = model.backward(loss.backward())
    np.testing.assert_allclose(
        dx, numerical_gradient(lambda x: loss(model(x), targets), x), atol=1e-7)
    for name, param in model.params.items():
        def error(array, param=param):
            kept = param.copy()
            param[...] = array
            value = loss(model(x), targets)
            param[...] = kept
            return value
        np.testing.assert_allclose(
            model.grads[name], numerical_gradient(error, param.copy()), atol=1e-6, err_msg=name)


def test_a_joint_loss_is_the_sum_of_its_parts():
    rng = RNG(6)
    y, targets = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))
    targets[:, 0] = rng.integers(0, 3, 7)
    first, second = SoftmaxCrossEntropy(), MeanSquaredError()
    joint = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 0.25))
    expected = first(y[:, :3], targets[:, 0].astype(int)) + 0.25 * second(y[:, 3:], targets[:, 1:])
    assert joint(y, targets) == pytest.approx(expected)
    np.testing.assert_allclose(
        joint.backward(), np.concatenate([first.backward(), 0.25 * second.backward()], axis=1))


@pytest.mark.parametrize(("predictions", "targets", "said"), [
    (np.zeros((2, 5)), np.zeros((2, 2)), "predictions"),
    (np.zeros((2, 4)), np.zeros((2, 3)), "targets"),
    (np.zeros((2, 4)), np.full((2, 2), 7.0), "labels"),
])
def test_a_joint_loss_says_what_does_not_fit(predictions, targets, said):
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 1), (MeanSquaredError(), 1, 1))
    with pytest.raises(ValueError, match=said):
        loss(predictions, targets)


def test_two_tasks_are_learned_at_once():
    x, y = some_data(60)
    y = (x[:, 0, :3].mean(axis=(1, 2)) > x[:, 0, 3:].mean(axis=(1, 2))).astype(int)
    targets = np.stack([y, x.mean(axis=(1, 2, 3)) * 4 - 2], axis=1)
    model = SharedBody(small_body(), Linear(5, 2, rng=1), Linear(5, 1, rng=2))
    loss = JointLoss((SoftmaxCrossEntropy(), 2, 1), (MeanSquaredError(), 1, 1))
    history = fit(model, x, targets, 40, 20, loss=loss, optimizer=Adam(model, lr=0.01), metrics={})
    assert history["loss"][-1] < history["loss"][0] / 3


def test_the_slant_of_a_stroke():
    strokes = np.zeros((3, 1, 9, 9))
    rows = np.arange(9)
    for stroke, lean in zip(strokes, (0, 1, -1)):
        stroke[0, rows, 4 + lean * (4 - rows)] = 1
    np.testing.assert_allclose(slant(strokes), [0, 1, -1], atol=1e-12)


# --- Pairs ---------------------------------------------------------------------------------------


def test_unit_length():
    x = RNG(0).standard_normal((5, 4))
    np.testing.assert_allclose(np.linalg.norm(UnitLength()(x), axis=1), 1)
    assert check_layer(UnitLength(), x).ok
    assert np.isfinite(UnitLength()(np.zeros((2, 3)))).all()


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_pair_loss_is_pytorchs(scale):
    rng = RNG(1)
    features, labels = rng.standard_normal((9, 4)), rng.integers(0, 3, 9)
    loss = PairLoss(scale)
    t = torch.tensor(features, requires_grad=True)
    i, j = np.triu_indices(9, 1)
    same = torch.tensor((labels[i] == labels[j]).astype(float))
    costs = torch.nn.functional.binary_cross_entropy_with_logits(
        scale * (t[i] * t[j]).sum(dim=1), same, reduction="none")
    expected = (costs[same == 1].mean() + costs[same == 0].mean()) / 2
    expected.backward()
    assert loss(features, labels) == pytest.approx(expected.item())
    np.testing.assert_allclose(loss.backward(), t.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_pairs_of_one_kind_alone(labels):
    features = RNG(2).standard_normal((3, 2))
    loss = PairLoss()
    assert np.isfinite(loss(features, np.array(labels)))
    numerical = numerical_gradient(lambda f: loss(f, np.array(labels)), features)
    loss(features, np.array(labels))
    np.testing.assert_allclose(loss.backward(), numerical, atol=1e-8)


def test_batches_hold_so_many_of_every_class():
    labels = RNG(0).integers(0, 4, 100)
    batches = list(class_batches(labels, steps=5, each=3))
    assert len(batches) == 5
    for batch in batches:
        assert len(set(batch)) == 12
        np.testing.assert_array_equal(np.bincount(labels[batch]), [3, 3, 3, 3])
    np.testing.assert_array_equal(next(class_batches(labels, 1, 3)), batches[0])


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


# --- Autoencoder ---------------------------------------------------------------------------------


def test_the_autoencoder_gives_back_the_shape_and_learns():
    x = np.zeros((20, 1, 28, 28), np.float32)
    for image, place in zip(x, RNG(0).integers(4, 20, (20, 2))):
        image[0, place[0]:place[0] + 5, place[1]:place[1] + 5] = 1
    model = digit_autoencoder(channels=6, rng=0)
    assert predict(model[0], x).shape == (20, 6, 4, 4)
    before = evaluate(model, x, x, MeanSquaredError())["loss"]
    fit(model, x, x, 20, 10, loss=MeanSquaredError(), optimizer=Adam(model, lr=0.01))
    assert predict(model, x).shape == x.shape
    assert evaluate(model, x, x, MeanSquaredError())["loss"] < before / 3


# --- Attributes ----------------------------------------------------------------------------------


def test_sigmoid_cross_entropy_is_pytorchs():
    rng = RNG(0)
    scores, answers = 5 * rng.standard_normal((6, 3)), rng.integers(0, 2, (6, 3))
    loss = SigmoidCrossEntropy()
    t = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        t, torch.tensor(answers.astype(float)), reduction="sum") / 6
    expected.backward()
    assert loss(scores, answers) == pytest.approx(expected.item())
    np.testing.assert_allclose(loss.backward(), t.grad.numpy(), atol=1e-12)
    assert np.isfinite(loss(np.array([[1e4, -1e4]]), np.array([[0, 1]])))
    np.testing.assert_allclose(probability(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_the_segments_of_a_display():
    assert SEGMENTS.sum(axis=1).tolist() == [6, 2, 5, 5, 4, 5, 6, 3, 7, 6]
    assert len(np.unique(SEGMENTS, axis=0)) == 10
    assert NUMBER_SEGMENTS.shape == (100, 14)
    np.testing.assert_array_equal(NUMBER_SEGMENTS[47], [*SEGMENTS[4], *SEGMENTS[7]])


def test_nearest_description():
    noisy = SEGMENTS[[3, 8, 1]] * 0.8 + 0.1
    assert nearest_description(noisy, SEGMENTS, range(10)).tolist() == [3, 8, 1]
    assert nearest_description(noisy, SEGMENTS, [2, 7]).tolist() == [2, 2, 7]


def test_two_digit_numbers():
    y = np.repeat(np.arange(10), 3)
    x = np.zeros((30, 1, 28, 28), np.float32)
    x += y[:, None, None, None]  # each picture is filled with its label
    images, labels = two_digit_numbers(x, y, [7, 42, 99], 50, rng=0)
    assert images.shape == (50, 1, 28, 40) and set(labels) == {7, 42, 99}
    np.testing.assert_array_equal(10 * images[:, 0, 5, 3] + images[:, 0, 5, 30], labels)
    assert number_cnn(rng=0)(images).shape == (50, 14)


@pytest.mark.parametrize("seed", range(3))
def test_each_ten_numbers_show_every_digit_in_each_place(seed):
    order = number_order(seed)
    assert sorted(order) == list(range(100))
    for ten in order.reshape(10, 10):
        for digits in np.divmod(ten, 10):
            assert sorted(digits) == list(range(10))
