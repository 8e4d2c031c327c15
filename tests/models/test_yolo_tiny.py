"""YOLOv3-tiny: PyTorch's outputs and gradients, darknet's files, letterboxes, boxes that fit."""

import dataclasses
import hashlib

import numpy as np
import pytest

from convbook.datasets import files
from convbook.models import yolo_tiny
from convbook.models.yolo_tiny import (
    ANCHORS,
    NAMES,
    YoloTiny,
    found_in_picture,
    letterbox,
    load_darknet,
    save_darknet,
)
from helpers.refusing import refused

COUNT = 8_858_734  # numbers in the published file


def small(classes=3, rng=0):
    return YoloTiny(classes, width=1 / 16, rng=rng)


def shaken(model, seed=0):
    """Give every parameter and buffer a value of its own."""
    rng = np.random.default_rng(seed)
    for name, array in {**model.params, **model.buffers}.items():
        array[...] = (
            rng.uniform(0.5, 1.5, array.shape)
            if "var" in name
            else (rng.normal(0, 0.3, array.shape))
        )
    return model


# --- The network ---------------------------------------------------------------------------------


def test_sizes_of_the_published_network():
    model = YoloTiny()
    arrays = {**model.params, **model.buffers}
    assert sum(array.size for array in arrays.values()) == COUNT
    coarse, fine = model.eval()(np.zeros((1, 3, 32, 64), np.float32))
    assert coarse.shape == (1, 255, 1, 2) and fine.shape == (1, 255, 2, 4)
    assert len(NAMES) == len(set(NAMES)) == 80


def in_torch(torch, model):
    """Return a function of the same structure, written from darknet's list of layers."""
    nn, functional = torch.nn, torch.nn.functional
    ours = [*model.params.values()]
    tensors = [torch.tensor(array, requires_grad=True) for array in ours]
    running = [torch.tensor(array) for array in model.buffers.values()]

    def forward(x, training=False):
        left, statistics, seen = list(tensors), list(running), {}

        def conv(y, kernel, plain=False):
            f = left.pop(0)
            if plain:
                return functional.conv2d(y, f, left.pop(0))
            gamma, beta, mean, var = left.pop(0), left.pop(0), statistics.pop(0), statistics.pop(0)
            y = functional.conv2d(y, f, padding=kernel // 2)
            y = functional.batch_norm(
                y, mean.clone(), var.clone(), gamma, beta, training, 0.1, 1e-5
            )
            return functional.leaky_relu(y, 0.1)

        for _ in range(5):
            x = conv(x, 3)
            seen["wide"] = x
            x = functional.max_pool2d(x, 2)
        x = conv(x, 3)
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), mode="replicate"), 2, 1)
        x = conv(conv(x, 3), 1)
        coarse = conv(conv(x, 3), 1, plain=True)
        up = nn.functional.interpolate(conv(x, 1), scale_factor=2, mode="nearest")
        return coarse, conv(conv(torch.cat([up, seen["wide"]], 1), 3), 1, plain=True)

    return forward, tensors


@pytest.mark.parametrize("training", [False, True])
def test_outputs_and_gradients_are_pytorchs(training):
    torch = pytest.importorskip("torch")
    model = shaken(small()).astype(np.float64).train(training)
    forward, tensors = in_torch(torch, model)
    x = np.random.default_rng(1).normal(size=(2, 3, 64, 96))
    tensor = torch.tensor(x, requires_grad=True)
    expected = forward(tensor, training)
    outputs = model(x)
    dys = []
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.detach(), atol=1e-8)
        dys.append(np.random.default_rng(2).normal(size=ours.shape))
    torch.autograd.backward(expected, [torch.tensor(dy) for dy in dys])
    dx = model.backward(*dys)
    np.testing.assert_allclose(dx, tensor.grad, atol=1e-7 * abs(dx).max())
    for gradient, theirs in zip(model.grads.values(), tensors, strict=True):
        np.testing.assert_allclose(gradient, theirs.grad, atol=1e-7 * max(1, abs(gradient).max()))
    assert model.backward(*dys, need_dx=False) is None


