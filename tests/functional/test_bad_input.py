"""Bad input: the error's type, and that it names the argument, the value and what is allowed."""

import numpy as np
import pytest

from convbook.functional import avg_pool2d, col2im, conv2d, im2col, max_pool2d, output_size
from helpers.refusing import refused

X = np.zeros((2, 4, 6, 6))
F = np.zeros((3, 4, 3, 3))
POOLS = (max_pool2d, avg_pool2d)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((6, 6)),
        np.zeros((4, 6, 6)),
        np.zeros((1, 2, 4, 6, 6)),
        np.zeros(()),
        3.0,
        [[1, 2], [3, 4]],
    ],
)
def test_wrong_number_of_axes_of_x(x):
    parts = ["x must have 4 axes", "(N, C, H, W)", f"got {np.ndim(x)}", str(np.shape(x))]
    refused(ValueError, parts, conv2d, x, F)
    for function in (im2col, *POOLS):
        refused(ValueError, parts, function, x, 2)


def test_wrong_number_of_axes_of_f_b_and_cols():
    refused(ValueError, ["f must have 4 axes", "FH, FW", "got 2", "(3, 3)"], conv2d, X, F[0, 0])
    refused(ValueError, ["b must have shape (3,)", "got (3, 1)"], conv2d, X, F, np.zeros((3, 1)))
    refused(ValueError, ["b must have shape (3,)", "got ()"], conv2d, X, F, 1.0)
    refused(
        ValueError,
        ["cols must have shape (32, 36)", "got (32, 4, 3, 3)"],
        col2im,
        np.zeros((32, 4, 3, 3)),
        X.shape,
        3,
    )


@pytest.mark.parametrize(
    "shape, empty", [((2, 0, 6, 6), "C"), ((2, 4, 0, 6), "H"), ((2, 4, 6, 0), "W")]
)
def test_only_the_batch_may_be_empty(shape, empty):
    parts = ["x must have 4 axes", "at least 1", f"{empty} = 0", str(shape)]
    refused(ValueError, parts, conv2d, np.zeros(shape), F, None, 1, 3)
    for function in (im2col, *POOLS):
        refused(ValueError, parts, function, np.zeros(shape), 3, 1, 1)
    refused(ValueError, ["f must have 4 axes", "at least 1", "OC = 0"], conv2d, X, F[:0])


def test_channels_that_do_not_match():
    refused(
        ValueError,
        ["f must have", "4 channels", "got 3", "(2, 4, 6, 6)"],
        conv2d,
        X,
        np.zeros((3, 3, 3, 3)),
    )
    refused(
        ValueError,
        ["f must have", "4 // 2 = 2 channels", "got 4"],
        conv2d,
        X,
        np.zeros((6, 4, 3, 3)),
        groups=2,
    )
    refused(ValueError, ["b must have shape (3,)", "got (4,)"], conv2d, X, F, np.zeros(4))


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_groups_that_do_not_divide(groups):
    refused(
        ValueError,
        ["groups must divide", "4 channels of x", "3 filters of f", f"got {groups}"],
        conv2d,
        X,
        np.zeros((3, 1, 3, 3)),
        groups=groups,
    )


@pytest.mark.parametrize("name", ["stride", "dilation", "groups", "kernel_size"])
@pytest.mark.parametrize(
    "value, error",
    [
        (0, ValueError),
        (-1, ValueError),
        (1.0, TypeError),
        (2.5, TypeError),
        (True, TypeError),
        (np.True_, TypeError),
        ("2", TypeError),
        (np.float64(2), TypeError),
        (1j, TypeError),
    ],
)
def test_integers_of_at_least_one(name, value, error):
    parts = [f"{name} must be an integer of at least 1", f"got {value!r}"]
    if error is TypeError:
        parts.append(f"of type {type(value).__name__}")
    calls = [] if name == "kernel_size" else [(conv2d, (X, F), {name: value})]
    if name in ("stride", "kernel_size"):
        arguments = {"kernel_size": 2, name: value}
        calls += [(function, (X,), arguments) for function in (im2col, *POOLS)]
        calls += [(col2im, (np.zeros((50, 36)), X.shape), arguments)]
        calls += [(output_size, (6,), arguments)]
    for function, positional, named in calls:
        refused(error, parts, function, *positional, **named)


@pytest.mark.parametrize("name", ["stride", "dilation"])
def test_pairs_are_checked_entry_by_entry(name):
    refused(ValueError, [name, "at least 1", "got 0 in (1, 0)"], conv2d, X, F, **{name: (1, 0)})
    refused(
        TypeError,
        [name, "integer", "got 1.5 in [1.5, 1]", "float"],
        conv2d,
        X,
        F,
        **{name: [1.5, 1]},
    )
    refused(
        ValueError,
        [name, "an int or a pair (vertical, horizontal)", "got (1, 2, 3)"],
        conv2d,
        X,
        F,
        **{name: (1, 2, 3)},
    )
    refused(ValueError, [name, "an int or a pair", "got ()"], conv2d, X, F, **{name: ()})


def test_stride_must_be_given_a_number():
    refused(TypeError, ["stride", "at least 1", "None"], conv2d, X, F, stride=None)
    refused(TypeError, ["stride", "at least 1", "None"], im2col, X, 2, None)


