"""Pack the head and the people for the engine: the same quantised bytes for the kernel and for a page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...engine.blobs import pack
from .appearance import sigmoid, skin_fields
from .chart import paint
from .head import MATERIALS, Head, Wearable
from .identity import Identity

__all__ = ["hair_sections", "pack_head", "pack_person", "person_sections"]

FIELDS = ("red", "lips", "scalp", "hair_shade", "cavity", "cloth")  # order of head.c
EXPRESSIONS = ("smile", "part", "open", "wide")  # order of mesh.c
EYE_RADIUS, EYE_ASIDE = 1.655, 3.105  # radius of the eyeballs and distance from the middle plane, in cm
OFF_CHART = 99.0
GRID = 2.0**-10  # people's vertices are rounded to this many cm, a hundredth of a pixel of 256: they compress better


def pack_head(head: Head, styles: Iterable[str] | None = None, skins: Iterable[str] | None = None) -> bytes:
    """Return the blob of what all people share, with these hair styles and lines of skins (all of them by default)."""
    fields = skin_fields(head)
    skin, eye, teeth = (head.of_material == MATERIALS.index(name) for name in ("skin", "eye", "teeth"))
    gloss = np.where(skin, 0.10 - 0.09 * fields["cloth"] + 0.16 * fields["lips"], 0.25 * teeth)
    lash = head.of_material == MATERIALS.index("lash")
    gloss[lash] = _lashes(head.rest[lash], head.rest[skin])
    weights, columns, starts = head.subdivide
    order = [head.expression_names.index(name) for name in EXPRESSIONS]
    expressions, scale = head.quantised_expressions
    face = head.triangles[(head.material == MATERIALS.index("skin")) & (head.rest[head.triangles, 2] > 0).all(axis=1)]
    skins = head.skin_names if skins is None else list(skins)
    texture = head.skins[skins[0]]  # all have one size
    sections: dict[str, np.ndarray] = {
        "identity": np.array([_name(head)], "<i4"),
        "expressions": expressions[order], "scale": scale[order].astype("<f4"),
        "subdivide.start": starts.astype("<i4"), "subdivide.index": columns.astype("<u2"),
        "subdivide.data": weights.astype("<f4"),
        "triangles": _columns(head.triangles), "material": head.material.astype("u1"),
        # skin deep under the hair is never visible
        "covered": (fields["covered"][head.triangles] > 0.5).all(axis=1).astype("u1"),
        "visibility": head.visibility,
        "fields": np.round(np.stack([fields[name] for name in FIELDS]) * 65535).astype("<u2"),
        "gloss": gloss.astype("<f4"), "turns": sigmoid((head.rest[:, 1] + 13.5) / 1.6).astype("<f4"),
        "ears": (head.masks["ears"] * (np.abs(head.rest[:, 0]) > 5)).astype("<f4"),
        "chart": _chart_places(head, skin, eye), "marks": head.landmarks.astype("<u2"),
        "uv": head.uv.astype("<u2"), "texels": _texels_per_cm(head.rest, head.uv, face, texture.shape[1:3]),
        "makeup": _differences(head.makeup),
        **_wearable("glasses", head.glasses),
    }  # fmt: skip
    for name in skins:
        # red and blue less green: the three vary together, so that the differences are small
        ages = [_differences(age - age[..., 1:2] * np.array([1, 0, 1], "u1")) for age in head.skins[name]]
        sections[f"skin{head.skin_names.index(name):02d}"] = np.concatenate(ages)
    for name in head.hair_names if styles is None else styles:
        sections |= hair_sections(head, name)
    return pack("HEAD", sections)


def pack_person(head: Head, identity: Identity) -> bytes:
    """Return the blob of one identity."""
    return pack("FACE", person_sections(head, identity))


def person_sections(head: Head, identity: Identity) -> dict[str, np.ndarray]:
    """Return the sections of the blob of one identity."""
    style = -1 if identity.style == "none" else head.hair_names.index(identity.style)
    facts = (_name(head), head.skin_names.index(identity.skin), style, identity.mirrored, identity.seed)
    traits = (
        identity.melanin, identity.redness, identity.beard, identity.smile, identity.makeup,
        identity.length, identity.volume, identity.roots,
        *identity.tone, *identity.iris, *identity.hair, *identity.lips, *identity.cloth,
    )  # fmt: skip
    young, old = (np.round(shape.astype(np.float64).T / GRID) for shape in (identity.young, identity.old))
    return {
        "facts": np.array(facts, "<i4"), "traits": np.array(traits, "<f4"),
        "young": young.astype("<i2"), "ageing": (old - young).astype("<i2"),  # axis by axis
        "paint": _differences(np.round(paint(identity) * 255).astype("u1")),
    }  # fmt: skip


def _name(head: Head) -> int:
    """A number that tells heads apart."""
    return int(head.digest[:8], 16) - 2**31


def _differences(texture: np.ndarray) -> np.ndarray:
    """A texture (rows, columns, channels) channel by channel, each row as the difference to the row above."""
    planes = np.moveaxis(texture, -1, 0)
    return np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1)  # bytes wrap around


def _texels_per_cm(points: np.ndarray, uv: np.ndarray, triangles: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the density of a texture (rows, columns) on a surface: the root of the ratio of the areas."""
    place = uv / 65535 * (shape[1], shape[0])
    p, q = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    s, t = (place[triangles[:, k]] - place[triangles[:, 0]] for k in (1, 2))
    ours = np.linalg.norm(np.cross(p, q), axis=1).sum()
    return np.array([np.sqrt(np.abs(s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / ours)], "<f4")


def _wearable(prefix: str, worn: Wearable) -> dict[str, np.ndarray]:
    weights, anchors = worn.binding
    order = _by_first_use(worn)
    place = np.argsort(order)
    return {
        f"{prefix}.weights": weights[order], f"{prefix}.anchors": anchors[order],
        f"{prefix}.offsets": worn.offset[order], f"{prefix}.tri": _columns(place[worn.triangles]),
    }  # fmt: skip


def _by_first_use(worn: Wearable) -> np.ndarray:
    """The vertices in the order in which the triangles use them: corners then differ little from those before."""
    return np.argsort(np.unique(worn.triangles, return_index=True)[1], kind="stable")


def _columns(triangles: np.ndarray) -> np.ndarray:
    """Triangles (n, 3) as three lists of corners, each corner as the difference to the one before."""
    return np.diff(triangles.astype("<u2").T, axis=1, prepend=np.zeros((3, 1), "<u2")).astype("<u2")  # wraps around


def hair_sections(head: Head, name: str) -> dict[str, np.ndarray]:
    """Return the sections of a hair style."""
    number, hair = head.hair_names.index(name), head.hair[name]
    assert hair.uv is not None
    assert hair.texture is not None
    weights, anchors = hair.binding
    share = weights / weights.sum(axis=1, keepdims=True)
    points = np.einsum("nk,nkd->nd", share, head.mean[anchors]) + hair.offset
    rows, columns, _ = hair.texture.shape
    density = _texels_per_cm(points, hair.uv, hair.triangles, (rows, columns))[0]
    prefix = f"hair{number:02d}"
    return {
        f"{prefix}.facts": np.array([columns, rows, density, head.hair_covers_ears[number]], "<f4"),
        f"{prefix}.uv": hair.uv[_by_first_use(hair)].astype("<u2"), f"{prefix}.texture": _differences(hair.texture),
        **_wearable(prefix, hair),
    }  # fmt: skip


def _lashes(points: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Opacity of lashes: less at the tips, and less at the lower lid."""
    reach = 0.7  # of their roots, in cm
    lids = skin[((skin > points.min(axis=0) - reach) & (skin < points.max(axis=0) + reach)).all(axis=1)]
    length = np.sqrt(((points[:, None] - lids) ** 2).sum(axis=2).min(axis=1))
    return (0.3 + 0.5 * sigmoid((points[:, 1] + 0.28) / 0.06)) * np.clip(1 - length / reach, 0, 1)


def _chart_places(head: Head, skin: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Place of each vertex on the chart of the face; for an eyeball's vertices, the direction from its axis."""
    rest = head.rest
    places = rest[:, :2].astype("<f4")
    places[skin & ((rest[:, 2] < -5.0) | (np.abs(rest[:, 0]) > 6.9))] = OFF_CHART
    places[eye, 0] -= np.sign(rest[eye, 0]) * EYE_ASIDE
    places[eye] /= EYE_RADIUS
    return places
