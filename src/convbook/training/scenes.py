"""Mini-batches of pictures with things in them, for `run` and a detector."""

import numpy as np

from .. import checks
from ..detection import flip_boxes


class SceneBatches:
    """Mini-batches of scenes, drawn at random, and half of them with left and right exchanged.

    Parameters
    ----------
    images : array (N, 3, H, W)
    boxes, labels, masks : lists with an entry for each image
        As `convbook.images.scenes.street_scenes` returns them.
    batch_size : int
        At most N.
    steps : int
        How many mini-batches make an epoch.
    seed : int or numpy.random.Generator
        Draws them. No scene is twice in a mini-batch.

    Raises
    ------
    TypeError, ValueError
        If the arguments don't fit each other.
    """

    def __init__(self, images, boxes, labels, masks, batch_size=8, steps=50, seed=0):
        (_, self.images) = checks.numeric_arrays(images=images)
        checks.axes("images", self.images, "NCHW")
        self.truth = boxes, labels, masks
        for name, part in zip(("boxes", "labels", "masks"), self.truth):
            if len(part) != len(self.images):
                raise ValueError(
                    f"{name} must have an entry for each of {len(self.images)} images, got "
                    f"{len(part)}"
                )
        self.batch_size = checks.integer("batch_size", batch_size, least=1)
        if self.batch_size > len(self.images):
            raise ValueError(
                f"batch_size must be at most the number of images, {len(self.images)}, got "
                f"{batch_size}"
            )
        self.steps = checks.integer("steps", steps, least=1)
        self._rng = checks.generator("seed", seed)

    def __len__(self):
        return self.steps

    def __iter__(self):
        for _ in range(self.steps):
            chosen = self._rng.choice(len(self.images), self.batch_size, replace=False)
            batch = self.images[chosen], *([part[i] for i in chosen] for part in self.truth)
            yield flipped(*batch) if self._rng.integers(2) else batch

    def __repr__(self):
        return f"SceneBatches({self.steps} of {self.batch_size} of {len(self.images)} scenes)"


def flipped(images, boxes, labels, masks):
    """Return scenes with left and right exchanged: pictures, boxes and masks together."""
    width = images.shape[3]
    return (
        images[..., ::-1],
        [flip_boxes(part, width) for part in boxes],
        labels,
        [np.asarray(part)[..., ::-1] for part in masks],
    )
