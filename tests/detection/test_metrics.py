"""Average precision: by hand, against a loop, with both rules of interpolation; and its edges."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from convbook.detection import (
    average_precision,
    average_precisions,
    iou,
    mask_iou,
    match_found,
    plain,
    precision_recall,
)
from helpers.detection import boxes_between
from helpers.drawing import examples
from helpers.refusing import refused

drawn = examples(60)
THINGS = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]], float)
NOWHERE = np.array([[90, 90, 99, 99]], float)


def answers(*right):
    """Return boxes and falling scores: right ones on one thing after the other, others nowhere."""
    place, boxes = 0, []
    for hit in right:
        boxes.append(THINGS[place] if hit else NOWHERE[0])
        place += hit
    return np.array(boxes).reshape(-1, 4), np.linspace(0.9, 0.1, len(right))


BY_HAND = [
    # right?, things, VOC, VOC 2007, COCO
    ((1, 1, 1, 1), 4, 1, 1, 1),
    ((), 4, 0, 0, 0),
    ((0, 0), 4, 0, 0, 0),
    ((1,), 4, 1 / 4, 3 / 11, 26 / 101),  # recall 1/4: of eleven points 0, .1, .2
    ((0, 1), 1, 1 / 2, 1 / 2, 1 / 2),
    ((1, 0), 1, 1, 1, 1),  # what comes after the last thing costs nothing
    ((1, 0, 1, 0), 2, (1 + 2 / 3) / 2, (6 + 5 * 2 / 3) / 11, (51 + 50 * 2 / 3) / 101),
    # 0 1 1: precision 0, 1/2, 2/3; the best one from there on is 2/3 throughout.
    ((0, 1, 1), 2, 2 / 3, 2 / 3, 2 / 3),
]


@pytest.mark.parametrize("right, things, voc, voc2007, coco", BY_HAND)
def test_by_hand(right, things, voc, voc2007, coco):
    found, truth = [answers(*right)], [THINGS[:things]]
    assert average_precision(found, truth) == pytest.approx(voc)
    assert average_precision(found, truth, interpolation="voc2007") == pytest.approx(voc2007)
    assert average_precision(found, truth, interpolation="coco") == pytest.approx(coco)


def test_the_curve():
    curve = precision_recall([answers(1, 0, 1, 0)], [THINGS])
    assert curve.right.tolist() == [True, False, True, False]
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 1 / 2])
    np.testing.assert_allclose(curve.recall, [1 / 4, 1 / 4, 1 / 2, 1 / 2])
    assert curve.things == 4 and (np.diff(curve.scores) < 0).all()


def test_a_thing_is_found_once():
    twice = (THINGS[[0, 0]], [0.9, 0.8])
    assert precision_recall([twice], [THINGS[:1]]).right.tolist() == [True, False]
    # The order of the list does not matter, that of the scores does.
    later = (THINGS[[0, 0]], [0.8, 0.9])
    assert match_found(*later, THINGS[:1], 0.5).tolist() == [-1, 0]


def test_each_takes_what_it_overlaps_most_of_what_is_left():
    near = np.array([[0, 0, 10, 10], [0, 2, 10, 12]], float)
    found = np.array([[0, 1, 10, 11], [0, 0, 10, 10]], float)
    assert match_found(found, [0.9, 0.8], near, 0.5).tolist() == [0, 1]  # a tie; the first, then
    assert match_found(found[::-1], [0.9, 0.8], near, 0.5).tolist() == [0, 1]
    assert match_found(found, [0.9, 0.8], near, 0.9).tolist() == [-1, 0]


def test_the_threshold_itself_counts():
    half = [(np.array([[0, 0, 10, 5]]), [0.9])]
    assert average_precision(half, [THINGS[:1]], 0.5) == 1
    assert average_precision(half, [THINGS[:1]], 0.51) == 0
    assert average_precision([(NOWHERE, [0.9])], [THINGS[:1]], 0) == 0  # apart is never right


def test_images_are_ranked_together():
    first, second = (THINGS[:1], [0.3]), (np.concatenate([NOWHERE, THINGS[:1]]), [0.9, 0.8])
    truth = [THINGS[:1], THINGS[:1]]
    # In the order of scores: wrong, right, right.
    assert average_precision([first, second], truth) == pytest.approx(2 / 3)
    # A box on a thing of another image is wrong.
    assert average_precision([(THINGS[:1], [0.9]), ([], [])], [[], THINGS[:1]]) == 0


def test_classes():
    boxes = THINGS[:3]
    truth = [(boxes, [0, 1, 1])]
    assert average_precision([(boxes, [0.9, 0.8, 0.7], [0, 1, 1])], truth) == 1
    wrong = [(boxes, [0.9, 0.8, 0.7], [0, 1, 2])]
    assert average_precisions(wrong, truth) == {0: 1, 1: 0.5}  # 2 occurs nowhere
    assert average_precision(wrong, truth) == 0.75
    assert average_precisions([([], [], [])], truth) == {0: 0, 1: 0}
    assert precision_recall(wrong, truth, label=1).things == 2
    assert precision_recall(wrong, truth).things == 3


def test_nothing_to_find():
    assert np.isnan(average_precision([(THINGS, [1, 2, 3, 4])], [[]]))
    assert np.isnan(average_precision([], []))
    assert average_precisions([([], [], [])], [([], [])]) == {}
    assert average_precision([([], [])], [THINGS]) == 0
    curve = precision_recall([([], [])], [THINGS])
    assert curve.scores.shape == curve.precision.shape == (0,) and curve.things == 4


def test_masks_in_the_place_of_boxes():
    masks = np.zeros((2, 8, 8), bool)
    masks[0, :4], masks[1, 5:] = True, True
    found = masks.copy()
    found[1, 5] = False  # two thirds of it
    truth = [(masks, [0, 1])]
    assert average_precision([(found, [0.9, 0.8], [0, 1])], truth, 0.5, overlap=mask_iou) == 1
    assert average_precision([(found, [0.9, 0.8], [0, 1])], truth, 0.7, overlap=mask_iou) == 0.5


@drawn
@given(st.integers(1, 3), st.sampled_from((0.1, 0.3, 0.5)), st.booleans(), st.integers(0, 2**32),
       st.data())  # fmt: skip
def test_is_the_loops(images, threshold, ties, seed, data):
    rng = np.random.default_rng(seed)
    found, truth = [], []
    for _ in range(images):
        n, things = int(rng.integers(0, 8)), int(rng.integers(0, 5))
        scores = rng.integers(0, 4, n) / 4 if ties else rng.random(n)
        found.append((data.draw(boxes_between(0, 8, n)), scores))
        truth.append(data.draw(boxes_between(0, 8, things)))
    if not sum(map(len, truth)):
        return
    ours = average_precision(found, truth, threshold)
    assert ours == pytest.approx(plain.average_precision(found, truth, threshold))
    fine = average_precision(found, truth, threshold, "coco")
    assert abs(fine - ours) < 0.5 and 0 <= fine <= 1
    lists = [(boxes.tolist(), scores.tolist()) for boxes, scores in found]
    assert average_precision(lists, [t.tolist() for t in truth], threshold) == ours


def test_many_points_come_near_the_area():
    rng = np.random.default_rng(0)
    things = np.array([[0, 10 * i, 5, 10 * i + 5] for i in range(200)], float)
    right = rng.random(400) < np.linspace(0.9, 0.1, 400)
    boxes = np.where(
        right[:, None], things[np.minimum(np.cumsum(right) - 1, 199)], [900, 0, 905, 5]
    )
    found = [(boxes, np.linspace(1, 0, 400))]
    area, coco, voc2007 = (average_precision(found, [things], 0.5, how)
                           for how in ("voc", "coco", "voc2007"))  # fmt: skip
    assert coco == pytest.approx(area, abs=0.01) and voc2007 == pytest.approx(area, abs=0.06)


def test_better_scores_never_hurt():
    """To raise the score of what is right can only raise the average precision."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        boxes, scores = answers(*rng.integers(0, 2, 8).clip(0, 1)[:4])
        before = average_precision([(boxes, scores)], [THINGS])
        right = match_found(boxes, scores, THINGS, 0.5) >= 0
        assert average_precision([(boxes, scores + right)], [THINGS]) >= before


