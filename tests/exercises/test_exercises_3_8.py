"""The exercises of chapter 3-8: shapes, areas, losses of pixels, ways back, volumes, patients."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES, chapter_3_8
from convbook.layers import Conv2d, Skip
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.unet import pad_to_multiple, unet
from convbook.training import dice
from helpers.answers import answer_to


def test_the_shapes_are_those_of_the_network():
    model, x = unet(1, 3, base=4, depth=2, rng=0), np.zeros((1, 1, 48, 32), np.float32)
    seen = []

    def follow(layers, x):
        for layer in layers:
            if isinstance(layer, Skip):
                seen.append(x.shape[1:])
                inside = follow(layer.body, x)
                seen.append(inside.shape[1:])
                x = np.concatenate([x, inside], axis=1)
                seen.append(x.shape[1:])
            else:
                x = layer(x)
        return x

    scores = follow(model, x)
    answers = chapter_3_8.SHAPES.tolist()
    assert [list(seen[0]), list(seen[1])] == answers[:2]
    assert [list(seen[2]), list(seen[3])] == answers[3:5]
    assert list(scores.shape[1:]) == answers[5]


def test_dice_pixels_and_padding_agree_with_the_package():
    rng = np.random.default_rng(0)
    found, truth = rng.random((2, 5, 6, 7)) < 0.4
    np.testing.assert_allclose(chapter_3_8.dice_of_each(found, truth), dice(found, truth))
    scores, labels = rng.normal(size=(2, 4, 3, 5)), rng.integers(0, 4, (2, 3, 5))
    assert chapter_3_8.pixel_loss(scores, labels) == pytest.approx(
        SoftmaxCrossEntropy()(scores, labels)
    )
    x = rng.normal(size=(2, 1, 5, 12))
    np.testing.assert_array_equal(chapter_3_8.padded(x, 4), pad_to_multiple(x, 4))


def test_the_way_back_is_that_of_a_skip():
    a = np.array([2.0, -0.5, 3.0])
    body = Conv2d(3, 3, 1, groups=3, bias=False, rng=0).astype(np.float64)
    body.params["f"][...] = a[:, None, None, None]
    skip = Skip(body)
    rng = np.random.default_rng(0)
    skip(rng.normal(size=(2, 3, 4, 5)))
    dy = rng.normal(size=(2, 6, 4, 5))
    np.testing.assert_allclose(chapter_3_8.skip_backward(dy, a), skip.backward(dy))


def test_the_fraction_is_the_one_of_the_areas():
    ml_wide, ml_narrow, fraction = chapter_3_8.VOLUMES
    assert (ml_wide, ml_narrow) == (50.0, pytest.approx(18.4))
    assert fraction == pytest.approx((ml_wide - ml_narrow) / ml_wide)


def test_other_ways_to_the_same():
    def dice_of_each(found, truth):
        both, sizes = [], []
        for f, t in zip(found, truth):
            both.append(np.logical_and(f, t).sum())
            sizes.append(f.sum() + t.sum())
        return np.array([2 * b / s if s else 1.0 for b, s in zip(both, sizes)])

    def test_images(patient, chosen):
        return np.array([p in list(chosen) for p in patient])

    def padded(x, multiple):
        n, c, h, w = x.shape
        y = np.zeros((n, c, -(-h // multiple) * multiple, -(-w // multiple) * multiple), x.dtype)
        y[:, :, :h, :w] = x
        return y

    for key, answer in (("3-8.2", dice_of_each), ("3-8.6", test_images), ("3-8.7", padded)):
        assert answer_to(key, answer).startswith("Correct")


def test_a_loss_that_overflows_is_noticed():
    def pixel_loss(scores, labels):
        powers = np.exp(scores)
        p = powers / powers.sum(axis=1, keepdims=True)
        return -np.log(np.take_along_axis(p, labels[:, None], axis=1)).mean()

    with np.errstate(over="ignore", invalid="ignore"):
        message = answer_to("3-8.3", pixel_loss)
    assert message.startswith("Not quite") and "right (+) in 2 of 3 trials" in message


def test_each_exercise_has_six_mistakes_and_three_hints():
    for key in (f"3-8.{n}" for n in range(1, 8)):
        exercise = EXERCISES[key]
        assert len(exercise.mistakes) >= 6 and len(exercise.hints) == 3
