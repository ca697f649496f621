"""Names to classes: the decorator, the scan of source files, variants and plug-ins."""

from benchmark.registry.kinds import datasets, extractors, methods, register, register_dataset
from benchmark.registry.plugins import load_plugins
from benchmark.registry.registry import Registry
from benchmark.registry.scan import UNKNOWN, Entry
from benchmark.registry.values import spell_parameters
from benchmark.registry.variants import Variant

__all__ = [
    "UNKNOWN",
    "Entry",
    "Registry",
    "Variant",
    "datasets",
    "extractors",
    "load_plugins",
    "methods",
    "register",
    "register_dataset",
    "spell_parameters",
]