@pytest.mark.parametrize(
    "padding, error, parts",
    [
        (-1, ValueError, ["padding must be an integer of at least 0", "got -1"]),
        (1.0, TypeError, ["padding must be an integer of at least 0", "got 1.0", "float"]),
        (False, TypeError, ["padding must be an integer of at least 0", "got False", "bool"]),
        ("same", TypeError, ["padding must be an integer of at least 0", "got 'same'", "str"]),
        (None, TypeError, ["padding must be an integer of at least 0", "got None"]),
        ((0, -2), ValueError, ["padding must be an integer of at least 0", "got -2"]),
        (((0, 1), (2, -3)), ValueError, ["padding", "at least 0", "got -3 in (2, -3)"]),
        (((0, 1), (2, 0.5)), TypeError, ["padding", "at least 0", "got 0.5 in (2, 0.5)"]),
        (
            (1, 2, 3),
            ValueError,
            [
                "padding",
                "(vertical, horizontal)",
                "((top, bottom), (left, right))",
                "got (1, 2, 3)",
            ],
        ),
        (((1, 2, 3), (1, 1)), ValueError, ["padding", "(before, after)", "got (1, 2, 3)"]),
    ],
)
def test_padding(padding, error, parts):
    refused(error, parts, conv2d, X, F, padding=padding)
    refused(error, parts, col2im, np.zeros((50, 36)), X.shape, 2, padding=padding)
    for function in (im2col, *POOLS):
        refused(error, parts, function, X, 5, padding=padding)


def test_padding_of_output_size():
    refused(ValueError, ["padding", "at least 0", "got -1"], output_size, 6, 3, 1, -1)
    refused(
        ValueError, ["padding", "(before, after)", "got (1, 2, 3)"], output_size, 6, 3, 1, (1, 2, 3)
    )


@pytest.mark.parametrize("padding", [2, (1, 2), ((0, 0), (0, 2))])
def test_max_pooling_pads_by_at_most_half_the_kernel(padding):
    refused(
        ValueError,
        ["padding", "at most half of kernel_size", "3 // 2 = 1", "got 2"],
        max_pool2d,
        X,
        3,
        1,
        padding,
    )
    assert avg_pool2d(X, 3, 1, padding).ndim == 4


def test_kernel_larger_than_the_padded_input():
    refused(
        ValueError,
        ["f must not be larger than the padded input", "6 × 6", "got", "7 × 3"],
        conv2d,
        X,
        np.zeros((3, 4, 7, 3)),
    )
    refused(
        ValueError,
        ["f must not be larger than the padded input", "8 × 8", "3 × 3", "by dilation to 9 × 9"],
        conv2d,
        X,
        F,
        padding=1,
        dilation=4,
    )
    for function in (im2col, *POOLS):
        refused(
            ValueError,
            ["kernel_size must not be larger than the padded input", "6 × 6", "got", "3 × 7"],
            function,
            X,
            (3, 7),
        )
    refused(
        ValueError,
        ["kernel_size must not be larger", "6 × 6", "7 × 7"],
        col2im,
        np.zeros((1, 1)),
        X.shape,
        7,
    )
    refused(
        ValueError,
        ["kernel_size must not be larger", "which is 6", "got a kernel of 7"],
        output_size,
        4,
        7,
        1,
        1,
    )
    assert conv2d(X, np.zeros((3, 4, 8, 8)), padding=1).shape == (2, 3, 1, 1)


@pytest.mark.parametrize("dtype", ["complex64", "complex128", object, "U3", "S3", "datetime64[s]"])
def test_dtypes_that_are_not_numbers(dtype):
    x = np.zeros((2, 4, 6, 6), dtype)
    allowed = ["booleans, integers or real floating-point", f"got dtype {x.dtype}"]
    refused(TypeError, ["x must hold", *allowed], conv2d, x, F)
    refused(TypeError, ["f must hold", *allowed], conv2d, X, x)
    refused(TypeError, ["b must hold", *allowed], conv2d, X, F, x)
    refused(TypeError, ["cols must hold", *allowed], col2im, x, X.shape, 2)
    for function in (im2col, *POOLS):
        refused(TypeError, ["x must hold", *allowed], function, x, 2)


def test_ragged_lists():
    refused(
        ValueError,
        ["x must be an array or nested lists of equal lengths", "[[1, 2], [3]]"],
        im2col,
        [[1, 2], [3]],
        1,
    )


@pytest.mark.parametrize("size, error", [(0, ValueError), (-3, ValueError), (5.0, TypeError)])
def test_size_of_output_size(size, error):
    refused(error, ["size must be an integer of at least 1", f"got {size}"], output_size, size, 1)


@pytest.mark.parametrize(
    "x_shape, error, parts",
    [
        ((2, 4, 6), ValueError, ["x_shape must be four ints (N, C, H, W)", "got (2, 4, 6)"]),
        (6, ValueError, ["x_shape must be four ints (N, C, H, W)", "got 6"]),
        ((2, 4, 0, 6), ValueError, ["x_shape", "at least 1", "got 0 in (2, 4, 0, 6)"]),
        ((-1, 4, 6, 6), ValueError, ["x_shape", "at least 0", "got -1"]),
        ((2, 4, 6.0, 6), TypeError, ["x_shape", "integer", "got 6.0"]),
    ],
)
def test_x_shape_of_col2im(x_shape, error, parts):
    refused(error, parts, col2im, np.zeros((50, 16)), x_shape, 2)


def test_cols_that_do_not_fit_x_shape():
    refused(
        ValueError,
        ["cols must have shape (50, 16)", "got (49, 16)"],
        col2im,
        np.zeros((49, 16)),
        (2, 4, 6, 6),
        2,
    )
