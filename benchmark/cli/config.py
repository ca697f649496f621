"""A study in a TOML file: every option by its long name."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import InputError

#: Options that say nothing about a study.
APART = ("config", "print_config", "list", "check_method", "help", "version")


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The options of a file that ``--config`` names, and then those of the command line.

    An option that takes one value or a list has the one of the command line; parameters of
    methods (``--set``) and plug-ins of both count.

    Raises
    ------
    InputError
        If the file cannot be read or has an unknown option, or for bad arguments.
    """
    args = parser.parse_args(argv)
    if args.config is None:
        return args
    return parser.parse_args([*_arguments(parser, args.config), *argv])


def config_text(parser: argparse.ArgumentParser, args: argparse.Namespace) -> str:
    """The options in TOML, those that differ from what holds without them.

    The folders of data and cache are always written, since the environment may decide them.
    """
    lines = []
    for action in _actions(parser).values():
        value = getattr(args, action.dest)
        is_place = action.dest in ("data_root", "cache") and value is not None
        if is_place or (value != action.default and value not in (None, [], False)):
            lines.append(f"{_option(action)} = {_toml(value)}\n")
    return "".join(lines)


def _arguments(parser: argparse.ArgumentParser, path: Path) -> list[str]:
    """The arguments that a file stands for."""
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise InputError(f"--config {path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--config {path} is not TOML: {error}") from None
    known = _actions(parser)
    arguments: list[str] = []
    for name, value in content.items():
        action = known.get(name.replace("-", "_"))
        if action is None:
            raise InputError(f"--config {path}: there is no option {name!r}; see --help")
        if isinstance(value, dict):
            raise InputError(f"--config {path}: {name} must be a value or a list, not a table")
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise InputError(f"--config {path}: {name} must be true or false")
            arguments += [_flag(action)] if value else []
            continue
        values = value if isinstance(value, list) else [value]
        if values:
            # A value may start with a dash.
            first, *rest = [str(item) for item in values]
            arguments += [_flag(action), first, *rest] if rest else [f"{_flag(action)}={first}"]
    return arguments


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {
        action.dest: action
        for action in parser._actions
        if action.option_strings and action.dest not in APART
    }


def _flag(action: argparse.Action) -> str:
    return next(text for text in action.option_strings if text.startswith("--"))


def _option(action: argparse.Action) -> str:
    return _flag(action).removeprefix("--")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    # The escapes of JSON are those of TOML.
    return str(value) if isinstance(value, (int, float)) else json.dumps(str(value))
