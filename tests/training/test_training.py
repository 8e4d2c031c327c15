"""Training: that it learns, what it promises about seeds, interrupts and files, and bad input."""

import json
import re
import signal
import threading
from itertools import chain

import matplotlib
import numpy as np
import pytest

from convbook.datasets import mnist
from convbook.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy
from convbook.models.digits import digit_cnn
from convbook.optimizers import SGD, Adam, CosineSchedule
from convbook.stand_in import StandInArray, pretended_gpu
from convbook.training import accuracy, confusion_matrix, evaluate, fit, loop, predict
from convbook.training.history import History
from helpers import ROOT

N = 60


def bars(n=N, seed=0):
    """Images of a bar in one of four directions, with some noise, and their labels."""
    rng = np.random.default_rng(seed)
    clean = np.zeros((4, 1, 8, 8), np.float32)
    clean[0, 0, 3:5], clean[1, 0, :, 3:5] = 1, 1
    clean[2, 0], clean[3, 0] = np.eye(8), np.eye(8)[::-1]
    labels = rng.integers(0, 4, n)
    return clean[labels] + 0.2 * rng.standard_normal((n, 1, 8, 8), np.float32), labels


def network(seed=0, dropout=0.0):
    rng = np.random.default_rng(seed)
    return Sequential(
        Conv2d(1, 4, 3, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dropout(dropout),
        Linear(36, 4, rng=rng),
    )


def flip(x, rng):
    """A small augmentation."""
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x, x[:, :, ::-1])


def same(state, other):
    return state.keys() == other.keys() and all(
        np.array_equal(array, other[name]) for name, array in state.items()
    )


X, Y = bars()
HELD_OUT = bars(40, seed=1)


# --- Learning ------------------------------------------------------------------------------------


def test_it_learns():
    model = network()
    before = evaluate(model, *HELD_OUT)
    history = fit(
        model, X, Y, epochs=15, batch_size=10, optimizer=Adam(model, 0.01), validation=HELD_OUT
    )
    assert evaluate(model, *HELD_OUT)["accuracy"] > 0.95 > before["accuracy"]
    assert len(history) == 15 and history.stopped == "finished"
    assert set(history.keys()) == {"loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"}
    assert all(len(history[name]) == 15 for name in history.keys())
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    assert history["accuracy"][-1] > 0.95
    after = evaluate(model, *HELD_OUT)
    assert (history["val_loss"][-1], history["val_accuracy"][-1]) == (
        after["loss"],
        after["accuracy"],
    )
    assert all(type(value) is float for name in history.keys() for value in history[name])
    assert not any(layer.training for layer in model.walk())  # ready for use


@pytest.mark.slow
def test_the_network_of_the_chapter_reads_digits():
    digits, model = mnist(), digit_cnn(0)
    assert sum(a.size for a in model.params.values()) == 20_522
    assert same(model.state(), digit_cnn(0).state())
    assert not same(model.state(), digit_cnn(1).state())
    fit(
        model, digits.x_train, digits.y_train, epochs=2, batch_size=50, optimizer=Adam(model, 0.003)
    )
    assert evaluate(model, digits.x_test, digits.y_test)["accuracy"] > 0.9


def test_the_recorded_trainings_keep_the_promise():
    """0.975 of the 10,000 test digits within a minute; `benchmarks/record_digits.py` measures."""
    record = json.loads((ROOT / "book" / "data" / "digits.json").read_text(encoding="utf-8"))
    assert record["parameters"] == 20_522
    for row in record["trainings"].values():
        assert row["median_accuracy_10000"] >= 0.975 and row["median_cpu_seconds"] < 60


