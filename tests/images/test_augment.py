"""Data augmentation: the matrices, the sampling beside PyTorch's, and every transformation."""

import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st

from convbook.images import affine
from convbook.images.affine import MODES, transform
from convbook.images.augment import (
    Augmentation,
    Brightness,
    Compose,
    Contrast,
    Crop,
    Cutout,
    Flip,
    Rotate,
    Shear,
    Shift,
    Together,
    Zoom,
)
from convbook.stand_in import StandIn
from helpers.drawing import examples

ALL = [
    Flip(0.5, 0.5), Zoom(), Rotate(30), Shear(0.2, 0.1), Shift(3), Shift(1.5, whole=False),
    Crop(2), Crop(1, (5, 6)), Brightness(), Contrast(), Cutout(3),
    Compose(Flip(), Rotate(), Crop(2), Brightness(), Zoom(mode="edge"), Cutout(2)),
    Compose(Rotate(), Zoom(), mode="reflect"), Compose(),
]  # fmt: skip


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(*shape, dtype=np.float32, seed=1):
    drawn = rng(seed).random(shape or (4, 3, 8, 9))
    return (drawn * 255).astype(dtype) if dtype == np.uint8 else drawn.astype(dtype)


def smooth(n=2, c=1, h=41, w=47):
    """Return images without sharp edges, for which sampling twice is nearly sampling once."""
    y, x = np.mgrid[:h, :w]
    image = 0.5 + 0.25 * np.sin(x / 9) + 0.25 * np.cos(y / 11 + x / 23)
    return np.broadcast_to(image, (n, c, h, w)).astype(np.float32)


# --- Matrices ------------------------------------------------------------------------------------


def moved(matrix, x, y):
    return (matrix @ [x, y, 1])[:2]


def test_where_points_go():
    np.testing.assert_allclose(moved(affine.flip(horizontal=True), 2, 3), [-2, 3])
    np.testing.assert_allclose(moved(affine.flip(vertical=True), 2, 3), [2, -3])
    np.testing.assert_allclose(moved(affine.zoom(1.5), 2, 4), [3, 6])
    np.testing.assert_allclose(moved(affine.shear(0.5, 0), 2, 4), [4, 4])
    np.testing.assert_allclose(moved(affine.shear(0, 0.5), 2, 4), [2, 5])
    np.testing.assert_allclose(moved(affine.shift(5, -1), 2, 4), [7, 3])
    # A quarter turn counterclockwise brings what is on the right up, and y points down.
    np.testing.assert_allclose(moved(affine.rotation(90), 2, 0), [0, -2], atol=1e-15)


@pytest.mark.parametrize(
    ("make", "values"),
    [(affine.flip, [True, False]), (affine.zoom, [0.5, 2]), (affine.rotation, [10, -20]),
     (affine.shear, [0.1, 0.2]), (affine.shift, [1, 2])],
)  # fmt: skip
def test_arrays_give_one_matrix_each(make, values):
    many = make(np.array(values))
    assert many.shape == (2, 3, 3) and many.dtype == np.float64
    np.testing.assert_array_equal(many, [make(value) for value in values])


# --- Sampling ------------------------------------------------------------------------------------


def drawn_matrices(n, seed=0):
    draws = rng(seed)
    return (
        affine.shift(draws.uniform(-6, 6, n), draws.uniform(-6, 6, n))
        @ affine.rotation(draws.uniform(-180, 180, n))
        @ affine.shear(draws.uniform(-0.5, 0.5, n), draws.uniform(-0.5, 0.5, n))
        @ affine.zoom(draws.uniform(0.4, 2.5, n))
        @ affine.flip(draws.random(n) < 0.5, draws.random(n) < 0.5)
    )


def torch_transform(x, matrices, mode):
    """What PyTorch makes of it: affine_grid wants places from -1 to 1, and the inverse matrix."""
    torch = pytest.importorskip("torch")
    h, w = x.shape[2:]
    scale = np.diag([(w - 1) / 2, (h - 1) / 2, 1])
    theta = (np.linalg.inv(scale) @ np.linalg.inv(matrices) @ scale)[:, :2]
    x = torch.from_numpy(x)
    theta = torch.tensor(theta, dtype=x.dtype)
    grid = torch.nn.functional.affine_grid(theta, x.shape, align_corners=True)
    names = {"zero": "zeros", "edge": "border", "reflect": "reflection"}
    return torch.nn.functional.grid_sample(
        x, grid, padding_mode=names[mode], align_corners=True
    ).numpy()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(150, 3, 32, 32), (40, 1, 28, 28), (3, 2, 61, 90), (5, 3, 7, 2)])
