"""Figures: mAP against code length, precision-recall curves, precision among the first N.

Importing this module imports matplotlib; the command does so when there is something to draw.
Figures are made through the object interface alone, so nothing is shared with a user's pyplot.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.files import write_file
from benchmark.reporting.look import look_of, strong
from benchmark.reporting.method import GROUPS, Method, methods_of
from benchmark.store.record import CellResult
from benchmark.store.seeds import (
    chance_level,
    code_lengths,
    mean_curve,
    over_seeds,
    values_of,
)

#: The palette of Okabe and Ito, safe for the colour-blind, in an order that keeps neighbours
#: apart also in grey; without its yellow, which vanishes on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
CHANCE_COLOUR = "0.5"
#: Curves that are not among the strong ones.
WEAK_STYLE = {"color": "0.78", "linewidth": 0.7, "linestyle": "-", "zorder": 1}
#: Markers along one curve.
MARKERS_PER_CURVE = 5
#: Points along one curve: more cannot be told apart at this size, and an SVG holds every one.
POINTS_PER_CURVE = 250
DOTS_PER_INCH = 150

# On top of matplotlib's defaults, so that a user's own style file changes nothing.  The salt
# makes the ids inside an SVG, and so its bytes, the same on every run.
_SETTINGS = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "font.size": 9,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.2,
    "lines.markeredgewidth": 0.9,
    "lines.markersize": 4.5,
    "svg.hashsalt": "hashbench",
    "text.parse_math": False,
}


def write_figures(
    cells: Sequence[CellResult], folder: Path, map_metrics: Sequence[str]
) -> list[Path]:
    """Write every figure that the cells have data for, each as PNG and SVG.

    ``map_vs_bits-K`` for each ``mAP@K`` asked for, ``pr_curves`` and ``precision_at_n``.  The same
    cells give the same bytes.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind, the best of each group first.
    folder : Path
        Made where it is missing.
    map_metrics : sequence of str
        The ``mAP@K`` to draw against code length.

    Returns
    -------
    list of Path
    """
    with style():
        figures = draw_figures(cells, map_metrics)
        return [p for name, figure in figures.items() for p in save(figure, Path(folder), name)]


def style() -> AbstractContextManager[None]:
    """The style that figures are drawn and saved in."""
    return matplotlib.style.context(["default", _SETTINGS])


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG; the same figure gives the same bytes."""
    paths = []
    for suffix, options in (("png", {"dpi": DOTS_PER_INCH}), ("svg", {})):
        metadata = {"Date": None} if suffix == "svg" else {}
        stream = io.BytesIO()
        figure.savefig(stream, format=suffix, metadata=metadata, **options)
        paths.append(folder / f"{name}.{suffix}")
        write_file(paths[-1], stream.getvalue())
    return paths


def draw_figures(cells: Sequence[CellResult], map_metrics: Sequence[str]) -> dict[str, Figure]:
    """All figures that the cells have data for, by the stem of their file name."""
    done = [cell for cell in cells if cell.status == "done"]
    measured = {metric for cell in done for metric in cell.metrics}
    figures = {
        f"map_vs_bits-{metric.partition('@')[2]}": map_figure(cells, metric)
        for metric in map_metrics
        if metric in measured
    }
    if any("PR" in cell.curves for cell in done):
        figures["pr_curves"] = curve_figure(cells, "PR", ("Recall", "Precision"))
    if any("P@N" in cell.curves for cell in done):
        figures["precision_at_n"] = curve_figure(
            cells, "P@N", ("Number of items retrieved, N", "Precision among the first N")
        )
    return figures


def method_style(method: Method) -> dict[str, Any]:
    """Line style of a method: the same in every figure of every run."""
    look = look_of(method)
    return {
        "color": look.colour,
        "linestyle": (0, (5, 1.5)) if look.dashed else "-",
        "marker": look.marker,
        "markerfacecolor": "white" if look.hollow else look.colour,
    }


def _styles(known: Mapping[str, Method]) -> dict[str, dict[str, Any]]:
    """Style of each method; only some are drawn strongly where there are many."""
    chosen = {method.id for method in strong(list(known.values()))}
    return {m: method_style(known[m]) if m in chosen else WEAK_STYLE for m in known}


