"""The page of a run: one file that opens anywhere, without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from benchmark.files import write_file
from benchmark.protocol.protocol import Protocol
from benchmark.reporting.outputs import PAPER, measured_metrics
from benchmark.reporting.page.content import findings, plots, specification, table
from benchmark.reporting.page.gallery import make_gallery
from benchmark.significance.evidence import NONE, Evidence
from benchmark.store.record import CellResult
from benchmark.store.seeds import method_names
from benchmark.store.store import Store

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset

__all__ = ["Finished", "write_report"]


@dataclass(frozen=True)
class Finished:
    """A run that is done.

    Attributes
    ----------
    cells : sequence of CellResult
        One data set and one feature kind.
    folders : sequence of str
        Where each is stored.
    store : Store
    protocol : Protocol
    dataset : Dataset
    bundle : Path
        From :func:`benchmark.preparation.bundle.write_bundle`.
    evidence : mapping of str to Evidence
        From :func:`benchmark.reporting.outputs.weigh`.
    """

    cells: Sequence[CellResult]
    folders: Sequence[str]
    store: Store
    protocol: Protocol
    dataset: Dataset
    bundle: Path
    evidence: Mapping[str, Evidence]


def write_report(run: Finished, folder: Path) -> Path:
    """Write ``report.html`` into a data set's folder, from its cells, audit and paper tables."""
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
    n_database = len(run.dataset.split.database)
    metrics = measured_metrics(run.cells, run.protocol, n_database)
    tables = folder / "tables"
    audit = tables / "audit.txt"
    page = environment.get_template("page.html").render(
        first=run.cells[0],
        methods=method_names(run.cells),
        findings=findings(run.cells, metrics[0], run.evidence.get(metrics[0], NONE).tests),
        main=metrics[0],
        table=table(run.cells, metrics, run.protocol, run.evidence),
        plots=plots(run.cells, run.folders, run.store, metrics),
        gallery=make_gallery(run.cells, run.folders, run.store, run.dataset, run.bundle, metrics),
        papers=[path.read_text(encoding="utf-8") for path in sorted(tables.glob(f"{PAPER}*.txt"))],
        audit=audit.read_text(encoding="utf-8") if audit.exists() else "",
        sheet=_sheet(run.dataset),
        specification=json.dumps(
            specification(run.folders, run.store), indent=1, default=str, ensure_ascii=False
        ),
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
    )
    write_file(folder / "report.html", page)
    return folder / "report.html"


def _sheet(dataset: Dataset) -> str:
    """The data sheet as far as it needs no image: ``--lint`` decodes all of them."""
    from benchmark.datasets.lint import data_sheet

    lines = str(data_sheet(replace(dataset, images=None))).splitlines()
    # Without looking at the images nothing can be said of them.
    unseen = dataset.images is not None
    return "\n".join(line for line in lines if not (unseen and line.startswith("Images ")))
