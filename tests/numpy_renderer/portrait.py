"""One avatar's picture: identity and strengths -> vertices -> light -> pixels, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from .appearance import eye_color, hair_tone, sigmoid, skin_albedo, skin_tone
from .chart import Chart
from .head import MATERIALS, Head
from .identity import Identity
from .lighting import Lamp, display, light_on
from .renderer import Canvas, rasterise, vertex_normals
from .scene import Pose, Scene
from .wearables import draw_glasses, draw_hair

__all__ = ["Portrait"]

EYE_RADIUS, EYE_ASIDE = 1.655, 3.105  # radius of the eyeballs and distance from the middle plane, in cm
COVERS_EARS = frozenset({"bob", "long", "side", "fringe_long"})
OFF_CHART = 99.0
SKIN, EYE, TEETH, LASH = (MATERIALS.index(name) for name in ("skin", "eye", "teeth", "lash"))


class Portrait:
    """One identity's pictures, and all of them that does not depend on the strengths.

    Parameters
    ----------
    head, identity : the head's asset, and the identity to draw.
    fields : properties of the skin, see `skin_fields`.
    """

    def __init__(self, head: Head, identity: Identity, fields: dict[str, np.ndarray]) -> None:
        self.head, self.identity, self.fields = head, identity, fields
        self.chart = Chart(identity)
        rest, kind = head.rest, head.of_material
        # position of the skin on the chart of the face, and of an eyeball's vertices about its axis
        self.chart_xy = rest[:, :2].astype(np.float32)
        self.chart_xy[(kind == SKIN) & ((rest[:, 2] < -2.2) | (np.abs(rest[:, 0]) > 6.9))] = OFF_CHART
        eye = kind == EYE
        self.chart_xy[eye, 0] -= np.sign(rest[eye, 0]) * EYE_ASIDE
        self.chart_xy[eye] /= EYE_RADIUS
        self.gloss = np.where(kind == SKIN, 0.10 - 0.09 * fields["cloth"] + 0.16 * fields["lips"], 0.0)
        self.gloss[kind == TEETH] = 0.25
        self.gloss = self.gloss.astype(np.float32)
        self.turns = sigmoid((rest[:, 1] + 13.5) / 1.6)  # share of the head's rotation at each vertex
        self.tucked = head.masks["ears"] * (np.abs(rest[:, 0]) > 5) * (0.8 if identity.style in COVERS_EARS else 0)
        solid = head.material != LASH
        if identity.style != "none":  # skin deep under the hair is never visible
            solid &= ~(fields["covered"][head.triangles] > 0.5).all(axis=1)
        self.solid = np.flatnonzero(solid)

    def shape(self, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Return the coarse vertices at an age, without and with the expression."""
        head, identity = self.head, self.identity
        share = np.float32((values["age"] - 18) / 70)
        rest = identity.young + share * (identity.old - identity.young)
        # every resting face smiles a little; the lips part only in a wide smile
        smile = 0.18 + identity.smile + 0.82 * values["expression"]
        mix = {"smile": smile, "part": smile * smile, "open": values["mouth_open"], "wide": 0.25}
        weight = np.array([mix.get(name, 0.0) for name in head.expression_names], dtype=np.float32)
        return rest, rest + np.tensordot(weight, head.expressions, axes=1)

    def picture(self, values: Mapping[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
        """Render sRGB pixels (size, size, 3), before the image attributes, and the five landmarks (5, 2)."""
        pose, lamp = (
            Pose(values["head_angle"], values["head_pitch"]),
            Lamp(values["illumination"], values["light_strength"]),
        )
        scene = Scene(Canvas(size), pose, lamp)
        rest, posed = self.shape(values)
        hair = hair_tone(self.identity, values["hair_color"])
        depth = self._draw_head(scene, posed, values, hair)
        if self.identity.style != "none":
            sheet = self.head.hair[self.identity.style]
            depth = draw_hair(scene, depth, sheet, rest, hair, self.identity.seed % 64)
        if values["glasses"] > 0:
            draw_glasses(scene, depth, self.head.glasses, rest, values["glasses"])
        marks = scene.project(pose(posed[self.head.landmarks]))[0]
        landmarks = np.concatenate([marks[:8].reshape(2, 4, 2).mean(axis=1), marks[8:11]])
        return display(scene.canvas.in_front_of(background(size))), landmarks.astype(np.float32)

    def _draw_head(self, scene: Scene, posed: np.ndarray, values: Mapping[str, float], hair: np.ndarray) -> np.ndarray:
        """Draw skin, eyes, teeth and lashes; return the nearness of every sample afterwards."""
        head, size = self.head, scene.canvas.size
        points = head.subdivide @ posed
        points[:, 0] -= self.tucked * np.sign(points[:, 0]) * np.maximum(np.abs(points[:, 0]) - 6.9, 0)
        points = scene.pose(points, self.turns)
        albedo = skin_albedo(head, self.fields, self.identity, skin_tone(self.identity, values["skin_tone"]), hair)
        normals = vertex_normals(points, head.triangles, head.gather)
        light, shine = light_on(normals, head.visibility, scene.lamp, scene.pose.turn, self.gloss)
        color = albedo * light + shine[:, None]
        attributes = np.concatenate([color, light.mean(axis=1)[:, None], self.chart_xy], axis=1, dtype=np.float32)
        xy, near = scene.project(points)
        seen, depth = rasterise(xy, near, head.triangles[self.solid], size)
        value = seen.interpolate(attributes)
        kind = head.material[self.solid][seen.triangle]
        self._paint_skin(value, kind, values["age"], hair, scene.pixel)
        self._paint_eyes(value, kind, scene)
        scene.canvas.draw(seen, value[:, :3])
        lash, _ = rasterise(xy, near, head.triangles[head.material == LASH], size, depth, two_sided=True)
        scene.canvas.draw(lash, lash.interpolate(attributes[:, :3]), 0.55)
        return depth

    def _paint_skin(self, value: np.ndarray, kind: np.ndarray, age: float, hair: np.ndarray, pixel: float) -> None:
        """Paint folds, spots and brows onto skin fragments (n, 6: colour, light, place on the chart), in place."""
        at = np.flatnonzero((kind == SKIN) & (np.abs(value[:, 4]) < 7))
        ageing = np.clip((age - 18) / 57, 0, 1) ** 1.7
        brow, fold, spot, freckle = self.chart.lookup(value[at, 4:6], pixel).T
        dark = np.float32(0.75 * ageing) * fold + np.float32(0.28 * ageing) * spot
        dark += np.float32(0.5 * self.identity.freckles) * freckle
        color = value[at, :3] * np.exp(-dark[:, None] * np.array([0.75, 1.0, 1.08], np.float32))
        brow_color = (0.12 / (0.12 / 0.75 + hair.max()) * hair).astype(np.float32)  # never as light as light hair
        value[at, :3] = color + brow[:, None] * (brow_color * value[at, 3:4] - color)

    def _paint_eyes(self, value: np.ndarray, kind: np.ndarray, scene: Scene) -> None:
        """Paint iris, pupil, the shadow of the lid and the lamp's reflection onto eye fragments, in place."""
        at = np.flatnonzero(kind == EYE)
        q = value[at, 4:6].astype(np.float64)
        blur = scene.pixel / EYE_RADIUS
        ball = eye_color(q, np.array(self.identity.iris), blur) * value[at, 3:4]
        ball *= (1 - 0.5 * sigmoid((q[:, 1] - 0.17) / 0.10))[:, None]
        # the cornea bulges, so its normal changes faster than the eyeball's
        bulge = np.column_stack([1.9 * q, np.sqrt(np.clip(1 - (q**2).sum(axis=1), 0.05, 1))]) @ scene.pose.turn.T
        bulge /= np.linalg.norm(bulge, axis=1, keepdims=True)
        glint = sigmoid((bulge @ scene.lamp.half - 0.975) / np.hypot(0.006, 0.14 * blur))
        value[at, :3] = ball + (0.85 * scene.lamp.strength * glint)[:, None]


@lru_cache(maxsize=8)
def background(size: int) -> np.ndarray:
    """A cool grey with a soft vignette, linear RGB (size * size, 3)."""
    g = (np.arange(size) + 0.5) / size - 0.5
    fall = 1 - 0.55 * (g[:, None] ** 2 + g[None] ** 2) - 0.10 * g[:, None]
    return fall.reshape(-1, 1) * np.array([0.56, 0.58, 0.60])