@pytest.mark.slow
def test_it_is_pytorchs_training_on_the_same_mini_batches():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    model, epochs, batch_size = network(), 4, 16
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4)
    )
    with torch.no_grad():
        for array, tensor in zip(model.params.values(), module.parameters()):
            tensor.copy_(torch.from_numpy(array))
    theirs = torch.optim.Adam(module.parameters(), 0.01)
    steps = epochs * -(-N // batch_size)
    their_schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, steps)
    criterion = nn.CrossEntropyLoss()
    x, y, held_x, held_y = map(torch.from_numpy, (X, Y, *HELD_OUT))
    losses, held_losses, rates = [], [], []
    shuffling = np.random.default_rng(7).spawn(3)[0]
    for _ in range(epochs):
        rates.append(theirs.param_groups[0]["lr"])
        order, total = shuffling.permutation(N), 0
        for start in range(0, N, batch_size):
            batch = order[start : start + batch_size]
            theirs.zero_grad()
            error = criterion(module(x[batch]), y[batch])
            error.backward()
            theirs.step()
            their_schedule.step()
            total += len(batch) * error.item()
        losses.append(total / N)
        with torch.no_grad():
            held_losses.append(criterion(module(held_x), held_y).item())

    schedule = CosineSchedule(Adam(model, 0.01), steps)
    history = fit(model, X, Y, epochs, batch_size, schedule=schedule, validation=HELD_OUT, seed=7)
    assert history["loss"] == pytest.approx(losses, rel=1e-4)
    assert history["val_loss"] == pytest.approx(held_losses, rel=1e-4)
    assert history["lr"] == pytest.approx(rates)


def test_every_image_is_seen_once_in_each_epoch_and_the_last_mini_batch_is_smaller():
    seen = []
    model = Sequential(Flatten(), Linear(1, 2, rng=0))
    x = np.arange(25, dtype=np.float32).reshape(25, 1, 1, 1)

    def note(batch, rng):
        seen.append(batch.ravel().astype(int).tolist())
        return batch / 25

    fit(model, x, np.arange(25) % 2, epochs=2, batch_size=10, augment=note)
    assert list(map(len, seen)) == [10, 10, 5] * 2
    first, second = [*chain(*seen[:3])], [*chain(*seen[3:])]
    assert sorted(first) == sorted(second) == list(range(25))
    assert first != second and first != sorted(first)


def test_the_loss_of_an_epoch_counts_every_image_alike():
    x, y = X[:25], Y[:25]
    model = network()
    history = fit(model, x, y, epochs=1, batch_size=10, optimizer=SGD(model, lr=0))
    measured = evaluate(model, x, y)
    assert history["loss"] == [pytest.approx(measured["loss"], rel=1e-5)]
    assert history["accuracy"] == [pytest.approx(measured["accuracy"])]


def test_dropout_acts_in_training_and_not_in_measuring():
    model = network(dropout=0.9)
    history = fit(
        model, X, Y, epochs=1, optimizer=SGD(model, lr=0), batch_size=20, validation=(X, Y)
    )
    assert history["val_loss"] == [evaluate(network(), X, Y)["loss"]]
    assert history["loss"][0] > 1.5 * history["val_loss"][0]


def test_another_loss_and_other_metrics():
    model = Sequential(Flatten(), Linear(64, 1, rng=0))
    target = X.mean(axis=(1, 2, 3))[:, None]
    history = fit(
        model,
        X,
        target,
        epochs=20,
        batch_size=10,
        loss=MeanSquaredError(),
        metrics={"worst": lambda scores, y: abs(scores - y).max()},
        validation=(X, target),
    )
    assert set(history.keys()) == {"loss", "worst", "val_loss", "val_worst", "lr", "seconds"}
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert history["val_worst"][-1] == pytest.approx(abs(predict(model, X) - target).max())
    plain = fit(model, X, target, epochs=1, batch_size=10, loss=MeanSquaredError())
    assert set(plain.keys()) == {"loss", "lr", "seconds"}  # no accuracy without classes
    assert evaluate(model, X, target, MeanSquaredError()).keys() == {"loss"}


def test_labels_may_be_probabilities():
    model, one_hot = network(), np.eye(4, dtype=np.float32)[Y]
    history = fit(model, X, one_hot, epochs=2, batch_size=20, validation=(X, one_hot))
    twin = network()
    expected = fit(twin, X, Y, epochs=2, batch_size=20, validation=(X, Y))
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert history[name] == pytest.approx(expected[name], rel=1e-4)


