"""The command `fr-explore`: bring weights to this machine ahead of class, list the models, look after the cache."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all went well, 1 with the reason on standard error when not."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (OSError, ValueError, ImportError) as error:
        print(f"fr-explore: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fr-explore", description=__doc__)
    parser.add_argument("--version", action="version", version=f"fr-explore {version('fr-explore')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fetch = commands.add_parser("fetch", help="bring a model's weights to this machine and verify them")
    fetch.add_argument("models", nargs="+", metavar="MODEL", help="a name that `fr-explore models` lists")
    fetch.add_argument("--quiet", action="store_true", help="no progress bar")
    fetch.set_defaults(run=_fetch)
    commands.add_parser("models", help="list the models, with their licences").set_defaults(run=_models)
    cache = commands.add_parser("cache", help="what is kept on disk: embeddings and weights")
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="folders, numbers and sizes").set_defaults(run=_list)
    clear = actions.add_parser("clear", help="delete the cached embeddings")
    clear.add_argument("--weights", action="store_true", help="and the fetched weights")
    clear.set_defaults(run=_clear)
    return parser


def _fetch(options: argparse.Namespace) -> None:
    from .models.registry import check_name, fetch_model

    for name in options.models:  # a misspelt name shows before anything is downloaded
        check_name(name)
    for name in options.models:
        print(f"{name}: verified, {fetch_model(name, progress=not options.quiet)}")


def _models(options: argparse.Namespace) -> None:
    from .models.presets import PRESETS
    from .models.registry import list_models

    print(f"{'name':24s}{'length':8s}{'metric':12s}{'threshold':12s}licence")
    for name, dim, metric, threshold, licence in list_models()[["dim", "metric", "threshold", "licence"]].itertuples():
        cut = "calibrate" if threshold != threshold else f"{threshold:g}"  # NaN where none is published
        print(f"{name:24s}{dim:<8d}{metric:12s}{cut:12s}{licence}")
    print(
        f"\nYour own .onnx file: fr.load_model('file.onnx', card=...), with the cards {', '.join(PRESETS)} ready made."
    )


def _list(options: argparse.Namespace) -> None:
    from . import cache
    from .models import weights

    print(f"{cache.folder()} (set FR_EXPLORE_CACHE to move it)")
    print(f"embeddings: {_megabytes(cache.size())}")
    table = cache.entries()
    for model, rows in table.groupby("model"):
        print(f"  {model}: {sum(rows['faces']):,} faces in {len(rows):,} files, {_megabytes(sum(rows['bytes']))}")
    files = weights.fetched()
    print(f"weights: {_megabytes(sum(path.stat().st_size for path in files))}")
    for path in files:
        print(f"  {path.name}: {_megabytes(path.stat().st_size)}")


def _clear(options: argparse.Namespace) -> None:
    from . import cache
    from .models import weights

    print(f"embeddings: {_megabytes(cache.clear())} freed")
    if options.weights:
        print(f"weights: {_megabytes(weights.clear())} freed")


def _megabytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
