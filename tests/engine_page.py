"""A page from disk with the engine in it, for the tests in real browsers: no kernel, no network, no bundler.

Its functions are in `window.lab`: those of the engine's client, of its pure modules, and `ready`, a promise of the
running engine with all given blobs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fr_explore.models.packed import PackedModel
from fr_explore_widgets.core import bundle
from fr_explore_widgets.core.engine import compressed, engine_parts

# what a page of ours must allow
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:"
MODULES = ("align", "measure", "module", "renderer")

_PAGE = """<!doctype html>
<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<title>engine</title>
<script id="data" type="application/json">{data}</script>
<script type="module">
{script}
const toBytes = (text) => {{
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}};
const data = JSON.parse(document.getElementById("data").textContent, (key, value) =>
  value?.$bytes === undefined ? value : toBytes(value.$bytes));
async function begin() {{
  const engine = await startEngine(data.parts);
  for (const {{ key, blob }} of data.heads) await engine.addHead(key, blob);
  for (const {{ head, key, blob }} of data.people) await engine.addPerson(head, key, blob);
  for (const {{ card, blob }} of data.models) await engine.addModel(card, blob);
  return engine;
}}
const toText = (array) => {{
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}};
window.lab = {{ startEngine, latest, REASONS, data, toText, toBytes, ready: begin(), {others} }};
window.lab.ready.catch(() => {{}});
</script>
"""


def write_page(
    path: Path,
    head: bytes | None = None,
    people: Sequence[bytes] = (),
    models: Sequence[PackedModel] = (),
    policy: str = POLICY,
) -> list[str]:
    """Write the page; return the keys of the people. The head's key is "head"."""
    keys = [compressed(person)[0] for person in people]
    data: dict[str, Any] = {"parts": {k: v if k == "id" else _coded(v) for k, v in engine_parts().items()}}
    data["heads"] = [] if head is None else [{"key": "head", "blob": _packed(head)}]
    data["people"] = [{"head": "head", "key": k, "blob": _packed(p)} for k, p in zip(keys, people, strict=True)]
    data["models"] = [{"card": model.card, "blob": _packed(model.network)} for model in models]
    script = bundle.bare(bundle.join("engine/client.js", bundle.read, *(f"engine/{name}.js" for name in MODULES)))
    others = ", ".join(f"...$engine_{name}" for name in MODULES)
    text = _PAGE.format(policy=policy, data=json.dumps(data).replace("<", "\\u003c"), script=script, others=others)
    path.write_text(text, encoding="utf-8")
    return keys


def array(text: str, dtype: str = "<f4") -> np.ndarray:
    """An array that the page has sent with `lab.toText`."""
    return np.frombuffer(base64.b64decode(text), dtype)


def as_text(values: np.ndarray, dtype: str = "<f4") -> str:
    """An array for `lab.toBytes`."""
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def _packed(blob: bytes) -> Mapping[str, str]:
    return _coded(compressed(blob)[1])


def _coded(blob: bytes) -> Mapping[str, str]:
    return {"$bytes": base64.b64encode(blob).decode()}
