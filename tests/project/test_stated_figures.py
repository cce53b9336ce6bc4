"""A sentence that states a figure agrees with the table that the figure comes from.

Each case is a file, a sentence of it with gaps, and what fills the gaps, computed from the tables of the benchmarks.
`python tests/project/test_stated_figures.py` prints the sentences as the tables have them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
CARDS = "fr_explore/assets/controlled/CONTROLLED.md"
NOTEBOOKS = {"06": "06-controlled-models", "03": "03-macroscale", "07": "07-teaching-invariance",
             "08": "08-comparing-models"}  # fmt: skip


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "benchmarks" / "results" / f"{name}.csv", comment="#")


def text(place: str) -> str:
    """A file as one line; of a notebook's source without the marks of comments."""
    path = ROOT / "notebooks" / "source" / f"{NOTEBOOKS[place]}.py" if place in NOTEBOOKS else ROOT / place
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(" ".join(line.removeprefix("# ") for line in lines).split())


def predicted(name: str = "controlled") -> pd.DataFrame:
    """The predictions of controlled.py, and whether each holds."""
    own = table(name).query("own and regime.str.startswith('fixed')")
    rise = own["measure"] == "magnitude"
    return own.assign(holds=((own["difference"] > 0) == rise) & (own["p_adjusted"] < 0.01))


def holding(name: str = "controlled") -> tuple:
    own = predicted(name)
    return len(own), int(own["holds"].sum())


def slopes() -> tuple:
    """Intervals of the slope that contain 0, in networks trained without a tie; KS of hue with and without a tie."""
    every, ks = (
        table("dose_response_slopes"),
        table("dose_response").query("label == 'hue'").groupby("network")["ks"].mean(),
    )
    given = every[~every["network"].str.contains("tied")]
    return (int(((given["low"] < 0) & (given["high"] > 0)).sum()), len(given), f"{ks['controlled/tied-hue']:.2f}",
            f"{ks['controlled/all-varied']:.2f}")  # fmt: skip


def agreement(attributes: str, variant: str = "as it is") -> tuple[str, str]:
    """The least and the largest rho of our networks with the published ones."""
    rows = table("paper_check").query("variant == @variant")
    rho = rows[[f"{model}, {attributes}" for model in ("FaceNet", "ArcFace")]].to_numpy()
    return f"{rho.min():.2f}", f"{rho.max():.2f}"


def parts(attribute: str, measure: str, spread: float = 1) -> tuple[str, str]:
    """In all-varied and where the attribute never varied, from directions.csv."""
    row = table("directions").query("attribute == @attribute and measure == @measure and spread == @spread").iloc[0]
    return f"{row['all_varied']:.2f}", f"{row['fixed']:.2f}"


def change(regime: str, measure: str) -> str:
    """Largest absolute difference to all-varied."""
    rows = pd.concat([table("controlled"), table("controlled_twin")]).query("regime == @regime")
    rows = rows[(rows["measure"] == "magnitude") == (measure == "magnitude")]
    return f"{rows['difference'].abs().max():.3f}".lstrip("0")


def order(regime: str) -> str:
    rows = table("controlled_orders").query("regime == @regime and measure == 'magnitude'")
    return f"{rows['rho'].iloc[0]:.2f}".lstrip("0")


def power(instrument: str, rule: str) -> pd.Series:
    """Share of samples in which the attribute is named, mean of four networks, by people and curves."""
    rows = table("power").query("instrument == @instrument and rule == @rule")
    return rows.groupby(["people", "curves"])["named"].mean()


def least(instrument: str) -> tuple:
    """The fewest faces, as people and curves, with which it is named in 90 % of the samples."""
    enough = power(instrument, "compared")[lambda named: named >= 0.9].index.tolist()
    return min(enough, key=lambda case: (case[0] * case[1], case))


def percent(*shares: float) -> tuple:
    return tuple(round(100 * share) for share in shares)


def alike() -> tuple:
    row = table("finetune_agreement").query("quantity == 'length'").iloc[0]
    return f"{row['rho']:.2f}", f"{row['others_rho']:.2f}", round(100 * row["same_sign"])


