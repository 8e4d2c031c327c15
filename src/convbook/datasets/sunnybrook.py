"""The Sunnybrook Cardiac Data, as they were published and as one small file.

As published, a folder holds

    SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0048.dcm
    SCD_ManualContours/SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt

and so on: pictures in DICOM, which pydicom reads, and beside them contours as text, a point "x y"
in a line, in pixels. "i" is the inner contour, "o" the outer; the last number says which picture a
contour belongs to. Counted from 0, that is 20 · slice + frame. Outer contours were drawn at
end-diastole only.

P. Radau, Y. Lu, K. Connelly, G. Paul, A. Dick and G. Wright, "Evaluation framework for algorithms
segmenting short axis cardiac MRI", The MIDAS Journal, 2009. CC0 1.0.
"""

import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from ..functional import avg_pool2d
from .hearts import HeartSet

FRAMES = 20  # pictures of a beat
CROP, SIZE = 128, 64  # the middle of a picture that is kept, and how many pixels are made of it
GAP = 0.4  # of a contour's width: as far as its end may be from its beginning
CONTOURS = "SCD_ManualContours"
# The patients in the order of their numbers: SCD0000101, SCD0000201 and so on to SCD0004501.
NUMBERS = {
    "SC-HF-I": (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 40),
    "SC-HF-NI": (3, 4, 7, 11, 12, 13, 14, 15, 31, 33, 34, 36),
    "SC-HYP": (1, 3, 6, 7, 8, 9, 10, 11, 12, 37, 38, 40),
    "SC-N": (2, 3, 5, 6, 7, 9, 10, 11, 40),
}
FOLDERS = {
    name: f"SCD{number:05}01"
    for number, name in enumerate(
        (f"{group}-{n:02}" for group, numbers in NUMBERS.items() for n in numbers), start=1
    )
}
KEYS = ("x", "endo", "epi", "patient", "slice", "frame", "ed", "names")
CONTOUR_NAME = re.compile(r"IM-\d+-(\d+)-([io])contour-manual\.txt")
WITHOUT_PYDICOM = (
    "the original pictures are in DICOM, which pydicom reads, and it is not installed: "
    'pip install "convbook[heart]"'
)


def read(place):
    """Return a `HeartSet` from the original folder, from an .npz file, or a folder that holds one.

    Parameters
    ----------
    place : path or str

    Raises
    ------
    FileNotFoundError
        If there is nothing of that kind.
    ImportError
        If pydicom is needed and missing.
    ValueError
        If a file is broken or does not fit the others; the message names it.
    """
    place = Path(place).expanduser()
    if place.is_file():
        return read_npz(place)
    if not place.is_dir():
        raise FileNotFoundError(
            f"folder must be an existing folder or an .npz file, got {str(place)!r}"
        )
    if (place / CONTOURS).is_dir():
        return read_folder(place)
    files = sorted(place.glob("*.npz"))
    if len(files) == 1:
        return read_npz(files[0])
    found = f"{len(files)} .npz files" if files else "neither"
    raise FileNotFoundError(
        f"folder must hold {CONTOURS} and SCD_IMAGES_01 to _05, as they were published, or one "
        f".npz file; in {str(place)!r} there is {found}"
    )


# What a damaged .npz file raises, from the archive down to an array's header.
BROKEN = (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)

# --- One small file ------------------------------------------------------------------------------


