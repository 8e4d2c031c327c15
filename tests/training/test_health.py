"""The checks for known faults: what each finds, what it lets pass, and that nothing is changed."""

import copy

import numpy as np
import pytest

from convbook.layers import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Shrink,
)
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.resnet import small_resnet
from convbook.optimizers import SGD, CosineSchedule, StepSchedule
from convbook.training import fit
from convbook.training.flow import signal_flow
from convbook.training.health import (
    Finding,
    company,
    evaluation_mode,
    gradients_arrive,
    input_scale,
    last_batch,
    running_statistics,
    same_scores,
    schedule_length,
    shortcuts,
    weights_fit,
)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def trained_once():
    model, x = small_resnet(8, width=4, rng=0), drawn(60, 3, 8, 8)
    y = np.arange(60) % 10
    fit(model, x, y, epochs=8, batch_size=20, seed=0)
    return model, x, y


@pytest.fixture
def trained(trained_once):
    """A small residual network after a few steps, and what it was trained with."""
    return copy.deepcopy(trained_once)


@pytest.fixture(autouse=True)
def unchanged(trained):
    """No check changes the model that it looks at, nor its mode."""
    model, *_ = trained
    before, modes = model.state(), [layer.training for layer in model.walk()]
    yield
    assert all(np.array_equal(before[name], now) for name, now in model.state().items())
    if modes == [layer.training for layer in model.walk()]:
        return
    assert all(layer.training for layer in model.walk())  # the test itself has switched it


def test_a_finding_is_true_if_all_is_well_and_reads_as_a_sentence():
    assert Finding(True, "well") and not Finding(False, "ill")
    assert (str(Finding(True, "well")), repr(Finding(False, "ill"))) == ("fine: well", "LOOK: ill")


# --- The data ------------------------------------------------------------------------------------


def test_input_scale():
    x = drawn(10, 3, 4, 4)
    assert input_scale(x)
    assert input_scale(np.random.default_rng(0).random((10, 3, 4, 4)))  # from 0 to 1
    bytes_ = np.random.default_rng(0).integers(0, 256, (10, 3, 4, 4), dtype=np.uint8)
    found = input_scale(bytes_)
    assert not found and "divide by their standard deviation" in found.sentence
    assert f"{bytes_.mean():.3g}" in found.sentence
    assert not input_scale(x / 100)
    assert not input_scale(x + 50)


def test_input_scale_beside_the_training():
    x = drawn(10, 3, 4, 4)
    assert input_scale(x + 0.1, like=x)
    for other in (x * 255, x / 10, x + 2):
        found = input_scale(other, like=x)
        assert not found and "in the same way" in found.sentence
    assert input_scale(x * 255, like=x * 255)  # it was trained so


@pytest.mark.parametrize("wrong", ["text", np.zeros((0, 3))])
def test_input_scale_refuses_what_are_no_numbers(wrong):
    with pytest.raises((TypeError, ValueError), match="x"):
        input_scale(wrong)


@pytest.mark.parametrize(
    ("count", "batch_size", "fine", "words"),
    [
        (100, 50, True, "the last one holds 50"),
        (101, 50, False, "a single input"),
        (102, 50, True, "the last one holds 2"),
        (100, 1, False, "each mini-batch"),
        (1, 50, False, "a single input"),
        (5001, 100, False, "5,001 inputs"),
    ],
)
def test_last_batch(count, batch_size, fine, words):
    found = last_batch(count, batch_size)
    assert bool(found) == fine and words in found.sentence


def test_last_batch_refuses_no_inputs():
    with pytest.raises(ValueError, match="count must be"):
        last_batch(0, 10)


# --- The mode ------------------------------------------------------------------------------------


def test_evaluation_mode(trained):
    model, *_ = trained
    assert evaluation_mode(model)
    model.train()
    found = evaluation_mode(model)
    assert not found and "1, 3.0.body.1, 3.0.body.4 and 4 more" in found.sentence
    assert evaluation_mode(Sequential(Conv2d(1, 1, 1), ReLU()))  # nothing that would care
    assert not evaluation_mode(Dropout())


def test_company(trained):
    model, x, _ = trained
    assert company(model, x[:5])
    model.train()
    found = company(model, x[:5])
    assert not found and "among 5" in found.sentence
    # Where a channel of one image has one number only, one image cannot be computed at all.
    flat = Sequential(Conv2d(3, 4, 8), BatchNorm2d(4), Flatten()).train()
    assert "at least 2 values" in company(flat, x[:5]).sentence
    with pytest.raises(ValueError, match="at least 2 inputs"):
        company(model, x[:1])


def test_running_statistics(trained):
    model, x, _ = trained
    assert running_statistics(model, x)
    fresh = small_resnet(8, width=4, rng=0)
    assert not running_statistics(fresh, 20 * x)
    found = running_statistics(model, 255 * x)
    assert not found and "are not those of these inputs" in found.sentence
    assert running_statistics(Sequential(Conv2d(3, 4, 3)), x)
    with_weights_alone = small_resnet(8, width=4, rng=1)
    for name, array in with_weights_alone.params.items():
        array[...] = model.params[name]
    for layer in with_weights_alone.walk():
        if isinstance(layer, BatchNorm2d):
            layer.buffers["running_var"][...] = 100
    assert not running_statistics(with_weights_alone, x)


# --- Shapes and weights --------------------------------------------------------------------------


def body(stride, out_channels=8):
    return Sequential(
        Conv2d(4, out_channels, 3, stride=stride, padding=1),
        ReLU(),
        Conv2d(out_channels, out_channels, 3, padding=1),
    )


