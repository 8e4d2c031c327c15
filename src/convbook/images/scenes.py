"""Street scenes, drawn: cars, buses, people and dogs, and where they are, to the pixel.

    images, boxes, labels, masks = street_scenes(1000, rng=0)
    frames = street_video(rng=0)                       # a list of `Scene`, with ids to follow

A thing is a list of shapes in coordinates of its own, from (0, 0) at its upper left to (1, 1) at
its lower right; it is drawn at the size that it has in the picture, so scenes can be made in any
size. What stands in front hides what stands behind: boxes and masks are those of the visible part.
Trees, houses and lamp posts are of no class; they are there to be taken for something.
"""

from typing import NamedTuple

import numpy as np

from .. import checks
from .shapes import ellipse, paint, polygon, rectangle

CLASSES = ("car", "bus", "person", "dog")
HEIGHTS = (13, 21, 22, 11)  # in the middle distance, where the picture is 64 pixels high
WIDTHS = (2.0, 1.8, 0.46, 1.35)  # times the height
SPEEDS = (1.8, 1.4, 0.75, 1.1)  # pixels per frame, at that size
LEAST_VISIBLE = 0.25  # the share of a thing that must be seen for it to count as there,
LEAST_PIXELS = 12  # and its area, where the picture is 64 pixels high

GLASS, TYRE, HUB = (0.72, 0.87, 0.95), (0.09, 0.09, 0.11), (0.72, 0.72, 0.74)
LAMP, BACK_LAMP = (1.0, 0.94, 0.6), (0.85, 0.1, 0.1)
PAINTS = np.array(
    [(0.83, 0.15, 0.16), (0.14, 0.36, 0.78), (0.95, 0.74, 0.12), (0.92, 0.92, 0.94),
     (0.14, 0.56, 0.35), (0.52, 0.22, 0.58), (0.94, 0.49, 0.14), (0.2, 0.21, 0.26),
     (0.28, 0.71, 0.79)]
)  # fmt: skip
FURS = np.array([(0.55, 0.35, 0.18), (0.84, 0.69, 0.45), (0.24, 0.2, 0.18), (0.88, 0.86, 0.8)])
SKINS = np.array([(0.96, 0.8, 0.68), (0.78, 0.57, 0.42), (0.45, 0.3, 0.22)])
HAIRS = np.array([(0.16, 0.1, 0.07), (0.42, 0.26, 0.12), (0.83, 0.66, 0.35), (0.55, 0.55, 0.57)])
TROUSERS = np.array([(0.2, 0.26, 0.42), (0.3, 0.3, 0.32), (0.48, 0.4, 0.3), (0.14, 0.15, 0.18)])


