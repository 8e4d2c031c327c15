"""Street scenes: what is said to be there is there, to the pixel; videos; shapes of any size."""

import itertools
import math

import numpy as np
import pytest

from convbook.images.scenes import (
    CLASSES,
    SPEEDS,
    Thing,
    class_maps,
    compose,
    street,
    street_queue,
    street_scene,
    street_scenes,
    street_video,
)
from convbook.images.shapes import ellipse, paint, polygon, rectangle
from helpers.refusing import refused

SIZES = [16, 64, (48, 96), (100, 70)]


def assert_consistent(scene):
    """Boxes are those of the masks, masks share no pixel, and all fits together."""
    _, h, w = scene.image.shape
    k = len(scene.boxes)
    assert scene.image.dtype == np.float32 and 0 <= scene.image.min() <= scene.image.max() <= 1
    assert scene.boxes.dtype == np.float32 and scene.boxes.shape == (k, 4)
    assert scene.masks.dtype == bool and scene.masks.shape == (k, h, w)
    assert scene.labels.dtype == scene.ids.dtype == np.int64
    assert scene.labels.shape == scene.ids.shape == (k,) and len(set(scene.ids.tolist())) == k
    assert ((scene.labels >= 0) & (scene.labels < len(CLASSES))).all()
    assert scene.masks.sum(axis=0).max(initial=0) <= 1
    for (y0, x0, y1, x1), mask in zip(scene.boxes.astype(int), scene.masks):
        assert 0 <= y0 < y1 <= h and 0 <= x0 < x1 <= w
        assert mask[y0:y1, x0:x1].sum() == mask.sum()
        assert mask[y0].any() and mask[y1 - 1].any()
        assert mask[:, x0].any() and mask[:, x1 - 1].any()


# --- Scenes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("draw", [street_scene, street_queue])
def test_scenes_of_any_size(draw, size):
    for seed in range(8):
        scene = draw(seed, size)
        assert scene.image.shape[1:] == (size if isinstance(size, tuple) else (size, size))
        assert_consistent(scene)
        if draw is street_scene:
            assert 1 <= len(scene.boxes) <= 4


def test_the_same_seed_draws_the_same_scene():
    a, b, c = street_scene(3), street_scene(np.random.default_rng(3)), street_scene(4)
    for ours, same in zip(a, b):
        np.testing.assert_array_equal(ours, same)
    assert not np.array_equal(a.image, c.image)
    assert not any(
        np.array_equal(street_scene(5).image, street_scene(5, grain=g).image) for g in (0, 0.1)
    )


def test_a_larger_picture_shows_the_same():
    for seed in range(12):
        small, large = street_scene(seed, 64, grain=0), street_scene(seed, 256, grain=0)
        shrunk = large.image.reshape(3, 64, 4, 64, 4).mean(axis=(2, 4))
        assert abs(shrunk - small.image).mean() < 0.02
        shared = [i for i in small.ids if i in large.ids]
        assert len(shared) >= max(len(small.ids), len(large.ids)) - 1  # hidden by a hair
        for i in shared:
            box, wide = small.boxes[small.ids == i][0], large.boxes[large.ids == i][0]
            np.testing.assert_allclose(4 * box, wide, atol=9)


@pytest.mark.slow
def test_scenes_hold_all_classes_and_sizes():
    images, boxes, labels, masks = street_scenes(60, rng=0)
    assert images.shape == (60, 3, 64, 64) and images.dtype == np.float32
    assert len(boxes) == len(labels) == len(masks) == 60
    assert set(np.concatenate(labels)) == set(range(len(CLASSES)))
    heights = np.concatenate(boxes)[:, 2] - np.concatenate(boxes)[:, 0]
    assert heights.min() < 9 and heights.max() > 28
    again = street_scenes(60, rng=0)
    np.testing.assert_array_equal(images, again[0])
    queue = street_scenes(10, 1, draw=street_queue, count=9)
    assert np.mean([len(b) for b in queue[1]]) > 5
    assert all(((b[:, 3] - b[:, 1]) < 16).all() for b in queue[1])


