"""The exercises of chapter 3-5-2, the same network on a GPU.

There is no GPU behind them: 3-5-2.1 times a make-believe device with a clock of its own, and the
other functions are tried on the arrays of `convbook.stand_in`.
"""

from __future__ import annotations

from contextlib import contextmanager
from statistics import mean, median, median_high, median_low

import numpy as np

from ..arrays import get_array_module
from ..stand_in import pretended_gpu, stand_in
from .checking import Exercise, numbers

# --- a device with a clock of its own ------------------------------------------------------------


class Device:
    """Works through what it is given one by one, while the clock on the wall goes on.

    A call of `function` returns after a second. The work that it has begun takes as long as the
    next number in `work` says, the first time `compile` seconds more.
    """

    def __init__(self, work, compile):
        self.work, self.compile = work, compile
        self.now, self.busy_until, self.calls = 0.0, 0.0, 0

    def function(self):
        self.now += 1
        seconds = self.work[self.calls % len(self.work)]
        if self.calls == 0:
            seconds += self.compile
        self.calls += 1
        self.busy_until = max(self.busy_until, self.now) + seconds

    def synchronize(self):
        self.now = max(self.now, self.busy_until)

    def clock(self):
        return self.now


class Part:
    """One of a device's functions, which shows itself by its name."""

    def __init__(self, device, name):
        self.device, self.name = device, name

    def __call__(self):
        return getattr(self.device, self.name)()

    def __repr__(self):
        return self.name


def _device(work, repeats, compile=500.0):
    device = Device(work, compile)
    return (*(Part(device, name) for name in ("function", "synchronize", "clock")), repeats)


# --- reference solutions -------------------------------------------------------------------------


def _times(function, synchronize, clock, repeats, warm_up=True, wait_before=True, wait_after=True):
    """Return the single times, with one of the three precautions left out if asked for."""
    if warm_up:
        function()
    times = []
    for _ in range(repeats):
        if wait_before:
            synchronize()
        start = clock()
        function()
        if wait_after:
            synchronize()
        times.append(clock() - start)
    return times


def time_call(function, synchronize, clock, repeats):
    return median(_times(function, synchronize, clock, repeats))


def centre_of_mass(x):
    return _centre(x)


def standardise(x):
    return _standardised(x)


def _centre(x, columns_first=False, first=0, divide=True, mean_of=None):
    xp, (_, H, W) = get_array_module(x), x.shape
    mass = x.sum(axis=(1, 2)) if mean_of is None else mean_of(x)
    rows = (x.sum(axis=2) * xp.arange(first, first + H)).sum(axis=1)
    columns = (x.sum(axis=1) * xp.arange(first, first + W)).sum(axis=1)
    both = [columns, rows] if columns_first else [rows, columns]
    both = xp.stack(both, axis=1)
    return both / mass[:, None] if divide else both


def _standardised(x, axes=(1, 2, 3), centre=True, scale="std", ddof=0):
    """Return x standardised over some axes."""
    average = x.mean(axis=axes, keepdims=True)
    deviation = x.var(axis=axes, keepdims=True, ddof=ddof)
    if scale == "std":
        deviation = deviation**0.5
    elif scale is None:
        deviation = 1
    return (x - average if centre else x) / deviation


# --- wrong solutions that take more than a line --------------------------------------------------


def _all_at_once(function, synchronize, clock, repeats):
    function()
    synchronize()
    start = clock()
    for _ in range(repeats):
        function()
    synchronize()
    return (clock() - start) / repeats


def _of_times(combine, **left_out):
    """Return a wrong solution that combines the single times, taken without a precaution."""

    def wrong(function, synchronize, clock, repeats):
        return combine(_times(function, synchronize, clock, repeats, **left_out))

    return wrong


