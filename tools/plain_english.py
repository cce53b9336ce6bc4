"""Phrases that read as if translated, and how to find them in prose, comments, docstrings and strings.

Each pattern covers one known phrase, or several of its kind. A space in a pattern matches any white space, so a phrase
is found across a line break. A pattern belongs here only if it has almost no idiomatic use: one false alarm costs more
than one phrase that slips through.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

_BE = r"(?:is|are|was|were|be|been|being)"
_PLACE = r"(?:in(?! for)|on|at|there|here|beside|above|below|under|before|behind|between|next|first|last)"
_STARTS = r"(?:On|In|At|Below|Above|Under|Beside|Here|There|Behind|Between|From|To|With)"
_MOVES = r"(?:stands?|lies?|comes?|goes|hangs?|sits?|appears?)"
# "is no longer", "is no larger than" and "there is no" are idiomatic
_COMPARED = r"(?:longer|better|worse|more|less|fewer|slower|\w+er than|doubt|matter|need|different|such|one)\b"
_ARCHAIC = "thence|whence|hitherto|therein|herein|thereof|whereof|thereby|hereby|unto|amidst|lest|ere"
_PROGRAMS = "page|kernel|view|widget|thread|listener|client"
_END = r"(?=\s*[.;:)\0]|\s*$)"

# (pattern, what to write instead); patterns ignore case except inside (?-i:...)
PHRASES: list[tuple[str, str]] = [
    # words that no manual uses any more
    (r"\banew\b", "again, recomputed, resampled"),
    (r"\bwhom\b", "active voice: who does what"),
    (r"\bshall\b", "must, will"),
    (r"\bmend(?:s|ed|ing)?\b", "fix"),
    (rf"\b(?:{_ARCHAIC})\b", "plain words"),
    (r"\bin (?:its|the|their|his|her) stead\b", "instead"),
    (r"\bborne\b", "active voice: who bears what"),
    (r"\bof (?:its|their) own making\b", "spurious"),
    (r"\bso far as\b", "as far as; 'So far, as ...'"),
    (r"\bbeside (?:each other|one another)\b", "side by side"),
    (r"\b(?:of|for|from|to|with|by) who (?:cannot|can|looks?|wants?|has|does|reads?)\b", "for anyone who"),
    (r"(?-i:\bWho) (?:compares|looks|reads|knows|wants|asks|has|uses|measures|takes|needs|sees)\b(?![^.!]*\?)",
     "Anyone who"),
    # data are sent, published, reported; people are told
    (rf"\b(?:{_BE}|gets?|once|when|if) told\b", "send, publish, report"),
    (rf"\btell(?:s|ing)? (?:(?:the|a|an|its|every|each|this|that) )?(?:{_PROGRAMS})s?\b", "send, publish, report"),
    (r"\b(?:go|goes|went|going|gone) on\b", "continue, resume"),
    (rf"\b{_BE} asked for\b", "is requested"),
    (r"\bfor good(?=\s*[,.;:)\0]|\s*$)", "permanently"),
    # negation belongs to the verb
    (rf"(?<!there\s)\b{_BE} no (?!{_COMPARED})\w+", "is not a; invalid"),
    (r"\bmakes? no (?!difference|sense|assumption|claim)", "raises no; does not"),
    (r"\bnothing of (?:it|ours|them|the)\b", "does not ..., no part of it"),
    (r"\b(?:is|are|was|were) not there\b", "does not exist, is missing"),
    (r"\belse than\b", "other than; is not"),
    (r"\bmore than none\b", "even a ... teaches something"),
    (r"\b(?:has|have|had) hardly\b", "hardly has"),
    (r"\b(?:sounds?|looks?) like much\b", "sounds like a lot"),
    # inversions
    (rf"(?-i:\b{_STARTS})\b[^.,;:!?\0]{{0,40}} {_MOVES} (?:the|an?|its|what|every|each|all|one|two|three)\b",
     "subject first: The distance is shown on the right"),
    (r"(?-i:\b(?:Never|Only then|Not until then|Thus)) (?:is|are|was|were|does|do|did|can|will|has|have)\b",
     "subject before the verb"),
    (r"\bIn (?:it|them) (?:lies?|are|is|stands?)\b", "subject first"),
    (r"\bit holds that\b", "state the fact"),
    (r"\b(?:of|for|from|with|by|in|to|than) what (?:is|was|are|were)\b", "name the thing"),
    (rf", (?:nearly|almost|mostly){_END}", "put the adverb before what it qualifies"),
    # pictures that the reader must first translate back
    (rf"\b(?:stands?|stood|standing) {_PLACE}\b", "is in, is given by"),
    (r"\bthe (?:hand|visitor)\b(?!-)", "the pointer, the user, the caller"),
    (r"\blooked at before\b", "checked before"),
    (r"\bnobody'?s business\b", "private"),
    (r"\bwhose \w+ \w+ so\b", "name the property"),
    (r"\b(?:take|takes|taking|taken|took) down\b", "record"),
    (r"\ba hair \w+er\b", "with a small tolerance"),
    (rf"\b{_BE} felt\b", "what the user sees: the slider lags"),
    (r"\bat rest\b(?! coordinates)", "idle"),
    (r"\bwakes\b", "reopens, resumes"),
    (r"\bsame person where\b", "the same person if"),
    (r"\bcounted in(?=\s*[,.;:)\0]|\s*$)", "including"),
    (r"\bchance alone \w+s\b", "within chance variation"),
    (r"\bbalance is trusted\b", "We trust a scale once it has weighed something known"),
    (r"\bless (?:all-\w+|controlled/)", "minus"),
    (r"\b(?:can|could|will) bear\b", "how much weight it can bear"),
    (r"\bhangs? on(?! to)\b", "depends on"),
    (r"\bwould be the end of\b", "would exhaust"),
]  # fmt: skip
_COMPILED = [(re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE), instead) for pattern, instead in PHRASES]

KINDS = (".py", ".pyi", ".js", ".ts", ".css", ".md")
_CODE = re.compile(r"```.*?```|~~~.*?~~~|``[^`]*``|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|https?://\S+", re.DOTALL)
_STRING = re.compile(r"^([a-zA-Z]{0,2})(\"\"\"|'''|[\"'])(.*)\2$", re.DOTALL)
# strings before comments, so that `//` inside a string begins no comment
_SCRIPT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(//[^\n]*|/\*.*?\*/)""", re.DOTALL)


