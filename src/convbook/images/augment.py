"""Data augmentation: random changes of images that leave their labels true.

    augment = Compose(Flip(), Rotate(10), Zoom((0.9, 1.1)), Crop(4), Brightness((0.8, 1.2)))
    x_new = augment(x, np.random.default_rng(0))

Every transformation is called with images x: (N, C, H, W), floating point or uint8, NumPy or CuPy,
and with a NumPy generator. It draws new random numbers for every image and returns a new array of
the same dtype; x is never changed. The numbers are drawn on the CPU, so that the same generator
gives the same pictures on the GPU.

Those that move pixels are matrices (`convbook.images.affine`); `Compose` multiplies neighbouring
ones and samples once, which is faster and keeps the pictures sharp.
"""

import math

import numpy as np

from .. import checks
from ..kernels.masks import weighted
from . import affine

FARTHEST = 1_000_000  # more pixels, degrees or times than that are a slip, and overflow in the end
SMALLEST_ZOOM = 1e-3  # a picture of 1,000 pixels becomes a single one


class Augmentation:
    """The base of all transformations."""

    def __call__(self, x, rng):
        """Return new images, changed at random.

        Parameters
        ----------
        x : array (N, C, H, W)
            Floating point or uint8, NumPy or CuPy.
        rng : numpy.random.Generator
            Where the random numbers come from.
        """
        xp, x = affine.images(x)
        if not isinstance(rng, np.random.Generator):
            raise TypeError(
                "rng must be a NumPy generator, such as numpy.random.default_rng(0), "
                f"got {rng!r} of type {type(rng).__name__}"
            )
        return self._change(xp, x, rng)

    def _change(self, xp, x, rng):
        raise NotImplementedError

    def __repr__(self):
        named = sorted(vars(self).items(), key=lambda item: item[0] == "mode")  # the mode last
        settings = ", ".join(f"{name}={value!r}" for name, value in named)
        return f"{type(self).__name__}({settings})"


# --- Moving pixels -------------------------------------------------------------------------------


class AffineAugmentation(Augmentation):
    """The base of the transformations that are matrices.

    Parameters
    ----------
    mode : {"zero", "edge", "reflect"}
        What lies outside the image; see `convbook.images.affine.transform`.
    """

    mode = None  # for a transformation that needs nothing from outside

    def __init__(self, mode):
        affine.check_mode(mode)
        self.mode = mode

    def matrices(self, shape, rng):
        """Draw the matrices (N, 3, 3) for images of this shape (N, C, H, W)."""
        raise NotImplementedError

    def output_size(self, height, width):
        """Return the height and the width of the new images."""
        return height, width

    def _change(self, xp, x, rng):
        shape = *x.shape[:2], *self.output_size(*x.shape[2:])
        return _moved(x, self.matrices(x.shape, rng), self.mode, shape)


class Flip(AffineAugmentation):
    """Swap left and right, and above and below, each with its own probability.

    Parameters
    ----------
    horizontal, vertical : float
        The probabilities, from 0 to 1.
    """

    def __init__(self, horizontal=0.5, vertical=0.0):
        self.horizontal = checks.number("horizontal", horizontal, least=0, most=1)
        self.vertical = checks.number("vertical", vertical, least=0, most=1)

    def matrices(self, shape, rng):
        draws = rng.random((2, shape[0]))
        return affine.flip(draws[0] < self.horizontal, draws[1] < self.vertical)


class Zoom(AffineAugmentation):
    """Zoom in (factor above 1) and out (below 1).

    Parameters
    ----------
    factors : pair of float
        The smallest and the largest factor, at least 0.001. Their logarithm is uniformly
        distributed: with (1 / 1.25, 1.25), zooming in is as frequent as zooming out.
    """

    def __init__(self, factors=(0.8, 1.25), mode="zero"):
        super().__init__(mode)
        self.factors = _pair("factors", factors, SMALLEST_ZOOM)

    def matrices(self, shape, rng):
        low, high = self.factors
        return affine.zoom(np.exp(rng.uniform(math.log(low), math.log(high), shape[0])))


class Rotate(AffineAugmentation):
    """Turn about the centre, counterclockwise.

    Parameters
    ----------
    degrees : float or pair of float
        The range; a number stands for both directions, 15 for (-15, 15).
    """

    def __init__(self, degrees=15.0, mode="zero"):
        super().__init__(mode)
        self.degrees = _range("degrees", degrees)

    def matrices(self, shape, rng):
        return affine.rotation(rng.uniform(*self.degrees, shape[0]))


