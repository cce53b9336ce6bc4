"""`fr-explore embed`, `energy`, `macroscale`, `verify`, `report`: the library's functions on stores and folders."""

from __future__ import annotations

import contextlib
import os
import shlex
import warnings
from argparse import Namespace
from typing import Any

import numpy as np
import pandas as pd

import fr_explore as fr

from ..base.paths import as_path
from ..base.values import truths
from ..faces.datasets.tables import read_table
from ..scale.results import loaded, plain, writable

__all__ = ["embed", "energy", "macroscale", "report", "verify"]

MOST = 5  # pictures named in a command's last line


def embed(options: Namespace) -> tuple[str, Any]:
    if options.card and not options.model.endswith(".onnx"):
        raise ValueError(f"--card is for .onnx files, {options.model!r} already has a card: leave it out.")
    model = fr.load_model(options.model, options.card)
    faces: Any = _faces(options)
    left_out = _problems(faces)
    if options.attributes:
        faces = fr.sample_lattice(faces, options.attributes, options.curves, options.seed)
    elif isinstance(faces, fr.Avatars):
        raise ValueError("avatars need attributes to vary: add --attributes age,hue or others.")
    with _cluster(options) as client, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\d+ of \d+ pictures are left out")  # the last line says more
        found = fr.embed(faces, model, store=options.out, client=client, progress=not options.quiet)
    sizes = {str(dim): size for dim, size in found.sizes.items()}
    next_ = "energy" if options.attributes else "verify"
    text = f"{options.out}: {' x '.join(f'{size} {dim}' for dim, size in sizes.items())}, {model.card.name}"
    text += f"\nnext: fr-explore {next_} {shlex.quote(options.out)}"
    if not options.attributes:
        known, said = set(found["file"].values.tolist()), found.attrs["problems"].splitlines()
        left_out += said or [name for name in faces.table["file"] if name not in known]
    return _with_left_out(text, {"store": options.out, "sizes": sizes}, left_out)


def energy(options: Namespace) -> tuple[str, Any]:
    source: Any = options.store
    known, _ = _embeddings(options, "attribute")
    if options.attribute:
        there = known["attribute"].values.tolist()
        if unknown := [name for name in options.attribute if name not in there]:
            raise ValueError(f"{options.store} has no attribute {', '.join(unknown)}: it has {', '.join(there)}.")
        source = loaded(known.sel(attribute=options.attribute), options.store)
    with _cluster(options) as client:
        table = fr.alignment(
            source, options.neighborhood, options.null_draws, options.seed, client=client, progress=not options.quiet
        )
    middle = fr.summarize(table).merge(
        table.groupby("attribute")[["null_mean", "magnitude", "coverage"]].median(),
        left_on="attribute",
        right_index=True,
    )
    shown = middle[["attribute", "energy", "low", "high", "null_mean", "magnitude", "coverage", "identities"]]
    head = f"{table.attrs.get('model', 'unknown model')}, {table.attrs['neighborhood']}; 0: all move alike, 1: random"
    foot = "Medians over identities with 95 % bootstrap intervals."
    return f"{head}\n{_shown(shown)}\n{foot}", _result(options, table, summary=middle)


def macroscale(options: Namespace) -> tuple[str, Any]:
    found, left_out = _embeddings(options, "image")
    labels = {
        # what a reader of files wrote has a -1 for "without", so there a 0 is unknown
        str(name): np.where(values == 0, np.nan, values) if values.dtype == np.int8 else values.values
        for name, values in found.coords.items()
        if values.dims == ("image",) and values.dtype.kind == "i" and name != "identity"
        and np.isin(values.values, (-1, 0, 1)).all()
    }  # fmt: skip
    if not labels:
        raise ValueError(f"{options.store} has no labels: embed with --table, a CSV with columns of 1, -1 and 0.")
    table = fr.macroscale(
        found, found["identity"].values, pd.DataFrame(labels), permutations=options.permutations, seed=options.seed
    )
    columns = ["attribute", "n", "ks_mean", "null_mean", "p_value", "intra_entropy"]
    shown: Any = table[[name for name in columns if name in table]]
    shown = shown.sort_values("ks_mean", ascending=False)
    text = f"{_shown(shown)}\nA KS near its null means that the label does not shape the space."
    return _with_left_out(text, _result(options, table), left_out)


def verify(options: Namespace) -> tuple[str, Any]:
    found, left_out = _embeddings(options, "image")
    pairs = None if options.pairs is None else _pairs(options, found)
    result = fr.verification(found, pairs, seed=options.seed)
    text = f"{result!r}\n\n{_shown(result.rates)}\n\n{_shown(result.tar_at_far)}"
    facts = {"threshold": result.threshold, "eer": result.eer, **result.attrs}
    if pairs is not None:
        left_out = result.attrs["left_out_images"]
    if lost := result.attrs["left_out"]:
        text += f"\nleft out: {lost} pair{'s' * (lost > 1)} that name{'s' * (lost == 1)} a picture without an embedding"
    return _with_left_out(text, _result(options, result.rates, **facts, tar_at_far=result.tar_at_far), left_out)