def test_a_loss_of_ones_own_needs_forward_and_backward_only():
    class Own:
        def __call__(self, scores, labels):
            self.inner = SoftmaxCrossEntropy()
            return self.inner(scores, labels)

        def backward(self):
            return self.inner.backward()

    model, twin = network(), network()
    fit(model, X, Y, epochs=2, batch_size=20, loss=Own())
    fit(twin, X, Y, epochs=2, batch_size=20)
    assert same(model.state(), twin.state())


def test_lists_and_integers_will_do():
    history = fit(
        network(),
        (255 * X).astype(np.uint8).tolist(),
        Y.tolist(),
        epochs=1,
        batch_size=20,
        validation=[X.tolist(), Y.tolist()],
    )
    assert len(history) == 1


def test_after_epoch_gets_the_model_in_use_and_the_history_so_far():
    seen = []

    def look(model, history):
        seen.append((len(history), model.training, history["loss"][-1]))

    history = fit(network(), X, Y, epochs=3, batch_size=20, after_epoch=look)
    assert seen == [(i + 1, False, history["loss"][i]) for i in range(3)]


# --- One seed ------------------------------------------------------------------------------------


def trained(seed, augment=flip, **options):
    model = network(dropout=0.3)
    fit(model, X, Y, epochs=2, batch_size=10, augment=augment, seed=seed, **options)
    return model.state()


def test_the_same_seed_leads_to_the_same_weights():
    assert same(trained(3), trained(3))
    assert same(trained(3), trained(np.random.default_rng(3)))
    assert same(trained(3), trained(3, validation=HELD_OUT, after_epoch=lambda *_: None))


def test_other_seeds_lead_to_other_weights():
    assert not same(trained(3), trained(4))
    assert not same(trained(None), trained(None))


@pytest.mark.parametrize("which", ("dropout", "augment"))
def test_the_seed_reaches_every_random_number(which):
    """With all images in one mini-batch, the order of the images plays no part."""

    def state(seed):
        model = network(dropout=0.5 if which == "dropout" else 0)
        fit(
            model,
            X[:1],
            Y[:1],
            epochs=3,
            batch_size=1,
            seed=seed,
            augment=None if which == "dropout" else lambda x, rng: x + rng.standard_normal(),
        )
        return model.state()

    assert same(state(1), state(1))
    assert not same(state(1), state(2))


def test_augmentation_does_not_change_the_order_of_the_images():
    def orders(change):
        seen = []

        class Note(SoftmaxCrossEntropy):
            def measure(self, scores, labels):
                seen.append(labels.tolist())
                return super().measure(scores, labels)

        fit(network(), X, Y, epochs=2, batch_size=10, loss=Note(), augment=change)
        return seen

    assert orders(flip) == orders(None)


def test_the_data_are_never_changed():
    x, y = X.copy(), Y.copy()

    def spoil(batch, rng):
        batch *= 0
        return batch

    fit(network(), x, y, epochs=1, batch_size=N, augment=spoil, validation=(x, y))
    assert np.array_equal(x, X) and np.array_equal(y, Y)


# --- Early stop and checkpoints ------------------------------------------------------------------


def overfitting(**options):
    """Train on labels that contradict the held-out ones: what is learned makes those worse."""
    model, states = network(), []
    rng = np.random.default_rng(0)
    options = {
        "epochs": 30,
        "batch_size": 10,
        "optimizer": SGD(model, 0.02, momentum=0.5),
        "validation": (X[:20], rng.permutation(Y[:20])),
    } | options
    history = fit(model, X, Y, after_epoch=lambda m, h: states.append(m.state()), **options)
    return model, history, states


def test_early_stop_restores_the_best():
    model, history, states = overfitting(patience=3)
    best = history.best_epoch
    assert 1 <= best and len(history) == best + 3 < 30
    assert history.stopped == "early"
    assert history["val_loss"][best - 1] == min(history["val_loss"])
    assert same(model.state(), states[best - 1])
    assert not same(model.state(), states[-1])


def test_patience_restores_the_best_even_if_the_epochs_run_out():
    model, history, states = overfitting(patience=100, epochs=8)
    assert history.stopped == "finished" and len(history) == 8 > history.best_epoch
    assert same(model.state(), states[history.best_epoch - 1])


def test_without_patience_the_last_epoch_counts():
    model, history, states = overfitting(epochs=8)
    assert len(history) == 8 > history.best_epoch
    assert same(model.state(), states[-1])


