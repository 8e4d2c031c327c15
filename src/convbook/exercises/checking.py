"""How an answer is judged: an exercise as data, trials of a function, and the message.

A learner's function is tried on several inputs, from simple to hard. If its results are wrong in
the same way as those of a typical wrong solution, the explanation of that mistake is given;
otherwise the first difference is described, with what it looks like a sign of.
"""

from __future__ import annotations

import copy
import inspect
import math
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..stand_in import StandInArray
from .diagnosis import Finding, advice, as_numbers, compare, right_as_written, same
from .limits import TookTooLong, call_within, no_way_out
from .wording import WIDTH, arrays, call, number, paragraph, position, written_out

SECONDS = 10  # for one trial of a function; the trials themselves take milliseconds
SECONDS_OPEN = 120  # for judging the answer to an open problem


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise.

    Attributes
    ----------
    title : str
        A few words.
    reference : callable, number or array
        The right answer. If it is a function, its name and parameters are the ones asked for.
    start : str
        The first thing to do, said as long as the answer is empty.
    praise : str
        What a right answer shows.
    hints : tuple of str
        From a nudge to nearly everything.
    mistakes : dict
        Name -> (wrong answer of the same kind as the reference, explanation).
    trials : tuple
        For a function: pairs (description, inputs), from simple to hard. Together they must show
        whatever the exercise's words promise.
    windows : bool
        Whether it is about windows that move over an array, so that advice about them is in place.
    dtype : type, optional
        The type that the result must have: int for lengths and indices, or a type of NumPy.
    lists : bool
        Whether a list is asked for.
    changes : dict
        For a function that must change an argument: the argument's name -> a function that reads
        off it, as an array, what must come out.
    without : tuple of callable
        Functions that the learner's function must do without.
    in_order : bool
        Whether the result must lie in memory in the order of its axes, so that it cannot be another
        array transposed.
    harmless : dict
        Change of a right answer -> why it makes no wrong one. The tests change every reference in
        many ways and let no other change pass.
    demonstrate : callable, optional
        For a matrix: text that shows what the learner's matrix does, in place of which elements
        are wrong.
    verdict : callable, optional
        For an open problem, which has no reference: takes an answer that is not empty and returns
        the parts of the message; the first is "Correct." or begins with "Not quite".
    around : callable, optional
        Returns a context manager; every trial takes place inside one.
    """

    title: str
    reference: Any
    start: str
    praise: str
    hints: tuple[str, ...]
    mistakes: dict[str, tuple[Any, str]]
    trials: tuple[tuple[str, tuple], ...] = ()
    windows: bool = False
    dtype: type | None = None
    lists: bool = False
    changes: dict[str, Callable] = field(default_factory=dict)
    without: tuple[Callable, ...] = ()
    in_order: bool = False
    harmless: dict[str, str] = field(default_factory=dict)
    demonstrate: Callable[[np.ndarray], str] | None = None
    verdict: Callable[[Any], list[str]] | None = None
    around: Callable = nullcontext

    @cached_property
    def parameters(self):
        """Names of the arguments of the function asked for."""
        return tuple(inspect.signature(self.reference).parameters)

    @cached_property
    def right(self):
        """What the reference does, trial by trial."""
        return tuple(attempt(self, self.reference, inputs) for _, inputs in self.trials)

    @cached_property
    def wrong(self):
        """The explanation of each typical mistake, and what its function does, trial by trial."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of code that the learner never wrote
            return tuple(
                (explanation, tuple(attempt(self, function, inputs) for _, inputs in self.trials))
                for function, explanation in self.mistakes.values()
            )


@dataclass(frozen=True)
class Outcome:
    """What a function did with one trial's inputs: a value or an exception."""

    value: Any = None
    error: BaseException | None = None
    line: str = ""  # the line of the function in which the exception arose
    changed: tuple[str, ...] = ()  # the arguments that were modified, but must not be
    effects: dict[str, np.ndarray] = field(default_factory=dict)  # of those that must be
    shared: tuple[str, ...] = ()  # the arguments in whose memory the value lies
    in_order: bool = True
    taken_back: bool = False  # whether it came to NumPy, though an argument was on the GPU
    used: tuple[str, ...] = ()  # what was called of `Exercise.without`

    @property
    def empty(self):
        """Whether this is what a function without a body does."""
        return (
            self.value is NotImplemented
            or isinstance(self.error, NotImplementedError)
            or (self.error is None and (self.value is None or self.value is Ellipsis))
        )


