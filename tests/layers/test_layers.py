"""Every layer against PyTorch and numerical differentiation; containers, states, bad input."""

import re
import sys
import types
from pathlib import Path
from unittest import mock

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook import functional, layers
from convbook.arrays import is_cupy, to_numpy
from convbook.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    InstanceNorm2d,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Shrink,
    Sigmoid,
    Tanh,
    Upsample,
    initializers,
)
from convbook.layers.base import Container, Layer
from convbook.layers.gradcheck import check_layer
from convbook.layers.summary import Summary
from convbook.stand_in import StandIn
from helpers.drawing import examples

drawn = examples(40)

LAYERS = [
    (Conv2d(2, 3, 3, stride=2, padding=1, rng=0), (2, 2, 5, 6)),
    (
        Conv2d(4, 2, (2, 3), padding=((0, 1), (2, 0)), dilation=(1, 2), groups=2, rng=0),
        (2, 4, 4, 5),
    ),
    (Conv2d(9, 2, 1, bias=False, rng=0), (2, 9, 3, 3)),
    (ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, rng=0), (2, 2, 3, 4)),
    (ConvTranspose2d(4, 2, 2, groups=2, bias=False, rng=0), (1, 4, 3, 3)),
    (MaxPool2d(2), (2, 3, 5, 4)),
    (MaxPool2d(3, stride=2, padding=1), (2, 3, 5, 4)),
    (AvgPool2d((2, 3), stride=1, padding=1), (2, 3, 5, 4)),
    (GlobalAvgPool2d(), (2, 3, 5, 4)),
    (Linear(5, 3, rng=0), (4, 5)),
    (Linear(5, 3, bias=False, rng=0), (4, 5)),
    (BatchNorm2d(3), (3, 3, 4, 2)),
    (BatchNorm2d(3).eval(), (3, 3, 4, 2)),
    (InstanceNorm2d(3), (2, 3, 4, 2)),
    (LocalResponseNorm(3, alpha=2, beta=0.5), (2, 5, 3, 2)),
    (LocalResponseNorm(4, alpha=1, k=2), (2, 3, 3, 2)),
    (ReLU(), (3, 4, 2)),
    (LeakyReLU(0.2), (3, 4, 2)),
    (Sigmoid(), (3, 4, 2)),
    (Tanh(), (3, 4, 2)),
    (Flatten(), (2, 3, 4, 2)),
    (Reshape(12, 5), (2, 60)),
    (Reshape(2, -1), (2, 60)),
    (Upsample(2), (2, 3, 3, 2)),
    (Upsample((1, 3), "bilinear"), (2, 3, 2, 3)),
    (Shrink(2, 5), (2, 3, 5, 4)),
    (Dropout(0.4, rng=0), (3, 4, 5)),
    (Dropout(0.4, rng=0).eval(), (3, 4, 5)),
]
NAMES = [repr(layer) + ("" if layer.training else ".eval()") for layer, _ in LAYERS]
every_layer = pytest.mark.parametrize("layer, shape", LAYERS, ids=NAMES)


def normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def channels_last(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def assert_close(a, expected, dtype=np.float64):
    """Equal up to the rounding of sums, relative to the largest element."""
    assert a.shape == tuple(expected.shape)
    assert a.dtype == dtype
    expected = np.asarray(expected.detach() if hasattr(expected, "detach") else expected)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(
        a, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max(initial=0))
    )


# --- Against PyTorch -----------------------------------------------------------------------------


def compare(layer, module, shape, dtype=np.float64, x=None):
    """Compare the output and every gradient with those of a PyTorch module of equal weights."""
    torch = pytest.importorskip("torch")
    layer.astype(dtype)
    x = normal(shape, dtype) if x is None else x
    module.to(torch.from_numpy(x).dtype)
    theirs = {"weight": ("f", "w", "gamma"), "bias": ("b", "beta")}
    pairs = [
        (next(n for n in ours if n in layer.params), getattr(module, their))
        for their, ours in theirs.items()
        if getattr(module, their, None) is not None
    ]
    assert len(pairs) == len(layer.params)
    for i, (name, parameter) in enumerate(pairs):
        layer.params[name][...] = normal(layer.params[name].shape, seed=i + 1)
        parameter.data = torch.tensor(layer.params[name])
    module.zero_grad()
    tensor = torch.tensor(x, requires_grad=True)
    expected = module(tensor)
    y = layer(x)
    assert_close(y, expected, dtype)
    dy = normal(y.shape, dtype, seed=9)
    expected.backward(torch.tensor(dy))
    assert_close(layer.backward(dy), tensor.grad, dtype)
    for name, parameter in pairs:
        assert_close(layer.grads[name], parameter.grad, dtype)


both = pytest.mark.parametrize("dtype", (np.float32, np.float64))
counts = st.integers(1, 3)
pairs = st.tuples(counts, counts)


@given(st.data())
@drawn
def test_conv2d_is_pytorchs(data):
    torch = pytest.importorskip("torch")
    kernel, stride, dilation = data.draw(pairs), data.draw(pairs), data.draw(pairs)
    padding = data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    groups, bias = data.draw(counts), data.draw(st.booleans())
    c, oc = groups * data.draw(st.sampled_from((1, 2, 8))), groups * data.draw(counts)
    size = [d * (k - 1) + data.draw(st.integers(1, 5)) for k, d in zip(kernel, dilation)]
    arguments = (c, oc, kernel, stride, padding, dilation, groups, bias)
    compare(Conv2d(*arguments), torch.nn.Conv2d(*arguments), (data.draw(counts), c, *size))


