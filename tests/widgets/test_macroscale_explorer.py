"""MacroscaleExplorer in Python: every figure is the library's own, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from family import saved_output
from traitlets import TraitError

import fr_explore as fr
from fr_explore_widgets.macroscale import cache as cache_module
from fr_explore_widgets.macroscale.widget import MacroscaleExplorer


def people(count=24, images=3, shift=1.6, seed=0):
    """The first attribute is fixed per person and moves the embedding, the second is chance, nobody has the third."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), images)
    old = np.where(np.arange(count) % 2, 1, -1)[who]
    points = rng.normal(size=(count, 5))[who] + 0.2 * rng.normal(size=(len(who), 5))
    points[:, 0] += shift * old
    labels = pd.DataFrame({"old": old, "smiling": np.where(rng.random(len(who)) < 0.5, 1, -1), "hat": -1})
    labels.loc[3, "smiling"] = 0
    return points, who, labels


@pytest.fixture(scope="module")
def w():
    points, who, labels = people()
    pictures = [np.full((8, 8, 3), i / len(who), np.float32) for i in range(len(who))]
    return MacroscaleExplorer(points, who, labels, pictures=pictures, permutations=40, seed=2).wait(60)


def test_the_table_is_the_librarys(w):
    points, who, labels = people()
    theirs = fr.macroscale(points, who, labels, permutations=40, seed=2)
    pd.testing.assert_frame_equal(w.table[theirs.columns.tolist()], theirs)
    for name, found in theirs.attrs["spearman"].items():
        assert w.table.attrs["spearman"][name] == pytest.approx(found, nan_ok=True)
    assert w.results["old"]["p_corrected"] == pytest.approx(theirs.loc[0, "p_corrected"])
    assert w.results["old"]["null"] == theirs.attrs["null_draws"]["old"]
    # what is not known is not sent: JSON has no NaN
    assert "ks_mean" not in w.results["hat"]
    json.dumps(w.results, allow_nan=False)


def test_the_curves_are_the_librarys(w):
    points, who, labels = people()
    curves = fr.modality_distances(points, who, labels, "smiling", seed=2, resolution=200)
    sent, floats = w.results["smiling"], np.frombuffer(w.curves, np.float32)
    assert sent["gaps"] == curves.attrs["ks"]
    for pairs, own in curves.groupby("pairs"):
        at, length = sent["curves"][pairs]
        np.testing.assert_allclose(floats[at : at + length], own["distance"], rtol=1e-6)
        np.testing.assert_allclose(floats[at + length : at + 2 * length], own["cdf"], rtol=1e-6)
    row = w.table.set_index("attribute").loc["smiling"]
    assert sent["gaps"]["positive"]["value"] == pytest.approx(row["ks_positive"])


def test_map_and_labels(w):
    points, _, labels = people()
    xy = np.frombuffer(w.points, np.float32).reshape(-1, 2)
    np.testing.assert_allclose(xy, fr.pca(points).transform(points), atol=1e-5)
    np.testing.assert_array_equal(np.frombuffer(w.labels, np.int8).reshape(3, -1), labels.T)
    assert w.setup["caption"] == fr.pca(points).caption


def test_more_images_than_the_map_can_take(monkeypatch):
    monkeypatch.setattr(cache_module, "MOST_POINTS", 20)
    points, who, labels = people()
    w = MacroscaleExplorer(points, who, labels[["old"]], permutations=0, metric="cosine")
    assert (w.setup["shown"], w.setup["images"], len(w.setup["names"])) == (20, 72, 20)
    assert len(w.points) == 20 * 8
    assert len(w.labels) == 20
    plane = fr.pca(points / np.linalg.norm(points, axis=1, keepdims=True))
    assert w.setup["caption"] == plane.caption
    assert "the null model was not computed" in saved_output(w)["text/plain"]


def test_words_say_what_the_figures_say(w):
    w.set(attribute="old")
    row = w.table.set_index("attribute").loc["old"]
    assert row["p_corrected"] < 0.05
    assert "People with the same label of 'old' are closer together" in saved_output(w)["text/plain"]
    assert f"KS {row['ks_mean']:.2f}" in saved_output(w)["text/plain"]
    assert "after correction for 3 attributes" in saved_output(w)["text/plain"]
    assert "within chance variation" in w.results["smiling"]["words"]
    assert "Fewer than two people have 'hat'" in w.results["hat"]["words"]