@pytest.mark.parametrize(
    ("shortcut", "words"),
    [
        (None, "it needs stride 2 and 8 channels"),
        (Conv2d(4, 8, 1), "it needs stride 2"),
        (Conv2d(4, 4, 1, stride=2), "it needs 8 channels"),
    ],
)
def test_shortcuts(shortcut, words):
    model = Sequential(Conv2d(3, 4, 3, padding=1), Residual(body(2), shortcut))
    found = shortcuts(model, (3, 8, 8))
    assert not found
    assert found.sentence.startswith("the residual block 1 is given 4 × 8 × 8; its body makes")
    assert found.sentence.endswith(words)
    with pytest.raises(ValueError, match="shapes must be equal"):
        model(drawn(2, 3, 8, 8))


def test_shortcuts_that_fit(trained):
    model, *_ = trained
    assert shortcuts(model, (3, 8, 8)).sentence.startswith("all 3 shortcuts")
    assert shortcuts(Residual(body(2), Shrink(2, 8)), (4, 9, 9))
    assert shortcuts(Residual(body(1, 4)), (4, 5, 5))


def test_weights_fit(trained, tmp_path):
    model, *_ = trained
    state = model.state()
    assert weights_fit(model, state)
    model.save(tmp_path / "weights.npz")
    assert weights_fit(model, tmp_path / "weights.npz")
    found = weights_fit(small_resnet(8, width=6), state)
    assert not found and "0.f (4 × 3 × 3 × 3 in place of 6 × 3 × 3 × 3)" in found.sentence
    found = weights_fit(small_resnet(8, width=4, residual=False), state)
    assert (
        not found and "missing: 3.0.f" in found.sentence and "unknown: 3.0.body" in found.sentence
    )
    half = {name: array for name, array in state.items() if "running" not in name}
    assert "missing: 1.running_mean" in weights_fit(model, half).sentence
    with pytest.raises(OSError):
        weights_fit(model, tmp_path / "nothing.npz")


def test_same_scores(trained):
    model, x, _ = trained
    kept = model.eval()(x[:4])
    assert same_scores(model, x[:4], kept)
    other = small_resnet(8, width=4, rng=1)
    first, _, _, second, _ = other[4][0].body.layers  # the stride moves from one to the other
    first.stride, second.stride = second.stride, first.stride
    other.load_state(model.state())  # without a word
    assert weights_fit(other, model.state())
    found = same_scores(other, x[:4], kept)
    assert not found and "computes something else" in found.sentence
    assert "have shape (4, 10)" in same_scores(model, x[:4], kept[:3]).sentence
    model.train()
    assert same_scores(model, x[:4], kept)  # measured as after eval()


# --- The training --------------------------------------------------------------------------------


def test_schedule_length(trained):
    model, *_ = trained
    optimizer = SGD(model, lr=0.1)
    assert schedule_length(CosineSchedule(optimizer, 250), 5000, 100, 5)
    assert schedule_length(CosineSchedule(optimizer, 255), 5001, 100, 5)
    short = schedule_length(CosineSchedule(optimizer, 50), 5000, 100, 5)
    assert not short and "200 of them with the last learning rate, 0" in short.sentence
    long = schedule_length(CosineSchedule(optimizer, 500), 5000, 100, 5)
    assert not long and "ends at a learning rate of 0.05" in long.sentence
    with pytest.raises(TypeError, match="StepSchedule"):
        schedule_length(StepSchedule(optimizer, 10), 5000, 100, 5)
    with pytest.raises(ValueError, match="epochs must be"):
        schedule_length(CosineSchedule(optimizer, 50), 5000, 100, 0)


def test_signal_flow_is_what_the_layers_see():
    rng = np.random.default_rng(3)
    model = Sequential(
        Conv2d(3, 4, 3, rng=rng), ReLU(), Conv2d(4, 5, 3, rng=rng), GlobalAvgPool2d(),
        Linear(5, 10, rng=rng),
    )  # fmt: skip
    x, y, loss = drawn(6, 3, 8, 8), np.arange(6), SoftmaxCrossEntropy()
    rows = signal_flow(model, x, y)
    assert [row.name for row in rows] == ["0", "2", "4"]
    assert isinstance(rows[1].layer, Conv2d) and not model.grads
    a = model[0](x)
    b = model[2](model[1](a))
    c = model[4](model[3](b))
    loss(c, y)
    dc = loss.backward()
    db = model[3].backward(model[4].backward(dc))
    da = model[1].backward(model[2].backward(db))
    model[0].backward(da)
    for row, signal, gradient, name in zip(rows, (a, b, c), (da, db, dc), "ffw"):
        sizes = (signal, gradient, model[int(row.name)].grads[name])
        expected = [np.sqrt(np.mean(np.square(v.astype(float)))) for v in sizes]
        np.testing.assert_allclose(row[2:], expected, rtol=1e-5)


def test_gradients_arrive():
    x, y = drawn(60, 3, 16, 16), np.arange(60) % 10
    assert gradients_arrive(small_resnet(38, rng=0), x, y)
    plain = small_resnet(38, residual=False, rng=0)
    assert "shortcuts help" in gradients_arrive(plain, x, y).sentence
    without = small_resnet(38, residual=False, norm=False, rng=0)
    assert "hardly move anything" in gradients_arrive(without, x, y).sentence
    loud = small_resnet(38, norm=False, rng=0)
    assert "throw the weights about" in gradients_arrive(loud, x, y).sentence
    loud.params["0.f"][...] = np.inf
    assert "infinite" in gradients_arrive(loud, x, y).sentence
    with pytest.raises(ValueError, match="convolution or a linear layer"):
        gradients_arrive(Flatten(), x, y)
