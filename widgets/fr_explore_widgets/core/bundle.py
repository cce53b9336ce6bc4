"""The front end of a widget: the .js and .css files of its folder as one module, compressed for a notebook.

- Why no bundler: the modules are small and few, and a checkout must run without a build.
- Why compressed, and unpacked by `LOADER`: a page never frees a module that it imported, and anywidget imports one for
  every widget. The loader is tiny and imports each front end once. Compressed, the files shrink to a quarter.
- Why a view is emptied when it closes: JupyterLab 4.6 keeps a listener for every comm that a kernel ever opened, and
  with it the model and its views. Emptying them keeps what remains small.
- Why `whole` wraps the model: what belongs together, such as a picture and its distance, comes in one message, but a
  host may set its traits one by one and call the listeners of each at once, as marimo does. They run when all are set.
- Why `still`: nbconvert, embed_minimal_html, Jupyter Book and marimo's export keep a widget's state in a page without a
  kernel. They do not say so to a widget, but their pages do. If the state has a `_page` (`keep_live`), that module with
  its own model runs in place of the front end, as in an exported page.
- The style of a shared module lies beside it, `shared/map.css` beside `shared/map.js`, and goes where the module goes.
- Why the style is sent with the module and put into the view's element: so it is compressed too, and it also applies
  where a host shows widgets in a shadow root, which the document's styles do not reach.
- How modules are joined: `import { a } from "../shared/x.js"` includes that module once. Each module has a scope of its
  own, so that private names never clash. Only plain `export function|class|const` is supported.
- Comments that fill whole lines are left out, types in a line, and white space that means nothing; see `minify`.
"""

from __future__ import annotations

import functools
import hashlib
import posixpath
import re
import zlib
from collections.abc import Callable, Sequence
from importlib import resources

from .minify import minify
from .shake import IMPORT, shaken

__all__ = ["LOADER", "bare", "compressed", "join", "packed", "page_script", "read", "script", "style", "style_module"]

# the module that anywidget gets for every widget
LOADER = """
const loaded = (globalThis.frExploreModules ??= new Map());
async function unpack(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(stream).text();
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}
const still = () => {
  const saved = document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]');
  if (!saved && !globalThis.__MARIMO_STATIC__) return null;
  return (
    "This page has no kernel: it shows the last state, and only what it already holds still works. The notebook's " +
    "author makes it live with w.keep_live() before saving, or writes a live page with w.to_html('page.html')."
  );
};
function whole(model) {
  const late = {};
  const own = {
    still: still(),
    on(event, callback) {
      const known = (late[event] ??= new Map());
      const run = (...values) => queueMicrotask(() => known.get(callback) === run && callback(...values));
      known.set(callback, run);
      model.on(event, run);
    },
    off(event, callback) {
      model.off(event, late[event]?.get(callback));
      late[event]?.delete(callback);
    },
  };
  const get = (_, name) => own[name] ?? (typeof model[name] === "function" ? model[name].bind(model) : model[name]);
  return new Proxy({}, { get });
}
async function render({ model: given, ...others }) {
  const context = { ...others, model: whole(given) };
  const part = context.model.still && context.model.get("_page_id") ? "_page" : "_code";
  const key = context.model.get(`${part}_id`);
  if (!loaded.has(key)) loaded.set(key, unpack(context.model.get(part)));
  const found = loaded.get(key);
  found.catch(() => loaded.delete(key));
  const { default: widget, css, kept } = await found;
  if (kept) context.model = await kept(given.get("state"));
  const style = document.createElement("style");
  style.textContent = css;
  context.el.append(style);
  const end = await widget.render({ ...context, render });
  const { note } = context.model;
  if (note) context.el.append(Object.assign(document.createElement("p"), { textContent: note }));
  return () => {
    end?.();
    context.el.replaceChildren();
  };
}
export default { render };
"""

# white space between the signs of a style sheet means nothing; in its strings it does
_CSS_SPACE = re.compile(r"(?P<text>\"[^\"]*\")|\s*(?P<sign>[{};,])\s*|\s+")
_CSS_NAME = re.compile(r"(?<=[{;])([\w-]+): ")
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_WHOLE_LINES = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)\n|^[ \t]+|^\n", re.MULTILINE | re.DOTALL)
_TYPES = re.compile(r"/\*\* @(?:type|param)\b[^\n]*?\*/ ?")


def read(name: str) -> str:
    """The text of a file of this package, given its path in the package; works from a folder and from a zip."""
    return resources.files("fr_explore_widgets").joinpath(name).read_text(encoding="utf-8")


def bare(text: str) -> str:
    """`text` without empty lines, indentation, comments that fill whole lines, and types within a line."""
    return _TYPES.sub("", _WHOLE_LINES.sub("", text))


