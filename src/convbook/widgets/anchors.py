"""AnchorExplorer: a box and its overlaps, all anchors and which are on a thing, suppression."""

import html

import numpy as np
import traitlets

from convbook.detection import anchor_boxes, encode_boxes, iou, match_anchors, nms

from .augmentation import Within
from .base import BookWidget, Whole
from .street import Box, OnScenes, guesses

SHAPES = {"square": (13, 13), "lying": (13, 26), "upright": (26, 10), "large": (24, 42)}
VIEWS = ("box", "anchors", "nms")
STRIDES = (4, 8, 16)


class AnchorExplorer(OnScenes, BookWidget, module="anchors.js"):
    """Boxes on a street scene, in three views: one box, all anchors, and what is kept of guesses.

    "box": a box to drag, its overlap with each thing, and the code that would make an anchor there
    into the thing. "anchors": one anchor of each shape at every cell of a feature map, and which
    are positive. "nms": what a network might say, and which of it non-maximum suppression keeps,
    step by step.

    Parameters
    ----------
    scenes : dict of name -> convbook.images.scenes.Scene, optional
        Pictures to choose from; three of the book's own if not given. Boxes are told in pixels of a
        picture 64 pixels high.
    scene : str
        The name of the one that is shown.
    view : {"box", "anchors", "nms"}
    box : (y0, x0, y1, x1)
        The box to drag.
    stride : {4, 8, 16}
        Pixels for each cell of the feature map.
    shapes : list of str
        Which anchors there are: some of "square", "lying", "upright", "large".
    positive, negative : float
        Overlaps as in `convbook.detection.match_anchors`.
    row, col : int
        The cell whose anchors are shown.
    threshold : float
        The overlap above which a better box removes a worse one.
    by_class : bool
        Whether boxes of different classes leave each other in peace.
    step : int
        How many boxes have been kept so far.

    Examples
    --------
    >>> w = AnchorExplorer(box=(20, 20, 40, 40), threshold=0.3)
    >>> w.overlaps.shape == (len(w.truth),)
    True
    >>> len(w.kept) < len(w.guesses)
    True
    """

    found = traitlets.Dict(read_only=True).tag(sync=True)
    view = traitlets.Enum(list(VIEWS), "box").tag(sync=True)
    box = Box((24, 6, 44, 34), most=256).tag(sync=True)
    stride = traitlets.Enum(list(STRIDES), 8).tag(sync=True)
    shapes = traitlets.List(traitlets.Enum(list(SHAPES))).tag(sync=True)
    positive = Within(0.6, 0, 1).tag(sync=True)
    negative = Within(0.3, 0, 1).tag(sync=True)
    row = Whole(4, 0, 63).tag(sync=True)
    col = Whole(3, 0, 255).tag(sync=True)
    threshold = Within(0.5, 0, 1).tag(sync=True)
    by_class = traitlets.Bool(False).tag(sync=True)
    step = Whole(0, 0, 999).tag(sync=True)

    def __init__(self, scenes=None, **keywords):
        self.set_scenes(scenes)
        found = {name: guesses(s, seed) for seed, (name, s) in enumerate(self.scenes.items())}
        self.set_trait("found", found)
        super().__init__(**{"scene": next(iter(self.scenes))} | keywords)

    @traitlets.default("shapes")
    def _all_shapes(self):
        return list(SHAPES)

    @property
    def truth(self):
        """ndarray (T, 4) : the boxes of the things."""
        return np.array(self.scenes[self.scene]["boxes"])

    @property
    def overlaps(self):
        """ndarray (T,) : the overlap of the box with each thing."""
        return iou(np.array(self.box, float), self.truth)

    @property
    def code(self):
        """ndarray (4,) : the code of the thing that is overlapped most, beside the box."""
        thing = self.truth[[self.overlaps.argmax()]]
        return encode_boxes(thing, np.array([self.box], float))[0]

    @property
    def anchors(self):
        """ndarray (FH·FW·A, 4) : the anchors, in the order (row, column, shape)."""
        if not self.shapes:
            return np.zeros((0, 4))
        scene = self.scenes[self.scene]
        cells = [int(np.ceil(scene[side] / self.stride)) for side in ("height", "width")]
        chosen = [shape for name, shape in SHAPES.items() if name in self.shapes]
        return anchor_boxes(cells, self.stride, chosen).astype(float)

    @property
    def kinds(self):
        """ndarray (FH·FW·A,) of ints : 1 positive, 0 negative, -1 neither."""
        negative = min(self.negative, self.positive)
        return match_anchors(self.anchors, self.truth, self.positive, negative)[0]

    @property
    def guesses(self):
        """list of dict : what a network might say of the scene, the highest score first."""
        return self.found[self.scene]

    @property
    def kept(self):
        """ndarray of ints : which guesses are kept, in the order of their scores."""
        names = [guess["name"] for guess in self.guesses]
        labels = np.array([names.index(name) for name in names], int) if self.by_class else None
        boxes = np.array([guess["box"] for guess in self.guesses], float).reshape(-1, 4)
        return nms(boxes, [guess["score"] for guess in self.guesses], self.threshold, labels)

    def plain(self):
        scene = self.scenes[self.scene]
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td>"
            f"<td>({', '.join(f'{v:g}' for v in box)})</td><td>{overlap:.3f}</td></tr>"
            for name, box, overlap in zip(scene["names"], scene["boxes"], self.overlaps)
        )
        kinds, kept = self.kinds, [self.guesses[i] for i in self.kept]
        return (
            f'<img alt="{html.escape(self.scene)}" width="192" src="{scene["url"]}">'
            "<div><table><thead><tr><th>thing</th><th>(y0, x0, y1, x1)</th>"
            f"<th>IoU with ({', '.join(f'{v:g}' for v in self.box)})</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            f"<p>{len(kinds)} anchors: {(kinds == 1).sum()} positive, {(kinds == 0).sum()} "
            f"negative, {(kinds == -1).sum()} neither. Of {len(self.guesses)} guesses, "
            f"{len(kept)} are kept.</p></div>"
        )
