"""Lines of the CSV files with printed numbers and notes, checked one by one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from benchmark.errors import InputError

#: Columns of a file with printed numbers, and of the notes on them.
VALUES = ("dataset", "setting", "metric", "row", "bits", "value", "unit")
NOTES = ("table", "dataset", "row", "bits", "kind", "note")
#: How many places the decimal point moves to make a fraction of a printed number.
UNITS = {"fraction": 0, "percent": 2}
KINDS = ("remark", "incomparable")


@dataclass(frozen=True)
class PrintedValue:
    """A printed number.

    Attributes
    ----------
    dataset, row : str
        As the paper prints them.
    setting : str
        Which part of the table it belongs to.
    metric : str
        Ours.
    bits : int
    fraction : Decimal
        With as many digits as the paper prints.
    """

    dataset: str
    setting: str
    metric: str
    row: str
    bits: int
    fraction: Decimal


@dataclass(frozen=True)
class Note:
    """What is odd about a table, a row or an entry.

    Attributes
    ----------
    line : int
        In the file.
    table, dataset : str
    row : str
        Empty for all rows.
    bits : int or None
        None for all code lengths.
    kind : {"remark", "incomparable"}
    text : str
    """

    line: int
    table: str
    dataset: str
    row: str
    bits: int | None
    kind: str
    text: str


def read_values(path: Path) -> list[PrintedValue]:
    """The printed numbers in a file, in its order.

    Raises
    ------
    InputError
        If the file cannot be read, or a line of it is wrong or repeats another.
    """
    values: dict[tuple, PrintedValue] = {}
    for number, line in _read(path, VALUES):
        where = f"{path}, line {number}"
        if line["unit"] not in UNITS:
            raise InputError(f"{where}: unit must be {' or '.join(UNITS)}, not {line['unit']!r}")
        value = PrintedValue(
            dataset=line["dataset"],
            setting=line["setting"],
            metric=line["metric"],
            row=line["row"],
            bits=_bits(line["bits"], where),
            fraction=_number(line["value"], where).scaleb(-UNITS[line["unit"]]),
        )
        place = (value.dataset, value.setting, value.row, value.bits)
        if place in values:
            raise InputError(f"{where}: an earlier line has the same data set, row and bits")
        values[place] = value
    return list(values.values())


def read_notes(path: Path) -> list[Note]:
    """The notes on all tables, in the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line of it is wrong.
    """
    notes = []
    for number, line in _read(path, NOTES):
        where = f"{path}, line {number}"
        if line["kind"] not in KINDS:
            raise InputError(f"{where}: kind must be {' or '.join(KINDS)}, not {line['kind']!r}")
        bits = _bits(line["bits"], where) if line["bits"] else None
        place = (line["table"], line["dataset"], line["row"], bits)
        notes.append(Note(number, *place, kind=line["kind"], text=line["note"]))
    return notes


def _bits(text: str, where: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise InputError(f"{where}: bits must be a whole number above 0, not {text!r}")
    return int(text)


def _number(text: str, where: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise InputError(f"{where}: value must be a number, not {text!r}")
    return number


def _read(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and fields of each line below the head."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            for fields in filter(None, reader):
                if reader.line_num == 1 and tuple(fields) != tuple(columns):
                    raise InputError(f"{path}: the first line must be {','.join(columns)}")
                if len(fields) != len(columns):
                    raise InputError(
                        f"{path}, line {reader.line_num}: {len(columns)} fields are needed, "
                        f"not {len(fields)}"
                    )
                if reader.line_num > 1:
                    yield reader.line_num, dict(zip(columns, fields, strict=True))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a valid CSV file: {error}") from error
