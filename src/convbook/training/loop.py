"""The loop of training: epochs, mini-batches, steps."""

import math
import signal
import threading
from contextlib import contextmanager
from time import perf_counter

import numpy as np

from .. import checks
from ..arrays import get_array_module
from ..losses import SoftmaxCrossEntropy
from ..progress import progress_bar
from .checks import check_finite, check_settings, chosen_metrics, chosen_optimizer, data, held_out
from .history import History
from .use import evaluate, first_scores, mover

SECONDS_BETWEEN_LOOKS = 0.2


def fit(model, x, y, epochs=5, batch_size=100, loss=None, optimizer=None, schedule=None,
        validation=None, metrics=None, augment=None, after_epoch=None, patience=None,
        checkpoint=None, seed=0, progress=None):
    """Train a model: in each epoch it sees every image once, in mini-batches and in a new order.

    An interrupt (Ctrl-C, Jupyter's stop button) ends the training after the mini-batch at hand;
    what was learned stays in the model. Afterwards the model is in the mode of `model.eval()`.

    Parameters
    ----------
    model : Layer
        Is changed. Where its parameters live, on the CPU or a GPU, the computing is done.
    x : array (N, ...)
        N inputs, such as images (N, C, H, W); NumPy or CuPy.
    y : array (N, ...)
        What the model shall say, such as labels (N,) of ints; NumPy or CuPy.
    epochs : int
    batch_size : int
        At most N. The last mini-batch of an epoch may be smaller.
    loss : Loss, optional
        Softmax with cross entropy if not given.
    optimizer : Optimizer, optional
        Made for this model; ``Adam(model, lr=0.001)`` if not given.
    schedule : Schedule, optional
        Changes the learning rate after every mini-batch. Without `optimizer`, its own is taken.
    validation : (x, y), optional
        Held-out data, on which the model is measured after every epoch.
    metrics : dict, name -> function(scores, y), optional
        What to measure beside the loss; the accuracy if not given and y are labels.
    augment : function(x_batch, rng), optional
        Returns the images changed at random, drawn from the NumPy generator `rng`. The array is a
        copy, of the kind and dtype of `x`.
    after_epoch : function(model, history), optional
        Is called after every epoch, with the model in the mode of `model.eval()`.
    patience : int, optional
        Stop after so many epochs in a row without a new least loss on the held-out data, and take
        the model back to the epoch of the least loss, also if it is stopped by something else.
    checkpoint : path, optional
        An .npz file for the state of the least loss (on the held-out data, if there are any). It
        is written whole or not at all; `model.load` reads it.
    seed : int or numpy.random.Generator
        Draws the order of the images, the augmentation and what `Dropout` drops. From the same
        weights, the same seed leads to the same weights.
    progress : bool, optional
        Whether to show a progress bar; if not given, unless the environment variable CONVBOOK_QUIET
        is set.

    Returns
    -------
    History
        The losses, metrics, learning rates and seconds of the epochs that were finished.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; nothing was changed then.
    FloatingPointError
        If the loss becomes infinite or NaN; the model is as it was before that epoch.
    """
    x, y = data("x", x, "y", y)
    if validation is not None:
        validation = held_out(validation)
    check_settings(model, x, epochs, batch_size, validation, augment, patience, checkpoint)
    loss = SoftmaxCrossEntropy() if loss is None else loss
    optimizer = chosen_optimizer(model, optimizer, schedule)
    scores = first_scores(model, x, "y", y, loss)
    if validation is not None:
        first_scores(model, validation[0], "validation[1]", validation[1], loss)
    metrics = chosen_metrics(metrics, y, scores, loss)
    shuffling, augmenting, dropping = generators(seed)
    for layer in model.walk():
        if hasattr(layer, "reseed"):  # it draws random numbers
            layer.reseed(dropping)

    history, best = History(), None
    bar = progress_bar(epochs * math.ceil(len(x) / batch_size), progress, unit="batch")
    try:
        for epoch in range(1, epochs + 1):
            before, lr, start = model.state(), optimizer.lr, perf_counter()
            batches = mini_batches(model, x, y, batch_size, shuffling, augment, augmenting)
            numbers = train_epoch(model, batches, loss, optimizer, schedule, metrics, bar)
            times = {"lr": lr, "seconds": perf_counter() - start}
            if validation is not None:
                measured = evaluate(model, *validation, loss, metrics)
                numbers |= {f"val_{name}": value for name, value in measured.items()}
            check_finite(numbers)
            history.append(numbers | times)
            bar.set_description(f"Epoch {epoch} of {epochs}: {history.last()}")
            if history.best_epoch == epoch:
                best = model.state() if patience else None
                if checkpoint is not None:
                    model.save(checkpoint)
            if after_epoch is not None:
                after_epoch(model, history)
            if patience and epoch - history.best_epoch >= patience:
                history.stopped = "early"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    except FloatingPointError as error:
        model.load_state(before)
        optimizer.zero_state()
        raise FloatingPointError(
            f"{error} in epoch {epoch}: the steps are too large. Lower the learning rate, which "
            f"was {lr:g}; the model is as it was before this epoch") from None
    finally:
        bar.close()
        model.eval()
    if best is not None:
        model.load_state(best)
    if history.stopped == "interrupted":
        kept = (f"is as after epoch {history.best_epoch}, the best" if best is not None
                else "keeps what it has learned so far")
        print(f"Interrupted in epoch {epoch} of {epochs}: the model {kept}.")
    return history


