"""What every explorer is made of: state, drawing in an ES module, and a static form for pages."""

import html
import json

import numpy as np
import traitlets

from convbook.functional import output_size

from .host import AnyWidget, repr_mimebundle


def as_numbers(array):
    """Return an array as nested lists, whole numbers as ``int`` (short and exact in JSON)."""
    array = np.asarray(array)
    if array.ndim:
        return [as_numbers(part) for part in array]
    value = float(array)
    return int(value) if value.is_integer() else value


class Numbers(traitlets.TraitType):
    """A trait that holds a matrix (or a stack of matrices) of finite numbers as nested lists.

    Parameters
    ----------
    ndim : int
        Number of axes.
    largest : tuple of int
        Largest allowed length of each axis.
    """

    def __init__(self, default, ndim=2, largest=(8, 8), **kwargs):
        self.ndim, self.largest = ndim, largest
        super().__init__(default_value=as_numbers(default), **kwargs)

    def make_dynamic_default(self):
        return as_numbers(self.default_value)  # a fresh list for each widget

    def validate(self, obj, value):
        lengths = " and ".join(map(str, self.largest))
        wanted = f"numbers with {self.ndim} axes of lengths 1 to {lengths}"
        try:
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise traitlets.TraitError(f"{self.name} must be {wanted}; got {value!r}.") from None
        if array.ndim != self.ndim or not all(
            1 <= size <= most for size, most in zip(array.shape, self.largest, strict=True)
        ):
            raise traitlets.TraitError(
                f"{self.name} must be {wanted}; got an array of shape {array.shape}."
            )
        if not np.isfinite(array).all():
            raise traitlets.TraitError(
                f"{self.name} must hold finite numbers; got NaN or infinity."
            )
        return as_numbers(array)


class Whole(traitlets.TraitType):
    """A trait that holds a whole number from ``low`` to ``high``."""

    def __init__(self, default, low, high, **kwargs):
        self.low, self.high = low, high
        super().__init__(default_value=default, **kwargs)

    def validate(self, obj, value):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not self.low <= value <= self.high:
            raise traitlets.TraitError(
                f"{self.name} must be a whole number from {self.low} to {self.high}; got {value!r}."
            )
        return int(value)


class Real(traitlets.TraitType):
    """A trait that holds a finite number, from ``low`` to ``high`` where these are given."""

    def __init__(self, default, low=None, high=None, **kwargs):
        self.low, self.high = low, high
        super().__init__(default_value=float(default), **kwargs)

    def validate(self, obj, value):
        real = isinstance(value, (int, float, np.integer, np.floating))
        fits = real and not isinstance(value, bool) and np.isfinite(value)
        if (
            not fits
            or (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
        ):
            limits = "" if self.low is None else f" from {self.low:g} to {self.high:g}"
            raise traitlets.TraitError(
                f"{self.name} must be a finite number{limits}; got {value!r}."
            )
        return float(value)


class BookWidget(AnyWidget):
    """A live figure: in Jupyter an ipywidget, on a page a ``div`` that a script brings to life.

    A subclass names its ES module, ``class Explorer(BookWidget, module="explorer.js")``, declares
    its state as traits tagged ``sync=True``, and writes ``plain()``: the figure as HTML tables for
    where no script runs.
    """

    def __init_subclass__(cls, module=None, **kwargs):
        if module:  # traitlets makes subclasses of its own, without one
            cls.module = module
        super().__init_subclass__(**kwargs)

    @property
    def state(self):
        """dict : the values that the figure shows, by trait name."""
        own = set(self.class_traits(sync=True)) - set(AnyWidget.class_traits())
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def plain(self):
        """Return the figure as plain HTML, without any script."""
        raise NotImplementedError

    def static_html(self):
        """Return the HTML that stands for the widget on a page: its state, and its plain form."""
        state = html.escape(json.dumps(self.state, sort_keys=True), quote=True)
        return (
            f'<div class="convbook-widget" data-module="{self.module}" data-state="{state}">\n'
            f'<div class="cb-plain">{self.plain()}</div>\n</div>'
        )

    def __repr__(self):
        # Stable from run to run: the inherited form holds an address in memory.
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **kwargs):
        bundle = repr_mimebundle(model_id=self.model_id, repr_text=repr(self))
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return self.in_two({**data, "text/html": self.static_html()}), metadata


def table(symbol, values):
    """Return a matrix as a captioned HTML table, for `BookWidget.plain`."""
    values = np.atleast_2d(values)
    rows = "".join(
        "<tr>" + "".join(f"<td>{as_numbers(np.round(v, 4))}</td>" for v in row) + "</tr>"
        for row in values
    )
    caption = f"<b>{html.escape(symbol)}</b> {values.shape[0]} × {values.shape[1]}"
    return f"<div>{caption}<table><tbody>{rows}</tbody></table></div>"


def refit(values, shape):
    """Return a matrix cut, or filled up with ones, to `shape`; unchanged if that is impossible."""
    if min(shape) < 1:
        return as_numbers(values)
    values = np.asarray(values)[: shape[0], : shape[1]]
    missing = [(0, size - have) for size, have in zip(shape, values.shape, strict=True)]
    return as_numbers(np.pad(values, missing, constant_values=1))


def output_shape(shape, kernel, stride, padding=0):
    """Return (OH, OW), or (0, 0) when the window does not fit into the padded input."""
    try:
        return tuple(output_size(n, k, stride, padding) for n, k in zip(shape, kernel, strict=True))
    except ValueError:
        return 0, 0
