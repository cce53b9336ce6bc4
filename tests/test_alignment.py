"""The energy against the paper's reference values, closed forms and a double loop."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from fr_explore.alignment import alignment
from fr_explore.field import vector_field
from fr_explore.neighbors import all_pairs, ball, knn

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def golden():
    """Embeddings (without a metric) and the record of reference values."""
    arrays = np.load(GOLDEN / "alignment.npz")
    record = json.loads((GOLDEN / "alignment.json").read_text())
    steps = [arrays[name] for name in ("low", "mid", "high")]
    coords = {"identity": range(len(steps[0])), "attribute": record["attributes"], "step": [-1, 0, 1]}
    dims = ("identity", "attribute", "curve", "step", "dim")
    return xr.DataArray(np.stack(steps, axis=3), dims=dims, coords=coords), record


def golden_neighborhood(name):
    if name.startswith("knn"):
        return knn(int(name[3:]))
    return ball(float(name[4:]), include_self=True) if name.startswith("ball") else all_pairs()


GOLDEN_NAMES = [
    "inverse_distance",
    *(f"knn{k}" for k in (1, 5, 10, 50)),
    *(f"ball{r}" for r in (0.5, 0.75, 0.9, 1.0, 1.2)),
]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_matches_every_reference_energy(golden, name, metric):
    embeddings, record = golden
    field = vector_field(embeddings.assign_attrs(metric=metric))
    table = alignment(field, golden_neighborhood(name)).set_index(["identity", "attribute"])
    expected = {tuple(key.split("/")): values[f"{name}/{metric}"] for key, values in record["energies"].items()}
    assert len(table) == len(expected) == 24
    for (identity, attribute), value in expected.items():
        value = value["energy_including_self"] if isinstance(value, dict) else value
        assert table.loc[(int(identity), attribute), "energy"] == pytest.approx(value, abs=1e-6)
