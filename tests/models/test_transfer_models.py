"""What the page on transfer is built of: frozen bodies, several heads, the networks."""

import numpy as np
import pytest

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
from convbook.layers.gradcheck import numerical_gradient
from convbook.layers.summary import Summary
from convbook.losses import JointLoss, MeanSquaredError, SoftmaxCrossEntropy
from convbook.models.autoencoder import digit_autoencoder
from convbook.models.digits import digit_body, digit_cnn, number_cnn
from convbook.optimizers import Adam
from convbook.training import evaluate, fit, predict

RNG = np.random.default_rng


def small_body(seed=0, dtype=np.float32):
    rng = RNG(seed)
    return Sequential(
        Conv2d(1, 3, 3, rng=rng, dtype=dtype),
        BatchNorm2d(3, dtype=dtype),
        ReLU(),
        Flatten(),
        Linear(3 * 16, 5, rng=rng, dtype=dtype),
        Tanh(),
    )


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
    np.testing.assert_array_equal(digit_body(rng=4)(x), Sequential(*digit_cnn(rng=4)[:-1])(x))


# --- Two heads -----------------------------------------------------------------------------------


def two_heads(dtype=np.float64):
    return SharedBody(
        small_body(dtype=dtype), Linear(5, 3, rng=1, dtype=dtype), Linear(5, 1, rng=2, dtype=dtype)
    )


@pytest.mark.slow
def test_the_gradients_of_two_heads():
    x, y = some_data(4)
    x, model = x.astype(float), two_heads()
    targets = np.stack([y, RNG(5).standard_normal(4)], axis=1)
    loss = JointLoss((SoftmaxCrossEntropy(), 3, 2.0), (MeanSquaredError(), 1, 0.5))
    loss(model(x), targets)
    dx = model.backward(loss.backward())
    np.testing.assert_allclose(
        dx, numerical_gradient(lambda x: loss(model(x), targets), x), atol=1e-7
    )
    for name, param in model.params.items():

        def error(array, param=param):
            kept = param.copy()
            param[...] = array
            value = loss(model(x), targets)
            param[...] = kept
            return value

        np.testing.assert_allclose(
            model.grads[name], numerical_gradient(error, param.copy()), atol=1e-6, err_msg=name
        )


def test_two_tasks_are_learned_at_once():
    x, y = some_data(60)
    y = (x[:, 0, :3].mean(axis=(1, 2)) > x[:, 0, 3:].mean(axis=(1, 2))).astype(int)
    targets = np.stack([y, x.mean(axis=(1, 2, 3)) * 4 - 2], axis=1)
    model = SharedBody(small_body(), Linear(5, 2, rng=1), Linear(5, 1, rng=2))
    loss = JointLoss((SoftmaxCrossEntropy(), 2, 1), (MeanSquaredError(), 1, 1))
    history = fit(model, x, targets, 40, 20, loss=loss, optimizer=Adam(model, lr=0.01), metrics={})
    assert history["loss"][-1] < history["loss"][0] / 3


# --- Autoencoder ---------------------------------------------------------------------------------


def test_the_autoencoder_gives_back_the_shape_and_learns():
    x = np.zeros((20, 1, 28, 28), np.float32)
    for image, place in zip(x, RNG(0).integers(4, 20, (20, 2))):
        image[0, place[0] : place[0] + 5, place[1] : place[1] + 5] = 1
    model = digit_autoencoder(channels=6, rng=0)
    assert predict(model[0], x).shape == (20, 6, 4, 4)
    before = evaluate(model, x, x, MeanSquaredError())["loss"]
    fit(model, x, x, 20, 10, loss=MeanSquaredError(), optimizer=Adam(model, lr=0.01))
    assert predict(model, x).shape == x.shape
    assert evaluate(model, x, x, MeanSquaredError())["loss"] < before / 3


# --- Numbers of two digits -----------------------------------------------------------------------


def test_a_number_has_two_digits_of_seven_strokes():
    assert number_cnn(rng=0)(np.zeros((5, 1, 28, 40), np.float32)).shape == (5, 14)
