"""PyTorch and Keras, where they are installed; the book can be read and run without them.

    if torch_available():        # otherwise a sentence is printed
        import torch

Both compute with as many threads as OMP_NUM_THREADS says, if it is set.
"""

import os
import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

MISSING = (
    "{name} is not installed, so this cell only shows what was recorded. To run it: "
    'pip install "convbook[{extra}]"'
)


def torch_available():
    """Whether PyTorch is installed; if not, a sentence says so and how to get it."""
    return _available("PyTorch", "torch", ["torch"])


def torchvision_available():
    """Whether PyTorch and torchvision are installed; if not, a sentence says how to get them."""
    return _available("torchvision", "torchvision", ["torch", "torchvision"])


def keras_available():
    """Whether Keras and TensorFlow are; if not, a sentence says so and how to get them."""
    return _available("Keras on TensorFlow", "tensorflow", ["keras", "tensorflow"])


def _available(name, extra, modules):
    if all(map(find_spec, modules)):
        return True
    print(MISSING.format(name=name, extra=extra))
    return False


@cache
def import_torch():
    """Return the module torch. Raises ImportError with a sentence if it is not installed."""
    return _import("PyTorch", "torch", lambda: __import__("torch"))


@cache
def import_keras():
    """Return the module keras, which computes with TensorFlow and keeps quiet.

    Raises ImportError with a sentence if they are not installed.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # read when keras is imported
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def load():
        # What TensorFlow has to say while it is loaded is not for the reader of a notebook.
        with quiet_errors():
            import keras
            import tensorflow
        return tensorflow, keras

    tensorflow, keras = _import("Keras on TensorFlow", "tensorflow", load)
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdigit():
        try:
            tensorflow.config.threading.set_intra_op_parallelism_threads(int(threads))
            tensorflow.config.threading.set_inter_op_parallelism_threads(int(threads))
        except RuntimeError:
            pass  # TensorFlow is at work already, with the threads it began with
    return keras


def _import(name, extra, load):
    try:
        return load()
    except ImportError as error:
        raise ImportError(
            f"{name} is needed here and cannot be imported ({error}). "
            f'To install it: pip install "convbook[{extra}]"'
        ) from None


@contextmanager
def quiet_errors():
    """Drop what is written to the error channel, also by libraries that are not in Python."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no such channel
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
