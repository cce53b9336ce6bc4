"""`fr.verification`: rates against closed forms and scikit-learn, intervals against known truths."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm
from sklearn.metrics import det_curve, roc_curve

import fr_explore as fr
from fr_explore.population.verification.rates import Rates


def rates_of(distances, same, weights=None) -> Rates:
    order = np.argsort(distances, kind="stable")
    return Rates.of(distances[order], same[order], None if weights is None else weights[order])


def as_pairs(genuine, impostor):
    """Points on a line whose pairs have these distances, and the pairs."""
    distances = np.concatenate([genuine, impostor])
    points = np.concatenate([np.zeros_like(distances), distances])[:, None]
    n = len(distances)
    pairs = pd.DataFrame({"first": np.arange(n), "second": np.arange(n, 2 * n), "same": np.arange(n) < len(genuine)})
    return points, pairs


def gaussians(apart: float, genuine: int, impostor: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return 10 + rng.normal(size=genuine), 10 + apart + rng.normal(size=impostor)


@pytest.mark.parametrize("apart", [1.0, 2.0, 4.0])
def test_two_gaussians(apart):
    """EER = Phi(-d' / 2), midway between the means; tar at far f is Phi(Phi^-1(f) + d')."""
    points, pairs = as_pairs(*gaussians(apart, 100_000, 200_000))
    found = fr.verification(points, pairs, draws=0, at_far=(0.1, 0.01))
    assert found.eer == pytest.approx(norm.cdf(-apart / 2), abs=0.002)
    assert found.threshold == pytest.approx(10 + apart / 2, abs=0.015)
    np.testing.assert_allclose(found.tar_at_far["tar"], norm.cdf(norm.ppf([0.1, 0.01]) + apart), atol=0.01)
    np.testing.assert_allclose(found.tar_at_far["threshold"], 10 + apart + norm.ppf([0.1, 0.01]), atol=0.03)
    # on the axes of a DET plot two Gaussians of one width give a straight line of slope -1
    inner = found.curve[found.curve["far"].between(0.01, 0.5) & found.curve["frr"].between(0.01, 0.5)]
    np.testing.assert_allclose(inner["far_probit"] + inner["frr_probit"], -apart, atol=0.05)


SAMPLES = hnp.arrays(np.int8, st.integers(2, 40), elements=st.integers(0, 12))


@settings(max_examples=60, deadline=None)
@given(SAMPLES, SAMPLES, st.integers(0, 2**32 - 1))
def test_rates_are_scikit_learns(genuine, impostor, seed):
    """With ties and with weights, at every distance that occurs."""
    distances = np.concatenate([genuine, impostor]).astype(float)
    same = np.arange(len(distances)) < len(genuine)
    weights = np.random.default_rng(seed).integers(1, 5, len(distances)).astype(float)
    ours = rates_of(distances, same, weights)
    far, tar, cuts = roc_curve(same, -distances, sample_weight=weights, drop_intermediate=False)
    np.testing.assert_allclose(ours.thresholds, -cuts[1:])
    np.testing.assert_allclose(ours.far, far[1:], atol=1e-12)
    np.testing.assert_allclose(1 - ours.frr, tar[1:], atol=1e-12)
    fpr, fnr, cuts = det_curve(same, -distances, sample_weight=weights)
    finite = np.isfinite(cuts)
    for cut, theirs in zip(-cuts[finite], zip(fpr[finite], fnr[finite], strict=True), strict=True):
        np.testing.assert_allclose(ours.at(cut), theirs, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, SAMPLES)
def test_thresholds_by_brute_force(genuine, impostor):
    distances = np.concatenate([genuine, impostor]).astype(float)
    same = np.arange(len(distances)) < len(genuine)
    rates = rates_of(distances, same)
    grid = np.concatenate([[-1.0], rates.thresholds])
    far = np.array([(impostor <= t).mean() for t in grid])
    frr = np.array([(genuine > t).mean() for t in grid])
    for limit in (0, 0.05, 0.2, 0.5, 1):
        tar, threshold = rates.at_far(limit)
        best = np.flatnonzero(far <= limit)[-1]
        assert tar == pytest.approx(1 - frr[best])
        assert (impostor <= threshold).mean() <= limit
    eer, threshold = rates.equal_error()
    crossing = int(np.argmax(far >= frr))
    # between the rates on both sides of the crossing
    assert min(frr[crossing], far[crossing - 1]) - 1e-12 <= eer <= max(far[crossing], frr[crossing - 1]) + 1e-12
    assert 0 <= eer <= 1
    assert grid[crossing - 1] <= threshold <= grid[min(crossing + 1, len(grid) - 1)]


def test_separate_kinds_have_the_threshold_in_the_middle():
    points, pairs = as_pairs(np.array([0.1, 0.2, 0.3]), np.array([0.7, 0.8]))
    found = fr.verification(points, pairs, draws=0)
    assert found.eer == 0
    assert found.threshold == pytest.approx(0.5)
    assert found.rates.loc[0, "accuracy"] == 1


def test_a_pair_at_exactly_the_threshold_is_the_same_person():
    """In the rates, in the groups and in the curve; several pairs are at the threshold."""
    points, pairs = as_pairs(np.array([1.0, 2, 2, 3]), np.array([2.0, 4, 4, 5]))
    pairs["site"] = ["a", "a", "b", "b"] * 2
    found = fr.verification(points, pairs, by="site", draws=20, published=2.0)
    row = found.rates.set_index("name").loc["published"]
    assert row[["far", "frr", "accuracy"]].tolist() == [0.25, 0.25, 0.75]
    groups = found.groups.set_index("group")
    assert groups["frr_published"].tolist() == [0, 0.5]
    assert groups["far_published"].tolist() == [0.5, 0]
    at = found.curve.set_index("threshold").loc[2.0]
    assert at[["far", "frr"]].tolist() == [0.25, 0.25]
    # a threshold for a target rate is a distance that occurs, and the pairs at that distance are accepted
    strict = fr.verification(points, pairs, draws=0, target=0.25)
    assert strict.threshold == 3
    assert strict.rates.loc[0, "frr"] == 0
    just_below = fr.verification(points, pairs, draws=0, published=np.nextafter(2, 0)).rates.set_index("name")
    assert just_below.loc["published", ["far", "frr"]].tolist() == [0, 0.75]


def test_worse_than_chance():
    points, pairs = as_pairs(np.array([0.7, 0.8]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert fr.verification(points, pairs, draws=0).eer == pytest.approx(1.0)


def test_target_false_acceptance_rate():
    points, pairs = as_pairs(*gaussians(3, 5000, 20_000))
    found = fr.verification(points, pairs, target=0.01, draws=100)
    row = found.rates.iloc[0]
    assert row["far"] == pytest.approx(0.01, abs=1e-4)
    assert found.threshold_low < 13 + norm.ppf(0.01) < found.threshold_high
    assert row["frr"] == pytest.approx(1 - norm.cdf(norm.ppf(0.01) + 3), abs=0.02)


def test_published_threshold_beside_the_calibrated_one():
    points, pairs = as_pairs(*gaussians(2, 2000, 2000))
    data = xr.DataArray(points, dims=("image", "dim"), attrs={"metric": "euclidean", "threshold": 10.2})
    table = fr.verification(data, pairs, draws=50).rates.set_index("name")
    assert table.loc["published", "threshold"] == 10.2
    assert table.loc["published", "frr"] == pytest.approx(norm.sf(0.2), abs=0.04)
    assert table.loc["published", "far"] == pytest.approx(norm.cdf(-1.8), abs=0.02)
    assert table.loc["calibrated", "far"] == pytest.approx(table.loc["calibrated", "frr"], abs=0.001)
    given = fr.verification(data, pairs, draws=0, published=11.5).rates.set_index("name")
    assert given.loc["published", "threshold"] == 11.5
    assert list(fr.verification(points, pairs, draws=0).rates["name"]) == ["calibrated"]
    # a Euclidean threshold says nothing about cosines
    angles = data.copy(data=data.values + 1)
    assert list(fr.verification(angles, pairs, draws=0, metric="cosine").rates["name"]) == ["calibrated"]


def test_interval_of_pairs_covers_the_truth():
    hits = 0
    for seed in range(60):
        points, pairs = as_pairs(*gaussians(2, 150, 150, seed))
        found = fr.verification(points, pairs, draws=120, seed=seed)
        hits += found.eer_low <= norm.cdf(-1) <= found.eer_high
    assert hits / 60 > 0.85  # 95 % is meant; the chance of less than this is below 1 %
    wide = fr.verification(points, pairs, draws=200, level=0.99)
    narrow = fr.verification(points, pairs, draws=200, level=0.5)
    assert wide.eer_low < narrow.eer_low < narrow.eer_high < wide.eer_high


def people(count: int, images: int, seed: int, spread: float = 1.0, dim: int = 4):
    """Images around a mean for each person; people differ in how much theirs vary."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(count, 1, dim)) * 1.5
    width = np.exp(rng.normal(size=(count, 1, 1)) * 0.5) * spread
    points = (means + width * rng.normal(size=(count, images, dim))).reshape(-1, dim)
    return points, np.repeat(np.arange(count), images)


