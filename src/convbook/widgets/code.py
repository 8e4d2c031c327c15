"""CodeExplorer: an autoencoder whose code is a point in the plane."""

import base64

import numpy as np
import traitlets

from convbook.arrays import to_numpy
from convbook.images.digit import draw, prepare
from convbook.layers import Sequential

from .base import BookWidget, Whole, table
from .digit_playground import SHAPE, Pixels, as_bytes
from .packed import packed, unpacked
from .stored_network import check_layers, stored, text_of

MOST_IMAGES = 2000
MARGIN = 0.08  # of the range of the codes, on each side of the map


class Point(traitlets.TraitType):
    """A trait that holds two finite numbers."""

    def validate(self, obj, value):
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.shape != (2,) or not np.isfinite(array).all():
            raise traitlets.TraitError(f"{self.name} must be two finite numbers; got {value!r}.")
        return array.tolist()


class CodeExplorer(BookWidget, module="code.js"):
    """Walk through the code of an autoencoder, and see what it makes of your own drawing.

    The page computes encoder and decoder itself; their weights travel as whole numbers of `bits`
    bits, as in `DigitPlayground`. Codes and errors of the known images are computed here, with the
    same rounded weights.

    Parameters
    ----------
    model : convbook.layers.Sequential
        ``Sequential(encoder, decoder)``: the encoder makes (N, 2) of x: (N, 1, 28, 28) with values
        from 0 to 1, the decoder makes x of that again. It is copied.
    images : array_like (N, 1, 28, 28) or (N, 28, 28)
        Up to 2,000 digits that the network may know: as floats from 0 to 1, or bytes.
    labels : array_like (N,) of ints
        What they are, from 0 to 9.
    bits : int
        From 2 to 16.
    code : pair of float, optional
        What the decoder draws; the code of `pixels` if not given.
    pixels : array_like (28, 28), optional
        The picture that is encoded; the first image of the first label if not given.
    strokes : list of dict
        What was drawn by hand, as in `DigitPlayground`.
    pen : int
        Width of the pen on the pad, from 6 to 40.
    limit : float, optional
        An error above it is called strange. By default, 5 % of the images lie above it.
    background : {"digits", "places"}
        What the map shows: what the decoder draws everywhere, or where the images lie.

    Attributes
    ----------
    encoder, decoder : convbook.layers.Sequential
        With the weights that the page has.

    Raises
    ------
    TypeError, ValueError
        If the model is another one, or images and labels do not fit.

    Examples
    --------
    >>> from convbook.models.autoencoder import convolutional_autoencoder
    >>> images = np.random.default_rng(0).random((5, 28, 28))
    >>> w = CodeExplorer(convolutional_autoencoder(2, rng=0), images, [0, 1, 2, 3, 4])
    >>> w.restored.shape
    (28, 28)
    """

    layers = traitlets.List().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    examples = traitlets.List().tag(sync=True)
    code = Point([0.0, 0.0]).tag(sync=True)
    pixels = Pixels(np.zeros(SHAPE[1:], int).tolist()).tag(sync=True)
    strokes = traitlets.List(traitlets.Dict()).tag(sync=True)
    pen = Whole(22, 6, 40).tag(sync=True)
    limit = traitlets.Float(0.1).tag(sync=True)
    background = traitlets.Enum(["digits", "places"], "digits").tag(sync=True)

    def __init__(self, model, images, labels, bits=8, **kwargs):
        check_layers(model)
        if len(model) != 2:
            raise ValueError(f"model must be Sequential(encoder, decoder), got {len(model)} layers")
        parts, self.originals, layers = [], [], []
        x, shapes = np.zeros((1, *SHAPE), np.float32), ((1, 2), (1, *SHAPE))
        for part, name, shape in zip(model, ("encoder", "decoder"), shapes, strict=True):
            original, network, described, x = stored(Sequential(part), x, bits)
            if x.shape != shape:
                raise ValueError(
                    f"the {name} must make {('N', *shape[1:])} of its input, got "
                    f"{('N', *x.shape[1:])}"
                )
            parts.append(network)
            self.originals.append(original)
            layers.append(described)
        self.encoder, self.decoder = parts
        labels = np.asarray(labels)
        if not 0 < len(images) <= MOST_IMAGES or labels.shape != (len(images),):
            raise ValueError(
                f"images must be up to {MOST_IMAGES} pictures, with as many labels; got "
                f"{len(images)} and labels of shape {labels.shape}"
            )
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
            raise ValueError(f"labels must be whole numbers from 0 to 9, got {labels}")
        pictures = np.array([as_bytes("images", image) for image in to_numpy(images)])
        codes, errors = self._measured(pictures)
        data = self._described(codes, errors, labels)
        self._errors = unpacked(data["errors"])
        first = [int(np.flatnonzero(labels == k)[0]) for k in np.unique(labels)]
        examples = [
            {"label": int(labels[i]), "read": int(labels[i]), "pixels": text_of(pictures[i])}
            for i in first
        ]
        if "pixels" not in kwargs:
            drawn = kwargs.get("strokes")
            kwargs["pixels"] = prepare(draw(drawn)) if drawn else pictures[first[0]]
        if "limit" not in kwargs:
            kwargs["limit"] = float(np.round(np.quantile(self._errors, 0.95), 4))
        super().__init__(layers=layers, data=data, examples=examples, **kwargs)
        if "code" not in kwargs and self.encoded is not None:
            self.code = [round(v, 4) for v in self.encoded.tolist()]

    def _measured(self, pictures):
        """Return the codes (N, 2) and errors (N,) of pictures (N, 28, 28) of bytes."""
        x = (np.asarray(pictures) / np.float32(255)).astype(np.float32).reshape(-1, *SHAPE)
        codes, errors = [], []
        for i in range(0, len(x), 500):
            codes.append(self.encoder(x[i : i + 500]))
            errors.append(((self.decoder(codes[-1]) - x[i : i + 500]) ** 2).mean(axis=(1, 2, 3)))
        return np.concatenate(codes), np.concatenate(errors)

    def _described(self, codes, errors, labels):
        """Return what the page knows of the images, and the corners of its map."""
        low, high = np.quantile(codes, [0.005, 0.995], axis=0)
        reach = np.maximum(high - low, 1e-3) * MARGIN
        corners = np.array([low - reach, high + reach])
        return {
            "codes": packed(codes),
            "errors": packed(errors),
            "labels": labels.tolist(),
            "corners": [[float(f"{v:.4g}") for v in corner] for corner in corners.tolist()],
        }

    @property
    def restored(self):
        """ndarray (28, 28) of float32 : what the decoder draws of the code."""
        return self.decoder(np.array([self.code], np.float32))[0, 0]

    @property
    def encoded(self):
        """ndarray (2,) : the code of the pixels; None while they are empty."""
        return self._of_pixels(0)

    @property
    def error(self):
        """float : the mean squared error of the pixels once restored; None while empty."""
        error = self._of_pixels(1)
        return None if error is None else float(error)

    @property
    def share(self):
        """float : the share of the known images with a smaller error; None while empty."""
        return None if self.error is None else float((self._errors < self.error).mean())

    @property
    def false_alarms(self):
        """float : the share of the known images that are called strange."""
        return float((self._errors > self.limit).mean())

    def _of_pixels(self, which):
        pixels = np.array(self.pixels, np.uint8)
        return self._measured(pixels[None])[which][0] if pixels.any() else None

    def rounding(self, x):
        """Return the largest change of any restored pixel, over images x, by rounded weights."""
        x = to_numpy(x).astype(np.float32).reshape(-1, *SHAPE)
        encoder, decoder = self.originals
        return float(np.abs(self.decoder(self.encoder(x)) - decoder(encoder(x))).max())

    def plain(self):
        if self.error is None:
            return "<p>An empty pad: on the live page the network restores what is drawn here.</p>"
        label = next(
            (f"The picture is a test digit, a {e['label']}. " for e in self.examples
             if base64.b64decode(e["pixels"]) == np.array(self.pixels, np.uint8).tobytes()), ""
        )  # fmt: skip
        return (
            f"{table('Code of the picture', self.encoded)}"
            f"<p>{label}Its error is {self.error:.4f}, larger than that of "
            f"{100 * self.share:.0f} % of {len(self._errors)} known digits.</p>"
        )
