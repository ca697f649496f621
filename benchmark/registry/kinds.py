"""What can be registered: methods, data sets and extractors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import InputError
from benchmark.registry.registry import Registry
from benchmark.registry.scan import Entry
from benchmark.registry.variants import Variant
from features.extractors import waiting
from features.networks import NetworkExtractor

if TYPE_CHECKING:
    from features.extractors import Extractor


class ExtractorRegistry(Registry):
    """The extractors, some of which are families that stand for many names."""

    def find(self, name: str) -> Entry:
        """The entry of that name, or of the family that has it.

        Raises
        ------
        InputError
            With the nearest names, if there is none.
        """
        single = {e.name: e for e in self.entries() if not e.facts["family"]}
        if name in single:
            return single[name]
        # Only now, since a family is imported to be asked.
        known = list(single)
        for entry in self.entries():
            members = _family(entry).names() if entry.facts["family"] else []
            if name in members:
                return entry
            known += members
        raise self._unknown(name, known)

    def check(self, text: str, weights: Path | None = None) -> Variant:
        """The extractor that ``--features`` names, after everything that can be checked at once.

        Parameters
        ----------
        text : str
            A name, or ``name[param=value,...]``.
        weights : Path, optional
            The file of ``--weights``.

        Raises
        ------
        InputError
            If there is no such extractor, the weights file is missing, or the extractor takes none.
        """
        variant = self.parse(text)
        if weights is not None and "weights" not in self.find(variant.name).parameters:
            raise InputError(f"features {variant} need no weights: leave out --weights {weights}")
        if weights is not None and not Path(weights).is_file():
            raise InputError(f"--weights {weights}: there is no such file")
        return variant

    def make(self, text: str, *, weights: Path | None = None, device: str = "cpu") -> Extractor:
        """The extractor that ``--features`` names; no network is loaded yet.

        Parameters
        ----------
        text : str
            A name, or ``name[param=value,...]``.
        weights : Path, optional
            File with the network's state dict; without it the extractor uses its own.
        device : str
            ``cpu`` or ``cuda``.

        Raises
        ------
        InputError
            As :meth:`check`; also if the constructor refuses its parameters.
        """
        variant = self.check(text, weights)
        entry = self.find(variant.name)
        given = {"name": variant.name, "weights": weights, "device": device}
        given = {key: value for key, value in given.items() if key in entry.parameters}
        try:
            extractor: Extractor = entry.load()(**given, **dict(variant.parameters))
        except (TypeError, ValueError) as error:
            raise InputError(f"features {variant}: {error}") from error
        # The name of its files in the cache: a value may hold anything.
        extractor.name = re.sub(r"[/\\\0]", "_", str(variant))
        return extractor

    def listing(self) -> list[tuple[str, str]]:
        """Names and descriptions, those of a family by its examples."""
        lines: list[tuple[str, str]] = []
        for entry in self.entries():
            if entry.facts["family"]:
                lines += [*_family(entry).examples.items(), (f"<{entry.name}>", entry.summary)]
            else:
                lines.append((entry.name, entry.summary))
        return lines

    def is_trainable(self, name: str) -> bool:
        """Whether ``--end-to-end`` can train the network of that extractor."""
        return issubclass(self.find(name).load(), NetworkExtractor)

    def trainable_names(self) -> list[str]:
        """Names of extractors whose network ``--end-to-end`` can train; of families examples."""
        return [
            name
            for entry in self.entries()
            if issubclass(entry.load(), NetworkExtractor)
            for name in (_family(entry).examples if entry.facts["family"] else [entry.name])
        ]


def _family(entry: Entry) -> Any:
    """The class of a family, which has ``names()`` and ``examples``."""
    return entry.load()


#: Every hashing method. ``supervision`` is also the leakage guard: the runner hands tags and
#: labels only to methods that declare them.
methods = Registry(
    "method",
    "methods",
    group="hashbench.methods",
    required={"paper": None, "supervision": ("none", "tags", "labels")},
    optional={
        "fidelity": ("paper", "author-code", "adapted", "reconstruction"),
        "inputs": ("features", "images"),
    },
    hidden=("n_bits", "random_state"),
    options={"search": ("asymmetric", "real")},
)
register = methods.register

#: Every named data set; a class is a reader with ``load(self, root, cache) -> Dataset``.
datasets = Registry(
    "data set",
    "benchmark.datasets",
    decorator="register_dataset",
    group="hashbench.datasets",
    required={"source": None},
)
register_dataset = datasets.register

#: Every extractor of features; see :func:`features.extractors.register_extractor`.
extractors = ExtractorRegistry(
    "extractor",
    "features",
    decorator="register_extractor",
    group="hashbench.extractors",
    optional={"family": (False, True)},
    hidden=("name", "weights", "device"),
    waiting=waiting,
)