def test_interval_over_people_covers_the_truth_although_pairs_are_dependent():
    """The truth comes from many people; with twelve, an interval over pairs as if independent misses it more often."""
    truth = fr.verification(*_named(people(800, 5, 99)), draws=0, max_pairs=40_000).eer
    hits = {"identities": 0, "pairs": 0}
    for seed in range(40):
        points, names = people(12, 5, seed)
        kinds = fr.verification(points, identities=names, draws=0).pairs
        for what, identities in (("identities", names), ("pairs", None)):
            found = fr.verification(points, kinds, identities=identities, draws=100, seed=seed)
            assert found.attrs["resampled"] == what
            hits[what] += found.eer_low <= truth <= found.eer_high
    assert hits["identities"] >= 32
    assert hits["identities"] > hits["pairs"] + 5


def _named(made):
    points, names = made
    return (xr.DataArray(points, dims=("image", "dim"), coords={"identity": ("image", names)}),)


def test_all_pairs_of_images_with_identities():
    points, names = people(5, 4, 0)
    found = fr.verification(points, identities=names, draws=20)
    assert (found.attrs["genuine"], found.attrs["impostor"]) == (5 * 6, 10 * 16)
    first, second = found.pairs["first"], found.pairs["second"]
    assert (found.pairs["same"] == (names[first] == names[second])).all()
    np.testing.assert_allclose(found.pairs["distance"], np.linalg.norm(points[first] - points[second], axis=1))
    few = fr.verification(points, identities=names, draws=0, max_pairs=20)
    assert (few.attrs["genuine"], few.attrs["impostor"]) == (20, 20)


