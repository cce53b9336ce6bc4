"""The energy against the paper's reference values, closed forms and a double loop."""

import json
from pathlib import Path

import numpy as np
import oracles
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist

import fr_explore as fr
from fr_explore.geometry import tiles as _blocks

GOLDEN = Path(__file__).parents[1] / "golden"
DIMS = ("identity", "attribute", "curve", "dim")


@pytest.fixture(scope="module")
def golden():
    """Embeddings (without a metric) and the record of reference values."""
    arrays = np.load(GOLDEN / "alignment.npz")
    record = json.loads((GOLDEN / "alignment.json").read_text())
    steps = [arrays[name] for name in ("low", "mid", "high")]
    coords = {"identity": range(len(steps[0])), "attribute": record["attributes"], "step": [-1, 0, 1]}
    dims = ("identity", "attribute", "curve", "step", "dim")
    return xr.DataArray(np.stack(steps, axis=3), dims=dims, coords=coords), record


def make_field(points, directions, metric="euclidean", **coords):
    """A field of one identity from arrays (n, dim) or, for several attributes, (attributes, n, dim)."""
    points, directions = np.asarray(points), np.asarray(directions)
    directions = directions if directions.ndim == 3 else directions[None]
    points = np.broadcast_to(points, directions.shape[:2] + points.shape[-1:])
    magnitude = np.linalg.norm(directions.astype(np.float64), axis=-1)
    with np.errstate(invalid="ignore"):
        unit = directions / np.where(magnitude > 0, magnitude, np.nan)[..., None]
    arrays = {"point": (DIMS, points[None]), "direction": (DIMS, unit[None]), "magnitude": (DIMS[:3], magnitude[None])}
    return xr.Dataset(arrays, coords, {"metric": metric})


def random_cloud(n, dim, seed=0, drift=0.5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, dim)), rng.standard_normal((n, dim)) + drift


# --- reference values ---------------------------------------------------------------------------------------------


GOLDEN_RULES = {
    "inverse_distance": fr.all_pairs(),
    **{f"knn{k}": fr.knn(k) for k in (1, 5, 10, 50)},
    **{f"ball{r}": fr.ball(r, include_self=True) for r in (0.5, 0.75, 0.9, 1.0, 1.2)},
}


