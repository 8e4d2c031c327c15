"""Is a gradient right? Compare it with numerical differentiation, which needs no derivation at all.

The derivative of f along one element of x is about (f(x + δ) - f(x - δ)) / 2δ with a small step δ.
Its error has two parts: the formula's own, which grows as δ², and that of rounding, which grows as
1/δ and comes to about 1e-11 of f here. So everything is computed in float64, with δ = 1e-5, where
both are small.

At a kink there is no derivative. If a ReLU's input or the difference of two candidates for a
maximum lies within δ of 0, then numerical differentiation averages the slopes on both sides, while
`backward` returns one of them; neither is wrong. Random inputs hardly ever come so close. The
report names such a place when it finds one.
"""

import copy
from dataclasses import dataclass

import numpy as np

from ..arrays import as_tuple, to_numpy

# Gradients smaller than this throughout are compared by their difference alone: a gradient that
# is zero (the bias in front of a batch normalisation) comes out as 1e-11 or so.
SMALL = 1e-3


def numerical_gradient(f, x, step=1e-5):
    """Return the gradient of f at x by central differences, (f(x + δ) - f(x - δ)) / 2δ.

    Parameters
    ----------
    f : function of an array, returning one number
        Called twice for each element of x, always with the same array, of which it may keep no
        part. It must return the same number for the same x.
    x : array of any shape
        Not changed; f gets a copy in float64.
    step : float
        The step δ.

    Returns
    -------
    array, float64, shape of x
    """
    x = np.array(x, np.float64)
    return _central_differences(lambda: f(x), x, step)


def _central_differences(f, x, step):
    """Return the gradient of f(), a function of the array x, which is changed and restored."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        up, down = _shifted(f, x, index, step), _shifted(f, x, index, -step)
        gradient[index] = (up - down) / (2 * step)
    return gradient


def _shifted(f, x, index, step):
    """Return f() with the step added to one element of x."""
    original = x[index]
    x[index] = original + step
    value = float(f())
    x[index] = original
    return value


def relative_error(a, b):
    """Return the largest difference of two arrays, relative to their largest element, and where.

    max |a - b| / max(|a| + |b|), in which the denominator is at least `SMALL`. Relative to the
    largest element of all, because small elements carry the rounding errors of large ones.

    Returns
    -------
    float, tuple
        The error (NaN if there is a NaN), and the index at which a and b differ most.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    difference = np.abs(a - b)
    where = np.unravel_index(np.argmax(difference), a.shape)
    scale = max((np.abs(a) + np.abs(b)).max(), SMALL)
    return float(difference[where] / scale), tuple(int(i) for i in where)


@dataclass
class Comparison:
    """One array's gradient, computed in two ways.

    Attributes
    ----------
    name : str
        "x" ("x0", "x1", … if there are several inputs), or the name of the parameter.
    shape : tuple
    error : float
        As `relative_error` defines it.
    index : tuple
        Where the two differ most.
    backward, numerical : float
        The two values there.
    left, right : float
        The slopes on both sides of that place; at a kink they differ.
    """

    name: str
    shape: tuple
    error: float
    index: tuple
    backward: float
    numerical: float
    left: float
    right: float

    @property
    def kink(self):
        """Whether the slopes on both sides differ by more than smoothness explains."""
        return abs(self.right - self.left) > 0.01 * max(abs(self.left) + abs(self.right), 0.1)


@dataclass
class Report:
    """The result of `check_layer`; prints as a table.

    Attributes
    ----------
    layer : str
    comparisons : list of Comparison
        Those of the inputs first, then those of the parameters.
    tolerance, step : float
    """

    layer: str
    comparisons: list
    tolerance: float
    step: float

    @property
    def ok(self):
        """Whether every relative error is below the tolerance."""
        return all(c.error < self.tolerance for c in self.comparisons)

    def __getitem__(self, name):
        return next(c for c in self.comparisons if c.name == name)

    def __str__(self):
        verdict = "agrees with" if self.ok else "DIFFERS from"
        table = [("array", "shape", "relative error", "worst at", "backward", "numerical")]
        table += [
            (
                c.name,
                str(c.shape),
                f"{c.error:.1e}",
                str(list(c.index)),
                f"{c.backward:.6g}",
                f"{c.numerical:.6g}",
            )
            for c in self.comparisons
        ]
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = [
            f"{self.layer}: backward {verdict} numerical differentiation "
            f"(step {self.step:g}, tolerance {self.tolerance:g})"
        ]
        lines += [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in table
        ]
        lines += [
            f"At {list(c.index)} of {c.name} is a kink: the slope is {c.left:.4g} on the "
            f"left and {c.right:.4g} on the right. There is no derivative to compare with; "
            f"choose another x."
            for c in self.comparisons
            if c.error >= self.tolerance and c.kink
        ]
        return "\n".join(lines)

    __repr__ = __str__


