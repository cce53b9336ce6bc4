"""The macroscale against golden values, closed forms, a brute-force oracle, and its own null model."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp, spearmanr

import fr_explore as fr
from fr_explore.population.labels import inter_entropy, intra_entropy, sample

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def golden():
    arrays = np.load(GOLDEN / "macroscale.npz")
    values = json.loads((GOLDEN / "macroscale.json").read_text())
    labels = pd.DataFrame(arrays["labels"], columns=values["attributes"])
    return arrays["embeddings"], arrays["identity"], labels, values


def people(count=30, images=4, dim=5, shift=0.0, seed=0):
    """Images of people; one attribute is constant within a person and shifts the embedding, the other is random."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(count), images)
    fixed = np.where(np.arange(count) % 2, 1, -1)[identities]
    points = rng.normal(size=(count, dim))[identities] + 0.2 * rng.normal(size=(len(identities), dim))
    points[:, 0] += shift * fixed
    labels = pd.DataFrame({"fixed": fixed, "chance": np.where(rng.random(len(identities)) < 0.5, 1, -1)})
    return points, identities, labels


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_golden(golden, metric):
    embeddings, identities, labels, values = golden
    table = fr.macroscale(embeddings, identities, labels, metric=metric, permutations=0, sampling="first")
    for row in table.to_dict("records"):
        expected = values["ks"][f"{row['attribute']}/{metric}"]
        assert row["n"] == expected["n"]
        assert row["ks_positive"] == pytest.approx(expected["positive"], abs=1e-12)
        assert row["ks_negative"] == pytest.approx(expected["negative"], abs=1e-12)
        assert row["ks_mean"] == pytest.approx((expected["positive"] + expected["negative"]) / 2, abs=1e-12)
        assert row["ks_max"] == pytest.approx(max(expected["positive"], expected["negative"]), abs=1e-12)
        assert row["intra_entropy"] == pytest.approx(values["intra_entropy_nats"][row["attribute"]], abs=1e-12)
        assert row["inter_entropy"] == pytest.approx(values["inter_entropy_nats"][row["attribute"]], abs=1e-12)


def test_golden_sample(golden):
    _, identities, labels, values = golden
    for name in labels:
        index, side = sample(identities, labels[name].to_numpy(), "first", 500, np.random.default_rng(0))
        expected = values["ks"][f"{name}/euclidean"]
        assert index[side].tolist() == expected["positive_index"]
        assert index[~side].tolist() == expected["negative_index"]


@settings(max_examples=40, deadline=None)
@given(
    half=st.integers(2, 8),
    dim=st.integers(1, 3),
    seed=st.integers(0, 999),
    metric=st.sampled_from(["euclidean", "cosine"]),
    whole=st.booleans(),
)
def test_ks_agrees_with_scipy(half, dim, seed, metric, whole):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(2 * half, dim)) + 3
    if whole:  # many equal distances; cosines of whole numbers tie in exact arithmetic only
        points, metric = np.round(points), "euclidean"
    side = rng.permutation(np.arange(2 * half) < half)
    # the same arithmetic in both, so that ties stay ties
    a, b, across = (
        cdist(*pair, metric) for pair in [(points[side],) * 2, (points[~side],) * 2, (points[side], points[~side])]
    )
    upper = np.triu_indices(half, 1)
    expected = [ks_2samp(inside[upper], across.ravel()).statistic for inside in (a, b)]
    people, labels = np.arange(2 * half), pd.DataFrame({"a": side})
    table = fr.macroscale(points, people, labels, metric, permutations=0, sampling="first")
    assert table.loc[0, ["ks_positive", "ks_negative"]].tolist() == pytest.approx(expected, abs=1e-12)
    gaps = fr.modality_distances(points, people, labels, "a", metric, sampling="first").attrs["ks"]
    assert [gaps[name]["value"] for name in ("positive", "negative")] == pytest.approx(expected, abs=1e-12)