@given(st.data())
@drawn
def test_conv_transpose2d_is_pytorchs(data):
    torch = pytest.importorskip("torch")
    kernel, stride = data.draw(pairs), data.draw(pairs)
    padding = tuple(data.draw(st.integers(0, (k - 1) // 2)) for k in kernel)
    output_padding = tuple(data.draw(st.integers(0, s - 1)) for s in stride)
    groups, bias = data.draw(counts), data.draw(st.booleans())
    c, oc = groups * data.draw(counts), groups * data.draw(st.sampled_from((1, 2, 8)))
    arguments = (c, oc, kernel, stride, padding, output_padding, groups, bias)
    compare(
        ConvTranspose2d(*arguments),
        torch.nn.ConvTranspose2d(*arguments),
        (data.draw(counts), c, data.draw(counts), data.draw(counts)),
    )


@given(st.data())
@drawn
def test_pooling_is_pytorchs(data):
    torch = pytest.importorskip("torch")
    kernel = data.draw(pairs)
    stride = data.draw(st.one_of(st.none(), pairs))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    shape = (data.draw(counts), data.draw(counts), *(k + data.draw(counts) for k in kernel))
    x = np.random.default_rng(data.draw(counts)).integers(-2, 3, shape).astype(float)  # many ties
    compare(
        MaxPool2d(kernel, stride, padding), torch.nn.MaxPool2d(kernel, stride, padding), shape, x=x
    )
    compare(AvgPool2d(kernel, stride, padding), torch.nn.AvgPool2d(kernel, stride, padding), shape)


@both
def test_linear_is_pytorchs(dtype):
    torch = pytest.importorskip("torch")
    compare(Linear(7, 4), torch.nn.Linear(7, 4), (5, 7), dtype)
    compare(Linear(7, 4, bias=False), torch.nn.Linear(7, 4, bias=False), (5, 7), dtype)


@both
def test_layers_without_parameters_are_pytorchs(dtype):
    torch = pytest.importorskip("torch")
    nn, shape = torch.nn, (3, 4, 5, 6)
    x = 3 * normal(shape, dtype)
    x.flat[:6] = 0, -0.0, 100, -100, 20, -20  # the kink, and where sigmoid and tanh end
    modules = [
        (ReLU(), nn.ReLU()),
        (LeakyReLU(), nn.LeakyReLU()),
        (LeakyReLU(0.3), nn.LeakyReLU(0.3)),
        (Sigmoid(), nn.Sigmoid()),
        (Tanh(), nn.Tanh()),
        (Flatten(), nn.Flatten()),
        (Reshape(2, 10, 6), nn.Sequential(nn.Flatten(), nn.Unflatten(1, (2, 10, 6)))),
        (Reshape(-1, 6), nn.Flatten(1, 2)),
        (Upsample(3), nn.Upsample(scale_factor=3)),
        (Upsample(2, "bilinear"), nn.Upsample(scale_factor=2, mode="bilinear")),
        (LocalResponseNorm(3, 0.5), nn.LocalResponseNorm(3, 0.5)),
        (LocalResponseNorm(6, 0.1, 0.9, 2), nn.LocalResponseNorm(6, 0.1, 0.9, 2)),
        (GlobalAvgPool2d(), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    ]
    for layer, module in modules:
        for arranged in (x, channels_last(x)):
            compare(layer, module, shape, dtype, arranged)


def test_sigmoid_is_precise_far_from_zero_and_never_warns():
    x = np.array([-800, -80, -20, 20, 800.0])
    y = Sigmoid()(x)
    np.testing.assert_allclose(
        y, [0, np.exp(-80), np.exp(-20), 1 / (1 + np.exp(-20)), 1], rtol=1e-8
    )
    assert Sigmoid()(np.float32([-1000, 1000])).tolist() == [0, 1]


@both
def test_instance_norm_is_pytorchs(dtype):
    torch = pytest.importorskip("torch")
    x = 1 + 2 * normal((4, 3, 5, 6), dtype)
    for arranged in (x, channels_last(x)):
        compare(
            InstanceNorm2d(3, 1e-3),
            torch.nn.InstanceNorm2d(3, 1e-3, affine=True),
            x.shape,
            dtype,
            arranged,
        )


@both
@pytest.mark.parametrize("momentum", (0, 0.1, 1))
def test_batch_norm_and_its_statistics_are_pytorchs(dtype, momentum):
    torch = pytest.importorskip("torch")
    layer, module = BatchNorm2d(3, momentum, 1e-3), torch.nn.BatchNorm2d(3, 1e-3, momentum)
    for i in range(4):
        x = 1 + 2 * normal((4, 3, 5, 6), dtype, seed=i)
        compare(layer, module, x.shape, dtype, channels_last(x) if i % 2 else x)
        assert_close(layer.buffers["running_mean"], module.running_mean, dtype)
        assert_close(layer.buffers["running_var"], module.running_var, dtype)
    layer.eval(), module.eval()
    before = layer.state()
    compare(layer, module, (1, 3, 5, 6), dtype)
    for name in ("running_mean", "running_var"):
        np.testing.assert_array_equal(layer.buffers[name], before[name])


def test_backward_belongs_to_the_mode_of_the_forward_pass():
    x, dy = normal((4, 3, 5, 6)), normal((4, 3, 5, 6), seed=1)
    for layer in (BatchNorm2d(3, dtype=float), Dropout(rng=0)):
        layer(x)
        expected = layer.backward(dy)
        layer.eval()
        np.testing.assert_array_equal(layer.backward(dy), expected)


# --- Numerical differentiation -------------------------------------------------------------------


@every_layer
def test_gradients_agree_with_numerical_differentiation(layer, shape):
    layer.astype(np.float64)
    for x in (normal(shape), 1 + normal(shape, seed=1)):
        report = check_layer(layer, x)
        assert report.ok, report


# --- Memory: layout, dtype, what may be overwritten ----------------------------------------------


@every_layer
def test_float32_stays_float32(layer, shape):
    layer.astype(np.float32)
    y = layer(normal(shape, np.float32))
    assert y.dtype == np.float32
    assert layer.backward(normal(y.shape)).dtype == np.float32
    assert all(grad.dtype == np.float32 for grad in layer.grads.values())
    for name, param in layer.params.items():
        assert layer.grads[name].shape == param.shape
    assert layer(np.ones(shape, np.uint8)).dtype == np.float32
    if layer.params:  # the parameters decide
        assert layer(normal(shape)).dtype == np.float32
        layer.astype(np.float64)
        assert layer(normal(shape, np.float32)).dtype == np.float64


@every_layer
def test_float16_stays_float16(layer, shape):
    layer.astype(np.float32)
    x = normal(shape, np.float32)
    expected = layer(x)
    dx = layer.backward(np.ones_like(expected))
    layer.astype(np.float16)
    y = layer(x.astype(np.float16))
    assert y.dtype == np.float16
    back = layer.backward(np.ones_like(y))
    assert back.dtype == np.float16
    assert all(grad.dtype == np.float16 for grad in layer.grads.values())
    layer.astype(np.float32)
    if not (isinstance(layer, Dropout) and layer.training):
        np.testing.assert_allclose(y, expected, atol=0.02, rtol=0.02)
        np.testing.assert_allclose(back, dx, atol=0.02, rtol=0.02)


@every_layer
def test_without_need_of_dx_there_is_none(layer, shape):
    layer.astype(np.float32)
    y = layer(normal(shape, np.float32))
    layer.backward(y)
    expected = dict(layer.grads)
    layer.grads = {}
    assert layer.backward(y, need_dx=False) is None
    assert layer.grads.keys() == expected.keys()
    for name, grad in expected.items():
        np.testing.assert_array_equal(layer.grads[name], grad)


@every_layer
def test_inputs_are_not_changed(layer, shape):
    layer.astype(np.float64)
    x = normal(shape)
    kept = x.copy()
    y = layer(x)
    dy = normal(y.shape, seed=1)
    kept_dy = dy.copy()
    layer.backward(dy)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dy, kept_dy)


@every_layer
def test_channels_last_stays_channels_last(layer, shape):
    if len(shape) != 4:
        shape = (2, 3, 4, 5)
        if isinstance(layer, Linear):
            return
    layer.astype(np.float32)
    y = layer(channels_last(normal(shape, np.float32)))
    dy = normal(y.shape, np.float32)
    if y.ndim == 4:
        assert y.transpose(0, 2, 3, 1).flags.c_contiguous
        dy = channels_last(dy)
    dx = layer.backward(dy)
    c, step = shape[1], dx.itemsize
    assert dx.strides[1] == step and dx.strides[3] == c * step


@every_layer
def test_a_list_is_an_array(layer, shape):
    layer.astype(np.float32)
    y = layer(normal(shape, np.float32).tolist())
    assert layer.backward(np.ones(y.shape).tolist()).shape == shape


@every_layer
def test_an_empty_batch_passes(layer, shape):
    if isinstance(layer, BatchNorm2d) and layer.training:
        return
    layer.astype(np.float32)
    y = layer(np.zeros((0, *shape[1:]), np.float32))
    assert len(y) == 0
    assert layer.backward(y).shape == (0, *shape[1:])


def small_network(rng=0):
    return Sequential(
        Conv2d(2, 4, 3, padding=1, rng=rng),
        BatchNorm2d(4),
        ReLU(),
        MaxPool2d(2),
        Sequential(Conv2d(4, 4, 3, padding=1, rng=rng), LeakyReLU()),
        Flatten(),
        Linear(36, 8, rng=rng),
        Dropout(0.3, rng=rng),
        Tanh(),
        Linear(8, 3, rng=rng),
        Sigmoid(),
    )


def test_a_sequential_gives_what_its_layers_give_one_by_one():
    together, apart = small_network(), small_network()
    x = normal((5, 2, 6, 6), np.float32)
    kept = x.copy()
    y = together(x)
    z = x
    for layer in apart:
        z = layer(z)
    np.testing.assert_array_equal(y, z)
    dy = normal(y.shape, np.float32)
    kept_dy = dy.copy()
    dx, dz = together.backward(dy), dy
    for layer in reversed(apart):
        dz = layer.backward(dz)
    np.testing.assert_array_equal(dx, dz)
    expected = {f"{i}.{n}": g for i, layer in enumerate(apart) for n, g in layer.grads.items()}
    assert together.grads.keys() == expected.keys()
    for name, grad in expected.items():
        np.testing.assert_array_equal(together.grads[name], grad)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dy, kept_dy)
    np.testing.assert_array_equal(together.backward(dy), dx)  # and again


def test_a_sequential_saves_the_elementwise_layers_an_array():
    relu = mock.Mock(wraps=ReLU(), elementwise=True)
    conv = Conv2d(2, 4, 3)
    model = Sequential(conv, ReLU())
    model[1].forward, model[1].backward = relu.forward, relu.backward
    y = model(normal((1, 2, 5, 5), np.float32))
    assert relu.forward.call_args.kwargs["out"] is relu.forward.call_args.args[0]
    assert y is relu.forward.call_args.args[0]
    model.backward(y)
    assert "out" not in relu.backward.call_args.kwargs  # dy is not ours


def test_the_first_layer_computes_no_gradient_that_nobody_needs():
    model = Sequential(
        ReLU(), Sequential(Conv2d(2, 3, 3, rng=0), ReLU()), Flatten(), Linear(27, 2, rng=0)
    )
    x, dy = normal((4, 2, 5, 5), np.float32), normal((4, 2), np.float32)
    model(x)
    model.backward(dy)
    expected = dict(model.grads)
    original = functional.conv2d_backward
    with mock.patch("convbook.functional.conv2d_backward", side_effect=original) as conv:
        assert model.backward(dy, need_dx=False) is None
    assert conv.call_args.args[-1] is False
    for name, grad in expected.items():
        np.testing.assert_array_equal(model.grads[name], grad)
    for layer in (Linear(2, 2), ConvTranspose2d(2, 2, 2), BatchNorm2d(2)):
        y = layer(normal((2, 2) if isinstance(layer, Linear) else (2, 2, 3, 3)))
        assert layer.backward(y, need_dx=False) is None
    without = Sequential(ReLU(), Tanh())
    without(x)
    assert without.backward(x, need_dx=False) is None


# --- Dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", (0.2, 0.5, 0.9))
def test_dropout_keeps_the_expected_value(p):
    layer = Dropout(p, rng=1)
    x = np.ones((1000, 200), np.float32)
    y = layer(x)
    kept = y != 0
    # 5 standard deviations of the number of 200,000 that are kept
    assert abs(kept.mean() - (1 - p)) < 5 * (p * (1 - p) / x.size) ** 0.5
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), y)  # the same mask
    assert (layer(x) != y).any()  # a new mask each time
    assert layer.eval()(x) is x
    assert layer.backward(x) is x


