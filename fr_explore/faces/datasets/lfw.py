"""Labelled Faces in the Wild (Huang et al. 2007) as its authors distribute it; nothing is downloaded.

Pictures are called name/name_0001.jpg, with any usual ending. The file pairs.txt lists the verification pairs in folds;
each fold has as many pairs of the same person as of different people.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ...base.paths import Names, as_path, is_system_file, loose, shown
from .labelled import LabelledImages
from .tables import check_fields, check_folder, read_lines, whole_number

__all__ = ["read_lfw"]

_INNER = ("lfw", "lfw_funneled", "lfw-deepfunneled")
_ENDINGS = "jpg|jpeg|jpe|png|webp|tif|tiff|bmp|avif|heic"
# a line of pairs.txt without tabs, of different people and of the same person
_PAIR = (r"(.*?\D) (\d+) (.*\D) (\d+)", r"(.*\D) (\d+) (\d+)")


def read_lfw(
    folder: str | os.PathLike, pairs: str | os.PathLike | None = None, *, private: bool = False
) -> LabelledImages:
    """Read Labelled Faces in the Wild, or any folder with the same layout, and its verification pairs.

    Parameters
    ----------
    folder : contains name/name_0001.jpg, ..., or one folder (lfw, lfw_funneled, lfw-deepfunneled) that does; unpacking
        may have made it twice.
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
    people = check_folder(folder)
    while inner := next((path for name in _INNER if os.path.isdir(path := people / name)), None):
        people = inner
    rows, problems, disk = [], [], {}
    for person, name, reason in _listed(people):
        file = shown(f"{person}/{name}" if name else person)
        if reason is None:
            rows.append((file, shown(person)))
            disk |= {} if file == f"{person}/{name}" else {file: f"{person}/{name}"}
        else:
            problems.append((file, reason))
    if not rows:
        found = f"; there is {problems[0][0]!r}" if problems else ""
        raise FileNotFoundError(f"no picture called name/name_0001.jpg in {str(people)!r}{found}.")
    table = pd.DataFrame(rows, columns=["file", "identity"])
    usual = (folder / "pairs.txt" for folder in (people, people / "..", check_folder(folder)))
    path = next(filter(os.path.exists, usual), None) if pairs is None else as_path(pairs, "pairs")
    listed = None
    if path is not None:
        listed, missing = _read_pairs(path, {loose(name.rpartition(".")[0]): name for name in table["file"]})
        problems += missing
    left_out = pd.DataFrame(problems, columns=["file", "reason"])
    return LabelledImages(people, table, (), left_out, pairs=listed, choose="central", private=private, disk=disk)


def _listed(people: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield folder, file and the reason why it is left out, or None, of all that is in the folders of people."""
    names = Names(people)
    for person in sorted(os.listdir(people)):
        if is_system_file(person) or not (os.path.isdir(people / person) or os.path.islink(people / person)):
            continue
        wanted = re.compile(rf"{re.escape(loose(person))}_\d{{4}}\.({_ENDINGS})")
        try:
            for name in sorted(names.listed(person)):
                if not is_system_file(name):
                    fits = wanted.fullmatch(loose(name))
                    yield person, name, None if fits else f"expected a name like {shown(person)}_0001.jpg"
        except LookupError as error:
            yield person, "", str(error)


def _read_pairs(path: Path, files: dict[str, str]) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the pairs whose pictures are all in `files` (`loose` name -> name), and the missing pictures."""
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
        if len(fields) != len(names) and (match := re.fullmatch(_PAIR[same], " ".join(fields))):
            fields = match.groups()  # names with spaces, or tabs and spaces mixed
        check_fields(fields, names, f"{path.name}, line {line}")
        pictures = []
        for name, at in ((0, 1), (0, 2) if same else (2, 3)):
            number = whole_number(fields[at], f"{path.name}, line {line}, field {at + 1}", 1)
            pictures.append(f"{fields[name]}/{fields[name]}_{number:04d}")
        absent = [picture for picture in pictures if loose(picture) not in files]
        missing += [(f"{picture}.jpg", f"file not found; {path.name}, line {line}") for picture in absent]
        if not absent:
            rows.append((fold, files[loose(pictures[0])], files[loose(pictures[1])], same))
    return pd.DataFrame(rows, columns=["fold", "first", "second", "same"]), missing
