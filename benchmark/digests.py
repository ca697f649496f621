"""Digests of files and of code, which show whether a stored result is still valid."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: Packages whose modules count as part of the code that imports them, besides the user's own.
FOLLOWED = ("methods", "features")

#: Where the modules of Python and of installed packages are, which their versions stand for.
_STANDARD, _INSTALLED = Path(sysconfig.get_path("stdlib")), {"site-packages", "dist-packages"}


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def value_digest(value: Any, length: int = 16) -> str:
    """SHA-256 of plain values, however the keys of mappings are ordered.

    Parameters
    ----------
    value : str, number, list or mapping of such
        Anything else counts as its ``str``.
    length : int
        Hexadecimal digits, at most 64.
    """
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def array_digest(*arrays: np.ndarray) -> str:
    """SHA-256 of the types, shapes and contents of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


@lru_cache
def code_digest(module: str) -> str:
    """Digest of a module's code and of what it imports from ``methods``, ``features`` and the user.

    Comments, formatting and docstrings do not count, so that only a change of code makes stored
    results stale.

    Parameters
    ----------
    module : str
        Dotted name of a module that can be imported, or of a plug-in that has been.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(imported_code(module)):
        tree = ast.parse(source_of(name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_docstring(body[0]):
                del body[0]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


@lru_cache
def package_digest(package: str) -> str:
    """Digest of the code of every module of a package, as :func:`code_digest` takes it."""
    folder = source_of(package).parent
    modules = [f"{package}.{path.stem}" for path in sorted(folder.glob("*.py"))]
    return value_digest([code_digest(module.removesuffix(".__init__")) for module in modules])


def imported_code(module: str) -> set[str]:
    """A module and what it imports, directly or not, that counts as part of its code.

    These are modules of ``methods`` and ``features``, and the user's own: files that are neither
    this project's nor an installed package's, such as a helper beside a plug-in.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        # A plug-in may import modules that are not installed.
        if name not in found and source_of(name):
            found.add(name)
            waiting += _imports_of(name)
    return found


def _imports_of(module: str) -> list[str]:
    imported = []
    for node in ast.walk(ast.parse(source_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            origin, names = _origin(node, module), {alias.name for alias in node.names}
            if origin.partition(".")[0] in FOLLOWED:
                imported += _homes(origin, names)
            else:
                imported += _own(module, *(f"{origin}.{name}" for name in names))
        elif isinstance(node, ast.Import):
            for name in {alias.name for alias in node.names}:
                imported += [name] if name.partition(".")[0] in FOLLOWED else _own(module, name)
    return imported


def _origin(node: ast.ImportFrom, module: str) -> str:
    """The absolute name of what is imported from, in a module of that name."""
    if not node.level:
        return node.module or ""
    is_package = source_of(module).name == "__init__.py"
    above = module.split(".")[: None if is_package and node.level == 1 else is_package - node.level]
    return ".".join([*above, node.module] if node.module else above)


def _own(importer: str, *names: str) -> list[str]:
    """Those of these names, and of the packages around them, that are the user's own modules.

    Modules of an installed package count where another module of that package imports them.
    """
    own = []
    for parts in (name.split(".") for name in names):
        for name in (".".join(parts[:size]) for size in range(1, len(parts) + 1)):
            if parts[0] not in (*FOLLOWED, "", "benchmark") and _is_own(name, importer):
                own.append(name)
    return own


def _is_own(name: str, importer: str) -> bool:
    source = source_of(name)
    if source is None or source.suffix != ".py":
        return False
    if name.partition(".")[0] == importer.partition(".")[0]:
        return True
    return not (source.is_relative_to(_STANDARD) or _INSTALLED.intersection(source.parts))


def _homes(module: str, names: set[str]) -> list[str]:
    """The modules that define these names, also if a package re-exports them."""
    source = source_of(module)
    if source is None or source.name != "__init__.py":
        return [module]
    homes = [f"{module}.{name}" for name in names if _is_module(source.parent, name)]
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            handed_on = names & {alias.name for alias in node.names}
            if handed_on and node.module.partition(".")[0] in FOLLOWED:
                homes += _homes(node.module, handed_on)
    return homes


def _is_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


def _is_docstring(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


def source_of(module: str) -> Path | None:
    """The file of a module, found without importing it; None if there is none.

    Parameters
    ----------
    module : str
        Dotted name, also of a plug-in that has been loaded.
    """
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded:
        return Path(loaded)
    top, *rest = module.split(".")
    try:
        # Locating a top-level package imports nothing.
        spec = importlib.util.find_spec(top)
    except ValueError:
        # ``__main__``, for instance.
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    for part in rest:
        folder = path.parent / part / "__init__.py"
        path = folder if folder.is_file() else path.parent / f"{part}.py"
    return path if path.suffix == ".py" and path.is_file() else None
