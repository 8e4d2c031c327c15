"""The exercises answer as a good teaching assistant would: every right solution passes, every
typical mistake gets its own explanation, and nothing that a learner hands over makes them crash."""

import functools
import re

import numpy as np
import pytest

from convbook import functional
from convbook.exercises import EXERCISES, check, hint, trial
from convbook.exercises.checking import judge
from helpers.answers import (
    ANSWERS,
    answer_to,
    conv_batch,
    correlate,
    correlate_strided,
    max_pool,
    output_length,
)
from helpers.mutants import explained, fnmatch, survivors
from helpers.solutions import on_pages, output, solutions

PENCIL = [key for key, exercise in EXERCISES.items() if not callable(exercise.reference)]
CODE = [key for key in EXERCISES if key not in PENCIL]
MISTAKES = [(key, name) for key, exercise in EXERCISES.items() for name in exercise.mistakes]


# --- right answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", EXERCISES)
def test_the_page_has_the_exercise_and_a_right_solution(key):
    page = on_pages()[key]
    assert output(page.asked[-1]).startswith("Not yet:")
    assert "Correct." in "".join(map(output, page.solved))
    for answer in solutions().get(key, []):
        assert answer_to(key, answer).startswith("Correct.")
    assert key in solutions() or EXERCISES[key].verdict  # to train a network takes too long here


@pytest.mark.parametrize("key", ANSWERS)
def test_another_right_answer_is_correct(key):
    assert answer_to(key, ANSWERS[key]).startswith("Correct.")


@pytest.mark.parametrize("key", EXERCISES)
def test_the_reference_is_correct(key):
    if not EXERCISES[key].verdict:
        assert answer_to(key, EXERCISES[key].reference).startswith("Correct.")


def test_the_pages_have_no_other_exercises():
    assert sorted(on_pages()) == sorted(EXERCISES)


@pytest.mark.parametrize("key", CODE)
def test_the_function_asked_for_is_the_one_on_the_page(key):
    stub = "".join(on_pages()[key].asked[0]["source"])
    exercise = EXERCISES[key]
    assert f"def {exercise.reference.__name__}({', '.join(exercise.parameters)}):" in stub


# --- right answers, changed ----------------------------------------------------------------------


@pytest.mark.parametrize("key", CODE)
def test_no_changed_answer_is_called_right_unless_the_exercise_says_why(key):
    exercise = EXERCISES[key]
    found, tried = survivors(exercise)
    assert tried >= 10
    assert [name for name in found if not explained(exercise, name)] == []
    assert all(reason for reason in exercise.harmless.values())
    # and what is said to do no harm is still called right
    assert [pattern for pattern in exercise.harmless if not fnmatch.filter(found, pattern)] == []


def test_float32_results_are_welcome():
    assert answer_to("3-1.2", lambda x, f: np.float32(correlate(x, f))).startswith("Correct.")


def test_a_list_in_place_of_an_array_is_accepted_and_mentioned():
    message = answer_to("3-1.2", lambda x, f: correlate(x, f).tolist())
    assert message.startswith("Correct.") and "returned a list" in message


@pytest.mark.parametrize("answer", [448.0, np.int64(448), np.array(448), [448], np.array([[448]])])
def test_a_number_may_come_in_any_dress(answer):
    assert answer_to("3-1.3", answer).startswith("Correct.")


def test_average_filter_makes_average_pooling():
    x = np.arange(2 * 3 * 6 * 8, dtype=float).reshape(2, 3, 6, 8) ** 2 % 17
    f = EXERCISES["3-2.4"].reference(3, 2)
    np.testing.assert_allclose(functional.conv2d(x, f, stride=2), functional.avg_pool2d(x, 2))


# --- typical mistakes ----------------------------------------------------------------------------


@functools.cache
def said_to(key, name):
    """Return what is said to a typical mistake; several tests look at it."""
    return judge(key, EXERCISES[key], EXERCISES[key].mistakes[name][0])


@pytest.mark.parametrize(("key", "name"), MISTAKES)
def test_a_typical_mistake_gets_its_own_explanation(key, name):
    message = " ".join(said_to(key, name).split())
    assert message.startswith("Not quite")
    assert f"Likely cause: {EXERCISES[key].mistakes[name][1]}" in message


