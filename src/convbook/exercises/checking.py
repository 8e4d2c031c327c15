"""How an answer is judged: an exercise as data, trials of a function, and the message.

A learner's function is tried on several inputs, from simple to hard. If its results are wrong in
the same way as those of a typical wrong solution, the explanation of that mistake is given;
otherwise the first difference is described, with what it looks like a sign of.
"""

from __future__ import annotations

import copy
import inspect
import math
import textwrap
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from .diagnosis import Finding, advice, as_numbers, compare, same
from .wording import WIDTH, arrays, call, number, paragraph, position


@dataclass(frozen=True)
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
        For a function: pairs (description, inputs), from simple to hard.
    whole : bool
        Whether the function must return an integer.
    demonstrate : callable, optional
        For a matrix: text that shows what the learner's matrix does, in place of which elements
        are wrong.
    verdict : callable, optional
        For an open problem, which has no reference: takes an answer that is not empty and returns
        the parts of the message; the first is "Correct." or begins with "Not quite".
    around : callable, optional
        Returns a context manager; answers are tried inside it.
    """

    title: str
    reference: Any
    start: str
    praise: str
    hints: tuple[str, ...]
    mistakes: dict[str, tuple[Any, str]]
    trials: tuple[tuple[str, tuple], ...] = ()
    whole: bool = False
    demonstrate: Callable[[np.ndarray], str] | None = None
    verdict: Callable[[Any], list[str]] | None = None
    around: Callable = nullcontext

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments of the function asked for."""
        return tuple(inspect.signature(self.reference).parameters)


@dataclass(frozen=True)
class Outcome:
    """What a function did with one trial's inputs: a value or an exception."""

    value: Any = None
    error: Exception | None = None
    line: str = ""  # the line of the function in which the exception arose
    changed: tuple[int, ...] = ()  # which arguments were modified

    @property
    def empty(self) -> bool:
        """Whether this is what a function without a body does."""
        return self.value is NotImplemented or isinstance(self.error, NotImplementedError) or (
            self.error is None and (self.value is None or self.value is Ellipsis))


def numbers(*shape: int) -> np.ndarray:
    """Return an array of small integers without any symmetry, the same at every call."""
    k = np.arange(math.prod(shape))
    return (k * (3 * k + 5) % 97 % 19 - 6).reshape(shape)


def judge(key: str, exercise: Exercise, answer) -> str:
    """Return the message about an answer to the exercise with the id ``key``."""
    with exercise.around():
        if exercise.verdict:
            parts = _judge_open(exercise, answer)
        elif callable(exercise.reference):
            parts = _judge_function(exercise, answer)
        else:
            parts = _judge_pencil(key, exercise, answer)
    message = "\n".join(parts)
    if message.startswith("Correct"):
        return message
    return f'{message}\nStuck? hint("{key}") shows the first of {len(exercise.hints)} hints.'


def attempt(function: Callable, inputs: tuple) -> Outcome:
    """Call a function with copies of the inputs and note what happens."""
    given = copy.deepcopy(inputs)
    try:
        value = function(*given)
    except Exception as error:  # whatever a learner's code raises becomes part of the answer
        return Outcome(error=error, line=_line(error, function))
    changed = tuple(i for i, (before, after) in enumerate(zip(inputs, given))
                    if isinstance(before, np.ndarray) and not np.array_equal(before, after))
    return Outcome(value, changed=changed)


# ---- functions ------------------------------------------------------------------------------


