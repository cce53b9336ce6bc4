"""What every model checks: the landmarks and crops that it is given, and the numbers that its network gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .card import ModelCard

__all__ = ["NOT_FINITE", "NotFiniteError", "check_crops", "check_finite", "check_landmarks"]

NOT_FINITE = "gave NaN or infinity"  # in the reasons that tables and stores keep


class NotFiniteError(ValueError):
    """The network gave NaN or infinity: `vectors` are all embeddings, with NaN for those faces."""

    def __init__(self, name: str, vectors: np.ndarray, broken: np.ndarray) -> None:
        self.reason, self.vectors = f"the network of {name!r} {NOT_FINITE}", vectors
        super().__init__(
            f"{self.reason} for {len(broken)} of {len(vectors)} faces (the first is number {broken[0]}): an overflow "
            "in 16 bits, weights that hold NaN, or a broken export. The faces are not the cause."
        )


def check_landmarks(landmarks: Sequence[np.ndarray | None], card: ModelCard) -> list[np.ndarray]:
    """The landmarks, if every face has some."""
    known = [points for points in landmarks if points is not None]
    if len(known) < len(landmarks):
        size = card.input_size
        raise ValueError(
            f"a face has no landmarks, and {card.name!r} aligns faces by them: use a face source that provides "
            f"landmarks, or pass aligned crops as an array (n, {size}, {size}, 3)."
        )
    return known


def check_crops(crops: np.ndarray, card: ModelCard) -> None:
    """Raise ValueError for aligned crops of another shape, type or range than the card's."""
    size = card.input_size
    if crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
        raise ValueError(
            f"crops have shape {crops.shape}: {card.name!r} takes aligned crops (n, {size}, {size}, 3); to have "
            "pictures aligned, pass Face records with landmarks."
        )
    if crops.dtype == np.uint8:
        return
    low, high = (float(crops.min()), float(crops.max())) if crops.size else (0.0, 0.0)
    if crops.dtype.kind != "f" or not (low >= 0 and high <= 1):  # also catches NaN
        raise ValueError(
            f"crops are {crops.dtype} from {low:g} to {high:g}: give uint8, or float in [0, 1] "
            "(divide 8-bit values by 255; clip values that an edit moved outside)."
        )


def check_finite(vectors: np.ndarray, card: ModelCard) -> np.ndarray:
    """The embeddings; NotFiniteError if some are not numbers."""
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        vectors[broken] = np.nan
        raise NotFiniteError(card.name, vectors, broken)
    return vectors
