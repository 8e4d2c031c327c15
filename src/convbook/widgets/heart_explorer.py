"""HeartExplorer: a heart beats, and a U-Net in the page marks its cavity and its muscle."""

import numpy as np
import traitlets

from convbook.functional import softmax
from convbook.images import affine, phantom
from convbook.models.unet import standardised
from convbook.training.metrics import dice

from .augmentation import Within
from .base import BookWidget, Whole, table
from .heart_film import PHASES, SIZE, SLICES, draw_film, normal_numbers
from .packed import packed, unpacked
from .stored_unet import checked_bits, for_page, rounded, run, steps_of

CLASSES = ("background", "cavity", "muscle")
WAYS = ("with", "without")
GREYS = 47  # steps from black to white in which the film travels


class HeartExplorer(BookWidget, module="heart_explorer.js"):
    """Let a drawn heart beat, spoil its pictures, and watch what a U-Net finds in them.

    The page computes the network itself. For that its weights travel in the page as whole numbers
    of `bits` bits, with one step size for each output channel, and batch normalisation is folded
    into them. `error` tells what the rounding costs.

    Parameters
    ----------
    model : convbook.layers.Sequential
        A trained `convbook.models.unet.unet`, from pictures (N, 1, 64, 64), each standardised, to
        scores (N, 3, 64, 64) of background, cavity and muscle. It is left as it is.
    without : convbook.layers.Sequential, optional
        Another one, that was trained without skips.
    patient : int or convbook.images.phantom.Patient
        Whose heart beats; a number draws somebody.
    bits : int
        From 2 to 8.
    phase : int
        Which of the twelve pictures of the beat is shown; 0 is end-diastole.
    slice : int
        Which of the four slices, 0 at the base.
    shown : {"cavity", "muscle"}
        What is marked.
    threshold : float
        From which probability on a pixel counts as it, 0.01 to 0.99.
    veil : bool
        Whether the probability is laid over the picture.
    skips : bool
        Which of the two networks marks.
    noise : float
        Its standard deviation, where black is 0 and white 1; at most 0.5.
    contrast : float
        A factor for the distance from the middle grey, from 0.1 to 3; what becomes lighter than
        white or darker than black is cut off.
    rotate : float
        Degrees counterclockwise.
    seed : int
        Which noise.

    Attributes
    ----------
    networks : dict
        "with" and "without" (if given): the steps of the networks with the weights of the page.

    Raises
    ------
    TypeError, ValueError
        If a model has other layers or other shapes.
    """

    film = traitlets.Dict(read_only=True).tag(sync=True)
    unets = traitlets.Dict(read_only=True).tag(sync=True)
    phase = Whole(0, 0, PHASES - 1).tag(sync=True)
    slice = Whole(1, 0, SLICES - 1).tag(sync=True)
    shown = traitlets.Enum(list(CLASSES[1:]), "cavity").tag(sync=True)
    threshold = Within(0.5, 0.01, 0.99).tag(sync=True)
    veil = traitlets.Bool(True).tag(sync=True)
    skips = traitlets.Bool(True).tag(sync=True)
    noise = Within(0.03, 0, 0.5).tag(sync=True)
    contrast = Within(1.0, 0.1, 3).tag(sync=True)
    rotate = Within(0.0, -180, 180).tag(sync=True)
    seed = Whole(1, 1, 9999).tag(sync=True)

    def __init__(self, model, without=None, patient=0, bits=6, **kwargs):
        bits = checked_bits(bits)
        models = {"with": model} | ({} if without is None else {"without": without})
        self.originals = {way: steps_of(network) for way, network in models.items()}
        self.networks = {way: rounded(steps, bits) for way, steps in self.originals.items()}
        for way, steps in self.networks.items():
            scores = run(steps, np.zeros((1, 1, SIZE, SIZE), np.float32))
            if scores.shape != (1, len(CLASSES), SIZE, SIZE):
                name = "model" if way == "with" else way
                raise ValueError(
                    f"{name} must turn x of shape (N, 1, {SIZE}, {SIZE}) into scores of shape "
                    f"(N, {len(CLASSES)}, {SIZE}, {SIZE}), got {('N', *scores.shape[1:])}"
                )
        person = patient if isinstance(patient, phantom.Patient) else phantom.patient(patient)
        pictures, classes, distance = draw_film(person)
        self.set_trait(
            "film",
            {
                "pictures": [packed(film, GREYS) for film in pictures],
                "classes": [packed(film, 2) for film in classes],
                # Millilitres that a pixel stands for, from slice to slice.
                "millilitres": distance * (phantom.SPACING * phantom.GRID / SIZE) ** 2 / 1000,
            },
        )
        self.set_trait("unets", {way: for_page(steps) for way, steps in self.networks.items()})
        if without is None and not kwargs.get("skips", True):
            raise ValueError("skips can be False only if a network without them is given")
        super().__init__(**kwargs)

    # --- What the figure shows ---

    @property
    def pictures(self):
        """ndarray (4, 12, 64, 64), float32 : slices and phases, as they are spoiled."""
        clean = np.stack([unpacked(film) for film in self.film["pictures"]])
        flat = clean.reshape(-1, 1, SIZE, SIZE).astype(np.float32)
        turned = affine.transform(flat, affine.rotation(self.rotate), "edge")
        stretched = np.clip(0.5 + self.contrast * (turned - 0.5), 0, 1)
        if self.noise:
            real, imaginary = np.moveaxis(
                normal_numbers(self.seed, 2 * stretched.size).reshape(*stretched.shape, 2), -1, 0
            )
            stretched = np.hypot(stretched + self.noise * real, self.noise * imaginary)
        return stretched.reshape(SLICES, PHASES, SIZE, SIZE).astype(np.float32)

    @property
    def truth(self):
        """ndarray (4, 12, 64, 64), bool : where the cavity, or the muscle, really is."""
        classes = np.rint(np.stack([unpacked(film) for film in self.film["classes"]]))
        masks = classes.reshape(-1, 1, SIZE, SIZE) == CLASSES.index(self.shown)
        turned = affine.transform(masks.astype(np.float32), affine.rotation(self.rotate), "edge")
        return (turned >= 0.5).reshape(SLICES, PHASES, SIZE, SIZE)

    @property
    def probabilities(self):
        """ndarray (4, 12, 64, 64), float32 : of the cavity, or the muscle, in each pixel."""
        return self._probabilities(self.networks[WAYS[not self.skips]])

    def _probabilities(self, steps):
        scores = run(steps, standardised(self.pictures.reshape(-1, 1, SIZE, SIZE)))
        rows = softmax(scores.transpose(0, 2, 3, 1).reshape(-1, len(CLASSES)))
        chosen = rows[:, CLASSES.index(self.shown)]
        return chosen.reshape(SLICES, PHASES, SIZE, SIZE)

    @property
    def found(self):
        """ndarray (4, 12, 64, 64), bool : where the probability reaches the threshold."""
        return self.probabilities >= self.threshold

    @property
    def dice(self):
        """ndarray (4, 12) : how well both areas agree in each picture."""
        return self._dice(self.found)

    def _dice(self, found):
        found, truth = (m.reshape(-1, SIZE, SIZE) for m in (found, self.truth))
        return dice(found, truth).reshape(SLICES, PHASES)

    @property
    def volumes(self):
        """ndarray (2, 12) : the true and the found volume at each phase, in millilitres."""
        return self._volumes(self.found)

    def _volumes(self, found):
        areas = [m.sum(axis=(0, 2, 3)) for m in (self.truth, found)]
        return self.film["millilitres"] * np.array(areas)

    def error(self):
        """Return the largest change of any probability that the rounding of the weights causes."""
        way = WAYS[not self.skips]
        exact, coarse = (
            self._probabilities(steps[way]) for steps in (self.originals, self.networks)
        )
        return float(np.abs(exact - coarse).max())

    def plain(self):
        found = self.found  # the network runs once
        volumes = self._volumes(found)
        return (
            f"{table(f'Volume of the {self.shown} over a beat, in millilitres: truth', volumes[0])}"
            f"{table('and as the network finds it', volumes[1])}"
            f"<p>Dice of the picture shown: {self._dice(found)[self.slice, self.phase]:.3f}</p>"
        )
