"""The numbers that papers print, and which of our methods each of their rows is.

The CSV files below ``results/published/`` hold them as printed; the README there says what was
measured and what is odd.  Nothing is corrected here: what looks wrong carries a note.
"""

from __future__ import annotations

import csv
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.errors import InputError

DISTRIBUTION = "hashbench"
#: Where an installation keeps the CSV files, below its prefix; setup.cfg says the same.
INSTALLED = "share/hashbench/published"

#: What a printed number is multiplied by to become a fraction.
UNITS = {"fraction": 1.0, "percent": 0.01}


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table.

    Attributes
    ----------
    name : str
        As the paper prints it.
    variant : str
        Our method as the command takes it, ``wdht[aggregation=tf]``; empty if it has none.
    values : mapping of int to float
        Bits to the value, as a fraction.
    printed : mapping of int to str
        Bits to the digits in the paper.
    notes : mapping of int to str
        Bits to what is odd about the entry.
    note : str
        What is odd about the row.
    incomparable : str
        Why our number cannot be compared with it, or empty.
    """

    name: str
    variant: str
    values: Mapping[int, float]
    printed: Mapping[int, str]
    notes: Mapping[int, str] = field(default_factory=dict)
    note: str = ""
    incomparable: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One data set of a published table, in one setting.

    Attributes
    ----------
    id : str
        What ``--table`` takes.
    paper, caption : str
    metric : str
        Ours: ``mAP@5000``.
    protocol : str
        Preset of :mod:`benchmark.protocol.protocol` that imitates the paper.
    dataset : str
        As the paper prints it.
    source : str
        The same data and split as ``--dataset`` takes it.
    bits : tuple of int
    rows : tuple of PublishedRow
        In the order of the paper.
    note : str
        What is odd about the table, or empty.
    """

    id: str
    paper: str
    caption: str
    metric: str
    protocol: str
    dataset: str
    source: str
    bits: tuple[int, ...]
    rows: tuple[PublishedRow, ...]
    note: str = ""

    @property
    def variants(self) -> tuple[str, ...]:
        """Our methods, in the order of the rows that have one."""
        return tuple(row.variant for row in self.rows if row.variant)

    def row(self, variant: str) -> PublishedRow:
        """The row of one of our methods."""
        return next(row for row in self.rows if row.variant == variant)


@dataclass(frozen=True)
class _Layout:
    """How the tables of one id are made from a file.

    ``parts`` lists the blocks: settings in the file, data set as printed, our data set.
    """

    file: str
    paper: str
    caption: str
    protocol: str
    parts: tuple[tuple[str, str, str], ...]
    variants: Mapping[str, str]


WDHT = "WDHT (Gattupalli et al., CVPR 2019)"
_NUS, _MIR = "NUS-WIDE", "MIR-FLICKR25K"
_WDHT_PARTS = (("wdht", _NUS, "nuswide"), ("wdht", _MIR, "mirflickr25k"))
_SMALL = "[setting=wmh]"
_WMH_PARTS = (("wmh", _NUS, f"nuswide{_SMALL}"), ("wmh", _MIR, f"mirflickr25k{_SMALL}"))
_WDHT_VARIANTS = {
    "ITQ": "itq",
    "PCAH": "pcah",
    "LSH": "lsh",
    # Density sensitive hashing, not deep supervised hashing.
    "DSH": "dsh",
    "SpH": "sph",
    "SH": "sh",
    "AGH": "agh",
    "DH": "dh",
    "UH-BDNN": "uh-bdnn",
    "DeepBit": "deepbit",
    "Binary Tag Vector": "binary-tag",
    "WDHT": "wdht",
    "WMH*": "wmh",
    "WDHT*": "wdht",
}

