"""NumPy or CuPy: which module an array belongs to, and moving arrays to the GPU and back.

CuPy is imported only when somebody asks for the GPU; without it everything runs on NumPy.
"""

import sys

import numpy as np

NO_GPU = (
    "no GPU that CuPy can use was found; everything here also runs on the CPU. "
    "With an NVIDIA GPU, install the extra that fits its driver: "
    "convbook[cuda12] or convbook[cuda13]"
)


def gpu_available():
    """Return True if CuPy is installed and sees a GPU.

    Importing CuPy succeeds on a machine without a GPU, so the import alone proves nothing.
    """
    try:
        import cupy

        return bool(cupy.is_available())
    except Exception:  # a broken driver raises errors of many types; they all mean "no GPU"
        return False


def is_cupy(array):
    """Return True if `array` is a CuPy array. Never imports CuPy."""
    cupy = sys.modules.get("cupy")  # a CuPy array cannot exist before CuPy is imported
    return cupy is not None and isinstance(array, cupy.ndarray)


def get_array_module(*arrays, **named_arrays):
    """Return the module, `numpy` or `cupy`, that the arrays belong to.

    Parameters
    ----------
    *arrays, **named_arrays
        Arrays of any shape and dtype. Lists, numbers and None belong to neither module and are
        ignored. Names given as keywords appear in the error message.

    Raises
    ------
    TypeError
        If NumPy and CuPy arrays are mixed.
    """
    named = {f"argument {i}": a for i, a in enumerate(arrays, start=1)} | named_arrays
    on_gpu = [name for name, a in named.items() if is_cupy(a)]
    on_cpu = [name for name, a in named.items() if isinstance(a, np.ndarray) and name not in on_gpu]
    if on_gpu and on_cpu:
        raise TypeError(
            f"NumPy and CuPy arrays are mixed: {', '.join(on_cpu)} in NumPy and "
            f"{', '.join(on_gpu)} in CuPy; all arrays must be of one kind: convert with "
            f"convbook.arrays.to_gpu({on_cpu[0]}) or convbook.arrays.to_numpy({on_gpu[0]})"
        )
    return sys.modules["cupy"] if on_gpu else np


def to_numpy(array):
    """Return `array` as a NumPy array, copied from the GPU if it lives there."""
    return sys.modules["cupy"].asnumpy(array) if is_cupy(array) else np.asarray(array)


def to_gpu(array):
    """Return `array` as a CuPy array on the GPU.

    Raises
    ------
    RuntimeError
        If there is no GPU that CuPy can use.
    """
    if not gpu_available():
        raise RuntimeError(f"to_gpu: {NO_GPU}")
    import cupy

    return cupy.asarray(array)


def result_and_work_dtype(*arrays):
    """Return the dtype of a sum of products of these arrays, and the dtype to compute it in.

    Floats are promoted as NumPy does; float16 is computed in float32. Booleans and integers give
    int64 (uint64 if all are unsigned and one is uint64), which is exact as long as the result fits.
    None is ignored.
    """
    dtypes = [a.dtype for a in arrays if a is not None]
    result = np.result_type(*dtypes)
    if all(d.kind in "bu" for d in dtypes) and result == np.uint64:
        return result, result
    if all(d.kind in "biu" for d in dtypes):
        return np.dtype(np.int64), np.dtype(np.int64)
    return result, np.dtype(np.float32) if result == np.float16 else result


def float_and_work_dtype(*arrays):
    """Return the floating dtype of means and ratios of these arrays, and that to compute them in.

    Floats are promoted as NumPy does; float16 is computed in float32. Booleans and integers give
    float64.
    """
    result = np.result_type(*(a.dtype for a in arrays))
    result = result if result.kind == "f" else np.dtype(np.float64)
    return result, np.dtype(np.float32) if result == np.float16 else result


def cast(dtype, *arrays):
    """Return the arrays in this dtype, copied only where it differs; None stays None."""
    return tuple(a if a is None else a.astype(dtype, copy=False) for a in arrays)


def one_or_all(values):
    """Return the only one of some values, or all of them as a tuple: so layers return arrays."""
    return values[0] if len(values) == 1 else tuple(values)


def as_tuple(values):
    """Return what `one_or_all` has returned, one value or a tuple of several, as a tuple."""
    return values if isinstance(values, tuple) else (values,)
