"""Hashing methods: one short file each, found by the registry through ``@register``."""

from __future__ import annotations

from benchmark.registry import register
from methods.base import Hasher, Task
from methods.quantizer import Quantizer

__all__ = ["Hasher", "Quantizer", "Task", "register"]
