"""Street scenes as figures show them: the picture, what is in it, and what a detector might say."""

from copy import deepcopy
from functools import cache

import numpy as np
import traitlets

from convbook.detection import iou
from convbook.images.scenes import CLASSES, Scene, street_queue, street_scene

from .packed import picture_url

SIDE = 64  # the height of a picture in the pixels that its boxes are told in
DRAWN = 128  # and in the pixels that it is drawn in
DEFAULT = {
    "a street": (street_scene, 7),
    "close together": (street_scene, 3),
    "a queue": (street_queue, 1),
}


def png_url(image):
    """Return a picture (3, H, W) from 0 to 1 as an address that holds the picture itself, a PNG."""
    pixels = np.rint(np.asarray(image).transpose(1, 2, 0) * 255).astype(np.uint8)
    return picture_url(pixels, "PNG", optimize=True)


def scene_for_page(scene):
    """Return a `Scene` as a page reads it, its boxes as if it were 64 pixels high."""
    _, height, width = scene.image.shape
    boxes = np.round(scene.boxes * (SIDE / height), 2).astype(float)
    return {
        "url": png_url(scene.image),
        "height": SIDE,
        "width": round(SIDE * width / height, 2),
        "boxes": boxes.tolist(),
        "names": [CLASSES[k] for k in scene.labels],
    }


@cache
def default_scenes():
    """Return the scenes that figures show if they are given none, by name."""
    return {
        name: scene_for_page(draw(seed, DRAWN, grain=0)) for name, (draw, seed) in DEFAULT.items()
    }


def scenes_for_page(scenes):
    """Return scenes by name as a page reads them.

    Raises
    ------
    TypeError, ValueError
        If this is no dict of `Scene`, or is empty.
    """
    if not isinstance(scenes, dict) or not all(isinstance(s, Scene) for s in scenes.values()):
        raise TypeError(
            "scenes must be a dict of scenes by name, as convbook.images.scenes.street_scene "
            f"returns them, got {type(scenes).__name__}"
        )
    if not scenes or not all(len(scene.boxes) for scene in scenes.values()):
        raise ValueError("scenes must hold at least one scene, and each of them at least one thing")
    return {str(name): scene_for_page(scene) for name, scene in scenes.items()}


def guesses(scene, seed=0):
    """Return what a detector that has learnt something might say: boxes, scores and names.

    Several boxes near each thing, the better the higher their scores, one of them with the name of
    another class; and a few on nothing, with low scores.
    """
    rng, truth = np.random.default_rng(seed), np.asarray(scene["boxes"])
    found = []
    for box, name in zip(truth, scene["names"]):
        size = np.tile(box[2:] - box[:2], 2)
        for i in range(4):
            guess = np.round(box + rng.normal(0, 0.1, 4) * size, 1)
            if (guess[2:] - guess[:2] > 1).all():
                score = np.clip(
                    0.35 + 0.6 * float(iou(guess, box)) + rng.normal(0, 0.06), 0.2, 0.99
                )
                others = [other for other in CLASSES if other != name]
                called = others[rng.integers(len(others))] if i == 3 else name
                found.append((guess, score * (0.8 if i == 3 else 1), called))
    for _ in range(3):
        corner = rng.uniform(0, 0.7, 2) * (scene["height"], scene["width"])
        guess = np.round(np.concatenate([corner, corner + rng.uniform(8, 18, 2)]), 1)
        found.append((guess, rng.uniform(0.08, 0.3), CLASSES[rng.integers(len(CLASSES))]))
    found.sort(key=lambda entry: -entry[1])
    return [
        {"box": box.tolist(), "score": round(float(score), 3), "name": name}
        for box, score, name in found
    ]


class OnScenes(traitlets.HasTraits):
    """What figures on street scenes share: the scenes by name, and which of them is shown."""

    scenes = traitlets.Dict(read_only=True).tag(sync=True)
    scene = traitlets.Unicode().tag(sync=True)

    def set_scenes(self, scenes):
        """Take the scenes to choose from, or the book's own for None."""
        given = deepcopy(default_scenes()) if scenes is None else scenes_for_page(scenes)
        self.set_trait("scenes", given)

    @traitlets.validate("scene")
    def _known_scene(self, proposal):
        if proposal["value"] not in self.scenes:
            raise traitlets.TraitError(
                f"scene must be one of {', '.join(map(repr, self.scenes))}; "
                f"got {proposal['value']!r}."
            )
        return proposal["value"]


class Box(traitlets.TraitType):
    """A trait that holds a box (y0, x0, y1, x1) of finite numbers, with y0 < y1 and x0 < x1."""

    def __init__(self, default, most=512, **kwargs):
        self.most = most
        super().__init__(default_value=list(default), **kwargs)

    def make_dynamic_default(self):
        return list(self.default_value)

    def validate(self, obj, value):
        try:
            box = np.asarray(value, float)
        except (TypeError, ValueError):
            box = np.zeros(0)
        if box.shape != (4,) or not (np.abs(box) <= self.most).all() or (box[2:] <= box[:2]).any():
            raise traitlets.TraitError(
                f"{self.name} must be (y0, x0, y1, x1) with y0 < y1 and x0 < x1, each within "
                f"± {self.most}; got {value!r}."
            )
        return [int(v) if float(v).is_integer() else float(v) for v in box]
