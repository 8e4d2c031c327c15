"""The data sets as a learner calls them."""

import numpy as np

from .. import checks
from ..images import phantom
from . import files, originals, samples, sunnybrook
from .hearts import HeartSet
from .imageset import ImageSet, pixel_dtype, pixels

DIGITS = tuple("0123456789")
OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def mnist(full=False, folder=None, dtype=np.float32):
    """Handwritten digits, grey, 28 × 28 pixels, white (1) on black (0).

    Without arguments this is a sample that comes with the package and needs no network: 500
    training and 100 test digits of each class, the same ones always.

    Parameters
    ----------
    full : bool
        All 60,000 training and 10,000 test digits from the four original files, which are
        downloaded once (12 MB) and kept in the user's cache folder.
    folder : path or str, optional
        With `full=True`, a local folder that holds the original files (with or without .gz), or
        the address of a mirror of them. Without it, the environment variable CONVBOOK_DATA can
        name either. Files from a mirror must have the right checksum; of local ones the format is
        checked.
    dtype : dtype
        A floating-point dtype for pixels from 0 to 1, or uint8 for the bytes from 0 to 255.

    Returns
    -------
    ImageSet
        New arrays at each call: x_train (N, 1, 28, 28), y_train (N,), x_test, y_test.

    Raises
    ------
    TypeError
        If dtype is another.
    ValueError
        If a local file is broken, or `folder` is given without `full=True`.
    OSError
        If a file is not to be had; as its subclasses, FileNotFoundError if it is not in the
        folder, ConnectionError if there is no network.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document
    recognition. Proceedings of the IEEE 86(11), 2278–2324. The database is by Yann LeCun, Corinna
    Cortes and Christopher J. C. Burges, CC BY-SA 3.0.
    """
    dtype = _arguments(full, folder, dtype)
    if not full:
        return _image_set(samples.mnist_sample(), DIGITS, dtype)
    paths = {
        key: files.find(file, originals.MNIST_MIRRORS, folder)
        for key, file in originals.MNIST.items()
    }
    return _image_set(originals.read_mnist(paths), DIGITS, dtype)


def cifar10(full=False, folder=None, dtype=np.float32):
    """Photographs of ten kinds of animals and vehicles, red, green and blue, 32 × 32 pixels.

    Without arguments this is a sample that comes with the package and needs no network: 500
    training and 100 test photographs of each class, the same ones always. They are stored as JPEG
    (quality 90), so their pixels differ a little from the original's, 3 of 255 on average.

    Parameters
    ----------
    full : bool
        All 50,000 training and 10,000 test photographs, exact, from the original archive, which
        is downloaded once (170 MB) and kept in the user's cache folder.
    folder : path or str, optional
        With `full=True`, a local folder that holds the archive `cifar-10-binary.tar.gz` or the
        folder it unpacks to, or the address of a mirror of the archive. Without it, the
        environment variable CONVBOOK_DATA can name either. An archive from a mirror must have the
        right checksum; of a local one the format is checked.
    dtype : dtype
        A floating-point dtype for pixels from 0 to 1, or uint8 for the bytes from 0 to 255.

    Returns
    -------
    ImageSet
        New arrays at each call: x_train (N, 3, 32, 32), y_train (N,), x_test, y_test.

    Raises
    ------
    TypeError
        If dtype is another.
    ValueError
        If a local file is broken, or `folder` is given without `full=True`.
    OSError
        If the archive is not to be had; as its subclasses, FileNotFoundError if it is not in the
        folder, ConnectionError if there is no network.

    References
    ----------
    Krizhevsky (2009), Learning multiple layers of features from tiny images. Technical report,
    University of Toronto.
    """
    dtype = _arguments(full, folder, dtype)
    if not full:
        return _image_set(samples.cifar10_sample(), OBJECTS, dtype)
    path = files.find(originals.CIFAR10, originals.CIFAR10_MIRRORS, folder)
    return _image_set(originals.read_cifar10(path), OBJECTS, dtype)


def heart(folder=None, patients=60, slices=8, rng=0):
    """Slices through beating hearts, grey, 64 × 64 pixels, with masks of cavity and muscle.

    Without `folder` the hearts are **drawn**, by `convbook.images.phantom`; no patient is in them,
    and no network is needed. As in the real data, there is each slice at two moments of the beat,
    end-diastole and end-systole; unlike them, an outer contour at both.

    Parameters
    ----------
    folder : path or str, optional
        Where the Sunnybrook Cardiac Data are: the folder that holds SCD_ManualContours and
        SCD_IMAGES_01 to _05 as they were published (which needs pydicom), or an .npz file with the
        arrays x, endo, epi, patient, slice, frame, ed and names, or the folder of such a file.
        `convbook.datasets.sunnybrook` describes both.
    patients, slices : int
        How many hearts to draw, and how many slices of each, from base to apex.
    rng : int or numpy.random.Generator
        Draws them; the same ones with the same number.

    Returns
    -------
    HeartSet
        New arrays at each call. ``hearts.split(test=15)`` keeps patients apart.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that kind in the folder.
    ImportError
        If pydicom is needed and missing; the message says how to get it.
    TypeError, ValueError
        If a file is broken, which the message names, or another argument is wrong.

    References
    ----------
    Radau, Lu, Connelly, Paul, Dick and Wright (2009), Evaluation framework for algorithms
    segmenting short axis cardiac MRI. The MIDAS Journal. CC0 1.0.
    """
    if folder is not None:
        return sunnybrook.read(folder)
    patients = checks.integer("patients", patients, least=1)
    slices = checks.integer("slices", slices, least=1)
    rng = checks.generator("rng", rng)
    rows = []
    for who in range(patients):
        person = phantom.patient(rng)
        for place, height in enumerate(np.linspace(phantom.BASE, phantom.APEX, slices + 2)[1:-1]):
            for diastole in (True, False):
                phase = 0.0 if diastole else person.systole
                drawn = phantom.frame(person, phase, float(height), rng)
                rows.append((*drawn, who, place, round(20 * phase), diastole))
    x, cavity, muscle, who, place, frame, diastole = (np.array(column) for column in zip(*rows))
    return HeartSet(
        x=x[:, None],
        cavity=cavity[:, None].astype(np.uint8),
        muscle=muscle[:, None].astype(np.uint8),
        outlined=np.ones(len(x), bool),
        patient=who,
        slice=place,
        frame=frame,
        diastole=diastole,
        names=tuple(f"phantom {who + 1}" for who in range(patients)),
    )


def _arguments(full, folder, dtype):
    """Check the arguments that both have; return the dtype as NumPy's."""
    if not isinstance(full, bool):
        raise TypeError(f"full must be True or False, got {full!r}")
    if folder is not None and not full:
        raise ValueError(
            f"folder is where the original files are and needs full=True, "
            f"got folder={folder!r} and full=False"
        )
    return pixel_dtype(dtype)


def _image_set(raw, classes, dtype):
    x_train, y_train, x_test, y_test = raw
    return ImageSet(
        pixels(x_train, dtype),
        y_train.astype(np.intp),
        pixels(x_test, dtype),
        y_test.astype(np.intp),
        classes,
    )
