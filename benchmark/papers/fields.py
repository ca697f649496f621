"""Fields of one entry of a TOML file: what is missing, unknown or of the wrong type is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from benchmark.errors import InputError


class FieldType(NamedTuple):
    """What a field may hold.

    Attributes
    ----------
    words : str
        For messages, with an article.
    accepts : callable
        Whether a value of the file is one of these.
    """

    words: str
    accepts: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: object, accepts: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(accepts, value))


def _is_table(value: object, accepts: Callable[[object], bool]) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(accepts, value.values()))


def _is_entry(value: object) -> bool:
    return isinstance(value, dict)


TEXT = FieldType("a string that is not empty", _is_text)
COUNT = FieldType("a whole number above 0", _is_count)
TEXTS = FieldType("a list of strings", lambda value: _is_list(value, _is_text))
COUNTS = FieldType("a list of whole numbers above 0", lambda value: _is_list(value, _is_count))
NAMES = FieldType(
    "a table of strings", lambda value: _is_table(value, lambda text: isinstance(text, str))
)
NUMBER_LISTS = FieldType(
    "a table of lists of numbers",
    lambda value: _is_table(value, lambda numbers: _is_list(numbers, _is_number)),
)
ENTRY = FieldType("a table", _is_entry)
ENTRIES = FieldType("a list of tables", lambda value: _is_list(value, _is_entry))
NAMED_ENTRIES = FieldType("a table of tables", lambda value: _is_table(value, _is_entry))


def read_fields(
    entry: Mapping[str, Any],
    where: str,
    needed: Mapping[str, FieldType],
    optional: Mapping[str, FieldType] | None = None,
) -> Mapping[str, Any]:
    """The entry itself, once every field is known to be there and of its type.

    Parameters
    ----------
    entry : mapping
        As :mod:`tomllib` reads it.
    where : str
        File and place in it, for messages.
    needed, optional : mapping of str to FieldType

    Raises
    ------
    InputError
        If a field is missing, unknown or of another type.
    """
    types = {**needed, **(optional or {})}
    for key, value in entry.items():
        if key not in types:
            raise InputError(f"{where}: unknown field {key!r}; it may have {', '.join(types)}")
        if not types[key].accepts(value):
            raise InputError(f"{where}: {key} must be {types[key].words}, not {value!r}")
    for key in needed:
        if key not in entry:
            raise InputError(f"{where}: the field {key!r} is missing")
    return entry