def numbers(*shape):
    """Return an array of small integers without any symmetry, the same at every call."""
    k = np.arange(math.prod(shape))
    return (k * (3 * k + 5) % 97 % 19 - 6).reshape(shape)


def judge(key, exercise, answer):
    """Return the message about an answer to the exercise with the id ``key``."""
    if exercise.verdict:
        parts = _judge_open(exercise, answer)
    elif callable(exercise.reference):
        parts = _judge_function(key, exercise, answer)
    else:
        parts = _judge_pencil(key, exercise, answer)
    message = "\n".join(parts)
    if message.startswith("Correct"):
        return message
    return f'{message}\nStuck? hint("{key}") shows the first of {len(exercise.hints)} hints.'


# --- one trial -----------------------------------------------------------------------------------


def attempt(exercise, function, inputs, seconds=None):
    """Call a function with copies of the inputs, for so many seconds, and note what happens."""
    given, used = copy.deepcopy(inputs), set()
    try:
        with exercise.around(), no_way_out(), _noting(exercise.without, used):
            value = function(*given) if seconds is None else call_within(seconds, function, *given)
    except (Exception, SystemExit, TookTooLong) as error:  # it becomes part of the answer
        line = _line(error, function)
        return Outcome(error=error.with_traceback(None), line=line)
    named = list(zip(exercise.parameters, inputs, given))
    shared = tuple(name for name, _, after in named if _share_memory(value, after))
    in_order = not isinstance(value, np.ndarray) or value.flags.c_contiguous
    taken_back = not isinstance(value, StandInArray) and any(
        isinstance(argument, StandInArray) for argument in given
    )
    return Outcome(
        copy.copy(value) if isinstance(value, (np.ndarray, list)) else value,
        changed=tuple(
            name
            for name, before, after in named
            if name not in exercise.changes and _differ(before, after)
        ),
        effects={
            name: exercise.changes[name](after)
            for name, _, after in named
            if name in exercise.changes
        },
        shared=shared,
        in_order=in_order,
        taken_back=taken_back,
        used=tuple(sorted(used)),
    )


@contextmanager
def _noting(functions, used):
    """Note in ``used`` which of some functions are called, under whatever name."""
    if not functions:
        yield
        return
    names = {inspect.unwrap(function).__code__: function.__name__ for function in functions}
    before = sys.getprofile()

    def look(frame, event, argument):
        if event == "call" and frame.f_code in names:
            used.add(names[frame.f_code])

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)


def _differ(before, after):
    if not isinstance(before, np.ndarray):
        return False
    return before.dtype != after.dtype or not np.array_equal(before, after)


def _share_memory(value, argument):
    if isinstance(value, (list, tuple)):
        return any(_share_memory(part, argument) for part in value)
    if not (isinstance(value, np.ndarray) and isinstance(argument, np.ndarray)):
        return False
    # Each argument is a copy in memory of its own, so that bounds which overlap are proof enough.
    return np.may_share_memory(np.asarray(value), np.asarray(argument))


def _line(error, function):
    code = getattr(function, "__code__", None)
    lines = [
        frame.line
        for frame in traceback.extract_tb(error.__traceback__)
        if code is not None and frame.filename == code.co_filename
    ]
    return lines[-1] if lines and lines[-1] else ""


# --- functions -----------------------------------------------------------------------------------


def _judge_function(key, exercise, answer):
    name = exercise.reference.__name__
    signature = f"{name}({', '.join(exercise.parameters)})"
    if answer is None or answer is Ellipsis:
        return [paragraph(f"Not yet: there is no function. Define {signature} first.")]
    if not callable(answer):
        return [
            paragraph(
                f"Not quite: a function is asked for, but a value of type "
                f"{type(answer).__name__} was given. Hand over {name} itself, without "
                "round brackets behind it."
            )
        ]
    complaint = _signature_complaint(exercise, answer, signature)
    if complaint:
        return [paragraph(complaint)]

    outcomes = []
    for _, inputs in exercise.trials:
        outcomes.append(attempt(exercise, answer, inputs, SECONDS))
        if isinstance(outcomes[-1].error, TookTooLong):
            break  # the other trials would only take as long
    if outcomes[0].empty:
        return [
            paragraph(f"Not yet: {_emptiness(name, outcomes[0])}"),
            paragraph(f"To begin with: {exercise.start}"),
        ]
    findings = [
        _examine(exercise, outcome, right, inputs)
        for outcome, right, (_, inputs) in zip(outcomes, exercise.right, exercise.trials)
    ]
    fault = _spoiled(exercise, outcomes)
    if any(findings):
        return (
            [paragraph(f"Not quite: {fault}")]
            if fault
            else _report(key, exercise, outcomes, findings)
        )
    fault = fault or _made_otherwise(exercise, outcomes)
    if fault:
        return [paragraph(f"Almost: the results are right, but {fault}")]
    return _correct(exercise, outcomes)


