"""Several calls in one step: `call` and `Tape` against PyTorch and numerical differentiation."""

import copy
import pickle
import re

import numpy as np
import pytest

from convbook.arrays import is_cupy
from convbook.kernels import convolution, layouts
from convbook.layers import (
    Add,
    BatchNorm2d,
    Branches,
    Concat,
    Container,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Frozen,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    SharedBody,
    Tanh,
    Tape,
    call,
)
from convbook.layers.gradcheck import check_layer, numerical_gradient, relative_error
from convbook.layers.tape import title
from convbook.losses import MeanSquaredError, SoftmaxCrossEntropy
from convbook.optimizers import SGD, Adam
from convbook.stand_in import pretended_gpu
from convbook.training import fit, predict


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def conv_head(rng=1):
    return Sequential(Conv2d(4, 4, 3, padding=1, rng=rng), Tanh(), Conv2d(4, 2, 1, rng=rng)).astype(
        np.float64
    )


def mlp(n_in=6, n_out=3, rng=2):
    return Sequential(Linear(n_in, 5, rng=rng), Tanh(), Linear(5, n_out, rng=rng)).astype(
        np.float64
    )


def numerical_grads(models, error):
    """Return the numerical gradients of error() by all parameters of the models, by name."""
    gradients = {}
    for i, model in enumerate(models):
        for name, param in model.params.items():

            def of(values, param=param):
                kept = param.copy()
                param[...] = values
                value = error()
                param[...] = kept
                return value

            gradients[i, name] = numerical_gradient(of, param.copy())
    return gradients


def assert_gradients(models, error):
    """Compare the gradients that lie in the models with those of error()."""
    grads = {
        (i, name): np.array(model.grads[name])
        for i, model in enumerate(models)
        for name in model.params
    }
    for key, expected in numerical_grads(models, error).items():
        assert relative_error(grads[key], expected)[0] < 1e-6, key


# --- Graphs of all kinds -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("shrink", [Layer(), MaxPool2d(2)], ids=["equal", "different"])
def test_a_head_that_reads_two_maps_of_equal_or_different_shapes(shrink):
    body, head = Conv2d(2, 4, 3, padding=1, rng=0, dtype=np.float64), conv_head()
    x = normal((2, 2, 6, 4))
    ya, yb = head(body(x)), head(shrink(body(x)))
    da, db = normal(ya.shape, 1), normal(yb.shape, 2)

    tape = Tape(body, head)
    f = tape(body, x)
    a, b = tape(head, f), tape(head, tape(shrink, f))
    np.testing.assert_array_equal(a, ya)
    np.testing.assert_array_equal(b, yb)
    assert tape.backward((a, da), (b, db)) is None
    assert_gradients(
        [body, head], lambda: (head(body(x)) * da).sum() + (head(shrink(body(x))) * db).sum()
    )

    on_tape = {**body.grads}, {**head.grads}
    body.clear_grads(), head.clear_grads()
    f, f_back = call(body, x)
    g, g_back = call(shrink, f)
    a, a_back = call(head, f)
    b, b_back = call(head, g)
    df = a_back(da) + g_back(b_back(db))
    assert f_back(df, need_dx=False) is None
    for expected, model in zip(on_tape, (body, head)):
        for name, grad in expected.items():
            np.testing.assert_allclose(model.grads[name], grad, atol=1e-12)


def test_the_sum_over_the_calls_is_pytorchs():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    head = conv_head()
    theirs = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 2, 1)).double()
    for parameter, ours in zip(theirs.parameters(), head.params.values(), strict=True):
        parameter.data = torch.tensor(ours)
    tape, error = Tape(head), 0
    ends = []
    for i, shape in enumerate([(2, 4, 5, 5), (2, 4, 5, 5), (1, 4, 7, 3)]):
        x = normal(shape, i)
        y = tape(head, x)
        dy = normal(y.shape, 10 + i)
        ends.append((y, dy))
        error = error + (theirs(torch.tensor(x)) * torch.tensor(dy)).sum()
    tape.backward(*ends)
    error.backward()
    for parameter, name in zip(theirs.parameters(), head.params, strict=True):
        np.testing.assert_allclose(head.grads[name], parameter.grad, atol=1e-10)


