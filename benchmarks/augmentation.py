"""Time data augmentation: the package, loops over images, and other packages, on the same work.

    python benchmarks/augmentation.py [--repeats 15] [--save]

`--save` records the timings in book/data/augmentation.json, which chapter 3-6 reads. Packages that
are not installed are left out: PyTorch, Keras on TensorFlow, SciPy, scikit-image. Everybody gets
the same images and matrices, on one thread, and the results are compared before they are timed.
"""

import argparse
import importlib.metadata

from timing import DATA, machine, print_table, race, torch, write  # sets one thread: first

import numpy as np

from convbook.frameworks import import_keras
from convbook.images import affine
from convbook.images.augment import Brightness, Compose, Crop, Cutout, Flip, Rotate, Shift, Zoom

TARGET = DATA / "augmentation.json"
SHAPES = {"CIFAR-10": (250, 3, 32, 32), "MNIST": (250, 1, 28, 28), "96 × 96": (50, 3, 96, 96)}
ANGLE, FACTORS, PIXELS, LIGHT = 15, (0.8, 1.25), 4, (0.8, 1.2)
NAMES = {
    "package": "the package",
    "loop": "loop over images",
    "pixels": "loop over pixels",
    "one_by_one": "the package, one step at a time",
    "torch": "PyTorch",
    "keras": "Keras, TensorFlow",
    "scipy": "SciPy",
    "skimage": "scikit-image",
}
VERSIONS = {
    "torch": "torch",
    "keras": "keras",
    "tensorflow": "tensorflow-cpu",
    "scipy": "scipy",
    "skimage": "scikit-image",
}


# --- Loops ---------------------------------------------------------------------------------------


def move_image(image, matrix):
    """Return one image (C, H, W) moved with a matrix: NumPy on all its pixels at once."""
    c, h, w = image.shape
    rows, cols = np.mgrid[:h, :w]
    centre_row, centre_col = (h - 1) / 2, (w - 1) / 2
    places = np.stack([cols - centre_col, rows - centre_row, np.ones((h, w))])
    source = np.tensordot(np.linalg.inv(matrix), places, 1)
    right, down = source[0] + centre_col, source[1] + centre_row
    left, above = np.floor(right).astype(int), np.floor(down).astype(int)
    result = np.zeros_like(image)
    for row, row_share in ((above, above + 1 - down), (above + 1, down - above)):
        for col, col_share in ((left, left + 1 - right), (left + 1, right - left)):
            inside = (row >= 0) & (row < h) & (col >= 0) & (col < w)
            share = (row_share * col_share * inside).astype(image.dtype)
            result += share * image[:, row.clip(0, h - 1), col.clip(0, w - 1)]
    return result


def move_images_one_by_one(x, matrices):
    """Return the batch: one image after the other."""
    return np.stack([move_image(image, matrix) for image, matrix in zip(x, matrices)])


