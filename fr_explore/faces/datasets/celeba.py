"""CelebA (Liu et al., ICCV 2015) as its authors or Kaggle distribute it; nothing is downloaded.

The folder contains img_align_celeba/ with list_attr_celeba.txt and identity_CelebA.txt, all in one place or in the
sub-folders Img, Anno and Eval. Kaggle's lists are .csv files, whose header also names the column of file names; its
pictures are in img_align_celeba/img_align_celeba/, and the identities are missing.
"""

from __future__ import annotations

import itertools
import os
import re
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from .labelled import RESERVED, LabelledImages, existing
from .tables import check_fields, check_folder, check_header, check_new, read_lines, whole_number

__all__ = ["read_celeba"]

_LIST_FOLDERS = ("", "Anno", "Eval")
_PICTURE_FOLDERS = ("img_align_celeba", "Img", "")
_SPLITS = np.array(["train", "valid", "test"], object)
_POINTS = [f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"]
_PICTURE = re.compile(r"\d{6}\.(jpg|png)")


def read_celeba(folder: str | os.PathLike, *, private: bool = False) -> LabelledImages:
    """Read CelebA's aligned pictures with their 40 attributes and identities; pictures are decoded when needed.

    Parameters
    ----------
    folder : contains img_align_celeba/ (or Img/img_align_celeba/), list_attr_celeba.txt and identity_CelebA.txt (here
        or in Anno/); each list may be a .csv file as Kaggle has it. Two lists are optional: with
        list_landmarks_align_celeba.txt no face detector is needed, and list_eval_partition.txt (here or in Eval/) adds
        the column `split`. Pictures may be missing. Without identity_CelebA.txt a warning says that every picture
        counts as a person of its own, named after the file.
    private : whether to keep the embeddings off the disk.

    Returns
    -------
    LabelledImages with one row for each picture in the folder; `problems` lists the missing ones.

    Raises
    ------
    FileNotFoundError : a missing file, and where it was looked for.
    ValueError : an invalid list; the message gives file, line, field and expected value.

    >>> fr.read_celeba("CelebA/")
    LabelledImages(202599 images of 10177 identities, 40 labels, 0 problems)
    """
    folder = check_folder(folder)
    pictures = _find(folder, "img_align_celeba", _PICTURE_FOLDERS)
    while (pictures / pictures.name).is_dir():
        pictures /= pictures.name
    labels = _read_list(_find(folder, "list_attr_celeba.txt"), "[+-]?1", "-1 or 1")
    table = pd.concat([_identities(folder, labels.index), labels.astype(np.int8)], axis=1)
    if partition := _look(folder, "list_eval_partition.txt"):
        split = _read_list(partition, "[0-2]", "0, 1 or 2", ["partition"], False, labels.index)
        table["split"] = _SPLITS[split["partition"]]
    landmarks = None
    if points := _look(folder, "list_landmarks_align_celeba.txt"):
        whole = _read_list(points, r"[+-]?\d{1,9}", "a whole number", _POINTS, True, labels.index)
        # the numbers count pixels from 0, and the centre of the first pixel is at 0.5
        landmarks = whole.to_numpy(np.float32).reshape(-1, 5, 2) + np.float32(0.5)
    table = table.reset_index(names="file")
    kept, problems, disk = existing(pictures, table)
    if landmarks is not None:
        landmarks = landmarks[table["file"].isin(kept["file"]).to_numpy()]
    return LabelledImages(pictures, kept, tuple(labels), problems, landmarks, private=private, disk=disk)


def _identities(folder: Path, files: pd.Index) -> pd.DataFrame:
    """Return who is in each picture, as text, or the file's name where nobody says so."""
    people = _look(folder, "identity_CelebA.txt")
    if people:
        return _read_list(people, r"\d{1,9}", "a whole number, 0 or larger", ["identity"], False, files).astype(str)
    warnings.warn(
        f"{str(folder)!r} has no identity_CelebA.txt, which Kaggle leaves out: every picture counts as a person of its "
        "own. Labels are not affected; for anything about people, get the list from the authors of CelebA.",
        stacklevel=3,
    )
    return pd.DataFrame({"identity": files}, files)


def _look(folder: Path, name: str, places: tuple[str, ...] = _LIST_FOLDERS) -> Path | None:
    """Return the first of the places that has this list or folder; a list may end in .csv instead of .txt."""
    names = (name, name.replace(".txt", ".csv"))
    return next((path for each in names for place in places if (path := folder / place / each).exists()), None)


def _find(folder: Path, name: str, places: tuple[str, ...] = _LIST_FOLDERS) -> Path:
    path = _look(folder, name, places)
    if path is None:
        packed = " (unpack its zip first)" if _look(folder, f"{name}.zip", places) else ""
        looked = ", ".join(str(folder / place / name) for place in places)
        raise FileNotFoundError(f"{name} is missing{packed}: looked for {looked}, or the same name with .csv.")
    return path


def _read_list(
    path: Path,
    pattern: str,
    expected: str,
    names: list[str] | None = None,
    header: bool = True,
    files: pd.Index | None = None,
) -> pd.DataFrame:
    """Read one of CelebA's lists: lines of a file name and whole numbers.

    Parameters
    ----------
    pattern, expected : what each number must match, as a regular expression and in words.
    names : of the numbers; None takes them from the header.
    header : whether a .txt list starts with a line for the number of pictures and a line of names.
    files : the pictures to return, in this order; None returns all.

    Returns
    -------
    int64 (files, names), with the file names as index.
    """
    lines: Iterator[tuple[int, list[str]]] = read_lines(path)
    count = None
    if path.suffix == ".csv":
        line, first = next(lines)
        header = not _PICTURE.fullmatch(first[0])
        found = first[1:]
        lines = lines if header else itertools.chain([(line, first)], lines)
    elif header:
        line, fields = next(lines, (1, [""]))
        count = whole_number(fields[0], f"{path.name}, line {line}, field 1 (number of pictures)")
        line, found = next(lines, (2, []))
    if header:
        if not found or (names not in (None, found) and len(names) > 1):
            wanted = " ".join(names or ["of the attributes"])
            raise ValueError(f"{path.name}, line {line}: {' '.join(found)!r}, expected the names {wanted}.")
        check_header(found, f"{path.name}, line {line}", () if names else RESERVED)
        names = names or found
    seen, cells = _read_numbers(path, lines, names or [], re.compile(pattern, re.ASCII), expected)
    if count not in (None, len(seen)):
        raise ValueError(f"{path.name}: {len(seen)} pictures are listed, but line 1 says {count}: the file is cut off.")
    numbers = np.array(cells, np.int64).reshape(len(seen), -1)
    table = pd.DataFrame(numbers, pd.Index(list(seen), dtype=object), names)
    if files is None:
        return table
    missing = files.difference(table.index)
    if len(missing):
        raise ValueError(f"{path.name}: no line for {missing[0]!r}, which is listed in list_attr_celeba.")
    return table.loc[files]


def _read_numbers(
    path: Path, lines: Iterator[tuple[int, list[str]]], names: list[str], pattern: re.Pattern[str], expected: str
) -> tuple[dict[str, int], array]:
    """Read the lines below the header: file name -> line, and all numbers in order."""
    seen: dict[str, int] = {}
    cells = array("i")  # 8 million numbers in the whole of CelebA
    for line, (name, *fields) in lines:
        where = f"{path.name}, line {line}"
        check_fields([name, *fields], ["file name", *names], where)
        if not _PICTURE.fullmatch(name):
            raise ValueError(f"{where}, field 1: {name!r}, expected a picture's name such as 000001.jpg.")
        check_new(name, line, seen, f"{where}, field 1")
        if not all(map(pattern.fullmatch, fields)):
            wrong = next(i for i, text in enumerate(fields) if not pattern.fullmatch(text))
            raise ValueError(f"{where}, field {wrong + 2} ({names[wrong]}): {fields[wrong]!r}, expected {expected}.")
        cells.extend(map(int, fields))
    return seen, cells
