"""DigitForge: a conditional generator makes digits, and its discriminator judges them."""

import base64

import numpy as np
import traitlets

from convbook.arrays import to_numpy
from convbook.images.digit import draw, prepare
from convbook.layers import BatchNorm2d, Conv2d, ConvTranspose2d, Linear, Reshape, Sequential
from convbook.losses import probability
from convbook.models.gan import ConditionalDiscriminator, ConditionalGenerator

from .base import BookWidget, Whole, table
from .digit_playground import CLASSES, SHAPE, Pixels, as_bytes
from .stored_network import KINDS, check_layers, copy_with, stored, text_of

MOST_NOISE, MOST_EXAMPLES, FARTHEST = 64, 10, 3


def without_batch_norm(model):
    """Return the layers of a Sequential with every batch normalisation taken into the layer before.

    In the mode of use it only multiplies each channel by a number and adds one, and so do the
    weights and the bias of the layer in front of it, if they are changed accordingly.
    """
    layers, per_channel = [], 1  # numbers of a Linear that become one channel
    for layer in model:
        params = {name: to_numpy(a).astype(np.float64) for name, a in layer.params.items()}
        if isinstance(layer, Reshape):
            per_channel = int(np.prod(layer.shape[1:]))
        if not isinstance(layer, BatchNorm2d):
            layers.append(copy_with(layer, params))
            continue
        mean, var = (to_numpy(layer.buffers[name]) for name in ("running_mean", "running_var"))
        factor = params["gamma"] / np.sqrt(var + layer.eps)
        at = next(i for i in reversed(range(len(layers))) if layers[i].params)
        before = layers[at]
        shift = params["beta"] - factor * mean
        if isinstance(before, Linear):
            factor, shift = (np.repeat(each, per_channel) for each in (factor, shift))
        name, shape = {
            Linear: ("w", (-1, 1)),
            Conv2d: ("f", (-1, 1, 1, 1)),
            ConvTranspose2d: ("f", (1, -1, 1, 1)),
        }[type(before)]
        weights = before.params[name] * factor.reshape(shape)
        bias = before.params.get("b", np.zeros(len(factor)))
        layers[at] = copy_with(before, {name: weights, "b": factor * bias + shift})
        layers[at].bias = True
    return layers


