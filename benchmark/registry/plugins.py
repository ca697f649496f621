"""Files of the user's own that register methods, data sets and extractors."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from benchmark.errors import InputError
from benchmark.registry.kinds import datasets, extractors, methods

REGISTRIES = (methods, datasets, extractors)


def load_plugins(paths: Iterable[str | Path]) -> None:
    """Run Python files that register classes, each unless that has been done.

    Raises
    ------
    InputError
        If a file is missing, fails while it is imported, registers nothing or takes a name that
        is known already, or if two files have the same name.
    """
    files: dict[str, Path] = {}
    for path in map(_resolved, paths):
        other = files.setdefault(path.stem, path)
        if other != path:
            raise InputError(f"--plugin {path}: {other} has the same name; rename one of them")
        _load(path)


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
    name = f"hashbench_plugin_{path.stem}"
    known = sys.modules.get(name)
    if known is None or Path(known.__file__ or "") != path:
        _run(path, name)
    if not any(entry.module == name for registry in REGISTRIES for entry in registry.entries()):
        raise InputError(f"--plugin {path}: it registers no method, data set or extractor")


def _run(path: Path, name: str) -> None:
    """Import a file under that name; nothing of it is left where that fails."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"--plugin {path}: not a Python file (its name must end in .py)")
    _withdraw(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        for registry in REGISTRIES:
            registry.entries()
    except (Exception, SystemExit) as error:
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
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"line {lines[-1]}: {what}" if lines else what
