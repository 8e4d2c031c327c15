"""Optimizers: how the gradients change the parameters; and schedules, which change the step size.

    optimizer = SGD(model, lr=0.1, momentum=0.9)
    schedule = CosineSchedule(optimizer, steps=1000)
    ...                     # forward, backward
    optimizer.step()        # changes model.params, using model.grads
    schedule.step()         # changes optimizer.lr

Every backward pass makes the gradients anew, so that there is nothing to set to zero in between;
only where a part of the model may be left out of a step, or is called several times in one
(`convbook.layers.tape`), its gradients are cleared first. Parameters are changed in place. All
agree with PyTorch's optimizers of the same names. Steps of float16 parameters are computed in
float32, and their averages kept in it: Adam's eps of 1e-8 would be 0 in float16.
"""

import math

import numpy as np

from . import checks
from .arrays import get_array_module
from .checks import number


class Optimizer:
    """The base of the optimizers.

    Parameters
    ----------
    model : Layer
    lr : float
        The learning rate, at least 0; it may be changed at any time.
    weight_decay : float
        How strongly parameters are drawn to zero (biases too, as in PyTorch).

    Attributes
    ----------
    steps : int
        How many steps were made.
    """

    def __init__(self, model, lr, weight_decay=0):
        if not hasattr(model, "params") or not hasattr(model, "grads"):
            raise TypeError(
                "model must be a Layer, which has params and grads, got "
                f"{model!r} of type {type(model).__name__}"
            )
        self.model = model
        self.lr = number("lr", lr, least=0)
        self.weight_decay = number("weight_decay", weight_decay, least=0)
        self.zero_state()

    def zero_state(self):
        """Forget all earlier steps."""
        self.steps = 0
        self._averages = {}  # (what, parameter's name) -> array

    def step(self):
        """Change every parameter by its gradient of the last backward pass.

        Raises
        ------
        RuntimeError
            If a parameter has no gradient; nothing was changed then.
        """
        params, grads = self.model.params, self.model.grads
        missing = [name for name in params if grads.get(name) is None]
        if missing:
            early = (
                ""
                if len(missing) == len(params)
                else "a part of the model was left out of this step, or "
            )
            raise RuntimeError(
                f"{early}step was called before backward: there is no gradient for "
                + ", ".join(missing)
            )
        for name, param in params.items():
            if grads[name].shape != param.shape:
                raise ValueError(
                    f"the gradient of {name} must have the shape of the parameter, "
                    f"{param.shape}, got {grads[name].shape}"
                )
        self.steps += 1
        for name, param in params.items():
            if param.dtype == np.float16:
                wide = param.astype(np.float32)
                self._update(name, wide, grads[name].astype(np.float32))
                with np.errstate(over="ignore"):  # what float16 cannot hold is infinite there
                    param[...] = wide
            else:
                self._update(name, param, grads[name])

    def _update(self, name, param, grad):
        raise NotImplementedError

    def _average(self, what, name, param):
        """Return the array kept under these names; at first it is zero."""
        if (what, name) not in self._averages:
            self._averages[what, name] = get_array_module(param).zeros_like(param)
        return self._averages[what, name]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    With g = gradient + weight_decay · p: v becomes momentum · v + g, and p becomes p - lr · v.
    `nesterov` takes g + momentum · v in place of v: the gradient a step ahead (Sutskever et al.,
    "On the importance of initialization and momentum in deep learning", ICML 2013).
    """

    def __init__(self, model, lr, momentum=0, weight_decay=0, nesterov=False):
        super().__init__(model, lr, weight_decay)
        self.momentum = number("momentum", momentum, least=0, most=1, open_end=True)
        self.nesterov = bool(nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0, got 0")

    def _update(self, name, param, grad):
        if self.weight_decay:
            grad = grad + self.weight_decay * param
        if self.momentum:
            velocity = self._average("velocity", name, param)
            velocity *= self.momentum
            velocity += grad
            grad = grad + self.momentum * velocity if self.nesterov else velocity
        param -= self.lr * grad


class Adam(Optimizer):
    """Adam (Kingma and Ba, ICLR 2015): every element has a step size of its own.

    Running averages of the gradient and of its square, m and v, begin at zero; dividing them by
    1 - beta^t after t steps makes up for that. Then p becomes p - lr · m / (√v + eps). The weight
    decay is added to the gradient.
    """

    def __init__(self, model, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(model, lr, weight_decay)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be a pair of numbers, got {betas!r}")
        self.betas = tuple(number("betas", beta, least=0, most=1, open_end=True) for beta in betas)
        self.eps = number("eps", eps, least=0)

    def _update(self, name, param, grad):
        if self.weight_decay:
            grad = grad + self.weight_decay * param
        self._adapt(name, param, grad)

    def _adapt(self, name, param, grad):
        xp, (beta1, beta2) = get_array_module(param), self.betas
        m, v = self._average("m", name, param), self._average("v", name, param)
        part = (1 - beta1) * grad  # the only array made; what follows is written over it
        m *= beta1
        m += part
        xp.multiply(grad, grad, out=part)
        part *= 1 - beta2
        v *= beta2
        v += part
        xp.sqrt(v, out=part)
        part /= (1 - beta2**self.steps) ** 0.5
        part += self.eps
        xp.divide(m, part, out=part)
        part *= self.lr / (1 - beta1**self.steps)
        param -= part


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    Each step first shrinks the parameters by the factor 1 - lr · weight_decay; the gradient and its
    averages know nothing of it.
    """

    def __init__(self, model, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(model, lr, betas, eps, weight_decay)

    def _update(self, name, param, grad):
        param *= 1 - self.lr * self.weight_decay
        self._adapt(name, param, grad)


class Schedule:
    """The base of the schedules: `step()` counts, and sets the learning rate of the optimizer."""

    def __init__(self, optimizer):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                "optimizer must be an Optimizer, whose learning rate is set, got "
                f"{optimizer!r} of type {type(optimizer).__name__}"
            )
        self.optimizer, self.first_lr, self.count = optimizer, optimizer.lr, 0

    def step(self):
        """Count one step (or one epoch: what is counted is up to you)."""
        self.count += 1
        self.optimizer.lr = self.lr_after(self.count)

    def lr_after(self, count):
        """Return the learning rate after so many steps."""
        raise NotImplementedError


class CosineSchedule(Schedule):
    """From the optimizer's learning rate down to `lr_min` along half a cosine, then constant.

    Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int
        After how many steps `lr_min` is reached.
    lr_min : float
    """

    def __init__(self, optimizer, steps, lr_min=0.0):
        super().__init__(optimizer)
        self.steps = checks.integer("steps", steps, least=1)
        self.lr_min = number("lr_min", lr_min, least=0)

    def lr_after(self, count):
        """Return the learning rate after so many steps."""
        done = min(count / self.steps, 1)
        return self.lr_min + (self.first_lr - self.lr_min) * (1 + math.cos(math.pi * done)) / 2


class StepSchedule(Schedule):
    """Multiply the learning rate by `gamma` once every `step_size` steps."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        super().__init__(optimizer)
        self.step_size = checks.integer("step_size", step_size, least=1)
        self.gamma = number("gamma", gamma, least=0)

    def lr_after(self, count):
        """Return the learning rate after so many steps."""
        return self.first_lr * self.gamma ** (count // self.step_size)
