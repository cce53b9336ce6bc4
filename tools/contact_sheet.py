"""Draw sheets of people: `python tools/contact_sheet.py --out sheet.png [--people 48 | --every] [--lamp dark]`.

The sheet shows a row of attributes for each identity; with `--people`, identities alone; with `--every`, both ends of
every attribute of avatars.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import fr_explore as fr
from fr_explore import ATTRIBUTES
from fr_explore.attributes import AVATAR_ATTRIBUTES

COLUMNS = (  # label, strengths
    ("neutral", {}),
    ("head angle 25°", {"head_angle": 25}),
    ("age 75", {"age": 75}),
    ("hair colour +0.8", {"hair_color": 0.8}),
    ("illumination -60°", {"illumination": -60}),
    ("smile", {"expression": 1.0}),
    ("glasses", {"glasses": 1.0}),
    ("skin tone -0.6", {"skin_tone": -0.6}),
    ("hue 30°", {"hue": 30}),
)
LAMPS = {"usual": {}, "dark": {"light_strength": 0.5}, "light": {"light_strength": 1.5}}
PAPER, INK = (250, 250, 248), (60, 62, 66)


def every_end() -> tuple[tuple[str, dict[str, float]], ...]:
    """Columns with both ends of the range of every attribute of avatars."""
    records = [ATTRIBUTES[name] for name in AVATAR_ATTRIBUTES]
    ends = [(r, value) for r in records for value in (r.low, r.high) if value != r.neutral]
    return (("neutral", {}), *((f"{r.label} {value:g}", {r.name: value}) for r, value in ends))


def drawn(requests: list[tuple[int, dict[str, float]]], seed: int, size: int) -> list[Image.Image]:
    """Pictures, rendered at twice the size and reduced, for a sharp print."""
    faces = fr.Avatars(max(number for number, _ in requests) + 1, seed=seed)
    who, strengths = map(list, zip(*requests, strict=True))
    pictures = faces.render_batch(who, strengths, size=2 * size)
    return [face.to_image().resize((size, size), Image.Resampling.LANCZOS) for face in pictures]


def sheet(identities: list[int], seed: int, size: int, columns=COLUMNS, lamp: dict | None = None) -> Image.Image:
    """Draw the contact sheet, with one row per identity."""
    gap, head = size // 24, size // 5
    page = Image.new("RGB", (len(columns) * (size + gap) + gap, head + len(identities) * (size + gap)), PAPER)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=max(9, size // (13 if len(columns) < 12 else 16)))
    tiles = drawn([(i, (lamp or {}) | s) for i in identities for _, s in columns], seed, size)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, len(columns))
        page.paste(tile, (gap + column * (size + gap), head + row * (size + gap)))
    for column, (label, strengths) in enumerate(columns):
        middle = gap + column * (size + gap) + size // 2
        color = ATTRIBUTES[next(iter(strengths))].color if strengths else INK
        pen.text((middle, head // 2), label, fill=color, font=font, anchor="mm")
    return page


def people(count: int, seed: int, size: int, lamp: dict | None = None, across: int = 8) -> Image.Image:
    """Draw identities alone, `across` in a row."""
    gap = max(size // 32, 2)
    page = Image.new("RGB", (across * (size + gap) + gap, -(-count // across) * (size + gap) + gap), PAPER)
    for number, tile in enumerate(drawn([(i, lamp or {}) for i in range(count)], seed, size)):
        row, column = divmod(number, across)
        page.paste(tile, (gap + column * (size + gap), gap + row * (size + gap)))
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--people", type=int, help="draw this many people, without attributes")
    parser.add_argument("--every", action="store_true", help="both ends of every attribute")
    parser.add_argument("--lamp", choices=LAMPS, default="usual")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=128, help="side of one picture in pixels")
    given = parser.parse_args()
    lamp = LAMPS[given.lamp]
    if given.people:
        page = people(given.people, given.seed, given.size, lamp)
    else:
        page = sheet(given.identities, given.seed, given.size, every_end() if given.every else COLUMNS, lamp)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    page.save(given.out, optimize=True)
    print(f"{given.out}: {page.width} x {page.height} px, {np.round(given.out.stat().st_size / 1e3):.0f} kB")


if __name__ == "__main__":
    main()
