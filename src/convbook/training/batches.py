"""Mini-batches in a random order, changed at random if wanted.

    for inputs, targets in MiniBatches(x, y, batch_size=50, seed=0):
        ...

Each time they are gone through, the order is a new one.
"""

import inspect
import math

from .. import checks
from ..arrays import get_array_module
from .checks import data

TWO_WAYS = "a function of (x_batch, rng), or of (x_batch, y_batch, rng) to change the targets too"


class MiniBatches:
    """All inputs and targets once, in mini-batches and in a new order each time.

    Parameters
    ----------
    x, y : array (N, ...)
        NumPy or CuPy.
    batch_size : int
        At most N. The last mini-batch may be smaller.
    seed : int or numpy.random.Generator
        Draws the order, and apart from it what `augment` does.
    augment : function(x_batch, rng) or function(x_batch, y_batch, rng), optional
        See `augmented`.
    move : function(array), optional
        Takes an array to where it is needed, such as `convbook.arrays.to_gpu`.

    Raises
    ------
    TypeError, ValueError
        If the arguments don't fit each other.
    """

    def __init__(self, x, y, batch_size=100, seed=0, augment=None, move=None):
        self.x, self.y = data("x", x, "y", y)
        self.batch_size = checks.integer("batch_size", batch_size, least=1)
        if self.batch_size > len(self.x):
            raise ValueError(
                f"batch_size must be at most the number of inputs, {len(self.x)}, got {batch_size}"
            )
        self.augment, self.changes_targets = augment, changes_targets(augment)
        self.move = move
        self._shuffling, self._augmenting = checks.generator("seed", seed).spawn(2)

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __iter__(self):
        order = self._shuffling.permutation(len(self.x))
        x_order = get_array_module(self.x).asarray(order)  # an index lives where its array does
        y_order = get_array_module(self.y).asarray(order)
        for start in range(0, len(self.x), self.batch_size):
            batch = slice(start, start + self.batch_size)
            inputs, targets = augmented(
                self.augment,
                self.changes_targets,
                self.x[x_order[batch]],
                self.y[y_order[batch]],
                self._augmenting,
            )
            yield (
                (inputs, targets) if self.move is None else (self.move(inputs), self.move(targets))
            )

    def __repr__(self):
        return f"MiniBatches({len(self)} of {self.batch_size} of {len(self.x)} inputs)"


def augmented(augment, both, x, y, rng):
    """Return inputs and targets as `augment` changes them at random.

    Parameters
    ----------
    augment : function or None
        A function of (x_batch, rng) returns the new inputs. One of (x_batch, y_batch, rng) returns
        the pair of new inputs and targets: a mask that is turned with its image, boxes that are
        flipped, labels that are mixed. Both arrays are copies, of the kind and dtype of the data.
    both : bool
        Which of the two it is; `changes_targets` tells.
    x, y : array (n, ...)
    rng : numpy.random.Generator
    """
    if augment is None:
        return x, y
    if both:
        pair = augment(x, y, rng)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                "augment(x_batch, y_batch, rng) must return the pair of new inputs and "
                f"new targets, got {type(pair).__name__}"
            )
        new_x, new_y = pair
    else:
        new_x, new_y = augment(x, rng), y
        if isinstance(new_x, (tuple, list)):
            raise TypeError(
                "augment(x_batch, rng) must return the new inputs, an array, got "
                f"{type(new_x).__name__}; to change the targets too, it must be a "
                "function of (x_batch, y_batch, rng)"
            )
    for name, new in (("images", new_x), ("targets", new_y)):
        if not hasattr(new, "shape"):
            raise TypeError(f"augment must return {name} in an array, got {type(new).__name__}")
        if len(new) != len(x):
            raise ValueError(
                f"augment must return as many {name} as it is given, {len(x)}, got {len(new)}"
            )
    return new_x, new_y


def changes_targets(augment):
    """Whether `augment` is a function of (x, y, rng), not of (x, rng).

    That is seen from how many arguments it takes. Where it takes two as well as three, because the
    last has a default, it is seen from which of them is called `rng`.
    """
    if augment is None:
        return False
    if not callable(augment):
        raise TypeError(f"augment must be {TWO_WAYS}, got {augment!r}")
    try:
        signature = inspect.signature(augment)
    except ValueError:  # some that are written in C tell nothing
        return False
    two, three = (takes(signature, count) for count in (2, 3))
    if two and three:
        names = list(signature.parameters)
        if len(names) > 1 and names[1] == "rng":
            return False
        if len(names) > 2 and names[2] == "rng":
            return True
    if two == three:
        raise TypeError(f"augment must be {TWO_WAYS}, got one of {signature}")
    return three


def takes(signature, count):
    """Whether a function can be called with so many arguments."""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
