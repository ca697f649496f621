"""One way to find a method, a data set or an extractor by name.

A class enters a registry through a decorator::

    @register("itq", paper="Gong et al., TPAMI 2013", supervision="none")
    class ITQ(Hasher): ...

The files of a package are *scanned*, not imported: name, facts and constructor parameters are
read from the source, and the class is imported when somebody calls :meth:`Entry.load`.  That
keeps ``--help``, ``--list`` and every complaint about arguments within a fraction of a second,
without a central table that each new method must be entered into by hand.
"""

from __future__ import annotations

import difflib
import fnmatch
import importlib.metadata
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import InputError, describe
from benchmark.registry.scan import UNKNOWN, Entry, read_entries
from benchmark.registry.variants import Variant, checked_parameter, checked_value, split_variant

if TYPE_CHECKING:
    from features.extractors import Registration


class Registry:
    """Named classes: decorator, lookup with close-match suggestions, variants, wildcards.

    Parameters
    ----------
    kind : str
        What the entries are, for messages (``method``, ``data set``).
    package : str
        The package whose files are scanned for decorated classes.
    decorator : str
        Name of the decorator in those files.
    group : str, optional
        Entry-point group through which installed distributions add entries.
    required : dict of str to (tuple or None)
        Facts that the decorator demands; the tuple lists the allowed values.
    optional : dict of str to tuple
        Facts that may be left out; the tuple lists the allowed values, the default first.
    hidden : tuple of str
        Constructor parameters that the suite sets itself and a variant may not.
    waiting : list of Registration, optional
        Where the decorator leaves the classes, if it belongs to a layer below this one.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        *,
        decorator: str = "register",
        group: str | None = None,
        required: Mapping[str, tuple | None] | None = None,
        optional: Mapping[str, tuple] | None = None,
        hidden: tuple[str, ...] = (),
        waiting: list[Registration] | None = None,
    ) -> None:
        self.kind = kind
        self.package = package
        self.decorator = decorator
        self.group = group
        self.required = dict(required or {})
        self.optional = dict(optional or {})
        self.hidden = hidden
        self._waiting: list[Registration] = [] if waiting is None else waiting
        self._entries: dict[str, Entry] = {}
        self._scanned = self._complete = False

    def register(self, name: str, **facts: Any) -> Callable[[type], type]:
        """Class decorator that enters a class under `name`.

        The facts become class attributes, beside ``id``.

        Raises
        ------
        InputError
            If a needed fact is missing or has a value that is not allowed, or if another module
            has registered the name already.

        Examples
        --------
        >>> from methods import Hasher, register
        >>> @register("first-bits", paper="this page", supervision="none")
        ... class FirstBits(Hasher):
        ...     def fit(self, X, *, tags=None, labels=None):
        ...         self.mean_ = self.check_training_data(X).mean(axis=0)
        ...         return self
        ...
        ...     def project(self, X):
        ...         return (X - self.mean_)[:, : self.n_bits]
        >>> FirstBits.id, FirstBits.paper
        ('first-bits', 'this page')
        >>> FirstBits(n_bits=2).fit_transform([[0, 1, 5], [4, 3, 5]]).astype(int)
        array([[0, 0],
               [1, 1]])
        """
        facts = self._checked_facts(name, facts)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise InputError(f"{name!r} cannot be a name: use letters, digits, '-', '_' and '.'")

        def enter(cls: type) -> type:
            signature = inspect.signature(cls)
            parameters = {
                p.name: UNKNOWN if p.default is p.empty else p.default
                for p in signature.parameters.values()
            }
            summary = (inspect.getdoc(cls) or "").split("\n")[0]
            # The project's own names first, so that a clash is the fault of who comes later.
            self._scan()
            self._enter(Entry(name, cls.__module__, cls.__name__, facts, parameters, summary, cls))
            for key, value in {"id": name, **facts}.items():
                setattr(cls, key, value)
            return cls

        return enter

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Forget at the end of the block what was registered in it, and undo what was removed."""
        before = dict(self._known())
        try:
            yield
        finally:
            self._waiting.clear()
            self._entries.clear()
            self._entries.update(before)

    def forget(self, name: str) -> None:
        """Remove an entry, for instance to see what is done without it.

        Raises
        ------
        InputError
            If there is no such entry.
        """
        del self._entries[self.find(name).name]

    def withdraw(self, module: str) -> None:
        """Forget what a module has registered, for instance a plug-in that fails."""
        self._waiting[:] = [left for left in self._waiting if left.cls.__module__ != module]
        for entry in self.entries():
            if entry.module == module:
                del self._entries[entry.name]

    def names(self) -> list[str]:
        """All names, in the order of the files and of the classes in them."""
        return list(self._known())

    def entries(self) -> list[Entry]:
        """All entries, in the order of :meth:`names`."""
        return list(self._known().values())

    def find(self, name: str) -> Entry:
        """The entry of that name.

        Raises
        ------
        InputError
            With the nearest names, if there is none.
        """
        if name not in self._known():
            raise self._unknown(name, self._entries)
        return self._entries[name]

    def parse(self, text: str) -> Variant:
        """Read ``name`` or ``name[param=value,...]`` and check it against the constructor.

        Raises
        ------
        InputError
            For an unknown name or parameter, or a value of the wrong type.
        """
        name, given = split_variant(text)
        entry = self.find(name)
        values = {p: self.parse_value(entry, p, value) for p, value in given.items()}
        return Variant(name).with_parameters(values, entry)

    def parse_value(self, entry: Entry, parameter: str, text: str) -> Any:
        """Read one parameter value and check name and type against the constructor.

        Raises
        ------
        InputError
            For an unknown parameter, or a value whose type differs from that of the default.
        """
        allowed = [p for p in entry.parameters if p not in self.hidden]
        default = checked_parameter(entry, self.kind, parameter, allowed)
        return checked_value(f"{entry.name}.{parameter}", text, default)

    def select(self, patterns: Iterable[str]) -> list[Variant]:
        """Variants for names, wildcards (``wp-*``) and bracketed variants, without repeats."""
        chosen: dict[Variant, None] = {}
        for pattern in patterns:
            if any(c in pattern for c in "*?") and "[" not in pattern:
                matches = fnmatch.filter(self.names(), pattern)
                if not matches:
                    raise InputError(f"no {self.kind} matches {pattern!r}: --list shows all names")
                chosen.update(dict.fromkeys(map(Variant, matches)))
            else:
                chosen[self.parse(pattern)] = None
        return list(chosen)

    def _known(self) -> dict[str, Entry]:
        """Every entry by name, of classes that are there so far."""
        self._scan()
        self._load_entry_points()
        self._adopt()
        return self._entries

    def _unknown(self, name: str, known: Iterable[str]) -> InputError:
        near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "--list shows all names"
        return InputError(f"unknown {self.kind} {name!r}: {hint}")

    def _checked_facts(self, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        missing = [key for key in self.required if key not in facts]
        unknown = [key for key in facts if key not in self.required | self.optional]
        if missing or unknown:
            what = f"lacks {missing[0]}=..." if missing else f"has an unknown {unknown[0]}=..."
            raise InputError(f"@{self.decorator}({name!r}) {what}")
        facts = {**{key: allowed[0] for key, allowed in self.optional.items()}, **facts}
        for key, allowed in {**self.required, **self.optional}.items():
            if allowed is not None and facts[key] not in allowed:
                raise InputError(
                    f"@{self.decorator}({name!r}): {key} must be one of "
                    f"{', '.join(map(str, allowed))}, not {facts[key]!r}"
                )
        return facts

    def _enter(self, entry: Entry) -> None:
        known = self._entries.get(entry.name)
        here = (entry.module, entry.class_name)
        if known and (known.module, known.class_name) != here:
            raise InputError(
                f"{self.kind} {entry.name!r} is registered twice: in {known.module} and "
                f"{entry.module}; give one of them another name"
            )
        self._entries[entry.name] = entry

    def _adopt(self) -> None:
        """Enter the classes that a decorator of a lower layer has left."""
        while self._waiting:
            name, facts, cls = self._waiting.pop(0)
            self.register(name, **facts)(cls)

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        # Locating a top-level package imports nothing; its files are only read.
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"there is no package {self.package}")
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.rglob("*.py"), key=lambda path: _place(path, folder)):
            module = ".".join([self.package, *path.relative_to(folder).with_suffix("").parts])
            for entry in read_entries(path, module, self.decorator):
                facts = self._checked_facts(entry.name, entry.facts)
                self._enter(replace(entry, facts=facts))

    def _load_entry_points(self) -> None:
        if self._complete or not self.group:
            return
        self._complete = True
        for point in importlib.metadata.entry_points(group=self.group):
            try:
                point.load()
                self._adopt()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                # Somebody else's broken package must not keep the other entries from running.
                print(
                    f"warning: entry point {point.name} = {point.value} is left out: "
                    f"{describe(error)}",
                    file=sys.stderr,
                )


def _place(path: Path, folder: Path) -> tuple[str, bool, str]:
    """Sort key: a method's own folder counts by its name, and its main file comes first."""
    *folders, stem = path.relative_to(folder).with_suffix("").parts
    # The first folder is a room (``unsupervised``, ``tags``, ``labels``), the second a method's.
    home = folders[1] if len(folders) > 1 else stem
    return home, stem != home, stem
