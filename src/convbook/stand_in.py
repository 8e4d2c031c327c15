"""A stand-in for CuPy where there is no GPU: it computes with NumPy and refuses what CuPy refuses.

    with pretended_gpu() as cupy:
        model.to_gpu()                 # its parameters are arrays of the stand-in

Inside the `with`, the whole package takes the stand-in for CuPy. It is a rehearsal, not a GPU:
nothing gets faster, but NumPy arrays and arrays "on the GPU" can no longer be mixed by mistake, and
every operation is counted. It is a little stricter than CuPy: the functions of NumPy refuse its
arrays, where they would hand CuPy's on to CuPy.
"""

import sys
import types
from contextlib import contextmanager

import numpy as np


class StandInArray(np.ndarray):
    """An array of the stand-in."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        everything = (*inputs, *options.get("out", ()))
        if any(type(a) is np.ndarray for a in everything):
            raise TypeError(f"NumPy and CuPy arrays are mixed in {ufunc.__name__}")
        note(ufunc.__name__)
        result = getattr(ufunc, method)(*map(plain, inputs), **plain_options(options))
        return options["out"][0] if "out" in options else stand_in(result)

    def __array_function__(self, function, kinds, inputs, options):
        if function is np.array_equal:  # whoever compares wants to know, not to compute
            return function(*map(plain, inputs), **options)
        raise TypeError(
            f"numpy.{function.__name__} of a CuPy array: take {function.__name__} "
            "from the array's own module"
        )

    def __getitem__(self, index):
        return stand_in(super().__getitem__(index))  # one element is an array, too, without axes

    def __setitem__(self, index, value):
        if type(value) is np.ndarray and value.ndim:
            raise ValueError("a NumPy array cannot be assigned to elements of a CuPy array")
        note("setitem")
        super().__setitem__(index, value)

    def __repr__(self):
        return repr(plain(self))

    def __str__(self):
        return str(plain(self))

    def __format__(self, spec):
        return format(plain(self), spec)

    def get(self):
        """Return a copy as a NumPy array."""
        return sys.modules["cupy"].asnumpy(self)


class StandIn(types.ModuleType):
    """A module with NumPy's functions, for its own arrays alone.

    Attributes
    ----------
    calls : list of str
        The names of all operations so far.
    limit : int or None
        After so many operations that would be kernels on a GPU, the next one raises RuntimeError.
    """

    NO_KERNEL = frozenset(
        {"array", "as_strided", "asarray", "ascontiguousarray", "empty", "empty_like"}
    )

    ndarray = StandInArray
    limit = None
    __version__ = "stand-in"

    def __init__(self, available=True):
        super().__init__("cupy")
        self.calls = []
        self.is_available = lambda: available
        self.asnumpy = lambda array, order="C": np.array(plain(array), order=order)
        strided = self.wrapped("as_strided", np.lib.stride_tricks.as_strided)
        self.lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=strided))
        self.random = types.SimpleNamespace(default_rng=StandInGenerator)
        self.cuda = types.SimpleNamespace(Device=StandInDevice, runtime=StandInRuntime)
        self.get_default_memory_pool = StandInPool

    def __getattr__(self, name):
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):  # float32, pi
            return found
        return self.wrapped(name, found)

    @property
    def kernels(self):
        """How many of the calls compute something: on a GPU, each is one kernel or more."""
        return sum(name not in self.NO_KERNEL for name in self.calls)

    def note(self, name):
        """Count an operation."""
        self.calls.append(name)
        if self.limit is not None and self.kernels > self.limit:
            raise RuntimeError(f"these were {self.limit} operations on the GPU, and there are more")

    def wrapped(self, name, function):
        def call(*inputs, **options):
            if name not in ("array", "asarray") and any(type(a) is np.ndarray for a in inputs):
                raise TypeError(f"cupy.{name} of a NumPy array")
            self.note(name)
            result = function(*map(plain, inputs), **plain_options(options))
            return stand_in(result) if options.get("out") is None else options["out"]

        return call


class StandInGenerator:
    """Random numbers; of CuPy's generator only what the package uses."""

    def __init__(self, seed=None):
        self._rng = np.random.default_rng(seed)

    def random(self, size=None, dtype=np.float64):
        return stand_in(self._rng.random(size, dtype))


class StandInDevice:
    """What can be asked of a device; there is nothing to wait for."""

    id = 0
    compute_capability = "00"
    mem_info = (2**30, 2**30)  # free and total bytes

    def synchronize(self):
        """Wait until all that was begun is done."""


class StandInRuntime:
    """The versions and the name of a device that does not exist."""

    @staticmethod
    def getDeviceProperties(device):
        return {"name": b"stand-in", "multiProcessorCount": 0, "totalGlobalMem": 2**30}

    @staticmethod
    def runtimeGetVersion():
        return 0

    @staticmethod
    def driverGetVersion():
        return 0


class StandInPool:
    """A memory pool that holds nothing."""

    def free_all_blocks(self):
        """Give back what is not in use."""

    def total_bytes(self):
        return 0


def plain(value):
    """Return an array of the stand-in as a NumPy array on the same memory; all else as it is."""
    if isinstance(value, StandInArray):
        return value.view(np.ndarray)
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


def plain_options(options):
    """Return named arguments with their arrays as NumPy's."""
    return {name: plain(value) for name, value in options.items()}


def stand_in(value):
    """Return NumPy's arrays and numbers as arrays of the stand-in; all else as it is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value).view(StandInArray)
    return value


def note(name):
    """Count an operation on an array of the stand-in."""
    module = sys.modules.get("cupy")
    if isinstance(module, StandIn):
        module.note(name)


@contextmanager
def pretended_gpu():
    """Put the stand-in in the place of CuPy; yield it."""
    before, module = sys.modules.get("cupy"), StandIn()
    sys.modules["cupy"] = module
    try:
        yield module
    finally:
        if before is None:
            del sys.modules["cupy"]
        else:
            sys.modules["cupy"] = before
