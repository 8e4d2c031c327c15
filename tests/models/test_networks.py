"""The networks of the evolution: torchvision's parameter counts, outputs and gradients."""

import numpy as np
import pytest
import torch

from convbook.layers import Conv2d, Dropout, Sequential, Shrink, Summary
from convbook.losses import SoftmaxCrossEntropy
from convbook.models import lenet
from convbook.models.alexnet import alexnet, alexnet_2012, small_alexnet
from convbook.models.densenet import densenet, small_densenet
from convbook.models.googlenet import googlenet, small_googlenet
from convbook.models.mobilenet import mobilenet, small_mobilenet
from convbook.models.resnet import resnet, small_resnet, wide_resnet
from convbook.models.vgg import small_vgg, vgg
from convbook.optimizers import Adam
from helpers.torch_vision import torchvision_models
from helpers.undrawn import blank

TOLERANCE = 1e-4
HIDDEN = 32


@pytest.fixture(scope="module")
def theirs():
    return torchvision_models()


def parameters(model):
    return sum(array.size for array in model.params.values())


# --- Full size -----------------------------------------------------------------------------------

COUNTS = [
    (alexnet, (), "alexnet", {}),
    (vgg, (11,), "vgg11", {}),
    (vgg, (16,), "vgg16", {}),
    (resnet, (18,), "resnet18", {}),
    (resnet, (34,), "resnet34", {}),
    (resnet, (50,), "resnet50", {}),
    (resnet, (101,), "resnet101", {}),
    (resnet, (152,), "resnet152", {}),
    (wide_resnet, (50,), "wide_resnet50_2", {}),
    (wide_resnet, (101,), "wide_resnet101_2", {}),
    (densenet, (121,), "densenet121", {}),
    (densenet, (169,), "densenet169", {}),
    (googlenet, (1000, 3), "googlenet", {"aux_logits": False, "init_weights": False}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "arguments", "name", "options"), COUNTS, ids=[name for _, _, name, _ in COUNTS]
)
def test_as_many_parameters_as_torchvisions(theirs, make, arguments, name, options):
    with torch.device("meta"):  # shapes without memory
        expected = sum(p.numel() for p in getattr(theirs, name)(**options).parameters())
    assert parameters(make(*arguments, rng=blank())) == expected


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (mobilenet, 4_231_976),
        (alexnet_2012, 60_965_224),
        (googlenet, 7_005_832),
        (lenet.lenet, 61_706),
    ],
)
def test_as_many_parameters_as_the_papers_networks(make, expected):
    assert parameters(make(rng=blank())) == expected


def arrays_in_order(model):
    """The parameters and buffers, layer by layer, as PyTorch lists them."""
    return [
        array
        for layer in model.walk()
        if not layer.children
        for array in (*layer.params.values(), *layer.buffers.values())
    ]


def copy_into(network, model):
    """Give torchvision's network our weights."""
    tensors = [t for name, t in network.state_dict().items() if not name.endswith("tracked")]
    for tensor, array in zip(tensors, arrays_in_order(model), strict=True):
        assert tuple(tensor.shape) == array.shape
        tensor.copy_(torch.from_numpy(array))


def with_narrow_head(network):
    """Return AlexNet or VGG with a few hidden numbers instead of 4,096, to save a minute."""
    linear = [i for i, layer in enumerate(network.classifier) if isinstance(layer, torch.nn.Linear)]
    widths = [network.classifier[linear[0]].in_features, HIDDEN, HIDDEN, 10]
    for i, inputs, outputs in zip(linear, widths[:-1], widths[1:], strict=True):
        network.classifier[i] = torch.nn.Linear(inputs, outputs)
    return network


