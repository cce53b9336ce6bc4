// One cell of a field as arrays, and the style of a point by its energy: pure functions.

import { floats } from "../shared/bytes.js";

/** @typedef {import("./types").Payload} Payload */
/** @typedef {import("./types").PayloadHead} PayloadHead */
/** @typedef {import("./types").PlaneName} PlaneName */
/** @typedef {import("../shared/map").Kind} Kind */

/** In the order of their bytes. */
export const PLANES = /** @type {PlaneName[]} */ (["points", "directions", "mean"]);
const BINS = 20;
/** Kinds of points beyond the energy classes: without a neighbour, without a direction. */
export const ISOLATED = BINS;
export const UNDIRECTED = BINS + 1;

/**
 * @param {PayloadHead} head
 * @param {DataView} view little-endian float32
 * @param {number} curves
 * @returns {Payload}
 */
export function decode(head, view, curves) {
  const all = floats(view);
  const wanted = curves * (4 * PLANES.length + 1 + head.energy.length);
  if (all.length !== wanted)
    throw new Error(`the field's data contain ${all.length} numbers instead of ${wanted}`);
  const flat = /** @type {Payload["flat"]} */ ({});
  PLANES.forEach((name, p) => {
    const [xy, arrows] = [new Float32Array(2 * curves), new Float32Array(2 * curves)];
    for (let i = 0; i < curves; i += 1) {
      const from = 4 * (p * curves + i);
      xy.set(all.subarray(from, from + 2), 2 * i);
      arrows.set(all.subarray(from + 2, from + 4), 2 * i);
    }
    const [variance, seen] = head.planes[name];
    flat[name] = { xy, arrows, variance, seen: seen ?? Number.NaN };
  });
  const rest = 4 * PLANES.length * curves;
  return {
    ...head,
    flat,
    moves: all.subarray(rest, rest + curves),
    energies: (place) => all.subarray(rest + (1 + place) * curves, rest + (2 + place) * curves),
  };
}

/**
 * The kind of each point: a class of its energy, isolated (no neighbour), or undirected (no direction).
 * @param {Float32Array} energies
 * @param {Float32Array} arrows
 */
export function kindsOf(energies, arrows) {
  return Uint8Array.from(energies, (e, i) => {
    if (Number.isNaN(arrows[2 * i])) return UNDIRECTED;
    return Number.isNaN(e) ? ISOLATED : Math.min(Math.floor((e / 2) * BINS), BINS - 1);
  });
}

const ENDS = {
  light: [
    [75, 45, 180],
    [140, 140, 140],
    [178, 92, 0],
  ],
  dark: [
    [172, 152, 255],
    [128, 128, 128],
    [245, 165, 60],
  ],
};

/** The colour of an energy: 0 violet (aligned), 1 grey, 2 amber (opposed). @param {number} e @param {boolean} dark */
export function colorOf(e, dark) {
  const ends = ENDS[dark ? "dark" : "light"];
  const [a, b] = e <= 1 ? [ends[0], ends[1]] : [ends[2], ends[1]];
  // most energies are between 0.2 and 1: the colour turns grey only near 1
  const t = (e <= 1 ? e : 2 - e) ** 2.2;
  return `rgb(${a.map((from, i) => Math.round(from + (b[i] - from) * t)).join(", ")})`;
}

/** The style of each kind of point; those that oppose their neighbours also have another shape. @param {boolean} dark @returns {Kind[]} */
export function palette(dark) {
  const steps = Array.from({ length: BINS }, (_, i) => {
    const e = (2 * (i + 0.5)) / BINS;
    return { color: colorOf(e, dark), shape: e > 1.1 ? "diamond" : "circle" };
  });
  const soft = colorOf(1, dark);
  return [...steps, { color: soft, hollow: true }, { color: soft, shape: "cross" }];
}

/**
 * 1 for a curve and its neighbours, 0 for all others; null without a curve.
 * @param {number} curves
 * @param {number} curve
 * @param {Int32Array | undefined} order
 * @param {number} count
 */
export function highlighted(curves, curve, order, count) {
  if (curve < 0 || !order) return null;
  const on = new Uint8Array(curves);
  on[curve] = 1;
  for (const i of order.subarray(0, count)) on[i] = 1;
  return on;
}

/**
 * The null at an index of the grid, interpolated between the sampled ones.
 * @param {import("./types").NullSamples | undefined} drawn sampled
 * @param {number} place
 */
export function nullAt(drawn, place) {
  if (!drawn?.length || place < drawn[0][0] || place > drawn[drawn.length - 1][0]) return null;
  const after = drawn.findIndex(([at]) => at >= place);
  const [b, a] = [drawn[after], drawn[Math.max(after - 1, 0)]];
  const t = b[0] === a[0] ? 0 : (place - a[0]) / (b[0] - a[0]);
  return { mean: a[1] + t * (b[1] - a[1]), sd: a[2] + t * (b[2] - a[2]) };
}
