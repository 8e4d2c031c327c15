"""Exercises that answer: ``check`` says what is wrong and why, ``hint`` helps on.

>>> from convbook.exercises import check, hint
>>> check("3-1.3", 432)            # doctest: +SKIP
Not quite: 432 is not the number asked for.
...

Every chapter has a module of its own that holds its exercises as plain data (title, reference,
trials, typical mistakes, hints); how an answer is judged is in ``checking``.
"""

from __future__ import annotations

from . import (
    chapter_3_1, chapter_3_2, chapter_3_3, chapter_3_4, chapter_3_5_1, chapter_3_5_2, chapter_3_6,
    chapter_3_6_1, chapter_3_6_2)
from .checking import Exercise, judge
from .wording import paragraph

__all__ = ["EXERCISES", "check", "hint"]

EXERCISES: dict[str, Exercise] = {
    **chapter_3_1.EXERCISES,
    **chapter_3_2.EXERCISES,
    **chapter_3_3.EXERCISES,
    **chapter_3_4.EXERCISES,
    **chapter_3_5_1.EXERCISES,
    **chapter_3_5_2.EXERCISES,
    **chapter_3_6.EXERCISES,
    **chapter_3_6_1.EXERCISES,
    **chapter_3_6_2.EXERCISES,
}


def check(exercise: str, answer) -> None:
    """Print what a teaching assistant would say about an answer.

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


def hint(exercise: str, n: int = 1) -> None:
    """Print the n-th hint of an exercise (counted from 1) and say how many there are.

    Raises
    ------
    TypeError
        If ``exercise`` is not text.
    ValueError
        If there is no such exercise or no such hint.
    """
    hints = _find(exercise).hints
    if n not in range(1, len(hints) + 1):
        raise ValueError(f"n must be a whole number from 1 to {len(hints)}: exercise {exercise} "
                         f"has {len(hints)} hints, got n = {n!r}.")
    print(paragraph(f"Hint {n} of {len(hints)}: {hints[n - 1]}"))
    if n < len(hints):
        print(f'The next one: hint("{exercise}", {n + 1})')


def _find(exercise: str) -> Exercise:
    if not isinstance(exercise, str):
        raise TypeError('exercise must be an id in quotation marks, such as "3-1.2", '
                        f"got a value of type {type(exercise).__name__}.")
    if exercise not in EXERCISES:
        listed = "\n".join(f"    {key}  {each.title}" for key, each in EXERCISES.items())
        raise ValueError(f'exercise "{exercise}" does not exist. There are:\n{listed}')
    return EXERCISES[exercise]
