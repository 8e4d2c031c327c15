"""A film and what a network has found in it, as it travels in a page."""

import base64
import io

import numpy as np

from convbook.images.scenes import CLASSES

from .packed import packed, picture_url, unpacked

COLUMNS = 8  # frames side by side in the one picture that holds them all
EXACT = {"subsampling": 0, "optimize": True}  # how a JPEG is written
GREATEST = 4.0  # scores of masks beyond it are as good as certain


def film_for_page(frames, found, truth=None, names=CLASSES, quality=80):
    """Return a film as `VideoExplorer` takes it: numbers, texts and lists of such.

    Parameters
    ----------
    frames : array (N, 3, H, W)
        From 0 to 1.
    found : list with an entry (boxes, scores, labels, masks) for each frame
        Before suppression; masks are the scores of cells, (F, M, M):
        ``model.detect(frames, threshold=1, most=60, paste=False)``.
    truth : list with an entry (boxes, labels, ids) for each frame, optional
        What is there.
    names : sequence of str
        Of the classes.
    quality : int
        Of the picture, a JPEG; from 1 to 95.

    Returns
    -------
    dict
        Numbers are rounded: boxes to a quarter of a pixel or so, scores to 1/255, the masks' scores
        to steps of 1/2. `found_in` reads it.

    Raises
    ------
    ValueError
        If the lists are not one entry for each frame.
    """
    frames = np.asarray(frames, np.float32)
    for name, entries in (("found", found), ("truth", truth)):
        if entries is not None and len(entries) != len(frames):
            raise ValueError(
                f"{name} must have an entry for each of {len(frames)} frames, got {len(entries)}"
            )
    boxes, scores, labels, masks = (
        np.concatenate([np.asarray(entry[part]) for entry in found]) for part in range(4)
    )
    return {
        "url": _picture(frames, quality),
        "columns": COLUMNS,
        "height": frames.shape[2],
        "width": frames.shape[3],
        "names": list(names),
        "counts": [len(entry[0]) for entry in found],
        "boxes": packed(boxes.reshape(-1, 4), 255),
        "scores": packed(scores, 255),
        "labels": packed(labels, 255),
        "masks": packed(np.clip(masks, -GREATEST, GREATEST), 16),
        "truth": None
        if truth is None
        else [
            {
                "boxes": np.asarray(boxes, int).tolist(),
                "labels": np.asarray(labels, int).tolist(),
                "ids": np.asarray(ids, int).tolist(),
            }
            for boxes, labels, ids in truth
        ],
    }


def found_in(film):
    """Return what was found in each frame: a list of (boxes, scores, labels, masks)."""
    boxes, scores, masks = (unpacked(film[part]) for part in ("boxes", "scores", "masks"))
    labels = np.rint(unpacked(film["labels"])).astype(np.intp)
    ends = np.cumsum(film["counts"])[:-1]
    return list(zip(*(np.split(part, ends) for part in (boxes, scores, labels, masks))))


def truth_in(film):
    """Return what is there in each frame, a list of (boxes, labels, ids); None if unknown."""
    if film["truth"] is None:
        return None
    return [
        (
            np.array(entry["boxes"], float).reshape(-1, 4),
            np.array(entry["labels"], int),
            np.array(entry["ids"], int),
        )
        for entry in film["truth"]
    ]


def frame_of(film, number):
    """Return one frame of a film as the address of a picture of its own."""
    from PIL import Image  # here, so that other explorers need no Pillow

    with Image.open(io.BytesIO(base64.b64decode(film["url"].partition(",")[2]))) as sheet:
        row, column = divmod(number, film["columns"])
        y, x = row * film["height"], column * film["width"]
        frame = np.asarray(sheet)[y : y + film["height"], x : x + film["width"]]
    return picture_url(frame, "JPEG", quality=85, **EXACT)


def _picture(frames, quality):
    """Return all frames as the address of one picture, row by row."""
    count, _, height, width = frames.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * height, COLUMNS * width, 3), np.uint8)
    for i, frame in enumerate(frames):
        row, column = divmod(i, COLUMNS)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = np.rint(
            np.clip(frame, 0, 1).transpose(1, 2, 0) * 255
        )
    return picture_url(sheet, "JPEG", quality=quality, **EXACT)
