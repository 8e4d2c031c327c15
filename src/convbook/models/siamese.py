"""A Siamese network: features of length 1, whose inner product says how much alike two digits are.

`convbook.training.pairs` trains it, so that the features of one class lie close together.
"""

from ..layers import Sequential, UnitLength
from .digits import digit_body


def siamese_body(features=64, rng=None):
    """Return a network from digits (N, 1, 28, 28) to features (N, features) of length 1."""
    return Sequential(*digit_body(features, rng).layers[:-1], UnitLength())
