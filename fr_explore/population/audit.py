"""Pictures of a data set that deserve a look: wrong person, copies, too few, several faces. Nothing is removed.

An embedding cannot prove that a picture is mislabelled: it may show the right person in a rare pose. So the result is
a list to judge by eye, the most suspicious first, with the picture of the other person or of the copy beside it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from ..base.distance import distance, normalized
from ..base.shapes import Num, Shaped
from ..faces.datasets.labelled import LabelledImages
from ..geometry.tiles import Cloud, sweep
from .labels import check_images

__all__ = ["Audit", "audit"]

BLOCK = 4096  # pictures whose distances to all people are in memory at once
PROBLEMS = {
    "another person": "closer to the mean of another person's pictures than to the mean of this person's others",
    "copy": "nearly the same embedding as another picture",
    "several faces": "more than one face in the picture",
    "few pictures": "too few pictures of this person",
}
THUMBNAIL = 72


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Suspicious pictures; in a notebook, a table with the pictures themselves.

    `table` has one row per picture and problem: problem, image (its position), file, identity, other (position of the
    picture to compare with, or missing), other_file, other_identity, own_distance, other_distance, score (the larger,
    the more suspicious). Rows are sorted by problem and score.
    """

    table: pd.DataFrame
    images: LabelledImages | None = field(default=None, repr=False)
    shown: int = 30

    def __len__(self) -> int:
        return len(self.table)

    def _repr_html_(self) -> str:
        rows = []
        for row in self.table.groupby("problem", sort=False).head(self.shown).to_dict("records"):
            pictures = [self._thumbnail(row["file"]), self._thumbnail(row["other_file"])]
            words = [row["problem"], row["identity"], row["file"], row["other_identity"], row["other_file"]]
            cells = [*pictures, *(escape("" if pd.isna(word) else str(word)) for word in words)]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        names = ("picture", "compare", "problem", "identity", "file", "other identity", "other file")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        counts = ", ".join(f"{name}: {n}" for name, n in self.table["problem"].value_counts().items()) or "nothing"
        return (
            f"<p>Worth a look: {counts}. At most {self.shown} of each are shown; nothing was removed.</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )

    def _thumbnail(self, file: Any) -> str:
        if self.images is None or pd.isna(file):
            return ""
        place = int(np.flatnonzero(self.images.table["file"].to_numpy() == file)[0])
        try:
            picture = self.images.face(place, THUMBNAIL).to_image()
        except ValueError as problem:  # the file has gone or changed since
            return escape(str(problem))
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=85)
        data = base64.b64encode(buffer.getvalue()).decode()
        return f'<img alt="{escape(str(file))}" width="{THUMBNAIL}" src="data:image/jpeg;base64,{data}">'


def audit(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"] | None = None,
    *,
    images: LabelledImages | None = None,
    least: int = 25,
    copy: float = 0.2,
    count_faces: bool = False,
    metric: str | None = None,
) -> Audit:
    """List the pictures of a data set that deserve a look, to judge by eye.

    Parameters
    ----------
    embeddings : (images, dim), such as `fr.embed(images, model)`; its coordinates file and identity name the pictures.
    identities : (images,); by default the coordinate identity.
    images : the pictures, for thumbnails. They show people: consider who receives the notebook.
    least : people with fewer pictures are listed.
    copy : pictures are copies if their distance is at most this share of the median distance to the own person's mean.
    count_faces : also look for pictures with more than one face; needs `images` and takes some time for each.
    metric : as in `macroscale`.

    Returns
    -------
    Audit with the `table`. "another person": own_distance to the mean of the person's other pictures exceeds
    other_distance to the mean of the nearest other person, whose most similar picture is named; score is their ratio.
    "copy": other_distance is that of the two pictures. "several faces": score is their number. "few pictures": one row
    for each person, score is the number that is missing.

    Raises ValueError as `macroscale`, for embeddings without identities, and for `images` that lack one of the files.
    """
    coords = getattr(embeddings, "coords", {})
    if identities is None:
        if "identity" not in coords:
            raise ValueError("the embeddings have no coordinate identity: pass identities=, one for each image.")
        identities = np.asarray(coords["identity"])
    points, codes, metric = check_images(embeddings, identities, metric)
    names = np.asarray(identities, object)
    files = np.asarray(coords["file"], object) if "file" in coords else np.full(len(points), None, object)
    if (images is not None and "file" not in coords) or (images is None and count_faces):
        raise ValueError(
            "thumbnails and counts need images=, and embeddings with their files, as fr.embed returns them."
        )
    if images is not None and (lost := set(files) - set(images.table["file"])):
        raise ValueError(f"images lack {len(lost)} of the embedded files, such as {min(lost)!r}: pass the same set.")
    unit = normalized(points.astype(np.float64), metric)
    own, other, nearest = _to_means(unit, codes, metric)
    known = own[np.isfinite(own)]
    rows = [*_strangers(unit, codes, metric, own, other, nearest)]
    rows += _copies(points, metric, copy * float(np.median(known)) if len(known) else 0.0)
    counts = np.bincount(codes)
    first = np.unique(codes, return_index=True)[1]
    rows += [("few pictures", first[c], -1, np.nan, np.nan, least - n) for c, n in enumerate(counts) if n < least]
    if count_faces and images is not None:
        place = {file: k for k, file in enumerate(images.table["file"])}
        found = ((i, images.count_faces(place[file])) for i, file in enumerate(files))
        rows += [("several faces", i, -1, np.nan, np.nan, n) for i, n in found if n > 1]
    return Audit(_table(rows, files, names), images)


