"""GradientCheckFigure: how wrong a numerical derivative is, for steps from 1 down to 1e-16."""

import math

import numpy as np
import traitlets

from .base import BookWidget

# The steps 1, 0.5, 0.2, 0.1, … 1e-16: written with one digit, so that every program reads the same.
STEPS = np.array([1.0] + [float(f"{digit}e-{k}") for k in range(1, 17) for digit in (5, 2, 1)])

TYPES = {"float32": np.float32, "float64": np.float64}


# Each function takes x and a type, and rounds to that type after every operation. The elementary
# functions themselves are evaluated in double precision first, as in the browser.
def _cube(x, rounded):
    return rounded(rounded(x * x) * x)


def _sin(x, rounded):
    return rounded(math.sin(x))


def _exp(x, rounded):
    return rounded(math.exp(x))


def _softplus(x, rounded):
    return rounded(math.log1p(rounded(math.exp(x))))


# name: (function, point, derivative there, how it is written)
FUNCTIONS = {
    "cube": (_cube, 1.5, 3 * 1.5**2, "x³"),
    "sin": (_sin, 1.0, math.cos(1.0), "sin x"),
    "exp": (_exp, 1.0, math.exp(1.0), "eˣ"),
    "softplus": (_softplus, 0.5, 1 / (1 + math.exp(-0.5)), "log(1 + eˣ)"),
}


def _quotients(f, x, step, rounded):
    """Return the forward and the central difference quotient, computed throughout in one type."""
    x, step = rounded(x), rounded(step)
    up, here, down = f(rounded(x + step), rounded), f(x, rounded), f(rounded(x - step), rounded)
    return rounded(up - here) / step, rounded(up - down) / rounded(2 * step)


class GradientCheckFigure(BookWidget, module="gradient_check.js"):
    """See how the error of a numerical derivative falls as its step shrinks, and rises again.

    With the step δ, a forward difference is (f(x + δ) − f(x)) / δ, a central one
    (f(x + δ) − f(x − δ)) / 2δ. While δ is large, the formula's own error (truncation) rules: it
    falls like δ or like δ². When δ is small, rounding rules: its part grows like 1/δ.

    Parameters
    ----------
    function : {"cube", "sin", "exp", "softplus"}
        x³ at 1.5, sin x and eˣ at 1, log(1 + eˣ) at 0.5.
    precision : {"float64", "float32"}
        The type in which everything is computed.
    step : float
        The step δ that is marked and written out, from 1e-16 to 1.

    Examples
    --------
    >>> w = GradientCheckFigure(step=0.5)
    >>> w.quotients  # the derivative of x³ at 1.5 is 6.75
    (9.25, 7.0)
    """

    function = traitlets.Enum(list(FUNCTIONS), "cube").tag(sync=True)
    precision = traitlets.Enum(list(TYPES), "float64").tag(sync=True)
    step = traitlets.Float(1e-3).tag(sync=True)

    @traitlets.validate("step")
    def _check_step(self, proposal):
        step = proposal["value"]
        if not STEPS[-1] <= step <= STEPS[0]:
            raise traitlets.TraitError(f"step must be a number from 1e-16 to 1; got {step!r}.")
        return step

    def _quotients_at(self, step):
        f, x, _, _ = FUNCTIONS[self.function]
        return _quotients(f, x, step, TYPES[self.precision])

    @property
    def derivative(self):
        """float : the true derivative, from its formula."""
        return FUNCTIONS[self.function][2]

    @property
    def quotients(self):
        """tuple of float : the forward and the central difference quotient at the step."""
        return tuple(float(q) for q in self._quotients_at(self.step))

    @property
    def errors(self):
        """dict of ndarray, shape (49,) : "step", and there the errors "forward", "central"."""
        quotients = np.array([self._quotients_at(step) for step in STEPS], dtype=float)
        forward, central = np.abs(quotients - self.derivative).T / abs(self.derivative)
        return {"step": STEPS.copy(), "forward": forward, "central": central}

    def plain(self):
        _, x, _, written = FUNCTIONS[self.function]
        lines = zip(*(column[::3] for column in self.errors.values()), strict=True)
        rows = "".join(
            f"<tr><td>{step:.0e}</td><td>{forward:.0e}</td><td>{central:.0e}</td></tr>"
            for step, forward, central in lines
        )
        head = "<tr><th>δ</th><th>forward</th><th>central</th></tr>"
        caption = f"Relative error of the derivative of {written} at {x:g}, in {self.precision}"
        return f"<div>{caption}<table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"