def test_same_as_torch(mode, dtype, shape):
    x, matrices = pictures(*shape, dtype=dtype), drawn_matrices(shape[0])
    y = transform(x, matrices, mode)
    assert y.dtype == dtype
    # Places are rounded as the dtype does, and a picture of noise changes by 1 within a pixel.
    tolerance = 2e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(y, torch_transform(x, matrices, mode), rtol=0, atol=tolerance)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("down", [-20, -3, 0, 2, 9])
def test_whole_shifts_are_those_of_pad(mode, down):
    x, right = pictures(), -2 * down
    y = transform(x, affine.shift(right, down), mode)
    names = {"zero": "constant", "edge": "edge", "reflect": "reflect"}
    around = 60
    padded = np.pad(x, [(0, 0), (0, 0), (around, around), (around, around)], names[mode])
    top, left = around - down, around - right
    np.testing.assert_array_equal(y, padded[:, :, top : top + 8, left : left + 9])


def test_flips_and_quarter_turns_are_exact():
    x = pictures(2, 3, 6, 6)
    np.testing.assert_array_equal(transform(x, affine.flip(True, False)), x[..., ::-1])
    np.testing.assert_array_equal(transform(x, affine.flip(False, True)), x[..., ::-1, :])
    for turns in range(-4, 5):
        expected = np.rot90(x, turns, axes=(2, 3))
        np.testing.assert_array_equal(transform(x, affine.rotation(90 * turns)), expected)


def test_zoom_by_hand():
    x = np.array([[0, 4, 8]], np.float32)[None, None]
    np.testing.assert_allclose(transform(x, affine.zoom(2))[0, 0], [[2, 4, 6]])
    np.testing.assert_allclose(transform(x, affine.zoom(0.5), "zero")[0, 0], [[0, 4, 0]])
    np.testing.assert_allclose(transform(x, affine.zoom(0.5), "edge")[0, 0], [[0, 4, 8]])
    np.testing.assert_allclose(transform(x, affine.shift(0.25), "zero")[0, 0], [[0, 3, 7]])


@examples(60)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(*[st.integers(1, 12)] * 4),
    mode=st.sampled_from(MODES),
    flips=st.tuples(st.booleans(), st.booleans()),
)
def test_identities(seed, shape, mode, flips):
    x = pictures(*shape, seed=seed)
    np.testing.assert_array_equal(transform(x, affine.rotation(0), mode), x)
    flip = affine.flip(*flips)
    np.testing.assert_array_equal(transform(transform(x, flip, mode), flip, mode), x)
    constant = np.full_like(x, 0.625)
    if mode != "zero":  # a mean of equal numbers, whatever the matrix
        y = transform(constant, drawn_matrices(shape[0], seed), mode)
        np.testing.assert_allclose(y, constant, rtol=1e-6)
    y = transform(x, drawn_matrices(shape[0], seed), mode)
    assert y.min() >= min(0, x.min()) - 1e-6 and y.max() <= x.max() + 1e-6


@examples(40)
@given(seed=st.integers(0, 2**32 - 1))
def test_product_is_one_after_the_other(seed):
    draws, x = rng(seed), smooth()
    first = affine.rotation(draws.uniform(-20, 20)) @ affine.zoom(draws.uniform(0.9, 1.2))
    second = affine.shift(*draws.uniform(-3, 3, 2)) @ affine.shear(draws.uniform(-0.1, 0.1))
    once = transform(x, second @ first)
    twice = transform(transform(x, first), second)
    inner = np.s_[:, :, 14:-14, 14:-14]
    np.testing.assert_allclose(once[inner], twice[inner], atol=4e-3)
    assert np.abs(once - twice).max() > 0  # interpolated twice, it is a little blurred


