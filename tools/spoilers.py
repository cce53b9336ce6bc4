"""What a notebook gives away before the guess: outputs and text below a `Prediction` that do not wait for it.

`check_notebooks.py` applies these rules to the cells of each student notebook:

- From a prediction to the end of its section ("## ..."), a cell that shows something waits for the guess
  (`course.reveal`, `course.after`), and a text after the reveal is folded (`<details>`). The tag `open` on a cell says
  that it gives nothing away.
- What is assigned there, and everything computed from it, is the answer: no later cell of the notebook shows it before
  the guess either. Exercises and checks judge the reader's own work and are free.
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
    guess, in_section, revealed = "", False, False
    owner: dict[str, str] = {}  # names that hold an answer, with the prediction that they answer
    for number, cell in enumerate(cells):
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown":
            if cell.source.startswith("## "):
                in_section = False
            elif in_section and revealed and not tags & FREE and not cell.source.startswith(("#", "<details>")):
                yield f"cell {number}: text after the reveal of `{guess}` is not folded: begin it with <details>"
            if re.search("^### ", cell.source, re.M):
                revealed = False  # the next question
            continue
        body = ast.parse(cell.source).body
        if name := _asks(body):
            guess, in_section, revealed = name, True, False
            continue
        at_answer = in_section and not tags & FREE
        for statement in body:
            _follow(statement, owner, guess if at_answer else "")
            last = statement is body[-1] and isinstance(statement, ast.Expr)
            for shown, waits_for in _shown(statement, last):
                names = _reads(shown) & set(owner)
                missing = {owner[name] for name in names} | ({guess} if at_answer else set())
                if missing - waits_for and not tags & FREE:
                    what = f"`{min(names)}`, " if names else ""
                    yield f"cell {number}: {what}shown before `{min(missing)}`: use course.after({min(missing)}, ...)"
        revealed = revealed or f"course.reveal({guess}" in cell.source


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
        gate = _gate(call)
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


def _follow(statement: ast.stmt, owner: dict[str, str], here: str) -> None:
    """Note which names hold an answer after a statement; `here`: the prediction whose answer is computed here."""
    inner = [child for field in ("body", "orelse", "finalbody") for child in getattr(statement, field, [])]
    if inner and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        heads = [part for field in ("iter", "test", "items", "target") if (part := getattr(statement, field, None))]
        for head in [one for part in heads for one in (part if isinstance(part, list) else [part])]:
            _mark(_reads(head), _writes(head), owner, here)
        if isinstance(statement, ast.For):
            _mark(_reads(statement.iter), _writes(statement.target), owner, here)
        for part in inner:
            _follow(part, owner, here)
        return
    if isinstance(statement, ast.FunctionDef):
        _mark(_reads(statement), {statement.name}, owner, here)
        return
    changed = _writes(statement)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        if isinstance(called, ast.Attribute) and called.attr in {"append", "extend", "update"}:
            changed |= _reads(called.value)
    _mark(_reads(statement), changed, owner, here)


def _mark(read: set[str], written: set[str], owner: dict[str, str], here: str) -> None:
    known = [owner[name] for name in sorted(read) if name in owner]
    for name in written:
        if here or known:
            owner[name] = known[0] if known else here
        elif name not in read:
            owner.pop(name, None)