def test_intra_entropy_closed_forms():
    identities = ["ann"] * 4 + ["bob"] * 4
    assert intra_entropy(identities, [1] * 4 + [-1] * 4) == 0
    assert intra_entropy(identities, [1, -1] * 4) == pytest.approx(np.log(2))
    assert intra_entropy(identities, [1, -1, 1, -1] + [-1] * 4) == pytest.approx(np.log(2) / 2)
    quarter = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert intra_entropy(identities, [1, -1, -1, -1, 0, 0, np.nan, 0]) == pytest.approx(quarter)
    assert np.isnan(intra_entropy(identities, [np.nan] * 8))


def test_inter_entropy_limits():
    many = np.repeat(np.arange(201), 100)
    spread = np.concatenate([np.where(np.arange(100) < k / 2, 1, -1) for k in range(201)])
    # means over the whole of [-1, 1] evenly: near the entropy of 101 equal shares; one value: that of a Gaussian
    assert 4.58 < inter_entropy(many, spread) < np.log(101)
    narrow = inter_entropy(many, np.tile([1, -1], 10050))
    assert narrow == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 0.1**2) - np.log(2 / 100), abs=1e-6)
    assert np.isnan(inter_entropy(many, np.full(20100, np.nan)))


def test_what_shapes_the_space_stands_out():
    points, identities, labels = people(shift=3)
    table = fr.macroscale(points, identities, labels, permutations=99).set_index("attribute")
    assert table.loc["fixed", "p_value"] == 0.01
    assert table.loc["fixed", "ks_scaled"] > 5
    assert table.loc["fixed", "distance_ratio"] > 1.5
    assert table.loc["fixed", "intra_entropy"] == 0
    assert table.loc["chance", "p_value"] > 0.05
    assert table.loc["fixed", "ks_mean"] > 3 * table.loc["chance", "ks_mean"]


@pytest.mark.parametrize("sampling", ["apart", "reference"])
def test_p_values_are_uniform_without_an_effect(sampling):
    # a permutation test must reject at its level; the "chance" label varies within a person, so many people have both
    values = []
    for seed in range(4):
        points, identities, _ = people(count=16, images=2, seed=seed)
        rng = np.random.default_rng(seed)
        fixed = np.array([rng.permutation(np.arange(16) % 2)[identities] for _ in range(30)])
        labels = np.concatenate([fixed, rng.integers(2, size=(30, 32))]).T == 1
        table = fr.macroscale(points, identities, labels, permutations=19, sampling=sampling, seed=seed)
        values.append(table["p_value"].to_numpy().reshape(2, 30))
    share = np.mean(np.concatenate(values, axis=1) <= 0.1, axis=1)
    # 120 tests at level 0.1: mean 12, sd 3.3
    assert (np.abs(share - 0.1) < 0.083).all()


def test_equal_labellings_count_as_equal():
    # corners of a simplex are all at the same distance: all labellings are equal
    table = fr.macroscale(np.eye(8), np.arange(8), np.array([[1], [-1]] * 4), permutations=9)
    assert table.loc[0, ["ks_mean", "null_mean", "p_value"]].tolist() == [0, 0, 1]


def mean_ks(points, side):
    """Mean KS of a labelling by brute force."""
    upper = np.triu_indices(side.sum(), 1)
    across = cdist(points[side], points[~side]).ravel()
    inside = [cdist(points[own], points[own])[upper] for own in (side, ~side)]
    return np.mean([ks_2samp(values, across).statistic for values in inside])


def test_permutations_keep_a_person_with_both_labels_in_both_modalities():
    """The draws are exactly the KS of the labellings that do so, each about equally often."""
    people = np.array([0, 1, 2, 3, 1, 0, 4, 5])
    points = np.random.default_rng(0).normal(size=(8, 3))
    labels = pd.DataFrame({"a": np.arange(8) < 4})
    table = fr.macroscale(points, people, labels, permutations=400, sampling="reference")
    sides = [np.isin(np.arange(8), chosen) for chosen in combinations(range(8), 4)]
    kept = [side for side in sides if side[0] != side[5] and side[1] != side[4]]
    assert len(kept) == 24  # 2 x 2 swaps and 6 ways to give the other four people two places on each side
    allowed, others = (np.unique(np.round([mean_ks(points, s) for s in some], 9)) for some in (kept, sides))
    assert len(allowed) < len(others)
    drawn, counts = np.unique(np.round(table.attrs["null_draws"]["a"], 9), return_counts=True)
    np.testing.assert_allclose(drawn, allowed)
    # swapping the modalities leaves the mean KS as it is, so there are at most 12 values
    assert counts.min() > 400 / 12 - 4 * np.sqrt(400 / 12)