@pytest.mark.parametrize("blocks", [1, 7])
def test_blocks_do_not_matter(blocks, monkeypatch):
    x, matrices = pictures(7, 3, 16, 16), drawn_matrices(7)
    whole = transform(x, matrices)
    monkeypatch.setattr("convbook.kernels.blocks.BLOCK_BYTES", blocks * 3 * x[0].nbytes)
    np.testing.assert_array_equal(transform(x, matrices), whole)


def test_bytes_are_rounded():
    x, matrices = pictures(dtype=np.uint8), drawn_matrices(4)
    y = transform(x, matrices)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, np.rint(transform(x.astype(np.float32), matrices)))
    np.testing.assert_array_equal(transform(x, affine.flip(True)), x[..., ::-1])


def test_other_sizes_keep_the_centre():
    x = pictures(2, 1, 7, 9)
    np.testing.assert_array_equal(transform(x, np.eye(3), size=(3, 5)), x[:, :, 2:5, 2:7])
    y = transform(x, np.eye(3), size=11)
    np.testing.assert_array_equal(y, np.pad(x, [(0, 0), (0, 0), (2, 2), (1, 1)]))


def test_any_strides_and_no_images():
    x = np.ascontiguousarray(pictures().transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    matrices = drawn_matrices(4)
    np.testing.assert_array_equal(transform(x, matrices), transform(x.copy("C"), matrices))
    assert transform(x[:0], np.eye(3), size=4).shape == (0, 3, 4, 4)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [({"x": np.ones((3, 4))}, ValueError, "x must have 4 axes"),
     ({"x": np.ones((1, 1, 4, 4), int)}, TypeError, "floating point or uint8, got dtype int64"),
     ({"mode": "wrap"}, ValueError, "mode must be one of 'zero', 'edge', 'reflect', got 'wrap'"),
     ({"matrices": np.eye(2)}, ValueError, r"matrices must have shape .* got \(2, 2\)"),
     ({"matrices": np.zeros((5, 3, 3))}, ValueError, r"\(4, 3, 3\), got \(5, 3, 3\)"),
     ({"matrices": affine.zoom(0)}, ValueError, "must have an inverse"),
     ({"matrices": affine.zoom(np.nan)}, ValueError, "finite"),
     ({"matrices": np.ones((3, 3))}, ValueError, "0, 0, 1 in their last row"),
     ({"size": (0, 3)}, ValueError, "size must be an integer of at least 1")],
)  # fmt: skip
def test_refused(change, error, message):
    with pytest.raises(error, match=message):
        transform(**{"x": pictures(), "matrices": np.eye(3)} | change)


# --- All transformations -------------------------------------------------------------------------


@pytest.mark.parametrize("augment", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.uint8])
def test_manners(augment, dtype):
    x = pictures(dtype=dtype)
    kept = x.copy()
    y = augment(x, rng(3))
    np.testing.assert_array_equal(x, kept)
    assert y.dtype == dtype and not np.shares_memory(x, y)
    assert y.shape == (4, 3, *((5, 6) if "size=(5, 6)" in repr(augment) else (8, 9)))
    np.testing.assert_array_equal(augment(x, rng(3)), y)
    assert augment(x[:0], rng()).shape == (0, *y.shape[1:])
    if not isinstance(augment, Compose) or augment.steps:
        assert any((augment(x, rng(seed)) != y).any() for seed in range(4, 9))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(augment))(x, rng(3)), y)


