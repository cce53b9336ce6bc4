"""Pack the head and the people for the engine: the same quantised bytes for the kernel and for a page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...engine.blobs import pack
from .appearance import sigmoid, skin_fields
from .chart import paint
from .head import MATERIALS, Head, Wearable
from .identity import Identity
from .strands import pattern

__all__ = ["pack_head", "pack_person"]

FIELDS = ("red", "socket", "lids", "lips", "beard", "scalp", "hair_shade", "cavity", "cloth")  # order of skin.c
EXPRESSIONS = ("smile", "part", "open", "wide")  # order of mesh.c
COVERS_EARS = frozenset({"bob", "long", "side", "fringe_long"})
EYE_RADIUS, EYE_ASIDE = 1.655, 3.105  # radius of the eyeballs and distance from the middle plane, in cm
OFF_CHART = 99.0
GRID = 2.0**-18  # people's vertices are rounded to this many cm, far below a hundredth of a pixel: they compress better


def pack_head(head: Head, styles: Iterable[str] | None = None) -> bytes:
    """Return the blob of what all people share, with these hair styles (all of them by default)."""
    fields = skin_fields(head)
    skin, eye, teeth = (head.of_material == MATERIALS.index(name) for name in ("skin", "eye", "teeth"))
    gloss = np.where(skin, 0.10 - 0.09 * fields["cloth"] + 0.16 * fields["lips"], 0.25 * teeth)
    weights, columns, starts = head.subdivide
    order = [head.expression_names.index(name) for name in EXPRESSIONS]
    expressions, scale = head.quantised_expressions
    sections: dict[str, np.ndarray] = {
        "identity": np.array([_name(head)], "<i4"),
        "expressions": expressions[order], "scale": scale[order].astype("<f4"),
        "subdivide.start": starts.astype("<i4"), "subdivide.index": columns.astype("<u2"),
        "subdivide.data": weights.astype("<f4"),
        "triangles": head.triangles.astype("<u2"), "material": head.material.astype("u1"),
        # skin deep under the hair is never visible
        "covered": (fields["covered"][head.triangles] > 0.5).all(axis=1).astype("u1"),
        "visibility": head.visibility,
        "fields": np.round(np.stack([fields[name] for name in FIELDS]) * 65535).astype("<u2"),
        "gloss": gloss.astype("<f4"), "turns": sigmoid((head.rest[:, 1] + 13.5) / 1.6).astype("<f4"),
        "ears": (head.masks["ears"] * (np.abs(head.rest[:, 0]) > 5)).astype("<f4"),
        "chart": _chart_places(head, skin, eye), "marks": head.landmarks.astype("<u2"),
        **_wearable("glasses", head.glasses),
    }  # fmt: skip
    for name in head.hair_names if styles is None else styles:
        number, hair = head.hair_names.index(name), head.hair[name]
        assert hair.strand is not None
        prefix = f"hair{number:02d}"
        parted = bool(np.ptp(hair.strand[:, 0, 1]) > 1)  # its strands start from a parting
        sections |= _wearable(prefix, hair)
        sections[prefix + ".grid"] = np.array([hair.strand.shape[0], parted, name in COVERS_EARS], "<i4")
        sections[prefix + ".strands"] = hair.strand.astype("<f2")
    return pack("HEAD", sections)


def pack_person(head: Head, identity: Identity) -> bytes:
    """Return the blob of one identity."""
    strands = pattern(identity.seed % 64)
    scale = np.abs(strands).max() / 127
    style = -1 if identity.style == "none" else head.hair_names.index(identity.style)
    traits = (
        identity.femininity, identity.melanin, identity.redness, identity.stubble, identity.freckles, identity.smile,
        scale, *identity.iris, *identity.hair,
    )  # fmt: skip
    return pack("FACE", {
        "facts": np.array([_name(head), style, identity.seed], "<i4"), "traits": np.array(traits, "<f4"),
        "young": _rounded(identity.young), "old": _rounded(identity.old),
        "paint": np.round(paint(identity) * 255).astype("u1"),
        "pattern": np.round(strands / scale).astype("i1"),
    })  # fmt: skip


def _name(head: Head) -> int:
    """A number that tells heads apart."""
    return int(head.digest[:8], 16) - 2**31


def _rounded(points: np.ndarray) -> np.ndarray:
    return (np.round(points.astype(np.float64) / GRID) * GRID).astype("<f4")


def _wearable(prefix: str, worn: Wearable) -> dict[str, np.ndarray]:
    weights, anchors = worn.binding
    return {
        f"{prefix}.weights": weights, f"{prefix}.anchors": anchors, f"{prefix}.offsets": worn.offset,
        f"{prefix}.tri": worn.triangles.astype("<u2"),
    }  # fmt: skip


def _chart_places(head: Head, skin: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Place of each vertex on the chart of the face; for an eyeball's vertices, the direction from its axis."""
    rest = head.rest
    places = rest[:, :2].astype("<f4")
    places[skin & ((rest[:, 2] < -2.2) | (np.abs(rest[:, 0]) > 6.9))] = OFF_CHART
    places[eye, 0] -= np.sign(rest[eye, 0]) * EYE_ASIDE
    places[eye] /= EYE_RADIUS
    return places
