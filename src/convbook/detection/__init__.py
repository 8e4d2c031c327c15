"""What is where: boxes, anchors, regions of interest, and how good a detector is.

A box is (y0, x0, y1, x1): its upper, left, lower and right edge in pixels, as an array (R, 4) for
several. Edges lie between pixels, so (3, 5, 4, 6) is the box around the pixel in row 3 and column 5
alone. Functions take NumPy and CuPy arrays; `convbook.detection.plain` has what they do as loops.

    iou(found, truth)                                  # which box overlaps which, and how much
    kept = nms(boxes, scores, threshold=0.5)           # of several boxes on a thing, the best
    y = roi_align(features, boxes, image_index, 7, 1 / 4)
    average_precision([(boxes, scores)], [truth])
"""

from .anchors import anchor_boxes, match_anchors, sample_matches
from .boxes import (
    area,
    boxes_of_masks,
    clip_boxes,
    decode_boxes,
    encode_boxes,
    flip_boxes,
    iou,
    mask_iou,
)
from .grid import answered_for, cells_of
from .layers import PerAnchor, RoIAlign, RoIMaxPool
from .losses import ChosenLoss
from .metrics import average_precision, average_precisions, match_found, precision_recall
from .one_stage import (
    MultiBoxLoss,
    YoloLoss,
    cell_boxes,
    ssd_found,
    ssd_targets,
    yolo_found,
    yolo_targets,
)
from .proposals import crop_masks, paste_masks, propose, sample_regions, things_found
from .roi import roi_align, roi_align_backward, roi_max_pool, roi_max_pool_backward
from .selective import selective_search
from .suppression import best_boxes, nms

__all__ = [
    "ChosenLoss",
    "MultiBoxLoss",
    "PerAnchor",
    "RoIAlign",
    "RoIMaxPool",
    "YoloLoss",
    "anchor_boxes",
    "answered_for",
    "area",
    "average_precision",
    "average_precisions",
    "best_boxes",
    "boxes_of_masks",
    "cell_boxes",
    "cells_of",
    "clip_boxes",
    "crop_masks",
    "decode_boxes",
    "encode_boxes",
    "flip_boxes",
    "iou",
    "mask_iou",
    "match_anchors",
    "match_found",
    "nms",
    "paste_masks",
    "precision_recall",
    "propose",
    "roi_align",
    "roi_align_backward",
    "roi_max_pool",
    "roi_max_pool_backward",
    "sample_matches",
    "sample_regions",
    "selective_search",
    "ssd_found",
    "ssd_targets",
    "things_found",
    "yolo_found",
    "yolo_targets",
]
