"""Readers of data sets, found by the registry through ``@register_dataset``."""

from benchmark.registry import datasets, register_dataset

__all__ = ["datasets", "register_dataset"]
