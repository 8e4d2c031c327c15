"""torchvision's Mask R-CNN for photographs, behind one function. Needs PyTorch and torchvision.

    detector = mask_rcnn("weights")              # a folder with the published weights
    boxes, scores, labels, masks = detector.detect(images)[0]
    [detector.names[k] for k in labels]

It is the network of He et al., "Mask R-CNN", ICCV 2017: a ResNet-50 with a feature pyramid, trained
on COCO's photographs of 80 kinds of things.
"""

import hashlib
import re
import sys
import types
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from .. import checks, detection
from .available import import_torch

FILE = "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"  # 178 MB, under this name at PyTorch's own site


def mask_rcnn(weights=None, size=800, rng=0):
    """Return torchvision's Mask R-CNN, ready for use.

    Parameters
    ----------
    weights : str or path, optional
        A folder that holds the published weights, or the file itself; or "download", then
        torchvision fetches 178 MB from PyTorch's own site, once. Without it, the weights are drawn
        at random: the network runs, and finds nothing that is there.
    size : int
        The length in pixels that the shorter side of a picture is brought to.
    rng : int
        Draws random weights.

    Returns
    -------
    PhotoDetector

    Raises
    ------
    ImportError
        If PyTorch or torchvision is not installed; says how to install them.
    FileNotFoundError
        If there is no such file; says which one is needed.
    ValueError
        If a file is not whole, or holds the weights of another network.
    """
    size = checks.integer("size", size, least=32)
    path = None if weights in (None, "download") else _found(Path(weights))
    torch, models = import_torch(), import_torchvision().models.detection
    published = models.MaskRCNN_ResNet50_FPN_Weights.COCO_V1
    torch.manual_seed(checks.integer("rng", rng, least=0))
    net = models.maskrcnn_resnet50_fpn(
        weights=published if weights == "download" else None,
        weights_backbone=None,
        num_classes=len(published.meta["categories"]),
        min_size=size,
        max_size=2 * size,
    )
    if path is not None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        try:
            net.load_state_dict(state)
        except (RuntimeError, TypeError) as error:
            said = str(error).split("\n")[0]
            raise ValueError(f"{path} must hold the weights of {FILE}: {said}") from None
    return PhotoDetector(net.eval(), tuple(published.meta["categories"]))


class PhotoDetector:
    """A network of torchvision that speaks as the detectors of this package do.

    Attributes
    ----------
    net : torch.nn.Module
    names : tuple of str
        Of the classes; the first is "nothing".
    """

    def __init__(self, net, names):
        self.net, self.names = net, names

    def detect(self, images, least=0.5, threshold=0.5, most=100):
        """Find things.

        Parameters
        ----------
        images : array (N, 3, H, W), or a list of arrays (3, H, W)
            Red, green, blue, from 0 to 1.
        least, threshold, most
            As in `convbook.detection.things_found`.

        Returns
        -------
        list of (boxes, scores, labels, masks)
            For each image, as `convbook.models.rcnn.RCNN.detect` returns it: boxes are
            (y0, x0, y1, x1), masks (F, H, W) of booleans. Labels are positions in `names`.
        """
        torch, heads = import_torch(), self.net.roi_heads
        heads.score_thresh = checks.number("least", least, least=0, most=1)
        heads.nms_thresh = checks.number("threshold", threshold, least=0, most=1)
        heads.detections_per_img = checks.integer("most", most, least=0)
        tensors = [torch.from_numpy(np.ascontiguousarray(x, np.float32)) for x in images]
        with torch.no_grad(), compiled_or_ours():
            found = self.net(tensors)
        return [
            (
                entry["boxes"].numpy()[:, [1, 0, 3, 2]],
                entry["scores"].numpy(),
                entry["labels"].numpy(),
                entry["masks"].numpy()[:, 0] >= 0.5,
            )
            for entry in found
        ]

    def __repr__(self):
        return f"PhotoDetector({len(self.names) - 1} classes)"


def _found(path):
    """Return the file with the weights, whole."""
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there. The weights are published as {FILE} (178 MB), for torchvision's "
            "maskrcnn_resnet50_fpn; mask_rcnn('download') fetches them where the network allows it"
        )
    said = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if said:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(said[1]):
            raise ValueError(
                f"{path} must have a SHA-256 that begins with {said[1]}, as its name says, got "
                f"{digest[:8]}: it was not copied whole"
            )
    return path


# --- Where torchvision's compiled part cannot be loaded ------------------------------------------


@cache
def import_torchvision():
    """Return the module torchvision, also where its compiled part belongs to another PyTorch.

    Raises ImportError with a sentence if it is not installed.
    """
    import_torch()
    try:
        # Its import fails where the compiled operators are missing, though Python's part works.
        if not _compiled():
            name = "torchvision._meta_registrations"
            sys.modules.setdefault(name, types.ModuleType(name))
        import torchvision
    except ImportError as error:
        raise ImportError(
            f"torchvision is needed here and cannot be imported ({error}). "
            'To install it: pip install "convbook[torchvision]"'
        ) from None
    return torchvision


@cache
def _compiled():
    """Whether torchvision's compiled operators fit the PyTorch that is installed."""
    from importlib.util import find_spec

    place = find_spec("torchvision")
    if place is None:
        raise ImportError("there is no module torchvision")
    libraries = sorted(Path(place.origin).parent.glob("_C.*"))
    if not libraries:
        return False
    try:
        import_torch().ops.load_library(libraries[0])
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def compiled_or_ours():
    """Let this package's `nms` and `roi_align` stand in for compiled operators that are missing."""
    from torchvision.extension import _has_ops
    from torchvision.ops import boxes, poolers

    if _has_ops():
        yield
        return
    kept = boxes.nms, poolers.roi_align
    boxes.nms, poolers.roi_align = _our_nms, _our_roi_align
    try:
        yield
    finally:
        boxes.nms, poolers.roi_align = kept


def _our_nms(boxes, scores, iou_threshold):
    """`torchvision.ops.nms` by `convbook.detection.nms`."""
    kept = detection.nms(boxes.numpy()[:, [1, 0, 3, 2]], scores.numpy(), float(iou_threshold))
    return import_torch().from_numpy(kept)


def _our_roi_align(x, rois, output_size, spatial_scale, sampling_ratio, aligned=False):
    """`torchvision.ops.roi_align` by `convbook.detection.roi_align`."""
    rois = rois.numpy()
    y = detection.roi_align(
        x.numpy(),
        rois[:, [2, 1, 4, 3]],
        rois[:, 0].astype(np.int64),
        output_size,
        spatial_scale,
        sampling_ratio,
        aligned,
    )
    return import_torch().from_numpy(np.ascontiguousarray(y))