def test_a_lattice_of_embeddings_is_flattened_by_its_coordinates():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 2, 4, 3, 5)) + 3 * rng.normal(size=(3, 1, 1, 1, 5))
    lattice = xr.DataArray(
        values,
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={"identity": [7, 8, 9], "attribute": ["age", "hue"], "step": [-1, 0, 1]},
        attrs={"metric": "cosine"},
    )
    found = fr.verification(lattice, by="attribute", draws=10)
    flat = fr.verification(values.reshape(-1, 5), identities=np.repeat([7, 8, 9], 24), metric="cosine", draws=10)
    assert found.threshold == flat.threshold
    assert found.eer_high == flat.eer_high
    assert list(found.groups["group"]) == ["age", "hue", "mixed"]
    assert found.groups["genuine"].tolist() == [3 * 66, 3 * 66, 3 * 144]
    order = fr.verification(lattice.transpose("dim", "step", "identity", "curve", "attribute"), draws=0)
    assert order.threshold == pytest.approx(flat.threshold)


def test_groups_show_which_is_rejected_more_often():
    rng = np.random.default_rng(0)
    genuine = np.concatenate([rng.normal(5, 1, 2000), rng.normal(6, 1, 1000)])
    points, pairs = as_pairs(genuine, rng.normal(9, 1, 3000))
    pairs["light"] = ["bright"] * 2000 + ["dark"] * 1000 + ["bright", "dark"] * 1500
    found = fr.verification(points, pairs, by="light", draws=100, published=7.0)
    table = found.groups.set_index("group")
    assert table["genuine"].to_dict() == {"bright": 2000, "dark": 1000}
    assert table["impostor"].to_dict() == {"bright": 1500, "dark": 1500}
    np.testing.assert_allclose(table["frr"], norm.sf(found.threshold - np.array([5, 6])), atol=0.02)
    np.testing.assert_allclose(table["frr_published"], norm.sf(7 - np.array([5, 6])), atol=0.02)
    assert table.loc["bright", "frr_high"] < table.loc["dark", "frr_low"]
    assert table.loc["bright", "far_high"] > table.loc["dark", "far_low"]
    overall = found.rates.set_index("name").loc["calibrated"]
    assert overall["frr"] == pytest.approx((2000 * table["frr"]["bright"] + 1000 * table["frr"]["dark"]) / 3000)