def _judge_function(exercise: Exercise, answer) -> list[str]:
    name = exercise.reference.__name__
    signature = f"{name}({', '.join(exercise.parameters)})"
    if answer is None or answer is Ellipsis:
        return [paragraph(f"Not yet: there is no function. Define {signature} first.")]
    if not callable(answer):
        return [paragraph(f"Not quite: a function is asked for, but a value of type "
                          f"{type(answer).__name__} was given. Hand over {name} itself, without "
                          "round brackets behind it.")]
    complaint = _signature_complaint(exercise, answer, signature)
    if complaint:
        return [paragraph(complaint)]

    outcomes = [attempt(answer, inputs) for _, inputs in exercise.trials]
    if outcomes[0].empty:
        return [paragraph(f"Not yet: {_emptiness(name, outcomes[0])}"),
                paragraph(f"To begin with: {exercise.start}")]
    findings = [_examine(exercise, outcome, inputs)
                for outcome, (_, inputs) in zip(outcomes, exercise.trials)]
    changed = sorted({i for outcome in outcomes for i in outcome.changed})
    if changed:
        names = " and ".join(exercise.parameters[i] for i in changed)
        verdict = "Almost: the results are right, but" if not any(findings) else "Not quite:"
        return [paragraph(f"{verdict} {name} changes its input {names}. Whoever calls it "
                          "still needs the array as it was: write into a new array or a copy.")]
    if not any(findings):
        return _correct(exercise, outcomes)
    return _report(exercise, outcomes, findings)


def _signature_complaint(exercise: Exercise, answer: Callable, signature: str) -> str:
    try:
        theirs = inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions have no signature to look at
        return ""
    names = tuple(theirs.parameters)
    written = f"{exercise.reference.__name__}({', '.join(names)})"
    try:
        theirs.bind(*exercise.parameters)
    except TypeError as error:
        return (f"Not quite: the call {signature} does not fit the function, which reads "
                f"{written}: {error}. The arguments asked for are exactly those of the call.")
    if names != exercise.parameters and sorted(names) == sorted(exercise.parameters):
        return (f"Not quite: the arguments are in another order. It is called as {signature}, but "
                f"the function reads {written}.")
    return ""


def _emptiness(name: str, outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{name} raises NotImplementedError, so its body is still to be written."
    if outcome.value is None:
        return f"{name} returned None. A function gives back only what stands behind return."
    return f"{name} returned {outcome.value!r}, so its body is still to be written."


def _examine(exercise: Exercise, outcome: Outcome, inputs: tuple) -> Finding | None:
    if outcome.error is not None:
        message = " ".join(str(outcome.error).split())
        kind = type(outcome.error).__name__
        return Finding(f"raised {kind}: {message}" if message else f"raised {kind}.",
                       advice(outcome.error))
    x = dict(zip(exercise.parameters, inputs)).get("x")
    x_shape = x.shape if isinstance(x, np.ndarray) else None
    expected = exercise.reference(*copy.deepcopy(inputs))
    return compare(outcome.value, expected, exercise.whole, x_shape)


def _correct(exercise: Exercise, outcomes: list[Outcome]) -> list[str]:
    parts = [f"Correct. All {len(outcomes)} trials come out right.", paragraph(exercise.praise)]
    if isinstance(outcomes[0].value, (list, tuple)):
        parts.append(paragraph(f"(It returned a {type(outcomes[0].value).__name__}. That is fine "
                               "here; a NumPy array is easier to calculate with.)"))
    return parts


def _report(exercise: Exercise, outcomes: list[Outcome],
            findings: list[Finding | None]) -> list[str]:
    first = next(i for i, finding in enumerate(findings) if finding)
    label, inputs = exercise.trials[first]
    right = findings.count(None)
    if right:
        parts = [f"Not quite: right (+) in {right} of {len(findings)} trials, wrong (x) in the "
                 "others."]
        parts += [f"    {'x' if finding else '+'} {trial[0]}"
                  for trial, finding in zip(exercise.trials, findings)]
    else:
        parts = [paragraph(f"Not quite: wrong in all {len(findings)} trials. The first is: "
                           f"{label}.")]
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
    return parts + ([paragraph(f"Likely cause: {why}")] if why else [])


def _typical_mistake(exercise: Exercise, outcomes: list[Outcome],
                     findings: list[Finding | None]) -> str:
    """Explain the typical mistake that goes wrong as the learner's function does.

    It must agree with the learner's function in every trial that goes wrong; of several such
    mistakes the one that agrees in the most trials is taken.
    """
    best, most = "", 0
    for wrong, explanation in exercise.mistakes.values():
        agrees = [_agree(attempt(wrong, inputs), outcome, exercise.whole)
                  for outcome, (_, inputs) in zip(outcomes, exercise.trials)]
        explains_all = all(a for a, finding in zip(agrees, findings) if finding)
        if explains_all and sum(agrees) > most:
            best, most = explanation, sum(agrees)
    return best


def _agree(a: Outcome, b: Outcome, whole: bool) -> bool:
    if a.error is not None or b.error is not None:
        return type(a.error) is type(b.error)
    return same(a.value, b.value, whole)


def _line(error: Exception, function: Callable) -> str:
    code = getattr(function, "__code__", None)
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__)
             if code is not None and frame.filename == code.co_filename]
    return lines[-1] if lines and lines[-1] else ""