_LAYOUTS = {
    "2": _Layout(
        "wdht-table2.csv",
        f"{WDHT}, Table 2",
        "mAP over the first 5,000 items for three ways to aggregate tag vectors",
        "wdht",
        _WDHT_PARTS[:1],
        {
            "WDHT-itf": "wdht[aggregation=itf]",
            "WDHT-tf": "wdht[aggregation=tf]",
            "WDHT-mean": "wdht",
        },
    ),
    "3": _Layout(
        "wdht-table3.csv",
        f"{WDHT}, Table 3",
        "mAP over the first 50,000 items; starred rows with 5,000 training and 1,000 query images",
        "wdht",
        _WDHT_PARTS + _WMH_PARTS,
        _WDHT_VARIANTS,
    ),
    "4": _Layout(
        "wdht-table4.csv",
        f"{WDHT}, Table 4",
        "mAP over the first 5,000 items",
        "wdht",
        _WDHT_PARTS,
        _WDHT_VARIANTS,
    ),
    "ijcai-2": _Layout(
        "ijcai-table2.csv",
        "WP (IJCAI 2018), Table 2",
        "mAP over the whole ranking, trained on tags alone: tags as labels, or weakly supervised "
        "pre-training without fine-tuning (WP)",
        "wp-ijcai2018",
        (("ijcai", _NUS, "nuswide[labels=81]"),),
        {
            "KSH^-": "ksh[labels=tags]",
            "WP-KSH^-": "wp-ksh[finetune=false]",
            "DSH^-": "deep-dsh[labels=tags]",
            "WP-DSH^-": "wp-dsh[finetune=false]",
            "DRSCH^-": "drsch[labels=tags]",
            "WP-DRSCH^-": "wp-drsch[finetune=false]",
        },
    ),
    "wsdhq": _Layout(
        "wsdhq.csv",
        "WSDHQ (Wang et al., AAAI 2021), logs of the released code",
        "mAP over the first 5,000 items: asymmetric (AQD) and symmetric (SQD) quantised search, "
        "and search by the real-valued features",
        "wsdhq",
        (("log 2/2", _NUS, "nuswide"), ("log 1/1", _MIR, "mirflickr25k")),
        {"WSDHQ, AQD": "wsdhq", "WSDHQ, SQD": "wsdhq[search=sqd]", "WSDHQ, features": ""},
    ),
}

#: What ``--table`` takes.
TABLE_IDS = tuple(_LAYOUTS)


def published_tables(table_id: str) -> tuple[PublishedTable, ...]:
    """A published table, one for each data set and setting in it.

    Raises
    ------
    InputError
        If there is no such table, or its files are missing.
    """
    if table_id not in _LAYOUTS:
        raise InputError(f"there is no published table {table_id!r}: give {', '.join(TABLE_IDS)}")
    layout = _LAYOUTS[table_id]
    lines = _read(layout.file)
    notes = _Notes([line for line in _read("notes.csv") if line["table"] == table_id])
    return tuple(
        _table(table_id, layout, part, [li for li in lines if _place(li) == part[:2]], notes)
        for part in layout.parts
    )


def published_folder() -> Path:
    """Where the CSV files lie, in a clone or in an installation.

    Raises
    ------
    InputError
        If they are in neither.
    """
    clone = Path(__file__).resolve().parents[2] / "results" / "published"
    if clone.is_dir():
        return clone
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.match(f"{INSTALLED}/notes.csv"):
            return Path(file.locate()).resolve().parent
    raise InputError("the published numbers (results/published/) are missing: install again")


class _Notes:
    """Notes of one table by the row and entry that they are about."""

    def __init__(self, lines: Sequence[Mapping[str, str]]) -> None:
        self.lines = lines

    def find(self, kind: str, dataset: str, row: str = "", bits: str = "") -> str:
        about = {"kind": kind, "dataset": dataset, "row": row, "bits": bits}
        found = (li["note"] for li in self.lines if all(li[k] == v for k, v in about.items()))
        return "; ".join(found)


def _table(
    table_id: str,
    layout: _Layout,
    part: tuple[str, str, str],
    lines: Sequence[Mapping[str, str]],
    notes: _Notes,
) -> PublishedTable:
    _, dataset, source = part
    (metric,) = {line["metric"] for line in lines}
    names = dict.fromkeys(line["row"] for line in lines)
    return PublishedTable(
        id=table_id,
        paper=layout.paper,
        caption=layout.caption,
        metric=metric,
        protocol=layout.protocol,
        dataset=dataset,
        source=source,
        bits=tuple(sorted({int(line["bits"]) for line in lines})),
        rows=tuple(
            _row(layout.variants[name], dataset, [li for li in lines if li["row"] == name], notes)
            for name in names
        ),
        note=notes.find("remark", dataset),
    )


def _row(
    variant: str, dataset: str, lines: Sequence[Mapping[str, str]], notes: _Notes
) -> PublishedRow:
    name = lines[0]["row"]
    odd = {int(li["bits"]): notes.find("remark", dataset, name, li["bits"]) for li in lines}
    reasons = (notes.find("incomparable", dataset), notes.find("incomparable", dataset, name))
    return PublishedRow(
        name=name,
        variant=variant,
        values={int(li["bits"]): round(float(li["value"]) * UNITS[li["unit"]], 9) for li in lines},
        printed={int(li["bits"]): li["value"] for li in lines},
        notes={bits: note for bits, note in odd.items() if note},
        note=notes.find("remark", dataset, name),
        incomparable="; ".join(filter(None, reasons)),
    )


def _place(line: Mapping[str, str]) -> tuple[str, str]:
    return line["setting"], line["dataset"]


def _read(name: str) -> list[dict[str, str]]:
    path = published_folder() / name
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
