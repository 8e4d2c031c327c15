"""Record what chapter 3-10-1 shows of detectors: R-CNN, Fast and Faster, YOLO, SSD, a real street.

    python benchmarks/record_chapter_3_10_1.py [--only faster yolo ssd times street]

Some fifteen minutes of processor time, on one thread. Writes book/data/chapter_3_10_1.json after
every training; what is there already is not computed again, unless its part is named by `--only`.
The settings were tried on other scenes beforehand, and none was changed by these figures.

The street needs two things that are not in this repository, and is left out without them:
`--street FOLDER` names a folder with the published weights of YOLOv3-tiny, ``yolov3-tiny.weights``,
and with frames of a video as pictures, 000.png and so on: every twentieth of ``vtest.avi``, which
comes with OpenCV's examples.
"""

import argparse
import base64
import io
import json
from pathlib import Path

from timing import DATA, machine, race, torch, write  # sets one thread: first

import numpy as np
from PIL import Image

from convbook.detection import (
    MultiBoxLoss,
    YoloLoss,
    average_precision,
    average_precisions,
    boxes_of_masks,
    flip_boxes,
    iou,
    match_found,
    propose,
    selective_search,
    ssd_found,
    ssd_targets,
    yolo_found,
    yolo_targets,
)
from convbook.images.scenes import CLASSES, street_queue, street_scenes
from convbook.kernels.memory import keep_memory
from convbook.layers import BatchNorm2d, Conv2d
from convbook.models import yolo_tiny
from convbook.models.one_stage import SSD, yolo
from convbook.models.rcnn import RCNN
from convbook.models.region_cnn import fast_found, rcnn_found, region_cnn
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import predict

TARGET = DATA / "chapter_3_10_1.json"
SEEDS = (0, 1, 2)
K, SIDE, GRID = len(CLASSES), 64, 8
LEARN, TEST, QUEUES = 1600, 250, 60  # scenes
STEPS, BATCH_SIZE = 700, 8  # the same for all
RATES = {"faster": 1e-3, "yolo": 3e-3, "ssd": 2e-3}
SURE = 0.2  # a score from which on something counts as found, where things are counted
SEARCHED = 60  # test scenes on which segments are searched, which takes long


# --- What is learned, and measured ---------------------------------------------------------------


def scenes():
    """Return what is learned from and what is tested with: (images, boxes, labels) each."""
    learn, test = street_scenes(LEARN, rng=0), street_scenes(TEST, rng=99)
    queues = street_scenes(QUEUES, rng=5, draw=street_queue)
    return learn[:3], test[:3], queues[:3]


def measured(find, images, boxes, labels):
    """Return the average precisions of what a function finds in images, and the time for one."""
    found, seconds = timed(find, images)
    truth = list(zip(boxes, labels))
    by_class = average_precisions(found, truth)
    return {
        "AP50": average_precision(found, truth),
        "AP70": average_precision(found, truth, 0.7),
        "by class": [by_class[k] for k in range(K)],
        "milliseconds": 1000 * seconds / len(images),
    }


def share_found(found, truth):
    """Return the share of things that were found, with some certainty, under their own names."""
    right = count = 0
    for (boxes, scores, labels), (true, true_labels) in zip(found, truth):
        for k in range(K):
            mine = (labels == k) & (scores >= SURE)
            there = true[true_labels == k]
            right += int((match_found(boxes[mine], scores[mine], there, 0.5) >= 0).sum())
            count += len(there)
    return right / count


def in_both_directions(images, boxes, labels):
    """Return scenes, and the same with left and right exchanged."""
    flipped = [flip_boxes(part, SIDE) for part in boxes]
    return np.concatenate([images, images[..., ::-1]]), boxes + flipped, labels + labels


# --- One look ------------------------------------------------------------------------------------


def train_at_once(model, loss, x, targets, rate, seed):
    """Train a network that looks once, with scenes in both directions; return its losses."""
    optimizer, rng = Adam(model, lr=rate), np.random.default_rng(seed)
    schedule, losses = CosineSchedule(optimizer, STEPS, rate / 50), []
    model.train()
    for _ in range(STEPS):
        chosen = rng.choice(LEARN, BATCH_SIZE, replace=False) + LEARN * rng.integers(2)
        value = loss(model.forward(x[chosen]), targets[chosen])
        losses.append({"loss": value} | getattr(loss, "terms", {}))
        model.backward(loss.backward(), need_dx=False)
        optimizer.step()
        schedule.step()
    return by_fifty(losses)


