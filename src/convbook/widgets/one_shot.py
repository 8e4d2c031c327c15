"""OneShotExplorer: one reference per class; the nearest one wins, in pixels and in features."""

import base64
import html

import numpy as np
import traitlets

from convbook import checks

from .base import BookWidget, Whole, table
from .training_explorer import class_names

MOST_IMAGES, MOST_CLASSES = 40, 5


class OneShotExplorer(BookWidget, module="one_shot.js"):
    """Choose one reference image for each class; the nearest reference names all other images.

    Distances are shown side by side in the space of the pixels and in that of the features, which
    some network has calculated. They are Euclidean; of equal ones the first class wins. Pixels
    travel in the page as bytes, features as float32.

    Parameters
    ----------
    images : array_like (n, 1, H, W)
        Up to 40 images with numbers from 0 to 1.
    labels : array_like (n,) of ints
        Their classes, of which there are 2 to 5; each class has at least two images.
    features : array_like (n, M)
        What a network makes of the images.
    references : sequence of int, optional
        The position of one image of each class, in the order of the classes. Default: the first
        of each class.
    query : int, optional
        The position of the image that is asked for. Default: the first that is no reference.
    classes : sequence of str, optional
        The names of the classes. Default: their numbers.

    Raises
    ------
    TypeError, ValueError
        If the arrays don't fit each other.

    Examples
    --------
    >>> images = np.array([0.0, 0.1, 0.9, 1.0]).reshape(4, 1, 1, 1)
    >>> w = OneShotExplorer(images, [3, 3, 5, 5], features=[[0, 1], [0, 3], [4, 0], [4, 1]])
    >>> w.output
    array([[0.1, 0.8],
           [2. , 5. ]])
    >>> w.right.tolist()
    [2, 2]
    """

    data = traitlets.Dict().tag(sync=True)
    references = traitlets.List(trait=traitlets.Int()).tag(sync=True)
    query = Whole(0, 0, MOST_IMAGES - 1).tag(sync=True)

    def __init__(self, images, labels, features, references=None, query=None, classes=None):
        images, features = np.asarray(images, float), np.asarray(features, float)
        checks.axes("images", images, "nCHW")
        n = len(images)
        if n > MOST_IMAGES or images.shape[1] != 1 or images.min() < 0 or images.max() > 1:
            raise ValueError(
                f"images must be up to {MOST_IMAGES} images of one channel with numbers from 0 to "
                f"1, got shape {images.shape}, numbers from {images.min()} to {images.max()}"
            )
        checks.axes("features", features, "nM")
        checks.shape("features", features, (n, features.shape[1]))
        if not np.isfinite(features).all():
            raise ValueError("features must hold finite numbers, got NaN or infinity")
        labels = np.asarray(labels)
        checks.shape("labels", labels, (n,))
        known, members = np.unique(labels, return_inverse=True)
        counts = np.bincount(members)
        if not 2 <= len(known) <= MOST_CLASSES or counts.min() < 2:
            raise ValueError(
                f"labels must be of 2 to {MOST_CLASSES} classes with at least 2 images each, got "
                f"{dict(zip(known.tolist(), counts.tolist(), strict=True))}"
            )
        self._spaces = images.reshape(n, -1), features
        self._members = members
        if references is None:
            references = [int(np.flatnonzero(members == k)[0]) for k in range(len(known))]
        if query is None:
            query = next(i for i in range(n) if i not in references)
        super().__init__(
            data={
                "classes": class_names(known if classes is None else classes, len(known)),
                "members": members.tolist(),
                "size": list(images.shape[2:]),
                "pixels": _base64(np.rint(255 * images).astype("u1")),
                "features": _base64(features.astype("<f4")),
            },
            references=[int(i) for i in references],
            query=query,
        )

    @traitlets.validate("references")
    def _one_of_each_class(self, proposal):
        value = proposal["value"]
        wanted = list(range(self._members.max() + 1))
        if not all(0 <= i < len(self._members) for i in value) or (
            [int(self._members[i]) for i in value] != wanted
        ):
            raise traitlets.TraitError(
                f"references must be the positions of {len(wanted)} images, one of each class in "
                f"order; got {value}."
            )
        return value

    @traitlets.validate("query")
    def _one_of_the_images(self, proposal):
        n = len(self._members)
        if proposal["value"] >= n:
            raise traitlets.TraitError(f"query must be from 0 to {n - 1}; got {proposal['value']}.")
        return proposal["value"]

    def _distances(self):
        """Return the distance of every image from every reference, (2, n, K)."""
        return np.stack([
            np.sqrt(((space[:, None] - space[self.references]) ** 2).sum(axis=2))
            for space in self._spaces
        ])  # fmt: skip

    @property
    def output(self):
        """ndarray (2, K) : distances of the query from the references, in pixels and features."""
        return self._distances()[:, self.query]

    @property
    def right(self):
        """ndarray (2,) of int : how many of the other images are named rightly, in either space."""
        others = np.setdiff1d(np.arange(len(self._members)), self.references)
        return (self._distances().argmin(axis=2) == self._members)[:, others].sum(axis=1)

    def plain(self):
        names = [html.escape(name) for name in self.data["classes"]]
        truth = names[self._members[self.query]]
        others = len(self._members) - len(self.references)
        parts = [table(f"Distances in {space} from {', '.join(names)}", row)
                 + f"<p>The nearest is {names[row.argmin()]}; the image is a {truth}. Of {others} "
                 f"images, {right} are named rightly.</p>"
                 for space, row, right in zip(("pixels", "features"), self.output, self.right,
                                              strict=True)]  # fmt: skip
        return "".join(parts)


def _base64(array):
    """Return the bytes of an array as text."""
    return base64.b64encode(array.tobytes()).decode()
