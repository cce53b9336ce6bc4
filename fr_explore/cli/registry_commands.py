"""`fr-explore models`, `fetch` and `cache`: the available models, and what is on this disk."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..base import cache
from ..models import weights
from ..models.presets import PRESETS
from ..models.registry import check_name, fetch_model, list_models

__all__ = ["cache_clear", "cache_list", "fetch", "models"]


def models(options: Namespace) -> tuple[str, Any]:
    table = list_models()
    wide, long = (max(map(len, words)) + 2 for words in (table.index, table["available"]))
    lines = [f"{'name':{wide}s}{'length':8s}{'metric':12s}{'threshold':12s}{'available':{long}s}licence"]
    columns = ["dim", "metric", "threshold", "available", "licence"]
    for name, dim, metric, threshold, available, licence in table[columns].itertuples():
        cut = "calibrate" if threshold != threshold else f"{threshold:g}"  # NaN if none is published
        lines.append(f"{name:{wide}s}{dim:<8d}{metric:12s}{cut:12s}{available:{long}s}{licence}")
    lines += [
        "",
        f"For your own .onnx file give its path, with --card {', '.join(PRESETS)}, or a card of your own in Python.",
    ]
    return "\n".join(lines), [{"name": name, **row} for name, row in table.to_dict("index").items()]


def fetch(options: Namespace) -> tuple[str, Any]:
    for name in options.models:  # report a misspelt name before downloading anything
        check_name(name)
    paths = {name: str(fetch_model(name, progress=not options.quiet)) for name in options.models}
    return "\n".join(f"{name}: verified, {path}" for name, path in paths.items()), paths


def cache_list(options: Namespace) -> tuple[str, Any]:
    table, files = cache.entries(), weights.fetched()
    lines = [f"{cache.folder()} (set FR_EXPLORE_CACHE to move it)", f"embeddings: {_megabytes(cache.size())}"]
    for model, rows in table.groupby("model"):
        lines.append(
            f"  {model}: {sum(rows['faces']):,} faces in {len(rows):,} files, {_megabytes(sum(rows['bytes']))}"
        )
    if old := cache.outdated():
        lines.append(f"of earlier versions, never read: {_megabytes(old)}; fr-explore cache clear --outdated")
    lines.append(f"weights: {_megabytes(sum(path.stat().st_size for path in files))}")
    lines += [f"  {path.name}: {_megabytes(path.stat().st_size)}" for path in files]
    faces: Any = table.groupby("model")["faces"].sum()
    data = {"folder": str(cache.folder()), "embeddings": cache.size(), "outdated": old, "models": faces.to_dict()}
    return "\n".join(lines), {**data, "weights": {path.name: path.stat().st_size for path in files}}


def cache_clear(options: Namespace) -> tuple[str, Any]:
    freed = {"embeddings": cache.clear(only_outdated=options.outdated)}
    if options.weights:
        freed["weights"] = weights.clear()
    return "\n".join(f"{what}: {_megabytes(size)} freed" for what, size in freed.items()), freed


def _megabytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
