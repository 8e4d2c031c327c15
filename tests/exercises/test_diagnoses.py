"""What learners hand in and what they are told: mistakes as they write them, results that are right
but made in another way than asked for, and advice only where it belongs."""

import copy

import numpy as np
import pytest

from convbook import functional
from convbook.exercises import EXERCISES, trial
from convbook.exercises.checking import attempt, judge
from convbook.functional import conv2d, im2col
from convbook.losses import SoftmaxCrossEntropy
from convbook.widgets import AnswerGrid
from helpers.answers import (
    answer_to,
    brighten,
    conv1d,
    correlate,
    dropout,
    max_pool,
    train,
    windows,
)

# --- mistakes as they are written ----------------------------------------------------------------


def weights_overwritten(x, f):
    FH, FW = f.shape
    OH, OW = x.shape[0] - FH + 1, x.shape[1] - FW + 1
    for fh in range(FH):
        for fw in range(FW):
            y = f[fh, fw] * x[fh : fh + OH, fw : fw + OW]
    return y


def products_overwritten(x, f):
    FH, FW = f.shape
    y = np.zeros((x.shape[0] - FH + 1, x.shape[1] - FW + 1))
    for oh, ow in np.ndindex(y.shape):
        for fh, fw in np.ndindex(FH, FW):
            y[oh, ow] = x[oh + fh, ow + fw] * f[fh, fw]
    return y


def strided_overwritten(x, f, b, stride, padding):
    return correlate_last(np.pad(x, padding), f)[::stride, ::stride] + b


def correlate_last(x, f):
    return weights_overwritten(x, f)


def channels_overwritten(x, f, b):
    N, OC = len(x), len(f)
    OH, OW = x.shape[2] - f.shape[2] + 1, x.shape[3] - f.shape[3] + 1
    y = np.zeros((N, OC, OH, OW))
    for n, oc in np.ndindex(N, OC):
        for c in range(x.shape[1]):
            y[n, oc] = correlate(x[n, c], f[oc, c]) + b[oc]
    return y


def columns_reshaped(x, f, b):
    (N, _, H, W), (OC, _, FH, FW) = x.shape, f.shape
    y = im2col(x, (FH, FW)) @ f.reshape(OC, -1).T + b
    return y.reshape(N, OC, H - FH + 1, W - FW + 1)


def corners_a_size_apart(x, size, stride):
    OH, OW = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
    y = np.zeros((OH, OW))
    for oh in range(OH):
        for ow in range(OW):
            y[oh, ow] = x[size * oh : size * oh + size, size * ow : size * ow + size].max()
    return y


def pool_by_blocks(x, size):
    N, C, H, W = x.shape
    OH, OW = H // size, W // size
    return x[:, :, : OH * size, : OW * size].reshape(N, C, OH, OW, size, size).max(axis=(4, 5))


def pool_by_uncut_blocks(x, size):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // size, W // size, size, size).max(axis=(4, 5))


def blocks(dy, f, x_shape, stride, padding):
    H, W = x_shape
    dx = np.zeros((H + 2 * padding, W + 2 * padding))
    for oh, ow in np.ndindex(dy.shape):
        top, left = oh * stride, ow * stride
        dx[top : top + f.shape[0], left : left + f.shape[1]] += dy[oh, ow] * f
    return dx


def cut_with_a_negative_end(dy, f, x_shape, stride, padding):
    return blocks(dy, f, x_shape, stride, padding)[padding:-padding, padding:-padding]


def images_cut_with_a_negative_end(dy, f, x_shape, stride, padding):
    (N, C, H, W), (OH, OW) = x_shape, dy.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for fh, fw in np.ndindex(f.shape[2:]):
        dx[:, :, fh : fh + stride * OH : stride, fw : fw + stride * OW : stride] += np.einsum(
            "oc,nohw->nchw", f[:, :, fh, fw], dy
        )
    return dx[:, :, padding:-padding, padding:-padding]


