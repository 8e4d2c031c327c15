"""Right answers to an exercise, changed so that they are wrong.

Every change is a kind of mistake that people make: a result cut to integers, an input spoiled, axes
swapped, an argument that is not used. A check that calls a changed answer right has no trial that
shows it. Where a change does no harm, the exercise says so, and why, under `harmless`.
"""

import copy
import fnmatch
import functools

import numpy as np

from convbook.exercises.checking import is_right
from convbook.stand_in import StandInArray


def mutants(exercise):
    """Yield (name, function) for all changes that make sense for the exercise's reference."""
    values = [outcome.value for outcome in exercise.right]
    arguments = list(zip(*(inputs for _, inputs in exercise.trials)))
    yield from of_the_result(exercise, values)
    for position, (name, examples) in enumerate(zip(exercise.parameters, arguments)):
        yield from of_an_argument(exercise, position, name, examples)


# --- the result ----------------------------------------------------------------------------------


def of_the_result(exercise, values):
    arrays = [np.asarray(value) for value in values]
    axes = max(array.ndim for array in arrays)

    def changed(name, change):
        return f"result {name}", on_result(exercise.reference, change)

    if exercise.dtype is None:
        yield changed("cut to integers", lambda y: np.trunc(y).astype(int))
        yield changed("rounded", lambda y: np.rint(y).astype(int))
        yield changed("with the sign lost", abs)
        yield changed("with negative numbers set to 0", lambda y: np.maximum(y, 0))
    yield changed("one too large", lambda y: y + 1)
    yield changed("one too large in its last element", last_plus_one)
    yield changed("at most 1", lambda y: np.minimum(y, 1))
    yield changed("twice as large", lambda y: 2 * y)
    yield changed("with an axis of length 1 in front", lambda y: y[None])
    if exercise.dtype:
        for other in (np.int64, np.float64, np.float32, np.int16, np.uint8):
            if other is not exercise.dtype and not (
                exercise.dtype is int and np.dtype(other).kind in "iu"
            ):
                yield changed(f"as {np.dtype(other)}", lambda y, t=other: y.astype(t))
    for k in range(axes):
        yield changed(f"reversed along axis {k}", lambda y, k=k: np.flip(y, k))
        yield changed(f"rolled along axis {k}", lambda y, k=k: np.roll(y, 1, k))
        yield changed(
            f"without the last of axis {k}", lambda y, k=k: np.delete(y, -1, k) if y.shape[k] else y
        )
        yield changed(
            f"with the first of axis {k} everywhere",
            lambda y, k=k: np.broadcast_to(y.take([0], k), y.shape).copy(),
        )
        yield changed(
            f"with the mean over axis {k} everywhere",
            lambda y, k=k: y.mean(k, keepdims=True) + np.zeros(y.shape),
        )
        yield changed(f"summed over axis {k}", lambda y, k=k: y.sum(k))
        for j in range(k):
            yield changed(
                f"with axes {j} and {k} swapped", lambda y, j=j, k=k: y.swapaxes(j, k).copy()
            )
            yield changed(
                f"reshaped as if axes {j} and {k} were swapped",
                lambda y, j=j, k=k: y.swapaxes(j, k).reshape(y.shape),
            )
    if any(isinstance(value, StandInArray) for value in values):
        yield "result taken back to NumPy", on_numpy(exercise.reference)
    if axes > 1:
        yield changed("flattened", lambda y: y.ravel())
    if axes:
        yield changed("zero outside the first element", first_only)


def on_result(reference, change):
    @functools.wraps(reference)
    def mutant(*inputs):
        value = reference(*inputs)
        kind = type(value)
        changed = change(np.asarray(value).view(np.ndarray))
        return (
            changed.view(kind)
            if isinstance(changed, np.ndarray) and issubclass(kind, np.ndarray)
            else changed
        )

    return mutant


def on_numpy(reference):
    @functools.wraps(reference)
    def mutant(*inputs):
        return np.asarray(reference(*inputs))

    return mutant


def last_plus_one(y):
    y = y.copy()
    y[(-1,) * y.ndim] += 1
    return y


def first_only(y):
    kept = np.zeros_like(y)
    kept[(0,) * y.ndim] = y[(0,) * y.ndim]
    return kept


# --- the arguments -------------------------------------------------------------------------------


