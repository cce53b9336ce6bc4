"""Write the page in which faces from the camera or from files are found, aligned, embedded and judged.

The page holds the engine, the networks that find faces (YuNet and O-Net) and one that embeds them, and no picture.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fr_explore.attributes import ATTRIBUTES, IMAGE_ATTRIBUTES
from fr_explore.base.paths import as_path
from fr_explore.engine.network import Precision
from fr_explore.faces.photographs.detect import pack_finder

from ..attribute.engine import ModelView
from ..core import live
from ..core.engine import compressed
from ..core.page import Offline, shared_files, write_page
from ..core.snapshot import still

__all__ = ["write_camera_page"]

_TITLE = "Faces from your camera"
_NETWORKS = ("yunet", "onet")
_COVERS = ("mask", "sunglasses", "side_light")  # as cover.js draws them; the engine does the image attributes


def write_camera_page(path: str | Path, model: Any, *, precision: Precision, max_megabytes: float) -> Path:
    """See `PhotoExplorer.to_html`."""
    if why := live.refusal(None, [model]):
        raise ValueError(f"no page can judge faces with this model: {why} dlib and SFace have one.")
    name = model.card.name
    found = live.live(None, (), {name: model}, precision)
    finder = pack_finder()
    for network in _NETWORKS:
        finder[network] = compressed(finder[network])[1]
    found.data["finder"] = finder
    contents = {**found.contents, "the networks that find faces": sum(len(finder[one]) for one in _NETWORKS)}
    card = ModelView(name, model).describe() | {"margin": live.ERROR[precision]}
    edits = [asdict(ATTRIBUTES[one]) for one in (*_COVERS, *IMAGE_ATTRIBUTES)]
    error = live.ERROR[precision]
    exact = f"{precision}: distances within {100 * error:g} %" if error else precision
    # always one file: pages that share files may load from their own server, and this one must load nothing
    with shared_files(None):
        return write_page(
            as_path(path),
            title=_TITLE,
            still=still(b"", "The camera and the networks of this page need scripts."),
            files="camera",
            traits={"setup": {"card": card, "attributes": edits}, "state": {}},
            offline=Offline(
                live=live.Live(found.data, contents),
                what=f"the network {name}",
                reduce="give a smaller network" if precision == "int8" else 'give precision="int8"',
                note=f"{model.card.title} ({exact}), YuNet and O-Net run in this page, which may connect to nothing.",
            ),
            max_megabytes=max_megabytes,
        )