class Scene(NamedTuple):
    """A picture and what is in it, from far to near.

    Attributes
    ----------
    image : array (3, H, W), float32 from 0 to 1
    boxes : array (K, 4), float32
        (y0, x0, y1, x1): the edges of the visible part, in pixels.
    labels : array (K,) of int64
        Positions in `CLASSES`.
    masks : array (K, H, W) of booleans
        The pixels that are seen of each thing; no pixel belongs to two.
    ids : array (K,) of int64
        Which thing it is; it keeps its number through a video.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    ids: np.ndarray


# --- Scenes --------------------------------------------------------------------------------------


def street_scene(rng=None, size=64, least=1, most=4, grain=0.03):
    """Draw a street at random, with some things on it.

    Parameters
    ----------
    rng : int or numpy.random.Generator
        The same gives the same scene.
    size : int or (H, W)
        At least 16 pixels.
    least, most : int
        How many things are drawn; so many can be seen, or fewer, but at least one if `least` is not
        0. Things that are hidden, or outside, by more than three quarters do not count.
    grain : float
        The deviation of the noise that a camera adds; 0 for none.

    Returns
    -------
    Scene
    """
    rng, size = checks.generator("rng", rng), picture_size(size)
    least = checks.integer("least", least, least=0)
    most = checks.integer("most", most, least=max(least, 1))
    grain = checks.number("grain", grain, least=0)
    while True:
        things = [Thing(rng) for _ in range(rng.integers(least, most + 1))]
        places = [(rng.uniform(0.08, 0.92), rng.uniform(0.45, 0.98)) for _ in things]
        scene = compose(street(rng, size), things, places, rng, grain)
        if len(scene.boxes) >= min(least, 1):
            return scene


def street_queue(rng=None, size=64, count=7, grain=0.03):
    """Draw people and dogs that queue at the far side of the road, small and close together.

    Where a cell of a grid can answer for one thing only, most of these cannot be found.

    Parameters
    ----------
    rng, size, grain
        As in `street_scene`.
    count : int
        How many there are; some may be hidden.
    """
    rng, size = checks.generator("rng", rng), picture_size(size)
    count = checks.integer("count", count, least=1)
    share = size[0] / size[1]  # a step is as long in a wide picture as in a square one
    first, step = rng.uniform(0.12, 0.3), rng.uniform(5, 7) / 64 * share
    things = [Thing(rng, rng.choice([2, 2, 3]), rng.uniform(0.85, 1)) for _ in range(count)]
    places = [
        (first + step * i + (thing.label == 3) * 3 / 64 * share, rng.uniform(0.46, 0.56))
        for i, thing in enumerate(things)
    ]
    return compose(street(rng, size), things, places, rng, grain)


def street_scenes(n, rng=None, size=64, draw=street_scene, **options):
    """Draw many scenes, to learn from.

    Parameters
    ----------
    n : int
        How many.
    rng : int or numpy.random.Generator
    size : int or (H, W)
    draw : function
        `street_scene` or `street_queue`.
    **options
        What that function takes besides.

    Returns
    -------
    images : array (n, 3, H, W), float32
    boxes, labels, masks : lists
        Of each scene what `Scene` holds.
    """
    rng = checks.generator("rng", rng)
    drawn = [draw(rng, size, **options) for _ in range(checks.integer("n", n, least=1))]
    images = np.stack([scene.image for scene in drawn])
    return images, *([getattr(s, part) for s in drawn] for part in ("boxes", "labels", "masks"))


def class_maps(labels, masks):
    """Return the class of every pixel: 0 where nothing is, k + 1 where a thing of class k is seen.

    Parameters
    ----------
    labels, masks : lists with an entry for each scene, as `street_scenes` returns them

    Returns
    -------
    array (N, H, W) of int64 (int32 where Python has 32 bits, as in a browser)
    """
    labels, masks = list(labels), list(masks)
    if not masks or len(labels) != len(masks):
        raise ValueError(
            f"labels and masks must be of as many scenes, at least 1, got {len(labels)} and "
            f"{len(masks)}"
        )
    return np.stack(
        [
            ((np.asarray(k)[:, None, None] + 1) * m).sum(axis=0, dtype=np.intp)
            for k, m in zip(labels, masks)
        ]
    )


def street_video(rng=None, frames=40, size=64, count=6, grain=0.01):
    """Draw a short film: things drive, walk and run past each other in front of a camera at rest.

    Parameters
    ----------
    rng, size
        As in `street_scene`.
    frames : int
    count : int
        How many things there are; some come in later, and some leave.
    grain : float
        The deviation of the noise, which is another one in each frame.

    Returns
    -------
    list of Scene
        Their `ids` are the truth for tracking: each thing has its number throughout, also after
        it was hidden for a while.
    """
    rng, size = checks.generator("rng", rng), picture_size(size)
    frames = checks.integer("frames", frames, least=1)
    count = checks.integer("count", count, least=1)
    labels = rng.permutation(np.resize([0, 2, 1, 3, 0, 2], count))
    lanes = rng.permutation(np.linspace(0.58, 0.98, count))
    cast = []
    for label, lane in zip(labels, lanes):
        thing = Thing(rng, label, rng.uniform(0.95, 1.1))
        speed = SPEEDS[label] * rng.uniform(0.8, 1.2) / 64 * size[0] / size[1]
        start = rng.uniform(-0.15, 0.4)
        cast.append((thing, (1 - start, -speed) if thing.flipped else (start, speed), lane))
    background, film = street(rng, size), []
    for frame in range(frames):
        for thing, _, _ in cast:
            thing.pace = 0.9 * frame
        places = [
            (x + speed * frame, lane + 0.005 * np.sin(1.3 * frame) * (thing.label > 1))
            for thing, (x, speed), lane in cast
        ]
        film.append(compose(background, [thing for thing, *_ in cast], places, rng, grain))
    return film


def picture_size(size):
    """Return the size of a picture as (H, W)."""
    return checks.pair("size", size, least=16)


# --- Putting things into a picture ---------------------------------------------------------------


class Thing:
    """A car, a bus, a person or a dog, with colours of its own.

    Parameters
    ----------
    rng : numpy.random.Generator
    label : int, optional
        Its class; any if not given.
    scale : float, optional
        Its size, times the usual one of its class.

    Attributes
    ----------
    flipped : bool
        Looks and moves to the left.
    pace : float
        Where in its step it is, in radians.
    """

    def __init__(self, rng, label=None, scale=None):
        self.label = int(rng.integers(len(CLASSES)) if label is None else label)
        self.height = HEIGHTS[self.label] * (rng.uniform(0.85, 1.25) if scale is None else scale)
        self.width = self.height * WIDTHS[self.label] * rng.uniform(0.92, 1.08)
        self.flipped = bool(rng.integers(2))
        self.pace = rng.uniform(0, 2 * np.pi)
        colours = FURS if CLASSES[self.label] == "dog" else PAINTS
        self.body = np.clip(some(rng, colours) + rng.normal(0, 0.03, 3), 0, 1)
        self.second = some(rng, TROUSERS if CLASSES[self.label] == "person" else PAINTS)
        self.skin, self.hair = some(rng, SKINS), some(rng, HAIRS)

    def shapes(self):
        """Return its shapes from back to front, each with its colour."""
        return (car, bus, person, dog)[self.label](self)


def some(rng, colours):
    """Return one of the colours."""
    return colours[rng.integers(len(colours))]


def nearness(base):
    """Return how much larger things are whose feet stand at this share of the height."""
    return 0.65 + 0.75 * (base - 0.4) / 0.55


def compose(background, things, places, rng, grain):
    """Draw things into a picture, what is far first.

    Parameters
    ----------
    background : array (H, W, 3)
    things : list of Thing
    places : list of (x, y)
        Where their feet are, as shares of the width and the height.
    rng : numpy.random.Generator
    grain : float

    Returns
    -------
    Scene
    """
    image, (h, w) = background.copy(), background.shape[:2]
    owner, whole = np.full((h, w), -1), {}
    order = sorted(range(len(things)), key=lambda i: places[i][1])
    for i in order:
        thing, (x, y) = things[i], places[i]
        zoom = nearness(y) * h / 64
        high, wide = thing.height * zoom, thing.width * zoom
        frame = (y * h - high, x * w - wide / 2, high, wide)
        paint(image, [(ellipse(0.5, 0.985, 0.5, 0.05), (0.1, 0.1, 0.12))], frame, strength=0.45)
        cover = paint(image, thing.shapes(), frame, thing.flipped)
        owner[cover.inside(image) > 0.5] = i
        whole[i] = (cover.alpha > 0.5).sum()
    least = max(4, LEAST_PIXELS * (h / 64) ** 2)
    masks = {i: owner == i for i in order}
    seen = [i for i in order if masks[i].sum() >= max(least, LEAST_VISIBLE * whole[i])]
    grey, colour = rng.normal(0, grain, (h, w, 1)), rng.normal(0, grain / 2, (h, w, 3))
    return Scene(
        np.clip(image + grey + colour, 0, 1).transpose(2, 0, 1).astype(np.float32),
        np.array([box_around(masks[i]) for i in seen], np.float32).reshape(-1, 4),
        np.array([things[i].label for i in seen], np.intp),
        np.array([masks[i] for i in seen], bool).reshape(-1, h, w),
        np.array(seen, np.intp),
    )


def box_around(mask):
    """Return (y0, x0, y1, x1), the edges around the pixels of a mask."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


