"""From-scratch packages on PyPI, each brought to the same form: a convolution and a training step.

A peer is made by a function that imports it and puts right what keeps it from running with today's
Python and NumPy; what that is stands in `NEEDS`. Its `convolution` and `mnist_step` return
functions to race:

- ``convolution(x, f, b, dy, stride, padding)()`` returns y, dx and df;
- ``mnist_step(x, labels, weights)()`` makes one training step (SGD with momentum) of the MNIST
  network and returns the loss; `weights` are those of the package's model, in its order.
"""

import collections
import collections.abc
import importlib.metadata
import os
import shutil
import warnings
from contextlib import redirect_stderr
from types import SimpleNamespace

from workloads import SGD_SETTINGS  # sets one thread: first

import numpy as np

LR, MOMENTUM = SGD_SETTINGS["lr"], SGD_SETTINGS["momentum"]
NEEDS = {
    "dezero": "the name np.int, which NumPy dropped in 1.24",
    "mygrad": "nothing",
    "numpy-ml": "the name collections.Hashable, which Python dropped in 3.10",
    "tinygrad": "the compiler clang; timed without compiling and searching (BEAM)",
}


def dezero():
    """The framework of the third *Deep Learning from Scratch* book."""
    np.int = int  # noqa: NPY001 - the package still asks for it
    import dezero.functions as functions
    import dezero.layers as layers
    from dezero import Layer, Variable
    from dezero.optimizers import MomentumSGD

    def convolution(x, f, b, dy, stride, padding):
        def run():
            tx, tf, tb = Variable(x), Variable(f), Variable(b)
            y = functions.conv2d(tx, tf, tb, stride, padding)
            y.grad = Variable(dy)
            y.backward()
            return y.data, tx.grad.data, tf.grad.data

        return run

    def mnist_step(x, labels, weights):
        f, b, w1, b1, w2, b2 = weights
        model = Layer()
        model.conv = layers.Conv2d(30, 5, in_channels=1)
        model.first, model.second = layers.Linear(100, in_size=4320), layers.Linear(10, in_size=100)
        for layer, w, bias in zip(
            (model.conv, model.first, model.second), (f, w1.T, w2.T), (b, b1, b2)
        ):
            layer.W.data, layer.b.data = w.copy(), bias.copy()
        optimizer = MomentumSGD(LR, MOMENTUM).setup(model)

        def run():
            h = functions.pooling(functions.relu(model.conv(x)), 2, 2)
            h = functions.relu(model.first(functions.reshape(h, (len(x), -1))))
            loss = functions.softmax_cross_entropy(model.second(h), labels)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            return float(loss.data)

        return run

    return SimpleNamespace(convolution=convolution, mnist_step=mnist_step)


def mygrad():
    """Automatic differentiation on NumPy arrays, used in teaching."""
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    mg.turn_memory_guarding_off()  # its own advice for speed

    def convolution(x, f, b, dy, stride, padding):
        def run():
            tx, tf, tb = (mg.tensor(a, copy=False) for a in (x, f, b))
            y = conv_nd(tx, tf, stride=stride, padding=padding) + tb.reshape(-1, 1, 1)
            y.backward(dy)
            return y.data, tx.grad, tf.grad

        return run

    def mnist_step(x, labels, weights):
        params = [mg.tensor(w) for w in weights]
        velocities = [np.zeros_like(w) for w in weights]

        def run():
            f, b, w1, b1, w2, b2 = params
            h = max_pool(relu(conv_nd(x, f, stride=1) + b.reshape(-1, 1, 1)), (2, 2), 2)
            h = relu(h.reshape(len(x), -1) @ w1.T + b1)
            loss = softmax_crossentropy(h @ w2.T + b2, labels)
            loss.backward()
            for param, velocity in zip(params, velocities):
                velocity *= MOMENTUM
                velocity += param.grad
                param.data -= LR * velocity
                param.null_grad()
            return loss.item()

        return run

    return SimpleNamespace(convolution=convolution, mnist_step=mnist_step)


