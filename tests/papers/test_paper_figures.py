"""Figures of papers: what is drawn, and in which order."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.papers.figures import (
    IRRELEVANT,
    RELEVANT,
    Panel,
    Retrieval,
    curves_figure,
    grid_figure,
    lengths_figure,
    retrieval_figure,
)
from benchmark.protocol.evaluation import Curve
from benchmark.protocol.search import HAMMING, top_items
from benchmark.reporting.plots import save, style
from benchmark.store.record import CellResult, Value

RECALL = np.arange(1, 1001) / 1000
FIRST = np.arange(100, 1001, 100)


def cells(dataset, levels, bits=(12, 24)):
    found = []
    for method, level in levels.items():
        for b in bits:
            at = level + b / 1000
            names = {"P@r2": at, "P@500": at / 2, "base_rate": 0.1}
            metrics = {name: Value(v, v, v) for name, v in names.items()}
            curves = {"PR": Curve(RECALL, at * (1 - RECALL)), "P@N": Curve(FIRST, at / FIRST)}
            found.append(
                CellResult(dataset, "gist", method, b, 0, "done", metrics=metrics, curves=curves)
            )
    return found


@pytest.fixture
def panels():
    levels = {"lsh": 0.2, "itq": 0.4}
    labels = {"itq": "ITQ", "lsh": "LSH"}
    return [Panel(title, cells(title, levels), labels) for title in ("NUS-WIDE", "MIR")]


def test_curves_have_a_row_for_each_data_set_and_a_column_for_each_length(panels):
    figure = curves_figure(panels, (12, 24), "caption")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["NUS-WIDE, 12 bits", "NUS-WIDE, 24 bits", "MIR, 12 bits", "MIR, 24 bits"]
    first = figure.axes[0].lines[0]
    assert first.get_ydata()[0] == pytest.approx(0.412 * (1 - 0.001))
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["ITQ", "LSH", "base rate"]


def test_lengths_and_the_curve_of_the_longest_code(panels):
    figure = lengths_figure(panels[0], (12, 24), "caption")
    within, first, curves = figure.axes
    np.testing.assert_allclose(within.lines[0].get_ydata(), [0.412, 0.424])
    np.testing.assert_allclose(first.lines[1].get_ydata(), [0.106, 0.112])
    assert "24 bits" in curves.get_title()
    np.testing.assert_allclose(curves.lines[0].get_ydata(), 0.424 / FIRST)


def test_bars_of_the_grid_have_the_height_of_their_map():
    frame = pd.DataFrame({"lambda2": [1, 1, 10, 10], "lambda3": [0.1, 1, 0.1, 1],
                          "mAP": [0.4, 0.3, 0.5, 0.2]})  # fmt: skip
    figure = grid_figure({"NUS-WIDE": frame}, "caption")
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.4, 0.5, 0.3, 0.2]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "10"]
    assert len({bar.get_hatch() for bar in axes.patches}) == 2
    centres = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    assert centres[0] + centres[2] == pytest.approx(0)


def test_retrievals_are_framed_by_relevance_with_a_second_cue(tmp_path):
    picture = Image.new("RGB", (300, 200), (90, 120, 30))
    rows = {"a": [(picture, True), (picture, False)], "b": [(picture, False)] * 2}
    with style():
        figure = retrieval_figure([Retrieval(picture, "sky\nsea", rows)], "caption")
        paths = save(figure, tmp_path, "examples")
    framed = [axes for axes in figure.axes if axes.spines["left"].get_visible() and axes.images]
    marks = [axes.texts[0].get_text() for axes in framed]
    assert marks == ["✓", "✗", "✗", "✗"]
    lines = [axes.spines["left"].get_linestyle() for axes in framed]
    assert lines[0] == "-" and lines[1] != "-"
    from matplotlib.colors import to_hex

    colours = [to_hex(axes.spines["left"].get_edgecolor()).upper() for axes in framed]
    assert colours == [RELEVANT, IRRELEVANT, IRRELEVANT, IRRELEVANT]
    with Image.open(paths[0]) as image:
        assert image.width > 300


def test_top_items_of_codes_and_of_scores():
    rng = np.random.default_rng(0)
    queries, database = rng.random((3, 12)) < 0.5, rng.random((40, 12)) < 0.5
    codes = HAMMING.stored(queries), HAMMING.stored(database)
    distances = (queries[1] != database).sum(axis=1)
    found = top_items(codes, 1, 12, 7)
    expected = sorted(range(40), key=lambda i: (distances[i], i))[:7]
    assert found.tolist() == expected

    tables, words = rng.normal(size=(3, 2, 8)), rng.integers(0, 8, (40, 2))
    scores = [sum(tables[2, m, words[i, m]] for m in range(2)) for i in range(40)]
    expected = sorted(range(40), key=lambda i: (-scores[i], i))[:7]
    assert top_items((tables, words), 2, 16, 7).tolist() == expected
