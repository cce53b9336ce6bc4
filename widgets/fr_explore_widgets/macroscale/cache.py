"""The figures that MacroscaleExplorer shows, by `fr.macroscale` and related functions, one attribute at a time."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore.base.distance import normalized
from fr_explore.charts.style import attribute_scales, label_of
from fr_explore.population.labels import check_images, check_labels
from fr_explore.statistics import adjust_p_values

from ..core.faces import thumbnail

__all__ = ["Measurements", "sentence"]

MOST_POINTS = 5000
RESOLUTION = 200  # points per cumulative curve
CURVES = ("within positive", "within negative", "across")
THUMB = 64


@dataclass(frozen=True, eq=False)
class Method:
    """Options of `fr.macroscale`."""

    metric: str
    permutations: int
    sampling: str
    limit: int
    seed: int


class Measurements:
    """Labelled images, and the figures of the attributes measured so far, in `rows`, `null`, `curves` and `probes`."""

    def __init__(self, embeddings: Any, identities: Any, labels: Any, pictures: Any, table: Any, **method: Any) -> None:
        self.points, _, metric = check_images(embeddings, identities, method.pop("metric"), labels)
        self.labels = check_labels(labels, len(self.points))
        # as a gap: in a column of 0 and 1 a number 0 could also mean "without"
        self._labels = self.labels.where(self.labels != 0)
        self.identities = np.asarray(identities)
        self.method = Method(metric, **method)
        self.model = getattr(embeddings, "attrs", {}).get("model")
        self.rows: dict[str, dict[str, Any]] = {}
        self.curves: dict[str, pd.DataFrame] = {}
        self.null: dict[str, list[float]] = {}
        self.probes: dict[str, dict[str, Any]] = {}
        self.picture = _picture_reader(pictures, len(self.points))
        self._given = None if table is None else self._check_table(table)
        rng, count = np.random.default_rng(self.method.seed), len(self.points)
        few = count <= MOST_POINTS
        self.shown = np.arange(count) if few else np.sort(rng.choice(count, MOST_POINTS, replace=False))

    @property
    def names(self) -> list[str]:
        return list(self.labels.columns)

    def measure(self, name: str) -> None:
        """Measure one attribute."""
        if self._given is not None:
            row, null = self._given.loc[name].to_dict(), self._given.attrs.get("null_draws", {}).get(name, [])
        else:
            one = fr.macroscale(self.points, self.identities, self._labels[[name]], **asdict(self.method))
            row, null = one.iloc[0].to_dict(), one.attrs["null_draws"].get(name, [])
        method = {key: value for key, value in asdict(self.method).items() if key != "permutations"}
        if row["n"] >= 2:
            self.curves[name] = fr.modality_distances(
                self.points, self.identities, self._labels, name, resolution=RESOLUTION, **method
            )
        self.rows[name], self.null[name] = {**row, "attribute": name}, list(null)

    def measure_all(self, wanted: Callable[[], str]) -> Iterator[int]:
        """Measure all attributes, the wanted one first; yields how many are done."""
        while left := [name for name in self.names if name not in self.rows]:
            self.measure(wanted() if wanted() in left else left[0])
            yield len(self.rows)

    def probe(self, name: str) -> None:
        """Score a linear probe of the attribute, or keep the reason why it cannot be scored."""
        try:
            found = fr.linear_probe(self.points, self.identities, self._labels[[name]], seed=self.method.seed)
            self.probes[name] = found.iloc[0].to_dict()
        except ValueError as problem:
            self.probes[name] = {"problem": str(problem)}

    @property
    def table(self) -> pd.DataFrame:
        """As returned by `fr.macroscale`, for the attributes measured so far, in the order of the labels."""
        rows: Any = pd.DataFrame([self.rows[name] for name in self.names if name in self.rows])
        rows["p_corrected"] = adjust_p_values(rows["p_value"])
        rows.attrs = asdict(self.method) | {"null_draws": self.null, "images": len(self.points)}
        if len(rows) == len(self.names):
            rows.attrs["spearman"] = fr.entropy_correlation(rows, seed=self.method.seed).to_dict("index")
        return rows

    def pca(self) -> tuple[np.ndarray, str]:
        """Positions of the shown images, (n, 2) float32, and the caption of the projection."""
        points = normalized(self.points, self.method.metric)
        plane = fr.pca(points)
        return np.asarray(plane.transform(points[self.shown]), np.float32), plane.caption

    def umap(self) -> np.ndarray:
        """UMAP positions of the shown images, (n, 2) float32."""
        points = fr.umap(self.points[self.shown], metric=self.method.metric, seed=self.method.seed)
        return np.asarray(points, np.float32)

    def describe(self) -> dict[str, Any]:
        """The constant facts, as plain JSON."""
        scales: list[Any] = [scale.to_dict() for scale in attribute_scales(self.names)]
        styles = zip(self.names, scales[0]["range"], scales[1]["range"], strict=True)
        return {
            "attributes": [{"name": n, "label": label_of(n), "color": c, "shape": s} for n, c, s in styles],
            "images": len(self.points), "shown": len(self.shown), "people": len(np.unique(self.identities)),
            "names": [str(name) for name in self.identities[self.shown]],
            "metric": self.method.metric, "model": self.model or "",
            "pictures": self.picture is not None, "umap": importlib.util.find_spec("umap") is not None,
        }  # fmt: skip

    def for_browser(self) -> tuple[dict[str, Any], dict[str, Any], bytes]:
        """The attributes' figures, the summary over all of them, and the curves as float32: distances, then shares."""
        table, parts, at = self.table, [], 0
        results = {}
        for row in table.to_dict("records"):
            name = row["attribute"]
            result = _known(row) | {"words": sentence(row, len(self.names)), "null": self.null[name]}
            if name in self.curves:
                curves = self.curves[name]
                result |= {"gaps": curves.attrs["ks"], "curves": {}}
                for pairs in CURVES:
                    own: Any = curves[curves["pairs"] == pairs]
                    parts += [own["distance"].to_numpy(np.float32), own["cdf"].to_numpy(np.float32)]
                    result["curves"][pairs] = [at, len(own)]
                    at += 2 * len(own)
            if name in self.probes:
                result["probe"] = self.probes[name]
            results[name] = result
        summary = {key: _known(value) for key, value in table.attrs.get("spearman", {}).items()}
        return results, summary, b"".join(part.tobytes() for part in parts)

    def _check_table(self, table: pd.DataFrame) -> pd.DataFrame:
        given = table.set_index("attribute", drop=False)
        if missing := [name for name in self.names if name not in given.index]:
            raise ValueError(
                f"the table has no row for {missing[0]!r}: give the table of fr.macroscale for these labels."
            )
        used: dict[str, Any] = {key: given.attrs.get(key) for key in asdict(self.method)}
        if None in used.values():
            raise ValueError("the table has lost its attrs: give the table of fr.macroscale, unchanged.")
        self.method = Method(**used)
        return given


