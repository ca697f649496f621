"""One thread, because the last digits decide bits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

_within = False


@contextmanager
def single_threaded() -> Iterator[None]:
    """A block or, as a decorator, a function in which BLAS, OpenMP and torch use one thread.

    With several threads the order in which numbers are added, and with it the last digits of
    their sum, depends on how many threads there are.  Where many steps follow one another
    (k-means, a descent), where a basis is arbitrary (eigenvectors of a repeated eigenvalue) or
    where items tie, that becomes other bits.  How many threads a cell has depends on how many
    cells run beside it; what is computed in such a block does not.

    :class:`methods.base.Hasher` fits and encodes features in one, and what is computed by a
    function that :func:`methods.sharing.shared` decorates is computed in one, so that a method need
    not think of it.
    """
    global _within
    if _within:
        yield
        return
    torch = sys.modules.get("torch")
    n_torch = torch.get_num_threads() if torch else 0
    with _pools(len(sys.modules)).limit(limits=1):
        _within = True
        try:
            if torch:
                torch.set_num_threads(1)
            yield
        finally:
            _within = False
            if torch:
                torch.set_num_threads(n_torch)


@lru_cache(maxsize=1)
def _pools(n_modules: int) -> ThreadpoolController:
    """The pools of threads; they are looked for again, slowly, once modules have been imported."""
    return ThreadpoolController()