def _table(rows: list[tuple], files: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    columns = ["problem", "image", "other", "own_distance", "other_distance", "score"]
    table: Any = pd.DataFrame(rows, columns=columns)
    for name, values in (("file", files), ("identity", names)):
        table[name] = values[table["image"].to_numpy(int)]
        table[f"other_{name}"] = [values[k] if k >= 0 else None for k in table["other"]]
    table["problem"] = pd.Categorical(table["problem"], list(PROBLEMS), ordered=True)
    table = table.sort_values(["problem", "score"], ascending=[True, False], kind="stable", ignore_index=True)
    table["other"] = table["other"].astype("Int64").mask(table["other"] < 0)
    order = ["problem", "image", "file", "identity", "other", "other_file", "other_identity", *columns[3:]]
    return table[order].astype({"problem": str})


def _to_means(unit: np.ndarray, codes: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance to the mean of the person's other pictures (NaN for a single one), to that of the nearest other person,
    and who that is."""
    counts = np.bincount(codes)
    sums = np.zeros((len(counts), unit.shape[1]))
    np.add.at(sums, codes, unit)
    means = sums / counts[:, None]
    rest = counts[codes] - 1
    others = (sums[codes] - unit) / np.maximum(rest, 1)[:, None]
    own = np.where(rest > 0, distance(unit, others, metric), np.nan)
    nearest, gap = np.empty(len(unit), int), np.empty(len(unit))
    means = normalized(means, metric)
    for start in range(0, len(unit), BLOCK):
        rows = slice(start, start + BLOCK)
        square = (means**2).sum(1) - 2 * unit[rows] @ means.T
        square[np.arange(len(square)), codes[rows]] = np.inf
        nearest[rows] = square.argmin(1)
        gap[rows] = distance(unit[rows], means[nearest[rows]], metric)
    return own, gap, nearest


def _strangers(
    unit: np.ndarray, codes: np.ndarray, metric: str, own: np.ndarray, other: np.ndarray, nearest: np.ndarray
) -> Iterator[tuple]:
    for i in np.flatnonzero(own > other):
        theirs = np.flatnonzero(codes == nearest[i])
        similar = theirs[distance(unit[theirs], unit[i], metric).argmin()]
        yield "another person", i, similar, own[i], other[i], own[i] / max(other[i], 1e-12)


def _copies(points: np.ndarray, metric: str, edge: float) -> list[tuple]:
    """Pairs of pictures at most `edge` apart; each picture that comes later is a copy of an earlier one."""
    cloud, found = Cloud(points, metric, device="cpu"), []

    def visit(q: Any, rows: slice, cols: slice) -> None:
        i, j = np.nonzero(cloud.within(q, rows, cols, cloud.squared(edge)))
        i, j = i + rows.start, j + cols.start
        found.extend(zip(i[i < j].tolist(), j[i < j].tolist(), strict=True))

    sweep(cloud, visit)
    gaps = {pair: float(distance(points[pair[0]], points[pair[1]], metric)) for pair in found}
    first: dict[int, tuple[int, int]] = {}
    for i, j in sorted(gaps, key=gaps.__getitem__):
        first.setdefault(j, (i, j))
    return [("copy", j, i, np.nan, gaps[i, j], 1 - gaps[i, j] / edge if edge else 1.0) for j, (i, _) in first.items()]