def test_group_without_a_kind_or_a_name():
    points, pairs = as_pairs(np.array([1.0, 2, 3]), np.array([4.0, 5, 6]))
    pairs["site"] = ["a", "a", None, "b", "b", "b"]
    table = fr.verification(points, pairs, by="site", draws=5).groups.set_index("group")
    assert list(table.index) == ["a", "b", "unknown"]
    assert np.isnan(table.loc["b", "frr"])
    assert np.isnan(table.loc["a", "far"])


def test_pairs_may_name_images_by_file():
    points, names = people(4, 3, 0)
    files = [f"{name}/{i}.png" for i, name in enumerate(names)]
    data = xr.DataArray(points, dims=("image", "dim"), coords={"identity": ("image", names), "file": ("image", files)})
    by_row = fr.verification(points, identities=names, draws=0).pairs
    by_file = pd.DataFrame({side: [files[i] for i in by_row[side]] for side in ("first", "second")})
    pd.testing.assert_frame_equal(fr.verification(data, by_file, draws=0).pairs, by_row)


def test_too_few_impostors_for_a_rate():
    points, pairs = as_pairs(*gaussians(2, 50, 500))
    table = fr.verification(points, pairs, draws=0, at_far=(0.01, 0.001)).tar_at_far.set_index("far")
    assert 0 < table.loc[0.01, "tar"] < 1
    assert table.loc[0.001].isna().all()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 1000))
def test_scale_moves_the_threshold_and_nothing_else(scale, seed):
    points, names = people(6, 4, seed)
    one = fr.verification(points, identities=names, draws=5, seed=3)
    other = fr.verification(points * scale, identities=names, draws=5, seed=3)
    assert other.threshold == pytest.approx(one.threshold * scale, rel=1e-6)
    assert other.eer == pytest.approx(one.eer)
    assert other.eer_high == pytest.approx(one.eer_high)


def test_same_seed_same_intervals():
    points, pairs = as_pairs(*gaussians(2, 100, 100))
    a, b, c = (fr.verification(points, pairs, draws=30, seed=seed) for seed in (1, 1, 2))
    assert (a.threshold_low, a.threshold_high) == (b.threshold_low, b.threshold_high)
    assert a.threshold_low != c.threshold_low
    none = fr.verification(points, pairs, draws=0)
    assert none.threshold == a.threshold
    assert np.isnan(none.threshold_low)
    assert "nan" not in repr(none)


def test_thinned_curve_keeps_the_shape():
    full = rates_of(*_kinds(gaussians(1.5, 60_000, 60_000)))
    thin = full.thinned()
    assert len(thin.thresholds) <= 3002 < len(full.thresholds)
    assert (thin.far[0], thin.frr[-1]) == (full.far[0], full.frr[-1])
    for rate in ("far", "frr"):
        between = np.interp(full.thresholds, thin.thresholds, getattr(thin, rate))
        assert np.abs(between - getattr(full, rate)).max() < 0.005


def _kinds(samples):
    distances = np.concatenate(samples)
    return distances, np.arange(len(distances)) < len(samples[0])


def test_shown_in_a_notebook():
    points, pairs = as_pairs(*gaussians(2, 100, 100))
    found = fr.verification(points, pairs.assign(site="<a>"), by="site", draws=20)
    assert "100 genuine and 100 impostor pairs, euclidean" in repr(found)
    html = found._repr_html_()
    assert "tar_low" in html
    assert "&lt;a&gt;" in html


