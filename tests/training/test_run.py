"""`run`, with steps as a page of the book would write them; and what its arguments may be."""

import re

import numpy as np
import pytest

from convbook.layers import (
    BatchNorm2d,
    Container,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Tape,
    call,
)
from convbook.losses import (
    BCEWithLogitsLoss,
    L1Loss,
    MeanSquaredError,
    SmoothL1Loss,
    SoftDiceLoss,
    SoftmaxCrossEntropy,
)
from convbook.optimizers import SGD, Adam, CosineSchedule, StepSchedule
from convbook.training import MiniBatches, evaluate, fit, run

RNG = np.random.default_rng


def same(state, other):
    return state.keys() == other.keys() and all(
        np.array_equal(array, other[name]) for name, array in state.items()
    )


def two_classes(n=48, seed=0):
    """Small images: the upper or the lower half is brighter."""
    rng = RNG(seed)
    y = rng.integers(0, 2, n)
    x = 0.2 * rng.standard_normal((n, 1, 6, 6), np.float32)
    x[y == 0, :, :3] += 1
    x[y == 1, :, 3:] += 1
    return x, y


X, Y = two_classes()


def network(seed=0):
    return Sequential(
        Conv2d(1, 3, 3, rng=seed), BatchNorm2d(3), ReLU(), Flatten(), Linear(48, 2, rng=seed)
    )


# --- Steps that read like a page -----------------------------------------------------------------


def test_classification_is_one_step_of_four_lines():
    model = network()
    optimizer, loss = Adam(model, lr=0.01), SoftmaxCrossEntropy()

    def step(x, y):
        error = loss(model(x), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        return error

    history = run(step, MiniBatches(X, Y, batch_size=12, seed=5), epochs=4, optimizers=optimizer)
    assert history["loss"][-1] < 0.5 * history["loss"][0] and len(history) == 4
    assert set(history.keys()) == {"loss", "lr", "seconds"}

    twin = network()  # `fit` is that step
    expected = fit(twin, X, Y, epochs=4, batch_size=12, seed=5, optimizer=Adam(twin, lr=0.01))
    assert same(model.state(), twin.state())
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-6)


def test_two_networks_that_play_against_each_other():
    """A generator learns to draw points of a ring; a discriminator learns to tell them apart."""
    rng = RNG(0)
    generator = Sequential(Linear(4, 32, rng=1), ReLU(), Linear(32, 2, rng=2))
    critic = Sequential(Linear(2, 32, rng=3), LeakyReLU(0.2), Linear(32, 1, rng=4))
    draws = Adam(generator, lr=0.003, betas=(0.5, 0.999))
    judges = Adam(critic, lr=0.003, betas=(0.5, 0.999))
    loss, yes, no = BCEWithLogitsLoss(), np.ones((64, 1)), np.zeros((64, 1))

    def ring():
        for _ in range(40):
            angle = rng.uniform(0, 2 * np.pi, 64)
            yield 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    def step(real):
        noise = rng.standard_normal((64, 4), np.float32)
        tape = Tape(critic)
        on_real, on_fake = tape(critic, real), tape(critic, generator(noise))
        right = loss(on_real, yes)
        d_real = loss.backward()
        wrong = loss(on_fake, no)
        tape.backward((on_real, d_real), (on_fake, loss.backward()))
        judges.step()

        tape = Tape(generator, critic)
        verdict = tape(critic, tape(generator, noise))
        fooled = loss(verdict, yes)
        tape.backward((verdict, loss.backward()))
        draws.step()
        return {
            "critic's loss": right + wrong,
            "generator's loss": fooled,
            "radius": np.linalg.norm(generator(noise), axis=1).mean(),
        }

    untrained = np.linalg.norm(generator(rng.standard_normal((500, 4))), axis=1).mean()
    history = run(step, ring, epochs=5, optimizers=(draws, judges))
    assert list(history.keys()) == [
        "critic's loss",
        "generator's loss",
        "radius",
        "lr_0",
        "lr_1",
        "seconds",
    ]
    assert len(history) == 5
    assert abs(history["radius"][-1] - 2) < 0.4 < abs(untrained - 2)
    assert "radius" in repr(history) and "lr_0" not in repr(history)


