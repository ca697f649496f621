"""A feature file that is written batch by batch and survives a kill."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from features.errors import FeatureError
from features.writing import written

_CHUNK = 1 << 22


class GrowingFile:
    """The unfinished file of an extraction, as a context manager that closes it.

    Rows are appended in item order.  After each batch a JSON note is renamed into place, with the
    number of finished images, the unreadable ones, the number of bytes and their checksum.  Bytes
    that a killed run wrote after its last note are cut off; a file that does not match its note is
    discarded.
    """

    def __init__(
        self,
        base: Path,
        spec: Mapping[str, Any],
        n: int,
        n_features: int,
        log: Callable[[str], None],
        dtype: str = "<f4",
    ) -> None:
        self.base = base
        self.spec = dict(spec)
        self.data_path = base.with_name(f"{base.name}.part.npy")
        self.note_path = base.with_name(f"{base.name}.part.json")
        self.shape = (n, n_features)
        self.dtype = np.dtype(dtype)
        if not self._resume(log):
            self._start()
        self.file = open(self.data_path, "r+b")  # noqa: SIM115 (closed by __exit__)
        self.file.truncate(self.n_bytes)
        self.file.seek(self.n_bytes)

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def append(self, rows: np.ndarray, reasons: list[str]) -> None:
        """Append the next rows; `reasons` is empty for a readable image."""
        data = np.ascontiguousarray(rows, dtype=self.dtype).tobytes()
        self.file.write(data)
        self.file.flush()
        self.state.update(data)
        self.n_bytes += len(data)
        self.unreadable.update({str(self.done + j): r for j, r in enumerate(reasons) if r})
        self.done += len(rows)
        _write_note(self.note_path, self._note())

    def finish(self) -> dict[str, Any]:
        """Write the final note, rename the file to its final name and return the note."""
        note = self._note()
        _write_note(sidecar_path(self.base), note)
        os.replace(self.data_path, npy_path(self.base))
        self.note_path.unlink()
        return note

    def discard(self) -> None:
        """Delete the file and its note."""
        self.note_path.unlink(missing_ok=True)
        self.data_path.unlink(missing_ok=True)

    def _start(self) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        )
        n, d = self.shape
        needed, free = n * d * self.dtype.itemsize, shutil.disk_usage(self.base.parent).free
        if needed > free:
            raise FeatureError(
                f"feature cache {self.base.parent}: {needed / 1e6:,.0f} MB are needed but only "
                f"{free / 1e6:,.0f} MB are free; free space or choose another folder"
            )
        self.data_path.write_bytes(header.getvalue())
        self.done, self.unreadable = 0, {}
        self.n_bytes = len(header.getvalue())
        self.state = hashlib.blake2b(header.getvalue(), digest_size=16)

    def _resume(self, log: Callable[[str], None]) -> bool:
        """Continue the file of an earlier run; False if there is none that matches its note."""
        note = read_note(self.note_path)
        if not note and self.note_path.exists():
            log(f"{self.note_path} was altered; extraction starts again")
        if note.get("spec") != self.spec or note.get("shape") != list(self.shape):
            return False
        self.state = hash_file(self.data_path, note["bytes"])
        if self.state.hexdigest() != note["checksum"]:
            log(f"{self.data_path} was altered; extraction starts again")
            return False
        self.done, self.unreadable = note["done"], note["unreadable"]
        self.n_bytes = note["bytes"]
        log(f"resuming at image {self.done:,} of {self.shape[0]:,}")
        return True

    def _note(self) -> dict[str, Any]:
        return {
            "spec": self.spec,
            "shape": list(self.shape),
            "done": self.done,
            "unreadable": self.unreadable,
            "bytes": self.n_bytes,
            "checksum": self.state.hexdigest(),
        }


def npy_path(base: Path) -> Path:
    """Path of the finished file."""
    return base.with_name(f"{base.name}.npy")


def sidecar_path(base: Path) -> Path:
    """Path of the finished file's note."""
    return base.with_name(f"{base.name}.json")


def hash_file(path: Path, n_bytes: int) -> Any:
    """BLAKE2b state after the first `n_bytes` bytes of a file, or after a shorter file."""
    state = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:
            while n_bytes > 0 and (chunk := file.read(min(n_bytes, _CHUNK))):
                state.update(chunk)
                n_bytes -= len(chunk)
    except FileNotFoundError:
        pass
    return state


def read_note(path: Path) -> dict[str, Any]:
    """The note of a file; an empty one if it is missing, or not as it was written."""
    try:
        text = path.read_text(encoding="utf-8")
        note = json.loads(text)
        seal = note.pop("seal")
        return note if text == _sealed_text(note) and seal == _seal(note) else {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _write_note(path: Path, note: Mapping[str, Any]) -> None:
    with written(path) as temporary:
        temporary.write_text(_sealed_text(note), encoding="utf-8")


def _sealed_text(note: Mapping[str, Any]) -> str:
    return json.dumps({**note, "seal": _seal(note)}, indent=1)


def _seal(note: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(note).encode(), digest_size=16).hexdigest()
