"""The exercises of chapter 3-5-2: a stopwatch that waits, arrays of both kinds, no loops."""

import numpy as np
import pytest

from convbook.arrays import get_array_module, to_numpy
from convbook.exercises import EXERCISES
from convbook.exercises.chapter_3_5_2 import Device
from helpers.answers import ANSWERS, answer_to, centre_of_mass, standardise, time_call


def test_the_device_goes_on_after_the_call_returns():
    device = Device([20.0, 30.0], compile=500.0)
    device.function()
    assert device.clock() == 1
    device.synchronize()
    assert device.clock() == 521
    device.function()
    device.function()  # waits in the queue
    device.synchronize()
    assert device.clock() == 522 + 30 + 20


def test_the_stopwatch_may_use_any_median_and_any_loop():
    def time_call(function, synchronize, clock, repeats):
        times = []
        for _ in range(repeats + 1):
            synchronize()
            start = clock()
            function()
            synchronize()
            times.append(clock() - start)
        times = sorted(times[1:])
        return (times[(repeats - 1) // 2] + times[repeats // 2]) / 2

    assert answer_to("3-5-2.1", time_call).startswith("Correct.")


def test_asking_twice_gives_the_same_answer():
    assert answer_to("3-5-2.1", time_call) == answer_to("3-5-2.1", time_call)
    wrong = EXERCISES["3-5-2.1"].mistakes["no warm-up"][0]
    assert answer_to("3-5-2.1", wrong) == answer_to("3-5-2.1", wrong)
    assert "x a single repetition" in answer_to("3-5-2.1", wrong)


def test_a_stopwatch_that_does_not_wait_measures_the_call():
    def time_call(function, synchronize, clock, repeats):
        start = clock()
        function()
        return clock() - start

    message = answer_to("3-5-2.1", time_call)
    assert "time_call(function, synchronize, clock, 5) should be 21, but is 1" in message
    assert "how long it takes to give the order" in message


def test_the_times_of_the_model():
    launches, memory, arithmetic, total = np.array(ANSWERS["3-5-2.2"]).T
    np.testing.assert_allclose(total, launches + np.maximum(memory, arithmetic))


def test_numpys_own_functions_are_refused_on_the_gpu():
    def centre_of_mass(x):
        N, H, W = x.shape
        rows = (x.sum(axis=2) * np.arange(H)).sum(axis=1) / x.sum(axis=(1, 2))
        columns = (x.sum(axis=1) * np.arange(W)).sum(axis=1) / x.sum(axis=(1, 2))
        return np.stack([rows, columns], axis=1)

    message = answer_to("3-5-2.3", centre_of_mass)
    assert "+ NumPy arrays, wide" in message and "x CuPy arrays, wide" in message
    assert "raised TypeError: NumPy and CuPy arrays are mixed in multiply" in message
    assert "np.arange(H)" in message


def test_the_way_back_to_numpy_is_refused():
    message = answer_to("3-5-2.3", lambda x: centre_of_mass(to_numpy(x)))
    assert "+ NumPy arrays, wide" in message
    assert "the result must stay on the GPU" in message


def test_a_result_that_has_come_back_is_noticed():
    message = answer_to("3-5-2.3", lambda x: centre_of_mass(np.asarray(x)))
    assert message.startswith("Almost: the results are right, but")
    assert "the result must stay where the input lives" in message


def test_the_centre_of_one_pixel_is_the_pixel():
    x = np.zeros((1, 5, 7))
    x[0, 2, 6] = 3
    assert EXERCISES["3-5-2.3"].reference(x).tolist() == [[2, 6]]


@pytest.mark.parametrize(
    "collect",
    [
        lambda xp, images: xp.stack(images),
        lambda xp, images: xp.concatenate([image[None] for image in images]),
    ],
)
def test_a_loop_over_the_images_is_too_many_operations(collect):
    def standardise(x):
        images = [(image - image.mean()) / image.std() for image in x]
        return collect(get_array_module(x), images)

    message = answer_to("3-5-2.5", standardise)
    assert message.startswith("Not quite") and "x 200 images, in few operations" in message
    assert "these were 150 operations on the GPU, and there are more" in message


def test_no_loop_is_right():
    def standardise(x):
        pixels = x.reshape(len(x), -1)
        pixels = pixels - pixels.mean(axis=1)[:, None]
        pixels = pixels / (pixels * pixels).mean(axis=1)[:, None] ** 0.5
        return pixels.reshape(x.shape)

    assert answer_to("3-5-2.5", standardise).startswith("Correct.")


def test_a_second_answer_is_counted_anew():
    for _ in range(3):
        assert answer_to("3-5-2.5", standardise).startswith("Correct.")
