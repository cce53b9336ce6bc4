"""Draw a labelled grid of identities and attributes: `python tools/contact_sheet.py --out sheet.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import fr_explore as fr
from fr_explore import ATTRIBUTES

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
PAPER, INK = (250, 250, 248), (60, 62, 66)


def sheet(identities: list[int], seed: int, size: int) -> Image.Image:
    """Draw the contact sheet, with one row per identity."""
    faces = fr.Avatars(max(identities) + 1, seed=seed)
    gap, head = size // 24, size // 5
    width = len(COLUMNS) * (size + gap) + gap
    height = head + len(identities) * (size + gap)
    page = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=max(11, size // 13))
    # rendered at twice the size and reduced, for a sharp print
    wanted = [(i, s) for i in identities for _, s in COLUMNS]
    pictures = faces.render_batch([i for i, _ in wanted], [s for _, s in wanted], size=2 * size)
    for number, face in enumerate(pictures):
        row, column = divmod(number, len(COLUMNS))
        tile = face.to_image().resize((size, size), Image.Resampling.LANCZOS)
        page.paste(tile, (gap + column * (size + gap), head + row * (size + gap)))
    for column, (label, strengths) in enumerate(COLUMNS):
        middle = gap + column * (size + gap) + size // 2
        color = ATTRIBUTES[next(iter(strengths))].color if strengths else INK
        pen.text((middle, head // 2), label, fill=color, font=font, anchor="mm")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, nargs="+", default=[6, 1, 8, 5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=128, help="side of one picture in pixels")
    arguments = parser.parse_args()
    page = sheet(arguments.identities, arguments.seed, arguments.size)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    page.save(arguments.out, optimize=True)
    print(f"{arguments.out}: {page.width} x {page.height} px, {np.round(arguments.out.stat().st_size / 1e3):.0f} kB")


if __name__ == "__main__":
    main()
