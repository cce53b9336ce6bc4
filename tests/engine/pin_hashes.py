"""Write `hashes.json`: SHA-256 of pictures that every host must reproduce. `python tests/engine/pin_hashes.py`.

Each case gives the person (identity of `fr.Avatars`, by seed and number), the size and the parameters that are not
neutral. `picture` is the hash of the float32 pixels, `bytes` of the 8-bit RGBA pixels, `landmarks` of ten float32.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES
from fr_explore.engine.host import Renderer
from fr_explore.faces.avatars.source import head_blob, person_blob

PATH = Path(__file__).with_name("hashes.json")
SEED = 4


def cases() -> list[dict]:
    """Twelve requests: neutral, all attributes at random, the ends of the sizes that differ in kind."""
    out = []
    for number in range(12):
        rng = np.random.default_rng([SEED, number])
        size = (160, 80, 224, 97, 32, 160, 160, 131, 400, 160, 64, 111)[number]
        names = AVATAR_ATTRIBUTES if number % 4 else ()
        # exact in float32 and in JSON
        values = {n: float(np.float32(rng.uniform(ATTRIBUTES[n].low, ATTRIBUTES[n].high))) for n in names}
        out.append({"seed": SEED, "identity": number, "size": size, "parameters": values})
    return out


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def hashed(renderer: Renderer, case: dict) -> dict[str, str]:
    """The three hashes of a case."""
    person = person_blob(case["seed"], case["identity"])
    pixels, marks = renderer.render(head_blob(), person, case["parameters"], case["size"])
    eight = renderer.rgba(case["size"], case["size"])
    return {"picture": digest(pixels), "bytes": digest(eight), "landmarks": digest(marks)}


def main() -> None:
    renderer = Renderer()
    rows = [case | hashed(renderer, case) for case in cases()]
    PATH.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{PATH.name}: {len(rows)} pictures")


if __name__ == "__main__":
    main()
