"""The exercises on autoencoders: their answers against the package."""

import numpy as np
import pytest

from convbook.exercises import EXERCISES
from convbook.functional import conv2d, conv_transpose2d
from convbook.layers import Sequential, Sigmoid
from convbook.training import predict
from convbook.training.anomalies import restoration_errors
from convbook.training.metrics import auroc
from helpers.answers import ANSWERS, answer_to


def transposed(x, f, **settings):
    return conv_transpose2d(x[None, None], f[None, None], **settings)[0, 0]


def test_the_pencil_exercise_is_the_packages():
    x, f = np.array([[2, 1, 0], [-1, 0, 3]]), np.array([[1, -1], [2, 3]])
    np.testing.assert_array_equal(ANSWERS["3-8-1.1"], transposed(x, f))


@pytest.mark.parametrize("trial", range(6))
def test_the_length_is_that_of_the_packages_output(trial):
    inputs = EXERCISES["3-8-1.2"].trials[trial][1]
    size, kernel, stride, padding, extra = inputs
    y = transposed(np.ones((size, size)), np.ones((kernel, kernel)),
                   stride=stride, padding=padding, output_padding=extra)  # fmt: skip
    assert ANSWERS["3-8-1.2"](*inputs) == len(y)


@pytest.mark.parametrize("trial", range(7))
def test_laying_down_and_sliding_give_the_packages_output(trial):
    x, f, stride = EXERCISES["3-8-1.4"].trials[trial][1]
    y = transposed(x, f, stride=stride)
    np.testing.assert_allclose(ANSWERS["3-8-1.4"](x, f, stride), y)
    ring = max(f.shape) - 1
    apart = EXERCISES["3-8-1.3"].reference(x, stride, ring)
    slid = conv2d(apart[None, None], f[None, None, ::-1, ::-1])[0, 0]
    (fh, fw), (rows, cols) = f.shape, y.shape
    np.testing.assert_allclose(slid[ring - fh + 1 :, ring - fw + 1 :][:rows, :cols], y)


def test_strangeness_and_the_share_of_pairs_are_the_packages():
    x = np.random.default_rng(0).random((6, 1, 4, 5))
    model = Sequential(Sigmoid())
    np.testing.assert_allclose(
        ANSWERS["3-8-1.5"](x, predict(model, x)), restoration_errors(model, x, relative=True)
    )
    for _, (known, strange) in EXERCISES["3-8-1.6"].trials:
        scores = np.concatenate([known, strange])
        positive = np.arange(len(scores)) >= len(known)
        assert ANSWERS["3-8-1.6"](known, strange) == pytest.approx(auroc(scores, positive))


def test_a_filter_on_blocks_of_the_stride_is_found_out_where_filters_overlap():
    wrong, explanation = EXERCISES["3-8-1.4"].mistakes["cut to the stride"]
    message = answer_to("3-8-1.4", wrong)
    assert "+ filters side by side" in message and "x stride 1" in message
    assert explanation in message