# --- Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [1, 2])
def test_weights_come_back_from_darknets_file(minor, tmp_path):
    model, path = shaken(small()), tmp_path / "small.weights"
    save_darknet(model, path)
    if minor == 1:  # an older version counts the pictures in four bytes
        content = path.read_bytes()
        path.write_bytes(np.array([0, 1, 0, 0], "<i4").tobytes() + content[20:])
    other = small(rng=5)
    load_darknet(other, path)
    for (name, ours), theirs in zip(model.state().items(), other.state().values()):
        np.testing.assert_array_equal(ours, theirs, name)


def test_the_order_of_darknet(tmp_path):
    """Bias, scale, mean, variance, filters: numbers that count up are found again there."""
    model, path = small(), tmp_path / "counted.weights"
    count = sum(array.size for array in {**model.params, **model.buffers}.values())
    header = np.array([0, 2, 0, 0, 0], "<i4").tobytes()
    path.write_bytes(header + np.arange(count, dtype="<f4").tobytes())
    load_darknet(model, path)
    conv, norm = model.children["front"][0], model.children["front"][1]
    c = len(norm.params["beta"])
    assert norm.params["beta"].tolist() == list(range(c))
    assert norm.params["gamma"].tolist() == list(range(c, 2 * c))
    assert norm.buffers["running_mean"].tolist() == list(range(2 * c, 3 * c))
    assert norm.buffers["running_var"].tolist() == list(range(3 * c, 4 * c))
    assert conv.params["f"].reshape(-1).tolist() == list(
        range(4 * c, 4 * c + conv.params["f"].size)
    )
    last = model.children["fine"][-1].params
    assert last["b"][0] == count - last["f"].size - last["b"].size
    assert last["f"].reshape(-1)[-1] == count - 1


def test_a_wrong_file_changes_nothing(tmp_path):
    model, path = shaken(small()), tmp_path / "wrong.weights"
    before = model.state()
    save_darknet(model, path)
    content = path.read_bytes()
    for wrong in (content[:-4], content + b"1234", content[:-2], b"", b"123"):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="wrong.weights"):
            load_darknet(model, path)
    save_darknet(small(classes=4), path)
    with pytest.raises(ValueError, match=r"must hold .* numbers for YoloTiny\(classes=3"):
        load_darknet(model, path)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(FileNotFoundError):
        load_darknet(model, tmp_path / "none.weights")


def test_published_weights_from_a_folder(tmp_path, monkeypatch):
    model, path = shaken(small()), tmp_path / "yolov3-tiny.weights"
    save_darknet(model, path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    file = dataclasses.replace(yolo_tiny.WEIGHTS, size=len(content), sha256=digest)
    monkeypatch.setattr(yolo_tiny, "WEIGHTS", file)
    monkeypatch.setattr(yolo_tiny, "NETWORK", {"classes": 3, "width": 1 / 16})
    read = yolo_tiny.published(tmp_path)
    assert not read.training
    for ours, theirs in zip(model.state().values(), read.state().values()):
        np.testing.assert_array_equal(ours, theirs)
    monkeypatch.setenv("CONVBOOK_DATA", str(tmp_path))
    assert repr(yolo_tiny.published()) == repr(read)
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match="must have the SHA-256"):
        yolo_tiny.published(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="can be trained") as caught:
        yolo_tiny.published(tmp_path)
    assert "full=False" not in str(caught.value) and "pjreddie" in str(caught.value)


def test_published_weights_from_a_mirror(tmp_path, monkeypatch, serve):
    pytest.importorskip("pooch")
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    mirror.mkdir()
    model = shaken(small())
    save_darknet(model, mirror / "yolov3-tiny.weights")
    content = (mirror / "yolov3-tiny.weights").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    file = dataclasses.replace(yolo_tiny.WEIGHTS, size=len(content), sha256=digest)
    monkeypatch.setattr(yolo_tiny, "WEIGHTS", file)
    monkeypatch.setattr(yolo_tiny, "NETWORK", {"classes": 3, "width": 1 / 16})
    monkeypatch.setattr(files, "cache_folder", lambda: cache)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    read = yolo_tiny.published(serve(mirror) + "/")
    for ours, theirs in zip(model.state().values(), read.state().values()):
        np.testing.assert_array_equal(ours, theirs)
    assert len(list(cache.rglob("*.weights"))) == 1


