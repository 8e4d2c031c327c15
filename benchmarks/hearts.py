"""How the U-Nets of chapter 3-8 are trained and measured; what both recorders share."""

import numpy as np

from convbook.images.augment import Brightness, Crop, Rotate, Together, Zoom
from convbook.kernels.memory import keep_memory
from convbook.losses import BCEWithLogitsLoss, SoftDiceLoss, SumLoss
from convbook.models.unet import standardised, unet
from convbook.optimizers import Adam, CosineSchedule
from convbook.timing import timed
from convbook.training import dice, fit, predict

BATCH_SIZE, RATE = 8, 3e-3
PART = 48  # pixels: height and width of the part of a picture that is learnt from
FAR = 10  # pixels: farther away, a piece is hardly of the same heart
keep_memory()


def yes_or_no():
    """Return the loss for one question in each pixel: cross entropy and Dice, added."""
    return SumLoss(BCEWithLogitsLoss(), SoftDiceLoss())


def drawn_at_random():
    """Return the augmentation for a few patients: turned, zoomed, and a part that moves about.

    A part of 48 × 48 pixels holds the heart, and is learnt from in nearly half the time.
    """
    return Together(
        Rotate(15), Zoom((0.85, 1.2)), Crop(0, PART), Brightness((0.85, 1.15), clip=False)
    )


def train(x, masks, epochs, seed=0, augment=None, model=None, loss=None, lr=RATE, **options):
    """Train a U-Net on pictures (N, 1, H, W) from 0 to 1; return it and the processor time.

    Parameters
    ----------
    masks : ndarray (N, 1, H, W), or (N, H, W) of classes
    model : Layer, optional
        One that goes on learning; a new U-Net with these options otherwise.
    """
    if model is None:
        model = unet(rng=seed, **options)
    optimizer = Adam(model, lr=lr)
    steps = epochs * -(-len(x) // BATCH_SIZE)
    _, seconds = timed(
        fit,
        model,
        standardised(x),
        masks.astype(np.float32) if masks.ndim == 4 else masks.astype(int),
        epochs,
        BATCH_SIZE,
        loss=yes_or_no() if loss is None else loss,
        optimizer=optimizer,
        schedule=CosineSchedule(optimizer, steps),
        metrics={},
        augment=augment,
        seed=seed,
        progress=False,
    )
    return model, seconds


def epochs_within(seconds, x, masks, most, augment=None, steps=20):
    """Return how many epochs of training take so much processor time here, at most `most`."""
    few = np.arange(steps * BATCH_SIZE) % len(x)
    train(x[few[:BATCH_SIZE]], masks[few[:BATCH_SIZE]], 2, augment=augment)  # what is made once
    taken = train(x[few], masks[few], 1, augment=augment)[1] / steps
    return max(1, min(most, int(seconds / (taken * -(-len(x) // BATCH_SIZE)))))


def scores_of(model, x, moves=((0, 0),)):
    """Return the mean of the scores of pictures that were moved by so many pixels, and back."""
    x, total = standardised(x), 0
    for move in moves:
        moved = predict(model, np.roll(x, move, (2, 3)), 64)
        total = total + np.roll(moved, [-m for m in move], (2, 3))
    return total / len(moves)


def pieces(mask):
    """Return the connected pieces of an area (H, W), each an area of its own."""
    found, left = [], mask.copy()
    while left.any():
        piece = np.zeros_like(mask)
        piece.flat[left.argmax()] = True
        while True:  # grow until nothing is added
            grown = piece.copy()
            grown[1:] |= piece[:-1]
            grown[:-1] |= piece[1:]
            grown[:, 1:] |= piece[:, :-1]
            grown[:, :-1] |= piece[:, 1:]
            grown &= mask
            if (grown == piece).all():
                break
            piece = grown
        left &= ~piece
        found.append(piece)
    return found


def centre(area):
    """Return the mean row and column of an area (H, W)."""
    return np.argwhere(area).mean(axis=0)


def areas_found(model, hearts, moves=((0, 0),)):
    """Return where the model finds the cavity, (N, 1, H, W) of bool, one piece in each picture.

    Of several pieces the largest counts, but the less, the farther it lies from where the largest
    ones of the same patient's other pictures are: a heart has one place.
    """
    marked = scores_of(model, hearts.x, moves)[:, 0] > 0
    found = np.zeros_like(marked)
    for patient in hearts.patients:
        his = np.flatnonzero(hearts.patient == patient)
        parts = {i: pieces(marked[i]) for i in his if marked[i].any()}
        largest = [centre(max(areas, key=np.sum)) for areas in parts.values()]
        for i, areas in parts.items():
            away = [np.hypot(*(centre(area) - np.median(largest, axis=0))) for area in areas]
            weights = [area.sum() * np.exp(-((far / FAR) ** 2)) for area, far in zip(areas, away)]
            found[i] = areas[int(np.argmax(weights))]
    return found[:, None]


def measured(hearts, found):
    """Return what the masks that were found are worth, as a dict of numbers.

    "dice" is the mean over pictures; "by_patient" the mean over the pictures of each.
    """
    of_picture = dice(found, hearts.cavity)
    truth, fractions = hearts.ejection_fractions(), hearts.ejection_fractions(found)
    errors = np.abs(fractions - truth)
    known = np.isfinite(errors).any()
    return {
        "dice": float(of_picture.mean()),
        "of_picture": of_picture.tolist(),
        "by_patient": [float(of_picture[hearts.patient == p].mean()) for p in hearts.patients],
        "fractions": fractions.tolist(),
        "true_fractions": truth.tolist(),
        "fraction_error": float(np.mean(errors[np.isfinite(errors)])) if known else float("nan"),
    }
