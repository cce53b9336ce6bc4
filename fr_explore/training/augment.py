"""Pictures of people with one attribute varied and all others fixed: the training data of targeted fine-tuning.

- A base picture is at a random point of attribute space, with the target attributes neutral; its copies differ from it
  in the target attributes alone.
- Image attributes are applied to a finished picture, so each step draws new strengths for them. Other attributes need
  a rendering for each copy, made in advance.
- Pictures are kept in 8 bits. That takes a quarter of the memory, and training does not notice the rounding (finite
  differences would, but none are taken here).
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
    """Attribute -> (low, high) in its unit, from one name, several names, or a mapping to True or (low, high)."""
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
            limits = f"{record.low:g} to {record.high:g} {record.unit}".rstrip()
            raise ValueError(
                f"augment[{name!r}] = {strengths!r}: give True for the whole range, or (low, high) within {limits}."
            )
        ranges[name] = (low, high)
    return ranges


class Augmented:
    """Base pictures of some people, and copies of them that differ in the augmented attributes alone.

    Parameters
    ----------
    faces : the face source. people : positions of the identities to use.
    ranges : attribute -> (low, high); the strengths of copies are drawn uniformly from it.
    pictures : base pictures per person. copies : renderings of each with other strengths, if an attribute needs them.
    seed : of base points and strengths; those of a person depend only on the seed and the person.
    """

    def __init__(
        self, faces: FaceSource, people: range, ranges: Mapping[str, tuple[float, float]], *,
        pictures: int, copies: int, size: int, seed: int, progress: bool = True,
    ) -> None:  # fmt: skip
        # a source may define an attribute of the same name with another meaning
        on_pixels = {name for name in IMAGE_ATTRIBUTES if faces.attributes.get(name) is ATTRIBUTES[name]}
        self.ranges, self.people, self.pictures = dict(ranges), people, pictures
        self._applied = [name for name in ranges if name in on_pixels]
        rendered = [name for name in ranges if name not in on_pixels]
        self.copies = copies if rendered else 0
        base = sample_lattice(faces, tuple(ranges), curves=pictures, seed=seed).base
        # of each base picture, the strengths of image attributes; they are applied when a view is taken
        self._image_strengths: list[dict[str, float]] = []
        requests = []
        for person in people:
            rng = np.random.default_rng([seed, person, 1])
            for values in base.values[person].tolist():
                point = dict(zip(base.attribute.values.tolist(), values, strict=True))
                point |= {name: faces.attributes[name].neutral for name in ranges}
                self._image_strengths.append({name: point.pop(name) for name in list(point) if name in on_pixels})
                points = [point, *(point | self._draw(rendered, rng) for _ in range(self.copies))]
                requests += [(faces.identities[person], strengths) for strengths in points]
        self._rendered = _render(faces, requests, size, progress)

    def _draw(self, names: list[str], rng: np.random.Generator) -> dict[str, float]:
        return {name: float(rng.uniform(*self.ranges[name])) for name in names}

    def views(self, person: int, picture: int, count: int, rng: np.random.Generator) -> list[Face]:
        """A base picture and `count` copies of it, all of one person (by position in `people`)."""
        at = person * self.pictures + picture
        first, strengths = at * (1 + self.copies), self._image_strengths[at]
        copies = np.zeros(count, int)
        if self.copies:
            copies = 1 + rng.choice(self.copies, count, replace=count > self.copies)
        faces = [self._face(first, strengths, rng)]
        for copy in copies.tolist():
            faces.append(self._face(first + copy, strengths | self._draw(self._applied, rng), rng))
        return faces

    def _face(self, at: int, strengths: Mapping[str, float], rng: np.random.Generator) -> Face:
        pixels, landmarks = self._rendered[at]
        scaled = pixels.astype(np.float32) / 255
        return Face(apply_image_attributes(scaled, strengths, seed=int(rng.integers(2**31))), landmarks)


def _render(faces: FaceSource, requests: list, size: int, progress: bool) -> list[tuple[np.ndarray, np.ndarray | None]]:
    rendered = []
    with tqdm(total=len(requests), unit="face", desc="render", disable=not progress) as bar:
        for start in range(0, len(requests), BLOCK):
            who, strengths = zip(*requests[start : start + BLOCK], strict=True)
            for face in faces.render_batch(who, strengths, size=size):
                rendered.append(((face.pixels * 255 + 0.5).astype(np.uint8), face.landmarks))
            bar.update(len(who))
    return rendered
