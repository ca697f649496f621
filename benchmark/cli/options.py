"""The options of the command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from benchmark import __version__
from benchmark.cli.parsing import Parser, as_path, as_text, as_whole
from benchmark.study.defaults import BITS, CHOICES, DATASET, MAX_BITS, MAX_SEED, PROTOCOL, SEEDS

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
    _add_data_options(parser.add_argument_group("data"))
    _add_grid_options(parser.add_argument_group("what to compare"))
    _add_run_options(parser.add_argument_group("how to run"))
    _add_other_commands(parser.add_argument_group("instead of a run"))
    return parser


def _add_data_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--dataset",
        type=as_text,
        metavar="NAME|FOLDER",
        help="a named data set, a variant such as 'demo[n=500]', or a folder with manifest.csv, "
        "lists of images or MATLAB files; the word 'unseen' in the brackets keeps training items "
        "out of the database "
        f"(default: {DATASET}; with --table or --figure the paper's data set)",
    )
    group.add_argument(
        "--data-root",
        type=as_path,
        default=Path("data"),
        metavar="DIR",
        help="folder of the files of named data sets (default: %(default)s)",
    )
    group.add_argument(
        "--features",
        type=as_text,
        metavar="NAME",
        help="an extractor, a variant of one, or a feature file of the data set (default: the data "
        "set's own); see --list features",
    )
    group.add_argument(
        "--weights",
        type=as_path,
        metavar="FILE",
        help="file with the weights (state dict) of the extractor's network",
    )
    group.add_argument(
        "--l2-normalize", action="store_true", help="scale feature vectors to unit length"
    )
    group.add_argument(
        "--word-vectors",
        type=as_path,
        metavar="FILE",
        help="word vectors of the tags in word2vec, GloVe or fastText format, also gzip (default: "
        "skip-gram vectors trained on the training tags)",
    )
    group.add_argument(
        "--min-tag-count",
        type=as_whole(1, 2**31 - 1, "a number of images"),
        default=1,
        metavar="N",
        help="drop tags that occur in fewer than N training images (default: %(default)s)",
    )
    group.add_argument(
        "--download",
        action="store_true",
        help="fetch the files of the data set first (cifar10)",
    )
    group.add_argument(
        "--tags",
        type=as_path,
        metavar="FILE",
        help="tags of photos, joined by photo id: All_Tags.txt of NUS-WIDE, or the folder "
        "meta/tags of MIRFLICKR (default: the data set's own)",
    )
    group.add_argument(
        "--on-missing-image",
        choices=CHOICES["on_missing_image"],
        default="skip",
        help="leave out images that a list names and that are not on disk, or stop with an error "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--on-bad-image",
        choices=CHOICES["on_bad_image"],
        default="skip",
        help="skip unreadable images, or stop with an error (default: %(default)s)",
    )


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
        "--results",
        type=as_path,
        default=Path("results"),
        metavar="DIR",
        help="folder for cells, tables and figures (default: %(default)s)",
    )
    group.add_argument(
        "--cache",
        type=as_path,
        metavar="DIR",
        help="folder for features, splits and shared results (default: cache/ in the results "
        "folder)",
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


def _add_other_commands(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--list",
        nargs="?",
        const="all",
        choices=("all", "methods", "datasets", "features", "protocols", "papers"),
        help="list what is available",
    )
    group.add_argument(
        "--table",
        nargs="+",
        type=as_text,
        default=[],
        metavar="ID",
        help="reproduce tables of the papers and compare them with the printed values, see --list "
        "papers",
    )
    group.add_argument(
        "--figure",
        nargs="+",
        type=as_text,
        default=[],
        metavar="ID",
        help="reproduce figures of the papers, see --list papers",
    )
    group.add_argument(
        "--report",
        nargs="*",
        metavar="DATASET",
        help="make tables, figures and pages again from all stored cells of these data sets, or "
        "of all, without running anything",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="print the number of cells and their estimated cost"
    )
    group.add_argument(
        "--lint", action="store_true", help="check the data set and print a data sheet"
    )
    group.add_argument(
        "--reproduce",
        type=as_path,
        metavar="CELL",
        help="make a stored cell again, from its folder below cells/ in the results folder, and "
        "compare codes and metrics",
    )
    group.add_argument(
        "--check-method", type=as_text, metavar="NAME", help="run the conformance suite on a method"
    )


def _spelt(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))