def read_npz(path):
    """Return the hearts in an .npz file, which holds the arrays of `KEYS`.

    x : (N, H, W) uint8; endo, epi : (N, H, W / 8) uint8, rows packed by numpy.packbits; patient,
    slice, frame, ed : (N,) ints, ed 1 at end-diastole; names : (number of patients,) text.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz file, or it was cut off")
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in KEYS if key not in file]
            if missing:
                raise ValueError(f"it holds no {', '.join(missing)}")
            arrays = {key: file[key] for key in KEYS}
        return _from_arrays(arrays)
    except (*BROKEN, OSError) as error:
        raise ValueError(
            f"{str(path)!r} is not a file of hearts as convbook reads it, or is broken: {error}"
        ) from None


def _from_arrays(arrays):
    x, names = arrays["x"], arrays["names"]
    if x.ndim != 3 or x.dtype != np.uint8 or len(x) == 0 or x.shape[2] % 8:
        raise ValueError(
            f"x must be (N, H, W) of uint8, N at least 1 and W a multiple of 8, got shape "
            f"{x.shape} of {x.dtype}"
        )
    n, height, width = x.shape
    for key in ("endo", "epi"):
        if arrays[key].shape != (n, height, width // 8) or arrays[key].dtype != np.uint8:
            raise ValueError(
                f"{key} must be {(n, height, width // 8)} of uint8, rows packed by "
                f"numpy.packbits, got shape {arrays[key].shape} of {arrays[key].dtype}"
            )
    for key in ("patient", "slice", "frame", "ed"):
        if arrays[key].shape != (n,) or arrays[key].dtype.kind not in "iub":
            raise ValueError(
                f"{key} must be {(n,)} of whole numbers, got shape {arrays[key].shape} of "
                f"{arrays[key].dtype}"
            )
    if names.ndim != 1 or names.dtype.kind != "U" or not 0 <= arrays["patient"].min():
        raise ValueError(f"names must be a row of texts, got shape {names.shape} of {names.dtype}")
    if arrays["patient"].max() >= len(names):
        raise ValueError(
            f"patient must be below the number of names, {len(names)}, got "
            f"{arrays['patient'].max()}"
        )
    inner, outer = (np.unpackbits(arrays[key], axis=-1) for key in ("endo", "epi"))
    outlined = outer.any(axis=(1, 2))
    return _heart_set(
        x,
        inner,
        outer,
        outlined,
        *(arrays[key] for key in ("patient", "slice", "frame", "ed")),
        names,
    )


def _heart_set(x, inner, outer, outlined, patient, slices, frames, diastole, names):
    return HeartSet(
        x=np.divide(x[:, None], 255, dtype=np.float32),
        cavity=inner[:, None],
        muscle=(outer & (1 - inner))[:, None],
        outlined=outlined,
        patient=patient.astype(np.intp),
        slice=slices.astype(np.intp),
        frame=frames.astype(np.intp),
        diastole=diastole.astype(bool),
        names=tuple(map(str, names)),
    )


# --- As it was published -------------------------------------------------------------------------


def read_folder(folder):
    """Return the pictures that have a contour, with their masks, from the original folder.

    Of each picture the middle is taken, 128 × 128 pixels, averaged to 64 × 64, and stretched so
    that a hundredth of it is black and a hundredth white.
    """
    try:
        import pydicom
    except ImportError:
        raise ImportError(WITHOUT_PYDICOM) from None
    names = sorted(path.name for path in (folder / CONTOURS).iterdir() if path.is_dir())
    rows, kept = [], []
    for name in names:
        contours = _contours(folder, name)
        if not contours:
            continue
        pictures = _pictures(folder, name, {number for number, _ in contours})
        rows += _of_patient(pydicom, len(kept), contours, pictures)
        kept.append(name)
    if not rows:
        raise FileNotFoundError(
            f"{str(folder / CONTOURS)!r} must hold contours, such as SC-HF-I-01/contours-manual/"
            "IRCCI-expert/IM-0001-0048-icontour-manual.txt, and holds none"
        )
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return _heart_set(*columns, kept)


def _contours(folder, name):
    """Return the files of a patient's contours: (number of the picture, "i" or "o") -> path."""
    place = folder / CONTOURS / name / "contours-manual" / "IRCCI-expert"
    found = {}
    for path in sorted(place.glob("*.txt")):
        match = CONTOUR_NAME.fullmatch(path.name)
        if match:
            found[int(match[1]), match[2]] = path
    return {key: path for key, path in found.items() if key[1] == "i" or (key[0], "i") in found}


