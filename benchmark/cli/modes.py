"""What the command does instead of a run."""

from __future__ import annotations

import argparse

from benchmark.cli.parsing import as_path, as_text


def add_modes(group: argparse._ArgumentGroup) -> None:
    """Add the options that each choose a mode."""
    group.add_argument(
        "--print-config",
        action="store_true",
        help="print the options of this command as a file for --config",
    )
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
        "--merge",
        nargs="+",
        type=as_path,
        metavar="DIR",
        help="copy the cells of other results folders into --results and report all of them",
    )
    group.add_argument(
        "--leaderboard",
        nargs="+",
        type=as_path,
        metavar="DIR",
        help="write a static site of results folders into site/ of --results: all methods on all "
        "data sets with mean ranks, a page for each method and each data set",
    )
    group.add_argument(
        "--check-results",
        nargs="+",
        type=as_path,
        metavar="DIR",
        help="check whether results folders can be handed in: structure, checksums, versions, "
        "methods, protocols, and that they agree with --results",
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
