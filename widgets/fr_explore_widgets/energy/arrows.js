// Positions and directions of the arrows: pure functions of the settings and a seed. arrows.py computes the same, so
// that a notebook can use what the page shows.

/** @typedef {import("./types").Settings} Settings */
/** @typedef {[number, number]} Point */

export const COUNTS = { ring: 24, grid: 36, random: 36 };

/**
 * Uniform numbers in [0, 1): a 32-bit Weyl sequence through two multiply-and-shift rounds (mulberry32).
 * @param {number} seed
 */
export function uniform(seed) {
  let at = seed >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let t = Math.imul(at ^ (at >>> 15), at | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Standard normal numbers, one for each pair of uniform ones (Box and Muller).
 * @param {number} seed
 */
export function normal(seed) {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/**
 * The points, in the square from -1 to 1.
 * @param {Settings["layout"]} layout
 * @param {number} seed of the random layout
 * @param {number} [n] a square number for the grid
 * @returns {Point[]}
 */
export function place(layout, seed, n = COUNTS[layout]) {
  const each = (/** @type {(i: number) => Point} */ make) => Array.from({ length: n }, (_, i) => make(i));
  if (layout === "ring") {
    // clockwise from the top
    return each((i) => [0.85 * Math.sin((2 * Math.PI * i) / n), 0.85 * Math.cos((2 * Math.PI * i) / n)]);
  }
  if (layout === "grid") {
    const side = Math.round(Math.sqrt(n));
    const at = (/** @type {number} */ i) => (1.7 * i) / (side - 1) - 0.85;
    return each((i) => [at(i % side), -at(Math.floor(i / side))]);
  }
  const next = uniform(2 * seed + 1);
  return each(() => [1.8 * next() - 0.9, 1.8 * next() - 0.9]);
}

/**
 * The ordered arrow at each point, a unit vector in the plane. "opposed": each arrow opposes that of the nearest earlier
 * point, so that on a ring or a grid all neighbours are opposed.
 * @param {Settings["pattern"]} pattern
 * @param {Point[]} points
 * @returns {Point[]}
 */
export function ordered(pattern, points) {
  if (pattern === "parallel") return points.map(() => [1, 0]);
  if (pattern === "opposed") {
    /** @type {number[]} */
    const signs = [];
    points.forEach(([x, y], i) => {
      let least = Number.POSITIVE_INFINITY;
      let sign = 1;
      for (let j = 0; j < i; j += 1) {
        const d = (points[j][0] - x) ** 2 + (points[j][1] - y) ** 2;
        if (d < least - 1e-9) [least, sign] = [d, -signs[j]];
      }
      signs.push(sign);
    });
    return signs.map((s) => [s, 0]);
  }
  return points.map(([x, y]) => {
    const r = Math.hypot(x, y) || 1;
    return pattern === "radial" ? [x / r, y / r] : [y / r, -x / r];
  });
}

/**
 * The arrows: order * (ordered arrow) + (1 - order) * noise, scaled to unit length. The noise is n vectors of `dim` normal
 * numbers with variance 1/dim, drawn one dimension at a time, so that another dimension does not change the others.
 * @param {Point[]} base
 * @param {number} order from 0 (only noise) to 1 (no noise)
 * @param {number} dim at least 2
 * @param {number} seed
 * @returns {Float64Array[]} zeros where both cancel
 */
export function arrows(base, order, dim, seed) {
  const next = normal(2 * seed + 2);
  const all = base.map(() => new Float64Array(dim));
  for (let k = 0; k < dim; k += 1) {
    base.forEach((b, i) => {
      all[i][k] = order * (k < 2 ? b[k] : 0) + ((1 - order) * next()) / Math.sqrt(dim);
    });
  }
  for (const v of all) {
    const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    if (length > 1e-12) for (let k = 0; k < dim; k += 1) v[k] /= length;
    else v.fill(0);
  }
  return all;
}
