"""AnswerGrid: calculate it yourself."""

import html
import math

import numpy as np
import traitlets

from .base import BookWidget, as_numbers

LARGEST_SIDE = 12
LARGEST_NUMBER = 1e9
DECIMALS = (2, 3, 4)


def fnv1a(text):
    """Return the 32-bit FNV-1a hash of a text's UTF-8 bytes, as eight hexadecimal digits.

    Fowler, Noll and Vo, draft-eastlake-fnv; short enough to stand in the page's script as well.
    """
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


def cell_hash(salt, row, column, whole):
    """Return the hash of a number of ten-thousandths in a cell."""
    return fnv1a(f"{salt}:{row}:{column}:{whole}")


def nearest(value, decimals):
    """Return the one or two numbers of so many decimals that lie nearest, as whole ten-thousandths.

    Two at a tie, because 0.125 may be rounded to 0.13 (as at school) or to 0.12 (as NumPy does).
    """
    scaled, step = value * 10**decimals, 10 ** (4 - decimals)
    return {math.floor(scaled + 0.5) * step, math.ceil(scaled - 0.5) * step}


def ten_thousandths(value):
    """Return a number rounded to four decimals, as a whole number of ten-thousandths."""
    return math.floor(value * 10_000 + 0.5)


def numeric_array(name, value):
    """Return `value` as an array of float64 with at most two axes."""
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise traitlets.TraitError(
            f"{name} must be a number, a row or a matrix; got {value!r}."
        ) from None
    if array.ndim > 2 or not all(1 <= size <= LARGEST_SIDE for size in array.shape):
        raise traitlets.TraitError(
            f"{name} must be a number, a row or a matrix with sides of 1 to {LARGEST_SIDE}; "
            f"got shape {array.shape}."
        )
    if not (np.abs(array) < LARGEST_NUMBER).all():  # false for NaN as well
        raise traitlets.TraitError(
            f"{name} must hold finite numbers below {LARGEST_NUMBER:g}; got {value!r}."
        )
    return array


class Cells(traitlets.TraitType):
    """A trait that holds numbers and None (an empty cell) in the shape of the widget's answer."""

    def validate(self, widget, value):
        shape = widget.answer.shape
        try:
            cells = np.full(shape, None) if value is None else np.array(value, dtype=object)
            empty = np.array([cell is None for cell in cells.flat]).reshape(shape)
            numbers = numeric_array(self.name, np.where(empty, 0, cells))
        except (ValueError, traitlets.TraitError):
            raise traitlets.TraitError(
                f"{self.name} must be finite numbers or None in the answer's shape {shape}; "
                f"got {value!r}."
            ) from None
        return as_cells(numbers, empty)


class AnswerGrid(BookWidget, module="answer.js"):
    """An empty number, row or matrix to fill in, that says cell by cell what is right.

    A cell is right when the number in it is the answer rounded to 2, 3 or 4 decimals: for 7/3 these
    are 2.33, 2.333 and 2.3333 (and 7/3 itself, since what is typed is rounded to 4 decimals). A
    whole number must be met exactly.

    The page does not give the answers away: it holds, for each cell, only the `fnv1a` hashes of
    ``"{salt}:{row}:{column}:{ten-thousandths}"`` for those roundings; a typical mistake likewise.
    The salt is the hash of ``"{label}:{question}"``.

    Parameters
    ----------
    answer : array_like
        A number, or an array with one or two axes of lengths up to 12.
    label : str
        The symbol that stands beside the cells.
    hints : dict of str to array_like, optional
        Typical wrong answers, of the answer's shape, by the hint that each deserves. A wrong number
        that equals the typical mistake in its cell is answered with that hint.
    question : str
        Plain text above the cells.
    values : nested list of numbers and None, optional
        What stands in the cells, of the answer's shape; None is an empty cell.

    Examples
    --------
    >>> w = AnswerGrid([[4, 8], [20, 24]], hints={"Did you forget the bias?": [[3, 7], [19, 23]]})
    >>> w.values = [[4, None], [19, None]]
    >>> w.correct
    array([[ True, False],
           [False, False]])
    """

    label = traitlets.Unicode("Y").tag(sync=True)
    question = traitlets.Unicode("").tag(sync=True)
    salt = traitlets.Unicode().tag(sync=True)
    accepted = traitlets.List().tag(sync=True)  # [row][column] -> hashes of the right numbers
    mistakes = traitlets.List().tag(sync=True)  # [{"hint": text, "accepted": hashes as above}]
    values = Cells(None).tag(sync=True)

    def __init__(self, answer, label="Y", hints=None, question="", values=None):
        self._answer = numeric_array("answer", answer)
        salt = fnv1a(f"{label}:{question}")
        mistakes = []
        for hint, wrong in (hints or {}).items():
            wrong = numeric_array("hints", wrong)
            if wrong.shape != self._answer.shape:
                raise traitlets.TraitError(
                    f"hints must have the answer's shape {self._answer.shape}; "
                    f"got shape {wrong.shape} for {hint!r}."
                )
            mistakes.append({"hint": hint, "accepted": self._hashes(salt, wrong)})
        super().__init__(
            label=label,
            question=question,
            salt=salt,
            accepted=self._hashes(salt, self._answer),
            mistakes=mistakes,
            values=values,
        )

    @staticmethod
    def _hashes(salt, array):
        """Return for each cell the sorted hashes of the numbers taken for the one in `array`."""
        return [
            [
                sorted(
                    cell_hash(salt, row, column, whole)
                    for whole in set().union(*(nearest(float(value), d) for d in DECIMALS))
                )
                for column, value in enumerate(line)
            ]
            for row, line in enumerate(np.atleast_2d(array))
        ]

    @property
    def answer(self):
        """ndarray : the right numbers; they stay in Python."""
        return self._answer.copy()

    @property
    def correct(self):
        """ndarray of bool, of the answer's shape : which cells are filled in rightly."""
        cells = np.atleast_2d(np.array(self.values, dtype=object))

        def is_right(row, column):
            value = cells[row, column]
            if value is None:
                return False
            found = cell_hash(self.salt, row, column, ten_thousandths(value))
            return found in self.accepted[row][column]

        right = [is_right(row, column) for row, column in np.ndindex(cells.shape)]
        return np.array(right).reshape(self._answer.shape)

    def plain(self):
        blank = "&emsp;" * 3
        cells = np.atleast_2d(np.array(self.values, dtype=object))
        lines = ("".join(f"<td>{blank if v is None else v}</td>" for v in line) for line in cells)
        rows = "".join(f"<tr>{line}</tr>" for line in lines)
        question = f"<p>{html.escape(self.question)}</p>" if self.question else ""
        size = f" {' × '.join(map(str, self._answer.shape))}" if self._answer.ndim else ""
        caption = f"<b>{html.escape(self.label)}</b>{size}"
        return f"{question}<div>{caption}<table><tbody>{rows}</tbody></table></div>"


def as_cells(numbers, empty):
    """Return an array as nested lists: None where `empty` says so, whole numbers as ``int``."""
    if numbers.ndim:
        return [as_cells(*part) for part in zip(numbers, empty, strict=True)]
    return None if empty else as_numbers(numbers)
