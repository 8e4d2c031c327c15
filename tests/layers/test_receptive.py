"""Receptive fields: what is computed from the layers' settings is what the gradient reaches."""

import math

import numpy as np
import pytest

from convbook.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Concat,
    Container,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Frozen,
    GlobalAvgPool2d,
    InstanceNorm2d,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    MaxUnpool2d,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    SharedBody,
    Shrink,
    Skip,
    Summary,
    Upsample,
)
from convbook.models.resnet import resnet
from convbook.models.vgg import vgg

ONES = {"init": lambda rng, shape, *fans: np.ones(shape)}
EVERYTHING = (math.inf, math.inf)


def conv(kernel_size, **options):
    return Conv2d(1, 1, kernel_size, bias=False, **ONES, **options)


def up(kernel_size, **options):
    return ConvTranspose2d(1, 1, kernel_size, bias=False, **ONES, **options)


def reached(model, size=96):
    """Return (height, width) of what reaches outputs in the middle, the most of all of them.

    All weights are 1 and all poolings averages, so that no two ways cancel out.
    """
    x = np.ones((1, 1, size, size))
    model = model.astype(np.float64).eval()
    y = model(x)
    most, (height, width) = [0, 0], y.shape[2:]
    near = min(36, height, width)  # neighbours: behind an enlarging layer they see differently
    for i in range(near):
        dy = np.zeros(y.shape)
        dy[0, :, (height - near) // 2 + i, (width - near) // 2 + i] = 1
        model(x)
        found = np.nonzero(model.backward(dy)[0, 0])
        most = [max(m, places.max() - places.min() + 1) for m, places in zip(most, found)]
    return tuple(most)


def u_net(depth):
    """An encoder and a decoder with the skips of a U-Net."""
    if depth == 0:
        return conv(3, padding=1)
    around = Skip(
        Sequential(AvgPool2d(2), u_net(depth - 1), up(2, stride=2) if depth % 2 else Upsample(2))
    )
    return Sequential(conv(3, padding=1), around, Conv2d(2, 1, 3, padding=1, bias=False, **ONES))


CHAINS = {
    "a window": lambda: conv((3, 5)),
    "two small ones": lambda: Sequential(conv(3), conv(3)),
    "dilated": lambda: Sequential(conv(3, dilation=(2, 4)), conv(2)),
    "strides": lambda: Sequential(conv(3, stride=2), conv((3, 2), stride=(1, 2)), conv(3)),
    "padded": lambda: Sequential(conv(5, padding=((1, 3), (0, 2))), AvgPool2d(3, 2, 1), conv(3)),
    "every second pixel": lambda: Sequential(Shrink(2, 1), conv(3)),
    "transposed, 2 of 2": lambda: Sequential(AvgPool2d(2), up(2, stride=2)),
    "transposed, 4 of 2": lambda: Sequential(conv(3, stride=2), up(4, stride=2, padding=1)),
    "transposed, 3 of 2": lambda: Sequential(conv(3, stride=2), up(3, stride=2), conv(3)),
    "transposed, 2 of 3": lambda: Sequential(conv(3, stride=2), up(2, stride=3), conv(3)),
    "nearest": lambda: Sequential(AvgPool2d(2), Upsample(2), conv((2, 3))),
    "nearest, then strides": lambda: Sequential(Upsample(3), conv(2, stride=2), conv(2)),
    "bilinear, 2": lambda: Sequential(AvgPool2d(2), Upsample(2, "bilinear")),
    "bilinear, 3": lambda: Sequential(Upsample((3, 2), "bilinear"), conv(2)),
    "up and down": lambda: Sequential(Upsample(2), AvgPool2d(2), conv(3)),
    "residual": lambda: Residual(Sequential(conv(3, padding=1), conv(3, padding=1))),
    "its shortcut sees more": lambda: Residual(conv(1), conv(7, padding=3)),
    "branches": lambda: Sequential(
        Branches(conv(1), conv(3, padding=1), conv(5, padding=2)), Concat()
    ),
    "uneven branches": lambda: Sequential(
        Branches(conv(3, padding=((2, 0), (2, 0))), conv(3, padding=((0, 2), (0, 2)))), Add()
    ),
    "frozen": lambda: Frozen(Sequential(conv(3), conv(3))),
    "U-Net": lambda: u_net(1),
    "deeper U-Net": lambda: u_net(3),
    "elementwise ones": lambda: Sequential(
        conv(3), ReLU(), BatchNorm2d(1), Dropout(), LeakyReLU(), LocalResponseNorm(3), conv(3)
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_field_is_what_the_gradient_reaches(name):
    model = CHAINS[name]()
    if name == "elementwise ones":
        model[2].params["beta"] += 1
    assert Summary(model, (1, 96, 96)).tree.receptive_field == reached(model)


@pytest.mark.parametrize("seed", range(20))
def test_drawn_chains(seed):
    rng = np.random.default_rng(seed)

    def draw():
        size, stride = rng.integers(1, 5, 2), int(rng.integers(1, 3))
        padding = tuple(tuple(rng.integers(0, n, 2).tolist()) for n in size)
        size = tuple(size.tolist())
        return [
            lambda: conv(size, stride=stride, padding=padding),
            lambda: AvgPool2d(size, stride, padding),
            lambda: up(tuple(n + stride - 1 for n in size), stride=stride),
            lambda: Upsample(stride + 1, ["nearest", "bilinear"][stride - 1]),
        ][rng.choice(4, p=[0.4, 0.2, 0.2, 0.2])]()

    model = Sequential(*(draw() for _ in range(4)))
    assert Summary(model, (1, 48, 48)).tree.receptive_field == reached(model, 48)


def test_known_networks():
    """Of VGG-16 212 pixels before its linear layers, of ResNet-18 435: Araujo et al., table 1."""
    assert Summary(vgg(16, hidden=1, rng=0)[0], (3, 64, 64)).tree.receptive_field == (212, 212)
    model = Sequential(*resnet(18, width=2, rng=0)[:5])
    assert Summary(model, (3, 64, 64)).tree.receptive_field == (435, 435)


def test_what_sees_everything():
    for layer, shape in [
        (GlobalAvgPool2d(), (4, 6, 6)),
        (InstanceNorm2d(4), (4, 6, 6)),
        (Sequential(Flatten(), Linear(144, 2, rng=0)), (4, 6, 6)),
        (SharedBody(GlobalAvgPool2d(), Linear(4, 2, rng=0), Linear(4, 3, rng=0)), (4, 6, 6)),
        (Sequential(GlobalAvgPool2d(), Reshape(1, 2, 2), conv(2)), (4, 6, 6)),
    ]:
        tree = Summary(layer, shape).tree
        assert tree.receptive_field == EVERYTHING, layer
    flat = Summary(Sequential(conv(3), Flatten()), (1, 6, 6)).rows[-1]
    assert flat.receptive_field == (3, 3)


def test_unpooling_knows_the_windows_of_its_pooling():
    pool = MaxPool2d(2)
    model = Sequential(conv(3, padding=1), pool, conv(3, padding=1), MaxUnpool2d(pool))
    assert Summary(model, (1, 8, 8)).tree.receptive_field == (8, 8)


class Mirror(Layer):
    """A layer of a reader's own."""

    def forward(self, x):
        return self._output(x[..., ::-1])


class Difference(Container):
    """A container that computes with NumPy itself."""

    def __init__(self):
        super().__init__({"a": conv(3, padding=1), "b": conv(5, padding=2)})

    def forward(self, x):
        return self.children["a"](x) - self.children["b"](x)


def test_what_is_not_known_is_not_guessed():
    assert Summary(Sequential(conv(3), Mirror(), conv(3)), (1, 9, 9)).tree.receptive_field is None
    assert Summary(Linear(3, 2, rng=0), (3,)).tree.receptive_field == EVERYTHING
    assert Summary(ReLU(), (3,)).tree.receptive_field is None
    sides = Branches(conv(3), conv(3, stride=2))  # whose positions do not lie side by side
    assert Summary(sides, (1, 9, 9)).tree.receptive_field is None
    assert (
        Summary(Sequential(conv(3), Mirror()), (1, 9, 9)).outline().splitlines()[-3].endswith("?")
    )
    both = Summary(Difference(), (1, 9, 9))
    assert both.tree.receptive_field == (5, 5)
