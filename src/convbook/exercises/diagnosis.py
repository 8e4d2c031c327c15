"""What is different between an answer and the right one, and what that looks like a sign of.

Nothing here knows an exercise: these are the things a teaching assistant sees at a glance, such as
"one row too few" or "transposed". Advice about windows is given only where an exercise is about
windows. Mistakes that are typical of one exercise are listed with it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .wording import number, position

RTOL, ATOL = 1e-5, 1e-7  # float32 answers are welcome
DECIMALS = (2, 3, 4)  # to which a number found with a pencil may be rounded, as in an AnswerGrid


@dataclass(frozen=True)
class Finding:
    """What is wrong (a predicate such as "returned None.") and, if it shows, why."""

    what: str
    why: str = ""


def as_numbers(value):
    """Return the value as an array of integers or floats, or None if it is no such thing."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths, foreign objects
        return None
    if array.dtype.kind == "b":
        return array.astype(int)  # True counts as 1, as everywhere in NumPy
    return array if array.dtype.kind in "iuf" else None


def is_whole(value):
    """Tell whether a value can be used where Python needs an integer, as in a shape."""
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def has_type(value, dtype):
    """Tell whether a value is of the type asked for.

    ``dtype`` is None (any numbers), int (whatever can be used as a length or an index), or one of
    NumPy's types, which must be met exactly.
    """
    if dtype is None:
        return True
    kind = np.asarray(value).dtype
    if dtype is int:
        return kind.kind in "iu" if np.ndim(value) else is_whole(value)
    return kind == dtype


def same(a, b):
    """Tell whether two values are numerically the same, whatever their types."""
    a_numbers, b_numbers = as_numbers(a), as_numbers(b)
    if a_numbers is None or b_numbers is None or a_numbers.shape != b_numbers.shape:
        return False
    return np.allclose(a_numbers, b_numbers, RTOL, ATOL, equal_nan=True)


def right_as_written(numbers, expected):
    """Tell which numbers found with a pencil are right: exactly, or rounded to some decimals.

    As in an AnswerGrid, 2.33, 2.333 and 2.3333 are right for 7/3; a whole number must be met.
    """
    whole = expected == np.rint(expected)
    right = np.isclose(numbers, expected, np.where(whole, 1e-12, RTOL), np.where(whole, 0, ATOL))
    for decimals in DECIMALS:
        steps, exact = (
            np.where(np.isfinite(a), a, 0) * 10.0**decimals for a in (numbers, expected)
        )
        rounded = np.isfinite(numbers) & (abs(steps - np.rint(steps)) < 1e-6)
        right |= rounded & (abs(steps - exact) < 0.5 + 1e-9) & ~whole
    return right


