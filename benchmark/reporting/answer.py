"""The answer of a report as data, ``answer.json``, and ``index.html`` that lists all reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2

from benchmark.files import write_file
from benchmark.reporting.report import Report
from benchmark.reporting.winners import winners
from benchmark.store.seeds import code_lengths, method_names

#: Version of ``answer.json``; docs/results-format.md describes it.
FORMAT = 1
NAME = "answer.json"
#: The page of a report, beside its answer.
PAGE = "report.html"


def answer_of(report: Report) -> dict[str, Any]:
    """What ``answer.json`` holds: what was measured on what, and the winners of each group."""
    first = report.cells[0]
    return {
        "format": FORMAT,
        "dataset": first.dataset,
        "features": first.features,
        "protocol": report.protocol.name,
        "metric": report.main.metric,
        "methods": method_names(report.cells),
        "bits": code_lengths(report.cells),
        "seeds": list(report.main.seeds),
        "cells": sum(cell.status == "done" for cell in report.cells),
        "winners": [
            {
                "group": one.group,
                "bits": one.bits,
                "method": one.method.id,
                "label": one.method.label,
                "value": one.value,
                "beside": [method.id for method in one.beside],
            }
            for one in winners(report.main)
        ],
    }


def write_answer(report: Report, folder: Path) -> Path:
    """Write ``answer.json`` into the folder of a report."""
    path = Path(folder) / NAME
    text = json.dumps(answer_of(report), indent=1, ensure_ascii=False)
    write_file(path, text + "\n")
    return path


def read_answers(root: Path) -> dict[str, dict[str, Any]]:
    """The answers of all reports below a results folder, by the path of the report's folder."""
    found = {}
    for path in sorted(Path(root).glob(f"*/*/{NAME}")):
        try:
            answer = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(answer, dict) and answer.get("format") == FORMAT:
            found[path.parent.relative_to(root).as_posix()] = answer
    return found


def write_index(root: Path) -> Path:
    """Write ``index.html``: every report below a results folder with the winners of its groups."""
    here = Path(__file__).parent / "page"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("index.html").render(
        answers=read_answers(root),
        page=PAGE,
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "index.js").read_text(encoding="utf-8"),
    )
    write_file(Path(root) / "index.html", page)
    return Path(root) / "index.html"
