"""Registered classes read from source files without importing them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    """

    name: str
    module: str
    class_name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""

    def load(self) -> type:
        """Import the module and return the class."""
        return getattr(importlib.import_module(self.module), self.class_name)


def read_entries(path: Path, module: str, decorator: str) -> Iterable[Entry]:
    """Entries of the decorated classes of one source file, read from its syntax tree."""
    source = path.read_text(encoding="utf-8")
    if f"@{decorator}(" not in source:
        return
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    for node in classes:
        for call in node.decorator_list:
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == decorator):
                continue
            facts = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
            summary = (ast.get_docstring(node) or "").split("\n")[0]
            parameters = _read_parameters(node, classes)
            name = ast.literal_eval(call.args[0])
            yield Entry(name, module, node.name, facts, parameters, summary)


def _read_parameters(node: ast.ClassDef, classes: list[ast.ClassDef]) -> dict[str, Any]:
    """Constructor parameters of a class, or of its base class in the same file."""
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
    bases = {getattr(base, "id", "") for base in node.bases}
    return next((_read_parameters(c, classes) for c in classes if c.name in bases), {})


def _literal(node: ast.expr | None) -> Any:
    try:
        return UNKNOWN if node is None else ast.literal_eval(node)
    except ValueError:
        return UNKNOWN