def test_targets_that_depend_on_what_the_network_has_just_said():
    """Of two boxes that a network proposes, the nearer one is asked to come nearer."""
    model = Sequential(Linear(3, 16, rng=0), ReLU(), Linear(16, 4, rng=1))
    optimizer, loss = Adam(model, lr=0.01), SmoothL1Loss()
    x = RNG(2).standard_normal((60, 3), np.float32)
    truth = np.stack([x[:, 0], x[:, 1] ** 2], axis=1)

    def step(x, truth):
        proposals = model(x).reshape(-1, 2, 2)
        distance = abs(proposals - truth[:, None]).sum(axis=2)
        nearer = np.arange(len(x)), distance.argmin(axis=1)
        targets = proposals.copy()  # the other one is right as it is
        targets[nearer] = truth
        error = loss(proposals, targets)
        model.backward(loss.backward().reshape(-1, 4), need_dx=False)
        optimizer.step()
        return {
            "loss": error,
            "distance": distance.min(axis=1).mean(),
            "first is nearer": (nearer[1] == 0).mean(),
        }

    history = run(step, MiniBatches(x, truth, batch_size=20), epochs=30, optimizers=optimizer)
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert history["distance"][-1] < 0.5 * history["distance"][0]
    assert 0 < history["first is nearer"][-1] < 1


def test_several_losses_with_names_in_one_history():
    """One body, a mask and a class: what each costs is seen apart, and on held-out data too."""
    body = Sequential(Conv2d(1, 6, 3, padding=1, rng=0), ReLU())
    mask_head, class_head = Conv2d(6, 1, 1, rng=1), Sequential(Flatten(), Linear(216, 2, rng=2))
    model = Container({"body": body, "mask": mask_head, "class": class_head})
    optimizer = Adam(model, lr=0.01)
    losses = {
        "mask loss": BCEWithLogitsLoss(),
        "overlap loss": SoftDiceLoss(),
        "class loss": SoftmaxCrossEntropy(),
    }

    def measured(x, y, mask, scores, mask_scores):
        targets = {
            "mask loss": (mask_scores, mask),
            "overlap loss": (mask_scores, mask),
            "class loss": (scores, y),
        }
        return {name: losses[name](*targets[name]) for name in losses}

    def step(x, y, mask):
        f, f_back = call(body, x)
        m, m_back = call(mask_head, f)
        s, s_back = call(class_head, f)
        found = measured(x, y, mask, s, m)
        d_mask = losses["mask loss"].backward() + losses["overlap loss"].backward()
        df = m_back(d_mask) + s_back(losses["class loss"].backward())  # the chain rule
        f_back(df, need_dx=False)
        optimizer.step()
        return {"loss": sum(found.values())} | found

    def validate():
        f = body(X[36:])
        found = measured(X[36:], Y[36:], MASK[36:], class_head(f), mask_head(f))
        return {"loss": sum(found.values())} | found

    MASK = (X > 0.5).astype(np.float32)
    batches = [(X[i : i + 12], Y[i : i + 12], MASK[i : i + 12]) for i in (0, 12, 24)]
    history = run(step, batches, epochs=8, optimizers=optimizer, validate=validate, patience=8)
    for name in ("loss", *losses):
        assert history[name][-1] < history[name][0]
        assert history[f"val_{name}"][-1] < history[f"val_{name}"][0]
    assert history["loss"] == pytest.approx(
        [sum(epoch) for epoch in zip(*(history[name] for name in losses), strict=True)]
    )


def test_a_part_left_out_of_a_step_is_refused_and_not_moved_by_old_gradients():
    body, first, second = Linear(3, 4, rng=0), Linear(4, 1, rng=1), Linear(4, 1, rng=2)
    model = Container({"body": body, "first": first, "second": second})
    optimizer, loss = SGD(model, lr=0.1), MeanSquaredError()
    steps = []

    def step(x, y):
        steps.append(1)
        features, back = call(body, x)
        df = 0
        for head in (first, second)[: 1 if len(steps) == 3 else 2]:
            head_output, head_back = call(head, features)
            loss(head_output, y)
            df = df + head_back(loss.backward())
        back(df, need_dx=False)
        optimizer.step()
        return 0.0

    before = model.state()
    batches = [(np.ones((2, 3)), np.ones((2, 1)))] * 4
    with pytest.raises(RuntimeError, match=r"left out of this step.*second\.w, second\.b"):
        run(step, batches, epochs=1, optimizers=optimizer)
    assert len(steps) == 3 and same(model.state(), before)


