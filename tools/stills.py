"""The first picture of each notebook: a widget's real front end, photographed in a headless Chromium.

    python tools/stills.py [NN ...]       writes notebooks/source/stills/NN.png and NN-dark.png, some minutes for all

Each widget writes its page (`to_html`), the browser opens it, and the picture is taken once nothing moves.
`build_notebooks.py` attaches the light pictures, and takes those of the widgets in the notebooks in the same way; the
site shows the dark ones in the dark theme.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks" / "source" / "stills"
WIDTH = 1100  # px: JupyterLab's in a window of 1280
FREQUENT, SMOOTH, RARE = 16, 112, 128  # colours of the palette: a third of the bytes, and no difference to see
QUIET, PATIENCE = 600, 60  # ms without a change; how often that is tried


@dataclass(frozen=True)
class Still:
    """A widget, what to do in its page first, which part of it is shown, how many pixels of that from the top, and
    the width of the page where it is another.
    """

    make: Callable[[], Any]
    prepare: Callable[[Any], None] | None = None
    part: str = ".fr-lab"
    height: int = 900
    width: int = 0


@contextmanager
def camera(width: int = WIDTH) -> Iterator[Callable[..., bytes]]:
    """A function that photographs a widget's page: `shoot(path, still, theme)` -> PNG."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import chromium

    sys.path.pop(0)
    with chromium() as browser:

        def shoot(path: Path, still: Still | None = None, theme: Literal["light", "dark"] = "light") -> bytes:
            still = still or Still(lambda: None)
            size = {"width": still.width or width, "height": 900}
            context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(path.resolve().as_uri())
            page.locator(".fr-lab:visible").first.wait_for(timeout=60_000)
            page.add_style_tag(content=".fr-page { display: none }")  # what a page adds to the widget
            if still.prepare:
                still.prepare(page)
            picture = _when_quiet(page, page.locator(f"{still.part}:visible").first)
            context.close()
            return small(picture, still.height)

        yield shoot


def _when_quiet(page: Any, view: Any) -> bytes:
    """The picture of an element, once it no longer changes."""
    before = b""
    for _ in range(PATIENCE):
        page.wait_for_timeout(QUIET)
        now = view.screenshot(animations="disabled", caret="hide")
        if now == before and not page.locator(".fr-banner:visible").count():  # "Still computing."
            return now
        before = now
    raise RuntimeError(f"the page still changes after {PATIENCE * QUIET / 1000:.0f} s: {page.url}")


def small(picture: bytes, height: int) -> bytes:
    """A PNG of the upper part, with a palette of its own."""
    out, image = io.BytesIO(), Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.crop((0, 0, image.width, min(height, image.height)))
    palette = _palette(image)
    occurring, place = np.unique(np.asarray(image).reshape(-1, 3), axis=0, return_inverse=True)
    nearest = cKDTree(palette).query(occurring)[1].astype(np.uint8)  # Pillow's own search takes 252 for 255
    reduced = Image.frombytes("P", image.size, nearest[place.reshape(-1)].tobytes())
    reduced.putpalette(palette.tobytes())
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()


def _palette(image: Image.Image) -> np.ndarray:
    """256 colours of a picture, (256, 3): surfaces and text, the shades of faces, and what is small but distinct.

    A median cut alone spends all on the faces, and gives two sliders the same colour.
    """
    frequent = sorted(image.getcolors(image.width * image.height) or [], reverse=True)[:FREQUENT]
    colours = [value for _, colour in frequent for value in colour]
    for number, method in ((SMOOTH, Image.Quantize.MEDIANCUT), (RARE, Image.Quantize.MAXCOVERAGE)):
        colours += (image.quantize(number, method=method).getpalette() or [])[: 3 * number]
    return np.resize(np.array(colours, np.uint8), (FREQUENT + SMOOTH + RARE, 3))


def laboratory(**strengths: float) -> Any:
    import fr_explore as fr
    from fr_explore_widgets import AttributeExplorer

    explorer = AttributeExplorer(fr.Avatars(identities=12, seed=0), fr.load_model("dlib"))
    return moved(explorer, **strengths)


def moved(explorer: Any, **strengths: float) -> Any:
    """A laboratory whose map is complete, with its sliders at these strengths."""
    explorer.wait(300)
    explorer.set(**strengths)
    return explorer.wait(300)


def beside(first: str, second: str, seed: int = 0, **strengths: float) -> Any:
    import fr_explore as fr
    from fr_explore_widgets import AttributeExplorer

    models = fr.load_model(first), fr.load_model(second)
    explorer = AttributeExplorer(
        fr.Avatars(identities=4, seed=seed), models[0], compare=models[1], size=96, variations=2
    )
    return moved(explorer, **strengths)


def pairs() -> Any:
    import fr_explore as fr
    from fr_explore_widgets import VerificationExplorer

    return VerificationExplorer(fr.Avatars(identities=12, seed=0), fr.load_model("dlib"), threshold=0.45).wait(300)


