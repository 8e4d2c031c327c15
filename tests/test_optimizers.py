"""The optimizers step by step against PyTorch; the schedules; bad input."""

import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.layers import Conv2d, Flatten, Linear, ReLU, Sequential
from convbook.optimizers import SGD, Adam, AdamW, CosineSchedule, StepSchedule
from helpers.drawing import examples

drawn = examples(40)


def model_with_gradients(dtype=np.float32):
    """A small model after a backward pass."""
    model = Sequential(Conv2d(1, 2, 2, rng=0), ReLU(), Flatten(), Linear(8, 3, rng=0))
    model.astype(dtype)
    give_gradients(model, 0)
    return model


def give_gradients(model, seed):
    """Run the model forward and backward on random numbers."""
    rng = np.random.default_rng(seed)
    y = model(rng.standard_normal((4, 1, 3, 3)))
    model.backward(rng.standard_normal(y.shape))


def compare(make, make_theirs, steps=6):
    """Run both optimizers side by side from the same parameters, on the same gradients."""
    torch = pytest.importorskip("torch")
    model = model_with_gradients(np.float64)
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in model.params.items()}
    ours, theirs = make(model), make_theirs(torch.optim, list(tensors.values()))
    arrays = dict(model.params)
    for seed in range(steps):
        give_gradients(model, seed)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(model.grads[name])
        ours.step()
        theirs.step()
        for name, tensor in tensors.items():
            assert model.params[name] is arrays[name]  # changed in place
            np.testing.assert_allclose(model.params[name], tensor.detach(), rtol=1e-9, atol=1e-12)
    assert ours.steps == steps


rates, decays = st.sampled_from((0.001, 0.1, 0.0)), st.sampled_from((0.0, 0.01, 0.5))


@given(rates, decays, st.sampled_from((0.0, 0.5, 0.9)), st.booleans())
@drawn
def test_sgd_is_pytorchs(lr, decay, momentum, nesterov):
    options = {
        "lr": lr,
        "momentum": momentum,
        "weight_decay": decay,
        "nesterov": nesterov and momentum > 0,
    }
    compare(lambda model: SGD(model, **options), lambda optim, p: optim.SGD(p, **options))


@given(
    rates,
    decays,
    st.sampled_from(((0.9, 0.999), (0.5, 0.8), (0.0, 0.0))),
    st.sampled_from((1e-8, 1e-3)),
)
@drawn
def test_adam_and_adamw_are_pytorchs(lr, decay, betas, eps):
    options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": decay}
    compare(lambda model: Adam(model, **options), lambda optim, p: optim.Adam(p, **options))
    compare(lambda model: AdamW(model, **options), lambda optim, p: optim.AdamW(p, **options))


def test_the_defaults_are_pytorchs():
    compare(lambda model: Adam(model), lambda optim, p: optim.Adam(p))
    compare(lambda model: AdamW(model), lambda optim, p: optim.AdamW(p))
    compare(lambda model: SGD(model, 0.1), lambda optim, p: optim.SGD(p, 0.1))