def test_dropout_is_drawn_from_its_seed():
    x = np.ones((20, 30))
    np.testing.assert_array_equal(Dropout(rng=3)(x), Dropout(rng=3)(x))
    assert (Dropout(rng=3)(x) != Dropout(rng=4)(x)).any()
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(Dropout(rng=rng)(x), Dropout(rng=3)(x))
    assert Dropout(0)(x) is x


# --- Initial weights -----------------------------------------------------------------------------


FANS = [
    (lambda **options: Conv2d(20, 40, 3, **options), 20 * 9, 40 * 9),
    (lambda **options: Conv2d(40, 80, 3, groups=2, **options), 20 * 9, 40 * 9),
    (lambda **options: ConvTranspose2d(40, 20, 4, stride=2, **options), 40 * 4, 20 * 16),
    (lambda **options: Linear(300, 100, **options), 300, 100),
]


@pytest.mark.parametrize("make, fan_in, fan_out", FANS)
def test_weights_have_the_variance_of_their_papers(make, fan_in, fan_out):
    variances = {"he": 2 / fan_in, "xavier": 2 / (fan_in + fan_out)}
    for paper, variance in variances.items():
        for kind in ("normal", "uniform"):
            layer = make(rng=0, init=getattr(initializers, f"{paper}_{kind}"))
            weights = layer.params.get("f", layer.params.get("w"))
            assert weights.var() == pytest.approx(variance, rel=0.05)
            assert abs(weights.mean()) < 0.05 * variance**0.5
            if kind == "uniform":
                assert np.abs(weights).max() <= (3 * variance) ** 0.5
            assert not layer.params["b"].any()
    np.testing.assert_array_equal(make(rng=0).state().popitem()[1], make(rng=0).params["b"])


