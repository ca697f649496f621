"""``--reproduce``: a stored cell made again and compared."""

from __future__ import annotations

import argparse

from benchmark.cli.status import DONE, FAILED
from benchmark.study.reproduction import reproduce


def run(args: argparse.Namespace) -> int:
    """Print the verdict, one line."""
    verdict = reproduce(args.reproduce)
    print(verdict)
    return FAILED if verdict.differences else DONE