def test_a_discriminator_on_real_and_on_fake_images():
    model = mlp(n_out=1)
    real, fake = normal((2, 8, 6))
    tape = Tape(model)
    a, b = tape(model, real), tape(model, fake)
    tape.backward((a, -np.ones_like(a)), (b, np.ones_like(b)))
    on_tape = dict(model.grads)
    model(np.concatenate([real, fake]))
    model.backward(np.concatenate([-np.ones_like(a), np.ones_like(b)]))
    for name, grad in on_tape.items():
        np.testing.assert_allclose(grad, model.grads[name], atol=1e-12)


def test_a_generator_learns_through_a_discriminator():
    generator, discriminator = mlp(2, 6, rng=3), mlp(6, 1, rng=4)
    z = normal((5, 2))
    tape = Tape(generator)
    y = tape(Frozen(discriminator), tape(generator, z))
    dy = normal(y.shape, 1)
    tape.backward((y, dy))
    assert_gradients([generator], lambda: (discriminator(generator(z)) * dy).sum())
    assert not discriminator.grads  # nor have they gone into the discriminator

    tape = Tape(generator, discriminator)  # and where it learns as well
    y = tape(discriminator, tape(generator, z))
    tape.backward((y, dy))
    assert_gradients([generator, discriminator], lambda: (discriminator(generator(z)) * dy).sum())


def test_frozen_and_learning_at_once():
    generator, discriminator = mlp(2, 6, rng=3), mlp(6, 1, rng=4)
    z, real = normal((5, 2)), normal((5, 6))
    tape = Tape(generator, discriminator)
    fake = tape(generator, z)
    judged = tape(Frozen(discriminator), fake)
    on_real = tape(discriminator, real)
    ones = np.ones_like(judged)
    tape.backward((judged, ones), (on_real, ones))
    assert_gradients([generator], lambda: discriminator(generator(z)).sum())
    assert_gradients([discriminator], lambda: discriminator(real).sum())


def test_one_output_used_by_two_losses():
    model = mlp()
    x, t = normal((4, 6)), normal((4, 3), 1)
    squared, entropy, labels = MeanSquaredError(), SoftmaxCrossEntropy(), np.array([0, 2, 1, 1])
    tape = Tape(model)
    y = tape(model, x)
    squared(y, t), entropy(y, labels)
    tape.backward((y, squared.backward()), (y, entropy.backward()))
    assert_gradients([model], lambda: squared(model(x), t) + entropy(model(x), labels))


def test_twins():
    body, compare = mlp(), Linear(3, 1, rng=5, dtype=np.float64)
    left, right = normal((2, 4, 6))
    tape = Tape(body, compare)
    y = tape(compare, tape(Distance(), tape(body, left), tape(body, right)))
    dy = normal(y.shape, 1)
    tape.backward((y, dy))
    assert_gradients([body, compare], lambda: (compare((body(left) - body(right)) ** 2) * dy).sum())


class Distance(Layer):
    """Two inputs: (a - b)²."""

    def forward(self, a, b):
        self.difference = a - b
        return self._output(self.difference**2)

    def backward(self, dy, need_dx=True):
        da = 2 * self.difference * self._gradient(dy)
        return da, -da


class Cut(Layer):
    """Two inputs, of which one holds numbers of rows and has no gradient: regions of interest."""

    def forward(self, x, rows):
        self.rows, self.x_shape = rows, x.shape
        return self._output(x[rows])

    def backward(self, dy, need_dx=True):
        dx = np.zeros(self.x_shape)
        np.add.at(dx, self.rows, self._gradient(dy))
        return dx, None


class Halves(Layer):
    """Two outputs: the square of the left half of a row, and three times the right half."""

    def forward(self, x):
        self.left, right = np.split(x, 2, axis=1)
        return self._output(self.left**2, 3 * right)

    def backward(self, da, db, need_dx=True):
        da, db = self._gradient(da, db)
        return np.concatenate([2 * self.left * da, 3 * db], axis=1)


