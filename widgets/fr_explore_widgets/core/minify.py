"""Scripts and styles without comments and needless space: what only a reader of the source needs is not sent.

A line end stays wherever a statement could end, so nothing depends on where JavaScript puts a semicolon; strings,
templates and regular expressions are passed over untouched. No name is shortened: what the browser shows in an error is
what stands in the file.
"""

from __future__ import annotations

import re

__all__ = ["strip_css", "strip_js"]

_STRING = r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
_COMMENT = r"//[^\n]*|/\*.*?\*/"
_TOKEN = re.compile(
    rf"(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<space>\s+)|(?P<word>[\w$]+)|(?P<sign>.)", re.DOTALL
)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.DOTALL)
# after one of these a slash begins a regular expression, after anything else it divides
_OPENS = set("(,=:[!&|?{};+-*%~^<>")
_WORDS = {"return", "typeof", "case", "of", "in", "do", "else", "void", "delete", "throw", "new", "await", "yield"}
# a line end after one of the first or before one of the second ends no statement that would not end anyway
_ENDS_NO_STATEMENT = set("{;,([=:?&|<>*!~")
_BEGINS_NO_STATEMENT = set("}),;]=:?&|<>*.")
_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
_CSS = re.compile(rf"({_STRING})|/\*.*?\*/", re.DOTALL)


def strip_js(text: str) -> str:
    """The module without its comments, empty lines and indentation; ValueError for a template without an end."""
    out: list[str] = []
    open_braces: list[int] = []  # of each template whose ${...} is being read
    place, before = 0, ";"
    while place < len(text):
        begins = text[place] == "/" and text[place : place + 2] not in ("//", "/*")
        if begins and (before in _WORDS or before[-1] in _OPENS) and (regex := _REGEX.match(text, place)):
            out.append(regex[0])
            place, before = regex.end(), ")"
            continue
        token = _TOKEN.match(text, place)
        assert token  # a sign is any character
        kind, part, place = token.lastgroup, token[0], token.end()
        if kind in ("comment", "space"):
            out.append("\n" if "\n" in part else " ")
            continue
        if open_braces and part in "{}":
            open_braces[-1] += 1 if part == "{" else -1
        out.append(part)
        if part == "`" or (open_braces and open_braces[-1] < 0):
            if part == "}":
                open_braces.pop()
            piece = _TEMPLATE.match(text, place)
            if not piece:
                raise ValueError(f"a template literal has no end: {text[place : place + 40]!r}")
            out.append(piece[0])
            place, part = piece.end(), ")" if piece[1] == "`" else "{"
            if part == "{":
                open_braces.append(0)
        before = part
    return _tidy(out)


def _tidy(parts: list[str]) -> str:
    """One line end or one blank where space has a meaning, nothing where it has none; tokens stay whole."""
    kept: list[str] = [";"]
    space = ""
    for part in parts:
        if part in ("\n", " "):
            space = "\n" if "\n" in (space, part) else " "
            continue
        if space and _needed(kept[-1][-1], space, part[0]):
            kept.append(space)
        kept.append(part)
        space = ""
    return "".join(kept[1:]) + "\n"


def _needed(before: str, space: str, after: str) -> bool:
    """Whether a blank or a line end between these two characters can mean anything."""
    if space == "\n":
        return before not in _ENDS_NO_STATEMENT and after not in _BEGINS_NO_STATEMENT
    return (before in _NAME and after in _NAME) or before + after in ("++", "--", "//") or "/" in (before, after)


def strip_css(text: str) -> str:
    """The style sheet without its comments, empty lines and indentation."""
    bare = _CSS.sub(lambda match: match[1] or "", text)
    lines = "".join(line.strip() + "\n" for line in bare.splitlines() if line.strip())
    return re.sub(r"(?<=[{;,])\n|\n(?=\})| (?=\{)|(?<=;)\n", "", lines)
