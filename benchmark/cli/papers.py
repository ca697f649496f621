"""``--table`` and ``--figure``: what the papers print, with ours beside it."""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial

from benchmark.cli.given import given
from benchmark.cli.options import PAPER_SEEDS
from benchmark.cli.status import DONE, FAILED
from benchmark.errors import InputError
from benchmark.log import to_stderr
from benchmark.papers.choice import Choice, narrowed_figure, narrowed_table
from benchmark.papers.layout import paper_grid
from benchmark.papers.run import PaperRun
from benchmark.papers.table import PaperTable
from benchmark.registry.selection import changed, changes_of, check_changes, unique
from benchmark.reporting.render import text
from benchmark.study.results import describe_failures
from benchmark.study.session import Session


def run(args: argparse.Namespace) -> int:
    """Run what the tables and figures need and show them, or print the price of it."""
    for option in ("protocol", "audit", "split_per_seed"):
        if getattr(args, option):
            name = option.replace("_", "-")
            raise InputError(f"--{name} cannot be combined with --table or --figure")
    choice = Choice(args.dataset, tuple(args.methods or ()), tuple(args.bits or ()))
    tables = {i: narrowed_table(i, choice) for i in args.table}
    figures = [narrowed_figure(i, choice) for i in unique(args.figure)]
    changes = changes_of(args.set)
    change = partial(changed, changes=changes)
    session = Session(**given(args, Session))
    papers = PaperRun(tables, figures, choice, unique(args.seeds or PAPER_SEEDS), session, change)
    check_changes(changes, {v.partition("[")[0] for w in papers.wanted for v in w.variants})
    if args.dry_run:
        print(papers.price())
        return DONE
    for found, paths in papers.run():
        print(found if isinstance(found, str) else _table_text(found))
        print("\n".join(map(str, paths)) or "nothing to draw", end="\n\n")
    cells = papers.cells()
    failed = [cell for cell in cells if cell.status == "failed"]
    if failed:
        to_stderr(describe_failures(failed, len(cells), session.store))
    return FAILED if failed else DONE


def _table_text(table: PaperTable) -> str:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return text.render(paper_grid(table), width=width)
