"""CelebA and Labelled Faces in the Wild as their authors lay them out; nothing is downloaded.

CelebA (Liu et al., ICCV 2015): img_align_celeba/ with list_attr_celeba.txt and identity_CelebA.txt, flat or in the
folders Img, Anno and Eval. LFW (Huang et al. 2007): name/name_0001.jpg with pairs.txt: ten folds, each with as many
pairs of one person as of two.
"""

from __future__ import annotations

import os
import re
from array import array
from pathlib import Path

import numpy as np
import pandas as pd

from .labelled import RESERVED, LabelledImages, existing
from .tables import read_lines, whole_number

__all__ = ["read_celeba", "read_lfw"]

_SPLITS = ("train", "valid", "test")
_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
_PICTURE = re.compile(r"\d{6}\.(jpg|png)")


def read_celeba(folder: str | os.PathLike, *, private: bool = False) -> LabelledImages:
    """CelebA's aligned pictures with their 40 attributes and identities; pictures are read only when needed.

    Parameters
    ----------
    folder : holds img_align_celeba/ (or Img/img_align_celeba/), list_attr_celeba.txt and identity_CelebA.txt (here or
        in Anno/); where they are there, list_landmarks_align_celeba.txt saves the search for faces and
        list_eval_partition.txt (here or in Eval/) adds the column `split`. Some of the pictures are enough.
    private : keep the embeddings off the disk.

    Raises
    ------
    FileNotFoundError : which file, and where it was looked for. ValueError : file, line, field, what was expected.

    >>> fr.read_celeba("CelebA/")
    LabelledImages(202599 images of 10177 identities, 40 labels, 0 problems)
    """
    folder = Path(folder)
    pictures = _find(folder, "img_align_celeba", ("img_align_celeba", "Img", ""))
    attributes = _find(folder, "list_attr_celeba.txt", ("", "Anno"))
    people = _find(folder, "identity_CelebA.txt", ("", "Anno"))
    names, files, signs = _listed(attributes, allowed=frozenset((-1, 1)))
    identities = _numbers_by_file(people, "identity")
    columns = {"file": files, "identity": [_of(identities, file, people, attributes) for file in files]}
    table = pd.DataFrame(columns | dict(zip(names, signs.T.astype(np.int8), strict=True)))
    partition = _look(folder, "list_eval_partition.txt", ("", "Eval", "Anno"))
    if partition is not None:
        parts = _numbers_by_file(partition, "partition", high=2)
        table["split"] = [_SPLITS[_of(parts, file, partition, attributes)] for file in files]
    points = _look(folder, "list_landmarks_align_celeba.txt", ("", "Anno"))
    landmarks = None
    if points is not None:
        _, listed, xy = _listed(points, names=[f"{point}_{axis}" for point in _POINTS for axis in "xy"])
        row = {file: i for i, file in enumerate(listed)}
        # whole numbers count pixels from 0: the centre of the first lies at 0.5
        landmarks = xy.reshape(-1, 5, 2)[[_of(row, file, points, attributes) for file in files]] + np.float32(0.5)
    kept, problems = existing(pictures, table)
    if landmarks is not None:
        landmarks = landmarks[table["file"].isin(kept["file"]).to_numpy()]
    return LabelledImages(pictures, kept, tuple(names), problems, landmarks, private=private)