def test_weights_are_drawn_from_the_seed_in_any_dtype():
    for make, *_ in FANS:
        name, single = next(iter(make(rng=5).params.items()))
        assert single.dtype == np.float32
        double = make(rng=5, dtype=np.float64).params[name]
        assert double.dtype == np.float64
        np.testing.assert_array_equal(single, double.astype(np.float32))
        assert (single != make(rng=6).params[name]).any()


def test_a_signal_keeps_its_size_through_many_layers():
    layers = [layer for i in range(20) for layer in (Linear(400, 400, rng=i), ReLU())]
    y = Sequential(*layers)(normal((50, 400), np.float32))
    assert 0.1 < (y**2).mean() < 10  # with variance 1 / fan_in it would be a millionth


# --- States --------------------------------------------------------------------------------------


def test_a_state_is_a_flat_dict_of_copies():
    model = small_network()
    state = model.state()
    assert list(state) == [
        "0.f",
        "0.b",
        "1.gamma",
        "1.beta",
        "4.0.f",
        "4.0.b",
        "6.w",
        "6.b",
        "9.w",
        "9.b",
        "1.running_mean",
        "1.running_var",
    ]
    state["0.f"][...] = 7
    assert (model.params["0.f"] != 7).all()
    assert list(Conv2d(1, 2, 3).state()) == ["f", "b"]


def test_a_state_comes_back_from_its_file(tmp_path):
    model, other = small_network(0), small_network(1)
    x = normal((4, 2, 6, 6), np.float32)
    model(x)  # moves the running statistics
    path = tmp_path / "model.npz"
    model.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]
    arrays = dict(other.params)
    other.load(path)
    assert all(other.params[name] is array for name, array in arrays.items())  # in place
    np.testing.assert_array_equal(other.eval()(x), model.eval()(x))
    other.save(str(path))  # over an old file
    with np.load(path, allow_pickle=False) as file:
        assert sorted(file.files) == sorted(model.state())


