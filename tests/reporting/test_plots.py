"""Figures: what is drawn, and that the files are valid, small and reproducible."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from benchmark.protocol.evaluation import Curve
from benchmark.registry import methods as registered
from benchmark.reporting.plots import (
    curve_figure,
    draw_figures,
    map_figure,
    write_figures,
)
from benchmark.store.record import CellResult, Value

MAP = ["mAP@all"]
RECALL = np.arange(1, 1001) / 1000
FIRST = np.arange(100, 1001, 100)


def make(methods, bits=(12, 24), seeds=(0, 1), *, missing=(), curves=True):
    """Cells whose mAP is (method number + 1) / 100 + bits / 1000 + seed / 1000."""
    cells = []
    for number, method in enumerate(methods):
        for b in bits:
            for s in seeds:
                status = "skipped" if (method, b) in missing else "done"
                level = (number + 1) / 100 + b / 1000 + s / 1000
                done = status == "done"
                metrics = {"mAP@all": Value(level, level, level)}
                metrics["base_rate"] = Value(0.02, 0.02, 0.02)
                drawn = {"PR": Curve(RECALL, level * (2 - RECALL)), "P@N": Curve(FIRST, 5 / FIRST)}
                cells.append(
                    CellResult(
                        "demo",
                        "gist",
                        method,
                        b,
                        s,
                        status,
                        fidelity="reconstruction" if method == "wmh" else "paper",
                        metrics=metrics if done else {},
                        curves=drawn if done and curves else {},
                    )
                )
    return cells


def lines_of(axes):
    """Lines by label, without the base rate."""
    lines = {line.get_label(): line for line in axes.lines}
    return {label: line for label, line in lines.items() if not label.startswith("base rate")}


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_map_figure_shows_means_over_seeds_and_their_range():
    figure = map_figure(make(["lsh", "itq"]), "mAP@all")
    (axes,) = figure.axes
    lines = lines_of(axes)
    assert list(lines) == ["lsh", "itq"]
    np.testing.assert_allclose(lines["itq"].get_xdata(), [12, 24])
    np.testing.assert_allclose(lines["itq"].get_ydata(), [0.0325, 0.0445])
    low, high = axes.collections[1].get_segments()[0][:, 1]
    assert (low, high) == (pytest.approx(0.032), pytest.approx(0.033))
    assert axes.get_ylabel() == "mAP@all"


def test_the_line_breaks_where_a_method_has_no_result():
    cells = make(["lsh", "itq", "sh"], bits=(12, 24, 48), missing={("lsh", 24), ("sh", 48)})
    cells = [c for c in cells if (c.method, c.bits) != ("sh", 12)]
    lines = lines_of(map_figure(cells, "mAP@all").axes[0])
    assert np.isnan(lines["lsh"].get_ydata()).tolist() == [False, True, False]
    assert np.isnan(lines["sh"].get_ydata()).tolist() == [True, False, True]


def test_legend_is_in_groups_and_marks_reconstructions():
    cells = make(["sh", "lsh", "wmh"])
    expected = [
        *("unsupervised", "SH (sh) 2008", "LSH (lsh) 2002"),
        *("from tags", "WMH (wmh) 2018 (reconstruction)", "base rate 0.020"),
    ]
    assert legend_of(map_figure(cells, "mAP@all")) == expected
    assert legend_of(curve_figure(cells, "PR", ("x", "y"))) == expected


def test_base_rate_is_a_dashed_grey_line_in_every_panel():
    figure = curve_figure(make(["lsh"], bits=(12, 24, 48)), "PR", ("x", "y"))
    assert len(figure.axes) == 3
    for axes in figure.axes:
        (line,) = [a for a in axes.lines if a.get_label().startswith("base rate")]
        assert set(line.get_ydata()) == {0.02} and line.get_linestyle() == "--"
        assert line.get_color() == "0.5"


def test_curves_are_averaged_and_keep_their_ends():
    figure = curve_figure(make(["lsh", "itq"]), "PR", ("Recall", "Precision"))
    line = lines_of(figure.axes[1])["itq"]
    x, y = line.get_xdata(), line.get_ydata()
    assert (x[0], x[-1]) == (RECALL[0], RECALL[-1])
    np.testing.assert_allclose(y, 0.0445 * (2 - x))
    points = lines_of(curve_figure(make(["lsh"]), "P@N", ("x", "y")).axes[0])["lsh"]
    assert points.get_xdata().tolist() == FIRST.tolist()


@pytest.mark.parametrize("n", [1, 10, 25])
@pytest.mark.parametrize("bits", [(12,), (8, 12, 16, 24, 32)])
def test_number_of_lines_is_number_of_methods(n, bits):
    methods = [f"m{i}" for i in range(n)]
    figures = draw_figures(make(methods, bits=bits, seeds=(0,)), MAP)
    assert list(figures) == ["map_vs_bits-all", "pr_curves", "precision_at_n"]
    panels = {"map_vs_bits-all": 1, "pr_curves": len(bits), "precision_at_n": len(bits)}
    for name, figure in figures.items():
        assert len(figure.axes) == panels[name]
        assert all(list(lines_of(axes)) == methods for axes in figure.axes)
        # A title, the methods that are drawn strongly, the others in one line, the base rate.
        assert len(legend_of(figure)) == min(n, 10) + 2 + (n > 10)
        for axes in figure.axes:
            strong = [line for line in lines_of(axes).values() if line.get_color() != "0.78"]
            assert len(strong) == min(n, 10)


def test_a_method_looks_the_same_in_all_figures_and_like_no_other():
    methods = registered.names()[:10]
    looks = []
    for figure in draw_figures(make(methods, missing={(methods[0], 12)}), MAP).values():
        axes = figure.axes[-1]
        look = {
            m: (a.get_color(), a.get_marker(), a.get_linestyle(), a.get_mfc())
            for m, a in lines_of(axes).items()
        }
        assert len(set(look.values())) == 10
        looks.append(look)
    assert looks[0] == looks[1] == looks[2]


def test_names_are_drawn_as_they_are(tmp_path):
    """Neither as mathematics, nor left out of the legend's order."""
    write_figures(make(["a$_{$", "_mine"], bits=(12,), seeds=(0,)), tmp_path, MAP)
    assert (tmp_path / "pr_curves.svg").is_file()