def test_nobody_is_in_both_modalities():
    rng = np.random.default_rng(0)
    for _ in range(50):
        codes = np.sort(rng.integers(0, 12, size=60))
        signs = rng.choice([-1, 0, 1], size=60, p=[0.2, 0.2, 0.6])
        index, side = sample(codes, signs, "apart", 500, rng)
        assert len(np.unique(codes[index])) == len(index)
        assert (signs[index] == np.where(side, 1, -1)).all()
        assert side.sum() == len(side) / 2
        # the two sides are as large as the labels allow
        has = [set(codes[signs == s]) for s in (1, -1)]
        assert len(index) // 2 == min(len(has[0]), len(has[1]), len(has[0] | has[1]) // 2)


def test_reference_sampling_takes_people_twice(golden):
    _, identities, labels, _ = golden
    index, _ = sample(identities, labels["Smiling"].to_numpy(), "first", 500, np.random.default_rng(0))
    assert len(np.unique(identities[index])) < len(index)


def test_reference_sampling_shuffles_as_the_papers_code_does():
    """Images and identities are random, seeded; the limit takes identities in their order within the modality."""
    codes = np.tile(np.arange(6), 20)
    signs = np.where(np.arange(120) < 60, 1, -1)
    drawn = [sample(codes, signs, "reference", 3, np.random.default_rng(seed))[0] for seed in range(300)]
    assert (drawn[0] == sample(codes, signs, "reference", 3, np.random.default_rng(0))[0]).all()
    taken = np.bincount(np.ravel(drawn), minlength=120)
    # each image with probability 1/20: 15 times of 300, sd 3.8
    assert abs(taken - 15).max() < 4.5 * 3.8
    for index in drawn:
        assert (signs[index] == [1, 1, 1, -1, -1, -1]).all()
        assert len(set(codes[index[:3]])) == len(set(codes[index[3:]])) == 3
    # interleaved identities: the first within the modality, not the first in all rows
    codes, signs = np.array([0, 1, 2, 3, 2, 3, 0, 1]), np.array([1, 1, 1, 1, -1, -1, -1, -1])
    assert sample(codes, signs, "first", 2, None)[0].tolist() == [0, 1, 4, 5]


def test_repeated_samples_have_a_spread():
    points, identities, labels = people(shift=1)
    table = fr.macroscale(points, identities, labels, permutations=5, sampling="reference", seed=2)
    for name, row in table.set_index("attribute").iterrows():
        found = table.attrs["repeats"][name]
        assert len(set(found)) == len(found) == 10
        assert row["ks_mean"] == found[0]
        assert [row["ks_repeated"], row["ks_sd"]] == pytest.approx([np.mean(found), np.std(found, ddof=1)])
    once = fr.macroscale(points, identities, labels, permutations=5, sampling="reference", seed=2, repeats=1)
    assert once[["ks_repeated", "ks_sd"]].isna().all(axis=None)
    figures = ["ks_mean", "null_mean", "p_value"]
    pd.testing.assert_frame_equal(once[figures], table[figures])


def test_weighted_ks_and_its_correlation():
    points, identities, labels = people(shift=1)
    labels["rare"] = np.where((identities < 6) & (labels["chance"] > 0), 1, -1)
    table = fr.macroscale(points, identities, labels, permutations=0)
    for row in table.to_dict("records"):
        share = (labels[row["attribute"]] > 0).mean()
        assert row["ks_weighted"] == pytest.approx(share * row["ks_positive"] + (1 - share) * row["ks_negative"])
    for ks in ("ks_mean", "ks_max", "ks_weighted"):
        found = fr.entropy_correlation(table, ks=ks, permutations=9).loc["inter_entropy", "rho"]
        assert found == pytest.approx(spearmanr(table[ks], table["inter_entropy"]).statistic)
    with pytest.raises(ValueError, match="no column 'ks': choose ks_mean, ks_max or ks_weighted"):
        fr.entropy_correlation(table, ks="ks")


