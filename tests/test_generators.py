"""Whatever draws random numbers takes a seed or a generator, and refuses anything else by name."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import convbook
from convbook import checks
from convbook.layers import Conv2d, ConvTranspose2d, Dropout, Linear
from convbook.training import MiniBatches

WITH_ARGUMENTS = {
    "Conv2d": lambda rng: Conv2d(1, 2, 3, rng=rng),
    "ConvTranspose2d": lambda rng: ConvTranspose2d(1, 2, 3, rng=rng),
    "Dropout": lambda rng: Dropout(rng=rng),
    "Linear": lambda rng: Linear(2, 3, rng=rng),
}


def that_draw():
    """Yield what draws from `rng` and needs no other argument, with its name."""
    for module in pkgutil.walk_packages(convbook.__path__, "convbook."):
        if module.name.startswith(("convbook.site", "convbook.exercises", "convbook.widgets")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if getattr(value, "__module__", None) != module.name or not inspect.isfunction(value):
                continue
            parameters = inspect.signature(value).parameters
            if name[0] != "_" and "rng" in parameters:
                others = [p for p in parameters.values() if p.name != "rng"]
                if all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in others):
                    yield name, value


ALL = WITH_ARGUMENTS | {name: (lambda rng, f=f: f(rng=rng)) for name, f in that_draw()}


def test_there_are_many():
    assert len(ALL) > 40


@pytest.mark.parametrize("name", ALL)
def test_what_is_no_seed_is_refused_by_name(name):
    for wrong in ("a", 1.5, True, [1, 2], np.random):
        with pytest.raises(TypeError, match="rng must be an integer of at least 0, got"):
            ALL[name](wrong)
    with pytest.raises(ValueError, match="rng must be an integer of at least 0, got -1"):
        ALL[name](-1)


def test_a_seed_begins_the_same_numbers_and_a_generator_goes_on():
    def begun(seed):
        return checks.generator("rng", seed).random(3).tolist()

    assert begun(7) == begun(np.int32(7)) == np.random.default_rng(7).random(3).tolist()
    assert begun(None) != begun(None)
    own = np.random.default_rng(7)
    assert checks.generator("rng", own) is own


def test_mini_batches_name_their_seed():
    with pytest.raises(TypeError, match="seed must be an integer of at least 0, got 'a'"):
        MiniBatches(np.zeros((4, 1)), np.zeros(4, int), 2, seed="a")