def test_a_table_that_is_there_spares_the_time(w):
    points, who, labels = people()
    table = fr.macroscale(points, who, labels, permutations=40, seed=2)
    given = MacroscaleExplorer(points, who, labels, table=table).wait(60)
    assert given.results["old"] == w.results["old"]
    with pytest.raises(ValueError, match="the table has no row for 'hat'"):
        MacroscaleExplorer(points, who, labels, table=table[table["attribute"] != "hat"])
    with pytest.raises(ValueError, match="the table has lost its attrs"):
        MacroscaleExplorer(points, who, labels, table=pd.DataFrame(table.to_dict("list")))


def test_the_probe_is_the_librarys(w):
    points, who, labels = people()
    w.set(attribute="old").probe().wait(60)
    theirs = fr.linear_probe(points, who, labels[["old"]], seed=2).iloc[0]
    assert w.results["old"]["probe"]["balanced_accuracy"] == pytest.approx(theirs["balanced_accuracy"])
    w.probe("hat").wait(60)
    assert "too few for 5 folds" in w.results["hat"]["probe"]["problem"]


def test_pointing_at_a_point_shows_its_picture(w):
    w.request = {"client": "a", "seq": 1, "action": "picture", "place": 36}
    assert w.reply == {"client": "a", "seq": 1, "action": "picture", "place": 36, "shape": [64, 64]}
    assert set(w.frame) == {128}
    assert len(w.frame) == 64 * 64 * 3
    w.request = {"client": "a", "seq": 2, "action": "dance"}
    assert "this widget answers picture and probe" in w.error["why"]


def test_state_and_attribute_go_together(w):
    w.attribute = "smiling"
    assert w.state == {"version": 1, "attribute": "smiling", "projection": "pca"}
    w.state = {"attribute": "old"}
    assert w.attribute == "old"
    for state, text in (
        ({"attribute": "tall"}, "unknown attribute 'tall': choose from old, smiling, hat"),
        ({"projection": "tsne"}, "projection = 'tsne': choose from pca, umap"),
        ({"colour": 1}, "'colour' is unknown"),
        ({"version": 9}, "state has version 9"),
    ):
        with pytest.raises((ValueError, TraitError), match=text):
            w.set(**state)
    assert w.attribute == "old"


def test_exports_have_names(w, tmp_path):
    w.set(attribute="old")
    paths = w.to_csv(tmp_path / "m.csv")
    assert [path.name for path in paths] == ["m.csv", "m-curves.csv"]
    assert pd.read_csv(paths[0])["attribute"].tolist() == ["old", "smiling", "hat"]
    assert set(pd.read_csv(paths[1])["pairs"]) == {"within positive", "within negative", "across"}
    assert w.to_png()[:4] == b"\x89PNG"
    assert len(w.to_html(tmp_path / "m.html").read_text(encoding="utf-8")) < 200_000


def test_wrong_data_are_refused():
    points, who, labels = people()
    with pytest.raises(ValueError, match="the labels have shape"):
        MacroscaleExplorer(points, who, labels[:5])
    with pytest.raises(ValueError, match="2 pictures for 72 images"):
        MacroscaleExplorer(points, who, labels, pictures=[None, None])


def test_from_the_avatars_own_labels(avatars, dlib_model):
    """The five lines of the docstring, with fewer people: labels that are known need no annotator."""
    who = [i for i in avatars.identities for _ in range(2)]
    recipes = [{"glasses": float(k % 2), "age": 20 + 20 * (k % 3)} for k in range(len(who))]
    pictures = avatars.render_batch(who, recipes, size=64)
    data = xr.DataArray(dlib_model.embed(pictures), dims=("image", "dim"), attrs={"model": "dlib"})
    w = MacroscaleExplorer(data, who, avatars.labels(who, recipes), attribute="glasses", pictures=pictures).wait(60)
    assert w.setup["model"] == "dlib"
    assert w.results["glasses"]["positive"] == 3
    w.request = {"client": "a", "seq": 1, "action": "picture", "place": 0}
    assert w.reply["shape"] == [64, 64]
