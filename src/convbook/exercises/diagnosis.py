"""What is different between an answer and the right one, and what that looks like a sign of.

Nothing here knows an exercise: these are the things a teaching assistant sees at a glance, such as
"one row too few" or "transposed". Mistakes that are typical of one exercise are listed with it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .wording import number, position

RTOL, ATOL = 1e-5, 1e-7  # float32 answers are welcome


@dataclass(frozen=True)
class Finding:
    """What is wrong (a predicate such as "returned None.") and, if it shows, why."""

    what: str
    why: str = ""


def as_numbers(value) -> np.ndarray | None:
    """Return the value as an array of integers or floats, or None if it is no such thing."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths, foreign objects
        return None
    if array.dtype.kind == "b":
        return array.astype(int)  # True counts as 1, as everywhere in NumPy
    return array if array.dtype.kind in "iuf" else None


def is_whole(value) -> bool:
    """Tell whether a value can be used where Python needs an integer, as in a shape."""
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def same(a, b, whole: bool = False) -> bool:
    """Tell whether two values are numerically the same (with ``whole``: also both int or not)."""
    a_numbers, b_numbers = as_numbers(a), as_numbers(b)
    if a_numbers is None or b_numbers is None or a_numbers.shape != b_numbers.shape:
        return False
    if whole and is_whole(a) != is_whole(b):
        return False
    return np.allclose(a_numbers, b_numbers, RTOL, ATOL, equal_nan=True)


def compare(got, expected, whole: bool = False, x_shape: tuple | None = None) -> Finding | None:
    """Compare a returned value with the expected one.

    Parameters
    ----------
    got : object
        Whatever the learner's function returned.
    expected : number or array
        The right value.
    whole : bool
        Whether an ``int`` is required and not only a number without fraction.
    x_shape : tuple of int, optional
        The shape of the input, to recognise an output that has the same.

    Returns
    -------
    Finding or None
        None if the value is right.
    """
    expected = np.asarray(expected)
    numbers = as_numbers(got)
    if numbers is None:
        return _not_numbers(got, expected)
    if numbers.shape != expected.shape:
        wanted = f"of shape {expected.shape}" if expected.ndim else "a single number"
        given = f"shape {numbers.shape}" if numbers.ndim else "a single number"
        return Finding(f"should return {_an_array(expected)}{wanted}, but gave {given}.",
                       _shape_cause(numbers.shape, expected.shape, x_shape))
    wrong = ~np.isclose(numbers, expected, RTOL, ATOL)
    if wrong.any():
        first = tuple(np.argwhere(wrong)[0])
        values = f"should be {number(expected[first])}, but is {number(numbers[first])}"
        if not expected.ndim:
            return Finding(f"{values}.", _value_cause(numbers, expected, wrong))
        return Finding(f"gives a wrong value: element {position(first)} {values} "
                       f"({wrong.sum()} of {wrong.size} elements differ).",
                       _value_cause(numbers, expected, wrong))
    if whole and not is_whole(got):
        return Finding(f"should be the integer {number(expected)}, but is the float {float(got)}.",
                       "the value is right, but a float cannot be used as the length of an array "
                       "or in range().")
    return None


def _an_array(expected: np.ndarray) -> str:
    return "an array " if expected.ndim else ""


def _not_numbers(got, expected: np.ndarray) -> Finding:
    wanted = f"an array of shape {expected.shape}" if expected.ndim else "a number"
    if got is None:
        return Finding("returned None.", "some way through the function ends without a return.")
    if isinstance(got, (list, tuple)):
        return Finding(f"should return {wanted}, but gave a {type(got).__name__} that is no array "
                       "of numbers.", "do all its rows have the same length, and is every entry a "
                       "number?")
    if isinstance(got, np.ndarray):
        return Finding(f"should return numbers, but gave an array of dtype {got.dtype}.")
    return Finding(f"should return {wanted}, but gave a value of type {type(got).__name__}.")


