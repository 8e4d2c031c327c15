"""YOLO and SSD for small pictures, such as the street scenes of 64 × 64 pixels.

Redmon et al., "You Only Look Once", CVPR 2016; Liu et al., "SSD: Single Shot MultiBox Detector",
ECCV 2016; there on top of GoogLeNet and VGG. Targets, losses and what is made of the answers are in
`convbook.detection`:

    model = yolo(grid=8, rng=0)
    fit(model, images, yolo_targets(boxes, labels, 8, 64, 4), loss=YoloLoss(), …)
    found = yolo_found(predict(model, images), 64)
"""

import numpy as np

from .. import checks
from ..detection import PerAnchor, anchor_boxes
from ..layers import Concat, Container, Conv2d, MaxPool2d, Sequential
from .blocks import conv_bn_relu, features

# The anchors of each feature map of the SSD: pixels for each cell, and heights and widths.
MAPS = (
    (4, ((8, 9), (9, 18), (17, 8), (20, 14))),
    (8, ((14, 26), (28, 13), (19, 32), (30, 24), (27, 44))),
)


def yolo(classes=4, grid=8, boxes=2, base=16, rng=None):
    """Return an untrained YOLO, from pictures (N, 3, H, W) to (N, 5·boxes + classes, grid, grid).

    Each halving makes four pixels or cells one; at the end a convolution of 1 × 1 says the numbers
    of each cell, as `convbook.detection.YoloLoss` wants them. (The paper has two fully connected
    layers there, with which every cell sees all of the picture.)

    Parameters
    ----------
    classes : int
        K.
    grid : {4, 8, 16}
        Cells along each side of a picture of 64 × 64.
    boxes : int
        How many each cell says.
    base : int
        Channels of the first level.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
    """
    for name, number in (("classes", classes), ("boxes", boxes), ("base", base)):
        checks.integer(name, number, least=1)
    halvings = {16: 2, 8: 3, 4: 4}[checks.one_of("grid", grid, (4, 8, 16))]
    rng, layers, wide = checks.generator("rng", rng), [], 3
    for level, factor in enumerate((1, 2, 4, 6, 6, 6)):
        layers += conv_bn_relu(wide, factor * base, 3, rng)
        wide = factor * base
        if level < halvings:
            layers.append(MaxPool2d(2))
    return Sequential(*layers, Conv2d(wide, 5 * boxes + classes, 1, rng=rng))


class SSD(Container):
    """An SSD with two feature maps, each with anchors of its own: the fine one for small things.

    Parameters
    ----------
    classes : int
        K, without "nothing".
    base : int
        Channels of the first level; the fine map has four times as many, the coarse one six times.
    maps : sequence of (stride, shapes)
        Of both maps: pixels for each cell, 4 and 8, and the heights and widths of its anchors.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Examples
    --------
    >>> model = SSD(rng=0)
    >>> model(np.zeros((2, 3, 64, 64), np.float32)).shape, model.anchors((64, 64)).shape
    ((2, 1344, 9), (1344, 4))
    """

    def __init__(self, classes=4, base=16, maps=MAPS, rng=None):
        self.classes = checks.integer("classes", classes, least=1)
        self.base, self.maps = checks.integer("base", base, least=1), tuple(maps)
        if [stride for stride, _ in self.maps] != [4, 8]:
            raise ValueError(
                "maps must be two, with strides 4 and 8, got strides "
                f"{[stride for stride, _ in self.maps]}"
            )
        rng, numbers = checks.generator("rng", rng), self.classes + 5

        def head(channels, shapes):
            conv = Conv2d(channels, len(shapes) * numbers, 3, padding=1, rng=rng)
            return Sequential(conv, PerAnchor(numbers))

        super().__init__(
            {
                "fine": Sequential(*features(base, rng)),
                "fine head": head(4 * base, self.maps[0][1]),
                "coarse": Sequential(
                    MaxPool2d(2),
                    *conv_bn_relu(4 * base, 6 * base, 3, rng),
                    *conv_bn_relu(6 * base, 6 * base, 3, rng),
                ),
                "coarse head": head(6 * base, self.maps[1][1]),
                "all": Concat(),
            }
        )

    def anchors(self, size):
        """Return the anchors of both maps of a picture, in the order of the answers: (A, 4).

        Parameters
        ----------
        size : (H, W), or an int
            Of the picture; multiples of 8.
        """
        high, wide = checks.pair("size", size)
        return np.concatenate(
            [anchor_boxes((high // s, wide // s), s, shapes) for s, shapes in self.maps]
        )

    def forward(self, x):
        """Return what all anchors say, (N, A, K + 5): the scores of nothing and K classes, a code.

        x has shape (N, 3, H, W), H and W multiples of 8.
        """
        parts = self.children
        f = parts["fine"].forward(x)
        fine = parts["fine head"].forward(f)
        coarse = parts["coarse head"].forward(parts["coarse"].forward(f))
        return self._output(parts["all"].forward(fine, coarse))

    def backward(self, dy, need_dx=True):
        """Return dx, or None; what both maps hand back to the fine one is added."""
        parts = self.children
        dfine, dcoarse = parts["all"].backward(self._gradient(dy))
        df = parts["fine head"].backward(dfine)
        df = df + parts["coarse"].backward(parts["coarse head"].backward(dcoarse))
        return parts["fine"].backward(df, need_dx=need_dx)

    def __repr__(self):
        return f"SSD(classes={self.classes})"
