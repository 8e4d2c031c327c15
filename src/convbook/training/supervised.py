"""Training a model to give known answers: the step that nearly every chapter needs."""

from .. import checks
from ..layers.base import Layer, run_backward
from ..losses import Loss, SoftmaxCrossEntropy
from .batches import MiniBatches, changes_targets
from .checks import chosen_metrics, chosen_optimizer, data, held_out, instance
from .loop import check_checkpoint, check_patience, run
from .use import evaluate, first_scores, mover


def fit(
    model,
    x,
    y,
    epochs=5,
    batch_size=100,
    loss=None,
    optimizer=None,
    schedule=None,
    validation=None,
    metrics=None,
    augment=None,
    after_epoch=None,
    patience=None,
    checkpoint=None,
    seed=0,
    progress=None,
):
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
    augment : function(x_batch, rng) or function(x_batch, y_batch, rng), optional
        The first returns the images changed at random, drawn from the NumPy generator `rng`; the
        second the pair of images and targets, for masks that are turned along with their images.
        Which of the two it is, is seen from how many arguments it takes (if two or three will do,
        from which of them is called `rng`). The arrays it gets are copies, of the kind and dtype of
        `x` and `y`; new targets are checked in every step.
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
        If the loss becomes infinite or NaN.
    Exception
        Whatever is raised by a step, `augment`, a metric, `after_epoch`, the held-out data, or in
        between, such as MemoryError. The model (parameters and buffers), its optimizer and its
        schedule are then as they were before the epoch in which it happened; a note of the
        exception says which. (An interrupt raises nothing; see above.)
    """
    x, y = data("x", x, "y", y)
    if validation is not None:
        validation = held_out(validation)
    instance("model", model, Layer)
    checks.integer("epochs", epochs, least=1)
    check_patience(patience, validation, "validation, the data whose loss is watched")
    check_checkpoint(checkpoint)
    loss = SoftmaxCrossEntropy() if loss is None else loss
    optimizer = chosen_optimizer(model, optimizer, schedule)
    rng = checks.generator("seed", seed)
    batches = MiniBatches(x, y, batch_size, rng, augment, move=lambda array: mover(model)(array))
    scores = first_scores(model, x, "y", y, loss)
    if validation is not None:
        first_scores(model, validation[0], "validation[1]", validation[1], loss)
    metrics = chosen_metrics(metrics, y, scores, loss)
    (dropping,) = rng.spawn(1)  # after those of the order and of the augmentation
    for layer in model.walk():
        if hasattr(layer, "reseed"):  # it draws random numbers
            layer.reseed(dropping)
    return run(
        supervised_step(model, loss, optimizer, metrics, changes_targets(augment)),
        batches,
        epochs,
        optimizer,
        schedule,
        validate=None
        if validation is None
        else (lambda: evaluate(model, *validation, loss, metrics)),
        after_epoch=None if after_epoch is None else lambda history: after_epoch(model, history),
        patience=patience,
        checkpoint=checkpoint,
        progress=progress,
    )


def supervised_step(model, loss, optimizer, metrics, always_check):
    """Return the step of `fit`: forward, loss, backward, update.

    Targets were looked at before the training: `measure` need not look again, but where an
    augmentation makes new ones (`always_check`), and once, for shapes that it may have changed.
    """
    measure = getattr(loss, "measure", loss)  # a loss of your own needs no `measure`
    unseen = isinstance(loss, Loss)

    def step(inputs, targets):
        nonlocal unseen
        scores = model.forward(inputs)
        if unseen:
            loss.check(scores, targets)
            unseen = always_check
        found = {"loss": measure(scores, targets)}
        run_backward(model, loss.backward(), need_dx=False)
        optimizer.step()
        return found | {name: metric(scores, targets) for name, metric in metrics.items()}

    return step
