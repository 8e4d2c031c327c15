"""torchvision's Mask R-CNN behind one function: random weights, a folder's, and none."""

from importlib.util import find_spec

import numpy as np
import pytest

from convbook.frameworks import mask_rcnn_torch
from convbook.images.scenes import street_scenes

torch = pytest.importorskip("torch")
# Importing it itself fails where its compiled part belongs to another build of PyTorch.
pytestmark = pytest.mark.skipif(find_spec("torchvision") is None, reason="no torchvision")

IMAGES = street_scenes(2, rng=0, size=(48, 64))[0]


@pytest.fixture(scope="module")
def detector():
    return mask_rcnn_torch.mask_rcnn(size=64)


@pytest.mark.slow
def test_it_speaks_as_our_detectors_do(detector):
    assert len(detector.names) == 91 and detector.names[1] == "person"
    assert repr(detector) == "PhotoDetector(90 classes)"
    found = detector.detect([IMAGES[0], IMAGES[1][:, :40]], least=0, most=7)
    for (boxes, scores, labels, masks), height in zip(found, (48, 40)):
        count = len(boxes)
        assert boxes.shape == (count, 4) and scores.shape == labels.shape == (count,)
        assert masks.shape == (count, height, 64) and masks.dtype == bool and count <= 7
        assert (boxes[:, :2] <= boxes[:, 2:]).all() and (np.diff(scores) <= 0).all()
        assert boxes[:, [0, 2]].max(initial=0) <= height and boxes.max(initial=0) <= 64
    assert sum(len(entry[0]) for entry in found) > 0
    assert [len(entry[0]) for entry in detector.detect(IMAGES, least=1)] == [0, 0]
    for images, said in ((IMAGES[0], "must have 3 axes"), (IMAGES[:, :1], "must have shape")):
        with pytest.raises(ValueError, match=f"images.0. {said}"):
            detector.detect(images)