def copies_overwritten(dy, f):
    (OH, OW), (FH, FW) = dy.shape, f.shape
    dx = np.zeros((OH + FH - 1, OW + FW - 1))
    for fh, fw in np.ndindex(FH, FW):
        dx[fh : fh + OH, fw : fw + OW] = f[fh, fw] * dy
    return dx


def divided_by(width):
    def max_pool_grad_overlap(dy, x, size, stride):
        dx = np.zeros(x.shape)
        for oh, ow in np.ndindex(dy.shape):
            top, left = stride * oh, stride * ow
            row, column = divmod(
                np.argmax(x[top : top + size, left : left + size]), width(x, size, stride)
            )
            dx[top + row, left + column] += dy[oh, ow]
        return dx

    return max_pool_grad_overlap


def more_than_p(x, u, p):
    return np.where(u > p, x, 0) / (1 - p)


def a_copy_trained(model, x, labels, lr, steps):
    return train(copy.deepcopy(model), x, labels, lr, steps)


def taps_overwritten(x, f, stride):
    OW = (x.shape[1] - f.shape[2]) // stride + 1
    y = np.zeros((len(f), OW))
    for ow in range(OW):
        for tap in range(f.shape[2]):
            y[:, ow] = f[:, :, tap] @ x[:, stride * ow + tap]
    return y


def channel_of_signal_overwritten(x, f, stride):
    for c in range(len(x)):
        y = conv1d(x[c : c + 1], f[:, c : c + 1], stride)
    return y


def film(swap_before, swap_after):
    def conv3d(x, f, stride, padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0), (0, 0)))
        (N, C, T, H, W), FT = x.shape, f.shape[2]
        OT = (T - FT) // stride + 1
        y = 0
        for ft in range(FT):
            slices = x[:, :, ft : ft + stride * (OT - 1) + 1 : stride]
            slices = slices.swapaxes(1, 2) if swap_before else slices
            y = y + conv2d(
                slices.reshape(N * OT, C, H, W), f[:, :, ft], stride=stride, padding=padding
            )
        if swap_after:
            return y.reshape(N, OT, *y.shape[1:]).swapaxes(1, 2)
        return y.reshape(N, y.shape[1], OT, *y.shape[2:])

    return conv3d


def contrastive_without_max(a, b, same, margin):
    d = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    slope = np.where(same[:, None] == 1, 2 * d, -2 * (margin - d))
    return slope * (a - b) / d / len(a)


def by_cosine(features, references):
    lengths = np.linalg.norm(features, axis=1)[:, None] * np.linalg.norm(references, axis=1)
    return np.argmax(features @ references.T / np.maximum(lengths, 1e-9), axis=1)


def end_not_clipped(x, rows, columns, size):
    y = x.copy()
    for n in range(len(x)):
        top, left = max(0, rows[n]), max(0, columns[n])
        y[n, :, top : rows[n] + size, left : columns[n] + size] = 0
    return y


