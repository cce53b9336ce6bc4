"""Labelled data sets on disk: which picture shows whom, with which attributes; pictures are read when they are needed.

- A table is checked when it is read, and a fault names the line, the field and what was expected there.
- A table names files inside its folder and nothing else: absolute paths, "..", and links that lead out are refused.
- A missing label is 0, unknown; it is never filled in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..base import Face
from ..photographs.decode import PictureError, decode, digest, read_bytes
from ..photographs.detect import find_faces
from ..photographs.portrait_crop import Cutout
from .tables import read_table, sign_column

__all__ = ["LabelledImages", "check_inside", "existing", "read_labelled"]

READER = "1"  # goes into the cache keys: raise it whenever the same file would give another portrait
RESERVED = ("file", "identity", "image", "dim")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImages:
    """Pictures of people on disk with their identities and labels.

    `fr.embed(images, model)` gives their embeddings (image, dim); the picture's portrait is cut out by its landmarks,
    known or found.

    Parameters
    ----------
    folder : what the file names are relative to.
    table : one row for each picture; columns file, identity, the labels, and whatever else is known.
    label_names : columns of `table` that are binary attributes: +1 with, -1 without, 0 unknown.
    problems : file and reason of what is left out, because it is not there.
    landmarks : (images, 5, 2) in pixels where the data set brings them; else a detector finds them.
    pairs : verification pairs, see `read_lfw`.
    choose : which face counts when a picture shows several.
    private : True keeps the embeddings off the disk, unless `fr.embed` is told otherwise.
    """

    folder: Path
    table: pd.DataFrame
    label_names: tuple[str, ...] = ()
    problems: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["file", "reason"]))
    landmarks: np.ndarray | None = None
    pairs: pd.DataFrame | None = None
    choose: Literal["largest", "central"] = "largest"
    private: bool = False

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
        """The binary attributes, int8, one row for each file: `labels.loc[embeddings.file]` fits embeddings."""
        return self.table.set_index("file").loc[:, list(self.label_names)]

    def take(self, rows: Any) -> LabelledImages:
        """Some of the images: positions, a slice, or one True or False for each."""
        chosen = np.arange(len(self))[rows]
        return replace(
            self,
            table=self.table.iloc[chosen].reset_index(drop=True),
            landmarks=None if self.landmarks is None else self.landmarks[chosen],
        )

    def content(self, i: int) -> str:
        """What decides the portrait of image i: bytes, and landmarks or how they are found. PictureError if none."""
        rule = self.choose if self.landmarks is None else self.landmarks[i].tolist()
        return f"image {READER} {digest(self._bytes(i))} {rule}"

    def face(self, i: int, size: int = 160) -> Face:
        """The portrait cut out of image i; PictureError says why there is none."""
        pixels, _ = decode(self._bytes(i))
        if self.landmarks is not None:
            return Face(*Cutout(pixels, self.landmarks[i], size, margin=0).portrait())
        found = find_faces(pixels)
        if not found:
            raise PictureError("no face found")
        height, width = pixels.shape[:2]
        chosen = found[0] if self.choose == "largest" else min(found, key=lambda face: face.offset(width, height))
        return Face(*Cutout(pixels, chosen.landmarks, size, margin=0).portrait())

    def _bytes(self, i: int) -> bytes:
        path = self.folder / str(self.table["file"].iat[i])
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise PictureError("a link that leads out of the folder")
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
    """Pictures in a folder, with a table that says who is in them and with which attributes.

    Parameters
    ----------
    folder : what the table's file names are relative to.
    table : CSV (UTF-8, with a header; separated by commas, semicolons or tabs) or parquet (extra `parquet`); a name
        that is no file is looked for in `folder`.
    file, identity : names of its columns for the file name and the person.
    labels : columns that are binary attributes; by default, every column that holds nothing but 1, -1, 0, true, false,
        yes, no and gaps. Where -1 occurs in a column, 0 means unknown, else it means "without"; a gap is unknown.
    private : whether these pictures are nobody's business: their embeddings are then kept off the disk.

    Raises
    ------
    ValueError : what is wrong in which line and field, and what was expected; FileNotFoundError.

    >>> fr.read_labelled("faces/", "faces.csv")
    LabelledImages(120 images of 24 identities, 3 labels, 0 problems)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {str(folder)!r}.")
    path = Path(table) if Path(table).is_file() else folder / table
    rows = read_table(path, needed=(file, identity))
    given = None if labels is None else tuple(labels)
    for name in given or ():
        if name not in rows.columns:
            raise ValueError(f"{path.name} has no column {name!r}: it has {', '.join(map(str, rows.columns))}.")
    unit = rows.attrs["unit"]
    seen: dict[str, int] = {}
    for line, name in zip(rows.index, rows[file], strict=True):
        check_inside(str(name), f"{path.name}, {unit} {line}, field {file!r}")
        if seen.setdefault(str(name), line) != line:
            raise ValueError(
                f"{path.name}, {unit} {line}, field {file!r}: {name!r} stands in {unit} {seen[name]} already."
            )
    result = pd.DataFrame({"file": rows[file].astype(str), "identity": rows[identity]})
    names = []
    for column in rows.columns.drop([file, identity]):
        signs = sign_column(
            rows.loc[:, column], f"{path.name}, {unit} {{}}, field {column!r}", strict=column in (given or ())
        )
        wanted = signs is not None and (given is None or column in given)
        if column in RESERVED:
            raise ValueError(f"{path.name}, header: a column cannot be called {column!r} here: rename it.")
        result[column] = signs if wanted else rows[column]
        names += [column] if wanted else []
    kept, problems = existing(folder, result)
    return LabelledImages(folder, kept, tuple(names), problems, private=private)


def existing(folder: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows whose file is there, and a table of the others; folders are listed once, files are not opened."""
    listed: dict[str, set[str]] = {}

    def there(name: str) -> bool:
        parent, _, last = name.rpartition("/")
        if parent not in listed:
            below = folder / parent
            listed[parent] = set(os.listdir(below)) if below.is_dir() else set()
        return last in listed[parent]

    found = np.array([there(str(PurePosixPath(name))) for name in table["file"]], dtype=bool)
    if not found.any():
        some = ", ".join(map(str, table["file"].head(3)))
        raise FileNotFoundError(f"none of the {len(table)} files is in {str(folder)!r}; looked for {some}, ...")
    missing = pd.DataFrame({"file": table["file"][~found], "reason": "file not found"})
    return table.loc[found].reset_index(drop=True), missing.reset_index(drop=True)


def check_inside(name: str, where: str) -> None:
    """ValueError unless `name` is a relative path that stays in its folder, on any system."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    if (
        not name.strip()
        or "\0" in name
        or windows.drive
        or windows.root
        or posix.is_absolute()
        or ".." in windows.parts
    ):
        raise ValueError(f"{where}: {name!r} is not a file inside the folder: give a relative path without '..'.")