def is_right(exercise, answer):
    """Tell whether a function would be called right; quicker than `judge`, which also says why."""
    for right, (_, inputs) in zip(exercise.right, exercise.trials):
        outcome = attempt(exercise, answer, inputs)
        if (
            _examine(exercise, outcome, right, inputs)
            or _spoiled(exercise, [outcome])
            or _made_otherwise(exercise, [outcome])
        ):
            return False
    return True


def _signature_complaint(exercise, answer, signature):
    try:
        theirs = inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions have no signature to look at
        return ""
    names = tuple(theirs.parameters)
    written = f"{exercise.reference.__name__}({', '.join(names)})"
    try:
        theirs.bind(*exercise.parameters)
    except TypeError as error:
        return (
            f"Not quite: the call {signature} does not fit the function, which reads "
            f"{written}: {error}. The arguments asked for are exactly those of the call."
        )
    if names != exercise.parameters and sorted(names) == sorted(exercise.parameters):
        return (
            f"Not quite: the arguments are in another order. It is called as {signature}, but "
            f"the function reads {written}."
        )
    return ""


def _emptiness(name, outcome):
    if outcome.error is not None:
        return f"{name} raises NotImplementedError, so its body is still to be written."
    if outcome.value is None:
        return f"{name} returned None. A function gives back only what stands behind return."
    return f"{name} returned {outcome.value!r}, so its body is still to be written."


def _examine(exercise, outcome, right, inputs):
    """Say what is wrong with one outcome, compared with that of the reference."""
    if isinstance(outcome.error, TookTooLong):
        return Finding(
            f"was still at work after {SECONDS} seconds, and was stopped.",
            "a loop that never ends: does what is asked behind while change inside the loop?",
        )
    if outcome.error is not None:
        message = " ".join(str(outcome.error).split())
        kind = type(outcome.error).__name__
        return Finding(
            f"raised {kind}: {message}" if message else f"raised {kind}.",
            advice(outcome.error, exercise.windows),
        )
    x = dict(zip(exercise.parameters, inputs)).get("x")
    x_shape = x.shape if isinstance(x, np.ndarray) else None
    finding = compare(outcome.value, right.value, exercise.dtype, exercise.windows, x_shape)
    if finding:
        return finding
    given = dict(zip(exercise.parameters, inputs))
    for name, wanted in right.effects.items():
        if not same(outcome.effects[name], wanted):
            if same(outcome.effects[name], exercise.changes[name](given[name])):
                return Finding(
                    f"returns the right values, but leaves {name} as it was.",
                    f"the function is to change {name} itself: was a copy used?",
                )
            return Finding(
                f"returns the right values, but what it leaves behind in {name} is not "
                "what it should be.",
                f"is {name} changed once more, or once less, than the values say?",
            )
    return None


def _spoiled(exercise, outcomes):
    """Say which inputs are no longer what they were, if any."""
    changed = _named(outcome.changed for outcome in outcomes)
    return changed and (
        f"{exercise.reference.__name__} changes its input {changed}. Whoever calls "
        "it still needs the array as it was: write into a new array or a copy."
    )