@pytest.mark.parametrize("small", [_blocks.SMALL, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", GOLDEN_RULES)
def test_matches_every_reference_energy(golden, name, metric, small, monkeypatch):
    monkeypatch.setattr(_blocks, "SMALL", small)
    embeddings, record = golden
    field = fr.vector_field(embeddings.assign_attrs(metric=metric))
    table = fr.alignment(field, GOLDEN_RULES[name]).set_index(["identity", "attribute"])
    expected = {tuple(key.split("/")): values[f"{name}/{metric}"] for key, values in record["energies"].items()}
    assert len(table) == len(expected) == 24
    for (identity, attribute), value in expected.items():
        value = value["energy_including_self"] if isinstance(value, dict) else value
        assert table.loc[(int(identity), attribute), "energy"] == pytest.approx(value, abs=1e-6)


def test_the_list_of_reference_rules_is_complete(golden):
    _, record = golden
    names = {name.split("/")[0] for values in record["energies"].values() for name in values}
    assert names == set(GOLDEN_RULES)


# --- a double loop ------------------------------------------------------------------------------------------------


@st.composite
def small_fields(draw):
    """Points on a coarse grid (ties and duplicates), directions some of which are zero or NaN, curves that repeat."""
    n, dim = draw(st.integers(3, 12)), draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    points = rng.integers(-2, 3, (n, dim)) / 4 if draw(st.booleans()) else rng.standard_normal((n, dim))
    points[np.all(points == 0, axis=1)] = 0.25  # the cosine metric has no zero vector
    directions = rng.standard_normal((n, dim))
    directions[rng.random(n) < draw(st.sampled_from([0.0, 0.3]))] = draw(st.sampled_from([0.0, np.nan]))
    curve = rng.integers(0, max(2, n // 2), n) if draw(st.booleans()) else None
    return points, directions, curve


rules = st.one_of(
    st.tuples(st.just("knn"), st.integers(1, 2)),
    st.tuples(st.just("ball"), st.sampled_from([0.3, 0.7, 1.1, 5.0])),
    st.tuples(st.just("all_pairs"), st.sampled_from([0, 0.5, 1, 2, 3])),
)


def neighborhood(rule):
    name, number = rule
    return {"knn": fr.knn, "ball": fr.ball}[name](number) if name != "all_pairs" else fr.all_pairs(power=number)


@pytest.mark.parametrize("small", [_blocks.SMALL, 0], ids=["float64", "float32"])
@settings(max_examples=150, deadline=None)
@given(small_fields(), rules, st.sampled_from(["euclidean", "cosine", "chord"]))
def test_equals_a_double_loop(small, case, rule, metric):
    points, directions, curve = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blocks, "SMALL", small)
        found = fr.alignment_energy(
            points, directions, neighborhood(rule), metric=metric, curve=curve, point_energies=True
        )
    expected = oracles.point_energies(points, directions, rule, metric, curve)
    assert found == pytest.approx([np.nan if e is None else e for e in expected], abs=1e-6, nan_ok=True)


# --- closed forms -------------------------------------------------------------------------------------------------


RULES = [fr.all_pairs(), fr.knn(7), fr.ball(1.0), fr.all_pairs(power=0), fr.all_pairs(power=3)]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_parallel_arrows_have_energy_zero_and_opposite_ones_two(rule):
    points, _ = random_cloud(60, 5)
    assert fr.alignment_energy(points, np.ones((60, 5)), rule) == pytest.approx(0, abs=1e-12)
    pair = np.array([[0.0, 0], [1, 0]])
    if not isinstance(rule, type(fr.knn(7))):
        assert fr.alignment_energy(pair, [[1.0, 2], [-1, -2]], rule) == pytest.approx(2)


def test_all_pairs_alike_is_one_minus_magnetisation_squared():
    points, v = random_cloud(200, 16)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    m2 = np.sum(unit.mean(0) ** 2)
    assert fr.alignment_energy(points, v, fr.all_pairs(power=0, include_self=True)) == pytest.approx(1 - m2)
    assert fr.alignment_energy(points, v, fr.all_pairs(power=0)) == pytest.approx(200 / 199 * (1 - m2))
    assert fr.alignment_energy(points, v, fr.ball(np.inf)) == pytest.approx(200 / 199 * (1 - m2))


@pytest.mark.parametrize("drift", [0.0, 0.5, 1.0, 2.0])
def test_a_common_drift_gives_one_over_one_plus_its_square(drift):
    rng = np.random.default_rng(3)
    n, dim = 400, 512
    v = rng.standard_normal((n, dim)) / np.sqrt(dim)
    v[:, 0] += drift
    energy = fr.alignment_energy(rng.standard_normal((n, dim)), v, fr.knn(10))
    assert energy == pytest.approx(1 / (1 + drift**2), abs=0.01)


def test_self_counted_pulls_the_ball_down_by_one_in_its_size():
    points, v = random_cloud(50, 4)
    alone = fr.alignment_energy(points, v, fr.ball(np.inf))
    assert fr.alignment_energy(points, v, fr.ball(np.inf, include_self=True)) == pytest.approx(alone * 49 / 50)


def test_a_vortex_looks_aligned_nearby_and_disordered_far_away():
    angle = np.arange(360) * np.pi / 180
    ring, tangent = np.c_[np.cos(angle), np.sin(angle)], np.c_[-np.sin(angle), np.cos(angle)]
    assert fr.alignment_energy(ring, tangent, fr.knn(2)) == pytest.approx(1 - np.cos(np.pi / 180), abs=1e-9)
    assert fr.alignment_energy(ring, tangent, fr.ball(10)) == pytest.approx(360 / 359)


# --- invariances --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
def test_rotation_scale_and_order_do_not_matter(rule, metric):
    points, v = random_cloud(90, 6)
    energy = fr.alignment_energy(points, v, rule, metric=metric)
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    order = rng.permutation(90)
    assert fr.alignment_energy(points @ turn, v @ turn, rule, metric=metric) == pytest.approx(energy, abs=1e-9)
    assert fr.alignment_energy(points * 1e-6, v * 1e9, rule, metric=metric) == pytest.approx(energy, abs=1e-9)
    assert fr.alignment_energy(points[order], v[order], rule, metric=metric) == pytest.approx(energy, abs=1e-9)
    if metric == "euclidean":
        assert fr.alignment_energy(points + 1e4, v, rule) == pytest.approx(energy, abs=1e-7)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_input_types_agree(rule):
    points, v = (a.astype(np.float16) for a in random_cloud(80, 8))
    exact = fr.alignment_energy(points.astype(np.float64), v.astype(np.float64), rule)
    for kind in (np.float16, np.float32, np.longdouble):
        assert fr.alignment_energy(points.astype(kind), v.astype(kind), rule) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_float32_tiles_and_torch_agree_with_float64(rule, monkeypatch):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    points = rng.standard_normal((40, 24))[rng.integers(0, 40, 1300)] * 30 + rng.standard_normal((1300, 24))
    points[:20] = points[20:40]  # duplicates
    v = rng.standard_normal((1300, 24)) + 0.3 * points
    exact = fr.alignment_energy(points, v, rule)
    on_torch = fr.alignment_energy(points, v, rule, device=torch.device("cpu"))
    monkeypatch.setattr(_blocks, "SMALL", 0)
    assert fr.alignment_energy(points, v, rule) == pytest.approx(exact, abs=1e-6)
    assert on_torch == pytest.approx(exact, abs=1e-9)
    assert fr.alignment_energy(points, v, rule, device=torch.device("cpu")) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_energies_survive_huge_and_tiny_arrows(rule):
    points, v = random_cloud(30, 3)
    energy = fr.alignment_energy(points, v, rule)
    lengths = np.logspace(-300, 300, 30)[:, None]
    assert fr.alignment_energy(points, v * lengths, rule) == pytest.approx(energy, abs=1e-9)


# --- what is missing, equal or too few ----------------------------------------------------------------------------


def test_points_without_a_direction_take_no_part():
    points, v = random_cloud(50, 4)
    holes = v.copy()
    holes[[3, 9]], holes[20, 1] = 0, np.nan
    keep = np.delete(np.arange(50), [3, 9, 20])
    energy = fr.alignment_energy(points[keep], v[keep], fr.knn(5))
    assert fr.alignment_energy(points, holes, fr.knn(5)) == pytest.approx(energy)
    table = fr.alignment(make_field(points, holes), fr.knn(5))
    assert table.loc[0, ["energy", "zero_direction", "coverage", "isolated"]].tolist() == pytest.approx(
        [energy, 0.06, 1, 0]
    )
    assert table.loc[0, "points"] == 50


def test_an_invariant_attribute_has_no_energy_and_says_so():
    points, v = random_cloud(20, 4)
    field = make_field(points, np.stack([v, np.zeros_like(v)]), attribute=["age", "hue"])
    with pytest.warns(
        UserWarning, match=r"no point has a neighbour with a direction for 0 hue: the energy there is NaN"
    ):
        table = fr.alignment(field, fr.knn(3))
    assert np.isfinite(table.loc[0, "energy"])
    assert np.isnan(table.loc[1, "energy"])
    assert table.loc[1, ["coverage", "zero_direction", "magnitude"]].tolist() == [0, 1, 0]


@pytest.mark.parametrize("small", [_blocks.SMALL, 0], ids=["float64", "float32"])
def test_steep_weights_do_not_overflow(small, monkeypatch):
    monkeypatch.setattr(_blocks, "SMALL", small)
    points, v = random_cloud(40, 3)
    points[1::2] = points[::2] + 1e-6  # 1/d^8 = 1e48
    pairs = v.reshape(20, 2, 3) / np.linalg.norm(v, axis=1).reshape(20, 2, 1)
    nearest_alone = np.mean(1 - (pairs[:, 0] * pairs[:, 1]).sum(-1))
    assert fr.alignment_energy(points, v, fr.all_pairs(power=8)) == pytest.approx(nearest_alone)


def test_points_that_are_not_numbers_take_no_part():
    points, v = random_cloud(40, 4)
    holes = points.copy()
    holes[5, 2], holes[11] = np.nan, np.inf
    keep = np.delete(np.arange(40), [5, 11])
    energy = fr.alignment_energy(points[keep], v[keep], fr.ball(0.9))
    assert fr.alignment_energy(holes, v, fr.ball(0.9)) == pytest.approx(energy)
    table = fr.alignment(make_field(holes, v), fr.ball(0.9))
    assert table.loc[0, ["energy", "zero_direction"]].tolist() == pytest.approx([energy, 0.05])


def test_pairs_at_distance_zero_carry_no_weight():
    """Also where the zero comes out as rounding: x and 3 x have the same direction."""
    points, v = random_cloud(30, 5)
    points[10:20] = 3 * points[:10]
    expected = oracles.energy(points, v, ("all_pairs", 1), "cosine")
    assert fr.alignment_energy(points, v, fr.all_pairs(), metric="cosine") == pytest.approx(expected, abs=1e-9)


def test_isolated_points_are_reported_not_averaged():
    points = np.array([[0.0], [1], [100]])
    v = np.array([[1.0], [-1], [1]])
    table = fr.alignment(make_field(points, v), fr.ball(2, relative=False))
    assert table.loc[0, "energy"] == pytest.approx(2)
    assert table.loc[0, ["coverage", "isolated"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    # the paper's way: self is a neighbour, so an isolated point scores 0
    assert fr.alignment_energy(points, v, fr.ball(2, relative=False, include_self=True)) == pytest.approx(2 / 3)


def test_the_papers_radius_can_be_given():
    """Its unit is the mean distance of all images of the lattice, ours that of the base points."""
    points, v = random_cloud(30, 5)
    images = np.concatenate([points - 0.3 * v, points, points + 0.3 * v])
    own, theirs = pdist(points).mean(), pdist(images).mean()
    assert abs(theirs / own - 1) > 0.01
    absolute = fr.ball(0.9 * theirs, relative=False, include_self=True)
    near = cdist(points, points) <= 0.9 * theirs
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    expected = np.mean([np.mean(1 - unit[row] @ u) for row, u in zip(near, unit, strict=True)])
    assert fr.alignment_energy(points, v, absolute) == pytest.approx(expected)
    relative = fr.ball(0.9 * theirs / own, include_self=True)
    assert fr.alignment_energy(points, v, relative) == pytest.approx(expected)
    assert fr.alignment_energy(points, v, fr.ball(0.9, include_self=True)) != pytest.approx(expected)


@pytest.mark.parametrize("rule", [fr.knn(3), fr.ball(1.0), fr.all_pairs(power=0)], ids=repr)
def test_equal_points_are_all_neighbours(rule):
    _, v = random_cloud(10, 3)
    points = np.full((10, 3), 0.1)
    energies = fr.alignment_energy(points, v, rule, point_energies=True)
    assert np.isfinite(energies).all()
    if rule == fr.knn(3):  # ties go to the lower index
        unit = v / np.linalg.norm(v, axis=1, keepdims=True)
        assert energies[9] == pytest.approx(1 - (unit[9] @ unit[:3].T).mean())
        assert energies[1] == pytest.approx(1 - (unit[1] @ unit[[0, 2, 3]].T).mean())


def test_equal_points_have_no_inverse_distance():
    _, v = random_cloud(10, 3)
    assert np.isnan(fr.alignment_energy(np.ones((10, 3)), v, fr.all_pairs()))
    with pytest.warns(UserWarning, match="energy there is NaN"):
        fr.alignment(make_field(np.ones((10, 3)), v), fr.all_pairs())


def test_too_few_points():
    points, v = random_cloud(5, 3)
    with pytest.raises(ValueError, match=r"knn:5 needs more than 5 points, there are 5: take a smaller k"):
        fr.alignment(make_field(points, v), fr.knn(5))
    with pytest.raises(ValueError, match="knn:10 needs more than 10 points, there are 1"):
        fr.alignment_energy(points[:1], v[:1])
    assert np.isnan(fr.alignment_energy(points[:1], v[:1], fr.ball(1)))
    assert np.isnan(fr.alignment_energy(points[:0], v[:0], fr.all_pairs()))


def test_masked_points_leave_fewer_than_k():
    points, v = random_cloud(12, 3)
    v[3:] = 0  # three are left: each has the two others
    expected = oracles.energy(points[:3], v[:3], ("knn", 2))
    assert fr.alignment_energy(points, v, fr.knn(10)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": np.zeros((3, 2, 2))}, r"points have shape \(3, 2, 2\): give two dimensions"),
        ({"points": np.zeros((4, 2))}, "4 points and 3 directions: give each point one direction"),
        ({"points": np.array([["a", "b"]] * 3)}, "points have type <U1: give real numbers"),
        ({"metric": "manhattan"}, "metric 'manhattan' is unknown: choose from euclidean, cosine, chord"),
        ({"neighborhood": "knn"}, "neighbourhood 'knn' is unknown: write it like all_pairs, ball:0.6, knn:10"),
        ({"curve": [1, 2]}, r"curve has shape \(2,\): give one id for each of the 3 points"),
        ({"metric": "cosine", "points": [[1.0, 0], [0, 0], [0, 1]]}, "point 1 has length 0, which has no cosine"),
        ({"device": "mps"}, "device 'mps' has no float64"),
    ],
)
def test_errors_name_the_value_and_the_rule(arguments, message):
    good = {"points": np.eye(3, 2), "directions": np.ones((3, 2)), "neighborhood": fr.all_pairs()}
    with pytest.raises(ValueError, match=message):
        fr.alignment_energy(**(good | arguments))


def test_a_gpu_agrees_or_is_said_not_to_be_there():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        points, v = random_cloud(300, 20)
        for rule in RULES:
            exact = fr.alignment_energy(points, v, rule, device="cpu")
            assert fr.alignment_energy(points, v, rule, device="cuda") == pytest.approx(exact, abs=1e-4)
    else:
        with pytest.raises(
            ValueError, match=r"device 'cuda' is not available, torch .* sees no CUDA GPU: use one of 'auto', 'cpu'"
        ):
            fr.alignment_energy(*random_cloud(30, 3), device="cuda")


# --- curves -------------------------------------------------------------------------------------------------------


def test_points_of_one_curve_are_no_neighbours():
    """Two centres two steps apart share an endpoint with opposite sign: noise then scores 1.5, not 1."""
    rng = np.random.default_rng(0)
    ends = rng.standard_normal((400, 3, 64))  # f at steps -2, 0, 2 of each curve, pure noise
    base = rng.standard_normal((400, 1, 64)) * 50
    points = (base + np.array([-1.0, 1])[None, :, None]).reshape(800, 64)
    v = np.diff(ends, axis=1).reshape(800, 64)
    curve = np.repeat(np.arange(400), 2)
    assert fr.alignment_energy(points, v, fr.knn(1)) == pytest.approx(1.5, abs=0.03)
    assert fr.alignment_energy(points, v, fr.knn(1), curve=curve) == pytest.approx(1, abs=0.03)
    table = fr.alignment(make_field(points, v, curve=curve), fr.knn(1))
    assert table.loc[0, "energy"] == pytest.approx(fr.alignment_energy(points, v, fr.knn(1), curve=curve))


# --- the null models ----------------------------------------------------------------------------------------------


def test_gaussian_null_has_the_predicted_mean_and_width():
    points, v = random_cloud(300, 24)
    field = make_field(points, v)
    table, details = fr.alignment(field, fr.knn(6), null_draws=400, seed=1, point_energies=True)
    w = np.array(oracles.weights(points, ("knn", 6), "euclidean")) / 6
    predicted = np.sqrt(np.sum(np.triu(w + w.T) ** 2) / 24) / 300
    assert table.loc[0, "null_mean"] == pytest.approx(1, abs=5 * predicted / np.sqrt(400))
    assert table.loc[0, "null_sd"] == pytest.approx(predicted, rel=0.15)
    draws = details["null_energy"].sel(identity=0, attribute=0)
    assert draws.shape == (400,)
    assert float(draws.mean()) == pytest.approx(table.loc[0, "null_mean"])
    assert float(draws.std(ddof=1)) == pytest.approx(table.loc[0, "null_sd"])
    assert table.loc[0, "z"] == pytest.approx((table.loc[0, "energy"] - draws.mean()) / draws.std(ddof=1))


def test_permutation_null_keeps_the_magnetisation():
    points, v = random_cloud(120, 8, drift=1.0)
    everywhere = fr.alignment_energy(points, v, fr.all_pairs(power=0))
    table = fr.alignment(make_field(points, v), fr.knn(5), null_draws=300, null="permutation")
    assert everywhere < 0.8
    assert table.loc[0, "null_mean"] == pytest.approx(everywhere, abs=6 * table.loc[0, "null_sd"] / np.sqrt(300))


def test_draws_depend_on_the_seed_alone():
    points, v = random_cloud(60, 5)
    other = np.random.default_rng(9).standard_normal((60, 5))
    one = fr.alignment(make_field(points, v), null_draws=20, seed=3)
    both = fr.alignment(make_field(points, np.stack([v, other])), null_draws=20, seed=3)
    assert both.loc[0, "null_mean"] == one.loc[0, "null_mean"] == both.loc[1, "null_mean"]
    assert fr.alignment(make_field(points, v), null_draws=20, seed=4).loc[0, "null_mean"] != one.loc[0, "null_mean"]


def test_draws_do_not_depend_on_how_many_are_held(monkeypatch):
    from importlib import import_module

    points, v = random_cloud(60, 5)
    for null in ("gaussian", "permutation"):
        whole = fr.alignment(make_field(points, v), null_draws=7, null=null)
        with monkeypatch.context() as patch:
            patch.setattr(import_module("fr_explore.geometry.null"), "DRAWN_AT_ONCE", 700)
            assert fr.alignment(make_field(points, v), null_draws=7, null=null).equals(whole)


def test_null_errors():
    field = make_field(*random_cloud(20, 3))
    with pytest.raises(ValueError, match="null 'uniform' is unknown: choose 'gaussian' or 'permutation'"):
        fr.alignment(field, null="uniform")
    with pytest.raises(ValueError, match="null_draws = 1: give 0 for none, or at least 2"):
        fr.alignment(field, null_draws=1)


# --- the table ----------------------------------------------------------------------------------------------------


def test_table_says_what_was_used(golden):
    embeddings, _ = golden
    field = fr.vector_field(embeddings.assign_attrs(metric="cosine", model="some net"))
    table = fr.alignment(field, "ball:0.9:chord", seed=5)
    assert table.columns.tolist() == [
        "identity", "attribute", "energy", "null_mean", "null_sd", "z", "coverage", "isolated", "zero_direction",
        "magnitude", "points",
    ]  # fmt: skip
    assert table.attrs == {
        "metric": "chord",
        "model": "some net",
        "stencil": "central",
        "neighborhood": "ball:0.9:chord",
        "null": "gaussian",
        "null_draws": 0,
        "seed": 5,
        "magnitude": "median |v| / mean pairwise Euclidean distance",
    }
    assert table["attribute"].tolist() == field["attribute"].values.tolist() * 3
    assert table[["null_mean", "null_sd", "z"]].isna().all().all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_magnitude_is_relative_to_the_euclidean_spread(golden, metric):
    embeddings, record = golden
    field = fr.vector_field(embeddings.assign_attrs(metric=metric))
    table = fr.alignment(field, fr.knn(5))
    spread = record["energies"]["0/age"]["ball0.5/euclidean"]["mean_pairwise_distance"]
    expected = float(field["magnitude"].sel(identity=0, attribute="age").median()) / spread
    row = table[(table["identity"] == 0) & (table["attribute"] == "age")]
    assert row["magnitude"].item() == pytest.approx(expected, rel=1e-6)


def test_attributes_that_share_their_points_equal_separate_ones():
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((70, 6)), rng.standard_normal((3, 70, 6))
    v[1, 5] = 0  # another set of points takes part in this one
    together = fr.alignment(make_field(points, v), fr.ball(0.9))["energy"]
    apart = [fr.alignment_energy(points, v[a], fr.ball(0.9)) for a in range(3)]
    assert together.tolist() == pytest.approx(apart)


def test_point_energies_average_to_the_energy(golden):
    embeddings, _ = golden
    table, details = fr.alignment(fr.vector_field(embeddings), fr.ball(0.75), point_energies=True)
    assert details["energy"].dims == ("identity", "attribute", "curve")
    means = details["energy"].mean("curve").to_series()
    assert table.set_index(["identity", "attribute"])["energy"].to_dict() == pytest.approx(means.to_dict())


def test_dimensions_in_any_order(golden):
    embeddings, _ = golden
    field = fr.vector_field(embeddings.assign_attrs(metric="euclidean"))
    turned = field.transpose("dim", "curve", "attribute", "identity")
    assert fr.alignment(turned, fr.knn(5)).equals(fr.alignment(field, fr.knn(5)))


def test_a_field_without_a_metric_or_a_point():
    field = make_field(*random_cloud(30, 3))
    with pytest.raises(ValueError, match="metric 'dot' is unknown: choose from euclidean, cosine"):
        fr.alignment(field.assign_attrs(metric="dot"))
    with pytest.raises(ValueError, match=r"the field lacks point: make it with vector_field"):
        fr.alignment(field.drop_vars("point"))


def test_progress_bar_only_when_asked(capfd):
    field = make_field(*random_cloud(1200, 3))
    fr.alignment(field, fr.ball(1.0))
    assert "%|" not in capfd.readouterr().err
    fr.alignment(field, fr.ball(1.0), progress=True)
    assert "%|" in capfd.readouterr().err
