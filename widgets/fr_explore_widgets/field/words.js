// Sentences and explanations of FieldExplorer: pure functions.

import { figure } from "../shared/plot.js";

/** @typedef {import("./types").Kind} Kind */
/** @typedef {{energy: number, coverage: number, known: number, curves: number, magnitude: number,
 *   random: {mean: number, sd: number} | null, kind: Kind, scale: number, label: string}} Facts */

export const GLOSSARY = {
  energy:
    "The mean of 1 minus the cosine between the direction of a point and those of its neighbours: 0 if all move the same way, 1 without order, 2 if they move in opposite directions. Computed in all dimensions, not on the map.",
  coverage:
    "The share of the points that have a neighbour at this scale. A point without a neighbour says nothing about alignment and is excluded from E.",
  magnitude:
    "How far the attribute moves the embedding: the median distance from one step below to one step above, as a share of the mean distance between two faces of this identity. A small E does not mean a large effect.",
  "random directions":
    "The null model: independent random directions on the same points. The band is two standard deviations wide on each side.",
  scale:
    "Which points count as neighbours. A small scale measures local order, a large one the order that all faces share.",
};

/** @param {number} x in [0, 1] */
export function percent(x) {
  if (!Number.isFinite(x)) return "\u2013";
  return `${x > 0 && x < 0.1 ? (100 * x).toFixed(1) : Math.round(100 * x)} %`;
}

/** A scale in words. @param {Kind} kind @param {number} scale @param {string} words of a kind with one scale */
export function scaleText(kind, scale, words) {
  if (kind === "knn") return scale === 1 ? "the nearest neighbour" : `the ${scale} nearest`;
  return kind === "ball" ? `within ${scale} of the mean distance` : words;
}

/**
 * What E says about the model: the figure, and its sentence.
 * @param {Facts} facts
 * @returns {[string, string]}
 */
export function sentence({ energy, known, random, label, kind }) {
  if (!known)
    return [
      "",
      `No curve of this identity has a direction: ${label} does not move the embedding, or it is NaN.`,
    ];
  const wider = { knn: " Take more neighbours.", ball: " Widen the radius." }[kind] ?? "";
  if (!Number.isFinite(energy))
    return ["", `No point has a neighbour at this scale, so E is not defined.${wider}`];
  const z = random && random.sd > 0 ? (energy - random.mean) / random.sd : (energy - 1) * 100;
  return [`E = ${figure(energy)}`, ` at this scale: ${alignmentWords(energy, z, label)}`];
}

/** @param {number} energy @param {number} z standard deviations of the null @param {string} label */
function alignmentWords(energy, z, label) {
  if (Math.abs(z) < 2)
    return `neighbours are no more aligned than random directions; no dependence on ${label} is visible.`;
  if (z > 0) return "neighbours oppose each other more than random directions would.";
  if (energy >= 0.9)
    return `neighbours are barely aligned; ${label} shows almost no common direction at this scale.`;
  if (energy >= 0.75) return `neighbours are loosely aligned; the model partly depends on ${label}.`;
  const how = energy < 0.15 ? "almost perfectly" : energy < 0.5 ? "strongly" : "clearly";
  return `neighbours are ${how} aligned; the model depends on ${label}.`;
}

/** Caveats about E. @param {Facts} facts */
export function caveats({ coverage, known, curves, magnitude, energy }) {
  const said = [];
  if (Number.isFinite(energy) && coverage < 0.8)
    said.push(
      `Only ${percent(coverage)} of the points have a neighbour at this scale; E describes only these.`,
    );
  if (known && known < 0.9 * curves)
    said.push(`${curves - known} of ${curves} curves have no direction and are excluded.`);
  if (Number.isFinite(energy) && magnitude < 0.03)
    said.push("The moves are very small: even if they are aligned, the effect is small.");
  return said.join(" ");
}

/** How much of the field a plane shows. @param {{variance: number, seen: number}} flat @param {number} dim */
export function planeText({ variance, seen }, dim) {
  const arrows = Number.isFinite(seen) ? ` and ${percent(seen)} of the arrows\u2019 squared length` : "";
  return `The plane shows ${percent(variance)} of the points\u2019 variance${arrows}; E is computed in all ${dim} dimensions.`;
}

/** A curve in words. @param {{curve: number, energy: number, count: number | null, move: number}} facts */
export function curveText({ curve, energy, count, move }) {
  const found = Number.isNaN(energy)
    ? "no neighbour at this scale"
    : `E = ${figure(energy)}${count === null ? "" : ` with ${count} ${count === 1 ? "neighbour" : "neighbours"}`}`;
  return Number.isFinite(move) ? `Curve ${curve}: ${found}; moves by ${figure(move, 3)}.` : `Curve ${curve}.`;
}
