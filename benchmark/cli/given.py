"""The options that were given, by the names of a dataclass that takes them."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any


def given(args: argparse.Namespace, options: type) -> dict[str, Any]:
    """Keyword arguments for a dataclass whose fields are the long names of options.

    What was not given is left out, so that the default of the dataclass holds.

    Parameters
    ----------
    args : Namespace
    options : type
        :class:`benchmark.study.Session` or :class:`benchmark.study.Study`.
    """
    names = {field.name for field in fields(options)}
    return {k: v for k, v in vars(args).items() if k in names and v is not None}
