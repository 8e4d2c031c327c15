"""The original files in a local folder: read exactly, and every fault in them is named."""

import gzip

import numpy as np
import pytest

from convbook.datasets import cifar10, files, mnist, originals
from helpers.datasets_server import (
    BATCHES,
    FOLDER,
    SHAPES,
    archive,
    idx,
    packed,
    small_cifar10,
    small_mnist,
)

IMAGES = originals.MNIST["x_train"].name
LABELS = originals.MNIST["y_test"].name
WAY_ON = "Fetch the file again, or take the embedded sample"


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A folder with a small MNIST."""
    monkeypatch.setattr(originals, "MNIST_SHAPES", SHAPES)
    monkeypatch.delenv(files.VARIABLE, raising=False)
    for key, array in small_mnist().items():
        (tmp_path / originals.MNIST[key].name).write_bytes(packed(array))
    return tmp_path


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A folder with a small CIFAR-10."""
    monkeypatch.setattr(originals, "CIFAR10_BATCHES", BATCHES)
    monkeypatch.delenv(files.VARIABLE, raising=False)
    contents = {name: records.tobytes() for name, records in small_cifar10().items()}
    (tmp_path / originals.CIFAR10.name).write_bytes(archive(contents))
    return tmp_path


def assert_mnist(images):
    """Check that these are the small MNIST's images, as bytes."""
    for key, array in small_mnist().items():
        found = getattr(images, key)
        np.testing.assert_array_equal(found[:, 0] if key[0] == "x" else found, array)


def assert_cifar10(images):
    """Check that these are the small CIFAR-10's images, as bytes."""
    *train, test = small_cifar10().values()
    for x, y, records in (
        (images.x_train, images.y_train, np.concatenate(train)),
        (images.x_test, images.y_test, test),
    ):
        np.testing.assert_array_equal(y, records[:, 0])
        np.testing.assert_array_equal(x[:, 1, 2, 3], records[:, 1 + 1024 + 2 * 32 + 3])
        np.testing.assert_array_equal(x.reshape(len(x), -1), records[:, 1:])


def test_mnist_from_a_folder(digits):
    images = mnist(full=True, folder=digits, dtype=np.uint8)
    assert_mnist(images)
    assert images.y_train.dtype == np.int64 and images.x_train.flags.writeable
    assert mnist(full=True, folder=str(digits)).x_train.max() <= 1


def test_unpacked_files(digits):
    for path in digits.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert_mnist(mnist(full=True, folder=digits, dtype=np.uint8))


def test_cifar10_from_a_folder(photographs):
    images = cifar10(full=True, folder=photographs, dtype=np.uint8)
    assert_cifar10(images)
    assert images.x_train.flags.writeable and images.x_train.flags.c_contiguous


def test_unpacked_archive(photographs):
    (photographs / originals.CIFAR10.name).unlink()
    (photographs / FOLDER).mkdir()
    for name, records in small_cifar10().items():
        (photographs / FOLDER / name).write_bytes(records.tobytes())
    assert_cifar10(cifar10(full=True, folder=photographs, dtype=np.uint8))
    (photographs / FOLDER / "data_batch_3.bin").unlink()
    with pytest.raises(ValueError, match="is incomplete: expected the file data_batch_3.bin"):
        cifar10(full=True, folder=photographs)


def test_the_variable_names_a_folder(digits, monkeypatch):
    monkeypatch.setenv(files.VARIABLE, str(digits))
    assert_mnist(mnist(full=True, dtype=np.uint8))


def test_the_argument_wins_over_the_variable(digits, monkeypatch):
    monkeypatch.setenv(files.VARIABLE, "/there/is/no/such/folder")
    assert_mnist(mnist(full=True, folder=digits, dtype=np.uint8))
    with pytest.raises(FileNotFoundError, match="CONVBOOK_DATA must be an existing folder"):
        mnist(full=True)


def test_a_folder_of_the_home_directory(digits, monkeypatch):
    monkeypatch.setenv("HOME", str(digits.parent))
    monkeypatch.setenv("USERPROFILE", str(digits.parent))
    assert_mnist(mnist(full=True, folder=f"~/{digits.name}", dtype=np.uint8))


def test_a_missing_file(digits, photographs):
    (digits / LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"no {LABELS} .*in the folder .*embedded sample"):
        mnist(full=True, folder=digits)
    (photographs / originals.CIFAR10.name).unlink()
    with pytest.raises(FileNotFoundError, match="no cifar-10-binary.tar.gz"):
        cifar10(full=True, folder=photographs)


@pytest.mark.parametrize("name", [IMAGES, IMAGES.removesuffix(".gz")])
def test_a_folder_in_place_of_a_file(digits, name):
    (digits / IMAGES).unlink()
    (digits / name).mkdir()
    with pytest.raises(FileNotFoundError, match=f"{name}' must be a file, and is a folder") as e:
        mnist(full=True, folder=digits)
    assert "embedded sample" in str(e.value)


def test_a_folder_beside_the_file_is_no_hindrance(digits, photographs):
    unpacked = digits / IMAGES.removesuffix(".gz")
    unpacked.mkdir()
    assert_mnist(mnist(full=True, folder=digits, dtype=np.uint8))
    unpacked.rmdir()
    unpacked.write_bytes(gzip.decompress((digits / IMAGES).read_bytes()))
    (digits / IMAGES).unlink()
    (digits / IMAGES).mkdir()
    assert_mnist(mnist(full=True, folder=digits, dtype=np.uint8))


