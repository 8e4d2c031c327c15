"""Record the timings that chapter 3-1 plots, in book/data/convolution_timings.json.

    python benchmarks/record_chapter_3_1.py

Timings differ between machines and from run to run; the chapter reads the recorded ones, so that
its plots and its text agree wherever the book is built.
"""

from unittest import mock

from timing import DATA, machine, race, torch, write  # sets one thread: first

import numpy as np

from convbook import functional, plain
from convbook.kernels import blocks, columns
from convbook.kernels.geometry import Geometry

if torch:
    import torch.nn.functional as torch_functional

TARGET = DATA / "convolution_timings.json"
SIZES = (8, 16, 32, 64, 128, 256, 512)
IMAGES_PER_BLOCK = (1, 2, 4, 8, 16, 32, 64)
BATCH, FILTERS = (64, 16, 32, 32), (16, 16, 3, 3)


def windows_by_output(x, size):
    """Copy the window of every output cell: OH·OW turns. Shape (OH, OW, FH, FW)."""
    oh, ow = x.shape[0] - size + 1, x.shape[1] - size + 1
    windows = np.empty((oh, ow, size, size), x.dtype)
    for top in range(oh):
        for left in range(ow):
            windows[top, left] = x[top : top + size, left : left + size]
    return windows


def windows_by_filter(x, size):
    """Copy what every cell of the filter sees: FH·FW turns. Shape (FH, FW, OH, OW)."""
    oh, ow = x.shape[0] - size + 1, x.shape[1] - size + 1
    seen = np.empty((size, size, oh, ow), x.dtype)
    for down in range(size):
        for right in range(size):
            seen[down, right] = x[down : down + oh, right : right + ow]
    return seen


def record_two_ways(size=3):
    """Time both ways to build the windows of one square matrix, for growing matrices."""
    by_output, by_filter = [], []
    for height in SIZES:
        x = np.random.default_rng(0).standard_normal((height, height), np.float32)
        assert (
            windows_by_output(x, size) == windows_by_filter(x, size).transpose(2, 3, 0, 1)
        ).all()
        times = race(
            {
                "output": lambda: windows_by_output(x, size),
                "filter": lambda: windows_by_filter(x, size),
            },
            repeats=max(9, 20_000 // height**2),
        )
        by_output.append(times["output"])
        by_filter.append(times["filter"])
    return {
        "filter_size": size,
        "sizes": SIZES,
        "loop_over_output_seconds": by_output,
        "loop_over_filter_seconds": by_filter,
        "times_faster": [o / f for o, f in zip(by_output, by_filter)],
    }


def record_blocks(repeats=31):
    """Time the convolution of a batch with all columns at once, in blocks, and by PyTorch."""
    rng = np.random.default_rng(0)
    x, f = rng.standard_normal(BATCH, np.float32), rng.standard_normal(FILTERS, np.float32)
    b = np.zeros(FILTERS[0], np.float32)
    n, c, h, w = BATCH
    columns_of_image = h * w * c * FILTERS[2] * FILTERS[3] * x.itemsize
    geometry = Geometry(FILTERS[2:], (h, w), padding=((1, 1), (1, 1)))

    def in_blocks(images):
        # BLOCK_BYTES counts the columns and the products of a block.
        block_bytes = images * (columns_of_image + h * w * FILTERS[0] * x.itemsize)
        with mock.patch.object(blocks, "BLOCK_BYTES", block_bytes):
            return columns.correlate(np, x, f, None, x.dtype, geometry)

    sides = {
        "full": lambda: plain.conv2d_by_columns(x, f, b, 1, 1)[0],
        "package": lambda: functional.conv2d(x, f, padding=1),
    }
    sides |= {images: (lambda images=images: in_blocks(images)) for images in IMAGES_PER_BLOCK}
    if torch:
        tx, tf = torch.from_numpy(x), torch.from_numpy(f)
        sides["torch"] = lambda: torch_functional.conv2d(tx, tf, padding=1)
    for side in sides.values():
        np.testing.assert_allclose(side(), sides["full"](), atol=1e-3)
    milliseconds = {side: 1e3 * t for side, t in race(sides, repeats).items()}
    return {
        "x_shape": BATCH,
        "f_shape": FILTERS,
        "padding": 1,
        "dtype": "float32",
        "im2col_in_full": {
            "milliseconds": milliseconds["full"],
            "column_bytes": n * columns_of_image,
        },
        "blocks": [
            {
                "images": images,
                "milliseconds": milliseconds[images],
                "column_bytes": images * columns_of_image,
            }
            for images in IMAGES_PER_BLOCK
        ],
        "package": {"milliseconds": milliseconds["package"], "block_bytes": blocks.BLOCK_BYTES},
        "pytorch": {"milliseconds": milliseconds["torch"]} if torch else None,
    }


def main():
    record = {"machine": machine(), "one_matrix": record_two_ways(), "batch": record_blocks()}
    TARGET.parent.mkdir(exist_ok=True)
    write(record, TARGET)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
