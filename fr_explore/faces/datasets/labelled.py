"""Labelled pictures on disk: `LabelledImages`, and `read_labelled`, which reads your own table of them.

- A table is checked when it is read; an error names the line, the field and the expected value.
- A table can only name files inside its folder: absolute paths, "..", and links that lead out are refused.
- A name means the file that has it, or the one file whose name differs only as names do between systems (`Names`).
- A missing label is 0, unknown; it is never filled in.
- A picture is decoded when it is needed.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...base.paths import Names
from ..base import Face
from ..photographs.decode import NO_FACE, PictureError, decode, digest, read_bytes
from ..photographs.detect import DETECTOR, find_faces
from ..photographs.portrait_crop import PortraitCrop
from .tables import beside, check_folder, check_new, read_table

__all__ = ["RESERVED", "LabelledImages", "check_inside", "existing", "read_labelled"]

READER = "1"  # part of the cache keys: raise it whenever the same file would give another portrait
RESERVED = ("file", "identity", "image", "dim", "embedding", "usable")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImages:
    """Pictures of people on disk, with their identities and labels.

    `fr.embed(images, model)` computes their embeddings (image, dim). The portrait in each picture is cropped by the
    landmarks, which are known or found by a detector.

    Parameters
    ----------
    folder : the folder that the file names are relative to.
    table : one row for each picture; columns file, identity, the labels, and whatever else is known.
    label_names : the columns of `table` that are binary labels: +1 with, -1 without, 0 unknown.
    problems : file and reason of each picture that is left out.
    landmarks : (images, 5, 2) in pixels, or None to detect them.
    pairs : verification pairs, see `read_lfw`.
    choose : which face counts if a picture shows several: the "largest", or the "central" one.
    private : True keeps the embeddings off the disk, unless `fr.embed` is called with `cache=True`.
    disk : names on disk, relative to `folder`, of the files that `table` spells in another way.
    """

    folder: Path
    table: pd.DataFrame
    label_names: tuple[str, ...] = ()
    problems: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["file", "reason"]))
    landmarks: np.ndarray | None = None
    pairs: pd.DataFrame | None = None
    choose: Literal["largest", "central"] = "largest"
    private: bool = False
    disk: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        pairs = "" if self.pairs is None else f", {len(self.pairs)} pairs"
        return (
            f"LabelledImages({len(self)} images of {self.table['identity'].nunique()} identities, "
            f"{len(self.label_names)} labels{pairs}, {len(self.problems)} problems)"
        )

    @property
    def labels(self) -> pd.DataFrame:
        """The binary labels, int8, one row for each file: `labels.loc[embeddings.file]` matches embeddings."""
        return self.table.set_index("file").loc[:, list(self.label_names)]

    def take(self, rows: Any) -> LabelledImages:
        """Select images by position, by a slice, or by one True or False for each."""
        chosen = np.arange(len(self))[rows]
        return replace(
            self,
            table=self.table.iloc[chosen].reset_index(drop=True),
            landmarks=None if self.landmarks is None else self.landmarks[chosen],
        )

    def content(self, i: int) -> str:
        """Return a text that identifies the portrait of image i: the file's hash, and its landmarks or their rule.

        Raises
        ------
        PictureError : the file cannot be read.
        """
        rule = f"{self.choose}, {DETECTOR}" if self.landmarks is None else self.landmarks[i].tolist()
        return f"image {READER} {digest(self._bytes(i))} {rule}"

    def face(self, i: int, size: int = 160) -> Face:
        """Crop the portrait out of image i; `size` is its side in pixels.

        Raises
        ------
        PictureError : the file cannot be read, is not a usable picture, or shows no face.
        """
        pixels, _ = decode(self._bytes(i))
        landmarks = self._detected(pixels) if self.landmarks is None else self.landmarks[i]
        return PortraitCrop(pixels, landmarks, size, margin=0).portrait()

    def count_faces(self, i: int) -> int:
        """How many faces the detector finds in image i; raises PictureError as `face`."""
        return len(find_faces(decode(self._bytes(i))[0]))

    def _detected(self, pixels: np.ndarray) -> np.ndarray:
        """Landmarks (5, 2) of the face that counts."""
        height, width = pixels.shape[:2]
        found = find_faces(pixels)
        if not found:
            raise PictureError(NO_FACE)
        return (found[0] if self.choose == "largest" else min(found, key=lambda f: f.offset(width, height))).landmarks

    def _bytes(self, i: int) -> bytes:
        name = str(self.table["file"].iat[i])
        path = self.folder / self.disk.get(name, name)
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise PictureError("a link that leads out of the folder: copy the file into it")
        return read_bytes(path)


def read_labelled(
    folder: str | os.PathLike,
    table: str | os.PathLike,
    *,
    file: str = "file",
    identity: str = "identity",
    labels: Iterable[str] | None = None,
    private: bool = False,
) -> LabelledImages:
    """Read a table that says who is in the pictures of a folder and which labels they have.

    Parameters
    ----------
    folder : the folder that the table's file names are relative to.
    table : CSV (UTF-8 or UTF-16, with a header; separated by commas, semicolons or tabs) or parquet (extra `parquet`);
        a path, or a name in `folder`.
    file, identity : names of the columns for the file name and the person; both are read as text.
    labels : columns that are binary labels; by default, every column whose cells are all 1, -1, 0, true, false, yes,
        no or empty. 0 means unknown in a column in which -1 occurs, and "without" in any other; an empty cell is
        unknown.
    private : whether to keep the embeddings of these pictures off the disk.

    Raises
    ------
    FileNotFoundError : no such folder or table, or none of the pictures is there.
    ValueError : an invalid table; the message gives line, field and expected value.

    >>> fr.read_labelled("faces/", "faces.csv")
    LabelledImages(120 images of 24 identities, 3 labels, 0 problems)
    """
    folder = check_folder(folder)
    given = read_table(beside(folder, table))
    hint = "; say which one to use by file=... and identity=..."
    people, _ = given.names(identity, hint), given.names(file, hint)
    files = given.column(file).astype(str)  # as they are written: `Names` finds what they mean
    wanted = None if labels is None else {name: given.column(name) for name in labels}
    seen: dict[str, int] = {}
    for line, name in zip(given.rows.index.tolist(), files, strict=True):
        where = given.where(line, file)
        check_inside(name, where)
        check_new(name, line, seen, where, given.unit)
    result = pd.DataFrame({"file": files, "identity": people})
    names = []
    for column in given.rows.columns.drop([file, identity]):
        if column in RESERVED:
            raise ValueError(f"{given.source}, header: the column name {column!r} is reserved here; rename the column.")
        result[column] = given.values(column)
        if wanted is None or column in wanted:
            signs = given.signs(column, strict=wanted is not None)
            if signs is not None:
                result[column] = signs
                names.append(column)
    kept, problems, disk = existing(folder, result)
    return LabelledImages(folder, kept, tuple(names), problems, private=private, disk=disk)


def existing(folder: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Split a table into the rows whose file exists, and file and reason of the others; and give names that differ.

    Each folder is listed once and no file is opened. FileNotFoundError if no file exists.
    """
    names, owners, problems, disk = Names(folder), dict[str, str](), dict[str, str](), dict[str, str]()
    for name in table["file"].tolist():
        try:
            found = names.find(name)
        except LookupError as error:
            problems[name] = str(error)
            continue
        if owners.setdefault(found, name) != name:
            problems[name] = f"the same file as {owners[found]!r}"
        elif found != name:
            disk[name] = found
    lost = table["file"].isin(list(problems))
    if len(problems) == len(table):
        some = "; ".join(f"{name}: {reason}" for name, reason in list(problems.items())[:3])
        raise FileNotFoundError(f"none of the {len(table)} files is in {str(folder)!r}: {some}.")
    left_out = pd.DataFrame(list(problems.items()), columns=["file", "reason"])
    return table.loc[~lost].reset_index(drop=True), left_out, disk


def check_inside(name: str, where: str) -> None:
    """Raise ValueError unless `name` is a relative path that stays in its folder, on any operating system."""
    path = PureWindowsPath(name)  # accepts / and \\ as separators
    drive = path.drive or ntpath.splitdrive(name)[0]  # Windows joins "0:" as a drive, too
    if not name.strip() or "\0" in name or drive or path.root or ".." in path.parts:
        raise ValueError(f"{where}: {name!r} is not a file inside the folder: give a relative path without '..'.")
