"""FieldExplorer without a browser: its numbers are the library's; sheets, state, what it refuses and exports."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from family import saved_output
from hypothesis import given, settings
from hypothesis import strategies as st

import fr_explore as fr
from fr_explore.base.distance import distance
from fr_explore_widgets import FieldExplorer
from fr_explore_widgets.field.curve import neighbors_of
from fr_explore_widgets.field.payload import cell_payload
from fr_explore_widgets.field.planes import PLANES, Cell, planes
from fr_explore_widgets.field.scales import Scales

DIM = 12


def make_field(curves=30, identities=("anna", "ben"), seed=0, metric="euclidean", curve=None):
    """A field whose first attribute is aligned and whose second is not, on shared base points."""
    rng = np.random.default_rng(seed)
    n = len(identities)
    points = rng.normal(size=(n, 1, curves, DIM)) * np.linspace(1, 0.2, DIM) + 0.5
    v = rng.normal(size=(n, 2, curves, DIM))
    v[:, 0] += 2
    length = np.linalg.norm(v, axis=-1)
    dims = ("identity", "attribute", "curve", "dim")
    parts = {
        "point": (dims, np.repeat(points, 2, axis=1).astype(np.float32)),
        "direction": (dims, (v / length[..., None]).astype(np.float32)),
        "magnitude": (dims[:3], length.astype(np.float32)),
    }
    coords = {"identity": list(identities), "attribute": ["age", "own"]}
    coords |= {} if curve is None else {"curve": curve}
    return xr.Dataset(parts, coords, attrs={"metric": metric})


def ask(widget, action, **values):
    """What a browser would send; returns the traits of the answer."""
    number = widget.request.get("seq", 0) + 1
    values = {"what": 0, "identity": 0, "attribute": 0, "kind": 0, "curve": 0} | values
    widget.request = {"client": "test", "seq": number, "action": action, "values": values}
    return widget


def unpack(widget, curves):
    """The payload as the browser reads it: planes, moves, energies."""
    numbers = np.frombuffer(widget.payload_data, "<f4")
    flat = dict(zip(PLANES, numbers[: 12 * curves].reshape(3, curves, 4), strict=True))
    moves, energies = numbers[12 * curves : 13 * curves], numbers[13 * curves :].reshape(-1, curves)
    return flat, moves, energies


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("curve", [None, np.repeat(np.arange(15), 2)])
def test_what_the_page_looks_up_is_what_the_library_computes(metric, curve):
    field = make_field(metric=metric, curve=curve)
    field["direction"][0, 1, 3] = np.nan
    field["direction"][0, 1, 4] = 0
    w = FieldExplorer(field, null_draws=0, ks=[1, 2, 5, 10, 20, 29], radii=np.arange(0.1, 1.6, 0.2))
    compared = 0
    for attribute, name in enumerate(["age", "own"]):
        for kind, rule in {"knn": fr.knn, "ball": fr.ball, "all_pairs": lambda scale: fr.all_pairs()}.items():
            ask(w, "load_cell", attribute=attribute, kind=w.scales.kinds.index(kind))
            _, _, energies = unpack(w, 30)
            for place, scale in enumerate(w.scales.grid[kind]):
                if scale >= 28:  # two curves of this attribute have no direction
                    continue
                part = field.sel(identity=["anna"], attribute=[name])
                if w.payload["energy"][place] is None:
                    assert np.isnan(energies[place]).all()
                    continue
                table, points = fr.alignment(part, rule(scale), point_energies=True)
                np.testing.assert_allclose(energies[place], points["energy"][0, 0], atol=1e-5)
                assert w.payload["energy"][place] == pytest.approx(table["energy"][0], abs=1e-9)
                assert w.payload["coverage"][place] == pytest.approx(table["coverage"][0], abs=1e-9)
                compared += 1
        assert w.payload["magnitude"] == pytest.approx(table["magnitude"][0])
    assert compared >= 20
    w.close()


def test_the_profile_is_the_one_of_the_library():
    field = make_field()
    w = FieldExplorer(field)
    ask(w, "load_cell", identity=1, kind=1)
    profile = fr.alignment_profile(field, w.scales.grid["ball"])
    own = profile[(profile["identity"] == "ben") & (profile["attribute"] == "age")]
    np.testing.assert_allclose(np.array(w.payload["energy"], float), own["energy"], atol=1e-5)
    np.testing.assert_allclose(w.payload["coverage"], own["coverage"], atol=1e-12)
    w.close()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["euclidean", "cosine"]), st.booleans())
def test_the_neighbours_that_light_up_are_those_of_the_energy(seed, metric, shared):
    """The mean of 1 - cos over the lit neighbours is the point energy that the library gives."""
    field = make_field(curves=16, identities=("a",), seed=seed, metric=metric, curve=np.arange(16) // (1 + shared))
    field["direction"][0, 0, 5] = np.nan
    scales = Scales(field, None, None, 0, 0)
    unit, points = (field[name].values[0, 0].astype(float) for name in ("direction", "point"))
    for curve in range(16):
        found = neighbors_of(scales, 0, 0, curve)
        for kind in ("knn", "ball", "all_pairs"):
            for count, energy in zip(found.counts[kind], scales.points(0, 0, kind)[:, curve], strict=True):
                if count == 0 or (kind == "knn" and np.isnan(energy)):
                    assert np.isnan(energy)
                    continue
                near = found.order[:count]
                # all pairs weigh by 1/distance
                weights = 1 / distance(points[near], points[curve], metric) if kind == "all_pairs" else np.ones(count)
                mean = np.average(1 - unit[near] @ unit[curve], weights=weights)
                assert mean == pytest.approx(energy, abs=1e-5)


def test_planes_project_points_and_arrows_as_they_say():
    field = make_field(curves=200, identities=("a",))
    scales = Scales(field, None, None, 0, 0)
    cell = scales.cell(0, 0)
    found = planes(cell)
    points, units = cell.points.astype(float), cell.directions.astype(float)
    base = fr.pca(points)
    np.testing.assert_allclose(found["points"].xy, base.transform(points), atol=1e-9)
    np.testing.assert_allclose(found["points"].arrows, base.project_vectors(units), atol=1e-9)
    assert found["points"].variance == pytest.approx(base.explained)
    # axes about zero: the eigenvalues of the directions' second moment
    values = np.linalg.eigvalsh(units.T @ units / len(units))
    assert found["directions"].seen == pytest.approx(values[-2:].sum(), abs=1e-9)
    # the mean direction lies along x, so the mean arrow has no y and its whole length
    mean = found["mean"].arrows.mean(0)
    assert mean == pytest.approx([np.linalg.norm(units.mean(0)), 0], abs=1e-9)
    # no plane shows more of the points than their principal one, nor more of the arrows than theirs
    assert max(p.variance for p in found.values()) == found["points"].variance
    assert max(p.seen for p in found.values()) == found["directions"].seen
    for p in found.values():
        assert p.seen == pytest.approx((p.arrows**2).sum(1).mean())


def test_planes_of_a_field_without_directions_or_with_gaps():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6, 4))
    points[2] = np.nan
    none = np.zeros(6, bool)
    found = planes(Cell(points, np.zeros((6, 4)), np.zeros(6), none, np.arange(6)))
    for plane in found.values():
        assert np.isnan(plane.arrows).all()
        assert np.isnan(plane.seen)
        assert np.isnan(plane.xy[2]).all()
        assert np.isfinite(plane.xy[[0, 1, 3]]).all()


def test_the_payload_holds_the_planes_and_the_moves():
    field = make_field()
    w = FieldExplorer(field)
    flat, moves, _ = unpack(w, 30)
    for name, plane in planes(w.scales.cell(0, 0)).items():
        np.testing.assert_allclose(flat[name], np.hstack([plane.xy, plane.arrows]), atol=1e-6)
    np.testing.assert_array_equal(moves, field["magnitude"][0, 0])
    w.close()


def test_headless_use():
    field = make_field()
    w = FieldExplorer(field)
    assert w.energy == pytest.approx(fr.alignment(field, "knn:10")["energy"][0])
    w.set(attribute="own", identity="ben", kind="ball", scale=0.8)
    row = fr.alignment(field, "ball:0.8").query("identity == 'ben' and attribute == 'own'").iloc[0]
    assert (w.energy, w.coverage) == (pytest.approx(row["energy"]), pytest.approx(row["coverage"]))
    w.set(kind="knn")
    assert w.state["scale"] == 10
    copy = FieldExplorer(field)
    copy.bookmark = json.loads(json.dumps(w.bookmark))
    assert (copy.state, copy.energy) == (w.state, w.energy)
    w.close()
    copy.close()


def test_the_background_brings_the_null_and_the_other_identities():
    field = make_field()
    w = FieldExplorer(field, null_draws=30, seed=3).wait(60)
    place, mean, sd = w.nulls["0,0,knn"][2]
    part = field.isel(identity=[0], attribute=[0])
    row = fr.alignment(part, fr.knn(w.scales.grid["knn"][place]), null_draws=30, seed=3).iloc[0]
    assert (mean, sd) == (pytest.approx(row["null_mean"]), pytest.approx(row["null_sd"]))
    table = fr.alignment(field, "knn:10").query("attribute == 'age'")
    at = w.scales.grid["knn"].index(10)
    np.testing.assert_allclose([row[at] for row in w.identity_energies["0,knn"]], table["energy"], atol=1e-9)
    assert set(w.nulls) == {f"0,0,{kind}" for kind in w.scales.kinds}
    assert not w.error
    w.close()
    none = FieldExplorer(field, null_draws=0).wait(60)
    assert none.nulls == {}
    assert none.identity_energies
    none.close()


def test_what_has_no_number_travels_as_null():
    """A radius that holds no neighbour has no energy; JSON has no NaN, and Jupyter would send a text and warn."""
    w = FieldExplorer(make_field(), radii=[1e-6, 0.6], null_draws=0).wait(60)
    traits = {"identity_energies": w.identity_energies, "nulls": w.nulls, **cell_payload(w.scales, 0, 0, "ball")}
    assert w.identity_energies["0,ball"][0][0] is None
    assert traits["payload"]["energy"][0] is None
    del traits["payload_data"]
    json.dumps(traits, allow_nan=False)
    w.close()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"attribute": "agee"}, r"unknown attribute 'agee'. Did you mean 'age'\? Choose from: age, own."),
        ({"identity": 0}, r"unknown identity 0. Choose from: anna, ben."),
        ({"plane": "umap"}, r"unknown plane 'umap'. Choose from: points, directions, mean."),
        ({"kind": "disc"}, r"unknown kind 'disc'. Choose from: knn, ball, all_pairs"),
        ({"kind": "all_pairs", "scale": 2}, r"scale = 2: all_pairs has one scale, give None."),
        (
            {"scale": 11},
            r"scale = 11 is not one of this widget's ks; the nearest are 10 and 12. FieldExplorer\(field,",
        ),
        ({"curve": 30}, r"curve = 30: give a whole number from 0 to 29, or None."),
        ({"colour": 1}, r"state colour is unknown: choose from version, plane"),
        ({"version": 9}, r"state has version 9, this release reads version 1"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(changes, text):
    w = FieldExplorer(make_field())
    before = dict(w.state)
    with pytest.raises(ValueError, match=text):
        w.set(**changes)
    assert w.state == before
    w.close()


def bad_fields():
    field = make_field()
    yield field.drop_vars("direction"), r"the field lacks direction: make it with fr.vector_field\(embeddings\)."
    yield field.isel(identity=0), r"lack identity: keep all four, for example with .isel\(identity=\[0\]\)"
    yield field.isel(curve=[0]), r"the field has 1 curve: neighbours need at least two.*curves=100"
    yield field.assign(point=field["point"] * np.nan), r"every point of the field holds NaN or infinity"


@pytest.mark.parametrize(("field", "text"), list(bad_fields()))
def test_a_field_that_cannot_be_explored_is_refused(field, text):
    with pytest.raises(ValueError, match=text):
        FieldExplorer(field)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ks": [0, 3]}, r"ks = \[0, 3\]: give whole numbers from 1 to 29 \(one less than the curves\)."),
        ({"ks": [2.5]}, r"ks = \[2.5\]: give whole numbers"),
        ({"radii": []}, r"radii = \[\]: give numbers from 0 up."),
        ({"null_draws": 1}, r"null_draws = 1: give 0 for none, or at least 2."),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        FieldExplorer(make_field(), **options)


def test_a_field_with_gaps_is_explored_without_them():
    field = make_field(curves=12)
    field["point"][0, :, 2] = np.nan
    field["direction"][0, 1] = np.nan
    w = FieldExplorer(field).wait(60)
    assert np.isfinite(w.energy)
    assert w.payload["known"] == 11
    w.set(attribute="own")
    assert np.isnan(w.energy)
    assert w.coverage == 0
    ask(w.wait(60), "load_cell", attribute=1)
    assert w.payload["known"] == 0
    assert not w.error
    ask(w, "view_curve", curve=2)
    assert w.neighbors["counts"]["knn"][0] == 0
    assert len(w.neighbor_data) == 0
    w.close()


@pytest.fixture(scope="module")
def lattice(avatars):
    return fr.sample_lattice(avatars, ["age", "hue"], curves=5, seed=0)


def field_of(lattice):
    field = make_field(curves=5, identities=lattice.identities)
    return field.assign_coords(attribute=list(lattice.attributes))


def test_a_curve_shows_its_three_faces(lattice):
    w = FieldExplorer(field_of(lattice), lattice, size=48)
    ask(w, "view_curve", identity=1, attribute=0, curve=3)
    assert w.curve_view["strengths"] == [lattice.strengths(1, 0, 3, step)["age"] for step in range(3)]
    assert w.curve_view["strengths"][2] - w.curve_view["strengths"][0] == pytest.approx(2 * lattice.step_sizes["age"])
    faces = np.frombuffer(w.frame, np.uint8).reshape(3, 48, 48, 3)
    for shown, face in zip(faces, lattice.curve(1, 0, 3, size=48), strict=True):
        np.testing.assert_allclose(shown / 255, face.pixels, atol=0.5 / 255 + 1e-6)
    w.close()


def test_faces_of_another_renderer_are_replaced_by_a_sentence(lattice):
    """The figures of version 0.1 stay; its faces would be drawn by today's renderer."""
    field = field_of(lattice)
    w = FieldExplorer(field.assign_attrs(faces=lattice.faces.fingerprint), lattice, size=48)
    assert (w.setup["size"], w.setup["redrawn"]) == (48, False)
    w.close()
    w = FieldExplorer(field.assign_attrs(faces="an earlier renderer"), lattice, size=48)
    assert (w.setup["size"], w.setup["redrawn"]) == (0, True)
    assert w.payload == FieldExplorer(field).payload
    w.close()


