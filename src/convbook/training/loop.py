"""The loop of training: epochs and steps, whatever a step does.

    def step(x, y):
        error = loss(model(x), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        return error

    history = run(step, MiniBatches(x, y, 50), epochs=5, optimizers=optimizer)

`convbook.training.fit` is that with this step. A step may train two networks, have targets that
depend on what the network has just said, and return several losses by name.
"""

import math
import numbers
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np

from .. import checks
from ..layers.base import Container, Layer
from ..optimizers import Optimizer, Schedule
from ..progress import progress_bar
from .checks import instance
from .history import History
from .undo import Before

SECONDS_BETWEEN_LOOKS = 0.2


def run(
    step,
    batches,
    epochs,
    optimizers,
    schedules=(),
    validate=None,
    after_epoch=None,
    patience=None,
    checkpoint=None,
    progress=None,
):
    """Train: in each epoch, make one step for every mini-batch.

    Before each step the gradients of all models are cleared, so that an optimizer refuses what a
    step has left out instead of moving it by the gradients of an earlier one. An interrupt (Ctrl-C,
    Jupyter's stop button) ends the training after the step at hand; what was learned stays in the
    models. Afterwards the models are in the mode of `eval()`.

    Parameters
    ----------
    step : function(*batch)
        Runs the models forward and backward, and calls `step()` of the optimizers. Returns the
        loss, or a dict name -> number; the numbers may be arrays without axes. What has "loss" in
        its name must be finite.
    batches : iterable, or function() that returns one
        The mini-batches of an epoch. It is gone through anew, or called anew, in each epoch. A
        mini-batch that is a tuple is handed to `step` as several arguments.
    epochs : int
    optimizers : Optimizer or sequence of them
        Their models are what is trained.
    schedules : Schedule or sequence of them
        Are told after every step to change the learning rates.
    validate : function(), optional
        Measures the models after every epoch, in the mode of `eval()`, on held-out data. Returns
        what `step` returns; the names in the history begin with "val_".
    after_epoch : function(history), optional
        Is called after every epoch, with the models in the mode of `eval()`.
    patience : int, optional
        Stop after so many epochs in a row without a new least "val_loss", and take the models back
        to the epoch of the least one, also if the training is stopped by something else.
    checkpoint : path, optional
        An .npz file for the state of the least "val_loss" (or "loss"). It is written whole or not
        at all; `model.load` reads it, for several models
        ``Container({"0": first, "1": second}).load``.
    progress : bool, optional
        Whether to show a progress bar; if not given, unless the environment variable CONVBOOK_QUIET
        is set.

    Returns
    -------
    History
        What the steps have returned, averaged over an epoch; each mini-batch counts by the length
        of its first array. The learning rate is called "lr", those of several optimizers "lr_0",
        "lr_1" and so on.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; nothing was changed then.
    FloatingPointError
        If a loss becomes infinite or NaN.
    Exception
        Whatever is raised by a step, a mini-batch, `validate`, `after_epoch`, or in between.
        The models (parameters and buffers), optimizers and schedules are then as they were before
        the epoch in which it happened; a note of the exception says which.
    """
    optimizers, schedules = (
        several("optimizers", optimizers, Optimizer),
        several("schedules", schedules, Schedule),
    )
    check_run(step, batches, epochs, optimizers, validate, after_epoch, patience, checkpoint)
    model = as_one([optimizer.model for optimizer in optimizers])
    history, best, before = History(), None, None
    total = epochs * len(batches) if hasattr(batches, "__len__") else None
    bar = progress_bar(total, progress, unit="batch")
    try:
        for epoch in range(1, epochs + 1):
            before = Before(model, [*optimizers, *schedules])
            times, start = learning_rates(optimizers), perf_counter()
            found = run_epoch(step, batches, model, schedules, bar, first=epoch == 1)
            times["seconds"] = perf_counter() - start
            if validate is not None:
                found |= {
                    f"val_{name}": float(value)
                    for name, value in by_name("validate", validate()).items()
                }
            check_losses(found)
            history.append(found | times)
            bar.set_description(f"Epoch {epoch} of {epochs}: {history.last()}")
            if (patience or checkpoint is not None) and history.best_epoch == epoch:
                best = model.state() if patience else None
                if checkpoint is not None:
                    model.save(checkpoint)
            if after_epoch is not None:
                after_epoch(history)
            if patience and epoch - history.best_epoch >= patience:
                history.stopped = "early"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    except BaseException as error:
        if before is not None:
            with uninterrupted():
                before.restore()
        if isinstance(error, LossNotFinite):
            raise FloatingPointError(error.explained(epoch, times, model)) from None
        if before is not None:
            error.add_note(f"The model is as it was before epoch {epoch} of {epochs}.")
        raise
    finally:
        bar.close()
        model.eval()
    if best is not None:
        with uninterrupted():
            model.load_state(best)
    if history.stopped == "interrupted":
        kept = (
            f"is as after epoch {history.best_epoch}, the best"
            if best is not None
            else "keeps what it has learned so far"
        )
        print(f"Interrupted in epoch {epoch} of {epochs}: the model {kept}.")
    return history


