"""Boxes drawn at random."""

import hypothesis.strategies as st
import numpy as np


def random_boxes(count, low=0, high=40, least=0.0, seed=0):
    """Return boxes (count, 4) with edges in a range, each at least so high and wide."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(low, high - least, (count, 2, 2)), axis=1)
    corners[:, 1] += least
    return corners.reshape(count, 4)


@st.composite
def boxes_between(draw, low, high, count):
    """Draw boxes (count, 4): any, or with edges at whole and half pixels, so that edges meet."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    corners = rng.uniform(low, high, (count, 2, 2))
    step = draw(st.sampled_from((None, 0.5, 1, 5)))
    if step:
        corners = np.round(corners / step) * step
    return np.sort(corners, axis=1).reshape(count, 4)
