"""Our networks in Keras: the same scores, gradients and statistics, and weights both ways."""

import numpy as np
import pytest

from convbook.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Sequential,
    Sigmoid,
    Tanh,
    Upsample,
)
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.densenet import small_densenet
from convbook.models.googlenet import small_googlenet
from convbook.models.mobilenet import small_mobilenet
from convbook.models.resnet import resnet, small_resnet
from convbook.models.unet import unet
from convbook.models.vgg import small_vgg

pytestmark = pytest.mark.slow
MODELS = {
    "residual": (lambda: small_resnet(14, rng=0), (3, 16, 16)),
    "plain": (lambda: small_resnet(14, residual=False, rng=0), (3, 15, 17)),
    "wide": (lambda: small_resnet(8, widen=2, rng=0), (3, 16, 16)),
    "bottleneck": (lambda: small_resnet(11, bottleneck=True, norm=False, rng=0), (3, 16, 16)),
    "ResNet-18": (lambda: resnet(18, classes=7, width=4, rng=0), (3, 48, 64)),
    "ResNet-50": (lambda: resnet(50, classes=7, width=2, rng=0), (3, 32, 32)),
    "VGG": (lambda: small_vgg(width=4, rng=0), (3, 32, 32)),
    "MobileNet": (lambda: small_mobilenet(rng=0), (3, 32, 32)),
    "DenseNet": (lambda: small_densenet(rng=0), (3, 32, 32)),
    "GoogLeNet": (lambda: small_googlenet(rng=0), (3, 32, 32)),
    "others": (
        lambda: Sequential(
            Conv2d(3, 4, 3, padding=((1, 0), (2, 1)), dilation=2, rng=0),
            LeakyReLU(0.2),
            AvgPool2d(3, stride=2, padding=1),
            Tanh(),
            MaxPool2d(2, padding=1),
            Sigmoid(),
            Dropout(0.3),
            Flatten(),
            Linear(4 * 4 * 4, 5, rng=0),
        ),
        (3, 16, 14),
    ),
}


@pytest.fixture(scope="module")
def module():
    pytest.importorskip("tensorflow")
    from convbook.frameworks import keras_model

    return keras_model


def with_any_numbers(model, seed=1):
    """Return the model with statistics, scales and biases that are not the initial ones."""
    rng = np.random.default_rng(seed)
    for array in [*model.params.values(), *model.buffers.values()]:
        if array.ndim == 1:
            array[...] = rng.uniform(0.5, 1.5, array.shape)
    return model.eval()


def pictures(shape, n=3, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)


def scores(net, x):
    return np.asarray(net(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), training=False))


@pytest.mark.parametrize("name", MODELS)
def test_the_same_scores(module, name):
    make, shape = MODELS[name]
    model, x = with_any_numbers(make()), pictures(shape)
    net = module.build(model, shape)
    expected = model(x)
    tolerance = 1e-4 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(scores(net, x), expected, rtol=0, atol=tolerance)
    # And back, into a network with other weights.
    other = with_any_numbers(make(), seed=2)
    for array in other.params.values():
        array += 0.01
    assert module.copy_from_keras(net, other) is other
    for key, array in model.state().items():
        np.testing.assert_array_equal(other.state()[key], array)
    np.testing.assert_array_equal(other(x), expected)


def test_the_same_step_of_training(module):
    import tensorflow

    from convbook.frameworks import import_keras

    keras = import_keras()
    model, x, y = small_resnet(8, rng=0), pictures((3, 16, 16), 10), np.arange(10)
    net = module.build(model, (3, 16, 16))
    loss = SoftmaxCrossEntropy()
    error = loss(model.train()(x), y)
    model.backward(loss.backward(), need_dx=False)
    measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tensorflow.GradientTape() as tape:
        theirs = measure(y, net(x.transpose(0, 2, 3, 1), training=True))
    gradients = tape.gradient(theirs, [v.value for v in net.trainable_variables])
    assert float(theirs) == pytest.approx(error, abs=1e-5)
    found = {v.path: g.numpy() for v, g in zip(net.trainable_variables, gradients)}
    for path, name in (("0/kernel", "0.f"), ("4.0.body.3/kernel", "4.0.body.3.f"),
                       ("7/kernel", "7.w"), ("3.0.body.1/gamma", "3.0.body.1.gamma")):  # fmt: skip
        expected = model.grads[name]
        got = module.to_ours(name[-1], found[path])
        np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max() + 1e-6)
    for layer in ("1", "5.0.body.4"):  # the running mean moves alike
        theirs = net.get_layer(layer).get_weights()[2]
        np.testing.assert_allclose(theirs, model.buffers[f"{layer}.running_mean"], atol=1e-5)


