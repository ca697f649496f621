"""The grid of cells: which there are, what identifies each, and what they will cost."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from benchmark.errors import InputError
from benchmark.protocol import Protocol
from benchmark.registry import Variant, methods
from benchmark.tuning import n_validation, points_of

if TYPE_CHECKING:
    from methods.base import Hasher, Task

#: Modules whose change makes stored metrics stale.
ENGINE = tuple(
    f"benchmark.{name}"
    for name in ("ranking", "scoring", "expectation", "metrics", "evaluation", "protocol")
)

#: Modules besides those of ``methods`` whose change makes a method another one that uses them.
TAG_MODULES = ("features.tags", "features.skip_gram", "features.word_vectors")

#: Characters of a variant in the name of its folder.
LONGEST_NAME = 120


@dataclass(frozen=True)
class Cell:
    """One method variant at one code length and seed.

    Attributes
    ----------
    variant : Variant
    bits, seed : int
    specification : dict
        Everything that determines the result, as plain values.
    skip : str or None
        Why it cannot run here.
    operations : float
        Rough number of floating-point operations of training.
    """

    variant: Variant
    bits: int
    seed: int
    specification: Mapping[str, Any] = field(hash=False, compare=False)
    skip: str | None = field(default=None, compare=False)
    operations: float = field(default=0.0, compare=False)

    @property
    def key(self) -> str:
        """Digest of the specification."""
        text = json.dumps(self.specification, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def folder(self) -> str:
        """Where the cell is stored, below ``cells/``."""
        dataset = self.specification["dataset"]
        # A value may hold anything; the key tells apart what this makes alike.
        variant = re.sub(r"[/\\\0]", "_", str(self.variant))[:LONGEST_NAME]
        return f"{dataset}/{variant}/{self.bits}b-s{self.seed}-{self.key}"


@dataclass(frozen=True)
class Grid:
    """What the user asked for, independent of the data.

    Attributes
    ----------
    variants : sequence of Variant
    bits, seeds : sequences of int
    protocol : Protocol
    tune : {"labels", "tags"}, optional
        What judges the points of the methods' grids; see :func:`benchmark.tuning.tune`.
    """

    variants: Sequence[Variant]
    bits: Sequence[int]
    seeds: Sequence[int]
    protocol: Protocol
    tune: str | None = None

    def cells(
        self, data: Mapping[str, Any], task: Task, parts: Mapping[str, Mapping[str, Any]]
    ) -> list[Cell]:
        """All cells, by variant, then code length, then seed.

        Parameters
        ----------
        data : mapping
            What identifies the data: ``dataset``, its fingerprint, the split, the features.
        task : Task
            Shape of the data, for skip reasons and prices.
        parts : mapping of str to mapping
            What identifies the parts of the data that only some methods look at: ``tags`` with
            their word vectors, and ``images`` for training end to end.

        Raises
        ------
        InputError
            If a method refuses its parameters.
        """
        return [
            self._cell(variant, bits, seed, data, task, parts)
            for variant in self.variants
            for bits in self.bits
            for seed in self.seeds
        ]

    def uses(self, name: str) -> bool:
        """Whether some method is handed this beside features: ``tags``, ``labels``, ``copies``."""
        seed = self.seeds[0]
        return any(name in make_hasher(v, self.bits[0], seed).uses for v in self.variants)

    def _cell(
        self,
        variant: Variant,
        bits: int,
        seed: int,
        data: Mapping[str, Any],
        task: Task,
        parts: Mapping[str, Mapping[str, Any]],
    ) -> Cell:
        entry = methods.find(variant.name)
        hasher = make_hasher(variant, bits, seed)
        specification = {
            **data,
            "method": str(variant),
            "parameters": {k: repr(v) for k, v in sorted(hasher.get_params().items())},
            "code": code_digest(entry.module),
            "bits": bits,
            "seed": seed,
            "protocol": self.protocol.specification(),
            "engine": [code_digest(module) for module in ENGINE],
        }
        looked_at = {*hasher.uses, "images"} if hasher.end_to_end else {*hasher.uses}
        points = points_of(hasher, dict(variant.parameters)) if self.tune else []
        if points:
            specification["tune"] = self.tune
            specification["engine"].append(code_digest("benchmark.tuning"))
            looked_at |= {self.tune}
        specification |= {name: dict(part) for name, part in parts.items() if name in looked_at}
        try:
            hasher.check_parameters()
            reason = _missing_input(hasher, task) or hasher.skip(task)
            operations = 0.0 if reason else _operations(hasher, points, task)
        except Exception as error:
            raise InputError(f"method {variant}: {type(error).__name__}: {error}") from error
        return Cell(variant, bits, seed, specification, reason, operations)


def make_hasher(variant: Variant, bits: int, seed: int) -> Hasher:
    """The untrained method of a cell.

    Raises
    ------
    InputError
        If its constructor refuses the parameters.
    """
    cls = methods.find(variant.name).load()
    try:
        return cls(n_bits=bits, random_state=seed, **dict(variant.parameters))
    except Exception as error:
        raise InputError(f"method {variant}: {type(error).__name__}: {error}") from error


def _operations(hasher: Hasher, points: Sequence[Mapping[str, Any]], task: Task) -> float:
    """Those of a fit, and before it of one for each point on a part of the training items."""
    part = replace(task, n_train=task.n_train - n_validation(task.n_train))
    tried = [clone(hasher).set_params(**point).operations(part) for point in points]
    return float(sum(tried, hasher.operations(task)))


def _missing_input(hasher: Hasher, task: Task) -> str | None:
    if "tags" in hasher.uses and not task.has_tags:
        return "needs tags, and the data set has none"
    if "labels" in hasher.uses and not task.has_labels:
        return "needs labels, and the training items have none"
    if hasher.inputs == "images" and not task.has_images:
        return "needs images, and the data set has only features"
    return None


@lru_cache
def code_digest(module: str) -> str:
    """Digest of a module's code and of the ``methods`` and tag modules that it imports.

    Comments, formatting and docstrings do not count, so that only a real change makes stored
    cells stale.
    """
    digest = hashlib.sha256()
    for name in sorted(_imported_methods(module, set())):
        tree = ast.parse(_source(name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_docstring(body[0]):
                del body[0]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def _is_docstring(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


def _source(module: str) -> Path:
    # A plug-in is known to sys.modules alone; find_spec looks there first.
    return Path(importlib.util.find_spec(module).origin)


def _imported_methods(module: str, seen: set[str]) -> set[str]:
    if module in seen:
        return seen
    seen.add(module)
    for node in ast.walk(ast.parse(_source(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "methods":
                for home in _homes({alias.name for alias in node.names}):
                    _imported_methods(home, seen)
            elif node.module.startswith("methods.") or node.module in TAG_MODULES:
                _imported_methods(node.module, seen)
    return seen


def _homes(names: set[str]) -> list[str]:
    """The modules from which the ``methods`` package takes these names."""
    nodes = ast.parse(_source("methods").read_text(encoding="utf-8")).body
    return [
        node.module
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        and node.module.startswith("methods.")
        and names & {alias.name for alias in node.names}
    ]
