"""Extracted features on disk, one file per data set, extractor, weights and transform.

``<name>-<key>.npy`` holds the vectors; ``<name>-<key>.json`` describes them and has their
checksum.  During extraction the vectors are appended to ``<name>-<key>.part.npy`` beside a note of
the progress, so that a killed run continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from features.errors import FeatureError, one_line
from features.growing import GrowingFile, hash_file, npy_path, read_note, sidecar_path

if TYPE_CHECKING:
    from features.extractors import Extractor
    from features.images import ImageSource

Log = Callable[[str], None]

_MAX_DECODERS = 8
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class FeatureFile:
    """Features of a data set, on disk.

    Attributes
    ----------
    path : Path
        ``.npy`` file, float32 (n, d), row i for image i; rows of unreadable images are zero.
    unreadable : tuple of int
        Numbers of the images that could not be read, ascending.
    reasons : tuple of str
        The reason for each of them.
    checksum : str
        BLAKE2b digest of the file.
    identity : mapping of str to str
        What determines the vectors: extractor, weights, transform, version.
    """

    path: Path
    unreadable: tuple[int, ...]
    reasons: tuple[str, ...]
    checksum: str
    identity: Mapping[str, str]

    def open(self) -> np.ndarray:
        """The features, memory-mapped read-only."""
        return np.load(self.path, mmap_mode="r", allow_pickle=False)


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


def cached_features(
    images: ImageSource,
    extractor: Extractor,
    folder: Path,
    fingerprint: str,
    *,
    batch_size: int = 64,
    log: Log = _to_stderr,
) -> FeatureFile:
    """Features of all images, from the cache or extracted now.

    A finished file is read once to compare its checksum, without loading the extractor's network.
    Another process that needs the same file waits.

    Parameters
    ----------
    images : ImageSource
        n images.
    extractor : Extractor
        From ``benchmark.registry.extractors.make``.
    folder : Path
        Folder of the cache; it is created if missing.
    fingerprint : str
        Digest of the data set's content.
    batch_size : int
        Images per step; a kill loses the work of at most one step.
    log : callable
        Receives each message on what is extracted, resumed or rebuilt.

    Raises
    ------
    FeatureError
        If the extractor cannot work on this machine, no image can be read, vectors are not
        finite, or the folder cannot be written.
    """
    spec, base = _place(images, extractor, folder, fingerprint)
    # Without the lock, so that a cache on a disk that cannot be written is of use.
    note = _stored_note(base, spec, lambda message: None)
    if note is not None:
        return _feature_file(base, extractor, note)
    # A network complains of its weights when it is asked, before anything is written.
    _ = extractor.n_features
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        with _locked(base, log):
            note = _stored_note(base, spec, log)
            if note is None:
                note = _extract(images, extractor, base, spec, batch_size, log)
    except OSError as error:
        raise FeatureError(f"feature cache {folder}: {error}") from error
    return _feature_file(base, extractor, note)


def are_cached(images: ImageSource, extractor: Extractor, folder: Path, fingerprint: str) -> bool:
    """Whether :func:`cached_features` would find finished features; parameters as there."""
    spec, base = _place(images, extractor, folder, fingerprint)
    return _stored_note(base, spec, lambda message: None) is not None


def _place(
    images: ImageSource, extractor: Extractor, folder: Path, fingerprint: str
) -> tuple[dict[str, Any], Path]:
    """The identity of the features, and the common part of their file names."""
    spec = {"dataset": fingerprint, "images": len(images), **extractor.identity}
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    return spec, Path(folder) / f"{extractor.name}-{digest[:16]}"


def _feature_file(base: Path, extractor: Extractor, note: Mapping[str, Any]) -> FeatureFile:
    return FeatureFile(
        path=npy_path(base),
        unreadable=tuple(int(i) for i in note["unreadable"]),
        reasons=tuple(note["unreadable"].values()),
        checksum=note["checksum"],
        identity=dict(extractor.identity),
    )


def _extract(
    images: ImageSource,
    extractor: Extractor,
    base: Path,
    spec: Mapping[str, Any],
    batch_size: int,
    log: Log,
) -> dict[str, Any]:
    """Extract what is missing, move the file to its place and return its note."""
    n = len(images)
    growing = GrowingFile(base, spec, n, extractor.n_features, log, extractor.dtype)
    left = n - growing.done
    log(f"extracting {extractor.name} features of {left:,} images into {npy_path(base)}")
    progress = tqdm(
        desc=extractor.name, total=n, initial=growing.done, unit=" images", disable=None
    )
    with growing, progress:
        for inputs in _prepared(images, extractor, growing.done, batch_size):
            rows = np.zeros((len(inputs), extractor.n_features), extractor.dtype)
            good = [j for j, x in enumerate(inputs) if isinstance(x, np.ndarray)]
            if good:
                rows[good] = _vectors(extractor, [inputs[j] for j in good])
            if not np.isfinite(rows).all():
                raise FeatureError(
                    f"features {extractor.name}: some vectors have NaN or infinite values"
                )
            growing.append(rows, [x if isinstance(x, str) else "" for x in inputs])
            progress.update(len(inputs))
    if 0 < n == len(growing.unreadable):
        growing.discard()
        raise FeatureError(
            f"none of the {n:,} images can be read; the first is {images.name(0)}: "
            f"{growing.unreadable['0']}"
        )
    return growing.finish()


def _vectors(extractor: Extractor, inputs: list[np.ndarray]) -> np.ndarray:
    """Vectors of prepared images, as many and as long as the extractor says."""
    shapes = {x.shape for x in inputs}
    if len(shapes) > 1:
        raise FeatureError(
            f"features {extractor.name}: prepare() must give arrays of one shape, not "
            f"{' and '.join(map(str, sorted(shapes)[:2]))}"
        )
    vectors = np.asarray(extractor.extract(np.stack(inputs)))
    expected = (len(inputs), extractor.n_features)
    if vectors.shape != expected:
        raise FeatureError(
            f"features {extractor.name}: extract() must give an array {expected}, not "
            f"{vectors.shape}"
        )
    return vectors


def _prepared(
    images: ImageSource, extractor: Extractor, start: int, batch_size: int
) -> Iterator[list[np.ndarray | str]]:
    """Batches of extractor inputs from image `start` on, decoded ahead in threads.

    An image that cannot be read is replaced by the reason.
    """

    def prepare(i: int) -> np.ndarray | str:
        try:
            return extractor.prepare(images.load(i))
        except Exception as error:
            # A decoder can raise anything, and one bad image must not end a long run.
            return one_line(error)

    starts = iter(range(start, len(images), batch_size))
    pool = ThreadPoolExecutor(min(_MAX_DECODERS, os.cpu_count() or 1))
    ahead = deque()
    try:
        while True:
            while len(ahead) <= _BATCHES_AHEAD and (first := next(starts, None)) is not None:
                numbers = range(first, min(first + batch_size, len(images)))
                ahead.append([pool.submit(prepare, i) for i in numbers])
            if not ahead:
                return
            yield [future.result() for future in ahead.popleft()]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stored_note(base: Path, spec: Mapping[str, Any], log: Log) -> dict[str, Any] | None:
    """The note of a finished file; None if there is none, or if it does not match the file."""
    path = npy_path(base)
    if not path.exists():
        return None
    note = read_note(sidecar_path(base))
    if (
        note.get("spec") == spec
        and note.get("bytes") == path.stat().st_size
        and note.get("checksum") == hash_file(path, note["bytes"]).hexdigest()
    ):
        return note
    log(f"{path} was altered or truncated; extracting the features again")
    return None


@contextmanager
def _locked(base: Path, log: Log) -> Iterator[None]:
    lock = FileLock(f"{base}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log(f"waiting for another process that is extracting {base.name}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
