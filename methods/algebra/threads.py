"""One thread, where the last digits decide bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

Task = TypeVar("Task")
Result = TypeVar("Result")


@contextmanager
def single_threaded() -> Iterator[None]:
    """A block or, as a decorator, a function in which BLAS and OpenMP use one thread.

    With several threads the order in which numbers are added, and with it the last digits of
    their sum, depends on how many threads there are.  Most computations hide that.  Where many
    steps follow one another (k-means, a descent), or where a basis is arbitrary (eigenvectors of
    a repeated eigenvalue), it becomes other bits.  What is computed in such a block is the same
    for any number of threads outside it.
    """
    with threadpool_limits(1):
        yield


def in_parallel(function: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
    """Results of a function for some tasks, in their order, from as many threads as there are.

    Each task is computed in one thread, so that its result does not depend on how many there are.
    NumPy gives way to other threads while it multiplies and adds.  There are ``OMP_NUM_THREADS``
    threads, as for the libraries below, or else one for each core.
    """
    n_threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    with single_threaded(), ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, tasks))
