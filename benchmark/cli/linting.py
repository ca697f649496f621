"""``--lint``: a data set examined before it is used."""

from __future__ import annotations

import argparse

from benchmark.cli.given import given
from benchmark.cli.status import DONE
from benchmark.datasets.lint import data_sheet
from benchmark.files import check_writable
from benchmark.study.defaults import DATASET
from benchmark.study.session import Session


def run(args: argparse.Namespace) -> int:
    """Print the data sheet."""
    session = Session(**given(args, Session))
    check_writable(session.options.cache, "--cache")
    print(data_sheet(session.open_dataset(args.dataset or DATASET)))
    return DONE
