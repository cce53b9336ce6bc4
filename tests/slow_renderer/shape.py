"""Vertices of a head, its hair and glasses: at an age, with an expression, turned, on the picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fr_explore.faces.avatars.head import MATERIALS, Head, Wearable
from fr_explore.faces.avatars.identity import Identity

PIVOT = np.array([0.0, -6.5, -9.0])
DISTANCE, WIDTH, RISE = 110.0, 25.0, 0.9
SKIN, EYE, TEETH, TONGUE, LASH = range(len(MATERIALS))


def sigmoid(x: np.ndarray | float) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (n, 3)."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], np.cross(b - a, c - a))
    return total / np.sqrt((total**2).sum(axis=1) + 1e-20)[:, None]


class Shape:
    """All vertices of one picture.

    Each mesh, "head", "hair" and "glasses", is a tuple of points (n, 3), places on the picture with nearness (n, 3) and
    triangles (t, 3). `turn` is the rotation of the head.
    """

    def __init__(self, head: Head, identity: Identity, values: Mapping[str, float], size: int) -> None:
        self.head, self.identity, self.size = head, identity, size
        yaw, pitch = np.radians(values["head_angle"]), np.radians(-values["head_pitch"])
        about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        self.turn = about_y @ about_x
        young, old = (np.round(np.asarray(shape, float) * 1024) / 1024 for shape in (identity.young, identity.old))
        rest = young + (values["age"] - 18) / 70 * (old - young)
        self.opened = values["mouth_open"]
        smile = 0.18 + identity.smile + 0.82 * values["expression"]
        weight = {"smile": smile, "part": smile**2, "open": values["mouth_open"], "wide": 0.25}
        moves, scale = head.quantised_expressions
        self.posed = rest + sum(weight[n] * scale[k] * moves[k] for k, n in enumerate(head.expression_names))
        self.meshes = {"head": self._head()}
        if identity.style != "none":
            self.meshes["hair"] = self._hair(rest)
        if values["glasses"] > 0:
            points = self._placed(self._worn(head.glasses, rest), 1.0)
            self.meshes["glasses"] = (points, self.projected(points), head.glasses.triangles.astype(int))

    def _placed(self, points: np.ndarray, share: np.ndarray | float) -> np.ndarray:
        local = points - PIVOT
        return points + np.reshape(share, (-1, 1)) * (local @ self.turn.T - local)

    def placed_point(self, point: tuple[float, float, float]) -> np.ndarray:
        return self._placed(np.array([point], float), 1.0)[0]

    def projected(self, points: np.ndarray) -> np.ndarray:
        near = 1 / (DISTANCE - points[:, 2])
        scale = near * DISTANCE * self.size / WIDTH
        half = self.size / 2
        return np.stack([points[:, 0] * scale + half, (RISE - points[:, 1]) * scale + half, near], axis=1)

    def _head(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        head, style = self.head, self.identity.style
        weights, columns, starts = head.subdivide
        points = np.add.reduceat(weights[:, None] * self.posed[columns], starts[:-1])
        teeth = (head.of_material == TEETH) & (head.rest[:, 1].astype(np.float32) > -7.1)
        points[:, 1] -= self.opened * (0.55 * teeth + 0.35 * (head.of_material == TONGUE))
        if style != "none" and head.hair_covers_ears[head.hair_names.index(style)]:
            ears = head.masks["ears"] * (np.abs(head.rest[:, 0]) > 5)
            points[:, 0] -= np.sign(points[:, 0]) * 0.8 * ears * np.maximum(np.abs(points[:, 0]) - 6.9, 0)
        points = self._placed(points, sigmoid((head.rest[:, 1] + 13.5) / 1.6))
        return points, self.projected(points), head.triangles

    def _worn(self, worn: Wearable, rest: np.ndarray, away: float = 1.0) -> np.ndarray:
        weights, anchors = np.asarray(worn.binding[0], float), worn.binding[1]
        share = weights / weights.sum(axis=1, keepdims=True)
        return (share[:, :, None] * rest[anchors]).sum(axis=1) + away * np.asarray(worn.offset, float)

    def _hair(self, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        worn = self.head.hair[self.identity.style]
        points = self._worn(worn, rest, self.identity.volume)
        points[:, 1] = np.where(points[:, 1] < 2.5, 2.5 + (points[:, 1] - 2.5) * self.identity.length, points[:, 1])
        if self.identity.mirrored:
            points[:, 0] *= -1
        points = self._placed(points, sigmoid((points[:, 1] + 19) / 2.5))
        return points, self.projected(points), worn.triangles.astype(int)

    def landmarks(self) -> np.ndarray:
        """Centres of the lid openings, tip of the nose, corners of the mouth (5, 2)."""
        marks = self.projected(self._placed(self.posed[self.head.landmarks], 1.0))[:, :2]
        return np.concatenate([marks[:8].reshape(2, 4, 2).mean(axis=1), marks[8:11]])
