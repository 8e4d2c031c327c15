"""DigitPlayground: draw a digit, and a network reads it."""

import base64

import numpy as np
import traitlets

from convbook.arrays import to_numpy
from convbook.functional import softmax
from convbook.images.digit import draw, prepare
from convbook.layers import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU

from .base import BookWidget, Whole, table
from .stored_network import check_layers, stored, text_of

SHAPE = (1, 28, 28)
CLASSES = 10
MOST_EXAMPLES = 30
HARD = 5  # so many of the examples are the test digits that the network reads worst
KINDS = (Conv2d, Linear, ReLU, MaxPool2d, AvgPool2d, Flatten)  # what the figure can explain


class Pixels(traitlets.TraitType):
    """A trait that holds a picture of 28 × 28 grey values from 0 (paper) to 255 (ink).

    Floats from 0 to 1 are taken times 255; one channel axis in front is dropped.
    """

    def validate(self, obj, value):
        return as_bytes(self.name, value).tolist()


def as_bytes(name, value):
    """Return a picture as a (28, 28) array of uint8; see `Pixels`."""
    array = np.asarray(to_numpy(value))
    if array.shape == SHAPE:
        array = array[0]
    most = 1 if array.dtype.kind == "f" else 255
    fits = array.shape == SHAPE[1:] and array.dtype.kind in "iuf"
    if not fits or not ((array >= 0) & (array <= most)).all():  # false for NaN as well
        given = f"shape {array.shape}, dtype {array.dtype}"
        given += f", values from {array.min()} to {array.max()}" if fits else ""
        raise traitlets.TraitError(
            f"{name} must be 28 × 28 whole numbers from 0 to 255, or floats from 0 to 1; "
            f"got {given}."
        )
    return np.rint(array * (255 / most)).astype(np.uint8)