def test_a_state_of_another_precision_is_converted():
    layer = Linear(3, 2)
    layer.load_state({"w": np.full((2, 3), 0.1), "b": np.zeros(2, np.float16)})
    assert layer.params["w"].dtype == layer.params["b"].dtype == np.float32


def damaged(state, **changes):
    state = {**state, **changes}
    return {name: value for name, value in state.items() if value is not None}


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"0.f": None, "1.running_var": None}, ["'0.f' is missing", "'1.running_var' is missing"]),
        ({"7.w": np.zeros(2)}, ["'7.w' is unknown"]),
        ({"6.b": np.zeros(9)}, ["'6.b' must have shape (8,), got (9,)"]),
        (
            {"9.b": np.zeros(3, int), "0.b": np.zeros(4, complex)},
            ["'9.b' must hold floating-point numbers, got dtype int64", "'0.b'", "complex128"],
        ),
        ({"9.b": "zero"}, ["'9.b'", "dtype <U4"]),
        ({"9.b": np.array(None)}, ["'9.b'", "dtype object"]),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(changes, said):
    model = small_network()
    before = model.state()
    other = damaged(small_network(1).state(), **changes)
    with pytest.raises(ValueError, match="does not fit this Sequential, .*unchanged") as caught:
        model.load_state(other)
    assert all(text in str(caught.value) for text in said), caught.value
    assert str(caught.value).count(";") == len(changes) - 1
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_state_is_a_dict():
    with pytest.raises(TypeError, match="state must be a dict name -> array, got list"):
        Linear(1, 1).load_state([1, 2])


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    model = Linear(3, 2)
    model.save(path)
    written = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space left"):
        model.save(path)
    assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]


def test_bad_files_are_refused_and_never_unpickled(tmp_path):
    model = Linear(3, 2)
    before = model.state()
    path = tmp_path / "model.npz"
    model.save(path)
    written = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        model.load(tmp_path / "nothing.npz")
    for content in (b"", b"text", written[:100], written[:-30]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="model.npz is not an .npz file of plain arrays"):
            model.load(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not an .npz file of .* is an .npy file, which holds one"):
        model.load(tmp_path / "array.npy")
    (tmp_path / "notes.txt").write_text("learning rate 0.1\n")
    with pytest.raises(ValueError) as caught:
        model.load(tmp_path / "notes.txt")
    assert str(caught.value).endswith("save` writes it: it begins with b'learning'")
    assert "pickle" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="cannot be written: there is no folder"):
        model.save(tmp_path / "nowhere" / "model.npz")

    class Mine:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    np.savez(path, w=np.array([Mine()], object), b=np.zeros(2))
    with pytest.raises(
        ValueError, match="not an .npz file of plain arrays: it holds Python objects"
    ):
        model.load(path)
    assert not (tmp_path / "executed").exists()
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


# --- Containers ----------------------------------------------------------------------------------


def test_training_and_eval_reach_every_layer():
    model = small_network()
    assert model.eval() is model
    assert not any(layer.training for layer in model.walk())
    assert model.train() is model
    assert all(layer.training for layer in model.walk())
    assert sum(1 for _ in model.walk()) == 14


def test_a_sequential_is_indexed_and_shows_its_layers():
    model = Sequential(Conv2d(1, 2, 3, padding=1), Sequential(ReLU(), Dropout(0.3)))
    assert len(model) == 2 and isinstance(model[1][0], ReLU)
    assert (
        repr(model)
        == """\
Sequential(
  0: Conv2d(1, 2, 3, padding=1)
  1: Sequential(
    0: ReLU()
    1: Dropout(p=0.3)
  )
)"""
    )


def test_a_sequential_of_nothing_is_the_identity():
    x = np.ones(3)
    model = Sequential()
    assert model(x) is x and model.backward(x) is x and model.state() == {}


def test_params_of_a_container_are_read_only_but_their_arrays_are_not():
    model = Sequential(Linear(2, 2))
    with pytest.raises(TypeError):
        model.params["0.w"] = np.zeros((2, 2))
    model.params["0.b"][...] = 3
    assert model(np.zeros((1, 2))).tolist() == [[3, 3]]


def test_what_is_no_layer_and_what_stands_twice_is_refused():
    with pytest.raises(TypeError, match="layer 1 of a Sequential must be a Layer, got .* function"):
        Sequential(ReLU(), lambda x: x)
    with pytest.raises(TypeError, match="layer 0 of a Sequential must be a Layer.*of type type"):
        Sequential(ReLU)
    relu = ReLU()
    with pytest.raises(ValueError, match=r"ReLU\(\) stands at 0 and at 2 of a Sequential"):
        Sequential(relu, Tanh(), Sequential(relu))


