"""`report`: compare models on the same faces, in one HTML file that needs no network and prints well."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..attributes import PAPER_ATTRIBUTES
from ..base.optional import import_extra
from ..faces.base import FaceSource
from ..geometry.neighbors import as_neighborhood
from ..lattice import sample_lattice
from ..models.base import Model
from ..models.registry import load_model
from ..scale.results import writable
from .measure import measure
from .page import page
from .sections import sections

__all__ = ["report"]


def report(
    models: str | Model | Iterable[str | Model],
    faces: FaceSource,
    path: str | os.PathLike = "report.html",
    *,
    attributes: Iterable[str] | None = None,
    curves: int = 100,
    neighborhood: str = "knn:10",
    null_draws: int = 200,
    seed: int = 0,
    command: str = "",
    progress: bool = True,
) -> Path:
    """Compare models on the same lattice and write the results to one HTML file.

    Faces, energies with intervals and null, energy over the scale, maps, similarity of the attributes' fields,
    dimension, verification, cards and licences, and how to repeat it. Images and charts are embedded; the file follows
    the reader's light or dark theme and can be printed. Photographs are embedded too: consider who receives the file.

    Parameters
    ----------
    models : names that `fr.list_models()` lists, or models.
    faces : the source; all its identities are used.
    path : of the file; an existing file is overwritten.
    attributes : to vary; by default those of the paper's eight that the source has.
    curves, seed : of `fr.sample_lattice`. neighborhood, null_draws : of `fr.alignment`.
    command : the command shown for repeating the report; by default the call in Python.

    Before computing anything, it raises ValueError without a model, for fewer than two
    identities, two models of the same name or too few curves for the neighbourhood, and OSError if `path` is not
    writable.
    """
    import_extra("vl_convert", "report", "A report's charts")
    path = writable(path)
    given = [models] if isinstance(models, (str, Model)) else list(models)
    names = list(attributes or (name for name in PAPER_ATTRIBUTES if name in faces.attributes))
    if not given or len(faces.identities) < 2:
        raise ValueError(
            f"{len(given)} models and {len(faces.identities)} identities: a report needs one model and two identities."
        )
    as_neighborhood(neighborhood).check_size(curves)
    lattice = sample_lattice(faces, names, curves, seed)
    loaded = [model if isinstance(model, Model) else load_model(model) for model in given]
    if len({model.card.name for model in loaded}) < len(loaded):
        raise ValueError("two of the models have the same name: give each card its own name.")
    findings = [measure(lattice, model, neighborhood, null_draws, seed, progress) for model in loaded]
    if not command:
        shown = ", ".join(repr(found.name) for found in findings)
        command = (
            f"fr.report([{shown}], {faces!r}, attributes={names!r}, curves={curves}, "
            f"neighborhood={neighborhood!r}, null_draws={null_draws}, seed={seed})"
        )
    *others, last = (found.name for found in findings)
    subject = f"{', '.join(others)} and {last}" if others else last
    title = f"Which attributes {subject} depend{'s' * (not others)} on"
    text = page(title, sections(lattice, findings, command))
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
