"""Arguments to a plan; prints; no logic of its own.

Torch, numba, scikit-learn and the methods load only when work starts, so that ``--help``,
``--list`` and complaints answer at once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmark.cli.options import BITS, DATASET, PAPER_SEEDS, PROTOCOL, SEEDS, build_parser
from benchmark.datasets import datasets
from benchmark.errors import InputError
from benchmark.protocol.protocol import PRESETS, Protocol, find_protocol
from benchmark.registry import extractors, load_plugins, methods
from benchmark.registry.selection import changed, changes_of, check_changes, unique, variants_of
from features.errors import FeatureError

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.papers.table import PaperTable
    from benchmark.significance.evidence import Evidence
    from benchmark.study import Opened, Outcome, Session

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = build_parser()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _dispatch(parser.parse_args(argv))
    except (InputError, FeatureError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; finished cells are kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Somebody closed the pipe (``| head``); there is nobody left to complain to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _dispatch(args: argparse.Namespace) -> int:
    load_plugins(args.plugin)
    if args.list:
        return _list(args.list)
    if args.check_method:
        return _check_method(args.check_method)
    if args.lint:
        return _lint(args)
    return _papers(args) if args.table or args.figure else _run(args)


def _list(kind: str) -> int:
    from benchmark.papers.index import list_papers

    sections = {
        "methods": [
            (e.name, f"{e.facts['paper']} [{e.facts['supervision']}] {e.summary}")
            for e in methods.entries()
        ],
        "datasets": [(e.name, e.summary) for e in datasets.entries()],
        "features": extractors.listing(),
        "protocols": [(p.name, p.about) for p in PRESETS.values()],
        "papers": list_papers(),
    }
    for title, lines in sections.items():
        if kind == title:
            _print_pairs(lines)
        elif kind == "all":
            print(f"{title}:")
            _print_pairs(lines, indent="  ")
    return DONE


def _print_pairs(lines: Sequence[tuple[str, str]], indent: str = "") -> None:
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{indent}{name:<{width}}  {text}")


def _check_method(text: str) -> int:
    variant = methods.parse(text)
    from methods.conformance.checks import run_checks

    outcomes = run_checks(methods.find(variant.name).load(), dict(variant.parameters))
    for outcome in outcomes:
        print(f"{'ok' if outcome.passed else 'FAILED':<7} {outcome.name} {outcome.message}".strip())
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{variant}: {len(outcomes) - failed} checks passed, {failed} failed")
    return FAILED if failed else DONE


def _lint(args: argparse.Namespace) -> int:
    from benchmark.datasets.lint import data_sheet
    from benchmark.datasets.opening import open_dataset
    from benchmark.files import check_writable

    check_writable(_cache(args), "--cache")
    print(
        data_sheet(open_dataset(args.dataset or DATASET, args.data_root, _cache(args) / "splits"))
    )
    return DONE


def _run(args: argparse.Namespace) -> int:
    variants = variants_of(args.methods, args.set)
    protocol = find_protocol(args.protocol or PROTOCOL)
    session = _session(args)
    from benchmark.execution.grid import Grid

    data = session.open(args.dataset or DATASET)
    grid = Grid(
        variants, unique(args.bits or BITS), unique(args.seeds or SEEDS), protocol, args.tune
    )
    if args.dry_run:
        print(session.price(data, grid))
        return DONE
    outcome = session.run(data, grid)
    from benchmark.reporting.outputs import weigh

    n_database = len(outcome.split.database)
    evidence = weigh(outcome.results, outcome.folders, session.store, protocol, n_database)
    status = _report(outcome, session, protocol, evidence)
    if args.audit:
        _audit(outcome, session)
    # Last, since it shows the audit.
    _page(outcome, session, data, protocol, evidence)
    return status


def _session(args: argparse.Namespace) -> Session:
    if args.scheduler and args.backend != "dask":
        raise InputError("--scheduler needs --backend dask")
    from benchmark.store.store import Store

    Store(args.results)
    # From here on numpy, scikit-learn and the methods load.
    from benchmark.execution.workers import Workers
    from benchmark.preparation.features import FeatureRequest
    from benchmark.preparation.tags import TagRequest
    from benchmark.study import Session

    return Session(
        results=args.results,
        cache=_cache(args),
        data_root=args.data_root,
        request=FeatureRequest(
            args.features,
            args.weights,
            args.device,
            args.on_bad_image,
            args.l2_normalize,
            args.end_to_end,
        ),
        tags=TagRequest(args.word_vectors, args.min_tag_count),
        workers=Workers(args.jobs, args.backend, args.scheduler),
        again=args.rerun,
        plugins=tuple(args.plugin),
        save_codes=args.save_codes or args.audit,
        tune=args.tune,
    )


def _report(
    outcome: Outcome, session: Session, protocol: Protocol, evidence: Mapping[str, Evidence]
) -> int:
    from benchmark.log import to_stderr
    from benchmark.reporting.outputs import terminal_text, write_outputs
    from benchmark.study import failure_text

    results, n_database = outcome.results, len(outcome.split.database)
    folder = session.results / results[0].dataset
    write_outputs(results, folder, protocol, n_database, evidence)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(terminal_text(results, protocol, n_database, evidence, colour=colour))
    print(f"\nAll tables, figures and summary.csv: {folder}")
    failure = failure_text(results, session.results)
    if failure:
        to_stderr(failure)
    return FAILED if failure else DONE


def _page(
    outcome: Outcome,
    session: Session,
    data: Opened,
    protocol: Protocol,
    evidence: Mapping[str, Evidence],
) -> None:
    from benchmark.reporting.page.page import Finished, write_report

    results = outcome.results
    finished = Finished(
        results,
        outcome.folders,
        session.store,
        protocol,
        replace(data.dataset, split=outcome.split),
        outcome.bundle,
        evidence,
    )
    print(f"The page: {write_report(finished, session.results / results[0].dataset)}")


def _audit(outcome: Outcome, session: Session) -> None:
    from benchmark.preparation.bundle import open_bundle
    from benchmark.reporting.audit import audit_cells
    from benchmark.reporting.audit_tables import audit_text, write_audit

    data = open_bundle(outcome.bundle)
    labels = data.query_labels, data.database_labels
    frame = audit_cells(outcome.results, outcome.folders, session.store, *labels)
    write_audit(frame, session.results / outcome.results[0].dataset / "tables")
    print(f"\n{audit_text(frame)}")


def _papers(args: argparse.Namespace) -> int:
    for option in ("protocol", "audit"):
        if getattr(args, option):
            raise InputError(f"--{option} does not go with --table and --figure: they have theirs")
    from benchmark.papers.index import Choice, narrowed_figure, narrowed_table

    choice = Choice(args.dataset, tuple(args.methods or ()), tuple(args.bits or ()))
    tables = {i: narrowed_table(i, choice) for i in args.table}
    figures = [narrowed_figure(i, choice) for i in unique(args.figure)]
    changes = changes_of(args.set)
    session = _session(args)
    from benchmark.log import to_stderr
    from benchmark.papers.run import PaperRun
    from benchmark.study import failure_text

    run = PaperRun(
        tables,
        figures,
        choice,
        unique(args.seeds or PAPER_SEEDS),
        session,
        partial(changed, changes=changes),
    )
    check_changes(changes, {text.partition("[")[0] for w in run.wanted for text in w.variants})
    if args.dry_run:
        print(run.price())
        return DONE
    for found, paths in run.run():
        print(found if isinstance(found, str) else _table_text(found))
        print("\n".join(map(str, paths)) or "nothing to draw", end="\n\n")
    failure = failure_text(run.cells(), session.results)
    if failure:
        to_stderr(failure)
    return FAILED if failure else DONE


def _table_text(table: PaperTable) -> str:
    from benchmark.papers.layout import to_text

    return to_text(table, shutil.get_terminal_size().columns if sys.stdout.isatty() else None)


def _cache(args: argparse.Namespace) -> Path:
    return args.cache or args.results / "cache"
