"""The tables of the project's long experiments, which the notebooks read: more people than a lesson has time for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import fr_explore

__all__ = ["measured"]

LIBRARY = Path(fr_explore.__file__).parent
# in the wheel, or in the repository that it was installed from
PLACES = (LIBRARY / "measured", LIBRARY.parent / "benchmarks" / "results")


def measured(table: str) -> pd.DataFrame:
    """One of those tables: `measured("controlled")`. The project's repository has the command that computes it."""
    tables = {path.stem: path for place in PLACES for path in place.glob("*.csv")}
    if table not in tables:
        raise ValueError(f"{table!r} is not a measured table: choose one of {', '.join(sorted(tables))}.")
    return pd.read_csv(tables[table], comment="#")