# --- What things look like -----------------------------------------------------------------------


def wheel(x, y, radius, ratio):
    """Return the shapes of a wheel; `ratio` is the width of its thing by the height."""
    return [
        (ellipse(x, y, radius / ratio, radius), TYRE),
        (ellipse(x, y, 0.45 * radius / ratio, 0.45 * radius), HUB),
    ]


def car(thing):
    """Return the shapes of a car that drives to the right."""
    dark = thing.body * 0.72
    return [
        (polygon((0.18, 0.5), (0.3, 0.14), (0.64, 0.14), (0.84, 0.5)), thing.body),
        (polygon((0.02, 0.52), (0.08, 0.44), (0.9, 0.46), (0.98, 0.56), (0.98, 0.8), (0.02, 0.8)),
         thing.body),
        (rectangle(0.02, 0.7, 0.98, 0.8), dark),
        (polygon((0.25, 0.46), (0.325, 0.21), (0.46, 0.21), (0.46, 0.46)), GLASS),
        (polygon((0.5, 0.46), (0.5, 0.21), (0.62, 0.21), (0.755, 0.46)), GLASS),
        (rectangle(0.475, 0.46, 0.485, 0.72), dark),
        (rectangle(0.5, 0.53, 0.56, 0.56), dark),
        (rectangle(0.92, 0.53, 0.98, 0.62), LAMP),
        (rectangle(0.02, 0.53, 0.055, 0.62), BACK_LAMP),
        *wheel(0.22, 0.81, 0.185, 2), *wheel(0.77, 0.81, 0.185, 2),
    ]  # fmt: skip


