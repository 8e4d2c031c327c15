"""Exercises that answer: ``check`` says what is wrong and why, ``hint`` helps on.

>>> from convbook.exercises import check, hint
>>> check("3-1.3", 432)            # doctest: +SKIP
Not quite: 432 is not the number asked for.
...

Every chapter has a module of its own, ``chapter_…``, that holds its exercises as plain data (title,
reference, trials, typical mistakes, hints). An entry there is all that an exercise needs besides
its page; how an answer is judged is in ``checking``.
"""

from __future__ import annotations

import copy
import importlib
import operator
import pkgutil

from .checking import Exercise, judge
from .wording import paragraph

__all__ = ["EXERCISES", "check", "hint", "trial"]


def _in_order(module):
    return [int(part) for part in module.split("_")[1:]]


_CHAPTERS = sorted(
    (
        module.name
        for module in pkgutil.iter_modules(__path__)
        if module.name.startswith("chapter_")
    ),
    key=_in_order,
)

EXERCISES: dict[str, Exercise] = {
    key: exercise
    for chapter in _CHAPTERS
    for key, exercise in importlib.import_module(f".{chapter}", __name__).EXERCISES.items()
}


def check(exercise, answer):
    """Print what a teaching assistant would say about an answer.

    A function that does not come to an end is stopped after ten seconds. What cannot be stopped is
    a single call of NumPy that takes so long; then interrupt or restart the kernel.

    Parameters
    ----------
    exercise : str
        The exercise's id, for example ``"3-1.2"``.
    answer : callable, number or array-like
        The learner's function itself (no call), or the number or matrix found with a pencil.

    Raises
    ------
    TypeError
        If ``exercise`` is not text.
    ValueError
        If there is no such exercise.
    """
    print(judge(exercise, _find(exercise), answer))


def hint(exercise, n=1):
    """Print the n-th hint of an exercise (counted from 1) and say how many there are.

    Raises
    ------
    TypeError
        If ``exercise`` is not text, or ``n`` no integer.
    ValueError
        If there is no such exercise or no such hint.
    """
    hints = _find(exercise).hints
    n = _numbered("n", n, len(hints), f"exercise {exercise} has {len(hints)} hints")
    print(paragraph(f"Hint {n} of {len(hints)}: {hints[n - 1]}"))
    if n < len(hints):
        print(f'The next one: hint("{exercise}", {n + 1})')


def trial(exercise, n=1):
    """Return the inputs of the n-th trial of an exercise (counted from 1), to try them again.

    Returns
    -------
    tuple
        The arguments with which `check` calls the function, in their order; they are copies.

    Raises
    ------
    TypeError
        If ``exercise`` is not text, or ``n`` no integer.
    ValueError
        If there is no such exercise or no such trial.
    """
    trials = _find(exercise).trials
    if not trials:
        raise ValueError(f"exercise {exercise} asks for no function, so there are no trials of it.")
    n = _numbered("n", n, len(trials), f"exercise {exercise} has {len(trials)} trials")
    return copy.deepcopy(trials[n - 1][1])


def _numbered(name, n, most, because):
    wanted = f"{name} must be a whole number from 1 to {most}: {because}, got {name} = {n!r}."
    try:
        n = operator.index(None if isinstance(n, bool) else n)
    except TypeError:
        raise TypeError(wanted) from None
    if not 1 <= n <= most:
        raise ValueError(wanted)
    return n


def _find(exercise):
    if not isinstance(exercise, str):
        raise TypeError(
            'exercise must be an id in quotation marks, such as "3-1.2", '
            f"got a value of type {type(exercise).__name__}."
        )
    if exercise not in EXERCISES:
        listed = "\n".join(f"    {key}  {each.title}" for key, each in EXERCISES.items())
        raise ValueError(f'exercise "{exercise}" does not exist. There are:\n{listed}')
    return EXERCISES[exercise]
