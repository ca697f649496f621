"""Intermediate results that several methods or several code lengths share.

A function of the training features decorated with :func:`shared` (the principal axes, the
anchor graph) is computed once per data set and parameter setting inside a ``with
sharing(folder)`` block, whichever method, code length or process asks first; the others read
its arrays from the folder.  Outside such a block it is an ordinary function.
"""

from __future__ import annotations

import hashlib
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
from filelock import FileLock

from benchmark.digests import code_digest
from features.writing import sealed, unsealed
from methods.algebra.threads import single_threaded

Function = TypeVar("Function", bound=Callable[..., Any])

_folder: Path | None = None
_seconds_spared = 0.0
_digests: dict[tuple, tuple[weakref.ref, str]] = {}


def seconds_spared() -> float:
    """Seconds that this process has not spent so far because shared results were there.

    The difference before and after a call, added to the call's own seconds, is what it would
    have taken alone.
    """
    return _seconds_spared


@contextmanager
def sharing(folder: str | Path) -> Iterator[None]:
    """Share the results of :func:`shared` functions through a folder while the block runs."""
    global _folder
    before, _folder = _folder, Path(folder)
    _folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        _folder = before


def shared(function: Function) -> Function:
    """Share the result of ``function(X, **parameters)`` among methods, lengths and processes.

    It is computed in one thread, so that it does not depend on which cell asks first.
    The function must be deterministic and annotated to return a NamedTuple of arrays, which is
    kept as an ``.npz`` file.  Its key is the content of `X`, the parameters, and the code of the
    function's module and of what that imports from ``methods`` and ``features``.
    """

    function = single_threaded()(function)

    @wraps(function)
    def looked_up(X: np.ndarray, **parameters: Any) -> Any:
        if _folder is None:
            return function(X, **parameters)
        code = code_digest(function.__module__)
        spec = f"{code} {function.__name__} {sorted(parameters.items())} {fingerprint(X)}"
        key = f"{function.__name__}-{hashlib.sha256(spec.encode()).hexdigest()[:16]}"
        result_type = get_type_hints(function)["return"]
        return _read_or_compute(
            _folder / f"{key}.npz", result_type, lambda: function(X, **parameters)
        )

    return looked_up


def fingerprint(X: np.ndarray) -> str:
    """Digest of an array's type, shape and content; remembered for read-only arrays."""
    if X.flags.writeable:
        return _digest(X)
    # Every cell has its own view of one map of the data.
    memory, view = _memory(X), (X.ctypes.data, X.shape, X.strides, X.dtype.str)
    reference, digest = _digests.get(view, (None, ""))
    if reference is None or reference() is not memory:
        digest = _digest(X)
        # Of other owners, such as bytes, nobody can tell when they are gone.
        with suppress(TypeError):
            _digests[view] = (weakref.ref(memory), digest)
    return digest


def _memory(X: np.ndarray) -> Any:
    """The map or array that holds the elements of a view."""
    memory: Any = X
    while isinstance(memory, np.ndarray) and memory.base is not None:
        memory = memory.base
    return memory


def _digest(X: np.ndarray) -> str:
    digest = hashlib.blake2b(f"{X.dtype.str} {X.shape}".encode(), digest_size=16)
    for start in range(0, len(X), 4096):
        digest.update(np.ascontiguousarray(X[start : start + 4096]))
    return digest.hexdigest()


def _read_or_compute(path: Path, result_type: type, compute: Callable[[], Any]) -> Any:
    global _seconds_spared
    start = time.perf_counter()
    # Whoever comes second waits for the first; the lock dies with its process.
    with FileLock(f"{path}.lock"):
        known = unsealed(path)
        if known is not None:
            with np.load(known, allow_pickle=False) as stored:
                result = result_type(**{name: stored[name] for name in result_type._fields})
                seconds = float(stored["seconds"])
            _seconds_spared += seconds - (time.perf_counter() - start)
            return result
        begin, spared = time.perf_counter(), _seconds_spared
        result = compute()
        # What a shared function inside this one was spared belongs to the price of this one.
        seconds = time.perf_counter() - begin + _seconds_spared - spared
        with sealed(path) as temporary:
            np.savez(temporary, seconds=seconds, **result._asdict())
        _seconds_spared -= begin - start
        return result
