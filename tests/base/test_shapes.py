"""The shapes in annotations are checked in the tests, and cost nothing elsewhere."""

import subprocess
import sys

import numpy as np
import pytest
from shape_checks import ShapeError, checked

from fr_explore.geometry.null import mean_energy

MODULE = """
from __future__ import annotations
from typing import Any
import numpy as np
from fr_explore.base.shapes import Bool, Float, Int, Num

def center(points: Num[Any, "n dim"], weights: Float[np.ndarray, " n"] | None = None) -> Float[np.ndarray, " dim"]:
    return np.average(points, axis=0, weights=weights)

def wrong(points: Num[Any, "n dim"]) -> tuple[Float[np.ndarray, " n"], list[Float[np.ndarray, " dim"]]]:
    return np.zeros(len(points)), [np.zeros(len(points))]

def refuses(points: Num[Any, "n dim"]) -> Float[np.ndarray, " n"]:
    raise ValueError("give two dimensions")
"""


@pytest.fixture
def module():
    space = {}
    exec(MODULE, space)
    return {name: checked(space[name]) for name in ("center", "wrong", "refuses")}


def test_what_fits_passes(module):
    points = np.arange(6.0).reshape(3, 2)
    assert module["center"](points).tolist() == [2, 3]
    assert module["center"](points.tolist(), weights=np.ones(3)).tolist() == [2, 3]
    assert module["wrong"](np.zeros((2, 2)))[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("center", (np.zeros(3),), r"points is \(3,\) float64, its annotation is Num"),
        ("center", (np.zeros((3, 2)), np.ones(3, int)), r"weights is \(3,\) int64, its annotation is Float"),
        ("wrong", (np.zeros((3, 2)),), r"return is \[\(3,\) float64, \[\(3,\) float64\]\], its annotation is tuple"),
    ],
)
def test_what_does_not_fit_fails(module, name, arguments, message):
    with pytest.raises(ShapeError, match=message):
        module[name](*arguments)


def test_errors_of_the_function_come_first(module):
    with pytest.raises(ValueError, match="give two dimensions"):
        module["refuses"](np.zeros(3))


def test_the_library_is_checked_in_this_run():
    assert mean_energy(np.array([[0.5, np.nan]])).tolist() == [0.5]
    with pytest.raises(ShapeError, match=r"mean_energy: energies is \(1, 2\) int64"):
        mean_energy(np.array([[1, 2]]))


def test_the_library_does_not_import_the_checker():
    code = "import sys, fr_explore as fr; fr.alignment, fr.vector_field, fr.pca; assert 'jaxtyping' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
