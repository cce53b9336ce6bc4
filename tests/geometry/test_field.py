"""Stencils on curves whose derivative is known, the tolerance, similarity of fields, tangents of the real network."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import fr_explore as fr

DIMS = ("identity", "attribute", "curve", "step", "dim")
GOLDEN = Path(__file__).parents[1] / "golden"


def sampled(f, steps, h=0.1, kind=np.float64):
    """Embeddings f(h s) of one curve, f giving a vector."""
    values = np.array([f(h * s) for s in steps], dtype=kind)
    return xr.DataArray(values[None, None, None], coords={"step": list(steps)}, dims=DIMS, attrs={"metric": "cosine"})


def cubic(t):
    return [1 + 2 * t, 3 - t + t**2, t**3 - 0.5 * t]


# --- stencils -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stencil", "v", "scale"),
    [
        ("central", lambda f, h: f(h) - f(-h), 1),
        ("five_point", lambda f, h: -f(2 * h) + 8 * f(h) - 8 * f(-h) + f(-2 * h), 1 / 6),
        ("forward", lambda f, h: f(h) - f(0), 2),
    ],
)
def test_stencils_follow_their_formula(stencil, v, scale):
    field = fr.vector_field(sampled(cubic, range(-2, 3)), stencil)
    expected = v(lambda t: np.array(cubic(t)), 0.1)
    length = np.linalg.norm(expected)
    assert field["direction"].values.ravel() == pytest.approx(expected / length)
    assert field["magnitude"].item() == pytest.approx(length * scale)
    assert field["point"].values.ravel() == pytest.approx(cubic(0))
    assert field.attrs == {"metric": "cosine", "stencil": stencil}


def test_five_points_are_exact_for_a_cubic_and_three_are_not():
    slope = np.array([2, -1, -0.5])
    exact = slope / np.linalg.norm(slope)
    embeddings = sampled(cubic, range(-2, 3))
    assert fr.vector_field(embeddings, "five_point")["direction"].values.ravel() == pytest.approx(exact, abs=1e-12)
    assert np.abs(fr.vector_field(embeddings, "central")["direction"].values.ravel() - exact).max() > 1e-4


def test_magnitudes_of_all_stencils_agree_on_a_straight_line():
    line = sampled(lambda t: [3 * t + 1, 4 * t], range(-2, 3))
    for stencil in ("central", "five_point", "forward"):
        assert fr.vector_field(line, stencil)["magnitude"].item() == pytest.approx(2 * 0.1 * 5)


def test_golden_directions_are_high_minus_low():
    arrays = np.load(GOLDEN / "alignment.npz")
    embeddings = xr.DataArray(
        np.stack([arrays["low"], arrays["mid"], arrays["high"]], 3), coords={"step": [-1, 0, 1]}, dims=DIMS
    )
    field = fr.vector_field(embeddings)
    v = arrays["high"] - arrays["low"]
    assert field["direction"].dtype == field["magnitude"].dtype == np.float32
    assert field["magnitude"].values == pytest.approx(np.linalg.norm(v, axis=-1), rel=1e-6)
    assert np.abs(field["direction"].values * field["magnitude"].values[..., None] - v).max() < 1e-6
    assert field["direction"].dims == ("identity", "attribute", "curve", "dim")


def test_steps_are_found_by_their_label_and_dimensions_by_name():
    embeddings = sampled(cubic, (1, 0, -1))
    same = sampled(cubic, (-1, 0, 1)).transpose("dim", "step", "curve", "attribute", "identity")
    assert fr.vector_field(embeddings).identical(fr.vector_field(same))


@pytest.mark.parametrize(
    ("kind", "out"), [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64)]
)
def test_types(kind, out):
    field = fr.vector_field(sampled(lambda t: [t, 1.0], (-1, 0, 1), h=0.5, kind=kind))
    assert {field[name].dtype.name for name in field} == {np.dtype(out).name}
    assert field["direction"].values.ravel().tolist() == [1, 0]


# --- no direction -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_difference_of_rounding_size_has_no_direction(kind):
    spacing = np.finfo(kind).eps
    values = np.full((1, 1, 3, 3, 2), 1, kind)
    values[0, 0, 0, 2, 0] += spacing  # one unit in the last place
    values[0, 0, 1, 2, 0] += 64 * spacing
    field = fr.vector_field(xr.DataArray(values, coords={"step": [-1, 0, 1]}, dims=DIMS))
    assert np.isnan(field["direction"].values[0, 0, 0]).all()
    assert field["direction"].values[0, 0, 1].tolist() == [1, 0]
    assert np.isnan(field["direction"].values[0, 0, 2]).all()
    assert field["magnitude"].values.ravel() == pytest.approx([spacing, 64 * spacing, 0])


def test_rounding_weighs_eight_times_in_five_points():
    values = np.ones((1, 1, 1, 5, 1), np.float32)
    values[..., 3, 0] += np.finfo(np.float32).eps  # f(+1) is off by one unit in the last place
    embeddings = xr.DataArray(values, coords={"step": range(-2, 3)}, dims=DIMS)
    assert np.isnan(fr.vector_field(embeddings, "five_point")["direction"].item())


def test_tolerance_is_a_length_of_the_central_difference():
    line = sampled(lambda t: [t, 0.0], range(-2, 3), h=0.5)
    for stencil in ("central", "five_point", "forward"):
        assert np.isfinite(fr.vector_field(line, stencil, tolerance=0.999)["direction"]).all()
        assert np.isnan(fr.vector_field(line, stencil, tolerance=1.001)["direction"]).all()


def test_missing_embeddings_stay_missing():
    values = np.random.default_rng(0).standard_normal((1, 1, 2, 3, 4))
    values[0, 0, 0, 2, 1] = np.nan
    field = fr.vector_field(xr.DataArray(values, coords={"step": [-1, 0, 1]}, dims=DIMS))
    assert np.isnan(field["magnitude"].values.ravel()).tolist() == [True, False]
    assert np.isnan(field["direction"].values[0, 0, 0]).all()


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "stencil", "message"),
    [
        (lambda e: e.isel(curve=0), "central", "lack curve: name them"),
        (lambda e: e.drop_vars("step"), "central", r"no coordinate step: \.assign_coords\(step=\[-1, 0, 1\]\)"),
        (lambda e: e, "five_point", r"needs the steps \[-2, -1, 0, 1, 2\]; the embeddings have \[-1, 0, 1\]"),
        (lambda e: e.sel(step=[0, 1]), "central", r"needs the steps \[-1, 0, 1\]; the embeddings have \[0, 1\]"),
        (lambda e: e, "3-point", "stencil '3-point' is unknown: choose from central, five_point, forward"),
        (lambda e: e.assign_attrs(metric="dot"), "central", "metric 'dot' is unknown: choose from euclidean, cosine"),
    ],
)
def test_errors_name_the_value_and_the_rule(change, stencil, message):
    with pytest.raises(ValueError, match=message):
        fr.vector_field(change(sampled(cubic, (-1, 0, 1))), stencil)


# --- similarity of fields -----------------------------------------------------------------------------------------


def test_similarity_equals_the_reference():
    arrays = np.load(GOLDEN / "alignment.npz")
    record = json.loads((GOLDEN / "alignment.json").read_text())
    embeddings = xr.DataArray(
        np.stack([arrays["low"], arrays["mid"], arrays["high"]], 3),
        coords={"step": [-1, 0, 1], "attribute": record["attributes"]},
        dims=DIMS,
    )
    found = fr.field_similarity(fr.vector_field(embeddings))
    assert found.dims == ("identity", "attribute", "attribute_2")
    for identity, expected in record["field_cross_distance"].items():
        assert found.sel(identity=int(identity)).values == pytest.approx(np.array(expected), abs=1e-6)
    assert found["attribute_2"].values.tolist() == record["attributes"]


def test_similarity_of_equal_opposite_and_orthogonal_fields():
    x, y = np.eye(2)
    directions = np.stack([[x] * 3, [3 * x] * 3, [-x] * 3, [y] * 3, [np.zeros(2), y, x], [[np.nan] * 2] * 3])
    field = xr.Dataset({"direction": (("identity", "attribute", "curve", "dim"), directions[None])})
    found = fr.field_similarity(field).values[0]
    assert found[0, :5].tolist() == pytest.approx([0, 0, 2, 1, 0.5])
    assert np.isnan(found[5]).all()
    assert found[:5, :5].tolist() == found[:5, :5].T.tolist()


def test_similarity_pairs_the_arrows_of_one_curve():
    """Shuffling the curves of both attributes changes nothing; shuffling one, as the paper's code does, hides it."""
    rng = np.random.default_rng(3)
    arrows = rng.standard_normal((200, 16))
    order = rng.permutation(200)

    def similarity(first, second):
        directions = (("identity", "attribute", "curve", "dim"), np.stack([first, second])[None])
        return fr.field_similarity(xr.Dataset({"direction": directions})).values[0, 0, 1]

    assert similarity(arrows, 2 * arrows) == pytest.approx(0, abs=1e-12)
    assert similarity(arrows[order], 2 * arrows[order]) == pytest.approx(0, abs=1e-12)
    assert similarity(arrows, 2 * arrows[order]) == pytest.approx(1, abs=0.1)


