"""Faster R-CNN, and with a branch for masks Mask R-CNN: two stages over one feature map.

Ren et al., "Faster R-CNN", NIPS 2015; He et al., "Mask R-CNN", ICCV 2017; there on top of VGG or
ResNet. The first stage says of each anchor whether there is something; the second looks at the
regions that it proposes, and says what. What one stage reads of the feature map comes back to it as
a gradient, and all of these are added: a step of training is played over a `Tape`.
"""

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..detection import (
    ChosenLoss,
    PerAnchor,
    RoIAlign,
    RoIMaxPool,
    anchor_boxes,
    crop_masks,
    encode_boxes,
    match_anchors,
    paste_masks,
    propose,
    sample_matches,
    sample_regions,
    things_found,
)
from ..functional import softmax
from ..layers import (
    Container,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    ReLU,
    Sequential,
    Tape,
)
from ..layers.base import evaluating
from ..losses import BCEWithLogitsLoss, SmoothL1Loss, SoftmaxCrossEntropy
from .blocks import features

SHAPES = ((10, 10), (11, 19), (20, 9), (18, 32), (30, 14), (26, 26), (12, 28))
STRIDE, PARTS, MASK = 4, 7, 14  # pixels a cell; cells of a region, and of its mask, along a side
BOX_WEIGHT = 2.0  # boxes are told by four numbers each, which the mean of their losses divides by


