"""Checks of arguments. Every error names the argument, what was given and what is allowed."""

import math
import numbers
import operator

import numpy as np

from .arrays import get_array_module, to_numpy
from .kernels.geometry import Geometry


def integer(name, value, least, given=None):
    """Return `value` as an int that is at least `least`; booleans and floats are refused.

    `given` is the whole argument, for the message, where `value` is one entry of it.
    """
    got = f"got {value!r}" if given is None else f"got {value!r} in {given!r}"
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer of at least {least}, {got} of type {type(value).__name__}"
        ) from None
    if whole < least:
        raise ValueError(f"{name} must be an integer of at least {least}, {got}")
    return whole


def number(name, value, least, most=math.inf, open_end=False):
    """Return a real number of at least `least` and at most `most` (or below it) as a float."""
    allowed = f"a number of at least {least}"
    if most < math.inf:
        allowed += f" and {'below' if open_end else 'at most'} {most}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be {allowed}, got {value!r} of type {type(value).__name__}")
    if not (least <= value < most if open_end else least <= value <= most):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return float(value)


def generator(name, value):
    """Return the generator that is given, or that an integer begins; None begins one by chance."""
    if value is None or isinstance(value, np.random.Generator):
        return np.random.default_rng(value)
    try:
        return np.random.default_rng(integer(name, value, least=0))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}; a numpy.random.Generator or None will do, too") from None


def flag(name, value):
    """Return True or False; 1, "no" and None are neither."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be True or False, got {value!r} of type {type(value).__name__}"
        )
    return bool(value)


def entries(name, value, each="image"):
    """Return a sequence with an entry for each image (or frame) as a list."""
    if not hasattr(value, "__iter__") or isinstance(value, (str, dict)):
        raise TypeError(
            f"{name} must be a sequence with an entry for each {each}, got {value!r} of type "
            f"{type(value).__name__}"
        )
    return list(value)


def one_of(name, value, allowed):
    """Return `value`, which must be one of the allowed ones."""
    if isinstance(value, (bool, np.bool_)) or value not in tuple(allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def float_dtype(dtype):
    """Return `dtype` as a NumPy dtype that is floating point."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype must be a floating-point dtype, got {np.dtype(dtype)}")
    return np.dtype(dtype)


def pair(name, value, least=1):
    """Return an int, or a pair of ints (vertical, horizontal), as a pair; each at least `least`."""
    if not _is_sequence(value):
        return (integer(name, value, least),) * 2
    if len(value) != 2:
        raise ValueError(f"{name} must be an int or a pair (vertical, horizontal), got {value!r}")
    return tuple(integer(name, v, least, given=value) for v in value)


def padding_1d(value):
    """Return the padding of one axis, an int or (before, after), as (before, after)."""
    if not _is_sequence(value):
        return (integer("padding", value, least=0),) * 2
    if len(value) != 2:
        raise ValueError(
            f"padding of one axis must be an int or a pair (before, after), got {value!r}"
        )
    return tuple(integer("padding", v, least=0, given=value) for v in value)


def padding_2d(value):
    """Return the padding of an image as ((top, bottom), (left, right)).

    Allowed are an int for all four sides, a pair (vertical, horizontal), and
    ((top, bottom), (left, right)).
    """
    if not _is_sequence(value):
        return (padding_1d(value),) * 2
    if len(value) != 2:
        raise ValueError(
            f"padding must be an int, a pair (vertical, horizontal) or "
            f"((top, bottom), (left, right)), got {value!r}"
        )
    return tuple(padding_1d(v) for v in value)


def _is_sequence(value):
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def numeric_arrays(**named):
    """Return the array module and the arrays, lists converted; None stays None.

    Raises
    ------
    TypeError
        If NumPy and CuPy are mixed, or a dtype is not boolean, integer or real floating point.
    """
    xp = get_array_module(**named)
    arrays = []
    for name, value in named.items():
        if value is not None:
            try:
                value = xp.asarray(value)
            except ValueError:
                raise ValueError(
                    f"{name} must be an array or nested lists of equal lengths, got {value!r}"
                ) from None
            if value.dtype.kind not in "biuf":
                raise TypeError(
                    f"{name} must hold booleans, integers or real floating-point "
                    f"numbers, got dtype {value.dtype}"
                )
        arrays.append(value)
    return xp, *arrays


