"""A plain run: methods on one data set, or what they would cost."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from benchmark.cli.given import given
from benchmark.cli.status import DONE, FAILED
from benchmark.files import why_not_writable
from benchmark.log import to_stderr
from benchmark.reporting.audit_tables import audit_text
from benchmark.reporting.outputs import terminal_text
from benchmark.study.study import Study


def run(args: argparse.Namespace) -> int:
    """Run the study and print its main tables, or print the price of it."""
    study = Study(**given(args, Study))
    if args.dry_run:
        print(study.price())
        return DONE
    results = study.run()
    unwritable = why_not_writable(results.folder)
    folder = results.folder if unwritable else results.write()
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(80, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 80
    print(terminal_text(results.whole, colour=colour, width=width))
    if results.whole.audit is not None:
        print(f"\n{audit_text(results.whole.audit)}")
    if unwritable:
        to_stderr(f"tables, figures and the page are not written: {folder}: {unwritable}")
    else:
        print(f"\nAll tables, figures and summary.csv: {folder}")
        print(f"The page: {folder / 'report.html'}")
        print(f"All reports: {results.store.root / 'index.html'}")
    failures = results.failures()
    if failures:
        to_stderr(failures)
    return FAILED if failures else DONE