def _pictures(folder, name, numbers):
    """Return the files of the pictures with these numbers: number -> path."""
    if name not in FOLDERS:
        raise ValueError(
            f"{str(folder / CONTOURS / name)!r} is none of the 45 patients, which are called "
            "SC-HF-I-01, SC-HF-NI-03, SC-HYP-01, SC-N-02 and so on"
        )
    places = sorted(folder.glob(f"SCD_IMAGES_*/{FOLDERS[name]}/CINESAX*"))
    if not places:
        raise FileNotFoundError(
            f"the pictures of {name} are missing: there is no SCD_IMAGES_*/{FOLDERS[name]}/"
            f"CINESAX_* in {str(folder)!r}"
        )
    missing = {}
    for place in places:
        found = {int(path.stem.rpartition("-")[2]): path for path in place.glob("IM-*-*.dcm")}
        missing[place] = sorted(numbers - set(found))
        if not missing[place]:
            return found
    place = min(missing, key=lambda place: len(missing[place]))
    first = missing[place][0]
    raise FileNotFoundError(
        f"{name} has a contour of picture {first:04}, and there is no IM-*-{first:04}.dcm in "
        f"{str(place)!r} ({len(missing[place])} of {len(numbers)} are missing)"
    )


def _of_patient(pydicom, patient, contours, pictures):
    """Return a row for each picture of a patient that has an inner contour."""
    inner = sorted(number for number, kind in contours if kind == "i")
    outer = Counter((number - 1) % FRAMES for number, kind in contours if kind == "o")
    rows = []
    for number in inner:
        slice_, frame = divmod(number - 1, FRAMES)
        pixels = _pixels(pydicom, pictures[number])
        masks = [
            _mask(contours[number, kind], pixels.shape)
            if (number, kind) in contours
            else np.zeros((SIZE, SIZE), np.uint8)
            for kind in "io"
        ]
        area = masks[0].sum()
        rows.append(
            [_bytes(pixels), *masks, (number, "o") in contours, patient, slice_, frame, area]
        )
    # Outer contours were drawn at end-diastole only. Without any, it is when the heart is widest.
    areas = Counter()
    for *_, frame, area in rows:
        areas[frame] += area
    diastole = (outer or areas).most_common(1)[0][0]
    return [(*row[:-1], row[-2] == diastole) for row in rows]


def _pixels(pydicom, path):
    """Return the picture in a DICOM file, (H, W)."""
    try:
        pixels = pydicom.dcmread(path).pixel_array
    except Exception as error:  # of many kinds, some of them pydicom's own
        raise ValueError(f"{str(path)!r} is not a DICOM picture, or is cut off: {error}") from None
    if pixels.ndim != 2 or min(pixels.shape) < CROP:
        raise ValueError(
            f"{str(path)!r} must be a grey picture of at least {CROP} × {CROP} pixels, got shape "
            f"{pixels.shape}"
        )
    return pixels


def _middle(pixels):
    top, left = ((size - CROP) // 2 for size in pixels.shape)
    return pixels[top : top + CROP, left : left + CROP]


def _averaged(pixels):
    """Return the middle of a picture, averaged to SIZE × SIZE."""
    middle = _middle(pixels).astype(np.float64)
    return avg_pool2d(middle[None, None], CROP // SIZE)[0, 0]


def _bytes(pixels):
    """Return the middle of a picture as bytes, stretched: a hundredth is 0, and a hundredth 255."""
    small = _averaged(pixels)
    black, white = np.percentile(small, (1, 99))
    share = (small - black) / max(white - black, 1e-6)
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _mask(path, shape):
    """Return where the inside of a contour is, (SIZE, SIZE) of 0 and 1: the majority of pixels."""
    from matplotlib.path import Path as Polygon

    try:
        points = np.array([[float(v) for v in line.split()] for line in _lines(path)])
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise ValueError("fewer than three points of two numbers each")
        if not (points >= -0.5).all() or not (points <= np.array(shape[::-1]) - 0.5).all():
            raise ValueError(f"points outside the picture of {shape[0]} × {shape[1]} pixels")
        if np.hypot(*(points[0] - points[-1])) > GAP * np.ptp(points, axis=0).max():
            raise ValueError("its end is far from where it began, so it may have been cut off")
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f'{str(path)!r} must hold the points of a contour, a line "x y" for each: {error}'
        ) from None
    columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    places = np.column_stack([columns.ravel(), rows.ravel()])
    inside = Polygon(points).contains_points(places).reshape(shape)
    return (_averaged(inside) >= 0.5).astype(np.uint8)


def _lines(path):
    return [line for line in path.read_text("ascii").splitlines() if line.strip()]