def test_bad_input():
    good = [(THINGS, [4, 3, 2, 1])]
    refused(
        ValueError, ["an entry for each image", "1 and 2"], average_precision, good, [THINGS] * 2
    )
    refused(ValueError, ["interpolation", "'voc', 'voc2007', 'coco'"],
            average_precision, good, [THINGS], 0.5, "area")  # fmt: skip
    refused(ValueError, ["threshold", "at most 1"], average_precision, good, [THINGS], 50)
    refused(TypeError, ["found[0] must be (boxes, scores)"], average_precision, [THINGS], [THINGS])
    refused(TypeError, ["truth[0] must be (boxes, labels)"],
            average_precision, [(THINGS, [1] * 4, [0] * 4)], [THINGS])  # fmt: skip
    refused(TypeError, ["found[1] must be (boxes, scores)"],
            average_precision, [*good, (THINGS, [1] * 4, [0] * 4)], [THINGS, THINGS])  # fmt: skip
    refused(
        ValueError,
        ["found[0]", "(4,)", "got (2,)"],
        average_precision,
        [(THINGS, [1, 2])],
        [THINGS],
    )
    refused(ValueError, ["scores of found[0]", "NaN"],
            average_precision, [(THINGS, [np.nan] * 4)], [THINGS])  # fmt: skip
    refused(ValueError, ["truth[0], boxes", "labels are looked at if found has them too"],
            average_precision, good, [(THINGS, [0] * 4)])  # fmt: skip
    assert iou(THINGS, THINGS).trace() == 4
