"""The grid of cells: which there are, what identifies each, and what they will cost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from benchmark.digests import code_digest, package_digest, value_digest
from benchmark.execution.guard import asked, reason_to_skip
from benchmark.execution.tuning import n_validation, points_of
from benchmark.preparation.features import Prepared
from benchmark.protocol.protocol import Protocol
from benchmark.registry import Variant, methods
from methods.search import representation

if TYPE_CHECKING:
    from methods.base import Hasher, Task


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
        return value_digest(self.specification, 12)

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
        What judges the points of the methods' grids; see :func:`benchmark.execution.tuning.tune`.
    """

    variants: Sequence[Variant]
    bits: Sequence[int]
    seeds: Sequence[int]
    protocol: Protocol
    tune: str | None = None

    def cells(self, data: Prepared) -> list[Cell]:
        """All cells, by variant, then code length, then seed.

        Raises
        ------
        InputError
            If a method refuses its parameters.
        """
        return [
            self._cell(variant, bits, seed, data)
            for variant in self.variants
            for bits in self.bits
            for seed in self.seeds
        ]

    def check(self) -> None:
        """InputError if a method refuses its parameters, whatever the data."""
        for variant in self.variants:
            asked(variant, make_hasher(variant, self.bits[0], self.seeds[0]).check_parameters)

    def uses(self, name: str) -> bool:
        """Whether some method is handed this beside features: ``tags``, ``labels``, ``copies``."""
        seed = self.seeds[0]
        return any(
            name in asked(v, lambda v=v: make_hasher(v, self.bits[0], seed).uses)
            for v in self.variants
        )

    def _cell(self, variant: Variant, bits: int, seed: int, data: Prepared) -> Cell:
        entry, task = methods.find(variant.name), data.task
        hasher = make_hasher(variant, bits, seed)
        searched = asked(variant, lambda: representation(hasher, variant.option("search")))
        specification = {
            **data.identity,
            "method": str(variant),
            "parameters": {k: repr(v) for k, v in sorted(hasher.get_params().items())},
            "code": code_digest(entry.module),
            "ranked_by": searched.ranked_by,
            "bits": bits,
            "seed": seed,
            "protocol": self.protocol.specification(),
            "engine": [package_digest("benchmark.protocol")],
        }
        looked_at = asked(variant, lambda: {*hasher.uses})
        if hasher.end_to_end:
            looked_at |= {"images"}
        if variant.options:
            specification["engine"].append(code_digest("methods.search"))
        if hasattr(hasher, "recipe"):
            looked_at |= {"network"}
        points = points_of(hasher, dict(variant.parameters)) if self.tune else []
        if points:
            specification["tune"] = self.tune
            specification["engine"].append(code_digest("benchmark.execution.tuning"))
            looked_at |= {self.tune}
        specification |= {
            name: dict(part) for name, part in data.parts.items() if name in looked_at
        }
        asked(variant, hasher.check_parameters)
        reason = _missing_input(hasher, task)
        reason = reason or reason_to_skip(variant, lambda: hasher.skip(task))
        operations = 0.0 if reason else asked(variant, lambda: _operations(hasher, points, task))
        return Cell(variant, bits, seed, specification, reason, operations)


def make_hasher(variant: Variant, bits: int, seed: int) -> Hasher:
    """The untrained method of a cell.

    Raises
    ------
    InputError
        If its constructor refuses the parameters.
    """
    cls = methods.find(variant.name).load()
    return asked(variant, lambda: cls(n_bits=bits, random_state=seed, **dict(variant.parameters)))


def _operations(hasher: Hasher, points: Sequence[Mapping[str, Any]], task: Task) -> float:
    """Operations of the final fit plus one fit per tuning point on the reduced training set."""
    part = replace(task, n_train=task.n_train - n_validation(task.n_train))
    tried = [clone(hasher).set_params(**point).operations(part) for point in points]
    return float(sum(tried, hasher.operations(task)))


def _missing_input(hasher: Hasher, task: Task) -> str | None:
    if task.n_train < 2:
        return "needs at least two training items"
    if "tags" in hasher.uses and not task.has_tags:
        return "needs tags, and the data set has none"
    if "labels" in hasher.uses and not task.has_labels:
        return "needs labels, and the training items have none"
    if hasher.inputs == "images" and not task.has_images:
        return "needs images, and the data set has only features"
    return None
