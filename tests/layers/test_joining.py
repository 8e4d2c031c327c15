"""Layers of several inputs or outputs, and the containers that stand around them."""

import copy
import re
import sys

import numpy as np
import pytest

from convbook.arrays import as_tuple, is_cupy, to_numpy
from convbook.functional import max_pool2d_indices
from convbook.layers import (
    Add,
    AvgPool2d,
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
    MaxUnpool2d,
    ReLU,
    Residual,
    Sequential,
    SharedBody,
    Skip,
    Summary,
    Tanh,
    Tape,
    Upsample,
)
from convbook.layers.gradcheck import check_layer
from convbook.layers.tape import title
from convbook.stand_in import StandIn, pretended_gpu


def normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def channels_last(x):
    if x.ndim != 4:
        return x
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def is_channels_last(x):
    return x.ndim != 4 or x.transpose(0, 2, 3, 1).flags.c_contiguous


def inception(rng=0):
    return Sequential(
        Branches(
            Conv2d(3, 2, 1, rng=rng),
            Sequential(Conv2d(3, 2, 3, padding=1, rng=rng), ReLU()),
            Sequential(MaxPool2d(3, 1, 1), Conv2d(3, 1, 1, rng=rng)),
            Layer(),
        ),
        Concat(),
    )


def small_unet(rng=0):
    inner = Sequential(
        MaxPool2d(2),
        Conv2d(3, 4, 3, padding=1, rng=rng),
        Tanh(),
        ConvTranspose2d(4, 2, 2, stride=2, rng=rng),
    )
    return Sequential(Skip(inner), Conv2d(5, 2, 1, rng=rng))


def segnet(rng=0):
    pool = MaxPool2d(2)
    return Sequential(pool, Conv2d(3, 3, 3, padding=1, rng=rng), Tanh(), MaxUnpool2d(pool))


# layer, shapes of its inputs, the same in PyTorch's functions (if it has no parameters)
SEVERAL = [
    (Concat(), [(2, 3, 4, 5), (2, 1, 4, 5), (2, 2, 4, 5)], lambda t, *xs: t.cat(xs, 1)),
    (Concat(2), [(2, 3, 4, 5), (2, 3, 1, 5)], lambda t, *xs: t.cat(xs, 2)),
    (Concat(), [(2, 3, 4, 5)], lambda t, x: x),
    (Concat(), [(2, 3), (2, 4)], lambda t, *xs: t.cat(xs, 1)),
    (Add(), [(2, 3, 4, 5)] * 3, lambda t, a, b, c: a + b + c),
    (Add(), [(2, 3)], lambda t, x: x),
    (Layer(), [(2, 3, 4, 5), (2, 3)], lambda t, *xs: xs),
    (
        Branches(Layer(), Tanh(), AvgPool2d(2)),
        [(2, 3, 4, 6)],
        lambda t, x: (x, t.tanh(x), t.nn.functional.avg_pool2d(x, 2)),
    ),
    (Branches(Concat(), Add()), [(2, 3, 4, 5)] * 2, lambda t, a, b: (t.cat([a, b], 1), a + b)),
    (
        Branches(Branches(Tanh(), Layer()), ReLU()),
        [(2, 3, 4, 5)],
        lambda t, x: (t.tanh(x), x, t.relu(x)),
    ),
    (Skip(Tanh()), [(2, 3, 4, 5)], lambda t, x: t.cat([x, t.tanh(x)], 1)),
    (
        Skip(Sequential(MaxPool2d(2), Upsample(2))),
        [(2, 3, 4, 6)],
        lambda t, x: t.cat(
            [x, t.nn.functional.interpolate(t.nn.functional.max_pool2d(x, 2), scale_factor=2)], 1
        ),
    ),
    (
        Sequential(Branches(Tanh(), Layer(), ReLU()), Add(), ReLU()),
        [(2, 3, 4, 5)],
        lambda t, x: t.relu(t.tanh(x) + x + t.relu(x)),
    ),
    (inception(), [(2, 3, 4, 5)], None),
    (small_unet(), [(2, 3, 4, 6)], None),
    (segnet(), [(2, 3, 5, 4)], None),
    (
        SharedBody(
            Sequential(Flatten(), Linear(6, 4, rng=0)), Linear(4, 3, rng=1), Linear(4, 1, rng=2)
        ),
        [(2, 3, 2)],
        None,
    ),
    (
        Sequential(Concat(), Frozen(Sequential(Conv2d(3, 2, 3, rng=1), BatchNorm2d(2)))),
        [(2, 2, 4, 4), (2, 1, 4, 4)],
        None,
    ),
    (Residual(inception(), Conv2d(3, 8, 1, rng=5)), [(2, 3, 4, 5)], None),
]
every = pytest.mark.parametrize(
    "layer, shapes, same",
    SEVERAL,
    ids=[f"{i} {title(layer)}" for i, (layer, *_) in enumerate(SEVERAL)],
)


