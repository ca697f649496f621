"""One thread, where the last digits decide bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


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