def placed(*things, rng=0, size=(64, 64), grain=0):
    """Draw things of given classes at given places on a plain ground; return the scene."""
    rng = np.random.default_rng(rng)
    made = [Thing(rng, label, 1.0) for label, _ in things]
    ground = np.full((*size, 3), 0.5)
    return compose(ground, made, [place for _, place in things], rng, grain)


def test_a_thing_stands_where_it_is_put():
    for label in range(4):
        scene = placed((label, (0.5, 0.8)))
        y0, x0, y1, x1 = scene.boxes[0]
        assert y1 == pytest.approx(0.8 * 64, abs=1.5) and (x0 + x1) / 2 == pytest.approx(
            32, abs=2.5
        )
        assert scene.labels.tolist() == [label]
        # Outside its mask, but for its edge and its shadow, the ground is as it was.
        changed = (scene.image != 0.5).any(axis=0)
        assert changed[scene.masks[0]].mean() > 0.95
        assert not changed[: int(y0) - 1].any() and not changed[int(y1) + 3 :].any()


def test_what_is_nearer_is_larger_and_hides_what_is_behind():
    near, far = placed((2, (0.5, 0.95))), placed((2, (0.5, 0.5)))
    assert near.masks.sum() > 2 * far.masks.sum()
    person, both = placed((2, (0.5, 0.75))), placed((2, (0.5, 0.75)), (0, (0.5, 0.85)))
    assert both.labels.tolist() == [2, 0]  # from far to near
    assert both.masks[0].sum() < person.masks[0].sum()
    assert both.boxes[0][2] < person.boxes[0][2]  # the box is that of the visible part
    assert both.ids.tolist() == [0, 1]


def test_what_is_hidden_or_outside_by_three_quarters_is_not_there():
    hidden = placed((3, (0.5, 0.8)), (1, (0.5, 0.84)))
    assert hidden.labels.tolist() == [1] and hidden.ids.tolist() == [1]
    assert len(placed((1, (-0.22, 0.8))).boxes) == 0  # a fifth of the bus is in the picture
    half = placed((1, (0.0, 0.8)))
    assert half.boxes[0][1] == 0 and half.labels.tolist() == [1]
    nothing = placed((0, (5.0, 0.8)), (0, (0.5, -3.0)))
    assert nothing.boxes.shape == (0, 4) and nothing.masks.shape == (0, 64, 64)
    assert (nothing.image == 0.5).all()


def test_a_street_has_no_things():
    assert street(np.random.default_rng(0), (32, 48)).shape == (32, 48, 3)
    empty = [street_scene(seed, least=0, most=1) for seed in range(12)]
    assert {len(scene.boxes) for scene in empty} == {0, 1}


def test_bad_input():
    refused(ValueError, ["size", "at least 16", "got 8"], street_scene, 0, 8)
    refused(ValueError, ["most", "at least 3", "got 2"], street_scene, 0, 64, 3, 2)
    refused(ValueError, ["grain", "at least 0"], street_scene, 0, 64, grain=-1)
    refused(ValueError, ["frames", "at least 1"], street_video, 0, 0)
    refused(ValueError, ["n must", "at least 1"], street_scenes, 0)


def test_the_class_of_every_pixel():
    _, _, labels, masks = street_scenes(5, rng=0, size=(32, 48))
    maps = class_maps(labels, masks)
    assert maps.shape == (5, 32, 48) and maps.dtype == np.int64
    for y, k, m in zip(maps, labels, masks):
        assert ((y == 0) == ~m.any(axis=0)).all()
        for label, mask in zip(k, m):
            assert (y[mask] == label + 1).all()
    nothing = class_maps([np.zeros(0, int)], [np.zeros((0, 8, 9), bool)])
    assert nothing.shape == (1, 8, 9) and not nothing.any()
    refused(ValueError, ["as many scenes", "1 and 2"], class_maps, labels[:1], masks[:2])