def run(layer, xs, arranged=lambda dy: dy):
    """Return the outputs and the gradients of the inputs, each as a tuple, and dy."""
    ys = as_tuple(layer(*xs))
    dys = [arranged(normal(y.shape, y.dtype, 9 + i)) for i, y in enumerate(ys)]
    return ys, as_tuple(layer.backward(*dys)), dys


@every
@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("order", ("nchw", "channels last"))
def test_they_are_pytorchs(layer, shapes, same, dtype, order):
    torch = pytest.importorskip("torch")
    if same is None:
        return
    xs = [normal(shape, dtype, i) for i, shape in enumerate(shapes)]
    if order == "channels last":
        xs = [channels_last(x) for x in xs]
        ys, dxs, dys = run(layer.astype(dtype), xs, channels_last)
    else:
        ys, dxs, dys = run(layer.astype(dtype), xs)
    tensors = [torch.tensor(x, requires_grad=True) for x in xs]
    expected = as_tuple(same(torch, *tensors))
    gradients = torch.autograd.grad(expected, tensors, [torch.tensor(dy) for dy in dys])
    for ours, theirs in zip((*ys, *dxs), (*expected, *gradients), strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs.detach(), atol=1e-5, rtol=1e-5)
        if order == "channels last" and ours.ndim == 4 and type(layer) in (Skip, Sequential):
            assert is_channels_last(ours)
    if order == "channels last" and type(layer) in (Concat, Add):
        assert all(map(is_channels_last, ys))


@every
def test_gradients_agree_with_numerical_differentiation(layer, shapes, same):
    xs = tuple(normal(shape, seed=i) for i, shape in enumerate(shapes))
    report = check_layer(layer, xs if len(xs) > 1 else xs[0])
    assert report.ok, report
    names = [c.name for c in report.comparisons]
    assert names[: len(xs)] == (["x"] if len(xs) == 1 else [f"x{i}" for i in range(len(xs))])


@every
def test_dtypes_lists_and_empty_batches(layer, shapes, same):
    for dtype in (np.float16, np.float32):
        layer.astype(dtype)
        ys, dxs, _ = run(layer, [normal(shape, dtype) for shape in shapes])
        assert all(a.dtype == dtype for a in (*ys, *dxs))
    ys, dxs, _ = run(layer, [normal(shape).tolist() for shape in shapes])
    assert [dx.shape for dx in dxs] == shapes
    empty = [np.zeros((0, *shape[1:]), np.float32) for shape in shapes]
    ys, dxs, _ = run(layer, empty)
    assert all(len(y) == 0 for y in ys)
    assert [dx.shape for dx in dxs] == [x.shape for x in empty]


@every
def test_nothing_that_was_given_is_changed_and_nothing_unneeded_done(layer, shapes, same):
    layer.astype(np.float64)
    xs = [normal(shape, seed=i) for i, shape in enumerate(shapes)]
    before = [x.copy() for x in xs]
    ys, dxs, dys = run(layer, xs)
    kept, kept_dys = [y.copy() for y in ys], [dy.copy() for dy in dys]
    again = as_tuple(layer.backward(*dys))
    grads = {name: grad.copy() for name, grad in layer.grads.items()}
    assert layer.backward(*dys, need_dx=False) is None
    for name, grad in grads.items():
        np.testing.assert_array_equal(layer.grads[name], grad)
    for a, b in zip((*xs, *ys, *dxs, *dys), (*before, *kept, *again, *kept_dys), strict=True):
        np.testing.assert_array_equal(a, b)


@every
def test_on_cupy_arrays_everything_stays_on_the_gpu(layer, shapes, same):
    layer.astype(np.float32)
    xs = [normal(shape, np.float32, i) for i, shape in enumerate(shapes)]
    ys, dxs, dys = run(layer, xs)
    expected = [a.copy() for a in (*ys, *dxs, *layer.grads.values())]
    with pretended_gpu() as cupy:
        layer.to_gpu()
        there = as_tuple(layer(*map(cupy.asarray, xs)))
        back = as_tuple(layer.backward(*map(cupy.asarray, dys)))
        found = [*there, *back, *layer.grads.values()]
        assert all(map(is_cupy, found))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(to_numpy(a), b, rtol=1e-4, atol=1e-4)
        layer.to_cpu()


@every
def test_copies_are_independent(layer, shapes, same):
    layer.astype(np.float64)
    xs = [normal(shape, seed=i) for i, shape in enumerate(shapes)]
    ys, dxs, dys = run(layer, xs)
    twin = copy.deepcopy(layer)
    twin(*(2 * x for x in xs))
    for a, b in zip(as_tuple(layer.backward(*dys)), dxs, strict=True):
        np.testing.assert_array_equal(a, b)