# ---- open problems --------------------------------------------------------------------------


def _judge_open(exercise: Exercise, answer) -> list[str]:
    if answer is None or answer is Ellipsis:
        return ["Not yet: there is no answer.",
                paragraph(f"To begin with: {exercise.start}")]
    return exercise.verdict(answer)


# ---- numbers and matrices -------------------------------------------------------------------


def _judge_pencil(key: str, exercise: Exercise, answer) -> list[str]:
    expected = np.asarray(exercise.reference)
    wanted = "a matrix (a list of rows)" if expected.ndim else "a number"
    if answer is None or answer is Ellipsis:
        return [paragraph(f"Not yet: there is no answer. It should be {wanted}."),
                paragraph(f"To begin with: {exercise.start}")]
    if callable(answer):
        return [paragraph(f"Not quite: exercise {key} asks for {wanted}, but a function was "
                          "given.")]
    if isinstance(answer, str):
        return [paragraph(f"Not quite: exercise {key} asks for {wanted}, but text was given. "
                          "Leave the quotation marks away.")]
    numbers = as_numbers(answer)
    if numbers is None:
        return [paragraph(_no_numbers(answer, wanted))]
    if expected.ndim == 0 and numbers.size == 1:
        numbers = numbers.reshape(())  # [3] is as good as 3
    finding = compare(numbers, expected)
    if finding is None:
        return ["Correct.", paragraph(exercise.praise)]
    for wrong, explanation in exercise.mistakes.values():
        if same(numbers, wrong):
            finding = Finding(finding.what, explanation)
    parts = [paragraph(_pencil_verdict(numbers, expected))]
    if exercise.demonstrate and numbers.shape == expected.shape:
        parts.append(exercise.demonstrate(numbers))
    elif expected.ndim and numbers.shape == expected.shape:
        parts += _map_of_errors(numbers, expected)
    return parts + ([paragraph(f"Likely cause: {finding.why}")] if finding.why else [])


def _no_numbers(answer, wanted: str) -> str:
    if isinstance(answer, (list, tuple, np.ndarray)):
        if _has_gap(answer):
            return "Not yet: some places of the matrix are still empty."
        return ("Not quite: this is no matrix of numbers. Do all rows have the same length, and "
                "is every entry a number?")
    return f"Not quite: {wanted} is asked for, but a {type(answer).__name__} was given."


def _has_gap(answer) -> bool:
    if isinstance(answer, (list, tuple, np.ndarray)):
        return any(_has_gap(entry) for entry in answer)
    return answer is None or answer is Ellipsis


def _pencil_verdict(numbers: np.ndarray, expected: np.ndarray) -> str:
    """Say how far an answer is from right, without giving the right one away."""
    if numbers.shape != expected.shape:
        wanted = f"a matrix of shape {expected.shape}" if expected.ndim else "a single number"
        given = f"an array of shape {numbers.shape}" if numbers.ndim else "a single number"
        return f"Not quite: the answer should be {wanted}, but is {given}."
    if not expected.ndim:
        return f"Not quite: {number(numbers)} is not the number asked for."
    return "Not quite: the shape is right, the values are not yet all right."


def _map_of_errors(numbers: np.ndarray, expected: np.ndarray) -> list[str]:
    right = np.isclose(numbers, expected)
    first = tuple(np.argwhere(~right)[0])
    lines = ["    " + " ".join("+" if element else "x" for element in row) for row in right]
    return [f"Right (+) and wrong (x), {right.sum()} of {right.size} right:", *lines,
            paragraph(f"The first to look at again is element {position(first)}, "
                      f"where you have {number(numbers[first])}.")]