class Shear(AffineAugmentation):
    """Slant: each row moves to the side in proportion to its height, or each column up or down.

    Parameters
    ----------
    horizontal, vertical : float or pair of float
        The range, in pixels of movement per pixel of distance from the centre; a number stands
        for both directions.
    """

    def __init__(self, horizontal=0.2, vertical=0.0, mode="zero"):
        super().__init__(mode)
        self.horizontal = _range("horizontal", horizontal)
        self.vertical = _range("vertical", vertical)
        if max(map(abs, self.horizontal)) * max(map(abs, self.vertical)) >= 1:
            raise ValueError(
                "horizontal and vertical must be ranges whose largest product is "
                f"below 1, got {self.horizontal} and {self.vertical}, which can press "
                "an image flat"
            )

    def matrices(self, shape, rng):
        return affine.shear(
            rng.uniform(*self.horizontal, shape[0]), rng.uniform(*self.vertical, shape[0])
        )


class Shift(AffineAugmentation):
    """Move up, down and to the sides.

    Parameters
    ----------
    pixels : number or pair of numbers (vertical, horizontal)
        By how much at most, in either direction.
    whole : bool
        Whether to move by whole pixels only, which copies them and blurs nothing.
    """

    def __init__(self, pixels=2, whole=True, mode="zero"):
        super().__init__(mode)
        self.whole = bool(whole)
        if self.whole:
            self.pixels = checks.pair("pixels", pixels, least=0)
            for most in self.pixels:
                checks.number("pixels", most, least=0, most=FARTHEST)
        else:
            both = tuple(pixels) if np.ndim(pixels) else (pixels, pixels)
            if len(both) != 2:
                raise ValueError(
                    f"pixels must be a number or a pair (vertical, horizontal), got {pixels!r}"
                )
            self.pixels = tuple(checks.number("pixels", most, 0, FARTHEST) for most in both)

    def matrices(self, shape, rng):
        down, right = (
            rng.integers(-most, most, shape[0], endpoint=True)
            if self.whole
            else rng.uniform(-most, most, shape[0])
            for most in self.pixels
        )
        return affine.shift(right, down)


class Crop(AffineAugmentation):
    """Cut out a part of each image, in a random place, after `padding` it on all sides.

    As in He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.

    Parameters
    ----------
    padding : int
        How many pixels are added on each side.
    size : int or pair of int (OH, OW), optional
        The size of the part, by default that of the image.
    """

    def __init__(self, padding=4, size=None, mode="zero"):
        super().__init__(mode)
        self.padding = checks.integer("padding", padding, least=0)
        checks.number("padding", padding, least=0, most=FARTHEST)
        self.size = None if size is None else checks.pair("size", size)

    def output_size(self, height, width):
        if self.size is None:
            return height, width
        for name, part, whole in zip(("height", "width"), self.size, (height, width)):
            if part > whole + 2 * self.padding:
                raise ValueError(
                    f"size must not be larger than the padded image, whose {name} is "
                    f"{whole} + 2·{self.padding}, got {part} in {self.size}"
                )
        return self.size

    def matrices(self, shape, rng):
        size, part = shape[2:], self.output_size(*shape[2:])
        down, right = (
            # The part begins at a pixel from -padding on; the matrix moves centre to centre.
            (s - p) / 2
            + self.padding
            - rng.integers(0, s + 2 * self.padding - p, shape[0], endpoint=True)
            for s, p in zip(size, part)
        )
        return affine.shift(right, down)


# --- Changing values -----------------------------------------------------------------------------


class Brightness(Augmentation):
    """Multiply each image by a factor.

    Parameters
    ----------
    factors : pair of float
        The smallest and the largest factor, at least 0.
    clip : bool
        Whether to keep the values between 0 and white, which is 1 for floats and 255 for uint8.
        Take False for images whose mean was subtracted; uint8 is always clipped.
    """

    def __init__(self, factors=(0.8, 1.2), clip=True):
        self.factors, self.clip = _pair("factors", factors, least=0), bool(clip)

    def _change(self, xp, x, rng):
        factors = xp.asarray(rng.uniform(*self.factors, len(x)), np.float32)
        factors = factors.astype(_float(x))[:, None, None, None]
        return _as_pixels(xp, self._times(xp, x, factors), x, self.clip)

    def _times(self, xp, x, factors):
        """Return x times the factors; an infinite pixel times 0 is 0."""
        return x * factors if self.factors[0] > 0 else weighted(xp, x, factors)


