"""Statistics over identities against closed forms, SciPy and simulation."""

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, permutation_test

import fr_explore as fr
from fr_explore.statistics import adjust_p_values


def table(values, names=("age", "hue"), **more):
    """Tidy energies from an array (identities, attributes)."""
    values = np.asarray(values, dtype=float)
    rows = itertools.product(range(values.shape[0]), names[: values.shape[1]])
    frame = pd.DataFrame(rows, columns=["identity", "attribute"])
    return frame.assign(energy=values.ravel(), **more)


# --- summaries ----------------------------------------------------------------------------------------------------


def test_summary_holds_the_distribution():
    values = np.array([[1.0, 2], [3, np.nan], [5, 4], [7, 6], [9, 8]])
    found = fr.summarize(table(values)).set_index("attribute")
    assert found.index.tolist() == ["age", "hue"]
    assert found.loc["age", ["energy", "minimum", "q25", "q75", "maximum"]].tolist() == [5, 1, 3, 7, 9]
    assert found.loc["hue", ["energy", "minimum", "maximum"]].tolist() == [5, 2, 8]
    assert found["identities"].tolist() == [5, 4]
    assert (found["low"] < found["energy"]).all()
    assert (found["energy"] < found["high"]).all()


def test_bootstrap_of_the_mean_has_the_width_of_theory():
    values = np.random.default_rng(0).normal(0.5, 0.1, (200, 1))
    found = fr.summarize(table(values), statistic="mean", draws=4000).iloc[0]
    error = values.std() / np.sqrt(200)
    assert found["energy"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found["high"] == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (30, 400))
    names = [f"a{i}" for i in range(400)]
    found = fr.summarize(table(values, names), statistic="mean", draws=1000, level=0.9)
    hits = ((found["low"] < 0) & (found["high"] > 0)).mean()
    assert 0.83 < hits < 0.94


def test_one_or_no_identity():
    found = fr.summarize(table([[0.3, np.nan]]))
    assert found["energy"].tolist() == pytest.approx([0.3, np.nan], nan_ok=True)
    assert found[["low", "high"]].isna().all().all()
    assert found["identities"].tolist() == [1, 0]


def test_seed_and_keys():
    data = pd.concat([table(np.random.default_rng(i).random((6, 2)), model=name) for i, name in enumerate("ab")])
    assert fr.summarize(data, seed=1).equals(fr.summarize(data, seed=1))
    mean = [fr.summarize(data, statistic="mean", seed=seed)["low"].tolist() for seed in (1, 2)]
    assert mean[0] != mean[1]
    assert fr.summarize(data)[["model", "attribute"]].to_numpy().tolist() == [
        ["a", "age"], ["a", "hue"], ["b", "age"], ["b", "hue"],
    ]  # fmt: skip
    merged = fr.summarize(table([[0.1, 0.2], [0.3, 0.4]]), by=["attribute"], level=0.5)
    assert merged.attrs == {"statistic": "median", "level": 0.5, "draws": 2000, "seed": 0}


# --- paired tests -------------------------------------------------------------------------------------------------


