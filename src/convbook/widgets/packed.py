"""Arrays and pictures on their way into a page: few bytes, and an error that is known."""

import base64
import io
import zlib

import numpy as np


def packed(array, levels=65535):
    """Return an array as a dict for JSON, its values rounded to whole steps.

    Neighbours along the first axis are alike when it is time, so their differences are stored,
    deflated and written in base64. `unpack` in kit/packed.js undoes it.

    Parameters
    ----------
    array : array_like
        Finite numbers. If some are negative, the steps lie symmetrically about zero.
    levels : int
        The number of steps from 0 (or from the negative end) to the largest magnitude, at most
        65,535; up to 255 take one byte for each element, more take two. The largest error is half
        a step.

    Returns
    -------
    dict
        shape, low (the value of step 0), step, bytes (1 or 2) and data.
    """
    array = np.asarray(array, dtype=float)
    largest = float(np.abs(array).max(initial=0)) or 1.0
    below = levels // 2 if (array < 0).any() else 0  # steps below zero; zero itself stays exact
    step = largest / (below or levels)
    dtype = np.dtype("u1" if levels <= 255 else "<u2")
    steps = (np.rint(array / step) + below).astype(dtype)
    steps[1:] -= steps[:-1].copy()  # modulo 2⁸ or 2¹⁶, and so are the sums that undo it
    data = base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()
    return {
        "shape": list(array.shape),
        "low": -below * step,
        "step": step,
        "bytes": dtype.itemsize,
        "data": data,
    }


def unpacked(values):
    """Return the array, float64, that `packed` stored."""
    dtype = np.dtype("u1" if values["bytes"] == 1 else "<u2")
    steps = np.frombuffer(zlib.decompress(base64.b64decode(values["data"])), dtype)
    steps = np.cumsum(steps.reshape(values["shape"]), axis=0, dtype=dtype)
    return values["low"] + values["step"] * steps


def picture_url(pixels, kind, **options):
    """Return a picture as an address that holds the picture itself.

    Parameters
    ----------
    pixels : array (H, W) or (H, W, 3), uint8
    kind : {"PNG", "JPEG"}
    **options
        As Pillow's ``Image.save`` takes them.
    """
    from PIL import Image  # here, so that other explorers need no Pillow

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