class Contrast(Brightness):
    """Multiply each image's distance from its own mean by a factor.

    Parameters
    ----------
    factors, clip
        As for `Brightness`; below 1 the image fades to grey.
    """

    def _change(self, xp, x, rng):
        factors = xp.asarray(rng.uniform(*self.factors, len(x)), np.float32)
        factors = factors.astype(_float(x))[:, None, None, None]
        mean = x.mean(axis=(1, 2, 3), keepdims=True, dtype=_float(x))
        y = self._times(xp, x, factors)
        y += weighted(xp, mean, 1 - factors)
        return _as_pixels(xp, y, x, self.clip)


class Cutout(Augmentation):
    """Cover a square of each image, whose centre is a random pixel; it may reach over the edge.

    DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout",
    arXiv:1708.04552, 2017.

    Parameters
    ----------
    size : int
        The side of the square, in pixels.
    value : float
        What it is filled with: any number that the images' dtype can hold, from 0 to 255 for
        uint8, where it is rounded.
    """

    def __init__(self, size=8, value=0):
        self.size = checks.integer("size", size, least=1)
        checks.number("size", size, least=1, most=FARTHEST)
        self.value = checks.number("value", value, least=-math.inf)

    def _change(self, xp, x, rng):
        value = _as_pixel(self.value, x.dtype)
        covered = []
        for length in x.shape[2:]:
            first = rng.integers(0, length, (len(x), 1)) - self.size // 2
            place = np.arange(length)
            covered.append(xp.asarray((first <= place) & (place < first + self.size)))
        square = covered[0][:, None, :, None] & covered[1][:, None, None, :]
        return xp.where(square, xp.asarray(value, x.dtype), x)


# --- Several, one after the other ----------------------------------------------------------------


class Compose(Augmentation):
    """Several transformations, one after the other.

    Neighbouring ones that move pixels and have the same mode are multiplied into one matrix, and
    the image is sampled once. Nothing is lost then at the edges in between: what one moves out of
    the image, the next may bring back. Random numbers are drawn in the given order.

    Parameters
    ----------
    *steps : Augmentation
    mode : {"zero", "edge", "reflect"}, optional
        What lies outside the image, for all of these steps in place of their own modes; a step
        that is a `Compose` itself keeps its own.
    """

    def __init__(self, *steps, mode=None):
        for step in steps:
            if not isinstance(step, Augmentation):
                raise TypeError(
                    "steps must be transformations such as Flip(), got "
                    f"{step!r} of type {type(step).__name__}"
                )
        if mode is not None:
            affine.check_mode(mode)
        self.steps, self.mode = steps, mode

    def _change(self, xp, x, rng):
        y, shape = x, x.shape
        matrices, mode = None, None  # what the steps so far ask for and y does not yet show
        for step in self.steps:
            moves = isinstance(step, AffineAugmentation)
            own = (self.mode or step.mode) if moves else None
            if matrices is not None and (not moves or (mode and own and mode != own)):
                y, matrices, mode = _moved(y, matrices, mode, shape), None, None
            if moves:
                drawn = step.matrices(shape, rng)
                matrices = drawn if matrices is None else drawn @ matrices
                mode = mode or own
                shape = *shape[:2], *step.output_size(*shape[2:])
            else:
                y = step(y, rng)
        if matrices is not None:
            y = _moved(y, matrices, mode, shape)
        return x.copy() if y is x else y

    def __repr__(self):
        lines = [f"  {step!r},".replace("\n", "\n  ") for step in self.steps]
        mode = [] if self.mode is None else [f"  mode={self.mode!r},"]
        return "\n".join(["Compose(", *lines, *mode, ")"])


