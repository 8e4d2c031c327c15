"""The network of chapter 3-6 in PyTorch, with the same weights as ours. Needs PyTorch."""

import numpy as np

from ..arrays import to_numpy
from ..layers import Conv2d, Linear
from .available import import_torch

LETTERS = {"f": "weight", "w": "weight", "b": "bias"}  # our names -> PyTorch's


def cifar_cnn():
    """Return the network, a torch.nn.Sequential, with PyTorch's own initial weights."""
    nn = import_torch().nn
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def copy_weights(model, net):
    """Copy the weights of our network into PyTorch's, whose layers stand in the same places.

    The shapes are the same on both sides: (OC, C, FH, FW) and (out_features, in_features).

    Parameters
    ----------
    model : Sequential
    net : torch.nn.Sequential
        Is changed, and returned.
    """
    torch = import_torch()
    with torch.no_grad():
        for ours, theirs in zip(model.children.values(), net, strict=True):
            if isinstance(ours, (Conv2d, Linear)):
                for name, array in ours.params.items():
                    getattr(theirs, LETTERS[name]).copy_(torch.from_numpy(to_numpy(array)))
    return net


def loss_and_gradients(model, net, x, labels):
    """Return the loss of a mini-batch and its gradients, under the names of our parameters.

    Parameters
    ----------
    model : Sequential
        Ours; says only which layers have parameters.
    net : torch.nn.Sequential
    x : ndarray (N, C, H, W), float32
    labels : ndarray (N,), int64

    Returns
    -------
    loss : float
    gradients : dict, name -> ndarray
    """
    torch = import_torch()
    net.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(labels))
    loss.backward()
    gradients = {}
    for (place, ours), theirs in zip(model.children.items(), net, strict=True):
        for name in ours.params:
            gradients[f"{place}.{name}"] = getattr(theirs, LETTERS[name]).grad.numpy().copy()
    return loss.item(), gradients


def train(net, optimizer, batches):
    """Make one step for each mini-batch (x, labels) of NumPy arrays; return the losses."""
    torch = import_torch()
    net.train()
    losses = []
    for x, labels in batches:
        optimizer.zero_grad()
        scores = net(torch.from_numpy(np.ascontiguousarray(x)))
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def scores(net, x):
    """Return the scores (N, K) of images (N, C, H, W), as NumPy arrays."""
    torch = import_torch()
    net.eval()
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()
