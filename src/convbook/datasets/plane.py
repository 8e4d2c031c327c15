"""Clouds of points in the plane: data that a page can show whole, and a network learns in seconds.

Each function returns n points (n, 2) in float32, drawn by `rng`: a numpy.random.Generator, or
whatever has its `standard_normal` and `random`.
"""

import numpy as np

RADIUS, MODES, SPREAD = 2.0, 8, 0.08  # of the ring


def banana(n, rng):
    """A bent cloud: x is normal, and y lies about a parabola over it."""
    x = rng.standard_normal(n)
    return _points(x, 0.5 * x * x - 0.8 + 0.25 * rng.standard_normal(n))


def ring(n, rng):
    """Eight small clouds on a circle, equally often: what a generator likes to leave out."""
    centres = ring_centres()[np.floor(MODES * rng.random(n)).astype(int)]
    return _points(*(centres + SPREAD * rng.standard_normal((2, n)).T).T)


def two_clouds(n, rng):
    """Two round clouds side by side."""
    side = np.where(rng.random(n) < 0.5, -1.5, 1.5)
    return _points(side + 0.35 * rng.standard_normal(n), 0.35 * rng.standard_normal(n))


def spiral(n, rng):
    """One and a half turns of a spiral."""
    along = np.sqrt(rng.random(n))
    angle = 3 * np.pi * along
    x, y = 2.3 * along * np.cos(angle), 2.3 * along * np.sin(angle)
    return _points(x + 0.08 * rng.standard_normal(n), y + 0.08 * rng.standard_normal(n))


def ring_centres():
    """Return the centres of the ring's eight clouds, (8, 2)."""
    angle = 2 * np.pi * np.arange(MODES) / MODES
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ring_modes(points, near=0.3, least=0.02):
    """Count the clouds of the ring that points have found.

    Parameters
    ----------
    points : array (n, 2)
    near : float
        How far from a centre a point still belongs to its cloud.
    least : float
        The share of all points that a cloud needs to count.

    Returns
    -------
    found : int
        Clouds, from 0 to 8.
    inside : float
        The share of the points that lie in some cloud.
    """
    distance = np.linalg.norm(points[:, None] - ring_centres(), axis=2)
    nearest = distance.argmin(axis=1)[distance.min(axis=1) < near]
    shares = np.bincount(nearest, minlength=MODES) / len(points)
    return int((shares >= least).sum()), float(len(nearest) / len(points))


CLOUDS = {"banana": banana, "ring": ring, "clouds": two_clouds, "spiral": spiral}


def _points(x, y):
    return np.stack([x, y], axis=1).astype(np.float32)
