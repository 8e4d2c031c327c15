"""Record the trainings of chapter 3-10, and the film of its VideoExplorer.

    python benchmarks/record_chapter_3_10.py [--trainings N] [--only KIND] [--anew]

Some twenty minutes of processor time, on one thread. Writes book/data/chapter_3_10.json after each
training, and book/data/street_film.json; what is there already is not computed again. With
`--trainings` it stops after so many, and the next call goes on; with `--only` it trains the
networks of one kind: align, max, without masks, long.

Three Mask R-CNNs read their regions with RoIAlign, and three with RoI max pooling: the same scenes,
the same settings, the same seeds. Three more have no branch for masks: do masks help boxes? And
three, with RoIAlign and masks, train four times as long. Nothing was chosen by looking at the
scenes and films that they are tested with. The film shows what the first of those that train long
has found.
"""

import argparse
import json
from functools import partial

from timing import DATA, machine, write  # sets one thread: first

import numpy as np

from convbook.detection import average_precision, average_precisions, mask_iou, paste_masks
from convbook.detection.health import masks_apart
from convbook.detection.tracking import count_crossings, follow, identity_switches
from convbook.images.scenes import CLASSES, street_scenes, street_video
from convbook.kernels.memory import keep_memory
from convbook.layers.base import evaluating
from convbook.models.rcnn import RCNN, STRIDE
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import run
from convbook.training.scenes import SceneBatches
from convbook.widgets.film import film_for_page

TARGET, FILM = DATA / "chapter_3_10.json", DATA / "street_film.json"
ROIS = ("align", "max")
SEEDS, BATCH_SIZE, RATE, STEPS = 3, 8, 1e-3, 50
EPOCHS, LONG = 7, 28
SCENES, TESTED = 1600, 200
FILMS, FRAMES, LINE = 8, 40, 32
SHOWN = 5  # which film the figure shows
LEAST = 0.5  # the score from which on something counts as found in a film


# --- Training ------------------------------------------------------------------------------------


def train(model, training, epochs, seed):
    """Train a network; return its losses by epoch, and the processor's seconds."""
    optimizer = Adam(model, lr=RATE)
    schedule = CosineSchedule(optimizer, epochs * STEPS, lr_min=0.02 * RATE)
    batches, rng = SceneBatches(*training, BATCH_SIZE, STEPS, seed), np.random.default_rng(seed)

    def step(images, boxes, labels, masks):
        losses = model.step(images, boxes, labels, masks, rng)
        optimizer.step()
        return {"loss": sum(losses.values()), **losses}

    history, seconds = timed(run, step, batches, epochs, optimizer, schedule, progress=False)
    names = [name for name in history.keys() if name not in ("lr", "seconds")]
    return {"losses": {name: history[name] for name in names}, "seconds": seconds}


# --- Measuring -----------------------------------------------------------------------------------


def found_by(model, images, **options):
    """Return what a network finds in pictures, twenty at a time."""
    found = []
    for start in range(0, len(images), 20):
        found += model.detect(images[start : start + 20], **options)
    return found


def measured(model, test):
    """Return how good boxes and masks are, on pictures that the network has not seen."""
    images, boxes, labels, masks = test
    found, seconds = timed(found_by, model, images)
    things, row = [entry[:3] for entry in found], {"ms": 1000 * seconds / len(images)}
    truth = list(zip(boxes, labels))
    for share in (50, 70):
        row[f"box AP{share}"] = average_precision(things, truth, share / 100)
    by_class = average_precisions(things, truth, 0.5)
    row["of classes"] = {CLASSES[k]: value for k, value in by_class.items()}
    return row | of_masks(found, labels, masks) | on_true_boxes(model, test) if model.masks else row


def of_masks(found, labels, masks):
    """Return the average precision of masks."""
    cut, truth = [(m, s, k) for _, s, k, m in found], list(zip(masks, labels))
    return {
        f"mask AP{share}": average_precision(cut, truth, share / 100, overlap=mask_iou)
        for share in (50, 70)
    }


def on_true_boxes(model, test):
    """Return how good the masks are where the boxes are right: the branch by itself.

    Overlap with the true masks on average, of small and of large things; and how far masks lie
    beside their things, down and across, in pixels.
    """
    images, boxes, labels, masks = test
    parts, size, cut = model.children, images.shape[2:], []
    with evaluating(model):
        for start in range(0, len(images), 20):
            few = slice(start, start + 20)
            where, which = np.concatenate(boxes[few]), np.concatenate(labels[few])
            index = np.repeat(np.arange(len(boxes[few])), [len(b) for b in boxes[few]])
            f = parts["backbone"].forward(images[few])
            z = parts["mask"].forward(parts["mask regions"].forward(f, where, index))
            cut.append(paste_masks(z[np.arange(len(where)), which], where, size))
    cut, true = np.concatenate(cut), np.concatenate(masks)
    overlaps = np.array([mask_iou(a[None], b[None])[0, 0] for a, b in zip(cut, true)])
    areas = true.sum(axis=(1, 2))
    small = areas < np.median(areas)
    apart, error = masks_apart(cut, true)
    return {
        "overlap": float(overlaps.mean()),
        "overlap of small": float(overlaps[small].mean()),
        "overlap of large": float(overlaps[~small].mean()),
        "apart": apart.tolist(),
        "apart, uncertainty": error.tolist(),
    }