def map_figure(cells: Sequence[CellResult], metric: str) -> Figure:
    """A metric against code length: means over seeds, with bars from the least to the greatest.

    A method's line breaks where it has no result.
    """
    known = methods_of(cells)
    bits = code_lengths(cells)
    groups = over_seeds(cells)
    figure = Figure(figsize=(6.8, _height(known, 4.0)), layout="constrained")
    axes = figure.add_subplot()
    lines: dict[str, Line2D] = {}
    for method, style in _styles(known).items():
        values = [values_of(groups.get((method, b), []), metric) for b in bits]
        if not any(values):
            continue
        # Mean, least, greatest; nothing is drawn at NaN.
        mean, low, high = np.transpose(
            [(np.mean(v), min(v), max(v)) if v else (np.nan,) * 3 for v in values]
        )
        lines[method] = axes.plot(bits, mean, label=method, **style)[0]
        axes.vlines(bits, low, high, color=style["color"], linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(bits, [str(b) for b in bits])
    axes.minorticks_off()
    axes.set_xlim(bits[0] / 1.1, bits[-1] * 1.1)
    axes.set_xlabel("Code length in bits")
    axes.set_ylabel(metric)
    seeds = len({cell.seed for cell in cells})
    how = f"mean and range over {seeds} seeds" if seeds > 1 else "one seed"
    _finish(figure, cells, [axes], lines, how)
    return figure


def curve_figure(cells: Sequence[CellResult], name: str, labels: tuple[str, str]) -> Figure:
    """A curve of each method, averaged over seeds: a panel for each code length.

    Parameters
    ----------
    cells : sequence of CellResult
    name : str
        ``PR`` or ``P@N``.
    labels : pair of str
        Of the two axes.
    """
    known = methods_of(cells)
    bits = code_lengths(cells)
    groups = over_seeds(cells)
    styles = _styles(known)
    columns = min(len(bits), 2 if len(bits) <= 4 else 3)
    rows = math.ceil(len(bits) / columns)
    size = (3.1 * columns + 2.2, _height(known, 2.7 * rows + 0.7))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    lines: dict[str, Line2D] = {}
    for axes, b in zip(panels, bits, strict=False):
        axes.set_title(f"{b} bits")
        for number, method in enumerate(known):
            curve = mean_curve(groups.get((method, b), []), name)
            if curve is None:
                continue
            shown = np.unique(
                np.linspace(0, len(curve.x) - 1, POINTS_PER_CURVE).round().astype(int)
            )
            step = max(1, len(shown) // MARKERS_PER_CURVE)
            every = (number * step // len(known), step)
            x, y = np.asarray(curve.x)[shown], curve.y[shown]
            line = axes.plot(x, y, label=method, markevery=every, **styles[method])[0]
            lines.setdefault(method, line)
    for axes in panels[len(bits) :]:
        axes.remove()
    figure.supxlabel(labels[0], fontsize=9)
    figure.supylabel(labels[1], fontsize=9)
    seeds = len({cell.seed for cell in cells})
    how = f"mean over {seeds} seeds" if seeds > 1 else "one seed"
    _finish(figure, cells, panels[: len(bits)], lines, how)
    return figure


def _height(known: Mapping[str, Method], least: float) -> float:
    """Inches that the legend needs, at least `least`: its methods, group titles and base rate."""
    shown = strong(list(known.values()))
    titles = {method.supervision for method in shown}
    return max(least, 0.9 + 0.185 * (len(shown) + len(titles) + 2))


def _finish(
    figure: Figure,
    cells: Sequence[CellResult],
    panels: Sequence[Axes],
    lines: Mapping[str, Line2D],
    how: str,
) -> None:
    """Base rate, title, and the legend in groups, in the order of the methods."""
    known = {name: method for name, method in methods_of(cells).items() if name in lines}
    shown = strong(list(known.values()))
    handles: list[Line2D] = []
    names: list[str] = []
    for group, of_group in groupby(shown, key=lambda method: method.group):
        handles.append(Line2D([], [], linestyle=""))
        names.append(group)
        for method in of_group:
            kinds = f" ({', '.join(method.kinds)})" if method.kinds else ""
            handles.append(lines[method.id])
            names.append(f"{method.label}{kinds}")
    if others := [lines[name] for name in known if known[name] not in shown]:
        handles.append(others[0])
        names.append(f"{len(others)} others")
    chance = chance_level(cells)
    if chance is not None:
        names.append(f"base rate {chance:.3f}")
        style = {"color": CHANCE_COLOUR, "linestyle": "--", "linewidth": 1, "label": names[-1]}
        handles += [axes.axhline(chance, **style) for axes in panels][:1]
    legend = figure.legend(handles, names, loc="outside right center")
    for text in legend.get_texts():
        if text.get_text() in GROUPS.values():
            text.set_fontweight("bold")
    figure.suptitle(
        f"{cells[0].dataset}, {cells[0].features} features ({how})",
        x=0.01,
        horizontalalignment="left",
    )