# --- Unpooling -----------------------------------------------------------------------------------


def test_unpooling_is_pytorchs():
    torch = pytest.importorskip("torch")
    nn, pool = torch.nn, MaxPool2d(2)
    x = normal((2, 3, 5, 7))
    model = Sequential(pool, Tanh(), MaxUnpool2d(pool))
    t = torch.tensor(x, requires_grad=True)
    y, where = nn.MaxPool2d(2, return_indices=True)(t)
    expected = nn.MaxUnpool2d(2)(torch.tanh(y), where, output_size=t.shape)
    dy = normal(x.shape, seed=1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(model(x), expected.detach(), atol=1e-12)
    np.testing.assert_allclose(model.backward(dy), t.grad)
    given = MaxUnpool2d(2)(model[1](model[0](x)), max_pool2d_indices(x, 2), (5, 7))
    np.testing.assert_allclose(given, expected.detach(), atol=1e-12)


def test_two_poolings_of_one_layer_are_undone_with_their_indices():
    pool, unpool, conv = MaxPool2d(2), MaxUnpool2d(2), Conv2d(1, 1, 3, padding=1, rng=0)
    conv.astype(np.float64)
    a, b = normal((2, 1, 1, 4, 4))
    tape = Tape(conv)
    maps = [tape(conv, x) for x in (a, b)]
    small = [tape(pool, f) for f in maps]
    large = [tape(unpool, s, max_pool2d_indices(f, 2)) for s, f in zip(small, maps)]
    assert [y.shape for y in large] == [a.shape] * 2
    tape.backward(*((y, np.ones_like(y)) for y in large))
    assert conv.grads["b"] == pytest.approx(8)  # one for each window


def test_unpooling_says_what_is_missing():
    pool = MaxPool2d(2)
    unpool = MaxUnpool2d(pool)
    assert repr(unpool) == "MaxUnpool2d(MaxPool2d(2))"
    assert repr(MaxUnpool2d(3, stride=2, padding=1)) == "MaxUnpool2d(3, stride=2, padding=1)"
    with pytest.raises(ValueError, match=r"the pooling layer, MaxPool2d\(2\), must run before"):
        unpool(np.zeros((1, 1, 2, 2)))
    pool(np.zeros((1, 1, 6, 6)))
    with pytest.raises(
        ValueError,
        match=r"must have the shape that the pooling layer has returned,"
        r" \(1, 1, 3, 3\), got \(1, 1, 2, 2\)",
    ):
        unpool(np.zeros((1, 1, 2, 2)))
    with pytest.raises(TypeError, match=re.escape("MaxUnpool2d(2): indices must be given, or the")):
        MaxUnpool2d(2)(np.zeros((1, 1, 2, 2)))
    with pytest.raises(ValueError, match="indices must be from 0 to 15, got 16 to 16"):
        MaxUnpool2d(2)(np.zeros((1, 1, 2, 2)), np.full((1, 1, 2, 2), 16))
    with pytest.raises(TypeError, match="stride and padding are those of the pooling layer"):
        MaxUnpool2d(pool, stride=2)
    with pytest.raises(ValueError, match="padding of max pooling must be at most half"):
        MaxUnpool2d(2, padding=2)
    assert MaxUnpool2d(3, 2, 1)(np.ones((1, 1, 2, 2)), np.arange(4).reshape(1, 1, 2, 2)).shape == (
        1,
        1,
        3,
        3,
    )


# --- What does not fit ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer, shapes, said",
    [
        (
            Concat(),
            [(2, 3, 4, 4), (2, 3, 4, 5)],
            "Concat(): all axes but 1 must agree, got shapes (2, 3, 4, 4), (2, 3, 4, 5)",
        ),
        (Concat(3), [(2, 3)], "Concat(axis=3): all axes but 3 must agree, got shapes (2, 3)"),
        (Add(), [(2, 3), (2, 1)], "Add(): the shapes must be equal, got (2, 3), (2, 1)"),
        (
            Skip(MaxPool2d(2)),
            [(2, 3, 4, 4)],
            "same height and width, got 2 × 2 beside 4 × 4",
        ),
    ],
)
def test_shapes_that_do_not_fit(layer, shapes, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        layer(*map(np.zeros, shapes))


def test_numbers_of_inputs_that_do_not_fit():
    with pytest.raises(TypeError, match="at least one input is needed, got none"):
        Add()()
    model = Sequential(Branches(Tanh(), Layer()), ReLU())
    with pytest.raises(
        TypeError,
        match=re.escape(
            "ReLU() does not take 2 inputs, which is what "
            "stands before it; a Concat or an Add makes"
        ),
    ):
        model(np.zeros((2, 3)))
    both = Branches(Tanh(), Layer())
    both(np.zeros((2, 3)))
    with pytest.raises(
        TypeError, match="backward needs a gradient for each output of forward, 2, got 1"
    ):
        both.backward(np.zeros((2, 3)))
    with pytest.raises(
        ValueError,
        match=re.escape("dys[1] must have the shape of the last output, (2, 3), got (3, 2)"),
    ):
        both.backward(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="axis must be an integer of at least 1, got 0"):
        Concat(0)
    with pytest.raises(TypeError, match="layer 1 of a Branches must be a Layer"):
        Branches(ReLU(), abs)


def test_mixed_arrays_are_refused(monkeypatch):
    cupy = StandIn()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    for layer in (Add(), Concat()):
        with pytest.raises(TypeError, match="NumPy and CuPy arrays are mixed"):
            layer(np.zeros((2, 3)), cupy.zeros((2, 3)))


def test_a_layer_without_its_beginning_says_so():
    class Forgotten(Layer):
        def __init__(self):
            pass

    with pytest.raises(
        TypeError,
        match=re.escape(
            "layer 0 of a Sequential is not complete: Forgotten.__init__ must begin with super()"
        ),
    ):
        Sequential(Forgotten())


def test_where_twice_is_refused_the_tape_is_named():
    relu = ReLU()
    with pytest.raises(ValueError, match="so make two, or let a Tape call it twice"):
        Branches(relu, relu)


def test_floats_of_two_kinds_meet_in_the_wider():
    for layer in (Add(), Concat()):
        y = layer(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float64))
        assert y.dtype == np.float64


