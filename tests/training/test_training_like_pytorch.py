"""Twenty steps of training, next to PyTorch from the same weights on the same mini-batches."""

import numpy as np
import pytest

from convbook.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy
from convbook.optimizers import SGD, Adam, AdamW, CosineSchedule

torch = pytest.importorskip("torch")
nn = torch.nn

STEPS = 20


def classifier():
    """The network of the course's chapter on CNNs, in small: with it, everyone begins."""
    ours = Sequential(
        Conv2d(1, 6, 3, rng=0),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(6 * 5 * 5, 20, rng=1),
        ReLU(),
        Linear(20, 4, rng=2),
    )
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 5 * 5, 20),
        nn.ReLU(),
        nn.Linear(20, 4),
    )
    return ours, theirs


def deep_classifier():
    """Channels of several numbers, strides, groups, batch normalisation, three activations."""
    ours = Sequential(
        Conv2d(1, 8, 3, padding=1, bias=False, rng=0),
        BatchNorm2d(8),
        ReLU(),
        Conv2d(8, 16, 3, stride=2, padding=1, rng=1),
        BatchNorm2d(16),
        LeakyReLU(0.1),
        AvgPool2d(2, stride=1, padding=1),
        Conv2d(16, 8, 1, groups=4, rng=2),
        Tanh(),
        GlobalAvgPool2d(),
        Linear(8, 4, rng=3),
    )
    theirs = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(2, stride=1, padding=1),
        nn.Conv2d(16, 8, 1, groups=4),
        nn.Tanh(),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(8, 4),
    )
    return ours, theirs


def autoencoder():
    """Down and up again: the transposed convolution."""
    ours = Sequential(
        Conv2d(1, 6, 3, stride=2, padding=1, rng=0),
        ReLU(),
        ConvTranspose2d(6, 1, 3, stride=2, padding=1, output_padding=1, rng=1),
        Sigmoid(),
    )
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 1, 3, stride=2, padding=1, output_padding=1),
        nn.Sigmoid(),
    )
    return ours, theirs


def copy_weights(ours, theirs):
    """Give PyTorch's parameters, which come in the same order, the values of ours."""
    arrays, tensors = list(ours.params.values()), list(theirs.parameters())
    assert [a.shape for a in arrays] == [tuple(t.shape) for t in tensors]
    with torch.no_grad():
        for array, tensor in zip(arrays, tensors):
            tensor.copy_(torch.from_numpy(array))


def mini_batches(size):
    """Yield images of bars in four directions with some noise, and their labels."""
    rng = np.random.default_rng(0)
    bars = np.zeros((4, 1, 12, 12), np.float32)
    bars[0, 0, 5:7], bars[1, 0, :, 5:7] = 1, 1
    bars[2, 0], bars[3, 0] = np.eye(12), np.eye(12)[::-1]
    for _ in range(STEPS):
        labels = rng.integers(0, 4, size)
        noise = 0.3 * rng.standard_normal((size, 1, 12, 12), np.float32)
        yield bars[labels] + noise, labels


TRAININGS = [
    (classifier, lambda m: SGD(m, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
    (classifier, lambda m: Adam(m, 0.01), lambda p: torch.optim.Adam(p, 0.01)),
    (
        deep_classifier,
        lambda m: SGD(m, 0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
    ),
    (deep_classifier, lambda m: SGD(m, 0.05), lambda p: torch.optim.SGD(p, 0.05)),
    (
        autoencoder,
        lambda m: SGD(m, 0.5, momentum=0.9),
        lambda p: torch.optim.SGD(p, 0.5, momentum=0.9),
    ),
    (autoencoder, lambda m: AdamW(m, 0.01), lambda p: torch.optim.AdamW(p, 0.01)),
]


@pytest.mark.parametrize("networks, optimizer, their_optimizer", TRAININGS)
def test_the_losses_of_twenty_steps_are_pytorchs(networks, optimizer, their_optimizer):
    model, module = networks()
    copy_weights(model, module)
    optimizer, their_optimizer = optimizer(model), their_optimizer(module.parameters())
    schedule = CosineSchedule(optimizer, STEPS)
    their_schedule = torch.optim.lr_scheduler.CosineAnnealingLR(their_optimizer, STEPS)
    loss, their_loss = SoftmaxCrossEntropy(), nn.CrossEntropyLoss()
    if networks is autoencoder:
        loss, their_loss = MeanSquaredError(), nn.MSELoss()

    losses, expected = [], []
    for x, labels in mini_batches(size=24):
        target = x if networks is autoencoder else labels
        losses.append(loss(model(x), target))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        schedule.step()

        their_optimizer.zero_grad()
        error = their_loss(module(torch.from_numpy(x)), torch.from_numpy(target))
        expected.append(error.item())
        error.backward()
        their_optimizer.step()
        their_schedule.step()

    assert losses == pytest.approx(expected, rel=1e-4)
    assert losses[-1] < 0.9 * losses[0]  # it learned something

    x, _ = next(mini_batches(size=5))
    with torch.no_grad():
        answer = module.eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model.eval()(x), answer, rtol=1e-3, atol=1e-3)
