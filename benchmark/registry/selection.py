"""Which methods, with which parameters, ``--methods`` and ``--set`` mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from benchmark.errors import InputError
from benchmark.registry import Variant, methods


def variants_of(names: Sequence[str], settings: Sequence[str]) -> list[Variant]:
    """The variants that ``--methods`` names, with the parameters of ``--set``."""
    variants = methods.select(names or ["*"])
    changes = changes_of(settings)
    check_changes(changes, {variant.name for variant in variants})
    return unique([changed(variant, changes) for variant in variants])


def changes_of(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Method to the parameters that ``--set`` gives it."""
    changes: dict[str, dict[str, Any]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, parameter = target.strip().rpartition(".")
        if not (equals and dot):
            raise InputError(f"--set {text}: write it as METHOD.PARAM=VALUE")
        given = methods.parse_value(methods.find(name), parameter, value.strip())
        known = changes.setdefault(name, {})
        if parameter in known:
            raise InputError(f"--set {text}: {name}.{parameter} is set twice; give one value")
        known[parameter] = given
    return changes


def check_changes(changes: Mapping[str, Mapping], names: Set[str]) -> None:
    """Raise InputError if a parameter is set for a method that is not run."""
    for name in changes:
        if name not in names:
            raise InputError(
                f"--set {name}.{next(iter(changes[name]))}: {name} is not among the methods to run"
            )


def changed(variant: Variant, changes: Mapping[str, Mapping[str, Any]]) -> Variant:
    """A variant with the parameters that are set for its method."""
    more = changes.get(variant.name)
    return variant.with_parameters(more, methods.find(variant.name)) if more else variant


def unique(values: Sequence) -> list:
    """Values without repeats, in their order."""
    return list(dict.fromkeys(values))
