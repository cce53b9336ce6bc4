"""Could brightness alone explain it? Statistics of the pictures, and the KS that they give without any label.

Hats are worn in the sun, so a KS between hats and no hats may be one between bright and dark pictures.

- Hue is an angle: its mean is that of vectors, and grey pixels, whose hue is noise, count little. The mean of the
  angles of a red face, 359° and 1°, would be cyan.
- Only the face counts, inside an ellipse that its landmarks place; the background says nothing about a label.
- "Explained" means: labels permuted among pictures of similar brightness give nearly as large a KS.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..base.optional import import_torch
from ..base.shapes import Float, Num, Shaped
from ..embedding.embed import ImageSet
from ..faces.base import Face
from ..faces.photographs.portrait_crop import FRAME
from .labels import check_images, check_labels, sample
from .macroscale import attribute_generator, macroscale
from .sorted_pairs import SortedPairs, against_null, permuted_ks

__all__ = ["confounders", "image_statistics"]

CENTRE, AXES = (0.5, 0.55), (0.23, 0.28)  # of the ellipse around a face, as shares of the aligned crop's side
SIMILAR, STRATA = (
    10,
    5,
)  # pictures in a group of similar ones, and groups at least: five remove 90 % of a bias (Cochran)
LEVEL, MOST = 0.05, 0.8  # of p_value and share, for a KS that is explained


def image_statistics(faces: Sequence[Face] | ImageSet, *, mask: bool = True, size: int = 96) -> pd.DataFrame:
    """Hue, saturation, brightness, contrast and sharpness of each face, as one row.

    Parameters
    ----------
    faces : pictures with landmarks, or a set such as `fr.read_labelled` returns; its rows are then named by file, and
        pictures without a usable face are left out with a warning.
    mask : only inside an ellipse around the face; without, the whole picture, and landmarks are not needed.
    size : side of the aligned crop in pixels.

    Returns
    -------
    `hue` in degrees, 0 red, 120 green, the direction of the mean of all pixels in the colour plane, so that each
    counts by its chroma; `hue_strength`, the length of that mean over the mean chroma (1: all pixels have one hue, 0:
    no common hue); `saturation`, mean of (max - min) / max; `brightness`, the mean luminance Y (Rec. 709), and
    `contrast`, its standard deviation; `sharpness`, the standard deviation of the luminance's Laplacian over the
    contrast. All but hue are shares.

    Raises ValueError for a face without landmarks, or no face.
    """
    if isinstance(faces, ImageSet):
        given, index = _readable(faces, size)
    else:
        given, index = list(faces), None
    bare = [i for i, face in enumerate(given) if face.landmarks is None]
    if not given or (mask and bare):
        raise ValueError(
            f"{len(given)} faces, {len(bare)} without landmarks: give faces with landmarks, or mask=False."
        )
    return pd.DataFrame([_statistics(face, mask, size) for face in given], index=index)


def confounders(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"],
    labels: pd.DataFrame | Shaped[Any, "images attributes"],
    statistics: pd.DataFrame,
    metric: str | None = None,
    permutations: int = 200,
    limit: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """The KS of labels beside the KS of image statistics: is a label's KS explained by, say, brightness?

    Parameters
    ----------
    embeddings, identities, labels, metric, permutations, limit, seed : as in `macroscale`.
    statistics : (images, statistics) numbers, such as from `image_statistics`. A column `hue` is an angle in degrees.

    Returns
    -------
    One row per attribute and statistic: `ks_mean` and `p_value` of the label, as `macroscale` gives them;
    `difference`, of the statistic with and without the attribute, in standard deviations; `ks_statistic`, the KS of
    the statistic alone, cut at its median; `ks_matched`, the mean KS of labels permuted among pictures of similar
    value (groups of ten), and `p_matched`, the share of such labels with a KS at least as large as the label's;
    `share`, how much of the KS above that of random labels they keep, and `explained`, whether that is more than 0.8
    and p_value at most 0.05; `predictable`, the R² with which a ridge regression predicts the statistic from the
    embeddings of people it has not seen.

    A warning names the labels whose KS a statistic explains. Raises ValueError as `macroscale`, and for statistics of
    another number of images or with NaN.
    """
    points, codes, metric = check_images(embeddings, identities, metric, labels)
    table = check_labels(labels, len(points))
    names = [name for name in statistics if name != "hue_strength"]
    values = {name: _from_mean(statistics[name]) if name == "hue" else np.asarray(statistics[name]) for name in names}
    if len(statistics) != len(points) or not names or not np.isfinite(list(values.values())).all():
        raise ValueError(
            f"{len(statistics)} rows of {len(names)} statistics for {len(points)} images: give finite numbers for each "
            "image, in the order of the embeddings."
        )
    halves = pd.DataFrame({name: values[name] > np.median(values[name]) for name in names})
    alone = macroscale(points, codes, halves, metric, 0, limit=limit, seed=seed)["ks_mean"].tolist()
    known = pd.DataFrame({"statistic": names, "ks_statistic": alone})
    known["predictable"] = [_predictable(points, codes, statistics[name], name == "hue") for name in names]
    rows = []
    for attribute in table.columns:
        rng = attribute_generator(seed, attribute)
        index, side = sample(codes, table[attribute].to_numpy(), "apart", limit, rng)
        if len(index) >= 4:
            pairs = SortedPairs(points[index], metric)
            null = permuted_ks(pairs, codes[index], side, permutations, rng)
            own = {name: numbers[index] for name, numbers in values.items()}
            rows += [{"attribute": attribute, **row} for row in _compared(pairs, side, null, own, rng)]
    columns = ["attribute", "statistic", "ks_mean", "p_value", "difference", "ks_matched", "p_matched", "share"]
    result: Any = pd.DataFrame(rows, columns=columns).merge(known, on="statistic", how="left")
    result["explained"] = (result["p_value"] <= LEVEL) & (result["share"] > MOST)
    result.attrs = {"metric": metric, "permutations": permutations, "limit": limit, "seed": seed}
    found = [f"{row['attribute']!r} by {row['statistic']}" for row in result[result["explained"]].to_dict("records")]
    if found:
        warnings.warn(
            f"the KS of {', '.join(found)} can be explained: labels permuted among similar pictures give nearly as "
            "large a KS; compare pictures that were taken alike.",
            stacklevel=2,
        )
    return result


def _compared(
    pairs: SortedPairs, side: np.ndarray, null: np.ndarray, values: dict[str, np.ndarray], rng: Any
) -> Iterator[dict[str, Any]]:
    """One label against each statistic; `null` are the KS of random labels."""
    ks = float(np.mean(pairs.ks(side)))
    chance = against_null(ks, null)
    for name, own in values.items():
        draws = against_null(ks, _matched(pairs, own, side, len(null), rng))
        gap = own[side].mean() - own[~side].mean()
        row = {"statistic": name, "ks_mean": ks, "p_value": chance.get("p_value")}
        row |= {
            "difference": gap / (own.std() or np.nan),
            "ks_matched": draws.get("null_mean"),
            "p_matched": draws.get("p_value"),
        }
        if draws:
            row["share"] = (draws["null_mean"] - chance["null_mean"]) / (ks - chance["null_mean"])
        yield row


def _readable(images: ImageSet, size: int) -> tuple[list[Face], pd.Index]:
    faces, files, lost = [], [], []
    for i, file in enumerate(images.table["file"]):
        try:
            faces.append(images.face(i, size))
            files.append(file)
        except ValueError as problem:
            lost.append(f"{file}: {problem}")
    if lost:
        warnings.warn(f"{len(lost)} pictures are left out, the first: {lost[0]}.", stacklevel=3)
    return faces, pd.Index(files, name="file")


def _statistics(face: Face, mask: bool, size: int) -> dict[str, float]:
    pixels, inside = face.pixels.astype(np.float64), np.ones(face.pixels.shape[:2], bool)
    if mask and face.landmarks is not None:
        pixels = _aligned(face, size)
        at = (np.arange(size) + 0.5) / size
        x, y = (at - CENTRE[0]) / AXES[0], (at - CENTRE[1]) / AXES[1]
        inside = x[None] ** 2 + y[:, None] ** 2 <= 1
    light = pixels @ [0.2126, 0.7152, 0.0722]
    red, green, blue = pixels[inside].T
    plane = red - (green + blue) / 2 + 1j * np.sqrt(0.75) * (green - blue)
    top, chroma, contrast = pixels[inside].max(1), np.abs(plane).mean(), light[inside].std()
    edges = 4 * light[1:-1, 1:-1] - light[:-2, 1:-1] - light[2:, 1:-1] - light[1:-1, :-2] - light[1:-1, 2:]
    return {
        "hue": float(np.degrees(np.angle(plane.mean())) % 360),
        "hue_strength": float(np.abs(plane.mean()) / chroma) if chroma > 0 else 0.0,
        "saturation": float(np.mean((top - pixels[inside].min(1)) / np.where(top > 0, top, 1))),
        "brightness": float(light[inside].mean()),
        "contrast": float(contrast),
        "sharpness": float(edges[inside[1:-1, 1:-1]].std() / contrast) if contrast > 1e-9 else 0.0,
    }


def _aligned(face: Face, size: int) -> Float[np.ndarray, "size size 3"]:
    torch = import_torch("image_statistics of aligned pictures")

    from ..models.align import aligned_crops

    pixels = torch.from_numpy(np.ascontiguousarray(face.pixels.transpose(2, 0, 1)))[None]
    crop = aligned_crops(pixels, np.asarray(face.landmarks)[None], FRAME * size, size)[0]
    return crop.numpy().transpose(1, 2, 0).astype(np.float64)


def _from_mean(hue: Any) -> Float[np.ndarray, " images"]:
    """Angles in degrees from their circular mean, -180 to 180."""
    turns = np.exp(1j * np.radians(hue.to_numpy(float)))
    return np.degrees(np.angle(turns / np.exp(1j * np.angle(turns.mean()))))


def _matched(pairs: SortedPairs, values: np.ndarray, side: np.ndarray, permutations: int, rng: Any) -> np.ndarray:
    """Mean KS with the labels permuted within groups of similar values, (permutations,)."""
    order = np.argsort(values, kind="stable")
    draws = np.empty(permutations)
    for k in range(permutations):
        drawn = side.copy()
        for group in np.array_split(order, max(STRATA, len(order) // SIMILAR)):
            drawn[group] = rng.permutation(side[group])
        draws[k] = np.mean(pairs.ks(drawn))
    return draws


def _predictable(points: np.ndarray, codes: np.ndarray, values: Any, circular: bool) -> float:
    """R² of ridge regression over folds of people; of an angle, that of its cosine and sine together."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(5, int(codes.max()) + 1)
    angle = np.radians(values.to_numpy(float))
    target = np.column_stack([np.cos(angle), np.sin(angle)]) if circular else values.to_numpy(float)[:, None]
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 7)))
    guess: Any = cross_val_predict(ridge, points, target, groups=codes, cv=GroupKFold(folds))
    guess = np.reshape(guess, target.shape)
    spread = ((target - target.mean(0)) ** 2).sum()
    return float(1 - ((target - guess) ** 2).sum() / spread) if spread > 0 else np.nan
