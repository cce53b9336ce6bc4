"""The audit finds what was planted, names what to compare it with, and removes nothing."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

import fr_explore as fr


def people(count=12, each=30, dim=16, seed=0):
    rng = np.random.default_rng(seed)
    who = np.repeat([f"p{k}" for k in range(count)], each)
    points = rng.normal(size=(count, dim)).repeat(each, axis=0) + 0.25 * rng.normal(size=(count * each, dim))
    return points, who


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_planted_faults_are_found_and_nothing_else(metric):
    points, who = people()
    planted = who.copy()
    planted[40], planted[100] = "p7", "p2"  # p1 and p3 under wrong names
    points[205] = points[200] + 1e-3
    points[206] = points[200] + 2e-3
    table = fr.audit(points, planted, metric=metric).table
    wrong = table[table["problem"] == "another person"]
    assert sorted(wrong["image"]) == [40, 100]
    shown = wrong.set_index("image")
    assert shown.loc[40, ["identity", "other_identity"]].tolist() == ["p7", "p1"]
    assert who[shown.loc[40, "other"]] == "p1"
    assert (wrong["own_distance"] > wrong["other_distance"]).all()
    assert (wrong["score"].diff().dropna() <= 0).all()
    copies = table[table["problem"] == "copy"].set_index("image")
    assert sorted(copies.index) == [205, 206]
    assert copies.loc[205, "other"] == 200
    assert copies.loc[206, "other"] == 205  # the closest
    few = table[table["problem"] == "few pictures"]
    assert few.empty
    few = fr.audit(points, planted, metric=metric, least=30).table.query("problem == 'few pictures'")
    assert few.set_index("identity")["score"].to_dict() == {"p1": 1, "p3": 1}


def test_distances_to_means_by_hand():
    points = np.array([[0.0, 0], [2, 0], [10, 0], [10, 2], [9, 1]])
    who = np.array(["a", "a", "b", "b", "a"])
    row = fr.audit(points, who, copy=0).table.query("problem == 'another person'").iloc[0]
    assert (row["image"], row["identity"], row["other_identity"], row["other"]) == (4, "a", "b", 2)
    assert [row["own_distance"], row["other_distance"]] == pytest.approx([np.hypot(8, 1), 1])
    alone = fr.audit(points[:4], np.array(["a", "b", "c", "c"])).table
    assert "another person" not in alone["problem"].tolist()  # a single picture has no others to be far from


def test_exact_copies_at_edge_zero():
    points, who = people(3, 5)
    points[7] = points[2]
    copies = fr.audit(points, who, copy=0).table.query("problem == 'copy'")
    assert copies[["image", "other", "other_distance"]].to_numpy().tolist() == [[7, 2, 0]]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"<{k}>.png" for k in range(6)]
    for name in names:
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / name)
    table = pd.DataFrame({"file": names, "identity": ["a", "a", "a", "b", "b", "b"]})
    landmarks = np.tile(np.array([[24, 27], [40, 27], [32, 36], [26, 44], [38, 44]], float), (6, 1, 1))
    images = fr.LabelledImages(tmp_path, table, landmarks=landmarks)
    points = np.array([[0.0, 0], [0, 1], [9, 9], [9, 8], [8, 9], [9, 9]])
    coords = {"file": ("image", names), "identity": ("image", table["identity"].to_numpy(object))}
    return images, xr.DataArray(points, coords, ("image", "dim"), attrs={"metric": "euclidean"})


def test_thumbnails_stand_beside_each_other(folder):
    images, embeddings = folder
    before = images.table.copy()
    found = fr.audit(embeddings, images=images)
    row = found.table.iloc[0]
    assert (row["problem"], row["file"], row["other_file"]) == ("another person", "<2>.png", "<5>.png")
    page = found._repr_html_()
    assert page.count("<img") == 2 * 2 + 2  # the stranger, the copy, and two people with few pictures
    assert "nothing was removed" in page
    assert "&lt;2&gt;.png" in page
    assert "<2>" not in page
    assert images.table.equals(before)
    (images.folder / "<2>.png").unlink()
    assert fr.audit(embeddings, images=images)._repr_html_().count("<img") == 4  # says what is missing instead


def test_several_faces(folder, monkeypatch):
    images, embeddings = folder
    counts = [1, 2, 1, 0, 3, 1]
    monkeypatch.setattr(fr.LabelledImages, "count_faces", lambda self, i: counts[i])
    several = fr.audit(embeddings, images=images, count_faces=True).table.query("problem == 'several faces'")
    assert several[["file", "score"]].to_numpy().tolist() == [["<4>.png", 3], ["<1>.png", 2]]


def test_faces_are_counted_by_the_detector(tmp_path):
    from skimage import data

    one = data.astronaut()[:300, 80:380]
    Image.fromarray(one).save(tmp_path / "one.png")
    Image.fromarray(np.concatenate([one, one[:, ::-1]], axis=1)).save(tmp_path / "two.png")
    table = pd.DataFrame({"file": ["one.png", "two.png"], "identity": ["a", "a"]})
    images = fr.LabelledImages(tmp_path, table)
    assert [images.count_faces(i) for i in range(2)] == [1, 2]


def test_errors(folder):
    images, embeddings = folder
    points, who = people(2, 3)
    with pytest.raises(ValueError, match="no coordinate identity: pass identities="):
        fr.audit(points)
    with pytest.raises(ValueError, match="thumbnails and counts need images="):
        fr.audit(points, who, count_faces=True)
    with pytest.raises(ValueError, match=r"images lack 4 of the embedded files, such as '<2>.png'"):
        fr.audit(embeddings, images=images.take([0, 1]))