@functools.cache
def script(name: str) -> str:
    """The ES module `name`/index.js with the modules that it imports inside it."""
    return minify(bare(join(f"{name}/index.js", read)))


@functools.cache
def packed(name: str) -> tuple[bytes, str]:
    """`script(name)` and `style(name)` as one compressed module, and a key that identifies its content."""
    return compressed(f"{style_module(name)}{script(name)}")


def compressed(module: str) -> tuple[bytes, str]:
    """A module as `LOADER` unpacks it, and a key that identifies its content."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, memLevel=9)
    data = deflate.compress(module.encode()) + deflate.flush()
    return data, hashlib.sha256(data).hexdigest()[:16]


def style_module(name: str) -> str:
    """`style(name)` as the export `css`; a template, because a sheet has many quotes."""
    text = style(name).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    return f"export const css = `{text}`;\n"


@functools.cache
def page_script(name: str, live: bool = False) -> str:
    """`script(name)` for a page without a kernel, with `shared/page.js` as `$shared_page` inside it.

    live : also `name`/live.js, which computes the kernel's answers, as `$live`.
    """
    others = ["shared/page.js", *([f"{name}/live.js"] if live else [])]
    last = f"const $live = {_scope_name(others[-1])};\n" if live else ""
    body, found, rest = minify(bare(join(f"{name}/index.js", read, *others))).rpartition("export default")
    if not found:
        raise ValueError(f"{name}/index.js has no default export: end it with `export default {{ render }};`.")
    return f"{body}const $widget ={rest}{last}"


@functools.cache
def style(name: str) -> str:
    """The style sheets that all share, those beside the modules that `name` imports, and `name`/style.css."""
    modules = _collect(f"{name}/index.js", (), read)[1]
    beside = [f"{module.removesuffix('.js')}.css" for module in modules]
    found = [sheet for sheet in beside if resources.files("fr_explore_widgets").joinpath(sheet).is_file()]
    sheets = bare("".join(map(read, ["shared/style.css", *found, f"{name}/style.css"])))
    close = _CSS_SPACE.sub(lambda space: space["text"] or space["sign"] or " ", sheets)
    return _CSS_NAME.sub(r"\1:", close).replace(";}", "}")


def join(entry: str, read: Callable[[str], str], *others: str) -> str:
    """`entry`, everything that it imports, and the modules `others`, as one ES module with only the default export.

    Raises ValueError for an import or export in an unsupported form, and for circular imports.
    """
    text, done = _collect(entry, others, read)
    # anywidget needs the default export; the named ones exist for the tests
    return "\n".join([*done.values(), _EXPORT.sub("", text)])


def _collect(entry: str, others: Sequence[str], read: Callable[[str], str]) -> tuple[str, dict[str, str]]:
    """The text of `entry`, and the modules that it and `others` need by name, each after those that it imports."""
    done: dict[str, str] = {}
    read = shaken(entry, others, read).__getitem__
    text = _with_imports(entry, read, done, [entry])
    for other in others:
        if other not in done:
            done[other] = _as_scope(other, _with_imports(other, read, done, [other]))
    return text, done


def _with_imports(file: str, read: Callable[[str], str], done: dict[str, str], path: list[str]) -> str:
    text = read(file)
    folder = posixpath.dirname(file)
    for _, specifier in IMPORT.findall(text):
        wanted = posixpath.normpath(posixpath.join(folder, specifier))
        if wanted in path:
            raise ValueError(
                f"{' -> '.join([*path, wanted])}: modules import each other in a circle; move the shared part out."
            )
        if wanted not in done:
            done[wanted] = _as_scope(wanted, _with_imports(wanted, read, done, [*path, wanted]))
    text = IMPORT.sub(lambda match: f"const {{{match[1]}}} = {_scope_name(posixpath.join(folder, match[2]))};\n", text)
    left = re.search(r"^import\b.*", text, re.MULTILINE)
    if left:
        raise ValueError(f'{file}: {left[0]!r} is not supported; write import {{ name }} from "./file.js";')
    return text


def _as_scope(file: str, text: str) -> str:
    body = _EXPORT.sub("", text)
    left = re.search(r"^export\b.*", body, re.MULTILINE)
    if left:
        raise ValueError(f"{file}: {left[0]!r} is not supported; export a function, a class or a const.")
    names = ", ".join(_EXPORT.findall(text))
    return f"const {_scope_name(file)} = (() => {{\n{body}\nreturn {{ {names} }};\n}})();"


def _scope_name(file: str) -> str:
    return "$" + re.sub(r"\W", "_", posixpath.normpath(file).removesuffix(".js"))