def test_skip_and_concatenate():
    inner, outer = conv_head(), Conv2d(6, 1, 1, rng=7, dtype=np.float64)
    first = Conv2d(1, 4, 3, padding=1, rng=8, dtype=np.float64)
    x = normal((2, 1, 4, 5))
    tape = Tape(first, inner, outer)
    f = tape(first, x)
    y = tape(outer, tape(Concat(), f, tape(inner, f)))
    dy = normal(y.shape, 1)
    tape.backward((y, dy))
    assert_gradients(
        [first, inner, outer],
        lambda: (outer(np.concatenate([first(x), inner(first(x))], axis=1)) * dy).sum(),
    )


def test_add_hands_the_same_gradient_to_all_and_nobody_writes_into_it():
    first, second = (Linear(3, 3, rng=i, dtype=np.float64) for i in (0, 1))
    x = normal((4, 3))
    tape = Tape(first, second)
    f = tape(first, x)
    y = tape(Add(), f, tape(second, f), f)
    dy = np.ones_like(y)
    tape.backward((y, dy))
    assert (dy == 1).all()
    assert_gradients([first, second], lambda: (2 * first(x) + second(first(x))).sum())


def test_an_input_without_a_gradient():
    body, head = mlp(), Linear(3, 2, rng=6, dtype=np.float64)
    x, rows = normal((5, 6)), np.array([4, 0, 0])
    tape = Tape(body, head)
    y = tape(head, tape(Cut(), tape(body, x), rows))
    dy = normal(y.shape, 1)
    tape.backward((y, dy))
    assert_gradients([body, head], lambda: (head(body(x)[rows]) * dy).sum())


def test_two_outputs_one_of_them_used_by_two():
    body, head = mlp(n_out=4), Linear(2, 2, rng=6, dtype=np.float64)
    x = normal((5, 6))
    tape = Tape(body, head)
    a, b = tape(Halves(), tape(body, x))
    y = tape(head, b)
    da, db, dy = (normal(array.shape, i) for i, array in enumerate((a, b, y)))
    tape.backward((a, da), (y, dy), (b, db))

    def error():
        left, right = np.split(body(x), 2, axis=1)
        return (left**2 * da).sum() + (3 * right * db).sum() + (head(3 * right) * dy).sum()

    assert_gradients([body, head], error)


def test_an_output_that_is_not_used_on_purpose():
    body, spare = mlp(n_out=4), Linear(2, 2, rng=6, dtype=np.float64)
    x = normal((5, 6))
    tape = Tape(body, spare)
    a, b = tape(Halves(), tape(body, x))
    y = tape(spare, b)
    tape.backward((a, np.ones_like(a)), (y, None))
    assert_gradients([body], lambda: (body(x)[:, :2] ** 2).sum())
    assert not spare.grads
    with pytest.raises(RuntimeError, match="no gradient for w, b"):
        SGD(spare, 0.1).step()


def test_layers_that_hand_on_what_they_are_given():
    """An identity returns its very input, and its gradient is another one nevertheless."""
    body, head = mlp(), Linear(3, 2, rng=6, dtype=np.float64)
    x = normal((5, 6))
    for identity in (Layer(), Dropout(0.5).eval(), Sequential(), Dropout(0)):
        tape = Tape(body, head)
        f = tape(body, x)
        g = tape(identity, f)
        a, b = tape(Branches(identity, Layer()), g)
        y = tape(head, f)
        dg, da, db, dy = (normal(array.shape, i) for i, array in enumerate((g, a, b, y)))
        tape.backward((g, dg), (a, da), (b, db), (y, dy))
        df = dg + da + db
        assert_gradients(
            [body, head], lambda df=df, dy=dy: (body(x) * df).sum() + (head(body(x)) * dy).sum()
        )


def test_a_part_of_a_model_called_beside_the_model():
    model = mlp()
    x, other = normal((5, 6)), normal((3, 6), 1)
    tape = Tape(model)
    y, z = tape(model, x), tape(model[0], other)
    tape.backward((y, np.ones_like(y)), (z, np.ones_like(z)))
    assert_gradients([model], lambda: model(x).sum() + model[0](other).sum())