def test_exact_p_equals_scipy():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (9, 2)) + np.array([0.5, 0])
    found = fr.compare(table(values)).iloc[0]
    exact = permutation_test(
        (values[:, 0], values[:, 1]), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert found["p"] == pytest.approx(exact.pvalue)
    assert found["difference"] == pytest.approx(np.mean(values[:, 0] - values[:, 1]))
    assert found["low"] < found["difference"] < found["high"]
    assert found[["first", "second", "identities"]].tolist() == ["age", "hue", 9]


def test_a_constant_shift_gives_the_smallest_p_there_is():
    values = np.random.default_rng(0).random((8, 1)) + np.array([0, 0.1])
    assert fr.compare(table(values)).loc[0, "p"] == pytest.approx(2 / 2**8)
    assert fr.compare(table(values * 0)).loc[0, "p"] == 1


def test_the_observed_signs_count_in_spite_of_rounding():
    gaps = np.array([0.3, 0.7, 0.7, 0.3, 0.7, 0.7])  # its sum depends on the order of the terms
    assert fr.compare(table(np.c_[gaps, 0 * gaps])).loc[0, "p"] == pytest.approx(2 / 2**6)


def test_random_signs_agree_with_all_signs(monkeypatch):
    values = np.random.default_rng(2).normal(0, 1, (14, 2)) + np.array([0.4, 0])
    exact = fr.compare(table(values)).loc[0, "p"]
    monkeypatch.setattr("fr_explore.statistics.EXACT", 5)
    assert fr.compare(table(values), draws=20_000).loc[0, "p"] == pytest.approx(exact, abs=0.015)


def test_p_is_uniform_when_nothing_differs():
    rng = np.random.default_rng(5)
    p = [fr.compare(table(rng.normal(0, 1, (10, 2))), draws=10).loc[0, "p"] for _ in range(300)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09


def test_pairing_removes_what_identities_share():
    rng = np.random.default_rng(0)
    person = rng.normal(0, 10, (12, 1))
    found = fr.compare(table(person + np.array([0, 0.5]) + rng.normal(0, 0.1, (12, 2)))).iloc[0]
    assert found["p"] < 0.001
    assert found["difference"] == pytest.approx(-0.5, abs=0.1)


def test_models_are_compared_within_each_attribute():
    rng = np.random.default_rng(0)
    first = table(rng.random((7, 2)), model="dlib")
    second = first.assign(model="facenet", energy=first["energy"] + 0.2)
    found = fr.compare(pd.concat([first, second]), "model", correction="bonferroni")
    assert found[["attribute", "first", "second"]].to_numpy().tolist() == [
        ["age", "dlib", "facenet"], ["hue", "dlib", "facenet"],
    ]  # fmt: skip
    assert found["difference"].tolist() == pytest.approx([-0.2, -0.2])
    assert found["p_adjusted"].tolist() == pytest.approx((2 * found["p"]).tolist())


def test_only_identities_that_have_both_count():
    values = np.array([[1.0, 2], [np.nan, 1], [2, 4], [3, np.nan]])
    found = fr.compare(table(values)).iloc[0]
    assert found["identities"] == 2
    assert found["difference"] == -1.5
    lonely = fr.compare(table([[1.0, 2]])).iloc[0]
    assert lonely["p"] == 1
    assert np.isnan(lonely["low"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: fr.summarize(t, "z"), r"the table has columns \['identity', 'attribute', 'energy'\] and lacks z"),
        (lambda t: fr.compare(t, "model"), "and lacks model"),
        (lambda t: fr.compare(t[t["attribute"] == "age"]), r"'attribute' has fewer than two values.*\['age'\]"),
        (lambda t: fr.summarize(t, statistic="mode"), "statistic 'mode' is unknown: choose from median, mean"),
        (lambda t: fr.summarize(t, level=95), "level = 95, draws = 2000: give a level between 0 and 1"),
        (lambda t: fr.compare(t, correction="none at all"), "correction 'none at all' is unknown"),
        (
            lambda t: fr.summarize(pd.concat([t, t])),
            r"several rows for \{'attribute': 'age', 'identity': 0\}: add a col",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(table([[0.1, 0.2], [0.3, 0.1]]))


# --- corrections --------------------------------------------------------------------------------------------------

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_lists)
def test_holm_rejects_what_its_steps_reject(p):
    adjusted = adjust_p_values(p, "holm")
    for alpha in (0.01, 0.05, 0.2):
        order, rejected = np.argsort(p, kind="stable"), set()
        for step, i in enumerate(order):
            if p[i] * (len(p) - step) > alpha:
                break
            rejected.add(int(i))
        assert {i for i in range(len(p)) if adjusted[i] <= alpha} == rejected


@given(p_lists)
def test_false_discovery_rate_equals_scipy(p):
    assert adjust_p_values(p, "fdr") == pytest.approx(false_discovery_control(p))


def test_corrections_leave_nan_out():
    p = [0.01, np.nan, 0.04]
    assert adjust_p_values(p, "bonferroni") == pytest.approx([0.02, np.nan, 0.08], nan_ok=True)
    assert adjust_p_values(p, "holm") == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert adjust_p_values(p, "none") == pytest.approx(p, nan_ok=True)
    assert np.isnan(adjust_p_values([np.nan])).all()


# --- null ---------------------------------------------------------------------------------------------------------


def null_case(drift):
    rng = np.random.default_rng(0)
    dims = ("identity", "attribute", "curve", "dim")
    directions = rng.standard_normal((1, 2, 60, 5))
    directions[:, 0] += drift
    arrays = {"point": (dims, rng.standard_normal((1, 2, 60, 5))), "direction": (dims, directions)}
    return xr.Dataset(arrays, {"attribute": ["age", "hue"]}, {"metric": "euclidean"})


def test_null_test_finds_the_attribute_that_is_aligned():
    _, details = fr.alignment(null_case(1.0), fr.knn(5), null_draws=99, point_energies=True)
    found = fr.null_test(details).set_index("attribute")
    assert found.loc["age", "p"] == pytest.approx(0.01)
    assert found.loc["age", "p_adjusted"] == pytest.approx(0.02)
    assert found.loc["hue", "p"] > 0.05
    draws = details["null_energy"].sel(attribute="hue").values
    assert found.loc["hue", "p"] == pytest.approx((1 + (draws <= found.loc["hue", "energy"]).sum()) / 100)


def test_null_test_needs_draws():
    _, details = fr.alignment(null_case(0.0), fr.knn(5), point_energies=True)
    with pytest.raises(ValueError, match="there are no draws: call alignment"):
        fr.null_test(details)