# --- tangents -----------------------------------------------------------------------------------------------------


def test_tangent_field_of_the_real_network_is_the_limit_of_small_steps(avatars, dlib_model):
    """Steps 30 times smaller bring the finite difference to the derivative."""
    gaps, lengths = [], []
    for share in (1.0, 1 / 30):
        sizes = {"brightness": fr.ATTRIBUTES["brightness"].step * share}
        lattice = fr.sample_lattice(avatars, ["brightness"], curves=2, seed=0, step_sizes=sizes)
        tangent = fr.tangent_field(lattice, dlib_model, progress=False)
        finite = fr.vector_field(fr.embed(lattice, dlib_model, progress=False, cache=False))
        assert dict(tangent.sizes) == dict(finite.sizes)
        assert tangent["attribute"].values.tolist() == ["brightness"]
        assert np.abs(tangent["point"].values - finite["point"].values).max() < 1e-4
        gaps.append(float(1 - (finite["direction"] * tangent["direction"]).sum("dim").median()))
        lengths.append(float((finite["magnitude"] / tangent["magnitude"]).median()))
    assert gaps[1] < 0.01 < gaps[0] < 0.3
    assert lengths[1] == pytest.approx(1, abs=0.05)
    assert tangent.attrs["metric"] == "euclidean"
    assert np.isfinite(fr.alignment(tangent, fr.knn(1))["energy"]).all()


def test_tangent_field_needs_the_three_steps(avatars, dlib_model):
    lattice = fr.sample_lattice(avatars, ["age"], curves=1)
    lattice = dataclasses.replace(lattice, steps=(0, 1))
    with pytest.raises(ValueError, match=r"the lattice has the steps \(0, 1\): sample one with -1, 0 and 1"):
        fr.tangent_field(lattice, dlib_model, progress=False)
