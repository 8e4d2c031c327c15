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

NETWORK = "maskrcnn_resnet50_fpn"
FILE = f"{NETWORK}_coco-bf2d0c1e.pth"  # 178 MB, under this name at PyTorch's own site
WRAPPERS = ("model", "state_dict", "model_state_dict")  # where scripts put weights beside others


def mask_rcnn(weights=None, size=800, rng=0, names=None):
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
    names : sequence of str, optional
        Of the classes, the first stands for nothing, if the weights are of a training of your own.
        COCO's if not given.

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
        If a file is not whole, or holds the weights of another network or of other classes.
    """
    size = checks.integer("size", size, least=32)
    path = None if weights in (None, "download") else _found(Path(weights))
    torch, models = import_torch(), import_torchvision().models.detection
    published = models.MaskRCNN_ResNet50_FPN_Weights.COCO_V1
    if weights == "download" and names is not None:
        raise ValueError(f"names must be left out with weights = 'download', got {names!r}")
    names = tuple(published.meta["categories"] if names is None else names)
    torch.manual_seed(checks.integer("rng", rng, least=0))
    net = models.maskrcnn_resnet50_fpn(
        weights=published if weights == "download" else None,
        weights_backbone=None,
        num_classes=len(names),
        min_size=size,
        max_size=2 * size,
    )
    if path is not None:
        _fill(net, _state(torch, path), path, len(names))
        if _digest(path).startswith(_digest_in(FILE)):
            # These were trained without the small number below the root, and torchvision itself
            # takes it away for them.
            for layer in net.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eps = 0.0
    return PhotoDetector(net.eval(), names)


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
        tensors = [torch.from_numpy(_picture(f"images[{i}]", x)) for i, x in enumerate(images)]
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
    said = _digest_in(path.name)
    if said and not _digest(path).startswith(said):
        raise ValueError(
            f"{path} must have a SHA-256 that begins with {said}, as its name says, got "
            f"{_digest(path)[:8]}: it was not copied whole"
        )
    return path


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_in(name):
    """Return the beginning of a SHA-256 that a file's name ends with, empty if there is none."""
    said = re.search(r"-([0-9a-f]{8})\.pth$", name)
    return said[1] if said else ""


def _state(torch, path):
    """Return the weights in a file by their names: alone, beside other things, or of several GPUs.

    Only arrays are read: other things in a file could be code, and are not run.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # every kind of file fails in its own way
        raise ValueError(
            f"{path} must be as torch.save(net.state_dict(), path) writes it; it is cut off, of "
            f"another kind, or holds more than arrays ({type(error).__name__})"
        ) from None
    for name in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(name), dict):
            state = state[name]
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise ValueError(
            f"{path} must hold arrays by their names, as net.state_dict() has them, got a "
            f"{type(state).__name__}"
        )
    if state and all(name.startswith("module.") for name in state):  # DataParallel's names
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def _fill(net, state, path, classes):
    """Put the weights into the network, all of them or none."""
    said = state.get("roi_heads.box_predictor.cls_score.bias")
    if said is not None and len(said) != classes:
        raise ValueError(
            f"{path} holds weights for {len(said)} classes, with nothing among them, and names has "
            f"{classes}: give the {len(said)} names of yours, names=('nothing', …)"
        )
    here = {name: value.shape for name, value in net.state_dict().items()}
    wrong = [name for name, value in state.items() if here.get(name, value.shape) != value.shape]
    counters = {name for name in here if name.endswith("num_batches_tracked")}
    missing, others = sorted(here.keys() - state.keys() - counters), sorted(state.keys() - here)
    for what, found in (
        ("are missing", missing),
        ("belong to another network", others),
        ("are of another size", wrong),
    ):
        if found:
            raise ValueError(
                f"{path} must hold the weights of {NETWORK}: {len(found)} arrays {what}, such as "
                f"{found[0]}"
            )
    net.load_state_dict(state, strict=False)


def _picture(name, image):
    """Return a picture as an array of float32 in the order of its axes."""
    _, image = checks.numeric_arrays(**{name: image})
    checks.axes(name, image, ("3", "H", "W"))
    checks.shape(name, image, (3, *image.shape[1:]))
    return np.ascontiguousarray(image, np.float32)


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
