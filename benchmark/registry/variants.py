"""A registered name with parameters, as the command line writes it: ``name[param=value,...]``."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmark.errors import InputError
from benchmark.registry.scan import UNKNOWN, Entry
from benchmark.registry.values import read_value, spell_parameters


@dataclass(frozen=True)
class Variant:
    """A registered name with the parameters that differ from the defaults.

    Its string form is canonical: ``wdht[aggregation=tf]``, parameters in the order of the
    constructor, then options.

    Attributes
    ----------
    name : str
    parameters : tuple of (str, value)
        For the constructor.
    options : tuple of (str, str)
        What every entry of the registry takes besides, for instance how a method is searched.
    """

    name: str
    parameters: tuple[tuple[str, Any], ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        given = (*self.parameters, *self.options)
        return f"{self.name}[{','.join(spell_parameters(given))}]" if given else self.name

    def option(self, name: str) -> str | None:
        """What an option was set to, None where it was not."""
        return dict(self.options).get(name)

    def with_parameters(self, more: Mapping[str, Any], entry: Entry) -> Variant:
        """This variant with some parameters or options set or replaced.

        Defaults are left out and the others stand in the order of the constructor, so that the
        same method has one name.
        """
        values = {**dict(self.parameters), **dict(self.options), **more}
        differing = [(p, values[p]) for p, v in entry.parameters.items() if values.get(p, v) != v]
        options = sorted((o, v) for o, v in values.items() if o not in entry.parameters)
        return replace(self, parameters=tuple(differing), options=tuple(options))


def split_variant(text: str) -> tuple[str, dict[str, str]]:
    """The name and the texts of the parameter values of ``name[param=value,...]``.

    Raises
    ------
    InputError
        If the text has another form, names a parameter twice, or cannot be printed.
    """
    if not text.isprintable():
        raise InputError(f"cannot read {text!r}: it has characters that cannot be printed")
    name, bracket, rest = text.strip().partition("[")
    if bracket and (rest[-1:] != "]" or rest.count("]") > 1):
        raise InputError(f"cannot read {text!r}: write it as name[param=value,...]")
    given: dict[str, str] = {}
    parts = rest[:-1].split(",") if rest[:-1].strip() else []
    for part in parts:
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise InputError(f"cannot read {part!r} in {text!r}: write it as param=value")
        if key in given:
            raise InputError(f"{text!r} gives {key} twice: leave one of the values out")
        given[key] = value
    return name.strip(), given


def checked_parameter(entry: Entry, kind: str, parameter: str, allowed: Collection[str]) -> Any:
    """The default of a parameter that a user may set.

    Raises
    ------
    InputError
        With the nearest names, if the parameter is not among the allowed ones.
    """
    if parameter not in allowed:
        near = difflib.get_close_matches(parameter, allowed, n=2, cutoff=0.4) or allowed
        hint = f"it has {', '.join(near)}" if near else "it has none"
        raise InputError(f"{kind} {entry.name} has no parameter {parameter!r}: {hint}")
    return entry.parameters[parameter]


def checked_value(owner: str, text: str, default: Any) -> Any:
    """A parameter value of the type that its default has.

    Parameters
    ----------
    owner : str
        What the value belongs to, for messages: ``itq.n_iter``.
    text : str
    default : object
        Any type is taken where it is None or :data:`~benchmark.registry.scan.UNKNOWN`.

    Raises
    ------
    InputError
        If the value is of another type.
    """
    value = read_value(text)
    if isinstance(value, (list, dict, set, tuple)):
        raise InputError(f"{owner} must be one value, not {text!r}")
    if default is UNKNOWN or default is None:
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(
            type(default), "a word"
        )
        raise InputError(f"{owner} must be {wanted}, not {text!r}")
    return value


def checked_option(owner: str, text: str, words: Collection[str]) -> str:
    """A value of an option, which is one of a few words.

    Raises
    ------
    InputError
        If it is another.
    """
    if text not in words:
        raise InputError(f"{owner} must be {' or '.join(words)}, not {text!r}")
    return text
