"""The samples that come with the package: 5,000 training and 1,000 test images, no network needed.

They lie in the folder `data`, with a text beside them that tells their source, their licence and
how they were made. `scripts/make_samples.py` makes them from the original files.
"""

import io
from importlib import resources

import numpy as np

DATA = resources.files(__package__) / "data"
SPRITE = (25, 40)  # rows and columns of the images in one picture of the CIFAR-10 sample


def read_arrays(name):
    """Return the arrays of the `.npz` file `name` as a dict."""
    with np.load(io.BytesIO((DATA / name).read_bytes()), allow_pickle=False) as arrays:
        return dict(arrays)


def mnist_sample():
    """Return x_train (5000, 1, 28, 28), y_train, x_test (1000, 1, 28, 28), y_test; all uint8."""
    s = read_arrays("mnist_sample.npz")
    return s["x_train"][:, None], s["y_train"], s["x_test"][:, None], s["y_test"]


def cifar10_sample():
    """Return x_train (5000, 3, 32, 32), y_train, x_test (1000, 3, 32, 32), y_test; all uint8."""
    s = read_arrays("cifar10_sample.npz")
    x_train = np.concatenate([_cut(f"cifar10_train_{k}.jpg") for k in range(1, 6)])
    return x_train, s["y_train"], _cut("cifar10_test_1.jpg"), s["y_test"]


def _cut(name):
    """Cut a picture of 25 × 40 small ones into the array (1000, 3, 32, 32)."""
    from PIL import Image  # only the photographs need it

    rows, columns = SPRITE
    with Image.open(io.BytesIO((DATA / name).read_bytes())) as picture:
        sprite = np.asarray(picture)
    tiles = sprite.reshape(rows, 32, columns, 32, 3)
    return tiles.transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32)
