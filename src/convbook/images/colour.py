"""Colours as a brightness and two differences, so that a network can add them to a grey picture.

A colour of red, green and blue is written as Y, Cb, Cr: how bright it is, how much bluer, and how
much redder than grey. Photographs are stored like this, too (Recommendation ITU-R BT.601, in the
form of JPEG). Y alone is the grey picture, with all of its edges; Cb and Cr are missing there.
"""

import numpy as np

from .. import checks
from ..functional import upsample2d

# Rows: Y, Cb, Cr. Columns: red, green, blue. The rows of Cb and Cr add up to 0: grey has neither.
MATRIX = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
CHROMA_SCALE = 4  # photographs have little colour; so much enlarged it is of a network's size


def to_ycbcr(x):
    """Return pictures with the channels Y (0 to 1), Cb and Cr (-0.5 to 0.5).

    Parameters
    ----------
    x : array (N, 3, H, W)
        Red, green and blue, from 0 to 1.
    """
    return mixed(MATRIX, with_channels("x", x, 3))


def to_rgb(x):
    """Return pictures in red, green and blue; what lies outside 0 to 1 is cut off.

    Parameters
    ----------
    x : array (N, 3, H, W)
        Y, Cb and Cr.
    """
    return np.clip(mixed(np.linalg.inv(MATRIX), with_channels("x", x, 3)), 0, 1)


def grey_and_colours(x):
    """Return what a network that colours is given, and what it shall make of it.

    Both are half as high and wide as the pictures. Of the brightness nothing is lost by that: the
    four pixels of a square stand behind each other, as channels. Of the colours there is the mean,
    as JPEG stores it; the eye does not notice.

    Parameters
    ----------
    x : array (N, 3, H, W)
        Red, green and blue, from 0 to 1; H and W are even.

    Returns
    -------
    grey : array (N, 4, H / 2, W / 2), float32
        The brightness, from -1 to 1.
    colours : array (N, 2, H / 2, W / 2), float32
        Cb and Cr times 4, but for the strongest colours from -1 to 1.
    """
    ycc = to_ycbcr(x).astype(np.float32, copy=False)
    return folded(2 * ycc[:, :1] - 1), CHROMA_SCALE * folded(ycc[:, 1:]).mean(axis=2)


def folded(x):
    """Return pictures with the four pixels of each square of 2 × 2 behind each other.

    Parameters
    ----------
    x : array (N, C, H, W)

    Returns
    -------
    array (N, 4, H / 2, W / 2) if C is 1, else (N, C, 4, H / 2, W / 2)
        The order is upper left, upper right, lower left, lower right.
    """
    n, c, h, w = x.shape
    if h % 2 or w % 2:
        raise ValueError(f"height and width must be even, got {h} × {w}")
    squares = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4)
    squares = squares.reshape(n, c, 4, h // 2, w // 2)
    return squares[:, 0] if c == 1 else squares


def unfolded(x):
    """Return the pictures (N, 1, H, W) that `folded` made (N, 4, H / 2, W / 2) of."""
    n, _, h, w = with_channels("x", x, 4).shape
    return x.reshape(n, 2, 2, h, w).transpose(0, 3, 1, 4, 2).reshape(n, 1, 2 * h, 2 * w)


def coloured(grey, colours):
    """Return pictures in red, green and blue, 0 to 1, from what `grey_and_colours` returns.

    Parameters
    ----------
    grey : array (N, 4, H / 2, W / 2)
    colours : array (N, 2, H / 2, W / 2)
        Are made twice as large, with all steps between.

    Returns
    -------
    array (N, 3, H, W)
    """
    grey, colours = with_channels("grey", grey, 4), with_channels("colours", colours, 2)
    if len(grey) != len(colours) or grey.shape[2:] != colours.shape[2:]:
        raise ValueError(
            f"grey and colours must be of the same pictures, got shapes {grey.shape} and "
            f"{colours.shape}"
        )
    large = upsample2d(colours, 2, "bilinear") / CHROMA_SCALE
    return to_rgb(np.concatenate([(unfolded(grey) + 1) / 2, large], axis=1))


def mixed(matrix, x):
    """Return pictures whose channels are sums of those of x, weighted with the rows of a matrix."""
    return np.einsum("ij,njhw->nihw", matrix.astype(x.dtype), x)


def with_channels(name, x, count):
    """Return pictures (N, count, H, W) in a floating-point dtype, after checking that they are."""
    _, x = checks.numeric_arrays(**{name: x})
    checks.axes(name, x, "NCHW", may_be_empty="N")
    if x.shape[1] != count:
        raise ValueError(
            f"{name} must have {count} channel{'s'[: count - 1]}, (N, {count}, H, W), "
            f"got shape {x.shape}"
        )
    return x if x.dtype.kind == "f" else x.astype(np.float32)


# --- How good are colours? -----------------------------------------------------------------------


def colour_error(colours, truth):
    """Return the mean absolute error of Cb and Cr; 0.1 is a tenth of the way from black to white.

    Parameters
    ----------
    colours, truth : array (N, 2, H, W)
        As `grey_and_colours` has them.
    """
    colours, truth = with_channels("colours", colours, 2), with_channels("truth", truth, 2)
    checks.shape("colours", colours, truth.shape)
    return float(abs(colours - truth).mean()) / CHROMA_SCALE


def colourfulness(colours):
    """Return how far colours are from grey: the mean length of (Cb, Cr) over all pixels.

    Parameters
    ----------
    colours : array (N, 2, H, W)
    """
    colours = with_channels("colours", colours, 2)
    return float(np.hypot(colours[:, 0], colours[:, 1]).mean()) / CHROMA_SCALE


def stray_steps(grey, colours):
    """Return how much colours change where the grey picture hardly does: a number for blotches.

    Of all pairs of neighbours, side by side or one below the other, the half counts whose
    brightness differs least; there, colours of photographs differ little, too.

    Parameters
    ----------
    grey : array (N, 4, H, W)
    colours : array (N, 2, H, W)

    Returns
    -------
    float
        The mean length of the steps of (Cb, Cr).
    """
    grey, colours = with_channels("grey", grey, 4), with_channels("colours", colours, 2)
    checks.shape("colours", colours, (len(grey), 2, *grey.shape[2:]))
    if not len(grey) or grey.shape[2] * grey.shape[3] < 2:
        raise ValueError(f"grey must hold neighbours, got shape {grey.shape}")
    brightness, at, steps = grey.mean(axis=1), [], []
    for axis in (1, 2):
        at.append(abs(np.diff(brightness, axis=axis)).ravel())
        steps.append(np.hypot(*np.diff(colours, axis=axis + 1).swapaxes(0, 1)).ravel())
    at, steps = np.concatenate(at), np.concatenate(steps)
    return float(steps[at <= np.median(at)].mean()) / CHROMA_SCALE
