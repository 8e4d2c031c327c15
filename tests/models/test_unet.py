"""The U-Net: its size, PyTorch's scores and gradients, odd sizes, and what it can be trained on."""

import numpy as np
import pytest
import torch

from convbook.layers import Skip
from convbook.losses import BCEWithLogitsLoss, SoftDiceLoss, SoftmaxCrossEntropy, SumLoss
from convbook.models.unet import pad_to_multiple, standardised, unet
from convbook.optimizers import Adam
from convbook.training import dice, fit, predict


def parameters(model):
    return sum(array.size for array in model.params.values())


def test_how_many_parameters_there_are():
    assert parameters(unet()) == 121_033
    assert parameters(unet(3, 4, base=4, depth=2)) == parameters(unet(1, 1, base=4, depth=2)) + (
        2 * 9 * 4 + 3 * (4 + 1)
    )


@pytest.mark.parametrize("depth", (0, 1, 2, 3, 4))
def test_height_and_width_stay(depth):
    x = np.zeros((2, 1, 16, 32), np.float32)
    for skips in (True, False):
        assert unet(1, 3, 2, depth, rng=0, skips=skips)(x).shape == (2, 3, 16, 32)
    assert sum(isinstance(layer, Skip) for layer in unet(1, 1, 2, depth).walk()) == depth


def in_torch(in_channels, classes, base, depth):
    """Return a module of PyTorch with the same structure, written from the paper's figure."""
    nn = torch.nn

    def convolutions(a, b):
        return nn.Sequential(
            nn.Conv2d(a, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(),
            nn.Conv2d(b, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(),
        )

    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [base * 2**i for i in range(depth + 1)]
            inputs = [in_channels, *widths[:-1]]
            self.down = nn.ModuleList([convolutions(a, b) for a, b in zip(inputs, widths)])
            self.up = nn.ModuleList([nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[:-1]])
            self.joined = nn.ModuleList([convolutions(2 * w, w) for w in widths[:-1]])
            self.last = nn.Conv2d(base, classes, 1)

        def ordered(self, level=0):
            """The modules with weights in the order in which ours has them."""
            yield from self.down[level]
            if level < depth:
                yield from self.ordered(level + 1)
                yield self.up[level]
                yield from self.joined[level]
            if level == 0:
                yield self.last

        def forward(self, x):
            seen = []
            for level, block in enumerate(self.down):
                x = block(nn.functional.max_pool2d(x, 2) if level else x)
                seen.append(x)
            for level in reversed(range(depth)):
                x = torch.cat([seen[level], self.up[level](x)], 1)
                x = self.joined[level](x)
            return self.last(x)

    return Unet()


def test_pytorchs_scores_and_gradients():
    rng = np.random.default_rng(0)
    model = unet(2, 3, base=4, depth=2, rng=0).astype(np.float64)
    net = in_torch(2, 3, 4, 2).double()
    ours = [layer for layer in model.walk() if not layer.children and layer.params]
    theirs = [module for module in net.ordered() if list(module.parameters())]
    pairs = []
    for layer, module in zip(ours, theirs, strict=True):
        named = zip(layer.params.items(), module.parameters(), strict=True)
        for (name, array), tensor in named:
            array[...] = rng.standard_normal(array.shape) * 0.3
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(array))
            pairs.append((layer, name, tensor))
    x = rng.standard_normal((3, 2, 8, 12))
    dy = rng.standard_normal((3, 3, 8, 12))
    tensor = torch.tensor(x, requires_grad=True)
    expected = net(tensor)
    np.testing.assert_allclose(model(x), expected.detach(), atol=1e-9)
    expected.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(model.backward(dy), tensor.grad, atol=1e-8)
    for layer, name, tensor in pairs:
        np.testing.assert_allclose(layer.grads[name], tensor.grad, atol=1e-8)


@pytest.mark.parametrize("size", ((60, 64), (64, 60), (31, 64)))
def test_sizes_that_do_not_divide_are_refused_at_the_skip(size):
    with pytest.raises(ValueError, match=r"a Skip lays its body's output beside x.*pad them"):
        unet(rng=0)(np.zeros((1, 1, *size), np.float32))


def test_the_error_names_the_sizes():
    with pytest.raises(ValueError, match="got 14 × 14 beside 15 × 15.*multiples of 2.depth"):
        unet(rng=0)(np.zeros((1, 1, 60, 60), np.float32))


def test_padding_is_the_cure():
    x = np.random.default_rng(0).standard_normal((2, 1, 50, 61)).astype(np.float32)
    padded = pad_to_multiple(x, 8)
    assert padded.shape == (2, 1, 56, 64)
    np.testing.assert_array_equal(padded[..., :50, :61], x)
    assert not padded[..., 50:, :].any() and not padded[..., 61:].any()
    assert unet(rng=0)(padded)[..., :50, :61].shape == x.shape
    assert pad_to_multiple(padded, 8).shape == padded.shape
    assert pad_to_multiple(np.zeros((0, 1, 3, 3)), 4).shape == (0, 1, 4, 4)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"depth": -1}, ValueError, "depth must be an integer of at least 0, got -1"),
        ({"base": 0}, ValueError, "base must be an integer of at least 1, got 0"),
        ({"classes": 1.5}, TypeError, "classes must be an integer of at least 1, got 1.5"),
        ({"in_channels": "x"}, TypeError, "in_channels must be an integer"),
    ],
)
def test_bad_numbers_are_named(options, error, said):
    with pytest.raises(error, match=said):
        unet(**options)


def test_images_are_standardised_one_by_one():
    rng = np.random.default_rng(0)
    x = rng.random((3, 1, 8, 8)) * [[[[1]]], [[[10]]], [[[0]]]]
    y = standardised(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[:2].mean((1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(y[:2].std((1, 2, 3)), 1, atol=0.01)
    assert not y[2].any()
    np.testing.assert_allclose(standardised(3 * x[:2] + 5), y[:2], atol=0.02)


@pytest.mark.slow
def test_it_learns_to_mark_squares():
    """A second of training: bright squares on noise, each pixel a yes or no, or one of two."""
    rng = np.random.default_rng(0)
    y = np.zeros((64, 1, 16, 16), np.float32)
    for image, (r, c) in zip(y, rng.integers(0, 10, (64, 2)), strict=True):
        image[0, r : r + 6, c : c + 6] = 1
    x = (y + rng.normal(0, 0.5, y.shape)).astype(np.float32)
    model = unet(base=4, depth=1, rng=0)
    loss = SumLoss(BCEWithLogitsLoss(), SoftDiceLoss())
    fit(model, x[:48], y[:48], 12, 8, loss=loss, optimizer=Adam(model, lr=0.01), progress=False)
    assert dice(predict(model, x[48:]) > 0, y[48:]).mean() > 0.8
    model = unet(classes=2, base=4, depth=1, rng=0)
    labels = y[:, 0].astype(int)
    fit(
        model, x[:48], labels[:48], 12, 8, loss=SoftmaxCrossEntropy(),
        optimizer=Adam(model, lr=0.01), progress=False,
    )  # fmt: skip
    found = predict(model, x[48:]).argmax(axis=1)
    assert dice(found == 1, labels[48:] == 1).mean() > 0.8