class Double(Layer):
    """A layer as a reader may write one: nothing but forward and backward."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


class Both(Container):
    """A container as a later chapter may write one."""

    def __init__(self, left, right):
        super().__init__({"left": left, "right": right})

    def forward(self, x):
        return self.children["left"](x) + self.children["right"](x)

    def backward(self, dy, need_dx=True):
        dx = [child.backward(dy) for child in self.children.values()]
        return dx[0] + dx[1] if need_dx else None


def test_layers_and_containers_of_ones_own_take_part():
    model = Sequential(
        Linear(3, 4, rng=0),
        Double(),
        ReLU(),
        Both(Sequential(Linear(4, 4, rng=1), Tanh()), Layer()),
        Linear(4, 2, rng=2),
    )
    assert list(model.params) == ["0.w", "0.b", "3.left.0.w", "3.left.0.b", "4.w", "4.b"]
    assert check_layer(model, normal((2, 3))).ok
    assert [row.name for row in Summary(model, (3,)).rows] == [
        "0",
        "1",
        "2",
        "3.left.0",
        "3.left.1",
        "3.right",
        "4",
    ]


# --- Residual connections ------------------------------------------------------------------------


def residual_block(c, oc, stride, rng=0):
    shortcut = Conv2d(c, oc, 1, stride, bias=False, rng=rng) if (c, stride) != (oc, 1) else None
    return Residual(
        Sequential(
            Conv2d(c, oc, 3, stride, 1, rng=rng),
            BatchNorm2d(oc),
            ReLU(),
            Conv2d(oc, oc, 3, 1, 1, rng=rng),
            BatchNorm2d(oc),
        ),
        shortcut,
    )


@pytest.mark.slow
@pytest.mark.parametrize("c, oc, stride", [(3, 3, 1), (2, 3, 2)])
def test_a_residual_adds_and_its_gradient_takes_both_ways(c, oc, stride):
    block = residual_block(c, oc, stride).astype(np.float64)
    x = normal((4, c, 5, 4))
    kept, body, shortcut = x.copy(), block.body, block.shortcut
    y = block(x)
    np.testing.assert_array_equal(y, body(x) + shortcut(x))
    dy = normal(y.shape, seed=1)
    kept_dy = dy.copy()
    np.testing.assert_array_equal(block.backward(dy), body.backward(dy) + shortcut.backward(dy))
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dy, kept_dy)
    assert check_layer(block, x).ok


@pytest.mark.parametrize(
    "body",
    [
        ReLU(),
        Tanh(),
        Flatten(),
        Layer(),
        Sequential(Conv2d(2, 2, 1, rng=0), ReLU()),
        Sequential(Tanh(), Conv2d(2, 2, 1, rng=0)),
    ],
    ids=repr,
)
def test_a_residual_never_writes_into_what_its_body_remembers(body):
    x = normal((2, 2, 3, 3) if not isinstance(body, Flatten) else (2, 5))
    kept = x.copy()
    model = Residual(body.astype(np.float64))
    expected = body(x).copy() + x
    np.testing.assert_array_equal(model(x), expected)
    np.testing.assert_array_equal(model(x), expected)
    dy = np.ones_like(expected)
    dx = model.backward(dy).copy()
    np.testing.assert_array_equal(model.backward(dy), dx)
    np.testing.assert_array_equal(x, kept)
    assert (dy == 1).all()
    assert check_layer(model, x).ok


def test_a_residual_is_pytorchs_in_a_network():
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class TorchResidual(nn.Module):
        def __init__(self, body, shortcut):
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, x):
            return self.body(x) + self.shortcut(x)

    model = Sequential(
        Conv2d(2, 3, 3, padding=1, rng=0),
        ReLU(),
        residual_block(3, 3, 1),
        ReLU(),
        residual_block(3, 4, 2),
        ReLU(),
        GlobalAvgPool2d(),
        Linear(4, 2, rng=0),
    )

    def block(c, oc, stride, shortcut):
        return TorchResidual(
            nn.Sequential(
                nn.Conv2d(c, oc, 3, stride, 1),
                nn.BatchNorm2d(oc),
                nn.ReLU(),
                nn.Conv2d(oc, oc, 3, 1, 1),
                nn.BatchNorm2d(oc),
            ),
            shortcut,
        )

    theirs = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.ReLU(),
        block(3, 3, 1, nn.Identity()),
        nn.ReLU(),
        block(3, 4, 2, nn.Conv2d(3, 4, 1, 2, bias=False)),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    ).double()
    model.astype(np.float64)
    for parameter, ours in zip(theirs.parameters(), model.params.values(), strict=True):
        parameter.data = torch.tensor(ours)
    x = normal((5, 2, 8, 6))
    tensor = torch.tensor(x, requires_grad=True)
    expected, y = theirs(tensor), model(x)
    assert_close(y, expected)
    expected.backward(torch.ones_like(expected))
    assert_close(model.backward(np.ones_like(y)), tensor.grad)
    for parameter, name in zip(theirs.parameters(), model.params, strict=True):
        assert_close(model.grads[name], parameter.grad)


def test_a_residual_computes_no_gradient_that_nobody_needs():
    block = residual_block(2, 3, 2)
    y = block(normal((3, 2, 4, 4), np.float32))
    block.backward(y)
    expected = dict(block.grads)
    assert block.backward(y, need_dx=False) is None
    for name, grad in expected.items():
        np.testing.assert_array_equal(block.grads[name], grad)


def test_a_residual_shows_its_layers_and_what_does_not_fit():
    block = Residual(Conv2d(2, 4, 3))
    assert (
        repr(block)
        == """\
Residual(
  body: Conv2d(2, 4, 3)
  shortcut: Layer()
)"""
    )
    with pytest.raises(
        ValueError,
        match=r"shapes must be equal, got \(1, 4, 3, 3\) and "
        r"\(1, 2, 5, 5\) for x of shape \(1, 2, 5, 5\)",
    ):
        block(np.zeros((1, 2, 5, 5)))
    with pytest.raises(TypeError, match="layer body of a Residual must be a Layer"):
        Residual(abs)


# --- The summary ---------------------------------------------------------------------------------


def test_the_summary_is_a_table_that_adds_up(capsys):
    model = Sequential(
        Conv2d(1, 30, 5),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(4320, 100),
        ReLU(),
        Linear(100, 10),
    )
    state = model.state()
    summary = Summary(model, (1, 28, 28))
    assert (
        repr(summary)
        == str(summary)
        == """\
   layer                    output  parameters  multiplications
