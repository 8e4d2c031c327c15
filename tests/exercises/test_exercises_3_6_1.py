"""The exercises of "Kinds of data": conv1d and conv3d against PyTorch, and a filter for motion."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.exercises.chapter_3_6_1 import PENCIL_F, PENCIL_X
from helpers.answers import ANSWERS, answer_to, conv1d, conv3d


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 3, 4])
@pytest.mark.parametrize("own", [conv1d, EXERCISES["3-6-1.2"].reference])
def test_conv1d_is_pytorchs(own, taps, stride):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(stride)
    x, f = rng.normal(size=(3, 11)), rng.normal(size=(2, 3, taps))
    theirs = torch.conv1d(torch.tensor(x)[None], torch.tensor(f), stride=stride)[0]
    np.testing.assert_allclose(own(x, f, stride), theirs)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("own", [conv3d, EXERCISES["3-6-1.4"].reference])
def test_conv3d_is_pytorchs(own, stride, padding):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(padding)
    x, f = rng.normal(size=(2, 3, 5, 6, 8)), rng.normal(size=(4, 3, 2, 3, 4))
    theirs = torch.conv3d(torch.tensor(x), torch.tensor(f), stride=stride, padding=padding)
    np.testing.assert_allclose(own(x, f, stride, padding), theirs)


def test_what_stays_gives_nothing_and_what_goes_left_a_negative_number():
    def answer_for(film):
        return conv3d(film[None, None, :, None], PENCIL_F[None, None, :, None], 1, 0)[0, 0, :, 0]

    assert np.array_equal(answer_for(PENCIL_X), ANSWERS["3-6-1.1"])
    assert not answer_for(PENCIL_X[[0, 0, 0]]).any()
    assert answer_for(PENCIL_X[::-1]).min() == -6


def test_counts_are_the_sizes_of_the_arrays():
    sound, _, film = ANSWERS["3-6-1.3"]
    f = np.zeros((16, 2, 3))
    assert sound == [f.size, EXERCISES["3-6-1.2"].reference(np.zeros((2, 1000)), f, 1).size]
    x, f = np.zeros((1, 3, 16, 32, 32)), np.zeros((16, 3, 3, 3, 3))
    assert film == [f.size, EXERCISES["3-6-1.4"].reference(x, f, 1, 0).size]


def test_one_filter_for_one_channel_is_not_enough():
    def conv1d(x, f, stride):
        return np.array([np.convolve(x[0], f[0, 0][::-1], "valid")])

    message = answer_to("3-6-1.2", conv1d)
    assert message.startswith("Not quite") and "+ one channel, one filter" in message
    assert "x several filters" in message


def test_padding_along_two_axes_only_is_named():
    message = answer_to("3-6-1.4", EXERCISES["3-6-1.4"].mistakes["no padding along T"][0])
    assert "+ a stride" in message and "x padding" in message
    assert "conv2d pads H and W only" in message