def in_films(model):
    """Return what becomes of films: what is found, linked, counted and confused."""
    rows = []
    for number in range(FILMS):
        scenes = street_video(number, FRAMES)
        truth = [(s.boxes, s.labels, s.ids) for s in scenes]
        found, looking = timed(lambda s: [model.detect(x.image[None])[0] for x in s], scenes)
        (film, tracker), linking = timed(follow, found, LEAST)
        switches = identity_switches([(f.boxes, f.labels, f.ids) for f in film], truth)
        paths = {}
        for frame, scene in enumerate(scenes):
            for name, box in zip(scene.ids.tolist(), scene.boxes):
                paths.setdefault(name, []).append((frame, box))
        rows.append(
            {
                "things": len(paths),
                "tracks": sum(len(track.path) >= 3 for track in tracker.tracks),
                "switches": [list(map(int, switch)) for switch in switches],
                "crossed": [len(side) for side in count_crossings(tracker.paths, LINE)],
                "crossed in truth": [len(side) for side in count_crossings(paths, LINE)],
                "seconds looking": looking,
                "seconds linking": linking,
            }
        )
    return rows


# --- Running -------------------------------------------------------------------------------------


def with_regions(roi, seed, training, test):
    """Train a network that reads its regions in one of two ways; return what is recorded of it."""
    model = RCNN(roi=roi, rng=seed)
    row = {"seed": seed} | train(model, training, EPOCHS, seed) | measured(model, test)
    row["films"] = in_films(model)
    if roi == "align":
        row["half a cell"] = half_a_cell(model, test)
    return row


def without_masks(seed, training, test):
    """Train a Faster R-CNN: the same network without its branch for masks."""
    model = RCNN(masks=False, rng=seed)
    return {"seed": seed} | train(model, training, EPOCHS, seed) | measured(model, test)


def trained_long(seed, training, test):
    """Train a network four times as long, and write the film that the first of them has seen."""
    model = RCNN(rng=seed)
    row = {"seed": seed} | train(model, training, LONG, seed) | measured(model, test)
    row["films"] = in_films(model)
    if seed == 0:
        write_film(model)
    return row


def half_a_cell(model, test):
    """Return how good the masks are if their regions are read half a cell beside."""
    layer = model.children["mask regions"]
    layer.aligned = False
    try:
        found = found_by(model, test[0])
        return of_masks(found, test[2], test[3]) | on_true_boxes(model, test)
    finally:
        layer.aligned = True


def write_film(model):
    """Let a network look at the film that the figure shows, and write both for the page."""
    scenes = street_video(SHOWN, FRAMES)
    images = np.stack([scene.image for scene in scenes])
    found = found_by(model, images, least=0.05, threshold=1, most=60, paste=False)
    film = film_for_page(images, found, [(s.boxes, s.labels, s.ids) for s in scenes])
    FILM.write_text(json.dumps(film, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"film: {sum(film['counts'])} candidates, {FILM.stat().st_size} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=int, help="stop after so many")
    parser.add_argument("--only", choices=(*ROIS, "without masks", "long"), help="one kind of them")
    parser.add_argument("--anew", action="store_true", help="also what is there already")
    options = parser.parse_args()
    keep_memory()
    there = TARGET.exists() and not options.anew
    record = json.loads(TARGET.read_text(encoding="utf-8")) if there else {}
    record["machine"] = machine()
    record["settings"] = {
        "scenes": SCENES, "tested": TESTED, "batch_size": BATCH_SIZE, "lr": RATE,
        "steps": EPOCHS * STEPS, "long": LONG * STEPS, "stride": STRIDE, "frames": FRAMES,
        "line": LINE, "least": LEAST,
    }  # fmt: skip
    training, test = street_scenes(SCENES, rng=0), street_scenes(TESTED, rng=99)
    regions = record.setdefault("regions", {})
    kinds = [(regions, roi, partial(with_regions, roi)) for roi in ROIS]
    kinds += [(record, "without masks", without_masks), (record, "long", trained_long)]
    missing = [
        (into.setdefault(name, []), name, seed, make)
        for into, name, make in kinds
        for seed in range(len(into.get(name, [])), SEEDS)
        if options.only in (None, name)
    ]
    for rows, name, seed, make in missing[: options.trainings]:
        row = make(seed, training, test)
        rows.append(row)
        write(record, TARGET)
        shown = {key: round(value, 3) for key, value in row.items() if isinstance(value, float)}
        print(f"{name}, seed {seed}: {shown}", flush=True)
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
