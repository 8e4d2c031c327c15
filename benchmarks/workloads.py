"""What is measured: convolutions, other layers and whole networks, for the package and PyTorch."""

from types import SimpleNamespace

from timing import torch  # first: it sets the number of threads

import numpy as np

from convbook import layers as L

# name: input (N, C, H, W), filters (OC, FH), stride, padding
CONVOLUTIONS = {
    "a": ((100, 1, 28, 28), (30, 5), 1, 0),
    "b": ((64, 3, 32, 32), (16, 3), 1, 1),
    "c": ((64, 16, 32, 32), (16, 3), 1, 1),
    "d": ((64, 32, 16, 16), (64, 3), 2, 1),
    "e": ((64, 64, 8, 8), (64, 3), 1, 1),
    "f": ((32, 64, 16, 16), (128, 1), 1, 0),
    "g": ((8, 32, 64, 64), (32, 3), 1, 1),
}
FIRST_LAYERS = "ab"  # they see pictures, so they are also timed without the gradient of their input

# name: function, input (N, C, H, W), kernel size, stride
POOLINGS = {
    "max 2×2": ("max_pool2d", (64, 32, 32, 32), 2, 2),
    "max 3×3, stride 2": ("max_pool2d", (64, 32, 32, 32), 3, 2),
    "avg 2×2": ("avg_pool2d", (64, 32, 32, 32), 2, 2),
    "global avg": ("avg_pool2d", (64, 256, 8, 8), 8, 8),
}
TENSOR_SHAPE = (64, 32, 32, 32)  # for batch norm, ReLU and depthwise convolutions


def by(numbers):
    """Return a shape as people write it."""
    return "×".join(map(str, numbers))


def describe(shape, filters, stride, padding):
    """Return a convolution in one line."""
    options = "".join(
        f" {letter}{value}"
        for letter, value, usual in (("S", stride, 1), ("P", padding, 0))
        if value != usual
    )
    return f"{by(shape)}, {filters[0]} of {by([filters[1]] * 2)}{options}"


# --- Networks ------------------------------------------------------------------------------------
# Written once; `k` holds the layers, of the package or of PyTorch.


def mnist_cnn(k):
    """Conv 30 of 5×5, ReLU, pooling, linear 100, ReLU, linear 10."""
    return k.sequential(
        k.conv(1, 30, 5),
        k.relu(),
        k.pool(2),
        k.flatten(),
        k.linear(4320, 100),
        k.relu(),
        k.linear(100, 10),
    )


def resnet8(k):
    """A first convolution, three residual blocks of two with 16, 32 and 64 channels, linear 10.

    He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, made small.
    """

    def conv_norm(c, oc, size, stride):
        return k.conv(c, oc, size, stride, size // 2, bias=False), k.norm(oc)

    def block(c, oc, stride):
        body = k.sequential(*conv_norm(c, oc, 3, stride), k.relu(), *conv_norm(oc, oc, 3, 1))
        shortcut = k.sequential(*conv_norm(c, oc, 1, stride)) if c != oc else k.identity()
        return k.residual(body, shortcut), k.relu()

    return k.sequential(
        *conv_norm(3, 16, 3, 1),
        k.relu(),
        *block(16, 16, 1),
        *block(16, 32, 2),
        *block(32, 64, 2),
        k.global_pool(),
        k.linear(64, 10),
    )


RESNET = "ResNet-8, batch 64"
# name: network, shape of a mini-batch
STEPS = {"MNIST CNN, batch 100": (mnist_cnn, (100, 1, 28, 28)), RESNET: (resnet8, (64, 3, 32, 32))}
SGD_SETTINGS = {"lr": 0.001, "momentum": 0.9}

PACKAGE_LAYERS = SimpleNamespace(
    sequential=L.Sequential,
    residual=L.Residual,
    identity=L.Layer,
    conv=L.Conv2d,
    norm=L.BatchNorm2d,
    relu=L.ReLU,
    pool=L.MaxPool2d,
    global_pool=L.GlobalAvgPool2d,
    flatten=L.Flatten,
    linear=L.Linear,
)


def mini_batch(shape):
    """Return images and labels."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape, np.float32), rng.integers(0, 10, shape[0])


def torch_network(build, model):
    """Return a network in PyTorch with the weights of the package's model."""
    network = build(torch_layers())
    for parameter, weights in zip(network.parameters(), model.params.values(), strict=True):
        parameter.data.copy_(torch.from_numpy(weights))
    return network


def torch_layers():
    """Return PyTorch's layers under the names that the networks use."""
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self, body, shortcut):
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, x):
            return self.body(x) + self.shortcut(x)

    class GlobalAvgPool2d(nn.Module):
        def forward(self, x):
            return x.mean((2, 3))

    return SimpleNamespace(
        sequential=nn.Sequential,
        residual=Residual,
        identity=nn.Identity,
        conv=nn.Conv2d,
        norm=nn.BatchNorm2d,
        relu=nn.ReLU,
        pool=nn.MaxPool2d,
        global_pool=GlobalAvgPool2d,
        flatten=nn.Flatten,
        linear=nn.Linear,
    )