PAIRS = pd.DataFrame({"first": [0, 1], "second": [1, 2], "same": [True, False]})
POINTS = np.eye(3)
WRONG = [
    (dict(pairs=PAIRS.assign(same=True)), "2 genuine and 0 impostor pairs"),
    (dict(pairs=PAIRS.drop(columns="second")), "lack the column second"),
    (dict(pairs=PAIRS.drop(columns="same")), "lack the column same, and identities are unknown"),
    (dict(pairs=PAIRS.assign(first=[0, 3])), "name 0|name 3"),
    (dict(pairs=PAIRS.assign(first=["a", "b"])), "name 'a', which is not an image here"),
    (dict(pairs=PAIRS.assign(same=[2, 0])), "the pairs' column same, row 0: 2, expected True or False"),
    (dict(pairs=None), "neither pairs nor identities"),
    (dict(pairs=PAIRS, by="age"), r"by='age' is neither a column of the pairs nor a coordinate .*\(they have: none\)"),
    (dict(pairs=PAIRS, metric="l1"), "metric 'l1' is unknown"),
    (dict(pairs=None, identities=[1, 2, 3]), "no genuine pair"),
    (dict(pairs=PAIRS, target="best"), "target is 'best': give 'eer', or a number between 0 and 1"),
    (dict(pairs=PAIRS, target=1.5), "target is 1.5"),
    (dict(pairs=PAIRS, at_far=(0.1, 0)), "a rate of at_far is 0: give a number"),
    (dict(pairs=PAIRS, level=95), "level is 95"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_use(options, message):
    with pytest.raises(ValueError, match=message):
        fr.verification(POINTS, **options)


def test_pairs_that_name_an_image_without_an_embedding_are_left_out():
    rng = np.random.default_rng(0)
    files = [f"{i}.png" for i in range(20)]
    data = xr.DataArray(rng.normal(size=(20, 4)), dims=("image", "dim"), coords={"file": ("image", files)})
    pairs = pd.DataFrame({"first": files[:-1], "second": files[1:], "same": [True, False] * 9 + [True]})
    odd = pd.DataFrame(
        {"first": ["wall.png", "2.png", "wall.png"], "second": ["1.png", None, "gone.png"], "same": True}
    )
    mixed = pd.concat([odd, pairs, odd], ignore_index=True).assign(site=lambda t: t.index.astype(str))
    found, plain = fr.verification(data, mixed, by="site", draws=3), fr.verification(data, pairs, draws=3)
    assert found.pairs[["first", "second", "distance"]].equals(plain.pairs[["first", "second", "distance"]])
    assert found.attrs["left_out"] == 6
    assert found.attrs["left_out_images"] == ["wall.png", None, "gone.png"]
    assert set(found.groups["group"]) == {str(i) for i in range(3, 22)}
    assert "6 pairs left out" in repr(found)
    assert "left out" not in repr(plain)


def test_row_numbers_are_not_mistaken_for_a_coordinate():
    """Images numbered from 1: pairs that also name a 0 count rows."""
    data = xr.DataArray(POINTS, dims=("image", "dim"), coords={"image": [1, 2, 3]})
    for pairs, rows in ((PAIRS, [0, 1]), (PAIRS.assign(first=[1, 2], second=[2, 3]), [0, 1])):
        assert sorted(fr.verification(data, pairs, draws=0).pairs["first"]) == rows


def test_on_avatars_and_dlib(avatars, dlib_model):
    """The published threshold of dlib's network is for photographs: the table shows its error rates on avatars."""
    lattice = fr.sample_lattice(avatars, ["head_angle"], curves=3, seed=0)
    found = fr.verification(fr.embed(lattice, dlib_model, progress=False), draws=50)
    assert found.attrs["metric"] == "euclidean"
    assert list(found.rates["threshold"])[1] == 0.6
    assert found.eer < 0.35
    assert found.threshold_low <= found.threshold <= found.threshold_high


def test_the_curve_has_the_intervals_of_the_rates():
    """At the published threshold the curve's band is the interval that the table of rates gives, group by group."""
    rng = np.random.default_rng(3)
    names = np.repeat(np.arange(20), 4)
    points = rng.normal(size=(20, 3))[names] + 0.5 * rng.normal(size=(80, 3))
    data = xr.DataArray(points, dims=("image", "dim"), coords={"half": ("image", np.where(names < 10, "a", "b"))})
    found = fr.verification(data, identities=names, by="half", draws=60, published=1.5)

    def at(curve, threshold):
        return curve[curve["threshold"] <= threshold].iloc[-1]

    row, rates = at(found.curve, 1.5), found.rates.set_index("name").loc["published"]
    for column in ("far", "far_low", "far_high", "frr", "frr_low", "frr_high"):
        assert row[column] == pytest.approx(rates[column], abs=0.003)
    assert set(found.group_curves) == {"a", "b", "mixed"}
    groups = found.groups.set_index("group")
    mixed = at(found.group_curves["mixed"], found.threshold)
    assert np.isnan([mixed["frr"], mixed["frr_low"]]).all()  # two people of different halves are never one person
    for column in ("far", "far_low", "far_high"):
        assert mixed[column] == pytest.approx(groups.loc["mixed", column], abs=0.003)
    for name in ("a", "b"):
        row = at(found.group_curves[name], found.threshold)
        for column in ("far", "far_low", "far_high", "frr", "frr_low", "frr_high"):
            assert row[column] == pytest.approx(groups.loc[name, column], abs=0.003)
    assert fr.verification(data, identities=names, draws=0).curve["far_low"].isna().all()