def test_a_field_that_lists_its_curves_may_be_a_part_of_the_lattice(lattice):
    field = field_of(lattice).assign_coords(curve=np.arange(5)).isel(curve=[1, 3, 4], identity=[2], attribute=[1])
    w = FieldExplorer(field, lattice, size=48)
    ask(w, "view_curve", curve=1)
    assert w.curve_view["strengths"][1] == lattice.strengths(2, 1, 3, 1)["hue"]
    w.close()


def test_a_lattice_of_another_field_is_refused(lattice, avatars):
    with pytest.raises(ValueError, match="the lattice has 5 curves, the field 30: give the lattice of this field"):
        FieldExplorer(make_field(identities=lattice.identities).assign_coords(attribute=["age", "hue"]), lattice)
    with pytest.raises(ValueError, match="the lattice lacks the field's identity anna, ben: it has "):
        FieldExplorer(make_field(curves=5), lattice)
    with pytest.raises(ValueError, match="the lattice lacks the field's attribute own: it has age, hue"):
        FieldExplorer(make_field(curves=5, identities=lattice.identities), lattice)


def test_a_face_that_fails_is_shown_as_an_error(lattice, monkeypatch):
    w = FieldExplorer(field_of(lattice), lattice, size=48)

    def broken(*_, **__):
        raise OSError("disk gone")

    monkeypatch.setattr(type(lattice.faces), "render_batch", broken)
    ask(w, "view_curve", curve=1)
    assert w.error["what"] == "The faces of this curve could not be rendered."
    assert w.error["why"] == "OSError: disk gone"
    assert w.neighbors["curve"] == 1
    ask(w, "load_cell", attribute=1)
    assert w.error == {}
    ask(w, "set", curve=1)
    assert "this widget answers load_cell and view_curve" in w.error["why"]
    w.close()