@pytest.mark.parametrize("augment", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_same_on_the_gpu(augment, dtype, monkeypatch):
    x = pictures(dtype=dtype)
    y = augment(x, rng(5))
    cupy = StandIn()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    on_gpu = augment(cupy.asarray(x), rng(5))
    assert isinstance(on_gpu, cupy.ndarray)
    np.testing.assert_array_equal(cupy.asnumpy(on_gpu), y)


@pytest.mark.parametrize("augment", ALL, ids=repr)
def test_bad_arguments(augment):
    with pytest.raises(TypeError, match="rng must be a NumPy generator"):
        augment(pictures(), 0)
    with pytest.raises(TypeError, match="x must be floating point or uint8"):
        augment(np.ones((1, 1, 4, 4), bool), rng())
    with pytest.raises(ValueError, match="x must have 4 axes"):
        augment(np.ones((4, 4)), rng())


# --- Each transformation -------------------------------------------------------------------------

MANY = (4000, 1, 16, 16)


def test_flip_is_as_frequent_as_asked():
    x = pictures(2000, 1, 2, 2)
    y = Flip(0.3, 0.6)(x, rng())
    same = {
        name: (y == flipped).all(axis=(1, 2, 3)).mean()
        for name, flipped in [
            ("none", x),
            ("h", x[..., ::-1]),
            ("v", x[..., ::-1, :]),
            ("both", x[..., ::-1, ::-1]),
        ]
    }
    expected = {"none": 0.28, "h": 0.12, "v": 0.42, "both": 0.18}
    assert same == pytest.approx(expected, abs=0.04)


def test_only_left_and_right_are_swapped_unless_asked():
    matrices = Flip().matrices(MANY, rng())
    assert (matrices[:, 1, 1] == 1).all() and set(matrices[:, 0, 0]) == {-1, 1}


def test_zoom_goes_in_as_often_as_out():
    factors = Zoom((0.5, 2)).matrices(MANY, rng())[:, 0, 0]
    assert 0.5 <= factors.min() < 0.51 and 1.98 < factors.max() <= 2
    assert (factors > 1).mean() == pytest.approx(0.5, abs=0.03)


def test_ranges():
    angles = Rotate((10, 40)).matrices(MANY, rng())
    angles = np.degrees(np.arctan2(angles[:, 0, 1], angles[:, 0, 0]))
    assert 10 <= angles.min() < 11 and 39 < angles.max() <= 40
    shear = Shear(0.2, (0, 0.1)).matrices(MANY, rng())
    assert -0.2 <= shear[:, 0, 1].min() < -0.19 and 0.19 < shear[:, 0, 1].max() <= 0.2
    assert 0 <= shear[:, 1, 0].min() < 0.01 and 0.09 < shear[:, 1, 0].max() <= 0.1
    shift = Shift((1, 3)).matrices(MANY, rng())
    assert set(shift[:, 0, 2]) == {*range(-3, 4)} and set(shift[:, 1, 2]) == {-1, 0, 1}
    shift = Shift(2.5, whole=False).matrices(MANY, rng())[:, :2, 2]
    assert shift.min() < -2.4 and shift.max() > 2.4 and (shift % 1 != 0).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [None, 5, (4, 9), (12, 13)])
def test_crop_is_a_part_of_the_padded_image(mode, size):
    x = np.arange(1, 73, dtype=np.float32).reshape(1, 1, 8, 9)  # every number once
    h, w = (8, 9) if size is None else (size, size) if isinstance(size, int) else size
    names = {"zero": "constant", "edge": "edge", "reflect": "reflect"}
    padded = np.pad(x[0, 0], 2, names[mode])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (h, w))
    windows = {part.tobytes() for row in windows for part in row}
    crops = Crop(2, size, mode)(np.repeat(x, 500, axis=0), rng())
    assert {crop[0].tobytes() for crop in crops} == windows  # each of them, and no other


def test_brightness_and_contrast_by_hand():
    x = pictures(3, 2, 4, 5)
    y = Brightness((0.5, 0.5))(x, rng())
    np.testing.assert_allclose(y, x / 2)
    np.testing.assert_allclose(Brightness((3, 3))(x, rng()), np.minimum(3 * x, 1), rtol=1e-6)
    np.testing.assert_allclose(Brightness((3, 3), clip=False)(x, rng()), 3 * x, rtol=1e-6)
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    grey = np.broadcast_to(mean, x.shape)
    np.testing.assert_allclose(Contrast((0, 0))(x, rng()), grey, rtol=1e-5)
    np.testing.assert_allclose(
        Contrast((2, 2), clip=False)(x, rng()), mean + 2 * (x - mean), atol=1e-6
    )
    factors = (Brightness((0.5, 0.9))(x, rng()) / x).reshape(3, -1)
    assert np.ptp(factors, axis=1).max() < 1e-6 and len(np.unique(factors[:, 0])) == 3


def test_brightness_of_bytes():
    x = np.array([0, 100, 101, 200], np.uint8).reshape(1, 1, 2, 2)
    assert Brightness((1.5, 1.5))(x, rng()).ravel().tolist() == [0, 150, 152, 255]


