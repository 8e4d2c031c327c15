"""Initial weights: random, and as large as keeps a signal from dying out or blowing up.

If a sum has `fan_in` terms, its variance is fan_in times that of one term; a layer whose weights
have variance 1 / fan_in hands the variance of its input on. Going backward, `fan_out` takes the
place of `fan_in`. Every function returns an array of the given shape in float64, drawn from `rng`,
a ``numpy.random.Generator``.
"""


def he_normal(rng, shape, fan_in, fan_out):
    """Normal, variance 2 / fan_in: for layers before a ReLU, which halves the signal's power.

    He et al., "Delving deep into rectifiers", ICCV 2015, equation 10.
    """
    return rng.standard_normal(shape) * (2 / fan_in) ** 0.5


def he_uniform(rng, shape, fan_in, fan_out):
    """Uniform, of the same variance as `he_normal`: uniform on ±a has variance a² / 3."""
    limit = (6 / fan_in) ** 0.5
    return rng.uniform(-limit, limit, shape)


def xavier_normal(rng, shape, fan_in, fan_out):
    """Normal, variance 2 / (fan_in + fan_out): for layers before a sigmoid, a tanh or nothing.

    A compromise between the forward and the backward direction. Glorot and Bengio, "Understanding
    the difficulty of training deep feedforward neural networks", AISTATS 2010, equation 12.
    """
    return rng.standard_normal(shape) * (2 / (fan_in + fan_out)) ** 0.5


def xavier_uniform(rng, shape, fan_in, fan_out):
    """Uniform, of the same variance as `xavier_normal` (the paper's equation 16)."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return rng.uniform(-limit, limit, shape)
