"""NumPy or CuPy: which module an array belongs to, and that the mathematics stays within it.

No test needs a GPU: `convbook.stand_in` computes with NumPy but is as strict as CuPy.
"""

import subprocess
import sys

import numpy as np
import pytest

from convbook import arrays
from convbook.arrays import get_array_module, gpu_available, is_cupy, to_gpu, to_numpy
from convbook.functional import avg_pool2d, col2im, conv2d, im2col, max_pool2d
from convbook.stand_in import StandIn
from helpers import ROOT
from helpers.drawing import small

# --- Which module --------------------------------------------------------------------------------


def test_numpy_arrays_lists_and_none_belong_to_numpy():
    assert get_array_module(np.zeros(2), [1.0], None, 3) is np
    assert get_array_module() is np
    assert not is_cupy(np.zeros(2))


def test_cupy_arrays_belong_to_cupy(cupy):
    assert is_cupy(cupy.zeros(2))
    assert not is_cupy(np.zeros(2))
    assert get_array_module(cupy.zeros(2), [1.0], None) is cupy


def test_mixing_is_refused_by_name(cupy):
    with pytest.raises(TypeError) as caught:
        get_array_module(x=np.zeros(2), f=cupy.zeros(2), b=None)
    message = str(caught.value)
    assert "x in NumPy and f in CuPy" in message
    assert "to_gpu(x)" in message and "to_numpy(f)" in message
    with pytest.raises(TypeError, match="argument 2 in NumPy and argument 1 in CuPy"):
        get_array_module(cupy.zeros(2), np.zeros(2))


def test_importing_the_package_does_not_import_cupy():
    code = "import sys, convbook.functional; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --- To the GPU and back -------------------------------------------------------------------------


@pytest.mark.parametrize("module", [None, StandIn(available=False)])
def test_without_a_gpu_there_is_a_friendly_sentence(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "cupy", module)  # None: not installed
    assert gpu_available() is False
    with pytest.raises(RuntimeError, match="no GPU that CuPy can use was found.*convbook.cuda12"):
        to_gpu([1, 2])


def test_a_broken_driver_means_no_gpu(monkeypatch):
    module = StandIn()
    module.is_available = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "cupy", module)
    assert gpu_available() is False


def test_to_gpu_and_back(cupy):
    assert gpu_available() is True
    there = to_gpu(np.arange(3))
    assert is_cupy(there)
    back = to_numpy(there)
    assert type(back) is np.ndarray
    assert back.tolist() == [0, 1, 2]
    assert type(to_numpy([1, 2])) is np.ndarray


# --- The mathematics on CuPy arrays --------------------------------------------------------------


CALLS = [
    (conv2d, [small((5, 3, 6, 7)), small((4, 3, 3, 2), 1), small(4, 2)], {"padding": 1}),
    (conv2d, [small((5, 9, 6, 7)), small((4, 9, 3, 2), 1)], {"stride": 2, "dilation": (2, 1)}),
    (conv2d, [small((5, 8, 6, 7)), small((4, 2, 3, 3), 1), small(4, 2)], {"groups": 4}),
    (conv2d, [small((5, 9, 6, 7)), small((4, 9, 1, 1), 1), small(4, 2)], {}),
    (conv2d, [np.arange(48).reshape(1, 3, 4, 4), np.arange(27).reshape(1, 3, 3, 3)], {}),
    (conv2d, [small((0, 3, 6, 7)), small((4, 3, 3, 2), 1), small(4, 2)], {}),
    (conv2d, [small((2, 3, 6, 7)).astype(np.float16), small((4, 3, 3, 2)).astype(np.float16)], {}),
    (im2col, [small((5, 3, 6, 7))], {"kernel_size": 3, "padding": ((0, 1), (2, 0))}),
    (col2im, [small((40, 27))], {"x_shape": (2, 3, 6, 7), "kernel_size": 3}),
    (max_pool2d, [small((5, 3, 6, 7))], {"kernel_size": 3, "padding": 1}),
    (max_pool2d, [np.arange(32).reshape(1, 2, 4, 4)], {"kernel_size": 2, "padding": 1}),
    (avg_pool2d, [small((5, 3, 6, 7))], {"kernel_size": 3, "padding": 1}),
    (avg_pool2d, [np.arange(32).reshape(1, 2, 4, 4)], {"kernel_size": 2}),
]


@pytest.mark.parametrize("function, inputs, options", CALLS)
def test_cupy_arrays_give_cupy_arrays_by_cupy(cupy, function, inputs, options):
    result = function(*map(cupy.asarray, inputs), **options)
    expected = function(*inputs, **options)
    assert is_cupy(result)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("function, inputs, options", CALLS[:1])
def test_mixing_is_refused_by_the_functions(cupy, function, inputs, options):
    x, f, b = inputs
    with pytest.raises(TypeError, match="f, b in NumPy and x in CuPy"):
        function(cupy.asarray(x), f, b, **options)
    with pytest.raises(TypeError, match="x, f in NumPy and b in CuPy"):
        function(x, f, cupy.asarray(b), **options)


def test_lists_follow_the_arrays(cupy):
    result = conv2d(cupy.asarray(small((1, 1, 3, 3))), [[[[1, 0], [0, 1]]]], [1])
    assert is_cupy(result)


def test_on_a_gpu_the_block_is_the_whole_batch(cupy):
    x, f = small((64, 16, 32, 32)), small((4, 16, 3, 3))
    conv2d(cupy.asarray(x), cupy.asarray(f))
    assert cupy.calls.count("matmul") == 1


def test_the_sentence_names_the_extras_that_exist():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in ("cuda12", "cuda13"):
        assert f"convbook[{extra}]" in arrays.NO_GPU
        assert f"\n{extra} = " in project
