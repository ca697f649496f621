"""Names to classes: the decorator, the scan of source files, variants and plug-ins."""

from benchmark.registry.registry import Registry, Variant, methods, register
from benchmark.registry.scan import UNKNOWN, Entry
from benchmark.registry.values import spell_parameters

__all__ = [
    "UNKNOWN",
    "Entry",
    "Registry",
    "Variant",
    "methods",
    "register",
    "spell_parameters",
]