# --- How they show themselves --------------------------------------------------------------------


def test_they_show_their_layers():
    model = Sequential(Branches(ReLU(), Layer()), Concat(), Skip(Tanh()), Frozen(ReLU()))
    assert (
        repr(model)
        == """\
Sequential(
  0: Branches(
    0: ReLU()
    1: Layer()
  )
  1: Concat()
  2: Skip(
    body: Tanh()
    join: Concat()
  )
  3: Frozen(
    body: ReLU()
  )
)"""
    )


def test_the_summary_of_branches():
    summary = Summary(inception(), (3, 8, 8))
    assert [(row.name, row.output_shape) for row in summary.rows] == [
        ("0.0", (2, 8, 8)),
        ("0.1.0", (2, 8, 8)),
        ("0.1.1", (2, 8, 8)),
        ("0.2.0", (3, 8, 8)),
        ("0.2.1", (1, 8, 8)),
        ("0.3", (3, 8, 8)),
        ("1", (8, 8, 8)),
    ]
    assert summary.parameters == sum(row.parameters for row in summary.rows)
    assert summary.multiplications == 64 * (3 * 2 + 27 * 2 + 3)


class Twins(Container):
    """Two inputs; one body looks at both."""

    def __init__(self):
        super().__init__(
            {
                "body": Sequential(Conv2d(1, 4, 3, rng=0), GlobalAvgPool2d()),
                "both": Layer(),
                "join": Concat(),
                "head": Linear(8, 1, rng=1),
            }
        )

    def forward(self, a, b):
        c = self.children
        return c["head"](c["join"](*c["both"](c["body"](a), c["body"](b))))


def test_the_summary_of_several_inputs_and_of_a_layer_that_runs_twice(capsys):
    summary = Summary(Twins(), (1, 8, 8), (1, 6, 6))
    assert [
        (row.name, row.output_shape, row.parameters, row.multiplications) for row in summary.rows
    ] == [
        ("body.0", (4, 6, 6), 40, 1296),
        ("body.1", (4,), 0, 0),
        ("body.0", (4, 4, 4), 0, 576),
        ("body.1", (4,), 0, 0),
        ("both", ((4,), (4,)), 0, 0),
        ("join", (8,), 0, 0),
        ("head", (1,), 9, 8),
    ]
    assert summary.parameters == 49 and summary.multiplications == 1296 + 576 + 8
    lines = str(summary).splitlines()
    assert [line.split() for line in lines[2:4]] == [
        ["input", "1", "×", "8", "×", "8"],
        ["input", "1", "×", "6", "×", "6"],
    ]
    assert any("Layer()" in line and "4, 4" in line for line in lines)
    Twins().summary((1, 8, 8), (1, 6, 6))
    assert capsys.readouterr().out == f"{summary}\n"


def test_a_model_of_branches_learns_with_dropout_in_it():
    model = Sequential(
        Branches(Sequential(Linear(3, 4, rng=0), Dropout(0.5, rng=0)), Linear(3, 2, rng=1)),
        Concat(),
        Linear(6, 2, rng=2),
    )
    x = normal((5, 3), np.float32)
    for _ in range(2):
        model.backward(np.ones_like(model(x)), need_dx=False)
    assert set(model.grads) == set(model.params)
