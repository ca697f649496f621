"""``--check-method``: a method tried on the conformance suite."""

from __future__ import annotations

import argparse

from benchmark.cli.status import DONE, FAILED
from benchmark.registry import methods
from methods.conformance.checks import run_checks


def run(args: argparse.Namespace) -> int:
    """Print the outcome of every check."""
    variant = methods.parse(args.check_method)
    outcomes = run_checks(methods.find(variant.name).load(), dict(variant.parameters))
    for outcome in outcomes:
        print(f"{'ok' if outcome.passed else 'FAILED':<7} {outcome.name} {outcome.message}".strip())
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{variant}: {len(outcomes) - failed} checks passed, {failed} failed")
    return FAILED if failed else DONE
