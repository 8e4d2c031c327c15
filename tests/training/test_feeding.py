"""Whoever makes the mini-batches, they are the same, and it is noted who worked when."""

import os
import time
from itertools import pairwise

import numpy as np
import pytest

from convbook.images.augment import Compose, Cutout, Flip, Rotate
from convbook.training import feeding

AUGMENT = Compose(Flip(), Rotate(20), Cutout(3))


def images(n=20):
    rng = np.random.default_rng(0)
    return rng.random((n, 3, 8, 9), np.float32), np.arange(n)


def test_a_plan_shows_every_image_once_in_each_epoch():
    jobs = feeding.plan(20, batch_size=8, epochs=2, seed=3)
    assert [len(job.indices) for job in jobs] == [8, 8, 4, 8, 8, 4]
    first, second = (np.concatenate([job.indices for job in part]) for part in (jobs[:3], jobs[3:]))
    assert sorted(first) == sorted(second) == list(range(20))
    assert not np.array_equal(first, second)
    assert len({job.key for job in jobs}) == 6


@pytest.mark.slow
def test_three_ways_the_same_mini_batches():
    x, y = images()
    jobs = feeding.plan(len(x), batch_size=8, epochs=2)
    expected = feeding.beforehand(x, y, jobs, AUGMENT)
    for batches in (
        feeding.in_turn(x, y, jobs, AUGMENT),
        feeding.in_parallel(x, y, jobs, AUGMENT, workers=2),
    ):
        batches = list(batches)
        assert len(batches) == len(jobs)
        for batch, wanted in zip(batches, expected):
            assert np.array_equal(batch.x, wanted.x) and np.array_equal(batch.y, wanted.y)
    assert {batch.maker for batch in expected} == {os.getpid()}
    assert os.getpid() not in {batch.maker for batch in batches}


def test_an_augmentation_may_change_the_targets_too():
    def turn_some(x, y, rng):
        turned = rng.random(len(x)) < 0.5
        return np.where(turned[:, None, None, None], x[..., ::-1], x), np.where(turned, -y, y)

    x, y = images()
    jobs = feeding.plan(len(x), batch_size=20)
    (batch,) = feeding.in_turn(x, y, jobs, turn_some)
    assert set(abs(batch.y)) == set(y) and (batch.y < 0).any() and (batch.y > 0).any()
    for image, label in zip(batch.x, batch.y, strict=True):
        expected = x[abs(label)][..., ::-1] if label < 0 else x[label]
        assert np.array_equal(image, expected)
    with pytest.raises(ValueError, match="augment must return as many images"):
        list(feeding.in_turn(x, y, jobs, lambda x, rng: x[1:]))


def test_every_epoch_draws_anew_and_changes_nothing():
    x, y = images()
    before = x.copy()
    jobs = feeding.plan(len(x), batch_size=20, epochs=2)
    a, b = feeding.beforehand(x, y, jobs, AUGMENT)
    assert not np.array_equal(a.x[np.argsort(a.y)], b.x[np.argsort(b.y)])
    assert np.array_equal(x, before)
    (plain,) = feeding.beforehand(x, y, jobs[:1])
    assert np.array_equal(plain.x, x[jobs[0].indices])


def test_the_spans_of_a_training():
    x, y = images()
    jobs = feeding.plan(len(x), batch_size=8)
    seen = []

    def step(images, labels):
        seen.append(len(images))
        time.sleep(0.01)

    spans = feeding.watched(feeding.in_turn(x, y, jobs, AUGMENT), step)
    assert seen == [8, 8, 4]
    assert [span.what for span in spans] == 3 * ["augment", "train"]
    assert all(a.end <= b.start + 1e-3 for a, b in pairwise(spans))
    assert all(s.end - s.start >= 0.009 for s in spans if s.what == "train")

    spans = feeding.watched(feeding.beforehand(x, y, jobs, AUGMENT), step)
    assert [span.what for span in spans] == 3 * ["augment", "wait", "train"]
    assert all(span.end <= 0 for span in spans if span.what == "augment")

    spans = feeding.watched(feeding.in_parallel(x, y, jobs, AUGMENT), step)
    assert {span.who for span in spans if span.what != "augment"} == {os.getpid()}
    assert os.getpid() not in {span.who for span in spans if span.what == "augment"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: feeding.plan(0, 5), "n must be"),
        (lambda x, y: feeding.plan(5, 0), "batch_size must be"),
        (lambda x, y: feeding.plan(5, 2, seed=-1), "seed must be"),
        (lambda x, y: feeding.in_turn(x, y[:-1], []), "y must hold as many"),
        (lambda x, y: feeding.in_parallel(x, y, [], workers=1), "workers must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(*images())