@pytest.mark.parametrize("key", EXERCISES)
def test_there_are_enough_mistakes_hints_and_shapes_that_are_not_square(key):
    exercise = EXERCISES[key]
    assert len(exercise.mistakes) >= 6 or exercise.verdict  # an open problem finds out by itself
    assert len(exercise.hints) >= 2
    matrices = [
        value
        for _, inputs in exercise.trials
        for value in inputs
        if isinstance(value, np.ndarray) and value.ndim >= 2
    ]
    if matrices:
        assert any(m.shape[-1] > m.shape[-2] for m in matrices)


def test_right_for_a_square_and_wrong_otherwise():
    def correlate(x, f):
        H, W = x.shape
        FH, FW = f.shape
        y = np.zeros((W - FW + 1, H - FH + 1))
        for oh in range(H - FH + 1):
            for ow in range(W - FW + 1):
                y[oh, ow] = (x[oh : oh + FH, ow : ow + FW] * f).sum()
        return y

    message = answer_to("3-1.2", correlate)
    assert "+ a square input and filter" in message
    assert "x a wide input" in message
    assert "raised IndexError: index 2 is out of bounds for axis 1 with size 2" in message
    assert "in the line: y[oh, ow] = (x[oh : oh + FH, ow : ow + FW] * f).sum()" in message
    assert "OH and OW are swapped in the shape of the result" in message


def test_of_several_mistakes_that_fit_the_closest_is_taken():
    # rounding and rounding up agree wherever the rounding is wrong
    message = answer_to("3-1.4", EXERCISES["3-1.4"].mistakes["ceil"][0])
    assert "rounded up" in message


def test_an_unknown_mistake_is_described_by_what_differs():
    message = answer_to("3-1.2", lambda x, f: correlate(x, f) + (np.arange(f.size).sum() == 6) * 7)
    assert "gives a wrong value: element [0, 0] should be" in message
    assert "all elements are off by the same 7" in message


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda y: np.zeros_like(y), "is the result ever filled in?"),
        (lambda y: -y, "only the sign is wrong"),
        (lambda y: 3 * y, "all elements are 3 times"),
        (lambda y: y * np.nan, "there is NaN"),
        (lambda y: y[None], "only axes of length 1 differ"),
        (lambda y: y.sum(), "one number instead of an array"),
        (lambda y: y.sum(axis=0), "too few axes"),
        (lambda y: np.stack([y, y]), "too many axes"),
        (lambda y: np.pad(y, ((0, 1), (0, 0))), "one too many. Does the last window"),
        (lambda y: y[:, :-1], "one too few"),
        (
            lambda y: (
                y
                + np.pad(
                    np.zeros((y.shape[0], y.shape[1] - 1)), ((0, 0), (0, 1)), constant_values=5
                )
            ),
            "only the border",
        ),
    ],
)
def test_what_shows_at_a_glance_is_said(change, cause):
    # in exercise 3-1.5, where the first trial's output has 3 rows and 3 columns
    message = answer_to("3-1.5", lambda *inputs: change(correlate_strided(*inputs)))
    assert cause in message


def test_a_swapped_shape_is_recognised():
    message = answer_to("3-2.2", lambda x, size, stride: max_pool(x, size, stride).T + 100)
    assert "should be" in message and "wrong in all 7" in message
    message = answer_to("3-1.7", lambda x, f, b: conv_batch(x, f, b).transpose(0, 1, 3, 2) + 100)
    assert "axes are swapped" in message


def test_integers_that_cut_off_the_fraction():
    message = answer_to("3-1.2", lambda x, f: correlate(x, f).astype(int))
    assert "x a filter with fractions" in message
    assert "the fraction was cut off" in message


def test_a_float_is_no_length():
    message = answer_to("3-1.4", lambda *sizes: float(output_length(*sizes)))
    assert "should be the integer 3, but is the float 3.0" in message


# --- empty and strange answers -------------------------------------------------------------------


def not_implemented(*inputs):
    raise NotImplementedError


@pytest.mark.parametrize("key", CODE)
@pytest.mark.parametrize(
    ("stub", "said"),
    [
        (lambda *inputs: None, "returned None"),
        (lambda *inputs: ..., "returned Ellipsis"),
        (not_implemented, "raises NotImplementedError"),
    ],
)
def test_an_empty_function_is_told_where_to_begin(key, stub, said):
    message = answer_to(key, stub)
    assert message.startswith("Not yet:") and said in message
    assert f"To begin with: {EXERCISES[key].start}" in message
    assert f'hint("{key}")' in message


