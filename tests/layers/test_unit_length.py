"""The layer that leaves only the direction of a row."""

import numpy as np

from convbook.layers import UnitLength
from convbook.layers.gradcheck import check_layer

RNG = np.random.default_rng


def test_unit_length():
    x = RNG(0).standard_normal((5, 4))
    np.testing.assert_allclose(np.linalg.norm(UnitLength()(x), axis=1), 1)
    assert check_layer(UnitLength(), x).ok
    assert np.isfinite(UnitLength()(np.zeros((2, 3)))).all()