def test_what_was_watched_gets_its_gradient():
    model = mlp()
    x = normal((4, 6))
    tape = Tape()
    watched = tape.watch(x)
    y = tape(model, watched)
    dy = normal(y.shape, 1)
    dx = tape.backward((y, dy))
    expected = numerical_gradient(lambda x: (model(x) * dy).sum(), x)
    np.testing.assert_allclose(dx, expected, atol=1e-8)
    tape = Tape()  # also where nothing learns
    a, b = tape.watch(x), tape.watch(2 * x)
    y = tape(Frozen(model), tape(Add(), a, b))
    da, db = tape.backward((y, dy))
    np.testing.assert_array_equal(da, db)
    np.testing.assert_allclose(
        da, numerical_gradient(lambda a: (model(a + 2 * x) * dy).sum(), x), atol=1e-8
    )
    tape = Tape()
    tape.watch(x)
    y = tape(model, tape.watch(x))
    assert tape.backward((y, dy))[0] is None


# --- Containers with a tape inside ---------------------------------------------------------------


class Pyramid(Container):
    """One head for two sizes: a container whose forward calls it twice."""

    def __init__(self):
        super().__init__(
            {
                "head": conv_head(),
                "shrink": MaxPool2d(2),
                "pool": GlobalAvgPool2d(),
                "join": Concat(),
            }
        )

    def forward(self, x):
        c, self._tape = self.children, Tape()
        x = self._tape.watch(x)
        maps = [self._tape(c["head"], size) for size in (x, self._tape(c["shrink"], x))]
        self._y = self._tape(c["join"], *(self._tape(c["pool"], a) for a in maps))
        return self._output(self._y)

    def backward(self, dy, need_dx=True):
        return self._tape.backward((self._y, self._gradient(dy)))


@pytest.mark.slow
def test_a_container_with_a_tape_is_a_layer_like_others():
    model = Sequential(Conv2d(1, 4, 3, padding=1, rng=0), ReLU(), Pyramid(), Linear(4, 2, rng=1))
    x = normal((2, 1, 4, 4))
    assert check_layer(model, x).ok
    model.astype(np.float64)
    for _ in range(2):  # backward fills the gradients anew
        y = model(x)
        model.backward(np.ones_like(y), need_dx=False)
        assert_gradients([model], lambda: model(x).sum())
    tape = Tape(model)  # and twice on another tape
    a, b = tape(model, x), tape(model, x[:, :, ::-1, :])
    tape.backward((a, np.ones_like(a)), (b, np.ones_like(b)))
    assert_gradients([model], lambda: model(x).sum() + model(x[:, :, ::-1, :]).sum())


def test_a_copy_in_the_middle_of_a_step_has_a_way_back_of_its_own():
    x = normal((2, 4, 4, 4))
    for duplicate in (copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))):
        model = Pyramid().astype(np.float64)
        dy = np.ones_like(model(x))
        twin = duplicate(model)
        dx = twin.backward(dy)
        assert not model.grads and twin.grads
        np.testing.assert_allclose(model.backward(dy), dx, atol=1e-12)
        for name, grad in model.grads.items():
            np.testing.assert_allclose(twin.grads[name], grad, atol=1e-12)


def test_copied_and_stored_models(tmp_path):
    model = mlp()
    x = normal((4, 6))
    tape = Tape(model)
    y = tape(model, x)
    twin = copy.deepcopy(model)
    model.save(tmp_path / "model.npz")
    loaded = mlp(rng=9)
    loaded.load(tmp_path / "model.npz")
    tape.backward((y, np.ones_like(y)))
    assert model.grads and not twin.grads
    for other in (twin, loaded):
        tape = Tape(other)
        a, b = tape(other, x[:2]), tape(other, x[2:])
        tape.backward((a, np.ones_like(a)), (b, np.ones_like(b)))
        for name, grad in model.grads.items():
            np.testing.assert_allclose(other.grads[name], grad, atol=1e-12)