def people() -> Any:
    import fr_explore as fr
    from fr_explore_widgets import MacroscaleExplorer, course

    faces = fr.Avatars(identities=30, seed=0)
    who, looks = course.snapshots(faces, each=3, spread=0.4, seed=4)
    pictures = faces.render_batch(who.tolist(), looks, size=96)
    points = fr.load_model("dlib").embed(pictures, batch_size=8)
    labels = faces.labels(who.tolist(), looks)[["dark_hair"]]
    return MacroscaleExplorer(points, who, labels, metric="euclidean", pictures=pictures)


def arrows() -> Any:
    import fr_explore as fr
    from fr_explore_widgets import FieldExplorer

    lattice = fr.sample_lattice(fr.Avatars(identities=3, seed=0), ["age"], curves=40, seed=0)
    field = fr.vector_field(fr.embed(lattice, fr.load_model("dlib"), size=96, batch_size=8, progress=False))
    explorer = FieldExplorer(field, lattice)
    explorer.set(curve=5)
    return explorer


def playground(**settings: Any) -> Any:
    from fr_explore_widgets import EnergyPlayground

    return EnergyPlayground(**settings)


def nameless() -> Any:
    from fr_explore_widgets import course

    return moved(course.never_saw(3).explorer, hair_color=0.7, illumination=-30)


def galaxy(points: int = 700) -> Any:
    """Arrows along the arms of a spiral, in three dimensions."""
    import xarray as xr

    import fr_explore as fr
    from fr_explore_widgets import FieldExplorer

    rng = np.random.default_rng(0)
    radius, arm = np.sqrt(rng.random(points)), rng.integers(2, size=points)
    turn = 5 * radius + np.pi * arm + 0.25 * rng.standard_normal(points)
    place = np.stack([radius * np.cos(turn), radius * np.sin(turn), 0.05 * rng.standard_normal(points)], axis=1)
    step = 0.02 * np.stack([-place[:, 1], place[:, 0], 0.2 * rng.standard_normal(points)], axis=1)
    steps = np.stack([place - step, place, place + step], axis=-2)[None, None]
    names = ("identity", "attribute", "curve", "step", "dim")
    labels = {"identity": [0], "attribute": ["turn"], "step": [-1, 0, 1]}
    field = fr.vector_field(xr.DataArray(steps, labels, names, attrs={"metric": "euclidean"}))
    return FieldExplorer(field, null_draws=5)


def photographs() -> Any:
    import fr_explore as fr
    from fr_explore_widgets import PhotoExplorer

    return PhotoExplorer(fr.load_model("dlib"))


def two_faces(page: Any) -> None:
    """Choose two generated pictures of one person, as if they were photographs."""
    import fr_explore as fr

    faces = fr.Avatars(identities=4, seed=3)
    page.wait_for_selector("html[data-live=ready]", state="attached", timeout=60_000)
    for pane, looks in (("A", {}), ("B", {"age": 62, "head_angle": 12})):
        out = io.BytesIO()
        faces.render(1, looks, size=320).to_image().save(out, "PNG")
        content = {"name": f"{pane}.png", "mimeType": "image/png", "buffer": out.getvalue()}
        page.locator(f"[data-pane={pane}] input[type=file]").set_input_files(content)
        page.locator(f"[data-pane={pane}][data-face=yes]").wait_for()


def at_the_threshold(page: Any) -> None:
    """Move the threshold by a key, so that the faces of the nearest pairs appear."""
    page.locator(".fr-handle").press("ArrowRight")
    page.locator(".fr-pair-faces:visible").first.wait_for()


STILLS = {
    "00": Still(lambda: laboratory(expression=0.9, head_angle=-14, age=52)),
    "01": Still(pairs, at_the_threshold, height=640),
    "02": Still(laboratory, part=".fr-map", width=720),
    "03": Still(people, height=514),
    "04": Still(arrows, height=750),
    "05": Still(lambda: playground(layout="grid", pattern="radial", order=0.7, radius=0.5), height=504),
    "06": Still(nameless),
    "07": Still(lambda: beside("controlled/fixed-brightness", "controlled/all-varied", 7, brightness=1.3)),
    "08": Still(lambda: beside("dlib", "sface", age=60)),
    "09": Still(photographs, two_faces),
    "10": Still(galaxy, height=640),
    "11": Still(lambda: playground(layout="grid", pattern="tangential", order=0.8, radius=0.5), height=504),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 03; all by default")
    wanted = parser.parse_args().names or list(STILLS)
    if unknown := set(wanted) - set(STILLS):
        raise SystemExit(f"no still for {', '.join(sorted(unknown))}: choose from {', '.join(STILLS)}.")
    FOLDER.mkdir(exist_ok=True)
    with camera() as shoot, tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            page = Path(folder) / "page.html"
            STILLS[name].make().to_html(page, max_megabytes=40)
            (FOLDER / f"{name}.png").write_bytes(shoot(page, STILLS[name]))
            (FOLDER / f"{name}-dark.png").write_bytes(shoot(page, STILLS[name], "dark"))


if __name__ == "__main__":
    main()