def bus(thing):
    """Return the shapes of a bus that drives to the right."""
    windows = [(rectangle(x, 0.16, x + 0.135, 0.45), GLASS) for x in (0.06, 0.23, 0.4, 0.57)]
    return [
        (rectangle(0.02, 0.06, 0.98, 0.87), thing.body),
        (rectangle(0.02, 0.04, 0.98, 0.08), thing.body * 0.8),
        (rectangle(0.02, 0.56, 0.98, 0.65), thing.second),
        (rectangle(0.02, 0.8, 0.98, 0.87), thing.body * 0.65),
        *windows,
        (rectangle(0.75, 0.16, 0.87, 0.8), GLASS),
        (rectangle(0.805, 0.16, 0.815, 0.8), thing.body * 0.7),
        (rectangle(0.905, 0.16, 0.98, 0.5), GLASS),
        (rectangle(0.935, 0.69, 0.98, 0.77), LAMP),
        (rectangle(0.02, 0.69, 0.045, 0.77), BACK_LAMP),
        *wheel(0.21, 0.87, 0.125, 1.8), *wheel(0.68, 0.87, 0.125, 1.8),
    ]  # fmt: skip


def person(thing):
    """Return the shapes of a person who walks to the right."""
    step, shoe = 0.24 * np.sin(thing.pace), (0.16, 0.13, 0.12)
    sleeve = thing.body * 0.85

    def leg(x):
        return polygon((0.38, 0.56), (0.62, 0.56), (0.59 + x, 0.95), (0.41 + x, 0.95))

    def arm(x):
        return polygon((0.42, 0.26), (0.58, 0.26), (0.57 + x, 0.55), (0.45 + x, 0.55))

    return [
        (arm(step), sleeve),
        (leg(-step), thing.second * 0.8),
        (rectangle(0.4 - step, 0.94, 0.68 - step, 0.985), shoe),
        (leg(step), thing.second),
        (rectangle(0.4 + step, 0.94, 0.68 + step, 0.985), shoe),
        (polygon((0.24, 0.25), (0.74, 0.25), (0.71, 0.6), (0.29, 0.6)), thing.body),
        (ellipse(0.5, 0.255, 0.25, 0.05), thing.body),
        (arm(-step), sleeve),
        (ellipse(0.51 - step, 0.57, 0.075, 0.03), thing.skin),
        (rectangle(0.43, 0.18, 0.57, 0.24), thing.skin * 0.9),
        (ellipse(0.52, 0.125, 0.235, 0.105), thing.skin),
        (ellipse(0.66, 0.125, 0.03, 0.013), TYRE),
        (ellipse(0.46, 0.085, 0.25, 0.08), thing.hair),
        (ellipse(0.35, 0.13, 0.12, 0.08), thing.hair),
    ]


