"""Hashing methods: one short file each, found by the registry through ``@register``."""

from __future__ import annotations

from typing import Any

from benchmark.registry import methods, register
from methods.base import Hasher, Task
from methods.quantizer import Quantizer

__all__ = ["Hasher", "Quantizer", "Task", "make", "register"]


def make(name: str, **parameters: Any) -> Hasher:
    """An untrained method by its id.

    Parameters
    ----------
    name : str
        An id such as ``itq``, or a variant such as ``itq[n_iter=100]``.
    **parameters
        Constructor parameters, for instance ``n_bits``.

    Raises
    ------
    InputError
        With the nearest names, if there is no such method.

    Examples
    --------
    >>> make("itq", n_bits=16).n_bits
    16
    """
    variant = methods.parse(name)
    return methods.find(variant.name).load()(**dict(variant.parameters), **parameters)
