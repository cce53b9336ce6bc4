"""What the notebooks show besides charts and widgets: a guess beside its truth, rows of faces, random snapshots."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fr_explore.attributes import PAPER_ATTRIBUTES

from .checking import Feedback

__all__ = ["Figure", "reveal", "show_faces", "snapshots"]


def reveal(prediction: Any, truth: Any) -> Feedback:
    """Show the truth in a `Prediction`, if a guess was committed; else say what to do."""
    if prediction.guess is None:
        return Feedback(
            "not yet",
            "No guess is committed yet. Commit one in the widget above, then run this cell again: "
            "a guess that may be wrong teaches more than none.",
        )
    prediction.reveal(truth)
    return Feedback("right", prediction.result["words"][-1])


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of pictures with captions and a text for who cannot see them."""

    page: str
    alt: str

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def show_faces(faces: Sequence[Any], captions: Sequence[object] | None = None, *, alt: str, width: int = 112) -> Figure:
    """Faces side by side, each with its caption under it.

    faces : `fr.Face` records. alt : what the picture shows, in words. width : of each, in pixels on the screen.
    """
    words = [""] * len(faces) if captions is None else [str(c) for c in captions]
    if len(words) != len(faces):
        raise ValueError(f"{len(faces)} faces and {len(words)} captions: give one for each.")
    cells = []
    for number, (face, caption) in enumerate(zip(faces, words, strict=True), 1):
        text = html.escape(f"{alt} {number} of {len(faces)}: {caption}" if caption else f"{alt} {number}", quote=True)
        cells.append(
            f'<figure style="margin: 0; width: {width}px"><img alt="{text}" width="{width}" src="{_source(face)}">'
            f'<figcaption style="font-size: 12px; text-align: center">{html.escape(caption)}</figcaption></figure>'
        )
    page = f'<div style="display: flex; flex-wrap: wrap; gap: 8px">{"".join(cells)}</div>'
    return Figure(page, alt)


def snapshots(
    faces: Any, each: int, spread: float = 0.6, seed: int = 0, attributes: Iterable[str] = PAPER_ATTRIBUTES
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """Random pictures to take: who is shown, (identities * each,), and the strengths of each picture.

    Every strength is drawn uniformly over its range, then brought towards neutral: `spread` 0 changes nothing, 1
    uses the whole range. More identities or pictures add to those that were drawn.

    >>> who, strengths = snapshots(fr.Avatars(identities=3, seed=0), each=2)
    >>> who.tolist()
    [0, 0, 1, 1, 2, 2]
    """
    names = tuple(attributes)
    records = [faces.attributes[name] for name in names]
    strengths = []
    for person in range(len(faces.identities)):
        drawn = np.random.default_rng([seed, person]).random((each, len(names)))
        for row in drawn.tolist():
            strengths.append({
                a.name: a.neutral + spread * (a.low + (a.high - a.low) * x - a.neutral)
                for a, x in zip(records, row, strict=True)
            })  # fmt: skip
    return np.repeat(np.asarray(faces.identities), each), strengths


def _source(face: Any) -> str:
    buffer = io.BytesIO()
    face.to_image().save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