def dog(thing):
    """Return the shapes of a dog that runs to the right."""
    fur, dark, step = thing.body, thing.body * 0.72, 0.09 * np.sin(thing.pace)

    def leg(x, step):
        return polygon((x, 0.55), (x + 0.1, 0.55), (x + 0.09 + step, 0.98), (x + 0.01 + step, 0.98))

    return [
        (leg(0.24, -step), dark), (leg(0.5, step), dark),
        (polygon((0.02, 0.16), (0.09, 0.12), (0.24, 0.4), (0.15, 0.52)), fur),
        (leg(0.14, step), fur), (leg(0.58, -step), fur),
        (ellipse(0.4, 0.5, 0.3, 0.2), fur),
        (polygon((0.52, 0.36), (0.66, 0.16), (0.8, 0.4), (0.68, 0.6)), fur),
        (ellipse(0.75, 0.29, 0.16, 0.19), fur),
        (ellipse(0.89, 0.37, 0.1, 0.095), fur * 0.9 + 0.06),
        (polygon((0.6, 0.08), (0.7, 0.12), (0.7, 0.38), (0.59, 0.42)), dark),
        (ellipse(0.8, 0.25, 0.024, 0.033), TYRE), (ellipse(0.965, 0.335, 0.03, 0.036), TYRE),
        (rectangle(0.6, 0.44, 0.76, 0.49), thing.second),
    ]  # fmt: skip


# --- The street ----------------------------------------------------------------------------------

SKIES = np.array([(0.35, 0.6, 0.9), (0.53, 0.75, 0.95), (0.94, 0.66, 0.47), (0.6, 0.66, 0.74)])
WALLS = np.array([(0.8, 0.68, 0.56), (0.72, 0.5, 0.42), (0.86, 0.84, 0.78), (0.6, 0.62, 0.66)])


def street(rng, size):
    """Return a street without things, (H, W, 3): sky, hills, houses, trees, grass, the road."""
    h, w = size
    y, x = (np.arange(h)[:, None] + 0.5) / h, (np.arange(w)[None, :] + 0.5) / h  # x up to W / H
    wide = w / h
    horizon = rng.uniform(0.22, 0.34)
    top, light = some(rng, SKIES), rng.uniform(0.82, 1.05)
    image = np.empty((h, w, 3))
    image[...] = top + (np.array([0.93, 0.93, 0.94]) - top) * np.clip(y / horizon, 0, 1)[..., None]
    for _ in range(rng.integers(0, 3)):
        cloud(rng, image, horizon, wide)
    for _ in range(2):
        waves = np.sin(x * rng.uniform(3, 7) + rng.uniform(0, 6.3))
        ridge = horizon - 0.03 - 0.05 * waves - rng.uniform(0, 0.05)
        blend(image, (y - ridge) * h + 0.5, np.array([0.4, 0.54, 0.44]) * rng.uniform(0.8, 1.15))
    blend(
        image, (y - horizon + 0 * x) * h + 0.5, np.array([0.42, 0.6, 0.3]) * rng.uniform(0.85, 1.1)
    )
    road = horizon + rng.uniform(0.07, 0.14), rng.uniform(0.88, 0.97)
    for _ in range(rng.integers(0, 3)):
        house(rng, image, horizon, wide)
    for _ in range(rng.integers(0, 4)):
        tree(rng, image, rng.uniform(horizon, road[0] - 0.01), wide)
    lay_road(rng, image, *road)
    if rng.integers(2):
        lamp_post(rng, image, road[0], wide)
    return image * light


def blend(image, cover, colour):
    """Paint a colour over a picture where `cover`, (H, W), is 1; in part between 0 and 1."""
    cover = np.clip(cover, 0, 1)[..., None]
    image *= 1 - cover
    image += cover * colour


def put(image, shapes, x, base, high, wide):
    """Draw shapes whose feet stand at x and base; all lengths as shares of the picture's height."""
    h = len(image)
    paint(image, shapes, ((base - high) * h, (x - wide / 2) * h, high * h, wide * h))


