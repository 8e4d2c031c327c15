"""Selective search: plain things are found exactly, street scenes mostly, and always the same."""

import numpy as np
import pytest

from convbook.detection import iou
from convbook.detection.selective import selective_search
from convbook.images.scenes import street_scenes
from helpers.refusing import refused

GROUND = np.full((3, 48, 64), 0.5)


def with_things(*things):
    image = GROUND.copy()
    for (y0, x0, y1, x1), colour in things:
        image[:, y0:y1, x0:x1] = np.reshape(colour, (3, 1, 1))
    return image


def test_plain_things_are_found_exactly():
    boxes = [(8, 12, 24, 20), (28, 32, 40, 56), (12, 40, 20, 60)]
    image = with_things(*zip(boxes, [(1, 0, 0), (0, 0, 1), (0, 0.7, 0)]))
    found = {tuple(box) for box in selective_search(image, block=4).astype(int).tolist()}
    assert set(boxes) <= found


def test_a_thing_of_two_colours_is_found_as_one_and_in_parts():
    upper, lower, whole = (8, 16, 20, 28), (20, 16, 32, 28), (8, 16, 32, 28)
    image = with_things((upper, (0.9, 0.2, 0.2)), (lower, (0.8, 0.1, 0.4)))
    found = {tuple(box) for box in selective_search(image, block=4).astype(int).tolist()}
    assert {upper, lower, whole} <= found


@pytest.mark.slow
def test_street_scenes():
    images, boxes, *_ = street_scenes(6, rng=0)
    found = [selective_search(image) for image in images]
    recall = np.concatenate([iou(f, b).max(axis=0) for f, b in zip(found, boxes)])
    assert (recall >= 0.5).mean() > 0.7
    for own in found:
        assert 50 < len(own) < 500 and own.dtype == np.float32
        assert len(np.unique(own, axis=0)) == len(own)
        sizes = own[:, 2:] - own[:, :2]
        assert sizes.min() >= 5 and sizes.max() <= 0.85 * 64
        assert own.min() >= 0 and own.max() <= 64
    np.testing.assert_array_equal(found[0], selective_search(images[0]))


@pytest.mark.parametrize("size", [(4, 4), (3, 2), (17, 31), (64, 5)])
def test_any_size_of_the_picture(size):
    image = np.random.default_rng(0).random((3, *size))
    boxes = selective_search(image, block=4, least=0, most=1, ways=[(1, 1)])
    whole = [0, 0, *size]
    assert whole in boxes.astype(int).tolist()
    blocks = -(-size[0] // 4) * -(-size[1] // 4)
    assert len(boxes) <= 2 * blocks - 1
    assert selective_search(image, least=100).shape == (0, 4)


def test_bad_input():
    refused(ValueError, ["image must have 3 axes", "got 2"], selective_search, GROUND[0])
    refused(ValueError, ["block", "at least 1"], selective_search, GROUND, 0)
    refused(ValueError, ["most", "at most 1"], selective_search, GROUND, 4, 5, 2)
    refused(ValueError, ["ways", "at least 0"], selective_search, GROUND, ways=[(1, -1)])