# --- What a call remembers -----------------------------------------------------------------------


def test_backward_of_the_layer_still_belongs_to_its_last_call():
    layer = mlp()
    first, last = normal((2, 4, 6))
    y, back = call(layer, first)
    dy = normal(y.shape, 1)
    layer(last)
    expected = layer.backward(dy)
    layer.clear_grads()
    dx = back(dy)
    np.testing.assert_array_equal(layer.backward(dy), expected)
    layer(first)
    np.testing.assert_array_equal(layer.backward(dy), dx)


def test_batch_norm_and_dropout_called_twice():
    """Each call has statistics and a mask of its own; running statistics count each call."""
    norm = BatchNorm2d(3, dtype=np.float64)
    x, z = normal((4, 3, 2, 2)), 5 + 3 * normal((2, 3, 3, 3), 1)
    alike = copy.deepcopy(norm)
    tape = Tape(norm)
    y, w = tape(norm, x), tape(norm, z)
    dy, dw = normal(y.shape, 2), normal(w.shape, 3)
    tape.backward((y, dy), (w, dw))
    alike(x), alike(z)
    for name in ("running_mean", "running_var"):
        np.testing.assert_array_equal(norm.buffers[name], alike.buffers[name])
    assert_gradients([norm], lambda: (norm(x) * dy).sum() + (norm(z) * dw).sum())

    layer, drop = Linear(6, 40, rng=0, dtype=np.float64), Dropout(0.5, rng=0)
    x, ones = normal((3, 6)), np.ones((3, 40))
    tape = Tape(layer)
    y = tape(layer, x)
    a, b = tape(drop, y), tape(drop, y)
    assert (a != b).any()
    tape.backward((a, ones), (b, ones))
    kept = 2.0 * (a != 0) + 2.0 * (b != 0)
    np.testing.assert_allclose(layer.grads["w"], kept.T @ x)


def test_a_mode_changed_in_between_is_that_of_the_call():
    norm = BatchNorm2d(3, dtype=np.float64)
    x, dy = normal((4, 3, 2, 2)), normal((4, 3, 2, 2), 1)
    norm(x)
    expected = norm.backward(dy)
    y, back = call(norm, x)
    norm.eval()(x)
    np.testing.assert_array_equal(back(dy), expected)
    assert not norm.training


def test_settings_changed_in_between_stay_changed():
    norm = BatchNorm2d(3, dtype=np.float64)
    y, back = call(norm, normal((4, 3, 2, 2)))
    norm.momentum = 0.5
    back(y)
    assert norm.momentum == 0.5