def axes(name, array, letters, may_be_empty=()):
    """Check that `array` has one axis for each letter, none of them empty but `may_be_empty`."""
    wanted = f"{len(letters)} axes ({', '.join(letters)})"
    given(name, array)
    if array.ndim != len(letters):
        raise ValueError(f"{name} must have {wanted}, got {array.ndim}, shape {array.shape}")
    empty = [a for a, size in zip(letters, array.shape) if size == 0 and a not in may_be_empty]
    if empty:
        raise ValueError(
            f"{name} must have {wanted} of at least 1 element each, "
            f"got {', '.join(empty)} = 0, shape {array.shape}"
        )


def given(name, array):
    """Check that an array is there at all; `numeric_arrays` lets None pass."""
    if array is None:
        raise TypeError(f"{name} must be an array, got None")


def numpy_array(name, value):
    """Return numbers as a NumPy array; what is on a GPU is copied from there."""
    _, value = numeric_arrays(**{name: value})
    given(name, value)
    return to_numpy(value)


def shape(name, array, expected):
    """Check that `array` has the shape `expected`."""
    given(name, array)
    if array.shape != expected:
        raise ValueError(f"{name} must have shape {expected}, got {array.shape}")


def image_shape(name, value):
    """Return `value` as four ints (N, C, H, W), of which only N may be 0."""
    if not _is_sequence(value) or len(value) != 4:
        raise ValueError(f"{name} must be four ints (N, C, H, W), got {value!r}")
    return tuple(integer(name, v, least=min(i, 1), given=value) for i, v in enumerate(value))


def window_counts(size, kernel, stride, padding, dilation=(1, 1), name="kernel_size"):
    """Return how many windows fit along each axis, with the floor.

    Parameters
    ----------
    size, kernel, stride, dilation : sequences of int, one for each axis
    padding : sequence of (before, after), one for each axis
    name : str
        The argument that the kernel came from, for the message.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded input.
    """
    padded = [n + sum(p) for n, p in zip(size, padding)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    if any(r > n for r, n in zip(reach, padded)):
        spread = "" if reach == list(kernel) else f", spread by dilation to {_by(reach)},"
        raise ValueError(
            f"{name} must not be larger than the padded input, which is {_by(padded)}"
            f" (padding included), got a kernel of {_by(kernel)}{spread}"
        )
    return tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride))


def _by(sizes):
    return " × ".join(str(n) for n in sizes)


def sliding_windows(x, kernel_size, stride, padding):
    """Check what im2col and pooling take.

    Returns
    -------
    xp, x, geometry
    """
    xp, x = numeric_arrays(x=x)
    axes("x", x, "NCHW", may_be_empty="N")
    kernel, stride = pair("kernel_size", kernel_size), pair("stride", stride)
    padding = padding_2d(padding)
    counts = window_counts(x.shape[2:], kernel, stride, padding)
    return xp, x, Geometry(kernel, counts, stride, padding)


def convolution(x, f, b, stride, padding, dilation, groups):
    """Check what a convolution takes.

    Returns
    -------
    xp, x, f, b, geometry
    """
    xp, x, f, b = numeric_arrays(x=x, f=f, b=b)
    axes("x", x, "NCHW", may_be_empty="N")
    axes("f", f, ("OC", "C // groups", "FH", "FW"))
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    padding, groups = padding_2d(padding), integer("groups", groups, least=1)
    c, oc, filter_c = x.shape[1], f.shape[0], f.shape[1]
    if c % groups or oc % groups:
        raise ValueError(
            f"groups must divide both the {c} channels of x and the {oc} filters of f, got {groups}"
        )
    if filter_c * groups != c:
        raise ValueError(
            f"f must have C // groups = {c} // {groups} = {c // groups} channels per "
            f"filter, got {filter_c} (x has shape {x.shape}, f {f.shape})"
        )
    if b is not None:
        shape("b", b, (oc,))
    counts = window_counts(x.shape[2:], f.shape[2:], stride, padding, dilation, name="f")
    return xp, x, f, b, Geometry(f.shape[2:], counts, stride, padding, dilation, groups)