def test_unknown_labels_are_left_out_and_counted():
    points, identities, labels = people(shift=1)
    gone = labels.astype(float)
    gone.loc[identities < 6, "fixed"] = np.nan
    table = fr.macroscale(points, identities, gone, permutations=5).set_index("attribute")
    assert table.loc["fixed", ["positive", "negative", "unknown"]].tolist() == [48, 48, 24]
    kept = identities >= 6
    alone = fr.macroscale(points[kept], identities[kept], labels[kept], permutations=5).set_index("attribute")
    pd.testing.assert_series_equal(table.loc["fixed"].drop("unknown"), alone.loc["fixed"].drop("unknown"))


def test_seed_and_neighbours_in_the_table():
    points, identities, labels = people()
    first = fr.macroscale(points, identities, labels, permutations=7, seed=3)
    pd.testing.assert_frame_equal(first, fr.macroscale(points, identities, labels, permutations=7, seed=3))
    alone = fr.macroscale(points, identities, labels[["chance"]], permutations=7, seed=3)
    assert alone.loc[0, "ks_mean"] == first.loc[1, "ks_mean"]
    assert alone.attrs["null_draws"]["chance"] == first.attrs["null_draws"]["chance"]
    other = fr.macroscale(points, identities, labels, permutations=7, seed=4)
    assert other.loc[1, "ks_mean"] != first.loc[1, "ks_mean"]


def test_invariant_to_rotation_scale_and_names():
    points, identities, labels = people(shift=1)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    table = fr.macroscale(points, identities, labels, permutations=0)
    moved = fr.macroscale(7 * points @ turn + 1, [f"p{i}" for i in identities], labels == 1, permutations=0)
    for column in ("ks_positive", "ks_negative", "distance_ratio", "intra_entropy", "inter_entropy"):
        np.testing.assert_allclose(moved[column], table[column], atol=1e-9)


def test_limit_and_records():
    points, identities, labels = people()
    array = xr.DataArray(points, dims=("image", "dim"), attrs={"metric": "cosine", "model": "dlib"})
    table = fr.macroscale(array, identities, labels, permutations=3, limit=4)
    assert table["n"].tolist() == [4, 4]
    for name, value in {
        "metric": "cosine",
        "model": "dlib",
        "permutations": 3,
        "identities": 30,
        "too_few": [],
    }.items():
        assert table.attrs[name] == value
    draws = np.array(table.attrs["null_draws"]["fixed"])
    assert table.loc[0, "null_mean"] == pytest.approx(draws.mean())
    assert table.loc[0, "null_sd"] == pytest.approx(draws.std(ddof=1))
    assert table.loc[0, "ks_scaled"] == pytest.approx(table.loc[0, "ks_mean"] / draws.mean())


def test_an_attribute_with_one_person():
    points, identities, labels = people()
    labels["rare"] = np.where(identities == 3, 1, -1)
    table = fr.macroscale(points, identities, labels, permutations=2).set_index("attribute")
    assert table.attrs["too_few"] == ["rare"]
    assert table.loc["rare", "n"] == 1
    assert np.isnan(table.loc["rare", "ks_mean"])
    assert table.loc["rare", "intra_entropy"] == 0


def test_spearman_agrees_with_scipy(golden):
    embeddings, identities, labels, _ = golden
    table = fr.macroscale(embeddings, identities, labels, permutations=0)
    found = fr.entropy_correlation(table)
    for name in ("intra_entropy", "inter_entropy"):
        assert found.loc[name, "rho"] == pytest.approx(spearmanr(table["ks_mean"], table[name]).statistic)
        assert table.attrs["spearman"][name]["attributes"] == 5
    # all five in reverse order: 2 of 120 permutations are as extreme
    assert found.loc["intra_entropy", "rho"] == pytest.approx(-1)
    assert found.loc["intra_entropy", "p_value"] == pytest.approx(2 / 120, abs=0.005)
    assert np.isnan(fr.entropy_correlation(table.head(2)).loc["intra_entropy", "rho"])