def learnt(quantity: str) -> tuple:
    """Targets whose quantity fell with corrected p < .01, of all."""
    own = table("finetune").query("attribute == target and quantity == @quantity")
    return int(((own["difference"] < 0) & (own["p_adjusted"] < 0.01)).sum()), len(own)


# file, sentence with gaps, figures
STATED: list[tuple[str, str, Callable[[], tuple]]] = [
    ("06", "corrected for all {} tests", lambda: (len(predicted()),)),
    ("03", "{} of {} intervals of the slope", lambda: slopes()[:2]),
    ("03", "the KS of hue is {}; in `all-varied` it is {},", lambda: slopes()[2:]),
    (
        "07",
        "corrected for all {} tests of that quantity",
        lambda: ((table("finetune")["quantity"] == "magnitude").sum(),),
    ),
    ("07", "$\\rho$ = {}, and still {} without the targets; but only {} % of", alike),
    ("07", "length fell reliably in {} of {} cases", lambda: learnt("length")),
    ("07", "its magnitude in {} of {},", lambda: learnt("magnitude")),
    ("08", "with the two published ones is {} to {}, as predicted", lambda: agreement("5 of the face")),
    ("08", "with all eight it is {} to {}.", lambda: agreement("all 8")),
    (
        "08",
        "raise $\\rho$ of all eight to {} to {},",
        lambda: agreement("all 8", "base points' image attributes neutral"),
    ),
    (
        "06",
        "the share rises from {} to {} and from {} to {},",
        lambda: parts("hue", "share") + parts("brightness", "share"),
    ),
    ("06", "only the rest grows, from {} to {};", lambda: parts("head_angle", "rest")),
    ("06", "even falls, from {} to {}, while", lambda: parts("head_angle", "common", 0.3)),
    ("06", "while the rest grows from {} to {}.", lambda: parts("head_angle", "rest", 0.3)),
    (
        "06",
        "names the attribute in {} % of the samples from 2 people with 5 faces each",
        lambda: percent(power("magnitude", "compared")[2, 5]),
    ),
    ("06", "needs {} people with {} faces each to pass 90 %", lambda: least("energy, all pairs")),
    ("06", "of a ball of radius 1 needs {} people with {} faces.", lambda: least("energy, ball 1")),
    ("06", "names it in at most {} %:", lambda: percent(power("energy, all pairs", "alone").max())),
    (
        "06",
        "The magnitude does better, {} to {} %.",
        lambda: percent(power("magnitude", "alone").min(), power("magnitude", "alone").max()),
    ),
    ("fr_explore/geometry/by_identity.py", "magnitude {} people x {} curves", lambda: least("magnitude")),
    (
        "fr_explore/geometry/by_identity.py",
        "energy, all pairs {} people x {} curves",
        lambda: least("energy, all pairs"),
    ),
    (
        "fr_explore/geometry/by_identity.py",
        "energy, 10 nearest {} people x {} curves",
        lambda: least("energy, 10 nearest"),
    ),
    (CARDS, "of the {} tests, {} hold", holding),
    (CARDS, "(`--spread 0.3`), {} hold", lambda: holding("controlled_spread_0.3")[1:]),
    (
        CARDS,
        "differ by at most {} in magnitude and {} in energy",
        lambda: (change("twin", "magnitude"), change("twin", "")),
    ),
    (
        CARDS,
        "by at most {}, triplets by {}.",
        lambda: (change("degraded", "magnitude"), change("triplet", "magnitude")),
    ),
    (CARDS, "rho {} for `degraded`, {} for `triplet`", lambda: (order("degraded"), order("triplet"))),
]


@pytest.mark.parametrize(("place", "sentence", "figures"), STATED, ids=[f"{p[-20:]}: {s[:40]}" for p, s, _ in STATED])
def test_a_stated_figure_is_that_of_its_table(place, sentence, figures):
    wanted = sentence.format(*figures())
    assert wanted in text(place), f"the tables say: {wanted}"


def test_a_wrong_figure_is_found():
    place, sentence, figures = STATED[0]
    assert sentence.format(*np.array(figures()) + 1) not in text(place)


def test_the_notebooks_on_results_are_covered():
    assert set(NOTEBOOKS) <= {place for place, _, _ in STATED}


if __name__ == "__main__":
    for place, sentence, figures in STATED:
        print(f"{place}: {sentence.format(*figures())}")
