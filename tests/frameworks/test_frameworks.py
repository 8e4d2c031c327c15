"""The network of chapter 3-6 says and learns the same in three implementations."""

import builtins
import subprocess
import sys

import numpy as np
import pytest

from convbook import frameworks
from convbook.frameworks import cifar_keras, cifar_torch
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.cifar import cifar_cnn
from convbook.optimizers import SGD, Adam

PARAMETERS = {
    "0.f": (16, 3, 3, 3),
    "0.b": (16,),
    "3.f": (32, 16, 3, 3),
    "3.b": (32,),
    "7.w": (64, 2048),
    "7.b": (64,),
    "9.w": (10, 64),
    "9.b": (10,),
}


def batch(n=20, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 3, 32, 32), np.float32), rng.integers(0, 10, n)


def model_with_biases(seed=1):
    """Our network with biases that are not zero: they shall be copied too."""
    model, rng = cifar_cnn(seed), np.random.default_rng(seed)
    for name, param in model.params.items():
        if name.endswith(".b"):
            param[...] = rng.normal(0, 0.1, param.shape)
    return model


def ours(model, x, labels):
    loss = SoftmaxCrossEntropy()
    error = loss(model(x), labels)
    model.backward(loss.backward(), need_dx=False)
    return error, dict(model.grads)


def theirs(module, model, x, labels):
    pytest.importorskip("torch" if module is cifar_torch else "tensorflow")
    net = module.copy_weights(model, module.cifar_cnn())
    return net, *module.loss_and_gradients(model, net, x, labels)


def test_parameters():
    assert {name: p.shape for name, p in cifar_cnn(0).params.items()} == PARAMETERS


@pytest.mark.slow
@pytest.mark.parametrize("module", [cifar_torch, cifar_keras])
def test_same_weights_same_batch_same_loss_and_gradients(module):
    model, (x, labels) = model_with_biases(), batch()
    loss, gradients = ours(model, x, labels)
    net, their_loss, their_gradients = theirs(module, model, x, labels)
    np.testing.assert_allclose(module.scores(net, x), model(x), atol=2e-5)
    assert their_loss == pytest.approx(loss, abs=1e-5)
    assert list(their_gradients) == list(gradients)
    for name, gradient in gradients.items():
        scale = np.abs(gradient).max()
        assert scale > 1e-3
        np.testing.assert_allclose(their_gradients[name], gradient, atol=2e-5 * scale + 1e-7)


def some_batches():
    return [batch(20, seed) for seed in range(5)]


def our_losses(model, optimizer):
    losses = []
    for x, labels in some_batches():
        losses.append(ours(model, x, labels)[0])
        optimizer.step()
    return losses


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_pytorch_learns_the_same(name):
    torch = pytest.importorskip("torch")
    model = model_with_biases()
    net = cifar_torch.copy_weights(model, cifar_torch.cifar_cnn())
    optimizer = getattr(torch.optim, name)(net.parameters(), lr=0.01)
    expected = our_losses(model, {"SGD": SGD, "Adam": Adam}[name](model, lr=0.01))
    np.testing.assert_allclose(
        cifar_torch.train(net, optimizer, some_batches()), expected, rtol=2e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_keras_learns_the_same(name):
    pytest.importorskip("tensorflow")
    keras = frameworks.import_keras()
    model = model_with_biases()
    net = cifar_keras.copy_weights(model, cifar_keras.cifar_cnn())
    settings = {"epsilon": 1e-8} if name == "Adam" else {}
    net.compile(
        getattr(keras.optimizers, name)(learning_rate=0.01, **settings),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    expected = our_losses(model, {"SGD": SGD, "Adam": Adam}[name](model, lr=0.01))
    np.testing.assert_allclose(cifar_keras.train(net, some_batches()), expected, rtol=2e-3)


# --- Without the frameworks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("available", "name", "extra"),
    [("torch_available", "PyTorch", "torch"), ("keras_available", "Keras", "tensorflow")],
)
def test_one_friendly_sentence_where_one_is_missing(monkeypatch, capsys, available, name, extra):
    monkeypatch.setattr("convbook.frameworks.available.find_spec", lambda module: None)
    assert not getattr(frameworks, available)()
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith(f"{name}")
    assert "is not installed" in said and f'pip install "convbook[{extra}]"' in said


@pytest.mark.parametrize(
    ("module", "function", "extra"),
    [("torch", "import_torch", "torch"), ("keras", "import_keras", "tensorflow")],
)
def test_a_module_that_needs_one_says_so(monkeypatch, module, function, extra):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=rf'pip install "convbook\[{extra}\]"'):
        getattr(frameworks, function).__wrapped__()


def test_nothing_is_loaded_before_it_is_needed():
    code = (
        "import sys, convbook.frameworks, convbook.frameworks.cifar_torch, "
        "convbook.frameworks.cifar_keras; "
        "assert not {'torch', 'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_keras_is_loaded_without_a_word():
    pytest.importorskip("tensorflow")
    code = "from convbook.frameworks import import_keras; print(import_keras().backend.backend())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "tensorflow\n" and done.stderr == ""
