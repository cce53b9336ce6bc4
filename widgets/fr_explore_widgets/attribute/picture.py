"""The map of an `AttributeExplorer` in its exported image, as in the page: small faces, the nearest three named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..core.picture import FINE, INK, PAPER, SOFT
from .samples import Gallery

__all__ = ["map_image"]

SIDE, FACE, MARGIN = 300, 24, 22  # px
FAINT = "#c8c8c8"
Box = tuple[float, float, float, float]


def map_image(gallery: Gallery, reading: Mapping[str, Any], places: Sequence[Any], color: str) -> Image.Image:
    """A square map; `reading` as the page gets it, `places` the identities by place, `color` of the face in hand."""
    points = gallery.project(gallery.vectors)
    now, reference = (np.array(reading[key]) for key in ("point", "reference_point"))
    everything = np.vstack([points.reshape(-1, 2), now, reference])
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = (SIDE - 2 * MARGIN) * FINE / max(*(high - low), 1e-9)

    def at(point: np.ndarray) -> tuple[float, float]:
        x, y = (point - (low + high) / 2) * scale
        return SIDE * FINE / 2 + x, SIDE * FINE / 2 - y

    sheet = Image.new("RGB", (SIDE * FINE, SIDE * FINE), PAPER)
    draw, half = ImageDraw.Draw(sheet), FACE * FINE / 2
    for point in points[:, 1:].reshape(-1, 2):
        draw.ellipse(_around(at(point), 2 * FINE), fill=FAINT)
    mask = Image.new("L", (FACE * FINE, FACE * FINE), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, FACE * FINE - 1, FACE * FINE - 1), fill=255)
    taken = []
    for thumb, point in zip(gallery.thumbs, points[:, 0], strict=True):
        x, y = at(point)
        face = Image.fromarray(thumb).resize(mask.size, Image.Resampling.LANCZOS)
        sheet.paste(face, (round(x - half), round(y - half)), mask)
        taken.append(_around((x, y), half))
    draw.ellipse(_around(at(reference), half + 2 * FINE), outline=INK, width=2 * FINE)
    if np.linalg.norm(now - reference) * scale > 2:
        draw.line([at(reference), at(now)], fill=color, width=2 * FINE)
        draw.ellipse(_around(at(now), 6 * FINE), fill=color, outline=PAPER, width=FINE)
        taken.append(_around(at(now), 6 * FINE))
    names = [("reference", reference, INK)]
    rows = {identity: row for row, identity in enumerate(gallery.identities)}
    for place, _ in reading["nearest"]:
        point = points[rows[places[place]], 0]
        if np.linalg.norm(point - reference) > 1e-4:
            names.append((str(places[place]), point, SOFT))
    for text, point, ink in names:
        _name(draw, text, at(point), ink, taken)
    return sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _around(at: tuple[float, float], r: float) -> Box:
    return at[0] - r, at[1] - r, at[0] + r, at[1] + r


def _name(draw: Any, text: str, at: tuple[float, float], color: str, taken: list[Box]) -> None:
    """A name beside a face, where it covers nothing; left out where no place is free."""
    font = ImageFont.load_default(12 * FINE)
    wide, gap, most = font.getlength(text) / 2 + 2, (FACE / 2 + 10) * FINE, SIDE * FINE
    for x, y in ((0, gap), (0, -gap), (wide + gap, 0), (-wide - gap, 0)):
        left = min(max(at[0] + x - wide, 0), most - 2 * wide)
        box = (left, at[1] + y - 8 * FINE, left + 2 * wide, at[1] + y + 8 * FINE)
        clear = all(box[2] < b[0] or b[2] < box[0] or box[3] < b[1] or b[3] < box[1] for b in taken)
        if clear and box[1] >= 0 and box[3] <= most:
            draw.text((left + wide, at[1] + y), text, font=font, fill=color, anchor="mm")
            taken.append(box)
            return
