"""AugmentationExplorer: one picture, changed as data augmentation changes it, and the matrix."""

import base64
import io
import math

import numpy as np
import traitlets

from convbook.images import affine
from convbook.images.augment import Brightness

from .base import BookWidget, Whole, table
from .bundle import FOLDER

PICTURES = {"cat": "cat.jpg", "stars": "stars.jpg", "six": "six.png"}
MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
DRAWN = (
    "flip_h",
    "flip_v",
    "zoom",
    "shear_x",
    "shear_y",
    "rotate",
    "shift",
    "brightness",
    "cutout",
)


def picture_bytes(name):
    """Return the file of one of the pictures."""
    return (FOLDER / "pictures" / PICTURES[name]).read_bytes()


def picture_array(name):
    """Return one of the pictures, (3, H, W) or grey (1, H, W), float32 from 0 to 1."""
    from PIL import Image  # here and below, so that other explorers need no Pillow

    pixels = np.asarray(Image.open(io.BytesIO(picture_bytes(name))), np.float32) / 255
    return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))


def pictures_for_page():
    """Return the pictures as the page reads them: url (the file itself) and shape."""
    pictures = {}
    for name, file in PICTURES.items():
        code = base64.b64encode(picture_bytes(name)).decode()
        channels, height, width = picture_array(name).shape
        pictures[name] = {
            "url": f"data:{MIME_TYPES[file.rpartition('.')[2]]};base64,{code}",
            "channels": channels,
            "width": width,
            "height": height,
        }
    return pictures


class Within(traitlets.TraitType):
    """A trait that holds a number from ``low`` to ``high``."""

    def __init__(self, default, low, high, **kwargs):
        self.low, self.high = low, high
        super().__init__(default_value=default, **kwargs)

    def validate(self, obj, value):
        real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not real or not self.low <= value <= self.high:  # false for NaN as well
            raise traitlets.TraitError(
                f"{self.name} must be a number from {self.low} to {self.high}; got {value!r}."
            )
        return float(value)


class AugmentationExplorer(BookWidget, module="augmentation.js"):
    """Change a picture with sliders, see the matrix that the changes make, and draw random ones.

    The order is flip, zoom, shear, rotate, shift: one matrix, sampled once. Brightness and cutout
    follow.

    Parameters
    ----------
    picture : {"cat", "stars", "six"}
        A photograph, one of the deep sky, or a digit.
    flip_h, flip_v : bool
        Swap left and right, above and below.
    zoom : float
        From 0.25 to 4; above 1 is in.
    shear_x, shear_y : float
        From -0.9 to 0.9: to the side per height, and down per width.
    rotate : float
        Degrees counterclockwise, from -180 to 180.
    shift_x, shift_y : float
        To the right and down, in percent of the picture's side.
    brightness : float
        A factor from 0 to 3.
    cutout, cutout_x, cutout_y : float
        The side of the black square, and where its centre is, in percent of the picture's side.
    mode : {"zero", "edge", "reflect"}
        What lies outside; see `convbook.images.affine.transform`.
    drawn : list of str
        What is drawn at random: some of flip_h, flip_v, zoom, shear_x, shear_y, rotate, shift,
        brightness, cutout.
    seed : int
        Which twelve random pictures are shown.
    grid : bool
        Whether lines, eight to a side, show how the plane is moved.
    row, col : int
        The pixel of the result whose source is shown.

    Examples
    --------
    >>> w = AugmentationExplorer(picture="six", flip_h=True, shift_x=25)
    >>> w.matrix
    array([[-1.,  0.,  7.],
           [ 0.,  1.,  0.],
           [ 0.,  0.,  1.]])
    >>> w.output.shape
    (1, 28, 28)
    """

    picture = traitlets.Enum(list(PICTURES), "cat").tag(sync=True)
    pictures = traitlets.Dict(read_only=True).tag(sync=True)
    flip_h = traitlets.Bool(False).tag(sync=True)
    flip_v = traitlets.Bool(False).tag(sync=True)
    zoom = Within(1.0, 0.25, 4).tag(sync=True)
    shear_x = Within(0.0, -0.9, 0.9).tag(sync=True)
    shear_y = Within(0.0, -0.9, 0.9).tag(sync=True)
    rotate = Within(0.0, -180, 180).tag(sync=True)
    shift_x = Within(0.0, -100, 100).tag(sync=True)
    shift_y = Within(0.0, -100, 100).tag(sync=True)
    brightness = Within(1.0, 0, 3).tag(sync=True)
    cutout = Within(0.0, 0, 100).tag(sync=True)
    cutout_x = Within(50.0, 0, 100).tag(sync=True)
    cutout_y = Within(50.0, 0, 100).tag(sync=True)
    mode = traitlets.Enum(list(affine.MODES), "zero").tag(sync=True)
    drawn = traitlets.List(traitlets.Enum(list(DRAWN))).tag(sync=True)
    seed = Whole(1, 1, 9999).tag(sync=True)
    grid = traitlets.Bool(False).tag(sync=True)
    row = Whole(40, 0, 159).tag(sync=True)
    col = Whole(60, 0, 159).tag(sync=True)

    @traitlets.default("drawn")
    def _usual_draws(self):
        return [name for name in DRAWN if name not in ("flip_v", "shear_y", "cutout")]

    @traitlets.default("pictures")
    def _all_pictures(self):
        return pictures_for_page()

    @property
    def input(self):
        """ndarray (C, H, W), float32 : the picture."""
        return picture_array(self.picture)

    @property
    def factors(self):
        """dict of ndarray (3, 3) : the matrices by name, the one that comes first at the end."""
        height, width = self.input.shape[1:]
        return {
            "shift": affine.shift(self.shift_x / 100 * width, self.shift_y / 100 * height),
            "rotate": affine.rotation(self.rotate),
            "shear": affine.shear(self.shear_x, self.shear_y),
            "zoom": affine.zoom(self.zoom),
            "flip": affine.flip(self.flip_h, self.flip_v),
        }

    @property
    def matrix(self):
        """ndarray (3, 3) : the product of the factors; see `convbook.images.affine`."""
        return np.linalg.multi_dot(list(self.factors.values()))

    @property
    def output(self):
        """ndarray (C, H, W), float32 : the changed picture, values from 0 to 1."""
        rng = np.random.default_rng(0)  # a range of one number leaves nothing to chance
        moved = affine.transform(self.input[None], self.matrix, self.mode)
        y = Brightness((self.brightness, self.brightness))(moved, rng)[0]
        side = self.cutout / 100 * y.shape[1]
        (top, bottom), (left, right) = (
            [
                max(0, math.floor(centre / 100 * y.shape[1] + sign * side / 2 + 0.5))
                for sign in (-1, 1)
            ]
            for centre in (self.cutout_y, self.cutout_x)
        )
        y[:, top:bottom, left:right] = 0
        return y

    def plain(self):
        from PIL import Image

        buffer = io.BytesIO()
        pixels = np.rint(self.output * 255).astype(np.uint8)
        image = Image.fromarray(pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0])
        image.save(buffer, "JPEG", quality=80)
        shown = {"": picture_bytes(self.picture), " → ": buffer.getvalue()}
        (before, after) = (base64.b64encode(data).decode() for data in shown.values())
        kind = MIME_TYPES[PICTURES[self.picture].rpartition(".")[2]]
        return (
            f'<img alt="{self.picture}, as it was" width="160" '
            f'src="data:{kind};base64,{before}"> → '
            f'<img alt="{self.picture}, changed" width="160" src="data:image/jpeg;base64,{after}">'
            f"{table('M', self.matrix)}"
        )
