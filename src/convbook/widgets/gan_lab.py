"""GanLab: a generator and a discriminator in the plane, which train on the page."""

import numpy as np
import traitlets

from convbook.datasets.plane import CLOUDS
from convbook.losses import probability
from convbook.models.gan import plane_discriminator, plane_generator
from convbook.optimizers import Adam
from convbook.training.adversarial import adversarial_step, value

from .base import BookWidget, Numbers, Whole, table
from .seeded import SeededRandom

# The same numbers stand in gan/game.js and gan/clouds.js.
HIDDEN, BATCH, PROBE, PROBE_SEED, BETAS, OWN_SPREAD = 32, 64, 500, 4711, (0.5, 0.999), 0.06
MOST_POINTS, REACH = 400, 3
LEAST_RATE, MOST_RATE = 1e-5, 1.0
NAMES = {
    "banana": "a banana",
    "ring": "a ring of eight",
    "clouds": "two clouds",
    "spiral": "a spiral",
    "own": "your own drawing",
}


class Rate(traitlets.Float):
    """A trait that holds a learning rate."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not LEAST_RATE <= value <= MOST_RATE:
            raise traitlets.TraitError(
                f"{self.name} must be from {LEAST_RATE:g} to {MOST_RATE:g}; got {value!r}."
            )
        return value


class GanLab(BookWidget, module="gan_lab.js"):
    """Watch two networks learn from each other: what is made, how it is judged, and what V says.

    The page trains: a generator from noise (2 numbers) to points of the plane, and a discriminator,
    each with two hidden layers of 32 numbers, by Adam with betas (0.5, 0.999) and 64 points a step.

    Parameters
    ----------
    cloud : {"banana", "ring", "clouds", "spiral", "own"}
        Where the real points come from; see `convbook.datasets.plane`.
    points : array_like (n, 2)
        What the reader has drawn, at most 400 points from -3 to 3, for the cloud "own".
    d_rate, g_rate : float
        The learning rates, from 1e-5 to 1.
    d_steps, g_steps : int
        How many steps either network makes in a turn, from 1 to 10.
    saturating : bool
        Whether the generator minimises log(1 - D(G(z))) in place of -log D(G(z)).
    cooling : bool
        Whether the learning rates fall: after turn t they are 1 / (1 + t / 500) of what was set.
    arrows : bool
        Whether the gradients of the generated points are shown.
    seed : int
        Draws the weights, the noise and the real points, from 0 to 9999.
    turns : int
        How many turns are made before the figure appears, at most 3000.

    Examples
    --------
    >>> w = GanLab(cloud="ring", turns=5)
    >>> sorted(w.output)
    ['D(G(z))', 'D(x)', 'V']
    """

    cloud = traitlets.Enum(list(NAMES), "banana").tag(sync=True)
    points = Numbers([[0, 0]], ndim=2, largest=(MOST_POINTS, 2)).tag(sync=True)
    d_rate = Rate(0.002).tag(sync=True)
    g_rate = Rate(0.002).tag(sync=True)
    d_steps = Whole(1, 1, 10).tag(sync=True)
    g_steps = Whole(1, 1, 10).tag(sync=True)
    saturating = traitlets.Bool(False).tag(sync=True)
    cooling = traitlets.Bool(False).tag(sync=True)
    arrows = traitlets.Bool(True).tag(sync=True)
    seed = Whole(0, 0, 9999).tag(sync=True)
    turns = Whole(0, 0, 3000).tag(sync=True)

    @traitlets.validate("points")
    def _in_the_plane(self, proposal):
        points = np.asarray(proposal["value"])
        if points.shape[1] != 2 or abs(points).max() > REACH:
            raise traitlets.TraitError(
                f"points must be pairs of numbers from {-REACH} to {REACH}, got shape "
                f"{points.shape}, numbers from {points.min()} to {points.max()}."
            )
        return proposal["value"]

    def draw(self, n, rng):
        """Return n real points (n, 2), as float32."""
        if self.cloud != "own":
            return CLOUDS[self.cloud](n, rng)
        points = np.asarray(self.points, float)
        chosen = points[np.floor(len(points) * rng.random(n)).astype(int)]
        off = np.stack([rng.standard_normal(n), rng.standard_normal(n)], axis=1)
        return (chosen + OWN_SPREAD * off).astype(np.float32)

    def train(self):
        """Make `turns` turns with the package's layers, as the page does with its own.

        Returns
        -------
        generator, discriminator : Sequential
            In float64.
        losses : list of pairs
            The discriminator's loss and the generator's, of each turn.
        """
        rng, networks = SeededRandom(self.seed), []
        for make in (plane_generator, plane_discriminator):
            network = make(hidden=HIDDEN, rng=0).astype(np.float64)
            for name, param in network.params.items():
                if name.endswith("w"):
                    spread = (2 / param.shape[1]) ** 0.5
                    param[...] = spread * rng.standard_normal(param.shape)
            networks.append(network)
        generator, discriminator = networks
        of_g, of_d = Adam(generator, self.g_rate, BETAS), Adam(discriminator, self.d_rate, BETAS)
        step = adversarial_step(
            generator,
            discriminator,
            (of_g, of_d),
            noise=lambda n: rng.standard_normal((n, 2)),
            d_steps=self.d_steps,
            g_steps=self.g_steps,
            saturating=self.saturating,
        )
        losses = []
        for t in range(self.turns):
            if self.cooling:
                of_g.lr, of_d.lr = self.g_rate / (1 + t / 500), self.d_rate / (1 + t / 500)
            found = step(self.draw(BATCH * self.d_steps, rng).astype(np.float64))
            losses.append((found["D loss"], found["G loss"]))
        return generator, discriminator, losses

    @property
    def output(self):
        """dict : V, D(x) and D(G(z)) after `turns` turns, on 500 points, always the same."""
        generator, discriminator, _ = self.train()
        rng = SeededRandom(PROBE_SEED)
        real = self.draw(PROBE, rng).astype(np.float64)
        fake = generator(rng.standard_normal((PROBE, 2)))
        return {
            "V": value(discriminator, real, fake),
            "D(x)": float(probability(discriminator(real)).mean()),
            "D(G(z))": float(probability(discriminator(fake)).mean()),
        }

    def plain(self):
        found = self.output
        row = np.array([self.turns, *found.values()])
        return (
            f"{table('Turns, V, D(x), D(G(z))', row)}"
            f"<p>Real points from {NAMES[self.cloud]}; learning rates {self.d_rate:g} "
            f"(discriminator) and {self.g_rate:g} (generator); {self.d_steps} and {self.g_steps} "
            "steps in a turn. On the live page both networks train here; balance is at "
            "V = −2 log 2 = −1.386.</p>"
        )