def numpy_ml():
    """A collection of machine learning in NumPy, written to be read; channels-last, im2col."""
    collections.Hashable = collections.abc.Hashable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about packages for reinforcement learning
        from numpy_ml.neural_nets.layers import Conv2D, Flatten, FullyConnected, Pool2D, Softmax
        from numpy_ml.neural_nets.losses import CrossEntropy

    def layer_with(layer, w, b, inputs):
        """Give a layer its weights, in float32: its own would be float64."""
        layer.in_ch = layer.n_in = inputs
        layer._init_params()
        layer.parameters = {"W": w.copy(), "b": b.copy()}
        layer.gradients = {name: np.zeros_like(a) for name, a in layer.parameters.items()}
        return layer

    def conv_layer(f, b, stride, padding):
        layer = Conv2D(
            f.shape[0], f.shape[2:], padding, stride, optimizer=f"SGD(lr={LR}, momentum={MOMENTUM})"
        )
        return layer_with(layer, f.transpose(2, 3, 1, 0), b.reshape(1, 1, 1, -1), f.shape[1])

    def convolution(x, f, b, dy, stride, padding):
        layer = conv_layer(f, b, stride, padding)
        x_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        dy_last = np.ascontiguousarray(dy.transpose(0, 2, 3, 1))

        def run():
            layer.flush_gradients()
            y, dx = layer.forward(x_last), layer.backward(dy_last)
            df = layer.gradients["W"].transpose(3, 2, 0, 1)
            return y.transpose(0, 3, 1, 2), dx.transpose(0, 3, 1, 2), df

        return run

    def mnist_step(x, labels, weights):
        f, b, w1, b1, w2, b2 = weights
        optimizer = f"SGD(lr={LR}, momentum={MOMENTUM})"
        conv, pool, flatten = conv_layer(f, b, 1, 0), Pool2D((2, 2), 2), Flatten()
        # Its pictures are channels-last, so the rows of the weights come in another order.
        w1 = w1.reshape(100, 30, 12, 12).transpose(2, 3, 1, 0).reshape(4320, 100)
        first = layer_with(FullyConnected(100, "ReLU", optimizer=optimizer), w1, b1[None], 4320)
        second = layer_with(FullyConnected(10, None, optimizer=optimizer), w2.T, b2[None], 100)
        conv.act_fn = first.act_fn
        layers, softmax = [conv, pool, flatten, first, second], Softmax()
        x_last, targets = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), np.eye(10)[labels]

        def run():
            h = x_last
            for layer in layers:
                h = layer.forward(h)
            predicted = softmax.forward(h, retain_derived=False)
            d = CrossEntropy.grad(targets, predicted) / len(x)  # it sums; the others average
            for layer in reversed(layers):
                d = layer.backward(d)
            for layer in layers:
                layer.update()
            return float(CrossEntropy.loss(targets, predicted)) / len(x)

        return run

    return SimpleNamespace(convolution=convolution, mnist_step=mnist_step)


def tinygrad():
    """A compiler for tensors: it writes C for each step once, then only runs it."""
    if shutil.which(os.environ.get("CC", "clang")) is None:
        raise RuntimeError("no clang was found")
    # One thread for the kernels too, and no processes that compile in the background.
    os.environ |= {"DEV": "CPU", "THREADS": "0", "PARALLEL": "0", "NUM_CPU_THREADS": "1"}
    from tinygrad import Context, Device, Tensor, TinyJit
    from tinygrad.nn.optim import SGD

    def jitted(function, *inputs):
        """Run a function until it is compiled; each call then waits for its results."""
        compiled = TinyJit(function)

        def run():
            results = compiled(*inputs)
            Device[Device.DEFAULT].synchronize()
            return results

        for _ in range(2):
            run()
        return run

    def tensor(a):
        return Tensor(np.ascontiguousarray(a)).realize()

    def convolution(x, f, b, dy, stride, padding):
        def step(x, f, b, dy):
            y = x.conv2d(f, b, stride=stride, padding=padding)
            dx, df, db = y.gradient(x, f, b, gradient=dy)
            Tensor.realize(y, dx, df, db)
            return y, dx, df

        return jitted(step, *map(tensor, (x, f, b, dy)))

    def mnist_step(x, labels, weights):
        params = [tensor(w) for w in weights]
        optimizer = SGD(params, lr=LR, momentum=MOMENTUM)

        def step(x, labels):
            f, b, w1, b1, w2, b2 = params
            with Context(TRAINING=1):
                optimizer.zero_grad()
                h = x.conv2d(f, b).relu().max_pool2d(2).flatten(1)
                loss = (
                    h.linear(w1.T, b1)
                    .relu()
                    .linear(w2.T, b2)
                    .sparse_categorical_crossentropy(labels)
                )
                loss.backward()
                return loss.realize(*optimizer.schedule_step())

        # The two calls until it is compiled are training steps too: they must not count.
        run = jitted(step, tensor(x), tensor(labels.astype(np.int32)))
        for param, w in zip(params, weights):
            param.assign(tensor(w)).realize()
        for velocity in optimizer.b:
            velocity.assign(velocity.zeros_like()).realize()
        return lambda: run().item()

    return SimpleNamespace(convolution=convolution, mnist_step=mnist_step)


def load():
    """Return the peers that run by name, and for the others why they don't."""
    running, absent = {}, {}
    for name, make in {
        "dezero": dezero,
        "mygrad": mygrad,
        "numpy-ml": numpy_ml,
        "tinygrad": tinygrad,
    }.items():
        try:
            with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
                running[name] = make()
            running[name].version = importlib.metadata.version(name)
        except Exception as error:  # old packages fail in many ways; the table says how
            absent[name] = f"{type(error).__name__}: {error}"
    return running, absent
