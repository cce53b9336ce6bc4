"""Error rates of a threshold on distances: far, frr, the equal error rate; arrays in, arrays out.

- Two faces count as the same person if their distance is at most the threshold, as in `same_person`. `Rates` does not
  call it: a search in sorted distances judges all pairs at once, which a bootstrap needs.
- far, the false acceptance rate (false match rate): share of the impostor pairs that are accepted.
- frr, the false rejection rate (false non-match rate): share of the genuine pairs that are rejected; tar = 1 - frr.
- Weights say how often each pair counts; a bootstrap draw is a set of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.shapes import Bool, Float, Num

__all__ = ["Rates", "midway"]


def midway(low: float, high: float) -> float:
    """The threshold in the middle of two distances: it accepts `low` and, unless they are equal, rejects `high`."""
    # between two neighbouring floats the mean may round up to the upper one
    return float(min((low + high) / 2, np.nextafter(high, low)))


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Both error rates at each distance that occurs.

    Parameters
    ----------
    thresholds : (m,) the distances that occur, ascending.
    far, frr : (m,) the rates at that threshold; far never decreases, frr never increases.
    """

    thresholds: Float[np.ndarray, " m"]
    far: Float[np.ndarray, " m"]
    frr: Float[np.ndarray, " m"]

    @classmethod
    def of(
        cls,
        distances: Float[np.ndarray, " pairs"],
        same: Bool[np.ndarray, " pairs"],
        weights: Num[np.ndarray, " pairs"] | None = None,
    ) -> Rates:
        """Count in one pass; `distances` (pairs,) ascend, `same` (pairs,) is True for genuine pairs."""
        weights = np.ones(len(distances)) if weights is None else weights
        ends = np.flatnonzero(np.append(distances[1:] > distances[:-1], True))
        genuine, impostor = np.cumsum(weights * same)[ends], np.cumsum(weights * ~same)[ends]
        return cls(distances[ends], impostor / impostor[-1], 1 - genuine / genuine[-1])

    def equal_error(self) -> tuple[float, float]:
        """The equal error rate, and a threshold there.

        Both rates are interpolated linearly between the two neighbouring distances where far - frr changes sign.
        If the rates are equal over a whole gap between distances (as when genuine and impostor pairs are separate),
        the threshold is the middle of the gap.
        """
        difference = self.far - self.frr
        low = int(np.argmax(difference >= 0))
        if difference[low] == 0:
            high = int(np.argmax(difference > 0)) if difference[-1] > 0 else low
            return float(self.far[low]), midway(self.thresholds[low], self.thresholds[high])
        if low == 0:  # even the smallest distance accepts more impostors than it rejects genuine pairs
            return float(self.far[0] / (1 + difference[0])), float(self.thresholds[0])
        share = -difference[low - 1] / (difference[low] - difference[low - 1])
        rate, threshold = (
            values[low - 1] + share * (values[low] - values[low - 1]) for values in (self.far, self.thresholds)
        )
        return float(rate), float(threshold)

    def at_far(self, limit: float) -> tuple[float, float]:
        """tar at the largest threshold that keeps far at or below `limit`, and that threshold."""
        count = int(np.searchsorted(self.far, limit * (1 + 1e-12), side="right"))
        if count == 0:
            return 0.0, float(np.nextafter(self.thresholds[0], -np.inf))
        return float(1 - self.frr[count - 1]), float(self.thresholds[count - 1])

    def at(self, threshold: float) -> tuple[float, float]:
        """(far, frr) at a threshold."""
        count = int(np.searchsorted(self.thresholds, threshold, side="right"))
        return (float(self.far[count - 1]), float(self.frr[count - 1])) if count else (0.0, 1.0)

    def least_error(self) -> tuple[float, float]:
        """The lowest mean of far and frr, and the threshold midway between the two distances that enclose it.

        Midway, because a threshold at a distance that occurs would depend on that one pair.
        """
        error = (self.far + self.frr) / 2
        best = int(np.argmin(error))
        return float(error[best]), midway(self.thresholds[best], self.thresholds[min(best + 1, len(error) - 1)])

    def thinned(self, points: int = 1000) -> Rates:
        """At most about 3 * `points` of the distances: even steps of frr, and even factors of far down to one pair.

        If several distances have the same far, the first and the last are kept: the corners of the ROC's steps.
        """
        steps = np.linspace(0, 1, points)
        least = self.far[self.far > 0][0]
        factors = np.geomspace(least, 1, points)
        keep = np.concatenate([
            np.searchsorted(-self.frr, -steps),
            np.searchsorted(self.far, factors * (1 - 1e-12)),
            np.searchsorted(self.far, factors * (1 + 1e-12), side="right") - 1,
            [0, len(self.far) - 1],
        ])  # fmt: skip
        keep = np.unique(np.clip(keep, 0, len(self.far) - 1))
        return Rates(self.thresholds[keep], self.far[keep], self.frr[keep])
