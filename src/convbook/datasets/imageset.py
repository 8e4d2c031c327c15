"""What every data set is handed out as: arrays of training and test images with their labels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images with labels, split into a training set and a test set.

    Attributes
    ----------
    x_train, x_test : ndarray (N, C, H, W)
        The images: numbers from 0 to 1 if the dtype is floating point, bytes from 0 to 255 if it
        is uint8.
    y_train, y_test : ndarray (N,), int64 (int32 where Python has 32 bits, as in a browser)
        The class of each image, an index into `classes`.
    classes : tuple of str
        The names of the classes.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple

    def __repr__(self):
        return (
            f"ImageSet(x_train={_shape(self.x_train)}, x_test={_shape(self.x_test)}, "
            f"{self.x_train.dtype}, {len(self.classes)} classes)"
        )


def _shape(x):
    return "×".join(str(size) for size in x.shape)


def pixel_dtype(dtype):
    """Return `dtype` as a NumPy dtype in which images can be had.

    Raises
    ------
    TypeError
        If it is neither uint8 nor floating point.
    """
    allowed = "dtype must be float16, float32, float64 or uint8"
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{allowed}, got {dtype!r}") from None
    if dtype is None or wanted not in map(np.dtype, ("f2", "f4", "f8", "u1")):
        raise TypeError(f"{allowed}, got {'None' if dtype is None else wanted}")
    return wanted


def pixels(raw, dtype):
    """Return a new array of the uint8 images `raw`, scaled to [0, 1] if `dtype` is a float."""
    if dtype.kind == "f":
        return np.divide(raw, 255, dtype=dtype, order="C")
    return raw.copy()
