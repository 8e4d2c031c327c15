"""Make the samples of MNIST and CIFAR-10 that come with the package from the original files.

    python scripts/make_samples.py FOLDER [--output src/convbook/datasets/data]

FOLDER holds the original files of both. The choice is random with a fixed seed, 500 training and
100 test images of each class, in the order in which they lie in the originals; their places there
are stored with them, so that anyone can compare. The checksums go into the file SHA256SUMS.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from convbook import datasets
from convbook.datasets.samples import DATA, SPRITE

PER_CLASS = {"train": 500, "test": 100}
QUALITY = 90
FULL_COLOUR = 0  # no coarser colours: a block of the JPEG then never crosses the edge of an image


def choose(labels, count, rng):
    """Return the sorted places of `count` images of each class."""
    places = [rng.choice(np.flatnonzero(labels == k), count, replace=False) for k in range(10)]
    return np.sort(np.concatenate(places)).astype(np.int32)


def sample(images, seed):
    """Return the arrays of a sample: images, labels, and their places in the original."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for part, count in PER_CLASS.items():
        x, y = getattr(images, f"x_{part}"), getattr(images, f"y_{part}")
        index = choose(y, count, rng)
        arrays |= {
            f"x_{part}": x[index],
            f"y_{part}": y[index].astype(np.uint8),
            f"index_{part}": index,
        }
    return arrays


def make_mnist(folder, output):
    """Write one file with the bytes as they are."""
    arrays = sample(datasets.mnist(full=True, folder=folder, dtype=np.uint8), seed=28)
    for part in PER_CLASS:
        arrays[f"x_{part}"] = arrays[f"x_{part}"][:, 0]
    np.savez_compressed(output / "mnist_sample.npz", **arrays)


def make_cifar10(folder, output):
    """Write the images as JPEG pictures of 1,000 each, their labels and places as arrays."""
    arrays = sample(datasets.cifar10(full=True, folder=folder, dtype=np.uint8), seed=32)
    rows, columns = SPRITE
    for part in PER_CLASS:
        sprites = arrays.pop(f"x_{part}").reshape(-1, rows, columns, 3, 32, 32)
        for k, tiles in enumerate(sprites, start=1):
            picture = tiles.transpose(0, 3, 1, 4, 2).reshape(32 * rows, 32 * columns, 3)
            Image.fromarray(picture).save(
                output / f"cifar10_{part}_{k}.jpg",
                quality=QUALITY,
                subsampling=FULL_COLOUR,
                optimize=True,
            )
    np.savez_compressed(output / "cifar10_sample.npz", **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path(str(DATA)))
    arguments = parser.parse_args()
    make_mnist(arguments.folder, arguments.output)
    make_cifar10(arguments.folder, arguments.output)
    files = sorted([*arguments.output.glob("*.npz"), *arguments.output.glob("*.jpg")])
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (arguments.output / "SHA256SUMS").write_text("".join(sums))
    print("".join(f"{path.stat().st_size:>9,} bytes  {path.name}\n" for path in files), end="")


if __name__ == "__main__":
    main()
