"""The front end of a widget as the two strings that anywidget takes, made from the .js and .css files beside this.

- Why no bundler: the modules are small and few, and a checkout must run as it is.
- Why strings, not paths: a path makes anywidget watch the file in every session; a release needs no watcher.
- How: `import { a } from "./shared_x.js"` brings that module in once, each in a scope of its own, so that private
  names never clash; only plain `export function|class|const` is understood, and anything else is refused.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from importlib import resources

__all__ = ["join", "read", "scope", "script", "style"]

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def read(name: str) -> str:
    """The text of a file of this package, from a folder or from a zip alike."""
    return resources.files("fr_explore_widgets").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def script(name: str) -> str:
    """The ES module `name`.js with the modules that it imports inside it."""
    return join(f"{name}.js", read)


@functools.cache
def scope(file: str) -> str:
    """A module that imports nothing, as `const $file = ...` with its exports, for a page that has another one too."""
    return _as_scope(file, _with_imports(file, read, {}, [file]))


@functools.cache
def style(name: str) -> str:
    """The shared style sheet followed by `name`.css."""
    return read("shared.css") + read(f"{name}.css")


def join(entry: str, read: Callable[[str], str]) -> str:
    """`entry` and all that it imports as one ES module whose only export is the default one.

    Raises ValueError for an import or export in a form that is not understood, and for a circle of imports.
    """
    done: dict[str, str] = {}
    text = _with_imports(entry, read, done, [entry])
    # anywidget wants the default export; the named ones are there for the tests
    return "\n".join([*done.values(), _EXPORT.sub("", text)])


def _with_imports(file: str, read: Callable[[str], str], done: dict[str, str], path: list[str]) -> str:
    text = read(file)
    for _, wanted in _IMPORT.findall(text):
        if wanted in path:
            raise ValueError(
                f"{' -> '.join([*path, wanted])}: modules import each other in a circle; move the shared part out."
            )
        if wanted not in done:
            done[wanted] = _as_scope(wanted, _with_imports(wanted, read, done, [*path, wanted]))
    text = _IMPORT.sub(lambda match: f"const {{{match[1]}}} = {_scope_name(match[2])};\n", text)
    left = re.search(r"^import\b.*", text, re.MULTILINE)
    if left:
        raise ValueError(f'{file}: {left[0]!r} is not understood; write import {{ name }} from "./file.js";')
    return text


def _as_scope(file: str, text: str) -> str:
    body = _EXPORT.sub("", text)
    left = re.search(r"^export\b.*", body, re.MULTILINE)
    if left:
        raise ValueError(f"{file}: {left[0]!r} is not understood; export a function, a class or a const.")
    names = ", ".join(_EXPORT.findall(text))
    return f"const {_scope_name(file)} = (() => {{\n{body}\nreturn {{ {names} }};\n}})();"


def _scope_name(file: str) -> str:
    return "$" + re.sub(r"\W", "_", file.removesuffix(".js"))
