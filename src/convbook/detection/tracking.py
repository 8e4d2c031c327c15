"""From boxes in every frame of a film to things that are followed, counted, and sometimes confused.

tracker = Tracker()
for boxes, labels in film:
    ids = tracker.update(boxes, labels)
count_crossings(tracker.paths, x=32)

`follow` does the first for what a network has found in all frames.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .. import checks
from ..arrays import to_numpy
from .boxes import as_boxes, finite, in_order, iou
from .metrics import match_found
from .suppression import nms


@dataclass
class Track:
    """A thing that is followed.

    Attributes
    ----------
    id, label : int
    box : array (4,)
        Where it was seen last.
    speed : array (2,)
        Of its middle, down and across, in pixels per frame.
    frame : int
        When it was seen last.
    path : list of (frame, box)
        Where it was seen.
    """

    id: int
    label: int
    box: np.ndarray
    frame: int
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))
    path: list = field(default_factory=list)

    def expected(self, frame):
        """Return the box where it should be in this frame, if it has kept its speed."""
        return self.box + np.tile(self.speed * (frame - self.frame), 2)

    def seen(self, box, frame, inertia):
        """Note where it is now."""
        if self.path:
            moved = (_middle(box) - _middle(self.box)) / (frame - self.frame)
            # The first step says all that is known; later ones are noisy, and change little.
            self.speed = (
                moved if len(self.path) == 1 else (inertia * self.speed + (1 - inertia) * moved)
            )
        self.box, self.frame = box, frame
        self.path.append((frame, box))


class Tracker:
    """Links the boxes of a frame to those of the frames before, by overlap and constant speed.

    Each track says where its box should be now; the pair of track and box that overlap most are
    linked first, then the next, as long as they overlap by `least` and are of one class. A box
    that is left over begins a track of its own. A track that is not seen for more than `patience`
    frames has ended.

    Parameters
    ----------
    least : float
        The least overlap, from 0 to 1.
    patience : int
        Frames that a thing may be hidden for.
    inertia : float
        How much of its speed a track keeps at each step, from 0 to 1.

    Attributes
    ----------
    tracks : list of Track
        All that there were, ended or not; the number of each is its id.
    """

    def __init__(self, least=0.3, patience=8, inertia=0.7):
        self.least = checks.number("least", least, least=0, most=1)
        self.patience = checks.integer("patience", patience, least=0)
        self.inertia = checks.number("inertia", inertia, least=0, most=1)
        self.tracks, self.frame = [], -1

    def update(self, boxes, labels=None):
        """Take the boxes of the next frame, and return the id of each.

        Parameters
        ----------
        boxes : array (R, 4)
        labels : array (R,) of ints, optional
            Then a track keeps its class.

        Returns
        -------
        numpy.ndarray (R,) of ints
        """
        _, boxes, labels = checks.numeric_arrays(boxes=boxes, labels=labels)
        boxes = to_numpy(as_boxes("boxes", boxes, several=True)).astype(np.float64)
        labels = np.zeros(len(boxes), int) if labels is None else to_numpy(labels)
        labels = labels.reshape(0) if labels.size == 0 else labels
        checks.shape("labels", labels, (len(boxes),))
        checks.whole_numbers("labels", labels)
        finite("boxes", boxes)
        in_order("boxes", boxes)
        self.frame += 1
        ids = np.full(len(boxes), -1, np.intp)
        for track, i in self._links(boxes, labels):
            track.seen(boxes[i], self.frame, self.inertia)
            ids[i] = track.id
        for i in np.flatnonzero(ids < 0):
            track = Track(len(self.tracks), int(labels[i]), boxes[i], self.frame)
            track.seen(boxes[i], self.frame, self.inertia)
            self.tracks.append(track)
            ids[i] = track.id
        return ids

    def _links(self, boxes, labels):
        """Yield pairs of a track and the number of a box, the largest overlap first."""
        alive = [t for t in self.tracks if self.frame - t.frame <= self.patience + 1]
        if not alive or len(boxes) == 0:
            return
        overlap = iou(np.stack([track.expected(self.frame) for track in alive]), boxes)
        overlap[np.array([track.label for track in alive])[:, None] != labels] = -1
        while True:
            a, i = np.unravel_index(overlap.argmax(), overlap.shape)
            if overlap[a, i] < max(self.least, np.finfo(np.float32).tiny):
                return
            yield alive[a], i
            overlap[a], overlap[:, i] = -1, -1

    @property
    def paths(self):
        """dict of id -> list of (frame, box) : where each track was seen."""
        return {track.id: list(track.path) for track in self.tracks}


class Followed(NamedTuple):
    """What is seen in a frame of a film, and which thing each is.

    Attributes
    ----------
    boxes : array (R, 4)
    scores : array (R,)
    labels, ids : array (R,) of ints
    masks : array (R, ...), or None if there are none
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    masks: np.ndarray | None


