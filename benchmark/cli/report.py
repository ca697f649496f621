"""``--report``: reports from all stored cells."""

from __future__ import annotations

import argparse

from benchmark.cli.given import given
from benchmark.cli.status import DONE
from benchmark.study.rebuilding import rebuild_reports
from benchmark.study.session import Session


def run(args: argparse.Namespace) -> int:
    """Write the reports and print where they are."""
    session = Session(**given(args, Session))
    for results in rebuild_reports(session, args.report):
        methods = len({cell.method for cell in results.cells})
        print(f"{results.folder / 'report.html'}: {methods} methods, {len(results.cells)} cells")
    print(f"All reports: {session.store.root / 'index.html'}")
    return DONE
