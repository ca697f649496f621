"""``--list``: what there is to choose from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmark.cli.status import DONE
from benchmark.datasets import datasets
from benchmark.papers.index import list_papers
from benchmark.protocol.protocol import PRESETS
from benchmark.registry import extractors, methods


def run(args: argparse.Namespace) -> int:
    """Print one list, or all of them."""
    sections = {
        "methods": [
            (e.name, f"{e.facts['paper']} [{e.facts['supervision']}] {e.summary}")
            for e in methods.entries()
        ],
        "datasets": [(e.name, e.summary) for e in datasets.entries()],
        "features": extractors.listing(),
        "protocols": [(p.name, p.about) for p in PRESETS.values()],
        "papers": list_papers(),
    }
    for title, lines in sections.items():
        if args.list == title:
            _print_pairs(lines)
        elif args.list == "all":
            print(f"{title}:")
            _print_pairs(lines, indent="  ")
    return DONE


def _print_pairs(lines: Sequence[tuple[str, str]], indent: str = "") -> None:
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{indent}{name:<{width}}  {text}")