def phrases(text: str) -> Iterator[tuple[int, str, str]]:
    """(position, phrase, what to write instead) of every unidiomatic phrase in plain text."""
    for pattern, instead in _COMPILED:
        yield from ((found.start(), " ".join(found[0].split()), instead) for found in pattern.finditer(text))


def in_file(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, phrase, what to write instead) of one file, by line."""
    text = path.read_text(encoding="utf-8")
    for start, phrase, instead in sorted(phrases(prose(text, path.suffix))):
        yield text.count("\n", 0, start) + 1, phrase, instead


def prose(text: str, kind: str) -> str:
    """The prose of a file, each character in its place: code is NUL, the marks of comments are spaces."""
    if kind in (".py", ".pyi"):
        text = _of_python(text)
    elif kind != ".md":
        text = _of_script(text, kind)
    return _CODE.sub(lambda found: _covered(found[0]), text)


def _covered(code: str) -> str:
    return re.sub(r"\S", "\0", code)


def _of_python(text: str) -> str:
    """Comments and strings; a string that continues the previous one is joined to it."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    kept = list(_covered(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, stop = (starts[row - 1] + column for row, column in (token.start, token.end))
        if token.type == tokenize.COMMENT:
            kept[start:stop] = " " + token.string[1:]
        elif token.type == tokenize.STRING:
            kept[start:stop] = _STRING.sub(_marked, token.string)
        elif tokenize.tok_name[token.type] == "FSTRING_MIDDLE":  # Python 3.12 and later
            kept[start:stop] = text[start:stop]
    joined = re.sub("\2+\\s+\0{0,2}\1+", lambda found: re.sub("[\0-\2]", " ", found[0]), "".join(kept))
    return re.sub("[\1\2]", "\0", joined)


def _marked(found: re.Match[str]) -> str:
    """A string with its opening quotes as 1, its closing ones as 2 and its prefix as NUL."""
    prefix, quotes, inner = found.groups()
    return "\0" * len(prefix) + "\1" * len(quotes) + inner + "\2" * len(quotes)


def _of_script(text: str, kind: str) -> str:
    """Comments and strings of JavaScript, TypeScript or CSS."""
    kept = list(_covered(text))
    for found in _SCRIPT.finditer(text):
        if found[1]:
            kept[found.start() + 1 : found.end() - 1] = found[1][1:-1]
        elif kind != ".css" or found[2].startswith("/*"):
            kept[found.start() : found.end()] = re.sub(r"^/[/*]+|\n\s*\*+/?|\*/$", _blank, found[2])
    return "".join(kept)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
