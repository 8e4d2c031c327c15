"""float16: computed in float32, so that it is as good as PyTorch's, or better."""

import numpy as np
import pytest

from convbook import layers as L
from convbook.layers.gradcheck import check_layer, relative_error

HALF = np.float16
RNG = np.random.default_rng(0)

CASES = {  # name: layer, input
    "batch norm, far from 0": (L.BatchNorm2d(3, dtype=HALF).eval(), (4, 3, 5, 5)),
    "batch norm in training": (L.BatchNorm2d(3, dtype=HALF), (4, 3, 5, 5)),
    "linear": (L.Linear(300, 20, dtype=HALF, rng=0), (4000, 300)),
    "convolution": (L.Conv2d(16, 16, 3, padding=1, dtype=HALF, rng=0), (8, 16, 16, 16)),
    "transposed": (L.ConvTranspose2d(4, 3, 4, 2, 1, dtype=HALF, rng=0), (2, 4, 8, 8)),
    "depthwise": (L.Conv2d(6, 6, 3, padding=1, groups=6, dtype=HALF, rng=0), (3, 6, 9, 9)),
    "average": (L.AvgPool2d(8), (2, 3, 64, 64)),
    "maximum": (L.MaxPool2d(2), (2, 3, 8, 8)),
    "global average": (L.GlobalAvgPool2d(), (1, 2, 300, 300)),  # 90,000 pixels: beyond 65,504
    "sigmoid": (L.Sigmoid(), (50, 40)),
    "tanh": (L.Tanh(), (50, 40)),
    "leaky": (L.LeakyReLU(0.01), (50, 40)),
}


def in_double(layer):
    """Return a layer equal to this one, in float64, and its parameters converted."""
    import copy

    return copy.deepcopy(layer).astype(np.float64)


@pytest.mark.parametrize("name", CASES)
def test_results_and_gradients_are_rounded_once(name):
    layer, shape = CASES[name]
    x = (8 * RNG.standard_normal(shape)).astype(HALF)
    if name == "batch norm, far from 0":
        x = (1000 + 0.5 * RNG.standard_normal(shape)).astype(HALF)
        layer.buffers["running_mean"][...] = 1000
        layer.buffers["running_var"][...] = 0.25
    wide = in_double(layer)
    y, expected = layer(x), wide(x.astype(float))
    assert y.dtype == HALF
    dy = RNG.standard_normal(y.shape).astype(HALF)
    if name in ("sigmoid", "tanh"):  # the derivative is made from the rounded output, as PyTorch's
        wide._y = y.astype(float)
    dx, exact = layer.backward(dy), wide.backward(dy.astype(float))
    results = {"y": (y, expected), "dx": (dx, exact)} | {
        key: (layer.grads[key], wide.grads[key]) for key in layer.grads
    }
    for key, (a, b) in results.items():
        assert a.dtype == HALF, key
        limit = 65_504
        error = np.abs(np.clip(a.astype(float), -limit, limit) - np.clip(b, -limit, limit))
        scale = np.abs(b).max() if key in ("f", "w", "dx") else 1
        assert (error <= 2**-10 * np.abs(b) + 2**-14 * scale + 1e-7).all(), key


def test_batch_norm_is_as_exact_as_pytorch():
    torch = pytest.importorskip("torch")
    x = (1000 + 0.5 * RNG.standard_normal((8, 2, 16, 16))).astype(HALF)
    ours, theirs = L.BatchNorm2d(2, dtype=HALF).eval(), torch.nn.BatchNorm2d(2).half().eval()
    for name, value in (("running_mean", 1000), ("running_var", 0.25)):
        ours.buffers[name][...] = value
        getattr(theirs, name).fill_(value)
    exact = (x.astype(float) - 1000) / np.sqrt(0.25 + 1e-5)
    error = np.abs(ours(x) - exact).max()
    assert error <= np.abs(theirs(torch.tensor(x)).detach().numpy() - exact).max() + 1e-4 < 0.003


def test_running_statistics_are_averaged_in_single_precision():
    torch = pytest.importorskip("torch")
    ours, theirs = L.BatchNorm2d(2, dtype=HALF), torch.nn.BatchNorm2d(2).half()
    for _ in range(5):
        x = (3 + RNG.standard_normal((8, 2, 16, 16))).astype(HALF)
        ours(x), theirs(torch.tensor(x))
    for name in ours.buffers:
        np.testing.assert_allclose(ours.buffers[name], getattr(theirs, name).numpy(), rtol=2e-3)


def test_a_bias_gradient_is_a_sum_over_thousands():
    layer = L.Linear(2, 1, dtype=HALF, rng=0)
    layer(np.ones((6000, 2), HALF))
    layer.backward(np.ones((6000, 1), HALF))
    assert layer.grads["b"] == 6000  # added up in float16 it would stop at 2048


def test_gradients_are_checked_in_double_whatever_they_are():
    a = np.array([60_000, 1], HALF)
    assert relative_error(a, -a)[0] == 1  # and not infinite
    assert check_layer(L.Linear(3, 2, dtype=HALF, rng=0), RNG.standard_normal((4, 3))).ok
