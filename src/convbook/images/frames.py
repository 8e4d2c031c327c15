"""The frames of a film of one's own: a folder of pictures, in the order of their names."""

import re
from pathlib import Path

import numpy as np

from .. import checks

KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".ppm")


def read_frames(folder, size=64, most=200):
    """Read the pictures of a folder as the frames of a film.

    The middle of each is cut out in the shape of `size`, and made as large, by averaging.

    Parameters
    ----------
    folder : str or path
        Holds pictures of any size. Numbers in their names count as numbers: frame 2 comes before
        frame 10.
    size : int or (H, W)
    most : int
        So many are read, the first ones.

    Returns
    -------
    array (N, 3, H, W), float32 from 0 to 1
    names : list of str
        Their files' names.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no picture in it.
    ValueError
        If a file that is named as a picture is none.
    """
    from PIL import Image, UnidentifiedImageError  # here, so that other modules need no Pillow

    folder, (height, width) = Path(folder), checks.pair("size", size, least=1)
    most = checks.integer("most", most, least=1)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder must be a folder with pictures, there is none at {folder}")
    files = [file for file in folder.iterdir() if file.suffix.lower() in KINDS and file.is_file()]
    files = sorted(files, key=lambda file: in_order(file.name))[:most]
    if not files:
        raise FileNotFoundError(
            f"folder must hold pictures ({', '.join(KINDS)}), there is none in {folder}; a program "
            "such as ffmpeg takes a film apart: ffmpeg -i film.mp4 -r 10 frame_%04d.png"
        )
    frames = []
    for file in files:
        try:
            with Image.open(file) as picture:
                picture = picture.convert("RGB")
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{file} must be a picture that can be read, got: {error}") from None
        picture = picture.resize(
            (width, height), Image.Resampling.BOX, middle(picture.size, width / height)
        )
        frames.append(np.asarray(picture, np.float32).transpose(2, 0, 1) / 255)
    return np.stack(frames), [file.name for file in files]


def in_order(name):
    """Return a key by which names are sorted, their numbers as numbers."""
    parts = re.split(r"(\d+)", name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def middle(size, ratio):
    """Return the largest part of a picture (width, height) with this ratio: its four edges."""
    width, height = size
    wide, high = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high
