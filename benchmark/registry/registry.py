"""One way to find a method or a data set by name.

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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.errors import InputError
from benchmark.registry.scan import UNKNOWN, Entry, read_entries
from benchmark.registry.values import read_value, spell_parameters


@dataclass(frozen=True)
class Variant:
    """A registered name with the parameters that differ from the defaults.

    Its string form is canonical: ``wdht[aggregation=tf]``, parameters in the order of the
    constructor.
    """

    name: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}[{','.join(spell_parameters(self.parameters))}]"

    def with_parameters(self, more: Mapping[str, Any], entry: Entry) -> Variant:
        """This variant with some parameters set or replaced.

        Defaults are left out and the others stand in the order of the constructor, so that the
        same method has one name.
        """
        values = {**dict(self.parameters), **more}
        differing = [(p, values[p]) for p, v in entry.parameters.items() if values.get(p, v) != v]
        return replace(self, parameters=tuple(differing))


class Registry:
    """Named classes: decorator, lookup with close-match suggestions, wildcards, plug-ins.

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
    ) -> None:
        self.kind = kind
        self.package = package
        self.decorator = decorator
        self.group = group
        self.required = dict(required or {})
        self.optional = dict(optional or {})
        self.hidden = hidden
        self._entries: dict[str, Entry] = {}
        self._scanned = False

    def register(self, name: str, **facts: Any) -> Callable[[type], type]:
        """Class decorator that enters a class under `name`.

        The facts become class attributes, beside ``id``.

        Raises
        ------
        InputError
            If a needed fact is missing or has a value that is not allowed, or if another module
            has registered the name already.
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
            self._enter(
                Entry(name, cls.__module__, cls.__name__, facts, parameters, summary),
            )
            cls.id = name
            for key, value in facts.items():
                setattr(cls, key, value)
            return cls

        return enter

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Forget at the end of the block what was registered in it, and undo what was removed."""
        self._scan()
        before = dict(self._entries)
        try:
            yield
        finally:
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

    def names(self) -> list[str]:
        """All names, in the order of the files and of the classes in them."""
        self._scan()
        return list(self._entries)

    def entries(self) -> list[Entry]:
        """All entries, in the order of :meth:`names`."""
        self._scan()
        return list(self._entries.values())

    def find(self, name: str) -> Entry:
        """The entry of that name.

        Raises
        ------
        InputError
            With the nearest names, if there is none.
        """
        self._scan()
        if name not in self._entries:
            near = difflib.get_close_matches(name.lower(), self._entries, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "--list shows all names"
            raise InputError(f"unknown {self.kind} {name!r}: {hint}")
        return self._entries[name]

    def parse(self, text: str) -> Variant:
        """Read ``name`` or ``name[param=value,...]`` and check it against the constructor.

        Raises
        ------
        InputError
            For an unknown name or parameter, or a value of the wrong type.
        """
        name, bracket, rest = text.strip().partition("[")
        if bracket and (rest[-1:] != "]" or rest.count("]") > 1):
            raise InputError(f"cannot read {text!r}: write it as name[param=value,...]")
        entry = self.find(name.strip())
        given = {}
        for part in filter(None, (p.strip() for p in rest[:-1].split(","))):
            key, equals, value = part.partition("=")
            if not equals:
                raise InputError(f"cannot read {part!r} in {text!r}: write it as param=value")
            given[key.strip()] = self.parse_value(entry, key.strip(), value.strip())
        return Variant(entry.name).with_parameters(given, entry)

    def parse_value(self, entry: Entry, parameter: str, text: str) -> Any:
        """Read one parameter value and check name and type against the constructor.

        Raises
        ------
        InputError
            For an unknown parameter, or a value whose type differs from that of the default.
        """
        allowed = [p for p in entry.parameters if p not in self.hidden]
        if parameter not in allowed:
            near = difflib.get_close_matches(parameter, allowed, n=2, cutoff=0.4) or allowed
            hint = f"it has {', '.join(near)}" if near else "it has none"
            raise InputError(f"{self.kind} {entry.name} has no parameter {parameter!r}: {hint}")
        value = read_value(text)
        default = entry.parameters[parameter]
        if isinstance(value, (list, dict, set, tuple)):
            raise InputError(f"{entry.name}.{parameter} must be one value, not {text!r}")
        if default is UNKNOWN or default is None:
            return value
        if isinstance(default, float) and type(value) is int:
            return float(value)
        if type(value) is not type(default):
            wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(
                type(default), "a word"
            )
            raise InputError(f"{entry.name}.{parameter} must be {wanted}, not {text!r}")
        return value

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

    def load_plugin(self, path: str | Path) -> None:
        """Run a Python file that registers classes, unless that has been done.

        Raises
        ------
        InputError
            If the file is missing, fails while it is imported, or registers nothing.
        """
        path = Path(path).resolve()
        module_name = f"hashbench_plugin_{path.stem}"
        if not path.is_file():
            raise InputError(f"--plugin {path}: there is no such file")
        # The project's own names first, so that a clash is the plug-in's fault.
        self._scan()
        known = sys.modules.get(module_name)
        if known is None or Path(known.__file__) != path:
            spec = importlib.util.spec_from_file_location(module_name, path)
            if spec is None:
                raise InputError(f"--plugin {path}: not a Python file (its name must end in .py)")
            module = importlib.util.module_from_spec(spec)
            sys.modules[module_name] = module
            try:
                spec.loader.exec_module(module)
            except InputError:
                del sys.modules[module_name]
                raise
            except (Exception, SystemExit) as error:
                del sys.modules[module_name]
                raise InputError(f"--plugin {path}: {type(error).__name__}: {error}") from error
        if not any(entry.module == module_name for entry in self._entries.values()):
            raise InputError(f"--plugin {path}: it registers no {self.kind}")

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
                    f"@{self.decorator}({name!r}): {key} must be one of {', '.join(allowed)}, "
                    f"not {facts[key]!r}"
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

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        # Locating a top-level package imports nothing; its files are only read.
        spec = importlib.util.find_spec(self.package)
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.rglob("*.py"), key=lambda path: _place(path, folder)):
            module = ".".join([self.package, *path.relative_to(folder).with_suffix("").parts])
            for entry in read_entries(path, module, self.decorator):
                facts = self._checked_facts(entry.name, entry.facts)
                self._enter(replace(entry, facts=facts))
        if self.group:
            for point in importlib.metadata.entry_points(group=self.group):
                try:
                    point.load()
                except Exception as error:
                    # Somebody else's broken package must not keep the other methods from running.
                    print(
                        f"warning: entry point {point.name} = {point.value} is left out: "
                        f"{type(error).__name__}: {error}",
                        file=sys.stderr,
                    )


def _place(path: Path, folder: Path) -> tuple[str, bool, str]:
    """Sort key: a method's own folder counts by its name, and its main file comes first."""
    *folders, stem = path.relative_to(folder).with_suffix("").parts
    # The first folder is a room (``unsupervised``, ``tags``, ``labels``), the second a method's.
    home = folders[1] if len(folders) > 1 else stem
    return home, stem != home, stem


#: Every hashing method. ``supervision`` is also the leakage guard: the runner hands tags and
#: labels only to methods that declare them.
methods = Registry(
    "method",
    "methods",
    group="hashbench.methods",
    required={"paper": None, "supervision": ("none", "tags", "labels")},
    optional={
        "fidelity": ("paper", "author-code", "adapted", "reconstruction"),
        "inputs": ("features", "images"),
    },
    hidden=("n_bits", "random_state"),
)
register = methods.register