# --- Pictures and boxes --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(48, 96), (96, 48), (64, 64), (30, 41), (500, 300)])
def test_a_letterbox_keeps_the_shape_of_things(size):
    image = np.zeros((3, *size))
    y, x = (int(n * 0.6) for n in size)
    image[:, y:, x:] = 1
    square, (scale, top, left) = letterbox(image, 64)
    assert square.shape == (1, 3, 64, 64) and square.dtype == np.float32
    assert max(size) * scale == pytest.approx(64)
    edge_y, edge_x = top + scale * y, left + scale * x
    inside, outside = square[0, 0, int(edge_y + 2), int(edge_x + 2)], square[0, 0, int(edge_y - 2)]
    assert inside == 1 and outside[int(edge_x - 2)] == 0
    ground = round(64 - min(size) * scale)
    bars = (square[0, 0] == 0.5).all(axis=1).sum() + (square[0, 0] == 0.5).all(axis=0).sum()
    assert bars == pytest.approx(ground, abs=1)


def outputs_that_say(box, label, placing, anchor, classes=3, side=64):
    """Return outputs whose only certain box is the given one, in pixels of the picture."""
    scale, top, left = placing
    y0, x0, y1, x1 = np.asarray(box) * scale + [top, left, top, left]
    coarse = np.full((1, 3 * (5 + classes), side // 32, side // 32), -20.0)
    fine = np.full((1, 3 * (5 + classes), side // 16, side // 16), -20.0)
    grid, k = divmod(anchor, 3)
    output = (coarse, fine)[grid].reshape(3, 5 + classes, *(coarse, fine)[grid].shape[2:])
    cells = output.shape[-1]
    y, x = (y0 + y1) / 2 / side * cells, (x0 + x1) / 2 / side * cells
    row, column = int(y), int(x)
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    high, wide = ANCHORS[grid][k]
    output[k, :4, row, column] = (
        logit(x - column), logit(y - row), np.log((x1 - x0) / wide), np.log((y1 - y0) / high)
    )  # fmt: skip
    output[k, 4, row, column], output[k, 5 + label, row, column] = 20, 20
    return coarse, fine


@pytest.mark.parametrize("size", [(48, 96), (90, 41), (64, 64)])
@pytest.mark.parametrize("anchor", range(6))
def test_boxes_are_where_they_are_in_the_picture(size, anchor):
    box = np.array([0.3 * size[0], 0.21 * size[1], 0.85 * size[0], 0.6 * size[1]])
    _, placing = letterbox(np.zeros((3, *size)), 64)
    outputs = outputs_that_say(box, 2, placing, anchor)
    boxes, scores, labels = found_in_picture(outputs, placing, size, side=64)
    np.testing.assert_allclose(boxes, [box], atol=1e-6)
    assert labels.tolist() == [2] and scores[0] > 0.999


def test_nothing_and_wild_things():
    quiet = np.full((1, 24, 2, 2), -20.0), np.full((1, 24, 4, 4), -20.0)
    placing = (1.0, 0, 0)
    found = found_in_picture(quiet, placing, (64, 64), side=64)
    assert [part.shape for part in found] == [(0, 4), (0,), (0,)]
    wild = tuple(np.full(part.shape, 1e6) for part in quiet)
    boxes, *_ = found_in_picture(wild, placing, (64, 64), side=64)
    assert np.isfinite(boxes).all() and boxes.min() >= 0 and boxes.max() <= 64


def test_bad_input():
    refused(
        ValueError,
        ["side must be a multiple of 32", "got 100"],
        letterbox,
        np.zeros((3, 9, 9)),
        100,
    )
    refused(ValueError, ["image must have 3 axes"], letterbox, np.zeros((9, 9)))
    refused(ValueError, ["width", "at least 0.0625"], YoloTiny, 80, 0.01)
    refused(ValueError, ["classes", "at least 1"], YoloTiny, 0)
