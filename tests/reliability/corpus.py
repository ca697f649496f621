"""The corpus of bad inputs: reads its cases, tries one, and says what is wrong with the answer.

A case is a table of a file in ``bad_inputs/``; ``bad_inputs/README.md`` says what it may hold.
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import signal
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import makers

FOLDER = Path(__file__).parent / "bad_inputs"
#: Seconds after which a case counts as hanging, and characters of a line that can be read.
PATIENCE, LONGEST = 60, 700
#: What a case may leave where it says ``caches``: intermediate results, which are no harm.
CACHE = "results/cache"
#: What stands for texts that are too long, or too odd, to be written in a case.
ODD = {
    "{long}": "m" * 300,
    "{path}": "x/" * 2500,
    "{digits}": "9" * 5000,
    "{signs}": "-" * 20_000,
    "{brackets}": "[" * 20_000,
    "{surrogate}": "\udce9",
}


class NoAnswerError(BaseException):
    """A case hangs; nothing that handles errors handles this."""


@dataclass(frozen=True)
class Case:
    """One bad input: what to write, what to call, what is expected.

    Attributes
    ----------
    name : str
    trees : sequence of str
        Data sets of :data:`makers.TREES` to write first.
    files : mapping of str to content
        Files to write, see :mod:`makers`.
    changes : mapping of str to (str, str)
        Text to replace in a file, and what comes in its place.
    call : sequence of str
        Arguments of the command; or ``python``.
    python : str
        An expression in place of a command, which is to raise InputError.
    words : sequence of str
        What the first line on stderr must hold.
    status : int
        Exit status.
    caches : bool
        Whether work was done before the input was found to be bad: then files may be left below
        the cache, and the line is the last on stderr.
    """

    name: str
    trees: tuple[str, ...]
    words: tuple[str, ...]
    call: tuple[str, ...] = ()
    python: str = ""
    files: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, list[str]] = field(default_factory=dict)
    status: int = 2
    caches: bool = False


def read_cases() -> list[Case]:
    """Every case of every file, in the order of their names and lines."""
    return [case for path in sorted(FOLDER.glob("*.toml")) for case in _cases_of(path)]


def _cases_of(path: Path) -> Iterator[Case]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    base, trees = shlex.split(content.get("base", "")), content.get("trees", ["blobs"])
    for table in content["case"]:
        call = table.pop("call", "")
        words = shlex.split(call) if isinstance(call, str) else call
        name = f"{path.stem}: {table.pop('name', call or table.get('python'))}"
        expected = tuple(table.pop("words"))
        yield Case(name, tuple(trees), expected, (*base, *map(spelt_out, words)), **table)


def spelt_out(text: str) -> str:
    """A text with what :data:`ODD` stands for."""
    for short, long in ODD.items():
        text = text.replace(short, long)
    return text


def complaint(case: Case, folder: Path) -> str:
    """Try a case in an empty folder; what is wrong with the answer, or '' if nothing is."""
    for name in case.trees:
        makers.TREES[name](folder / name)
    for name, content in case.files.items():
        makers.write(folder / name, spelt_out(content) if isinstance(content, str) else content)
    for name, (old, new) in case.changes.items():
        makers.change(folder / name, old, spelt_out(new))
    before = _listing(folder)
    try:
        with _inside(folder), _patience():
            status, out, err = _python(case.python) if case.python else _command(case.call)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {str(error)[:300]}"
    after = _listing(folder)
    refused = case.status == 2
    wrong = _wrong_answer(case, status, out, err)
    return wrong or (_wrong_files(case, before, after) if refused else "")


def _command(arguments: tuple[str, ...]) -> tuple[int, str, str]:
    from benchmark.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(list(arguments))
    return status, out.getvalue(), err.getvalue()


def _python(expression: str) -> tuple[int, str, str]:
    """An expression for the interface of Python; its error takes the place of the command's."""
    import numpy as np

    from benchmark import evaluate, evaluate_scores
    from benchmark.errors import InputError
    from benchmark.study import Study

    known = {"np": np, "Study": Study, "evaluate": evaluate, "evaluate_scores": evaluate_scores}
    try:
        eval(expression, known)
    except InputError as error:
        return 2, "", f"error: {error}\n"
    return 0, "", ""


def _wrong_answer(case: Case, status: int, out: str, err: str) -> str:
    lines = err.splitlines() or [""]
    # What is found while images are read comes after the message that they are read.
    first, rest = (lines[-1], []) if case.caches else (lines[0], lines[1:])
    if status != case.status:
        return f"exit status {status}; stderr: {err[:300]!r}"
    if case.status != 2:
        missing = [word for word in case.words if word not in out + err]
        return f"{missing[0]!r} is missing in {out + err!r}" if missing else ""
    if out:
        return f"something on stdout: {out[:300]!r}"
    if "error: " not in first or "Traceback" in err:
        return f"the first line is no error: {err[:300]!r}"
    if not first.isprintable() or len(first) > LONGEST:
        return f"the first line cannot be read: {first[:300]!r} ({len(first)} characters)"
    if rest and "--table" not in case.call:
        return f"more than one line: {err[:400]!r}"
    missing = [word for word in case.words if word not in first]
    return f"{missing[0]!r} is missing in {first!r}" if missing else ""


def _wrong_files(case: Case, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    allowed = (CACHE, "results") if case.caches else ()
    changed = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    changed = [n for n in changed if n not in allowed and not (allowed and n.startswith(CACHE))]
    return f"files changed: {', '.join(changed[:5])}" if changed else ""


def _listing(folder: Path) -> dict[str, str]:
    """Every path below a folder, with a digest of plain files."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            mode = path.lstat().st_mode
            plain = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
            found[path.relative_to(folder).as_posix()] = f"{stat.S_IFMT(mode)} {plain}"
    return found


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder; plug-ins of the case are forgotten afterwards."""
    from benchmark.registry import datasets, extractors, methods

    before, handler = Path.cwd(), signal.getsignal(signal.SIGTERM)
    os.chdir(folder)
    try:
        with ExitStack() as stack:
            for registry in (methods, datasets, extractors):
                stack.enter_context(registry.temporary())
            yield
    finally:
        os.chdir(before)
        signal.signal(signal.SIGTERM, handler)
        for name in [name for name in sys.modules if name.startswith("hashbench_plugin_")]:
            del sys.modules[name]


@contextmanager
def _patience() -> Iterator[None]:
    """End a case that hangs."""

    def give_up(*_: object) -> None:
        raise NoAnswerError(f"after {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