class DigitForge(BookWidget, module="digit_forge.js"):
    """Choose a digit, walk through its noise, and let the discriminator judge what you draw.

    Both networks are computed on the page. Their weights travel as whole numbers of `bits` bits and
    a step size each filter; batch normalisation is taken into the layers in front of it. Where the
    generator stands is a mixture: of the noise `first`, moved by `walk` along two directions, for
    the label `digit`, and of the noise `second` for the label `other`; `mix` says how much of the
    latter.

    Parameters
    ----------
    generator : convbook.models.gan.ConditionalGenerator
        Its body is made of Linear, Reshape, BatchNorm2d, ReLU, LeakyReLU, ConvTranspose2d, Conv2d
        and Tanh. It is copied.
    discriminator : convbook.models.gan.ConditionalDiscriminator
        Its body is made of Conv2d, LeakyReLU, ReLU, Flatten and Linear. It is copied.
    examples : array_like (n, 28, 28) or (n, 1, 28, 28), optional
        Up to 10 real digits for the discriminator, as floats from 0 to 1 or bytes. By default the
        first test digit of each class.
    bits : int
        From 2 to 16.
    digit, other : int
        From 0 to 9.
    mix : float
        From 0 to 1.
    first, second : sequence of float, optional
        The noises. If not given, they are drawn.
    walk : pair of float
        From -3 to 3.
    pixels, strokes, pen
        What the discriminator judges, as in `DigitPlayground`.

    Raises
    ------
    TypeError, ValueError
        If a network is not one that the page can compute.
    """

    networks = traitlets.Dict().tag(sync=True)
    examples = traitlets.List().tag(sync=True)
    digit = Whole(3, 0, CLASSES - 1).tag(sync=True)
    other = Whole(8, 0, CLASSES - 1).tag(sync=True)
    mix = traitlets.Float(0).tag(sync=True)
    first = traitlets.List(traitlets.Float()).tag(sync=True)
    second = traitlets.List(traitlets.Float()).tag(sync=True)
    walk = traitlets.List(traitlets.Float(), [0, 0], minlen=2, maxlen=2).tag(sync=True)
    pixels = Pixels(np.zeros(SHAPE[1:], int).tolist()).tag(sync=True)
    strokes = traitlets.List(traitlets.Dict()).tag(sync=True)
    pen = Whole(22, 6, 40).tag(sync=True)

    def __init__(self, generator, discriminator, examples=None, bits=10, **kwargs):
        for name, network, kind in (
            ("generator", generator, ConditionalGenerator),
            ("discriminator", discriminator, ConditionalDiscriminator),
        ):
            if not isinstance(network, kind) or not isinstance(network.body, Sequential):
                raise TypeError(
                    f"{name} must be a {kind.__name__} of a Sequential, "
                    f"got {type(network).__name__}"
                )
        size = generator.body[0].in_features - CLASSES
        if not 1 <= size <= MOST_NOISE:
            raise ValueError(f"generator must take 1 to {MOST_NOISE} numbers of noise, got {size}")
        self.size = size
        made, self.generator = prepared("generator", generator.body, (size + CLASSES,), SHAPE, bits)
        judged, self.discriminator = prepared(
            "discriminator", discriminator.body, SHAPE, (1 + CLASSES,), bits
        )
        rng = np.random.default_rng(0)
        self._directions = np.linalg.qr(rng.standard_normal((size, 2)))[0].T.round(4)
        for name in ("first", "second"):
            kwargs.setdefault(name, rng.standard_normal(size).round(3).tolist())
        chosen = self._choose() if examples is None else examples
        if len(chosen) > MOST_EXAMPLES:
            raise ValueError(f"examples must be up to {MOST_EXAMPLES} pictures, got {len(chosen)}")
        chosen = [as_bytes("examples", picture) for picture in chosen]
        if "pixels" not in kwargs:
            if kwargs.get("strokes"):
                kwargs["pixels"] = prepare(draw(kwargs["strokes"]))
            elif chosen:
                kwargs["pixels"] = chosen[0]
        super().__init__(
            networks={
                "generator": made,
                "discriminator": judged,
                "directions": self._directions.tolist(),
            },
            examples=[text_of(picture) for picture in chosen],
            **kwargs,
        )

    def _choose(self):
        """Return the first test digit of each class."""
        from convbook.datasets import mnist

        digits = mnist()
        return digits.x_test[[int(np.argmax(digits.y_test == k)) for k in range(CLASSES)]]

    @traitlets.validate("first", "second")
    def _a_noise(self, proposal):
        value, name = proposal["value"], proposal["trait"].name
        if len(value) != self.size or not np.isfinite(value).all():
            raise traitlets.TraitError(f"{name} must be {self.size} finite numbers; got {value}.")
        return value

    @traitlets.validate("mix")
    def _a_share(self, proposal):
        if not 0 <= proposal["value"] <= 1:
            raise traitlets.TraitError(f"mix must be from 0 to 1; got {proposal['value']}.")
        return proposal["value"]

    @traitlets.validate("walk")
    def _near(self, proposal):
        if not all(abs(v) <= FARTHEST for v in proposal["value"]):
            raise traitlets.TraitError(
                f"walk must be two numbers from {-FARTHEST} to {FARTHEST}; got {proposal['value']}."
            )
        return proposal["value"]

    def input_at(self, mix):
        """Return what the generator gets, noise and labels (size + 10,), at a mixture."""
        label = np.eye(CLASSES)
        here = np.concatenate([self.first + self.walk @ self._directions, label[self.digit]])
        there = np.concatenate([self.second, label[self.other]])
        return (1 - mix) * here + mix * there

    @property
    def output(self):
        """ndarray (28, 28) : the picture that is shown, from 0 to 1."""
        x = self.input_at(self.mix)[None].astype(np.float32)
        return (self.generator(x)[0, 0] + 1) / 2

    def judge(self, picture):
        """Return D(x, label) for a picture (28, 28) from 0 to 1, and each of the labels: (10,)."""
        x = 2 * np.asarray(picture, np.float32)[None, None] - 1
        scores = self.discriminator(x)[0]
        return probability(scores[0] + scores[1:])

    @property
    def judgement(self):
        """ndarray (10,) : what the discriminator says of the pixels; None for an empty pad."""
        pixels = np.array(self.pixels, np.uint8)
        return self.judge(pixels / 255) if pixels.any() else None

    @property
    def packed_bytes(self):
        """dict : the bytes of each network as it travels, before they become text."""
        return {
            name: sum(
                len(base64.b64decode(text))
                for layer in self.networks[name]
                for text in (
                    *(v for v in layer.get("weights", {}).values() if isinstance(v, str)),
                    layer.get("bias", ""),
                )
            )
            for name in ("generator", "discriminator")
        }

    def plain(self):
        d = self.judge(self.output)
        text = (
            f"<p>The generator's {self.digit}"
            + (f", mixed with {self.mix:.2f} of a {self.other}" if self.mix else "")
            + f"; D says {d[self.digit]:.2f}. On the live page it can be changed.</p>"
        )
        rows = (9 * self.output).round().astype(int)
        picture = "\n".join("".join(" .:-=+*#%@"[v] for v in row) for row in rows)
        text += f"<pre>{picture}</pre>"
        if self.judgement is not None:
            text += table("Label and D", np.array([np.arange(CLASSES), self.judgement]))
        return text


def prepared(name, body, shape, wanted, bits):
    """Return a network as the page needs it, and as it computes there.

    Parameters
    ----------
    name : str
        What the network is called in the message of an error.
    body : Sequential
    shape, wanted : tuple
        Of one input and of one output.
    bits : int

    Returns
    -------
    described : list of dict
    rounded : Sequential
    """
    try:
        check_layers(body, kinds=(*KINDS, BatchNorm2d))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    folded = Sequential(*without_batch_norm(body))
    _, rounded, described, y = stored(folded, np.zeros((1, *shape), np.float32), bits)
    if y.shape[1:] != wanted:
        raise ValueError(f"{name} must make {wanted} of {shape}, got {y.shape[1:]}")
    return described, rounded
