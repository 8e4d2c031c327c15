"""ColourExplorer: a generator in the page colours photographs, and a discriminator judges it."""

import numpy as np
import traitlets

from convbook.arrays import to_numpy
from convbook.images.colour import (
    colour_error,
    coloured,
    colourfulness,
    folded,
    grey_and_colours,
    unfolded,
)
from convbook.layers import Conv2d, LeakyReLU, Sequential
from convbook.losses import probability
from convbook.models.pix2pix import PairDiscriminator

from .base import BookWidget, Whole, table
from .digit_forge import prepared
from .stored_network import text_of
from .stored_unet import checked_bits, for_page, from_page, rounded, run, steps_of

SIZE = 32
PIXELS, HALF = (SIZE, SIZE), (SIZE // 2, SIZE // 2)
MOST_PHOTOGRAPHS, MOST_GENERATORS, MOST_STROKES, MOST_CELLS = 16, 6, 200, 2000
LARGEST_BRUSH = 15
BITS_OF_JUDGE = 8


class Strokes(traitlets.TraitType):
    """A trait that holds strokes of a brush: dicts of shade, size, and the cells that it met."""

    def validate(self, obj, value):
        wanted = (
            f"{self.name} must be up to {MOST_STROKES} strokes, each a dict of a shade from 0 to "
            f"255, a size from 1 to {LARGEST_BRUSH}, and up to {MOST_CELLS} cells [row, column]"
        )
        if not isinstance(value, (list, tuple)) or len(value) > MOST_STROKES:
            raise traitlets.TraitError(f"{wanted}; got {_short(value)}.")
        strokes = []
        for stroke in value:
            if not isinstance(stroke, dict) or set(stroke) != {"shade", "size", "cells"}:
                raise traitlets.TraitError(f"{wanted}; got {_short(stroke)}.")
            cells = np.asarray(stroke["cells"])
            whole = all(isinstance(stroke[key], (int, np.integer)) for key in ("shade", "size"))
            fits = whole and 0 <= stroke["shade"] <= 255 and 1 <= stroke["size"] <= LARGEST_BRUSH
            fits = fits and cells.ndim == 2 and cells.shape[1] == 2 and cells.dtype.kind == "i"
            if not fits or len(cells) > MOST_CELLS or not ((cells >= 0) & (cells < SIZE)).all():
                raise traitlets.TraitError(f"{wanted}; got {_short(stroke)}.")
            strokes.append(
                {
                    "shade": int(stroke["shade"]),
                    "size": int(stroke["size"]),
                    "cells": cells.tolist(),
                }
            )
        return strokes


class ColourExplorer(BookWidget, module="colour_explorer.js"):
    """Choose a photograph, paint over its grey version, and see two networks colour it.

    All networks are computed on the page. The weights of the generators travel as whole numbers of
    `bits` bits with one step size for each channel, batch normalisation folded into them; those of
    the discriminator in 8 bits. `error` tells what that costs.

    Parameters
    ----------
    alone : convbook.layers.Sequential or dict
        A generator that was trained with L1 alone: a trained
        `convbook.models.pix2pix.picture_generator`, from grey (N, 4, 16, 16) to Cb and Cr, both as
        `convbook.images.colour.grey_and_colours` has them. Or such a network as
        `convbook.widgets.stored_unet.for_page` stores it.
    generators : dict, float -> Sequential or dict
        Up to 6 others, trained with a discriminator, by their λ: the slider's positions.
    discriminator : convbook.models.pix2pix.PairDiscriminator
        Of Conv2d and LeakyReLU, from colours (N, 2, 16, 16) and grey to a map of scores.
    photographs : array_like (n, 3, 32, 32)
        Up to 16 of them, as floats from 0 to 1 or bytes.
    names : sequence of str, optional
        What they show.
    bits : int
        From 2 to 8; networks that are stored already keep theirs.
    chosen : int
        Which photograph is coloured.
    weight : int
        Which of the generators, by rising λ.
    strokes : list of dict
        What is painted over the grey picture: each a dict of "shade", 0 to 255, "size", the
        diameter in pixels, and "cells", the [row, column] that the brush met.
    shade, pen : int
        Of the next stroke: from 0 to 255, and from 1 to 15.
    patches : bool
        Whether the discriminator's map lies over the pictures.

    Raises
    ------
    TypeError, ValueError
        If a network is not one that the page can compute, or does not fit.
    """

    networks = traitlets.Dict(read_only=True).tag(sync=True)
    photographs = traitlets.Dict(read_only=True).tag(sync=True)
    chosen = Whole(0, 0, MOST_PHOTOGRAPHS - 1).tag(sync=True)
    weight = Whole(0, 0, MOST_GENERATORS - 1).tag(sync=True)
    strokes = Strokes([]).tag(sync=True)
    shade = Whole(200, 0, 255).tag(sync=True)
    pen = Whole(5, 1, LARGEST_BRUSH).tag(sync=True)
    patches = traitlets.Bool(False).tag(sync=True)

    def __init__(self, alone, generators, discriminator, photographs, names=None, bits=6, **kwargs):
        bits = checked_bits(bits)
        if not isinstance(generators, dict) or not 1 <= len(generators) <= MOST_GENERATORS:
            raise TypeError(
                f"generators must be a dict with 1 to {MOST_GENERATORS} networks by their λ, "
                f"got {_short(generators)}"
            )
        self.weights = sorted(float(weight) for weight in generators)
        by_weight = {float(weight): network for weight, network in generators.items()}
        self.originals, self._steps = {}, {}
        stored = {}
        for name, network in {"alone": alone, **by_weight}.items():
            exact, coarse = both_forms(network, bits)
            found = run(coarse, np.zeros((1, 4, *HALF), np.float32)).shape
            if found != (1, 2, *HALF):
                raise ValueError(
                    f"the generator {name if name == 'alone' else f'of λ = {name:g}'} must make "
                    f"{(2, *HALF)} of {(4, *HALF)}, got {found[1:]}"
                )
            self.originals[name], self._steps[name] = exact, coarse
            stored[name] = for_page(coarse)
        if not isinstance(discriminator, PairDiscriminator):
            raise TypeError(
                f"discriminator must be a PairDiscriminator, got {type(discriminator).__name__}"
            )
        judge, self.judge = _judge(discriminator)
        self.bytes = as_photographs(photographs)
        names = [f"photograph {i + 1}" for i in range(len(self.bytes))] if names is None else names
        if len(names) != len(self.bytes):
            raise ValueError(
                f"names must be {len(self.bytes)}, one for each photograph, got {len(names)}"
            )
        self.grey, self.truth = grey_and_colours(self.bytes.astype(np.float32) / 255)
        self.set_trait(
            "networks",
            {
                "alone": stored["alone"],
                "generators": [stored[weight] for weight in self.weights],
                "weights": self.weights,
                "discriminator": judge,
            },
        )
        self.set_trait(
            "photographs",
            {
                "names": [str(name) for name in names],
                "bytes": [text_of(picture) for picture in self.bytes],
            },
        )
        super().__init__(**kwargs)

    @traitlets.validate("chosen", "weight")
    def _there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        count = len(self.bytes) if name == "chosen" else len(self.weights)
        if value >= count:
            raise traitlets.TraitError(
                f"{name} must be a whole number from 0 to {count - 1}; got {value}."
            )
        return value

    # --- What the figure shows ---

    @property
    def painted(self):
        """ndarray (32, 32), float32 : the grey picture, -1 to 1, with what is painted over it."""
        grey = unfolded(self.grey[self.chosen][None])[0, 0]
        rows, columns = np.mgrid[:SIZE, :SIZE]
        for stroke in self.strokes:
            for row, column in stroke["cells"]:
                near = (rows - row) ** 2 + (columns - column) ** 2 <= stroke["size"] ** 2 / 4
                grey[near] = 2 * stroke["shade"] / 255 - 1
        return grey

    @property
    def input(self):
        """ndarray (1, 4, 16, 16), float32 : the same, as the networks are given it."""
        return folded(self.painted[None, None])

    def made(self, name, exact=False):
        """Return the colours (1, 2, 16, 16) of a generator, "alone" or a λ."""
        steps = (self.originals if exact else self._steps)[name]
        return run(steps, self.input)

    @property
    def colours(self):
        """dict : Cb and Cr, (1, 2, 16, 16) : made "alone", made with a "GAN", and the "truth"."""
        return {
            "alone": self.made("alone"),
            "GAN": self.made(self.weights[self.weight]),
            "truth": self.truth[self.chosen][None],
        }

    @property
    def pictures(self):
        """dict : pictures (3, 32, 32) in red, green and blue, from 0 to 1, by the same names."""
        made = {
            name: coloured(self.input, colours)[0]
            for name, colours in self.colours.items()
            if name != "truth"
        }
        return made | {"truth": self.bytes[self.chosen] / 255}

    @property
    def judgements(self):
        """dict : what the discriminator says of each patch, by the same names."""
        grey = {"truth": self.grey[self.chosen][None]}
        return {
            name: probability(
                self.judge(np.concatenate([grey.get(name, self.input), colours], axis=1))
            )[0, 0]
            for name, colours in self.colours.items()
        }

    @property
    def measures(self):
        """dict : of what is made "alone" and with a "GAN", its error and how colourful it is."""
        truth = self.truth[self.chosen][None]
        return {
            name: {
                "error": colour_error(colours, truth),
                "colourful": colourfulness(colours) / max(colourfulness(truth), 1e-6),
            }
            for name, colours in self.colours.items()
            if name != "truth"
        }

    def error(self):
        """Return the mean change of a colour, of 1, that the rounding of the weights causes."""
        return max(
            colour_error(self.made(name), self.made(name, exact=True)) for name in self.originals
        )

    def plain(self):
        weight = self.weights[self.weight]
        rows = [[m["error"], m["colourful"]] for m in self.measures.values()]
        return (
            f"<p>{self.photographs['names'][self.chosen]}, coloured by two networks.</p>"
            f"{table('error and colourfulness, L1 alone', rows[0])}"
            f"{table(f'and with λ = {weight:g}', rows[1])}"
        )


def both_forms(network, bits):
    """Return the steps of a generator as it is, and with the weights of the page."""
    if isinstance(network, dict):
        steps = from_page(network)
        return steps, steps
    exact = steps_of(network)
    return exact, rounded(exact, bits)


def _judge(discriminator):
    """Return a discriminator as the page needs it, and as it computes there."""
    body = discriminator.body
    for layer in body if isinstance(body, Sequential) else [body]:
        if not isinstance(layer, (Conv2d, LeakyReLU)):
            raise ValueError(f"discriminator may be made of Conv2d and LeakyReLU; got {layer!r}")
    shape = body.forward(np.zeros((1, 6, *HALF), np.float32)).shape[2:]
    return prepared("discriminator", body, (6, *HALF), (1, *shape), BITS_OF_JUDGE)


def as_photographs(pictures):
    """Return photographs as bytes (n, 3, 32, 32), after checking them."""
    array = np.asarray(to_numpy(pictures))
    most = 1 if array.dtype.kind == "f" else 255
    fits = array.ndim == 4 and array.shape[1:] == (3, *PIXELS) and array.dtype.kind in "iuf"
    fits = fits and 1 <= len(array) <= MOST_PHOTOGRAPHS
    if not fits or not ((array >= 0) & (array <= most)).all():
        raise ValueError(
            f"photographs must be 1 to {MOST_PHOTOGRAPHS} of shape (3, {SIZE}, {SIZE}), whole "
            "numbers from 0 to 255 or floats from 0 to 1, got an array of shape "
            f"{array.shape}, dtype {array.dtype}"
        )
    return np.rint(array * (255 / most)).astype(np.uint8)


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