@pytest.mark.parametrize("kind", (SGD, Adam, AdamW))
def test_gradients_are_not_changed_and_float32_stays(kind):
    model = model_with_gradients()
    grads = {name: g.copy() for name, g in model.grads.items()}
    optimizer = kind(model, 0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.step()
    for name, grad in grads.items():
        np.testing.assert_array_equal(model.grads[name], grad)
        assert model.params[name].dtype == np.float32


@pytest.mark.parametrize("make", (lambda m: SGD(m, 0.1, momentum=0.9), Adam, AdamW))
def test_zero_state_forgets_all_earlier_steps(make):
    model, fresh = model_with_gradients(), model_with_gradients()
    start = model.state()
    optimizer = make(model)
    for _ in range(3):
        optimizer.step()
    model.load_state(start)
    optimizer.zero_state()
    optimizer.step()
    make(fresh).step()
    for name, param in model.params.items():
        np.testing.assert_array_equal(param, fresh.params[name])


def test_step_before_backward_names_what_is_missing_and_changes_nothing():
    model = Sequential(Linear(2, 3, rng=0), Linear(3, 2, rng=0))
    model[1].backward(model[1](np.ones((1, 3))))
    before = model.state()
    optimizer = SGD(model, 0.1)
    with pytest.raises(RuntimeError, match=r"before backward: .* no gradient for 0.w, 0.b$"):
        optimizer.step()
    assert optimizer.steps == 0
    for name, param in model.params.items():
        np.testing.assert_array_equal(param, before[name])


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda m: SGD(m, -0.1), "lr must be a number of at least 0, got -0.1"),
        (lambda m: SGD(m, "fast"), "lr must be a number of at least 0, got 'fast' of type str"),
        (lambda m: SGD(m, float("nan")), "lr must be a number of at least 0, got nan"),
        (lambda m: SGD(m, 0.1, momentum=1), "momentum must be a number of at least 0 and below 1"),
        (lambda m: SGD(m, 0.1, weight_decay=-1), "weight_decay must be a number of at least 0"),
        (lambda m: SGD(m, 0.1, nesterov=True), "nesterov needs a momentum above 0"),
        (
            lambda m: Adam(m, betas=(0.9, 1)),
            "betas must be a number of at least 0 and below 1, got 1",
        ),
        (lambda m: Adam(m, betas=0.9), "betas must be a pair of numbers, got 0.9"),
        (lambda m: AdamW(m, eps=-1), "eps must be a number of at least 0, got -1"),
        (lambda m: CosineSchedule(SGD(m, 0.1), 0), "steps must be an integer of at least 1, got 0"),
        (lambda m: StepSchedule(SGD(m, 0.1), 1.5), "step_size must be an integer of at least 1"),
        (lambda m: StepSchedule(SGD(m, 0.1), 2, gamma=-1), "gamma must be a number of at least 0"),
    ],
)
def test_wrong_settings_are_refused(make, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        make(Linear(1, 1))


def test_schedules_are_pytorchs():
    torch = pytest.importorskip("torch")
    scheduler = torch.optim.lr_scheduler
    for ours, theirs in [
        (lambda o: CosineSchedule(o, 10, 0.01), lambda o: scheduler.CosineAnnealingLR(o, 10, 0.01)),
        (lambda o: StepSchedule(o, 3, 0.5), lambda o: scheduler.StepLR(o, 3, 0.5)),
    ]:
        optimizer = SGD(Linear(1, 1), 0.8)
        reference = torch.optim.SGD([torch.zeros(1)], 0.8)
        schedule, expected = ours(optimizer), theirs(reference)
        for _ in range(10):
            assert optimizer.lr == pytest.approx(reference.param_groups[0]["lr"])
            schedule.step()
            reference.step()
            expected.step()
        assert optimizer.lr == pytest.approx(reference.param_groups[0]["lr"])


def test_the_cosine_stays_at_its_end():
    optimizer = SGD(Linear(1, 1), 1)
    schedule = CosineSchedule(optimizer, 4, 0.2)
    rates = []
    for _ in range(7):
        schedule.step()
        rates.append(optimizer.lr)
    assert rates == sorted(rates, reverse=True)
    assert rates[1] == pytest.approx(0.6)
    assert rates[3:] == pytest.approx([0.2] * 4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "make", (lambda m: SGD(m, 0.01, momentum=0.9, weight_decay=0.1), Adam, AdamW)
)
def test_half_precision_is_computed_in_single(make):
    """The gradient of a dead unit is 0: with an eps of 0, Adam would divide 0 by 0."""
    half, single = model_with_gradients(np.float16), model_with_gradients(np.float32)
    single.load_state(half.state())
    arrays = dict(half.params)
    ours, theirs = make(half), make(single)
    for seed in range(5):
        for name, layer in (("0.f", 0), ("3.b", 3)):
            grad = np.random.default_rng(seed).standard_normal(half.params[name].shape) * 1e-3
            grad.flat[0] = 0
            for model in (half, single):
                own = model[layer].grads
                own[name[2:]] = grad.astype(np.float16).astype(model.params[name].dtype)
        ours.step()
        theirs.step()
    for name, param in half.params.items():
        assert param is arrays[name] and param.dtype == np.float16
        np.testing.assert_allclose(param, single.params[name], rtol=3e-3, atol=3e-3)


def test_what_is_no_model_and_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="model must be a Layer, which has params and grads, got 3"):
        Adam(3)
    with pytest.raises(TypeError, match="optimizer must be an Optimizer, .* of type Linear"):
        CosineSchedule(Linear(1, 1), 5)