def test_images_and_masks_are_moved_together():
    """An augmentation of (x, y, rng) changes both, here with the same random numbers."""
    rng, seen = RNG(0), []
    masks = (rng.random((20, 1, 8, 8)) < 0.3).astype(np.float32)
    images = masks + 0.1 * rng.standard_normal(masks.shape, np.float32)

    def flip(x, y, rng):
        turned = rng.random((len(x), 1, 1, 1)) < 0.5
        x, y = (np.where(turned, a[..., ::-1], a) for a in (x, y))
        seen.append(turned.mean())
        assert ((x > 0.5) == (y > 0.5)).mean() > 0.99
        return x, y

    model = Sequential(Conv2d(1, 4, 3, padding=1, rng=0), ReLU(), Conv2d(4, 1, 1, rng=1))
    history = fit(
        model,
        images,
        masks,
        epochs=6,
        batch_size=5,
        loss=BCEWithLogitsLoss(),
        optimizer=Adam(model, 0.02),
        augment=flip,
        metrics={},
    )
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert len(seen) == 24 and 0 < np.mean(seen) < 1


# --- Augmentations of both kinds -----------------------------------------------------------------


class OfTwo:
    def __call__(self, x, rng):
        return x


class OfThree:
    def __call__(self, x, y, rng):
        return x, y


@pytest.mark.parametrize(
    "augment, works",
    [
        (lambda x, rng: x, True),
        (lambda x, y, rng: (x, y), True),
        (lambda x, rng, most=2: x, True),
        (lambda images, boxes, rng=None: [images, boxes], True),
        (OfTwo(), True),
        (OfThree(), True),
        (lambda a, b: a, True),
        (
            lambda x: x,
            "augment must be a function of (x_batch, rng), or of (x_batch, y_batch, rng) to "
            "change the targets too, got one of (x)",
        ),
        (lambda *all: all, "got one of (*all)"),
        (lambda x, y, z=1: x, "got one of (x, y, z=1)"),
        (3, "got 3"),
        (lambda a, b, c, d: a, "got one of (a, b, c, d)"),
        (
            lambda x, rng: (x, x),
            "augment(x_batch, rng) must return the new inputs, an array, got "
            "tuple; to change the targets too, it must be a function of",
        ),
        (
            lambda x, y, rng: x,
            "augment(x_batch, y_batch, rng) must return the pair of new inputs and "
            "new targets, got ndarray",
        ),
        (lambda x, y, rng: (x, y, rng), "the pair of new inputs and new targets, got tuple"),
        (lambda x, y, rng: (x, y[1:]), "must return as many targets as it is given, 12, got 11"),
        (
            lambda x, y, rng: (x[1:], y),
            "augment must return as many images as it is given, 12, got 11",
        ),
        (lambda x, rng: None, "augment must return images in an array, got NoneType"),
        (lambda x, y, rng: (x, 2 * y), "labels must be from 0 to 1, got 0 to 2"),
        (lambda x, y, rng: (x, np.eye(3)[y]), "labels must have shape (12,) (ints) or (12, 2)"),
    ],
)
def test_how_an_augmentation_is_told_apart(augment, works):
    model = network()
    before = model.state()
    if works is True:
        fit(model, X, Y, epochs=1, batch_size=12, augment=augment)
        return
    with pytest.raises((TypeError, ValueError), match=re.escape(works)):
        fit(model, X, Y, epochs=1, batch_size=12, augment=augment)
    assert same(model.state(), before)


# --- What run promises ---------------------------------------------------------------------------


def make_step(model, optimizer, spoil=lambda count: None):
    loss, count = MeanSquaredError(), []

    def step(x, y):
        count.append(1)
        error = loss(model(x), y)
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        spoil(len(count))
        return error

    return step


def line(seed=0):
    model = Linear(2, 1, rng=seed)
    return model, SGD(model, lr=0.05, momentum=0.9)


POINTS = RNG(1).standard_normal((12, 2)).astype(np.float32)
PAIRS = [(POINTS[i : i + 4], POINTS[i : i + 4].sum(axis=1, keepdims=True)) for i in (0, 4, 8)]


def test_batches_may_be_a_list_a_function_or_once_only():
    states = []
    for batches in (PAIRS, lambda: iter(PAIRS), tuple(PAIRS)):
        model, optimizer = line()
        run(make_step(model, optimizer), batches, 3, optimizer)
        states.append(model.state())
    assert same(states[0], states[1]) and same(states[0], states[2])
    model, optimizer = line()
    run(make_step(model, optimizer), iter(PAIRS), 1, optimizer)
    with pytest.raises(TypeError, match="can be gone through once only"):
        run(make_step(model, optimizer), iter(PAIRS), 2, optimizer)


