"""Proportions of a face, and how far a person's may be from the usual ones of a gender and ancestry.

They are those that anthropometry measures (widths of the eyes' openings, of nose, mouth and jaw, lengths of nose, lip,
chin and face), and the height and slant of brows, eyes and corners of the mouth. Some have less room on one side
(`NEARER`), against what makes a face odd.
"""

from __future__ import annotations

import numpy as np

from ...base.memory import passing
from .head import Head

__all__ = ["LIMITS", "Usual", "measured", "proportions", "uneven"]

# proportion -> largest relative difference from the average of a gender and ancestry
LIMITS = {"eyes": 0.15, "opening": 0.42, "apart": 0.24, "nose": 0.28, "mouth": 0.24, "nose length": 0.24, "lip": 0.45,
          "chin": 0.34, "jaw": 0.09, "height": 0.11, "low": 0.09}  # fmt: skip
# largest difference, as a share of the width of the face
LEVEL = {"brow height": 0.035, "brow slant": 0.03, "ridge": 0.05, "eye slant": 0.025, "corners": 0.02}
# of some the limit is nearer, as shares of it below and above: no frowns, no pinched or bulbous noses, no heavy jaws,
# no broad faces, narrow eyes or tiny mouths
NEARER = {"brow height": (0.4, 1), "brow slant": (0.3, 1), "nose": (0.5, 0.5), "corners": (0.5, 1), "jaw": (1, 0.5),
          "low": (1, 0.5), "opening": (0.35, 1), "mouth": (0.4, 0.7), "height": (0.5, 1),
          "lip": (0.6, 1), "nose length": (1, 0.75)}  # fmt: skip
UNEVEN_LIMITS = (0.22, 0.15, 0.22)  # cm between the two halves' heights of eyes, corners of the mouth, brows


class Usual:
    """The proportions of a usual face, and how far a person's may be from them.

    usual : the face at the vertices of `measured`, (n, 3).
    """

    def __init__(self, head: Head, usual: np.ndarray) -> None:
        found = self._found(head, usual)
        self.expected = np.array([*found.values()])
        self.limits = np.array([LIMITS[n] * abs(found[n]) if n in LIMITS else LEVEL[n] for n in found])
        self.nearer = np.array([NEARER.get(n, (1, 1)) for n in found], float)

    @staticmethod
    def _found(head: Head, shape: np.ndarray) -> dict[str, np.ndarray]:
        return _proportions(shape, *_indices(head))

    def off(self, head: Head, shape: np.ndarray) -> np.ndarray:
        """How far each measure is from the expected, in units of its limit."""
        found = self._found(head, shape)
        expected = self.expected.reshape(-1, *(1,) * (shape.ndim - 2))
        return (np.array([*found.values()]) - expected) / self.limits.reshape(expected.shape)

    def room(self, off: np.ndarray) -> np.ndarray:
        """Where the limit is on that side, in the same units."""
        return np.where(off < 0, self.nearer[:, 0], self.nearer[:, 1])


@passing()
def measured(head: Head) -> np.ndarray:
    """Coarse vertices at which a face is measured."""
    # numpy's unique() would import numpy.ma, which takes as long as all the rest of a person
    return np.flatnonzero(np.bincount(np.concatenate([head.landmarks, *_places(head).values()])))


@passing()
def _indices(head: Head) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Landmarks and `_places` among the vertices of `measured`."""
    at = measured(head)
    return np.searchsorted(at, head.landmarks), {n: np.searchsorted(at, v) for n, v in _places(head).items()}


@passing()
def _places(head: Head) -> dict[str, np.ndarray]:
    """Coarse vertices at which a face is measured, found on the mean head."""
    mean = head.mean

    def near(x: float, y: float, z: float) -> int:
        return int((((mean - (x, y, z)) * (1, 1, 0.4)) ** 2).sum(axis=1).argmin())

    front, side = mean[:, 2] > -7, np.abs(mean[:, 0])
    return {
        "face": np.flatnonzero(front & (np.abs(mean[:, 1] + 2.5) < 1.2) & (side > 5) & (side < 7.6)),
        "jaw": np.flatnonzero(front & (np.abs(mean[:, 1] + 7.2) < 0.8) & (side > 4)),
        "wings": np.array([near(-1.85, -4.2, 2.4), near(1.85, -4.2, 2.4)]),
        "base": np.array([near(0, -5.0, 3.0)]), "bridge": np.array([near(0, 0.3, 2.9)]),
        "lip": np.array([near(0, -6.3, 3.4)]),
        "brows": np.array([near(-3.2, 2.1, 2.4), near(3.2, 2.1, 2.4)]),
        "inner": np.array([near(-1.6, 1.7, 2.6), near(1.6, 1.7, 2.6)]),
        "outer": np.array([near(-5.2, 1.7, 1.0), near(5.2, 1.7, 1.0)]),
        "low": np.flatnonzero(front & (np.abs(mean[:, 1] + 9.2) < 0.8) & (side > 2.5) & (side < 6)),
        "mid lip": np.array([near(0, -7.1, 3.4)]),
    }  # fmt: skip


def proportions(head: Head, shape: np.ndarray) -> dict[str, float]:
    """Proportions of a face (n, 3) relative to its width; see `LIMITS`."""
    return {name: float(value) for name, value in _proportions(shape, head.landmarks, _places(head)).items()}


def _proportions(shape: np.ndarray, landmarks: np.ndarray, at: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Proportions of faces (..., n, 3)."""
    marks = shape[..., landmarks, :]
    x, y = marks[..., 0], marks[..., 1]

    def wide(name: str) -> np.ndarray:
        return np.ptp(shape[..., at[name], 0], axis=-1)

    def tall(name: str) -> np.ndarray:
        return shape[..., at[name], 1].mean(axis=-1)

    face, chin = wide("face"), y[..., 11]
    eyes = y[..., [2, 3, 6, 7]].mean(axis=-1)
    deep = shape[..., at["brows"], 2].mean(axis=-1) - marks[..., [2, 6], 2].mean(axis=-1)
    measured = {
        "eyes": x[..., 5] - x[..., 1], "opening": (y[..., [2, 6]] - y[..., [3, 7]]).mean(axis=-1),
        "apart": x[..., 4] - x[..., 0], "nose": wide("wings"), "mouth": x[..., 10] - x[..., 9],
        "nose length": tall("bridge") - tall("base"), "lip": tall("base") - tall("lip"),
        "chin": y[..., 9:11].mean(axis=-1) - chin, "jaw": wide("jaw"), "height": tall("bridge") - chin,
        "low": wide("low"),
        "brow height": tall("brows") - eyes, "brow slant": tall("outer") - tall("inner"), "ridge": deep,
        "eye slant": y[..., [1, 5]].mean(axis=-1) - y[..., [0, 4]].mean(axis=-1),
        "corners": y[..., 9:11].mean(axis=-1) - tall("mid lip"),
    }  # fmt: skip
    return {name: value / face for name, value in measured.items()}


def uneven(head: Head, shape: np.ndarray) -> bool:
    """Whether eyes, brows or corners of the mouth are not level."""
    landmarks, at = _indices(head)
    marks, brows = shape[landmarks, 1], shape[at["brows"], 1]
    apart = np.abs([marks[:4].mean() - marks[4:8].mean(), marks[9] - marks[10], brows[0] - brows[1]])
    return bool((apart > UNEVEN_LIMITS).any())
