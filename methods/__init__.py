"""Hashing methods: one short file each, found by the registry through ``@register``."""

from __future__ import annotations

from benchmark.registry import register
from methods.base import Hasher, Task

__all__ = ["Hasher", "Task", "register"]
