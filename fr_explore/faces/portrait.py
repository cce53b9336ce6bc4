"""One avatar's picture: identity and strengths -> vertices -> light -> pixels, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .appearance import (
    between,
    chart_of,
    eye_color,
    hair_tone,
    lookup,
    skin_albedo,
    skin_fields,
    skin_tone,
    strand_pattern,
)  # noqa: F401
from .head import MATERIALS, PIVOT, Head, Worn
from .identity import Identity
from .lighting import display, harmonics, key_direction, light_on  # noqa: F401
from .render import Camera, Fragments, rasterise, vertex_normals

CAMERA = Camera(width=25.0, rise=0.9)
EYE_RADIUS = 1.655


def rotation(yaw: float, pitch: float) -> np.ndarray:
    """Head rotation (3, 3) in degrees: positive yaw turns to the right of the picture, positive pitch upwards."""
    y, p = np.radians(yaw), np.radians(-pitch)
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return (turn @ nod).astype(np.float32)


class Portrait:
    """Everything about one identity that does not depend on the strengths, and its pictures."""

    def __init__(self, head: Head, identity: Identity, fields: dict[str, np.ndarray]) -> None:
        self.head, self.identity, self.fields = head, identity, fields
        self.chart = chart_of(identity)
        self.strands = strand_pattern(identity.seed % 64)
        skin = head.of_material == 0
        rest = head.rest
        self.xy = rest[:, :2].astype(np.float32).copy()
        behind = skin & ((rest[:, 2] < -2.2) | (np.abs(rest[:, 0]) > 6.9))
        self.xy[behind] = 99
        eye = head.of_material == 1
        centre = np.sign(rest[eye, 0]) * 3.105
        self.xy[eye, 0] = (rest[eye, 0] - centre) / EYE_RADIUS
        self.xy[eye, 1] = rest[eye, 1] / EYE_RADIUS
        self.gloss = np.where(skin, 0.10, 0).astype(np.float32)
        self.gloss *= 1 - 0.9 * fields["cloth"]
        self.gloss += 0.16 * fields["lips"]
        self.gloss[head.of_material == 2] = 0.25
        self.turns = 1 / (1 + np.exp(-(rest[:, 1] + 13.5) / 1.6))  # how far a vertex goes along with the head

    # geometry ------------------------------------------------------------------------------------------------------

    def shape(self, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Coarse vertices without and with the expression."""
        head, identity = self.head, self.identity
        t = (values["age"] - 18) / 70
        rest = identity.young + np.float32(t) * (identity.old - identity.young)
        index = head.expression_names.index
        smile, opening = values["expression"], values["mouth_open"]
        # an open jaw takes room from the smile's own small opening
        mimics = smile * head.expressions[index("smile")] + opening * head.expressions[index("open")]
        return rest, rest + np.float32(1) * mimics.astype(np.float32)

    def picture(self, values: Mapping[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
        """sRGB pixels (size, size, 3) before the image attributes, and the five landmarks."""
        head, identity = self.head, self.identity
        rest, posed = self.shape(values)
        turn = rotation(values["head_angle"], values["head_pitch"])

        def place(points: np.ndarray, share: np.ndarray | float) -> np.ndarray:
            local = points - PIVOT
            return points + np.asarray(share, dtype=np.float32).reshape(-1, 1) * (local @ turn.T - local)

        fine = place(head.subdivide @ posed, self.turns)
        key = key_direction(values["illumination"])
        hair_color = hair_tone(identity, values["hair_color"])
        albedo = skin_albedo(head, self.fields, identity, skin_tone(identity, values["skin_tone"]), hair_color)
        normals = vertex_normals(fine, head.triangles, head.gather)
        light, highlight = light_on(normals, head.visibility, key, turn.T @ key, values["light_strength"], self.gloss)
        attributes = np.concatenate([albedo * light + highlight[:, None], light.mean(axis=1)[:, None], self.xy], axis=1)
        attributes = attributes.astype(np.float32)
        xy, near = CAMERA.project(fine, size)
        solid = head.material != MATERIALS.index("lash")
        seen, depth = rasterise(xy, near, head.triangles[solid], size)
        image = background(size)
        self._composite(
            image,
            seen,
            self._skin_and_eyes(
                seen, seen.interpolate(attributes), head.material[solid], values, turn, key, hair_color
            ),
        )
        lash = head.triangles[~solid]
        seen, _ = rasterise(xy, near, np.concatenate([lash, lash[:, ::-1]]), size, depth)
        color = seen.interpolate(attributes)[:, :3]
        self._composite(image, seen, color, np.full(len(color), 0.55))
        if identity.style != "none":
            self._hair(image, depth, rest, place, size, key, values, hair_color)
        if values["glasses"] > 0:
            self._glasses(image, depth, rest, place, size, key, values)
        marks = CAMERA.project(place(posed, 1.0)[head.landmarks], size)[0]
        eyes = marks[:8].reshape(2, 4, 2).mean(axis=1)
        landmarks = np.concatenate([eyes, marks[8:11]]).astype(np.float32)
        return display(image).reshape(size, size, 3), landmarks

    @staticmethod
    def _composite(image: np.ndarray, seen: Fragments, color: np.ndarray, alpha: np.ndarray | None = None) -> None:
        """Lay a layer over the picture (pixels, 3), in place."""
        weight = seen.cover if alpha is None else seen.cover * alpha
        n = len(image)
        image *= np.clip(1 - np.bincount(seen.pixel, weight, n), 0, 1)[:, None]
        for k in range(3):
            image[:, k] += np.bincount(seen.pixel, weight * color[:, k], n)

    def _skin_and_eyes(self, seen, value, material, values, turn, key, hair_color) -> np.ndarray:
        color, light, xy = value[:, :3].copy(), value[:, 3:4], value[:, 4:]
        kind = material[seen.triangle]
        skin = np.flatnonzero((kind == 0) & (np.abs(xy[:, 0]) < 7))
        brow, fold, spot, freckle = lookup(self.chart, xy[skin]).T[..., None]
        ageing = np.clip((values["age"] - 18) / 57, 0, 1)
        ageing = ageing * ageing * (3 - 2 * ageing)
        painted = color[skin] * np.exp(
            -(0.75 * ageing * fold + (0.28 * ageing) * spot) * np.array([0.8, 1.0, 1.05])
            - self.identity.freckles * freckle * np.array([0.25, 0.5, 0.6])
        )
        brow_color = np.minimum(hair_color, 0.16) * 0.75
        painted += brow * (brow_color * light[skin] - painted)
        color[skin] = painted
        eye = np.flatnonzero(kind == 1)
        q = xy[eye]
        ball = eye_color(q, np.array(self.identity.iris)) * light[eye]
        # lids and lashes shade the ball from above
        ball *= (1 - 0.5 / (1 + np.exp(-(q[:, 1] - 0.17) / 0.10)))[:, None]
        normal = np.column_stack([q, np.sqrt(np.clip(1 - (q**2).sum(axis=1), 0.05, 1))]) @ turn.T
        half = key + np.array([0, 0, 1.0])
        half /= np.linalg.norm(half)
        # the cornea bulges: its normal turns faster than the ball's
        bulge = normal + 0.9 * np.column_stack([q, 0 * q[:, :1]]) @ turn.T
        bulge /= np.linalg.norm(bulge, axis=1, keepdims=True)
        glint = 1 / (1 + np.exp(-(bulge @ half - 0.975) / 0.006)) * values["light_strength"]
        color[eye] = ball + 0.85 * glint[:, None]
        return color

    def _hair(self, image, depth, rest, place, size, key, values, hair_color) -> None:
        head, hair = self.head, self.head.hair[self.identity.style]
        columns, rows = head.hair_shape
        points = hair.place(rest)
        share = 1 / (1 + np.exp(-(points[:, 1] + 19) / 2.5))
        points = place(points, share)
        normals = vertex_normals(points, hair.triangles, hair.gather)
        grid = points.reshape(columns, rows, 3)
        tangent = np.gradient(grid, axis=1).reshape(-1, 3)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
        half = key + np.array([0, 0, 1.0])
        half /= np.linalg.norm(half)
        facing = np.clip((normals @ key + 0.35) / 1.35, 0, None)
        along = np.sqrt(np.clip(1 - (tangent @ key) ** 2, 0, 1))
        up = 0.5 + 0.5 * normals[:, 1]
        lit = 1.5 * values["light_strength"] * facing * (0.45 + 0.55 * along) + 0.30 + 0.25 * up
        sheen = np.sqrt(np.clip(1 - ((tangent + 0.12 * normals) @ half) ** 2, 0, 1)) ** 60 * np.clip(
            normals[:, 2] + 0.3, 0, 1
        )
        sheen = sheen * values["light_strength"] * facing
        arc = hair.arc
        left = (arc[:, -1:] - arc).ravel()
        u = np.repeat(np.arange(columns) / (columns - 1), rows)
        attributes = np.stack([lit, sheen, u, arc.ravel(), left], axis=1).astype(np.float32)
        xy, near = CAMERA.project(points, size)
        both = np.concatenate([hair.triangles, hair.triangles[:, ::-1]])
        seen, buffer = rasterise(xy, near, both, size, depth)
        lit, sheen, u, arc_at, left = seen.interpolate(attributes).T
        s, t = np.clip(u, 0, 1) * 1023, np.clip(arc_at * 0.9, 0, 30)
        i, j = s.astype(int), t.astype(int)
        fs, ft = s - i, t - j
        table = self.strands
        noise = (table[i, j] * (1 - fs) + table[(i + 1) % 1024, j] * fs) * (1 - ft) + (
            table[i, j + 1] * (1 - fs) + table[(i + 1) % 1024, j + 1] * fs
        ) * ft
        color = hair_color * (lit * np.exp(0.28 * noise))[:, None] + (sheen * np.exp(0.45 * noise))[:, None] * (
            0.05 + 0.22 * hair_color
        )
        color *= (0.55 + 0.45 * np.clip(arc_at / 3, 0, 1))[:, None] if False else 1
        alpha = 1 / (1 + np.exp(-(left - 0.30 - 0.22 * noise) / 0.10))
        self._composite(image, seen, color, alpha)
        depth[:] = buffer

    def _glasses(self, image, depth, rest, place, size, key, values) -> None:
        frame: Worn = self.head.glasses
        points = place(frame.place(rest), 1.0)
        normals = vertex_normals(points, frame.triangles, frame.gather)
        half = key + np.array([0, 0, 1.0])
        half /= np.linalg.norm(half)
        lit = 0.35 + 1.2 * values["light_strength"] * np.clip(normals @ key, 0, None)
        shine = 0.35 * np.clip(normals @ half, 0, None) ** 30 * values["light_strength"]
        color = lit[:, None] * np.array([0.030, 0.024, 0.022]) + shine[:, None]
        xy, near = CAMERA.project(points, size)
        seen, _ = rasterise(xy, near, np.concatenate([frame.triangles, frame.triangles[:, ::-1]]), size, depth)
        self._composite(image, seen, seen.interpolate(color), np.full(len(seen.pixel), values["glasses"]))


def background(size: int) -> np.ndarray:
    """A plain warm grey with a soft vignette, linear RGB (size * size, 3)."""
    g = (np.arange(size) + 0.5) / size - 0.5
    fall = 1 - 0.55 * (g[:, None] ** 2 + (g[None] * 1.0) ** 2) + 0.10 * (0.5 - (g[:, None] + 0.5))
    return fall.reshape(-1, 1) * np.array([0.56, 0.58, 0.60])