def test_mini_batches_count_by_their_length():
    model, optimizer = line()
    history = run(lambda x: float(len(x)), [np.ones(1), np.ones(3)], 1, optimizer)
    assert history["loss"] == [(1 * 1 + 3 * 3) / 4]
    history = run(
        lambda number: {"loss": number, "twice": np.float32(2 * number)}, [1, 3], 1, optimizer
    )
    assert history["loss"] == [2.0] and history["twice"] == [4.0]


def test_a_number_that_is_not_always_there():
    model, optimizer = line()
    steps = iter(range(1, 100))

    def step(x, y):
        n = next(steps)
        return {"loss": 1.0} | ({"late": n} if n > 3 else {})

    history = run(step, PAIRS, 2, optimizer)
    np.testing.assert_array_equal(history["late"], [np.nan, 5.0])
    assert len(history) == 2 and history.best_epoch == 1


def test_several_schedules_are_told_after_every_step():
    (_, one), (_, two) = line(0), line(1)
    schedules = CosineSchedule(one, 6), StepSchedule(two, 3, 0.5)
    history = run(lambda x, y: 0.0, PAIRS, 2, (one, two), schedules)
    assert history["lr_0"] == pytest.approx([0.05, 0.025]) and one.lr == pytest.approx(0)
    assert history["lr_1"] == pytest.approx([0.05, 0.025]) and two.lr == pytest.approx(0.0125)


def test_early_stop_and_checkpoint_of_two_models(tmp_path):
    (first, one), (second, two) = line(0), line(1)
    values, states = iter([3.0, 1.0, 2.0, 2.0, 0.0]), []

    def step(x, y):
        for param in (*first.params.values(), *second.params.values()):
            param += 1
        return 0.0

    history = run(
        step,
        PAIRS,
        5,
        (one, two),
        validate=lambda: next(values),
        patience=2,
        checkpoint=tmp_path / "best.npz",
        after_epoch=lambda history: states.append((first.state(), second.state())),
    )
    assert history.stopped == "early" and len(history) == 4 and history.best_epoch == 2
    assert history["val_loss"] == [3, 1, 2, 2]
    assert same(first.state(), states[1][0]) and same(second.state(), states[1][1])
    others = Linear(2, 1), Linear(2, 1)
    Container({"0": others[0], "1": others[1]}).load(tmp_path / "best.npz")
    assert same(others[0].state(), states[1][0]) and same(others[1].state(), states[1][1])


def test_a_metric_may_be_undefined_but_a_loss_may_not():
    model, optimizer = line()
    history = run(
        lambda x, y: {"loss": 1.0, "precision": np.nan},
        PAIRS,
        2,
        optimizer,
        validate=lambda: {"loss": 1.0, "precision": np.nan},
    )
    assert np.isnan(history["val_precision"]).all()
    with pytest.raises(FloatingPointError, match="generator's loss became inf in epoch 2"):
        values = iter([1.0] * 4 + [np.inf] * 9)
        run(lambda x, y: {"generator's loss": next(values)}, PAIRS, 2, optimizer)


def test_the_learning_rate_is_not_blamed_for_what_the_first_step_meets():
    model = network()
    model.params["4.w"][0, 0] = np.nan
    with pytest.raises(
        FloatingPointError,
        match="loss became nan in the very first step, before "
        "anything was learned, so the learning rate is not the reason",
    ):
        fit(model, X, Y, epochs=1, batch_size=12)
    half = network().astype(np.float16)
    with pytest.raises(FloatingPointError, match=r"In float16 a number above 65,504 is infinite"):
        fit(
            half,
            X * 1e5,
            X.mean(axis=(1, 2, 3), keepdims=True)[:, :, 0, 0].repeat(2, 1),
            loss=L1Loss(),
            epochs=1,
            batch_size=12,
        )


