"""Checks for a network that finds boxes and marks masks, and for what is made of them in a film.

    print(edges_fit(boxes, masks))
    print(right_channel(scores, labels, targets))
    print(tracks_hold(tracker))

Each looks for faults that are known, and returns a `Finding` of `convbook.training.health`: a
sentence, and whether all is well. `masks_aligned` of `convbook.detection.health` belongs to them.
"""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..training.health import Finding
from .boxes import as_boxes, boxes_of_masks

EDGES = ("upper", "left", "lower", "right")


def edges_fit(boxes, masks):
    """Check that boxes end where their masks do, and not at the last pixels instead.

    Parameters
    ----------
    boxes : array (R, 4), or a list of such for several pictures
    masks : array (R, H, W), or a list of such
        Of the same things.

    Returns
    -------
    Finding
        Not fine if an edge lies beside that of the masks by half a pixel or more on average.
    """
    of_boxes = boxes if isinstance(boxes, list) else [boxes]
    of_masks = masks if isinstance(masks, list) else [masks]
    parts = [as_boxes("boxes", to_numpy(np.asarray(b)), several=True) for b in of_boxes]
    boxes = np.concatenate(parts) if parts else np.zeros((0, 4))
    around = [to_numpy(boxes_of_masks(m)) for m in of_masks]
    around = np.concatenate(around) if around else np.zeros((0, 4))
    if len(boxes) != len(around):
        raise ValueError(f"masks must be as many as boxes, {len(boxes)}, got {len(around)}")
    seen = (around[:, 2:] > around[:, :2]).all(axis=1)
    if not seen.any():
        return Finding(True, "there are no masks to compare with")
    beside = (boxes - around)[seen].mean(axis=0)
    says = ", ".join(f"{name} {v:+.2f}" for name, v in zip(EDGES, beside))
    if (np.abs(beside) < 0.5).all():
        return Finding(True, f"the edges lie beside those of the masks by so many pixels: {says}")
    if np.allclose(beside, [0, 0, -1, -1], atol=0.25):
        return Finding(
            False,
            f"the edges lie beside those of the masks: {says}; y1 and x1 are the last pixels here, "
            "and should be the edges behind them: add 1",
        )
    return Finding(
        False,
        f"the edges lie beside those of the masks by so many pixels: {says}; were the boxes "
        "rounded, or scaled with another picture than the masks?",
    )


def right_channel(scores, labels, targets):
    """Check that the mask that is read is the one of the thing's own class.

    Parameters
    ----------
    scores : array (R, K, M, M)
        Of the masks of all classes, above 0 inside.
    labels : array (R,) of ints
        Which of them is read.
    targets : array (R, M, M) of booleans
        What the masks should be.

    Returns
    -------
    Finding
        Not fine if the masks of the class before or behind fit better, by 0.05 in their overlap.
    """
    scores, labels = to_numpy(np.asarray(scores)), to_numpy(np.asarray(labels))
    checks.axes("scores", scores, ("R", "K", "M", "M"), may_be_empty="R")
    targets = to_numpy(np.asarray(targets)) != 0
    checks.shape("labels", labels, scores.shape[:1])
    checks.shape("targets", targets, (len(scores), *scores.shape[2:]))
    if len(scores) == 0:
        return Finding(True, "there are no masks")

    def overlap(move):
        chosen = (labels + move) % scores.shape[1]
        found = scores[np.arange(len(scores)), chosen] > 0
        both, either = (found & targets).sum((1, 2)), (found | targets).sum((1, 2))
        return float((both / np.maximum(either, 1)).mean())

    own, moved = overlap(0), {move: overlap(move) for move in (-1, 1)}
    best = max(moved, key=moved.get)
    if moved[best] > own + 0.05:
        return Finding(
            False,
            f"masks overlap what they should be by {own:.2f}, and by {moved[best]:.2f} if the mask "
            f"of class k {'-' if best < 0 else '+'} 1 is read: does 0 mean nothing in the labels, "
            "and the first class among the masks?",
        )
    return Finding(True, f"masks overlap what they should be by {own:.2f}")


def tracks_hold(tracker, least=3):
    """Check that a film was linked to few long tracks, and not to many short ones.

    Parameters
    ----------
    tracker : convbook.detection.tracking.Tracker
        That has seen a film.
    least : int
        What is seen in fewer frames flickers.

    Returns
    -------
    Finding
        Not fine if more than a third of the tracks flicker, or if tracks miss more than a fifth of
        the frames from their first to their last.
    """
    least = checks.integer("least", least, least=1)
    tracks = tracker.tracks
    if not tracks:
        return Finding(False, "there is no track: was nothing found?")
    frames = [[frame for frame, _ in track.path] for track in tracks]
    short = sum(len(seen) < least for seen in frames)
    spans = sum(seen[-1] - seen[0] + 1 for seen in frames)
    missing = 1 - sum(map(len, frames)) / spans
    says = (
        f"{len(tracks)} tracks, {short} of them seen in fewer than {least} frames; between first "
        f"and last, {missing:.0%} of the frames are missing"
    )
    if short > len(tracks) / 3:
        return Finding(
            False,
            f"{says}: guesses become things (raise the score from which on something counts), or "
            "things jump too far from frame to frame (more frames a second, a lower overlap)",
        )
    if missing > 0.2:
        return Finding(False, f"{says}: things are found now and then; lower the score that counts")
    return Finding(True, says)
