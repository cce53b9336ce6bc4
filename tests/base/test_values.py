"""Truth values, labels and identities: what each notation means, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from fr_explore.base.values import as_text, check_identities, signs, truths

# notation -> how it writes yes and no
NOTATIONS = {
    "True/False": (True, False), "1/-1": (1, -1), "1.0/-1.0": (1.0, -1.0), "text 1/-1": ("1", "-1"),
    "+1/-1": ("+1", "-1"), "yes/no": ("yes", "no"), "TRUE/FALSE": ("TRUE", "FALSE"),
    "same/different": (" Same", "different"), "genuine/impostor": ("genuine", "impostor"),
}  # fmt: skip
ZEROS = {"1/0": (1, 0), "1.0/0.0": (1.0, 0.0), "text 1/0": ("1", "0"), "text 1.0/0.0": ("1.0", "0.0")}
GAPS = [None, np.nan, pd.NA, pd.NaT]


DTYPES = {bool: ("boolean", bool), int: ("Int64", "Float64", np.int8), float: ("Float64", float), str: ("string",)}


def containers(cells):
    """The same cells as people hold them: lists, tables with and without nullable types, arrays."""
    yield cells
    yield tuple(cells)
    gap = pd.isna(pd.Series(cells, dtype=object)).any()
    for dtype in (object, "category", *DTYPES[type(next(one for one in cells if pd.notna(one)))]):
        if gap and dtype in (bool, np.int8):
            continue
        table = pd.Series([None if pd.isna(one) else one for one in cells], index=range(7, 7 + len(cells)), dtype=dtype)
        yield table
        yield np.asarray(table)
        yield xr.DataArray(np.asarray(table))


@settings(deadline=None)
@given(st.sampled_from([*NOTATIONS.values(), *ZEROS.values()]), st.lists(st.booleans(), min_size=1, max_size=6))
def test_truth_values_of_every_notation(words, wanted):
    for values in containers([words[0] if one else words[1] for one in wanted]):
        found = truths(values)
        assert found.dtype == bool
        assert found.tolist() == wanted


@settings(deadline=None)
@given(st.sampled_from(list(NOTATIONS.values())), st.lists(st.sampled_from([1, -1]), min_size=1, max_size=6), st.data())
def test_labels_of_every_notation_with_gaps(words, wanted, data):
    gap, place = data.draw(st.sampled_from(GAPS)), data.draw(st.integers(0, len(wanted)))
    cells = [words[0] if one > 0 else words[1] for one in wanted]
    for values in containers([*cells[:place], gap, *cells[place:]]):
        found = signs(values)
        assert found.dtype == np.int8
        assert found.tolist() == [*wanted[:place], 0, *wanted[place:]]


@settings(deadline=None)
@given(st.sampled_from(list(ZEROS.values())), st.lists(st.booleans(), min_size=1, max_size=6), st.booleans())
def test_a_zero_beside_ones_never_becomes_unknown(words, wanted, gap):
    cells = [words[0] if one else words[1] for one in [False, *wanted]] + [None] * gap
    for values in containers(cells):
        with pytest.raises(ValueError, match=r"label, row 0: '?0.*expected -1, or True and False"):
            signs(values)
        assert signs(values, zero="without").tolist() == [1 if one else -1 for one in [False, *wanted]] + [0] * gap


def test_a_zero_beside_minus_one_is_unknown():
    for values in containers([1, 0, -1]):
        assert signs(values).tolist() == signs(values, zero="without").tolist() == [1, 0, -1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([True, None], "same, row 1: None, expected True or False"),
        (np.array([1, np.nan]), "same, row 1: nan, expected True or False"),
        ([1, 2], "same, row 1: 2, expected"),
        (["same", "other"], "same, row 1: 'other', expected"),
        ([1, 0, -1], "same, row 1: 0, expected 1 or -1, because -1 occurs"),
        ([0.3], "same, row 0: 0.3, expected"),
    ],
)
def test_truth_values_that_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        truths(values, "same")


def test_words_for_a_gap():
    assert signs(["yes", "", "NA", " nan ", "None", "unknown"]).tolist() == [1, 0, 0, 0, 0, 0]


def test_a_label_that_is_refused():
    with pytest.raises(ValueError, match=r"label, row 2: 'maybe', expected \+1 with, -1 without"):
        signs(["yes", None, "maybe"])
    with pytest.raises(ValueError, match=r"^a\.csv, line 4: 'maybe', expected"):
        signs(["yes", None, "maybe"], lambda position: f"a.csv, line {position + 2}")


IDENTITIES = [[1, 2, 1], ["1", "01"], ["NA", "nan", "None"], [0.0, 1.0], [10**18, 10**18 + 1], ["12e4", "120e3"]]


@pytest.mark.parametrize("values", IDENTITIES)
def test_identities_of_a_caller_keep_their_type(values):
    for given_as in (values, np.array(values), pd.Series(values), pd.Series(values, dtype=object)):
        found = check_identities(given_as)
        assert found.tolist() == values
        assert {type(one) for one in found.tolist()} == {type(one) for one in values}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "1"], r"1 \(number\) and '1' \(text\) are of different kinds"),
        (pd.Series(["a", 2], dtype=object), "of different kinds"),
        ([True, 1], "of different kinds"),
        (["a", np.nan, None], "2 images have no identity"),
        (["a", ""], "1 images have no identity"),
        (pd.array([1, None], dtype="Int64"), "1 images have no identity"),
        ([1.1, 2.0], "the identity 1.1 is a number with a fraction.*read that column as text"),
        ([110022003300440055.0, 1.0], "too many digits"),
        ([np.inf, 1.0], "the identity inf"),
        (["anna", " anna"], "'anna' and ' anna' differ only in type, white space"),
        (["Jos\u00e9", "Jose\u0301"], "differ only in type, white space or Unicode form"),
    ],
)
def test_identities_that_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        check_identities(values)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.strip()), min_size=1))
def test_identities_from_a_file_are_text(texts):
    found = as_text(texts).tolist()
    assert all(isinstance(one, str) and one == one.strip() for one in found)
    assert as_text(found).tolist() == found  # a second reading changes nothing
    assert check_identities(found).tolist() == found


def test_identities_from_a_file_keep_what_is_written():
    texts = ["1.10", "1.1", "12e4", "120e3", "007", "7", "110022003300440055", "NA", "nan", "None", "TRUE", "-1"]
    assert as_text(texts).tolist() == texts
    assert as_text(np.array([7, 12])).tolist() == as_text([7.0, 12.0]).tolist() == ["7", "12"]
    assert as_text([" anna", "anna\t", "Jose\u0301"]).tolist() == ["anna", "anna", "Jos\u00e9"]
    for values, message in (
        ([1.5], "identity, row 0: 1.5, expected text"),
        (["a", " "], "row 1: ' ', expected a value"),
    ):
        with pytest.raises(ValueError, match=message):
            as_text(values)
