"""The original files of the data sets: where they are, what they are, and how they are read.

MNIST comes as four files in the IDX format, a few big-endian numbers followed by the bytes.
CIFAR-10 comes as an archive of six files of records, one label byte and 3,072 bytes of pixels each.
All that a file claims is checked before it is believed.
"""

import gzip
import math
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np

from .files import File

MNIST = {
    "x_train": File(
        "train-images-idx3-ubyte.gz",
        "train-images-idx3-ubyte",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "y_train": File(
        "train-labels-idx1-ubyte.gz",
        "train-labels-idx1-ubyte",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "x_test": File(
        "t10k-images-idx3-ubyte.gz",
        "t10k-images-idx3-ubyte",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "y_test": File(
        "t10k-labels-idx1-ubyte.gz",
        "t10k-labels-idx1-ubyte",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
MNIST_SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}

CIFAR10 = File(
    "cifar-10-binary.tar.gz",
    "cifar-10-batches-bin",
    170_052_171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CIFAR10_MIRRORS = (
    "https://www.cs.toronto.edu/~kriz",
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
)
CIFAR10_BATCHES = {**{f"data_batch_{k}.bin": 10_000 for k in range(1, 6)}, "test_batch.bin": 10_000}

IDX_BYTES = 0x0800  # the part of the magic number that says: unsigned bytes
CLASSES = 10
BROKEN = "Fetch the file again, or take the embedded sample (full=False)."


def read_mnist(paths):
    """Read the four files; return x_train (N, 1, 28, 28), y_train, x_test, y_test, all uint8.

    Parameters
    ----------
    paths : dict
        The path of each file, gzipped or not, under the keys of `MNIST`.

    Raises
    ------
    ValueError
        If a file is broken or is not what its name says.
    """
    x_train, y_train, x_test, y_test = (read_idx(paths[key], MNIST_SHAPES[key]) for key in MNIST)
    for key, labels in (("y_train", y_train), ("y_test", y_test)):
        _check_labels(labels, paths[key])
    return x_train[:, None], y_train, x_test[:, None], y_test


def read_idx(path, shape):
    """Read a file of bytes in the IDX format and check that its array has this shape.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, "File formats".
    """
    content = _content(path)
    head = 4 + 4 * len(shape)
    if len(content) < head:
        raise ValueError(
            f"{path} is too short: expected at least {head} bytes, found {len(content)}. {BROKEN}"
        )
    magic, *sizes = struct.unpack_from(f">{1 + len(shape)}I", content)
    wanted = IDX_BYTES + len(shape)
    if magic != wanted:
        raise ValueError(
            f"{path} is not the file its name says: expected the magic number "
            f"{wanted}, found {magic}. {BROKEN}"
        )
    if tuple(sizes) != shape:
        raise ValueError(
            f"{path} holds something else: expected {_times(shape)} bytes of data, "
            f"found {_times(sizes)}. {BROKEN}"
        )
    if len(content) - head != math.prod(shape):
        raise ValueError(
            f"{path} has the wrong length: expected {math.prod(shape):,} bytes of "
            f"data, found {len(content) - head:,}. {BROKEN}"
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _content(path):
    """Return the bytes of a file, unpacked if its name ends in .gz."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as file:
            return file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path} is broken or incomplete: expected a whole gzip file, found: {error}. {BROKEN}"
        ) from None


def read_cifar10(path):
    """Read the archive, or the folder it unpacks to, without running any code that is in it.

    Returns x_train (N, 3, 32, 32), y_train, x_test, y_test, all uint8.

    Raises
    ------
    ValueError
        If a file is missing, broken or not what its name says.
    """
    contents = _batches_of_folder(path) if path.is_dir() else _batches_of_archive(path)
    parts = {"data": [], "test": []}
    for name, count in CIFAR10_BATCHES.items():
        if name not in contents:
            raise ValueError(f"{path} is incomplete: expected the file {name} in it. {BROKEN}")
        parts[name[:4]].append(_records(contents[name], count, f"{name} in {path}"))
    images_and_labels = []
    for batches in parts.values():
        records = np.concatenate(batches)
        images_and_labels += [records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]]
    return tuple(images_and_labels)


def _batches_of_folder(path):
    return {name: (path / name).read_bytes() for name in CIFAR10_BATCHES if (path / name).is_file()}


def _batches_of_archive(path):
    """Return the contents of the batches in an archive; nothing is unpacked onto the disk."""
    contents = {}
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and name in CIFAR10_BATCHES:
                    contents[name] = archive.extractfile(member).read()
            stream.read()  # to the very end, where gzip compares its checksum
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path} is broken or incomplete: expected a whole .tar.gz archive, "
            f"found: {error}. {BROKEN}"
        ) from None
    return contents


def _records(content, count, place):
    """Return the records of a batch, (count, 3073): the label, then red, green and blue."""
    size = 1 + 3 * 32 * 32
    if len(content) != count * size:
        raise ValueError(
            f"{place} has the wrong length: expected {count:,} records of {size:,} "
            f"bytes, together {count * size:,}, found {len(content):,}. {BROKEN}"
        )
    records = np.frombuffer(content, np.uint8).reshape(count, size)
    _check_labels(records[:, 0], place)
    return records


def _check_labels(labels, place):
    if labels.max() >= CLASSES:
        raise ValueError(
            f"{place} is broken: expected labels from 0 to {CLASSES - 1}, "
            f"found {labels.max()}. {BROKEN}"
        )


def _times(sizes):
    return " × ".join(f"{size:,}" for size in sizes)
