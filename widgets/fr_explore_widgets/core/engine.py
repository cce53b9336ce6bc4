"""The engine for a page: its worker and its WebAssembly, compressed; and blobs for it under keys.

The worker is one classic script, joined from `engine/worker.js`: Chromium refuses module workers in a page from disk.
`engine/client.js` starts it. Keys are hashes of the content, so that widgets that show the same person share him.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from importlib import resources
from typing import Any

from . import bundle

__all__ = ["compressed", "engine_parts"]

_LEVEL = 6  # of gzip: level 9 saves a thousandth and takes several times as long
_MODULES = ("renderer", "network", "network_relaxed")


def compressed(blob: bytes) -> tuple[str, bytes]:
    """A key that identifies a blob, and the blob as `engine/module.js` unpacks it."""
    return hashlib.sha256(blob).hexdigest()[:16], gzip.compress(blob, _LEVEL, mtime=0)


@functools.cache
def engine_parts() -> dict[str, Any]:
    """What `startEngine` needs (`Parts` in engine/types.d.ts)."""
    folder = resources.files("fr_explore.engine")
    files = {name: folder.joinpath(f"{name}.wasm").read_bytes() for name in _MODULES}
    files["worker"] = bundle.bare(bundle.join("engine/worker.js", bundle.read)).encode()
    key = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
    return {"id": key, **{name: compressed(data)[1] for name, data in files.items()}}
