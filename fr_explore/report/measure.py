"""The results for one model of a report, computed by the library's own functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..embedding.embed import embed
from ..geometry.alignment import alignment
from ..geometry.dimension import LEAST, intrinsic_dimension
from ..geometry.field import field_similarity, vector_field
from ..geometry.profile import alignment_profile
from ..lattice import Lattice
from ..models.base import Model
from ..models.card import ModelCard
from ..population.verification import Verification, pair_distances, verification
from ..statistics import null_test, summarize

__all__ = ["LEVEL", "Findings", "dimension_rows", "dimensions", "measure"]

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
    dimension: pd.DataFrame
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
        dimension=dimensions(points.values, people, seed),
        distances=pair_distances(points, people, seed=seed),
        verification=verification(points, identities=people, draws=200, level=LEVEL, max_pairs=50_000, seed=seed),
    )


def dimensions(points: np.ndarray, people: np.ndarray, seed: int) -> pd.DataFrame:
    """Intrinsic dimension of the people's mean embeddings, and of the first person's; NaN below 200 points."""
    codes, names = pd.factorize(people)
    means = np.stack([points[codes == k].mean(0) for k in range(len(names))])
    rows = []
    for cloud, of in ((means, "means of all identities"), (points[codes == 0], f"faces of {names[0]}")):
        one = {"cloud": of, "points": len(cloud)}
        if len(cloud) < LEAST:
            rows.append(one)
        else:
            found: Any = intrinsic_dimension(cloud, seed=seed).drop(columns="points")
            rows += [one | row for row in found.to_dict("records")]
    columns = ["cloud", "points", "method", "dimension", "low", "high", "sphere", "sphere_low", "sphere_high"]
    return pd.DataFrame(rows, columns=columns)


def dimension_rows(findings: list[Findings]) -> pd.DataFrame:
    """The dimensions of all models, as they are printed."""

    def interval(row: Any, name: str, ends: str) -> str:
        return f"{row[name]:.1f} [{row[f'{ends}low']:.1f}, {row[f'{ends}high']:.1f}]"

    rows = []
    for found in findings:
        for row in found.dimension.to_dict("records"):
            known = row["dimension"] == row["dimension"]
            rows.append({
                "model": found.name, "cloud": f"{row['cloud']}, n = {row['points']}",
                "method": row["method"] if known else "–",
                f"dimension [{LEVEL:.0%}]": interval(row, "dimension", "") if known else "too few points",
                "as on a sphere of": interval(row, "sphere", "sphere_") if known else "–",
            })  # fmt: skip
    return pd.DataFrame(rows)


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