def test_tables_have_names(tmp_path):
    w = FieldExplorer(make_field())
    w.set(attribute="own", kind="ball", scale=0.6)
    first, second = w.to_csv(tmp_path / "field.csv")
    energies, points = pd.read_csv(first), pd.read_csv(second)
    row = energies.query("attribute == 'own' and neighborhood == 'ball:0.6'").iloc[0]
    assert row["energy"] == pytest.approx(w.energy)
    assert row["identity"] == "anna"
    assert points["energy"].mean() == pytest.approx(w.energy, abs=1e-6)
    assert list(points["curve"]) == list(range(30))
    assert set(points["neighborhood"]) == {"ball:0.6"}
    assert f"E = {w.energy:.2f} within a radius of 0.6" in saved_output(w)["text/plain"]
    w.close()


def test_picture_and_page(tmp_path, lattice, capsys):
    from PIL import Image

    w = FieldExplorer(field_of(lattice), lattice, size=32)
    w.set(curve=1)
    with Image.open(w.to_png(tmp_path / "field.png")) as image:
        assert image.mode == "RGB"
        assert image.width > 600
    page = w.to_html(tmp_path / "field.html", curves=2).read_text()
    assert "3 identities, 2 attributes, 5 curves, faces of 3" in capsys.readouterr().out
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    data = json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.S)[1])
    cells = [at for at, _ in data["answers"] if at["what"] == 0]
    views = [(at, traits) for at, traits in data["answers"] if at["what"] == 1]
    assert len(cells) == 3 * 2 * len(w.scales.kinds)
    assert len(views) == 3 * 2 * 5
    assert sum("frame" in traits for _, traits in views) == 3 * 2 * 3
    assert set(data["traits"]["identity_energies"]) == {f"{a},{kind}" for a in (0, 1) for kind in w.scales.kinds}
    with pytest.raises(ValueError, match="steps is unknown: FieldExplorer's page takes curves="):
        w.to_html(tmp_path / "field.html", steps=3)
    w.close()