@pytest.mark.slow
def test_weights_of_a_file(detector, tmp_path):
    path = tmp_path / "own.pth"
    torch.save(detector.net.state_dict(), path)
    again = mask_rcnn_torch.mask_rcnn(path, size=64, rng=5)
    for ours, theirs in zip(again.detect(IMAGES[:1], 0)[0], detector.detect(IMAGES[:1], 0)[0]):
        np.testing.assert_array_equal(ours, theirs)
    path.rename(tmp_path / mask_rcnn_torch.FILE)
    with pytest.raises(ValueError, match="SHA-256 that begins with bf2d0c1e"):
        mask_rcnn_torch.mask_rcnn(tmp_path)
    torch.save({"a": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="must hold the weights of maskrcnn"):
        mask_rcnn_torch.mask_rcnn(path)


STATE = {"a.weight": torch.ones(2, 3), "b.bias": torch.zeros(4)}
WRITTEN = {
    "alone": STATE,
    "beside other things": {"model": STATE, "optimizer": {"lr": 0.1}, "epoch": 3},
    "as others name it": {"state_dict": STATE, "best": 0.5},
    "of several GPUs": {f"module.{name}": value for name, value in STATE.items()},
    "both": {"model_state_dict": {f"module.{name}": value for name, value in STATE.items()}},
}


@pytest.mark.parametrize("how", WRITTEN)
def test_weights_are_found_however_they_were_written(how, tmp_path):
    torch.save(WRITTEN[how], tmp_path / "a.pth")
    state = mask_rcnn_torch._state(torch, tmp_path / "a.pth")
    assert list(state) == list(STATE)
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_files_that_hold_no_weights(tmp_path):
    path = tmp_path / "a.pth"
    torch.save(STATE, path)
    whole = path.read_bytes()
    for what in (whole[: len(whole) // 2], b"", b"no weights at all", b"<html>404</html>"):
        path.write_bytes(what)
        with pytest.raises(ValueError, match=r"a\.pth must be as torch\.save"):
            mask_rcnn_torch._state(torch, path)
    torch.save({"model": STATE, "net": torch.nn.Linear(2, 2)}, path)  # code, which is not run
    with pytest.raises(ValueError, match="more than arrays"):
        mask_rcnn_torch._state(torch, path)
    for other in ([1, 2], {"epoch": 3}, torch.ones(3)):
        torch.save(other, path)
        with pytest.raises(ValueError, match="must hold arrays by their names"):
            mask_rcnn_torch._state(torch, path)


@pytest.mark.slow
def test_weights_of_other_classes_and_sizes(detector, tmp_path, monkeypatch):
    path, state = tmp_path / "own.pth", detector.net.state_dict()
    mask_rcnn = mask_rcnn_torch.mask_rcnn
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"weights for 91 classes.*names has 3"):
        mask_rcnn(path, size=64, names=("nothing", "car", "dog"))
    with pytest.raises(ValueError, match="names must be left out"):
        mask_rcnn("download", names=("nothing", "car"))
    of_anchors = "rpn.head.cls_logits.weight"
    for said, spoiled in (
        ("1 arrays are missing, such as rpn", {n: v for n, v in state.items() if n != of_anchors}),
        ("1 arrays belong to another network, such as extra", state | {"extra": torch.ones(1)}),
        ("1 arrays are of another size, such as rpn", state | {of_anchors: torch.ones(1)}),
    ):
        torch.save(spoiled, path)
        with pytest.raises(ValueError, match=said):
            mask_rcnn(path, size=64)
    few = mask_rcnn(size=64, names=("nothing", "car", "dog"))
    assert repr(few) == "PhotoDetector(2 classes)"
    torch.save({f"module.{n}": v for n, v in few.net.state_dict().items()}, path)
    again = mask_rcnn(path, size=64, names=few.names)
    assert {layer.eps for layer in again.net.modules() if hasattr(layer, "eps")} == {1e-5}
    # Were this the published file, there would be no eps, as torchvision has it for that.
    monkeypatch.setattr(mask_rcnn_torch, "FILE", f"a-{mask_rcnn_torch._digest(path)[:8]}.pth")
    again = mask_rcnn(path, size=64, names=few.names)
    assert {layer.eps for layer in again.net.modules() if hasattr(layer, "eps")} == {0.0}


def test_without_weights_a_sentence_says_which(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match="maskrcnn_resnet50_fpn"):
            mask_rcnn_torch.mask_rcnn(place)
    with pytest.raises(ValueError, match="size"):
        mask_rcnn_torch.mask_rcnn(size=3)


@pytest.mark.slow
def test_our_operators_stand_in():
    mask_rcnn_torch.import_torchvision()
    from torchvision.ops import boxes as their_boxes
    from torchvision.ops.roi_align import _roi_align

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(2, 3, 12, 16)).astype(np.float32))
    corners = rng.uniform(0, 25, (9, 2))  # what lies outside, Python's part reads otherwise
    rois = np.column_stack([rng.integers(0, 2, 9), corners, corners + rng.uniform(1, 22, (9, 2))])
    rois = torch.from_numpy(rois.astype(np.float32))
    ours = mask_rcnn_torch._our_roi_align(x, rois, (5, 5), 0.25, 2)
    theirs = _roi_align(x, rois, 0.25, 5, 5, 2, False)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)
    scores, threshold = torch.linspace(1, 0, 9), 0.3
    overlap = their_boxes.box_iou(rois[:, 1:], rois[:, 1:])
    kept = list(range(9))
    for i in range(9):
        if i in kept:
            kept = [j for j in kept if j <= i or overlap[i, j] <= threshold]
    assert mask_rcnn_torch._our_nms(rois[:, 1:], scores, threshold).tolist() == kept
    before = their_boxes.nms
    with mask_rcnn_torch.compiled_or_ours():
        from torchvision.extension import _has_ops

        assert (their_boxes.nms is before) == _has_ops()
    assert their_boxes.nms is before