def _made_otherwise(exercise, outcomes):
    """Say what is wrong with how right results were made."""
    name = exercise.reference.__name__
    used = _named(outcome.used for outcome in outcomes)
    if used:
        return f"{name} leaves the work to {used}. This exercise asks you to do without."
    shared = _named(outcome.shared for outcome in outcomes)
    if shared:
        return (
            f"what {name} returns is no array of its own: it lies in the memory of its input "
            f"{shared}. Whoever changes the one changes the other: return a new array or a "
            "copy."
        )
    if any(outcome.taken_back for outcome in outcomes):
        return (
            f"what {name} returns for a CuPy array is none: the result must stay where the "
            "input lives. (np.asarray, which does it here, raises an error on a GPU.)"
        )
    if exercise.in_order and not all(outcome.in_order for outcome in outcomes):
        return (
            f"what {name} returns is another array, transposed: in memory its numbers lie in "
            "another order. This exercise asks for an array that is filled at once as it is "
            "to be."
        )
    return ""


def _named(groups):
    return " and ".join(dict.fromkeys(name for group in groups for name in group))


def _correct(exercise, outcomes):
    parts = [f"Correct. All {len(outcomes)} trials come out right.", paragraph(exercise.praise)]
    if isinstance(outcomes[0].value, (list, tuple)) and not exercise.lists:
        parts.append(
            paragraph(
                f"(It returned a {type(outcomes[0].value).__name__}. That is fine "
                "here; a NumPy array is easier to calculate with.)"
            )
        )
    return parts


def _report(key, exercise, outcomes, findings):
    first = next(i for i, finding in enumerate(findings) if finding)
    label, inputs = exercise.trials[first]
    right, tried = findings.count(None), len(findings)
    if right:
        parts = [f"Not quite: right (+) in {right} of {tried} trials, wrong (x) in the others."]
        parts += [
            f"    {'x' if finding else '+'} {trial[0]}"
            for trial, finding in zip(exercise.trials, findings)
        ]
    elif tried < len(exercise.trials):
        parts = [paragraph(f"Not quite: it does not come to an end in the first trial: {label}.")]
    else:
        parts = [paragraph(f"Not quite: wrong in all {tried} trials. The first is: {label}.")]
    shown = arrays(exercise.parameters, inputs)
    written = call(exercise.reference.__name__, exercise.parameters, inputs)
    finding = findings[first]
    if shown:
        parts += [f"The call {written} with", shown, paragraph(finding.what)]
    else:
        parts.append(paragraph(f"The call {written} {finding.what}"))
    if outcomes[first].line:
        parts.append(textwrap.shorten(f"in the line: {outcomes[first].line}", WIDTH - 4))
    why = _typical_mistake(exercise, outcomes, findings) or finding.why
    if why:
        parts.append(paragraph(f"Likely cause: {why}"))
    if any(isinstance(value, np.ndarray) for value in inputs) and not written_out(inputs):
        parts += [
            "To try it again (from convbook.exercises import trial):",
            f'    {", ".join(exercise.parameters)} = trial("{key}", {first + 1})',
        ]
    return parts


def _typical_mistake(exercise, outcomes, findings):
    """Explain the typical mistake that goes wrong as the learner's function does.

    It must agree with the learner's function in every trial that goes wrong; of several such
    mistakes the one that agrees in the most trials is taken.
    """
    best, most = "", 0
    for explanation, theirs in exercise.wrong:
        pairs = list(zip(theirs, outcomes, exercise.right))
        if all(_agree(*pair) for pair, finding in zip(pairs, findings) if finding):
            agree = sum(_agree(*pair) for pair in pairs)
            best, most = max((best, most), (explanation, agree), key=lambda found: found[1])
    return best


def _agree(a, b, right):
    if a.error is not None or b.error is not None:
        return type(a.error) is type(b.error)
    if not same(a.value, b.value):
        return False
    # What a wrong function leaves behind counts only where its values do not tell it from a right.
    return not same(b.value, right.value) or all(
        same(a.effects[name], b.effects[name]) for name in b.effects
    )


# --- open problems -------------------------------------------------------------------------------


def _judge_open(exercise, answer):
    if answer is None or answer is Ellipsis:
        return ["Not yet: there is no answer.", paragraph(f"To begin with: {exercise.start}")]
    try:
        with no_way_out():
            return call_within(SECONDS_OPEN, exercise.verdict, answer)
    except TookTooLong:
        return [
            paragraph(
                f"Not quite: the answer was still at work after {SECONDS_OPEN} seconds, "
                "and was stopped."
            )
        ]
    except SystemExit as error:
        return [
            paragraph("Not quite: the answer ends the program."),
            paragraph(f"Likely cause: {advice(error)}"),
        ]


