"""Two real networks, dlib's and SFace, in every widget that takes a model or its embeddings, in report and CLI."""

import json

import numpy as np
import pandas as pd
import pytest

import fr_explore as fr
from fr_explore import cli
from fr_explore.base.distance import distance
from fr_explore_widgets import (
    AttributeExplorer,
    FieldExplorer,
    MacroscaleExplorer,
    PhotoExplorer,
    VerificationExplorer,
)


def apart(model, first, second):
    """The distance of two faces in a model's own metric."""
    a, b = model.embed([first]), model.embed([second])
    return float(distance(a, b, model.card.metric)[0])


def test_side_by_side_each_against_its_own_threshold(avatars, dlib_model, sface_model):
    explorer = AttributeExplorer(avatars, dlib_model, compare=sface_model, variations=2, size=96)
    try:
        explorer.set(age=70, hue=25)
        explorer.wait()
        faces = avatars.render(0, size=96), avatars.render(0, {"age": 70, "hue": 25}, size=96)
        for model in (dlib_model, sface_model):
            assert explorer.distances[model.card.name] == pytest.approx(apart(model, *faces), abs=1e-4)
        found = {card["name"]: card for card in explorer.setup["models"]}
        assert found["sface"]["threshold"] == 0.637
        assert found["dlib"]["threshold"] == 0.6
    finally:
        explorer.close()


@pytest.fixture(scope="module")
def field(sface_model):
    lattice = fr.sample_lattice(fr.Avatars(2, seed=0), ["age", "hue"], curves=6, seed=0)
    return fr.vector_field(fr.embed(lattice, sface_model, size=80, progress=False))


def test_the_field(field):
    assert field.attrs["metric"] == "cosine"
    table = fr.alignment(field, fr.all_pairs(power=0), null_draws=5)
    assert table["energy"].between(0, 1.3).all()
    explorer = FieldExplorer(field, null_draws=5)
    try:
        explorer.set(attribute="hue")
        assert explorer.state["attribute"] == "hue"
    finally:
        explorer.close()


def test_verification_and_macroscale(sface_model):
    faces = fr.Avatars(8, seed=1)
    explorer = VerificationExplorer(faces, sface_model, images=2, size=80, draws=20)
    try:
        explorer.wait()
        assert explorer.threshold > 0
    finally:
        explorer.close()
    who = np.repeat(np.arange(8), 2)
    strengths = [{"age": 30}, {"hue": 20}] * 8
    vectors = sface_model.embed(faces.render_batch(who.tolist(), strengths, size=80))
    labels = pd.DataFrame({"old": np.where(who % 2, 1, -1)})
    explorer = MacroscaleExplorer(vectors, who, labels, metric="cosine", permutations=10)
    try:
        assert explorer.state["attribute"] == "old"
    finally:
        explorer.close()


def test_photographs(people, sface_model):
    explorer = PhotoExplorer(sface_model, size=112, variations=2)
    explorer.add(people["astronaut"], "astronaut")
    explorer.add(people["obama"], "obama")
    inner = explorer.explorer
    assert inner is not None
    try:
        inner.set(identity="astronaut")
        inner.wait()
        assert set(inner.distances) == {"sface"}
    finally:
        inner.close()


def test_report_and_command_line(tmp_path, capsys):
    """One report on both networks; embeddings and energies of SFace by the commands."""
    run = tmp_path / "run.zarr"
    options = ["--attributes", "age,hue", "--curves", "4", "--quiet"]
    assert cli.main(["embed", "avatars:2", "--model", "sface", "--out", str(run), *options]) == 0
    capsys.readouterr()
    assert cli.main(["energy", str(run), "--neighborhood", "knn:2", "--null-draws", "5", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["summary"]
    assert {row["attribute"] for row in rows} == {"age", "hue"}
    page = tmp_path / "report.html"
    words = ["report", "dlib", "sface", "--identities", "2", "--neighborhood", "knn:2", "--null-draws", "5"]
    assert cli.main([*words, "--out", str(page), *options]) == 0
    text = page.read_text()
    assert "SFace from OpenCV" in text
    assert "undocumented for this file" in text
    capsys.readouterr()
    assert cli.main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "sface" in listed
    assert "available" in listed.splitlines()[0]