# --- Videos --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, (48, 96)], ids=str)
def test_a_video_keeps_its_things(size):
    film = street_video(1, 30, size)
    assert len(film) == 30
    label_of = {}
    for scene in film:
        assert_consistent(scene)
        for i, label in zip(scene.ids, scene.labels):
            assert label_of.setdefault(int(i), int(label)) == label
    assert 3 <= len(label_of) <= 6
    seen = [set(scene.ids.tolist()) for scene in film]
    assert any(a != b for a, b in itertools.pairwise(seen))  # some come, go, or are hidden


def test_things_move_at_a_steady_speed():
    film = street_video(0, 20, grain=0)
    moved = {}
    for scene in film:
        for i, label, (y0, x0, y1, x1) in zip(scene.ids, scene.labels, scene.boxes):
            if x0 > 0 and x1 < 64 and (y1 - y0) > 8:
                moved.setdefault((int(i), int(label)), []).append((x0 + x1) / 2)
    long = {key: places for key, places in moved.items() if len(places) == 20}
    assert long
    for (_, label), places in long.items():
        speed = np.polyfit(range(20), places, 1)[0]
        assert 0.5 * SPEEDS[label] < abs(speed) < 1.5 * SPEEDS[label]


def test_videos_come_again_with_their_seed():
    a, b = street_video(2, 5), street_video(2, 5)
    for ours, same in zip(a, b):
        np.testing.assert_array_equal(ours.image, same.image)
    still = street_video(2, 5, grain=0)
    background = [(x.image == still[0].image).all(axis=0).mean() for x in still[1:]]
    assert min(background) > 0.5 and max(background) < 1
    assert not np.array_equal(a[0].image[:, 0], a[1].image[:, 0])  # another noise in each frame
    assert len(street_video(0, 3, count=1)[0].boxes) <= 1


# --- Shapes --------------------------------------------------------------------------------------


def covered(shape, frame=(2.3, 3.7, 20.0, 30.0), flipped=False):
    return paint(np.zeros((40, 50, 3)), [(shape, (1, 1, 1))], frame, flipped)


def test_areas():
    assert covered(rectangle(0.1, 0.2, 0.5, 0.9)).alpha.sum() == pytest.approx(0.4 * 0.7 * 600)
    assert covered(rectangle(0.1, 0.2, 0.11, 0.9)).alpha.sum() == pytest.approx(0.01 * 0.7 * 600)
    assert covered(ellipse(0.5, 0.5, 0.3, 0.4)).alpha.sum() == pytest.approx(
        math.pi * 0.12 * 600, rel=0.02
    )
    triangle = [(0.1, 0.1), (0.9, 0.2), (0.4, 0.9)]
    exact = abs(0.8 * 0.8 - 0.3 * 0.1) / 2 * 600
    for points in (triangle, triangle[::-1]):
        assert covered(polygon(*points)).alpha.sum() == pytest.approx(exact, rel=0.02)


def test_a_flipped_shape_is_the_mirror_image():
    shape, frame = polygon((0.1, 0.1), (0.9, 0.2), (0.4, 0.9)), (2, 3, 20, 30)
    there, mirrored = covered(shape, frame).alpha, covered(shape, frame, True).alpha
    np.testing.assert_allclose(mirrored[:, :30], there[:, :30][:, ::-1], atol=1e-9)


def test_paint_hides_what_is_behind_and_stays_in_the_picture():
    image = np.zeros((10, 10, 3))
    whole = rectangle(0, 0, 1, 1)
    paint(image, [(whole, (1, 0, 0)), (rectangle(0, 0, 0.5, 1), (0, 1, 0))], (0, 0, 10, 10))
    assert (image[:, :5] == (0, 1, 0)).all() and (image[:, 5:] == (1, 0, 0)).all()
    for frame in ((-5, -5, 8, 8), (7, 8, 9, 9), (-30, 0, 5, 5), (0, 90, 5, 5)):
        image = np.zeros((10, 10, 3))
        cover = paint(image, [(whole, (1, 1, 1))], frame)
        assert cover.alpha.sum() == pytest.approx(frame[2] * frame[3])
        np.testing.assert_allclose(cover.inside(image), image[..., 0])
    half = np.full((4, 4, 3), 0.8)
    paint(half, [(whole, (0, 0, 0))], (0, 0, 4, 4), strength=0.5)
    np.testing.assert_allclose(half, 0.4)
