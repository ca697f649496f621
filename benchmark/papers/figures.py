"""The figures of the papers, drawn from our cells in the papers' own arrangement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image

from benchmark.reporting.method import method_of, methods_of
from benchmark.reporting.plots import (
    CHANCE_COLOUR,
    COLOURS,
    MARKERS_PER_CURVE,
    POINTS_PER_CURVE,
    method_style,
)
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, mean_curve, over_seeds, values_of

HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo")
RELEVANT, IRRELEVANT = "#009E73", "#D55E00"
#: Side of a picture in an example retrieval, in pixels.
SIDE = 128


@dataclass(frozen=True)
class Panel:
    """Cells of one data set, for figures.

    Attributes
    ----------
    title : str
    cells : sequence of CellResult
    labels : mapping of str to str
        Method of a cell to what the paper calls it, in the order of the paper.
    """

    title: str
    cells: Sequence[CellResult]
    labels: Mapping[str, str]


def curves_figure(panels: Sequence[Panel], bits: Sequence[int], caption: str) -> Figure:
    """Precision-recall curves: a row of panels for each data set, a column for each length."""
    styles = _styles(panels)
    size = (2.6 * len(bits) + 2.2, max(2.5 * len(panels) + 0.8, 0.9 + 0.2 * len(styles)))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(panels), len(bits), sharex=True, sharey="row", squeeze=False)
    lines: dict[str, Line2D] = {}
    for row, panel in zip(grid, panels, strict=True):
        for axes, b in zip(row, bits, strict=True):
            axes.set_title(f"{panel.title}, {b} bits")
            _draw_curves(axes, panel, b, "PR", styles, lines)
            _draw_chance(axes, panel)
    _close(figure, lines, caption)
    figure.supxlabel("Recall", fontsize=9)
    figure.supylabel("Precision", fontsize=9)
    return figure


def lengths_figure(panel: Panel, bits: Sequence[int], caption: str) -> Figure:
    """P@r2 and P@500 against code length, and P@N at the largest length, side by side."""
    styles = _styles([panel])
    figure = Figure(figsize=(11.4, 3.6), layout="constrained")
    within, first, curves = figure.subplots(1, 3)
    lines: dict[str, Line2D] = {}
    for axes, metric, title in (
        (within, "P@r2", "(a) Precision within Hamming radius 2"),
        (first, "P@500", "(b) Precision among the first 500"),
    ):
        _draw_lengths(axes, panel, bits, metric, styles, lines)
        axes.set(title=title, xlabel="Code length in bits", ylabel=metric)
    _draw_curves(curves, panel, max(bits), "P@N", styles, lines)
    curves.set(
        title=f"(c) Precision curves with {max(bits)} bits",
        xlabel="Number of items retrieved, N",
        ylabel="P@N",
    )
    for axes in (within, first, curves):
        _draw_chance(axes, panel)
    _close(figure, lines, caption)
    return figure


def grid_figure(grids: Mapping[str, pd.DataFrame], caption: str) -> Figure:
    """Bars of validation mAP over two parameters: a group for each value of the first of them.

    Parameters
    ----------
    grids : mapping of str to DataFrame
        Title of a panel to a column for each of the two parameters, then ``mAP``.
    caption : str
    """
    figure = Figure(figsize=(7.2, 0.6 + 3.0 * len(grids)), layout="constrained")
    panels = figure.subplots(len(grids), 1, squeeze=False).ravel()
    for axes, (title, frame) in zip(panels, grids.items(), strict=True):
        first, second, _ = frame.columns
        table = frame.pivot(index=first, columns=second, values="mAP")
        width = 0.8 / table.shape[1]
        for k, value in enumerate(table.columns):
            where = np.arange(len(table)) + (k - (table.shape[1] - 1) / 2) * width
            axes.bar(
                where,
                table[value],
                width,
                color=COLOURS[k % len(COLOURS)],
                edgecolor="white",
                hatch=HATCHES[k % len(HATCHES)],
                label=f"{second}={value:g}",
            )
        axes.set_xticks(range(len(table)), [f"{value:g}" for value in table.index])
        axes.grid(visible=False, axis="x")
        axes.set(title=title, xlabel=first, ylabel="validation mAP")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center")
    figure.suptitle(caption, x=0.01, horizontalalignment="left")
    return figure


@dataclass(frozen=True)
class Retrieval:
    """What several methods find for one query.

    Attributes
    ----------
    query : Image
    about : str
        Labels or tags of the query.
    found : mapping of str to sequence of (Image, bool)
        Method to pictures and whether each is relevant, best first.
    """

    query: Image.Image
    about: str
    found: Mapping[str, Sequence[tuple[Image.Image, bool]]]


def retrieval_figure(examples: Sequence[Retrieval], caption: str) -> Figure:
    """Pictures in rows: the query on the left, then what each method finds, best first.

    Relevant pictures have a solid green frame and a tick, others a dashed red one and a cross.
    """
    n = max(len(row) for example in examples for row in example.found.values())
    n_rows = sum(len(example.found) for example in examples)
    figure = Figure(figsize=(1.1 * (n + 2) + 0.4, 1.25 * n_rows + 0.9))
    grid = figure.add_gridspec(
        n_rows, n + 2, left=0.02, right=0.98, bottom=0.07, top=1 - 0.55 / (1.25 * n_rows + 0.9)
    )
    row = 0
    for example in examples:
        query = figure.add_subplot(grid[row : row + len(example.found), 0])
        _show(query, example.query)
        query.set_title("query", fontsize=8)
        query.set_xlabel(example.about, fontsize=7, wrap=True)
        for method, pictures in example.found.items():
            name = figure.add_subplot(grid[row, 1])
            name.axis("off")
            name.text(0.5, 0.5, method, ha="center", va="center", fontsize=9)
            for k, (picture, relevant) in enumerate(pictures):
                axes = figure.add_subplot(grid[row, k + 2])
                _show(axes, picture)
                _frame(axes, relevant)
            row += 1
    figure.suptitle(caption, x=0.02, horizontalalignment="left")
    marks = [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=RELEVANT, linewidth=2.5),
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=IRRELEVANT, linewidth=2.5, linestyle="--"),
    ]
    names = ["✓ relevant: shares a label", "✗ not relevant"]
    figure.legend(marks, names, loc="lower center", ncols=2)
    return figure


def _show(axes: Axes, picture: Image.Image) -> None:
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    axes.imshow(np.asarray(small))
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _frame(axes: Axes, relevant: bool) -> None:
    colour, line = (RELEVANT, "-") if relevant else (IRRELEVANT, (0, (3, 2)))
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linestyle=line, linewidth=2.5)
    axes.text(
        0.97,
        0.04,
        "✓" if relevant else "✗",
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=9,
        color="white",
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.2},
    )


def _styles(panels: Sequence[Panel]) -> dict[str, dict]:
    """Styles by what the paper calls a method, those of the method in every other figure."""
    known = {name: m for panel in panels for name, m in methods_of(panel.cells).items()}
    labels = [pair for panel in panels for pair in panel.labels.items()]
    return {label: method_style(known.get(name) or method_of(name)) for name, label in labels}


def _draw_curves(
    axes: Axes, panel: Panel, bits: int, name: str, styles: Mapping, lines: dict[str, Line2D]
) -> None:
    groups = over_seeds(panel.cells)
    for number, (method, label) in enumerate(panel.labels.items()):
        curve = mean_curve(groups.get((method, bits), []), name)
        if curve is None:
            continue
        shown = np.linspace(0, len(curve.x) - 1, POINTS_PER_CURVE).round().astype(int)
        shown = np.unique(shown)
        step = max(1, len(shown) // MARKERS_PER_CURVE)
        every = (number * step // len(panel.labels), step)
        x, y = np.asarray(curve.x)[shown], curve.y[shown]
        lines.setdefault(label, axes.plot(x, y, markevery=every, **styles[label])[0])


def _draw_lengths(
    axes: Axes,
    panel: Panel,
    bits: Sequence[int],
    metric: str,
    styles: Mapping,
    lines: dict[str, Line2D],
) -> None:
    groups = over_seeds(panel.cells)
    for method, label in panel.labels.items():
        values = [values_of(groups.get((method, b), []), metric) for b in bits]
        if any(values):
            means = [np.mean(v) if v else np.nan for v in values]
            lines.setdefault(label, axes.plot(bits, means, **styles[label])[0])
    axes.set_xscale("log", base=2)
    axes.set_xticks(bits, [str(b) for b in bits])
    axes.minorticks_off()


def _draw_chance(axes: Axes, panel: Panel) -> None:
    chance = chance_level(panel.cells)
    if chance is not None:
        axes.axhline(chance, color=CHANCE_COLOUR, linestyle="--", linewidth=1)


def _close(figure: Figure, lines: Mapping[str, Line2D], caption: str) -> None:
    """Legend in the order of the paper, and the title."""
    handles = [*lines.values(), Line2D([], [], color=CHANCE_COLOUR, linestyle="--", linewidth=1)]
    figure.legend(handles, [*lines, "base rate"], loc="outside right center")
    figure.suptitle(caption, x=0.01, horizontalalignment="left")
