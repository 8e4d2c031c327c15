"""The random numbers of the figures, in Python: from the same seed the same as on the page."""

import math

import numpy as np


class SeededRandom:
    """Random numbers as kit/random.js draws them (Tommy Ettinger's mulberry32).

    It has the two functions of a numpy.random.Generator that the clouds of
    `convbook.datasets.plane` need.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self._state = seed % 2**32

    def _next(self):
        self._state = (self._state + 0x6D2B79F5) % 2**32
        t = self._state
        t = (t ^ (t >> 15)) * (t | 1) % 2**32
        t ^= (t + (t ^ (t >> 7)) * (t | 61)) % 2**32
        return (t ^ (t >> 14)) / 2**32

    def random(self, n):
        """Return n numbers from 0 to 1."""
        return np.array([self._next() for _ in range(n)])

    def standard_normal(self, shape):
        """Return normal numbers of variance 1, two from two uniform ones (Box and Muller)."""
        count = math.prod(np.atleast_1d(shape))
        values = []
        while len(values) < count:
            radius = math.sqrt(-2 * math.log(1 - self._next()))
            angle = 2 * math.pi * self._next()
            values += [radius * math.cos(angle), radius * math.sin(angle)]
        return np.array(values[:count]).reshape(shape)
