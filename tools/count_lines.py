"""Count the lines of code of `fr_explore` and `fr_explore_widgets`.

    python tools/count_lines.py            # by kind of file
    python tools/count_lines.py --files    # each file too

It counts Python, JavaScript, CSS, TypeScript and C, without comments, docstrings and blank lines.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = [ROOT / "fr_explore", ROOT / "widgets" / "fr_explore_widgets"]
_LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT}
# strings before comments, because `//` inside a string does not start a comment
_TOKEN = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(//[^\n]*|/\*.*?\*/)""", re.DOTALL)


def python_lines(text: str) -> int:
    """Lines with a token of code; docstrings do not count."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, clean=False
        ):
            docstrings |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def script_lines(text: str, line_comments: bool = True) -> int:
    """Lines that remain without comments; `line_comments`: whether // starts one, as in JavaScript and C."""

    def keep(match: re.Match[str]) -> str:
        comment = match[2]
        if comment is None or (not line_comments and comment.startswith("//")):
            return match[0]
        return "\n" * comment.count("\n")

    return sum(bool(line.strip()) for line in _TOKEN.sub(keep, text).splitlines())


def count(path: Path) -> int:
    """Lines of code in one file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".py", ".pyi"):
        return python_lines(text)
    return script_lines(text, line_comments=path.suffix != ".css")


def main(arguments: list[str]) -> None:
    """Print the lines by kind of file, with `--files` also of each file."""
    kinds: Counter[str] = Counter()
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".pyi", ".js", ".css", ".ts", ".c", ".h"):
                lines = count(path)
                kinds[path.suffix] += lines
                if "--files" in arguments:
                    print(f"{lines:6d}  {path.relative_to(ROOT)}")
    print(*(f"{kind} {lines}" for kind, lines in kinds.most_common()), f"total {kinds.total()}", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