class Counting(Linear):
    """Counts what its backward is asked for."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.asked = []

    def backward(self, dy, need_dx=True):
        self.asked.append(need_dx)
        return super().backward(dy, need_dx)


def test_what_needs_no_gradient_does_no_work():
    body, head = Counting(6, 5, rng=0), Counting(5, 3, rng=1)
    x = normal((4, 6))
    for first in (Frozen(body), Sequential(Frozen(body), Tanh())):
        tape = Tape(head)
        y = tape(head, tape(ReLU(), tape(first, x)))
        tape.backward((y, np.ones_like(y)))
    assert body.asked == [] and head.asked == [False, False]
    tape = Tape(body, head)
    y = tape(head, tape(body, x))
    tape.backward((y, np.ones_like(y)))
    assert body.asked == [False] and head.asked == [False, False, True]
    model = SharedBody(Frozen(body), head, Counting(5, 2, rng=2))
    y = model(x)
    model.backward(np.ones_like(y), need_dx=False)
    assert body.asked == [False] and head.asked[3:] == [False]


def test_a_frozen_part_hands_on_and_computes_no_gradient_of_its_own(monkeypatch):
    body = Sequential(
        Conv2d(2, 3, 3, rng=0), ReLU(), ConvTranspose2d(3, 2, 2, stride=2, rng=1), Flatten(),
        Linear(2 * 8 * 8, 4, rng=2),
    )  # fmt: skip
    x, dy = normal((2, 2, 6, 6)), normal((2, 4))
    body(x)
    expected = body.backward(dy)
    kept = {name: gradient.copy() for name, gradient in body.grads.items()}
    counted = []

    def count(*arguments):
        counted.append(arguments)
        raise AssertionError

    monkeypatch.setattr(convolution, "filter_gradient", count)
    monkeypatch.setattr(layouts, "sum_of_pixels", count)
    frozen = Frozen(body)
    frozen(x)
    np.testing.assert_array_equal(frozen.backward(2 * dy), 2 * expected)
    assert counted == [] and all(layer.learning for layer in body.walk())
    for name, gradient in kept.items():
        np.testing.assert_array_equal(body.grads[name], gradient)
    monkeypatch.undo()
    body(x)
    body.backward(2 * dy)  # learns again
    np.testing.assert_allclose(body.grads["0.f"], 2 * kept["0.f"], rtol=1e-5)


def test_gradients_are_cleared_when_a_step_begins():
    model, spare = mlp(), Linear(6, 2, rng=1, dtype=np.float64)
    x = normal((4, 6))
    whole = Container({"model": model, "spare": spare})
    optimizer = Adam(whole)
    for _ in range(2):
        tape = Tape(whole)
        y, z = tape(model, x), tape(spare, x)
        tape.backward((y, np.ones_like(y)), (z, np.ones_like(z)))
        assert_gradients([model], lambda: model(x).sum())  # anew, not more and more
        optimizer.step()
    tape = Tape(whole)
    y = tape(model, x)
    tape.backward((y, np.ones_like(y)))
    before, steps = whole.state(), optimizer.steps
    with pytest.raises(RuntimeError, match="left out of this step.*no gradient for spare.w, spare"):
        optimizer.step()
    for name, array in whole.state().items():
        np.testing.assert_array_equal(array, before[name])
    assert optimizer.steps == steps


def test_without_models_the_gradients_of_all_that_is_called_are_made_anew():
    model = mlp()
    x = normal((4, 6))
    for _ in range(2):
        tape = Tape()
        y = tape(model, x)
        tape.backward((y, np.ones_like(y)))
    assert_gradients([model], lambda: model(x).sum())


# --- What goes wrong -----------------------------------------------------------------------------


def test_numpy_between_two_calls_is_an_error_that_names_the_layer():
    generator, judge = Linear(4, 9, rng=0), Sequential(Conv2d(1, 2, 3, rng=1), Flatten())
    z = normal((2, 4)).astype(np.float32)
    generator.grads = {"w": 1, "b": 2}
    tape = Tape(judge)
    u = tape(generator, z)
    y = tape(judge, 2 * u.reshape(2, 1, 3, 3))
    with pytest.raises(
        RuntimeError,
        match=re.escape(
            "Linear(4, 9): no gradient reaches its output, of shape (2, 9). What was made of it "
            "outside the tape?"
        ),
    ):
        tape.backward((y, np.ones_like(y)))
    assert generator.grads == {"w": 1, "b": 2} and not judge.grads  # nothing was changed
    tape.backward((y, np.ones_like(y)), (u, None))  # on purpose
    assert not generator.grads and judge.grads


def test_a_view_is_refused_at_once_even_if_the_whole_is_used_too():
    generator, judge = Linear(4, 9, rng=0), Conv2d(1, 2, 3, rng=1)
    tape = Tape()
    u = tape(generator, normal((2, 4)))
    for view in (u.reshape(2, 1, 3, 3), u[1:].reshape(1, 1, 3, 3), u[:, :9].reshape(2, 1, 3, 3)):
        with pytest.raises(
            RuntimeError,
            match=re.escape(
                "Conv2d(1, 2, 3): its input is a part or another shape of an array on this tape"
            ),
        ):
            tape(judge, view)
    tape(Frozen(generator), normal((2, 4))[:1])  # parts of what no parameter feeds are welcome


def test_an_output_that_is_never_used():
    body, a, b = Linear(3, 4, rng=0), Linear(4, 2, rng=1), Branches(Linear(4, 2, rng=2), Tanh())
    tape = Tape()
    f = tape(body, normal((2, 3)))
    y, (z, _) = tape(a, f), tape(b, f)
    with pytest.raises(
        RuntimeError,
        match=r"Branches\(Linear\(4, 2\), …\): no gradient reaches "
        r"output 1 of 2, of shape \(2, 4\)",
    ):
        tape.backward((y, y), (z, z))
    with pytest.raises(RuntimeError, match=r"output 0 of 2"):
        tape.backward((y, y))


@pytest.mark.parametrize(
    "play, error, said",
    [
        (lambda tape, y: tape.backward(y), TypeError, "backward takes pairs (y, dy)"),
        (
            lambda tape, y: tape.backward((y.copy(), y)),
            RuntimeError,
            "no output of a layer on this",
        ),
        (
            lambda tape, y: tape.backward((y, y[:1])),
            ValueError,
            "Linear(3, 2): dy must have the shape of the output, (4, 2), got (1, 2)",
        ),
        (
            lambda tape, y: tape.backward((y, y * 1j)),
            TypeError,
            "dy must hold booleans, integers or",
        ),
        (
            lambda tape, y: tape.backward(),
            RuntimeError,
            "Linear(3, 2): no gradient reaches its output",
        ),
        (lambda tape, y: tape(lambda x: x, y), TypeError, "a tape calls layers, got <function"),
    ],
)
def test_what_does_not_fit_says_so(play, error, said):
    model = Linear(3, 2, rng=0)
    tape = Tape(model)
    y = tape(model, normal((4, 3)))
    with pytest.raises(error, match=re.escape(said)):
        play(tape, y)
    assert not model.grads
    tape.backward((y, y))  # and the tape is as it was
    assert model.grads


def test_backward_twice():
    model = mlp()
    tape = Tape()
    y = tape(model, normal((4, 6)))
    tape.backward((y, y))
    for again in (lambda: tape.backward((y, y)), lambda: tape(model, y)):
        with pytest.raises(RuntimeError, match="this tape was played; every step begins with a"):
            again()
    y, back = call(model, normal((4, 6)))
    grads = dict(model.grads)
    with pytest.raises(ValueError, match="dy must have the shape"):
        back(y[:1])
    assert all(model.grads[name] is grad for name, grad in grads.items())
    back(y)  # after what failed, it still can
    with pytest.raises(
        RuntimeError,
        match=re.escape(
            "Sequential(Linear(6, 5), …): the backward pass of this call was run before"
        ),
    ):
        back(y)


class Careless(Layer):
    """Two inputs, one gradient; or one of the wrong shape."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, a, b):
        return a + b

    def backward(self, dy):
        return self.answer(dy)