def by_fifty(losses):
    """Return each loss, averaged over fifty steps at a time."""
    return {
        name: np.reshape([step[name] for step in losses], (-1, 50)).mean(axis=1).tolist()
        for name in losses[0]
    }


def trained_yolo(data, seed):
    learn, test, queues = data
    x, boxes, labels = in_both_directions(*learn)
    model = yolo(K, GRID, rng=seed)
    targets = yolo_targets(boxes, labels, GRID, SIDE, K)
    losses, seconds = timed(train_at_once, model, YoloLoss(), x, targets, RATES["yolo"], seed)

    def find(images):
        return yolo_found(predict(model, images), SIDE, least=0.03, threshold=0.45)

    lost = 1 - sum(t[4].sum() for t in yolo_targets(*test[1:], GRID, SIDE, K)) / sum(
        map(len, test[1])
    )
    row = measured(find, *test) | {"seconds": seconds, "lost": float(lost)}
    row["queues"] = share_found(find(queues[0]), list(zip(*queues[1:])))
    row["network milliseconds"] = 1000 * timed(predict, model, test[0])[1] / TEST
    if seed == SEEDS[0]:
        row["losses"] = losses
    return row


def trained_ssd(data, seed):
    learn, test, queues = data
    x, boxes, labels = in_both_directions(*learn)
    model = SSD(K, rng=seed)
    anchors = model.anchors(SIDE)
    targets = ssd_targets(anchors, boxes, labels)
    losses, seconds = timed(train_at_once, model, MultiBoxLoss(), x, targets, RATES["ssd"], seed)

    def find(images):
        return ssd_found(predict(model, images), anchors, SIDE, threshold=0.45)

    row = measured(find, *test) | {"seconds": seconds}
    row["queues"] = share_found(find(queues[0]), list(zip(*queues[1:])))
    row["network milliseconds"] = 1000 * timed(predict, model, test[0])[1] / TEST
    return row


# --- Two stages ----------------------------------------------------------------------------------


def train_faster(model, images, boxes, labels, seed):
    """Train a Faster R-CNN; return its losses."""
    optimizer, rng = Adam(model, lr=RATES["faster"]), np.random.default_rng(seed)
    schedule, losses = CosineSchedule(optimizer, STEPS, RATES["faster"] / 50), []
    model.train()
    for _ in range(STEPS):
        chosen = rng.choice(LEARN, BATCH_SIZE, replace=False)
        x, truth = images[chosen], [boxes[i] for i in chosen]
        if rng.integers(2):
            x, truth = x[..., ::-1], [flip_boxes(part, SIDE) for part in truth]
        losses.append(model.step(x, truth, [labels[i] for i in chosen], rng=rng))
        optimizer.step()
        schedule.step()
    return by_fifty(losses)


def trained_faster(data, seed):
    learn, test, queues = data
    model = RCNN(K, masks=False, rng=seed)
    losses, seconds = timed(train_faster, model, *learn, seed)

    def find(images):
        return [f for i in range(0, len(images), 20) for f in model.detect(images[i : i + 20])]

    row = measured(find, *test) | {"seconds": seconds}
    row["queues"] = share_found(find(queues[0]), list(zip(*queues[1:])))
    some = [part[:SEARCHED] for part in test]
    regions = [selective_search(image) for image in some[0]]
    found = [fast_found(model, image, r) for image, r in zip(some[0], regions)]
    truth = list(zip(*some[1:]))
    row["segments"] = {
        "AP50": average_precision(found, truth),
        "AP50 of Faster R-CNN": average_precision(find(some[0]), truth),
        "count": float(np.mean([len(r) for r in regions])),
        "recall": covered(regions, some[1]),
    }
    own = [proposals(model, image) for image in some[0]]
    row["proposals"] = {
        "count": float(np.mean([len(r) for r in own])),
        "recall": covered(own, some[1]),
    }
    if seed == SEEDS[0]:
        row["losses"] = losses
    return row


def proposals(model, image):
    """Return the regions that a Faster R-CNN itself expects things in."""
    parts = model.eval().children
    f = parts["backbone"](image[None])
    r = parts["first"](f)
    s, t = parts["something"](r)[0, :, 0], parts["proposals"](r)[0]
    return propose(model.anchors(f), s, t, SIDE)[0]


