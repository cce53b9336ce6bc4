"""Pictures of people with one attribute varied and all else held: what targeted fine-tuning learns from.

- A base picture stands at a random point of attribute space, with the target attributes at their neutral value; its
  copies differ from it in the target attributes alone.
- Image attributes are applied to a finished picture, so a base picture is rendered once and every step draws new
  strengths for it; other attributes need a rendering for each copy, made beforehand.
- Pictures are kept in 8 bits: a quarter of the memory, and rounding that a step of training does not see (finite
  differences would; they are never taken of these).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
from tqdm.auto import tqdm

from ..attributes import ATTRIBUTES, IMAGE_ATTRIBUTES, check_attributes
from ..faces.base import Face, FaceSource
from ..faces.image_attributes import apply_image_attributes
from ..lattice import sample_lattice

__all__ = ["Augment", "Augmented", "augmented_ranges"]

Augment: TypeAlias = str | Iterable[str] | Mapping[str, bool | tuple[float, float]]

BLOCK = 64  # pictures rendered at a time


def augmented_ranges(augment: Augment, faces: FaceSource) -> dict[str, tuple[float, float]]:
    """Attribute -> (low, high) in its unit, from a name, some names, or a mapping to True or (low, high)."""
    names = [augment] if isinstance(augment, str) else list(augment)
    asked = dict(augment) if isinstance(augment, Mapping) else dict.fromkeys(names, True)
    check_attributes(asked, faces.attributes)
    if not asked:
        raise ValueError("augment names no attribute: give for instance augment={'brightness': True}.")
    ranges = {}
    for name, strengths in asked.items():
        record = faces.attributes[name]
        try:
            low, high = (record.low, record.high) if strengths is True else map(float, strengths or ())
        except (TypeError, ValueError):
            low = high = float("nan")
        if not record.low <= low < high <= record.high:
            raise ValueError(
                f"augment[{name!r}] = {strengths!r}: give True for the whole range, or (low, high) within "
                f"{record.low:g} to {record.high:g} {record.unit}".rstrip()
                + "."
            )
        ranges[name] = (low, high)
    return ranges


class Augmented:
    """Base pictures of some people, and copies of them that differ in the augmented attributes alone.

    Parameters
    ----------
    faces : the source. people : positions of those identities that take part.
    ranges : attribute -> (low, high) from which a copy's strengths are drawn, evenly.
    pictures : base pictures of each person; copies : renderings of each with other strengths, where it takes any.
    seed : of base points and strengths; those of a person depend on it and on the person alone.
    """

    def __init__(
        self, faces: FaceSource, people: range, ranges: Mapping[str, tuple[float, float]], *,
        pictures: int, copies: int, size: int, seed: int, progress: bool = True,
    ) -> None:  # fmt: skip
        # one's own attribute of the same name may mean something else
        on_pixels = {name for name in IMAGE_ATTRIBUTES if faces.attributes.get(name) is ATTRIBUTES[name]}
        self.ranges, self.people, self.pictures = dict(ranges), people, pictures
        self._drawn_late = [name for name in ranges if name in on_pixels]
        early = [name for name in ranges if name not in on_pixels]
        self.copies = copies if early else 0
        base = sample_lattice(faces, tuple(ranges), curves=pictures, seed=seed).base
        names = base.attribute.values.tolist()
        self._late: list[list[dict[str, float]]] = []
        requests = []
        for person in people:
            rng = np.random.default_rng([seed, person, 1])
            self._late.append([])
            for values in base.values[person].tolist():
                point = dict(zip(names, values, strict=True))
                point |= {name: faces.attributes[name].neutral for name in ranges}
                self._late[-1].append({name: point.pop(name) for name in list(point) if name in on_pixels})
                requests.append((faces.identities[person], point))
                for _ in range(self.copies):
                    requests.append((faces.identities[person], point | self._draw(early, rng)))
        self._store = _render(faces, requests, size, progress)

    def _draw(self, names: list[str], rng: np.random.Generator) -> dict[str, float]:
        return {name: float(rng.uniform(*self.ranges[name])) for name in names}

    def views(self, person: int, picture: int, count: int, rng: np.random.Generator) -> list[Face]:
        """A base picture and `count` copies of it, all of one person (by position among those that take part)."""
        first = (person * self.pictures + picture) * (1 + self.copies)
        chosen = first + 1 + rng.choice(self.copies, count, replace=count > self.copies) if self.copies else None
        late = self._late[person][picture]
        faces = [self._face(first, late, rng)]
        for k in range(count):
            at = first if chosen is None else int(chosen[k])
            faces.append(self._face(at, late | self._draw(self._drawn_late, rng), rng))
        return faces

    def _face(self, at: int, strengths: Mapping[str, float], rng: np.random.Generator) -> Face:
        pixels, landmarks = self._store[at]
        scaled = pixels.astype(np.float32) / 255
        return Face(apply_image_attributes(scaled, strengths, seed=int(rng.integers(2**31))), landmarks)


def _render(faces: FaceSource, requests: list, size: int, progress: bool) -> list[tuple[np.ndarray, np.ndarray | None]]:
    store = []
    with tqdm(total=len(requests), unit="face", desc="render", disable=not progress) as bar:
        for start in range(0, len(requests), BLOCK):
            who, strengths = zip(*requests[start : start + BLOCK], strict=True)
            for face in faces.render_batch(who, strengths, size=size):
                store.append(((face.pixels * 255 + 0.5).astype(np.uint8), face.landmarks))
            bar.update(len(who))
    return store