def test_modality_distances_show_the_same_ks():
    points, identities, labels = people(shift=1)
    table = fr.macroscale(points, identities, labels, permutations=0, seed=5).set_index("attribute")
    curves = fr.modality_distances(points, identities, labels, "fixed", seed=5, resolution=50)
    assert curves.groupby("pairs").size().max() == 50
    assert curves.attrs["n"] == 15
    for name in ("positive", "negative"):
        gap = curves.attrs["ks"][name]
        assert gap["value"] == pytest.approx(table.loc["fixed", f"ks_{name}"])
        assert abs(gap["within"] - gap["across"]) == pytest.approx(gap["value"])
        # the drawn curves pass through the ends of the bracket
        for pairs, height in ((f"within {name}", gap["within"]), ("across", gap["across"])):
            curve = curves[curves["pairs"] == pairs]
            assert np.interp(gap["distance"], curve["distance"], curve["cdf"]) == pytest.approx(height, abs=0.03)
    with pytest.raises(ValueError, match="attribute 'bald' is not among the labels: fixed, chance"):
        fr.modality_distances(points, identities, labels, "bald")
    labels["rare"] = np.where(identities == 3, 1, -1)
    with pytest.raises(ValueError, match="'rare' has 1 identities to compare"):
        fr.modality_distances(points, identities, labels, "rare")


def test_rows_in_another_order_are_refused():
    """Labels by file name, as `LabelledImages.labels` has them, beside embeddings that were sorted or shuffled."""
    points, identities, labels = people()
    files = [f"{i}.png" for i in range(len(points))]
    points = xr.DataArray(points, dims=("image", "dim"), coords={"file": ("image", files)})
    labels = pd.DataFrame(labels).set_axis(files)
    shuffled = labels.sample(frac=1, random_state=0)
    plain = fr.macroscale(points, identities, labels, permutations=0)
    with pytest.raises(ValueError, match=r"rows of labels are in another order .* pass labels.loc\[embeddings.file\]"):
        fr.macroscale(points, identities, shuffled, permutations=0)
    found = fr.macroscale(points, identities, shuffled.loc[points.file], permutations=0)
    pd.testing.assert_frame_equal(found, plain)
    who = pd.Series(identities, index=files).loc[shuffled.index]
    with pytest.raises(ValueError, match=r"rows of labels .* those of identities: pass labels.loc\[identities.index\]"):
        fr.linear_probe(points.values, who, labels)
    with pytest.raises(ValueError, match=r"rows of identities .* pass identities.loc\[embeddings.file\]"):
        fr.verification(points, identities=who, draws=0)


def test_a_table_of_embeddings_that_holds_the_answer_is_refused():
    points, identities, labels = people()
    table = pd.DataFrame(points)
    with pytest.raises(ValueError, match="column 'who' of the embeddings holds the identities: leave that column out"):
        fr.overlap(table.assign(who=identities), identities)
    with pytest.raises(ValueError, match="column 'chance' of the embeddings holds the label 'chance'"):
        fr.linear_probe(table.join(labels["chance"]), identities, labels)


