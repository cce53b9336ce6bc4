"""What all layers of one picture share: the camera, the pose of the head, the lamp and the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .head import PIVOT
from .lighting import Lamp
from .renderer import Canvas

__all__ = ["CAMERA", "Camera", "Pose", "Scene"]


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera on the z axis, directed at the origin.

    Parameters
    ----------
    distance : from the origin, in cm.
    width : side of the visible square of the plane z = 0, in cm.
    rise : height of the picture's centre above the origin, in cm.
    """

    distance: float = 110.0
    width: float = 25.0
    rise: float = 0.9

    def project(self, points: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pixel coordinates (n, 2), y downwards, and nearness 1 / depth (n,), linear over a flat triangle."""
        near = 1.0 / (self.distance - points[:, 2])
        scale = near * (self.distance * size / self.width)
        x = points[:, 0] * scale + size / 2
        y = (self.rise - points[:, 1]) * scale + size / 2
        return np.stack([x, y], axis=1), near


CAMERA = Camera()


class Pose:
    """Rotation of the head on the neck; `pose(points, share)` rotates points by a share of the whole angle.

    Parameters
    ----------
    yaw, pitch : in degrees; positive yaw turns to the right of the picture, positive pitch upwards.

    `turn` is the rotation matrix (3, 3).
    """

    def __init__(self, yaw: float, pitch: float) -> None:
        y, p = np.radians(yaw), np.radians(-pitch)
        turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
        self.turn = (turn @ nod).astype(np.float32)

    def __call__(self, points: np.ndarray, share: np.ndarray | float = 1.0) -> np.ndarray:
        local = points - PIVOT
        weight = np.asarray(share, dtype=np.float32).reshape(-1, 1)
        return points + weight * (local @ self.turn.T - local)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture in progress."""

    canvas: Canvas
    pose: Pose
    lamp: Lamp
    camera: Camera = CAMERA

    @property
    def pixel(self) -> float:
        """Width of a pixel at the origin, in cm."""
        return self.camera.width / self.canvas.size

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project points onto the canvas; see `Camera.project`."""
        return self.camera.project(points, self.canvas.size)
