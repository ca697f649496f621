"""The options of the command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from benchmark import __version__
from benchmark.cli.data_options import add_data_options
from benchmark.cli.modes import add_modes
from benchmark.cli.parsing import Parser, as_path, as_text, as_whole
from benchmark.study.defaults import (
    BITS,
    CHOICES,
    MAX_BITS,
    MAX_SEED,
    PROTOCOL,
    SEEDS,
    cache,
)

#: Default seeds of ``--table`` and ``--figure``, which report a deviation.
PAPER_SEEDS = (0, 1, 2)

EPILOG = """\
examples:
  run_benchmark.py                                     demo data set, all methods
  run_benchmark.py --dataset nuswide --bits 12 24 32 48
  run_benchmark.py --dataset my_photos --features resnet50 --methods itq 'agh*'
  run_benchmark.py --plugin my_method.py --methods my-method itq
  run_benchmark.py --table 3 4                         tables of a paper with our numbers
  run_benchmark.py --dataset my_photos --lint          check the data first
  run_benchmark.py encode --help                       hash images with a stored method

exit status: 0 all cells are done or skipped, 1 some cell failed, 2 bad arguments or data
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line; it raises InputError for bad arguments."""
    parser = Parser(
        prog="run_benchmark.py",
        description="Compare methods of learning to hash for image retrieval under one protocol.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hashbench {__version__}")
    add_data_options(parser.add_argument_group("data"))
    _add_grid_options(parser.add_argument_group("what to compare"))
    _add_run_options(parser.add_argument_group("how to run"))
    add_modes(parser.add_argument_group("instead of a run"))
    return parser


def _add_grid_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--methods",
        nargs="+",
        type=as_text,
        metavar="NAME",
        help="names, wildcards or variants such as 'itq[n_iter=100]' (default: all; with --table "
        "or --figure the paper's methods)",
    )
    group.add_argument(
        "--bits",
        nargs="+",
        type=as_whole(1, MAX_BITS, "a code length in bits"),
        metavar="B",
        help=f"code lengths (default: {_spelt(BITS)}; with --table or --figure the paper's)",
    )
    group.add_argument(
        "--seeds",
        nargs="+",
        type=as_whole(0, MAX_SEED, "a seed"),
        metavar="S",
        help="one repetition per seed; tables show mean and deviation (default: "
        f"{_spelt(SEEDS)}; with --table or --figure {_spelt(PAPER_SEEDS)})",
    )
    group.add_argument(
        "--split-per-seed",
        action="store_true",
        help="draw a split of the data for each seed, so that deviations and tests cover splits; "
        "for data sets that draw their split",
    )
    group.add_argument(
        "--set",
        nargs="+",
        action="extend",
        type=as_text,
        default=[],
        metavar="METHOD.PARAM=VALUE",
        help="set a parameter of all variants of a method",
    )
    group.add_argument(
        "--tune",
        choices=CHOICES["tune"],
        help="choose parameters from each method's grid by mAP on a validation part of the "
        "training items; two items are relevant to each other if they share labels, or have "
        "similar tags",
    )
    group.add_argument(
        "--protocol",
        type=as_text,
        metavar="NAME",
        help=f"name of a protocol, see --list protocols (default: {PROTOCOL}; a table or figure "
        "has its own)",
    )
    group.add_argument(
        "--plugin",
        nargs="+",
        action="extend",
        type=as_path,
        default=[],
        metavar="FILE",
        help="Python files that register methods, data sets or extractors of your own",
    )


def _add_run_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--config",
        type=as_path,
        metavar="FILE.toml",
        help="options by their long names; those of the command line win",
    )
    group.add_argument(
        "--results",
        type=as_path,
        default=Path("results"),
        metavar="DIR",
        help="folder for cells, tables and figures (default: %(default)s)",
    )
    group.add_argument(
        "--cache",
        type=as_path,
        default=cache(),
        metavar="DIR",
        help="folder for features, splits and shared results (default: HASHBENCH_CACHE of the "
        "environment, or cache/ in the results folder)",
    )
    group.add_argument(
        "--jobs",
        type=as_whole(1, 4096, "a number of jobs"),
        default=os.cpu_count() or 1,
        metavar="N",
        help="number of cells that run in parallel, each in a process with its share of the cores; "
        "1 runs them in this process (default: number of cores)",
    )
    group.add_argument(
        "--device",
        choices=CHOICES["device"],
        default="cpu",
        help="device on which networks are trained and run (default: %(default)s)",
    )
    group.add_argument(
        "--end-to-end",
        action="store_true",
        help="train deep methods on images, with the network of --features as pretrained backbone; "
        "other methods use its features",
    )
    group.add_argument(
        "--backend",
        choices=CHOICES["backend"],
        default="loky",
        help="run cells in processes on this machine or on a dask cluster (default: %(default)s)",
    )
    group.add_argument(
        "--scheduler",
        type=as_text,
        metavar="ADDRESS",
        help="address of the dask scheduler (default: a local cluster is started)",
    )
    group.add_argument(
        "--rerun",
        choices=CHOICES["rerun"],
        default="failed",
        help="run failed cells again, or all cells (default: %(default)s)",
    )
    group.add_argument("--save-codes", action="store_true", help="store the codes of all cells")
    group.add_argument(
        "--save-models",
        action="store_true",
        help="store the fitted methods of all cells, for 'run_benchmark.py encode'",
    )
    group.add_argument(
        "--audit",
        action="store_true",
        help="also evaluate the codes under every protocol; implies --save-codes",
    )


def _spelt(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))
