"""Arguments to a plan; prints; no logic of its own.

Torch, numba, scikit-learn and the methods load only when work starts, so that ``--help``,
``--list`` and complaints answer at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.datasets import datasets
from benchmark.errors import InputError
from benchmark.options import build_parser
from benchmark.protocol import PRESETS, Protocol, find_protocol
from benchmark.registry import Variant, methods
from features.errors import FeatureError

if TYPE_CHECKING:
    from benchmark.store import CellResult, Store

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

#: Folders of the results that no data set may take.
RESERVED = ("cells", "cache")


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
    for plugin in args.plugin:
        methods.load_plugin(plugin)
    if args.list:
        return _list(args.list)
    if args.check_method:
        return _check_method(args.check_method)
    return _lint(args) if args.lint else _run(args)


def _list(kind: str) -> int:
    from features.extractors import extractor_names

    sections = {
        "methods": [
            (e.name, f"{e.facts['paper']} [{e.facts['supervision']}] {e.summary}")
            for e in methods.entries()
        ],
        "datasets": [(e.name, e.summary) for e in datasets.entries()],
        "features": extractor_names(),
        "protocols": [(p.name, p.about) for p in PRESETS.values()],
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
    from methods.checks import run_checks

    outcomes = run_checks(methods.find(variant.name).load(), dict(variant.parameters))
    for outcome in outcomes:
        print(f"{'ok' if outcome.passed else 'FAILED':<7} {outcome.name} {outcome.message}".strip())
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{variant}: {len(outcomes) - failed} checks passed, {failed} failed")
    return FAILED if failed else DONE


def _lint(args: argparse.Namespace) -> int:
    from benchmark.datasets.lint import data_sheet
    from benchmark.datasets.opening import open_dataset
    from benchmark.store import check_writable

    check_writable(_cache(args), "--cache")
    print(data_sheet(open_dataset(args.dataset, args.data_root, _cache(args) / "splits")))
    return DONE


def _run(args: argparse.Namespace) -> int:
    variants = _variants(args)
    protocol = find_protocol(args.protocol)
    if args.scheduler and args.backend != "dask":
        raise InputError("--scheduler needs --backend dask")
    from benchmark.store import Store, check_writable

    store = Store(args.results)
    # From here on numpy, scikit-learn and the methods load.
    from benchmark.datasets.opening import open_dataset
    from benchmark.plan import Grid
    from benchmark.prepare import (
        FeatureRequest,
        check_features,
        check_tuning,
        prepare,
        to_stderr,
    )
    from benchmark.tag_source import TagRequest, describe_tags, open_tags

    check_writable(_cache(args), "--cache")
    dataset = open_dataset(args.dataset, args.data_root, _cache(args) / "splits")
    if dataset.name in RESERVED:
        raise InputError(f"a data set cannot be called {dataset.name}: rename its folder")
    request = FeatureRequest(
        args.features,
        args.weights,
        args.device,
        args.on_bad_image,
        args.l2_normalize,
        args.end_to_end,
    )
    check_features(dataset, request)
    for note in dataset.notes:
        to_stderr(f"{dataset.name}: {note}")
    tag_request = TagRequest(args.word_vectors, args.min_tag_count)
    tags = open_tags(dataset, tag_request, _cache(args), to_stderr)
    check_tuning(dataset, args.tune)
    save_codes = args.save_codes or args.audit
    grid = Grid(variants, _unique(args.bits), _unique(args.seeds), protocol, args.tune)
    if args.dry_run:
        from benchmark.prepare import foresee
        from benchmark.price import price_cells, price_text

        foreseen = foresee(dataset, request, tags, _cache(args))
        cells = grid.cells(foreseen.identity, foreseen.task, foreseen.parts)
        print(price_text(price_cells(cells, store, codes=save_codes), args.jobs))
        if foreseen.bundle is None:
            print(f"features of {len(dataset):,} images are to be extracted first")
        return DONE

    prepared = prepare(dataset, request, tags, _cache(args), to_stderr)
    cells = grid.cells(prepared.identity, prepared.task, prepared.parts)
    if any("tags" in cell.specification for cell in cells if not cell.skip):
        to_stderr(f"{dataset.name}: {describe_tags(tags.identity)}: {prepared.tag_account}")

    from benchmark.cell import Run
    from benchmark.runner import run_cells, shared_folder
    from benchmark.workers import Workers

    run = Run(
        results=args.results.resolve(),
        bundle=prepared.bundle.resolve(),
        shared=shared_folder(_cache(args).resolve(), prepared.identity),
        protocol=protocol,
        plugins=tuple(path.resolve() for path in args.plugin),
        save_codes=save_codes,
        checkpoints=(_cache(args) / "checkpoints").resolve(),
        device=args.device,
        progress=args.jobs == 1,
    )
    workers = Workers(args.jobs, args.backend, args.scheduler)
    results = run_cells(run, cells, workers, again=args.rerun)
    folders = [cell.folder for cell in cells]
    status = _report(results, folders, store, protocol, prepared.n_database)
    if args.audit:
        _audit(results, folders, store, prepared.bundle)
    return status


def _report(
    results: Sequence[CellResult],
    folders: Sequence[str],
    store: Store,
    protocol: Protocol,
    n_database: int,
) -> int:
    from benchmark.output import terminal_text, tested_differences, write_outputs
    from benchmark.prepare import to_stderr

    root = store.root
    folder = root / results[0].dataset
    tests = tested_differences(results, folders, store, protocol, n_database)
    write_outputs(results, folder, protocol, n_database, tests)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(terminal_text(results, protocol, n_database, tests, colour=colour))
    print(f"\nAll tables, figures and summary.csv: {folder}")
    failed = [result for result in results if result.status == "failed"]
    if failed:
        first = failed[0]
        to_stderr(
            f"{len(failed)} of {len(results)} cells failed, the first: {first.method} at "
            f"{first.bits} bits: {first.reason} (error.txt below {root / 'cells'})"
        )
    return FAILED if failed else DONE


def _audit(
    results: Sequence[CellResult], folders: Sequence[str], store: Store, bundle: Path
) -> None:
    from benchmark.audit import audit_cells
    from benchmark.audit_tables import audit_text, write_audit
    from benchmark.bundle import open_bundle

    data = open_bundle(bundle)
    frame = audit_cells(results, folders, store, data.query_labels, data.database_labels)
    write_audit(frame, store.root / results[0].dataset / "tables")
    print(f"\n{audit_text(frame)}")


def _variants(args: argparse.Namespace) -> list[Variant]:
    variants = methods.select(args.methods)
    for text in args.set:
        target, equals, value = text.partition("=")
        name, dot, parameter = target.strip().rpartition(".")
        if not (equals and dot):
            raise InputError(f"--set {text}: write it as METHOD.PARAM=VALUE")
        entry = methods.find(name)
        if not any(variant.name == name for variant in variants):
            raise InputError(f"--set {text}: {name} is not among the methods to run")
        change = {parameter: methods.parse_value(entry, parameter, value.strip())}
        variants = [v.with_parameters(change, entry) if v.name == name else v for v in variants]
    return _unique(variants)


def _cache(args: argparse.Namespace) -> Path:
    return args.cache or args.results / "cache"


def _unique(values: Sequence) -> list:
    return list(dict.fromkeys(values))
