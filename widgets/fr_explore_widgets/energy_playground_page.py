"""A widget that needs no kernel, as one HTML file: its module, its style and its traits; nothing from the network."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["write_page"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 1200px; background: #fff; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; }} }}
{style}
</style>
</head>
<body>
<main id="widget" aria-label="{title}"></main>
<script type="module">
{script}
// what anywidget's model does, without a kernel: traits, and those who listen to them
const traits = {traits};
const listeners = new Map();
const model = {{
  get: (name) => traits[name],
  set: (name, value) => {{
    traits[name] = value;
    for (const callback of listeners.get(`change:${{name}}`) ?? []) callback();
  }},
  save_changes: () => {{}},
  on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
  off: (event, callback) => listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== callback)),
}};
widget.render({{ model, el: document.getElementById("widget") }});
</script>
</body>
</html>
"""


def write_page(path: str | Path, title: str, script: str, style: str, traits: Mapping[str, Any]) -> Path:
    """Write the page and return its path; `script` is an ES module with a default export that has `render`."""
    body, found, rest = script.rpartition("export default ")
    if not found:
        raise ValueError("the module has no default export: end it with `export default { render };`.")
    inline = f"{body}const widget = {rest}".replace("</script", "<\\/script")
    page = _PAGE.format(
        title=html.escape(title),
        style=style,
        script=inline,
        # "</script>" inside a text would end the script
        traits=json.dumps(traits).replace("<", "\\u003c"),
    )
    target = Path(path)
    target.write_text(page, encoding="utf-8")
    return target