def train_epoch(model, batches, loss, optimizer, schedule, metrics, bar):
    """Make one step for each mini-batch; return the averages of the loss and the metrics."""
    model.train()
    measure = getattr(loss, "measure", loss)  # a loss of your own needs no `measure`
    # On a GPU the sums stay there while it computes: reading one makes the CPU wait for it.
    sums, seen, next_look = dict.fromkeys(("loss", *metrics), 0.0), 0, perf_counter()
    for inputs, targets in batches:
        with uninterrupted(), np.errstate(over="ignore", invalid="ignore"):
            scores = model.forward(inputs)
            error = measure(scores, targets)
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
            if schedule is not None:
                schedule.step()
        seen += len(inputs)
        sums["loss"] += len(inputs) * error
        for name, metric in metrics.items():
            sums[name] += len(inputs) * metric(scores, targets)
        bar.update()
        if perf_counter() > next_look:
            mean = float(sums["loss"]) / seen
            check_finite({"loss": mean})
            bar.set_postfix_str(f"loss {mean:.3f}")
            next_look = perf_counter() + SECONDS_BETWEEN_LOOKS
    model.eval()
    return {name: float(value) / seen for name, value in sums.items()}


def mini_batches(model, x, y, batch_size, shuffling, augment, augmenting):
    """Yield (inputs, targets), in a random order, where the model is."""
    move = mover(model)
    order = shuffling.permutation(len(x))
    x_order = get_array_module(x).asarray(order)  # an index lives where its array does
    y_order = get_array_module(y).asarray(order)
    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)
        inputs, targets = x[x_order[batch]], y[y_order[batch]]
        if augment is not None:
            inputs = augment(inputs, augmenting)
            if len(inputs) != len(targets):
                raise ValueError(f"augment must return as many images as it is given, "
                                 f"{len(targets)}, got {len(inputs)}")
        yield move(inputs), move(targets)


@contextmanager
def uninterrupted():
    """Let an interrupt wait until the block is done, so that no step is left half made."""
    if (threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler):
        yield  # Python interrupts only the main thread; and another's handler is left alone
        return
    waiting = []
    signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if waiting:
        raise KeyboardInterrupt


def generators(seed):
    """Return three generators, so that augmentation changes nothing about the order of images."""
    if seed is not None and not isinstance(seed, np.random.Generator):
        seed = checks.integer("seed", seed, least=0)
    return np.random.default_rng(seed).spawn(3)
