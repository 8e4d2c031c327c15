"""How strange an image is to an autoencoder: what it cannot restore, it has not seen."""

from ..arrays import get_array_module
from .use import predict


def restoration_errors(model, x, relative=False):
    """Return how far each image is from what the model restores of it.

    Parameters
    ----------
    model : Layer
        Gives images of the shape of x.
    x : array (N, ...)
    relative : bool
        Divide by the image's `ink`, so that a digit of few strokes is not easy by itself.

    Returns
    -------
    array (N,)
        The mean squared errors.
    """
    errors = _means_of_squares(predict(model, x) - x)
    return errors / ink(x) if relative else errors


def ink(x):
    """Return the mean squared pixel of each image (N, ...): the error of an empty answer."""
    xp = get_array_module(x)
    return xp.maximum(_means_of_squares(x), 1e-12)  # an empty image has none to divide by


def _means_of_squares(x):
    x = x.reshape(len(x), -1)
    return (x * x).mean(axis=1)
