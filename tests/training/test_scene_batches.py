"""Mini-batches of scenes: pictures, boxes and masks stay together, also when they are flipped."""

import numpy as np
import pytest

from convbook.detection import boxes_of_masks
from convbook.images.scenes import street_scenes
from convbook.training.scenes import SceneBatches, flipped

SCENES = street_scenes(6, rng=0, size=32)


def test_what_belongs_together_stays_together():
    batches = SceneBatches(*SCENES, batch_size=3, steps=8, seed=0)
    assert len(batches) == 8 and repr(batches) == "SceneBatches(8 of 3 of 6 scenes)"
    known = {image.tobytes() for image in SCENES[0]}
    turned = 0
    for images, boxes, labels, masks in batches:
        assert images.shape == (3, 3, 32, 32) and len({i.tobytes() for i in images}) == 3
        turned += images[0].tobytes() not in known
        for image, of_image, own, cut in zip(images, boxes, labels, masks):
            np.testing.assert_array_equal(of_image, boxes_of_masks(cut))
            assert len(own) == len(cut)
            assert image.tobytes() in known or image[..., ::-1].tobytes() in known
    assert 0 < turned < 8


def test_the_same_seed_draws_the_same():
    def first(seed):
        return next(iter(SceneBatches(*SCENES, batch_size=4, seed=seed)))[0]

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))
    twice = SceneBatches(*SCENES, batch_size=4, steps=1, seed=0)
    assert not np.array_equal(next(iter(twice))[0], next(iter(twice))[0])  # each epoch anew


def test_flipped_twice_is_the_same():
    again = flipped(*flipped(*SCENES))
    for ours, theirs in zip(again, SCENES):
        for a, b in zip(ours, theirs):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"boxes": SCENES[1][:2]}, "boxes must have an entry for each of 6"),
     ({"batch_size": 7}, "batch_size must be at most"), ({"batch_size": 0}, "batch_size"),
     ({"steps": 0}, "steps"), ({"images": SCENES[0][0]}, "images"), ({"seed": -1}, "seed")],
)  # fmt: skip
def test_bad_input(change, message):
    arguments = dict(zip(("images", "boxes", "labels", "masks"), SCENES)) | change
    with pytest.raises((TypeError, ValueError), match=message):
        SceneBatches(**{"batch_size": 2} | arguments)