def run_epoch(step, batches, model, schedules, bar, first):
    """Make one step for each mini-batch; return the averages of what the steps return."""
    model.train()
    # On a GPU the sums stay there while it computes: reading one makes the CPU wait for it.
    sums, counts, next_look = {}, {}, perf_counter()
    for batch in batches() if callable(batches) else batches:
        arguments = batch if isinstance(batch, tuple) else (batch,)
        with uninterrupted(), np.errstate(over="ignore", invalid="ignore"):
            model.clear_grads()
            found = by_name("step", step(*arguments))
            for schedule in schedules:
                schedule.step()
        if first:
            check_losses(found, in_first_step=True)
            first = False
        weight = len(arguments[0]) if hasattr(arguments[0], "__len__") else 1
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + weight * value
            counts[name] = counts.get(name, 0) + weight
        bar.update()
        if perf_counter() > next_look:
            losses = {name: float(sums[name]) / counts[name] for name in sums if "loss" in name}
            check_losses(losses)
            bar.set_postfix_str(", ".join(f"{name} {mean:.3f}" for name, mean in losses.items()))
            next_look = perf_counter() + SECONDS_BETWEEN_LOOKS
    if not sums:
        raise ValueError(
            "batches must hold at least one mini-batch with at least one input in "
            "each epoch, got none"
        )
    model.eval()
    return {name: float(value) / counts[name] for name, value in sums.items()}


def by_name(what, found):
    """Return what a step has returned as a dict name -> number."""
    found = found if hasattr(found, "items") else {"loss": found}
    for name, value in found.items():
        if not isinstance(value, numbers.Real) and getattr(value, "shape", None) != ():
            raise TypeError(
                f"{what} must return the loss, a number, or a dict name -> number, got "
                f"{value!r} of type {type(value).__name__} as {name!r}"
            )
    return dict(found)


# --- Checks --------------------------------------------------------------------------------------


def several(name, given, kind):
    """Return one thing or a sequence of things as a tuple, all of the same kind."""
    given = () if given is None else tuple(given) if isinstance(given, (tuple, list)) else (given,)
    for one in given:
        instance(name, one, kind)
    return given


def check_run(step, batches, epochs, optimizers, validate, after_epoch, patience, checkpoint):
    """Check what `run` is given."""
    if not callable(step):
        raise TypeError(f"step must be a function of a mini-batch, got {step!r}")
    if not callable(batches):
        try:
            once = iter(batches) is batches
        except TypeError:
            raise TypeError(
                "batches must be something that holds mini-batches, or a function that "
                f"returns it, got {batches!r}"
            ) from None
        if once and epochs != 1:
            raise TypeError(
                "batches can be gone through once only, and each epoch needs them "
                "anew: give a list, MiniBatches, or a function that returns them, got "
                f"a {type(batches).__name__}"
            )
    checks.integer("epochs", epochs, least=1)
    if not optimizers:
        raise ValueError("optimizers must be at least one, got none")
    for name, function in (("validate", validate), ("after_epoch", after_epoch)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function, got {function!r}")
    check_patience(patience, validate, "validate, which measures on held-out data")
    check_checkpoint(checkpoint)


def check_patience(patience, validation, needed):
    """Check how long a training waits for a new best epoch."""
    if patience is not None:
        checks.integer("patience", patience, least=1)
        if validation is None:
            raise ValueError(f"patience needs {needed}, got None")


def check_checkpoint(checkpoint):
    """Check that a file can be written there."""
    if checkpoint is not None:
        path = Path(checkpoint).absolute()
        if not path.parent.is_dir() or path.is_dir():
            raise ValueError(
                f"checkpoint must be a file in a folder that exists, got {str(checkpoint)!r}"
            )


def as_one(models):
    """Return a single model as it is, and several as one container of them."""
    for model in models:
        instance("an optimizer's model", model, Layer)
    if len(models) == 1:
        return models[0]
    try:
        return Container({str(i): model for i, model in enumerate(models)})
    except ValueError:
        raise ValueError(
            "optimizers must be made for models that have no layer in common, or a "
            "layer would be moved by two of them"
        ) from None


def learning_rates(optimizers):
    """Return the learning rates by the names that they have in a history."""
    if len(optimizers) == 1:
        return {"lr": optimizers[0].lr}
    return {f"lr_{i}": optimizer.lr for i, optimizer in enumerate(optimizers)}


def check_losses(found, in_first_step=False):
    """Raise `LossNotFinite` if a loss is infinite or NaN."""
    for name, value in found.items():
        if "loss" in name and not math.isfinite(value):
            raise LossNotFinite(name, float(value), in_first_step)


class LossNotFinite(FloatingPointError):
    """A loss is infinite or NaN; `explained` says where that may come from."""

    def __init__(self, name, value, in_first_step):
        super().__init__(f"{name} became {value}")
        self.in_first_step = in_first_step

    def explained(self, epoch, times, model):
        """Return the message for whoever trains."""
        half = any(param.dtype == np.float16 for param in model.params.values())
        more = (
            " In float16 a number above 65,504 is infinite, and model.astype(np.float32) is "
            "worth a try."
            if half
            else ""
        )
        if self.in_first_step:
            return (
                f"{self} in the very first step, before anything was learned, so the learning "
                "rate is not the reason: look at the data, the initial weights and the "
                f"loss.{more} The model is as it was before"
            )
        rates = [f"{value:g}" for name, value in times.items() if name != "seconds"]
        were = f"rate{'s'[: len(rates) - 1]}, which {'was' if len(rates) == 1 else 'were'} "
        were += " and ".join(rates)
        return (
            f"{self} in epoch {epoch}: most likely the steps are too large. Lower the learning "
            f"{were}.{more} The model is as it was before this epoch"
        )


# --- Interrupts ----------------------------------------------------------------------------------


@contextmanager
def uninterrupted():
    """Let an interrupt wait until the block is done, so that no step is left half made."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
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