def _brightest_pixel(x):
    xp, (n, _, w) = get_array_module(x), x.shape
    place = x.reshape(n, -1).argmax(axis=1)
    return xp.stack([place // w, place % w], axis=1)


# --- where answers are tried ---------------------------------------------------------------------


def _no_way_back(array, order="C"):
    raise TypeError("the array was taken back to NumPy, but the result must stay on the GPU")


@contextmanager
def on_a_gpu_without_return():
    """A pretended GPU from which no array comes back."""
    with pretended_gpu() as cupy:
        cupy.asnumpy = _no_way_back
        yield


MOST_OPERATIONS = 150  # in one trial; a loop over the images of the largest needs more


@contextmanager
def on_a_gpu_that_counts():
    """A pretended GPU that stops after too many operations."""
    with pretended_gpu() as cupy:
        cupy.limit = MOST_OPERATIONS
        yield


# --- material ------------------------------------------------------------------------------------

# 3-5-2.2: on a device of 10 µs, 500 GB/s and 10 TFLOP/s.
OVERHEAD, BANDWIDTH, PEAK = 10, 500e3, 10e6  # µs, bytes per µs, operations per µs
# Kernels; numbers read and written; additions, and terms of a product's sums.
OPERATIONS = {
    "1,000 numbers plus 1": (1, 1000, 1000, 1000, 0),
    "100 million numbers plus 1": (1, 10**8, 10**8, 10**8, 0),
    "the product of two 4000 x 4000 matrices": (1, 2 * 4000**2, 4000**2, 0, 4000**3),
}


def model_times(moved=lambda numbers: sum(numbers), overhead=OVERHEAD, product=2):
    """Return launches, memory, arithmetic and their time for all operations, in microseconds.

    ``moved`` makes of the numbers read and written those that are counted; ``product`` is how many
    operations each term of a matrix product needs.
    """
    rows = []
    for calls, read, written, adding, terms in OPERATIONS.values():
        launches, memory = calls * overhead, 4 * moved((read, written)) / BANDWIDTH
        arithmetic = (adding + product * terms) / PEAK
        rows.append([launches, memory, arithmetic, launches + max(memory, arithmetic)])
    return np.array(rows)


_TIMES = model_times()
_SUMMED = np.column_stack([_TIMES[:, :3], _TIMES[:, :3].sum(axis=1)])
_NO_LAUNCH = np.column_stack([_TIMES[:, :3], _TIMES[:, 1:3].max(axis=1)])
_SMALLER = np.column_stack([_TIMES[:, :3], _TIMES[:, 0] + _TIMES[:, 1:3].min(axis=1)])

# 3-5-2.4: a network whose training needs so many numbers for each image, and the rest.
NUMBERS_PER_IMAGE, PARAMETERS, MEMORY = 50_000, 1_000_000, 2_000_000_000
_FIT = (MEMORY - 4 * 4 * PARAMETERS) // (4 * NUMBERS_PER_IMAGE)

_IMAGES = stand_in(np.abs(numbers(3, 4, 5)) / 8 + 1)
_CORNER = stand_in(np.array([[[0.0, 0, 0, 8], [0, 0, 0, 0]], [[1, 0, 0, 0], [0, 0, 0, 3]]]))
_BATCH = np.random.default_rng(0).standard_normal((200, 1, 3, 4)) * 3 + 5

# --- the exercises -------------------------------------------------------------------------------

EXERCISES = {
    "3-5-2.1": Exercise(
        title="A stopwatch for a GPU",
        reference=time_call,
        start="read the clock, call the function, read the clock again: that is the wrong time, "
        "but a beginning. Where must the program wait for the device?",
        praise="Warm up, wait, start, call, wait, stop, and the median of many: cupyx.profiler's "
        "benchmark does the same.",
        hints=(
            "A call returns long before the work is done. Before the clock is read for the second "
            "time, the program must wait.",
            "One call before all others takes the compiling with it. It, too, leaves work behind: "
            "wait before the clock is read for the first time.",
            "Collect the single times in a list; Python's module statistics has a median.",
        ),
        mistakes={
            "no waiting": (
                _of_times(median, wait_before=False, wait_after=False),
                "the clock is stopped as soon as the call returns. What was measured is "
                "how long it takes to give the order, not to carry it out.",
            ),
            "not waiting before": (
                _of_times(median, wait_before=False),
                "what the warm-up began is still running when the clock is "
                "started, and is counted with the first call.",
            ),
            "no warm-up": (
                _of_times(median, warm_up=False),
                "the first call, in which the kernel is compiled, is counted like the others.",
            ),
            "mean": (
                _of_times(mean),
                "that is the mean. One call that was disturbed spoils it; the median does "
                "not mind.",
            ),
            "lower middle": (
                _of_times(median_low),
                "of an even number of times there are two in the middle, and the "
                "smaller one was taken. The median is their mean.",
            ),
            "upper middle": (
                _of_times(median_high),
                "of an even number of times there are two in the middle, and the "
                "larger one was taken. The median is their mean.",
            ),
            "least": (_of_times(min), "that is the shortest time. Asked for is the median."),
            "sum": (_of_times(sum), "that is the time of all calls together."),
            "all at once": (
                _all_at_once,
                "the calls are timed together and the time is divided. That is their "
                "mean, and while one is at work the next is already being ordered. "
                "Asked for is the median of single times.",
            ),
        },
        trials=(
            ("a steady device", _device([20.0], 5)),
            ("a single repetition", _device([20.0, 30.0], 1)),
            ("one call disturbed", _device([20.0, 21.0, 400.0, 23.0, 22.0, 25.0], 5)),
            ("work that hardly takes longer than the call", _device([2.0, 3.0, 4.0], 4)),
            (
                "an even number of repetitions, no two alike",
                _device([20.0, 23.5, 31.25, 22.0, 27.0, 40.0, 21.0], 6),
            ),
        ),
        harmless={
            "result with the sign lost": "no time is negative",
            "result with negative numbers set to 0": "no time is negative",
        },
    ),
    "3-5-2.2": Exercise(
        title="Where the time goes",
        reference=_TIMES,
        start="one row for each operation. Launches: kernels times 10. Memory: bytes divided by "
        "500,000 bytes per microsecond. Arithmetic: operations divided by 10 million.",
        praise="The first is nothing but its launch, the second nothing but memory, the third "
        "nothing but arithmetic.",
        hints=(
            "500 GB/s are 500,000 bytes in a microsecond; 10 TFLOP/s are 10 million operations in "
            "a microsecond.",
            "A float32 has 4 bytes. Every number is read once and every result written once; a "
            "product reads two matrices and writes one.",
            "A product of two n x n matrices takes n multiplications and n additions for each of "
            "its n x n results.",
            "The last column is the first plus the longer of the second and the third.",
        ),
        mistakes={
            "summed": (
                _SUMMED,
                "memory and arithmetic were added. They go on at the same time: "
                "only the longer of the two counts.",
            ),
            "no launch": (_NO_LAUNCH, "the launch is missing in the last column."),
            "shorter": (
                _SMALLER,
                "the shorter of memory and arithmetic was taken. Who is ready "
                "first waits for the other.",
            ),
            "reads only": (
                model_times(moved=lambda numbers: numbers[0]),
                "only what is read was counted. The result must be written, too.",
            ),
            "writes only": (
                model_times(moved=lambda numbers: numbers[1]),
                "only what is written was counted. The inputs must be read, too.",
            ),
            "as much read as written": (
                model_times(moved=lambda numbers: 2 * numbers[1]),
                "for the product, one matrix is missing in the memory: two "
                "are read and one is written.",
            ),
            "multiplications only": (
                model_times(product=1),
                "the arithmetic of the product is half of what it should be. "
                "A product of matrices has as many additions as "
                "multiplications.",
            ),
            "bits": (
                model_times(moved=lambda numbers: 8 * sum(numbers)),
                "the memory counts bits. GB are gigabytes.",
            ),
            "float64": (
                model_times(moved=lambda numbers: 2 * sum(numbers)),
                "that would be right for float64, with 8 bytes. A float32 has 4.",
            ),
            "numbers": (
                model_times(moved=lambda numbers: sum(numbers) / 4),
                "the memory counts numbers, not bytes. A float32 has 4 bytes.",
            ),
            "milliseconds": (_TIMES / 1000, "those are milliseconds."),
            "transposed": (
                _TIMES.T,
                "rows and columns have changed places: an operation is a row.",
            ),
        },
    ),
    "3-5-2.3": Exercise(
        title="One function for both kinds of arrays",
        reference=centre_of_mass,
        start="ask for the module of x with get_array_module, and give all functions that make "
        "new arrays to that module.",
        praise="It computes where its input lives, and the result stays there. MNIST's digits were "
        "moved so that this centre lies in the middle of the picture.",
        hints=(
            "The row of the centre is the average of the row numbers 0, 1, … H - 1, weighted by "
            "how much ink each row holds.",
            "The ink of each row is a sum over the columns, of shape (N, H). Multiply by the row "
            "numbers, which the module's arange makes.",
            "Divide by the ink of the whole image, and put the two results side by side with the "
            "module's stack.",
        ),
        mistakes={
            "columns first": (
                lambda x: _centre(x, columns_first=True),
                "row and column have changed places: the row comes first.",
            ),
            "counted from 1": (
                lambda x: _centre(x, first=1),
                "rows and columns are counted from 1. In this book they begin at 0.",
            ),
            "not divided": (
                lambda x: _centre(x, divide=False),
                "the weighted sums are not divided by the ink of the image.",
            ),
            "divided by pixels": (
                lambda x: _centre(
                    x, mean_of=lambda a: 0 * a.sum(axis=(1, 2)) + a.shape[1] * a.shape[2]
                ),
                "it is divided by the number of pixels, and not by the ink.",
            ),
            "divided by all": (
                lambda x: _centre(x, mean_of=lambda a: 0 * a.sum(axis=(1, 2)) + a.sum()),
                "it is divided by the ink of all images together; each has its own.",
            ),
            "brightest": (
                _brightest_pixel,
                "that is the place of the largest pixel, not the centre of them all.",
            ),
            "middle": (
                lambda x: (
                    0 * _centre(x)
                    + get_array_module(x).array([(x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2])
                ),
                "that is the middle of the picture, whatever is drawn in it.",
            ),
        },
        trials=(
            ("NumPy arrays, wide, whole numbers", (np.abs(numbers(3, 4, 5)) + 1,)),
            ("CuPy arrays, wide", (_IMAGES,)),
            ("CuPy arrays, ink in the corners", (_CORNER,)),
            ("CuPy arrays, tall", (stand_in(np.abs(numbers(2, 6, 3)) + 2.0),)),
        ),
        around=on_a_gpu_without_return,
        harmless={
            "result with the sign lost": "a place is not negative",
            "result with negative numbers set to 0": "a place is not negative",
            "x with the sign lost": "ink is not negative",
            "x with negative numbers set to 0": "ink is not negative",
        },
    ),
    "3-5-2.4": Exercise(
        title="The largest batch that fits",
        reference=_FIT,
        start="how many bytes does one image need? And what is needed whatever the batch?",
        praise="Parameters, gradients and Adam's two averages take the same room for every batch; "
        "here it is the images that fill the memory.",
        hints=(
            "Four arrays have the size of the parameters: the parameters themselves, their "
            "gradients, and Adam's two running averages.",
            "A float32 has 4 bytes. Take the fixed part away from the memory, then divide by the "
            "bytes of one image, and round down.",
        ),
        mistakes={
            "no fixed part": (
                MEMORY // (4 * NUMBERS_PER_IMAGE),
                "the parameters and what belongs to them were left out.",
            ),
            "parameters only": (
                (MEMORY - 4 * PARAMETERS) // (4 * NUMBERS_PER_IMAGE),
                "gradients and Adam's averages need room as well as the parameters.",
            ),
            "without Adam": (
                (MEMORY - 2 * 4 * PARAMETERS) // (4 * NUMBERS_PER_IMAGE),
                "Adam keeps two averages for each parameter.",
            ),
            "one average": (
                (MEMORY - 3 * 4 * PARAMETERS) // (4 * NUMBERS_PER_IMAGE),
                "Adam keeps two averages for each parameter, not one.",
            ),
            "numbers": (
                MEMORY // NUMBERS_PER_IMAGE,
                "a float32 takes 4 bytes, and the parameters were left out.",
            ),
            "numbers and fixed": (
                (MEMORY - 16 * PARAMETERS) // NUMBERS_PER_IMAGE,
                "50,000 are numbers; each takes 4 bytes.",
            ),
            "float64": (
                (MEMORY - 32 * PARAMETERS) // (8 * NUMBERS_PER_IMAGE),
                "that would be right for float64, with 8 bytes.",
            ),
            "rounded up": (_FIT + 1, "one too many: the last image would not fit any more."),
        },
    ),
    "3-5-2.5": Exercise(
        title="A few operations in place of a loop",
        reference=standardise,
        start="mean and deviation of all images at once: over which axes does an image extend?",
        praise="The same few operations, whether there are 2 images or 200.",
        hints=(
            "An image extends over the axes 1, 2 and 3; the average over these has one number for "
            "each image.",
            "Keep the axes, so that the averages of shape (N, 1, 1, 1) fit to x: keepdims.",
            "Arrays have the methods mean and std, which take several axes at a time.",
        ),
        mistakes={
            "whole batch": (
                lambda x: _standardised(x, axes=(0, 1, 2, 3)),
                "mean and deviation are those of the whole batch. Each image has its own.",
            ),
            "per channel": (
                lambda x: _standardised(x, axes=(2, 3)),
                "mean and deviation are taken for each channel. Those of the whole "
                "image, all channels together, are asked for.",
            ),
            "per pixel": (
                lambda x: _standardised(x, axes=0),
                "each pixel is compared with the same pixel of the other images, and "
                "not with its own image.",
            ),
            "batch norm": (
                lambda x: _standardised(x, axes=(0, 2, 3)),
                "that is batch normalisation: each channel over all images.",
            ),
            "variance": (
                lambda x: _standardised(x, scale="var"),
                "it is divided by the variance. The standard deviation is its root.",
            ),
            "not divided": (
                lambda x: _standardised(x, scale=None),
                "the mean is 0 now, but the deviation is as it was.",
            ),
            "not centred": (
                lambda x: _standardised(x, centre=False),
                "the deviation is 1 now, but the mean was not taken away.",
            ),
            "n - 1": (
                lambda x: _standardised(x, ddof=1),
                "the variance is divided by n - 1. Asked for is the deviation of these "
                "pixels, not an estimate for others.",
            ),
        },
        trials=(
            ("two wide images with one channel", (stand_in(_BATCH[:2]),)),
            ("three channels", (stand_in(_BATCH[:36].reshape(4, 3, 9, 4)),)),
            ("tall images", (stand_in(_BATCH[:12].reshape(3, 1, 16, 3)),)),
            ("whole numbers", (stand_in(numbers(3, 2, 4, 5)),)),
            ("200 images, in few operations", (stand_in(_BATCH),)),
        ),
        around=on_a_gpu_that_counts,
    ),
}
