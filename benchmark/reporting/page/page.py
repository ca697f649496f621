"""The page of a run: one file that opens anywhere, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2

from benchmark.datasets.lint import sheet_without_images
from benchmark.files import write_file
from benchmark.reporting.audit_tables import audit_text
from benchmark.reporting.outputs import PAPER
from benchmark.reporting.page.content import specification, table
from benchmark.reporting.page.gallery import make_gallery
from benchmark.reporting.page.view import view_of
from benchmark.reporting.report import Report
from benchmark.reporting.winners import winners
from benchmark.store.seeds import chance_level, method_names

#: In this order: state and numbers first, then what draws, then what listens.
SCRIPTS = ("state.js", "charts.js", "board.js", "page.js")


def write_page(report: Report, folder: Path) -> Path:
    """Write ``report.html`` into a data set's folder; it shows the tables of papers there too."""
    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    # Methods keep their order.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    # They belong to the data set, whatever its features.
    papers = sorted((folder.parent / "tables").glob(f"{PAPER}*.txt"))
    page = environment.get_template("page.html").render(
        first=report.cells[0],
        about=_about(report),
        winners=winners(report.main),
        main=report.main.metric,
        findings_of_tests=report.main.findings,
        one_seed=len(report.main.seeds) == 1,
        table=table(report),
        view=view_of(report),
        gallery=make_gallery(report),
        papers=[path.read_text(encoding="utf-8") for path in papers],
        audit="" if report.audit is None else audit_text(report.audit),
        sheet="" if report.dataset is None else str(sheet_without_images(report.dataset)),
        specification=json.dumps(specification(report), indent=1, default=str, ensure_ascii=False),
        style=(here / "page.css").read_text(encoding="utf-8"),
        scripts=[(here / name).read_text(encoding="utf-8") for name in SCRIPTS],
    )
    write_file(folder / "report.html", page)
    return folder / "report.html"


def _about(report: Report) -> str:
    """What was measured, in a line."""
    cells, main = report.cells, report.main
    done = sum(cell.status == "done" for cell in cells)
    seeds = f"{len(main.seeds)} seed{'s' if len(main.seeds) > 1 else ''}"
    parts = [
        f"{len(method_names(cells))} methods",
        f"{', '.join(map(str, main.bits))} bits",
        seeds,
        f"{done} of {len(cells)} cells done",
        f"protocol {report.protocol.name}",
    ]
    if report.dataset is not None:
        split = report.dataset.split
        parts.append(f"{len(split.query):,} queries in {len(split.database):,} items")
    chance = chance_level(cells)
    if chance is not None:
        parts.append(f"base rate {chance:.4f}")
    return "; ".join(parts)
