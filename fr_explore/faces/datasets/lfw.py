"""Labelled Faces in the Wild (Huang et al. 2007) as its authors distribute it; nothing is downloaded.

Pictures are called name/name_0001.jpg. The file pairs.txt lists the verification pairs in folds; each fold has as many
pairs of the same person as of different people.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from .labelled import LabelledImages
from .tables import check_fields, check_folder, read_lines, whole_number

__all__ = ["read_lfw"]


def read_lfw(
    folder: str | os.PathLike, pairs: str | os.PathLike | None = None, *, private: bool = False
) -> LabelledImages:
    """Read Labelled Faces in the Wild, or any folder with the same layout, and its verification pairs.

    Parameters
    ----------
    folder : contains name/name_0001.jpg, ..., or one folder (lfw, lfw_funneled, lfw-deepfunneled) that does.
    pairs : the file of pairs; by default pairs.txt in the folder of the names or in its parent, if there is one.
    private : whether to keep the embeddings off the disk.

    Returns
    -------
    LabelledImages. If a picture shows several faces, the one nearest to its middle counts, as in the original
    protocol. `pairs` has one row for each pair: fold (from 0), first and second (file names), same.
    `fr.fold_accuracy(fr.embed(images, model), images.pairs)` computes the ten-fold protocol.

    Raises
    ------
    FileNotFoundError : no such folder, or no pictures in it.
    ValueError : an invalid file of pairs; the message gives line, field and expected value.
    """
    folder = check_folder(folder)
    inner = (folder / name for name in ("lfw", "lfw_funneled", "lfw-deepfunneled"))
    people = next((path for path in inner if path.is_dir()), folder)
    rows, problems = [], []
    for person in sorted(path for path in people.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in sorted(person.iterdir()):
            name = f"{person.name}/{path.name}"
            if re.fullmatch(re.escape(person.name) + r"_\d{4}\.(jpg|jpeg|png)", path.name):
                rows.append((name, person.name))
            else:
                problems.append((name, f"expected a name like {person.name}_0001.jpg"))
    if not rows:
        raise FileNotFoundError(f"no picture called name/name_0001.jpg in {str(people)!r}.")
    table = pd.DataFrame(rows, columns=["file", "identity"])
    usual = (people / "pairs.txt", people / ".." / "pairs.txt")
    path = next(filter(Path.exists, usual), None) if pairs is None else Path(pairs)
    listed = None
    if path is not None:
        listed, missing = _read_pairs(path, {name.rsplit(".", 1)[0]: name for name in table["file"]})
        problems += missing
    left_out = pd.DataFrame(problems, columns=["file", "reason"])
    return LabelledImages(people, table, (), left_out, pairs=listed, choose="central", private=private)


def _read_pairs(path: Path, files: dict[str, str]) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the pairs whose pictures are all in `files` (name without ending -> name), and the missing pictures."""
    lines = list(read_lines(path))
    line, header = lines[0] if lines else (1, [])
    if len(header) not in (1, 2):
        expected = "the number of folds and of pairs in each, such as 10 300"
        raise ValueError(f"{path.name}, line {line}: {len(header)} fields, expected {expected}.")
    numbers = [whole_number(text, f"{path.name}, line {line}, field {i}", 1) for i, text in enumerate(header, 1)]
    folds, each = numbers if len(numbers) == 2 else (1, *numbers)
    if len(lines) - 1 != 2 * folds * each:
        raise ValueError(f"{path.name}: {len(lines) - 1} pairs are listed, but line {line} says {2 * folds * each}.")
    rows, missing = [], []
    for k, (line, fields) in enumerate(lines[1:]):
        fold, place = divmod(k, 2 * each)
        same = place < each
        names = ("name", "number", "number") if same else ("name", "number", "name", "number")
        check_fields(fields, names, f"{path.name}, line {line}")
        pictures = []
        for name, at in ((0, 1), (0, 2) if same else (2, 3)):
            number = whole_number(fields[at], f"{path.name}, line {line}, field {at + 1}", 1)
            pictures.append(f"{fields[name]}/{fields[name]}_{number:04d}")
        absent = [picture for picture in pictures if picture not in files]
        missing += [(f"{picture}.jpg", f"file not found; {path.name}, line {line}") for picture in absent]
        if not absent:
            rows.append((fold, files[pictures[0]], files[pictures[1]], same))
    return pd.DataFrame(rows, columns=["fold", "first", "second", "same"]), missing