def lower_median(function, synchronize, clock, repeats):
    function()
    times = []
    for _ in range(repeats):
        synchronize()
        start = clock()
        function()
        synchronize()
        times.append(clock() - start)
    return sorted(times)[(repeats - 1) // 2]


@pytest.mark.parametrize(
    ("key", "function", "cause"),
    [
        ("3-1.2", weights_overwritten, "+= in place of ="),
        ("3-1.2", products_overwritten, "+= in place of ="),
        ("3-1.5", strided_overwritten, "+= in place of ="),
        ("3-1.7", channels_overwritten, "only the last channel of x counts"),
        ("3-1.7", columns_reshaped, "A reshape moves nothing"),
        ("3-2.2", corners_a_size_apart, "begins at row stride * oh"),
        ("3-2.3", pool_by_blocks, "(OH, size, OW, size)"),
        ("3-2.3", pool_by_uncut_blocks, "(OH, size, OW, size)"),
        ("3-3.3", copies_overwritten, "the later one covers the earlier one"),
        ("3-3.4", cut_with_a_negative_end, "since -0 is 0"),
        ("3-3.7", images_cut_with_a_negative_end, "since -0 is 0"),
        ("3-4.4", divided_by(lambda x, size, stride: stride), "the place is divided by the stride"),
        ("3-4.4", divided_by(lambda x, size, stride: x.shape[1]), "divided by the width of x"),
        ("3-5-1.5", a_copy_trained, "a copy was trained"),
        ("3-5-1.6", more_than_p, "is exactly p is deleted"),
        ("3-5-2.1", lower_median, "The median is their mean"),
        ("3-6-1.2", taps_overwritten, "only those of the last tap are left"),
        ("3-6-1.2", channel_of_signal_overwritten, "only the last channel counts"),
        ("3-6-1.4", film(False, False), "channels and slices are mixed up"),
        ("3-6-1.4", film(False, True), "channels and slices are mixed up"),
        ("3-6-1.4", film(True, False), "reshape to that, then swap OC and OT"),
        ("3-6-2.3", by_cosine, "the angle between the rows is compared"),
        ("3-6-2.4", contrastive_without_max, "pairs beyond the margin are pulled back"),
        ("3-6.3", end_not_clipped, "take max(0, ...) for the end as well"),
    ],
)
def test_an_expected_mistake_is_named(key, function, cause):
    message = answer_to(key, function)
    assert message.startswith("Not quite") and cause in message, message


MODEL = np.array(EXERCISES["3-5-2.2"].reference)


def with_memory(*megabytes):
    """Return the times of 3-5-2.2 for another traffic, in millions of bytes."""
    times = MODEL.copy()
    times[:, 1] = np.array(megabytes) / 0.5
    times[:, 3] = times[:, 0] + times[:, 1:3].max(axis=1)
    return times


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (with_memory(0.004, 400, 128), "only what is read was counted"),
        (with_memory(0.004, 400, 64), "only what is written was counted"),
        (with_memory(0.008, 800, 128), "one matrix is missing"),
        (MODEL * [[1, 1, 1, 1]] - [[0] * 4, [0] * 4, [0, 0, 6400, 6400]], "as many additions"),
    ],
)
def test_the_factors_of_the_model_are_named(answer, cause):
    assert cause in answer_to("3-5-2.2", answer)


# --- right, but not as asked for -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "function", "said"),
    [
        (
            "3-1.8",
            lambda x, FH, FW: np.lib.stride_tricks.sliding_window_view(x, (FH, FW)),
            "lies in the memory of its input x",
        ),
        (
            "3-1.8",
            lambda x, FH, FW: windows(x, FH, FW).transpose(2, 3, 0, 1).copy().transpose(2, 3, 0, 1),
            "is another array, transposed",
        ),
        (
            "3-6-1.2",
            lambda x, f, stride: conv2d(x[None, :, None], f[:, :, None], stride=(1, stride))[
                0, :, 0
            ],
            "leaves the work to conv2d",
        ),
        (
            "3-6-1.2",
            lambda x, f, stride, by=functional.conv2d: by(
                x[None, :, None], f[:, :, None], stride=(1, stride)
            )[0, :, 0],
            "leaves the work to conv2d",
        ),
        (
            "3-6.2",
            lambda x, chosen: (
                x if not chosen.any() else np.where(chosen[:, None, None, None], x[..., ::-1], x)
            ),
            "no array of its own",
        ),
        ("3-5-1.6", lambda x, u, p: x if p == 0 else dropout(x, u, p), "no array of its own"),
        (
            "3-2.2",
            lambda x, size, stride: (
                x[::stride, ::stride] if size == 1 else max_pool(x, size, stride)
            ),
            "no array of its own",
        ),
    ],
)
def test_a_right_result_made_otherwise_is_almost_right(key, function, said):
    message = answer_to(key, function)
    assert message.startswith("Almost: the results are right, but") and said in message


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int16])
def test_bytes_are_bytes(kind):
    message = answer_to("3-6.6", lambda x, factors: brighten(x, factors).astype(kind))
    assert f"of type uint8: the values are right, but their type is {np.dtype(kind)}" in message


def test_indices_are_integers():
    message = answer_to(
        "3-6-2.3",
        lambda features, references: (
            EXERCISES["3-6-2.3"].reference(features, references).astype(float)
        ),
    )
    assert "should return integers" in message and "used as indices" in message


