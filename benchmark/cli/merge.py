"""``--merge``: the cells of other results folders, and reports of what there is then."""

from __future__ import annotations

import argparse

from benchmark.cli.given import given
from benchmark.cli.status import DONE, FAILED
from benchmark.log import to_stderr
from benchmark.study.merging import merge_results
from benchmark.study.rebuilding import rebuild_reports
from benchmark.study.session import Session


def run(args: argparse.Namespace) -> int:
    """Merge, write the reports again, and say what did not agree."""
    session = Session(**given(args, Session))
    merged = merge_results(session.store, args.merge)
    print(f"{merged.taken} cells taken, {merged.agreed} were there already and agree")
    for complaint in merged.complaints:
        to_stderr(complaint)
    if merged.datasets:
        for results in rebuild_reports(session, sorted(merged.datasets)):
            print(f"{results.folder / 'report.html'}: {len(results.cells)} cells")
    return FAILED if merged.complaints else DONE
