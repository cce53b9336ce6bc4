// FieldExplorer's sentences and explanations: pure functions.

/** @typedef {import("./types").Kind} Kind */
/** @typedef {{energy: number, coverage: number, known: number, curves: number, magnitude: number,
 *   none: {mean: number, sd: number} | null, kind: Kind, scale: number, label: string}} Facts */

export const GLOSSARY = {
  energy:
    "The mean of 1 minus the cosine between the direction of a point and those of its neighbours: 0 where all move the same way, 1 without order, 2 where they move against each other. Computed in all dimensions, not on the map.",
  coverage:
    "The share of the points that have a neighbour at this scale. A point without one says nothing about alignment and is left out of E.",
  magnitude:
    "How far the attribute moves a face: the median length of a move from one step below to one step above, as a share of the mean distance between two faces of this identity. Small E is not large effect.",
  "random directions":
    "The null model: independent random directions on the same points. The band is two standard deviations wide on each side.",
  scale: "Who counts as a neighbour. A short range sees local order, a long one only what all faces share.",
};

/** @param {number | null | undefined} x @param {number} [n] digits */
export function figure(x, n = 2) {
  return x === null || x === undefined || !Number.isFinite(x) ? "\u2013" : x.toFixed(n);
}

/** @param {number} x in [0, 1] */
export function percent(x) {
  if (!Number.isFinite(x)) return "\u2013";
  return `${x > 0 && x < 0.1 ? (100 * x).toFixed(1) : Math.round(100 * x)} %`;
}

/** A scale as it stands beside its slider. @param {Kind} kind @param {number} scale */
export function scaleText(kind, scale) {
  if (kind === "knn") return scale === 1 ? "the nearest neighbour" : `the ${scale} nearest`;
  return `within ${scale} of the mean distance`;
}

/**
 * What E says of the model: the figure, and its sentence.
 * @param {Facts} facts
 * @returns {[string, string]}
 */
export function sentence({ energy, known, none, label, kind }) {
  if (!known)
    return ["", `No curve of this identity has a direction: ${label} does not move it, or it holds NaN.`];
  const wider = kind === "knn" ? "Take more neighbours." : "Widen the radius.";
  if (!Number.isFinite(energy))
    return ["", `No point has a neighbour at this scale, so E is not defined. ${wider}`];
  const z = none && none.sd > 0 ? (energy - none.mean) / none.sd : (energy - 1) * 100;
  return [`E = ${figure(energy)}`, ` at this scale: ${judged(energy, z, label)}`];
}

/** @param {number} energy @param {number} z standard deviations of the null @param {string} label */
function judged(energy, z, label) {
  if (Math.abs(z) < 2) return `neighbours move as random directions would; no dependence on ${label} shows.`;
  if (z > 0) return "neighbours move against each other, more than random directions would.";
  if (energy >= 0.9)
    return `neighbours barely move alike; hardly one way in which ${label} moves all these faces.`;
  if (energy >= 0.75) return `neighbours move loosely alike; the model depends on ${label} in part.`;
  const how = energy < 0.15 ? "almost exactly alike" : energy < 0.5 ? "much alike" : "alike";
  return `neighbours move ${how}; the model depends on ${label}.`;
}

/** What must be said beside E. @param {Facts} facts */
export function caveats({ coverage, known, curves, magnitude, energy }) {
  const said = [];
  if (Number.isFinite(energy) && coverage < 0.8)
    said.push(`Only ${percent(coverage)} of the points have a neighbour here; E speaks of these alone.`);
  if (known && known < 0.9 * curves)
    said.push(`${curves - known} of ${curves} curves have no direction and take no part.`);
  if (Number.isFinite(energy) && magnitude < 0.03)
    said.push("The moves are very small: aligned, perhaps, but of little effect.");
  return said.join(" ");
}

/** What a plane shows and hides. @param {{variance: number, seen: number}} flat @param {number} dim */
export function planeText({ variance, seen }, dim) {
  const arrows = Number.isFinite(seen) ? ` and ${percent(seen)} of the arrows\u2019 squared length` : "";
  return `The plane shows ${percent(variance)} of the points\u2019 variance${arrows}; E is computed in all ${dim} dimensions.`;
}

/** A curve in words. @param {{curve: number, energy: number, count: number, move: number}} look */
export function curveText({ curve, energy, count, move }) {
  const with_ = Number.isNaN(energy)
    ? "no neighbour at this scale"
    : `E = ${figure(energy)} with ${count} ${count === 1 ? "neighbour" : "neighbours"}`;
  return Number.isFinite(move) ? `Curve ${curve}: ${with_}; moves ${figure(move, 3)}.` : `Curve ${curve}.`;
}
