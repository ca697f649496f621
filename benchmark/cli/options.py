"""The options of the command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from benchmark import __version__
from benchmark.errors import InputError
from benchmark.study.defaults import BITS, CHOICES, DATASET, MAX_BITS, MAX_SEED, PROTOCOL, SEEDS

#: Of ``--table`` and ``--figure``: enough for a deviation.
PAPER_SEEDS = (0, 1, 2)

EPILOG = """\
examples:
  run_benchmark.py                                     embedded data set, every method
  run_benchmark.py --dataset nuswide --bits 12 24 32 48
  run_benchmark.py --dataset my_photos --features resnet50 --methods itq 'agh*'
  run_benchmark.py --plugin my_method.py --methods my-method itq
  run_benchmark.py --table 3 4                         tables of a paper beside its numbers
  run_benchmark.py --dataset my_photos --lint          check the data first

exit status: 0 all cells done or skipped with a reason, 1 some cell failed, 2 bad arguments or data
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def build_parser() -> argparse.ArgumentParser:
    """The parser; its complaints are InputErrors."""
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
        metavar="NAME|FOLDER",
        help="a named data set, a variant such as 'demo[n=500]', or a folder with manifest.csv "
        f"(default: {DATASET}; with --table and --figure that of the paper)",
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
        help="an extractor, a variant of one, or a feature file of the data set (default: the data "
        "set's own); see --list features",
    )
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="state dict of the extractor's network"
    )
    group.add_argument(
        "--l2-normalize", action="store_true", help="scale feature vectors to unit length"
    )
    group.add_argument(
        "--word-vectors",
        type=Path,
        metavar="FILE",
        help="vectors of the tags: word2vec, GloVe or fastText, also gzip (default: skip-gram "
        "vectors trained on the training tags)",
    )
    group.add_argument(
        "--min-tag-count",
        type=_whole(1, 2**31 - 1, "a number of images"),
        default=1,
        metavar="N",
        help="drop tags that fewer training images carry (default: %(default)s)",
    )
    group.add_argument(
        "--on-bad-image",
        choices=CHOICES["on_bad_image"],
        default="skip",
        help="what to do with images that cannot be read (default: %(default)s)",
    )


def _add_grid_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help="names, wildcards or variants such as 'itq[n_iter=100]' (default: all, or those of "
        "the paper)",
    )
    group.add_argument(
        "--bits",
        nargs="+",
        type=_whole(1, MAX_BITS, "a code length in bits"),
        metavar="B",
        help=f"code lengths (default: {_spelt(BITS)}, or those of the paper)",
    )
    group.add_argument(
        "--seeds",
        nargs="+",
        type=_whole(0, MAX_SEED, "a seed"),
        metavar="S",
        help="one repetition per seed; tables show mean and deviation (default: "
        f"{_spelt(SEEDS)}; with --table and --figure {_spelt(PAPER_SEEDS)})",
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
        "--tune",
        choices=CHOICES["tune"],
        help="let methods choose among the points of their grid by mAP on a validation part of the "
        "training items, where items are relevant to each other that share labels, or that have "
        "similar tags",
    )
    group.add_argument(
        "--protocol",
        metavar="NAME",
        help=f"see --list protocols (default: {PROTOCOL}); a table or figure has its own",
    )
    group.add_argument(
        "--plugin",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="FILE",
        help="Python files that register methods, data sets or extractors of your own",
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
        type=_whole(1, 4096, "a number of jobs"),
        default=os.cpu_count() or 1,
        metavar="N",
        help="cells at a time, each in a process with its share of the cores; 1 runs them in this "
        "process (default: number of cores)",
    )
    group.add_argument(
        "--device", choices=CHOICES["device"], default="cpu", help="for networks (default: cpu)"
    )
    group.add_argument(
        "--end-to-end",
        action="store_true",
        help="train the deep methods from the images on, with the network of --features as their "
        "pretrained backbone; the others take its features",
    )
    group.add_argument(
        "--backend",
        choices=CHOICES["backend"],
        default="loky",
        help="processes on this machine, or a dask cluster (default: %(default)s)",
    )
    group.add_argument("--scheduler", metavar="ADDRESS", help="of the dask cluster")
    group.add_argument(
        "--rerun",
        choices=CHOICES["rerun"],
        default="failed",
        help="run failed cells again, or all cells (default: %(default)s)",
    )
    group.add_argument("--save-codes", action="store_true", help="store the codes of every cell")
    group.add_argument(
        "--audit",
        action="store_true",
        help="also measure the codes under every protocol; implies --save-codes",
    )


def _add_other_commands(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--list",
        nargs="?",
        const="all",
        choices=("all", "methods", "datasets", "features", "protocols", "papers"),
        help="what there is to choose from",
    )
    group.add_argument(
        "--table",
        nargs="+",
        default=[],
        metavar="ID",
        help="tables of the papers beside what they print: see --list papers",
    )
    group.add_argument(
        "--figure", nargs="+", default=[], metavar="ID", help="figures of the papers, likewise"
    )
    group.add_argument("--dry-run", action="store_true", help="show the cells and their price")
    group.add_argument("--lint", action="store_true", help="check the data and print a data sheet")
    group.add_argument(
        "--check-method", metavar="NAME", help="try a method on the conformance suite"
    )


def _spelt(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _whole(least: int, most: int, what: str):  # noqa: ANN202 - an argparse type
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what}: give whole numbers from {least} to {most}"
            )
        return number

    return read