@pytest.mark.parametrize("make", [list, tuple, lambda points: points.tolist()])
def test_vectors_one_by_one_are_one_array(make):
    points, identities, _ = people()
    expected = fr.overlap(points, identities)
    assert fr.overlap(make(points), identities) == expected
    odd = [*points[:7], [], *points[8:]]
    for function in (fr.overlap, lambda x, who: fr.verification(x, identities=who, draws=0)):
        with pytest.raises(ValueError, match=r"1 of 120 embeddings do not have \d+ numbers .* the first at position 7"):
            function(odd, identities)
        with pytest.raises(ValueError, match=r"shape \(120,\) and type object: .* by np.stack\(column\)"):
            function(pd.Series(list(points)), identities)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings": np.zeros(5)}, r"shape \(5,\).*give numbers \(images, dim\)"),
        ({"embeddings": np.full((120, 5), np.nan)}, "120 of 120 embeddings contain NaN"),
        ({"embeddings": np.zeros((120, 5)), "metric": "cosine"}, "120 embeddings have length 0"),
        ({"identities": [1, 2]}, "give one for each of the 120 images"),
        ({"identities": np.zeros(120)}, "the images show 1 identity"),
        ({"identities": pd.Series([None] * 60 + ["a"] * 60, dtype=object)}, "60 images have no identity"),
        ({"labels": np.ones((3, 1))}, r"labels have shape \(3, 1\)"),
        ({"labels": np.full((120, 1), 2)}, r"label 'attribute_0', row 0: 2, expected \+1 with"),
        ({"labels": pd.DataFrame({"a": ["often"] * 120})}, r"label 'a', row 0: 'often', expected \+1 with"),
        (
            {"labels": pd.DataFrame({"a": [0, 1] * 60})},
            r"label 'a', row 0: 0, expected -1, .*labels.astype\(.boolean.\)",
        ),
        ({"labels": pd.DataFrame([[1, -1]] * 120, columns=["a", "a"])}, "several label columns are called 'a'"),
        ({"metric": "manhattan"}, "metric 'manhattan' is unknown: choose from euclidean, cosine"),
        ({"sampling": "all"}, "unknown sampling 'all'"),
        ({"permutations": -1}, "permutations = -1"),
        ({"repeats": 0}, "repeats = 0: give at least 1"),
        ({"repeats": 2, "sampling": "first"}, "only 1 for sampling='first', which is not random"),
        ({"limit": 1}, "limit = 1"),
    ],
)
def test_errors(change, message):
    points, identities, labels = people()
    with pytest.raises(ValueError, match=message):
        fr.macroscale(**{"embeddings": points, "identities": identities, "labels": labels} | change)


def test_entropies_check_lengths():
    with pytest.raises(ValueError, match="2 identities and 3 labels"):
        intra_entropy([1, 2], [1, 1, 1])


def test_half_precision_and_integers():
    points, identities, labels = people(shift=2)
    whole = fr.macroscale(points.round().astype(int), identities, labels, permutations=0)
    assert np.isfinite(whole["ks_mean"]).all()
    half = points.astype(np.float16)
    pd.testing.assert_frame_equal(
        fr.macroscale(half, identities, labels, permutations=0),
        fr.macroscale(half.astype(np.float64), identities, labels, permutations=0),
    )


def test_p_values_are_corrected_for_the_number_of_attributes():
    """Holm by hand: the smallest p times the number of tests, the next times one less, never decreasing."""
    points, identities, labels = people(shift=1.5)
    labels = labels.assign(other=labels["chance"].sample(frac=1, random_state=1).to_numpy(), nobody=-1)
    table = fr.macroscale(points, identities, labels, permutations=99).set_index("attribute")
    known = table["p_value"].dropna().sort_values(kind="stable")
    assert len(known) == 3
    running = 0.0
    for name, factor in zip(known.index, (3, 2, 1), strict=True):
        running = max(running, factor * known[name])
        assert table.loc[name, "p_corrected"] == pytest.approx(min(running, 1))
    assert table.loc["fixed", "p_corrected"] == pytest.approx(0.03)
    assert np.isnan(table.loc["nobody", "p_corrected"])
    alone = fr.macroscale(points, identities, labels[["fixed"]], permutations=99).iloc[0]
    assert alone["p_corrected"] == alone["p_value"] == pytest.approx(0.01)


def test_no_attribute_can_be_compared():
    points, identities, labels = people()
    table = fr.macroscale(points, identities, labels.assign(fixed=1)[["fixed"]], permutations=5)
    assert table["ks_mean"].isna().all()
    assert table["p_corrected"].isna().all()
    assert table.attrs["spearman"]["intra_entropy"]["attributes"] == 0
