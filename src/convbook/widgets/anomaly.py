"""AnomalyExplorer: a threshold between what a network knows and what it has never seen."""

import numpy as np
import traitlets

from convbook import checks
from convbook.training.metrics import auroc

from .base import BookWidget, Whole, table
from .packed import packed, unpacked

MOST_IMAGES = 2000


class AnomalyExplorer(BookWidget, module="anomaly.js"):
    """Leave a class out in training, and set the threshold above which an image is strange.

    Parameters
    ----------
    errors : array_like (K, N)
        Row k: the errors of N images, as restored by a network that was trained without class k.
    ink : array_like (N,)
        What errors may be divided by; above zero.
    labels : array_like (N,) of ints from 0 to K - 1
        The classes of the images; at least one image of each, and K from 2 to 10.
    digit : int
        The class that was left out.
    relative : bool
        Whether errors are divided by the ink.
    limit : float, optional
        The threshold; if not given, 5 % of the known images lie above it.

    Raises
    ------
    TypeError, ValueError
        If the arrays don't fit each other.

    Examples
    --------
    >>> w = AnomalyExplorer([[0.4, 0.1, 0.3], [0.2, 0.9, 0.1]], [1, 1, 1], [0, 1, 1], limit=0.2)
    >>> w.found, w.false_alarms
    (1.0, 0.5)
    """

    data = traitlets.Dict().tag(sync=True)
    digit = Whole(0, 0, 9).tag(sync=True)
    relative = traitlets.Bool(False).tag(sync=True)
    limit = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, errors, ink, labels, **kwargs):
        _, errors, ink, labels = checks.numeric_arrays(errors=errors, ink=ink, labels=labels)
        checks.axes("errors", errors, "KN")
        k, n = errors.shape
        checks.shape("ink", ink, (n,))
        checks.shape("labels", labels, (n,))
        if n > MOST_IMAGES or not 2 <= k <= 10:
            raise ValueError(
                f"errors must be of 2 to 10 networks and up to {MOST_IMAGES} images, got shape "
                f"{errors.shape}"
            )
        if not np.isfinite(errors).all() or errors.min() < 0 or not (ink > 0).all():
            raise ValueError("errors must be finite and not below 0, and ink must be above 0")
        checks.class_numbers("labels", labels, k)
        if len(np.unique(labels)) < k:
            raise ValueError(f"labels must name each of the {k} classes at least once")
        self._count = k
        data = {
            "errors": packed(errors.astype(float)),
            "ink": packed(ink.astype(float)),
            "labels": labels.tolist(),
        }
        self._errors, self._ink = unpacked(data["errors"]), unpacked(data["ink"])
        self._labels = labels
        super().__init__(data=data, **kwargs)
        if "limit" not in kwargs:
            known = self.scores[~self.strange]
            self.limit = float(np.round(np.quantile(known, 0.95), 4))

    @traitlets.validate("digit")
    def _one_of_the_networks(self, proposal):
        if proposal["value"] >= self._count:
            raise traitlets.TraitError(
                f"digit must be from 0 to {self._count - 1}; got {proposal['value']}."
            )
        return proposal["value"]

    @property
    def scores(self):
        """ndarray (N,) : the errors that are shown, divided by the ink or not."""
        errors = self._errors[self.digit]
        return errors / self._ink if self.relative else errors

    @property
    def strange(self):
        """ndarray (N,) of bool : which images are of the class that was left out."""
        return self._labels == self.digit

    @property
    def found(self):
        """float : the share of the strange images above the threshold."""
        return float((self.scores[self.strange] > self.limit).mean())

    @property
    def false_alarms(self):
        """float : the share of the known images above the threshold."""
        return float((self.scores[~self.strange] > self.limit).mean())

    @property
    def area(self):
        """float : the area under the ROC curve, whatever the threshold."""
        return auroc(self.scores, self.strange)

    def plain(self):
        rows = []
        for digit in range(self._count):
            errors, strange = self._errors[digit], self._labels == digit
            rows.append([digit, auroc(errors, strange), auroc(errors / self._ink, strange)])
        names = "Digit left out, AUROC of the error, of error ÷ ink"
        return (
            f"{table(names, np.round(rows, 3))}<p>Digit {self.digit} was left out: with a "
            f"threshold of {self.limit:.4g}, {100 * self.found:.0f} % of its images are found, and "
            f"{100 * self.false_alarms:.0f} % of all others are false alarms.</p>"
        )