def report(options: Namespace) -> tuple[str, Any]:
    faces: Any = fr.Avatars(options.identities, seed=options.seed)
    if options.photos:
        faces = fr.Photographs(options.photos, progress=not options.quiet)
    path = fr.report(
        options.models, faces, options.out, attributes=options.attributes, curves=options.curves, seed=options.seed,
        neighborhood=options.neighborhood, null_draws=options.null_draws, progress=not options.quiet,
        command=options.command,
    )  # fmt: skip
    return _with_left_out(str(path), {"report": str(path)}, _problems(faces))


def _faces(options: Namespace) -> Any:
    name, _, count = options.faces.partition(":")
    if name == "avatars" and not os.path.exists(options.faces):
        if count and not count.isdigit():
            raise ValueError(f"{options.faces!r}: write avatars:12 for twelve avatars.")
        return fr.Avatars(int(count or 12), seed=options.seed)
    if options.table:
        file, identity = _columns(options, "file", "identity").values()
        return fr.read_labelled(options.faces, options.table, file=file, identity=identity, labels=options.labels)
    return fr.Photographs(options.faces, progress=not options.quiet)


def _cluster(options: Namespace) -> Any:
    return fr.local_cluster(options.workers) if options.workers else contextlib.nullcontext()


def _columns(options: Namespace, *meanings: str) -> dict[str, str]:
    """What the columns of the table are called: by their meanings, or as --column says."""
    given = dict(options.column)
    if unknown := [meaning for meaning in given if meaning not in meanings]:
        raise ValueError(f"--column {unknown[0]}={given[unknown[0]]}: rename {' or '.join(meanings)}.")
    return {meaning: given.get(meaning, meaning) for meaning in meanings}


def _pairs(options: Namespace, found: Any) -> pd.DataFrame:
    """The pairs of --pairs; images are named as in the store, or by row numbers."""
    table = read_table(as_path(options.pairs, "table"))
    names = _columns(options, "first", "second", "same")
    hint = "; say which one to use by --column first=..."
    pairs = pd.DataFrame({side: table.column(names[side], hint).astype(str) for side in ("first", "second")})
    files = found.coords.get("file")
    if all(map(str.isdecimal, pairs.to_numpy().ravel())) and (files is None or not np.isin(pairs, files.values).any()):
        pairs = pairs.astype(int)
    if "identity" in found.coords and names["same"] == "same" and "same" not in table.rows:
        return pairs  # the identities say it
    cells = table.column(names["same"], hint.replace("first", "same"))
    return pairs.assign(same=truths(cells, lambda i: table.where(table.rows.index[i], names["same"])))


def _problems(source: Any) -> list[str]:
    """File and reason of each picture that the face source could not read."""
    problems = getattr(source, "problems", None)
    return [] if problems is None else [f"{file}: {reason}" for file, reason in problems.itertuples(index=False)]


def _with_left_out(text: str, data: dict[str, Any], left_out: list[Any]) -> tuple[str, dict[str, Any]]:
    """Text and data of a command, with a last line on the pictures that it left out."""
    if left_out:
        more = f"; and {len(left_out) - MOST} more, see --json" if len(left_out) > MOST else ""
        what = f"{len(left_out)} picture{'s' * (len(left_out) > 1)}"
        text += f"\nleft out: {what}, {'; '.join(map(str, left_out[:MOST]))}{more}"
    return text, {**data, "pictures_left_out": left_out}


def _embeddings(options: Namespace, dim: str) -> tuple[Any, list[str]]:
    """The embeddings of the store, which must have this dimension; checks first that --out is writable.

    Also returns the files of the pictures without an embedding.

    ValueError says which command writes such a store.
    """
    store = options.store
    if options.out:
        writable(options.out)
    found = fr.load_results(store).get("embeddings")
    if found is None or dim not in found.dims:
        how = "with --attributes" if dim == "attribute" else "without --attributes"
        raise ValueError(
            f"{store} does not contain what this command needs: create it with `fr-explore embed ... {how}`."
        )
    left_out = []
    if "usable" in found.coords:
        usable = found["usable"].values
        left_out = found["file"].values[~usable].tolist()
        found = found.isel(image=usable)
    return (loaded(found, store) if dim == "image" else found), left_out


def _shown(table: Any) -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.4g}")


def _result(options: Namespace, table: Any, **more: Any) -> dict[str, Any]:
    """Rows as plain values, NaN as null; with --out, also write them to that file."""
    if options.out:
        table.to_csv(as_path(options.out), index=False)
    rows = {key: v.to_dict("records") if hasattr(v, "to_dict") else v for key, v in {**more, "rows": table}.items()}
    return plain({**rows, "attrs": {k: v for k, v in table.attrs.items() if k != "null_draws" or isinstance(v, int)}})
