"""Draw the pictures of the chapters on the first page, in book/images/cards/.

    python scripts/draw_cards.py

Each is an SVG of a few kilobytes, in colours that can be seen on white and on black. What they show
is computed by the package: the convolution, the maxima, the way back.
"""

import math
from pathlib import Path

import numpy as np

from convbook.datasets import mnist
from convbook.datasets.plane import banana
from convbook.functional import avg_pool2d, conv2d, max_pool2d, max_pool2d_backward
from convbook.images.scenes import class_maps, street_scene
from convbook.layers import Summary
from convbook.models.evolution import SMALL

FOLDER = Path(__file__).resolve().parent.parent / "book" / "images" / "cards"
BLUE, ORANGE, GREY = "#3f7fbf", "#d9822b", "#8b949e"
WIDTH, HEIGHT = 240, 110


def rectangle(x, y, width, height, fill="none", stroke="none", opacity=1):
    """Return a rectangle as SVG."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.5" opacity="{opacity:.2g}"/>'
    )


def grid(values, x, y, cell):
    """Return a matrix as cells: blue above zero, orange below, stronger where it is larger."""
    most = np.abs(values).max()
    shapes = []
    for (row, column), value in np.ndenumerate(values):
        at = x + cell * column, y + cell * row, cell, cell
        if value:
            shapes.append(
                rectangle(
                    *at, BLUE if value > 0 else ORANGE, opacity=0.15 + 0.85 * abs(value) / most
                )
            )
        shapes.append(rectangle(*at, stroke=GREY, opacity=0.5))
    return shapes


def line(points, colour=GREY, width=2):
    """Return a line through points."""
    path = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def arrow(x, y, length=24):
    """Return an arrow to the right, or to the left if its length is negative."""
    tip, side = x + length, math.copysign(6, length)
    return [line([(x, y), (tip, y)]), line([(tip - side, y - 5), (tip, y), (tip - side, y + 5)])]


def convolution():
    square = np.zeros((6, 6))
    square[2:5, 1:4] = 1
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    y = conv2d(square[None, None], sobel[None, None])[0, 0]
    return [
        *grid(square, 20, 10, 15),
        rectangle(50, 25, 45, 45, stroke=ORANGE),
        *arrow(122, 55),
        *grid(y, 158, 25, 15),
        rectangle(188, 40, 15, 15, stroke=ORANGE),
    ]


def pooling():
    x = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]])
    y = max_pool2d(x[None, None], 2)[0, 0]
    blocks = [
        rectangle(24 + 44 * i, 11 + 44 * j, 44, 44, stroke=ORANGE) for i in (0, 1) for j in (0, 1)
    ]
    return [*grid(x, 24, 11, 22), *blocks, *arrow(126, 55), *grid(y, 162, 33, 22)]


def convolution_layer():
    blocks = [
        rectangle(20 + 15 * i, 10 + 15 * j, 45, 45, BLUE, opacity=0.14)
        for i in range(4)
        for j in range(4)
    ]
    return [
        *blocks,
        rectangle(20, 10, 90, 90, stroke=GREY),
        *arrow(146, 55, -24),
        *grid(np.ones((4, 4)), 158, 25, 15),
    ]


def pooling_layer():
    x = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]])
    dy = np.array([[2.0, 3], [4, -3]])
    dx = max_pool2d_backward(dy[None, None], x[None, None], 2)[0, 0]
    return [*grid(dx, 24, 11, 22), *arrow(150, 55, -24), *grid(dy, 162, 33, 22)]


def network():
    digit = max_pool2d(mnist().x_train[4:5], 2)[0, 0]
    shapes = [
        rectangle(15 + 5 * column, 20 + 5 * row, 5, 5, BLUE, opacity=value)
        for (row, column), value in np.ndenumerate(digit)
        if value
    ]
    for x, side, count in ((98, 40, 4), (148, 24, 6)):
        shapes += [
            rectangle(x + 4 * i, 60 - side / 2 - 4 * i, side, side, BLUE, GREY, 0.35)
            for i in range(count)
        ]
    lengths = [3, 5, 4, 9, 3, 26, 6, 3, 8, 4]
    return shapes + [
        rectangle(203, 12 + 9 * i, length, 6, ORANGE if length > 20 else GREY)
        for i, length in enumerate(lengths)
    ]


def graphics_card():
    few = [rectangle(22 + 38 * i, 36, 32, 38, ORANGE) for i in (0, 1)]
    many = [rectangle(122 + 11 * i, 12 + 11 * j, 8, 8, BLUE) for i in range(9) for j in range(8)]
    return few + many


def kinds():
    beat = [
        (
            x,
            55
            - 30 * math.exp(-(((x - 34) / 3) ** 2))
            + 9 * math.exp(-(((x - 42) / 3) ** 2))
            - 8 * math.exp(-(((x - 60) / 6) ** 2)),
        )
        for x in np.linspace(12, 76, 90)
    ]
    cube = [rectangle(172 + 7 * i, 52 - 7 * i, 40, 40, BLUE, GREY, 0.3) for i in range(4)]
    return [
        line(beat, BLUE),
        *grid(np.array([[1, 2, 1], [0, 3, 0], [2, 1, 2.0]]), 96, 30, 17),
        *cube,
    ]


def augmentation():
    house = [
        (-16, 18),
        (-16, -4),
        (0, -20),
        (16, -4),
        (16, 18),
        (8, 18),
        (8, 2),
        (-1, 2),
        (-1, 18),
        (-16, 18),
    ]
    changes = ((36, 1, 0, 0), (92, -1, 0, 0), (148, 1, 18, 0), (204, 1, 0, 10))
    shapes = []
    for i, (x, flip, degrees, down) in enumerate(changes):
        turn = math.radians(degrees)
        points = [
            (
                x + flip * (a * math.cos(turn) - b * math.sin(turn)),
                55 + down + a * math.sin(turn) + b * math.cos(turn),
            )
            for a, b in house
        ]
        shapes += [
            rectangle(x - 25, 28, 50, 54, stroke=GREY),
            line(points, BLUE if i else ORANGE, 3),
        ]
    return shapes


def transfer():
    body = [rectangle(22 + 30 * i, 20 + 6 * i, 24, 70 - 12 * i, BLUE, GREY, 0.4) for i in range(4)]
    heads = [rectangle(182, 16, 36, 24, GREY, opacity=0.5), rectangle(182, 70, 36, 24, ORANGE)]
    return [
        *body,
        line([(142, 55), (158, 55), (158, 28), (180, 28)]),
        line([(158, 55), (158, 82), (180, 82)], ORANGE),
        *heads,
    ]


def evolution():
    """Three small networks to one scale: height is rows, width is channels."""
    shapes, scale = [], 210 / 700
    for row, (name, colour) in enumerate(
        (("small AlexNet", GREY), ("small VGG", BLUE), ("small GoogLeNet", ORANGE))
    ):
        make, shape = SMALL[name]
        x, middle = 15, 20 + 35 * row
        for part in Summary(make(rng=0), shape).rows:
            if part.layer.startswith(("Conv2d", "MaxPool2d", "Linear", "Concat")):
                channels, side = part.output_shape[0], (*part.output_shape, 1)[1]
                width, height = channels * scale, max(2, side)
                if x + width > WIDTH - 10:
                    break
                shapes.append(
                    rectangle(x, middle - height / 2, width, height, colour, colour, opacity=0.55)
                )
                x += width + 2
    return shapes


def residual():
    shapes = [line([(10, 72), (230, 72)])]
    for i in range(4):
        x = 24 + 52 * i
        arc = [
            (x - 6 + 42 * k / 20, 72 - 46 * math.sin(math.pi * k / 20) ** 0.7) for k in range(21)
        ]
        shapes += [
            rectangle(x, 54 + 3 * i, 30, 36 - 6 * i, BLUE, GREY, 0.7),
            line(arc, ORANGE, 2.5),
            line([(x + 31, 62), (x + 36, 72), (x + 42, 63)], ORANGE, 2.5),
        ]
    return shapes


def u_net():
    """Draw four levels, down and up: higher where the image is larger, wider with more channels."""
    shapes = []
    for level in range(4):
        height, width, y = 34 - 8 * level, 6 + 5 * level, 4 + (0, 38, 68, 92)[level]
        left, right = 36 + 22 * level, 204 - 22 * level
        if level == 3:
            shapes.append(rectangle(108, y, 24, height, BLUE, GREY, 0.6))
            continue
        for x in (left, right):
            shapes.append(rectangle(x - width / 2, y, width, height, BLUE, GREY, 0.6))
        ends = left + width / 2 + 3, right - width / 2 - 3
        shapes.append(line([(x, y + height / 2) for x in ends], ORANGE))
    return [*shapes, *arrow(4, 21, 22), *arrow(214, 21, 22)]


def autoencoder():
    digit = avg_pool2d(mnist().x_train[7:8], 2)
    soft = conv2d(digit, np.outer([1, 2, 1], [1, 2, 1])[None, None] / 16, padding=1)
    shapes = [
        rectangle(x + 5 * column, 20 + 5 * row, 5, 5, BLUE, opacity=value)
        for x, picture in ((12, digit), (158, soft))
        for (row, column), value in np.ndenumerate(picture[0, 0])
        if value > 0.02
    ]
    funnel = [line([(88, 20), (112, 46), (112, 64), (88, 90)]),
              line([(152, 20), (128, 46), (128, 64), (152, 90)])]  # fmt: skip
    return shapes + funnel + [rectangle(116, 46 + 10 * i, 8, 8, ORANGE) for i in (0, 1)]


def landscape(x, sky, sun, hill):
    """Draw a sky with a sun over a hill, 76 pixels wide."""
    return [
        rectangle(x, 22, 76, 66, sky, GREY, 0.55),
        f'<circle cx="{x + 56}" cy="40" r="9" fill="{sun}"/>',
        f'<path d="M{x} 88V70Q{x + 24} 46 {x + 48} 68T{x + 76} 62V88Z" fill="{hill}"/>',
    ]


def pix2pix():
    return [
        *landscape(12, "#c3c8ce", "#eef0f2", "#6e7781"),
        *arrow(103, 55, 34),
        *landscape(152, BLUE, "#f2c14e", "#3f9142"),
    ]


def detection():
    """Draw the things of a street as blue pixels, row by row, and their boxes."""
    scene, side = street_scene(7, size=(28, 60), grain=0), 4
    shapes = []
    for mask, (y0, x0, y1, x1) in zip(scene.masks, side * scene.boxes):
        for row, inside in enumerate(mask):
            edges = np.flatnonzero(np.diff(inside.astype(int), prepend=0, append=0))
            for start, stop in edges.reshape(-1, 2):
                shapes.append(rectangle(side * start, side * row, side * (stop - start), side, BLUE,
                                        opacity=0.8))  # fmt: skip
        shapes.append(
            rectangle(max(x0, 1), max(y0, 1), min(x1, 239) - x0, min(y1, 109) - y0, stroke=ORANGE)
        )
    return shapes


CAR = ("..xxxx..", ".xxxxxx.", "xxxxxxxx", "xxxxxxxx", ".xx..xx.")
PERSON = (".xx.", ".xx.", "xxxx", "xxxx", "xxxx", ".xx.", ".xx.", "xx.x", "x..x")


def masks():
    """Draw two things in a frame of a film, each with its box and its mask in cells."""
    shapes = [rectangle(20, 4, 200, 102, "none", GREY)]
    shapes += [rectangle(30 + 22 * i, y, 10, 5, GREY) for i in range(9) for y in (7, 98)]
    for x, y, side, colour, rows in ((52, 32, 9, BLUE, CAR), (146, 26, 6.5, ORANGE, PERSON)):
        shapes += [
            rectangle(x + side * j, y + side * i, side, side, colour, opacity=0.85)
            for i, row in enumerate(rows)
            for j, cell in enumerate(row)
            if cell == "x"
        ]
        wide, high = side * len(rows[0]) + 6, side * len(rows) + 6
        shapes.append(rectangle(x - 3, y - 3, wide, high, "none", colour))
    return shapes


def segmentation():
    """Draw the classes of a street three times, from coarse to fine, in runs of one colour."""
    scene = street_scene(4, 64)
    (classes,) = class_maps([scene.labels], [scene.masks])
    colours = {1: BLUE, 3: ORANGE, 4: GREY}
    shapes = []
    for x, side in ((10, 8), (88, 4), (166, 2)):
        blocks = classes.reshape(64 // side, side, 64 // side, side).transpose(0, 2, 1, 3)
        for row, line_of_blocks in enumerate(blocks.reshape(64 // side, 64 // side, -1)):
            # The most frequent thing, if it has a third of the block.
            shares = np.array([(line_of_blocks == k).mean(axis=1) for k in colours])
            found = np.where(shares.max(axis=0) > 0.33, shares.argmax(axis=0), -1)
            starts = np.flatnonzero(np.diff(found, prepend=-2))
            for start, length in zip(starts, np.diff(starts, append=len(found))):
                if found[start] >= 0:
                    colour = list(colours.values())[found[start]]
                    at = x + side * start, 23 + side * row, side * length, side
                    shapes.append(rectangle(*at, colour, opacity=0.8))
        shapes.append(rectangle(x, 23, 64, 64, stroke=GREY))
    return shapes


def forger():
    rng = np.random.default_rng(3)
    real, made = banana(26, rng), banana(14, rng) * 0.8 + [0.5, 0.5]
    shapes = [
        f'<circle cx="{120 + 34 * x:.1f}" cy="{72 - 26 * y:.1f}" r="4" fill="{BLUE}"/>'
        for x, y in real
    ]
    for x, y in made:
        a, b = 120 + 34 * x, 72 - 26 * y
        points = [(a, b - 5), (a + 5, b), (a, b + 5), (a - 5, b), (a, b - 5)]
        shapes.append(line(points, ORANGE, 2.5))
    return shapes


def speed():
    ticks = [
        line([(120 + r * math.cos(a), 60 + r * math.sin(a)) for r in (34, 39)])
        for a in np.arange(12) * math.pi / 6
    ]
    return [
        f'<circle cx="120" cy="60" r="42" fill="none" stroke="{BLUE}" stroke-width="4"/>',
        rectangle(114, 6, 12, 10, BLUE),
        *ticks,
        line([(120, 60), (140, 36)], ORANGE, 4),
    ]


CARDS = {
    "3-1": convolution,
    "3-2": pooling,
    "3-3": convolution_layer,
    "3-4": pooling_layer,
    "3-5-1": network,
    "3-5-2": graphics_card,
    "3-6-1": kinds,
    "3-6": augmentation,
    "3-6-2": transfer,
    "3-7-1": evolution,
    "3-7": residual,
    "3-8-1": autoencoder,
    "3-8": u_net,
    "3-9-1": forger,
    "3-9": pix2pix,
    "3-10-1": detection,
    "3-10-2": segmentation,
    "3-10": masks,
    "speed": speed,
}


def svg(name):
    """Return the picture of a chapter as the text of an SVG file."""
    shapes = "\n".join(CARDS[name]())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f"{shapes}\n</svg>\n"
    )


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in CARDS:
        (FOLDER / f"{name}.svg").write_text(svg(name), encoding="utf-8")
