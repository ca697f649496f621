"""Figures: mAP against code length, precision-recall curves, precision among the first N.

Importing this module imports matplotlib; the command does so when there is something to draw.
Figures are made through the object interface alone, so nothing is shared with a user's pyplot.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.files import write_file
from benchmark.store.record import CellResult
from benchmark.store.seeds import (
    chance_level,
    code_lengths,
    mean_curve,
    method_names,
    over_seeds,
    values_of,
)

#: The palette of Okabe and Ito, safe for the colour-blind, in an order that keeps neighbours
#: apart also in grey; without its yellow, which vanishes on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
LINES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*", "h", "d")
CHANCE_COLOUR = "0.5"
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
        One data set and one feature kind; the order of the methods decides their colours.
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


def method_styles(methods: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Line style of each method, by its position: the same in all figures of a run.

    Colours repeat after 7 methods with another kind of line, markers after 13, then hollow; no
    two of the first 28 methods look alike, in colour or in grey.
    """
    styles = {}
    for i, method in enumerate(methods):
        colour = COLOURS[i % len(COLOURS)]
        styles[method] = {
            "color": colour,
            "linestyle": LINES[i // len(COLOURS) % len(LINES)],
            "marker": MARKERS[i % len(MARKERS)],
            "markerfacecolor": colour if i // len(MARKERS) % 2 == 0 else "white",
        }
    return styles


def map_figure(cells: Sequence[CellResult], metric: str) -> Figure:
    """A metric against code length: means over seeds, with bars from the least to the greatest.

    A method's line breaks where it has no result.
    """
    methods = method_names(cells)
    bits = code_lengths(cells)
    groups = over_seeds(cells)
    figure = Figure(figsize=(6.4, _height(methods, 4.0)), layout="constrained")
    axes = figure.add_subplot()
    lines: dict[str, Line2D] = {}
    level: dict[str, float] = {}
    for method, style in method_styles(methods).items():
        values = [values_of(groups.get((method, b), []), metric) for b in bits]
        if not any(values):
            continue
        # Mean, least, greatest; nothing is drawn at NaN.
        mean, low, high = np.transpose(
            [(np.mean(v), min(v), max(v)) if v else (np.nan,) * 3 for v in values]
        )
        lines[method] = axes.plot(bits, mean, label=method, **style)[0]
        axes.vlines(bits, low, high, color=style["color"], linewidth=0.8)
        level[method] = mean[np.isfinite(mean)][-1]
    axes.set_xscale("log", base=2)
    axes.set_xticks(bits, [str(b) for b in bits])
    axes.minorticks_off()
    axes.set_xlim(bits[0] / 1.1, bits[-1] * 1.1)
    axes.set_xlabel("Code length in bits")
    axes.set_ylabel(metric)
    seeds = len({cell.seed for cell in cells})
    how = f"mean and range over {seeds} seeds" if seeds > 1 else "one seed"
    _finish(figure, cells, [axes], lines, level, how)
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
    methods = method_names(cells)
    bits = code_lengths(cells)
    groups = over_seeds(cells)
    styles = method_styles(methods)
    columns = min(len(bits), 2 if len(bits) <= 4 else 3)
    rows = math.ceil(len(bits) / columns)
    size = (3.1 * columns + 1.8, _height(methods, 2.7 * rows + 0.7))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    lines: dict[str, Line2D] = {}
    level: dict[str, list[float]] = {}
    for axes, b in zip(panels, bits, strict=False):
        axes.set_title(f"{b} bits")
        for number, method in enumerate(methods):
            curve = mean_curve(groups.get((method, b), []), name)
            if curve is None:
                continue
            shown = np.unique(
                np.linspace(0, len(curve.x) - 1, POINTS_PER_CURVE).round().astype(int)
            )
            step = max(1, len(shown) // MARKERS_PER_CURVE)
            every = (number * step // len(methods), step)
            x, y = np.asarray(curve.x)[shown], curve.y[shown]
            line = axes.plot(x, y, label=method, markevery=every, **styles[method])[0]
            lines.setdefault(method, line)
            level.setdefault(method, []).append(float(np.mean(curve.y)))
    for axes in panels[len(bits) :]:
        axes.remove()
    figure.supxlabel(labels[0], fontsize=9)
    figure.supylabel(labels[1], fontsize=9)
    seeds = len({cell.seed for cell in cells})
    how = f"mean over {seeds} seeds" if seeds > 1 else "one seed"
    means = {method: float(np.mean(values)) for method, values in level.items()}
    _finish(figure, cells, panels[: len(bits)], lines, means, how)
    return figure


def _height(methods: Sequence[str], least: float) -> float:
    """Inches that a legend with one line for each method needs, at least `least`."""
    return max(least, 0.9 + 0.185 * (len(methods) + 1))


def _finish(
    figure: Figure,
    cells: Sequence[CellResult],
    panels: Sequence[Axes],
    lines: Mapping[str, Line2D],
    level: Mapping[str, float],
    how: str,
) -> None:
    """Base rate, title, and the legend from the best method to the worst by `level`."""
    rebuilt = {cell.method for cell in cells if cell.fidelity == "reconstruction"}
    ranked = sorted(lines, key=level.__getitem__, reverse=True)
    names = [f"{m} (reconstruction)" if m in rebuilt else m for m in ranked]
    handles = [lines[method] for method in ranked]
    chance = chance_level(cells)
    if chance is not None:
        names.append(f"base rate {chance:.3f}")
        style = {"color": CHANCE_COLOUR, "linestyle": "--", "linewidth": 1, "label": names[-1]}
        handles += [axes.axhline(chance, **style) for axes in panels][:1]
    figure.legend(handles, names, loc="outside right center")
    figure.suptitle(
        f"{cells[0].dataset}, {cells[0].features} features ({how})",
        x=0.01,
        horizontalalignment="left",
    )
