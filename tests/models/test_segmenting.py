"""FCN and SegNet: PyTorch's scores and gradients, any size, what is handed on, and learning."""

import numpy as np
import pytest

from convbook.images.scenes import class_maps, street_scenes
from convbook.layers import MaxUnpool2d
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.segmenting import doubling, fcn, handed_on, segnet
from convbook.models.unet import unet
from convbook.optimizers import Adam
from convbook.training import balanced_weights, class_ious, confusion_matrix, fit, predict
from helpers.refusing import refused


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def parameters(model):
    return sum(array.size for array in model.params.values())


# --- Shapes and counts ---------------------------------------------------------------------------


@pytest.mark.parametrize("skips", (0, 1, 2))
def test_an_fcn_takes_any_size(skips):
    model = fcn(base=2, skips=skips, rng=0)
    for h, w in ((8, 8), (64, 64), (24, 40), (96, 96)):
        assert model(np.zeros((2, 3, h, w), np.float32)).shape == (2, 5, h, w)
    with pytest.raises(ValueError):
        fcn(base=2, rng=0)(np.zeros((1, 3, 20, 20), np.float32))  # no multiple of 8


@pytest.mark.parametrize("depth", (1, 2, 3, 4))
def test_a_segnet_keeps_the_size(depth):
    model = segnet(2, 4, 2, depth, rng=0)
    assert model(np.zeros((2, 2, 16, 32), np.float32)).shape == (2, 4, 16, 32)
    assert sum(isinstance(layer, MaxUnpool2d) for layer in model.walk()) == depth


def test_how_many_parameters_there_are():
    def block(inputs, outputs):
        return 9 * inputs * outputs + 2 * outputs

    top = block(3, 16) + block(16, 32) + block(32, 64) + block(64, 96) + block(96, 96)
    assert parameters(fcn(skips=0)) == top + 96 * 5 + 5 + 3 * 25 * 16
    assert parameters(fcn()) - parameters(fcn(skips=0)) == (32 + 1) * 5 + (16 + 1) * 5
    down = block(3, 16) + block(16, 32) + block(32, 64) + block(64, 64)
    up = block(64, 32) + block(32, 16) + block(16, 16)
    assert parameters(segnet()) == down + up + 16 * 5 + 5


