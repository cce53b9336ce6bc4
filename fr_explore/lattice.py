"""Which faces to render: random base points in attribute space, and a stencil of steps along one attribute."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from .attributes import PAPER_ATTRIBUTES, check_attributes
from .faces.base import Face, FaceSource

__all__ = ["Lattice", "sample_lattice"]


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A recipe of faces: for every identity, attribute and curve, the strengths at each step.

    A curve varies one attribute around a base point. The base points of an identity are shared by all
    attributes, so curve 3 of "age" and curve 3 of "hue" cross in the same face, at step 0.

    Parameters
    ----------
    faces : the source that renders the faces.
    base : (identity, curve, attribute) strengths of the base points, in each attribute's unit; other attributes keep
        their neutral value.
    attributes : the attributes varied along the curves.
    steps : the positions on a curve in multiples of the step size, such as (-1, 0, 1).
    step_sizes : one step of each of these attributes, in its unit.
    seed : of the base points.
    """

    faces: FaceSource
    base: xr.DataArray
    attributes: tuple[str, ...]
    steps: tuple[int, ...]
    step_sizes: Mapping[str, float]
    seed: int

    @property
    def identities(self) -> tuple[Hashable, ...]:
        """The identities of the face source that take part."""
        return tuple(self.base.identity.values.tolist())

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Numbers of identities, attributes, curves and steps."""
        return len(self.base.identity), len(self.attributes), len(self.base.curve), len(self.steps)

    def strengths(self, identity: int, attribute: int, curve: int, step: int) -> dict[str, float]:
        """The strengths of one face, by positions along the four dimensions (step: position in `steps`)."""
        values = self.base.values[identity, curve]
        point = dict(zip(self.base.attribute.values.tolist(), values.tolist(), strict=True))
        name = self.attributes[attribute]
        point[name] += self.steps[step] * self.step_sizes[name]
        return point

    def curve(self, identity: int, attribute: int, curve: int, size: int = 160) -> list[Face]:
        """The faces of one curve, one for each step."""
        recipes = [self.strengths(identity, attribute, curve, step) for step in range(len(self.steps))]
        return self.faces.render_batch([self.identities[identity]] * len(recipes), recipes, size=size)

    def __repr__(self) -> str:
        identities, _, curves, _ = self.shape
        return (
            f"Lattice({identities} identities x {', '.join(self.attributes)} x {curves} curves x "
            f"steps {self.steps}, seed={self.seed})"
        )


def sample_lattice(
    faces: FaceSource,
    attributes: str | Iterable[str] = PAPER_ATTRIBUTES,
    curves: int = 100,
    seed: int = 0,
    *,
    vary: Iterable[str] | None = None,
    step_sizes: Mapping[str, float] | None = None,
    reach: int = 1,
    spread: float = 1.0,
) -> Lattice:
    """Draw base points uniformly in attribute space and put a stencil along each attribute through them.

    Parameters
    ----------
    faces : the source; all its identities take part.
    attributes : the attributes to vary along the curves.
    curves : number of base points per identity.
    seed : base points of identity i depend only on `seed` and i: more identities or curves keep the existing ones.
    vary : attributes that differ between base points; by default `attributes` and the paper's eight.
    step_sizes : replace the default steps of some attributes, in their unit.
    reach : 1 for steps -1, 0, 1; 2 for -2 ... 2, which the five-point stencil needs.
    spread : share of each range, around its middle, that base points and steps use; 0.5 is the middle half.

    Returns
    -------
    Lattice with `len(attributes) * 2 * reach + 1` different faces for each base point.

    >>> sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "hue"], curves=20, seed=0).shape
    (3, 2, 20, 3)
    """
    walked = check_attributes(attributes, faces.attributes)
    defaults = [name for name in PAPER_ATTRIBUTES if name in faces.attributes] if vary is None else vary
    varied = tuple(dict.fromkeys((*check_attributes(defaults, faces.attributes), *walked)))
    if not walked:
        raise ValueError(f"no attribute to vary: name at least one of {', '.join(faces.attributes)}.")
    if curves < 1 or reach not in (1, 2) or not 0 < spread <= 1:
        raise ValueError(
            f"curves = {curves}, reach = {reach}, spread = {spread}: curves must be at least 1, reach 1 or 2, "
            "spread above 0 and at most 1."
        )
    sizes = {name: faces.attributes[name].step for name in walked}
    check_attributes(step_sizes or {}, walked)
    sizes.update({name: float(step) for name, step in (step_sizes or {}).items()})
    low, high = _box(faces, varied, sizes, reach, spread)
    draws = [np.random.default_rng([seed, i]).random((curves, len(varied))) for i in range(len(faces.identities))]
    base = xr.DataArray(
        low + (high - low) * np.stack(draws),
        dims=("identity", "curve", "attribute"),
        coords={"identity": list(faces.identities), "attribute": list(varied)},
        name="strength",
    )
    return Lattice(faces, base, walked, tuple(range(-reach, reach + 1)), sizes, seed)


def _box(
    faces: FaceSource, varied: tuple[str, ...], sizes: Mapping[str, float], reach: int, spread: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds for the base points that leave room for the steps of the varied attributes."""
    bounds = []
    for name in varied:
        record = faces.attributes[name]
        middle, half = (record.low + record.high) / 2, spread * (record.high - record.low) / 2
        room = half - reach * sizes.get(name, 0.0)
        if name in sizes and not (sizes[name] > 0 and room >= 0):
            raise ValueError(
                f"{reach} step(s) of {name} by {sizes[name]:g} {record.unit} do not fit into its range around "
                f"{middle:g} +- {half:g}: give a positive step of at most {half / reach:g}."
            )
        bounds.append((middle - room, middle + room))
    low, high = np.array(bounds).T
    return low, high
