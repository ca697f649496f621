"""``--leaderboard``: a static site."""

from __future__ import annotations

import argparse

from benchmark.cli.status import DONE
from benchmark.study.leaderboard import write_leaderboard


def run(args: argparse.Namespace) -> int:
    """Write the site into the folder ``site`` of the results folder."""
    paths = write_leaderboard(args.leaderboard, args.results / "site")
    print(f"{len(paths)} pages: {paths[0]}")
    return DONE