def compare(got, expected, dtype=None, windows=False, x_shape=None):
    """Compare a returned value with the expected one.

    Parameters
    ----------
    got : object
        Whatever the learner's function returned.
    expected : number or array
        The right value.
    dtype : type, optional
        The type that is required; see `has_type`.
    windows : bool
        Whether the exercise is about windows that move over an array.
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
        return Finding(
            f"should return {_an_array(expected)}{wanted}, but gave {given}.",
            _shape_cause(numbers.shape, expected.shape, x_shape, windows),
        )
    wrong = ~np.isclose(numbers, expected, RTOL, ATOL)
    if wrong.any():
        first = tuple(np.argwhere(wrong)[0])
        values = f"should be {number(expected[first])}, but is {number(numbers[first])}"
        cause = _value_cause(numbers, expected, wrong, dtype is int, windows)
        if not expected.ndim:
            return Finding(f"{values}.", cause)
        return Finding(
            f"gives a wrong value: element {position(first)} {values} "
            f"({wrong.sum()} of {wrong.size} elements differ).",
            cause,
        )
    if not has_type(got, dtype):
        return _wrong_type(got, expected, dtype)
    return None


def _an_array(expected):
    return "an array " if expected.ndim else ""


def _wrong_type(got, expected, dtype):
    if not expected.ndim and dtype is int:
        return Finding(
            f"should be the integer {number(expected)}, but is the float {float(got)}.",
            "the value is right, but a float cannot be used as the length of an array "
            "or in range().",
        )
    if dtype is int:
        return Finding(
            "should return integers: the values are right, but their type is "
            f"{np.asarray(got).dtype}.",
            "these numbers say which one it is, so they are used as indices; NumPy "
            "takes only integers for that.",
        )
    return Finding(
        f"should return an array of type {np.dtype(dtype)}: the values are right, but "
        f"their type is {np.asarray(got).dtype}.",
        "the type is part of the task, because it decides how much memory the result "
        "needs and what can be done with it. The last step is to change it (astype).",
    )


def _not_numbers(got, expected):
    wanted = f"an array of shape {expected.shape}" if expected.ndim else "a number"
    if got is None:
        return Finding("returned None.", "some way through the function ends without a return.")
    if isinstance(got, (list, tuple)):
        return Finding(
            f"should return {wanted}, but gave a {type(got).__name__} that is no array of numbers.",
            "do all its rows have the same length, and is every entry a number?",
        )
    if isinstance(got, np.ndarray):
        return Finding(f"should return numbers, but gave an array of dtype {got.dtype}.")
    return Finding(f"should return {wanted}, but gave a value of type {type(got).__name__}.")


def _shape_cause(got, expected, x_shape, windows):
    if not expected:
        return "an array where a single number is asked for: is a sum or a mean missing?"
    if windows and got == x_shape:
        return (
            "that is the shape of the input itself. A window gives an output element only "
            "where it fits in completely."
        )
    if not got:
        return "one number instead of an array: was everything summed up" + (
            ", and not window by window?" if windows else "?"
        )
    if [n for n in got if n > 1] == [n for n in expected if n > 1]:
        return "only axes of length 1 differ: one was dropped, or one too many was kept."
    if len(got) > len(expected):
        return "there are too many axes: was an axis kept that should have been summed over?"
    if len(got) < len(expected):
        return "there are too few axes: was one summed over, or flattened, that should stay?"
    if sorted(got) == sorted(expected):
        return "the right lengths in another order: axes are swapped (transposed)."
    differences = {g - e for g, e in zip(got, expected)} - {0}
    if windows and differences == {-1}:
        return (
            "one too few. From the first place of the window to the last, both counted, there "
            "is one place more than there are steps."
        )
    if windows and differences == {1}:
        return "one too many. Does the last window still fit in completely?"
    return ""


def _value_cause(got, expected, wrong, indices, windows):
    if np.isnan(got).any():
        return "there is NaN in the result: was 0 divided by 0, or an array never filled?"
    if got.dtype.kind in "iu" and np.array_equal(got, np.trunc(expected)):
        return "the fraction was cut off: an array made for integers cannot hold it."
    if got.size == 1 or indices:  # numbers that only name something have no sign and no factor
        return ""
    got, expected = got.astype(float), expected.astype(float)  # bytes have no negative differences
    if windows and not got.any():
        return "all elements are 0: is the result ever filled in?"
    if got.ndim == 2 and same(got, expected.T):
        return "this is the right matrix, transposed: rows and columns have changed places."
    if same(got, -expected):
        return "only the sign is wrong."
    difference = got - expected
    if same(difference, np.full_like(difference, difference.flat[0])):
        return (
            f"all elements are off by the same {number(difference.flat[0])}: something was "
            "added, or left out, everywhere."
        )
    factor = np.divide(got, expected, out=np.zeros(got.shape), where=expected != 0)
    factor = factor.flat[np.argmax(expected != 0)]
    if factor and same(got, factor * expected):
        return (
            f"all elements are {number(factor)} times what they should be: something is "
            "multiplied or divided once too often, or not at all."
        )
    if windows and min(got.shape[-2:]) > 2 and got.ndim > 1 and not wrong[..., :-1, :-1].any():
        return (
            "only the border at the right or at the bottom is wrong: where does the last "
            "window begin, and where does it end?"
        )
    return ""


# What an exception usually means in these exercises: type, a part of its message, the advice.
_ADVICE = [
    (
        IndexError,
        "too many indices",
        "an array has fewer axes than the indices written behind it: look at its shape.",
    ),
    (
        IndexError,
        "only integers",
        "an index is no integer: / always gives a float, // gives the floor.",
    ),
    (
        IndexError,
        "boolean index",
        "an array of True and False picks along an axis of its own "
        "length: compare the two lengths.",
    ),
    (
        IndexError,
        "",
        "an index runs past the end: which axis does it belong to, and how long is that?",
    ),
    (
        ValueError,
        "setting an array element",
        "an array was put in the place of one number: is it summed up first?",
    ),
    (ValueError, "inhomogeneous", "pieces of different sizes do not make an array."),
    (ValueError, "broadcast", "two arrays of different shapes meet: print both shapes."),
    (
        ValueError,
        "cannot reshape",
        "a reshape keeps the number of elements. If the sizes do not "
        "divide, what is left over must be cut off first.",
    ),
    (
        ValueError,
        "matmul",
        "matrix product of shapes that do not fit: is an element-by-element product meant?",
    ),
    (
        ValueError,
        "not aligned",
        "matrix product of shapes that do not fit: is an element-by-element product meant?",
    ),
    (ValueError, "negative dimensions", "a length came out negative."),
    (
        ValueError,
        "truth value",
        "an array stands where Python needs a single True or False: if, "
        "and, or, not take no arrays. np.where chooses element by element.",
    ),
    (
        ValueError,
        "read-only",
        "the function writes into an array that is only a view of another: "
        "write into a new array or a copy.",
    ),
    (
        TypeError,
        "integer",
        "a float stands where an integer is needed: / always gives a float, // gives the floor.",
    ),
    (TypeError, "not subscriptable", "square brackets behind something that is no array."),
    (
        TypeError,
        "not callable",
        "round brackets behind something that is no function: for an element of an array use [ ].",
    ),
    (
        TypeError,
        "Cannot cast ufunc",
        "an array of integers cannot take up fractions with += or -=: make it an array of floats.",
    ),
    (
        TypeError,
        "mappingproxy",
        "a model's params hand out their arrays, but take in no other, and "
        "params[...] -= puts one in: give the array a name first, then change it in place with -=.",
    ),
    (UnboundLocalError, "", "a name is used before anything is assigned to it in the function."),
    (NameError, "", "is the name spelt as in the function's first line, and NumPy imported as np?"),
    (
        AttributeError,
        "",
        "is the name behind the dot spelt rightly, and what is in front of it really an array?",
    ),
    (ZeroDivisionError, "", "something is divided by a length that is 0 here."),
    (
        RecursionError,
        "",
        "the function calls itself without an end. Was the solution of an "
        "earlier exercise given the same name?",
    ),
    (
        SystemExit,
        "",
        "exit, quit and sys.exit end the whole program, the notebook's kernel "
        "included. A function ends with return.",
    ),
]
# The same where an exercise is about windows, and where one can be more exact for that.
_ADVICE_ON_WINDOWS = [
    (IndexError, "too many indices", _ADVICE[0][2]),
    (IndexError, "only integers", _ADVICE[1][2]),
    (IndexError, "boolean index", _ADVICE[2][2]),
    (
        IndexError,
        "",
        "an index runs past the end: look at the last window, and at which of the two "
        "loops belongs to which axis.",
    ),
    (
        ValueError,
        "setting an array element",
        "a whole window was put in the place of one number: is it summed up first?",
    ),
    (
        ValueError,
        "inhomogeneous",
        "pieces of different sizes do not make an array: is a window cut off at the border?",
    ),
    (
        ValueError,
        "broadcast",
        "two arrays of different shapes meet: print both shapes. At the "
        "border a window may be cut off, because a loop runs too far or the slice ends too early.",
    ),
    (
        ValueError,
        "zero-size array",
        "a window is empty: it begins beyond the end, or ends before it begins.",
    ),
    (ValueError, "negative dimensions", "a length came out negative: check the output size."),
]


def advice(error, windows=False):
    """Say what an exception usually means in these exercises (empty if nothing is known)."""
    for kind, part, text in (_ADVICE_ON_WINDOWS if windows else []) + _ADVICE:
        if isinstance(error, kind) and part in str(error):
            return text
    return ""