def test_a_file_in_place_of_a_folder(photographs):
    (photographs / originals.CIFAR10.name).rename(photographs / FOLDER)
    with pytest.raises(FileNotFoundError, match=f"{FOLDER}' must be a folder, and is a file"):
        cifar10(full=True, folder=photographs)
    (photographs / FOLDER).unlink()
    (photographs / originals.CIFAR10.name).mkdir()
    with pytest.raises(FileNotFoundError, match="tar.gz' must be a file, and is a folder"):
        cifar10(full=True, folder=photographs)


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder must be an existing folder or the address"):
        mnist(full=True, folder=tmp_path / "elsewhere")


def test_an_address_of_another_kind():
    with pytest.raises(ValueError, match="begins with http:// or https://, got 'ftp://there'"):
        mnist(full=True, folder="ftp://there")


def images_with(**fault):
    return idx(small_mnist()["x_train"], **fault)


@pytest.mark.parametrize(
    "content, words",
    [
        (images_with(magic=2049), "expected the magic number 2051, found 2049"),
        (images_with(magic=0x0D03), "expected the magic number 2051, found 3331"),
        (
            images_with(sizes=(19, 28, 28)),
            "expected 20 × 28 × 28 bytes of data, found 19 × 28 × 28",
        ),
        (
            images_with(sizes=(20, 32, 32)),
            "expected 20 × 28 × 28 bytes of data, found 20 × 32 × 32",
        ),
        (images_with()[:-1], "expected 15,680 bytes of data, found 15,679"),
        (images_with() + b"!", "expected 15,680 bytes of data, found 15,681"),
        (b"\0\0\x08\x03", "expected at least 16 bytes, found 4"),
        (b"", "expected at least 16 bytes, found 0"),
    ],
)
def test_wrong_images(digits, content, words):
    (digits / IMAGES).write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=words) as error:
        mnist(full=True, folder=digits)
    assert str(digits / IMAGES) in str(error.value) and WAY_ON in str(error.value)


def test_wrong_labels(digits):
    labels = small_mnist()["y_test"]
    labels[3] = 10
    (digits / LABELS).write_bytes(packed(labels))
    with pytest.raises(ValueError, match=f"{LABELS} is broken: expected labels .* 9, found 10"):
        mnist(full=True, folder=digits)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b[:-4],
        lambda b: b[:12],
        lambda b: b"<html>Please log in</html>",
        lambda b: b"\x1f",
        lambda b: b[:2000] + bytes(8) + b[2008:],
    ],
)
def test_broken_gzip(digits, damage):
    path = digits / IMAGES
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is broken or incomplete: expected a whole") as error:
        mnist(full=True, folder=digits)
    assert str(path) in str(error.value) and WAY_ON in str(error.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b[:200],
        lambda b: b"",
        lambda b: b"<html>Please log in</html>",
        lambda b: b[:2000] + bytes(8) + b[2008:],
        lambda b: gzip.compress(b"not an archive " * 100),
    ],
)
def test_broken_archive(photographs, damage):
    path = photographs / originals.CIFAR10.name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is broken or incomplete: expected a whole") as error:
        cifar10(full=True, folder=photographs)
    assert str(path) in str(error.value) and WAY_ON in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_wrong_batches(photographs):
    path = photographs / originals.CIFAR10.name
    contents = {name: records.tobytes() for name, records in small_cifar10().items()}

    path.write_bytes(archive(contents | {"data_batch_2.bin": contents["data_batch_2.bin"][:-1]}))
    with pytest.raises(
        ValueError,
        match="data_batch_2.bin in .* expected 4 records of 3,073 "
        "bytes, together 12,292, found 12,291",
    ):
        cifar10(full=True, folder=photographs)

    ten = bytes([10]) + contents["test_batch.bin"][1:]
    path.write_bytes(archive(contents | {"test_batch.bin": ten}))
    with pytest.raises(ValueError, match="test_batch.bin in .* labels from 0 to 9, found 10"):
        cifar10(full=True, folder=photographs)

    del contents["test_batch.bin"]
    path.write_bytes(archive(contents))
    with pytest.raises(ValueError, match="is incomplete: expected the file test_batch.bin"):
        cifar10(full=True, folder=photographs)


def test_nothing_is_unpacked_onto_the_disk(photographs):
    before = sorted(photographs.rglob("*"))
    cifar10(full=True, folder=photographs)
    assert sorted(photographs.rglob("*")) == before


def test_the_published_sets_are_described():
    """Sizes and checksums are for the complete sets."""
    assert [shape[0] for shape in originals.MNIST_SHAPES.values()] == [
        60_000,
        60_000,
        10_000,
        10_000,
    ]
    assert sum(originals.CIFAR10_BATCHES.values()) == 60_000
    described = [*originals.MNIST.values(), originals.CIFAR10]
    assert all(len(bytes.fromhex(file.sha256)) == 32 for file in described)
    assert len({file.sha256 for file in described}) == 5
    for mirrors in (originals.MNIST_MIRRORS, originals.CIFAR10_MIRRORS):
        assert len(mirrors) >= 2 and all(mirror.startswith("https://") for mirror in mirrors)