@pytest.mark.parametrize("value, pixel", [(127.6, 128), (126.5, 126), (0.4, 0), (254.6, 255)])
def test_cutout_of_bytes_is_rounded_to_the_nearest(value, pixel):
    assert np.unique(Cutout(99, value)(pictures(dtype=np.uint8), rng())).tolist() == [pixel]


@pytest.mark.parametrize("dtype, value", [
    (np.uint8, 300), (np.uint8, -1), (np.uint8, 255.1), (np.uint8, np.inf), (np.uint8, 1e300),
    (np.float16, 1e5), (np.float32, 1e39), (np.float64, -np.inf),
])  # fmt: skip
def test_cutout_with_a_value_that_is_no_pixel_is_refused(dtype, value):
    x = pictures(dtype=dtype)
    message = f"value must be from .* to .* for images of dtype {np.dtype(dtype)}, got "
    for cutout in (Cutout(3, value), Compose(Flip(), Cutout(3, value))):
        with pytest.raises(ValueError, match=message):
            cutout(x, rng())


def test_half_precision_is_computed_in_float32():
    x = np.full((1, 1, 2, 2), 0.5, np.float16)
    dark = Brightness((60_000, 60_000))(np.zeros_like(x), rng())
    assert dark.dtype == np.float16 and not dark.any()
    assert (Brightness((100_000, 100_000))(x, rng()) == 1).all()
    assert (Contrast((100_000, 100_000))(x, rng()) == 0.5).all()


def test_cutout_covers_a_square():
    x = np.ones((500, 2, 9, 11), np.float32)
    y = Cutout(4, value=0.25)(x, rng())
    np.testing.assert_array_equal(y[:, 0], y[:, 1])
    sides = set()
    for image in y[:, 0]:
        assert set(np.unique(image)) <= {0.25, 1}
        rows, cols = np.nonzero(image == 0.25)
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        assert rows.size == height * width
        sides.add((height, width))
        if height < 4:
            assert rows.min() == 0 or rows.max() == 8
    assert {(4, 4), (4, 3), (2, 2)} <= sides and max(sides) == (4, 4)
    assert (y == 0.25).any(axis=0).all()  # every pixel can be covered


# --- Composition ---------------------------------------------------------------------------------


def test_one_sampling_for_many_steps(monkeypatch):
    calls = []

    def counting(x, matrices, mode, size):
        calls.append((mode, tuple(size)))
        return transform(x, matrices, mode, size)

    monkeypatch.setattr(affine, "transform", counting)
    x = pictures()
    Compose(Flip(), Rotate(), Zoom(), Shear(), Shift(1), Crop(1, 5))(x, rng())
    assert calls == [("zero", (5, 5))]
    calls.clear()
    Compose(
        Flip(),
        Rotate(mode="edge"),
        Flip(),
        Brightness(),
        Crop(1, 5, mode="edge"),
        Zoom(mode="reflect"),
        Cutout(2),
    )(x, rng())
    assert calls == [("edge", (8, 9)), ("edge", (5, 5)), ("reflect", (5, 5))]
    calls.clear()
    Compose(Rotate(mode="edge"), Zoom(), Compose(Shift(1)), mode="reflect")(x, rng())
    assert calls[0] == ("reflect", (8, 9))


@pytest.mark.parametrize("mode", MODES)
def test_composed_as_multiplied_by_hand(mode):
    x, steps = smooth(5), [Flip(), Zoom(), Rotate(), Shear(), Shift(4, whole=False)]
    draws, matrices = rng(7), np.eye(3)
    for step in steps:
        matrices = step.matrices(x.shape, draws) @ matrices
    expected = transform(x, matrices, mode)
    np.testing.assert_array_equal(Compose(*steps, mode=mode)(x, rng(7)), expected)


def test_composed_is_one_after_the_other_inside():
    x, steps = smooth(6), [Flip(), Rotate(10), Zoom((0.95, 1.2)), Shift(2), Crop(0, (31, 37))]
    once, one_by_one, draws = Compose(*steps)(x, rng(2)), x, rng(2)
    for step in steps:
        one_by_one = step(one_by_one, draws)
    assert once.shape == one_by_one.shape
    inner = np.s_[:, :, 8:-8, 8:-8]
    np.testing.assert_allclose(once[inner], one_by_one[inner], atol=6e-3)