@pytest.mark.parametrize(
    "options, error, said",
    [
        ({"step": 3}, TypeError, "step must be a function of a mini-batch, got 3"),
        ({"batches": 3}, TypeError, "batches must be something that holds mini-batches"),
        ({"batches": []}, ValueError, "batches must hold at least one mini-batch"),
        ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
        ({"optimizers": ()}, ValueError, "optimizers must be at least one, got none"),
        (
            {"optimizers": "adam"},
            TypeError,
            "optimizers must be of the kind convbook.optimizers.Opt",
        ),
        (
            {"schedules": 0.1},
            TypeError,
            "schedules must be of the kind convbook.optimizers.Schedule",
        ),
        ({"validate": (X, Y)}, TypeError, "validate must be a function, got"),
        ({"after_epoch": 1}, TypeError, "after_epoch must be a function, got 1"),
        ({"patience": 1}, ValueError, "patience needs validate, which measures on held-out data"),
        (
            {"checkpoint": "no/such/folder/a.npz"},
            ValueError,
            "checkpoint must be a file in a folder",
        ),
        ({"checkpoint": "."}, ValueError, "must be a file in a folder that exists, got '.'"),
        ({"step": lambda x, y: None}, TypeError, "step must return the loss, a number, or a dict"),
        ({"step": lambda x, y: {"loss": np.ones(3)}}, TypeError, "of type ndarray as 'loss'"),
        (
            {"validate": lambda: None},
            TypeError,
            "validate must return the loss, a number, or a dict",
        ),
        (
            {"step": lambda x, y: {"a loss": 1.0}, "checkpoint": "x.npz"},
            KeyError,
            "no 'loss' in this",
        ),
    ],
)
def test_wrong_arguments(options, error, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, optimizer = line()
    before = model.state()
    arguments = {
        "step": make_step(model, optimizer),
        "batches": PAIRS,
        "epochs": 1,
        "optimizers": optimizer,
    } | options
    with pytest.raises(error, match=re.escape(said)):
        run(**arguments)
    assert same(model.state(), before) and not list(tmp_path.iterdir())


def test_a_layer_is_moved_by_one_optimizer_only():
    model = Sequential(Linear(2, 2), Sigmoid(), Linear(2, 1))
    with pytest.raises(ValueError, match="optimizers must be made for models that have no layer"):
        run(lambda x, y: 0.0, PAIRS, 1, (SGD(model, 0.1), SGD(model[2], 0.1)))


# --- Whatever raises, the model is as before the epoch -------------------------------------------


def state_of_all(model, optimizer, schedule):
    return {
        **model.state(),
        "steps": optimizer.steps,
        "lr": optimizer.lr,
        "count": schedule.count,
        **{"/".join(key): array.copy() for key, array in optimizer._averages.items()},
    }


class Breaks(Layer):
    """The identity, until its call number `when` in this mode."""

    def __init__(self, error, when, training):
        super().__init__()
        self.error, self.when, self.when_training, self.count = error, when, training, 0

    def forward(self, x):
        if self.training == self.when_training:
            self.count += 1
            if self.count == self.when:
                raise self.error
        return self._output(x)


def breaking(where, error):
    """Return a model, and options of `fit`, that raise in the second epoch."""
    kept, options, count = Layer(), {}, []

    def raises_at(when):
        def function(*_):
            count.append(1)
            if len(count) == when:
                raise error
            return 0.5

        return function

    if where == "forward":
        kept = Breaks(error, when=7, training=True)
    elif where == "held out":
        kept = Breaks(error, when=4, training=False)  # two first looks, and one of each epoch
        options["validation"] = (X[:10], Y[:10])
    elif where == "metric":
        options["metrics"] = {"m": raises_at(7)}
    elif where == "augment":
        at = raises_at(7)
        options["augment"] = lambda x, rng: [at(), x][1]
    elif where == "after_epoch":
        options["after_epoch"] = raises_at(2)
    model = Sequential(
        Conv2d(1, 3, 3, rng=0),
        BatchNorm2d(3),
        ReLU(),
        Dropout(0.2),
        kept,
        Flatten(),
        Linear(48, 2, rng=0),
    )
    return model, options


@pytest.mark.parametrize("error", (ValueError("x"), MemoryError("m"), SystemExit(3)), ids=repr)
@pytest.mark.parametrize("where", ("forward", "held out", "metric", "augment", "after_epoch"))
def test_whatever_raises_the_model_is_as_before_the_epoch(where, error):
    model, options = breaking(where, error)
    optimizer = Adam(model, lr=0.02)
    schedule = CosineSchedule(optimizer, 20)
    twin, _ = breaking("nowhere", error)
    twin_optimizer = Adam(twin, lr=0.02)
    twin_schedule = CosineSchedule(twin_optimizer, 20)
    fit(twin, X, Y, epochs=1, batch_size=10, schedule=twin_schedule, seed=3)
    with pytest.raises(type(error)) as caught:
        fit(model, X, Y, epochs=3, batch_size=10, schedule=schedule, seed=3, **options)
    assert caught.value is error
    assert "The model is as it was before epoch 2 of 3." in caught.value.__notes__
    assert same(
        state_of_all(model, optimizer, schedule), state_of_all(twin, twin_optimizer, twin_schedule)
    )
    assert not any(layer.training for layer in model.walk())


def test_a_last_mini_batch_too_small_for_batch_normalisation_changes_nothing():
    """101 images in mini-batches of 50: the third step has one image, and maps of 1×1."""
    rng = RNG(0)
    model = Sequential(Conv2d(1, 3, 6, rng=0), BatchNorm2d(3), Flatten(), Linear(3, 2, rng=0))
    optimizer = Adam(model)
    before = model.state()
    with pytest.raises(ValueError):
        fit(
            model,
            rng.random((101, 1, 6, 6)),
            rng.integers(0, 2, 101),
            epochs=1,
            batch_size=50,
            optimizer=optimizer,
        )
    assert same(model.state(), before)
    assert optimizer.steps == 0 and not optimizer._averages


def test_a_checkpoint_that_cannot_be_written_takes_the_epoch_back(tmp_path, monkeypatch):
    model, states = network(), []
    optimizer = SGD(model, 0.05, momentum=0.9)
    path = tmp_path / "best.npz"

    def full(file, **arrays):
        raise OSError("no space left on device")

    def after_epoch(model, history):
        states.append(model.state())
        monkeypatch.setattr(np, "savez", full)

    with pytest.raises(OSError, match="no space left"):
        fit(
            model,
            X,
            Y,
            epochs=3,
            batch_size=12,
            checkpoint=path,
            after_epoch=after_epoch,
            optimizer=optimizer,
        )
    assert same(model.state(), states[0]) and optimizer.steps == 4
    other = network(1)
    other.load(path)
    assert same(other.state(), states[0])


def test_both_networks_and_both_optimizers_are_taken_back():
    (first, one), (second, two) = line(0), line(1)
    before = first.state(), second.state()

    def step(x, y):
        for model, optimizer in ((first, one), (second, two)):
            make_step(model, optimizer)(x, y)
        if two.steps == 2:
            raise ZeroDivisionError
        return 0.0

    with pytest.raises(ZeroDivisionError):
        run(step, PAIRS, 1, (one, two))
    assert same(first.state(), before[0]) and same(second.state(), before[1])
    assert one.steps == two.steps == 0 and not one._averages and not two._averages


def test_an_optimizer_with_a_file_in_it_is_taken_back_too(tmp_path):
    model = network()
    with open(tmp_path / "log", "w") as log:

        class Noting(SGD):
            def step(self):
                super().step()
                self.log.write("step\n")
                if self.steps == 6:
                    raise RuntimeError("broken")

        optimizer = Noting(model, 0.1)
        optimizer.log = log
        with pytest.raises(RuntimeError, match="broken"):
            fit(model, X, Y, epochs=3, batch_size=12, optimizer=optimizer)
        assert optimizer.steps == 4 and optimizer.log is log and optimizer.model is model


def test_the_history_draws_what_was_measured_on_held_out_data_alone():
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    model, optimizer = line()
    history = run(
        lambda x, y: {"loss": 1.0},
        PAIRS,
        2,
        optimizer,
        validate=lambda: {"loss": 1.0, "sharpness": 2.0},
    )
    history.plot()
    assert [ax.get_title() for ax in plt.gcf().axes] == ["loss", "sharpness"]
    plt.close()


# --- Messages speak of the caller's N ------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda x, y: (x[:, [0, 0]], y), "shape (48, 2, 6, 6)"),
        (lambda x, y: (x[:, :, :5], y), "shape (48, 36)"),
        (lambda x, y: (x, y[:, None]), "y must have shape (48,) (ints) or (48, 2)"),
        (lambda x, y: (x, y * 1.0), "y of shape (48,) must be integers"),
    ],
)
def test_errors_of_shapes_show_all_inputs(spoil, said):
    model = network()
    x, y = spoil(X, Y)
    with pytest.raises((TypeError, ValueError)) as caught:
        fit(model, x, y, batch_size=12)
    assert said in str(caught.value)
    if x is not X:
        with pytest.raises((TypeError, ValueError)) as met:
            evaluate(model, x, y, batch_size=10)
        assert str(met.value) == str(caught.value)