@pytest.mark.parametrize(
    "answer, said",
    [
        (lambda dy: dy, "backward must return a gradient for each of its 2 inputs"),
        (lambda dy: (dy, dy.T), "dx must have the shape of the input, (2, 3), got (3, 2)"),
    ],
)
def test_wrong_gradients_name_the_layer_and_leave_none_behind(answer, said):
    model = Linear(3, 3, rng=0)
    tape = Tape()
    y = tape(model, normal((2, 3)))
    z = tape(model, tape(Careless(answer), y, y))
    with pytest.raises(ValueError, match=re.escape("Careless(") + ".*" + re.escape(said)):
        tape.backward((z, z))
    assert not model.grads


def test_a_title_is_one_line():
    assert title(Conv2d(1, 2, 3)) == "Conv2d(1, 2, 3)"
    assert title(Sequential(Sequential(ReLU(), Tanh()))) == "Sequential(Sequential(ReLU(), …))"


# --- A reader's layers, and CuPy -----------------------------------------------------------------


class Plain(Layer):
    """As the pages write a layer: forward(x), backward(dy), and no word of need_dx."""

    def __init__(self, rng=0):
        super().__init__()
        self.params["w"] = normal((3, 6), rng)

    def forward(self, x):
        self.x = x
        return x @ self.params["w"].T

    def backward(self, dy):
        self.grads["w"] = dy.T @ self.x
        return dy @ self.params["w"]


