"""``--lint``: a data set examined before it is used."""

from __future__ import annotations

import argparse

from benchmark.cli.given import given
from benchmark.cli.status import DONE
from benchmark.datasets.lint import data_sheet
from benchmark.datasets.opening import open_dataset
from benchmark.files import check_writable
from benchmark.study.defaults import DATASET
from benchmark.study.session import Session


def run(args: argparse.Namespace) -> int:
    """Print the data sheet."""
    cache = Session(**given(args, Session)).options.cache
    check_writable(cache, "--cache")
    print(data_sheet(open_dataset(args.dataset or DATASET, args.data_root, cache / "splits")))
    return DONE
