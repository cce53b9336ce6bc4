"""The front page of the site: the live laboratory, the camera's page, and a card for each notebook."""

from __future__ import annotations

import base64
import html
import io
import re
from pathlib import Path

import nbformat
from PIL import Image

PEOPLE = 4  # of the laboratory
CARD = (480, 270)
SENTENCES = 80  # characters that a card says at least, in whole sentences


def cards(paths: list[Path], out: Path) -> str:
    """The notebooks as cards, and their pictures in assets/."""
    return f'<ol class="cards">{"".join(_card(path, out / "assets") for path in paths)}</ol>'


def _card(path: Path, assets: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    number, title, words, minutes = summary(notebook)
    light, dark = f"card-{path.stem[:2]}.jpg", f"card-{path.stem[:2]}-dark.jpg"
    found = first_picture(notebook)
    found.save(assets / light, quality=82, optimize=True)
    image = f'<img src="assets/{light}" width="{found.width}" height="{found.height}" alt="" loading="lazy">'
    if dark_picture(path).exists():
        _as_card(Image.open(dark_picture(path))).save(assets / dark, quality=82, optimize=True)
        image = in_both_themes(image, dark)
    return (
        f'<li><a href="{path.stem}.html">{image}<b>{html.escape(f"{number}. {title}")}</b></a>'
        f"<p>{html.escape(words)}</p><p class=note>{minutes}</p></li>"
    )


def summary(notebook: nbformat.NotebookNode) -> tuple[str, str, str, str]:
    """Number, title, what it is about and how long it takes, from a notebook's first cell."""
    head, time, _picture, about = notebook.cells[0].source.split("\n\n")[:4]
    number, title = head.removeprefix("# ").split(". ", 1)
    minutes = re.search(r"\d+ minutes", time)
    plain = re.sub(r"\[([^]]+)\]\([^)]*\)|[*`$]", lambda found: found[1] or "", about)
    words = ""
    for sentence in re.split(r"(?<=[.?!]) ", plain):
        words = f"{words} {sentence}".strip()
        if len(words) >= SENTENCES:
            break
    return number, title, words, minutes[0] if minutes else ""


def first_picture(notebook: nbformat.NotebookNode) -> Image.Image:
    """The picture with which a notebook opens, as a card shows it."""
    data = notebook.cells[0].attachments["first.png"]["image/png"]
    return _as_card(Image.open(io.BytesIO(base64.b64decode(data))))


def _as_card(picture: Image.Image) -> Image.Image:
    card = picture.convert("RGB")
    card.thumbnail((CARD[0], 10 * CARD[1]), Image.Resampling.LANCZOS)
    return card.crop((0, 0, card.width, min(card.height, CARD[1])))


def dark_picture(path: Path) -> Path:
    """The file of a notebook's first picture in the dark theme (`stills.py`)."""
    return path.parent / "source" / "stills" / f"{path.stem[:2]}-dark.png"


def in_both_themes(image: str, dark: str) -> str:
    """An <img>, which the file assets/`dark` replaces in the dark theme."""
    return f'<picture><source media="(prefers-color-scheme: dark)" srcset="assets/{dark}">{image}</picture>'


def laboratory(out: Path) -> str:
    """Write the live laboratory; return the front page's part about it."""
    import fr_explore as fr
    from fr_explore_widgets import AttributeExplorer
    from fr_explore_widgets.core.page import shared_files

    faces, model = fr.Avatars(identities=PEOPLE, seed=0), fr.load_model("dlib", device="cpu")
    with shared_files(out / "shared"):
        AttributeExplorer(faces, model).wait(300).to_html(out / "widgets" / "laboratory.html")
    return (
        '<figure class="wide"><iframe class="hero" src="widgets/laboratory.html" title="The live laboratory"></iframe>'
        "<figcaption>Generated faces and a real network, both in this page: drag a slider. "
        '<a href="widgets/laboratory.html">The laboratory on a page of its own</a></figcaption></figure>'
    )


def camera(out: Path) -> str:
    """Write the camera's page; return the front page's part about it, or nothing where its networks are missing."""
    import fr_explore as fr
    from fr_explore_widgets import PhotoExplorer

    try:
        PhotoExplorer(fr.load_model("dlib", device="cpu")).to_html(out / "widgets" / "camera.html")
    except ImportError as problem:
        print(f"no camera page: {problem}")
        return ""
    return (
        '<p class="call"><a href="widgets/camera.html"><b>Your own face</b></a>: two people in front of the camera, or '
        "in two pictures, judged by the same network. One file, which nothing leaves.</p>"
    )


def front(parts: str, courses: str, texts: list[str]) -> str:
    """The body of the front page: `parts` about the laboratory and the camera, and the cards."""
    more = "".join(f'<li><a href="{Path(name).stem}.html">{Path(name).stem.capitalize()}</a></li>' for name in texts)
    return (
        "<h1>The geometry of face-recognition embeddings</h1><p>Slide an attribute of a face and watch its embedding "
        "move: what does a face-recognition model depend on, and which people does it confuse?</p>"
        f"{parts}<h2>The course</h2>{courses}<h2>To look up</h2>"
        f'<ul>{more}<li><a href="api/index.html">API reference</a></li></ul>'
    )