def test_models_that_do_not_fit_are_refused_and_left_alone(module):
    model = small_resnet(8, rng=0)
    net = module.build(model, (3, 16, 16))
    before = [w.copy() for w in net.get_weights()]
    for other, words in (
        (small_resnet(14, rng=1), "3.2.body.0 is missing in Keras's model"),
        (small_resnet(8, width=4, rng=1), "0 has shapes"),
        (small_resnet(8, residual=False, rng=1), "3.0.body.0 is unknown to ours"),
    ):
        state = other.state()
        with pytest.raises(ValueError, match=words):
            module.copy_to_keras(other, net)
        with pytest.raises(ValueError, match=words):
            module.copy_from_keras(net, other)
        assert all(np.array_equal(state[k], a) for k, a in other.state().items())
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights()))


UNFOLDING = {
    "U-Net": (lambda: unet(1, 3, base=4, depth=2, rng=0), (1, 16, 24)),
    "no skips": (lambda: unet(2, 1, base=4, depth=1, rng=0, skips=False), (2, 8, 6)),
    "padding": (lambda: ConvTranspose2d(2, 3, 4, stride=2, padding=1, rng=0), (2, 5, 7)),
    "gaps": (lambda: ConvTranspose2d(2, 3, 2, stride=3, bias=False, rng=0), (2, 5, 7)),
    "output padding": (
        lambda: ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, rng=0),
        (2, 5, 7),
    ),
}


@pytest.mark.parametrize("name", UNFOLDING)
def test_the_same_maps(module, name):
    make, shape = UNFOLDING[name]
    model = with_any_numbers(make() if name in ("U-Net", "no skips") else Sequential(make()))
    x = pictures(shape)
    found = scores(module.build(model, shape), x).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found, model(x), rtol=1e-4, atol=1e-4 * np.abs(found).max())


def test_maps_that_keras_cannot_make(module):
    for layer in (
        ConvTranspose2d(2, 2, 2, stride=2, groups=2),
        ConvTranspose2d(2, 2, 2, stride=2, output_padding=1),
    ):
        with pytest.raises(TypeError, match=r"ConvTranspose2d\(.* \(0\) has"):
            module.build(Sequential(layer), (2, 4, 4))


def test_what_has_no_counterpart_is_named(module):
    with pytest.raises(TypeError, match=r"Upsample\(2\) \(1\) has no counterpart"):
        module.build(Sequential(Conv2d(3, 4, 3), Upsample(2)), (3, 8, 8))
    with pytest.raises(ValueError, match="input_shape"):
        module.build(Sequential(BatchNorm2d(3), GlobalAvgPool2d()), (3, 0, 8))


def test_weights_written_by_keras(module, tmp_path):
    """What a chapter says of Keras's file: other names of shapes are refused, a stride is not."""
    model = small_resnet(8, rng=0)
    module.build(model, (3, 16, 16)).save_weights(tmp_path / "r.weights.h5")
    net = module.build(small_resnet(8, rng=1), (3, 16, 16))
    net.load_weights(tmp_path / "r.weights.h5")
    x = pictures((3, 16, 16))
    np.testing.assert_allclose(scores(net, x), model.eval()(x), atol=1e-4)
    with pytest.raises(ValueError):
        module.build(small_resnet(8, width=4), (3, 16, 16)).load_weights(tmp_path / "r.weights.h5")