def test_what_is_handed_on():
    assert handed_on(fcn(skips=0), (3, 64, 64)) == 0
    assert handed_on(fcn(), (3, 64, 64)) == 4 * (16 * 32 * 32 + 32 * 16 * 16) == 98_304
    positions = 16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8
    assert handed_on(segnet(), (3, 64, 64), bits=8) == positions == 28_672
    assert handed_on(segnet(), (3, 64, 64), bits=2) == 7_168
    unet_maps = 8 * 64 * 64 + 16 * 32 * 32 + 32 * 16 * 16
    assert handed_on(unet(3, 5, rng=0), (3, 64, 64)) == 4 * unet_maps == 229_376
    model = segnet(rng=0)
    before = model.state()
    handed_on(model, (3, 16, 16))
    assert model.training
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_doubling_begins_as_interpolation():
    x = normal(2, 3, 5, 4).astype(np.float32)
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.interpolate(
        torch.tensor(x), scale_factor=2, mode="bilinear", align_corners=False
    )
    y = doubling(3)(x)
    np.testing.assert_allclose(y[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-6)


def test_the_same_seed_makes_the_same_network():
    for make in (fcn, segnet):
        a, b = make(rng=3).state(), make(rng=3).state()
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_bad_input():
    refused(ValueError, ["skips must be one of 0, 1, 2", "got 3"], fcn, skips=3)
    refused(ValueError, ["base must be an integer of at least 1", "got 0"], segnet, base=0)
    refused(ValueError, ["depth must be an integer of at least 1", "got 0"], segnet, depth=0)
    refused(TypeError, ["classes", "2.5"], fcn, classes=2.5)


# --- Against PyTorch -----------------------------------------------------------------------------


def fcn_in_torch(torch, skips):
    nn, functional = torch.nn, torch.nn.functional

    def block(a, b):
        return nn.Sequential(
            nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = block(3, 2), block(2, 4), block(4, 8)
            self.four, self.five, self.top = block(8, 12), block(12, 12), nn.Conv2d(12, 5, 1)
            up = lambda: nn.ConvTranspose2d(5, 5, 4, 2, 1, bias=False)  # noqa: E731
            self.up_one, self.up_two, self.up_three = up(), up(), up()
            self.skip_two, self.skip_one = nn.Conv2d(4, 5, 1), nn.Conv2d(2, 5, 1)

        def forward(self, x):
            first = functional.max_pool2d(self.one(x), 2)
            second = functional.max_pool2d(self.two(first), 2)
            y = functional.max_pool2d(self.three(second), 2)
            y = self.up_one(self.top(self.five(self.four(y))))
            y = y + self.skip_two(second) if skips > 0 else y
            y = self.up_two(y)
            y = y + self.skip_one(first) if skips > 1 else y
            return self.up_three(y)

        def ordered(self):
            yield from (self.one, self.two, self.three, self.four, self.five, self.top, self.up_one)
            yield from [self.skip_two] * (skips > 0)
            yield self.up_two
            yield from [self.skip_one] * (skips > 1)
            yield self.up_three

    return Net()


def segnet_in_torch(torch):
    nn, functional = torch.nn, torch.nn.functional

    def block(a, b):
        return nn.Sequential(
            nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList([block(3, 2), block(2, 4), block(4, 4)])
            self.up = nn.ModuleList([block(4, 2), block(2, 2)])
            self.last = nn.Conv2d(2, 5, 1)

        def forward(self, x):
            x, first = functional.max_pool2d(self.down[0](x), 2, return_indices=True)
            x, second = functional.max_pool2d(self.down[1](x), 2, return_indices=True)
            x = self.up[0](functional.max_unpool2d(self.down[2](x), second, 2))
            return self.last(self.up[1](functional.max_unpool2d(x, first, 2)))

        def ordered(self):
            yield from (*self.down, *self.up, self.last)

    return Net()


@pytest.mark.parametrize("kind", ["fcn 0", "fcn 1", "fcn 2", "segnet"])
def test_scores_and_gradients_are_pytorchs(kind):
    torch = pytest.importorskip("torch")
    name, *skips = kind.split()
    if name == "fcn":
        model, module = fcn(base=2, skips=int(skips[0]), rng=0), fcn_in_torch(torch, int(skips[0]))
    else:
        model, module = segnet(base=2, depth=2, rng=0), segnet_in_torch(torch)
    model, module = model.astype(np.float64), module.double()
    theirs = [p for part in module.ordered() for p in part.parameters()]
    for (_, ours), their in zip(model.params.items(), theirs, strict=True):
        ours[...] = normal(*ours.shape, seed=ours.size) / 3
        their.data = torch.tensor(ours)
    x = normal(3, 3, 16, 24)
    tensor = torch.tensor(x, requires_grad=True)
    expected = module(tensor)
    y = model(x)
    np.testing.assert_allclose(y, expected.detach(), atol=1e-9)
    dy = normal(*y.shape, seed=1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(model.backward(dy), tensor.grad, atol=1e-8)
    for gradient, their in zip(model.grads.values(), theirs):
        np.testing.assert_allclose(gradient, their.grad, atol=1e-8 * max(1, abs(gradient).max()))


# --- Learning ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("make", [fcn, segnet])
def test_they_learn_scenes_and_the_fcn_takes_larger_ones(make):
    images, _, labels, masks = street_scenes(24, rng=0, size=32, most=2)
    y = class_maps(labels, masks)
    model = make(base=8, rng=0)
    loss = SoftmaxCrossEntropy(weight=balanced_weights(y, 5))
    history = fit(
        model, images, y, epochs=12, batch_size=8, loss=loss, optimizer=Adam(model, lr=3e-3),
        metrics={}, seed=0, progress=False,
    )  # fmt: skip
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    found = predict(model, images).argmax(axis=1)
    ious = class_ious(confusion_matrix(y.ravel(), found.ravel(), 5))
    assert ious[0] > 0.6 and np.nanmean(ious) > 0.2
    assert predict(model, street_scenes(2, 1, 64)[0]).shape == (2, 5, 64, 64)