───────────────────────────────────────────────────────────────
   input               1 × 28 × 28
0  Conv2d(1, 30, 5)   30 × 24 × 24         780          432,000
1  ReLU()             30 × 24 × 24           0                0
2  MaxPool2d(2)       30 × 12 × 12           0                0
3  Flatten()                  4320           0                0
4  Linear(4320, 100)           100     432,100          432,000
5  ReLU()                      100           0                0
6  Linear(100, 10)              10       1,010            1,000
───────────────────────────────────────────────────────────────
   total                               433,890          865,000"""
    )
    model.summary((1, 28, 28))
    assert capsys.readouterr().out == f"{summary}\n"
    assert summary.parameters == sum(a.size for a in model.params.values())
    assert summary.multiplications == 865_000
    assert summary.rows[0].output_shape == (30, 24, 24)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, state[name])
    assert model.training
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        model.backward(np.zeros((1, 10)))


@pytest.mark.parametrize(
    "layer, shape, multiplications",
    [
        (Conv2d(4, 6, (3, 2), stride=2, groups=2), (4, 7, 6), 6 * 3 * 3 * 2 * 6),
        (ConvTranspose2d(4, 6, (3, 2), stride=2, groups=2), (4, 7, 6), 4 * 7 * 6 * 3 * 6),
        (BatchNorm2d(4), (4, 5, 6), 4 * 5 * 6),
        (InstanceNorm2d(4), (4, 5, 6), 4 * 5 * 6),
        (Upsample(2), (4, 5, 6), 0),
        (Linear(7, 3), (7,), 21),
    ],
)
def test_multiplications_are_counted(layer, shape, multiplications):
    summary = Summary(layer, shape)
    assert summary.multiplications == multiplications
    assert [row.name for row in summary.rows] == [""]


# --- Bad input -----------------------------------------------------------------------------------


@every_layer
def test_backward_before_forward_says_so(layer, shape):
    fresh = eval(repr(layer), vars(layers))
    with pytest.raises(RuntimeError, match=re.escape(f"{fresh}: backward was called before")):
        fresh.backward(np.zeros(shape))
    assert fresh.grads == {}


@every_layer
def test_a_gradient_of_the_wrong_shape_says_so_and_changes_nothing(layer, shape):
    y = layer(normal(shape))
    layer.backward(y)
    before = dict(layer.grads)
    wrong = (*y.shape[:-1], y.shape[-1] + 1)
    said = f"{layer}: dy must have the shape of the last output, {y.shape}, got {wrong}"
    with pytest.raises(ValueError, match=re.escape(said)):
        layer.backward(np.zeros(wrong))
    assert all(layer.grads[name] is grad for name, grad in before.items())
    with pytest.raises(TypeError, match="dy must hold booleans, integers or real"):
        layer.backward(np.zeros(y.shape, complex))


@pytest.mark.parametrize(
    "layer, x, error, said",
    [
        (
            Conv2d(3, 2, 3),
            (5, 5),
            ValueError,
            "Conv2d(3, 2, 3): x must have 4 axes (N, C, H, W), got 2, shape (5, 5)",
        ),
        (
            Conv2d(3, 2, 3),
            (2, 4, 5, 5),
            ValueError,
            "Conv2d(3, 2, 3): x must have C = 3, got 4, shape (2, 4, 5, 5)",
        ),
        (Conv2d(3, 2, 3), (2, 3, 2, 2), ValueError, "Conv2d(3, 2, 3): f must not be larger than"),
        (
            ConvTranspose2d(3, 2, 3),
            (2, 4, 5, 5),
            ValueError,
            "ConvTranspose2d(3, 2, 3): x must have C",
        ),
        (MaxPool2d(3), (2, 3, 2, 5), ValueError, "MaxPool2d(3): kernel_size must not be larger"),
        (AvgPool2d(3), (3, 3), ValueError, "AvgPool2d(3): x must have 4 axes"),
        (GlobalAvgPool2d(), (3, 3), ValueError, "GlobalAvgPool2d(): x must have 4 axes"),
        (BatchNorm2d(3), (2, 2, 4, 4), ValueError, "BatchNorm2d(3): x must have C = 3, got 2"),
        (BatchNorm2d(3), (1, 3, 1, 1), ValueError, "BatchNorm2d(3): the variance of a batch needs"),
        (
            Linear(4, 2),
            (3, 5),
            ValueError,
            "Linear(4, 2): x must have in_features = 4, got 5, shape (3, 5)",
        ),
        (
            Linear(4, 2),
            (4,),
            ValueError,
            "Linear(4, 2): x must have 2 axes (N, in_features), got 1",
        ),
        (Linear(4, 2), (3, 1, 2, 2), ValueError, "put a Flatten layer before this one"),
        (Flatten(), (3,), ValueError, "Flatten(): x must have at least 2 axes, got shape (3,)"),
        (
            InstanceNorm2d(3),
            (2, 2, 4, 4),
            ValueError,
            "InstanceNorm2d(3): x must have C = 3, got 2",
        ),
        (
            InstanceNorm2d(3),
            (2, 3, 1, 1),
            ValueError,
            "InstanceNorm2d(3): the variance of a channel",
        ),
        (LocalResponseNorm(3), (3, 3), ValueError, "LocalResponseNorm(3): x must have 4 axes"),
        (
            Reshape(2, 3),
            (4, 5),
            ValueError,
            "Reshape(2, 3): each image must have 6 numbers for the "
            "shape (2, 3), got 5, shape (4, 5)",
        ),
        (
            Reshape(-1, 3),
            (4, 5),
            ValueError,
            "Reshape(-1, 3): each image must have 3 numbers, or a "
            "multiple, for the shape (-1, 3), got 5, shape (4, 5)",
        ),
        (Reshape(1), (), ValueError, "Reshape(1): x must have at least 1 axis"),
        (Upsample(2), (3, 3), ValueError, "Upsample(2): x must have 4 axes (N, C, H, W), got 2"),
    ],
)
def test_a_wrong_input_names_the_layer(layer, x, error, said):
    with pytest.raises(error, match=re.escape(said)):
        layer(np.zeros(x))
    with pytest.raises(TypeError, match=re.escape(f"{layer}: x must hold booleans, integers or")):
        layer(np.zeros(x, complex))
    with pytest.raises(RuntimeError, match="before forward"):  # a failed forward is none
        layer.backward(np.zeros(x))


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: Conv2d(0, 2, 3), "in_channels must be an integer of at least 1, got 0"),
        (lambda: Conv2d(2, 2.0, 3), "out_channels must be an integer of at least 1, got 2.0"),
        (lambda: Conv2d(2, 2, 0), "kernel_size must be an integer of at least 1, got 0"),
        (lambda: Conv2d(2, 2, 3, stride=(1, 2, 3)), "stride must be an int or a pair"),
        (lambda: Conv2d(2, 2, 3, padding=-1), "padding must be an integer of at least 0, got -1"),
        (lambda: Conv2d(2, 2, 3, dilation=0), "dilation must be an integer of at least 1"),
        (
            lambda: Conv2d(4, 6, 3, groups=4),
            "groups must divide in_channels = 4 and out_channels = 6, got 4",
        ),
        (lambda: Conv2d(2, 2, 3, dtype=int), "dtype must be a floating-point dtype, got int64"),
        (lambda: ConvTranspose2d(3, 2, 2, groups=2), "groups must divide"),
        (lambda: Linear(3, 0), "out_features must be an integer of at least 1, got 0"),
        (
            lambda: BatchNorm2d(3, momentum=1.5),
            "momentum must be a number of at least 0 and at most 1, got 1.5",
        ),
        (lambda: BatchNorm2d(3, eps=-1), "eps must be a number of at least 0, got -1"),
        (lambda: MaxPool2d(2, stride=0), "stride must be an integer of at least 1, got 0"),
        (lambda: MaxPool2d(2, padding=2), "padding of max pooling must be at most half"),
        (lambda: AvgPool2d("2"), "kernel_size must be an integer"),
        (lambda: Dropout(1), "p must be a number of at least 0 and below 1, got 1"),
        (lambda: Dropout("half"), "p must be a number of at least 0 and below 1, got 'half'"),
        (lambda: Dropout(True), "of type bool"),
        (lambda: InstanceNorm2d(3, eps=-1), "eps must be a number of at least 0, got -1"),
        (lambda: LocalResponseNorm(0), "size must be an integer of at least 1, got 0"),
        (lambda: LocalResponseNorm(5, k=0), "k must be a number above 0, got 0"),
        (lambda: Reshape(), "shape must have at least one axis and at most one -1, got ()"),
        (lambda: Reshape(-1, 2, -1), "at most one -1, got (-1, 2, -1)"),
        (lambda: Reshape(2, 0), "shape must be an integer of at least 1, got 0 in (2, 0)"),
        (lambda: Upsample(1.5), "factor must be an integer of at least 1, got 1.5"),
        (lambda: Upsample(2, "cubic"), "mode must be one of 'nearest', 'bilinear', got 'cubic'"),
        (lambda: LeakyReLU(-0.1), "slope must be a number of at least 0 and below 1, got -0.1"),
    ],
)
def test_wrong_settings_are_refused_when_the_layer_is_made(make, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        make()


# --- CuPy, by a stand-in -------------------------------------------------------------------------


class LenientStandIn(StandIn):
    """Takes ``out=None``, as CuPy does, for an array of its own."""

    def wrapped(self, name, function):
        call = super().wrapped(name, function)
        return lambda *inputs, **options: call(
            *inputs, **{key: value for key, value in options.items() if value is not None}
        )


class FakeGenerator:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def random(self, shape, dtype):
        return sys.modules["cupy"].asarray(self.rng.random(shape, dtype))


@every_layer
def test_on_cupy_arrays_everything_stays_on_the_gpu(monkeypatch, layer, shape):
    cupy = LenientStandIn()
    cupy.random = types.SimpleNamespace(default_rng=FakeGenerator)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    layer.astype(np.float32)
    x = normal(shape, np.float32)
    y = to_numpy(layer(x))
    dx, grads = layer.backward(y), dict(layer.grads)
    try:
        assert layer.to_gpu() is layer
        there = layer(cupy.asarray(x))
        assert is_cupy(there)
        back = layer.backward(cupy.asarray(y))
        assert is_cupy(back) and all(map(is_cupy, layer.grads.values()))
        if not (isinstance(layer, Dropout) and layer.training):
            np.testing.assert_allclose(to_numpy(there), y, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(to_numpy(back), dx, rtol=1e-4, atol=1e-4)
        for name, grad in grads.items():
            np.testing.assert_allclose(to_numpy(layer.grads[name]), grad, rtol=1e-4, atol=1e-4)
        layer.load_state(layer.state())
        assert all(map(is_cupy, layer.params.values()))
    finally:
        layer.to_cpu()
    assert not any(map(is_cupy, layer.params.values()))


def test_an_empty_container_can_be_converted():
    assert Sequential().astype(np.float64).params == {}
