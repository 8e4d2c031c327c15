"""Tracking: things keep their ids, hidden ones too; crossings and switches are counted."""

import numpy as np
import pytest

from convbook.detection.tracking import Tracker, count_crossings, follow, identity_switches
from convbook.images.scenes import street_video
from helpers.refusing import refused


def box(x, y=20, size=10):
    return [y, x, y + size, x + size]


def test_a_thing_keeps_its_id():
    tracker = Tracker()
    for frame in range(20):
        ids = tracker.update([box(3 * frame), box(60 - 3 * frame, 40)])
        assert ids.tolist() == [0, 1] and ids.dtype == np.int64
    assert len(tracker.tracks) == 2 and len(tracker.paths[0]) == 20
    np.testing.assert_allclose(tracker.tracks[0].speed, [0, 3])
    np.testing.assert_allclose(tracker.tracks[1].speed, [0, -3])


def test_the_order_of_the_boxes_does_not_matter():
    tracker, rng = Tracker(), np.random.default_rng(0)
    names = np.arange(4)
    for frame in range(10):
        order = rng.permutation(4)
        boxes = np.array([box(2 * frame, 15 * i) for i in range(4)])[order]
        ids = tracker.update(boxes)
        names = ids if frame == 0 else names
        by_place = np.empty(4, int)
        by_place[order] = ids
        if frame == 0:
            first = by_place
        assert (by_place == first).all()


def test_a_hidden_thing_comes_back_where_its_speed_has_brought_it():
    tracker = Tracker(patience=5)
    for frame in range(6):
        tracker.update([box(4 * frame)])
    for _ in range(5):
        assert tracker.update([]).shape == (0,)
    assert tracker.update([box(4 * 11)]).tolist() == [0]  # 24 pixels further
    impatient = Tracker(patience=4)
    for frame in range(6):
        impatient.update([box(4 * frame)])
    for _ in range(5):
        impatient.update([])
    assert impatient.update([box(4 * 11)]).tolist() == [1]


def test_things_pass_through_each_other():
    """Two that meet keep their ids by their speeds, though both lie on each other for a while."""
    tracker = Tracker()
    for frame in range(21):
        ids = tracker.update([box(3 * frame), box(60 - 3 * frame)])
        assert ids.tolist() == [0, 1], frame


def test_classes_are_kept_apart():
    tracker = Tracker()
    tracker.update([box(0)], [1])
    assert tracker.update([box(0)], [2]).tolist() == [1]
    assert tracker.update([box(0), box(0)], [2, 1]).tolist() == [1, 0]
    assert [track.label for track in tracker.tracks] == [1, 2]


def test_a_box_is_linked_once():
    tracker = Tracker()
    tracker.update([box(0)])
    assert tracker.update([box(1), box(0), box(40)]).tolist() == [1, 0, 2]


def test_crossings():
    paths = {
        0: [(f, np.array(box(4 * f - 5))) for f in range(10)],  # its middle is at 4 f
        1: [(f, np.array(box(30 - 4 * f))) for f in range(8)],
        2: [(f, np.array(box(x - 5))) for f, x in enumerate([10, 22, 18, 25])],  # there and back
        3: [(0, np.array(box(0))), (1, np.array(box(50)))],  # flickers
    }
    right, left = count_crossings(paths, x=20)
    assert right == [(1, 2), (3, 2), (5, 0)] and left == [(2, 2), (4, 1)]
    assert count_crossings(paths, x=20, least=2)[0] == [(1, 2), (1, 3), (3, 2), (5, 0)]
    assert count_crossings({}, 3) == ([], [])


def test_switches():
    here = (np.array([box(0)], float), [0])
    truth = [(*here, [7])] * 4
    steady = [(*here, [3])] * 4
    assert identity_switches(steady, truth) == []
    lost = [(*here, [3]), ([], [], []), (*here, [5]), (*here, [5])]
    assert identity_switches(lost, truth) == [(2, 7, 3, 5)]
    elsewhere = [(np.array([box(40)], float), [0], [3])] * 4
    assert identity_switches(elsewhere, truth) == []
    with pytest.raises(ValueError, match="for each frame"):
        identity_switches(lost, truth[:2])


@pytest.mark.slow
def test_films_of_the_street():
    """With perfect boxes few things are confused: those hidden for longer than the patience."""
    counts, miscounted = [], []
    for seed in range(6):
        film, tracker = street_video(seed, 40), Tracker()
        found = [(f.boxes, f.labels, tracker.update(f.boxes, f.labels)) for f in film]
        truth = [(f.boxes, f.labels, f.ids) for f in film]
        counts.append(len(identity_switches(found, truth, 0.9)))
        paths = {}
        for frame, scene in enumerate(film):
            for thing, where in zip(scene.ids, scene.boxes):
                paths.setdefault(int(thing), []).append((frame, where))
        for ours, theirs in zip(*(count_crossings(p, 32) for p in (tracker.paths, paths))):
            miscounted.append(abs(len(ours) - len(theirs)))
    assert sorted(miscounted)[8] == 0 and max(miscounted) <= 2  # of twelve: two ways, six films
    assert sorted(counts)[2] <= 1 and max(counts) <= 4


def test_bad_input():
    refused(ValueError, ["least", "at most 1"], Tracker, 3)
    refused(ValueError, ["patience", "at least 0"], Tracker, 0.3, -1)
    refused(ValueError, ["labels must have shape (1,)"], Tracker().update, [box(0)], [1, 2])
    refused(ValueError, ["boxes must have shape (R, 4)"], Tracker().update, [1, 2, 3])


# --- From what a network finds -------------------------------------------------------------------


def test_following_suppresses_and_links():
    def entry(x, scores):
        boxes = np.array([box(x), box(x + 1), box(x), box(50, 40)], float)
        return boxes, np.array(scores), np.array([0, 0, 1, 2]), np.zeros((4, 14, 14))

    found = [entry(2 * f, [0.9, 0.8, 0.7, 0.3]) for f in range(6)]
    film, tracker = follow(found, least=0.5)
    assert [f.ids.tolist() for f in film] == [[0]] * 6
    assert film[0].masks.shape == (1, 14, 14) and film[0].labels.tolist() == [0]
    film, _ = follow(found, least=0.5, across=1)
    assert [f.labels.tolist() for f in film] == [[0, 1]] * 6
    film, tracker = follow(found, least=0.2, threshold=1, across=1)
    assert all(len(f.ids) == 4 for f in film) and len(tracker.tracks) == 4
    own = Tracker(patience=0)
    film, same = follow([e[:3] for e in found], 0.5, tracker=own)
    assert same is own and film[0].masks is None
    assert follow([], 0.5)[0] == []
    with pytest.raises(ValueError, match="least"):
        follow(found, least=2)


def test_following_keeps_the_best_first():
    boxes = np.array([box(0), box(30), box(60)], float)
    film, _ = follow([(boxes, np.array([0.6, 0.9, 0.7]), np.zeros(3, int))])
    np.testing.assert_array_equal(film[0].scores, [0.9, 0.7, 0.6])
    assert film[0].ids.tolist() == [0, 1, 2]
