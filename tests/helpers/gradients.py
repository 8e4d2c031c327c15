"""Gradients to compare with: by PyTorch, and by differences."""

import numpy as np
import pytest


def torch_gradients(function, arrays, dy):
    """Return what function gives for the arrays, and the gradient of each, in PyTorch."""
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(np.ascontiguousarray(a), requires_grad=True) for a in arrays]
    y = function(*tensors)
    gradients = torch.autograd.grad(y, tensors, torch.tensor(np.array(dy, order="C")))
    return y.detach().numpy(), [g.numpy() for g in gradients]


def numerical_gradient(function, x, dy, h=1e-6):
    """Return the gradient of (function() * dy).sum() for every element of x, by differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        before = x[i]
        x[i] = before + h
        after = function()
        x[i] = before - h
        gradient[i] = ((after - function()) * dy).sum() / (2 * h)
        x[i] = before
    return gradient


def relative_error(a, b):
    return np.abs(a - b).max() / np.abs(b).max()