class RCNN(Container):
    """A Faster R-CNN for small pictures, such as the scenes of 64 × 64 pixels.

    Parameters
    ----------
    classes : int
        K, without "nothing".
    masks : bool
        Whether it has a branch for masks, and so is a Mask R-CNN.
    roi : {"align", "max"}
        How regions are read: `RoIAlign` or `RoIMaxPool`.
    base : int
        Channels of the first level; the feature map has four times as many.
    hidden : int
        Units of the second stage.
    shapes : sequence of pairs (height, width)
        Of the anchors, in pixels.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """

    def __init__(
        self, classes=4, masks=True, roi="align", base=16, hidden=128, shapes=SHAPES, rng=None
    ):
        self.classes = checks.integer("classes", classes, least=1)
        self.masks, self.shapes = bool(masks), tuple(shapes)
        self.roi = checks.one_of("roi", roi, ("align", "max"))
        self.base = checks.integer("base", base, least=1)
        self.hidden = checks.integer("hidden", hidden, least=1)
        rng, wide, per_cell = checks.generator("rng", rng), 4 * base, len(self.shapes)
        regions = RoIAlign if roi == "align" else RoIMaxPool
        children = {
            "backbone": Sequential(*features(base, rng)),
            "first": Sequential(Conv2d(wide, wide, 3, padding=1, rng=rng), ReLU()),
            "something": Sequential(_small(Conv2d(wide, per_cell, 1, rng=rng)), PerAnchor(1)),
            "proposals": Sequential(_small(Conv2d(wide, 4 * per_cell, 1, rng=rng)), PerAnchor(4)),
            "regions": regions(PARTS, 1 / STRIDE),
            "second": Sequential(Flatten(), Linear(wide * PARTS**2, hidden, rng=rng), ReLU()),
            "which": _small(Linear(hidden, classes + 1, rng=rng)),
            "boxes": _small(Linear(hidden, 4 * classes, rng=rng)),
        }  # fmt: skip
        if masks:
            children |= {
                "mask regions": regions(PARTS, 1 / STRIDE),
                "mask": Sequential(
                    Conv2d(wide, wide, 3, padding=1, rng=rng), ReLU(),
                    ConvTranspose2d(wide, 2 * base, 2, stride=2, rng=rng), ReLU(),
                    Conv2d(2 * base, classes, 1, rng=rng),
                ),
            }  # fmt: skip
        super().__init__(children)

    def anchors(self, features):
        """Return the anchors of a feature map, (A, 4)."""
        return anchor_boxes(features.shape[2:], STRIDE, self.shapes)

    def step(self, images, boxes, labels, masks=None, rng=None):
        """Compute all losses of a mini-batch, and fill the gradients of all parameters.

        Parameters
        ----------
        images : array (N, 3, H, W)
            H and W are multiples of 4.
        boxes, labels, masks : lists with an entry for each image
            As `convbook.images.scenes.street_scenes` returns them; an image may have nothing in it.
        rng : int or numpy.random.Generator
            Chooses what is asked.

        Returns
        -------
        dict of name -> float
            "something" and "proposals" of the first stage, "which" and "boxes" of the second, and
            "masks". Each is 0 where nothing was asked.
        """
        if self.masks and masks is None:
            raise TypeError("masks must be given: this network has a branch for them")
        rng, parts, size = checks.generator("rng", rng), self.children, images.shape[2:]
        tape = Tape(self)
        f = tape(parts["backbone"], images)
        r = tape(parts["first"], f)
        s, t = tape(parts["something"], r), tape(parts["proposals"], r)
        anchors, ends, losses = self.anchors(f), [], {}

        def add(name, loss, y, shaped, targets, chosen, weight=1.0):
            losses[name] = weight * loss(shaped, targets, chosen)
            ends.append((y, weight * loss.backward().reshape(y.shape)))

        asked, kinds, codes = self._first_targets(anchors, boxes, rng)
        add("something", ChosenLoss(BCEWithLogitsLoss()), s, s[..., 0], kinds, asked)
        on = tuple(part[kinds > 0] for part in asked)
        add("proposals", ChosenLoss(SmoothL1Loss()), t, t, codes, on, BOX_WEIGHT)

        chosen = [
            sample_regions(
                propose(anchors, s[i, :, 0], t[i], size)[0], boxes[i], labels[i], rng=rng
            )
            for i in range(len(images))
        ]
        index = np.repeat(np.arange(len(images)), [len(c.boxes) for c in chosen])
        where, which, codes = (np.concatenate([c[k] for c in chosen]) for k in range(3))
        positive = np.flatnonzero(which)
        h = tape(parts["second"], tape(parts["regions"], f, where, index))
        scores, moves = tape(parts["which"], h), tape(parts["boxes"], h)
        everything = np.arange(len(where))
        add("which", ChosenLoss(SoftmaxCrossEntropy()), scores, scores, which, everything)
        own = positive, which[positive] - 1  # each region's own class
        shaped = moves.reshape(len(moves), self.classes, 4)
        add("boxes", ChosenLoss(SmoothL1Loss()), moves, shaped, codes, own, BOX_WEIGHT)
        if self.masks:
            z = tape(
                parts["mask"], tape(parts["mask regions"], f, where[positive], index[positive])
            )
            targets = self._mask_targets(chosen, masks, size)
            add("masks", ChosenLoss(BCEWithLogitsLoss()), z, z, targets,
                (np.arange(len(positive)), own[1]))  # fmt: skip
        tape.backward(*ends)
        return losses

    def _first_targets(self, anchors, boxes, rng, count=64):
        """Return which anchors are asked, (images, anchors), what is right, and positive codes."""
        images, places, kinds, codes = [], [], [], [np.zeros((0, 4), np.float32)]
        for i, truth in enumerate(boxes):
            truth = np.asarray(truth, np.float32).reshape(-1, 4)
            kind, things = match_anchors(anchors, truth, 0.6, 0.3)
            asked = sample_matches(kind, count, rng=rng)
            on = asked[kind[asked] == 1]
            images.append(np.full(len(asked), i))
            places.append(asked)
            kinds.append((kind[asked] == 1).astype(np.float32))
            codes.append(encode_boxes(truth[things[on]], anchors[on]))
        images, places, kinds, codes = map(np.concatenate, (images, places, kinds, codes))
        return (images, places), kinds, codes

    def _mask_targets(self, chosen, masks, size):
        """Return what the masks of all regions on a thing should be, (P, 14, 14)."""
        parts = [np.zeros((0, MASK, MASK), np.float32)]
        for regions, own in zip(chosen, masks):
            own = np.asarray(own).reshape(-1, *size)[regions.things]
            parts.append(crop_masks(own, regions.boxes[: len(own)], MASK))
        return np.concatenate(parts).astype(np.float32)

    def detect(self, images, least=0.05, threshold=0.4, most=15, paste=True):
        """Find things.

        Parameters
        ----------
        images : array (N, 3, H, W)
        least, threshold, most
            As in `convbook.detection.things_found`. A threshold of 1 removes nothing, so that
            suppression can be done later.
        paste : bool
            Whether masks are put into the picture by `paste_masks`.

        Returns
        -------
        list of (boxes, scores, labels), or with masks (boxes, scores, labels, masks)
            For each image; masks are (F, H, W) of booleans, or if they are not pasted the scores of
            their cells, (F, 14, 14), above 0 inside.
        """
        parts, size = self.children, images.shape[2:]
        with evaluating(self):
            f = parts["backbone"].forward(images)
            r = parts["first"].forward(f)
            s, t = parts["something"].forward(r)[..., 0], parts["proposals"].forward(r)
            anchors = self.anchors(f)
            proposed = [propose(anchors, s[i], t[i], size)[0] for i in range(len(images))]
            index = np.repeat(np.arange(len(images)), [len(boxes) for boxes in proposed])
            where = np.concatenate([np.zeros((0, 4), np.float32), *proposed])
            h = parts["second"].forward(parts["regions"].forward(f, where, index))
            chances = softmax(parts["which"].forward(h))
            codes = parts["boxes"].forward(h).reshape(len(where), self.classes, 4)
            found = [
                things_found(chances[index == i], codes[index == i], where[index == i], size,
                             least, threshold, most)
                for i in range(len(images))
            ]  # fmt: skip
            return self._with_masks(f, found, size if paste else None) if self.masks else found

    def _with_masks(self, f, found, size):
        """Return what was found, each with its mask; without a size, with the mask's scores."""
        index = np.repeat(np.arange(len(found)), [len(boxes) for boxes, *_ in found])
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, *_ in found)])
        labels = np.concatenate([np.zeros(0, np.intp), *(labels for *_, labels in found)])
        regions = self.children["mask regions"].forward(f, boxes, index)
        z = to_numpy(self.children["mask"].forward(regions))[np.arange(len(boxes)), labels]
        masks = z if size is None else paste_masks(z, boxes, size)
        return [(*entry, masks[index == i]) for i, entry in enumerate(found)]

    def __repr__(self):
        return f"RCNN(classes={self.classes}, masks={self.masks}, roi={self.roi!r})"


def _small(layer):
    """Return a layer with weights ten times smaller: at first it says nearly nothing."""
    for name in ("f", "w"):
        if name in layer.params:
            layer.params[name] *= 0.1
    return layer
