"""What a notebook gives away before the guess: outputs and text below a `Prediction` that do not wait for it.

`check_notebooks.py` applies these rules to the cells of each student notebook:

- From a prediction to the end of the section ("## ...") that reveals its truth, a cell that shows something waits for
  the guess (`course.reveal`, `course.after`), and a text after the reveal is folded (`<details>`). The tag `open` on a
  cell says that it gives nothing away.
- What the revealed truth is computed from there, and everything computed from that, is the answer: no later cell of the
  notebook shows it before the guess either. Exercises and checks judge the reader's own work and are free.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["spoilers"]

FREE = {"exercise", "check", "solution", "open"}
SHOWING = {"print", "display"}


def spoilers(cells: Sequence[Any]) -> Iterator[str]:
    """Each place where a notebook shows an answer before its guess."""
    guess, in_section, revealed, done = "", False, False, False
    owner: dict[str, str] = {}  # names that hold an answer, with the prediction that they answer
    sources = dict(_sources(cells))
    for number, cell in enumerate(cells):
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown":
            if cell.source.startswith("## "):
                in_section = in_section and not done
            elif in_section and revealed and not tags & FREE and not cell.source.startswith(("#", "<details>")):
                yield f"cell {number}: text after the reveal of `{guess}` is not folded: begin it with <details>"
            if re.search("^### ", cell.source, re.M):
                revealed = False  # the next question
            continue
        body = ast.parse(cell.source).body
        if name := _asks(body):
            guess, in_section, revealed, done = name, True, False, False
            continue
        at_answer = in_section and not tags & FREE
        for statement in body:
            _follow(statement, owner, guess if at_answer else "", sources.get(guess, set()))
            last = statement is body[-1] and isinstance(statement, ast.Expr)
            for shown, waits_for in _shown(statement, last):
                names = _reads(shown) & set(owner)
                missing = {owner[name] for name in names} | ({guess} if at_answer else set())
                if missing - waits_for and not tags & FREE:
                    what = f"`{min(names)}`, " if names else ""
                    yield f"cell {number}: {what}shown before `{min(missing)}`: use course.after({min(missing)}, ...)"
        if f"course.reveal({guess}" in cell.source:
            revealed = done = True


def _sources(cells: Sequence[Any]) -> Iterator[tuple[str, set[str]]]:
    """For each prediction, the names of its section from which the revealed truth is computed."""
    guess, before = "", []
    for cell in cells:
        if cell.cell_type == "markdown":
            continue
        body = ast.parse(cell.source).body
        if name := _asks(body):
            guess, before = name, []
        elif guess:
            before += body
            for call in [node for statement in body for node in ast.walk(statement) if _gate(node) == guess]:
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reveal":
                    yield guess, _slice(_values(call), before)
                    guess = ""


def _slice(wanted: set[str], statements: list[ast.stmt]) -> set[str]:
    """Names and everything from which they are computed; a function that is called is a tool, not a source."""
    for statement in reversed(statements):
        inner = [node for node in ast.walk(statement) if isinstance(node, ast.stmt)]
        if not isinstance(statement, ast.FunctionDef) and any(_changes(node) & wanted for node in inner):
            wanted = wanted | _values(statement)
    return wanted


def _values(node: ast.AST) -> set[str]:
    """Names that are read, but for functions that are called and objects of which a method is called."""
    tools = set()
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        base = call.func
        while isinstance(base, ast.Attribute):
            base = base.value
        if isinstance(base, ast.Name) and base.id in ("fr", "np", "pd", "course", "rng"):
            tools.add(base.id)
        elif isinstance(call.func, ast.Name):
            tools.add(call.func.id)
    return _reads(node) - tools


def _asks(body: list[ast.stmt]) -> str:
    """The name of the prediction that a cell makes."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Prediction"))):
                return name
    return ""


def _shown(statement: ast.stmt, last: bool, waits: frozenset[str] = frozenset()) -> Iterator[tuple[ast.AST, set[str]]]:
    """What a statement shows, and the predictions that it waits for."""
    if isinstance(statement, ast.With):
        waits |= {name for item in statement.items if (name := _gate(item.context_expr))}
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return
    parts = [child for field in ("body", "orelse", "finalbody") for child in getattr(statement, field, [])]
    for part in parts:
        yield from _shown(part, False, waits)
    if isinstance(statement, ast.Expr):
        call = statement.value
        prints = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SHOWING
        gate = _gate(call) or (_gate(call.args[0]) if isinstance(call, ast.Call) and prints and call.args else "")
        # a with block shows no last expression
        if prints or gate or last:
            yield call, set(waits) | ({gate} if gate else set())
    elif isinstance(statement, ast.Assign):  # handle = display(...)
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SHOWING:
            yield call, set(waits)


def _gate(node: ast.AST) -> str:
    """The prediction that `course.after(...)` or `course.reveal(...)` waits for."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="course"), attr="after" | "reveal"), args=[ast.Name(id=name), *_]
        ):
            return name
    return ""


def _reads(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - _bound(node)


def _writes(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - _bound(node)


def _bound(node: ast.AST) -> set[str]:
    """The names that exist only inside comprehensions."""
    targets = [n.target for n in ast.walk(node) if isinstance(n, ast.comprehension)]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _changes(statement: ast.stmt) -> set[str]:
    """Names that a statement assigns, or changes as `rows.append(x)` and `table["x"] = y` do."""
    changed = _writes(statement)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        if isinstance(called, ast.Attribute) and called.attr in {"append", "extend", "update"}:
            changed |= _reads(called.value)
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            while isinstance(target, (ast.Subscript, ast.Attribute)):
                target = target.value
                if isinstance(target, ast.Name):
                    changed.add(target.id)
    return changed


def _follow(statement: ast.stmt, owner: dict[str, str], here: str, sources: set[str]) -> None:
    """Note which names hold an answer after a statement.

    here : the prediction whose answer is computed at this place. sources : the names from which it is computed.
    """
    inner = [child for field in ("body", "orelse", "finalbody") for child in getattr(statement, field, [])]
    if inner and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        heads = [part for field in ("iter", "test") if (part := getattr(statement, field, None))]
        heads += getattr(statement, "items", [])
        for head in heads:
            written = _writes(getattr(statement, "target", head)) | _writes(head)
            _mark(_reads(head), written, owner, here, sources)
        for part in inner:
            _follow(part, owner, here, sources)
        return
    name = {statement.name} if isinstance(statement, ast.FunctionDef) else set()
    _mark(_reads(statement), name or _changes(statement), owner, here, sources)


def _mark(read: set[str], written: set[str], owner: dict[str, str], here: str, sources: set[str]) -> None:
    known = [owner[name] for name in sorted(read) if name in owner]
    for name in written:
        if known or (here and name in sources):
            owner[name] = known[0] if known else here
        elif name not in read:
            owner.pop(name, None)