def relative(a, b):
    return abs(a - b).max() / max(abs(b).max(), 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "arguments", "name", "options", "size", "dtype", "training"),
    [
        (alexnet, (10, HIDDEN), "alexnet", {"num_classes": 10}, 224, "float64", False),
        (
            vgg,
            (11, 10, HIDDEN),
            "vgg11",
            {"num_classes": 10, "init_weights": False},
            224,
            "float64",
            False,
        ),
        (resnet, (18, 10), "resnet18", {"num_classes": 10}, 64, "float64", True),
        (resnet, (50, 10), "resnet50", {"num_classes": 10}, 64, "float64", True),
        (densenet, (121, 10), "densenet121", {"num_classes": 10}, 64, "float64", True),
        (
            googlenet,
            (10, 3),
            "googlenet",
            {"num_classes": 10, "aux_logits": False, "init_weights": False, "dropout": 0.0},
            64,
            "float64",
            True,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_same_scores_and_gradients_as_torchvisions(
    theirs, make, arguments, name, options, size, dtype, training
):
    rng = np.random.default_rng(1)
    model = make(*arguments, rng=0).astype(dtype).train(training)
    for layer in model.walk():
        if isinstance(layer, Dropout):
            layer.p = 0.0
    network = getattr(theirs, name)(**options)
    if HIDDEN in arguments:
        network = with_narrow_head(network)
    network = network.to(getattr(torch, dtype)).train(training)
    with torch.no_grad():
        copy_into(network, model)
    x = rng.standard_normal((2 if training else 1, 3, size, size)).astype(dtype)
    y, expected = model(x), network(torch.from_numpy(x))
    assert relative(y, expected.detach().numpy()) < TOLERANCE
    dy = rng.standard_normal(y.shape).astype(dtype)
    model.backward(dy, need_dx=False)
    expected.backward(torch.from_numpy(dy))
    grads = [g for layer in model.walk() if not layer.children for g in layer.grads.values()]
    for gradient, parameter in zip(grads, network.parameters(), strict=True):
        assert relative(gradient, parameter.grad.numpy()) < TOLERANCE


@pytest.mark.parametrize("size", [32, 75, 96])
def test_the_convolutional_ones_take_any_size(size):
    x = np.random.default_rng(0).standard_normal((1, 3, size, size), np.float32)
    for model in (resnet(18, 10, width=8, rng=0), mobilenet(10, width=0.25, rng=0)):
        assert model.eval()(x).shape == (1, 10)


def test_a_linear_layer_fixes_the_size():
    with pytest.raises(ValueError, match="in_features = 25088"):
        vgg(11, classes=10, hidden=8, rng=0).eval()(np.zeros((1, 3, 192, 192), np.float32))


def test_the_shortcut_without_parameters():
    """Every second pixel, and zeros in the new channels; too many channels are refused."""
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4), np.float32)
    expected = torch.nn.functional.pad(torch.from_numpy(x)[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4))
    np.testing.assert_array_equal(Shrink(2, 7)(x), expected.numpy())
    with pytest.raises(ValueError, match="x must have at most C = 2, got 3"):
        Shrink(2, 2)(x)


# --- Small ---------------------------------------------------------------------------------------

SMALL = [
    lambda: lenet.lenet(3, rng=0),
    lambda: small_alexnet(rng=0),
    lambda: small_vgg(rng=0),
    lambda: small_vgg(norm=True, rng=0),
    lambda: small_googlenet(rng=0),
    lambda: small_resnet(20, rng=0),
    lambda: small_resnet(29, bottleneck=True, rng=0),
    lambda: small_resnet(14, widen=2, rng=0),
    lambda: small_resnet(14, norm=False, rng=0),
    lambda: small_densenet(rng=0),
    lambda: small_mobilenet(rng=0),
]


@pytest.mark.slow
@pytest.mark.parametrize("make", SMALL)
def test_the_small_ones_learn_a_mini_batch(make):
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((10, 3, 32, 32), np.float32), np.arange(10)
    model, loss = make(), SoftmaxCrossEntropy()
    optimizer, losses = Adam(model, lr=2e-3), []
    for _ in range(8):
        losses.append(loss(model(x), labels))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
    assert min(losses[-2:]) < 0.9 * losses[0]


def test_plain_and_residual_have_the_same_parameters():
    plain, residual = (small_resnet(20, residual=r, rng=0) for r in (False, True))
    assert parameters(plain) == parameters(residual)
    for a, b in zip(arrays_in_order(plain), arrays_in_order(residual), strict=True):
        np.testing.assert_array_equal(a, b)


def test_depthwise_separable_multiplies_as_the_paper_says():
    """Section 3.1: 1 / OC + 1 / K² of a convolution's multiplications."""
    full = Summary(Conv2d(32, 64, 3, padding=1), (32, 8, 8)).multiplications
    apart = Summary(
        Sequential(Conv2d(32, 32, 3, padding=1, groups=32), Conv2d(32, 64, 1)), (32, 8, 8)
    ).multiplications
    assert apart / full == pytest.approx(1 / 64 + 1 / 9)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (resnet, (20,), "depth must be one of 18, 34, 50, 101, 152, got 20"),
        (vgg, ("16",), "depth must be one of 11, 13, 16, 19, got '16'"),
        (small_resnet, (21,), r"depth must be 6n \+ 2, such as 8, 14 or 20, got 21"),
        (densenet, (120,), "depth must be one of 121, 161, 169, 201, got 120"),
        (googlenet, (10, 7), "largest must be one of 3, 5, got 7"),
    ],
)
def test_what_there_is_not(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(*arguments)