def test_a_layer_as_the_pages_write_it_goes_everywhere():
    plain, head = Plain(), Linear(3, 2, rng=1, dtype=np.float64)
    x, dy = normal((4, 6)), normal((4, 2), 1)
    for model in (Sequential(plain, head), Sequential(Sequential(plain), head)):
        model(x)
        model.backward(dy)
        expected = {name: grad.copy() for name, grad in model.grads.items()}
        model.clear_grads()
        assert model.backward(dy, need_dx=False) is None
        for name, grad in expected.items():
            np.testing.assert_array_equal(model.grads[name], grad)
    tape = Tape(plain, head)
    a, b = tape(head, tape(plain, x)), tape(head, tape(plain, x[:2]))
    tape.backward((a, dy), (b, dy[:2]))
    assert_gradients(
        [plain, head], lambda: (head(plain(x)) * dy).sum() + (head(plain(x[:2])) * dy[:2]).sum()
    )


class Cached(Plain):
    """Keeps what backward needs in a dict, and a count of its passes in a list."""

    def __init__(self):
        super().__init__()
        self.cache, self.passes = {}, []

    def forward(self, x):
        self.cache["x"] = x
        return x @ self.params["w"].T

    def backward(self, dy):
        self.passes.append(len(dy))
        self.grads["w"] = dy.T @ self.cache["x"]
        return dy @ self.params["w"]


class Wrapping(Layer):
    """Works with layers that it does not name as its children."""

    def __init__(self):
        super().__init__()
        self.inner, self.more = Tanh(), [ReLU()]

    def forward(self, x):
        return self.more[0](self.inner(x))

    def backward(self, dy):
        return self.inner.backward(self.more[0].backward(dy))


def test_memory_of_every_kind_belongs_to_its_call():
    for body, between in ((Cached(), Layer()), (Plain(), Wrapping())):
        x, z = normal((4, 6)), normal((4, 6), 1)
        tape = Tape(body)
        a, b = (tape(between, tape(body, i)) for i in (x, z))
        da, db = normal(a.shape, 2), normal(b.shape, 3)
        tape.backward((a, da), (b, db))
        assert_gradients(
            [body],
            lambda body=body, between=between, da=da, db=db, x=x, z=z: (
                (between(body(x)) * da).sum() + (between(body(z)) * db).sum()
            ),
        )
        if isinstance(body, Cached):
            assert body.passes == [4, 4]
            body(x), call(body, z)[1](db)
            assert body.cache["x"] is z  # that of its last call, in its own dict


def test_a_layer_as_the_pages_write_it_is_trained_by_fit():
    x, y = normal((20, 6)), np.arange(20) % 3
    for model in (Plain(), Sequential(Plain()), Sequential(Tanh(), Plain())):
        history = fit(model, x, y, epochs=3, batch_size=10, optimizer=SGD(model, 0.1))
        assert history["loss"][-1] < history["loss"][0]


def test_on_cupy_arrays_all_stays_on_the_gpu():
    model = Sequential(Linear(6, 5, rng=0), Tanh())
    x = normal((4, 6)).astype(np.float32)
    tape = Tape(model)
    a, b = tape(model, x), tape(model, x[:2])
    tape.backward((a, a), (b, b))
    expected = dict(model.grads)
    with pretended_gpu() as cupy:
        model.to_gpu()
        tape = Tape(model)
        a = tape(model, cupy.asarray(x))
        b, unused = tape(Branches(model, Layer()), cupy.asarray(x[:2]))
        tape.backward((a, a), (b, b), (unused, None))
        assert all(map(is_cupy, model.grads.values()))
        for name, grad in expected.items():
            np.testing.assert_allclose(model.grads[name].get(), grad, rtol=1e-5, atol=1e-6)
        assert type(predict(Frozen(model), x)) is np.ndarray
        tape = Tape()
        y = tape(model, cupy.asarray(x))
        with pytest.raises(TypeError, match="NumPy and CuPy arrays are mixed"):
            tape.backward((y, np.ones(y.shape)))