def _in_float64(array, keep_integers=False):
    """Return a copy in float64; integers, if they are indices and the like, as they are."""
    array = to_numpy(array)
    return np.array(array, None if keep_integers and array.dtype.kind != "f" else np.float64)


def check_layer(layer, x, dy=None, step=1e-5, tolerance=1e-6):
    """Compare all gradients of a layer with numerical differentiation in float64.

    What is differentiated is E = Σ y · dy, whose gradient with respect to y is dy. Copies of the
    layer do the work, in float64, so that the layer itself is not changed, running statistics
    included. Each copy draws the same random numbers if the layer's generator is its own: so
    `Dropout` is checked with a fixed mask.

    Parameters
    ----------
    layer : Layer
        Two forward passes are made for each element of x and of each parameter: keep it small.
    x : array, or a tuple of several
        The inputs; they are called "x", or "x0", "x1" and so on. Integers are not differentiated
        by, and stay as they are.
    dy : array in the shape of the output, or a tuple, optional
        Random numbers if not given.
    step, tolerance : float

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If two copies of the layer give different outputs for the same x, or backward leaves out a
        gradient or gives one of the wrong shape.
    """
    layer = copy.deepcopy(layer).to_cpu().astype(np.float64)
    several = isinstance(x, tuple)
    xs = [_in_float64(a, keep_integers=several) for a in as_tuple(x)]
    names = [f"x{i}" for i in range(len(xs))] if several else ["x"]
    for name, a in zip(names, xs):
        if a.size == 0:
            raise ValueError(f"{name} must not be empty, got shape {a.shape}")

    def outputs():
        return as_tuple(copy.deepcopy(layer).forward(*(a.copy() for a in xs)))

    ys = outputs()
    if not all(np.array_equal(y, again, equal_nan=True) for y, again in zip(ys, outputs())):
        raise ValueError(
            f"{layer}: forward gives another result each time; its random numbers "
            "must come from a generator that the layer holds"
        )
    if dy is None:
        # A seed that nobody chooses: if dy were x itself, many errors would cancel out.
        rng = np.random.default_rng(5_417_232)
        dys = [rng.standard_normal(y.shape) for y in ys]
    else:
        dys = [_in_float64(a) for a in as_tuple(dy)]

    worker = copy.deepcopy(layer)
    worker.forward(*(a.copy() for a in xs))
    dxs = as_tuple(worker.backward(*(a.copy() for a in dys)))
    gradients = dict(zip(names, dxs)) | worker.grads
    arrays = {name: a for name, a in zip(names, xs) if a.dtype.kind == "f"} | layer.params
    for name, array in arrays.items():
        if name not in gradients or np.shape(gradients[name]) != array.shape:
            got = np.shape(gradients[name]) if name in gradients else "none"
            raise ValueError(
                f"{layer}: backward must give a gradient of {name} of shape "
                f"{array.shape}, got {got}"
            )

    def loss():
        return sum(
            (y[dy != 0] * dy[dy != 0]).sum()  # 0 times an infinite output would be NaN
            for y, dy in zip(outputs(), dys)
            if y.dtype.kind == "f"
        )

    comparisons = []
    for name, array in arrays.items():
        numerical = _central_differences(loss, array, step)
        worst, index = relative_error(gradients[name], numerical)
        here = float(loss())
        right = (_shifted(loss, array, index, step) - here) / step
        left = (here - _shifted(loss, array, index, -step)) / step
        comparisons.append(
            Comparison(
                name,
                array.shape,
                worst,
                index,
                float(gradients[name][index]),
                float(numerical[index]),
                left,
                right,
            )
        )
    name = type(layer).__name__ if layer.children else repr(layer)
    return Report(name, comparisons, tolerance, step)
