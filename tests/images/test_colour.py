"""Colours as brightness and two differences: there and back, known colours, measures."""

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from convbook.images.colour import (
    CHROMA_SCALE,
    MATRIX,
    colour_error,
    coloured,
    colourfulness,
    folded,
    grey_and_colours,
    stray_steps,
    to_rgb,
    to_ycbcr,
    unfolded,
)
from helpers.drawing import examples

RNG = np.random.default_rng


def one(*channels, dtype=np.float64):
    """A picture of one pixel."""
    return np.array(channels, dtype).reshape(1, -1, 1, 1)


@pytest.mark.parametrize(
    ("rgb", "ycc"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (1, 0, 0)),
        ((0.4, 0.4, 0.4), (0.4, 0, 0)),
        ((1, 0, 0), (0.299, -0.168736, 0.5)),
        ((0, 1, 0), (0.587, -0.331264, -0.418688)),
        ((0, 0, 1), (0.114, 0.5, -0.081312)),
    ],
)
def test_known_colours(rgb, ycc):
    np.testing.assert_allclose(to_ycbcr(one(*rgb)).ravel(), ycc, atol=1e-6)
    np.testing.assert_allclose(to_rgb(one(*ycc)).ravel(), rgb, atol=1e-5)


def test_it_is_what_jpeg_does():
    image = pytest.importorskip("PIL.Image")
    bytes_ = RNG(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    theirs = np.asarray(image.fromarray(bytes_).convert("YCbCr"), float).transpose(2, 0, 1)
    ours = 255 * to_ycbcr(bytes_.transpose(2, 0, 1)[None] / 255)[0]
    ours[1:] += 128
    assert abs(theirs - ours).max() <= 1.5  # rounded twice


@examples(100)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_there_and_back(seed, n, h, w):
    # Colours that are the same in squares of 2 × 2, all over the picture, come back exactly.
    x = (
        RNG(seed).random((n, 1, 2 * h, 2 * w), np.float32)
        * np.array([0.9, 0.5, 0.7])[:, None, None]
    )
    x = np.broadcast_to(x.mean(axis=(2, 3), keepdims=True), x.shape) + 0 * x
    grey, colours = grey_and_colours(x)
    assert grey.dtype == colours.dtype == np.float32
    assert grey.shape == (n, 4, h, w) and colours.shape == (n, 2, h, w)
    assert -1.000001 <= grey.min() <= grey.max() <= 1.000001
    np.testing.assert_allclose(coloured(grey, colours), x, atol=4e-6)


@examples(100)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_no_brightness_is_lost(seed, n, h, w):
    x = 0.3 + 0.4 * RNG(seed).random((n, 3, 2 * h, 2 * w), np.float32)
    grey, colours = grey_and_colours(x)
    np.testing.assert_allclose(unfolded(grey), 2 * to_ycbcr(x)[:, :1] - 1, atol=1e-6)
    np.testing.assert_array_equal(folded(unfolded(grey)), grey)
    brightness = to_ycbcr(coloured(grey, 0.1 * colours))[:, :1]
    np.testing.assert_allclose(brightness, to_ycbcr(x)[:, :1], atol=1e-5)
    means = to_ycbcr(x)[:, 1:].reshape(n, 2, h, 2, w, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(colours, CHROMA_SCALE * means, atol=1e-5)


def test_the_rows_of_differences_leave_grey_alone():
    np.testing.assert_allclose(MATRIX.sum(axis=1), (1, 0, 0), atol=1e-6)


def test_impossible_colours_are_cut_off():
    wild = coloured(np.ones((1, 4, 2, 2)), np.full((1, 2, 2, 2), 3.0))
    assert wild.min() >= 0 and wild.max() <= 1


def test_measures():
    truth = np.zeros((1, 2, 1, 2))
    truth[0, :, 0, 0] = 0.3 * CHROMA_SCALE, 0.4 * CHROMA_SCALE
    assert colourfulness(truth) == pytest.approx(0.25)  # 0.5 in one of two pixels
    assert colour_error(0 * truth, truth) == pytest.approx(0.7 / 4)
    assert colour_error(truth, truth) == 0


def test_stray_steps_are_those_where_the_picture_is_smooth():
    grey = np.zeros((1, 4, 1, 5))
    grey[..., 3:] = 1  # of the four pairs, one has a step
    colours = np.zeros((1, 2, 1, 5))
    colours[0, :, 0, 1] = 0.3 * CHROMA_SCALE, 0.4 * CHROMA_SCALE
    colours[0, 0, 0, 3:] = 9
    assert stray_steps(grey, colours) == pytest.approx(2 * 0.5 / 3)
    # The same, turned: pairs one below the other count as well.
    turned = [np.swapaxes(a, 2, 3) for a in (grey, colours)]
    assert stray_steps(*turned) == pytest.approx(2 * 0.5 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: to_ycbcr(np.zeros((2, 1, 4, 4))), "x must have 3 channels, (N, 3, H, W), got"),
        (lambda: grey_and_colours(np.zeros((1, 3, 3, 4))), "height and width must be even, got 3"),
        (lambda: to_rgb(np.zeros((3, 4, 4))), "x must have 4 axes"),
        (lambda: coloured(np.zeros((1, 1, 4, 4)), np.zeros((1, 2, 4, 4))), "grey must have 4 "),
        (
            lambda: coloured(np.zeros((1, 4, 4, 4)), np.zeros((1, 2, 4, 5))),
            "grey and colours must be of the same pictures, got shapes (1, 4, 4, 4) and (1, 2, ",
        ),
        (
            lambda: stray_steps(np.zeros((1, 4, 4, 4)), np.zeros((1, 2, 4, 5))),
            "colours must have",
        ),
        (lambda: stray_steps(np.zeros((1, 4, 1, 1)), np.zeros((1, 2, 1, 1))), "grey must hold"),
        (lambda: colour_error(np.zeros((1, 2, 4, 4)), np.zeros((1, 2, 4, 5))), "colours must have"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
