"""Data sets, found by the registry through ``@register_dataset``."""

from __future__ import annotations

from benchmark.registry import Registry

#: Every named data set; a class here is a reader with ``load(self, root, cache) -> Dataset``.
datasets = Registry(
    "data set",
    "benchmark.datasets",
    decorator="register_dataset",
    required={"source": None},
    hidden=(),
)
register_dataset = datasets.register
