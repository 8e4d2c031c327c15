"""The exercises on residual networks: their answers against the package and differences."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.layers import Conv2d, GlobalAvgPool2d, ReLU, Residual, Sequential, Shrink, Summary
from convbook.layers.gradcheck import numerical_gradient
from convbook.models.resnet import basic_block, bottleneck_block, small_resnet
from helpers.answers import (
    ANSWERS,
    answer_to,
    load_checked,
    residual_block,
    residual_grad,
    shortcut_grad,
)


def test_the_gradient_with_the_pencil():
    x, dy = np.array([[1, -2, 0.25], [3, 0.75, -1]]), np.array([[2, 1, 4], [-1, 3, 5]])
    numerical = numerical_gradient(lambda x: (dy * (x + np.maximum(2 * x - 1, 0))).sum(), x)
    np.testing.assert_allclose(ANSWERS["3-7.1"], numerical, atol=1e-6)


def test_the_blocks_are_counted_as_the_package_does():
    counts = []
    for make, channels in ((basic_block, 256), (bottleneck_block, 64)):
        (block, _), out = make(256, channels, channels, 1, np.random.default_rng(0))
        assert out == 256
        counts.append(Summary(block, (256, 14, 14)))
    products = sum(row.multiplications for row in counts[1].rows if "Conv2d" in row.layer)
    assert ANSWERS["3-7.2"] == [counts[0].parameters, counts[1].parameters, products]


def test_an_average_shares_its_gradient():
    pool = GlobalAvgPool2d()
    pool(np.zeros((1, 512, 7, 7)))
    dx = pool.backward(np.full((1, 512), 98.0))
    assert (dx == ANSWERS["3-7.3"][2]).all()


def test_the_ways_one_by_one():
    ways = [[(number >> block) & 1 for block in range(10)] for number in range(2**10)]
    assert ANSWERS["3-7.4"] == [
        len(ways),
        sum(sum(way) == 3 for way in ways),
        np.mean([sum(way) for way in ways]),
        sum(way[4] == 0 for way in ways),
    ]


@pytest.mark.parametrize("trial", range(4))
def test_the_block_is_the_packages(trial):
    x, f1, f2, stride = EXERCISES["3-7.5"].trials[trial][1]
    channels = x.shape[1], len(f1)
    first = Conv2d(*channels, 3, stride=stride, padding=1, bias=False, dtype=np.float64)
    second = Conv2d(channels[1], channels[1], 3, padding=1, bias=False, dtype=np.float64)
    first.params["f"][...], second.params["f"][...] = f1, f2
    block = Sequential(
        Residual(Sequential(first, ReLU(), second), Shrink(stride, channels[1])), ReLU()
    )
    expected = block(x.astype(float))
    assert (expected > 0).any()
    for function in (residual_block, EXERCISES["3-7.5"].reference):
        np.testing.assert_allclose(function(x, f1, f2, stride), expected, atol=1e-9)


@pytest.mark.parametrize("trial", range(5))
def test_the_gradient_of_the_block(trial):
    dy, x, w1, w2 = EXERCISES["3-7.6"].trials[trial][1]

    def total(x):
        return (dy * np.maximum(x + np.maximum(x @ w1.T, 0) @ w2.T, 0)).sum()

    numerical = numerical_gradient(total, x)
    for function in (residual_grad, EXERCISES["3-7.6"].reference):
        np.testing.assert_allclose(function(dy, x, w1, w2), numerical, atol=1e-6)


@pytest.mark.parametrize("trial", range(5))
def test_the_gradient_of_the_shortcut_is_the_packages(trial):
    dy, x_shape, stride = EXERCISES["3-7.7"].trials[trial][1]
    layer = Shrink(stride, dy.shape[1])
    layer(np.zeros(x_shape))
    expected = layer.backward(dy.astype(float))
    for function in (shortcut_grad, EXERCISES["3-7.7"].reference):
        np.testing.assert_array_equal(function(dy, x_shape, stride), expected)


def test_loading_refuses_what_load_state_refuses():
    reference = EXERCISES["3-7.8"].reference
    for function in (load_checked, reference):
        model, other = small_resnet(8, rng=0), small_resnet(8, rng=1)
        assert function(dict(model.params), dict(other.params)) == [0, 0, 0]
        assert all(np.array_equal(a, other.params[name]) for name, a in model.params.items())
        before = model.state()
        for wrong in (small_resnet(14, rng=0), small_resnet(8, width=4, rng=0)):
            assert any(function(dict(model.params), dict(wrong.params)))
        assert all(np.array_equal(before[name], a) for name, a in model.state().items())


def test_half_a_network_is_told():
    wrong, explanation = EXERCISES["3-7.8"].mistakes["copies in any case"]
    assert explanation in answer_to("3-7.8", wrong)
