import numpy as np
import pytest
import torch
from skimage import data

import fr_explore as fr


@pytest.fixture(scope="module")
def photos():
    return fr.Photographs({"eileen": data.astronaut()[:240, 100:340]}, progress=False)


class Means(torch.nn.Module):
    """Mean colour of the crop: an embedding whose distances can be worked out by hand."""

    def forward(self, x):
        return x.mean((2, 3))


def model_of(metric: str, threshold: float | None = None, **facts):
    card = fr.ModelCard(name="means", title="Means", input_size=160, dim=3, metric=metric, threshold=threshold, **facts)
    return fr.load_model(Means(), card=card, device="cpu")


@pytest.mark.parametrize("source", ["avatars", "photos"])
def test_sweep_of_a_real_model(source, request, dlib_model):
    faces = request.getfixturevalue(source)
    identity = faces.identities[0]
    table = fr.sweep(faces, dlib_model, identity, ["hue", "blur"], steps=5, size=128)
    assert table.columns.tolist() == [
        "identity", "attribute", "unit", "strength", "distance", "threshold", "same_person",
    ]  # fmt: skip
    assert table.attribute.tolist() == ["hue"] * 5 + ["blur"] * 5
    assert table.strength.tolist()[:5] == [-45, -22.5, 0, 22.5, 45]
    assert table.unit.unique().tolist() == ["°", "px"]
    start = dlib_model.embed(faces.render(identity, size=128))[0]
    for row in table.itertuples():
        vector = dlib_model.embed(faces.render(identity, {row.attribute: row.strength}, size=128))[0]
        assert row.distance == pytest.approx(np.linalg.norm(vector - start), abs=1e-4)
        assert row.same_person == (row.distance < 0.6)
    assert table.distance[2] == pytest.approx(0, abs=1e-5)
    assert table.attrs["threshold_source"] == dlib_model.card.threshold_source


def test_sweep_by_hand(photos):
    """Half the brightness halves the mean colour, as long as nothing clips; its direction, and 1 - cos, stay."""
    # the network sees (255 x - 127.5) / 127.5 = 2 x - 1
    mean = photos.render("eileen").pixels.mean((0, 1)).astype(float)
    table = fr.sweep(photos, model_of("euclidean", 0.3), "eileen", "brightness", steps=[0.5, 0.9, 1])
    np.testing.assert_allclose(table.distance, np.linalg.norm(2 * mean) * np.array([0.5, 0.1, 0]), atol=1e-5)
    assert table.same_person.tolist() == (table.distance < 0.3).tolist()
    assert set(table.same_person) == {True, False}
    # 2 x - 2 here: the mean colour is nearly grey, so 2 x - 1 would be short and its direction a matter of rounding
    cosine = fr.sweep(photos, model_of("cosine", mean=(255.0,) * 3), "eileen", "brightness", steps=[0.5])
    a, b = 2 * mean - 2, mean - 2
    assert cosine.distance[0] == pytest.approx(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-5)
    assert cosine.same_person.isna().all()
    assert np.isnan(cosine.threshold[0])


class Curve:
    """A model whose embeddings follow a given curve, one point for each face of a batch."""

    def __init__(self, points, metric="euclidean"):
        self.points, self.card = np.asarray(points, float), model_of(metric).card

    def embed(self, faces):
        assert len(faces) == len(self.points)
        return self.points


def test_distances_of_a_path_by_hand(photos):
    def path(points, metric="euclidean"):
        steps = np.linspace(0.5, 1.5, len(points))
        return fr.sweep_distances(photos, Curve(points, metric), "eileen", "brightness", steps, size=64)

    straight = path([[0, 1], [0, 2], [0, 4]])
    assert straight.values.tolist() == [[0, 1, 3], [1, 0, 2], [3, 2, 0]]
    assert straight["strength"].values.tolist() == straight["strength_2"].values.tolist() == [0.5, 1, 1.5]
    assert (straight.attrs["bend"], straight.attrs["reach"]) == (1, 1)
    back = path([[0, 0], [3, 0], [0, 0]])
    assert (back.attrs["bend"], back.attrs["reach"]) == (np.inf, 0)
    angle = np.linspace(0, np.pi, 41)
    half = path(np.column_stack([np.cos(angle), np.sin(angle)]), "cosine")
    assert half.attrs["bend"] == pytest.approx(np.pi / 2, rel=1e-3)  # in chords: a half circle over its diameter
    assert half[0, -1] == pytest.approx(2)
    with pytest.raises(ValueError, match="a path needs at least three strengths of 'brightness'"):
        fr.sweep_distances(photos, Curve([[0, 0]]), "eileen", "brightness", 2)


def test_the_path_starts_where_the_sweep_does(photos):
    model = model_of("euclidean")
    table = fr.sweep(photos, model, "eileen", "brightness", [1, 0.5, 0.8])
    found = fr.sweep_distances(photos, model, "eileen", "brightness", [1, 0.5, 0.8])
    np.testing.assert_allclose(found[0], table["distance"], atol=1e-6)
    assert found.attrs["model"] == "means"


def test_exactly_at_the_threshold_it_is_the_same_person(photos):
    distance = fr.sweep(photos, model_of("euclidean"), "eileen", "brightness", steps=[0.8]).distance[0]
    for threshold, expected in ((distance, True), (np.nextafter(distance, 0), False)):
        model = model_of("euclidean", float(threshold))
        assert fr.sweep(photos, model, "eileen", "brightness", steps=[0.8]).same_person.tolist() == [expected]
        assert model.card.same_person(distance) is expected


def test_sweep_from_another_face(photos):
    model = model_of("euclidean", 1.0)
    table = fr.sweep(photos, model, "eileen", "brightness", steps=[0.8], at={"brightness": 0.8})
    assert table.distance[0] == pytest.approx(0, abs=1e-6)


def test_sweep_errors(photos):
    model = model_of("euclidean")
    with pytest.raises(ValueError, match="unknown attribute 'age'"):
        fr.sweep(photos, model, "eileen", "age")
    with pytest.raises(ValueError, match="unknown identity 'nobody'"):
        fr.sweep(photos, model, "nobody", "hue")
    with pytest.raises(ValueError, match=r"hue = 90\.0 is out of range"):
        fr.sweep(photos, model, "eileen", "hue", steps=[90])
    with pytest.raises(ValueError, match="steps = 0"):
        fr.sweep(photos, model, "eileen", "hue", steps=0)


def test_crops_are_what_the_model_is_shown(photos, dlib_model):
    faces = [photos.render("eileen"), photos.render("eileen", {"rotation": 20})]
    picture = fr.show_crops(faces, dlib_model, side=150)
    assert picture.pixels.shape == (300, 300, 3)
    crops = dlib_model.align(faces).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(picture.pixels[150:, :150], crops[0], atol=1 / 255)
    np.testing.assert_allclose(picture.pixels[150:, 150:], crops[1], atol=1 / 255)
    assert np.abs(crops[0] - crops[1]).mean() < 0.06  # aligned away
    with pytest.raises(ValueError, match="no faces"):
        fr.show_crops([], dlib_model)