# --- numbers and matrices ------------------------------------------------------------------------


def _judge_pencil(key, exercise, answer):
    expected = np.asarray(exercise.reference)
    wanted = ["a number", f"a list of {expected.size} numbers", "a matrix (a list of rows)"][
        expected.ndim
    ]
    if answer is None or answer is Ellipsis:
        return [
            paragraph(f"Not yet: there is no answer. It should be {wanted}."),
            paragraph(f"To begin with: {exercise.start}"),
        ]
    if callable(answer):
        return [
            paragraph(f"Not quite: exercise {key} asks for {wanted}, but a function was given.")
        ]
    if isinstance(answer, str):
        return [
            paragraph(
                f"Not quite: exercise {key} asks for {wanted}, but text was given. "
                "Leave the quotation marks away."
            )
        ]
    numbers = as_numbers(answer)
    if numbers is None:
        return [paragraph(_no_numbers(answer, wanted))]
    if expected.ndim < 2 and numbers.size == expected.size == max(numbers.shape, default=1):
        numbers = numbers.reshape(expected.shape)  # [3] is as good as 3, one row as a list
    if numbers.shape == expected.shape and right_as_written(numbers, expected).all():
        return ["Correct.", paragraph(exercise.praise)]
    parts = [paragraph(_pencil_verdict(numbers, expected, wanted))]
    if exercise.demonstrate and numbers.shape == expected.shape:
        parts.append(exercise.demonstrate(numbers))
    elif expected.ndim and numbers.shape == expected.shape:
        parts += _map_of_errors(numbers, expected)
    why = _pencil_mistake(exercise, numbers)
    if not why and numbers.ndim == expected.ndim:
        finding = compare(numbers, expected, windows=exercise.windows)
        why = finding.why if finding else ""  # nearly right is not right, but shows no cause
    return parts + ([paragraph(f"Likely cause: {why}")] if why else [])


def _pencil_mistake(exercise, numbers):
    """Explain the typical mistake that was made, everywhere or in most of the places it spoils."""
    expected = np.asarray(exercise.reference)
    best, most = "", 0.5
    for wrong, explanation in exercise.mistakes.values():
        wrong = np.asarray(wrong)
        if wrong.shape != numbers.shape:
            continue
        as_wrong = right_as_written(numbers, wrong)
        if as_wrong.all():
            return explanation
        if numbers.shape != expected.shape:
            continue
        errors = ~right_as_written(numbers, expected)
        share = errors.sum() / max(1, np.sum(~np.isclose(wrong, expected)))
        if errors.sum() > 1 and as_wrong[errors].all() and share >= most:
            best, most = explanation, share
    return best


def _no_numbers(answer, wanted):
    if isinstance(answer, (list, tuple, np.ndarray)):
        if _has_gap(answer):
            return "Not yet: some places are still empty."
        return (
            f"Not quite: this is not {wanted}. Do all rows have the same length, and is every "
            "entry a number?"
        )
    return f"Not quite: {wanted} is asked for, but a {type(answer).__name__} was given."


def _has_gap(answer):
    if isinstance(answer, (list, tuple, np.ndarray)):
        return any(_has_gap(entry) for entry in answer)
    return answer is None or answer is Ellipsis


def _pencil_verdict(numbers, expected, wanted):
    """Say how far an answer is from right, without giving the right one away."""
    if numbers.shape != expected.shape:
        wanted = [
            wanted.replace("a number", "a single number"),
            wanted,
            f"a matrix of shape {expected.shape}",
        ][expected.ndim]
        given = f"an array of shape {numbers.shape}" if numbers.ndim else "a single number"
        return f"Not quite: the answer should be {wanted}, but is {given}."
    if not expected.ndim:
        return f"Not quite: {number(numbers)} is not the number asked for."
    return "Not quite: the shape is right, the values are not yet all right."


def _map_of_errors(numbers, expected):
    right = right_as_written(numbers, expected)
    first = tuple(np.argwhere(~right)[0])
    lines = [
        "    " + " ".join("+" if element else "x" for element in row)
        for row in np.atleast_2d(right)
    ]
    return [
        f"Right (+) and wrong (x), {right.sum()} of {right.size} right:",
        *lines,
        paragraph(
            f"The first to look at again is element {position(first)}, "
            f"where you have {number(numbers[first])}."
        ),
    ]
