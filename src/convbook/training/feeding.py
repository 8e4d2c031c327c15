"""Feeding a training with mini-batches augmented in turn, beforehand, or by other processes.

    jobs = plan(len(x), batch_size=50, epochs=1, seed=0)
    for batch in in_parallel(x, y, jobs, augment, workers=2):
        step(batch.x, batch.y)

Each mini-batch has random numbers of its own, so that all three ways hand out the same pictures in
the same order, and a training learns the same. `watched` notes who was at work when.
"""

import os
import time
from dataclasses import dataclass

import numpy as np

from .. import checks
from .batches import augmented, changes_targets
from .checks import data


@dataclass(frozen=True)
class Job:
    """What one mini-batch is made of.

    Attributes
    ----------
    indices : ndarray of int
        Which images.
    key : tuple of int
        Where its random numbers begin: seed, epoch, number of the mini-batch.
    """

    indices: np.ndarray
    key: tuple


@dataclass(frozen=True)
class Batch:
    """A mini-batch, and by which process it was made, from when till when (`time.time()`)."""

    x: np.ndarray
    y: np.ndarray
    maker: int
    start: float
    end: float


@dataclass(frozen=True)
class Span:
    """Some seconds of work: `what` is "augment", "wait" or "train"; `who` the process."""

    who: int
    what: str
    start: float
    end: float


# --- Handing out mini-batches --------------------------------------------------------------------


def plan(n, batch_size, epochs=1, seed=0):
    """Return the jobs of so many epochs: each has every image once, in a random order.

    Parameters
    ----------
    n : int
        How many images there are.
    batch_size : int
        The last mini-batch of an epoch may be smaller.
    epochs : int
    seed : int

    Returns
    -------
    list of Job
    """
    n, batch_size, epochs = (
        checks.integer(name, value, least=1)
        for name, value in (("n", n), ("batch_size", batch_size), ("epochs", epochs))
    )
    seed = checks.integer("seed", seed, least=0)
    jobs = []
    for epoch in range(epochs):
        order = np.random.default_rng((seed, epoch)).permutation(n)
        for number, first in enumerate(range(0, n, batch_size)):
            jobs.append(Job(order[first : first + batch_size], (seed, epoch, number)))
    return jobs


def prepare(x, y, job, augment=None):
    """Take the images of a job out of x: (N, C, H, W), and change them at random; return a Batch.

    Parameters
    ----------
    x, y : ndarray (N, C, H, W) and (N,)
    job : Job
    augment : function(x_batch, rng) or function(x_batch, y_batch, rng), optional
        As in `convbook.training.fit`.
    """
    start = time.time()
    images, targets = augmented(
        augment,
        changes_targets(augment),
        x[job.indices],
        y[job.indices],
        np.random.default_rng(job.key),
    )
    return Batch(images, targets, os.getpid(), start, time.time())


def in_turn(x, y, jobs, augment=None):
    """Yield each mini-batch, made at the moment when it is asked for."""
    x, y = data("x", x, "y", y)
    return (prepare(x, y, job, augment) for job in jobs)


def beforehand(x, y, jobs, augment=None):
    """Return all mini-batches in a list: they are made now, and lie in memory."""
    return list(in_turn(x, y, jobs, augment))


def in_parallel(x, y, jobs, augment=None, workers=2):
    """Yield the mini-batches in order, made by other processes while the caller goes on.

    joblib keeps the processes for the next call, and lays large arrays where all of them can read
    them without a copy. What is finished waits in memory until it is asked for, so call it epoch
    by epoch if the data are large.

    Parameters
    ----------
    x, y, jobs, augment
        As in `prepare`; `augment` must be something that can be sent to a process.
    workers : int
        How many processes, from 2 on: a single job is done by joblib in the calling process.
    """
    x, y = data("x", x, "y", y)
    workers = checks.integer("workers", workers, least=2)
    import joblib  # only here: one process needs none of it

    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")
    return parallel(joblib.delayed(prepare)(x, y, job, augment) for job in jobs)


# --- Watching ------------------------------------------------------------------------------------


def watched(batches, step):
    """Call step(x, y) for every mini-batch, and note who did what when.

    Parameters
    ----------
    batches : iterable of Batch
    step : function(x, y)

    Returns
    -------
    list of Span
        In seconds, with 0 at the beginning; what happened before that is below 0.
    """
    zero, me, spans = time.time(), os.getpid(), []
    asked = zero
    for batch in batches:
        got = time.time()
        spans.append(Span(batch.maker, "augment", batch.start - zero, batch.end - zero))
        made_here_now = batch.maker == me and batch.start >= asked
        if not made_here_now:
            spans.append(Span(me, "wait", asked - zero, got - zero))
        step(batch.x, batch.y)
        asked = time.time()
        spans.append(Span(me, "train", got - zero, asked - zero))
    return spans
