"""The results for one model of a report, computed by the library's own functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from ..embedding.embed import embed
from ..geometry.alignment import alignment
from ..geometry.field import field_similarity, vector_field
from ..geometry.profile import alignment_profile
from ..lattice import Lattice
from ..models.base import Model
from ..models.card import ModelCard
from ..population.verification import Verification, pair_distances, verification
from ..statistics import null_test, summarize

__all__ = ["LEVEL", "Findings", "measure"]

LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """One model's results: `energies` by identity, `summary` by attribute, and the data of the charts."""

    name: str
    card: ModelCard
    fingerprint: str
    field: xr.Dataset
    energies: pd.DataFrame
    summary: pd.DataFrame
    profile: pd.DataFrame
    similarity: xr.DataArray
    distances: pd.DataFrame
    verification: Verification


def measure(lattice: Lattice, model: Model, neighborhood: str, null_draws: int, seed: int, progress: bool) -> Findings:
    """Embed the lattice and compute everything; all intervals resample identities."""
    embeddings = embed(lattice, model, progress=progress)
    field = vector_field(embeddings)
    energies, details = alignment(field, neighborhood, null_draws, seed, point_energies=True)
    base: Any = embeddings.isel(attribute=0).sel(step=0).stack(image=("identity", "curve")).transpose("image", "dim")
    people, points = base["identity"].values, base.reset_index("image", drop=True)
    return Findings(
        name=model.card.name,
        card=model.card,
        fingerprint=model.fingerprint,
        field=field,
        energies=energies,
        summary=_summary(energies, details, null_draws),
        profile=alignment_profile(field),
        similarity=field_similarity(field),
        distances=pair_distances(points, people, seed=seed),
        verification=verification(points, identities=people, draws=200, level=LEVEL, max_pairs=50_000, seed=seed),
    )


def _summary(energies: pd.DataFrame, details: xr.Dataset, null_draws: int) -> pd.DataFrame:
    """One row for each attribute: median energy with its interval, null, magnitude, identities below the null."""
    table: Any = summarize(energies, level=LEVEL)
    by = energies.groupby("attribute", sort=False)
    for column in ("null_mean", "z", "magnitude", "coverage"):
        table[column] = table["attribute"].map(by[column].median())
    if null_draws:
        tested = null_test(details, correction="fdr")
        below = tested.assign(below=tested["p_adjusted"] <= 1 - LEVEL).groupby("attribute", sort=False)["below"].sum()
        table["below"] = table["attribute"].map(below)
    return table.sort_values("energy", kind="stable", ignore_index=True)