def covered(regions, boxes):
    """Return the share of things that some region overlaps by a half or more."""
    best = [iou(b, r).max(axis=1, initial=0) for r, b in zip(regions, boxes)]
    return float((np.concatenate(best) >= 0.5).mean())


# --- Times ---------------------------------------------------------------------------------------


def record_times(repeats=7):
    """The time for one scene, by the number of regions: networks alone, and with proposals."""
    images, *_ = street_scenes(5, rng=99)
    scene = images[0]
    single, whole = region_cnn(K, rng=0), RCNN(K, masks=False, rng=0)
    regions = selective_search(scene)
    rows = []
    for count in (13, 26, 52, 104, 208, 416):
        some = np.resize(regions, (count, 4))
        times = race(
            {
                "R-CNN": lambda some=some: rcnn_found(single, scene, some, least=1),
                "Fast R-CNN": lambda some=some: fast_found(whole, scene, some, least=1),
            },
            repeats,
        )
        rows.append({"regions": count} | times)
        print(rows[-1], flush=True)
    searched = [selective_search(image) for image in images]

    def each(function, *lists):
        return lambda: [function(*one) for one in zip(*lists)]

    whole.eval()
    times = race(
        {
            "search": each(selective_search, images),
            "R-CNN": each(lambda i, r: rcnn_found(single, i, r), images, searched),
            "Fast R-CNN": each(lambda i, r: fast_found(whole, i, r), images, searched),
            "Faster R-CNN": each(lambda i: whole.detect(i[None]), images),
            "feature map": each(lambda i: whole.children["backbone"](i[None]), images),
        },
        repeats,
    )
    return {
        "by regions": rows,
        "for a scene": {name: value / len(images) for name, value in times.items()},
        "regions": float(np.mean([len(r) for r in searched])),
    }


# --- A real street -------------------------------------------------------------------------------

SHOWN = (9, 25)  # frames that the page shows, of those in the folder
PERSON = yolo_tiny.NAMES.index("person")


def record_street(folder):
    """YOLOv3-tiny with its published weights on frames of a video."""
    folder = Path(folder)
    files = sorted(folder.glob("*.png"))
    model = yolo_tiny.published(folder)
    frames = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    usual = np.median(np.stack(frames), axis=0)  # without whoever walks through
    size, rows, shown = frames[0].shape[:2], [], []
    for number, (file, frame) in enumerate(zip(files, frames)):
        image = frame.transpose(2, 0, 1) / np.float32(255)
        square, placing = yolo_tiny.letterbox(image)
        outputs = model(square)
        found = yolo_tiny.found_in_picture(outputs, placing, size)
        moving = blobs(abs(frame - usual).max(axis=2) > 40)
        names = [yolo_tiny.NAMES[k] for k in found[2]]
        rows.append(
            {
                "frame": file.stem,
                "people": names.count("person"),
                "others": sorted(set(names) - {"person"}),
                "fit": {name: fits(f, moving) for name, f in readings(outputs, placing, size)},
            }
        )
        print(file.stem, names, flush=True)
        if number in SHOWN:
            told = {"names": names, "scores": found[1].tolist(), "boxes": found[0].tolist()}
            shown.append({"frame": file.stem, "jpeg": jpeg(frame)} | told)
    times = race(sides(model, square), 7)
    return {
        "size": size,
        "frames": rows,
        "shown": shown,
        "seconds": times,
        "numbers": sum(a.size for a in {**model.params, **model.buffers}.values()),
    }


def readings(outputs, placing, size):
    """Yield what is found if the numbers are read in several ways, with the name of each."""
    published = yolo_tiny.ANCHORS
    yield "as here", yolo_tiny.found_in_picture(outputs, placing, size)
    yolo_tiny.ANCHORS = published[0], ((14, 10), (27, 23), (58, 37))
    yield "the first three anchors", yolo_tiny.found_in_picture(outputs, placing, size)
    yolo_tiny.ANCHORS = published
    # Without the letterbox's margin: as if the square were the picture, stretched.
    boxes, scores, labels = yolo_tiny.found_in_picture(outputs, (1, 0, 0), (416, 416))
    yield "the margin forgotten", (boxes * np.tile(np.divide(size, 416), 2), scores, labels)


def fits(found, moving):
    """Return, for each person, the largest overlap with something that moves."""
    boxes = found[0][found[2] == PERSON]
    return iou(boxes, moving).max(axis=1, initial=0).tolist()