def test_the_checkpoint_is_the_best_state(tmp_path):
    path = tmp_path / "best.npz"
    model, history, states = overfitting(epochs=8, checkpoint=path)
    other = network(5)
    other.load(path)
    assert same(other.state(), states[history.best_epoch - 1])
    assert [file.name for file in tmp_path.iterdir()] == ["best.npz"]


def test_without_held_out_data_the_training_loss_decides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = network()
    history = fit(model, X, Y, epochs=3, batch_size=10, checkpoint="best.npz")
    assert history.best_epoch == 3
    other = network(5)
    other.load("best.npz")
    assert same(other.state(), model.state())


@pytest.mark.parametrize("problem", (KeyboardInterrupt, OSError))
def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path, monkeypatch, problem):
    path, calls, savez = tmp_path / "best.npz", [], np.savez

    def second_breaks(file, **arrays):
        calls.append(file)
        if len(calls) == 2:
            file.write(b"half of")
            raise problem
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", second_breaks)
    model, states = network(), []
    options = {
        "epochs": 5,
        "batch_size": 10,
        "checkpoint": path,
        "after_epoch": lambda m, h: states.append(m.state()),
    }
    if problem is OSError:  # a full disk
        with pytest.raises(OSError):
            fit(model, X, Y, **options)
    else:
        assert fit(model, X, Y, **options).stopped == "interrupted"
    other = network(5)
    other.load(path)
    assert same(other.state(), states[0])
    assert [file.name for file in tmp_path.iterdir()] == ["best.npz"]