@pytest.mark.parametrize("key", PENCIL)
@pytest.mark.parametrize("empty", [None, ...])
def test_an_empty_pencil_answer_is_told_where_to_begin(key, empty):
    message = answer_to(key, empty)
    assert message.startswith("Not yet:") and EXERCISES[key].start in message


def test_a_matrix_with_gaps_is_not_finished():
    assert "still empty" in answer_to("3-1.1", [[4, None, 2], [6, ..., 0]])


@pytest.mark.parametrize(
    ("key", "answer", "said"),
    [
        ("3-1.2", None, "Define correlate(x, f) first"),
        ("3-1.2", 5, "a function is asked for, but a value of type int"),
        ("3-1.2", np.eye(2), "Hand over correlate itself"),
        ("3-1.3", correlate, "asks for a number, but a function was given"),
        ("3-1.1", correlate, "asks for a matrix (a list of rows), but a function"),
        ("3-1.3", "448", "Leave the quotation marks away"),
        ("3-1.3", {1: 2}, "but a dict was given"),
        ("3-1.3", [448, 1], "should be a single number, but is an array of shape (2,)"),
        ("3-1.1", [[1, 2], [3]], "Do all rows have the same length"),
        ("3-1.1", 4, "a matrix of shape (2, 3), but is a single number"),
        ("3-1.3", float("nan"), "nan is not the number asked for"),
    ],
)
def test_the_wrong_kind_of_answer(key, answer, said):
    assert said in answer_to(key, answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x, "which reads correlate(x): too many positional arguments"),
        (lambda x, f, b: x, "missing a required argument: 'b'"),
        (lambda f, x: x, "the arguments are in another order"),
        (lambda x, f: "text", "but gave a value of type str"),
        (lambda x, f: [[1, 2], [3]], "gave a list that is no array of numbers"),
        (lambda x, f: np.array(["a"]), "an array of dtype <U1"),
        (lambda x, f: correlate(x, f) if x.shape == (3, 3) else None, "ends without a return"),
        (lambda x, f: x[1.0, 0], "an index is no integer"),
        (lambda x, f: np.zeros(2).__setitem__(0, x * x), "a whole window was put in the place"),
        (lambda x, f: range(x.size / 3), "a float stands where an integer is needed"),
        (lambda x, f: x[9, 9], "an index runs past the end"),
        (lambda x, f: np.zeros(1.5), "a float stands where an integer is needed"),
        (lambda x, f: x * f, "two arrays of different shapes meet"),
        (lambda x, f: x @ f, "matrix product of shapes that do not fit"),
        (lambda x, f: x.reshape(7, 7), "a reshape keeps the number of elements"),
        (lambda x, f: x.shape[0](2), "for an element of an array use [ ]"),
        (lambda x, f: undefined_name, "raised NameError"),  # noqa: F821
        (lambda x, f: x.sums(), "raised AttributeError"),
        (lambda x, f: 1 // 0, "raised ZeroDivisionError"),
    ],
)
def test_the_wrong_kind_of_function(answer, said):
    message = answer_to("3-1.2", answer)
    assert message.startswith("Not quite") and said in message
    assert "Traceback" not in message


def test_an_exception_without_a_message():
    def correlate(x, f):
        raise RuntimeError

    assert "raised RuntimeError." in answer_to("3-1.2", correlate)


def test_a_built_in_function_without_a_signature():
    assert answer_to("3-1.2", max).startswith("Not quite")


def test_a_changed_input_is_noticed():
    def pool_in_place(x, size, stride):
        y = max_pool(x, size, stride)
        x[0, 0] += 1
        return y

    message = answer_to("3-2.2", pool_in_place)
    assert message.startswith("Almost: the results are right, but max_pool changes its input x.")
    assert "Not quite: correlate changes its input x and f" in answer_to(
        "3-1.2", lambda x, f: (x.fill(1), f.fill(2))
    )
    # the trials themselves are not spoilt
    assert answer_to("3-2.2", max_pool).startswith("Correct.")


# --- how the messages look -----------------------------------------------------------------------


