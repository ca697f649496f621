"""Arguments to a plan; prints; no logic of its own.

Torch, numba, scikit-learn and the methods load only when work starts, so that ``--help``,
``--list`` and complaints answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from benchmark import __version__
from benchmark.datasets import datasets
from benchmark.errors import InputError
from benchmark.protocol import PRESETS, find_protocol
from benchmark.registry import Variant, methods
from features.errors import FeatureError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

EPILOG = """\
examples:
  run_benchmark.py                                     embedded data set, every method
  run_benchmark.py --dataset nuswide --bits 12 24 32 48
  run_benchmark.py --dataset my_photos --features resnet50 --methods itq 'agh*'
  run_benchmark.py --plugin my_method.py --methods my-method itq
  run_benchmark.py --dataset my_photos --lint          check the data first

exit status: 0 all cells done or skipped with a reason, 1 some cell failed, 2 bad arguments or data
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = _build_parser()
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


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="run_benchmark.py",
        description="Compare methods of learning to hash for image retrieval under one protocol.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hashbench {__version__}")
    _add_data_options(parser.add_argument_group("data"))
    _add_grid_options(parser.add_argument_group("what to compare"))
    _add_run_options(parser.add_argument_group("how to run"))
    _add_other_commands(parser.add_argument_group("instead of a run"))
    return parser


def _add_data_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--dataset",
        default="demo",
        metavar="NAME|FOLDER",
        help="a named data set, a variant such as 'demo[n=500]', or a folder with manifest.csv "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--data-root",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="where the files of named data sets lie (default: %(default)s)",
    )
    group.add_argument(
        "--features",
        metavar="NAME",
        help="an extractor, or a file of the folder's features/ (default: the data set's own)",
    )
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="state dict of the extractor's network"
    )
    group.add_argument(
        "--l2-normalize", action="store_true", help="scale feature vectors to unit length"
    )
    group.add_argument(
        "--on-bad-image",
        choices=("skip", "error"),
        default="skip",
        help="what to do with images that cannot be read (default: %(default)s)",
    )


def _add_grid_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--methods",
        nargs="+",
        default=["*"],
        metavar="NAME",
        help="names, wildcards or variants such as 'itq[n_iter=100]' (default: all)",
    )
    group.add_argument(
        "--bits",
        nargs="+",
        type=_at_least(1, "a code length in bits"),
        default=[12, 24, 32, 48],
        metavar="B",
        help="code lengths (default: 12 24 32 48)",
    )
    group.add_argument(
        "--seeds",
        nargs="+",
        type=_at_least(0, "a seed"),
        default=[0],
        metavar="S",
        help="one repetition per seed; tables show mean and deviation (default: 0)",
    )
    group.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="METHOD.PARAM=VALUE",
        help="set a parameter of every variant of a method",
    )
    group.add_argument(
        "--protocol", default="wdht", metavar="NAME", help="see --list protocols (default: wdht)"
    )
    group.add_argument(
        "--plugin",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="FILE",
        help="Python files that register methods of your own",
    )


def _add_run_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="where cells, tables and figures go (default: %(default)s)",
    )
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="features, splits and shared results (default: cache/ in the results folder)",
    )
    group.add_argument(
        "--jobs",
        type=_at_least(1, "a number of jobs"),
        default=os.cpu_count() or 1,
        metavar="N",
        help="cells at a time, each with its share of the cores (default: all cores)",
    )
    group.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="for networks (default: cpu)"
    )
    group.add_argument(
        "--backend",
        choices=("loky", "dask"),
        default="loky",
        help="processes on this machine, or a dask cluster (default: %(default)s)",
    )
    group.add_argument("--scheduler", metavar="ADDRESS", help="of the dask cluster")
    group.add_argument(
        "--rerun",
        choices=("failed", "all"),
        default="failed",
        help="run failed cells again, or all cells (default: %(default)s)",
    )
    group.add_argument("--save-codes", action="store_true", help="store the codes of every cell")


def _add_other_commands(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--list",
        nargs="?",
        const="all",
        choices=("all", "methods", "datasets", "features", "protocols"),
        help="what there is to choose from",
    )
    group.add_argument("--dry-run", action="store_true", help="show the cells and their price")
    group.add_argument("--lint", action="store_true", help="check the data and print a data sheet")
    group.add_argument(
        "--check-method", metavar="NAME", help="try a method on the conformance suite"
    )


def _at_least(least: int, what: str):  # noqa: ANN202 - an argparse type
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what}: give whole numbers from {least} on"
            )
        return number

    return read


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

    print(data_sheet(open_dataset(args.dataset, args.data_root, _cache(args) / "splits")))
    return DONE


def _run(args: argparse.Namespace) -> int:
    variants = _variants(args)
    protocol = find_protocol(args.protocol)
    if args.scheduler and args.backend != "dask":
        raise InputError("--scheduler needs --backend dask")
    from benchmark.store import Store

    store = Store(args.results)
    # From here on numpy, scikit-learn and the methods load.
    from benchmark.datasets.opening import open_dataset
    from benchmark.output import terminal_text, write_outputs
    from benchmark.plan import Grid
    from benchmark.prepare import FeatureRequest, check_features, prepare, to_stderr

    dataset = open_dataset(args.dataset, args.data_root, _cache(args) / "splits")
    request = FeatureRequest(
        args.features, args.weights, args.device, args.on_bad_image, args.l2_normalize
    )
    check_features(dataset, request)
    for note in dataset.notes:
        to_stderr(f"{dataset.name}: {note}")
    prepared = prepare(dataset, request, _cache(args), to_stderr)
    grid = Grid(variants, _unique(args.bits), _unique(args.seeds), protocol)
    cells = grid.cells(prepared.identity, prepared.task)
    if args.dry_run:
        from benchmark.price import price_cells, price_text

        print(price_text(price_cells(cells, store), args.jobs))
        return DONE

    from benchmark.runner import Run, Workers, run_cells, shared_folder

    run = Run(
        results=args.results.resolve(),
        bundle=prepared.bundle.resolve(),
        shared=shared_folder(_cache(args).resolve(), prepared.identity),
        protocol=protocol,
        plugins=tuple(path.resolve() for path in args.plugin),
        save_codes=args.save_codes,
    )
    workers = Workers(args.jobs, args.backend, args.scheduler)
    results = run_cells(run, cells, workers, again=args.rerun)
    folder = args.results / dataset.name
    write_outputs(results, folder, protocol, prepared.n_database)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(terminal_text(results, protocol, prepared.n_database, colour=colour))
    print(f"\nAll tables, figures and summary.csv: {folder}")
    failed = [result for result in results if result.status == "failed"]
    if failed:
        first = failed[0]
        to_stderr(
            f"{len(failed)} of {len(results)} cells failed, the first: {first.method} at "
            f"{first.bits} bits: {first.reason} (error.txt below {args.results / 'cells'})"
        )
    return FAILED if failed else DONE


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
        variants = [v.with_parameters(change) if v.name == name else v for v in variants]
    return _unique(variants)


def _cache(args: argparse.Namespace) -> Path:
    return args.cache or args.results / "cache"


def _unique(values: Sequence) -> list:
    return list(dict.fromkeys(values))
