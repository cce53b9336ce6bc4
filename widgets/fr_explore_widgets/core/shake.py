"""Modules without what nobody needs of them, so that a front end brings only the shared functions that it calls.

A function, class or constant goes if it is exported and no module of the front end uses it; so does a private function,
and an imported name. This is repeated, because what goes used others. A declaration begins in the first column and ends
at the next line that does, as the formatter writes it; private constants stay, because making one may do something.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection

from .minify import minify

__all__ = ["IMPORT", "shaken"]

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
_DECLARED = re.compile(
    r"^(?P<exported>export )?(?:"
    r"(?:async )?(?:function\*?|class) (?P<function>\w+)[^\n]*[{(]\n(?s:.*?)^\}\n"
    r"|const (?P<constant>\w+) =(?s:.*?);\n(?![ })\]]))",
    re.MULTILINE,
)


def shaken(entry: str, others: Collection[str], read: Callable[[str], str]) -> dict[str, str]:
    """The texts of `entry`, of `others` and of what they import, by name. All exports of `entry` and `others` stay."""
    texts: dict[str, str] = {}
    while True:
        used: dict[str, set[str]] = {}
        todo = [entry, *others]
        for name in todo:  # grows
            for names, specifier in IMPORT.findall(texts.setdefault(name, read(name))):
                wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), specifier))
                used.setdefault(wanted, set()).update(re.findall(r"\w+", names))
                todo += [wanted] if wanted not in todo else []
        before = {name: texts[name] for name in todo}
        texts = {
            name: _without(text, None if name in (entry, *others) else used[name]) for name, text in before.items()
        }
        if texts == before:
            return texts


def _without(text: str, used: Collection[str] | None) -> str:
    """A module without what it does not need itself and others do not use (None: others use all of it)."""
    words = Counter(re.findall(r"[\w$]+", minify(text)))

    def needed(name: str) -> bool:
        return words[name] > 1

    def declared(match: re.Match[str]) -> str:
        name, exported = match["function"] or match["constant"], match["exported"]
        stays = needed(name) or (used is None or name in used if exported else match["constant"])
        return match[0] if stays else ""

    def imported(match: re.Match[str]) -> str:
        names = [name for name in re.findall(r"\w+", match[1]) if needed(name)]
        return f'import {{ {", ".join(names)} }} from "{match[2]}";\n' if names else ""

    return IMPORT.sub(imported, _DECLARED.sub(declared, text))
