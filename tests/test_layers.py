"""The import rule of the design: strengths -> images -> embeddings -> field -> energy -> chart, one direction only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = [
    {"attributes"},
    {"faces"},
    {"lattice"},
    {"models", "align", "cache", "results", "distributed"},
    {"embedding", "inspection"},
    {"field", "neighbors"},
    {"alignment", "profile", "statistics", "macroscale", "probes", "verification", "protocol", "projection"},
    {"finetune", "charts"},
    {"report"},
    {"cli"},
    {"fr_explore_widgets"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# what a model is built from: the parts of one level that this design names together
WITHIN = {("models", "align"), ("models", "cache"), ("distributed", "results")}
# helpers that serve a level from below
PRIVATE = {"_blocks": 5, "_graphs": 5, "_groups": 5, "_parallel": 0, "_labelled": 5, "optional": 0, "margin": 0}
PRIVATE |= {"_distances": 0, "_multiplicity": 5}
PRIVATE |= {"_augmented": 3, "_training": 7}


def imported(path: Path, package: str) -> set[str]:
    """Top-level modules of `fr_explore` that a file imports, at its head or inside its functions."""
    found = set()
    depth = len(path.relative_to(ROOT / package if package == "fr_explore" else ROOT / "widgets" / package).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("fr_explore.")}
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level == 0 and parts[0] == "fr_explore":
                found |= {parts[1]} if parts[1:] else {name.name for name in node.names}
            elif package == "fr_explore" and node.level == depth:
                found |= {parts[0]} if parts else {name.name for name in node.names}
    return found


def violations(module: str, names: set[str]) -> list[str]:
    own = LEVEL.get(module, PRIVATE.get(module))
    bad = []
    for name in sorted(names - {module}):
        level = LEVEL.get(name, PRIVATE.get(name))
        if level is None or own is None:
            bad.append(f"{module} imports {name}: not in the design's list of modules")
        elif (level > own or (level == own and name not in PRIVATE)) and (module, name) not in WITHIN:
            bad.append(f"{module} (level {own}) imports {name} (level {level})")
    return bad


FILES = [path for path in sorted((ROOT / "fr_explore").rglob("*.py")) if path != ROOT / "fr_explore" / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_import_rule(path):
    module = path.relative_to(ROOT / "fr_explore").parts[0].removesuffix(".py")
    assert violations(module, imported(path, "fr_explore")) == []


def test_the_library_knows_nothing_of_jupyter():
    for path in FILES:
        tree = ast.walk(ast.parse(path.read_text()))
        modules = {name.name for node in tree if isinstance(node, ast.Import) for name in node.names}
        tree = ast.walk(ast.parse(path.read_text()))
        modules |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
        known = {name.split(".")[0] for name in modules}
        assert not known & {
            "IPython",
            "ipywidgets",
            "anywidget",
            "jupyterlab",
            "jupyter_server",
            "fr_explore_widgets",
        }, path


def test_the_rule_can_fail(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "fr_explore" / "faces").mkdir(parents=True)
    path = tmp_path / "fr_explore" / "faces" / "bad.py"
    path.write_text("def f():\n    from ..alignment import alignment\n    return alignment\n")
    assert imported(path, "fr_explore") == {"alignment"}
    assert violations("faces", {"alignment"}) == ["faces (level 1) imports alignment (level 6)"]
    assert violations("knn", {"faces"}) == ["knn imports faces: not in the design's list of modules"]
