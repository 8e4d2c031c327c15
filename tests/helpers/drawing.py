"""Arguments of the functional layer, drawn by hypothesis, and arrays in every order of memory."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import settings

# What a result may differ by from the exact one, relative to its magnitude.
TOLERANCE = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-10}
FLOATS = ("float32", "float64")
INTEGERS = ("bool", "int8", "uint8", "int32", "uint32", "int64")
ORDERS = ("C", "F", "channels-last", "every other", "reversed", "read-only")


def examples(count):
    """Return hypothesis's settings for so many examples, the same ones every time.

    The profile "quick" takes a quarter of them.
    """
    share = settings.default.max_examples / 100
    return settings(deadline=None, derandomize=True, max_examples=max(1, round(count * share)))


def small(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def arranged(x, order):
    """Return an array equal to x, laid out in memory in another way."""
    if order == "F":
        return np.asfortranarray(x)
    if order == "channels-last":
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if order == "every other":
        roomy = np.zeros([2 * size for size in x.shape], x.dtype)
        roomy[::2, ::2, ::2, ::2] = x
        return roomy[::2, ::2, ::2, ::2]
    if order == "reversed":
        return x[::-1, ::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1, ::-1]
    x = x.copy()
    x.flags.writeable = order != "read-only"
    return x


def random_array(rng, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    # A sum of 81 products of 28-bit numbers is beyond float64's 53 bits and within int64's 63.
    info = np.iinfo(dtype)
    return rng.integers(max(info.min, -(2**28)), min(info.max, 2**28), shape, dtype, endpoint=True)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
sides = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def geometries(draw, dilations=pairs, paddings=sides):
    """Draw (H, W), (FH, FW), stride, padding and dilation such that the kernel fits."""
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(dilations)
    padding = (draw(paddings), draw(paddings))
    size = []
    for k, d, sides_ in zip(kernel, dilation, padding):
        least = max(1, d * (k - 1) + 1 - sum(sides_))
        size.append(draw(st.integers(least, least + 5)))
    return tuple(size), kernel, stride, padding, dilation


@st.composite
def convolutions(draw, dtypes=FLOATS):
    """Draw the arguments of conv2d, and a size of its blocks."""
    size, kernel, stride, padding, dilation = draw(geometries())
    groups = draw(st.integers(1, 3))
    n, oc = draw(st.integers(0, 3)), groups * draw(st.integers(1, 3))
    c = draw(st.sampled_from((1, 2, 3, 7, 8, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = random_array(rng, (n, groups * c, *size), draw(st.sampled_from(dtypes)))
    f = random_array(rng, (oc, c, *kernel), draw(st.sampled_from(dtypes)))
    b = random_array(rng, oc, draw(st.sampled_from(dtypes))) if draw(st.booleans()) else None
    x, f = (arranged(a, draw(st.sampled_from(ORDERS))) for a in (x, f))
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return x, f, b, arguments, draw(st.sampled_from((1, 2_000, 20_000, 500_000)))


@st.composite
def poolings(draw, dtypes=FLOATS, half=False):
    """Draw the arguments of a pooling function; with `half`, padding up to half the kernel."""
    size, kernel, stride, padding, _ = draw(geometries(dilations=st.just((1, 1))))
    if half:
        padding = tuple(
            (draw(st.integers(0, k // 2)), draw(st.integers(0, k // 2))) for k in kernel
        )
        size = tuple(max(s, k) for s, k in zip(size, kernel))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = random_array(
        rng,
        (draw(st.integers(0, 3)), draw(st.integers(1, 9)), *size),
        draw(st.sampled_from(dtypes)),
    )
    return arranged(x, draw(st.sampled_from(ORDERS))), kernel, stride, padding
