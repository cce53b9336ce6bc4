"""The widgets of the family, as a cell of a notebook makes each: what tests/test_family.py holds all of them to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One widget. `cell` leaves it in `w`; `root` is its element; `slider` one that asks the kernel, if there is one,
    and `value` what the kernel then holds; `offline` are the arguments of a small page, None where there is no page.
    """

    name: str
    cell: str
    root: str
    slider: str = ""
    value: str = ""
    asks: bool = True
    offline: dict | None = None
    state: str = ""  # a statement that changes the state


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
    ),
    Case(
        "prediction",
        "from fr_explore_widgets import Prediction\n"
        "w = Prediction('Which attribute moves the embedding most?', 'ranking', ['age', 'hue', 'contrast'],\n"
        "               truth={'age': 0.6, 'hue': 0.1, 'contrast': 0.2})",
        ".fr-prediction",
        offline={},
        state="w.commit(['hue', 'age', 'contrast'])",
    ),
    Case("photos", "from fr_explore_widgets import PhotoInput\nw = PhotoInput()", ".fr-photos"),
    Case(
        "attribute",
        "import fr_explore as fr\nfrom fr_explore_widgets import AttributeExplorer\n"
        "faces, model = fr.Avatars(identities=3, seed=0), fr.load_model('dlib', device='cpu')\n"
        "w = AttributeExplorer(faces, model, variations=2)",
        ".fr-explorer",
        "input[data-attribute=head_angle]",
        "w.strengths['head_angle']",
        state="w.set(age=60)",
    ),
]
