"""VideoExplorer: a film, what a network finds in it, and who is who from frame to frame."""

import html

import numpy as np
import traitlets

from convbook.detection import paste_masks
from convbook.detection.tracking import count_crossings, follow, identity_switches
from convbook.images.scenes import street_video

from .augmentation import Within
from .base import BookWidget, Whole
from .film import film_for_page, found_in, frame_of, truth_in

ACROSS = 0.6  # boxes of any class that overlap by more than this mean the same thing
PARTS = ("url", "columns", "height", "width", "names", "counts", "boxes", "scores", "labels",
         "masks", "truth")  # fmt: skip


class VideoExplorer(BookWidget, module="video.js"):
    """Let a film play, with boxes, masks, names and tracks, and turn the thresholds meanwhile.

    What a network has found travels in the page as it was before suppression; the page itself
    suppresses, links and counts, whenever a threshold is changed.

    Parameters
    ----------
    film : dict, optional
        As `convbook.widgets.film.film_for_page` makes it. If not given, a short film in which
        everything is found where it is, and a second time a little beside.
    frame : int
        Which frame is shown.
    least : float
        The score from which on something counts as found.
    threshold : float
        Of boxes of one class that overlap by more, the best is kept.
    across : bool
        Whether boxes of different classes suppress each other, too, if they overlap by more than
        0.6.
    masks, trails, truth : bool
        What is drawn besides: masks, the ways of things so far, and what is really there.
    line : float
        Where the line stands that things cross, as a share of the width.
    chosen : int
        The number of the track that is looked at closely; -1 for none.

    Examples
    --------
    >>> w = VideoExplorer(least=0.3)
    >>> len(w.seen) == len(w.film["counts"])
    True
    """

    film = traitlets.Dict(read_only=True).tag(sync=True)
    frame = Whole(0, 0, 9999).tag(sync=True)
    least = Within(0.5, 0.05, 1).tag(sync=True)
    threshold = Within(0.4, 0, 1).tag(sync=True)
    across = traitlets.Bool(True).tag(sync=True)
    masks = traitlets.Bool(True).tag(sync=True)
    trails = traitlets.Bool(True).tag(sync=True)
    truth = traitlets.Bool(False).tag(sync=True)
    line = Within(0.5, 0, 1).tag(sync=True)
    chosen = Whole(-1, -1, 9999).tag(sync=True)

    def __init__(self, film=None, **keywords):
        film = default_film() if film is None else film
        if not isinstance(film, dict) or any(part not in film for part in PARTS):
            raise TypeError(
                "film must be a dict as convbook.widgets.film.film_for_page makes it, got "
                f"{type(film).__name__}"
            )
        self.set_trait("film", film)
        super().__init__(**keywords)

    # --- What the figure shows ---

    def _followed(self):
        across = ACROSS if self.across else 1
        return follow(found_in(self.film), self.least, self.threshold, across)

    @property
    def seen(self):
        """list of convbook.detection.tracking.Followed : what is seen in each frame."""
        return self._followed()[0]

    @property
    def tracks(self):
        """list of convbook.detection.tracking.Track : all of them."""
        return self._followed()[1].tracks

    @property
    def crossed(self):
        """(int, int) : how many things have crossed the line to the right, and to the left."""
        return self._crossed(self._followed()[1])

    def _crossed(self, tracker):
        return tuple(map(len, count_crossings(tracker.paths, self.line * self.film["width"])))

    @property
    def switches(self):
        """list of (frame, thing, id before, id now); None if the truth is unknown."""
        truth = truth_in(self.film)
        if truth is None:
            return None
        return identity_switches([(f.boxes, f.labels, f.ids) for f in self.seen], truth)

    def pasted(self, frame):
        """Return the masks of a frame, (R, H, W) of booleans, in the order of `seen`."""
        now = self.seen[frame]
        return paste_masks(now.masks, now.boxes, (self.film["height"], self.film["width"]))

    def plain(self):
        film, (seen, tracker) = self.film, self._followed()  # once for all that is said
        frame = min(self.frame, len(seen) - 1)
        now, (right, left) = seen[frame], self._crossed(tracker)
        rows = "".join(
            f"<tr><td>{i}</td><td>{html.escape(film['names'][k])}</td><td>{score:.2f}</td>"
            f"<td>({', '.join(f'{v:.0f}' for v in box)})</td></tr>"
            for box, score, k, i in zip(now.boxes, now.scores, now.labels, now.ids)
        )
        return (
            f'<img alt="a frame of a film" width="256" src="{frame_of(film, frame)}">'
            "<div><table><thead><tr><th>track</th><th>class</th><th>score</th>"
            f"<th>(y0, x0, y1, x1)</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<p>Frame {frame} of 0 to {len(seen) - 1}, with scores from {self.least:g} on. The "
            f"whole film has {len(tracker.tracks)} tracks; {right} cross the line to the right, "
            f"{left} to the left.</p></div>"
        )


def default_film(number=2, frames=12):
    """Return a short film with its truth as what was found, and all of it once more, displaced."""
    scenes = street_video(number, frames)
    rng, found = np.random.default_rng(number), []
    for scene in scenes:
        size = np.tile(scene.boxes[:, 2:] - scene.boxes[:, :2], 2)
        beside = scene.boxes + rng.normal(0, 0.06, size.shape) * size
        boxes = np.concatenate([scene.boxes, beside])
        count = len(scene.labels)
        scores = np.concatenate([rng.uniform(0.8, 1, count), rng.uniform(0.3, 0.8, count)])
        order = np.argsort(-scores, kind="stable")
        masks = np.zeros((2 * count, 14, 14)) + 4 - 1.2 * np.hypot(*np.mgrid[-6.5:7, -6.5:7])
        labels = np.tile(scene.labels, 2)
        found.append((boxes[order], scores[order], labels[order], masks))
    return film_for_page(
        np.stack([scene.image for scene in scenes]),
        found,
        [(scene.boxes, scene.labels, scene.ids) for scene in scenes],
        quality=70,
    )