def sentence(row: Mapping[str, Any], tests: int) -> str:
    """The figures of one attribute in words; `tests` is the number of attributes."""
    name = label_of(row["attribute"])
    if not row["n"] >= 2:
        return f"Fewer than two people have {name!r}, or fewer than two do not: there is nothing to compare."
    value = f"KS {row['ks_mean']:.2f}"
    if not np.isfinite(row["p_value"]):
        return f"{value} on {row['n']} people with and {row['n']} without {name!r}; the null model was not computed."
    p = f"p = {row['p_corrected']:.2g}" + (f" after correction for {tests} attributes" if tests > 1 else "")
    null = f"random labels give {row['null_mean']:.2f} ± {row['null_sd']:.2f}"
    if row["p_corrected"] > 0.05:
        return f"{value}, within chance variation: {null} ({p}). There is no evidence that {name!r} shapes the space."
    if row["distance_ratio"] > 1:
        how = f"People with the same label of {name!r} are closer together than people with different labels"
    else:
        how = f"Distances within the two groups of {name!r} have a different distribution from those across"
    return f"{how}: {value}, where {null} ({p})."


def _known(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Without unknown values: JSON has no NaN."""
    return {key: value for key, value in values.items() if not (isinstance(value, float) and np.isnan(value))}


def _picture_reader(pictures: Any, count: int) -> Callable[[int], np.ndarray] | None:
    """A function from an image's index to a small picture, uint8 (side, side, 3)."""
    if pictures is None:
        return None
    if not callable(pictures) and len(pictures) != count:
        raise ValueError(f"{len(pictures)} pictures for {count} images: give one for each, or a function.")

    def read(i: int) -> np.ndarray:
        from PIL import Image

        one = pictures(i) if callable(pictures) else pictures[i]
        if isinstance(one, (str, Path)):
            one = Image.open(one).convert("RGB")
        pixels = np.asarray(getattr(one, "pixels", one))
        return thumbnail(pixels / 255 if pixels.dtype == np.uint8 else pixels, THUMB)

    return read