def move_pixel_by_pixel(image, matrix):
    """Return one image moved with a matrix, in loops over all its pixels."""
    c, h, w = image.shape
    (a, b, right), (d, e, down), _ = np.linalg.inv(matrix).tolist()
    result = np.zeros_like(image)
    for i in range(h):
        for j in range(w):
            x, y = j - (w - 1) / 2, i - (h - 1) / 2
            col = a * x + b * y + right + (w - 1) / 2
            row = d * x + e * y + down + (h - 1) / 2
            left, above = int(col // 1), int(row // 1)
            for r, row_share in ((above, above + 1 - row), (above + 1, row - above)):
                for q, col_share in ((left, left + 1 - col), (left + 1, col - left)):
                    if 0 <= r < h and 0 <= q < w:
                        result[:, i, j] += row_share * col_share * image[:, r, q]
    return result


def augment_one_by_one(x, rng):
    """Return the batch augmented as one begins: image by image, step by step, each a sampling."""
    result = []
    for image in x:
        if rng.random() < 0.5:
            image = image[:, :, ::-1]
        image = move_image(image, affine.zoom(np.exp(rng.uniform(*np.log(FACTORS)))))
        image = move_image(image, affine.rotation(rng.uniform(-ANGLE, ANGLE)))
        image = move_image(image, affine.shift(*rng.uniform(-PIXELS, PIXELS, 2)))
        result.append((image * np.float32(rng.uniform(*LIGHT))).clip(0, 1))
    return np.stack(result)


def flip_and_shift_one_by_one(x, rng):
    """Return the batch flipped and shifted by whole pixels, image by image, with slices."""
    result = np.zeros_like(x)
    h, w = x.shape[2:]
    for image, y in zip(x, result):
        if rng.random() < 0.5:
            image = image[:, :, ::-1]
        down, right = rng.integers(-PIXELS, PIXELS + 1, 2)
        y[:, max(0, down) : h + down, max(0, right) : w + right] = image[
            :, max(0, -down) : h - down, max(0, -right) : w - right
        ]
    return result


# --- Other packages ------------------------------------------------------------------------------


def in_torch(x, matrices):
    """Return PyTorch's affine_grid and grid_sample on the batch, or None."""
    if torch is None:
        return None
    h, w = x.shape[2:]
    scale, tensor = np.diag([(w - 1) / 2, (h - 1) / 2, 1]), torch.from_numpy(x)

    def run():
        theta = (np.linalg.inv(scale) @ np.linalg.inv(matrices) @ scale)[:, :2]
        grid = torch.nn.functional.affine_grid(
            torch.from_numpy(theta.astype(np.float32)), x.shape, align_corners=True
        )
        return torch.nn.functional.grid_sample(tensor, grid, align_corners=True).numpy()

    return run


def in_keras(x, matrices):
    """Return Keras's affine_transform on the batch, channels last as Keras likes it, or None."""
    keras = keras_if_there()
    if keras is None:
        return None
    h, w = x.shape[2:]
    corner = affine.shift((w - 1) / 2, (h - 1) / 2)
    images = keras.ops.convert_to_tensor(np.ascontiguousarray(x.transpose(0, 2, 3, 1)))

    def run():
        inverse = corner @ np.linalg.inv(matrices) @ np.linalg.inv(corner)
        transforms = inverse.reshape(-1, 9)[:, :8].astype(np.float32)
        y = keras.ops.image.affine_transform(
            images,
            transforms,
            interpolation="bilinear",
            fill_mode="constant",
            data_format="channels_last",
        )
        return keras.ops.convert_to_numpy(y).transpose(0, 3, 1, 2)

    return run


def keras_if_there():
    """Return Keras on TensorFlow, with one thread as `timing` asks for, or None."""
    try:
        return import_keras()
    except ImportError:
        return None


def in_scipy(x, matrices):
    """Return scipy.ndimage's affine_transform on every channel, or None."""
    try:
        from scipy import ndimage
    except ImportError:
        return None
    centre = (np.array(x.shape[2:]) - 1) / 2

    def run():
        y = np.empty_like(x)
        for image, out, inverse in zip(x, y, np.linalg.inv(matrices)):
            turned = inverse[1::-1, 1::-1]  # rows come before columns
            offset = centre - turned @ centre + inverse[1::-1, 2]
            for channel in range(len(image)):
                ndimage.affine_transform(
                    image[channel],
                    turned,
                    offset,
                    order=1,
                    mode="grid-constant",
                    output=out[channel],
                )
        return y

    return run


def in_skimage(x, matrices):
    """Return scikit-image's warp on every image, channels last as it likes them, or None."""
    try:
        from skimage.transform import warp
    except ImportError:
        return None
    corner = affine.shift((x.shape[3] - 1) / 2, (x.shape[2] - 1) / 2)
    images = np.ascontiguousarray(x.transpose(0, 2, 3, 1))

    def run():
        inverse = corner @ np.linalg.inv(matrices) @ np.linalg.inv(corner)
        return np.stack(
            [
                warp(image, m, order=1, mode="constant", preserve_range=True)
                for image, m in zip(images, inverse)
            ]
        ).transpose(0, 3, 1, 2)

    return run


def keras_layers():
    """Return Keras's layers for the whole chain, with the same ranges, or None."""
    keras = keras_if_there()
    if keras is None:
        return None
    options = {"fill_mode": "constant", "data_format": "channels_last"}
    low, high = (1 / f - 1 for f in FACTORS[::-1])  # Keras's factor is of what one sees
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal", data_format="channels_last"),
            keras.layers.RandomZoom((low, high), **options),
            keras.layers.RandomRotation(ANGLE / 360, **options),
            keras.layers.RandomTranslation(PIXELS / 32, PIXELS / 32, **options),
            keras.layers.RandomBrightness(LIGHT[1] - 1, value_range=(0, 1)),
        ]
    )