# --- Interrupts ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def interrupts():
    """Let an interrupt be heard: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupting(SGD):
    """Is interrupted in its third step, when one of the parameters has been changed."""

    def _update(self, name, param, grad):
        super()._update(name, param, grad)
        if self.steps == 3 and name == "0.f":
            signal.raise_signal(signal.SIGINT)


def test_an_interrupt_keeps_what_was_learned(capsys):
    model, states = network(), []

    def stop(model, history):
        states.append(model.state())
        if len(history) == 2:
            raise KeyboardInterrupt

    history = fit(model, X, Y, epochs=5, batch_size=20, after_epoch=stop)
    assert len(history) == 2 and history.stopped == "interrupted"
    assert same(model.state(), states[1])
    assert capsys.readouterr().out == (
        "Interrupted in epoch 2 of 5: the model keeps what it has learned so far.\n"
    )


def test_an_interrupt_waits_until_the_step_is_whole(capsys):
    model, twin = network(), network()
    history = fit(model, X, Y, epochs=2, batch_size=N // 5, optimizer=Interrupting(model, 0.1))
    assert history.stopped == "interrupted" and len(history) == 0
    assert "Interrupted in epoch 1" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    steps = []

    class Stopping(SGD):
        def step(self):
            if len(steps) == 3:
                raise KeyboardInterrupt
            steps.append(super().step())

    fit(twin, X, Y, epochs=2, batch_size=N // 5, optimizer=Stopping(twin, 0.1))
    assert same(model.state(), twin.state())  # exactly three steps
    assert not same(model.state(), network().state())


def test_an_interrupt_with_patience_leaves_the_best(capsys):
    count = []

    def stop(batch, rng):
        count.append(1)
        if len(count) == 35:
            raise KeyboardInterrupt
        return batch

    model, history, states = overfitting(patience=30, augment=stop)
    assert len(history) == 5 and history.stopped == "interrupted"
    assert same(model.state(), states[history.best_epoch - 1])
    assert capsys.readouterr().out == (
        f"Interrupted in epoch 6 of 30: the model is as after epoch {history.best_epoch}, "
        "the best.\n"
    )


def test_another_handler_of_interrupts_is_left_alone():
    noted = []
    before = signal.signal(signal.SIGINT, lambda *_: noted.append(True))
    try:
        model = network()
        history = fit(model, X, Y, epochs=2, batch_size=12, optimizer=Interrupting(model, 0.1))
    finally:
        signal.signal(signal.SIGINT, before)
    assert noted == [True]
    assert history.stopped == "finished"


def test_training_in_another_thread():
    results = []
    thread = threading.Thread(
        target=lambda: results.append(fit(network(), X, Y, epochs=1, batch_size=20))
    )
    thread.start()
    thread.join()
    assert len(results[0]) == 1


# --- A loss that explodes ------------------------------------------------------------------------


@pytest.mark.parametrize("held_out", (None, HELD_OUT))
@pytest.mark.filterwarnings("error")
def test_a_loss_that_is_not_a_number_stops_the_training(held_out):
    model = network()
    optimizer, states = Adam(model, 0.01), []

    def explode(model, history):
        states.append(model.state())
        optimizer.lr = 1e30

    with pytest.raises(FloatingPointError) as caught:
        fit(
            model,
            X,
            Y,
            epochs=5,
            batch_size=20,
            optimizer=optimizer,
            after_epoch=explode,
            validation=held_out,
        )
    assert re.fullmatch(
        r"(val_)?loss became (nan|inf) in epoch 2: most likely the steps are too "
        r"large\. Lower the learning rate, which was 1e\+30\. The model is as it "
        r"was before this epoch",
        str(caught.value),
    )
    assert len(states) == 1 and same(model.state(), states[0])
    optimizer.lr = 0.01
    fit(model, X, Y, epochs=1, batch_size=20, optimizer=optimizer)  # it goes on from there


# --- Using the model -----------------------------------------------------------------------------


def test_predict_in_mini_batches_is_predict_at_once():
    model = network(dropout=0.5)
    scores = predict(model, X)
    assert scores.shape == (N, 4) and scores.dtype == np.float32
    np.testing.assert_allclose(predict(model, X, batch_size=7), scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(scores, model.eval()(X))
    assert predict(model, X[:0]).shape == (0, 4)


def test_predict_and_evaluate_put_every_layers_mode_back():
    model = Sequential(
        Conv2d(1, 2, 3, rng=0), BatchNorm2d(2), Flatten(), Dropout(), Linear(72, 4, rng=0)
    )
    model[1].eval()  # frozen
    modes, state = [layer.training for layer in model.walk()], model.state()
    predict(model, X)
    evaluate(model, X, Y)
    with pytest.raises(ValueError):
        predict(model, X[:, :, :2])
    assert [layer.training for layer in model.walk()] == modes
    assert same(model.state(), state)


def test_evaluate_measures_all_at_once():
    model = network()
    scores = predict(model, X)
    measured = evaluate(model, X, Y, batch_size=7)
    assert measured == {
        "loss": pytest.approx(SoftmaxCrossEntropy()(scores, Y), rel=1e-5),
        "accuracy": accuracy(scores, Y),
    }
    assert all(type(value) is float for value in measured.values())
    largest = evaluate(model, X, Y, metrics={"largest": lambda scores, y: scores.max()})
    assert largest["largest"] == scores.max() and "accuracy" not in largest


def test_accuracy():
    scores = [[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]
    assert accuracy(scores, [1, 0, 0, 0]) == 0.75
    assert type(accuracy(scores, [1, 0, 0, 0])) is float
    assert accuracy(scores, [[0, 1], [1, 0], [0.9, 0.1], [0.2, 0.8]]) == 0.5
    pixels = np.zeros((1, 2, 2, 2))
    pixels[0, 1, 0] = 1  # the upper row is of class 1
    assert accuracy(pixels, [[[1, 1], [0, 1]]]) == 0.75


def test_unknown_pixels_are_neither_right_nor_wrong():
    scores = np.zeros((1, 2, 2, 2))
    scores[0, 1] = 1
    labels = np.array([[[1, 255], [0, 255]]])
    loss = SoftmaxCrossEntropy(ignore_index=255)
    assert evaluate(Layer(), scores, labels, loss)["accuracy"] == 0.5
    model = Conv2d(2, 2, 1, rng=0)
    history = fit(model, scores, labels, epochs=1, batch_size=1, loss=loss)
    assert history["accuracy"][0] in (0, 0.5, 1)


def test_confusion_matrix():
    counts = confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 2], classes=4)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert counts.dtype == np.int64
    assert confusion_matrix(np.uint8([9]), [3]).shape == (10, 10)
    assert confusion_matrix(np.uint8([200]), np.uint8([100]), classes=256)[200, 100] == 1
    assert confusion_matrix([], [], classes=2).tolist() == [[0, 0], [0, 0]]


# --- The history ---------------------------------------------------------------------------------


def made_up(epochs=3, names=("loss", "accuracy", "val_loss", "val_accuracy")):
    history = History()
    for epoch in range(epochs):
        history.append(dict.fromkeys(names, 1 / (1 + epoch)) | {"lr": 0.1, "seconds": epoch})
    return history


def test_the_history_says_what_it_holds_without_times():
    assert repr(made_up()) == (
        "History of 3 epochs; the last: loss 0.33, accuracy 0.33, val_loss 0.33, val_accuracy 0.33"
    )
    assert repr(made_up(1, ["loss"])) == "History of 1 epoch; the last: loss 1.00"
    assert repr(History()) == "History of 0 epochs"
    assert "val_loss" in made_up() and "f1" not in made_up()
    assert made_up().best_epoch == 3 and History().best_epoch == 0
    with pytest.raises(KeyError, match="no 'f1' in this history, only 'loss', 'lr', 'seconds'"):
        made_up(1, ["loss"])["f1"]
    with pytest.raises(KeyError, match="no epoch at all"):
        History()["loss"]


def test_the_history_plots_itself():
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    for names, titles in [
        (("loss", "accuracy", "val_loss", "val_accuracy"), ["loss", "accuracy"]),
        (("loss",), ["loss"]),
    ]:
        history = made_up(names=names)
        assert history.plot() is None
        axes = plt.gcf().axes
        assert [ax.get_title() for ax in axes] == titles
        for ax, title in zip(axes, titles):
            lines = ax.get_lines()
            assert len(lines) == 1 + (f"val_{title}" in names)
            assert lines[0].get_xdata().tolist() == [1, 2, 3]
            assert lines[0].get_ydata().tolist() == history[title]
        plt.gcf().canvas.draw()
        assert all(float(tick).is_integer() for tick in axes[0].get_xticks())
        plt.close()
    with pytest.raises(ValueError, match="nothing to plot"):
        History().plot()


# --- Progress ------------------------------------------------------------------------------------


def test_the_progress_bar_can_be_silenced(monkeypatch, capsys):
    def written(progress=None):
        fit(network(), X, Y, epochs=2, batch_size=20, validation=HELD_OUT, progress=progress)
        captured = capsys.readouterr()
        return captured.out + captured.err

    monkeypatch.setenv("CONVBOOK_QUIET", "1")
    assert written() == ""
    shown = written(progress=True)
    assert "6/6" in shown and "loss" in shown and "Epoch 2 of 2" in shown
    assert "val_accuracy" in shown
    monkeypatch.delenv("CONVBOOK_QUIET")
    assert "6/6" in written()
    assert written(progress=False) == ""


# --- On a GPU ------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ("nothing", "x", "y", "everything"))
def test_the_data_may_be_on_the_cpu_or_on_the_gpu(there):
    expected, model = network(dropout=0.0), network(dropout=0.0)
    options = {"epochs": 2, "batch_size": 16, "seed": 1, "optimizer": None}
    on_cpu = fit(expected, X, Y, validation=HELD_OUT, **options)
    with pretended_gpu() as cupy:
        model.to_gpu()
        x = cupy.asarray(X) if there in ("x", "everything") else X
        y = cupy.asarray(Y) if there in ("y", "everything") else Y
        held_out = tuple(map(cupy.asarray, HELD_OUT)) if there == "everything" else HELD_OUT
        history = fit(model, x, y, validation=held_out, **options)
        assert all(type(a) is StandInArray for a in model.params.values())
        scores = predict(model, x)
        assert type(scores) is type(x)
        assert evaluate(model, x, y)["loss"] == pytest.approx(
            evaluate(expected, X, Y)["loss"], rel=1e-4
        )
        labels = scores.argmax(axis=1)
        assert confusion_matrix(y, labels, 4).trace() == pytest.approx(
            N * accuracy(cupy.asarray(scores), cupy.asarray(Y))
        )
        model.to_cpu()
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert history[name] == pytest.approx(on_cpu[name], rel=1e-4)
        assert all(type(value) is float for value in history[name])
    for name, array in expected.state().items():
        np.testing.assert_allclose(model.state()[name], array, rtol=1e-3, atol=1e-5)


def test_data_on_the_gpu_for_a_model_on_the_cpu():
    expected, model = network(), network()
    fit(expected, X, Y, epochs=1, batch_size=16)
    with pretended_gpu() as cupy:
        fit(model, cupy.asarray(X), cupy.asarray(Y), epochs=1, batch_size=16)
        assert type(predict(model, cupy.asarray(X))) is StandInArray
    assert same(model.state(), expected.state())


def test_dropout_on_the_gpu_follows_the_seed():
    def state(seed):
        with pretended_gpu():
            model = network(dropout=0.4).to_gpu()
            fit(model, X, Y, epochs=1, batch_size=20, seed=seed)
            return model.state()

    assert same(state(1), state(1))
    assert not same(state(1), state(2))


def test_the_cpu_does_not_wait_for_the_gpu_in_every_step(monkeypatch):
    """Reading a number, or deciding by one, waits until the GPU has computed it.

    The gradient of max pooling does it once, to find out whether there are NaNs; nothing else does.
    """
    reads = []

    def counted(name):
        def read(array, *arguments):
            reads.append(name)
            return getattr(np.ndarray, name)(array, *arguments)

        return read

    for name in ("__float__", "__bool__", "__int__", "__index__", "item", "tolist"):
        monkeypatch.setattr(StandInArray, name, counted(name), raising=False)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_LOOKS", 1000)

    def reads_of_an_epoch(batch_size):
        with pretended_gpu() as cupy:
            asnumpy = cupy.asnumpy
            cupy.asnumpy = lambda array: [reads.append("asnumpy"), asnumpy(array)][1]
            model = Sequential(
                Conv2d(1, 4, 3, rng=0),
                ReLU(),
                AvgPool2d(2),
                Flatten(),
                Dropout(),
                Linear(36, 4, rng=1),
            ).to_gpu()
            reads.clear()
            fit(model, cupy.asarray(X), cupy.asarray(Y), epochs=1, batch_size=batch_size)
            return len(reads)

    assert reads_of_an_epoch(5) == reads_of_an_epoch(30)  # 12 steps and 2


def test_a_model_that_lives_in_two_places_is_refused():
    model = network()
    with pretended_gpu():
        model[0].to_gpu()
        with pytest.raises(TypeError, match="5.w, 5.b in NumPy and 0.f, 0.b in CuPy"):
            fit(model, X, Y, batch_size=20)


# --- Bad input -----------------------------------------------------------------------------------

OTHER = network()
BAD = [
    ({"x": X[0, 0, 0, 0]}, ValueError, "x must hold at least one input, got shape ()"),
    (
        {"x": X[:0], "y": Y[:0]},
        ValueError,
        "x must hold at least one input, got shape (0, 1, 8, 8)",
    ),
    ({"x": "abc"}, TypeError, "x must hold"),
    ({"x": np.full_like(X, np.nan)}, ValueError, "x must hold finite numbers"),
    ({"x": X[:, :, :2]}, ValueError, "Conv2d(1, 4, 3): f must not be larger"),
    ({"y": Y[:-1]}, ValueError, "y must hold as many entries as x, 60, got shape (59,)"),
    ({"y": Y + 1}, ValueError, "y must be from 0 to 3, got 1 to 4"),
    ({"y": Y - 1}, ValueError, "y must be from 0 to 3, got -1 to 2"),
    ({"y": Y.astype(float)}, TypeError, "y of shape (60,) must be integers"),
    (
        {"y": np.zeros((N, 5))},
        ValueError,
        "y must have shape (60,) (ints) or (60, 4) (probabilities), got (60, 5)",
    ),
    ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
    ({"epochs": 2.0}, TypeError, "epochs must be an integer of at least 1, got 2.0"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, got 0"),
    ({"batch_size": 61}, ValueError, "batch_size must be at most the number of inputs, 60, got"),
    (
        {"patience": 0, "validation": (X, Y)},
        ValueError,
        "patience must be an integer of at least 1",
    ),
    ({"patience": 2}, ValueError, "patience needs validation"),
    ({"validation": X}, TypeError, "validation must be a pair (x, y) of arrays, got ndarray"),
    (
        {"validation": (X, Y[:3])},
        ValueError,
        "validation[1] must hold as many entries as validation[0], 60, got shape (3,)",
    ),
    ({"validation": (X, Y + 1)}, ValueError, "validation[1] must be from 0 to 3, got 1 to 4"),
    ({"checkpoint": "no/such/folder/best.npz"}, ValueError, "checkpoint must be a file in a"),
    ({"optimizer": "adam"}, TypeError, "optimizer must be of the kind convbook.optimizers.Optimi"),
    ({"optimizer": Adam(OTHER)}, ValueError, "optimizer must have been made for this model"),
    ({"schedule": 0.1}, TypeError, "schedule must be of the kind convbook.optimizers.Schedule"),
    ({"schedule": CosineSchedule(Adam(OTHER), 5)}, ValueError, "optimizer must have been made"),
    ({"loss": "mse"}, TypeError, "loss must be a Loss, which has a backward, got 'mse'"),
    ({"metrics": [accuracy]}, TypeError, "metrics must be a dict"),
    ({"metrics": {"f1": 3}}, TypeError, "metrics['f1'] must be a function of (scores, y), got 3"),
    ({"augment": True}, TypeError, "augment must be a function of (x_batch, rng), or"),
    ({"augment": lambda x, rng: x[1:]}, ValueError, "augment must return as many images"),
    ({"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
    ({"seed": "x"}, TypeError, "seed must be an integer of at least 0, got 'x'"),
    ({"model": "cnn"}, TypeError, "model must be of the kind convbook.layers.Layer, got 'cnn'"),
]


@pytest.mark.parametrize("wrong, error, said", BAD)
def test_wrong_arguments_are_refused_before_anything_is_changed(wrong, error, said):
    model = network(dropout=0.3)
    before = model.state()
    arguments = {"model": model, "x": X, "y": Y, "batch_size": 20} | wrong
    with pytest.raises(error, match=re.escape(said)):
        fit(**arguments)
    assert same(model.state(), before)


def test_a_schedule_of_another_optimizer_is_refused():
    model = network()
    with pytest.raises(ValueError, match="schedule must change the optimizer that is given"):
        fit(
            model,
            X,
            Y,
            batch_size=20,
            optimizer=Adam(model),
            schedule=CosineSchedule(Adam(model), 5),
        )


@pytest.mark.parametrize(
    "call, error, said",
    [
        (lambda: predict(network(), 3.0), ValueError, "x must have an axis for the inputs"),
        (lambda: predict(network(), X, batch_size=0), ValueError, "batch_size must be an integer"),
        (lambda: evaluate(network(), X, Y[1:]), ValueError, "y must hold as many entries as x, 60"),
        (
            lambda: evaluate(network(), X, Y + 4),
            ValueError,
            "labels must be from 0 to 3, got 4 to 7",
        ),
        (
            lambda: accuracy([1.0, 2.0], [0, 1]),
            ValueError,
            "scores must have at least 2 axes (N, K)",
        ),
        (
            lambda: accuracy([[1.0, 2.0]], [0, 1]),
            ValueError,
            "labels must have shape (1,), got (2,)",
        ),
        (
            lambda: confusion_matrix([0, 1], [0]),
            ValueError,
            "predicted must have shape (2,), got (1,)",
        ),
        (
            lambda: confusion_matrix([0, 1], [0, 10]),
            ValueError,
            "predicted must be from 0 to 9, got 0",
        ),
        (
            lambda: confusion_matrix([0.0], [0]),
            TypeError,
            "labels must be integers, got dtype float64",
        ),
        (lambda: confusion_matrix([0], [[0.1, 0.9]]), ValueError, "predicted must have shape (N,)"),
        (lambda: confusion_matrix([0], [0], classes=0), ValueError, "classes must be an integer"),
    ],
)
def test_wrong_arguments_of_the_small_functions(call, error, said):
    with pytest.raises(error, match=re.escape(said)):
        call()