def cloud(rng, image, horizon, wide):
    """Draw a cloud of three balls."""
    balls = ((0.3, 0.65, 0.28, 0.32), (0.55, 0.45, 0.3, 0.42), (0.76, 0.66, 0.24, 0.3))
    puffs = [ellipse(*ball) for ball in balls]
    high = rng.uniform(0.03, 0.07)
    place = rng.uniform(0, wide), rng.uniform(0.4, 0.75) * horizon
    put(image, [(puff, (0.97, 0.97, 0.98)) for puff in puffs], *place, high, 3.2 * high)


def house(rng, image, horizon, wide):
    """Draw a house with a roof, windows and a door."""
    wall, roof = some(rng, WALLS), np.array([0.5, 0.26, 0.2]) * rng.uniform(0.7, 1.2)
    high = rng.uniform(0.13, 0.24)
    pane = GLASS if rng.integers(2) else np.array([0.3, 0.38, 0.48])
    panes = [rectangle(x, y, x + 0.16, y + 0.17) for x in (0.13, 0.42, 0.71) for y in (0.42, 0.7)]
    shapes = [
        (rectangle(0.04, 0.3, 0.96, 1), wall),
        (polygon((0, 0.33), (0.2, 0.02), (0.8, 0.02), (1, 0.33)), roof),
        *[(p, pane) for p in panes],
        (rectangle(0.42, 0.7, 0.58, 1), roof * 0.7),
    ]
    place = rng.uniform(0, wide), horizon + rng.uniform(0.0, 0.04)
    put(image, shapes, *place, high, high * rng.uniform(0.9, 1.4))


def tree(rng, image, base, wide):
    """Draw a tree; round, or a fir."""
    leaves, high = np.array([0.17, 0.42, 0.21]) * rng.uniform(0.8, 1.3), rng.uniform(0.14, 0.26)
    trunk = (rectangle(0.42, 0.6, 0.58, 1), (0.36, 0.25, 0.17))
    if rng.integers(2):
        crown = [
            (ellipse(0.5, 0.36, 0.5, 0.36), leaves),
            (ellipse(0.4, 0.28, 0.28, 0.2), leaves * 1.12),
        ]
    else:
        crown = [(polygon((0.5, y), (1 - s, y + 0.36), (s, y + 0.36)), leaves * (1 - 0.1 * i))
                 for i, (y, s) in enumerate(((0.42, 0.02), (0.22, 0.1), (0.0, 0.2)))]  # fmt: skip
    put(image, [trunk, *crown], rng.uniform(0, wide), base, high, 0.62 * high)


def lamp_post(rng, image, base, wide):
    """Draw a lamp post, as tall and thin as a person is not."""
    shapes = [
        (rectangle(0.12, 0.06, 0.24, 1), (0.28, 0.3, 0.33)),
        (rectangle(0.12, 0.03, 0.9, 0.06), (0.28, 0.3, 0.33)),
        (rectangle(0.6, 0.055, 0.98, 0.1), LAMP),
    ]
    put(image, shapes, rng.uniform(0.05, wide - 0.05), base + 0.01, rng.uniform(0.28, 0.4), 0.09)


def lay_road(rng, image, upper, lower):
    """Draw a road with a pavement on either side and a dashed line in its middle."""
    h, w = image.shape[:2]
    tar = np.array([0.42, 0.43, 0.46]) * rng.uniform(0.85, 1.15)

    def stripe(start, stop, colour, columns=1):
        edges = np.arange(h)
        cover = np.minimum(stop * h, edges + 1) - np.maximum(start * h, edges)
        blend(image, np.clip(cover, 0, 1)[:, None] * columns, colour)

    stripe(upper - 0.035, lower + 0.04, np.array([0.7, 0.68, 0.65]) * rng.uniform(0.9, 1.1))
    stripe(upper, lower, tar)
    for edge in (upper, lower):
        stripe(edge - 0.008, edge + 0.008, (0.83, 0.83, 0.81))
    middle, shift = (upper + lower) / 2, rng.uniform()
    dashes = (np.arange(w) / h * 7 + shift) % 1 < 0.55
    stripe(middle - 0.009, middle + 0.009, (0.95, 0.95, 0.9), dashes)
