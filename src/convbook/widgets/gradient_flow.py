"""GradientFlowExplorer: how large signal and gradient are along the layers of a random network."""

import math

import numpy as np
import traitlets

from convbook.layers import BatchNorm2d, Conv2d, GlobalAvgPool2d, Linear, ReLU, Residual, Sequential
from convbook.training.flow import signal_flow

from .base import BookWidget, Real, Whole

# As in flow/network.js.
IMAGES, CHANNELS, SIZE, CLASSES = 8, 6, 6, 4
KINDS = ("plain", "residual")
MOST_LAYERS, MOST_SEEDS = 60, 999


class GradientFlowExplorer(BookWidget, module="gradient_flow.js"):
    """See how large signal and gradient are at each layer of a network, before it has learned.

    The network has a convolution of 3×3, blocks of two, each with ReLU, the average of every
    channel and a linear layer; plain, and residual with the same weights. It has 6 channels of 6×6
    numbers, and is given 8 pictures of random numbers with random labels.

    Parameters
    ----------
    depth : int
        How many layers have weights: an even number from 4 to 60.
    show : {"both", "plain", "residual"}
        Which of the networks.
    norm : bool
        Whether batch normalisation stands behind each convolution.
    scale : float
        How many times He's initial filters the filters are, from 0.25 to 4.
    seed : int
        Draws pictures, labels and weights, 0 to 999.
    layer : int
        The convolution whose numbers are written out, from 0.

    Examples
    --------
    >>> w = GradientFlowExplorer(depth=20, norm=False, scale=0.5)
    >>> small, large = w.sizes("plain")[-1]["signal"], w.sizes("plain")[0]["signal"]
    >>> bool(small < large / 2**10)  # half at each layer
    True
    """

    depth = Whole(38, 4, MOST_LAYERS).tag(sync=True)
    show = traitlets.Enum(["both", *KINDS], "both").tag(sync=True)
    norm = traitlets.Bool(True).tag(sync=True)
    scale = Real(1, 0.25, 4).tag(sync=True)
    seed = Whole(0, 0, MOST_SEEDS).tag(sync=True)
    layer = Whole(0, 0, MOST_LAYERS - 2).tag(sync=True)

    @traitlets.validate("depth")
    def _even(self, proposal):
        if proposal["value"] % 2:
            raise traitlets.TraitError(
                f"depth must be even, two layers for each block; got {proposal['value']}."
            )
        return proposal["value"]

    def network(self, kind):
        """Return the network, a Sequential in float64, with its pictures and their labels."""
        random = seeded_random(self.seed)

        def normal(*shape):
            return np.array([normal_number(random) for _ in range(math.prod(shape))]).reshape(shape)

        x = normal(IMAGES, CHANNELS, SIZE, SIZE)
        labels = np.array([int(CLASSES * next(random)) for _ in range(IMAGES)])
        head = Linear(CHANNELS, CLASSES, bias=False, dtype=np.float64)
        head.params["w"][...] = normal(CLASSES, CHANNELS) * (2 / CHANNELS) ** 0.5

        def layers():
            convolution = Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False, dtype=np.float64)
            he = (2 / (CHANNELS * 9)) ** 0.5
            convolution.params["f"][...] = self.scale * he * normal(CHANNELS, CHANNELS, 3, 3)
            return (
                [convolution, BatchNorm2d(CHANNELS, dtype=np.float64)]
                if self.norm
                else [convolution]
            )

        made = [*layers(), ReLU()]
        for _ in range((self.depth - 2) // 2):
            body = [*layers(), ReLU(), *layers()]
            made += [*([Residual(Sequential(*body))] if kind == "residual" else body), ReLU()]
        return Sequential(*made, GlobalAvgPool2d(), head), x, labels

    def sizes(self, kind):
        """Return what the figure shows of a network.

        Parameters
        ----------
        kind : {"plain", "residual"}

        Returns
        -------
        list of dict
            For each convolution the root mean squares of its output ("signal"), of the loss's
            gradient by it ("gradient"), and of the gradient by its filters ("weights").
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
        return [
            {"signal": row.signal, "gradient": row.gradient, "weights": row.weights}
            for row in signal_flow(*self.network(kind))[:-1]
        ]

    def plain(self):
        kinds = KINDS if self.show == "both" else (self.show,)
        sizes = {kind: self.sizes(kind) for kind in kinds}
        head = "".join(
            f"<th>{kind}: {name}</th>"
            for kind in kinds
            for name in ("signal", "its gradient", "gradient of the filters")
        )
        last = self.depth - 2
        rows = "".join(
            f"<tr><th>{i + 1}</th>"
            + "".join(f"<td>{v:.1e}</td>" for kind in kinds for v in sizes[kind][i].values())
            + "</tr>"
            for i in sorted({round(k * last / 6) for k in range(7)})
        )
        norm = "with" if self.norm else "without"
        return (
            f"<div>Root mean squares along a random network of {self.depth} layers, {norm} batch "
            f"normalisation, initial filters {self.scale:g} times He's<table><thead><tr>"
            f"<th>layer</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def seeded_random(seed):
    """Yield numbers from 0 to 1: mulberry32, as in kit/random.js."""
    state, mask = seed & 0xFFFFFFFF, 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (state | 1)) & mask
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & mask)) & mask
        yield ((t ^ (t >> 14)) & mask) / 2**32


def normal_number(random):
    """Return a normal number from two uniform ones (Box and Muller)."""
    radius = math.sqrt(-2 * math.log(1 - next(random)))
    return radius * math.cos(2 * math.pi * next(random))