def test_half_up_is_as_good_as_half_to_even():
    def half_up(x, factors):
        return np.minimum(np.floor(x * factors[:, None, None, None] + 0.5), 255).astype(np.uint8)

    assert answer_to("3-6.6", half_up).startswith("Correct.")
    for label, (x, factors) in EXERCISES["3-6.6"].trials:
        exact = x * factors[:, None, None, None]
        assert (abs(exact - np.floor(exact) - 0.5) > 1e-3).all(), label


def test_a_model_that_is_trained_twice_is_noticed():
    def twice(model, x, labels, lr, steps):
        losses = train(model, x, labels, lr, steps)
        train(model, x, labels, lr, steps)
        return losses

    message = answer_to("3-5-1.5", twice)
    assert "what it leaves behind in model is not what it should be" in message


def test_params_take_no_new_arrays():
    def into_params(model, x, labels, lr, steps):
        loss, losses = SoftmaxCrossEntropy(), []
        for _ in range(steps):
            losses.append(loss(model(x), labels))
            model.backward(loss.backward())
            for name in model.params:
                model.params[name] -= lr * model.grads[name]
        return losses

    message = answer_to("3-5-1.5", into_params)
    assert "+ one linear layer, two classes" in message and "x a convolutional network" in message
    assert "give the array a name first" in message


# --- numbers on paper ----------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [2, 3, 4])
@pytest.mark.parametrize(
    "key",
    [
        key
        for key, exercise in EXERCISES.items()
        if not (callable(exercise.reference) or exercise.verdict)
    ],
)
def test_a_number_may_be_rounded_as_in_the_grid(key, decimals):
    exercise = EXERCISES[key]
    assert answer_to(key, np.round(exercise.reference, decimals)).startswith("Correct.")
    off = np.asarray(exercise.reference) + 2 * 10.0**-decimals
    assert answer_to(key, off).startswith("Not quite")


@pytest.mark.parametrize("key", ["3-5-2.2", "3-6.4", "3-6.8"])
@pytest.mark.parametrize("decimals", [1, 2, 3, 4, 5, 9])
def test_grid_and_check_agree_about_rounding(key, decimals):
    reference = np.asarray(EXERCISES[key].reference, float)
    values = np.round(reference, decimals)
    grid = AnswerGrid(reference, values=values.tolist())
    assert grid.correct.all() == answer_to(key, values).startswith("Correct.")


def test_a_whole_number_may_not_be_rounded():
    assert answer_to("3-1.3", 448.004).startswith("Not quite")


@pytest.mark.parametrize(
    "answer", [[0.5, 2, 5], [[0.5, 2, 5]], [[0.5], [2], [5]], (0.5, 2, 5), np.array([0.5, 2, 5])]
)
def test_three_numbers_may_come_in_any_dress(answer):
    assert answer_to("3-6.4", answer).startswith("Correct.")


def test_a_slip_in_most_places_is_named_though_the_rest_is_right():
    half = MODEL.copy()
    half[1:] = with_memory(0.004, 400, 128)[1:]
    assert "only what is read was counted" in answer_to("3-5-2.2", half)
    assert "filter is flipped" not in answer_to("3-1.1", [[4, -1, 2], [6, 2, 0]])


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([3, 8, 6, 1, 7, 4], "step 8 asks for a row more"),
        ([3, 5, 6, 1, 2, 4], "step 2 rounds up"),
        ([3, 5, 6, 7, 1, 4], "the first 3 steps follow from each other. Look again at step 7"),
        ([5, 3, 6, 1, 7, 4], "Which one that is stands in step 3"),
        ([1, 1, 1, 1, 1, 1], "A step stands there twice"),
        ([9, 5, 6, 1, 7, 4], "numbers 1 to 8"),
        ([3, 5, 6, 1, 7], "should be a list of 6 numbers, but is an array of shape (5,)"),
        (3, "should be a list of 6 numbers, but is a single number"),
    ],
)
def test_the_steps_of_the_proof(steps, said):
    message = answer_to("3-1.6", steps)
    assert message.startswith("Not quite") and said in message


