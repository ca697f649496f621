"""The command: reads its arguments, calls one mode, and turns errors into an exit status.

Torch, numba, scikit-learn and the methods load only when work starts, so that ``--help``,
``--list`` and complaints answer at once; that is why a mode is imported when it is chosen.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence

from benchmark.cli.config import config_text, parse
from benchmark.cli.options import build_parser
from benchmark.cli.status import BAD_INPUT, DONE, INTERRUPTED
from benchmark.errors import InputError
from benchmark.log import escaped, to_stderr
from benchmark.protocol.protocol import find_protocol
from benchmark.registry import load_plugins
from benchmark.registry.selection import variants_of
from benchmark.study.defaults import PROTOCOL


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = build_parser()
    argv = sys.argv[1:] if argv is None else argv
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if list(argv[:1]) == ["encode"]:
            return importlib.import_module("benchmark.cli.encode").run(argv[1:])
        args = parse(parser, argv)
        if args.print_config:
            print(config_text(parser, args), end="")
            return DONE
        load_plugins(args.plugin)
        _check_names(args)
        return importlib.import_module(f"benchmark.cli.{_mode(args)}").run(args)
    except InputError as error:
        return _refused(parser.prog, error.message, error.details)
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; finished cells are kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Somebody closed the pipe (``| head``); there is nobody left to complain to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _refused(parser.prog, _of_the_system(error))


def _refused(program: str, message: str, details: Sequence[str] = ()) -> int:
    to_stderr(f"{program}: error: {message}")
    for line in details:
        # Whole, since it may list the files that are missing.
        print(escaped(line), file=sys.stderr)
    return BAD_INPUT


def _of_the_system(error: OSError) -> str:
    """What the system refused, in one line: what, where, and what to do."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        what = error.strerror or str(error)
        return (
            f"{where}{what}: the disk may be full; free space, or name other folders with "
            "--results and --cache (finished cells are kept)"
        )
    return f"{where}{error.strerror}; finished cells are kept"


def _check_names(args: argparse.Namespace) -> None:
    """Complain of unknown methods and protocols before anything large is loaded."""
    if _mode(args) == "study":
        variants_of(args.methods or (), args.set)
        find_protocol(args.protocol or PROTOCOL)


def _mode(args: argparse.Namespace) -> str:
    """The module that does what was asked for; InputError if that is two things at once."""
    asked = {
        "--list": ("listing", args.list),
        "--check-method": ("checking", args.check_method),
        "--reproduce": ("reproducing", args.reproduce),
        "--report": ("report", args.report is not None),
        "--merge": ("merge", args.merge),
        "--leaderboard": ("leaderboard", args.leaderboard),
        "--check-results": ("submission", args.check_results),
        "--lint": ("linting", args.lint),
        "--table": ("papers", args.table),
        "--figure": ("papers", args.figure),
    }
    modes = {mode: option for option, (mode, given) in asked.items() if given}
    if len(modes) > 1:
        raise InputError(f"{' and '.join(modes.values())} are two commands: give one of them")
    return next(iter(modes), "study")
