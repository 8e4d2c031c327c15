"""How strange images are, and two measures: AUROC and PSNR, by hand and by definition."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from convbook.layers import Sequential, Sigmoid
from convbook.models.autoencoder import (
    convolutional_autoencoder,
    dense_autoencoder,
    digit_cleaner,
)
from convbook.training import predict
from convbook.training.anomalies import ink, restoration_errors
from convbook.training.metrics import auroc, psnr
from helpers.drawing import examples


@examples(100)
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=12),
    st.lists(st.integers(-3, 3), min_size=1, max_size=12),
)
def test_auroc_is_the_share_of_pairs(known, strange):
    wins = [1 if s > k else 0.5 if s == k else 0 for s in strange for k in known]
    scores = np.array([*known, *strange]) / 4
    positive = np.arange(len(scores)) >= len(known)
    assert auroc(scores, positive) == pytest.approx(np.mean(wins))
    assert auroc(-scores, positive) == pytest.approx(1 - np.mean(wins))
    assert auroc(np.exp(scores), positive.astype(int)) == pytest.approx(np.mean(wins))


@pytest.mark.parametrize(
    ("scores", "positive", "said"),
    [
        ([1.0, 2.0], [True, True], "some of each kind, got 2 of 2"),
        ([1.0, 2.0], [0, 0], "some of each kind, got 0 of 2"),
        ([1.0, np.nan], [0, 1], "NaN"),
        ([1.0, 2.0], [0, 3], "True and False"),
        ([1.0, 2.0], [0, 1, 1], "positive must have shape"),
        ([[1.0], [2.0]], [0, 1], "scores must have shape"),
    ],
)
def test_auroc_refuses(scores, positive, said):
    with pytest.raises(ValueError, match=said):
        auroc(np.array(scores), np.array(positive))


def test_psnr():
    clean = np.zeros((2, 1, 4, 4), np.float32)
    assert psnr(clean + 0.1, clean) == pytest.approx(20)
    assert psnr(clean + np.float32(0.01), clean) == pytest.approx(40)
    assert psnr(clean, clean) == float("inf")
    with pytest.raises(ValueError, match="images must have shape"):
        psnr(clean[:1], clean)


def test_errors_and_ink_are_those_of_each_image():
    x = np.random.default_rng(0).random((5, 1, 3, 4)).astype(np.float32)
    x[4] = 0
    model = Sequential(Sigmoid())
    by_hand = [np.mean((predict(model, x)[i] - x[i]) ** 2) for i in range(5)]
    np.testing.assert_allclose(restoration_errors(model, x), by_hand, rtol=1e-5)
    np.testing.assert_allclose(ink(x)[:4], [np.mean(image**2) for image in x[:4]], rtol=1e-5)
    relative = restoration_errors(model, x, relative=True)
    np.testing.assert_allclose(relative[:4], (np.array(by_hand) / ink(x))[:4], rtol=1e-5)
    assert np.isfinite(relative).all()


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (lambda: dense_autoencoder(16, rng=0), 205_856),
        (lambda: convolutional_autoencoder(2, rng=0), 38_691),
        (lambda: digit_cleaner(8, rng=0), 14_345),
        (lambda: digit_cleaner(8, norm=False, rng=0), 14_265),
    ],
)
def test_networks_give_back_the_shape(make, parameters):
    model = make()
    x = np.random.default_rng(1).random((3, 1, 28, 28)).astype(np.float32)
    y = model(x)
    assert y.shape == x.shape and y.dtype == np.float32 and 0 < y.min() < y.max() < 1
    assert make().state().keys() == model.state().keys()
    np.testing.assert_array_equal(make()(x), y)
    assert sum(a.size for a in model.params.values()) == parameters
    if len(model) == 2:
        encoder, decoder = model
        np.testing.assert_array_equal(decoder(encoder(x)), y)


@pytest.mark.parametrize("make", [dense_autoencoder, convolutional_autoencoder, digit_cleaner])
def test_networks_refuse_sizes_that_are_none(make):
    with pytest.raises((TypeError, ValueError), match="features|channels"):
        make(0)