def blobs(moving, cell=4, least=300):
    """Return boxes around the connected regions of a mask that are not small, (B, 4)."""
    h, w = moving.shape
    cells = moving.reshape(h // cell, cell, w // cell, cell).any(axis=(1, 3))
    numbers = np.arange(1, cells.size + 1).reshape(cells.shape)
    labels, before = numbers * cells, None
    while before is None or (labels != before).any():  # each takes the largest number beside it
        before, around = labels, np.pad(labels, 1)
        labels = cells * np.max(
            [around[i : i + h // cell, j : j + w // cell] for i, j in np.ndindex(3, 3)], axis=0
        )
    labels = labels.repeat(cell, 0).repeat(cell, 1) * moving
    kinds, counts = np.unique(labels[labels > 0], return_counts=True)
    return boxes_of_masks(labels == kinds[counts >= least][:, None, None])


def jpeg(frame, width=576, quality=72):
    """Return a frame as a small JPEG, written as text."""
    file, high = io.BytesIO(), round(frame.shape[0] * width / frame.shape[1])
    Image.fromarray(frame).resize((width, high)).save(file, "JPEG", quality=quality)
    return base64.b64encode(file.getvalue()).decode()


def sides(model, square):
    """Return functions that run a frame through the network here, and in PyTorch."""
    result = {"convbook": lambda: model(square)}
    if torch:
        run, tensor = in_torch(model), torch.from_numpy(square)
        for ours, theirs in zip(model(square), run(tensor)):
            np.testing.assert_allclose(ours, theirs, atol=1e-3)
        result["PyTorch"] = lambda: run(tensor)
    return result


def in_torch(model):
    """Return the same network in PyTorch."""
    functional, layers = torch.nn.functional, model.walk()
    convs = [layer for layer in layers if isinstance(layer, (Conv2d, BatchNorm2d))]
    arrays = [
        {name: torch.from_numpy(a) for name, a in {**layer.params, **layer.buffers}.items()}
        for layer in convs
    ]

    def run(x):
        left, seen = list(arrays), None

        def conv(y, last=False):
            f = left.pop(0)
            y = functional.conv2d(y, f["f"], f.get("b"), padding=f["f"].shape[2] // 2)
            if last:
                return y
            n = left.pop(0)
            y = functional.batch_norm(y, n["running_mean"], n["running_var"], n["gamma"], n["beta"])
            return functional.leaky_relu(y, 0.1)

        with torch.no_grad():
            for level in range(5):
                x = conv(x)
                seen = x if level == 4 else seen
                x = functional.max_pool2d(x, 2)
            x = functional.pad(conv(x), (0, 1, 0, 1), mode="replicate")
            x = conv(conv(functional.max_pool2d(x, 2, 1)))
            coarse = conv(conv(x), last=True)
            up = functional.interpolate(conv(x), scale_factor=2)
            return coarse, conv(conv(torch.cat([up, seen], 1)), last=True)

    return run


# --- Running -------------------------------------------------------------------------------------

TRAINED = {
    "faster": trained_faster,
    "yolo": trained_yolo,
    "ssd": trained_ssd,
}


def recorded():
    """Return what has been recorded before."""
    return json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}


def keep(message, name, part):
    """Put a part into the file, and leave the others there as they are; say so."""
    write(recorded() | {name: part}, TARGET)
    if message:
        print(message, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[*TRAINED, "times", "street"], nargs="+", default=[])
    parser.add_argument("--street", metavar="FOLDER", help="weights and frames of a video")
    options = parser.parse_args()
    keep_memory()
    wanted = options.only or [*TRAINED, "times", "street"]
    keep(None, "machine", machine())
    keep(None, "settings", {
        "learn": LEARN, "test": TEST, "queues": QUEUES, "searched": SEARCHED, "sure": SURE,
        "batch_size": BATCH_SIZE, "grid": GRID, "steps": STEPS,
    })  # fmt: skip
    data = scenes() if set(wanted) & set(TRAINED) else None
    for name in wanted:
        there = recorded().get(name)
        if name in TRAINED:
            rows = [] if options.only else there or []
            for seed in SEEDS[len(rows) :]:
                row, seconds = timed(TRAINED[name], data, seed)
                rows.append(row)
                keep(f"{name}, seed {seed}: AP50 {row['AP50']:.3f}, {seconds:.0f} s", name, rows)
        elif name == "times" and (options.only or not there):
            keep(name, name, record_times())
        elif name == "street" and options.street and (options.only or not there):
            keep(name, name, record_street(options.street))
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
