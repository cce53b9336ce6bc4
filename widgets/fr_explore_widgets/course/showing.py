"""What the notebooks show besides charts and widgets: rows of faces, random snapshots."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fr_explore.attributes import PAPER_ATTRIBUTES

__all__ = ["Figure", "show_faces", "snapshots"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of pictures with captions and an alternative text."""

    page: str
    alt: str

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def show_faces(faces: Sequence[Any], captions: Sequence[object] | None = None, *, alt: str, width: int = 112) -> Figure:
    """Show faces side by side with captions.

    faces : `fr.Face` records. alt : what the pictures show, in words. width : of each picture, in screen pixels.
    """
    words = [""] * len(faces) if captions is None else [str(c) for c in captions]
    if len(words) != len(faces):
        raise ValueError(f"{len(faces)} faces and {len(words)} captions: give one for each.")
    # on a phone, three in a row
    third = "; max-width: calc((100% - 16px) / 3)" if len(faces) > 2 else ""
    cells = []
    for number, (face, caption) in enumerate(zip(faces, words, strict=True), 1):
        text = html.escape(f"{alt} {number} of {len(faces)}: {caption}" if caption else f"{alt} {number}", quote=True)
        cells.append(
            f'<figure style="margin: 0; width: {width}px{third}"><img alt="{text}" width="{width}" '
            f'style="max-width: 100%" src="{_source(face)}">'
            f'<figcaption style="font-size: 12px; text-align: center">{html.escape(caption)}</figcaption></figure>'
        )
    page = f'<div style="display: flex; flex-wrap: wrap; gap: 8px">{"".join(cells)}</div>'
    return Figure(page, alt)


def snapshots(
    faces: Any, each: int, spread: float = 0.6, seed: int = 0, attributes: Iterable[str] = PAPER_ATTRIBUTES
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """Random pictures to render: the identity in each, (identities * each,), and the strengths of each.

    Each strength is drawn uniformly from its range, then scaled towards neutral by `spread`: 0 keeps it neutral, 1 uses
    the whole range. With more identities, the pictures of the first ones stay the same.

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