def test_only_the_metrics_asked_for_and_measured_are_drawn():
    figures = draw_figures(make(["lsh"], curves=False), ["mAP@5000", "mAP@all"])
    assert list(figures) == ["map_vs_bits-all"]
    assert draw_figures(make(["lsh"], curves=False), ["mAP@5000"]) == {}


def test_without_curves_only_the_map_is_drawn():
    assert list(draw_figures(make(["lsh"], curves=False), MAP)) == ["map_vs_bits-all"]


def test_all_skipped_draws_nothing(tmp_path):
    cells = make(["lsh"], bits=(12,), missing={("lsh", 12)})
    assert write_figures(cells, tmp_path, MAP) == []


def test_files_are_valid_small_and_the_same_every_time(tmp_path):
    cells = make([f"m{i}" for i in range(25)], bits=(12, 24), seeds=(0,))
    first, second = (write_figures(cells, tmp_path / name, MAP) for name in ("a", "b"))
    assert [path.name for path in first] == [
        f"{stem}.{suffix}"
        for stem in ("map_vs_bits-all", "pr_curves", "precision_at_n")
        for suffix in ("png", "svg")
    ]
    for path, again in zip(first, second, strict=True):
        content = path.read_bytes()
        assert content == again.read_bytes()
        assert len(content) < 1_000_000
        if path.suffix == ".png":
            with Image.open(path) as image:
                image.verify()
                assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        else:
            assert ElementTree.fromstring(content).tag.endswith("svg")


def test_pyplot_is_left_alone():
    code = "import sys, benchmark.reporting.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
