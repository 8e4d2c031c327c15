"""``pytest --cupy``: what is moved to the GPU and back, and that the tests run there."""

import re
import subprocess
import sys

import numpy as np
import pytest

from convbook import functional
from convbook.arrays import is_cupy, to_gpu
from convbook.layers import BatchNorm2d, Conv2d, ReLU, Sequential
from convbook.losses import SoftmaxCrossEntropy
from convbook.optimizers import SGD
from helpers import ROOT, on_cupy


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def run(*arguments):
    """Run pytest on a few tests in a process of its own; return it."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_the_tests_pass_on_the_stand_in():
    done = run("--cupy-stand-in", "tests/losses/test_losses.py")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout and "skipped" not in done.stdout


@pytest.mark.slow
def test_only_the_tests_of_the_mathematics_are_collected():
    collected = run("--cupy-stand-in", "--collect-only", "tests").stdout
    assert set(re.findall(r"test_\w+\.py(?=::)", collected)) <= on_cupy.FILES
    assert "test_conv2d_equals_naive_loop" in collected
    assert not any(f"::{name}" in collected for name in on_cupy.LEFT_OUT)


@pytest.mark.slow
def test_without_a_gpu_one_sentence_says_so():
    done = run("--cupy", "tests/detection/test_boxes.py")  # loads little
    if "skipped" not in done.stdout:
        pytest.skip("there is a GPU here")
    assert done.returncode == 0
    assert done.stdout.count(on_cupy.NO_CUPY) == 1
    assert "passed" not in done.stdout


def test_every_file_and_every_name_that_is_left_out_exists():
    paths = [path for path in (ROOT / "tests").rglob("test_*.py") if path.name in on_cupy.FILES]
    assert len(paths) == len(on_cupy.FILES)
    found = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert all(f"def {name}(" in found for name in on_cupy.LEFT_OUT)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 2, 1, 0)])
def test_arrays_keep_their_order_in_memory(cupy, order):
    x = normal(2, 3, 4, 5).transpose(order)
    there = on_cupy.there(x)
    assert is_cupy(there) and there.strides == x.strides
    back = on_cupy.back(there)
    assert type(back) is np.ndarray and back.strides == x.strides
    np.testing.assert_array_equal(back, x)


def test_numbers_lists_and_other_types_stay(cupy):
    for value in (3, [1.0, 2.0], None, np.array(["a"]), np.array([1j])):
        assert on_cupy.there(value) is value
    assert type(on_cupy.back(to_gpu(np.float32(2)))) is np.float32


def test_a_function_computes_on_the_gpu_and_gives_numpy_back(cupy):
    kinds = []

    @on_cupy.wrapped_function
    def conv2d(x, f, b=None, stride=1):
        kinds.append([is_cupy(a) for a in (x, f, b)])
        return functional.conv2d(x, f, b, stride)

    x, f, b = normal(2, 3, 5, 5), normal(4, 3, 3, 3), normal(4)
    y = conv2d(x, f, b=b, stride=np.array([2, 2]))
    assert kinds == [[True, True, True]] and type(y) is np.ndarray
    np.testing.assert_allclose(y, functional.conv2d(x, f, b, 2), rtol=1e-4, atol=1e-5)
    assert is_cupy(conv2d(to_gpu(x), to_gpu(f)))
    conv2d(x.tolist(), f.tolist())
    assert kinds[1:] == [[True, True, False], [False, False, False]]


def test_a_model_gets_its_own_arrays_back_with_new_values(cupy):
    model = Sequential(Conv2d(1, 2, 3, rng=0), BatchNorm2d(2), ReLU())
    params, means = dict(model.params), model.buffers["1.running_mean"]
    x = normal(4, 1, 6, 6)
    with on_cupy.on_gpu(model):
        assert all(map(is_cupy, model.params.values()))
        y = model(to_gpu(x))
        model.backward(y)
        SGD(model, lr=0.1).step()
    assert all(model.params[name] is array for name, array in params.items())
    assert model.buffers["1.running_mean"] is means and means.any()
    twin = Sequential(Conv2d(1, 2, 3, rng=0), BatchNorm2d(2), ReLU())
    twin.backward(twin(x))
    SGD(twin, lr=0.1).step()
    for name, array in twin.params.items():
        np.testing.assert_allclose(params[name], array, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(model.grads[name], twin.grads[name], rtol=1e-3, atol=1e-4)


def test_a_loss_remembers_what_is_on_the_gpu(cupy):
    forward = on_cupy.wrapped_method(SoftmaxCrossEntropy.forward)
    backward = on_cupy.wrapped_method(SoftmaxCrossEntropy.backward)
    loss, expected = SoftmaxCrossEntropy(), SoftmaxCrossEntropy()
    scores, labels = normal(3, 4), np.array([0, 3, 1])
    assert forward(loss, scores, labels) == pytest.approx(expected(scores, labels))
    assert any(map(is_cupy, loss._remembered))
    assert type(backward(loss)) is np.ndarray
    np.testing.assert_allclose(backward(loss), expected.backward(), rtol=1e-5)