def of_an_argument(exercise, position, name, examples):
    reference = exercise.reference

    def changed(how, change):
        return f"{name} {how}", on_argument(reference, position, change)

    if all(isinstance(example, np.ndarray) for example in examples):
        yield f"{name} spoiled afterwards", spoiling(reference, position)
        if exercise.dtype is None:
            yield f"result kept in the type of {name}", kept_in_type_of(reference, position)
        if sees_itself(exercise, position):
            yield f"result a view of {name}", view_of(reference, position)
        yield from of_an_array(changed, max(example.ndim for example in examples))
    elif all(isinstance(example, (int, float)) for example in examples):
        first = examples[0]
        yield changed("always as in the first trial", lambda a: first)
        for constant in (0, 1, 2):
            yield changed(f"always {constant}", lambda a, c=constant: c)
        yield changed("one larger", lambda a: a + 1)
        yield changed("one smaller", lambda a: a - 1)
        if any(example != int(example) for example in examples):
            yield changed("cut to an integer", int)
    if name in exercise.changes:
        yield f"{name} copied", on_argument(reference, position, copy.deepcopy)


def of_an_array(changed, axes):
    yield changed("cut to integers", lambda a: np.trunc(a).astype(int))
    yield changed("with the sign lost", abs)
    yield changed("with negative numbers set to 0", lambda a: np.maximum(a, 0))
    yield changed("set to its first element", lambda a: np.full_like(a, a.flat[0]))
    yield changed("set to its mean", lambda a: np.full(a.shape, np.mean(a)))
    yield changed("with its last element forgotten", last_forgotten)
    for k in range(axes):
        yield changed(f"reversed along axis {k}", lambda a, k=k: np.flip(a, k))
        yield changed(f"rolled along axis {k}", lambda a, k=k: np.roll(a, 1, k))
        yield changed(
            f"with the first of axis {k} everywhere",
            lambda a, k=k: np.broadcast_to(a.take([0], k), a.shape).copy(),
        )
        for j in range(k):
            yield changed(
                f"with axes {j} and {k} swapped", lambda a, j=j, k=k: a.swapaxes(j, k).copy()
            )


def on_argument(reference, position, change):
    @functools.wraps(reference)
    def mutant(*inputs):
        inputs = list(inputs)
        argument = inputs[position]
        if isinstance(argument, np.ndarray):
            kind, argument = type(argument), argument.view(np.ndarray)
            inputs[position] = np.asarray(change(argument)).view(kind)
        else:
            inputs[position] = change(argument)
        return reference(*inputs)

    return mutant


def last_forgotten(a):
    a = a.copy()
    a.flat[-1:] = 0
    return a


def spoiling(reference, position):
    @functools.wraps(reference)
    def mutant(*inputs):
        value = reference(*inputs)
        spoiled = inputs[position].view(np.ndarray)
        spoiled[...] = ~spoiled if spoiled.dtype == bool else spoiled + 1
        return value

    return mutant


def kept_in_type_of(reference, position):
    @functools.wraps(reference)
    def mutant(*inputs):
        value = reference(*inputs)
        kept = np.asarray(value).astype(inputs[position].dtype)
        return kept.view(type(value)) if isinstance(value, np.ndarray) else kept

    return mutant


# --- views ---------------------------------------------------------------------------------------


def sees_itself(exercise, position):
    """Whether in some trial the right result could be cut out of an argument, without a copy."""
    return any(
        view(inputs[position], outcome.value) is not None
        for outcome, (_, inputs) in zip(exercise.right, exercise.trials)
    )


def view_of(reference, position):
    @functools.wraps(reference)
    def mutant(*inputs):
        value = reference(*inputs)
        found = view(inputs[position], value)
        return value if found is None else found

    return mutant


def view(argument, value):
    """Return a view of an argument that equals the value, or None."""
    if not isinstance(value, np.ndarray):
        return None
    plain, wanted = argument.view(np.ndarray), value.view(np.ndarray)
    if plain.dtype != wanted.dtype or not wanted.size:
        return None
    candidates = [plain] + [np.flip(plain, k) for k in range(plain.ndim)]
    for found in candidates:
        if np.array_equal(found, wanted):
            return found.view(type(value))
    if plain.ndim == 2 and wanted.ndim == 4 and np.all(wanted.shape[2:] <= np.array(plain.shape)):
        windows = np.lib.stride_tricks.sliding_window_view(plain, wanted.shape[2:])
        if np.array_equal(windows, wanted):
            return windows
    return None


def survivors(exercise):
    """Return the names of the changes that the check calls right, and how many it was given."""
    named = dict(mutants(exercise))
    with np.errstate(all="ignore"):
        return [name for name, mutant in named.items() if is_right(exercise, mutant)], len(named)


def explained(exercise, name):
    """Whether the exercise says why this change does no harm."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in exercise.harmless)