def test_exact_steps_are_exact_together():
    x, steps = pictures(50, 3, 10, 10), [Flip(0.5, 0.5), Shift(2), Cutout(3), Crop(2), Crop(0, 7)]
    one_by_one, draws = x, rng(4)
    for step in steps[:3]:
        one_by_one = step(one_by_one, draws)
    np.testing.assert_array_equal(Compose(*steps[:3])(x, rng(4)), one_by_one)
    y = Compose(*steps)(x, rng(4))
    assert y.shape == (50, 3, 7, 7)
    assert set(y.ravel()) <= {0, *x.ravel()}


def test_compose_in_compose():
    nested = Compose(Compose(Flip(), Brightness()), Rotate())
    flat = Compose(Flip(), Brightness(), Rotate())
    np.testing.assert_array_equal(nested(pictures(), rng()), flat(pictures(), rng()))


# --- Settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [(lambda: Flip(1.5), ValueError, "horizontal must be a number of at least 0 and at most 1"),
     (lambda: Flip(0, "often"), TypeError, "vertical must be a number"),
     (lambda: Zoom((0, 1)), ValueError, "factors must be a number of at least 0.001 .* got 0"),
     (lambda: Zoom((1.2, 0.8)), ValueError, "factors must have its smaller number first"),
     (lambda: Zoom(1.2), ValueError, r"factors must be a pair \(low, high\), got 1.2"),
     (lambda: Rotate(-5), ValueError, "degrees must be a number of at least 0 .* got -5"),
     (lambda: Rotate((1, 2, 3)), ValueError, "degrees must be a pair"),
     (lambda: Rotate((0, np.inf)), ValueError, "degrees must be a number .* 1000000, got inf"),
     (lambda: Rotate((0, np.nan)), ValueError, "degrees must be a number"),
     (lambda: Rotate(5, mode="wrap"), ValueError, "mode must be one of"),
     (lambda: Shear(1.1, 1.0), ValueError, "horizontal and vertical .* below 1"),
     (lambda: Shift(1.5), TypeError, "pixels must be an integer of at least 0, got 1.5"),
     (lambda: Shift((1, 2, 3), whole=False), ValueError, "pixels must be a number or a pair"),
     (lambda: Crop(-1), ValueError, "padding must be an integer of at least 0"),
     (lambda: Crop(1, 0), ValueError, "size must be an integer of at least 1"),
     (lambda: Crop(1, 11)(pictures(), rng()), ValueError,
      r"padded image, whose height is 8 \+ 2·1, got 11"),
     (lambda: Brightness((-0.1, 1)), ValueError, "factors must be a number of at least 0"),
     (lambda: Contrast("much"), ValueError, r"factors must be a pair \(low, high\)"),
     (lambda: Cutout(0), ValueError, "size must be an integer of at least 1"),
     (lambda: Cutout(2, None), TypeError, "value must be a number"),
     (lambda: Compose(Flip), TypeError, "steps must be transformations"),
     (lambda: Compose([Flip()]), TypeError, "steps must be transformations"),
     (lambda: Compose(mode="wrap"), ValueError, "mode must be one of")],
)  # fmt: skip
def test_refused_settings(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("make", [
    lambda: Zoom((1, 1e7)), lambda: Zoom((1e-9, 1)), lambda: Rotate(1e308),
    lambda: Rotate((-1e308, 0)), lambda: Shear(1e200), lambda: Shift(10**25),
    lambda: Shift(np.inf, whole=False), lambda: Crop(10**20), lambda: Cutout(10**20),
    lambda: Brightness((0, 1e39)), lambda: Contrast((1e300, 1e300)),
])  # fmt: skip
def test_settings_that_would_overflow_are_refused(make):
    with pytest.raises(ValueError, match="must be a number of at least .* at most 1000000, got"):
        make()


def test_repr():
    assert repr(Rotate(5)) == "Rotate(degrees=(-5.0, 5.0), mode='zero')"
    assert repr(Compose(Flip(), Compose(Cutout(2)), mode="edge")) == (
        "Compose(\n"
        "  Flip(horizontal=0.5, vertical=0.0),\n"
        "  Compose(\n"
        "    Cutout(size=2, value=0.0),\n"
        "  ),\n"
        "  mode='edge',\n"
        ")"
    )


def test_own_transformations_can_join():
    class Negative(Augmentation):
        """White becomes black."""

        def _change(self, xp, x, rng):
            return 1 - x

    x = pictures()
    np.testing.assert_array_equal(Compose(Negative(), Negative())(x, rng()), 1 - (1 - x))


# --- Images and masks together -------------------------------------------------------------------


def spots(seed=0, n=6, size=24):
    """Images of a soft spot each, and where it is bright."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size]
    places = rng.uniform(8, size - 8, (n, 2, 1, 1))
    distance = np.hypot(rows - places[:, 0], columns - places[:, 1])
    x = np.exp(-((distance / 4) ** 2))[:, None].astype(np.float32)
    return x, (x > 0.5).astype(np.float32)


MOVES = (Rotate(40), Zoom((0.8, 1.2)), Shift(3, whole=False), Flip(0.5, 0.5))


def test_masks_go_where_their_images_go():
    x, y = spots()
    moved_x, moved_y = Together(*MOVES)(x, y, np.random.default_rng(3))
    assert (moved_y != y).any() and set(np.unique(moved_y)) == {0, 1}
    wrong = moved_y != (moved_x > 0.5)
    assert wrong.mean() < 0.01
    alone = Compose(*MOVES, mode="edge")(x, np.random.default_rng(3))
    np.testing.assert_array_equal(moved_x, alone)  # the images as if there were no masks


def test_what_changes_values_leaves_the_masks():
    x, y = spots()
    step = Together(Brightness((0.5, 0.5)), Cutout(6))
    moved_x, moved_y = step(x, y, np.random.default_rng(0))
    np.testing.assert_array_equal(moved_y, y)
    assert moved_x.max() <= 0.5 and moved_x.dtype == x.dtype


@pytest.mark.parametrize("dtype", (bool, np.uint8, np.int64, np.float32))
def test_masks_and_classes_keep_their_kind(dtype):
    x, y = spots()
    classes = (y[:, 0] + (x[:, 0] > 0.8)).astype(dtype)
    for targets in (y.astype(dtype), classes):
        new = Together(*MOVES)(x, targets, np.random.default_rng(1))[1]
        assert new.dtype == dtype and new.shape == targets.shape
        assert set(np.unique(new)) <= set(np.unique(targets))
    masks = np.concatenate([y, 1 - y], axis=1).astype(dtype)
    new = Together(*MOVES)(x, masks, np.random.default_rng(1))[1].astype(int)
    assert (new.sum(axis=1) == 1).mean() > 0.98


def test_classes_move_as_their_masks_do():
    x, y = spots()
    unknown = np.where(y[:, 0] > 0, 1, 255)
    as_classes = Together(*MOVES)(x, unknown, np.random.default_rng(2))[1]
    as_masks = Together(*MOVES)(x, y, np.random.default_rng(2))[1]
    assert ((as_classes == 1) != (as_masks[:, 0] == 1)).mean() < 0.005


def test_masks_are_cut_out_with_their_images():
    x, y = spots()
    step = Together(Rotate(20), Crop(2, (12, 16)), Brightness((1, 1)))
    new_x, new_y = step(x, y, np.random.default_rng(5))
    assert new_x.shape == new_y.shape == (6, 1, 12, 16)
    assert ((new_x > 0.5) != (new_y > 0.5)).mean() < 0.01 and new_y.any()
    classes = step(x, y[:, 0].astype(int), np.random.default_rng(5))[1]
    assert (classes != new_y[:, 0]).mean() < 0.01


def test_together_in_a_training_is_a_function_of_both():
    from convbook.training.batches import changes_targets

    assert changes_targets(Together(Shift(2)))
    assert repr(Together(Shift(2))).startswith("Together(\n  Shift(whole=True")


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x, y, r: Together(3), TypeError, "steps must be transformations"),
        (lambda x, y, r: Together(Shift(2), mode="wrap"), ValueError, "mode must be one of"),
        (
            lambda x, y, r: Together(Shift(2))(x, y[:3], r),
            ValueError,
            r"y must be masks \(N, D, H, W\) or classes",
        ),
        (lambda x, y, r: Together(Shift(2))(x, y[..., 1:], r), ValueError, "y must be masks"),
    ],
)
def test_together_refuses_what_does_not_fit(call, error, said):
    with pytest.raises(error, match=said):
        call(*spots(), np.random.default_rng(0))
