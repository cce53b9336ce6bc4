"""Images of a widget drawn in Python, without a browser: rows of pictures, plots and text on white.

- Why not Altair: drawing its charts needs a JavaScript engine of 84 MB, which would stay in the kernel's memory.
- Drawn at twice the size and reduced, because Pillow draws lines without antialiasing; always opaque.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Part", "Plot", "compose", "png", "small_png"]

DRAWN = 2000  # most colours of lines, words and their soft edges; a face has more

INK, SOFT, HAIR, PAPER = "#111111", "#5c5c5c", "#d5d5d5", "#ffffff"
GAP, TEXT = 16, 13  # px
FINE = 2  # the factor by which everything is drawn larger


@dataclass(frozen=True)
class Plot:
    """A small plot: `lines`, `points` and `bars` as (x, y, colour, label), with each label at the end of its series.

    `lines` and `points` take sequences x and y; a line whose label ends in "null" is dashed, as in all widgets. `bars`
    are vertical, from zero. `marks` are vertical lines: (x, colour, label). With `names`, x are indices into that list
    and the axis shows the names. `low`, `high` fix the range of y; by default it fits the values. Without `axes`, x and
    y have the same scale.
    """

    x_label: str = ""
    y_label: str = ""
    lines: Sequence[tuple[Sequence[float], Sequence[float], str, str]] = ()
    points: Sequence[tuple[Sequence[float], Sequence[float], str, str]] = ()
    bars: Sequence[tuple[Sequence[float], Sequence[float], str, str]] = ()
    marks: Sequence[tuple[float, str, str]] = ()
    names: Sequence[str] = ()
    low: float | None = None
    high: float | None = None
    axes: bool = True
    size: tuple[int, int] = field(default=(420, 240))


# numpy arrays are pixels: (h, w, 3), float in [0, 1] or uint8; a (part, caption) pair has the caption below
Part = str | Plot | Image.Image | np.ndarray | tuple[Any, str]


def compose(title: str, rows: Sequence[Sequence[Part]], width: int = 860) -> Image.Image:
    """One opaque image: the title, then the rows with their parts side by side; texts fill the remaining width."""
    head = _words(title, width - 2 * GAP, size=TEXT + 3)
    drawn = [head, *(_row(row, width - 2 * GAP) for row in rows if row)]
    full = max([width, *(row.width + 2 * GAP for row in drawn)])
    sheet = Image.new("RGB", (full, sum(row.height + GAP for row in drawn) + GAP), PAPER)
    top = GAP
    for row in drawn:
        sheet.paste(row, (GAP, top))
        top += row.height + GAP
    return sheet


def png(image: Image.Image, colors: int | None = None) -> bytes:
    """An opaque PNG, of a palette of so many colours if given."""
    out, image = io.BytesIO(), image.convert("RGB")
    (image.quantize(colors) if colors else image).save(out, "PNG", optimize=True)
    return out.getvalue()


def small_png(image: Image.Image, limit: int) -> bytes:
    """A PNG of at most `limit` bytes, if possible: with fewer colours first, then with fewer pixels.

    A drawing without faces has few colours, and a palette of them has a third of the size.
    """
    data = png(image, 256 if image.convert("RGB").getcolors(DRAWN) else None)
    while len(data) > limit:
        data = png(image, 128)
        image = image.resize((max(1, image.width * 4 // 5), max(1, image.height * 4 // 5)), Image.Resampling.LANCZOS)
        if image.width < 16:
            break
    return data


def _row(parts: Sequence[Part], width: int) -> Image.Image:
    fixed = [None if isinstance(part, str) else _image(part) for part in parts]
    taken = sum(image.width + GAP for image in fixed if image)
    texts = sum(image is None for image in fixed)
    room = max(160, (width - taken - GAP * (texts - 1)) // max(1, texts))
    images = [image or _words(str(part), room) for image, part in zip(fixed, parts, strict=True)]
    sheet = Image.new("RGB", (sum(i.width + GAP for i in images) - GAP, max(i.height for i in images)), PAPER)
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet


def _image(part: Any) -> Image.Image:
    if isinstance(part, tuple):
        above, below = _image(part[0]), _words(part[1], max(96, _image(part[0]).width), SOFT)
        sheet = Image.new("RGB", (max(above.width, below.width), above.height + 4 + below.height), PAPER)
        sheet.paste(above, (0, 0))
        sheet.paste(below, (0, above.height + 4))
        return sheet
    if isinstance(part, Plot):
        return _plot(part)
    if isinstance(part, Image.Image):
        sheet = Image.new("RGB", part.size, PAPER)
        sheet.paste(part, (0, 0), part if part.mode == "RGBA" else None)
        return sheet
    pixels = np.asarray(part)
    if pixels.dtype != np.uint8:
        pixels = (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(pixels)


def _font(size: float) -> Any:
    return ImageFont.load_default(size)


def _words(text: str, width: int, color: str = INK, size: int = TEXT) -> Image.Image:
    """Text broken into lines of at most `width` px, blank lines kept."""
    font, lines = _font(size * FINE), []
    text = text.replace("\u2212", "-")  # Pillow's default font has no minus sign
    for paragraph in text.splitlines() or [""]:
        # as many letters as fit, measured on this text
        letters = max(8, int(width * FINE * len(paragraph) / (font.getlength(paragraph) or 1)))
        lines += textwrap.wrap(paragraph, letters) or [""]
    step = int(size * 1.45 * FINE)
    sheet = Image.new("RGB", (width * FINE, max(1, len(lines)) * step), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        draw.text((0, i * step), line, font=font, fill=color)
    return sheet.resize((width, sheet.height // FINE), Image.Resampling.LANCZOS)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    raw = (high - low) / max(1, count)
    power = 10 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _range(values: Sequence[float], low: float | None, high: float | None) -> tuple[float, float]:
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    bottom = min(finite) if low is None else low
    top = max(finite) if high is None else high
    return (bottom, top) if top > bottom else (bottom - 0.5, bottom + 0.5)


def _plot(plot: Plot) -> Image.Image:
    width, height = (side * FINE for side in plot.size)
    sheet = Image.new("RGB", (width, height), PAPER)
    draw, font = ImageDraw.Draw(sheet), _font(11 * FINE)
    series = [*plot.lines, *plot.points, *plot.bars]
    xs = [float(x) for one in series for x in one[0]] + [float(mark[0]) for mark in plot.marks]
    ys = [float(y) for one in series for y in one[1]] + ([0.0] if plot.bars else [])
    x_range = (-0.5, len(plot.names) - 0.5) if plot.names else _range(xs, None, None)
    y_range = _range(ys, plot.low, plot.high)
    box = (48 * FINE, 22 * FINE, width - 14 * FINE, height - 40 * FINE)
    if not plot.axes:
        span = max(x_range[1] - x_range[0], y_range[1] - y_range[0]) / 2
        x_range, y_range = ((sum(r) / 2 - span, sum(r) / 2 + span) for r in (x_range, y_range))
        side = min(width, height) - 12 * FINE
        box = (6 * FINE, 6 * FINE, 6 * FINE + side, 6 * FINE + side)

    def x_of(x: float) -> float:
        return box[0] + (x - x_range[0]) / (x_range[1] - x_range[0]) * (box[2] - box[0])

    def y_of(y: float) -> float:
        return box[3] - (y - y_range[0]) / (y_range[1] - y_range[0]) * (box[3] - box[1])

    if plot.axes:
        _axes(draw, font, plot, box, (x_of, y_of), (x_range, y_range))
    _marks(draw, font, plot, box, (x_of, y_of))
    return sheet.resize(plot.size, Image.Resampling.LANCZOS)


Scales = tuple[Callable[[float], float], Callable[[float], float]]


def _axes(draw: Any, font: Any, plot: Plot, box: Sequence[float], of: Scales, ranges: Any) -> None:
    x_of, y_of = of
    for y in ticks(*ranges[1]):
        draw.line([(box[0], y_of(y)), (box[2], y_of(y))], fill=HAIR, width=FINE // 2)
        draw.text((box[0] - 4 * FINE, y_of(y)), f"{y:g}", font=font, fill=SOFT, anchor="rm")
    places: Mapping[float, str] = dict(enumerate(plot.names)) or {x: f"{x:g}" for x in ticks(*ranges[0])}
    room = (box[2] - box[0]) / max(1, len(places)) - 4 * FINE
    staggered = bool(plot.names) and max(map(font.getlength, places.values())) > room
    for i, (x, text) in enumerate(places.items()):  # names that would touch take two lines
        top = box[3] + (4 + 14 * (staggered and i % 2)) * FINE
        draw.text((x_of(x), top), text, font=font, fill=SOFT, anchor="ma")
    draw.line([(box[0], box[3]), (box[2], box[3])], fill=SOFT, width=FINE // 2)
    draw.text((box[2], box[3] + 20 * FINE), plot.x_label, font=font, fill=INK, anchor="ra")
    draw.text((4 * FINE, 3 * FINE), plot.y_label, font=font, fill=INK)


def _marks(draw: Any, font: Any, plot: Plot, box: Sequence[float], of: Scales) -> None:
    x_of, y_of = of
    for x, y, color, label in plot.bars:
        half = 0.35 * (box[2] - box[0]) / max(1, len(plot.names) or len(x))
        for one, value in zip(x, y, strict=True):
            ends = sorted((y_of(0), y_of(value)))
            draw.rectangle([(x_of(one) - half, ends[0]), (x_of(one) + half, ends[1])], fill=color)
        _label(draw, font, box, (box[0] + 4 * FINE, box[1]), label, color)
    for x, color, label in plot.marks:
        draw.line([(x_of(x), box[1]), (x_of(x), box[3])], fill=color, width=FINE)
        _label(draw, font, box, (x_of(x) + 4 * FINE, box[1]), label, color)
    for x, y, color, label in plot.lines:
        path = [(x_of(a), y_of(b)) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
        steps = range(0, len(path) - 1, 2 if label.endswith("null") else 1)
        for i in steps:
            draw.line(path[i : i + 2], fill=color, width=2 * FINE)
        if path:
            _label(draw, font, box, (path[-1][0], path[-1][1] - 17 * FINE), label, color)
    for x, y, color, label in plot.points:
        r = 2.5 * FINE
        for a, b in zip(x, y, strict=True):
            draw.ellipse([(x_of(a) - r, y_of(b) - r), (x_of(a) + r, y_of(b) + r)], fill=color)
        if len(x):
            _label(draw, font, box, (x_of(x[-1]) + 4 * FINE, y_of(y[-1]) - 8 * FINE), label, color)


def _label(draw: Any, font: Any, box: Sequence[float], at: tuple[float, float], text: str, color: str) -> None:
    """A label beside a mark, moved to stay inside the box."""
    left = min(at[0], box[2] - font.getlength(text))
    top = min(max(at[1], box[1] - 14 * FINE), box[3] - 14 * FINE)
    draw.text((max(left, box[0]), top), text, font=font, fill=color, stroke_width=FINE, stroke_fill=PAPER)
