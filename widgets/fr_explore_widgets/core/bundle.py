"""The front end of a widget, from the .js and .css files of its folder: as text for a page, compressed for a notebook.

- Why no bundler: the modules are small and few, and a checkout must run as it is.
- Why packed, and unpacked by `LOADER`: a module that a page has imported is never freed, and anywidget imports one for
  every widget; the loader is tiny and imports each front end once. Packed, all of them are a quarter of their text.
- Why a view is emptied at its end: JupyterLab 4.6 keeps a listener for every comm that a kernel ever opened, and with
  it the model and its views; so what is left of them is small.
- Why the style goes with it, into the view's element: it is packed too, and holds where a host shows widgets in a
  shadow root, which the document's styles do not reach.
- How: `import { a } from "../shared/x.js"` brings that module in once, each in a scope of its own, so that private
  names never clash; only plain `export function|class|const` is understood, and anything else is refused.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from importlib import resources

from .minify import strip_css, strip_js

__all__ = ["LOADER", "join", "packed", "read", "scope", "script", "style"]

# what anywidget is given as the module of every widget
LOADER = """
const loaded = (globalThis.frExploreModules ??= new Map());
async function unpack(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}
async function render(context) {
  const key = context.model.get("_code_id");
  if (!loaded.has(key)) loaded.set(key, unpack(context.model.get("_code")));
  const found = loaded.get(key);
  found.catch(() => loaded.delete(key));
  const { default: widget, css } = await found;
  const style = document.createElement("style");
  style.textContent = css;
  context.el.append(style);
  const end = await widget.render(context);
  return () => {
    end?.();
    context.el.replaceChildren();
  };
}
export default { render };
"""

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def read(name: str) -> str:
    """The text of a file of this package, given by its path in the package; from a folder or a zip alike."""
    return resources.files("fr_explore_widgets").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def script(name: str) -> str:
    """The ES module `name`/index.js with the modules that it imports inside it, without comments."""
    return strip_js(join(f"{name}/index.js", read))


@functools.cache
def packed(name: str) -> tuple[bytes, str]:
    """`script(name)` and `style(name)` as one compressed module, and a key that tells one such from another."""
    text = f"{script(name)}export const css = {json.dumps(style(name))};"
    data = gzip.compress(text.encode(), mtime=0)
    return data, hashlib.sha256(data).hexdigest()[:16]


@functools.cache
def scope(file: str) -> str:
    """A module that imports nothing, as `const $file = ...` with its exports, for a page that has another one too."""
    return strip_js(_as_scope(file, _with_imports(file, read, {}, [file])))


@functools.cache
def style(name: str) -> str:
    """The shared style sheet followed by `name`/style.css."""
    return strip_css(read("shared/style.css") + read(f"{name}/style.css"))


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
    folder = posixpath.dirname(file)
    for _, specifier in _IMPORT.findall(text):
        wanted = posixpath.normpath(posixpath.join(folder, specifier))
        if wanted in path:
            raise ValueError(
                f"{' -> '.join([*path, wanted])}: modules import each other in a circle; move the shared part out."
            )
        if wanted not in done:
            done[wanted] = _as_scope(wanted, _with_imports(wanted, read, done, [*path, wanted]))
    text = _IMPORT.sub(lambda match: f"const {{{match[1]}}} = {_scope_name(posixpath.join(folder, match[2]))};\n", text)
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
    return "$" + re.sub(r"\W", "_", posixpath.normpath(file).removesuffix(".js"))