# --- The races -----------------------------------------------------------------------------------


def images(shape):
    """Return images of noise from 0 to 1: the same work as any others."""
    return np.random.default_rng(0).random(shape, np.float32)


def draw_matrices(n, rng):
    """Return what the chain below draws, as one matrix for each image."""
    steps = (Flip(), Zoom(FACTORS), Rotate(ANGLE), Shift(PIXELS, whole=False))
    product = np.eye(3)
    for step in steps:
        product = step.matrices((n, 1, 1, 1), rng) @ product
    return product


def per_image(sides, n, repeats):
    """Race and return the seconds per image, and the package's speed as multiples of each side."""
    seconds = {name: t / n for name, t in race(sides, repeats, limit=60).items()}
    return {
        "seconds_per_image": seconds,
        "times_slower_than_package": {name: t / seconds["package"] for name, t in seconds.items()},
    }


def time_sampling(repeats):
    """Race one affine transformation per image, with given matrices and zeros outside."""
    results = {}
    for name, shape in SHAPES.items():
        x, n = images(shape), shape[0]
        matrices = draw_matrices(n, np.random.default_rng(1))
        sides = {
            "package": lambda: affine.transform(x, matrices),
            "loop": lambda: move_images_one_by_one(x, matrices),
            "torch": in_torch(x, matrices),
            "keras": in_keras(x, matrices),
            "scipy": in_scipy(x, matrices),
            "skimage": in_skimage(x, matrices),
        }
        sides = {side: function for side, function in sides.items() if function}
        expected = sides["loop"]()
        difference = {}
        for side, function in sides.items():
            gap = np.abs(function() - expected)
            difference[side] = float(np.quantile(gap, 0.999))
            # scikit-image takes all beyond the outer pixels' centres for outside.
            assert side == "skimage" or gap.max() < 2e-3, (name, side, gap.max())
            assert np.median(gap) < 1e-5, (name, side)
        np.testing.assert_allclose(move_pixel_by_pixel(x[0], matrices[0]), expected[0], atol=1e-5)
        result = per_image(sides, n, repeats)
        pixels = race({"pixels": lambda: move_pixel_by_pixel(x[0], matrices[0])}, 3)["pixels"]
        result["seconds_per_image"]["pixels"] = pixels
        result["times_slower_than_package"]["pixels"] = (
            pixels / result["seconds_per_image"]["package"]
        )
        results[name] = {"shape": shape, **result, "difference_from_loop": difference}
    return results


