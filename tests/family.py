"""Every widget, as the cell of a notebook that creates it: the cases of widgets/test_family.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

_PEOPLE = """import numpy as np, pandas as pd
rng = np.random.default_rng(0)
who = np.repeat(np.arange(30), 4)
old = np.where(np.arange(30) % 2, 1, -1)[who]
points = rng.normal(size=(30, 6))[who] + 0.5 * rng.normal(size=(120, 6))
points[:, 0] += 1.2 * old
"""
_FIELD = """import numpy as np, xarray as xr
from fr_explore_widgets import FieldExplorer
rng = np.random.default_rng(0)
v = rng.normal(size=(2, 2, 30, 8)) + [[[[1.5]], [[0]]]]
length = np.linalg.norm(v, axis=-1)
dims = ("identity", "attribute", "curve", "dim")
field = xr.Dataset(
    {
        "point": (dims, rng.normal(size=(2, 2, 30, 8)).astype("f4")),
        "direction": (dims, (v / length[..., None]).astype("f4")),
        "magnitude": (dims[:3], length.astype("f4")),
    },
    {"identity": [0, 1], "attribute": ["age", "hue"]},
    {"metric": "euclidean"},
)
w = FieldExplorer(field)
"""


@dataclass(frozen=True)
class Case:
    """One widget: how to create it, and the parts of it that the tests use.

    `cell` assigns it to `w`. `root` selects its element, `slider` one of its sliders, and `value` is the expression for
    that slider's value in the kernel; `asks` says whether the slider sends requests that can fail. `offline` are the
    arguments of `to_html` for a small page, None if the widget has none. `state` is a statement that changes `w.state`.

    Without a kernel, the controls `inert` must be disabled, because only the kernel computes their result; `alive` is
    one that still works, because the browser has all that it needs. The slider and `alive` change the element `shows`.
    """

    name: str
    cell: str
    root: str
    slider: str = ""
    value: str = ""
    asks: bool = True
    offline: dict | None = None
    state: str = ""
    inert: str = ""
    alive: str = ""
    shows: str = ""


CASES = [
    Case(
        "playground",
        "from fr_explore_widgets import EnergyPlayground\nw = EnergyPlayground('tangential')",
        ".fr-energy",
        "[data-setting=order]",
        "w.state['order']",
        asks=False,
        offline={},
        state="w.set(order=0.31)",
        alive="[data-setting=order]",  # the browser computes everything
        shows=".fr-figure",
    ),
    Case(
        "prediction",
        "from fr_explore_widgets import Prediction\n"
        "w = Prediction('Which attribute moves the embedding most?', 'ranking', ['age', 'hue', 'contrast'],\n"
        "               truth={'age': 0.6, 'hue': 0.1, 'contrast': 0.2})",
        ".fr-prediction",
        offline={},
        state="w.commit(['hue', 'age', 'contrast'])",
        inert="[data-action=commit], [data-action=reveal], [data-action=retry]",  # the kernel keeps guess and truth
    ),
    Case(
        "photos",
        "from fr_explore_widgets import PhotoInput\nw = PhotoInput()",
        ".fr-photos",
        inert="[data-action]",  # the kernel detects the faces and keeps the pictures
    ),
    Case(
        "attribute",
        "import fr_explore as fr\nfrom fr_explore_widgets import AttributeExplorer\n"
        "faces, model = fr.Avatars(identities=3, seed=0), fr.load_model('dlib', device='cpu')\n"
        "w = AttributeExplorer(faces, model, variations=2)",
        ".fr-explorer",
        "input[data-attribute=head_angle]",
        "w.strengths['head_angle']",
        offline={"attributes": ["head_angle", "age"], "steps": 3},
        state="w.set(age=60)",
        # the kernel renders and embeds; the page can still enlarge its map (a stored snapshot it could show, too)
        inert="input:not(.fr-text, .fr-chip input), select, [data-action]:not([data-action=copy], [data-action=zoom])",
        shows=".fr-key",
    ),
    Case(
        "field",
        _FIELD,
        ".fr-field",
        offline={},
        state="w.set(attribute='hue')",
        alive=".fr-cursor",  # the energies at every scale are in the page
        shows=".fr-scale-words",
    ),
    Case(
        "verification",
        _PEOPLE + "from fr_explore_widgets import VerificationExplorer\n"
        "groups = np.where(old > 0, 'old', 'young')\n"
        "w = VerificationExplorer(points, who, groups, published=3.0, draws=60)",
        ".fr-verify",
        "[data-control=threshold]",
        "w.threshold",
        asks=False,
        offline={},
        state="w.set(threshold=2.5)",
        alive="[data-control=threshold]",  # the page has the distances and counts them
        shows=".fr-key",
    ),
    Case(
        "macroscale",
        _PEOPLE + "from fr_explore_widgets import MacroscaleExplorer\n"
        "labels = pd.DataFrame({'old': old, 'smiling': np.where(rng.random(120) < .5, 1, -1)})\n"
        "w = MacroscaleExplorer(points, who, labels, permutations=60)",
        ".fr-macro",
        offline={},
        state="w.attribute = 'smiling'",
        inert="[data-action=probe], [data-action=umap]",  # the kernel computes both
        alive="[data-action=before]",  # the page has the measured results
        shows=".fr-sentence",
    ),
]

PAGED = [case for case in CASES if case.offline is not None]


def write_page(case: Case, path: Path) -> Path:
    """The exported page of a case."""
    names: dict[str, Any] = {}
    exec(case.cell, names)
    if hasattr(names["w"], "wait"):
        names["w"].wait(120)
    names["w"].to_html(path, **case.offline or {})
    names["w"].close()
    return path


def saved_output(widget: Any) -> dict[str, str]:
    """The output that a saved notebook shows in place of the widget, by MIME type; "text/plain" are its words."""
    shown: list[dict[str, str]] = []
    with (
        mock.patch("fr_explore_widgets.core.base.display", lambda data, **options: shown.append(data)),
        mock.patch("fr_explore_widgets.core.snapshot.display", lambda data, **options: shown.append(data)),
    ):
        widget._ipython_display_()
    return shown[0]  # the output before the widget's view