class Together:
    """Change images and their masks together: what moves an image moves its mask alike.

        fit(model, x, masks, augment=Together(Rotate(10), Shift(4), Brightness(clip=False)))

    Steps that change values only, such as `Brightness`, change the images and leave the masks.
    Neighbouring steps that move are sampled once, as in `Compose`.

    Parameters
    ----------
    *steps : Augmentation
    mode : {"zero", "edge", "reflect"}
        What lies outside, for images and masks.
    """

    def __init__(self, *steps, mode="edge"):
        Compose(*steps, mode=mode)  # for its checks
        self.steps, self.mode = steps, mode

    def __call__(self, x, y, rng):
        """Return new images and new masks.

        Parameters
        ----------
        x : array (N, C, H, W)
            Floating point or uint8.
        y : array (N, D, H, W), or (N, H, W) of ints
            Masks, each a channel of 0 and 1 or False and True; or the class of each pixel. A pixel
            that comes to lie between others is what most of it was.
        rng : numpy.random.Generator

        Returns
        -------
        x, y : arrays of the same dtypes, and of the same shapes but for a `Crop` to a size
        """
        xp, x = affine.images(x)
        if y.shape not in [(len(x), *x.shape[2:]), (len(x), *y.shape[1:2], *x.shape[2:])]:
            raise ValueError(
                f"y must be masks (N, D, H, W) or classes (N, H, W) of the images {x.shape}, got "
                f"{y.shape}"
            )
        for matrices, size, step in self._in_order(x.shape, rng):
            if matrices is None:
                x = step(x, rng)
            else:
                x = affine.transform(x, matrices, self.mode, size)
                y = moved_masks(xp, y, matrices, self.mode, size)
        return x, y

    def _in_order(self, shape, rng):
        """Yield (matrices, size, None) for neighbouring steps that move, (None, None, step) else.

        Numbers are drawn when they are asked for, so that their order is that of the steps.
        """
        matrices = None
        for step in self.steps:
            if isinstance(step, AffineAugmentation):
                drawn = step.matrices(shape, rng)
                matrices = drawn if matrices is None else drawn @ matrices
                shape = *shape[:2], *step.output_size(*shape[2:])
                continue
            if matrices is not None:
                yield matrices, shape[2:], None
                matrices = None
            yield None, None, step
        if matrices is not None:
            yield matrices, shape[2:], None

    def __repr__(self):
        return repr(Compose(*self.steps, mode=self.mode)).replace("Compose", "Together", 1)


def moved_masks(xp, y, matrices, mode, size):
    """Return masks (N, D, H, W), or classes (N, H, W), moved by matrices, in the dtype of y."""
    if y.ndim == 3:
        numbers = xp.unique(y)
        masks = (y[:, None] == numbers[:, None, None]).astype(np.float32)
        return numbers[affine.transform(masks, matrices, mode, size).argmax(axis=1)]
    return (affine.transform(y.astype(np.float32), matrices, mode, size) >= 0.5).astype(y.dtype)


def _moved(x, matrices, mode, shape):
    """Return x sampled with these matrices, in the new shape; without a mode none is needed."""
    return affine.transform(x, matrices, mode or "zero", shape[2:])


# --- Checks and dtypes ---------------------------------------------------------------------------


def _range(name, value):
    """Return a range given as a number, for both directions, or as a pair (low, high)."""
    if np.ndim(value) == 0:
        value = checks.number(name, value, 0, FARTHEST)
        return -value, value
    return _pair(name, value, least=-FARTHEST)


def _pair(name, value, least):
    """Return a pair of numbers, the smaller one first."""
    if np.ndim(value) != 1 or len(value) != 2:
        raise ValueError(f"{name} must be a pair (low, high), got {value!r}")
    low, high = (checks.number(name, bound, least, FARTHEST) for bound in value)
    if low > high:
        raise ValueError(f"{name} must have its smaller number first, got {value!r}")
    return low, high


def _float(x):
    """Return the dtype in which the values of x are changed: at least float32."""
    return np.result_type(x.dtype, np.float32)


def _as_pixel(value, dtype):
    """Return a value as a pixel of this dtype; uint8 is rounded to the nearest."""
    if dtype == np.uint8:
        low, high = 0, 255
    else:
        high = float(np.finfo(dtype).max)
        low = -high
    if not low <= value <= high:
        raise ValueError(
            f"value must be from {low:g} to {high:g} for images of dtype {dtype}, got {value:g}"
        )
    return np.rint(value) if dtype == np.uint8 else value


def _as_pixels(xp, y, x, clip):
    """Return changed values y, in place where possible, as pixels of the dtype of x."""
    if x.dtype == np.uint8:
        xp.rint(xp.clip(y, 0, 255, out=y), out=y)
    elif clip:
        xp.clip(y, 0, 1, out=y)
    return y.astype(x.dtype, copy=False)