def _shape_cause(got: tuple, expected: tuple, x_shape: tuple | None) -> str:
    if not expected:
        return "an array where a single number is asked for: is a sum or a mean missing?"
    if got == x_shape:
        return ("that is the shape of the input itself. A window gives an output element only "
                "where it fits in completely.")
    if not got:
        return "one number instead of an array: was everything summed up, and not window by window?"
    if [n for n in got if n > 1] == [n for n in expected if n > 1]:
        return "only axes of length 1 differ: one was dropped, or one too many was kept."
    if len(got) > len(expected):
        return "there are too many axes: was an axis kept that should have been summed over?"
    if len(got) < len(expected):
        return "there are too few axes: was one summed over, or flattened, that should stay?"
    if sorted(got) == sorted(expected):
        return "the right lengths in another order: axes are swapped (transposed)."
    differences = {g - e for g, e in zip(got, expected)} - {0}
    if differences == {-1}:
        return ("one too few. From the first place of the window to the last, both counted, there "
                "is one place more than there are steps.")
    if differences == {1}:
        return "one too many. Does the last window still fit in completely?"
    return ""


def _value_cause(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    if np.isnan(got).any():
        return "there is NaN in the result: was 0 divided by 0, or an array never filled?"
    if got.dtype.kind in "iu" and np.array_equal(got, np.trunc(expected)):
        return "the fraction was cut off: an array made for integers cannot hold it."
    if got.size == 1:
        return ""
    if not got.any():
        return "all elements are 0: is the result ever filled in?"
    if got.ndim == 2 and same(got, expected.T):
        return "this is the right matrix, transposed: rows and columns have changed places."
    if same(got, -expected):
        return "only the sign is wrong."
    difference = got - expected
    if same(difference, np.full_like(difference, difference.flat[0])):
        return (f"all elements are off by the same {number(difference.flat[0])}: something was "
                "added, or left out, everywhere.")
    factor = np.divide(got, expected, out=np.zeros(got.shape), where=expected != 0)
    factor = factor.flat[np.argmax(expected != 0)]
    if same(got, factor * expected):
        return (f"all elements are {number(factor)} times what they should be: something is "
                "multiplied or divided once too often, or not at all.")
    if got.ndim >= 2 and wrong.sum() > 1 and not wrong[..., :-1, :-1].any():
        return ("only the border at the right or at the bottom is wrong: where does the last "
                "window begin, and where does it end?")
    return ""


# What an exception usually means in these exercises: type, a part of its message, the advice.
_ADVICE = [
    (IndexError, "too many indices", "an array has fewer axes than the indices written behind it: "
     "look at its shape."),
    (IndexError, "only integers", "an index is no integer: / always gives a float, // gives the "
     "floor."),
    (IndexError, "", "an index runs past the end: look at the last window, and at which of the two "
     "loops belongs to which axis."),
    (ValueError, "setting an array element", "a whole window was put in the place of one number: "
     "is it summed up first?"),
    (ValueError, "inhomogeneous", "pieces of different sizes do not make an array: is a window cut "
     "off at the border?"),
    (ValueError, "broadcast", "two arrays of different shapes meet: print both shapes. At the "
     "border a window may be cut off, because a loop runs too far or the slice ends too early."),
    (ValueError, "cannot reshape", "a reshape keeps the number of elements. If the sizes do not "
     "divide, the rows and columns left over must be cut off first."),
    (ValueError, "matmul", "matrix product of shapes that do not fit: is an element-by-element "
     "product meant?"),
    (ValueError, "not aligned", "matrix product of shapes that do not fit: is an "
     "element-by-element product meant?"),
    (ValueError, "negative dimensions", "a length came out negative: check the output size."),
    (TypeError, "integer", "a float stands where an integer is needed: / always gives a float, "
     "// gives the floor."),
    (TypeError, "not subscriptable", "square brackets behind something that is no array."),
    (TypeError, "not callable", "round brackets behind something that is no function: for an "
     "element of an array use [ ]."),
    (UnboundLocalError, "", "a name is used before anything is assigned to it in the function."),
    (NameError, "", "is the name spelt as in the function's first line, and NumPy imported as np?"),
    (AttributeError, "", "is the name behind the dot spelt rightly, and what is in front of it "
     "really an array?"),
    (ZeroDivisionError, "", "something is divided by a length that is 0 here."),
]


def advice(error: Exception) -> str:
    """Say what an exception usually means in these exercises (empty if nothing is known)."""
    for kind, part, text in _ADVICE:
        if isinstance(error, kind) and part in str(error):
            return text
    return ""
