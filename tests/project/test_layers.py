"""The import rule of the design: strengths -> images -> embeddings -> field -> energy -> chart, one direction only."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {"fr_explore": ROOT / "fr_explore", "fr_explore_widgets": ROOT / "widgets" / "fr_explore_widgets"}
# a package imports from the rows above its own, never from its own row or from below
ROWS = [
    {"base"},
    {"attributes"},
    {"engine"},
    {"faces"},
    {"lattice"},
    {"models", "scale"},
    {"embedding"},
    {"geometry"},
    {"population", "statistics"},
    {"training"},
    {"charts"},
    {"report"},
    {"cli"},
    {"fr_explore_widgets"},
]
ROW = {package: row for row, packages in enumerate(ROWS) for package in packages}
JUPYTER = {"IPython", "ipywidgets", "anywidget", "jupyterlab", "jupyter_server", "fr_explore_widgets"}


def modules(sources: dict[str, Path] = SOURCES) -> dict[str, Path]:
    """Dotted name -> file, of every module but `fr_explore` itself, which only lists the public names."""
    found = {}
    for root, folder in sources.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [root, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found.pop("fr_explore", None)
    return found


def imports(name: str, path: Path) -> set[str]:
    """What a module imports, as dotted names: at its head, in its functions, and for type checkers alike."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{source}.{alias.name}" for alias in node.names}
    return found


def package_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "fr_explore" and parts[1:] else parts[0]


def violations(name: str, imported: set[str]) -> list[str]:
    own, bad = package_of(name), []
    for other in sorted({package_of(x) for x in imported if x.split(".")[0] in SOURCES} - {own, "fr_explore"}):
        if other not in ROW or own not in ROW:
            bad.append(f"{name} imports {other}: not in the design's list of packages")
        elif ROW[other] >= ROW[own]:
            bad.append(f"{name} (row {ROW[own]}) imports {other} (row {ROW[other]})")
    return bad


def graph(found: dict[str, Path]) -> dict[str, set[str]]:
    """Which of our modules each module imports; an imported name stands for the module that holds it."""
    edges = {}
    for name, path in found.items():
        targets = {x if x in found else x.rpartition(".")[0] for x in imports(name, path)}
        edges[name] = {x for x in targets if x in found} - {name}
    return edges


@pytest.mark.parametrize("name", modules())
def test_import_rule(name):
    assert violations(name, imports(name, modules()[name])) == []


def test_no_module_imports_itself_by_a_detour():
    edges = graph(modules())
    list(TopologicalSorter(edges).static_order())
    assert sum(map(len, edges.values())) > 300  # the graph is not empty


def test_the_library_knows_nothing_of_jupyter():
    for name, path in modules({"fr_explore": SOURCES["fr_explore"]}).items():
        assert not {x.split(".")[0] for x in imports(name, path)} & JUPYTER, name


def test_the_rule_can_fail(tmp_path):
    path = tmp_path / "fr_explore" / "faces" / "bad.py"
    path.parent.mkdir(parents=True)
    path.write_text("def f():\n    from ..geometry.alignment import alignment\n    return alignment\n")
    found = imports("fr_explore.faces.bad", path)
    assert found == {"fr_explore.geometry.alignment.alignment"}
    assert violations("fr_explore.faces.bad", found) == ["fr_explore.faces.bad (row 3) imports geometry (row 7)"]
    assert violations("fr_explore.knn", {"fr_explore.faces.Face"}) == [
        "fr_explore.knn imports faces: not in the design's list of packages"
    ]
    (tmp_path / "fr_explore" / "a.py").write_text("from . import b\n")
    (tmp_path / "fr_explore" / "b.py").write_text("if 0:\n    from .a import x\n")
    with pytest.raises(CycleError):
        list(TopologicalSorter(graph(modules({"fr_explore": tmp_path / "fr_explore"}))).static_order())
