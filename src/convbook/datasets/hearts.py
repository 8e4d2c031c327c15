"""What pictures of hearts are handed out as: slices with masks, each belonging to a patient."""

from dataclasses import dataclass

import numpy as np

from .. import checks

UNKNOWN = 255  # the label of a pixel that nobody has looked at


@dataclass(frozen=True, eq=False, repr=False)
class HeartSet:
    """Slices through hearts, with what doctors (or the drawing hand) say is where.

    Attributes
    ----------
    x : ndarray (N, 1, H, W), float32 from 0 to 1
        The pictures.
    cavity : ndarray (N, 1, H, W), uint8
        1 where the blood of the left ventricle is, 0 elsewhere: the inside of the inner contour.
    muscle : ndarray (N, 1, H, W), uint8
        1 in the ring between inner and outer contour; all 0 where no outer contour was drawn.
    outlined : ndarray (N,), bool
        Whether an outer contour was drawn.
    patient : ndarray (N,), int
        Whose heart it is, an index into `names`.
    slice : ndarray (N,), int
        Which slice of the heart, counted along its long axis.
    frame : ndarray (N,), int
        Which picture of the beat.
    diastole : ndarray (N,), bool
        True at end-diastole, where the heart is widest; False at end-systole.
    names : tuple of str
    """

    x: np.ndarray
    cavity: np.ndarray
    muscle: np.ndarray
    outlined: np.ndarray
    patient: np.ndarray
    slice: np.ndarray
    frame: np.ndarray
    diastole: np.ndarray
    names: tuple

    def __len__(self):
        return len(self.x)

    def __repr__(self):
        height, width = self.x.shape[2:]
        return (
            f"HeartSet({len(self)} pictures of {height}×{width}, {len(self.patients)} "
            f"patient{'s'[: len(self.patients) != 1]})"
        )

    @property
    def patients(self):
        """ndarray of int : the patients that there are pictures of."""
        return np.unique(self.patient)

    @property
    def classes(self):
        """ndarray (N, H, W), uint8 : 0 background, 1 cavity, 2 muscle.

        Where no outer contour was drawn, what is not cavity is 255, unknown:
        ``SoftmaxCrossEntropy(ignore_index=255)`` leaves it out.
        """
        labels = (self.cavity + 2 * self.muscle)[:, 0]
        unknown = ~self.outlined[:, None, None] & (labels != 1)
        return np.where(unknown, np.uint8(UNKNOWN), labels)

    def take(self, chosen):
        """Return the chosen pictures only.

        Parameters
        ----------
        chosen : array_like
            Indices, or N booleans.
        """
        arrays = {name: value[chosen] for name, value in vars(self).items() if name != "names"}
        return HeartSet(**arrays, names=self.names)

    def of(self, patients):
        """Return the pictures of these patients.

        Parameters
        ----------
        patients : sequence of int
            Indices into `names`.
        """
        return self.take(np.isin(self.patient, patients))

    def split(self, test, rng=0):
        """Return two sets, to learn from and to test with, that have no patient in common.

        Pictures of one heart are alike. If some were learnt, the others would be no test.

        Parameters
        ----------
        test : int
            How many patients are kept for the test; at least 1, and fewer than there are.
        rng : int or numpy.random.Generator
            Draws them.

        Returns
        -------
        train, test : HeartSet
        """
        patients = self.patients
        test = checks.integer("test", test, least=1)
        if test >= len(patients):
            raise ValueError(
                f"test must be fewer than the {len(patients)} patients, so that some are left to "
                f"learn from, got {test}"
            )
        order = checks.generator("rng", rng).permutation(patients)
        return self.of(order[test:]), self.of(order[:test])

    def areas(self, masks=None):
        """Return how many pixels of each picture belong to the cavity, (N,).

        Parameters
        ----------
        masks : array (N, 1, H, W) or (N, H, W), optional
            What was found, in place of the truth: 1 or True inside.
        """
        if masks is None:
            masks = self.cavity
        masks = np.asarray(masks)
        if masks.shape not in (self.cavity.shape, self.cavity[:, 0].shape):
            raise ValueError(
                f"masks must have shape {self.cavity.shape}, one for each picture, got "
                f"{masks.shape}"
            )
        if masks.dtype.kind not in "biu" or (masks > 1).any() or (masks < 0).any():
            raise ValueError(
                "masks must be True or 1 inside and False or 0 outside, got "
                f"{masks.dtype} from {masks.min():g} to {masks.max():g}; probabilities become a "
                "mask by > 0.5"
            )
        return masks.reshape(len(self), -1).sum(axis=1, dtype=np.int64)

    def ejection_fractions(self, masks=None):
        """Return for each patient the share of its blood that the cavity pushes out in a beat.

        The volume is the area, summed over the slices, times their distance. Pixels' size and the
        slices' distance are the same at both moments and cancel out. A slice without a contour has
        no cavity in it (any more).

        Parameters
        ----------
        masks : array (N, 1, H, W) or (N, H, W), optional
            What was found, in place of the truth.

        Returns
        -------
        ndarray (number of patients,), float64
            In the order of `patients`. NaN where nothing was found at end-diastole, or where one
            of the two moments is missing.
        """
        areas, fractions = self.areas(masks), []
        for patient in self.patients:
            his = self.patient == patient
            wide, narrow = his & self.diastole, his & ~self.diastole
            complete = wide.any() and narrow.any() and areas[wide].sum() > 0
            fractions.append(1 - areas[narrow].sum() / areas[wide].sum() if complete else np.nan)
        return np.array(fractions)
