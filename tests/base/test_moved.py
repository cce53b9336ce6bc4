"""Modules of version 0.1 under their old names."""

import importlib
import re
import sys

import pytest

import fr_explore as fr
from fr_explore._moved import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_warns_and_gives_what_the_new_module_has(old):
    sys.modules.pop(f"fr_explore.{old}", None)
    with pytest.warns(DeprecationWarning, match=re.escape(f"fr_explore.{old} is now fr_explore.{MOVED[old]};")):
        found = importlib.import_module(f"fr_explore.{old}")
    new = importlib.import_module(f"fr_explore.{MOVED[old]}")
    for name in new.__all__:
        assert getattr(found, name) is getattr(new, name)


def test_no_old_name_hides_a_public_one():
    assert set(MOVED).isdisjoint(fr.__all__)


def test_other_names_are_as_unknown_as_ever():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'fr_explore\.nothing'"):
        importlib.import_module("fr_explore.nothing")
