"""Adding a neighbourhood takes one class in one file: this one, which then works wherever a neighbourhood is taken."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import fr_explore as fr
from fr_explore.charts.style import scale_words
from fr_explore.cli import main
from fr_explore.geometry.neighbor_graph import PairGraph, squared_edges
from fr_explore.geometry.neighbors import KINDS, Neighborhood, as_neighborhood


@dataclass(frozen=True, repr=False)
class Ring(Neighborhood):
    """All other points between two distances, in units of the mean pairwise distance."""

    kind, example = "ring", "ring:0.5:1"
    inner: float
    outer: float

    @property
    def words(self):
        return f"ring from {self.inner:g} to {self.outer:g} × mean distance"

    def graph(self, cloud, progress=False):
        mean = cloud.mean_distance(progress)
        inner, outer = squared_edges(cloud, [self.inner * mean, self.outer * mean]).tolist()
        return PairGraph(cloud, lambda q, rows, cols: (q > inner) & (q <= outer), self.include_self)


# the class alone has made it known; tests of other files, which agree on what a widget lists, must not meet it
KINDS.pop("ring")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(KINDS, "ring", Ring)


@pytest.fixture(scope="module")
def embeddings():
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((2, 2, 1, 40, 1, 5)).astype(np.float32)
    steps = np.concatenate([points - v - 0.5, points, points + v + 0.5], axis=3)
    coords = {"identity": ["anna", "ben"], "attribute": ["age"], "step": [-1, 0, 1]}
    dims = ("identity", "attribute", "curve", "step", "dim")
    return xr.DataArray(steps, coords, dims, "embedding", {"metric": "euclidean", "model": "some net"})


def by_hand(field, inner, outer):
    """The energy of the first identity, from all distances."""
    x, u = (field[name].values[0, 0].astype(float) for name in ("point", "direction"))
    d = np.linalg.norm(x[:, None] - x, axis=-1)
    mean = d.sum() / (len(x) * (len(x) - 1))
    near = (d > inner * mean) & (d <= outer * mean)
    return np.mean([(1 - u[near[i]] @ u[i]).mean() for i in range(len(x)) if near[i].any()])


def test_as_an_object_and_as_text(embeddings):
    field = fr.vector_field(embeddings)
    table = fr.alignment(field, Ring(0.5, 1), null_draws=4)
    assert table["energy"][0] == pytest.approx(by_hand(field, 0.5, 1), abs=1e-6)
    assert table.equals(fr.alignment(field, "ring:0.5:1", null_draws=4))
    assert table.attrs["neighborhood"] == "ring:0.5:1"
    points, directions = field["point"].values[0, 0], field["direction"].values[0, 0]
    assert fr.alignment_energy(points, directions, "ring:0.5:1") == pytest.approx(table["energy"][0], abs=1e-12)


def test_spelling():
    rule = Ring(0.25, 2, metric="chord", include_self=True)
    assert repr(rule) == "ring:0.25:2:chord:self"
    assert as_neighborhood("ring:0.25:2:chord:self") == rule
    with pytest.raises(ValueError, match=r"'ring:0.5' is unknown: write it like .*, ring:0.5:1"):
        as_neighborhood("ring:0.5")


def test_in_charts(embeddings):
    table = fr.alignment(fr.vector_field(embeddings), "ring:0.5:1:self")
    words = "ring from 0.5 to 1 × mean distance, self included"
    assert scale_words(table.attrs["neighborhood"]) == words
    assert words in str(fr.charts.energy_by_attribute(table).to_dict())


def test_on_the_command_line(embeddings, tmp_path, capsys):
    fr.save_results(tmp_path / "run.zarr", embeddings=embeddings)
    assert not main(["energy", str(tmp_path / "run.zarr"), "--neighborhood", "ring:0.5:1", "--quiet"])
    assert "ring:0.5:1" in capsys.readouterr().out


def test_in_the_explorer(embeddings):
    from fr_explore_widgets import FieldExplorer

    field = fr.vector_field(embeddings)
    w = FieldExplorer(field, null_draws=0)
    w.set(kind="ring")
    assert w.energy == pytest.approx(by_hand(field, 0.5, 1), abs=1e-5)
    assert w.setup["kinds"]["ring"] == "ring from 0.5 to 1 × mean distance"
    w.close()
