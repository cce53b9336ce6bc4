"""The report: one file that needs nothing else, documents how it was made, and escapes all text from files."""

import re
from html.parser import HTMLParser

import altair as alt
import numpy as np
import pandas as pd
import pytest
from toy import Squares, toy_model

import fr_explore as fr
from fr_explore.report.figures import svg
from fr_explore.report.measure import dimensions

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'& javascript:alert(3)\u2028"


class Page(HTMLParser):
    """Tags, their attributes, and the text outside of style and SVG."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    hostile = toy_model(HOSTILE, 1, title=HOSTILE, licence=HOSTILE)
    turned = ("blind", "\u202eno \u2066weakness")  # would reverse the text after it
    models = [toy_model("first", 0, licence="CC0", weaknesses=turned), hostile]
    faces = Squares(("ann", HOSTILE, "c <b>"))
    how = {"attributes": ["age", "hue"], "curves": 20, "null_draws": 20, "command": HOSTILE}
    found = fr.report(models, faces, path, **how, progress=False)
    assert found == path
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    return path.read_text()


def test_nothing_is_fetched_and_nothing_runs(text):
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "link", "form", "base"}
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        for name in ("src", "href", "xlink:href"):
            assert attrs.get(name, "#").startswith(("data:image/png;base64,", "#")), (tag, attrs)
    assert "default-src 'none'" in text
    assert not re.search(r"url\((?!#)", text)


def test_hostile_names_are_text(text):
    """Markup in the names of models and people, in licences and commands, is shown as text."""
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "\ufffdno \ufffdweakness" in text
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert HOSTILE in Page(text).text  # shown unchanged


def test_sections_numbers_and_provenance(text):
    page = Page(text)
    for words in (
        "Results", "The faces", "Scale of the energy", "Maps", "Which attributes move faces alike", "Verification",
        "The models and their licences", "How to repeat it", "n = 3 identities with 20 base points", "95%", "null",
        "CC0", "blind", "seed 0", "numpy", "arXiv 2507.11372",
    ):  # fmt: skip
        assert words in page.text, words
    numbers = [int(n) for n in re.findall(r"<b>Figure (\d+)\.</b>", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert sum(tag == "svg" for tag, _ in page.tags) == 9
    for tag, attrs in page.tags:
        assert tag != "svg" or attrs["aria-label"]
        assert tag != "img" or attrs["alt"]


def test_ids_of_charts_are_unique(text):
    # the gradient of a legend is referred to by its id
    legend = alt.Chart(pd.DataFrame({"x": [0.0, 1.0]})).mark_point().encode(x="x", color="x")
    twice = svg(legend, 1, "one") + svg(legend, 2, "two")
    for page in (text, twice):
        ids = [attrs["id"] for _, attrs in Page(page).tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        used = set(re.findall(r"url\(#([^)]+)\)", page))
        assert used <= set(ids)
    assert len(used) >= 2


def test_numbers_are_those_of_the_library(tmp_path):
    model, faces = toy_model(), Squares()
    how = {"attributes": ["age"], "curves": 12, "null_draws": 0}
    text = fr.report(model, faces, tmp_path / "r.html", **how, progress=False).read_text()
    lattice = fr.sample_lattice(faces, ["age"], curves=12, seed=0)
    table = fr.alignment(fr.vector_field(fr.embed(lattice, model, progress=False)))
    assert f"{table['energy'].median():.2f} [" in text
    assert "No random fields were drawn" in text
    assert "fr.report(['toy'], Squares(('a', 'b', 'c')), attributes=['age'], curves=12" in Page(text).text


def test_a_pair_at_exactly_the_threshold_counts_as_the_same_person(tmp_path):
    """The published threshold is the distance of one genuine pair, and then the next smaller number."""
    how = {"attributes": ["age"], "curves": 12}
    lattice = fr.sample_lattice(Squares(), **how, seed=0)
    base = fr.embed(lattice, toy_model(), progress=False).isel(attribute=0).sel(step=0)
    table = fr.pair_distances(base.values.reshape(-1, 8), np.repeat(base["identity"].values, 12))
    kinds = {kind: np.sort(rows["distance"].to_numpy()) for kind, rows in table.groupby("pair")}
    at = float(kinds["genuine"][len(kinds["genuine"]) // 2])
    shown = []
    for threshold in (at, float(np.nextafter(at, 0))):
        model = toy_model(threshold=threshold, threshold_source="for the test")
        text = fr.report(model, Squares(), tmp_path / "r.html", **how, null_draws=0, progress=False).read_text()
        rejected, accepted = (kinds["genuine"] > threshold).mean(), (kinds["impostor"] <= threshold).mean()
        row = re.search(r"<td[^>]*>published, .*?</tr>", text)[0]
        assert [rate.split()[0] for rate in re.findall(r">([^<]*%) \[", row)] == [f"{accepted:.2%}", f"{rejected:.2%}"]
        shown.append(rejected)
    assert shown[1] - shown[0] == pytest.approx(1 / len(kinds["genuine"]))


def test_invalid_input(tmp_path):
    with pytest.raises(ValueError, match="a report needs one model and two identities"):
        fr.report(toy_model(), Squares(("alone",)), tmp_path / "r.html", progress=False)
    how = {"attributes": ["age"], "curves": 12, "null_draws": 0}
    with pytest.raises(ValueError, match="two of the models have the same name"):
        fr.report([toy_model(), toy_model()], Squares(), tmp_path / "r.html", **how, progress=False)


def test_what_cannot_be_computed_is_refused_before_any_face_is_drawn(tmp_path, monkeypatch):
    def render_batch(self, *_, **__):
        raise AssertionError("a face was drawn")

    monkeypatch.setattr(Squares, "render_batch", render_batch)
    how = {"attributes": ["age"], "null_draws": 0, "progress": False}
    with pytest.raises(
        ValueError, match="knn:10 needs more than 10 points, there are 8: take a smaller k or more curves"
    ):
        fr.report(toy_model(), Squares(), tmp_path / "r.html", curves=8, **how)
    with pytest.raises(ValueError, match="two of the models have the same name"):
        fr.report([toy_model(), toy_model()], Squares(), tmp_path / "r.html", curves=12, **how)
    with pytest.raises(AssertionError, match="a face was drawn"):  # with enough curves, it begins
        fr.report(toy_model(), Squares(), tmp_path / "r.html", curves=12, **how)


def test_without_its_package_the_extra_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match=r'pip install "fr-explore\[report\]"'):
        fr.report(toy_model(), Squares(), tmp_path / "r.html")


def test_dimensions_are_estimated_where_there_are_enough_points(text):
    assert Page(text).text.count("too few points") == 4  # means and faces, for two models
    rng = np.random.default_rng(0)
    points = rng.normal(size=(210, 4)).repeat(2, axis=0) + 0.01 * rng.normal(size=(420, 4))
    table = dimensions(points, np.repeat([f"p{k}" for k in range(210)], 2), seed=1)
    assert table["cloud"].tolist() == ["means of all identities"] * 2 + ["faces of p0"]
    assert table["points"].tolist() == [210, 210, 2]
    means = points.reshape(210, 2, 4).mean(1)
    expected = fr.intrinsic_dimension(means, seed=1)
    for name in ("dimension", "low", "high", "sphere"):
        np.testing.assert_allclose(table[name][:2].astype(float), expected[name])
    assert table["dimension"].isna().tolist() == [False, False, True]
