"""``--check-results``: whether results folders can be handed in."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.status import DONE, FAILED
from benchmark.store.store import Store
from benchmark.study.submission import check_results


def run(args: argparse.Namespace) -> int:
    """Print what is wrong with each folder."""
    known = Store(args.results) if args.results.is_dir() else None
    found = 0
    for folder in args.check_results:
        same = known is not None and Path(folder).resolve() == known.root.resolve()
        complaints = check_results(folder, None if same else known)
        found += len(complaints)
        print("\n".join(complaints) or f"{folder}: nothing is wrong")
    return FAILED if found else DONE