def all_messages(say=said_to):
    """Return the messages to all right, wrong and empty answers, and all texts of the data."""
    for key, exercise in EXERCISES.items():
        answers = [None, *([] if exercise.verdict else [exercise.reference])]
        answers += [lambda *inputs: None] if key in CODE else []
        yield from (judge(key, exercise, answer) for answer in answers)
        yield from (say(key, name) for name in exercise.mistakes)
        yield from exercise.hints


def test_no_message_gives_code_away():
    code = re.compile(
        r"range\(\w|np\.(sum|zeros|max|mean|pad|eye)\(|\w\[\w+:|\bfor \w+ in\b"
        r"|lambda|einsum|sliding_window|/ ?size|np\.\w+\(x"
    )
    for message in all_messages():
        for line in message.splitlines():
            if not line.startswith("in the line: "):  # that line is the learner's own
                assert not code.search(line), message


def test_a_pencil_answer_is_not_given_away():
    for key in PENCIL:
        exercise = EXERCISES[key]
        texts = [exercise.start, *exercise.hints, judge(key, exercise, 7)]
        texts += [judge(key, exercise, wrong) for wrong, _ in exercise.mistakes.values()]
        for text in texts:
            assert "448" not in text and not re.search(r"element .* should be", text)


@pytest.mark.slow
def test_lines_are_short_and_messages_always_the_same():
    messages = list(all_messages())
    assert messages == list(all_messages(said_to.__wrapped__))
    for message in messages[:-1]:
        if "\n" in message:  # hints are broken into lines when printed
            assert max(map(len, message.splitlines())) <= 88, message
        assert " at 0x" not in message


def test_the_design_exercise_shows_what_the_filter_does():
    message = judge("3-1.9", EXERCISES["3-1.9"], [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert "    picture       wanted        yours\n" in message
    assert "    0 1 1 1 0     0 0 1 1 1     1 1 1 0 0\n" in message


def test_the_places_of_a_pencil_answer_are_marked():
    message = judge("3-1.1", EXERCISES["3-1.1"], [[4, -1, 2], [6, 8, 0]])
    assert "5 of 6 right:\n    + + +\n    + x +\n" in message
    assert "element [1, 1], where you have 8" in message


# --- check and hint ------------------------------------------------------------------------------


def test_check_prints_one_message_and_returns_nothing(capsys):
    assert check("3-1.2", correlate) is None
    out, err = capsys.readouterr()
    assert out == judge("3-1.2", EXERCISES["3-1.2"], correlate) + "\n" and err == ""


def test_hints_follow_one_another(capsys):
    assert hint("3-1.2") is None
    assert capsys.readouterr().out.startswith("Hint 1 of 3: Make an array of zeros")
    hint("3-1.2", 2)
    assert 'The next one: hint("3-1.2", 3)' in capsys.readouterr().out
    hint("3-1.2", 3)
    out = capsys.readouterr().out
    assert "next" not in out and max(map(len, out.splitlines())) <= 88


@pytest.mark.parametrize("n", [0, 4, -1, np.int64(4)])
def test_a_hint_that_does_not_exist(n):
    with pytest.raises(ValueError, match="n must be a whole number from 1 to 3"):
        hint("3-1.2", n)
    with pytest.raises(ValueError, match="n must be a whole number from 1 to 7"):
        trial("3-1.2", 2 * n or -1)


@pytest.mark.parametrize("n", ["2", 1.0, True, None, [1], np.float64(2)])
def test_the_number_of_a_hint_is_an_integer(n):
    for function in (hint, trial):
        with pytest.raises(TypeError, match="n must be a whole number from 1 to .*got n = "):
            function("3-1.2", n)


def test_the_inputs_of_a_trial_can_be_had():
    x, f = trial("3-1.2", 2)
    assert x.shape == (3, 5) and f.shape == (2, 2)
    x[0, 0] += 1
    assert trial("3-1.2", 2)[0][0, 0] == x[0, 0] - 1  # that was a copy
    with pytest.raises(ValueError, match="asks for no function"):
        trial("3-1.1")


@pytest.mark.parametrize("ask", [lambda key: check(key, 1), hint, trial])
def test_an_unknown_exercise_lists_the_known_ones(ask):
    with pytest.raises(ValueError) as caught:
        ask("3-99.1")
    assert all(key in str(caught.value) for key in EXERCISES)
    with pytest.raises(TypeError, match="in quotation marks"):
        ask(3 - 1.2)