# --- advice only where it belongs ----------------------------------------------------------------


def wrong_border(y):
    changed = np.array(y + 9)
    if y.ndim:
        inner = (slice(0, -1),) * y.ndim
        changed[inner] = y[inner]
    return changed


def changed_everywhere(exercise):
    """Yield wrong results of many kinds for an exercise."""
    for change in (
        wrong_border,
        lambda y: 0 * y,
        lambda y: y[..., :-1],
        lambda y: y.sum(),
        lambda y: np.pad(y, [(0, 1)] * y.ndim) if y.ndim else y + 1,
        lambda y: y[:1],
    ):
        if np.ndim(exercise.reference) == 0 and not callable(exercise.reference):
            yield exercise.reference + 1
        elif callable(exercise.reference):
            yield lambda *inputs, c=change: c(np.array(exercise.reference(*inputs), float))
        else:
            yield change(np.array(exercise.reference, float))


@pytest.mark.parametrize(
    "key",
    [key for key, exercise in EXERCISES.items() if not (exercise.windows or exercise.verdict)],
)
def test_no_word_of_windows_where_there_are_none(key):
    exercise = EXERCISES[key]
    own = " ".join(why for _, why in exercise.mistakes.values())
    for wrong in changed_everywhere(exercise):
        try:
            message = answer_to(key, wrong)
        except (ValueError, IndexError):  # numbers cannot be cut in every way
            continue
        cause = message.partition("Likely cause: ")[2].partition(" To try it again")[0]
        cause = cause.partition(" Stuck?")[0]
        if cause and cause not in own:
            assert "window" not in cause and "border" not in cause, message
            assert "ever filled in" not in cause, message


def test_a_border_is_one_of_at_least_three_rows():
    assert "only the border" not in answer_to(
        "3-1.2",
        lambda x, f: (
            correlate(x, f)
            + np.pad(np.zeros(np.subtract(x.shape, f.shape)), ((0, 1), (0, 1)), constant_values=5)
        ),
    )


def test_a_list_that_was_asked_for_is_not_mentioned():
    assert "returned a list" not in answer_to("3-5-1.5", lambda *inputs: list(train(*inputs)))


# --- trials can be tried again -------------------------------------------------------------------


def test_small_inputs_are_written_as_python_reads_them():
    message = judge("3-2.3", EXERCISES["3-2.3"], lambda x, size: x + 0)
    begin = message.index("x = np.array(")
    text = message[begin : message.index("should return")]
    names = {"np": np}
    exec(text, names)
    np.testing.assert_array_equal(names["x"], trial("3-2.3", 1)[0])


def test_bytes_are_written_as_bytes():
    message = judge("3-6.6", EXERCISES["3-6.6"], lambda x, factors: x.astype(float))
    begin = message.index("    x = np.array(")
    text = message[begin : message.index("gives a wrong value")]
    names = {"np": np}
    exec("\n".join(line[4:] for line in text.splitlines()), names)
    x, factors = trial("3-6.6", 1)
    assert names["x"].dtype == np.uint8
    np.testing.assert_array_equal(names["x"], x)
    np.testing.assert_array_equal(names["factors"], factors)


@pytest.mark.parametrize("key", [key for key, exercise in EXERCISES.items() if exercise.trials])
def test_every_failing_trial_can_be_had(key):
    """Either the arrays are written out, or the message says how to get them."""
    exercise = EXERCISES[key]
    for number, (label, inputs) in enumerate(exercise.trials, 1):
        right = attempt(exercise, exercise.reference, inputs)

        def wrong_here(*given, inputs=inputs, right=right):
            same = all(
                np.array_equal(a, b) if isinstance(a, np.ndarray) else type(a) is type(b)
                for a, b in zip(given, inputs)
            )
            value = exercise.reference(*given)
            return np.asarray(value) * 0 - 77.5 if same else value

        message = judge(key, exercise, wrong_here)
        arrays = [value for value in inputs if isinstance(value, np.ndarray)]
        assert message.startswith("Not quite"), label
        assert not arrays or "np.array(" in message or f'trial("{key}", {number})' in message
