"""The film of a beating heart, as it travels in a page, and the noise that the page adds."""

import numpy as np

from convbook.images import phantom

SLICES, PHASES, SIZE = 4, 12, 64


def draw_film(person):
    """Draw a beat, without noise: pictures of which neighbours are alike, and take little room.

    Returns
    -------
    pictures : ndarray (4, 12, 64, 64), float32
        Slices from base to apex, each at twelve moments from end-diastole on.
    classes : ndarray (4, 12, 64, 64), int
        0 background, 1 cavity, 2 muscle.
    distance : float
        From slice to slice, in millimetres.
    """
    heights = np.linspace(phantom.BASE, phantom.APEX, SLICES + 2)[1:-1]
    pictures, classes = [], []
    for height in heights:
        for phase in range(PHASES):
            # The same random numbers in each picture: blood and position do not jump.
            image, cavity, muscle = phantom.frame(
                person, phase / PHASES, float(height), rng=0, size=SIZE, noise=0
            )
            pictures.append(image)
            classes.append(cavity + 2 * muscle)
    shape = SLICES, PHASES, SIZE, SIZE
    distance = phantom.LENGTH / 2 * float(heights[1] - heights[0])
    return np.reshape(pictures, shape), np.reshape(classes, shape), distance


def normal_numbers(seed, count):
    """Return normally distributed numbers, the same that the page draws from this seed.

    The uniform ones are Tommy Ettinger's mulberry32, whose state only counts, so that all of them
    can be had at once; two of them make two normal ones (Box and Muller).
    """
    step = np.arange(1, count + count % 2 + 1, dtype=np.uint64)
    state = ((seed + step * 0x6D2B79F5) & 0xFFFFFFFF).astype(np.uint32)
    with np.errstate(over="ignore"):
        t = (state ^ (state >> 15)) * (state | 1)
        t ^= t + (t ^ (t >> 7)) * (t | 61)
    uniform = (t ^ (t >> 14)) / 2.0**32
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[::2])), 2 * np.pi * uniform[1::2]
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]).ravel()[:count]
