"""A store of embeddings that follows its pictures: what has changed since the last call is computed again.

- Beside each embedding the store keeps the hash of what determines it: the file's content, landmarks or their rule.
  Each call compares all of them and reads every file, because a replaced file may have the size and time of the old.
- A row is computed again if its hash differs, or if its picture was unreadable. "No face" is final for a content.
- The hash is deleted before, and written after the embedding: a call that was killed leaves no wrong row.
- If pictures were added or removed, the store is written again with the rows that it knows.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from ..base.optional import import_extra
from .distributed import check_key, create, run
from .results import load_results

__all__ = ["follow"]

_HASH = 16  # bytes


def follow(
    path: Path,
    template: xr.DataArray,
    work: Callable[..., tuple[np.ndarray, dict[int, str]]],
    contents: Callable[..., Sequence[Any]],
    shared: Sequence[Any],
    *,
    key: str,
    final: str,
    width: int,
    facts: Mapping[str, Any],
    client: Any = None,
    progress: bool = True,
) -> tuple[xr.DataArray, dict[int, str]]:
    """Compute what a store lacks or no longer fits the pictures, and open it; returns the array and reasons by row.

    Parameters
    ----------
    path, template, key, width, facts, client, progress : as for `distributed.fill`; `template` has coordinates file and
        usable along image.
    work : work(*shared, rows) returns the embeddings of these pictures, and the reasons for rows of NaN by row.
    contents : contents(*shared, rows) returns what determines the embedding of each picture, as text, or an error.
    final : the reason that stays true as long as the content does; pictures with another one are tried again.
    """
    attrs = {**facts, "key": key}
    if path.exists():
        check_key(path, key, facts)
        _adopt(path, template, width, attrs)
    else:
        create(path, template, width, attrs, content=_HASH)
    units, reasons = range(0, len(template), width), dict[int, str]()
    with tqdm(total=len(template), unit="face", desc="embed", disable=not progress) as bar:
        for unit, found in run(partial(_update, work, contents, final, str(path), width), shared, units, client):
            reasons |= found
            bar.update(min(width, len(template) - units[unit]))
    return load_results(path)["embeddings"], dict(sorted(reasons.items()))


def _update(
    work: Callable[..., Any], contents: Callable[..., Any], final: str, path: str, width: int, *rest: Any
) -> dict[int, str]:
    """One task: bring `width` rows up to date; the reasons of those without an embedding."""
    *shared, first = rest
    root = _open(path, "r+")
    part, vectors = slice(first, first + width), root["embeddings/embedding"]
    rows = range(first, min(first + width, vectors.shape[0]))
    now = np.array([_hashed(text) for text in contents(*shared, rows)], np.uint8)
    known, values = root["content"][part], vectors[part]
    changed = (known != now).any(axis=1) | ~now.any(axis=1)
    blank = np.isnan(values).any(axis=1)
    reasons = {rows[i]: final for i in np.flatnonzero(blank & ~changed).tolist()}
    if changed.any():
        known[changed] = 0
        root["content"][part] = known
        values[changed], lost = work(*shared, [rows[i] for i in np.flatnonzero(changed).tolist()])
        vectors[part] = values
        root["embeddings/usable"][part] = ~np.isnan(values).any(axis=1)
        known[:] = now
        known[[row - first for row, reason in lost.items() if reason != final]] = 0
        root["content"][part] = known
        reasons |= lost
    root["complete"][first // width] = 1
    return reasons


def _hashed(text: Any) -> list[int]:
    """The hash of a picture's content; zeros if it cannot be read, so that it is tried again."""
    return list(hashlib.sha256(text.encode()).digest()[:_HASH]) if isinstance(text, str) else [0] * _HASH


def _adopt(path: Path, template: xr.DataArray, width: int, attrs: dict[str, Any]) -> None:
    """Write a store again if the table of its pictures has changed; rows are found by the names of the files."""
    old = load_results(path)["embeddings"]
    columns = template.drop_vars("usable").coords.to_dataset()
    if columns.equals(old.drop_vars("usable").coords.to_dataset().load()):
        return
    places = {name: i for i, name in enumerate(old["file"].values.tolist())}
    names = template["file"].values.tolist()
    gone = [name for name in places if name not in set(names)]
    if 2 * len(gone) > len(places):
        raise ValueError(
            f"{str(path)!r} holds embeddings of other pictures: {len(gone)} of its {len(places)} are not among these, "
            f"such as {gone[0]!r}: give another name, or delete it first."
        )
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        warnings.warn(f"{', '.join(gone[:3])}{more}: no longer among the pictures of {str(path)!r}.", stacklevel=5)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fr-explore-") as scratch:
        new = Path(scratch) / "new"
        create(new, template, width, attrs, content=_HASH)
        source, target = _open(str(path), "r"), _open(str(new), "r+")
        for first in range(0, len(names), width):
            pairs = [(i, places[name]) for i, name in enumerate(names[first : first + width]) if name in places]
            at, taken = [i for i, _ in pairs], [place for _, place in pairs]
            for name in ("content", "embeddings/embedding", "embeddings/usable") if pairs else ():
                part = target[name][first : first + width]
                part[at] = source[name].oindex[taken]
                target[name][first : first + width] = part
        path.replace(Path(scratch) / "old")
        new.replace(path)


def _open(path: str, mode: str) -> Any:
    return import_extra("zarr", "zarr", "A store of embeddings").open_group(path, mode=mode, zarr_format=2)
