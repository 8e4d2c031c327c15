"""The state of a model, a dict name -> array: checked, copied in, and kept in an .npz file."""

import os
import zipfile
from pathlib import Path

import numpy as np

from ..arrays import get_array_module, to_numpy


def copy_into(state, arrays, owner):
    """Copy the values of `state` into the arrays of the same names, all of them or none.

    Parameters
    ----------
    state : dict, name -> array of floats
    arrays : dict, name -> array
        The model's own arrays, which are overwritten.
    owner : str
        What the arrays belong to, for the message.

    Raises
    ------
    ValueError
        If a name is missing or unknown, or a value has another shape or is not floating point.
    """
    if not hasattr(state, "keys"):
        raise TypeError(f"state must be a dict name -> array, got {type(state).__name__}")
    values = {name: to_numpy(state[name]) for name in state.keys()}
    faults = [f"{name!r} is missing" for name in arrays if name not in values]
    for name, value in values.items():
        expected = arrays[name].shape if name in arrays else None
        if expected is None:
            faults.append(f"{name!r} is unknown")
        elif value.dtype.kind != "f":
            faults.append(f"{name!r} must hold floating-point numbers, got dtype {value.dtype}")
        elif value.shape != expected:
            faults.append(f"{name!r} must have shape {expected}, got {value.shape}")
    if faults:
        raise ValueError(
            f"the state does not fit this {owner}, which is left unchanged: " + "; ".join(faults)
        )
    for name, array in arrays.items():
        array[...] = get_array_module(array).asarray(values[name])


def write(path, state):
    """Write a state to `path` as .npz, whole or not at all."""
    path = Path(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be written: there is no folder {path.absolute().parent}"
        )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            np.savez(file, **state)
        os.replace(unfinished, path)  # at once, in the eyes of whoever reads it
    finally:
        unfinished.unlink(missing_ok=True)


def read(path):
    """Return the state in the file at `path`; nothing in the file is ever executed (no pickle).

    Raises
    ------
    ValueError
        If the file is not an .npz file of plain arrays.
    """
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            raise ValueError(
                f"{path} is not an .npz file of plain arrays, as a model's "
                f"`save` writes it: {what_else(file.read(8))}"
            )
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except OSError:
            raise
        except Exception as error:  # a damaged file fails in many ways: zip, header, too short
            why = (
                "it holds Python objects, which are never read from a file, as they could run "
                "any program"
                if "pickle" in str(error)
                else f"it is damaged ({error})"
            )
            raise ValueError(f"{path} is not an .npz file of plain arrays: {why}") from error


def what_else(beginning):
    """Say what a file that begins with these bytes seems to be."""
    if not beginning:
        return "it is empty"
    if beginning.startswith(b"\x93NUMPY"):
        return "it is an .npy file, which holds one array"
    if beginning.startswith(b"PK"):
        return "it was cut off, or is damaged"
    return f"it begins with {beginning!r}"
