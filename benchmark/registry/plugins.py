"""Files of the user's own that register methods, data sets and extractors."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from benchmark.digests import checksum, code_digest
from benchmark.errors import InputError, describe
from benchmark.registry.kinds import datasets, extractors, methods

REGISTRIES = (methods, datasets, extractors)

#: Checksum of each plug-in as it was run, by the name of its module.
_loaded: dict[str, str] = {}


def load_plugins(paths: Iterable[str | Path]) -> None:
    """Run Python files that register classes, each unless that has been done as it stands.

    Raises
    ------
    InputError
        If a file is missing, fails while it is imported, registers nothing or takes a name that
        is known already.
    """
    for path in paths:
        _load(_resolved(path))


def module_name(path: Path) -> str:
    """Name of a plug-in's module: another for another file, also where both end alike."""
    place = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"hashbench_plugin_{path.stem}_{place}"


def _resolved(path: str | Path) -> Path:
    """The path without links; InputError unless there is a plain file."""
    try:
        found = Path(path).resolve()
        there = found.is_file()
    except (OSError, RuntimeError, ValueError):
        # A name that is too long, or links in a circle.
        there = False
    if not there:
        raise InputError(f"--plugin {path}: there is no such file")
    return found


def _load(path: Path) -> None:
    name = module_name(path)
    content = checksum(path)
    if name not in sys.modules or _loaded.get(name) != content:
        _run(path, name)
        _loaded[name] = content
    if not any(entry.module == name for registry in REGISTRIES for entry in registry.entries()):
        raise InputError(f"--plugin {path}: it registers no method, data set or extractor")


def _run(path: Path, name: str) -> None:
    """Import a file under that name; nothing of it is left where that fails."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"--plugin {path}: not a Python file (its name must end in .py)")
    _withdraw(name)
    # An edited file is other code under the same name.
    code_digest.cache_clear()
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        for registry in REGISTRIES:
            registry.entries()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _withdraw(name)
        raise InputError(f"--plugin {path}: {_reason(error, path)}") from error


def _withdraw(name: str) -> None:
    sys.modules.pop(name, None)
    for registry in REGISTRIES:
        registry.withdraw(name)


def _reason(error: BaseException, path: Path) -> str:
    """What went wrong, in one line, and in which line of the file."""
    if isinstance(error, InputError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    what = describe(error)
    return f"line {lines[-1]}: {what}" if lines else what