def time_chain(repeats):
    """Race flip, zoom, rotation, shift and brightness, random numbers included."""
    x = images(SHAPES["CIFAR-10"])
    n, rng = len(x), np.random.default_rng(2)
    steps = (Flip(), Zoom(FACTORS), Rotate(ANGLE), Shift(PIXELS, whole=False), Brightness(LIGHT))
    chain = Compose(*steps)

    def step_by_step():
        y = x
        for step in steps:
            y = step(y, rng)
        return y

    def with_torch():
        y = torch.from_numpy(in_torch(x, draw_matrices(n, rng))())
        light = torch.from_numpy(rng.uniform(*LIGHT, (n, 1, 1, 1)).astype(np.float32))
        return y.mul_(light).clamp_(0, 1).numpy()

    def with_skimage():
        light = rng.uniform(*LIGHT, (n, 1, 1, 1)).astype(np.float32)
        return (in_skimage(x, draw_matrices(n, rng))() * light).clip(0, 1)

    sides = {
        "package": lambda: chain(x, rng),
        "one_by_one": step_by_step,
        "loop": lambda: augment_one_by_one(x, rng),
    }
    if torch:
        sides["torch"] = with_torch
    layers = keras_layers()
    if layers:
        images_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        sides["keras"] = lambda: np.asarray(layers(images_last, training=True))
    if in_skimage(x, draw_matrices(n, rng)):
        sides["skimage"] = with_skimage
    means = {side: float(function().mean()) for side, function in sides.items()}
    # Other random numbers, but the same ranges; who samples step by step loses more at the edges.
    assert max(means.values()) - min(means.values()) < 0.06, means
    return {"shape": x.shape, **per_image(sides, n, repeats)}


def time_copies(repeats):
    """Race flips and shifts by whole pixels, which need no arithmetic."""
    x = images(SHAPES["CIFAR-10"])
    chain = Compose(Flip(), Shift(PIXELS))
    same = chain(x, np.random.default_rng(3))
    assert set(np.unique(same)) <= {0, *np.unique(x)}
    rng = np.random.default_rng(3)
    sides = {"package": lambda: chain(x, rng), "loop": lambda: flip_and_shift_one_by_one(x, rng)}
    return {"shape": x.shape, **per_image(sides, len(x), repeats)}


def time_each(repeats):
    """Race the transformations of the package with each other."""
    x, rng = images(SHAPES["CIFAR-10"]), np.random.default_rng(4)
    steps = {
        "flip": Flip(),
        "crop": Crop(PIXELS),
        "rotate": Rotate(ANGLE),
        "rotate, edge": Rotate(ANGLE, mode="edge"),
        "rotate, reflect": Rotate(ANGLE, mode="reflect"),
        "zoom": Zoom(FACTORS),
        "brightness": Brightness(LIGHT),
        "cutout": Cutout(8),
    }
    seconds = race({name: lambda step=step: step(x, rng) for name, step in steps.items()}, repeats)
    return {
        "shape": x.shape,
        "seconds_per_image": {name: t / len(x) for name, t in seconds.items()},
    }


# --- Running and reporting -----------------------------------------------------------------------


def versions():
    """Return the versions of the packages that are compared with."""
    found = {}
    for name, package in VERSIONS.items():
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def report(record):
    """Print the tables."""
    races = {f"one sampling, {name}": row for name, row in record["sampling"].items()}
    races |= {
        "flip, zoom, rotate, shift, brightness": record["chain"],
        "flip, whole shift": record["copies"],
    }
    for title, row in races.items():
        print_table(
            [title, "µs per image", "times the package"],
            [
                [NAMES[side], f"{1e6 * t:.1f}", f"{row['times_slower_than_package'][side]:.2f}"]
                for side, t in row["seconds_per_image"].items()
            ],
        )
    print_table(
        ["each transformation", "µs per image"],
        [[name, f"{1e6 * t:.1f}"] for name, t in record["each"]["seconds_per_image"].items()],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="how often each side runs")
    parser.add_argument("--save", action="store_true", help=f"record in {TARGET.name}")
    arguments = parser.parse_args()
    record = {
        "machine": machine() | {"packages": versions()},
        "sampling": time_sampling(arguments.repeats),
        "chain": time_chain(arguments.repeats),
        "copies": time_copies(arguments.repeats),
        "each": time_each(arguments.repeats),
    }
    report(record)
    if arguments.save:
        write(record, TARGET)
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
