"""Infinities and NaNs: what has no weight leaves no trace, and no image spoils another."""

import numpy as np
import pytest

from convbook import functional as F, layers as L
from convbook.images import affine
from convbook.images.augment import Brightness, Contrast
from convbook.losses import MeanSquaredError, SumLoss

INF, NAN = np.float32(np.inf), np.float32(np.nan)
STRANGE = np.array([INF, -INF, NAN, 0, -0.0, 2, -2, 1e-40], np.float32)
FLOATS = ("float16", "float32", "float64")

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of inf - inf, where it is meant


def torch_pass(function, x, dy):
    """Return PyTorch's y and dx."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(x, requires_grad=True)
    y = function(x)
    return y.detach().numpy(), torch.autograd.grad(y, x, torch.tensor(dy))[0].numpy()


# --- Layers that treat every number by itself ----------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "name, ours",
    [
        ("relu", L.ReLU()),
        ("leaky_relu", L.LeakyReLU(0.01)),
        ("sigmoid", L.Sigmoid()),
        ("tanh", L.Tanh()),
    ],
)
def test_elementwise_layers_do_with_them_as_pytorch_does(name, ours, dtype):
    torch = pytest.importorskip("torch")
    x, dy = (a.astype(dtype).ravel() for a in np.meshgrid(STRANGE, STRANGE))
    y, dx = torch_pass(getattr(torch.nn.functional, name), x, dy)
    tolerance = {"rtol": 2e-3} if dtype == "float16" else {"rtol": 1e-5, "atol": 1e-38}
    np.testing.assert_allclose(ours(x), y, **tolerance)
    np.testing.assert_allclose(ours.backward(dy), dx, **tolerance)


@pytest.mark.parametrize("dtype", (*FLOATS, "longdouble"))
def test_where_a_unit_is_off_no_gradient_comes_through(dtype):
    for layer in (L.ReLU(), L.LeakyReLU(0)):
        y = layer(np.array([-1, 0, 3, INF, -INF], dtype))
        np.testing.assert_array_equal(y, [0, 0, 3, INF, 0])
        for dy in (INF, -INF, NAN):
            dx = layer.backward(np.full(5, dy, dtype))
            assert dx.dtype == dtype
            np.testing.assert_array_equal(dx, [0, 0, dy, dy, 0])
            np.testing.assert_array_equal(layer.backward(np.full(5, dy, dtype), out=dx), dx)


def test_a_dropped_number_is_zero_whatever_it_was():
    for value in (INF, -INF, NAN):
        layer, x = L.Dropout(0.5, rng=0), np.full((4, 50), value)
        y, dx = layer(x), layer.backward(x)
        assert {True, False} == set((y == 0).ravel())
        np.testing.assert_array_equal(y[y != 0], value)
        np.testing.assert_array_equal(dx, y)


# --- Pooling -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (3, 1, 0), ((2, 3), 1, 1)]
)
@pytest.mark.parametrize("value", [INF, -INF, NAN])
def test_pooling_hands_an_infinite_gradient_only_where_it_belongs(kernel, stride, padding, value):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 6, 7)).astype(np.float32)
    for name, backward in (
        ("max_pool2d", F.max_pool2d_backward),
        ("avg_pool2d", F.avg_pool2d_backward),
    ):
        pool = getattr(torch.nn.functional, name)
        dy = np.zeros(pool(torch.tensor(x), kernel, stride, padding).shape, np.float32)
        dy[0, 1, 1, 1] = value
        dy[1] = 1
        _, dx = torch_pass(lambda a, pool=pool: pool(a, kernel, stride, padding), x, dy)
        np.testing.assert_allclose(backward(dy, x, kernel, stride, padding), dx, rtol=1e-5)


def test_pooling_of_infinite_pixels_equals_pytorch():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).standard_normal((2, 2, 8, 8)).astype(np.float32)
    x[0, 0, 2, 2], x[0, 1, 3, 3], x[1, 0, 4] = INF, -INF, -INF
    for name in ("max_pool2d", "avg_pool2d"):
        y = getattr(torch.nn.functional, name)(torch.tensor(x), 3, 2, 1).numpy()
        np.testing.assert_allclose(getattr(F, name)(x, 3, 2, 1), y, rtol=1e-5, atol=1e-6)


# --- Convolution ---------------------------------------------------------------------------------

CONVOLUTIONS = [  # channels, filters, kernel, stride, padding, groups
    (16, 16, 3, 1, 1, 1),
    (32, 16, 3, 1, 0, 1),
    (4, 6, 3, 1, 1, 1),
    (16, 8, 1, 1, 0, 1),
    (16, 16, 3, 2, 1, 1),
    (11, 16, 4, 2, 1, 1),
    (6, 6, 3, 1, 1, 6),
    (6, 12, 3, 2, 1, 6),
    (3, 60, 3, 1, 1, 1),
]


@pytest.mark.parametrize("value", [INF, -INF, NAN])
@pytest.mark.parametrize("c, oc, k, stride, padding, groups", CONVOLUTIONS)
def test_one_infinite_number_spoils_what_sees_it_and_nothing_else(
    c, oc, k, stride, padding, groups, value
):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((8, c, 16, 17)).astype(np.float32)
    f = rng.standard_normal((oc, c // groups, k, k)).astype(np.float32)
    settings = {"stride": stride, "padding": padding, "groups": groups}
    y = F.conv2d(x, f, **settings)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    dx, _, _ = F.conv2d_backward(dy, x, f, **settings)

    spoilt = x.copy()
    spoilt[3, 2, 6, 7] = value
    seen = F.conv2d((spoilt != x).astype(float), np.ones(f.shape), **settings) > 0
    got = F.conv2d(spoilt, f, **settings)
    np.testing.assert_array_equal(~np.isfinite(got), seen)
    np.testing.assert_allclose(got[~seen], y[~seen], rtol=1e-3, atol=1e-4)
    alone = F.conv2d(spoilt[3:4], f, **settings)
    np.testing.assert_array_equal(np.isfinite(alone[0]), np.isfinite(got[3]))

    df = F.conv2d_backward(dy, spoilt, f, **settings)[1]
    touched = np.zeros(f.shape, bool)
    if groups == 1:
        touched[:, 2] = True
    else:
        touched[2 * oc // c : 3 * oc // c] = True
    assert np.isfinite(df[~touched]).all()

    spoilt = dy.copy()
    spoilt[3, 2, 4, 5] = value
    here = (spoilt != dy).astype(float)
    reached = F.conv2d_backward(here, x, np.ones(f.shape), **settings)[0] > 0
    got = F.conv2d_backward(spoilt, x, f, **settings)[0]
    np.testing.assert_array_equal(~np.isfinite(got), reached)
    np.testing.assert_allclose(got[~reached], dx[~reached], rtol=1e-3, atol=1e-3)


def test_an_infinite_filter_or_bias_spoils_its_own_map():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((8, 16, 16, 16)).astype(np.float32)
    f, b = rng.standard_normal((16, 16, 3, 3)).astype(np.float32), np.zeros(16, np.float32)
    f[5, 0, 1, 1], b[7] = INF, INF
    finite = np.isfinite(F.conv2d(x, f, b, padding=1)).all(axis=(0, 2, 3))
    assert np.flatnonzero(~finite).tolist() == [5, 7]


def test_numbers_too_large_for_the_detour_are_computed_directly():
    x = np.full((8, 16, 16, 16), 1e37, np.float32)
    f = np.zeros((16, 16, 3, 3), np.float32)
    f[:, 0, 1, 1] = 1
    np.testing.assert_allclose(F.conv2d(x, f, padding=1), x)


# --- Normalisation, losses, sampling -------------------------------------------------------------


def test_running_statistics_without_weight():
    x = np.array([1, 2, 3, INF], np.float32).reshape(4, 1, 1, 1)
    still = L.BatchNorm2d(1, momentum=0)
    still(x)
    assert (still.buffers["running_mean"], still.buffers["running_var"]) == (0, 1)
    last = L.BatchNorm2d(1, momentum=1)
    last(x)
    last(x[:3])
    assert (last.buffers["running_mean"], last.buffers["running_var"]) == (2, 1)


def test_an_impossible_class_that_is_not_asked_for_costs_nothing():
    torch = pytest.importorskip("torch")
    scores = np.array([[1, -INF, 2], [0, 3, -INF]], np.float32)
    labels = np.array([[0.5, 0, 0.5], [1, 0, 0]], np.float32)
    finite = np.where(np.isfinite(scores), scores, -100).astype(np.float32)
    expected = torch.nn.functional.cross_entropy(torch.tensor(finite), torch.tensor(labels))
    np.testing.assert_allclose(F.softmax_cross_entropy(scores, labels), expected, rtol=1e-6)
    np.testing.assert_allclose(
        F.softmax_cross_entropy_backward(scores, labels),
        F.softmax_cross_entropy_backward(finite, labels),
        atol=1e-7,
    )
    assert F.softmax_cross_entropy(scores, np.array([0, 2])) == INF
    np.testing.assert_array_equal(F.softmax(scores)[scores == -INF], 0)


def test_a_loss_without_weight_counts_nothing():
    loss = SumLoss(MeanSquaredError(), MeanSquaredError(), weights=(1, 0))
    two = loss.losses[1]
    two.measure = lambda *arrays: np.float32(np.inf)
    two.backward = lambda: np.full(2, np.inf, np.float32)
    x, t = np.array([1, 2], np.float32), np.array([1, 0], np.float32)
    assert loss(x, t) == 2
    np.testing.assert_array_equal(loss.backward(), [0, 2])


@pytest.mark.parametrize("value", [INF, -INF, NAN])
@pytest.mark.parametrize("mode", affine.MODES)
def test_sampling_mixes_only_the_pixels_that_have_a_share(value, mode):
    x = np.random.default_rng(4).random((2, 1, 7, 7)).astype(np.float32)
    spoilt = x.copy()
    spoilt[1, 0, 2, 3] = value
    # A quarter turn on a place between, so that nothing is merely copied.
    quarter = np.rint(affine.rotation(90))
    y = affine.transform(spoilt, np.stack([affine.rotation(10), quarter]), mode)
    np.testing.assert_array_equal(y[1, 0], np.rot90(spoilt[1, 0]))
    np.testing.assert_allclose(
        y[0], affine.transform(x[:1], affine.rotation(10), mode)[0], atol=1e-6
    )
    half = affine.transform(spoilt, affine.shift(0.5, 0), mode)
    other = affine.transform(x, affine.shift(0.5, 0), mode)
    touched = ~np.isclose(half, other, atol=1e-6)
    assert np.argwhere(touched).tolist() == [[1, 0, 2, 3], [1, 0, 2, 4]]
    np.testing.assert_array_equal(half[touched], value)  # half of an infinity is one


def test_a_factor_of_zero_makes_an_infinite_pixel_black():
    x = np.ones((2, 1, 2, 2), np.float32)
    x[1, 0, 0, 0] = INF
    rng = np.random.default_rng(5)
    np.testing.assert_array_equal(Brightness((0, 0), clip=False)(x, rng), np.zeros_like(x))
    np.testing.assert_array_equal(Contrast((1, 1), clip=False)(x, rng), x)
