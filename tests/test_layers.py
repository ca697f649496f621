"""The layers of the house: a module uses what is below it, and nothing goes up."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: From the top down; rooms of one line do not use each other.
LAYERS = [
    ["benchmark.cli"],
    ["benchmark.papers"],
    ["benchmark.study"],
    ["benchmark.execution", "benchmark.reporting"],
    ["benchmark.preparation", "benchmark.significance"],
    ["methods", "benchmark.datasets", "benchmark.store"],
    ["benchmark.registry", "benchmark.protocol", "benchmark.files"],
    ["features", "benchmark.digests", "benchmark.log"],
    ["benchmark.errors"],
]
FLOORS = {room: floor for floor, rooms in enumerate(reversed(LAYERS)) for room in rooms}

#: What a room may use of ``benchmark`` and ``methods``, where the layer alone would allow more.
ONLY = {
    "benchmark.protocol": {"benchmark.errors"},
    "benchmark.significance": {"benchmark.store"},
    "methods": {"benchmark.registry", "benchmark.digests", "features"},
}
NEVER = {
    "benchmark.reporting": {"benchmark.execution", "benchmark.preparation", "methods"},
}


def room_of(module):
    """The room of a module; None for what is no room, such as ``benchmark`` itself."""
    parts = module.split(".")
    return next((r for r in (parts[0], ".".join(parts[:2])) if r in FLOORS), None)


def arrows(source, module):
    """The rooms that a module imports, also inside functions and for annotations."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for room in filter(None, map(room_of, names)):
            if room != room_of(module):
                yield room


def complaints(source, module):
    here = room_of(module)
    found = []
    for there in set(arrows(source, module)):
        if FLOORS[there] >= FLOORS[here]:
            found.append(f"{module} uses {there}, which is not below {here}")
        if here in ONLY and there not in ONLY[here]:
            found.append(f"{module} uses {there}; {here} may use {sorted(ONLY[here])} alone")
        if there in NEVER.get(here, ()):
            found.append(f"{module} uses {there}, which {here} must not know")
    return found


def modules():
    for package in ("benchmark", "methods", "features"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = module.removesuffix(".__init__")
            if module != "benchmark":
                yield path, module


def imported(source, module, known):
    """The modules of the tree that a module imports; a name of a package is its module, if any."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known
            yield from inner or {node.module} & known
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & known


def circle(graph):
    """Modules that import each other in a circle; empty where there are none."""
    left = dict(graph)
    while free := [module for module, uses in left.items() if not uses & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def test_no_circle_of_modules():
    sources = {module: path.read_text() for path, module in modules()}
    known = set(sources)
    graph = {m: set(imported(text, m, known)) - {m} for m, text in sources.items()}
    assert circle(graph) == []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == ["a", "b", "c"]


def test_modules_are_of_a_size_to_read():
    assert {m: n for p, m in modules() if (n := len(p.read_text().splitlines())) > 320} == {}


def test_every_module_is_in_a_room():
    assert [module for _, module in modules() if room_of(module) is None] == []


def test_nothing_goes_up():
    found = [text for path, module in modules() for text in complaints(path.read_text(), module)]
    assert found == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("benchmark.store.store", "from benchmark.study import Session"),
        ("benchmark.protocol.metrics", "from methods import Hasher"),
        ("benchmark.reporting.plots", "from benchmark.execution.grid import Grid"),
        ("methods.deep.training", "def f():\n    from benchmark.store.store import Store"),
    ],
)
def test_an_arrow_upward_is_found(module, line):
    assert complaints(line, module)


def test_benchmark_has_few_entries():
    entries = [p for p in (ROOT / "benchmark").iterdir() if p.name != "__pycache__"]
    assert len(entries) <= 18
