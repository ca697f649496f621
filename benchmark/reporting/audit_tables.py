"""The audit as text, Markdown and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmark.files import write_file
from benchmark.reporting.audit import BOUNDS
from benchmark.reporting.grid import Grid, plain_grid
from benchmark.reporting.render import markdown, text

#: Family of metrics to its title.  The first holds what presets call mAP, whatever the cut-off.
FAMILIES = {
    "mAP": "mAP at the cut-offs of each convention",
    "mAP@all": "mAP over the whole ranking",
    "P@r": "Precision within the Hamming ball",
}
ORDERS = "mAP over the whole ranking in any order of tied items"
ABOUT = (
    "The same codes measured under every preset of --list protocols, and under single changes of "
    "the default. docs/protocols.md explains the rows."
)
SPANS = "smallest to largest value over the conventions"


def audit_text(frame: pd.DataFrame) -> str:
    """How far the conventions move each method, for a terminal."""
    if frame.empty:
        return "Audit: no cell has codes."
    parts = [
        f"Audit: {title}, {SPANS}\n\n{_text(_spans(_family(frame, family)))}"
        for family, title in FAMILIES.items()
    ]
    parts.append(f"Audit: {ORDERS}, smallest to largest\n\n{_text(_spans(_orders(frame)))}")
    return "\n\n".join([*parts, ABOUT])


def audit_markdown(frame: pd.DataFrame) -> str:
    """How far the conventions move each method, which method leads under each, all values."""
    if frame.empty:
        return "# Audit\n\nNo cell has codes.\n"
    first = frame.iloc[0]
    where = markdown.escape(f"{first['dataset']}, {first['features']} features")
    lines = [f"# Audit on {where}", "", ABOUT, ""]
    for family, title in FAMILIES.items():
        part = _family(frame, family)
        lines += [
            f"## {title}",
            "",
            f"{SPANS[0].upper()}{SPANS[1:]}.",
            "",
            _markdown(_spans(part)),
            "",
        ]
        lines += ["Method with the largest value:", "", _markdown(_leaders(part)), ""]
    lines += [
        f"## {ORDERS}",
        "",
        "Smallest to largest value.",
        "",
        _markdown(_spans(_orders(frame))),
        "",
    ]
    lines += ["## Every value", ""]
    for method in frame["method"].unique():
        part = frame[frame["method"] == method]
        lines += [f"### {markdown.escape(method)}", "", _markdown(_values(part)), ""]
    return "\n".join(lines)


def write_audit(frame: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``audit.txt``, ``audit.md`` and ``audit.csv``."""
    contents = {
        "audit.txt": audit_text(frame) + "\n",
        "audit.md": audit_markdown(frame),
        "audit.csv": frame.to_csv(index=False, lineterminator="\n"),
    }
    for name, content in contents.items():
        write_file(folder / name, content)
    return [folder / name for name in contents]


def _family(frame: pd.DataFrame, family: str) -> pd.DataFrame:
    """The rows of one family, without those of the orders of ties.

    A preset that knows no cut-off but the whole ranking reports ``mAP@all`` as its mAP.
    """
    frame = frame[~_is_order(frame)]
    metric = frame["metric"]
    if family != "mAP":
        return frame[metric == family if family == "mAP@all" else metric.str.startswith(family)]
    cut = metric.str.startswith("mAP@") & (metric != "mAP@all")
    has_cut = frame["convention"].isin(frame.loc[cut, "convention"].unique())
    return frame[cut | ((metric == "mAP@all") & ~has_cut)]


def _orders(frame: pd.DataFrame) -> pd.DataFrame:
    """What the default measures over the whole ranking in the worst and best order of ties."""
    return frame[_is_order(frame) & (frame["metric"] == "mAP@all")]


def _is_order(frame: pd.DataFrame) -> pd.Series:
    return frame["convention"].str.endswith(tuple(BOUNDS.values()))


def _spans(frame: pd.DataFrame) -> list[list[str]]:
    """A row for each method, a column for each code length."""

    def span(values: pd.Series) -> str:
        return f"{values.min():.4f} to {values.max():.4f}"

    return _pivot(frame, ["method"], span)


def _leaders(frame: pd.DataFrame) -> list[list[str]]:
    """The method with the largest value, a row for each convention and cut-off."""
    methods = frame["method"]

    def leader(values: pd.Series) -> str:
        return methods[values.idxmax()]

    return _pivot(frame, ["convention", "metric"], leader)


def _values(frame: pd.DataFrame) -> list[list[str]]:
    """Every value, a row for each convention and metric."""
    order = {name: i for i, name in enumerate(FAMILIES)}
    key = frame["metric"].map(lambda m: order.get(m, order["P@r"] if m[0] == "P" else 0))
    frame = frame.assign(family=key).sort_values("family", kind="stable")
    return _pivot(frame, ["convention", "metric"], lambda values: f"{values.mean():.4f}")


def _pivot(frame: pd.DataFrame, keys: Sequence[str], cell) -> list[list[str]]:  # noqa: ANN001
    """Heading and rows of strings: the keys, then a column for each code length."""
    bits = sorted(frame["bits"].unique())
    lines = [[*keys, *(f"{b} bits" for b in bits)]]
    for names, group in frame.groupby(list(keys), sort=False):
        columns: Mapping[int, pd.Series] = dict(iter(group.groupby("bits")["value"]))
        lines.append([*names, *(cell(columns[b]) if b in columns else "–" for b in bits)])
    return lines


def _text(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(text.render_rows(_grid(lines)))


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return markdown.render_rows(_grid(lines))


def _grid(lines: Sequence[Sequence[str]]) -> Grid:
    head, *rows = lines
    return plain_grid("", head, rows, keys=sum(not name.endswith(" bits") for name in head))