class DigitPlayground(BookWidget, module="digit_playground.js"):
    """Draw a digit, watch how it is prepared, and see what each layer of a network makes of it.

    The page computes the network itself. For that, the weights travel in the page, as whole numbers
    of `bits` bits and one step size for each filter (each row, in a `Linear` layer); biases travel
    as they are. `error` tells what the rounding costs.

    Parameters
    ----------
    model : convbook.layers.Sequential
        Made of Conv2d, ReLU, MaxPool2d, AvgPool2d, Flatten, Linear and Dropout (which is left out),
        for x: (N, 1, 28, 28) with values from 0 to 1, and 10 scores. It is copied.
    examples : pair (x, labels), optional
        Up to 30 digits to choose from: pictures (N, 28, 28) or (N, 1, 28, 28), as floats from 0 to
        1 or bytes, and what they are. By default, of the embedded MNIST test digits the first of
        each class that the network reads correctly, and the five that it reads worst.
    bits : int
        From 2 to 16.
    pixels : array_like (28, 28), optional
        The picture that the network reads, as the examples; the first example if not given.
    strokes : list of dict
        What was drawn by hand, on a pad of 280 × 280: "points", pairs [x, y], and "width".
    scale, centre : bool
        Whether a drawing is scaled to 20 × 20 pixels, and moved so that its centre of mass is in
        the middle; see `convbook.images.digit.prepare`.
    pen : int
        Width of the pen on the pad, from 6 to 40.
    unit : list of four ints
        The number that is explained: layer (0 is the picture), channel, row, column.

    Attributes
    ----------
    network : convbook.layers.Sequential
        The model with the weights that the page has.
    layers, examples : list of dict
        What the page knows of the layers and examples.

    Raises
    ------
    TypeError, ValueError
        If the model has other layers, or does not turn (N, 1, 28, 28) into (N, 10).

    Examples
    --------
    >>> from convbook.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
    >>> model = Sequential(Conv2d(1, 2, 5, rng=0), ReLU(), MaxPool2d(4), Flatten(),
    ...                    Linear(72, 10, rng=0))
    >>> w = DigitPlayground(model, examples=([np.eye(28)], [1]))
    >>> w.output.shape
    (10,)
    """

    layers = traitlets.List().tag(sync=True)
    examples = traitlets.List().tag(sync=True)
    pixels = Pixels(np.zeros(SHAPE[1:], int).tolist()).tag(sync=True)
    strokes = traitlets.List(traitlets.Dict()).tag(sync=True)
    scale = traitlets.Bool(True).tag(sync=True)
    centre = traitlets.Bool(True).tag(sync=True)
    pen = Whole(22, 6, 40).tag(sync=True)
    unit = traitlets.List(Whole(0, 0, 10_000), [1, 0, 12, 12], minlen=4, maxlen=4).tag(sync=True)

    def __init__(self, model, examples=None, bits=12, **kwargs):
        check_layers(model, KINDS)
        self.original, self.network, described, x = stored(
            model, np.zeros((1, *SHAPE), np.float32), bits
        )
        if x.shape != (1, CLASSES):
            raise ValueError(
                f"model must turn x of shape (N, 1, 28, 28) into scores of shape (N, {CLASSES}), "
                f"got {('N', *x.shape[1:])}"
            )
        chosen = self._choose() if examples is None else examples
        chosen = self._described(*chosen)
        if "pixels" not in kwargs:
            if kwargs.get("strokes"):
                settings = {name: kwargs[name] for name in ("scale", "centre") if name in kwargs}
                kwargs["pixels"] = prepare(draw(kwargs["strokes"]), **settings)
            elif chosen:
                first = base64.b64decode(chosen[0]["pixels"])
                kwargs["pixels"] = np.frombuffer(first, np.uint8).reshape(SHAPE[1:])
        super().__init__(layers=described, examples=chosen, **kwargs)

    def _choose(self):
        """Return test digits: one of each class that is read correctly, and the worst."""
        from convbook.datasets import mnist

        digits = mnist()
        labels = digits.y_test
        p = self.probabilities(digits.x_test)
        right = p.argmax(axis=1) == labels
        easy = [np.flatnonzero(right & (labels == digit))[:1] for digit in range(CLASSES)]
        worst = np.argsort(p[np.arange(len(p)), labels], kind="stable")[:HARD]
        chosen = np.concatenate([*easy, worst])
        return digits.x_test[chosen], labels[chosen]

    def _described(self, x, labels):
        """Return the examples as the page needs them."""
        if len(x) != len(labels) or len(x) > MOST_EXAMPLES:
            raise ValueError(
                f"examples must be up to {MOST_EXAMPLES} pictures and as many labels; "
                f"got {len(x)} and {len(labels)}"
            )
        pictures = [as_bytes("examples", picture) for picture in x]
        read = self.probabilities(np.array(pictures)).argmax(axis=1) if pictures else []
        return [
            {"label": int(label), "read": int(guess), "pixels": text_of(picture)}
            for picture, label, guess in zip(pictures, labels, read, strict=True)
        ]

    def probabilities(self, x, network=None):
        """Return the probabilities (N, 10) that the page's network gives for pictures.

        Parameters
        ----------
        x : array_like (N, 28, 28) or (N, 1, 28, 28)
            Floats from 0 to 1, or bytes.
        """
        x = to_numpy(x)
        x = (x if x.dtype.kind == "f" else x / 255).astype(np.float32).reshape(-1, *SHAPE)
        network = self.network if network is None else network
        batches = [softmax(network(x[i : i + 500])) for i in range(0, len(x), 500)]
        return np.concatenate(batches) if batches else np.zeros((0, CLASSES), np.float32)

    def error(self, x):
        """Return the largest change of any probability, over pictures x, that the rounding causes.

        Parameters
        ----------
        x : array_like (N, 28, 28) or (N, 1, 28, 28)
            As in `probabilities`.
        """
        difference = self.probabilities(x) - self.probabilities(x, self.original)
        return float(np.abs(difference).max())

    @property
    def output(self):
        """ndarray (10,) of float32 : the probabilities that the figure shows.

        None while the pad is empty.
        """
        pixels = np.array(self.pixels, np.uint8)
        return self.probabilities(pixels[None])[0] if pixels.any() else None

    def plain(self):
        if self.output is None:
            return "<p>An empty pad: on the live page the network reads what is drawn here.</p>"
        best = int(self.output.argmax())
        label = next(
            (f" The picture is a test digit, a {e['label']}." for e in self.examples
             if e["pixels"] == text_of(np.array(self.pixels, np.uint8))), ""
        )  # fmt: skip
        return (
            f"{table('Digit and its probability', np.array([np.arange(CLASSES), self.output]))}"
            f"<p>The network reads a {best}.{label}</p>"
        )