def follow(found, least=0.5, threshold=0.4, across=0.6, tracker=None):
    """Link what was found in the frames of a film.

    Of each frame is kept what has a score of `least` or more; of boxes of one class that overlap by
    more than `threshold`, the best; and so of boxes of any class with `across`, as a thing is not
    two at once.

    Parameters
    ----------
    found : list with an entry (boxes, scores, labels) or (boxes, scores, labels, masks) per frame
        As a network's `detect` returns them.
    least, threshold, across : float
        From 0 to 1. With 1 no box removes another one.
    tracker : Tracker, optional
        A fresh one if not given.

    Returns
    -------
    list of Followed
        One for each frame, the highest score first.
    tracker : Tracker
        With the paths of all tracks.
    """
    least = checks.number("least", least, least=0, most=1)
    across = checks.number("across", across, least=0, most=1)
    tracker, film = Tracker() if tracker is None else tracker, []
    for frame, entry in enumerate(checks.entries("found", found, "frame")):
        boxes, scores, labels, *masks = _parts(frame, entry)
        kept = np.flatnonzero(scores >= least)
        kept = kept[nms(boxes[kept], scores[kept], threshold, labels[kept])]
        kept = kept[nms(boxes[kept], scores[kept], across)]
        ids = tracker.update(boxes[kept], labels[kept])
        of_kept = [part[kept] for part in (boxes, scores, labels)]
        film.append(Followed(*of_kept, ids, masks[0][kept] if masks else None))
    return film, tracker


def _parts(frame, entry):
    """Return what was found in a frame as arrays, with a row of each for every box."""
    parts = checks.entries(f"found[{frame}]", entry, "part")
    if len(parts) not in (3, 4):
        raise ValueError(
            f"found[{frame}] must be (boxes, scores, labels) or (boxes, scores, labels, masks), "
            f"got {len(parts)} parts"
        )
    parts = [to_numpy(np.asarray(part)) for part in parts]
    for name, part in zip(("scores", "labels", "masks"), parts[1:]):
        if part.shape[:1] != parts[0].shape[:1]:
            raise ValueError(
                f"the {name} of found[{frame}] must be {len(parts[0])}, one for each box, got "
                f"shape {part.shape}"
            )
    return parts


def count_crossings(paths, x, least=3):
    """Count which things crossed an upright line in the picture, and which way.

    Parameters
    ----------
    paths : dict of id -> list of (frame, box)
        As in `Tracker.paths`.
    x : float
        Where the line stands, in pixels.
    least : int
        Tracks that were seen less often do not count: a box that flickers is no thing.

    Returns
    -------
    rightwards, leftwards : lists of (frame, id)
        A thing that turns round on the line crosses it again.
    """
    if not hasattr(paths, "items"):
        raise TypeError(
            f"paths must be a dict of id -> list of (frame, box), got type {type(paths).__name__}"
        )
    x, least = checks.number("x", x, least=-math.inf), checks.integer("least", least, least=0)
    rightwards, leftwards = [], []
    for name, path in paths.items():
        if len(path) < least:
            continue
        sides = [(frame, bool(_middle(box)[1] >= x)) for frame, box in path]
        for (_, before), (frame, after) in pairwise(sides):
            if before != after:
                (rightwards if after else leftwards).append((frame, name))
    return sorted(rightwards), sorted(leftwards)


def identity_switches(found, truth, threshold=0.5):
    """Find where a thing got another id than it had: the tracker has confused it, or lost it.

    Parameters
    ----------
    found, truth : lists with an entry (boxes, labels, ids) for each frame
        What a tracker says, and what is there; see `convbook.images.scenes.street_video`.
    threshold : float
        The least overlap of a box with a thing that it stands for.

    Returns
    -------
    list of (frame, thing, id before, id now)
    """
    threshold = checks.number("threshold", threshold, least=0, most=1)
    found = checks.entries("found", found, "frame")
    truth = checks.entries("truth", truth, "frame")
    if len(found) != len(truth):
        raise ValueError(
            f"found and truth must have an entry for each frame, got {len(found)} and {len(truth)}"
        )
    switches, owner = [], {}
    for frame, entries in enumerate(zip(found, truth)):
        for name, entry in zip(("found", "truth"), entries):
            if not hasattr(entry, "__len__") or len(entry) != 3:
                raise ValueError(f"{name}[{frame}] must be (boxes, labels, ids), got {entry!r}")
        (boxes, labels, ids), (true, true_labels, things) = (
            [to_numpy(np.asarray(part)) for part in entry] for entry in entries
        )
        for label in np.unique(true_labels):
            mine, there = np.flatnonzero(labels == label), np.flatnonzero(true_labels == label)
            match = match_found(
                boxes[mine].reshape(-1, 4), np.zeros(len(mine)), true[there], threshold
            )
            for i, j in zip(mine[match >= 0], there[match[match >= 0]]):
                thing, now = int(things[j]), int(ids[i])
                if owner.setdefault(thing, now) != now:
                    switches.append((frame, thing, owner[thing], now))
                    owner[thing] = now
    return switches


def _middle(box):
    """Return the middle of a box, down and across."""
    return (box[:2] + box[2:]) / 2
