"""The options of the command."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from benchmark import __version__
from benchmark.errors import InputError
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

exit status: 0 all cells are done or skipped, 1 some cell failed, 2 bad arguments or data
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message)

    def parse_args(self, *arguments: Any) -> argparse.Namespace:  # type: ignore[override]
        """As in the library; an option that is misspelt is told what it may have been."""
        args, unknown = self.parse_known_args(*arguments)
        if unknown:
            name = unknown[0].partition("=")[0]
            options = [option for option in self._option_string_actions if len(option) > 2]
            near = difflib.get_close_matches(name, options, n=2) if name[:1] == "-" else []
            hint = f"did you mean {' or '.join(near)}?" if near else "--help shows all options"
            self.error(f"unknown argument {unknown[0]!r}: {hint}")
        return args


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line; it raises InputError for bad arguments."""
    parser = _Parser(
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
        type=_text,
        metavar="NAME|FOLDER",
        help="a named data set, a variant such as 'demo[n=500]', or a folder with manifest.csv, "
        "lists of images or MATLAB files; the word 'unseen' in the brackets keeps training items "
        "out of the database "
        f"(default: {DATASET}; with --table or --figure the paper's data set)",
    )
    group.add_argument(
        "--data-root",
        type=_path,
        default=Path("data"),
        metavar="DIR",
        help="folder of the files of named data sets (default: %(default)s)",
    )
    group.add_argument(
        "--features",
        type=_text,
        metavar="NAME",
        help="an extractor, a variant of one, or a feature file of the data set (default: the data "
        "set's own); see --list features",
    )
    group.add_argument(
        "--weights",
        type=_path,
        metavar="FILE",
        help="file with the weights (state dict) of the extractor's network",
    )
    group.add_argument(
        "--l2-normalize", action="store_true", help="scale feature vectors to unit length"
    )
    group.add_argument(
        "--word-vectors",
        type=_path,
        metavar="FILE",
        help="word vectors of the tags in word2vec, GloVe or fastText format, also gzip (default: "
        "skip-gram vectors trained on the training tags)",
    )
    group.add_argument(
        "--min-tag-count",
        type=_whole(1, 2**31 - 1, "a number of images"),
        default=1,
        metavar="N",
        help="drop tags that occur in fewer than N training images (default: %(default)s)",
    )
    group.add_argument(
        "--tags",
        type=Path,
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
        type=_text,
        metavar="NAME",
        help="names, wildcards or variants such as 'itq[n_iter=100]' (default: all; with --table "
        "or --figure the paper's methods)",
    )
    group.add_argument(
        "--bits",
        nargs="+",
        type=_whole(1, MAX_BITS, "a code length in bits"),
        metavar="B",
        help=f"code lengths (default: {_spelt(BITS)}; with --table or --figure the paper's)",
    )
    group.add_argument(
        "--seeds",
        nargs="+",
        type=_whole(0, MAX_SEED, "a seed"),
        metavar="S",
        help="one repetition per seed; tables show mean and deviation (default: "
        f"{_spelt(SEEDS)}; with --table or --figure {_spelt(PAPER_SEEDS)})",
    )
    group.add_argument(
        "--set",
        nargs="+",
        action="extend",
        type=_text,
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
        type=_text,
        metavar="NAME",
        help=f"name of a protocol, see --list protocols (default: {PROTOCOL}; a table or figure "
        "has its own)",
    )
    group.add_argument(
        "--plugin",
        nargs="+",
        action="extend",
        type=_path,
        default=[],
        metavar="FILE",
        help="Python files that register methods, data sets or extractors of your own",
    )


def _add_run_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--results",
        type=_path,
        default=Path("results"),
        metavar="DIR",
        help="folder for cells, tables and figures (default: %(default)s)",
    )
    group.add_argument(
        "--cache",
        type=_path,
        metavar="DIR",
        help="folder for features, splits and shared results (default: cache/ in the results "
        "folder)",
    )
    group.add_argument(
        "--jobs",
        type=_whole(1, 4096, "a number of jobs"),
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
        type=_text,
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
        type=_text,
        default=[],
        metavar="ID",
        help="reproduce tables of the papers and compare them with the printed values, see --list "
        "papers",
    )
    group.add_argument(
        "--figure",
        nargs="+",
        type=_text,
        default=[],
        metavar="ID",
        help="reproduce figures of the papers, see --list papers",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="print the number of cells and their estimated cost"
    )
    group.add_argument(
        "--lint", action="store_true", help="check the data set and print a data sheet"
    )
    group.add_argument(
        "--check-method", type=_text, metavar="NAME", help="run the conformance suite on a method"
    )


def _spelt(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _text(text: str) -> str:
    """A word that is there."""
    if not text.strip() or "\0" in text:
        what = "has a NUL character" if text.strip() else "is empty"
        raise argparse.ArgumentTypeError(f"{text!r} {what}; give a name, or leave the option out")
    return text


def _path(text: str) -> Path:
    return Path(_text(text))


def _whole(least: int, most: int, what: str):  # noqa: ANN202 - an argparse type
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what}; use whole numbers from {least} to {most}"
            )
        return number

    return read
