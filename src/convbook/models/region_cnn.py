"""R-CNN and Fast R-CNN: the regions come from elsewhere, and a network says what is in them.

Girshick et al., "Rich feature hierarchies", CVPR 2014; Girshick, "Fast R-CNN", ICCV 2015. R-CNN
cuts every region out of the picture and runs a network on it; Fast R-CNN runs one on the whole
picture, and cuts the regions out of its feature map.
"""

import numpy as np

from .. import checks
from ..detection import roi_align, things_found
from ..functional import softmax
from ..layers import Flatten, Linear, MaxPool2d, ReLU, Sequential
from ..layers.base import evaluating
from .blocks import features

SIDE = 32  # of the regions as R-CNN's network gets them, in pixels; in the paper 227


def warped(image, boxes, side=SIDE):
    """Return the part of a picture in each box, stretched or squeezed to side × side pixels.

    Parameters
    ----------
    image : array (3, H, W)
    boxes : array (R, 4)
    side : int

    Returns
    -------
    array (R, 3, side, side)
    """
    _, image = checks.numeric_arrays(image=image)
    checks.axes("image", image, ("3", "H", "W"))
    return roi_align(image[None], boxes, np.zeros(len(boxes), np.intp), side, 1.0, samples=1)


def region_cnn(classes=4, base=16, hidden=128, rng=None):
    """Return R-CNN's network: regions (R, 3, 32, 32) become scores of nothing and of each class.

    Its convolutions are those of `convbook.models.rcnn.RCNN`.

    Parameters
    ----------
    classes : int
        K, without "nothing".
    base : int
        Channels of the first level.
    hidden : int
        Units of the layer before the last.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Returns
    -------
    Sequential
    """
    for name, number in (("classes", classes), ("base", base), ("hidden", hidden)):
        checks.integer(name, number, least=1)
    rng = checks.generator("rng", rng)
    return Sequential(
        *features(base, rng),
        MaxPool2d(2),
        Flatten(),
        Linear(4 * base * (SIDE // 8) ** 2, hidden, rng=rng),
        ReLU(),
        Linear(hidden, classes + 1, rng=rng),
    )


def rcnn_found(model, image, boxes, least=0.05, threshold=0.4, most=15):
    """Return what R-CNN finds in a picture: every region goes through all of the network.

    The boxes are those of the regions: the regression that would move them, the third thing which
    R-CNN trains, is left out.

    Parameters
    ----------
    model : Layer
        A `region_cnn`.
    image : array (3, H, W)
    boxes : array (R, 4)
        The regions.
    least, threshold, most
        As in `convbook.detection.things_found`.

    Returns
    -------
    boxes, scores, labels
    """
    with evaluating(model):
        chances = softmax(model.forward(warped(image, boxes)))
    stay = np.zeros((len(boxes), chances.shape[1] - 1, 4), np.float32)
    return things_found(chances, stay, boxes, image.shape[1:], least, threshold, most)


def fast_found(model, image, boxes, least=0.05, threshold=0.4, most=15):
    """Return what Fast R-CNN finds in a picture: one feature map, and a short way for each region.

    Parameters
    ----------
    model : convbook.models.rcnn.RCNN
        Of which the second stage is used, and not the one that proposes regions.
    image, boxes, least, threshold, most
        As in `rcnn_found`.

    Returns
    -------
    boxes, scores, labels
    """
    parts = model.children
    with evaluating(model):
        f = parts["backbone"].forward(image[None])
        regions = parts["regions"].forward(f, boxes, np.zeros(len(boxes), np.intp))
        h = parts["second"].forward(regions)
        chances = softmax(parts["which"].forward(h))
        codes = parts["boxes"].forward(h).reshape(len(boxes), model.classes, 4)
    return things_found(chances, codes, boxes, image.shape[1:], least, threshold, most)
