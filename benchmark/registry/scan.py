"""Registered classes read from source files without importing them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.digests import source_of

#: Stands for a constructor default that is not a literal (and for a parameter without one).
UNKNOWN = object()


@dataclass(frozen=True)
class Entry:
    """What is known of a registered class without importing it.

    Attributes
    ----------
    name : str
        The id on the command line.
    module, class_name : str
        Where the class lives.
    facts : dict
        The keywords given to the decorator (``paper``, ``supervision``, ...).
    parameters : dict of str to object
        Constructor parameters and their defaults (``UNKNOWN`` where the default is no literal).
    summary : str
        First line of the docstring.
    cls : type, optional
        The class itself, once its decorator has run.
    """

    name: str
    module: str
    class_name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    cls: type | None = None

    def load(self) -> type:
        """The class; its module is imported if that has not been done."""
        if self.cls is not None:
            return self.cls
        return getattr(importlib.import_module(self.module), self.class_name)


def read_entries(path: Path, module: str, decorator: str) -> Iterable[Entry]:
    """Entries of the decorated classes of one source file, read from its syntax tree."""
    source = path.read_text(encoding="utf-8")
    if f"@{decorator}(" not in source:
        return
    tree = ast.parse(source)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        for call in node.decorator_list:
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == decorator):
                continue
            facts = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
            summary = (ast.get_docstring(node) or "").split("\n")[0]
            parameters = _read_parameters(node, tree)
            name = ast.literal_eval(call.args[0])
            yield Entry(name, module, node.name, facts, parameters, summary)


def _read_parameters(node: ast.ClassDef, tree: ast.Module) -> dict[str, Any]:
    """Constructor parameters of a class, or of the base class that it has them from."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            arguments = item.args
            positional = (arguments.posonlyargs + arguments.args)[1:]
            missing = [None] * (len(positional) - len(arguments.defaults))
            pairs = [
                *zip(positional, [*missing, *arguments.defaults], strict=True),
                *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
            ]
            return {argument.arg: _literal(default) for argument, default in pairs}
    for base in node.bases:
        found = _find_class(getattr(base, "id", ""), tree)
        if found:
            return _read_parameters(*found)
    return {}


def _find_class(name: str, tree: ast.Module) -> tuple[ast.ClassDef, ast.Module] | None:
    """A class of that name and the module it stands in: this one, or one that it imports from."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, tree
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            original = next((a.name for a in node.names if (a.asname or a.name) == name), None)
            path = source_of(node.module) if original else None
            if original and path:
                return _find_class(original, ast.parse(path.read_text(encoding="utf-8")))
    return None


def _literal(node: ast.expr | None) -> Any:
    try:
        return UNKNOWN if node is None else ast.literal_eval(node)
    except ValueError:
        return UNKNOWN