def transposed_convolution(x, f, b, stride, padding, output_padding, groups):
    """Check what a transposed convolution takes.

    Returns
    -------
    xp, x, f, b
    geometry : of the convolution that it turns round, which makes x from the output
    (N, OC, OH, OW) : the shape of the output
    """
    xp, x, f, b = numeric_arrays(x=x, f=f, b=b)
    axes("x", x, "NCHW", may_be_empty="N")
    axes("f", f, ("C", "OC // groups", "FH", "FW"))
    stride, padding = pair("stride", stride), padding_2d(padding)
    extra = pair("output_padding", output_padding, least=0)
    groups, (n, c), oc = integer("groups", groups, least=1), x.shape[:2], f.shape[1]
    if f.shape[0] != c:
        raise ValueError(
            f"f must have as many filters as x has channels, {c}, got {f.shape[0]} "
            f"(x has shape {x.shape}, f {f.shape})"
        )
    if c % groups:
        raise ValueError(f"groups must divide the {c} channels of x, got {groups}")
    if any(e >= s for e, s in zip(extra, stride)):
        raise ValueError(f"output_padding must be less than the stride {stride}, got {extra}")
    if b is not None:
        shape("b", b, (oc * groups,))
    size = [
        (h - 1) * s - sum(p) + k + e
        for h, s, p, k, e in zip(x.shape[2:], stride, padding, f.shape[2:], extra)
    ]
    if min(size) < 1:
        raise ValueError(
            f"padding must leave at least 1 × 1 of the output, got {padding}, which "
            f"leaves {_by(size)}"
        )
    geometry = Geometry(f.shape[2:], x.shape[2:], stride, padding, groups=groups)
    return xp, x, f, b, geometry, (n, oc * groups, *size)


def pooling_gradient(dy, x, kernel_size, stride, padding):
    """Check what the gradient of a pooling takes.

    Returns
    -------
    xp, dy, x, geometry
    """
    xp, dy, x = numeric_arrays(dy=dy, x=x)
    stride = kernel_size if stride is None else stride
    xp, x, geometry = sliding_windows(x, kernel_size, stride, padding)
    shape("dy", dy, (*x.shape[:2], *geometry.counts))
    return xp, dy, x, geometry


def normalisation(eps, **arrays):
    """Check what batch normalisation takes: x and dy (N, C, H, W), all others (C,), and eps.

    Returns
    -------
    The array module, and the arrays in the order given.
    """
    xp, *checked = numeric_arrays(**arrays)
    arrays = dict(zip(arrays, checked))
    axes("x", arrays["x"], "NCHW")
    for name, array in arrays.items():
        shape(name, array, arrays["x"].shape if name in ("x", "dy") else arrays["x"].shape[1:2])
    number("eps", eps, least=0)
    return xp, *checked


def classification(scores, labels):
    """Check scores (N, K) and labels, (N,) ints from 0 to K - 1 or (N, K) probabilities.

    Returns
    -------
    xp, scores, labels
    """
    xp, scores, labels = numeric_arrays(scores=scores, labels=labels)
    axes("scores", scores, "NK")
    n, k = scores.shape
    if labels.shape not in ((n,), (n, k)):
        raise ValueError(
            f"labels must have shape {(n,)} (ints) or {(n, k)} (probabilities), got {labels.shape}"
        )
    if labels.ndim == 1:
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels of shape {(n,)} must be integers, got dtype {labels.dtype}")
        class_numbers("labels", labels, k)
    return xp, scores, labels


def whole_numbers(name, values):
    """Check that an array holds integers or booleans; an empty one may be of any dtype."""
    if values.size and values.dtype.kind not in "iub":
        raise TypeError(f"{name} must be integers, got dtype {values.dtype}")


def no_nan(name, values):
    """Check that an array (R, ...) holds no NaN."""
    if values.dtype.kind == "f":
        wrong = get_array_module(values).isnan(values).any(axis=tuple(range(1, values.ndim)))
        if bool(wrong.any()):
            raise ValueError(
                f"{name} must be numbers, got NaN in {int(wrong.sum())} of {len(values)}"
            )


def class_numbers(name, values, classes=None):
    """Check that the values of an array are ints from 0 to classes - 1, or from 0 on."""
    if values.size == 0:
        return
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got dtype {values.dtype}")
    low, high = int(values.min()), int(values.max())
    if classes == 0:
        raise ValueError(f"{name} must be empty, as there is nothing to name, got {low} to {high}")
    if low < 0 and classes is None:
        raise ValueError(f"{name} must be from 0 on, got {low} to {high}")
    if low < 0 or (classes is not None and high >= classes):
        raise ValueError(f"{name} must be from 0 to {classes - 1}, got {low} to {high}")


def at_most_half(padding, kernel):
    """Check that max pooling pads by at most half the kernel, so no window is all padding."""
    for sides, k in zip(padding, kernel):
        if max(sides) > k // 2:
            raise ValueError(
                f"padding of max pooling must be at most half of kernel_size, "
                f"here {k} // 2 = {k // 2}, got {max(sides)} in {padding}"
            )