def read_lfw(
    folder: str | os.PathLike, pairs: str | os.PathLike | None = None, *, private: bool = False
) -> LabelledImages:
    """Labelled Faces in the Wild, or any folder laid out like it, with its verification pairs.

    Parameters
    ----------
    folder : holds name/name_0001.jpg, ...; or one folder (lfw, lfw_funneled, lfw-deepfunneled) that does.
    pairs : the pairs file; by default pairs.txt in the folder, above it or below it, if there is one.

    Returns
    -------
    LabelledImages; the face in the middle of a picture counts, as in the original. `pairs` has one row for each pair:
    fold (from 0), first and second (file names), same. `fr.fold_accuracy(fr.embed(images, model), images.pairs)` is
    the ten-fold protocol.

    Raises
    ------
    FileNotFoundError; ValueError : a fault in the pairs file: line, field, what was expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {str(folder)!r}.")
    people = next(
        (path for name in ("lfw", "lfw_funneled", "lfw-deepfunneled") if (path := folder / name).is_dir()), folder
    )
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
    path = Path(pairs) if pairs is not None else _look(people, "pairs.txt", ("", ".."))
    listed = None
    if path is not None:
        listed, missing = _read_pairs(path, {name.rsplit(".", 1)[0]: name for name in table["file"]})
        problems += missing
    listing = pd.DataFrame(problems, columns=["file", "reason"])
    return LabelledImages(people, table, (), listing, pairs=listed, choose="central", private=private)


def _look(folder: Path, name: str, places: tuple[str, ...]) -> Path | None:
    return next((path for place in places if (path := folder / place / name).exists()), None)


def _find(folder: Path, name: str, places: tuple[str, ...]) -> Path:
    path = _look(folder, name, places)
    if path is None:
        packed = any((folder / place / f"{name}.zip").exists() for place in places)
        looked = ", ".join(str(folder / place / name) for place in places)
        raise FileNotFoundError(f"{name} is missing{' (unpack its zip first)' if packed else ''}: looked for {looked}.")
    return path


def _listed(
    path: Path, allowed: frozenset[int] | None = None, names: list[str] | None = None
) -> tuple[list[str], list[str], np.ndarray]:
    """One of CelebA's lists: a count, a header, then lines of a file name and as many whole numbers.

    Returns the header's names, the file names, and the numbers (files, names) as float32.
    """
    lines = read_lines(path)
    line, fields = next(lines, (1, [""]))
    count = whole_number(fields[0], f"{path.name}, line {line}, field 1 (number of pictures)")
    line, header = next(lines, (2, []))
    if not header or (names is not None and header != names):
        expected = "the names " + " ".join(names or ["of the attributes"])
        raise ValueError(f"{path.name}, line {line}: {' '.join(header)!r}, expected {expected}.")
    for position, name in enumerate(header):
        if name in header[:position] or name in RESERVED:
            raise ValueError(f"{path.name}, line {line}, field {position + 1}: {name!r}, expected a name of its own.")
    files: dict[str, int] = {}
    cells = array("i")  # 8 million for the whole of CelebA
    for line, fields in lines:
        if len(fields) != len(header) + 1:
            expected = f"a file name and {len(header)} numbers"
            raise ValueError(f"{path.name}, line {line}: {len(fields)} fields, expected {expected}.")
        _add(files, fields[0], line, path)
        cells.extend(_integers(fields[1:], allowed, f"{path.name}, line {line}", header))
    if len(files) != count:
        raise ValueError(f"{path.name}: {len(files)} pictures are listed, line 1 says {count}: the file is cut short.")
    return header, list(files), np.array(cells, np.float32).reshape(-1, len(header))


def _integers(fields: list[str], allowed: frozenset[int] | None, where: str, header: list[str]) -> list[int]:
    try:
        values = list(map(int, fields))
        if allowed is None or allowed.issuperset(values):
            return values
    except ValueError:
        pass  # said below, with the field's name
    for position, text in enumerate(fields):
        whole = re.fullmatch(r"[+-]?\d+", text)
        if not whole or (allowed is not None and int(text) not in allowed):
            expected = " or ".join(map(str, sorted(allowed))) if allowed else "a whole number"
            raise ValueError(f"{where}, field {position + 2} ({header[position]}): {text!r}, expected {expected}.")
    raise ValueError(f"{where}: {' '.join(fields)!r}, expected whole numbers.")


def _numbers_by_file(path: Path, what: str, high: int | None = None) -> dict[str, int]:
    """A list of CelebA without count and header: a file name and a whole number on each line."""
    found: dict[str, int] = {}
    lines: dict[str, int] = {}
    for line, fields in read_lines(path):
        if len(fields) != 2:
            raise ValueError(f"{path.name}, line {line}: {len(fields)} fields, expected 2, a file name and its {what}.")
        _add(lines, fields[0], line, path)
        where = f"{path.name}, line {line}, field 2 ({what})"
        found[fields[0]] = whole_number(fields[1], where)
        if high is not None and found[fields[0]] > high:
            raise ValueError(f"{where}: {fields[1]!r}, expected a whole number from 0 to {high}.")
    return found


def _add(files: dict[str, int], name: str, line: int, path: Path) -> None:
    if not _PICTURE.fullmatch(name):
        raise ValueError(f"{path.name}, line {line}, field 1: {name!r}, expected a picture's name such as 000001.jpg.")
    if name in files:
        raise ValueError(f"{path.name}, line {line}, field 1: {name!r} stands in line {files[name]} already.")
    files[name] = line


def _of(found: dict[str, int], file: str, path: Path, listing: Path) -> int:
    if file not in found:
        raise ValueError(f"{path.name}: no line for {file!r}, which {listing.name} lists.")
    return found[file]


def _read_pairs(path: Path, files: dict[str, str]) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The pairs, and those whose pictures are not there."""
    lines = list(read_lines(path))
    line, header = lines[0] if lines else (1, [])
    if len(header) not in (1, 2):
        raise ValueError(
            f"{path.name}, line {line}: {len(header)} fields, expected folds and pairs in each, such as 10 300."
        )
    *folds, each = (whole_number(text, f"{path.name}, line {line}, field {i + 1}", 1) for i, text in enumerate(header))
    count = (folds or [1])[0] * 2 * each
    if len(lines) - 1 != count:
        raise ValueError(f"{path.name}: {len(lines) - 1} pairs are listed, line {line} announces {count}.")
    rows, missing = [], []
    for k, (line, fields) in enumerate(lines[1:]):
        fold, same = divmod(k, 2 * each)[0], k % (2 * each) < each
        if len(fields) != (3 if same else 4):
            expected = "3 (name, number, number)" if same else "4 (name, number, name, number)"
            raise ValueError(f"{path.name}, line {line}: {len(fields)} fields, expected {expected}.")
        first, second = (fields[0], 1), (fields[0] if same else fields[2], 2 if same else 3)
        pictures = [
            f"{name}/{name}_{whole_number(fields[at], f'{path.name}, line {line}, field {at + 1}', 1):04d}"
            for name, at in (first, second)
        ]
        absent = [picture for picture in pictures if picture not in files]
        missing += [(f"{picture}.jpg", f"not found; {path.name}, line {line}") for picture in absent]
        if not absent:
            rows.append((fold, files[pictures[0]], files[pictures[1]], same))
    return pd.DataFrame(rows, columns=["fold", "first", "second", "same"]), missing
