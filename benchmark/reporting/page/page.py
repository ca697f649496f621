"""The page of a run: one file that opens anywhere, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2

from benchmark.datasets.lint import sheet_without_images
from benchmark.files import write_file
from benchmark.reporting.audit_tables import audit_text
from benchmark.reporting.outputs import PAPER
from benchmark.reporting.page.content import plots, specification, table
from benchmark.reporting.page.gallery import make_gallery
from benchmark.reporting.report import Report
from benchmark.reporting.winners import winners
from benchmark.store.seeds import method_names


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
    papers = sorted((folder / "tables").glob(f"{PAPER}*.txt"))
    page = environment.get_template("page.html").render(
        first=report.cells[0],
        methods=method_names(report.cells),
        winners=winners(report.main),
        main=report.main.metric,
        findings_of_tests=report.main.findings,
        one_seed=len(report.main.seeds) == 1,
        table=table(report),
        plots=plots(report),
        gallery=make_gallery(report),
        papers=[path.read_text(encoding="utf-8") for path in papers],
        audit="" if report.audit is None else audit_text(report.audit),
        sheet=str(sheet_without_images(report.dataset)),
        specification=json.dumps(specification(report), indent=1, default=str, ensure_ascii=False),
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
    )
    write_file(folder / "report.html", page)
    return folder / "report.html"
